# SPDX-License-Identifier: BSD-2-Clause
"""Hashes, prfs, ciphers and Diffie-Hellman groups of phase 1 and of the Rekey SA.

RFC 2409 6, RFC 3526 and RFC 5903 for the groups; legacy ones say so in LEGACY.
"""
import hashlib
import hmac
import os
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from . import numbers as n

LEGACY = {"hash": {1}, "cipher": {1, 5}, "group": {1, 2, 5}}


def digest(name, data):
    return hashlib.new(name, data).digest()


def mac(name, key, data):
    return hmac.new(key, data, name).digest()


def hash_len(name):
    return hashlib.new(name).digest_size


def same(left, right):
    return hmac.compare_digest(left, right)


# ------------------------------------------------------------------------ ciphers

BLOCK = {"des": 8, "3des": 8, "aes": 16}
KEY_LEN = {"des": (8,), "3des": (24,), "aes": (16, 24, 32)}


def _algorithm(name, key):
    if name == "aes":
        return algorithms.AES(key)
    return algorithms.TripleDES(key * 3 if name == "des" else key)  # one key thrice is DES


def _run(name, key, mode, data, encrypt):
    context = Cipher(_algorithm(name, key), mode)
    context = context.encryptor() if encrypt else context.decryptor()
    return context.update(data) + context.finalize()


def cbc_encrypt(name, key, iv, data):
    return _run(name, key, modes.CBC(iv), data, True)


def cbc_decrypt(name, key, iv, data):
    return _run(name, key, modes.CBC(iv), data, False)


def ecb_encrypt(name, key, data):
    return _run(name, key, modes.ECB(), data, True)


def ecb_decrypt(name, key, data):
    return _run(name, key, modes.ECB(), data, False)


def pad(data, block, style="zero"):
    """RFC 2409 B: zero octets as needed; with `zero-len` always, and the last octet counts the others."""
    if style == "zero":
        return data + bytes(-len(data) % block)
    fill = block - len(data) % block
    return data + bytes(fill - 1) + bytes([fill - 1])


def odd_parity(key):
    return bytes(b & 0xFE | (1 - bin(b >> 1).count("1") % 2) for b in key)


# --------------------------------------------------------------- Diffie-Hellman groups

