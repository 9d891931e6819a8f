# SPDX-License-Identifier: BSD-2-Clause
"""KeyDL-A/F that says no: who sends one when (RFC 4535 sections 5.2.1.2 and 5.2.1.4), and what the key server makes of it,
between the daemons and Python peers in both roles, and between the daemons alone."""
import os
import signal
import time
from dataclasses import replace

import pytest

from msec_scapy import message
from msec_scapy import registry as reg
from msec_scapy.gsakmp import Nonce, Notification
from msec_scapy.testing import forger
from msec_scapy.testing.ground import Ground, serving

MODES = pytest.mark.parametrize("terse", (True, False), ids=("terse", "verbose"))
SHORT = 'retries="1" spread="10ms"'


class Held:
    """Key Downloads of a Python key server that do not leave it until they are wanted."""

    def __init__(self, server):
        self.server, self.send, self.held, self.holding = server, server.runner.send, [], True
        server.runner.send = self._send

    def _send(self, answers):
        late = [a for a in answers if self.holding and a.exchange == reg.X_KEYDL]
        self.held += late
        self.send([a for a in answers if a not in late])


def notified(ground, since=0):
    """The Notification Types that a Python key server was told instead of ACK."""
    return [e["notify"] for e in ground.events[since:] if e["event"] == "nack"]


# ------------------------------------------------------------- gsakmp-gm says no

@MODES
@pytest.mark.req("RFC4535-5.2.1.2-22", "RFC4535-5.2.1.2-24", "RFC4535-5.2.1.2-25", "RFC4535-7.1.2-07")
@pytest.mark.refuses("RFC4535-5.2.1.2-22")
def test_a_key_download_that_comes_when_nobody_waits(tmp_path, net_prefix, terse):
    """Refused, no key of it is taken, and the key server is told, once for all copies."""
    with Ground(tmp_path, net_prefix, terse=terse) as g, serving(g.key_server(timeout=3600)) as server:
        late = Held(server)
        gm = g.gm(timeout="200ms", behaviour=SHORT)
        gm.control("join")
        assert "no answer" in gm.wait("left")["reason"]
        assert server.until(lambda _: late.held), "the request was good"
        for _ in range(3):
            mark = gm.mark()
            late.send(late.held[:1])
            assert gm.wait("refused", since=mark)["req"] == "RFC4535-7.1.2-07"
        assert server.until(lambda _: notified(g))
        assert not gm.find("key-install")
        # What it sends next comes behind whatever else it may have had to say about those copies.
        asked, told = len(server.server.seen), []
        gm.control("join")
        assert server.until(lambda k: len(k.seen) > asked and not told.append(notified(g)))
        assert told == [[reg.N_NACK if terse else reg.N_EXCHANGE]]
        gm.finish()


@MODES
@pytest.mark.req("RFC4535-5.2.1.2-22", "RFC4535-5.2.1.2-11")
def test_a_key_download_of_the_attempt_before(tmp_path, net_prefix, terse):
    """It does not end the attempt that is under way, and the key server hears that the other one is over."""
    with Ground(tmp_path, net_prefix, terse=terse) as g, serving(g.key_server(timeout=3600)) as server:
        late = Held(server)
        gm = g.gm(timeout="3s", behaviour='retries="1" spread="10ms"')
        gm.control("join")
        assert server.until(lambda _: late.held)
        gm.control("leave", "silently")
        gm.wait("left")
        first = late.held[0]
        server.forget()
        gm.control("join")
        assert server.until(lambda _: any(a.octets != first.octets for a in late.held[1:]))
        mark = gm.mark()
        late.send([first])
        assert gm.wait("refused", since=mark)["req"] == "RFC4535-5.2.1.2-11"
        late.holding = False
        late.send(late.held[-1:])
        gm.wait("joined")
        assert server.until(lambda k: all(m.acknowledged for m in k.members.values()))
        gm.finish()


@pytest.mark.req("RFC4535-5.2.1.4-05")
def test_a_lack_of_ack_in_front_of_the_key_download(tmp_path, net_prefix):
    """NACK for the session that is spoken of, then a new Request to Join."""
    with Ground(tmp_path, net_prefix, terse=False) as g, serving(g.key_server(timeout=3600)) as server:
        late = Held(server)
        gm = g.gm(timeout="20s")
        gm.control("join")
        assert server.until(lambda k: k.sessions and late.held)
        asked = len(server.server.seen)
        late.holding = False
        server.do(lambda k: [k.lack_of_ack(s, time.time()) for s in k.sessions.values()])
        gm.wait("joined")
        assert notified(g) == [reg.N_NACK]
        assert len(server.server.seen) == asked + 1, "a request with another nonce"
        gm.finish()


# ---------------------------------------------------- gsakmp-gcks is told no

@pytest.fixture(scope="module", params=(True, False), ids=("terse", "verbose"))
def ground(request, tmp_path_factory, net_prefix):
    with Ground(tmp_path_factory.mktemp("ground"), f"{net_prefix}k{int(request.param)}", terse=request.param) as g:
        g.suite = replace(g.suite, timeout=600)  # nobody is late by himself
        # A rekey comes when it is told to.
        g.daemon = g.gcks(signed=g.make_token(rekey_event=("timeOnly", ("interval", 36000))), timeout="600s")
        yield g
        g.daemon.finish()


def says(ground, runner, notify, nonce=None, by=None):
    """The acknowledgement of a member, with another notification in it, as built by `by`."""
    gm = by or runner.member
    nonces = [] if nonce is None else [Nonce(nonce_type=reg.NONCE_C, data=nonce)]
    return gm.build(reg.X_ACK, [*nonces, Notification(notify=notify, data=b"\x00" if notify == reg.N_ACK else b"")], time.time())


