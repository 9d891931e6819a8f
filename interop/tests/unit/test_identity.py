# SPDX-License-Identifier: BSD-2-Clause
"""Names: RFC 4514 strings both ways, certificates, wildcard rules; paths to roots."""
import datetime
import ipaddress

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from msec_scapy import identity, pkix
from msec_scapy import registry as reg
from msec_scapy.dialect import Dialect
from msec_scapy.identity import Identity
from msec_scapy.testing.authority import NOW, Authority

FORWARD, OCTETS = Dialect(dn_string="forward"), Dialect(dn_string="octets")


def der(*rdns):
    """A DER name from [(oid, text), ...] per RDN."""
    return x509.Name([x509.RelativeDistinguishedName(
        [x509.NameAttribute(o, v) for o, v in rdn]) for rdn in rdns]).public_bytes()


CN, O, OU, C = (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME,
                NameOID.COUNTRY_NAME)


@pytest.mark.req("RFC4535-7.6.1-03")
@pytest.mark.parametrize("name,text", [
    (der([(C, "US")], [(O, "Lab")], [(CN, "a")]), "CN=a,O=Lab,C=US"),
    (der([(O, "Sue, Grabbit and Runn")], [(CN, "L. Eagle")]),
     "CN=L. Eagle,O=Sue\\, Grabbit and Runn"),
    (der([(CN, "#hash")]), "CN=\\#hash"), (der([(CN, " lead")]), "CN=\\ lead"),
    (der([(CN, "trail ")]), "CN=trail\\ "), (der([(CN, 'a"b\\c;d<e>f+g')]),
                                             'CN=a\\"b\\\\c\\;d\\<e\\>f\\+g'),
    (der([(CN, "Lučić")]), "CN=Lučić"), (der([(CN, "a\\")], [(O, "b\\")]), "O=b\\\\,CN=a\\\\"),
    (der([(CN, "a\\ ")]), "CN=a\\\\\\ "),
    (der([(NameOID.EMAIL_ADDRESS, "a@b")], [(CN, "x")]),
     "CN=x,1.2.840.113549.1.9.1=#1603614062")])
def test_dn_strings(name, text):
    assert identity.dn_string(name) == text
    assert identity.parse_dn(text) == identity.parsed_name(name)


def test_multi_valued_rdns_in_any_order():
    name = der([(OU, "Sales"), (CN, "J. Smith")], [(O, "Lab")])
    text = identity.dn_string(name)
    assert text in ("O=Lab,OU=Sales+CN=J. Smith", "O=Lab,CN=J. Smith+OU=Sales")
    for spelling in ("O=Lab,OU=Sales+CN=J. Smith", "O=Lab,CN=J. Smith+OU=Sales"):
        assert identity.parse_dn(spelling) == identity.parsed_name(name)


def test_forward_order():
    name = der([(O, "Lab")], [(CN, "a")])
    assert identity.dn_string(name, FORWARD) == "O=Lab,CN=a"
    assert identity.parse_dn("O=Lab,CN=a", FORWARD) == identity.parsed_name(name)
    assert identity.parse_dn("O=Lab,CN=a") != identity.parsed_name(name)


@pytest.mark.parametrize("text", [
    "cn=A,o=LAB", "CN=a, O=Lab", "CN = a,O=Lab", '2.5.4.3=a,O="Lab"', "CN=\\61,O=Lab",
    "CN=#0c0161,O=Lab", "OID.2.5.4.3=a,O=Lab", "CN=a;O=Lab"])
def test_equal_spellings(text):
    assert identity.parse_dn(text) == identity.parse_dn("CN=a,O=Lab")


@pytest.mark.parametrize("text", ["E=a@b", "Email=a@b", "emailAddress=a@b",
                                  "1.2.840.113549.1.9.1=#1603614062"])
def test_spellings_of_mail_addresses(text):
    assert identity.parse_dn(text) == [{("1.2.840.113549.1.9.1", "a@b")}]


@pytest.mark.parametrize("text", ["CN", "XX=a", "CN=a,", "CN=#zz", "CN=\\", ",CN=a", "=a",
                                  "CN=a+,O=b"])
def test_bad_strings(text):
    with pytest.raises(ValueError):
        identity.parse_dn(text)


