/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <string.h>

#include "common/crypto/gk_hash.h"

static void
assert_hex(const uint8_t *got, size_t n, const char *want)
{
	char text[4 * GK_HASH_MAX];

	assert_string_equal(
		gk_hex(text, sizeof(text), (struct gk_slice){ got, n }), want);
}

GK_TEST(crypto_hash, abc_known_answers)
{
	static const struct {
		enum gk_hash alg;
		const char *want;
	} known[] = {
		{ GK_HASH_MD5_LEGACY, "900150983cd24fb0d6963f7d28e17f72" },
		{ GK_HASH_SHA1_LEGACY,
		  "a9993e364706816aba3e25717850c26c9cd0d89d" },
		{ GK_HASH_SHA256, "ba7816bf8f01cfea414140de5dae2223"
		                  "b00361a396177a9cb410ff61f20015ad" },
		{ GK_HASH_SHA384, "cb00753f45a35e8bb5a03d699ac65007"
		                  "272c32ab0eded1631a8b605a43ff5bed"
		                  "8086072ba1e7cc2358baeca134c825a7" },
		{ GK_HASH_SHA512, "ddaf35a193617abacc417349ae204131"
		                  "12e6fa4e89a97ea20a9eeee64b55d39a"
		                  "2192992a274fc1a836ba3c23a3feebbd"
		                  "454d4423643ce80e2a9ac94fa54ca49f" },
		{ GK_HASH_SHA3_256, "3a985da74fe225b2045c172d6bd390bd"
		                    "855f086e3e9d525b46bfe24511431532" },
	};
	struct gk_slice part[] = { gk_slice_str("a"), gk_slice_str(""),
		                   gk_slice_str("bc") };
	uint8_t out[GK_HASH_MAX];

	for (size_t i = 0; i < GK_COUNT(known); i++) {
		gk_assert_ok(gk_hash(known[i].alg, part, 3, out));
		assert_hex(out, gk_hash_size(known[i].alg), known[i].want);
	}
}

