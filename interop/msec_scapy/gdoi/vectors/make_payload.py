# SPDX-License-Identifier: BSD-2-Clause
"""payloads.json: SA, KD and the group's ID, and what they say."""
from .. import dialect as dialects
from .. import isakmp, lkh, sign, values
from .. import numbers as n
from ..group import KD, SAT, GAPAttributes, GdoiSA, KeyPacket
from ..isakmp import tlv, tv
from ..policy import IecPolicy, IpsecPolicy, KekPolicy, Selector
from . import fixed
from .store import Book, Dialect

OID, SPECIFIC = "1.2.840.10070.61850.8.1.2", bytes.fromhex("8504e9fc0001")


def _octets(label, size):
    return fixed.octets("gdoi " + label, size)


def _reading(switch, value):
    return Dialect(**{switch: value}) if switch else Dialect()


def sak(dialect, policy=KekPolicy(), lkh_group=False, pull=True):
    kind = {1: "rsa", 2: "dsa", 3: "p256", 4: "p256", 5: "p384", 6: "p521"}[policy.sig]
    return policy.sak(_octets("rekey spi", 16), fixed.key(kind), dialect, lkh_group, pull)


def sa_body(dialect, *links):
    with dialects.use(dialect):
        return GdoiSA(attributes=list(links)).body()


def sats(dialect, *policies, atd=None):
    return [p.sat(_octets(f"spi {i}", 4), p.lifetime, dialect, atd) for i, p in enumerate(policies)]


def SAT_OF(protocol, tek):
    return SAT(protocol_id=protocol, tek=tek)


def gap(**found):
    return GAPAttributes(attributes=[tv({"atd": 1, "dtd": 2}[k], v) for k, v in found.items()])


def _sa(book, label, about, req, links, switch=None, pull=True, readings=None):
    """`links(dialect)`; with a switch one vector for each of its readings."""
    if switch is None:
        book.add("sa", label, about, req, {"body": sa_body(Dialect(), *links(Dialect())), "pull": pull})
        return
    book.readings(switch, "sa", about, req, lambda value: {
        "body": sa_body(_reading(switch, value), *links(_reading(switch, value))), "pull": pull}, label)


SELECTORS = (("subnet", "10.0.0.0/8", "239.1.1.1:5000"), ("ipv6", "2001:db8::/32", "[ff02::1:5]:848"),
             ("host", "10.0.0.1:4500", "10.0.0.2"), ("any", "any", "239.1.1.1"))


