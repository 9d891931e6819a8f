# SPDX-License-Identifier: BSD-2-Clause
"""The daemons over wires that lose, double and reorder, and through partitions: once it is quiet, whoever is a member has
the key, whoever is none has not, and no Sequence ID ever went back."""
import contextlib

import pytest

from lab import LabError
from lab.daemons import wait_all
from lab.impair import Wire
from lab.story import GROUP

SEED = 4535


def server(s):
    return s.keys.control("status")["groups"][0]


def holds(daemon, handle):
    return any(k["handle"] == handle for k in daemon.control("status")["keys"])


def settle(s, names, tries=30):
    """Rekeys until all of them hold the key that is in force."""
    for _ in range(tries):
        marks = {s.members[n]: s.members[n].mark() for n in names}
        mark = s.keys.mark()
        s.keys.control("rekey", GROUP)
        s.keys.wait("rekeyed", since=mark)  # it is on the disk, and sent
        now = server(s)
        with contextlib.suppress(LabError):
            wait_all([s.members[n] for n in names], "rekeyed", timeout=2.0, marks=marks,
                     where=lambda e: e["sequence"] >= now["sequence"])
        if all(holds(s.members[n], server(s)["gtpk_handle"]) for n in names):
            return
    raise AssertionError(f"not in step: {[n for n in names if not holds(s.members[n], server(s)['gtpk_handle'])]}")


def only_grows(s):
    for d in s.members.values():
        heard = [e["sequence"] for e in d.find("rekeyed")]
        assert heard == sorted(set(heard)), f"{d.name} applied {heard}"


@pytest.mark.req("RFC4535-3.4-01", "RFC4535-7.1.1-13", "RFC4535-5.3.2.1-03")
def test_a_group_over_bad_wires_keeps_step(group):
    s = group("alice", "bob", "carol", resend=2)
    carol = s.members["carol"]
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(s.scene[n], SEED + i, loss=0.05, duplicate=0.3, delay=0.15))
                 for i, n in enumerate(("alice", "bob"))]
        for _ in range(4):
            s.keys.control("rekey", GROUP)
        s.keys.control("evict", s.pki.parties["carol"].dn)
        settle(s, ["alice", "bob"])
    assert sum(w.doubled for w in wires) and sum(w.overtaken for w in wires), "the wires did nothing"
    assert not holds(carol, server(s)["gtpk_handle"])
    only_grows(s)


@pytest.mark.req("RFC4535-3.4-01", "RFC4535-7.5.2-09")
def test_a_partition_heals(group):
    s = group("alice", "bob", "carol", resend=1)
    alice, bob = s.members["alice"], s.members["bob"]
    with Wire(s.scene["bob"], SEED) as wire:
        wire.cut = True
        mark = alice.mark()
        s.keys.control("evict", s.pki.parties["carol"].dn)
        for _ in range(2):
            s.keys.control("rekey", GROUP)
        now = server(s)
        alice.wait("rekeyed", since=mark, where=lambda e: e["sequence"] == now["sequence"])
        assert not holds(bob, now["gtpk_handle"])
        wire.cut = False
        settle(s, ["alice", "bob"])
        assert wire.lost
    assert not alice.find("stale"), "who was not cut off noticed nothing"
    assert not holds(s.members["carol"], server(s)["gtpk_handle"])
    only_grows(s)
