# SPDX-License-Identifier: BSD-2-Clause
"""gsakmp-gm against a key server written from the RFC alone."""
import time

import pytest

from msec_scapy.testing.ground import serving


def faults(reports):
    return [f"{r.exchange}: {f}" for r in reports for f in r.faults]


@pytest.mark.req(
    "RFC4535-6-01", "RFC4535-6.2-01", "RFC4535-5.2.1.1-05", "RFC4535-7.5.2-08",
    "RFC4535-5.3.1.1-01", "RFC4535-1.1-02", "RFC4535-2-07", "RFC4535-4.4.1-01",
    "RFC4535-5.2.1.2-13", "RFC4535-5.2.1.2-14", "RFC4535-5.2.1.2-16", "RFC4535-5.3.1.1-02",
    "RFC4535-5.3.1.1-03", "RFC4535-5.3.2.3.2-09", "RFC4535-5.3.2.3.2-10", "RFC4535-5.3.2.3.2-11",
    "RFC4535-5.3.2.3.2-13", "RFC4535-5.3.2.3.2-14", "RFC4535-7.3.2-03", "RFC4535-7.4.2-01",
    "RFC4535-7.4.2-03", "RFC4535-7.4.2-04", "RFC4535-7.5.2-02", "RFC4535-7.5.2-03",
    "RFC4535-7.5.2-05", "RFC4535-7.5.2-06", "RFC4535-7.5.2-07", "RFC4535-7.5.2-12",
    "RFC4535-7.5.2-13", "RFC4535-7.5.2-14", "RFC4535-7.5.2-17", "RFC4535-A.2-01", "RFC4535-A.2-02",
    "RFC4535-2-06", "RFC4535-2-08")
@pytest.mark.parametrize("ground", [{"kind": k} for k in ("ecdsa", "rsa", "dsa", "ed25519")],
                         indirect=True, ids=lambda p: p["kind"])
def test_life_of_a_group(ground):
    ground.record()
    with serving(ground.key_server()) as s:
        gms = [ground.gm(f"gm{n}", h) for n, h in enumerate(("gm", "other"))]
        for n, gm in enumerate(gms):
            gm.control("join")
            gm.wait("joined")
            assert s.until(lambda k: sum(m.acknowledged for m in k.members.values()) == n + 1)
        gms[0].wait("rekeyed")
        ground.excluded.append("gm0")
        signed = ground.make_token()
        mark = gms[1].mark()
        s.do(lambda k: k.evict([next(iter(k.members.values())).who], time.time(), signed))
        gms[0].wait(where=lambda e: e["event"] in ("evicted", "left"))
        gms[1].wait("rekeyed", since=mark)
        gms[1].control("leave")
        gms[1].wait("left")
        assert s.until(lambda k: not k.members)
        s.do(lambda k: k.destroy(time.time()))
    for gm in gms:
        gm.finish()
    assert faults(ground.examine()) == []
