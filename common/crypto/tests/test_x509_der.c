/* SPDX-License-Identifier: BSD-2-Clause */
/* Certificates and CRLs are DER, also inside of what is signed. */
#include "common/test/gk_test.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>

#include "common/crypto/gk_der.h"
#include "common/crypto/gk_trust.h"
#include "common/crypto/gk_x509_der.h"
#include "common/test/gk_test_pki.h"

#define ROOM 2048

static struct gk_pki_party parties[GK_PKI_ALGS];
static struct gk_buf crl;

static int
make_parties(void **state)
{
	const struct gk_pki_party *revoked = &parties[0];

	(void)state;
	for (unsigned i = 0; i < GK_PKI_ALGS; i++)
		gk_pki_make(&parties[i],
		            &(struct gk_pki_spec){ .subject = "/O=MSEC/CN=der",
		                                   .alg = i,
		                                   .san = "DNS:der.example" });
	gk_pki_crl(&parties[0], &revoked, 1, GK_PKI_NOW, GK_PKI_NOW + 9, NULL,
	           &crl);
	return 0;
}

static int
free_parties(void **state)
{
	(void)state;
	for (unsigned i = 0; i < GK_PKI_ALGS; i++)
		gk_pki_free(&parties[i]);
	gk_buf_free(&crl);
	gk_pki_keys_free();
	return 0;
}

static bool
taken(struct gk_slice der)
{
	struct gk_cert *cert;
	bool ok = gk_cert_from_der(der, &cert) == GK_OK;

	if (ok)
		gk_cert_free(cert);
	return ok;
}

static bool
crl_taken(struct gk_slice der)
{
	struct gk_trust *trust;
	bool ok;

	gk_assert_ok(gk_trust_new(NULL, &trust));
	ok = gk_trust_add_crl(trust, der) == GK_OK;
	gk_trust_free(trust);
	return ok;
}

/* ---- lengths ------------------------------------------------------------ */

static size_t
put_len(uint8_t *out, size_t len, bool spoilt)
{
	unsigned n = len < 0x80 ? 0 : len < 0x100 ? 1 : 2;
	size_t at = 0;

	n += spoilt;
	if (n == 0) {
		out[0] = (uint8_t)len;
		return 1;
	}
	out[at++] = (uint8_t)(0x80 | n);
	while (n-- > 0)
		out[at++] = (uint8_t)(len >> 8 * n);
	return at;
}

/* spoil - the elements of @in, where the length of the @k-th, counted as they end,
 * has an octet too many; *@k is negative after that. */
static size_t
spoil(struct gk_slice in, uint8_t *out, int *k)
{
	struct gk_rd rd;
	size_t n = 0;

	gk_rd_init(&rd, in.ptr, in.len);
	while (gk_rd_left(&rd) > 0) {
		uint8_t tag = gk_rd_u8(&rd, "tag"), inside[ROOM];
		struct gk_slice body = gk_der_contents(&rd, "contents");

		assert_int_equal(rd.fault.err, GK_OK);
		assert_true(body.len < ROOM - 16);
		if ((tag & 0x20) != 0)
			body.len = spoil(body, inside, k);
		else if (body.len > 0)
			memcpy(inside, body.ptr, body.len);
		out[n++] = tag;
		n += put_len(out + n, body.len, (*k)-- == 0);
		if (body.len > 0)
			memcpy(out + n, inside, body.len);
		n += body.len;
	}
	return n;
}

static int
spoil_each(struct gk_slice der, bool (*is_taken)(struct gk_slice))
{
	uint8_t out[ROOM];
	int n = 0, k;

	assert_true(is_taken(der));
	for (;; n++) {
		size_t len;

		k = n;
		len = spoil(der, out, &k);
		if (k >= 0)
			break;
		assert_false(is_taken((struct gk_slice){ out, len }));
	}
	assert_true(gk_slice_equal(der, (struct gk_slice){ out, der.len }));
	return n;
}

