/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "gdoi/engine/group_state.h"
#include "gdoi/message/push_ack.h"

/*
 * Acknowledgements of PUSHes: RFC 8263 sections 5 and 6.
 *
 * A member is found by the address of its last GROUPKEY-PULL.  Where several
 * registered from one address, the port decides, and with types 2 and 4 the
 * member's own leaf.  Behind a NAT it is another address that they name.
 */
struct reception {
	struct gdoi_group *g;
	const struct gdoi_address *from;
	struct gdoi_push_ack ack;
	const struct gdoi_rekey_sa *kek;
	struct gdoi_event *event;
	struct isakmp_reject *why;
};

static enum gk_err
refuse(struct isakmp_reject *why, enum gk_err err, enum isakmp_notify notify,
       const char *req, const char *field)
{
	return isakmp_refuse(why, err, notify, req, field, 0);
}

/* RFC8263-5-03: for a PUSH of ours that wants to be acknowledged. */
static enum gk_err
find_push(struct reception *r)
{
	struct gdoi_group *g = r->g;

	for (r->kek = g->keks; r->kek != NULL; r->kek = r->kek->next)
		if (r->kek->state >= GDOI_KEK_CURRENT &&
		    (memcmp(r->kek->sak.spi, r->ack.spi, GDOI_ACK_SPI_LEN) ==
		             0 ||
		     !GK_CHECKED("RFC8263-3.1-01")))
			break;
	if (r->kek == NULL)
		return refuse(r->why, GK_ERR_VALUE,
		              ISAKMP_NOTIFY_INVALID_COOKIE, "RFC8263-3.1-01",
		              "Cookie");
	for (r->event = g->first_event; r->event != NULL;
	     r->event = r->event->next)
		if (r->event->kek == r->kek->handle &&
		    (r->event->sequence == r->ack.seq.number ||
		     !GK_CHECKED("RFC8263-3.3-01")))
			break;
	if (r->event == NULL || (r->event->state == GDOI_EVENT_QUEUED &&
	                         GK_CHECKED("RFC8263-3.3-01")))
		return refuse(r->why, GK_ERR_VALUE,
		              ISAKMP_NOTIFY_PAYLOAD_MALFORMED, "RFC8263-3.3-01",
		              "Sequence Number");
	if (r->event->ack == 0 && GK_CHECKED("RFC8263-5-03"))
		return refuse(r->why, GK_ERR_POLICY,
		              ISAKMP_NOTIFY_UNSUPPORTED_EXCHANGE_TYPE,
		              "RFC8263-5-03", "KEK_ACK_REQUESTED");
	return GK_OK;
}

/* RFC8263-3.4-03: the address of the ID, which is that of the last PULL; with
 * ID_OID, which names the group, that of the datagram.  So it is with a member
 * behind a NAT: the address that it knows as its own never came here. */
static struct gk_slice
address_said(const struct reception *r)
{
	if (!r->from->nat && (r->ack.id.type == ISAKMP_ID_IPV4_ADDR ||
	                      r->ack.id.type == ISAKMP_ID_IPV6_ADDR))
		return r->ack.id.data;
	return (struct gk_slice){ r->from->ip, r->from->ip_len };
}

static enum gk_err
key_for(const struct reception *r, const struct gdoi_member *m,
        uint8_t key[GK_HASH_MAX])
{
	const struct gdoi_group *g = r->g;
	size_t iv = gk_cipher_iv_len(r->kek->cipher), n;
	struct gk_lkh_key path[GK_LKH_DEPTH_MAX];
	struct gk_slice base = gk_buf_slice(&r->kek->key);
	enum gk_err err = GK_OK;

	if (gdoi_ack_by_leaf(r->event->ack)) {
		const struct gk_member *who = gk_group_find_id(g->data, m->id);

		if (who == NULL)
			return GK_ERR_VALUE;
		GK_TRY(gk_group_path(g->data, who, path, &n));
		if (n == 0)
			return GK_ERR_VALUE;
		base = gk_lkh_key_slice(&path[0]);
	}
	/* RFC8263-2.1-02: without the IV. */
	if (base.len <= iv)
		err = GK_ERR_VALUE;
	if (err == GK_OK)
		err = gdoi_ack_key(
			&g->dialect, r->event->ack,
			(struct gk_slice){ base.ptr + iv, base.len - iv },
			r->ack.spi, key);
	gk_wipe(path, sizeof(path));
	return err;
}

