/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/payload/group_id.h"

#include "common/base/gk_check.h"
#include "common/crypto/gk_der.h"

#define KEY_ID_LEN 4 /* RFC6407-5.1-03 */
#define DER_OBJECT 0x06

static enum gk_err
bad_id(struct isakmp_reject *why, enum gk_err err, const char *req,
       const char *field, size_t at)
{
	return isakmp_refuse(why, err, ISAKMP_NOTIFY_INVALID_ID_INFORMATION,
	                     req, field, at);
}

static uint32_t
number(const uint8_t *p, bool little)
{
	uint32_t n = 0;

	for (int i = 0; i < KEY_ID_LEN; i++)
		n = n << 8 | p[little ? KEY_ID_LEN - 1 - i : i];
	return n;
}

/* In as few octets as they need: one OID has one encoding. */
static bool
are_arcs(const uint8_t *p, size_t len)
{
	bool first = true;

	for (size_t i = 0; i < len; i++) {
		if (first && p[i] == 0x80)
			return false;
		first = p[i] < 0x80;
	}
	return len != 0 && first;
}

/* OIDs are short: their length is one octet. */
bool
gdoi_oid_fits(const struct gdoi_dialect *dialect, struct gk_slice s)
{
	if (dialect->oid_encoding == GDOI_OID_ENCODING_CONTENT)
		return are_arcs(s.ptr, s.len);
	return s.len > 2 && s.ptr[0] == DER_OBJECT && s.ptr[1] < 0x80 &&
	       (size_t)s.ptr[1] + 2 == s.len && are_arcs(s.ptr + 2, s.len - 2);
}

bool
gdoi_oid_payload_fits(struct gk_slice s)
{
	struct gk_rd rd;

	if (s.len == 0)
		return true;
	gk_rd_init(&rd, s.ptr, s.len);
	(void)gk_der_any(&rd, "OID-Specific Payload");
	return gk_rd_done(&rd) == GK_OK;
}

static enum gk_err
oid_read(const struct isakmp_identification *id,
         const struct gdoi_dialect *dialect, struct gdoi_group_id *group,
         struct isakmp_reject *why)
{
	struct gk_rd rd;

	gk_rd_init(&rd, id->data.ptr, id->data.len);
	group->oid = gk_rd_bytes(&rd, gk_rd_u8(&rd, "OID Length"), "OID");
	group->payload = gk_rd_vec16(&rd, "OID-Specific Payload");
	if (gk_rd_done(&rd) != GK_OK && GK_CHECKED("RFC8052-2.1-01"))
		return bad_id(why, rd.fault.err, "RFC8052-2.1-01",
		              rd.fault.field, id->at + 4 + rd.fault.offset);
	if (!gdoi_oid_fits(dialect, group->oid) && GK_CHECKED("RFC8052-2.1-01"))
		return bad_id(why, GK_ERR_VALUE, "RFC8052-2.1-01", "OID",
		              id->at + 5);
	if (!gdoi_oid_payload_fits(group->payload) &&
	    GK_CHECKED("RFC8052-2.1-06"))
		return bad_id(why, GK_ERR_VALUE, "RFC8052-2.1-06",
		              "OID-Specific Payload",
		              id->at + 7 + group->oid.len);
	return GK_OK;
}

enum gk_err
gdoi_group_id_read(const struct isakmp_identification *id,
                   const struct gdoi_dialect *dialect,
                   struct gdoi_group_id *group, struct isakmp_reject *why)
{
	uint8_t octets[KEY_ID_LEN] = { 0 };

	*group = (struct gdoi_group_id){ .type = id->type };
	/* RFC6407-5.1-01 */
	if ((id->protocol != 0 || id->port != 0) &&
	    GK_CHECKED("RFC6407-5.1-01"))
		return bad_id(why, GK_ERR_RESERVED, "RFC6407-5.1-01",
		              "DOI-Specific ID Data", id->at + 1);
	if (id->type == ISAKMP_ID_OID)
		return oid_read(id, dialect, group, why);
	/* RFC6407-5.1-04: other types are a matter of choice. */
	if (id->type != ISAKMP_ID_KEY_ID && GK_CHECKED("RFC6407-5.1-02"))
		return bad_id(why, GK_ERR_VALUE, "RFC6407-5.1-02", "ID Type",
		              id->at);
	/* RFC6407-5.1-03 */
	if (id->data.len != KEY_ID_LEN &&
	    GK_CHECKED("RFC6407-5.1-03", "RFC5374-4.1.3.3-02"))
		return bad_id(why, GK_ERR_VALUE, "RFC6407-5.1-03",
		              "Identification Data", id->at + 4);
	for (size_t i = 0; i < KEY_ID_LEN && i < id->data.len; i++)
		octets[i] = id->data.ptr[i];
	group->number = number(octets, dialect->group_id_order ==
	                                       GDOI_GROUP_ID_ORDER_LITTLE);
	return GK_OK;
}

void
gdoi_group_id_encode(struct gk_wr *wr, const struct gdoi_dialect *dialect,
                     const struct gdoi_group_id *group)
{
	bool little = dialect->group_id_order == GDOI_GROUP_ID_ORDER_LITTLE;

	gk_wr_u8(wr, group->type);
	gk_wr_u8(wr, 0);
	gk_wr_u16(wr, 0);
	if (group->type == ISAKMP_ID_OID) {
		gk_wr_u8(wr, (uint8_t)group->oid.len);
		gk_wr_bytes(wr, group->oid);
		gk_wr_vec16(wr, group->payload);
		return;
	}
	for (int i = 0; i < KEY_ID_LEN; i++)
		gk_wr_u8(wr, (uint8_t)(group->number >>
		                       8 * (little ? i : KEY_ID_LEN - 1 - i)));
}
