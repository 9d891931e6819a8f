# SPDX-License-Identifier: BSD-2-Clause
"""gdoi-gm with gdoi-gcks: certificates, IPv6, a router, who is refused, eviction, acknowledgements, a key server that dies."""
import time

import pytest

from lab import gdoi_forms
from lab.daemons import wait_all
from lab.gdoi import opened
from lab.gdoi_peers import Ground

QUICK = {"backoff": "300ms", "backoff_max": "1s"}


@pytest.fixture
def group(tmp_path, net_prefix):
    """Makes open groups; all are gone at the end."""
    with opened(tmp_path, net_prefix) as make:
        yield make


def join(g, *names, **how):
    found = [g.member(n, membership=QUICK, **how) for n in names]
    for m in found:
        m.start()
        m.control("join")
    wait_all(found, "joined")
    return found


def rekey(g, members, *words):
    marks = {m: m.mark() for m in members}
    g.keys.control("rekey", *words)
    wait_all(members, "rekeyed", marks=marks)


def one_key(members):
    """The SPI that all of them send with."""
    spis = {next(k["spi"] for k in m.control("keys") if k["state"] == "current") for m in members}
    assert len(spis) == 1, spis
    return spis.pop()


@pytest.mark.parametrize("auth,ip,unicast", [("ecdsa", 6, False), ("ecdsa", 6, True), ("rsa", 4, False)])
def test_certificates_and_a_router(group, auth, ip, unicast):
    g = group("alice", "erin", auth=auth, ip=ip, unicast=unicast)
    members = join(g, "alice", "erin")
    before = one_key(members)
    rekey(g, members, "tek", "now")
    assert one_key(members) != before
    rekey(g, members, "kek", "now")
    spis = {m.group()["rekey_sa"]["spi"] for m in members}
    assert len(spis) == 1 and spis == {g.status()["kek"]["spi"]}
    g.keys.wait("acked", where=lambda e: "erin" in str(e.get("peer")))


@pytest.mark.req("RFC6407-5.4.1-01")
def test_who_comes_during_a_rollover_sends_with_the_key_in_use_meanwhile(group):
    """ACTIVATION_TIME_DELAY is of the new one alone; so it is in the second implementation."""
    g = group("alice", "bob", "carol", cls=Ground, rollover={"activation": "300s", "deactivation": "400s"})
    alice, = join(g, "alice")
    mark = alice.mark()
    g.keys.control("rekey", "tek")
    alice.wait("rekeyed", since=mark)
    states = lambda m: {k["spi"]: k["state"] for k in m.control("keys")}
    assert sorted(states(alice).values()) == ["current", "receive"]
    bob, = join(g, "bob")
    assert states(bob) == states(alice)
    carol, = g.follow("carol")
    now = time.time()
    usable = {t.tek.spi.hex(): "current" if t.usable(now) else "receive" for t in carol.member.teks.values()}
    assert usable == states(alice)


@pytest.mark.req("RFC2407-4.6.3.3-01")
def test_a_member_that_was_killed_leaves_no_phase_1_behind(group):
    g = group("alice")
    alice = g.member("alice", membership={**QUICK, "keep_phase1": "yes"})
    for life in (1, 2):
        mark = g.keys.mark()
        alice.start()
        alice.control("join")
        g.keys.wait("joined", since=mark)
        if life == 1:
            alice.kill()
    g.keys.wait("notified", since=mark, where=lambda e: "alice" in e["peer"])
    g.keys.wait("phase1-down", since=mark, where=lambda e: "alice" in e["peer"])


@pytest.mark.req("RFC6407-4.4-07")
def test_sender_ids_come_with_counter_modes(group):
    g = group("alice", "bob")
    members = join(g, "alice", "bob")
    keys = [m.keys().next() for m in members]
    assert all(k["transform"] == 20 and len(bytes.fromhex(k["keys"]["encryption"])) == 20 and k["may_send"] for k in keys)
    sids = [k["sids"] for k in keys]
    assert all(k["sid_bits"] == 8 and len(k["sids"]) == 1 for k in keys) and sids[0] != sids[1]
    members[0].finish()
    only = g.member("alice", membership=QUICK)
    only.write(only.config.read_text().replace("<group name", '<group receive-only="yes" name'))
    only.start()
    only.control("join")
    key = only.keys().until(event="key", state="current")
    assert not key["may_send"], "whatever ids came unasked"


def test_who_is_not_admitted_is_told_and_has_nothing(group):
    g = group("alice", strangers=["mallory"])
    mallory = g.member("mallory", membership={**QUICK, "attempts": "2"})
    mallory.start()
    mallory.control("join")
    assert mallory.wait("notified")["notify_text"] == "AUTHENTICATION-FAILED"
    assert mallory.group()["keys"] == [] and not mallory.find("joined")
    alice = g.member("alice", membership=QUICK)
    alice.write(alice.config.read_text().replace(f'number="{g.id["number"]}"', 'number="4711"'))
    alice.start()
    alice.control("join")
    assert alice.wait("notified")["notify_text"] == "INVALID-ID-INFORMATION"
    assert not alice.find("joined")


@pytest.mark.req("RFC6407-4.3-05")
def test_who_is_evicted_has_no_key_of_the_new_tree(group):
    g = group("alice", "bob", "carol")
    alice, bob, carol = members = join(g, "alice", "bob", "carol")
    old = one_key(members)
    marks = {m: m.mark() for m in members}
    g.keys.control("evict", gdoi_forms.fqdn("bob"))
    for m in (alice, carol):
        m.wait("tek-wipe", since=marks[m], spi=old)
    assert one_key([alice, carol]) != old
    bob.wait("evicted", since=marks[bob])
    assert one_key([alice]) not in [k["spi"] for k in bob.control("keys")]


def test_a_key_server_that_dies_and_returns_is_followed(group):
    g = group("alice", "bob")
    members = join(g, "alice", "bob")
    rekey(g, members, "tek", "now")
    marks = {m: m.mark() for m in members}
    g.keys.kill()
    g.keys.start()
    before = one_key(members)
    g.keys.control("rekey", "tek", "now")
    for m in members:
        m.wait("tek-wipe", since=marks[m], spi=before)
    one_key(members)
    assert not any(m.find("joined", since=marks[m]) for m in members), "nobody had to register again"


def test_a_member_that_is_killed_comes_back_and_believes_no_old_push(group):
    g = group("alice")
    alice, = join(g, "alice")
    rekey(g, [alice], "tek", "now")
    number = alice.group()["rekey_sa"]["sequence"]
    alice.kill()
    mark = alice.mark()
    alice.start()
    alice.control("join")
    alice.wait("joined", since=mark)
    assert alice.group()["rekey_sa"]["sequence"] >= number > 0
    rekey(g, [alice], "tek", "now")


def test_a_dead_key_server_is_noticed_and_the_next_one_asked(group):
    g = group("alice", phase1={"dpd": "1s", "dpd-retry": "200ms", "dpd-tries": 10, "tries": 4})
    alice = g.member("alice", membership={**QUICK, "keep_phase1": "yes"})
    alice.write(alice.config.read_text().replace("<network ", f'<key-server address="{g.scene["alice"].ip4[:-2]}99"/>\n  <network ', 1))
    alice.start()
    alice.control("join")
    alice.wait("joined")
    keys = alice.control("keys")
    mark = alice.mark()
    g.keys.kill()
    alice.wait("phase1-down", since=mark)
    alice.wait("next-server", since=mark)
    assert [k["spi"] for k in alice.control("keys")] == [k["spi"] for k in keys], "the keys stay meanwhile"
