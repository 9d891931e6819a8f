/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/gcks_gm.h"

/* Members and key server in one process: a group's ordinary days. */
GK_TEST(rfc6407_1_01, members_register_for_two_groups_and_share_the_keys)
{
	/* Protocol and ports of the SATs are zero: no selectors. */
	GK_SHOWS("RFC6407-5.3-05", "RFC6407-5.5.1-02", "RFC6407-5.5.1-03",
	         "RFC6407-5.5.1-05", "RFC6407-5.5.1-06");
	all_open();
	joined = 0;
	join_all(0);
	join_all(1);
	for (int i = 0; i < NODES; i++) {
		assert_int_equal(state_of(i, 0), GDOI_GM_MEMBER);
		assert_int_equal(state_of(i, 1), GDOI_GM_MEMBER);
		/* Under one SA: RFC6407-3-01. */
		assert_int_equal(node[i].n[GDOI_OUT_PHASE1_UP], 1);
	}
	assert_int_equal(joined, 2 * NODES);
	assert_int_equal(members_of(0), NODES);
	assert_all_read(0);
	assert_all_read(1);
	all_close();
}

GK_TEST(rfc6407_4_09, rekeys_reach_everybody)
{
	/* The member takes nothing else: counter mode, and no SIDs. */
	GK_SHOWS("RFC6407-5.4-01", "RFC6407-5.6.4.4-02", "RFC6407-4.2-04",
	         "RFC6407-4.2-05", "RFC6407-4.2-06", "RFC6407-4-06");
	all_open();
	join_all(0);
	for (int round = 0; round < 3; round++) {
		world[0].now = now;
		gk_assert_ok(gdoi_group_rekey(
			group[0], round == 1 ? GDOI_REKEY_ALL : GDOI_REKEY_TEK,
			now));
		pass(1000);
		assert_all_read(0);
	}
	for (int i = 0; i < NODES; i++)
		assert_int_equal(node[i].n[GDOI_OUT_REFUSED], 0);
	all_close();
}

GK_TEST(rfc6407_7_4_1_01, who_is_evicted_cannot_read_on)
{
	const char *peer = "ipv4:10.0.0.13"; /* node 1 */

	all_open();
	join_all(0);
	GK_SHOWS("RFC6407-7.4.1-02");
	gk_assert_ok(gdoi_group_evict(group[0], &peer, 1, now));
	pass(1000);
	/* The KEK under the old one, the TEKs under the new one. */
	assert_int_equal(world[0].n_push, 2);
	assert_memory_not_equal(world[0].push[0].spi, world[0].push[1].spi, 16);
	assert_false(can_read(1, 0));
	for (int i = 0; i < NODES; i++)
		assert_int_equal(can_read(i, 0), i != 1);
	/* Nor does it come in again. */
	gk_assert_ok(gdoi_gm_reregister(node[1].gm, 0, now));
	pass(1000);
	assert_false(can_read(1, 0));
	assert_int_equal(members_of(0), NODES - 1);
	all_close();
}

/* RFC 2408 section 5.1: what is lost is said again, by either side. */
GK_TEST(rfc2408_5_1_01, every_third_datagram_is_lost)
{
	all_open();
	loss = 330;
	joined = 0;
	for (int i = 0; i < NODES; i++) {
		gk_assert_ok(gdoi_gm_join(node[i].gm, 0, now));
		gk_assert_ok(gdoi_gm_join(node[i].gm, 1, now));
	}
	pass(600000);
	loss = 0;
	pass(600000);
	for (int i = 0; i < NODES; i++) {
		assert_int_equal(state_of(i, 0), GDOI_GM_MEMBER);
		assert_int_equal(state_of(i, 1), GDOI_GM_MEMBER);
	}
	assert_int_equal(members_of(0), NODES);
	assert_all_read(0);
	assert_all_read(1);
	all_close();
}

