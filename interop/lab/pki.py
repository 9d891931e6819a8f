# SPDX-License-Identifier: BSD-2-Clause
"""A public-key infrastructure for a lab: a root, an intermediate, good parties, and every kind of bad one.

    pki = Pki(directory, "ecdsa")
    alice = pki.issue("alice", email="alice@lab.example")
    alice.cert, alice.key, alice.chain          # PEM files

Subjects are O=MSEC Lab, CN=NAME.  Every certificate below the root is signed by the intermediate, so that a path has to
be built.  The key of a lab needs no protection: files are not encrypted.
"""
import datetime
import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.x509.oid import NameOID

ORGANISATION = "MSEC Lab"
DAY = datetime.timedelta(days=1)
KINDS = ("ecdsa", "rsa", "dsa", "ed25519", "p384", "p521", "rsa1024")


def name(cn: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION), x509.NameAttribute(NameOID.COMMON_NAME, cn)])


def dn(cn: str) -> str:
    """The subject as an RFC 4514 string: what GSAKMP carries as ID_DN_STRING."""
    return f"CN={cn},O={ORGANISATION}"


@dataclass
class Party:
    """A certificate, its key, and the files they are in."""
    name: str
    certificate: x509.Certificate = field(repr=False)
    private: object = field(repr=False)
    cert: Path  # PEM, the party's certificate alone
    key: Path   # PEM, PKCS#8
    chain: Path  # PEM, the certificate and those above it, without the root

    @property
    def dn(self) -> str:
        return dn(self.name)

    @property
    def key_id(self) -> bytes:
        return self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def take_files_of(self, other: "Party") -> None:
        """A daemon that reads this party's files again finds what is in the other's."""
        for mine, theirs in ((self.chain, other.chain), (self.key, other.key)):
            mine.write_bytes(theirs.read_bytes())


