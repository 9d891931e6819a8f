/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/pair.h"

#include "gdoi/isakmp/delete.h"

/*
 * RFC 6407 section 7.1.4: what we say under an SA comes back to us.  It is genuine,
 * and nobody's but ours: it is no sign of life, and changes nothing.
 */
static void
refused(struct ike *ike, struct gk_slice dgram, const char *req)
{
	struct ike_output out;
	bool seen = false;

	gk_assert_err(GK_ERR_REPLAY, hear(ike, dgram));
	while (ike_poll(ike, &out)) {
		assert_int_equal(out.kind, IKE_OUT_REFUSED);
		assert_string_equal(out.why.req, req);
		seen = true;
	}
	assert_true(seen);
}

GK_TEST(rfc2408_5_2_07, a_notification_of_ours)
{
	const struct isakmp_notification n = { .doi = ISAKMP_DOI_GDOI,
		                               .protocol = 1,
		                               .type = 40000 };
	struct pair p;
	struct gk_buf m;

	configure(MODERN(PSK));
	p = establish();
	for (int i = 0; i < 2; i++) {
		struct ike *ours = i == 0 ? p.i : p.r;

		gk_assert_ok(ike_notify(ours, &n, now));
		m = say(ours);
		refused(ours, gk_buf_slice(&m), "RFC2408-5.2-07");
		gk_assert_ok(hear(i == 0 ? p.r : p.i, gk_buf_slice(&m)));
		gk_buf_free(&m);
	}
	pair_free(&p);
}

GK_TEST(rfc2408_5_2_07, a_delete_of_ours)
{
	static const uint8_t spi[16] = { 1 };
	const struct isakmp_delete d = { .doi = ISAKMP_DOI_GDOI,
		                         .protocol = 6,
		                         .spi_size = sizeof(spi),
		                         .count = 1,
		                         .spis = { spi, sizeof(spi) } };
	struct pair p;
	struct gk_buf m;

	configure(MODERN(PSK));
	p = establish();
	gk_assert_ok(ike_delete_other(p.i, &d, now));
	m = say(p.i);
	refused(p.i, gk_buf_slice(&m), "RFC2408-5.2-07");
	gk_buf_free(&m);
	pair_free(&p);
}

/* A dead peer stays dead, whoever echoes our questions. */
GK_TEST(rfc3706_5_5_01, a_question_of_ours)
{
	struct pair p;
	int asked = 0;

	configure(MODERN(PSK));
	config[0].dpd_s = 10;
	config[0].dpd_tries = 3;
	p = establish();
	while (ike_state(p.i) == IKE_ESTABLISHED && asked < 10) {
		struct gk_buf m;

		now.mono_ms = ike_deadline(p.i);
		gk_assert_ok(ike_tick(p.i, now));
		m = say(p.i);
		if (m.len == 0)
			break;
		asked++;
		refused(p.i, gk_buf_slice(&m), "RFC3706-5.5-01");
		gk_buf_free(&m);
	}
	assert_int_equal(asked, 3);
	assert_int_equal(ike_state(p.i), IKE_DEAD);
	pair_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc2408_5_2_07, a_notification_of_ours),
		GK_RUN(rfc2408_5_2_07, a_delete_of_ours),
		GK_RUN(rfc3706_5_5_01, a_question_of_ours),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
