# SPDX-License-Identifier: BSD-2-Clause
"""Switches of GDOI that are rules of conduct: no octets of one message show them."""
import pytest

from msec_scapy.gdoi import ack, check, isakmp, misbehave
from msec_scapy.gdoi import numbers as n
from msec_scapy.gdoi.dialect import Dialect
from msec_scapy.gdoi.policy import KekPolicy
from msec_scapy.gdoi.refusal import Refusal
from msec_scapy.testing.gdoi import SERVER, Scene


@pytest.mark.parametrize("reading, delay", (("apply", 10), ("ignore", 0)))
def test_atd_in_pull(reading, delay):
    s = Scene(1, dialect=f"atd_in_pull={reading}", atd=10)
    tek = next(iter(s.members[0].teks.values()))
    assert tek.active_from == s.now + delay
    s.push(s.server.rekey_teks(s.group, s.now))  # of a PUSH it is honoured either way
    assert s.members[0].teks[1, s.group.teks[0].spi].active_from == s.now + 10


@pytest.mark.req("RFC8263-4-02")
@pytest.mark.parametrize("kind", (1, 2), ids=("kek", "lkh"))
def test_a_push_whose_arrays_are_not_for_us_is_acknowledged(kind):
    """An acknowledgement says that the PUSH was received (RFC 8263 section 5): the array for us may be in the next one."""
    s = Scene(3, depth=2, kek=KekPolicy(ack=kind))
    out, old = s.members[2], s.group.kek
    base = out.ring.leaf.key if ack.of_leaf(kind) else old.key
    first, _ = s.server.evict(s.group, ["10.0.0.12"], s.now)
    said, = out.receive(first, (SERVER, 848), s.now)
    assert [name for _, name, _ in s.events if name in ("not-for-us", "refused")] == ["not-for-us"]
    assert said.octets == ack.build(kind, base, old.spi, 1, n.ID_IPV4, out.address, out.dialect)


@pytest.mark.parametrize("reading, again", (("silent", 0), ("reack", 1)))
def test_ack_replay(reading, again):
    s = Scene(1, dialect=f"ack_replay={reading}", kek=KekPolicy(ack=1))
    m, octets = s.members[0], s.server.rekey_teks(s.group, s.now)
    first = m.receive(octets, (SERVER, 848), s.now)
    second = m.receive(octets, (SERVER, 848), s.now)
    assert len(first) == 1 and second == first * again
    assert len(s.named("rekeyed")) == 1 and len(s.refused()) == 1 - again


@pytest.mark.parametrize("reading", ("yes", "no"))
def test_pull_seq_required(reading):
    s = Scene(1, dialect=f"pull_seq_required={reading}", start=False)
    misbehave.find("no-seq").arm(s.server.config)
    s.join(s.members[0])
    if reading == "no":
        assert s.agreed() and s.members[0].rekeys[s.group.kek.spi].seq == 0
    else:
        assert [e["req"] for _, e in s.refused()] == ["RFC6407-5.7-04"] and not s.members[0].rekeys


@pytest.mark.parametrize("reading, taken", (("any", (0, 1, 1, 1)), ("zero", (0, 1, 0, 0))))
def test_pad_accept(reading, taken):
    """More than a block; zeros as needed; other octets; a whole block."""
    body = isakmp.octets_of(isakmp.Hash(data=bytes(20)), isakmp.Nonce(data=bytes(16)))
    head = bytes(isakmp.ISAKMP(icookie=b"12345678", exchange=n.X_PULL, flags=1, message_id=1, next_payload=n.P_HASH,
                               length=28))
    for padding, good in zip((bytes(17), bytes(4), b"\0\0\0\1", bytes(16)), taken):
        try:
            check.message(head, Dialect(pad_accept=reading), body + padding, block=16)
            assert good, padding
        except Refusal as e:
            assert not good and e.req == "RFC2409-B-05", padding
