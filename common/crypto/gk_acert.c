/* SPDX-License-Identifier: BSD-2-Clause */
/* Attribute certificates as they are; gk_acert_verify.c says what they prove. */
#include "common/crypto/gk_acert.h"

#include "common/base/gk_check.h"
#include "common/base/gk_time.h"
#include "common/crypto/gk_der.h"
#include "common/crypto/gk_hash.h"
#include "common/crypto/gk_ossl.h"

#define VERSION_2 1
#define DIRECTORY_NAME GK_DER_CONTEXT_CONS(4)

/* GeneralNames with nothing but one directoryName; @tag is the list's. */
static struct gk_slice
one_name(struct gk_rd *rd, uint8_t tag, const char *field)
{
	struct gk_rd list = gk_der_enter(rd, tag, field);
	struct gk_rd inner = gk_der_enter(&list, DIRECTORY_NAME, field);
	struct gk_slice name = gk_der_any(&inner, field);

	gk_der_leave(&list, &inner);
	gk_der_leave(rd, &list);
	return name;
}

static struct gk_slice
serial_number(struct gk_rd *rd, const char *field)
{
	struct gk_slice s = gk_der_get(rd, GK_DER_INTEGER, field);

	if (!gk_der_integer_ok(s))
		gk_rd_fail(rd, GK_ERR_VALUE, field);
	return s;
}

static struct gk_slice
bit_string(struct gk_rd *rd, const char *field)
{
	struct gk_slice s = gk_der_get(rd, GK_DER_BIT_STRING, field);

	if (s.len < 2 || s.ptr[0] != 0) {
		gk_rd_fail(rd, GK_ERR_VALUE, field);
		return (struct gk_slice){ 0 };
	}
	return (struct gk_slice){ s.ptr + 1, s.len - 1 };
}

/* ObjectDigestInfo; otherObjectTypes is not for certificates of people. */
static void
digest_info(struct gk_rd *rd, struct gk_acert *a)
{
	const char *field = "objectDigestInfo";
	struct gk_rd in = gk_der_enter(rd, GK_DER_CONTEXT_CONS(2), field);
	struct gk_slice type = gk_der_get(&in, 0x0a, "digestedObjectType");
	struct gk_rd alg;

	if (in.fault.err == GK_OK && (type.len != 1 || type.ptr[0] > 1))
		gk_rd_fail(&in, GK_ERR_VALUE, "digestedObjectType");
	a->digest_type = in.fault.err == GK_OK ? type.ptr[0] : -1;
	alg = gk_der_enter(&in, GK_DER_SEQUENCE, "digestAlgorithm");
	a->digest_alg = gk_der_get(&alg, GK_DER_OID, "digestAlgorithm");
	if (gk_rd_left(&alg) != 0)
		(void)gk_der_get(&alg, GK_DER_NULL, "digestAlgorithm");
	gk_der_leave(&in, &alg);
	a->digest = bit_string(&in, "objectDigest");
	gk_der_leave(rd, &in);
}

static void
holder(struct gk_rd *rd, struct gk_acert *a)
{
	struct gk_rd in = gk_der_enter(rd, GK_DER_SEQUENCE, "holder"), base;

	a->digest_type = -1;
	if (gk_der_next_is(&in, GK_DER_CONTEXT_CONS(0))) {
		base = gk_der_enter(&in, GK_DER_CONTEXT_CONS(0),
		                    "baseCertificateID");
		a->base_issuer =
			one_name(&base, GK_DER_SEQUENCE, "baseCertificateID");
		a->base_serial = serial_number(&base, "baseCertificateID");
		gk_der_leave(&in, &base);
	}
	if (gk_der_next_is(&in, GK_DER_CONTEXT_CONS(1)))
		a->entity = one_name(&in, GK_DER_CONTEXT_CONS(1), "entityName");
	if (gk_der_next_is(&in, GK_DER_CONTEXT_CONS(2)))
		digest_info(&in, a);
	if (in.fault.err == GK_OK && a->base_issuer.len == 0 &&
	    a->entity.len == 0 && a->digest_type < 0)
		gk_rd_fail(&in, GK_ERR_VALUE, "holder");
	gk_der_leave(rd, &in);
}

static void
validity(struct gk_rd *rd, struct gk_acert *a)
{
	const char *field = "attrCertValidityPeriod";
	struct gk_rd in = gk_der_enter(rd, GK_DER_SEQUENCE, field);
	struct gk_slice from = gk_der_get(&in, GK_DER_GENERALIZED_TIME, field);
	struct gk_slice to = gk_der_get(&in, GK_DER_GENERALIZED_TIME, field);

	if (in.fault.err == GK_OK &&
	    (gk_zulu_parse(from, &a->not_before) != GK_OK ||
	     gk_zulu_parse(to, &a->not_after) != GK_OK))
		gk_rd_fail(&in, GK_ERR_VALUE, field);
	gk_der_leave(rd, &in);
}

