# SPDX-License-Identifier: BSD-2-Clause
"""The daemons and the Python peers in groups of every shape: transports, GroupID types,
cookies, split and minimal rekeys, messages inside messages of a later version."""
import contextlib
import socket
import time
from random import Random

import pytest

from lab.process import PATIENCE
from msec_scapy import flows, keyserver, message
from msec_scapy import registry as reg
from msec_scapy.dialect import Dialect
from msec_scapy.gsakmp import RekeyEvent
from msec_scapy.testing.ground import PORT, REKEY_PORT, serving


def grounds(**names):
    return pytest.mark.parametrize("ground", list(names.values()), indirect=True, ids=list(names))


def faults(reports):
    return [f"{r.exchange}: {f}" for r in reports for f in r.faults]


def settled(runners, seconds=PATIENCE):
    """Do all members hold the newest traffic key of any of them?"""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        newest = max(r.member.ring.gtpk[b"GTPK"].created for r in runners)
        if all(r.member.ring.gtpk[b"GTPK"].created == newest for r in runners):
            return True
        for r in runners:
            r.run(0.05)
    return False


def rekeys(ground):
    return [m for m in (message.parse(c.octets, ground.dialect) for c in flows.messages(
        ground.dir / "capture.pcapng", (PORT, REKEY_PORT))) if m.exchange == reg.X_REKEY]


# ------------------------------------------------------------------ gsakmp-gcks

@grounds(udp={}, tcp={})
@pytest.mark.req("RFC4535-9.1-01", "RFC4534-B.1.4-01")
def test_transports(ground, request):
    transport = request.node.callspec.id
    server = ground.record().gcks(ground.make_token(transport=transport))
    runner = ground.member(transport=transport)
    assert runner.join() and runner.leave(), runner.member.refusals
    server.finish()
    reports = ground.examine()
    assert {r.captured.transport for r in reports if r.exchange != "Rekey-Event"} == {transport}
    assert faults(reports) == []


@grounds(udp={"ip": 6}, tcp={"ip": 6})
def test_ipv6(ground, request):
    transport = request.node.callspec.id
    server = ground.record().gcks(ground.make_token(transport=transport))
    runners = [ground.member(f"gm{n}", h, transport) for n, h in enumerate(("gm", "other"))]
    assert all(r.join() for r in runners), [r.member.refusals for r in runners]
    assert settled(runners)
    server.finish()
    reports = ground.examine()
    assert all(":" in r.captured.src for r in reports) and faults(reports) == []


@grounds(utf8={"group_type": 1, "group_id": b"0123456789abcdefgruppe-\xc3\xa4"},
         octets={"group_type": 2, "group_id": bytes(range(30))},
         ipv4={"group_type": 3, "group_id": bytes(range(8)) + b"\xef\x09\x01\x01"},
         ipv6={"group_type": 4, "group_id": bytes(range(8)) + b"\xff\x15" + bytes(13) + b"\1"})
@pytest.mark.req("RFC4535-7.1.1-02", "RFC4535-7.1.1-03", "RFC4535-7.1.1.1.1-01",
                 "RFC4535-7.1.1.1.2-01", "RFC4535-7.1.1.1.3-01", "RFC4535-7.1.1.1.4-01")
def test_group_id_types(ground):
    server = ground.gcks()
    runner = ground.member()
    assert runner.join(), runner.member.refusals
    server.finish()


@pytest.mark.req("RFC4535-5.2.2-02", "RFC4535-5.2.2-03", "RFC4535-5.2.2-05", "RFC4535-5.2.2-06",
                 "RFC4535-5.2.2-07")
def test_cookies_of_the_key_server(ground):
    server = ground.record().gcks(cookies="always")
    runner = ground.member()
    assert runner.join() and runner.member.cookies == 1
    server.finish()
    reports = ground.examine()
    assert [r.exchange for r in reports][:5] == ["RTJ", "Cookie-Download", "RTJ", "KeyDL",
                                                 "KeyDL-A/F"]
    assert faults(reports) == []


