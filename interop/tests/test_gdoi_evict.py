# SPDX-License-Identifier: BSD-2-Clause
"""Evictions of gdoi-gcks: with the delays of a rollover or without, and with a KEK that the evicted do not even see."""
import re

import pytest

from lab import gdoi_forms
from lab.daemons import wait_all
from lab.gdoi import Group, opened

QUICK = {"backoff": "300ms", "backoff_max": "1s"}
SLOW = {"activation": "300s", "deactivation": "400s"}


@pytest.fixture
def group(tmp_path, net_prefix):
    """Makes a group with alice, bob and carol in it; it is gone at the end."""
    with opened(tmp_path, net_prefix) as opens:
        def make(rollover=None, name="plant", **eviction):
            g = opens("alice", "bob", "carol", eviction=eviction, rollover=rollover or {}, rekeying={"members-max": 8}, name=name)
            found = [g.member(n, membership=QUICK) for n in ("alice", "bob", "carol")]
            for m in found:
                m.start()
                m.control("join")
            wait_all(found, "joined")
            return g, found
        yield make


def states(m):
    return {k["spi"]: k["state"] for k in m.control("keys")}


def evict(g, members, *words):
    """bob goes; what the others held before."""
    alice, bob, carol = members
    before, marks = states(alice), {m: m.mark() for m in members}
    g.keys.control("evict", gdoi_forms.fqdn("bob"), *words)
    g.keys.wait("evicted", where=lambda e: "bob" in e["peer"])
    for m in (alice, carol):
        m.wait("tek", since=marks[m], where=lambda e: e["spi"] not in before)
    bob.wait("rekeyed", since=marks[bob], where=lambda e: "not for us" in e["reason"])
    return before, marks


@pytest.mark.req("RFC6407-5.4.1-01")
def test_an_eviction_rolls_over_by_default(group):
    g, (alice, bob, carol) = group(SLOW)
    before, _ = evict(g, (alice, bob, carol))
    now = states(alice)
    assert [now[spi] for spi in before] == ["current"], "senders go on with the old one until the delay is over"
    assert {s for spi, s in now.items() if spi not in before} == {"receive"}
    # A second thought: what the first eviction left to time goes now.
    g.keys.control("evict", gdoi_forms.fqdn("carol"), "now")
    for spi in before:
        alice.wait("tek-wipe", spi=spi)
    assert set(states(alice).values()) == {"current"} and not set(states(alice)) & set(now)


@pytest.mark.req("RFC6407-5.4.1-01")
@pytest.mark.parametrize("how", ["command", "policy"])
def test_at_once_nobody_sends_what_the_evicted_can_read(group, how):
    g, members = group(SLOW, **({"at-once": "true"} if how == "policy" else {}))
    before, marks = evict(g, members, *(["now"] if how == "command" else []))
    alice, bob, carol = members
    for m in (alice, carol):
        for spi in before:
            m.wait("tek-wipe", since=marks[m], spi=spi)
        assert set(states(m).values()) == {"current"} and not set(states(m)) & set(before)
    assert not set(states(alice)) & set(states(bob))
    assert [t["state"] for t in g.keys.control("teks")] == ["current"]


@pytest.mark.req("RFC6407-5.4.1-01", "RFC5374-4.2.1-03")
def test_a_delay_longer_than_a_lifetime_leaves_no_sender_without(tmp_path, net_prefix):
    """ATD of the policy cannot be kept: that of the PUSH is what the SA before still has."""
    with opened(tmp_path, net_prefix) as opens:
        g = opens("alice", rollover=SLOW, tek_life="8s")
        alice = g.member("alice", membership=QUICK)
        alice.start()
        alice.control("join")
        alice.wait("joined")
        (old,) = states(alice)
        alice.wait("tek", where=lambda e: e["spi"] != old)
        (new,) = set(states(alice)) - {old}
        assert alice.wait("tek", where=lambda e: e["spi"] == new and e["state"] == "current")
        assert not alice.find("tek-wipe", spi=old) and not alice.find("stale")


def test_words_that_an_eviction_does_not_know(group):
    g, members = group()
    for words, said in ((["now", "other"], "no group 'other'"), (["soon"], "no group 'soon'"), (["group=soon"], "no group 'soon'"),
                        (["now", "plant", "soon"], "what is 'soon'"), (["plant", "now"], "what is 'now'")):
        with pytest.raises(Exception, match=said):
            g.keys.control("evict", gdoi_forms.fqdn("bob"), *words)
    assert g.status()["members"] == 3


def test_a_group_that_is_called_like_a_word(group):
    g, (alice, bob, carol) = group(SLOW, name="now")
    before, _ = evict(g, (alice, bob, carol), "group=now")
    assert [states(alice)[spi] for spi in before] == ["current"], "it was a name, and there are delays"
    mark = carol.mark()
    carol.control("leave", "group=now", "silently")
    carol.wait("left", since=mark)
    g.keys.control("evict", gdoi_forms.fqdn("carol"), "now", "now")
    for spi in before:
        alice.wait("tek-wipe", spi=spi)
    assert set(states(alice).values()) == {"current"}


@pytest.mark.req("RFC6407-7.4.1-03")
def test_the_evicted_do_not_see_the_kek_that_protects_the_new_keys(group):
    g, members = group(**{"hide-kek-policy": "true"})
    alice, bob, carol = members
    first, sent = g.status()["kek"]["spi"], len(g.keys.control("history"))
    _, marks = evict(g, members)
    last = g.status()["kek"]["spi"]
    assert len(g.keys.control("history")) - sent == 3, "two changes of the KEK, then the keys"
    for m in (alice, carol):
        m.wait("rekeyed", since=marks[m], where=lambda e: m.group()["rekey_sa"]["spi"] == last)
        assert last != first
    # What bob could read named a KEK, and not this one.
    assert bob.group()["rekey_sa"] is None or bob.group()["rekey_sa"]["spi"] == first
    assert not any(last in str(e) for e in bob.events)
    alice_tek = {spi for spi, s in states(alice).items() if s == "current"}
    assert alice_tek and not alice_tek & set(states(bob))
    # An ordinary rekey needs one change.
    sent, marks = len(g.keys.control("history")), {m: m.mark() for m in members}
    g.keys.control("rekey", "all")
    wait_all([alice, carol], "rekeyed", marks=marks)
    assert len(g.keys.control("history")) - sent == 2


def test_a_hidden_kek_needs_lkh(group, tmp_path, net_prefix):
    g = Group(tmp_path / "flat", ["alice"], prefix=net_prefix, lkh=False, eviction={"hide-kek-policy": "true"})
    try:
        status, text = g.keys.check_config()
        assert status == 6 and re.search("without LKH the evicted see nothing", text), text
    finally:
        g.close()
