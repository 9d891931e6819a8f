/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy-tokens/der/gpt_der.h"
#include "policy-tokens/tests/gpt_golden.h"
#include "policy-tokens/tests/gpt_random.h"
#include "policy-tokens/xml/gpt_policy.h"

#define SLICE(a) ((struct gk_slice){ (a), sizeof(a) })

#define CA "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3"

/* The golden token in canonical form. */
static const char canonical[] =
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	"<policy edition=\"7\">\n"
	"  <group-id type=\"octet-string\" random=\"0001020304050607\" "
	"name=\"news\"/>\n"
	"  <registration>\n"
	"    <register>\n"
	"      <gsakmp transport=\"udp-rtj-tcp-other\">\n"
	"        <gcks>\n"
	"          <entity ca=\"" CA "\">CN=gcks,O=MSEC</entity>\n"
	"        </gcks>\n"
	"        <sub-gcks>\n"
	"          <gcks>\n"
	"            <entity ca=\"" CA "\">CN=sub,O=MSEC</entity>\n"
	"          </gcks>\n"
	"        </sub-gcks>\n"
	"        <senders>\n"
	"          <entity ca=\"" CA "\">CN=source,O=MSEC</entity>\n"
	"        </senders>\n"
	"        <access-control>\n"
	"          <permissions>\n"
	"            <permission>5</permission>\n"
	"          </permissions>\n"
	"          <rule ca=\"" CA "\">CN=*,O=MSEC</rule>\n"
	"          <exclusions>\n"
	"            <exclusion ca=\"" CA "\">CN=mallory,O=MSEC</exclusion>\n"
	"          </exclusions>\n"
	"        </access-control>\n"
	"        <access-control>\n"
	"          <rule ca=\"0000000000000000000000000000000000000000\">"
	"CN=guest,O=Other</rule>\n"
	"        </access-control>\n"
	"        <mechanisms>\n"
	"          <a-la-carte signature=\"ecdsa-p256-sha256\" hash=\"sha256\" "
	"key-exchange=\"p256\" key-wrap=\"aes128-gcm\" timeout=\"5s\" "
	"terse=\"true\" timestamp=\"false\"/>\n"
	"          <suite name=\"suite-1\"/>\n"
	"        </mechanisms>\n"
	"      </gsakmp>\n"
	"    </register>\n"
	"    <de-register>\n"
	"      <gsakmp transport=\"udp\" terse=\"false\">\n"
	"        <leave signature=\"ecdsa-p256-sha256\" hash=\"sha256\" "
	"ca=\"" CA "\"/>\n"
	"      </gsakmp>\n"
	"    </de-register>\n"
	"  </registration>\n"
	"  <rekey>\n"
	"    <gsakmp signature=\"ecdsa-p256-sha256\" hash=\"sha256\" "
	"interval=\"2038-01-19T03:14:07Z\">\n"
	"      <authorization>\n"
	"        <entity ca=\"" CA "\">CN=gcks,O=MSEC</entity>\n"
	"      </authorization>\n"
	"      <event time=\"1h\" count=\"3\"/>\n"
	"      <method>\n"
	"        <lkh key-type=\"aes128-cbc\"/>\n"
	"      </method>\n"
	"      <reliability>\n"
	"        <resend times=\"2\"/>\n"
	"      </reliability>\n"
	"      <sub-gcks-info>\n"
	"        <none/>\n"
	"      </sub-gcks-info>\n"
	"    </gsakmp>\n"
	"  </rekey>\n"
	"  <rekey>\n"
	"    <extension "
	"oid=\"2.25.227007163891039140890553393414073698781.2.9\">\n"
	"      <octets>dead</octets>\n"
	"    </extension>\n"
	"  </rekey>\n"
	"  <data>\n"
	"    <generic>\n"
	"      <encryption key-id=\"00000001\" "
	"expires=\"utc:2049-12-31T23:59:59Z\"/>\n"
	"    </generic>\n"
	"  </data>\n"
	"</policy>\n";

static struct gpt_token *
parsed(struct gk_slice xml)
{
	struct gpt_token *token = NULL;
	struct gpt_fault why = { 0 };
	char text[512];

	if (gpt_policy_parse(xml, &token, NULL, &why) != GK_OK)
		fail_msg("%s\n%.*s", gpt_fault_format(&why, text, sizeof(text)),
		         (int)xml.len, (const char *)xml.ptr);
	return token;
}