GK_TEST(rfc5280_4_1_01, each_length_of_a_certificate_is_the_shortest)
{
	GK_BREAKS("RFC5280-4.1-01");
	for (unsigned i = 0; i < GK_PKI_ALGS; i++)
		assert_true(spoil_each(gk_cert_der(parties[i].cert), taken) >
		            30);
}

GK_TEST(rfc5280_5_1_01, each_length_of_a_crl_is_the_shortest)
{
	GK_BREAKS("RFC5280-5.1-01");
	assert_true(spoil_each(gk_buf_slice(&crl), crl_taken) > 20);
}

/* ---- values ------------------------------------------------------------- */

/* A default is left out. */
GK_TEST(rfc5280_4_1_01, defaults_are_not_written)
{
	static const uint8_t v3[] = { 0xa0, 3, 2, 1, 2 },
			     critical[] = { 1, 1, 0xff };
	struct gk_buf der;
	uint8_t *at;

	GK_BREAKS("RFC5280-4.1-01");
	gk_assert_ok(gk_buf_copy(&der, gk_cert_der(parties[0].cert)));
	at = memmem(der.ptr, der.len, critical, sizeof(critical));
	assert_non_null(at);
	at[2] = 0; /* FALSE */
	assert_false(taken(gk_buf_slice(&der)));
	at[2] = 1; /* another TRUE */
	assert_false(taken(gk_buf_slice(&der)));
	at[2] = 0xff;
	assert_true(taken(gk_buf_slice(&der)));
	at = memmem(der.ptr, der.len, v3, sizeof(v3));
	assert_non_null(at);
	at[4] = 0; /* v1 */
	assert_false(gk_der_certificate(gk_buf_slice(&der)));
	gk_buf_free(&der);
}

struct element {
	size_t len;
	uint8_t octet[8];
};

static bool
is_strict(const struct element *e)
{
	return gk_der_strict((struct gk_slice){ e->octet, e->len });
}

/* One way to write each value: what is taken, and what is not. */
GK_TEST(rfc5280_4_1_01, one_form_of_each_value)
{
	static const struct element good[] = {
		{ 3, { 1, 1, 0 } },
		{ 3, { 1, 1, 0xff } },
		{ 3, { 2, 1, 0 } },
		{ 4, { 2, 2, 0, 0x80 } },
		{ 3, { 3, 1, 0 } },
		{ 4, { 3, 2, 7, 0x80 } },
		{ 2, { 4, 0 } },
		{ 2, { 5, 0 } },
		{ 4, { 6, 2, 0x81, 0 } },
		{ 3, { 10, 1, 1 } },
		{ 2, { 0x30, 0 } },
		{ 8, { 0x31, 6, 2, 1, 1, 2, 1, 2 } },
		{ 8, { 0x31, 6, 2, 1, 1, 2, 1, 1 } },
		{ 3, { 0x9f, 0x1f, 0 } },
		{ 4, { 0x9f, 0x81, 0, 0 } },
		{ 4, { 0xa0, 2, 5, 0 } },
	};
	static const struct element bad[] = {
		{ 2, { 0, 0 } }, /* the end of contents */
		{ 3, { 1, 1, 1 } },
		{ 2, { 1, 0 } },
		{ 4, { 1, 2, 0, 0 } },
		{ 2, { 2, 0 } },
		{ 4, { 2, 2, 0, 0x7f } },
		{ 4, { 2, 2, 0xff, 0x80 } },
		{ 2, { 3, 0 } },
		{ 3, { 3, 1, 1 } }, /* unused, of nothing */
		{ 4, { 3, 2, 8, 0 } },
		{ 4, { 3, 2, 7, 0x81 } },       /* unused, and not zero */
		{ 6, { 0x23, 4, 3, 2, 0, 1 } }, /* in pieces */
		{ 5, { 0x24, 3, 4, 1, 1 } },
		{ 5, { 0x2c, 3, 0x0c, 1, 'a' } },
		{ 3, { 5, 1, 0 } },
		{ 2, { 6, 0 } },
		{ 4, { 6, 2, 0x80, 1 } },
		{ 4, { 6, 2, 1, 0x81 } }, /* goes on nowhere */
		{ 4, { 10, 2, 0, 1 } },
		{ 2, { 0x10, 0 } }, /* a simple sequence */
		{ 2, { 0x11, 0 } },
		{ 8, { 0x31, 6, 2, 1, 2, 2, 1, 1 } }, /* not in order */
		{ 3, { 0x9f, 0x1e, 0 } },             /* a number below 31 */
		{ 4, { 0x9f, 0x80, 0x1f, 0 } },
		{ 2, { 0x9f, 0x81 } },
		{ 5, { 0xa0, 3, 5, 1, 0 } }, /* within */
		{ 4, { 0x30, 0x80, 0, 0 } }, /* indefinite */
		{ 3, { 0x30, 0x81, 0 } },
		{ 3, { 5, 0, 0 } }, /* and more behind it */
		{ 1, { 5 } },
	};

	for (size_t i = 0; i < GK_COUNT(good); i++)
		assert_true(is_strict(&good[i]));
	for (size_t i = 0; i < GK_COUNT(bad); i++)
		assert_false(is_strict(&bad[i]));
	assert_false(gk_der_strict((struct gk_slice){ 0 }));
}

