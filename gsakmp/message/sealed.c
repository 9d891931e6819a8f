/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/message/sealed.h"

/* What each reading of Packet Length counts. */
static const struct reading {
	bool plain;    /* plaintext rather than ciphertext */
	bool no_iv;    /* the explicit IV is left out */
	bool wrapping; /* the two Wrapping fields are counted */
	size_t self;   /* octets of Packet Length itself, when counted */
} readings[] = {
	[GSAKMP_PKT_LEN_CIPHER] = { false, false, false, 0 },
	[GSAKMP_PKT_LEN_CIPHER_IV] = { false, true, false, 0 },
	[GSAKMP_PKT_LEN_PLAIN] = { true, false, false, 0 },
	[GSAKMP_PKT_LEN_CIPHER_8] = { false, false, true, 0 },
	[GSAKMP_PKT_LEN_CIPHER_10] = { false, false, true, 2 },
	[GSAKMP_PKT_LEN_PLAIN_8] = { true, false, true, 0 },
	[GSAKMP_PKT_LEN_PLAIN_10] = { true, false, true, 2 },
};

enum gk_pad
gsakmp_pad(const struct gsakmp_dialect *dialect)
{
	static const enum gk_pad scheme[] = {
		[GSAKMP_PAD_PKCS7] = GK_PAD_PKCS7,
		[GSAKMP_PAD_ZERO] = GK_PAD_ZERO,
		[GSAKMP_PAD_PKCS7_IFNEEDED] = GK_PAD_PKCS7_IFNEEDED,
		[GSAKMP_PAD_ISO7816] = GK_PAD_ISO7816,
		[GSAKMP_PAD_X923] = GK_PAD_X923,
		[GSAKMP_PAD_IKE] = GK_PAD_IKE,
		[GSAKMP_PAD_ESP] = GK_PAD_ESP,
		[GSAKMP_PAD_NONE] = GK_PAD_NONE,
		[GSAKMP_PAD_CTS3] = GK_PAD_CTS3,
		[GSAKMP_PAD_CTS2] = GK_PAD_CTS2,
		[GSAKMP_PAD_CTS1] = GK_PAD_CTS1,
	};

	return scheme[dialect->pad];
}

bool
gsakmp_rekey_iv_sent(const struct gsakmp_dialect *dialect)
{
	return dialect->iv_rekey == GSAKMP_IV_REKEY_PREFIX ||
	       dialect->iv_rekey == GSAKMP_IV_REKEY_SUFFIX;
}

size_t
gsakmp_sealed_length(const struct gsakmp_dialect *dialect,
                     const struct gsakmp_cipher *cipher, bool iv_sent,
                     size_t plain_len)
{
	size_t len = plain_len + cipher->tag;

	if (gk_cipher_is_cbc(cipher->alg))
		len += gk_pad_len(gsakmp_pad(dialect), cipher->block,
		                  plain_len);
	if (iv_sent || cipher->tag != 0)
		len += cipher->iv;
	return len;
}

/* Octets that a reading counts besides plaintext or ciphertext. */
static size_t
extra(const struct gsakmp_dialect *dialect, const struct reading *r)
{
	size_t n = r->self;

	if (r->wrapping)
		n += dialect->wrap_width == GSAKMP_WRAP_WIDTH_2 ? 6 : 8;
	if (dialect->red_scope == GSAKMP_RED_SCOPE_PACKAGES)
		n += 2; /* # of Key Packages, in clear */
	return n;
}

/* Octets of explicit IV, when a reading leaves them out. */
static bool
iv_left_out(const struct gsakmp_rekey_shape *shape, const struct reading *r,
            size_t *octets)
{
	struct gsakmp_cipher c;

	*octets = 0;
	if (!r->no_iv)
		return true;
	if (!gsakmp_cipher(shape->dialect, shape->key_type, &c))
		return false;
	if (gsakmp_rekey_iv_sent(shape->dialect) || c.tag != 0)
		*octets = c.iv;
	return true;
}

size_t
gsakmp_packet_length(const struct gsakmp_rekey_shape *shape, size_t plain_len,
                     size_t sealed_len)
{
	const struct reading *r = &readings[shape->dialect->pkt_len];
	size_t iv = 0;

	if (r->plain)
		return plain_len + extra(shape->dialect, r);
	if (!iv_left_out(shape, r, &iv) || iv > sealed_len)
		iv = 0;
	return sealed_len - iv + extra(shape->dialect, r);
}

bool
gsakmp_packet_sealed(const struct gsakmp_rekey_shape *shape,
                     uint16_t packet_length, size_t *sealed_len)
{
	const struct gsakmp_dialect *dialect = shape->dialect;
	const struct reading *r = &readings[dialect->pkt_len];
	size_t n = packet_length, iv;
	struct gsakmp_cipher c;

	*sealed_len = 0;
	if (n < extra(dialect, r))
		return false;
	n -= extra(dialect, r);
	if (r->plain) {
		if (!gsakmp_cipher(dialect, shape->key_type, &c))
			return false;
		*sealed_len = gsakmp_sealed_length(
			dialect, &c, gsakmp_rekey_iv_sent(dialect), n);
		return true;
	}
	if (!iv_left_out(shape, r, &iv))
		return false;
	*sealed_len = n + iv;
	return true;
}
