# SPDX-License-Identifier: BSD-2-Clause
"""The cryptography of RFC 4535: key exchange, KEK, nonces, ciphers, signatures.

Everything here works on octets and plain numbers. What a payload protects with
it is in `protect`.
"""
import hashlib
import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa, utils, x25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from . import registry as reg
from .dialect import STRICT


class CryptoError(ValueError):
    """Wrong key, wrong length, wrong padding, degenerate value or bad signature."""


# ------------------------------------------------------------------ exchange

def _pi_prime(bits, offset):
    """The MODP primes: 2^n - 2^(n-64) - 1 + 2^64 * (floor(2^(n-130) * pi) + offset).

    RFC 2409 and RFC 3526 print them this way; computing them is one more check."""
    def arctan_inverse(x, unity):
        total = term = unity // x
        n, sign = 3, -1
        while term:
            term //= x * x
            total += sign * (term // n)
            n, sign = n + 2, -sign
        return total
    guard = 64
    unity = 1 << (bits - 130 + guard)
    pi = 4 * (4 * arctan_inverse(5, unity) - arctan_inverse(239, unity)) >> guard
    return (1 << bits) - (1 << (bits - 64)) - 1 + ((pi + offset) << 64)


MODP = {2: _pi_prime(1024, 129093), 14: _pi_prime(2048, 124476)}
MODP[49153 + 2] = MODP[14]
MODP_GENERATOR = 2
C_MODP1024, C_MODP2048, C_P256, C_X25519, C_MODP2048_HKDF = 2, 14, 49153, 49154, 49155
PUBLIC_LEN = {C_MODP1024: 128, C_MODP2048: 256, C_P256: 64, C_X25519: 32, C_MODP2048_HKDF: 256}
_P256_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
_P256_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


class KeyExchange:
    """One party's half. `secret()` is g^xy as octets of fixed length."""

    def __init__(self, create_type, private=None, random=os.urandom):
        if create_type not in PUBLIC_LEN:
            raise CryptoError(f"key creation type {create_type} is unknown")
        self.create_type = create_type
        if create_type in MODP:
            self._x = private or int.from_bytes(random(64), "big") | 1 << 255
        elif create_type == C_P256:
            number = private or int.from_bytes(random(40), "big") % (2**255) + 1
            self._x = ec.derive_private_key(number, ec.SECP256R1())
        else:
            self._x = x25519.X25519PrivateKey.from_private_bytes(private or random(32))

    def public(self, dialect=STRICT):
        if self.create_type in MODP:
            value = pow(MODP_GENERATOR, self._x, MODP[self.create_type])
            octets = value.to_bytes(PUBLIC_LEN[self.create_type], "big")
            return octets.lstrip(b"\0") if dialect.dh_pub_pad == "minimal" else octets
        if self.create_type == C_P256:
            numbers = self._x.public_key().public_numbers()
            return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
        return self._x.public_key().public_bytes(serialization.Encoding.Raw,
                                                 serialization.PublicFormat.Raw)

    def secret(self, peer):
        check_public(self.create_type, peer)
        if self.create_type in MODP:
            p = MODP[self.create_type]
            value = pow(int.from_bytes(peer, "big"), self._x, p)
            return value.to_bytes(PUBLIC_LEN[self.create_type], "big")
        if self.create_type == C_P256:
            point = ec.EllipticCurvePublicNumbers(int.from_bytes(peer[:32], "big"),
                                                  int.from_bytes(peer[32:], "big"),
                                                  ec.SECP256R1()).public_key()
            return self._x.exchange(ec.ECDH(), point)
        try:
            return self._x.exchange(x25519.X25519PublicKey.from_public_bytes(peer))
        except ValueError as e:
            raise CryptoError("X25519 secret is zero") from e


def check_public(create_type, peer):
    """Refuse a public value of wrong length or of a small subgroup."""
    want = PUBLIC_LEN.get(create_type)
    if want is None:
        raise CryptoError(f"key creation type {create_type} is unknown")
    if create_type in MODP:
        value, p = int.from_bytes(peer, "big"), MODP[create_type]
        if not peer or len(peer) > want:
            raise CryptoError(f"public value of {len(peer)} octets, not {want}")
        if not 1 < value < p - 1:
            raise CryptoError("degenerate public value")
    elif len(peer) != want:
        raise CryptoError(f"public value of {len(peer)} octets, not {want}")
    elif create_type == C_P256:
        x, y = int.from_bytes(peer[:32], "big"), int.from_bytes(peer[32:], "big")
        if x >= _P256_P or y >= _P256_P or (y * y - x**3 + 3 * x - _P256_B) % _P256_P:
            raise CryptoError("point is not on P-256")


def kek(create_type, secret, enc_type, group_id=b"", nonce_i=b"", nonce_r=b"", dialect=STRICT):
    """The Key Encryption Key of an exchange. Table 26 truncates; our types use HKDF."""
    size = key_len(enc_type, dialect)
    if create_type >= 49153:
        return HKDF(hashes.SHA256(), size, nonce_i + nonce_r,
                    b"GSAKMP KEK" + group_id).derive(secret)
    return kek_bits(secret, size, dialect)[0]


def kek_bits(secret, size, dialect=STRICT, more=0):
    """(first `size` octets, the `more` octets after them) of g^xy in the chosen direction."""
    if dialect.dh_secret_pad == "stripped":
        secret = secret.lstrip(b"\0")
    if dialect.kek_bits == "high_be":
        return secret[:size], secret[size:size + more]
    if dialect.kek_bits == "low_le":
        turned = secret[::-1]
        return turned[:size], turned[size:size + more]
    end = len(secret) - size
    return secret[end:], secret[max(0, end - more):end]


# -------------------------------------------------------------------- nonces

NONCE_HASH = {1: hashlib.sha1, 49153: hashlib.sha256, 49154: hashlib.sha384}


def nonce_c(nonce_hash, nonce_i, nonce_r, dialect=STRICT, payloads=None):
    """Table 27. Arguments are the Nonce Data of both; `payloads` their payloads as transmitted,
    which only the reading "payload" looks at."""
    if nonce_hash not in NONCE_HASH:
        raise CryptoError(f"nonce hash {nonce_hash} is unknown")
    if dialect.nonce_c == "payload":
        if payloads is None or None in payloads:
            raise CryptoError("Nonce_C needs the nonce payloads")
        text = b"".join(payloads)
    else:
        text = {"data": nonce_i + nonce_r, "data_rev": nonce_r + nonce_i,
                "type_data": b"\x01" + nonce_i + b"\x02" + nonce_r}[dialect.nonce_c]
    return NONCE_HASH[nonce_hash](text).digest()


# ------------------------------------------------------------------- ciphers

@dataclass(frozen=True)
class _Algorithm:
    mode: str
    key: int
    iv: int
    block: int = 1
    tag: int = 0


_ALGORITHMS = {
    reg.K_3DES: _Algorithm("3des", 24, 8, 8),
    reg.K_AES_CBC: _Algorithm("cbc", 16, 16, 16),
    reg.K_AES_CBC_256: _Algorithm("cbc", 32, 16, 16),
    reg.K_AES_CTR: _Algorithm("ctr", 20, 8),
    reg.K_GCM_128: _Algorithm("gcm", 16, 12, 1, 16),
    reg.K_GCM_256: _Algorithm("gcm", 32, 12, 1, 16),
}


def algorithm(enc_type):
    if enc_type not in _ALGORITHMS:
        raise CryptoError(f"encryption type {enc_type} is unknown")
    return _ALGORITHMS[enc_type]


def key_len(enc_type, dialect=STRICT):
    if enc_type == reg.K_AES_CTR:
        return int(dialect.aes_ctr_key)
    return algorithm(enc_type).key


def pad(data, block, how):
    need = block - len(data) % block
    if how == "pkcs7":
        return data + bytes([need]) * need
    if how == "pkcs7_ifneeded":
        return data + (bytes([need]) * need if need != block else b"")
    if how == "zero":
        return data + (bytes(need) if need != block else b"")
    if how == "iso7816":
        return data + b"\x80" + bytes(need - 1)
    if how == "x923":
        return data + bytes(need - 1) + bytes([need])
    if how == "ike":
        return data + bytes(need - 1) + bytes([need - 1])
    if how == "esp":
        count = (block - (len(data) + 1) % block) % block
        return data + bytes(range(1, count + 1)) + bytes([count])
    if how == "none":
        if need != block:
            raise CryptoError("plaintext is not aligned and must not be padded")
        return data
    raise CryptoError(f"padding {how} is unknown")


def unpad(data, block, how):
    """The plaintext; with `zero`, `pkcs7_ifneeded` and `none` its decoder finds the end."""
    if how in ("zero", "pkcs7_ifneeded", "none"):
        return data
    if not data:
        raise CryptoError("no plaintext")
    last = data[-1]
    if how == "pkcs7":
        good, count = data[-last:] == bytes([last]) * last, last
    elif how == "iso7816":
        body = data.rstrip(b"\0")
        good, count = body[-1:] == b"\x80", len(data) - len(body) + 1
    elif how == "x923":
        good, count = data[-last:-1] == bytes(max(0, last - 1)), last
    elif how == "ike":
        good, count = True, last + 1
    elif how == "esp":
        good, count = data[-last - 1:-1] == bytes(range(1, last + 1)), last + 1
    else:
        raise CryptoError(f"padding {how} is unknown")
    if not good or not 0 < count <= min(block, len(data)):
        raise CryptoError("wrong padding")
    return data[:-count]


def _block_cipher(alg, key, iv):
    if alg.mode == "3des":
        return Cipher(algorithms.TripleDES(key), modes.CBC(iv))
    return Cipher(algorithms.AES(key), modes.CBC(iv))


def _run(context, data):
    return context.update(data) + context.finalize()


def _cts_encrypt(alg, key, iv, data, how):
    """NIST SP 800-38A addendum: CBC-CS1, CS2, CS3."""
    block = alg.block
    if len(data) < block:
        raise CryptoError("ciphertext stealing needs one whole block")
    tail = len(data) % block or block
    full = _run(_block_cipher(alg, key, iv).encryptor(), data + bytes(block - tail))
    if len(full) == block:
        return full
    head, almost, last = full[:-2 * block], full[-2 * block:-block][:tail], full[-block:]
    if how == "cts1" or (how == "cts2" and tail == block):
        return head + almost + last
    return head + last + almost


def _cts_decrypt(alg, key, iv, data, how):
    block = alg.block
    if len(data) < block:
        raise CryptoError("ciphertext stealing needs one whole block")
    if len(data) == block:
        return _run(_block_cipher(alg, key, iv).decryptor(), data)
    tail = len(data) % block or block
    head, rest = data[:len(data) - block - tail], data[len(data) - block - tail:]
    if how == "cts1" or (how == "cts2" and tail == block):
        almost, last = rest[:tail], rest[tail:]
    else:
        last, almost = rest[:block], rest[block:]
    stolen = _run(_block_cipher(alg, key, bytes(block)).decryptor(), last)
    almost += stolen[tail:]
    plain = _run(_block_cipher(alg, key, iv).decryptor(), head + almost + last)
    return plain[:len(data)]


def _ctr(key, iv, data):
    """RFC 3686: nonce | IV | block counter from one; a bare AES key has nonce zero."""
    aes, nonce = (key[:-4], key[-4:]) if len(key) in (20, 28, 36) else (key, bytes(4))
    return _run(Cipher(algorithms.AES(aes), modes.CTR(nonce + iv + b"\0\0\0\1")).encryptor(), data)


def encrypt(enc_type, key, iv, data, aad=b"", how="pkcs7"):
    """Ciphertext without the IV."""
    alg = algorithm(enc_type)
    if alg.mode == "gcm":
        return AESGCM(key).encrypt(iv, data, aad)
    if alg.mode == "ctr":
        return _ctr(key, iv, data)
    if how.startswith("cts"):
        return _cts_encrypt(alg, key, iv, data, how)
    return _run(_block_cipher(alg, key, iv).encryptor(), pad(data, alg.block, how))


def decrypt(enc_type, key, iv, data, aad=b"", how="pkcs7"):
    alg = algorithm(enc_type)
    try:
        if alg.mode == "gcm":
            return AESGCM(key).decrypt(iv, data, aad)
        if alg.mode == "ctr":
            return _ctr(key, iv, data)
        if how.startswith("cts"):
            return _cts_decrypt(alg, key, iv, data, how)
        if len(data) % alg.block:
            raise CryptoError("ciphertext is not a whole number of blocks")
        return unpad(_run(_block_cipher(alg, key, iv).decryptor(), data), alg.block, how)
    except InvalidTag as e:
        raise CryptoError("authentication tag does not verify") from e
    except ValueError as e:
        raise CryptoError(str(e)) from e


# ---------------------------------------------------------------- signatures

_EC_HASH = {"sha384": hashes.SHA384, "sha3_384": hashes.SHA3_384, "sha1": hashes.SHA1,
            "sha3_256": hashes.SHA3_256, "sha3_512": hashes.SHA3_512, "sha256": hashes.SHA256,
            "sha512": hashes.SHA512}
# The DER length that a signature most often has; `message.sign` fixes it first.
USUAL_LEN = {0: 47, 2: 103, 49154: 71, 49155: 103}


def _scheme(sig_type, dialect):
    """(family, hash, curve, raw encoding or None) of a Signature Type."""
    if sig_type == 0:
        return "dsa", hashes.SHA1(), None, 20 if dialect.dsa_enc == "raw" else None
    if sig_type == 1:
        return "rsa", hashes.MD5(), None, None
    if sig_type == 2:
        return ("ec", _EC_HASH[dialect.ecdsa_hash](), "secp384r1",
                48 if dialect.ecdsa_enc == "raw" else None)
    if sig_type == 49153:
        return "rsa", hashes.SHA256(), None, None
    if sig_type == 49154:
        return "ec", hashes.SHA256(), "secp256r1", None
    if sig_type == 49155:
        return "ec", hashes.SHA384(), "secp384r1", None
    if sig_type == 49156:
        return "ed25519", None, None, None
    raise CryptoError(f"signature type {sig_type} is unknown")


SIGNATURES = (0, 1, 2, 49153, 49154, 49155, 49156)


def supported(sig_type=None, nonce_hash=None, create_type=None, enc_type=None):
    """Is everything that is named here in these tables?"""
    return all(value is None or value in table for value, table in (
        (sig_type, SIGNATURES), (nonce_hash, NONCE_HASH), (create_type, PUBLIC_LEN), (enc_type, _ALGORITHMS)))


def _rsa_padding(sig_type, dialect):
    if sig_type == 1 and dialect.rsa_scheme == "pss":
        return padding.PSS(padding.MGF1(hashes.MD5()), 16)
    return padding.PKCS1v15()


def _fits(key, family, curve, sig_type):
    kinds = {"dsa": (dsa.DSAPublicKey, dsa.DSAPrivateKey),
             "rsa": (rsa.RSAPublicKey, rsa.RSAPrivateKey),
             "ec": (ec.EllipticCurvePublicKey, ec.EllipticCurvePrivateKey),
             "ed25519": (ed25519.Ed25519PublicKey, ed25519.Ed25519PrivateKey)}
    if not isinstance(key, kinds[family]) or (curve and key.curve.name != curve):
        raise CryptoError(f"key does not fit signature type {sig_type}")
    if sig_type == 49153 and key.key_size < 2048:
        raise CryptoError("RSA key is shorter than 2048 bits")


def sign(key, sig_type, data, dialect=STRICT):
    family, digest, curve, raw = _scheme(sig_type, dialect)
    _fits(key, family, curve, sig_type)
    if family == "rsa":
        return key.sign(data, _rsa_padding(sig_type, dialect), digest)
    if family == "ed25519":
        return key.sign(data)
    der = key.sign(data, digest) if family == "dsa" else key.sign(data, ec.ECDSA(digest))
    if raw:
        r, s = utils.decode_dss_signature(der)
        return r.to_bytes(raw, "big") + s.to_bytes(raw, "big")
    return der


def verify(key, sig_type, data, signature, dialect=STRICT):
    """Nothing, or CryptoError."""
    family, digest, curve, raw = _scheme(sig_type, dialect)
    _fits(key, family, curve, sig_type)
    if raw:
        if len(signature) != 2 * raw:
            raise CryptoError("raw signature of wrong length")
        signature = utils.encode_dss_signature(int.from_bytes(signature[:raw], "big"),
                                               int.from_bytes(signature[raw:], "big"))
    try:
        if family == "rsa":
            key.verify(signature, data, _rsa_padding(sig_type, dialect), digest)
        elif family == "ed25519":
            key.verify(signature, data)
        elif family == "dsa":
            key.verify(signature, data, digest)
        else:
            key.verify(signature, data, ec.ECDSA(digest))
    except InvalidSignature as e:
        raise CryptoError("signature does not verify") from e


def sig_type_for(key):
    """The Signature Type that a key signs with when nothing else is asked for."""
    if isinstance(key, (dsa.DSAPrivateKey, dsa.DSAPublicKey)):
        return 0
    if isinstance(key, (rsa.RSAPrivateKey, rsa.RSAPublicKey)):
        return 49153
    if isinstance(key, (ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey)):
        return 49156
    return 49154 if key.curve.name == "secp256r1" else 49155
