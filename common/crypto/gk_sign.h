/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_SIGN_H
#define GK_SIGN_H

#include "common/crypto/gk_hash.h"

/*
 * DOC: signatures
 *
 * A signature algorithm is three choices: scheme (which fixes the kind of key),
 * digest, encoding.  Suites name the combinations that their standards allow.
 *
 * RSA PKCS#1 v1.5 and Ed25519 give the same signature for the same octets every
 * time; DSA, ECDSA and PSS draw a nonce from the provider.
 *
 * With GK_HASH_NONE the data is taken as it is: for RSA_PKCS1 it is padded as a
 * block of type 1 without a DigestInfo (RFC 2409 section 5.1), for DSA and ECDSA
 * it is the digest.
 */
#define GK_SIG_SCHEME_LIST(X)             \
	X(DSA_LEGACY, "DSA")              \
	X(RSA_PKCS1, "RSASSA-PKCS1-v1_5") \
	X(RSA_PSS, "RSASSA-PSS")          \
	X(ECDSA_P256, "ECDSA P-256")      \
	X(ECDSA_P384, "ECDSA P-384")      \
	X(ECDSA_P521, "ECDSA P-521")      \
	X(ED25519, "Ed25519")

enum gk_sig_scheme {
	GK_SIG_NONE,
#define X(name, text) GK_SIG_##name,
	GK_SIG_SCHEME_LIST(X)
#undef X
};

/* DSA and ECDSA only: SEQUENCE { r, s }, or r|s, each padded on the left to the
 * octets of the group order.  Ignored by the others, which have one form. */
enum gk_sig_encoding { GK_SIG_DER, GK_SIG_RAW };

struct gk_sig_alg {
	enum gk_sig_scheme scheme;
	enum gk_hash hash; /* ignored for Ed25519 */
	enum gk_sig_encoding encoding;
};

