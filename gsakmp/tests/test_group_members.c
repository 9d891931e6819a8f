/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/fixture.h"

#include <stdio.h>
#include <string.h>

/*
 * Who is in and who is out: joins, evictions, tokens, revocations.  RFC 4535
 * sections 4.4.7, 5.3.1.2, 5.3.2.1, RFC 4534 B.1.
 */

/* ---- joins -------------------------------------------------------------- */

GK_TEST(rfc4535_4_4_7_05, a_join_changes_the_key_for_everybody)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 3);
	uint32_t before = world_status(w).gtpk.handle;

	world_join(world_member_add(w, "late"));
	world_pass(w, 500);
	assert_int_not_equal(world_status(w).gtpk.handle, before);
	assert_int_equal(world_in_step(w), 4);
	world_free(w);
}

GK_TEST(rfc4535_4_4_7_05, joins_within_the_window_share_one_rekey)
{
	struct world_config cfg = world_plain(7);
	struct world *w;
	uint64_t rekeys;

	cfg.group.join_window_ms = 2000;
	w = world_joined(&cfg, 2);
	world_pass(w, 5000);
	rekeys = world_status(w).rekeys;
	for (int i = 0; i < 5; i++) {
		char cn[8];

		snprintf(cn, sizeof(cn), "x%d", i);
		world_join(world_member_add(w, cn));
		world_pass(w, 100);
	}
	world_pass(w, 5000);
	assert_int_equal(world_status(w).rekeys, rekeys + 1);
	assert_int_equal(world_in_step(w), 7);
	world_free(w);
}

GK_TEST(rfc4535_4_4_7_05, without_join_rekey_the_key_stays)
{
	struct world_config cfg = world_plain(7);
	struct world *w;

	cfg.group.no_join_rekey = true;
	w = world_joined(&cfg, 8);
	assert_int_equal(world_status(w).rekeys, 0);
	gk_assert_ok(world_evict(w, w->member[3]->peer));
	world_pass(w, 100);
	assert_int_equal(world_in_step(w), 7);
	world_free(w);
}

GK_TEST(rfc4535_5_2_1_2_19, join_and_eviction_in_one_window)
{
	struct world_config cfg = world_plain(7);
	struct world *w;

	cfg.group.join_window_ms = 2500;
	w = world_joined(&cfg, 4);
	world_join(world_member_add(w, "x"));
	world_join(world_member_add(w, "y"));
	world_pass(w, 500);
	/* one of those that joined in the open epoch is thrown out again */
	gk_assert_ok(world_evict(w, w->member[4]->peer));
	world_pass(w, 100);
	assert_int_equal(world_in_step(w), 5);
	assert_false(world_has_current(w->member[4]));
	assert_true(world_has_current(w->member[5]));
	world_free(w);
}

/* ---- leaving out -------------------------------------------------------- */

/* Everything the network carried after an eviction, fed to the evicted. */
struct tape {
	struct gk_buf dgram[256];
	size_t n;
};

static void
record(void *ctx, unsigned from, struct gk_slice dgram)
{
	struct tape *tape = ctx;

	(void)from;
	if (tape->n < 256)
		gk_assert_ok(gk_buf_copy(&tape->dgram[tape->n++], dgram));
}

GK_TEST(rfc4535_5_3_2_1_03, evicted_member_opens_nothing_any_more)
{
	struct world_config cfg = world_plain(7);
	struct tape *tape = test_calloc(1, sizeof(*tape));
	struct world_member *out;
	struct world *w;
	uint32_t held;

	cfg.gm.no_recovery = true;
	w = world_joined(&cfg, 9);
	out = w->member[4];
	simnet_listen(w->net, out->node, false);
	simnet_tap(w->net, record, tape);
	gk_assert_ok(world_evict(w, out->peer));
	for (int i = 0; i < 10; i++) {
		gk_assert_ok(world_rekey(w));
		world_pass(w, 2000);
	}
	world_join(world_member_add(w, "new"));
	world_pass(w, 2000);
	simnet_tap(w->net, NULL, NULL);
	held = out->key.handle;
	for (size_t i = 0; i < tape->n; i++) {
		(void)!world_to_member(out, gk_buf_slice(&tape->dgram[i]));
		assert_int_equal(out->key.handle, held);
	}
	assert_true(tape->n > 10);
	assert_int_equal(world_in_step(w), 9);
	for (size_t i = 0; i < tape->n; i++)
		gk_buf_free(&tape->dgram[i]);
	test_free(tape);
	world_free(w);
}

