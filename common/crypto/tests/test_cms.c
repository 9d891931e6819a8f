/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <string.h>

#include <openssl/cms.h>
#include <openssl/err.h>

#include "common/crypto/gk_cms.h"
#include "common/crypto/gk_der.h"
#include "common/test/gk_test_pki.h"

/* The content type of RFC 4534 section 2; any other would do. */
#define TYPE "1.3.6.1.5.5.12.1.1"

static struct gk_pki_party party[GK_PKI_ALGS], stranger;

static int
make_parties(void **state)
{
	(void)state;
	for (unsigned i = 0; i < GK_PKI_ALGS; i++)
		gk_pki_make(&party[i],
		            &(struct gk_pki_spec){ .subject = "/O=ACME/CN=GO",
		                                   .alg = i });
	gk_pki_make(&stranger,
	            &(struct gk_pki_spec){ .subject = "/CN=other", .slot = 1 });
	return 0;
}

static int
free_parties(void **state)
{
	(void)state;
	for (unsigned i = 0; i < GK_PKI_ALGS; i++)
		gk_pki_free(&party[i]);
	gk_pki_free(&stranger);
	gk_pki_keys_free();
	return 0;
}

static const struct gk_slice content = { (const uint8_t *)"a group's policy",
	                                 16 };

static struct gk_cms_signing
signing_by(const struct gk_pki_party *p, unsigned flags)
{
	return (struct gk_cms_signing){
		.signer = p->signer,
		.alg = gk_pubkey_default_alg(gk_cert_pubkey(p->cert)),
		.cert = p->cert,
		.content_type = TYPE,
		.signing_time = GK_PKI_NOW,
		.flags = flags,
	};
}

static struct gk_buf
sign_by(const struct gk_pki_party *p, unsigned flags)
{
	struct gk_cms_signing how = signing_by(p, flags);
	struct gk_buf out;

	gk_assert_ok(gk_cms_sign(&how, content, &out));
	return out;
}

static enum gk_err
verify_as(struct gk_slice der, const struct gk_pki_party *p, unsigned flags,
          struct gk_cms *cms, struct gk_cms_fault *why)
{
	const struct gk_cert *who = p->cert;
	struct gk_cms_expect expect = { .content_type = TYPE,
		                        .signer = &who,
		                        .n_signers = 1,
		                        .content = content,
		                        .flags = flags };

	return gk_cms_verify(der, &expect, cms, NULL, why);
}

static void
refused(struct gk_slice der, const struct gk_pki_party *p, unsigned flags,
        enum gk_cms_fault_kind kind)
{
	struct gk_cms_fault why = { .kind = GK_CMS_FAULT_NONE };
	struct gk_cms cms;
	enum gk_err err = verify_as(der, p, flags, &cms, &why);

	assert_int_equal(why.kind, kind);
	assert_non_null(why.text);
	switch (kind) {
	case GK_CMS_FAULT_SIGNER:
	case GK_CMS_FAULT_DIGEST:
	case GK_CMS_FAULT_SIGNATURE:
		gk_assert_err(GK_ERR_AUTH, err);
		break;
	case GK_CMS_FAULT_LEGACY:
		gk_assert_err(GK_ERR_POLICY, err);
		break;
	default:
		gk_assert_err(GK_ERR_VALUE, err);
	}
}

static const unsigned forms[] = {
	0,
	GK_CMS_DETACHED,
	GK_CMS_BARE,
	GK_CMS_SID_KEY_ID,
	GK_CMS_NO_CERT,
	GK_CMS_DETACHED | GK_CMS_BARE | GK_CMS_SID_KEY_ID | GK_CMS_NO_CERT,
};

