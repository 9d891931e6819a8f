/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/session.h"

#include <stdlib.h>

#include "gsakmp/engine/policy.h"

/* clang-format off */
/* RFC 4535 section 8, Table 29, the key server's half, for one member. */
static const struct transition {
	const char *rfc; /* the transition's label in Figure 28 */
	enum gsakmp_session_state from;
	enum gsakmp_session_event on;
	enum gsakmp_session_state to;
} transitions[] = {
	/* rfc   from                     on                         to */
	{ "3", GSAKMP_SESSION_NONE,     GSAKMP_SESSION_EV_RTJ,     GSAKMP_SESSION_RESPONSE },
	{ "3", GSAKMP_SESSION_LATE,     GSAKMP_SESSION_EV_RTJ,     GSAKMP_SESSION_RESPONSE },
	{ "3", GSAKMP_SESSION_DEPART,   GSAKMP_SESSION_EV_RTJ,     GSAKMP_SESSION_RESPONSE },
	{ "4", GSAKMP_SESSION_RESPONSE, GSAKMP_SESSION_EV_ACK,     GSAKMP_SESSION_NONE },
	{ "4", GSAKMP_SESSION_RESPONSE, GSAKMP_SESSION_EV_NACK,    GSAKMP_SESSION_LATE },
	{ "4", GSAKMP_SESSION_RESPONSE, GSAKMP_SESSION_EV_TIMEOUT, GSAKMP_SESSION_LATE },
	{ "4", GSAKMP_SESSION_LATE,     GSAKMP_SESSION_EV_ACK,     GSAKMP_SESSION_NONE },
	{ "2", GSAKMP_SESSION_NONE,     GSAKMP_SESSION_EV_RTD,     GSAKMP_SESSION_DEPART },
	{ "2", GSAKMP_SESSION_LATE,     GSAKMP_SESSION_EV_RTD,     GSAKMP_SESSION_DEPART },
	{ "2", GSAKMP_SESSION_DEPART,   GSAKMP_SESSION_EV_RTD,     GSAKMP_SESSION_DEPART },
	{ "2", GSAKMP_SESSION_DEPART,   GSAKMP_SESSION_EV_ACK,     GSAKMP_SESSION_NONE },
	{ "2", GSAKMP_SESSION_DEPART,   GSAKMP_SESSION_EV_NACK,    GSAKMP_SESSION_NONE },
	{ "2", GSAKMP_SESSION_DEPART,   GSAKMP_SESSION_EV_TIMEOUT, GSAKMP_SESSION_NONE },
	{ "2", GSAKMP_SESSION_RESPONSE, GSAKMP_SESSION_EV_EVICTED, GSAKMP_SESSION_NONE },
	{ "2", GSAKMP_SESSION_LATE,     GSAKMP_SESSION_EV_EVICTED, GSAKMP_SESSION_NONE },
	{ "2", GSAKMP_SESSION_DEPART,   GSAKMP_SESSION_EV_EVICTED, GSAKMP_SESSION_NONE },
};
/* clang-format on */

enum gk_err
gsakmp_session_next(enum gsakmp_session_state from,
                    enum gsakmp_session_event on, enum gsakmp_session_state *to)
{
	for (size_t i = 0; i < GK_COUNT(transitions); i++)
		if (transitions[i].from == from && transitions[i].on == on) {
			*to = transitions[i].to;
			return GK_OK;
		}
	return GK_ERR_UNEXPECTED;
}

const char *
gsakmp_session_state_text(enum gsakmp_session_state state)
{
	static const char *const text[] = {
#define X(name, words) words,
		GSAKMP_SESSION_STATE_LIST(X)
#undef X
	};

	return (size_t)state < GK_COUNT(text) ? text[state] : "unknown";
}

/* FNV-1a.  Only parties that have authenticated get into the table, so chains
 * cannot be grown from outside. */
static size_t
bucket(uint8_t seed, struct gk_slice s)
{
	uint32_t h = 2166136261u ^ seed;

	for (size_t i = 0; i < s.len; i++)
		h = (h ^ s.ptr[i]) * 16777619u;
	return h % GSAKMP_SESSION_BUCKETS;
}

