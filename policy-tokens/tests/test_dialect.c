/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include "policy-tokens/der/gpt_der.h"
#include "policy-tokens/tests/gpt_golden.h"
#include "policy-tokens/token/gpt_dialect.h"
#include "policy-tokens/token/gpt_groupid.h"

static struct gpt_dialect
reading(const char *name, const char *value)
{
	struct gpt_dialect d = { 0 };

	gk_assert_ok(gpt_dialect_set(&d, name, value));
	return d;
}

static struct gpt_token *
golden_token(void)
{
	struct gpt_token *token = NULL;

	gk_assert_ok(gpt_token_decode(
		(struct gk_slice){ golden, sizeof(golden) }, &token, NULL));
	return token;
}

/* The golden token in other readings: what is written is read back, and only
 * the default readings give the golden octets again. */
GK_TEST(rfc4534_b_1_01, readings_change_octets_and_not_the_policy)
{
	static const struct {
		const char *name, *value;
	} other[] = {
		{ "token_reg_oid", "module" },
		{ "token_rekey_oid", "module" },
		{ "token_dereg_terse", "absent" },
		{ "token_tags", "explicit" },
	};

	for (size_t i = 0; i < GK_COUNT(other); i++) {
		struct gpt_dialect d = reading(other[i].name, other[i].value);
		const struct gpt_dialect plain = { 0 };
		struct gpt_token *token = golden_token(), *back = NULL;
		struct gk_buf der = { 0 }, again = { 0 };

		gk_assert_ok(gpt_dialect_apply(&d, token));
		gk_assert_ok(gpt_token_encode(token, &der, NULL));
		assert_false(gk_slice_equal(
			gk_buf_slice(&der),
			(struct gk_slice){ golden, sizeof(golden) }));
		gk_assert_ok(gpt_token_decode(gk_buf_slice(&der), &back, NULL));
		assert_true(gpt_token_equal(token, back));
		/* What was left out reads as true; the policy said false. */
		back->registration[0].dereg.dereg->terse = false;
		gk_assert_ok(gpt_dialect_apply(&plain, back));
		gk_assert_ok(gpt_token_encode(back, &again, NULL));
		assert_int_equal(again.len, sizeof(golden));
		assert_memory_equal(again.ptr, golden, sizeof(golden));
		gk_buf_free(&der);
		gk_buf_free(&again);
		gpt_token_free(token);
		gpt_token_free(back);
	}
}

GK_TEST(rfc4534_3_1_02, the_group_name_in_three_readings)
{
	static const struct {
		const char *value;
		struct gk_slice octets;
	} row[] = {
		{ "value", { (const uint8_t *)"12345678name", 12 } },
		{ "tlv",
		  { (const uint8_t *)"\x02\x0c"
		                     "12345678name",
		    14 } },
		{ "text", { (const uint8_t *)"name", 4 } },
	};

	for (size_t i = 0; i < GK_COUNT(row); i++) {
		struct gpt_dialect d = reading("token_groupname", row[i].value);
		struct gk_buf name = { 0 };

		gk_assert_ok(gpt_dialect_group_name(
			(enum gpt_token_groupname)d.token_groupname,
			GPT_GROUPID_OCTETS, row[0].octets, &name));
		assert_true(gk_slice_equal(gk_buf_slice(&name), row[i].octets));
		gk_buf_free(&name);
	}
	/* Nothing is left of a name that is a Random Value only. */
	struct gk_buf none = { 0 };

	gk_assert_err(GK_ERR_VALUE,
	              gpt_dialect_group_name(GPT_TOKEN_GROUPNAME_TEXT,
	                                     GPT_GROUPID_OCTETS,
	                                     gk_slice_str("12345678"), &none));
}

GK_TEST(rfc4534_3_02, three_ways_to_say_no_registration)
{
	static const char *const values[] = { "empty", "null", "none" };

	for (size_t i = 0; i < GK_COUNT(values); i++) {
		struct gpt_dialect d = reading("token_no_reg", values[i]);
		struct gpt_token *token = gpt_token_new(), *back = NULL;
		struct gk_buf der = { 0 };

		assert_non_null(token);
		gk_assert_ok(gk_buf_copy(&token->group_name,
		                         gk_slice_str("12345678g")));
		gk_assert_ok(gpt_dialect_apply(&d, token));
		/* Once more: from what is there already. */
		gk_assert_ok(gpt_dialect_apply(&d, token));
		gk_assert_ok(gpt_token_encode(token, &der, NULL));
		gk_assert_ok(gpt_token_decode(gk_buf_slice(&der), &back, NULL));
		assert_int_equal(back->registration_null, i == 1);
		assert_int_equal(back->n_registration, i == 2);
		assert_null(gpt_token_register(back, NULL));
		gk_buf_free(&der);
		gpt_token_free(token);
		gpt_token_free(back);
	}
}

GK_TEST(gpt_dialect, unknown_names_and_values_are_told_apart)
{
	struct gpt_dialect d = { 0 };

	gk_assert_err(GK_ERR_UNEXPECTED, gpt_dialect_set(&d, "pad", "zero"));
	gk_assert_err(GK_ERR_VALUE,
	              gpt_dialect_set(&d, "token_tags", "module"));
	assert_int_equal(d.token_tags, GPT_TOKEN_TAGS_IMPLICIT);
}

GK_TEST(rfc4534_b_1_01, all_other_readings_at_once)
{
	struct gpt_dialect d = reading("token_tags", "explicit");
	struct gpt_token *token = golden_token();
	struct gk_buf der = { 0 };

	gk_assert_ok(gpt_dialect_set(&d, "token_reg_oid", "module"));
	gk_assert_ok(gpt_dialect_set(&d, "token_rekey_oid", "module"));
	gk_assert_ok(gpt_dialect_set(&d, "token_dereg_terse", "absent"));
	gk_assert_ok(gpt_dialect_set(&d, "token_none_info", "empty"));
	gk_assert_ok(gpt_dialect_apply(&d, token));
	gk_assert_ok(gpt_token_encode(token, &der, NULL));
	assert_int_equal(der.len, sizeof(golden_explicit));
	assert_memory_equal(der.ptr, golden_explicit, der.len);
	gk_buf_free(&der);
	gpt_token_free(token);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4534_b_1_01,
		       readings_change_octets_and_not_the_policy),
		GK_RUN(rfc4534_b_1_01, all_other_readings_at_once),
		GK_RUN(rfc4534_3_1_02, the_group_name_in_three_readings),
		GK_RUN(rfc4534_3_02, three_ways_to_say_no_registration),
		GK_RUN(gpt_dialect, unknown_names_and_values_are_told_apart),
	};

	return cmocka_run_group_tests_name("policy-tokens/dialect", tests, NULL,
	                                   NULL);
}
