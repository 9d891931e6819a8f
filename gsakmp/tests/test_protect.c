/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <stdlib.h>
#include <string.h>

#include "common/crypto/gk_pad.h"
#include "gsakmp/message/sealed.h"
#include "gsakmp/tests/sample.h"

static const struct gsakmp_dialect defaults;
static const struct gsakmp_vocabulary suite = { .suite = true };
static struct gsakmp_reject why;

/* g^xy: 128 octets 00 00 02 03 ... 7f; the first two are zero. */
static uint8_t secret_octets[128];

static int
secret_fill(void **state)
{
	(void)state;
	for (size_t i = 2; i < sizeof(secret_octets); i++)
		secret_octets[i] = (uint8_t)i;
	return 0;
}

static struct gsakmp_kek_input
input(uint16_t key_type)
{
	return (struct gsakmp_kek_input){
		.key_creation = GSAKMP_KEY_CREATION_MODP1024,
		.key_type = key_type,
		.secret = { secret_octets, sizeof(secret_octets) },
		.nonce_i = gk_slice_str("initiator nonce!"),
		.nonce_r = gk_slice_str("responder"),
		.nonce_c = gk_slice_str("combined nonce data!"),
		.groupid = sample_groupid(),
	};
}

static void
assert_octets(const char *hex, const uint8_t *seen, size_t n)
{
	struct gk_buf want;

	gk_assert_ok(gk_unhex(&want, hex));
	assert_int_equal(want.len, n);
	assert_memory_equal(want.ptr, seen, n);
	gk_buf_free(&want);
}

/* KEK ---------------------------------------------------------------------- */

GK_TEST(rfc4535_7_11_1_04, kek_is_taken_from_the_end_the_dialect_says)
{
	static const struct {
		uint8_t bits, pad;
		const char *kek, *next;
	} row[] = {
		{ GSAKMP_KEK_BITS_LOW_BE, GSAKMP_DH_SECRET_PAD_FIXED,
		  "707172737475767778797a7b7c7d7e7f",
		  "606162636465666768696a6b6c6d6e6f" },
		{ GSAKMP_KEK_BITS_LOW_BE, GSAKMP_DH_SECRET_PAD_STRIPPED,
		  "707172737475767778797a7b7c7d7e7f",
		  "606162636465666768696a6b6c6d6e6f" },
		{ GSAKMP_KEK_BITS_HIGH_BE, GSAKMP_DH_SECRET_PAD_FIXED,
		  "000002030405060708090a0b0c0d0e0f",
		  "101112131415161718191a1b1c1d1e1f" },
		{ GSAKMP_KEK_BITS_HIGH_BE, GSAKMP_DH_SECRET_PAD_STRIPPED,
		  "02030405060708090a0b0c0d0e0f1011",
		  "12131415161718191a1b1c1d1e1f2021" },
		{ GSAKMP_KEK_BITS_LOW_LE, GSAKMP_DH_SECRET_PAD_FIXED,
		  "7f7e7d7c7b7a79787776757473727170",
		  "6f6e6d6c6b6a69686766656463626160" },
	};

	for (size_t i = 0; i < GK_COUNT(row); i++) {
		const struct gsakmp_dialect d = {
			.kek_bits = row[i].bits,
			.dh_secret_pad = row[i].pad,
			.iv_keydl = GSAKMP_IV_KEYDL_DH_NEXT,
		};
		struct gsakmp_kek_input in = input(GSAKMP_KEY_AES_CBC_128);
		struct gsakmp_kek kek;

		gk_assert_ok(gsakmp_kek_derive(&d, &in, &kek));
		assert_octets(row[i].kek, kek.key, kek.len);
		assert_octets(row[i].next, kek.iv, 16);
	}
}

