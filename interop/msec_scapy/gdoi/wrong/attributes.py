# SPDX-License-Identifier: BSD-2-Clause
"""Lengths of attributes that lie, and keys that are longer or shorter than the policy says.

A receiver that believes the length of an attribute, or of a key that another attribute has announced, writes or
reads behind its buffer: CVE-2023-20109 was of this kind, in GDOI and G-IKEv2.
"""
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from .. import numbers as n
from .. import sign
from ..group import GAP, SAK, SAT
from ..isakmp import tlv, tv
from .change import attribute, in_kd, in_sa, lie, more, of, without

LONG, HUGE = bytes(range(256)) * 4, bytes(16000)


def _server(name, where, req, text, **how):
    return dict(name=name, role="server", where=where, req=req, text=text, **how)


def _resized(kind, packet, size):
    """KD: the octets of an attribute become `size` many."""
    return in_kd(packet, attribute(kind, data=lambda d: (d + HUGE)[:size], length=None))


def _key_lengths():
    keys = (("kek-key", n.KD_KEK, 1, "RFC6407-5.6.2.1-01", (0, 1, 15, 31, 33, 48, 256, 4096, 16000)),
            ("tek-key", n.KD_TEK, 1, "RFC6407-5.6.1-05", (0, 1, 15, 17, 32, 4096)),
            ("tek-integrity", n.KD_TEK, 2, "RFC6407-5.6.1-05", (0, 31, 33, 64, 4096)))
    for name, packet, kind, req, sizes in keys:
        for size in sizes:
            yield _server(f"{name}-{size}", "pull-4", req, f"A {name} of {size} octets, which the policy does not ask for",
                          payloads=_resized(kind, packet, size))
    for size in (0, 4096):
        yield _server(f"push-tek-key-{size}", "push", "RFC6407-5.6.1-05", f"A TEK of {size} octets in a GROUPKEY-PUSH",
                      payloads=_resized(1, n.KD_TEK, size))
    for size in (0, 3, 4000):
        yield _server(f"signature-key-{size}", "pull-4", "RFC6407-5.6.2.2-01", f"SIG_ALGORITHM_KEY of {size} octets that are no key",
                      payloads=in_kd(n.KD_KEK, attribute(2, data=HUGE[:size], length=None)))


def _signed(bits=2048):
    """The SA becomes one that its source signs (RFC 4359): SIG-RSA, a modulus of so many bits, RSASSA-PSS."""
    def change(sat):
        without(n.I_AUTH)(sat)
        more(tv(n.I_AUTH, n.AUTH_SIG_RSA), tv(n.I_AUTH_LEN, bits), tv(n.I_ENCODING, 2))(sat)
    return "pull-2", in_sa(SAT, change)


def _as_signed(sat, found, fields):
    """SIG-RSA with these attributes in place of an HMAC."""
    without(n.I_AUTH)(sat)
    more(tv(n.I_AUTH, n.AUTH_SIG_RSA), *found)(sat)
    tek = sat.tek.copy()
    for name, value in fields.items():
        setattr(tek, name, value)
    sat.tek = tek


def _source(*found):
    """And its key packet has these in place of an integrity key."""
    def change(packet):
        without(2)(packet)
        more(*found)(packet)
    return in_kd(n.KD_TEK, change)


@lru_cache(maxsize=None)
def _public(bits=2048, curve=False):
    return sign.encode_key(ec.generate_private_key(ec.SECP256R1()) if curve else rsa.generate_private_key(65537, bits))


def _later(make):
    """The change that `make` returns when it is needed: keys take time."""
    return lambda layers: make()(layers)


