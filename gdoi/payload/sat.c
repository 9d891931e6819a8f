/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/payload/sat.h"

#include "common/base/gk_check.h"

enum gk_err
gdoi_sat_read(struct gk_rd *rd, const struct gdoi_dialect *dialect,
              struct gdoi_sat *sat, struct isakmp_reject *why)
{
	*sat = (struct gdoi_sat){ .at = gk_rd_offset(rd) };
	sat->protocol = gk_rd_u8(rd, "Protocol-ID");
	if (rd->fault.err != GK_OK)
		return isakmp_refuse_fault(why, &rd->fault,
		                           ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                           "RFC6407-5.5-01");
	switch (sat->protocol) {
	case GDOI_PROTOCOL_ESP:
	case GDOI_PROTOCOL_AH:
		return gdoi_sat_ipsec_read(rd, dialect, sat, why);
	case GDOI_PROTOCOL_IEC_61850:
		return gdoi_sat_iec_read(rd, dialect, sat, why);
	default:
		if (!GK_CHECKED("RFC6407-5.5-04"))
			return GK_OK;
		return isakmp_refuse(why, GK_ERR_VALUE,
		                     ISAKMP_NOTIFY_INVALID_PROTOCOL_ID,
		                     "RFC6407-5.5-04", "Protocol-ID", sat->at);
	}
}

void
gdoi_sat_encode(struct gk_wr *wr, const struct gdoi_dialect *dialect,
                const struct gdoi_sat *sat)
{
	gk_wr_u8(wr, sat->protocol);
	if (sat->protocol == GDOI_PROTOCOL_IEC_61850)
		gdoi_sat_iec_encode(wr, dialect, sat);
	else
		gdoi_sat_ipsec_encode(wr, dialect, sat);
}