GK_TEST(rfc4535_7_11_1_04, kek_has_as_many_octets_as_the_key_type)
{
	static const struct {
		uint16_t type;
		size_t len;
	} row[] = {
		{ GSAKMP_KEY_3DES_CBC64_192, 24 },
		{ GSAKMP_KEY_AES_CBC_128, 16 },
		{ GSAKMP_KEY_AES_CTR, 20 },
		{ GSAKMP_KEY_AES_CBC_256, 32 },
		{ GSAKMP_KEY_AES_GCM_128, 16 },
		{ GSAKMP_KEY_AES_GCM_256, 32 },
	};

	for (size_t i = 0; i < GK_COUNT(row); i++) {
		struct gsakmp_kek_input in = input(row[i].type);
		struct gsakmp_kek kek;

		gk_assert_ok(gsakmp_kek_derive(&defaults, &in, &kek));
		assert_int_equal(kek.len, row[i].len);
		assert_int_equal(kek.key[kek.len - 1], 0x7f);
	}
}

GK_TEST(rfc4535_7_11_2_03, unknown_types_and_short_secrets_make_no_kek)
{
	struct gsakmp_kek_input in = input(4);
	struct gsakmp_kek kek;

	gk_assert_err(GK_ERR_VALUE, gsakmp_kek_derive(&defaults, &in, &kek));
	in = input(GSAKMP_KEY_AES_CBC_128);
	in.key_creation = 3;
	gk_assert_err(GK_ERR_VALUE, gsakmp_kek_derive(&defaults, &in, &kek));
	in = input(GSAKMP_KEY_AES_CBC_128);
	in.secret.len = 15;
	gk_assert_err(GK_ERR_VALUE, gsakmp_kek_derive(&defaults, &in, &kek));
}

/* Computed with another program: HKDF-SHA-256 of 32 octets 02 .. 21, salt
 * "initiator nonce!responder", info "GSAKMP KEK00112233445566ffweather". */
#define HKDF_32 \
	"c1089d88d5541ee0e7165d3306d2806b79313e0df554e286650e06eb918df326"

GK_TEST(private_key_creation, kek_is_hkdf_of_secret_nonces_and_groupid)
{
	struct gsakmp_kek_input in = input(GSAKMP_KEY_AES_GCM_256);
	struct gsakmp_kek kek;

	in.key_creation = GSAKMP_KEY_CREATION_X25519;
	in.secret = (struct gk_slice){ secret_octets + 2, 32 };
	gk_assert_ok(gsakmp_kek_derive(&defaults, &in, &kek));
	assert_octets(HKDF_32, kek.key, kek.len);
	/* A shorter key is the beginning of the same output. */
	in.key_type = GSAKMP_KEY_AES_GCM_128;
	gk_assert_ok(gsakmp_kek_derive(&defaults, &in, &kek));
	assert_int_equal(kek.len, 16);
	/* Another nonce, another KEK. */
	in.nonce_r = gk_slice_str("respondes");
	struct gsakmp_kek other;
	gk_assert_ok(gsakmp_kek_derive(&defaults, &in, &other));
	assert_memory_not_equal(kek.key, other.key, 16);
}

/* Registration ------------------------------------------------------------- */

static const uint16_t key_types[] = {
	GSAKMP_KEY_3DES_CBC64_192, GSAKMP_KEY_AES_CBC_128,
	GSAKMP_KEY_AES_CTR,        GSAKMP_KEY_AES_CBC_256,
	GSAKMP_KEY_AES_GCM_128,    GSAKMP_KEY_AES_GCM_256,
};

static size_t
readings(const char *name)
{
	size_t n;
	const struct gk_switch *s = gsakmp_dialect_switches(&n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(s[i].name, name) == 0)
			return s[i].n_values;
	fail();
	return 0;
}

/* A DER SEQUENCE of this many octets in all, at least 2. */
static struct gk_slice
token(uint8_t *buf, size_t len)
{
	memset(buf, 0x5a, len);
	buf[0] = 0x30;
	if (len < 130) {
		buf[1] = (uint8_t)(len - 2);
	} else {
		buf[1] = 0x82;
		buf[2] = (uint8_t)((len - 4) >> 8);
		buf[3] = (uint8_t)(len - 4);
	}
	return (struct gk_slice){ buf, len };
}

