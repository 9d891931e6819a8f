/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/payload/vendor_id.h"

#include "common/base/gk_check.h"

enum gk_err
gsakmp_vendor_id_decode(struct gk_rd *rd, struct gsakmp_vendor_id *vid)
{
	vid->at = gk_rd_offset(rd);
	vid->value = gk_rd_rest(rd);
	vid->familiar = false;
	vid->short_ = vid->value.len < GSAKMP_VENDOR_ID_MIN;

	return gk_rd_done(rd);
}

enum gk_err
gsakmp_vendor_id_check(const struct gsakmp_vendor_id *vid,
                       struct gsakmp_reject *why)
{
	/* RFC4535-7.10.1-06: four octets or more. */
	if (vid->short_ && GK_CHECKED("RFC4535-7.10.1-06"))
		return gsakmp_refuse(why, GK_ERR_VALUE,
		                     GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                     "RFC4535-7.10.1-06", "Vendor ID", vid->at);
	return GK_OK;
}

void
gsakmp_vendor_id_encode(struct gk_wr *wr, const struct gsakmp_vendor_id *vid)
{
	gk_wr_bytes(wr, vid->value);
}
