/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_ISAKMP_CHAIN_H
#define GDOI_ISAKMP_CHAIN_H

#include "gdoi/isakmp/generic.h"

/*
 * DOC: the payloads of a message - RFC 2408 section 3
 *
 * A chain is walked once, from the Next Payload of the header to the payload
 * that says none follows.  The list only splits it up; the bodies are decoded
 * by whoever expects them.
 */
#define ISAKMP_CHAIN_MAX 64 /* payloads of one message */

struct isakmp_chain_item {
	uint8_t type; /* ISAKMP_PAYLOAD_* */
	struct isakmp_generic generic;
};

struct isakmp_chain {
	size_t n;
	size_t end; /* octets from the start of the message to the end of the
	               last payload */
	struct isakmp_chain_item item[ISAKMP_CHAIN_MAX]; /* @n are written */
};

/**
 * isakmp_chain_read - split up what follows the header.
 * @first: Next Payload of the header
 *
 * Stops behind the last payload; what is left in @rd is padding if the message
 * was encrypted, and for the caller to judge.
 *
 * Return: GK_OK; an error with *@why filled in.
 */
GK_MUST_CHECK enum gk_err isakmp_chain_read(struct gk_rd *rd, uint8_t first,
                                            struct isakmp_chain *chain,
                                            struct isakmp_reject *why);

/* isakmp_chain_find - the first payload of @type; NULL when there is none. */
const struct isakmp_chain_item *isakmp_chain_find(
	const struct isakmp_chain *chain, uint8_t type);
/* isakmp_chain_body - a reader over the body of @item, whose offsets count from
 * the start of @message. */
struct gk_rd isakmp_chain_body(struct gk_slice message,
                               const struct isakmp_chain_item *item);

#endif /* GDOI_ISAKMP_CHAIN_H */
