# SPDX-License-Identifier: BSD-2-Clause
"""gdoi-gm with <kernel/> is killed, with several groups: the next one finds in the kernel what is its own, takes over what its
groups need, and takes the rest out.  These are real policies, and a real state as far as a kernel without ESP has one."""
import os
import socket
from pathlib import Path

import pytest

from lab import gdoi_member as forms
from lab.gdoi_served import NUMBER, Served, places
from msec_scapy.gdoi import numbers as n
from msec_scapy.gdoi.policy import IpsecPolicy, KekPolicy, Selector
from msec_scapy.testing import gdoi as python

PLANT, BAY, NETWORK, FOREIGN = "239.5.5.5", "239.5.5.6", "239.6.0.0/16", "239.8.8.8"
REQID = 848000


def sa(dst):
    return IpsecPolicy(mode=n.MODE_TRANSPORT, dst=Selector.parse(dst))


@pytest.fixture
def world(net, tmp_path):
    with Served(tmp_path, net, teks=[sa(PLANT)]) as w:
        kek = KekPolicy(**{**places(), "dst": Selector.parse("239.77.1.2:848")})
        bay = python.group(number=NUMBER + 1, kek=kek, teks=[sa(BAY), sa(NETWORK)])
        w.ground.server.groups[bay.identity] = bay
        yield w


def killed(w):
    """In both groups, and then dead."""
    both = [forms.group("plant", NUMBER, join="yes"), forms.group("bay", NUMBER + 1, join="yes")]
    alice = w.member(groups=both, kernel={})
    for name in ("plant", "bay"):
        alice.wait("joined", group=name)
    there = policies(alice)
    assert {f"{PLANT}/32", f"{BAY}/32", NETWORK} <= set(there["out"]) and len(there["in"]) >= 2, "and what lets PUSHes in"
    alice.kill()
    assert policies(alice) == there, "nobody has taken them out"
    # A state under a number of ours, which is all that a kernel without ESP has; and somebody else's of either kind.
    run = alice.host.run
    for reqid in (REQID + 1, REQID + 128):
        run(["ip", "xfrm", "state", "allocspi", "src", "10.9.9.1", "dst", "10.9.9.2", "proto", "esp", "mode", "transport",
             "reqid", str(reqid), "min", "4096", "max", "5000"])
    run(["ip", "xfrm", "policy", "add", "src", "0.0.0.0/0", "dst", f"{FOREIGN}/32", "dir", "out", "priority", "2000", "action", "block"])
    return alice


def policies(member) -> dict:
    """The destinations of a host's policies, by direction."""
    found = {}
    for way in ("in", "out"):
        text = member.host.run(["ip", "xfrm", "policy", "list", "dir", way]).stdout
        found[way] = sorted(line.split()[3] for line in text.splitlines() if line.startswith("src "))
    return found


def reqids(member) -> set:
    words = member.host.run(["ip", "xfrm", "state"]).stdout.split()
    return {int(words[i + 1]) for i, w in enumerate(words) if w == "reqid"}


def test_what_no_group_needs_any_more_goes_at_once(world):
    alice = killed(world)
    alice.write(alice.config.read_text().replace(' join="yes"', ""))
    mark = alice.start()
    swept = alice.wait("kernel-swept", since=mark)
    assert swept["left"] >= 6
    assert policies(alice) == {"in": [], "out": [f"{FOREIGN}/32"]} and reqids(alice) == {REQID + 128}
    assert alice.control("status")["kernel"]["left"] == 0
    alice.finish()
    assert policies(alice) == {"in": [], "out": [f"{FOREIGN}/32"]}, "and what is somebody else's stays"


