# SPDX-License-Identifier: BSD-2-Clause
"""The exchanges of section 5 between the daemons and the Python peers: what each message
carries, impostors at every step, freshness by time, and what a failure leaves behind."""
import time

import pytest

from lab.process import PATIENCE
from msec_scapy import flows, message, misbehave, party
from msec_scapy import registry as reg
from msec_scapy.gsakmp import Certificate, Identification, Notification, RekeyEvent
from msec_scapy.testing.ground import PORT, REKEY_PORT, serving
from msec_scapy.wrong import change

STALE = -3600


TIME = pytest.mark.parametrize("ground", [{"timestamp": True}], indirect=True, ids=["time"])
VERBOSE = pytest.mark.parametrize("ground", [{"terse": False}], indirect=True, ids=["verbose"])
BOTH = pytest.mark.parametrize("ground", [{"timestamp": False}, {"timestamp": True}],
                               indirect=True, ids=["nonces", "time"])


def captured(ground):
    """Messages by exchange type, in order."""
    ground.recording.stop()
    out = {}
    for c in flows.messages(ground.dir / "capture.pcapng", (PORT, REKEY_PORT)):
        m = message.parse(c.octets, ground.dialect)
        out.setdefault(m.exchange, []).append(m)
    return out


def refused(daemon, *rows, since=0):
    rows = ["RFC4535-" + r for r in rows]
    return daemon.wait("refused", since=since, where=lambda e: e["req"] in rows)


def impostor(ground, name):
    """The same name and another key, from authorities with the same names."""
    p = ground.pki.wrong_root(name)
    return party.Credentials.from_files(p.key, p.chain)


# ------------------------------------------------------------------ gsakmp-gcks

@BOTH
@pytest.mark.req(
    "RFC4535-5.2.1-09", "RFC4535-5.2.1.1-16", "RFC4535-5.2.1.2-04", "RFC4535-5.2.1.2-03",
    "RFC4535-5.2.1.2-05", "RFC4535-5.2.1.4-06", "RFC4535-5.3.2.3.1-13", "RFC4535-5.3.2.3.2-02",
    "RFC4535-5.3.2.3.2-03", "RFC4535-5.3.2.3.2-04", "RFC4535-5.3.2.3.2-05", "RFC4535-7.1.1-11",
    "RFC4535-7.1.1-12", "RFC4535-7.1.1-10", "RFC4535-5.3.2.3.3-14", "RFC4535-7.7.2-06",
    "RFC4535-5.2.1.4-11", "RFC4535-5.3.2.3.3-05", "RFC4535-5.3.2.3.3-08", "RFC4535-5.3.2.3.3-10")
def test_what_a_key_server_sends(ground):
    server = ground.record().gcks()
    gms = [ground.member(f"gm{n}", h) for n, h in enumerate(("gm", "other"))]
    assert all(r.join() for r in gms)
    assert gms[0].leave()
    server.wait("member-left")
    assert gms[1].run(PATIENCE, lambda: len(gms[1].member.sequences) and max(
        gms[1].member.sequences.values()) >= 2)
    server.finish()
    sent = captured(ground)
    timed = ground.suite.timestamp
    for exchange in (reg.X_KEYDL, reg.X_DR):
        for m in sent[exchange]:
            who = m.one(Identification)
            assert bytes(who.data) in (b"CN=gm0,O=MSEC Lab", b"CN=gm1,O=MSEC Lab")
            assert (m.nonce(2) is None) is timed and (m.nonce(3) is None) is timed
            assert not any(der == ground.pki.root.der for der in m.certificates())
    assert bytes(sent[reg.X_KEYDL][0].one(Identification).data) == gms[0].member.me.data
    assert sent[reg.X_DR][0].notify().notify == reg.N_DEPARTED
    numbers = [m.packet.sequence for m in sent[reg.X_REKEY]]
    assert sorted(set(numbers)) == list(range(1, max(numbers) + 1))


@pytest.mark.req("RFC4535-7.7.1-04")
def test_acknowledgement_without_certificates(ground):
    server = ground.gcks()
    runner = ground.member()
    runner.member.hooks.on_packet(reg.X_ACK, change.remove(Certificate))
    assert runner.join()
    server.wait("member-active")
    server.finish()


