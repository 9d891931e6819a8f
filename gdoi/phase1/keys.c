/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/phase1/keys.h"

#include <string.h>

#include "common/base/gk_check.h"

static struct gk_slice
own(const struct ike_keys *keys, const uint8_t *octets)
{
	return (struct gk_slice){ octets, gk_hash_size(keys->prf) };
}

static enum gk_err
skeyid(const struct ike_key_input *in, struct ike_keys *keys)
{
	const struct gk_slice nonces[] = { in->nonce_i, in->nonce_r };
	struct gk_buf joined = { 0 };
	enum gk_err err;

	if (in->suite->auth == IKE_AUTH_PSK)
		return gk_hmac(keys->prf, in->psk, nonces, 2, keys->skeyid);
	err = gk_buf_copy(&joined, in->nonce_i);
	if (err == GK_OK)
		err = gk_buf_append(&joined, in->nonce_r);
	if (err == GK_OK)
		err = gk_hmac(keys->prf, gk_buf_slice(&joined), &in->secret, 1,
		              keys->skeyid);
	gk_buf_free(&joined);
	return err;
}

/* One of _d, _a and _e: each takes in the one before. */
static enum gk_err
next(const struct ike_key_input *in, const struct ike_keys *keys,
     struct gk_slice before, uint8_t number, uint8_t out[GK_HASH_MAX])
{
	const struct gk_slice parts[] = {
		before,
		in->secret,
		{ in->cookie_i, ISAKMP_COOKIE_LEN },
		{ in->cookie_r, ISAKMP_COOKIE_LEN },
		{ &number, 1 },
	};

	return gk_hmac(keys->prf, own(keys, keys->skeyid), parts,
	               GK_COUNT(parts), out);
}

/*
 * Appendix A, without the parity bits: keys that DES must not be given.  Two of
 * the weak ones are printed there with E0 and 1F where the cipher has F1 and 0E;
 * both forms are here.
 */
static bool
des_weak(const uint8_t *key)
{
	static const uint8_t weak[18][2][2] = {
		{ { 0x01, 0x01 }, { 0x01, 0x01 } },
		{ { 0x1f, 0x1f }, { 0x0e, 0x0e } },
		{ { 0xe0, 0xe0 }, { 0xf1, 0xf1 } },
		{ { 0xfe, 0xfe }, { 0xfe, 0xfe } },
		{ { 0x1f, 0x1f }, { 0xe0, 0xe0 } },
		{ { 0xe0, 0xe0 }, { 0x1f, 0x1f } },
		{ { 0x01, 0xfe }, { 0x01, 0xfe } },
		{ { 0x1f, 0xe0 }, { 0x0e, 0xf1 } },
		{ { 0x01, 0xe0 }, { 0x01, 0xf1 } },
		{ { 0x1f, 0xfe }, { 0x0e, 0xfe } },
		{ { 0x01, 0x1f }, { 0x01, 0x0e } },
		{ { 0xe0, 0xfe }, { 0xf1, 0xfe } },
		{ { 0xfe, 0x01 }, { 0xfe, 0x01 } },
		{ { 0xe0, 0x1f }, { 0xf1, 0x0e } },
		{ { 0xe0, 0x01 }, { 0xf1, 0x01 } },
		{ { 0xfe, 0x1f }, { 0xfe, 0x0e } },
		{ { 0x1f, 0x01 }, { 0x0e, 0x01 } },
		{ { 0xfe, 0xe0 }, { 0xfe, 0xf1 } },
	};

	for (size_t i = 0; i < GK_COUNT(weak); i++) {
		uint8_t differ = 0;

		for (size_t n = 0; n < 8; n++)
			differ |= (key[n] ^ weak[i][n / 4][n % 2]) & 0xfe;
		if (differ == 0)
			return true;
	}
	return false;
}

/* RFC2409-A-01, B-11 */
enum gk_err
ike_keys_des(const uint8_t *skeyid_e, size_t len, uint8_t key[8])
{
	for (size_t at = 0; at + 8 <= len; at += 8) {
		if (des_weak(skeyid_e + at) && GK_CHECKED("RFC2409-A-01"))
			continue;
		memcpy(key, skeyid_e + at, 8);
		return GK_OK;
	}
	return GK_ERR_CRYPTO;
}

