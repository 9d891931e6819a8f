/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/gk_time.h"
#include "gsakmp/engine/freshness.h"
#include "gsakmp/engine/gm_state.h"
#include "gsakmp/engine/member.h"
#include "gsakmp/engine/session.h"

/* The state tables as a whole, and the small parts that keep sessions honest. */

#define NO (-1)

GK_TEST(rfc4535_8_01, every_session_state_and_event)
{
	/* rows: NONE RESPONSE LATE DEPART; columns: RTJ ACK NACK TIMEOUT RTD
	 * EVICTED */
	static const int want[4][6] = {
		{ GSAKMP_SESSION_RESPONSE, NO, NO, NO, GSAKMP_SESSION_DEPART,
		  NO },
		{ NO, GSAKMP_SESSION_NONE, GSAKMP_SESSION_LATE,
		  GSAKMP_SESSION_LATE, NO, GSAKMP_SESSION_NONE },
		{ GSAKMP_SESSION_RESPONSE, GSAKMP_SESSION_NONE, NO, NO,
		  GSAKMP_SESSION_DEPART, GSAKMP_SESSION_NONE },
		{ GSAKMP_SESSION_RESPONSE, GSAKMP_SESSION_NONE,
		  GSAKMP_SESSION_NONE, GSAKMP_SESSION_NONE,
		  GSAKMP_SESSION_DEPART, GSAKMP_SESSION_NONE },
	};

	for (int from = 0; from < 4; from++)
		for (int on = 0; on < 6; on++) {
			enum gsakmp_session_state to = GSAKMP_SESSION_LATE;
			enum gk_err err = gsakmp_session_next(
				(enum gsakmp_session_state)from,
				(enum gsakmp_session_event)on, &to);

			gk_assert_err(want[from][on] == NO ? GK_ERR_UNEXPECTED
			                                   : GK_OK,
			              err);
			if (err == GK_OK)
				assert_int_equal((int)to, want[from][on]);
		}
}

GK_TEST(rfc4535_8_02, every_member_state_and_event)
{
	/* rows: IDLE JOINING MEMBER REJOINING DEPARTING; columns: JOIN LEAVE
	 * DEREGISTER RESEND KEYDL FAILED MANAGEMENT STALE OUT DEPARTED STAY */
	enum {
		I = GSAKMP_GM_IDLE,
		J = GSAKMP_GM_JOINING,
		M = GSAKMP_GM_MEMBER,
		R = GSAKMP_GM_REJOINING,
		D = GSAKMP_GM_DEPARTING
	};
	static const int want[5][11] = {
		{ J, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO },
		{ NO, I, NO, J, M, I, NO, NO, NO, NO, NO },
		{ NO, I, D, NO, NO, NO, M, R, I, NO, NO },
		{ NO, I, NO, R, M, I, R, NO, I, NO, NO },
		{ NO, I, NO, D, NO, I, D, NO, I, I, M },
	};

	for (int from = 0; from < 5; from++)
		for (int on = 0; on < 11; on++) {
			enum gsakmp_gm_state to = GSAKMP_GM_IDLE;
			enum gk_err err =
				gsakmp_gm_next((enum gsakmp_gm_state)from,
			                       (enum gsakmp_gm_event)on, &to);

			gk_assert_err(want[from][on] == NO ? GK_ERR_UNEXPECTED
			                                   : GK_OK,
			              err);
			if (err == GK_OK)
				assert_int_equal((int)to, want[from][on]);
		}
}

GK_TEST(rfc4535_3_1_02, skew_counts_both_ways)
{
	uint8_t t[GK_ZULU_LEN];
	const struct gk_slice s = { t, sizeof(t) };

	gk_zulu_format(1000000, t);
	assert_true(gsakmp_time_fresh(s, 1000000, 300));
	assert_true(gsakmp_time_fresh(s, 1000300, 300));
	assert_true(gsakmp_time_fresh(s, 999700, 300));
	assert_false(gsakmp_time_fresh(s, 1000301, 300));
	assert_false(gsakmp_time_fresh(s, 999699, 300));
	t[4] = '9'; /* month 9x: no date */
	assert_false(gsakmp_time_fresh(s, 1000000, 300));
}

static void
tag_of(uint32_t n, uint8_t tag[GSAKMP_REPLAY_TAG_LEN])
{
	const struct gk_slice who = gk_slice_str("somebody");

	gk_assert_ok(gsakmp_replay_tag(
		who, (struct gk_slice){ (const uint8_t *)&n, sizeof(n) }, tag));
}

