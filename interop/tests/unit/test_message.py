# SPDX-License-Identifier: BSD-2-Clause
"""Reading whole messages strictly: truncation, lying lengths, version 2, signatures."""
import pytest

from msec_scapy import crypto, message, registry
from msec_scapy import dialect as dialects
from msec_scapy.gsakmp import (GSAKMP, Certificate, KeyCreation, Nonce, Notification, RekeyEvent,
                               Signature, VendorID)
from msec_scapy.message import Refusal
from msec_scapy.testing.scene import GROUP_ID, Scene


@pytest.fixture(scope="module")
def scene():
    """Everything that can be on the wire, once: messages by exchange type."""
    s = Scene("suite1", members=3, terse=False, cookies=True).join()
    s.evict(s.members[1])
    s.tick()
    s.to_server(s.members[2].leave(s.now), s.members[2])
    intruder = s.make_member("intruder")
    s.to_server(intruder.join(s.now), intruder)
    session = Scene("suite1", members=1, terse=False)
    gm = session.members[0]
    session.server.receive(gm.join(session.now), gm, session.now)
    s.wire += [(s.server, a.octets) for a in session.server.tick(session.now + 60)]
    s.by_exchange = {}
    for _, octets in s.wire:
        s.by_exchange.setdefault(message.parse(octets).exchange, octets)
    return s


EXCHANGES = [pytest.param(n, id=name) for n, name in registry.EXCHANGE.values.items()]


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_every_exchange_was_made(scene, exchange):
    m = message.parse(scene.by_exchange[exchange])
    assert m.exchange == exchange and bytes(m.packet) == scene.by_exchange[exchange]


@pytest.mark.req("RFC4535-7.1.2-11", "RFC4535-7.2.2-03")
@pytest.mark.parametrize("exchange", EXCHANGES)
def test_every_truncation_is_refused(scene, exchange):
    octets = scene.by_exchange[exchange]
    for size in range(len(octets)):
        with pytest.raises(Refusal) as e:
            message.parse(octets[:size])
        assert e.value.req and e.value.field


@pytest.mark.req("RFC4535-7.1.2-11")
@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_trailing_octet_is_refused(scene, exchange):
    octets = scene.by_exchange[exchange]
    with pytest.raises(Refusal, match="RFC4535-7.1.2-11"):
        message.parse(octets + b"\0")
    longer = bytearray(octets + b"\0")
    at = 2 + longer[1] + 7
    longer[at:at + 4] = len(longer).to_bytes(4, "big")
    with pytest.raises(Refusal, match="behind the last payload"):
        message.parse(bytes(longer))


def length_fields(octets):
    """(offset, size) of every length and counter of a message."""
    gid_end = 2 + octets[1]
    yield gid_end + 7, 4
    for kind, at, _ in message.walk_loose(octets):
        yield at + 2, 2
        if kind == registry.P_SIG:
            yield at + 22, 2
            yield at + 24 + int.from_bytes(octets[at + 22:at + 24], "big"), 2
        if kind == registry.P_REKEY:
            counter = at + 5 + octets[1] + 17
            yield counter, 2
            if int.from_bytes(octets[counter:counter + 2], "big"):
                yield counter + 2, 2


@pytest.mark.req("RFC4535-7.1.2-11", "RFC4535-7.2.2-03", "RFC4535-7.5.2-07", "RFC4535-7.8.2-08")
@pytest.mark.parametrize("by", (-1, 1))
@pytest.mark.parametrize("exchange", EXCHANGES)
def test_every_length_that_lies_is_refused(scene, exchange, by):
    octets = scene.by_exchange[exchange]
    fields = list(length_fields(octets))
    assert fields
    for at, size in fields:
        value = int.from_bytes(octets[at:at + size], "big") + by
        lie = octets[:at] + value.to_bytes(size, "big") + octets[at + size:]
        with pytest.raises(Refusal):
            message.parse(lie)


@pytest.mark.req("RFC4535-7-04")
@pytest.mark.parametrize("exchange", EXCHANGES)
def test_each_payload_once(scene, exchange):
    octets = scene.by_exchange[exchange]
    whole = GSAKMP(octets)
    for p in whole.payloads():
        if isinstance(p, (Certificate, VendorID, RekeyEvent)):
            continue
        twin = p.copy()
        twin.remove_payload()
        packet = GSAKMP(octets)
        rest = packet.payload
        packet.remove_payload()
        packet.add_payload(twin / rest)
        with pytest.raises(Refusal):
            message.parse(relinked(packet))


@pytest.mark.req("RFC4535-7-03")
@pytest.mark.parametrize("exchange", EXCHANGES)
def test_payload_order_is_free(scene, exchange):
    """Everything before the Signature the other way round is the same message."""
    packet = GSAKMP(scene.by_exchange[exchange])
    parts = []
    for p in packet.payloads():
        one = p.copy()
        one.remove_payload()
        parts.append(one)
    cut = next((i for i, p in enumerate(parts) if isinstance(p, Signature)), len(parts))
    turned = packet.copy()
    turned.remove_payload()
    for p in parts[:cut][::-1] + parts[cut:]:
        turned = turned / p
    assert message.parse(relinked(turned)).exchange == exchange


