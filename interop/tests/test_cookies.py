# SPDX-License-Identifier: BSD-2-Clause
"""Cookies (RFC 4535 section 5.2.2) at the real key server: when they are asked for, what a
request without one costs, and candidates behind a NAT."""
import socket
import time

import pytest

from lab.process import PATIENCE
from msec_scapy import message, misbehave
from msec_scapy import registry as reg
from msec_scapy.testing.ground import PORT


def status(server):
    return server.control("status")


def flood(ground, octets, count, host="evil"):
    """The same datagram many times, each from a port of its own for every worker to see some."""
    with ground.hosts[host].inside():
        for _ in range(count):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.sendto(octets, (ground.address("keys"), PORT))


def refusals(server, count, since=0, req=None):
    """Wait for so many refusals."""
    for n in range(count):
        event = server.wait("refused", since=since,
                            where=lambda e: req is None or e.get("req") == req)
        since = server.events.index(event, since) + 1


def flood_and_see(ground, server, octets, count, req=None):
    """The same, and every one of them is refused: in portions, for none to be lost where they queue."""
    for _ in range(count // 20):
        mark = server.mark()
        flood(ground, octets, 20)
        refusals(server, 20, mark, req)


def forged(ground, name="gm9"):
    """A Request to Join with everything right but the signature."""
    gm = ground.member(name, "evil", rekeys=False)
    misbehave.find("rtj-sig-bad").arm(gm.member)
    return gm.member.join(time.time())


@pytest.mark.req("RFC4535-5.2.2-07", "RFC4535-5.2.2-08", "RFC4535-5.2.2-02")
def test_a_request_without_cookie_costs_no_public_key_operation(ground):
    server = ground.gcks(cookies="always")
    before = status(server)
    flood_and_see(ground, server, forged(ground), 300, "RFC4535-5.2.2-02")
    after = status(server)
    assert after["public_key_operations"] == before["public_key_operations"]
    assert after["cookies"]["registrations_begun"] == 0
    assert after["groups"][0]["pending"] == 0
    # Those who bring one cost what a registration costs.
    honest = ground.member("gm0")
    assert honest.join() and honest.member.cookies == 1
    server.wait("member-active")
    assert status(server)["public_key_operations"] > after["public_key_operations"]
    server.finish()


@pytest.mark.req("RFC4535-5.2.2-01")
@pytest.mark.refuses("RFC4535-5.2.2-02")
def test_cookies_are_asked_for_above_the_rate(ground):
    """Ten forged requests are looked at in a second; what comes after them has to bring a cookie."""
    server = ground.gcks(cookies="auto", rate=10)
    quiet = ground.member("gm0", "other")
    assert quiet.join() and quiet.member.cookies == 0
    server.wait("member-active")
    bad = forged(ground)
    mark, begun = server.mark(), time.monotonic()
    flood_and_see(ground, server, bad, 300)
    took = time.monotonic() - begun
    verified = server.find("refused", since=mark, where=lambda e: e["req"] == "RFC4535-7.8.2-06")
    assert 10 <= len(verified) <= 10 * (took + 2), "only so many in a second got as far as the signature"
    assert len(server.find("refused", since=mark, req="RFC4535-5.2.2-02")) == 300 - len(verified) > 0
    flood(ground, bad, 30)
    honest = ground.member("gm1")
    assert honest.join() and honest.member.cookies <= 1
    server.finish()


@pytest.mark.parametrize("by_value", ("yes", "no"))
@pytest.mark.req("RFC4535-5.2.2-15", "RFC4535-5.2.2-10", "RFC4535-5.2.2-09")
def test_behind_a_nat_that_changes_its_mind(ground, by_value):
    """The second request comes from another address; the cookie is bound to the IPValue, or it
    is not and another one is demanded."""
    server = ground.gcks(cookies="always", ip_value=by_value)
    inner = bytes((10, 1, 2, 3))
    gm = ground.member("gm0", "gm", rekeys=False, ip_value=inner)
    to = (ground.address("keys"), PORT)
    with ground.hosts["gm"].inside():
        first = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with ground.hosts["other"].inside():
        second = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with first, second:
        for s in (first, second):
            s.settimeout(PATIENCE)
        first.sendto(gm.member.join(time.time()), to)
        (again,) = gm.member.receive(first.recv(65535), time.time())
        second.sendto(again, to)
        answer = message.parse(second.recv(65535), ground.dialect)
    assert answer.exchange == (reg.X_KEYDL if by_value == "yes" else reg.X_COOKIE)
    server.finish()


@pytest.mark.req("RFC4535-5.2.2-12", "RFC4535-5.2.2-13", "RFC4535-5.2.2-14")
def test_a_secret_grows_old(ground):
    """Two candidates have cookies of one secret: one brings his while it is the secret before, and is let in; the other when
    another one has come after that, and is given a new cookie, which is good."""
    server = ground.gcks(cookies="always", lifetime="2s")
    to = (ground.address("keys"), PORT)
    with ground.hosts["gm"].inside():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def answer(octets):
        sock.settimeout(PATIENCE)
        sock.sendto(octets, to)
        data = sock.recv(65535)
        return message.parse(data, ground.dialect), data

    def version(m):
        """Of the secret of a Cookie Download."""
        assert m.exchange == reg.X_COOKIE
        return m.notify(reg.N_COOKIE_REQUIRED).data[:4]

    def request(gm):
        """Its request with the cookie that it is given, and which secret that is of."""
        m, data = answer(gm.join(time.time()))
        (again,) = gm.receive(data, time.time())
        return again, version(m)

    def another(old):
        """As soon as there is another secret, its version."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            now = version(answer(asking)[0])
            if now != old:
                return now
            sock.settimeout(0.05)
            with pytest.raises(TimeoutError):  # nobody says when
                sock.recv(1)
        raise AssertionError("the secret stays")
    ready, gm = (ground.member(name, rekeys=False).member for name in ("gm0", "gm1"))  # that takes its time
    with sock:
        asking = ground.member("gm9", rekeys=False).member.join(time.time())
        first = another(version(answer(asking)[0]))  # and it has just begun
        early, one = request(ready)
        late, two = request(gm)
        assert one == two == first
        second = another(first)
        assert answer(early)[0].exchange == reg.X_KEYDL, "the secret before is good for a while"
        assert another(second) not in (first, second)
        mark = server.mark()
        m, data = answer(late)
        assert version(m) not in (first, second)
        server.wait("refused", since=mark, req="RFC4535-5.2.2-02")
        (again,) = gm.receive(data, time.time())
        assert answer(again)[0].exchange == reg.X_KEYDL
    server.finish()
