/* SPDX-License-Identifier: BSD-2-Clause */
/* What is decided here and not by the provider: signatures under certificates,
 * and dates. */
#include "common/test/gk_test.h"

#include <string.h>

#include "common/crypto/gk_trust.h"
#include "common/test/gk_test_pki.h"

static struct gk_trust *
trust_in(const struct gk_pki_party *anchor)
{
	struct gk_trust *trust;

	gk_assert_ok(gk_trust_new(NULL, &trust));
	gk_assert_ok(gk_trust_add_anchor(trust, anchor->cert));
	return trust;
}

static enum gk_cert_fault_kind
judge_der(const struct gk_pki_party *anchor, struct gk_slice der, int64_t utc)
{
	struct gk_cert_fault why = { .kind = GK_CERT_FAULT_NONE };
	struct gk_trust *trust = trust_in(anchor);
	struct gk_cert *cert;
	enum gk_err err;

	gk_assert_ok(gk_cert_from_der(der, &cert));
	err = gk_trust_verify(trust, cert, NULL, utc, 0, NULL, &why);
	assert_true((err == GK_OK) == (why.kind == GK_CERT_FAULT_NONE));
	gk_cert_free(cert);
	gk_trust_free(trust);
	return why.kind;
}

static enum gk_cert_fault_kind
judge(const struct gk_pki_party *anchor, const struct gk_pki_party *leaf,
      int64_t utc)
{
	return judge_der(anchor, gk_cert_der(leaf->cert), utc);
}

/* A root of each kind; names that no other test has, as facts outlive a test. */
static void
make_pair(enum gk_pki_alg alg, const char *hash, struct gk_pki_party *root,
          struct gk_pki_party *leaf)
{
	gk_pki_make(root, &(struct gk_pki_spec){ .subject = "/O=Check/CN=root",
	                                         .alg = alg });
	gk_pki_make(leaf, &(struct gk_pki_spec){ .subject = "/O=Check/CN=gm",
	                                         .alg = GK_PKI_P256,
	                                         .slot = 1,
	                                         .hash = hash,
	                                         .issuer = root });
}

static void
free_pair(struct gk_pki_party *root, struct gk_pki_party *leaf)
{
	gk_pki_free(root);
	gk_pki_free(leaf);
}

/* Every octet of what is signed, one after the other, and one bit of it. */
static void
change_each_octet(enum gk_pki_alg alg, const char *hash)
{
	struct gk_pki_party root, leaf;
	struct gk_buf der;
	unsigned judged = 0;

	make_pair(alg, hash, &root, &leaf);
	assert_int_equal(judge(&root, &leaf, GK_PKI_NOW), GK_CERT_FAULT_NONE);
	gk_assert_ok(gk_buf_copy(&der, gk_cert_der(leaf.cert)));
	for (size_t i = 0; i < der.len; i++) {
		struct gk_cert *cert;

		der.ptr[i] ^= 1;
		/* Many of them are no certificate any more. */
		if (gk_cert_from_der(gk_buf_slice(&der), &cert) == GK_OK) {
			gk_cert_free(cert);
			assert_int_not_equal(judge_der(&root,
			                               gk_buf_slice(&der),
			                               GK_PKI_NOW),
			                     GK_CERT_FAULT_NONE);
			judged++;
		}
		der.ptr[i] ^= 1;
	}
	assert_true(judged > 64);
	gk_buf_free(&der);
	free_pair(&root, &leaf);
}

GK_TEST(rfc5280_6_1_3, each_octet_is_signed_by_p256)
{
	change_each_octet(GK_PKI_P256, "SHA256");
}

GK_TEST(rfc5280_6_1_3, each_octet_is_signed_by_p521)
{
	change_each_octet(GK_PKI_P521, "SHA512");
}

GK_TEST(rfc5280_6_1_3, each_octet_is_signed_by_rsa)
{
	change_each_octet(GK_PKI_RSA2048, "SHA256");
}

/* A digest that does not go with the size of the curve is one all the same. */
GK_TEST(rfc5280_6_1_3, any_key_signs_with_any_digest)
{
	static const enum gk_pki_alg algs[] = { GK_PKI_P256, GK_PKI_P384,
		                                GK_PKI_P521, GK_PKI_RSA2048 };
	static const char *const hashes[] = { "SHA256", "SHA384", "SHA512" };
	struct gk_pki_party root, leaf;

	for (size_t i = 0; i < GK_COUNT(algs); i++)
		for (size_t k = 0; k < GK_COUNT(hashes); k++) {
			make_pair(algs[i], hashes[k], &root, &leaf);
			assert_int_equal(judge(&root, &leaf, GK_PKI_NOW),
			                 GK_CERT_FAULT_NONE);
			free_pair(&root, &leaf);
		}
}

/* RFC 5280 section 4.1.1.2: both fields name the same algorithm.  The outer one
 * is not signed. */
