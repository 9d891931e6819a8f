/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "common/base/gk_check.h"
#include "gsakmp/engine/group_state.h"
#include "gsakmp/engine/permission.h"
#include "gsakmp/payload/notification.h"

/*
 * Members judged anew.  Access was granted to a name under a certificate
 * (RFC4535-4.2-02), maybe with permissions that attribute certificates gave (RFC
 * 4534 B.1.2); when that is revoked or expires, so does the access.  Everybody is
 * looked at when there are new CRLs, and whose dates are over when they are.
 *
 * A path that cannot be built any more for other reasons - a CRL that is late, an
 * authority that somebody took out of the configuration - ends nothing.
 */
enum verdict { STAYS, REVOKED, EXPIRED, LESS };

struct suspect {
	struct gk_buf peer, der, grants;
	struct gk_buf joining; /* certificate of a registration under way,
	                        * which may not be in the store yet */
	uint32_t id;
	uint16_t chain;
	uint32_t until, until_now; /* as it was put down; as it should be */
	uint16_t permissions, permissions_now;
	enum verdict verdict;
};

struct judgement {
	struct gsakmp_group *g;
	const struct gk_trust *trust;
	struct gk_now now;
	bool all; /* or only those whose dates are over */
	struct suspect *list;
	size_t n;
	struct gk_certs chain[GSAKMP_CHAINS_MAX];
};

#define JUDGE_GAP_MS 1000      /* between looks at the dates ... */
#define JUDGE_MAX_MS 3600000ll /* ... for clocks are set, too */

/* ---- when ---------------------------------------------------------------- */

void
gsakmp_group_judge_by(struct gsakmp_group *g, uint32_t until, struct gk_now now)
{
	int64_t ms;
	uint64_t at;

	if (until == 0 || g->cfg.recheck != GSAKMP_RECHECK_VALIDITY)
		return;
	if (g->judge_utc == 0 || until < g->judge_utc)
		g->judge_utc = until;
	ms = until <= now.utc_s ? 0 : ((int64_t)until - now.utc_s) * 1000;
	at = now.mono_ms + (uint64_t)(ms < JUDGE_MAX_MS ? ms : JUDGE_MAX_MS);
	if (at < g->judge_at)
		g->judge_at = at;
}

void
gsakmp_group_judge_arm(struct gsakmp_group *g, struct gk_now now)
{
	struct gk_member *m;
	size_t cursor = 0;

	g->judge_at = GK_NEVER;
	g->judge_utc = 0;
	while (g->data != NULL && (m = gk_group_each(g->data, &cursor)) != NULL)
		gsakmp_group_judge_by(
			g, gsakmp_member_until(gk_buf_slice(&m->blob)), now);
}

/* ---- who ----------------------------------------------------------------- */

static enum gk_err
note_member(struct judgement *j, const struct gk_member *m)
{
	struct suspect *s = &j->list[j->n++];
	const struct gsakmp_session *session = gsakmp_session_find(
		&j->g->sessions, gk_buf_slice(&m->identity));
	struct gsakmp_member_info info;
	enum gk_err err;

	s->id = m->id;
	GK_TRY(gk_buf_copy(&s->peer, gk_buf_slice(&m->identity)));
	if (session != NULL && session->cert != NULL)
		GK_TRY(gk_buf_copy(&s->joining, gk_cert_der(session->cert)));
	err = gsakmp_member_info_decode(gk_buf_slice(&m->identity),
	                                gk_buf_slice(&m->blob), &info);
	if (err == GK_OK) {
		s->until = s->until_now = info.until;
		s->permissions = s->permissions_now = info.permissions;
		/* Without one, as far as the path goes. */
		s->chain = info.chain <= j->g->n_chains ? info.chain : 0;
		s->der = info.der;
		s->grants = info.grants;
		info.der = info.grants = (struct gk_buf){ 0 };
	}
	gsakmp_member_info_free(&info);
	return err;
}

static bool
concerned(const struct judgement *j, const struct gk_member *m)
{
	uint32_t until = gsakmp_member_until(gk_buf_slice(&m->blob));

	return j->all || (until != 0 && until <= j->now.utc_s);
}