GK_TEST(rfc5280_4_1_01, depth_is_bounded)
{
	uint8_t deep[2 * (GK_DER_DEPTH_MAX + 2)];
	size_t n = sizeof(deep);

	for (size_t i = 0; i < n; i += 2) {
		deep[i] = 0x30;
		deep[i + 1] = (uint8_t)(n - i - 2);
	}
	assert_false(gk_der_strict((struct gk_slice){ deep, n }));
	assert_true(gk_der_strict((struct gk_slice){ deep + 2, n - 2 }));
}

/* ---- beside the library ------------------------------------------------- */

/* what_it_writes - all of it anew; 0 when it reads something else. */
static size_t
what_it_writes(struct gk_slice der, uint8_t **out)
{
	const uint8_t *p = der.ptr;
	X509 *x509 = d2i_X509(NULL, &p, (long)der.len);
	uint8_t *tbs = NULL;
	int n = 0;

	*out = NULL;
	if (x509 != NULL && p == der.ptr + der.len &&
	    i2d_re_X509_tbs(x509, &tbs) > 0)
		n = i2d_X509(x509, out);
	OPENSSL_free(tbs);
	X509_free(x509);
	return n > 0 ? (size_t)n : 0;
}

/* Of whatever the library reads and would not write in the same way nothing is
 * taken. */
GK_TEST(rfc5280_4_1, what_would_be_written_otherwise_is_refused)
{
	size_t otherwise = 0, same = 0;
	struct gk_buf der;

	gk_assert_ok(gk_buf_copy(&der, gk_cert_der(parties[0].cert)));
	for (size_t i = 0; i < 8 * der.len; i++) {
		struct gk_slice now = gk_buf_slice(&der);
		uint8_t *again;
		size_t n;

		der.ptr[i / 8] ^= (uint8_t)(1 << i % 8);
		n = what_it_writes(now, &again);
		if (n != 0 &&
		    !gk_slice_equal(now, (struct gk_slice){ again, n })) {
			assert_false(gk_der_certificate(now));
			otherwise++;
		} else if (n != 0) {
			same++;
		}
		OPENSSL_free(again);
		der.ptr[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	assert_true(otherwise > 5 && same > 100);
	gk_buf_free(&der);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc5280_4_1_01,
		       each_length_of_a_certificate_is_the_shortest),
		GK_RUN(rfc5280_5_1_01, each_length_of_a_crl_is_the_shortest),
		GK_RUN(rfc5280_4_1_01, defaults_are_not_written),
		GK_RUN(rfc5280_4_1_01, one_form_of_each_value),
		GK_RUN(rfc5280_4_1_01, depth_is_bounded),
		GK_RUN(rfc5280_4_1, what_would_be_written_otherwise_is_refused),
	};

	return cmocka_run_group_tests_name("common/crypto/x509_der", tests,
	                                   make_parties, free_parties);
}
