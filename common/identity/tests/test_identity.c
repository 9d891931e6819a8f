/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/identity/tests/held.h"

#include <stdlib.h>
#include <string.h>

/*
 * Forms, equality and patterns of identities by themselves: RFC 4535 section
 * 7.6, RFC 4534 B.1.1.
 */

static bool
matches(enum gk_id_kind kind, const char *pattern, const char *text)
{
	struct held p = make(kind, pattern), id = make(kind, text);
	bool ok;

	gk_assert_ok(gk_identity_check_pattern(p.id));
	ok = gk_identity_match(p.id, id.id, GK_DN_COMPARE_RFC4514);
	done(&p);
	done(&id);
	return ok;
}

GK_TEST(rfc4535_7_6_1_05, forms_of_every_kind)
{
	static const struct {
		enum gk_id_kind kind;
		const char *text, *hex;
	} known[] = {
		{ GK_ID_IPV4, "192.0.2.1", "c0000201" },
		{ GK_ID_IPV6, "2001:db8::1",
		  "20010db8000000000000000000000001" },
		{ GK_ID_FQDN, "gm1.example", "676d312e6578616d706c65" },
		{ GK_ID_RFC822, "a@b", "614062" },
		{ GK_ID_DN_STRING, "CN=x", "434e3d78" },
		{ GK_ID_DER_DN, "CN=x", "300c310a300806035504030c0178" },
		{ GK_ID_KEY_ID, "k*", "6b2a" },
		{ GK_ID_U_NAME, "01a2/CN=x",
		  "0000000000000000000000000000000000"
		  "0001a2"
		  "00000005"
		  "2f434e3d78" },
	};

	for (size_t i = 0; i < GK_COUNT(known); i++) {
		struct held h = make(known[i].kind, known[i].text);
		struct gk_buf text;
		char hex[256];

		assert_string_equal(
			gk_hex(hex, sizeof(hex), gk_buf_slice(&h.octets)),
			known[i].hex);
		gk_assert_ok(gk_identity_check(h.id));
		assert_true(
			gk_identity_equal(h.id, h.id, GK_DN_COMPARE_RFC4514));
		gk_assert_ok(gk_identity_format(h.id, &text));
		assert_true(gk_slice_equal(gk_buf_slice(&text),
		                           gk_slice_str(known[i].text)));
		assert_int_equal(
			gk_id_kind_from_name(gk_id_kind_name(known[i].kind)),
			known[i].kind);
		gk_buf_free(&text);
		done(&h);
	}
	assert_int_equal(gk_id_kind_from_name("x"), GK_ID_NONE);
}

GK_TEST(rfc4535_7_6_2_04, ill_formed_identities_are_refused)
{
	static const struct {
		enum gk_id_kind kind;
		const char *octets; /* hexadecimal */
	} bad[] = {
		{ GK_ID_NONE, "00" },
		{ GK_ID_IPV4, "" },
		{ GK_ID_IPV4, "c00002" },
		{ GK_ID_IPV4, "c000020100" },
		{ GK_ID_IPV6, "c0000201" },
		{ GK_ID_FQDN, "" },
		{ GK_ID_FQDN, "2e61" },
		{ GK_ID_FQDN, "612e" },
		{ GK_ID_FQDN, "612e2e61" },
		{ GK_ID_FQDN, "612061" },
		{ GK_ID_FQDN, "610061" },
		{ GK_ID_FQDN, "2a2e61" }, /* a pattern is no name */
		{ GK_ID_RFC822, "61" },
		{ GK_ID_RFC822, "4061" },
		{ GK_ID_RFC822, "6140" },
		{ GK_ID_RFC822, "61406100" },
		{ GK_ID_RFC822, "6162204061" },
		{ GK_ID_DER_DN, "" },
		{ GK_ID_DER_DN, "3000" }, /* the empty name is nobody's */
		{ GK_ID_DER_DN, "300c310a300806035504030c017800" },
		{ GK_ID_DN_STRING, "" },
		{ GK_ID_DN_STRING, "434e" },
		{ GK_ID_KEY_ID, "" },
		{ GK_ID_U_NAME, "00" },
		{ GK_ID_U_NAME, /* serial number 0: RFC4535-7.6.2.1-01 */
		  "0000000000000000000000000000000000000000"
		  "000000052f434e3d78" },
		{ GK_ID_U_NAME, /* Length one short */
		  "0000000000000000000000000000000000000001"
		  "000000042f434e3d78" },
		{ GK_ID_U_NAME, /* Length one over */
		  "0000000000000000000000000000000000000001"
		  "000000062f434e3d78" },
		{ GK_ID_U_NAME, /* no slash */
		  "0000000000000000000000000000000000000001"
		  "00000004434e3d78" },
	};

	for (size_t i = 0; i < GK_COUNT(bad); i++) {
		struct gk_identity id = { .kind = bad[i].kind };
		struct gk_buf octets;

		gk_assert_ok(gk_unhex(&octets, bad[i].octets));
		id.octets = gk_buf_slice(&octets);
		gk_assert_err(GK_ERR_VALUE, gk_identity_check(id));
		assert_false(gk_identity_equal(id, id, GK_DN_COMPARE_RFC4514));
		assert_false(
			gk_identity_binds(id, gm.cert, GK_DN_COMPARE_RFC4514));
		gk_buf_free(&octets);
	}
}

