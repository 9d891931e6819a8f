# SPDX-License-Identifier: BSD-2-Clause
"""Every Notification Type of RFC 4535 Table 22 on the wire: which daemon sends it in which message, for what reason, and
in which mode.  That every one of them is understood where one can come is in gsakmp/tests/test_notify.c."""
import time
from dataclasses import replace

import pytest

from lab.process import PATIENCE
from msec_scapy import message, misbehave
from msec_scapy import registry as reg
from msec_scapy.gsakmp import Identification, MechanismChoice, Nonce, Notification
from msec_scapy.testing import forger
from msec_scapy.testing.ground import Ground, serving

# RTJ-Error of gsakmp-gcks, section 5.2.1.3: what is wrong with the request, and the reason that is given.
ERRORS = {
    "rtj-payload-unknown": reg.N_PAYLOAD_TYPE, "rtj-first-payload": reg.N_PAYLOAD_TYPE,
    "rtj-version-zero": reg.N_VERSION, "rtj-group-unknown": reg.N_GROUP, "rtj-sequence": reg.N_SEQUENCE,
    "rtj-no-nonce": reg.N_MALFORMED, "rtj-cert-type": reg.N_CERT_TYPE, "rtj-wrong-root": reg.N_CERT_CA,
    "rtj-sig-bad": reg.N_AUTH, "rtj-cert-none": reg.N_CERT_UNAVAILABLE, "rtj-not-admitted": reg.N_UNAUTHORIZED,
}
# KeyDL-A/F of gsakmp-gm, section 5.2.1.4.
FAILURES = {
    "keydl-key-type": reg.N_KEY_INFO, "keydl-member": reg.N_ID_INFO, "keydl-wrong-root": reg.N_CERT_CA,
    "keydl-sig-bad": reg.N_AUTH, "keydl-rogue": reg.N_UNAUTHORIZED, "keydl-token-type": reg.N_MALFORMED,
}
# Where the others come from: the tests below.
ELSEWHERE = {
    reg.N_ACK, reg.N_NACK, reg.N_COOKIE_REQUIRED, reg.N_COOKIE, reg.N_MECHANISMS, reg.N_LEAVE, reg.N_DEPARTED,
    reg.N_DEPART_ERROR, reg.N_IPV4, reg.N_IPV6, reg.N_GROUP_POLICY, reg.N_LOCAL_POLICY,
}
# None says nothing.  Invalid-Exchange-Type is what a member says to a Key Download that comes too late: test_nack.py.
NEVER, LATE = {reg.N_NONE}, {reg.N_EXCHANGE}


class Wire:
    """What comes in at a Python peer: (exchange, Notification Types), whether it makes sense to the peer or not."""

    def __init__(self, peer):
        self.heard, self.last, self._peer, self._receive = [], {}, peer, peer.receive
        peer.receive = self._hear

    def _hear(self, octets, *rest):
        m = message.parse(octets, self._peer.dialect)
        self.heard.append((m.exchange, [n.notify for n in m.all(Notification)]))
        self.last[m.exchange] = m
        return self._receive(octets, *rest)

    def said(self, exchange):
        return [n for x, ns in self.heard if x == exchange for n in ns]


def test_the_tables_here_are_the_whole_of_table_22():
    sent = {*ERRORS.values(), *FAILURES.values(), *ELSEWHERE, *LATE}
    assert not sent & NEVER
    assert sent | NEVER == {v for v in range(0x10000) if reg.NOTIFY.known(v)} - {reg.N_EXPULSION}


# ------------------------------------------------------------------ gsakmp-gcks

@pytest.fixture(scope="module", params=(False, True), ids=("verbose", "terse"))
def ground(request, tmp_path_factory, net_prefix):
    with Ground(tmp_path_factory.mktemp("ground"), f"{net_prefix}n{int(request.param)}", terse=request.param) as g:
        g.suite = replace(g.suite, timeout=1)
        unknown = "" if request.param else '<errors unknown-group="yes"/>'
        g.daemon = g.gcks(errors=unknown)
        yield g
        g.daemon.finish()


def request(ground, name=None, **kw):
    runner = ground.member(name or forger.fresh_name(ground), "evil", rekeys=False, **kw)
    runner.tries, runner.timeout = 1, PATIENCE
    return runner, Wire(runner.member)


def silence(ground, runner, wire):
    """Where no answer is due, the refusal ends the wait for it; afterwards nothing may have come."""
    mark, heard = ground.daemon.mark(), len(wire.heard)
    runner.over = lambda: ground.daemon.find("refused", since=mark) if ground.suite.terse else len(wire.heard) > heard
    return mark


def nothing_more(ground, runner):
    ground.daemon.control("status")
    runner.over = lambda: False
    return runner.silent()


