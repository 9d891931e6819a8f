/* SPDX-License-Identifier: BSD-2-Clause */
/* Forms of RSA keys, right and wrong: what becomes of each, and what OpenSSL says of
 * it in its ordinary way. */
#include "common/test/gk_test.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "common/crypto/gk_der.h"
#include "common/crypto/gk_rsa_key.h"
#include "common/crypto/gk_x509_der.h"
#include "common/test/gk_test_pki.h"

static int
free_keys(void **state)
{
	(void)state;
	gk_pki_keys_free();
	return 0;
}

/* Where the library has no such functions, all are the provider's. */
static void
make(struct gk_pki_party *party, enum gk_pki_alg alg)
{
	if (!gk_rsa_key_there())
		skip();
	gk_pki_make(party,
	            &(struct gk_pki_spec){ .subject = "/CN=rsa", .alg = alg });
}

static void
assert_same_spki(struct gk_slice spki, const X509 *x509)
{
	uint8_t *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &der);

	assert_true(n > 0);
	assert_true(gk_slice_equal(spki, (struct gk_slice){ der, (size_t)n }));
	OPENSSL_free(der);
}

#define RSA_OID 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1

/* The octets of a SubjectPublicKeyInfo, right or wrong. */
struct form {
	struct gk_slice id;      /* contents of the AlgorithmIdentifier */
	struct gk_slice n, e;    /* contents of the INTEGERs */
	struct gk_slice in_key;  /* behind them */
	struct gk_slice in_bits; /* behind RSAPublicKey */
	struct gk_slice in_info; /* behind the BIT STRING */
	struct gk_slice behind;  /* all of it */
	uint8_t unused;          /* bits */
};

static void
build(const struct form *form, struct gk_buf *out)
{
	struct gk_der_wr wr = { 0 };

	gk_der_wr_octets(&wr, form->behind);
	size_t at = gk_der_wr_mark(&wr);
	gk_der_wr_octets(&wr, form->in_info);
	size_t bits = gk_der_wr_mark(&wr);
	gk_der_wr_octets(&wr, form->in_bits);
	size_t key = gk_der_wr_mark(&wr);
	gk_der_wr_octets(&wr, form->in_key);
	gk_der_wr_put(&wr, GK_DER_INTEGER, form->e);
	gk_der_wr_put(&wr, GK_DER_INTEGER, form->n);
	gk_der_wr_wrap(&wr, GK_DER_SEQUENCE, key);
	gk_der_wr_octets(&wr, (struct gk_slice){ &form->unused, 1 });
	gk_der_wr_wrap(&wr, GK_DER_BIT_STRING, bits);
	gk_der_wr_put(&wr, GK_DER_SEQUENCE, form->id);
	gk_der_wr_wrap(&wr, GK_DER_SEQUENCE, at);
	gk_assert_ok(gk_der_wr_done(&wr, out));
}

/* The key by itself: the same verdict, and the same key. */
static bool
both_read(struct gk_slice spki)
{
	const uint8_t *p = spki.ptr;
	EVP_PKEY *pkey = d2i_PUBKEY(NULL, &p, (long)spki.len);
	bool ok = pkey != NULL && p == spki.ptr + spki.len;
	struct gk_pubkey *pub;

	assert_true(ok == (gk_pubkey_from_spki(spki, &pub) == GK_OK));
	if (ok) {
		uint8_t *der = NULL;
		int n = i2d_PUBKEY(pkey, &der);

		assert_int_equal(EVP_PKEY_eq(gk_pubkey_pkey(pub), pkey), 1);
		assert_int_equal(gk_pubkey_bits(pub), EVP_PKEY_get_bits(pkey));
		assert_true(
			gk_slice_equal(gk_pubkey_spki(pub),
		                       (struct gk_slice){ der, (size_t)n }));
		OPENSSL_free(der);
	}
	gk_pubkey_free(pub);
	EVP_PKEY_free(pkey);
	return ok;
}

/* The certificate: the same verdict, and what stands in it. */
static bool
both_take(struct gk_slice der)
{
	X509 *plain = gk_ossl_plain(der);
	uint8_t *again = NULL;
	struct gk_cert *cert;
	int n = plain == NULL ? 0 : i2d_X509(plain, &again);
	bool ok;

	ok = n > 0 && gk_der_certificate(der) &&
	     X509_get0_pubkey(plain) != NULL &&
	     gk_slice_equal(der, (struct gk_slice){ again, (size_t)n });
	assert_true(ok == (gk_cert_from_der(der, &cert) == GK_OK));
	if (ok) {
		const struct gk_pubkey *pub = gk_cert_pubkey(cert);

		assert_same_spki(gk_pubkey_spki(pub), plain);
		assert_int_equal(EVP_PKEY_get_base_id(gk_pubkey_pkey(pub)),
		                 EVP_PKEY_get_base_id(X509_get0_pubkey(plain)));
		assert_int_equal(gk_pubkey_bits(pub),
		                 EVP_PKEY_get_bits(X509_get0_pubkey(plain)));
		assert_int_equal(X509_cmp(gk_cert_x509(cert), plain), 0);
	}
	gk_cert_free(cert);
	OPENSSL_free(again);
	X509_free(plain);
	return ok;
}

