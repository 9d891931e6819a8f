/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <stdio.h>
#include <string.h>

#include "policy-tokens/der/gpt_der.h"
#include "policy-tokens/tests/gpt_golden_gdoi.h"
#include "policy-tokens/token/gpt_access.h"
#include "policy-tokens/token/gpt_gdoi.h"
#include "policy-tokens/token/gpt_lint.h"
#include "policy-tokens/xml/gpt_policy.h"

#define SLICE(a) ((struct gk_slice){ (a), sizeof(a) })
#define LEN sizeof(golden_gdoi)

static struct gpt_token *
decoded(struct gk_slice der)
{
	struct gpt_token *token = NULL;
	struct gpt_fault why = { 0 };

	if (gpt_token_decode(der, &token, &why) != GK_OK)
		fail_msg("%s: %s", why.field, why.text);
	return token;
}

/* Where @octets begin, once, in the golden token. */
static size_t
find(const char *octets, size_t n)
{
	const uint8_t *at = memmem(golden_gdoi, LEN, octets, n);

	assert_non_null(at);
	assert_null(memmem(at + 1, LEN - (size_t)(at + 1 - golden_gdoi), octets,
	                   n));
	return (size_t)(at - golden_gdoi);
}

/* The golden token with other octets at @at is refused, and why. */
static void
refused_with(size_t at, const char *octets, size_t n, const char *field)
{
	uint8_t der[LEN];
	struct gpt_token *token = NULL;
	struct gpt_fault why = { 0 };

	memcpy(der, golden_gdoi, LEN);
	memcpy(der + at, octets, n);
	gk_assert_err(GK_ERR_VALUE, gpt_token_decode(SLICE(der), &token, &why));
	assert_null(token);
	assert_string_equal(why.req, "RFC4534-1-04");
	assert_string_equal(why.field, field);
}

/* --- DER ------------------------------------------------------------------------- */

GK_TEST(msec_policy_5, every_field_of_the_golden_token_is_found)
{
	struct gpt_token *t = decoded(SLICE(golden_gdoi));
	const struct gpt_gdoi_register *reg = NULL;
	const struct gpt_register *lists = gpt_token_gdoi_register(t, &reg);
	const struct gpt_gdoi_rekey *rekey = gpt_token_gdoi_rekey(t, NULL);
	const struct gpt_ipsec_sa *sa = &t->data[0].ipsec->at[0];
	const struct gpt_iec_sa *iec = &t->data[1].iec->at[0];

	assert_int_equal(reg->group.number.value, 4660);
	assert_int_equal(reg->group.atd.value, 5);
	assert_int_equal(reg->group.sid_bits.value, 16);
	assert_false(reg->group.members.present);
	assert_int_equal(lists->access[0].rules.n, 2);
	assert_int_equal(lists->access[0].rules.at[0].ca.len, 0);
	assert_int_equal(reg->n_phase1, 1);
	assert_int_equal(reg->phase1[0].group.value, 14);
	assert_int_equal(rekey->lifetime.value, 86400);
	assert_int_equal(rekey->lkh_degree.value, 2);
	assert_int_equal(rekey->source.type, 1);
	assert_int_equal(rekey->destination.data.len, 4);
	assert_int_equal(rekey->silent_max.value, 3);
	assert_false(rekey->margin.present);
	assert_int_equal(sa->transform.value, 20);
	assert_int_equal(sa->source.type, 4);
	assert_int_equal(sa->destination.type, 7);
	assert_int_equal(sa->direction.value, 3);
	assert_string_equal(iec->oid, "1.0.62351.9.1");
	assert_int_equal(iec->payload.len, 2);
	assert_int_equal(iec->kda.value, 100);
	gpt_token_free(t);
}

