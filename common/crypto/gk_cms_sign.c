/* SPDX-License-Identifier: BSD-2-Clause */
/* Making a SignedData; what it looks like is in gk_cms.h. */
#include <string.h>

#include "common/base/gk_time.h"
#include "common/crypto/gk_cms_oid.h"
#include "common/crypto/gk_der.h"
#include "common/crypto/gk_oid.h"

/* Everything that is worked out before the first octet is written. */
struct draft {
	const struct gk_cms_signing *how;
	struct gk_sig_alg alg;
	enum gk_hash digest;
	struct gk_slice content, type;
	uint8_t type_octets[GK_OID_MAX];
	uint8_t hash[GK_HASH_MAX];
	struct gk_buf attrs; /* the contents of the SET */
	struct gk_buf signature;
};

static struct gk_slice
octet(const uint8_t *v)
{
	return (struct gk_slice){ v, 1 };
}

/* put_algorithm - AlgorithmIdentifier; parameters absent or NULL. */
static void
put_algorithm(struct gk_der_wr *wr, struct gk_slice oid, bool null)
{
	size_t at = gk_der_wr_mark(wr);

	if (null)
		gk_der_wr_put(wr, GK_DER_NULL, (struct gk_slice){ 0 });
	gk_der_wr_put(wr, GK_DER_OID, oid);
	gk_der_wr_wrap(wr, GK_DER_SEQUENCE, at);
}

/* attribute - Attribute { oid, SET { value } }, a new buffer. */
static enum gk_err
attribute(struct gk_slice oid, uint8_t tag, struct gk_slice value,
          struct gk_buf *out)
{
	struct gk_der_wr wr = { 0 };

	gk_der_wr_put(&wr, tag, value);
	gk_der_wr_wrap(&wr, GK_DER_SET, 0);
	gk_der_wr_put(&wr, GK_DER_OID, oid);
	gk_der_wr_wrap(&wr, GK_DER_SEQUENCE, 0);
	return gk_der_wr_done(&wr, out);
}

/* signing_time - RFC 5652 section 11.3: UTCTime from 1950 to 2049, otherwise
 * GeneralizedTime; both have seconds and end in Z. */
static enum gk_err
signing_time(int64_t utc, struct gk_buf *out)
{
	struct gk_slice value;
	uint8_t text[GK_ZULU_LEN];
	int y, mo, d, h, mi, s;

	if (utc < GK_UTC_MIN || utc > GK_UTC_MAX)
		return GK_ERR_VALUE;
	gk_zulu_format(utc, text);
	gk_utc_to_civil(utc, &y, &mo, &d, &h, &mi, &s);
	value = (struct gk_slice){ text, sizeof(text) };
	if (y < 1950 || y > 2049)
		return attribute(gk_oid_attr_signing_time,
		                 GK_DER_GENERALIZED_TIME, value, out);
	value.ptr += 2;
	value.len -= 2;
	return attribute(gk_oid_attr_signing_time, GK_DER_UTC_TIME, value, out);
}

static enum gk_err
draft_attributes(struct draft *d)
{
	struct gk_buf attr[3] = { { 0 } };
	struct gk_slice element[3];
	struct gk_der_wr wr = { 0 };
	enum gk_err err;

	err = attribute(gk_oid_attr_content_type, GK_DER_OID, d->type,
	                &attr[0]);
	if (err == GK_OK)
		err = signing_time(d->how->signing_time, &attr[1]);
	if (err == GK_OK)
		err = attribute(
			gk_oid_attr_message_digest, GK_DER_OCTET_STRING,
			(struct gk_slice){ d->hash, gk_hash_size(d->digest) },
			&attr[2]);
	for (size_t i = 0; i < GK_COUNT(attr); i++)
		element[i] = gk_buf_slice(&attr[i]);
	if (err == GK_OK) {
		/* Signed with the tag of SET, sent with that of [0]. */
		gk_der_wr_set_of(&wr, GK_DER_SET, element, GK_COUNT(element));
		err = gk_der_wr_done(&wr, &d->attrs);
	}
	for (size_t i = 0; i < GK_COUNT(attr); i++)
		gk_buf_free(&attr[i]);
	return err;
}

static void
put_signer_id(struct gk_der_wr *wr, const struct draft *d)
{
	const struct gk_cert *cert = d->how->cert;
	size_t at = gk_der_wr_mark(wr);

	if ((d->how->flags & GK_CMS_SID_KEY_ID) != 0) {
		gk_der_wr_put(wr, GK_DER_CONTEXT(0), gk_cert_key_id(cert));
		return;
	}
	gk_der_wr_put(wr, GK_DER_INTEGER, gk_cert_serial_der(cert));
	gk_der_wr_octets(wr, gk_cert_issuer(cert));
	gk_der_wr_wrap(wr, GK_DER_SEQUENCE, at);
}

static void
put_signer_info(struct gk_der_wr *wr, const struct draft *d)
{
	uint8_t version = (d->how->flags & GK_CMS_SID_KEY_ID) != 0 ? 3 : 1;
	size_t at = gk_der_wr_mark(wr), attrs_at;
	struct gk_rd rd;
	struct gk_slice oid, attrs;
	bool null;

	gk_der_wr_put(wr, GK_DER_OCTET_STRING, gk_buf_slice(&d->signature));
	oid = gk_cms_signature_oid(d->alg, &null);
	put_algorithm(wr, oid, null);
	gk_rd_init(&rd, d->attrs.ptr, d->attrs.len);
	attrs = gk_der_get(&rd, GK_DER_SET, "signedAttrs");
	attrs_at = gk_der_wr_mark(wr);
	gk_der_wr_octets(wr, attrs);
	gk_der_wr_wrap(wr, GK_DER_CONTEXT_CONS(0), attrs_at);
	put_algorithm(wr, gk_cms_digest_oid(d->digest), false);
	put_signer_id(wr, d);
	gk_der_wr_put(wr, GK_DER_INTEGER, octet(&version));
	gk_der_wr_wrap(wr, GK_DER_SEQUENCE, at);
}