def _source_keys():
    yield _server("source-key-missing", "pull-4", "RFC6407-5.6.1-01", "An SA with SIG-RSA, and no TEK_SOURCE_AUTH_KEY",
                  first=_signed(), payloads=_source())
    yield _server("source-key-uncalled", "pull-4", "RFC6407-5.6.1-01", "TEK_SOURCE_AUTH_KEY of an SA that no source signs",
                  payloads=_later(lambda: in_kd(n.KD_TEK, more(tlv(3, _public())))))
    yield _server("source-key-twice", "pull-4", "RFC6407-5.6.1-01", "Two of them, for one SA", also=("RFC6407-5.3.2-01",), first=_signed(),
                  payloads=_later(lambda: _source(tlv(3, _public()), tlv(3, _public()))))
    for size in (1, 3, 4000):
        yield _server(f"source-key-{size}", "pull-4", "RFC6407-5.6.1.3-01", f"TEK_SOURCE_AUTH_KEY of {size} octets that are no key",
                      first=_signed(), payloads=_source(tlv(3, HUGE[:size])))
    yield _server("source-key-cut", "pull-4", "RFC6407-5.6.1.3-01", "TEK_SOURCE_AUTH_KEY without its last octet",
                  first=_signed(), payloads=_later(lambda: _source(tlv(3, _public()[:-1]))))
    yield _server("source-key-curve", "pull-4", "RFC6407-5.6.1.3-01", "TEK_SOURCE_AUTH_KEY on P-256, for SIG-RSA",
                  first=_signed(), payloads=_later(lambda: _source(tlv(3, _public(curve=True)))))
    yield _server("source-key-short", "pull-4", "RFC6407-5.6.1.3-01", "TEK_SOURCE_AUTH_KEY of 2048 bits, announced as 3072",
                  first=_signed(3072), payloads=_later(lambda: _source(tlv(3, _public()))))
    signs = lambda *found, **f: in_sa(SAT, lambda sat: _as_signed(sat, found, f))
    yield _server("sig-rsa-no-length", "pull-2", "RFC4359-5-01", "SIG-RSA, and not how long the modulus is",
                  payloads=signs(tv(n.I_ENCODING, 2)))
    yield _server("sig-rsa-no-encoding", "pull-2", "RFC4359-5-02", "SIG-RSA, and not how a signature is encoded",
                  payloads=signs(tv(n.I_AUTH_LEN, 2048)))
    yield _server("sig-rsa-encoding-3", "pull-2", "RFC4359-5-02", "SIG-RSA with an encoding that does not exist",
                  payloads=signs(tv(n.I_AUTH_LEN, 2048), tv(n.I_ENCODING, 3)))
    yield _server("sig-rsa-beside-gcm", "pull-2", "RFC4359-4-01", "SIG-RSA with a cipher that has an ICV of its own",
                  payloads=signs(tv(n.I_AUTH_LEN, 2048), tv(n.I_ENCODING, 2), transform=20))
    yield _server("push-source-key-uncalled", "push", "RFC6407-5.6.1-01",
                  "TEK_SOURCE_AUTH_KEY of an SA that no source signs, in a GROUPKEY-PUSH",
                  payloads=_later(lambda: in_kd(n.KD_TEK, more(tlv(3, _public())))))


def _lying_lengths():
    for length in (0x7fff, 0xffff, 255):
        for name, kind, number, where in (("sak", SAK, 4, "pull-2"), ("sat", SAT, 2, "pull-2"), ("push-sat", SAT, 2, "push")):
            yield _server(f"{name}-attribute-says-{length}", where, "RFC2408-3.3-01",
                          f"The last attribute of a {kind.name} says {length} octets and has none",
                          payloads=in_sa(kind, lambda link, k=number, s=length: more(lie(k, s))(without(k)(link) or link)))
    for name, packet, kind in (("kek", n.KD_KEK, 1), ("tek", n.KD_TEK, 2)):
        for length in (0x7fff, 40):
            yield _server(f"{name}-packet-attribute-says-{length}", "pull-4", "RFC2408-3.3-01",
                          f"The last attribute of a {name.upper()} packet says {length} octets and has none",
                          payloads=in_kd(packet, lambda p, k=kind, s=length: more(lie(k, s))(without(k)(p) or p)))
    yield dict(name="gap-attribute-says-32767", role="member", where="pull-3", req="RFC2408-3.3-01",
               text="SENDER_ID_REQUEST as Variable, of 32767 octets that do not come",
               payloads=lambda layers: [GAP(attributes=[lie(3, 0x7fff)])])


def _traffic(**fields):
    """For in_sa: fields of the protocol-specific part of a SAT."""
    def change(sat):
        tek = sat.tek.copy()
        for name, value in fields.items():
            setattr(tek, name, value)
        sat.tek = tek
    return change


def _sources():
    for name, kind, data in (("address", n.ID_IPV4, b"\xef\1\1\1"), ("subnet", n.ID_IPV4_SUBNET, b"\xe0\0\0\0\xf0\0\0\0"),
                             ("ipv6", n.ID_IPV6, b"\xff\x0e" + bytes(13) + b"\1")):
        yield _server(f"source-multicast-{name}", "pull-2", "RFC5374-4.1.1-05", "An SA whose source is multicast",
                      payloads=in_sa(SAT, _traffic(src_type=kind, src=data)))
    for number, kind, data in ((4, n.ID_IPV4_RANGE, b"\xef\1\1\x09\xef\1\1\1"),
                               (6, n.ID_IPV6_RANGE, b"\xff\x0e" + bytes(13) + b"\x09\xff\x0e" + bytes(13) + b"\1")):
        yield _server(f"range-backwards-{number}", "pull-2", f"RFC2407-4.6.2.{8 if number == 4 else 9}-01",
                      "Destinations from the last to the first", payloads=in_sa(SAT, _traffic(dst_type=kind, dst=data)))
    yield _server("push-source-multicast", "push", "RFC5374-4.1.1-05", "An SA whose source is multicast, in a GROUPKEY-PUSH",
                  payloads=in_sa(SAT, _traffic(src_type=n.ID_IPV4, src=b"\xef\1\1\1")))
    yield _server("rekey-source-multicast", "pull-2", "RFC5374-4.1.1-05", "A Rekey SA whose source is multicast",
                  payloads=in_sa(SAK, lambda s: setattr(s, "src", b"\xef\1\1\1")))