static bool
only_aligned(const struct gsakmp_dialect *d, uint16_t key_type, size_t len)
{
	struct gsakmp_cipher c;

	assert_true(gsakmp_cipher(d, key_type, &c));
	return d->pad == GSAKMP_PAD_NONE && len % c.block != 0;
}

static void
token_round_trip(const struct gsakmp_dialect *d, uint16_t key_type, size_t len)
{
	struct gsakmp_kek_input in = input(key_type);
	struct gk_buf sealed, plain;
	struct gsakmp_kek out, back;
	struct gk_slice want;
	uint8_t buf[300];

	want = token(buf, len);
	gk_assert_ok(gsakmp_kek_derive(d, &in, &out));
	gk_assert_ok(gsakmp_kek_derive(d, &in, &back));
	if (only_aligned(d, key_type, len)) {
		gk_assert_err(GK_ERR_VALUE,
		              gsakmp_token_seal(&sample_env, d, &out, 1, want,
		                                &sealed));
		return;
	}
	gk_assert_ok(gsakmp_token_seal(&sample_env, d, &out, 1, want, &sealed));
	gk_assert_ok(gsakmp_token_open(d, &back, 1, gk_buf_slice(&sealed),
	                               &plain, &why));
	assert_int_equal(plain.len, want.len);
	assert_memory_equal(plain.ptr, want.ptr, want.len);
	assert_memory_equal(out.chain, back.chain, sizeof(out.chain));
	gk_buf_free(&plain);
	gk_buf_free(&sealed);
}

static void
keys_round_trip(const struct gsakmp_dialect *d, uint16_t key_type)
{
	static struct gsakmp_keys keys, decoded;
	struct gsakmp_kek_input in = input(key_type);
	struct gk_buf sealed, plain, token_sealed;
	struct gsakmp_kek out, back;
	uint8_t buf[32];
	enum gk_err err;

	sample_key_download(&keys, GSAKMP_KEY_AES_CBC_128);
	gk_assert_ok(gsakmp_kek_derive(d, &in, &out));
	gk_assert_ok(gsakmp_kek_derive(d, &in, &back));
	gk_assert_ok(gsakmp_token_seal(&sample_env, d, &out, 1, token(buf, 32),
	                               &token_sealed));
	gk_assert_ok(gsakmp_token_open(d, &back, 1, gk_buf_slice(&token_sealed),
	                               &plain, &why));
	gk_buf_free(&plain);
	gk_buf_free(&token_sealed);
	err = gsakmp_key_download_seal(&sample_env, d, &out, &keys, &sealed);
	if (only_aligned(d, key_type, gsakmp_keys_size(&keys, true))) {
		gk_assert_err(GK_ERR_VALUE, err);
		return;
	}
	gk_assert_ok(err);
	gk_assert_ok(gsakmp_key_download_open(d, &back, gk_buf_slice(&sealed),
	                                      &plain, &why));
	gk_assert_ok(gsakmp_key_download_read(gk_buf_slice(&plain), d, &suite,
	                                      SAMPLE_UTC, &decoded, &why));
	assert_int_equal(decoded.n_datums, 4);
	gk_buf_free(&plain);
	gk_buf_free(&sealed);
}

/* Every reading of iv_keydl, every padding, every key type, every remainder. */
GK_TEST(rfc4535_7_3_1_03, token_comes_back_in_every_dialect)
{
	for (uint8_t iv = 0; iv < readings("iv_keydl"); iv++)
		for (uint8_t pad = 0; pad < readings("pad"); pad++) {
			const struct gsakmp_dialect d = { .iv_keydl = iv,
				                          .pad = pad };

			for (size_t t = 0; t < GK_COUNT(key_types); t++)
				for (size_t len = 30; len < 50; len++)
					token_round_trip(&d, key_types[t], len);
		}
}

