/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy-tokens/der/gpt_der.h"
#include "policy-tokens/tests/gpt_golden.h"
#include "policy-tokens/token/gpt_access.h"
#include "policy-tokens/token/gpt_lint.h"
#include "policy-tokens/token/gpt_suite.h"

static const uint8_t ca[] = { 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6,
	                      0xa7, 0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad,
	                      0xae, 0xaf, 0xb0, 0xb1, 0xb2, 0xb3 };
static const uint8_t zero_ca[20];
static const struct gk_slice our_ca[] = { { zero_ca, 4 }, { ca, sizeof(ca) } };
static const struct gk_slice guest_ca[] = { { zero_ca, sizeof(zero_ca) } };

static struct gpt_token *
policy(void)
{
	struct gpt_token *token = NULL;

	gk_assert_ok(gpt_token_decode(
		(struct gk_slice){ golden, sizeof(golden) }, &token, NULL));
	return token;
}

struct who {
	struct gk_identity id;
	struct gpt_party party;
};

/* A party with this DN whose path has the policy's CA on it. */
static const struct gpt_party *
dn(struct who *w, const char *name, uint16_t permissions)
{
	w->id = (struct gk_identity){ GK_ID_DN_STRING, gk_slice_str(name) };
	w->party = (struct gpt_party){ .id = &w->id,
		                       .ca_key_ids = our_ca,
		                       .n_ca_key_ids = GK_COUNT(our_ca),
		                       .permissions = permissions };
	return &w->party;
}

#define FIVE (1u << 5)

GK_TEST(rfc4534_b_1_1_02, key_server_matches_by_name_and_authority)
{
	struct gpt_token *t = policy();
	const struct gpt_register *reg = gpt_token_register(t, NULL);
	struct gpt_verdict v;
	struct who w;

	assert_true(gpt_access_gcks(reg, dn(&w, "CN=gcks,O=MSEC", 0), &v));
	assert_int_equal(v.rule, 0);
	assert_false(gpt_access_gcks(reg, dn(&w, "CN=sub,O=MSEC", 0), &v));
	assert_int_equal(v.reason, GPT_ACCESS_NO_RULE);
	(void)dn(&w, "CN=gcks,O=MSEC", 0);
	w.party.ca_key_ids = guest_ca;
	w.party.n_ca_key_ids = 1;
	assert_false(gpt_access_gcks(reg, &w.party, &v));
	assert_int_equal(v.reason, GPT_ACCESS_OTHER_CA);
	assert_string_equal(v.req, "RFC4534-B.1.1-02");
	assert_false(gpt_access_gcks(NULL, &w.party, &v));
	assert_int_equal(v.reason, GPT_ACCESS_NO_POLICY);
	gpt_token_free(t);
}

GK_TEST(rfc4534_b_1_1_04, wildcard_stays_inside_one_value)
{
	struct gpt_token *t = policy();
	const struct gpt_register *reg = gpt_token_register(t, NULL);
	struct gpt_verdict v;
	struct who w;

	assert_true(gpt_access_member(reg, dn(&w, "CN=bob,O=MSEC", FIVE), &v));
	assert_false(gpt_access_member(reg, dn(&w, "CN=bob,O=Acme", FIVE), &v));
	assert_false(
		gpt_access_member(reg, dn(&w, "CN=bob,OU=x,O=MSEC", FIVE), &v));
	gpt_token_free(t);
}

GK_TEST(rfc4534_b_1_2_01, every_permission_is_needed)
{
	struct gpt_token *t = policy();
	const struct gpt_register *reg = gpt_token_register(t, NULL);
	struct gpt_verdict v;
	struct who w;

	assert_false(gpt_access_member(reg, dn(&w, "CN=bob,O=MSEC", 0), &v));
	assert_int_equal(v.reason, GPT_ACCESS_PERMISSION);
	assert_int_equal(v.entry, 0);
	gk_assert_ok(gpt_access_control_permit(
		&t->registration[0].reg.reg->access[0], 9));
	assert_false(gpt_access_member(reg, dn(&w, "CN=bob,O=MSEC", FIVE), &v));
	assert_true(gpt_access_member(
		reg, dn(&w, "CN=bob,O=MSEC", FIVE | 1u << 9), &v));
	gpt_token_free(t);
}

