# SPDX-License-Identifier: BSD-2-Clause
"""SAs for whole networks and ranges, which Linux has no states for: gdoi-gm keeps what they protect from leaving in clear."""
import errno
import ipaddress

import pytest

from lab import gdoi_member as forms
from lab.daemons import Sockets
from lab.gdoi_served import Served, places
from msec_scapy.gdoi import numbers as n
from msec_scapy.gdoi.policy import IpsecPolicy, KekPolicy, Selector
from msec_scapy.testing.gdoi import Ground

PROPOSAL = {"encryption": "aes128-cbc", "hash": "sha256", "authentication": "psk", "group": "ecp256"}
NETWORK = Selector.parse("10.77.7.0/24")  # that of all hosts here, the key server's too


@pytest.fixture
def join(net, tmp_path):
    """Has a gdoi-gm with <kernel/> join a group of one SA for `dst`: join(dst, ...) is (Ground, member)."""
    sockets, made = Sockets(), []

    def make(dst, **kernel):
        ground = Ground(net, 0, teks=[IpsecPolicy(mode=n.MODE_TRANSPORT, dst=dst)],
                        kek=KekPolicy(src=Selector.parse("10.77.7.10:848"), dst=Selector.parse("239.77.1.1:848")))
        ground.__enter__()
        host = net.host("alice", ground.segment, 30)
        alice = forms.Member(host, "alice", tmp_path / "daemons", sockets)
        made.append((ground, alice))
        psk = forms.psk_file(tmp_path, "alice", "a secret for all of them")
        inside = forms.phase1({ground.addresses[0]: psk}, [("*.*.*.*", "ipv4")], PROPOSAL)
        alice.write(forms.config(f'  <identity name="{host.ip4}" name-type="ipv4"/>\n', inside, [ground.addresses[0]],
                                 [forms.group("plant", 1234)], "alice.db", sockets.path / "alice", kernel=kernel))
        alice.start()
        alice.control("join")
        alice.wait("joined")
        alice.wait("kernel-refused")
        return ground, alice
    yield make
    for ground, alice in made:
        if alice.running:
            alice.finish()
        ground.__exit__(None, None, None)
    sockets.close()


def leaves(member, address):
    """Does a datagram of an application on that host leave for the address in clear?"""
    with member.host.udp() as s:
        try:
            s.sendto(b"in clear", (address, 9))
            return True
        except PermissionError as e:
            assert e.errno == errno.EPERM
            return False


def span(first, last):
    return Selector(n.ID_IPV4_RANGE, ipaddress.ip_address(first).packed + ipaddress.ip_address(last).packed)


def again(ground, alice):
    """The member registers once more: its own datagrams reach the key server all the same."""
    mark = alice.mark()
    alice.control("reregister")
    alice.wait("joined", since=mark)


@pytest.mark.req("RFC6407-5.5.1.1.2-02")
def test_nothing_leaves_for_a_network_without_an_sa_but_what_asks_for_keys(join):
    ground, alice = join(NETWORK)
    assert not leaves(alice, "10.77.7.77") and not leaves(alice, ground.addresses[0])
    assert alice.wait("kernel-note", where=lambda e: "thrown away" in e["what"])
    assert alice.control("status")["kernel"]["blocked_selectors"] == 1
    again(ground, alice)
    assert not leaves(alice, "10.77.7.77")
    mark = alice.mark()
    alice.control("leave")
    alice.wait("left", since=mark)
    assert leaves(alice, "10.77.7.77"), "who has left is not in its way"
    assert "block" not in alice.host.run(["ip", "xfrm", "policy"]).stdout


def test_a_range_is_closed_to_its_last_address_and_not_beyond(join):
    _, alice = join(span("10.77.7.70", "10.77.7.90"))
    assert [leaves(alice, f"10.77.7.{i}") for i in (69, 70, 77, 90, 91)] == [True, False, False, False, True]
    alice.finish()
    assert leaves(alice, "10.77.7.77"), "nor is who has ended"


def test_a_network_stays_open_where_the_configuration_says_so(join):
    _, alice = join(NETWORK, fail_close_networks="no")
    assert leaves(alice, "10.77.7.77") and alice.control("status")["kernel"]["blocked_selectors"] == 0


@pytest.mark.req("RFC6407-5.3-01")
def test_pushes_to_our_own_address_come_in_at_one_port(net, tmp_path):
    """By unicast without a port, which is that of registration. To the kernel none would be every one."""
    with Served(tmp_path, net, kek=KekPolicy(src=places()["src"], dst=Selector.parse("10.77.7.30"))) as w:
        alice, = w.begin("alice", kernel={})
        assert alice.host.ip4 == "10.77.7.30"
        alice.wait("joined")
        policies = alice.host.run(["ip", "xfrm", "policy", "list", "dir", "in"]).stdout.split("\nsrc ")
        assert ["dport 848" in p for p in policies if "dst 10.77.7.30/32" in p] == [True], policies


@pytest.mark.req("RFC6407-5.3-01")
@pytest.mark.parametrize("port", [848, 8848])
def test_pushes_to_a_group_without_a_port_are_heard_at_848(net, tmp_path, port):
    """Wherever the member itself registers from."""
    with Served(tmp_path, net, kek=KekPolicy(src=places()["src"], dst=Selector.parse("239.77.1.1"))) as w:
        alice, = w.begin("alice", network={"port": port})
        alice.wait("joined")
        w.push(lambda server, group, now: [server.rekey_teks(group, now)])
        assert alice.wait("rekeyed")["sequence"] == 1