GK_TEST(rfc4535_7_4_1_08, key_download_comes_back_in_every_dialect)
{
	for (uint8_t iv = 0; iv < readings("iv_keydl"); iv++)
		for (uint8_t pad = 0; pad < readings("pad"); pad++) {
			const struct gsakmp_dialect d = { .iv_keydl = iv,
				                          .pad = pad };

			for (size_t t = 0; t < GK_COUNT(key_types); t++)
				keys_round_trip(&d, key_types[t]);
		}
}

GK_TEST(rfc4535_7_3_1_03, token_long_enough_for_long_lengths_comes_back)
{
	const struct gsakmp_dialect zero = { .pad = GSAKMP_PAD_ZERO };

	token_round_trip(&zero, GSAKMP_KEY_AES_CBC_128, 133);
	token_round_trip(&zero, GSAKMP_KEY_AES_CBC_128, 299);
}

/* Decision iv_keydl, default: IV of octets 0 .. 15 in front, then AES-128-CBC
 * of token and PKCS#7 padding.  Ciphertext computed with another program. */
GK_TEST(rfc4535_6_2_03, suite_1_ciphertext_is_exact)
{
	struct gsakmp_kek_input in = input(GSAKMP_KEY_AES_CBC_128);
	struct gsakmp_kek kek;
	struct gk_buf sealed;
	uint8_t buf[20];

	gk_assert_ok(gsakmp_kek_derive(&defaults, &in, &kek));
	gk_assert_ok(gsakmp_token_seal(&sample_env, &defaults, &kek, 1,
	                               token(buf, 20), &sealed));
	assert_octets(
		"000102030405060708090a0b0c0d0e0f"
		"0cb08e8466aa6f0da5a4bff85d2a52f989ed98141766ce43e86a33a25296dd2c",
		sealed.ptr, sealed.len);
	gk_buf_free(&sealed);
}

GK_TEST(private_encryption, gcm_ciphertext_is_exact)
{
	struct gsakmp_kek_input in = input(GSAKMP_KEY_AES_GCM_128);
	struct gsakmp_kek kek;
	struct gk_buf sealed;
	uint8_t buf[20];

	gk_assert_ok(gsakmp_kek_derive(&defaults, &in, &kek));
	gk_assert_ok(gsakmp_token_seal(&sample_env, &defaults, &kek, 1,
	                               token(buf, 20), &sealed));
	assert_octets(
		"000102030405060708090a0b"
		"2c5258d59a97fb12e2d784527565e95f810160a6a487bfe4a23301ba3c005476e4289b01",
		sealed.ptr, sealed.len);
	gk_buf_free(&sealed);
}

/* Whatever is wrong, the refusal looks the same. */
GK_TEST(rfc4535_7_3_2_03, what_does_not_decrypt_is_refused_alike)
{
	static const uint8_t junk[64] = { 1, 2, 3 };

	for (size_t t = 0; t < GK_COUNT(key_types); t++) {
		struct gsakmp_kek_input in = input(key_types[t]);
		struct gsakmp_kek kek;
		struct gk_buf plain;

		gk_assert_ok(gsakmp_kek_derive(&defaults, &in, &kek));
		for (size_t n = 0; n <= sizeof(junk); n++) {
			if (key_types[t] == GSAKMP_KEY_AES_CTR && n >= 8)
				continue; /* any octets are a ciphertext */
			assert_true(
				gsakmp_token_open(&defaults, &kek, 1,
			                          (struct gk_slice){ junk, n },
			                          &plain, &why) != GK_OK);
			assert_string_equal(why.req, "RFC4535-7.3.2-03");
			assert_int_equal(why.notify,
			                 GSAKMP_NOTIFY_PAYLOAD_MALFORMED);
			assert_null(plain.ptr);
		}
	}
}