def _places():
    for name, text, fields in (("tcp", "PUSHes by TCP", {"protocol": 6}), ("esp", "PUSHes by ESP", {"protocol": 50})):
        yield _server(f"sak-{name}", "pull-2", "RFC6407-5.3-04", text, payloads=in_sa(SAK, _fields(fields)))
    for name, text, fields in (
            ("name", "PUSHes to a name", {"dst_type": n.ID_FQDN, "dst": b"plant.example"}),
            ("subnet", "PUSHes to a subnet", {"dst_type": n.ID_IPV4_SUBNET, "dst": b"\xef\1\1\0\xff\xff\xff\0"}),
            ("range", "PUSHes to a range", {"dst_type": n.ID_IPV4_RANGE, "dst": b"\xef\1\1\1\xef\1\1\x09"})):
        yield _server(f"sak-{name}", "pull-2", "RFC6407-5.3-01", text, payloads=in_sa(SAK, _fields(fields)))
    yield _server("sak-spi-0", "pull-2", "RFC6407-5.3-08", "A Rekey SA with cookies of zero", payloads=in_sa(SAK, _fields({"spi": bytes(16)})))


def _fields(values):
    def change(link):
        for name, value in values.items():
            setattr(link, name, value)
    return change


def _unknown():
    for number in (0, 8, 10, 127, 200, 32767):
        yield _server(f"sak-attribute-{number}", "pull-2", "RFC6407-5.3.2-01", f"KEK attribute {number}",
                      payloads=in_sa(SAK, more(tv(number, 1))))
    for number in (0, 99):
        yield _server(f"sat-attribute-{number}", "pull-2", "RFC2407-4.5.3-01", f"SA attribute {number}",
                      payloads=in_sa(SAT, more(tv(number, 1))))
    for name, kind, value in (("kek-algorithm", 2, 9), ("signature-algorithm", 6, 7), ("signature-hash", 5, 9), ("kek-key-length", 3, 64),
                              ("kek-key-length-huge", 3, 65535)):
        req = "RFC6407-5.3.3-02" if kind == 3 else "RFC6407-5.3.2-01"
        yield _server(f"{name}-{value}", "pull-2", req, f"{n.KEK_ATTR[kind][0]} {value}",
                      payloads=in_sa(SAK, attribute(kind, value=value)))
    for name, kind in (("algorithm", 2), ("signature", 6), ("key-length", 3)):
        req = {2: "RFC6407-5.3-12", 6: "RFC6407-5.3-13", 3: "RFC6407-5.3.3-01"}[kind]
        yield _server(f"sak-without-{name}", "pull-2", req, f"No {n.KEK_ATTR[kind][0]}", payloads=in_sa(SAK, without(kind)))
    yield _server("sak-algorithm-variable", "pull-2", "RFC6407-5.3-10", "KEK_ALGORITHM as a Variable attribute",
                  payloads=in_sa(SAK, lambda s: more(tlv(2, b"\0\3"))(without(2)(s) or s)))
    yield _server("preserve-0", "pull-2", "RFC6407-5.5.1.1.1-01", "Address Preservation 0, which is reserved",
                  payloads=in_sa(SAT, more(tv(14, 0))))
    yield _server("direction-9", "pull-2", "RFC6407-5.5.1.1.2-01", "SA Direction 9", payloads=in_sa(SAT, more(tv(15, 9))))
    yield _server("life-without-type", "pull-2", "RFC2407-4.5-05", "SA Life Duration without SA Life Type",
                  payloads=in_sa(SAT, without(1)))
    yield dict(name="gap-unknown", role="member", where="pull-3", req="RFC6407-5.4-08", text="An unknown attribute in the GAP of message 3",
               payloads=lambda layers: [GAP(attributes=[tv(9, 1)])])


ENTRIES = [*_key_lengths(), *_source_keys(), *_lying_lengths(), *_sources(), *_places(), *_unknown()]
__all__ = ["ENTRIES", "LONG", "of"]
