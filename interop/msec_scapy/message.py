# SPDX-License-Identifier: BSD-2-Clause
"""Whole messages: strict reading with the reason of a refusal, signing, verifying.

`parse()` walks the octets itself (sections 7.1.2 and 7.2.2) before the layers
see them, then judges every payload by its processing section and the message by
its dissection in section 5. The first broken rule is the one that is reported.
"""
import re
from dataclasses import dataclass, field

from . import crypto
from . import dialect as dialects
from . import registry as reg
from .gsakmp import (GSAKMP, PAYLOADS, AckData, Certificate, Identification, KeyCreation,
                     KeyDownload, Nonce, Notification, PolicyToken, RekeyEvent, Signature, UName,
                     VendorID)
from .identity import Identity
from .refusal import Refusal

MAX_MESSAGE = 1 << 20
MAX_PAYLOADS = 64
ENCRYPTED = (PolicyToken, KeyDownload)


@dataclass
class Message:
    octets: bytes
    packet: GSAKMP
    offsets: list = field(default_factory=list)  # (payload type, offset, length)
    private: bool = False
    outer_version: int = 1

    @property
    def exchange(self):
        return self.packet.exchange

    @property
    def group_id(self):
        return self.packet.group_id

    def all(self, cls):
        return [p for p in self.packet.payloads() if isinstance(p, cls)]

    def one(self, cls):
        return self.packet.find(cls)

    def nonce(self, kind):
        found = self.packet.find(Nonce, nonce_type=kind)
        return None if found is None else found.data

    def notify(self, kind=None):
        if kind is None:
            return self.packet.find(Notification)
        return self.packet.find(Notification, notify=kind)

    @property
    def signature(self):
        return self.packet.find(Signature)

    @property
    def signer(self):
        return Identity(self.signature.id_type, self.signature.signer_id)

    def certificates(self):
        """DER of the X.509 certificates that came along."""
        return [c.data for c in self.all(Certificate) if c.cert_type == reg.CERT_X509]

    def covered(self, dialect=dialects.STRICT):
        return covered(self.octets, dialect)


# -------------------------------------------------------------------- framing

def frame(octets):
    """(header length, GroupID end, total length) of the header, or Refusal."""
    if len(octets) < 2 or len(octets) < 13 + octets[1]:
        raise Refusal(reg.N_MALFORMED, "RFC4535-7.1.2-11", "Length", "header is truncated")
    gid_end = 2 + octets[1]
    total = int.from_bytes(octets[gid_end + 7:gid_end + 11], "big")
    return gid_end + 11, gid_end, total


def walk(octets):
    """[(payload type, offset, length)] of the chain, judged as 7.2.2 says."""
    at, gid_end, _ = frame(octets)
    kind, out = octets[gid_end], []
    while kind:
        if at + 4 > len(octets):
            raise Refusal(reg.N_MALFORMED, "RFC4535-7.2.2-03", f"payload at {at}", "truncated")
        length = int.from_bytes(octets[at + 2:at + 4], "big")
        if not reg.PAYLOAD.known(octets[at]):
            raise Refusal(reg.N_PAYLOAD_TYPE, "RFC4535-7.2.2-01", f"Next Payload at {at}",
                          f"type {octets[at]}")
        if octets[at + 1]:
            raise Refusal(reg.N_MALFORMED, "RFC4535-7.2.2-02", f"RESERVED at {at + 1}")
        if length < 4 or at + length > len(octets):
            raise Refusal(reg.N_MALFORMED, "RFC4535-7.2.2-03", f"Payload Length at {at + 2}",
                          f"{length} octets")
        out.append((kind, at, length))
        if len(out) > MAX_PAYLOADS:
            raise Refusal(reg.N_MALFORMED, "RFC4535-7-04", "chain", "too many payloads")
        kind, at = octets[at], at + length
    if at != len(octets):
        raise Refusal(reg.N_MALFORMED, "RFC4535-7-05", "Length",
                      f"{len(octets) - at} octets behind the last payload")
    return out


