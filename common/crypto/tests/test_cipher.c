/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <string.h>

#include "common/crypto/gk_crypto.h"
#include "common/crypto/gk_keywrap.h"
#include "common/crypto/gk_pad.h"

static const struct gk_slice none;

static struct gk_buf
hex(const char *text)
{
	struct gk_buf buf;

	gk_assert_ok(gk_unhex(&buf, text));
	return buf;
}

static void
assert_hex(struct gk_slice got, const char *want)
{
	char text[1024];

	assert_string_equal(gk_hex(text, sizeof(text), got), want);
}

/* One known answer, both ways. */
static void
check(enum gk_cipher alg, const char *key_hex, const char *iv_hex,
      const char *aad_hex, const char *plain_hex, const char *want)
{
	struct gk_buf key = hex(key_hex), iv = hex(iv_hex), aad = hex(aad_hex),
		      plain = hex(plain_hex), out, back;

	gk_assert_ok(gk_cipher_encrypt(alg, gk_buf_slice(&key),
	                               gk_buf_slice(&iv), gk_buf_slice(&aad),
	                               gk_buf_slice(&plain), &out));
	assert_hex(gk_buf_slice(&out), want);
	gk_assert_ok(gk_cipher_decrypt(alg, gk_buf_slice(&key),
	                               gk_buf_slice(&iv), gk_buf_slice(&aad),
	                               gk_buf_slice(&out), &back));
	assert_true(gk_slice_equal(gk_buf_slice(&back), gk_buf_slice(&plain)));
	gk_buf_free(&key);
	gk_buf_free(&iv);
	gk_buf_free(&aad);
	gk_buf_free(&plain);
	gk_buf_free(&out);
	gk_buf_free(&back);
}

/* NIST SP 800-38A appendix F.2, two blocks each. */
#define F2_IV "000102030405060708090a0b0c0d0e0f"
#define F2_PLAIN                           \
	"6bc1bee22e409f96e93d7e117393172a" \
	"ae2d8a571e03ac9c9eb76fac45af8e51"

GK_TEST(sp800_38a, cbc_known_answers)
{
	check(GK_CIPHER_AES_CBC_128, "2b7e151628aed2a6abf7158809cf4f3c", F2_IV,
	      "", F2_PLAIN,
	      "7649abac8119b246cee98e9b12e9197d"
	      "5086cb9b507219ee95db113a917678b2");
	check(GK_CIPHER_AES_CBC_192,
	      "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b", F2_IV, "",
	      F2_PLAIN,
	      "4f021db243bc633d7178183a9fa071e8"
	      "b4d9ada9ad7dedf4e5e738763f69145a");
	check(GK_CIPHER_AES_CBC_256,
	      "603deb1015ca71be2b73aef0857d7781"
	      "1f352c073b6108d72d9810a30914dff4",
	      F2_IV, "", F2_PLAIN,
	      "f58c4c04d6e5f1ba779eabfb5f7bfbd6"
	      "9cfc4e967edb808d679f777bc6702c7d");
}

/* RFC 3686 section 6, test vector 2. */
GK_TEST(rfc3686_6, ctr_known_answer)
{
	struct gk_buf nonce = hex("006cb6db"), iv = hex("c0543b59da48d90b");
	char text[33];
	uint8_t block[16];

	gk_ctr_block(nonce.ptr, iv.ptr, block);
	check(GK_CIPHER_AES_CTR_128, "7e24067817fae0d743d6ce1f32539163",
	      gk_hex(text, sizeof(text), (struct gk_slice){ block, 16 }), "",
	      "000102030405060708090a0b0c0d0e0f"
	      "101112131415161718191a1b1c1d1e1f",
	      "5104a106168a72d9790d41ee8edad388"
	      "eb2e1efc46da57c8fce630df9141be28");
	gk_buf_free(&nonce);
	gk_buf_free(&iv);
}

