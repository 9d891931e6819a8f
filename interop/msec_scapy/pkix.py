# SPDX-License-Identifier: BSD-2-Clause
"""X.509 certificates, paths to configured roots, revocation lists.

Just enough of RFC 5280 to decide whether a signer's key may be believed:
signatures along the path, validity, CA and key usage, revocation by a CRL of
the issuer. A received certificate that is itself a root proves nothing.
"""
import datetime
import hashlib
from pathlib import Path

from asn1crypto import crl as asn1_crl
from asn1crypto import pem, x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding

from . import der as x690

MAX_PATH = 8


class PathFault(ValueError):
    """Why no path was found. `kind` is a word for the caller to act on."""

    def __init__(self, kind, text):
        self.kind = kind
        super().__init__(f"{kind}: {text}")


class Certificate:
    def __init__(self, der):
        x690.certificate(der)
        self.der = der
        self.x = x509.Certificate.load(der, strict=True)
        tbs = self.x["tbs_certificate"]
        self.subject = tbs["subject"].dump()
        self.issuer = tbs["issuer"].dump()
        self.serial = tbs["serial_number"].native
        self.key = serialization.load_der_public_key(tbs["subject_public_key_info"].dump())
        self.not_before = tbs["validity"]["not_before"].native
        self.not_after = tbs["validity"]["not_after"].native
        names = self.x.subject_alt_name_value
        self.alt_names = list(names) if names is not None else []

    def __eq__(self, other):
        return isinstance(other, Certificate) and self.der == other.der

    def __hash__(self):
        return hash(self.der)

    def __repr__(self):
        return f"<Certificate {self.x.subject.human_friendly}>"

    @property
    def key_id(self):
        """RFC 5280 4.2.1.2: the extension, else SHA-1 of the key's BIT STRING."""
        value = self.x.key_identifier_value
        if value is not None:
            return value.native
        spki = self.x["tbs_certificate"]["subject_public_key_info"]
        return hashlib.sha1(spki["public_key"].contents[1:]).digest()

    def is_ca(self):
        basic = self.x.basic_constraints_value
        return basic is not None and bool(basic["ca"].native)

    def path_len(self):
        basic = self.x.basic_constraints_value
        return None if basic is None else basic["path_len_constraint"].native

    def may(self, usage):
        """`usage` in the words of asn1crypto: digital_signature, key_cert_sign, crl_sign."""
        value = self.x.key_usage_value
        return value is None or usage in value.native

    def signed_by(self, issuer):
        return _verifies(self.x["tbs_certificate"].dump(), self.x["signature_value"].native,
                         self.x["signature_algorithm"], issuer.key)


_HASHES = {"md5": hashes.MD5, "sha1": hashes.SHA1, "sha224": hashes.SHA224,
           "sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512}


def _verifies(data, signature, algorithm, key):
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, data)
            return algorithm["algorithm"].native == "ed25519"
        digest = _HASHES[algorithm.hash_algo]()
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(digest))
        elif isinstance(key, dsa.DSAPublicKey):
            key.verify(signature, data, digest)
        else:
            key.verify(signature, data, padding.PKCS1v15(), digest)
        return True
    except (InvalidSignature, KeyError, ValueError):
        return False


class Crl:
    def __init__(self, der):
        x690.crl(der)
        self.x = asn1_crl.CertificateList.load(der, strict=True)
        self.issuer = self.x.issuer.dump()
        tbs = self.x["tbs_cert_list"]
        self.this_update = tbs["this_update"].native
        self.next_update = tbs["next_update"].native
        entries = tbs["revoked_certificates"]
        self.serials = {e["user_certificate"].native for e in entries} if entries else set()

    def current(self, at):
        """RFC 5280 6.3.3 (a): after nextUpdate it is out of date, in that second not yet."""
        return self.this_update <= at and (self.next_update is None or at <= self.next_update)

    def signed_by(self, issuer):
        return _verifies(self.x["tbs_cert_list"].dump(), self.x["signature"].native,
                         self.x["signature_algorithm"], issuer.key)


def load_certificates(source):
    """All certificates of a PEM or DER file (or of its octets)."""
    raw = source if isinstance(source, bytes) else Path(source).read_bytes()
    if pem.detect(raw):
        return [Certificate(der) for kind, _, der in pem.unarmor(raw, multiple=True)
                if kind == "CERTIFICATE"]
    return [Certificate(raw)]


def load_crls(source):
    raw = source if isinstance(source, bytes) else Path(source).read_bytes()
    if pem.detect(raw):
        return [Crl(der) for kind, _, der in pem.unarmor(raw, multiple=True) if kind == "X509 CRL"]
    return [Crl(raw)]


def load_key(source, password=None):
    raw = source if isinstance(source, bytes) else Path(source).read_bytes()
    return serialization.load_pem_private_key(raw, password)


class Trust:
    """Roots, revocation lists and further certificates that help to build paths."""

    def __init__(self, roots=(), crls=(), extra=(), require_crl=False):
        self.roots, self.crls, self.extra = list(roots), list(crls), list(extra)
        self.require_crl = require_crl
        self.raw = []  # (identity, material.RawKey): believed without a certificate
        self.authorities = []  # certificates whose attribute certificates give permissions

    @classmethod
    def from_files(cls, roots, crls=(), require_crl=False):
        return cls([c for f in roots for c in load_certificates(f)],
                   [c for f in crls for c in load_crls(f)], require_crl=require_crl)

    def path(self, leaf, received=(), at=None, usage="digital_signature", crls=()):
        """[leaf, ..., root], or PathFault. `crls` that came along can only take away."""
        at = (at or datetime.datetime.now(datetime.timezone.utc)).replace(microsecond=0)
        if leaf in self.roots:
            raise PathFault("anchor", "a trust anchor signs no messages")
        if not leaf.may(usage):
            raise PathFault("usage", f"key usage lacks {usage}")
        pool = [c for c in list(received) + self.extra if c not in self.roots]
        return self._climb([leaf], pool, at, self.crls + list(crls))

    def _climb(self, path, pool, at, crls):
        cert = path[-1]
        if not cert.not_before <= at <= cert.not_after:
            kind = "expired" if at > cert.not_after else "not-yet-valid"
            raise PathFault(kind, f"{cert}")
        if cert in self.roots:
            return path
        if len(path) > MAX_PATH:
            raise PathFault("too-long", "path has too many certificates")
        fault = PathFault("unknown-root", f"no issuer for {cert}")
        for issuer in self.roots + pool:
            if issuer.subject != cert.issuer or issuer in path:
                continue
            try:
                self._check_issuer(cert, issuer, len(path) - 1, at, crls)
                return self._climb(path + [issuer], pool, at, crls)
            except PathFault as e:
                # A namesake that did not sign this is no issuer.
                fault = fault if e.kind == "bad-signature" else e
        raise fault

    def _check_issuer(self, cert, issuer, depth, at, crls):
        if not issuer.is_ca() or not issuer.may("key_cert_sign"):
            raise PathFault("not-a-ca", f"{issuer}")
        if issuer.path_len() is not None and depth > issuer.path_len():
            raise PathFault("too-long", f"path length of {issuer}")
        if not cert.signed_by(issuer):
            raise PathFault("bad-signature", f"{cert} is not signed by {issuer}")
        heard = [c for c in crls if c.issuer == issuer.subject and c.signed_by(issuer)]
        if any(cert.serial in c.serials for c in heard):  # revoked once is revoked, however old the list
            raise PathFault("revoked", f"{cert}")
        if self.require_crl and not any(c.current(at) for c in heard):
            raise PathFault("no-crl", f"no current CRL of {issuer}")
