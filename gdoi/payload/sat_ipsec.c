/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/base/gk_check.h"
#include "gdoi/payload/sat.h"

/* RFC 6407 section 5.5.1, RFC 2407 section 4.5. */
#define LIFE_SECONDS 1
#define LIFE_KILOBYTES 2
#define AH_MD5 2
#define AH_DES 4

struct reading {
	const struct gdoi_dialect *dialect;
	struct gdoi_sat_ipsec *sa;
	struct isakmp_reject *why;
	uint32_t life_type; /* waits for its duration; 0: none does */
	uint32_t seen;      /* bit per attribute type, all below 32 */
};

/* One row per Basic attribute, and for the one of RFC 4359 that is Variable and
 * comes as Basic where it fits: where its value goes, and its highest value. */
struct row {
	uint16_t type;
	uint16_t last; /* of the assigned values; 0: any */
	size_t offset;
	bool zero; /* switch attribute_zero applies */
	const char *req;
};

#define AT(field) offsetof(struct gdoi_sat_ipsec, field)
static const struct row rows[] = {
	{ GDOI_SA_ATTRIBUTE_ENCAPSULATION_MODE, 2, AT(encapsulation), false,
	  "RFC2407-4.5-06" },
	{ GDOI_SA_ATTRIBUTE_AUTHENTICATION, 0, AT(authentication), false,
	  "RFC2407-4.5-08" },
	{ GDOI_SA_ATTRIBUTE_KEY_LENGTH, 0, AT(key_length), false,
	  "RFC2407-4.5-10" },
	{ GDOI_SA_ATTRIBUTE_KEY_ROUNDS, 0, AT(key_rounds), false,
	  "RFC2407-4.5-03" },
	{ GDOI_SA_ATTRIBUTE_ECN_TUNNEL, 2, AT(ecn_tunnel), false,
	  "RFC2407-4.5.3-01" },
	{ GDOI_SA_ATTRIBUTE_EXTENDED_SEQUENCE, 1, AT(extended_sequence), false,
	  "RFC2407-4.5.3-01" },
	{ GDOI_SA_ATTRIBUTE_AUTHENTICATION_LENGTH, 0, AT(authentication_length),
	  false, "RFC2407-4.5.3-01" },
	{ GDOI_SA_ATTRIBUTE_SIGNATURE_ENCODING, 2, AT(signature_encoding),
	  false, "RFC2407-4.5.3-01" },
	{ GDOI_SA_ATTRIBUTE_ADDRESS_PRESERVATION, 4, AT(address_preservation),
	  true, "RFC6407-5.5.1.1.1-01" },
	{ GDOI_SA_ATTRIBUTE_SA_DIRECTION, 3, AT(direction), true,
	  "RFC6407-5.5.1.1.2-01" },
};
#undef AT

static enum gk_err
refuse(struct reading *r, const char *req, const struct isakmp_attribute *a)
{
	return isakmp_refuse(
		r->why, GK_ERR_VALUE, ISAKMP_NOTIFY_ATTRIBUTES_NOT_SUPPORTED,
		req, isakmp_code_text(ISAKMP_TABLE_SA_ATTRIBUTE, a->type),
		a->at);
}

/* RFC2407-4.5-05: a duration belongs to the type in front of it. */
static enum gk_err
duration_read(struct reading *r, const struct isakmp_attribute *a)
{
	uint32_t *to =
		r->life_type == LIFE_SECONDS ? &r->sa->life_s : &r->sa->life_kb;

	if (r->life_type == 0 && GK_CHECKED("RFC2407-4.5-05"))
		return refuse(r, "RFC2407-4.5-05", a);
	/* RFC2407-4.5.2-02: two durations of one kind contradict each other. */
	if (*to != 0 && GK_CHECKED("RFC2407-4.5.2-02"))
		return refuse(r, "RFC2407-4.5.2-02", a);
	if ((!isakmp_attribute_number(a, to) || *to == 0) &&
	    GK_CHECKED("RFC2407-4.5-03"))
		return refuse(r, "RFC2407-4.5-03", a);
	r->life_type = 0;
	return GK_OK;
}

static enum gk_err
life_type_read(struct reading *r, const struct isakmp_attribute *a)
{
	if (r->life_type != 0 && GK_CHECKED("RFC2407-4.5-05"))
		return refuse(r, "RFC2407-4.5-05", a);
	if ((!a->basic ||
	     (a->number != LIFE_SECONDS && a->number != LIFE_KILOBYTES)) &&
	    GK_CHECKED("RFC2407-4.5.3-01"))
		return refuse(r, "RFC2407-4.5.3-01", a);
	r->life_type = a->number;
	return GK_OK;
}

static enum gk_err
basic_read(struct reading *r, const struct row *row,
           const struct isakmp_attribute *a)
{
	bool either = row->type == GDOI_SA_ATTRIBUTE_AUTHENTICATION_LENGTH;
	uint32_t number = a->number;
	uint16_t value;

	/* RFC2407-4.5-01: Basic must not come as Variable. */
	if (!a->basic && !either && GK_CHECKED("RFC2407-4.5-01"))
		return refuse(r, "RFC2407-4.5-01", a);
	if (either &&
	    (!isakmp_attribute_number(a, &number) || number > UINT16_MAX))
		return refuse(r, row->req, a);
	value = (uint16_t)number;
	if (row->zero && value == 0 &&
	    r->dialect->attribute_zero == GDOI_ATTRIBUTE_ZERO_ABSENT)
		return GK_OK;
	if ((value == 0 || (row->last != 0 && value > row->last)) &&
	    GK_CHECKED(row->req))
		return refuse(r, row->req, a);
	memcpy((uint8_t *)r->sa + row->offset, &value, sizeof(value));
	return GK_OK;
}

