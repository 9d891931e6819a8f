# SPDX-License-Identifier: BSD-2-Clause
"""The 15-octet dates of RFC 4535, as seconds since 1970 and back."""
import calendar
import datetime
import time


def date(seconds):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(int(seconds))).encode()


def undate(octets):
    return calendar.timegm(time.strptime(octets.decode(), "%Y%m%d%H%M%SZ"))


def utc(seconds):
    """As the dates of X.509 count: in whole seconds, of which the last of a validity is part of it."""
    return datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc)
