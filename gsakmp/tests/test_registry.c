/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <string.h>

#include "gsakmp/gsakmp_algorithm.h"

static const struct gsakmp_dialect defaults;
static const struct gsakmp_vocabulary plain, suite = { .suite = true };

/* Known values per table, counted in RFC 4535 by hand. */
GK_TEST(rfc4535_tables, each_table_has_the_values_of_the_rfc)
{
	static const struct {
		enum gsakmp_table table;
		uint32_t max;
		size_t rfc, extra;
	} row[] = {
		{ GSAKMP_TABLE_GROUPID, 255, 4, 0 },
		{ GSAKMP_TABLE_PAYLOAD, 255, 11, 0 },
		{ GSAKMP_TABLE_EXCHANGE, 255, 10, 0 },
		{ GSAKMP_TABLE_TOKEN, 65535, 1, 0 },
		{ GSAKMP_TABLE_ITEM, 255, 2, 0 },
		{ GSAKMP_TABLE_KEY, 65535, 3, 3 },
		{ GSAKMP_TABLE_REKEY, 255, 2, 0 },
		{ GSAKMP_TABLE_ID_CLASS, 255, 3, 0 },
		{ GSAKMP_TABLE_ID, 255, 8, 0 },
		{ GSAKMP_TABLE_CERT, 65535, 7, 0 },
		{ GSAKMP_TABLE_SIGNATURE, 65535, 3, 4 },
		{ GSAKMP_TABLE_NOTIFY, 65535, 26, 1 },
		{ GSAKMP_TABLE_ACK, 255, 1, 0 },
		{ GSAKMP_TABLE_MECHANISM, 255, 3, 0 },
		{ GSAKMP_TABLE_NONCE_HASH, 65535, 1, 2 },
		{ GSAKMP_TABLE_KEY_CREATION, 65535, 2, 3 },
		{ GSAKMP_TABLE_NONCE, 255, 4, 0 },
	};

	for (size_t i = 0; i < GK_COUNT(row); i++) {
		size_t rfc = 0, wide = 0, assigned = 0;

		for (uint32_t v = 0; v <= row[i].max; v++) {
			rfc += gsakmp_code_known(row[i].table, &plain, v);
			wide += gsakmp_code_known(row[i].table, &suite, v);
			assigned += gsakmp_code_range(row[i].table, v) ==
			            GSAKMP_RANGE_ASSIGNED;
			assert_non_null(gsakmp_code_text(row[i].table, v));
			/* What is ours lies in a private-use range. */
			if (gsakmp_code_extra(row[i].table, v))
				assert_int_equal(
					gsakmp_code_range(row[i].table, v),
					GSAKMP_RANGE_PRIVATE);
		}
		assert_int_equal(rfc, row[i].rfc);
		assert_int_equal(assigned, row[i].rfc);
		assert_int_equal(wide, row[i].rfc + row[i].extra);
	}
}

GK_TEST(rfc4535_7_8_1, table_21_private_range_without_its_misprint)
{
	assert_int_equal(gsakmp_code_range(GSAKMP_TABLE_SIGNATURE, 41953),
	                 GSAKMP_RANGE_RESERVED);
	assert_int_equal(gsakmp_code_range(GSAKMP_TABLE_SIGNATURE, 49152),
	                 GSAKMP_RANGE_RESERVED);
	assert_int_equal(gsakmp_code_range(GSAKMP_TABLE_SIGNATURE, 49153),
	                 GSAKMP_RANGE_PRIVATE);
	assert_int_equal(gsakmp_code_range(GSAKMP_TABLE_SIGNATURE, 65535),
	                 GSAKMP_RANGE_PRIVATE);
}

GK_TEST(rfc4535_7_12_1_02, nonce_type_192_means_nothing)
{
	assert_false(gsakmp_code_known(GSAKMP_TABLE_NONCE, &suite, 192));
	assert_string_equal(gsakmp_code_text(GSAKMP_TABLE_NONCE, 193),
	                    "private");
	assert_string_equal(gsakmp_code_text(GSAKMP_TABLE_NONCE, 192),
	                    "unassigned");
}

