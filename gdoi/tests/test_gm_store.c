/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/gm_lab.h"

/*
 * What a member makes durable, a restart, and a store that says no.
 */
static struct lab_policy p;

static void
member(void)
{
	lab_reset();
	lab_member();
}

static struct lab_policy *
tek(uint32_t seq, uint32_t spi)
{
	p = (struct lab_policy){ .seq = seq };
	lab_add_esp(&p, spi, (uint8_t)spi);
	return &p;
}

/* What is in lab.stored goes into a new member. */
static void
restart(void)
{
	lab_start();
	for (size_t i = 0; i < gk_journal_count(lab.stored); i++) {
		struct gk_change c = gk_journal_at(lab.stored, i);

		if (c.kind == GK_JOURNAL_PUT)
			gk_assert_ok(gdoi_gm_load(lab.gm, gk_slice_str("a"),
			                          c.table, c.key, c.value));
	}
}

GK_TEST(rfc6407_5_7_03, the_number_is_durable_before_it_counts)
{
	member();
	assert_int_equal(lab.seen.n[GDOI_OUT_COMMIT], 1);
	gk_assert_ok(lab_push(tek(1, 0x102)));
	assert_int_equal(lab.seen.n[GDOI_OUT_COMMIT], 2);
	assert_int_equal(lab.seen.rows, 1);
	assert_string_equal(gdoi_gm_table(0), "gdoi-sequence");
	assert_null(gdoi_gm_table(1));
}

GK_TEST(rfc6407_3_3_09, a_restarted_member_does_not_go_back)
{
	member();
	gk_assert_ok(lab_push(tek(1, 0x102)));
	gk_assert_ok(lab_push(tek(2, 0x103)));
	restart();
	/* message 4 was made before those two: it says 0 */
	lab_join(0);
	assert_int_equal(lab_status(0).kek.sequence, 2);
	lab_push_refused(tek(2, 0x104), "RFC6407-4.4-03");
	gk_assert_ok(lab_push(tek(3, 0x104)));
}

GK_TEST(rfc6407_3_2_20, numbers_of_rekey_sas_do_not_mix)
{
	member();
	gk_assert_ok(lab_push(tek(5, 0x102)));
	restart();
	lab_policy(&lab.offer);
	lab.offer.sa.n_sats = lab.offer.kd.n_packets = 0;
	lab_add_kek(&lab.offer, 0x22, 0x22);
	lab_join(0);
	assert_int_equal(lab_status(0).kek.sequence, 0);
}

GK_TEST(rfc6407_5_7_03, few_rows_are_kept)
{
	member();
	for (uint8_t i = 0; i < 10; i++) {
		p = (struct lab_policy){ .seq = 1 };
		lab_add_kek(&p, (uint8_t)(0x20 + i), (uint8_t)(0x20 + i));
		gk_assert_ok(lab_push(&p));
		lab_kek((uint8_t)(0x20 + i), (uint8_t)(0x20 + i));
	}
	/* the last COMMIT put some and deleted as many */
	assert_in_range(lab.seen.rows, 2, 4);
}

GK_TEST(rfc6407_5_7_03, rows_that_are_none)
{
	static const uint8_t spi[16] = { 1 }, value[4] = { 0, 0, 0, 1 };

	lab_reset();
	lab_start();
	gk_assert_err(GK_ERR_VALUE,
	              gdoi_gm_load(lab.gm, gk_slice_str("a"), "elsewhere",
	                           (struct gk_slice){ spi, 16 },
	                           (struct gk_slice){ value, 4 }));
	gk_assert_err(GK_ERR_VALUE,
	              gdoi_gm_load(lab.gm, gk_slice_str("a"), gdoi_gm_table(0),
	                           (struct gk_slice){ spi, 15 },
	                           (struct gk_slice){ value, 4 }));
	gk_assert_err(GK_ERR_TRUNCATED,
	              gdoi_gm_load(lab.gm, gk_slice_str("a"), gdoi_gm_table(0),
	                           (struct gk_slice){ spi, 16 },
	                           (struct gk_slice){ value, 3 }));
	gk_assert_err(GK_ERR_VALUE,
	              gdoi_gm_load(lab.gm, gk_slice_str("zzz"),
	                           gdoi_gm_table(0),
	                           (struct gk_slice){ spi, 16 },
	                           (struct gk_slice){ value, 4 }));
}

