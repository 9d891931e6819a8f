# SPDX-License-Identifier: BSD-2-Clause
"""The transports of RFC 4534 B.1.4 between real daemons and Python peers: a Request to Join over
UDP and the rest over TCP, opened by either side; what comes another way; hostile TCP peers."""
import contextlib
import dataclasses
import resource
import socket
import struct
import time

import pytest

from lab.process import PATIENCE
from msec_scapy import flows, message
from msec_scapy import registry as reg
from msec_scapy.net import MIXED
from msec_scapy.testing.ground import PORT, REKEY_PORT, serving

XML = "udp-rtj-tcp-other"  # what configurations call it


BOTH_FAMILIES = pytest.mark.parametrize("ground", [{"ip": 4}, {"ip": 6}], indirect=True,
                                        ids=("ipv4", "ipv6"))
OPENERS = pytest.mark.parametrize("opener", ("member", "key-server"))


def refusal(daemon, *reqs, since=0):
    return daemon.wait("refused", since=since, where=lambda e: e.get("req") in reqs)


@BOTH_FAMILIES
@OPENERS
@pytest.mark.req("RFC4534-B.1.4-01")
def test_request_by_udp_and_the_rest_by_tcp(ground, opener):
    """Both daemons and a Python member; everything but Request to Join, Cookie Download and Rekey
    Event goes over TCP, also the last messages of a member."""
    ground.opener = opener
    server = ground.record().gcks(ground.make_token(transport=MIXED), cookies="always")
    gm = ground.gm("gm0", transport=XML)
    gm.control("join")
    gm.wait("joined")
    server.wait("member-active")
    python = ground.member("gm1", "other", MIXED)
    assert python.join(), python.member.refusals
    mark = gm.mark()
    server.control("rekey")
    gm.wait("rekeyed", since=mark)
    assert python.leave()
    gm.control("leave")
    gm.wait("left")
    gm.control("join")
    gm.wait("joined", since=mark)
    gm.finish()
    server.finish()
    assert not [f for r in ground.examine() for f in r.faults]
    pcap, ways = ground.dir / "capture.pcapng", {}
    # A key server that connects does so from any port, to where the request came from.
    members = {c.sport for c in flows.messages(pcap, (PORT,)) if c.transport == "udp"
               and c.dport == PORT} if opener == "key-server" else set()
    for c in flows.messages(pcap, (PORT, REKEY_PORT, *members)):
        ways.setdefault(message.parse(c.octets, ground.dialect).exchange, set()).add(c.transport)
    by_udp = {reg.X_RTJ, reg.X_COOKIE, reg.X_REKEY}
    assert {x: w for x, w in ways.items()} == {
        x: {"udp" if x in by_udp else "tcp"} for x in (*by_udp, reg.X_KEYDL, reg.X_ACK, reg.X_RTD,
                                                       reg.X_DR, reg.X_DA)}


@OPENERS
@pytest.mark.req("RFC4534-B.1.4-01")
def test_gsakmp_gm_before_a_python_key_server(ground, opener):
    ground.opener = opener
    with serving(ground.key_server(signed=ground.make_token(transport=MIXED))) as server:
        gm = ground.admitted(server, "gm0", transport=XML)
        gm.control("leave")
        gm.wait("left")
        gm.finish()


CROSSED = pytest.mark.parametrize("transport, leaving", [("udp", "tcp"), ("tcp", "udp"), (MIXED, "udp")])


def departures(ground):
    """How the messages of departures went: {exchange: {transport}}."""
    assert not [f for r in ground.examine() for f in r.faults]
    ways = {}
    for c in flows.messages(ground.dir / "capture.pcapng", (PORT,)):
        ways.setdefault(message.parse(c.octets, ground.dialect).exchange, set()).add(c.transport)
    return {x: ways[x] for x in (reg.X_RTD, reg.X_DR, reg.X_DA)}


@CROSSED
@pytest.mark.req("RFC4534-B.3-07")
def test_a_departure_has_a_transport_of_its_own(ground, transport, leaving):
    """The whole exchange goes the way that the token has for it, whichever way the member came in."""
    server = ground.record().gcks(ground.make_token(transport=transport, leave_transport=leaving))
    gm = ground.gm("gm0", transport=XML if transport == MIXED else transport)
    python = ground.member("gm1", "other", transport)
    gm.control("join")
    gm.wait("joined")
    assert python.join(), python.member.refusals
    gm.control("leave")
    assert "accepted" in gm.wait("left")["reason"]
    assert python.leave()
    server.wait("member-left", where=lambda e: "gm1" in e["peer"])
    gm.finish()
    server.finish()
    assert departures(ground) == {x: {leaving} for x in (reg.X_RTD, reg.X_DR, reg.X_DA)}


