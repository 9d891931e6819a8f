# SPDX-License-Identifier: BSD-2-Clause
"""Scapy layers of RFC 4535 section 7: the header and every payload.

    GSAKMP(group_id=b"...", exchange=8) / KeyCreation(...) / Nonce(...) / Signature(...)

Lengths, counters and Next Payload fields that are left at None are computed
when the packet is built. Dissection never fails on a message whose header is
whole: what does not fit its structure ends in a `trailing` field, in a Raw or
in a Padding, and the octets that were read are the octets that are built.
Judging a message (and naming the rule that it breaks) is the business of
`message.check`, not of the layers.

Encrypted parts stay octets here. `KeyDownloadData`, `RekeyEventData.inner` and
the policy token are decoded by `protect` once they are decrypted.
"""
from scapy.fields import (ByteEnumField, ByteField, ConditionalField, FieldLenField, IntField,
                          MultipleTypeField, PacketLenField, PacketListField, ShortEnumField,
                          ShortField, StrField, StrFixedLenField, StrLenField, XByteField,
                          XIntField)
from scapy.layers.inet import TCP, UDP
from scapy.packet import Packet, Padding, Raw, bind_bottom_up, bind_layers

from . import dialect as dialects
from . import registry as reg

GENERIC_LEN = 4
DATE_LEN = 15
CTR_KEY_LEN = {name: int(name) for name in dialects.Dialect.choices()["aes_ctr_key"]}
KEY_LEN = {reg.K_3DES: 24, reg.K_AES_CBC: 16, reg.K_AES_CBC_256: 32, reg.K_GCM_128: 16,
           reg.K_GCM_256: 32}


def key_len(key_type):
    """Octets of key material of a Key Type, or None if the type is unknown."""
    if key_type == reg.K_AES_CTR:
        return CTR_KEY_LEN[dialects.current().dialect.aes_ctr_key]
    return KEY_LEN.get(key_type)


class _Exact(Packet):
    """A structure inside a payload: what follows it belongs to somebody else."""

    def extract_padding(self, s):
        return b"", s


# ---------------------------------------------------------------- 7.1 header

class GSAKMP(Packet):
    """7.1.1. Length covers header and payloads."""
    name = "GSAKMP"
    fields_desc = [
        ByteEnumField("group_id_type", 2, reg.GROUP_ID.all()),
        FieldLenField("group_id_len", None, length_of="group_id", fmt="B"),
        StrLenField("group_id", b"", length_from=lambda p: p.group_id_len),
        ByteEnumField("next_payload", None, reg.PAYLOAD.all()),
        ByteField("version", 1),
        ByteEnumField("exchange", 8, reg.EXCHANGE.all()),
        XIntField("sequence", 0),
        IntField("length", None),
    ]

    def header_len(self):
        return 13 + len(self.group_id)

    def post_build(self, p, pay):
        gid_end = 2 + len(self.group_id)
        if self.next_payload is None:
            p = p[:gid_end] + bytes([_type_of(self.payload)]) + p[gid_end + 1:]
        if self.length is None:
            p = p[:gid_end + 7] + (len(p) + len(pay)).to_bytes(4, "big") + p[gid_end + 11:]
        return p + pay

    def extract_padding(self, s):
        if self.length is None:
            return s, None
        room = max(0, self.length - self.header_len())
        return s[:room], s[room:] or None

    def guess_payload_class(self, payload):
        if self.version > 1 and _is_embedded(self, payload):
            return GSAKMP
        return _class_of(self.next_payload)

    def payloads(self):
        """The payloads of the chain, in order; an embedded version 1 message is not one."""
        layer = self.payload
        while isinstance(layer, _Payload):
            yield layer
            layer = layer.payload

    def find(self, cls, **want):
        """The first payload of a class whose fields have the wanted values, or None."""
        for p in self.payloads():
            if isinstance(p, cls) and all(getattr(p, k) == v for k, v in want.items()):
                return p
        return None

    def embedded(self):
        return self.payload if isinstance(self.payload, GSAKMP) else None

    def mysummary(self):
        chain = " ".join(p.brief() for p in self.payloads())
        return (f"GSAKMP {reg.EXCHANGE.name(self.exchange)} group {self.group_id.hex()}"
                f" seq {self.sequence:#x} [{chain}]")

    @classmethod
    def tcp_reassemble(cls, data, _metadata, _session=None):
        """For scapy's TCPSession: one message as soon as it is whole."""
        need = message_len(data)
        if need is None or len(data) < need:
            return None
        return cls(data)


