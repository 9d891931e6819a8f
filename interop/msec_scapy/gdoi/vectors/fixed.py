# SPDX-License-Identifier: BSD-2-Clause
"""Keys of the vectors, and signatures that come out the same every time (RFC 6979)."""
import contextlib
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec
from cryptography.hazmat.primitives.serialization import Encoding

from ...vectors import fixed
from ...vectors.deterministic import _bits2int, rfc6979_k
from .. import sign

octets, Stream, private, public = fixed.octets, fixed.Stream, fixed.private, fixed.public
_CURVE = {"p256": ec.SECP256R1, "p384": ec.SECP384R1, "p521": ec.SECP521R1}
_ORDER = {"secp256r1": 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551,
          "secp384r1": int("ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196a"
                           "ccc52973", 16),
          "secp521r1": 2**521 - 0x5ae79787c40d069948033feb708f65a2fc44a36477663b851449048e16ec79bf7}


@lru_cache(maxsize=None)
def key(kind, label="vectors"):
    """rsa (2048), rsa1024, dsa, p256, p384, p521."""
    if kind in ("rsa", "rsa1024", "dsa"):
        return fixed.key(kind, "signatures" if kind != "dsa" else label)
    curve = _CURVE[kind]()
    size = (curve.key_size + 7) // 8
    return ec.derive_private_key(int.from_bytes(octets(f"gdoi {kind} {label}", size), "big") % (_ORDER[curve.name] - 1)
                                 + 1, curve)


@lru_cache(maxsize=None)
def certificate(kind):
    """One that only carries the key; signed by the root of the vectors, so always the same."""
    of, builder = key(kind), x509.CertificateBuilder()
    builder = (builder.subject_name(fixed.name("gcks")).issuer_name(fixed.name("Root")).public_key(of.public_key())
               .serial_number(int.from_bytes(b"\x01" + octets(f"serial gdoi {kind}", 8), "big"))
               .not_valid_before(fixed.NOW.replace(tzinfo=None)).not_valid_after(fixed.NOW.replace(year=2036, tzinfo=None)))
    return builder.sign(fixed.key("rsa", "Root"), hashes.SHA256()).public_bytes(Encoding.DER)


def _ecdsa(of, spec, hashed, extra=b""):
    curve, name, size = spec
    sign._of_curve(of, curve)
    order, x = _ORDER[of.curve.name], of.private_numbers().private_value
    for k in rfc6979_k(order, x, hashed, name, extra):
        r = ec.derive_private_key(k, of.curve).public_key().public_numbers().x % order
        s = pow(k, -1, order) * (_bits2int(hashed, order) + x * r) % order
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")


class _Plain:
    """A private key of DSA or ECDSS whose sign() takes its k from RFC 6979."""

    def __init__(self, of, name, extra):
        self.of, self.name, self.extra = of, name, extra

    def __getattr__(self, what):
        return getattr(self.of, what)

    def sign(self, hashed, *_scheme):
        if isinstance(self.of, ec.EllipticCurvePrivateKey):
            size = (self.of.curve.key_size + 7) // 8
            r_s = _ecdsa(self.of, (type(self.of.curve), self.name, size), hashed, self.extra)
            return sign.utils.encode_dss_signature(int.from_bytes(r_s[:size], "big"), int.from_bytes(r_s[size:], "big"))
        numbers = self.of.private_numbers()
        p = numbers.public_numbers.parameter_numbers
        for k in rfc6979_k(p.q, numbers.x, hashed, self.name, self.extra):
            r = pow(p.g, k, p.p) % p.q
            return sign.utils.encode_dss_signature(r, pow(k, -1, p.q) * (_bits2int(hashed, p.q) + numbers.x * r) % p.q)


@contextlib.contextmanager
def signatures():
    """While this lasts, everything that the GDOI peers sign comes out the same again."""
    random_ecdsa, random_push = sign._ecdsa_sign, sign.push_sign
    seen = {}  # what was signed already, to get DER of another length

    def push_sign(of, sig, sig_hash, hashed, dialect=sign.STRICT):
        if isinstance(of, dsa.DSAPrivateKey) or sig == 3:
            again = seen[hashed] = seen.get(hashed, -1) + 1
            of = _Plain(of, sign.push_hash_name(sig, sig_hash), again.to_bytes(4, "big") if again else b"")
            name = sign._HASH[of.name]()
            der = of.sign(hashed, name)
            return der if dialect.dss_format == "der" else sign._join(der, sign._order_len(of.of))
        return random_push(of, sig, sig_hash, hashed, dialect)
    sign._ecdsa_sign, sign.push_sign = _ecdsa, push_sign
    try:
        yield
    finally:
        sign._ecdsa_sign, sign.push_sign = random_ecdsa, random_push
