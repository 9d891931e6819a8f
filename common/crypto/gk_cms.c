/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading and verifying a SignedData; see gk_cms.h. */
#include "common/crypto/gk_cms.h"

#include <string.h>

#include "common/base/gk_time.h"
#include "common/crypto/gk_cms_oid.h"
#include "common/crypto/gk_der.h"
#include "common/crypto/gk_oid.h"

static const char *const fault_text[] = {
#define X(name, text) [GK_CMS_FAULT_##name] = text,
	GK_CMS_FAULT_LIST(X)
#undef X
};

/* A decoding run: where we are, and why we stopped. */
struct run {
	struct gk_rd rd;
	struct gk_cms *cms;
	enum gk_cms_fault_kind kind; /* of a fault that is not ENCODING */
	const char *field;
	size_t offset;
	enum gk_hash digest;
	bool seen_type, seen_digest, seen_time;
	struct gk_slice attr_type; /* value of the content-type attribute */
	struct gk_slice content_type;
};

/* stop - the first fault wins; the reader is at what is wrong. */
static void
stop(struct run *run, struct gk_rd *rd, enum gk_cms_fault_kind kind,
     const char *field)
{
	if (rd->fault.err != GK_OK)
		return;
	run->kind = kind;
	gk_rd_fail(rd, GK_ERR_VALUE, field);
}

/* algorithm - an AlgorithmIdentifier whose parameters are absent or NULL. */
static struct gk_slice
algorithm(struct run *run, struct gk_rd *rd, const char *field)
{
	struct gk_rd in = gk_der_enter(rd, GK_DER_SEQUENCE, field);
	struct gk_slice oid = gk_der_get(&in, GK_DER_OID, field);

	if (gk_der_next_is(&in, GK_DER_NULL)) {
		if (gk_der_get(&in, GK_DER_NULL, field).len != 0)
			gk_rd_fail(&in, GK_ERR_VALUE, field);
	} else if (in.fault.err == GK_OK && gk_rd_left(&in) > 0) {
		stop(run, &in, GK_CMS_FAULT_ALGORITHM, field);
	}
	gk_der_leave(rd, &in);
	return oid;
}

/* digest_algorithms - one signer, so exactly one. */
static struct gk_slice
digest_algorithms(struct run *run, struct gk_rd *rd)
{
	struct gk_rd set = gk_der_enter(rd, GK_DER_SET, "digestAlgorithms");
	struct gk_slice oid = { 0 };

	if (set.fault.err == GK_OK && gk_rd_left(&set) == 0)
		stop(run, &set, GK_CMS_FAULT_SIGNERS, "digestAlgorithms");
	oid = algorithm(run, &set, "digestAlgorithms");
	if (set.fault.err == GK_OK && gk_rd_left(&set) > 0)
		stop(run, &set, GK_CMS_FAULT_SIGNERS, "digestAlgorithms");
	gk_der_leave(rd, &set);
	return oid;
}

static void
encap_content(struct run *run, struct gk_rd *rd)
{
	struct gk_rd in = gk_der_enter(rd, GK_DER_SEQUENCE, "encapContentInfo");
	struct gk_cms *cms = run->cms;
	char text[GK_OID_TEXT_MAX] = "";

	run->content_type = gk_der_get(&in, GK_DER_OID, "eContentType");
	if (in.fault.err == GK_OK &&
	    (gk_oid_text(run->content_type, text) != GK_OK ||
	     strlen(text) >= sizeof(cms->content_type)))
		gk_rd_fail(&in, GK_ERR_VALUE, "eContentType");
	else
		memcpy(cms->content_type, text, strlen(text) + 1);
	cms->detached = !gk_der_next_is(&in, GK_DER_CONTEXT_CONS(0));
	if (!cms->detached) {
		struct gk_rd inner =
			gk_der_enter(&in, GK_DER_CONTEXT_CONS(0), "eContent");

		cms->content =
			gk_der_get(&inner, GK_DER_OCTET_STRING, "eContent");
		gk_der_leave(&in, &inner);
	}
	gk_der_leave(rd, &in);
}

/* certificates - plain X.509 ones are kept, the obsolete and other choices of
 * CertificateChoices ([0] to [3]) are refused. */
