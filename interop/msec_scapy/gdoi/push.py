# SPDX-License-Identifier: BSD-2-Clause
"""Protection of GROUPKEY-PUSH (RFC 6407 4): signature first, then encryption under the KEK."""
import os
from dataclasses import dataclass

from . import numbers as n
from . import sign
from .dialect import STRICT
from .isakmp import HEADER_LEN
from .isakmp import Signature as SigPayload
from .suite import BLOCK, cbc_decrypt, cbc_encrypt, digest, pad

_FLAGS, _LENGTH = 19, slice(24, 28)


@dataclass
class Kek:
    """What encrypts and signs the messages of one Rekey SA."""
    spi: bytes
    algorithm: int  # KEK_ALGORITHM
    key: bytes
    iv: bytes
    sig: int = 1
    sig_hash: int = 3
    public_key: object = None
    last_block: bytes = b""  # of the PUSH before; with push_iv=chained

    @property
    def cipher(self):
        return n.KEK[self.algorithm]

    @property
    def block(self):
        return BLOCK[self.cipher]


def header(spi, first, length, encrypted=True):
    return (spi + bytes([first, 0x10, n.X_PUSH, int(encrypted)]) + bytes(4) + length.to_bytes(4, "big"))


def covered(head, unpadded_len, before_sig, dialect=STRICT, reading=None):
    """The octets whose hash is signed. `head` is the header as transmitted."""
    reading = reading or dialect.push_sig_hdr
    head = bytearray(head)
    if reading != "final":
        head[_LENGTH] = unpadded_len.to_bytes(4, "big")
    if reading == "clear":
        head[_FLAGS] &= ~n.F_ENCRYPTED
    prefix = b"rekey\0" if dialect.push_sig_prefix == "rekey-nul" else b"rekey"
    return prefix + bytes(head) + before_sig


def first_iv(kek, dialect, random):
    """(octets in front of the ciphertext, IV)."""
    if dialect.push_iv == "prepended":
        iv = random(kek.block)
        return iv, iv
    return b"", {"kek": kek.iv, "chained": kek.last_block or kek.iv, "zero": bytes(kek.block)}[dialect.push_iv]


def seal(kek, private_key, before_sig, dialect=STRICT, random=os.urandom, signature=None):
    """A whole GROUPKEY-PUSH. `before_sig` are the payloads from SEQ on, the last of which names SIG as
    the next. `signature` may replace the one that is made (tests)."""
    front, iv = first_iv(kek, dialect, random)
    size = None if signature is None else len(signature)
    size = size or sign.push_signature_len(private_key, kek.sig, dialect)
    attempt = bytes(size if size is not None else 48)
    while True:
        payloads = before_sig + bytes(SigPayload(next_payload=0, data=attempt))
        unpadded = HEADER_LEN + len(payloads)
        body = pad(payloads, kek.block, dialect.pad)
        head = header(kek.spi, n.P_SEQ, HEADER_LEN + len(front) + len(body))
        made = signature or sign.push_sign(private_key, kek.sig, kek.sig_hash, digest(
            sign.push_hash_name(kek.sig, kek.sig_hash),
            covered(head, unpadded, before_sig, dialect)), dialect)
        if len(made) == len(attempt):
            break
        attempt = bytes(len(made))  # DER of r and s: of one length or another
    body = pad(before_sig + bytes(SigPayload(next_payload=0, data=made)), kek.block, dialect.pad)
    sealed = cbc_encrypt(kek.cipher, kek.key, iv, body)
    kek.last_block = sealed[-kek.block:]
    return head + front + sealed


def unseal(kek, octets, dialect=STRICT):
    """(plaintext with its padding, last ciphertext block); ValueError where it cannot be decrypted."""
    sealed = octets[HEADER_LEN:]
    iv = {"kek": kek.iv, "chained": kek.last_block or kek.iv, "zero": bytes(kek.block)}.get(dialect.push_iv)
    if iv is None:
        iv, sealed = sealed[:kek.block], sealed[kek.block:]
    if not sealed or len(sealed) % kek.block or len(iv) != kek.block:
        raise ValueError(f"{len(sealed)} octets under {kek.cipher}")
    return cbc_decrypt(kek.cipher, kek.key, iv, sealed), sealed[-kek.block:]


def verify(kek, octets, before_sig, sig_payload_len, signature, dialect=STRICT):
    """Which reading of the header was signed; sign.BadSignature when none is. `unpadded` and `final`
    are both taken: both are under the signature."""
    head = octets[:HEADER_LEN]
    unpadded = HEADER_LEN + len(before_sig) + sig_payload_len
    fault = None
    for reading in dict.fromkeys((dialect.push_sig_hdr, "unpadded", "final")):
        hashed = digest(sign.push_hash_name(kek.sig, kek.sig_hash),
                        covered(head, unpadded, before_sig, dialect, reading))
        try:
            sign.push_verify(kek.public_key, kek.sig, kek.sig_hash, hashed, signature, dialect)
            return reading
        except sign.BadSignature as e:
            fault = e
    raise fault
