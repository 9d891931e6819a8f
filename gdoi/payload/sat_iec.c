/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/base/gk_check.h"
#include "gdoi/payload/group_id.h"
#include "gdoi/payload/sat.h"

/* RFC 8052 section 2.2. */

/* Figure 8 counts authentication from 0, and encryption as the registry. */
static uint16_t
auth_shift(const struct gdoi_dialect *dialect)
{
	return dialect->iec_alg_numbers == GDOI_IEC_ALG_NUMBERS_FIGURE ? 1 : 0;
}

static enum gk_err
atd_read(const struct isakmp_attribute *a, struct gdoi_sat_iec *sa,
         struct isakmp_reject *why)
{
	/* Switch iec_atd is about sending: both forms are unambiguous. */
	if ((sa->has_atd || (!a->basic && a->value.len != 4)) &&
	    GK_CHECKED("RFC8052-4-03"))
		return isakmp_refuse_attribute(why, "RFC8052-4-03", "SA_ATD",
		                               a->at);
	sa->has_atd = true;
	(void)isakmp_attribute_number(a, &sa->atd);
	return GK_OK;
}

static enum gk_err
attribute_read(const struct isakmp_attribute *a, struct gdoi_sat_iec *sa,
               struct isakmp_reject *why)
{
	if (a->type == GDOI_IEC_ATTRIBUTE_ATD)
		return atd_read(a, sa, why);
	if (a->type != GDOI_IEC_ATTRIBUTE_KDA &&
	    GK_CHECKED("RFC8052-4-03", "RFC8052-2.2.4-01"))
		return isakmp_refuse_attribute(why, "RFC8052-4-03",
		                               "SA Data Attributes", a->at);
	/* RFC8052-2.2.4.2-01: a percentage. */
	if ((sa->has_kda || !a->basic || a->number > 100) &&
	    GK_CHECKED("RFC8052-2.2.4.2-01"))
		return isakmp_refuse_attribute(why, "RFC8052-2.2.4.2-01",
		                               "SA_KDA", a->at);
	sa->has_kda = true;
	sa->kda = a->number;
	return GK_OK;
}

static enum gk_err
algorithms_check(const struct gdoi_sat_iec *sa, size_t at,
                 struct isakmp_reject *why)
{
	bool gcm = sa->enc == GDOI_IEC_ENC_AES_GCM_128 ||
	           sa->enc == GDOI_IEC_ENC_AES_GCM_256;

	if (!isakmp_code_known(ISAKMP_TABLE_IEC_AUTH, sa->auth) &&
	    GK_CHECKED("RFC8052-4-01"))
		return isakmp_refuse_attribute(why, "RFC8052-4-01", "Auth Alg",
		                               at);
	if (!isakmp_code_known(ISAKMP_TABLE_IEC_ENC, sa->enc) &&
	    GK_CHECKED("RFC8052-4-02"))
		return isakmp_refuse_attribute(why, "RFC8052-4-02", "Enc Alg",
		                               at + 2);
	/* RFC8052-2.2.3-01, -02 */
	if (sa->auth == GDOI_IEC_AUTH_NONE && !gcm &&
	    sa->enc != GDOI_IEC_ENC_NONE &&
	    GK_CHECKED("RFC8052-2.2.3-01", "RFC8052-2.2.3-02",
	               "RFC8052-2.2.2-01", "RFC8052-3-01", "RFC8052-3-02"))
		return isakmp_refuse_attribute(
			why,
			sa->enc == GDOI_IEC_ENC_AES_CBC_128
				? "RFC8052-2.2.3-01"
				: "RFC8052-2.2.3-02",
			"Auth Alg", at);
	/* RFC8052-2.2.3-03, -04: GCM brings its own. */
	if (gcm && sa->auth != GDOI_IEC_AUTH_NONE &&
	    GK_CHECKED("RFC8052-2.2.3-03", "RFC8052-2.2.3-04"))
		return isakmp_refuse_attribute(
			why,
			sa->enc == GDOI_IEC_ENC_AES_GCM_128
				? "RFC8052-2.2.3-03"
				: "RFC8052-2.2.3-04",
			"Auth Alg", at);
	return GK_OK;
}