/* The GCM specification's test cases 4 (with associated data) and 2. */
GK_TEST(sp800_38d, gcm_known_answers)
{
	check(GK_CIPHER_AES_GCM_128, "feffe9928665731c6d6a8f9467308308",
	      "cafebabefacedbaddecaf888",
	      "feedfacedeadbeeffeedfacedeadbeefabaddad2",
	      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
	      "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
	      "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
	      "5bc94fbc3221a5db94fae95ae7121a47");
	check(GK_CIPHER_AES_GCM_128, "00000000000000000000000000000000",
	      "000000000000000000000000", "",
	      "00000000000000000000000000000000",
	      "0388dace60b6a392f328c2b971b2fe78"
	      "ab6e47d42cec13bdf53a67b21257bddf");
	/* Nothing but associated data. */
	check(GK_CIPHER_AES_GCM_128, "00000000000000000000000000000000",
	      "000000000000000000000000", "", "",
	      "58e2fccefa7e3061367f1d57a4e7455a");
}

/* FIPS 81's sentence for single DES; with three equal keys 3DES is the same. */
GK_TEST(fips81, des_cbc_known_answer)
{
#define FIPS81                             \
	"4e6f77206973207468652074696d6520" \
	"666f7220616c6c20"
#define FIPS81_OUT                         \
	"e5c7cdde872bf27c43e934008c389c0f" \
	"683788499a7c05f6"
	gk_assert_ok(gk_crypto_init(0, true));
	check(GK_CIPHER_DES_CBC_LEGACY, "0123456789abcdef", "1234567890abcdef",
	      "", FIPS81, FIPS81_OUT);
	check(GK_CIPHER_TRIPLE_DES_CBC_LEGACY,
	      "0123456789abcdef0123456789abcdef0123456789abcdef",
	      "1234567890abcdef", "", FIPS81, FIPS81_OUT);
	assert_true(gk_cipher_is_legacy(GK_CIPHER_DES_CBC_LEGACY));
	assert_true(gk_cipher_is_legacy(GK_CIPHER_TRIPLE_DES_CBC_LEGACY));
	assert_false(gk_cipher_is_legacy(GK_CIPHER_AES_CBC_128));
}

static const enum gk_cipher all[] = {
#define X(name, text, key, block, iv, tag) GK_CIPHER_##name,
	GK_CIPHER_LIST(X)
#undef X
};

GK_TEST(crypto_cipher, wrong_lengths_are_refused)
{
	uint8_t zero[64] = { 0 };
	struct gk_buf out;

	for (size_t i = 0; i < GK_COUNT(all); i++) {
		struct gk_slice key = { zero, gk_cipher_key_len(all[i]) };
		struct gk_slice iv = { zero, gk_cipher_iv_len(all[i]) };
		struct gk_slice in = { zero, 32 };
		struct gk_slice bad;

		gk_assert_ok(
			gk_cipher_encrypt(all[i], key, iv, none, in, &out));
		assert_int_equal(out.len, 32 + gk_cipher_tag_len(all[i]));
		gk_buf_free(&out);
		bad = (struct gk_slice){ zero, key.len - 1 };
		gk_assert_err(GK_ERR_VALUE, gk_cipher_encrypt(all[i], bad, iv,
		                                              none, in, &out));
		bad = (struct gk_slice){ zero, iv.len + 1 };
		gk_assert_err(GK_ERR_VALUE, gk_cipher_encrypt(all[i], key, bad,
		                                              none, in, &out));
		if (gk_cipher_tag_len(all[i]) == 0)
			gk_assert_err(GK_ERR_VALUE,
			              gk_cipher_encrypt(all[i], key, iv, in, in,
			                                &out));
		else
			gk_assert_err(
				GK_ERR_VALUE,
				gk_cipher_decrypt(all[i], key, iv, none,
			                          (struct gk_slice){ zero, 15 },
			                          &out));
		if (gk_cipher_is_cbc(all[i])) {
			bad = (struct gk_slice){ zero, 33 };
			gk_assert_err(GK_ERR_VALUE,
			              gk_cipher_encrypt(all[i], key, iv, none,
			                                bad, &out));
			gk_assert_err(GK_ERR_VALUE,
			              gk_cipher_decrypt(all[i], key, iv, none,
			                                bad, &out));
		}
		assert_null(out.ptr);
	}
	gk_assert_err(GK_ERR_VALUE, gk_cipher_encrypt(GK_CIPHER_NONE, none,
	                                              none, none, none, &out));
}

