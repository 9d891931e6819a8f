/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "common/test/gk_test.h"
#include "common/test/gk_test_pki.h"
#include "gdoi/engine/group.h"
#include "gdoi/phase1/ike.h"
#include "gdoi/tests/policy_xml.h"

/*
 * RFC 4534 section 3: of several registrations and rekey protocols of a token the
 * highest is in force that the key server can do, and may.
 */
#define PHASE1(encryption, bits)                                            \
	"<phase1 authentication=\"psk\" encryption=\"" encryption "\"" bits \
	" hash=\"sha256\" group=\"modp2048\"/>"
#define OLD PHASE1("3des", "")
#define AES128 PHASE1("aes", " key-length=\"128\"")
#define AES256 PHASE1("aes", " key-length=\"256\"")

#define REGISTRATION(who, phase1)                                            \
	"<registration><register><gdoi>" POLICY_XML_GROUP                    \
	"<gcks><entity type=\"fqdn\" ca=\"\">gcks.example.org</entity>"      \
	"</gcks><senders><all/></senders><access-control>"                   \
	"<rule type=\"ipv4\" ca=\"\">" who "</rule></access-control>" phase1 \
	"</gdoi></register><de-register><none/></de-register></registration>"
#define REKEY(to, kek, signature)                                          \
	"<rekey><gdoi><push source=\"192.0.2.1\" destination=\"" to "\"/>" \
	"<kek " kek " lifetime=\"1d\"/><signature " signature              \
	"/></gdoi></rekey>"
#define AES_KEK "algorithm=\"aes\" key-length=\"128\" lkh-degree=\"2\""
#define P256 "algorithm=\"ecdsa-256\""

static struct gdoi_policy *
choose(const char *lists, const struct gdoi_policy_able *able, char why[256])
{
	struct gdoi_policy *policy = NULL;
	struct gpt_fault fault = { 0 };
	struct gpt_token *token;
	char text[8192];

	(void)snprintf(text, sizeof(text),
	               "<policy><group-id type=\"octet-string\" "
	               "random=\"3042c2546fdb347c\" name=\"vpn\"/>%s%s"
	               "</policy>",
	               lists, POLICY_XML_DATA);
	if (gpt_policy_parse(gk_slice_str(text), &token, NULL, &fault) != GK_OK)
		fail_msg("%s: %s", fault.field, fault.text);
	why[0] = '\0';
	if (gdoi_policy_new(token, -1, able, &policy, why) != GK_OK) {
		assert_null(policy);
		gpt_token_free(token);
	}
	return policy;
}

static bool
admits(const struct gdoi_policy *policy, const char *last)
{
	const uint8_t address[] = { 192, 0, 2, (uint8_t)last[0] };
	const struct gk_identity id = { GK_ID_IPV4, { address, 4 } };
	const struct gdoi_peer peer = { .id = &id };

	return gdoi_policy_admits(policy, &peer);
}

static const struct ike_suite aes256_suite = {
	.encryption = IKE_ENCRYPTION_AES_CBC,
	.key_bits = 256,
	.hash = IKE_HASH_SHA256,
	.auth = IKE_AUTH_PSK,
	.group = IKE_GROUP_MODP2048,
};

GK_TEST(rfc4534_3_05, what_is_not_allowed_is_passed_over)
{
	static const char lists[] = REGISTRATION("192.0.2.1", OLD)
		REGISTRATION("192.0.2.2", AES128);
	struct gdoi_policy_able able = { .legacy_ok = false };
	struct gdoi_policy *p;
	char why[256];

	GK_SHOWS("RFC4534-3-03", "RFC4534-3-06");
	p = choose(lists, &able, why);
	assert_non_null(p);
	/* Its lists are in force, and the other's are not. */
	assert_true(admits(p, "\2") && !admits(p, "\1"));
	assert_int_equal(p->n_phase1, 1);
	assert_string_equal(p->passed_over, "registration[0]: each phase 1 "
	                                    "that it lists is legacy");
	gdoi_policy_free(p);
	able.legacy_ok = true;
	p = choose(lists, &able, why);
	assert_non_null(p);
	assert_true(admits(p, "\1") && !admits(p, "\2"));
	assert_string_equal(p->passed_over, "");
	gdoi_policy_free(p);
}

GK_TEST(rfc4534_3_05, what_is_not_proposed_is_passed_over)
{
	static const char lists[] = REGISTRATION("192.0.2.1", AES128)
		REGISTRATION("192.0.2.2", AES256);
	struct ike_config ike = { .suite = { aes256_suite }, .n_suites = 1 };
	const struct gdoi_policy_able able = { .ike = &ike };
	struct gdoi_policy *p;
	char why[256];

	p = choose(lists, &able, why);
	assert_non_null(p);
	assert_true(admits(p, "\2") && !admits(p, "\1"));
	gdoi_policy_free(p);
	ike.suite[ike.n_suites++] = (struct ike_suite){
		.encryption = IKE_ENCRYPTION_AES_CBC,
		.key_bits = 128,
		.hash = IKE_HASH_SHA256,
		.auth = IKE_AUTH_PSK,
		.group = IKE_GROUP_MODP2048,
	};
	p = choose(lists, &able, why);
	assert_non_null(p);
	assert_true(admits(p, "\1") && !admits(p, "\2"));
	gdoi_policy_free(p);
	/* Where nothing is, the first is in force: it may be that it was a
	 * newer policy that demanded more. */
	ike.suite[0] = ike.suite[1] = aes256_suite;
	ike.suite[0].key_bits = ike.suite[1].key_bits = 192;
	p = choose(lists, &able, why);
	assert_non_null(p);
	assert_true(admits(p, "\1") && !admits(p, "\2"));
	assert_string_equal(p->passed_over, "");
	gdoi_policy_free(p);
}

