# SPDX-License-Identifier: BSD-2-Clause
"""verdicts.json: octets that are refused, each wrong in one way; and where a dialect decides."""
from .. import isakmp, lkh
from .. import numbers as n
from ..group import SAK, SEQ, IecTek, IpsecTek
from ..isakmp import tlv, tv
from ..phase1 import offer, transform
from ..policy import IecPolicy, IpsecPolicy, KekPolicy, Selector
from ..suite import Suite
from . import fixed
from . import make_payload as p
from .store import Book, Dialect

STRICT = Dialect()
WHOLE = bytes(p.sa_body(STRICT, p.sak(STRICT), p.gap(atd=1), *p.sats(STRICT, IpsecPolicy())))


def cut(octets, at, new, size=None):
    size = len(new) if size is None else size
    return octets[:at] + new + octets[at + size:]


def put(octets, at, number, size):
    return cut(octets, at, number.to_bytes(size, "big"))


class _Judge:
    def __init__(self, book):
        self.book = book

    def __call__(self, what, label, about, req, octets, dialect=None, shows=(), req_only=True):
        """The vector says the rule if `req_only`; the field where it is no matter of taste."""
        raw = self.book.add("verdict", f"{what}/{label}", about, req, {"what": what, "octets": octets}, dialect, shows)
        assert raw["out"]["accepted"] == (req is None or raw["out"].get("req") is None), raw["id"]
        if not raw["out"]["accepted"]:
            assert raw["out"]["req"] == req or not req_only, (raw["id"], raw["out"])
            del raw["out"]["field"]
            if not req_only:
                del raw["out"]["req"]
        return raw

    def wrong(self, what, label, about, req, octets, dialect=None, shows=(), req_only=True):
        raw = self(what, label, about, req, octets, dialect, shows, req_only)
        assert not raw["out"]["accepted"], raw["id"]

    def right(self, what, label, about, req, octets, dialect=None, shows=()):
        raw = self(what, label, about, req, octets, dialect, shows)
        assert raw["out"]["accepted"], (raw["id"], raw["out"])


def _headers(j):
    good = bytes(isakmp.ISAKMP(icookie=bytes(range(1, 9)), exchange=n.X_MAIN) / offer([Suite()], STRICT))
    j.right("header", "good", "Message 1 of Main Mode", "RFC2408-3.1-01", good)
    for label, at, value, size, req in (
            ("major-version", 17, 0x20, 1, "RFC2408-3.1-04"), ("minor-version", 17, 0x11, 1, "RFC2408-3.1-06"),
            ("length-more", 24, len(good) + 1, 4, "RFC2408-5.1-02"),
            ("length-less", 24, len(good) - 1, 4, "RFC2408-5.1-02"), ("reserved", 29, 1, 1, "RFC2408-5.3-03"),
            ("payload-too-long", 30, 4000, 2, "RFC2408-3.2-01"), ("payload-length-3", 30, 3, 2, "RFC2408-3.2-01")):
        j.wrong("header", label, label, req, put(good, at, value, size), req_only=at == 24)
    for size in (0, 8, 27):
        j.wrong("header", f"short-{size}", f"{size} octets", "RFC2408-5.1-01", good[:size], req_only=False)


def _sas(j):
    j.right("sa-pull", "good", "SAK, GAP and SAT", "RFC6407-5.2-01", WHOLE)
    fields = (("doi-1", 0, 1, 4, "RFC6407-5.2-06"), ("situation", 4, 1, 4, "RFC6407-5.2-07"),
              ("first-is-kd", 8, 17, 2, "RFC6407-5.2-08"), ("none", 8, 0, 2, "RFC6407-5.2-08"),
              ("reserved2", 10, 1, 2, "RFC6407-5.2-09"), ("sak-reserved", 13, 1, 1, "RFC6407-5.3-03"),
              ("sak-followed-by-sak", 12, 15, 1, "RFC6407-5.3-02"), ("sak-too-long", 14, 5000, 2, "RFC2408-3.2-01"),
              ("sak-length-3", 14, 3, 2, "RFC2408-3.2-01"))
    for label, at, value, size, req in fields:
        j.wrong("sa-pull", label, label, req, put(WHOLE, at, value, size), req_only=not label.startswith(("sak-", "none")))
    j.wrong("sa-pull", "trailing", "Octets behind the last SAT", "RFC6407-5.2-05", WHOLE + bytes(4), req_only=False)
    tek = p.sats(STRICT, IpsecPolicy())
    sak = p.sak(STRICT)
    for label, links in (("sat-sak", [*tek, sak]), ("gap-sak", [p.gap(atd=1), sak]), ("sat-gap", [*tek, p.gap(atd=1)]),
                         ("two-saks", [sak, sak, *tek]), ("two-gaps", [p.gap(atd=1), p.gap(atd=1), *tek])):
        j.wrong("sa-pull", f"order/{label}", label, "RFC6407-5.2.1-04", p.sa_body(STRICT, *links), req_only=False)
    j.wrong("sa-pull", "gap-alone", "Neither SAK nor SAT", "RFC6407-5.2.1-03", p.sa_body(STRICT, p.gap(atd=1)))
    for size in (0, 7, 11, 12, 40):
        j.wrong("sa-pull", f"short-{size}", f"{size} octets", "RFC2408-3.2-01", WHOLE[:size], req_only=False)


