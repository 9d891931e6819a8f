/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <string.h>

#include "common/crypto/gk_trust.h"
#include "common/test/gk_test_pki.h"
#include "gsakmp/engine/policy.h"
#include "gsakmp/message/dialect.h"
#include "policy-tokens/token/gpt_suite.h"

/*
 * RFC 4534 section 3: of several registrations and rekey protocols the highest
 * listed is taken that is supported and that local policy permits.  What a token
 * alone decides, interop/vectors shows; here it is what is configured that
 * differs.
 */
#define NOBODY_KNOWS "1.3.6.1.5.5.12.2.99"
#define UNKNOWN_CODE 40000

static struct gk_pki_party root, go;
static struct gk_trust *trust;
static const char group[] = "0102030405060708choice";

static struct gpt_registration *
registration(struct gpt_token *t, const char *suite, enum gpt_transport how)
{
	struct gpt_registration *r = gpt_token_add_registration(t);
	struct gpt_access_control *a;

	gk_assert_ok(gpt_protocol_set(&r->reg, GPT_PROTOCOL_REGISTER));
	gk_assert_ok(gpt_protocol_set(&r->dereg, GPT_PROTOCOL_DEREGISTER));
	a = gpt_register_add_access(r->reg.reg);
	gk_assert_ok(gpt_pair_set(gpt_pairs_add(&a->rules), 31,
	                          gk_slice_str("CN=*"), gk_slice_str("ca")));
	gpt_register_add_mechanism(r->reg.reg)->suite = strdup(suite);
	r->reg.reg->transport = r->dereg.dereg->transport = how;
	if (how == GPT_TRANSPORT_UDP_RTJ_TCP_OTHER)
		r->dereg.dereg->transport = GPT_TRANSPORT_TCP;
	return r;
}

static struct gpt_rekey *
rekey(struct gpt_token *t, int64_t signature, int64_t key_type)
{
	struct gpt_protocol *p = gpt_token_add_rekey(t);

	gk_assert_ok(gpt_protocol_set(p, GPT_PROTOCOL_REKEY));
	p->rekey->sig_algorithm = signature;
	p->rekey->method = GPT_METHOD_LKH;
	p->rekey->lkh_key_type = key_type;
	p->rekey->interval.value = 1000 + (int64_t)t->n_rekey;
	return p->rekey;
}

static struct gpt_token *
token(void)
{
	struct gpt_token *t = gpt_token_new();

	assert_non_null(t);
	gk_assert_ok(gk_buf_copy(&t->group_name, gk_slice_str(group)));
	return t;
}

/* What comes of @t, which is released; NULL: *@why. */
static struct gsakmp_policy *
judge(struct gpt_token *t, struct gsakmp_policy_args args,
      struct gsakmp_reject *why)
{
	static const struct gsakmp_dialect dialect;
	struct gsakmp_party party = { .go_cert = go.cert,
		                      .signer = go.signer,
		                      .trust = trust };
	const struct gk_now now = { .utc_s = GK_PKI_NOW };
	struct gsakmp_policy *p = NULL;
	struct gpt_fault fault = { 0 };
	struct gk_buf der, cms;

	args.party = &party;
	args.dialect = &dialect;
	args.group_id_type = 2;
	args.group_id = gk_slice_str(group);
	gk_assert_ok(gpt_token_encode(t, &der, &fault));
	gk_assert_ok(gpt_token_sign(gk_buf_slice(&der), go.signer, go.cert,
	                            GK_PKI_NOW, false, &cms, &fault));
	*why = (struct gsakmp_reject){ 0 };
	if (gsakmp_policy_new(&args, gk_buf_slice(&cms), now, &p, why) != GK_OK)
		p = NULL;
	gk_buf_free(&cms);
	gk_buf_free(&der);
	gpt_token_free(t);
	return p;
}

