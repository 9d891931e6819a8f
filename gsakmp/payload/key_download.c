/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/payload/key_download.h"

#include "common/base/gk_check.h"
#include "gsakmp/gsakmp_algorithm.h"

#define ITEM_FIXED 3  /* octets of item type and item length */
#define ARRAY_FIXED 7 /* octets of a Rekey Array in front of its Key Datums */

/* One Key Datum that fills what is left of @rd. */
static void
datum_alone(struct gk_rd *rd, struct gsakmp_keys *keys)
{
	size_t left = gk_rd_left(rd);

	if (keys->n_datums == GSAKMP_KEYS_MAX) {
		gk_rd_fail(rd, GK_ERR_SPACE, "Key Datum");
		return;
	}
	if (gsakmp_key_datum_decode(rd,
	                            left < GSAKMP_KEY_DATUM_FIXED
	                                    ? 0
	                                    : left - GSAKMP_KEY_DATUM_FIXED,
	                            &keys->datum[keys->n_datums]) == GK_OK)
		keys->n_datums++;
}

/* Section 7.4.1.2.  Key Data has no length here: the Key Type gives it. */
static void
rekey_array(struct gk_rd *rd, const struct gsakmp_dialect *dialect,
            struct gsakmp_key_item *item, struct gsakmp_keys *keys)
{
	uint16_t n;

	item->array = true;
	item->version = gk_rd_u8(rd, "Rekey Version");
	item->member = gk_rd_u32(rd, "Member ID");
	n = gk_rd_u16(rd, "Number of KEK Keys");
	for (uint16_t i = 0; i < n && rd->fault.err == GK_OK; i++) {
		struct gk_rd peek = *rd;
		uint16_t type = gk_rd_u16(&peek, "Key Type");
		size_t len = gsakmp_key_length(dialect, type);

		if (keys->n_datums == GSAKMP_KEYS_MAX)
			gk_rd_fail(rd, GK_ERR_SPACE, "Number of KEK Keys");
		else if (peek.fault.err == GK_OK && len == 0)
			gk_rd_fail(rd, GK_ERR_VALUE, "Key Type");
		else if (gsakmp_key_datum_decode(
				 rd, len, &keys->datum[keys->n_datums]) ==
		         GK_OK)
			keys->n_datums++;
	}
}

static bool
holds_array(const struct gsakmp_dialect *dialect, enum gsakmp_keys_place place)
{
	return place == GSAKMP_KEYS_DOWNLOAD ||
	       dialect->keypkg_lkh_body == GSAKMP_KEYPKG_LKH_BODY_ARRAY;
}

static void
item_decode(struct gk_rd *rd, const struct gsakmp_dialect *dialect,
            enum gsakmp_keys_place place, struct gsakmp_keys *keys)
{
	struct gsakmp_key_item *item = &keys->item[keys->n_items];
	uint16_t len;
	struct gk_rd body;

	*item = (struct gsakmp_key_item){ .at = gk_rd_offset(rd),
		                          .first = keys->n_datums };
	item->type = gk_rd_u8(rd, "Key Download Data Item Type");
	len = gk_rd_u16(rd, "Key Download Data Item Length");
	body = gk_rd_sub(rd, len, "Key Download Data Item Length");
	if (rd->fault.err != GK_OK)
		return;
	item->data = (struct gk_slice){ body.pos, gk_rd_left(&body) };

	if (item->type == GSAKMP_ITEM_REKEY_LKH && holds_array(dialect, place))
		rekey_array(&body, dialect, item, keys);
	else if (item->type == GSAKMP_ITEM_GTPK ||
	         item->type == GSAKMP_ITEM_REKEY_LKH)
		datum_alone(&body, keys);
	else
		(void)gk_rd_rest(&body);
	item->count = (uint16_t)(keys->n_datums - item->first);

	if (gk_rd_done(&body) != GK_OK)
		rd->fault = body.fault;
	else
		keys->n_items++;
}

enum gk_err
gsakmp_keys_decode(struct gk_rd *rd, const struct gsakmp_dialect *dialect,
                   enum gsakmp_keys_place place, long count,
                   struct gsakmp_keys *keys)
{
	keys->n_items = 0;
	keys->n_datums = 0;
	if (count == GSAKMP_COUNT_INSIDE)
		count = gk_rd_u16(rd, "Number of Items");
	if (count > GSAKMP_ITEMS_MAX)
		gk_rd_fail(rd, GK_ERR_SPACE, "Number of Items");
	for (long i = 0; i < count && rd->fault.err == GK_OK; i++)
		item_decode(rd, dialect, place, keys);

	return rd->fault.err;
}

