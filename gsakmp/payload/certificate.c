/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/payload/certificate.h"

#include "common/base/gk_check.h"

enum gk_err
gsakmp_certificate_decode(struct gk_rd *rd, struct gsakmp_certificate *cert)
{
	cert->at = gk_rd_offset(rd);
	cert->type = gk_rd_u16(rd, "Certificate Type");
	cert->data = gk_rd_rest(rd);

	return gk_rd_done(rd);
}

enum gk_err
gsakmp_certificate_check(const struct gsakmp_certificate *cert,
                         const struct gsakmp_vocabulary *voc,
                         struct gsakmp_reject *why)
{
	/* RFC4535-7.7.2-02: only types of Table 20. */
	if (!gsakmp_code_known(GSAKMP_TABLE_CERT, voc, cert->type) &&
	    GK_CHECKED("RFC4535-7.7.2-02"))
		return gsakmp_refuse(
			why, GK_ERR_VALUE, GSAKMP_NOTIFY_CERT_TYPE_UNSUPPORTED,
			"RFC4535-7.7.2-02", "Certificate Type", cert->at);
	return GK_OK;
}

void
gsakmp_certificate_encode(struct gk_wr *wr,
                          const struct gsakmp_certificate *cert)
{
	gk_wr_u16(wr, cert->type);
	gk_wr_bytes(wr, cert->data);
}
