/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/payload/sak.h"

#include <string.h>

#include "common/base/gk_check.h"

static size_t
reserved_len(const struct gdoi_dialect *dialect)
{
	return dialect->sak_reserved == GDOI_SAK_RESERVED_6 ? 6 : 4;
}

/* One row per Basic KEK attribute: where its value goes and which are known. */
struct row {
	uint16_t type;
	size_t offset;
	bool listed; /* only values of @table */
	enum isakmp_table table;
	const char *req;
};

#define AT(field) offsetof(struct gdoi_sak, field)
static const struct row rows[] = {
	{ GDOI_KEK_ATTRIBUTE_ALGORITHM, AT(algorithm), true,
	  ISAKMP_TABLE_KEK_ALG, "RFC6407-5.3.2-02" },
	{ GDOI_KEK_ATTRIBUTE_KEY_LENGTH, AT(key_length), false, 0,
	  "RFC6407-5.3.3-01" },
	{ GDOI_KEK_ATTRIBUTE_SIG_HASH, AT(sig_hash), true,
	  ISAKMP_TABLE_SIG_HASH, "RFC6407-5.3.5-01" },
	{ GDOI_KEK_ATTRIBUTE_SIG_ALGORITHM, AT(sig_algorithm), true,
	  ISAKMP_TABLE_SIG_ALG, "RFC6407-5.3.6-01" },
	{ GDOI_KEK_ATTRIBUTE_SIG_KEY_LENGTH, AT(sig_key_length), false, 0,
	  "RFC6407-5.3.7-01" },
	/* RFC8263-4-03: a type that we have not is for others to answer. */
	{ GDOI_KEK_ATTRIBUTE_ACK_REQUESTED, AT(ack), false, 0, "RFC8263-2-01" },
};
#undef AT

static enum gk_err
lifetime_read(const struct isakmp_attribute *a, struct gdoi_sak *sak,
              struct isakmp_reject *why)
{
	/* RFC6407-5.3.4-01: four octets; a Basic one is unambiguous. */
	if (!a->basic && a->value.len != 4 && GK_CHECKED("RFC6407-5.3.4-01"))
		return isakmp_refuse(
			why, GK_ERR_VALUE, ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
			"RFC6407-5.3.4-01", "KEK_KEY_LIFETIME", a->at);
	(void)isakmp_attribute_number(a, &sak->lifetime);
	return GK_OK;
}

static enum gk_err
management_read(const struct isakmp_attribute *a, bool pull,
                struct gdoi_sak *sak, struct isakmp_reject *why)
{
	if (pull) /* RFC6407-5.3-16 */
		return GK_OK;
	if (a->number != GDOI_KEK_MANAGEMENT_LKH &&
	    GK_CHECKED("RFC6407-5.3.1-01"))
		return isakmp_refuse_attribute(why, "RFC6407-5.3.1-01",
		                               "KEK_MANAGEMENT_ALGORITHM",
		                               a->at);
	sak->management = a->number;
	return GK_OK;
}

static enum gk_err
attribute_read(const struct isakmp_attribute *a, bool pull,
               struct gdoi_sak *sak, struct isakmp_reject *why)
{
	if (a->type == GDOI_KEK_ATTRIBUTE_KEY_LIFETIME)
		return lifetime_read(a, sak, why);
	/* RFC6407-5.3.2-01: what is not understood ends it. */
	if (!isakmp_code_known(ISAKMP_TABLE_KEK_ATTRIBUTE, a->type) &&
	    GK_CHECKED("RFC6407-5.3.2-01"))
		return isakmp_refuse_attribute(why, "RFC6407-5.3.2-01",
		                               "KEK Attributes", a->at);
	/* RFC6407-5.3-10: all the others are Basic. */
	if (!a->basic && GK_CHECKED("RFC6407-5.3-10"))
		return isakmp_refuse(
			why, GK_ERR_VALUE, ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
			"RFC6407-5.3-10",
			isakmp_code_text(ISAKMP_TABLE_KEK_ATTRIBUTE, a->type),
			a->at);
	if (a->type == GDOI_KEK_ATTRIBUTE_MANAGEMENT_ALGORITHM)
		return management_read(a, pull, sak, why);
	for (size_t i = 0; i < GK_COUNT(rows); i++) {
		if (rows[i].type != a->type)
			continue;
		if ((rows[i].listed
		             ? !isakmp_code_known(rows[i].table, a->number)
		             : a->number == 0) &&
		    GK_CHECKED(rows[i].req))
			return isakmp_refuse_attribute(
				why, rows[i].req,
				isakmp_code_text(ISAKMP_TABLE_KEK_ATTRIBUTE,
			                         a->type),
				a->at);
		memcpy((uint8_t *)sak + rows[i].offset, &a->number,
		       sizeof(a->number));
	}
	return GK_OK;
}

