# SPDX-License-Identifier: BSD-2-Clause
"""Encryption of the policy token, the key download and the rekey event data.

The order of work, the IV, the padding and the Packet Length follow the dialect.
AES-GCM is ours and has one reading only: a random 12-octet IV in front.
"""
import os

from scapy.packet import Raw

from . import crypto
from . import dialect as dialects
from . import registry as reg
from .crypto import CryptoError, algorithm, key_len
from .gsakmp import KeyDatum, KeyDownloadData, RekeyEventData, RekeyPackages


class FormError(CryptoError):
    """Decrypted, but the structure inside is not well formed."""


def _seal(enc_type, key, plain, aad, mode, how, given_iv, random):
    """(octets of the field, last ciphertext block). `mode`: prefix, suffix or derived."""
    alg = algorithm(enc_type)
    if alg.mode == "gcm" or mode in ("prefix", "suffix"):
        iv = random(alg.iv)
    else:
        iv = given_iv[:alg.iv].ljust(alg.iv, b"\0")
    body = crypto.encrypt(enc_type, key, iv, plain, aad, how)
    last = body[-alg.block:]
    if alg.mode == "gcm" or mode == "prefix":
        return iv + body, last
    return (body + iv if mode == "suffix" else body), last


def _open(enc_type, key, octets, aad, mode, how, given_iv):
    alg = algorithm(enc_type)
    if len(key) != key_len(enc_type, dialects.current().dialect):
        raise CryptoError(f"key of {len(key)} octets for encryption type {enc_type}")
    if alg.mode == "gcm" or mode in ("prefix", "suffix"):
        if len(octets) < alg.iv:
            raise CryptoError("no room for the IV")
        if alg.mode != "gcm" and mode == "suffix":
            iv, body = octets[-alg.iv:], octets[:-alg.iv]
        else:
            iv, body = octets[:alg.iv], octets[alg.iv:]
    else:
        iv, body = given_iv[:alg.iv].ljust(alg.iv, b"\0"), octets
    return crypto.decrypt(enc_type, key, iv, body, aad, how), body[-alg.block:]


class Registration:
    """Protection under the KEK of one registration: policy token, then key download."""

    def __init__(self, enc_type, kek, dialect=dialects.STRICT, secret=b"", nonce_i=b"",
                 nonce_r=b"", nonce_c=b"", random=os.urandom):
        self.enc_type, self.kek, self.dialect, self.random = enc_type, kek, dialect, random
        self.secret, self.nonces = secret, {"i": nonce_i, "r": nonce_r, "c": nonce_c}
        self._chain = b""

    def _iv(self, is_token):
        """(how the IV travels, its value if it does not)."""
        how, size = self.dialect.iv_keydl, algorithm(self.enc_type).iv
        if how in ("prefix", "suffix"):
            return how, b""
        if how.startswith("chain"):
            if is_token:
                return ("prefix", b"") if how == "chain_prefix" else ("derived", b"")
            return "derived", self._chain
        if how == "dh_next":
            return "derived", crypto.kek_bits(self.secret, len(self.kek), self.dialect, size)[1]
        if how.startswith("nonce_"):
            return "derived", self.nonces[how[-1]]
        return "derived", self.kek if how == "key" else b""

    def seal(self, plain, aad=b"", is_token=False):
        mode, iv = self._iv(is_token)
        octets, last = _seal(self.enc_type, self.kek, plain, aad, mode, self.dialect.pad, iv,
                             self.random)
        if is_token:
            self._chain = last
        return octets

    def open(self, octets, aad=b"", is_token=False):
        mode, iv = self._iv(is_token)
        with dialects.use(self.dialect, self.enc_type):
            plain, last = _open(self.enc_type, self.kek, octets, aad, mode, self.dialect.pad, iv)
        if is_token:
            self._chain = last
        return plain

    # The clear octets after the generic header are the associated data of AES-GCM.
    def seal_token(self, token, token_type=1):
        return self.seal(token, token_type.to_bytes(2, "big"), True)

    def open_token(self, payload):
        return cut_der(self.open(payload.data, payload.token_type.to_bytes(2, "big"), True),
                       self.dialect)

    def seal_keys(self, key_download_data):
        with dialects.use(self.dialect, self.enc_type):
            plain = bytes(key_download_data)
        return self.seal(plain)

    def open_keys(self, payload):
        return decode(KeyDownloadData, self.open(payload.data), self.dialect)