GK_TEST(private_encryption, gcm_binds_the_policy_token_type)
{
	struct gsakmp_kek_input in = input(GSAKMP_KEY_AES_GCM_256);
	struct gsakmp_kek kek;
	struct gk_buf sealed, plain;
	uint8_t buf[40];

	gk_assert_ok(gsakmp_kek_derive(&defaults, &in, &kek));
	gk_assert_ok(gsakmp_token_seal(&sample_env, &defaults, &kek, 1,
	                               token(buf, 40), &sealed));
	gk_assert_err(GK_ERR_AUTH,
	              gsakmp_token_open(&defaults, &kek, 2,
	                                gk_buf_slice(&sealed), &plain, &why));
	for (size_t i = 0; i < sealed.len; i++) {
		sealed.ptr[i] ^= 1;
		gk_assert_err(GK_ERR_AUTH,
		              gsakmp_token_open(&defaults, &kek, 1,
		                                gk_buf_slice(&sealed), &plain,
		                                &why));
		sealed.ptr[i] ^= 1;
	}
	gk_buf_free(&sealed);
}

/* Rekey -------------------------------------------------------------------- */

static struct gsakmp_wrapping
wrapping(uint16_t type)
{
	static const uint8_t key[GSAKMP_KEY_DATA_MAX] = { 9, 8, 7, 6, 5,
		                                          4, 3, 2, 1 };
	struct gsakmp_key_datum d = sample_key(type, 0, 0);

	return (struct gsakmp_wrapping){
		.type = type,
		.id = 12,
		.handle = 0x0d0e0f10,
		.key = { key, d.key.len },
	};
}

/* Two Rekey Event Datas one behind the other; both have to be found. */
static void
rekey_round_trip(const struct gsakmp_dialect *d, uint16_t type)
{
	static struct gsakmp_keys keys, decoded;
	struct gsakmp_wrapping with = wrapping(type);
	const struct gsakmp_rekey_shape shape = { d, type };
	struct gsakmp_rekey_event event = { 0 };
	struct gsakmp_rekey_data data;
	struct gk_buf one, both;
	struct gk_rd rd;
	bool count_inside = d->red_scope == GSAKMP_RED_SCOPE_COUNT;
	size_t n = 0;

	sample_packages(&keys, GSAKMP_KEY_AES_CBC_128);
	if (only_aligned(d, type, gsakmp_keys_size(&keys, count_inside))) {
		gk_assert_err(
			GK_ERR_VALUE,
			gsakmp_rekey_seal(&sample_env, d, &with, &keys, &one));
		return;
	}
	gk_assert_ok(gsakmp_rekey_seal(&sample_env, d, &with, &keys, &one));
	gk_assert_ok(gk_buf_copy(&both, gk_buf_slice(&one)));
	gk_assert_ok(gk_buf_append(&both, gk_buf_slice(&one)));
	event.data = gk_buf_slice(&both);
	event.count = 2;
	rd = gsakmp_rekey_data_start(&event);
	while (gsakmp_rekey_data_next(&rd, &shape, &data)) {
		struct gk_buf plain;

		assert_int_equal(data.key_id, 12);
		assert_int_equal(data.handle, 0x0d0e0f10);
		gk_assert_ok(gsakmp_rekey_open(d, &with, &data, &plain, &why));
		gk_assert_ok(gsakmp_packages_read(gk_buf_slice(&plain), d,
		                                  &suite, data.count, &decoded,
		                                  &why));
		assert_int_equal(decoded.n_datums, 3);
		assert_int_equal(decoded.datum[2].id, 6);
		gk_buf_free(&plain);
		n++;
	}
	assert_int_equal(rd.fault.err, GK_OK);
	assert_int_equal(n, 2);
	gk_buf_free(&one);
	gk_buf_free(&both);
}

GK_TEST(rfc4535_7_5_1_2_02, rekey_event_data_comes_back_in_every_dialect)
{
	for (uint8_t iv = 0; iv < readings("iv_rekey"); iv++)
		for (uint8_t pad = 0; pad < readings("pad"); pad++)
			for (uint8_t len = 0; len < readings("pkt_len"); len++)
				for (uint8_t rest = 0; rest < 4; rest++) {
					const struct gsakmp_dialect d = {
						.iv_rekey = iv,
						.pad = pad,
						.pkt_len = len,
						.red_scope = rest & 1,
						.wrap_width = rest >> 1,
					};
					uint16_t t =
						key_types[(iv + pad + len) % 6];

					rekey_round_trip(
						&d, GSAKMP_KEY_AES_CBC_128);
					rekey_round_trip(&d, t);
				}
}