enum gk_err
gdoi_sat_iec_read(struct gk_rd *rd, const struct gdoi_dialect *dialect,
                  struct gdoi_sat *sat, struct isakmp_reject *why)
{
	struct gdoi_sat_iec *sa = &sat->iec;
	struct gk_slice spi;
	size_t algorithms;

	sa->oid = gk_rd_bytes(rd, gk_rd_u8(rd, "OID Length"), "OID");
	sa->payload = gk_rd_vec16(rd, "OID-Specific Payload");
	spi = gk_rd_bytes(rd, GDOI_TEK_SPI_LEN, "SPI");
	algorithms = gk_rd_offset(rd);
	sa->auth = gk_rd_u16(rd, "Auth Alg");
	sa->auth = (uint16_t)(sa->auth + auth_shift(dialect));
	sa->enc = gk_rd_u16(rd, "Enc Alg");
	sa->lifetime = gk_rd_u32(rd, "Remaining Lifetime Value");
	if (rd->fault.err != GK_OK)
		return isakmp_refuse_fault(why, &rd->fault,
		                           ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                           "RFC8052-2.2-02");
	memcpy(sat->spi, spi.ptr, GDOI_TEK_SPI_LEN);
	/* RFC8052-2.2.1-02: without a selector it is nobody's. */
	if (sa->oid.len == 0 && GK_CHECKED("RFC8052-2.2.1-02"))
		return isakmp_refuse(
			why, GK_ERR_VALUE, ISAKMP_NOTIFY_INVALID_ID_INFORMATION,
			"RFC8052-2.2.1-02", "OID Length", sat->at + 1);
	if (!gdoi_oid_fits(dialect, sa->oid) && GK_CHECKED("RFC8052-2.2-02"))
		return isakmp_refuse(why, GK_ERR_VALUE,
		                     ISAKMP_NOTIFY_INVALID_ID_INFORMATION,
		                     "RFC8052-2.2-02", "OID", sat->at + 2);
	if (!gdoi_oid_payload_fits(sa->payload) && GK_CHECKED("RFC8052-2.1-06"))
		return isakmp_refuse(why, GK_ERR_VALUE,
		                     ISAKMP_NOTIFY_INVALID_ID_INFORMATION,
		                     "RFC8052-2.1-06", "OID-Specific Payload",
		                     sat->at + 4 + sa->oid.len);
	GK_TRY(algorithms_check(sa, algorithms, why));
	while (gk_rd_left(rd) != 0) {
		struct isakmp_attribute a;

		if (isakmp_attribute_decode(rd, &a) != GK_OK)
			return isakmp_refuse_fault(
				why, &rd->fault,
				ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
				"RFC8052-2.2-07");
		GK_TRY(attribute_read(&a, sa, why));
	}
	return GK_OK;
}

void
gdoi_sat_iec_encode(struct gk_wr *wr, const struct gdoi_dialect *dialect,
                    const struct gdoi_sat *sat)
{
	const struct gdoi_sat_iec *sa = &sat->iec;

	gk_wr_u8(wr, (uint8_t)sa->oid.len);
	gk_wr_bytes(wr, sa->oid);
	gk_wr_vec16(wr, sa->payload);
	gk_wr_bytes(wr, (struct gk_slice){ sat->spi, GDOI_TEK_SPI_LEN });
	gk_wr_u16(wr, (uint16_t)(sa->auth - auth_shift(dialect)));
	gk_wr_u16(wr, sa->enc);
	gk_wr_u32(wr, sa->lifetime);
	if (sa->has_atd && dialect->iec_atd == GDOI_IEC_ATD_B)
		isakmp_attribute_encode_basic(
			wr, GDOI_IEC_ATTRIBUTE_ATD,
			sa->atd > UINT16_MAX ? UINT16_MAX : (uint16_t)sa->atd);
	else if (sa->has_atd)
		isakmp_attribute_encode_u32(wr, GDOI_IEC_ATTRIBUTE_ATD,
		                            sa->atd);
	if (sa->has_kda)
		isakmp_attribute_encode_basic(wr, GDOI_IEC_ATTRIBUTE_KDA,
		                              sa->kda);
}