/* wrap - a certificate around such a key; the caller frees. */
static struct gk_slice
wrap(const struct gk_pki_party *party, struct gk_slice spki)
{
	struct gk_der_wr wr = { 0 };
	struct gk_rd rd, cert, tbs;
	struct gk_slice before, after, rest;
	struct gk_buf out;
	const uint8_t *from;

	gk_rd_init(&rd, gk_cert_der(party->cert).ptr,
	           gk_cert_der(party->cert).len);
	cert = gk_der_enter(&rd, GK_DER_SEQUENCE, "Certificate");
	tbs = gk_der_enter(&cert, GK_DER_SEQUENCE, "tbsCertificate");
	rest = (struct gk_slice){ cert.pos, gk_rd_left(&cert) };
	from = tbs.pos;
	for (int i = 0; i < 6; i++) /* version to subject */
		(void)gk_der_any(&tbs, "field");
	before = (struct gk_slice){ from, (size_t)(tbs.pos - from) };
	(void)gk_der_any(&tbs, "subjectPublicKeyInfo");
	after = (struct gk_slice){ tbs.pos, gk_rd_left(&tbs) };

	gk_der_wr_octets(&wr, rest);
	size_t at = gk_der_wr_mark(&wr);
	gk_der_wr_octets(&wr, after);
	gk_der_wr_octets(&wr, spki);
	gk_der_wr_octets(&wr, before);
	gk_der_wr_wrap(&wr, GK_DER_SEQUENCE, at);
	gk_der_wr_wrap(&wr, GK_DER_SEQUENCE, 0);
	gk_assert_ok(gk_der_wr_done(&wr, &out));
	return gk_buf_slice(&out);
}

static bool
taken(const struct gk_pki_party *party, const struct form *form)
{
	struct gk_slice der;
	struct gk_buf spki;
	EVP_PKEY *pkey;

	build(form, &spki);
	(void)both_read(gk_buf_slice(&spki));
	der = wrap(party, gk_buf_slice(&spki));
	(void)both_take(der);
	free((void *)(uintptr_t)der.ptr);
	pkey = gk_rsa_key(gk_buf_slice(&spki));
	gk_buf_free(&spki);
	EVP_PKEY_free(pkey);
	return pkey != NULL;
}

static const uint8_t id_null[] = { RSA_OID, 5, 0 };
static const uint8_t e_65537[] = { 1, 0, 1 };
#define SLICE(octets) ((struct gk_slice){ octets, sizeof(octets) })

/* The one form of RFC 3279 goes the short way; all others are what they were. */
GK_TEST(rfc3279_2_3_1, another_form_is_for_the_provider)
{
	static const uint8_t id_alone[] = { RSA_OID },
			     id_sequence[] = { RSA_OID, 0x30, 0 },
			     id_more[] = { RSA_OID, 5, 0, 5, 0 },
			     id_long[] = { RSA_OID, 5, 0x81, 0 },
			     null[] = { 5, 0 }, octet[] = { 0 },
			     number[] = { 2, 1, 3 };
	uint8_t n[2 + 256]; /* from n[1] on it is right */
	struct form good = { .id = SLICE(id_null),
		             .n = { n + 1, 257 },
		             .e = SLICE(e_65537) };
	struct gk_pki_party party;
	struct form f;

	make(&party, GK_PKI_RSA2048);
	memset(n, 0xc5, sizeof(n));
	n[0] = n[1] = 0;
	assert_true(taken(&party, &good));
#define NOT_WITH(member, ...)                            \
	do {                                             \
		f = good;                                \
		f.member = (struct gk_slice)__VA_ARGS__; \
		assert_false(taken(&party, &f));         \
	} while (0)
	NOT_WITH(id, SLICE(id_alone));
	NOT_WITH(id, SLICE(id_sequence));
	NOT_WITH(id, SLICE(id_more));
	NOT_WITH(id, SLICE(id_long));
	NOT_WITH(n, { n, 258 });     /* 00 00 */
	NOT_WITH(n, { n + 2, 256 }); /* negative */
	NOT_WITH(n, { n, 0 });
	NOT_WITH(e, { n, 0 });
	NOT_WITH(in_key, SLICE(number));
	NOT_WITH(in_key, SLICE(octet));
	NOT_WITH(in_bits, SLICE(null));
	NOT_WITH(in_info, SLICE(null));
	NOT_WITH(behind, SLICE(octet));
	f = good;
	f.unused = 1;
	assert_false(taken(&party, &f));
	f.unused = 8;
	assert_false(taken(&party, &f));
	gk_pki_free(&party);
}

