/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <stdio.h>
#include <string.h>

#include "common/identity/gk_patterns.h"

/*
 * A list that was read once answers what gk_identity_match() answers, of every
 * kind and spelling.
 */
#define SERIAL_7 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\7"
#define SERIAL_8 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\10"
#define STARS "********************"
#define DER_A "\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x61"
#define DER_STAR "\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x2a"
#define DER_TWO                                                        \
	"\x30\x19\x31\x17\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x61\x30" \
	"\x0b\x06\x03\x55\x04\x0a\x0c\x04\x41\x43\x4d\x45"

#define ID(kind, text)                                            \
	{                                                         \
		GK_ID_##kind,                                     \
		{                                                 \
			(const uint8_t *)(text), sizeof(text) - 1 \
		}                                                 \
	}

/* Each is a pattern, and each that is well-formed as one a name. */
static const struct gk_identity all[] = {
	ID(DN_STRING, "CN=a,O=ACME"),
	ID(DN_STRING, "cn=A , o=Acme"),
	ID(DN_STRING, "O=ACME,CN=a"),
	ID(DN_STRING, "CN=a  b,O=ACME"),
	ID(DN_STRING, "CN=a b,O=ACME"),
	ID(DN_STRING, "CN=*,O=ACME"),
	ID(DN_STRING, "CN=\\2a,O=ACME"),
	ID(DN_STRING, "CN=a*,O=AC*"),
	ID(DN_STRING, "CN=*b,O=*"),
	ID(DN_STRING, "O=*,CN=*"),
	ID(DN_STRING, "CN=a+UID=7,O=ACME"),
	ID(DN_STRING, "UID=7+CN=a,O=ACME"),
	ID(DN_STRING, "UID=*+CN=a,O=ACME"),
	ID(DN_STRING, "CN=a,UID=7,O=ACME"),
	ID(DN_STRING, "CN=#0c0161,O=ACME"),
	ID(DN_STRING, "CN=#020161,O=ACME"),
	ID(DN_STRING, "1.2.3.4=#0c0161,O=ACME"),
	ID(DN_STRING, "CN=a,O=ACME,C=US"),
	ID(DN_STRING, "CN=a"),
	ID(DN_STRING, ""),
	ID(DN_STRING, "*"),
	ID(DN_STRING, "CN="),
	ID(DN_STRING, "nonsense"),
	ID(DER_DN, DER_A),
	ID(DER_DN, DER_STAR),
	ID(DER_DN, DER_TWO),
	ID(DER_DN, "*"),
	ID(DER_DN, "\x30\x00"),
	ID(FQDN, "gm.example.org"),
	ID(FQDN, "GM.Example.Org"),
	ID(FQDN, "*.example.org"),
	ID(FQDN, "g*.example.org"),
	ID(FQDN, "example.org"),
	ID(FQDN, "*"),
	ID(FQDN, "a..b"),
	ID(RFC822, "Bob@Example.org"),
	ID(RFC822, "bob@example.org"),
	ID(RFC822, "Bob@example.ORG"),
	ID(RFC822, "*@example.org"),
	ID(RFC822, "B*@*.org"),
	ID(RFC822, "nobody"),
	ID(IPV4, "\x0a\x01\x02\x03"),
	ID(IPV4, "10.1.*.3"),
	ID(IPV4, "10.1.2"),
	ID(IPV6, "0123456789abcdef"),
	ID(IPV6, "3031:3233:*:*:*:*:*:*"),
	ID(KEY_ID, "key"),
	ID(KEY_ID, "*"),
	ID(KEY_ID, "KEY"),
	ID(U_NAME, SERIAL_7 "\0\0\0\014/O=ACME/CN=a"),
	ID(U_NAME, SERIAL_7 "\0\0\0\014/o=acme/cn=A"),
	ID(U_NAME, SERIAL_8 "\0\0\0\014/O=ACME/CN=a"),
	ID(U_NAME, SERIAL_7 "\0\0\0\014/O=ACME/CN=*"),
	ID(U_NAME, STARS "\0\0\0\014/O=ACME/CN=a"),
	ID(U_NAME, STARS "\0\0\0\011/O=*/CN=*"),
	ID(U_NAME, "short"),
};

static void
ask(const struct gk_patterns *l, enum gk_dn_compare how,
    struct gk_identity name)
{
	struct gk_patterns_name n = { .key = { 0 } };
	size_t at;

	gk_assert_ok(gk_patterns_name(l, name, &n));
	at = gk_patterns_next(l, &n, 0);
	for (size_t i = 0; i < 2 * GK_COUNT(all); i++) {
		bool want =
			gk_identity_match(all[i % GK_COUNT(all)], name, how);

		if (want != (at == i))
			fail_msg("pattern %zu, name of %zu octets, %d", i,
			         name.octets.len, (int)how);
		if (want)
			at = gk_patterns_next(l, &n, i + 1);
	}
	assert_true(at == GK_PATTERNS_NONE);
	gk_patterns_name_free(&n);
}

/* Every name against every pattern, each of which is there twice. */
GK_TEST(rfc4534_b_1_1_03, a_list_answers_as_its_patterns_do)
{
	static const enum gk_dn_compare hows[] = { GK_DN_COMPARE_RFC4514,
		                                   GK_DN_COMPARE_FORWARD,
		                                   GK_DN_COMPARE_OCTETS };
	size_t matched = 0;

	for (size_t h = 0; h < GK_COUNT(hows); h++) {
		struct gk_patterns *l;

		gk_assert_ok(gk_patterns_new(hows[h], &l));
		for (size_t i = 0; i < 2 * GK_COUNT(all); i++)
			gk_assert_ok(
				gk_patterns_add(l, all[i % GK_COUNT(all)]));
		gk_patterns_done(l);
		for (size_t i = 0; i < GK_COUNT(all); i++) {
			ask(l, hows[h], all[i]);
			for (size_t k = 0; k < GK_COUNT(all); k++)
				matched += gk_identity_match(all[k], all[i],
				                             hows[h]);
		}
		gk_patterns_free(l);
	}
	assert_true(matched > 200);
}

GK_TEST(rfc4534_b_1_1_03, a_list_of_nothing)
{
	struct gk_patterns_name n = { .key = { 0 } };
	struct gk_patterns *l;

	gk_assert_ok(gk_patterns_new(GK_DN_COMPARE_RFC4514, &l));
	gk_patterns_done(l);
	gk_assert_ok(gk_patterns_name(l, all[0], &n));
	assert_true(gk_patterns_next(l, &n, 0) == GK_PATTERNS_NONE);
	gk_patterns_name_free(&n);
	gk_patterns_free(l);
	gk_patterns_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4534_b_1_1_03, a_list_answers_as_its_patterns_do),
		GK_RUN(rfc4534_b_1_1_03, a_list_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
