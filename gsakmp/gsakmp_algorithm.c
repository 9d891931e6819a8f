/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/gsakmp_algorithm.h"

/* Dialect aes_ctr_key, in the order of its readings. */
static const struct {
	enum gk_cipher alg;
	size_t nonce;
} ctr_keys[] = {
	[GSAKMP_AES_CTR_KEY_20] = { GK_CIPHER_AES_CTR_128, 4 },
	[GSAKMP_AES_CTR_KEY_16] = { GK_CIPHER_AES_CTR_128, 0 },
	[GSAKMP_AES_CTR_KEY_28] = { GK_CIPHER_AES_CTR_192, 4 },
	[GSAKMP_AES_CTR_KEY_36] = { GK_CIPHER_AES_CTR_256, 4 },
	[GSAKMP_AES_CTR_KEY_24] = { GK_CIPHER_AES_CTR_192, 0 },
	[GSAKMP_AES_CTR_KEY_32] = { GK_CIPHER_AES_CTR_256, 0 },
};

#define CTR_IV_SENT 8 /* RFC 3686 section 3.1: the IV field of the packet */

static enum gk_cipher
cipher_alg(const struct gsakmp_dialect *dialect, uint16_t key_type)
{
	switch (key_type) {
	case GSAKMP_KEY_3DES_CBC64_192:
		return GK_CIPHER_TRIPLE_DES_CBC_LEGACY;
	case GSAKMP_KEY_AES_CBC_128:
		return GK_CIPHER_AES_CBC_128;
	case GSAKMP_KEY_AES_CTR:
		return ctr_keys[dialect->aes_ctr_key].alg;
	case GSAKMP_KEY_AES_CBC_256:
		return GK_CIPHER_AES_CBC_256;
	case GSAKMP_KEY_AES_GCM_128:
		return GK_CIPHER_AES_GCM_128;
	case GSAKMP_KEY_AES_GCM_256:
		return GK_CIPHER_AES_GCM_256;
	default:
		return GK_CIPHER_NONE;
	}
}

bool
gsakmp_cipher(const struct gsakmp_dialect *dialect, uint16_t key_type,
              struct gsakmp_cipher *out)
{
	enum gk_cipher alg = cipher_alg(dialect, key_type);

	if (alg == GK_CIPHER_NONE)
		return false;
	*out = (struct gsakmp_cipher){
		.alg = alg,
		.key = gk_cipher_key_len(alg),
		.iv = gk_cipher_iv_len(alg),
		.block = gk_cipher_block_len(alg),
		.tag = gk_cipher_tag_len(alg),
	};
	if (key_type == GSAKMP_KEY_AES_CTR) {
		out->nonce = ctr_keys[dialect->aes_ctr_key].nonce;
		out->iv = CTR_IV_SENT;
	}
	return true;
}

size_t
gsakmp_key_length(const struct gsakmp_dialect *dialect, uint16_t key_type)
{
	struct gsakmp_cipher c;

	return gsakmp_cipher(dialect, key_type, &c) ? c.key + c.nonce : 0;
}

enum gk_kex
gsakmp_kex(uint16_t key_creation_type)
{
	switch (key_creation_type) {
	case GSAKMP_KEY_CREATION_MODP1024:
		return GK_KEX_MODP1024_LEGACY;
	case GSAKMP_KEY_CREATION_MODP2048:
	case GSAKMP_KEY_CREATION_MODP2048_HKDF:
		return GK_KEX_MODP2048;
	case GSAKMP_KEY_CREATION_ECDH_P256:
		return GK_KEX_P256;
	case GSAKMP_KEY_CREATION_X25519:
		return GK_KEX_X25519;
	default:
		return GK_KEX_NONE;
	}
}

bool
gsakmp_kex_hkdf(uint16_t key_creation_type)
{
	return gsakmp_code_extra(GSAKMP_TABLE_KEY_CREATION, key_creation_type);
}

enum gk_hash
gsakmp_nonce_hash(uint16_t nonce_hash_type)
{
	switch (nonce_hash_type) {
	case GSAKMP_NONCE_HASH_SHA1:
		return GK_HASH_SHA1_LEGACY;
	case GSAKMP_NONCE_HASH_SHA256:
		return GK_HASH_SHA256;
	case GSAKMP_NONCE_HASH_SHA384:
		return GK_HASH_SHA384;
	default:
		return GK_HASH_NONE;
	}
}

