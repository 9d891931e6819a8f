/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/payload/key_datum.h"

#include <string.h>

#include "common/base/gk_check.h"
#include "gsakmp/gsakmp_algorithm.h"

/* Offsets of the fields, for rejects. */
#define AT_CREATED 10
#define AT_EXPIRES (AT_CREATED + GK_ZULU_LEN)
#define AT_KEY (AT_EXPIRES + GK_ZULU_LEN)

static void
date(struct gk_rd *rd, uint8_t out[GK_ZULU_LEN], const char *field)
{
	struct gk_slice s = gk_rd_bytes(rd, GK_ZULU_LEN, field);

	if (s.len == GK_ZULU_LEN)
		memcpy(out, s.ptr, GK_ZULU_LEN);
}

enum gk_err
gsakmp_key_datum_decode(struct gk_rd *rd, size_t key_len,
                        struct gsakmp_key_datum *datum)
{
	*datum = (struct gsakmp_key_datum){ .at = gk_rd_offset(rd) };
	datum->type = gk_rd_u16(rd, "Key Type");
	datum->id = gk_rd_u32(rd, "Key ID");
	datum->handle = gk_rd_u32(rd, "Key Handle");
	date(rd, datum->created, "Key Creation Date");
	date(rd, datum->expires, "Key Expiration Date");
	datum->key = gk_rd_bytes(rd, key_len, "Key Data");

	return rd->fault.err;
}

void
gsakmp_key_datum_encode(struct gk_wr *wr, const struct gsakmp_key_datum *datum)
{
	gk_wr_u16(wr, datum->type);
	gk_wr_u32(wr, datum->id);
	gk_wr_u32(wr, datum->handle);
	gk_wr_bytes(wr, (struct gk_slice){ datum->created, GK_ZULU_LEN });
	gk_wr_bytes(wr, (struct gk_slice){ datum->expires, GK_ZULU_LEN });
	gk_wr_bytes(wr, datum->key);
}

enum gk_err
gsakmp_key_datum_dates(const struct gsakmp_key_datum *datum, int64_t *created,
                       int64_t *expires)
{
	GK_TRY(gk_zulu_parse((struct gk_slice){ datum->created, GK_ZULU_LEN },
	                     created));
	return gk_zulu_parse((struct gk_slice){ datum->expires, GK_ZULU_LEN },
	                     expires);
}

enum gk_err
gsakmp_key_datum_check(const struct gsakmp_key_datum *datum,
                       const struct gsakmp_dialect *dialect, const char *req,
                       struct gsakmp_reject *why)
{
	struct gk_slice created = { datum->created, GK_ZULU_LEN };
	struct gk_slice expires = { datum->expires, GK_ZULU_LEN };
	int64_t utc;

	/* RFC4535-7.4.1.1-05: dates in the one form there is. */
	if (gk_zulu_parse(created, &utc) != GK_OK &&
	    GK_CHECKED("RFC4535-7.4.1.1-05"))
		return gsakmp_refuse(why, GK_ERR_VALUE,
		                     GSAKMP_NOTIFY_INVALID_KEY_INFORMATION,
		                     "RFC4535-7.4.1.1-05", "Key Creation Date",
		                     datum->at + AT_CREATED);
	if (gk_zulu_parse(expires, &utc) != GK_OK &&
	    GK_CHECKED("RFC4535-7.4.1.1-05"))
		return gsakmp_refuse(why, GK_ERR_VALUE,
		                     GSAKMP_NOTIFY_INVALID_KEY_INFORMATION,
		                     "RFC4535-7.4.1.1-05",
		                     "Key Expiration Date",
		                     datum->at + AT_EXPIRES);

	/* RFC4535-7.4.1.1-01: the Key Type defines the form of Key Data. */
	if (datum->key.len != gsakmp_key_length(dialect, datum->type) &&
	    GK_CHECKED(req, "RFC4535-7.4.1.1-01"))
		return gsakmp_refuse(why, GK_ERR_VALUE,
		                     GSAKMP_NOTIFY_PAYLOAD_MALFORMED, req,
		                     "Key Data", datum->at + AT_KEY);
	return GK_OK;
}
