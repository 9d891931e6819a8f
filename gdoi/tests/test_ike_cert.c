/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/pair.h"

/*
 * Certificates of phase 1: requests, chains, revocation; values of a Diffie-
 * Hellman exchange that must not be taken.
 */
static struct gk_pki_party middle, below, other;
static struct ike_credential many[2];

static struct gk_pki_party *const extra[] = { &middle, &below, &other };

static int
set_up_more(void **state)
{
	int err = setup(state);

	gk_pki_make(&middle,
	            &(struct gk_pki_spec){ .subject = "/CN=middle",
	                                   .alg = GK_PKI_P256,
	                                   .slot = 1,
	                                   .issuer = &root,
	                                   .constraints = "critical,CA:TRUE" });
	gk_pki_make(&below, &(struct gk_pki_spec){ .subject = "/CN=member",
	                                           .alg = GK_PKI_RSA2048,
	                                           .slot = 0,
	                                           .issuer = &middle,
	                                           .san = "IP:10.0.0.1" });
	gk_pki_make(&other, &(struct gk_pki_spec){ .subject = "/CN=member",
	                                           .alg = GK_PKI_RSA2048,
	                                           .slot = 0,
	                                           .issuer = &other_root,
	                                           .san = "IP:10.0.0.1" });
	return err;
}

static int
tear_down_more(void **state)
{
	for (size_t i = 0; i < GK_COUNT(extra); i++)
		gk_pki_free(extra[i]);
	return teardown(state);
}

/* Of the two certificates of the initiator the wrong one comes first. */
static void
two_credentials(void)
{
	many[0] = (struct ike_credential){
		.signer = other.signer,
		.certs = (const struct gk_cert *const *)&other.cert,
		.n_certs = 1,
	};
	many[1] = credential[0];
	config[0].credentials = many;
	config[0].n_credentials = 2;
}

static enum ike_state
outcome(struct ike_config *initiator)
{
	struct pair p = { 0 };
	struct gk_buf m;
	enum ike_state state;
	struct ike *to;

	gk_assert_ok(ike_initiate(&env, initiator, &path[0], now, &p.i));
	m = say(p.i);
	gk_assert_ok(ike_respond(&env, &config[1], &path[1], gk_buf_slice(&m),
	                         now, &p.r, &why));
	for (to = p.i; m.len != 0; to = to == p.i ? p.r : p.i) {
		gk_buf_free(&m);
		m = say(to == p.i ? p.r : p.i);
		if (m.len != 0 && hear(to, gk_buf_slice(&m)) != GK_OK) {
			struct ike_output out;

			assert_true(ike_poll(to, &out));
			why = out.why;
			break;
		}
	}
	gk_buf_free(&m);
	state = ike_state(p.r);
	pair_free(&p);
	return state;
}

GK_TEST(rfc2408_5_10_01, a_certificate_request_picks_the_certificate)
{
	GK_SHOWS("RFC2408-3.10-02", "RFC2408-3.10-03", "RFC2409-5-14",
	         "RFC2408-5.9-01");
	for (int aggressive = 0; aggressive < 2; aggressive++) {
		configure(MODERN(RSA));
		config[0].aggressive = config[1].aggressive = aggressive;
		two_credentials();
		assert_int_equal(outcome(&config[0]), IKE_ESTABLISHED);
		/* Unasked, the first one is sent. */
		config[1].no_cert_request = true;
		assert_true(outcome(&config[0]) != IKE_ESTABLISHED);
		assert_string_equal(why.req, "RFC2408-5.9-02");
	}
}

/* Of the right authority, but no key for what was negotiated. */
GK_TEST(rfc2408_5_10_01, a_key_of_another_kind_is_not_picked)
{
	configure(MODERN(RSA));
	two_credentials();
	many[0].signer = root.signer; /* a P-256 key */
	many[0].certs = (const struct gk_cert *const *)&root.cert;
	assert_int_equal(outcome(&config[0]), IKE_ESTABLISHED);
	config[1].no_cert_request = true;
	assert_int_equal(outcome(&config[0]), IKE_ESTABLISHED);
}