@pytest.mark.parametrize("exchange,event", [
    pytest.param(reg.X_ACK, "member-active", id="A/F", marks=pytest.mark.refuses(
        "RFC4535-5.2.1.4-13", "RFC4535-5.2.1.4-12")),
    pytest.param(reg.X_RTD, "member-left", id="RTD", marks=pytest.mark.refuses(
        "RFC4535-5.3.2.3.1-12")),
    pytest.param(reg.X_DA, "member-left", id="DA", marks=pytest.mark.refuses(
        "RFC4535-5.3.2.3.3-12", "RFC4535-5.3.2.3.3-11"))])
def test_impostors_before_the_key_server(ground, exchange, event):
    server = ground.gcks()
    runner = ground.member()
    gm, good = runner.member, runner.member.credentials

    def swap(_packet, peer):
        peer.credentials = impostor(ground, "gm0")
    def bring(packet, peer):
        swap(packet, peer)
        while packet.find(Certificate):
            change.remove(Certificate)(packet, peer)
        for cert in (peer.credentials.cert, *peer.credentials.chain):
            change.append(Certificate(data=cert.der))(packet, peer)
    gm.hooks.on_packet(exchange, bring)
    mark = server.mark()
    assert runner.join()
    if exchange != reg.X_ACK:
        server.wait("member-active")
        runner.tries, runner.timeout, runner.over = 1, PATIENCE, lambda: server.find("refused", since=mark)
        runner.leave()
    refused(server, "7.8.2-07", "7.8.2-06", "5.2.1.4-13", "5.3.2.3.1-12", "5.3.2.3.3-12",
            since=mark)
    assert not server.find(event, since=mark)
    assert good is not gm.credentials
    server.finish()


@TIME
@pytest.mark.parametrize("exchange,event", [
    pytest.param(reg.X_ACK, "member-active", id="A/F", marks=pytest.mark.refuses(
        "RFC4535-5.2.1.4-11")),
    pytest.param(reg.X_RTD, "member-left", id="RTD"),
    pytest.param(reg.X_DA, "member-left", id="DA", marks=pytest.mark.refuses(
        "RFC4535-5.3.2.3.3-10"))])
def test_stale_messages_to_the_key_server(ground, exchange, event):
    server = ground.gcks()
    runner = ground.member()
    runner.member.hooks.on_packet(exchange, change.date(message.Signature, STALE))
    assert runner.join()
    if exchange != reg.X_ACK:
        runner.tries, runner.timeout, runner.over = 1, PATIENCE, lambda: server.find("refused")
        runner.leave()
    refused(server, "5.2.1.4-11", "5.3.2.3.3-10", "7.8.2-04", "5.2.1.4-09", "5.3.2.3.3-08")
    assert not server.find(event)
    server.finish()


@pytest.mark.parametrize("ground,name", [
    pytest.param({"terse": True}, "rtj-sig-bad", marks=pytest.mark.req(
        "RFC4535-5.2.1.1-22", "RFC4535-5.2.1.1-23", "RFC4535-5.2.1.1-13")),
    pytest.param({"terse": False}, "rtj-sig-bad", marks=pytest.mark.req(
        "RFC4535-5.2.1.3-04", "RFC4535-5.2.1.3-05", "RFC4535-5.2-06"))],
    indirect=["ground"], ids=("terse", "verbose"))
def test_a_refused_request_leaves_nothing(ground, name):
    """The same candidate, an instant later and well behaved, is a member."""
    server = ground.gcks()
    terse, runner = ground.suite.terse, ground.member(rekeys=False)
    result = misbehave.run(misbehave.find(name), runner, PATIENCE, over=lambda: terse and server.find("refused"))
    assert result["refused"] and result["answers"] == ([] if ground.suite.terse else ["RTJ-Err"])
    assert ground.member(host="other").join()
    server.wait("member-active")
    assert runner.silent()
    server.finish()


@pytest.mark.req("RFC4535-4.4.7-09")
@pytest.mark.refuses("RFC4535-4.4.7-09")
@pytest.mark.parametrize("barred", (0, 1))
def test_a_member_that_is_no_key_server_expels_nobody(ground, barred):
    """A Request to Depart of a good member, which says of another one that it is out."""
    server = ground.gcks()
    victim, runner = ground.member("gm1", "other", rekeys=False), ground.member("gm0")
    assert victim.join() and runner.join()
    server.wait("member-active", where=lambda e: "gm0" in e["peer"])
    other = victim.member.me
    runner.member.hooks.on_packet(reg.X_RTD, change.put(
        Notification, notify=reg.N_EXPULSION, data=bytes([barred, other.kind]) + other.data))
    mark, number = server.mark(), server.control("status")["groups"][0]["sequence"]
    runner.tries, runner.timeout, runner.over = 1, PATIENCE, lambda: server.find("refused", since=mark)
    runner.leave()
    refused(server, "4.4.7-09", since=mark)
    assert not server.find("expelled") and server.control("status")["groups"][0]["sequence"] == number
    assert len(server.control("members")) == 2
    server.finish()


