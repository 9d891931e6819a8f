/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/base/gk_time.h"

#include <stdio.h>
#include <string.h>

/* Days since 1970-01-01 of a proleptic Gregorian date; the year starts in
 * March so that the leap day is its last. */
static int64_t
days_from_civil(int64_t y, int m, int d)
{
	int64_t era, yoe, doy, doe;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

static bool
is_leap(int y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

bool
gk_utc_from_civil(int year, int month, int day, int hour, int minute,
                  int second, int64_t *utc)
{
	static const int month_len[] = { 31, 28, 31, 30, 31, 30,
		                         31, 31, 30, 31, 30, 31 };
	int len;

	if (year < 0 || year > 9999 || month < 1 || month > 12)
		return false;
	len = month_len[month - 1] + (month == 2 && is_leap(year));
	if (day < 1 || day > len || hour < 0 || hour > 23 || minute < 0 ||
	    minute > 59 || second < 0 || second > 59)
		return false;
	*utc = days_from_civil(year, month, day) * 86400 + hour * 3600 +
	       minute * 60 + second;
	return true;
}

void
gk_utc_to_civil(int64_t utc, int *year, int *month, int *day, int *hour,
                int *minute, int *second)
{
	int64_t days = utc / 86400, sec = utc % 86400;
	int64_t era, doe, yoe, doy, mp;

	if (sec < 0) {
		sec += 86400;
		days--;
	}
	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	doe = days - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*day = (int)(doy - (153 * mp + 2) / 5 + 1);
	*month = (int)(mp < 10 ? mp + 3 : mp - 9);
	*year = (int)(yoe + era * 400 + (*month <= 2));
	*hour = (int)(sec / 3600);
	*minute = (int)(sec / 60 % 60);
	*second = (int)(sec % 60);
}

static int
digits(const uint8_t *p, int n)
{
	int v = 0;

	while (n-- > 0)
		v = v * 10 + (*p++ - '0');
	return v;
}

enum gk_err
gk_zulu_parse(struct gk_slice t, int64_t *utc)
{
	const uint8_t *p = t.ptr;

	if (t.len != GK_ZULU_LEN || p[14] != 'Z')
		return GK_ERR_VALUE;
	for (size_t i = 0; i < 14; i++)
		if (p[i] < '0' || p[i] > '9')
			return GK_ERR_VALUE;
	if (!gk_utc_from_civil(digits(p, 4), digits(p + 4, 2), digits(p + 6, 2),
	                       digits(p + 8, 2), digits(p + 10, 2),
	                       digits(p + 12, 2), utc))
		return GK_ERR_VALUE;
	return GK_OK;
}

static void
put_digits(uint8_t *p, int n, int v)
{
	while (n-- > 0) {
		p[n] = (uint8_t)('0' + v % 10);
		v /= 10;
	}
}

void
gk_zulu_format(int64_t utc, uint8_t out[GK_ZULU_LEN])
{
	int year, month, day, hour, minute, second;

	if (utc < GK_UTC_MIN)
		utc = GK_UTC_MIN;
	if (utc > GK_UTC_MAX)
		utc = GK_UTC_MAX;
	gk_utc_to_civil(utc, &year, &month, &day, &hour, &minute, &second);
	put_digits(out, 4, year);
	put_digits(out + 4, 2, month);
	put_digits(out + 6, 2, day);
	put_digits(out + 8, 2, hour);
	put_digits(out + 10, 2, minute);
	put_digits(out + 12, 2, second);
	out[14] = 'Z';
}