GK_TEST(rfc4535_7_6_1_06, equality_by_kind)
{
	static const struct {
		enum gk_id_kind kind;
		const char *a, *b;
		bool equal;
	} known[] = {
		{ GK_ID_FQDN, "gm.Example", "GM.example", true },
		{ GK_ID_FQDN, "gm.example", "gm2.example", false },
		{ GK_ID_FQDN, "gm.example", "gm.example.org", false },
		{ GK_ID_RFC822, "Bob@Example", "Bob@EXAMPLE", true },
		{ GK_ID_RFC822, "Bob@example", "bob@example", false },
		/* A star in a local part is a character, not a pattern. */
		{ GK_ID_RFC822, "b*@example", "bob@example", false },
		{ GK_ID_DN_STRING, "CN=Bob,O=X", "cn=bob, o=x", true },
		{ GK_ID_DN_STRING, "CN=Bob,O=X", "O=X,CN=Bob", false },
		{ GK_ID_DER_DN, "CN=Bob", "CN=Bob", true },
		{ GK_ID_DER_DN, "CN=Bob", "CN=bob", false }, /* bit for bit */
		{ GK_ID_KEY_ID, "k1", "K1", false },
		{ GK_ID_U_NAME, "01/CN=a", "0001/cn=A", true },
		{ GK_ID_U_NAME, "01/CN=a", "02/CN=a", false },
		{ GK_ID_IPV4, "192.0.2.1", "192.0.2.2", false },
	};

	for (size_t i = 0; i < GK_COUNT(known); i++) {
		struct held a = make(known[i].kind, known[i].a);
		struct held b = make(known[i].kind, known[i].b);

		assert_int_equal(
			gk_identity_equal(a.id, b.id, GK_DN_COMPARE_RFC4514),
			known[i].equal);
		assert_int_equal(
			gk_identity_equal(b.id, a.id, GK_DN_COMPARE_RFC4514),
			known[i].equal);
		done(&a);
		done(&b);
	}
}

/* The three readings of ID_DN_STRING that the choice `dn_string` names. */
GK_TEST(rfc4535_7_6_1_03, dn_string_readings)
{
	struct held a = make(GK_ID_DN_STRING, "CN=a,O=b");
	struct held b = make(GK_ID_DN_STRING, "cn=a,o=b");

	assert_true(gk_identity_equal(a.id, b.id, GK_DN_COMPARE_RFC4514));
	assert_true(gk_identity_equal(a.id, b.id, GK_DN_COMPARE_FORWARD));
	assert_false(gk_identity_equal(a.id, b.id, GK_DN_COMPARE_OCTETS));
	assert_true(gk_identity_equal(a.id, a.id, GK_DN_COMPARE_OCTETS));
	done(&a);
	done(&b);
}

