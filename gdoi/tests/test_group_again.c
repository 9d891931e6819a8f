/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/group_world.h"

#include <limits.h>
#include <string.h>

/* What a group does once more, and how often: after a restart, after a failure. */
static struct gw w;

GK_TEST(rfc6407_4_3_05, what_a_restart_repeats_is_no_rekey)
{
	struct gdoi_group_status before, after;

	gw_init(&w, 3);
	gw_open_with(&w, 3);
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
	assert_int_equal(w.count[GDOI_OUT_REKEYED], 1);
	assert_int_equal(w.count[GDOI_OUT_SENT_AGAIN], 0);
	gdoi_group_status(w.group, &before);
	gw_restart(&w);
	gw_after(&w, 2);
	assert_int_equal(w.count[GDOI_OUT_REKEYED], 1);
	assert_int_equal(w.count[GDOI_OUT_SENT_AGAIN], 1);
	gdoi_group_status(w.group, &after);
	assert_int_equal(after.pushes, 0);
	assert_int_equal(after.last_rekey_utc, before.last_rekey_utc);
	/* The next one is. */
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
	assert_int_equal(w.count[GDOI_OUT_REKEYED], 2);
	assert_int_equal(w.count[GDOI_OUT_SENT_AGAIN], 1);
	gw_free(&w);
}

/* How often it is called within @ms, by its own deadline alone; each call fails. */
static unsigned
turns(unsigned ms)
{
	uint64_t end = w.now.mono_ms + ms, at;
	unsigned n = 0;

	while ((at = gdoi_group_deadline(w.group)) <= end && n < 1000) {
		if (at > w.now.mono_ms) {
			w.now.utc_s +=
				(int64_t)(at / 1000 - w.now.mono_ms / 1000);
			w.now.mono_ms = at;
		}
		if (gdoi_group_tick(w.group, w.now) != GK_OK)
			n++;
		gw_drain(&w);
	}
	return n;
}

GK_TEST(rfc6407_7_4_2_02, a_rekey_that_cannot_be_made_is_tried_again_later)
{
	size_t had;

	gw_init(&w, 2);
	w.template.rekey.interval_s = 60;
	gw_open_with(&w, 2);
	gw_after(&w, 59);
	had = w.member[0].n_teks;
	gw_random_left = 0;
	assert_in_range(turns(10000), 5, 11);
	assert_int_equal(w.member[0].n_teks, had);
	gw_random_left = UINT_MAX;
	gw_after(&w, 2);
	assert_int_equal(w.member[0].n_teks, had + 1);
	assert_int_equal(gw_readers(&w), 2);
	/* And the timer has its pace again. */
	gw_after(&w, 61);
	assert_int_equal(w.member[0].n_teks, had + 2);
	gw_free(&w);
}

GK_TEST(rfc6407_3_5_11, nor_does_a_reset_of_sender_ids_spin)
{
	gw_init(&w, 3);
	w.cfg.sender_last = 1;
	gw_open(&w);
	for (size_t i = 0; i < 2; i++)
		gk_assert_ok(gw_register(&w, &w.member[i]));
	gk_assert_err(GK_ERR_REPLAY, gw_register(&w, &w.member[2]));
	gw_random_left = 0;
	assert_in_range(turns(5000), 3, 6);
	gw_random_left = UINT_MAX;
	gw_after(&w, 2);
	for (size_t i = 0; i < 2; i++)
		gk_assert_ok(gw_register(&w, &w.member[i]));
	assert_int_equal(w.member[0].sid[0], 0);
	gw_free(&w);
}

#define SEQ_AT 17 /* of the row of a Rekey SA */

static void
count_on(uint32_t sequence)
{
	for (size_t i = 0; i < w.n_rows; i++)
		if (strcmp(w.row[i].table, "gdoi-kek") == 0)
			for (int k = 0; k < 4; k++)
				w.row[i].value.ptr[SEQ_AT + k] =
					(uint8_t)(sequence >> (24 - 8 * k));
	gw_restart(&w);
	w.member[0].kek[0].sequence = w.member[1].kek[0].sequence = sequence;
}

/* A number is used once, and a group does not end with them. */
GK_TEST(rfc6407_5_7_02, before_sequence_numbers_run_out_there_is_another_kek)
{
	struct gdoi_group_status s;
	uint8_t kek[16];

	gw_init(&w, 3);
	w.template.rekey.resend_count = 0;
	gw_open_with(&w, 3);
	count_on(UINT32_MAX - 2);
	gdoi_group_status(w.group, &s);
	assert_int_equal(s.kek.sequence, UINT32_MAX - 2);
	memcpy(kek, s.kek.spi, 16);
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
	gdoi_group_status(w.group, &s);
	assert_memory_not_equal(kek, s.kek.spi, 16);
	assert_int_equal(s.kek.sequence, 1);
	assert_true(gw_can_read(&w, &w.member[0]));
	gk_assert_ok(gw_evict(&w, &w.member[1]));
	assert_false(gw_can_read(&w, &w.member[1]));
	assert_true(gw_can_read(&w, &w.member[0]));
	gw_free(&w);
}

/* Before the others have heard of the joins: it gets the KEK to come, and whoever
 * comes after it must not change a key that it was given. */
GK_TEST(rfc6407_7_4_2_01, who_registers_again_within_the_join_window_reads_on)
{
	for (size_t again = 1; again < 7; again++) {
		gw_init(&w, 9);
		w.template.rekey.backward = true;
		w.cfg.join_window_ms = 5000;
		gw_open(&w);
		for (size_t i = 0; i < 7; i++)
			gk_assert_ok(gw_register(&w, &w.member[i]));
		gw_after(&w, 6);
		gk_assert_ok(gw_evict(&w, &w.member[0]));
		gw_after(&w, 1);
		gk_assert_ok(gw_register(&w, &w.member[7]));
		gk_assert_ok(gw_register(&w, &w.member[again]));
		assert_memory_equal(w.member[again].kek[0].sak.spi,
		                    w.member[7].kek[0].sak.spi, 16);
		gw_restart(&w);
		gk_assert_ok(gw_register(&w, &w.member[8]));
		gk_assert_ok(gw_evict(&w, &w.member[7]));
		gw_after(&w, 6);
		assert_false(gw_can_read(&w, &w.member[7]));
		assert_int_equal(gw_readers(&w), 7);
		gw_free(&w);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_4_3_05, what_a_restart_repeats_is_no_rekey),
		GK_RUN(rfc6407_7_4_2_02,
		       a_rekey_that_cannot_be_made_is_tried_again_later),
		GK_RUN(rfc6407_5_7_02,
		       before_sequence_numbers_run_out_there_is_another_kek),
		GK_RUN(rfc6407_7_4_2_01,
		       who_registers_again_within_the_join_window_reads_on),
		GK_RUN(rfc6407_3_5_11, nor_does_a_reset_of_sender_ids_spin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