def _private(octets, chain):
    return any(kind == reg.P_VENDOR and octets[at + 4:at + size] == reg.VENDOR_ID
               for kind, at, size in chain)


# ------------------------------------------------------------------- parsing

def parse(octets, dialect=dialects.STRICT, groups=None, expected=None, member=True):
    """A Message, or Refusal. `groups` holds the known GroupID values, `expected` the exchange
    types that the state allows; `member` says that embedded messages are looked for."""
    head, gid_end, total = frame(octets)
    gid_type, gid = octets[0], octets[2:gid_end]
    if not reg.GROUP_ID.known(gid_type):
        raise Refusal(reg.N_MALFORMED, "RFC4535-7.1.2-01", "GroupID Type", str(gid_type))
    _check_group_id(gid_type, gid, dialect)
    if groups is not None and gid not in groups:
        raise Refusal(reg.N_GROUP, "RFC4535-7.1.2-02", "GroupID", gid.hex())
    if not reg.PAYLOAD.known(octets[gid_end]):
        raise Refusal(reg.N_PAYLOAD_TYPE, "RFC4535-7.1.2-03", "Next Payload", str(octets[gid_end]))
    if octets[gid_end + 1] != reg.VERSION:
        return _embedded(octets, head, dialect, groups, expected, member)
    exchange = octets[gid_end + 2]
    if not reg.EXCHANGE.known(exchange):
        raise Refusal(reg.N_EXCHANGE, "RFC4535-7.1.2-06", "Exchange Type", str(exchange))
    if expected is not None and exchange not in expected:
        raise Refusal(reg.N_EXCHANGE, "RFC4535-7.1.2-07", "Exchange Type",
                      reg.EXCHANGE.name(exchange))
    sequence = int.from_bytes(octets[gid_end + 3:gid_end + 7], "big")
    if exchange != reg.X_REKEY and sequence:
        raise Refusal(reg.N_SEQUENCE, "RFC4535-7.1.2-08", "Sequence ID", str(sequence))
    if total != len(octets) or total > MAX_MESSAGE:
        raise Refusal(reg.N_MALFORMED, "RFC4535-7.1.2-11", "Length",
                      f"{total}, but {len(octets)} octets came")
    if not octets[gid_end]:
        raise Refusal(reg.N_MALFORMED, "RFC4535-7-01", "Next Payload", "no payload at all")
    chain = walk(octets)
    with dialects.use(dialect):
        packet = GSAKMP(octets)
        message = Message(octets, packet, chain, _private(octets, chain))
        for payload, (_, at, size) in zip(packet.payloads(), chain):
            _check_payload(payload, octets[at:at + size], message)
        _check_dissection(message, dialect)
    return message


def _embedded(octets, head, dialect, groups, expected, member):
    """7.1.2: a version 1 message right after a header of a higher version."""
    version = octets[head - 10]
    inner = octets[head:]
    if member and version > reg.VERSION:
        try:
            _, gid_end, total = frame(inner)
            is_inside = inner[gid_end + 1] == reg.VERSION
        except Refusal:
            is_inside = False
        if is_inside:  # "in fact a v1 Group Header": judged like any other message
            message = parse(inner[:total], dialect, groups, expected)
            message.outer_version = version
            return message
        raise Refusal(reg.N_VERSION, "RFC4535-7.1.2-14", "Version",
                      f"{version}, and nothing of version 1 inside")
    raise Refusal(reg.N_VERSION, "RFC4535-7.1.2-04", "Version", str(version))


def _check_group_id(kind, gid, dialect):
    text = 16
    low, high, rule = {1: (text + 1, 255, "7.1.1.1.1-03"), 2: (9, 255, "7.1.1.1.2-01"),
                       3: (12, 12, "7.1.1.1.3-01"), 4: (24, 24, "7.1.1.1.4-01")}[kind]
    if not low <= len(gid) <= high:
        raise Refusal(reg.N_MALFORMED, f"RFC4535-{rule}", "GroupID Length", str(len(gid)))
    if kind == 1:
        digits = gid[:16]
        if dialect.gid_utf8_random == "hex16" and not re.fullmatch(rb"[0-9a-fA-F]{16}", digits):
            raise Refusal(reg.N_MALFORMED, "RFC4535-7.1.1.1.1-01", "GroupID", "random value")
        if not _is_utf8(gid[16:]):
            raise Refusal(reg.N_MALFORMED, "RFC4535-7.1.1.1.1-01", "GroupID", "not UTF-8")