GK_TEST(rfc4535_7_6_2_04, kinds_are_never_equal_to_each_other)
{
	struct held a = make(GK_ID_DN_STRING, "CN=x");
	struct held b = make(GK_ID_DER_DN, "CN=x");
	struct held k = make(GK_ID_KEY_ID, "CN=x");

	assert_false(gk_identity_equal(a.id, b.id, GK_DN_COMPARE_RFC4514));
	assert_false(gk_identity_equal(a.id, k.id, GK_DN_COMPARE_RFC4514));
	assert_false(gk_identity_match(a.id, k.id, GK_DN_COMPARE_RFC4514));
	done(&a);
	done(&b);
	done(&k);
}

GK_TEST(rfc4534_b_1_1_04, patterns_of_domains_and_mail)
{
	assert_true(matches(GK_ID_FQDN, "*.example", "gm1.example"));
	assert_true(matches(GK_ID_FQDN, "GM*.example", "gm1.example"));
	assert_true(matches(GK_ID_FQDN, "*", "gm1.example"));
	assert_true(matches(GK_ID_FQDN, "*.*", "gm1.example"));
	assert_false(matches(GK_ID_FQDN, "*.example", "a.b.example"));
	assert_false(matches(GK_ID_FQDN, "*.example", "example"));
	assert_false(matches(GK_ID_FQDN, "*example", "a.example"));
	assert_true(matches(GK_ID_RFC822, "*@acme.com", "bob@ACME.com"));
	assert_true(matches(GK_ID_RFC822, "b*b@*.com", "bob@acme.com"));
	assert_true(matches(GK_ID_RFC822, "*@*.*", "bob@acme.com"));
	assert_false(matches(GK_ID_RFC822, "*@acme.com", "bob@acme.org"));
	assert_false(matches(GK_ID_RFC822, "*@*", "bob@acme.com"));
}

GK_TEST(rfc4534_b_1_1_04, patterns_of_addresses)
{
	assert_true(matches(GK_ID_IPV4, "10.*.0.*", "10.9.0.255"));
	assert_true(matches(GK_ID_IPV4, "*", "10.9.0.255"));
	assert_true(matches(GK_ID_IPV4, "10.9.0.1", "10.9.0.1"));
	assert_false(matches(GK_ID_IPV4, "10.*.0.*", "10.9.1.255"));
	/* 42 is '*' in ASCII, and a number in an address. */
	assert_true(matches(GK_ID_IPV4, "42.42.42.42", "42.42.42.42"));
	assert_false(matches(GK_ID_IPV4, "42.42.42.42", "1.2.3.4"));
	assert_true(
		matches(GK_ID_IPV6, "2001:db8:*:*:*:*:*:*", "2001:db8:1::9"));
	assert_false(
		matches(GK_ID_IPV6, "2001:db8:*:*:*:*:*:*", "2001:db9:1::9"));
}

GK_TEST(rfc4534_b_1_1_04, patterns_of_names)
{
	assert_true(matches(GK_ID_DN_STRING, "CN=*,O=ACME", "CN=x,O=acme"));
	assert_true(matches(GK_ID_DN_STRING, "*", "CN=x,O=acme"));
	assert_false(matches(GK_ID_DN_STRING, "CN=*", "CN=x,O=acme"));
	assert_true(matches(GK_ID_U_NAME, "*/O=a/CN=*", "01/O=a/CN=b"));
	assert_true(matches(GK_ID_U_NAME, "01/O=a/CN=*", "01/O=a/CN=b"));
	assert_false(matches(GK_ID_U_NAME, "02/O=a/CN=*", "01/O=a/CN=b"));
	assert_false(matches(GK_ID_U_NAME, "*/O=a", "01/O=a/CN=b"));
	/* KEY_ID has no wildcards: an octet is an octet. */
	assert_true(matches(GK_ID_KEY_ID, "*", "*"));
	assert_false(matches(GK_ID_KEY_ID, "*", "x"));
}

