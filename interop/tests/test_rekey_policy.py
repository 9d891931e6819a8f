# SPDX-License-Identifier: BSD-2-Clause
"""When a group is rekeyed, as its policy says in XML (RFC 4534 B.5.3 to B.5.6), with the real daemons."""
import datetime
import time

import pytest

from lab import LabError, forms
from lab.daemons import wait_all
from lab.process import PATIENCE
from lab.scene import REKEY_PORT
from lab.story import GROUP
from msec_scapy import flows
from msec_scapy import token as tokens
from msec_scapy.testing.ground import REKEY_PORT as GROUND_REKEY_PORT
from msec_scapy.testing.ground import Ground


def sequence(s):
    return s.keys.control("status")["groups"][0]["sequence"]


def leave(s, name):
    mark = s.keys.mark()
    s.members[name].control("leave")
    s.members[name].wait("left")
    s.keys.wait("member-left", since=mark)
    assert not s.keys.find("evicted", since=mark), "nobody has thrown it out"


def handles(s, *names):
    return {n: {k["handle"] for k in s.members[n].control("status")["keys"] if k["state"] == "current"} for n in names}


@pytest.mark.req("RFC4534-B.5.3-01", "RFC4534-B.5.3-02", "RFC4535-5.3.1.1-01", "RFC4535-4.4.3-06")
def test_by_time_alone(group):
    """A rekey every two seconds, for everybody and by itself."""
    s = group("alice", "bob", rekeying={"event": '<event time="2s"/>'})
    members = [s.members[n] for n in ("alice", "bob")]
    for _ in range(2):
        marks = {d: d.mark() for d in members}
        wait_all(members, "key-install", marks=marks)


@pytest.mark.req("RFC4534-B.5.3-01", "RFC4534-B.5.3-04", "RFC4535-5.3.1.1-01")
@pytest.mark.parametrize("event", ['<event count="2"/>', '<event time="1h" count="2"/>'], ids=["events", "time-and-events"])
def test_by_events(group, event):
    """The second departure brings the rekey, the first does not."""
    s = group("alice", "bob", "carol", rekeying={"event": event})
    mark = s.members["alice"].mark()
    s.keys.control("rekey", GROUP)  # nothing of the joins is pending after that
    before = sequence(s)
    s.members["alice"].wait("rekeyed", since=mark, sequence=before)
    leave(s, "bob")
    assert sequence(s) == before
    old, mark = handles(s, "alice"), s.members["alice"].mark()
    leave(s, "carol")
    s.members["alice"].wait("rekeyed", since=mark, sequence=before + 1)
    assert handles(s, "alice") != old


@pytest.mark.req("RFC4534-B.5.3-01", "RFC4534-B.5.3-02")
def test_by_time_when_the_events_do_not_come(group):
    s = group("alice", "bob", rekeying={"event": '<event time="2s" count="5"/>'})
    mark = s.members["alice"].mark()
    s.members["alice"].wait("rekeyed", since=mark)


@pytest.mark.req("RFC4534-B.5.5-01", "RFC4534-B.5.3-03", "RFC4534-B.5.6.1-01")
def test_an_overdue_rekey_is_made_good_by_a_registration(group):
    """No copies, no rekeys: after the rekeyInterval each member takes itself for out of step, at a moment of its own."""
    s = group("alice", "bob", behaviour='backoff="1s"',
              rekeying={"interval": "3s", "reliability": "<none/>", "event": '<event time="3s"/>'})
    losses = [s.scene.net.lose(s.scene[n], match=f"udp dport {REKEY_PORT}") for n in ("alice", "bob")]
    marks = {s.members[n]: s.members[n].mark() for n in ("alice", "bob")}
    for e in wait_all([*marks], "stale", marks=marks):
        assert "overdue" in e["reason"]
    wait_all([*marks], "joined", marks=marks)
    assert all(loss.taken() for loss in losses)


@pytest.mark.req("RFC4534-B.5.4.1-01", "RFC4535-5.3.1.2-01", "RFC4535-7.5.1-04")
def test_without_a_rekey_method(group):
    """The key stays: no eviction, no rekey on command, said clearly; a token still reaches everybody, as type None."""
    s = group("alice", "bob", "carol", cast=["dave"], rekeying={"method": "<none/>", "event": "<event/>", "interval": "3s"})
    old = handles(s, "alice", "bob")
    for command in (("evict", "bob"), ("rekey", GROUP)):
        with pytest.raises(LabError, match="no rekey method"):
            s.keys.control(*command)
    mark = s.keys.mark()
    leave(s, "carol")
    end = time.monotonic() + PATIENCE
    while len(s.keys.control("members")) != 2:
        assert time.monotonic() < end, "it goes with the next time that the policy has for a rekey"
    assert not s.keys.find("evicted", since=mark)
    marks = {s.members[n]: s.members[n].mark() for n in ("alice", "bob")}
    s.edition = 2
    # whole seconds, and later than the first: by the clock it may be too early for that
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=5)
    forms.compile_and_sign(s, excluded=["bob"], when=at.strftime("%Y-%m-%dT%H:%M:%SZ"))
    s.keys.control("token", GROUP)
    s.members["alice"].wait("token", since=marks[s.members["alice"]], edition=2)
    s.members["bob"].wait("evicted", since=marks[s.members["bob"]])
    assert handles(s, "alice")["alice"] == old["alice"] == old["bob"]
    assert not handles(s, "bob")["bob"]
    s.join("dave")
    assert handles(s, "dave")["dave"] == old["alice"]
    # longer than the interval have they been members, and nobody missed anything
    assert not s.members["alice"].find("stale")


