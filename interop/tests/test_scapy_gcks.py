# SPDX-License-Identifier: BSD-2-Clause
"""gsakmp-gcks against members written from the RFC alone."""
import pytest

from lab.process import PATIENCE
from msec_scapy import member as members


def faults(reports):
    return [f"{r.exchange}: {f}" for r in reports for f in r.faults]


@pytest.mark.req(
    "RFC4535-6-01", "RFC4535-6.2-01", "RFC4535-5.2-01", "RFC4535-5.2-03", "RFC4535-1.1-01",
    "RFC4535-3.2-01", "RFC4535-5.2.1.1-06", "RFC4535-5.2.1.1-13", "RFC4535-5.2.1.1-17",
    "RFC4535-5.2.1.4-10", "RFC4535-5.2.1.4-12", "RFC4535-5.2.1.4-13", "RFC4535-5.3.2.3.1-06",
    "RFC4535-5.3.2.3.1-07", "RFC4535-5.3.2.3.1-12", "RFC4535-5.3.2.3.3-07", "RFC4535-5.3.2.3.3-11",
    "RFC4535-5.3.2.3.3-12", "RFC4535-7.12.2-02", "RFC4535-7.12.2-03", "RFC4535-7.9.2-03",
    "RFC4535-7.8.1-06")
@pytest.mark.parametrize("ground", [{"kind": k} for k in ("ecdsa", "rsa", "dsa", "ed25519")],
                         indirect=True, ids=lambda p: p["kind"])
def test_life_of_a_group(ground):
    server = ground.record().gcks()
    gms = [ground.member(f"gm{n}", h) for n, h in enumerate(("gm", "other"))]
    for runner in gms:
        assert runner.join(), runner.member.refusals
    server.wait("member-active")
    assert gms[0].run(PATIENCE, lambda: gms[0].member.sequences)
    assert gms[0].member.ring.gtpk == gms[1].member.ring.gtpk
    assert gms[0].leave() and gms[0].member.state == members.LEFT
    assert gms[1].run(PATIENCE, lambda: len(gms[1].member.sequences) > 0)
    server.finish()
    assert faults(ground.examine()) == []
