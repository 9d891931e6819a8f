/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/pair.h"

#include <string.h>

/*
 * What a peer may say in phase 1, or under it, although it leads to nothing:
 * certificates and requests for them where none are needed, notifications that
 * mean nothing here.
 */
#define CERT 6 /* RFC 2408 section 3.1 */
#define CR 7
#define X509_SIGNATURE 4 /* section 3.9 */

/* One more payload at the end of a message in clear. */
static void
append(struct gk_buf *m, uint8_t type, struct gk_slice body)
{
	size_t at = 16, payload = ISAKMP_HEADER_LEN, len = 4 + body.len;
	struct gk_buf more = { 0 };

	while (m->ptr[at] != 0) {
		at = payload;
		payload +=
			(size_t)m->ptr[payload + 2] << 8 | m->ptr[payload + 3];
	}
	assert_int_equal(payload, m->len);
	gk_assert_ok(gk_buf_copy(&more, gk_buf_slice(m)));
	more.ptr[at] = type;
	gk_assert_ok(gk_buf_append(
		&more,
		(struct gk_slice){
			(uint8_t[]){ 0, 0, (uint8_t)(len >> 8), (uint8_t)len },
			4 }));
	gk_assert_ok(gk_buf_append(&more, body));
	more.ptr[26] = (uint8_t)(more.len >> 8);
	more.ptr[27] = (uint8_t)more.len;
	gk_buf_free(m);
	*m = more;
}

/* Main Mode, with that payload in its @n-th message, counted from 0. */
static enum ike_state
with_payload(unsigned n, uint8_t type, struct gk_slice body)
{
	struct pair p = { 0 };
	struct gk_buf m;
	enum ike_state state;
	struct ike *to;

	gk_assert_ok(ike_initiate(&env, &config[0], &path[0], now, &p.i));
	m = say(p.i);
	for (unsigned i = 0; m.len != 0; i++) {
		if (i == n)
			append(&m, type, body);
		to = i % 2 == 0 ? p.r : p.i;
		if (i == 0)
			gk_assert_ok(ike_respond(&env, &config[1], &path[1],
			                         gk_buf_slice(&m), now, &p.r,
			                         &why));
		else
			gk_assert_ok(hear(to, gk_buf_slice(&m)));
		gk_buf_free(&m);
		m = say(i % 2 == 0 ? p.r : p.i);
	}
	state = ike_state(p.i) == ike_state(p.r) ? ike_state(p.r) : IKE_DEAD;
	pair_free(&p);
	return state;
}

GK_TEST(rfc2408_3_9_02, a_certificate_may_come_in_any_message)
{
	struct gk_buf body = { 0 };

	gk_assert_ok(gk_buf_copy(
		&body, (struct gk_slice){ (uint8_t[]){ X509_SIGNATURE }, 1 }));
	gk_assert_ok(gk_buf_append(&body, gk_cert_der(stranger.cert)));
	/* In clear; what comes later is RFC2408-5.9-01. */
	for (unsigned n = 1; n < 4; n++) {
		configure(MODERN(PSK));
		assert_int_equal(with_payload(n, CERT, gk_buf_slice(&body)),
		                 IKE_ESTABLISHED);
		configure(MODERN(RSA));
		assert_int_equal(with_payload(n, CERT, gk_buf_slice(&body)),
		                 IKE_ESTABLISHED);
	}
	gk_buf_free(&body);
}

GK_TEST(rfc2408_5_10_02, a_request_that_nobody_can_read_asks_for_nothing)
{
	static const uint8_t garbage[] = { X509_SIGNATURE, 0x30, 0x82, 0xff,
		                           0xff,           0x00, 0xde, 0xad };

	for (unsigned n = 2; n < 4; n++) {
		configure(MODERN(RSA));
		config[0].no_cert_request = config[1].no_cert_request = true;
		assert_int_equal(
			with_payload(
				n, CR,
				(struct gk_slice){ garbage, sizeof(garbage) }),
			IKE_ESTABLISHED);
	}
}

/* Of an authority that has certified none of ours. */
GK_TEST(rfc2408_5_10_03, a_request_that_nothing_fits_asks_for_nothing)
{
	static const uint8_t name[] = { X509_SIGNATURE,
		                        0x30,
		                        0x10,
		                        0x31,
		                        0x0e,
		                        0x30,
		                        0x0c,
		                        0x06,
		                        0x03,
		                        0x55,
		                        0x04,
		                        0x03,
		                        0x0c,
		                        0x05,
		                        'O',
		                        't',
		                        'h',
		                        'e',
		                        'r' };

	for (unsigned n = 2; n < 4; n++) {
		configure(MODERN(RSA));
		config[0].no_cert_request = config[1].no_cert_request = true;
		assert_int_equal(
			with_payload(n, CR,
		                     (struct gk_slice){ name, sizeof(name) }),
			IKE_ESTABLISHED);
	}
}

