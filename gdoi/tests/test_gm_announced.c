/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/gm_lab.h"

/*
 * Other key servers, and another place of the Rekey SA, while a member runs:
 * gdoi_gm_announced().
 */
static enum gk_err
announce(size_t group, size_t first, size_t n)
{
	enum gk_err err = gdoi_gm_announced(lab.gm, group, &lab.group[group],
	                                    &lab.cfg.server[first], n, lab.now);

	lab_talk();
	return err;
}

static unsigned
seen(enum gdoi_output_kind kind)
{
	return lab.seen.n[kind];
}

static void
joined(void)
{
	lab_reset();
	lab_member();
	memset(lab.seen.n, 0, sizeof(lab.seen.n));
}

GK_TEST(announced, a_member_goes_to_the_new_key_server_with_its_keys)
{
	struct gdoi_gm_status status;

	joined();
	gk_assert_ok(announce(0, 1, 1));
	assert_int_equal(seen(GDOI_OUT_STALE), 1);
	assert_int_equal(seen(GDOI_OUT_TEK_WIPE), 0);
	assert_true(lab_tek(0x101, &(struct gdoi_tek){ 0 }));
	/* the SA with the old one, held or not, is over */
	assert_true(lab.server[0].deleted);
	lab_pass(6000);
	assert_int_equal(lab.server[0].pulls, 1);
	assert_int_equal(lab.server[1].pulls, 1);
	assert_int_equal(seen(GDOI_OUT_TEK_WIPE), 0);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	gdoi_gm_status(lab.gm, 0, &status);
	assert_int_equal(status.server_address.ip[3], 3);
	/* once more the same: nothing is to be done */
	gk_assert_ok(announce(0, 1, 1));
	lab_pass(6000);
	assert_int_equal(seen(GDOI_OUT_STALE), 1);
	assert_int_equal(lab.server[1].pulls, 1);
}

GK_TEST(announced, a_registration_is_given_up_for_one_elsewhere)
{
	lab_reset();
	lab_start();
	lab.server[0].deaf = true;
	lab_join(0);
	assert_int_equal(lab_state(0), GDOI_GM_PHASE1);
	gk_assert_ok(announce(0, 1, 1));
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	/* and in the middle of a GROUPKEY-PULL */
	lab_reset();
	lab_start();
	lab.server[0].mute_pull = true;
	lab_join(0);
	assert_int_equal(lab_state(0), GDOI_GM_PULL_1);
	gk_assert_ok(announce(0, 1, 1));
	assert_true(lab.server[0].deleted);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	assert_int_equal(lab.server[1].pulls, 1);
}

GK_TEST(announced, who_is_still_listed_is_not_left)
{
	const struct gdoi_address two[] = {
		{ { 10, 0, 0, 3 }, 4, 848, 1, false },
		{ { 10, 0, 0, 2 }, 4, 848, 0, false }
	};

	joined();
	gk_assert_ok(
		gdoi_gm_announced(lab.gm, 0, &lab.group[0], two, 2, lab.now));
	lab_talk();
	lab_pass(6000);
	assert_int_equal(seen(GDOI_OUT_STALE), 0);
	assert_int_equal(lab.server[1].pulls, 0);
	/* registering again begins with the first */
	gk_assert_ok(gdoi_gm_reregister(lab.gm, 0, lab.now));
	lab_talk();
	assert_int_equal(lab.server[1].pulls, 1);
}

GK_TEST(announced, a_key_server_may_not_serve_the_group_any_more)
{
	static const uint8_t second[4] = { 10, 0, 0, 3 };
	static const struct gk_identity other = { GK_ID_IPV4, { second, 4 } };
	struct gdoi_gm_status status;

	joined();
	lab.group[0].servers = &other;
	lab.group[0].n_servers = 1;
	gk_assert_ok(announce(0, 0, 1));
	assert_int_equal(seen(GDOI_OUT_STALE), 1);
	lab_pass(12000);
	gdoi_gm_status(lab.gm, 0, &status);
	assert_string_equal(status.why.req, "RFC6407-3.1-02");
	assert_int_equal(lab.server[0].pulls, 1);
	assert_int_equal(lab_state(0), GDOI_GM_REREGISTERING);
	assert_true(lab_tek(0x101, &(struct gdoi_tek){ 0 }));
	lab.group[0].n_servers = 0;
	gk_assert_ok(announce(0, 0, 1));
	lab_pass(60000);
	assert_int_equal(lab.server[0].pulls, 2);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	/* one that is asked already is left, too */
	lab_reset();
	lab_start();
	lab.server[0].mute_pull = true;
	lab_join(0);
	assert_false(lab.server[0].deleted);
	lab.group[0].servers = &other;
	lab.group[0].n_servers = 1;
	gk_assert_ok(announce(0, 0, 1));
	assert_true(lab.server[0].deleted);
	assert_int_equal(lab_state(0), GDOI_GM_WAITING);
}

GK_TEST(announced, pushes_that_come_elsewhere)
{
	static const uint8_t there[4] = { 239, 7, 7, 7 };
	struct gdoi_tek tek;

	joined();
	lab.group[0].rekey_dst =
		(struct gdoi_address){ { 239, 7, 7, 7 }, 4, 848, 0, false };
	gk_assert_ok(announce(0, 0, 1));
	assert_int_equal(seen(GDOI_OUT_STALE), 1);
	/* the key server does not know yet: what there is goes on */
	lab_pass(7000);
	assert_string_equal(lab.seen.why.req, "RFC6407-3.3-05");
	assert_int_equal(lab_state(0), GDOI_GM_REREGISTERING);
	assert_true(lab_tek(0x101, &tek));
	assert_int_equal(tek.state, GDOI_TEK_CURRENT);
	lab.offer.sa.sak.ep.dst.data.ptr = there;
	lab_pass(60000);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	assert_int_equal(seen(GDOI_OUT_TEK_WIPE), 0);
	/* now it is where it was announced */
	gk_assert_ok(announce(0, 0, 1));
	assert_int_equal(seen(GDOI_OUT_STALE), 1);
}

GK_TEST(announced, not_between_outputs_and_not_without_a_server)
{
	struct gk_now then;

	joined();
	then = lab.now;
	assert_int_equal(announce(0, 0, 0), GK_ERR_VALUE);
	assert_int_equal(announce(LAB_GROUPS, 0, 1), GK_ERR_VALUE);
	gk_assert_ok(gdoi_gm_reregister(lab.gm, 0, then));
	assert_int_equal(gdoi_gm_announced(lab.gm, 0, &lab.group[0],
	                                   lab.cfg.server, 1, then),
	                 GK_ERR_UNEXPECTED);
	lab_talk();
	gk_assert_ok(announce(0, 0, 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(announced,
		       a_member_goes_to_the_new_key_server_with_its_keys),
		GK_RUN(announced, a_registration_is_given_up_for_one_elsewhere),
		GK_RUN(announced, who_is_still_listed_is_not_left),
		GK_RUN(announced,
		       a_key_server_may_not_serve_the_group_any_more),
		GK_RUN(announced, pushes_that_come_elsewhere),
		GK_RUN(announced, not_between_outputs_and_not_without_a_server),
	};

	return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