@pytest.fixture(scope="module")
def holder(ca):
    return ca.issue("gm0", san=[x509.DNSName("gm0.lab"), x509.RFC822Name("Gm0@Lab"),
                                x509.IPAddress(ipaddress.ip_address("10.0.0.7")),
                                x509.IPAddress(ipaddress.ip_address("2001:db8::7"))])[1]


@pytest.fixture(scope="module")
def ca():
    return Authority()


@pytest.mark.req("RFC4535-7.6.1-05", "RFC4535-7.6.1-06", "RFC4535-7.8.2-05")
@pytest.mark.parametrize("kind,good,bad", [
    (reg.ID_DN, b"CN=gm0,O=MSEC Lab", b"O=MSEC Lab,CN=gm0"),
    (reg.ID_DN, b"cn=GM0, o=msec lab", b"CN=gm0"),
    (reg.ID_FQDN, b"GM0.lab", b"gm1.lab"), (reg.ID_RFC822, b"Gm0@LAB", b"gm0@lab"),
    (reg.ID_IPV4, b"\x0a\0\0\x07", b"\x0a\0\0\x08"),
    (reg.ID_IPV6, ipaddress.ip_address("2001:db8::7").packed, bytes(16)),
    (reg.ID_KEY, None, b"key")])
def test_certificate_binds_its_names(holder, kind, good, bad):
    if good is not None:
        assert identity.matches_certificate(Identity(kind, good), holder)
    assert not identity.matches_certificate(Identity(kind, bad), holder)


@pytest.mark.req("RFC4535-7.6.1.1-01", "RFC4535-7.6.2.1-04")
def test_unencoded_names(holder):
    who = identity.of_certificate(holder, reg.ID_U_NAME)
    dn = b"/O=MSEC Lab/CN=gm0"
    assert who.data == holder.serial.to_bytes(20, "big") + len(dn).to_bytes(4, "big") + dn
    assert identity.matches_certificate(who, holder)
    other = Identity(reg.ID_U_NAME, b"\1" * 20 + who.data[20:])
    assert not identity.matches_certificate(other, holder)


def test_der_names_are_compared_bitwise(holder):
    who = identity.of_certificate(holder, reg.ID_DER_DN)
    assert who.data == holder.subject and identity.matches_certificate(who, holder)
    recased = Identity(reg.ID_DER_DN, holder.subject.replace(b"gm0", b"GM0"))
    assert not identity.matches_certificate(recased, holder)


def test_octet_comparison(holder):
    assert identity.matches_certificate(Identity(31, b"CN=gm0,O=MSEC Lab"), holder, OCTETS)
    assert not identity.matches_certificate(Identity(31, b"cn=gm0,O=MSEC Lab"), holder, OCTETS)


@pytest.mark.req("RFC4534-B.1.1-03", "RFC4534-B.1.1-04")
@pytest.mark.parametrize("kind,rule,who,match", [
    (31, "CN=gm*,O=Lab", "CN=gm7,O=Lab", True), (31, "CN=gm*,O=Lab", "CN=gm,O=Lab", True),
    (31, "CN=*,O=Lab", "CN=anybody at all,O=Lab", True), (31, "CN=*,O=*", "CN=a,O=b", True),
    (31, "CN=*", "CN=a,O=b", False), (31, "CN=*,O=Lab", "CN=a\\,O=Lab,O=Lab", True),
    (31, "CN=a\\2ab,O=Lab", "CN=a*b,O=Lab", True), (31, "CN=a\\2ab,O=Lab", "CN=aXb,O=Lab", False),
    (31, "CN=*,O=Lab", "OU=a,O=Lab", False), (31, "CN=a.c,O=Lab", "CN=abc,O=Lab", False),
    (2, "*.lab", "gm0.lab", True), (2, "*.lab", "a.b.lab", False), (2, "gm*.lab", "GM1.lab", True),
    (3, "*@lab", "a@lab", True), (3, "*@lab", "a@b@lab", False), (2, "gm0.lab", "gm0.lab", True)])
def test_wildcards(kind, rule, who, match):
    assert identity.matches_rule(Identity(kind, who.encode()),
                                 Identity(kind, rule.encode())) is match


def test_a_rule_admits_only_its_type():
    assert not identity.matches_rule(Identity(2, b"gm0.lab"), Identity(3, b"gm0.lab"))


# ------------------------------------------------------------------ paths

AT = NOW


def fault(trust, cert, pool=(), at=AT):
    with pytest.raises(pkix.PathFault) as e:
        trust.path(cert, pool, at)
    return e.value.kind


