/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy-tokens/der/gpt_der.h"
#include "policy-tokens/tests/gpt_fixture.h"
#include "policy-tokens/tests/gpt_golden.h"
#include "policy-tokens/tests/gpt_golden_gdoi.h"
#include "policy-tokens/token/gpt_gdoi.h"
#include "policy-tokens/xml/gpt_announcement.h"
#include "policy-tokens/xml/gpt_base64.h"

#define NOW GK_PKI_NOW

static struct gpt_fixture f;

static const char document[] =
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	"<announcement serial=\"3\" not-after=\"2027-01-01T00:00:00Z\" "
	"transport=\"udp-rtj-tcp-other\" freshness=\"nonce\" terse=\"true\">\n"
	"  <group-id type=\"octet-string\" random=\"0001020304050607\" "
	"name=\"news\"/>\n"
	"  <key-server address=\"192.0.2.1\"/>\n"
	"  <key-server address=\"2001:db8::1\" port=\"4000\">CN=gcks,O=MSEC"
	"</key-server>\n"
	"  <mechanisms signature=\"ecdsa-p256-sha256\" hash=\"sha256\" "
	"key-exchange=\"p256\" key-wrap=\"aes128-gcm\"/>\n"
	"  <rekey group=\"239.1.1.1\" port=\"3761\" source=\"192.0.2.1\"/>\n"
	"  <data group=\"ff3e::1\" port=\"5000\"/>\n"
	"</announcement>\n";

static char *
edited(const char *from, const char *to)
{
	const char *at = strstr(document, from);
	size_t n = strlen(document) + strlen(to) + 1;
	char *out = malloc(n);

	assert_non_null(at);
	assert_non_null(out);
	(void)snprintf(out, n, "%.*s%s%s", (int)(at - document), document, to,
	               at + strlen(from));
	return out;
}

static struct gk_buf
signed_by(const struct gk_pki_party *by, const char *xml)
{
	struct gk_cert *one[] = { by->cert };
	const struct gk_certs chain = { one, 1 };
	struct gk_buf out = { 0 };
	struct gpt_fault why = { 0 };
	char text[512];

	if (gpt_announcement_sign(gk_slice_str(xml), by->signer, &chain, NOW,
	                          &out, &why) != GK_OK)
		fail_msg("%s", gpt_fault_format(&why, text, sizeof(text)));
	return out;
}

static enum gk_err
load(struct gk_slice xml, int64_t now, struct gpt_announcement **a,
     struct gpt_fault *why)
{
	*why = (struct gpt_fault){ 0 };
	*a = NULL;
	return gpt_announcement_load_verified(xml, &f.expect, now, a, why);
}

GK_TEST(msec_announcement, all_fields_come_back)
{
	struct gpt_announcement *a = NULL;
	struct gk_buf again = { 0 };
	struct gpt_fault why = { 0 };

	gk_assert_ok(gpt_announcement_parse(gk_slice_str(document), &a, &why));
	assert_int_equal(a->group_type, GPT_GROUPID_OCTETS);
	assert_int_equal(a->group.len, 12);
	assert_int_equal(a->n_servers, 2);
	assert_int_equal(a->servers[0].at.port, 3761);
	assert_int_equal(a->servers[0].id_kind, GK_ID_NONE);
	assert_int_equal(a->servers[1].at.addr_len, 16);
	assert_int_equal(a->servers[1].id_kind, GK_ID_DN_STRING);
	assert_int_equal(a->mechanisms.key_wrap, 49154);
	assert_int_equal(a->transport, GPT_TRANSPORT_UDP_RTJ_TCP_OTHER);
	assert_true(a->terse);
	assert_false(a->timestamps);
	assert_true(a->has_rekey);
	assert_int_equal(a->rekey.source_len, 4);
	assert_int_equal(a->n_data, 1);
	assert_int_equal(a->data[0].group.port, 5000);
	assert_int_equal(a->serial, 3);
	gk_assert_ok(gpt_announcement_write(a, &again));
	assert_true(
		gk_slice_equal(gk_buf_slice(&again), gk_slice_str(document)));
	gk_buf_free(&again);
	gpt_announcement_free(a);
}

