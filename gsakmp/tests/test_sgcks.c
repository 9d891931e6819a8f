/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/sgcks_scene.h"

#include <string.h>

#include "policy-tokens/token/gpt_gdoi.h"

/* ---- becoming one -------------------------------------------------------- */

GK_TEST(rfc4535_4_1_4_01, the_traffic_key_is_the_primarys)
{
	struct scene sc = open_scene();
	struct gsakmp_gtpk of = status(sc.w->group).gtpk;

	assert_int_equal(status(sc.north->group).gtpk.id, of.id);
	assert_int_equal(status(sc.north->group).gtpk.handle, of.handle);
	assert_int_equal(sc.a->key.created, of.created_utc);
	assert_int_equal(sc.a->key.expires, of.expires_utc);
	assert_int_equal(sc.a->key.handle, sc.c->key.handle);
	assert_memory_equal(sc.a->key.octets, sc.c->key.octets, sc.a->key.len);
	close_scene(&sc);
}

GK_TEST(rfc4535_4_1_4_01, a_subordinate_asked_to_rekey_sends_the_same_key)
{
	struct scene sc = open_scene();
	uint32_t handle = sc.a->key.handle;
	unsigned heard = sc.a->seen.count[GSAKMP_OUT_REKEYED];

	gk_assert_ok(
		gsakmp_group_rekey(sc.north->group, simnet_now(sc.w->net)));
	world_sub_drain(sc.north);
	world_pass(sc.w, 1000);
	assert_int_equal(sc.a->seen.count[GSAKMP_OUT_REKEYED], heard + 1);
	assert_int_equal(sc.a->key.handle, handle);
	assert_int_equal(status(sc.w->group).gtpk.handle, handle);
	assert_int_equal(world_in_step(sc.w), 4);
	close_scene(&sc);
}

GK_TEST(rfc4535_4_1_4_02, it_serves_nobody_before_it_is_a_member)
{
	struct scene sc = ground(&usual);

	world_join(sc.a);
	world_pass(sc.w, 500);
	assert_false(world_has_current(sc.a));
	assert_int_equal(sc.north->seen.count[GSAKMP_OUT_SEND], 0);
	world_sub_start(sc.north);
	world_pass(sc.w, 30000);
	assert_int_equal(sc.north->above.count[GSAKMP_OUT_JOINED], 1);
	assert_int_equal(sc.north->above.count[GSAKMP_OUT_SERVING], 1);
	assert_true(world_has_current(sc.a));
	close_scene(&sc);
}

GK_TEST(rfc4535_4_1_4_02, a_primary_that_the_token_does_not_name_is_refused)
{
	struct scene sc = ground(&usual);

	/* One subordinate at another: that is a key server, but not the GC/KS. */
	world_sub_start(sc.north);
	world_pass(sc.w, 2000);
	sc.south->primary = sc.north->serve;
	simnet_listen(sc.w->net, sc.south->up, false);
	world_sub_start(sc.south);
	world_pass(sc.w, 2000);
	assert_int_equal(sc.north->seen.count[GSAKMP_OUT_MEMBER_PENDING], 1);
	assert_string_equal(sc.south->above.req, "RFC4535-5.2.1.2-17");
	assert_int_equal(sc.south->above.count[GSAKMP_OUT_JOINED], 0);
	assert_false(world_sub_status(sc.south).serving);
	close_scene(&sc);
}

GK_TEST(rfc4535_4_4_6_02, without_the_tokens_word_everybody_is_refused)
{
	struct scene sc = ground(&usual);

	sc.w->sub_gcks[0] = NULL;
	world_token(sc.w);
	gk_assert_ok(world_publish(sc.w, NULL));
	world_sub_start(sc.north);
	world_pass(sc.w, 2000);
	world_join(sc.a);
	world_pass(sc.w, 2000);
	assert_int_equal(sc.north->above.count[GSAKMP_OUT_JOINED], 1);
	assert_int_equal(sc.north->above.count[GSAKMP_OUT_SUSPENDED], 1);
	assert_false(world_sub_status(sc.north).serving);
	assert_int_equal(sc.north->seen.count[GSAKMP_OUT_SEND], 0);
	/* The owner thinks better of it. */
	allow(sc.w);
	world_pass(sc.w, 20000);
	assert_true(world_sub_status(sc.north).serving);
	assert_true(world_has_current(sc.a) ||
	            gsakmp_gm_state(sc.a->gm) == GSAKMP_GM_IDLE);
	close_scene(&sc);
}

