/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is believed: RFC 5280 section 6.1, and what the policy adds. */
#include "common/crypto/tests/chain.h"

#include <string.h>

GK_TEST(rfc4535_5_2_1_1_17, path_of_three_from_configured_and_from_received)
{
	struct gk_trust *with = trust_in(&root, &sub, NULL);
	struct gk_trust *without = trust_in(&root, NULL, NULL);
	struct gk_certs sent = { 0 };
	struct gk_trust_extra extra = { .certs = &sent };
	struct gk_path path;

	gk_assert_ok(gk_certs_add(&sent, sub.cert));
	gk_assert_ok(gk_certs_add(&sent, other_root.cert));
	expect(with, &leaf, NULL, GK_PKI_NOW, GK_KU_DIGITAL_SIGNATURE,
	       GK_CERT_FAULT_NONE);
	expect(without, &leaf, &extra, GK_PKI_NOW, 0, GK_CERT_FAULT_NONE);
	expect(without, &leaf, NULL, GK_PKI_NOW, 0, GK_CERT_FAULT_UNKNOWN_ROOT);
	gk_assert_ok(gk_trust_verify(with, leaf.cert, NULL, GK_PKI_NOW, 0,
	                             &path, NULL));
	assert_int_equal(path.n, 3);
	/* Any CA on the path, but not the leaf. */
	assert_true(gk_path_has_ca(&path, gk_cert_key_id(sub.cert)));
	assert_true(gk_path_has_ca(&path, gk_cert_key_id(root.cert)));
	assert_false(gk_path_has_ca(&path, gk_cert_key_id(leaf.cert)));
	assert_false(gk_path_has_ca(&path, gk_cert_key_id(other_root.cert)));
	gk_path_free(&path);
	gk_certs_free(&sent);
	gk_trust_free(with);
	gk_trust_free(without);
}

GK_TEST(rfc4535_7_7_2_05, received_root_proves_nothing)
{
	struct gk_trust *trust = trust_in(&other_root, NULL, NULL);
	struct gk_certs sent = { 0 };
	struct gk_trust_extra extra = { .certs = &sent };

	gk_assert_ok(gk_certs_add(&sent, sub.cert));
	gk_assert_ok(gk_certs_add(&sent, root.cert));
	expect(trust, &leaf, &extra, GK_PKI_NOW, 0, GK_CERT_FAULT_UNKNOWN_ROOT);
	gk_certs_free(&sent);
	gk_trust_free(trust);
}

GK_TEST(rfc4535_7_7_2_04, anchor_is_recognised_and_never_a_leaf)
{
	struct gk_trust *trust = trust_in(&root, NULL, NULL);

	assert_true(gk_trust_is_anchor(trust, root.cert));
	assert_false(gk_trust_is_anchor(trust, sub.cert));
	expect(trust, &root, NULL, GK_PKI_NOW, 0, GK_CERT_FAULT_ANCHOR);
	assert_int_equal(gk_trust_anchors(trust)->n, 1);
	gk_trust_free(trust);
}

/* An anchor is what the operator says it is, also below somebody's root. */
GK_TEST(rfc5280_6_1_1, anchor_need_not_be_self_signed)
{
	struct gk_trust *trust = trust_in(&sub, NULL, NULL);
	struct gk_path path;

	gk_assert_ok(gk_trust_verify(trust, leaf.cert, NULL, GK_PKI_NOW, 0,
	                             &path, NULL));
	assert_int_equal(path.n, 2);
	gk_path_free(&path);
	gk_trust_free(trust);
}

GK_TEST(rfc5280_4_1_2_5, validity_is_judged_at_the_given_time)
{
	struct gk_trust *trust = trust_in(&root, &sub, NULL);
	int64_t from = gk_cert_not_before(leaf.cert);
	int64_t to = gk_cert_not_after(leaf.cert);

	GK_SHOWS("RFC5280-4.1.2.5-01", "RFC5280-6.1.3-01", "RFC5280-6.1.4-01");
	GK_BREAKS("RFC5280-4.1.2.5-01");
	expect(trust, &leaf, NULL, from, 0, GK_CERT_FAULT_NONE);
	expect(trust, &leaf, NULL, from - 1, 0, GK_CERT_FAULT_NOT_YET_VALID);
	expect(trust, &leaf, NULL, to, 0, GK_CERT_FAULT_NONE);
	expect(trust, &leaf, NULL, to + 1, 0, GK_CERT_FAULT_EXPIRED);
	gk_trust_free(trust);
}