@pytest.mark.req("RFC4535-5.3.2.3.1-14", "RFC4535-5.3.2.3.1-15")
def test_a_refused_departure_leaves_nothing(ground):
    server = ground.gcks()
    runner = ground.member()
    assert runner.join()
    misbehave.find("rtd-sig-bad").arm(runner.member)
    runner.tries, runner.timeout, runner.over = 1, PATIENCE, lambda: server.find("refused")
    assert not runner.leave() and server.find("refused")
    runner.member.hooks, runner.over = party.Hooks(), lambda: False
    assert runner.leave()
    server.wait("member-left")
    server.finish()


# -------------------------------------------------------------------- gsakmp-gm

@BOTH
@pytest.mark.req(
    "RFC4535-5.2.1.1-04", "RFC4535-5.2.1.1-05", "RFC4535-5.2.1.1-07", "RFC4535-5.2.1.1-08",
    "RFC4535-5.2.1.2-07", "RFC4535-5.2.1.4-02", "RFC4535-5.2.1.4-03", "RFC4535-5.3.2.3.1-02",
    "RFC4535-5.3.2.3.1-03", "RFC4535-5.3.2.3.1-04", "RFC4535-5.3.2.3.1-05",
    "RFC4535-5.3.2.3.2-07", "RFC4535-5.3.2.3.2-16", "RFC4535-5.3.2.3.3-02",
    "RFC4535-5.3.2.3.3-03", "RFC4535-5.3.2.3.3-04", "RFC4535-5.3.2.3.2-06",
    "RFC4535-5.2.1.2-12", "RFC4535-5.3.2.3.2-12")
def test_what_a_member_sends(ground):
    ground.record()
    with serving(ground.key_server()) as server:
        gm = ground.admitted(server)
        gm.control("leave")
        gm.wait("left")
        assert server.until(lambda k: not k.members)
        gm.finish()
    sent, timed = captured(ground), ground.suite.timestamp
    assert sent[reg.X_RTJ][0].nonce(1) is not None
    assert (sent[reg.X_RTD][0].nonce(1) is None) is timed
    assert sent[reg.X_RTD][0].notify().notify == reg.N_LEAVE
    assert bytes(sent[reg.X_RTD][0].one(Identification).data) == b"CN=keys,O=MSEC Lab"
    for exchange, answered in ((reg.X_ACK, reg.X_KEYDL), (reg.X_DA, reg.X_DR)):
        m = sent[exchange][0]
        assert m.notify().notify == reg.N_ACK
        assert m.nonce(3) == sent[answered][0].nonce(3) and (m.nonce(3) is None) is timed


def swap_certificates(credentials):
    """Sign as somebody else of the same name."""
    def changed(packet, peer):
        peer.credentials = credentials
        while packet.find(Certificate):
            change.remove(Certificate)(packet, peer)
        for cert in (credentials.cert, *credentials.chain):
            change.append(Certificate(data=cert.der))(packet, peer)
    return changed


def lack_of_ack(server):
    server.do(lambda k: [k.lack_of_ack(k.concluded[n], time.time()) for n in k.members])


@pytest.mark.parametrize("exchange", [
    pytest.param(reg.X_KEYDL, id="KeyDL", marks=pytest.mark.refuses("RFC4535-5.2.1.2-14")),
    pytest.param(reg.X_REKEY, id="Rekey", marks=pytest.mark.refuses("RFC4535-7.8.2-07")),
    pytest.param(reg.X_DR, id="DR", marks=pytest.mark.refuses("RFC4535-5.3.2.3.2-14")),
    pytest.param(reg.X_LOA, id="LOA", marks=pytest.mark.refuses("RFC4535-5.2.1.5-13"))])