struct gk_sig_alg
gsakmp_signature_alg(const struct gsakmp_dialect *dialect,
                     uint16_t signature_type)
{
	/* Dialect ecdsa_hash, in the order of its readings. */
	static const enum gk_hash ecdsa_hash[] = {
		[GSAKMP_ECDSA_HASH_SHA384] = GK_HASH_SHA384,
		[GSAKMP_ECDSA_HASH_SHA3_384] = GK_HASH_SHA3_384,
		[GSAKMP_ECDSA_HASH_SHA1] = GK_HASH_SHA1_LEGACY,
		[GSAKMP_ECDSA_HASH_SHA3_256] = GK_HASH_SHA3_256,
		[GSAKMP_ECDSA_HASH_SHA3_512] = GK_HASH_SHA3_512,
		[GSAKMP_ECDSA_HASH_SHA256] = GK_HASH_SHA256,
		[GSAKMP_ECDSA_HASH_SHA512] = GK_HASH_SHA512,
	};
	struct gk_sig_alg alg = { GK_SIG_NONE, GK_HASH_NONE, GK_SIG_DER };

	switch (signature_type) {
	case GSAKMP_SIGNATURE_DSS_SHA1:
		alg = GK_SIG_DSA_SHA1_LEGACY;
		if (dialect->dsa_enc == GSAKMP_DSA_ENC_RAW)
			alg.encoding = GK_SIG_RAW;
		break;
	case GSAKMP_SIGNATURE_RSA1024_MD5:
		alg = dialect->rsa_scheme == GSAKMP_RSA_SCHEME_PSS
		              ? GK_SIG_RSA_PSS_MD5_LEGACY
		              : GK_SIG_RSA_MD5_LEGACY;
		break;
	case GSAKMP_SIGNATURE_ECDSA_P384_SHA3:
		alg = GK_SIG_P384_SHA384;
		alg.hash = ecdsa_hash[dialect->ecdsa_hash];
		if (dialect->ecdsa_enc == GSAKMP_ECDSA_ENC_RAW)
			alg.encoding = GK_SIG_RAW;
		break;
	case GSAKMP_SIGNATURE_RSA_SHA256:
		alg = GK_SIG_RSA_SHA256;
		break;
	case GSAKMP_SIGNATURE_ECDSA_P256:
		alg = GK_SIG_P256_SHA256;
		break;
	case GSAKMP_SIGNATURE_ECDSA_P384:
		alg = GK_SIG_P384_SHA384;
		break;
	case GSAKMP_SIGNATURE_ED25519:
		alg = GK_SIG_EDDSA;
		break;
	default:
		break;
	}
	return alg;
}

bool
gsakmp_signature_for(enum gk_key_kind kind, uint16_t *signature_type)
{
	switch (kind) {
	case GK_KEY_DSA_LEGACY:
		*signature_type = GSAKMP_SIGNATURE_DSS_SHA1;
		return true;
	case GK_KEY_RSA:
		*signature_type = GSAKMP_SIGNATURE_RSA_SHA256;
		return true;
	case GK_KEY_P256:
		*signature_type = GSAKMP_SIGNATURE_ECDSA_P256;
		return true;
	case GK_KEY_P384:
		*signature_type = GSAKMP_SIGNATURE_ECDSA_P384;
		return true;
	case GK_KEY_ED25519:
		*signature_type = GSAKMP_SIGNATURE_ED25519;
		return true;
	default:
		return false;
	}
}

bool
gsakmp_is_legacy(enum gsakmp_table table, const struct gsakmp_dialect *dialect,
                 uint16_t value)
{
	switch (table) {
	case GSAKMP_TABLE_KEY:
		return gk_cipher_is_legacy(cipher_alg(dialect, value));
	case GSAKMP_TABLE_KEY_CREATION:
		return gk_kex_is_legacy(gsakmp_kex(value));
	case GSAKMP_TABLE_NONCE_HASH:
		return gk_hash_is_legacy(gsakmp_nonce_hash(value));
	case GSAKMP_TABLE_SIGNATURE:
		return gk_sig_is_legacy(gsakmp_signature_alg(dialect, value));
	default:
		return false;
	}
}