GK_TEST(msec_announcement, signed_by_the_owner_is_believed)
{
	struct gk_buf xml = signed_by(&f.owner, document);
	struct gpt_announcement *a;
	struct gpt_fault why;

	gk_assert_ok(load(gk_buf_slice(&xml), NOW, &a, &why));
	assert_int_equal(a->serial, 3);
	gpt_announcement_free(a);
	gk_buf_free(&xml);
}

GK_TEST(msec_announcement, layout_outside_the_signed_element_does_not_matter)
{
	struct gk_buf xml = signed_by(&f.owner, document);
	struct gpt_announcement *a;
	struct gpt_fault why;
	char *text = malloc(xml.len + 64);
	const char *at;

	assert_non_null(text);
	at = memmem(xml.ptr, xml.len, "<signature>", 11);
	assert_non_null(at);
	(void)snprintf(text, xml.len + 64, "%.*s<!-- here --> %.*s",
	               (int)(at - (const char *)xml.ptr), (const char *)xml.ptr,
	               (int)(xml.len - (size_t)(at - (const char *)xml.ptr)),
	               at);
	gk_assert_ok(load(gk_slice_str(text), NOW, &a, &why));
	gpt_announcement_free(a);
	free(text);
	gk_buf_free(&xml);
}

GK_TEST(msec_announcement, every_changed_character_is_refused)
{
	struct gk_buf xml = signed_by(&f.owner, document);
	const uint8_t *from = memmem(xml.ptr, xml.len, "<announcement", 13);
	const uint8_t *to = memmem(xml.ptr, xml.len, "</announcement", 14);

	assert_non_null(from);
	assert_non_null(to);
	for (size_t i = (size_t)(from - xml.ptr); i < (size_t)(to - xml.ptr);
	     i += 2) {
		struct gpt_announcement *a;
		struct gpt_fault why;

		xml.ptr[i] ^= 1;
		if (load(gk_buf_slice(&xml), NOW, &a, &why) == GK_OK)
			fail_msg("octet %zu does not matter", i);
		assert_null(a);
		xml.ptr[i] ^= 1;
	}
	gk_buf_free(&xml);
}

GK_TEST(msec_announcement, other_signers_and_none_are_refused)
{
	struct gk_buf stranger = signed_by(&f.stranger, document);
	struct gk_buf evil = signed_by(&f.evil_owner, document);
	struct gpt_announcement *a;
	struct gpt_fault why;

	gk_assert_err(GK_ERR_AUTH,
	              load(gk_buf_slice(&stranger), NOW, &a, &why));
	gk_assert_err(GK_ERR_AUTH, load(gk_buf_slice(&evil), NOW, &a, &why));
	gk_assert_err(GK_ERR_VALUE,
	              load(gk_slice_str(document), NOW, &a, &why));
	assert_string_equal(why.text, "is not signed");
	gk_buf_free(&stranger);
	gk_buf_free(&evil);
}

GK_TEST(msec_announcement, token_in_place_of_the_signature_is_refused)
{
	struct gk_buf token = gpt_fixture_token(&f.owner, 1, NOW);
	struct gk_buf base64 = { 0 };
	struct gpt_announcement *a;
	struct gpt_fault why;
	char *xml = malloc(16384);

	assert_non_null(xml);
	gk_assert_ok(gpt_base64_encode(gk_buf_slice(&token), &base64));
	(void)snprintf(xml, 16384,
	               "<signed-announcement>%s<signature>%.*s</signature>"
	               "</signed-announcement>",
	               strstr(document, "<announcement"), (int)base64.len,
	               (const char *)base64.ptr);
	gk_assert_err(GK_ERR_VALUE, load(gk_slice_str(xml), NOW, &a, &why));
	assert_string_equal(why.req, "RFC4534-2-04");
	free(xml);
	gk_buf_free(&base64);
	gk_buf_free(&token);
}

GK_TEST(msec_announcement, past_its_date_or_of_another_group_is_refused)
{
	struct gk_buf xml = signed_by(&f.owner, document);
	struct gpt_owner other = f.expect;
	const int64_t last = 1798761600; /* 2027-01-01: that second counts */
	struct gpt_announcement *a;
	struct gpt_fault why;

	gk_assert_ok(load(gk_buf_slice(&xml), last, &a, &why));
	gpt_announcement_free(a);
	gk_assert_err(GK_ERR_POLICY,
	              load(gk_buf_slice(&xml), last + 1, &a, &why));
	assert_non_null(strstr(why.text, "not-after"));
	other.group_name = gk_slice_str("another");
	gk_assert_err(GK_ERR_POLICY,
	              gpt_announcement_load_verified(gk_buf_slice(&xml), &other,
	                                             NOW, &a, &why));
	gk_buf_free(&xml);
}

