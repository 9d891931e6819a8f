/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rest of <identity> and <trust>: keys without certificates, what else goes
 * into Certificate payloads, who gives permissions, where octets may be fetched.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/gk_acert.h"
#include "common/crypto/gk_der.h"
#include "common/crypto/gk_hash.h"
#include "common/crypto/gk_pem.h"
#include "gsakmp/daemon/settings.h"
#include "gsakmp/engine/fetched.h"

/* ---- raw keys ----------------------------------------------------------- */

static enum gk_err
load_raw_key(struct gkd_config *config, const struct gkd_elem *elem,
             struct gsakmpd_raw *raw, struct gkd_why *why)
{
	struct gk_buf octets;
	enum gk_err err;

	GK_TRY(gkd_elem_file(config, elem, "@file", GKD_FILE_MAX, &octets,
	                     why));
	err = gk_cert_from_key_file(gk_buf_slice(&octets), &raw->cert);
	gk_buf_free(&octets);
	if (err != GK_OK)
		return gkd_config_fail(config, elem, why,
		                       "'@file': file '%s' holds no RSA public "
		                       "key",
		                       gkd_elem_path(config, elem, "@file"));
	return gkd_identity_load(config, elem, &raw->octets, &raw->id, why);
}

enum gk_err
gsakmpd_raw_keys_load(struct gkd_config *config, struct gsakmpd_party *p,
                      struct gkd_why *why)
{
	const struct gkd_elem *first =
		gkd_elem_child(gkd_config_root(config), "trust/raw-key");
	size_t n = 0;

	for (const struct gkd_elem *e = first; e != NULL; e = gkd_elem_next(e))
		n++;
	if (n == 0)
		return GK_OK;
	p->raw = calloc(n, sizeof(*p->raw));
	p->raw_view = calloc(n, sizeof(*p->raw_view));
	if (p->raw == NULL || p->raw_view == NULL)
		return GK_ERR_NOMEM;
	for (const struct gkd_elem *e = first; e != NULL;
	     e = gkd_elem_next(e)) {
		struct gsakmpd_raw *raw = &p->raw[p->n_raw];

		p->n_raw++;
		GK_TRY(load_raw_key(config, e, raw, why));
		GK_TRY(gk_trust_add_raw_key(p->trust, raw->cert));
		p->raw_view[p->n_raw - 1] =
			(struct gsakmp_raw_key){ raw->cert, &raw->id };
	}
	return GK_OK;
}

enum gk_err
gsakmpd_raw_identity_load(struct gkd_config *config,
                          const struct gkd_elem *elem, struct gsakmpd_party *p,
                          struct gkd_why *why)
{
	struct gk_cert *cert = NULL;
	enum gk_err err;

	if (!gkd_elem_has(elem, "@name"))
		return gkd_config_fail(config, elem, why,
		                       "'raw-key' needs a 'name': nothing else "
		                       "says whose key it is");
	err = gk_cert_of_pubkey(gk_signer_pubkey(p->own.signer), &cert);
	if (err == GK_ERR_VALUE)
		return gkd_config_fail(config, elem, why,
		                       "'raw-key': '@key' is no RSA key");
	GK_TRY(err);
	err = gk_certs_add(&p->own.certs, cert);
	gk_cert_free(cert);
	GK_TRY(err);
	return gkd_identity_load(config, elem, &p->own.id_octets, &p->own.id,
	                         why);
}

/* ---- attribute authorities ---------------------------------------------- */

enum gk_err
gsakmpd_authorities_load(struct gkd_config *config, struct gsakmpd_party *p,
                         struct gkd_why *why)
{
	const struct gkd_elem *e = gkd_elem_child(gkd_config_root(config),
	                                          "trust/attribute-authority");

	for (; e != NULL; e = gkd_elem_next(e)) {
		struct gk_certs certs = { 0 };
		struct gk_buf octets;
		enum gk_err err;

		GK_TRY(gkd_elem_file(config, e, "@file", GKD_FILE_MAX, &octets,
		                     why));
		err = gk_certs_from_pem(gk_buf_slice(&octets), &certs);
		gk_buf_free(&octets);
		if (err != GK_OK)
			return gkd_config_fail(
				config, e, why,
				"'@file': file '%s' holds no certificate",
				gkd_elem_path(config, e, "@file"));
		err = gk_trust_add_authority(p->trust, certs.cert[0]);
		/* Those above it help to build its path. */
		for (size_t i = 1; i < certs.n && err == GK_OK; i++)
			err = gk_trust_add_intermediate(p->trust,
			                                certs.cert[i]);
		gk_certs_free(&certs);
		GK_TRY(err);
	}
	return GK_OK;
}

