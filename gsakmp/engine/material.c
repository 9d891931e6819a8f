/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/material.h"

#include "common/base/gk_check.h"
#include "common/crypto/gk_acert.h"
#include "common/crypto/gk_der.h"
#include "common/crypto/gk_trust.h"
#include "gsakmp/engine/verify.h"

void
gsakmp_material_clear(struct gsakmp_material *m)
{
	gk_certs_free(&m->certs);
	for (size_t i = 0; i < m->n_fetched; i++)
		gk_buf_free(&m->fetched[i]);
	m->n_fetched = m->n_crls = m->n_acerts = m->n_wanted = 0;
}

/* RFC4535-7.7.2-04, -05: an anchor proves nothing and is not kept. */
static enum gk_err
keep(const struct gsakmp_verify *v, struct gsakmp_material *m,
     struct gk_cert *cert)
{
	enum gk_err err = GK_OK;

	if (m->certs.n < GSAKMP_MATERIAL_CERTS &&
	    (!gk_trust_is_anchor(v->party->trust, cert) ||
	     !GK_CHECKED("RFC4535-7.7.2-05", "RFC4535-7.7.2-04",
	                 "RFC4535-7.7.2-06")))
		err = gk_certs_add(&m->certs, cert);
	gk_cert_free(cert);
	return err;
}

static enum gk_err
keep_der(const struct gsakmp_verify *v, struct gsakmp_material *m,
         struct gk_slice der)
{
	struct gk_cert *cert;

	GK_TRY(gk_trust_cert(v->party->trust, der, &cert));
	return keep(v, m, cert);
}

static void
keep_crl(struct gsakmp_material *m, struct gk_slice der)
{
	if (m->n_crls < GSAKMP_MATERIAL_CRLS)
		m->crls[m->n_crls++] = der;
}

/* Only keys that somebody was configured with are looked at further. */
static enum gk_err
keep_raw(const struct gsakmp_verify *v, struct gsakmp_material *m,
         struct gk_slice der)
{
	struct gk_cert *cert;

	if (v->party->n_raw == 0)
		m->n_unusable++;
	GK_TRY(gk_cert_from_raw_key(der, &cert));
	return keep(v, m, cert);
}

static enum gk_err
keep_acert(struct gsakmp_material *m, struct gk_slice der)
{
	struct gk_acert acert;

	GK_TRY(gk_acert_decode(der, &acert));
	m->acerts[m->n_acerts++] = der;
	return GK_OK;
}

/* RFC 4306 section 3.6: SEQUENCE OF CHOICE { cert [0], crl [1] }, EXPLICIT. */
static enum gk_err
keep_bundle(const struct gsakmp_verify *v, struct gsakmp_material *m,
            struct gk_slice der)
{
	struct gk_rd rd, list, inner;

	gk_rd_init(&rd, der.ptr, der.len);
	list = gk_der_enter(&rd, GK_DER_SEQUENCE, "CertificateBundle");
	while (list.fault.err == GK_OK && gk_rd_left(&list) != 0) {
		bool crl = gk_der_next_is(&list, GK_DER_CONTEXT_CONS(1));
		struct gk_slice one;

		inner = gk_der_enter(&list, GK_DER_CONTEXT_CONS(crl ? 1 : 0),
		                     "CertificateOrCRL");
		one = gk_der_any(&inner, crl ? "crl" : "cert");
		gk_der_leave(&list, &inner);
		if (list.fault.err != GK_OK)
			break;
		if (crl)
			keep_crl(m, one);
		else
			GK_TRY(keep_der(v, m, one));
	}
	gk_der_leave(&rd, &list);
	return gk_rd_done(&rd);
}

static enum gk_err
keep_fetched(const struct gsakmp_verify *v, struct gsakmp_material *m,
             struct gk_slice octets, bool bundle)
{
	return bundle ? keep_bundle(v, m, octets) : keep_der(v, m, octets);
}

static bool
url_ok(struct gk_slice url)
{
	if (url.len == 0 || url.len > GSAKMP_URL_MAX)
		return false;
	for (size_t i = 0; i < url.len; i++)
		if (url.ptr[i] <= ' ' || url.ptr[i] >= 0x7f)
			return false;
	return true;
}

static enum gk_err
by_url(const struct gsakmp_verify *v, struct gsakmp_material *m,
       struct gk_slice data, bool bundle)
{
	struct gsakmp_wanted w = { { data.ptr, GSAKMP_URL_HASH_LEN }, { 0 } };
	enum gk_err err;

	if (data.len <= GSAKMP_URL_HASH_LEN)
		return GK_ERR_TRUNCATED;
	w.url = (struct gk_slice){ data.ptr + GSAKMP_URL_HASH_LEN,
		                   data.len - GSAKMP_URL_HASH_LEN };
	if (!url_ok(w.url))
		return GK_ERR_VALUE;
	if (v->fetched == NULL) {
		m->n_unusable++;
		return GK_OK;
	}
	err = gsakmp_fetched_get(v->fetched, w.hash, v->mono_ms,
	                         &m->fetched[m->n_fetched]);
	if (err == GK_ERR_UNEXPECTED)
		m->wanted[m->n_wanted++] = w;
	if (err == GK_ERR_UNEXPECTED || err == GK_ERR_VALUE)
		return GK_OK;
	GK_TRY(err);
	m->n_fetched++;
	return keep_fetched(v, m, gk_buf_slice(&m->fetched[m->n_fetched - 1]),
	                    bundle);
}

static enum gk_err
one(const struct gsakmp_verify *v, struct gsakmp_material *m,
    const struct gsakmp_certificate *c)
{
	switch (c->type) {
	case GSAKMP_CERT_X509_SIGNATURE:
		return keep_der(v, m, c->data);
	case GSAKMP_CERT_CRL:
		keep_crl(m, c->data);
		return GK_OK;
	case GSAKMP_CERT_X509_ATTRIBUTE:
		return keep_acert(m, c->data);
	case GSAKMP_CERT_RAW_RSA_KEY:
		return keep_raw(v, m, c->data);
	case GSAKMP_CERT_HASH_URL_CERT:
		return by_url(v, m, c->data, false);
	case GSAKMP_CERT_HASH_URL_BUNDLE:
		return by_url(v, m, c->data, true);
	default: /* None */
		m->n_unusable++;
		return GK_OK;
	}
}

enum gk_err
gsakmp_material_collect(const struct gsakmp_verify *v,
                        const struct gsakmp_message *msg,
                        struct gsakmp_material *m, struct gsakmp_reject *why)
{
	for (size_t i = 0; i < msg->n_certificates; i++) {
		const struct gsakmp_certificate *c = &msg->certificate[i];
		enum gk_err err = one(v, m, c);

		if (err == GK_ERR_NOMEM)
			return err;
		if (err != GK_OK && GK_CHECKED("RFC4535-7.7.2-03"))
			return gsakmp_refuse(why, GK_ERR_VALUE,
			                     gsakmp_notify_bad_cert(v->dialect),
			                     "RFC4535-7.7.2-03",
			                     "Certificate Data", c->at);
	}
	return GK_OK;
}
