/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/sgcks_scene.h"

#include "gsakmp/engine/group_state.h"
#include "gsakmp/payload/notification.h"

/*
 * Subordinate key servers where two things happen at once: RFC 4535 sections 4.4.7
 * and 7.4.1.1.
 */

/* The key that comes is not the one that was asked for, and the word that the
 * request was understood is lost. */
GK_TEST(rfc4535_4_4_7_10, an_expulsion_that_meets_another_rekey_is_not_lost)
{
	struct scene sc = open_scene();
	unsigned worker = sc.w->worker[0].node;
	int64_t utc = simnet_now(sc.w->net).utc_s;

	gk_assert_ok(world_sub_evict(sc.north, sc.a->peer));
	for (int i = 0;
	     i < 1000 &&
	     sc.north->above.count[GSAKMP_OUT_EXPULSION_ACCEPTED] == 0;
	     i++)
		world_pass(sc.w, 1);
	simnet_cut(sc.w->net, worker, true);
	world_pass(sc.w, 500);
	assert_int_equal(sc.w->seen.count[GSAKMP_OUT_EXPELLED], 0);
	gk_assert_ok(world_rekey(sc.w));
	world_pass(sc.w, 2000);
	assert_int_equal(status(sc.north->group).n_expelled, 0);
	assert_int_equal(sc.w->seen.count[GSAKMP_OUT_EXPELLED], 1);
	assert_true(gk_group_excluded(sc.w->group->data,
	                              gk_slice_str(sc.a->peer), NULL));
	simnet_cut(sc.w->net, worker, false);
	assert_int_equal(world_in_step(sc.w), 3);
	assert_true(simnet_now(sc.w->net).utc_s - utc < 9);
	close_scene(&sc);
}

/* Its own server was faster than the primary's word, or the first copy of that was
 * lost: there is nothing that it would still have to say. */
GK_TEST(rfc4535_4_4_7_14, a_token_that_is_known_already_starts_no_clock)
{
	struct scene sc = open_scene();
	unsigned stale = sc.a->seen.count[GSAKMP_OUT_STALE];
	struct gk_buf *theirs, *ours;

	world_pass(sc.w, 3000);
	simnet_cut(sc.w->net, sc.a->node, true);
	world_token(sc.w);
	gk_assert_ok(world_publish(sc.w, NULL));
	world_pass(sc.w, 2000);
	simnet_cut(sc.w->net, sc.a->node, false);
	theirs = &sc.w->seen.last_sent[GSAKMP_EXCHANGE_REKEY_EVENT];
	ours = &sc.north->seen.last_sent[GSAKMP_EXCHANGE_REKEY_EVENT];
	gk_assert_ok(world_to_member(sc.a, gk_buf_slice(ours)));
	assert_int_equal(sc.a->gm->policy->v.token->edition, sc.w->edition);
	gk_assert_ok(world_to_member(sc.a, gk_buf_slice(theirs)));
	world_pass(sc.w, 120 * 1000);
	assert_int_equal(sc.a->seen.count[GSAKMP_OUT_STALE], stale);
	/* One that it has not got yet does: b never hears of it from north. */
	simnet_cut(sc.w->net, sc.b->node, true);
	world_token(sc.w);
	gk_assert_ok(world_publish(sc.w, NULL));
	world_pass(sc.w, 2000);
	simnet_cut(sc.w->net, sc.b->node, false);
	gk_assert_ok(world_to_member(sc.b, gk_buf_slice(theirs)));
	world_pass(sc.w, 120 * 1000);
	assert_int_equal(sc.b->seen.count[GSAKMP_OUT_STALE], 1);
	close_scene(&sc);
}

/* RFC4535-7.4.2-05: keys that are over are no keys. */
GK_TEST(rfc4535_7_4_2_05, without_the_primary_nobody_is_let_in_to_an_old_key)
{
	struct world_config cfg = usual;
	struct world_member *e;
	struct scene sc;

	cfg.key_expiration =
		(struct gpt_lifedate){ GPT_LIFEDATE_INTERVAL, 7200 };
	sc = ground(&cfg);
	all_join(&sc);
	simnet_cut(sc.w->net, sc.w->worker[0].node, true);
	simnet_cut(sc.w->net, sc.w->group_node, true);
	world_pass(sc.w, 7300 * 1000);
	e = behind(sc.north, "e");
	world_join(e);
	world_pass(sc.w, 60 * 1000);
	assert_int_equal(e->seen.count[GSAKMP_OUT_JOINED], 0);
	assert_string_equal(sc.north->seen.req, "RFC4535-7.4.2-05");
	/* No Key Download, so nobody who would not acknowledge it. */
	assert_int_equal(status(sc.north->group).n_overdue, 0);
	simnet_cut(sc.w->net, sc.w->worker[0].node, false);
	simnet_cut(sc.w->net, sc.w->group_node, false);
	world_pass(sc.w, 600 * 1000);
	world_join(e);
	world_pass(sc.w, 10 * 1000);
	assert_true(world_has_current(e));
	close_scene(&sc);
}

