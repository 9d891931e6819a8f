/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/payload/identification.h"

#include "common/base/gk_base.h"
#include "common/base/gk_check.h"
#include "gsakmp/payload/utf8.h"

#define DER_SEQUENCE 0x30

enum gk_err
gsakmp_identification_decode(struct gk_rd *rd, struct gsakmp_identification *id)
{
	id->at = gk_rd_offset(rd);
	id->classification = gk_rd_u8(rd, "Identification Classification");
	id->id_type = gk_rd_u8(rd, "Identification Type");
	id->data = gk_rd_rest(rd);

	return gk_rd_done(rd);
}

void
gsakmp_identification_encode(struct gk_wr *wr,
                             const struct gsakmp_identification *id)
{
	gk_wr_u8(wr, id->classification);
	gk_wr_u8(wr, id->id_type);
	gk_wr_bytes(wr, id->data);
}

enum gk_err
gsakmp_identification_check(const struct gsakmp_identification *id,
                            const struct gsakmp_vocabulary *voc,
                            struct gsakmp_reject *why)
{
	/* RFC4535-7.6.2-02: only classifications of Table 18. */
	if (!gsakmp_code_known(GSAKMP_TABLE_ID_CLASS, voc,
	                       id->classification) &&
	    GK_CHECKED("RFC4535-7.6.2-02"))
		return gsakmp_refuse(why, GK_ERR_VALUE,
		                     GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                     "RFC4535-7.6.2-02",
		                     "Identification Classification", id->at);

	/* RFC4535-7.6.2-03: only identification types of Table 19. */
	if (!gsakmp_code_known(GSAKMP_TABLE_ID, voc, id->id_type) &&
	    GK_CHECKED("RFC4535-7.6.2-03"))
		return gsakmp_refuse(
			why, GK_ERR_VALUE, GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			"RFC4535-7.6.2-03", "Identification Type", id->at + 1);

	/* RFC4535-7.6.2-04: the type defines the form of the data. */
	return gsakmp_id_data_check(id->id_type, id->data, id->at + 2, why);
}

enum gk_err
gsakmp_u_name_decode(struct gk_rd *rd, struct gsakmp_u_name *name)
{
	uint32_t len;

	name->serial =
		gk_rd_bytes(rd, GSAKMP_U_NAME_SERIAL_LEN, "Serial Number");
	len = gk_rd_u32(rd, "Length");
	name->dn = gk_rd_bytes(rd, len, "DN Data");

	return gk_rd_done(rd);
}

void
gsakmp_u_name_encode(struct gk_wr *wr, const struct gsakmp_u_name *name)
{
	gk_wr_bytes(wr, name->serial);
	gk_wr_u32(wr, (uint32_t)name->dn.len);
	gk_wr_bytes(wr, name->dn);
}

static enum gk_err
u_name_check(struct gk_slice data, size_t at, struct gsakmp_reject *why)
{
	struct gsakmp_u_name name;
	struct gk_rd rd;

	gk_rd_init(&rd, data.ptr, data.len);
	if (gsakmp_u_name_decode(&rd, &name) != GK_OK &&
	    GK_CHECKED("RFC4535-7.6.1.1-01")) {
		rd.fault.offset += at;
		return gsakmp_refuse_fault(why, &rd.fault,
		                           GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                           "RFC4535-7.6.1.1-01");
	}

	/* RFC4535-7.6.2.1-01: a serial number of one or more. */
	if (gk_slice_is_zero(name.serial) && GK_CHECKED("RFC4535-7.6.2.1-01"))
		return gsakmp_refuse(why, GK_ERR_VALUE,
		                     GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                     "RFC4535-7.6.2.1-01", "Serial Number", at);

	/* RFC4535-7.6.2.1-02: a UTF-8 string. */
	if ((name.dn.len == 0 || !gsakmp_utf8_valid(name.dn)) &&
	    GK_CHECKED("RFC4535-7.6.2.1-02"))
		return gsakmp_refuse(why, GK_ERR_VALUE,
		                     GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                     "RFC4535-7.6.2.1-02", "DN Data",
		                     at + GSAKMP_U_NAME_SERIAL_LEN + 4);
	return GK_OK;
}

enum gk_err
gsakmp_id_data_check(uint8_t id_type, struct gk_slice data, size_t at,
                     struct gsakmp_reject *why)
{
	bool ok;

	switch (id_type) {
	case GSAKMP_ID_IPV4_ADDR:
		ok = data.len == 4;
		break;
	case GSAKMP_ID_IPV6_ADDR:
		ok = data.len == 16;
		break;
	case GSAKMP_ID_DER_ASN1_DN:
		ok = data.len >= 2 && data.ptr[0] == DER_SEQUENCE;
		break;
	case GSAKMP_ID_U_NAME:
		return u_name_check(data, at, why);
	case GSAKMP_ID_FQDN:
	case GSAKMP_ID_RFC822_ADDR:
	case GSAKMP_ID_DN_STRING:
		ok = data.len != 0 && gsakmp_utf8_valid(data);
		break;
	default: /* ID_KEY_ID: opaque */
		ok = data.len != 0;
		break;
	}
	if (!ok && GK_CHECKED("RFC4535-7.6.2-04"))
		return gsakmp_refuse(
			why, GK_ERR_VALUE, GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			"RFC4535-7.6.2-04", "Identification Data", at);
	return GK_OK;
}