static void
certificates(struct run *run, struct gk_rd *rd)
{
	struct gk_rd set;

	if (!gk_der_next_is(rd, GK_DER_CONTEXT_CONS(0)))
		return;
	set = gk_der_enter(rd, GK_DER_CONTEXT_CONS(0), "certificates");
	gk_der_set_of(&set, "certificates");
	while (set.fault.err == GK_OK && gk_rd_left(&set) > 0) {
		if (!gk_der_next_is(&set, GK_DER_SEQUENCE) ||
		    run->cms->n_certs == GK_CMS_MAX_CERTS) {
			gk_rd_fail(&set, GK_ERR_VALUE, "certificates");
			break;
		}
		run->cms->cert[run->cms->n_certs++] =
			gk_der_any(&set, "certificates");
	}
	gk_der_leave(rd, &set);
}

/* revocations - RevocationInfoChoices come by other means here; what is there
 * must be DER and is not looked at. */
static void
revocations(struct gk_rd *rd)
{
	struct gk_rd set;

	if (!gk_der_next_is(rd, GK_DER_CONTEXT_CONS(1)))
		return;
	set = gk_der_enter(rd, GK_DER_CONTEXT_CONS(1), "crls");
	gk_der_set_of(&set, "crls");
	while (set.fault.err == GK_OK && gk_rd_left(&set) > 0)
		(void)gk_der_any(&set, "crls");
	gk_der_leave(rd, &set);
}

static bool
parse_time(uint8_t tag, struct gk_slice text, int64_t *utc)
{
	uint8_t zulu[GK_ZULU_LEN];
	struct gk_slice whole = { zulu, sizeof(zulu) };
	int y, mo, d, h, mi, s;

	if (tag == GK_DER_UTC_TIME) {
		if (text.len != GK_ZULU_LEN - 2)
			return false;
		memcpy(zulu, text.ptr[0] >= '5' ? "19" : "20", 2);
		memcpy(zulu + 2, text.ptr, text.len);
		return gk_zulu_parse(whole, utc) == GK_OK;
	}
	if (gk_zulu_parse(text, utc) != GK_OK)
		return false;
	/* RFC 5652 section 11.3: these years MUST be UTCTime. */
	gk_utc_to_civil(*utc, &y, &mo, &d, &h, &mi, &s);
	return y < 1950 || y > 2049;
}

static void
attr_signing_time(struct run *run, struct gk_rd *value)
{
	uint8_t tag = gk_der_next_is(value, GK_DER_UTC_TIME)
	                      ? GK_DER_UTC_TIME
	                      : GK_DER_GENERALIZED_TIME;
	struct gk_slice text = gk_der_get(value, tag, "signing-time");

	if (value->fault.err == GK_OK &&
	    !parse_time(tag, text, &run->cms->signing_time))
		stop(run, value, GK_CMS_FAULT_ATTRIBUTES, "signing-time");
}

/* attribute - the three that must be there are read, others are DER and signed,
 * and mean nothing here. */
static void
attribute(struct run *run, struct gk_rd *rd)
{
	struct gk_rd in = gk_der_enter(rd, GK_DER_SEQUENCE, "signedAttrs");
	struct gk_slice oid = gk_der_get(&in, GK_DER_OID, "attrType");
	struct gk_rd value = gk_der_enter(&in, GK_DER_SET, "attrValues");
	bool *seen = NULL;

	if (gk_slice_equal(oid, gk_oid_attr_content_type))
		seen = &run->seen_type;
	else if (gk_slice_equal(oid, gk_oid_attr_message_digest))
		seen = &run->seen_digest;
	else if (gk_slice_equal(oid, gk_oid_attr_signing_time))
		seen = &run->seen_time;
	if (seen == NULL) {
		gk_der_set_of(&value, "attrValues");
		if (value.fault.err == GK_OK && gk_rd_left(&value) == 0)
			stop(run, &value, GK_CMS_FAULT_ATTRIBUTES,
			     "attrValues");
		while (value.fault.err == GK_OK && gk_rd_left(&value) > 0)
			(void)gk_der_any(&value, "attrValues");
	} else if (*seen || gk_rd_left(&value) == 0) {
		stop(run, &value, GK_CMS_FAULT_ATTRIBUTES, "signedAttrs");
	} else if (seen == &run->seen_type) {
		run->attr_type = gk_der_get(&value, GK_DER_OID, "content-type");
	} else if (seen == &run->seen_digest) {
		run->cms->digest = gk_der_get(&value, GK_DER_OCTET_STRING,
		                              "message-digest");
	} else {
		attr_signing_time(run, &value);
	}
	if (seen != NULL) {
		*seen = true;
		if (value.fault.err == GK_OK && gk_rd_left(&value) > 0)
			stop(run, &value, GK_CMS_FAULT_ATTRIBUTES,
			     "signedAttrs");
	}
	gk_der_leave(&in, &value);
	gk_der_leave(rd, &in);
}