def _sas(book):
    cbc = IpsecPolicy()
    for sig in n.SIG:
        for algorithm, bits in ((3, 128), (3, 256), (2, 192), (1, 64)):
            policy = KekPolicy(algorithm, bits, sig, 2 if sig == 2 else 3)
            _sa(book, f"sak/{n.SIG[sig]}/{n.KEK[algorithm]}-{bits}", f"A SAK alone: {n.SIG[sig]}, {n.KEK[algorithm]}",
                ["RFC6407-5.3-06", "RFC6407-5.3-11"], lambda d, p=policy: [sak(d, p)])
    for ack in n.ACK:
        _sa(book, f"sak/ack-{n.ACK[ack]}", "KEK_ACK_REQUESTED", "RFC8263-8-01",
            lambda d, a=ack: [sak(d, KekPolicy(ack=a), True, False)], pull=False)
    for name, src, dst in SELECTORS:
        policy = IpsecPolicy(src=Selector.parse(src), dst=Selector.parse(dst), ip_protocol=17)
        _sa(book, f"selectors/{name}", f"From {src} to {dst}", "RFC6407-5.5.1-01", lambda d, p=policy: sats(d, p))
    for transform in n.ESP:
        policy = IpsecPolicy(transform=transform, auth=0 if transform in n.ESP_COMBINED else 5)
        _sa(book, f"esp/{n.ESP[transform]}", f"ESP, {n.ESP[transform]}", "RFC6407-5.5.1-07", lambda d, p=policy: sats(d, p))
    for auth in (1, 2, 6, 7):
        _sa(book, f"esp/auth-{n.IPSEC_AUTH[auth]}", f"ESP, {n.IPSEC_AUTH[auth]}", "RFC6407-5.5.1-12",
            lambda d, a=auth: sats(d, IpsecPolicy(auth=a, key_bits=256)))
    for transform, auth in ((2, 1), (3, 2), (5, 5), (6, 6), (7, 7), (11, 11)):
        _sa(book, f"ah/{n.AH[transform]}", f"AH, {n.AH[transform]}", "RFC6407-5.5.1-07",
            lambda d, t=transform, a=auth: sats(d, IpsecPolicy(protocol=2, transform=t, auth=a)))
    for encoding, name in ((1, "pkcs1"), (2, "pss")):
        for protocol, transform in ((1, 12), (2, 10)):
            policy = IpsecPolicy(protocol, transform, auth=10, source_key=fixed.key("rsa").public_key(), encoding=encoding)
            _sa(book, f"signed/{n.PROTO[protocol].lower()}-{name}", f"{n.PROTO[protocol]}, signed by its source (RFC 4359)",
                "RFC6407-5.5.1-13", lambda d, p=policy: sats(d, p))
    for kind, most in (("preserve", 4), ("direction", 3)):
        for value in range(1, most + 1):
            _sa(book, f"{kind}/{value}", f"{kind} {value}", "RFC6407-5.5.1.1-01",
                lambda d, k=kind, v=value: sats(d, IpsecPolicy(**{k: v})))
    _sa(book, "life/long", "A lifetime that is no Basic attribute", "RFC2407-4.5-02",
        lambda d: sats(d, IpsecPolicy(lifetime=100000)))
    _sa(book, "whole", "SAK, GAP and three SATs", "RFC6407-5.2.1-04", lambda d: [
        sak(d), gap(atd=10, dtd=30), *sats(d, cbc, IpsecPolicy(transform=20, auth=0), IpsecPolicy(protocol=2, transform=5))])
    _sa(book, "gap-first", "GAP and SAT, no SAK", "RFC6407-5.4-03", lambda d: [gap(atd=60, dtd=90), *sats(d, cbc)])
    for name, found in (("atd", {"atd": 5}), ("dtd", {"dtd": 65535})):
        _sa(book, f"gap/{name}", name.upper(), "RFC6407-5.4-07", lambda d, f=found: [gap(**f), *sats(d, cbc)])