static void
check_refused(const char *from, const char *to, const char *field)
{
	char *xml = edited(from, to);
	struct gpt_announcement *a = NULL;
	struct gpt_fault why = { 0 };

	gk_assert_err(GK_ERR_VALUE,
	              gpt_announcement_parse(gk_slice_str(xml), &a, &why));
	assert_null(a);
	assert_string_equal(why.field, field);
	assert_true(why.line > 1);
	free(xml);
}

GK_TEST(msec_announcement, mistakes_are_named_by_line_and_element)
{
	check_refused("192.0.2.1\"/>\n  <key", "gcks.example\"/>\n  <key",
	              "<key-server>");
	check_refused("239.1.1.1", "192.0.2.9", "<rekey>");
	check_refused("source=\"192.0.2.1\"", "source=\"2001:db8::2\"",
	              "<rekey>");
	check_refused("port=\"5000\"", "port=\"0\"", "<data>");
	check_refused("2027-01-01T", "2027-13-01T", "<announcement>");
	check_refused("key-exchange=\"p256\"", "key-exchange=\"p255\"",
	              "<mechanisms>");
	check_refused("CN=gcks,O=MSEC", "gcks", "<key-server>");
	check_refused("type=\"octet-string\"", "type=\"raw\"", "<group-id>");
}

GK_TEST(rfc4534_2_11, announcement_has_to_agree_with_the_token)
{
	struct gpt_token *token = NULL;
	struct gpt_announcement *a = NULL;
	struct gpt_fault why = { 0 };

	gk_assert_ok(gpt_token_decode(
		(struct gk_slice){ golden, sizeof(golden) }, &token, NULL));
	gk_assert_ok(gpt_announcement_parse(gk_slice_str(document), &a, &why));
	gk_assert_ok(gpt_announcement_agrees(a, token, &why));
	a->terse = false;
	gk_assert_err(GK_ERR_POLICY, gpt_announcement_agrees(a, token, &why));
	a->terse = true;
	a->mechanisms.key_wrap = 12;
	gk_assert_err(GK_ERR_POLICY, gpt_announcement_agrees(a, token, &why));
	a->mechanisms.key_wrap = 49154;
	a->transport = GPT_TRANSPORT_TCP;
	gk_assert_err(GK_ERR_POLICY, gpt_announcement_agrees(a, token, &why));
	gpt_announcement_free(a);
	gpt_token_free(token);
}

GK_TEST(rfc4648_4, base64_is_strict_and_comes_back)
{
	uint8_t octets[100];
	struct gk_buf text = { 0 }, back = { 0 };

	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i * 37);
	for (size_t n = 0; n <= sizeof(octets); n++) {
		char plain[256];

		gk_assert_ok(gpt_base64_encode((struct gk_slice){ octets, n },
		                               &text));
		(void)snprintf(plain, sizeof(plain), "%.*s", (int)text.len,
		               (const char *)text.ptr);
		gk_assert_ok(gpt_base64_decode(plain, &back));
		assert_int_equal(back.len, n);
		assert_true(n == 0 || memcmp(back.ptr, octets, n) == 0);
		gk_buf_free(&text);
		gk_buf_free(&back);
	}
	gk_assert_err(GK_ERR_VALUE, gpt_base64_decode("QQ", &back));
	gk_assert_err(GK_ERR_VALUE, gpt_base64_decode("QR==", &back));
	gk_assert_err(GK_ERR_VALUE, gpt_base64_decode("Q===", &back));
	gk_assert_err(GK_ERR_VALUE, gpt_base64_decode("QQ==QQ==", &back));
	gk_assert_err(GK_ERR_VALUE, gpt_base64_decode("QQ*=", &back));
}

static int
set_up(void **state)
{
	(void)state;
	gpt_fixture_make(&f);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	gpt_fixture_free(&f);
	gk_pki_keys_free();
	return 0;
}

/* --- a group of GDOI -------------------------------------------------------------- */

