/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <string.h>

#include "common/base/gk_time.h"
#include "common/crypto/gk_acert.h"
#include "common/crypto/gk_der.h"
#include "common/crypto/gk_hash.h"
#include "common/crypto/gk_oid.h"
#include "common/test/gk_test_pki.h"

/*
 * Attribute certificates: RFC 5755, made here by hand.
 */
enum holder { BASE, ENTITY, KEY, CERT, NOBODY };

struct spec {
	enum holder holder;
	const struct gk_pki_party *issuer; /* NULL: the authority */
	const struct gk_pki_party *signer; /* NULL: the same */
	const struct gk_pki_party *about;  /* NULL: the holder */
	int64_t from, to;                  /* 0: around now */
	bool critical, sha1;
	uint8_t serial;
};

static struct gk_pki_party root, aa, ca, gm, other, stale;
static const char attribute_oid[] = "1.3.6.1.4.1.99999.1";

static int
make_parties(void **state)
{
	(void)state;
	gk_pki_make(&root,
	            &(struct gk_pki_spec){ .subject = "/O=MSEC/CN=Root" });
	gk_pki_make(&aa, &(struct gk_pki_spec){ .subject = "/O=MSEC/CN=AA",
	                                        .slot = 1,
	                                        .issuer = &root });
	gk_pki_make(&ca,
	            &(struct gk_pki_spec){ .subject = "/O=MSEC/CN=CA",
	                                   .slot = 2,
	                                   .issuer = &root,
	                                   .constraints = "critical,CA:TRUE" });
	gk_pki_make(&gm, &(struct gk_pki_spec){ .subject = "/O=MSEC/CN=gm",
	                                        .serial = 77,
	                                        .slot = 3,
	                                        .issuer = &root });
	gk_pki_make(&other, &(struct gk_pki_spec){ .subject = "/O=MSEC/CN=x",
	                                           .slot = 3,
	                                           .issuer = &root });
	gk_pki_make(&stale,
	            &(struct gk_pki_spec){ .subject = "/O=MSEC/CN=Old",
	                                   .slot = 1,
	                                   .issuer = &root,
	                                   .not_after = GK_PKI_NOW - GK_PKI_DAY,
	                                   .not_before = GK_PKI_NOW -
	                                                 9 * GK_PKI_DAY });
	return 0;
}

static int
free_parties(void **state)
{
	(void)state;
	gk_pki_free(&root);
	gk_pki_free(&aa);
	gk_pki_free(&ca);
	gk_pki_free(&gm);
	gk_pki_free(&other);
	gk_pki_free(&stale);
	gk_pki_keys_free();
	return 0;
}

/* ---- making them -------------------------------------------------------- */

static void
put_oid(struct gk_der_wr *wr, const char *text)
{
	uint8_t oid[GK_OID_MAX];
	size_t n;

	gk_assert_ok(gk_oid_parse(gk_slice_str(text), oid, &n));
	gk_der_wr_put(wr, GK_DER_OID, (struct gk_slice){ oid, n });
}

static void
put_algorithm(struct gk_der_wr *wr, bool sha1)
{
	size_t at = gk_der_wr_mark(wr);

	put_oid(wr, sha1 ? "1.2.840.10045.4.1" : "1.2.840.10045.4.3.2");
	gk_der_wr_wrap(wr, GK_DER_SEQUENCE, at);
}

/* GeneralNames with one directoryName. */
static void
put_name(struct gk_der_wr *wr, uint8_t tag, struct gk_slice name)
{
	size_t at = gk_der_wr_mark(wr);

	gk_der_wr_octets(wr, name);
	gk_der_wr_wrap(wr, GK_DER_CONTEXT_CONS(4), at);
	gk_der_wr_wrap(wr, tag, at);
}

static void
put_bits(struct gk_der_wr *wr, struct gk_slice s)
{
	struct gk_buf bits;

	gk_assert_ok(gk_buf_alloc(&bits, s.len + 1));
	bits.ptr[0] = 0;
	memcpy(bits.ptr + 1, s.ptr, s.len);
	gk_der_wr_put(wr, GK_DER_BIT_STRING, gk_buf_slice(&bits));
	gk_buf_free(&bits);
}

static void
put_digest(struct gk_der_wr *wr, uint8_t type, struct gk_slice of)
{
	size_t at = gk_der_wr_mark(wr), alg;
	uint8_t digest[GK_HASH_MAX];

	gk_assert_ok(gk_hash(GK_HASH_SHA256, &of, 1, digest));
	put_bits(wr, (struct gk_slice){ digest, 32 });
	alg = gk_der_wr_mark(wr);
	put_oid(wr, "2.16.840.1.101.3.4.2.1");
	gk_der_wr_wrap(wr, GK_DER_SEQUENCE, alg);
	gk_der_wr_put(wr, 0x0a, (struct gk_slice){ &type, 1 });
	gk_der_wr_wrap(wr, GK_DER_CONTEXT_CONS(2), at);
}