@pytest.mark.req("RFC4535-7.8.2-07", "RFC4535-5.2.1.1-17")
def test_good_path(ca, holder):
    assert pkix.Trust([ca.cert]).path(holder, at=AT) == [holder, ca.cert]


@pytest.mark.req("RFC4535-7.8.2-07")
@pytest.mark.parametrize("how,kind", [
    ({"start": -20, "end": -10}, "expired"), ({"start": 10}, "not-yet-valid"),
    ({"usage": False}, "usage")])
def test_bad_leaves(ca, how, kind):
    assert fault(pkix.Trust([ca.cert]), ca.issue("gm", **how)[1]) == kind


def test_revocation(ca, holder):
    other = ca.issue("other")[1]
    trust = pkix.Trust([ca.cert], [ca.crl(other)], require_crl=True)
    assert trust.path(holder, at=AT)
    assert fault(trust, other) == "revoked"
    strange = Authority().crl(holder)
    assert pkix.Trust([ca.cert], [strange]).path(holder, at=AT), "a CRL nobody signed for us"
    assert fault(pkix.Trust([ca.cert], [strange], require_crl=True), holder) == "no-crl"
    late = AT + datetime.timedelta(days=60)
    assert fault(pkix.Trust([ca.cert], [ca.crl()], require_crl=True), holder, at=late) == "no-crl"
    assert fault(pkix.Trust([ca.cert], [ca.crl(holder)]), holder, at=late) == "revoked", "an old list can tell, too"


def test_the_last_second_of_a_validity_counts(ca):
    """RFC 5280 4.1.2.5 for certificates, 6.3.3 (a) for CRLs: the second itself, and all of it."""
    second, instant = datetime.timedelta(seconds=1), datetime.timedelta(milliseconds=900)
    cert = ca.issue("brief", start=-0.5, end=0.5)[1]
    trust = pkix.Trust([ca.cert])
    for at in (cert.not_before, cert.not_after, cert.not_after + instant):
        assert trust.path(cert, at=at)
    assert fault(trust, cert, at=cert.not_before - instant) == "not-yet-valid"
    assert fault(trust, cert, at=cert.not_after + second) == "expired"
    listed, long = ca.crl(), ca.issue("long", end=60)[1]
    strict = pkix.Trust([ca.cert], [listed], require_crl=True)
    for at in (listed.this_update, listed.next_update, listed.next_update + instant):
        assert strict.path(long, at=at)
    assert fault(strict, long, at=listed.next_update + second) == "no-crl"


@pytest.mark.req("RFC4535-7.7.1-03", "RFC4535-7.7.2-04", "RFC4535-7.7.2-05", "RFC4535-7.7.2-06")
def test_intermediates_come_along_but_roots_do_not(ca):
    middle = Authority("Middle", parent=ca)
    leaf = middle.issue("gm")[1]
    trust = pkix.Trust([ca.cert])
    assert trust.path(leaf, [middle.cert], AT) == [leaf, middle.cert, ca.cert]
    assert fault(trust, leaf) == "unknown-root"
    impostor = Authority()
    assert fault(trust, impostor.issue("gm")[1], [impostor.cert]) == "unknown-root"
    assert fault(trust, ca.cert) == "anchor"


def test_only_authorities_issue(ca, holder):
    clerk = Authority("clerk")
    clerk.key, cert = ca.issue("clerk")
    clerk.name = x509.load_der_x509_certificate(cert.der).subject
    assert fault(pkix.Trust([ca.cert]), clerk.issue("gm")[1], [cert]) == "not-a-ca"


@pytest.mark.parametrize("kind", ("dsa", "rsa", "ec", "p384", "ed25519"))
def test_every_kind_of_key_signs_certificates(kind):
    root = Authority("r", kind)
    leaf = root.issue("gm", kind)[1]
    assert pkix.Trust([root.cert]).path(leaf, at=AT)
    broken = bytearray(leaf.der)
    broken[leaf.der.index(b"gm")] ^= 1
    assert fault(pkix.Trust([root.cert]), pkix.Certificate(bytes(broken))) == "unknown-root"


def test_key_identifiers(holder):
    import hashlib
    spki = holder.x["tbs_certificate"]["subject_public_key_info"]["public_key"]
    assert holder.key_id == hashlib.sha1(spki.contents[1:]).digest()
