/* SPDX-License-Identifier: BSD-2-Clause */
/* Revocation: RFC 5280 section 6.3. */
#include "common/crypto/tests/chain.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

GK_TEST(rfc4535_7_8_2_07, crls_are_required_when_policy_says_so)
{
	struct gk_trust_policy strict = { .require_crl = true };
	struct gk_trust *trust = trust_in(&root, &sub, &strict);
	int64_t from = GK_PKI_NOW - 100, to = GK_PKI_NOW + 100;

	GK_SHOWS("RFC5280-6.1.3-02", "RFC5280-6.3.3-02");
	GK_BREAKS("RFC5280-6.3.3-02");
	expect(trust, &leaf, NULL, GK_PKI_NOW, 0, GK_CERT_FAULT_CRL_MISSING);
	add_crl(trust, &sub, NULL, from, to);
	expect(trust, &leaf, NULL, GK_PKI_NOW, 0, GK_CERT_FAULT_CRL_MISSING);
	add_crl(trust, &root, NULL, from, to);
	expect(trust, &leaf, NULL, GK_PKI_NOW, 0, GK_CERT_FAULT_NONE);
	expect(trust, &leaf, NULL, to + 1, 0, GK_CERT_FAULT_CRL_EXPIRED);
	expect(trust, &leaf, NULL, from - 1, 0, GK_CERT_FAULT_CRL_EXPIRED);
	/* A later one takes the place of the first. */
	add_crl(trust, &sub, &leaf, GK_PKI_NOW, to);
	expect(trust, &leaf, NULL, GK_PKI_NOW + 1, 0, GK_CERT_FAULT_REVOKED);
	gk_trust_free(trust);
}

GK_TEST(rfc4535_4_2_01, crls_count_even_when_they_are_not_required)
{
	struct gk_trust *trust = trust_in(&root, &sub, NULL);

	GK_BREAKS("RFC5280-6.1.3-02");
	add_crl(trust, &root, &sub, GK_PKI_NOW - 10, GK_PKI_NOW + 10);
	expect(trust, &leaf, NULL, GK_PKI_NOW, 0, GK_CERT_FAULT_REVOKED);
	/* Out of date, and still it says so. */
	expect(trust, &leaf, NULL, GK_PKI_NOW + 11, 0, GK_CERT_FAULT_REVOKED);
	gk_trust_free(trust);
}

/* A peer's CRL adds revocations; an old one of its cannot hide a newer one. */
GK_TEST(rfc4535_7_7_1_07, received_crl_can_only_add)
{
	struct gk_trust *trust = trust_in(&root, &sub, NULL);
	struct gk_trust_extra extra = { .n_crls = 1 };
	const struct gk_pki_party *revoked = &leaf;
	struct gk_buf revoking, clean, forged;
	struct gk_slice crl;

	GK_SHOWS("RFC5280-6.3.3-01");
	extra.crls = &crl;
	gk_pki_crl(&sub, &revoked, 1, GK_PKI_NOW - 10, GK_PKI_NOW + 10, NULL,
	           &revoking);
	gk_pki_crl(&sub, NULL, 0, GK_PKI_NOW - 20, GK_PKI_NOW + 20, NULL,
	           &clean);
	gk_pki_crl(&other_root, &revoked, 1, GK_PKI_NOW - 10, GK_PKI_NOW + 10,
	           NULL, &forged);
	crl = gk_buf_slice(&forged);
	expect(trust, &leaf, &extra, GK_PKI_NOW, 0, GK_CERT_FAULT_NONE);
	crl = gk_slice_str("0 nonsense");
	expect(trust, &leaf, &extra, GK_PKI_NOW, 0, GK_CERT_FAULT_NONE);
	crl = gk_buf_slice(&revoking);
	expect(trust, &leaf, &extra, GK_PKI_NOW, 0, GK_CERT_FAULT_REVOKED);
	expect(trust, &leaf, NULL, GK_PKI_NOW, 0, GK_CERT_FAULT_NONE);
	gk_assert_ok(gk_trust_add_crl(trust, gk_buf_slice(&revoking)));
	crl = gk_buf_slice(&clean);
	expect(trust, &leaf, &extra, GK_PKI_NOW, 0, GK_CERT_FAULT_REVOKED);
	gk_buf_free(&revoking);
	gk_buf_free(&clean);
	gk_buf_free(&forged);
	gk_trust_free(trust);
}

