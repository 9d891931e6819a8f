/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "gsakmp/engine/gm_state.h"
#include "gsakmp/engine/group_state.h"
#include "gsakmp/tests/fixture.h"
#include "gsakmp/tests/world_impl.h"

/*
 * Orders of events that nobody plans: a key that ends while its holder is cut
 * off, a group that ends while its members come and go, ways in and out that
 * differ.
 */

/* ---- a key that ends ------------------------------------------------------ */

/* Overdue first, and then the key's own end: nobody may use it longer because
 * the key server does not answer. */
static void
cut_off_until_the_end(bool no_recovery)
{
	struct world_config cfg = world_plain(7);
	struct world *w;

	cfg.event = GPT_REKEY_EVENT_NONE;
	cfg.interval = 100;
	cfg.group.gtpk_life_s = 300;
	cfg.gm.no_recovery = no_recovery;
	cfg.gm.rejoin_max = 1000;
	w = world_joined(&cfg, 1);
	simnet_cut(w->net, w->worker[0].node, true);
	world_pass(w, 290 * 1000);
	assert_true(w->member[0]->seen.count[GSAKMP_OUT_STALE] >= 1);
	assert_true(w->member[0]->has_key);
	world_pass(w, 20 * 1000);
	assert_false(w->member[0]->has_key);
	world_free(w);
}

GK_TEST(rfc4535_7_4_1_1, a_key_ends_although_its_holder_is_cut_off)
{
	cut_off_until_the_end(true);
	cut_off_until_the_end(false);
}

/* The token says data SA by data SA how long a key is good. */
GK_TEST(rfc4535_7_4_1_1, each_traffic_key_has_an_end_of_its_own)
{
	struct world_config cfg = world_plain(7);
	struct gsakmp_gm *gm;
	struct world *w;

	cfg.event = GPT_REKEY_EVENT_NONE;
	cfg.gm.no_recovery = true;
	cfg.group.gtpk_life_s = 300;
	w = world_joined(&cfg, 1);
	gm = w->member[0]->gm;
	gm->gtpk[1] = gm->gtpk[0];
	gm->gtpk[1].id++;
	gm->gtpk[1].handle++;
	gm->gtpk[1].expires = simnet_now(w->net).utc_s + 100;
	gm->n_gtpks = 2;
	gsakmp_gm_clocks(gm, simnet_now(w->net));
	simnet_poke(w->net, w->member[0]->node);
	world_pass(w, 99 * 1000);
	assert_int_equal(w->member[0]->seen.count[GSAKMP_OUT_KEY_WIPE], 0);
	world_pass(w, 2 * 1000);
	assert_int_equal(w->member[0]->seen.count[GSAKMP_OUT_KEY_WIPE], 1);
	assert_true(w->member[0]->has_key);
	world_pass(w, 200 * 1000);
	assert_int_equal(w->member[0]->seen.count[GSAKMP_OUT_KEY_WIPE], 2);
	assert_false(w->member[0]->has_key);
	world_free(w);
}

/* ---- a way in that takes long ------------------------------------------------- */

/* The Key Download is lost, the group is rekeyed, and the request comes again: the
 * answer has to be of now. */
static void
rekeyed_meanwhile(bool evicting)
{
	struct world_config cfg = world_plain(7);
	struct world_member *late;
	struct world *w;

	cfg.group.no_join_rekey = true;
	w = world_joined(&cfg, 3);
	late = world_member_add(w, "late");
	world_join(late);
	for (int i = 0;
	     i < 5000 && w->seen.count[GSAKMP_OUT_MEMBER_PENDING] < 4; i++)
		world_pass(w, 1);
	simnet_cut(w->net, late->node, true);
	if (evicting)
		gk_assert_ok(world_evict(w, w->member[0]->peer));
	else
		gk_assert_ok(world_rekey(w));
	world_pass(w, 1000);
	assert_int_equal(gsakmp_gm_state(late->gm), GSAKMP_GM_JOINING);
	simnet_cut(w->net, late->node, false);
	world_pass(w, 30 * 1000);
	assert_int_equal(gsakmp_gm_state(late->gm), GSAKMP_GM_MEMBER);
	assert_true(world_has_current(late));
	world_free(w);
}