GK_TEST(crypto_cipher, in_place_is_the_same)
{
	const struct gk_slice plain =
		gk_slice_str("sixteen octets, and thirty-two!!");
	uint8_t octets[48], zero[64] = { 0 };
	struct gk_buf out;

	assert_int_equal(plain.len, 32);
	for (size_t i = 0; i < GK_COUNT(all); i++) {
		struct gk_slice key = { zero, gk_cipher_key_len(all[i]) };
		struct gk_slice iv = { zero + 1, gk_cipher_iv_len(all[i]) };
		bool tag = gk_cipher_tag_len(all[i]) != 0;

		memset(octets, 0xa5, sizeof(octets));
		memcpy(octets, plain.ptr, plain.len);
		gk_assert_err(tag ? GK_ERR_VALUE : GK_OK,
		              gk_cipher_in_place(all[i], key, iv, true, octets,
		                                 plain.len));
		if (tag)
			continue;
		gk_assert_ok(
			gk_cipher_encrypt(all[i], key, iv, none, plain, &out));
		assert_memory_equal(octets, out.ptr, plain.len);
		gk_buf_free(&out);
		gk_assert_ok(gk_cipher_in_place(all[i], key, iv, false, octets,
		                                plain.len));
		assert_memory_equal(octets, plain.ptr, plain.len);
		for (size_t n = plain.len; n < sizeof(octets); n++)
			assert_int_equal(octets[n], 0xa5);
		if (gk_cipher_is_cbc(all[i]))
			gk_assert_err(GK_ERR_VALUE,
			              gk_cipher_in_place(all[i], key, iv, false,
			                                 octets, 33));
		key.len--;
		gk_assert_err(GK_ERR_VALUE,
		              gk_cipher_in_place(all[i], key, iv, true, octets,
		                                 plain.len));
	}
}

GK_TEST(crypto_cipher, gcm_notices_every_changed_octet)
{
	uint8_t zero[32] = { 0 };
	struct gk_slice key = { zero, 32 }, iv = { zero, 12 },
			aad = { zero, 5 };
	struct gk_buf sealed, out;

	gk_assert_ok(gk_cipher_encrypt(GK_CIPHER_AES_GCM_256, key, iv, aad,
	                               (struct gk_slice){ zero, 20 }, &sealed));
	for (size_t i = 0; i < sealed.len; i++) {
		sealed.ptr[i] ^= 0x10;
		gk_assert_err(GK_ERR_AUTH,
		              gk_cipher_decrypt(GK_CIPHER_AES_GCM_256, key, iv,
		                                aad, gk_buf_slice(&sealed),
		                                &out));
		assert_null(out.ptr);
		sealed.ptr[i] ^= 0x10;
	}
	gk_assert_err(GK_ERR_AUTH,
	              gk_cipher_decrypt(GK_CIPHER_AES_GCM_256, key, iv,
	                                (struct gk_slice){ zero, 4 },
	                                gk_buf_slice(&sealed), &out));
	gk_buf_free(&sealed);
}

/* Padding ------------------------------------------------------------------ */

static const enum gk_pad schemes[] = {
#define X(name, text) GK_PAD_##name,
	GK_PAD_LIST(X)
#undef X
};