/* It is told as it is, and changes nothing. */
static void
told_only(const struct isakmp_notification *n)
{
	struct ike_output out;
	struct pair p;
	struct gk_buf m;

	configure(MODERN(PSK));
	p = establish();
	gk_assert_ok(ike_notify(p.i, n, now));
	m = say(p.i);
	gk_assert_ok(hear(p.r, gk_buf_slice(&m)));
	assert_true(ike_poll(p.r, &out));
	assert_int_equal(out.kind, IKE_OUT_NOTIFIED);
	assert_int_equal(out.notification.doi, n->doi);
	assert_int_equal(out.notification.protocol, n->protocol);
	assert_int_equal(out.notification.type, n->type);
	assert_false(ike_poll(p.r, &out));
	assert_int_equal(ike_state(p.r), IKE_ESTABLISHED);
	assert_int_equal(ike_state(p.i), IKE_ESTABLISHED);
	gk_buf_free(&m);
	same_phase2(&p);
	pair_free(&p);
}

GK_TEST(rfc2408_5_14_07, a_notification_of_something_else_does_nothing)
{
	static const uint8_t spi[] = { 1, 2, 3, 4 };
	static const struct {
		uint32_t doi;
		uint8_t protocol, spi_len;
	} row[] = { { 77, 1, 0 },
		    { ISAKMP_DOI_GDOI, 9, 0 },
		    { ISAKMP_DOI_GDOI, 3, 4 } };

	for (size_t i = 0; i < GK_COUNT(row); i++)
		told_only(&(struct isakmp_notification){
			.doi = row[i].doi,
			.protocol = row[i].protocol,
			.type = ISAKMP_NOTIFY_INVALID_ID_INFORMATION,
			.spi = { spi, row[i].spi_len } });
}

GK_TEST(rfc2408_5_14_08, a_notification_of_no_known_type_does_nothing)
{
	told_only(&(struct isakmp_notification){
		.doi = ISAKMP_DOI_GDOI, .protocol = 1, .type = 5000 });
}

GK_TEST(rfc2408_3_14_04, the_spi_of_a_notification_of_isakmp_says_nothing)
{
	static const uint8_t spi[16] = "any old octets..";

	for (uint8_t len = 0; len <= 16; len += 4)
		told_only(&(struct isakmp_notification){
			.doi = ISAKMP_DOI_GDOI,
			.protocol = 1,
			.type = ISAKMP_NOTIFY_INVALID_ID_INFORMATION,
			.spi = { spi, len } });
}

/* The four octets behind the DOI of the SA payload: bit 1 is secrecy, bit 2
 * integrity. */
GK_TEST(rfc2407_4_2_2_01, the_situation_that_is_sent_is_identity_only)
{
	static const char *const value[] = { "0", "1" };

	GK_SHOWS("RFC2407-4.2.3-01");
	for (size_t i = 0; i < GK_COUNT(value); i++) {
		struct ike *initiator;
		struct gk_buf m;

		configure(MODERN(PSK));
		gk_assert_ok(gdoi_dialect_set(&dialect[0], "p1_situation",
		                              value[i]));
		gk_assert_ok(ike_initiate(&env, &config[0], &path[0], now,
		                          &initiator));
		m = say(initiator);
		assert_int_equal(m.ptr[16], 1); /* an SA payload */
		assert_int_equal(m.ptr[ISAKMP_HEADER_LEN + 8], 0);
		assert_int_equal(m.ptr[ISAKMP_HEADER_LEN + 9], 0);
		assert_int_equal(m.ptr[ISAKMP_HEADER_LEN + 10], 0);
		assert_int_equal(m.ptr[ISAKMP_HEADER_LEN + 11],
		                 value[i][0] - '0');
		gk_buf_free(&m);
		ike_free(initiator);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc2408_3_9_02, a_certificate_may_come_in_any_message),
		GK_RUN(rfc2408_5_10_02,
		       a_request_that_nobody_can_read_asks_for_nothing),
		GK_RUN(rfc2408_5_10_03,
		       a_request_that_nothing_fits_asks_for_nothing),
		GK_RUN(rfc2408_5_14_07,
		       a_notification_of_something_else_does_nothing),
		GK_RUN(rfc2408_5_14_08,
		       a_notification_of_no_known_type_does_nothing),
		GK_RUN(rfc2408_3_14_04,
		       the_spi_of_a_notification_of_isakmp_says_nothing),
		GK_RUN(rfc2407_4_2_2_01,
		       the_situation_that_is_sent_is_identity_only),
	};

	return cmocka_run_group_tests_name("gdoi/phase1_more", tests, setup,
	                                   teardown);
}
