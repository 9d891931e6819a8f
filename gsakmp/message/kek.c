/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "gsakmp/message/protect.h"

/* The private key creation types: HKDF-SHA-256, see the DOC of protect.h. */
static enum gk_err
derive_hkdf(const struct gsakmp_kek_input *in, size_t len, size_t iv_len,
            struct gk_buf *out)
{
	struct gk_slice info[2] = { gk_slice_str("GSAKMP KEK"),
		                    in->groupid.value };
	struct gk_buf salt;
	enum gk_err err;

	GK_TRY(gk_buf_copy(&salt, in->nonce_i));
	err = gk_buf_append(&salt, in->nonce_r);
	if (err == GK_OK)
		err = gk_hkdf(GK_HASH_SHA256, gk_buf_slice(&salt), in->secret,
		              info, GK_COUNT(info), len + iv_len, out);
	gk_buf_free(&salt);
	return err;
}

/* Table 26: "truncated".  @out is the KEK and, behind it, as many octets of the
 * secret as come next in the direction of dialect kek_bits. */
static enum gk_err
derive_truncated(const struct gsakmp_dialect *dialect, struct gk_slice secret,
                 size_t len, size_t iv_len, struct gk_buf *out)
{
	uint8_t *kek;

	if (dialect->dh_secret_pad == GSAKMP_DH_SECRET_PAD_STRIPPED)
		while (secret.len > 0 && secret.ptr[0] == 0) {
			secret.ptr++;
			secret.len--;
		}
	if (secret.len < len + iv_len)
		return GK_ERR_VALUE;
	GK_TRY(gk_buf_alloc(out, len + iv_len));
	kek = out->ptr;
	switch (dialect->kek_bits) {
	case GSAKMP_KEK_BITS_HIGH_BE:
		memcpy(kek, secret.ptr, len + iv_len);
		break;
	case GSAKMP_KEK_BITS_LOW_LE:
		for (size_t i = 0; i < len + iv_len; i++)
			kek[i] = secret.ptr[secret.len - 1 - i];
		break;
	default: /* low_be */
		memcpy(kek, secret.ptr + secret.len - len, len);
		memcpy(kek + len, secret.ptr + secret.len - len - iv_len,
		       iv_len);
		break;
	}
	return GK_OK;
}

/* First octets of @from, zero-extended. */
static void
take(uint8_t iv[GK_CIPHER_BLOCK_MAX], struct gk_slice from)
{
	size_t n =
		from.len < GK_CIPHER_BLOCK_MAX ? from.len : GK_CIPHER_BLOCK_MAX;

	if (n != 0)
		memcpy(iv, from.ptr, n);
}

/* The IV of the readings of iv_keydl that do not send one. */
static void
derive_iv(const struct gsakmp_dialect *dialect,
          const struct gsakmp_kek_input *in, struct gk_slice next,
          struct gsakmp_kek *kek)
{
	switch (dialect->iv_keydl) {
	case GSAKMP_IV_KEYDL_DH_NEXT:
		take(kek->iv, next);
		break;
	case GSAKMP_IV_KEYDL_NONCE_C:
		take(kek->iv, in->nonce_c);
		break;
	case GSAKMP_IV_KEYDL_NONCE_R:
		take(kek->iv, in->nonce_r);
		break;
	case GSAKMP_IV_KEYDL_NONCE_I:
		take(kek->iv, in->nonce_i);
		break;
	case GSAKMP_IV_KEYDL_KEY:
		take(kek->iv, (struct gk_slice){ kek->key, kek->len });
		break;
	default:
		break;
	}
}

enum gk_err
gsakmp_kek_derive(const struct gsakmp_dialect *dialect,
                  const struct gsakmp_kek_input *in, struct gsakmp_kek *kek)
{
	size_t len = gsakmp_key_length(dialect, in->key_type);
	size_t iv_len = 0;
	struct gk_buf out = { 0 };
	enum gk_err err;

	*kek = (struct gsakmp_kek){ .type = in->key_type, .len = len };
	if (len == 0 || gsakmp_kex(in->key_creation) == GK_KEX_NONE)
		return GK_ERR_VALUE;
	if (dialect->iv_keydl == GSAKMP_IV_KEYDL_DH_NEXT)
		iv_len = GK_CIPHER_BLOCK_MAX;
	err = gsakmp_kex_hkdf(in->key_creation)
	              ? derive_hkdf(in, len, iv_len, &out)
	              : derive_truncated(dialect, in->secret, len, iv_len,
	                                 &out);
	if (err == GK_OK) {
		memcpy(kek->key, out.ptr, len);
		derive_iv(dialect, in,
		          (struct gk_slice){ out.ptr + len, iv_len }, kek);
	}
	gk_buf_free(&out);
	return err;
}

void
gsakmp_kek_wipe(struct gsakmp_kek *kek)
{
	gk_wipe(kek, sizeof(*kek));
}