GK_TEST(rfc5652_5, signs_and_verifies_with_every_key_and_form)
{
	for (unsigned k = 0; k < GK_PKI_ALGS; k++)
		for (size_t f = 0; f < GK_COUNT(forms); f++) {
			struct gk_buf der = sign_by(&party[k], forms[f]);
			struct gk_cms_fault why;
			struct gk_cms cms;

			gk_assert_ok(verify_as(gk_buf_slice(&der), &party[k],
			                       forms[f] | GK_CMS_LEGACY, &cms,
			                       &why));
			assert_true(gk_slice_equal(cms.content, content));
			assert_int_equal(cms.signing_time, GK_PKI_NOW);
			assert_string_equal(cms.content_type, TYPE);
			assert_int_equal(cms.n_certs,
			                 (forms[f] & GK_CMS_NO_CERT) == 0);
			assert_int_equal(cms.alg.scheme,
			                 gk_pubkey_default_alg(
						 gk_cert_pubkey(party[k].cert))
			                         .scheme);
			gk_buf_free(&der);
		}
}

/* The provider's own CMS code agrees with ours, both ways. */
static CMS_ContentInfo *
theirs(struct gk_slice der)
{
	const uint8_t *p = der.ptr;

	return d2i_CMS_ContentInfo(NULL, &p, (long)der.len);
}

GK_TEST(rfc5652_5, another_implementation_verifies_ours)
{
	for (unsigned k = 0; k < GK_PKI_ALGS; k++)
		for (size_t f = 0; f < GK_COUNT(forms); f++) {
			STACK_OF(X509) * certs;
			bool detached = (forms[f] & GK_CMS_DETACHED) != 0;
			struct gk_buf der;
			CMS_ContentInfo *cms;
			BIO *in = NULL;

			/* It has neither that form nor RFC 8419. */
			if ((forms[f] & GK_CMS_BARE) != 0 ||
			    k == GK_PKI_ED25519)
				continue;
			certs = sk_X509_new_null();
			der = sign_by(&party[k], forms[f]);
			cms = theirs(gk_buf_slice(&der));
			assert_non_null(cms);
			if (detached)
				in = BIO_new_mem_buf(content.ptr,
				                     (int)content.len);
			sk_X509_push(certs, party[k].x509);
			assert_int_equal(CMS_verify(cms, certs, NULL, in, NULL,
			                            CMS_NO_SIGNER_CERT_VERIFY |
			                                    CMS_BINARY),
			                 1);
			BIO_free(in);
			CMS_ContentInfo_free(cms);
			sk_X509_free(certs);
			gk_buf_free(&der);
		}
}

static struct gk_buf
signed_by_them(const struct gk_pki_party *p, const EVP_MD *md, unsigned flags)
{
	ASN1_OBJECT *type = OBJ_txt2obj(TYPE, 1);
	BIO *in = BIO_new_mem_buf(content.ptr, (int)content.len);
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL,
	                                CMS_PARTIAL | CMS_BINARY | flags);
	uint8_t *octets = NULL;
	struct gk_buf out;
	int n;

	assert_int_equal(CMS_set1_eContentType(cms, type), 1);
	assert_non_null(CMS_add1_signer(cms, p->x509, p->pkey, md,
	                                CMS_BINARY | CMS_NOSMIMECAP | flags));
	CMS_set_detached(cms, (flags & CMS_DETACHED) != 0);
	assert_int_equal(CMS_final(cms, in, NULL, CMS_BINARY), 1);
	n = i2d_CMS_ContentInfo(cms, &octets);
	assert_true(n > 0);
	gk_assert_ok(gk_buf_copy(&out, (struct gk_slice){ octets, (size_t)n }));
	OPENSSL_free(octets);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	ASN1_OBJECT_free(type);
	return out;
}