GK_TEST(rfc4535_tables, names_and_values_find_each_other)
{
	uint32_t v = 0;

	assert_string_equal(gsakmp_code_text(GSAKMP_TABLE_EXCHANGE, 8),
	                    "Request to Join");
	assert_true(gsakmp_code_find(GSAKMP_TABLE_KEY, "aes_cbc_128", &v));
	assert_int_equal(v, 12);
	assert_true(gsakmp_code_find(GSAKMP_TABLE_SIGNATURE, "Ed25519", &v));
	assert_int_equal(v, 49156);
	assert_false(gsakmp_code_find(GSAKMP_TABLE_KEY, "rot13", &v));
}

GK_TEST(rfc4535_7_10_1, vendor_id_is_the_hash_of_its_text)
{
	const struct gk_slice text =
		gk_slice_str("MSEC suite GSAKMP extensions 1");
	struct gsakmp_vocabulary voc = { 0 };
	uint8_t digest[GK_HASH_MAX];
	struct gk_slice vid = gsakmp_vendor_suite();

	gk_assert_ok(gk_hash(GK_HASH_SHA256, &text, 1, digest));
	assert_int_equal(vid.len, 16);
	assert_memory_equal(vid.ptr, digest, 16);
	/* A part of it, or more than it, is not it. */
	vid.len = 15;
	assert_false(gsakmp_vocabulary_learn(&voc, vid));
	assert_false(
		gsakmp_vocabulary_learn(&voc, (struct gk_slice){ digest, 17 }));
	assert_false(voc.suite);
	assert_true(gsakmp_vocabulary_learn(&voc, gsakmp_vendor_suite()));
	assert_true(voc.suite);
}

/* Every code point that a message may carry has an algorithm behind it. */
GK_TEST(rfc4535_6_2_01, known_code_points_have_algorithms)
{
	struct gsakmp_cipher c;

	for (uint32_t v = 0; v <= 65535; v++) {
		uint16_t code = (uint16_t)v;

		assert_int_equal(gsakmp_code_known(GSAKMP_TABLE_KEY, &suite, v),
		                 gsakmp_cipher(&defaults, code, &c));
		assert_int_equal(
			gsakmp_code_known(GSAKMP_TABLE_KEY_CREATION, &suite, v),
			gsakmp_kex(code) != GK_KEX_NONE);
		assert_int_equal(
			gsakmp_code_known(GSAKMP_TABLE_NONCE_HASH, &suite, v),
			gsakmp_nonce_hash(code) != GK_HASH_NONE);
		assert_int_equal(
			gsakmp_code_known(GSAKMP_TABLE_SIGNATURE, &suite, v),
			gsakmp_signature_alg(&defaults, code).scheme !=
				GK_SIG_NONE);
	}
}

GK_TEST(rfc4535_6_2_01, suite_1_is_marked_as_legacy)
{
	assert_true(gsakmp_is_legacy(GSAKMP_TABLE_KEY_CREATION, &defaults, 2));
	assert_true(gsakmp_is_legacy(GSAKMP_TABLE_NONCE_HASH, &defaults, 1));
	assert_true(gsakmp_is_legacy(GSAKMP_TABLE_SIGNATURE, &defaults, 0));
	assert_true(gsakmp_is_legacy(GSAKMP_TABLE_KEY, &defaults, 3));
	assert_false(gsakmp_is_legacy(GSAKMP_TABLE_KEY, &defaults, 12));
	assert_false(
		gsakmp_is_legacy(GSAKMP_TABLE_SIGNATURE, &defaults, 49154));
}

