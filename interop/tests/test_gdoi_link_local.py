# SPDX-License-Identifier: BSD-2-Clause
"""Key servers whose addresses are of a link: the same one may be there on each of a member's links."""
import socket

import pytest

from lab import gdoi_member as forms
from lab.daemons import Sockets
from lab.gdoi_served import NUMBER, PROPOSAL, PSK
from msec_scapy.gdoi import numbers as n

LINK_LOCAL = "fe80::99"
AT_EXCHANGE = 18


@pytest.fixture
def links(net, tmp_path):
    """A host on two links, each with a neighbour of the same address, and those."""
    segments = [net.segment("left", 7), net.segment("right", 8)]
    neighbours = [net.host(f"at-{s.name}", s, 10) for s in segments]
    for host in neighbours:
        host.ip(f"addr add {LINK_LOCAL}/64 dev eth0 nodad")
    sockets = Sockets()
    yield net.router("alice", segments), neighbours, sockets
    sockets.close()


@pytest.mark.parametrize("order", [("eth0", "eth1"), ("eth1", "eth0")])
def test_each_is_asked_on_its_own_link(links, tmp_path, order):
    host, neighbours, sockets = links
    heard = {f"eth{i}": h.udp(848, socket.AF_INET6) for i, h in enumerate(neighbours)}
    alice = forms.Member(host, "alice", tmp_path / "daemons", sockets)
    first = forms.phase1({LINK_LOCAL: forms.psk_file(tmp_path, "alice", PSK)}, [("*", "fqdn")], PROPOSAL)
    who = '  <identity name="alice.example" name-type="fqdn"/>\n'
    alice.write(forms.config(who, first, [f"{LINK_LOCAL}%{link}" for link in order], [forms.group("plant", NUMBER, join="yes")],
                             "alice.db", sockets.path / "alice"))
    alice.start()
    for link in order:
        dgram, peer = heard[link].recvfrom(65535)
        assert dgram[AT_EXCHANGE] == n.X_MAIN and peer[0].startswith("fe80::")
    alice.finish()
    for s in heard.values():
        s.close()