GK_TEST(rfc2408_5_9_02, a_chain_is_sent_and_followed)
{
	const struct gk_cert *const whole[] = { below.cert, middle.cert };
	const struct gk_cert *const *certs;
	struct pair p;

	configure(MODERN(RSA));
	credential[0] = (struct ike_credential){ .signer = below.signer,
		                                 .certs = whole,
		                                 .n_certs = 2 };
	p = establish();
	assert_int_equal(ike_peer_certs(p.r, &certs), 3);
	assert_true(gk_cert_equal(certs[0], below.cert));
	assert_true(gk_cert_equal(certs[2], root.cert));
	pair_free(&p);
	/* without the middle there is no way to the root */
	credential[0].n_certs = 1;
	assert_true(outcome(&config[0]) != IKE_ESTABLISHED);
	assert_string_equal(why.req, "RFC2408-5.9-02");
}

GK_TEST(rfc2409_5_4_01, with_a_pre_shared_key_there_are_no_certificates)
{
	const struct gk_cert *const *certs;
	struct pair p;

	configure(MODERN(PSK));
	p = establish();
	assert_int_equal(ike_peer_certs(p.r, &certs), 0);
	pair_free(&p);
}

/* ---- public values ------------------------------------------------------ */

/* Message 3 with its public value replaced. */
static void
not_with(uint16_t group, uint8_t fill, uint8_t end, int shorter)
{
	struct pair p = { 0 };
	struct gk_buf m;
	struct ike_output out;
	size_t len;

	configure(suite_of(IKE_ENCRYPTION_AES_CBC, 128, IKE_HASH_SHA256,
	                   IKE_AUTH_PSK, group));
	gk_assert_ok(ike_initiate(&env, &config[0], &path[0], now, &p.i));
	m = say(p.i);
	gk_assert_ok(ike_respond(&env, &config[1], &path[1], gk_buf_slice(&m),
	                         now, &p.r, &why));
	gk_buf_free(&m);
	m = say(p.r);
	gk_assert_ok(hear(p.i, gk_buf_slice(&m)));
	gk_buf_free(&m);
	m = say(p.i);
	len = (size_t)(m.ptr[30] << 8 | m.ptr[31]) - ISAKMP_GENERIC_LEN;
	if (shorter != 0) {
		size_t at = ISAKMP_HEADER_LEN + ISAKMP_GENERIC_LEN;

		memmove(m.ptr + at, m.ptr + at + 1, m.len - at - 1);
		m.len--;
		m.ptr[31]--;
		isakmp_header_set_length(m.ptr, (uint32_t)m.len);
	} else {
		memset(m.ptr + 32, fill, len);
		m.ptr[32 + len - 1] = end;
	}
	gk_assert_err(GK_ERR_VALUE, hear(p.r, gk_buf_slice(&m)));
	assert_true(ike_poll(p.r, &out));
	assert_string_equal(out.why.req, "RFC2409-5-09");
	assert_int_equal(ike_state(p.r), IKE_R_SA);
	gk_buf_free(&m);
	pair_free(&p);
}

GK_TEST(rfc2409_5_09, public_values_that_give_the_secret_away_are_refused)
{
	static const uint16_t modp[] = { IKE_GROUP_MODP1024,
		                         IKE_GROUP_MODP2048 };

	for (size_t i = 0; i < GK_COUNT(modp); i++) {
		not_with(modp[i], 0, 0, 0);       /* 0 */
		not_with(modp[i], 0, 1, 0);       /* 1 */
		not_with(modp[i], 0xff, 0xff, 0); /* above p */
		not_with(modp[i], 0, 0, 1);       /* an octet short */
	}
	not_with(IKE_GROUP_ECP256, 0, 0, 0); /* not on the curve */
	not_with(IKE_GROUP_ECP256, 0xff, 0xff, 0);
	not_with(IKE_GROUP_ECP256, 0, 0, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc2408_5_10_01,
		       a_certificate_request_picks_the_certificate),
		GK_RUN(rfc2408_5_10_01, a_key_of_another_kind_is_not_picked),
		GK_RUN(rfc2408_5_9_02, a_chain_is_sent_and_followed),
		GK_RUN(rfc2409_5_4_01,
		       with_a_pre_shared_key_there_are_no_certificates),
		GK_RUN(rfc2409_5_09,
		       public_values_that_give_the_secret_away_are_refused),
	};

	return cmocka_run_group_tests(tests, set_up_more, tear_down_more);
}
