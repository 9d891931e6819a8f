# SPDX-License-Identifier: BSD-2-Clause
"""What Certificate payloads carry besides X.509 certificates (RFC 4535 Table 20).

Raw RSA keys, certificates and bundles by hash and URL (RFC 4306 section 3.6),
attribute certificates (RFC 5755) with permissions, revocation lists.
"""
import datetime
import hashlib
import http.client
from urllib.parse import urlsplit

from asn1crypto import cms, core
from asn1crypto import crl as asn1_crl
from asn1crypto import keys, x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from . import der as x690
from . import pkix

X509, CRL, ATTRIBUTE, RAW_RSA, HASH_URL, HASH_URL_BUNDLE = 4, 7, 10, 11, 12, 13
HASH_LEN = 20
# Whoever gives permissions gives them under this attribute type, see the register of choices.
OID_PERMISSION = "2.25.227007163891039140890553393414073698781.5.1"


class MaterialError(ValueError):
    """Data that are not what their type says."""


# ------------------------------------------------------------------- raw keys

class RawKey:
    """An RSAPublicKey of PKCS #1 in the place of a certificate: its own authority."""

    def __init__(self, der):
        try:
            numbers = keys.RSAPublicKey.load(der, strict=True)
            self.key = rsa.RSAPublicNumbers(numbers["public_exponent"].native,
                                            numbers["modulus"].native).public_key()
        except (ValueError, TypeError) as e:
            raise MaterialError(f"no RSAPublicKey: {e}") from e
        self.der, self.key_id = der, hashlib.sha1(der).digest()
        self.subject = self.issuer = b""
        self.serial, self.alt_names = 0, []

    def __eq__(self, other):
        return isinstance(other, RawKey) and self.der == other.der

    def __hash__(self):
        return hash(self.der)

    def __repr__(self):
        return f"<RawKey {self.key_id.hex()}>"

    @classmethod
    def of(cls, key):
        """Of a public or private key of `cryptography`."""
        public = key.public_key() if hasattr(key, "public_key") else key
        return cls(public.public_bytes(serialization.Encoding.DER,
                                       serialization.PublicFormat.PKCS1))


# --------------------------------------------------------------- hash and URL

class CertificateOrCRL(core.Choice):
    _alternatives = [("cert", x509.Certificate, {"explicit": 0}),
                     ("crl", asn1_crl.CertificateList, {"explicit": 1})]


class CertificateBundle(core.SequenceOf):
    _child_spec = CertificateOrCRL


def bundle(certs=(), crls=()):
    """DER of a CertificateBundle."""
    return CertificateBundle(
        [CertificateOrCRL("cert", x509.Certificate.load(c.der)) for c in certs]
        + [CertificateOrCRL("crl", c.x) for c in crls]).dump()


def by_url(octets, url):
    """The data of a payload of type 12 or 13."""
    return hashlib.sha1(octets).digest() + url.encode("ascii")