GK_TEST(rfc4534_b_1_1_04, der_pattern_is_bitwise_without_a_star)
{
	assert_true(matches(GK_ID_DER_DN, "CN=a*", "CN=ABC"));
	assert_true(matches(GK_ID_DER_DN, "CN=a", "CN=a"));
	assert_false(matches(GK_ID_DER_DN, "CN=a", "CN=A"));
}

GK_TEST(rfc4534_b_1_1_04, patterns_that_are_none_are_refused)
{
	static const struct {
		enum gk_id_kind kind;
		const char *text;
	} bad[] = {
		{ GK_ID_IPV4, "10.*.0" },
		{ GK_ID_IPV4, "10.*.0.256" },
		{ GK_ID_IPV4, "10.1*.0.1" },
		{ GK_ID_IPV4, "10.*.0.1." },
		{ GK_ID_IPV6, "2001:*" },
		{ GK_ID_IPV6, "*:*:*:*:*:*:*:10" },
		{ GK_ID_IPV6, "2001::*" },
		{ GK_ID_FQDN, "*..a" },
		{ GK_ID_RFC822, "*"
		                "@" },
		{ GK_ID_DN_STRING, "CN" },
		{ GK_ID_U_NAME, "/CN=x" },
		{ GK_ID_U_NAME, "0/CN=x" },
		{ GK_ID_U_NAME, "zz/CN=x" },
		{ GK_ID_U_NAME, "00/CN=x" },
		{ GK_ID_FQDN, "" },
		{ GK_ID_NONE, "x" },
		{ GK_ID_FQDN, "hex:0" },
		{ GK_ID_FQDN, "hex:zz" },
	};

	for (size_t i = 0; i < GK_COUNT(bad); i++) {
		struct gk_buf octets;

		gk_assert_err(GK_ERR_VALUE,
		              gk_identity_parse(bad[i].kind,
		                                gk_slice_str(bad[i].text),
		                                &octets));
		assert_null(octets.ptr);
	}
}

GK_TEST(identity, patterns_tell_how_wide_they_are)
{
	static const struct {
		enum gk_id_kind kind;
		const char *text;
		bool wild, any;
	} known[] = {
		{ GK_ID_FQDN, "*", true, true },
		{ GK_ID_FQDN, "*.*", true, true },
		{ GK_ID_FQDN, "*.a", true, false },
		{ GK_ID_FQDN, "b.a", false, false },
		{ GK_ID_RFC822, "*@*.*", true, true },
		{ GK_ID_IPV4, "*.*.*.*", true, true },
		{ GK_ID_IPV4, "1.*.*.*", true, false },
		{ GK_ID_IPV4, "1.2.3.4", false, false },
		{ GK_ID_IPV6, "*:*:*:*:*:*:*:*", true, true },
		{ GK_ID_DN_STRING, "*", true, true },
		{ GK_ID_DN_STRING, "CN=*,O=*", true, true },
		{ GK_ID_DN_STRING, "CN=*,O=x", true, false },
		{ GK_ID_DN_STRING, "CN=\\2a", false, false },
		{ GK_ID_DER_DN, "CN=*", true, true },
		{ GK_ID_U_NAME, "*/CN=*", true, true },
		{ GK_ID_U_NAME, "01/CN=*", true, false },
		{ GK_ID_U_NAME, "*/CN=x", true, false },
		{ GK_ID_KEY_ID, "*", false, false },
	};

	for (size_t i = 0; i < GK_COUNT(known); i++) {
		struct held p = make(known[i].kind, known[i].text);

		assert_int_equal(gk_identity_has_wildcard(p.id), known[i].wild);
		assert_int_equal(gk_identity_is_any(p.id), known[i].any);
		done(&p);
	}
}

