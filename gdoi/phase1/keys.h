/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_PHASE1_KEYS_H
#define GDOI_PHASE1_KEYS_H

#include "gdoi/isakmp/header.h"
#include "gdoi/phase1/suite.h"

/*
 * DOC: the keys of an ISAKMP SA - RFC 2409 section 5 and appendix B
 *
 *     SKEYID   = prf(pre-shared key, Ni_b | Nr_b)       pre-shared keys
 *              = prf(Ni_b | Nr_b, g^xy)                 signatures
 *     SKEYID_d = prf(SKEYID, g^xy | CKY-I | CKY-R | 0)
 *     SKEYID_a = prf(SKEYID, SKEYID_d | g^xy | CKY-I | CKY-R | 1)
 *     SKEYID_e = prf(SKEYID, SKEYID_a | g^xy | CKY-I | CKY-R | 2)
 *
 * prf is HMAC of the negotiated hash; nothing negotiates another.
 */
struct ike_keys {
	enum gk_hash prf;
	enum gk_cipher cipher;
	uint8_t skeyid[GK_HASH_MAX];
	uint8_t skeyid_d[GK_HASH_MAX];
	uint8_t skeyid_a[GK_HASH_MAX];
	uint8_t skeyid_e[GK_HASH_MAX];
	uint8_t key[32]; /* of the cipher */
};

/* What both sides know after messages 3 and 4. */
struct ike_key_input {
	const struct ike_suite *suite;
	struct gk_slice psk; /* pre-shared key; not looked at for signatures */
	struct gk_slice secret; /* g^xy */
	struct gk_slice g_xi, g_xr;
	struct gk_slice nonce_i, nonce_r; /* bodies */
	const uint8_t *cookie_i, *cookie_r;
};

/* ike_keys_derive - GK_ERR_VALUE for a suite that is not known.  The caller
 * wipes @keys. */
GK_MUST_CHECK enum gk_err ike_keys_derive(const struct ike_key_input *in,
                                          struct ike_keys *keys);

/**
 * ike_keys_des - a key of DES out of SKEYID_e: the first eight octets that are
 * none of the weak and semi-weak keys of appendix A.
 * @len: octets of @skeyid_e
 *
 * Return: GK_OK; GK_ERR_CRYPTO: all of them are.
 */
GK_MUST_CHECK enum gk_err ike_keys_des(const uint8_t *skeyid_e, size_t len,
                                       uint8_t key[8]);

/* ike_keys_iv - the first IV of phase 1: from g^xi | g^xr. */
GK_MUST_CHECK enum gk_err ike_keys_iv(const struct ike_keys *keys,
                                      struct gk_slice g_xi,
                                      struct gk_slice g_xr,
                                      uint8_t iv[GK_CIPHER_BLOCK_MAX]);
/* ike_keys_phase2_iv - the first IV of an exchange under the SA: from the last
 * cipher block of phase 1 and the Message ID. */
GK_MUST_CHECK enum gk_err ike_keys_phase2_iv(
	const struct ike_keys *keys, const uint8_t last[GK_CIPHER_BLOCK_MAX],
	uint32_t message_id, uint8_t iv[GK_CIPHER_BLOCK_MAX]);

/**
 * ike_keys_hash - HASH_I or HASH_R.
 * @hash:      the prf's, or the one that is tied to the signature scheme
 * @initiator: HASH_I
 * @sa_i:      body of the initiator's SA payload
 * @id:        body of the ID payload of the side that is authenticated
 * @out:       gk_hash_size(@hash) octets
 */
GK_MUST_CHECK enum gk_err ike_keys_hash(const struct ike_keys *keys,
                                        enum gk_hash hash,
                                        const struct ike_key_input *in,
                                        bool initiator, struct gk_slice sa_i,
                                        struct gk_slice id,
                                        uint8_t out[GK_HASH_MAX]);

#endif /* GDOI_PHASE1_KEYS_H */
