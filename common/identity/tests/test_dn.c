/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <string.h>

#include "common/identity/gk_dn.h"

static struct gk_dn *
from_string(const char *text)
{
	struct gk_dn *dn;

	gk_assert_ok(gk_dn_from_string(gk_slice_str(text), GK_DN_RFC4514, &dn));
	return dn;
}

static void
assert_text(struct gk_buf *got, const char *want)
{
	char text[1024];

	assert_true(got->len < sizeof(text));
	memcpy(text, got->len == 0 ? (const void *)"" : got->ptr, got->len);
	text[got->len] = '\0';
	assert_string_equal(text, want);
	gk_buf_free(got);
}

/* Written again as RFC 4514 would have it, and the DER the same both ways. */
static void
check_string(const char *in, const char *want)
{
	struct gk_dn *dn = from_string(in), *again;
	struct gk_buf text, der, der2;

	gk_assert_ok(gk_dn_to_string(dn, GK_DN_RFC4514, &text));
	assert_text(&text, want);
	gk_assert_ok(gk_dn_to_der(dn, &der));
	gk_assert_ok(gk_dn_from_der(gk_buf_slice(&der), &again));
	assert_true(gk_dn_equal(dn, again));
	gk_assert_ok(gk_dn_to_der(again, &der2));
	assert_true(gk_slice_equal(gk_buf_slice(&der), gk_buf_slice(&der2)));
	gk_assert_ok(gk_dn_to_string(again, GK_DN_RFC4514, &text));
	assert_text(&text, want);
	gk_dn_free(dn);
	gk_dn_free(again);
	gk_buf_free(&der);
	gk_buf_free(&der2);
}

GK_TEST(rfc4514_4, examples_of_the_standard)
{
	check_string("UID=jsmith,DC=example,DC=net",
	             "UID=jsmith,DC=example,DC=net");
	check_string("OU=Sales+CN=J.  Smith,DC=example,DC=net",
	             "CN=J.  Smith+OU=Sales,DC=example,DC=net");
	check_string("CN=James \\\"Jim\\\" Smith\\, III,DC=example,DC=net",
	             "CN=James \\\"Jim\\\" Smith\\, III,DC=example,DC=net");
	check_string("CN=Before\\0dAfter,DC=example,DC=net",
	             "CN=Before\\0dAfter,DC=example,DC=net");
	check_string("1.3.6.1.4.1.1466.0=#04024869",
	             "1.3.6.1.4.1.1466.0=#04024869");
	check_string("CN=Lu\\C4\\8Di\\C4\\87", "CN=Lu\xC4\x8Di\xC4\x87");
}

GK_TEST(rfc4514_2_4, values_are_escaped_where_they_must_be)
{
	check_string("CN=\\ a b\\ ", "CN=\\ a b\\ ");
	check_string("CN=\\#x", "CN=\\#x");
	check_string("CN=a#b=c", "CN=a#b=c");
	check_string("CN=a\\=b", "CN=a=b");
	check_string("CN=\\3b\\3c\\3e\\2b\\5c", "CN=\\;\\<\\>\\+\\\\");
	check_string("CN=", "CN=");
	check_string("CN=\\ ", "CN=\\ ");
	/* A star is text here, and is written so that it stays text. */
	check_string("CN=a*b", "CN=a\\2ab");
}

/* What a terminal acts on is written in hexadecimal, and read back as it was. */
GK_TEST(rfc4514_2_4, control_characters_are_escaped)
{
	check_string("CN=a\\1b\\7f", "CN=a\\1b\\7f");
	check_string("CN=a\xc2\x9b"
	             "2J",
	             "CN=a\\c2\\9b2J");
	check_string("CN=\xe2\x80\xae"
	             "ecila",
	             "CN=\\e2\\80\\aeecila");
	check_string("CN=a\\c2\\85", "CN=a\\c2\\85");
	check_string("CN=Zo\xc3\xab\\ ", "CN=Zo\xc3\xab\\ ");
}

GK_TEST(rfc4514_3, types_by_any_of_their_names)
{
	check_string("cn=x,commonName=y,2.5.4.3=z", "CN=x,CN=y,CN=z");
	check_string("ou=x,o=y,l=z,s=w,ST=v,street=u,c=DE",
	             "OU=x,O=y,L=z,ST=w,ST=v,STREET=u,C=DE");
	check_string("1.2.840.113549.1.9.1=#1603404078",
	             "1.2.840.113549.1.9.1=#1603404078");
	check_string("E=@@x", "1.2.840.113549.1.9.1=#1603404078");
	check_string("Email=@@x", "1.2.840.113549.1.9.1=#1603404078");
	check_string("emailAddress=@@x", "1.2.840.113549.1.9.1=#1603404078");
	check_string("serialNumber=7", "2.5.4.5=#130137");
}