static enum gk_err
attributes_read(struct gk_rd *rd, bool pull, struct gdoi_sak *sak,
                struct isakmp_reject *why)
{
	uint32_t seen = 0; /* all known types are below 32 */

	while (gk_rd_left(rd) != 0) {
		struct isakmp_attribute a;

		if (isakmp_attribute_decode(rd, &a) != GK_OK)
			return isakmp_refuse_fault(
				why, &rd->fault,
				ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
				"RFC6407-5.3-10");
		/* Two values for one attribute: nobody says which one counts. */
		if (a.type < 32 && (seen & 1U << a.type) != 0 &&
		    GK_CHECKED("RFC6407-5.3-10"))
			return isakmp_refuse(why, GK_ERR_UNEXPECTED,
			                     ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
			                     "RFC6407-5.3-10", "KEK Attributes",
			                     a.at);
		if (a.type < 32)
			seen |= 1U << a.type;
		GK_TRY(attribute_read(&a, pull, sak, why));
	}
	return GK_OK;
}

enum gk_err
gdoi_sak_read(struct gk_rd *rd, const struct gdoi_dialect *dialect, bool pull,
              struct gdoi_sak *sak, struct isakmp_reject *why)
{
	struct gk_slice spi;

	*sak = (struct gdoi_sak){ .at = gk_rd_offset(rd) };
	gdoi_endpoints_decode(rd, dialect, &sak->ep);
	spi = gk_rd_bytes(rd, GDOI_KEK_SPI_LEN, "SPI");
	if (GK_CHECKED("RFC6407-5.3-09"))
		gk_rd_zero(rd, reserved_len(dialect), "RESERVED2");
	else
		(void)gk_rd_bytes(rd, reserved_len(dialect), "RESERVED2");
	if (rd->fault.err != GK_OK)
		return isakmp_refuse_fault(
			why, &rd->fault, ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
			rd->fault.err == GK_ERR_RESERVED ? "RFC6407-5.3-09"
							 : "RFC6407-5.3-06");
	memcpy(sak->spi, spi.ptr, GDOI_KEK_SPI_LEN);
	GK_TRY(gdoi_endpoints_check(&sak->ep, false, "RFC6407-5.3-07", why));
	GK_TRY(attributes_read(rd, pull, sak, why));

	/* RFC6407-5.3-12, -13 */
	if (sak->algorithm == 0 && GK_CHECKED("RFC6407-5.3-12"))
		return isakmp_refuse_attribute(why, "RFC6407-5.3-12",
		                               "KEK_ALGORITHM", sak->at);
	if (sak->sig_algorithm == 0 && GK_CHECKED("RFC6407-5.3-13"))
		return isakmp_refuse_attribute(why, "RFC6407-5.3-13",
		                               "SIG_ALGORITHM", sak->at);
	return GK_OK;
}

static void
basic(struct gk_wr *wr, uint16_t type, uint16_t number)
{
	if (number != 0)
		isakmp_attribute_encode_basic(wr, type, number);
}

void
gdoi_sak_encode(struct gk_wr *wr, const struct gdoi_dialect *dialect,
                const struct gdoi_sak *sak)
{
	gdoi_endpoints_encode(wr, dialect, &sak->ep);
	gk_wr_bytes(wr, (struct gk_slice){ sak->spi, GDOI_KEK_SPI_LEN });
	for (size_t i = 0; i < reserved_len(dialect); i++)
		gk_wr_u8(wr, 0);
	basic(wr, GDOI_KEK_ATTRIBUTE_MANAGEMENT_ALGORITHM, sak->management);
	basic(wr, GDOI_KEK_ATTRIBUTE_ALGORITHM, sak->algorithm);
	basic(wr, GDOI_KEK_ATTRIBUTE_KEY_LENGTH, sak->key_length);
	if (sak->lifetime != 0 &&
	    dialect->kek_lifetime_form == GDOI_KEK_LIFETIME_FORM_V4)
		isakmp_attribute_encode_u32(wr, GDOI_KEK_ATTRIBUTE_KEY_LIFETIME,
		                            sak->lifetime);
	else
		basic(wr, GDOI_KEK_ATTRIBUTE_KEY_LIFETIME,
		      sak->lifetime > UINT16_MAX ? UINT16_MAX
		                                 : (uint16_t)sak->lifetime);
	basic(wr, GDOI_KEK_ATTRIBUTE_SIG_HASH, sak->sig_hash);
	basic(wr, GDOI_KEK_ATTRIBUTE_SIG_ALGORITHM, sak->sig_algorithm);
	basic(wr, GDOI_KEK_ATTRIBUTE_SIG_KEY_LENGTH, sak->sig_key_length);
	/* Last: one peer stops at an attribute it does not know. */
	basic(wr, GDOI_KEK_ATTRIBUTE_ACK_REQUESTED, sak->ack);
}