GK_TEST(rfc4535_5_3_2_1_01, evicted_member_is_not_let_in_again)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 3);
	struct world_member *out = w->member[1];

	gk_assert_ok(world_evict(w, out->peer));
	world_pass(w, 180 * 1000);
	/* it noticed, tried to come back three times, and gave up */
	assert_int_equal(gsakmp_gm_state(out->gm), GSAKMP_GM_IDLE);
	assert_int_equal(out->seen.count[GSAKMP_OUT_STALE], 1);
	assert_false(out->has_key);
	assert_string_equal(w->seen.req, "RFC4535-5.3.2.1-01");
	world_pass(w, 3600 * 1000);
	assert_int_equal(world_in_step(w), 2);

	assert_int_equal(gsakmp_group_readmit(w->group, "dn:CN=nobody"),
	                 GK_ERR_VALUE);
	gk_assert_ok(gsakmp_group_readmit(w->group, out->peer));
	assert_int_equal(gsakmp_group_readmit(w->group, out->peer),
	                 GK_ERR_VALUE);
	world_drain(w);
	world_join(out);
	world_pass(w, 1000);
	assert_int_equal(world_in_step(w), 3);
	world_free(w);
}

GK_TEST(rfc4535_5_3_1_2_01, new_token_leaves_the_excluded_out)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 4);
	struct world_member *out = w->member[2];

	w->excluded[w->n_excluded++] = "CN=m2,O=Members";
	world_token(w);
	gk_assert_ok(world_publish(w, NULL));
	world_pass(w, 1000);
	assert_int_equal(out->seen.count[GSAKMP_OUT_EVICTED], 1);
	assert_int_equal(gsakmp_gm_state(out->gm), GSAKMP_GM_IDLE);
	assert_false(out->has_key);
	assert_int_equal(world_in_step(w), 3);
	assert_int_equal(w->member[0]->seen.count[GSAKMP_OUT_TOKEN], 2);
	assert_int_equal(world_status(w).edition, 2);
	world_free(w);
}

GK_TEST(rfc4535_5_3_1_2_01, new_token_without_exclusions_brings_no_new_key)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 2);
	uint32_t before = world_status(w).gtpk.handle;
	struct gsakmp_gm_status s;

	world_token(w);
	gk_assert_ok(world_publish(w, NULL));
	world_pass(w, 1000);
	gsakmp_gm_status(w->member[0]->gm, &s);
	assert_int_equal(s.edition, 2);
	assert_int_equal(world_status(w).gtpk.handle, before);
	assert_int_equal(world_in_step(w), 2);
	world_free(w);
}

GK_TEST(rfc4535_5_3_1_1_05, token_reaches_who_joins_at_that_moment)
{
	struct world_config cfg = world_plain(7);
	struct gsakmp_gm_status s;
	struct world *w;

	cfg.group.join_window_ms = 2500;
	w = world_joined(&cfg, 3);
	world_pass(w, 5000);
	world_join(world_member_add(w, "late"));
	world_pass(w, 500);
	w->excluded[w->n_excluded++] = "CN=m2,O=Members";
	world_token(w);
	gk_assert_ok(world_publish(w, NULL));
	world_pass(w, 1000);
	assert_int_equal(world_in_step(w), 3);
	gsakmp_gm_status(w->member[3]->gm, &s);
	assert_int_equal(s.edition, 2);
	assert_int_equal(w->member[3]->seen.count[GSAKMP_OUT_STALE], 0);
	world_free(w);
}

