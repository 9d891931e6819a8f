# SPDX-License-Identifier: BSD-2-Clause
"""Certificates that are BER and not DER, for the C tools and for the Python peers: one verdict, whatever is wrong and wherever."""
import datetime
import subprocess

import pytest
from asn1crypto import core

from lab.build import program
from lab.pki import Pki
from msec_scapy import der, material, pkix

NOW = datetime.datetime.now(datetime.timezone.utc)
LENGTH = "length"


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    p = Pki(tmp_path_factory.mktemp("pki"))
    for name in ("aa", "gm0"):
        p.issue(name, dns=f"{name}.example")
    return p


def tlv(tag, body, longer=False):
    n = 0 if len(body) < 128 else (len(body).bit_length() + 7) // 8
    if longer:
        n += 1
    return tag + (bytes([0x80 | n]) + len(body).to_bytes(n, "big") if n else bytes([len(body)])) + body


def values(e):
    """Other forms of a simple value, each of them BER for something."""
    if e.cls or e.constructed:
        return
    if e.number == der.BOOLEAN:
        yield b"\x01\x01\x01"
        yield b"\x01\x01\x00"  # here always where FALSE is the default
    elif e.number == der.BIT_STRING:
        yield tlv(b"\x23", e.octets)
        yield tlv(b"\x03", b"\x01" + e.body[1:-1] + bytes([e.body[-1] | 1]))
    elif e.number == der.OID:
        yield tlv(b"\x06", e.body[:1] + b"\x80" + e.body[1:])
    elif e.number in (4, 12, 19, 22):
        yield tlv(bytes([e.octets[0] | der.CONSTRUCTED]), e.octets)
    elif e.number == der.INTEGER:
        yield tlv(b"\x02", b"\x00" + e.body)
    elif e.number == der.NULL:
        yield b"\x05\x01\x00"


def elements(e):
    yield e
    for c in e.children:
        yield from elements(c)


def rewrite(e, which, by):
    """The octets of `e`, in which the element `which` is written as `by` (octets, or LENGTH) says."""
    if e is which and by is not LENGTH:
        return by
    body = b"".join(rewrite(c, which, by) for c in e.children) if e.constructed else e.body
    return tlv(e.octets[:1], body, longer=e is which)


def spoilt(octets):
    whole = der.one(octets)
    assert rewrite(whole, None, LENGTH) == octets
    for e in elements(whole):
        yield rewrite(whole, e, LENGTH)
        for other in values(e):
            yield rewrite(whole, e, other)


def c_takes(path, octets):
    path.write_bytes(octets)
    return subprocess.run([program("msec-token"), "keyid", path], capture_output=True).returncode == 0


def python_takes(kind, octets):
    try:
        kind(octets)
    except ValueError:
        return False
    return True


@pytest.mark.req("RFC5280-4.1-01")
def test_a_certificate_is_der_for_both(pki, tmp_path):
    good = pki.parties["gm0"].der
    assert c_takes(tmp_path / "c", good) and python_takes(pkix.Certificate, good)
    bad = list(spoilt(good))
    assert len(bad) > 60
    for octets in bad:
        assert not python_takes(pkix.Certificate, octets), octets.hex()
        assert not c_takes(tmp_path / "c", octets), octets.hex()


@pytest.mark.req("RFC5280-5.1-01")
def test_a_crl_is_der(pki):
    for made in pkix.load_crls(pki.crl):
        octets = made.x.dump()
        assert python_takes(pkix.Crl, octets)
        assert not any(python_takes(pkix.Crl, bad) for bad in spoilt(octets))


@pytest.mark.req("RFC5280-4.1-01")
def test_an_attribute_certificate_is_der(pki):
    octets = material.issue(pkix.Certificate(pki.parties["aa"].der), pki.parties["aa"].private,
                            pkix.Certificate(pki.parties["gm0"].der), {2, 9})
    assert python_takes(material.AttributeCertificate, octets)
    assert not any(python_takes(material.AttributeCertificate, bad) for bad in spoilt(octets))


@pytest.mark.parametrize("octets,good", [
    ("3106020101020102", True), ("3106020102020101", False),  # a SET OF is sorted
    ("30800000", False), ("308100", False), ("0500" * 2, False),  # indefinite; longer than need be; two
    ("9f1f00", True), ("9f1e00", False), ("9f801f00", False), ("9f81", False),  # long tags are for large numbers
    ("03020780", True), ("03020781", False), ("030101", False),
    ("0a0101", True), ("0a020001", False), ("0202ff80", False), ("020200ff", True),
    ("30" "00", True), ("1000", False), ("", False), ("30", False), ("3005" "02", False),
])
def test_rules(octets, good):
    assert python_takes(der.one, bytes.fromhex(octets)) is good


def test_nesting_is_bounded():
    octets = b""
    for _ in range(der.DEPTH + 1):
        octets = core.Sequence(contents=octets).dump()
    assert python_takes(der.one, octets)
    assert not python_takes(der.one, core.Sequence(contents=octets).dump())
