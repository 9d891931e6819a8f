/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy-tokens/der/gpt_der.h"
#include "policy-tokens/tests/gpt_golden.h"
#include "policy-tokens/tests/gpt_random.h"

#define SLICE(a) ((struct gk_slice){ (a), sizeof(a) })

static struct gpt_token *
decoded(struct gk_slice der)
{
	struct gpt_token *token = NULL;
	struct gpt_fault why = { 0 };
	char text[512];

	if (gpt_token_decode(der, &token, &why) != GK_OK)
		fail_msg("%s", gpt_fault_format(&why, text, sizeof(text)));
	return token;
}

static void
check_reencodes(struct gk_slice der)
{
	struct gpt_token *token = decoded(der);
	struct gk_buf again = { 0 };
	struct gpt_fault why = { 0 };

	gk_assert_ok(gpt_token_encode(token, &again, &why));
	assert_int_equal(again.len, der.len);
	assert_memory_equal(again.ptr, der.ptr, der.len);
	gk_buf_free(&again);
	gpt_token_free(token);
}

static void
check_refused(struct gk_slice der, enum gk_err err, const char *req,
              const char *field)
{
	struct gpt_token *token = NULL;
	struct gpt_fault why = { 0 };

	gk_assert_err(err, gpt_token_decode(der, &token, &why));
	assert_null(token);
	assert_string_equal(why.req ? why.req : "-", req);
	assert_string_equal(why.field, field);
}

/* A refusal says where, not only what: no further on than what is wrong, and within
 * the protocol that it is in. */
static void
check_placed(size_t at, const void *patch, size_t n, size_t least)
{
	uint8_t der[sizeof(golden)];
	struct gpt_token *token = NULL;
	struct gpt_fault why = { 0 };

	memcpy(der, golden, sizeof(golden));
	memcpy(der + at, patch, n);
	assert_int_not_equal(gpt_token_decode(SLICE(der), &token, &why), GK_OK);
	if (why.offset < least || why.offset > at)
		fail_msg("octet %zu for what is wrong at %zu", why.offset, at);
}

/* The golden token with @n octets at @at replaced. */
static void
check_patched(size_t at, const void *patch, size_t n, enum gk_err err,
              const char *req, const char *field)
{
	uint8_t der[sizeof(golden)];

	memcpy(der, golden, sizeof(golden));
	memcpy(der + at, patch, n);
	check_refused(SLICE(der), err, req, field);
}

/* Where a piece of the golden token stands. */
static size_t
find(const void *piece, size_t n)
{
	const uint8_t *hit = memmem(golden, sizeof(golden), piece, n);

	assert_non_null(hit);
	return (size_t)(hit - golden);
}

GK_TEST(rfc4534_3_01, golden_token_decodes)
{
	struct gpt_token *t = decoded(SLICE(golden));
	const struct gpt_register *reg;
	const struct gpt_deregister *dereg;
	const struct gpt_rekey *rekey;
	const struct gpt_data *data;
	bool unknown;

	assert_int_equal(t->version, 1);
	assert_int_equal(t->group_name.len, 12);
	assert_memory_equal(t->group_name.ptr + 8, "news", 4);
	assert_true(t->has_edition);
	assert_int_equal(t->edition, 7);
	assert_int_equal(t->n_registration, 1);
	assert_int_equal(t->n_rekey, 2);
	assert_int_equal(t->n_data, 1);

	reg = gpt_token_register(t, &unknown);
	assert_non_null(reg);
	assert_false(unknown);
	assert_int_equal(reg->gcks.n, 1);
	assert_int_equal(reg->gcks.at[0].entity.type, 31);
	assert_int_equal(reg->gcks.at[0].ca.len, 20);
	assert_int_equal(reg->n_sub_gcks, 1);
	assert_true(reg->senders_limited);
	assert_int_equal(reg->n_access, 2);
	assert_int_equal(reg->access[0].n_permissions, 1);
	assert_int_equal(reg->access[0].permissions[0], 5);
	assert_int_equal(reg->access[0].exclusions.n, 1);
	assert_false(reg->access[1].has_exclusions);
	assert_int_equal(reg->n_mechanisms, 2);
	assert_null(reg->mechanisms[0].suite);
	assert_int_equal(reg->mechanisms[0].alacarte.sig_algorithm, 49154);
	assert_int_equal(reg->mechanisms[0].alacarte.timeout.value, 5);
	assert_true(reg->mechanisms[0].alacarte.terse);
	assert_true(reg->mechanisms[0].alacarte.has_timestamp);
	assert_false(reg->mechanisms[0].alacarte.timestamp);
	assert_string_equal(reg->mechanisms[1].suite, GPT_OID_SUITE_ONE);
	assert_int_equal(reg->transport, GPT_TRANSPORT_UDP_RTJ_TCP_OTHER);

	dereg = gpt_token_deregister(t);
	assert_non_null(dereg);
	assert_false(dereg->no_terse);
	assert_false(dereg->terse);
	assert_int_equal(dereg->transport, GPT_TRANSPORT_UDP);

	rekey = gpt_token_rekey(t, &unknown);
	assert_non_null(rekey);
	assert_true(unknown);
	assert_int_equal(rekey->event, GPT_REKEY_EVENT_TIME_AND_COUNT);
	assert_int_equal(rekey->event_time.value, 3600);
	assert_int_equal(rekey->event_count, 3);
	assert_int_equal(rekey->method, GPT_METHOD_LKH);
	assert_int_equal(rekey->lkh_key_type, 12);
	assert_int_equal(rekey->interval.kind, GPT_LIFEDATE_GT);
	assert_int_equal(rekey->interval.value, INT32_MAX);
	assert_int_equal(rekey->resend, 2);
	assert_int_equal(rekey->scheme, GPT_SCHEME_NONE);

	data = gpt_token_data(t);
	assert_non_null(data);
	assert_false(data->has_authentication);
	assert_int_equal(data->encryption.key_id.len, 4);
	assert_int_equal(data->encryption.expiration.kind, GPT_LIFEDATE_UTC);
	gpt_token_free(t);
}