@pytest.mark.req("RFC4535-5.2.1.3-01", "RFC4535-5.2.1-06", "RFC4535-5.2-03", "RFC4535-7.9.1-01")
@pytest.mark.parametrize("name", ERRORS)
def test_reason_in_a_request_to_join_error(ground, name):
    entry, who = misbehave.find(name), forger.fresh_name(ground)
    runner, wire = request(ground, who, credentials=forger.of_candidate(ground, entry, who))
    mark = silence(ground, runner, wire)
    misbehave.run(entry, runner, PATIENCE, over=runner.over)
    event = ground.daemon.wait("refused", since=mark)
    assert nothing_more(ground, runner)
    assert event["notify"] == ERRORS[name]
    assert wire.heard == ([] if ground.suite.terse else [(reg.X_RTJ_ERR, [ERRORS[name]])])


@pytest.mark.req("RFC4535-5.2.1.1-18", "RFC4535-5.2.1.1-10")
def test_prohibited_by_group_policy(ground):
    runner, wire = request(ground, mechanisms=[MechanismChoice(mechanism=0, value=49154)])
    mark = silence(ground, runner, wire)
    assert not runner.join()
    assert ground.daemon.wait("refused", since=mark) and nothing_more(ground, runner)
    assert wire.said(reg.X_RTJ_ERR) == ([] if ground.suite.terse else [reg.N_GROUP_POLICY])


@pytest.mark.req("RFC4535-5.3.2.1-02")
def test_prohibited_by_local_policy(ground):
    who = forger.fresh_name(ground)
    first, _ = request(ground, who)
    mark = ground.daemon.mark()
    assert first.join()
    ground.daemon.wait("member-active", since=mark)
    ground.daemon.control("evict", f"CN={who}")
    runner, wire = request(ground, who)
    mark = silence(ground, runner, wire)
    assert not runner.join()
    assert ground.daemon.wait("refused", since=mark) and nothing_more(ground, runner)
    assert wire.said(reg.X_RTJ_ERR) == ([] if ground.suite.terse else [reg.N_LOCAL_POLICY])


@pytest.mark.req("RFC4535-5.3.2.3.2-15", "RFC4535-5.3.2.3.1-16")
def test_departure_accepted_and_refused(ground):
    runner, wire = request(ground)
    mark = ground.daemon.mark()
    assert runner.join()
    ground.daemon.wait("member-active", since=mark)
    entry = misbehave.find("rtd-other-server").arm(runner.member)
    wrong = silence(ground, runner, wire)
    assert not runner.leave()
    assert ground.daemon.wait("refused", since=wrong) and nothing_more(ground, runner)
    assert wire.said(reg.X_DR) == ([] if ground.suite.terse else [reg.N_DEPART_ERROR])
    assert runner.member.state == ("leaving" if ground.suite.terse else "member")
    del wire.heard[:]
    entry.hooks = type(entry.hooks)()
    assert runner.leave()
    assert wire.said(reg.X_DR) == [reg.N_DEPARTED]
    ground.daemon.wait("member-left", since=mark)


@pytest.mark.req("RFC4535-5.2.1.5-01", "RFC4535-5.2.1.5-03", "RFC4535-5.2.1.5-04", "RFC4535-5.2.1.4-17", "RFC4535-5.2-02",
                 "RFC4535-5.2-03")
def test_lack_of_ack(ground):
    """Verbose Mode warns him whose acknowledgement did not come; he sends it again."""
    runner, wire = request(ground)
    misbehave.find("ack-sig-bad").arm(runner.member)
    mark = ground.daemon.mark()
    assert runner.join()
    ground.daemon.wait("refused", since=mark)
    runner.member.hooks = type(runner.member.hooks)()
    runner.run(PATIENCE, lambda: ground.suite.terse or wire.said(reg.X_LOA))
    assert wire.said(reg.X_LOA) == ([] if ground.suite.terse else [reg.N_NACK])
    if not ground.suite.terse:
        loa, keydl = wire.last[reg.X_LOA], wire.last[reg.X_KEYDL]
        assert bytes(loa.one(Identification).data) == runner.member.me.data and loa.one(message.Signature)
        assert loa.nonce(2) == keydl.nonce(2) and loa.nonce(3) == keydl.nonce(3)


# -------------------------------------------------------------------- gsakmp-gm

@pytest.fixture(scope="module", params=(False, True), ids=("verbose", "terse"))
def served(request, tmp_path_factory, net_prefix):
    with Ground(tmp_path_factory.mktemp("ground"), f"{net_prefix}o{int(request.param)}", terse=request.param) as g, \
            serving(g.key_server(timeout=3600)) as g.server:
        g.wire = Wire(g.server.server)
        yield g


@pytest.fixture
def gm(served):
    """Ready to join, and nobody wrong about it."""
    del served.wire.heard[:]
    daemon = served.gm(forger.fresh_name(served), behaviour=getattr(served, "behaviour", ""))
    yield daemon
    daemon.finish()
    served.server.arm(None)
    served.server.forget()