GK_TEST(rfc4535_3_1_04, nonces_are_remembered_for_their_time_and_no_longer)
{
	uint8_t tag[GSAKMP_REPLAY_TAG_LEN];
	struct gsakmp_replay *r;

	gk_assert_ok(gsakmp_replay_new(5000, &r));
	for (uint32_t i = 0; i < 5000; i++) {
		tag_of(i, tag);
		gk_assert_ok(gsakmp_replay_add(r, tag, i, i + 10000));
	}
	for (uint32_t i = 0; i < 5000; i++) {
		tag_of(i, tag);
		assert_true(gsakmp_replay_seen(r, tag));
		gk_assert_err(GK_ERR_REPLAY,
		              gsakmp_replay_add(r, tag, 5000, 15000));
	}
	/* full of what must not be forgotten: nothing more is taken */
	tag_of(5000, tag);
	gk_assert_err(GK_ERR_SPACE, gsakmp_replay_add(r, tag, 9999, 20000));
	/* half an age later half of them are gone */
	gk_assert_ok(gsakmp_replay_add(r, tag, 12500, 22500));
	tag_of(2400, tag);
	assert_false(gsakmp_replay_seen(r, tag));
	tag_of(2600, tag);
	assert_true(gsakmp_replay_seen(r, tag));
	gsakmp_replay_free(r);
}

/* Clocks may be further apart than before, and again, and again. */
GK_TEST(rfc4535_3_1_04, what_is_remembered_longer_is_not_for_ever)
{
	uint8_t first[GSAKMP_REPLAY_TAG_LEN], tag[GSAKMP_REPLAY_TAG_LEN];
	struct gsakmp_replay *r;

	gk_assert_ok(gsakmp_replay_new(1000, &r));
	tag_of(1, first);
	gk_assert_ok(gsakmp_replay_add(r, first, 0, 1000));
	gsakmp_replay_extend(r, 4000, 6000);
	tag_of(2, tag);
	gk_assert_ok(gsakmp_replay_add(r, tag, 4999, 5999));
	assert_true(gsakmp_replay_seen(r, first));
	for (unsigned i = 0; i < 100; i++)
		gsakmp_replay_extend(r, 4000, 7000);
	tag_of(3, tag);
	gk_assert_ok(gsakmp_replay_add(r, tag, 6999, 20000));
	assert_true(gsakmp_replay_seen(r, first));
	tag_of(4, tag);
	gk_assert_ok(gsakmp_replay_add(r, tag, 7000, 8000));
	assert_false(gsakmp_replay_seen(r, first));
	/* What was for longer is not for less. */
	gsakmp_replay_extend(r, 4000, 9000);
	tag_of(5, tag);
	gk_assert_ok(gsakmp_replay_add(r, tag, 19999, 20001));
	tag_of(3, tag);
	assert_true(gsakmp_replay_seen(r, tag));
	gsakmp_replay_free(r);
}

static struct gsakmp_session *
session(const char *name)
{
	struct gsakmp_session *s = calloc(1, sizeof(*s));

	s->id_type = GSAKMP_ID_FQDN;
	gk_assert_ok(gk_buf_copy(&s->key, gk_slice_str(name)));
	gk_assert_ok(gk_buf_copy(&s->signer_id, gk_slice_str(name)));
	return s;
}

GK_TEST(rfc4535_5_2_1_1_21, sessions_are_found_by_name_and_come_due_in_order)
{
	struct gsakmp_sessions *all = calloc(1, sizeof(*all));
	struct gsakmp_session *a = session("a"), *b = session("b"),
			      *c = session("c");

	gsakmp_session_add(all, a);
	gsakmp_session_add(all, b);
	gsakmp_session_add(all, c);
	gsakmp_session_arm(all, a, 30);
	gsakmp_session_arm(all, b, 10);
	gsakmp_session_arm(all, c, 20);
	assert_ptr_equal(all->first, b);
	assert_ptr_equal(gsakmp_session_find(all, gk_slice_str("c")), c);
	assert_ptr_equal(gsakmp_session_find_signer(all, GSAKMP_ID_FQDN,
	                                            gk_slice_str("a")),
	                 a);
	assert_null(gsakmp_session_find_signer(all, GSAKMP_ID_DN_STRING,
	                                       gk_slice_str("a")));
	gsakmp_session_arm(all, b, 40);
	assert_ptr_equal(all->first, c);
	assert_ptr_equal(all->last, b);
	gsakmp_session_drop(all, c);
	assert_ptr_equal(all->first, a);
	assert_int_equal(all->count, 2);
	assert_int_equal(all->n_queued, 2);
	gsakmp_session_arm(all, a, GK_NEVER);
	assert_int_equal(all->n_queued, 1);
	gsakmp_sessions_clear(all);
	assert_int_equal(all->count, 0);
	assert_null(all->first);
	free(all);
}

