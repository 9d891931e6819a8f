# SPDX-License-Identifier: BSD-2-Clause
"""A catalogue of wrong messages, each with the rule it breaks and what must follow.

    python3 -m msec_scapy.misbehave --list
    python3 -m msec_scapy.misbehave --run NAME --server ADDRESS ... (as msec_scapy.member)

Entries of role `member` are sent to a key server, those of role `server` to a
member. In Terse Mode a key server says nothing to any of them; in Verbose Mode
it answers a bad RTJ with RTJ-Err and `notify`. A member answers a bad Key
Download with a KeyDL-A/F (NACK, or `notify` in Verbose Mode) and never answers
a bad Rekey Event. Nobody changes state.
"""
import argparse
import json
import sys
from dataclasses import dataclass

from . import crypto
from . import registry as reg
from .gsakmp import (AckData, Certificate, Identification, KeyCreation, KeyDownload,
                     MechanismChoice, Nonce, Notification, PolicyToken, RekeyEvent, Signature, VendorID)
from .message import frame, walk_loose

SILENCE, RTJ_ERR, NACK = "silence", "rtj-err", "nack"


@dataclass(frozen=True)
class Misbehaviour:
    name: str
    role: str
    exchange: int
    req: str
    notify: int
    text: str
    packet: object = None  # change of the packet before it is signed
    octets: object = None  # change of the finished octets
    plain: tuple = ()  # (what, change) of something that will be encrypted
    credentials: str = ""  # kind of certificate the caller has to bring
    repeat: bool = False  # send the whole message once more when the exchange is over
    also: tuple = ()  # rows that name the fault as well as `req` does

    @property
    def rows(self):
        return (self.req, *("RFC4535-" + r if not r.startswith("RFC") else r for r in self.also))

    def arm(self, party):
        if self.packet:
            party.hooks.on_packet(self.exchange, self.packet)
        if self.octets:
            party.hooks.on_octets(self.exchange, self.octets)
        if self.plain:
            party.hooks.on_plain(*self.plain)
        return party

    def reaction(self, terse=True):
        """What the receiver of the message does, seen on the wire."""
        if self.role == "server" and self.exchange == reg.X_KEYDL:
            return NACK
        if self.exchange == reg.X_RTJ and not terse:
            return RTJ_ERR
        return SILENCE

    def as_dict(self):
        return {"name": self.name, "role": self.role, "exchange": reg.EXCHANGE.name(self.exchange),
                "req": self.req, "notify": reg.NOTIFY.name(self.notify), "text": self.text,
                "credentials": self.credentials, "terse": self.reaction(True),
                "verbose": self.reaction(False)}


# -------------------------------------------------------------- how to change

def _set(cls, **values):
    """Set fields of one payload (or of the header, cls None)."""
    def change(packet, _party):
        target = packet if cls is None else packet.find(cls)
        for name, value in values.items():
            setattr(target, name, value)
    return change


def _remove(cls, **which):
    def change(packet, _party):
        layer = packet
        while layer.payload:
            target = layer.payload
            if isinstance(target, cls) and all(getattr(target, k) == v for k, v in which.items()):
                rest = target.payload
                layer.remove_payload()
                if rest:
                    layer.add_payload(rest)
                return
            layer = target
    return change


def _insert(payload):
    """Put a payload right behind the header."""
    def change(packet, _party):
        rest = packet.payload
        packet.remove_payload()
        packet.add_payload(payload.copy() / rest)
    return change


def _append(payload):
    def change(packet, _party):
        last = packet.lastlayer()
        last.add_payload(payload.copy())
    return change


def _twice(cls):
    def change(packet, _party):
        one = packet.find(cls).copy()
        one.remove_payload()
        _insert(one)(packet, _party)
    return change


def _header(offset, value, size=1):
    """Overwrite header octets, counted from the end of the GroupID."""
    def change(octets, _party):
        at = frame(octets)[1] + offset
        return octets[:at] + value.to_bytes(size, "big") + octets[at + size:]
    return change


def _payload(kind, offset, value, size=1):
    """Overwrite octets of the first payload of a type, after the signature is made."""
    def change(octets, _party):
        at = next(a for k, a, _ in walk_loose(octets) if k == kind) + offset
        return octets[:at] + value.to_bytes(size, "big") + octets[at + size:]
    return change


