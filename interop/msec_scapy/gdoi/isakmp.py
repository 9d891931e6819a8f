# SPDX-License-Identifier: BSD-2-Clause
"""Scapy layers of RFC 2408 and 2409: the header and the payloads that every exchange shares.

    ISAKMP(icookie=b"...", exchange=2) / SA(...) / VendorID(data=b"...")

Lengths, counters and Next Payload fields that are left at None are computed when the packet is
built. Dissection never fails on a message whose header is whole: what does not fit ends in a
`trailing` field, in a Raw or in a Padding, and the octets that were read are the octets that are
built. Judging is the business of `check`. An encrypted message dissects to header and Raw;
`opened` gives the layers of its plaintext. The payloads of GDOI are in `group`.
"""
from scapy.fields import (BitField, ByteEnumField, ByteField, ConditionalField, FieldLenField, FlagsField,
                          IntEnumField, IntField, PacketListField, ShortEnumField, ShortField, StrField,
                          StrFixedLenField, StrLenField, XByteField, XIntField, XShortField, XStrField,
                          XStrFixedLenField, XStrLenField)
from scapy.layers.inet import UDP
from scapy.packet import Packet, Padding, Raw, bind_bottom_up, bind_layers

from . import numbers as n

GENERIC_LEN, HEADER_LEN = 4, 28


class Exact(Packet):
    """A structure inside a payload: what follows it belongs to somebody else."""

    def extract_padding(self, s):
        return b"", s


class Attribute(Exact):
    """RFC 2408 3.3. A Basic one has a `value`, a Variable one has `data`."""
    name = "Attribute"
    fields_desc = [
        BitField("basic", 1, 1), BitField("type", 0, 15),
        ConditionalField(ShortField("value", 0), lambda p: p.basic),
        ConditionalField(FieldLenField("length", None, length_of="data", fmt="H"), lambda p: not p.basic),
        ConditionalField(XStrLenField("data", b"", length_from=lambda p: p.length), lambda p: not p.basic),
    ]

    def number(self):
        return self.value if self.basic else int.from_bytes(self.data, "big")


def tv(kind, value):
    return Attribute(basic=1, type=kind, value=value)


def tlv(kind, data):
    return Attribute(basic=0, type=kind, data=data)


def duration(kind, seconds):
    """A number that is Basic if it fits."""
    return tv(kind, seconds) if seconds < 1 << 16 else tlv(kind, seconds.to_bytes(4, "big"))


def attributes(name="attributes", room=None):
    return PacketListField(name, [], Attribute, length_from=room) if room else PacketListField(name, [], Attribute)


# ---------------------------------------------------------------- 3.1 header

class ISAKMP(Packet):
    """Length covers header and payloads, padding of the ciphertext included."""
    name = "ISAKMP"
    fields_desc = [
        XStrFixedLenField("icookie", bytes(8), 8), XStrFixedLenField("rcookie", bytes(8), 8),
        ByteEnumField("next_payload", None, n.PAYLOAD), XByteField("version", 0x10),
        ByteEnumField("exchange", n.X_MAIN, n.EXCHANGE), FlagsField("flags", 0, 8, "ECA....."),
        XIntField("message_id", 0), IntField("length", None),
    ]

    def post_build(self, p, pay):
        if self.next_payload is None:
            p = p[:16] + bytes([type_of(self.payload)]) + p[17:]
        if self.length is None:
            p = p[:24] + (len(p) + len(pay)).to_bytes(4, "big")
        return p + pay

    def extract_padding(self, s):
        if self.length is None:
            return s, None
        room = max(0, self.length - HEADER_LEN)
        return s[:room], s[room:] or None

    def guess_payload_class(self, payload):
        return Raw if self.flags & n.F_ENCRYPTED else class_of(self.next_payload, self)

    def payloads(self):
        return list(chain(self.payload))

    def find(self, cls):
        return next((p for p in self.payloads() if isinstance(p, cls)), None)

    def mysummary(self):
        inside = " ".join(p.brief() for p in self.payloads())
        return f"ISAKMP {n.EXCHANGE.name(self.exchange)} {self.icookie.hex()} [{inside or '*'}]"


def chain(layer):
    """The payloads from a layer on."""
    while isinstance(layer, Payload):
        yield layer
        layer = layer.payload


def opened(header, plaintext):
    """The layers of a message whose payloads have been decrypted; padding ends up in a Padding."""
    clear = header.copy()
    clear.remove_payload()
    octets = bytearray(bytes(clear)[:HEADER_LEN])
    octets[19] &= ~n.F_ENCRYPTED
    octets[24:28] = (HEADER_LEN + len(plaintext)).to_bytes(4, "big")
    return ISAKMP(bytes(octets) + plaintext)


