# SPDX-License-Identifier: BSD-2-Clause
"""gdoi-gcks: whom it cannot serve is told why in words; what SIGHUP replaces goes when nobody uses it any more."""
import time

import pytest

from lab.daemons import wait_all
from lab.gdoi import Group, opened
from lab.gdoi_forms import fqdn

QUICK = {"backoff": "300ms", "backoff_max": "1s"}


@pytest.fixture
def group(tmp_path, net_prefix):
    """Makes open groups; all are gone at the end."""
    with opened(tmp_path, net_prefix) as make:
        yield make


def begin(g, name, **group_attributes):
    m = g.member(name, membership=QUICK)
    extra = "".join(f' {k.replace("_", "-")}="{v}"' for k, v in group_attributes.items())
    m.write(m.config.read_text().replace("<group name", f"<group{extra} name"))
    m.start()
    m.control("join")
    return m


@pytest.mark.req("RFC6407-5.4.2-01")
@pytest.mark.refuses("RFC6407-5.4.2-01")
def test_too_many_sender_ids_are_refused_in_words(group):
    g = group("alice", "bob", rekeying={"sender-ids-max": 4})
    alice = begin(g, "alice", sender_ids=9)
    told = alice.wait("notified")
    assert (told["notify_text"], told["says"]) == ("ATTRIBUTES-NOT-SUPPORTED", "too many sender ids at once")
    assert "ATTRIBUTES-NOT-SUPPORTED: too many sender ids at once" in alice.log.read_text()
    refusal = g.keys.wait("refused", where=lambda e: "alice" in e["peer"])
    assert (refusal["req"], refusal["field"]) == ("RFC6407-5.4.2-01", "SENDER_ID_REQUEST")
    assert not alice.find("joined") and not alice.find("evicted") and g.status()["members"] == 0
    bob = begin(g, "bob", sender_ids=4)
    bob.wait("joined")
    assert len(bob.keys().until(event="key", state="current")["sids"]) == 4


@pytest.mark.req("RFC6407-3.4-10")
def test_or_as_many_are_given_as_there_may_be(group):
    g = group("alice", rekeying={"sender-ids-max": 4, "sender-ids-fewer": "yes"})
    alice = begin(g, "alice", sender_ids=9)
    alice.wait("joined")
    assert alice.keys().until(event="key", state="current")["sids"] == [0, 1, 2, 3]
    assert g.status()["senders"] == 4


@pytest.mark.refuses("RFC6407-3.4-08")
def test_a_full_group_says_that_it_is_full(group):
    g = group("alice", "bob", "carol", rekeying={"members-max": 2})
    wait_all([begin(g, n) for n in ("alice", "bob")], "joined")
    status = g.status()
    assert (status["members"], status["capacity"], status["full"]) == (2, 2, True)
    carol = begin(g, "carol")
    told = carol.wait("notified")
    assert (told["notify_text"], told["says"]) == ("INVALID-ID-INFORMATION", "the group is full")
    assert g.keys.wait("refused", where=lambda e: "carol" in e["peer"])["req"] == "RFC6407-3.4-08"
    g.keys.control("evict", fqdn("bob"))
    carol.wait("joined")
    assert g.status()["members"] == 2


def test_a_key_server_may_keep_its_reasons(group):
    g = group("alice", rekeying={"sender-ids-max": 4})
    g.keys.finish()
    g.keys.write(g.config().replace("  <group name", '  <registration reasons="no"/>\n  <group name', 1))
    g.start()
    alice = begin(g, "alice", sender_ids=9)
    told = alice.wait("notified")
    assert told["notify_text"] == "ATTRIBUTES-NOT-SUPPORTED" and "says" not in told


def test_old_settings_go_with_their_last_sa(group):
    g = group("alice", "bob")

    def kept():
        return g.keys.control("status")["phase1"]["old_settings"]

    def reload():
        mark = g.keys.mark()
        g.keys.control("reload")
        g.keys.wait("reloaded", since=mark)

    def settled(n):
        """Workers take the new settings in their own time, of which there is no event."""
        deadline = time.monotonic() + 60
        while kept() != n and time.monotonic() < deadline:
            pass
        return kept() == n
    assert kept() == 0
    alice = begin(g, "alice")
    alice.wait("joined")
    reload()
    bob = begin(g, "bob")
    bob.wait("joined")
    for _ in range(8):
        reload()
    assert settled(2), kept()  # those of alice's SA and of bob's; the seven that nobody used are gone
    for m, left in ((alice, 1), (bob, 0)):
        mark = g.keys.mark()
        m.control("leave")
        g.keys.wait("phase1-down", since=mark)
        assert settled(left), kept()


@pytest.mark.req("RFC6407-3.4-08")
def test_more_members_than_lkh_ids_are_refused_before_the_start(tmp_path, net_prefix):
    """A tree has 16-bit identifiers, and two trees under one KEK could not be told apart."""
    with Group(tmp_path / "group", ["alice"], prefix=net_prefix) as g:
        for degree, room in ((2, 32768), (4, 16384)):
            g.kek = {"lkh-degree": degree}
            g.write_policy()
            for members in (room, room + 1):
                g.rekeying = {"members-max": members}
                g.write_config()
                status, said = g.keys.check_config()
                assert status == (0 if members == room else 6), said
            assert f"room for {room} members with degree {degree}" in said
        g.start()
        assert g.status()["capacity"] == 16384 and not g.status()["full"]
        assert "has room for 16384 members" in g.keys.log.read_text(), "it runs, and says so"


@pytest.mark.req("RFC6407-4-10")
def test_an_array_that_is_too_long_for_a_datagram_is_warned_of(tmp_path, net_prefix):
    """An update array leads up to the KEK (5.6.3.2), so it is not divided, whatever message-max says."""
    with Group(tmp_path / "group", ["alice"], prefix=net_prefix) as g:
        for rekeying, warned in (({"message-max": 700}, True), ({"message-max": 700, "members-max": 16}, False), ({}, False)):
            g.rekeying = rekeying
            g.write_config()
            status, said = g.keys.check_config()
            assert status == 0 and ("update array, which cannot be divided, has up to" in said) == warned, (rekeying, said)
        g.rekeying = {"message-max": 700}
        g.write_config()
        g.start()
        assert "which cannot be divided" in g.keys.log.read_text()