static void
put_holder(struct gk_der_wr *wr, const struct spec *s)
{
	const struct gk_cert *cert = (s->about != NULL ? s->about : &gm)->cert;
	size_t at = gk_der_wr_mark(wr);

	if (s->holder == BASE) {
		gk_der_wr_put(wr, GK_DER_INTEGER, gk_cert_serial_der(cert));
		put_name(wr, GK_DER_SEQUENCE, gk_cert_issuer(cert));
		gk_der_wr_wrap(wr, GK_DER_CONTEXT_CONS(0), at);
	} else if (s->holder == ENTITY) {
		put_name(wr, GK_DER_CONTEXT_CONS(1), gk_cert_subject(cert));
	} else if (s->holder == KEY) {
		put_digest(wr, 0, gk_pubkey_spki(gk_cert_pubkey(cert)));
	} else if (s->holder == CERT) {
		put_digest(wr, 1, gk_cert_der(cert));
	}
	gk_der_wr_wrap(wr, GK_DER_SEQUENCE, at);
}

static void
put_time(struct gk_der_wr *wr, int64_t utc)
{
	uint8_t text[GK_ZULU_LEN];

	gk_zulu_format(utc, text);
	gk_der_wr_put(wr, GK_DER_GENERALIZED_TIME,
	              (struct gk_slice){ text, GK_ZULU_LEN });
}

static void
put_attributes(struct gk_der_wr *wr)
{
	static const uint8_t value[] = { GK_DER_CONTEXT(1), 1, 5 };
	size_t at = gk_der_wr_mark(wr), set = at;

	gk_der_wr_octets(wr, (struct gk_slice){ value, sizeof(value) });
	gk_der_wr_wrap(wr, GK_DER_SET, set);
	put_oid(wr, attribute_oid);
	gk_der_wr_wrap(wr, GK_DER_SEQUENCE, at);
	gk_der_wr_wrap(wr, GK_DER_SEQUENCE, at);
}

static void
put_critical(struct gk_der_wr *wr)
{
	static const uint8_t yes[] = { 0xff }, targets[] = { 0x30, 0 };
	size_t at = gk_der_wr_mark(wr);

	gk_der_wr_put(wr, GK_DER_OCTET_STRING, (struct gk_slice){ targets, 2 });
	gk_der_wr_put(wr, GK_DER_BOOLEAN, (struct gk_slice){ yes, 1 });
	put_oid(wr, "2.5.29.55");
	gk_der_wr_wrap(wr, GK_DER_SEQUENCE, at);
	gk_der_wr_wrap(wr, GK_DER_SEQUENCE, at);
}

static void
make_info(const struct spec *s, struct gk_buf *out)
{
	const struct gk_pki_party *issuer = s->issuer != NULL ? s->issuer : &aa;
	const uint8_t serial = s->serial != 0 ? s->serial : 7, version = 1;
	struct gk_der_wr wr = { .used = 0 };
	size_t at = gk_der_wr_mark(&wr), part;

	if (s->critical)
		put_critical(&wr);
	put_attributes(&wr);
	part = gk_der_wr_mark(&wr);
	put_time(&wr, s->to != 0 ? s->to : GK_PKI_NOW + 60);
	put_time(&wr, s->from != 0 ? s->from : GK_PKI_NOW - 60);
	gk_der_wr_wrap(&wr, GK_DER_SEQUENCE, part);
	gk_der_wr_put(&wr, GK_DER_INTEGER, (struct gk_slice){ &serial, 1 });
	put_algorithm(&wr, s->sha1);
	part = gk_der_wr_mark(&wr);
	put_name(&wr, GK_DER_SEQUENCE, gk_cert_subject(issuer->cert));
	gk_der_wr_wrap(&wr, GK_DER_CONTEXT_CONS(0), part);
	put_holder(&wr, s);
	gk_der_wr_put(&wr, GK_DER_INTEGER, (struct gk_slice){ &version, 1 });
	gk_der_wr_wrap(&wr, GK_DER_SEQUENCE, at);
	gk_assert_ok(gk_der_wr_done(&wr, out));
}

