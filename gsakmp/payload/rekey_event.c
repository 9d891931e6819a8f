/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/payload/rekey_event.h"

#include <string.h>

#include "common/base/gk_check.h"
#include "gsakmp/message/sealed.h"

#define MALFORMED GSAKMP_NOTIFY_PAYLOAD_MALFORMED
#define STAMP_TO_COUNT (GK_ZULU_LEN + 2) /* stamp, inner type, version */

enum gk_err
gsakmp_rekey_event_decode(struct gk_rd *rd,
                          const struct gsakmp_dialect *dialect,
                          size_t groupid_len, struct gsakmp_rekey_event *event)
{
	size_t len = groupid_len;
	struct gk_slice stamp;

	if (dialect->reh_groupid == GSAKMP_REH_GROUPID_TLV)
		len += 2; /* type and length octets */
	*event = (struct gsakmp_rekey_event){ .at = gk_rd_offset(rd) };
	event->type = gk_rd_u8(rd, "Rekey Event Type");
	event->groupid = gk_rd_bytes(rd, len, "Group ID Value");
	stamp = gk_rd_bytes(rd, GK_ZULU_LEN, "Time/Date Stamp");
	if (stamp.len == GK_ZULU_LEN)
		memcpy(event->stamp, stamp.ptr, GK_ZULU_LEN);
	event->inner_type = gk_rd_u8(rd, "Rekey Event Type");
	event->version = gk_rd_u8(rd, "Algorithm Version");
	event->count = gk_rd_u16(rd, "# of Rekey Event Data(s)");
	event->data_at = gk_rd_offset(rd);
	event->data = gk_rd_rest(rd);

	return gk_rd_done(rd);
}

void
gsakmp_rekey_event_encode(struct gk_wr *wr,
                          const struct gsakmp_rekey_event *event)
{
	gk_wr_u8(wr, event->type);
	gk_wr_bytes(wr, event->groupid);
	gk_wr_bytes(wr, (struct gk_slice){ event->stamp, GK_ZULU_LEN });
	gk_wr_u8(wr, event->inner_type);
	gk_wr_u8(wr, event->version);
	gk_wr_u16(wr, event->count);
	gk_wr_bytes(wr, event->data);
}

/* Same value; with reading `tlv` the same type and length in front of it. */
static bool
groupid_matches(struct gk_slice seen, const struct gsakmp_dialect *dialect,
                struct gsakmp_groupid groupid)
{
	if (dialect->reh_groupid == GSAKMP_REH_GROUPID_TLV) {
		if (seen.len < 2 || seen.ptr[0] != groupid.type ||
		    seen.ptr[1] != groupid.value.len)
			return false;
		seen.ptr += 2;
		seen.len -= 2;
	}
	return gk_slice_equal(seen, groupid.value);
}

/* Lengths and counters of all Rekey Event Datas: RFC4535-7.5.2-07. */
static enum gk_err
walk(struct gsakmp_rekey_event *event, const struct gsakmp_rekey_shape *shape,
     struct gsakmp_reject *why)
{
	struct gk_rd rd = gsakmp_rekey_data_start(event);
	struct gsakmp_rekey_data data;

	event->n_data = 0;
	while (gsakmp_rekey_data_next(&rd, shape, &data))
		event->n_data++;
	if (rd.fault.err != GK_OK && GK_CHECKED("RFC4535-7.5.2-07"))
		return gsakmp_refuse_fault(why, &rd.fault, MALFORMED,
		                           "RFC4535-7.5.2-07");
	if ((shape->dialect->rekey_counts == GSAKMP_REKEY_COUNTS_TOTAL
	             ? event->n_data > event->count
	             : event->n_data != event->count) &&
	    GK_CHECKED("RFC4535-7.5.2-07"))
		return gsakmp_refuse(
			why, GK_ERR_VALUE, MALFORMED, "RFC4535-7.5.2-07",
			"# of Rekey Event Data(s)", event->data_at - 2);
	return GK_OK;
}

enum gk_err
gsakmp_rekey_event_check(struct gsakmp_rekey_event *event,
                         const struct gsakmp_rekey_shape *shape,
                         struct gsakmp_groupid groupid,
                         const struct gsakmp_vocabulary *voc,
                         struct gsakmp_reject *why)
{
	size_t stamp_at = event->at + 1 + event->groupid.len;
	int64_t utc;

	/* RFC4535-7.5.2-02: only types of Table 17. */
	if (!gsakmp_code_known(GSAKMP_TABLE_REKEY, voc, event->type) &&
	    GK_CHECKED("RFC4535-7.5.2-02"))
		return gsakmp_refuse(why, GK_ERR_VALUE, MALFORMED,
		                     "RFC4535-7.5.2-02", "Rekey Event Type",
		                     event->at);

	/* RFC4535-7.5.2-03: the group of the message. */
	if (!groupid_matches(event->groupid, shape->dialect, groupid) &&
	    GK_CHECKED("RFC4535-7.5.2-03"))
		return gsakmp_refuse(
			why, GK_ERR_VALUE, GSAKMP_NOTIFY_INVALID_GROUP_ID,
			"RFC4535-7.5.2-03", "Group ID Value", event->at + 1);

