/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/crypto/gk_x509_der.h"

#include "common/crypto/gk_der.h"

#define UNIQUE_ID_1 GK_DER_CONTEXT(1)
#define UNIQUE_ID_2 GK_DER_CONTEXT(2)

static bool
is_true(struct gk_rd *rd)
{
	struct gk_slice v = gk_der_get(rd, GK_DER_BOOLEAN, "critical");

	return v.len == 1 && v.ptr[0] == 0xff;
}

/* Extensions; of a `critical` only TRUE is written: FALSE is the default. */
static void
extensions(struct gk_rd *rd)
{
	struct gk_rd list = gk_der_enter(rd, GK_DER_SEQUENCE, "extensions");

	while (list.fault.err == GK_OK && gk_rd_left(&list) != 0) {
		struct gk_rd in =
			gk_der_enter(&list, GK_DER_SEQUENCE, "Extension");

		(void)gk_der_get(&in, GK_DER_OID, "extnID");
		if (gk_der_next_is(&in, GK_DER_BOOLEAN) && !is_true(&in))
			gk_rd_fail(&in, GK_ERR_VALUE, "critical");
		(void)gk_der_get(&in, GK_DER_OCTET_STRING, "extnValue");
		gk_der_leave(&list, &in);
	}
	gk_der_leave(rd, &list);
}

/* [n] EXPLICIT Extensions OPTIONAL, at the end. */
static void
tagged_extensions(struct gk_rd *rd, uint8_t tag)
{
	struct gk_rd in;

	if (gk_rd_left(rd) == 0)
		return;
	in = gk_der_enter(rd, tag, "extensions");
	extensions(&in);
	gk_der_leave(rd, &in);
}

/* [0] EXPLICIT Version DEFAULT v1: that is not written. */
static void
version(struct gk_rd *rd)
{
	struct gk_rd in;

	if (!gk_der_next_is(rd, GK_DER_CONTEXT_CONS(0)))
		return;
	in = gk_der_enter(rd, GK_DER_CONTEXT_CONS(0), "version");
	if (gk_der_small(&in, "version") == 0)
		gk_rd_fail(&in, GK_ERR_VALUE, "version");
	gk_der_leave(rd, &in);
}

/* [n] IMPLICIT BIT STRING OPTIONAL */
static void
unique_id(struct gk_rd *rd, uint8_t tag)
{
	if (gk_der_next_is(rd, tag) &&
	    !gk_der_primitive_ok(GK_DER_BIT_STRING,
	                         gk_der_get(rd, tag, "UniqueIdentifier")))
		gk_rd_fail(rd, GK_ERR_VALUE, "UniqueIdentifier");
}

static void
tbs_certificate(struct gk_rd *rd)
{
	static const char *const part[] = { "signature", "issuer", "validity",
		                            "subject", "subjectPublicKeyInfo" };

	version(rd);
	(void)gk_der_get(rd, GK_DER_INTEGER, "serialNumber");
	for (size_t i = 0; i < GK_COUNT(part); i++)
		(void)gk_der_get(rd, GK_DER_SEQUENCE, part[i]);
	unique_id(rd, UNIQUE_ID_1);
	unique_id(rd, UNIQUE_ID_2);
	tagged_extensions(rd, GK_DER_CONTEXT_CONS(3));
}

static bool
next_is_time(const struct gk_rd *rd)
{
	return gk_der_next_is(rd, GK_DER_UTC_TIME) ||
	       gk_der_next_is(rd, GK_DER_GENERALIZED_TIME);
}

static void
revoked(struct gk_rd *rd)
{
	struct gk_rd list = gk_der_enter(rd, GK_DER_SEQUENCE, "revoked");

	while (list.fault.err == GK_OK && gk_rd_left(&list) != 0) {
		struct gk_rd in =
			gk_der_enter(&list, GK_DER_SEQUENCE, "revoked");

		(void)gk_der_get(&in, GK_DER_INTEGER, "userCertificate");
		if (next_is_time(&in))
			(void)gk_der_any(&in, "revocationDate");
		if (gk_rd_left(&in) != 0)
			extensions(&in);
		gk_der_leave(&list, &in);
	}
	gk_der_leave(rd, &list);
}

static void
tbs_cert_list(struct gk_rd *rd)
{
	if (gk_der_next_is(rd, GK_DER_INTEGER))
		(void)gk_der_get(rd, GK_DER_INTEGER, "version");
	(void)gk_der_get(rd, GK_DER_SEQUENCE, "signature");
	(void)gk_der_get(rd, GK_DER_SEQUENCE, "issuer");
	while (next_is_time(rd))
		(void)gk_der_any(rd, "thisUpdate");
	if (gk_der_next_is(rd, GK_DER_SEQUENCE))
		revoked(rd);
	tagged_extensions(rd, GK_DER_CONTEXT_CONS(0));
}

/* SEQUENCE { what is signed, the algorithm, the signature } */
static bool
is_signed(struct gk_slice der, void (*tbs)(struct gk_rd *))
{
	struct gk_rd rd, outer, inner;

	if (!gk_der_strict(der))
		return false;
	gk_rd_init(&rd, der.ptr, der.len);
	outer = gk_der_enter(&rd, GK_DER_SEQUENCE, "Certificate");
	inner = gk_der_enter(&outer, GK_DER_SEQUENCE, "tbsCertificate");
	tbs(&inner);
	gk_der_leave(&outer, &inner);
	(void)gk_der_get(&outer, GK_DER_SEQUENCE, "signatureAlgorithm");
	(void)gk_der_get(&outer, GK_DER_BIT_STRING, "signatureValue");
	gk_der_leave(&rd, &outer);
	return gk_rd_done(&rd) == GK_OK;
}

bool
gk_der_certificate(struct gk_slice der)
{
	return is_signed(der, tbs_certificate);
}

bool
gk_der_crl(struct gk_slice der)
{
	return is_signed(der, tbs_cert_list);
}