def _flip(kind, from_end=True, at=-1):
    """Turn one bit of a payload."""
    def change(octets, _party):
        start, size = next((a, s) for k, a, s in walk_loose(octets) if k == kind)
        place = start + size + at if from_end else start + at
        return octets[:place] + bytes([octets[place] ^ 1]) + octets[place + 1:]
    return change


def _group_id(value, kind=2):
    def change(packet, _party):
        packet.group_id, packet.group_id_type = value, kind
    return change


def _date(cls, shift):
    def change(packet, _party):
        from .times import date, undate
        target = packet.find(cls)
        target.timestamp = date(undate(target.timestamp) + shift)
    return change


def _public(value):
    """A degenerate Diffie-Hellman value: a number, or "p-1", "p"."""
    def change(packet, _party):
        creation = packet.find(KeyCreation)
        size = len(creation.data)
        p = crypto.MODP.get(creation.create_type)
        number = {"p-1": (p or 0) - 1, "p": p}.get(value, value)
        creation.data = (number if p else 0).to_bytes(size, "big")
    return change


def _first_item(**values):
    """Change the first Key Download Item, or the Key Datum in it."""
    def change(data):
        item = data.items[0]
        for name, value in values.items():
            setattr(item if name in ("item_type", "length") else item.body, name, value)
        return data
    return change


def _no_items(data):
    data.items = [i for i in data.items if i.item_type != reg.KDD_GTPK]
    return data


def _one_more_item(data):
    data.count = len(data.items) + 1
    return data


def _package(**values):
    def change(packages):
        for package in packages.packages:
            for name, value in values.items():
                setattr(package if name in ("package_type", "length") else package.body, name,
                        value)
        return packages
    return change


def _first_red(change_data):
    def change(packet, _party):
        change_data(packet.find(RekeyEvent).datas[0])
    return change


def _packet_len(by):
    """A Packet Length that lies, with the octets it tells about left as they are."""
    def change(red):
        red.packet_len = len(red.data) + by
    return change


def _cut(count):
    return lambda octets, _party: octets[:-count]


def _behind(octets, _party):
    return octets + b"\0"


def _many(packet, _party):
    for _ in range(80):
        _insert(Nonce(nonce_type=reg.NONCE_I, data=b"stuffing"))(packet, _party)


def _wrong_signer(packet, _party):
    """A name of the same shape, so that a rule with a wildcard still admits it."""
    signature = packet.find(Signature)
    first, comma, rest = signature.signer_id.partition(b",")
    signature.signer_id = first + b"x" + comma + rest


def _nonce_c(packet, _party):
    nonce = packet.find(Nonce, nonce_type=reg.NONCE_C)
    nonce.data = bytes([nonce.data[0] ^ 1]) + nonce.data[1:]


def _corrupt(cls):
    """Turn a bit of a ciphertext before the message is signed."""
    def change(packet, _party):
        p = packet.find(cls)
        p.data = p.data[:-1] + bytes([p.data[-1] ^ 1])
    return change


def _corrupt_token(octets):
    """A token whose signature has one bit turned."""
    return octets[:-1] + bytes([octets[-1] ^ 1])


def _without_vendor(packet, party):
    _remove(VendorID)(packet, party)


def _other_notify(number):
    def change(packet, _party):
        n = packet.find(Notification)
        n.notify, n.data = number, b""
    return change


_J, _A, _D, _X = reg.X_RTJ, reg.X_ACK, reg.X_RTD, reg.X_DA
_K, _R, _P, _L = reg.X_KEYDL, reg.X_REKEY, reg.X_DR, reg.X_LOA
_BAD = reg.N_MALFORMED


def _m(name, exchange, req, notify, text, **how):
    return Misbehaviour(name, "member", exchange, "RFC4535-" + req, notify, text, **how)


def _s(name, exchange, req, notify, text, **how):
    full = req if req.startswith("RFC") else "RFC4535-" + req
    return Misbehaviour(name, "server", exchange, full, notify, text, **how)