static enum gk_err
verify(const struct reception *r, const struct gdoi_member *m)
{
	uint8_t key[GK_HASH_MAX];
	enum gk_err err = key_for(r, m, key);

	if (err == GK_OK)
		err = gdoi_push_ack_check(&r->g->dialect, r->event->ack, key,
		                          &r->ack, r->why);
	gk_wipe(key, sizeof(key));
	return err;
}

/* Datagrams overtake each other, so the last one may be behind that of a later PUSH:
 * as many are remembered as PUSHes are kept for acknowledgements. */
#define BEFORE_MAX 64

static bool
is_repeated(const struct reception *r, const struct gdoi_member *m)
{
	uint32_t number = r->event->number, ago;

	if (m->since >= number || m->acked == number)
		return true;
	if (number > m->acked)
		return false;
	ago = m->acked - 1 - number;
	return ago >= BEFORE_MAX || (m->acked_before >> ago & 1) != 0;
}

static void
note(struct gdoi_member *m, uint32_t number)
{
	uint32_t ago;

	if (number < m->acked) {
		ago = m->acked - 1 - number;
		if (ago < BEFORE_MAX)
			m->acked_before |= UINT64_C(1) << ago;
		return;
	}
	if (number == m->acked)
		return;          /* a repetition that nobody checks */
	ago = number - m->acked; /* of that which is the last now, plus one */
	m->acked_before = ago < BEFORE_MAX ? m->acked_before << ago : 0;
	if (m->acked != 0 && ago <= BEFORE_MAX)
		m->acked_before |= UINT64_C(1) << (ago - 1);
	m->acked = number;
}

/*
 * A member behind a NAT cannot know its address as we see it, and says its own
 * (RFC8263-3.4-03 has no NAT in mind): it is looked for where the datagram came
 * from, among those whose phase 1 has found a NAT.  Each of them has an address
 * of its own behind it.
 */
static struct gdoi_member *
behind_nat(const struct reception *r)
{
	const struct gk_slice ip = { r->from->ip, r->from->ip_len };
	struct gdoi_member *head = gk_index_find(&r->g->by_ip, ip);

	if (gk_slice_equal(address_said(r), ip))
		return NULL;
	for (struct gdoi_member *m = head; m != NULL; m = m->same_ip)
		if (m->address.nat)
			return head;
	return NULL;
}

static bool
is_of(const struct reception *r, const struct gdoi_member *m, bool nat)
{
	const struct gk_slice said = { m->said, m->said_len };

	if (!nat)
		return true;
	return m->address.nat &&
	       (said.len == 0 || gk_slice_equal(said, address_said(r)));
}

/* Anybody can name an address that has many members, as one in front of a NAT: so
 * many of them are tried whose port it is not. */
#define TRIED_MAX 64

/* What came of a search. */
struct search {
	struct gdoi_member *found;
	unsigned candidates, repeated, tried;
	enum gk_err err;
};

/* The KEK is everybody's: where it made no such HASH, it made none for the next
 * one either. */
static bool
is_hopeless(const struct reception *r, const struct search *s)
{
	return s->tried != 0 && !gdoi_ack_by_leaf(r->event->ack);
}

/* That of its registration, or of its last acknowledgement: a NAT has another one
 * for each port of ours. */
static bool
is_port_of(const struct reception *r, const struct gdoi_member *m)
{
	return m->address.port == r->from->port ||
	       (m->ack_port != 0 && m->ack_port == r->from->port);
}

