# SPDX-License-Identifier: BSD-2-Clause
"""Key trees that shrink (RFC 2627 5.4; RFC 4535 appendix A; RFC 6407 5.6.3): who stays keeps all it holds, and nobody comes again."""
import pytest

from lab import gdoi_forms
from lab.gdoi import opened
from lab.process import PATIENCE
from msec_scapy.testing.ground import Ground

QUICK = {"backoff": "300ms", "backoff_max": "1s"}
ALL, STAY = 12, (4, 5)  # seats 5 and 6, in the third tree


@pytest.fixture
def ground(tmp_path, net_prefix):
    with Ground(tmp_path, net_prefix) as g:
        yield g


def tree(server):
    return server.control("status")["groups"][0]["tree"]


def follow(runners, server, mark, *words):
    """A rekey, or an eviction, that all of these follow."""
    server.control(*(words or ("rekey", "ground")))
    sequence = server.wait("rekeyed", since=mark)["sequence"]
    for r in runners:
        assert r.run(PATIENCE, lambda r=r: max(r.member.followed.values(), default=0) >= sequence), r.member.refusals


def ids(runner):
    return set(runner.member.ring.kek)


@pytest.mark.req("RFC4535-A.2-01", "RFC4535-7.5.2-14")
def test_members_of_the_other_implementation_notice_nothing(ground):
    server = ground.gcks(rekey='<rekey tree-spare="1"/>')
    runners = [ground.member(f"gm{n}", ("gm", "other")[n % 2]) for n in range(ALL)]
    for r in runners:
        assert r.join(), r.member.refusals
    assert (tree(server)["trees"], tree(server)["seats"], tree(server)["taken"]) == (4, 16, ALL)
    stay = [runners[n] for n in STAY]
    gone = [r for r in runners if r not in stay]
    held = [ids(r) for r in stay]
    seats = [r.member.ring.member_id for r in stay]
    for n, r in enumerate(runners):
        if r in gone:
            follow(stay, server, server.mark(), "evict", f"CN=gm{n},O=MSEC Lab")
    for _ in range(3):
        follow(stay, server, server.mark())
    # Two leaves, the node above them, and the root of their tree, below which nobody else is: that one is bypassed.
    small = {"trees": 3, "height": 2, "seats": 8, "taken": 2, "nodes": 4, "keys": 3, "bypassed": 1}
    assert tree(server) == small
    mark = server.mark()
    server.kill()
    server.start()
    server.wait("ready", since=mark)
    assert tree(server) == small
    follow(stay, server, server.mark())
    late = [ground.member(f"gm{n}", "other") for n in range(ALL, ALL + 8)]
    for r in late:
        assert r.join(), r.member.refusals
    follow(stay + late, server, server.mark())
    assert (tree(server)["trees"], tree(server)["seats"], tree(server)["taken"]) == (4, 16, 10)
    follow([stay[0], *late], server, server.mark(), "evict", f"CN=gm{STAY[1]},O=MSEC Lab")
    newest = {r.member.ring.gtpk[b"GTPK"].handle for r in [stay[0], *late]}
    assert len(newest) == 1 and all(r.member.ring.gtpk[b"GTPK"].handle not in newest for r in [stay[1], *gone])
    # They kept seats and ids, had every key from a Rekey Event, and registered once.
    assert [ids(r) for r in stay] == held and [r.member.ring.member_id for r in stay] == seats
    assert all(len(server.find("member-active", where=lambda e, n=n: f"CN=gm{n}," in e["peer"])) == 1 for n in STAY)
    # The last one before the restart was sent again, with its Sequence ID.
    assert {f.req for r in stay for f in r.member.refusals} <= {"RFC4535-7.1.2-09"}
    server.finish()


@pytest.mark.req("RFC6407-5.6.3.2-04", "RFC6407-5.6.3.1-03")
def test_a_tree_of_lkh_ids_shrinks_under_its_members(tmp_path, net_prefix):
    """Rows go and come again; no node is bypassed, as an update array has all of a path."""
    names = ["alice", "bob", "carol", "dave", "erin", "frank", "grace"]
    with opened(tmp_path, net_prefix) as opens:
        g = opens(*names, kek={"lkh-degree": 3}, rekeying={"members-max": 9, "tree-spare": 1})
        members = {}
        for name in names:  # one after the other: alice sits on the first leaf
            members[name] = g.member(name, membership=QUICK)
            members[name].start()
            members[name].control("join")
            members[name].wait("joined")
        alice, bob = members["alice"], members["bob"]
        assert g.status()["tree"] == {"trees": 1, "height": 2, "seats": 9, "taken": 7, "nodes": 10, "keys": 10, "bypassed": 0}
        for name in names[1:]:
            mark = alice.mark()
            g.keys.control("evict", gdoi_forms.fqdn(name))
            alice.wait("tek", since=mark)
        for _ in range(2):
            mark = alice.mark()
            g.keys.control("rekey", "kek")
            alice.wait("rekeyed", since=mark)
        # Her leaf, and the node above it, which nobody else is below.
        small = {"trees": 1, "height": 2, "seats": 9, "taken": 1, "nodes": 2, "keys": 2, "bypassed": 0}
        assert g.status()["tree"] == small
        mark = g.keys.mark()
        g.keys.kill()
        g.keys.start()
        g.keys.wait("ready", since=mark)
        assert g.status()["tree"] == small
        for name in ("bob", "carol"):
            g.keys.control("readmit", gdoi_forms.fqdn(name))
            members[name].control("leave", "plant", "silently")
            again = members[name].mark()
            members[name].control("join")
            members[name].wait("joined", since=again)
        mark = alice.mark()
        g.keys.control("evict", gdoi_forms.fqdn("carol"))
        alice.wait("tek", since=mark)
        assert g.status()["tree"] == {"trees": 1, "height": 2, "seats": 9, "taken": 2, "nodes": 4, "keys": 3, "bypassed": 0}
        mine = {k["spi"] for k in alice.control("keys")}
        assert mine and mine == {k["spi"] for k in bob.control("keys")}
        assert len(alice.find("joined")) == 1