def test_impostors_before_the_member(ground, exchange):
    with serving(ground.key_server()) as server:
        fake = swap_certificates(impostor(ground, "keys"))
        if exchange == reg.X_KEYDL:
            server.server.hooks.on_packet(exchange, fake)
            gm = ground.gm()
            gm.control("join")
        else:
            gm = ground.admitted(server)
            server.server.hooks.on_packet(exchange, fake)
            {reg.X_REKEY: server.renew, reg.X_DR: lambda: gm.control("leave"),
             reg.X_LOA: lambda: lack_of_ack(server)}[exchange]()
        refused(gm, "7.8.2-07", "7.8.2-06", "5.2.1.2-14", "5.3.2.3.2-14", "5.2.1.5-13")
        assert not gm.find("rekeyed") and not gm.find("left", where=lambda e: "req" not in e)
        gm.finish()


@TIME
@pytest.mark.parametrize("exchange", [
    pytest.param(reg.X_KEYDL, id="KeyDL", marks=pytest.mark.refuses("RFC4535-5.2.1.2-12")),
    pytest.param(reg.X_DR, id="DR", marks=pytest.mark.refuses("RFC4535-5.3.2.3.2-12")),
    pytest.param(reg.X_LOA, id="LOA", marks=pytest.mark.refuses("RFC4535-5.2.1.5-10"))])
def test_stale_messages_to_the_member(ground, exchange):
    with serving(ground.key_server()) as server:
        stale = change.date(message.Signature, STALE)
        if exchange == reg.X_KEYDL:
            server.server.hooks.on_packet(exchange, stale)
            gm = ground.gm()
            gm.control("join")
        else:
            gm = ground.admitted(server)
            server.server.hooks.on_packet(exchange, stale)
            if exchange == reg.X_DR:
                gm.control("leave")
            else:
                lack_of_ack(server)
        refused(gm, "5.2.1.2-12", "5.3.2.3.2-12", "5.2.1.5-10", "7.8.2-04")
        gm.finish()


@TIME
@pytest.mark.parametrize("skew, near, far", [("", -200, -400), ("1min", -20, -100), ("30min", -1200, -2000)],
                         ids=["5min-by-default", "1min", "30min"])
@pytest.mark.req("RFC4535-3.1-02")
@pytest.mark.refuses("RFC4535-3.1-02")
def test_how_far_clocks_may_be_apart(ground, skew, near, far):
    """The key server that is told so, and the member."""
    server = ground.gcks(errors=f'<freshness skew="{skew}"/>' if skew else "")
    for name, by in (("gm0", near), ("gm1", far)):
        runner = ground.member(name, rekeys=False)
        runner.member.hooks.on_packet(reg.X_RTJ, change.date(message.Signature, by))
        runner.tries, runner.timeout, runner.over = 1, PATIENCE, lambda: server.find("refused")
        assert bool(runner.join()) == (by == near)
    assert "gm1" in refused(server, "5.2.1.1-17", "7.8.2-04")["peer"]
    server.finish()
    with serving(ground.key_server()) as server:
        for by in (far, near):
            server.server.hooks.on_packet(reg.X_KEYDL, change.date(message.Signature, by))
            gm = ground.gm(f"gm{-by}", behaviour=f'skew="{skew}"' if skew else "")
            gm.control("join")
            if by == near:
                gm.wait("joined")
                assert not gm.find("refused")
            else:
                refused(gm, "5.2.1.2-12", "7.8.2-04")
                assert not gm.find("joined")
            gm.finish()


@VERBOSE
@pytest.mark.refuses("RFC4535-5.2.1.5-11")
def test_lack_of_ack_from_somebody_else(ground):
    """A certificate of the group's authority, but not one that the token names."""
    with serving(ground.key_server()) as server:
        gm = ground.admitted(server)
        rogue = ground.credentials("rogue")

        def changed(packet, peer):
            packet.find(message.Signature).signer_id = b"CN=rogue,O=MSEC Lab"
            swap_certificates(rogue)(packet, peer)
        server.server.hooks.on_packet(reg.X_LOA, changed)
        lack_of_ack(server)
        refused(gm, "5.2.1.5-11", "5.2.1.2-17", "7.8.1-06")
        gm.finish()


@pytest.mark.parametrize("ground", [{"terse": False}, {"terse": False, "timestamp": True}, {"terse": True}], indirect=True,
                         ids=["nonces", "time", "terse"])
@pytest.mark.req(
    "RFC4535-5.2.1.5-14", "RFC4535-5.2.1.5-07",
    "RFC4535-5.2.1.5-08", "RFC4535-5.2.1.5-09", "RFC4535-5.2.1.5-11", "RFC4535-5.2.1.5-12",
    "RFC4535-5.2.1.5-10", "RFC4535-5.2.1.5-13")