def _is_utf8(octets):
    try:
        octets.decode()
        return True
    except UnicodeDecodeError:
        return False


# ---------------------------------------------------- 7.3.2 to 7.12.2: values

def _want(good, notify, req, field_name, text=""):
    if not good:
        raise Refusal(notify, req, field_name, str(text))


_LENGTH_RULE = {reg.P_SIG: "RFC4535-7.8.2-08", reg.P_REKEY: "RFC4535-7.5.2-07",
                reg.P_NOTIFY: "RFC4535-7.9.2-03", reg.P_ID: "RFC4535-7.6.2-04"}
_FIXED = {reg.P_TOKEN: 6, reg.P_KEYDL: 4, reg.P_REKEY: 4 + 1 + 15 + 4, reg.P_ID: 6, reg.P_CERT: 6,
          reg.P_SIG: 4 + 2 + 1 + 15 + 2 + 2, reg.P_NOTIFY: 6, reg.P_VENDOR: 4, reg.P_CREATE: 6,
          reg.P_NONCE: 5}


def _check_payload(p, octets, message):
    kind = p.payload_type
    rule = _LENGTH_RULE.get(kind, "RFC4535-7.2.2-03")
    _want(len(octets) >= _FIXED[kind], reg.N_MALFORMED, rule, p.name, "too short")
    _want(not p.fields.get("trailing"), reg.N_MALFORMED, rule, p.name, "octets behind its fields")
    _want(_canonical(p) == octets, reg.N_MALFORMED, rule, p.name, "lengths or counters are wrong")
    _CHECKS[type(p)](p, message)


def _canonical(p):
    """The payload built again with every length and counter computed."""
    again = p.copy()
    again.remove_payload()
    again.clear_cache()
    total = dialects.current().dialect.rekey_counts == "total"
    for name in ("length", "signer_id_len", "sig_len", "count", "group_id_len"):
        if name in again.fields and not (name == "count" and total):
            again.fields[name] = None
    return bytes(again)


def _check_token(p, _message):
    _want(reg.TOKEN_TYPE.known(p.token_type), reg.N_MALFORMED, "RFC4535-7.3.2-02",
          "Policy Token Type", p.token_type)
    _want(p.data, reg.N_MALFORMED, "RFC4535-7.3.2-03", "Policy Token Data", "empty")


def _check_key_download(p, _message):
    _want(p.data, reg.N_MALFORMED, "RFC4535-7.4.2-06", "Key Download", "empty")


def _check_rekey(p, message):
    _want(reg.REKEY_TYPE.known(p.event_type), reg.N_MALFORMED, "RFC4535-7.5.2-02",
          "Rekey Event Type", p.event_type)
    _want(p.group_id == message.group_id, reg.N_GROUP, "RFC4535-7.5.2-03", "Group ID Value",
          p.group_id.hex())
    _want(is_date(p.timestamp), reg.N_MALFORMED, "RFC4535-7.5.1.1-01", "Time/Date Stamp")
    _want(p.rekey_type == p.event_type, reg.N_MALFORMED, "RFC4535-7.5.2-05", "Rekey Event Type",
          f"{p.rekey_type} inside, {p.event_type} outside")
    if p.event_type == 0:
        _want(not p.datas and p.count == 0, reg.N_MALFORMED, "RFC4535-7.5.1-04",
              "# of Rekey Event Data(s)", "data in an event of type None")
        return
    _want(p.alg_version == 1, reg.N_MALFORMED, "RFC4535-7.5.2-06", "Algorithm Version",
          p.alg_version)
    total = dialects.current().dialect.rekey_counts == "total"
    there = sum(len(e.datas) for e in message.all(RekeyEvent)) if total else len(p.datas)
    _want(there == p.count, reg.N_MALFORMED, "RFC4535-7.5.2-07", "# of Rekey Event Data(s)",
          p.count)
    for red in p.datas:
        _want(hasattr(red, "wrap_id") and len(red.data) == red.data_len() and red.data,
              reg.N_MALFORMED, "RFC4535-7.5.2-07", "Packet Length")