GK_TEST(msec_policy_5, gdoi_reencodes_octet_for_octet_and_so_does_its_copy)
{
	struct gpt_token *t = decoded(SLICE(golden_gdoi)), *copy = NULL;
	struct gk_buf der = { 0 };

	gk_assert_ok(gpt_token_copy(t, &copy));
	assert_true(gpt_token_equal(t, copy));
	gk_assert_ok(gpt_token_encode(copy, &der, NULL));
	assert_true(gk_slice_equal(gk_buf_slice(&der), SLICE(golden_gdoi)));
	copy->rekey[0].gdoi_rekey->resend.value++;
	assert_false(gpt_token_equal(t, copy));
	gk_buf_free(&der);
	gpt_token_free(t);
	gpt_token_free(copy);
}

GK_TEST(msec_policy_5, every_truncation_of_a_gdoi_token_is_refused)
{
	for (size_t n = 0; n < LEN; n++) {
		struct gpt_token *token = NULL;
		struct gpt_fault why = { 0 };

		gk_assert_err(
			GK_ERR_TRUNCATED,
			gpt_token_decode((struct gk_slice){ golden_gdoi, n },
		                         &token, &why));
		assert_null(token);
		assert_true(why.offset <= n && why.text[0] != '\0');
	}
}

GK_TEST(msec_policy_5, every_octet_changed_is_refused_or_is_another_policy)
{
	for (size_t i = 0; i < LEN; i++) {
		for (int delta = -1; delta <= 1; delta += 2) {
			uint8_t der[LEN];
			struct gpt_token *token = NULL;
			struct gk_buf again = { 0 };
			struct gpt_fault why = { 0 };

			memcpy(der, golden_gdoi, LEN);
			der[i] = (uint8_t)(der[i] + delta);
			if (gpt_token_decode(SLICE(der), &token, &why) !=
			    GK_OK) {
				assert_null(token);
				assert_true(why.text[0] != '\0');
				continue;
			}
			gk_assert_ok(gpt_token_encode(token, &again, &why));
			assert_true(gk_slice_equal(gk_buf_slice(&again),
			                           SLICE(der)));
			gk_buf_free(&again);
			gpt_token_free(token);
		}
	}
}

GK_TEST(msec_policy_5, what_is_wrong_with_a_gdoi_field_has_its_name)
{
	/* destination [1] { 1, 239.1.1.1 }, destinationPort 848 */
	static const char to[] = "\xa1\x09\x02\x01\x01\x04\x04\xef\x01\x01\x01"
				 "\x02\x02\x03\x50";
	size_t at = find(to, sizeof(to) - 1);

	refused_with(at + 4, "\x00", 1, "rekey[0].protocolInfo.destination");
	refused_with(at + 2, "\x04", 1,
	             "rekey[0].protocolInfo.destination.typeValue");
	refused_with(at + 11, "\x04", 1,
	             "rekey[0].protocolInfo.destinationPort");
}

/* An INTEGER of nine octets, by way of the model's own encoder: the number of a
 * group has room for it. */
GK_TEST(msec_policy_5, a_gdoi_integer_has_64_bits)
{
	struct gpt_token *t = decoded(SLICE(golden_gdoi)), *back = NULL;
	struct gpt_fault why = { 0 };
	struct gk_buf der = { 0 };
	uint8_t *at;

	t->registration[0].reg.gdoi_reg->group.payload = (struct gk_buf){ 0 };
	t->registration[0].reg.gdoi_reg->group.number.value = INT64_MAX;
	gk_assert_ok(
		gk_buf_copy(&t->registration[0].reg.gdoi_reg->group.payload,
	                    (struct gk_slice){ (const uint8_t *)"", 0 }));
	gk_assert_ok(gpt_token_encode(t, &der, NULL));
	/* [0] 08 7f ff ... 04 00  becomes  [0] 0a 00 ff ... ff ff: what
	 * followed is part of the number now, and missing. */
	at = memmem(der.ptr, der.len, "\x80\x08\x7f\xff", 4);
	assert_non_null(at);
	at[1] = 0x0a;
	at[2] = 0x00;
	gk_assert_err(GK_ERR_VALUE,
	              gpt_token_decode(gk_buf_slice(&der), &back, &why));
	assert_null(back);
	gk_buf_free(&der);
	gpt_token_free(t);
}

