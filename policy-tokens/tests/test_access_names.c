/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists that are prepared, and parties with more than one name: those of phase 1,
 * as GDOI has them. */
#include <stdio.h>
#include <string.h>

#include "common/test/gk_test.h"
#include "common/test/gk_test_pki.h"
#include "policy-tokens/der/gpt_der.h"
#include "policy-tokens/tests/gpt_golden.h"
#include "policy-tokens/token/gpt_access.h"

static const uint8_t ours[] = { 0xa0, 0xa1 }, theirs[] = { 0xb0 };
static const struct gk_slice our_ca[] = { { ours, sizeof(ours) } };

/* What a rule may say; an authority by its letter: any, ours, theirs. */
static const struct {
	enum gk_id_kind kind;
	const char *name;
	char ca;
} rules[] = {
	{ GK_ID_DN_STRING, "CN=gm1,O=Plant", 't' },
	{ GK_ID_DN_STRING, "CN=gm1,O=Plant", 'a' },
	{ GK_ID_DN_STRING, "CN=gm*,O=Plant", 'o' },
	{ GK_ID_DN_STRING, "CN=a\\+b\\, \\\"c\\\",O=Plant", 'o' },
	{ GK_ID_DN_STRING, "CN=a*c*,O=Plant", 't' },
	{ GK_ID_DN_STRING, "*", 't' },
	{ GK_ID_FQDN, "gm1.example", 'a' },
	{ GK_ID_FQDN, "*.example", 't' },
	{ GK_ID_FQDN, "gm2.example", 'o' },
	{ GK_ID_RFC822, "gm2@example", 'o' },
	{ GK_ID_RFC822, "*@example", 'o' },
	{ GK_ID_IPV4, "\xc0\x00\x02\x01", 'a' },
	{ GK_ID_IPV4, "\xc0\x00\x02\x02", 't' },
	{ GK_ID_KEY_ID, "key", 'o' },
	{ GK_ID_U_NAME, "*", 'o' },
};

static const struct {
	const char *subject, *san;
} certs[] = {
	{ "/O=Plant/CN=gm1", "DNS:gm1.example,DNS:gm2.example" },
	{ "/O=Plant/CN=gm2", "email:gm2@example,IP:192.0.2.2,DNS:x.example" },
	{ "/O=Plant/CN=a+b, \"c\"", "IP:192.0.2.1" },
	{ "/O=Plant/CN= a#b;c ", "DNS:*.example" },
	{ "/C=XX/O=M\xc3\xbcller/CN=\xe2\x82\xac", NULL },
	{ "/CN=nobody", "email:other@elsewhere,IP:2001:db8::1" },
};

static const struct gk_identity ids[] = {
	{ GK_ID_FQDN, { (const uint8_t *)"gm1.example", 11 } },
	{ GK_ID_IPV4, { (const uint8_t *)"\xc0\x00\x02\x02", 4 } },
	{ GK_ID_KEY_ID, { (const uint8_t *)"key", 3 } },
	{ GK_ID_DN_STRING, { (const uint8_t *)"CN=gm7, O=Plant", 15 } },
	{ GK_ID_FQDN, { (const uint8_t *)"else.where", 10 } },
	{ GK_ID_DN_STRING, { (const uint8_t *)"no name", 7 } },
};

static void
add(struct gpt_pairs *list, size_t i)
{
	struct gpt_pair *p = gpt_pairs_add(list);
	struct gk_slice ca = { ours, rules[i].ca == 'o' ? sizeof(ours) : 0 };

	if (rules[i].ca == 't')
		ca = (struct gk_slice){ theirs, sizeof(theirs) };
	assert_non_null(p);
	gk_assert_ok(gpt_pair_set(p, gpt_id_type(rules[i].kind),
	                          gk_slice_str(rules[i].name), ca));
}

/* Bit i of @in: rule i lets in; of @out: it takes out. */
static struct gpt_token *
policy(unsigned in, unsigned out)
{
	struct gpt_token *t = NULL;
	struct gpt_access_control *entry;

	gk_assert_ok(gpt_token_decode(
		(struct gk_slice){ golden, sizeof(golden) }, &t, NULL));
	entry = &t->registration[0].reg.reg->access[0];
	entry->n_permissions = 0;
	for (size_t i = 0; i < GK_COUNT(rules); i++) {
		if ((in >> i & 1) != 0)
			add(&entry->rules, i);
		if ((out >> i & 1) != 0)
			add(&entry->exclusions, i);
	}
	entry->has_exclusions = entry->exclusions.n != 0;
	return t;
}

static unsigned seen[GPT_ACCESS_NO_POLICY + 1];

static void
same(const struct gpt_token *plain, const struct gpt_token *once,
     const struct gpt_party *party)
{
	struct gpt_verdict a, b;

	(void)gpt_access_member(gpt_token_register(plain, NULL), party, &a);
	(void)gpt_access_member(gpt_token_register(once, NULL), party, &b);
	assert_int_equal(a.reason, b.reason);
	assert_int_equal(a.entry, b.entry);
	assert_int_equal(a.rule, b.rule);
	assert_string_equal(a.text, b.text);
	seen[a.reason]++;
}

static void
ask_all(const struct gpt_token *plain, const struct gpt_token *once,
        const struct gk_pki_party party[GK_COUNT(certs)])
{
	for (size_t i = 0; i < GK_COUNT(ids); i++)
		for (size_t c = 0; c <= GK_COUNT(certs); c++) {
			struct gpt_party who = {
				.id = &ids[i],
				.ca_key_ids = our_ca,
				.n_ca_key_ids = c % 2,
				.phase1 = true,
				.cert = c < GK_COUNT(certs) ? party[c].cert
				                            : NULL,
			};

			same(plain, once, &who);
			who.cert = NULL;
			who.also = ids;
			who.n_also = c;
			same(plain, once, &who);
			who.phase1 = false;
			same(plain, once, &who);
		}
}

GK_TEST(rfc4534_b_1_2_01,
        a_prepared_list_says_the_same_of_a_party_with_many_names)
{
	struct gk_pki_party party[GK_COUNT(certs)];

	for (size_t i = 0; i < GK_COUNT(certs); i++) {
		const struct gk_pki_spec spec = { .subject = certs[i].subject,
			                          .san = certs[i].san };

		gk_pki_make(&party[i], &spec);
	}
	for (unsigned n = 0; n < 60; n++) {
		unsigned in = n * 2654435761U >> 11,
			 out = n % 3 == 0 ? 0 : (n * 40503U + 7) & in >> 3;
		struct gpt_token *plain = policy(in, out),
				 *once = policy(in, out);

		gk_assert_ok(gpt_access_prepare(once, GK_DN_COMPARE_RFC4514));
		ask_all(plain, once, party);
		gpt_token_free(plain);
		gpt_token_free(once);
	}
	assert_true(seen[GPT_ACCESS_ADMITTED] > 100);
	assert_true(seen[GPT_ACCESS_EXCLUDED] > 100);
	assert_true(seen[GPT_ACCESS_OTHER_CA] > 100);
	assert_true(seen[GPT_ACCESS_NO_RULE] > 100);
	for (size_t i = 0; i < GK_COUNT(certs); i++)
		gk_pki_free(&party[i]);
	gk_pki_keys_free();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4534_b_1_2_01,
		       a_prepared_list_says_the_same_of_a_party_with_many_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