GK_TEST(rfc5280_4_1_1_2, another_algorithm_outside_is_refused)
{
	static const uint8_t sha256[] = {
		0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2
	};
	struct gk_pki_party root, leaf;
	struct gk_buf der;
	uint8_t *first, *outer;

	make_pair(GK_PKI_P256, "SHA256", &root, &leaf);
	gk_assert_ok(gk_buf_copy(&der, gk_cert_der(leaf.cert)));
	first = memmem(der.ptr, der.len, sha256, sizeof(sha256));
	assert_non_null(first);
	outer = memmem(first + 1, (size_t)(der.ptr + der.len - first - 1),
	               sha256, sizeof(sha256));
	assert_non_null(outer);
	outer[sizeof(sha256) - 1] = 3; /* with SHA-384 */
	assert_int_equal(judge_der(&root, gk_buf_slice(&der), GK_PKI_NOW),
	                 GK_CERT_FAULT_BAD_SIGNATURE);
	gk_buf_free(&der);
	free_pair(&root, &leaf);
}

/* Somebody else's key, under the same name. */
GK_TEST(rfc5280_6_1_3, another_key_of_that_name_is_refused)
{
	struct gk_pki_party root, leaf, other;

	make_pair(GK_PKI_P256, "SHA256", &root, &leaf);
	gk_pki_make(&other,
	            &(struct gk_pki_spec){ .subject = "/O=Check/CN=root",
	                                   .no_ski = true,
	                                   .slot = 2 });
	assert_int_not_equal(judge(&other, &leaf, GK_PKI_NOW),
	                     GK_CERT_FAULT_NONE);
	gk_pki_free(&other);
	free_pair(&root, &leaf);
}

/* From the first second to the last; after 2049 in the other form. */
static void
check_validity(int64_t from, int64_t to)
{
	struct gk_pki_party root, leaf;

	gk_pki_make(&root, &(struct gk_pki_spec){ .subject = "/O=Check/CN=old",
	                                          .not_before = from - 10,
	                                          .not_after = to + 10 });
	gk_pki_make(&leaf, &(struct gk_pki_spec){ .subject = "/O=Check/CN=gm",
	                                          .slot = 1,
	                                          .issuer = &root,
	                                          .not_before = from,
	                                          .not_after = to });
	assert_int_equal(judge(&root, &leaf, from - 1),
	                 GK_CERT_FAULT_NOT_YET_VALID);
	assert_int_equal(judge(&root, &leaf, from), GK_CERT_FAULT_NONE);
	assert_int_equal(judge(&root, &leaf, to - 1), GK_CERT_FAULT_NONE);
	/* The provider counts the last second as over; RFC 5280 does not. */
	assert_int_equal(judge(&root, &leaf, to), GK_CERT_FAULT_NONE);
	assert_int_equal(judge(&root, &leaf, to + 1), GK_CERT_FAULT_EXPIRED);
	/* The anchor has an end, too. */
	assert_int_equal(judge(&root, &leaf, to + 11), GK_CERT_FAULT_EXPIRED);
	free_pair(&root, &leaf);
}

GK_TEST(rfc5280_4_1_2_5, validity_ends_at_its_second)
{
	check_validity(GK_PKI_NOW, GK_PKI_NOW + GK_PKI_DAY);
	check_validity(GK_PKI_NOW, 2524608000 + 5 * GK_PKI_DAY);
	check_validity(2524608000 + GK_PKI_DAY, 2524608000 + 5 * GK_PKI_DAY);
}

/* Signed with what few use: the provider verifies it, after it was read in the
 * ordinary way. */
GK_TEST(rfc5280_6_1_3, rare_digests_are_as_good)
{
	static const struct {
		enum gk_pki_alg alg;
		const char *hash;
	} all[] = {
		{ GK_PKI_RSA2048, "SHA224" },
		{ GK_PKI_RSA2048, "SHA3-256" },
		{ GK_PKI_RSA2048, "SHA3-512" },
		{ GK_PKI_P256, "SHA224" },
	};
	struct gk_pki_party root, leaf;

	for (size_t i = 0; i < GK_COUNT(all); i++) {
		make_pair(all[i].alg, all[i].hash, &root, &leaf);
		assert_int_equal(judge(&root, &leaf, GK_PKI_NOW),
		                 GK_CERT_FAULT_NONE);
		free_pair(&root, &leaf);
		change_each_octet(all[i].alg, all[i].hash);
	}
}

/* Of two certificates of one authority, one of which is out of date, the path
 * goes through the other, whichever comes first. */
