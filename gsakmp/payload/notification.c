/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/payload/notification.h"

#include "common/base/gk_check.h"

enum gk_err
gsakmp_notification_decode(struct gk_rd *rd,
                           struct gsakmp_notification *notification)
{
	notification->at = gk_rd_offset(rd);
	notification->type = gk_rd_u16(rd, "Notification Type");
	notification->data = gk_rd_rest(rd);

	return gk_rd_done(rd);
}

void
gsakmp_notification_encode(struct gk_wr *wr,
                           const struct gsakmp_notification *notification)
{
	gk_wr_u16(wr, notification->type);
	gk_wr_bytes(wr, notification->data);
}

/* Section 7.9.1.1: with Simple(0) nothing follows the Ack Type. */
static enum gk_err
ack_check(struct gk_slice data, size_t at, const struct gsakmp_dialect *dialect,
          const struct gsakmp_vocabulary *voc, struct gsakmp_reject *why)
{
	if (data.len == 0 && dialect->ack_data == GSAKMP_ACK_DATA_EMPTY)
		return GK_OK;
	if (data.len == 0 && GK_CHECKED("RFC4535-7.9.1.1-01"))
		return gsakmp_refuse(why, GK_ERR_TRUNCATED,
		                     GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                     "RFC4535-7.9.1.1-01", "Ack Type", at);
	if (!gsakmp_code_known(GSAKMP_TABLE_ACK, voc, data.ptr[0]) &&
	    GK_CHECKED("RFC4535-7.9.2-03"))
		return gsakmp_refuse(why, GK_ERR_VALUE,
		                     GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                     "RFC4535-7.9.2-03", "Ack Type", at);
	if (data.len != 1 && GK_CHECKED("RFC4535-7.9.1.1-01"))
		return gsakmp_refuse(
			why, GK_ERR_TRAILING, GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			"RFC4535-7.9.1.1-01", "Acknowledgement Data", at + 1);
	return GK_OK;
}

static enum gk_err
length_check(struct gk_slice data, size_t wanted, size_t at, const char *req,
             const char *field, struct gsakmp_reject *why)
{
	if (data.len == wanted || !GK_CHECKED(req, "RFC4535-7.9.2-03"))
		return GK_OK;
	return gsakmp_refuse(
		why, data.len < wanted ? GK_ERR_TRUNCATED : GK_ERR_TRAILING,
		GSAKMP_NOTIFY_PAYLOAD_MALFORMED, req, field, at);
}

enum gk_err
gsakmp_notification_check(const struct gsakmp_notification *notification,
                          const struct gsakmp_dialect *dialect,
                          const struct gsakmp_vocabulary *voc,
                          struct gsakmp_reject *why)
{
	const struct gk_slice data = notification->data;
	const size_t at = notification->at + 2;
	struct gsakmp_mechanisms unused;
	struct gsakmp_expulsion nobody;

	/* RFC4535-7.9.2-02: only types of Table 22. */
	if (!gsakmp_code_known(GSAKMP_TABLE_NOTIFY, voc, notification->type) &&
	    GK_CHECKED("RFC4535-7.9.2-02"))
		return gsakmp_refuse(why, GK_ERR_VALUE,
		                     GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                     "RFC4535-7.9.2-02", "Notification Type",
		                     notification->at);

	/* RFC4535-7.9.2-03: the type defines the form of the data. */
	switch (notification->type) {
	case GSAKMP_NOTIFY_ACKNOWLEDGEMENT:
		return ack_check(data, at, dialect, voc, why);
	case GSAKMP_NOTIFY_MECHANISM_CHOICES:
		return gsakmp_mechanisms_decode(data, at, dialect, voc, &unused,
		                                why);
	case GSAKMP_NOTIFY_EXPULSION:
		return gsakmp_expulsion_decode(data, at, voc, &nobody, why);
	case GSAKMP_NOTIFY_IPV4_VALUE:
		return length_check(data, 4, at, "RFC4535-7.9.1.4-01",
		                    "IPv4 Value", why);
	case GSAKMP_NOTIFY_IPV6_VALUE:
		return length_check(data, 16, at, "RFC4535-7.9.1.4-01",
		                    "IPv6 Value", why);
	case GSAKMP_NOTIFY_COOKIE:
	case GSAKMP_NOTIFY_COOKIE_REQUIRED:
		if (data.len == 0 && GK_CHECKED("RFC4535-7.9.1.2-01"))
			return gsakmp_refuse(why, GK_ERR_TRUNCATED,
			                     GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			                     "RFC4535-7.9.1.2-01", "Cookie",
			                     at);
		return GK_OK;
	default:
		return GK_OK;
	}
}