GK_TEST(rfc5652_5, we_verify_what_another_implementation_signed)
{
	for (unsigned k = 0; k < GK_PKI_ALGS; k++) {
		const EVP_MD *md = k == GK_PKI_DSA1024   ? EVP_sha1()
		                   : k == GK_PKI_P384    ? EVP_sha384()
		                   : k == GK_PKI_ED25519 ? EVP_sha512()
		                                         : EVP_sha256();
		struct gk_buf der;
		struct gk_cms_fault why;
		struct gk_cms cms;

		if (k == GK_PKI_ED25519)
			continue; /* it cannot sign with that key */
		der = signed_by_them(&party[k], md, 0);
		gk_assert_ok(verify_as(gk_buf_slice(&der), &party[k],
		                       GK_CMS_LEGACY, &cms, &why));
		gk_buf_free(&der);
		der = signed_by_them(&party[k], md, CMS_USE_KEYID);
		gk_assert_ok(verify_as(gk_buf_slice(&der), &party[k],
		                       GK_CMS_LEGACY, &cms, &why));
		gk_buf_free(&der);
	}
}

GK_TEST(rfc4534_2_06, message_without_signed_attributes_is_refused)
{
	struct gk_buf der =
		signed_by_them(&party[GK_PKI_P256], EVP_sha256(), CMS_NOATTR);

	refused(gk_buf_slice(&der), &party[GK_PKI_P256], 0,
	        GK_CMS_FAULT_ATTRIBUTES);
	gk_buf_free(&der);
}

GK_TEST(rfc4534_2_08, second_signer_is_refused)
{
	ASN1_OBJECT *type = OBJ_txt2obj(TYPE, 1);
	BIO *in = BIO_new_mem_buf(content.ptr, (int)content.len);
	CMS_ContentInfo *cms =
		CMS_sign(NULL, NULL, NULL, NULL, CMS_PARTIAL | CMS_BINARY);
	uint8_t *octets = NULL;
	int n;

	assert_int_equal(CMS_set1_eContentType(cms, type), 1);
	assert_non_null(CMS_add1_signer(cms, party[GK_PKI_P256].x509,
	                                party[GK_PKI_P256].pkey, EVP_sha256(),
	                                CMS_BINARY));
	assert_non_null(CMS_add1_signer(cms, stranger.x509, stranger.pkey,
	                                EVP_sha256(), CMS_BINARY));
	CMS_set_detached(cms, 0);
	assert_int_equal(CMS_final(cms, in, NULL, CMS_BINARY), 1);
	n = i2d_CMS_ContentInfo(cms, &octets);
	refused((struct gk_slice){ octets, (size_t)n }, &party[GK_PKI_P256], 0,
	        GK_CMS_FAULT_SIGNERS);
	OPENSSL_free(octets);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	ASN1_OBJECT_free(type);
}

/* Nothing that was changed on the way verifies, wherever the change is. */
GK_TEST(rfc4534_2_10, every_changed_octet_is_noticed)
{
	static const unsigned flags[] = { GK_CMS_NO_CERT,
		                          GK_CMS_NO_CERT | GK_CMS_SID_KEY_ID };

	for (size_t f = 0; f < GK_COUNT(flags); f++) {
		struct gk_buf der = sign_by(&party[GK_PKI_ED25519], flags[f]);
		struct gk_cms cms;

		for (size_t i = 0; i < der.len; i++)
			for (unsigned bit = 0; bit < 8; bit++) {
				der.ptr[i] ^= (uint8_t)(1 << bit);
				assert_int_not_equal(
					verify_as(gk_buf_slice(&der),
				                  &party[GK_PKI_ED25519], 0,
				                  &cms, NULL),
					GK_OK);
				der.ptr[i] ^= (uint8_t)(1 << bit);
			}
		gk_buf_free(&der);
	}
}

