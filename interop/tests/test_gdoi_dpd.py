# SPDX-License-Identifier: BSD-2-Clause
"""Dead peers (RFC 3706) between the C and the Python implementation: each asks and answers, each finds the other dead."""
import pytest

from lab.gdoi_peers import Ground
from lab.gdoi_served import Served

QUICK = {"dpd": "1s", "dpd-retry": "200ms", "dpd-tries": "20"}
TWICE = ("RFC3706-5.5-02", "RFC2408-5.2-07")  # refused: an answer that was slow to come is asked for twice, and there are two
FEW, MANY = 4, 300  # questions: of who is to find the other dead, of who is only to ask


def both_ways(config):
    config.dpd, config.dpd_retry, config.dpd_tries, config.dpd_answers = 0.3, 0.2, MANY, True


def test_a_member_in_c_and_a_key_server_in_python(net, tmp_path):
    told = lambda kind, times: (lambda events: sum(e == "notified" and f["notify"] == kind for _, e, f in events) >= times)
    with Served(tmp_path, net) as served:
        ground = served.ground
        both_ways(ground.server.config)
        alice = served.join(phase1={k.replace("-", "_"): v for k, v in QUICK.items()}, membership={"keep_phase1": "yes"})
        assert ground.wait(told("R-U-THERE-ACK", 2)), "it is asked, and answers"
        # to be asked itself it has to be silent
        ground.server.config.dpd = 0
        for sa in ground.server.sas.values():
            sa.dpd.at = None
        assert ground.wait(told("R-U-THERE", 2)), "it asks"
        assert not alice.find("phase1-down"), "and is answered"
        assert not [f for _, e, f in ground.events if e == "refused" and f["req"] not in TWICE]
        assert not alice.find("refused", where=lambda e: e["req"] not in TWICE)
        mark = alice.mark()
        receive, ground.server.receive = ground.server.receive, lambda *_: []
        assert "dead" in alice.wait("phase1-down", since=mark)["reason"]
        ground.server.receive = receive
        ground.server.config.dpd, ground.server.config.dpd_tries = 0.7, FEW
        alice.wait("phase1-up", since=mark)
        alice.kill()
        assert ground.wait(lambda events: any(e == "peer-dead" for _, e, _ in events))


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
    assert not group.keys.find("phase1-down") and not group.keys.find("refused", where=lambda e: e["req"] not in TWICE)
    mark = group.keys.mark()
    bob.close()
    group.peers.remove(bob)
    down = group.keys.wait("phase1-down", since=mark, where=lambda e: "bob" in e["peer"])
    assert "dead" in down["reason"]
    alice.member.config.dpd_tries = FEW
    group.keys.kill()
    alice.wait("peer-dead")
    group.keys.start()
    assert alice.register(), "and with another phase 1 it is back"