GK_TEST(rfc2408_5_15_03, a_member_that_leaves_says_so)
{
	all_open();
	join_all(0);
	join_all(1);
	left = 0;
	for (size_t k = 0; k < 2; k++)
		gk_assert_ok(gdoi_gm_leave(node[2].gm, k, true, now));
	pass(1000);
	assert_int_equal(left, 2);
	assert_int_equal(members_of(0), NODES - 1);
	assert_int_equal(members_of(1), NODES - 1);
	all_close();
}

/* The key server is another process: its SAs are gone, its groups are not. */
GK_TEST(rfc6407_3_4_01, members_stay_when_the_key_server_starts_again)
{
	struct gdoi_gcks_config cfg = server_config;

	all_open();
	cfg = server_config;
	join_all(0);
	gdoi_gcks_free(gcks);
	gw_restart(&world[0]);
	group[0] = world[0].group;
	gcks = gdoi_gcks_new(&env, &cfg);
	for (int k = 0; k < 2; k++)
		gk_assert_ok(gdoi_gcks_add_group(gcks, group[k]));
	assert_int_equal(members_of(0), NODES);
	gk_assert_ok(gdoi_group_rekey(group[0], GDOI_REKEY_ALL, now));
	pass(1000);
	assert_all_read(0);
	gk_assert_ok(gdoi_gm_reregister(node[0].gm, 0, now));
	pass(60000);
	assert_int_equal(state_of(0, 0), GDOI_GM_MEMBER);
	assert_all_read(0);
	all_close();
}

static uint16_t ack_type;

static void
with_acks(struct gw *w, int i)
{
	if (i == 0)
		w->template.rekey.sak.ack = ack_type;
}

static void
acknowledged(uint16_t type)
{
	struct gdoi_group_status s;

	ack_type = type;
	shape_group = with_acks;
	all_open();
	shape_group = NULL;
	join_all(0);
	gk_assert_ok(gdoi_group_rekey(group[0], GDOI_REKEY_TEK, now));
	pass(6000); /* RFC8263-6-04 */
	gdoi_group_status(group[0], &s);
	assert_int_equal(s.acks, NODES);
	assert_int_equal(s.refused_acks, 0);
	for (int i = 0; i < NODES; i++)
		assert_true(can_read(i, 0));
	all_close();
}

GK_TEST(rfc8263_5_06, each_kind_of_acknowledgement_reaches_its_group)
{
	GK_SHOWS("RFC8263-4-02", "RFC8263-6-02", "RFC8263-6-04",
	         "RFC8263-3.4-03");
	for (uint16_t type = 1; type <= 4; type++)
		acknowledged(type);
}

GK_TEST(rfc6407_3_4_03, who_is_not_admitted_is_told)
{
	all_open();
	node[3].ip[3] = 12; /* an even address */
	node[3].address.ip[3] = 12;
	gdoi_gm_free(node[3].gm);
	node[3].cfg.local = node[3].address;
	node[3].gm = gdoi_gm_new(&env, &node[3].cfg);
	join_all(0);
	assert_int_equal(members_of(0), NODES - 1);
	assert_true(state_of(3, 0) != GDOI_GM_MEMBER);
	assert_true(node[3].n[GDOI_OUT_NOTIFIED] >= 1);
	all_close();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_1_01,
		       members_register_for_two_groups_and_share_the_keys),
		GK_RUN(rfc6407_4_09, rekeys_reach_everybody),
		GK_RUN(rfc6407_7_4_1_01, who_is_evicted_cannot_read_on),
		GK_RUN(rfc2408_5_1_01, every_third_datagram_is_lost),
		GK_RUN(rfc2408_5_15_03, a_member_that_leaves_says_so),
		GK_RUN(rfc6407_3_4_01,
		       members_stay_when_the_key_server_starts_again),
		GK_RUN(rfc8263_5_06,
		       each_kind_of_acknowledgement_reaches_its_group),
		GK_RUN(rfc6407_3_4_03, who_is_not_admitted_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