static enum gk_err
list_members(struct judgement *j)
{
	struct gsakmp_group *g = j->g;
	const struct gk_member *m;
	size_t cursor = 0, cap = 0;

	while (g->data != NULL && (m = gk_group_each(g->data, &cursor)) != NULL)
		cap += concerned(j, m);
	j->list = calloc(cap + 1, sizeof(*j->list));
	if (j->list == NULL)
		return GK_ERR_NOMEM;
	for (size_t i = 0; i < g->n_chains && cap != 0; i++)
		GK_TRY(gsakmp_group_chain_certs(g, i, &j->chain[i]));
	cursor = 0;
	while (j->n < cap && (m = gk_group_each(g->data, &cursor)) != NULL)
		if (concerned(j, m))
			GK_TRY(note_member(j, m));
	return GK_OK;
}

/* ---- one of them, without the lock ---------------------------------------- */

static enum verdict
read_fault(const struct gk_cert *cert, const struct gk_cert_fault *why,
           int64_t utc)
{
	bool raw = gk_cert_is_raw(cert);

	if (why->kind == GK_CERT_FAULT_REVOKED ||
	    /* A raw key is revoked by no longer being believed. */
	    (raw && why->kind == GK_CERT_FAULT_UNKNOWN_ROOT))
		return REVOKED;
	/* Its own date counts, whatever else stands in the way. */
	if (why->kind == GK_CERT_FAULT_EXPIRED ||
	    (!raw && gk_cert_not_after(cert) <= utc))
		return EXPIRED;
	return STAYS;
}

static void
weigh_grants(const struct judgement *j, struct suspect *s,
             const struct gk_cert *cert)
{
	struct gk_slice acert[GSAKMP_CERTIFICATES_MAX];
	size_t n = gsakmp_grants_list(gk_buf_slice(&s->grants), acert,
	                              GK_COUNT(acert));

	/* Of before grants were kept: they stand. */
	if (s->permissions == 0 || n == 0)
		return;
	s->permissions_now =
		s->permissions & gsakmp_permissions(j->trust, cert, acert, n,
	                                            j->now.utc_s, NULL,
	                                            &s->until_now);
	if (s->permissions_now != s->permissions)
		s->verdict = LESS;
}

static enum gk_err
weigh(const struct judgement *j, struct suspect *s)
{
	const struct gk_trust_extra extra = {
		.certs = s->chain != 0 ? &j->chain[s->chain - 1] : NULL,
	};
	struct gk_cert_fault why = { 0 };
	struct gk_path path = { 0 };
	struct gk_cert *cert;
	enum gk_err err;

	if (gk_cert_from_stored(gk_buf_slice(&s->der), &cert) != GK_OK)
		return GK_OK;
	err = gk_trust_verify(j->trust, cert, &extra, j->now.utc_s, 0, &path,
	                      &why);
	if (err == GK_OK) {
		s->until_now = gsakmp_path_until(&path);
		weigh_grants(j, s, cert);
	} else if (err != GK_ERR_NOMEM) {
		s->verdict = read_fault(cert, &why, j->now.utc_s);
		if (s->until <= j->now.utc_s)
			s->until_now = 0; /* it says nothing more */
		err = GK_OK;
	}
	gk_path_free(&path);
	gk_cert_free(cert);
	return err;
}

/* A registration under way may be under another certificate, which is not in the
 * store yet.  What came with that is looked at the next time. */
static enum gk_err
find_der(const struct judgement *j, struct suspect *s, bool *newer)
{
	enum gk_err err = GK_OK;

	if (s->der.len == 0)
		err = gsakmp_group_member_der(j->g, s->id,
		                              gk_buf_slice(&s->peer), &s->der,
		                              &s->grants);
	*newer = (err == GK_OK || err == GK_ERR_UNEXPECTED) &&
	         s->joining.len != 0 &&
	         !gk_slice_equal(gk_buf_slice(&s->joining),
	                         gk_buf_slice(&s->der));
	if (!*newer)
		return err;
	gk_buf_free(&s->der);
	gk_buf_free(&s->grants);
	return gk_buf_copy(&s->der, gk_buf_slice(&s->joining));
}