GK_TEST(rfc4534_3_05, what_local_policy_forbids_is_passed_over)
{
	struct gpt_token *t = token();
	struct gsakmp_reject why;
	struct gsakmp_policy *p;

	GK_SHOWS("RFC4534-3-03");
	/* Suite 1 is for whoever allows what is weak today. */
	registration(t, GPT_OID_SUITE_ONE, GPT_TRANSPORT_UDP);
	registration(t, GPT_OID_SUITE_P256, GPT_TRANSPORT_TCP);
	p = judge(t, (struct gsakmp_policy_args){ 0 }, &why);
	assert_non_null(p);
	assert_ptr_equal(p->reg, p->v.token->registration[1].reg.reg);
	/* ... the way out is the one beside it. */
	assert_ptr_equal(p->dereg, p->v.token->registration[1].dereg.dereg);
	assert_int_equal(p->n_suites, 1);
	assert_int_equal(p->suite[0].signature, GPT_SIG_ECDSA_P256_SHA256);
	gsakmp_policy_unref(p);

	t = token();
	registration(t, GPT_OID_SUITE_ONE, GPT_TRANSPORT_UDP);
	registration(t, GPT_OID_SUITE_P256, GPT_TRANSPORT_TCP);
	p = judge(t, (struct gsakmp_policy_args){ .legacy_ok = true }, &why);
	assert_non_null(p);
	assert_ptr_equal(p->reg, p->v.token->registration[0].reg.reg);
	gsakmp_policy_unref(p);
}

GK_TEST(rfc4534_3_05, a_transport_that_nobody_listens_to_is_passed_over)
{
	struct gpt_token *t = token();
	struct gsakmp_reject why;
	struct gsakmp_policy *p;

	GK_SHOWS("RFC4534-2-11");
	registration(t, GPT_OID_SUITE_P256, GPT_TRANSPORT_TCP);
	registration(t, GPT_OID_SUITE_P256, GPT_TRANSPORT_UDP_RTJ_TCP_OTHER);
	registration(t, GPT_OID_SUITE_P256, GPT_TRANSPORT_UDP);
	p = judge(t, (struct gsakmp_policy_args){ .no_tcp = true }, &why);
	assert_non_null(p);
	assert_ptr_equal(p->reg, p->v.token->registration[2].reg.reg);
	gsakmp_policy_unref(p);
}

/* A key server signs what it sends.  Of the mechanisms of a registration those count
 * that its key can; where there is none it takes no other registration, nor another
 * rekey: its members can do the first, and take it.  They are not asked for their
 * keys: what these can do they have shown when they came. */
GK_TEST(rfc4534_2_11, what_our_key_cannot_sign_is_no_group)
{
	const struct gsakmp_policy_args ours = { .we_sign = true };
	struct gpt_registration *r;
	struct gsakmp_reject why;
	struct gsakmp_policy *p;
	struct gpt_token *t;

	GK_SHOWS("RFC4534-2-11");
	for (int sign = 0; sign < 2; sign++) {
		t = token();
		r = registration(t, GPT_OID_SUITE_RSA2048, GPT_TRANSPORT_UDP);
		gpt_register_add_mechanism(r->reg.reg)->suite =
			strdup(GPT_OID_SUITE_P256);
		rekey(t, GPT_SIG_ECDSA_P256_SHA256, GPT_KEY_AES_GCM_128);
		p = judge(t,
		          (struct gsakmp_policy_args){ .we_sign = sign != 0 },
		          &why);
		assert_non_null(p);
		assert_int_equal(p->n_suites, 2 - sign);
		assert_int_equal(p->suite[p->n_suites - 1].signature,
		                 GPT_SIG_ECDSA_P256_SHA256);
		gsakmp_policy_unref(p);
	}

	t = token();
	registration(t, GPT_OID_SUITE_RSA2048, GPT_TRANSPORT_UDP);
	registration(t, GPT_OID_SUITE_P256, GPT_TRANSPORT_UDP);
	assert_null(judge(t, ours, &why));
	assert_string_equal(why.req, "RFC4534-2-11");

	t = token();
	registration(t, GPT_OID_SUITE_P256, GPT_TRANSPORT_UDP);
	rekey(t, GPT_SIG_RSA_SHA256, GPT_KEY_AES_GCM_128);
	rekey(t, GPT_SIG_ECDSA_P256_SHA256, GPT_KEY_AES_GCM_128);
	assert_null(judge(t, ours, &why));
	assert_string_equal(why.req, "RFC4534-2-11");
}