/* Its membership wants no more of its key than the registration does. */
GK_TEST(rfc4534_2_11, one_whose_key_cannot_sign_for_its_members_serves_nobody)
{
	struct scene sc = open_scene();
	struct gsakmp_party other = sc.north->m->cfg.party;
	struct gk_pki_party rsa;

	gk_pki_make(&rsa, &(struct gk_pki_spec){ .subject = "/CN=north",
	                                         .alg = GK_PKI_RSA2048 });
	other.signer = rsa.signer;
	gsakmp_sgcks_set_party(sc.north->sgcks, &other);
	gk_assert_ok(gsakmp_sgcks_tick(sc.north->sgcks, simnet_now(sc.w->net)));
	assert_false(world_sub_status(sc.north).serving);
	world_sub_drain(sc.north);
	assert_int_equal(sc.north->above.count[GSAKMP_OUT_SUSPENDED], 1);
	assert_non_null(strstr(world_sub_status(sc.north).why, "our key"));
	/* and with its own again */
	gsakmp_sgcks_set_party(sc.north->sgcks, &sc.north->m->cfg.party);
	gk_assert_ok(gsakmp_sgcks_tick(sc.north->sgcks, simnet_now(sc.w->net)));
	world_sub_drain(sc.north);
	assert_true(world_sub_status(sc.north).serving);
	gk_assert_ok(world_rekey(sc.w));
	world_pass(sc.w, 2000);
	assert_int_equal(world_in_step(sc.w), 4);
	gk_pki_free(&rsa);
	close_scene(&sc);
}

GK_TEST(rfc4534_B_5_7_1_01, without_the_autonomous_scheme_there_are_none)
{
	struct scene sc = ground(&usual);

	sc.w->no_autonomy = true;
	world_token(sc.w);
	gk_assert_ok(world_publish(sc.w, NULL));
	world_sub_start(sc.north);
	world_pass(sc.w, 2000);
	assert_int_equal(sc.north->above.count[GSAKMP_OUT_SUSPENDED], 1);
	assert_false(world_sub_status(sc.north).serving);
	close_scene(&sc);
}

GK_TEST(rfc4534_B_5_7_2_01, it_has_to_be_in_both_lists)
{
	struct scene sc = ground(&usual);

	sc.w->auth_subs[0] = SOUTH;
	world_token(sc.w);
	gk_assert_ok(world_publish(sc.w, NULL));
	world_sub_start(sc.north);
	world_sub_start(sc.south);
	world_pass(sc.w, 2000);
	assert_false(world_sub_status(sc.north).serving);
	assert_true(world_sub_status(sc.south).serving);
	close_scene(&sc);
}

/* ---- trees --------------------------------------------------------------- */

GK_TEST(rfc4535_4_4_7_05, it_is_a_leaf_of_the_primarys_tree)
{
	struct scene sc = open_scene();
	struct gsakmp_sgcks_status st = world_sub_status(sc.north);

	assert_true(st.gm.member_id != 0);
	assert_true(st.gm.n_keks > 1);
	assert_true(st.in_step);
	assert_int_equal(status(sc.w->group).n_members, 2);
	close_scene(&sc);
}

/* One that does not obey the token, and answers all the same. */
GK_TEST(rfc4535_4_1_5_01, unlisted_subordinate_is_refused_by_members)
{
	struct scene sc = ground(&usual);
	const struct gsakmp_gm *gm = gsakmp_sgcks_gm(sc.north->sgcks);

	world_sub_start(sc.north);
	world_pass(sc.w, 2000);
	sc.w->sub_gcks[0] = NULL;
	world_token(sc.w);
	gk_assert_ok(world_publish(sc.w, NULL));
	world_pass(sc.w, 2000);
	assert_false(world_sub_status(sc.north).serving);
	gk_assert_ok(gsakmp_group_relay(sc.north->group, gm->policy, gm->gtpk,
	                                gm->n_gtpks, simnet_now(sc.w->net)));
	gsakmp_group_pause(sc.north->group, false);
	world_join(sc.a);
	world_pass(sc.w, 40);
	assert_int_equal(sc.north->seen.count[GSAKMP_OUT_MEMBER_PENDING], 1);
	assert_string_equal(sc.a->seen.req, "RFC4535-5.2.1.2-17");
	assert_int_equal(sc.a->seen.count[GSAKMP_OUT_JOINED], 0);
	assert_int_equal(sc.a->seen.count[GSAKMP_OUT_KEY_INSTALL], 0);
	close_scene(&sc);
}