static void
item_encode(struct gk_wr *wr, const struct gsakmp_keys *keys,
            const struct gsakmp_key_item *item)
{
	struct gk_wr_hole length;

	gk_wr_u8(wr, item->type);
	length = gk_wr_len16(wr, wr->len + 2);
	if (item->array) {
		gk_wr_u8(wr, item->version);
		gk_wr_u32(wr, item->member);
		gk_wr_u16(wr, item->count);
	}
	for (uint16_t i = 0; i < item->count; i++)
		gsakmp_key_datum_encode(wr, &keys->datum[item->first + i]);
	if (!item->array && item->count == 0)
		gk_wr_bytes(wr, item->data);
	gk_wr_close(wr, length);
}

void
gsakmp_keys_encode(struct gk_wr *wr, const struct gsakmp_keys *keys,
                   bool with_count)
{
	if (with_count)
		gk_wr_u16(wr, keys->n_items);
	for (uint16_t i = 0; i < keys->n_items; i++)
		item_encode(wr, keys, &keys->item[i]);
}

size_t
gsakmp_keys_size(const struct gsakmp_keys *keys, bool with_count)
{
	size_t size = with_count ? 2 : 0;

	for (uint16_t i = 0; i < keys->n_items; i++) {
		const struct gsakmp_key_item *item = &keys->item[i];

		size += ITEM_FIXED;
		if (item->array)
			size += ARRAY_FIXED;
		for (uint16_t k = 0; k < item->count; k++)
			size += GSAKMP_KEY_DATUM_FIXED +
			        keys->datum[item->first + k].key.len;
		if (!item->array && item->count == 0)
			size += item->data.len;
	}
	return size;
}

/* What differs between sections 7.4.2 and 7.5.2. */
struct section {
	enum gsakmp_keys_place place;
	const char *syntax, *item_type, *key_type;
	const char *type_field;
};

static const struct section download = {
	GSAKMP_KEYS_DOWNLOAD, "RFC4535-7.4.2-06", "RFC4535-7.4.2-03",
	"RFC4535-7.4.2-04",   "KDD Item Type",
};
static const struct section packages = {
	GSAKMP_KEYS_PACKAGES, "RFC4535-7.5.2-07", "RFC4535-7.5.2-12",
	"RFC4535-7.5.2-13",   "Key Package Type",
};

static enum gk_err
decode_all(struct gk_slice plain, const struct gsakmp_dialect *dialect,
           const struct section *sec, long count, struct gsakmp_keys *keys,
           struct gsakmp_reject *why)
{
	struct gk_rd rd;

	gk_rd_init(&rd, plain.ptr, plain.len);
	if (gsakmp_keys_decode(&rd, dialect, sec->place, count, keys) ==
	            GK_OK &&
	    gk_rd_done(&rd) == GK_OK)
		return GK_OK;
	/* A Key Type that does not exist is not a length that is wrong. */
	if (rd.fault.err == GK_ERR_VALUE && GK_CHECKED(sec->key_type))
		return gsakmp_refuse_fault(
			why, &rd.fault, GSAKMP_NOTIFY_INVALID_KEY_INFORMATION,
			sec->key_type);
	if (!GK_CHECKED(sec->syntax))
		return GK_OK;
	return gsakmp_refuse_fault(
		why, &rd.fault, GSAKMP_NOTIFY_PAYLOAD_MALFORMED, sec->syntax);
}

static enum gk_err
item_check(const struct gsakmp_keys *keys, const struct gsakmp_key_item *item,
           const struct gsakmp_dialect *dialect,
           const struct gsakmp_vocabulary *voc, const struct section *sec,
           struct gsakmp_reject *why)
{
	/* RFC4535-7.4.2-03, 7.5.2-12: only types of Table 15. */
	if (!gsakmp_code_known(GSAKMP_TABLE_ITEM, voc, item->type) &&
	    GK_CHECKED(sec->item_type))
		return gsakmp_refuse(why, GK_ERR_VALUE,
		                     GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                     sec->item_type, sec->type_field, item->at);

	/* RFC4535-A.2-01: version one of the array. */
	if (item->array && item->version != GSAKMP_LKH_VERSION &&
	    GK_CHECKED("RFC4535-A.2-01"))
		return gsakmp_refuse(why, GK_ERR_VALUE,
		                     GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                     "RFC4535-A.2-01", "Rekey Version",
		                     item->at + ITEM_FIXED);