/* Decision pkt_len: seven numbers for one and the same thing. */
GK_TEST(rfc4535_7_5_1_2_03, packet_length_counts_what_the_dialect_says)
{
	static struct gsakmp_keys keys;
	struct gsakmp_wrapping with = wrapping(GSAKMP_KEY_AES_CBC_128);
	size_t plain, padded;

	sample_packages(&keys, GSAKMP_KEY_AES_CBC_128);
	plain = gsakmp_keys_size(&keys, true);
	assert_int_equal(plain, 2 + 3 * (3 + 56));
	padded = plain / 16 * 16 + 16;
	const size_t want[] = { 16 + padded, padded,    plain,     24 + padded,
		                26 + padded, plain + 8, plain + 10 };
	for (uint8_t len = 0; len < readings("pkt_len"); len++) {
		const struct gsakmp_dialect d = { .pkt_len = len };
		struct gk_buf out;

		gk_assert_ok(
			gsakmp_rekey_seal(&sample_env, &d, &with, &keys, &out));
		assert_int_equal(out.ptr[0] << 8 | out.ptr[1], want[len]);
		assert_int_equal(out.len, 10 + 16 + padded);
		assert_octets("0000000c0d0e0f10", out.ptr + 2, 8);
		gk_buf_free(&out);
	}
}

GK_TEST(private_encryption, gcm_binds_wrapping_keyid_and_handle)
{
	static struct gsakmp_keys keys;
	struct gsakmp_wrapping with = wrapping(GSAKMP_KEY_AES_GCM_128);
	const struct gsakmp_rekey_shape shape = { &defaults, 0 };
	struct gsakmp_rekey_event event = { .count = 1 };
	struct gsakmp_rekey_data data;
	struct gk_buf out, plain;
	struct gk_rd rd;

	sample_packages(&keys, GSAKMP_KEY_AES_GCM_128);
	gk_assert_ok(
		gsakmp_rekey_seal(&sample_env, &defaults, &with, &keys, &out));
	for (size_t i = 2; i < out.len; i++) {
		out.ptr[i] ^= 0x80;
		event.data = gk_buf_slice(&out);
		rd = gsakmp_rekey_data_start(&event);
		assert_true(gsakmp_rekey_data_next(&rd, &shape, &data));
		gk_assert_err(GK_ERR_AUTH,
		              gsakmp_rekey_open(&defaults, &with, &data, &plain,
		                                &why));
		assert_string_equal(why.req, "RFC4535-7.5.2-11");
		out.ptr[i] ^= 0x80;
	}
	gk_buf_free(&out);
}

GK_TEST(rfc4535_5_3_1_1_05, token_of_a_rekey_event_comes_back)
{
	uint8_t buf[60];

	for (uint8_t iv = 0; iv < readings("iv_rekey"); iv++)
		for (size_t t = 0; t < GK_COUNT(key_types); t++) {
			const struct gsakmp_dialect d = { .iv_rekey = iv };
			struct gsakmp_wrapping gtpk = wrapping(key_types[t]);
			struct gsakmp_wrapping other = gtpk;
			struct gk_buf sealed, plain;
			struct gk_slice want = token(buf, 60);
			uint8_t wrong[GSAKMP_KEY_DATA_MAX] = { 1 };

			gk_assert_ok(gsakmp_rekey_token_seal(
				&sample_env, &d, &gtpk, 1, want, &sealed));
			gk_assert_ok(gsakmp_rekey_token_open(
				&d, &gtpk, 1, gk_buf_slice(&sealed), &plain,
				&why));
			assert_int_equal(plain.len, 60);
			assert_memory_equal(plain.ptr, buf, 60);
			gk_buf_free(&plain);
			other.key.ptr = wrong;
			if (gsakmp_rekey_token_open(&d, &other, 1,
			                            gk_buf_slice(&sealed),
			                            &plain, &why) == GK_OK)
				assert_true(plain.len != 60 ||
				            memcmp(plain.ptr, buf, 60) != 0);
			gk_buf_free(&plain);
			gk_buf_free(&sealed);
		}
}

