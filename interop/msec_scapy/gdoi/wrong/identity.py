# SPDX-License-Identifier: BSD-2-Clause
"""Phase 1, the group's name, and proofs that are wrong."""
from .. import isakmp
from .. import numbers as n
from .change import flip, of, setting


def _member(name, where, req, text, **how):
    return dict(name=name, role="member", where=where, req=req, text=text, **how)


def _server(name, where, req, text, **how):
    return dict(name=name, role="server", where=where, req=req, text=text, **how)


def _group():
    for name, req, text, fields in (
            ("group-unknown", "RFC6407-3.4-03", "A group that does not exist", {"data": b"\xff\xff\xff\xff"}),
            ("group-of-3", "RFC6407-5.1-03", "A group identifier of three octets", {"data": bytes(3)}),
            ("group-of-4000", "RFC6407-5.1-03", "A group identifier of 4000 octets", {"data": bytes(4000)}),
            ("group-port", "RFC6407-5.1-01", "A port in the ID", {"port": 848}),
            ("group-protocol", "RFC6407-5.1-01", "A protocol in the ID", {"protocol": 17}),
            ("group-type-0", "RFC2408-5.8-01", "ID Type 0", {"id_type": 0}),
            ("group-oid-length", "RFC8052-2.1-03", "An OID that is longer than the payload", {"id_type": n.ID_OID, "data": b"\xff\6\1\1\0\0"}),
            ("group-oid-specific", "RFC8052-2.1-03", "An OID-Specific Payload that is not there",
             {"id_type": n.ID_OID, "data": bytes.fromhex("0306012aff00")}),
            ("group-oid-arc", "RFC8052-2.1-05", "An OID with an arc of more octets than it needs",
             {"id_type": n.ID_OID, "data": bytes.fromhex("0506032a80010000")}),
            ("group-oid-payload", "RFC8052-2.1-06", "An OID-Specific Payload whose own length says more than there is",
             {"id_type": n.ID_OID, "data": bytes.fromhex("0306012a0004a0030500")}),
            ("group-oid-tag", "RFC8052-2.1-05", "An OID with the tag of an INTEGER", {"id_type": n.ID_OID, "data": bytes.fromhex("0302012a0000")})):
        yield _member(name, "pull-1", req, text, payloads=setting(isakmp.Identification, **fields))


def _proofs():
    for number, role in ((1, _member), (2, _server), (3, _member), (4, _server)):
        yield role(f"hash-{number}", f"pull-{number}", f"RFC6407-3.2-0{5 + number}", f"HASH({number}) is wrong", proof=flip(0))
        yield role(f"hash-{number}-short", f"pull-{number}", f"RFC6407-3.2-0{5 + number}", f"HASH({number}) of one octet", proof=lambda h: h[:1])
        yield role(f"pull-{number}-cut", f"pull-{number}", "RFC2408-5.1-02", f"Message {number} is eight octets short", datagram=lambda o: o[:-8])
        yield role(f"pull-{number}-garbled", f"pull-{number}", "RFC2408-5.11-02", f"Ciphertext of message {number} was changed", datagram=flip(29),
                   also=("RFC2408-5.3-02", "RFC2408-5.3-03", "RFC2408-3.2-01", "RFC2408-3.4-01"))
        yield role(f"pull-{number}-version", f"pull-{number}", "RFC2408-3.1-04", f"Message {number} of ISAKMP 2.0",
                   datagram=lambda o: o[:17] + b"\x20" + o[18:])
        yield role(f"pull-{number}-length", f"pull-{number}", "RFC2408-5.1-02", f"Length of message {number} is 4 GB",
                   datagram=lambda o: o[:24] + b"\xff\xff\xff\xff" + o[28:])