/* 2.25 and one large number, made 119 small ones: 480 characters. */
GK_TEST(der_path, protocol_with_too_long_an_identifier_is_named)
{
	struct gpt_token *t = decoded(SLICE(golden));
	struct gk_buf der = { 0 };
	struct gpt_fault why = { 0 };
	char oid[257] = "2.25.1";
	uint8_t *at;

	memset(oid + 6, '0', 250);
	free(t->rekey[1].unknown.oid);
	t->rekey[1].unknown.oid = strdup(oid);
	gk_assert_ok(gpt_token_encode(t, &der, &why));
	at = memmem(der.ptr, der.len, "\x06\x78\x69", 3);
	assert_non_null(at);
	memset(at + 3, 0x7f, 119);
	gpt_token_free(t);
	t = NULL;
	gk_assert_err(GK_ERR_VALUE,
	              gpt_token_decode(gk_buf_slice(&der), &t, &why));
	assert_null(t);
	assert_string_equal(why.field, "rekey[1].protocol");
	gk_buf_free(&der);
}

GK_TEST(rfc4534_3_12, unknown_protocol_is_kept_as_it_is)
{
	struct gpt_token *t = decoded(SLICE(golden));

	assert_int_equal(t->rekey[1].kind, GPT_PROTOCOL_UNKNOWN);
	assert_string_equal(t->rekey[1].unknown.oid,
	                    "2.25.227007163891039140890553393414073698781.2.9");
	assert_int_equal(t->rekey[1].unknown.octets.len, 2);
	gpt_token_free(t);
}

GK_TEST(rfc4534_1_04, golden_tokens_reencode_octet_for_octet)
{
	check_reencodes(SLICE(golden));
	check_reencodes(SLICE(golden_explicit));
	check_reencodes(SLICE(golden_null));
}

GK_TEST(rfc4534_b_2_02, both_readings_give_the_same_policy)
{
	struct gpt_token *t = decoded(SLICE(golden_explicit));
	struct gpt_token *d = decoded(SLICE(golden));

	assert_int_equal(t->registration[0].reg.reg->tags, GPT_TAGS_EXPLICIT);
	assert_int_equal(t->registration[0].reg.reg->oid_form, GPT_OID_MODULE);
	assert_true(t->registration[0].dereg.dereg->no_terse);
	assert_int_equal(t->rekey[0].rekey->oid_form, GPT_OID_MODULE);
	assert_int_equal(t->rekey[0].rekey->scheme_none, GPT_NONE_EMPTY);
	assert_false(gpt_token_equal(t, d));

	/* Take the variants away and nothing distinguishes them. */
	t->registration[0].reg.reg->tags = GPT_TAGS_IMPLICIT;
	t->registration[0].reg.reg->oid_form = GPT_OID_IANA;
	t->registration[0].dereg.dereg->tags = GPT_TAGS_IMPLICIT;
	t->registration[0].dereg.dereg->no_terse = false;
	t->registration[0].dereg.dereg->terse = false;
	t->rekey[0].rekey->tags = GPT_TAGS_IMPLICIT;
	t->rekey[0].rekey->oid_form = GPT_OID_IANA;
	t->rekey[0].rekey->scheme_none = GPT_NONE_NULL;
	assert_true(gpt_token_equal(t, d));
	gpt_token_free(t);
	gpt_token_free(d);
}

