# SPDX-License-Identifier: BSD-2-Clause
"""A Group Member that only receives (RFC 4535 section 5.2.3): it never says a word."""
from cryptography.hazmat.primitives.asymmetric import dh, ec, x25519
from cryptography.hazmat.primitives.serialization import (Encoding, NoEncryption, PrivateFormat,
                                                          PublicFormat,
                                                          load_pem_private_key,
                                                          load_pem_public_key)

from . import crypto
from . import registry as reg
from .member import IDLE, JOINING, LEAVING, LEFT, MEMBER, Member
from .refusal import Refusal
from .times import undate


def load_static(create_type, path):
    """The static key pair in a PKCS #8 file."""
    with open(path, "rb") as f:
        key = load_pem_private_key(f.read(), None)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        private = key.private_numbers().private_value
    elif isinstance(key, x25519.X25519PrivateKey):
        private = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    else:
        private = key.private_numbers().x
    return crypto.KeyExchange(create_type, private)


def load_public(path):
    """The public value in a SubjectPublicKeyInfo file, as a Key Creation payload has it."""
    with open(path, "rb") as f:
        key = load_pem_public_key(f.read())
    if isinstance(key, ec.EllipticCurvePublicKey):
        n = key.public_numbers()
        return n.x.to_bytes(32, "big") + n.y.to_bytes(32, "big")
    if isinstance(key, dh.DHPublicKey):
        n = key.public_numbers()
        return n.y.to_bytes((n.parameter_numbers.p.bit_length() + 7) // 8, "big")
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


class Listener(Member):
    """receive() never has an answer; listen() begins."""
    EXPECTED = {IDLE: set(), LEFT: set(), LEAVING: set(), JOINING: {reg.X_KEYDL},
                MEMBER: {reg.X_KEYDL, reg.X_REKEY}}

    def __init__(self, *args, static, **kw):
        super().__init__(*args, **kw)
        self.static, self.newest = static, 0

    def listen(self):
        self.state = JOINING

    def join(self, now, cookie=None):
        raise ValueError("a member that only receives does not ask")

    leave = join

    def _failed(self, octets, refusal, now):
        self.refused(refusal, self._exchange_of(octets))
        return []

    def _key_download(self, m, now):
        self.check_addressee(m, "RFC4535-5.2.3-06")
        if any(m.nonce(kind) is not None for kind in (reg.NONCE_I, reg.NONCE_R, reg.NONCE_C)):
            raise Refusal(reg.N_MALFORMED, "RFC4535-5.2.3-05", "Nonce", "is there")
        self.check_fresh_time(m, now)
        signed = undate(m.signature.timestamp)
        if signed <= self.newest:
            raise Refusal(int(self.dialect.freshness_code), "RFC4535-5.2.3-06",
                          "Signature Timestamp", "not after the last one")
        self.kex = self.static
        self._take_keys(m, now)
        self.newest = signed
        return []