GK_TEST(msec_policy_5, a_gdoi_protocol_in_another_list_is_unknown_there)
{
	struct gpt_token *t = decoded(SLICE(golden_gdoi)), *back;
	struct gpt_protocol *p = gpt_token_add_data(t);
	static const uint8_t octets[] = { 1, 2, 3 };
	struct gk_buf der = { 0 };
	bool unknown;

	gk_assert_ok(gpt_protocol_set(p, GPT_PROTOCOL_UNKNOWN));
	p->unknown.oid = strdup(GPT_OID_GDOI_REKEY);
	gk_assert_ok(gk_buf_copy(&p->unknown.octets, SLICE(octets)));
	gk_assert_ok(gpt_token_encode(t, &der, NULL));
	back = decoded(gk_buf_slice(&der));
	assert_int_equal(back->data[2].kind, GPT_PROTOCOL_UNKNOWN);
	/* And to GSAKMP all of it is unknown. */
	assert_null(gpt_token_register(back, &unknown));
	assert_true(unknown);
	assert_null(gpt_token_rekey(back, &unknown));
	assert_true(unknown);
	assert_null(gpt_token_data(back));
	gk_buf_free(&der);
	gpt_token_free(back);
	gpt_token_free(t);
}

/* --- addresses ---------------------------------------------------------------------- */

GK_TEST(msec_policy_5, addresses_have_one_text_each)
{
	static const char *const texts[] = {
		"192.0.2.1",
		"10.0.0.0/8",
		"0.0.0.0/0",
		"10.0.0.1-10.0.0.9",
		"2001:db8::1",
		"ff3e::/16",
		"2001:db8::1-2001:db8::ffff",
		"2:6578616d706c65",
		"4:0a000000ff00ff00", /* a mask with a hole */
		"7:0a0000090a000001", /* a range from its end */
		"1:0a",               /* an address that is too short */
		"-3:",
	};

	for (size_t i = 0; i < GK_COUNT(texts); i++) {
		struct gpt_id id = { 0 };
		struct gk_buf text = { 0 };

		gk_assert_ok(gpt_address_parse(texts[i], &id));
		gk_assert_ok(gpt_address_text(&id, &text));
		assert_true(gk_slice_equal(gk_buf_slice(&text),
		                           gk_slice_str(texts[i])));
		assert_int_equal(gpt_address_is_plain(&id), i >= 7);
		gk_buf_free(&text);
		gk_buf_free(&id.data);
	}
}

GK_TEST(msec_policy_5, what_is_no_address_is_refused)
{
	static const char *const texts[] = {
		"",           "10.0.0",       "10.0.0.0/33",  "10.0.0.0/-1",
		"10.0.0.0/x", "::/129",       "10.0.0.1-::2", "-10.0.0.1",
		"10.0.0.1-",  "0:0a000001",   "x:00",         "1:0",
		"1:zz",       "10.0.0.1:848", "/8",           "::9-::1",
	};

	for (size_t i = 0; i < GK_COUNT(texts); i++) {
		struct gpt_id id = { 0 };

		if (gpt_address_parse(texts[i], &id) != GK_ERR_VALUE)
			fail_msg("'%s' is taken", texts[i]);
		gk_buf_free(&id.data);
	}
}

GK_TEST(msec_policy_5, multicast_is_multicast_from_end_to_end)
{
	static const struct {
		const char *text;
		bool multicast;
	} cases[] = {
		{ "239.1.1.1", true },
		{ "192.0.2.1", false },
		{ "224.0.0.0/4", true },
		{ "224.0.0.0/3", false },
		{ "ff02::1", true },
		{ "fe80::1", false },
		{ "ff00::/8", true },
		{ "ff00::/7", false },
		{ "239.1.1.1-239.1.1.9", true },
		{ "223.255.255.255-239.1.1.1", false },
		{ "2:6578616d706c65", false },
	};

	for (size_t i = 0; i < GK_COUNT(cases); i++) {
		struct gpt_id id = { 0 };

		gk_assert_ok(gpt_address_parse(cases[i].text, &id));
		assert_int_equal(gpt_address_is_multicast(&id),
		                 cases[i].multicast);
		gk_buf_free(&id.data);
	}
}

/* --- lint ----------------------------------------------------------------------------- */