@pytest.mark.req("RFC4535-7.5.1-01", "RFC4535-7.1.1-12")
def test_large_rekey_in_several_messages(ground):
    server = ground.record().gcks(rekey='<rekey message-max="700" certificates="no" degree="8"/>')
    runners = [ground.member(f"gm{n}") for n in range(8)]
    assert all(r.join() for r in runners) and settled(runners)
    last = max(runners[0].member.sequences.values())
    out = runners.pop()
    server.control("evict", "CN=gm7,O=MSEC Lab")
    assert runners[0].run(PATIENCE, lambda: max(runners[0].member.sequences.values()) >= last + 2)
    assert settled(runners)
    assert out.member.ring.gtpk != runners[0].member.ring.gtpk
    server.finish()
    assert faults(ground.examine()) == []
    numbers = [m.packet.sequence for m in rekeys(ground)]
    assert sorted(set(numbers)) == list(range(1, max(numbers) + 1))
    assert not [r for x in runners for r in x.member.refusals if r.req != "RFC4535-7.1.2-07"]


@pytest.mark.req("RFC4535-A.3.2-02", "RFC4535-A.2-03")
@pytest.mark.parametrize("degree", (2, 3))
def test_minimal_rekeys_reach_everybody(ground, degree):
    """Each new key wrapped once per child: more than one pass may be needed."""
    server = ground.record().gcks(rekey=f'<rekey minimal="yes" degree="{degree}"/>')
    runners = [ground.member(f"gm{n}") for n in range(6)]
    assert all(r.join() for r in runners) and settled(runners)
    out = runners.pop(2)
    server.control("evict", "CN=gm2,O=MSEC Lab")
    end = time.monotonic() + PATIENCE
    old = out.member.ring.gtpk
    while time.monotonic() < end and any(r.member.ring.gtpk == old for r in runners):
        for r in [*runners, out]:
            r.run(0.05)
    assert settled(runners)
    assert runners[0].member.ring.gtpk != out.member.ring.gtpk
    server.finish()
    assert faults(ground.examine()) == []


# -------------------------------------------------------------------- gsakmp-gm

@pytest.mark.req("RFC4535-5.2.2-04", "RFC4535-5.2.2-11", "RFC4535-7.9.1.2-02")
def test_cookies_of_the_member(ground):
    ground.record()
    with serving(ground.key_server(cookies=True)):
        gm = ground.gm()
        gm.control("join")
        gm.wait("joined")
        gm.finish()
    assert [r.exchange for r in ground.examine()][:4] == ["RTJ", "Cookie-Download", "RTJ", "KeyDL"]


@grounds(payload={}, total={"dialect": Dialect(rekey_counts="total")})
@pytest.mark.req("RFC4535-7.5.1-02", "RFC4535-7.5.2-08")
def test_rekey_over_several_payloads(ground):
    """One message, the data for the members in two Rekey Event payloads."""
    def split(packet, peer):
        one = packet.find(RekeyEvent)
        rest = one.payload
        one.remove_payload()
        two = one.copy()
        one.datas, two.datas = one.datas[:1], one.datas[1:]
        if peer.dialect.rekey_counts == "total":
            one.count = two.count = len(one.datas) + len(two.datas)
        one.add_payload(two)
        two.add_payload(rest)
    with serving(ground.key_server(depth=1)) as server:  # each leaf wraps the traffic key
        gms = [ground.gm(f"gm{n}", h) for n, h in enumerate(("gm", "other"))]
        for n, gm in enumerate(gms):
            gm.control("join")
            gm.wait("joined")
            assert server.until(lambda k: sum(m.acknowledged for m in k.members.values()) > n)
        gms[0].wait("rekeyed")
        server.server.hooks.on_packet(reg.X_REKEY, split)
        marks = [gm.mark() for gm in gms]
        server.renew()
        for gm, mark in zip(gms, marks):
            gm.wait("key-install", since=mark)
            gm.finish()
            assert not gm.find("refused")


@grounds(ipv6={"ip": 6})
def test_member_over_ipv6(ground):
    with serving(ground.key_server()) as server:
        gm = ground.admitted(server)
        mark = gm.mark()
        server.renew()
        gm.wait("rekeyed", since=mark)
        gm.control("leave")
        gm.wait("left")
        gm.finish()


@grounds(tcp={})
def test_member_over_tcp(ground):
    with serving(ground.key_server(signed=ground.make_token(transport="tcp"))) as server:
        gm = ground.gm(transport="tcp")
        gm.control("join")
        gm.wait("joined")
        gm.control("leave")
        gm.wait("left")
        assert server.until(lambda k: not k.members)
        gm.finish()