struct gk_slice
gsakmp_ack_data(const struct gsakmp_dialect *dialect)
{
	static const uint8_t simple[1] = { GSAKMP_ACK_SIMPLE };

	return (struct gk_slice){
		simple, dialect->ack_data == GSAKMP_ACK_DATA_EMPTY ? 0 : 1
	};
}

/* Table 24: which table a choice's value is from. */
static enum gsakmp_table
value_table(uint8_t type)
{
	switch (type) {
	case GSAKMP_MECHANISM_KEY_CREATION:
		return GSAKMP_TABLE_KEY_CREATION;
	case GSAKMP_MECHANISM_ENCRYPTION:
		return GSAKMP_TABLE_KEY;
	default:
		return GSAKMP_TABLE_NONCE_HASH;
	}
}

/* Where a choice goes; false when that one was there already. */
static bool
store(struct gsakmp_mechanisms *m, uint8_t type, uint16_t value)
{
	bool *has = type == GSAKMP_MECHANISM_KEY_CREATION ? &m->has_key_creation
	            : type == GSAKMP_MECHANISM_ENCRYPTION ? &m->has_encryption
	                                                  : &m->has_nonce_hash;
	uint16_t *to = type == GSAKMP_MECHANISM_KEY_CREATION ? &m->key_creation
	               : type == GSAKMP_MECHANISM_ENCRYPTION ? &m->encryption
	                                                     : &m->nonce_hash;

	if (*has)
		return false;
	*has = true;
	*to = value;
	return true;
}

/* The length octets that two readings put between type and value. */
static void
choice_length(struct gk_rd *rd, const struct gsakmp_dialect *dialect)
{
	uint16_t len = 2;

	if (dialect->mech_choice == GSAKMP_MECH_CHOICE_TLV1)
		len = gk_rd_u8(rd, "Mechanism Choice Length");
	else if (dialect->mech_choice == GSAKMP_MECH_CHOICE_TLV2)
		len = gk_rd_u16(rd, "Mechanism Choice Length");
	if (len != 2)
		gk_rd_fail(rd, GK_ERR_VALUE, "Mechanism Choice Length");
}

enum gk_err
gsakmp_mechanisms_decode(struct gk_slice data, size_t at,
                         const struct gsakmp_dialect *dialect,
                         const struct gsakmp_vocabulary *voc,
                         struct gsakmp_mechanisms *mechanisms,
                         struct gsakmp_reject *why)
{
	struct gk_rd rd;

	*mechanisms = (struct gsakmp_mechanisms){ 0 };
	gk_rd_init(&rd, data.ptr, data.len);
	do {
		size_t here = at + gk_rd_offset(&rd);
		uint8_t type = gk_rd_u8(&rd, "Mechanism Type");
		uint16_t value;

		choice_length(&rd, dialect);
		value = gk_rd_u16(&rd, "Mechanism Choice Data");
		if (rd.fault.err != GK_OK && GK_CHECKED("RFC4535-7.9.1.3-01")) {
			rd.fault.offset += at;
			return gsakmp_refuse_fault(
				why, &rd.fault, GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
				"RFC4535-7.9.1.3-01");
		}

		/* RFC4535-7.9.1.3-02: only types of Table 24. */
		if (!gsakmp_code_known(GSAKMP_TABLE_MECHANISM, voc, type) &&
		    GK_CHECKED("RFC4535-7.9.1.3-02", "RFC4535-7.9.2-03"))
			return gsakmp_refuse(why, GK_ERR_VALUE,
			                     GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			                     "RFC4535-7.9.1.3-02",
			                     "Mechanism Type", here);

		/* RFC4535-7.9.2-03: only values of the table it names. */
		if (!gsakmp_code_known(value_table(type), voc, value) &&
		    GK_CHECKED("RFC4535-7.9.2-03", "RFC4535-7.9.1.3-03"))
			return gsakmp_refuse(why, GK_ERR_VALUE,
			                     GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			                     "RFC4535-7.9.2-03",
			                     "Mechanism Choice Data", here + 1);

		/* Two choices of one mechanism are no choice. */
		if (!store(mechanisms, type, value) &&
		    GK_CHECKED("RFC4535-7.9.1.3-01"))
			return gsakmp_refuse(why, GK_ERR_UNEXPECTED,
			                     GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			                     "RFC4535-7.9.1.3-01",
			                     "Mechanism Type", here);
	} while (rd.fault.err == GK_OK && gk_rd_left(&rd) != 0);
	return GK_OK;
}

