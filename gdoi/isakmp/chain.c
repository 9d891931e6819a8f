/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/isakmp/chain.h"

#include "common/base/gk_check.h"

enum gk_err
isakmp_chain_read(struct gk_rd *rd, uint8_t first, struct isakmp_chain *chain,
                  struct isakmp_reject *why)
{
	uint8_t type = first;
	struct gk_rd body;

	chain->n = 0;
	while (type != ISAKMP_PAYLOAD_NONE) {
		struct isakmp_chain_item *item = &chain->item[chain->n];

		if (chain->n == ISAKMP_CHAIN_MAX)
			return isakmp_refuse(why, GK_ERR_SPACE,
			                     ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
			                     "RFC2408-5.3-02", "Next Payload",
			                     gk_rd_offset(rd));
		/* RFC2408-3.4-01: they are parts of an SA. */
		if ((type == ISAKMP_PAYLOAD_PROPOSAL ||
		     type == ISAKMP_PAYLOAD_TRANSFORM) &&
		    GK_CHECKED("RFC2408-3.4-01"))
			return isakmp_refuse(why, GK_ERR_UNEXPECTED,
			                     ISAKMP_NOTIFY_INVALID_PAYLOAD_TYPE,
			                     "RFC2408-3.4-01", "Next Payload",
			                     gk_rd_offset(rd));
		item->type = type;
		if (isakmp_generic_decode(rd, &item->generic, &body) != GK_OK)
			return isakmp_refuse_fault(
				why, &rd->fault,
				ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
				"RFC2408-3.2-01");
		GK_TRY(isakmp_generic_check(&item->generic, why));
		type = item->generic.next_payload;
		chain->n++;
	}
	chain->end = gk_rd_offset(rd);
	return GK_OK;
}

const struct isakmp_chain_item *
isakmp_chain_find(const struct isakmp_chain *chain, uint8_t type)
{
	for (size_t i = 0; i < chain->n; i++)
		if (chain->item[i].type == type)
			return &chain->item[i];
	return NULL;
}

struct gk_rd
isakmp_chain_body(struct gk_slice message, const struct isakmp_chain_item *item)
{
	struct gk_rd rd;

	gk_rd_init(&rd, message.ptr, message.len);
	(void)gk_rd_bytes(&rd, item->generic.at + ISAKMP_GENERIC_LEN,
	                  "payloads before");
	return gk_rd_sub(&rd, item->generic.body.len, "Payload Length");
}