def message_len(data):
    """Octets of the message that starts `data`, or None while the header is not whole."""
    if len(data) < 2 or len(data) < 13 + data[1]:
        return None
    gid_end = 2 + data[1]
    return int.from_bytes(data[gid_end + 7:gid_end + 11], "big")


def _is_embedded(outer, payload):
    """7.1.2: the same GroupID again, as a version 1 header."""
    gid = bytes([outer.group_id_type, len(outer.group_id)]) + outer.group_id
    return (payload.startswith(gid) and len(payload) >= 11 + len(gid)
            and payload[len(gid) + 1] == reg.VERSION)


# --------------------------------------------------------- 7.2 generic header

def _generic():
    return [ByteEnumField("next_payload", None, reg.PAYLOAD.all()), XByteField("reserved", 0),
            ShortField("length", None)]


class _Payload(Packet):
    """A payload of the chain; subclasses set payload_type."""
    payload_type = 0

    def do_dissect(self, s):
        # The payload ends where its length says, so that a lie inside it stays inside it.
        end = max(GENERIC_LEN, min(int.from_bytes(s[2:4], "big"), len(s)))
        Packet.do_dissect(self, s[:end])
        for f in self.fields_desc:  # what did not come is empty, not the default
            if isinstance(f, (StrField, MultipleTypeField)) and f.name not in self.fields:
                self.fields[f.name] = b""
        return s[end:]

    def post_build(self, p, pay):
        if self.next_payload is None:
            p = bytes([_type_of(self.payload)]) + p[1:]
        if self.length is None:
            p = p[:2] + min(len(p), 0xFFFF).to_bytes(2, "big") + p[4:]
        return p + pay

    def guess_payload_class(self, payload):
        return _class_of(self.next_payload)

    def header(self):
        layer = self.underlayer
        while layer is not None and not isinstance(layer, GSAKMP):
            layer = layer.underlayer
        return layer

    def brief(self):
        return self.name

    def mysummary(self):
        return self.brief()


class UnknownPayload(_Payload):
    name = "Unknown-Payload"
    fields_desc = _generic() + [StrField("data", b"")]


class PolicyToken(_Payload):
    """7.3.1. `data` is the CMS object or, encrypted, its ciphertext."""
    name = "Policy-Token"
    payload_type = reg.P_TOKEN
    fields_desc = _generic() + [ShortEnumField("token_type", 1, reg.TOKEN_TYPE.all()),
                                StrField("data", b"")]


class KeyDownload(_Payload):
    """7.4.1. Everything after the generic header is encrypted; see KeyDownloadData."""
    name = "Key-Download"
    payload_type = reg.P_KEYDL
    fields_desc = _generic() + [StrField("data", b"")]


# ------------------------------------------------------ 7.4.1 key information

class KeyDatum(_Exact):
    """7.4.1.1."""
    name = "Key-Datum"
    __slots__ = ["_available"]
    fields_desc = [
        ShortEnumField("key_type", reg.K_AES_CBC, reg.KEY_TYPE.all()),
        StrFixedLenField("key_id", bytes(4), 4),
        StrFixedLenField("handle", bytes(4), 4),
        StrFixedLenField("created", b"19700101000000Z", DATE_LEN),
        StrFixedLenField("expires", b"99991231235959Z", DATE_LEN),
        StrLenField("key", b"", length_from=lambda p: p.key_room()),
    ]

    def do_dissect(self, s):
        self._available = len(s)
        return Packet.do_dissect(self, s)

    def key_room(self):
        size = key_len(self.key_type)
        return self._available if size is None else size

    def mysummary(self):
        return f"key {self.key_id.hex()}/{self.handle.hex()}"


