/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gdoi/isakmp/chain.h"
#include "gdoi/isakmp/delete.h"
#include "gdoi/isakmp/header.h"
#include "gdoi/isakmp/notification.h"
#include "gdoi/isakmp/proposal.h"
#include "gdoi/message/push_ack.h"
#include "gdoi/payload/group_id.h"
#include "gdoi/payload/kd.h"
#include "gdoi/payload/sa.h"
#include "gdoi/phase1/suite.h"

/*
 * One fuzz target per decoder, all from this file: FUZZ_ONE names the decoder
 * (see Makefile.inc).  The first octet of an input chooses the dialect.  What
 * decodes is encoded; that decodes, too, and encodes to itself.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define ONE(name)                                  \
	static enum gk_err __attribute__((unused)) \
	one_##name(struct gk_rd *rd, struct gk_wr *wr)
#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)

static struct gdoi_dialect dialect;
static bool flag; /* PULL or PUSH, update or download */
static struct isakmp_reject why;

/* A refusal says why. */
static enum gk_err
judged(enum gk_err err)
{
	if (err != GK_OK && (why.req == NULL || why.field == NULL))
		abort();
	return err;
}

ONE(isakmp)
{
	static struct isakmp_chain chain;
	struct isakmp_header h;

	GK_TRY(isakmp_header_decode(rd, &h));
	(void)judged(isakmp_header_check(&h, h.length, &why));
	isakmp_header_encode(wr, &h);
	GK_TRY(judged(isakmp_chain_read(rd, h.next_payload, &chain, &why)));
	for (size_t i = 0; i < chain.n; i++)
		gk_wr_bytes(wr, chain.item[i].generic.all);
	return GK_OK;
}

ONE(proposal)
{
	static struct isakmp_proposal sa;
	struct ike_suite suite;
	enum gk_err err;

	err = isakmp_proposal_read(rd, &sa, &why);
	for (uint8_t i = 0; err == GK_OK && i < sa.n_transforms; i++)
		(void)judged(
			ike_suite_read(&sa.transform[i], flag, &suite, &why));
	if (err == GK_OK)
		isakmp_proposal_encode(wr, &sa);
	return judged(err);
}

ONE(notification)
{
	struct isakmp_notification n;

	GK_TRY(isakmp_notification_decode(rd, &n));
	isakmp_notification_encode(wr, &n);
	return GK_OK;
}

ONE(delete)
{
	struct isakmp_delete d;

	GK_TRY(isakmp_delete_decode(rd, &d));
	for (uint16_t i = 0; i < d.count && d.spi_size != 0; i++)
		if (isakmp_delete_spi(&d, i).ptr + d.spi_size > rd->end)
			abort();
	isakmp_delete_encode(wr, &d);
	return GK_OK;
}

ONE(group_id)
{
	struct isakmp_identification id;
	struct gdoi_group_id group;

	GK_TRY(isakmp_identification_decode(rd, &id));
	GK_TRY(judged(gdoi_group_id_read(&id, &dialect, &group, &why)));
	gdoi_group_id_encode(wr, &dialect, &group);
	return GK_OK;
}

ONE(sa)
{
	static struct gdoi_sa sa;

	GK_TRY(judged(gdoi_sa_read(rd, &dialect, flag, &sa, &why)));
	gdoi_sa_encode(wr, &dialect, &sa);
	return GK_OK;
}

ONE(gap)
{
	struct gdoi_gap gap;

	GK_TRY(judged(gdoi_gap_read(rd, &gap, &why)));
	gdoi_gap_encode(wr, &gap);
	return GK_OK;
}

ONE(kd)
{
	static struct gdoi_lkh_array array;
	static struct gdoi_kd kd;
	struct gk_rd inner;

	GK_TRY(judged(gdoi_kd_read(rd, &dialect, flag, &kd, &why)));
	for (uint16_t i = 0; i < kd.n_updates; i++) {
		gk_rd_init(&inner, kd.update[i].ptr, kd.update[i].len);
		(void)judged(gdoi_lkh_read(&inner, true, &array, &why));
	}
	gdoi_kd_encode(wr, &dialect, &kd);
	return GK_OK;
}

ONE(lkh)
{
	static struct gdoi_lkh_array array;

	GK_TRY(judged(gdoi_lkh_read(rd, flag, &array, &why)));
	gdoi_lkh_encode(wr, flag, &array);
	return GK_OK;
}

ONE(push_ack)
{
	static const uint8_t ack_key[GK_HASH_MAX] = { 1 };
	struct gk_slice dgram = { rd->pos, gk_rd_left(rd) };
	struct gdoi_push_ack ack;
	struct gk_buf out;

	GK_TRY(judged(gdoi_push_ack_read(dgram, &ack, &why)));
	GK_TRY(gdoi_push_ack_build(&dialect, GDOI_ACK_KEK_SHA256, ack_key, &ack,
	                           &out));
	if (gdoi_push_ack_check(&dialect, GDOI_ACK_KEK_SHA256, ack_key, &ack,
	                        &why) == GK_OK &&
	    ack.hash.len != 32)
		abort();
	gk_wr_bytes(wr, gk_buf_slice(&out));
	gk_buf_free(&out);
	return GK_OK;
}

static enum gk_err
once(const uint8_t *in, size_t len, uint8_t *out, size_t cap, size_t *n)
{
	struct gk_rd rd;
	struct gk_wr wr;
	enum gk_err err;

	why = (struct isakmp_reject){ 0 };
	gk_rd_init(&rd, in, len);
	gk_wr_init(&wr, out, cap);
	err = PASTE(one_, FUZZ_ONE)(&rd, &wr);
	if (err == GK_OK && gk_wr_done(&wr) != GK_OK)
		abort();
	*n = wr.len;
	return err;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t cap = 2 * len + 1024, n, again;
	uint8_t *first, *second;

	if (len == 0)
		return 0;
	dialect = (struct gdoi_dialect){ 0 };
	if ((data[0] & 1) != 0 &&
	    gdoi_dialect_preset(&dialect, "gdoid") != GK_OK)
		abort();
	if ((data[0] & 4) != 0)
		dialect.id_prot_octet = GDOI_ID_PROT_OCTET_TEXT;
	flag = (data[0] & 2) != 0;
	first = malloc(cap);
	second = malloc(cap);
	if (first == NULL || second == NULL)
		abort();
	if (once(data + 1, len - 1, first, cap, &n) == GK_OK) {
		if (once(first, n, second, cap, &again) != GK_OK ||
		    n != again || (n != 0 && memcmp(first, second, n) != 0))
			abort();
	}
	free(first);
	free(second);
	return 0;
}
