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

/* A token is one DER element; everything, if it is none. */
size_t
gsakmp_token_measure(const struct gsakmp_dialect *dialect,
                     struct gk_slice plain)
{
	size_t len, head = 2;

	(void)dialect;
	if (plain.len < head)
		return plain.len;
	len = plain.ptr[1];
	if (len > 0x80 && len <= 0x84) {
		size_t n = len & 0x7f;

		head += n;
		if (plain.len < head)
			return plain.len;
		len = 0;
		for (size_t i = 0; i < n; i++)
			len = len << 8 | plain.ptr[2 + i];
	}
	return len > plain.len - head ? plain.len : head + len;
}

static size_t
items_measure(const struct gsakmp_dialect *dialect, struct gk_slice plain,
              enum gsakmp_keys_place place, long count)
{
	struct gsakmp_keys keys;
	struct gk_rd rd;

	gk_rd_init(&rd, plain.ptr, plain.len);
	if (gsakmp_keys_decode(&rd, dialect, place, count, &keys) != GK_OK)
		return plain.len;
	return gk_rd_offset(&rd);
}

size_t
gsakmp_download_measure(const struct gsakmp_dialect *dialect,
                        struct gk_slice plain)
{
	return items_measure(dialect, plain, GSAKMP_KEYS_DOWNLOAD,
	                     GSAKMP_COUNT_INSIDE);
}

size_t
gsakmp_packages_measure(const struct gsakmp_dialect *dialect,
                        struct gk_slice plain)
{
	return items_measure(dialect, plain, GSAKMP_KEYS_PACKAGES,
	                     GSAKMP_COUNT_INSIDE);
}

/* With the count in clear, items go on until what is left is padding: fewer
 * octets than a block, which is shorter than any item with a key. */
size_t
gsakmp_bare_packages_measure(const struct gsakmp_dialect *dialect,
                             struct gk_slice plain)
{
	size_t at = 0;

	for (;;) {
		struct gk_slice rest = { plain.ptr + at, plain.len - at };
		struct gsakmp_keys keys;
		struct gk_rd rd;

		gk_rd_init(&rd, rest.ptr, rest.len);
		if (rest.len < GK_CIPHER_BLOCK_MAX ||
		    gsakmp_keys_decode(&rd, dialect, GSAKMP_KEYS_PACKAGES, 1,
		                       &keys) != GK_OK)
			return at;
		at += gk_rd_offset(&rd);
	}
}