	/* RFC4535-7.5.1.1-01: a date; its age is the engine's to judge. */
	if (gk_zulu_parse((struct gk_slice){ event->stamp, GK_ZULU_LEN },
	                  &utc) != GK_OK &&
	    GK_CHECKED("RFC4535-7.5.1.1-01"))
		return gsakmp_refuse(why, GK_ERR_VALUE, MALFORMED,
		                     "RFC4535-7.5.1.1-01", "Time/Date Stamp",
		                     stamp_at);

	/* RFC4535-7.5.2-05: valid, and the same as the first. */
	if (event->inner_type != event->type && GK_CHECKED("RFC4535-7.5.2-05"))
		return gsakmp_refuse(why, GK_ERR_VALUE, MALFORMED,
		                     "RFC4535-7.5.2-05", "Rekey Event Type",
		                     stamp_at + GK_ZULU_LEN);

	/* RFC4535-7.5.2-06, A.2-02; for type None no version is defined. */
	if (event->type == GSAKMP_REKEY_LKH &&
	    event->version != GSAKMP_LKH_VERSION &&
	    GK_CHECKED("RFC4535-7.5.2-06", "RFC4535-A.2-02"))
		return gsakmp_refuse(why, GK_ERR_VALUE, MALFORMED,
		                     "RFC4535-7.5.2-06", "Algorithm Version",
		                     stamp_at + GK_ZULU_LEN + 1);

	/* RFC4535-7.5.1-04: with type None the data has no octets at all. */
	if (event->type == GSAKMP_REKEY_NONE &&
	    (event->data.len != 0 || event->count != 0) &&
	    GK_CHECKED("RFC4535-7.5.1-04"))
		return gsakmp_refuse(why, GK_ERR_VALUE, MALFORMED,
		                     "RFC4535-7.5.1-04", "Rekey Event Data",
		                     stamp_at + STAMP_TO_COUNT);
	return walk(event, shape, why);
}

struct gk_rd
gsakmp_rekey_data_start(const struct gsakmp_rekey_event *event)
{
	struct gk_rd rd;

	/* Offsets count from the start of the datagram, like everywhere. */
	gk_rd_init(&rd, event->data.ptr, event->data.len);
	rd.base = event->data.ptr - event->data_at;
	return rd;
}

static uint32_t
wrapping_id(struct gk_rd *rd, const struct gsakmp_dialect *dialect)
{
	if (dialect->wrap_width == GSAKMP_WRAP_WIDTH_2)
		return gk_rd_u16(rd, "Wrapping KeyID");
	return gk_rd_u32(rd, "Wrapping KeyID");
}

bool
gsakmp_rekey_data_next(struct gk_rd *rd, const struct gsakmp_rekey_shape *shape,
                       struct gsakmp_rekey_data *data)
{
	const struct gsakmp_dialect *dialect = shape->dialect;
	const uint8_t *clear;
	size_t sealed;

	if (rd->fault.err != GK_OK || gk_rd_left(rd) == 0)
		return false;
	*data = (struct gsakmp_rekey_data){ .at = gk_rd_offset(rd),
		                            .count = GSAKMP_COUNT_INSIDE };
	data->length = gk_rd_u16(rd, "Packet Length");
	if (!gsakmp_packet_sealed(shape, data->length, &sealed))
		gk_rd_fail(rd, GK_ERR_VALUE, "Packet Length");
	clear = rd->pos;
	data->key_id = wrapping_id(rd, dialect);
	data->handle = gk_rd_u32(rd, "Wrapping Key Handle");
	data->clear = (struct gk_slice){ clear, (size_t)(rd->pos - clear) };
	if (dialect->red_scope == GSAKMP_RED_SCOPE_PACKAGES)
		data->count = gk_rd_u16(rd, "# of Key Packages");
	data->sealed = gk_rd_bytes(rd, sealed, "Packet Length");
	return rd->fault.err == GK_OK;
}

struct gk_slice
gsakmp_rekey_clear(const struct gsakmp_dialect *dialect, uint32_t key_id,
                   uint32_t handle, uint8_t out[8])
{
	struct gk_wr wr;

	gk_wr_init(&wr, out, 8);
	if (dialect->wrap_width == GSAKMP_WRAP_WIDTH_2)
		gk_wr_u16(&wr, (uint16_t)key_id);
	else
		gk_wr_u32(&wr, key_id);
	gk_wr_u32(&wr, handle);
	return (struct gk_slice){ out, wr.len };
}

void
gsakmp_rekey_data_head(struct gk_wr *wr, const struct gsakmp_rekey_shape *shape,
                       const struct gsakmp_rekey_data *data, size_t plain_len)
{
	const struct gsakmp_dialect *dialect = shape->dialect;
	size_t length =
		gsakmp_packet_length(shape, plain_len, data->sealed.len);
	uint8_t clear[8];

	if (length > UINT16_MAX && wr->err == GK_OK)
		wr->err = GK_ERR_SPACE;
	gk_wr_u16(wr, (uint16_t)length);
	gk_wr_bytes(wr, gsakmp_rekey_clear(dialect, data->key_id, data->handle,
	                                   clear));
	if (dialect->red_scope == GSAKMP_RED_SCOPE_PACKAGES)
		gk_wr_u16(wr, (uint16_t)data->count);
}

void
gsakmp_rekey_data_encode(struct gk_wr *wr,
                         const struct gsakmp_rekey_shape *shape,
                         const struct gsakmp_rekey_data *data, size_t plain_len)
{
	gsakmp_rekey_data_head(wr, shape, data, plain_len);
	gk_wr_bytes(wr, data->sealed);
}
