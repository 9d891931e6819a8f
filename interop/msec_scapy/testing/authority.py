# SPDX-License-Identifier: BSD-2-Clause
"""A small certification authority whose certificates can be made wrong on purpose."""
import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from .. import pkix

NOW = datetime.datetime(2026, 8, 1, 12, 0, 0, tzinfo=datetime.timezone.utc)


def name(common, organisation="MSEC Lab"):
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
                      x509.NameAttribute(NameOID.COMMON_NAME, common)])


class Authority:
    """A root and what it issues. Leaves can be made wrong in the ways that tests need."""

    def __init__(self, common="Root", kind="ec", parent=None):
        self.kind = kind
        self.key = new_key(kind)
        self.name = name(common)
        self.parent = parent
        self.x = self._make(self.name, self.key, ca=True, signer=parent or self)
        self.cert = pkix.Certificate(self.x.public_bytes(Encoding.DER))

    def _make(self, subject, key, ca=False, signer=None, start=-1, end=365, usage=True, san=()):
        signer = signer or self
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(signer.name)
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before((NOW + datetime.timedelta(days=start)).replace(tzinfo=None))
                   .not_valid_after((NOW + datetime.timedelta(days=end)).replace(tzinfo=None))
                   .add_extension(x509.BasicConstraints(ca, None), True)
                   .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
                                  False)
                   .add_extension(x509.KeyUsage(
                       digital_signature=usage and not ca, content_commitment=False,
                       key_encipherment=not usage, data_encipherment=False, key_agreement=False,
                       key_cert_sign=ca, crl_sign=ca, encipher_only=False, decipher_only=False),
                       True))
        if san:
            builder = builder.add_extension(x509.SubjectAlternativeName(list(san)), False)
        return builder.sign(signer.key, digest_for(signer.kind))

    def issue(self, common, kind=None, **how):
        """(key, pkix.Certificate)."""
        key = new_key(kind or self.kind)
        cert = self._make(name(common), key, **how)
        return key, pkix.Certificate(cert.public_bytes(Encoding.DER))

    def crl(self, *certs):
        builder = (x509.CertificateRevocationListBuilder().issuer_name(self.name)
                   .last_update((NOW - datetime.timedelta(days=1)).replace(tzinfo=None))
                   .next_update((NOW + datetime.timedelta(days=30)).replace(tzinfo=None)))
        for cert in certs:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(cert.serial)
                .revocation_date((NOW - datetime.timedelta(hours=1)).replace(tzinfo=None))
                .build())
        made = builder.sign(self.key, digest_for(self.kind))
        return pkix.Crl(made.public_bytes(Encoding.DER))


_DSA = dsa.generate_parameters(1024)


def new_key(kind):
    if kind == "dsa":
        return _DSA.generate_private_key()
    if kind == "rsa":
        return rsa.generate_private_key(65537, 2048)
    if kind == "rsa1024":
        return rsa.generate_private_key(65537, 1024)
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    curve = {"p384": ec.SECP384R1, "p521": ec.SECP521R1}.get(kind, ec.SECP256R1)
    return ec.generate_private_key(curve())


def digest_for(kind):
    return {"dsa": hashes.SHA1(), "ed25519": None}.get(kind, hashes.SHA256())
