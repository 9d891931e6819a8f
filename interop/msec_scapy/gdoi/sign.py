# SPDX-License-Identifier: BSD-2-Clause
"""Signatures of phase 1 (RFC 2409 5.1, RFC 4754) and of GROUPKEY-PUSH (RFC 6407 5.3.6), and the
formats of the public key that goes with the latter (5.6.2.2)."""
import datetime

from asn1crypto import keys as asn1_keys
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import (Encoding, PublicFormat, load_der_public_key)

from . import numbers as n
from .dialect import STRICT
from .suite import digest

_HASH = {"md5": hashes.MD5, "sha1": hashes.SHA1, "sha256": hashes.SHA256, "sha384": hashes.SHA384,
         "sha512": hashes.SHA512}
# number of RFC 4754: curve, hash, octets of r and of s
P1_ECDSA = {9: (ec.SECP256R1, "sha256", 32), 10: (ec.SECP384R1, "sha384", 48), 11: (ec.SECP521R1, "sha512", 66)}
PUSH_ECDSA = {4: P1_ECDSA[9], 5: P1_ECDSA[10], 6: P1_ECDSA[11]}


class BadSignature(ValueError):
    pass


# --------------------------------------------------------------- RSA by hand: no DigestInfo

def rsa_bare_sign(key, data):
    """PKCS #1 block type 1 over the octets themselves."""
    numbers = key.private_numbers()
    modulus, size = numbers.public_numbers.n, (key.key_size + 7) // 8
    block = b"\0\1" + b"\xff" * (size - 3 - len(data)) + b"\0" + data
    return pow(int.from_bytes(block, "big"), numbers.d, modulus).to_bytes(size, "big")


def rsa_bare_verify(key, signature, data):
    size = (key.key_size + 7) // 8
    numbers = key.public_numbers()
    if len(signature) != size:
        raise BadSignature(f"{len(signature)} octets for a modulus of {size}")
    block = pow(int.from_bytes(signature, "big"), numbers.e, numbers.n).to_bytes(size, "big")
    if block != b"\0\1" + b"\xff" * (size - 3 - len(data)) + b"\0" + data:
        raise BadSignature("RSA, type 1 over the bare hash")


# ------------------------------------------------------------------- r and s side by side

def _split(signature, size):
    if len(signature) != 2 * size:
        raise BadSignature(f"{len(signature)} octets, {2 * size} wanted")
    return utils.encode_dss_signature(int.from_bytes(signature[:size], "big"),
                                      int.from_bytes(signature[size:], "big"))


def _join(der, size):
    r, s = utils.decode_dss_signature(der)
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def _of_curve(key, curve):
    if not isinstance(key, (ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey)) or key.curve.name != curve.name:
        raise BadSignature(f"not a key of {curve.name}")


def _ecdsa_sign(key, spec, hashed):
    curve, name, size = spec
    _of_curve(key, curve)
    return _join(key.sign(hashed, ec.ECDSA(utils.Prehashed(_HASH[name]()))), size)


def _verify(call, *args):
    try:
        call(*args)
    except (InvalidSignature, ValueError) as e:
        raise BadSignature(str(e) or "does not verify") from e


# ------------------------------------------------------------------------------ phase 1

def phase1_hash_name(auth, suite_hash, dialect=STRICT):
    """The hash whose HMAC makes the HASH that is signed: RFC 2409 5.1."""
    if auth in P1_ECDSA and dialect.p1_ecdsa_prf == "tied":
        return P1_ECDSA[auth][1]
    return suite_hash


def _ecdsa_input(auth, value, dialect):
    curve_hash = P1_ECDSA[auth][1]
    if dialect.p1_ecdsa == "hashed":
        return digest(curve_hash, value)
    size = _HASH[curve_hash].digest_size
    # as an integer, HASH_I of another length is cut to, or filled up in front to, that of the curve's hash
    return value[:size].rjust(size, b"\0")


def phase1_sign(key, auth, value, dialect=STRICT):
    """SIG_I or SIG_R of HASH_I or HASH_R."""
    if auth == 3:
        return rsa_bare_sign(key, value)
    return _ecdsa_sign(key, P1_ECDSA[auth], _ecdsa_input(auth, value, dialect))


def phase1_verify(key, auth, signature, value, dialect=STRICT):
    if auth == 3:
        if not isinstance(key, rsa.RSAPublicKey):
            raise BadSignature("not an RSA key")
        rsa_bare_verify(key, signature, value)
        return
    curve, name, size = P1_ECDSA[auth]
    _of_curve(key, curve)
    _verify(key.verify, _split(signature, size), _ecdsa_input(auth, value, dialect),
            ec.ECDSA(utils.Prehashed(_HASH[name]())))


# ------------------------------------------------------------------------ GROUPKEY-PUSH

def push_hash_name(sig, sig_hash):
    """The hash of SIG_ALGORITHM; that of ECDSA-256 to -521 is implied."""
    if sig in PUSH_ECDSA:
        return PUSH_ECDSA[sig][1]
    return n.SIG_HASH[sig_hash]


