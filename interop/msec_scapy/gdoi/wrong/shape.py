# SPDX-License-Identifier: BSD-2-Clause
"""Payloads in another order, twice, missing, or with lengths and counters that lie."""
from .. import isakmp
from .. import numbers as n
from ..group import KD, SAK, SAT, SEQ, GAPAttributes, GdoiSA, KeyPacket
from ..isakmp import tlv, tv
from .change import in_kd, in_sa, of, order, setting


def _server(name, where, req, text, **how):
    return dict(name=name, role="server", where=where, req=req, text=text, **how)


def _member(name, where, req, text, **how):
    return dict(name=name, role="member", where=where, req=req, text=text, **how)


def _links():
    gap = GAPAttributes(attributes=[tv(1, 1)])
    rearranged = (  # the rule, and that of the payload which stands where it must not
        ("sat-before-sak", "RFC6407-5.2.1-04", ("RFC6407-5.5-02",), "SATs in front of the SAK", lambda x: x[::-1]),
        ("gap-before-sak", "RFC6407-5.2.1-04", ("RFC6407-5.4-05",), "GAP in front of the SAK", lambda x: [gap.copy(), *x]),
        ("gap-behind-sat", "RFC6407-5.2.1-04", ("RFC6407-5.5-02",), "GAP behind the SATs", lambda x: [*x, gap.copy()]),
        ("two-saks", "RFC6407-5.2.1-02", ("RFC6407-5.3-02",), "Two SAKs", lambda x: [x[0].copy(), *x]),
        ("two-gaps", "RFC6407-5.2.1-02", ("RFC6407-5.4-05",), "Two GAPs", lambda x: [x[0], gap.copy(), gap.copy(), *x[1:]]),
        ("sat-twice", "RFC6407-3.2-12", (), "A SAT twice: two SAs with one SPI", lambda x: [*x, x[-1].copy()]),
        ("gap-request", "RFC6407-5.4-01", (), "A request for sender ids that comes from the key server",
         lambda x: [x[0], GAPAttributes(attributes=[tv(3, 1)]), *x[1:]]),
        ("gap-alone", "RFC6407-5.2.1-03", (), "Neither SAK nor SAT", lambda x: [gap.copy()]))
    for name, req, also, text, arrange in rearranged:
        yield _server(name, "pull-2", req, text, payloads=order(arrange), also=also)
    for name, where, req, text, fields in (
            ("situation-1", "pull-2", "RFC6407-5.2-07", "Situation 1", {"situation": 1}),
            ("doi-1", "pull-2", "RFC6407-5.2-06", "DOI 1", {"doi": 1}),
            ("sa-reserved2", "pull-2", "RFC6407-5.2-09", "RESERVED2 is not zero", {"reserved2": 1}),
            ("attribute-payload-17", "pull-2", "RFC6407-5.2-08", "SA Attribute Next Payload names a KD", {"attribute_np": 17}),
            ("push-situation-1", "push", "RFC6407-5.2-07", "Situation 1 in a GROUPKEY-PUSH", {"situation": 1})):
        yield _server(name, where, req, text, payloads=setting(GdoiSA, **fields))
    for length in (3, 0xffff):
        yield _server(f"sak-length-{length}", "pull-2", "RFC2408-3.2-01", f"A SAK of {length} octets, it says",
                      payloads=in_sa(SAK, lambda s, size=length: setattr(s, "length", size)))
        yield _server(f"sat-length-{length}", "pull-2", "RFC2408-3.2-01", f"A SAT of {length} octets, it says",
                      payloads=in_sa(SAT, lambda s, size=length: setattr(s, "length", size)))
    yield _server("sak-reserved", "pull-2", "RFC6407-5.3-03", "RESERVED of a SAK is not zero",
                  payloads=in_sa(SAK, lambda s: setattr(s, "reserved", 1)))
    yield _server("sak-reserved2", "pull-2", "RFC6407-5.3-09", "RESERVED2 of a SAK is not zero",
                  payloads=in_sa(SAK, lambda s: setattr(s, "reserved2", b"\0\0\0\1")))
    yield _server("sat-protocol-9", "pull-2", "RFC6407-5.3.2-01", "Protocol-ID 9", payloads=in_sa(SAT, lambda s: setattr(s, "protocol_id", 9)))


