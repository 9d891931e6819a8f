/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/nat_pair.h"

#include "gdoi/phase1/ike_private.h"

/*
 * Dead peers (RFC 3706), and messages that come twice.
 */

/* ---- dead peers --------------------------------------------------------- */

static struct pair
up_with_dpd(void)
{
	nat.there = false;
	configure(MODERN(PSK));
	config[0].dpd_s = 10;
	config[0].dpd_tries = 3;
	return up();
}

GK_TEST(rfc3706_5_4, a_silent_peer_is_asked_and_answers)
{
	struct pair p = up_with_dpd();

	for (int i = 0; i < 3; i++) {
		now.mono_ms = ike_deadline(p.i);
		gk_assert_ok(ike_tick(p.i, now));
		assert_int_equal(carry(p.i, p.r), 1);
		assert_int_equal(carry(p.r, p.i), 1);
		/* It has been heard: nothing for another ten seconds. */
		assert_int_equal(ike_deadline(p.i) - now.mono_ms, 10000);
	}
	pair_free(&p);
}

GK_TEST(rfc3706_5_4, a_peer_that_never_answers_is_dead)
{
	struct pair p = up_with_dpd();
	struct gk_buf first = { 0 };
	struct ike_output out;
	int asked = 0;

	while (ike_state(p.i) == IKE_ESTABLISHED) {
		now.mono_ms = ike_deadline(p.i);
		gk_assert_ok(ike_tick(p.i, now));
		while (ike_poll(p.i, &out)) {
			if (out.kind != IKE_OUT_SEND)
				continue;
			if (asked++ == 0)
				gk_assert_ok(gk_buf_copy(&first, out.dgram));
			/* It is the same question. */
			assert_true(gk_slice_equal(gk_buf_slice(&first),
			                           out.dgram));
		}
	}
	assert_int_equal(asked, 3);
	assert_int_equal(out.kind, IKE_OUT_PEER_DEAD);
	gk_buf_free(&first);
	pair_free(&p);
}

/* The peer is heard of before its answer comes: that is late, and right; and the
 * next question has the next number. */
GK_TEST(rfc3706_5_5, an_answer_may_be_late)
{
	const struct isakmp_notification n = { .doi = ISAKMP_DOI_GDOI,
		                               .protocol = 1,
		                               .type = 40000 };
	struct pair p = up_with_dpd();
	struct gk_buf question, answer;

	for (int i = 0; i < 2; i++) {
		now.mono_ms = ike_deadline(p.i);
		gk_assert_ok(ike_tick(p.i, now));
		question = say(p.i);
		gk_assert_ok(hear(p.r, gk_buf_slice(&question)));
		answer = say(p.r);
		gk_assert_ok(ike_notify(p.r, &n, now));
		assert_int_equal(carry(p.r, p.i), 1);
		if (i == 0)
			gk_assert_ok(hear(p.i, gk_buf_slice(&answer)));
		gk_buf_free(&question);
		gk_buf_free(&answer);
	}
	/* Never answered: it is asked again, not another one. */
	now.mono_ms = ike_deadline(p.i);
	gk_assert_ok(ike_tick(p.i, now));
	assert_int_equal(carry(p.i, p.r), 1);
	assert_int_equal(carry(p.r, p.i), 1);
	assert_int_equal(ike_deadline(p.i) - now.mono_ms, 10000);
	pair_free(&p);
}

/* An answer that got lost is given again; an old question is not answered. */
GK_TEST(rfc3706_5_5, questions_that_were_recorded_prove_nothing)
{
	struct pair p = up_with_dpd();
	struct gk_buf old, answer;
	struct ike_output out;

	now.mono_ms = ike_deadline(p.i);
	gk_assert_ok(ike_tick(p.i, now));
	old = say(p.i);
	for (int i = 0; i < 2; i++) {
		gk_assert_ok(hear(p.r, gk_buf_slice(&old)));
		answer = say(p.r);
		assert_true(answer.len != 0);
		if (i == 0)
			gk_assert_ok(hear(p.i, gk_buf_slice(&answer)));
		else /* nobody waits for it any more */
			gk_assert_err(GK_ERR_REPLAY,
			              hear(p.i, gk_buf_slice(&answer)));
		gk_buf_free(&answer);
	}
	now.mono_ms = ike_deadline(p.i);
	gk_assert_ok(ike_tick(p.i, now));
	assert_int_equal(carry(p.i, p.r), 1);
	gk_assert_err(GK_ERR_REPLAY, hear(p.r, gk_buf_slice(&old)));
	assert_true(ike_poll(p.r, &out));
	assert_string_equal(out.why.req, "RFC3706-5.5-01");
	gk_buf_free(&old);
	pair_free(&p);
}

/* ---- twice -------------------------------------------------------------- */