GK_TEST(rfc4535_7_4_1_1_03, aes_ctr_keys_have_the_length_of_the_dialect)
{
	static const size_t want[] = { 20, 16, 28, 36, 24, 32 };

	for (uint8_t i = 0; i < GK_COUNT(want); i++) {
		const struct gsakmp_dialect d = { .aes_ctr_key = i };

		assert_int_equal(gsakmp_key_length(&d, GSAKMP_KEY_AES_CTR),
		                 want[i]);
	}
}

/* Dialect ------------------------------------------------------------------ */

GK_TEST(dialect, every_reading_can_be_set_and_read_back)
{
	const struct gk_switch *s;
	struct gsakmp_dialect d = { 0 };
	size_t n;

	s = gsakmp_dialect_switches(&n);
	assert_int_equal(n, sizeof(struct gsakmp_dialect));
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(gsakmp_dialect_get(&defaults, s[i].name),
		                    s[i].values[0].name);
		assert_true(s[i].n_values >= 2);
		for (size_t v = s[i].n_values; v-- > 0;) {
			gk_assert_ok(gsakmp_dialect_set(&d, s[i].name,
			                                s[i].values[v].name));
			assert_string_equal(gsakmp_dialect_get(&d, s[i].name),
			                    s[i].values[v].name);
		}
	}
	assert_memory_equal(&d, &defaults, sizeof(d));
}

GK_TEST(dialect, unknown_names_change_nothing)
{
	struct gsakmp_dialect d = { 0 };

	gk_assert_err(GK_ERR_UNEXPECTED, gsakmp_dialect_set(&d, "iv", "zero"));
	gk_assert_err(GK_ERR_VALUE, gsakmp_dialect_set(&d, "pad", "Zero"));
	assert_memory_equal(&d, &defaults, sizeof(d));
	assert_null(gsakmp_dialect_get(&d, "iv"));
}

GK_TEST(dialect, numbers_on_the_wire_are_those_that_the_names_say)
{
	struct gsakmp_dialect d = { 0 };

	assert_int_equal(gsakmp_dialect_invalid_cert(&d), 14);
	assert_int_equal(gsakmp_dialect_freshness(&d), 14);
	assert_int_equal(gsakmp_dialect_loa(&d), 26);
	assert_int_equal(gsakmp_dialect_classification(&d), 1);
	gk_assert_ok(gsakmp_dialect_set(&d, "invalid_cert_code", "11"));
	gk_assert_ok(gsakmp_dialect_set(&d, "freshness_code", "19"));
	gk_assert_ok(gsakmp_dialect_set(&d, "loa_notify", "unauth"));
	gk_assert_ok(gsakmp_dialect_set(&d, "id_class", "third"));
	assert_int_equal(gsakmp_dialect_invalid_cert(&d), 11);
	assert_int_equal(gsakmp_dialect_freshness(&d), 19);
	assert_int_equal(gsakmp_dialect_loa(&d), 19);
	assert_int_equal(gsakmp_dialect_classification(&d), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_tables, each_table_has_the_values_of_the_rfc),
		GK_RUN(rfc4535_7_8_1,
		       table_21_private_range_without_its_misprint),
		GK_RUN(rfc4535_7_12_1_02, nonce_type_192_means_nothing),
		GK_RUN(rfc4535_tables, names_and_values_find_each_other),
		GK_RUN(rfc4535_7_10_1, vendor_id_is_the_hash_of_its_text),
		GK_RUN(rfc4535_6_2_01, known_code_points_have_algorithms),
		GK_RUN(rfc4535_6_2_01, suite_1_is_marked_as_legacy),
		GK_RUN(rfc4535_7_4_1_1_03,
		       aes_ctr_keys_have_the_length_of_the_dialect),
		GK_RUN(dialect, every_reading_can_be_set_and_read_back),
		GK_RUN(dialect, unknown_names_change_nothing),
		GK_RUN(dialect,
		       numbers_on_the_wire_are_those_that_the_names_say),
	};

	return cmocka_run_group_tests_name("gsakmp/registry", tests, NULL,
	                                   NULL);
}
