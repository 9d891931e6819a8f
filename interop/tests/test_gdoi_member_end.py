# SPDX-License-Identifier: BSD-2-Clause
"""gdoi-gm with gdoi-gcks: who may not send, who leaves and how that is told, whose keys run out."""
import pytest

from lab.gdoi import opened
from lab.gdoi_forms import fqdn

QUICK = {"backoff": "300ms", "backoff_max": "1s"}
HOOK = """#!/bin/sh
echo "$MSEC_EVENT" >>"{log}"
"""


@pytest.fixture
def group(tmp_path, net_prefix):
    """Makes open groups; all are gone at the end."""
    with opened(tmp_path, net_prefix) as make:
        yield make


def join(g, name, membership=None, **how):
    m = g.member(name, membership={**QUICK, **(membership or {})}, **how)
    m.start()
    m.control("join")
    m.wait("joined")
    return m


@pytest.mark.req("RFC6407-4.4-08", "RFC6407-3.5-02")
def test_who_may_not_send_receives_and_does_not_ask_again(group):
    g = group("alice", "bob", start=False)
    text = g.policy_file.read_text()
    assert text.count("<all/>") == 1
    g.write_policy(text.replace("<all/>", f'<entity type="fqdn" ca="">{fqdn("bob")}</entity>'))
    g.start()
    alice = join(g, "alice")
    assert alice.wait("receive-only")
    status, key = alice.group(), alice.keys().next()
    assert status["state"] == "member" and status["receives_only"] and status["sids"] == 0
    assert key["state"] == "current" and not key["may_send"] and key["no_sender_id"] and key["keys"]["encryption"]
    bob = join(g, "bob")
    theirs = bob.keys().next()
    assert theirs["may_send"] and len(theirs["sids"]) == 1 and "no_sender_id" not in theirs
    assert theirs["spi"] == key["spi"] and not bob.group()["receives_only"]
    mark = alice.mark()
    g.keys.control("rekey", "tek", "now")
    alice.wait("tek-wipe", since=mark, spi=key["spi"])
    assert not alice.keys().next()["may_send"]
    assert len(alice.find("joined")) == 1 and not alice.find("stale"), "one registration is all that it takes"
    assert "no sender id" in alice.log.read_text()


@pytest.mark.req("RFC6407-5.9-05")
def test_who_leaves_tells_the_key_server_though_phase_1_is_gone(group, tmp_path):
    g = group("alice")
    program, log = tmp_path / "hook", tmp_path / "hook.log"
    program.write_text(HOOK.format(log=log))
    program.chmod(0o755)
    alice = join(g, "alice", hook={"program": program})
    alice.wait("phase1-down")
    stream, mark, theirs = alice.keys(), alice.mark(), g.keys.mark()
    spi = stream.next()["spi"]
    alice.control("leave")
    assert alice.group()["keys"] == []
    assert stream.until(event="wipe")["spi"] == spi
    alice.wait("told", since=mark)
    g.keys.wait("left", since=theirs)
    assert g.keys.control("members") == []
    order = [e["event"] for e in alice.events[mark:] if e["event"] in ("tek-wipe", "kek-wipe", "left", "phase1-up", "told")]
    assert order == ["kek-wipe", "tek-wipe", "left", "phase1-up", "told"]
    alice.wait("phase1-down", since=mark)
    alice.finish()
    assert log.read_text().split()[-2:] == ["wipe", "left"], "who is told last finds nothing"


@pytest.mark.req("RFC6407-5.9-05")
def test_who_ends_leaves_if_it_is_told_to_and_does_not_end_before_it_has_said_so(group):
    g = group("alice", "bob")
    alice, bob = join(g, "alice", membership={"leave_at_exit": "yes"}), join(g, "bob")
    for m in (alice, bob):
        m.wait("phase1-down")
    theirs, mark = g.keys.mark(), bob.mark()
    alice.finish()
    assert "alice" in g.keys.wait("left", since=theirs)["peer"], "under a phase 1 that was made for it"
    bob.control("leave")
    bob.finish()
    assert bob.find("told", since=mark), "it was under way"
    assert "bob" in g.keys.wait("left", since=theirs, where=lambda e: "bob" in e["peer"])["peer"]
    # Who only ends has not left.
    mark = bob.start()
    bob.control("join")
    bob.wait("joined", since=mark)
    bob.finish()
    assert [m["peer"] for m in g.keys.control("members")] == ["fqdn:" + fqdn("bob")]


def test_who_cannot_say_so_says_that(group):
    g = group("alice", phase1={"timeout": "200ms", "tries": 3})
    alice = join(g, "alice")
    alice.wait("phase1-down")
    mark = alice.mark()
    g.keys.kill()
    alice.control("leave")
    assert alice.group()["state"] == "idle", "nobody waits for that"
    assert alice.wait("untold", since=mark)["reason"]
    g.keys.start()
    assert [m["peer"] for m in g.keys.control("members")] == ["fqdn:" + fqdn("alice")]
    # and where it is not wanted
    alice.finish()
    alice = join(g, "alice", membership={"leave_phase1": "no"})
    alice.wait("phase1-down")
    mark = alice.mark()
    alice.control("leave")
    assert "no phase 1" in alice.wait("untold", since=mark)["reason"]
    assert not alice.find("phase1-up", since=mark)


@pytest.mark.req("RFC6407-3.4-03")
def test_whose_keys_run_out_without_new_ones_says_why(group):
    """The key server answers, and does not admit the member any more: it is none, and that is what it says."""
    g = group("alice", rekey=False, tek_life="3s")
    alice = join(g, "alice", membership={"margin": "1s"})
    mark = alice.mark()
    g.write_policy(excluded=["alice"])
    g.keys.control("policy")
    alice.wait("evicted", since=mark)
    alice.wait("tek-wipe", since=mark)
    status = alice.until(lambda s: s["failures"] >= 1 and s["state"] == "refused by the key server, will ask again")
    assert status["keys"] == [] and status["failures"] >= 1
    assert status["failure"]["notify"] == "AUTHENTICATION-FAILED" and status["failure"]["at"]
    assert status["state"] == "refused by the key server, will ask again"
