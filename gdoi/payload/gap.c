/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/payload/gap.h"

#include "common/base/gk_check.h"

static enum gk_err
take(const struct isakmp_attribute *a, bool *has, uint16_t *number,
     struct isakmp_reject *why)
{
	/* RFC6407-5.4-07: Basic; and once. */
	if ((!a->basic || *has) && GK_CHECKED("RFC6407-5.4-07"))
		return isakmp_refuse(
			why, GK_ERR_VALUE, ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
			"RFC6407-5.4-07",
			isakmp_code_text(ISAKMP_TABLE_GAP_ATTRIBUTE, a->type),
			a->at);
	*has = true;
	*number = a->number;
	return GK_OK;
}

enum gk_err
gdoi_gap_read(struct gk_rd *rd, struct gdoi_gap *gap, struct isakmp_reject *why)
{
	*gap = (struct gdoi_gap){ .at = gk_rd_offset(rd) };
	while (gk_rd_left(rd) != 0) {
		struct isakmp_attribute a;

		if (isakmp_attribute_decode(rd, &a) != GK_OK)
			return isakmp_refuse_fault(
				why, &rd->fault,
				ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
				"RFC6407-5.4-07");
		switch (a.type) {
		case GDOI_GAP_ATTRIBUTE_ACTIVATION_DELAY:
			GK_TRY(take(&a, &gap->has_atd, &gap->atd, why));
			break;
		case GDOI_GAP_ATTRIBUTE_DEACTIVATION_DELAY:
			GK_TRY(take(&a, &gap->has_dtd, &gap->dtd, why));
			break;
		case GDOI_GAP_ATTRIBUTE_SENDER_ID_REQUEST:
			GK_TRY(take(&a, &gap->has_request, &gap->request, why));
			break;
		default: /* RFC6407-5.4-08 */
			if (!GK_CHECKED("RFC6407-5.4-08"))
				break;
			return isakmp_refuse_attribute(
				why, "RFC6407-5.4-08",
				"Group Associated Policy Attributes", a.at);
		}
	}
	return GK_OK;
}

void
gdoi_gap_encode(struct gk_wr *wr, const struct gdoi_gap *gap)
{
	if (gap->has_atd)
		isakmp_attribute_encode_basic(
			wr, GDOI_GAP_ATTRIBUTE_ACTIVATION_DELAY, gap->atd);
	if (gap->has_dtd)
		isakmp_attribute_encode_basic(
			wr, GDOI_GAP_ATTRIBUTE_DEACTIVATION_DELAY, gap->dtd);
	if (gap->has_request)
		isakmp_attribute_encode_basic(
			wr, GDOI_GAP_ATTRIBUTE_SENDER_ID_REQUEST, gap->request);
}