@CROSSED
@pytest.mark.req("RFC4534-B.3-07")
def test_a_departure_from_a_python_key_server(ground, transport, leaving):
    with serving(ground.record().key_server(signed=ground.make_token(
            transport=transport, leave_transport=leaving))) as server:
        gm = ground.admitted(server, "gm0", transport=XML if transport == MIXED else transport)
        gm.control("leave")
        assert "accepted" in gm.wait("left")["reason"]
        assert server.until(lambda k: not k.members)
        gm.finish()
    assert departures(ground) == {x: {leaving} for x in (reg.X_RTD, reg.X_DR, reg.X_DA)}


@pytest.mark.refuses("RFC4534-B.3-07")
def test_a_departure_response_that_comes_another_way(ground):
    """By UDP, in a group that leaves by TCP: dropped, and the departure goes on."""
    with serving(ground.key_server(signed=ground.make_token(leave_transport="tcp"))) as k:
        send, to = k.runner.send, []

        def astray(answers):
            to.extend(a.to for a in answers if a.exchange == reg.X_KEYDL)
            send([dataclasses.replace(a, to=to[0]) if a.exchange == reg.X_DR else a for a in answers])
        k.runner.send = astray
        gm = ground.gm("gm0")
        gm.control("join")
        gm.wait("joined")
        gm.control("leave")
        refusal(gm, "RFC4534-B.3-07")
        assert not gm.find("left")
        k.runner.send = send
        assert "accepted" in gm.wait("left")["reason"]
        gm.finish()


@pytest.mark.refuses("RFC4534-B.1.4-01")
def test_what_comes_another_way(ground):
    """At the key server: the request over TCP, the acknowledgement by UDP. At the member: a Key
    Download by UDP, which also does not end the join."""
    server = ground.gcks(ground.make_token(transport=MIXED), timeout="2s")
    by_tcp = ground.member("gm0", transport="tcp", rekeys=False)
    by_tcp.tries, by_tcp.timeout = 1, 0.1
    assert not by_tcp.join()
    refusal(server, "RFC4534-B.1.4-01")
    runner = ground.member("gm1", transport=MIXED, rekeys=False)
    plain = runner.send

    def acknowledge_by_udp(octets):
        if octets == runner.member.last_ack:
            runner.unicast.sendto(octets, runner.server)
        else:
            plain(octets)
    runner.send = acknowledge_by_udp
    mark = server.mark()
    runner.join()
    refusal(server, "RFC4534-B.1.4-01", since=mark)
    assert not server.find("member-active", since=mark)
    runner.send = plain
    runner.send(runner.member.last_ack)
    server.wait("member-active", since=mark)
    server.finish()
    with serving(ground.key_server(signed=ground.make_token(transport=MIXED))) as k:
        gm, good = ground.gm("gm2", transport=XML), k.runner._over_tcp
        k.runner._over_tcp = lambda a: k.runner.udp.sendto(a.octets, a.to)
        gm.control("join")
        refusal(gm, "RFC4534-B.1.4-01")
        assert not gm.find("left") and not gm.find("joined")
        k.runner._over_tcp = good
        gm.wait("joined")
        gm.finish()


@pytest.mark.parametrize("registering, leaving, missing", [
    ("tcp", "tcp", "tcp"), ("udp", "tcp", "tcp"), (MIXED, "tcp", "tcp"), ("udp", "udp", "udp"), ("tcp", "udp", "udp")])
@pytest.mark.refuses("RFC4534-2-11")
def test_a_token_for_a_transport_that_nothing_listens_on(ground, registering, leaving, missing):
    """Nobody could join, or leave: the token is refused, at a start and later on."""
    server = ground.gcks()
    element = f'<{missing} address="{ground.address("keys")}"/>'
    xml = server.config.read_text()
    assert element in xml
    server.control("token", "ground")  # the same
    server.finish()
    server.write(xml.replace(element, ""))
    ground.token_file.write_bytes(ground.make_token(transport=registering, leave_transport=leaving))
    (ground.dir / "daemons" / "keys.db").unlink()
    server.launch()
    assert server.wait_end() == 6
    refused = server.find("refused", req="RFC4534-2-11")
    assert refused and "nothing listens" in refused[-1]["field"]


# ------------------------------------------------------------- hostile peers

def connections(daemon):
    return next(x for x in daemon.control("status")["listen"] if x["transport"] == "tcp")