static enum gk_err
look_at(const struct judgement *j, struct suspect *s)
{
	bool newer;
	enum gk_err err = find_der(j, s, &newer);

	if (err == GK_ERR_UNEXPECTED) /* has left in the meantime */
		return GK_OK;
	GK_TRY(err);
	GK_TRY(weigh(j, s));
	if (j->g->cfg.recheck == GSAKMP_RECHECK_REVOCATION &&
	    s->verdict != REVOKED) {
		s->verdict = STAYS;
		s->until_now = s->until;
	}
	if (newer && s->verdict == STAYS)
		s->until_now = s->until;
	gk_buf_free(&s->der);
	gk_buf_free(&s->grants);
	return GK_OK;
}

/* ---- what follows ---------------------------------------------------------- */

/* What is left of its permissions may be enough. */
static enum gk_err
still_admitted(struct judgement *j, const struct suspect *s,
               struct gk_member *m, bool *admitted)
{
	struct gk_slice slices[GSAKMP_MEMBER_CA_MAX];
	struct gsakmp_member_info info;
	struct gk_identity id;
	struct gpt_party party;
	enum gk_err err;

	err = gsakmp_group_member_get(j->g, m, &info);
	/* Others: it has registered anew, and was judged for that. */
	if (err == GK_OK && info.permissions == s->permissions) {
		info.permissions = s->permissions_now;
		info.until = s->until_now;
		gsakmp_member_party(&info, &id, slices, &party);
		*admitted = gpt_access_member(j->g->policy->reg, &party, NULL);
		if (*admitted || s->verdict != LESS)
			err = gsakmp_group_member_note(j->g, m, &info);
	}
	gsakmp_member_info_free(&info);
	return err;
}

/*
 * They may have left, or joined anew, while their certificates were looked at.  A
 * revoked certificate does not get better by that; another may have come in place
 * of one that has expired.
 */
static enum gk_err
ends(struct judgement *j, const struct suspect *s, struct gk_member *m,
     bool *out)
{
	bool admitted = true;

	*out = s->verdict == REVOKED && GK_CHECKED("RFC4535-4.2-02");
	if (*out || gsakmp_member_until(gk_buf_slice(&m->blob)) != s->until)
		return GK_OK;
	if (s->verdict == EXPIRED) {
		*out = GK_CHECKED("RFC4535-4.2-02");
		return GK_OK;
	}
	if (s->verdict == LESS || s->until_now != s->until)
		GK_TRY(still_admitted(j, s, m, &admitted));
	*out = s->verdict == LESS && !admitted && GK_CHECKED("RFC4535-4.2-02");
	return GK_OK;
}

static enum gk_err
tell(struct judgement *j, const struct suspect *s)
{
	static const char *const reasons[] = {
		[REVOKED] = "the certificate is revoked",
		[EXPIRED] = "the certificate has expired",
		[LESS] = "a permission that it was admitted with has ended",
	};
	struct gsakmp_output *out =
		gsakmp_outputs_add(&j->g->out, GSAKMP_OUT_ACCESS_ENDED);

	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group_id = j->g->cfg.group_id;
	out->peer = gk_buf_slice(&s->peer);
	out->text = reasons[s->verdict];
	return gsakmp_outputs_own(&j->g->out);
}

/* Without a key of its own a subordinate asks the primary for one.  Who was
 * revoked is not to come back; who has let a date pass is, with a better one. */
static enum gk_err
expel(struct judgement *j, const struct suspect *s, struct gk_member *m)
{
	return gsakmp_group_expel(j->g, m,
	                          s->verdict == REVOKED
	                                  ? GSAKMP_EXPULSION_BARRED
	                                  : GSAKMP_EXPULSION_GONE,
	                          j->now);
}