GK_TEST(rfc5280_4_2_1_3, leaf_without_digital_signature_is_refused)
{
	struct gk_trust *trust = trust_in(&root, &sub, NULL);
	struct gk_pki_party bad;

	GK_SHOWS("RFC5280-4.2.1.3-01");
	GK_BREAKS("RFC5280-4.2.1.3-01");
	gk_pki_make(&bad, &(struct gk_pki_spec){ .subject = "/CN=bad",
	                                         .slot = 3,
	                                         .issuer = &sub,
	                                         .usage = "keyEncipherment" });
	expect(trust, &bad, NULL, GK_PKI_NOW, GK_KU_DIGITAL_SIGNATURE,
	       GK_CERT_FAULT_KEY_USAGE);
	expect(trust, &bad, NULL, GK_PKI_NOW, GK_KU_KEY_ENCIPHERMENT,
	       GK_CERT_FAULT_NONE);
	gk_pki_free(&bad);
	/* No extension, no restriction. */
	gk_pki_make(&bad, &(struct gk_pki_spec){ .subject = "/CN=bad",
	                                         .slot = 3,
	                                         .issuer = &sub });
	expect(trust, &bad, NULL, GK_PKI_NOW, GK_KU_DIGITAL_SIGNATURE,
	       GK_CERT_FAULT_NONE);
	gk_pki_free(&bad);
	gk_trust_free(trust);
}

GK_TEST(rfc5280_6_1_4, who_is_no_ca_issues_nothing)
{
	static const struct {
		const char *constraints, *usage;
	} bad[] = {
		{ NULL, NULL },
		{ "CA:FALSE", "keyCertSign" },
		{ NULL, "keyCertSign" },
		{ "critical,CA:TRUE", "digitalSignature" },
	};

	GK_BREAKS("RFC5280-6.1.4-01");
	for (size_t i = 0; i < GK_COUNT(bad); i++) {
		struct gk_pki_party fake, below;
		struct gk_trust *trust;

		gk_pki_make(&fake, &(struct gk_pki_spec){
					   .subject = "/CN=fake",
					   .slot = 1,
					   .issuer = &root,
					   .constraints = bad[i].constraints,
					   .usage = bad[i].usage });
		gk_pki_make(&below,
		            &(struct gk_pki_spec){ .subject = "/CN=below",
		                                   .slot = 3,
		                                   .issuer = &fake });
		trust = trust_in(&root, &fake, NULL);
		expect(trust, &below, NULL, GK_PKI_NOW, 0,
		       GK_CERT_FAULT_NOT_A_CA);
		gk_trust_free(trust);
		gk_pki_free(&below);
		gk_pki_free(&fake);
	}
}

GK_TEST(rfc5280_4_2_1_9, path_length_is_limited_by_issuer_and_by_policy)
{
	struct gk_trust_policy two = { .max_path = 2 };
	struct gk_pki_party tight, mid, below;
	struct gk_trust *trust = trust_in(&root, &sub, &two);

	GK_SHOWS("RFC5280-4.2.1.9-01");
	GK_BREAKS("RFC5280-4.2.1.9-01");
	expect(trust, &leaf, NULL, GK_PKI_NOW, 0, GK_CERT_FAULT_PATH_TOO_LONG);
	gk_trust_free(trust);
	gk_pki_make(&tight,
	            &(struct gk_pki_spec){
			    .subject = "/CN=tight",
			    .constraints = "critical,CA:TRUE,pathlen:0" });
	gk_pki_make(&mid,
	            &(struct gk_pki_spec){ .subject = "/CN=mid",
	                                   .slot = 1,
	                                   .issuer = &tight,
	                                   .constraints = "critical,CA:TRUE" });
	gk_pki_make(&below, &(struct gk_pki_spec){ .subject = "/CN=below",
	                                           .slot = 2,
	                                           .issuer = &mid });
	trust = trust_in(&tight, &mid, NULL);
	expect(trust, &below, NULL, GK_PKI_NOW, 0, GK_CERT_FAULT_PATH_TOO_LONG);
	/* What it issues itself is not counted. */
	expect(trust, &mid, NULL, GK_PKI_NOW, 0, GK_CERT_FAULT_NONE);
	gk_trust_free(trust);
	gk_pki_free(&tight);
	gk_pki_free(&mid);
	gk_pki_free(&below);
}

