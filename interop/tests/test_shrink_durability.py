# SPDX-License-Identifier: BSD-2-Clause
"""Key servers that are killed at their durable writes while a key tree shrinks: who stays has all keys, who left has none, no
number goes back, and nobody comes again."""
import itertools

import pytest

from lab import faults
from lab import gdoi_forms as forms
from lab.gdoi_peers import Ground as GdoiGround
from lab.process import PATIENCE
from msec_scapy.gdoi import numbers as n
from msec_scapy.testing.ground import Ground

QUICK = [(2, ""), (9, "/")]
TRIES = 3  # how many calls there are depends on what is committed together


class Shrinking:
    """A group that many leave, again and again; each time its key server dies at another write of that."""

    def __init__(self, server, command: list):
        self.server, self.command, self.sequence = server, command, 0
        self.mark = server.directory / "shrinking"
        self.log = server.directory / "calls.log"
        self.grow()
        assert self.tree()["taken"] == 1 + len(self.guests), self.tree()
        self.large = self.tree()["nodes"]

    def status(self):
        return self.server.control("status")["groups"][0]

    def tree(self):
        return self.status()["tree"]

    def absent(self):
        present = self.present()
        return [name for name in self.guests if name not in present]

    def shrink(self, order) -> None:
        """All guests are evicted, and what they leave behind is given back with the rekeys that follow."""
        for name in list(self.guests):
            order("evict", self.name(name), self.group)
        for _ in range(3):
            order(*self.command)

    def small(self) -> None:
        tree = self.tree()
        assert tree["taken"] == 1 and tree["nodes"] < self.large / 2 and tree["nodes"] <= 4, tree

    def restart(self) -> None:
        """Back, and the next rekey opens for exactly those who are members."""
        self.server.start()
        self.check(self.present())

    def calls(self) -> int:
        """Durable calls of this life, since the mark was set."""
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0

    def live(self, at: int = 0, how: str = "") -> bool:
        """Grow, and then shrink with a fault waiting at that call; whether it died of it."""
        env = {"MSEC_FAULT": f"{at}{how}"} if at else {}
        self.server.finish()
        self.mark.unlink(missing_ok=True)
        self.log.unlink(missing_ok=True)
        self.server.start(env={"LD_PRELOAD": str(faults.LIBRARY), "MSEC_FAULT_FROM": str(self.mark),
                               "MSEC_FAULT_LOG": str(self.log), **env})
        self.grow()
        assert self.tree()["nodes"] == self.large
        self.mark.touch()
        died = False
        try:
            self.shrink(lambda *words: faults.order(self.server, *words))
            self.mark.unlink()  # what it writes from here on is no part of it
            if not faults.alive(self.server) or 0 < at <= self.calls():
                self.server.wait_end()
                raise faults.Dead
        except faults.Dead:
            died = True
            assert at and self.server.returncode == faults.KILLED, f"it ended by itself: {self.server.returncode}"
            self.restart()
            # What was interrupted goes on where it was, in a life without a fault.
            for name in self.present():
                self.server.control("evict", self.name(name), self.group)
            for _ in range(3):
                self.server.control(*self.command)
        self.small()
        self.check([])
        return died

    def die(self, points) -> None:
        for at, how in points:
            assert self.live(at, how), f"it did not come to call {at}"

    def die_everywhere(self, how: str) -> int:
        """At every call: lives that die at one more each time, until none comes that far.  How many there are."""
        self.live()
        calls = self.calls()
        for at in itertools.count(1):
            if not any(self.live(at, how) for _ in range(TRIES)):
                assert at > calls * 3 // 4, f"{calls} calls, and it did not come to call {at}"
                return at - 1


# -- GSAKMP ---------------------------------------------------------------------------------------------------------------


class GsakmpShrinking(Shrinking):
    group, guests = "ground", [f"gm{i}" for i in range(1, 9)]

    def __init__(self, ground, server):
        self.ground, self.runners = ground, {}
        self.resident = ground.member("gm0")
        assert self.resident.join(), self.resident.member.refusals
        self.held = set(self.resident.member.ring.kek)
        super().__init__(server, ["rekey", self.group])

    def name(self, name):
        return f"CN={name},O=MSEC Lab"

    def grow(self):
        for name in self.absent():
            if name in self.runners:
                self.runners.pop(name).close()
                self.server.control("readmit", self.name(name), self.group)
            r = self.runners[name] = self.ground.member(name, "other")
            start = self.server.mark()
            assert r.join(), r.member.refusals
            # Whose acknowledgement is not in the store when the key server dies was never a member.
            self.server.wait("member-active", since=start, where=lambda e, name=name: f"CN={name}," in e["peer"])

    def present(self):
        listed = str(self.server.control("members", self.group))
        assert "CN=gm0," in listed
        return [name for name in self.guests if f"CN={name}," in listed]

    def check(self, present):
        heard = max([self.sequence, *self.resident.member.followed.values()])
        assert self.status()["sequence"] >= heard, "the Sequence ID went back"
        self.server.control(*self.command)
        now = self.status()
        self.sequence = now["sequence"]
        newest = lambda r: int.from_bytes(r.member.ring.gtpk[b"GTPK"].handle, "big")
        there = lambda r: max(r.member.followed.values(), default=0) >= self.sequence
        for r in [self.resident, *(self.runners[name] for name in present)]:
            assert r.run(PATIENCE, lambda r=r: there(r)), r.member.refusals
            assert newest(r) == now["gtpk_handle"]
        for name in set(self.guests) - set(present):
            r = self.runners[name]
            r.run(0, r.silent)
            assert newest(r) != now["gtpk_handle"], f"{name} is no member and has the key"
        assert set(self.resident.member.ring.kek) == self.held, "nobody is moved"
        assert {f.req for f in self.resident.member.refusals} <= {"RFC4535-7.1.2-09"}, "only copies were of no use"