class Pki:
    _rsa = []  # takes a second each, so infrastructures of one process share them

    def __init__(self, directory: Path, kind: str = "ecdsa", tag: str = "", own: bool = False):
        """`kind` is of all keys: ecdsa (P-256, SHA-256), rsa (2048 bits, SHA-256), dsa (1024 bits, SHA-1: Security
        Suite 1 of RFC 4535), ed25519, p384, p521 (SHA-256) or rsa1024 (for RSA1024-MD5).  `tag` is put before file names where two infrastructures share a directory."""
        self._own, self._taken = own, 0  # own: keys that nobody else has
        if kind not in KINDS:
            raise ValueError(kind)
        self.directory, self.kind, self.tag = Path(directory), kind, tag
        self.directory.mkdir(parents=True, exist_ok=True)
        # DSA-1024 is signed with SHA-1 by whoever speaks Suite 1, but certificates may use a better hash under any suite.
        self.hash = None if kind == "ed25519" else hashes.SHA256()
        self._dsa = dsa.generate_parameters(1024) if kind == "dsa" else None
        self._revoked, self._serial, self.parties = [], 0x4D53, {}
        self.root = self._make("root", "Root", None, ca=True)
        self.intermediate = self._make("ca", "Intermediate", self.root, ca=True)
        self.crl = self.directory / f"{tag}crl.pem"
        self.write_crl()

    def new_key(self):
        if self.kind == "ecdsa":
            return ec.generate_private_key(ec.SECP256R1())
        if self.kind == "rsa":
            self._taken += 1
            if self._own or self._taken > len(self._rsa):
                key = rsa.generate_private_key(65537, 2048)
                if self._own:
                    return key
                self._rsa.append(key)
            return self._rsa[self._taken - 1]
        if self.kind == "dsa":
            return self._dsa.generate_private_key()
        if self.kind == "p384":
            return ec.generate_private_key(ec.SECP384R1())
        if self.kind == "p521":
            return ec.generate_private_key(ec.SECP521R1())
        if self.kind == "rsa1024":
            return rsa.generate_private_key(65537, 1024)
        return ed25519.Ed25519PrivateKey.generate()

    def issue(self, cn: str, file: str = "", **kw) -> Party:
        """A party's certificate.  `file` names the files where that must differ from the CN; for the keywords see _make()."""
        return self._make(file or cn, cn, kw.pop("issuer", self.intermediate), **kw)

    def _make(self, file: str, cn: str, issuer: Party, ca: bool = False, email: str = "", dns: str = "", ips: list = (),
              start: datetime.datetime = None, end: datetime.datetime = None, usage: str = "sign", key=None) -> Party:
        """`usage` of a party is "sign", "encrypt" (a key that may not sign) or "none" (the extension is absent)."""
        now = datetime.datetime.utcnow().replace(microsecond=0)
        key = key or self.new_key()
        self._serial += 1
        b = (x509.CertificateBuilder().subject_name(name(cn)).issuer_name(issuer.certificate.subject if issuer else name(cn))
             .public_key(key.public_key()).serial_number(self._serial)
             .not_valid_before(start or now - DAY).not_valid_after(end or now + 3650 * DAY)
             .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
             .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False))
        if issuer:
            b = b.add_extension(x509.AuthorityKeyIdentifier(issuer.key_id, None, None), critical=False)
        if ca or usage != "none":
            bits = dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
                                  "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False)
            for bit in ("key_cert_sign", "crl_sign") if ca else {"sign": ("digital_signature",),
                                                                "encrypt": ("key_encipherment",)}[usage]:
                bits[bit] = True
            b = b.add_extension(x509.KeyUsage(**bits), critical=True)
        alternatives = [x509.RFC822Name(email)] if email else []
        alternatives += [x509.DNSName(dns)] if dns else []
        alternatives += [x509.IPAddress(ipaddress.ip_address(i)) for i in ips]
        if alternatives:
            b = b.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        cert = b.sign(issuer.private if issuer else key, self.hash)
        paths = [self.directory / f"{self.tag}{file}{suffix}" for suffix in (".pem", ".key", ".chain.pem")]
        pem = cert.public_bytes(serialization.Encoding.PEM)
        paths[0].write_bytes(pem)
        paths[1].touch(mode=0o600)
        paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                               serialization.NoEncryption()))
        above = issuer.chain.read_bytes() if issuer and issuer is not getattr(self, "root", None) else b""
        paths[2].write_bytes(pem + above)
        p = self.parties[file] = Party(cn, cert, key, *paths)
        return p

    def revoke(self, party: Party) -> None:
        """The next write_crl() lists it."""
        self._revoked.append(party.certificate.serial_number)

    def write_crl(self, issuer: Party = None, path: Path = None, start: datetime.datetime = None, days: int = 365) -> Path:
        """The list of the intermediate (and of the root, which never revokes anything), both in one file."""
        now = datetime.datetime.utcnow().replace(microsecond=0)
        out = b""
        for by, serials in ((issuer or self.intermediate, self._revoked), (self.root, [])):
            b = (x509.CertificateRevocationListBuilder().issuer_name(by.certificate.subject)
                 .last_update(start or now - DAY / 24).next_update((start or now) + days * DAY)
                 .add_extension(x509.AuthorityKeyIdentifier(by.key_id, None, None), critical=False)
                 .add_extension(x509.CRLNumber(len(serials) + 1), critical=False))
            for s in serials:
                b = b.add_revoked_certificate(x509.RevokedCertificateBuilder().serial_number(s).revocation_date(now).build())
            out += b.sign(by.private, self.hash).public_bytes(serialization.Encoding.PEM)
        target = path or self.crl
        # Renamed into place: a daemon that reloads never sees half a list.
        part = target.with_suffix(".part")
        part.write_bytes(out)
        part.rename(target)
        return target

    # What a verifier must refuse, each with exactly one thing wrong.

    def expired(self, cn: str) -> Party:
        now = datetime.datetime.utcnow().replace(microsecond=0)
        return self.issue(cn, start=now - 20 * DAY, end=now - 10 * DAY)

    def not_yet_valid(self, cn: str) -> Party:
        now = datetime.datetime.utcnow().replace(microsecond=0)
        return self.issue(cn, start=now + 10 * DAY)

    def revoked(self, cn: str) -> Party:
        p = self.issue(cn)
        self.revoke(p)
        self.write_crl()
        return p

    def wrong_usage(self, cn: str) -> Party:
        return self.issue(cn, usage="encrypt")

    def wrong_root(self, cn: str) -> Party:
        """From authorities with the same names and other keys."""
        return Pki(self.directory / f"{self.tag}{cn}-impostor", self.kind, own=True).issue(cn)

    def not_a_ca(self, cn: str) -> Party:
        """Issued by somebody who is no certification authority."""
        return self.issue(cn, issuer=self.issue(f"{cn}-clerk"))

    def self_signed(self, cn: str) -> Party:
        return self.issue(cn, issuer=None)