/* The same issuer name, another key: anybody can add that to a message. */
GK_TEST(rfc4535_7_7_1_07, forged_crl_changes_nothing)
{
	struct gk_trust *trust = trust_in(&root, &sub, NULL);
	struct gk_trust_extra extra = { .n_crls = 1 };
	const struct gk_pki_party *revoked = &leaf;
	struct gk_pki_party twin;
	struct gk_buf der;
	struct gk_slice crl;

	GK_BREAKS("RFC5280-6.3.3-01");
	gk_pki_make(&twin, &(struct gk_pki_spec){ .subject = "/O=MSEC/CN=Sub",
	                                          .slot = 3,
	                                          .issuer = &root });
	gk_pki_crl(&twin, &revoked, 1, GK_PKI_NOW - 5, GK_PKI_NOW + 5, NULL,
	           &der);
	crl = gk_buf_slice(&der);
	extra.crls = &crl;
	expect(trust, &leaf, &extra, GK_PKI_NOW, 0, GK_CERT_FAULT_NONE);
	/* Nor does it hide what the real issuer said. */
	add_crl(trust, &sub, &leaf, GK_PKI_NOW - 10, GK_PKI_NOW + 10);
	expect(trust, &leaf, &extra, GK_PKI_NOW, 0, GK_CERT_FAULT_REVOKED);
	gk_trust_free(trust);
	/* From the operator it is a fault that must be seen. */
	trust = trust_in(&root, &sub, NULL);
	gk_assert_ok(gk_trust_add_crl(trust, crl));
	expect(trust, &leaf, NULL, GK_PKI_NOW, 0, GK_CERT_FAULT_CRL_INVALID);
	gk_trust_free(trust);
	gk_buf_free(&der);
	gk_pki_free(&twin);
}

static struct gk_trust *shared;

static void *
verify_many(void *arg)
{
	(void)arg;
	for (int i = 0; i < 50; i++) {
		struct gk_path path;

		if (gk_trust_verify(shared, leaf.cert, NULL, GK_PKI_NOW,
		                    GK_KU_DIGITAL_SIGNATURE, &path,
		                    NULL) != GK_OK)
			abort();
		gk_path_free(&path);
	}
	return NULL;
}

GK_TEST(crypto_trust, threads_verify_while_crls_arrive)
{
	pthread_t thread[3];

	shared = trust_in(&root, &sub, NULL);
	for (size_t i = 0; i < GK_COUNT(thread); i++)
		assert_int_equal(
			pthread_create(&thread[i], NULL, verify_many, NULL), 0);
	for (int i = 0; i < 20; i++)
		add_crl(shared, &sub, NULL, GK_PKI_NOW - 10 - i,
		        GK_PKI_NOW + 10);
	for (size_t i = 0; i < GK_COUNT(thread); i++)
		pthread_join(thread[i], NULL);
	gk_trust_free(shared);
}

GK_TEST(crypto_trust, what_is_no_crl_is_refused)
{
	struct gk_trust *trust = trust_in(&root, NULL, NULL);
	struct gk_buf der;

	gk_assert_err(GK_ERR_VALUE, gk_trust_add_crl(trust, gk_slice_str("")));
	gk_assert_err(GK_ERR_VALUE, gk_trust_add_crl(trust, gk_slice_str("x")));
	gk_assert_err(GK_ERR_VALUE,
	              gk_trust_add_crl(trust, gk_cert_der(leaf.cert)));
	gk_pki_crl(&root, NULL, 0, GK_PKI_NOW, GK_PKI_NOW + 9, "SHA1", &der);
	gk_assert_err(GK_ERR_VALUE,
	              gk_trust_add_crl(trust, gk_buf_slice(&der)));
	gk_buf_free(&der);
	gk_trust_free(trust);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_7_8_2_07, crls_are_required_when_policy_says_so),
		GK_RUN(rfc4535_4_2_01,
		       crls_count_even_when_they_are_not_required),
		GK_RUN(rfc4535_7_7_1_07, received_crl_can_only_add),
		GK_RUN(rfc4535_7_7_1_07, forged_crl_changes_nothing),
		GK_RUN(crypto_trust, threads_verify_while_crls_arrive),
		GK_RUN(crypto_trust, what_is_no_crl_is_refused),
	};

	return cmocka_run_group_tests_name("common/crypto/crl", tests, chain_up,
	                                   chain_down);
}