def push_signature_len(key, sig, dialect=STRICT):
    """None where the length is known only once it is signed."""
    if sig == 1:
        return (key.key_size + 7) // 8
    if sig in PUSH_ECDSA:
        return 2 * PUSH_ECDSA[sig][2]
    return None if dialect.dss_format == "der" else 2 * _order_len(key)


def _order_len(key):
    if isinstance(key, (dsa.DSAPrivateKey, dsa.DSAPublicKey)):
        return (key.parameters().parameter_numbers().q.bit_length() + 7) // 8
    return (key.curve.key_size + 7) // 8


def push_sign(key, sig, sig_hash, hashed, dialect=STRICT):
    """SIG data over a hash that has been taken already."""
    name = push_hash_name(sig, sig_hash)
    if sig == 1:
        if dialect.push_rsa_form == "bare":
            return rsa_bare_sign(key, hashed)
        return key.sign(hashed, padding.PKCS1v15(), utils.Prehashed(_HASH[name]()))
    if sig in PUSH_ECDSA:
        return _ecdsa_sign(key, PUSH_ECDSA[sig], hashed)
    scheme = utils.Prehashed(_HASH[name]())
    der = key.sign(hashed, scheme) if sig == 2 else key.sign(hashed, ec.ECDSA(scheme))
    return der if dialect.dss_format == "der" else _join(der, _order_len(key))


def push_verify(key, sig, sig_hash, hashed, signature, dialect=STRICT):
    name = push_hash_name(sig, sig_hash)
    wanted = {1: rsa.RSAPublicKey, 2: dsa.DSAPublicKey}.get(sig, ec.EllipticCurvePublicKey)
    if not isinstance(key, wanted):
        raise BadSignature(f"the key is not for {n.SIG.name(sig)}")
    scheme = utils.Prehashed(_HASH[name]())
    if sig == 1 and dialect.push_rsa_form == "bare":
        rsa_bare_verify(key, signature, hashed)
    elif sig == 1:
        _verify(key.verify, signature, hashed, padding.PKCS1v15(), scheme)
    elif sig in PUSH_ECDSA:
        curve, _, size = PUSH_ECDSA[sig]
        _of_curve(key, curve)
        _verify(key.verify, _split(signature, size), hashed, ec.ECDSA(scheme))
    else:
        der = signature if dialect.dss_format == "der" else _split(signature, _order_len(key))
        _verify(key.verify, der, hashed, *((scheme,) if sig == 2 else (ec.ECDSA(scheme),)))


# ------------------------------------------------------------------- SIG_ALGORITHM_KEY

def _self_signed(key):
    """A certificate that only carries the key."""
    name = x509.Name([])
    begin = datetime.datetime(2020, 1, 1)
    builder = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
               .serial_number(1).not_valid_before(begin).not_valid_after(begin.replace(year=2099)))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def encode_key(key, form="spki", certificate=None):
    """The public half of a private key as SIG_ALGORITHM_KEY."""
    if form == "x509":
        return certificate or _self_signed(key)
    return encode_public(key.public_key(), form)


def encode_public(public, form="spki"):
    """A public key in one of the forms; without a certificate `x509` is `spki`."""
    if form == "pkcs1" and isinstance(public, rsa.RSAPublicKey):
        return public.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    if isinstance(public, ec.EllipticCurvePublicKey) and form in ("x962", "raw"):
        point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return point if form == "x962" else point[1:]
    if form == "raw" and isinstance(public, rsa.RSAPublicKey):
        numbers = public.public_numbers()
        return numbers.n.to_bytes((public.key_size + 7) // 8, "big")
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


_POINTS = {32: ec.SECP256R1, 48: ec.SECP384R1, 66: ec.SECP521R1}


def decode_key(octets, sig):
    """The public key, in whichever of the formats it comes; BadSignature when in none."""
    for attempt in (_as_spki, _as_certificate, _as_pkcs1, _as_point, _as_raw):
        try:
            key = attempt(octets, sig)
        except (ValueError, TypeError, KeyError):
            continue
        if key is not None:
            return key
    raise BadSignature("a key in no known format")


def _as_spki(octets, _sig):
    asn1_keys.PublicKeyInfo.load(octets, strict=True)
    return load_der_public_key(octets)


def _as_certificate(octets, _sig):
    return x509.load_der_x509_certificate(octets).public_key()


def _as_pkcs1(octets, sig):
    if sig != 1:
        return None
    inner = asn1_keys.RSAPublicKey.load(octets, strict=True)
    return rsa.RSAPublicNumbers(inner["public_exponent"].native, inner["modulus"].native).public_key()


def _as_point(octets, sig):
    if sig not in (3, *PUSH_ECDSA) or octets[:1] != b"\4":
        return None
    curve = _POINTS[(len(octets) - 1) // 2]()
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, octets)


def _as_raw(octets, sig):
    if sig == 1:
        return rsa.RSAPublicNumbers(65537, int.from_bytes(octets, "big")).public_key() if len(octets) >= 64 else None
    return _as_point(b"\4" + octets, sig)


def key_bits(key):
    return key.key_size


__all__ = ["BadSignature", "decode_key", "encode_key", "key_bits", "phase1_sign",
           "phase1_verify", "push_sign", "push_verify"]