class RekeyArray(_Exact):
    """7.4.1.2."""
    name = "Rekey-Array"
    fields_desc = [
        ByteField("rekey_version", 1),
        StrFixedLenField("member_id", bytes(4), 4),
        FieldLenField("count", None, count_of="keys", fmt="H"),
        PacketListField("keys", [], KeyDatum, count_from=lambda p: p.count),
    ]


def _kdd_body(data, _parent=None, **kw):
    kind = getattr(_parent, "item_type", None)
    cls = {reg.KDD_GTPK: KeyDatum, reg.KDD_LKH: RekeyArray}.get(kind, Raw)
    return cls(data, _parent=_parent, **kw) if data else Raw(b"")


class KeyDownloadItem(_Exact):
    """Figure 11."""
    name = "Key-Download-Item"
    fields_desc = [
        ByteEnumField("item_type", 0, reg.KDD_ITEM.all()),
        FieldLenField("length", None, length_of="body", fmt="H"),
        PacketLenField("body", KeyDatum(), _kdd_body, length_from=lambda p: p.length),
    ]


class KeyDownloadData(Packet):
    """The plaintext of a Key Download payload."""
    name = "Key-Download-Data"
    fields_desc = [
        FieldLenField("count", None, count_of="items", fmt="H"),
        PacketListField("items", [], KeyDownloadItem, count_from=lambda p: p.count),
        StrField("trailing", b""),
    ]


# ---------------------------------------------------------- 7.5 rekey event

def _package_body(data, _parent=None, **kw):
    array = dialects.current().dialect.keypkg_lkh_body == "array"
    cls = {reg.KDD_GTPK: KeyDatum, reg.KDD_LKH: RekeyArray if array else KeyDatum}.get(
        getattr(_parent, "package_type", None), Raw)
    return cls(data, _parent=_parent, **kw) if data else Raw(b"")


class KeyPackage(_Exact):
    """7.5.1.2.1."""
    name = "Key-Package"
    fields_desc = [
        ByteEnumField("package_type", 0, reg.KDD_ITEM.all()),
        FieldLenField("length", None, length_of="body", fmt="H"),
        PacketLenField("body", KeyDatum(), _package_body, length_from=lambda p: p.length),
    ]


class RekeyPackages(Packet):
    """The plaintext of a Rekey Event Data: what its wrapping key protects."""
    name = "Rekey-Packages"
    fields_desc = [
        FieldLenField("count", None, count_of="packages", fmt="H"),
        PacketListField("packages", [], KeyPackage, count_from=lambda p: p.count),
        StrField("trailing", b""),
    ]


def _wrap_width():
    return int(dialects.current().dialect.wrap_width)


class RekeyEventData(_Exact):
    """7.5.1.2. `data` is what follows Wrapping Key Handle, as transmitted."""
    name = "Rekey-Event-Data"
    fields_desc = [
        ShortField("packet_len", None),
        StrLenField("wrap_id", bytes(4), length_from=lambda p: _wrap_width()),
        StrFixedLenField("wrap_handle", bytes(4), 4),
        StrLenField("data", b"", length_from=lambda p: p.data_len()),
    ]

    def data_len(self):
        from .protect import wire_len_of_packet_len
        return wire_len_of_packet_len(self.packet_len)

    def post_build(self, p, pay):
        if self.packet_len is None:
            from .protect import packet_len_of_wire_len
            p = packet_len_of_wire_len(len(self.data)).to_bytes(2, "big") + p[2:]
        return p + pay