GK_TEST(rfc4514_2_1, spaces_that_rfc2253_writers_put_are_accepted)
{
	check_string("CN=a , O=b", "CN=a,O=b");
	check_string("CN = a,O=  b  ", "CN=a,O=b");
	check_string("CN=a + OU=c, O=b", "CN=a+OU=c,O=b");
	check_string("", "");
}

GK_TEST(rfc4514_3, what_is_no_name_is_refused)
{
	static const char *const bad[] = {
		"CN",         "=x",           "CN=a,",       ",CN=a",
		"CN=a,,O=b",  "CN=a\\",       "CN=a\\x",     "CN=a\\4",
		"CN=a;O=b",   "CN=a\"b",      "CN=<a",       "CN=a>",
		"XX=a",       "CN=#",         "CN=#0",       "CN=#zz",
		"CN=#0402aa", "CN=#040100ff", "CN=#04010 0", "1.=a",
		"CN=\\ff",    "CN=\\c0\\80",  "CN=\xff",     "CN=a+CN=b",
		"CN=a+",      "3.1=a",        "CN=#0480",    "CN=\\ed\\a0\\80",
	};

	for (size_t i = 0; i < GK_COUNT(bad); i++) {
		struct gk_dn *dn;

		gk_assert_err(GK_ERR_VALUE,
		              gk_dn_from_string(gk_slice_str(bad[i]),
		                                GK_DN_RFC4514, &dn));
		assert_null(dn);
	}
}

GK_TEST(rfc4514_2_1, order_is_the_reverse_of_the_certificate)
{
	struct gk_dn *dn = from_string("CN=x,OU=y,C=DE"), *forward;
	struct gk_buf der, text;
	char hex[256];

	gk_assert_ok(gk_dn_to_der(dn, &der));
	assert_string_equal(
		gk_hex(hex, sizeof(hex), gk_buf_slice(&der)),
		"3025310b3009060355040613024445310a3008060355040b0c0179310a"
		"300806035504030c0178");
	gk_assert_ok(gk_dn_to_string(dn, GK_DN_FORWARD, &text));
	assert_text(&text, "C=DE,OU=y,CN=x");
	gk_assert_ok(gk_dn_from_string(gk_slice_str("C=DE,OU=y,CN=x"),
	                               GK_DN_FORWARD, &forward));
	assert_true(gk_dn_equal(dn, forward));
	gk_dn_free(forward);
	gk_dn_free(dn);
	gk_buf_free(&der);
}

static bool
equal(const char *a, const char *b)
{
	struct gk_dn *x = from_string(a), *y = from_string(b);
	bool same = gk_dn_equal(x, y);

	assert_int_equal(gk_dn_equal(y, x), same);
	gk_dn_free(x);
	gk_dn_free(y);
	return same;
}

GK_TEST(rfc5280_7_1, names_are_compared_as_names)
{
	GK_SHOWS("RFC5280-7.1-01");
	GK_BREAKS("RFC5280-7.1-01");
	assert_true(equal("CN=Bob,O=ACME\\, Inc", "cn=BOB, o=acme\\,  inc "));
	assert_true(equal("CN=a b", "CN=\\ a  b"));
	assert_true(equal("CN=a+OU=b", "OU=b+CN=a"));
	assert_true(equal("CN=x", "CN=#0c0178"));        /* UTF8String */
	assert_true(equal("CN=x", "CN=#1e020078"));      /* BMPString */
	assert_true(equal("CN=\xc3\xa9", "CN=#1401e9")); /* TeletexString */
	assert_false(equal("CN=x", "CN=y"));
	assert_false(equal("CN=x", "OU=x"));
	assert_false(equal("CN=a,OU=b", "OU=b,CN=a"));
	assert_false(equal("CN=a,OU=b", "CN=a+OU=b"));
	assert_false(equal("CN=a", "CN=a,O=b"));
	assert_false(
		equal("CN=\xc3\xa9", "CN=\xc3\x89")); /* only ASCII folds */
	/* Octets that are no text are compared as octets. */
	assert_true(equal("CN=#040141", "CN=#040141"));
	assert_false(equal("CN=#040141", "CN=#040161"));
	assert_false(equal("CN=A", "CN=#040141"));
}

static bool
match(const char *pattern, const char *name)
{
	struct gk_dn *dn = from_string(name), *p;
	bool ok;

	gk_assert_ok(gk_dn_pattern_from_string(gk_slice_str(pattern),
	                                       GK_DN_RFC4514, &p));
	ok = gk_dn_match(p, dn);
	gk_dn_free(p);
	gk_dn_free(dn);
	return ok;
}

