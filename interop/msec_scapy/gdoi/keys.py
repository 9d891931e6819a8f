# SPDX-License-Identifier: BSD-2-Clause
"""What RFC 2409 5 and appendix B derive in phase 1, and the HASH payloads of RFC 6407 3.2."""
from dataclasses import dataclass

from . import suite as suites
from .suite import digest, hash_len, mac

# FIPS 74: weak and semi-weak keys of DES, which are skipped (RFC 2409 A); compared without parity.
_WEAK = {bytes.fromhex(k) for k in (
    "0101010101010101", "fefefefefefefefe", "1f1f1f1f0e0e0e0e", "e0e0e0e0f1f1f1f1", "01fe01fe01fe01fe",
    "fe01fe01fe01fe01", "1fe01fe00ef10ef1", "e01fe01ff10ef10e", "01e001e001f101f1", "e001e001f101f101",
    "1ffe1ffe0efe0efe", "fe1ffe1ffe0efe0e", "011f011f010e010e", "1f011f010e010e01", "e0fee0fef1fef1fe",
    "fee0fee0fef1fef1")}


def skeyid_psk(hash_name, psk, nonce_i, nonce_r):
    return mac(hash_name, psk, nonce_i + nonce_r)


def skeyid_signature(hash_name, nonce_i, nonce_r, g_xy):
    return mac(hash_name, nonce_i + nonce_r, g_xy)


def chain(hash_name, skeyid, g_xy, icookie, rcookie):
    """SKEYID_d, SKEYID_a, SKEYID_e."""
    out, before = [], b""
    for number in range(3):
        before = mac(hash_name, skeyid, before + g_xy + icookie + rcookie + bytes([number]))
        out.append(before)
    return out


def expand(hash_name, skeyid_e, size):
    """B: SKEYID_e itself if it is long enough, or a chain of the prf."""
    if len(skeyid_e) >= size:
        return skeyid_e[:size]
    out = block = mac(hash_name, skeyid_e, b"\0")
    while len(out) < size:
        block = mac(hash_name, skeyid_e, block)
        out += block
    return out[:size]


def cipher_key(suite, skeyid_e):
    if suite.cipher_name != "des":
        return expand(suite.hash_name, skeyid_e, suite.key_octets)
    for skip in range(0, 1 << 10, 8):
        key = expand(suite.hash_name, skeyid_e, skip + 8)[skip:]
        if suites.odd_parity(key) not in _WEAK:
            return key
    raise AssertionError("weak keys without end")


def phase1_iv(suite, g_xi, g_xr):
    return digest(suite.hash_name, g_xi + g_xr)[:suite.block]


def phase2_iv(suite, last_block, message_id):
    return digest(suite.hash_name, last_block + message_id.to_bytes(4, "big"))[:suite.block]


def hash_i(hash_name, skeyid, g_xi, g_xr, icookie, rcookie, sa_i_b, id_b):
    return mac(hash_name, skeyid, g_xi + g_xr + icookie + rcookie + sa_i_b + id_b)


def hash_r(hash_name, skeyid, g_xi, g_xr, icookie, rcookie, sa_i_b, id_b):
    return mac(hash_name, skeyid, g_xr + g_xi + rcookie + icookie + sa_i_b + id_b)


def hash_n(number, hash_name, skeyid_a, message_id, after, nonce_i=b"", nonce_r=b""):
    """HASH(1) to HASH(4) of GROUPKEY-PULL; HASH(1) of an Informational is the first, too. `after` is
    everything behind the HASH payload, with headers and without padding."""
    nonces = {1: b"", 2: nonce_i, 3: nonce_i + nonce_r, 4: nonce_i + nonce_r}[number]
    return mac(hash_name, skeyid_a, message_id.to_bytes(4, "big") + nonces + after)


@dataclass
class Keys:
    """The secrets of a phase 1 SA."""
    suite: suites.Suite
    icookie: bytes
    rcookie: bytes
    g_xy: bytes
    skeyid: bytes
    skeyid_d: bytes
    skeyid_a: bytes
    skeyid_e: bytes
    key: bytes
    iv: bytes  # of the next message of phase 1; in the end the last ciphertext block of phase 1

    @staticmethod
    def derive(suite, icookie, rcookie, nonce_i, nonce_r, g_xi, g_xr, g_xy, psk=None):
        name = suite.hash_name
        skeyid = (skeyid_psk(name, psk, nonce_i, nonce_r) if suite.auth == 1
                  else skeyid_signature(name, nonce_i, nonce_r, g_xy))
        d, a, e = chain(name, skeyid, g_xy, icookie, rcookie)
        return Keys(suite, icookie, rcookie, g_xy, skeyid, d, a, e, cipher_key(suite, e),
                    phase1_iv(suite, g_xi, g_xr))

    def encrypt(self, iv, plaintext, style="zero"):
        """Ciphertext; its last block is the IV of the next message."""
        return suites.cbc_encrypt(self.suite.cipher_name, self.key, iv,
                                  suites.pad(plaintext, self.suite.block, style))

    def decrypt(self, iv, ciphertext):
        return suites.cbc_decrypt(self.suite.cipher_name, self.key, iv, ciphertext)

    def message_iv(self, message_id):
        return phase2_iv(self.suite, self.iv, message_id)

    def hash(self, number, message_id, after, nonce_i=b"", nonce_r=b""):
        return hash_n(number, self.suite.hash_name, self.skeyid_a, message_id, after, nonce_i, nonce_r)


__all__ = ["Keys", "chain", "cipher_key", "expand", "hash_i", "hash_len", "hash_n", "hash_r", "phase1_iv",
           "phase2_iv", "skeyid_psk", "skeyid_signature"]