def _sak(attributes, **how):
    return p.sa_body(STRICT, SAK(protocol=17, src=bytes(4), dst=bytes([239, 1, 1, 1]), spi=bytes(range(16)),
                                 attributes=attributes, **how))


def _saks(j):
    good = [tv(2, 3), tv(3, 128), tlv(4, bytes([0, 0, 1, 0])), tv(5, 3), tv(6, 1), tv(7, 2048)]
    j.right("sa-push", "sak/good", "A SAK alone", "RFC6407-5.3-11", _sak(good))
    drop = lambda *kinds: [a for a in good if a.type not in kinds]
    j.wrong("sa-push", "sak/no-algorithm", "KEK_ALGORITHM is missing", "RFC6407-5.3-12", _sak(drop(2)))
    j.wrong("sa-push", "sak/no-signature", "SIG_ALGORITHM is missing", "RFC6407-5.3-13", _sak(drop(6, 5)))
    for label, found in (("attribute-8", [*good, tv(8, 1)]), ("attribute-0", [*good, tv(0, 1)]),
                         ("attribute-200", [*good, tv(200, 1)]), ("algorithm-9", [*drop(2), tv(2, 9)]),
                         ("sig-7", [*drop(6), tv(6, 7)]), ("sig-hash-9", [*drop(5), tv(5, 9)]),
                         ("management-2", [*good, tv(1, 2)])):
        j.wrong("sa-push", f"sak/{label}", label, "RFC6407-5.3.2-01", _sak(found), req_only=label.startswith("attribute"))
    j.wrong("sa-push", "sak/algorithm-variable", "KEK_ALGORITHM as Variable", "RFC6407-5.3-10",
            _sak([*drop(2), tlv(2, b"\0\3")]))
    # CVE-2023-20109 began with attribute lengths that were believed
    j.wrong("sa-push", "sak/attribute-too-long", "An attribute longer than the payload", "RFC2408-3.3-01",
            _sak([*drop(4), isakmp.Attribute(basic=0, type=4, length=0x7fff, data=bytes(4))]), req_only=False)
    j.wrong("sa-push", "sak/attribute-cut", "Half an attribute", "RFC2408-3.3-01",
            _sak_cut(_sak(good), 2), req_only=False)
    for kind, data, label in ((1, bytes(3), "ipv4-3"), (1, bytes(16), "ipv4-16"), (5, bytes(4), "ipv6-4"), (4, bytes(4), "subnet-4")):
        j.wrong("sa-push", f"sak/{label}", f"Identification Data of {len(data)} octets", "RFC2407-4.6.2.2-01",
                _sak(good, dst_type=kind, dst_len=len(data)) if False else p.sa_body(STRICT, SAK(
                    protocol=17, src=bytes(4), dst_type=kind, dst=data, spi=bytes(range(16)), attributes=good)),
                req_only=False)
    j.wrong("sa-push", "sak/reserved2", "RESERVED2 is not zero", "RFC6407-5.3-09", _sak(good, reserved2=bytes([0, 0, 0, 1])))


def _sak_cut(body, size):
    """A SAK, the last of an SA, that ends `size` octets early and says so."""
    out = body[:-size]
    return put(out, 14, int.from_bytes(out[14:16], "big") - size, 2)