static void
signed_attributes(struct run *run, struct gk_rd *rd)
{
	const uint8_t *from = rd->pos;
	struct gk_rd set;

	if (rd->fault.err == GK_OK &&
	    !gk_der_next_is(rd, GK_DER_CONTEXT_CONS(0))) {
		stop(run, rd, GK_CMS_FAULT_ATTRIBUTES, "signedAttrs");
		return;
	}
	set = gk_der_enter(rd, GK_DER_CONTEXT_CONS(0), "signedAttrs");
	gk_der_set_of(&set, "signedAttrs");
	while (set.fault.err == GK_OK && gk_rd_left(&set) > 0)
		attribute(run, &set);
	gk_der_leave(rd, &set);
	if (rd->fault.err != GK_OK)
		return;
	run->cms->signed_attrs =
		(struct gk_slice){ from, (size_t)(rd->pos - from) };
	if (!run->seen_type || !run->seen_digest || !run->seen_time)
		stop(run, rd, GK_CMS_FAULT_ATTRIBUTES, "signedAttrs");
}

static void
signer_id(struct run *run, struct gk_rd *rd, int32_t version)
{
	struct gk_cms *cms = run->cms;
	struct gk_rd in;

	if (version == 3) {
		cms->sid_key_id = gk_der_get(rd, GK_DER_CONTEXT(0),
		                             "subjectKeyIdentifier");
		if (rd->fault.err == GK_OK && cms->sid_key_id.len == 0)
			gk_rd_fail(rd, GK_ERR_VALUE, "subjectKeyIdentifier");
		return;
	}
	in = gk_der_enter(rd, GK_DER_SEQUENCE, "issuerAndSerialNumber");
	if (in.fault.err == GK_OK && !gk_der_next_is(&in, GK_DER_SEQUENCE))
		gk_rd_fail(&in, GK_ERR_VALUE, "issuer");
	cms->sid_issuer = gk_der_any(&in, "issuer");
	cms->sid_serial = gk_der_get(&in, GK_DER_INTEGER, "serialNumber");
	if (in.fault.err == GK_OK && !gk_der_integer_ok(cms->sid_serial))
		gk_rd_fail(&in, GK_ERR_VALUE, "serialNumber");
	gk_der_leave(rd, &in);
}

static void
signer_info(struct run *run, struct gk_rd *rd, struct gk_slice outer_digest)
{
	struct gk_rd in = gk_der_enter(rd, GK_DER_SEQUENCE, "SignerInfo");
	int32_t version = gk_der_small(&in, "SignerInfo version");
	struct gk_slice digest, sig;

	if (in.fault.err == GK_OK && version != 1 && version != 3)
		gk_rd_fail(&in, GK_ERR_VALUE, "SignerInfo version");
	signer_id(run, &in, version);
	digest = algorithm(run, &in, "digestAlgorithm");
	run->digest = gk_cms_digest_of(digest);
	if (run->digest == GK_HASH_NONE ||
	    !gk_slice_equal(digest, outer_digest))
		stop(run, &in, GK_CMS_FAULT_ALGORITHM, "digestAlgorithm");
	signed_attributes(run, &in);
	sig = algorithm(run, &in, "signatureAlgorithm");
	if (!gk_cms_signature_of(sig, run->digest, &run->cms->alg))
		stop(run, &in, GK_CMS_FAULT_ALGORITHM, "signatureAlgorithm");
	run->cms->signature = gk_der_get(&in, GK_DER_OCTET_STRING, "signature");
	if (gk_der_next_is(&in, GK_DER_CONTEXT_CONS(1))) {
		struct gk_rd set = gk_der_enter(&in, GK_DER_CONTEXT_CONS(1),
		                                "unsignedAttrs");

		/* Nobody vouches for these: DER, and not looked at. */
		gk_der_set_of(&set, "unsignedAttrs");
		while (set.fault.err == GK_OK && gk_rd_left(&set) > 0)
			(void)gk_der_any(&set, "unsignedAttrs");
		gk_der_leave(&in, &set);
	}
	gk_der_leave(rd, &in);
}