def test_a_group_that_comes_again_has_its_own_and_the_other_ones_goes(world):
    """It was the second, and is the first and only one now."""
    alice = killed(world)
    text = alice.config.read_text()
    first, second = text.index('  <group name="plant"'), text.index('  <group name="bay"')
    alice.write(text[:first] + text[second:])
    mark = alice.start()
    alice.wait("kernel-swept", since=mark)
    there = policies(alice)
    assert {f"{BAY}/32", NETWORK} <= set(there["out"]) and f"{PLANT}/32" not in there["out"], "what is closed stays closed"
    assert there["in"].count("239.77.1.2/32") == 1 and REQID + 1 not in reqids(alice)
    events = [e["event"] for e in alice.events[mark:]]
    assert events.index("joined") < events.index("kernel-swept"), "not before it is known what is needed"
    alice.finish()
    assert policies(alice) == {"in": [], "out": [f"{FOREIGN}/32"]}


def test_another_reqid_hides_nothing(world):
    """What was left has the numbers of before, which the daemon that left it knows by its store; another one does not take it."""
    alice = killed(world)
    text = alice.config.read_text()
    there = policies(alice)
    other = forms.Member(alice.host, "other", world.dir, world.sockets)
    moved = text.replace('path="alice.db"', 'path="other.db"').replace(str(alice.control.path), str(other.control.path))
    other.write(moved.replace("<kernel", f'<kernel reqid="{REQID + 8192}"').replace(' join="yes"', "")
                .replace("<phase1 ", '<phase1 nat-traversal="no" ').replace("<network ", '<network port="8848" '))
    other.start()
    assert policies(alice) == there and not other.find("kernel-swept")
    other.finish()
    assert policies(alice) == there
    alice.write(text.replace("<kernel", f'<kernel reqid="{REQID + 4096}"'))
    mark = alice.start()
    swept = alice.wait("kernel-swept", since=mark)
    assert swept["left"] >= 1
    assert {f"{PLANT}/32", f"{BAY}/32", NETWORK} <= set(policies(alice)["out"])
    assert REQID + 1 not in reqids(alice) and REQID + 128 in reqids(alice)
    alice.kill()  # and once more, with a third one
    alice.write(text.replace(' join="yes"', "").replace("<kernel", f'<kernel reqid="{REQID + 16384}"'))
    mark = alice.start()
    alice.wait("kernel-swept", since=mark)
    assert policies(alice) == {"in": [], "out": [f"{FOREIGN}/32"]} and reqids(alice) == {REQID + 128}
    alice.finish()
    assert not list((Path(alice.control.path).parent / "locks").iterdir())


def second(w, alice, reqid, join):
    """Another gdoi-gm of alice's host, in the second group."""
    other = forms.Member(alice.host, "other", w.dir, w.sockets)
    text = alice.config.read_text().replace('path="alice.db"', 'path="other.db"').replace(str(alice.control.path), str(other.control.path))
    text = text.replace('name="plant"', 'name="bay"').replace(f'"{NUMBER}"', f'"{NUMBER + 1}"').replace(' join="yes"', ' join="yes"' if join else "")
    other.write(text.replace("<network ", '<network port="8848" ').replace("<phase1 ", '<phase1 nat-traversal="no" ')
                .replace("<kernel", f'<kernel reqid="{reqid}"'))
    return other