class RekeyEvent(_Payload):
    """7.5.1 and 7.5.1.1. `group_id` is as long as the GroupID of the header."""
    name = "Rekey-Event"
    payload_type = reg.P_REKEY
    fields_desc = _generic() + [
        ByteEnumField("event_type", 1, reg.REKEY_TYPE.all()),
        ConditionalField(ByteField("group_id_type", 2), lambda p: _reh_tlv()),
        ConditionalField(FieldLenField("group_id_len", None, length_of="group_id", fmt="B"),
                         lambda p: _reh_tlv()),
        StrLenField("group_id", b"", length_from=lambda p: p.group_id_room()),
        StrFixedLenField("timestamp", b"19700101000000Z", DATE_LEN),
        ByteEnumField("rekey_type", 1, reg.REKEY_TYPE.all()),
        ByteField("alg_version", 1),
        FieldLenField("count", None, count_of="datas", fmt="H"),
        PacketListField("datas", [], RekeyEventData, count_from=lambda p: p.count),
        StrField("trailing", b""),
    ]

    def group_id_room(self):
        if _reh_tlv():
            return self.group_id_len or 0
        header = self.header()
        return 0 if header is None else len(header.group_id)

    def brief(self):
        return f"{self.name}({reg.REKEY_TYPE.name(self.event_type)} x{len(self.datas)})"


def _reh_tlv():
    return dialects.current().dialect.reh_groupid == "tlv"


# -------------------------------------------------------- 7.6 identification

class UName(Packet):
    """7.6.1.1."""
    name = "ID-U-NAME"
    fields_desc = [
        StrFixedLenField("serial", bytes(19) + b"\x01", 20),
        FieldLenField("length", None, length_of="dn", fmt="I"),
        StrLenField("dn", b"", length_from=lambda p: p.length),
        StrField("trailing", b""),
    ]


def _rest_of(pkt, fixed):
    return max(0, (pkt.length or 0) - fixed)


def _u_name(data, **kw):
    return UName(data, **kw) if len(data) >= 24 else Raw(data)  # what is too short is no name, and is refused as that


class Identification(_Payload):
    """7.6.1."""
    name = "Identification"
    payload_type = reg.P_ID
    fields_desc = _generic() + [
        ByteEnumField("id_class", 1, reg.ID_CLASS.all()),
        ByteEnumField("id_type", reg.ID_DN, reg.ID_TYPE.all()),
        MultipleTypeField(
            [(PacketLenField("data", UName(), _u_name, length_from=lambda p: _rest_of(p, 6)),
              lambda p: p.id_type == reg.ID_U_NAME)],
            StrLenField("data", b"", length_from=lambda p: _rest_of(p, 6))),
        StrField("trailing", b""),
    ]

    def brief(self):
        return f"{self.name}({reg.ID_CLASS.name(self.id_class)} {bytes(self.data)!r})"


class Certificate(_Payload):
    """7.7.1."""
    name = "Certificate"
    payload_type = reg.P_CERT
    fields_desc = _generic() + [ShortEnumField("cert_type", 4, reg.CERT_TYPE.all()),
                                StrField("data", b"")]


class Signature(_Payload):
    """7.8.1."""
    name = "Signature"
    payload_type = reg.P_SIG
    fields_desc = _generic() + [
        ShortEnumField("sig_type", 0, reg.SIG_TYPE.all()),
        ByteEnumField("id_type", reg.ID_DN, reg.ID_TYPE.all()),
        StrFixedLenField("timestamp", b"19700101000000Z", DATE_LEN),
        FieldLenField("signer_id_len", None, length_of="signer_id", fmt="H"),
        StrLenField("signer_id", b"", length_from=lambda p: p.signer_id_len),
        FieldLenField("sig_len", None, length_of="signature", fmt="H"),
        StrLenField("signature", b"", length_from=lambda p: p.sig_len),
        StrField("trailing", b""),
    ]

    def brief(self):
        return f"{self.name}({reg.SIG_TYPE.name(self.sig_type)} {self.signer_id!r})"