CATALOGUE = [
    # the header, 7.1.2
    _m("rtj-version-zero", _J, "7.1.2-04", reg.N_VERSION, "Version 0", octets=_header(1, 0)),
    _m("rtj-version-two", _J, "7.1.2-04", reg.N_VERSION, "Version 2 without an embedded message",
       octets=_header(1, 2)),
    _m("rtj-group-unknown", _J, "7.1.2-02", reg.N_GROUP, "a GroupID that nobody serves",
       packet=_group_id(b"\xffUNKNOWN-group")),
    _m("rtj-group-type", _J, "7.1.2-01", _BAD, "GroupID Type 5 is reserved",
       octets=lambda o, _: b"\x05" + o[1:]),
    _m("rtj-group-short", _J, "7.1.2-11", _BAD, "an octet string GroupID of eight octets",
       packet=_group_id(b"\xff" * 8),
       also=("7.1.1.1.2-01",)),
    _m("rtj-exchange-unknown", _J, "7.1.2-06", reg.N_EXCHANGE, "Exchange Type 7 is reserved",
       octets=_header(2, 7)),
    _m("rtj-exchange-unexpected", _J, "7.1.2-07", reg.N_EXCHANGE, "a KeyDL sent to a key server",
       octets=_header(2, reg.X_KEYDL),
       also=("7-04",)),
    _m("rtj-sequence", _J, "7.1.2-08", reg.N_SEQUENCE, "Sequence ID 1 in a negotiation message",
       packet=_set(None, sequence=1)),
    _m("rtj-length-short", _J, "7.1.2-11", _BAD, "Length one less than the message",
       octets=lambda o, _: _header(7, len(o) - 1, 4)(o, _)),
    _m("rtj-length-long", _J, "7.1.2-11", _BAD, "Length one more than the message",
       octets=lambda o, _: _header(7, len(o) + 1, 4)(o, _)),
    _m("rtj-length-huge", _J, "7.1.2-11", _BAD, "Length of four gigabytes",
       octets=_header(7, 0xFFFFFFFF, 4)),
    _m("rtj-truncated", _J, "7.1.2-11", _BAD, "the last 20 octets are missing", octets=_cut(20)),
    _m("rtj-trailing", _J, "7.1.2-11", _BAD, "an octet behind the message", octets=_behind),
    _m("rtj-header-only", _J, "7.1.2-11", _BAD, "six octets", octets=lambda o, _: o[:6]),
    _m("rtj-first-payload", _J, "7.1.2-03", reg.N_PAYLOAD_TYPE, "first payload of type 13",
       octets=_header(0, 13)),
    # the generic payload header, 7.2.2
    _m("rtj-payload-unknown", _J, "7.2.2-01", reg.N_PAYLOAD_TYPE, "Next Payload 5 is reserved",
       octets=_payload(reg.P_CREATE, 0, 5)),
    _m("rtj-reserved", _J, "7.2.2-02", _BAD, "RESERVED is 1",
       packet=_set(KeyCreation, reserved=1)),
    _m("rtj-payload-short", _J, "7.2.2-03", _BAD, "Payload Length 3",
       octets=_payload(reg.P_CREATE, 2, 3, 2)),
    _m("rtj-payload-long", _J, "7.2.2-03", _BAD, "Payload Length 65535",
       octets=_payload(reg.P_CREATE, 2, 65535, 2)),
    # the dissection, 5.2.1.1 and 7
    _m("rtj-two-nonces", _J, "7-04", _BAD, "two Nonce payloads", packet=_twice(Nonce)),
    _m("rtj-two-signatures", _J, "7.8.1-01", _BAD, "a second Signature payload",
       packet=_append(Signature(sig_type=0, signer_id=b"CN=x", signature=b"x" * 46)),
       also=("7-04",)),
    _m("rtj-foreign-payload", _J, "7-04", reg.N_PAYLOAD_TYPE, "a Policy Token in an RTJ",
       packet=_insert(PolicyToken(data=b"token"))),
    _m("rtj-many-payloads", _J, "7-04", _BAD, "eighty nonces", packet=_many),
    _m("rtj-no-nonce", _J, "5.2.1.1-07", _BAD, "Nonce_I is missing", packet=_remove(Nonce)),
    _m("rtj-no-key-creation", _J, "5.2.1.1-06", _BAD, "Key Creation is missing",
       packet=_remove(KeyCreation)),
    _m("rtj-after-signature", _J, "7.8.1-01", _BAD, "a Vendor ID behind the Signature",
       packet=_append(VendorID(data=b"unsigned"))),
    # payload values, 7.6.2 to 7.12.2
    _m("rtj-nonce-short", _J, "7.12.2-03", _BAD, "a nonce of three octets",
       packet=_set(Nonce, data=b"abc"),
       also=("7.12.1-04",)),
    _m("rtj-nonce-type", _J, "7.12.2-02", _BAD, "Nonce Type 4", packet=_set(Nonce, nonce_type=4)),
    _m("rtj-nonce-responder", _J, "7-04", reg.N_PAYLOAD_TYPE, "Nonce_R in an RTJ",
       packet=_set(Nonce, nonce_type=reg.NONCE_R)),
    _m("rtj-create-type", _J, "7.11.2-02", _BAD, "Key Creation Type 3 is reserved",
       packet=_set(KeyCreation, create_type=3)),
    _m("rtj-dh-zero", _J, "7.11.2-03", _BAD, "public value 0", packet=_public(0)),
    _m("rtj-dh-one", _J, "7.11.2-03", _BAD, "public value 1", packet=_public(1)),
    _m("rtj-dh-minus-one", _J, "7.11.2-03", _BAD, "public value p-1", packet=_public("p-1")),
    _m("rtj-dh-p", _J, "7.11.2-03", _BAD, "public value p", packet=_public("p")),
    _m("rtj-dh-long", _J, "7.11.2-03", _BAD, "a public value of 300 octets",
       packet=_set(KeyCreation, data=b"\x01" * 300)),
    _m("rtj-dh-empty", _J, "7.11.2-03", _BAD, "no public value",
       packet=_set(KeyCreation, data=b"")),
    _m("rtj-notify-unknown", _J, "7.9.2-02", _BAD, "Notification Type 38",
       packet=_insert(Notification(notify=38, data=b""))),
    _m("rtj-notify-foreign", _J, "7-04", reg.N_PAYLOAD_TYPE, "an Acknowledgement in an RTJ",
       packet=_insert(Notification(notify=reg.N_ACK, data=AckData()))),
    _m("rtj-mechanism-type", _J, "7.9.2-03", _BAD, "Mechanism Type 3",
       packet=_insert(Notification(notify=reg.N_MECHANISMS,
                                   data=[MechanismChoice(mechanism=3, value=1)])),
       also=("7.9.1.3-02",)),
    _m("rtj-mechanism-value", _J, "7.9.2-03", _BAD, "Nonce Hash 2",
       packet=_insert(Notification(notify=reg.N_MECHANISMS,
                                   data=[MechanismChoice(mechanism=2, value=2)]))),
    _m("rtj-ipv4-value", _J, "7.9.2-03", _BAD, "an IPv4 Value of three octets",
       packet=_insert(Notification(notify=reg.N_IPV4, data=b"abc")),
       also=("7.9.1.4-01",)),
    # certificates and signature, 7.7.2 and 7.8.2
    _m("rtj-cert-type", _J, "7.7.2-02", reg.N_CERT_TYPE, "Certificate Type 1 is reserved",
       packet=_set(Certificate, cert_type=1)),
    _m("rtj-cert-garbage", _J, "7.7.2-03", reg.N_AUTH, "a certificate that is no DER",
       packet=_set(Certificate, data=b"garbage")),
    _m("rtj-cert-none", _J, "7.8.2-05", reg.N_CERT_UNAVAILABLE, "no certificate at all",
       packet=_remove(Certificate)),
    _m("rtj-sig-type", _J, "7.8.2-02", _BAD, "Signature Type 3",
       octets=_payload(reg.P_SIG, 4, 3, 2)),
    _m("rtj-sig-id-type", _J, "7.8.2-03", _BAD, "Signature ID Type 4",
       octets=_payload(reg.P_SIG, 6, 4)),
    _m("rtj-sig-bad", _J, "7.8.2-06", reg.N_AUTH, "one bit of the timestamp turned after signing",
       octets=_flip(reg.P_SIG, False, 20)),
    _m("rtj-sig-length", _J, "7.8.2-08", _BAD, "Signer ID Length of 65535",
       octets=_payload(reg.P_SIG, 22, 65535, 2)),
    _m("rtj-sig-empty", _J, "7.8.2-08", _BAD, "no octets behind the Signer ID",
       octets=_payload(reg.P_SIG, 22, 0, 2)),
    _m("rtj-sig-date", _J, "7.8.1-05", _BAD, "a timestamp of month 13",
       packet=_set(Signature, timestamp=b"20261301000000Z")),
    _m("rtj-sig-stale", _J, "7.8.2-04", reg.N_AUTH, "signed an hour ago",
       packet=_date(Signature, -3600)),
    _m("rtj-sig-future", _J, "7.8.2-04", reg.N_AUTH, "signed an hour from now",
       packet=_date(Signature, 3600)),
    _m("rtj-signer-other", _J, "7.8.2-05", reg.N_CERT_UNAVAILABLE,
       "a Signer ID that the certificate does not have", packet=_wrong_signer),
    _m("rtj-signer-text", _J, "7.6.2-04", reg.N_MALFORMED, "a Signer ID that is not UTF-8",
       packet=_set(Signature, signer_id=b"CN=\xff\xfe")),
    _m("rtj-private-unannounced", _J, "7.11.2-02", _BAD,
       "private code points without the Vendor ID (private suites only)",
       packet=_without_vendor),
    _m("rtj-replayed", _J, "5.2.1.1-09", reg.N_AUTH, "the same RTJ again after the exchange",
       repeat=True,
       also=("3.1-04",)),
    # credentials, 7.8.2 (6); the caller brings the certificate
    *[_m(f"rtj-{name}", _J, "7.8.2-07", notify, text, credentials=name) for name, notify, text in (
        ("expired", reg.N_AUTH, "an expired certificate"),
        ("not-yet-valid", reg.N_AUTH, "a certificate of the future"),
        ("revoked", reg.N_AUTH, "a revoked certificate"),
        ("wrong-usage", reg.N_AUTH, "a certificate whose key may not sign"),
        ("wrong-root", reg.N_CERT_CA, "a certificate of another authority"),
        ("not-a-ca", reg.N_AUTH, "a certificate issued by no authority"),
        ("self-signed", reg.N_CERT_CA, "a certificate that vouches for itself"))],
    _m("rtj-not-admitted", _J, "5.2.1.1-15", reg.N_UNAUTHORIZED,
       "a good certificate that no access rule admits", credentials="stranger"),
    # the acknowledgement, 5.2.1.4
    _m("ack-nonce", _A, "5.2.1.4-10", reg.N_AUTH, "a wrong Nonce_C", packet=_nonce_c),
    _m("ack-no-nonce", _A, "5.2.1.4-10", reg.N_AUTH, "no Nonce_C", packet=_remove(Nonce)),
    _m("ack-sig-bad", _A, "7.8.2-06", reg.N_AUTH, "one bit of the Signer's timestamp turned",
       octets=_flip(reg.P_SIG, False, 20)),
    _m("ack-type", _A, "7.9.2-03", _BAD, "Ack Type 1",
       packet=_set(Notification, data=AckData(ack_type=1))),
    _m("ack-no-notify", _A, "5.2.1.4-02", _BAD, "no Notification", packet=_remove(Notification)),
    # departure, 5.3.2.3.1
    _m("rtd-other-server", _D, "5.3.2.3.1-08", reg.N_ID_INFO, "the name of another key server",
       packet=_set(Identification, data=b"CN=other,O=MSEC Lab")),
    _m("rtd-notify", _D, "5.3.2.3.1-10", _BAD, "a Nack where Leave-Group belongs",
       packet=_other_notify(reg.N_NACK),
       also=("7-04",)),
    _m("rtd-no-nonce", _D, "5.3.2.3.1-04", _BAD, "no Nonce_I", packet=_remove(Nonce)),
    _m("rtd-id-class", _D, "7.6.2-02", _BAD, "ID Classification 3",
       packet=_set(Identification, id_class=3)),
    _m("rtd-id-type", _D, "7.6.2-03", _BAD, "ID Type 4", octets=_payload(reg.P_ID, 5, 4)),
    _m("rtd-sig-bad", _D, "7.8.2-06", reg.N_AUTH, "one bit of the nonce turned after signing",
       octets=_flip(reg.P_NONCE)),
    _m("rtd-group", _D, "7.1.2-02", reg.N_GROUP, "a GroupID that nobody serves",
       packet=_group_id(b"\xffUNKNOWN-group"), also=("5.3.2.3.1-07",)),
    # the departure acknowledgement, 5.3.2.3.3
    _m("da-nonce", _X, "5.3.2.3.3-09", reg.N_AUTH, "a wrong Nonce_C", packet=_nonce_c),
    _m("da-no-nonce", _X, "5.3.2.3.3-09", reg.N_AUTH, "no Nonce_C", packet=_remove(Nonce),
       also=("5.3.2.3.3-04",)),
    _m("da-sig-bad", _X, "7.8.2-06", reg.N_AUTH, "one bit of the timestamp turned",
       octets=_flip(reg.P_SIG, False, 20), also=("5.3.2.3.3-11",)),
    _m("da-no-notify", _X, "5.3.2.3.3-03", _BAD, "no Notification",
       packet=_remove(Notification)),
    _m("da-sequence", _X, "7.1.2-08", reg.N_SEQUENCE, "Sequence ID 1",
       packet=_set(None, sequence=1), also=("5.3.2.3.3-07",)),
    # the key download, 5.2.1.2
    _s("keydl-member", _K, "5.2.1.2-10", reg.N_ID_INFO, "the Member ID of somebody else",
       packet=_set(Identification, data=b"CN=other,O=MSEC Lab")),
    _s("keydl-nonce", _K, "5.2.1.2-11", reg.N_AUTH, "a wrong Nonce_C", packet=_nonce_c),
    _s("keydl-no-nonces", _K, "5.2.1.2-03", _BAD, "Nonce_R is missing",
       packet=_remove(Nonce, nonce_type=reg.NONCE_R),
       also=("5.2.1.2-05",)),
    _s("keydl-sig-bad", _K, "7.8.2-06", reg.N_AUTH, "one bit of Nonce_R's neighbour turned",
       octets=_flip(reg.P_KEYDL)),
    _s("keydl-no-token", _K, "5.2.1.2-03", _BAD, "no Policy Token", packet=_remove(PolicyToken)),
    _s("keydl-token-type", _K, "7.3.2-02", _BAD, "Policy Token Type 2",
       packet=_set(PolicyToken, token_type=2)),
    _s("keydl-token-cipher", _K, "5.2.1.2-15", reg.N_KEY_INFO, "a token that does not decrypt",
       packet=_corrupt(PolicyToken),
       also=("7.3.2-03",)),
    _s("keydl-token-forged", _K, "RFC4534-2-10", _BAD, "a token with a broken signature",
       plain=("token", _corrupt_token)),
    _s("keydl-keys-cipher", _K, "5.2.1.2-15", reg.N_KEY_INFO, "keys that do not decrypt",
       packet=_corrupt(KeyDownload),
       also=("7.4.2-01",)),
    _s("keydl-keys-none", _K, "7.4.1-03", reg.N_KEY_INFO, "no traffic key",
       plain=("keys", _no_items),
       also=("RFC4534-C.1-02",)),
    _s("keydl-item-type", _K, "7.4.2-03", _BAD, "KDD Item Type 2",
       plain=("keys", _first_item(item_type=2))),
    _s("keydl-counter", _K, "7.4.2-06", _BAD, "one item more than there is",
       plain=("keys", _one_more_item)),
    _s("keydl-key-type", _K, "7.4.2-04", reg.N_KEY_INFO, "Key Type 4 is reserved",
       plain=("keys", _first_item(key_type=4))),
    _s("keydl-key-expired", _K, "7.4.2-05", reg.N_KEY_INFO, "a key that has expired",
       plain=("keys", _first_item(expires=b"20000101000000Z"))),
    _s("keydl-key-date", _K, "7.4.1.1-05", reg.N_KEY_INFO, "a creation date of the month 13",
       plain=("keys", _first_item(created=b"20261301000000Z"))),
    _s("keydl-dh-one", _K, "7.11.2-03", _BAD, "public value 1", packet=_public(1)),
    _s("keydl-truncated", _K, "7.1.2-11", _BAD, "the last 20 octets are missing",
       octets=_cut(20)),
    _s("keydl-rogue", _K, "5.2.1.2-17", reg.N_UNAUTHORIZED,
       "a key server that the token does not name", credentials="rogue"),
    # rekey events, 5.3.1.1 and 7.5.2: never answered
    _s("rekey-sequence", _R, "7.1.2-09", reg.N_SEQUENCE, "Sequence ID 0",
       packet=_set(None, sequence=0)),
    _s("rekey-replayed", _R, "7.1.2-09", reg.N_SEQUENCE, "the same Rekey Event again",
       repeat=True),
    _s("rekey-sig-bad", _R, "7.8.2-06", reg.N_AUTH, "one bit of the event turned after signing",
       octets=_flip(reg.P_REKEY)),
    _s("rekey-group", _R, "7.5.2-03", reg.N_GROUP, "another GroupID in the Rekey Event Header",
       packet=_set(RekeyEvent, group_id=b"\xff\xff\xff\xff\xff\xff\xff\xffxxx")),
    _s("rekey-type", _R, "7.5.2-02", _BAD, "Rekey Event Type 2",
       packet=_set(RekeyEvent, event_type=2)),
    _s("rekey-type-inner", _R, "7.5.2-05", _BAD, "inner Rekey Event Type 0",
       packet=_set(RekeyEvent, rekey_type=0)),
    _s("rekey-algorithm", _R, "7.5.2-06", _BAD, "Algorithm Version 2",
       packet=_set(RekeyEvent, alg_version=2)),
    _s("rekey-count", _R, "7.5.2-07", _BAD, "one Rekey Event Data more than there is",
       packet=lambda p, _: setattr(p.find(RekeyEvent), "count",
                                   len(p.find(RekeyEvent).datas) + 1)),
    _s("rekey-packet-short", _R, "7.5.2-07", _BAD, "a Packet Length that is one too small",
       packet=_first_red(_packet_len(-1))),
    _s("rekey-packet-long", _R, "7.5.2-07", _BAD, "a Packet Length that runs out of the payload",
       packet=_first_red(_packet_len(60000))),
    _s("rekey-cipher", _R, "7.5.2-11", _BAD, "rekey data that do not decrypt",
       packet=_first_red(lambda red: setattr(
           red, "data", red.data[:-1] + bytes([red.data[-1] ^ 1])))),
    _s("rekey-package-type", _R, "7.5.2-12", _BAD, "Key Package Type 2",
       plain=("packages", _package(package_type=2))),
    _s("rekey-key-type", _R, "7.5.2-13", reg.N_KEY_INFO, "Key Type 4",
       plain=("packages", _package(key_type=4))),
    _s("rekey-key-id", _R, "7.5.2-14", reg.N_KEY_INFO, "a Key ID that the member does not hold",
       plain=("packages", _package(key_id=b"\xff\xff\xff\xff"))),
    _s("rekey-created", _R, "7.5.2-16", reg.N_KEY_INFO, "a key older than the one held",
       plain=("packages", _package(created=b"20000101000000Z"))),
    _s("rekey-expires", _R, "7.5.2-17", reg.N_KEY_INFO, "a key that expires before its creation",
       plain=("packages", _package(expires=b"20000101000000Z"))),
    _s("rekey-truncated", _R, "7.1.2-11", _BAD, "the last 20 octets are missing",
       octets=_cut(20)),
    # departure, 5.3.2.3.2
    _s("dr-member", _P, "5.3.2.3.2-10", reg.N_ID_INFO, "the Member ID of somebody else",
       packet=_set(Identification, data=b"CN=other,O=MSEC Lab")),
    _s("dr-nonce", _P, "5.3.2.3.2-11", reg.N_AUTH, "a wrong Nonce_C", packet=_nonce_c),
    _s("dr-no-nonces", _P, "5.3.2.3.2-03", _BAD, "Nonce_R is missing",
       packet=_remove(Nonce, nonce_type=reg.NONCE_R), also=("5.3.2.3.2-05",)),
    _s("dr-sequence", _P, "7.1.2-08", reg.N_SEQUENCE, "Sequence ID 1",
       packet=_set(None, sequence=1), also=("5.3.2.3.2-09",)),
    _s("dr-notify", _P, "5.3.2.3.2-15", _BAD, "a Nack where acceptance belongs",
       packet=_other_notify(reg.N_NACK)),
    _s("dr-sig-bad", _P, "7.8.2-06", reg.N_AUTH, "one bit of the timestamp turned",
       octets=_flip(reg.P_SIG, False, 20), also=("5.3.2.3.2-13",)),
    # the lack of ack, 5.2.1.5
    _s("loa-member", _L, "5.2.1.5-08", reg.N_ID_INFO, "the Member ID of somebody else",
       packet=_set(Identification, data=b"CN=other,O=MSEC Lab")),
    _s("loa-nonce", _L, "5.2.1.5-09", reg.N_AUTH, "a wrong Nonce_C", packet=_nonce_c),
    _s("loa-sequence", _L, "7.1.2-08", reg.N_SEQUENCE, "Sequence ID 1",
       packet=_set(None, sequence=1), also=("5.2.1.5-07",)),
    _s("loa-sig-bad", _L, "7.8.2-06", reg.N_AUTH, "one bit of the timestamp turned",
       octets=_flip(reg.P_SIG, False, 20), also=("5.2.1.5-12",)),
]