GK_TEST(crypto_pad, known_forms)
{
	static const struct {
		enum gk_pad scheme;
		const char *plain, *padded;
	} known[] = {
		{ GK_PAD_PKCS7, "aabbcc", "aabbcc0505050505" },
		{ GK_PAD_PKCS7, "aabbccddeeff0011",
		  "aabbccddeeff00110808080808080808" },
		{ GK_PAD_PKCS7, "", "0808080808080808" },
		{ GK_PAD_ZERO, "aabbcc", "aabbcc0000000000" },
		{ GK_PAD_ZERO, "aabbccddeeff0011", "aabbccddeeff0011" },
		{ GK_PAD_PKCS7_IFNEEDED, "aabbcc", "aabbcc0505050505" },
		{ GK_PAD_PKCS7_IFNEEDED, "aabbccddeeff0011",
		  "aabbccddeeff0011" },
		{ GK_PAD_ISO7816, "aabbcc", "aabbcc8000000000" },
		{ GK_PAD_ISO7816, "aabbccddeeff00", "aabbccddeeff0080" },
		{ GK_PAD_X923, "aabbcc", "aabbcc0000000005" },
		{ GK_PAD_IKE, "aabbcc", "aabbcc0000000004" },
		{ GK_PAD_IKE, "aabbccddeeff00", "aabbccddeeff0000" },
		{ GK_PAD_ESP, "aabbcc", "aabbcc0102030404" },
		{ GK_PAD_NONE, "aabbccddeeff0011", "aabbccddeeff0011" },
	};

	for (size_t i = 0; i < GK_COUNT(known); i++) {
		struct gk_buf plain = hex(known[i].plain), out;
		size_t len = 0;

		gk_assert_ok(gk_pad_add(known[i].scheme, 8,
		                        gk_buf_slice(&plain), &out));
		assert_hex(gk_buf_slice(&out), known[i].padded);
		gk_assert_ok(gk_pad_check(known[i].scheme, 8,
		                          gk_buf_slice(&out), plain.len));
		gk_assert_ok(gk_pad_strip(known[i].scheme, 8,
		                          gk_buf_slice(&out), &len));
		assert_int_equal(len, gk_pad_self_describing(known[i].scheme)
		                              ? plain.len
		                              : out.len);
		gk_buf_free(&plain);
		gk_buf_free(&out);
	}
}

/* One context, one cipher after the other and back, into other octets and in
 * place: always what a fresh context makes. */
GK_TEST(crypto_sealer, gives_what_a_fresh_context_gives)
{
	static const enum gk_cipher turn[] = {
		GK_CIPHER_AES_GCM_128, GK_CIPHER_AES_GCM_128,
		GK_CIPHER_AES_CBC_128, GK_CIPHER_AES_CBC_256,
		GK_CIPHER_AES_CBC_256, GK_CIPHER_AES_CTR_128,
		GK_CIPHER_AES_GCM_256, GK_CIPHER_AES_GCM_128,
	};
	struct gk_sealer sealer = { 0 };
	uint8_t octets[96], out[112];

	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i * 7);
	for (size_t i = 0; i < GK_COUNT(turn); i++) {
		size_t tag = gk_cipher_tag_len(turn[i]);
		struct gk_slice plain = { octets + i, 64 };
		struct gk_slice key = { octets + i,
			                gk_cipher_key_len(turn[i]) };
		struct gk_slice iv = { octets + 16 + i,
			               gk_cipher_iv_len(turn[i]) };
		struct gk_slice aad = { octets, tag == 0 ? 0 : 8 };
		struct gk_buf want;

		gk_assert_ok(
			gk_cipher_encrypt(turn[i], key, iv, aad, plain, &want));
		gk_assert_ok(gk_sealer_encrypt(&sealer, turn[i], key, iv, aad,
		                               plain, out));
		assert_memory_equal(out, want.ptr, want.len);
		memcpy(out, plain.ptr, plain.len);
		gk_assert_ok(gk_sealer_encrypt(
			&sealer, turn[i], key, iv, aad,
			(struct gk_slice){ out, plain.len }, out));
		assert_memory_equal(out, want.ptr, want.len);
		assert_int_equal(want.len, plain.len + tag);
		gk_buf_free(&want);
		/* A refusal leaves nothing behind that matters. */
		iv.len++;
		gk_assert_err(GK_ERR_VALUE,
		              gk_sealer_encrypt(&sealer, turn[i], key, iv, aad,
		                                plain, out));
	}
	gk_sealer_end(&sealer);
	assert_null(sealer.ctx);
	gk_sealer_end(&sealer);
}

