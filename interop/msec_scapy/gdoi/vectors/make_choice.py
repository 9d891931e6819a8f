# SPDX-License-Identifier: BSD-2-Clause
"""choices.json: policies with several registrations and rekey protocols, and which of them are in force."""
from types import SimpleNamespace

from asn1crypto import core

from ...vectors import make_token_gdoi as t
from ...vectors import xmlform
from . import compute, fixed
from .store import Book, Dialect

OTHERS = t.LISTS.replace("192.0.2.1<", "192.0.2.2<")
LEGACY = t.PSK.replace('encryption="aes" key-length="128"', 'encryption="3des"')
AES256 = t.PSK.replace('"128"', '"256"')
OID, SPECIFIC = "1.2.840.10070.61850.8.1.2", bytes.fromhex("a0060404e9fc0001")
SEVEN, NAMED = '<group number="7"/>', f'<group oid="{OID}" payload="{SPECIFIC.hex()}"/>'
ECDSA, TDES = '<signature algorithm="ecdsa-256"/>', '<kek algorithm="3des" lifetime="1d"/>'
PROPOSAL = {"auth": 1, "cipher": 7, "key_bits": 256, "hash": 4, "group": 14}


def group(number=None, oid=None, specific=b""):
    """The body of an ID payload."""
    fields = SimpleNamespace(number=number, oid=oid, specific=specific, get=lambda name: oid)
    return compute.group_id(fields, Dialect())["body"]


def private(kind):
    return fixed.private(fixed.key(kind))


def _registrations():
    two = t.register() + t.register(SEVEN)
    yield "group/first", "two groups; that of the first", two, {"group": group(number=4660)}, 0
    yield "group/second", "the highest is for another group", two, {"group": group(number=7)}, 1
    yield "group/none", "none is for this group", two, {"group": group(number=8)}, None
    named = t.register(SEVEN) + t.register(NAMED)
    contents = core.ObjectIdentifier(OID).contents
    yield "group/oid", "a number and an OID", named, {"group": group(oid=contents, specific=SPECIFIC)}, 1
    yield "group/oid-payload", "another OID-Specific Payload", named, {"group": group(oid=contents, specific=b"")}, None
    theirs = t.register(lists=OTHERS) + t.register()
    for label, last, place in (("first", 2, 0), ("second", 1, 1), ("none", 3, None)):
        yield f"server/{label}", f"the key server 192.0.2.{last}", theirs, {"self": bytes([192, 0, 2, last])}, place
    old = t.register(phase1=LEGACY) + t.register()
    yield "phase1/legacy", "phase 1 of 3DES is not allowed", old, {}, 1
    yield "phase1/legacy-allowed", "it is allowed", old, {"legacy": True}, 0
    yield "phase1/legacy-only", "nothing else is listed", t.register(phase1=LEGACY), {}, None
    keys = t.register() + t.register(phase1=AES256)
    yield "phase1/proposed", "the key server proposes AES-256 alone", keys, {"phase1": [PROPOSAL]}, 1
    yield "phase1/none-proposed", "what it proposes is listed nowhere", keys, {"phase1": [{**PROPOSAL, "hash": 6}]}, 0
    both = t.register(SEVEN) + t.register(phase1=LEGACY) + t.register(phase1=AES256)
    yield ("phase1/and-group", "another group, legacy, and at last one that can be done", both,
           {"group": group(number=4660), "phase1": [PROPOSAL]}, 2)
    yield ("phase1/other-group-only", "what is proposed is listed for another group",
           t.register(SEVEN, phase1=AES256) + t.register(), {"group": group(number=4660), "phase1": [PROPOSAL]}, 1)


def _rekeys():
    signed = t.rekey() + t.rekey(signature=ECDSA)
    yield "rekey/rsa", "the signer has a key of RSA", signed, {"signer": private("rsa")}, 0
    yield "rekey/ecdsa", "the signer has a key of P-256", signed, {"signer": private("p256")}, 1
    yield "rekey/p384", "the signer has a key for neither", signed, {"signer": private("p384")}, 0
    yield "rekey/legacy", "3DES is not allowed", t.rekey(kek=TDES) + t.rekey(), {}, 1
    yield "rekey/legacy-allowed", "3DES is allowed", t.rekey(kek=TDES) + t.rekey(), {"legacy": True}, 0
    yield "rekey/legacy-only", "nothing else is listed", t.rekey(kek=TDES), {}, None


def _add(book, label, about, req, xml, given, place, name):
    der = xmlform.der(xml)
    raw = book.add("choice", label, about, req, {"token": der, "legacy": False, **given})
    assert raw["out"]["runs"] == (place is not None), raw
    assert raw["out"].get(name) == place, raw


def books():
    book = Book("choices", "Policy tokens with several registrations and rekey protocols, and which of them are in force.")
    for label, about, registration, given, place in _registrations():
        _add(book, label, about, ["RFC4534-3-05"], t.policy(registration), given, place, "registration")
    for label, about, rekeys, given, place in _rekeys():
        _add(book, label, about, ["RFC4534-3-08"], t.policy(None, rekeys), given, place, "rekey")
    yield book