def _check_identification(p, _message):
    _want(reg.ID_CLASS.known(p.id_class), reg.N_MALFORMED, "RFC4535-7.6.2-02",
          "ID Classification", p.id_class)
    _want(reg.ID_TYPE.known(p.id_type), reg.N_MALFORMED, "RFC4535-7.6.2-03", "ID Type", p.id_type)
    check_identity(Identity(p.id_type, bytes(p.data)))


def check_identity(identity):
    """The form of identification data by its type (Table 19)."""
    sizes = {reg.ID_IPV4: 4, reg.ID_IPV6: 16}
    data = identity.data
    _want(data and len(data) == sizes.get(identity.kind, len(data)), reg.N_MALFORMED,
          "RFC4535-7.6.2-04", "Identification Data", f"{len(data)} octets")
    if identity.kind in (reg.ID_DN, reg.ID_FQDN, reg.ID_RFC822):
        _want(_is_utf8(data) and b"\0" not in data, reg.N_MALFORMED, "RFC4535-7.6.2-04",
              "Identification Data", "not text")
    if identity.kind == reg.ID_U_NAME:
        _want(len(data) >= 24, reg.N_MALFORMED, "RFC4535-7.6.1.1-01", "ID_U_NAME Length")
        name = UName(data)
        _want(len(data) == 24 + name.length, reg.N_MALFORMED, "RFC4535-7.6.1.1-01", "ID_U_NAME Length")
        _want(any(name.serial), reg.N_MALFORMED, "RFC4535-7.6.2.1-01", "Serial Number", "zero")
        _want(_is_utf8(name.dn), reg.N_MALFORMED, "RFC4535-7.6.2.1-02", "DN Data", "not UTF-8")


def _check_certificate(p, _message):
    _want(reg.CERT_TYPE.known(p.cert_type), reg.N_CERT_TYPE, "RFC4535-7.7.2-02",
          "Certificate Type", p.cert_type)


def _check_signature(p, message):
    _want(reg.SIG_TYPE.known(p.sig_type, message.private), reg.N_MALFORMED, "RFC4535-7.8.2-02",
          "Signature Type", p.sig_type)
    _want(reg.ID_TYPE.known(p.id_type), reg.N_MALFORMED, "RFC4535-7.8.2-03", "Signature ID Type",
          p.id_type)
    _want(is_date(p.timestamp), reg.N_MALFORMED, "RFC4535-7.8.1-05", "Signature Timestamp")
    check_identity(Identity(p.id_type, p.signer_id))


def expulsion(data):
    """(is the member barred, its identity) from the data of an Expulsion (our extension for 4.4.7), or None."""
    if len(data) < 3 or data[0] > 1 or not reg.ID_TYPE.known(data[1]):
        return None
    return bool(data[0]), Identity(data[1], bytes(data[2:]))