/* ---- Certificate payloads ----------------------------------------------- */

static enum gk_err
add_payload(struct gsakmpd_party *p, const struct gkd_config *config,
            const struct gkd_elem *elem, uint16_t type, struct gk_slice data,
            struct gkd_why *why)
{
	size_t i = p->n_payloads;

	if (i == GSAKMP_CERTIFICATES_MAX)
		return gkd_config_fail(config, elem, why,
		                       "more than %d Certificate payloads",
		                       GSAKMP_CERTIFICATES_MAX);
	GK_TRY(gk_buf_copy(&p->payload_octets[i], data));
	p->payloads[i] = gk_buf_slice(&p->payload_octets[i]);
	p->payload_types[i] = type;
	p->n_payloads++;
	return GK_OK;
}

/* RFC 4306 section 3.6: SHA-1 of the octets, then the URL. */
static enum gk_err
add_url(struct gsakmpd_party *p, const struct gkd_config *config,
        const struct gkd_elem *elem, uint16_t type, const char *url,
        struct gk_slice octets, struct gkd_why *why)
{
	uint8_t digest[GK_HASH_MAX];
	struct gk_buf data = { 0 };
	enum gk_err err;

	if (strlen(url) == 0 || strlen(url) > GSAKMP_URL_MAX)
		return gkd_config_fail(config, elem, why,
		                       "a URL has 1 to %d octets",
		                       GSAKMP_URL_MAX);
	GK_TRY(gk_hash(GK_HASH_SHA1_LEGACY, &octets, 1, digest));
	err = gk_buf_copy(&data,
	                  (struct gk_slice){ digest, GSAKMP_URL_HASH_LEN });
	if (err == GK_OK)
		err = gk_buf_append(&data, gk_slice_str(url));
	if (err == GK_OK)
		err = add_payload(p, config, elem, type, gk_buf_slice(&data),
		                  why);
	gk_buf_free(&data);
	return err;
}

/* SEQUENCE OF CHOICE { cert [0] Certificate, crl [1] CertificateList }. */
static enum gk_err
make_bundle(const struct gsakmpd_party *p, struct gk_buf *out)
{
	struct gk_der_wr wr = { 0 };
	size_t mark = gk_der_wr_mark(&wr);

	for (size_t i = p->own.certs.n; i-- > 0;) {
		size_t inner = gk_der_wr_mark(&wr);

		gk_der_wr_octets(&wr, gk_cert_der(p->own.certs.cert[i]));
		gk_der_wr_wrap(&wr, GK_DER_CONTEXT_CONS(0), inner);
	}
	gk_der_wr_wrap(&wr, GK_DER_SEQUENCE, mark);
	return gk_der_wr_done(&wr, out);
}

static enum gk_err
add_certificates(struct gsakmpd_party *p, const struct gkd_config *config,
                 const struct gkd_elem *elem, struct gkd_why *why)
{
	const char *url = gkd_elem_text(elem, "@certificate-url", NULL);
	const char *bundle = gkd_elem_text(elem, "@bundle-url", NULL);

	if (bundle != NULL) {
		GK_TRY(make_bundle(p, &p->bundle));
		return add_url(p, config, elem, GSAKMP_CERT_HASH_URL_BUNDLE,
		               bundle, gk_buf_slice(&p->bundle), why);
	}
	for (size_t i = 0; i < p->own.certs.n; i++) {
		const struct gk_cert *cert = p->own.certs.cert[i];
		struct gk_slice der = gk_cert_der(cert);

		if (i == 0 && url != NULL)
			GK_TRY(add_url(p, config, elem,
			               GSAKMP_CERT_HASH_URL_CERT, url, der,
			               why));
		else
			GK_TRY(add_payload(p, config, elem,
			                   gk_cert_is_raw(cert)
			                           ? GSAKMP_CERT_RAW_RSA_KEY
			                           : GSAKMP_CERT_X509_SIGNATURE,
			                   der, why));
	}
	return GK_OK;
}