@pytest.mark.req("RFC4534-C.1-04", "RFC4535-7.4.2-05")
def test_no_key_outlives_the_date_of_the_policy(group):
    """When the date has come nobody has a key, nobody is given one, no token of that kind is taken; another date opens the group."""
    s = group("alice", cast=["bob"])
    server, alice = s.keys, s.members["alice"]

    def until(seconds):
        at = time.gmtime(time.time() + seconds)
        s.rekeying["expires"] = f' expires="{time.strftime("%Y-%m-%dT%H:%M:%SZ", at)}"'
        s.edition += 1
        forms.compile_and_sign(s)

    def current():
        return [k for k in alice.control("status")["keys"] if k["state"] == "current"]
    s.edition, mark = 1, alice.mark()
    until(8)
    server.control("token", GROUP)
    alice.wait("token", since=mark, edition=2)
    alice.wait("rekeyed", since=mark)
    server.control("rekey", GROUP)
    alice.wait("stale", since=mark, where=lambda e: "expired" in e["reason"])
    assert not current()
    mark = server.mark()
    (bob,), _, _ = s.asking("bob")
    server.wait("refused", since=mark, req="RFC4535-7.4.2-05")
    until(-1)
    with pytest.raises(LabError, match="RFC4534-C.1-04"):
        server.control("token", GROUP)
    mark = alice.mark()
    until(3600)
    server.control("token", GROUP)
    alice.wait("token", since=mark, edition=4)
    alice.wait("key-install", since=mark)
    assert current()
    bob.wait("joined")  # it was still asking


@pytest.mark.req("RFC4534-B.5.4.1-01")
def test_without_a_rekey_protocol(tmp_path, net_prefix, monkeypatch):
    """Nothing is sent, and the key server says whom it could not tell of a new token, and of the end."""
    build = tokens.build
    monkeypatch.setattr(tokens, "build", lambda spec, value: build(spec, {**value, "rekey": [("none", None)]} if spec is tokens.Token else value))
    with Ground(tmp_path, net_prefix) as ground:
        server, gm = ground.record().gcks(), ground.gm()
        gm.control("join")
        gm.wait("joined")
        server.wait("member-active")
        ground.token_file.write_bytes(ground.make_token())
        server.control("token", "ground")
        server.control("destroy", "ground")
        server.finish()
        log = "\n".join(server.tail(50))
        assert all(f"its 1 members cannot be told of {what}" in log for what in ("the new policy token", "its end")), log
        assert gm.control("status")["edition"] == 1 and not gm.find("destroyed")
        gm.finish()
        ground.recording.stop()
        assert not list(flows.messages(ground.dir / "capture.pcapng", (GROUND_REKEY_PORT,)))


@pytest.mark.req("RFC4535-5.3.1.1-01")
@pytest.mark.parametrize("rekey, renewed", [("", True), ('<rekey on-join="yes"/>', True), ('<rekey on-join="no"/>', False)],
                         ids=["by-default", "yes", "no"])
def test_a_join_brings_new_keys_where_that_is_wanted(tmp_path, net_prefix, rekey, renewed):
    """Whoever comes is given the key of before, or everybody has another one; who goes never keeps a key that is used."""
    def current(daemon):
        return {k["handle"] for k in daemon.control("status")["keys"] if k["state"] == "current"}
    with Ground(tmp_path, net_prefix) as ground:
        server, first, second = ground.gcks(rekey=rekey), ground.gm("gm0"), ground.gm("gm1", "other")
        first.control("join")
        first.wait("joined")
        server.wait("member-active", where=lambda e: "gm0" in e["peer"])
        old, number = current(first), server.control("status")["groups"][0]["sequence"]
        mark = first.mark()
        second.control("join")
        second.wait("joined")
        server.wait("member-active", where=lambda e: "gm1" in e["peer"])
        if renewed:
            first.wait("rekeyed", since=mark)
        group = server.control("status")["groups"][0]
        assert (group["sequence"] > number) == renewed
        assert current(first) == current(second) == {group["gtpk_handle"]} and (current(first) != old) == renewed
        mark = first.mark()
        server.control("evict", "CN=gm1,O=MSEC Lab")
        first.wait("rekeyed", since=mark)
        assert current(first).isdisjoint({group["gtpk_handle"]})
        for d in (first, second, server):
            d.finish()
