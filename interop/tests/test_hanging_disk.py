# SPDX-License-Identifier: BSD-2-Clause
"""Key servers whose disk hangs: what needs no commit goes on, nothing that does leaves before its commit is done, what may
wait in memory is bounded, and the end waits for the commit that is under way."""
import contextlib
import socket
import threading
from pathlib import Path

import pytest

from lab import faults
from lab.gdoi_peers import Ground as GdoiGround
from lab.process import PATIENCE
from msec_scapy.testing.ground import PORT, Ground

BEHIND_MAX = 1024  # messages that one worker works through while its commit is waited for


@pytest.fixture
def disk(tmp_path):
    with faults.Disk(tmp_path / "disk") as d:
        yield d


@pytest.fixture
def ground(tmp_path, net_prefix, disk):
    with Ground(tmp_path / "ground", net_prefix) as g:
        yield g
        disk.release()


@pytest.fixture
def gdoi(tmp_path, net_prefix, disk):
    with GdoiGround(tmp_path / "gdoi", ["alice", "bob"], prefix=net_prefix, workers=1) as g:
        g.keys.start(env=disk.env)
        yield g
        disk.release()


def gsakmp_server(ground, disk):
    """With one worker, and the disk that can hang."""
    server = ground.gcks()
    server.finish()
    server.write(server.config.read_text().replace('workers="2"', 'workers="1"'))
    server.start(env=disk.env)
    return server


def until(what, text, seconds=PATIENCE):
    """For what the kernel knows and tells nobody."""
    for _ in range(int(seconds / 0.02)):
        if what():
            return
        threading.Event().wait(0.02)
    raise AssertionError(text)


def waits_in(daemon, name):
    """Where in the kernel a thread of the daemon waits; empty: it does not."""
    found = []
    for task in Path(f"/proc/{daemon._p.pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # others may end just now
            if (task / "comm").read_text().strip() == name:
                found.append((task / "wchan").read_text().strip())
    text, = found
    return "" if text == "0" else text


def unread(host):
    """Octets in the receive queues of the host's UDP sockets."""
    with host.inside():
        rows = Path("/proc/thread-self/net/udp").read_text().splitlines()[1:]
    return sum(int(row.split()[4].split(":")[1], 16) for row in rows)


@pytest.mark.req("RFC4535-7.1.1-12")
def test_messages_behind_a_hanging_commit_are_bounded(ground, disk):
    server = gsakmp_server(ground, disk)
    alice = ground.gm("gm0")
    keys = ground.hosts["keys"]
    disk.hang()
    alice.control("join")
    disk.wait()
    assert server.control("status")["groups"], "the main thread has nothing to commit and goes on"
    with ground.hosts["evil"].inside():
        evil = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with evil:
        def send(count):
            for _ in range(count):
                evil.sendto(b"this is no GSAKMP message", (ground.address("keys"), PORT))

        # Below the bound: the worker reads on, and has done everything that came.
        for _ in range((BEHIND_MAX - 100) // 77):  # so many at once find room in any socket
            send(77)
            until(lambda: not unread(keys), "the worker does not read on while the commit hangs")
        until(lambda: not unread(keys) and waits_in(server, "worker-0").startswith(("ep_", "do_epoll")),
              "the worker does not read on while the commit hangs")
        assert not alice.find("joined") and not server.find("member-active")
        # Above it waits for the disk, too, and what comes stays with the system.
        send(200)
        until(lambda: waits_in(server, "worker-0").startswith("futex"), "the worker goes on for ever")
        send(10)
        until(lambda: unread(keys), "the worker reads on")
        assert waits_in(server, "worker-0").startswith("futex")
    assert not alice.find("joined") and not server.find("member-active")
    disk.release()
    alice.wait("joined")
    server.wait("member-active")
    until(lambda: len(server.find("refused")) >= BEHIND_MAX - 100, "what was worked through meanwhile is not told")
    until(lambda: not unread(keys), "the worker does not come back")
    server.finish()


@pytest.mark.req("RFC4535-7.1.1-12")
def test_gsakmp_gcks_ends_when_its_commit_has(ground, disk):
    server = gsakmp_server(ground, disk)
    alice = ground.gm("gm0")
    disk.hang()
    alice.control("join")
    disk.wait()
    server._p.terminate()
    until(lambda: waits_in(server, "gsakmp-gcks").startswith("futex"), "it does not wait for its threads")
    assert server.running and not alice.find("joined")
    disk.release()
    assert server.wait_end() == 0
    server.start(env=disk.env)
    alice.wait("joined")
    server.finish()


@pytest.mark.req("RFC6407-5.7-02")
def test_only_what_depends_on_the_commit_waits_for_it(gdoi, disk):
    g = gdoi
    alice, bob = g.member("alice"), g.member("bob")
    for m in alice, bob:
        m.start()
    disk.hang()
    alice.control("join")
    disk.wait()
    bob.control("join")
    g.keys.wait("phase1-up", where=lambda e: "bob" in e["peer"])
    assert g.status()["state"] == "open", "the main thread has nothing to commit and goes on"
    assert not g.keys.find("joined") and not alice.find("joined")
    disk.release()
    for m in alice, bob:
        m.wait("joined")
    assert len(g.keys.find("joined")) == 2 and g.status()["members"] == 2
    g.finish()


@pytest.mark.req("RFC6407-5.7-02")
def test_gdoi_gcks_ends_when_its_commit_has(gdoi, disk):
    g = gdoi
    alice = g.member("alice")
    alice.start()
    disk.hang()
    alice.control("join")
    disk.wait()
    g.keys._p.terminate()
    until(lambda: waits_in(g.keys, "gdoi-gcks").startswith("futex"), "it does not wait for its threads")
    assert g.keys.running and not alice.find("joined")
    disk.release()
    assert g.keys.wait_end() == 0
    g.keys.start(env=disk.env)
    assert g.status()["members"] == 1, "what was under way is on the disk"
    alice.wait("joined")
    g.finish()
