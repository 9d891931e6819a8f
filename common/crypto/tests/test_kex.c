/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <string.h>

#include "common/crypto/gk_hash.h"
#include "common/crypto/gk_kex.h"

/* Octets that count up, so that nothing here is random. */
static enum gk_err
count_up(void *ctx, uint8_t *out, size_t n)
{
	uint8_t *next = ctx;

	for (size_t i = 0; i < n; i++)
		out[i] = (*next)++;
	return GK_OK;
}

static enum gk_err
broken(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	memset(out, 0, n);
	return GK_OK;
}

static enum gk_err
failing(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	(void)out;
	(void)n;
	return GK_ERR_IO;
}

static const enum gk_kex all[] = {
#define X(name, text, public_len, secret_len) GK_KEX_##name,
	GK_KEX_LIST(X)
#undef X
};

static void
assert_digest(struct gk_slice s, const char *want)
{
	uint8_t out[GK_HASH_MAX];
	char text[65];

	gk_assert_ok(gk_hash(GK_HASH_SHA256, &s, 1, out));
	assert_string_equal(
		gk_hex(text, sizeof(text), (struct gk_slice){ out, 32 }), want);
}

/*
 * RFC 2409 section 6 and RFC 3526, independently computed from the primes as
 * printed there: SHA-256 of g^x and of g^xy for x = 01 02 .. 40, y = 41 .. 80.
 */
GK_TEST(rfc3526, modp_known_answers)
{
	static const struct {
		enum gk_kex group;
		const char *pub, *secret;
	} known[] = {
		{ GK_KEX_MODP768_LEGACY,
		  "ba25d81cf13ce4977fbd063d8a7f46d9418cd842dc90a35ab5327c06546a24d4",
		  "c75f9f27ad740b98fbde75cbb5a358d579df240ca5393e27738c74aa27c3d71f" },
		{ GK_KEX_MODP1024_LEGACY,
		  "27db84123663a2cbf34c7606477c23ea00a792ebb565df0d944d90ce6907d9dc",
		  "4dc010fccaa896eac3f4013946b6f846dbc31735d35cbc6657647a5a6b49e516" },
		{ GK_KEX_MODP1536_LEGACY,
		  "750965c4f6ff416538ae09f001ebdf1dc4d531a40416f7e07cbda8c38abe27aa",
		  "9e17c669d2d01abd8318b29bd60ef3ab19332f104b67553120c4e9253cc731e0" },
		{ GK_KEX_MODP2048,
		  "5141ed60d422816c251a9a61f4dc090fc6161ec870357a0af29fb84a0bb34e5e",
		  "9413d3bfb3e5d8ee5ffd18d06b8460beddf411588c90cb1fedf4e995c5847429" },
		{ GK_KEX_MODP3072,
		  "077dffd743a6dda7e2400cb20075f1619d72d9eb8c6fb5d0c2af92940f79bddc",
		  "52ab179f5c6078c769b239bf21afa47323817bc2340f04a0bd610943fe08c526" },
		{ GK_KEX_MODP4096,
		  "0439872574dafc9b300359ea0dd742c3976ccf9fa56883bdb8268462adedf8cf",
		  "87b605a4430a403eb2e6163f874e2ee1bbac77357ca172d106f757a96cea5857" },
		{ GK_KEX_MODP6144,
		  "248f61a86f1c080d552a6a3fb479e26dd41759548ee48a0f4f526d49ce951992",
		  "bcff31f2874407ee99a891f850fbed0777b75b39435e82217b1fe446d0b33824" },
		{ GK_KEX_MODP8192,
		  "86b83427a715cae1ac4f0f7ce33a65bdce79ab5608db0fb2aad514b29f74e68a",
		  "f4c84c299b385725950bc0391940726c5052d135ab0086ee5b41806f2787054e" },
	};
	uint8_t octets[128], next = 1;

	gk_assert_ok(count_up(&next, octets, sizeof(octets)));
	for (size_t i = 0; i < GK_COUNT(known); i++) {
		struct gk_kex_key *x, *y;
		struct gk_buf secret;

		gk_assert_ok(gk_kex_from_private(
			known[i].group, (struct gk_slice){ octets, 64 }, &x));
		gk_assert_ok(gk_kex_from_private(
			known[i].group, (struct gk_slice){ octets + 64, 64 },
			&y));
		assert_digest(gk_kex_public(x), known[i].pub);
		gk_assert_ok(gk_kex_derive(x, gk_kex_public(y), 0, &secret));
		assert_digest(gk_buf_slice(&secret), known[i].secret);
		gk_buf_free(&secret);
		gk_kex_free(x);
		gk_kex_free(y);
	}
}