/* What lint says of the golden policy when something is set in it. */
static bool
says(void (*set)(struct gpt_token *t), const char *code, bool error)
{
	struct gpt_token *t = decoded(SLICE(golden_gdoi));
	struct gpt_findings found;
	bool there;

	set(t);
	gk_assert_ok(gpt_lint(t, &found));
	there = gpt_findings_has(&found, code) && (found.errors > 0) == error;
	gpt_findings_free(&found);
	gpt_token_free(t);
	return there;
}

static void
address(struct gpt_id *id, const char *text)
{
	gk_buf_free(&id->data);
	gk_assert_ok(gpt_address_parse(text, id));
}

#define REG(t) ((t)->registration[0].reg.gdoi_reg)
#define REKEY(t) ((t)->rekey[0].gdoi_rekey)
#define SA(t) (&(t)->data[0].ipsec->at[0])
#define IEC(t) (&(t)->data[1].iec->at[0])
#define SET(name, what)                       \
	static void name(struct gpt_token *t) \
	{                                     \
		what;                         \
	}

SET(nothing, (void)t)
SET(no_sids, REG(t)->group.sid_bits.present = false)
SET(odd_sids, REG(t)->group.sid_bits.value = 9)
SET(both_names, REG(t)->group.oid = strdup("1.2.3"))
SET(crowd, REG(t)->group.members = ((struct gpt_number){ true, 32769 }))
SET(full_house, REG(t)->group.members = ((struct gpt_number){ true, 32768 }))
SET(quads, REG(t)->group.members = ((struct gpt_number){ true, 16385 });
    REKEY(t)->lkh_degree.value = 4)
SET(full_quads, REG(t)->group.members = ((struct gpt_number){ true, 16384 });
    REKEY(t)->lkh_degree.value = 4)
SET(gap, REG(t)->group.dtd.value = 1)
SET(short_lived, SA(t)->life_s.value = REG(t)->group.atd.value + 1)
SET(old_group, REG(t)->phase1[0].group.value = 2)
SET(aggressive, REG(t)->phase1[0].mode.value = 4)
SET(des, REKEY(t)->algorithm.value = 2)
SET(strange, REKEY(t)->algorithm.value = 77)
SET(sha1, REKEY(t)->sig_hash.value = 2)
SET(short_rsa, REKEY(t)->sig_key_length.value = 1024)
SET(no_tree, REKEY(t)->lkh_degree.present = false)
SET(lkh_ack, REKEY(t)->lkh_degree.present = false; REKEY(t)->ack.value = 2)
SET(late, REKEY(t)->margin = ((struct gpt_number){ true, 3600 }))
SET(octet_more, REKEY(t)->destination.type = 257)
SET(several, address(&REKEY(t)->destination, "239.1.1.0/24"))
SET(some, address(&REKEY(t)->destination, "ff0e::1-ff0e::9"))
SET(nowhere, REKEY(t)->destination.type = 0)
SET(echo, address(&SA(t)->source, "239.1.1.0/24"))
SET(loud, address(&REKEY(t)->source, "ff0e::1"))
SET(wide, address(&SA(t)->source, "0.0.0.0/0"))
SET(outlives, SA(t)->life_s.value = 86401)
SET(endless, SA(t)->life_s.present = false)
SET(negative, SA(t)->life_s.value = -1)
SET(bare, SA(t)->transform.value = 12)
SET(twice, SA(t)->authentication = ((struct gpt_number){ true, 5 }))
SET(everything, IEC(t)->kda.value = 101)
SET(unprotected, IEC(t)->encryption.value = 1)