def _tek(protocol=1, transform=12, attributes=(), **how):
    return p.sa_body(STRICT, p.SAT_OF(protocol, IpsecTek(transform=transform, spi=b"\1\2\3\4", dst=bytes([239, 1, 1, 1]),
                                                         attributes=list(attributes), **how)))


def _range(kind, first, last, attributes):
    """ESP to a range of addresses."""
    return p.sa_body(STRICT, p.SAT_OF(1, IpsecTek(transform=12, spi=b"\1\2\3\4", dst_type=kind, dst=first + last, attributes=attributes)))


def _sats(j):
    good = [tv(1, 1), tv(2, 600), tv(4, 1), tv(5, 5), tv(6, 128)]
    drop = lambda *kinds: [a for a in good if a.type not in kinds]
    j.right("sa-push", "sat/good", "ESP", "RFC6407-5.5.1-01", _tek(attributes=good))
    j.right("sa-push", "sat/group-description", "A Group Description is passed over", "RFC6407-5.5.1-10",
            _tek(attributes=[*good, tv(3, 14)]))
    for label, found, req in (
            ("attribute-99", [*good, tv(99, 1)], "RFC2407-4.5.3-01"), ("duration-first", [tv(2, 600), *drop(1, 2)], "RFC2407-4.5-05"),
            ("mode-variable", [*drop(4), tlv(4, b"\0\1")], "RFC2407-4.5-01"),
            ("preserve-5", [*good, tv(14, 5)], "RFC6407-5.5.1.1.1-01"), ("direction-4", [*good, tv(15, 4)], "RFC6407-5.5.1.1.2-01")):
        j.wrong("sa-push", f"sat/{label}", label, req, _tek(attributes=found))
    for bits, kind, first, last, req in ((4, 7, b"\xef\1\1\x09", b"\xef\1\1\1", "RFC2407-4.6.2.8-01"),
                                         (6, 8, b"\xff\x0e" + bytes(13) + b"\x09", b"\xff\x0e" + bytes(13) + b"\1", "RFC2407-4.6.2.9-01")):
        j.right("sa-push", f"sat/range-{bits}", "A range of destinations", req, _range(kind, first, first, good))
        j.wrong("sa-push", f"sat/range-{bits}-backwards", "A range that ends before it begins", req, _range(kind, first, last, good))
    for protocol, label in ((0, "reserved"), (4, "unassigned"), (161, "private")):
        j.wrong("sa-push", f"sat/protocol-{label}", f"Protocol-ID {protocol}", "RFC6407-5.3.2-01",
                p.sa_body(STRICT, p.SAT_OF(protocol, IpsecTek(attributes=good))), req_only=False)
    j.wrong("sa-push", "sat/attribute-too-long", "An attribute longer than the payload", "RFC2408-3.3-01",
            _tek(attributes=[*good, isakmp.Attribute(basic=0, type=2, length=0xffff, data=b"")]), req_only=False)
    zero = lambda kind: _tek(attributes=[*good, tv(kind, 0)])
    for kind, name in ((14, "Address Preservation"), (15, "SA Direction")):
        j.book.readings("attribute_zero", "verdict", f"{name} 0", f"RFC6407-5.5.1.1.{kind - 13}-01",
                        {"what": "sa-push", "octets": zero(kind)}, f"attribute_zero/{kind}")


def _iecs(j):
    def body(**how):
        tek = dict(oid=bytes.fromhex("060b2a8648ce5683e31a080102"), specific=p.SPECIFIC, spi=b"\0\0\0\1", auth=2, enc=1)
        return p.sa_body(STRICT, p.SAT_OF(3, IecTek(**{**tek, **how})))
    j.right("sa-push", "iec/good", "IEC 61850", "RFC8052-2.2-02", body())
    for label, how, req in (
            ("cbc-128-alone", {"auth": 1, "enc": 2}, "RFC8052-2.2.3-01"), ("cbc-256-alone", {"auth": 1, "enc": 3}, "RFC8052-2.2.3-02"),
            ("auth-0", {"auth": 0}, "RFC8052-4-01"), ("auth-6", {"auth": 6}, "RFC8052-4-01"), ("enc-0", {"enc": 0}, "RFC8052-4-02"),
            ("enc-6", {"enc": 6}, "RFC8052-4-02"), ("kda-101", {"attributes": [tv(2, 101)]}, "RFC8052-2.2.4.2-01")):
        j.wrong("sa-push", f"iec/{label}", label, req, body(**how))
    for label, how in (("oid-no-tag", {"oid": b"\x2a\x86\x48"}), ("oid-length", {"oid_len": 200}),
                       ("oid-cut", {"oid": bytes.fromhex("06032a8648")[:4]}), ("specific-length", {"specific_len": 0xffff}),
                       ("attribute-9", {"attributes": [tv(9, 1)]}),
                       ("attribute-too-long", {"attributes": [isakmp.Attribute(basic=0, type=1, length=900, data=b"")]})):
        j.wrong("sa-push", f"iec/{label}", label, "RFC8052-2.2-02", body(**how), req_only=False)