/* RFC4534-B.1.3-01: of what one lists any will do. */
GK_TEST(rfc4534_b_1_3_01, of_one_registration_what_may_be_used_counts)
{
	const struct gdoi_policy_able able = { .legacy_ok = false };
	struct gdoi_policy *p;
	char why[256];

	p = choose(REGISTRATION("192.0.2.1", OLD AES256), &able, why);
	assert_non_null(p);
	assert_int_equal(p->n_phase1, 1);
	assert_true(gdoi_policy_phase1(p, &aes256_suite, false));
	gdoi_policy_free(p);
}

GK_TEST(rfc4534_3_03, when_none_is_left_the_first_says_why)
{
	const struct gdoi_policy_able able = { .legacy_ok = false };
	char why[256];

	assert_null(choose(REGISTRATION("192.0.2.1", OLD)
	                           REGISTRATION("192.0.2.2", OLD),
	                   &able, why));
	assert_string_equal(why, "registration[0]: each phase 1 that it lists "
	                         "is legacy");
	assert_null(choose(REGISTRATION("192.0.2.1", AES128) REKEY(
				   "239.1.1.1", "algorithm=\"3des\"", P256)
	                           REKEY("239.1.1.2", AES_KEK,
	                                 "algorithm=\"rsa\" hash=\"sha1\""),
	                   &able, why));
	assert_string_equal(why, "rekey: KEK_ALG_3DES is legacy");
}

/* ---- rekey --------------------------------------------------------------- */

#define TWO_REKEYS                                                     \
	REGISTRATION("192.0.2.1", AES128)                              \
	REKEY("239.1.1.1", AES_KEK,                                    \
	      "algorithm=\"rsa\" hash=\"sha256\" key-length=\"2048\"") \
	REKEY("239.1.1.2", "algorithm=\"aes\" key-length=\"256\"", P256)

static int
destination(const struct gdoi_policy *p)
{
	return p->rekey.sak.ep.dst.data.ptr[3];
}

GK_TEST(rfc4534_3_08, a_rekey_that_the_key_cannot_sign_is_passed_over)
{
	struct gdoi_group_config group = { .members_max = 10 };
	const struct gdoi_policy_able able = { .group = &group };
	struct gk_pki_party keys = { 0 };
	struct gdoi_policy *p;
	char why[256];

	GK_SHOWS("RFC4534-3-07");
	gk_pki_make(&keys, &(struct gk_pki_spec){ .subject = "/CN=keys" });
	group.signer = keys.signer;
	p = choose(TWO_REKEYS, &able, why);
	assert_non_null(p);
	assert_int_equal(destination(p), 2);
	assert_int_equal(p->rekey.sak.key_length, 256);
	assert_int_equal(p->rekey.sak.management, 0);
	assert_non_null(strstr(p->passed_over, "rekey[0]: SIG_ALGORITHM"));
	gdoi_policy_free(p);
	gk_pki_free(&keys);
	gk_pki_keys_free();
	/* What nobody here can sign is for the group to refuse. */
	group.signer = NULL;
	p = choose(TWO_REKEYS, &able, why);
	assert_non_null(p);
	assert_int_equal(destination(p), 1);
	assert_string_equal(p->passed_over, "");
	gdoi_policy_free(p);
}

GK_TEST(rfc4534_3_08, a_rekey_that_is_not_allowed_is_passed_over)
{
	static const char lists[] = REGISTRATION("192.0.2.1", AES128)
		REKEY("239.1.1.1", "algorithm=\"3des\"", P256)
			REKEY("239.1.1.2", AES_KEK, P256);
	struct gdoi_policy_able able = { .legacy_ok = false };
	struct gdoi_policy *p;
	char why[256];

	p = choose(lists, &able, why);
	assert_non_null(p);
	assert_int_equal(destination(p), 2);
	assert_int_equal(p->rekey.sak.algorithm, GDOI_KEK_ALG_AES);
	gdoi_policy_free(p);
	able.legacy_ok = true;
	p = choose(lists, &able, why);
	assert_non_null(p);
	assert_int_equal(destination(p), 1);
	gdoi_policy_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4534_3_05, what_is_not_allowed_is_passed_over),
		GK_RUN(rfc4534_3_05, what_is_not_proposed_is_passed_over),
		GK_RUN(rfc4534_b_1_3_01,
		       of_one_registration_what_may_be_used_counts),
		GK_RUN(rfc4534_3_03, when_none_is_left_the_first_says_why),
		GK_RUN(rfc4534_3_08,
		       a_rekey_that_the_key_cannot_sign_is_passed_over),
		GK_RUN(rfc4534_3_08,
		       a_rekey_that_is_not_allowed_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