static enum gk_err
attribute_read(struct reading *r, const struct isakmp_attribute *a)
{
	/* RFC6407-5.5.1-10: ignored. */
	if (a->type == GDOI_SA_ATTRIBUTE_GROUP_DESCRIPTION)
		return GK_OK;
	if (a->type == GDOI_SA_ATTRIBUTE_LIFE_TYPE)
		return life_type_read(r, a);
	if (a->type == GDOI_SA_ATTRIBUTE_LIFE_DURATION)
		return duration_read(r, a);
	for (size_t i = 0; i < GK_COUNT(rows); i++) {
		if (rows[i].type != a->type)
			continue;
		/* RFC2407-4.5.2-03: said twice. */
		if ((r->seen & 1U << a->type) != 0 &&
		    GK_CHECKED("RFC2407-4.5.2-03"))
			return refuse(r, "RFC2407-4.5.2-03", a);
		r->seen |= 1U << a->type;
		return basic_read(r, &rows[i], a);
	}
	/* RFC2407-4.5.3-01 */
	return refuse(r, "RFC2407-4.5.3-01", a);
}

/* Switch ah_authentication: the Authentication Algorithm that an AH transform goes
 * with (RFC 2407 sections 4.4.3 and 4.5; the same number from SHA2-256 on). */
static uint16_t
ah_implies(uint8_t transform)
{
	return transform >= AH_MD5 && transform <= AH_DES ? transform - 1
	                                                  : transform;
}

static bool
is_implied(const struct gdoi_dialect *dialect, const struct gdoi_sat *sat)
{
	return sat->protocol == GDOI_PROTOCOL_AH &&
	       dialect->ah_authentication == GDOI_AH_AUTHENTICATION_IMPLIED;
}

enum gk_err
gdoi_sat_ipsec_read(struct gk_rd *rd, const struct gdoi_dialect *dialect,
                    struct gdoi_sat *sat, struct isakmp_reject *why)
{
	struct reading r = { .dialect = dialect,
		             .sa = &sat->ipsec,
		             .why = why };
	struct isakmp_attribute a = { 0 };
	struct gk_slice spi;

	gdoi_endpoints_decode(rd, dialect, &r.sa->ep);
	r.sa->transform = gk_rd_u8(rd, "Transform ID");
	spi = gk_rd_bytes(rd, GDOI_TEK_SPI_LEN, "SPI");
	if (rd->fault.err != GK_OK)
		return isakmp_refuse_fault(why, &rd->fault,
		                           ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                           "RFC6407-5.5.1-01");
	memcpy(sat->spi, spi.ptr, GDOI_TEK_SPI_LEN);
	GK_TRY(gdoi_endpoints_check(&r.sa->ep, true, "RFC6407-5.5.1-04", why));
	while (gk_rd_left(rd) != 0) {
		if (isakmp_attribute_decode(rd, &a) != GK_OK)
			return isakmp_refuse_fault(
				why, &rd->fault,
				ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
				"RFC6407-5.5.1-01");
		GK_TRY(attribute_read(&r, &a));
	}
	/* RFC2407-4.5-05: a type without its duration. */
	if (r.life_type != 0 && GK_CHECKED("RFC2407-4.5-05"))
		return refuse(&r, "RFC2407-4.5-05", &a);
	if (r.sa->authentication == 0 && is_implied(dialect, sat))
		r.sa->authentication = ah_implies(r.sa->transform);
	return GK_OK;
}

static void
life_encode(struct gk_wr *wr, uint16_t type, uint32_t duration)
{
	if (duration == 0)
		return;
	isakmp_attribute_encode_basic(wr, GDOI_SA_ATTRIBUTE_LIFE_TYPE, type);
	/* RFC2407-4.5-02 */
	if (duration <= UINT16_MAX)
		isakmp_attribute_encode_basic(wr,
		                              GDOI_SA_ATTRIBUTE_LIFE_DURATION,
		                              (uint16_t)duration);
	else
		isakmp_attribute_encode_u32(wr, GDOI_SA_ATTRIBUTE_LIFE_DURATION,
		                            duration);
}

void
gdoi_sat_ipsec_encode(struct gk_wr *wr, const struct gdoi_dialect *dialect,
                      const struct gdoi_sat *sat)
{
	const struct gdoi_sat_ipsec *sa = &sat->ipsec;
	uint8_t src[GDOI_ENDPOINT_MAX], dst[GDOI_ENDPOINT_MAX];
	struct gdoi_endpoints ep = sa->ep;

	ep.src.data = gdoi_endpoint_turn(dialect, &sa->ep.src, src);
	ep.dst.data = gdoi_endpoint_turn(dialect, &sa->ep.dst, dst);
	gdoi_endpoints_encode(wr, dialect, &ep);
	gk_wr_u8(wr, sa->transform);
	gk_wr_bytes(wr, (struct gk_slice){ sat->spi, GDOI_TEK_SPI_LEN });
	life_encode(wr, LIFE_SECONDS, sa->life_s);
	life_encode(wr, LIFE_KILOBYTES, sa->life_kb);
	for (size_t i = 0; i < GK_COUNT(rows); i++) {
		uint16_t number;

		memcpy(&number, (const uint8_t *)sa + rows[i].offset,
		       sizeof(number));
		if (rows[i].type == GDOI_SA_ATTRIBUTE_AUTHENTICATION &&
		    is_implied(dialect, sat) &&
		    number == ah_implies(sa->transform))
			continue;
		if (number != 0)
			isakmp_attribute_encode_basic(wr, rows[i].type, number);
	}
}
