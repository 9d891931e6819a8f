/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_ALGORITHM_H
#define GSAKMP_ALGORITHM_H

#include "common/crypto/gk_cipher.h"
#include "common/crypto/gk_kex.h"
#include "common/crypto/gk_sign.h"
#include "gsakmp/gsakmp_registry.h"
#include "gsakmp/message/dialect.h"

/*
 * DOC: from code points to algorithms
 *
 * The tables of RFC 4535 on one side, common/crypto on the other.  Whether a
 * group may use an algorithm is policy; whether a code point may be used in a
 * message is gsakmp_code_known().
 */

/* What a Cryptographic Key Type (Table 16) stands for. */
struct gsakmp_cipher {
	enum gk_cipher alg;
	size_t key;   /* octets of the key proper */
	size_t nonce; /* AES_CTR: octets behind the key (RFC 3686 5.1) */
	size_t iv;    /* octets of an IV that is sent: CTR 8, GCM 12 */
	size_t block; /* octets of a CBC block; 1 for CTR and GCM */
	size_t tag;   /* octets of the GCM tag */
};

/* gsakmp_cipher - false for a Key Type that is not known at all. */
bool gsakmp_cipher(const struct gsakmp_dialect *dialect, uint16_t key_type,
                   struct gsakmp_cipher *out);

/* gsakmp_key_length - octets of Key Data; 0 for an unknown Key Type. */
size_t gsakmp_key_length(const struct gsakmp_dialect *dialect,
                         uint16_t key_type);

/* gsakmp_kex - the group of a Key Creation Type (Table 26), or GK_KEX_NONE. */
enum gk_kex gsakmp_kex(uint16_t key_creation_type);
/* gsakmp_kex_hkdf - is its KEK derived with HKDF rather than truncated? */
bool gsakmp_kex_hkdf(uint16_t key_creation_type);

/* gsakmp_nonce_hash - the digest of a Nonce Hash Type (Table 25). */
enum gk_hash gsakmp_nonce_hash(uint16_t nonce_hash_type);

/* gsakmp_signature_alg - a Signature Type (Table 21); scheme GK_SIG_NONE when
 * it is not known. */
struct gk_sig_alg gsakmp_signature_alg(const struct gsakmp_dialect *dialect,
                                       uint16_t signature_type);

/* gsakmp_signature_for - the Signature Type to use with a key of this kind:
 * Table 21's own where there is one for it (DSA), this project's otherwise.
 * False when there is none. */
bool gsakmp_signature_for(enum gk_key_kind kind, uint16_t *signature_type);

/* gsakmp_is_legacy - is what the code point stands for only kept because the
 * RFC names it?  For the tables KEY, KEY_CREATION, NONCE_HASH and SIGNATURE. */
bool gsakmp_is_legacy(enum gsakmp_table table,
                      const struct gsakmp_dialect *dialect, uint16_t value);

#endif /* GSAKMP_ALGORITHM_H */