def lying(length):
    """A header whose Length is a lie, and a few octets."""
    gid = b"\x01\x02\x03\x04\x05\x06\x07\x08ground"
    return (bytes([2, len(gid)]) + gid + bytes([reg.P_CREATE, 1, reg.X_RTJ]) + bytes(4)
            + struct.pack("!I", length) + bytes(20))


@pytest.mark.req("RFC4534-B.1.4-01")
def test_slow_silent_and_lying_peers(ground):
    """Connections that say nothing, that say a Request to Join octet by octet, that announce too
    much or too little; more of them than there are places.  Each is closed in its time, and an
    honest member gets in all the while."""
    ground.listening = ' connections-max="24" idle="1s" message-max="8192"'
    server = ground.gcks(ground.make_token(transport="tcp"))
    to, host = (ground.address("keys"), PORT), ground.hosts["evil"]

    def connect():
        with host.inside():
            return socket.create_connection(to, PATIENCE)

    def closed(s):
        s.settimeout(PATIENCE)
        try:
            return s.recv(1) == b""
        except (ConnectionError, socket.timeout) as e:
            return isinstance(e, ConnectionError)
    for length in (0, 5, 12, 8193, 1 << 20, 0xFFFFFFFF):
        s = connect()
        s.sendall(lying(length))
        assert closed(s), f"a Length of {length}"
        s.close()
    before = memory(server)
    silent = [connect() for _ in range(200)]
    # Of more than there are places, those that were idle longest have gone at once.
    assert all(closed(s) for s in silent[:150])
    honest = ground.member("gm0", transport="tcp", rekeys=False)
    assert honest.join()
    halves = [connect() for _ in range(20)]
    for s in halves:
        s.sendall(lying(8192)[:-1])  # within bounds, and then nothing more comes
    assert all(closed(s) for s in halves + silent[150:]), "silence is over after a second"
    slow = connect()
    slow.settimeout(0.05)
    end = time.monotonic() + 0.8
    with contextlib.suppress(ConnectionError):  # so slow, on a busy machine, that it is silent for too long
        for octet in lying(200):
            slow.sendall(bytes([octet]))
            if time.monotonic() > end:
                break
    before_it = connections(server)
    other = ground.member("gm1", "other", "tcp", rekeys=False)
    assert other.join()
    server.wait("member-active", where=lambda e: "gm1" in e["peer"])
    # A Request to Join, a Key Download, an acknowledgement: halves are no messages.
    after_it = connections(server)
    assert [after_it[x] - before_it[x] for x in ("received", "sent", "dropped")] == [2, 1, 0]
    for s in (*silent, *halves, slow):
        s.close()
    assert memory(server) - before < 16 << 20
    server.finish()


def memory(daemon):
    """Octets of the daemon's resident set."""
    with open(f"/proc/{daemon._p.pid}/statm") as f:
        return int(f.read().split()[1]) * resource.getpagesize()


@OPENERS
@pytest.mark.req("RFC4534-B.1.4-01")
def test_requests_nobody_is_connected_for(ground, opener):
    """Members that ask by UDP and do not listen, or do not connect: the answers they would get
    are dropped in their time, and an honest member gets in."""
    ground.opener = opener
    server = ground.gcks(ground.make_token(transport=MIXED))
    for n in range(5):
        runner = ground.member(f"gm{n}", "evil", MIXED, rekeys=False)
        if runner.listener is not None:
            runner.selector.unregister(runner.listener)
            runner.listener.close()
            runner.listener = None
        runner.unicast.sendto(runner.member.join(time.time()), runner.server)
    server.wait("member-pending", where=lambda e: "gm4" in e["peer"])
    assert ground.member("gm9", "other", MIXED, rekeys=False).join()
    server.finish()


@pytest.mark.req("RFC4534-3-05")
def test_members_by_udp_take_the_registration_by_udp(ground):
    """The Group Owner would rather have TCP, and the key server does not listen for it.  Who comes by UDP, in C and in
    Python, means the registration that the key server has taken, and leaves as that one says."""
    ground.transports = ("udp",)
    server = ground.gcks(ground.make_token(rather="tcp"))
    gm, python = ground.gm("gm0"), ground.member("gm1", "other")
    gm.control("join")
    gm.wait("joined")
    assert python.join() and python.member.policy.transport == "udp"
    for name, leave in (("gm0", lambda: gm.control("leave")), ("gm1", python.leave)):
        server.wait("member-active", where=lambda e: f"CN={name}" in e["peer"])
        leave()
        server.wait("member-left", where=lambda e: f"CN={name}" in e["peer"])
    gm.wait("left")
    assert server.control("status")["groups"][0]["members"] == 0