GK_TEST(rfc4534_3_02, null_for_the_registration_list_is_remembered)
{
	struct gpt_token *t = decoded(SLICE(golden_null));

	assert_true(t->registration_null);
	assert_int_equal(t->n_registration, 0);
	assert_null(gpt_token_register(t, NULL));
	gpt_token_free(t);
}

GK_TEST(rfc4534_1_04, every_truncation_is_refused_and_placed)
{
	for (size_t n = 0; n < sizeof(golden); n++) {
		struct gpt_token *token = NULL;
		struct gpt_fault why = { 0 };

		gk_assert_err(GK_ERR_TRUNCATED,
		              gpt_token_decode((struct gk_slice){ golden, n },
		                               &token, &why));
		assert_null(token);
		assert_true(why.offset <= n);
		assert_true(why.text[0] != '\0');
	}
}

GK_TEST(rfc4534_b_1_02, octet_after_the_token_is_no_part_of_it)
{
	uint8_t der[sizeof(golden) + 1] = { 0 };
	struct gpt_token *token = NULL;
	struct gpt_fault why = { 0 };

	memcpy(der, golden, sizeof(golden));
	gk_assert_err(GK_ERR_TRAILING,
	              gpt_token_decode(SLICE(der), &token, &why));
	assert_int_equal(why.offset, sizeof(golden));
}

/* Each length octet of the outer framing, one too small and one too large.
 * The nested protocolInfo octets are covered too: they are framed alike. */
GK_TEST(rfc4534_1_04, every_octet_changed_is_refused_or_reencodes)
{
	for (size_t i = 0; i < sizeof(golden); i++) {
		for (int delta = -1; delta <= 1; delta += 2) {
			uint8_t der[sizeof(golden)];
			struct gpt_token *token = NULL;
			struct gk_buf again = { 0 };
			struct gpt_fault why = { 0 };

			memcpy(der, golden, sizeof(golden));
			der[i] = (uint8_t)(der[i] + delta);
			if (gpt_token_decode(SLICE(der), &token, &why) !=
			    GK_OK) {
				assert_null(token);
				assert_true(why.text[0] != '\0');
				continue;
			}
			gk_assert_ok(gpt_token_encode(token, &again, &why));
			assert_int_equal(again.len, sizeof(der));
			assert_memory_equal(again.ptr, der, sizeof(der));
			gk_buf_free(&again);
			gpt_token_free(token);
		}
	}
}

GK_TEST(rfc4534_1_04, indefinite_length_is_refused)
{
	uint8_t der[sizeof(golden) + 2];
	struct gpt_token *token = NULL;
	struct gpt_fault why = { 0 };

	/* 30 82 xx xx ...  becomes  30 80 ... 00 00 */
	der[0] = 0x30;
	der[1] = 0x80;
	memcpy(der + 2, golden + 4, sizeof(golden) - 4);
	memset(der + sizeof(golden) - 2, 0, 4);
	gk_assert_err(GK_ERR_VALUE,
	              gpt_token_decode((struct gk_slice){ der, sizeof(golden) },
	                               &token, &why));
	assert_string_equal(why.req, "RFC4534-1-04");
	assert_int_equal(why.offset, 1);
}

GK_TEST(rfc4534_1_04, boolean_other_than_ff_is_refused)
{
	static const uint8_t op_info[] = { 0x02, 0x01, 0x05, 0x01, 0x01, 0xff };

	check_patched(find(op_info, sizeof(op_info)) + 5, "\x01", 1,
	              GK_ERR_VALUE, "RFC4534-1-04",
	              "registration[0].register.protocolInfo."
	              "joinMechanisms.alaCarte.opInfo.terse");
}

GK_TEST(rfc4534_3_1_01, version_other_than_one_is_refused)
{
	check_patched(8, "\x02", 1, GK_ERR_VALUE, "RFC4534-3.1-01",
	              "tokenInfo.tokenDefVersion");
}

GK_TEST(rfc4534_3_1_06, boolean_is_no_lifedate)
{
	static const uint8_t op_info[] = { 0x02, 0x01, 0x05, 0x01, 0x01, 0xff };

	check_patched(find(op_info, sizeof(op_info)), "\x01", 1, GK_ERR_VALUE,
	              "RFC4534-1-04",
	              "registration[0].register.protocolInfo."
	              "joinMechanisms.alaCarte.opInfo.timeOut");
}