/* SEQUENCE OF SEQUENCE { type, SET OF value }: that each has this form. */
static void
attributes(struct gk_rd *rd, struct gk_acert *a)
{
	struct gk_rd list = gk_der_enter(rd, GK_DER_SEQUENCE, "attributes");
	const uint8_t *start = list.pos;

	a->attributes = (struct gk_slice){ start, gk_rd_left(&list) };
	while (list.fault.err == GK_OK && gk_rd_left(&list) != 0) {
		struct gk_rd in =
			gk_der_enter(&list, GK_DER_SEQUENCE, "Attribute");
		struct gk_rd set;

		(void)gk_der_get(&in, GK_DER_OID, "type");
		set = gk_der_enter(&in, GK_DER_SET, "values");
		gk_der_set_of(&set, "values");
		if (set.fault.err == GK_OK && gk_rd_left(&set) == 0)
			gk_rd_fail(&set, GK_ERR_VALUE, "values");
		while (set.fault.err == GK_OK && gk_rd_left(&set) != 0)
			(void)gk_der_any(&set, "values");
		gk_der_leave(&in, &set);
		gk_der_leave(&list, &in);
	}
	gk_der_leave(rd, &list);
}

static void
extensions(struct gk_rd *rd, struct gk_acert *a)
{
	struct gk_rd list = gk_der_enter(rd, GK_DER_SEQUENCE, "extensions");

	while (list.fault.err == GK_OK && gk_rd_left(&list) != 0) {
		struct gk_rd in =
			gk_der_enter(&list, GK_DER_SEQUENCE, "Extension");

		(void)gk_der_get(&in, GK_DER_OID, "extnID");
		if (gk_der_next_is(&in, GK_DER_BOOLEAN)) {
			struct gk_slice b =
				gk_der_get(&in, GK_DER_BOOLEAN, "critical");

			/* DER: FALSE is the default and is not written. */
			if (b.len != 1 || b.ptr[0] != 0xff)
				gk_rd_fail(&in, GK_ERR_VALUE, "critical");
			a->critical = true;
		}
		(void)gk_der_get(&in, GK_DER_OCTET_STRING, "extnValue");
		gk_der_leave(&list, &in);
	}
	gk_der_leave(rd, &list);
}

static void
info(struct gk_rd *rd, struct gk_acert *a)
{
	struct gk_rd in = gk_der_enter(rd, GK_DER_SEQUENCE, "acinfo"), form;
	struct gk_slice alg;

	if (gk_der_small(&in, "version") != VERSION_2)
		gk_rd_fail(&in, GK_ERR_VALUE, "version");
	holder(&in, a);
	form = gk_der_enter(&in, GK_DER_CONTEXT_CONS(0), "issuer");
	a->issuer = one_name(&form, GK_DER_SEQUENCE, "issuerName");
	gk_der_leave(&in, &form);
	alg = gk_der_any(&in, "signature");
	/* RFC 5755 section 4.2.4: the two have to be the same. */
	if (in.fault.err == GK_OK && !gk_slice_equal(alg, a->sig_alg))
		gk_rd_fail(&in, GK_ERR_VALUE, "signature");
	a->serial = serial_number(&in, "serialNumber");
	validity(&in, a);
	attributes(&in, a);
	if (gk_der_next_is(&in, GK_DER_BIT_STRING))
		(void)gk_der_get(&in, GK_DER_BIT_STRING, "issuerUniqueID");
	if (gk_rd_left(&in) != 0)
		extensions(&in, a);
	gk_der_leave(rd, &in);
}

enum gk_err
gk_acert_decode(struct gk_slice der, struct gk_acert *a)
{
	struct gk_rd rd, outer, inner;

	*a = (struct gk_acert){ .der = der };
	if (der.len > GK_ACERT_MAX_LEN)
		return GK_ERR_SPACE;
	if (GK_CHECKED("RFC5280-4.1-01") && !gk_der_strict(der))
		return GK_ERR_VALUE;
	gk_rd_init(&rd, der.ptr, der.len);
	outer = gk_der_enter(&rd, GK_DER_SEQUENCE, "AttributeCertificate");
	a->info = gk_der_any(&outer, "acinfo");
	a->sig_alg = gk_der_any(&outer, "signatureAlgorithm");
	a->sig = bit_string(&outer, "signatureValue");
	gk_der_leave(&rd, &outer);
	GK_TRY(gk_rd_done(&rd));
	gk_rd_init(&inner, a->info.ptr, a->info.len);
	info(&inner, a);
	return gk_rd_done(&inner);
}

struct gk_slice
gk_acert_attribute(const struct gk_acert *a, struct gk_slice oid)
{
	struct gk_rd list;

	gk_rd_init(&list, a->attributes.ptr, a->attributes.len);
	while (list.fault.err == GK_OK && gk_rd_left(&list) != 0) {
		struct gk_rd in = gk_der_enter(&list, GK_DER_SEQUENCE, "");
		struct gk_slice type = gk_der_get(&in, GK_DER_OID, "");
		struct gk_slice values = gk_der_get(&in, GK_DER_SET, "");

		if (in.fault.err == GK_OK && gk_slice_equal(type, oid))
			return values;
		gk_der_leave(&list, &in);
	}
	return (struct gk_slice){ 0 };
}
