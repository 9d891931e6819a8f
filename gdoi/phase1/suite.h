/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_PHASE1_SUITE_H
#define GDOI_PHASE1_SUITE_H

#include "common/crypto/gk_cipher.h"
#include "common/crypto/gk_hash.h"
#include "common/crypto/gk_kex.h"
#include "common/crypto/gk_sign.h"
#include "gdoi/isakmp/proposal.h"

/*
 * DOC: what phase 1 negotiates - RFC 2409 section 4 and appendix A
 *
 * A suite is one Transform.  Values above 6, 3, 5 and 4 of the four registries
 * are IANA's: AES (RFC 3602), SHA-2 (RFC 4868), ECDSA (RFC 4754), the MODP groups
 * of RFC 3526 and the curves of RFC 5903.
 *
 * E(name, value, text, cipher, key bits when fixed)
 */
#define IKE_ENCRYPTION_LIST(E)                                 \
	E(DES_CBC, 1, "DES-CBC", DES_CBC_LEGACY, 64)           \
	E(3DES_CBC, 5, "3DES-CBC", TRIPLE_DES_CBC_LEGACY, 192) \
	E(AES_CBC, 7, "AES-CBC", NONE, 0)

/* H(name, value, text, hash) */
#define IKE_HASH_LIST(H)                 \
	H(MD5, 1, "MD5", MD5_LEGACY)     \
	H(SHA1, 2, "SHA", SHA1_LEGACY)   \
	H(SHA256, 4, "SHA2-256", SHA256) \
	H(SHA384, 5, "SHA2-384", SHA384) \
	H(SHA512, 6, "SHA2-512", SHA512)

/* A(name, value, text, signature scheme, digest tied to it) */
#define IKE_AUTH_LIST(A)                                             \
	A(PSK, 1, "pre-shared key", NONE, NONE)                      \
	A(RSA, 3, "RSA signatures", RSA_PKCS1, NONE)                 \
	A(ECDSA_256, 9, "ECDSA-256 signatures", ECDSA_P256, SHA256)  \
	A(ECDSA_384, 10, "ECDSA-384 signatures", ECDSA_P384, SHA384) \
	A(ECDSA_521, 11, "ECDSA-521 signatures", ECDSA_P521, SHA512)

/* G(name, value, text, group) */
#define IKE_GROUP_LIST(G)                            \
	G(MODP768, 1, "MODP-768", MODP768_LEGACY)    \
	G(MODP1024, 2, "MODP-1024", MODP1024_LEGACY) \
	G(MODP1536, 5, "MODP-1536", MODP1536_LEGACY) \
	G(MODP2048, 14, "MODP-2048", MODP2048)       \
	G(MODP3072, 15, "MODP-3072", MODP3072)       \
	G(MODP4096, 16, "MODP-4096", MODP4096)       \
	G(MODP6144, 17, "MODP-6144", MODP6144)       \
	G(MODP8192, 18, "MODP-8192", MODP8192)       \
	G(ECP256, 19, "ECP-256", P256)               \
	G(ECP384, 20, "ECP-384", P384)               \
	G(ECP521, 21, "ECP-521", P521)

#define E(name, value, text, cipher, bits) IKE_ENCRYPTION_##name = (value),
enum ike_encryption { IKE_ENCRYPTION_LIST(E) };
#undef E
#define H(name, value, text, hash) IKE_HASH_##name = (value),
enum ike_hash { IKE_HASH_LIST(H) };
#undef H
#define A(name, value, text, scheme, hash) IKE_AUTH_##name = (value),
enum ike_auth { IKE_AUTH_LIST(A) };
#undef A
#define G(name, value, text, group) IKE_GROUP_##name = (value),
enum ike_group { IKE_GROUP_LIST(G) };
#undef G

struct ike_suite {
	uint16_t encryption; /* IKE_ENCRYPTION_* */
	uint16_t key_bits;   /* Key Length; 0 where the cipher has one length */
	uint16_t hash;       /* IKE_HASH_* */
	uint16_t auth;       /* IKE_AUTH_* */
	uint16_t group;      /* IKE_GROUP_* */
	uint32_t life_s;     /* 0: not said */
	uint32_t life_kb;    /* 0: not said */
};

/* What the code points mean to common/crypto; _NONE for what is not known. */
enum gk_cipher ike_suite_cipher(const struct ike_suite *suite);
enum gk_hash ike_suite_hash(const struct ike_suite *suite);
enum gk_kex ike_suite_group(const struct ike_suite *suite);
/* ike_suite_signature - scheme GK_SIG_NONE for a pre-shared key; the digest is
 * the one that is tied to the curve, or NONE. */
struct gk_sig_alg ike_suite_signature(const struct ike_suite *suite);
/* ike_suite_is_legacy - DES, 3DES, MD5, or a group below 2048 bits. */
bool ike_suite_is_legacy(const struct ike_suite *suite);

/**
 * ike_suite_read - what a Transform offers.
 * @aes_default: AES without a Key Length means 128 bits; one peer sends it so
 *
 * Attributes of unknown classes or values make the offer one that nobody can
 * take, and so does a Key Length that does not belong there.
 *
 * Return: GK_OK; an error with *@why filled in.
 */
GK_MUST_CHECK enum gk_err ike_suite_read(
	const struct isakmp_transform *transform, bool aes_default,
	struct ike_suite *suite, struct isakmp_reject *why);
/* ike_suite_encode - the SA Attributes of a Transform. */
void ike_suite_encode(struct gk_wr *wr, const struct ike_suite *suite);
/* ike_suite_matches - may @offer be taken where @want is configured?  Equal but
 * for the lifetimes, which either side may end early. */
bool ike_suite_matches(const struct ike_suite *offer,
                       const struct ike_suite *want);

#endif /* GDOI_PHASE1_SUITE_H */