GK_TEST(rfc4534_3_1_06, impossible_date_is_refused)
{
	check_patched(find("20380119", 8), "20381319", 8, GK_ERR_VALUE,
	              "RFC4534-3.1-06", "rekey[0].protocolInfo.rekeyInterval");
	check_patched(find("491231235959Z", 13), "491231235960Z", 13,
	              GK_ERR_VALUE, "RFC4534-3.1-06",
	              "data[0].protocolInfo.encryption.keyExpirationDate");
}

GK_TEST(rfc4534_1_04, what_is_wrong_is_told_near_its_octet)
{
	static const uint8_t op_info[] = { 0x02, 0x01, 0x05, 0x01, 0x01, 0xff };
	size_t at = find(op_info, sizeof(op_info));

	check_placed(at, "", 1, 1);
}

GK_TEST(rfc4534_b_1_2_05, permission_outside_one_to_nine_is_refused)
{
	static const uint8_t five[] = { 0x30, 0x03, 0x81, 0x01, 0x05 };
	size_t at = find(five, sizeof(five)) + 4;

	check_patched(at, "\x00", 1, GK_ERR_VALUE, "RFC4534-B.1.2-05",
	              "registration[0].register.protocolInfo.joinAccessControl."
	              "permissions.simplePermission");
	check_patched(at, "\x0a", 1, GK_ERR_VALUE, "RFC4534-B.1.2-05",
	              "registration[0].register.protocolInfo.joinAccessControl."
	              "permissions.simplePermission");
}

GK_TEST(rfc4534_b_1_4_02, transport_without_a_meaning_is_none)
{
	/* [2] of the registration is the last element of its info */
	static const uint8_t suite_end[] = { 0x0c, 0x02, 0x01, 0x82, 0x00 };

	check_patched(find(suite_end, sizeof(suite_end)) + 3, "\x83", 1,
	              GK_ERR_VALUE, "RFC4534-1-04",
	              "registration[0].register.protocolInfo.transport");
}

GK_TEST(rfc4534_b_3_07, third_transport_is_none_for_departures)
{
	static const uint8_t end[] = { 0x01, 0x01, 0x00, 0x81, 0x00 };
	size_t at = 0;

	for (size_t i = 0; i + sizeof(end) <= sizeof(golden); i++)
		if (memcmp(golden + i, end, sizeof(end)) == 0)
			at = i + 3; /* the last one: the de-registration's */
	assert_int_not_equal(at, 0);
	check_patched(at, "\x82", 1, GK_ERR_VALUE, "RFC4534-1-04",
	              "registration[0].de-register.protocolInfo.transport");
}

GK_TEST(rfc4534_1_04, integer_of_nine_octets_is_refused_not_cut)
{
	/* SEQUENCE { SEQUENCE { 1, 'g', edition }, {}, {}, {} } */
	static const uint8_t der[] = {
		0x30, 0x19, 0x30, 0x11, 0x02, 0x01, 0x01, 0x04, 0x01,
		'g',  0x02, 0x09, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x30, 0x00, 0x30, 0x00, 0x30, 0x00,
	};

	check_refused(SLICE(der), GK_ERR_VALUE, "RFC4534-1-04",
	              "tokenInfo.edition");
}

GK_TEST(rfc4534_3_1_04, smallest_token_has_no_edition)
{
	static const uint8_t der[] = {
		0x30, 0x0e, 0x30, 0x06, 0x02, 0x01, 0x01, 0x04,
		0x01, 'g',  0x30, 0x00, 0x30, 0x00, 0x30, 0x00,
	};
	struct gpt_token *t = decoded(SLICE(der));

	assert_false(t->has_edition);
	assert_int_equal(t->n_registration, 0);
	assert_false(t->registration_null);
	gpt_token_free(t);
	check_reencodes(SLICE(der));
}

GK_TEST(rfc4534_3_01, token_has_all_of_its_lists)
{
	static const uint8_t der[] = {
		0x30, 0x0c, 0x30, 0x06, 0x02, 0x01, 0x01,
		0x04, 0x01, 'g',  0x30, 0x00, 0x30, 0x00,
	};

	check_refused(SLICE(der), GK_ERR_VALUE, "RFC4534-1-04", "data");
}

