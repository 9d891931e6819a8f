/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/message/hash.h"

#include "common/base/gk_check.h"

enum gk_err
gdoi_hash(const struct gdoi_hash_input *in, uint8_t out[GK_HASH_MAX])
{
	uint8_t id[4];
	struct gk_slice parts[] = {
		{ id, sizeof(id) }, in->ni_b, in->nr_b, in->rest
	};
	struct gk_wr wr;

	gk_wr_init(&wr, id, sizeof(id));
	gk_wr_u32(&wr, in->message_id);
	return gk_hmac(in->prf, in->skeyid_a, parts, GK_COUNT(parts), out);
}

enum gk_err
gdoi_hash_check(struct gdoi_hash_input *in, struct gk_slice clear,
                const struct isakmp_chain *chain, const char *req,
                struct isakmp_reject *why)
{
	const struct isakmp_chain_item *first = &chain->item[0];
	uint8_t want[GK_HASH_MAX];
	size_t size = gk_hash_size(in->prf), end;
	bool equal;

	if (chain->n == 0 || first->type != ISAKMP_PAYLOAD_HASH)
		return isakmp_refuse(why, GK_ERR_UNEXPECTED,
		                     ISAKMP_NOTIFY_INVALID_HASH_INFORMATION,
		                     req, "HASH", 0);
	if (first->generic.body.len != size)
		return isakmp_refuse(why, GK_ERR_VALUE,
		                     ISAKMP_NOTIFY_INVALID_HASH_INFORMATION,
		                     req, "HASH", first->generic.at);
	end = first->generic.at + first->generic.length;
	in->rest = (struct gk_slice){ clear.ptr + end, chain->end - end };
	GK_TRY(gdoi_hash(in, want));
	equal = gk_equal_secret(want, first->generic.body.ptr, size);
	gk_wipe(want, sizeof(want));
	if (!equal && GK_CHECKED(req))
		return isakmp_refuse(why, GK_ERR_AUTH,
		                     ISAKMP_NOTIFY_INVALID_HASH_INFORMATION,
		                     req, "HASH", first->generic.at);
	return GK_OK;
}