/* RFC4535-7.4.1.1-06, by a primary that began anew without its store. */
GK_TEST(rfc4535_7_4_1_1_06, another_key_under_a_known_handle_is_refused)
{
	struct scene sc = open_scene();
	struct gk_traffic_key *key = &gsakmp_sgcks_gm(sc.north->sgcks)->gtpk[0];

	key->octets[0] ^= 1;
	world_pass(sc.w, 2000);
	simnet_poke(sc.w->net, sc.north->up);
	gk_assert_err(GK_OK, gsakmp_sgcks_tick(sc.north->sgcks,
	                                       simnet_now(sc.w->net)));
	world_sub_drain(sc.north);
	assert_false(world_sub_status(sc.north).serving);
	assert_int_equal(sc.north->above.count[GSAKMP_OUT_SUSPENDED], 1);
	/* The next key has another name, and it goes on. */
	gk_assert_ok(world_rekey(sc.w));
	world_pass(sc.w, 5000);
	assert_true(world_sub_status(sc.north).serving);
	assert_int_equal(world_in_step(sc.w), 4);
	close_scene(&sc);
}

/* A member that goes from one subordinate to another is numbered by that one: each
 * counts for itself (RFC4535-7.1.1-13). */
GK_TEST(rfc4535_7_1_1_13, who_moves_follows_the_numbers_of_the_new_server)
{
	struct scene sc = open_scene();

	for (int i = 0; i < 3; i++) {
		gk_assert_ok(world_rekey(sc.w));
		world_pass(sc.w, 2000);
	}
	/* South begins anew, at 1, and a comes from north, which is at 3. */
	world_sub_kill(sc.south);
	world_store_clear(&sc.south->store);
	world_sub_restart(sc.south);
	world_pass(sc.w, 5000);
	gk_assert_ok(gsakmp_gm_leave(sc.a->gm, false, simnet_now(sc.w->net)));
	world_drain_member(sc.a);
	sc.a->n_servers = 0;
	world_sub_serves(sc.south, sc.a);
	world_join(sc.a);
	world_pass(sc.w, 5000);
	gk_assert_ok(world_rekey(sc.w));
	world_pass(sc.w, 3000);
	assert_true(world_has_current(sc.a));
	/* And back again, where the old numbers go on. */
	gk_assert_ok(gsakmp_gm_leave(sc.a->gm, false, simnet_now(sc.w->net)));
	world_drain_member(sc.a);
	sc.a->n_servers = 0;
	world_sub_serves(sc.north, sc.a);
	world_join(sc.a);
	world_pass(sc.w, 5000);
	gk_assert_ok(world_rekey(sc.w));
	world_pass(sc.w, 3000);
	assert_true(world_has_current(sc.a));
	assert_true(world_has_current(sc.b));
	close_scene(&sc);
}

/* Two tokens and a key at once: what was missed in between is not needed. */
GK_TEST(rfc4535_4_4_7_03, tokens_that_overtake_one_another)
{
	struct scene sc = open_scene();

	world_pass(sc.w, 3000);
	simnet_cut(sc.w->net, sc.north->up, true);
	world_token(sc.w);
	gk_assert_ok(world_publish(sc.w, NULL));
	gk_assert_ok(world_rekey(sc.w));
	world_pass(sc.w, 1500);
	simnet_cut(sc.w->net, sc.north->up, false);
	world_token(sc.w);
	gk_assert_ok(world_publish(sc.w, NULL));
	gk_assert_ok(world_rekey(sc.w));
	world_pass(sc.w, 90 * 1000);
	assert_true(world_sub_status(sc.north).in_step);
	assert_int_equal(sc.a->gm->policy->v.token->edition, sc.w->edition);
	assert_int_equal(world_in_step(sc.w), 4);
	close_scene(&sc);
}

/* A candidate behind a subordinate would refuse it, as everywhere. */
GK_TEST(rfc4534_2_08, nobody_is_let_in_to_a_token_without_an_owner)
{
	struct scene sc = open_scene();
	const struct gk_pki_party *owner = &sc.w->go;
	struct world_member *e = behind(sc.north, "e");
	struct gk_buf crl;

	gk_assert_ok(gsakmp_group_token_recheck(sc.north->group,
	                                        simnet_now(sc.w->net)));
	assert_null(status(sc.north->group).lapsed);
	gk_pki_crl(&sc.w->root, &owner, 1, GK_PKI_NOW - GK_PKI_DAY,
	           GK_PKI_NOW + GK_PKI_DAY, NULL, &crl);
	gk_assert_ok(gk_trust_add_crl(sc.w->trust, gk_buf_slice(&crl)));
	gk_assert_ok(gsakmp_group_token_recheck(sc.north->group,
	                                        simnet_now(sc.w->net)));
	assert_non_null(strstr(status(sc.north->group).lapsed, "revoked"));
	world_join(e);
	world_pass(sc.w, 30 * 1000);
	assert_int_equal(e->seen.count[GSAKMP_OUT_JOINED], 0);
	assert_string_equal(sc.north->seen.req, "RFC4534-2-08");
	/* Nothing ends for its members by that, and keys are passed on. */
	gk_assert_ok(world_rekey(sc.w));
	world_pass(sc.w, 2000);
	assert_int_equal(world_in_step(sc.w), 4);
	gk_buf_free(&crl);
	close_scene(&sc);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4534_2_08,
		       nobody_is_let_in_to_a_token_without_an_owner),
		GK_RUN(rfc4535_4_4_7_10,
		       an_expulsion_that_meets_another_rekey_is_not_lost),
		GK_RUN(rfc4535_4_4_7_14,
		       a_token_that_is_known_already_starts_no_clock),
		GK_RUN(rfc4535_7_4_2_05,
		       without_the_primary_nobody_is_let_in_to_an_old_key),
		GK_RUN(rfc4535_7_4_1_1_06,
		       another_key_under_a_known_handle_is_refused),
		GK_RUN(rfc4535_7_1_1_13,
		       who_moves_follows_the_numbers_of_the_new_server),
		GK_RUN(rfc4535_4_4_7_03, tokens_that_overtake_one_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
