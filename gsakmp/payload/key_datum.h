/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_PAYLOAD_KEY_DATUM_H
#define GSAKMP_PAYLOAD_KEY_DATUM_H

#include "common/base/gk_time.h"
#include "common/wire/gk_wr.h"
#include "gsakmp/gsakmp_reject.h"
#include "gsakmp/message/dialect.h"

/*
 * DOC: Key Datum - RFC 4535 section 7.4.1.1
 *
 *    +-------------------------------+-------------------------------+
 *    | Key Type (2)                  | Key ID (4)                    ~
 *    +-------------------------------+-------------------------------+
 *    | Key Handle (4)                | Key Creation Date (15)        ~
 *    +-------------------------------+-------------------------------+
 *    | Key Expiration Date (15)      | Key Data                      ~
 *    +-------------------------------+-------------------------------+
 *
 * Key ID and Key Handle are octet strings of four octets; they are held as the
 * number that these octets are in network byte order.  Key Data has no length
 * of its own: it is as long as the Key Type says.
 */
#define GSAKMP_KEY_DATUM_FIXED 40 /* octets in front of Key Data */
#define GSAKMP_KEY_DATA_MAX 36    /* octets of the longest key there is */

struct gsakmp_key_datum {
	uint16_t type; /* Table 16 */
	uint32_t id;
	uint32_t handle;
	uint8_t created[GK_ZULU_LEN]; /* YYYYMMDDHHMMSSZ, see gk_zulu_parse() */
	uint8_t expires[GK_ZULU_LEN];
	struct gk_slice key; /* secret; points into the plaintext */
	size_t at;           /* of Key Type, in the plaintext */
};

/**
 * gsakmp_key_datum_decode - read one Key Datum.
 * @key_len: octets of Key Data to take
 *
 * Leaves @rd behind the Key Data; the verdict is rd->fault.err.
 */
GK_MUST_CHECK enum gk_err gsakmp_key_datum_decode(
	struct gk_rd *rd, size_t key_len, struct gsakmp_key_datum *datum);
void gsakmp_key_datum_encode(struct gk_wr *wr,
                             const struct gsakmp_key_datum *datum);

/**
 * gsakmp_key_datum_check - dates are dates; Key Data is as long as the type says.
 * @req: requirement id for a wrong length (the section that is being applied)
 *
 * Key Type (7.4.2 item 3, 7.5.2 item 3) is the caller's to check before.
 */
GK_MUST_CHECK enum gk_err gsakmp_key_datum_check(
	const struct gsakmp_key_datum *datum,
	const struct gsakmp_dialect *dialect, const char *req,
	struct gsakmp_reject *why);

/* gsakmp_key_datum_dates - both dates as seconds since 1970. */
GK_MUST_CHECK enum gk_err gsakmp_key_datum_dates(
	const struct gsakmp_key_datum *datum, int64_t *created,
	int64_t *expires);

#endif /* GSAKMP_PAYLOAD_KEY_DATUM_H */