def _check_notification(p, message):
    _want(reg.NOTIFY.known(p.notify, message.private), reg.N_MALFORMED, "RFC4535-7.9.2-02",
          "Notification Type", p.notify)
    data, where = p.octets(), "Notification Data"
    rule = "RFC4535-7.9.2-03"
    if p.notify == reg.N_ACK:
        if dialects.current().dialect.ack_data == "typed" or data:
            _want(isinstance(p.data, AckData) and reg.ACK_TYPE.known(p.data.ack_type),
                  reg.N_MALFORMED, rule, "Ack Type")
            _want(not p.data.data, reg.N_MALFORMED, "RFC4535-7.9.1.1-01", where,
                  "data behind a simple ACK")
    elif p.notify == reg.N_MECHANISMS:
        _want(p.data, reg.N_MALFORMED, rule, where, "empty")
        seen = set()
        for choice in p.data:
            _want(hasattr(choice, "mechanism"), reg.N_MALFORMED, "RFC4535-7.9.1.3-01", where)
            _want(reg.MECHANISM.known(choice.mechanism), reg.N_MALFORMED, "RFC4535-7.9.1.3-02",
                  "Mechanism Type")
            _want(choice.mechanism not in seen, reg.N_MALFORMED, "RFC4535-7.9.1.3-01",
                  "Mechanism Type", "twice")
            seen.add(choice.mechanism)
            table = (reg.KEY_CREATION, reg.KEY_TYPE, reg.NONCE_HASH)[choice.mechanism]
            _want(table.known(choice.value, message.private), reg.N_MALFORMED, rule,
                  "Mechanism Choice Data", choice.value)
    elif p.notify in (reg.N_IPV4, reg.N_IPV6):
        _want(len(data) == (4 if p.notify == reg.N_IPV4 else 16), reg.N_MALFORMED,
              "RFC4535-7.9.1.4-01", where, f"{len(data)} octets")
    elif p.notify == reg.N_EXPULSION:
        _want(expulsion(data) is not None, reg.N_MALFORMED, "RFC4535-4.4.7-09", where,
              "no reason and identity")
    elif p.notify in (reg.N_COOKIE, reg.N_COOKIE_REQUIRED):
        _want(data, reg.N_MALFORMED, rule, where, "empty cookie")


def _check_vendor(_p, _message):
    """7.10.2 (2): whatever it says, the message goes on. Ours is compared as a whole."""


def _check_creation(p, message):
    _want(reg.KEY_CREATION.known(p.create_type, message.private), reg.N_MALFORMED,
          "RFC4535-7.11.2-02", "Key Creation Type", p.create_type)
    try:
        crypto.check_public(p.create_type, p.data)
    except crypto.CryptoError as e:
        raise Refusal(reg.N_MALFORMED, "RFC4535-7.11.2-03", "Key Creation Data", str(e)) from e


def _check_nonce(p, _message):
    _want(reg.NONCE_TYPE.known(p.nonce_type), reg.N_MALFORMED, "RFC4535-7.12.2-02", "Nonce Type",
          p.nonce_type)
    _want(len(p.data) >= 4, reg.N_MALFORMED, "RFC4535-7.12.1-04", "Nonce Data",
          f"{len(p.data)} octets")


_CHECKS = {PolicyToken: _check_token, KeyDownload: _check_key_download, RekeyEvent: _check_rekey,
           Identification: _check_identification, Certificate: _check_certificate,
           Signature: _check_signature, Notification: _check_notification,
           VendorID: _check_vendor, KeyCreation: _check_creation, Nonce: _check_nonce}
assert set(_CHECKS) == set(PAYLOADS.values())


def is_date(octets):
    """YYYYMMDDHHMMSSZ with every part in its range."""
    import datetime
    if not re.fullmatch(rb"\d{14}Z", octets):
        return False
    year, rest = int(octets[:4]), octets[4:14].decode()
    try:
        datetime.datetime.strptime(f"{2000 + year % 400:04d}{rest}", "%Y%m%d%H%M%S")
        return True
    except ValueError:
        return False


# ----------------------------------------------------- section 5: dissections

def _label(p):
    if isinstance(p, Nonce):
        return {1: "Nonce_I", 2: "Nonce_R", 3: "Nonce_C"}.get(p.nonce_type, "Nonce None")
    if isinstance(p, Notification):
        return reg.NOTIFY.name(p.notify)
    return p.name