def test_a_reqid_that_is_near_the_former_one_and_a_lock_file_that_is_cut(world):
    """All in one file, which knows one after the other; of what is not whole nothing is believed, and nothing is swept by it."""
    alice = killed(world)
    text = alice.config.read_text()
    there, locks = policies(alice), Path(alice.control.path).parent / "locks"
    [file] = locks.iterdir()
    whole = file.read_bytes()
    pid, priority, numbers, end = whole.split(b"\n")
    store = str(alice.config.resolve().parent / "alice.db").encode()
    assert int(pid) > 0 and priority == b"2000" and numbers == b"%d %s" % (REQID, store) and end == b""
    idle = text.replace(' join="yes"', "").replace("<kernel", f'<kernel reqid="{REQID + 8192}"')
    for cut in (b"", pid, b"\n".join((pid, priority, b"")), whole[:-1], whole.replace(store, store + b"2"),
                whole.replace(b"%d " % REQID, b"%d x " % REQID), whole.replace(b"%d " % REQID, b"4294967296 ")):
        file.write_bytes(cut)
        alice.write(idle)
        mark = alice.start()
        assert alice.control("status")["kernel"]["left"] == 0 and not alice.find("kernel-swept", since=mark)
        alice.finish()
        assert policies(alice) == there and list(locks.iterdir()) == [file] and file.read_bytes() == cut
    file.write_bytes(whole)
    for step in (100, 200):
        alice.write(text.replace("<kernel", f'<kernel reqid="{REQID + step}"'))
        mark = alice.start()
        for name in ("plant", "bay"):
            alice.wait("joined", group=name, since=mark)
        assert file.read_text().split("\n")[1] == "2000" and {*file.read_text().split("\n")[2].split()[:-1]} == {
            str(REQID + s) for s in (0, 100, 200) if s <= step}
        alice.kill()
    alice.write(text.replace(' join="yes"', "").replace("<kernel", f'<kernel reqid="{REQID + 300}"'))
    mark = alice.start()
    alice.wait("kernel-swept", since=mark)
    assert policies(alice) == {"in": [], "out": [f"{FOREIGN}/32"]}
    alice.finish()
    assert not list(locks.iterdir())


def test_numbers_of_before_that_another_daemon_has_by_now_are_its_own(world):
    """Some of them, of two files: what it has there is not swept.  Nor is it forgotten what was left, until it is gone."""
    w = world
    alice = w.member(groups=[forms.group("plant", NUMBER, join="yes")], kernel={}, start=False)
    text, locks = alice.config.read_text(), Path(alice.control.path).parent / "locks"
    alice.write(text.replace("<kernel", '<kernel reqid="849000"'))
    alice.start()
    alice.wait("joined")
    assert len(list(locks.iterdir())) == 2
    alice.kill()
    left = policies(alice)
    alice.write(text)
    other = second(w, alice, 849920, True)
    other.start()
    other.wait("joined")
    both = policies(alice)
    assert f"{BAY}/32" in both["out"] and f"{PLANT}/32" in both["out"]
    alice.write(text.replace(' join="yes"', "").replace("<kernel", '<kernel reqid="870000"'))
    alice.start()
    assert alice.control("status")["kernel"]["left"] == 0
    alice.finish()
    assert policies(alice) == both
    other.finish()
    assert policies(alice) == left
    mark = alice.start()
    alice.wait("kernel-swept", since=mark)
    assert policies(alice) == {"in": [], "out": []}
    # As long as this life takes they are nobody else's, and it says whose.
    other.launch()
    assert other.wait_end() == 3 and f"process {alice.control('status')['pid']}, has the numbers" in other.log.read_text()
    alice.finish()
    assert not list(locks.iterdir())


def test_no_two_daemons_of_a_host_have_the_same_numbers(world):
    """What has one of them is taken for its own, so the second one would take out what the first has in use."""
    w = world
    alice = w.member(groups=[forms.group("plant", NUMBER, join="yes")], kernel={})
    alice.wait("joined")
    there = policies(alice)
    other = forms.Member(alice.host, "other", w.dir, w.sockets)
    text = alice.config.read_text().replace('path="alice.db"', 'path="other.db"').replace(str(alice.control.path), str(other.control.path))
    text = text.replace('name="plant"', 'name="bay"').replace(f'"{NUMBER}"', f'"{NUMBER + 1}"')
    other.write(text.replace("<network ", '<network port="8848" ').replace("<phase1 ", '<phase1 nat-traversal="no" '))
    other.launch()
    pid = alice.control("status")["pid"]
    assert other.wait_end() == 3 and (f"another gdoi-gm on this host, process {pid}, has the numbers that begin with 'reqid' 848000"
                                      in other.log.read_text())
    assert policies(alice) == there
    # Nor numbers that overlap: of policies without an SA it knows more than 128.
    text = other.config.read_text()
    other.write(text.replace("<kernel", f'<kernel reqid="{REQID + 1000}"'))
    other.launch()
    assert other.wait_end() == 3 and f"with 'reqid' {REQID + 1000}, or some of them" in other.log.read_text()
    assert policies(alice) == there
    other.write(text.replace("<kernel", f'<kernel reqid="{REQID + 4096}"'))
    mark = other.start()
    other.wait("joined", since=mark)
    assert f"{BAY}/32" in policies(alice)["out"]
    both = policies(alice)
    for killed_one in (other, alice):
        killed_one.kill()
    for again in (alice, other):
        mark = again.start()
        again.wait("joined", since=mark)
        assert again.control("status")["kernel"]["left"] == 0 and policies(alice) == both, "each takes over its own alone"
    other.finish()
    assert policies(alice) == there
    alice.finish()