def test_lack_of_ack_makes_a_member_repeat_itself(ground):
    ground.record()
    with serving(ground.key_server()) as server:
        gm = ground.admitted(server)
        mark = gm.mark()
        lack_of_ack(server)
        gm.wait("message", since=mark, direction="out")
        gm.finish()
    sent = captured(ground)
    assert sent[reg.X_LOA][0].nonce(2) == sent[reg.X_KEYDL][0].nonce(2)
    first, second = sent[reg.X_ACK]
    assert first.nonce(3) == second.nonce(3) and second.notify().notify == reg.N_ACK


@pytest.mark.parametrize("ground", [{"terse": True}, {"terse": False}], indirect=True,
                         ids=("terse", "verbose"))
@pytest.mark.req("RFC4535-5.2.1.2-21", "RFC4535-5.2.1.2-22", "RFC4535-5.2.1.2-23")
def test_a_failed_key_download_leaves_nothing(ground):
    with serving(ground.key_server()) as server:
        gm = ground.gm()
        server.arm(misbehave.find("keydl-token-forged"))
        gm.control("join")
        assert server.until(lambda k: k.doomed), "it was reported by a KeyDL-A/F"
        assert not gm.find("joined") and not gm.find("key-install")
        server.arm(None)
        server.forget()
        gm.control("join")
        gm.wait("joined")
        gm.finish()


@pytest.mark.parametrize("name", [
    pytest.param(None, id="error", marks=pytest.mark.req(
        "RFC4535-5.3.2.3.2-15", "RFC4535-5.3.2.3.2-17", "RFC4535-5.3.2.3.2-18")),
    pytest.param("dr-notify", id="failure", marks=pytest.mark.req(
        "RFC4535-5.3.2.3.2-19", "RFC4535-5.3.2.3.2-20"))])
def test_a_failed_departure_can_be_begun_again(ground, name):
    with serving(ground.key_server()) as server:
        gm = ground.admitted(server)
        if name:
            server.arm(misbehave.find(name))
        else:
            server.server.hooks.on_packet(reg.X_DR, change.put(
                Notification, notify=reg.N_DEPART_ERROR))
        seen, mark = len(ground.events), gm.mark()
        gm.control("leave")
        if name:
            assert server.until(lambda k: any(e["event"] == "departure-failed"
                                              for e in ground.events[seen:]))
        else:
            gm.wait(since=mark, where=lambda e: "depart" in e["event"])
        assert not gm.find("left")
        server.arm(None)
        server.do(lambda k: k.sessions.clear())
        gm.control("leave")
        gm.wait("left")
        gm.finish()


@VERBOSE
@pytest.mark.req("RFC4535-5.2-07", "RFC4535-5.2.1.3-06", "RFC4535-5.2.1-05")
def test_rtj_error_is_taken_calmly(ground):
    """The candidate is told that it may not, and lives on."""
    ground.excluded.append("gm0")
    with serving(ground.key_server()):
        gm = ground.gm()
        mark = gm.mark()
        gm.control("join")
        gm.wait("message", since=mark, direction="in",
                exchange="Request to Join Error")
        assert not gm.find("joined") and gm.control("status")
        gm.finish()


@pytest.mark.req("RFC4535-7.5.2-09", "RFC4535-7.5.2-10")
def test_data_wrapped_in_keys_of_others_are_skipped(ground):
    with serving(ground.key_server()) as server:
        gm = ground.admitted(server)

        def other(packet, _peer):
            one, two = packet.find(RekeyEvent).datas[0], packet.find(RekeyEvent).datas[0].copy()
            one.wrap_handle = b"\xff\xff\xff\xff"
            two.wrap_id = b"\xff\xff\xff\xff"
            packet.find(RekeyEvent).datas = [one, two]
        server.server.hooks.on_packet(reg.X_REKEY, other)
        mark = gm.mark()
        server.renew()
        gm.wait("message", since=mark, direction="in", exchange="Rekey Event")
        gm.wait("rekeyed", since=mark)
        assert not gm.find("refused") and not gm.find("key-install", since=mark)
        gm.finish()


@pytest.mark.req("RFC4535-7.1.1-14", "RFC4535-5.3.1.3-02", "RFC4535-5.3.1.3-01")
def test_destruction_ends_it_for_the_member(ground):
    with serving(ground.key_server()) as server:
        gm = ground.admitted(server)
        server.do(lambda k: k.destroy(time.time()))
        gm.wait("key-wipe")
        assert gm.control("status") is not None and gm.running
        gm.finish()
