/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/five.h"

#include "gdoi/message/ack.h"

/*
 * RFC 8263 section 3.2.  The expected values were computed with a few lines of
 * Python's hmac module from the formulas of that section.
 */
/* clang-format off */
static const struct {
	const char *name, *value; /* the switch that is set; NULL: none */
	uint16_t type;
	const char *key, *hash;
} known[] = {
	{ NULL, NULL, GDOI_ACK_KEK_SHA256,
	  "a1c548623ba90cf8ea1296281ca9d227593893948d655a064ab8629c7b3a94b5",
	  "fdf7f9456b710e6626c9d0ff9d9931fc864696354f1aaa73df0bf88b2b5528a0" },
	{ NULL, NULL, GDOI_ACK_LKH_SHA512,
	  "ee122fa0483dc280e40645c14dd1e46ac3879bcb1a130a7281484cef8cace849ddfd3bddd7c9385fbf21ff12dc0f2e850cccbad9fb98a310df2a5a90e0f5f430",
	  "deb39aa0820d76800bfc57e7dacf7bfd758f8f7ac5ab051386fc83473baba3db6acc59020403cf59da6e5a867ec402c71c530af98d0793eed42cc892e09a8523" },
	{ "ack_l", "output", GDOI_ACK_KEK_SHA256,
	  "71fab7364fc6213e498d6afe3fea15ad150c62cfc70fa30412cb040cd140a0a6",
	  "ee052f260cb5142edb1279226b070fba81437e5eb6b5a425a3162a9618154129" },
	{ "ack_l", "fixed512", GDOI_ACK_KEK_SHA512,
	  "2998479de7760d26766813205f281cbb0dc52642192dcf9f7b989e728c38fa1c7369d99ace08389a7708d2309a1c33ccbf558daa2e5798dfecb7199fa05fde3c",
	  "ad1165e9df56f7386071cb6d7fd334258be31a0705047f1531f8360d3a4612e504effab82d7daf06839f3f8eb08150119caae2e9647719b1c8c0e128dada1b2a" },
	{ "ack_l", "basekey", GDOI_ACK_LKH_SHA256,
	  "88e32eac2225e248b0b13629372d5706976a6d1319ee4fb8d064f8e2423d722c",
	  "91d758bab986f28ce74554caea8cab78ee8f1bb37cbcd205658c1d46f60e63e8" },
	{ "ack_label", "plain", GDOI_ACK_KEK_SHA256,
	  "5ee5fba4a33f6e4223a87c74215323d7538b201713518bd5496e0732b55c322e",
	  "6b5009fe89edd2d89a75d1e297d62abf6be89e6d3755e62875b9b768531636d8" },
	{ "ack_label", "double-nul", GDOI_ACK_KEK_SHA256,
	  "2d0e3babb89ecb55c016c60836dd9639b5d8c6fb791ee168d5793d3c962181b4",
	  "8bc4254392d48f2e35e2b58817dd09b3805b944ac9454ff3bd25d8a43ef0ce6d" },
	{ "ack_hash", "bodies", GDOI_ACK_KEK_SHA256,
	  "a1c548623ba90cf8ea1296281ca9d227593893948d655a064ab8629c7b3a94b5",
	  "429276f3d5eb29eea985a9d836f7d95eb74ad291a62bdff08094d55f88a45cb7" },
};
/* clang-format on */

static const uint8_t base_key[] = { 0, 1, 2,  3,  4,  5,  6,  7,
	                            8, 9, 10, 11, 12, 13, 14, 15 };
static const uint8_t spi[] = { 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
	                       0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f };
static const uint8_t seq[] = { 5, 0, 0, 8, 0, 0, 0, 7 };
static const uint8_t id[] = { 0, 0, 0, 12, 1, 0, 0, 0, 10, 0, 0, 2 };

static void
assert_text(const char *want, const uint8_t *octets, size_t len)
{
	char text[2 * GK_HASH_MAX + 1];

	assert_string_equal(
		gk_hex(text, sizeof(text), (struct gk_slice){ octets, len }),
		want);
}

GK_TEST(rfc8263_3_2_01, keys_and_hashes_of_every_type_and_reading)
{
	GK_SHOWS("RFC8263-3.2-06"); /* L, in its three readings */
	for (size_t i = 0; i < GK_COUNT(known); i++) {
		size_t size = gk_hash_size(gdoi_ack_prf(known[i].type));
		uint8_t key[GK_HASH_MAX], hash[GK_HASH_MAX];
		struct gdoi_dialect d = { 0 };

		if (known[i].name != NULL)
			gk_assert_ok(gdoi_dialect_set(&d, known[i].name,
			                              known[i].value));
		gk_assert_ok(gdoi_ack_key(
			&d, known[i].type,
			(struct gk_slice){ base_key, sizeof(base_key) }, spi,
			key));
		assert_text(known[i].key, key, size);
		gk_assert_ok(gdoi_ack_hash(
			&d, known[i].type, key,
			(struct gk_slice){ seq, sizeof(seq) },
			(struct gk_slice){ id, sizeof(id) }, hash));
		assert_text(known[i].hash, hash, size);
	}
}

GK_TEST(rfc8263_2_01, a_type_of_no_registry_has_no_key)
{
	uint8_t key[GK_HASH_MAX] = { 0 };

	gk_assert_err(GK_ERR_VALUE,
	              gdoi_ack_key(&defaults, 0,
	                           (struct gk_slice){ base_key, 16 }, spi,
	                           key));
	gk_assert_err(GK_ERR_VALUE,
	              gdoi_ack_key(&defaults, 5,
	                           (struct gk_slice){ base_key, 16 }, spi,
	                           key));
	gk_assert_err(GK_ERR_VALUE,
	              gdoi_ack_hash(&defaults, 5, key,
	                            (struct gk_slice){ seq, sizeof(seq) },
	                            (struct gk_slice){ id, sizeof(id) }, key));
}

GK_TEST(rfc8263_2_2_02, half_of_the_types_take_the_leaf)
{
	assert_false(gdoi_ack_by_leaf(GDOI_ACK_KEK_SHA256));
	assert_true(gdoi_ack_by_leaf(GDOI_ACK_LKH_SHA256));
	assert_false(gdoi_ack_by_leaf(GDOI_ACK_KEK_SHA512));
	assert_true(gdoi_ack_by_leaf(GDOI_ACK_LKH_SHA512));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc8263_3_2_01,
		       keys_and_hashes_of_every_type_and_reading),
		GK_RUN(rfc8263_2_01, a_type_of_no_registry_has_no_key),
		GK_RUN(rfc8263_2_2_02, half_of_the_types_take_the_leaf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
