/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/gk_trust.h"
#include "common/test/gk_test_pki.h"

static struct gk_pki_party root, sub, leaf, other_root;

static int
make_parties(void **state)
{
	(void)state;
	gk_pki_make(&root,
	            &(struct gk_pki_spec){ .subject = "/O=MSEC/CN=Root",
	                                   .usage = "keyCertSign,cRLSign" });
	gk_pki_make(&sub,
	            &(struct gk_pki_spec){ .subject = "/O=MSEC/CN=Sub",
	                                   .slot = 1,
	                                   .issuer = &root,
	                                   .constraints = "critical,CA:TRUE",
	                                   .usage = "keyCertSign,cRLSign" });
	gk_pki_make(&leaf, &(struct gk_pki_spec){
				   .subject = "/O=MSEC/CN=gm1",
				   .slot = 2,
				   .issuer = &sub,
				   .usage = "digitalSignature",
				   .san = "DNS:gm1.example,IP:192.0.2.1,"
					  "email:gm1@example,URI:https://x,"
					  "IP:2001:db8::1" });
	gk_pki_make(&other_root,
	            &(struct gk_pki_spec){ .subject = "/O=Elsewhere/CN=Root",
	                                   .slot = 3 });
	return 0;
}

static int
free_parties(void **state)
{
	(void)state;
	gk_pki_free(&root);
	gk_pki_free(&sub);
	gk_pki_free(&leaf);
	gk_pki_free(&other_root);
	gk_pki_keys_free();
	return 0;
}

static struct gk_trust *
trust_in(const struct gk_pki_party *anchor, const struct gk_pki_party *inter,
         const struct gk_trust_policy *policy)
{
	struct gk_trust *trust;

	gk_assert_ok(gk_trust_new(policy, &trust));
	if (anchor != NULL)
		gk_assert_ok(gk_trust_add_anchor(trust, anchor->cert));
	if (inter != NULL)
		gk_assert_ok(gk_trust_add_intermediate(trust, inter->cert));
	return trust;
}

/* Expect one fault of one certificate; GK_CERT_FAULT_NONE for none. */
static void
expect(const struct gk_trust *trust, const struct gk_pki_party *who,
       const struct gk_trust_extra *extra, int64_t utc, unsigned usage,
       enum gk_cert_fault_kind kind)
{
	struct gk_cert_fault why = { .kind = GK_CERT_FAULT_NONE };
	struct gk_path path;
	enum gk_err err;

	err = gk_trust_verify(trust, who->cert, extra, utc, usage, &path, &why);
	assert_string_equal(why.text == NULL ? "no fault" : why.text,
	                    kind == GK_CERT_FAULT_NONE ? "no fault" : why.text);
	assert_int_equal(why.kind, kind);
	switch (kind) {
	case GK_CERT_FAULT_NONE:
		gk_assert_ok(err);
		assert_true(path.n >= 2);
		assert_true(gk_cert_equal(path.cert[0], who->cert));
		break;
	case GK_CERT_FAULT_WEAK_KEY:
	case GK_CERT_FAULT_WEAK_SIGNATURE:
	case GK_CERT_FAULT_KEY_USAGE:
		gk_assert_err(GK_ERR_POLICY, err);
		assert_int_equal(path.n, 0);
		break;
	default:
		gk_assert_err(GK_ERR_AUTH, err);
		assert_int_equal(path.n, 0);
	}
	gk_path_free(&path);
}

GK_TEST(rfc5280_4_1, fields_of_a_certificate)
{
	uint8_t print[GK_CERT_ID_LEN], again[GK_CERT_ID_LEN];
	struct gk_san san;

	assert_int_equal(gk_cert_not_before(leaf.cert),
	                 GK_PKI_NOW - GK_PKI_DAY);
	assert_int_equal(gk_cert_not_after(leaf.cert),
	                 GK_PKI_NOW + 365 * GK_PKI_DAY);
	assert_int_equal(gk_cert_key_usage(leaf.cert), GK_KU_DIGITAL_SIGNATURE);
	assert_int_equal(gk_cert_key_usage(sub.cert),
	                 GK_KU_KEY_CERT_SIGN | GK_KU_CRL_SIGN);
	assert_int_equal(gk_cert_key_usage(other_root.cert), GK_KU_ANY);
	assert_true(gk_cert_is_ca(sub.cert));
	assert_false(gk_cert_is_ca(leaf.cert));
	assert_true(gk_cert_is_self_issued(root.cert));
	assert_false(gk_cert_is_self_issued(sub.cert));
	assert_true(gk_slice_equal(gk_cert_issuer(leaf.cert),
	                           gk_cert_subject(sub.cert)));
	assert_true(gk_cert_serial(leaf.cert).len == 2);
	assert_true(gk_slice_equal(gk_cert_serial(leaf.cert),
	                           gk_cert_serial_der(leaf.cert)));
	/* The URI is not among them. */
	assert_true(gk_cert_san(leaf.cert, 0, &san));
	assert_int_equal(san.kind, GK_SAN_DNS);
	assert_true(gk_slice_equal(san.value, gk_slice_str("gm1.example")));
	assert_true(gk_cert_san(leaf.cert, 1, &san));
	assert_int_equal(san.kind, GK_SAN_IP);
	assert_int_equal(san.value.len, 4);
	assert_true(gk_cert_san(leaf.cert, 2, &san));
	assert_int_equal(san.kind, GK_SAN_RFC822);
	assert_true(gk_cert_san(leaf.cert, 3, &san));
	assert_int_equal(san.value.len, 16);
	assert_false(gk_cert_san(leaf.cert, 4, &san));
	gk_cert_fingerprint(leaf.cert, print);
	gk_cert_fingerprint(sub.cert, again);
	assert_memory_not_equal(print, again, sizeof(print));
}

