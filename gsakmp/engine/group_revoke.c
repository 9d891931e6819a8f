/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "gsakmp/engine/group_state.h"
#include "gsakmp/payload/notification.h"

/*
 * Members whose certificates have been revoked since they joined.  Access was
 * granted to a name under a certificate (RFC4535-4.2-02); when that is revoked,
 * so is the access.
 */
struct suspect {
	struct gk_buf peer, der;
	uint32_t id;
	bool revoked;
};

/* The certificate of a registration under way may not be in the store yet. */
static enum gk_err
note_member(const struct gsakmp_group *g, const struct gk_member *m,
            struct suspect *s)
{
	const struct gsakmp_session *session =
		gsakmp_session_find(&g->sessions, gk_buf_slice(&m->identity));
	struct gsakmp_member_info info;
	enum gk_err err;

	s->id = m->id;
	GK_TRY(gk_buf_copy(&s->peer, gk_buf_slice(&m->identity)));
	if (session != NULL && session->cert != NULL)
		return gk_buf_copy(&s->der, gk_cert_der(session->cert));
	err = gsakmp_group_member_get(g, m, &info);
	if (err == GK_OK)
		err = gk_buf_copy(&s->der, gk_buf_slice(&info.der));
	gsakmp_member_info_free(&info);
	return err;
}

static enum gk_err
list_members(struct gsakmp_group *g, struct suspect **list, size_t *n)
{
	const struct gk_member *m;
	size_t cursor = 0, cap;

	cap = g->data != NULL ? gk_group_count(g->data) : 0;
	*n = 0;
	*list = calloc(cap + 1, sizeof(**list));
	if (*list == NULL)
		return GK_ERR_NOMEM;
	while (*n < cap && (m = gk_group_each(g->data, &cursor)) != NULL)
		GK_TRY(note_member(g, m, &(*list)[(*n)++]));
	return GK_OK;
}

static bool
revoked(const struct gk_trust *trust, struct gk_slice der, int64_t utc)
{
	struct gk_cert_fault why = { 0 };
	struct gk_cert *cert;
	bool out;

	if (gk_cert_from_stored(der, &cert) != GK_OK)
		return false;
	out = gk_trust_verify(trust, cert, NULL, utc, 0, NULL, &why) != GK_OK &&
	      (why.kind == GK_CERT_FAULT_REVOKED ||
	       /* A raw key is revoked by no longer being believed. */
	       (gk_cert_is_raw(cert) &&
	        why.kind == GK_CERT_FAULT_UNKNOWN_ROOT));
	gk_cert_free(cert);
	return out;
}

/* Without the lock: a path each. */
static enum gk_err
look_at(const struct gsakmp_group *g, const struct gk_trust *trust,
        struct suspect *s, int64_t utc)
{
	enum gk_err err = GK_OK;

	if (s->der.len == 0)
		err = gsakmp_group_member_der(g, s->id, gk_buf_slice(&s->peer),
		                              &s->der);
	if (err == GK_ERR_UNEXPECTED) /* has left in the meantime */
		return GK_OK;
	GK_TRY(err);
	s->revoked = revoked(trust, gk_buf_slice(&s->der), utc);
	gk_buf_free(&s->der);
	return GK_OK;
}

/* Without a key of its own a subordinate asks the primary for one. */
static enum gk_err
expel_all(struct gsakmp_group *g, const struct gsakmp_rekey_cause *cause,
          struct gk_now now)
{
	for (size_t i = 0; i < cause->n_evict; i++)
		GK_TRY(gsakmp_group_expel(g, cause->evict[i],
		                          GSAKMP_EXPULSION_BARRED, now));
	return gsakmp_group_log_commit(g, &g->out, gsakmp_group_ticket(g));
}

/* They may have left, or joined anew, while their certificates were looked at;
 * a revoked certificate does not get better by that. */
static enum gk_err
leave_out(struct gsakmp_group *g, const struct suspect *list, size_t n,
          struct gk_now now)
{
	struct gk_member **out = calloc(n + 1, sizeof(struct gk_member *));
	struct gsakmp_rekey_cause cause = { .refresh = true,
		                            .sweep = true,
		                            .evict = out };
	enum gk_err err = GK_OK;

	if (out == NULL)
		return GK_ERR_NOMEM;
	for (size_t i = 0; i < n && g->data != NULL; i++) {
		struct gk_member *m =
			!list[i].revoked
				? NULL
				: gk_group_find(g->data,
		                                gk_buf_slice(&list[i].peer));

		if (m != NULL)
			out[cause.n_evict++] = m;
	}
	if (cause.n_evict != 0 && g->cfg.subordinate)
		err = expel_all(g, &cause, now);
	else if (cause.n_evict != 0)
		err = g->policy->rekey == NULL || !g->policy->lkh
		              ? GK_ERR_POLICY
		              : gsakmp_group_plan(g, &cause, now);
	free(out);
	return err;
}

enum gk_err
gsakmp_group_revocations(struct gsakmp_group *g, struct gk_now now)
{
	const struct gk_trust *trust;
	struct suspect *list = NULL;
	size_t n = 0;
	enum gk_err err;

	pthread_mutex_lock(&g->lock);
	trust = g->party.trust;
	err = list_members(g, &list, &n);
	pthread_mutex_unlock(&g->lock);
	for (size_t i = 0; i < n && err == GK_OK; i++)
		err = look_at(g, trust, &list[i], now.utc_s);
	if (err == GK_OK) {
		pthread_mutex_lock(&g->lock);
		err = leave_out(g, list, n, now);
		pthread_mutex_unlock(&g->lock);
	}
	for (size_t i = 0; i < n; i++) {
		gk_buf_free(&list[i].peer);
		gk_buf_free(&list[i].der);
	}
	free(list);
	GK_TRY(err);
	return gsakmp_group_flush(g, now);
}

enum gk_err
gsakmp_group_bars(const struct gsakmp_group *g, struct gk_slice key,
                  const struct gk_cert *cert, bool *barred)
{
	const struct gk_identity subject = { .kind = GK_ID_DN_STRING };
	struct gk_buf name = { 0 };
	enum gk_err err;

	*barred = false;
	if (g->data == NULL || gk_group_excluded_count(g->data) == 0)
		return GK_OK;
	/* A certificate may carry other names than its subject; whoever was
	 * evicted by the latter does not come back by one of them. */
	err = gsakmp_member_key(subject, cert, &name);
	*barred = gk_group_excluded(g->data, key, NULL) ||
	          (err == GK_OK &&
	           gk_group_excluded(g->data, gk_buf_slice(&name), NULL));
	gk_buf_free(&name);
	return err == GK_ERR_NOMEM ? err : GK_OK;
}