static const char gdoi_document[] =
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	"<announcement serial=\"3\" not-after=\"2040-01-01T00:00:00Z\">\n"
	"  <group-id type=\"octet-string\" random=\"3042c2546fdb347c\" "
	"name=\"vpn\"/>\n"
	"  <key-server address=\"192.0.2.1\"/>\n"
	"  <key-server address=\"192.0.2.2\" port=\"3761\"/>\n"
	"  <gdoi doi=\"2\" situation=\"0\">\n"
	"    <group number=\"4660\"/>\n"
	"    <phase1 authentication=\"psk\" encryption=\"aes\" "
	"key-length=\"256\" hash=\"sha256\" group=\"modp2048\" "
	"lifetime=\"1d\"/>\n"
	"  </gdoi>\n"
	"  <rekey group=\"239.1.1.1\" port=\"848\" source=\"192.0.2.1\"/>\n"
	"</announcement>\n";

GK_TEST(msec_announcement, a_group_of_gdoi_comes_back)
{
	struct gpt_announcement *a = NULL;
	struct gk_buf again = { 0 };
	struct gpt_fault why = { 0 };
	struct gpt_token *token = NULL;

	if (gpt_announcement_parse(gk_slice_str(gdoi_document), &a, &why) !=
	    GK_OK)
		fail_msg("%s: %s", why.field, why.text);
	assert_non_null(a->gdoi);
	assert_int_equal(a->gdoi->group.number.value, 4660);
	assert_int_equal(a->servers[0].at.port, 848);
	assert_int_equal(a->servers[1].at.port, 3761);
	assert_int_equal(a->doi, 2);
	assert_int_equal(a->gdoi->n_phase1, 1);
	assert_int_equal(a->rekey.group.port, 848);
	gk_assert_ok(gpt_announcement_write(a, &again));
	assert_true(gk_slice_equal(gk_buf_slice(&again),
	                           gk_slice_str(gdoi_document)));

	gk_assert_ok(gpt_token_decode(
		(struct gk_slice){ golden_gdoi, sizeof(golden_gdoi) }, &token,
		&why));
	gk_assert_ok(gpt_announcement_agrees(a, token, &why));
	a->gdoi->phase1[0].key_length.value = 128;
	gk_assert_err(GK_ERR_POLICY, gpt_announcement_agrees(a, token, &why));
	assert_string_equal(why.field, "phase1");
	a->gdoi->group.number.value++;
	gk_assert_err(GK_ERR_POLICY, gpt_announcement_agrees(a, token, &why));
	assert_string_equal(why.field, "groupInfo");
	gpt_token_free(token);
	gk_buf_free(&again);
	gpt_announcement_free(a);
}

#define FLOWS                                                                \
	"  <flow source=\"10.0.0.0/8\" destination=\"239.1.1.0-239.1.1.9\" " \
	"destination-port=\"5004\" protocol=\"udp\"/>\n"                     \
	"  <flow source=\"2001:db8::1\" source-port=\"9\"/>\n"

/* @flows stand behind everything else of @plain. */
static enum gk_err
with_flows(const char *plain, const char *flows, struct gpt_announcement **a,
           struct gpt_fault *why)
{
	const char *end = strstr(plain, "</announcement>");
	char text[4096];

	assert_non_null(end);
	(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(end - plain),
	               plain, flows, end);
	*why = (struct gpt_fault){ 0 };
	return gpt_announcement_parse(gk_slice_str(text), a, why);
}

GK_TEST(msec_announcement, flows_come_back)
{
	struct gpt_announcement *a = NULL;
	struct gk_buf again = { 0 };
	struct gpt_fault why;

	gk_assert_ok(with_flows(gdoi_document, FLOWS, &a, &why));
	assert_int_equal(a->n_flows, 2);
	assert_int_equal(a->flows[0].protocol, 17);
	assert_int_equal(a->flows[0].destination_port, 5004);
	assert_int_equal(a->flows[0].source.data.len, 8);
	assert_int_equal(a->flows[1].source_port, 9);
	assert_int_equal(a->flows[1].destination.type, 0);
	gk_assert_ok(gpt_announcement_write(a, &again));
	assert_non_null(memmem(again.ptr, again.len, FLOWS, strlen(FLOWS)));
	gk_buf_free(&again);
	gpt_announcement_free(a);
}