/* With the extension, and by SHA-1 of the key bits without: the same here. */
GK_TEST(rfc5280_4_2_1_2, key_identifier_by_extension_or_by_hash)
{
	struct gk_pki_party bare;

	gk_pki_make(&bare, &(struct gk_pki_spec){ .subject = "/CN=bare",
	                                          .slot = 2,
	                                          .issuer = &sub,
	                                          .no_ski = true });
	assert_true(gk_cert_has_ski(leaf.cert));
	assert_false(gk_cert_has_ski(bare.cert));
	assert_int_equal(gk_cert_key_id(bare.cert).len, 20);
	assert_true(gk_slice_equal(gk_cert_key_id(bare.cert),
	                           gk_cert_key_id(leaf.cert)));
	gk_pki_free(&bare);
}

GK_TEST(rfc5280_4_1, every_truncation_and_a_trailing_octet_is_refused)
{
	struct gk_slice der = gk_cert_der(leaf.cert);
	struct gk_buf longer = { 0 };
	struct gk_cert *cert;

	for (size_t n = 0; n < der.len; n++) {
		gk_assert_err(GK_ERR_VALUE,
		              gk_cert_from_der((struct gk_slice){ der.ptr, n },
		                               &cert));
		assert_null(cert);
	}
	gk_assert_ok(gk_buf_append(&longer, der));
	gk_assert_ok(gk_buf_append(&longer, gk_slice_str("x")));
	gk_assert_err(GK_ERR_VALUE,
	              gk_cert_from_der(gk_buf_slice(&longer), &cert));
	gk_buf_free(&longer);
}

GK_TEST(crypto_certs, pem_bundles_are_read_whole_or_not_at_all)
{
	struct gk_certs certs = { 0 };
	struct gk_buf a, b, key, bundle = { 0 };

	gk_pki_cert_pem(&leaf, &a);
	gk_pki_cert_pem(&sub, &b);
	gk_pki_key_pem(&leaf, NULL, &key);
	gk_assert_ok(gk_buf_append(&bundle, gk_slice_str("some text\n")));
	gk_assert_ok(gk_buf_append(&bundle, gk_buf_slice(&a)));
	gk_assert_ok(gk_buf_append(&bundle, gk_buf_slice(&key)));
	gk_assert_ok(gk_buf_append(&bundle, gk_buf_slice(&b)));
	gk_assert_ok(gk_certs_from_pem(gk_buf_slice(&bundle), &certs));
	assert_int_equal(certs.n, 2);
	assert_true(gk_cert_equal(certs.cert[1], sub.cert));
	gk_assert_ok(gk_certs_from_pem(gk_cert_der(root.cert), &certs));
	assert_int_equal(certs.n, 3);
	gk_assert_err(GK_ERR_VALUE,
	              gk_certs_from_pem(gk_buf_slice(&key), &certs));
	gk_assert_err(GK_ERR_VALUE,
	              gk_certs_from_pem(gk_slice_str(""), &certs));
	gk_assert_ok(gk_buf_append(
		&bundle, gk_slice_str("-----BEGIN CERTIFICATE-----\nMAA=\n"
	                              "-----END CERTIFICATE-----\n")));
	gk_assert_err(GK_ERR_VALUE,
	              gk_certs_from_pem(gk_buf_slice(&bundle), &certs));
	assert_int_equal(certs.n, 3);
	gk_certs_free(&certs);
	gk_buf_free(&a);
	gk_buf_free(&b);
	gk_buf_free(&key);
	gk_buf_free(&bundle);
}

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

static void
add_crl(struct gk_trust *trust, const struct gk_pki_party *issuer,
        const struct gk_pki_party *revoked, int64_t from, int64_t to)
{
	struct gk_buf der;

	gk_pki_crl(issuer, &revoked, revoked != NULL, from, to, NULL, &der);
	gk_assert_ok(gk_trust_add_crl(trust, gk_buf_slice(&der)));
	gk_buf_free(&der);
}

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
		GK_RUN(rfc5280_4_1, fields_of_a_certificate),
		GK_RUN(rfc5280_4_2_1_2, key_identifier_by_extension_or_by_hash),
		GK_RUN(rfc5280_4_1,
		       every_truncation_and_a_trailing_octet_is_refused),
		GK_RUN(crypto_certs, pem_bundles_are_read_whole_or_not_at_all),
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
		GK_RUN(rfc4535_7_8_2_07, crls_are_required_when_policy_says_so),
		GK_RUN(rfc4535_4_2_01,
		       crls_count_even_when_they_are_not_required),
		GK_RUN(rfc4535_7_7_1_07, received_crl_can_only_add),
		GK_RUN(rfc4535_7_7_1_07, forged_crl_changes_nothing),
		GK_RUN(crypto_trust, threads_verify_while_crls_arrive),
		GK_RUN(crypto_trust, what_is_no_crl_is_refused),
		GK_RUN(rfc4535_6_2_04, legacy_path_only_when_allowed),
		GK_RUN(crypto_trust, every_kind_of_key_makes_a_path),
		GK_RUN(crypto_trust, fault_names_the_certificate),
	};

	return cmocka_run_group_tests_name("common/crypto/cert", tests,
	                                   make_parties, free_parties);
}