def test_who_may_not_run_it_keeps_nobody_from_starting(world):
    """The lock is in a place that is root's: one where others may write is not taken, and what anybody may have, as a name of
    a socket without a file, does not count."""
    w, names = world, [socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(4)]
    alice = w.member(groups=[forms.group("plant", NUMBER, join="yes")], kernel={}, start=False)
    with alice.host.inside():
        for i, s in enumerate(names):
            s.bind(f"\0gdoi-gm/reqids/{REQID // 2048 + i - 1}")
    locks = Path(alice.control.path).parent / "locks"
    for mode, says in ((0o777, "others may write there"), (0o720, "others may write there")):
        locks.mkdir(exist_ok=True)
        locks.chmod(mode)
        alice.launch()
        assert alice.wait_end() == 3 and says in alice.log.read_text()
    locks.chmod(0o755)
    os.chown(locks, 12345, 0)
    alice.launch()
    assert alice.wait_end() == 3 and "is somebody else's" in alice.log.read_text()
    os.chown(locks, 0, 0)
    alice.start()
    alice.wait("joined")
    assert len(list(locks.iterdir())) == len({f.stat().st_ino for f in locks.iterdir() if f.stat().st_mode & 0o77 == 0}) > 0
    alice.finish()
    assert list(locks.iterdir()) == [], "an orderly end leaves nothing"
    for s in names:
        s.close()


def test_policies_of_another_priority_are_its_own_too(world):
    """What has no SA is known by its rank; a configuration that changes it hides nothing that was left."""
    alice = killed(world)
    there = policies(alice)
    text = alice.config.read_text()
    alice.write(text.replace("<kernel ", '<kernel priority="5000" '))
    mark = alice.start()
    for name in ("plant", "bay"):
        alice.wait("joined", group=name, since=mark)
    alice.wait("kernel-swept", since=mark)
    assert {way: sorted(set(d)) for way, d in policies(alice).items()} == {
        way: sorted({*d, *([f"{FOREIGN}/32"] if way == "out" else [])}) for way, d in there.items()}
    said = alice.host.run(["ip", "xfrm", "policy", "list", "nosock"]).stdout
    assert said.count(" priority 2000") == 1, "somebody else's"
    alice.kill()
    alice.write(text.replace(' join="yes"', "").replace("<kernel ", '<kernel priority="7000" '))
    mark = alice.start()
    alice.wait("kernel-swept", since=mark)
    assert policies(alice) == {"in": [], "out": [f"{FOREIGN}/32"]} and reqids(alice) == {REQID + 128}
    alice.finish()


def test_nothing_is_opened_while_the_key_server_is_away(world):
    alice = killed(world)
    there = policies(alice)
    world.ground.server.groups.clear()  # it knows nothing of them, for now
    mark = alice.start()
    alice.wait("notified", since=mark)
    assert alice.control("status")["kernel"]["left"] >= 6 and policies(alice) == there
    alice.finish()
    assert policies(alice) == {"in": [], "out": [f"{FOREIGN}/32"]}, "an orderly end takes everything out"