/* RFC 3526 section 8: exponents of twice the strength of the group, by the
 * higher of its two estimates. */
GK_TEST(rfc3526_8, private_values_are_long_enough_and_not_longer)
{
	static const struct {
		enum gk_kex group;
		size_t bits;
	} asked[] = {
		{ GK_KEX_MODP1536_LEGACY, 240 }, { GK_KEX_MODP2048, 320 },
		{ GK_KEX_MODP3072, 420 },        { GK_KEX_MODP4096, 480 },
		{ GK_KEX_MODP6144, 540 },        { GK_KEX_MODP8192, 620 },
	};

	for (size_t i = 0; i < GK_COUNT(asked); i++) {
		uint8_t next = 1;
		struct gk_env env = { .random = count_up, .ctx = &next };
		struct gk_kex_key *key;

		gk_assert_ok(gk_kex_generate(&env, asked[i].group, &key));
		assert_true((size_t)(next - 1) * 8 >= asked[i].bits);
		assert_true((size_t)(next - 1) * 8 < asked[i].bits + 88);
		gk_kex_free(key);
	}
}

/* RFC 5903 section 8. */
static const struct {
	enum gk_kex group;
	const char *i, *gi, *r, *gr, *gir;
} ecp[] = {
	/* clang-format off */
	{ GK_KEX_P256,
	  "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
	  "dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180"
	  "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3",
	  "c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53",
	  "d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63"
	  "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab",
	  "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de" },
	{ GK_KEX_P384,
	  "099f3c7034d4a2c699884d73a375a67f7624ef7c6b3c0f160647b67414dce655"
	  "e35b538041e649ee3faef896783ab194",
	  "667842d7d180ac2cde6f74f37551f55755c7645c20ef73e31634fe72b4c55ee6"
	  "de3ac808acb4bdb4c88732aee95f41aa"
	  "9482ed1fc0eeb9cafc4984625ccfc23f65032149e0e144ada024181535a0f38e"
	  "eb9fcff3c2c947dae69b4c634573a81c",
	  "41cb0779b4bdb85d47846725fbec3c9430fab46cc8dc5060855cc9bda0aa2942"
	  "e0308312916b8ed2960e4bd55a7448fc",
	  "e558dbef53eecde3d3fccfc1aea08a89a987475d12fd950d83cfa41732bc509d"
	  "0d1ac43a0336def96fda41d0774a3571"
	  "dcfbec7aacf3196472169e838430367f66eebe3c6e70c416dd5f0c68759dd1ff"
	  "f83fa40142209dff5eaad96db9e6386c",
	  "11187331c279962d93d604243fd592cb9d0a926f422e47187521287e7156c5c4"
	  "d603135569b9e9d09cf5d4a270f59746" },
	{ GK_KEX_P521,
	  "0037ade9319a89f4dabdb3ef411aaccca5123c61acab57b5393dce47608172a0"
	  "95aa85a30fe1c2952c6771d937ba9777f5957b2639bab072462f68c27a57382d"
	  "4a52",
	  "0015417e84dbf28c0ad3c278713349dc7df153c897a1891bd98bab4357c9ecbe"
	  "e1e3bf42e00b8e380aeae57c2d107564941885942af5a7f4601723c4195d176c"
	  "ed3e"
	  "017cae20b6641d2eeb695786d8c946146239d099e18e1d5a514c739d7cb4a10a"
	  "d8a788015ac405d7799dc75e7b7d5b6cf2261a6a7f1507438bf01beb6ca3926f"
	  "9582",
	  "0145ba99a847af43793fdd0e872e7cdfa16be30fdc780f97bccc3f078380201e"
	  "9c677d600b343757a3bdbf2a3163e4c2f869cca7458aa4a4effc311f5cb15168"
	  "5eb9",
	  "00d0b3975ac4b799f5bea16d5e13e9af971d5e9b984c9f39728b5e5739735a21"
	  "9b97c356436adc6e95bb0352f6be64a6c2912d4ef2d0433ced2b6171640012d9"
	  "460f"
	  "015c68226383956e3bd066e797b623c27ce0eac2f551a10c2c724d9852077b87"
	  "220b6536c5c408a1d2aebb8e86d678ae49cb57091f4732296579ab44fcd17f0f"
	  "c56a",
	  "01144c7d79ae6956bc8edb8e7c787c4521cb086fa64407f97894e5e6b2d79b04"
	  "d1427e73ca4baa240a34786859810c06b3c715a3a8cc3151f2bee417996d19f3"
	  "ddea" },
	/* clang-format on */
};