def _kds(j):
    whole = p.kd_body(p.kek_packet(), p.tek(), p.sid_packet(16, (1,), STRICT))
    j.right("kd-pull", "good", "KEK, TEK, SID", "RFC6407-5.6-01", whole)
    for label, at, value, size, req in (
            ("count-more", 0, 4, 2, "RFC6407-5.6-01"), ("count-less", 0, 2, 2, "RFC6407-5.6-01"),
            ("count-65535", 0, 0xffff, 2, "RFC6407-5.6-01"), ("reserved2", 2, 1, 2, "RFC6407-5.6-02"),
            ("type-0", 4, 0, 1, "RFC6407-5.6-04"), ("type-5", 4, 5, 1, "RFC6407-5.6-04"), ("reserved", 5, 1, 1, "RFC6407-5.6-02"),
            ("packet-too-long", 6, 9999, 2, "RFC6407-5.6-03"), ("packet-length-4", 6, 4, 2, "RFC6407-5.6-03"),
            ("spi-size-255", 8, 255, 1, "RFC6407-5.6-03"), ("attribute-too-long", 27, 0x7000, 2, "RFC2408-3.3-01")):
        j.wrong("kd-pull", label, label, req, put(whole, at, value, size), req_only=False)
    j.wrong("kd-pull", "two-keks", "Two KEK packets", "RFC6407-5.6.2-03", p.kd_body(p.kek_packet(), p.kek_packet()))
    keys = p.path()
    arrays = tlv(1, lkh.download(keys)), tlv(2, lkh.update(keys[0], keys[1:]))
    j.right("kd-push", "lkh/update", "An update array", "RFC6407-5.6.3.2-01", p.kd_body(p.lkh_packet(arrays[1])))
    j.wrong("kd-push", "lkh/download", "A download array in a PUSH", "RFC6407-5.6.3.1-01", p.kd_body(p.lkh_packet(arrays[0])))
    j.wrong("kd-pull", "lkh/two-packets", "Two LKH packets", "RFC6407-5.6.3-03",
            p.kd_body(p.lkh_packet(arrays[0]), p.lkh_packet(arrays[0])))
    j.wrong("kd-pull", "lkh/two-downloads", "Two download arrays", "RFC6407-5.6.3.1-02",
            p.kd_body(p.lkh_packet(arrays[0], arrays[0])))
    for label, at, value, size in (("version-2", 0, 2, 1), ("count-0", 1, 0, 2), ("count-3", 1, 3, 2), ("count-65535", 1, 0xffff, 2),
                                   ("reserved", 3, 1, 1)):
        j.wrong("kd-pull", f"lkh/{label}", label, "RFC6407-5.6.3.1-03",
                p.kd_body(p.lkh_packet(tlv(1, put(lkh.download(keys), at, value, size)))), req_only=False)
    j.wrong("kd-push", "lkh/update-cut", "An update array of eleven octets", "RFC6407-5.6.3.2-02",
            p.kd_body(p.lkh_packet(tlv(2, lkh.update(keys[0], keys[1:])[:11]))), req_only=False)
    sid = p.sid_packet(16, (1,), STRICT)
    j.wrong("kd-push", "sid", "A SID in a PUSH", "RFC6407-5.6.4.4-02", p.kd_body(sid), req_only=False)
    j.wrong("kd-pull", "sid/spi", "A SID with an SPI", "RFC6407-5.6.4-01",
            p.kd_body(type(sid)(kd_type=4, spi=bytes(4), attributes=[tv(1, 16), tlv(2, b"\0\1")])))
    j.wrong("kd-pull", "sid/twice", "One sender id twice", "RFC6054-3-02", p.kd_body(p.sid_packet(16, (1, 2, 1), STRICT)))
    for label, found in (("no-bits", [tlv(2, b"\0\1")]), ("too-big", [tv(1, 12), tlv(2, b"\xff\xff")]),
                         ("too-long", [tv(1, 16), tlv(2, bytes(9))])):
        j.wrong("kd-pull", f"sid/{label}", label, "RFC6407-5.6.4.1-01",
                p.kd_body(type(sid)(kd_type=4, spi=b"", attributes=found)), req_only=False)
    for kind, octets, label in ((1, tlv(9, bytes(16)), "tek-attribute-9"), (2, tlv(9, bytes(16)), "kek-attribute-9"),
                                (1, tv(1, 5), "tek-key-basic")):
        j.wrong("kd-pull", label, label, "RFC6407-5.3.2-01", p.kd_body(type(sid)(kd_type=kind, spi=bytes(4 if kind == 1 else 16),
                                                                                 attributes=[octets])), req_only=False)


