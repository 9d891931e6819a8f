/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_HASH_H
#define GK_HASH_H

#include "common/base/gk_base.h"

/*
 * DOC: digests, HMAC (RFC 2104) and HKDF (RFC 5869)
 *
 * Input is an array of slices, hashed as if they were joined; that is all the
 * incremental hashing a protocol message needs.
 */
#define GK_HASH_LIST(X)             \
	X(MD5_LEGACY, "MD5", 16)    \
	X(SHA1_LEGACY, "SHA-1", 20) \
	X(SHA256, "SHA-256", 32)    \
	X(SHA384, "SHA-384", 48)    \
	X(SHA512, "SHA-512", 64)    \
	X(SHA3_256, "SHA3-256", 32) \
	X(SHA3_384, "SHA3-384", 48) \
	X(SHA3_512, "SHA3-512", 64)

enum gk_hash {
	GK_HASH_NONE, /* no digest at all; see gk_sign.h */
#define X(name, text, size) GK_HASH_##name,
	GK_HASH_LIST(X)
#undef X
};

#define GK_HASH_MAX 64 /* octets of the longest digest */

const char *gk_hash_name(enum gk_hash alg);
/* gk_hash_size - octets of the digest; 0 for GK_HASH_NONE and nonsense. */
size_t gk_hash_size(enum gk_hash alg);
/* gk_hash_block - octets of the compression block (what HMAC pads keys to). */
size_t gk_hash_block(enum gk_hash alg);
bool gk_hash_is_legacy(enum gk_hash alg);

/**
 * gk_hash - digest of @n parts.
 * @out: receives gk_hash_size(@alg) octets
 */
GK_MUST_CHECK enum gk_err gk_hash(enum gk_hash alg,
                                  const struct gk_slice *parts, size_t n,
                                  uint8_t out[GK_HASH_MAX]);

/* gk_hmac - the same with a key of any length, also none. */
GK_MUST_CHECK enum gk_err gk_hmac(enum gk_hash alg, struct gk_slice key,
                                  const struct gk_slice *parts, size_t n,
                                  uint8_t out[GK_HASH_MAX]);

/**
 * gk_hkdf - RFC 5869 extract, then expand.
 * @salt: may be empty, which means a digest's worth of zero octets
 * @info: @n_info parts, joined
 * @len:  octets wanted, at most 255 digests
 * @okm:  new buffer, to be freed by the caller
 *
 * Return: GK_OK; GK_ERR_VALUE when @len is zero or too long.
 */
GK_MUST_CHECK enum gk_err gk_hkdf(enum gk_hash alg, struct gk_slice salt,
                                  struct gk_slice ikm,
                                  const struct gk_slice *info, size_t n_info,
                                  size_t len, struct gk_buf *okm);

#endif /* GK_HASH_H */