GK_TEST(rfc5280_4_2_1_10_01, name_constraints_are_kept)
{
	struct gk_pki_party narrow, in, out;
	struct gk_trust *trust;

	GK_SHOWS("RFC5280-4.2.1.10-01", "RFC5280-4.2-01");
	GK_BREAKS("RFC5280-4.2.1.10-01");
	gk_pki_make(&narrow,
	            &(struct gk_pki_spec){ .subject = "/CN=narrow",
	                                   .names = "critical,permitted;"
	                                            "DNS:good.example" });
	gk_pki_make(&in, &(struct gk_pki_spec){ .subject = "/CN=in",
	                                        .slot = 1,
	                                        .issuer = &narrow,
	                                        .san = "DNS:a.good.example" });
	gk_pki_make(&out, &(struct gk_pki_spec){ .subject = "/CN=out",
	                                         .slot = 1,
	                                         .issuer = &narrow,
	                                         .san = "DNS:bad.example" });
	trust = trust_in(&narrow, NULL, NULL);
	expect(trust, &in, NULL, GK_PKI_NOW, 0, GK_CERT_FAULT_NONE);
	expect(trust, &out, NULL, GK_PKI_NOW, 0, GK_CERT_FAULT_NAME);
	gk_trust_free(trust);
	gk_pki_free(&narrow);
	gk_pki_free(&in);
	gk_pki_free(&out);
}

GK_TEST(rfc4535_4_2_01, unknown_critical_extension_is_refused)
{
	struct gk_trust *trust = trust_in(&root, NULL, NULL);
	struct gk_pki_party odd;

	GK_BREAKS("RFC5280-4.2-01");
	gk_pki_make(&odd, &(struct gk_pki_spec){ .subject = "/CN=odd",
	                                         .slot = 3,
	                                         .issuer = &root,
	                                         .unknown = "1.2.3.4" });
	expect(trust, &odd, NULL, GK_PKI_NOW, 0, GK_CERT_FAULT_EXTENSION);
	gk_pki_free(&odd);
	gk_trust_free(trust);
}

GK_TEST(rfc5280_6_1_3, forged_certificate_is_refused)
{
	struct gk_trust *trust = trust_in(&root, &sub, NULL);
	struct gk_buf der = { 0 };
	struct gk_pki_party forged = { .cert = NULL };

	GK_BREAKS("RFC5280-6.1.3-01");
	gk_assert_ok(gk_buf_copy(&der, gk_cert_der(leaf.cert)));
	der.ptr[der.len - 3] ^= 1; /* in s of the signature */
	gk_assert_ok(gk_cert_from_der(gk_buf_slice(&der), &forged.cert));
	expect(trust, &forged, NULL, GK_PKI_NOW, 0,
	       GK_CERT_FAULT_BAD_SIGNATURE);
	gk_cert_free(forged.cert);
	gk_buf_free(&der);
	gk_trust_free(trust);
}