/* Every way to get an octet of the padding wrong is noticed; IKE may hold
 * anything but its count. */
GK_TEST(crypto_pad, every_wrong_octet_is_refused)
{
	for (size_t s = 0; s < GK_COUNT(schemes); s++) {
		enum gk_pad scheme = schemes[s];
		uint8_t plain[3] = { 0xaa, 0xbb, 0xcc };
		struct gk_buf out;

		if (gk_pad_is_cts(scheme) || scheme == GK_PAD_NONE)
			continue;
		gk_assert_ok(gk_pad_add(scheme, 16,
		                        (struct gk_slice){ plain, 3 }, &out));
		for (size_t i = 3; i < 16; i++)
			for (unsigned flip = 1; flip < 256; flip++) {
				size_t len = 3;
				enum gk_err err;

				out.ptr[i] ^= (uint8_t)flip;
				err = gk_pad_strip(scheme, 16,
				                   gk_buf_slice(&out), &len);
				if (!gk_pad_self_describing(scheme))
					err = gk_pad_check(scheme, 16,
					                   gk_buf_slice(&out),
					                   3);
				if (scheme == GK_PAD_IKE && i < 15)
					gk_assert_ok(err);
				else
					assert_true(err != GK_OK || len != 3);
				out.ptr[i] ^= (uint8_t)flip;
			}
		gk_buf_free(&out);
	}
}

GK_TEST(crypto_pad, impossible_padding_is_refused)
{
	uint8_t octets[32];
	size_t len;

	memset(octets, 0x11, sizeof(octets)); /* 17: more than a block */
	gk_assert_err(GK_ERR_VALUE,
	              gk_pad_strip(GK_PAD_PKCS7, 16,
	                           (struct gk_slice){ octets, 32 }, &len));
	gk_assert_err(GK_ERR_VALUE,
	              gk_pad_strip(GK_PAD_IKE, 16,
	                           (struct gk_slice){ octets, 32 }, &len));
	memset(octets, 0, sizeof(octets));
	for (size_t s = 0; s < GK_COUNT(schemes); s++) {
		struct gk_slice in = { octets, 32 };

		if (schemes[s] == GK_PAD_PKCS7 || schemes[s] == GK_PAD_X923 ||
		    schemes[s] == GK_PAD_ISO7816)
			gk_assert_err(GK_ERR_VALUE,
			              gk_pad_strip(schemes[s], 16, in, &len));
		in.len = 31;
		gk_assert_err(GK_ERR_VALUE,
		              gk_pad_strip(schemes[s], 16, in, &len));
		in.len = 0;
		if (gk_pad_len(schemes[s], 16, 0) != 0)
			gk_assert_err(GK_ERR_VALUE,
			              gk_pad_strip(schemes[s], 16, in, &len));
	}
}

