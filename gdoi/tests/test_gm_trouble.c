/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/gm_lab.h"

#include <limits.h>

/* A member on its way to a registration when something goes wrong that is nobody's
 * message: the key server dies, there is no memory, or no random number. */
/* DPD finds out before the answer to the registration is overdue. */
GK_TEST(rfc2408_5_15_03, a_key_server_that_dies_while_it_is_asked)
{
	lab_reset();
	lab.cfg.n_servers = 2;
	lab.cfg.keep_phase1 = true;
	lab.cfg.ike.dpd_s = 3;
	lab.cfg.ike.dpd_tries = 2;
	lab_start();
	lab_join(0);
	assert_int_equal(lab_status(0).server_address.ip[3], 2);
	lab.server[0].deaf = true;
	gk_assert_ok(gdoi_gm_reregister(lab.gm, 0, lab.now));
	lab_talk();
	lab_pass(15000);
	/* The next one, and it is known which that is. */
	assert_int_equal(lab.server[1].pulls, 1);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	assert_int_equal(lab_status(0).server_address.ip[3], 3);
	assert_int_equal(lab.seen.n[GDOI_OUT_NEXT_SERVER], 1);
}

/* Wherever it was when there was none: it goes on when there is. */
GK_TEST(rfc6407_3_3_01, who_was_held_up_goes_on)
{
	unsigned failed = 0;

	for (unsigned draws = 0; draws < 40; draws++) {
		lab_reset();
		lab_start();
		lab_random_left = draws;
		failed += gdoi_gm_join(lab.gm, 0, lab.now) != GK_OK;
		lab_talk();
		failed += gdoi_gm_tick(lab.gm, lab.now) != GK_OK;
		lab_talk();
		/* It does not take the processor meanwhile, either. */
		if (lab_random_left == 0 && lab_state(0) != GDOI_GM_MEMBER)
			assert_true(gdoi_gm_deadline(lab.gm) > lab.now.mono_ms);
		lab_random_left = UINT_MAX;
		lab_pass(120000);
		assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	}
	assert_true(failed > 0);
}

/* One group's trouble is not that of the others. */
GK_TEST(rfc6407_3_01, the_others_have_their_turn)
{
	lab_reset();
	lab_start();
	lab_join(0);
	lab_join(1);
	lab_random_left = 0;
	gk_assert_err(GK_ERR_IO, gdoi_gm_reregister(lab.gm, 0, lab.now));
	lab_talk();
	lab_random_left = UINT_MAX;
	gk_assert_ok(gdoi_gm_reregister(lab.gm, 1, lab.now));
	lab_talk();
	lab_pass(60000);
	assert_int_equal(lab.server[0].pulls, 4);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	assert_int_equal(lab_state(1), GDOI_GM_MEMBER);
}

/* Whose trouble it is, is said. */
GK_TEST(rfc6407_3_3_01, a_notification_is_about_the_group_that_was_asked_for)
{
	lab_reset();
	lab_start();
	lab_join(0);
	lab.server[0].refuse = ISAKMP_NOTIFY_INVALID_ID_INFORMATION;
	lab_join(1);
	assert_int_equal(lab.seen.notify, ISAKMP_NOTIFY_INVALID_ID_INFORMATION);
	assert_int_equal(lab.seen.about, 1);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc2408_5_15_03,
		       a_key_server_that_dies_while_it_is_asked),
		GK_RUN(rfc6407_3_3_01, who_was_held_up_goes_on),
		GK_RUN(rfc6407_3_01, the_others_have_their_turn),
		GK_RUN(rfc6407_3_3_01,
		       a_notification_is_about_the_group_that_was_asked_for),
	};

	return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