static void
derive_and_compare(enum gk_kex group, const char *priv, const char *pub,
                   const char *peer, const char *want)
{
	struct gk_buf in_priv, in_pub, in_peer, in_want, secret;
	struct gk_kex_key *key;

	gk_assert_ok(gk_unhex(&in_priv, priv));
	gk_assert_ok(gk_unhex(&in_pub, pub));
	gk_assert_ok(gk_unhex(&in_peer, peer));
	gk_assert_ok(gk_unhex(&in_want, want));
	gk_assert_ok(gk_kex_from_private(group, gk_buf_slice(&in_priv), &key));
	assert_int_equal(gk_kex_group(key), group);
	assert_true(gk_slice_equal(gk_kex_public(key), gk_buf_slice(&in_pub)));
	gk_assert_ok(gk_kex_peer_check(group, gk_buf_slice(&in_peer), 0));
	gk_assert_ok(gk_kex_derive(key, gk_buf_slice(&in_peer), 0, &secret));
	assert_true(
		gk_slice_equal(gk_buf_slice(&secret), gk_buf_slice(&in_want)));
	gk_kex_free(key);
	gk_buf_free(&secret);
	gk_buf_free(&in_priv);
	gk_buf_free(&in_pub);
	gk_buf_free(&in_peer);
	gk_buf_free(&in_want);
}

GK_TEST(rfc5903_8, known_answers)
{
	for (size_t n = 0; n < GK_COUNT(ecp); n++) {
		derive_and_compare(ecp[n].group, ecp[n].i, ecp[n].gi, ecp[n].gr,
		                   ecp[n].gir);
		derive_and_compare(ecp[n].group, ecp[n].r, ecp[n].gr, ecp[n].gi,
		                   ecp[n].gir);
	}
}

/* The first vector of RFC 7748 section 5.2, and one computed apart from this
 * code with the ladder of section 5. */
GK_TEST(rfc7748_5_2, known_answers)
{
	derive_and_compare(GK_KEX_X25519,
	                   "a546e36bf0527c9d3b16154b82465edd"
	                   "62144c0ac1fc5a18506a2244ba449ac4",
	                   "1c9fd88f45606d932a80c71824ae151d"
	                   "15d73e77de38e8e000852e614fae7019",
	                   "e6db6867583030db3594c1a424b15f7c"
	                   "726624ec26b3353b10a903a6d0ab1c4c",
	                   "c3da55379de9c6908e94ea4df28d084f"
	                   "32eccf03491c71f754b4075577a28552");
	derive_and_compare(GK_KEX_X25519,
	                   "000102030405060708090a0b0c0d0e0f"
	                   "101112131415161718191a1b1c1d1e1f",
	                   "8f40c5adb68f25624ae5b214ea767a6e"
	                   "c94d829d3d7b5e1ad1ba6f3e2138285f",
	                   "358072d6365880d1aeea329adf912138"
	                   "3851ed21a28e3b75e965d0d2cd166254",
	                   "9663aa1da97e848a914a436d04163dfb"
	                   "b89178f107f1b5b77ed3854203382854");
}