GK_TEST(rfc5652_5_1, every_truncation_and_a_trailing_octet_is_refused)
{
	struct gk_buf der = sign_by(&party[GK_PKI_P256], 0), longer = { 0 };
	struct gk_cms_fault why;
	struct gk_cms cms;

	for (size_t n = 0; n < der.len; n++) {
		gk_assert_err(
			GK_ERR_VALUE,
			gk_cms_peek_untrusted((struct gk_slice){ der.ptr, n },
		                              &cms, &why));
		assert_int_equal(why.kind, GK_CMS_FAULT_ENCODING);
		assert_true(why.offset <= n);
		assert_non_null(why.field);
	}
	gk_assert_ok(gk_buf_append(&longer, gk_buf_slice(&der)));
	gk_assert_ok(gk_buf_append(&longer, gk_slice_str("x")));
	refused(gk_buf_slice(&longer), &party[GK_PKI_P256], 0,
	        GK_CMS_FAULT_ENCODING);
	gk_buf_free(&longer);
	gk_buf_free(&der);
}

/* RFC 4534 wants DER; an indefinite length is BER. */
GK_TEST(rfc4534_2_03, indefinite_length_is_refused)
{
	struct gk_buf der = sign_by(&party[GK_PKI_P256], 0);
	struct gk_buf ber = { 0 };
	uint8_t head[] = { 0x30, 0x80 }, tail[] = { 0, 0 };

	assert_int_equal(der.ptr[1], 0x82);
	gk_assert_ok(gk_buf_append(&ber, (struct gk_slice){ head, 2 }));
	gk_assert_ok(gk_buf_append(
		&ber, (struct gk_slice){ der.ptr + 4, der.len - 4 }));
	gk_assert_ok(gk_buf_append(&ber, (struct gk_slice){ tail, 2 }));
	refused(gk_buf_slice(&ber), &party[GK_PKI_P256], 0,
	        GK_CMS_FAULT_ENCODING);
	gk_buf_free(&ber);
	gk_buf_free(&der);
}

GK_TEST(rfc4534_2_04, what_was_not_expected_is_refused)
{
	struct gk_buf der = sign_by(&party[GK_PKI_P256], 0);
	struct gk_buf bare = sign_by(&party[GK_PKI_P256], GK_CMS_BARE);
	struct gk_buf away = sign_by(&party[GK_PKI_P256], GK_CMS_DETACHED);
	struct gk_buf dsa = sign_by(&party[GK_PKI_DSA1024], 0);
	struct gk_cms_signing how = signing_by(&party[GK_PKI_P256], 0);
	const struct gk_pki_party *go = &party[GK_PKI_P256];
	struct gk_buf typed;

	refused(gk_buf_slice(&der), go, GK_CMS_BARE, GK_CMS_FAULT_FORM);
	refused(gk_buf_slice(&bare), go, 0, GK_CMS_FAULT_FORM);
	refused(gk_buf_slice(&away), go, 0, GK_CMS_FAULT_CONTENT);
	refused(gk_buf_slice(&der), go, GK_CMS_DETACHED, GK_CMS_FAULT_CONTENT);
	refused(gk_buf_slice(&der), &stranger, 0, GK_CMS_FAULT_SIGNER);
	refused(gk_buf_slice(&dsa), &party[GK_PKI_DSA1024], 0,
	        GK_CMS_FAULT_LEGACY);
	how.content_type = "1.2.840.113549.1.7.1";
	gk_assert_ok(gk_cms_sign(&how, content, &typed));
	refused(gk_buf_slice(&typed), go, 0, GK_CMS_FAULT_CONTENT_TYPE);
	gk_buf_free(&typed);
	gk_buf_free(&der);
	gk_buf_free(&bare);
	gk_buf_free(&away);
	gk_buf_free(&dsa);
}

/* The certificate is the right one by name and number, but the key is another:
 * a CA that issues the same serial number twice. */
