# SPDX-License-Identifier: BSD-2-Clause
"""Whom a key server of GDOI cannot serve, and what an eviction may hide, between the C and the Python implementation."""
from dataclasses import replace

import pytest

from lab.gdoi import opened
from lab.gdoi_forms import fqdn
from lab.gdoi_peers import Ground
from lab.gdoi_served import Served, places
from msec_scapy.gdoi.phase1 import Hooks
from msec_scapy.gdoi.policy import IpsecPolicy, KekPolicy

GCM = (IpsecPolicy(transform=20, auth=0),)
QUICK = {"backoff": "300ms", "backoff_max": "1s"}


# -- gdoi-gm, and a key server in Python -----------------------------------------------------------------------------------

@pytest.fixture
def served(net, tmp_path, stack):
    return lambda **how: stack.enter_context(Served(tmp_path, net, **how))


def told(m, **where):
    """(notification, words) of the next one that it was sent, and it joined nothing by it."""
    e = m.wait("notified", **where)
    return e["notify_text"], e.get("says")


def begin(s, name, sids=None):
    """A member that asks for so many sender ids."""
    return s.begin(name, membership=QUICK, of_group={"sender_ids": sids} if sids else {})[0]


@pytest.mark.req("RFC6407-3.4-03")
def test_a_member_of_ours_at_a_full_group(served):
    s = served(members_max=1)
    s.join("alice")
    bob = begin(s, "bob")
    assert told(bob) == ("INVALID-ID-INFORMATION", "the group is full")
    assert bob.group()["failure"]["notify"] == "INVALID-ID-INFORMATION"
    assert not bob.find("joined") and not bob.find("evicted") and s.refusal()["req"] == "RFC6407-3.4-08"
    s.members["alice"].control("leave")
    bob.wait("joined")
    assert list(s.group.members) == [bob.host.ip4]


def test_a_member_of_ours_where_the_policy_has_lapsed(served):
    s = served(valid_until=1)
    alice = begin(s, "alice")
    assert told(alice) == ("INVALID-ID-INFORMATION", "the policy of the group has lapsed")
    assert s.refusal()["req"] == "RFC6407-3.4-03" and not alice.find("joined") and not s.group.members


def test_a_member_of_ours_that_is_not_admitted(served):
    s = served(authorized={"10.77.7.99"})
    alice = begin(s, "alice")
    assert told(alice) == ("AUTHENTICATION-FAILED", None)
    assert s.refusal()["req"] == "RFC6407-3.4-03" and not alice.find("joined")


@pytest.mark.req("RFC6407-3.5-07")
def test_a_member_of_ours_that_wants_many_sender_ids(served):
    s = served(teks=GCM, sid_bits=8, sids_max=4)
    alice = begin(s, "alice", 9)
    assert told(alice) == ("ATTRIBUTES-NOT-SUPPORTED", "too many sender ids at once")
    assert s.refusal()["req"] == "RFC6407-5.4.2-01" and not alice.find("joined") and s.group.sid_counter == 0
    s.group.sids_fewer = True
    alice.wait("joined")
    assert alice.keys().until(event="key", state="current")["sids"] == [0, 1, 2, 3] and s.group.sid_counter == 4


def test_a_member_of_ours_that_is_told_no_reasons(served):
    s = served(teks=GCM, sid_bits=8, sids_max=4)
    s.ground.server.reasons = False
    assert told(begin(s, "alice", 9)) == ("ATTRIBUTES-NOT-SUPPORTED", None)


@pytest.mark.req("RFC6407-5.9-01", "RFC6407-5.9-03")
def test_members_of_ours_when_sender_ids_run_out(served):
    s = served(teks=GCM, sid_bits=8, kek=KekPolicy(**places()))
    alice = begin(s, "alice")
    alice.wait("joined")
    greedy = begin(s, "greedy", 250)
    greedy.wait("joined")
    greedy.kill()
    before, mark = {t.spi.hex() for t in s.group.teks}, alice.mark()
    bob = begin(s, "bob", 100)
    assert told(bob) == ("INVALID-MESSAGE-ID", "all keys are replaced, ask again")
    assert s.refusal()["req"] == "RFC6407-3.5-11" and s.ground.count("sid-exhausted") == 1
    for m, since in ((bob, 0), (alice, mark)):
        m.wait("joined", since=since)
    alice.wait("tek-wipe", since=mark)
    now = {t.spi.hex() for t in s.group.teks}
    held = {m: m.keys().until(event="key", state="current") for m in (alice, bob)}
    assert not now & before and {h["spi"] for h in held.values()} == now
    given = [set(h["sids"]) for h in held.values()]
    assert sorted(map(len, given)) == [1, 100] and set.union(*given) == set(range(101)), "from zero, and nobody shares one"