GK_TEST(rfc4535_5_2_1_2_19, who_is_rekeyed_while_joining_has_the_new_key)
{
	rekeyed_meanwhile(false);
	rekeyed_meanwhile(true);
}

/* The first answer was on its way all the time, and so is what it is answered
 * with, when the request comes again after a rekey: whoever has the one and
 * follows the rekey is a member like any other. */
GK_TEST(rfc4535_5_2_1_2_19, the_answer_of_before_a_rekey_may_be_acknowledged)
{
	struct world_config cfg = world_plain(7);
	struct world_member *far;
	struct world *w;

	cfg.group.no_join_rekey = true;
	cfg.gm.spread_ms = 1;
	w = world_joined(&cfg, 2);
	simnet_weather(w->net, &(struct simnet_weather){ .latency_min = 4000,
	                                                 .latency_max = 4000 });
	far = world_member_add(w, "far");
	world_join(far);
	world_pass(w, 6000); /* it is asked twice, and answered once */
	assert_int_equal(w->seen.count[GSAKMP_OUT_MEMBER_PENDING], 3);
	gk_assert_ok(world_rekey(w));
	world_pass(w, 30 * 1000);
	assert_int_equal(w->seen.count[GSAKMP_OUT_MEMBER_PENDING], 4);
	assert_int_equal(gsakmp_gm_state(far->gm), GSAKMP_GM_MEMBER);
	assert_int_equal(w->seen.count[GSAKMP_OUT_MEMBER_OVERDUE], 0);
	assert_int_equal(world_status(w).n_overdue, 0);
	assert_int_equal(world_status(w).n_members, 3);
	gk_assert_ok(world_rekey(w));
	world_pass(w, 10 * 1000);
	assert_true(world_has_current(far));
	world_free(w);
}

/* ---- a group that ends ----------------------------------------------------- */

static void
destroy(struct world *w)
{
	gk_assert_ok(gsakmp_group_destroy(w->group, simnet_now(w->net)));
	world_drain(w);
}

GK_TEST(rfc4535_7_1_1_14, the_end_reaches_members_in_every_state)
{
	struct world_config cfg = world_plain(7);
	struct world *w;

	cfg.gm.rejoin_max = 1000;
	cfg.interval = 100;
	w = world_joined(&cfg, 3);
	/* m0 leaves and m1 rejoins, and neither is heard */
	simnet_cut(w->net, w->worker[0].node, true);
	gk_assert_ok(
		gsakmp_gm_leave(w->member[0]->gm, true, simnet_now(w->net)));
	world_drain_member(w->member[0]);
	gk_assert_ok(gsakmp_gm_begin(w->member[1]->gm));
	gk_assert_ok(
		gsakmp_gm_stale(w->member[1]->gm, "test", simnet_now(w->net)));
	world_drain_member(w->member[1]);
	assert_int_equal(gsakmp_gm_state(w->member[0]->gm),
	                 GSAKMP_GM_DEPARTING);
	assert_int_equal(gsakmp_gm_state(w->member[1]->gm),
	                 GSAKMP_GM_REJOINING);
	destroy(w);
	world_pass(w, 1000);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(gsakmp_gm_state(w->member[i]->gm),
		                 GSAKMP_GM_IDLE);
		assert_false(w->member[i]->has_key);
		assert_int_equal(w->member[i]->seen.count[GSAKMP_OUT_DESTROYED],
		                 1);
		gk_assert_err(
			GK_ERR_POLICY,
			gsakmp_gm_join(w->member[i]->gm, simnet_now(w->net)));
	}
	world_free(w);
}

/* ---- the way out ------------------------------------------------------------- */

/* The endpoint of the last datagram that an engine hands out. */
static struct gsakmp_endpoint
sent_to(struct gsakmp_gcks *gcks, uint8_t exchange)
{
	struct gsakmp_endpoint to = { 0 };
	struct gsakmp_output out;
	unsigned n = 0;

	while (gsakmp_gcks_poll(gcks, &out))
		if (out.kind == GSAKMP_OUT_SEND && out.exchange == exchange) {
			to = out.to;
			n++;
		}
	assert_int_equal(n, 1);
	return to;
}