GK_TEST(rfc4534_b_1_2_02, exclusion_takes_out_whom_a_rule_lets_in)
{
	struct gpt_token *t = policy();
	const struct gpt_register *reg = gpt_token_register(t, NULL);
	struct gpt_verdict v;
	struct who w;

	assert_false(
		gpt_access_member(reg, dn(&w, "CN=mallory,O=MSEC", FIVE), &v));
	assert_int_equal(v.reason, GPT_ACCESS_EXCLUDED);
	assert_string_equal(v.list, "exclusionsRule");
	assert_string_equal(v.req, "RFC4534-B.1.2-02");
	gpt_token_free(t);
}

GK_TEST(rfc4534_b_1_2_01, answer_is_the_same_when_nobody_asks_why)
{
	static const char *const names[] = { "CN=bob,O=MSEC", "CN=bob,O=Acme",
		                             "CN=mallory,O=MSEC",
		                             "CN=guest,O=Other" };
	struct gpt_token *t = policy();
	const struct gpt_register *reg = gpt_token_register(t, NULL);
	struct gpt_verdict v;
	unsigned admitted = 0;
	struct who w;

	for (size_t i = 0; i < 2 * GK_COUNT(names); i++) {
		uint16_t permissions = i % 2 == 0 ? FIVE : 0;
		bool may;

		(void)dn(&w, names[i / 2], permissions);
		may = gpt_access_member(reg, &w.party, &v);
		assert_int_equal(gpt_access_member(reg, &w.party, NULL), may);
		admitted += may;
	}
	assert_int_equal(admitted, 1);
	assert_false(gpt_access_member(NULL, &w.party, NULL));
	gpt_token_free(t);
}

GK_TEST(rfc4534_b_1_2_01, name_alone_tells_of_whom_no_rule_speaks)
{
	struct gpt_token *t = policy();
	const struct gpt_register *reg = gpt_token_register(t, NULL);
	struct who w;

	(void)dn(&w, "CN=bob,O=MSEC", 0);
	w.party.n_ca_key_ids = 0;
	assert_true(gpt_access_named(reg, &w.party));
	/* The second entry, and one whom an exclusion may take out later. */
	(void)dn(&w, "CN=guest,O=Other", 0);
	assert_true(gpt_access_named(reg, &w.party));
	(void)dn(&w, "CN=mallory,O=MSEC", 0);
	assert_true(gpt_access_named(reg, &w.party));
	(void)dn(&w, "CN=bob,O=Acme", FIVE);
	assert_false(gpt_access_named(reg, &w.party));
	assert_false(gpt_access_named(NULL, &w.party));
	gpt_token_free(t);
}

GK_TEST(rfc4534_b_1_2_04, entries_are_alternatives_with_their_own_exclusions)
{
	struct gpt_token *t = policy();
	struct gpt_register *reg = t->registration[0].reg.reg;
	struct gpt_verdict v;
	struct who w;
	struct gpt_pair *rule;

	(void)dn(&w, "CN=guest,O=Other", 0);
	w.party.ca_key_ids = guest_ca;
	w.party.n_ca_key_ids = 1;
	assert_true(gpt_access_member(reg, &w.party, &v));
	assert_int_equal(v.entry, 1);

	/* The second entry admits whom the first excludes. */
	rule = gpt_pairs_add(&reg->access[1].rules);
	assert_non_null(rule);
	gk_assert_ok(gpt_pair_set(rule, 31, gk_slice_str("CN=mallory,O=MSEC"),
	                          (struct gk_slice){ ca, sizeof(ca) }));
	assert_true(
		gpt_access_member(reg, dn(&w, "CN=mallory,O=MSEC", FIVE), &v));
	gpt_token_free(t);
}

GK_TEST(rfc4534_b_1_1_06, senders_are_all_or_those_listed)
{
	struct gpt_token *t = policy();
	struct gpt_register *reg = t->registration[0].reg.reg;
	struct who w;

	assert_true(
		gpt_access_sender(reg, dn(&w, "CN=source,O=MSEC", 0), NULL));
	assert_false(gpt_access_sender(reg, dn(&w, "CN=bob,O=MSEC", 0), NULL));
	reg->senders_limited = false;
	assert_true(gpt_access_sender(reg, dn(&w, "CN=bob,O=MSEC", 0), NULL));
	gpt_token_free(t);
}

