/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_MESSAGE_HASH_H
#define GDOI_MESSAGE_HASH_H

#include "common/crypto/gk_hash.h"
#include "gdoi/isakmp/chain.h"

/*
 * DOC: HASH payloads - RFC 6407 section 3.2, RFC 2409 section 5.7
 *
 *     HASH(1) = prf(SKEYID_a, M-ID | Ni | ID)
 *     HASH(2) = prf(SKEYID_a, M-ID | Ni_b | Nr | SA)
 *     HASH(3) = prf(SKEYID_a, M-ID | Ni_b | Nr_b [ | GAP ])
 *     HASH(4) = prf(SKEYID_a, M-ID | Ni_b | Nr_b [ | SEQ ] | KD)
 *     HASH(1) = prf(SKEYID_a, M-ID | N/D)               Informational
 *
 * In all of them what follows the nonces is everything behind the HASH payload,
 * generic headers included, padding excluded.  So one function serves.
 */
struct gdoi_hash_input {
	enum gk_hash prf;
	struct gk_slice skeyid_a;
	uint32_t message_id;
	struct gk_slice ni_b; /* from HASH(2) on; else empty */
	struct gk_slice nr_b; /* from HASH(3) on; else empty */
	struct gk_slice rest; /* the payloads behind HASH */
};

GK_MUST_CHECK enum gk_err gdoi_hash(const struct gdoi_hash_input *in,
                                    uint8_t out[GK_HASH_MAX]);

/**
 * gdoi_hash_check - is the HASH payload, the first of @chain, right?
 * @clear: the message, decrypted
 *
 * Fills in @in->rest.
 *
 * Return: GK_OK; GK_ERR_AUTH, GK_ERR_VALUE or GK_ERR_UNEXPECTED with *@why
 * filled in.
 */
GK_MUST_CHECK enum gk_err gdoi_hash_check(struct gdoi_hash_input *in,
                                          struct gk_slice clear,
                                          const struct isakmp_chain *chain,
                                          const char *req,
                                          struct isakmp_reject *why);

#endif /* GDOI_MESSAGE_HASH_H */
