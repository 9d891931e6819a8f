# SPDX-License-Identifier: BSD-2-Clause
"""Certificate payloads of other types in the Python peers, and their command lines."""
import datetime

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from lab.pki import Pki
from msec_scapy import cli, identity, material, pkix
from msec_scapy import registry as reg
from msec_scapy.gsakmp import Certificate

NOW = datetime.datetime.now(datetime.timezone.utc)


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    p = Pki(tmp_path_factory.mktemp("pki"))
    for name in ("aa", "gm0", "gm1"):
        p.issue(name)
    return p


def cert(pki, name):
    return pkix.Certificate(pki.parties[name].der)


def read(kind, data, fetch=None):
    return material.Material([Certificate(cert_type=kind, data=data)], fetch)


@pytest.mark.req("RFC4535-7.7.1-07")
def test_hash_and_url(pki):
    octets = material.bundle([cert(pki, "gm0"), cert(pki, "ca")], pkix.load_crls(pki.crl))
    data = material.by_url(octets, "http://h/b")
    found = read(reg.CERT_HASH_URL_BUNDLE, data, {"http://h/b": octets}.get)
    assert found.certs == [cert(pki, "gm0"), cert(pki, "ca")] and len(found.crls) == 2
    assert read(reg.CERT_HASH_URL_BUNDLE, data).unusable == 1, "not without being told to fetch"
    assert not read(reg.CERT_HASH_URL_BUNDLE, data, lambda url: octets + b"x").certs
    assert not read(reg.CERT_HASH_URL_BUNDLE, data, lambda url: None).certs
    for bad in (b"", bytes(20), bytes(19)):
        with pytest.raises(material.MaterialError):
            read(reg.CERT_HASH_URL, bad)


@pytest.mark.req("RFC4535-7.7.1-07", "RFC4534-B.1.2-01")
def test_attribute_certificates(pki):
    aa, trust = cert(pki, "aa"), pkix.Trust([cert(pki, "root")], extra=[cert(pki, "ca")])

    def good(der, holder="gm0", authorities=(aa,), at=NOW):
        one = read(reg.CERT_ATTRIBUTE, der).attributes[0]
        return one.verify(authorities, trust, cert(pki, holder), at) and one.levels()
    key = pki.parties["aa"].private
    der = material.issue(aa, key, cert(pki, "gm0"), {2, 9})
    assert good(der) == {2, 9}
    assert good(material.issue(aa, key, cert(pki, "gm0"), {2}, entity=True)) == {2}
    assert not good(der, "gm1") and not good(der, authorities=())
    assert not good(der, at=NOW + datetime.timedelta(days=31))
    assert not good(material.issue(aa, key, cert(pki, "gm0"), {2}, critical=True))
    assert not good(material.issue(aa, pki.parties["gm1"].private, cert(pki, "gm0"), {2}))


def test_command_line(pki, tmp_path):
    """A member with a raw key, who believes that of its key server."""
    key = rsa.generate_private_key(65537, 2048)
    private, public = tmp_path / "key", tmp_path / "pub"
    private.write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    runner = cli.member_runner([
        "--group-id", "01" * 12, "--key", str(private), "--raw-name", "11:me", "--suite", "rsa",
        "--believe", f"2:keys.example={public}", "--server", "127.0.0.1:3761", "--events",
        str(tmp_path / "events"), "--transport", "udpRTJtcpOther", "--opener", "key-server"])
    try:
        gm = runner.member
        assert gm.me == identity.Identity(reg.ID_KEY, b"me") and runner.listener is not None
        assert gm.credentials.payloads() == [(reg.CERT_RAW_RSA, material.RawKey.of(key).der)]
        assert gm.trust.raw == [(identity.Identity(reg.ID_FQDN, b"keys.example"),
                                 material.RawKey.of(key))]
    finally:
        runner.close()
