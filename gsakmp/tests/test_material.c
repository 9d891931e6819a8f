/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <string.h>

#include "common/crypto/gk_der.h"
#include "common/crypto/gk_hash.h"
#include "common/crypto/gk_trust.h"
#include "common/test/gk_test_pki.h"
#include "gsakmp/engine/verify.h"

/*
 * What Certificate payloads bring, type by type, and the cache behind those that
 * bring only a hash and a URL: RFC 4535 section 7.7, RFC 4306 section 3.6.
 */
static struct gk_pki_party root, leaf;
static struct gk_trust *trust;
static struct gsakmp_fetched *cache;
static struct gsakmp_material m;
static struct gsakmp_message msg;
static struct gsakmp_reject why;
static const struct gsakmp_dialect dialect;
static struct gsakmp_party party;
static struct gsakmp_verify v;

#define URL "http://certs.example/1"

static int
set_up(void **state)
{
	(void)state;
	gk_pki_make(&root, &(struct gk_pki_spec){ .subject = "/CN=Root" });
	gk_pki_make(&leaf, &(struct gk_pki_spec){ .subject = "/CN=a",
	                                          .slot = 1,
	                                          .issuer = &root });
	gk_assert_ok(gk_trust_new(NULL, &trust));
	gk_assert_ok(gk_trust_add_anchor(trust, root.cert));
	cache = gsakmp_fetched_new();
	party.trust = trust;
	v = (struct gsakmp_verify){ .party = &party,
		                    .dialect = &dialect,
		                    .fetched = cache };
	return cache == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	(void)state;
	gsakmp_fetched_free(cache);
	gk_trust_free(trust);
	gk_pki_free(&root);
	gk_pki_free(&leaf);
	gk_pki_keys_free();
	return 0;
}

static enum gk_err
collect(uint16_t type, struct gk_slice data)
{
	gsakmp_material_clear(&m);
	m = (struct gsakmp_material){ .n_crls = 0 };
	why = (struct gsakmp_reject){ .req = NULL };
	msg.n_certificates = 1;
	msg.certificate[0].type = type;
	msg.certificate[0].data = data;
	return gsakmp_material_collect(&v, &msg, &m, &why);
}

/* SHA-1 of the octets, then the URL. */
static void
by_url(struct gk_slice octets, struct gk_buf *out)
{
	uint8_t digest[GK_HASH_MAX];

	gk_assert_ok(gk_hash(GK_HASH_SHA1_LEGACY, &octets, 1, digest));
	gk_assert_ok(gk_buf_copy(out, (struct gk_slice){ digest, 20 }));
	gk_assert_ok(gk_buf_append(out, gk_slice_str(URL)));
}

static struct gk_slice
hash_in(const struct gk_buf *data)
{
	return (struct gk_slice){ data->ptr, GSAKMP_URL_HASH_LEN };
}

GK_TEST(rfc4535_7_7_1_07, certificates_anchors_and_lists_are_told_apart)
{
	static const uint8_t crl[] = { 0x30, 0 };

	gk_assert_ok(
		collect(GSAKMP_CERT_X509_SIGNATURE, gk_cert_der(leaf.cert)));
	assert_int_equal(m.certs.n, 1);
	/* RFC4535-7.7.2-04: the trusted authority's own is dropped. */
	gk_assert_ok(
		collect(GSAKMP_CERT_X509_SIGNATURE, gk_cert_der(root.cert)));
	assert_int_equal(m.certs.n, 0);
	gk_assert_ok(collect(GSAKMP_CERT_CRL, (struct gk_slice){ crl, 2 }));
	assert_int_equal(m.n_crls, 1);
	gk_assert_ok(collect(GSAKMP_CERT_NONE, (struct gk_slice){ crl, 2 }));
	assert_int_equal(m.n_unusable, 1);
	gsakmp_material_clear(&m);
}