static struct world *
mixed(bool verbose)
{
	struct world_config cfg = world_plain(7);
	struct world *w;

	cfg.verbose = verbose;
	w = world_joined(&cfg, 1);
	/* From now on only a Request to Join may come by UDP; departures have a
	 * transport of their own, and in this token it is UDP. */
	w->transport = GPT_TRANSPORT_UDP_RTJ_TCP_OTHER;
	world_token(w);
	gk_assert_ok(world_publish(w, NULL));
	world_pass(w, 1000);
	return w;
}

static struct gk_buf
request_to_depart(struct world *w)
{
	struct world_member *m = w->member[0];
	struct gk_buf rtd = { 0 };

	simnet_cut(w->net, w->worker[0].node, true);
	gk_assert_ok(gsakmp_gm_leave(m->gm, true, simnet_now(w->net)));
	world_drain_member(m);
	gk_assert_ok(gk_buf_copy(
		&rtd,
		gk_buf_slice(&m->seen.last_sent
	                              [GSAKMP_EXCHANGE_REQUEST_TO_DEPART])));
	return rtd;
}

GK_TEST(rfc4534_b_3_07, a_departure_is_answered_the_way_it_came_each_time)
{
	struct world *w = mixed(false);
	const struct gsakmp_endpoint from = world_endpoint(w->member[0]->node);
	struct gsakmp_gcks *gcks = w->worker[0].gcks;
	struct gk_buf rtd = request_to_depart(w);

	for (int i = 0; i < 2; i++) {
		struct gsakmp_endpoint to;

		gk_assert_ok(gsakmp_gcks_receive(gcks, rtd.ptr, rtd.len, &from,
		                                 simnet_now(w->net)));
		to = sent_to(gcks, GSAKMP_EXCHANGE_DEPARTURE_RESPONSE);
		assert_false(to.stream);
		assert_false(to.open);
	}
	gk_buf_free(&rtd);
	world_free(w);
}

GK_TEST(rfc4534_b_3_07, who_does_not_confirm_is_warned_the_way_it_came)
{
	struct world *w = mixed(true);
	const struct gsakmp_endpoint from = world_endpoint(w->member[0]->node);
	struct gk_buf rtd = request_to_depart(w);
	struct gsakmp_output out;
	struct gk_now later;
	unsigned n = 0;

	gk_assert_ok(gsakmp_gcks_receive(w->worker[0].gcks, rtd.ptr, rtd.len,
	                                 &from, simnet_now(w->net)));
	world_drain(w);
	later = simnet_now(w->net);
	later.mono_ms += 3600 * 1000;
	gk_assert_ok(gsakmp_group_session_tick(w->group, later));
	while (gsakmp_group_poll(w->group, &out)) {
		if (out.kind != GSAKMP_OUT_SEND ||
		    out.exchange != GSAKMP_EXCHANGE_LACK_OF_ACK)
			continue;
		assert_false(out.to.stream);
		assert_false(out.to.open);
		n++;
	}
	assert_int_equal(n, 1);
	gk_buf_free(&rtd);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_7_4_1_1,
		       a_key_ends_although_its_holder_is_cut_off),
		GK_RUN(rfc4535_7_4_1_1, each_traffic_key_has_an_end_of_its_own),
		GK_RUN(rfc4535_5_2_1_2_19,
		       the_answer_of_before_a_rekey_may_be_acknowledged),
		GK_RUN(rfc4535_5_2_1_2_19,
		       who_is_rekeyed_while_joining_has_the_new_key),
		GK_RUN(rfc4535_7_1_1_14,
		       the_end_reaches_members_in_every_state),
		GK_RUN(rfc4534_b_3_07,
		       a_departure_is_answered_the_way_it_came_each_time),
		GK_RUN(rfc4534_b_3_07,
		       who_does_not_confirm_is_warned_the_way_it_came),
	};
	int failed =
		cmocka_run_group_tests_name("gsakmp/doubt", tests, NULL, NULL);

	gk_pki_keys_free();
	return failed;
}