GK_TEST(crypto_pad, all_schemes_carry_all_lengths)
{
	uint8_t key[16] = { 1 }, iv[16] = { 2 }, plain[70];

	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)(i + 1);
	for (size_t s = 0; s < GK_COUNT(schemes); s++)
		for (size_t n = 0; n <= sizeof(plain); n++) {
			enum gk_pad scheme = schemes[s];
			bool possible = gk_pad_is_cts(scheme)   ? n >= 16
			                : scheme == GK_PAD_NONE ? n % 16 == 0
			                                        : true;
			struct gk_buf sealed, back;
			enum gk_err err;

			err = gk_cbc_seal(GK_CIPHER_AES_CBC_128, scheme,
			                  (struct gk_slice){ key, 16 },
			                  (struct gk_slice){ iv, 16 },
			                  (struct gk_slice){ plain, n },
			                  &sealed);
			gk_assert_err(possible ? GK_OK : GK_ERR_VALUE, err);
			if (!possible)
				continue;
			assert_int_equal(sealed.len,
			                 n + gk_pad_len(scheme, 16, n));
			gk_assert_ok(gk_cbc_open(GK_CIPHER_AES_CBC_128, scheme,
			                         (struct gk_slice){ key, 16 },
			                         (struct gk_slice){ iv, 16 },
			                         gk_buf_slice(&sealed), &back));
			if (gk_pad_self_describing(scheme))
				assert_int_equal(back.len, n);
			else
				gk_assert_ok(gk_pad_check(
					scheme, 16, gk_buf_slice(&back), n));
			if (n != 0)
				assert_memory_equal(back.ptr, plain, n);
			gk_buf_free(&sealed);
			gk_buf_free(&back);
		}
}

/* RFC 3962 appendix B: CBC-CS3 with a zero IV, "I would like the General Gau's
 * Chicken, please, and wonton soup." cut at 17, 31, 32 and 47 octets. */
GK_TEST(rfc3962_b, stealing_known_answers)
{
	static const char text[] =
		"I would like the General Gau's Chicken, please,";
	static const struct {
		size_t n;
		const char *want;
	} known[] = {
		{ 17, "c6353568f2bf8cb4d8a580362da7ff7f97" },
		{ 31, "fc00783e0efdb2c1d445d4c8eff7ed22"
		      "97687268d6ecccc0c07b25e25ecfe5" },
		{ 32, "39312523a78662d5be7fcbcc98ebf5a8"
		      "97687268d6ecccc0c07b25e25ecfe584" },
		{ 47, "97687268d6ecccc0c07b25e25ecfe584"
		      "b3fffd940c16a18c1b5549d2f838029e"
		      "39312523a78662d5be7fcbcc98ebf5" },
	};
	struct gk_slice key = gk_slice_str("chicken teriyaki");
	uint8_t iv[16] = { 0 };

	for (size_t i = 0; i < GK_COUNT(known); i++) {
		struct gk_slice plain = { (const uint8_t *)text, known[i].n };
		struct gk_buf out, cs1, cs2;
		size_t n = known[i].n, d = n % 16 == 0 ? 16 : n % 16;

		gk_assert_ok(gk_cbc_seal(GK_CIPHER_AES_CBC_128, GK_PAD_CTS3,
		                         key, (struct gk_slice){ iv, 16 },
		                         plain, &out));
		assert_hex(gk_buf_slice(&out), known[i].want);
		gk_assert_ok(gk_cbc_seal(GK_CIPHER_AES_CBC_128, GK_PAD_CTS1,
		                         key, (struct gk_slice){ iv, 16 },
		                         plain, &cs1));
		gk_assert_ok(gk_cbc_seal(GK_CIPHER_AES_CBC_128, GK_PAD_CTS2,
		                         key, (struct gk_slice){ iv, 16 },
		                         plain, &cs2));
		/* The other two hold the same blocks in another order. */
		assert_memory_equal(cs1.ptr + n - 16, out.ptr + n - d - 16, 16);
		assert_memory_equal(cs1.ptr + n - 16 - d, out.ptr + n - d, d);
		assert_memory_equal(cs2.ptr, n % 16 == 0 ? cs1.ptr : out.ptr,
		                    n);
		gk_buf_free(&out);
		gk_buf_free(&cs1);
		gk_buf_free(&cs2);
	}
}