_ANY = "any notification"
# exchange: (required, allowed besides, signed)
DISSECTION = {
    reg.X_RTJ: ({"Key-Creation", "Nonce_I"},
                {"Mechanism-Choices", "Cookie", "IPv4-Value", "IPv6-Value"}, True),
    reg.X_KEYDL: ({"Identification", "Key-Creation", "Policy-Token", "Key-Download"},
                  {"Nonce_R", "Nonce_C"}, True),
    reg.X_RTJ_ERR: ({_ANY}, {"Nonce_I"}, False),
    reg.X_ACK: ({_ANY}, {"Nonce_C"}, True),
    reg.X_LOA: ({"Identification", _ANY}, {"Nonce_R", "Nonce_C"}, True),
    reg.X_COOKIE: ({"Cookie-Required"}, set(), False),
    reg.X_REKEY: ({"Rekey-Event"}, {"Policy-Token"}, True),
    reg.X_RTD: ({"Identification", _ANY}, {"Nonce_I"}, True),
    reg.X_DR: ({"Identification", _ANY}, {"Nonce_R", "Nonce_C"}, True),
    reg.X_DA: ({_ANY}, {"Nonce_C"}, True),
}
_SECTION = {reg.X_RTJ: "5.2.1.1-06", reg.X_KEYDL: "5.2.1.2-03", reg.X_RTJ_ERR: "5.2.1.3-02",
            reg.X_ACK: "5.2.1.4-02", reg.X_LOA: "5.2.1.5-03", reg.X_COOKIE: "5.2.2-06",
            reg.X_REKEY: "5.3.1.1-07", reg.X_RTD: "5.3.2.3.1-03", reg.X_DR: "5.3.2.3.2-03",
            reg.X_DA: "5.3.2.3.3-03"}
# where it says that Nonce_R and Nonce_C come together
_PAIR = {reg.X_KEYDL: "5.2.1.2-05", reg.X_LOA: "5.2.1.5-04", reg.X_DR: "5.3.2.3.2-05"}
# where a signature has a row of its own
_UNSIGNED = {reg.X_RTJ: "5.2.1-02", reg.X_RTD: "5.3.2.3.1-06"}
_REPEATABLE = ("Vendor-ID", "Certificate", "Rekey-Event")
_PLACE = {"IPv4-Value": "IPValue", "IPv6-Value": "IPValue"}  # Table 1 has one for both


def _check_dissection(message, dialect):
    required, allowed, is_signed = DISSECTION[message.exchange]
    required = required | ({"Signature"} if is_signed else set())
    seen, taken, notifications, signed = set(), set(), 0, False
    for p in message.packet.payloads():
        label = _label(p)
        place = _PLACE.get(label, label)
        if place in taken and place not in _REPEATABLE:
            raise Refusal(reg.N_MALFORMED, "RFC4535-7-04", label, "twice")
        if signed and label != "Certificate":
            raise Refusal(reg.N_MALFORMED, "RFC4535-7.8.1-01", label, "behind the Signature")
        signed = signed or label == "Signature"
        taken.add(place)
        seen.add(label)
        if isinstance(p, Notification) and _ANY in required:
            notifications += 1
            if notifications > 1:
                raise Refusal(reg.N_MALFORMED, "RFC4535-7-04", label, "beside another Notification")
        elif label not in required | allowed | {"Vendor-ID", "Certificate"}:
            if dialect.unexpected_payload == "reject":
                raise Refusal(reg.N_PAYLOAD_TYPE, "RFC4535-7-04", label, "has no place here")
    missing = required - seen - {_ANY}
    if message.exchange == reg.X_RTJ and "Nonce_I" in missing:
        raise Refusal(reg.N_MALFORMED, "RFC4535-5.2.1.1-07", "Nonce_I", "missing")
    if message.exchange == reg.X_RTD and "Signature" in missing:
        raise Refusal(reg.N_MALFORMED, "RFC4535-5.3.2.3.1-06", "Signature", "missing")
    if _ANY in required and not notifications:
        missing.add("Notification")
    if missing:
        first = sorted(missing)[0]
        rule = _UNSIGNED.get(message.exchange) if first == "Signature" else None
        raise Refusal(reg.N_MALFORMED, "RFC4535-" + (rule or _SECTION[message.exchange]), first,
                      "missing")
    if ("Nonce_R" in seen) != ("Nonce_C" in seen) and "Nonce_R" in allowed:
        raise Refusal(reg.N_MALFORMED, "RFC4535-" + _PAIR[message.exchange],
                      "Nonce_R" if "Nonce_C" in seen else "Nonce_C", "missing")