@pytest.fixture
def gsakmp(tmp_path, net_prefix):
    with Ground(tmp_path, net_prefix) as g:
        server = g.gcks(rekey='<rekey tree-spare="1"/>')
        g.keylog = tmp_path / "members.keylog"  # what was made and given to nobody may be made anew
        life = GsakmpShrinking(g, server)
        yield life
        assert len(server.find("member-active", where=lambda e: "CN=gm0," in e["peer"])) == 1, "it registered once"
        server.finish()
        assert faults.one_key_for_each_handle(g.keylog) > 10


@pytest.mark.req("RFC4535-7.1.1-12", "RFC4535-A.2-01")
def test_gsakmp_gcks_killed_while_a_tree_shrinks(gsakmp):
    gsakmp.die(QUICK)


@pytest.mark.long
@pytest.mark.parametrize("how", faults.HOWS, ids=["before", "amid", "after"])
@pytest.mark.req("RFC4535-7.1.1-12", "RFC4535-A.2-01")
def test_gsakmp_gcks_killed_at_every_write_while_a_tree_shrinks(gsakmp, how):
    assert gsakmp.die_everywhere(how) >= 30


# -- GDOI -----------------------------------------------------------------------------------------------------------------


class GdoiShrinking(Shrinking):
    group, guests = "plant", ["bob", "carol", "dave", "erin", "frank", "grace"]

    def __init__(self, ground):
        self.ground, self.peers, self.keylog = ground, {}, ground.dir / "members.keylog"
        self.resident, = ground.follow("alice", logs=self.keylog)
        super().__init__(ground.keys, ["rekey", "kek"])

    def name(self, name):
        return forms.fqdn(name)

    def grow(self):
        for name in self.absent():
            if name in self.peers:
                self.peers.pop(name).close()
                self.server.control("readmit", self.name(name), self.group)
            self.peers[name], = self.ground.follow(name, logs=self.keylog)

    def present(self):
        there = self.ground.registered()
        assert "alice" in there
        return [name for name in self.guests if name in there]

    def check(self, present):
        seats = [m["lkh_id"] for m in self.ground.registered().values()]
        assert len(set(seats)) == len(seats) == self.tree()["taken"] == 1 + len(present), "each member has a place of its own"
        marks = {name: len(p.events) for name, p in self.peers.items()}
        start = self.server.mark()
        self.server.control("rekey", "tek")
        self.server.wait("rekeyed", since=start)
        current = {t["spi"] for t in self.server.control("teks") if t["state"] != "old"}
        for p in [self.resident, *(self.peers[name] for name in present)]:
            p.wait("rekeyed", where=lambda f: set(f["teks"]) & current)
        newest = {t["spi"] for t in self.server.control("teks") if t["state"] == "next"} or current
        for name in set(self.guests) - set(present):
            news = [f for e, f in self.peers[name].events[marks[name]:] if e == "rekeyed"]
            assert not any(set(f["teks"]) & newest for f in news), f"{name} is no member and has the key"
        assert self.resident.count("registered") == 1


@pytest.fixture
def gdoi(tmp_path, net_prefix):
    names = ["alice", *GdoiShrinking.guests]
    with GdoiGround(tmp_path / "group", names, prefix=net_prefix, kek={"lkh-degree": 3},
                    rekeying={"members-max": 9, "tree-spare": 1},
                    sid_bits=16) as g:  # so many registrations use up all of 8 bits, and then all begin anew
        g.start()
        life = GdoiShrinking(g)
        yield life
        g.finish()
        assert faults.one_key_for_each_handle(life.keylog, "GDOI_LKH") > 10
        said = {}
        for spi, number, m in g.pushes():  # a message may be signed again
            content = tuple((p.type, p.body) for p in m.parts if p.type != n.P_SIG)
            assert said.setdefault((spi, number), content) == content, f"SEQ {number} of {spi.hex()} stands for two messages"


@pytest.mark.req("RFC6407-5.7-02", "RFC6407-5.6.3.2-04")
def test_gdoi_gcks_killed_while_a_tree_shrinks(gdoi):
    gdoi.die(QUICK)


@pytest.mark.long
@pytest.mark.parametrize("how", faults.HOWS, ids=["before", "amid", "after"])
@pytest.mark.req("RFC6407-5.7-02", "RFC6407-5.6.3.2-04")
def test_gdoi_gcks_killed_at_every_write_while_a_tree_shrinks(gdoi, how):
    assert gdoi.die_everywhere(how) >= 30