# ------------------------------------------------------- 3.2 generic header

def generic():
    return [ByteEnumField("next_payload", None, n.PAYLOAD), XByteField("reserved", 0), ShortField("length", None)]


class Payload(Packet):
    """A payload of a chain; subclasses set payload_type and the exchanges they belong to (None: all)."""
    payload_type, exchanges = 0, None

    def do_dissect(self, s):
        # The payload ends where its length says, so that a lie inside it stays inside it.
        end = max(GENERIC_LEN, min(int.from_bytes(s[2:4], "big"), len(s)))
        Packet.do_dissect(self, s[:end])
        for f in self.fields_desc:  # what did not come is empty, not the default
            if isinstance(f, StrField) and f.name not in self.fields:
                self.fields[f.name] = b""
        return s[end:]

    def post_build(self, p, pay):
        if self.next_payload is None:
            p = bytes([type_of(self.payload)]) + p[1:]
        if self.length is None:
            p = p[:2] + min(len(p), 0xFFFF).to_bytes(2, "big") + p[4:]
        return p + pay

    def guess_payload_class(self, payload):
        return class_of(self.next_payload, self.header())

    def extract_padding(self, s):
        return s, None

    def header(self):
        layer = self.underlayer
        while layer is not None and not isinstance(layer, ISAKMP):
            layer = layer.underlayer
        return layer

    def body(self):
        """What is hashed as NAME_b: all but the generic header."""
        alone = self.copy()
        alone.remove_payload()
        return bytes(alone)[GENERIC_LEN:]

    def brief(self):
        return self.name

    def mysummary(self):
        return self.brief()


class UnknownPayload(Payload):
    name = "Unknown"
    fields_desc = generic() + [XStrField("data", b"")]


# ------------------------------------------------------ SA of phase 1, 3.4 - 3.6

class Link(Exact):
    """A Proposal, a Transform or an SA attribute payload: a chain inside an SA."""

    def do_dissect(self, s):
        end = max(GENERIC_LEN, min(int.from_bytes(s[2:4], "big"), len(s)))
        Packet.do_dissect(self, s[:end])
        for f in self.fields_desc:
            if isinstance(f, StrField) and f.name not in self.fields:
                self.fields[f.name] = b""
        return s[end:]

    def post_build(self, p, pay):
        if self.length is None:
            p = p[:2] + min(len(p), 0xFFFF).to_bytes(2, "big") + p[4:]
        return p + pay


def linked(parts, of=lambda p: p.payload_type):
    """The parts with the Next Payload of each that has none of its own."""
    out = []
    for part, follower in zip(parts, [*parts[1:], None]):
        if part.next_payload is None:
            part = part.copy()
            part.next_payload = 0 if follower is None else of(follower)
        out.append(part)
    return out


class Transform(Link):
    name = "Transform"
    payload_type = n.P_T
    fields_desc = generic() + [ByteField("number", 1), ByteField("id", n.KEY_IKE), XShortField("reserved2", 0),
                               attributes()]

    def value(self, kind):
        return next((a.number() for a in self.attributes if a.type == kind), None)


class _Chained(Packet):
    """Fills the Next Payload fields of the list that it ends with."""
    parts = ""

    def self_build(self, *args, **kw):
        value = getattr(self, self.parts)
        if self.raw_packet_cache is None and value:
            self.setfieldval(self.parts, linked(value))
        return super().self_build(*args, **kw)


class Proposal(_Chained, Link):
    name = "Proposal"
    payload_type, parts = n.P_P, "transforms"
    fields_desc = generic() + [
        ByteField("number", 1), ByteField("protocol", n.PROTO_ISAKMP),
        FieldLenField("spi_size", None, length_of="spi", fmt="B"),
        FieldLenField("count", None, count_of="transforms", fmt="B"),
        XStrLenField("spi", b"", length_from=lambda p: p.spi_size),
        PacketListField("transforms", [], Transform),
    ]


class SA(_Chained, Payload):
    """The SA payload of phase 1."""
    name = "SA"
    payload_type, exchanges, parts = n.P_SA, (n.X_MAIN, n.X_AGGRESSIVE, None), "proposals"
    fields_desc = generic() + [IntField("doi", n.DOI_GDOI), XIntField("situation", 0),
                               PacketListField("proposals", [], Proposal)]


# --------------------------------------------------------------- 3.7 - 3.16

class KeyExchange(Payload):
    name = "KE"
    payload_type = n.P_KE
    fields_desc = generic() + [XStrField("data", b"")]