@pytest.mark.req("RFC6407-7.4.1-01", "RFC6407-7.4.1-02", "RFC6407-7.4.1-03")
def test_members_of_ours_and_a_kek_that_the_evicted_do_not_see(served):
    s = served(depth=3, kek=KekPolicy(ack=2, **places()))
    alice, bob, carol = found = s.begin("alice", "bob", "carol", membership=QUICK)
    for m in found:
        m.wait("joined")
    before, marks = {k["spi"] for k in alice.control("keys")}, {m: m.mark() for m in found}
    hidden = replace(s.group.kek_policy, lifetime=4711)
    s.group.authorized = {alice.host.ip4, carol.host.ip4}
    s.push(lambda server, group, now: server.evict(group, [bob.host.ip4], now, hidden))
    assert s.ground.wait(lambda _: s.ground.count("acknowledged") == 6), "two members, three PUSHes"
    now, kek = {t.spi.hex() for t in s.group.teks}, s.group.kek.spi.hex()
    for m in (alice, carol):
        m.wait("tek-wipe", since=marks[m], where=lambda e: e["spi"] in before)
        assert m.group()["rekey_sa"]["spi"] == kek and {k["spi"] for k in m.control("keys")} == now
        m.wait("rekeyed", since=marks[m], where=lambda _, m=m: len(m.find("rekeyed", since=marks[m])) == 3)
    said = bob.wait("rekeyed", since=marks[bob])
    assert "not for us" in said["reason"]
    assert not any(kek in str(e) for e in bob.events[marks[bob]:]), "nothing that it could read names the KEK"
    assert not now & {k["spi"] for k in bob.control("keys")}


# -- gdoi-gcks, and members in Python --------------------------------------------------------------------------------------

@pytest.fixture
def group(tmp_path, net_prefix):
    """Makes open groups; all are gone at the end."""
    with opened(tmp_path, net_prefix, Ground) as make:
        yield make


def refused(g, peer):
    """(notification, words) that a Python member gets instead of keys; the refusal of the key server."""
    mark = g.keys.mark()
    assert not peer.register()
    fields = peer.last("not-registered")
    assert not peer.member.teks and not peer.member.rekeys
    name = str(peer.member.config.identity)
    return (fields["notify"], fields["says"]), g.keys.wait("refused", since=mark, where=lambda e: name in e["peer"])["req"]


@pytest.mark.refuses("RFC6407-5.4.2-01", "RFC6407-3.4-03", "RFC6407-3.4-08")
def test_a_key_server_of_ours_says_why(group):
    g = group("alice", "bob", "carol", strangers=["mallory"], rekeying={"sender-ids-max": 4, "members-max": 2})
    assert refused(g, g.peer("alice", sids=9)) == (("ATTRIBUTES-NOT-SUPPORTED", "too many sender ids at once"), "RFC6407-5.4.2-01")
    assert refused(g, g.peer("mallory")) == (("AUTHENTICATION-FAILED", ""), "RFC6407-3.4-03")
    assert g.registered() == {}
    g.follow("alice", "bob", sids=4)
    assert refused(g, g.peer("carol")) == (("INVALID-ID-INFORMATION", "the group is full"), "RFC6407-3.4-08")
    assert set(g.registered()) == {"alice", "bob"}


@pytest.mark.req("RFC6407-3.5-11", "RFC6407-3.5-12")
def test_a_key_server_of_ours_whose_sender_ids_run_out(group):
    g = group("alice", "bob", rekeying={"sender-ids-max": 250})
    alice, = g.follow("alice", sids=250)
    before = set(alice.member.teks)
    bob = g.peer("bob", sids=100)
    assert not bob.register(overtaken=0)
    g.keys.wait("sid-exhausted")
    assert bob.last("not-registered")["notify"] == "INVALID-MESSAGE-ID"
    alice.wait("deleted")
    assert not alice.member.teks and not alice.member.sids
    assert bob.register() and bob.member.sids == list(range(100))
    assert not before & set(bob.member.teks)


@pytest.mark.req("RFC6407-3.4-07")
def test_a_member_in_python_whose_offer_is_overtaken_asks_again(group):
    g = group("alice", "bob")
    g.follow("alice")

    class Meanwhile(Hooks):
        rekeys = 0

        def datagram(self, where, octets):
            if where == "pull-3" and not self.rekeys:
                self.rekeys += 1
                g.keys.control("rekey", "tek", "now")
            return octets

    bob = g.peer("bob")
    bob.member.config.hooks = Meanwhile()
    assert bob.register() and set(g.registered()) == {"alice", "bob"}
    assert bob.count("not-registered") == bob.count("phase1") == 1, "the same phase 1 has served for both"


@pytest.mark.req("RFC6407-7.4.1-03")
@pytest.mark.parametrize("hide", [True, False], ids=["hidden", "seen"])
def test_a_key_server_of_ours_and_what_the_evicted_can_read(group, hide):
    g = group("alice", "bob", "carol", eviction={"hide-kek-policy": "true"} if hide else {}, rekeying={"members-max": 8})
    alice, bob, carol = g.follow("alice", "bob", "carol")
    g.keys.control("evict", fqdn("bob"))
    for p in (alice, carol):
        p.wait("rekeyed", times=3 if hide else 2)
    out, kek = bob.wait("not-for-us"), g.status()["kek"]["spi"]
    assert all(bytes.fromhex(kek) in p.member.rekeys for p in (alice, carol))
    assert (out["spi"] == kek) is not hide, "what it could read names the KEK of the new keys, or the one between"
    bob.wait("refused", times=2 if hide else 1, where=lambda f: f["req"] == "RFC6407-4.4-01")
    assert bytes.fromhex(kek) not in bob.member.rekeys and not set(alice.member.teks) <= set(bob.member.teks)