/* Nonce_C ------------------------------------------------------------------ */

GK_TEST(rfc4535_7_12_1_03, nonce_c_is_the_hash_of_both_values)
{
	const struct gsakmp_nonce i = { .type = 1,
		                        .data = gk_slice_str("abcd"),
		                        .next_payload = 8 };
	const struct gsakmp_nonce r = { .type = 2,
		                        .data = gk_slice_str("efghi"),
		                        .next_payload = 12 };
	/* SHA-1 of "abcdefghi", 01 "abcd" 02 "efghi", of the two payloads with
	 * their generic headers, of "efghiabcd"; with another program. */
	static const char *const want[] = {
		"c63b19f1e4c8b5f76b25c49b8b87f57d8e4872a1",
		"8ccb44a3d8b6b4a23a84c5e36326e8bffd533b0a",
		"fcabb514235f37f664e587ea462071a744d7c6f0",
		"2cdcdc03c2b364e840e49a024549962080762a14",
	};
	struct gk_buf c;

	for (uint8_t reading = 0; reading < GK_COUNT(want); reading++) {
		const struct gsakmp_dialect d = { .nonce_c = reading };

		gk_assert_ok(gsakmp_nonce_combine(&d, GSAKMP_NONCE_HASH_SHA1,
		                                  &i, &r, &c));
		assert_octets(want[reading], c.ptr, c.len);
		gk_buf_free(&c);
	}
	gk_assert_ok(gsakmp_nonce_combine(&defaults, GSAKMP_NONCE_HASH_SHA256,
	                                  &i, &r, &c));
	assert_int_equal(c.len, 32);
	gk_buf_free(&c);
	gk_assert_err(GK_ERR_VALUE,
	              gsakmp_nonce_combine(&defaults, 2, &i, &r, &c));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_7_11_1_04,
		       kek_is_taken_from_the_end_the_dialect_says),
		GK_RUN(rfc4535_7_11_1_04,
		       kek_has_as_many_octets_as_the_key_type),
		GK_RUN(rfc4535_7_11_2_03,
		       unknown_types_and_short_secrets_make_no_kek),
		GK_RUN(private_key_creation,
		       kek_is_hkdf_of_secret_nonces_and_groupid),
		GK_RUN(rfc4535_7_3_1_03, token_comes_back_in_every_dialect),
		GK_RUN(rfc4535_7_4_1_08,
		       key_download_comes_back_in_every_dialect),
		GK_RUN(rfc4535_7_3_1_03,
		       token_long_enough_for_long_lengths_comes_back),
		GK_RUN(rfc4535_6_2_03, suite_1_ciphertext_is_exact),
		GK_RUN(private_encryption, gcm_ciphertext_is_exact),
		GK_RUN(rfc4535_7_3_2_03,
		       what_does_not_decrypt_is_refused_alike),
		GK_RUN(private_encryption, gcm_binds_the_policy_token_type),
		GK_RUN(rfc4535_7_5_1_2_02,
		       rekey_event_data_comes_back_in_every_dialect),
		GK_RUN(rfc4535_7_5_1_2_03,
		       packet_length_counts_what_the_dialect_says),
		GK_RUN(private_encryption, gcm_binds_wrapping_keyid_and_handle),
		GK_RUN(rfc4535_5_3_1_1_05, token_of_a_rekey_event_comes_back),
		GK_RUN(rfc4535_7_12_1_03, nonce_c_is_the_hash_of_both_values),
	};

	return cmocka_run_group_tests_name("gsakmp/protect", tests, secret_fill,
	                                   NULL);
}
