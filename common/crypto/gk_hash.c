/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/crypto/gk_hash.h"

#include <string.h>

#include "common/crypto/gk_ossl.h"

const char *
gk_hash_name(enum gk_hash alg)
{
	switch (alg) {
	case GK_HASH_NONE:
		return "no digest";
#define X(name, text, size)  \
	case GK_HASH_##name: \
		return text;
		GK_HASH_LIST(X)
#undef X
	}
	return "unknown digest";
}

size_t
gk_hash_size(enum gk_hash alg)
{
	switch (alg) {
	case GK_HASH_NONE:
		return 0;
#define X(name, text, size)  \
	case GK_HASH_##name: \
		return size;
		GK_HASH_LIST(X)
#undef X
	}
	return 0;
}

size_t
gk_hash_block(enum gk_hash alg)
{
	const EVP_MD *md = gk_ossl_md(alg);

	return md == NULL ? 0 : (size_t)EVP_MD_get_block_size(md);
}

bool
gk_hash_is_legacy(enum gk_hash alg)
{
	return alg == GK_HASH_MD5_LEGACY || alg == GK_HASH_SHA1_LEGACY;
}

const EVP_MD *
gk_ossl_md(enum gk_hash alg)
{
	switch (alg) {
	case GK_HASH_NONE:
		return NULL;
	case GK_HASH_MD5_LEGACY:
		return gk_ossl_fetch_md(alg, "MD5");
	case GK_HASH_SHA1_LEGACY:
		return gk_ossl_fetch_md(alg, "SHA1");
	case GK_HASH_SHA256:
		return gk_ossl_fetch_md(alg, "SHA2-256");
	case GK_HASH_SHA384:
		return gk_ossl_fetch_md(alg, "SHA2-384");
	case GK_HASH_SHA512:
		return gk_ossl_fetch_md(alg, "SHA2-512");
	case GK_HASH_SHA3_256:
		return gk_ossl_fetch_md(alg, "SHA3-256");
	case GK_HASH_SHA3_384:
		return gk_ossl_fetch_md(alg, "SHA3-384");
	case GK_HASH_SHA3_512:
		return gk_ossl_fetch_md(alg, "SHA3-512");
	}
	return NULL;
}

/* digest_parts - hash @n slices, after an optional first one of their own.  @ctx
 * has never been used, or for @md. */
static enum gk_err
digest_parts(EVP_MD_CTX *ctx, const EVP_MD *md, struct gk_slice first,
             const struct gk_slice *parts, size_t n, uint8_t *out)
{
	bool ok;

	if (ctx == NULL)
		return gk_ossl_fail(GK_ERR_NOMEM);
	ok = EVP_DigestInit_ex(ctx, md, NULL) == 1;
	if (first.len != 0)
		ok = ok && EVP_DigestUpdate(ctx, first.ptr, first.len) == 1;
	for (size_t i = 0; ok && i < n; i++)
		if (parts[i].len != 0)
			ok = EVP_DigestUpdate(ctx, parts[i].ptr,
			                      parts[i].len) == 1;
	ok = ok && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
	return ok ? GK_OK : gk_ossl_fail(GK_ERR_CRYPTO);
}

enum gk_err
gk_hash(enum gk_hash alg, const struct gk_slice *parts, size_t n,
        uint8_t out[GK_HASH_MAX])
{
	const EVP_MD *md = gk_ossl_md(alg);
	EVP_MD_CTX *ctx;
	enum gk_err err;

	if (md == NULL)
		return GK_ERR_VALUE;
	ctx = EVP_MD_CTX_new();
	err = digest_parts(ctx, md, (struct gk_slice){ 0 }, parts, n, out);
	EVP_MD_CTX_free(ctx);
	return err;
}

/*
 * HMAC by its definition (RFC 2104 section 2), because the provider's own call
 * takes one contiguous input and costs a fetch every time.
 */
#define HMAC_BLOCK_MAX 144 /* SHA3-224's rate, the largest there is */

enum gk_err
gk_hmac(enum gk_hash alg, struct gk_slice key, const struct gk_slice *parts,
        size_t n, uint8_t out[GK_HASH_MAX])
{
	const EVP_MD *md = gk_ossl_md(alg);
	uint8_t pad[HMAC_BLOCK_MAX] = { 0 }, inner[GK_HASH_MAX];
	size_t size = gk_hash_size(alg), block = gk_hash_block(alg);
	struct gk_slice inner_part = { inner, size };
	enum gk_err err = GK_OK;
	EVP_MD_CTX *ctx;

	if (md == NULL || block > sizeof(pad))
		return GK_ERR_VALUE;
	if (key.len > block)
		err = gk_hash(alg, &key, 1, pad);
	else if (key.len != 0)
		memcpy(pad, key.ptr, key.len);
	for (size_t i = 0; i < block; i++)
		pad[i] ^= 0x36;
	ctx = EVP_MD_CTX_new();
	if (err == GK_OK)
		err = digest_parts(ctx, md, (struct gk_slice){ pad, block },
		                   parts, n, inner);
	for (size_t i = 0; i < block; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	if (err == GK_OK)
		err = digest_parts(ctx, md, (struct gk_slice){ pad, block },
		                   &inner_part, 1, out);
	EVP_MD_CTX_free(ctx); /* wipes its state */
	gk_wipe(pad, sizeof(pad));
	gk_wipe(inner, sizeof(inner));
	return err;
}

#define HKDF_INFO_MAX 16

/* expand - RFC 5869 section 2.3 into @okm, whose length is what is wanted. */
static enum gk_err
expand(enum gk_hash alg, struct gk_slice prk, const struct gk_slice *info,
       size_t n_info, struct gk_buf *okm)
{
	struct gk_slice part[HKDF_INFO_MAX + 2];
	size_t size = gk_hash_size(alg), done = 0;
	uint8_t t[GK_HASH_MAX], count = 0;
	enum gk_err err = GK_OK;

	part[0] = (struct gk_slice){ t, 0 };
	for (size_t i = 0; i < n_info; i++)
		part[1 + i] = info[i];
	part[1 + n_info] = (struct gk_slice){ &count, 1 };
	while (err == GK_OK && done < okm->len) {
		size_t take = okm->len - done < size ? okm->len - done : size;

		count++;
		err = gk_hmac(alg, prk, part, n_info + 2, t);
		if (err == GK_OK)
			memcpy(okm->ptr + done, t, take);
		done += take;
		part[0].len = size;
	}
	gk_wipe(t, sizeof(t));
	return err;
}

enum gk_err
gk_hkdf(enum gk_hash alg, struct gk_slice salt, struct gk_slice ikm,
        const struct gk_slice *info, size_t n_info, size_t len,
        struct gk_buf *okm)
{
	size_t size = gk_hash_size(alg);
	uint8_t prk[GK_HASH_MAX];
	enum gk_err err;

	*okm = (struct gk_buf){ 0 };
	if (size == 0 || len == 0 || len > 255 * size || n_info > HKDF_INFO_MAX)
		return GK_ERR_VALUE;
	/* An empty salt and one of zero octets are the same HMAC key. */
	GK_TRY(gk_hmac(alg, salt, &ikm, 1, prk));
	err = gk_buf_alloc(okm, len);
	if (err == GK_OK)
		err = expand(alg, (struct gk_slice){ prk, size }, info, n_info,
		             okm);
	gk_wipe(prk, sizeof(prk));
	if (err != GK_OK)
		gk_buf_free(okm);
	return err;
}