GK_TEST(rfc4535_4_4_7_08, no_key_of_one_tree_is_in_another)
{
	struct scene sc = open_scene();
	struct gk_lkh_key path[GK_LKH_DEPTH_MAX];
	const struct gk_lkh_member *mine[] = { &sc.a->gm->keks,
		                               &sc.c->gm->keks };
	struct gk_member *leaf = gk_group_find(sc.w->group->data,
	                                       gk_slice_str(sc.north->m->peer));
	size_t n;

	gk_assert_ok(gk_group_path(sc.w->group->data, leaf, path, &n));
	assert_true(n > 0);
	for (size_t t = 0; t < 2; t++)
		for (size_t k = 0; k < mine[t]->count; k++)
			for (size_t i = 0; i < n; i++)
				assert_memory_not_equal(mine[t]->keys[k].octets,
				                        path[i].octets,
				                        path[i].len);
	for (size_t k = 0; k < mine[0]->count; k++)
		for (size_t i = 0; i < mine[1]->count; i++)
			assert_memory_not_equal(mine[0]->keys[k].octets,
			                        mine[1]->keys[i].octets,
			                        mine[1]->keys[i].len);
	close_scene(&sc);
}

GK_TEST(rfc4535_4_4_7_06, each_sub_group_has_a_tree_of_its_own)
{
	struct scene sc = open_scene();

	/* Two trees that were planted alike: the same ids, other keys. */
	assert_true(sc.a->gm->keks.count > 1);
	assert_int_equal(gk_group_count(sc.north->group->data), 2);
	assert_int_equal(gk_group_count(sc.south->group->data), 2);
	assert_int_equal(gk_group_count(sc.w->group->data), 2);
	assert_int_equal(sc.a->gm->member_id, sc.c->gm->member_id);
	assert_int_equal(sc.a->gm->keks.keys[0].id, sc.c->gm->keks.keys[0].id);
	close_scene(&sc);
}

/* ---- members come and go ------------------------------------------------- */

GK_TEST(rfc4535_4_4_7_01, joins_and_departures_do_not_concern_the_primary)
{
	struct scene sc = open_scene();
	unsigned heard = sc.w->seen.count[GSAKMP_OUT_MESSAGE];
	struct world_member *e = behind(sc.north, "e");

	world_join(e);
	world_pass(sc.w, 2000);
	assert_true(world_has_current(e));
	gk_assert_ok(gsakmp_gm_leave(sc.a->gm, true, simnet_now(sc.w->net)));
	world_drain_member(sc.a);
	world_pass(sc.w, 2000);
	assert_int_equal(sc.north->seen.count[GSAKMP_OUT_MEMBER_LEFT], 1);
	assert_int_equal(sc.w->seen.count[GSAKMP_OUT_MESSAGE], heard);
	/* The next key of the primary is without it, and with the other. */
	gk_assert_ok(world_rekey(sc.w));
	world_pass(sc.w, 2000);
	assert_true(world_has_current(e));
	assert_false(world_has_current(sc.a));
	assert_int_equal(status(sc.north->group).n_members, 2);
	close_scene(&sc);
}

GK_TEST(rfc4535_4_4_7_07, who_the_token_excludes_is_refused_behind_it)
{
	struct scene sc = open_scene();
	struct world_member *e = behind(sc.north, "e");

	sc.w->excluded[sc.w->n_excluded++] = "CN=e,O=Members";
	world_token(sc.w);
	gk_assert_ok(world_publish(sc.w, NULL));
	world_pass(sc.w, 1000);
	world_join(e);
	world_pass(sc.w, 2000);
	assert_string_equal(sc.north->seen.req, "RFC4535-5.2.1.1-15");
	assert_false(world_has_current(e));
	assert_int_equal(world_in_step(sc.w), 4);
	close_scene(&sc);
}