GK_TEST(msec_announcement, a_flow_that_is_none_is_refused)
{
	static const char *const wrong[] = {
		"<flow source=\"239.1.1.1\"/>",
		"<flow source=\"10.0.0.0/33\"/>",
		"<flow destination=\"news.example\"/>",
		"<flow destination=\"1:00ff\"/>",
		/* no address at all is every one */
		"<flow destination=\"239.1.1.9-239.1.1.1\"/>",
		"<flow source=\"2001:db8::9-2001:db8::1\"/>",
		"<flow source-port=\"0\"/>",
		"<flow protocol=\"256\"/>",
		"<flow protocol=\"carrier\"/>",
	};
	struct gpt_announcement *a;
	struct gpt_fault why;

	for (size_t i = 0; i < GK_COUNT(wrong); i++)
		assert_int_equal(with_flows(gdoi_document, wrong[i], &a, &why),
		                 GK_ERR_VALUE);
	assert_int_equal(with_flows(document, FLOWS, &a, &why), GK_ERR_VALUE);
}

GK_TEST(msec_announcement, what_belongs_to_gsakmp_is_refused_in_a_group_of_gdoi)
{
	static const struct {
		const char *old, *new;
	} cases[] = {
		{ "serial=\"3\"", "serial=\"3\" terse=\"true\"" },
		{ "number=\"4660\"", "" },
		{ "number=\"4660\"", "number=\"4660\" oid=\"1.2.3\"" },
		{ "number=\"4660\"", "number=\"4294967296\"" },
		{ "doi=\"2\"", "doi=\"256\"" },
		{ "hash=\"sha256\"", "hash=\"sha257\"" },
	};

	for (size_t i = 0; i < GK_COUNT(cases); i++) {
		struct gpt_announcement *a = NULL;
		struct gpt_fault why = { 0 };
		const char *at = strstr(gdoi_document, cases[i].old);
		char text[2048];

		assert_non_null(at);
		(void)snprintf(text, sizeof(text), "%.*s%s%s",
		               (int)(at - gdoi_document), gdoi_document,
		               cases[i].new, at + strlen(cases[i].old));
		gk_assert_err(
			GK_ERR_VALUE,
			gpt_announcement_parse(gk_slice_str(text), &a, &why));
		assert_null(a);
		assert_true(why.line > 0 && why.text[0] != '\0');
	}
}

GK_TEST(msec_announcement, a_group_of_gsakmp_needs_its_transport)
{
	struct gpt_announcement *a = NULL;
	struct gpt_fault why = { 0 };
	const char *at = strstr(document, " terse=\"true\"");
	char text[4096];

	assert_non_null(at);
	(void)snprintf(text, sizeof(text), "%.*s%s", (int)(at - document),
	               document, at + strlen(" terse=\"true\""));
	gk_assert_err(GK_ERR_VALUE,
	              gpt_announcement_parse(gk_slice_str(text), &a, &why));
	assert_null(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(msec_announcement, a_group_of_gdoi_comes_back),
		GK_RUN(msec_announcement, flows_come_back),
		GK_RUN(msec_announcement, a_flow_that_is_none_is_refused),
		GK_RUN(msec_announcement,
		       what_belongs_to_gsakmp_is_refused_in_a_group_of_gdoi),
		GK_RUN(msec_announcement,
		       a_group_of_gsakmp_needs_its_transport),
		GK_RUN(msec_announcement, all_fields_come_back),
		GK_RUN(msec_announcement, signed_by_the_owner_is_believed),
		GK_RUN(msec_announcement,
		       layout_outside_the_signed_element_does_not_matter),
		GK_RUN(msec_announcement, every_changed_character_is_refused),
		GK_RUN(msec_announcement, other_signers_and_none_are_refused),
		GK_RUN(msec_announcement,
		       token_in_place_of_the_signature_is_refused),
		GK_RUN(msec_announcement,
		       past_its_date_or_of_another_group_is_refused),
		GK_RUN(msec_announcement,
		       mistakes_are_named_by_line_and_element),
		GK_RUN(rfc4534_2_11, announcement_has_to_agree_with_the_token),
		GK_RUN(rfc4648_4, base64_is_strict_and_comes_back),
	};

	return cmocka_run_group_tests_name("policy-tokens/announcement", tests,
	                                   set_up, tear_down);
}
