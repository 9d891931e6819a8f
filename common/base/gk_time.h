/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_TIME_H
#define GK_TIME_H

#include <stdbool.h>

#include "common/wire/gk_rd.h"

/*
 * DOC: dates on the wire
 *
 * GSAKMP dates (RFC 4535 sections 7.4.1.1, 7.5.1.1, 7.8.1) are fifteen octets,
 * YYYYMMDDHHMMSSZ, Zulu time, resolution one second, year 0000 to 9999.  Inside
 * the suite a date is a count of seconds since 1970-01-01T00:00:00Z.  Leap
 * seconds do not exist: ":60" is refused.
 */
#define GK_ZULU_LEN 15
#define GK_UTC_MIN (-62167219200LL) /* 0000-01-01T00:00:00Z */
#define GK_UTC_MAX 253402300799LL   /* 9999-12-31T23:59:59Z */

/* gk_zulu_parse - GK_ERR_VALUE when @t is not such a date; *@utc untouched. */
GK_MUST_CHECK enum gk_err gk_zulu_parse(struct gk_slice t, int64_t *utc);

/* gk_zulu_format - write exactly GK_ZULU_LEN octets, no NUL; clamps to the
 * representable years. */
void gk_zulu_format(int64_t utc, uint8_t out[GK_ZULU_LEN]);

/* The calendar underneath, for other date forms (ASN.1, XML). */
bool gk_utc_from_civil(int year, int month, int day, int hour, int minute,
                       int second, int64_t *utc);
void gk_utc_to_civil(int64_t utc, int *year, int *month, int *day, int *hour,
                     int *minute, int *second);

#endif /* GK_TIME_H */