/* DER -> XML -> DER: the same octets. */
static void
check_der(struct gk_slice der)
{
	struct gpt_token *token = NULL, *back;
	struct gk_buf xml = { 0 }, again = { 0 };
	struct gpt_fault why = { 0 };

	gk_assert_ok(gpt_token_decode(der, &token, &why));
	gk_assert_ok(gpt_policy_write(token, &xml));
	back = parsed(gk_buf_slice(&xml));
	gk_assert_ok(gpt_token_encode(back, &again, &why));
	if (again.len != der.len || memcmp(again.ptr, der.ptr, der.len) != 0)
		fail_msg("other octets came back from\n%.*s", (int)xml.len,
		         (const char *)xml.ptr);
	gk_buf_free(&xml);
	gk_buf_free(&again);
	gpt_token_free(token);
	gpt_token_free(back);
}

/* The canonical document with the first @from replaced by @to. */
static struct gk_buf
edited(const char *from, const char *to)
{
	const char *at = strstr(canonical, from);
	struct gk_buf out = { 0 };

	assert_non_null(at);
	gk_assert_ok(gk_buf_append(
		&out, (struct gk_slice){ (const uint8_t *)canonical,
	                                 (size_t)(at - canonical) }));
	gk_assert_ok(gk_buf_append(&out, gk_slice_str(to)));
	gk_assert_ok(gk_buf_append(&out, gk_slice_str(at + strlen(from))));
	return out;
}

static int
line_of(const char *text)
{
	int line = 1;

	for (const char *c = canonical; c < strstr(canonical, text); c++)
		line += *c == '\n';
	return line;
}

static void
check_refused(const char *from, const char *to, const char *field,
              const char *text)
{
	struct gk_buf xml = edited(from, to);
	struct gpt_token *token = NULL;
	struct gpt_fault why = { 0 };
	char whole[512];

	gk_assert_err(GK_ERR_VALUE,
	              gpt_policy_parse(gk_buf_slice(&xml), &token, NULL, &why));
	assert_null(token);
	if (why.line != line_of(from) || strcmp(why.field, field) != 0 ||
	    !strstr(why.text, text))
		fail_msg("line %d expected; %s", line_of(from),
		         gpt_fault_format(&why, whole, sizeof(whole)));
	gk_buf_free(&xml);
}

GK_TEST(rfc4534_3_01, golden_token_has_this_document)
{
	struct gpt_token *token = NULL;
	struct gk_buf xml = { 0 };
	struct gpt_fault why = { 0 };

	gk_assert_ok(gpt_token_decode(SLICE(golden), &token, &why));
	gk_assert_ok(gpt_policy_write(token, &xml));
	gk_assert_ok(gk_buf_append(
		&xml, (struct gk_slice){ (const uint8_t *)"", 1 }));
	assert_string_equal((const char *)xml.ptr, canonical);
	gk_buf_free(&xml);
	gpt_token_free(token);
}

GK_TEST(rfc4534_3_01, canonical_document_compiles_to_the_golden_token)
{
	struct gpt_token *token = parsed(gk_slice_str(canonical));
	struct gk_buf der = { 0 };
	struct gpt_fault why = { 0 };

	gk_assert_ok(gpt_token_encode(token, &der, &why));
	assert_int_equal(der.len, sizeof(golden));
	assert_memory_equal(der.ptr, golden, sizeof(golden));
	gk_buf_free(&der);
	gpt_token_free(token);
}

GK_TEST(rfc4534_3_01, every_golden_encoding_survives_the_xml)
{
	check_der(SLICE(golden));
	check_der(SLICE(golden_explicit));
	check_der(SLICE(golden_null));
}

GK_TEST(rfc4534_3_01, random_policies_survive_the_xml)
{
	for (uint32_t seed = 1; seed <= 300; seed++) {
		struct gpt_token *token = gpt_random_token(seed), *back;
		struct gk_buf xml = { 0 }, again = { 0 }, der = { 0 };
		struct gpt_fault why = { 0 };

		gk_assert_ok(gpt_policy_write(token, &xml));
		back = parsed(gk_buf_slice(&xml));
		if (!gpt_token_equal(token, back))
			fail_msg("seed %u: another policy came back from\n%.*s",
			         seed, (int)xml.len, (const char *)xml.ptr);
		gk_assert_ok(gpt_policy_write(back, &again));
		assert_true(gk_slice_equal(gk_buf_slice(&xml),
		                           gk_buf_slice(&again)));
		gk_assert_ok(gpt_token_encode(token, &der, &why));
		check_der(gk_buf_slice(&der));
		gk_buf_free(&xml);
		gk_buf_free(&again);
		gk_buf_free(&der);
		gpt_token_free(token);
		gpt_token_free(back);
	}
}