/* Three entries, for three ways. */
static struct gpt_token *
three_ways(void)
{
	struct gpt_token *t = token();

	registration(t, GPT_OID_SUITE_P256, GPT_TRANSPORT_TCP);
	registration(t, GPT_OID_SUITE_P256, GPT_TRANSPORT_UDP_RTJ_TCP_OTHER);
	registration(t, GPT_OID_SUITE_P256, GPT_TRANSPORT_UDP);
	return t;
}

/* A member that is configured for one way takes what a key server takes that has
 * this one alone; and whoever leaves, leaves by it. */
GK_TEST(rfc4534_3_05, a_member_takes_the_highest_for_its_own_way)
{
	static const enum gsakmp_way way[] = { GSAKMP_WAY_TCP, GSAKMP_WAY_MIXED,
		                               GSAKMP_WAY_UDP };
	struct gsakmp_reject why;
	struct gsakmp_policy *p;
	struct gpt_token *t;

	for (size_t i = 0; i < GK_COUNT(way); i++) {
		p = judge(three_ways(),
		          (struct gsakmp_policy_args){ .way = way[i] }, &why);
		assert_non_null(p);
		assert_ptr_equal(p->reg, p->v.token->registration[i].reg.reg);
		assert_ptr_equal(p->dereg,
		                 p->v.token->registration[i].dereg.dereg);
		gsakmp_policy_unref(p);
	}
	/* None: the first that can be done, with all that is in it. */
	t = token();
	registration(t, NOBODY_KNOWS, GPT_TRANSPORT_TCP);
	registration(t, GPT_OID_SUITE_P256, GPT_TRANSPORT_TCP);
	registration(t, NOBODY_KNOWS, GPT_TRANSPORT_UDP);
	p = judge(t, (struct gsakmp_policy_args){ .way = GSAKMP_WAY_UDP },
	          &why);
	assert_non_null(p);
	assert_ptr_equal(p->reg, p->v.token->registration[1].reg.reg);
	assert_ptr_equal(p->dereg, p->v.token->registration[1].dereg.dereg);
	assert_int_equal(p->n_suites, 1);
	gsakmp_policy_unref(p);
}

/* The reason is the first entry's: it is what the Group Owner wanted most. */
GK_TEST(rfc4534_3_03, when_none_is_left_the_first_says_why)
{
	struct gpt_token *t = token();
	struct gsakmp_reject why;

	registration(t, GPT_OID_SUITE_P256, GPT_TRANSPORT_TCP);
	registration(t, NOBODY_KNOWS, GPT_TRANSPORT_UDP);
	assert_null(
		judge(t, (struct gsakmp_policy_args){ .no_tcp = true }, &why));
	assert_string_equal(why.req, "RFC4534-2-11");
	t = token();
	registration(t, NOBODY_KNOWS, GPT_TRANSPORT_UDP);
	registration(t, GPT_OID_SUITE_P256, GPT_TRANSPORT_TCP);
	assert_null(
		judge(t, (struct gsakmp_policy_args){ .no_tcp = true }, &why));
	assert_string_equal(why.req, "RFC4534-3-03");
}

GK_TEST(rfc4534_3_08, the_highest_rekey_that_can_be_done_here_is_taken)
{
	struct gpt_token *t = token();
	struct gsakmp_reject why;
	struct gsakmp_policy *p;
	struct gpt_rekey *posted;

	GK_SHOWS("RFC4534-3-07");
	registration(t, GPT_OID_SUITE_P256, GPT_TRANSPORT_UDP);
	rekey(t, GPT_SIG_ECDSA_P256_SHA256, UNKNOWN_CODE);
	/* DSA with SHA-1, where that is not allowed */
	rekey(t, GPT_SIG_DSS_SHA1, GPT_KEY_AES_CBC_128);
	rekey(t, GPT_SIG_ECDSA_P256_SHA256, GPT_KEY_AES_CBC_256);
	/* ... and nothing of one that comes behind is in anybody's way */
	posted = rekey(t, GPT_SIG_ECDSA_P256_SHA256, GPT_KEY_AES_GCM_128);
	posted->reliability = GPT_RELIABILITY_POST;
	posted->post = strdup("http://example.org/rekey");
	p = judge(t, (struct gsakmp_policy_args){ .no_post = true }, &why);
	assert_non_null(p);
	assert_ptr_equal(p->rekey, p->v.token->rekey[2].rekey);
	assert_int_equal(p->kek_type, GPT_KEY_AES_CBC_256);
	assert_int_equal(p->overdue_s, 1003);
	assert_null(p->post);
	gsakmp_policy_unref(p);
}