static enum gk_err
leave_out(struct judgement *j, struct gk_member **out)
{
	struct gsakmp_rekey_cause cause = { .refresh = true,
		                            .sweep = true,
		                            .evict = out };
	struct gsakmp_group *g = j->g;
	size_t gone = 0;

	for (size_t i = 0; i < j->n && g->data != NULL; i++) {
		const struct suspect *s = &j->list[i];
		struct gk_member *m =
			gk_group_find(g->data, gk_buf_slice(&s->peer));
		bool out_it_is = false;

		if (m != NULL)
			GK_TRY(ends(j, s, m, &out_it_is));
		if (!out_it_is)
			continue;
		gone++;
		GK_TRY(tell(j, s));
		if (g->cfg.subordinate)
			GK_TRY(expel(j, s, m));
		else
			out[cause.n_evict++] = m;
	}
	if (cause.n_evict == 0)
		return gsakmp_group_log_commit(g, &g->out,
		                               gsakmp_group_ticket(g));
	if (g->policy->rekey == NULL || !g->policy->lkh)
		return GK_ERR_POLICY;
	return gsakmp_group_plan(g, &cause, j->now);
}

static enum gk_err
conclude(struct judgement *j)
{
	struct gk_member **out = calloc(j->n + 1, sizeof(struct gk_member *));
	enum gk_err err;

	if (out == NULL)
		return GK_ERR_NOMEM;
	err = j->n != 0 ? leave_out(j, out) : GK_OK;
	free(out);
	gsakmp_group_judge_arm(j->g, j->now);
	/* Whoever could not be left out is due, still. */
	if (j->g->judge_at < j->now.mono_ms + JUDGE_GAP_MS)
		j->g->judge_at = j->now.mono_ms +
		                 (err == GK_OK ? JUDGE_GAP_MS : JUDGE_MAX_MS);
	return err;
}

static void
judgement_free(struct judgement *j)
{
	for (size_t i = 0; i < j->n; i++) {
		gk_buf_free(&j->list[i].peer);
		gk_buf_free(&j->list[i].joining);
		gk_buf_free(&j->list[i].der);
		gk_buf_free(&j->list[i].grants);
	}
	for (size_t i = 0; i < GSAKMP_CHAINS_MAX; i++)
		gk_certs_free(&j->chain[i]);
	free(j->list);
	free(j);
}

static enum gk_err
judge(struct gsakmp_group *g, bool all, struct gk_now now)
{
	struct judgement *j = calloc(1, sizeof(*j));
	enum gk_err err;

	if (j == NULL)
		return GK_ERR_NOMEM;
	j->g = g;
	j->now = now;
	j->all = all;
	pthread_mutex_lock(&g->lock);
	j->trust = g->party.trust;
	if (g->judge_at <= now.mono_ms) /* also when it comes to nothing */
		g->judge_at = now.mono_ms + JUDGE_GAP_MS;
	err = list_members(j);
	pthread_mutex_unlock(&g->lock);
	for (size_t i = 0; i < j->n && err == GK_OK; i++)
		err = look_at(j, &j->list[i]);
	if (err == GK_OK) {
		pthread_mutex_lock(&g->lock);
		err = conclude(j);
		pthread_mutex_unlock(&g->lock);
	}
	judgement_free(j);
	GK_TRY(err);
	return gsakmp_group_flush(g, now);
}

enum gk_err
gsakmp_group_revocations(struct gsakmp_group *g, struct gk_now now)
{
	return g->cfg.recheck == GSAKMP_RECHECK_NO ? GK_OK
	                                           : judge(g, true, now);
}

enum gk_err
gsakmp_group_judge_tick(struct gsakmp_group *g, struct gk_now now)
{
	enum gk_err err = GK_OK;
	bool due;

	pthread_mutex_lock(&g->lock);
	due = g->phase == GSAKMP_GROUP_OPEN && g->judge_at <= now.mono_ms;
	pthread_mutex_unlock(&g->lock);
	if (due)
		err = judge(g, false, now);
	/* Nobody can be locked out of this group, and it was said. */
	return err == GK_ERR_POLICY ? GK_OK : err;
}