GK_TEST(rfc4534_b_5_1_01, rekey_signers_have_a_list_of_their_own)
{
	struct gpt_token *t = policy();
	const struct gpt_rekey *rekey = gpt_token_rekey(t, NULL);
	struct gpt_verdict v;
	struct who w;

	assert_true(gpt_access_rekey(rekey, dn(&w, "CN=gcks,O=MSEC", 0), &v));
	gpt_pairs_free(&t->rekey[0].rekey->authorization);
	assert_false(gpt_access_rekey(rekey, dn(&w, "CN=gcks,O=MSEC", 0), &v));
	assert_int_equal(v.reason, GPT_ACCESS_NOBODY);
	gpt_token_free(t);
}

GK_TEST(rfc4534_b_5_7_2_01, subordinates_need_both_lists)
{
	struct gpt_token *t = policy();
	struct gpt_rekey *rekey = t->rekey[0].rekey;
	const struct gpt_register *reg = gpt_token_register(t, NULL);
	struct gpt_verdict v;
	struct gpt_pair *sub;
	struct who w;

	assert_false(gpt_access_sub_gcks(reg, rekey, dn(&w, "CN=sub,O=MSEC", 0),
	                                 &v));
	assert_string_equal(v.req, "RFC4534-B.5.7.1-01");
	rekey->scheme = GPT_SCHEME_AUTONOMOUS;
	assert_false(gpt_access_sub_gcks(reg, rekey, dn(&w, "CN=sub,O=MSEC", 0),
	                                 &v));
	assert_string_equal(v.req, "RFC4534-B.5.7.2-01");
	sub = gpt_pairs_add(&rekey->auth_subs);
	assert_non_null(sub);
	gk_assert_ok(gpt_pair_set(sub, 31, gk_slice_str("CN=sub,O=MSEC"),
	                          (struct gk_slice){ ca, sizeof(ca) }));
	assert_true(gpt_access_sub_gcks(reg, rekey, dn(&w, "CN=sub,O=MSEC", 0),
	                                &v));
	gpt_token_free(t);
}

GK_TEST(rfc4534_b_3_06, departures_need_a_trust_point)
{
	struct gpt_token *t = policy();
	const struct gpt_deregister *dereg = gpt_token_deregister(t);
	struct gpt_verdict v;
	struct who w;
	size_t index = 9;

	assert_true(gpt_access_depart(dereg, dn(&w, "CN=any", 0), &index, &v));
	assert_int_equal(index, 0);
	w.party.ca_key_ids = guest_ca;
	w.party.n_ca_key_ids = 1;
	assert_false(gpt_access_depart(dereg, &w.party, &index, &v));
	gpt_token_free(t);
}

GK_TEST(rfc4534_b_1_2_02,
        excluding_twice_changes_nothing_and_readmitting_undoes)
{
	struct gpt_token *t = policy(), *before = policy();
	struct gpt_register *reg = t->registration[0].reg.reg;
	struct gpt_register *was = before->registration[0].reg.reg;
	struct gpt_pair who = { .entity = { .type = 31 } };
	struct who w;
	size_t n;

	gk_assert_ok(gpt_pair_set(&who, 31, gk_slice_str("CN=bob,O=MSEC"),
	                          (struct gk_slice){ ca, sizeof(ca) }));
	gk_assert_ok(gpt_access_exclude(t, &who, &n));
	assert_int_equal(n, 2);
	assert_true(gpt_access_narrower(was, reg));
	assert_false(gpt_access_narrower(reg, was));
	assert_false(
		gpt_access_member(reg, dn(&w, "CN=bob,O=MSEC", FIVE), NULL));
	gk_assert_ok(gpt_access_exclude(t, &who, &n));
	assert_int_equal(n, 0);
	gk_assert_ok(gpt_access_readmit(t, &who, &n));
	assert_int_equal(n, 2);
	assert_true(
		gpt_access_member(reg, dn(&w, "CN=bob,O=MSEC", FIVE), NULL));
	assert_true(gpt_token_equal(t, before));
	assert_false(gpt_access_narrower(was, reg));
	reg->n_access--;
	assert_true(gpt_access_narrower(was, reg));
	reg->n_access++;
	reg->access[0].rules.n--;
	assert_true(gpt_access_narrower(was, reg));
	assert_false(gpt_access_narrower(reg, was));
	reg->access[0].rules.n++;
	gk_buf_free(&who.entity.data);
	gk_buf_free(&who.ca);
	gpt_token_free(t);
	gpt_token_free(before);
}