def relinked(packet):
    """The octets after payloads have been moved: Next Payload and Length are made anew."""
    layer = packet
    while layer and hasattr(layer, "next_payload"):
        layer.clear_cache()
        layer.next_payload = None
        if isinstance(layer, GSAKMP):
            layer.length = None
        layer = layer.payload
    return bytes(packet)


@pytest.mark.req("RFC4535-7.1.2-12", "RFC4535-7.1.2-13", "RFC4535-7.1.2-14", "RFC4535-7.1.2-04")
def test_version_one_inside_version_two(scene):
    inner = scene.by_exchange[registry.X_REKEY]
    gid_end = 2 + inner[1]
    tail = b"\x00\x00\x00\x08next"
    outer = inner[:gid_end] + b"\x0a\x02\x05" + bytes(4) + (
        gid_end + 11 + len(inner) + len(tail)).to_bytes(4, "big")
    m = message.parse(outer + inner + tail)
    assert (m.octets, m.outer_version, m.exchange) == (inner, 2, registry.X_REKEY)
    with pytest.raises(Refusal, match="RFC4535-7.1.2-04"):
        message.parse(outer + inner + tail, member=False)
    with pytest.raises(Refusal, match="RFC4535-7.1.2-14"):
        message.parse(outer + tail)


@pytest.mark.req("RFC4535-7.10.1-04", "RFC4535-7.10.2-03", "RFC4535-7.10.2-04", "RFC4535-7.10.1-02")
def test_vendor_id_opens_the_private_numbers():
    public = crypto.KeyExchange(crypto.C_X25519).public()

    def octets(*vendor):
        packet = GSAKMP(group_id=GROUP_ID, exchange=8) / KeyCreation(
            create_type=crypto.C_X25519, data=public) / Nonce(data=b"nonce")
        for v in vendor:
            packet = packet / VendorID(data=v)
        return bytes(packet / Signature(signer_id=b"CN=x", signature=b"x" * 40))
    assert message.parse(octets(registry.VENDOR_ID)).private
    assert message.parse(octets(b"somebody", registry.VENDOR_ID)).private
    for strange in ((), (b"somebody",), (registry.VENDOR_ID[:-1],)):
        with pytest.raises(Refusal, match="RFC4535-7.11.2-02"):
            message.parse(octets(*strange))
    assert registry.VENDOR_ID.hex() == "fba14153180d4d8aeecdc22a94e8e6df"


@pytest.mark.parametrize("kind,gid,good", [
    (1, b"0123456789abcdefG", True), (1, b"0123456789ABCDEFG", True),
    (1, b"0123456789abcdef", False), (1, b"0123456789abcdexG", False),
    (1, b"0123456789abcdef\xff", False), (2, bytes(9), True), (2, bytes(8), False),
    (3, bytes(12), True), (3, bytes(11), False), (4, bytes(24), True), (4, bytes(12), False)])
@pytest.mark.req("RFC4535-7.1.1.1.1-01", "RFC4535-7.1.1.1.1-03", "RFC4535-7.1.1.1.2-01",
                 "RFC4535-7.1.1.1.3-01", "RFC4535-7.1.1.1.4-01", "RFC4535-7.1.1-02")
def test_group_id_forms(kind, gid, good):
    octets = bytes(GSAKMP(group_id_type=kind, group_id=gid, exchange=10)
                   / Notification(notify=registry.N_COOKIE_REQUIRED, data=b"c"))
    if good:
        assert message.parse(octets).group_id == gid
    else:
        with pytest.raises(Refusal):
            message.parse(octets)


COVER = {"to_siglen": lambda o, at, end, head: o[:end], "incl_siglen": lambda o, at, end, head:
         o[:end + 2], "excl_sigpayload": lambda o, at, end, head: o[:at],
         "payloads_only": lambda o, at, end, head: o[head:end]}


@pytest.mark.req("RFC4535-7.8.1-01", "RFC4535-5.2.1.1-02", "RFC4535-5.2.1.1-03")
@pytest.mark.parametrize("reading", COVER)
def test_what_the_signature_covers(scene, reading):
    octets = scene.by_exchange[registry.X_RTJ]
    at = next(a for k, a, _ in message.walk(octets) if k == registry.P_SIG)
    id_len = int.from_bytes(octets[at + 22:at + 24], "big")
    want = COVER[reading](octets, at, at + 24 + id_len, 13 + octets[1])
    assert message.covered(octets, dialects.Dialect(sig_cover=reading)) == want


@pytest.mark.parametrize("reading", dialects.Dialect.choices()["sig_cover"])
@pytest.mark.parametrize("lengths", dialects.Dialect.choices()["sig_len_fields"])
@pytest.mark.parametrize("suite", ("suite1", "p256"))
def test_signature_dialects(reading, lengths, suite):
    d = dialects.Dialect(sig_cover=reading, sig_len_fields=lengths)
    s = Scene(suite, members=1, dialect=d).join()
    assert s.members[0].state == "member"
    if (reading, lengths) != ("to_siglen", "final"):
        m = message.parse(s.wire[0][1])
        if m.covered(d) != m.covered():
            with pytest.raises(Refusal, match="RFC4535-7.8.2-06"):
                message.verify(m, s.members[0].credentials.cert.key)