static void
put_certificates(struct gk_der_wr *wr, const struct draft *d)
{
	struct gk_slice element[GK_CMS_MAX_CERTS];
	const struct gk_certs *extra = d->how->extra;
	size_t n = 0;

	if ((d->how->flags & GK_CMS_NO_CERT) == 0)
		element[n++] = gk_cert_der(d->how->cert);
	for (size_t i = 0; extra != NULL && i < extra->n; i++)
		if (n == 0 || !gk_cert_equal(extra->cert[i], d->how->cert))
			element[n++] = gk_cert_der(extra->cert[i]);
	if (n > 0)
		gk_der_wr_set_of(wr, GK_DER_CONTEXT_CONS(0), element, n);
}

static void
put_content(struct gk_der_wr *wr, const struct draft *d)
{
	size_t at = gk_der_wr_mark(wr);

	if ((d->how->flags & GK_CMS_DETACHED) == 0) {
		gk_der_wr_put(wr, GK_DER_OCTET_STRING, d->content);
		gk_der_wr_wrap(wr, GK_DER_CONTEXT_CONS(0), at);
	}
	gk_der_wr_put(wr, GK_DER_OID, d->type);
	gk_der_wr_wrap(wr, GK_DER_SEQUENCE, at);
}

/* assemble - RFC 5652 section 5.1, last field first. */
static enum gk_err
assemble(const struct draft *d, struct gk_buf *out)
{
	static const uint8_t id_data[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7,
		                           0x0d, 1,    7,    1 };
	/* Version 3 unless the content is id-data and the signer is named by
	 * issuer and serial number. */
	bool plain =
		(d->how->flags & GK_CMS_SID_KEY_ID) == 0 &&
		gk_slice_equal(d->type,
	                       (struct gk_slice){ id_data, sizeof(id_data) });
	uint8_t version = plain ? 1 : 3;
	struct gk_der_wr wr = { 0 };
	size_t at;

	put_signer_info(&wr, d);
	gk_der_wr_wrap(&wr, GK_DER_SET, 0);
	put_certificates(&wr, d);
	put_content(&wr, d);
	at = gk_der_wr_mark(&wr);
	put_algorithm(&wr, gk_cms_digest_oid(d->digest), false);
	gk_der_wr_wrap(&wr, GK_DER_SET, at);
	gk_der_wr_put(&wr, GK_DER_INTEGER, octet(&version));
	gk_der_wr_wrap(&wr, GK_DER_SEQUENCE, 0);
	if ((d->how->flags & GK_CMS_BARE) == 0) {
		gk_der_wr_wrap(&wr, GK_DER_CONTEXT_CONS(0), 0);
		gk_der_wr_put(&wr, GK_DER_OID, gk_oid_signed_data);
		gk_der_wr_wrap(&wr, GK_DER_SEQUENCE, 0);
	}
	return gk_der_wr_done(&wr, out);
}

static enum gk_err
check(const struct gk_cms_signing *how, const struct draft *d)
{
	const struct gk_pubkey *key = gk_signer_pubkey(how->signer);
	bool null;

	if (!gk_slice_equal(gk_pubkey_spki(key),
	                    gk_pubkey_spki(gk_cert_pubkey(how->cert))) ||
	    !gk_pubkey_suits(key, d->alg))
		return GK_ERR_VALUE;
	if (gk_cms_signature_oid(d->alg, &null).len == 0 ||
	    gk_cms_digest_oid(d->digest).len == 0)
		return GK_ERR_VALUE;
	if ((how->flags & GK_CMS_SID_KEY_ID) != 0 &&
	    !gk_cert_has_ski(how->cert))
		return GK_ERR_VALUE;
	if (how->extra != NULL && how->extra->n >= GK_CMS_MAX_CERTS)
		return GK_ERR_VALUE;
	return GK_OK;
}

enum gk_err
gk_cms_sign(const struct gk_cms_signing *how, struct gk_slice content,
            struct gk_buf *out)
{
	struct draft d = { .how = how, .alg = how->alg, .content = content };
	enum gk_err err;
	size_t n;

	*out = (struct gk_buf){ 0 };
	d.alg.encoding = GK_SIG_DER;
	d.digest = gk_cms_digest_for(d.alg);
	GK_TRY(check(how, &d));
	GK_TRY(gk_oid_parse(gk_slice_str(how->content_type), d.type_octets,
	                    &n));
	d.type = (struct gk_slice){ d.type_octets, n };
	GK_TRY(gk_hash(d.digest, &content, 1, d.hash));
	err = draft_attributes(&d);
	if (err == GK_OK)
		err = gk_sign(how->signer, d.alg, gk_buf_slice(&d.attrs),
		              &d.signature);
	if (err == GK_OK)
		err = assemble(&d, out);
	gk_buf_free(&d.attrs);
	gk_buf_free(&d.signature);
	return err;
}
