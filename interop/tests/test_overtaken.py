# SPDX-License-Identifier: BSD-2-Clause
"""A Key Download that is slow on its way, and what overtakes it (RFC 4535 sections 5.2.1.2 and 5.3.1): the next Rekey Event,
and the end of the group."""
import time

import pytest

from lab.impair import Wire
from lab.process import PATIENCE
from msec_scapy import registry as reg
from msec_scapy.testing.ground import serving


def until(what):
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "it does not come"


def current(daemon):
    return next(k["handle"] for k in daemon.control("keys") if k["state"] == "current")


def ahead(gm):
    return gm.control("status")["ahead"]


def asks(ground, wire):
    """gsakmp-gcks has answered, and the answer is on the wire."""
    keys = ground.gcks(timeout="60s")
    gm = ground.gm(timeout="60s")
    wire.holding = True
    gm.control("join")
    keys.wait("member-pending")
    until(lambda: wire.held)
    return keys, gm


@pytest.mark.req("RFC4535-5.3.1.1-04", "RFC4535-7.1.1-13")
def test_a_rekey_in_front_of_the_key_download(ground):
    with Wire(ground.hosts["gm"], 1) as wire:
        keys, gm = asks(ground, wire)
        for _ in range(2):
            mark = keys.mark()
            keys.control("rekey")
            keys.wait("rekeyed", since=mark)
        sent = len({e["sequence"] for e in keys.find("rekeyed")})
        until(lambda: ahead(gm)["kept"] == sent)
        assert not gm.find("key-install")
        wire.release()
        gm.wait("joined")
        gm.wait("rekeyed", sequence=keys.find("rekeyed")[-1]["sequence"])
        assert current(gm) == current(keys)
        assert ahead(gm) == {"waiting": 0, "kept": sent, "dropped": 0, "old": sent - len(gm.find("rekeyed"))}
        assert not gm.find("refused") and not gm.find("stale")
        gm.finish()


@pytest.mark.req("RFC4535-5.3.1.1-04", "RFC4535-7.1.1-13", "RFC4534-B.5.5-01")
def test_a_rekey_in_front_of_the_key_download_of_a_member(ground):
    """It registers again, for a rekey is overdue.  What it reads meanwhile is not taken back by the answer of before."""
    with Wire(ground.hosts["gm"], 1) as wire:
        keys = ground.gcks(ground.make_token(rekey_interval=4), timeout="60s")
        gm = ground.gm(timeout="60s", recovery="yes", behaviour='backoff="100ms"')
        gm.control("join")
        gm.wait("joined")
        mark, wire.holding = gm.mark(), True
        gm.wait("stale", since=mark)
        until(lambda: wire.held)
        for _ in range(2):
            mark_keys = keys.mark()
            keys.control("rekey")
            keys.wait("rekeyed", since=mark_keys)
        until(lambda: ahead(gm)["waiting"] == 2)
        wire.release()
        gm.wait("joined", since=mark)
        until(lambda: not ahead(gm)["waiting"])
        assert current(gm) == current(keys)
        assert len(gm.find("stale")) == 1 and not gm.find("refused")
        gm.finish()


@pytest.mark.req("RFC4535-5.3.1.3-02")
def test_the_end_of_the_group_in_front_of_the_key_download(ground):
    with Wire(ground.hosts["gm"], 1) as wire:
        keys, gm = asks(ground, wire)
        keys.control("destroy", "ground")
        until(lambda: ahead(gm)["kept"])
        wire.release()
        gm.wait("joined")
        gm.wait("destroyed")
        status = gm.control("status")
        assert status["state"] == "Idle" and not status["keys"]
        gm.finish()


@pytest.mark.req("RFC4535-5.3.1.1-02", "RFC4535-5.3.1.1-03")
@pytest.mark.refuses("RFC4535-5.3.1.1-03")
def test_whoever_floods_a_member_that_joins(ground):
    """It keeps a few, and believes none of them."""
    with Wire(ground.hosts["gm"], 1) as wire, serving(ground.key_server(timeout=3600)) as server:
        gm = ground.gm(timeout="60s")
        wire.holding = True
        gm.control("join")
        assert server.until(lambda k: k.sessions)
        until(lambda: wire.held)

        def spoilt(answer, sequence):
            octets = bytearray(answer.octets)
            at = 2 + octets[1] + 3
            octets[at:at + 4] = sequence.to_bytes(4, "big")
            answer.octets = bytes(octets)
            return answer

        for n in (*range(100, 140), reg.SEQUENCE_DESTROY):
            server.do(lambda k, n=n: [spoilt(a, n) for a in k.evict_names([], time.time())])
        until(lambda: ahead(gm)["kept"] >= 41)
        assert ahead(gm)["waiting"] == 16
        wire.release()
        gm.wait("joined")
        gm.wait("refused", req="RFC4535-7.8.2-06")
        until(lambda: ahead(gm)["waiting"] == 0)
        assert not gm.find("rekeyed") and not gm.find("destroyed")
        assert gm.control("status")["state"] == "Wait for Group Membership Event"
        gm.finish()


# ---------------------------------------------------------------- the member in Python

def late(runner):
    """Its Key Download is read when something has overtaken it."""
    member, receive, held = runner.member, runner.member.receive, []

    def wait(octets, now):
        if member._exchange_of(octets) == reg.X_KEYDL and not member.ahead:
            held.append(octets)
            return []
        answers = receive(octets, now)
        while member.ahead and held:
            answers += receive(held.pop(), now)
        return answers

    member.receive = wait
    return held


@pytest.mark.req("RFC4535-5.3.1.1-04", "RFC4535-5.3.1.3-02")
@pytest.mark.parametrize("command", (["rekey"], ["destroy", "ground"]), ids=lambda c: c[0])
def test_the_python_member_is_overtaken(ground, command):
    keys = ground.gcks(timeout="60s")
    runner = ground.member()
    held = late(runner)
    runner.send(runner.member.join(time.time()))
    assert runner.run(PATIENCE, lambda: held)
    keys.control(*command)
    wanted = "left" if command[0] == "destroy" else "member"
    assert runner.run(PATIENCE, lambda: runner.member.state == wanted) or runner.member.state == wanted
    if wanted == "member":
        last = keys.find("rekeyed")[-1]["sequence"]
        assert runner.run(PATIENCE, lambda: max(runner.member.sequences.values(), default=0) == last)
        handle, = {k.handle for k in runner.member.ring.gtpk.values()}
        assert int.from_bytes(handle, "big") == current(keys)
    assert not runner.member.refusals