/* Numbers that are no key of a usual kind: what becomes of them is the provider's
 * affair, as it was. */
GK_TEST(rfc8017_3_1, odd_numbers_are_for_the_provider)
{
	static const uint8_t zero[] = { 0 }, one[] = { 1 }, two[] = { 2 },
			     three[] = { 3 }, padded_e[] = { 0, 1, 0, 1 },
			     negative[] = { 0x81 },
			     most[] = { 0,    0xff, 0xff, 0xff, 0xff,
		                        0xff, 0xff, 0xff, 0xff },
			     more[] = { 1, 0, 0, 0, 0, 0, 0, 0, 1 };
	const struct {
		struct gk_slice e;
		bool taken;
	} exponents[] = {
		{ SLICE(zero), false },     { SLICE(one), false },
		{ SLICE(two), false },      { SLICE(three), true },
		{ SLICE(padded_e), false }, { SLICE(negative), false },
		{ SLICE(most), true },      { SLICE(more), false },
	};
	static const struct {
		unsigned bits;
		bool taken;
	} sizes[] = { { 8, false },    { 512, false },  { 1016, false },
		      { 1023, false }, { 1024, true },  { 1031, true },
		      { 3072, true },  { 4096, true },  { 8192, true },
		      { 8193, false }, { 8200, false }, { 16384, false },
		      { 17000, false } };
	static uint8_t n[17001 / 8 + 2];
	struct form f = { .id = SLICE(id_null) };
	struct gk_pki_party party;

	make(&party, GK_PKI_RSA2048);
	memset(n, 0xff, sizeof(n));
	n[0] = 0;
	f.n = (struct gk_slice){ n, 257 };
	for (size_t i = 0; i < GK_COUNT(exponents); i++) {
		f.e = exponents[i].e;
		assert_true(taken(&party, &f) == exponents[i].taken);
	}
	f.e = SLICE(e_65537);
	n[256] = 0xfe;
	assert_false(taken(&party, &f)); /* even */
	n[256] = 0xff;
	for (size_t i = 0; i < GK_COUNT(sizes); i++) {
		size_t octets = (sizes[i].bits + 7) / 8;
		unsigned top = sizes[i].bits - 8 * ((unsigned)octets - 1);
		bool lead = top == 8;

		n[1] = (uint8_t)(0xff >> (8 - top));
		f.n = (struct gk_slice){ n + !lead, octets + lead };
		assert_true(taken(&party, &f) == sizes[i].taken);
	}
	gk_pki_free(&party);
}

/* Each octet of a key changed in three ways, and its end cut off anywhere. */
GK_TEST(rfc3279_2_3_1, each_octet_is_looked_at)
{
	static const uint8_t change[] = { 1, 0x40, 0xff };
	struct gk_pki_party party;
	struct gk_slice whole;
	struct gk_buf spki;
	size_t taken_in = 0;

	make(&party, GK_PKI_RSA1024);
	gk_assert_ok(
		gk_buf_copy(&spki, gk_pubkey_spki(gk_cert_pubkey(party.cert))));
	whole = gk_buf_slice(&spki);
	assert_true(both_read(whole));
	for (size_t i = 0; i < spki.len; i++) {
		assert_null(gk_rsa_key((struct gk_slice){ spki.ptr, i }));
		for (size_t k = 0; k < GK_COUNT(change); k++) {
			struct gk_slice der;
			EVP_PKEY *pkey;

			spki.ptr[i] ^= change[k];
			(void)both_read(whole);
			der = wrap(&party, whole);
			(void)both_take(der);
			free((void *)(uintptr_t)der.ptr);
			pkey = gk_rsa_key(whole);
			taken_in += pkey != NULL;
			EVP_PKEY_free(pkey);
			spki.ptr[i] ^= change[k];
		}
	}
	assert_true(taken_in > 128); /* most octets are the modulus */
	gk_buf_free(&spki);
	gk_pki_free(&party);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc3279_2_3_1, another_form_is_for_the_provider),
		GK_RUN(rfc8017_3_1, odd_numbers_are_for_the_provider),
		GK_RUN(rfc3279_2_3_1, each_octet_is_looked_at),
	};

	return cmocka_run_group_tests_name("common/crypto/rsa_form", tests,
	                                   NULL, free_keys);
}
