/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/daemon/gkd_resend.h"
#include "common/test/gk_test.h"

/* What a sender saw, as text: "a1 " is message a to place 1, "A1 " a copy. */
struct seen {
	char text[1024];
	bool away; /* nothing leaves */
};

static bool
send_one(void *arg, struct gk_slice to, struct gk_slice dgram, bool again)
{
	struct seen *s = arg;
	size_t n = strlen(s->text);

	assert_int_equal(to.len, 1);
	assert_int_equal(dgram.len, 1);
	if (s->away)
		return false;
	assert_true(n + 4 < sizeof(s->text));
	s->text[n++] = (char)(again ? dgram.ptr[0] - 'a' + 'A' : dgram.ptr[0]);
	s->text[n++] = (char)to.ptr[0];
	s->text[n++] = ' ';
	s->text[n] = '\0';
	return true;
}

static void
run_until(struct gkd_loop *loop, const struct seen *s, size_t len)
{
	while (strlen(s->text) < len)
		gk_assert_ok(gkd_loop_once(loop, true));
}

#define SPACING_MS 50

/* Who is second has his copy before the first one has his second: as long as less
 * than the spacing has passed from the one to the other. */
GK_TEST(daemon_resend, copies_follow_in_order)
{
	struct gkd_loop *loop = gkd_loop_new();
	struct seen s = { "", false };
	const struct gkd_resend_ops ops = { send_one, &s };
	struct gkd_resends *r = gkd_resends_new(loop, &ops);
	uint64_t began;

	do {
		gkd_resends_drop(r);
		s.text[0] = '\0';
		began = gkd_now().mono_ms;
		gkd_resends_send(r, gk_slice_str("1"), gk_slice_str("a"), 2,
		                 SPACING_MS);
		gkd_resends_send(r, gk_slice_str("2"), gk_slice_str("b"), 0,
		                 SPACING_MS);
		gkd_resends_send(r, gk_slice_str("3"), gk_slice_str("c"), 1,
		                 SPACING_MS);
	} while (gkd_now().mono_ms - began >= SPACING_MS);
	assert_string_equal(s.text, "a1 b2 c3 ");
	run_until(loop, &s, 18);
	assert_string_equal(s.text, "a1 b2 c3 A1 C3 A1 ");
	gkd_resends_free(r);
	gkd_loop_free(loop);
}

GK_TEST(daemon_resend, what_did_not_leave_is_owed)
{
	struct gkd_loop *loop = gkd_loop_new();
	struct seen s = { "", true };
	const struct gkd_resend_ops ops = { send_one, &s };
	struct gkd_resends *r = gkd_resends_new(loop, &ops);

	gkd_resends_send(r, gk_slice_str("1"), gk_slice_str("a"), 0, 3600000);
	gkd_resends_send(r, gk_slice_str("1"), gk_slice_str("b"), 0, 3600000);
	assert_string_equal(s.text, "");
	s.away = false;
	gkd_resends_hurry(r);
	run_until(loop, &s, 6);
	assert_string_equal(s.text, "A1 B1 ");
	gkd_resends_free(r);
	gkd_loop_free(loop);
}

GK_TEST(daemon_resend, the_oldest_makes_room_and_all_can_be_dropped)
{
	struct gkd_loop *loop = gkd_loop_new();
	struct seen s = { "", true };
	const struct gkd_resend_ops ops = { send_one, &s };
	struct gkd_resends *r = gkd_resends_new(loop, &ops);

	gkd_resends_send(r, gk_slice_str("1"), gk_slice_str("a"), 0, 3600000);
	for (int i = 0; i < GKD_RESENDS_MAX; i++)
		gkd_resends_send(r, gk_slice_str("1"), gk_slice_str("b"), 0,
		                 3600000);
	s.away = false;
	gkd_resends_hurry(r);
	run_until(loop, &s, 3 * GKD_RESENDS_MAX);
	assert_null(strchr(s.text, 'A'));
	s.text[0] = '\0';
	gkd_resends_send(r, gk_slice_str("1"), gk_slice_str("c"), 1, 0);
	gkd_resends_drop(r);
	gkd_resends_send(r, gk_slice_str("1"), gk_slice_str("d"), 1, 0);
	run_until(loop, &s, 9);
	assert_string_equal(s.text, "c1 d1 D1 ");
	gkd_resends_free(r);
	gkd_loop_free(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(daemon_resend, copies_follow_in_order),
		GK_RUN(daemon_resend, what_did_not_leave_is_owed),
		GK_RUN(daemon_resend,
		       the_oldest_makes_room_and_all_can_be_dropped),
	};

	return cmocka_run_group_tests_name("common/daemon/resend", tests, NULL,
	                                   NULL);
}