/* RFC 3394 sections 4.1, 4.3 and 4.6. */
GK_TEST(rfc3394_4, known_answers)
{
	static const struct {
		const char *kek, *key, *want;
	} known[] = {
		{ "000102030405060708090a0b0c0d0e0f",
		  "00112233445566778899aabbccddeeff",
		  "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5" },
		{ "000102030405060708090a0b0c0d0e0f"
		  "101112131415161718191a1b1c1d1e1f",
		  "00112233445566778899aabbccddeeff",
		  "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7" },
		{ "000102030405060708090a0b0c0d0e0f"
		  "101112131415161718191a1b1c1d1e1f",
		  "00112233445566778899aabbccddeeff"
		  "000102030405060708090a0b0c0d0e0f",
		  "28c9f404c4b810f4cbccb35cfb87f826"
		  "3f5786e2d80ed326cbc7f0e71a99f43b"
		  "fb988b9b7a02dd21" },
	};

	for (size_t i = 0; i < GK_COUNT(known); i++) {
		struct gk_buf kek = hex(known[i].kek), key = hex(known[i].key),
			      out, back;

		gk_assert_ok(gk_keywrap(gk_buf_slice(&kek), gk_buf_slice(&key),
		                        &out));
		assert_hex(gk_buf_slice(&out), known[i].want);
		gk_assert_ok(gk_keyunwrap(gk_buf_slice(&kek),
		                          gk_buf_slice(&out), &back));
		assert_true(gk_slice_equal(gk_buf_slice(&key),
		                           gk_buf_slice(&back)));
		gk_buf_free(&back);
		out.ptr[i] ^= 1;
		gk_assert_err(GK_ERR_AUTH,
		              gk_keyunwrap(gk_buf_slice(&kek),
		                           gk_buf_slice(&out), &back));
		assert_null(back.ptr);
		out.len -= 8;
		gk_assert_err(out.len < 24 ? GK_ERR_VALUE : GK_ERR_AUTH,
		              gk_keyunwrap(gk_buf_slice(&kek),
		                           gk_buf_slice(&out), &back));
		gk_assert_err(GK_ERR_VALUE,
		              gk_keywrap(gk_buf_slice(&kek),
		                         (struct gk_slice){ key.ptr, 15 },
		                         &back));
		gk_assert_err(GK_ERR_VALUE,
		              gk_keywrap((struct gk_slice){ kek.ptr, 15 },
		                         gk_buf_slice(&key), &back));
		gk_buf_free(&kek);
		gk_buf_free(&key);
		gk_buf_free(&out);
	}
}

GK_TEST(crypto_random, is_the_form_the_environment_wants)
{
	uint8_t a[32] = { 0 }, b[32] = { 0 };

	gk_assert_ok(gk_crypto_random(NULL, a, sizeof(a)));
	gk_assert_ok(gk_crypto_random(NULL, b, sizeof(b)));
	assert_memory_not_equal(a, b, sizeof(a));
	gk_assert_ok(gk_crypto_random(NULL, a, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(sp800_38a, cbc_known_answers),
		GK_RUN(rfc3686_6, ctr_known_answer),
		GK_RUN(sp800_38d, gcm_known_answers),
		GK_RUN(fips81, des_cbc_known_answer),
		GK_RUN(crypto_cipher, wrong_lengths_are_refused),
		GK_RUN(crypto_cipher, in_place_is_the_same),
		GK_RUN(crypto_cipher, gcm_notices_every_changed_octet),
		GK_RUN(crypto_sealer, gives_what_a_fresh_context_gives),
		GK_RUN(crypto_pad, known_forms),
		GK_RUN(crypto_pad, every_wrong_octet_is_refused),
		GK_RUN(crypto_pad, impossible_padding_is_refused),
		GK_RUN(crypto_pad, all_schemes_carry_all_lengths),
		GK_RUN(rfc3962_b, stealing_known_answers),
		GK_RUN(rfc3394_4, known_answers),
		GK_RUN(crypto_random, is_the_form_the_environment_wants),
	};

	return cmocka_run_group_tests_name("common/crypto/cipher", tests, NULL,
	                                   NULL);
}