/* The same randomness gives the same key; the lengths never vary. */
GK_TEST(crypto_kex, equal_randomness_gives_equal_octets)
{
	for (size_t i = 0; i < GK_COUNT(all); i++) {
		struct gk_kex_key *a, *b;
		struct gk_buf ab, ba;
		uint8_t next = 7;
		struct gk_env env = { .random = count_up, .ctx = &next };

		gk_assert_ok(gk_kex_generate(&env, all[i], &a));
		assert_int_equal(gk_kex_public(a).len,
		                 gk_kex_public_len(all[i]));
		next = 7;
		gk_assert_ok(gk_kex_generate(&env, all[i], &b));
		assert_true(gk_slice_equal(gk_kex_public(a), gk_kex_public(b)));
		gk_kex_free(b);
		next = 100;
		gk_assert_ok(gk_kex_generate(&env, all[i], &b));
		assert_false(
			gk_slice_equal(gk_kex_public(a), gk_kex_public(b)));
		gk_assert_ok(gk_kex_derive(a, gk_kex_public(b), 0, &ab));
		gk_assert_ok(gk_kex_derive(b, gk_kex_public(a), 0, &ba));
		assert_int_equal(ab.len, gk_kex_secret_len(all[i]));
		assert_true(
			gk_slice_equal(gk_buf_slice(&ab), gk_buf_slice(&ba)));
		gk_buf_free(&ab);
		gk_buf_free(&ba);
		gk_kex_free(a);
		gk_kex_free(b);
	}
}

GK_TEST(crypto_kex, broken_generator_is_an_error_and_no_key)
{
	struct gk_env zero = { .random = broken };
	struct gk_env fails = { .random = failing };

	for (size_t i = 0; i < GK_COUNT(all); i++) {
		struct gk_kex_key *key;

		gk_assert_err(GK_ERR_IO, gk_kex_generate(&fails, all[i], &key));
		assert_null(key);
		if (all[i] == GK_KEX_X25519)
			continue; /* which has no forbidden private values */
		gk_assert_err(GK_ERR_CRYPTO,
		              gk_kex_generate(&zero, all[i], &key));
		assert_null(key);
	}
}

static void
refused(const struct gk_kex_key *key, struct gk_slice peer, unsigned flags)
{
	struct gk_buf secret;

	gk_assert_err(GK_ERR_VALUE, gk_kex_derive(key, peer, flags, &secret));
	assert_null(secret.ptr);
	if (gk_kex_group(key) != GK_KEX_X25519 || peer.len != 32)
		gk_assert_err(GK_ERR_VALUE, gk_kex_peer_check(gk_kex_group(key),
		                                              peer, flags));
}

GK_TEST(rfc4535_7_11_2_03, degenerate_modp_values_are_refused)
{
	uint8_t next = 1, value[GK_KEX_PUBLIC_MAX + 1];
	struct gk_env env = { .random = count_up, .ctx = &next };

	for (size_t i = 0; i < GK_COUNT(all); i++) {
		size_t n = gk_kex_public_len(all[i]);
		struct gk_slice peer = { value, n };
		struct gk_kex_key *key;

		if (!gk_kex_is_modp(all[i]))
			continue;
		gk_assert_ok(gk_kex_generate(&env, all[i], &key));
		memset(value, 0, sizeof(value));
		refused(key, peer, 0); /* 0 */
		value[n - 1] = 1;
		refused(key, peer, 0); /* 1 */
		refused(key, (struct gk_slice){ value + n - 1, 1 },
		        GK_KEX_SHORT_PEER);
		value[n - 1] = 2;
		gk_assert_ok(gk_kex_peer_check(all[i], peer, 0));
		/* All these primes have 64 one bits at both ends. */
		memset(value, 0xff, n);
		refused(key, peer, 0); /* above p */
		refused(key, (struct gk_slice){ value, n - 1 }, 0);
		gk_assert_ok(gk_kex_peer_check(
			all[i], (struct gk_slice){ value, n - 1 },
			GK_KEX_SHORT_PEER));
		refused(key, (struct gk_slice){ value, n + 1 },
		        GK_KEX_SHORT_PEER);
		refused(key, (struct gk_slice){ value, 0 }, GK_KEX_SHORT_PEER);
		gk_kex_free(key);
	}
}

GK_TEST(rfc4535_6_2_06, p_minus_one_is_refused_and_p_minus_two_is_not)
{
	/* RFC 2409 section 6.2. */
	static const char prime[] =
		"ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd1"
		"29024e088a67cc74020bbea63b139b22514a08798e3404dd"
		"ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245"
		"e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed"
		"ee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381"
		"ffffffffffffffff";
	uint8_t next = 1;
	struct gk_env env = { .random = count_up, .ctx = &next };
	struct gk_kex_key *key;
	struct gk_buf p;

	gk_assert_ok(gk_kex_generate(&env, GK_KEX_MODP1024_LEGACY, &key));
	gk_assert_ok(gk_unhex(&p, prime));
	refused(key, gk_buf_slice(&p), 0);
	p.ptr[p.len - 1]--;
	refused(key, gk_buf_slice(&p), 0);
	p.ptr[p.len - 1]--;
	gk_assert_ok(
		gk_kex_peer_check(GK_KEX_MODP1024_LEGACY, gk_buf_slice(&p), 0));
	gk_buf_free(&p);
	gk_kex_free(key);
}