/* Is the search over? */
static bool
try_one(struct reception *r, struct gdoi_member *m, bool nat, bool exact,
        struct search *s)
{
	if (is_port_of(r, m) != exact || !is_of(r, m, nat))
		return false;
	s->candidates++;
	/* RFC8263-5-04: no cryptography for a repetition. */
	if (is_repeated(r, m) && GK_CHECKED("RFC8263-5-04")) {
		s->repeated++;
		return false;
	}
	if (is_hopeless(r, s))
		return true;
	if (!exact && s->tried >= TRIED_MAX) {
		m->ack_turn = true;
		return true;
	}
	s->tried++;
	s->err = verify(r, m);
	if (s->err == GK_OK)
		s->found = m;
	return s->err == GK_OK;
}

static bool
try_some(struct reception *r, struct gdoi_member *first,
         const struct gdoi_member *end, bool nat, bool exact, struct search *s)
{
	for (struct gdoi_member *m = first; m != end; m = m->same_ip)
		if (try_one(r, m, nat, exact, s))
			return true;
	return false;
}

/* First the one with the port.  The others are tried from where the last search had
 * to stop, so that everybody has a turn. */
static void
search(struct reception *r, struct gdoi_member *head, bool nat,
       struct search *s)
{
	struct gdoi_member *start = head;

	if (head == NULL || try_some(r, head, NULL, nat, true, s))
		return;
	for (struct gdoi_member *m = head; m != NULL; m = m->same_ip)
		if (m->ack_turn) {
			start = m;
			m->ack_turn = false;
		}
	if (!try_some(r, start, NULL, nat, false, s))
		(void)try_some(r, head, start, nat, false, s);
}

/* Whose is it? */
static enum gk_err
find_member(struct reception *r, struct gdoi_member **found)
{
	struct gdoi_member *there = behind_nat(r);
	struct gdoi_member *head = gk_index_find(&r->g->by_ip, address_said(r));
	struct search s = { .err = GK_ERR_AUTH };

	(void)!refuse(r->why, GK_ERR_AUTH,
	              ISAKMP_NOTIFY_INVALID_HASH_INFORMATION, "RFC8263-5-05",
	              "HASH");
	search(r, there, true, &s);
	if (s.found != NULL && address_said(r).len <= sizeof(s.found->said)) {
		s.found->said_len = (uint8_t)address_said(r).len;
		memcpy(s.found->said, address_said(r).ptr, s.found->said_len);
	}
	if (s.found == NULL)
		search(r, head, false, &s);
	*found = s.found;
	if (s.found != NULL)
		return GK_OK;
	if (s.candidates == 0 && GK_CHECKED("RFC8263-3.4-03"))
		return refuse(r->why, GK_ERR_VALUE,
		              ISAKMP_NOTIFY_INVALID_ID_INFORMATION,
		              "RFC8263-3.4-03", "Identification Data");
	if (s.repeated != 0 && (s.candidates == 1 || s.err == GK_ERR_AUTH))
		return refuse(r->why, GK_ERR_REPLAY,
		              ISAKMP_NOTIFY_PAYLOAD_MALFORMED, "RFC8263-5-04",
		              "Sequence Number");
	return s.err;
}

/* RFC8263-5-06 */
static enum gk_err
record(struct reception *r, struct gdoi_member *m)
{
	struct gdoi_group *g = r->g;
	struct gk_member *who = gk_group_find_id(g->data, m->id);
	bool first = !m->heard, late = m->acked > r->event->number;

	/* RFC8052-2.2.4.2-01: it has what came with this PUSH; that of one
	 * before may have been lost. */
	for (struct gdoi_data_sa *t = g->teks; t != NULL; t = t->next)
		t->holders += t->push == r->event->number;
	note(m, r->event->number);
	m->heard = true;
	g->n_acks++;
	if (!late) {
		m->acked_seq = r->event->sequence;
		m->ack_port = r->from->port;
		m->missed = 0;
		g->n_unresponsive -= m->unresponsive;
		m->unresponsive = false;
	}
	if (who == NULL)
		return GK_OK;
	gk_group_member_seen(who, g->now.utc_s);
	if (first)
		GK_TRY(gdoi_member_save(g, who, (struct gk_slice){ NULL, 0 }));
	return gdoi_out_peer(g, GDOI_OUT_ACKED, gk_buf_slice(&who->identity),
	                     m->id, r->event->sequence);
}