/* Members can do it, take it, and would look for what nobody posts: the key server
 * may not go on to the next. */
GK_TEST(rfc4534_2_11, a_posted_rekey_that_members_take_is_not_passed_over)
{
	struct gpt_token *t = token();
	struct gsakmp_reject why;
	struct gsakmp_policy *p;
	struct gpt_rekey *posted;

	registration(t, GPT_OID_SUITE_P256, GPT_TRANSPORT_UDP);
	rekey(t, GPT_SIG_ECDSA_P256_SHA256, UNKNOWN_CODE);
	posted = rekey(t, GPT_SIG_ECDSA_P256_SHA256, GPT_KEY_AES_GCM_128);
	posted->reliability = GPT_RELIABILITY_POST;
	posted->post = strdup("http://example.org/rekey");
	rekey(t, GPT_SIG_ECDSA_P256_SHA256, GPT_KEY_AES_CBC_256);
	assert_null(
		judge(t, (struct gsakmp_policy_args){ .no_post = true }, &why));
	assert_string_equal(why.req, "RFC4534-2-11");
	assert_non_null(strstr(why.field, "bulletin"));
	t = token();
	registration(t, GPT_OID_SUITE_P256, GPT_TRANSPORT_UDP);
	posted = rekey(t, GPT_SIG_ECDSA_P256_SHA256, GPT_KEY_AES_GCM_128);
	posted->reliability = GPT_RELIABILITY_POST;
	posted->post = strdup("http://example.org/rekey");
	rekey(t, GPT_SIG_ECDSA_P256_SHA256, GPT_KEY_AES_CBC_256);
	p = judge(t, (struct gsakmp_policy_args){ .no_post = false }, &why);
	assert_non_null(p);
	assert_string_equal(p->post, "http://example.org/rekey");
	gsakmp_policy_unref(p);
}

GK_TEST(rfc4534_3_07, no_rekey_that_can_be_done_is_no_group)
{
	struct gpt_token *t = token();
	struct gsakmp_reject why;

	registration(t, GPT_OID_SUITE_P256, GPT_TRANSPORT_UDP);
	rekey(t, GPT_SIG_ECDSA_P256_SHA256, UNKNOWN_CODE);
	rekey(t, UNKNOWN_CODE, GPT_KEY_AES_GCM_128);
	assert_null(judge(t, (struct gsakmp_policy_args){ 0 }, &why));
	assert_string_equal(why.req, "RFC4534-3-07");
}

static int
up(void **state)
{
	(void)state;
	gk_pki_make(&root, &(struct gk_pki_spec){ .subject = "/CN=Root",
	                                          .alg = GK_PKI_P256 });
	gk_pki_make(&go, &(struct gk_pki_spec){ .subject = "/CN=GO",
	                                        .alg = GK_PKI_P256,
	                                        .slot = 1,
	                                        .issuer = &root });
	gk_assert_ok(gk_trust_new(NULL, &trust));
	gk_assert_ok(gk_trust_add_anchor(trust, root.cert));
	return 0;
}

static int
down(void **state)
{
	(void)state;
	gk_trust_free(trust);
	gk_pki_free(&go);
	gk_pki_free(&root);
	gk_pki_keys_free();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4534_3_05, what_local_policy_forbids_is_passed_over),
		GK_RUN(rfc4534_3_05,
		       a_member_takes_the_highest_for_its_own_way),
		GK_RUN(rfc4534_3_05,
		       a_transport_that_nobody_listens_to_is_passed_over),
		GK_RUN(rfc4534_3_03, when_none_is_left_the_first_says_why),
		GK_RUN(rfc4534_3_08,
		       the_highest_rekey_that_can_be_done_here_is_taken),
		GK_RUN(rfc4534_2_11,
		       a_posted_rekey_that_members_take_is_not_passed_over),
		GK_RUN(rfc4534_3_07, no_rekey_that_can_be_done_is_no_group),
		GK_RUN(rfc4534_2_11, what_our_key_cannot_sign_is_no_group),
	};

	return cmocka_run_group_tests_name("gsakmp/policy_choice", tests, up,
	                                   down);
}