/* ---- rekeys -------------------------------------------------------------- */

GK_TEST(rfc4535_4_4_7_03, a_rekey_of_the_primary_is_followed_by_its_own)
{
	struct scene sc = open_scene();
	unsigned n = sc.north->seen.count[GSAKMP_OUT_MULTICAST];
	uint32_t sequence = status(sc.north->group).sequence;

	gk_assert_ok(world_rekey(sc.w));
	world_pass(sc.w, 2000);
	assert_int_equal(sc.north->seen.count[GSAKMP_OUT_MULTICAST], n + 1);
	assert_int_equal(status(sc.north->group).sequence, sequence + 1);
	assert_int_equal(sc.a->key.handle, status(sc.w->group).gtpk.handle);
	assert_int_equal(world_in_step(sc.w), 4);
	close_scene(&sc);
}

GK_TEST(rfc4535_4_4_7_03, a_rekey_that_nobody_signed_is_not_passed_on)
{
	struct scene sc = open_scene();
	unsigned n = sc.north->seen.count[GSAKMP_OUT_MULTICAST];
	const struct gsakmp_endpoint from = { .ip = { 10, 0, 0, 9 },
		                              .ip_len = 4,
		                              .port = 3761 };
	struct gk_buf dgram = { 0 };

	/* The real one, with one octet of its signature changed, gets there
	 * first. */
	simnet_cut(sc.w->net, sc.north->up, true);
	gk_assert_ok(world_rekey(sc.w));
	world_pass(sc.w, 1000);
	simnet_cut(sc.w->net, sc.north->up, false);
	gk_assert_ok(gk_buf_copy(
		&dgram,
		gk_buf_slice(
			&sc.w->seen.last_sent[GSAKMP_EXCHANGE_REKEY_EVENT])));
	dgram.ptr[60] ^= 1;
	gk_assert_err(GK_ERR_AUTH,
	              gsakmp_sgcks_receive(sc.north->sgcks, dgram.ptr,
	                                   dgram.len, &from,
	                                   simnet_now(sc.w->net)));
	world_sub_drain(sc.north);
	assert_int_equal(sc.north->seen.count[GSAKMP_OUT_MULTICAST], n);
	dgram.ptr[60] ^= 1;
	gk_assert_ok(gsakmp_sgcks_receive(sc.north->sgcks, dgram.ptr, dgram.len,
	                                  &from, simnet_now(sc.w->net)));
	world_sub_drain(sc.north);
	assert_int_equal(sc.north->seen.count[GSAKMP_OUT_MULTICAST], n + 1);
	gk_buf_free(&dgram);
	close_scene(&sc);
}

GK_TEST(rfc4535_4_4_7_02, rekeys_of_another_key_server_are_for_others)
{
	struct scene sc = open_scene();
	const struct gk_buf *of =
		&sc.south->seen.last_sent[GSAKMP_EXCHANGE_REKEY_EVENT];
	uint8_t before[32], after[32];

	gk_assert_ok(world_rekey(sc.w));
	world_pass(sc.w, 2000);
	gsakmp_gm_digest(sc.a->gm, before);
	gk_assert_err(GK_ERR_UNEXPECTED,
	              world_to_member(sc.a, gk_buf_slice(of)));
	assert_string_equal(sc.a->seen.req, "RFC4535-4.4.7-02");
	gsakmp_gm_digest(sc.a->gm, after);
	assert_memory_equal(before, after, 32);
	close_scene(&sc);
}