/* The first data application is the innermost: the order is the policy. */
GK_TEST(rfc4534_3_4_01, order_of_data_applications_is_kept)
{
	struct gpt_token *token = gpt_token_new(), *back;
	struct gk_buf der = { 0 }, xml = { 0 };
	struct gpt_fault why = { 0 };

	assert_non_null(token);
	gk_assert_ok(gk_buf_copy(&token->group_name, gk_slice_str("g")));
	for (uint8_t i = 3; i > 0; i--) {
		struct gpt_protocol *p = gpt_token_add_data(token);

		assert_non_null(p);
		gk_assert_ok(gpt_protocol_set(p, GPT_PROTOCOL_DATA));
		p->data->has_encryption = true;
		gk_assert_ok(gk_buf_copy(&p->data->encryption.key_id,
		                         (struct gk_slice){ &i, 1 }));
	}
	gk_assert_ok(gpt_token_encode(token, &der, &why));
	gpt_token_free(token);
	gk_assert_ok(gpt_token_decode(gk_buf_slice(&der), &token, &why));
	gk_assert_ok(gpt_policy_write(token, &xml));
	back = parsed(gk_buf_slice(&xml));
	assert_int_equal(back->n_data, 3);
	for (uint8_t i = 0; i < 3; i++)
		assert_int_equal(back->data[i].data->encryption.key_id.ptr[0],
		                 3 - i);
	gk_buf_free(&der);
	gk_buf_free(&xml);
	gpt_token_free(token);
	gpt_token_free(back);
}

GK_TEST(rfc4534_3_01, layout_and_comments_do_not_matter)
{
	struct gk_buf xml = edited("<gcks>\n          <entity",
	                           "<gcks><!-- one only -->\n\n<entity");
	struct gpt_token *token = parsed(gk_buf_slice(&xml));
	struct gk_buf der = { 0 };
	struct gpt_fault why = { 0 };

	gk_assert_ok(gpt_token_encode(token, &der, &why));
	assert_true(gk_slice_equal(gk_buf_slice(&der), SLICE(golden)));
	gk_buf_free(&der);
	gk_buf_free(&xml);
	gpt_token_free(token);
}

GK_TEST(msec_policy_5, schema_violation_names_line_and_element)
{
	check_refused("<gsakmp transport=\"udp\" terse",
	              "<gsakmp transport=\"pigeon\" terse", "<gsakmp>",
	              "'pigeon'");
	check_refused("timeout=\"5s\"", "timeout=\"soon\"", "<a-la-carte>",
	              "'soon'");
	check_refused("<permission>5", "<permission>0", "<permission>", "'0'");
	check_refused("<lkh key-type=\"aes128-cbc\"/>", "<lkh/>", "<lkh>",
	              "key-type");
	check_refused("<resend times=\"2\"/>", "<hope/>", "<hope>",
	              "not expected");
	check_refused("key-id=\"00000001\"", "key-id=\"0000001\"",
	              "<encryption>", "'0000001'");
	check_refused("edition=\"7\"", "edition=\"99999999999999999999\"",
	              "<policy>", "99999999999999999999");
}

GK_TEST(msec_policy_5, what_a_schema_cannot_say_names_line_and_element)
{
	check_refused("signature=\"ecdsa-p256-sha256\" hash",
	              "signature=\"ecdsa-p257\" hash", "<a-la-carte>",
	              "ecdsa-p257");
	check_refused("2038-01-19", "2038-13-19", "<gsakmp>", "2038-13-19");
	check_refused("utc:2049", "utc:2050", "<encryption>", "utc:2050");
	check_refused("<suite name=\"suite-1\"/>", "<suite/>", "<suite>",
	              "either a name or an oid");
	check_refused("<suite name=\"suite-1\"/>",
	              "<suite oid=\"1.3.6.1.5.5.12.2.1\"/>", "<suite>",
	              "name='suite-1'");
	check_refused(
		"oid=\"2.25.227007163891039140890553393414073698781.2.9\"",
		"oid=\"1.3.6.1.5.5.12.3.3\"", "<extension>", "use the element");
	check_refused(">CN=gcks,O=MSEC<", ">gcks at MSEC<", "<entity>",
	              "not a name of type dn");
	check_refused("type=\"octet-string\" random", "type=\"ipv4\" random",
	              "<group-id>", "no attribute name");
	check_refused("name=\"news\"", "", "<group-id>", "name or octets");
}