def _packets():
    for count in (0, 1, 3, 65535):
        yield _server(f"key-packets-{count}", "pull-4", "RFC6407-5.6-01", f"Number of Key Packets says {count}",
                      payloads=setting(KD, count=count), also=("RFC6407-5.6-03",) if count > 2 else ())
    for name, field, value, req in (("spi-size-255", "spi_size", 255, "RFC6407-5.6-03"), ("kd-length-4", "length", 4, "RFC6407-5.6-03"),
                                    ("kd-length-65535", "length", 65535, "RFC6407-5.6-03"), ("kd-reserved", "reserved", 1, "RFC6407-5.6-02"),
                                    ("kd-type-9", "kd_type", 9, "RFC6407-5.6-04"), ("kd-foreign-spi", "spi", b"\xde\xad\xbe\xef", "RFC6407-5.6-05")):
        yield _server(name, "pull-4", req, f"A TEK packet with {field} {value!r}",
                      payloads=in_kd(n.KD_TEK, lambda p, f=field, v=value: setattr(p, f, v)))
    yield _server("no-kek", "pull-4", "RFC6407-3.2-21", "No key for the SAK", payloads=in_kd(n.KD_KEK, lambda p: []))
    yield _server("tek-twice", "pull-4", "RFC6407-5.6.1-01", "Two keys for a SAT", payloads=in_kd(n.KD_TEK, lambda p: [p, p.copy()]))
    yield _server("kek-twice", "pull-4", "RFC6407-5.6.2-03", "Two KEK packets", payloads=in_kd(n.KD_KEK, lambda p: [p, p.copy()]))
    sid = lambda spi, *found: of(KD, lambda kd: setattr(kd, "packets", [*kd.packets, KeyPacket(
        kd_type=4, spi=spi, attributes=list(found))]) or setattr(kd, "count", None))
    yield _server("sid-with-spi", "pull-4", "RFC6407-5.6.4-01", "A SID packet with an SPI", payloads=sid(bytes(4), tv(1, 16), tlv(2, b"\0\1")))
    yield _server("sid-twice", "pull-4", "RFC6054-3-02", "A sender id twice", payloads=sid(b"", tv(1, 16), tlv(2, b"\0\1"), tlv(2, b"\0\1")))
    yield _server("sid-too-long", "pull-4", "RFC6407-5.6.4.1-01", "A SID of 4000 octets for 16 bits", payloads=sid(b"", tv(1, 16), tlv(2, bytes(4000))))
    yield _server("sid-of-65535-bits", "pull-4", "RFC6407-5.6.4.1-01", "SIDs of 65535 bits", payloads=sid(b"", tv(1, 65535), tlv(2, bytes(8192))),
                  also=("RFC6407-5.6.4.4-01",))
    yield _server("sid-in-a-push", "push", "RFC6407-5.6.4.4-02", "A SID in a GROUPKEY-PUSH", payloads=sid(b"", tv(1, 16), tlv(2, b"\0\1")))


def _orders():
    yield _server("kd-before-seq", "pull-4", "RFC6407-3.2-03", "KD in front of SEQ", payloads=lambda x: x[::-1])
    yield _server("no-seq", "pull-4", "RFC6407-5.7-04", "A SAK was given, and no SEQ comes", payloads=lambda x: x[1:])
    yield _server("seq-twice", "pull-4", "RFC6407-3.2-03", "Two SEQs", payloads=lambda x: [x[0].copy(), *x])
    yield _server("seq-of-nine", "pull-4", "RFC6407-5.7-01", "A SEQ of nine octets", payloads=setting(SEQ, trailing=b"\0"))
    yield _server("no-sa", "pull-2", "RFC6407-3.2-03", "Message 2 without SA", payloads=lambda x: x[:1])
    yield _server("no-nonce", "pull-2", "RFC6407-3.2-03", "Message 2 without nonce", payloads=lambda x: x[1:])
    yield _member("no-id", "pull-1", "RFC6407-3.2-03", "Message 1 without ID", payloads=lambda x: x[:1])
    yield _member("kd-in-message-1", "pull-1", "RFC6407-3.2-03", "A KD in message 1", payloads=lambda x: [*x, KD(packets=[])])
    yield _member("two-ids", "pull-1", "RFC6407-3.2-03", "Two IDs", payloads=lambda x: [*x, x[-1].copy()])
    for size in (0, 7, 129, 4000):
        nonce = setting(isakmp.Nonce, data=bytes(size))
        yield _server(f"nonce-{size}", "pull-2", "RFC6407-5.8-01", f"A nonce of {size} octets", payloads=nonce)
        yield _member(f"member-nonce-{size}", "pull-1", "RFC6407-5.8-01", f"A nonce of {size} octets", payloads=nonce)


ENTRIES = [*_links(), *_packets(), *_orders()]