/* --- suites ------------------------------------------------------------------------------ */

static bool
only_sha1(void *ctx, const struct gpt_mechanisms *m)
{
	(void)ctx;
	return m->hash_algorithm == GPT_HASH_SHA1;
}

static bool
anything(void *ctx, const struct gpt_mechanisms *m)
{
	(void)ctx;
	(void)m;
	return true;
}

static bool
nothing(void *ctx, const struct gpt_mechanisms *m)
{
	(void)ctx;
	(void)m;
	return false;
}

GK_TEST(rfc4534_3_05, highest_listed_supported_set_is_chosen)
{
	struct gpt_token *t = policy();
	const struct gpt_register *reg = gpt_token_register(t, NULL);
	struct gpt_support support = { anything, NULL };
	struct gpt_mechanisms m;
	size_t index;

	gk_assert_ok(gpt_suite_choose(reg, &support, &m, &index));
	assert_int_equal(index, 0);
	support.mechanisms = only_sha1;
	gk_assert_ok(gpt_suite_choose(reg, &support, &m, &index));
	assert_int_equal(index, 1);
	assert_int_equal(m.key_exchange, GPT_KEX_MODP1024);
	assert_int_equal(m.key_wrap, GPT_KEY_AES_CBC_128);
	assert_true(m.terse);
	support.mechanisms = nothing;
	gk_assert_err(GK_ERR_POLICY,
	              gpt_suite_choose(reg, &support, &m, &index));
	gpt_token_free(t);
}

GK_TEST(rfc4534_3_03, no_supported_set_means_no_registration)
{
	struct gpt_token *t = policy();
	const struct gpt_support support = { nothing, NULL };
	struct gpt_mechanisms m = { .key_wrap = 77 };

	gk_assert_err(GK_ERR_POLICY,
	              gpt_suite_choose(gpt_token_register(t, NULL), &support,
	                               &m, NULL));
	assert_int_equal(m.key_wrap, 77);
	gpt_token_free(t);
}

/* --- what a list of protocols comes to ---------------------------------------------------- */

GK_TEST(rfc4534_3_07, only_unknown_rekey_protocols_are_none)
{
	struct gpt_token *t = policy();
	struct gpt_protocol known = t->rekey[0];
	bool unknown;

	assert_non_null(gpt_token_rekey(t, &unknown));
	assert_true(unknown);
	t->rekey[0] = (struct gpt_protocol){ .kind = GPT_PROTOCOL_UNKNOWN };
	assert_null(gpt_token_rekey(t, &unknown));
	assert_true(unknown);
	t->rekey[0] = known;
	gpt_token_free(t);
}

GK_TEST(rfc4534_3_08, highest_listed_known_rekey_protocol_is_taken)
{
	struct gpt_token *t = policy();
	struct gpt_protocol first;

	gk_assert_ok(gpt_protocol_set(&t->rekey[1], GPT_PROTOCOL_REKEY));
	assert_ptr_equal(gpt_token_rekey(t, NULL), t->rekey[0].rekey);
	/* the unknown one in front is passed over */
	first = t->rekey[0];
	t->rekey[0] = (struct gpt_protocol){ .kind = GPT_PROTOCOL_UNKNOWN };
	assert_ptr_equal(gpt_token_rekey(t, NULL), t->rekey[1].rekey);
	t->rekey[0] = first;
	gpt_token_free(t);
}

GK_TEST(rfc4534_3_09, one_unknown_data_application_is_one_too_many)
{
	struct gpt_token *t = policy();
	struct gpt_protocol *more;

	assert_non_null(gpt_token_data(t));
	more = gpt_token_add_data(t);
	assert_non_null(more);
	gk_assert_ok(gpt_protocol_set(more, GPT_PROTOCOL_UNKNOWN));
	assert_null(gpt_token_data(t));
	gpt_token_free(t);
}