static enum gk_err
receive(struct reception *r)
{
	struct gdoi_member *m = NULL;

	if (r->g->phase != GDOI_GROUP_OPEN)
		return refuse(r->why, GK_ERR_UNEXPECTED,
		              ISAKMP_NOTIFY_INVALID_COOKIE, "RFC8263-5-03",
		              "Cookie");
	GK_TRY(find_push(r));
	GK_TRY(find_member(r, &m));
	return record(r, m);
}

enum gk_err
gdoi_group_ack(struct gdoi_group *g, struct gk_slice dgram,
               const struct gdoi_address *from, struct gk_now now,
               struct isakmp_reject *why)
{
	struct reception r = { .g = g, .from = from, .why = why };
	enum gk_err err = gdoi_push_ack_read(dgram, &r.ack, why);

	pthread_mutex_lock(&g->lock);
	g->now = now;
	if (err == GK_OK)
		err = receive(&r);
	if (err != GK_OK)
		g->n_refused_acks++;
	pthread_mutex_unlock(&g->lock);
	return err;
}

/* ---- who does not answer ------------------------------------------------- */

/* RFC8263-6-08 */
static enum gk_err
missed(struct gdoi_group *g, struct gdoi_member *m)
{
	unsigned most = g->policy->rekey.silent_max;
	const struct gk_member *who;

	m->missed++;
	if (most == 0 || m->missed < most || m->unresponsive)
		return GK_OK;
	m->unresponsive = true;
	g->n_unresponsive++;
	who = gk_group_find_id(g->data, m->id);
	if (who == NULL)
		return GK_OK;
	return gdoi_out_peer(g, GDOI_OUT_UNRESPONSIVE,
	                     gk_buf_slice(&who->identity), m->id, m->acked_seq);
}

static enum gk_err
judge(struct gdoi_group *g, const struct gdoi_event *e)
{
	for (size_t i = 0; i < g->members_cap; i++) {
		struct gdoi_member *m = g->members[i];

		if (m == NULL || m->since >= e->number || m->acked >= e->number)
			continue;
		GK_TRY(missed(g, m));
	}
	return GK_OK;
}

/* RFC8263-6-01: nobody has gone who was never heard of. */
static bool
is_gone(const struct gdoi_member *m)
{
	return m != NULL && m->unresponsive && m->heard;
}

static enum gk_err
evict_silent(struct gdoi_group *g, struct gk_now now)
{
	struct gk_member **m;
	enum gk_err err = GK_OK;
	size_t n = 0;

	if (!g->policy->rekey.evict_silent || g->n_unresponsive == 0)
		return GK_OK;
	m = calloc(g->n_unresponsive, sizeof(struct gk_member *));
	if (m == NULL)
		return GK_ERR_NOMEM;
	for (size_t i = 0; i < g->members_cap; i++)
		if (is_gone(g->members[i])) {
			m[n] = gk_group_find_id(g->data, (uint32_t)i);
			n += m[n] != NULL;
		}
	/* Not barred: who comes back is alive. */
	if (n != 0)
		err = gdoi_group_evict_members(g, m, n, false, now);
	free(m);
	return err;
}

enum gk_err
gdoi_acks_judge(struct gdoi_group *g, struct gk_now now)
{
	bool any = false;

	for (struct gdoi_event *e = g->first_event; e != NULL; e = e->next) {
		if (e->ack_by > now.mono_ms)
			continue;
		e->ack_by = GK_NEVER;
		if (g->phase != GDOI_GROUP_OPEN || e->state != GDOI_EVENT_SENT)
			continue;
		GK_TRY(judge(g, e));
		any = true;
	}
	return any ? evict_silent(g, now) : GK_OK;
}