def _pi(bits):
    """floor(pi * 2^bits), by Machin's formula."""
    guard = bits + 64

    def arctan(x):
        term = total = (1 << guard) // x
        k, sign = 3, -1
        while term:
            term //= x * x
            total += sign * (term // k)
            k, sign = k + 2, -sign
        return total
    return 4 * (4 * arctan(5) - arctan(239)) >> 64


# group: (bits, the number that RFC 2409 6 and RFC 3526 add to [2^(bits-130) pi])
_MODP = {1: (768, 149686), 2: (1024, 129093), 5: (1536, 741804), 14: (2048, 124476), 15: (3072, 1690314),
         16: (4096, 240904), 17: (6144, 929484), 18: (8192, 4743158)}
_ECP = {19: ec.SECP256R1, 20: ec.SECP384R1, 21: ec.SECP521R1}
GROUPS = sorted([*_MODP, *_ECP])
_primes = {}


def prime(group):
    if group not in _primes:
        bits, more = _MODP[group]
        _primes[group] = 2**bits - 2**(bits - 64) - 1 + 2**64 * (_pi(bits - 130) + more)
    return _primes[group]


class DhError(ValueError):
    pass


class DiffieHellman:
    """One side of an exchange. `private` (octets) makes it reproducible."""

    def __init__(self, group, private=None, random=os.urandom):
        if group not in GROUPS:
            raise DhError(f"group {group}")
        self.group, self.made = group, None
        if group in _MODP:
            self.size = _MODP[group][0] // 8
            octets = private if private is not None else random(self.size)
            self.x = int.from_bytes(octets, "big") % (prime(group) - 2) + 1 if private is None else int.from_bytes(
                octets, "big")
            return
        curve = _ECP[group]()
        self.size = (curve.key_size + 7) // 8
        if private is not None:
            self.x = int.from_bytes(private, "big")
        else:  # below the order of every one of these curves
            self.x = int.from_bytes(random(self.size), "big") >> (self.size * 8 - curve.key_size + 1) or 1
        self.key = ec.derive_private_key(self.x, curve)

    def private(self):
        return self.x.to_bytes(self.size, "big")

    def public(self):
        """Key exchange data of a KE: as long as the prime, or x and y."""
        if self.group in _MODP:
            if self.made is None:
                self.made = pow(2, self.x, prime(self.group)).to_bytes(self.size, "big")
            return self.made
        point = self.key.public_key().public_numbers()
        return point.x.to_bytes(self.size, "big") + point.y.to_bytes(self.size, "big")

    def secret(self, public):
        """g^xy as long as the prime, or the x coordinate."""
        check_public(self.group, public)
        if self.group in _MODP:
            p = prime(self.group)
            return pow(int.from_bytes(public, "big"), self.x, p).to_bytes(self.size, "big")
        half = self.size
        point = ec.EllipticCurvePublicNumbers(int.from_bytes(public[:half], "big"),
                                              int.from_bytes(public[half:], "big"), _ECP[self.group]())
        return self.key.exchange(ec.ECDH(), point.public_key())


def check_public(group, public):
    """DhError unless a public value may be used."""
    if group in _MODP:
        if len(public) != _MODP[group][0] // 8:
            raise DhError(f"{len(public)} octets for group {group}")
        if not 1 < int.from_bytes(public, "big") < prime(group) - 1:
            raise DhError("a public value of a small subgroup")
        return
    curve = _ECP[group]()
    size = (curve.key_size + 7) // 8
    if len(public) != 2 * size:
        raise DhError(f"{len(public)} octets for group {group}")
    try:
        ec.EllipticCurvePublicNumbers(int.from_bytes(public[:size], "big"), int.from_bytes(public[size:], "big"),
                                      curve).public_key()
    except ValueError as e:
        raise DhError(str(e)) from e


# ------------------------------------------------------------------- a phase 1 suite

@dataclass(frozen=True)
class Suite:
    """What a transform of phase 1 proposes; numbers of RFC 2409 appendix A."""
    cipher: int = 7
    hash: int = 4
    auth: int = 1
    group: int = 14
    key_bits: int = 128
    lifetime: int = 28800

    def __post_init__(self):
        if (self.cipher not in n.CIPHER or self.hash not in n.HASH or self.auth not in n.AUTH
                or self.group not in GROUPS or (self.cipher == 7 and self.key_bits not in (128, 192, 256))):
            raise ValueError(f"no such suite: {self}")

    @property
    def hash_name(self):
        return n.HASH[self.hash]

    @property
    def cipher_name(self):
        return n.CIPHER[self.cipher]

    @property
    def key_octets(self):
        return self.key_bits // 8 if self.cipher == 7 else KEY_LEN[self.cipher_name][0]

    @property
    def block(self):
        return BLOCK[self.cipher_name]

    @staticmethod
    def parse(text):
        """`aes128-sha256-psk-modp2048`: cipher, hash, authentication, group; -LIFETIME may follow."""
        words = text.split("-")
        ciphers = {"des": (1, 128), "3des": (5, 128), "aes128": (7, 128), "aes192": (7, 192), "aes256": (7, 256)}
        groups = {"modp768": 1, "modp1024": 2, "modp1536": 5, "modp2048": 14, "modp3072": 15, "modp4096": 16,
                  "modp6144": 17, "modp8192": 18, "ecp256": 19, "ecp384": 20, "ecp521": 21}
        auths = {"psk": 1, "rsa": 3, "ecdsa256": 9, "ecdsa384": 10, "ecdsa521": 11}
        try:
            cipher, bits = ciphers[words[0]]
            hash_, auth, group = n.HASH.value(words[1]), auths[words[2]], groups[words[3]]
        except (KeyError, IndexError, StopIteration) as e:
            raise ValueError(f"no such suite: {text}") from e
        return Suite(cipher, hash_, auth, group, bits, int(words[4]) if len(words) > 4 else 28800)