GK_TEST(rfc4535_4_4_7_14, a_token_that_excludes_somebody_elsewhere_is_passed_on)
{
	struct scene sc = open_scene();
	unsigned north = sc.north->seen.count[GSAKMP_OUT_MULTICAST];
	unsigned south = sc.south->seen.count[GSAKMP_OUT_MULTICAST];

	sc.w->excluded[sc.w->n_excluded++] = "CN=c,O=Members";
	world_token(sc.w);
	gk_assert_ok(world_publish(sc.w, NULL));
	world_pass(sc.w, 3000);
	assert_true(sc.north->seen.count[GSAKMP_OUT_MULTICAST] > north);
	assert_true(sc.south->seen.count[GSAKMP_OUT_MULTICAST] > south);
	/* RFC4535-4.4.7-13, -15: the one behind south is out, nobody else. */
	assert_int_equal(sc.south->seen.count[GSAKMP_OUT_EVICTED], 1);
	assert_int_equal(sc.north->seen.count[GSAKMP_OUT_EVICTED], 0);
	assert_false(world_has_current(sc.c));
	assert_int_equal(world_in_step(sc.w), 3);
	assert_int_equal(sc.a->gm->policy->v.token->edition, sc.w->edition);
	close_scene(&sc);
}

GK_TEST(rfc4535_4_4_7_15, who_is_excluded_behind_it_is_refused_the_new_key)
{
	struct scene sc = open_scene();

	sc.w->excluded[sc.w->n_excluded++] = "CN=a,O=Members";
	world_token(sc.w);
	gk_assert_ok(world_publish(sc.w, NULL));
	world_pass(sc.w, 3000);
	assert_false(world_has_current(sc.a));
	/* nor could it, if it did not obey: no leaf is left that is its own */
	assert_null(
		gk_group_find(sc.north->group->data, gk_slice_str(sc.a->peer)));
	/* everybody else behind it has it (RFC4535-4.4.7-04) */
	assert_true(world_has_current(sc.b));
	assert_int_equal(world_in_step(sc.w), 3);
	close_scene(&sc);
}

GK_TEST(rfc4535_4_4_7_13, who_is_excluded_is_refused_its_place_in_the_tree)
{
	struct scene sc = open_scene();

	sc.w->excluded[sc.w->n_excluded++] = "CN=a,O=Members";
	world_token(sc.w);
	gk_assert_ok(world_publish(sc.w, NULL));
	world_pass(sc.w, 3000);
	/* by the token alone: the primary knows no member of that name */
	assert_int_equal(status(sc.north->group).n_members, 1);
	assert_int_equal(status(sc.south->group).n_members, 2);
	assert_null(
		gk_group_find(sc.north->group->data, gk_slice_str(sc.a->peer)));
	assert_int_equal(sc.north->seen.count[GSAKMP_OUT_EVICTED], 1);
	close_scene(&sc);
}

GK_TEST(rfc4535_4_4_7_12, an_exclusion_and_the_new_key_are_one_message)
{
	struct scene sc = open_scene();
	unsigned n = sc.w->seen.count[GSAKMP_OUT_MULTICAST];
	uint32_t sequence = status(sc.w->group).sequence;
	uint32_t handle = status(sc.north->group).gtpk.handle;

	sc.w->excluded[sc.w->n_excluded++] = "CN=c,O=Members";
	world_token(sc.w);
	gk_assert_ok(world_publish(sc.w, NULL));
	world_pass(sc.w, 500);
	assert_int_equal(sc.w->seen.count[GSAKMP_OUT_MULTICAST], n + 1);
	assert_int_equal(status(sc.w->group).sequence, sequence + 1);
	assert_int_equal(status(sc.north->group).edition, sc.w->edition);
	assert_int_not_equal(status(sc.north->group).gtpk.handle, handle);
	close_scene(&sc);
}

/* A token of which nobody takes notice but for its edition. */
GK_TEST(rfc4535_5_3_1_2_01, a_token_alone_is_passed_on_without_keys)
{
	struct scene sc = open_scene();
	uint32_t handle = sc.a->key.handle;
	struct world_member *e = behind(sc.north, "e");

	world_join(e); /* the epoch of the sub-group stays open */
	world_pass(sc.w, 2000);
	world_token(sc.w);
	gk_assert_ok(world_publish(sc.w, NULL));
	world_pass(sc.w, 2000);
	assert_int_equal(sc.a->gm->policy->v.token->edition, sc.w->edition);
	assert_int_equal(e->gm->policy->v.token->edition, sc.w->edition);
	assert_int_equal(sc.a->key.handle, handle);
	gk_assert_ok(world_rekey(sc.w));
	world_pass(sc.w, 2000);
	assert_int_equal(world_in_step(sc.w), 5);
	close_scene(&sc);
}

