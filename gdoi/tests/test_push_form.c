/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/five.h"

#include "common/test/gk_test_pki.h"
#include "gdoi/message/push.h"

/*
 * The form of an ECDSA signature in a GROUPKEY-PUSH: r and s, one after the
 * other, each as long as the curve's order (RFC 6407 sections 5.3.6.4 to -.6, RFC
 * 4754).
 */
static enum gk_err
zeros(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	memset(out, 0, n);
	return GK_OK;
}

static const struct gk_env env = { .random = zeros };
static const uint8_t octets[32] = { 1 };
/* SEQ 1 */
static const uint8_t seq[8] = { ISAKMP_PAYLOAD_SIG, 0, 0, 8, 0, 0, 0, 1 };

static const struct {
	uint16_t algorithm;
	enum gk_pki_alg key;
	size_t len;
} curve[] = {
	{ GDOI_SIG_ALG_ECDSA_256, GK_PKI_P256, 64 },
	{ GDOI_SIG_ALG_ECDSA_384, GK_PKI_P384, 96 },
	{ GDOI_SIG_ALG_ECDSA_521, GK_PKI_P521, 132 },
};

/* A PUSH with such a signature, as a member sees it. */
static enum gk_err
judge(size_t i, enum gk_sig_encoding encoding, size_t *len)
{
	struct gdoi_kek kek = { .spi = { 1 },
		                .cipher = GK_CIPHER_AES_CBC_128,
		                .key = { octets, 16 },
		                .iv = { octets + 16, 16 } };
	struct gk_pki_party party = { 0 };
	struct gdoi_push push;
	struct gk_buf out;
	enum gk_err err;

	gk_pki_make(&party, &(struct gk_pki_spec){ .subject = "/CN=push",
	                                           .alg = curve[i].key });
	kek.signature = gdoi_kek_signature(&defaults, curve[i].algorithm, 0, 0);
	kek.signature.encoding = encoding;
	gk_assert_ok(gdoi_push_seal(
		&env, &defaults, &kek, party.signer, ISAKMP_PAYLOAD_SEQ,
		(struct gk_slice){ seq, sizeof(seq) }, &out));
	kek.signature = gdoi_kek_signature(&defaults, curve[i].algorithm, 0, 0);
	gk_assert_ok(gdoi_push_open(&defaults, &kek, gk_buf_slice(&out), &push,
	                            &why));
	*len = push.chain.item[push.chain.n - 1].generic.body.len;
	err = gdoi_push_verify(&defaults, &kek, gk_signer_pubkey(party.signer),
	                       &push, &why);
	gdoi_push_free(&push);
	gk_buf_free(&out);
	gk_pki_free(&party);
	return err;
}

GK_TEST(rfc6407_5_3_6_4_01, r_and_s_have_the_length_of_the_curve)
{
	size_t len;

	GK_SHOWS("RFC6407-5.3.6.5-01", "RFC6407-5.3.6.6-01");
	for (size_t i = 0; i < GK_COUNT(curve); i++) {
		gk_assert_ok(judge(i, GK_SIG_RAW, &len));
		assert_int_equal(len, curve[i].len);
	}
}

GK_TEST(rfc6407_4_4_04, a_sequence_in_der_is_refused)
{
	size_t len;

	GK_BREAKS("RFC6407-5.3.6.4-01", "RFC6407-5.3.6.5-01",
	          "RFC6407-5.3.6.6-01");
	for (size_t i = 0; i < GK_COUNT(curve); i++) {
		assert_true(judge(i, GK_SIG_DER, &len) != GK_OK);
		assert_string_equal(why.req, "RFC6407-4.4-04");
	}
}

static int
teardown(void **state)
{
	(void)state;
	gk_pki_keys_free();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_5_3_6_4_01,
		       r_and_s_have_the_length_of_the_curve),
		GK_RUN(rfc6407_4_4_04, a_sequence_in_der_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