GK_TEST(rfc5652_5_4, same_name_and_number_with_another_key_is_refused)
{
	struct gk_pki_party a, b;
	struct gk_buf der;

	gk_pki_make(&a, &(struct gk_pki_spec){ .subject = "/CN=twin",
	                                       .serial = 7 });
	gk_pki_make(&b, &(struct gk_pki_spec){ .subject = "/CN=twin",
	                                       .slot = 1,
	                                       .serial = 7 });
	der = sign_by(&a, 0);
	refused(gk_buf_slice(&der), &b, 0, GK_CMS_FAULT_SIGNATURE);
	gk_buf_free(&der);
	der = sign_by(&a, GK_CMS_SID_KEY_ID);
	refused(gk_buf_slice(&der), &b, 0, GK_CMS_FAULT_SIGNER);
	gk_buf_free(&der);
	gk_pki_free(&a);
	gk_pki_free(&b);
}

GK_TEST(rfc5652_5_4, detached_content_that_was_changed_is_refused)
{
	struct gk_buf der = sign_by(&party[GK_PKI_P256], GK_CMS_DETACHED);
	const struct gk_cert *who = party[GK_PKI_P256].cert;
	struct gk_cms_expect expect = { .content_type = TYPE,
		                        .signer = &who,
		                        .n_signers = 1,
		                        .content = gk_slice_str("other"),
		                        .flags = GK_CMS_DETACHED };
	struct gk_cms_fault why;
	struct gk_cms cms;

	gk_assert_err(GK_ERR_AUTH, gk_cms_verify(gk_buf_slice(&der), &expect,
	                                         &cms, NULL, &why));
	assert_int_equal(why.kind, GK_CMS_FAULT_DIGEST);
	gk_buf_free(&der);
}

GK_TEST(rfc5652_11_3, signing_time_switches_form_in_1950_and_2050)
{
	static const struct {
		int64_t utc;
		const char *octets;
	} known[] = {
		{ -631152001LL, "\x18\x0f"
		                "19491231235959Z" },
		{ -631152000LL, "\x17\x0d"
		                "500101000000Z" },
		{ 2524607999LL, "\x17\x0d"
		                "491231235959Z" },
		{ 2524608000LL, "\x18\x0f"
		                "20500101000000Z" },
	};

	for (size_t i = 0; i < GK_COUNT(known); i++) {
		struct gk_cms_signing how = signing_by(&party[GK_PKI_P256], 0);
		struct gk_cms_fault why;
		struct gk_cms cms;
		struct gk_buf der;

		how.signing_time = known[i].utc;
		gk_assert_ok(gk_cms_sign(&how, content, &der));
		assert_non_null(memmem(der.ptr, der.len, known[i].octets,
		                       strlen(known[i].octets)));
		gk_assert_ok(verify_as(gk_buf_slice(&der), &party[GK_PKI_P256],
		                       0, &cms, &why));
		assert_int_equal(cms.signing_time, known[i].utc);
		gk_buf_free(&der);
	}
}

GK_TEST(crypto_cms, extra_certificates_travel_along_in_order_of_der)
{
	struct gk_cms_signing how = signing_by(&party[GK_PKI_P256], 0);
	struct gk_certs extra = { 0 };
	struct gk_cms_fault why;
	struct gk_cms cms;
	struct gk_buf der;

	gk_assert_ok(gk_certs_add(&extra, stranger.cert));
	gk_assert_ok(gk_certs_add(&extra, party[GK_PKI_RSA2048].cert));
	gk_assert_ok(gk_certs_add(&extra, party[GK_PKI_P256].cert));
	how.extra = &extra;
	gk_assert_ok(gk_cms_sign(&how, content, &der));
	gk_assert_ok(verify_as(gk_buf_slice(&der), &party[GK_PKI_P256], 0, &cms,
	                       &why));
	assert_int_equal(cms.n_certs, 3);
	gk_buf_free(&der);
	gk_certs_free(&extra);
}