static void
say_how(struct gpt_token *t)
{
	struct gpt_protocol *p = gpt_token_add_rekey(t);

	gk_assert_ok(gpt_protocol_set(p, GPT_PROTOCOL_OPERATION));
	p->operation->mtu = (struct gpt_number){ true, 1000 };
	p->operation->skew = (struct gpt_number){ true, 77 };
}

static void
assert_said(const struct scene *sc)
{
	struct gsakmp_group_status st;

	gsakmp_group_status(sc->north->group, &st);
	assert_int_equal(st.message_max, 1000 - 28);
	assert_int_equal(st.skew_s, 77);
}

/* What the Group Owner says of the running of the group is for every key server of it,
 * also for one that begins again. */
GK_TEST(rfc4535_3_1_02, a_sub_group_is_run_as_the_token_says)
{
	struct scene sc = open_scene();

	sc.w->amend = say_how;
	world_token(sc.w);
	gk_assert_ok(world_publish(sc.w, NULL));
	world_pass(sc.w, 2000);
	assert_said(&sc);
	world_sub_restart(sc.north);
	world_pass(sc.w, 2000);
	assert_said(&sc);
	close_scene(&sc);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_4_1_4_01, the_traffic_key_is_the_primarys),
		GK_RUN(rfc4535_4_1_4_01,
		       a_subordinate_asked_to_rekey_sends_the_same_key),
		GK_RUN(rfc4535_4_1_4_02,
		       it_serves_nobody_before_it_is_a_member),
		GK_RUN(rfc4535_4_1_4_02,
		       a_primary_that_the_token_does_not_name_is_refused),
		GK_RUN(rfc4535_4_4_6_02,
		       without_the_tokens_word_everybody_is_refused),
		GK_RUN(rfc4534_2_11,
		       one_whose_key_cannot_sign_for_its_members_serves_nobody),
		GK_RUN(rfc4534_B_5_7_1_01,
		       without_the_autonomous_scheme_there_are_none),
		GK_RUN(rfc4534_B_5_7_2_01, it_has_to_be_in_both_lists),
		GK_RUN(rfc4535_4_4_7_05, it_is_a_leaf_of_the_primarys_tree),
		GK_RUN(rfc4535_4_1_5_01,
		       unlisted_subordinate_is_refused_by_members),
		GK_RUN(rfc4535_4_4_7_08, no_key_of_one_tree_is_in_another),
		GK_RUN(rfc4535_4_4_7_06, each_sub_group_has_a_tree_of_its_own),
		GK_RUN(rfc4535_4_4_7_01,
		       joins_and_departures_do_not_concern_the_primary),
		GK_RUN(rfc4535_4_4_7_07,
		       who_the_token_excludes_is_refused_behind_it),
		GK_RUN(rfc4535_4_4_7_03,
		       a_rekey_of_the_primary_is_followed_by_its_own),
		GK_RUN(rfc4535_4_4_7_03,
		       a_rekey_that_nobody_signed_is_not_passed_on),
		GK_RUN(rfc4535_4_4_7_02,
		       rekeys_of_another_key_server_are_for_others),
		GK_RUN(rfc4535_4_4_7_14,
		       a_token_that_excludes_somebody_elsewhere_is_passed_on),
		GK_RUN(rfc4535_4_4_7_15,
		       who_is_excluded_behind_it_is_refused_the_new_key),
		GK_RUN(rfc4535_4_4_7_13,
		       who_is_excluded_is_refused_its_place_in_the_tree),
		GK_RUN(rfc4535_4_4_7_12,
		       an_exclusion_and_the_new_key_are_one_message),
		GK_RUN(rfc4535_5_3_1_2_01,
		       a_token_alone_is_passed_on_without_keys),
		GK_RUN(rfc4535_3_1_02, a_sub_group_is_run_as_the_token_says),
	};
	int failed =
		cmocka_run_group_tests_name("gsakmp/sgcks", tests, NULL, NULL);

	gk_pki_keys_free();
	return failed;
}