/* Every block of a PEM file with the label, or one in DER. */
static enum gk_err
add_files(struct gsakmpd_party *p, struct gkd_config *config,
          const struct gkd_elem *elem, const char *label, uint16_t type,
          struct gkd_why *why)
{
	for (; elem != NULL; elem = gkd_elem_next(elem)) {
		struct gk_buf octets, der = { 0 };
		size_t at = 0, n = 0;
		enum gk_err err;

		GK_TRY(gkd_elem_file(config, elem, "@file", GKD_FILE_MAX,
		                     &octets, why));
		while ((err = gk_pem_next(gk_buf_slice(&octets), label, &at,
		                          &der)) == GK_OK &&
		       der.len != 0) {
			err = add_payload(p, config, elem, type,
			                  gk_buf_slice(&der), why);
			gk_buf_free(&der);
			n++;
			if (err != GK_OK)
				break;
		}
		gk_buf_free(&octets);
		GK_TRY(err);
		if (n == 0)
			return gkd_config_fail(
				config, elem, why,
				"'@file': file '%s' holds nothing to send",
				gkd_elem_path(config, elem, "@file"));
	}
	return GK_OK;
}

static enum gk_err
check_acerts(const struct gsakmpd_party *p, const struct gkd_config *config,
             const struct gkd_elem *elem, struct gkd_why *why)
{
	for (size_t i = 0; i < p->n_payloads; i++) {
		struct gk_acert acert;

		if (p->payload_types[i] != GSAKMP_CERT_X509_ATTRIBUTE)
			continue;
		if (gk_acert_decode(p->payloads[i], &acert) != GK_OK)
			return gkd_config_fail(config, elem, why,
			                       "'attribute-certificate' is no "
			                       "attribute certificate");
		if (!gk_acert_holds(&acert, p->own.certs.cert[0]))
			return gkd_config_fail(config, elem, why,
			                       "'attribute-certificate' is "
			                       "about somebody else");
	}
	return GK_OK;
}

enum gk_err
gsakmpd_payloads_load(struct gkd_config *config, struct gsakmpd_party *p,
                      struct gkd_why *why)
{
	const struct gkd_elem *elem =
		gkd_elem_child(gkd_config_root(config), "identity");

	GK_TRY(add_certificates(p, config, elem, why));
	GK_TRY(add_files(
		p, config, gkd_elem_child(elem, "attribute-certificate"),
		"ATTRIBUTE CERTIFICATE", GSAKMP_CERT_X509_ATTRIBUTE, why));
	GK_TRY(add_files(p, config, gkd_elem_child(elem, "send-crl"),
	                 "X509 CRL", GSAKMP_CERT_CRL, why));
	return check_acerts(p, config, elem, why);
}

static json_t *
json_hex(struct gk_slice octets)
{
	char *text = malloc(2 * octets.len + 1);
	json_t *out = NULL;

	if (text != NULL) {
		gk_hex(text, 2 * octets.len + 1, octets);
		out = json_string(text);
	}
	free(text);
	return out;
}

json_t *
gsakmpd_credentials_json(const struct gsakmpd_party *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->n_payloads; i++) {
		uint16_t type = p->payload_types[i];
		struct gk_slice data = p->payloads[i], served = { 0 };
		json_t *o =
			json_pack("{s:i, s:s}", "type", (int)type, "text",
		                  gsakmp_code_text(GSAKMP_TABLE_CERT, type));

		if (type == GSAKMP_CERT_HASH_URL_CERT)
			served = gk_cert_der(p->own.certs.cert[0]);
		if (type == GSAKMP_CERT_HASH_URL_BUNDLE)
			served = gk_buf_slice(&p->bundle);
		if (served.len != 0) {
			json_object_set_new(
				o, "url",
				json_stringn((const char *)data.ptr +
			                             GSAKMP_URL_HASH_LEN,
			                     data.len - GSAKMP_URL_HASH_LEN));
			json_object_set_new(o, "octets", json_hex(served));
		} else {
			json_object_set_new(o, "data", json_hex(data));
		}
		json_array_append_new(list, o);
	}
	return json_pack("{s:s, s:o}", "identity", p->own.name, "payloads",
	                 list);
}

void
gsakmpd_credentials_free(struct gsakmpd_party *p)
{
	for (size_t i = 0; i < p->n_raw; i++) {
		gk_cert_free(p->raw[i].cert);
		gk_buf_free(&p->raw[i].octets);
	}
	free(p->raw);
	free(p->raw_view);
	for (size_t i = 0; i < p->n_payloads; i++)
		gk_buf_free(&p->payload_octets[i]);
	gk_buf_free(&p->bundle);
}
