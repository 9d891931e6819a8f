# SPDX-License-Identifier: BSD-2-Clause
"""Scapy layers of RFC 6407 section 5, RFC 8052 and RFC 8263: SA, SAK, GAP, SAT, KD, SEQ, ID_OID.

The layers hold what is on the wire; what a dialect does to a number (octet order of an address, of
a group identifier, of a SID) is done by `values`. Where a dialect moves fields (`id_prot_octet`,
`sak_reserved`, `iec_attr_filler`) they follow the one in force (`dialect.use`).
"""
from scapy.fields import (ByteEnumField, ByteField, ConditionalField, FieldLenField, IntField, PacketListField,
                          ShortEnumField, ShortField, StrField, XByteField, XIntField, XShortField, XStrField,
                          XStrFixedLenField, XStrLenField)
from scapy.packet import Packet, Raw

from . import dialect as dialects
from . import numbers as n
from .isakmp import GENERIC_LEN, Exact, Link, Payload, _Chained, attributes, generic, register


def _text_form(_pkt):
    return dialects.current().id_prot_octet == "text"


def _endpoints():
    """The common part of SAK (5.3) and of the SAT of ESP and AH (5.5.1)."""
    return [
        ByteField("protocol", 0), ByteEnumField("src_type", n.ID_IPV4, n.ID_TYPE), ShortField("src_port", 0),
        FieldLenField("src_len", None, length_of="src", fmt="B"),
        XStrLenField("src", b"", length_from=lambda p: p.src_len),
        ByteEnumField("dst_type", n.ID_IPV4, n.ID_TYPE),
        ConditionalField(ByteField("dst_protocol", 0), _text_form),
        ShortField("dst_port", 0), FieldLenField("dst_len", None, length_of="dst", fmt="B"),
        XStrLenField("dst", b"", length_from=lambda p: p.dst_len),
    ]


def _find(layer, kind):
    return next((a.number() for a in layer.attributes if a.type == kind), None)


class SAK(Link):
    name = "SAK"
    payload_type = n.P_SAK
    fields_desc = generic() + _endpoints() + [
        XStrFixedLenField("spi", bytes(16), 16),
        XStrLenField("reserved2", b"", length_from=lambda p: int(dialects.current().sak_reserved)),
        attributes(),
    ]

    def self_build(self, *args, **kw):
        if "reserved2" not in self.fields and self.raw_packet_cache is None:
            self.reserved2 = bytes(int(dialects.current().sak_reserved))
        return Link.self_build(self, *args, **kw)

    value = _find


class GAPAttributes(Link):
    """A GAP inside an SA; the one of message 3 is GAP."""
    name = "GAP"
    payload_type = n.P_GAP
    fields_desc = generic() + [attributes()]
    value = _find


class IpsecTek(Exact):
    """5.5.1."""
    name = "ESP/AH-TEK"
    fields_desc = _endpoints() + [ByteField("transform", 12), XStrFixedLenField("spi", bytes(4), 4), attributes()]
    value = _find


class IecTek(Exact):
    """RFC 8052 2.2."""
    name = "IEC-61850-TEK"
    fields_desc = [
        FieldLenField("oid_len", None, length_of="oid", fmt="B"),
        XStrLenField("oid", b"", length_from=lambda p: p.oid_len),
        FieldLenField("specific_len", None, length_of="specific", fmt="H"),
        XStrLenField("specific", b"", length_from=lambda p: p.specific_len),
        XStrFixedLenField("spi", bytes(4), 4), ShortField("auth", 2), ShortField("enc", 1),
        IntField("lifetime", 0), attributes(),
    ]
    value = _find


class _TekField(StrField):
    """Protocol-specific part of a SAT, to the end of the payload."""

    def i2m(self, pkt, x):
        return bytes(x)

    def m2i(self, pkt, x):
        return x

    def getfield(self, pkt, s):
        cls = {n.T_ESP: IpsecTek, n.T_AH: IpsecTek, n.T_IEC: IecTek}.get(pkt.protocol_id, Raw)
        return b"", cls(s) if s else Raw(b"")

    def addfield(self, pkt, s, val):
        return s + bytes(val)


class SAT(Link):
    name = "SAT"
    payload_type = n.P_SAT
    fields_desc = generic() + [ByteEnumField("protocol_id", n.T_ESP, n.PROTO), _TekField("tek", Raw(b""))]


_ATTRIBUTE_PAYLOADS = {n.P_SAK: SAK, n.P_GAP: GAPAttributes, n.P_SAT: SAT}


class UnknownLink(Link):
    name = "Unknown"
    fields_desc = generic() + [XStrField("data", b"")]


class Filler(Exact):
    """The four octets that figure 8 of RFC 8052 draws between two SATs."""
    name = "Filler"
    fields_desc = [ShortField("np", n.P_SAT), XShortField("reserved", 0)]
    next_payload, payload_type = n.P_SAT, n.P_SAT


def _filled():
    return dialects.current().iec_attr_filler == "np"


def _next_link(pkt, done, cur, remain):
    """The class of the next SA attribute payload, by the Next Payload in front of it."""
    if not remain:
        return None
    if cur is None:
        number = pkt.attribute_np
    elif isinstance(cur, Filler):
        number = cur.np
    else:
        number = cur.next_payload
        if _filled() and number == n.P_SAT and isinstance(cur, SAT):
            return Filler
    if not number:
        return Raw
    return _ATTRIBUTE_PAYLOADS.get(number, UnknownLink)