GK_TEST(identity, text_reads_back_for_all_octets)
{
	static const char *const octets[] = {
		"",
		"00",
		"2a",
		"6865783a3030",
		"c0000201",
		"ff",
		"434e3d0d0a",
		"2061",
		"434e3d78",
		"3000",
		"6120",
		"610a62",
		"e282ac",
		"300c310a300806035504030c0178",
		"300c310a30080603550403130178",
		"2a3a2a3a2a3a2a3a2a3a2a3a2a3a3130",
	};

	for (size_t i = 0; i < GK_COUNT(octets); i++)
		for (enum gk_id_kind kind = GK_ID_IPV4; kind <= GK_ID_U_NAME;
		     kind++) {
			struct gk_buf raw, text, back;

			gk_assert_ok(gk_unhex(&raw, octets[i]));
			gk_assert_ok(gk_identity_format(
				(struct gk_identity){ kind,
			                              gk_buf_slice(&raw) },
				&text));
			gk_assert_ok(gk_identity_parse(
				kind, gk_buf_slice(&text), &back));
			assert_true(gk_slice_equal(gk_buf_slice(&raw),
			                           gk_buf_slice(&back)));
			gk_buf_free(&raw);
			gk_buf_free(&text);
			gk_buf_free(&back);
		}
}

/* Nor are they in names that people are shown and give back. */
GK_TEST(identity, what_a_terminal_acts_on_is_hexadecimal)
{
	static const char *const odd[] = {
		"a\x1b[2J",        "a\x7f",         "a\xc2\x9b",
		"\xe2\x80\xaexyz", "\xe2\x81\xa6x", "a\x9b",
	};

	for (size_t i = 0; i < GK_COUNT(odd); i++) {
		struct gk_identity id = { GK_ID_U_NAME, gk_slice_str(odd[i]) };
		struct gk_buf text;

		gk_assert_ok(gk_identity_format(id, &text));
		assert_memory_equal(text.ptr, "hex:", 4);
		gk_buf_free(&text);
	}
}

GK_TEST(identity, logs_get_no_control_characters)
{
	struct gk_identity id = { GK_ID_KEY_ID,
		                  gk_slice_str("a\nb\\\x1b[31m") };
	char out[64];

	assert_string_equal(gk_identity_print(out, sizeof(out), id),
	                    "key-id:hex:610a625c1b5b33316d");
	assert_string_equal(gk_text_print(out, sizeof(out), id.octets),
	                    "a\\x0ab\\x5c\\x1b[31m");
	assert_string_equal(gk_text_print(out, 5, id.octets), "a");
	assert_string_equal(gk_identity_print(out, 5, id), "key-");
	id = (struct gk_identity){ GK_ID_DN_STRING,
		                   gk_slice_str("CN=caf\xc3\xa9") };
	assert_string_equal(gk_identity_print(out, sizeof(out), id),
	                    "dn:CN=caf\\xc3\\xa9");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_7_6_1_05, forms_of_every_kind),
		GK_RUN(rfc4535_7_6_2_04, ill_formed_identities_are_refused),
		GK_RUN(rfc4535_7_6_1_06, equality_by_kind),
		GK_RUN(rfc4535_7_6_1_03, dn_string_readings),
		GK_RUN(rfc4535_7_6_2_04, kinds_are_never_equal_to_each_other),
		GK_RUN(rfc4534_b_1_1_04, patterns_of_domains_and_mail),
		GK_RUN(rfc4534_b_1_1_04, patterns_of_addresses),
		GK_RUN(rfc4534_b_1_1_04, patterns_of_names),
		GK_RUN(rfc4534_b_1_1_04, der_pattern_is_bitwise_without_a_star),
		GK_RUN(rfc4534_b_1_1_04, patterns_that_are_none_are_refused),
		GK_RUN(identity, patterns_tell_how_wide_they_are),
		GK_RUN(identity, text_reads_back_for_all_octets),
		GK_RUN(identity, what_a_terminal_acts_on_is_hexadecimal),
		GK_RUN(identity, logs_get_no_control_characters),
	};

	return cmocka_run_group_tests_name(
		"common/identity", tests, held_make_parties, held_free_parties);
}