GK_TEST(rfc2408_5_2_07, an_informational_that_comes_again_is_refused)
{
	const struct isakmp_delete d = { .doi = ISAKMP_DOI_GDOI,
		                         .protocol = 1,
		                         .spi_size = 4,
		                         .count = 1,
		                         .spis = gk_slice_str("SPI1") };
	struct ike_output out;
	struct gk_buf m;
	struct pair p;

	configure(MODERN(PSK));
	p = establish();
	gk_assert_ok(ike_delete_other(p.i, &d, now));
	m = say(p.i);
	gk_assert_ok(hear(p.r, gk_buf_slice(&m)));
	assert_true(ike_poll(p.r, &out));
	assert_int_equal(out.kind, IKE_OUT_DELETE_OTHER);
	assert_memory_equal(out.del.spis.ptr, "SPI1", 4);
	gk_assert_err(GK_ERR_REPLAY, hear(p.r, gk_buf_slice(&m)));
	assert_true(ike_poll(p.r, &out));
	assert_string_equal(out.why.req, "RFC2408-5.2-07");
	assert_false(ike_poll(p.r, &out));
	gk_buf_free(&m);
	pair_free(&p);
}

GK_TEST(rfc2408_3_1_16, a_message_id_is_taken_once)
{
	uint32_t id;
	struct pair p;

	configure(MODERN(PSK));
	config[0].message_ids = 100;
	p = establish();
	gk_assert_err(GK_ERR_REPLAY, ike_message_id_take(p.i, 0));
	for (uint32_t i = 1; i < 100; i++)
		gk_assert_ok(ike_message_id_take(p.i, i * 2654435761U));
	for (uint32_t i = 1; i < 100; i++)
		gk_assert_err(GK_ERR_REPLAY,
		              ike_message_id_take(p.i, i * 2654435761U));
	gk_assert_ok(ike_message_id_new(p.i, &id));
	gk_assert_err(GK_ERR_REPLAY, ike_message_id_take(p.i, id));
	/* It is full; it does not forget. */
	gk_assert_err(GK_ERR_SPACE, ike_message_id_take(p.i, 77));
	gk_assert_err(GK_ERR_REPLAY, ike_message_id_take(p.i, id));
	pair_free(&p);
}

/* An SA that cannot remember any more says good-bye. */
GK_TEST(rfc2408_3_1_16, an_sa_whose_memory_is_full_ends)
{
	const struct isakmp_notification n = { .doi = 2,
		                               .protocol = 1,
		                               .type = 40000 };
	struct ike_output out;
	struct pair p;
	bool deleted = false;

	configure(MODERN(PSK));
	config[1].message_ids = 2;
	nat.there = false;
	p = establish();
	for (int i = 0; i < 3; i++) {
		gk_assert_ok(ike_notify(p.i, &n, now));
		(void)carry(p.i, p.r);
	}
	assert_int_equal(ike_state(p.r), IKE_DEAD);
	(void)carry(p.r, p.i);
	assert_int_equal(ike_state(p.i), IKE_DEAD);
	while (ike_poll(p.i, &out))
		deleted = deleted || out.kind == IKE_OUT_DELETED;
	assert_true(deleted);
	pair_free(&p);
}

/* Before the SA is there a refusal under its keys is reported, and no more. */
GK_TEST(rfc2408_5_14_04, a_peer_that_will_not_go_on_is_heard)
{
	struct ike_output out;
	struct gk_buf m;
	struct pair p = { 0 };
	struct isakmp_header h;
	uint8_t clear[ISAKMP_HEADER_LEN + 12] = { 0 };
	struct gk_wr wr;

	configure(MODERN(PSK));
	gk_assert_ok(ike_initiate(&env, &config[0], &path[0], now, &p.i));
	m = say(p.i);
	gk_buf_free(&m);
	h = ike_header(p.i, ISAKMP_EXCHANGE_INFORMATIONAL, 5);
	h.cookie_r[0] = 1;
	h.next_payload = ISAKMP_PAYLOAD_NOTIFICATION;
	h.length = sizeof(clear);
	gk_wr_init(&wr, clear, sizeof(clear));
	isakmp_header_encode(&wr, &h);
	memcpy(clear + ISAKMP_HEADER_LEN,
	       (uint8_t[]){ 0, 0, 0, 12, 0, 0, 0, 2, 1, 0, 0, 14 }, 12);
	gk_assert_ok(hear(p.i, (struct gk_slice){ clear, sizeof(clear) }));
	assert_true(ike_poll(p.i, &out));
	assert_int_equal(out.kind, IKE_OUT_NOTIFIED);
	assert_int_equal(out.notification.type,
	                 ISAKMP_NOTIFY_NO_PROPOSAL_CHOSEN);
	assert_false(out.under_sa);
	assert_int_equal(ike_state(p.i), IKE_I_SA);
	pair_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc3706_5_4, a_silent_peer_is_asked_and_answers),
		GK_RUN(rfc3706_5_4, a_peer_that_never_answers_is_dead),
		GK_RUN(rfc3706_5_5, an_answer_may_be_late),
		GK_RUN(rfc3706_5_5, questions_that_were_recorded_prove_nothing),
		GK_RUN(rfc2408_5_2_07,
		       an_informational_that_comes_again_is_refused),
		GK_RUN(rfc2408_3_1_16, a_message_id_is_taken_once),
		GK_RUN(rfc2408_3_1_16, an_sa_whose_memory_is_full_ends),
		GK_RUN(rfc2408_5_14_04, a_peer_that_will_not_go_on_is_heard),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