GK_TEST(rfc4535_7_7_2_03, garbage_of_any_type_is_refused)
{
	static const uint16_t types[] = {
		GSAKMP_CERT_X509_SIGNATURE,  GSAKMP_CERT_X509_ATTRIBUTE,
		GSAKMP_CERT_RAW_RSA_KEY,     GSAKMP_CERT_HASH_URL_CERT,
		GSAKMP_CERT_HASH_URL_BUNDLE,
	};

	for (size_t i = 0; i < GK_COUNT(types); i++) {
		gk_assert_err(GK_ERR_VALUE,
		              collect(types[i], gk_slice_str("garbage")));
		assert_string_equal(why.req, "RFC4535-7.7.2-03");
	}
	gsakmp_material_clear(&m);
}

GK_TEST(rfc4535_7_7_1_07, hash_and_url_is_wanted_then_used)
{
	struct gk_slice der = gk_cert_der(leaf.cert);
	struct gk_buf data;

	by_url(der, &data);
	gk_assert_ok(collect(GSAKMP_CERT_HASH_URL_CERT, gk_buf_slice(&data)));
	assert_int_equal(m.certs.n, 0);
	assert_int_equal(m.n_wanted, 1);
	assert_true(gk_slice_equal(m.wanted[0].url, gk_slice_str(URL)));
	/* Other octets than the hash says are a failure, and remembered. */
	gk_assert_err(GK_ERR_VALUE,
	              gsakmp_fetched_put(cache, hash_in(&data),
	                                 gk_cert_der(root.cert), 1000));
	v.mono_ms = 1000 + GSAKMP_FETCHED_FAILURE_MS - 1;
	gk_assert_ok(collect(GSAKMP_CERT_HASH_URL_CERT, gk_buf_slice(&data)));
	assert_int_equal(m.n_wanted, 0);
	v.mono_ms++;
	gk_assert_ok(collect(GSAKMP_CERT_HASH_URL_CERT, gk_buf_slice(&data)));
	assert_int_equal(m.n_wanted, 1);
	gk_assert_ok(gsakmp_fetched_put(cache, hash_in(&data), der, 0));
	gk_assert_ok(collect(GSAKMP_CERT_HASH_URL_CERT, gk_buf_slice(&data)));
	assert_int_equal(m.n_wanted, 0);
	assert_int_equal(m.certs.n, 1);
	assert_true(gk_cert_equal(m.certs.cert[0], leaf.cert));
	/* A server that is away later takes nothing away. */
	(void)gsakmp_fetched_put(cache, hash_in(&data), (struct gk_slice){ 0 },
	                         0);
	gk_assert_ok(collect(GSAKMP_CERT_HASH_URL_CERT, gk_buf_slice(&data)));
	assert_int_equal(m.certs.n, 1);
	/* Where nothing is fetched, it is of no use. */
	v.fetched = NULL;
	gk_assert_ok(collect(GSAKMP_CERT_HASH_URL_CERT, gk_buf_slice(&data)));
	assert_int_equal(m.n_unusable, 1);
	v.fetched = cache;
	gsakmp_material_clear(&m);
	gk_buf_free(&data);
}

/* SEQUENCE OF CHOICE { cert [0], crl [1] }, both EXPLICIT. */
static void
make_bundle(size_t n_certs, size_t n_crls, struct gk_buf *out)
{
	static const uint8_t crl[] = { 0x30, 0x03, 0x02, 0x01, 0x01 };
	struct gk_der_wr wr = { .used = 0 };
	size_t all = gk_der_wr_mark(&wr);

	for (size_t i = 0; i < n_crls; i++) {
		size_t at = gk_der_wr_mark(&wr);

		gk_der_wr_octets(&wr, (struct gk_slice){ crl, sizeof(crl) });
		gk_der_wr_wrap(&wr, GK_DER_CONTEXT_CONS(1), at);
	}
	for (size_t i = 0; i < n_certs; i++) {
		size_t at = gk_der_wr_mark(&wr);

		gk_der_wr_octets(&wr, gk_cert_der(leaf.cert));
		gk_der_wr_wrap(&wr, GK_DER_CONTEXT_CONS(0), at);
	}
	gk_der_wr_wrap(&wr, GK_DER_SEQUENCE, all);
	gk_assert_ok(gk_der_wr_done(&wr, out));
}

