# SPDX-License-Identifier: BSD-2-Clause
"""Small groups under other conditions than those of the story: TCP, IPv6, cookies, Verbose Mode, loss."""
import time

import pytest

from lab.daemons import wait_all
from lab.process import PATIENCE
from lab.scene import GSAKMP_PORT, REKEY
from lab.story import GROUP


def sequence(story):
    return story.keys.control("status")["groups"][0]["sequence"]


def rekey(story, timeout=PATIENCE):
    """A rekey, applied by every member; returns its Sequence ID."""
    marks = {d: d.mark() for d in story.members.values()}
    story.keys.control("rekey", GROUP)
    number = sequence(story)
    wait_all(list(story.members.values()), "rekeyed", timeout, marks=marks, sequence=number)
    return number


@pytest.mark.req("RFC4535-4.4.1-03")
def test_registration_over_tcp(group):
    s = group("alice", "erin", transport="tcp")
    rekey(s)
    sent = [e for e in s.keys.find("message") if e["direction"] == "in"]
    assert sent
    status = s.keys.control("status")
    assert [x["received"] for x in status["listen"] if x["transport"] == "udp"] == [0], "nothing came by UDP"


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_everything_over_ipv6(group, transport):
    s = group("alice", "erin", ip=6, transport=transport)
    before = sequence(s)
    assert rekey(s) == before + 1


@pytest.mark.req("RFC4535-5.2.2-02", "RFC4535-5.2.2-03", "RFC4535-5.2.2-04", "RFC4535-5.2-09")
def test_cookies_come_first_when_they_are_on(group):
    s = group("alice", cookies="always")
    alice = [(e["direction"], e["exchange"]) for e in s.members["alice"].find("message")]
    assert len(alice) == 5, alice
    assert [d for d, _ in alice] == ["out", "in", "out", "in", "out"]
    assert "ookie" in alice[1][1]


@pytest.mark.req("RFC4535-5.2-04", "RFC4535-5.2.1.3-03")
def test_verbose_mode_says_why(group):
    s = group("alice", terse=False, cast=["mallory"])
    mallory = s._member("mallory")
    mark = mallory.start()
    mallory.control("join")
    left = mallory.wait("left", since=mark)
    assert left.get("reason")
    assert [e["exchange"] for e in mallory.find("message", direction="in")] == ["Request to Join Error"]


@pytest.mark.req("RFC4535-5.2.1.1-20")
def test_a_lost_request_to_join_is_repeated(group):
    s = group(cast=["alice"])
    s.scene.net.lose(s.scene["keys"], match=f"udp dport {GSAKMP_PORT} limit rate 1/hour burst 1 packets")
    s.join("alice")
    out = [e for e in s.members["alice"].find("message", direction="out")]
    assert out[0]["exchange"] == out[1]["exchange"], "the Request to Join left twice"


@pytest.mark.req("RFC4535-3.4-01", "RFC4535-3.4-02", "RFC4535-3.4-03")
def test_copies_of_a_rekey_event_make_up_for_loss(group):
    s = group("alice", "bob", "erin", resend=4)
    losses = [s.scene.net.lose(s.scene[n], every=3, match=f"ip daddr {REKEY[4]}") for n in ("alice", "bob", "erin")]
    for _ in range(4):
        rekey(s)
    assert all(loss.taken() for loss in losses)
    assert not any(d.find("joined")[1:] for d in s.members.values()), "nobody had to join again"


def test_a_member_that_missed_evictions_joins_again(group):
    """It lacks the keys that wrap the next ones, notices, and asks for membership anew."""
    others = ("alice", "carol", "dave")
    s = group("bob", *others, resend=0)
    bob = s.members["bob"]
    loss = s.scene.net.lose(s.scene["bob"], every=1, match=f"ip daddr {REKEY[4]}")
    mark = s.keys.mark()
    for name in others:
        s.keys.control("evict", s.pki.parties[name].dn)
        s.keys.wait("rekeyed", since=mark, sequence=sequence(s))
        s.members.pop(name).finish()
    assert loss.taken() == 3
    loss.stop()
    mark = bob.mark()
    # Dates on the wire count seconds: within the second of its own join bob takes a rekey for one from before it.
    deadline = time.monotonic() + PATIENCE
    while not bob.find("stale", since=mark) and time.monotonic() < deadline:
        s.keys.control("rekey", GROUP)
        bob.wait("rekeyed", since=mark, sequence=sequence(s))
    bob.wait("stale", since=mark)
    bob.wait("joined", since=mark)
    rekey(s)