/* A peer that drops leading zero octets gives the same secret. */
GK_TEST(crypto_kex, short_modp_value_is_padded_when_allowed)
{
	uint8_t next = 1, value[128] = { 0 };
	struct gk_env env = { .random = count_up, .ctx = &next };
	struct gk_kex_key *key;
	struct gk_buf full, cut;

	gk_assert_ok(gk_kex_generate(&env, GK_KEX_MODP1024_LEGACY, &key));
	value[126] = 0x12;
	value[127] = 0x34;
	gk_assert_ok(
		gk_kex_derive(key, (struct gk_slice){ value, 128 }, 0, &full));
	gk_assert_ok(gk_kex_derive(key, (struct gk_slice){ value + 126, 2 },
	                           GK_KEX_SHORT_PEER, &cut));
	assert_true(gk_slice_equal(gk_buf_slice(&full), gk_buf_slice(&cut)));
	refused(key, (struct gk_slice){ value + 126, 2 }, 0);
	gk_buf_free(&full);
	gk_buf_free(&cut);
	gk_kex_free(key);
}

GK_TEST(rfc5903_9, points_off_the_curve_are_refused)
{
	uint8_t next = 1, value[GK_KEX_PUBLIC_MAX];
	struct gk_env env = { .random = count_up, .ctx = &next };

	for (size_t i = 0; i < GK_COUNT(all); i++) {
		size_t n = gk_kex_public_len(all[i]);
		struct gk_slice peer = { value, n };
		struct gk_kex_key *key;

		if (gk_kex_is_modp(all[i]) || all[i] == GK_KEX_X25519)
			continue;
		gk_assert_ok(gk_kex_generate(&env, all[i], &key));
		memcpy(value, gk_kex_public(key).ptr, n);
		gk_assert_ok(gk_kex_peer_check(all[i], peer, 0));
		value[n - 1] ^= 1;
		refused(key, peer, 0);
		value[n - 1] ^= 1;
		memset(value, 0xff, n / 2);
		refused(key, peer, 0);
		memset(value, 0, n);
		refused(key, peer, 0);
		refused(key, (struct gk_slice){ value, n - 1 },
		        GK_KEX_SHORT_PEER);
		gk_kex_free(key);
	}
}

