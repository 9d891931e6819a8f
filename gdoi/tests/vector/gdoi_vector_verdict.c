/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gdoi/isakmp/chain.h"
#include "gdoi/isakmp/header.h"
#include "gdoi/isakmp/proposal.h"
#include "gdoi/payload/group_id.h"
#include "gdoi/payload/kd.h"
#include "gdoi/payload/lkh.h"
#include "gdoi/payload/sa.h"
#include "gdoi/tests/vector/gdoi_vector.h"

/* Each judges a body, or a whole message, and says why not. */
typedef enum gk_err judge_fn(struct vec *v, struct gk_rd *rd, size_t len,
                             struct isakmp_reject *why);

static enum gk_err
header(struct vec *v, struct gk_rd *rd, size_t len, struct isakmp_reject *why)
{
	struct isakmp_header h;
	struct isakmp_chain chain;
	enum gk_err err = isakmp_header_decode(rd, &h);

	(void)v;
	if (err != GK_OK)
		return isakmp_refuse_fault(why, &rd->fault,
		                           ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                           "RFC2408-5.1-01");
	GK_TRY(isakmp_header_check(&h, len, why));
	GK_TRY(isakmp_chain_read(rd, h.next_payload, &chain, why));
	if (gk_rd_left(rd) != 0)
		return isakmp_refuse(why, GK_ERR_TRAILING,
		                     ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                     "RFC2408-5.1-02", "Length", 24);
	return GK_OK;
}

static enum gk_err
id(struct vec *v, struct gk_rd *rd, size_t len, struct isakmp_reject *why)
{
	struct isakmp_identification id;
	struct gdoi_group_id group;

	(void)len;
	if (isakmp_identification_decode(rd, &id) != GK_OK)
		return isakmp_refuse_fault(why, &rd->fault,
		                           ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                           "RFC2408-3.2-01");
	return gdoi_group_id_read(&id, &readings(v)->dialect, &group, why);
}

static enum gk_err
sa(struct vec *v, struct gk_rd *rd, bool pull, struct isakmp_reject *why)
{
	struct gdoi_sa *read = vec_keep(v, calloc(1, sizeof(*read)));

	return gdoi_sa_read(rd, &readings(v)->dialect, pull, read, why);
}

static enum gk_err
sa_pull(struct vec *v, struct gk_rd *rd, size_t len, struct isakmp_reject *why)
{
	(void)len;
	return sa(v, rd, true, why);
}

static enum gk_err
sa_push(struct vec *v, struct gk_rd *rd, size_t len, struct isakmp_reject *why)
{
	(void)len;
	return sa(v, rd, false, why);
}

/* The arrays of an LKH packet are values of attributes, read by themselves. */
static enum gk_err
kd(struct vec *v, struct gk_rd *rd, bool push, struct isakmp_reject *why)
{
	struct gdoi_kd *read = vec_keep(v, calloc(1, sizeof(*read)));
	struct gdoi_lkh_array *array = vec_keep(v, calloc(1, sizeof(*array)));
	struct gk_rd value;

	GK_TRY(gdoi_kd_read(rd, &readings(v)->dialect, push, read, why));
	if (read->download.len != 0) {
		gk_rd_init(&value, read->download.ptr, read->download.len);
		GK_TRY(gdoi_lkh_read(&value, false, array, why));
	}
	for (uint16_t i = 0; i < read->n_updates; i++) {
		gk_rd_init(&value, read->update[i].ptr, read->update[i].len);
		GK_TRY(gdoi_lkh_read(&value, true, array, why));
	}
	return GK_OK;
}

static enum gk_err
kd_pull(struct vec *v, struct gk_rd *rd, size_t len, struct isakmp_reject *why)
{
	(void)len;
	return kd(v, rd, false, why);
}

static enum gk_err
kd_push(struct vec *v, struct gk_rd *rd, size_t len, struct isakmp_reject *why)
{
	(void)len;
	return kd(v, rd, true, why);
}

static enum gk_err
gap(struct vec *v, struct gk_rd *rd, size_t len, struct isakmp_reject *why)
{
	struct gdoi_gap gap;

	(void)v;
	(void)len;
	return gdoi_gap_read(rd, &gap, why);
}

static enum gk_err
phase1_sa(struct vec *v, struct gk_rd *rd, size_t len,
          struct isakmp_reject *why)
{
	struct isakmp_proposal *sa = vec_keep(v, calloc(1, sizeof(*sa)));

	(void)len;
	return isakmp_proposal_read(rd, sa, why);
}

static const struct {
	const char *what;
	judge_fn *judge;
} judges[] = {
	{ "header", header },   { "id", id },
	{ "sa-pull", sa_pull }, { "sa-push", sa_push },
	{ "kd-pull", kd_pull }, { "kd-push", kd_push },
	{ "gap", gap },         { "phase1-sa", phase1_sa },
};

static judge_fn *
judge_of(const char *what)
{
	for (size_t i = 0; i < GK_COUNT(judges); i++)
		if (strcmp(judges[i].what, what) == 0)
			return judges[i].judge;
	return NULL;
}

static void
verdict(struct vec *v)
{
	const char *what = vec_text(v, v->in, "what");
	judge_fn *judge = judge_of(what);
	struct gk_slice octets = vec_octets(v, v->in, "octets");
	struct isakmp_reject why = { 0 };
	struct gk_rd rd;
	enum gk_err err;

	if (judge == NULL)
		vec_fail(v, "nobody judges '%s'", what);
	gk_rd_init(&rd, octets.ptr, octets.len);
	err = judge(v, &rd, octets.len, &why);
	if ((err == GK_OK) != vec_flag(v, v->out, "accepted"))
		vec_fail(v, "%s: %s (%s)", gk_strerror(err),
		         why.field ? why.field : "no field",
		         why.req ? why.req : "no rule");
	if (err == GK_OK)
		return;
	if (why.req == NULL || why.field == NULL)
		vec_fail(v, "refused without a reason");
	if (vec_has(v->out, "req") &&
	    strcmp(why.req, vec_text(v, v->out, "req")) != 0)
		vec_fail(v, "%s, the vector has %s", why.req,
		         vec_text(v, v->out, "req"));
}

const struct vec_kind vec_verdict_kinds[] = {
	{ "verdict", verdict },
	{ NULL, NULL },
};