static enum gk_err
collect_bundle(struct gk_slice bundle)
{
	struct gk_buf data;
	enum gk_err err;

	by_url(bundle, &data);
	gk_assert_ok(gsakmp_fetched_put(cache, hash_in(&data), bundle, 0));
	err = collect(GSAKMP_CERT_HASH_URL_BUNDLE, gk_buf_slice(&data));
	gk_buf_free(&data);
	return err;
}

GK_TEST(rfc4535_7_7_1_07, bundle_has_certificates_and_lists)
{
	struct gk_buf bundle;

	make_bundle(2, 1, &bundle);
	gk_assert_ok(collect_bundle(gk_buf_slice(&bundle)));
	assert_int_equal(m.certs.n, 2);
	assert_int_equal(m.n_crls, 1);
	gk_buf_free(&bundle);
	/* As many as there is room for, and not one more. */
	make_bundle(GSAKMP_MATERIAL_CERTS + 5, GSAKMP_MATERIAL_CRLS + 5,
	            &bundle);
	gk_assert_ok(collect_bundle(gk_buf_slice(&bundle)));
	assert_int_equal(m.certs.n, GSAKMP_MATERIAL_CERTS);
	assert_int_equal(m.n_crls, GSAKMP_MATERIAL_CRLS);
	gk_buf_free(&bundle);
	gsakmp_material_clear(&m);
}

GK_TEST(rfc4535_7_7_2_03, bundle_cut_anywhere_is_refused)
{
	struct gk_buf bundle;

	make_bundle(1, 1, &bundle);
	for (size_t n = 1; n < bundle.len; n++)
		gk_assert_err(GK_ERR_VALUE, collect_bundle((struct gk_slice){
						    bundle.ptr, n }));
	gk_buf_free(&bundle);
	gsakmp_material_clear(&m);
}

/* However much is fetched, the room stays what it is. */
GK_TEST(rfc4535_7_7_1_07, cache_keeps_what_was_used_last)
{
	static uint8_t big[GSAKMP_FETCHED_OCTETS / 4];
	struct gk_buf first = { 0 }, out = { 0 };

	for (unsigned i = 0; i < 5; i++) {
		struct gk_slice octets = { big, sizeof(big) };
		struct gk_buf data;

		big[0] = (uint8_t)i;
		by_url(octets, &data);
		gk_assert_ok(
			gsakmp_fetched_put(cache, hash_in(&data), octets, 0));
		gk_assert_ok(
			gsakmp_fetched_get(cache, hash_in(&data), 0, &out));
		gk_buf_free(&out);
		if (i == 0)
			first = data;
		else
			gk_buf_free(&data);
	}
	gk_assert_err(GK_ERR_UNEXPECTED,
	              gsakmp_fetched_get(cache, hash_in(&first), 0, &out));
	gk_buf_free(&first);
	for (unsigned i = 0; i < 2 * GSAKMP_FETCHED_ENTRIES; i++) {
		uint8_t hash[GSAKMP_URL_HASH_LEN] = { (uint8_t)i,
			                              (uint8_t)(i >> 8), 1 };

		gk_assert_err(GK_ERR_VALUE,
		              gsakmp_fetched_put(
				      cache,
				      (struct gk_slice){ hash, sizeof(hash) },
				      (struct gk_slice){ 0 }, 0));
	}
	gk_assert_err(GK_ERR_VALUE,
	              gsakmp_fetched_put(cache, gk_slice_str("short"),
	                                 (struct gk_slice){ 0 }, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_7_7_1_07,
		       certificates_anchors_and_lists_are_told_apart),
		GK_RUN(rfc4535_7_7_2_03, garbage_of_any_type_is_refused),
		GK_RUN(rfc4535_7_7_1_07, hash_and_url_is_wanted_then_used),
		GK_RUN(rfc4535_7_7_1_07, bundle_has_certificates_and_lists),
		GK_RUN(rfc4535_7_7_2_03, bundle_cut_anywhere_is_refused),
		GK_RUN(rfc4535_7_7_1_07, cache_keeps_what_was_used_last),
	};

	return cmocka_run_group_tests_name("gsakmp/material", tests, set_up,
	                                   tear_down);
}
