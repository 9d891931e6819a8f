# SPDX-License-Identifier: BSD-2-Clause
"""Keys, certificates and randomness of the vectors: all of it follows from labels.

Nothing here is secret, nothing here is to be used. A label and SHAKE-256 give the octets
that a random generator would give; one root with an RSA key signs every certificate, so
that certificates come out the same each time, whatever their own keys are.
"""
import datetime
import hashlib
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from .. import pkix

NOW = datetime.datetime(2026, 6, 1, 12, 0, 0, tzinfo=datetime.timezone.utc)
GROUP_ID = b"\x01\x02\x03\x04\x05\x06\x07\x08vectors"  # an octet string, type 2
GROUP_ID_UTF8 = b"00112233445566ffweather"  # type 1
ORGANISATION = "MSEC vectors"


def octets(label, size):
    return hashlib.shake_256(b"MSEC vectors: " + label.encode()).digest(size)


class Stream:
    """A random generator that always says the same; remembers what it said."""

    def __init__(self, label):
        self.label, self.count, self.given = label, 0, []

    def __call__(self, size):
        self.count += 1
        self.given.append(octets(f"{self.label} {self.count}", size))
        return self.given[-1]


# ---------------------------------------------------------------------- keys

_SMALL = [n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2))]


def _is_prime(n):
    if any(n % s == 0 for s in _SMALL):
        return n in _SMALL
    odd, twos = n - 1, 0
    while not odd & 1:
        odd, twos = odd >> 1, twos + 1
    for base in range(20):
        x = pow(int.from_bytes(octets(f"witness {base}", 16), "big"), odd, n)
        if x in (1, n - 1):
            continue
        for _ in range(twos - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


# How far the primes lie behind where their labels point; looked for where it does not say so.
_FOUND = {
    "dsa p": 349, "dsa q": 60, "rsa Group Owner p": 704, "rsa Group Owner q": 418,
    "rsa Root p": 970, "rsa Root q": 170, "rsa gcks p": 494, "rsa gcks q": 1042, "rsa gm1 p": 88,
    "rsa gm1 q": 888, "rsa gm2 p": 146, "rsa gm2 q": 1054, "rsa gm3 p": 1038, "rsa gm3 q": 2724,
    "rsa signatures p": 1864, "rsa signatures q": 1266, "rsa1024 gcks p": 52, "rsa1024 gcks q": 170,
    "rsa1024 gm1 p": 68, "rsa1024 gm1 q": 916, "rsa1024 gm2 p": 388, "rsa1024 gm2 q": 464,
    "rsa1024 gm3 p": 92, "rsa1024 gm3 q": 14, "rsa1024 signatures p": 4,
    "rsa1024 signatures q": 524,
}


def _prime(label, bits):
    n = int.from_bytes(octets(label, bits // 8), "big") | 3 << (bits - 2) | 1
    if label in _FOUND:
        return n + _FOUND[label]
    start = n
    while not _is_prime(n):
        n += 2
    _FOUND[label] = n - start
    return n


def _rsa(label, bits):
    p, q = _prime(label + " p", bits // 2), _prime(label + " q", bits // 2)
    p, q = max(p, q), min(p, q)
    d = pow(65537, -1, (p - 1) * (q - 1))
    return rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p),
                                 rsa.RSAPublicNumbers(65537, p * q)).private_key()


@lru_cache(maxsize=None)
def _dsa_parameters():
    q = _prime("dsa q", 160)
    p = int.from_bytes(octets("dsa p", 128), "big") | 1 << 1023
    p -= p % (2 * q) - 1
    steps = _FOUND.get("dsa p", 0)
    p += 2 * q * steps
    while "dsa p" not in _FOUND and not _is_prime(p):
        p, steps = p + 2 * q, steps + 1
    _FOUND["dsa p"] = steps
    return dsa.DSAParameterNumbers(p, q, pow(2, (p - 1) // q, p))


def _dsa(label):
    parameters = _dsa_parameters()
    x = int.from_bytes(octets(label, 32), "big") % (parameters.q - 1) + 1
    y = pow(parameters.g, x, parameters.p)
    return dsa.DSAPrivateNumbers(x, dsa.DSAPublicNumbers(y, parameters)).private_key()


@lru_cache(maxsize=None)
def private_key(der):
    """The key that a vector gives.  Few keys serve many vectors, and to check an RSA key takes longer than to use it."""
    return serialization.load_der_private_key(der, None)


@lru_cache(maxsize=None)
def key(kind, label):
    if kind == "dsa":
        return _dsa(label)
    if kind.startswith("rsa"):
        return _rsa(f"{kind} {label}", int(kind[3:] or 2048))
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.from_private_bytes(octets(label, 32))
    curve = ec.SECP384R1() if kind == "p384" else ec.SECP256R1()
    size = curve.key_size // 8
    return ec.derive_private_key(int.from_bytes(octets(f"{kind} {label}", size), "big") >> 1, curve)


def private(of):
    """PKCS #8, DER."""
    return of.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8,
                            serialization.NoEncryption())


def public(of):
    """SubjectPublicKeyInfo, DER."""
    return of.public_key().public_bytes(serialization.Encoding.DER,
                                        serialization.PublicFormat.SubjectPublicKeyInfo)


# -------------------------------------------------------------- certificates

def name(common):
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
                      x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _certificate(common, of, ca=False):
    root = key("rsa", "Root")
    return (x509.CertificateBuilder().subject_name(name(common)).issuer_name(name("Root"))
            .public_key(of.public_key())
            .serial_number(int.from_bytes(b"\x01" + octets(f"serial {common}", 8), "big"))
            .not_valid_before(datetime.datetime(2026, 1, 1))
            .not_valid_after(datetime.datetime(2036, 1, 1))
            .add_extension(x509.BasicConstraints(ca, None), True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(of.public_key()), False)
            .add_extension(x509.KeyUsage(
                digital_signature=not ca, content_commitment=False, key_encipherment=False,
                data_encipherment=False, key_agreement=False, key_cert_sign=ca, crl_sign=ca,
                encipher_only=False, decipher_only=False), True)
            .sign(root, hashes.SHA256()).public_bytes(serialization.Encoding.DER))


@lru_cache(maxsize=None)
def root():
    return pkix.Certificate(_certificate("Root", key("rsa", "Root"), True))


@lru_cache(maxsize=None)
def party(kind, common):
    """(private key, certificate) of somebody whose certificate the root signs."""
    of = key(kind, common)
    return of, pkix.Certificate(_certificate(common, of))