# ---------------------------------------------------------- 7.9 notification

class AckData(Packet):
    """7.9.1.1."""
    name = "Ack-Data"
    fields_desc = [ByteEnumField("ack_type", 0, reg.ACK_TYPE.all()), StrField("data", b"")]


def _mech(form):
    return lambda p: dialects.current().dialect.mech_choice == form


class MechanismChoice(_Exact):
    """7.9.1.3."""
    name = "Mechanism-Choice"
    fields_desc = [
        ByteEnumField("mechanism", 0, reg.MECHANISM.all()),
        ConditionalField(ByteField("length1", 2), _mech("tlv1")),
        ConditionalField(ShortField("length2", 2), _mech("tlv2")),
        ShortField("value", 0),
    ]


def _ack_data(data, **kw):
    return AckData(data, **kw) if data else Raw(b"")


class Notification(_Payload):
    """7.9.1. `data` is AckData, a list of MechanismChoice, or octets, by type."""
    name = "Notification"
    payload_type = reg.P_NOTIFY
    fields_desc = _generic() + [
        ShortEnumField("notify", reg.N_NACK, reg.NOTIFY.all()),
        MultipleTypeField(
            [(PacketLenField("data", AckData(), _ack_data, length_from=lambda p: _rest_of(p, 6)),
              lambda p: p.notify == reg.N_ACK),
             (PacketListField("data", [], MechanismChoice, length_from=lambda p: _rest_of(p, 6)),
              lambda p: p.notify == reg.N_MECHANISMS)],
            StrLenField("data", b"", length_from=lambda p: _rest_of(p, 6))),
        StrField("trailing", b""),
    ]

    def octets(self):
        """Notification Data as transmitted, whatever its type."""
        if isinstance(self.data, list):
            return b"".join(bytes(d) for d in self.data) + self.trailing
        return bytes(self.data) + self.trailing

    def brief(self):
        return f"{self.name}({reg.NOTIFY.name(self.notify)})"


# ------------------------------------------- 7.10 to 7.12: vendor, DH, nonces

class VendorID(_Payload):
    """7.10.1."""
    name = "Vendor-ID"
    payload_type = reg.P_VENDOR
    fields_desc = _generic() + [StrField("data", reg.VENDOR_ID)]


class KeyCreation(_Payload):
    """7.11.1."""
    name = "Key-Creation"
    payload_type = reg.P_CREATE
    fields_desc = _generic() + [ShortEnumField("create_type", 2, reg.KEY_CREATION.all()),
                                StrField("data", b"")]

    def brief(self):
        return f"{self.name}({reg.KEY_CREATION.name(self.create_type)})"


class Nonce(_Payload):
    """7.12.1."""
    name = "Nonce"
    payload_type = reg.P_NONCE
    fields_desc = _generic() + [ByteEnumField("nonce_type", 1, reg.NONCE_TYPE.all()),
                                StrField("data", b"")]

    def brief(self):
        return f"{self.name}({reg.NONCE_TYPE.name(self.nonce_type)})"


PAYLOADS = {c.payload_type: c for c in (
    PolicyToken, KeyDownload, RekeyEvent, Identification, Certificate, Signature, Notification,
    VendorID, KeyCreation, Nonce)}


def _class_of(next_payload):
    if not next_payload:
        return Padding
    return PAYLOADS.get(next_payload, UnknownPayload)


def _type_of(layer):
    return getattr(layer, "payload_type", 0)


bind_layers(UDP, GSAKMP, dport=reg.PORT)
bind_bottom_up(UDP, GSAKMP, sport=reg.PORT)
bind_layers(TCP, GSAKMP, dport=reg.PORT)
bind_bottom_up(TCP, GSAKMP, sport=reg.PORT)