def _iec(book):
    for auth, enc in ((1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (2, 2), (3, 3), (1, 4), (1, 5), (4, 2)):
        policy = IecPolicy(auth=auth, enc=enc, specific=SPECIFIC)
        _sa(book, f"iec/{n.IEC_AUTH[auth]}/{n.IEC_ENC[enc]}", f"{n.IEC_AUTH[auth]} and {n.IEC_ENC[enc]}",
            ["RFC8052-2.2-02", "RFC8052-4-01", "RFC8052-4-02"], lambda d, p=policy: sats(d, p))
    _sa(book, "iec/kda", "SA_KDA", "RFC8052-2.2.4.2-01", lambda d: sats(d, IecPolicy(kda=85)))
    _sa(book, "iec/bare", "No OID-Specific Payload, no lifetime", "RFC8052-2.2-03",
        lambda d: sats(d, IecPolicy(oid="1.3.6.1.4.1.99999.1.200000", lifetime=0)))
    two = IecPolicy(auth=2, enc=2), IecPolicy(auth=1, enc=4, lifetime=43200)
    _sa(book, "iec_atd", "SA_ATD of 3300 seconds", "RFC8052-2.2.4.1-01",
        lambda d: sats(d, IecPolicy(), atd=3300), "iec_atd")
    _sa(book, "iec_attr_filler", "The two SATs of figure 8", "RFC8052-A-01", lambda d: sats(d, *two), "iec_attr_filler")
    _sa(book, "iec_attr_filler/mixed", "SAK, GAP, and SATs of two kinds", "RFC8052-A-01",
        lambda d: [sak(d), gap(atd=1), *sats(d, IpsecPolicy(), IecPolicy(), IpsecPolicy(protocol=2, transform=5))],
        "iec_attr_filler")
    _sa(book, "iec_alg_numbers", "The algorithms of figure 8", "RFC8052-A-01", lambda d: sats(d, *two), "iec_alg_numbers")
    _sa(book, "oid_encoding/sat", "The OID of a SAT", "RFC8052-2.1-05", lambda d: sats(d, IecPolicy(specific=SPECIFIC)),
        "oid_encoding")


def _switches(book):
    whole = lambda d: [sak(d), *sats(d, IpsecPolicy(dst=Selector.parse("239.1.1.1:5000"), src=Selector.parse("10.0.0.0/8")))]
    _sa(book, "id_prot_octet", "DST ID Prot in SAK and SAT", "RFC6407-5.3-06", whole, "id_prot_octet")
    _sa(book, "any_source", "A SAT for all sources", "RFC6407-5.5.1-04", lambda d: sats(d, IpsecPolicy()), "any_source")
    _sa(book, "sak_reserved", "RESERVED2 of a SAK", "RFC6407-5.3-09", whole, "sak_reserved")
    _sa(book, "sat_address_order", "Addresses of a SAT", "RFC6407-5-02", whole, "sat_address_order")
    _sa(book, "kek_lifetime_form", "KEK_KEY_LIFETIME", "RFC6407-5.3.4-01",
        lambda d: [sak(d, KekPolicy(lifetime=3600))], "kek_lifetime_form")
    _sa(book, "gcm_key_length", "AES-GCM with a key of 128 bits", "RFC6407-5.6.1-05",
        lambda d: sats(d, IpsecPolicy(transform=20, auth=0)), "gcm_key_length")
    _sa(book, "ah_authentication", "AH with HMAC-SHA2-256", "RFC2407-4.4.3-01",
        lambda d: sats(d, IpsecPolicy(protocol=2, transform=5)), "ah_authentication")
    _sa(book, "ah_authentication/sha1", "AH with HMAC-SHA-1, whose two numbers differ", "RFC2407-4.4.3-01",
        lambda d: sats(d, IpsecPolicy(protocol=2, transform=3, auth=2)), "ah_authentication")
    _sa(book, "kek_mgmt_in_pull", "The SAK of a group with LKH, in a PULL", "RFC6407-5.3-15",
        lambda d: [sak(d, lkh_group=True)], "kek_mgmt_in_pull")
    _sa(book, "kek-mgmt-in-push", "The same in a PUSH", "RFC6407-5.3.1-01",
        lambda d: [sak(d, lkh_group=True, pull=False)], pull=False)


# ------------------------------------------------------------------------------------ KD

def kd_body(*packets):
    return KD(packets=list(packets)).body()


def tek(label="spi 0", cipher=16, integrity=32):
    found = [tlv(kind, _octets(f"tek {kind}", size)) for kind, size in ((1, cipher), (2, integrity)) if size]
    return KeyPacket(kd_type=1, spi=_octets(label, 4), attributes=found)


def kek_packet(size=16, block=16, kind="rsa", signature=True):
    found = [tlv(1, _octets("kek iv", block) + _octets("kek", size))]
    if signature:
        found.append(tlv(2, sign.encode_key(fixed.key(kind))))
    return KeyPacket(kd_type=2, spi=_octets("rekey spi", 16), attributes=found)


def path(key_type=3, size=16, length=4):
    block = 16 if key_type == 3 else 8
    return [lkh.Key(1 << (length - 1 - i) if i else (1 << length - 1) + 1, 100 + i, key_type,
                    _octets(f"lkh iv {i}", block), _octets(f"lkh {i}", size), 1780000000, 1790000000 if i else 0)
            for i in range(length)]


def lkh_packet(*attributes):
    return KeyPacket(kd_type=3, spi=_octets("rekey spi", 16), attributes=list(attributes))


def sid_packet(bits, sids, dialect):
    return KeyPacket(kd_type=4, spi=b"", attributes=[tv(1, bits), *(tlv(2, values.sid(s, bits, dialect)) for s in sids)])


def _kd(book, label, about, req, packets, push=False):
    book.add("kd", label, about, req, {"body": kd_body(*packets), "push": push})


def _kds(book):
    for cipher, integrity in ((16, 32), (20, 0), (0, 20), (24, 16), (36, 0)):
        _kd(book, f"tek/{cipher}-{integrity}", f"Keys of {cipher} and {integrity} octets", "RFC6407-5.6.1-02",
            [tek(cipher=cipher, integrity=integrity)])
    for form in ("spki", "pkcs1"):
        key = tlv(3, sign.encode_public(fixed.key("rsa").public_key(), form))
        for name, about, packet in (("esp", "A cipher's key, and", tek(integrity=0)), ("ah", "Alone,", tek(cipher=0, integrity=0))):
            packet.attributes = [*packet.attributes, key]
            _kd(book, f"source/{name}-{form}", f"{about} the public key of a source as {form}", "RFC6407-5.6.1.3-01", [packet])
    for size, block in ((8, 8), (24, 8), (16, 16), (24, 16), (32, 16)):
        _kd(book, f"kek/{block}-{size}", f"A KEK of {size} octets", "RFC6407-5.6.2.1-01", [kek_packet(size, block)])
    for kind in ("dsa", "p256", "p384", "p521"):
        _kd(book, f"kek/{kind}", f"A signature key, {kind}", "RFC6407-5.6.2.2-01", [kek_packet(kind=kind)])
    _kd(book, "kek/alone", "KEK_ALGORITHM_KEY alone", "RFC6407-5.6.2-04", [kek_packet(signature=False)], True)
    _kd(book, "whole", "KEK, two TEKs and a SID", "RFC6407-5.6-04", [
        kek_packet(), tek(), tek("spi 1", 20, 0), sid_packet(16, (7, 8), Dialect())])
    for key_type, size in ((1, 8), (2, 24), (3, 16), (3, 24), (3, 32)):
        keys = path(key_type, size)
        _kd(book, f"lkh-download/{n.KEK[key_type]}-{8 * size}", "A download array",
            ["RFC6407-5.6.3.1-03", "RFC6407-5.6.3.1-04", "RFC6407-5.6.3.1-09"],
            [lkh_packet(tlv(1, lkh.download(keys)), tlv(3, sign.encode_key(fixed.key("p256")))), tek()])
        _kd(book, f"lkh-update/{n.KEK[key_type]}-{8 * size}", "Two update arrays",
            ["RFC6407-5.6.3.2-02", "RFC6407-5.6.3.2-03"],
            [lkh_packet(tlv(2, lkh.update(keys[0], keys[1:])), tlv(2, lkh.update(keys[1], keys[2:])))], True)
    for bits, sids in ((8, (0, 1, 255)), (12, (0, 4095)), (16, (65535,)), (20, (1 << 19,)), (32, (0xdeadbeef,))):
        book.readings("sid_len", "kd", f"SIDs of {bits} bits", "RFC6407-5.6.4.2-01", lambda value, b=bits, s=sids: {
            "body": kd_body(sid_packet(b, s, Dialect(sid_len=value))), "push": False}, f"sid_len/{bits}") if bits < 25 else (
            _kd(book, f"sid/{bits}", f"SIDs of {bits} bits", "RFC6407-5.6.4.2-01", [sid_packet(bits, sids, Dialect())]))
    book.readings("sid_form", "kd", "SIDs 0, 1 and 2 of 16 bits", "RFC6407-5.6.4.2-01", lambda value: {
        "body": kd_body(sid_packet(16, (0, 1, 2), Dialect(sid_form=value))), "push": False})


def _ids(book):
    for number in (0, 1, 1234, 0x12345678, 0xffffffff):
        given = {"number": number}
        if number in (1234, 0x12345678):
            book.readings("group_id_order", "group-id", f"Group {number}", "RFC6407-5.1-03", given,
                          f"group_id_order/{number}")
        else:
            book.add("group-id", f"number/{number}", f"Group {number}", "RFC6407-5.1-03", given)
    for specific in (SPECIFIC, b""):
        given = {"oid": values.oid_from_text(OID), "specific": specific}
        book.readings("oid_encoding", "group-id", f"{OID} with {len(specific)} octets more", "RFC8052-2.1-03", given,
                      f"oid_encoding/id-{len(specific)}")


def books():
    book = Book("payloads", "SA, SAK, GAP, SAT, KD and the group's ID: octets and what they say.")
    for part in (_sas, _iec, _switches, _kds, _ids):
        part(book)
    return [book]


__all__ = ["books", "isakmp"]