/* The parser notices at the end tag that does not fit, and says which start
 * tag was left open. */
GK_TEST(msec_policy_5, not_well_formed_names_the_lines)
{
	struct gk_buf xml =
		edited("</access-control>\n        <access", "<access");
	struct gpt_token *token = NULL;
	struct gpt_fault why = { 0 };
	char started[32];

	(void)snprintf(started, sizeof(started), "access-control line %d",
	               line_of("<access-control>"));
	gk_assert_err(GK_ERR_VALUE,
	              gpt_policy_parse(gk_buf_slice(&xml), &token, NULL, &why));
	assert_true(why.line > line_of("<access-control>"));
	assert_non_null(strstr(why.text, started));
	gk_buf_free(&xml);
}

GK_TEST(msec_policy_5, document_types_and_entities_are_refused)
{
	static const char bomb[] =
		"<!DOCTYPE policy [<!ENTITY a \"b\">]>\n<policy edition=\"&a;\">"
		"<group-id type=\"raw\" octets=\"00\"/></policy>";
	struct gpt_token *token = NULL;
	struct gpt_fault why = { 0 };

	gk_assert_err(GK_ERR_VALUE,
	              gpt_policy_parse(gk_slice_str(bomb), &token, NULL, &why));
	assert_non_null(strstr(why.text, "document type"));
}

GK_TEST(msec_policy_5, every_truncation_is_refused)
{
	for (size_t n = 0; n < sizeof(canonical) - 2; n += 7) {
		struct gpt_token *token = NULL;
		struct gpt_fault why = { 0 };

		gk_assert_err(GK_ERR_VALUE,
		              gpt_policy_parse(
				      (struct gk_slice){
					      (const uint8_t *)canonical, n },
				      &token, NULL, &why));
		assert_null(token);
		assert_true(why.text[0] != '\0');
	}
}

GK_TEST(msec_policy_5, oversized_document_is_refused_unread)
{
	size_t n = (1u << 20) + 1;
	uint8_t *big = malloc(n);
	struct gpt_token *token = NULL;
	struct gpt_fault why = { 0 };

	assert_non_null(big);
	memset(big, ' ', n);
	gk_assert_err(GK_ERR_SPACE,
	              gpt_policy_parse((struct gk_slice){ big, n }, &token,
	                               NULL, &why));
	free(big);
}

GK_TEST(msec_policy_5, model_paths_lead_to_lines)
{
	struct gpt_token *token = NULL;
	struct gpt_lines lines = { 0 };
	struct gpt_fault why = { 0 };

	gk_assert_ok(gpt_policy_parse(gk_slice_str(canonical), &token, &lines,
	                              &why));
	assert_int_equal(
		gpt_lines_find(&lines, "registration[0].register.access[1]"),
		line_of("<access-control>\n          <rule"));
	assert_int_equal(gpt_lines_find(&lines, "rekey[0].event"),
	                 line_of("<event "));
	assert_int_equal(gpt_lines_find(&lines, "rekey[1].whatever"),
	                 line_of("<extension "));
	gpt_lines_free(&lines);
	gpt_token_free(token);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4534_3_01, golden_token_has_this_document),
		GK_RUN(rfc4534_3_01,
		       canonical_document_compiles_to_the_golden_token),
		GK_RUN(rfc4534_3_01, every_golden_encoding_survives_the_xml),
		GK_RUN(rfc4534_3_01, random_policies_survive_the_xml),
		GK_RUN(rfc4534_3_4_01, order_of_data_applications_is_kept),
		GK_RUN(rfc4534_3_01, layout_and_comments_do_not_matter),
		GK_RUN(msec_policy_5, schema_violation_names_line_and_element),
		GK_RUN(msec_policy_5,
		       what_a_schema_cannot_say_names_line_and_element),
		GK_RUN(msec_policy_5, not_well_formed_names_the_lines),
		GK_RUN(msec_policy_5, document_types_and_entities_are_refused),
		GK_RUN(msec_policy_5, every_truncation_is_refused),
		GK_RUN(msec_policy_5, oversized_document_is_refused_unread),
		GK_RUN(msec_policy_5, model_paths_lead_to_lines),
	};

	return cmocka_run_group_tests_name("policy-tokens/policy", tests, NULL,
	                                   NULL);
}
