/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/payload/lkh.h"

#include "common/base/gk_check.h"

static enum gk_err
bad_key(struct isakmp_reject *why, enum gk_err err, const char *req,
        const char *field, size_t at)
{
	return isakmp_refuse(why, err, ISAKMP_NOTIFY_INVALID_KEY_INFORMATION,
	                     req, field, at);
}

static enum gk_err
fault(struct isakmp_reject *why, const struct gk_rd *rd, const char *req)
{
	return isakmp_refuse_fault(why, &rd->fault,
	                           ISAKMP_NOTIFY_INVALID_KEY_INFORMATION, req);
}

static enum gk_err
key_read(struct gk_rd *rd, size_t data_len, struct gdoi_lkh_key *key,
         struct isakmp_reject *why)
{
	size_t at = gk_rd_offset(rd);

	key->id = gk_rd_u16(rd, "LKH ID");
	key->type = gk_rd_u8(rd, "Key Type");
	gk_rd_zero(rd, 1, "RESERVED");
	key->created = gk_rd_u32(rd, "Key Creation Date");
	key->expires = gk_rd_u32(rd, "Key Expiration Date");
	key->handle = gk_rd_u32(rd, "Key Handle");
	key->data = gk_rd_bytes(rd, data_len, "Key Data");
	if (rd->fault.err != GK_OK)
		return fault(why, rd, "RFC6407-5.6.3.1-04");
	if (!isakmp_code_known(ISAKMP_TABLE_KEK_ALG, key->type) &&
	    GK_CHECKED("RFC6407-5.6.3.1-04"))
		return bad_key(why, GK_ERR_VALUE, "RFC6407-5.6.3.1-04",
		               "Key Type", at + 2);
	return GK_OK;
}

enum gk_err
gdoi_lkh_read(struct gk_rd *rd, bool update, struct gdoi_lkh_array *array,
              struct isakmp_reject *why)
{
	const char *req = update ? "RFC6407-5.6.3.2-02" : "RFC6407-5.6.3.1-03";
	size_t at = gk_rd_offset(rd), left;
	uint8_t version;

	*array = (struct gdoi_lkh_array){ 0 };
	version = gk_rd_u8(rd, "LKH Version");
	array->count = gk_rd_u16(rd, "# of LKH Keys");
	gk_rd_zero(rd, 1, "RESERVED");
	if (update) {
		array->id = gk_rd_u16(rd, "LKH ID");
		gk_rd_zero(rd, 2, "RESERVED2");
		array->handle = gk_rd_u32(rd, "Key Handle");
	}
	if (rd->fault.err != GK_OK)
		return fault(why, rd, req);
	if (version != GDOI_LKH_VERSION && GK_CHECKED(req))
		return bad_key(why, GK_ERR_VALUE, req, "LKH Version", at);
	/* Unchecked, the size of the keys does not come out. */
	if (array->count == 0 || array->count > GDOI_LKH_KEYS_MAX)
		return bad_key(why, GK_ERR_SPACE,
		               GK_CHECKED(req) ? req : "RFC6407-5.6.3.1-04",
		               "# of LKH Keys", at + 1);
	left = gk_rd_left(rd);
	if (left % array->count != 0 ||
	    left / array->count <= GDOI_LKH_KEY_FIXED)
		return bad_key(why, GK_ERR_TRUNCATED, "RFC6407-5.6.3.1-04",
		               "Key Data", gk_rd_offset(rd));
	left = left / array->count - GDOI_LKH_KEY_FIXED;
	for (uint16_t i = 0; i < array->count; i++)
		GK_TRY(key_read(rd, left, &array->key[i], why));
	return GK_OK;
}

void
gdoi_lkh_encode(struct gk_wr *wr, bool update,
                const struct gdoi_lkh_array *array)
{
	gk_wr_u8(wr, GDOI_LKH_VERSION);
	gk_wr_u16(wr, array->count);
	gk_wr_u8(wr, 0);
	if (update) {
		gk_wr_u16(wr, array->id);
		gk_wr_u16(wr, 0);
		gk_wr_u32(wr, array->handle);
	}
	for (uint16_t i = 0; i < array->count; i++) {
		const struct gdoi_lkh_key *key = &array->key[i];

		gk_wr_u16(wr, key->id);
		gk_wr_u8(wr, key->type);
		gk_wr_u8(wr, 0);
		gk_wr_u32(wr, key->created);
		gk_wr_u32(wr, key->expires);
		gk_wr_u32(wr, key->handle);
		gk_wr_bytes(wr, key->data);
	}
}
