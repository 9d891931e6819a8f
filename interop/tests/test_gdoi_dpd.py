# SPDX-License-Identifier: BSD-2-Clause
"""Dead peers (RFC 3706) between the C and the Python implementation: each asks and answers, each finds the other dead."""
import pytest

from lab import gdoi_member as forms
from lab.daemons import Sockets
from lab.gdoi_peers import Ground
from msec_scapy.gdoi.policy import KekPolicy, Selector
from msec_scapy.testing import gdoi as python

QUICK = {"dpd": "1s", "dpd-retry": "200ms", "dpd-tries": "4"}
PSK, NUMBER = "a secret for all of them", 1234


def both_ways(config):
    config.dpd, config.dpd_retry, config.dpd_tries, config.dpd_answers = 0.3, 0.2, 4, True


def test_a_member_in_c_and_a_key_server_in_python(net, tmp_path):
    kek = KekPolicy(src=Selector.parse("10.77.7.10:848"), dst=Selector.parse("239.77.1.1:848"))
    ground, sockets = python.Ground(net, 0, kek=kek), Sockets()
    host = net.host("alice", ground.segment, 30)
    both_ways(ground.server.config)
    alice = forms.Member(host, "alice", tmp_path / "daemons", sockets)
    inside = forms.phase1({ground.addresses[0]: forms.psk_file(tmp_path, "alice", PSK)}, [("*.*.*.*", "ipv4")],
                          {"encryption": "aes128-cbc", "hash": "sha256", "authentication": "psk", "group": "ecp256"},
                          dpd="1s", dpd_retry="200ms", dpd_tries="4")
    alice.write(forms.config(f'  <identity name="{host.ip4}" name-type="ipv4"/>\n', inside, [ground.addresses[0]],
                             [forms.group("plant", NUMBER)], "alice.db", sockets.path / "alice", membership={"keep_phase1": "yes"}))
    told = lambda kind, times: (lambda events: sum(e == "notified" and f["notify"] == kind for _, e, f in events) >= times)
    try:
        with ground:
            alice.start()
            alice.control("join")
            alice.wait("joined")
            assert ground.wait(told("R-U-THERE-ACK", 2)), "it is asked, and answers"
            # to be asked itself it has to be silent
            ground.server.config.dpd = 0
            for sa in ground.server.sas.values():
                sa.dpd.at = None
            assert ground.wait(told("R-U-THERE", 2)), "it asks"
            assert not alice.find("phase1-down"), "and is answered"
            assert not ground.count("refused") and not alice.find("refused")
            mark = alice.mark()
            receive, ground.server.receive = ground.server.receive, lambda *_: []
            assert "dead" in alice.wait("phase1-down", since=mark)["reason"]
            ground.server.receive = receive
            ground.server.config.dpd = 0.7
            alice.wait("phase1-up", since=mark)
            alice.kill()
            assert ground.wait(lambda events: any(e == "peer-dead" for _, e, _ in events))
    finally:
        sockets.close()


@pytest.fixture
def group(tmp_path, net_prefix):
    with Ground(tmp_path / "group", ["alice", "bob"], prefix=net_prefix, phase1=QUICK) as g:
        g.start()
        yield g


def test_a_key_server_in_c_and_a_member_in_python(group):
    alice, bob = group.peer("alice"), group.peer("bob")
    for p in (alice, bob):
        both_ways(p.member.config)
    bob.member.config.dpd = 0
    alice.follow()
    bob.follow()
    alice.wait("notified", 2, where=lambda f: f["notify"] == "R-U-THERE-ACK")
    bob.wait("notified", 2, where=lambda f: f["notify"] == "R-U-THERE")
    assert not group.keys.find("phase1-down") and not group.keys.find("refused")
    mark = group.keys.mark()
    bob.close()
    group.peers.remove(bob)
    down = group.keys.wait("phase1-down", since=mark, where=lambda e: "bob" in e["peer"])
    assert "dead" in down["reason"]
    group.keys.kill()
    alice.wait("peer-dead")
    group.keys.start()
    assert alice.register(), "and with another phase 1 it is back"