static void
choice_encode(struct gk_wr *wr, const struct gsakmp_dialect *dialect,
              uint8_t type, uint16_t value)
{
	gk_wr_u8(wr, type);
	if (dialect->mech_choice == GSAKMP_MECH_CHOICE_TLV1)
		gk_wr_u8(wr, 2);
	else if (dialect->mech_choice == GSAKMP_MECH_CHOICE_TLV2)
		gk_wr_u16(wr, 2);
	gk_wr_u16(wr, value);
}

void
gsakmp_mechanisms_encode(struct gk_wr *wr, const struct gsakmp_dialect *dialect,
                         const struct gsakmp_mechanisms *mechanisms)
{
	if (mechanisms->has_key_creation)
		choice_encode(wr, dialect, GSAKMP_MECHANISM_KEY_CREATION,
		              mechanisms->key_creation);
	if (mechanisms->has_encryption)
		choice_encode(wr, dialect, GSAKMP_MECHANISM_ENCRYPTION,
		              mechanisms->encryption);
	if (mechanisms->has_nonce_hash)
		choice_encode(wr, dialect, GSAKMP_MECHANISM_NONCE_HASH,
		              mechanisms->nonce_hash);
}

/* The octet that was read last has no such value. */
static void
fail_before(struct gk_rd *rd, const char *field)
{
	bool first = rd->fault.err == GK_OK;

	gk_rd_fail(rd, GK_ERR_VALUE, field);
	if (first)
		rd->fault.offset--;
}

enum gk_err
gsakmp_expulsion_decode(struct gk_slice data, size_t at,
                        const struct gsakmp_vocabulary *voc,
                        struct gsakmp_expulsion *expulsion,
                        struct gsakmp_reject *why)
{
	struct gk_rd rd;

	gk_rd_init(&rd, data.ptr, data.len);
	expulsion->reason = gk_rd_u8(&rd, "Expulsion Reason");
	if (expulsion->reason > GSAKMP_EXPULSION_BARRED)
		fail_before(&rd, "Expulsion Reason");
	expulsion->id_type = gk_rd_u8(&rd, "ID Type");
	if (!gsakmp_code_known(GSAKMP_TABLE_ID, voc, expulsion->id_type))
		fail_before(&rd, "ID Type");
	if (gk_rd_left(&rd) == 0)
		gk_rd_fail(&rd, GK_ERR_TRUNCATED, "Identification Data");
	expulsion->id = gk_rd_rest(&rd);
	if (rd.fault.err == GK_OK || !GK_CHECKED("RFC4535-4.4.7-09"))
		return GK_OK;
	rd.fault.offset += at;
	return gsakmp_refuse_fault(why, &rd.fault,
	                           GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
	                           "RFC4535-4.4.7-09");
}

void
gsakmp_expulsion_encode(struct gk_wr *wr,
                        const struct gsakmp_expulsion *expulsion)
{
	gk_wr_u8(wr, expulsion->reason);
	gk_wr_u8(wr, expulsion->id_type);
	gk_wr_bytes(wr, expulsion->id);
}