static struct gk_buf
make(const struct spec *s)
{
	const struct gk_sig_alg alg = {
		.scheme = GK_SIG_ECDSA_P256,
		.hash = s->sha1 ? GK_HASH_SHA1_LEGACY : GK_HASH_SHA256,
	};
	const struct gk_pki_party *issuer = s->issuer != NULL ? s->issuer : &aa;
	const struct gk_pki_party *by = s->signer != NULL ? s->signer : issuer;
	struct gk_der_wr wr = { .used = 0 };
	struct gk_buf info, sig, out;
	size_t at = gk_der_wr_mark(&wr);

	make_info(s, &info);
	gk_assert_ok(gk_sign(by->signer, alg, gk_buf_slice(&info), &sig));
	put_bits(&wr, gk_buf_slice(&sig));
	put_algorithm(&wr, s->sha1);
	gk_der_wr_octets(&wr, gk_buf_slice(&info));
	gk_der_wr_wrap(&wr, GK_DER_SEQUENCE, at);
	gk_assert_ok(gk_der_wr_done(&wr, &out));
	gk_buf_free(&info);
	gk_buf_free(&sig);
	return out;
}

static struct gk_trust *
trust(const struct gk_trust_policy *policy)
{
	struct gk_trust *t;

	gk_assert_ok(gk_trust_new(policy, &t));
	gk_assert_ok(gk_trust_add_anchor(t, root.cert));
	gk_assert_ok(gk_trust_add_authority(t, aa.cert));
	gk_assert_ok(gk_trust_add_authority(t, ca.cert));
	gk_assert_ok(gk_trust_add_authority(t, stale.cert));
	return t;
}

static enum gk_acert_fault
judge(const struct spec *s, const struct gk_trust *t)
{
	struct gk_buf der = make(s);
	enum gk_acert_fault fault;
	struct gk_acert acert;
	enum gk_err err;

	gk_assert_ok(gk_acert_decode(gk_buf_slice(&der), &acert));
	err = gk_acert_verify(&acert, t, gm.cert, GK_PKI_NOW, &fault);
	assert_int_equal(err == GK_OK, fault == GK_ACERT_FAULT_NONE);
	gk_buf_free(&der);
	return fault;
}

/* ---- tests -------------------------------------------------------------- */

GK_TEST(rfc4535_7_7_1_07, attribute_certificate_says_what_was_put_in)
{
	struct gk_buf der = make(&(struct spec){ .holder = BASE });
	uint8_t oid[GK_OID_MAX];
	struct gk_slice values;
	struct gk_acert a;
	size_t n;

	gk_assert_ok(gk_acert_decode(gk_buf_slice(&der), &a));
	assert_true(gk_slice_equal(a.issuer, gk_cert_subject(aa.cert)));
	assert_true(gk_slice_equal(a.base_issuer, gk_cert_subject(root.cert)));
	assert_int_equal(a.not_before, GK_PKI_NOW - 60);
	assert_int_equal(a.not_after, GK_PKI_NOW + 60);
	assert_false(a.critical);
	gk_assert_ok(gk_oid_parse(gk_slice_str(attribute_oid), oid, &n));
	values = gk_acert_attribute(&a, (struct gk_slice){ oid, n });
	assert_int_equal(values.len, 3);
	assert_int_equal(values.ptr[2], 5);
	assert_int_equal(
		gk_acert_attribute(&a, (struct gk_slice){ oid, n - 1 }).len, 0);
	gk_buf_free(&der);
}

GK_TEST(rfc4535_7_7_2_03, attribute_certificate_cut_or_longer_is_refused)
{
	struct gk_buf der = make(&(struct spec){ .holder = BASE });
	struct gk_acert a;

	for (size_t n = 0; n < der.len; n++)
		assert_int_not_equal(
			gk_acert_decode((struct gk_slice){ der.ptr, n }, &a),
			GK_OK);
	gk_assert_ok(gk_buf_append(&der, gk_slice_str("x")));
	assert_int_not_equal(gk_acert_decode(gk_buf_slice(&der), &a), GK_OK);
	gk_buf_free(&der);
}

GK_TEST(rfc4535_7_7_2_03, attribute_certificate_without_holder_is_refused)
{
	struct gk_buf der = make(&(struct spec){ .holder = NOBODY });
	struct gk_acert a;

	gk_assert_err(GK_ERR_VALUE, gk_acert_decode(gk_buf_slice(&der), &a));
	gk_buf_free(&der);
}

/* Whatever octet is changed, it is not believed any more. */
GK_TEST(crypto_acert, changed_octet_is_noticed)
{
	struct gk_buf der = make(&(struct spec){ .holder = BASE });
	struct gk_trust *t = trust(NULL);
	enum gk_acert_fault fault;
	struct gk_acert a;

	for (size_t i = 0; i < der.len; i++) {
		der.ptr[i] ^= 0x01;
		if (gk_acert_decode(gk_buf_slice(&der), &a) == GK_OK)
			assert_int_not_equal(gk_acert_verify(&a, t, gm.cert,
			                                     GK_PKI_NOW,
			                                     &fault),
			                     GK_OK);
		der.ptr[i] ^= 0x01;
	}
	gk_assert_ok(gk_acert_decode(gk_buf_slice(&der), &a));
	gk_assert_ok(gk_acert_verify(&a, t, gm.cert, GK_PKI_NOW, &fault));
	gk_trust_free(t);
	gk_buf_free(&der);
}