GK_TEST(der_cap, oversized_token_is_refused_unread)
{
	struct gpt_token *token = NULL;
	struct gpt_fault why = { 0 };
	uint8_t *big = calloc(1, GPT_TOKEN_CAP + 1);

	assert_non_null(big);
	gk_assert_err(
		GK_ERR_SPACE,
		gpt_token_decode((struct gk_slice){ big, GPT_TOKEN_CAP + 1 },
	                         &token, &why));
	/* The largest one is read, and is no token. */
	assert_int_not_equal(
		gpt_token_decode((struct gk_slice){ big, GPT_TOKEN_CAP },
	                         &token, &why),
		GK_ERR_SPACE);
	free(big);
}

GK_TEST(rfc4534_3_01, random_policies_survive_the_der)
{
	for (uint32_t seed = 1; seed <= 500; seed++) {
		struct gpt_token *token = gpt_random_token(seed);
		struct gpt_token *back = NULL, *copy = NULL;
		struct gk_buf der = { 0 };
		struct gpt_fault why = { 0 };

		gk_assert_ok(gpt_token_encode(token, &der, &why));
		gk_assert_ok(gpt_token_decode(gk_buf_slice(&der), &back, &why));
		if (!gpt_token_equal(token, back))
			fail_msg("seed %u: another policy came back", seed);
		gk_assert_ok(gpt_token_copy(token, &copy));
		assert_true(gpt_token_equal(token, copy));
		check_reencodes(gk_buf_slice(&der));
		gk_buf_free(&der);
		gpt_token_free(token);
		gpt_token_free(back);
		gpt_token_free(copy);
	}
}

GK_TEST(rfc4534_1_04, model_that_asn1_cannot_say_is_not_encoded)
{
	struct gpt_token *token = decoded(SLICE(golden));
	struct gpt_register *reg = token->registration[0].reg.reg;
	struct gk_buf der = { 0 };
	struct gpt_fault why = { 0 };

	reg->access[0].permissions[0] = 10;
	gk_assert_err(GK_ERR_VALUE, gpt_token_encode(token, &der, &why));
	assert_string_equal(why.field, "registration[0].register."
	                               "joinAccessControl.permissions");
	reg->access[0].permissions[0] = 9;
	free(reg->mechanisms[1].suite);
	reg->mechanisms[1].suite = strdup("suite-1");
	gk_assert_err(GK_ERR_VALUE, gpt_token_encode(token, &der, &why));
	assert_null(der.ptr);
	gpt_token_free(token);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4534_3_01, golden_token_decodes),
		GK_RUN(der_path, protocol_with_too_long_an_identifier_is_named),
		GK_RUN(rfc4534_3_12, unknown_protocol_is_kept_as_it_is),
		GK_RUN(rfc4534_1_04, golden_tokens_reencode_octet_for_octet),
		GK_RUN(rfc4534_b_2_02, both_readings_give_the_same_policy),
		GK_RUN(rfc4534_3_02,
		       null_for_the_registration_list_is_remembered),
		GK_RUN(rfc4534_1_04, every_truncation_is_refused_and_placed),
		GK_RUN(rfc4534_b_1_02, octet_after_the_token_is_no_part_of_it),
		GK_RUN(rfc4534_1_04,
		       every_octet_changed_is_refused_or_reencodes),
		GK_RUN(rfc4534_1_04, indefinite_length_is_refused),
		GK_RUN(rfc4534_1_04, boolean_other_than_ff_is_refused),
		GK_RUN(rfc4534_3_1_01, version_other_than_one_is_refused),
		GK_RUN(rfc4534_3_1_06, boolean_is_no_lifedate),
		GK_RUN(rfc4534_3_1_06, impossible_date_is_refused),
		GK_RUN(rfc4534_b_1_2_05,
		       permission_outside_one_to_nine_is_refused),
		GK_RUN(rfc4534_1_04, what_is_wrong_is_told_near_its_octet),
		GK_RUN(rfc4534_b_1_4_02, transport_without_a_meaning_is_none),
		GK_RUN(rfc4534_b_3_07, third_transport_is_none_for_departures),
		GK_RUN(rfc4534_1_04, integer_of_nine_octets_is_refused_not_cut),
		GK_RUN(rfc4534_3_1_04, smallest_token_has_no_edition),
		GK_RUN(rfc4534_3_01, token_has_all_of_its_lists),
		GK_RUN(der_cap, oversized_token_is_refused_unread),
		GK_RUN(rfc4534_3_01, random_policies_survive_the_der),
		GK_RUN(rfc4534_1_04, model_that_asn1_cannot_say_is_not_encoded),
	};

	return cmocka_run_group_tests_name("policy-tokens/der", tests, NULL,
	                                   NULL);
}
