/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/payload/signature.h"

#include "common/base/gk_check.h"
#include "gsakmp/payload/identification.h"

/* Offsets of the fields in the body, for rejects. */
#define AT_ID_TYPE 2
#define AT_TIMESTAMP 3
#define AT_SIGNER_ID (AT_TIMESTAMP + GK_ZULU_LEN + 2)

enum gk_err
gsakmp_signature_decode(struct gk_rd *rd, struct gsakmp_signature *sig)
{
	sig->at = gk_rd_offset(rd);
	sig->type = gk_rd_u16(rd, "Signature Type");
	sig->id_type = gk_rd_u8(rd, "Signature ID Type");
	sig->timestamp = gk_rd_bytes(rd, GK_ZULU_LEN, "Signature Timestamp");
	sig->signer_id = gk_rd_vec16(rd, "Signer ID Length");
	sig->covered = gk_rd_offset(rd);
	sig->value = gk_rd_vec16(rd, "Signature Length");

	return gk_rd_done(rd);
}

void
gsakmp_signature_encode(struct gk_wr *wr, const struct gsakmp_signature *sig)
{
	gk_wr_u16(wr, sig->type);
	gk_wr_u8(wr, sig->id_type);
	gk_wr_bytes(wr, sig->timestamp);
	gk_wr_vec16(wr, sig->signer_id);
	gk_wr_vec16(wr, sig->value);
}

enum gk_err
gsakmp_signature_check(const struct gsakmp_signature *sig,
                       const struct gsakmp_vocabulary *voc,
                       struct gsakmp_reject *why)
{
	int64_t utc;

	/* RFC4535-7.8.2-02: only types that Table 21 registers. */
	if (!gsakmp_code_known(GSAKMP_TABLE_SIGNATURE, voc, sig->type) &&
	    GK_CHECKED("RFC4535-7.8.2-02"))
		return gsakmp_refuse(
			why, GK_ERR_VALUE, GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			"RFC4535-7.8.2-02", "Signature Type", sig->at);

	/* RFC4535-7.8.2-03: only identification types of Table 19. */
	if (!gsakmp_code_known(GSAKMP_TABLE_ID, voc, sig->id_type) &&
	    GK_CHECKED("RFC4535-7.8.2-03"))
		return gsakmp_refuse(why, GK_ERR_VALUE,
		                     GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                     "RFC4535-7.8.2-03", "Signature ID Type",
		                     sig->at + AT_ID_TYPE);

	/* Freshness (RFC4535-7.8.2-04) is policy; being a date at all is not. */
	if (gk_zulu_parse(sig->timestamp, &utc) != GK_OK &&
	    GK_CHECKED("RFC4535-7.8.1-05"))
		return gsakmp_refuse(why, GK_ERR_VALUE,
		                     GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                     "RFC4535-7.8.1-05", "Signature Timestamp",
		                     sig->at + AT_TIMESTAMP);

	/* RFC4535-7.8.1-07: the ID type defines the form of the ID data. */
	return gsakmp_id_data_check(sig->id_type, sig->signer_id,
	                            sig->at + AT_SIGNER_ID, why);
}