GK_TEST(rfc6407_5_7_03, a_store_that_says_no_and_then_yes)
{
	uint8_t before[32], after[32];

	member();
	gdoi_gm_digest(lab.gm, before);
	lab.fail_commit = true;
	gk_assert_ok(lab_push(tek(1, 0x102)));
	assert_false(lab_tek(0x102, NULL));
	assert_int_equal(lab.seen.n[GDOI_OUT_REKEYED], 0);
	assert_int_equal(lab_status(0).kek.sequence, 0);
	assert_int_equal(lab_status(0).waiting, 1);
	/* the next one waits behind it */
	gk_assert_ok(lab_push(tek(2, 0x103)));
	assert_int_equal(lab_status(0).waiting, 2);
	lab_pass(3100);
	assert_int_equal(lab_status(0).waiting, 2);
	assert_false(lab_tek(0x102, NULL));
	lab.fail_commit = false;
	lab_pass(30000);
	assert_int_equal(lab_status(0).waiting, 0);
	assert_true(lab_tek(0x102, NULL));
	assert_true(lab_tek(0x103, NULL));
	assert_int_equal(lab_status(0).kek.sequence, 2);
	assert_int_equal(lab.seen.n[GDOI_OUT_REFUSED], 0);
	gdoi_gm_digest(lab.gm, after);
	assert_memory_not_equal(before, after, 32);
}

GK_TEST(rfc8263_4_04, what_is_not_durable_is_not_acknowledged)
{
	lab_reset();
	lab.offer.sa.sak.ack = GDOI_ACK_KEK_SHA256;
	lab_start();
	lab_join(0);
	lab.fail_commit = true;
	gk_assert_ok(lab_push(tek(1, 0x102)));
	lab_pass(10000);
	assert_int_equal(lab.seen.ack.len, 0);
	lab.fail_commit = false;
	lab_pass(40000);
	assert_int_not_equal(lab.seen.ack.len, 0);
}

GK_TEST(rfc6407_3_3_12, a_registration_that_is_not_durable_is_none)
{
	lab_reset();
	lab_start();
	lab.fail_commit = true;
	lab_join(0);
	assert_int_equal(lab.seen.n[GDOI_OUT_JOINED], 0);
	assert_int_equal(lab.seen.n[GDOI_OUT_TEK], 0);
	assert_false(lab_tek(0x101, NULL));
	assert_int_equal(lab_state(0), GDOI_GM_WAITING);
	lab.fail_commit = false;
	lab_pass(6000);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
}

GK_TEST(rfc6407_5_9_07, what_is_deleted_is_gone_whatever_the_store_says)
{
	const struct lab_delete all[] = { { GDOI_PROTOCOL_ESP, 4, { 0 }, 0 },
		                          { GDOI_PROTOCOL_KEK, 16, { 0 }, 0 } };
	unsigned commits;

	member();
	lab.fail_commit = true;
	lab.server[0].deaf = true;
	p = (struct lab_policy){ .seq = 1 };
	gk_assert_ok(lab_push_deletes(&p, all, 2));
	assert_int_equal(lab_status(0).n_teks, 0);
	assert_false(lab_status(0).has_kek);
	assert_int_equal(lab.seen.n[GDOI_OUT_TEK_WIPE], 1);
	/* and the row is tried again until it is stored */
	commits = lab.seen.n[GDOI_OUT_COMMIT];
	lab_pass(1500);
	assert_int_equal(lab.seen.n[GDOI_OUT_COMMIT], commits + 1);
	lab.fail_commit = false;
	lab_pass(5000);
	commits = lab.seen.n[GDOI_OUT_COMMIT];
	lab_pass(100000);
	assert_int_equal(lab.seen.n[GDOI_OUT_COMMIT], commits);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_5_7_03, the_number_is_durable_before_it_counts),
		GK_RUN(rfc6407_3_3_09, a_restarted_member_does_not_go_back),
		GK_RUN(rfc6407_3_2_20, numbers_of_rekey_sas_do_not_mix),
		GK_RUN(rfc6407_5_7_03, few_rows_are_kept),
		GK_RUN(rfc6407_5_7_03, rows_that_are_none),
		GK_RUN(rfc6407_5_7_03, a_store_that_says_no_and_then_yes),
		GK_RUN(rfc8263_4_04, what_is_not_durable_is_not_acknowledged),
		GK_RUN(rfc6407_3_3_12,
		       a_registration_that_is_not_durable_is_none),
		GK_RUN(rfc6407_5_9_07,
		       what_is_deleted_is_gone_whatever_the_store_says),
	};

	return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