GK_TEST(rfc4534_4_02, lint_knows_what_is_unwise_in_a_gdoi_policy)
{
	struct gpt_findings found;
	struct gpt_token *t = decoded(SLICE(golden_gdoi));

	gk_assert_ok(gpt_lint(t, &found));
	assert_int_equal(found.n, 0);
	gpt_findings_free(&found);
	gpt_token_free(t);
	assert_false(says(nothing, "legacy", false));
	assert_true(says(odd_sids, "sender-id-bits", false));
	assert_true(says(gap, "rollover-gap", false));
	assert_true(says(short_lived, "rollover-gap", false));
	assert_true(says(old_group, "legacy", false));
	assert_true(says(aggressive, "guessable-psk", false));
	assert_true(says(des, "legacy", false));
	assert_true(says(strange, "unknown-code-point", false));
	assert_true(says(sha1, "legacy", false));
	assert_true(says(short_rsa, "legacy", false));
	assert_true(says(no_tree, "no-lkh", false));
	assert_true(says(outlives, "tek-outlives-kek", false));
	assert_true(says(endless, "no-lifetime", false));
	assert_true(says(bare, "no-authentication", false));
	assert_true(says(unprotected, "no-protection", false));
}

GK_TEST(rfc4534_b_5_02, lint_finds_contradictions_in_a_gdoi_policy)
{
	assert_true(says(no_sids, "no-sender-ids", true));
	assert_true(says(both_names, "group-identity", true));
	assert_true(says(crowd, "lkh-size", true));
	assert_false(says(full_house, "lkh-size", true));
	assert_true(says(quads, "lkh-size", true));
	assert_false(says(full_quads, "lkh-size", true));
	assert_true(says(lkh_ack, "ack-without-lkh", true));
	assert_true(says(late, "margin-contradiction", true));
	assert_true(says(octet_more, "address-type", true));
	assert_true(says(several, "destination-contradiction", true));
	assert_true(says(some, "destination-contradiction", true));
	assert_true(says(nowhere, "no-destination", true));
	assert_true(says(echo, "multicast-source", true));
	assert_true(says(loud, "multicast-source", true));
	assert_false(says(wide, "multicast-source", true));
	assert_true(says(negative, "out-of-range", true));
	assert_true(says(twice, "authentication-contradiction", true));
	assert_true(says(everything, "out-of-range", true));
}

/* --- who is admitted ---------------------------------------------------------------------- */

/* An empty key identifier is a condition that nobody meets, but for a party that
 * phase 1 has authenticated. */
GK_TEST(msec_policy_5, an_empty_authority_is_no_condition_in_gdoi_alone)
{
	static const uint8_t address[] = { 192, 0, 2, 1 };
	const struct gk_identity id = { GK_ID_IPV4, SLICE(address) };
	struct gpt_party who = { .id = &id };
	struct gpt_token *t = decoded(SLICE(golden_gdoi));
	const struct gpt_register *reg = gpt_token_gdoi_register(t, NULL);
	bool gdoi = false;

	assert_ptr_equal(gpt_token_members(t, &gdoi), reg);
	assert_true(gdoi);
	assert_false(gpt_access_member(reg, &who, NULL));
	who.phase1 = true;
	assert_true(gpt_access_member(reg, &who, NULL));
	gpt_token_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(msec_policy_5, every_field_of_the_golden_token_is_found),
		GK_RUN(msec_policy_5,
		       gdoi_reencodes_octet_for_octet_and_so_does_its_copy),
		GK_RUN(msec_policy_5,
		       every_truncation_of_a_gdoi_token_is_refused),
		GK_RUN(msec_policy_5,
		       every_octet_changed_is_refused_or_is_another_policy),
		GK_RUN(msec_policy_5,
		       what_is_wrong_with_a_gdoi_field_has_its_name),
		GK_RUN(msec_policy_5, a_gdoi_integer_has_64_bits),
		GK_RUN(msec_policy_5,
		       a_gdoi_protocol_in_another_list_is_unknown_there),
		GK_RUN(msec_policy_5, addresses_have_one_text_each),
		GK_RUN(msec_policy_5, what_is_no_address_is_refused),
		GK_RUN(msec_policy_5, multicast_is_multicast_from_end_to_end),
		GK_RUN(rfc4534_4_02,
		       lint_knows_what_is_unwise_in_a_gdoi_policy),
		GK_RUN(rfc4534_b_5_02,
		       lint_finds_contradictions_in_a_gdoi_policy),
		GK_RUN(msec_policy_5,
		       an_empty_authority_is_no_condition_in_gdoi_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