GK_TEST(rfc4535_5_3_1_1_05, token_under_a_lost_key_is_fetched_anew)
{
	const struct world_config cfg = world_plain(7);
	struct gsakmp_gm_status s;
	struct world_member *m;
	struct world *w = world_joined(&cfg, 4);

	m = w->member[0];
	simnet_listen(w->net, m->node, false);
	gk_assert_ok(world_rekey(w));
	world_pass(w, 1000);
	simnet_listen(w->net, m->node, true);
	w->excluded[w->n_excluded++] = "CN=m3,O=Members";
	world_token(w);
	gk_assert_ok(world_publish(w, NULL));
	world_pass(w, 1000);
	/* the keys at once, the token by registering again */
	assert_true(world_has_current(m));
	gsakmp_gm_status(m->gm, &s);
	assert_int_equal(s.edition, 1);
	world_pass(w, 20000);
	gsakmp_gm_status(m->gm, &s);
	assert_int_equal(s.edition, 2);
	assert_int_equal(s.state, GSAKMP_GM_MEMBER);
	assert_int_equal(world_in_step(w), 3);
	world_free(w);
}

GK_TEST(rfc4534_3_1_03, older_edition_is_refused_and_changes_nothing)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 2);
	struct gsakmp_reject why;
	uint8_t before[32], after[32];

	world_token(w);
	gk_assert_ok(world_publish(w, NULL));
	world_pass(w, 1000);
	w->edition = 0;
	world_token(w);
	gsakmp_group_digest(w->group, before);
	gk_assert_err(GK_ERR_REPLAY, world_publish(w, &why));
	assert_string_equal(why.req, "RFC4534-3.1-03");
	gsakmp_group_digest(w->group, after);
	assert_memory_equal(before, after, 32);
	assert_int_equal(world_status(w).edition, 2);
	world_free(w);
}

GK_TEST(rfc4534_2_11, token_that_asks_for_what_nobody_here_does_is_refused)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 1);
	uint8_t before[32], after[32];
	struct gsakmp_reject why;

	gsakmp_group_digest(w->group, before);
	w->reliability = GPT_RELIABILITY_POST;
	world_token(w);
	gk_assert_err(GK_ERR_POLICY, world_publish(w, &why));
	assert_string_equal(why.req, "RFC4534-2-11");
	gsakmp_group_digest(w->group, after);
	assert_memory_equal(before, after, 32);
	world_free(w);
}

GK_TEST(rfc4535_5_2_1_01, server_that_the_token_does_not_name_is_refused)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 1);
	struct gsakmp_reject why;

	w->named_server = "CN=Somebody Else";
	world_token(w);
	gk_assert_err(GK_ERR_POLICY, world_publish(w, &why));
	assert_string_equal(why.req, "RFC4535-5.2.1-01");
	assert_int_equal(world_status(w).edition, 1);
	world_free(w);
}

static void
revoke(struct world *w, const struct gk_pki_party *who)
{
	struct gk_buf crl = { 0 };

	gk_pki_crl(&w->root, &who, 1, GK_PKI_NOW - GK_PKI_DAY,
	           GK_PKI_NOW + GK_PKI_DAY, NULL, &crl);
	gk_assert_ok(gk_trust_add_crl(w->trust, gk_buf_slice(&crl)));
	gk_buf_free(&crl);
}

GK_TEST(rfc4535_4_2_02, member_with_a_revoked_certificate_is_evicted)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 4);

	gk_assert_ok(gsakmp_group_revocations(w->group, simnet_now(w->net)));
	world_drain(w);
	world_pass(w, 1000);
	assert_int_equal(world_in_step(w), 4);
	revoke(w, &w->member[1]->pki);
	gk_assert_ok(gsakmp_group_revocations(w->group, simnet_now(w->net)));
	world_drain(w);
	world_pass(w, 180 * 1000);
	assert_int_equal(world_in_step(w), 3);
	assert_int_equal(gsakmp_gm_state(w->member[1]->gm), GSAKMP_GM_IDLE);
	assert_string_equal(w->seen.req, "RFC4535-7.8.2-07");
	world_free(w);
}

static size_t
certificates_stored(const struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->store.n; i++)
		n += strcmp(w->store.row[i].table, "gsakmp-cert") == 0;
	return n;
}