GK_TEST(crypto_cms, what_cannot_be_signed_is_refused)
{
	struct gk_cms_signing how = signing_by(&party[GK_PKI_P256], 0);
	struct gk_pki_party bare;
	struct gk_buf out;

	how.cert = stranger.cert;
	gk_assert_err(GK_ERR_VALUE, gk_cms_sign(&how, content, &out));
	how = signing_by(&party[GK_PKI_P256], 0);
	how.alg = GK_SIG_RSA_SHA256;
	gk_assert_err(GK_ERR_VALUE, gk_cms_sign(&how, content, &out));
	how.alg = GK_SIG_ALG(ECDSA_P256, SHA3_256, DER);
	gk_assert_err(GK_ERR_VALUE, gk_cms_sign(&how, content, &out));
	how = signing_by(&party[GK_PKI_RSA2048], 0);
	how.alg = GK_SIG_RSA_PSS_SHA256;
	gk_assert_err(GK_ERR_VALUE, gk_cms_sign(&how, content, &out));
	how = signing_by(&party[GK_PKI_P256], 0);
	how.content_type = "1.3.x";
	gk_assert_err(GK_ERR_VALUE, gk_cms_sign(&how, content, &out));
	how = signing_by(&party[GK_PKI_P256], 0);
	how.signing_time = INT64_MAX;
	gk_assert_err(GK_ERR_VALUE, gk_cms_sign(&how, content, &out));
	gk_pki_make(&bare, &(struct gk_pki_spec){ .subject = "/CN=bare",
	                                          .no_ski = true });
	how = signing_by(&bare, GK_CMS_SID_KEY_ID);
	gk_assert_err(GK_ERR_VALUE, gk_cms_sign(&how, content, &out));
	assert_null(out.ptr);
	gk_pki_free(&bare);
}

/* replace - the first @from in @der by @to, of the same length. */
static struct gk_buf
replace(struct gk_slice der, const char *from, const char *to, size_t n)
{
	struct gk_buf copy;
	uint8_t *at;

	gk_assert_ok(gk_buf_copy(&copy, der));
	at = memmem(copy.ptr, copy.len, from, n);
	assert_non_null(at);
	memcpy(at, to, n);
	return copy;
}

GK_TEST(rfc4534_2_07, odd_attributes_are_refused)
{
	struct gk_buf der = sign_by(&party[GK_PKI_P256], GK_CMS_NO_CERT);
	const struct gk_pki_party *go = &party[GK_PKI_P256];
	static const char content_type[] = "\x2a\x86\x48\x86\xf7\x0d\x01\x09"
					   "\x03";
	static const char unknown[] = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x02";
	struct gk_buf bad;

	/* No content-type attribute any more; the set is still sorted. */
	bad = replace(gk_buf_slice(&der), content_type, unknown, 9);
	refused(gk_buf_slice(&bad), go, 0, GK_CMS_FAULT_ATTRIBUTES);
	gk_buf_free(&bad);
	/* Two signing-times, no content-type: the order breaks too. */
	bad = replace(gk_buf_slice(&der),
	              "\x17\x0d"
	              "260601000000Z",
	              "\x17\x0d"
	              "260601000060Z",
	              15);
	refused(gk_buf_slice(&bad), go, 0, GK_CMS_FAULT_ATTRIBUTES);
	gk_buf_free(&bad);
	/* The attribute names another type than the content has. */
	bad = replace(gk_buf_slice(&der),
	              "\x31\x0a\x06\x08\x2b\x06\x01\x05\x05"
	              "\x0c\x01\x01",
	              "\x31\x0a\x06\x08\x2b\x06\x01\x05\x05\x0c\x01\x02", 12);
	refused(gk_buf_slice(&bad), go, 0, GK_CMS_FAULT_ATTRIBUTES);
	gk_buf_free(&bad);
	gk_buf_free(&der);
}