def get(url, limit=65536, timeout=3):
    """The octets of an http URL, or None; no redirects, nothing above the limit."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        return None
    connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=timeout)
    try:
        connection.request("GET", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
        answer = connection.getresponse()
        octets = answer.read(limit + 1)
        return octets if answer.status == 200 and len(octets) <= limit else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


# -------------------------------------------------------- what a message brings

class Material:
    """The Certificate payloads of a message, by what they are good for."""

    def __init__(self, payloads, fetch=None):
        self.certs, self.crls, self.attributes, self.unusable = [], [], [], 0
        for p in payloads:
            try:
                self._add(p.cert_type, bytes(p.data), fetch)
            except (ValueError, TypeError, KeyError) as e:
                raise MaterialError(str(e)) from e

    def _add(self, kind, data, fetch):
        if kind == X509:
            self.certs.append(pkix.Certificate(data))
        elif kind == CRL:
            self.crls.append(pkix.Crl(data))
        elif kind == ATTRIBUTE:
            self.attributes.append(AttributeCertificate(data))
        elif kind == RAW_RSA:
            self.certs.append(RawKey(data))
        elif kind in (HASH_URL, HASH_URL_BUNDLE):
            self._by_url(kind, data, fetch)
        else:
            self.unusable += 1

    def _by_url(self, kind, data, fetch):
        digest, url = data[:HASH_LEN], data[HASH_LEN:].decode("ascii")
        if not url:
            raise MaterialError("a hash without a URL")
        if fetch is None:
            self.unusable += 1
            return
        octets = fetch(url)
        if octets is None or hashlib.sha1(octets).digest() != digest:
            return
        if kind == HASH_URL:
            self.certs.append(pkix.Certificate(octets))
            return
        for one in CertificateBundle.load(octets, strict=True):
            if one.name == "cert":
                self.certs.append(pkix.Certificate(one.chosen.untag().dump()))
            else:
                self.crls.append(pkix.Crl(one.chosen.untag().dump()))


# ----------------------------------------------------- attribute certificates

def _directory_name(names):
    if len(names) != 1 or names[0].name != "directory_name":
        raise MaterialError("not one directoryName")
    return names[0].chosen.untag().dump()


class AttributeCertificate:
    """RFC 5755 section 4, as far as permissions go."""

    def __init__(self, der):
        x690.one(der)
        self.der = der
        self.x = cms.AttributeCertificateV2.load(der, strict=True)
        info = self.x["ac_info"]
        if info["version"].native != "v2" or info["issuer"].name != "v2_form":
            raise MaterialError("not version 2")
        self.info = info.dump()
        self.issuer = _directory_name(info["issuer"].chosen["issuer_name"])
        validity = info["att_cert_validity_period"]
        self.not_before = validity["not_before_time"].native
        self.not_after = validity["not_after_time"].native
        extensions = info["extensions"]
        self.critical = any(e["critical"].native for e in extensions) if extensions else False

    def holds(self, cert):
        holder = self.x["ac_info"]["holder"]
        base, entity = holder["base_certificate_id"], holder["entity_name"]
        if base.native is None and entity.native is None:
            return False
        if base.native is not None and (_directory_name(base["issuer"]) != cert.issuer
                                        or base["serial"].native != cert.serial):
            return False
        return entity.native is None or _directory_name(entity) == cert.subject

    def levels(self):
        """The SimplePermission values that it gives."""
        out = set()
        for attribute in self.x["ac_info"]["attributes"]:
            if attribute["type"].dotted != OID_PERMISSION:
                continue
            for value in attribute["values"]:
                octets = value.dump()
                if len(octets) == 3 and octets[:2] == b"\x81\x01" and 1 <= octets[2] <= 9:
                    out.add(octets[2])
        return out

    def verify(self, authorities, trust, holder, at):
        """Section 5 of RFC 5755: may one believe it of the holder of `holder`?"""
        if self.critical or not self.holds(holder) or not self.not_before <= at <= self.not_after:
            return False
        for aa in authorities:
            if aa.subject != self.issuer or aa.is_ca():
                continue
            if not pkix._verifies(self.info, self.x["signature"].native,
                                  self.x["signature_algorithm"], aa.key):
                continue
            try:
                trust.path(aa, (), at)
                return True
            except pkix.PathFault:
                continue
        return False


def issue(authority, authority_key, holder, levels, start=None, days=30, serial=1,
          entity=False, critical=False):
    """DER of an attribute certificate over permissions; for laboratories and tests."""
    start = start or datetime.datetime.now(datetime.timezone.utc).replace(
        microsecond=0) - datetime.timedelta(hours=1)
    name = x509.Name.load(authority.subject)
    algorithm, sign = _signing(authority_key)
    who = ({"entity_name": [x509.GeneralName("directory_name", x509.Name.load(holder.subject))]}
           if entity else
           {"base_certificate_id": {
               "issuer": [x509.GeneralName("directory_name", x509.Name.load(holder.issuer))],
               "serial": holder.serial}})
    values = b"".join(b"\x81\x01" + bytes([n]) for n in sorted(levels))
    attribute = core.Sequence.load(_tlv(0x30, core.ObjectIdentifier(OID_PERMISSION).dump()
                                        + _tlv(0x31, values)))
    info = {"version": "v2", "holder": who,
            "issuer": cms.AttCertIssuer("v2_form", cms.V2Form({
                "issuer_name": [x509.GeneralName("directory_name", name)]})),
            "signature": algorithm, "serial_number": serial,
            "att_cert_validity_period": {
                "not_before_time": start,
                "not_after_time": start + datetime.timedelta(days=days)},
            "attributes": cms.AttCertAttributes.load(_tlv(0x30, attribute.dump()))}
    # 2.5.29.56 is noRevAvail; 2.5.29.55 (targets) is the one that has to be critical.
    info["extensions"] = [
        {"extn_id": "2.5.29.55", "critical": True, "extn_value": b"\x30\x00"} if critical
        else {"extn_id": "2.5.29.56", "extn_value": b"\x05\x00"}]
    ac_info = cms.AttributeCertificateInfoV2(info)
    return cms.AttributeCertificateV2({"ac_info": ac_info, "signature_algorithm": algorithm,
                                       "signature": sign(ac_info.dump())}).dump()


def _tlv(tag, contents):
    n = len(contents)
    length = bytes([n]) if n < 128 else bytes([0x82]) + n.to_bytes(2, "big")
    return bytes([tag]) + length + contents


def _signing(key):
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return ({"algorithm": "sha256_ecdsa"},
                lambda data: key.sign(data, ec.ECDSA(hashes.SHA256())))
    return ({"algorithm": "sha256_rsa", "parameters": core.Null()},
            lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA256()))