def token_key(enc_type, key, key_id=bytes(4), handle=bytes(4), dialect=dialects.STRICT,
              random=os.urandom):
    """Protection of a policy token in a Rekey Event, under a GTPK (5.3.1.1)."""
    return _Wrapping(enc_type, key, key_id, handle, dialect, random)


class _Wrapping:
    """Protection under a group key that the wire names by Key ID and Handle."""

    def __init__(self, enc_type, key, key_id, handle, dialect, random):
        self.enc_type, self.key, self.dialect, self.random = enc_type, key, dialect, random
        self.key_id, self.handle = key_id, handle

    def _iv(self):
        how = self.dialect.iv_rekey
        value = {"handle": self.key_id + self.handle, "key": self.key}.get(how, b"")
        return (how if how in ("prefix", "suffix") else "derived"), value

    def seal(self, plain, aad):
        mode, iv = self._iv()
        return _seal(self.enc_type, self.key, plain, aad, mode, self.dialect.pad, iv,
                     self.random)[0]

    def open(self, octets, aad):
        mode, iv = self._iv()
        with dialects.use(self.dialect, self.enc_type):
            return _open(self.enc_type, self.key, octets, aad, mode, self.dialect.pad, iv)[0]

    def seal_token(self, token, token_type=1):
        return self.seal(token, token_type.to_bytes(2, "big"))

    def open_token(self, payload):
        return cut_der(self.open(payload.data, payload.token_type.to_bytes(2, "big")),
                       self.dialect)


def seal_rekey_data(enc_type, key, key_id, handle, packages, dialect=dialects.STRICT,
                    random=os.urandom):
    """A RekeyEventData that carries RekeyPackages wrapped in a group key."""
    width = int(dialect.wrap_width)
    wrapping = _Wrapping(enc_type, key, key_id[-width:], handle, dialect, random)
    with dialects.use(dialect, enc_type):
        plain = bytes(packages)
        clear, secret = (plain[:2], plain[2:]) if dialect.red_scope == "packages" else (b"", plain)
        data = clear + wrapping.seal(secret, key_id[-width:] + handle)
        if dialect.pkt_len.startswith("plain"):
            length = len(plain) + _extra(dialect)
        else:
            length = packet_len_of_wire_len(len(data))
        return RekeyEventData(packet_len=length, wrap_id=key_id[-width:], wrap_handle=handle,
                              data=data)


def open_rekey_data(red, enc_type, key, dialect=dialects.STRICT):
    """The RekeyPackages of a RekeyEventData."""
    wrapping = _Wrapping(enc_type, key, red.wrap_id, red.wrap_handle, dialect, None)
    aad = red.wrap_id + red.wrap_handle
    if dialect.red_scope == "packages":
        plain = red.data[:2] + wrapping.open(red.data[2:], aad)
    else:
        plain = wrapping.open(red.data, aad)
    return decode(RekeyPackages, plain, dialect)


# ------------------------------------------------- Packet Length, both ways

def _extra(dialect):
    """Octets of clear fields that Packet Length counts: the Wrapping fields, or itself too."""
    wrapping = int(dialect.wrap_width) + 4
    return {"8": wrapping, "10": wrapping + 2}.get(dialect.pkt_len.partition("+")[2], 0)


def sealed_len(enc_type, plain_len, dialect):
    """Octets that `plain_len` octets become under a wrapping key."""
    alg = algorithm(enc_type)
    if alg.mode == "gcm":
        return alg.iv + plain_len + alg.tag
    iv = alg.iv if dialect.iv_rekey in ("prefix", "suffix") else 0
    if alg.mode == "ctr" or dialect.pad.startswith("cts"):
        return iv + plain_len
    return iv + len(crypto.pad(bytes(plain_len), alg.block, dialect.pad))