	for (uint16_t i = 0; i < item->count; i++) {
		const struct gsakmp_key_datum *d =
			&keys->datum[item->first + i];

		/* RFC4535-7.4.2-04, 7.5.2-13: only types of Table 16. */
		if (!gsakmp_code_known(GSAKMP_TABLE_KEY, voc, d->type) &&
		    GK_CHECKED(sec->key_type))
			return gsakmp_refuse(
				why, GK_ERR_VALUE,
				GSAKMP_NOTIFY_INVALID_KEY_INFORMATION,
				sec->key_type, "Key Type", d->at);
		GK_TRY(gsakmp_key_datum_check(d, dialect, sec->syntax, why));
	}
	return GK_OK;
}

/* RFC4535-7.4.1.1-06: one Key ID and Key Handle, one key. */
static enum gk_err
unique_check(const struct gsakmp_keys *keys, struct gsakmp_reject *why)
{
	for (uint16_t i = 1; i < keys->n_datums; i++)
		for (uint16_t k = 0; k < i; k++)
			if (keys->datum[i].id == keys->datum[k].id &&
			    keys->datum[i].handle == keys->datum[k].handle &&
			    GK_CHECKED("RFC4535-7.4.1.1-06", "RFC4535-A.2-04"))
				return gsakmp_refuse(
					why, GK_ERR_UNEXPECTED,
					GSAKMP_NOTIFY_INVALID_KEY_INFORMATION,
					"RFC4535-7.4.1.1-06", "Key Handle",
					keys->datum[i].at + 6);
	return GK_OK;
}

enum gk_err
gsakmp_key_download_read(struct gk_slice plain,
                         const struct gsakmp_dialect *dialect,
                         const struct gsakmp_vocabulary *voc, int64_t now,
                         struct gsakmp_keys *keys, struct gsakmp_reject *why)
{
	GK_TRY(decode_all(plain, dialect, &download, GSAKMP_COUNT_INSIDE, keys,
	                  why));
	for (uint16_t i = 0; i < keys->n_items; i++)
		GK_TRY(item_check(keys, &keys->item[i], dialect, voc, &download,
		                  why));

	/* RFC4535-7.4.2-05: a key that is no longer valid is no key. */
	for (uint16_t i = 0; i < keys->n_datums; i++) {
		int64_t created, expires;

		GK_TRY(gsakmp_key_datum_dates(&keys->datum[i], &created,
		                              &expires));
		if (expires <= now && GK_CHECKED("RFC4535-7.4.2-05"))
			return gsakmp_refuse(
				why, GK_ERR_VALUE,
				GSAKMP_NOTIFY_INVALID_KEY_INFORMATION,
				"RFC4535-7.4.2-05", "Key Expiration Date",
				keys->datum[i].at + 10 + GK_ZULU_LEN);
	}
	return unique_check(keys, why);
}

enum gk_err
gsakmp_packages_read(struct gk_slice plain,
                     const struct gsakmp_dialect *dialect,
                     const struct gsakmp_vocabulary *voc, long count,
                     struct gsakmp_keys *keys, struct gsakmp_reject *why)
{
	GK_TRY(decode_all(plain, dialect, &packages, count, keys, why));
	for (uint16_t i = 0; i < keys->n_items; i++)
		GK_TRY(item_check(keys, &keys->item[i], dialect, voc, &packages,
		                  why));
	return unique_check(keys, why);
}

enum gk_err
gsakmp_keys_add(struct gsakmp_keys *keys, enum gsakmp_item_type type,
                const struct gsakmp_key_datum *datum)
{
	if (keys->n_items == GSAKMP_ITEMS_MAX ||
	    keys->n_datums == GSAKMP_KEYS_MAX)
		return GK_ERR_SPACE;
	keys->item[keys->n_items++] = (struct gsakmp_key_item){
		.type = (uint8_t)type,
		.first = keys->n_datums,
		.count = 1,
	};
	keys->datum[keys->n_datums++] = *datum;
	return GK_OK;
}

enum gk_err
gsakmp_keys_add_array(struct gsakmp_keys *keys, uint32_t member)
{
	if (keys->n_items == GSAKMP_ITEMS_MAX)
		return GK_ERR_SPACE;
	keys->item[keys->n_items++] = (struct gsakmp_key_item){
		.type = GSAKMP_ITEM_REKEY_LKH,
		.array = true,
		.version = GSAKMP_LKH_VERSION,
		.member = member,
		.first = keys->n_datums,
	};
	return GK_OK;
}

enum gk_err
gsakmp_keys_add_kek(struct gsakmp_keys *keys,
                    const struct gsakmp_key_datum *datum)
{
	struct gsakmp_key_item *last;

	if (keys->n_items == 0 || keys->n_datums == GSAKMP_KEYS_MAX)
		return GK_ERR_SPACE;
	last = &keys->item[keys->n_items - 1];
	if (!last->array)
		return GK_ERR_UNEXPECTED;
	last->count++;
	keys->datum[keys->n_datums++] = *datum;
	return GK_OK;
}
