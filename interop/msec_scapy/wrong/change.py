# SPDX-License-Identifier: BSD-2-Clause
"""How to make a message wrong: changes of a packet before it is signed, of finished octets, or of what gets encrypted."""
from asn1crypto import cms

from .. import crypto
from .. import registry as reg
from ..gsakmp import Certificate, KeyCreation, KeyDownload, Nonce, Notification, RekeyEvent, Signature, VendorID
from ..message import frame, walk_loose


def put(cls, **values):
    """Set fields of one payload (or of the header, cls None)."""
    def change(packet, _party):
        target = packet if cls is None else packet.find(cls)
        for name, value in values.items():
            setattr(target, name, value)
    return change


def remove(cls, **which):
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


def insert(payload):
    """Put a payload right behind the header."""
    def change(packet, _party):
        rest = packet.payload
        packet.remove_payload()
        packet.add_payload(payload.copy() / rest)
    return change


def append(payload):
    def change(packet, _party):
        last = packet.lastlayer()
        last.add_payload(payload.copy())
    return change


def twice(cls):
    def change(packet, _party):
        one = packet.find(cls).copy()
        one.remove_payload()
        insert(one)(packet, _party)
    return change


def header(offset, value, size=1):
    """Overwrite header octets, counted from the end of the GroupID."""
    def change(octets, _party):
        at = frame(octets)[1] + offset
        return octets[:at] + value.to_bytes(size, "big") + octets[at + size:]
    return change


def payload(kind, offset, value, size=1):
    """Overwrite octets of the first payload of a type, after the signature is made."""
    def change(octets, _party):
        at = next(a for k, a, _ in walk_loose(octets) if k == kind) + offset
        return octets[:at] + value.to_bytes(size, "big") + octets[at + size:]
    return change


def flip(kind, from_end=True, at=-1):
    """Turn one bit of a payload."""
    def change(octets, _party):
        start, size = next((a, s) for k, a, s in walk_loose(octets) if k == kind)
        place = start + size + at if from_end else start + at
        return octets[:place] + bytes([octets[place] ^ 1]) + octets[place + 1:]
    return change


def group_id(value, kind=2):
    def change(packet, _party):
        packet.group_id, packet.group_id_type = value, kind
    return change


def date(cls, shift):
    def change(packet, _party):
        from ..times import date, undate
        target = packet.find(cls)
        target.timestamp = date(undate(target.timestamp) + shift)
    return change


def public(value):
    """A degenerate Diffie-Hellman value: a number, or "p-1", "p"."""
    def change(packet, _party):
        creation = packet.find(KeyCreation)
        size = len(creation.data)
        p = crypto.MODP.get(creation.create_type)
        number = {"p-1": (p or 0) - 1, "p": p}.get(value, value)
        creation.data = (number if p else 0).to_bytes(size, "big")
    return change


def first_item(**values):
    """Change the first Key Download Item, or the Key Datum in it."""
    def change(data):
        item = data.items[0]
        for name, value in values.items():
            setattr(item if name in ("item_type", "length") else item.body, name, value)
        return data
    return change


def no_items(data):
    data.items = [i for i in data.items if i.item_type != reg.KDD_GTPK]
    return data


def one_more_item(data):
    data.count = len(data.items) + 1
    return data


def package(**values):
    def change(packages):
        for package in packages.packages:
            for name, value in values.items():
                setattr(package if name in ("package_type", "length") else package.body, name,
                        value)
        return packages
    return change


def first_red(change_data):
    def change(packet, _party):
        change_data(packet.find(RekeyEvent).datas[0])
    return change


def packet_len(by):
    """A Packet Length that lies, with the octets it tells about left as they are."""
    def change(red):
        red.packet_len = len(red.data) + by
    return change


def cut(count):
    return lambda octets, _party: octets[:-count]


def behind(octets, _party):
    return octets + b"\0"


def many(packet, _party):
    for _ in range(80):
        insert(Nonce(nonce_type=reg.NONCE_I, data=b"stuffing"))(packet, _party)


def wrong_signer(packet, _party):
    """A name of the same shape, so that a rule with a wildcard still admits it."""
    signature = packet.find(Signature)
    first, comma, rest = signature.signer_id.partition(b",")
    signature.signer_id = first + b"x" + comma + rest


def nonce_c(packet, _party):
    nonce = packet.find(Nonce, nonce_type=reg.NONCE_C)
    nonce.data = bytes([nonce.data[0] ^ 1]) + nonce.data[1:]


def corrupt(cls):
    """Turn a bit of a ciphertext before the message is signed."""
    def change(packet, _party):
        p = packet.find(cls)
        p.data = p.data[:-1] + bytes([p.data[-1] ^ 1])
    return change


def corrupt_token(octets):
    """A token whose signature has one bit turned."""
    return octets[:-1] + bytes([octets[-1] ^ 1])


def without_vendor(packet, party):
    remove(VendorID)(packet, party)


def other_notify(number):
    def change(packet, _party):
        n = packet.find(Notification)
        n.notify, n.data = number, b""
    return change


def _without(*classes):
    """A change that takes every payload of some kinds out."""
    def change(packet, _party):
        layer = packet
        while layer.payload:
            target = layer.payload
            if not isinstance(target, classes):
                layer = target
                continue
            rest = target.payload
            layer.remove_payload()
            if rest:
                layer.add_payload(rest)
    return change


bare = _without(Certificate)
unsigned = _without(Signature, Certificate)
nonceless = _without(Nonce)


def unsigned_token(octets):
    """The SignedData of a token with no SignerInfo in it."""
    token = cms.ContentInfo.load(octets)
    token["content"]["signer_infos"] = []
    return token.dump(force=True)


def without_attributes(*names):
    """A change that takes signed attributes out of a token; all of them when none is named."""
    def change(octets):
        token = cms.ContentInfo.load(octets)
        info = token["content"]["signer_infos"][0]
        kept = [a for a in info["signed_attrs"] if a["type"].native not in names] if names else []
        info["signed_attrs"] = cms.CMSAttributes(kept) if kept else None
        return token.dump(force=True)
    return change


def clear_keys(packet, _party):
    """Key Data that nobody encrypted: one item of GTPK with a Key Datum."""
    packet.find(KeyDownload).data = bytes.fromhex("0001" "00" "0037" "000c" "00000001" "00000001") + (
        b"20260101000000Z" b"20991231235959Z") + bytes(16)
