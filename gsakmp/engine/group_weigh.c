/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/group_judge.h"

#include "gsakmp/engine/permission.h"
#include "gsakmp/message/message.h"

/* One member's certificate, looked at without the lock: see group_judge.c. */
static enum gsakmp_verdict
read_fault(const struct gk_cert *cert, const struct gk_cert_fault *why,
           int64_t utc)
{
	bool raw = gk_cert_is_raw(cert);

	if (why->kind == GK_CERT_FAULT_REVOKED ||
	    /* A raw key is revoked by no longer being believed. */
	    (raw && why->kind == GK_CERT_FAULT_UNKNOWN_ROOT))
		return GSAKMP_REVOKED;
	/* Its own date counts, whatever else stands in the way. */
	if (why->kind == GK_CERT_FAULT_EXPIRED ||
	    (!raw && gk_cert_not_after(cert) < utc))
		return GSAKMP_EXPIRED;
	return GSAKMP_STAYS;
}

static void
weigh_grants(const struct gsakmp_judge *j, struct gsakmp_suspect *s,
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
		s->verdict = GSAKMP_LESS;
}

static enum gk_err
weigh(const struct gsakmp_judge *j, struct gsakmp_suspect *s)
{
	const struct gk_trust_extra extra = {
		.certs = s->chain != 0 ? &j->chain[s->chain - 1] : NULL,
	};
	struct gk_cert_fault why = { 0 };
	struct gk_path path = { 0 };
	struct gk_cert *cert;
	enum gk_err err;

	err = gk_cert_from_stored(gk_buf_slice(&s->der), &cert);
	if (err == GK_ERR_NOMEM)
		return err;
	if (err != GK_OK)
		return GK_ERR_VALUE;
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
find_der(const struct gsakmp_judge *j, struct gsakmp_suspect *s, bool *newer)
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

enum gk_err
gsakmp_judge_look(const struct gsakmp_judge *j, struct gsakmp_suspect *s)
{
	bool newer;

	GK_TRY(find_der(j, s, &newer));
	GK_TRY(weigh(j, s));
	if (j->g->cfg.recheck == GSAKMP_RECHECK_REVOCATION &&
	    s->verdict != GSAKMP_REVOKED) {
		s->verdict = GSAKMP_STAYS;
		s->until_now = s->until;
	}
	if (newer && s->verdict == GSAKMP_STAYS)
		s->until_now = s->until;
	gk_buf_free(&s->der);
	gk_buf_free(&s->grants);
	return GK_OK;
}

/* A row that nobody has: whether the store answers at all. */
bool
gsakmp_judge_store_answers(const struct gsakmp_group *g)
{
	static const uint8_t key[4] = { 0xff, 0xff, 0xff, 0xff };
	struct gk_buf row = { 0 };
	enum gk_err err = g->cfg.rows.read(
		g->cfg.rows.ctx, g->cfg.group_id, GSAKMP_TABLE_CERT,
		(struct gk_slice){ key, sizeof(key) }, &row);

	gk_buf_free(&row);
	return err == GK_OK || err == GK_ERR_UNEXPECTED;
}

void
gsakmp_suspect_clear(struct gsakmp_suspect *s)
{
	gk_buf_free(&s->peer);
	gk_buf_free(&s->joining);
	gk_buf_free(&s->der);
	gk_buf_free(&s->grants);
}