GK_TEST(crypto_hash, every_algorithm_knows_itself)
{
	struct gk_slice part = gk_slice_str("x");
	uint8_t out[GK_HASH_MAX];

#define X(name, text, size)                                      \
	assert_string_equal(gk_hash_name(GK_HASH_##name), text); \
	assert_int_equal(gk_hash_size(GK_HASH_##name), size);    \
	assert_true(gk_hash_block(GK_HASH_##name) >= 64);        \
	assert_int_equal(gk_hash_is_legacy(GK_HASH_##name),      \
	                 strstr(#name, "LEGACY") != NULL);       \
	gk_assert_ok(gk_hash(GK_HASH_##name, &part, 1, out));    \
	gk_assert_ok(gk_hmac(GK_HASH_##name, part, &part, 1, out));
	GK_HASH_LIST(X)
#undef X
	assert_int_equal(gk_hash_size(GK_HASH_NONE), 0);
	gk_assert_err(GK_ERR_VALUE, gk_hash(GK_HASH_NONE, &part, 1, out));
	gk_assert_err(GK_ERR_VALUE, gk_hmac(GK_HASH_NONE, part, &part, 1, out));
	gk_assert_err(GK_ERR_VALUE, gk_hash((enum gk_hash)99, &part, 1, out));
}

/* RFC 2202 and RFC 4231: a short key, a key as long as a block and one longer
 * than that. */
GK_TEST(rfc2104, hmac_known_answers)
{
	uint8_t out[GK_HASH_MAX], key[131];
	struct gk_slice data = gk_slice_str("Hi There"), longer;

	memset(key, 0x0b, 20);
	gk_assert_ok(gk_hmac(GK_HASH_SHA1_LEGACY, (struct gk_slice){ key, 20 },
	                     &data, 1, out));
	assert_hex(out, 20, "b617318655057264e28bc0b6fb378c8ef146be00");
	gk_assert_ok(gk_hmac(GK_HASH_SHA256, (struct gk_slice){ key, 20 },
	                     &data, 1, out));
	assert_hex(out, 32,
	           "b0344c61d8db38535ca8afceaf0bf12b"
	           "881dc200c9833da726e9376c2e32cff7");
	memset(key, 0xaa, sizeof(key));
	longer = gk_slice_str(
		"Test Using Larger Than Block-Size Key - Hash Key First");
	gk_assert_ok(gk_hmac(GK_HASH_SHA256,
	                     (struct gk_slice){ key, sizeof(key) }, &longer, 1,
	                     out));
	assert_hex(out, 32,
	           "60e431591ee0b67f0d8a26aacbf5b77f"
	           "8e0bc6213728c5140546040f0ee37f54");
	gk_assert_ok(gk_hmac(GK_HASH_SHA512,
	                     (struct gk_slice){ key, sizeof(key) }, &longer, 1,
	                     out));
	assert_hex(out, 64,
	           "80b24263c7c1a3ebb71493c1dd7be8b4"
	           "9b46d1f41b4aeec1121b013783f8f352"
	           "6b56d037e05f2598bd0fd2215d6a1e52"
	           "95e64f73f63f0aec8b915a985d786598");
}

static void
check_hkdf(enum gk_hash alg, const char *ikm_hex, const char *salt_hex,
           const char *info_hex, size_t len, const char *want)
{
	struct gk_buf ikm, salt, info, okm;
	struct gk_slice part[2];

	gk_assert_ok(gk_unhex(&ikm, ikm_hex));
	gk_assert_ok(gk_unhex(&salt, salt_hex));
	gk_assert_ok(gk_unhex(&info, info_hex));
	part[0] = (struct gk_slice){ info.ptr, info.len / 2 };
	part[1] = part[0];
	if (info.len != 0)
		part[1] = (struct gk_slice){ info.ptr + info.len / 2,
			                     info.len - info.len / 2 };
	gk_assert_ok(gk_hkdf(alg, gk_buf_slice(&salt), gk_buf_slice(&ikm), part,
	                     2, len, &okm));
	assert_int_equal(okm.len, len);
	assert_hex(okm.ptr, okm.len, want);
	gk_buf_free(&ikm);
	gk_buf_free(&salt);
	gk_buf_free(&info);
	gk_buf_free(&okm);
}

/* RFC 5869 appendix A. */
GK_TEST(rfc5869_a, known_answers)
{
	check_hkdf(
		GK_HASH_SHA256, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
		"000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9", 42,
		"3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4"
		"c5bf34007208d5b887185865");
	check_hkdf(
		GK_HASH_SHA256, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
		"", "", 42,
		"8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c73"
		"8d2d9d201395faa4b61a96c8");
	check_hkdf(
		GK_HASH_SHA1_LEGACY, "0b0b0b0b0b0b0b0b0b0b0b",
		"000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9", 42,
		"085a01ea1b10f36933068b56efa5ad81a4f14b822f5b091568a9cdd4f155"
		"fda2c22e422478d305f3f896");
}

GK_TEST(rfc5869_2_3, refuses_no_octets_and_too_many)
{
	struct gk_slice ikm = gk_slice_str("x");
	struct gk_buf okm;

	gk_assert_err(GK_ERR_VALUE,
	              gk_hkdf(GK_HASH_SHA256, ikm, ikm, NULL, 0, 0, &okm));
	gk_assert_err(GK_ERR_VALUE, gk_hkdf(GK_HASH_SHA256, ikm, ikm, NULL, 0,
	                                    255 * 32 + 1, &okm));
	gk_assert_ok(
		gk_hkdf(GK_HASH_SHA256, ikm, ikm, NULL, 0, 255 * 32, &okm));
	assert_int_equal(okm.len, 255 * 32);
	gk_buf_free(&okm);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(crypto_hash, abc_known_answers),
		GK_RUN(crypto_hash, every_algorithm_knows_itself),
		GK_RUN(rfc2104, hmac_known_answers),
		GK_RUN(rfc5869_a, known_answers),
		GK_RUN(rfc5869_2_3, refuses_no_octets_and_too_many),
	};

	return cmocka_run_group_tests_name("common/crypto/hash", tests, NULL,
	                                   NULL);
}