GK_TEST(rfc4534_b_1_3_2_01, unknown_suite_as_the_only_choice_is_no_choice)
{
	struct gpt_token *t = policy();
	struct gpt_register *reg = t->registration[0].reg.reg;
	const struct gpt_support support = { anything, NULL };
	struct gpt_mechanisms m;

	free(reg->mechanisms[1].suite);
	reg->mechanisms[1].suite = strdup("1.2.3.4");
	free(reg->mechanisms[0].suite);
	reg->mechanisms[0].suite = strdup("1.2.3.5");
	gk_assert_err(GK_ERR_POLICY, gpt_suite_choose(reg, &support, &m, NULL));
	gpt_token_free(t);
}

GK_TEST(rfc4534_b_1_3_2_01, names_and_oids_of_suites_go_together)
{
	assert_string_equal(gpt_suite_oid("suite-1"), GPT_OID_SUITE_ONE);
	assert_string_equal(gpt_suite_name(GPT_OID_SUITE_P256), "p256-gcm");
	assert_true(gpt_suite_is_private(GPT_OID_SUITE_RSA2048));
	assert_false(gpt_suite_is_private(GPT_OID_SUITE_ONE));
	assert_null(gpt_suite_oid("suite-2"));
}

/* --- lint ----------------------------------------------------------------------------------- */

static void
check_lint(struct gpt_token *t, const char *code, bool error)
{
	struct gpt_findings found;
	bool there = false;

	gk_assert_ok(gpt_lint(t, &found));
	for (size_t i = 0; i < found.n; i++)
		there |= strcmp(found.at[i].code, code) == 0 &&
		         (found.at[i].level == GPT_LINT_ERROR) == error;
	if (!there)
		fail_msg("no %s '%s'", error ? "error" : "warning", code);
	gpt_findings_free(&found);
}

GK_TEST(rfc4534_4_02, lint_knows_what_is_unwise)
{
	struct gpt_token *t = policy();

	check_lint(t, "weak-hash", false);
	check_lint(t, "weak-key-exchange", false);
	check_lint(t, "weak-signature", false);
	check_lint(t, "permissions", false);
	check_lint(t, "unknown-protocol", false);
	check_lint(t, "date-as-interval", false);
	t->rekey[0].rekey->resend = 0;
	check_lint(t, "resend-zero", false);
	t->rekey[0].rekey->reliability = GPT_RELIABILITY_POST;
	t->rekey[0].rekey->post = strdup("ftp://board.example/");
	check_lint(t, "post-not-http", false);
	t->rekey[0].rekey->event_time.value = 0;
	check_lint(t, "zero-interval", false);
	t->registration[0].reg.reg->mechanisms[0].alacarte.timestamp = true;
	check_lint(t, "timestamp", false);
	t->rekey[0].rekey->event = GPT_REKEY_EVENT_NONE;
	check_lint(t, "never-rekeyed", false);
	t->rekey[0].rekey->method = GPT_METHOD_NONE;
	check_lint(t, "no-exclusion-possible", false);
	t->n_rekey = 0;
	check_lint(t, "no-rekey-policy", false);
	t->n_rekey = 2; /* give it back for the free */
	gpt_token_free(t);
}

GK_TEST(rfc4534_c_1_04, lint_knows_a_key_that_ends_the_group)
{
	struct gpt_token *t = policy();
	struct gpt_findings found;
	struct gpt_data *d = NULL;

	for (size_t i = 0; i < t->n_data && d == NULL; i++)
		d = t->data[i].data;
	assert_non_null(d);
	d->has_encryption = d->encryption.has_expiration = true;
	d->encryption.expiration =
		(struct gpt_lifedate){ .kind = GPT_LIFEDATE_INTERVAL,
		                       .value = 3600 };
	gk_assert_ok(gpt_lint(t, &found));
	assert_false(gpt_findings_has(&found, "key-ends"));
	gpt_findings_free(&found);
	t->rekey[0].rekey->event = GPT_REKEY_EVENT_NONE;
	check_lint(t, "key-ends", false);
	t->rekey[0].rekey->event = GPT_REKEY_EVENT_TIME;
	t->rekey[0].rekey->method = GPT_METHOD_NONE;
	check_lint(t, "key-ends", false);
	gpt_token_free(t);
}