def unconfirmed(ground):
    """A Python member that has its Key Download and has not answered it; Nonce_C of that."""
    runner = ground.member(forger.fresh_name(ground), "evil", rekeys=False)
    send, kept = runner.send, []

    def keep(octets):
        m = message.parse(octets, runner.member.dialect)
        if m.exchange == reg.X_ACK:
            kept.append(m.nonce(reg.NONCE_C))
        else:
            send(octets)
    runner.send = keep
    mark = ground.daemon.mark()
    assert runner.join()
    ground.daemon.wait("member-pending", since=mark)
    runner.send = send
    return runner, kept[0], mark


def members(daemon):
    """Who has a seat: active, not confirmed yet, and to be left out."""
    group, = daemon.control("status", "ground")["groups"]
    return tuple(group[k] for k in ("members", "pending", "overdue"))


def flipped(gm, octets):
    """A signature that is not one."""
    signature = bytes(message.parse(octets, gm.dialect).one(message.Signature).signature)
    assert octets.count(signature) == 1
    return octets.replace(signature, signature[:-1] + bytes([signature[-1] ^ 1]))


@pytest.mark.parametrize("notify", (reg.N_NACK, reg.N_KEY_INFO, reg.N_AUTH), ids=reg.NOTIFY.name)
@pytest.mark.req("RFC4535-5.2.1.4-16")
def test_whoever_says_no_is_left_out_of_the_next_rekey(ground, notify):
    """NACK, as in Terse Mode, or an error, as in Verbose Mode: "any value except ACK"."""
    runner, nonce, mark = unconfirmed(ground)
    active, pending, overdue = members(ground.daemon)
    runner.send(says(ground, runner, notify, nonce))
    ground.daemon.wait("member-overdue", since=mark)
    assert members(ground.daemon) == (active, pending - 1, overdue + 1)
    ground.daemon.control("rekey", "ground")
    ground.daemon.wait("evicted", since=mark)
    assert members(ground.daemon) == (active, pending - 1, overdue)
    assert not ground.daemon.find("member-active", since=mark)


@pytest.mark.req("RFC4535-5.2.1.4-10", "RFC4535-5.2.1.4-13", "RFC4535-7.1.2-07")
@pytest.mark.refuses("RFC4535-5.2.1.4-10")
def test_nobody_is_left_out_by_what_others_say(ground):
    """A NACK of another session, one of somebody else's signature, and one that comes behind the ACK: each is refused, and
    the member stays one."""
    runner, nonce, mark = unconfirmed(ground)
    gm, (active, pending, overdue) = runner.member, members(ground.daemon)
    other = ground.member(forger.fresh_name(ground), "evil", rekeys=False)
    for octets, rows in ((says(ground, runner, reg.N_NACK, os.urandom(len(nonce))), ("RFC4535-5.2.1.4-10",)),
                         (says(ground, runner, reg.N_NACK, nonce, by=other.member), ("RFC4535-5.2.1.4-09",)),
                         (flipped(gm, says(ground, runner, reg.N_NACK, nonce)), ("RFC4535-7.8.2-06", "RFC4535-5.2.1.4-13"))):
        here = ground.daemon.mark()
        runner.send(octets)
        assert ground.daemon.wait("refused", since=here)["req"] in rows
    runner.send(says(ground, runner, reg.N_ACK, nonce))
    ground.daemon.wait("member-active", since=mark)
    here = ground.daemon.mark()
    runner.send(says(ground, runner, reg.N_NACK, nonce))
    ground.daemon.wait("refused", since=here)
    ground.daemon.control("rekey", "ground")
    ground.daemon.wait("rekeyed", since=here)
    assert members(ground.daemon) == (active + 1, pending - 1, overdue) and gm.state == "member"
    assert not ground.daemon.find("member-overdue", since=mark)


@pytest.mark.req("RFC4535-5.2.1.4-16")
def test_who_says_no_may_still_say_yes(ground):
    """Decision: a valid ACK before the rekey cancels the eviction."""
    runner, nonce, mark = unconfirmed(ground)
    active, pending, overdue = members(ground.daemon)
    runner.send(says(ground, runner, reg.N_NACK, nonce))
    ground.daemon.wait("member-overdue", since=mark)
    runner.send(says(ground, runner, reg.N_ACK, nonce))
    ground.daemon.wait("member-active", since=mark)
    ground.daemon.control("rekey", "ground")
    ground.daemon.wait("rekeyed", since=mark)
    assert members(ground.daemon) == (active + 1, pending - 1, overdue)


# ------------------------------------------------------- the daemons by themselves

@MODES
@pytest.mark.req("RFC4535-5.2.1.2-22", "RFC4535-5.2.1.4-16")
def test_a_key_server_that_was_away_for_too_long(tmp_path, net_prefix, terse):
    """It answers what it finds waiting; the member has given up and says so; the next rekey leaves it out."""
    with Ground(tmp_path, net_prefix, terse=terse) as g:
        g.suite = replace(g.suite, timeout=600)
        keys = g.gcks(signed=g.make_token(rekey_event=("timeOnly", ("interval", 36000))), timeout="600s")
        gm = g.gm(timeout="200ms", behaviour=SHORT)
        keys.signal(signal.SIGSTOP)
        try:
            gm.control("join")
            gm.wait("left")
        finally:
            keys.signal(signal.SIGCONT)
        keys.wait("member-pending")
        assert gm.wait("refused")["req"] == "RFC4535-7.1.2-07"
        keys.wait("member-overdue")
        assert members(keys) == (0, 0, 1)
        keys.control("rekey", "ground")
        keys.wait("evicted")
        assert members(keys) == (0, 0, 0)
        assert not gm.find("key-install")
        gm.finish()
        keys.finish()