/* The certificates of members are read from the store when they are needed. */
GK_TEST(rfc4535_4_2_02, certificate_of_a_member_outlives_a_restart)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 3);

	assert_int_equal(certificates_stored(w), 3);
	world_restart(w);
	revoke(w, &w->member[2]->pki);
	gk_assert_ok(gsakmp_group_revocations(w->group, simnet_now(w->net)));
	world_drain(w);
	world_pass(w, 1000);
	assert_int_equal(world_status(w).n_members, 2);
	assert_int_equal(certificates_stored(w), 2);
	gk_assert_ok(
		gsakmp_gm_leave(w->member[0]->gm, true, simnet_now(w->net)));
	world_drain_member(w->member[0]);
	world_pass(w, 1000);
	gk_assert_ok(world_rekey(w));
	assert_int_equal(world_status(w).n_members, 1);
	assert_int_equal(certificates_stored(w), 1);
	world_free(w);
}

/* Certificates that cannot be read are no reason to think them good. */
GK_TEST(rfc4535_4_2_02, revocations_need_the_store)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 2);

	w->store.broken = true;
	gk_assert_err(GK_ERR_IO,
	              gsakmp_group_revocations(w->group, simnet_now(w->net)));
	w->store.broken = false;
	gk_assert_ok(gsakmp_group_revocations(w->group, simnet_now(w->net)));
	world_free(w);
}

GK_TEST(rfc4535_3_1_06, revoked_group_owner_ends_the_membership)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 1);

	gk_assert_ok(
		gsakmp_gm_revocations(w->member[0]->gm, simnet_now(w->net)));
	world_drain_member(w->member[0]);
	assert_true(w->member[0]->has_key);
	revoke(w, &w->go);
	gk_assert_ok(
		gsakmp_gm_revocations(w->member[0]->gm, simnet_now(w->net)));
	world_drain_member(w->member[0]);
	assert_false(w->member[0]->has_key);
	assert_int_equal(gsakmp_gm_state(w->member[0]->gm), GSAKMP_GM_IDLE);
	world_free(w);
}

/* A candidate may not have that list yet.  Members go by themselves. */
GK_TEST(rfc4535_3_1_06, key_server_without_a_group_owner_admits_nobody)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 1);
	struct world_member *late = world_member_add(w, "late");

	gk_assert_ok(gsakmp_group_token_recheck(w->group, simnet_now(w->net)));
	assert_null(world_status(w).lapsed);
	revoke(w, &w->go);
	gk_assert_ok(gsakmp_group_token_recheck(w->group, simnet_now(w->net)));
	assert_non_null(strstr(world_status(w).lapsed, "revoked"));
	world_join(late);
	world_pass(w, 30000);
	assert_false(late->has_key);
	assert_string_equal(w->seen.req, "RFC4534-2-08");
	/* the others are rekeyed as long as they stay */
	gk_assert_ok(world_rekey(w));
	world_pass(w, 1000);
	assert_int_equal(world_in_step(w), 1);
	world_free(w);
}

/*
 * What a member knows of its key server's path - the authority between came along
 * with the Key Download - is not durable, and need not be: keys are not, either,
 * so whoever was restarted has it from its new registration.
 */
GK_TEST(rfc4535_3_1_05, authority_above_the_key_server_after_a_restart)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_with(&cfg, 1);
	struct world_member *m = w->member[0];
	struct gk_pki_party between, server;
	const struct gk_cert *chain[2];

	gk_pki_make(&between,
	            &(struct gk_pki_spec){ .subject = "/O=Between",
	                                   .serial = 40,
	                                   .alg = GK_PKI_P256,
	                                   .slot = 3,
	                                   .issuer = &w->root,
	                                   .constraints = "critical,CA:TRUE" });
	gk_pki_make(&server, &(struct gk_pki_spec){ .subject = "/CN=Server",
	                                            .serial = 41,
	                                            .alg = GK_PKI_P256,
	                                            .slot = 1,
	                                            .issuer = &between });
	chain[0] = server.cert;
	chain[1] = between.cert;
	w->party.signer = server.signer;
	w->party.certs = chain;
	w->party.n_certs = 2;
	gsakmp_group_set_party(w->group, &w->party);
	gsakmp_gcks_set_party(w->worker[0].gcks, &w->party);
	world_join(m);
	world_pass(w, 3000);
	assert_true(world_has_current(m));
	world_restart_member(m);
	assert_int_equal(gsakmp_gm_state(m->gm), GSAKMP_GM_IDLE);
	world_join(m);
	world_pass(w, 3000);
	assert_true(world_has_current(m));
	gk_assert_ok(gsakmp_gm_revocations(m->gm, simnet_now(w->net)));
	world_drain_member(m);
	assert_int_equal(m->seen.count[GSAKMP_OUT_STALE], 0);
	revoke(w, &between);
	gk_assert_ok(gsakmp_gm_revocations(m->gm, simnet_now(w->net)));
	world_drain_member(m);
	assert_int_equal(m->seen.count[GSAKMP_OUT_STALE], 1);
	assert_int_equal(m->seen.count[GSAKMP_OUT_NEXT_SERVER], 1);
	world_free(w);
	gk_pki_free(&between);
	gk_pki_free(&server);
}