class GdoiSA(_Chained, Payload):
    """5.2: Length covers the SA attribute payloads."""
    name = "SA"
    payload_type, exchanges, parts = n.P_SA, (n.X_PULL, n.X_PUSH), "attributes"
    fields_desc = generic() + [
        IntField("doi", n.DOI_GDOI), XIntField("situation", 0), ShortEnumField("attribute_np", None, n.PAYLOAD),
        XShortField("reserved2", 0), PacketListField("attributes", [], next_cls_cb=_next_link),
    ]

    def self_build(self, *args, **kw):
        if self.raw_packet_cache is None:
            if self.attribute_np is None:
                self.attribute_np = self.attributes[0].payload_type if self.attributes else 0
            if _filled():
                self.attributes = _with_fillers(self.attributes)
        return _Chained.self_build(self, *args, **kw)

    def sak(self):
        return next((a for a in self.attributes if isinstance(a, SAK)), None)

    def gap(self):
        return next((a for a in self.attributes if isinstance(a, GAPAttributes)), None)

    def sats(self):
        return [a for a in self.attributes if isinstance(a, SAT)]

    def brief(self):
        return "SA(" + " ".join(a.name for a in self.attributes) + ")"


def _with_fillers(links):
    out = []
    for link in links:
        if isinstance(link, Filler):
            continue
        if out and isinstance(out[-1], SAT) and isinstance(link, SAT):
            out.append(Filler())
        out.append(link)
    return out


class GAP(Payload):
    """5.4, as the member sends it in message 3."""
    name = "GAP"
    payload_type = n.P_GAP
    fields_desc = generic() + [attributes()]
    value = _find


class KeyPacket(Exact):
    """Figure 10."""
    name = "Key-Packet"
    fields_desc = [
        ByteEnumField("kd_type", n.KD_TEK, n.KD_TYPE), XByteField("reserved", 0), ShortField("length", None),
        FieldLenField("spi_size", None, length_of="spi", fmt="B"),
        XStrLenField("spi", b"", length_from=lambda p: p.spi_size), attributes(),
    ]

    def do_dissect(self, s):
        end = max(GENERIC_LEN, min(int.from_bytes(s[2:4], "big"), len(s)))
        Packet.do_dissect(self, s[:end])
        return s[end:]

    def post_build(self, p, pay):
        if self.length is None:
            p = p[:2] + min(len(p), 0xFFFF).to_bytes(2, "big") + p[4:]
        return p + pay

    def data(self, kind):
        return [a.data for a in self.attributes if a.type == kind]


class KD(Payload):
    """5.6."""
    name = "KD"
    payload_type = n.P_KD
    fields_desc = generic() + [
        FieldLenField("count", None, count_of="packets", fmt="H"), XShortField("reserved2", 0),
        PacketListField("packets", [], KeyPacket, count_from=lambda p: p.count), XStrField("trailing", b""),
    ]

    def brief(self):
        return "KD(" + " ".join(n.KD_TYPE.name(p.kd_type) for p in self.packets) + ")"


class SEQ(Payload):
    """5.7."""
    name = "SEQ"
    payload_type = n.P_SEQ
    fields_desc = generic() + [IntField("sequence", 0), XStrField("trailing", b"")]

    def brief(self):
        return f"SEQ({self.sequence})"


# --------------------------------------------------------------------- LKH, 5.6.3

class LKHKey(Exact):
    """Figure 12. Key Data is as long as its Key Type wants, or what is left over their number."""
    name = "LKH-Key"
    __slots__ = ["_room"]
    fields_desc = [
        ShortField("lkh_id", 0), ByteEnumField("key_type", 3, n.KEK), XByteField("reserved", 0),
        IntField("created", 0), IntField("expires", 0), IntField("handle", 0),
        XStrLenField("data", b"", length_from=lambda p: p._room),
    ]

    def __init__(self, *args, room=0, **kw):
        self._room = room
        super().__init__(*args, **kw)

    def copy(self):
        clone = super().copy()
        clone._room = self._room
        return clone


def _lkh_key(data, _parent=None, **kw):
    return LKHKey(data, room=_parent.key_room(), _parent=_parent, **kw)


class _LKHArray(Packet):
    __slots__ = ["_size"]
    head = 0

    def do_dissect(self, s):
        self._size = len(s)
        return Packet.do_dissect(self, s)

    def key_room(self):
        """All keys of an array have one cipher, and so one size."""
        return max(0, (self._size - self.head) // self.count - 16) if self.count else 0

    def extract_padding(self, s):
        return b"", s


class LKHDownload(_LKHArray):
    """Figure 11."""
    name = "LKH-Download-Array"
    head = 4
    fields_desc = [
        ByteField("version", 1), FieldLenField("count", None, count_of="keys", fmt="H"), XByteField("reserved", 0),
        PacketListField("keys", [], _lkh_key, count_from=lambda p: p.count), XStrField("trailing", b""),
    ]


class LKHUpdate(_LKHArray):
    """Figure 13."""
    name = "LKH-Update-Array"
    head = 12
    fields_desc = [
        ByteField("version", 1), FieldLenField("count", None, count_of="keys", fmt="H"), XByteField("reserved", 0),
        ShortField("lkh_id", 0), XShortField("reserved2", 0), IntField("handle", 0),
        PacketListField("keys", [], _lkh_key, count_from=lambda p: p.count), XStrField("trailing", b""),
    ]


# ------------------------------------------------------------------ ID_OID, RFC 8052 2.1

class OID(Packet):
    """The Identification Data of an ID_OID."""
    name = "ID_OID-Data"
    fields_desc = [
        FieldLenField("oid_len", None, length_of="oid", fmt="B"),
        XStrLenField("oid", b"", length_from=lambda p: p.oid_len),
        FieldLenField("specific_len", None, length_of="specific", fmt="H"),
        XStrLenField("specific", b"", length_from=lambda p: p.specific_len), XStrField("trailing", b""),
    ]


register(GdoiSA, GAP, KD, SEQ)