/* The combinations in use, spelled out once. */
#define GK_SIG_ALG(s, h, e) \
	((struct gk_sig_alg){ GK_SIG_##s, GK_HASH_##h, GK_SIG_##e })
#define GK_SIG_DSA_SHA1_LEGACY GK_SIG_ALG(DSA_LEGACY, SHA1_LEGACY, DER)
#define GK_SIG_RSA_MD5_LEGACY GK_SIG_ALG(RSA_PKCS1, MD5_LEGACY, DER)
#define GK_SIG_RSA_PSS_MD5_LEGACY GK_SIG_ALG(RSA_PSS, MD5_LEGACY, DER)
#define GK_SIG_RSA_SHA1_LEGACY GK_SIG_ALG(RSA_PKCS1, SHA1_LEGACY, DER)
#define GK_SIG_RSA_SHA256 GK_SIG_ALG(RSA_PKCS1, SHA256, DER)
#define GK_SIG_RSA_PSS_SHA256 GK_SIG_ALG(RSA_PSS, SHA256, DER)
#define GK_SIG_P256_SHA256 GK_SIG_ALG(ECDSA_P256, SHA256, DER)
#define GK_SIG_P384_SHA384 GK_SIG_ALG(ECDSA_P384, SHA384, DER)
#define GK_SIG_P521_SHA512 GK_SIG_ALG(ECDSA_P521, SHA512, DER)
#define GK_SIG_EDDSA GK_SIG_ALG(ED25519, NONE, DER)

const char *gk_sig_scheme_name(enum gk_sig_scheme scheme);
bool gk_sig_is_legacy(struct gk_sig_alg alg); /* the scheme or the digest is */
/* gk_sig_text - e.g. "ECDSA P-256 with SHA-256"; writes at most @cap octets with
 * the NUL, returns @out. */
char *gk_sig_text(char *out, size_t cap, struct gk_sig_alg alg);

/* Public keys -------------------------------------------------------------- */

enum gk_key_kind {
	GK_KEY_OTHER, /* parsed, but nothing here can use it */
	GK_KEY_RSA,
	GK_KEY_DSA_LEGACY,
	GK_KEY_P256,
	GK_KEY_P384,
	GK_KEY_P521,
	GK_KEY_ED25519,
};

struct gk_pubkey; /* immutable, counted references */

/* gk_pubkey_from_spki - from a DER SubjectPublicKeyInfo, all of @spki.
 * GK_ERR_VALUE when it is none. */
GK_MUST_CHECK enum gk_err gk_pubkey_from_spki(struct gk_slice spki,
                                              struct gk_pubkey **pub);
struct gk_pubkey *gk_pubkey_ref(const struct gk_pubkey *pub);
void gk_pubkey_free(struct gk_pubkey *pub); /* drops one reference */

enum gk_key_kind gk_pubkey_kind(const struct gk_pubkey *pub);
unsigned gk_pubkey_bits(const struct gk_pubkey *pub); /* of modulus or order */
/* gk_pubkey_spki - the DER that it came from; lives as long as @pub. */
struct gk_slice gk_pubkey_spki(const struct gk_pubkey *pub);
/* gk_pubkey_suits - is this the kind of key that @alg is made with? */
bool gk_pubkey_suits(const struct gk_pubkey *pub, struct gk_sig_alg alg);
/* gk_pubkey_default_alg - what one signs with when nothing else is said: the
 * combination listed above for this kind of key (SHA-256 for RSA); scheme
 * GK_SIG_NONE for GK_KEY_OTHER. */
struct gk_sig_alg gk_pubkey_default_alg(const struct gk_pubkey *pub);
/* gk_pubkey_min_bits - is an RSA key at least @rsa bits long, a DSA key at least
 * @dsa?  Others pass; GK_ERR_POLICY if not. */
GK_MUST_CHECK enum gk_err gk_pubkey_min_bits(const struct gk_pubkey *pub,
                                             unsigned rsa, unsigned dsa);

/**
 * gk_verify - does @sig over @data verify under @pub?
 *
 * Return: GK_OK; GK_ERR_VALUE when key and algorithm do not belong together;
 * GK_ERR_AUTH for a signature that does not verify, a misshapen one included.
 */
GK_MUST_CHECK enum gk_err gk_verify(const struct gk_pubkey *pub,
                                    struct gk_sig_alg alg, struct gk_slice data,
                                    struct gk_slice sig);

/*
 * gk_sig_mirror - the other signature that says the same: with ECDSA, if (r, s)
 * verifies, so does (r, order - s).  In DER one of the two is mostly an octet
 * longer; who needs a certain length may choose.  @sig is replaced.
 *
 * Return: GK_OK; GK_ERR_VALUE for schemes and encodings that have no such pair.
 */
GK_MUST_CHECK enum gk_err gk_sig_mirror(const struct gk_pubkey *pub,
                                        struct gk_sig_alg alg,
                                        struct gk_buf *sig);

/* Signers ------------------------------------------------------------------ */

/*
 * A private key is reached through this interface only, so that it may live in
 * this process, in another one, or in a token.  All calls may come from several
 * threads at once.
 */
struct gk_signer_ops {
	enum gk_err (*sign)(void *ctx, struct gk_sig_alg alg,
	                    struct gk_slice data, struct gk_buf *out);
	const struct gk_pubkey *(*pubkey)(void *ctx);
	void (*free)(void *ctx);
};

struct gk_signer {
	const struct gk_signer_ops *ops;
	void *ctx;
};

/**
 * gk_signer_from_pem - a signer in this process.
 * @pem:        PKCS#8 or traditional private key, PEM; or PKCS#8 DER
 * @passphrase: NULL when the key is not encrypted
 * @signer:     new, for gk_signer_free()
 *
 * Return: GK_OK; GK_ERR_VALUE when there is no private key in @pem;
 * GK_ERR_AUTH when it is encrypted and @passphrase is wrong or absent.
 */
GK_MUST_CHECK enum gk_err gk_signer_from_pem(struct gk_slice pem,
                                             const char *passphrase,
                                             struct gk_signer **signer);
void gk_signer_free(struct gk_signer *signer); /* wipes the key */

/* gk_signer_pubkey - the public half; borrowed. */
const struct gk_pubkey *gk_signer_pubkey(const struct gk_signer *signer);

/* gk_sign - @out is a new buffer; GK_ERR_VALUE when the key is not of the kind
 * that @alg needs. */
GK_MUST_CHECK enum gk_err gk_sign(const struct gk_signer *signer,
                                  struct gk_sig_alg alg, struct gk_slice data,
                                  struct gk_buf *out);

/*
 * gk_sig_max_len    - no signature of this key is longer; 0 when key and
 *                     algorithm do not belong together.
 * gk_sig_likely_len - the length that comes out most often (a DER integer has a
 *                     leading zero up to half of the time): the one to reserve when a
 *                     length field under the signature must be written first.
 */
size_t gk_sig_max_len(const struct gk_pubkey *pub, struct gk_sig_alg alg);
size_t gk_sig_likely_len(const struct gk_pubkey *pub, struct gk_sig_alg alg);

#endif /* GK_SIGN_H */