def find(name, role=None):
    for entry in CATALOGUE:
        if entry.name == name and role in (None, entry.role):
            return entry
    raise KeyError(f"no misbehaviour {name!r} for a {role or 'peer'}")


# --------------------------------------------------------------------- runner

def run(entry, runner, listen=2.0, hold=lambda: None):
    """Send one entry of role member through a net.MemberRunner. What came back, as a dict.

    `hold` is called between the honest exchange and the replay of entries that repeat."""
    gm = entry.arm(runner.member)
    seen = []
    honest = gm.on_event

    def on_event(event):
        seen.append(event)
        honest(event)
    gm.on_event = on_event
    runner.tries = 1
    runner.timeout = listen
    joined = runner.join()
    if entry.exchange in (reg.X_RTD, reg.X_DA):
        runner.leave()
    if entry.repeat:
        hold()
        del seen[:]
        runner.send(gm.rtj)
        gm.state = "joining"
        runner.run(listen)
    answers = [e["exchange"] for e in seen if e["event"] == "received"]
    errors = [e["notify_name"] for e in seen if e["event"] == "rtj-error"]
    refused = not (joined if entry.exchange == reg.X_RTJ and not entry.repeat
                   else "KeyDL" in answers if entry.repeat
                   else gm.state == "left")
    if entry.exchange in (reg.X_ACK, reg.X_DA):
        refused = None  # only the key server can tell
    return {**entry.as_dict(), "answers": answers, "errors": errors, "refused": refused}


def main(argv=None):
    p = argparse.ArgumentParser(prog="msec_scapy.misbehave", add_help=False,
                                description="Wrong messages by name.")
    p.add_argument("--list", action="store_true")
    p.add_argument("--json", action="store_true", help="with --list: one object a line")
    p.add_argument("--role", choices=("member", "server"))
    p.add_argument("--run", metavar="NAME")
    p.add_argument("--listen", type=float, default=2.0, help="seconds to wait for an answer")
    a, rest = p.parse_known_args(argv)
    if a.run:
        from . import cli
        runner = cli.member_runner(rest)
        try:
            result = run(find(a.run, "member"), runner, a.listen)
        finally:
            runner.close()
        print(json.dumps(result))
        return 0 if result["refused"] is not False else 1
    for entry in CATALOGUE:
        if a.role in (None, entry.role):
            print(json.dumps(entry.as_dict()) if a.json else
                  f"{entry.name:26} {entry.role:7} {entry.req:24} {entry.text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
