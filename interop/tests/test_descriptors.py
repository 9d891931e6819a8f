# SPDX-License-Identifier: BSD-2-Clause
"""A daemon without a descriptor left: strangers' connections make room, nothing spins, and it goes on when there is one."""
import itertools
import os
import resource
import socket

import pytest

from lab.process import PATIENCE
from lab.scene import OWNER_PORT
from lab.story import GROUP
from msec_scapy.testing.ground import PORT, Ground

FEW = 8  # connections that the daemon still has descriptors for
BUSY_S = 1.0  # CPU time of a daemon that would spin for as long as the tests below take


class Scarce:
    """`with Scarce(daemon, n):` the daemon can open n descriptors and no more."""

    def __init__(self, daemon, more):
        self.pid, self.more = daemon._p.pid, more

    def _limit(self):
        """Descriptors are given out from the lowest on: below the limit there are to be so many free ones."""
        used = {int(n) for n in os.listdir(f"/proc/{self.pid}/fd")}
        return next(itertools.islice((n for n in itertools.count() if n not in used), self.more, None))

    def __enter__(self):
        self.before = resource.prlimit(self.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE, (self._limit(), self.before[1]))
        self.used = self._cpu()
        return self

    def __exit__(self, *_):
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE, self.before)

    def _cpu(self):
        fields = open(f"/proc/{self.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def cpu(self):
        return self._cpu() - self.used


def dial(host, where, n):
    with host.inside():
        return [socket.create_connection(where, timeout=PATIENCE) for _ in range(n)]


def close(sockets):
    for s in sockets:
        s.close()


def complaints(daemon):
    return sum("accept: Too many open files" in line for line in daemon.tail(100000))


@pytest.fixture
def town(group):
    return group("alice", cast=["owner"], delivery="tls")


def test_the_group_owner_lets_those_go_who_have_shown_nothing(town):
    """Silent connections have all its descriptors; a key server comes back all the same, and gets the next edition."""
    town.keys.kill()
    with Scarce(town.owner, FEW) as scarce:
        held = dial(town.scene["alice"], (town.scene["owner"].ip4, OWNER_PORT), 4 * FEW)
        town.owner.wait("rejected", where=lambda e: e.get("reason") == "others are waiting")
        mark = town.keys.start()
        town.keys.wait("owner-up", since=mark)
        assert complaints(town.owner)
        assert scarce.cpu < BUSY_S
        close(held)
    town.owner.control("exclude", town.pki.parties["bob"].dn, GROUP)
    town.keys.wait("token", edition=2)


def test_the_group_owner_waits_where_there_is_nobody_to_let_go(town):
    """And takes the connection that waits as soon as it can."""
    town.keys.kill()
    town.owner.wait("disconnected")
    with Scarce(town.owner, 0) as scarce:
        held = dial(town.scene["alice"], (town.scene["owner"].ip4, OWNER_PORT), 1)
        held[0].settimeout(1.5)
        with pytest.raises(socket.timeout):
            held[0].recv(1)
        assert complaints(town.owner) in range(1, 20), "a few times a second, not as often as the loop goes round"
        assert scarce.cpu < BUSY_S
    mark = town.keys.start()
    town.keys.wait("owner-up", since=mark)
    close(held)


def test_a_key_server_lets_the_longest_idle_go(tmp_path, net_prefix):
    with Ground(tmp_path, net_prefix) as g:
        keys = g.gcks(signed=g.make_token(transport="tcp"))
        with Scarce(keys, FEW) as scarce:
            held = dial(g.hosts["evil"], (g.address("keys"), PORT), 4 * FEW)
            runner = g.member("gm0", transport="tcp")
            runner.timeout = 10
            assert runner.join()
            keys.wait("member-active")
            assert complaints(keys)
            assert scarce.cpu < BUSY_S
            close(held)
        keys.finish()


def test_the_control_socket_waits_for_a_descriptor(tmp_path, net_prefix):
    """Nobody else's connection is closed for it; the command is answered when there is one."""
    with Ground(tmp_path, net_prefix) as g:
        gm = g.gm()
        with socket.socket(socket.AF_UNIX) as asks:
            asks.settimeout(1.5)
            with Scarce(gm, 0) as scarce:
                asks.connect(str(gm.control.path))
                asks.sendall(b'{"cmd":"status"}\n')
                with pytest.raises(socket.timeout):
                    asks.recv(1)
                assert complaints(gm) in range(1, 20)
                assert scarce.cpu < BUSY_S
            asks.settimeout(60)
            assert asks.makefile().readline().startswith('{"ok":true')
        gm.finish()
