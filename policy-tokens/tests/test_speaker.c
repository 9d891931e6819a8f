/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include "policy-tokens/token/gpt_speaker.h"

/*
 * Who speaks, and who may stand in for the key server: RFC 4535 sections 4.1.4
 * and 4.1.5, RFC 4534 B.1.1.
 */
static const uint8_t one[] = { 1, 1, 1, 1 }, two[] = { 2, 2, 2, 2 };
static const struct gk_slice ca_one = { one, 4 }, ca_two = { two, 4 };

#define DN 31 /* ID_DN_STRING, RFC 4535 Table 19 */

static void
add(struct gpt_pairs *list, const char *name, struct gk_slice ca)
{
	struct gpt_pair *pair = gpt_pairs_add(list);

	gk_assert_ok(gpt_pair_set(pair, DN, gk_slice_str(name), ca));
}

struct who {
	struct gk_identity id;
	struct gk_slice ca;
	struct gpt_party party;
};

static const struct gpt_party *
dn(struct who *w, const char *name, struct gk_slice ca)
{
	w->id = (struct gk_identity){ GK_ID_DN_STRING, gk_slice_str(name) };
	w->ca = ca;
	w->party = (struct gpt_party){ .id = &w->id,
		                       .ca_key_ids = &w->ca,
		                       .n_ca_key_ids = 1 };
	return &w->party;
}

/* A registration with these senders, NULL at the end. */
static struct gpt_token *
with_senders(const char *const *names, struct gpt_register **reg)
{
	struct gpt_token *t = gpt_token_new();
	struct gpt_registration *r = gpt_token_add_registration(t);

	gk_assert_ok(gpt_protocol_set(&r->reg, GPT_PROTOCOL_REGISTER));
	*reg = r->reg.reg;
	(*reg)->senders_limited = names != NULL;
	for (; names != NULL && *names != NULL; names++)
		add(&(*reg)->senders, *names, ca_one);
	return t;
}

GK_TEST(rfc4535_4_1_5_04, one_name_is_the_single_speaker)
{
	static const char *const names[] = { "CN=a,O=M", NULL };
	struct gpt_register *reg;
	struct gpt_token *t = with_senders(names, &reg);
	struct who w;
	size_t n;

	assert_int_equal(gpt_speakers(reg, &n), GPT_SPEAKERS_ONE);
	assert_int_equal(n, 1);
	assert_int_equal(gpt_speaker_number(reg, dn(&w, "CN=a,O=M", ca_one)),
	                 1);
	assert_int_equal(gpt_speaker_number(reg, dn(&w, "CN=a,O=M", ca_two)),
	                 0);
	assert_int_equal(gpt_speaker_number(reg, dn(&w, "CN=b,O=M", ca_one)),
	                 0);
	/* A name under a second authority is the same speaker. */
	add(&reg->senders, "CN=a,O=M", ca_two);
	assert_int_equal(gpt_speakers(reg, &n), GPT_SPEAKERS_ONE);
	assert_int_equal(n, 1);
	assert_int_equal(gpt_speaker_number(reg, dn(&w, "CN=a,O=M", ca_two)),
	                 1);
	gpt_token_free(t);
}

GK_TEST(rfc4535_4_1_5_05, all_are_speakers_without_a_number)
{
	struct gpt_register *reg;
	struct gpt_token *t = with_senders(NULL, &reg);
	struct who w;
	size_t n = 9;

	assert_int_equal(gpt_speakers(reg, &n), GPT_SPEAKERS_ALL);
	assert_int_equal(n, 0);
	assert_int_equal(gpt_speaker_number(reg, dn(&w, "CN=a,O=M", ca_one)),
	                 0);
	assert_null(gpt_speaker_name(reg, 1));
	gpt_token_free(t);
}

GK_TEST(rfc4535_4_1_5_06, listed_speakers_are_numbered_in_their_order)
{
	static const char *const names[] = { "CN=a,O=M", "CN=b,O=M", "CN=a,O=M",
		                             "CN=c,O=M", NULL };
	struct gpt_register *reg;
	struct gpt_token *t = with_senders(names, &reg);
	const struct gpt_id *id;
	struct who w;
	size_t n;

	assert_int_equal(gpt_speakers(reg, &n), GPT_SPEAKERS_LISTED);
	assert_int_equal(n, 3);
	assert_true(gpt_speakers_exact(reg));
	assert_int_equal(gpt_speaker_number(reg, dn(&w, "CN=a,O=M", ca_one)),
	                 1);
	assert_int_equal(gpt_speaker_number(reg, dn(&w, "CN=c,O=M", ca_one)),
	                 3);
	id = gpt_speaker_name(reg, 3);
	assert_true(gk_slice_equal(gk_buf_slice(&id->data),
	                           gk_slice_str("CN=c,O=M")));
	assert_null(gpt_speaker_name(reg, 4));
	gpt_token_free(t);
}

GK_TEST(rfc4535_4_1_5_06, pattern_is_a_list_even_when_it_stands_alone)
{
	static const char *const names[] = { "CN=*,O=M", NULL };
	struct gpt_register *reg;
	struct gpt_token *t = with_senders(names, &reg);
	size_t n;

	assert_int_equal(gpt_speakers(reg, &n), GPT_SPEAKERS_LISTED);
	assert_int_equal(n, 1);
	assert_false(gpt_speakers_exact(reg));
	gpt_token_free(t);
}