/* Appendix B: Ka = K1 | K2 | ..., when SKEYID_e is too short for the cipher. */
static enum gk_err
cipher_key(struct ike_keys *keys)
{
	size_t want = gk_cipher_key_len(keys->cipher);
	size_t size = gk_hash_size(keys->prf), have = 0;
	uint8_t k[GK_HASH_MAX] = { 0 };
	struct gk_slice last = { k, 1 }; /* a single octet of zero */
	enum gk_err err = GK_OK;

	if (keys->cipher == GK_CIPHER_DES_CBC_LEGACY)
		return ike_keys_des(keys->skeyid_e, size, keys->key);
	if (size >= want) {
		memcpy(keys->key, keys->skeyid_e, want);
		return GK_OK;
	}
	while (have < want && err == GK_OK) {
		size_t n = want - have < size ? want - have : size;

		err = gk_hmac(keys->prf, own(keys, keys->skeyid_e), &last, 1,
		              k);
		if (err == GK_OK)
			memcpy(keys->key + have, k, n);
		have += n;
		last = (struct gk_slice){ k, size };
	}
	gk_wipe(k, sizeof(k));
	return err;
}

enum gk_err
ike_keys_derive(const struct ike_key_input *in, struct ike_keys *keys)
{
	const struct gk_slice nothing = { 0 };

	*keys = (struct ike_keys){ .prf = ike_suite_hash(in->suite),
		                   .cipher = ike_suite_cipher(in->suite) };
	if (keys->prf == GK_HASH_NONE || keys->cipher == GK_CIPHER_NONE)
		return GK_ERR_VALUE;
	GK_TRY(skeyid(in, keys));
	GK_TRY(next(in, keys, nothing, 0, keys->skeyid_d));
	GK_TRY(next(in, keys, own(keys, keys->skeyid_d), 1, keys->skeyid_a));
	GK_TRY(next(in, keys, own(keys, keys->skeyid_a), 2, keys->skeyid_e));
	return cipher_key(keys);
}

static enum gk_err
iv_from(const struct ike_keys *keys, const struct gk_slice parts[2],
        uint8_t iv[GK_CIPHER_BLOCK_MAX])
{
	uint8_t digest[GK_HASH_MAX];

	GK_TRY(gk_hash(keys->prf, parts, 2, digest));
	memcpy(iv, digest, gk_cipher_iv_len(keys->cipher));
	return GK_OK;
}

enum gk_err
ike_keys_iv(const struct ike_keys *keys, struct gk_slice g_xi,
            struct gk_slice g_xr, uint8_t iv[GK_CIPHER_BLOCK_MAX])
{
	return iv_from(keys, (const struct gk_slice[]){ g_xi, g_xr }, iv);
}

enum gk_err
ike_keys_phase2_iv(const struct ike_keys *keys,
                   const uint8_t last[GK_CIPHER_BLOCK_MAX], uint32_t message_id,
                   uint8_t iv[GK_CIPHER_BLOCK_MAX])
{
	uint8_t id[4];
	struct gk_wr wr;

	gk_wr_init(&wr, id, sizeof(id));
	gk_wr_u32(&wr, message_id);
	return iv_from(keys,
	               (const struct gk_slice[]){
			       { last, gk_cipher_iv_len(keys->cipher) },
			       { id, sizeof(id) } },
	               iv);
}

enum gk_err
ike_keys_hash(const struct ike_keys *keys, enum gk_hash hash,
              const struct ike_key_input *in, bool initiator,
              struct gk_slice sa_i, struct gk_slice id,
              uint8_t out[GK_HASH_MAX])
{
	const struct gk_slice cky_i = { in->cookie_i, ISAKMP_COOKIE_LEN };
	const struct gk_slice cky_r = { in->cookie_r, ISAKMP_COOKIE_LEN };
	const struct gk_slice parts[] = {
		initiator ? in->g_xi : in->g_xr,
		initiator ? in->g_xr : in->g_xi,
		initiator ? cky_i : cky_r,
		initiator ? cky_r : cky_i,
		sa_i,
		id,
	};

	return gk_hmac(hash, own(keys, keys->skeyid), parts, GK_COUNT(parts),
	               out);
}