GK_TEST(rfc4535_5_2_1_1_15, member_record_survives_and_garbage_does_not)
{
	const struct gk_slice name = gk_slice_str("dn:CN=b");
	struct gsakmp_member_info info = { .id_type = GSAKMP_ID_DN_STRING,
		                           .rtj_utc = -5,
		                           .n_ca = 2 },
				  back;
	struct gk_buf blob = { 0 };

	gk_assert_ok(gk_buf_copy(&info.der, gk_slice_str("a certificate")));
	gk_assert_ok(gk_buf_copy(&info.signer_id, gk_slice_str("CN=a")));
	gk_assert_ok(gk_buf_copy(&info.ca[0], gk_slice_str("ca one")));
	gk_assert_ok(gk_buf_copy(&info.ca[1], gk_slice_str("ca two")));
	gk_assert_ok(gsakmp_member_info_encode(&info, name, &blob));
	gk_assert_ok(
		gsakmp_member_info_decode(name, gk_buf_slice(&blob), &back));
	assert_true(gk_slice_equal(gk_buf_slice(&back.der),
	                           gk_slice_str("a certificate")));
	assert_true(gk_slice_equal(gk_buf_slice(&back.signer_id),
	                           gk_slice_str("CN=a")));
	assert_int_equal(back.rtj_utc, -5);
	assert_int_equal(back.n_ca, 2);
	assert_true(gk_slice_equal(gk_buf_slice(&back.ca[1]),
	                           gk_slice_str("ca two")));
	gsakmp_member_info_free(&back);
	for (size_t n = 0; n < blob.len; n++) {
		assert_int_not_equal(
			gsakmp_member_info_decode(
				name, (struct gk_slice){ blob.ptr, n }, &back),
			GK_OK);
		gsakmp_member_info_free(&back);
	}
	gsakmp_member_info_free(&info);
	gk_buf_free(&blob);
}

/* The usual case: there may be a million of them. */
static void
short_record(struct gk_slice name, size_t len)
{
	struct gsakmp_member_info info = { .id_type = GSAKMP_ID_DN_STRING,
		                           .rtj_utc = 7,
		                           .chain = 3 },
				  back;
	struct gk_buf blob = { 0 };

	gk_assert_ok(gk_buf_copy(&info.signer_id, gk_slice_str("CN=alice")));
	gk_assert_ok(gk_buf_copy(&info.ca[0], gk_slice_str("ca one")));
	info.n_ca = 1;
	gk_assert_ok(gsakmp_member_info_encode(&info, name, &blob));
	assert_int_equal(blob.len, len);
	gk_assert_ok(
		gsakmp_member_info_decode(name, gk_buf_slice(&blob), &back));
	assert_true(gk_slice_equal(gk_buf_slice(&back.signer_id),
	                           gk_slice_str("CN=alice")));
	assert_int_equal(back.rtj_utc, 7);
	assert_int_equal(back.chain, 3);
	assert_int_equal(back.n_ca, 0);
	assert_int_equal(back.der.len, 0);
	gsakmp_member_info_free(&back);
	gk_assert_err(len == 15 ? GK_ERR_VALUE : GK_OK,
	              gsakmp_member_info_decode(gk_slice_str("CN=al"),
	                                        gk_buf_slice(&blob), &back));
	gsakmp_member_info_free(&back);
	gsakmp_member_info_free(&info);
	gk_buf_free(&blob);
}

GK_TEST(rfc4535_5_2_1_1_15, member_record_is_short)
{
	short_record(gk_slice_str("dn:CN=alice"), 15);
	short_record(gk_slice_str("dn:CN=Alice"), 15 + 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_8_01, every_session_state_and_event),
		GK_RUN(rfc4535_8_02, every_member_state_and_event),
		GK_RUN(rfc4535_3_1_02, skew_counts_both_ways),
		GK_RUN(rfc4535_3_1_04,
		       nonces_are_remembered_for_their_time_and_no_longer),
		GK_RUN(rfc4535_3_1_04,
		       what_is_remembered_longer_is_not_for_ever),
		GK_RUN(rfc4535_5_2_1_1_21,
		       sessions_are_found_by_name_and_come_due_in_order),
		GK_RUN(rfc4535_5_2_1_1_15, member_record_is_short),
		GK_RUN(rfc4535_5_2_1_1_15,
		       member_record_survives_and_garbage_does_not),
	};

	return cmocka_run_group_tests_name("gsakmp/session", tests, NULL, NULL);
}
