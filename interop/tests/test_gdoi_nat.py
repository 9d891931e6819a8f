# SPDX-License-Identifier: BSD-2-Clause
"""gdoi-gm behind a real NAT, gdoi-gcks in front of it: the move to 4500, keepalives, rekeys by unicast and by multicast.

Two members are behind one address, a third is not.
"""
import pytest

from lab import wire
from lab.daemons import wait_all
from lab.gdoi import Group
from lab.net import Net
from lab.scene import DATA, REKEY

MASQUERADE = """table ip nat {
  chain post {
    type nat hook postrouting priority srcnat;
    oifname "eth1" masquerade random
  }
}
"""
MARKER = bytes(4)
QUICK = {"backoff": "300ms", "backoff_max": "1s"}


class Street:
    """keys and carol are outside, alice and bob at home."""

    def __init__(self, prefix):
        self.net = Net(prefix)
        home, street = self.net.segment("home", 2), self.net.segment("street", 1)
        for name, segment, number in (("keys", street, 11), ("carol", street, 23), ("alice", home, 21), ("bob", home, 22)):
            self.net.host(name, segment, number)
        self.router = self.net.router("nat", [home, street])
        self.router.run(["nft", "-f", "-"], input=MASQUERADE)
        self.outside = street.ip4(1)
        self.net.multicast(REKEY[4], DATA[4])

    def __getitem__(self, name):
        return self.net.hosts[name]

    def close(self):
        self.net.close()


class Home(Group):
    def make_scene(self, prefix, hosts):
        return Street(prefix)

    def datagrams(self, name):
        """What came and went at a host, as its own segment saw it."""
        at, where = self.address(name), list(self.scene.net.segments).index(self.scene[name].segments[0].name)
        return [d for d in wire.datagrams(self.capture.path) if d.interface == where and at in (d.source, d.destination)]


@pytest.fixture
def home(tmp_path, net_prefix, ended):
    def make(**how):
        g = ended(Home(tmp_path / "group", ["alice", "bob", "carol"], prefix=net_prefix, auth="ecdsa", **how))
        g.start()
        return g
    return make


def join(g, **membership):
    members = [g.member(n, membership={**QUICK, **membership}) for n in ("alice", "bob", "carol")]
    for m in members:
        m.start()
        m.control("join")
    wait_all(members, "joined")
    return members


def rekeyed(g, members, what):
    marks, theirs = {m: m.mark() for m in members}, g.keys.mark()
    g.keys.control("rekey", what, "now")
    wait_all(members, "rekeyed", marks=marks)
    for name in ("alice", "bob", "carol"):
        g.keys.wait("acked", since=theirs, where=lambda e, n=name: n in e["peer"])
    spis = {m.group()["rekey_sa"]["spi"] for m in members} | {g.status()["kek"]["spi"]}
    assert len(spis) == 1


@pytest.mark.req("RFC6407-2.2-03")
def test_by_unicast(home):
    """Each PUSH finds its way back through the NAT, long after the registration."""
    g = home(unicast=True, phase1={"nat-keepalive": "1s"})
    alice, bob, carol = members = join(g)
    carol.wait("phase1-down")
    mapped = {m["peer"].partition(":")[2].partition(".")[0]: m["address"] for m in g.keys.control("members")}
    assert all(mapped[n].startswith(g.scene.outside + ":") for n in ("alice", "bob")), mapped
    assert mapped["alice"] != mapped["bob"] and mapped["carol"] == g.address("carol") + ":848"
    for what in ("tek", "kek"):
        rekeyed(g, members, what)
    assert not alice.find("phase1-down") and not bob.find("phase1-down"), "its keepalives hold the way in open"
    ways = {p["way"] for p in g.keys.control("history")}
    assert ways == {"unicast"}
    g.finish()
    ours = g.datagrams("alice")
    ports = {(d.sport, d.dport) for d in ours if d.source == g.address("alice") and d.destination == g.address("keys")}
    assert ports == {(848, 848), (4500, 4500)}, ports
    first = next(i for i, d in enumerate(ours) if d.dport == 4500)
    assert ours[first].payload[:4] == MARKER and all(d.sport == d.dport == 848 for d in ours[:first])
    assert any(d.payload == b"\xff" and d.dport == 4500 for d in ours), "a keepalive"
    pushes = [d for d in ours if d.source == g.address("keys") and len(d.payload) > 22 and d.payload[4 + 18] == 33]
    assert pushes and all((d.sport, d.dport) == (4500, 4500) and d.payload[:4] == MARKER for d in pushes)
    seen = {d.sport for d in g.datagrams("keys") if d.source == g.scene.outside}
    assert len(seen) >= 3, f"the NAT has ports of its own for each: {seen}"


@pytest.mark.req("RFC6407-2.2-03")
def test_by_multicast(home):
    """What comes by multicast needs no way back, and acknowledgements find theirs."""
    g = home()
    alice, bob, _ = members = join(g)
    for m in (alice, bob):
        m.wait("phase1-down")
    for what in ("tek", "kek"):
        rekeyed(g, members, what)
    mark, theirs = alice.mark(), g.keys.mark()
    alice.control("leave")
    alice.wait("told", since=mark)
    g.keys.wait("left", since=theirs)
    g.finish()
    assert any(d.dport == 4500 for d in g.datagrams("alice"))
    assert not any(d.dport == 4500 for d in g.datagrams("carol")), "no NAT, no move"
