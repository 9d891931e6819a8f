# SPDX-License-Identifier: BSD-2-Clause
"""Signatures that come out the same every time, for vectors that can be made again.

RSA PKCS#1 v1.5 and Ed25519 are so by nature. DSA and ECDSA get their k from RFC 6979
(with a counter as additional data where the same octets are signed again), RSASSA-PSS
a salt that is a digest of what is signed. Slow and leaky: for keys that are printed.
"""
import contextlib
import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa, utils

from .. import crypto

# p, a, b, G, n
_CURVES = {
    "secp256r1": (
        0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff, -3,
        (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
         0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5),
        0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551),
    "secp384r1": (
        0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff,
        -3,
        (0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7,
         0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f),
        0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973),
}


def _double(p, x, y, z):
    """Jacobian coordinates, a = -3."""
    delta, gamma = z * z % p, y * y % p
    beta = x * gamma % p
    alpha = 3 * (x - delta) * (x + delta) % p
    out = (alpha * alpha - 8 * beta) % p
    return out, (alpha * (4 * beta - out) - 8 * gamma * gamma) % p, ((y + z) ** 2 - gamma - delta) % p


def _times(curve, k, point):
    """The x and y of k times a point, 0 < k < n."""
    p, (x2, y2) = curve[0], point
    x, y, z = x2, y2, 1
    for bit in bin(k)[3:]:
        x, y, z = _double(p, x, y, z)
        if bit == "1":
            zz = z * z % p
            h, r = (x2 * zz - x) % p, (y2 * zz * z - y) % p
            hh = h * h % p
            hhh, v = h * hh % p, x * hh % p
            x3 = (r * r - hhh - 2 * v) % p
            x, y, z = x3, (r * (v - x3) - y * hhh) % p, z * h % p
    inverse = pow(z, -1, p)
    return x * inverse * inverse % p, y * inverse ** 3 % p


def _bits2int(octets, q):
    value, excess = int.from_bytes(octets, "big"), len(octets) * 8 - q.bit_length()
    return value >> excess if excess > 0 else value


def rfc6979_k(q, x, digest, hash_name, extra=b""):
    """RFC 6979 section 3.2; `extra` is the k' of section 3.6. May be called again for the next k."""
    size = (q.bit_length() + 7) // 8
    seed = (x.to_bytes(size, "big") + (_bits2int(digest, q) % q).to_bytes(size, "big") + extra)
    length = hashlib.new(hash_name).digest_size
    key, value = bytes(length), b"\x01" * length
    for step in (b"\0", b"\x01"):
        key = hmac.new(key, value + step + seed, hash_name).digest()
        value = hmac.new(key, value, hash_name).digest()
    while True:
        text = b""
        while len(text) < size:
            value = hmac.new(key, value, hash_name).digest()
            text += value
        k = _bits2int(text[:size], q)
        if 0 < k < q:
            yield k
        key = hmac.new(key, value + b"\0", hash_name).digest()
        value = hmac.new(key, value, hash_name).digest()


def _dsa(key, digest, hash_name, extra):
    numbers = key.private_numbers()
    params = numbers.public_numbers.parameter_numbers
    for k in rfc6979_k(params.q, numbers.x, digest, hash_name, extra):
        r = pow(params.g, k, params.p) % params.q
        s = pow(k, -1, params.q) * (_bits2int(digest, params.q) + numbers.x * r) % params.q
        if r and s:
            return r, s


def _ecdsa(key, digest, hash_name, extra):
    curve = _CURVES[key.curve.name]
    n, x = curve[3], key.private_numbers().private_value
    for k in rfc6979_k(n, x, digest, hash_name, extra):
        r = _times(curve, k, curve[2])[0] % n
        s = pow(k, -1, n) * (_bits2int(digest, n) + x * r) % n
        if r and s:
            return r, s


def _pss_md5(key, data):
    """RFC 3447 8.1.1 with MD5, MGF1-MD5 and a salt of 16 octets that follows from the data."""
    numbers = key.private_numbers()
    modulus = numbers.public_numbers.n
    size = (modulus.bit_length() - 1 + 7) // 8
    salt = hashlib.md5(b"salt" + data).digest()
    digest = hashlib.md5(bytes(8) + hashlib.md5(data).digest() + salt).digest()
    block = bytes(size - 16 - 16 - 2) + b"\x01" + salt
    mask = b"".join(hashlib.md5(digest + n.to_bytes(4, "big")).digest()
                    for n in range(len(block) // 16 + 1))
    masked = bytearray(a ^ b for a, b in zip(block, mask))
    masked[0] &= 0xFF >> (8 * size - (modulus.bit_length() - 1))
    encoded = bytes(masked) + digest + b"\xbc"
    return pow(int.from_bytes(encoded, "big"), numbers.d,
               modulus).to_bytes((modulus.bit_length() + 7) // 8, "big")


def sign(key, sig_type, data, dialect=crypto.STRICT, again=0):
    """As crypto.sign(), the same octets in every run; others for another `again`."""
    family, digest, _, raw = crypto._scheme(sig_type, dialect)
    if isinstance(key, rsa.RSAPrivateKey) and sig_type == 1 and dialect.rsa_scheme == "pss":
        return _pss_md5(key, data)
    if not isinstance(key, (dsa.DSAPrivateKey, ec.EllipticCurvePrivateKey)):
        return _random_sign(key, sig_type, data, dialect)
    hash_name = digest.name.replace("-", "_")
    hashed = hashlib.new(hash_name, data).digest()
    extra = again.to_bytes(4, "big") if again else b""
    r, s = (_dsa if family == "dsa" else _ecdsa)(key, hashed, hash_name, extra)
    if raw:
        return r.to_bytes(raw, "big") + s.to_bytes(raw, "big")
    return utils.encode_dss_signature(r, s)


_random_sign = crypto.sign


@contextlib.contextmanager
def signatures():
    """While this lasts, everything that msec_scapy signs is signed with sign()."""
    seen = {}

    def counting(key, sig_type, data, dialect=crypto.STRICT):
        seen[data] = seen.get(data, -1) + 1  # signed again: to get another length
        return sign(key, sig_type, data, dialect, seen[data])
    crypto.sign = counting
    try:
        yield
    finally:
        crypto.sign = _random_sign
