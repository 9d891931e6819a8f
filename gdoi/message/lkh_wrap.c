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

/* ECB is CBC of one block under an IV of zero. */
static enum gk_err
ecb(enum gk_cipher cipher, struct gk_slice key, bool encrypt,
    struct gk_slice in, struct gk_buf *out)
{
	static const uint8_t zero[GK_CIPHER_BLOCK_MAX];
	size_t block = gk_cipher_block_len(cipher);
	struct gk_buf one = { 0 };
	enum gk_err err = GK_OK;

	for (size_t at = 0; err == GK_OK && at < in.len; at += block) {
		err = (encrypt ? gk_cipher_encrypt : gk_cipher_decrypt)(
			cipher, key, (struct gk_slice){ zero, block },
			(struct gk_slice){ 0 }, part(in, at, block), &one);
		if (err == GK_OK)
			err = gk_buf_append(out, gk_buf_slice(&one));
		gk_buf_free(&one);
	}
	return err;
}

/* The octets that one of the readings encrypts, or has encrypted. */
static enum gk_err
crypt(const struct gdoi_dialect *dialect, enum gk_cipher cipher,
      struct gk_slice under, bool encrypt, struct gk_slice iv,
      struct gk_slice in, struct gk_buf *out)
{
	struct halves u = split(cipher, under);

	switch (dialect->lkh_wrap) {
	case GDOI_LKH_WRAP_ECB_KEY:
		return ecb(cipher, u.key, encrypt, in, out);
	case GDOI_LKH_WRAP_KEY_OWN_IV:
		break;
	default:
		iv = u.iv;
		break;
	}
	return (encrypt ? gk_cipher_encrypt : gk_cipher_decrypt)(
		cipher, u.key, iv, (struct gk_slice){ 0 }, in, out);
}

enum gk_err
gdoi_lkh_wrap(const struct gdoi_dialect *dialect, enum gk_cipher cipher,
              struct gk_slice under, struct gk_slice plain, struct gk_buf *out)
{
	bool iv_inside = dialect->lkh_wrap == GDOI_LKH_WRAP_IV_KEY;
	uint8_t padded[GDOI_LKH_PLAIN_MAX + GK_CIPHER_BLOCK_MAX] = { 0 };
	struct gk_buf sealed = { 0 };
	struct gk_slice secret;
	enum gk_err err;

	*out = (struct gk_buf){ 0 };
	if (!gk_cipher_is_cbc(cipher) ||
	    under.len != gdoi_lkh_plain_len(cipher) || plain.len != under.len)
		return GK_ERR_VALUE;
	secret = iv_inside ? plain : split(cipher, plain).key;
	memcpy(padded, secret.ptr, secret.len);
	err = crypt(dialect, cipher, under, true, split(cipher, plain).iv,
	            (struct gk_slice){ padded, whole(cipher, secret.len) },
	            &sealed);
	if (err == GK_OK && !iv_inside)
		err = gk_buf_copy(out, split(cipher, plain).iv);
	if (err == GK_OK)
		err = gk_buf_append(out, gk_buf_slice(&sealed));
	gk_buf_free(&sealed);
	gk_wipe(padded, sizeof(padded));
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
	enum gk_err err;

	*out = (struct gk_buf){ 0 };
	if (!gk_cipher_is_cbc(cipher) ||
	    under.len != gdoi_lkh_plain_len(cipher) ||
	    wrapped.len != gdoi_lkh_wrapped_len(dialect, cipher))
		return GK_ERR_VALUE;
	err = crypt(dialect, cipher, under, false, part(wrapped, 0, iv_len),
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