GK_TEST(rfc4534_b_1_1_04, lint_warns_of_a_wildcard_for_everybody)
{
	struct gpt_token *t = policy();
	struct gpt_pair *rule =
		&t->registration[0].reg.reg->access[0].rules.at[0];

	gk_buf_free(&rule->entity.data);
	gk_assert_ok(gk_buf_copy(&rule->entity.data, gk_slice_str("*")));
	check_lint(t, "admits-everyone", false);
	gpt_token_free(t);
}

GK_TEST(rfc4534_b_5_02, lint_finds_contradictions)
{
	struct gpt_token *t = policy();
	struct gpt_register *reg = t->registration[0].reg.reg;
	struct gpt_rekey *rekey = t->rekey[0].rekey;

	/* subordinates are authorised, and the scheme has none */
	check_lint(t, "sub-gcks-contradiction", true);
	reg->mechanisms[0].alacarte.terse = false;
	check_lint(t, "mode-contradiction", true);
	rekey->interval = (struct gpt_lifedate){ .value = 60 };
	check_lint(t, "interval-contradiction", true);
	rekey->event_time.value = -1;
	check_lint(t, "negative-interval", true);
	gpt_pairs_free(&reg->access[1].rules);
	check_lint(t, "empty-access-rule", true);
	gpt_pairs_free(&reg->gcks);
	check_lint(t, "no-key-server", true);
	gpt_pairs_free(&rekey->authorization);
	check_lint(t, "no-rekey-authority", true);
	rekey->resend = -1;
	check_lint(t, "negative-resend", true);
	rekey->method = GPT_METHOD_NONE;
	check_lint(t, "event-contradiction", true);
	gpt_token_free(t);
}

/* ---- lists that were read once -------------------------------------------- */

static void
rule(struct gpt_pairs *list, const char *name, struct gk_slice authority)
{
	struct gpt_pair *p = gpt_pairs_add(list);

	assert_non_null(p);
	gk_assert_ok(gpt_pair_set(p, gpt_id_type(GK_ID_DN_STRING),
	                          gk_slice_str(name), authority));
}

/* Many names, some twice under different authorities, some with wildcards. */
static struct gpt_token *
long_lists(void)
{
	struct gpt_token *t = policy();
	struct gpt_access_control *entry =
		&t->registration[0].reg.reg->access[0];
	char name[64];

	for (unsigned i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "CN=m%u,O=%s", i,
		         i % 7 == 0 ? "*" : "Many");
		rule(&entry->rules, name, i % 3 == 0 ? guest_ca[0] : our_ca[1]);
		if (i % 5 == 0)
			rule(&entry->rules, name, our_ca[1]);
		if (i % 11 == 0)
			rule(&entry->exclusions, name, our_ca[1]);
	}
	rule(&entry->exclusions, "CN=m1*0,O=Many", our_ca[1]);
	entry->has_exclusions = true;
	return t;
}

GK_TEST(rfc4534_b_1_2_01, a_prepared_list_says_the_same)
{
	struct gpt_token *plain = long_lists(), *once = long_lists();
	unsigned admitted = 0, excluded = 0;
	struct who w;

	gk_assert_ok(gpt_access_prepare(once, GK_DN_COMPARE_RFC4514));
	assert_non_null(once->registration[0].reg.reg->access[0].rules.names);
	for (unsigned i = 0; i < 210; i++) {
		struct gpt_verdict a, b;
		char name[64];

		snprintf(name, sizeof(name), "cn=M%u , O=%s", i,
		         i % 2 == 0 ? "Many" : "many");
		(void)dn(&w, name, FIVE);
		admitted += gpt_access_member(gpt_token_register(plain, NULL),
		                              &w.party, &a);
		(void)gpt_access_member(gpt_token_register(once, NULL),
		                        &w.party, &b);
		excluded += a.reason == GPT_ACCESS_EXCLUDED;
		assert_int_equal(a.reason, b.reason);
		assert_int_equal(a.entry, b.entry);
		assert_int_equal(a.rule, b.rule);
		assert_string_equal(a.text, b.text);
	}
	assert_in_range(admitted, 50, 180);
	assert_true(excluded > 10);
	gpt_token_free(plain);
	gpt_token_free(once);
}