GK_TEST(rfc7748_6_1, points_of_small_order_are_refused)
{
	static const char *const small[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	uint8_t next = 1;
	struct gk_env env = { .random = count_up, .ctx = &next };
	struct gk_kex_key *key;
	struct gk_buf peer;

	gk_assert_ok(gk_kex_generate(&env, GK_KEX_X25519, &key));
	for (size_t i = 0; i < GK_COUNT(small); i++) {
		gk_assert_ok(gk_unhex(&peer, small[i]));
		refused(key, gk_buf_slice(&peer), 0);
		gk_buf_free(&peer);
	}
	gk_kex_free(key);
}

GK_TEST(crypto_kex, private_values_out_of_range_are_refused)
{
	uint8_t value[GK_KEX_PUBLIC_MAX];
	struct gk_kex_key *key;

	for (size_t i = 0; i < GK_COUNT(all); i++) {
		size_t n = gk_kex_secret_len(all[i]);

		if (all[i] == GK_KEX_X25519)
			n = 31; /* all of the right length are good */
		memset(value, 0xff, sizeof(value));
		gk_assert_err(GK_ERR_VALUE,
		              gk_kex_from_private(all[i],
		                                  (struct gk_slice){ value, n },
		                                  &key));
		assert_null(key);
		memset(value, 0, sizeof(value));
		gk_assert_err(GK_ERR_VALUE,
		              gk_kex_from_private(all[i],
		                                  (struct gk_slice){ value, n },
		                                  &key));
	}
	gk_assert_err(GK_ERR_VALUE,
	              gk_kex_from_private(GK_KEX_NONE,
	                                  (struct gk_slice){ value, 32 },
	                                  &key));
	assert_int_equal(gk_kex_public_len((enum gk_kex)99), 0);
}

/* ---- static keys in files ------------------------------------------------ */

GK_TEST(crypto_kex, static_key_survives_its_file)
{
	uint8_t next = 1;
	const struct gk_env env = { .random = count_up, .ctx = &next };

	for (size_t i = 0; i < GK_COUNT(all); i++) {
		struct gk_kex_key *key, *again;
		struct gk_buf pem, pub, value;
		enum gk_kex group;

		gk_assert_ok(gk_kex_generate(&env, all[i], &key));
		gk_assert_ok(gk_kex_to_pem(key, &pem));
		gk_assert_ok(gk_kex_public_to_pem(key, &pub));
		gk_assert_ok(gk_kex_from_pem(gk_buf_slice(&pem), &again));
		assert_int_equal(gk_kex_group(again), all[i]);
		assert_true(gk_slice_equal(gk_kex_public(again),
		                           gk_kex_public(key)));
		gk_assert_ok(gk_kex_public_from_pem(gk_buf_slice(&pub), &group,
		                                    &value));
		assert_int_equal(group, all[i]);
		assert_true(gk_slice_equal(gk_buf_slice(&value),
		                           gk_kex_public(key)));
		gk_buf_free(&value);
		gk_buf_free(&pub);
		gk_buf_free(&pem);
		gk_kex_free(again);
		gk_kex_free(key);
	}
}

/* A key of a kind that no group here is of, half a file, the wrong half. */
GK_TEST(crypto_kex, what_is_no_static_key_is_refused)
{
	static const char ed25519[] =
		"-----BEGIN PUBLIC KEY-----\n"
		"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
		"-----END PUBLIC KEY-----\n";
	uint8_t next = 1;
	const struct gk_env env = { .random = count_up, .ctx = &next };
	struct gk_kex_key *key, *none;
	struct gk_buf pem, pub, value;
	enum gk_kex group;

	gk_assert_err(
		GK_ERR_VALUE,
		gk_kex_public_from_pem(gk_slice_str(ed25519), &group, &value));
	gk_assert_ok(gk_kex_generate(&env, GK_KEX_P256, &key));
	gk_assert_ok(gk_kex_to_pem(key, &pem));
	gk_assert_ok(gk_kex_public_to_pem(key, &pub));
	gk_assert_err(GK_ERR_VALUE, gk_kex_from_pem(gk_buf_slice(&pub), &none));
	assert_null(none);
	gk_assert_err(GK_ERR_VALUE, gk_kex_public_from_pem(gk_buf_slice(&pem),
	                                                   &group, &value));
	assert_null(value.ptr);
	for (size_t n = 0; n < pem.len - 30; n++)
		gk_assert_err(GK_ERR_VALUE,
		              gk_kex_from_pem((struct gk_slice){ pem.ptr, n },
		                              &none));
	gk_buf_free(&pub);
	gk_buf_free(&pem);
	gk_kex_free(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc3526, modp_known_answers),
		GK_RUN(rfc3526_8,
		       private_values_are_long_enough_and_not_longer),
		GK_RUN(rfc5903_8, known_answers),
		GK_RUN(rfc7748_5_2, known_answers),
		GK_RUN(crypto_kex, equal_randomness_gives_equal_octets),
		GK_RUN(crypto_kex, broken_generator_is_an_error_and_no_key),
		GK_RUN(rfc4535_7_11_2_03, degenerate_modp_values_are_refused),
		GK_RUN(rfc4535_6_2_06,
		       p_minus_one_is_refused_and_p_minus_two_is_not),
		GK_RUN(crypto_kex, short_modp_value_is_padded_when_allowed),
		GK_RUN(rfc5903_9, points_off_the_curve_are_refused),
		GK_RUN(rfc7748_6_1, points_of_small_order_are_refused),
		GK_RUN(crypto_kex, private_values_out_of_range_are_refused),
		GK_RUN(crypto_kex, static_key_survives_its_file),
		GK_RUN(crypto_kex, what_is_no_static_key_is_refused),
	};

	return cmocka_run_group_tests_name("common/crypto/kex", tests, NULL,
	                                   NULL);
}