# ------------------------------------------------------------------ signature

def covered(octets, dialect=dialects.STRICT):
    """The octets under the signature of a message (7.8.1)."""
    head, gid_end, _ = frame(octets)
    kind, at, size = next(c for c in walk_loose(octets) if c[0] == reg.P_SIG)
    id_len = int.from_bytes(octets[at + 22:at + 24], "big")
    len_at = at + 24 + id_len
    sig_len = int.from_bytes(octets[len_at:len_at + 2], "big")
    text = bytearray(octets)
    if dialect.sig_len_fields != "final":
        less = len(octets) if dialect.sig_len_fields == "zero" else sig_len
        whole, payload = (0, 0) if dialect.sig_len_fields == "zero" else (len(octets) - less,
                                                                         size - sig_len)
        text[gid_end + 7:gid_end + 11] = whole.to_bytes(4, "big")
        text[at + 2:at + 4] = payload.to_bytes(2, "big")
    cover = dialect.sig_cover
    if cover == "incl_siglen":
        return bytes(text[:len_at + 2])
    if cover == "excl_sigpayload":
        return bytes(text[:at])
    if cover == "whole":
        return bytes(text[:len_at] + text[len_at + 2 + sig_len:])
    if cover == "payloads_only":
        return bytes(text[head:len_at])
    return bytes(text[:len_at])


def walk_loose(octets):
    """The chain as far as it holds together, for messages that are made wrong on purpose."""
    at, gid_end, _ = frame(octets)
    kind = octets[gid_end]
    while kind and at + 4 <= len(octets):
        size = max(4, int.from_bytes(octets[at + 2:at + 4], "big"))
        yield kind, at, size
        kind, at = octets[at], at + size


def loose_nonce_payload(octets, kind):
    """The Nonce payload of a type in a message that may be too broken to parse, or None."""
    try:
        for payload, at, size in walk_loose(octets):
            if payload == reg.P_NONCE and octets[at + 4] == kind and size > 8:
                return octets[at:at + size]
    except (Refusal, IndexError):
        pass
    return None


def loose_nonce(octets, kind):
    """Its Nonce Data, or None."""
    payload = loose_nonce_payload(octets, kind)
    return None if payload is None else payload[5:]


def _signature_len(key, sig_type, dialect):
    if hasattr(key, "key_size") and sig_type in (1, 49153):
        return key.key_size // 8
    if sig_type == 0 and dialect.dsa_enc == "raw":
        return 40
    if sig_type == 2 and dialect.ecdsa_enc == "raw":
        return 96
    return crypto.USUAL_LEN.get(sig_type, 64)


def sign(packet, key, dialect=dialects.STRICT):
    """The octets of a packet whose Signature payload is filled in.

    The lengths under the signature are those of the finished message, so a DER
    signature is made again until it has the length that was promised. Which length
    is likely depends on the key (a DSA q just above a power of two gives short
    numbers): after some failures the length just seen is promised instead."""
    signature = packet.find(Signature)
    with dialects.use(dialect):
        size = _signature_len(key, signature.sig_type, dialect)
        for attempt in range(1, 400):
            signature.signature = bytes(size)
            packet.clear_cache()
            octets = bytes(packet)
            made = crypto.sign(key, signature.sig_type, covered(octets, dialect), dialect)
            if len(made) == size:
                signature.signature = made
                packet.clear_cache()
                return bytes(packet)
            if attempt % 8 == 0:
                size = len(made)
    raise crypto.CryptoError("no signature of the promised length")


def verify(message, public_key, dialect=dialects.STRICT):
    """Nothing, or Refusal (7.8.2 step 6)."""
    try:
        crypto.verify(public_key, message.signature.sig_type, message.covered(dialect),
                      message.signature.signature, dialect)
    except crypto.CryptoError as e:
        raise Refusal(reg.N_AUTH, "RFC4535-7.8.2-06", "Signature Data", str(e)) from e
