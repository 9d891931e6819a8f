/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/message/lkh_wrap.h"

#include <string.h>

struct halves {
	struct gk_slice iv, key;
};

static struct gk_slice
part(struct gk_slice s, size_t at, size_t len)
{
	return (struct gk_slice){ s.ptr + at, len };
}

static struct halves
split(enum gk_cipher cipher, struct gk_slice plain)
{
	size_t iv = gk_cipher_iv_len(cipher);

	return (struct halves){ part(plain, 0, iv),
		                part(plain, iv, plain.len - iv) };
}

static size_t
whole(enum gk_cipher cipher, size_t len)
{
	size_t block = gk_cipher_block_len(cipher);

	return (len + block - 1) / block * block;
}

size_t
gdoi_lkh_plain_len(enum gk_cipher cipher)
{
	return gk_cipher_iv_len(cipher) + gk_cipher_key_len(cipher);
}

size_t
gdoi_lkh_wrapped_len(const struct gdoi_dialect *dialect, enum gk_cipher cipher)
{
	if (dialect->lkh_wrap == GDOI_LKH_WRAP_IV_KEY)
		return whole(cipher, gdoi_lkh_plain_len(cipher));
	return gk_cipher_iv_len(cipher) +
	       whole(cipher, gk_cipher_key_len(cipher));
}

static const uint8_t zero[GK_CIPHER_BLOCK_MAX];
static const struct gk_slice none;

/* ECB is CBC of one block under an IV of zero. */
static enum gk_err
ecb_wrap(struct gk_sealer *sealer, enum gk_cipher cipher, struct gk_slice key,
         uint8_t *text, size_t len)
{
	size_t block = gk_cipher_block_len(cipher);

	for (size_t at = 0; at < len; at += block)
		GK_TRY(gk_sealer_encrypt(sealer, cipher, key,
		                         (struct gk_slice){ zero, block }, none,
		                         (struct gk_slice){ text + at, block },
		                         text + at));
	return GK_OK;
}

static enum gk_err
ecb_unwrap(enum gk_cipher cipher, struct gk_slice key, struct gk_slice in,
           struct gk_buf *out)
{
	size_t block = gk_cipher_block_len(cipher);
	struct gk_buf one = { 0 };
	enum gk_err err = GK_OK;

	for (size_t at = 0; err == GK_OK && at < in.len; at += block) {
		err = gk_cipher_decrypt(cipher, key,
		                        (struct gk_slice){ zero, block }, none,
		                        part(in, at, block), &one);
		if (err == GK_OK)
			err = gk_buf_append(out, gk_buf_slice(&one));
		gk_buf_free(&one);
	}
	return err;
}

/* The IV of the reading: the wrapping key's, or the one that travels. */
static struct gk_slice
iv_of(const struct gdoi_dialect *dialect, struct gk_slice under,
      struct gk_slice sent)
{
	return dialect->lkh_wrap == GDOI_LKH_WRAP_KEY_OWN_IV ? sent : under;
}

enum gk_err
gdoi_lkh_wrap_into(const struct gdoi_dialect *dialect, struct gk_sealer *sealer,
                   enum gk_cipher cipher, struct gk_slice under,
                   struct gk_slice plain, uint8_t *out)
{
	bool iv_inside = dialect->lkh_wrap == GDOI_LKH_WRAP_IV_KEY;
	struct halves u, p;
	struct gk_slice secret;
	uint8_t *text = out;
	size_t len;

	if (!gk_cipher_is_cbc(cipher) ||
	    under.len != gdoi_lkh_plain_len(cipher) || plain.len != under.len)
		return GK_ERR_VALUE;
	u = split(cipher, under);
	p = split(cipher, plain);
	if (!iv_inside) {
		memcpy(out, p.iv.ptr, p.iv.len);
		text += p.iv.len;
	}
	/* Written where it is encrypted. */
	secret = iv_inside ? plain : p.key;
	len = whole(cipher, secret.len);
	memcpy(text, secret.ptr, secret.len);
	memset(text + secret.len, 0, len - secret.len);
	if (dialect->lkh_wrap == GDOI_LKH_WRAP_ECB_KEY)
		return ecb_wrap(sealer, cipher, u.key, text, len);
	return gk_sealer_encrypt(sealer, cipher, u.key,
	                         iv_of(dialect, u.iv, p.iv), none,
	                         (struct gk_slice){ text, len }, text);
}

enum gk_err
gdoi_lkh_wrap(const struct gdoi_dialect *dialect, enum gk_cipher cipher,
              struct gk_slice under, struct gk_slice plain, struct gk_buf *out)
{
	struct gk_sealer sealer = { 0 };
	enum gk_err err;

	GK_TRY(gk_buf_alloc(out, gdoi_lkh_wrapped_len(dialect, cipher)));
	err = gdoi_lkh_wrap_into(dialect, &sealer, cipher, under, plain,
	                         out->ptr);
	gk_sealer_end(&sealer);
	if (err != GK_OK)
		gk_buf_free(out);
	return err;
}

static bool
is_zero(const uint8_t *p, size_t n)
{
	uint8_t any = 0;

	for (size_t i = 0; i < n; i++)
		any |= p[i];
	return any == 0;
}

enum gk_err
gdoi_lkh_unwrap(const struct gdoi_dialect *dialect, enum gk_cipher cipher,
                struct gk_slice under, struct gk_slice wrapped,
                struct gk_buf *out)
{
	bool iv_inside = dialect->lkh_wrap == GDOI_LKH_WRAP_IV_KEY;
	size_t iv_len = iv_inside ? 0 : gk_cipher_iv_len(cipher), len;
	struct gk_buf opened = { 0 };
	struct halves u;
	enum gk_err err;

	*out = (struct gk_buf){ 0 };
	if (!gk_cipher_is_cbc(cipher) ||
	    under.len != gdoi_lkh_plain_len(cipher) ||
	    wrapped.len != gdoi_lkh_wrapped_len(dialect, cipher))
		return GK_ERR_VALUE;
	u = split(cipher, under);
	if (dialect->lkh_wrap == GDOI_LKH_WRAP_ECB_KEY)
		err = ecb_unwrap(cipher, u.key,
		                 part(wrapped, iv_len, wrapped.len - iv_len),
		                 &opened);
	else
		err = gk_cipher_decrypt(
			cipher, u.key,
			iv_of(dialect, u.iv, part(wrapped, 0, iv_len)), none,
			part(wrapped, iv_len, wrapped.len - iv_len), &opened);
	len = gdoi_lkh_plain_len(cipher) - iv_len;
	if (err == GK_OK && !is_zero(opened.ptr + len, opened.len - len))
		err = GK_ERR_VALUE;
	if (err == GK_OK)
		err = gk_buf_copy(out, part(wrapped, 0, iv_len));
	if (err == GK_OK)
		err = gk_buf_append(out, (struct gk_slice){ opened.ptr, len });
	gk_buf_free(&opened);
	if (err != GK_OK)
		gk_buf_free(out);
	return err;
}