GK_TEST(rfc4534_b_1_1_06, empty_list_is_a_group_without_a_speaker)
{
	static const char *const names[] = { NULL };
	struct gpt_register *reg;
	struct gpt_token *t = with_senders(names, &reg);
	struct who w;
	size_t n = 9;

	assert_int_equal(gpt_speakers(reg, &n), GPT_SPEAKERS_LISTED);
	assert_int_equal(n, 0);
	assert_int_equal(gpt_speaker_number(reg, dn(&w, "CN=a,O=M", ca_one)),
	                 0);
	gpt_token_free(t);
}

/* ---- subordinates ---------------------------------------------------------- */

/* Two lists of subordinates, and an autonomous scheme with its own. */
static struct gpt_token *
with_subs(struct gpt_register **reg, struct gpt_rekey **rekey)
{
	struct gpt_token *t = with_senders(NULL, reg);
	struct gpt_protocol *p = gpt_token_add_rekey(t);

	gk_assert_ok(gpt_protocol_set(p, GPT_PROTOCOL_REKEY));
	*rekey = p->rekey;
	add(&(*reg)->gcks, "CN=keys,O=M", ca_one);
	(*reg)->has_sub_gcks = true;
	add(gpt_register_add_sub(*reg), "CN=north*,O=M", ca_one);
	add(gpt_register_add_sub(*reg), "CN=south,O=M", ca_two);
	p->rekey->scheme = GPT_SCHEME_AUTONOMOUS;
	add(&p->rekey->auth_subs, "CN=*,O=M", ca_one);
	add(&p->rekey->auth_subs, "CN=south,O=M", ca_two);
	return t;
}

GK_TEST(rfc4534_b_1_1_01, any_list_of_subordinates_will_do)
{
	struct gpt_register *reg;
	struct gpt_rekey *rekey;
	struct gpt_token *t = with_subs(&reg, &rekey);
	struct gpt_verdict v;
	struct who w;

	assert_true(gpt_access_sub_gcks(reg, rekey,
	                                dn(&w, "CN=north1,O=M", ca_one), &v));
	assert_true(gpt_access_sub_gcks(reg, rekey,
	                                dn(&w, "CN=south,O=M", ca_two), &v));
	/* Under the other's authority it is another party. */
	assert_false(gpt_access_sub_gcks(reg, rekey,
	                                 dn(&w, "CN=south,O=M", ca_one), &v));
	assert_int_equal(v.reason, GPT_ACCESS_OTHER_CA);
	assert_false(gpt_access_sub_gcks(reg, rekey,
	                                 dn(&w, "CN=west,O=M", ca_one), &v));
	assert_string_equal(v.req, "RFC4534-B.1.1-02");
	/* A subordinate is no primary, nor the other way round. */
	assert_false(gpt_access_gcks(reg, dn(&w, "CN=north1,O=M", ca_one), &v));
	assert_false(gpt_access_sub_gcks(reg, rekey,
	                                 dn(&w, "CN=keys,O=M", ca_one), &v));
	gpt_token_free(t);
}

GK_TEST(rfc4534_b_5_7_2_01, scheme_can_take_back_what_the_list_gives)
{
	struct gpt_register *reg;
	struct gpt_rekey *rekey;
	struct gpt_token *t = with_subs(&reg, &rekey);
	struct gpt_verdict v;
	struct who w;

	gpt_pairs_free(&rekey->auth_subs);
	add(&rekey->auth_subs, "CN=north1,O=M", ca_one);
	assert_true(gpt_access_sub_gcks(reg, rekey,
	                                dn(&w, "CN=north1,O=M", ca_one), &v));
	assert_false(gpt_access_sub_gcks(reg, rekey,
	                                 dn(&w, "CN=north2,O=M", ca_one), &v));
	assert_string_equal(v.list, "authSubs");
	/* And only the list gives it. */
	add(&rekey->auth_subs, "CN=west,O=M", ca_one);
	assert_false(gpt_access_sub_gcks(reg, rekey,
	                                 dn(&w, "CN=west,O=M", ca_one), &v));
	gpt_token_free(t);
}

GK_TEST(rfc4534_b_5_7_1_01, without_a_scheme_there_are_no_subordinates)
{
	struct gpt_register *reg;
	struct gpt_rekey *rekey;
	struct gpt_token *t = with_subs(&reg, &rekey);
	struct gpt_verdict v;
	struct who w;

	rekey->scheme = GPT_SCHEME_NONE;
	assert_false(gpt_access_sub_gcks(reg, rekey,
	                                 dn(&w, "CN=north1,O=M", ca_one), &v));
	assert_string_equal(v.req, "RFC4534-B.5.7.1-01");
	gpt_token_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_4_1_5_04, one_name_is_the_single_speaker),
		GK_RUN(rfc4535_4_1_5_05, all_are_speakers_without_a_number),
		GK_RUN(rfc4535_4_1_5_06,
		       listed_speakers_are_numbered_in_their_order),
		GK_RUN(rfc4535_4_1_5_06,
		       pattern_is_a_list_even_when_it_stands_alone),
		GK_RUN(rfc4534_b_1_1_06,
		       empty_list_is_a_group_without_a_speaker),
		GK_RUN(rfc4534_b_1_1_01, any_list_of_subordinates_will_do),
		GK_RUN(rfc4534_b_5_7_2_01,
		       scheme_can_take_back_what_the_list_gives),
		GK_RUN(rfc4534_b_5_7_1_01,
		       without_a_scheme_there_are_no_subordinates),
	};

	return cmocka_run_group_tests_name("policy-tokens/speaker", tests, NULL,
	                                   NULL);
}