def wire_len_of_packet_len(packet_len):
    """How many octets follow Wrapping Key Handle."""
    layout = dialects.current()
    name, extra = layout.dialect.pkt_len, _extra(layout.dialect)
    value = (packet_len or 0) - extra
    if name == "cipher-iv":
        value += _explicit_iv(layout)
    elif name.startswith("plain"):
        clear = 2 if layout.dialect.red_scope == "packages" else 0
        value = clear + sealed_len(layout.wrap_type, max(0, value - clear), layout.dialect)
    return max(0, value)


def packet_len_of_wire_len(wire_len):
    layout = dialects.current()
    name = layout.dialect.pkt_len
    if name.startswith("plain"):
        raise ValueError("Packet Length counts plaintext: it has to be given")
    return wire_len + _extra(layout.dialect) - (_explicit_iv(layout) if name == "cipher-iv" else 0)


def _explicit_iv(layout):
    alg = algorithm(layout.wrap_type)
    explicit = alg.mode == "gcm" or layout.dialect.iv_rekey in ("prefix", "suffix")
    return alg.iv if explicit else 0


# ------------------------------------------------------------- decoded forms

def decode(cls, plain, dialect):
    """A decrypted structure, read to its last octet."""
    if len(plain) < 2:
        raise FormError(f"{len(plain)} octets are no {cls.__name__}")
    with dialects.use(dialect):
        data = cls(plain)
        tail = bytes(data.trailing)
        if tail and not _is_padding(tail, dialect):
            raise FormError(f"{len(tail)} octets behind the {cls.__name__}")
        if tail:
            data = cls(plain[:len(plain) - len(tail)])
        again = data.copy()
        _recount(again)
        if bytes(again) != bytes(data):
            raise FormError(f"lengths or counters of the {cls.__name__} are wrong")
        _no_leftovers(data)
    return data


def _no_leftovers(packet):
    """Every octet below a packet belongs to a field, every key has its length."""
    if isinstance(packet, Raw) or packet.payload:
        raise FormError("octets that no structure claims")
    if isinstance(packet, KeyDatum):
        size = key_len(packet.key_type, dialects.current().dialect) if reg.KEY_TYPE.known(
            packet.key_type, True) else None
        if size is not None and len(packet.key) != size:
            raise FormError(f"key of {len(packet.key)} octets for Key Type {packet.key_type}")
    kind = packet.fields.get("item_type", packet.fields.get("package_type"))
    if kind is not None and not reg.KDD_ITEM.known(kind):
        return  # the caller names this fault
    for value in packet.fields.values():
        for sub in value if isinstance(value, list) else [value]:
            if hasattr(sub, "fields_desc"):
                _no_leftovers(sub)


def _recount(packet):
    """Forget every length and counter below a packet, so that building computes them."""
    packet.clear_cache()
    for name in ("count", "length"):
        if name in packet.fields:
            packet.fields[name] = None
    for value in list(packet.fields.values()):
        for sub in value if isinstance(value, list) else [value]:
            if hasattr(sub, "fields_desc"):
                _recount(sub)


def _is_padding(tail, dialect):
    if len(tail) >= 16:
        return False
    if dialect.pad == "zero":
        return tail == bytes(len(tail))
    return dialect.pad == "pkcs7_ifneeded" and tail == bytes([len(tail)]) * len(tail)


def cut_der(octets, dialect):
    """The DER object at the start; after it only padding that the dialect permits."""
    if len(octets) < 2:
        raise CryptoError("no DER object")
    size, head = octets[1], 2
    if size & 0x80:
        head += size & 0x7F
        size = int.from_bytes(octets[2:head], "big")
    tail = octets[head + size:]
    if len(octets) < head + size or (tail and not _is_padding(tail, dialect)):
        raise CryptoError("policy token is not one DER object")
    return octets[:head + size]