/* expected_version - RFC 5652 section 5.1, for what is accepted here. */
static int32_t
expected_version(const struct run *run)
{
	bool id_data =
		strcmp(run->cms->content_type, "1.2.840.113549.1.7.1") == 0;

	return id_data && run->cms->sid_key_id.len == 0 ? 1 : 3;
}

static void
signed_data(struct run *run, struct gk_rd *rd)
{
	struct gk_rd in = gk_der_enter(rd, GK_DER_SEQUENCE, "SignedData");
	int32_t version = gk_der_small(&in, "version");
	struct gk_slice digest = digest_algorithms(run, &in);
	struct gk_rd set;

	encap_content(run, &in);
	certificates(run, &in);
	revocations(&in);
	set = gk_der_enter(&in, GK_DER_SET, "signerInfos");
	if (set.fault.err == GK_OK && gk_rd_left(&set) == 0)
		stop(run, &set, GK_CMS_FAULT_SIGNERS, "signerInfos");
	signer_info(run, &set, digest);
	if (set.fault.err == GK_OK && gk_rd_left(&set) > 0)
		stop(run, &set, GK_CMS_FAULT_SIGNERS, "signerInfos");
	gk_der_leave(&in, &set);
	if (in.fault.err == GK_OK && version != expected_version(run))
		gk_rd_fail(&in, GK_ERR_VALUE, "version");
	gk_der_leave(rd, &in);
}

/* outermost - a ContentInfo starts with an OID, a SignedData with an INTEGER. */
static void
outermost(struct run *run)
{
	struct gk_rd *rd = &run->rd;
	struct gk_rd ahead = *rd, in, inner;
	struct gk_slice oid;

	in = gk_der_enter(&ahead, GK_DER_SEQUENCE, "ContentInfo");
	run->cms->bare = gk_der_next_is(&in, GK_DER_INTEGER);
	if (run->cms->bare) {
		signed_data(run, rd);
		return;
	}
	in = gk_der_enter(rd, GK_DER_SEQUENCE, "ContentInfo");
	oid = gk_der_get(&in, GK_DER_OID, "contentType");
	if (in.fault.err == GK_OK && !gk_slice_equal(oid, gk_oid_signed_data))
		stop(run, &in, GK_CMS_FAULT_FORM, "contentType");
	inner = gk_der_enter(&in, GK_DER_CONTEXT_CONS(0), "content");
	signed_data(run, &inner);
	gk_der_leave(&in, &inner);
	gk_der_leave(rd, &in);
}

static enum gk_err
refuse(struct gk_cms_fault *why, enum gk_cms_fault_kind kind, const char *field,
       size_t offset)
{
	if (why != NULL)
		*why = (struct gk_cms_fault){ kind, fault_text[kind], field,
			                      offset };
	switch (kind) {
	case GK_CMS_FAULT_SIGNER:
	case GK_CMS_FAULT_DIGEST:
	case GK_CMS_FAULT_SIGNATURE:
		return GK_ERR_AUTH;
	case GK_CMS_FAULT_LEGACY:
		return GK_ERR_POLICY;
	default:
		return GK_ERR_VALUE;
	}
}

static enum gk_err
decode(struct gk_slice der, struct run *run, struct gk_cms *cms,
       struct gk_cms_fault *why)
{
	*cms = (struct gk_cms){ .n_certs = 0 };
	*run = (struct run){ .cms = cms };
	if (der.len > GK_CMS_MAX_LEN)
		return refuse(why, GK_CMS_FAULT_SIZE, "ContentInfo", 0);
	gk_rd_init(&run->rd, der.ptr, der.len);
	outermost(run);
	if (gk_rd_done(&run->rd) != GK_OK)
		return refuse(why,
		              run->kind != GK_CMS_FAULT_NONE
		                      ? run->kind
		                      : GK_CMS_FAULT_ENCODING,
		              run->rd.fault.field, run->rd.fault.offset);
	if (!gk_slice_equal(run->attr_type, run->content_type))
		return refuse(why, GK_CMS_FAULT_ATTRIBUTES, "content-type",
		              (size_t)(run->attr_type.ptr - der.ptr));
	return GK_OK;
}

enum gk_err
gk_cms_peek_untrusted(struct gk_slice der, struct gk_cms *cms,
                      struct gk_cms_fault *why)
{
	struct run run;

	return decode(der, &run, cms, why);
}

