/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_KEX_H
#define GK_KEX_H

#include "common/base/gk_base.h"
#include "common/base/gk_env.h"

/*
 * DOC: Diffie-Hellman, over the integers and over curves
 *
 * Groups: the MODP groups of RFC 2409 (768, 1024) and RFC 3526 (1536 to 8192),
 * generator 2; the NIST curves in the form of RFC 5903 (public value x|y, shared
 * secret x); X25519 of RFC 7748.
 *
 * The private value is drawn from env->random and from nowhere else, so equal
 * randomness gives equal octets on the wire.  Private values and shared secrets
 * are wiped when they are freed.
 */
#define GK_KEX_LIST(X)                            \
	X(MODP768_LEGACY, "MODP-768", 96, 96)     \
	X(MODP1024_LEGACY, "MODP-1024", 128, 128) \
	X(MODP1536_LEGACY, "MODP-1536", 192, 192) \
	X(MODP2048, "MODP-2048", 256, 256)        \
	X(MODP3072, "MODP-3072", 384, 384)        \
	X(MODP4096, "MODP-4096", 512, 512)        \
	X(MODP6144, "MODP-6144", 768, 768)        \
	X(MODP8192, "MODP-8192", 1024, 1024)      \
	X(P256, "ECDH P-256", 64, 32)             \
	X(P384, "ECDH P-384", 96, 48)             \
	X(P521, "ECDH P-521", 132, 66)            \
	X(X25519, "X25519", 32, 32)

enum gk_kex {
	GK_KEX_NONE,
#define X(name, text, public_len, secret_len) GK_KEX_##name,
	GK_KEX_LIST(X)
#undef X
};

#define GK_KEX_PUBLIC_MAX 1024
#define GK_KEX_SECRET_MAX 1024

const char *gk_kex_name(enum gk_kex group);
size_t gk_kex_public_len(enum gk_kex group); /* octets on the wire; 0: none */
size_t gk_kex_secret_len(enum gk_kex group); /* octets of the shared secret */
bool gk_kex_is_legacy(enum gk_kex group);
bool gk_kex_is_modp(enum gk_kex group);

struct gk_kex_key; /* one ephemeral private value and its public value */

/**
 * gk_kex_generate - make an ephemeral key.
 * @env: its random() is asked for the private value
 * @key: new key, for gk_kex_free()
 *
 * Return: GK_OK; what env->random returned; GK_ERR_VALUE for an unknown group.
 */
GK_MUST_CHECK enum gk_err gk_kex_generate(const struct gk_env *env,
                                          enum gk_kex group,
                                          struct gk_kex_key **key);

/* gk_kex_from_private - the same from a private value that is given: big-endian
 * octets for MODP and curves, the 32 octets of RFC 7748 for X25519.  For known
 * answers and key logs.  GK_ERR_VALUE when it is zero or too large. */
GK_MUST_CHECK enum gk_err gk_kex_from_private(enum gk_kex group,
                                              struct gk_slice priv,
                                              struct gk_kex_key **key);

/* gk_kex_ref - one more holder, who calls gk_kex_free(); NULL is allowed. */
struct gk_kex_key *gk_kex_ref(struct gk_kex_key *key);
/* gk_kex_free - wipes with the last holder; NULL is allowed. */
void gk_kex_free(struct gk_kex_key *key);

enum gk_kex gk_kex_group(const struct gk_kex_key *key);
/* gk_kex_public - exactly gk_kex_public_len() octets; lives as long as @key. */
struct gk_slice gk_kex_public(const struct gk_kex_key *key);

/*
 * Static keys in files: PKCS #8 and SubjectPublicKeyInfo, PEM.  A private file
 * is not encrypted here; whoever writes it minds its mode.  A group is known by
 * its curve or its prime, so what else has the form of a key is refused:
 * GK_ERR_VALUE.
 */
GK_MUST_CHECK enum gk_err gk_kex_to_pem(const struct gk_kex_key *key,
                                        struct gk_buf *pem);
GK_MUST_CHECK enum gk_err gk_kex_from_pem(struct gk_slice pem,
                                          struct gk_kex_key **key);
GK_MUST_CHECK enum gk_err gk_kex_public_to_pem(const struct gk_kex_key *key,
                                               struct gk_buf *pem);
GK_MUST_CHECK enum gk_err gk_kex_public_from_pem(struct gk_slice pem,
                                                 enum gk_kex *group,
                                                 struct gk_buf *value);

#define GK_KEX_SHORT_PEER 0x01u /* a MODP peer may have dropped leading zeros */

/**
 * gk_kex_peer_check - is this a public value that may be used at all?
 *
 * Refused: wrong length; 0, 1, p-1 and anything from p up; a point that is not
 * on the curve.  Whether an X25519 value is degenerate shows at gk_kex_derive().
 *
 * Return: GK_OK or GK_ERR_VALUE.
 */
GK_MUST_CHECK enum gk_err gk_kex_peer_check(enum gk_kex group,
                                            struct gk_slice peer,
                                            unsigned flags);

/**
 * gk_kex_derive - the shared secret.
 * @secret: new buffer of exactly gk_kex_secret_len() octets: g^xy padded on the
 *          left, or the x coordinate, or the 32 octets of X25519
 *
 * Return: GK_OK; GK_ERR_VALUE as gk_kex_peer_check(), and for an X25519 result
 * of all zero octets.
 */
GK_MUST_CHECK enum gk_err gk_kex_derive(const struct gk_kex_key *key,
                                        struct gk_slice peer, unsigned flags,
                                        struct gk_buf *secret);

#endif /* GK_KEX_H */