void
gsakmp_session_add(struct gsakmp_sessions *all, struct gsakmp_session *s)
{
	struct gsakmp_session **head;

	s->id = ++all->next_id;
	head = &all->key_bucket[bucket(0, gk_buf_slice(&s->key))];
	s->by_key = *head;
	*head = s;
	head = &all->signer_bucket[bucket(s->id_type,
	                                  gk_buf_slice(&s->signer_id))];
	s->by_signer = *head;
	*head = s;
	all->count++;
}

struct gsakmp_session *
gsakmp_session_find(const struct gsakmp_sessions *all, struct gk_slice key)
{
	struct gsakmp_session *s;

	if (all->count == 0)
		return NULL;
	s = all->key_bucket[bucket(0, key)];
	while (s != NULL && !gk_slice_equal(gk_buf_slice(&s->key), key))
		s = s->by_key;
	return s;
}

struct gsakmp_session *
gsakmp_session_find_signer(const struct gsakmp_sessions *all, uint8_t id_type,
                           struct gk_slice signer_id)
{
	struct gsakmp_session *s =
		all->signer_bucket[bucket(id_type, signer_id)];

	while (s != NULL &&
	       (s->id_type != id_type ||
	        !gk_slice_equal(gk_buf_slice(&s->signer_id), signer_id)))
		s = s->by_signer;
	return s;
}

static void
dequeue(struct gsakmp_sessions *all, struct gsakmp_session *s)
{
	if (!s->queued)
		return;
	if (s->earlier != NULL)
		s->earlier->later = s->later;
	else
		all->first = s->later;
	if (s->later != NULL)
		s->later->earlier = s->earlier;
	else
		all->last = s->earlier;
	s->earlier = s->later = NULL;
	s->queued = false;
	all->n_queued--;
}

void
gsakmp_session_arm(struct gsakmp_sessions *all, struct gsakmp_session *s,
                   uint64_t deadline)
{
	struct gsakmp_session *before = NULL;

	dequeue(all, s);
	s->deadline = deadline;
	if (deadline == GK_NEVER)
		return;
	/* Timeouts are all alike, so the place is at or near the end. */
	for (before = all->last; before != NULL && before->deadline > deadline;
	     before = before->earlier)
		continue;
	s->earlier = before;
	s->later = before == NULL ? all->first : before->later;
	if (s->later != NULL)
		s->later->earlier = s;
	else
		all->last = s;
	if (before != NULL)
		before->later = s;
	else
		all->first = s;
	s->queued = true;
	all->n_queued++;
}

void
gsakmp_session_free(struct gsakmp_session *s)
{
	if (s == NULL)
		return;
	gk_buf_free(&s->key);
	gk_buf_free(&s->signer_id);
	gk_cert_free(s->cert);
	gk_buf_free(&s->nonce_i);
	gk_buf_free(&s->nonce_r);
	gk_buf_free(&s->nonce_c);
	gk_buf_free(&s->answer);
	gk_buf_free(&s->expelled);
	gsakmp_policy_unref(s->policy);
	free(s);
}

void
gsakmp_session_drop(struct gsakmp_sessions *all, struct gsakmp_session *s)
{
	struct gsakmp_session **link;

	dequeue(all, s);
	link = &all->key_bucket[bucket(0, gk_buf_slice(&s->key))];
	while (*link != s)
		link = &(*link)->by_key;
	*link = s->by_key;
	link = &all->signer_bucket[bucket(s->id_type,
	                                  gk_buf_slice(&s->signer_id))];
	while (*link != s)
		link = &(*link)->by_signer;
	*link = s->by_signer;
	all->count--;
	gsakmp_session_free(s);
}

void
gsakmp_sessions_clear(struct gsakmp_sessions *all)
{
	for (size_t i = 0; i < GSAKMP_SESSION_BUCKETS; i++)
		while (all->key_bucket[i] != NULL)
			gsakmp_session_drop(all, all->key_bucket[i]);
}