GK_TEST(rfc4535_3_1_05, revoked_key_server_is_not_obeyed_any_more)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 1);
	uint32_t held = w->member[0]->key.handle;

	revoke(w, &w->server);
	gk_assert_ok(world_rekey(w));
	world_pass(w, 1000);
	assert_int_equal(w->member[0]->key.handle, held);
	gk_assert_ok(
		gsakmp_gm_revocations(w->member[0]->gm, simnet_now(w->net)));
	world_drain_member(w->member[0]);
	assert_int_equal(gsakmp_gm_state(w->member[0]->gm),
	                 GSAKMP_GM_REJOINING);
	world_pass(w, 300 * 1000);
	assert_int_equal(gsakmp_gm_state(w->member[0]->gm), GSAKMP_GM_IDLE);
	assert_false(w->member[0]->has_key);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_4_4_7_05, a_join_changes_the_key_for_everybody),
		GK_RUN(rfc4535_4_4_7_05,
		       joins_within_the_window_share_one_rekey),
		GK_RUN(rfc4535_4_4_7_05, without_join_rekey_the_key_stays),
		GK_RUN(rfc4535_5_2_1_2_19, join_and_eviction_in_one_window),
		GK_RUN(rfc4535_5_3_2_1_03,
		       evicted_member_opens_nothing_any_more),
		GK_RUN(rfc4535_5_3_2_1_01, evicted_member_is_not_let_in_again),
		GK_RUN(rfc4535_5_3_1_2_01, new_token_leaves_the_excluded_out),
		GK_RUN(rfc4535_5_3_1_2_01,
		       new_token_without_exclusions_brings_no_new_key),
		GK_RUN(rfc4535_5_3_1_1_05,
		       token_reaches_who_joins_at_that_moment),
		GK_RUN(rfc4535_5_3_1_1_05,
		       token_under_a_lost_key_is_fetched_anew),
		GK_RUN(rfc4534_3_1_03,
		       older_edition_is_refused_and_changes_nothing),
		GK_RUN(rfc4534_2_11,
		       token_that_asks_for_what_nobody_here_does_is_refused),
		GK_RUN(rfc4535_5_2_1_01,
		       server_that_the_token_does_not_name_is_refused),
		GK_RUN(rfc4535_4_2_02,
		       member_with_a_revoked_certificate_is_evicted),
		GK_RUN(rfc4535_4_2_02,
		       certificate_of_a_member_outlives_a_restart),
		GK_RUN(rfc4535_4_2_02, revocations_need_the_store),
		GK_RUN(rfc4535_3_1_06, revoked_group_owner_ends_the_membership),
		GK_RUN(rfc4535_3_1_06,
		       key_server_without_a_group_owner_admits_nobody),
		GK_RUN(rfc4535_3_1_05,
		       authority_above_the_key_server_after_a_restart),
		GK_RUN(rfc4535_3_1_05,
		       revoked_key_server_is_not_obeyed_any_more),
	};
	int failed = cmocka_run_group_tests_name("gsakmp/group_members", tests,
	                                         NULL, NULL);

	gk_pki_keys_free();
	return failed;
}