/* What is changed afterwards is asked as it is. */
GK_TEST(rfc4534_b_1_2_02, a_prepared_list_can_be_changed)
{
	struct gpt_token *t = long_lists();
	struct gpt_pair who = { .entity = { 0 } };
	const struct gpt_register *reg = gpt_token_register(t, NULL);
	size_t n;
	struct who w;

	gk_assert_ok(gpt_access_prepare(t, GK_DN_COMPARE_RFC4514));
	(void)dn(&w, "CN=m1,O=Many", FIVE);
	assert_true(gpt_access_member(reg, &w.party, NULL));
	gk_assert_ok(gpt_pair_set(&who, gpt_id_type(GK_ID_DN_STRING),
	                          gk_slice_str("CN=m1,O=Many"), our_ca[1]));
	gk_assert_ok(gpt_access_exclude(t, &who, &n));
	assert_false(gpt_access_member(reg, &w.party, NULL));
	gk_assert_ok(gpt_access_prepare(t, GK_DN_COMPARE_RFC4514));
	assert_false(gpt_access_member(reg, &w.party, NULL));
	gk_assert_ok(gpt_access_readmit(t, &who, &n));
	assert_true(gpt_access_member(reg, &w.party, NULL));
	/* A party whose names are compared in another way is asked as before. */
	w.party.compare = GK_DN_COMPARE_OCTETS;
	assert_true(gpt_access_member(reg, &w.party, NULL));
	gk_buf_free(&who.entity.data);
	gk_buf_free(&who.ca);
	gpt_token_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4534_b_1_1_02,
		       key_server_matches_by_name_and_authority),
		GK_RUN(rfc4534_b_1_1_04, wildcard_stays_inside_one_value),
		GK_RUN(rfc4534_b_1_2_01, every_permission_is_needed),
		GK_RUN(rfc4534_b_1_2_01,
		       answer_is_the_same_when_nobody_asks_why),
		GK_RUN(rfc4534_b_1_2_01,
		       name_alone_tells_of_whom_no_rule_speaks),
		GK_RUN(rfc4534_b_1_2_02,
		       exclusion_takes_out_whom_a_rule_lets_in),
		GK_RUN(rfc4534_b_1_2_04,
		       entries_are_alternatives_with_their_own_exclusions),
		GK_RUN(rfc4534_b_1_1_06, senders_are_all_or_those_listed),
		GK_RUN(rfc4534_b_5_1_01,
		       rekey_signers_have_a_list_of_their_own),
		GK_RUN(rfc4534_b_5_7_2_01, subordinates_need_both_lists),
		GK_RUN(rfc4534_b_3_06, departures_need_a_trust_point),
		GK_RUN(rfc4534_b_1_2_02,
		       excluding_twice_changes_nothing_and_readmitting_undoes),
		GK_RUN(rfc4534_3_05, highest_listed_supported_set_is_chosen),
		GK_RUN(rfc4534_3_03, no_supported_set_means_no_registration),
		GK_RUN(rfc4534_3_07, only_unknown_rekey_protocols_are_none),
		GK_RUN(rfc4534_3_08,
		       highest_listed_known_rekey_protocol_is_taken),
		GK_RUN(rfc4534_3_09,
		       one_unknown_data_application_is_one_too_many),
		GK_RUN(rfc4534_b_1_3_2_01,
		       unknown_suite_as_the_only_choice_is_no_choice),
		GK_RUN(rfc4534_b_1_3_2_01,
		       names_and_oids_of_suites_go_together),
		GK_RUN(rfc4534_4_02, lint_knows_what_is_unwise),
		GK_RUN(rfc4534_c_1_04, lint_knows_a_key_that_ends_the_group),
		GK_RUN(rfc4534_b_1_1_04,
		       lint_warns_of_a_wildcard_for_everybody),
		GK_RUN(rfc4534_b_5_02, lint_finds_contradictions),
		GK_RUN(rfc4534_b_1_2_01, a_prepared_list_says_the_same),
		GK_RUN(rfc4534_b_1_2_02, a_prepared_list_can_be_changed),
	};

	return cmocka_run_group_tests_name("policy-tokens/access", tests, NULL,
	                                   NULL);
}