@pytest.mark.req("RFC4535-5.2.1.4-01", "RFC4535-5.2.1.4-02", "RFC4535-5.2-05")
@pytest.mark.parametrize("name", FAILURES)
def test_reason_in_a_failure(served, gm, name):
    entry = misbehave.find(name)
    served.server.arm(entry, forger.of_forger(served, entry, "keys"))
    mark = gm.mark()
    gm.control("join")
    assert gm.wait("refused", since=mark)["notify"] == FAILURES[name]
    assert served.server.until(lambda _: served.wire.said(reg.X_ACK))
    # The policy's mode counts, once it is known: RFC4535-5.2-08.
    assert served.wire.said(reg.X_ACK) == [reg.N_NACK if served.suite.terse else FAILURES[name]]


@pytest.mark.req("RFC4535-5.3.2.3.3-02", "RFC4535-5.3.2.3.2-20")
def test_departure_and_its_failure(served, gm):
    gm.control("join")
    gm.wait("joined")
    assert served.server.until(lambda _: served.wire.said(reg.X_ACK) == [reg.N_ACK])
    served.server.arm(misbehave.find("dr-notify"))
    gm.control("leave")
    assert served.server.until(lambda _: served.wire.said(reg.X_DA))
    assert served.wire.said(reg.X_RTD) == [reg.N_LEAVE]
    assert served.wire.said(reg.X_DA) == [reg.N_NACK if served.suite.terse else reg.N_MALFORMED]
    assert not gm.find("left")
    served.server.arm(None)
    mark = gm.mark()
    gm.control("leave")
    gm.wait("left", since=mark)
    assert served.server.until(lambda _: served.wire.said(reg.X_DA)[1:] == [reg.N_ACK])


@pytest.mark.parametrize("address, said", (("192.0.2.7", reg.N_IPV4), ("2001:db8::7", reg.N_IPV6)))
@pytest.mark.req("RFC4535-5.2.1.1-05", "RFC4535-5.2.2-02", "RFC4535-5.2.2-10", "RFC4535-7.9.1.2-01", "RFC4535-7.9.1.4-01")
def test_what_a_request_may_say_besides(tmp_path, net_prefix, address, said):
    """The cookie that was asked for, the mechanisms that are wanted, the address that is one's own."""
    with Ground(tmp_path, net_prefix) as g, serving(g.key_server(cookies=True)) as server:
        wire = Wire(server.server)
        gm = g.gm("gm0", behaviour=f'offer-mechanisms="yes" ip-value="{address}"')
        gm.control("join")
        gm.wait("joined")
        assert wire.said(reg.X_RTJ).count(reg.N_COOKIE) == 1
        assert {reg.N_MECHANISMS, said} <= set(wire.said(reg.X_RTJ))
        gm.finish()


@pytest.mark.req("RFC4535-5.2.2-02")
def test_cookie_required(tmp_path, net_prefix):
    with Ground(tmp_path, net_prefix) as g:
        keys = g.gcks(cookies="always")
        runner, wire = request(g, "gm0")
        assert runner.join()
        assert wire.said(reg.X_COOKIE) == [reg.N_COOKIE_REQUIRED]
        keys.finish()


@pytest.mark.parametrize("grace, taken", (("60s", True), ("100ms", False)))
@pytest.mark.req("RFC4535-5.2.1.3-08", "RFC4535-5.2.1.3-07")
def test_a_key_download_behind_an_error(tmp_path, net_prefix, grace, taken):
    """For as long as is configured, a Request to Join Error, which anybody can send, does not keep a Key Download out."""
    with Ground(tmp_path, net_prefix) as g, serving(g.key_server()) as server:
        send, held = server.runner.send, []

        def error_first(answers):
            held.extend(a for a in answers if a.exchange == reg.X_KEYDL)
            k = server.server
            send([replace(a, exchange=reg.X_RTJ_ERR, octets=k.build(
                reg.X_RTJ_ERR, [Nonce(nonce_type=reg.NONCE_I, data=next(iter(k.seen))),
                                Notification(notify=reg.N_UNAUTHORIZED, data=b"")], time.time(), signed=False))
                if a.exchange == reg.X_KEYDL else a for a in answers])
        server.runner.send = error_first
        gm = g.gm(behaviour=f'error-grace="{grace}"')
        gm.control("join")
        gm.wait("message", exchange="Request to Join Error")
        if not taken:
            assert "refused" in gm.wait("left")["reason"]
        server.runner.send = send
        server.send(held)
        if taken:
            gm.wait("joined")
        else:
            gm.wait("refused", req="RFC4535-7.1.2-07")
        assert bool(gm.find("joined")) == taken
        gm.finish()