def _ids(j):
    good = bytes([11, 0, 0, 0, 0, 0, 4, 210])
    j.right("id", "good", "Group 1234", "RFC6407-5.1-03", good)
    j.wrong("id", "port", "A port", "RFC6407-5.1-01", put(good, 2, 848, 2))
    j.wrong("id", "protocol", "A protocol", "RFC6407-5.1-01", put(good, 1, 17, 1))
    for size in (3, 5):
        j.wrong("id", f"{size}-octets", f"A group identifier of {size} octets", "RFC6407-5.1-03", good[:4] + bytes(size))
    j.wrong("id", "type-0", "ID Type 0", "RFC2408-5.8-01", put(good, 0, 0, 1), req_only=False)
    oid = bytes([13, 0, 0, 0]) + bytes.fromhex("0d060b2a8648ce5683e31a0801020000")
    j.right("id", "oid", "An OID", "RFC8052-2.1-03", oid)
    j.wrong("id", "oid/length", "OID Length is too large", "RFC8052-2.1-03", put(oid, 4, 200, 1), req_only=False)
    j.wrong("id", "oid/trailing", "Octets behind it", "RFC8052-2.1-03", oid + b"\0", req_only=False)
    j.wrong("id", "oid/specific", "OID-Specific Payload is not there", "RFC8052-2.1-03", put(oid, len(oid) - 2, 9, 2), req_only=False)
    j.wrong("id", "oid/tag", "No OBJECT IDENTIFIER", "RFC8052-2.1-05", put(oid, 5, 2, 1), req_only=False)
    gap = lambda *found: b"".join(bytes(a) for a in found)
    j.right("gap", "sids", "A request for three SIDs", "RFC6407-5.4.2-01", gap(tv(3, 3)))
    j.wrong("gap", "attribute-9", "An unknown attribute", "RFC6407-5.4-08", gap(tv(9, 3)))
    j.wrong("gap", "variable", "SENDER_ID_REQUEST as Variable", "RFC6407-5.4-07", gap(tlv(3, b"\0\3")), req_only=False)


def _phase1(j):
    good = offer([Suite(), Suite(group=19)], STRICT).body()
    j.right("phase1-sa", "good", "Two transforms", "RFC2409-5-16", good)
    for label, at, value, size, req in (
            ("proposal-next", 8, 9, 1, "RFC2408-3.5-01"),
            ("proposal-protocol", 13, 3, 1, "RFC2409-7.1-01"), ("count-more", 15, 3, 1, "RFC2408-3.5-04"), ("count-less", 15, 1, 1, "RFC2408-3.5-04"),
            ("transform-next", 16, 2, 1, "RFC2408-3.6-01"), ("transform-length", 18, 4000, 2, "RFC2408-3.2-01")):
        j.wrong("phase1-sa", label, label, req, put(good, at, value, size), req_only=False)


def books():
    book = Book("verdicts", "Octets that are refused, and some that are not.")
    j = _Judge(book)
    for part in (_headers, _sas, _saks, _sats, _iecs, _kds, _ids, _phase1):
        part(j)
    return [book]


__all__ = ["SEQ", "IecPolicy", "KekPolicy", "Selector", "books", "fixed", "transform"]