GK_TEST(crypto_cms, algorithms_that_contradict_each_other_are_refused)
{
	struct gk_buf der = sign_by(&party[GK_PKI_P256], GK_CMS_NO_CERT);
	const struct gk_pki_party *go = &party[GK_PKI_P256];
	struct gk_buf bad;

	/* ecdsa-with-SHA384 over a SHA-256 digest. */
	bad = replace(gk_buf_slice(&der), "\x2a\x86\x48\xce\x3d\x04\x03\x02",
	              "\x2a\x86\x48\xce\x3d\x04\x03\x03", 8);
	refused(gk_buf_slice(&bad), go, 0, GK_CMS_FAULT_ALGORITHM);
	gk_buf_free(&bad);
	/* The outer digestAlgorithms says something else than the SignerInfo. */
	bad = replace(gk_buf_slice(&der),
	              "\x60\x86\x48\x01\x65\x03\x04\x02\x01",
	              "\x60\x86\x48\x01\x65\x03\x04\x02\x03", 9);
	refused(gk_buf_slice(&bad), go, 0, GK_CMS_FAULT_ALGORITHM);
	gk_buf_free(&bad);
	gk_buf_free(&der);
}

GK_TEST(crypto_cms, one_of_several_permitted_signers)
{
	struct gk_buf der = sign_by(&party[GK_PKI_P256], 0);
	const struct gk_cert *who[] = { stranger.cert,
		                        party[GK_PKI_P256].cert };
	struct gk_cms_expect expect = { .content_type = TYPE,
		                        .signer = who,
		                        .n_signers = 2 };
	const struct gk_cert *signer = NULL;
	struct gk_cms cms;

	gk_assert_ok(gk_cms_verify(gk_buf_slice(&der), &expect, &cms, &signer,
	                           NULL));
	assert_ptr_equal(signer, party[GK_PKI_P256].cert);
	expect.n_signers = 0;
	gk_assert_err(GK_ERR_AUTH, gk_cms_verify(gk_buf_slice(&der), &expect,
	                                         &cms, &signer, NULL));
	gk_buf_free(&der);
}

GK_TEST(crypto_cms, oversized_input_is_refused_unread)
{
	struct gk_cms_fault why;
	struct gk_cms cms;
	struct gk_buf big;

	gk_assert_ok(gk_buf_alloc(&big, GK_CMS_MAX_LEN + 1));
	gk_assert_err(GK_ERR_VALUE,
	              gk_cms_peek_untrusted(gk_buf_slice(&big), &cms, &why));
	assert_int_equal(why.kind, GK_CMS_FAULT_SIZE);
	gk_buf_free(&big);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc5652_5, signs_and_verifies_with_every_key_and_form),
		GK_RUN(rfc5652_5, another_implementation_verifies_ours),
		GK_RUN(rfc5652_5, we_verify_what_another_implementation_signed),
		GK_RUN(rfc4534_2_06,
		       message_without_signed_attributes_is_refused),
		GK_RUN(rfc4534_2_08, second_signer_is_refused),
		GK_RUN(rfc4534_2_10, every_changed_octet_is_noticed),
		GK_RUN(rfc5652_5_1,
		       every_truncation_and_a_trailing_octet_is_refused),
		GK_RUN(rfc4534_2_03, indefinite_length_is_refused),
		GK_RUN(rfc4534_2_04, what_was_not_expected_is_refused),
		GK_RUN(rfc5652_5_4,
		       same_name_and_number_with_another_key_is_refused),
		GK_RUN(rfc5652_5_4,
		       detached_content_that_was_changed_is_refused),
		GK_RUN(rfc5652_11_3,
		       signing_time_switches_form_in_1950_and_2050),
		GK_RUN(crypto_cms,
		       extra_certificates_travel_along_in_order_of_der),
		GK_RUN(crypto_cms, what_cannot_be_signed_is_refused),
		GK_RUN(rfc4534_2_07, odd_attributes_are_refused),
		GK_RUN(crypto_cms,
		       algorithms_that_contradict_each_other_are_refused),
		GK_RUN(crypto_cms, one_of_several_permitted_signers),
		GK_RUN(crypto_cms, oversized_input_is_refused_unread),
	};

	return cmocka_run_group_tests_name("common/crypto/cms", tests,
	                                   make_parties, free_parties);
}