GK_TEST(rfc5280_6_1_3, the_certificate_in_date_is_chosen)
{
	struct gk_pki_spec ca = { .subject = "/O=Check/CN=renewed ca",
		                  .slot = 1,
		                  .constraints = "critical,CA:TRUE" };
	struct gk_pki_party root, ended, fresh, leaf;

	gk_pki_make(&root,
	            &(struct gk_pki_spec){ .subject = "/O=Check/CN=renewing" });
	ca.issuer = &root;
	gk_pki_make(&fresh, &ca);
	ca.not_before = GK_PKI_NOW - 20 * GK_PKI_DAY;
	ca.not_after = GK_PKI_NOW - 10 * GK_PKI_DAY;
	gk_pki_make(&ended, &ca);
	gk_pki_make(&leaf, &(struct gk_pki_spec){ .subject = "/O=Check/CN=gm",
	                                          .slot = 2,
	                                          .issuer = &fresh });
	for (int turn = 0; turn < 3; turn++) {
		struct gk_cert_fault why = { .kind = GK_CERT_FAULT_NONE };
		struct gk_trust *trust = trust_in(&root);

		gk_assert_ok(gk_trust_add_intermediate(
			trust, turn == 1 ? fresh.cert : ended.cert));
		if (turn != 2)
			gk_assert_ok(gk_trust_add_intermediate(
				trust, turn == 0 ? fresh.cert : ended.cert));
		assert_int_equal(gk_trust_verify(trust, leaf.cert, NULL,
		                                 GK_PKI_NOW, 0, NULL, &why),
		                 turn == 2 ? GK_ERR_AUTH : GK_OK);
		assert_int_equal(why.kind, turn == 2 ? GK_CERT_FAULT_EXPIRED
		                                     : GK_CERT_FAULT_NONE);
		gk_trust_free(trust);
	}
	gk_pki_free(&leaf);
	gk_pki_free(&ended);
	gk_pki_free(&fresh);
	gk_pki_free(&root);
}

/* A CRL counts from its first second to its last: RFC 5280 section 6.3.3 (a), "is
 * after the value of the CRL next update field".  What is known of it, and what
 * else is in date, makes no difference; the provider is asked only when there is
 * something that is not. */
static void
check_crl_ends(bool all_in_date)
{
	static const struct {
		int64_t utc;
		enum gk_cert_fault_kind kind;
	} at[] = {
		{ GK_PKI_NOW + 200, GK_CERT_FAULT_NONE },
		{ GK_PKI_NOW + 99, GK_CERT_FAULT_CRL_EXPIRED },
		{ GK_PKI_NOW + 100, GK_CERT_FAULT_NONE },
		{ GK_PKI_NOW + 199, GK_CERT_FAULT_NONE },
		{ GK_PKI_NOW + 200, GK_CERT_FAULT_NONE },
		{ GK_PKI_NOW + 201, GK_CERT_FAULT_CRL_EXPIRED },
	};
	struct gk_trust_policy policy = { .require_crl = true };
	struct gk_pki_party root, leaf, ended;
	struct gk_trust *trust;
	struct gk_buf crl;

	make_pair(GK_PKI_P256, "SHA256", &root, &leaf);
	gk_pki_make(&ended,
	            &(struct gk_pki_spec){ .subject = "/O=Check/CN=past",
	                                   .constraints = "critical,CA:TRUE",
	                                   .slot = 3,
	                                   .issuer = &root,
	                                   .not_after = GK_PKI_NOW });
	gk_pki_crl(&root, NULL, 0, GK_PKI_NOW + 100, GK_PKI_NOW + 200, NULL,
	           &crl);
	gk_assert_ok(gk_trust_new(&policy, &trust));
	gk_assert_ok(gk_trust_add_anchor(trust, root.cert));
	gk_assert_ok(gk_trust_add_crl(trust, gk_buf_slice(&crl)));
	if (!all_in_date)
		gk_assert_ok(gk_trust_add_intermediate(trust, ended.cert));
	for (size_t i = 0; i < GK_COUNT(at); i++) {
		struct gk_cert_fault why = { .kind = GK_CERT_FAULT_NONE };

		(void)!gk_trust_verify(trust, leaf.cert, NULL, at[i].utc, 0,
		                       NULL, &why);
		assert_int_equal(why.kind, at[i].kind);
	}
	gk_trust_free(trust);
	gk_buf_free(&crl);
	gk_pki_free(&ended);
	free_pair(&root, &leaf);
}

GK_TEST(rfc5280_6_3_3, a_crl_ends_at_its_second)
{
	GK_SHOWS("RFC5280-6.3.3-02");
	check_crl_ends(true);
	check_crl_ends(false);
}

static int
free_keys(void **state)
{
	(void)state;
	gk_pki_keys_free();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc5280_6_1_3, each_octet_is_signed_by_p256),
		GK_RUN(rfc5280_6_1_3, each_octet_is_signed_by_p521),
		GK_RUN(rfc5280_6_1_3, each_octet_is_signed_by_rsa),
		GK_RUN(rfc5280_6_1_3, any_key_signs_with_any_digest),
		GK_RUN(rfc5280_4_1_1_2, another_algorithm_outside_is_refused),
		GK_RUN(rfc5280_6_1_3, another_key_of_that_name_is_refused),
		GK_RUN(rfc5280_4_1_2_5, validity_ends_at_its_second),
		GK_RUN(rfc5280_6_1_3, rare_digests_are_as_good),
		GK_RUN(rfc5280_6_1_3, the_certificate_in_date_is_chosen),
		GK_RUN(rfc5280_6_3_3, a_crl_ends_at_its_second),
	};

	return cmocka_run_group_tests_name("common/crypto/path_check", tests,
	                                   NULL, free_keys);
}