GK_TEST(crypto_acert, holder_is_named_in_four_ways)
{
	struct gk_trust *t = trust(NULL);

	for (int h = BASE; h <= CERT; h++) {
		struct spec s = { .holder = (enum holder)h };

		assert_int_equal(judge(&s, t), GK_ACERT_FAULT_NONE);
		s.about = &other; /* who has the same key */
		assert_int_equal(judge(&s, t), h == KEY
		                                       ? GK_ACERT_FAULT_NONE
		                                       : GK_ACERT_FAULT_HOLDER);
	}
	gk_trust_free(t);
}

GK_TEST(crypto_acert, what_is_not_believed)
{
	const struct {
		struct spec spec;
		enum gk_acert_fault fault;
	} cases[] = {
		{ { .issuer = &gm }, GK_ACERT_FAULT_ISSUER },
		{ { .signer = &gm }, GK_ACERT_FAULT_SIGNATURE },
		{ { .issuer = &ca }, GK_ACERT_FAULT_AUTHORITY },
		{ { .issuer = &stale }, GK_ACERT_FAULT_AUTHORITY },
		{ { .critical = true }, GK_ACERT_FAULT_EXTENSION },
		{ { .sha1 = true }, GK_ACERT_FAULT_WEAK },
		{ { .to = GK_PKI_NOW - 1 }, GK_ACERT_FAULT_VALIDITY },
		{ { .from = GK_PKI_NOW + 1 }, GK_ACERT_FAULT_VALIDITY },
		{ { .from = GK_PKI_NOW, .to = GK_PKI_NOW },
		  GK_ACERT_FAULT_NONE }, /* RFC 5755 section 5: both count */
	};
	struct gk_trust *t = trust(NULL);

	for (size_t i = 0; i < GK_COUNT(cases); i++)
		assert_int_equal(judge(&cases[i].spec, t), cases[i].fault);
	gk_trust_free(t);
	t = trust(&(struct gk_trust_policy){ .allow_legacy = true });
	assert_int_equal(judge(&(struct spec){ .sha1 = true }, t),
	                 GK_ACERT_FAULT_NONE);
	gk_trust_free(t);
}

/* A list that the authority signed; one of somebody else with its name. */
GK_TEST(crypto_acert, revoked_by_its_authority)
{
	struct gk_trust *t = trust(NULL);
	const struct gk_pki_party *list[] = { &gm };
	struct gk_buf crl;
	struct spec s = { .holder = BASE };

	/* The CRL lists the serial number of gm's certificate; so does the
	 * attribute certificate have it as its own. */
	s.serial = gk_cert_serial(gm.cert).ptr[0];
	assert_int_equal(gk_cert_serial(gm.cert).len, 1);
	assert_int_equal(judge(&s, t), GK_ACERT_FAULT_NONE);
	gk_pki_crl(&root, list, 1, GK_PKI_NOW - 60, GK_PKI_NOW + 60, NULL,
	           &crl);
	gk_assert_ok(gk_trust_add_crl(t, gk_buf_slice(&crl)));
	gk_buf_free(&crl);
	assert_int_equal(judge(&s, t), GK_ACERT_FAULT_NONE);
	gk_pki_crl(&aa, list, 1, GK_PKI_NOW - 60, GK_PKI_NOW + 60, NULL, &crl);
	gk_assert_ok(gk_trust_add_crl(t, gk_buf_slice(&crl)));
	gk_buf_free(&crl);
	assert_int_equal(judge(&s, t), GK_ACERT_FAULT_REVOKED);
	s.serial++;
	assert_int_equal(judge(&s, t), GK_ACERT_FAULT_NONE);
	gk_trust_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_7_7_1_07,
		       attribute_certificate_says_what_was_put_in),
		GK_RUN(rfc4535_7_7_2_03,
		       attribute_certificate_cut_or_longer_is_refused),
		GK_RUN(rfc4535_7_7_2_03,
		       attribute_certificate_without_holder_is_refused),
		GK_RUN(crypto_acert, changed_octet_is_noticed),
		GK_RUN(crypto_acert, holder_is_named_in_four_ways),
		GK_RUN(crypto_acert, what_is_not_believed),
		GK_RUN(crypto_acert, revoked_by_its_authority),
	};

	return cmocka_run_group_tests_name("common/crypto acert", tests,
	                                   make_parties, free_parties);
}