class Identification(Payload):
    """RFC 2407 4.6.2. For GDOI protocol and port are the DOI-Specific ID Data, which is zero."""
    name = "ID"
    payload_type = n.P_ID
    fields_desc = generic() + [ByteEnumField("id_type", n.ID_IPV4, n.ID_TYPE), ByteField("protocol", 0),
                               ShortField("port", 0), XStrField("data", b"")]

    def brief(self):
        return f"ID({n.ID_TYPE.name(self.id_type)} {self.data.hex()})"


class Certificate(Payload):
    name = "CERT"
    payload_type = n.P_CERT
    fields_desc = generic() + [ByteEnumField("encoding", n.CERT_X509, n.CERT), XStrField("data", b"")]


class CertificateRequest(Payload):
    name = "CR"
    payload_type = n.P_CR
    fields_desc = generic() + [ByteEnumField("encoding", n.CERT_X509, n.CERT), XStrField("authority", b"")]


class Hash(Payload):
    name = "HASH"
    payload_type = n.P_HASH
    fields_desc = generic() + [XStrField("data", b"")]


class Signature(Payload):
    name = "SIG"
    payload_type = n.P_SIG
    fields_desc = generic() + [XStrField("data", b"")]


class Nonce(Payload):
    name = "NONCE"
    payload_type = n.P_NONCE
    fields_desc = generic() + [XStrField("data", b"")]


class Notification(Payload):
    name = "N"
    payload_type = n.P_N
    fields_desc = generic() + [
        IntField("doi", n.DOI_GDOI), ByteField("protocol", n.PROTO_ISAKMP),
        FieldLenField("spi_size", None, length_of="spi", fmt="B"), ShortEnumField("notify", 0, n.NOTIFY),
        XStrLenField("spi", b"", length_from=lambda p: p.spi_size), XStrField("data", b""),
    ]

    def brief(self):
        return f"N({n.NOTIFY.name(self.notify)})"


def _cut(data, size, count):
    return [data[i * size:(i + 1) * size] for i in range(count)] if size else []


class Delete(Payload):
    """`spis` holds them one behind the other; `each` gives them one by one."""
    name = "D"
    payload_type = n.P_D
    fields_desc = generic() + [
        IntField("doi", n.DOI_GDOI), ByteField("protocol", n.PROTO_ISAKMP), ByteField("spi_size", 4),
        ShortField("count", None), XStrField("spis", b""),
    ]

    def post_build(self, p, pay):
        if self.count is None:
            count = len(self.spis) // self.spi_size if self.spi_size else 0
            p = p[:10] + count.to_bytes(2, "big") + p[12:]
        return Payload.post_build(self, p, pay)

    def each(self):
        return _cut(self.spis, self.spi_size, self.count)


class VendorID(Payload):
    name = "VID"
    payload_type = n.P_VID
    fields_desc = generic() + [XStrField("data", b"")]


class NatD(Payload):
    """RFC 3947 3.2."""
    name = "NAT-D"
    payload_type = n.P_NATD
    fields_desc = generic() + [XStrField("data", b"")]


# ----------------------------------------------------------------- the registry

_CLASSES = [SA, KeyExchange, Identification, Certificate, CertificateRequest, Hash, Signature, Nonce,
            Notification, Delete, VendorID, NatD]


def register(*classes):
    _CLASSES.extend(classes)


def class_of(number, header=None):
    exchange = None if header is None else header.exchange
    if not number:
        return Padding
    for cls in _CLASSES:
        if cls.payload_type == number and (cls.exchanges is None or exchange in cls.exchanges):
            return cls
    return UnknownPayload


def type_of(layer):
    return layer.payload_type if isinstance(layer, Payload) else 0


def stacked(*payloads):
    """Payloads one on the other; None are left out."""
    out = None
    for p in payloads:
        if p is not None:
            out = p if out is None else out / p
    return out


def octets_of(*payloads):
    """The octets of a chain of payloads without an ISAKMP header."""
    layers = stacked(*payloads)
    return b"" if layers is None else bytes(layers)


for _port in (n.PORT, 500):
    bind_bottom_up(UDP, ISAKMP, dport=_port)
    bind_bottom_up(UDP, ISAKMP, sport=_port)
bind_layers(UDP, ISAKMP, sport=n.PORT, dport=n.PORT)

__all__ = ["Attribute", "Certificate", "CertificateRequest", "Delete", "Exact", "Hash", "ISAKMP",
           "Identification", "IntEnumField", "KeyExchange", "Link", "NatD", "Nonce", "Notification", "Payload",
           "Proposal", "SA", "Signature", "StrFixedLenField", "StrLenField", "Transform", "UnknownPayload",
           "VendorID"]