GK_TEST(rfc4534_b_1_1_04, wildcard_is_any_run_inside_one_value)
{
	assert_true(match("CN=*,O=ACME", "CN=gm1,O=acme"));
	assert_true(match("CN=*,O=ACME", "CN=,O=ACME"));
	assert_true(match("CN=gm*,O=ACME", "CN=gm1,O=ACME"));
	assert_true(match("CN=*1,O=ACME", "CN=gm1,O=ACME"));
	assert_true(match("CN=g*m*1,O=ACME", "CN=gamma m1,O=ACME"));
	assert_true(match("CN=a\\2ab", "CN=a*b"));
	assert_true(match("OU=*+CN=x", "CN=x+OU=y"));
	assert_false(match("CN=a\\2ab", "CN=axb"));
	assert_false(match("CN=gm*,O=ACME", "CN=gcks,O=ACME"));
	/* The number of RDNs is fixed, and so is their order. */
	assert_false(match("CN=*", "CN=gm1,O=ACME"));
	assert_false(match("CN=*,O=ACME", "CN=x,OU=y,O=ACME"));
	assert_false(match("CN=*,O=ACME", "O=ACME,CN=x"));
	assert_false(match("OU=*,CN=x", "CN=x+OU=y"));
	/* A value cannot reach over its end. */
	assert_false(match("CN=*\\,O=ACME", "CN=x,O=ACME"));
	assert_true(match("CN=*\\,O=ACME", "CN=x\\,O=ACME"));
}

GK_TEST(rfc4534_b_1_1_04, pattern_is_written_so_that_it_stays_one)
{
	static const char text[] = "CN=a*b\\2ac,O=*";
	struct gk_dn *p, *again;
	struct gk_buf out;

	gk_assert_ok(gk_dn_pattern_from_string(gk_slice_str(text),
	                                       GK_DN_RFC4514, &p));
	assert_true(gk_dn_has_wildcard(p));
	gk_assert_err(GK_ERR_VALUE, gk_dn_to_der(p, &out));
	gk_assert_ok(gk_dn_to_string(p, GK_DN_RFC4514, &out));
	gk_assert_ok(gk_dn_pattern_from_string(gk_buf_slice(&out),
	                                       GK_DN_RFC4514, &again));
	assert_true(gk_dn_has_wildcard(again));
	assert_false(gk_dn_equal(p, again)); /* patterns are no names */
	assert_text(&out, text);
	gk_dn_free(p);
	gk_dn_free(again);
}

GK_TEST(rfc4534_b_1_1_04, star_in_der_is_a_wildcard_without_escape)
{
	struct gk_dn *source = from_string("CN=g*,O=x"), *p, *name;
	struct gk_buf der;

	gk_assert_ok(gk_dn_to_der(source, &der));
	gk_assert_ok(gk_dn_pattern_from_der(gk_buf_slice(&der), &p));
	name = from_string("CN=gm,O=x");
	assert_true(gk_dn_match(p, name));
	gk_dn_free(name);
	name = from_string("CN=m,O=x");
	assert_false(gk_dn_match(p, name));
	gk_dn_free(name);
	gk_dn_free(p);
	gk_dn_free(source);
	gk_buf_free(&der);
}

GK_TEST(rfc4535_7_6_1_1_01, slash_names)
{
	static const char text[] = "/C=US/ST=MD/L=Somewhere/O=ACME, Inc."
				   "/OU=DIV1/CN=user1/Email=user1@acme.com";
	struct gk_dn *dn, *same;
	struct gk_buf out;

	gk_assert_ok(gk_dn_from_slash(gk_slice_str(text), &dn));
	same = from_string("1.2.840.113549.1.9.1=#160e75736572314061636d652e"
	                   "636f6d,CN=user1,OU=DIV1,O=ACME\\, Inc.,"
	                   "L=Somewhere,ST=MD,C=US");
	assert_true(gk_dn_equal(dn, same));
	gk_assert_ok(gk_dn_to_slash(dn, &out));
	assert_text(&out, text);
	gk_dn_free(dn);
	gk_dn_free(same);
	gk_assert_ok(gk_dn_pattern_from_slash(gk_slice_str("/O=a/CN=*"), &dn));
	same = from_string("CN=anyone,O=a");
	assert_true(gk_dn_match(dn, same));
	gk_dn_free(dn);
	gk_dn_free(same);
}