/* RFC 4535's Suite 1: DSA-1024 with SHA-1 all the way, when it is allowed. */
GK_TEST(rfc4535_6_2_04, legacy_path_only_when_allowed)
{
	struct gk_trust_policy legacy = { .allow_legacy = true };
	struct gk_trust_policy sizes = { .allow_legacy = true,
		                         .min_dsa_bits = 2048 };
	struct gk_trust_policy keys_only = { .min_dsa_bits = 1024,
		                             .min_rsa_bits = 1024 };
	struct gk_pki_party dsa_root, dsa_leaf;
	struct gk_trust *trust;

	gk_pki_make(&dsa_root, &(struct gk_pki_spec){ .subject = "/CN=dsa root",
	                                              .alg = GK_PKI_DSA1024,
	                                              .hash = "SHA1" });
	gk_pki_make(&dsa_leaf, &(struct gk_pki_spec){ .subject = "/CN=dsa leaf",
	                                              .alg = GK_PKI_DSA1024,
	                                              .slot = 1,
	                                              .issuer = &dsa_root,
	                                              .hash = "SHA1" });
	assert_true(gk_cert_signed_legacy(dsa_leaf.cert));
	assert_false(gk_cert_signed_legacy(leaf.cert));
	trust = trust_in(&dsa_root, NULL, &legacy);
	expect(trust, &dsa_leaf, NULL, GK_PKI_NOW, GK_KU_DIGITAL_SIGNATURE,
	       GK_CERT_FAULT_NONE);
	gk_trust_free(trust);
	trust = trust_in(&dsa_root, NULL, NULL);
	expect(trust, &dsa_leaf, NULL, GK_PKI_NOW, 0, GK_CERT_FAULT_WEAK_KEY);
	gk_trust_free(trust);
	trust = trust_in(&dsa_root, NULL, &sizes);
	expect(trust, &dsa_leaf, NULL, GK_PKI_NOW, 0, GK_CERT_FAULT_WEAK_KEY);
	gk_trust_free(trust);
	trust = trust_in(&dsa_root, NULL, &keys_only);
	expect(trust, &dsa_leaf, NULL, GK_PKI_NOW, 0,
	       GK_CERT_FAULT_WEAK_SIGNATURE);
	gk_trust_free(trust);
	gk_pki_free(&dsa_root);
	gk_pki_free(&dsa_leaf);
}

GK_TEST(crypto_trust, every_kind_of_key_makes_a_path)
{
	struct gk_trust_policy legacy = { .allow_legacy = true };

	for (unsigned alg = 0; alg < GK_PKI_ALGS; alg++) {
		struct gk_pki_party ca, below;
		struct gk_trust *trust;

		gk_pki_make(&ca, &(struct gk_pki_spec){ .subject = "/CN=ca",
		                                        .alg = alg });
		gk_pki_make(&below, &(struct gk_pki_spec){ .subject = "/CN=x",
		                                           .alg = alg,
		                                           .slot = 1,
		                                           .issuer = &ca });
		trust = trust_in(&ca, NULL, &legacy);
		expect(trust, &below, NULL, GK_PKI_NOW, 0, GK_CERT_FAULT_NONE);
		gk_trust_free(trust);
		gk_pki_free(&ca);
		gk_pki_free(&below);
	}
}

GK_TEST(crypto_trust, fault_names_the_certificate)
{
	struct gk_trust *trust = trust_in(&root, &sub, NULL);
	struct gk_cert_fault why;

	gk_assert_err(GK_ERR_AUTH,
	              gk_trust_verify(trust, leaf.cert, NULL,
	                              GK_PKI_NOW + 400 * GK_PKI_DAY, 0, NULL,
	                              &why));
	assert_int_equal(why.kind, GK_CERT_FAULT_EXPIRED);
	assert_string_equal(why.text, "the certificate has expired");
	assert_non_null(why.detail);
	assert_true(strncmp(why.subject, "CN=", 3) == 0);
	gk_trust_free(trust);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_5_2_1_1_17,
		       path_of_three_from_configured_and_from_received),
		GK_RUN(rfc4535_7_7_2_05, received_root_proves_nothing),
		GK_RUN(rfc4535_7_7_2_04, anchor_is_recognised_and_never_a_leaf),
		GK_RUN(rfc5280_6_1_1, anchor_need_not_be_self_signed),
		GK_RUN(rfc5280_4_1_2_5, validity_is_judged_at_the_given_time),
		GK_RUN(rfc5280_4_2_1_3,
		       leaf_without_digital_signature_is_refused),
		GK_RUN(rfc5280_6_1_4, who_is_no_ca_issues_nothing),
		GK_RUN(rfc5280_4_2_1_9,
		       path_length_is_limited_by_issuer_and_by_policy),
		GK_RUN(rfc5280_4_2_1_10_01, name_constraints_are_kept),
		GK_RUN(rfc4535_4_2_01, unknown_critical_extension_is_refused),
		GK_RUN(rfc5280_6_1_3, forged_certificate_is_refused),
		GK_RUN(rfc4535_6_2_04, legacy_path_only_when_allowed),
		GK_RUN(crypto_trust, every_kind_of_key_makes_a_path),
		GK_RUN(crypto_trust, fault_names_the_certificate),
	};

	return cmocka_run_group_tests_name("common/crypto/path", tests,
	                                   chain_up, chain_down);
}
