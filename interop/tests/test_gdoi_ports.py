# SPDX-License-Identifier: BSD-2-Clause
"""Several processes of a host and one port: who receives PUSHes there, which go to a group, takes nothing from who has the port at
the host's own addresses.  So they go together, whoever comes first; two that want the same do not."""

import errno
import itertools
import socket

import pytest

from lab import gdoi_forms
from lab import gdoi_member as forms
from lab.daemons import Daemon
from lab.gdoi import opened
from lab.gdoi_served import Served
from msec_scapy.gdoi import numbers as n
from msec_scapy.gdoi.policy import IpsecPolicy, Selector

QUICK = {"backoff": "200ms", "backoff_max": "1s"}


@pytest.fixture
def world(net, tmp_path):
    with Served(tmp_path, net, teks=[IpsecPolicy(mode=n.MODE_TRANSPORT, dst=Selector.parse("239.5.5.5"))]) as w:
        yield w


def no_nat(text: str) -> str:
    return text.replace("<phase1 ", '<phase1 nat-traversal="no" ')


def beside(w, first, name: str, port: int):
    """Another gdoi-gm on the host of `first`."""
    m = w.members[name] = forms.Member(first.host, name, w.dir / "daemons", w.sockets, w.dir / "keylog")
    text = first.config.read_text().replace('path="alice.db"', f'path="{name}.db"').replace(str(first.control.path), str(m.control.path))
    m.write(no_nat(text.replace("<network ", f'<network port="{port}" ')))
    return m


def test_members_that_receive_pushes_at_one_port(world):
    """Both get the PUSH, in whatever order they have started; a third one that wants to register from 848, too, is told that it
    cannot."""
    alice = world.join("alice")
    other = beside(world, alice, "other", 8848)
    other.start()
    other.control("join")
    other.wait("joined")
    alice.finish()
    mark = alice.start()
    alice.control("join")
    alice.wait("joined", since=mark)
    marks = {m: m.mark() for m in (alice, other)}
    world.push(lambda server, group, now: [server.rekey_teks(group, now)])
    for m in (alice, other):
        m.wait("rekeyed", since=marks[m])
    third = beside(world, alice, "third", 848)
    third.launch()
    assert third.wait_end() == 5 and "udp 0.0.0.0:848: Address already in use" in third.log.read_text()


def thief(host, address: str, port: int):
    """What another user of the host would have to bind; the number of the error, or 0."""
    with host.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((address, port))
        except OSError as e:
            return e.errno
    return 0


def test_ports_that_any_user_may_bind_to_are_shared_with_nobody(tmp_path, net_prefix):
    """Not that of NAT traversal, of a key server or a member; nor one of a key server that takes no rights to bind to."""
    with opened(tmp_path, net_prefix) as make:
        g = make("alice", start=False)
        g.listen = ["0.0.0.0"]
        g.write_config()
        config = g.config()
        for port in (848, 8848):
            g.write_config(config.replace('" port="848"/>', f'" port="{port}"/>'))
            g.start()
            for at in (port, 4500):
                expected = 0 if at == 848 else errno.EADDRINUSE
                assert thief(g.scene["keys"], g.address("keys"), at) == expected, (port, at)
            g.keys.finish()
        alice = g.member("alice")
        alice.start()
        assert thief(alice.host, g.address("alice"), 4500) == errno.EADDRINUSE


def test_a_member_at_a_port_that_any_user_may_bind_to(tmp_path, net_prefix):
    """Nobody else has it, and PUSHes to a group at that very port are received there: no second socket is bound beside it."""
    with opened(tmp_path, net_prefix) as make:
        g = make("alice", push={"destination-port": 8848})
        alice = g.member("alice", membership=QUICK, network={"port": 8848})
        alice.start()
        taken = lambda: [thief(alice.host, at, 8848) for at in (g.address("alice"), "0.0.0.0", g.rekey_address)]
        assert taken() == [errno.EADDRINUSE] * 3
        alice.control("join")
        alice.wait("joined")
        assert [(r["address"], r["joined"]) for r in alice.control("status")["receivers"]] == [(f"{g.rekey_address}:8848", True)]
        assert taken() == [errno.EADDRINUSE] * 3
        for words in (("tek", "now"), ("kek", "now"), ("tek", "now")):
            mark = alice.mark()
            g.keys.control("rekey", *words)
            alice.wait("rekeyed", since=mark)
        assert not alice.find("receiver-failed")
        alice.control("leave")
        alice.wait("left")
        assert alice.control("status")["receivers"] == []
        with alice.host.inside():
            assert g.rekey_address not in joined_groups()


def joined_groups() -> list:
    """What this network namespace has joined (igmp(7)), as addresses."""
    with open("/proc/thread-self/net/igmp") as f:
        words = [line.split()[0] for line in f if line.startswith("\t\t\t\t")]
    return [socket.inet_ntoa(bytes.fromhex(w)[::-1]) for w in words]


def test_of_two_key_servers_of_one_user_that_start_together_one_has_the_port(tmp_path, net_prefix):
    with opened(tmp_path, net_prefix) as make:
        g = make("alice", start=False)
        other = Daemon(g.scene["keys"], "gdoi-gcks", "other", g.dir / "daemons", g.sockets)
        text = g.config()
        g.write_config(text)
        other.write(text.replace('"keys.db"', '"other.db"').replace(str(g.sockets.path / "keys"), str(g.sockets.path / "other")))
        for _ in range(3):
            both = (g.keys, other)
            for d in both:
                d.launch()
            loser = next(d for d in itertools.cycle(both) if d.returncode is not None)
            winner = both[0] if loser is both[1] else both[1]
            assert loser.wait_end() == 5 and "Address already in use" in loser.log.read_text()
            winner.wait("ready")
            winner.finish()


def test_a_key_server_and_a_member_on_one_host(tmp_path, net_prefix):
    with opened(tmp_path, net_prefix) as make:
        g = make("alice", start=False, auth="ecdsa")
        g.listen = ["0.0.0.0"]
        g.write_config()
        g.start()
        keys = g.scene["keys"]
        m = forms.Member(keys, "own", g.dir / "daemons", g.sockets, g.keylog)
        m.write(forms.config(gdoi_forms.identity(g, "alice"), no_nat(gdoi_forms.phase1(g, "alice", ["keys"])), [g.address("keys")],
                             [forms.group(g.name, **g.id)], "own.db", g.sockets.path / "own", membership=QUICK,
                             network={"port": 8848}))
        for who_is_first in ("key server", "member"):
            if who_is_first == "key server":
                m.start()
                m.control("join")
                m.wait("joined")
            else:
                g.keys.finish()
                g.start()
            at = [r for r in m.control("status")["receivers"] if r["address"] == f"{g.rekey_address}:848"]
            assert len(at) == 1 and at[0]["joined"], who_is_first
            assert not m.find("receiver-failed")
        m.finish()