/* names - does the SignerInfo's sid mean this certificate? */
static bool
names(const struct gk_cms *cms, const struct gk_cert *cert)
{
	if (cms->sid_key_id.len != 0)
		return gk_cert_has_ski(cert) &&
		       gk_slice_equal(cms->sid_key_id, gk_cert_key_id(cert));
	return gk_slice_equal(cms->sid_issuer, gk_cert_issuer(cert)) &&
	       gk_slice_equal(cms->sid_serial, gk_cert_serial_der(cert));
}

/* with_key - put the curve of the key into an ECDSA algorithm. */
static struct gk_sig_alg
with_key(struct gk_sig_alg alg, const struct gk_pubkey *pub)
{
	if (alg.scheme != GK_SIG_ECDSA_P256)
		return alg;
	if (gk_pubkey_kind(pub) == GK_KEY_P384)
		alg.scheme = GK_SIG_ECDSA_P384;
	else if (gk_pubkey_kind(pub) == GK_KEY_P521)
		alg.scheme = GK_SIG_ECDSA_P521;
	return alg;
}

static enum gk_err
check_signature(struct gk_cms *cms, const struct gk_cert *cert,
                struct gk_cms_fault *why)
{
	const struct gk_pubkey *pub = gk_cert_pubkey(cert);
	struct gk_buf attrs;
	enum gk_err err;

	cms->alg = with_key(cms->alg, pub);
	/* The signature is over the attributes as a SET, not as a [0]. */
	GK_TRY(gk_buf_copy(&attrs, cms->signed_attrs));
	attrs.ptr[0] = GK_DER_SET;
	err = gk_verify(pub, cms->alg, gk_buf_slice(&attrs), cms->signature);
	gk_buf_free(&attrs);
	if (err == GK_ERR_VALUE)
		return refuse(why, GK_CMS_FAULT_ALGORITHM, "signatureAlgorithm",
		              0);
	if (err == GK_ERR_AUTH)
		return refuse(why, GK_CMS_FAULT_SIGNATURE, "signature", 0);
	return err;
}

static enum gk_err
check_digest(const struct gk_cms *cms, enum gk_hash alg,
             struct gk_slice content, struct gk_cms_fault *why)
{
	uint8_t digest[GK_HASH_MAX];

	GK_TRY(gk_hash(alg, &content, 1, digest));
	if (!gk_slice_equal(cms->digest,
	                    (struct gk_slice){ digest, gk_hash_size(alg) }))
		return refuse(why, GK_CMS_FAULT_DIGEST, "message-digest", 0);
	return GK_OK;
}

enum gk_err
gk_cms_verify(struct gk_slice der, const struct gk_cms_expect *expect,
              struct gk_cms *out, const struct gk_cert **signer,
              struct gk_cms_fault *why)
{
	bool detached = (expect->flags & GK_CMS_DETACHED) != 0;
	bool bare = (expect->flags & GK_CMS_BARE) != 0;
	const struct gk_cert *cert = NULL;
	struct gk_cms cms;
	struct run run;

	GK_TRY(decode(der, &run, &cms, why));
	if (cms.bare != bare)
		return refuse(why, GK_CMS_FAULT_FORM, "ContentInfo", 0);
	if (strcmp(cms.content_type, expect->content_type) != 0)
		return refuse(why, GK_CMS_FAULT_CONTENT_TYPE, "eContentType",
		              (size_t)(run.content_type.ptr - der.ptr));
	if (cms.detached != detached)
		return refuse(why, GK_CMS_FAULT_CONTENT, "eContent", 0);
	if ((expect->flags & GK_CMS_LEGACY) == 0 &&
	    (gk_sig_is_legacy(cms.alg) || gk_hash_is_legacy(run.digest)))
		return refuse(why, GK_CMS_FAULT_LEGACY, "digestAlgorithm", 0);
	for (size_t i = 0; cert == NULL && i < expect->n_signers; i++)
		if (names(&cms, expect->signer[i]))
			cert = expect->signer[i];
	if (cert == NULL)
		return refuse(why, GK_CMS_FAULT_SIGNER, "sid", 0);
	GK_TRY(check_signature(&cms, cert, why));
	if (detached)
		cms.content = expect->content;
	GK_TRY(check_digest(&cms, run.digest, cms.content, why));
	*out = cms;
	if (signer != NULL)
		*signer = cert;
	return GK_OK;
}