GK_TEST(rfc4535_7_6_2_1_02, what_a_slash_name_cannot_say_is_refused)
{
	static const char *const bad[] = { "",      "/",        "CN=x",
		                           "/CN",   "/CN=x/",   "/CN=x//O=y",
		                           "/XX=y", "/CN=x/yz", "/CN=\xff" };
	static const char *const unsayable[] = { "CN=a/b", "CN=a+OU=b",
		                                 "1.2.3=#0c0178",
		                                 "CN=#040141" };
	struct gk_buf out;
	struct gk_dn *dn;

	for (size_t i = 0; i < GK_COUNT(bad); i++) {
		gk_assert_err(GK_ERR_VALUE,
		              gk_dn_from_slash(gk_slice_str(bad[i]), &dn));
		assert_null(dn);
	}
	for (size_t i = 0; i < GK_COUNT(unsayable); i++) {
		dn = from_string(unsayable[i]);
		gk_assert_err(GK_ERR_VALUE, gk_dn_to_slash(dn, &out));
		assert_null(out.ptr);
		gk_dn_free(dn);
	}
}

GK_TEST(rfc5280_4_1_2_4, every_truncation_of_the_der_is_refused)
{
	struct gk_dn *dn = from_string("CN=x+OU=y,O=z,C=DE"), *none;
	struct gk_buf der;

	gk_assert_ok(gk_dn_to_der(dn, &der));
	for (size_t n = 0; n < der.len; n++) {
		gk_assert_err(
			GK_ERR_VALUE,
			gk_dn_from_der((struct gk_slice){ der.ptr, n }, &none));
		assert_null(none);
	}
	gk_assert_ok(gk_buf_append(&der, gk_slice_str("x")));
	gk_assert_err(GK_ERR_VALUE, gk_dn_from_der(gk_buf_slice(&der), &none));
	gk_dn_free(dn);
	gk_buf_free(&der);
}

GK_TEST(rfc5280_4_1_2_4, odd_der_is_refused)
{
	static const char *const bad[] = {
		"3002"
		"3100",                       /* empty RDN */
		"300c310a3008060355040c0c01", /* cut */
		"300e310c300a06035504030c0178"
		"0500", /* third element */
		"3016"
		"3114"
		"300806035504"
		"0b0c0179"
		"300806035504"
		"030c0178", /* set unsorted */
		"3016"
		"3114"
		"300806035504"
		"030c0178"
		"300806035504"
		"030c0179",                   /* CN twice */
		"300b3109300706035504030c81", /* lying length */
		"300a3108300606015504"
		"0c00", /* one-octet OID tail */
	};

	for (size_t i = 0; i < GK_COUNT(bad); i++) {
		struct gk_buf der;
		struct gk_dn *dn;

		gk_assert_ok(gk_unhex(&der, bad[i]));
		gk_assert_err(GK_ERR_VALUE,
		              gk_dn_from_der(gk_buf_slice(&der), &dn));
		gk_buf_free(&der);
	}
}

GK_TEST(identity_dn, too_much_is_refused)
{
	char text[GK_DN_MAX_LEN + 2];
	struct gk_dn *dn;

	memset(text, 'a', sizeof(text) - 1);
	memcpy(text, "CN=", 3);
	text[sizeof(text) - 1] = '\0';
	gk_assert_err(GK_ERR_VALUE, gk_dn_from_string(gk_slice_str(text),
	                                              GK_DN_RFC4514, &dn));
	text[0] = '\0';
	for (size_t i = 0; i <= GK_DN_MAX_RDN; i++)
		strcat(text, i == 0 ? "CN=a" : ",CN=a");
	gk_assert_err(GK_ERR_VALUE, gk_dn_from_string(gk_slice_str(text),
	                                              GK_DN_RFC4514, &dn));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4514_4, examples_of_the_standard),
		GK_RUN(rfc4514_2_4, values_are_escaped_where_they_must_be),
		GK_RUN(rfc4514_2_4, control_characters_are_escaped),
		GK_RUN(rfc4514_3, types_by_any_of_their_names),
		GK_RUN(rfc4514_2_1,
		       spaces_that_rfc2253_writers_put_are_accepted),
		GK_RUN(rfc4514_3, what_is_no_name_is_refused),
		GK_RUN(rfc4514_2_1, order_is_the_reverse_of_the_certificate),
		GK_RUN(rfc5280_7_1, names_are_compared_as_names),
		GK_RUN(rfc4534_b_1_1_04, wildcard_is_any_run_inside_one_value),
		GK_RUN(rfc4534_b_1_1_04,
		       pattern_is_written_so_that_it_stays_one),
		GK_RUN(rfc4534_b_1_1_04,
		       star_in_der_is_a_wildcard_without_escape),
		GK_RUN(rfc4535_7_6_1_1_01, slash_names),
		GK_RUN(rfc4535_7_6_2_1_02,
		       what_a_slash_name_cannot_say_is_refused),
		GK_RUN(rfc5280_4_1_2_4, every_truncation_of_the_der_is_refused),
		GK_RUN(rfc5280_4_1_2_4, odd_der_is_refused),
		GK_RUN(identity_dn, too_much_is_refused),
	};

	return cmocka_run_group_tests_name("common/identity/dn", tests, NULL,
	                                   NULL);
}
