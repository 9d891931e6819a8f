# SPDX-License-Identifier: BSD-2-Clause
"""Is it DER? What X.690 sections 8, 10 and 11 say of octets whatever they are for."""
UNIVERSAL, CONTEXT = 0, 2  # classes
CONSTRUCTED, LONG_TAG = 0x20, 0x1F
BOOLEAN, INTEGER, BIT_STRING, NULL, OID, ENUMERATED, RELATIVE_OID = 1, 2, 3, 5, 6, 10, 13
SEQUENCE, SET = 16, 17
ALWAYS_CONSTRUCTED = {8, 11, SEQUENCE, SET, 29}
DEPTH = 32


class NotDer(ValueError):
    pass


def _need(condition, what):
    if not condition:
        raise NotDer(what)


class Element:
    """One value: `cls` 0 to 3, `number`, `constructed`, `body`, and `children` when it is constructed."""

    def __init__(self, octets, depth=0):
        """`octets` may go on behind it: `size` are its own."""
        _need(depth <= DEPTH, "too deep")
        _need(len(octets) >= 2, "cut off")
        first = octets[0]
        self.cls, self.constructed, self.number = first >> 6, bool(first & CONSTRUCTED), first & LONG_TAG
        at = 1
        if self.number == LONG_TAG:
            self.number, at = _long_number(octets)
        start, length = _length(octets, at)
        self.size = start + length
        _need(self.size <= len(octets), "cut off")
        self.octets, self.body = bytes(octets[:self.size]), bytes(octets[start:self.size])
        self.children = elements(self.body, depth + 1) if self.constructed else []
        if self.cls == UNIVERSAL:
            self._universal()

    def _universal(self):
        _need(self.number != 0, "an end of contents")
        _need(self.constructed == (self.number in ALWAYS_CONSTRUCTED), f"form of type {self.number}")
        if self.number == SET:
            longest = max((len(c.octets) for c in self.children), default=0)
            padded = [c.octets.ljust(longest, b"\0") for c in self.children]
            _need(padded == sorted(padded), "a SET OF that is not sorted")
        elif not self.constructed:
            value(self.number, self.body)

    def is_(self, number, cls=UNIVERSAL):
        return (self.cls, self.number) == (cls, number)


def _long_number(octets):
    number, at = 0, 1
    _need(octets[1] != 0x80, "a tag number that begins with nothing")
    while True:
        _need(at < len(octets), "cut off")
        number, more = number << 7 | octets[at] & 0x7F, octets[at] & 0x80
        at += 1
        if not more:
            _need(number >= LONG_TAG, "a long tag for a small number")
            return number, at


def _length(octets, at):
    """(where the contents begin, how many octets they have)"""
    _need(at < len(octets), "cut off")
    n = octets[at]
    if n < 0x80:
        return at + 1, n
    n &= 0x7F
    _need(0 < n <= 4, "an indefinite length, or none that anything has")
    _need(at + n < len(octets), "cut off")
    length = int.from_bytes(octets[at + 1:at + 1 + n], "big")
    _need(length >= max(0x80, 1 << 8 * (n - 1)), "a length that is longer than it need be")
    return at + 1 + n, length


def value(number, body):
    """That `body` is what DER writes for a simple value of the universal type `number`."""
    if number == BOOLEAN:
        _need(body in (b"\x00", b"\xff"), "a BOOLEAN")
    elif number in (INTEGER, ENUMERATED):
        _need(body, "an INTEGER of nothing")
        shortest = int.from_bytes(body, "big", signed=True)
        _need(len(body) == 1 or not -(1 << 8 * len(body) - 9) <= shortest < 1 << 8 * len(body) - 9,
              "an INTEGER that is longer than it need be")
    elif number == BIT_STRING:
        _need(body and body[0] < 8 and (len(body) > 1 or body[0] == 0), "unused bits of a BIT STRING")
        _need(len(body) == 1 or not body[-1] & (1 << body[0]) - 1, "unused bits that are not zero")
    elif number == NULL:
        _need(not body, "a NULL of something")
    elif number in (OID, RELATIVE_OID):
        _need(body and not body[-1] & 0x80, "an object identifier that ends within a number")
        starts = [body[0]] + [b for a, b in zip(body, body[1:]) if not a & 0x80]
        _need(0x80 not in starts, "an object identifier with a number that begins with nothing")


def elements(octets, depth=0):
    out = []
    while octets:
        out.append(Element(octets, depth))
        octets = octets[out[-1].size:]
    return out


def one(octets):
    """The one element that `octets` are; NotDer."""
    e = Element(octets)
    _need(e.size == len(octets), "more behind it")
    return e


def _no_defaults(around):
    """Of Extensions, the last that is in `around`: a `critical` of FALSE is not written."""
    for extension in around.children[-1].children if around.children else ():
        _need(not any(c.octets == b"\x01\x01\x00" for c in extension.children), "critical FALSE, which is the default")


def certificate(octets):
    """RFC 5280 section 4.1: a Certificate is DER, the defaults of its own fields included."""
    outer = one(octets)
    _need(outer.is_(SEQUENCE) and outer.children and outer.children[0].is_(SEQUENCE), "no certificate")
    for part in outer.children[0].children:
        if part.cls != CONTEXT:
            continue
        if part.number == 0:
            _need(part.body != b"\x02\x01\x00", "version 1, which is the default")
        elif part.number in (1, 2):
            _need(not part.constructed, "a unique identifier in pieces")
            value(BIT_STRING, part.body)
        elif part.number == 3:
            _no_defaults(part)


def crl(octets):
    """RFC 5280 section 5.1: a CertificateList."""
    outer = one(octets)
    _need(outer.is_(SEQUENCE) and outer.children and outer.children[0].is_(SEQUENCE), "no CRL")
    for i, part in enumerate(outer.children[0].children):
        if part.is_(0, CONTEXT):
            _no_defaults(part)
        elif i > 2 and part.is_(SEQUENCE):  # revokedCertificates; before it there are times
            for entry in part.children:
                _no_defaults(entry)