@pytest.mark.req("RFC4535-7.1.2-12", "RFC4535-7.1.2-13", "RFC4535-7.1.2-14", "RFC4535-7.1.2-04")
def test_version_one_inside_version_two(ground):
    """A Rekey Event of a later version with ours inside; then one with nothing inside."""
    def embed(inner, _peer):
        _, gid_end, _ = message.frame(inner)
        tail = b"\0\0\0\x08next"
        return (inner[:gid_end] + bytes([reg.P_VENDOR, 2, reg.X_REKEY]) + bytes(4)
                + (gid_end + 11 + len(inner) + len(tail)).to_bytes(4, "big") + inner + tail)

    def hollow(inner, peer):
        outer = embed(inner, peer)
        head = message.frame(outer)[0]
        return outer[:head] + bytes(len(inner)) + outer[head + len(inner):]
    with serving(ground.key_server()) as server:
        gm = ground.admitted(server)
        mark = gm.mark()
        server.server.hooks.on_octets(reg.X_REKEY, embed)
        server.renew()
        gm.wait("rekeyed", since=mark)
        gm.wait("key-install", since=mark)
        mark = gm.mark()
        server.server.hooks.on_octets(reg.X_REKEY, hollow)
        server.renew()
        gm.wait("refused", since=mark, where=lambda e: e["req"] in (
            "RFC4535-7.1.2-04", "RFC4535-7.1.2-14"))
        assert not gm.find("rekeyed", since=mark)
        gm.finish()


# --------------------------------------------------------------------- both

def mutations(octets, seed, count):
    """Real datagrams with a few octets changed, cut, doubled or inserted."""
    random = Random(seed)
    for _ in range(count):
        out = bytearray(octets)
        for _ in range(random.randint(1, 4)):
            at = random.randrange(len(out))
            kind = random.randrange(4)
            if kind == 0:
                out[at] = random.randrange(256)
            elif kind == 1:
                del out[at:at + random.randint(1, 40)]
            elif kind == 2:
                out[at:at] = random.randbytes(random.randint(1, 40))
            else:
                out += out[at:at + 60]
            if not out:
                out = bytearray(b"\0")
        yield bytes(out)


def everything_read(server, evil, already, sent):
    """Wait until the key server has gone through all that `evil` sent: `sent` datagrams, or a stream, which it closes then."""
    if evil.stream is not None:
        with contextlib.suppress(OSError):
            evil.stream.shutdown(socket.SHUT_WR)
            while evil.stream.recv(65536):
                pass
        evil._close_stream()
    end, quiet = time.monotonic() + PATIENCE, 0
    while sent and quiet < 2:
        status = server.control("status")
        done = datagrams(status) - already >= sent and not status["queue"]["waiting"]
        quiet = quiet + 1 if done else 0
        assert time.monotonic() < end, status["listen"]


def datagrams(status):
    return sum(at["received"] for at in status["listen"] if at["transport"] == "udp")


@pytest.mark.parametrize("transport", ("udp", "tcp"))
def test_mutated_requests_change_nothing(ground, transport):
    """Two thousand damaged requests and acknowledgements; then somebody joins as if nothing was."""
    server = ground.gcks(ground.make_token(transport=transport))
    evil = ground.member("gm9", "evil", transport, rekeys=False)
    assert evil.join()
    server.wait("member-active")
    server.control("rekey")  # nothing of the join is pending after that
    status = server.control("status")
    before, already, sent = status["groups"][0], datagrams(status), 0
    for number, octets in enumerate((evil.member.rtj, evil.member.last_ack)):
        for bad in mutations(octets, number, 1000 if transport == "udp" else 60):
            try:
                evil.send(bad)
            except (ConnectionError, OSError):
                evil._close_stream()
            sent += transport == "udp"
            if sent % 100 == 99:  # no more than a socket holds
                everything_read(server, evil, already, sent)
    everything_read(server, evil, already, sent)
    after = server.control("status")["groups"][0]
    for key in ("members", "sequence"):
        assert after[key] == before[key]
    assert ground.member("gm1", transport=transport).join()
    server.finish()


def test_mutated_rekeys_change_nothing(ground):
    with serving(ground.key_server()) as server:
        gm = ground.admitted(server)
        mark = gm.mark()
        good = server.server.renew(time.time())
        server.send([keyserver.Answer(None, bad) for bad in mutations(good[0].octets, 3, 1000)])
        gm.wait("refused", since=mark)
        server.send(good)
        gm.wait("rekeyed", since=mark)
        assert len(gm.find("rekeyed", since=mark)) == 1
        assert len(gm.find("key-install", since=mark)) == 1
        gm.finish()