def _phase1():
    wrong_ke = lambda change: of(isakmp.KeyExchange, lambda k: setattr(k, "data", change(k.data)))
    for side, where in ((_member, "phase1-3"), (_server, "phase1-4")):
        who = "member-" if side is _member else ""
        for name, change, text in (("zero", lambda d: bytes(len(d)), "zero"), ("short", lambda d: d[:-1], "too short"),
                                   ("long", lambda d: d + bytes(4000), "4000 octets too long"), ("off", flip(-1), "no point of the curve")):
            yield side(f"{who}ke-{name}", where, "RFC2409-5-09", f"A public value that is {text}", payloads=wrong_ke(change))
        yield side(f"{who}p1-nonce-7", where, "RFC2409-5-10", "A nonce of seven octets in phase 1", payloads=setting(isakmp.Nonce, data=bytes(7)))
        yield side(f"{who}p1-nonce-257", where, "RFC2409-5-10", "A nonce of 257 octets in phase 1", payloads=setting(isakmp.Nonce, data=bytes(257)))
        yield side(f"{who}no-ke", where, "RFC2408-4.5-01", "No KE in Main Mode", payloads=lambda x: [p for p in x if p.payload_type != n.P_KE])
    for side, where in ((_member, "phase1-5"), (_server, "phase1-6")):
        who = "member-" if side is _member else ""
        yield side(f"{who}p1-hash", where, "RFC2408-5.11-02", "HASH of phase 1 is wrong", payloads=of(
            isakmp.Hash, lambda h: setattr(h, "data", flip(0)(h.data))))
        yield side(f"{who}p1-no-hash", where, "RFC2409-5.4-01", "No HASH in phase 1", payloads=lambda x: x[:1])
        yield side(f"{who}p1-no-id", where, "RFC2407-4.2.1-02", "No ID in phase 1", payloads=lambda x: x[1:])
        yield side(f"{who}p1-id-port", where, "RFC2407-4.6.2-03", "Port 4711 in the ID of phase 1",
                   payloads=setting(isakmp.Identification, protocol=17, port=4711))
        yield side(f"{who}p1-id-length", where, "RFC2407-4.6.2.2-01", "An IPv4 address of three octets",
                   payloads=setting(isakmp.Identification, id_type=n.ID_IPV4, data=bytes(3)))
    sa = lambda **f: setting(isakmp.SA, **f)
    yield _member("p1-situation-2", "phase1-1", "RFC2408-5.4-02", "SIT_SECRECY", payloads=sa(situation=2))
    yield _member("p1-doi-7", "phase1-1", "RFC6407-2.1-01", "DOI 7", payloads=sa(doi=7))
    yield _member("p1-two-proposals", "phase1-1", "RFC2409-5-17", "Two proposals", payloads=of(isakmp.SA, lambda s: setattr(
        s, "proposals", [s.proposals[0].copy(), s.proposals[0].copy()])))
    inside = lambda **f: of(isakmp.SA, lambda s: setattr(s, "proposals", [_with(s.proposals[0], **f)]))
    yield _member("p1-transforms-9", "phase1-1", "RFC2408-3.5-04", "# of Transforms says nine", payloads=inside(count=9))
    yield _member("p1-spi-255", "phase1-1", "RFC2408-3.2-01", "SPI Size says 255", payloads=inside(spi_size=255))
    yield _member("p1-protocol-3", "phase1-1", "RFC2409-7.1-01", "A proposal of ESP", payloads=inside(protocol=3))
    yield _server("p1-other-choice", "phase1-2", "RFC2409-5-20", "The answer has a Key Length that was not offered", payloads=of(
        isakmp.SA, _other_choice))


def _with(layer, **fields):
    layer = layer.copy()
    for name, value in fields.items():
        setattr(layer, name, value)
    return layer


def _other_choice(sa):
    proposal = sa.proposals[0].copy()
    transform = isakmp.Transform(bytes(proposal.transforms[0]))
    for a in transform.attributes:
        if a.type == n.A_KEY_LEN:
            a.value = 256
    transform.clear_cache()
    proposal.transforms = [transform]
    sa.proposals = [proposal]


ENTRIES = [*_group(), *_proofs(), *_phase1()]
