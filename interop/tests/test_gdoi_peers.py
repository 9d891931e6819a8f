# SPDX-License-Identifier: BSD-2-Clause
"""The Python peers of GDOI with each other over real sockets: UDP 848, multicast, acknowledgements, 4500."""
import time

from msec_scapy.gdoi import check, keylog, phase1
from msec_scapy.gdoi import numbers as n
from msec_scapy.gdoi.policy import IpsecPolicy, KekPolicy, Selector
from msec_scapy.testing.gdoi import Ground

TO_ALL = Selector.parse("239.77.1.1:848")


def test_a_group_by_multicast_with_eviction(net, tmp_path):
    log = keylog.Writer(tmp_path / "keylog")
    with Ground(net, 3, depth=3, kek=KekPolicy(ack=2, dst=TO_ALL), logs=log) as g:
        g.register()
        g.push(lambda ks, group: [ks.rekey_teks(group, time.time())])
        assert g.wait(lambda e: g.count("acknowledged") == 3), g.events
        out = g.addresses[2]
        g.push(lambda ks, group: ks.evict(group, [out], time.time()))
        assert g.wait(lambda e: g.count("acknowledged") == 7), g.events
        assert g.wait(lambda e: g.count("not-for-us", out) == 1 and g.count("refused", out) == 1), g.events
        kept, gone = [r.member for r in g.runners if r.member.config.identity != g.runners[1].member.config.identity], (
            g.runners[1].member)
        assert all(g.group.kek.spi in m.rekeys for m in kept) and g.group.kek.spi not in gone.rekeys
        g.runners[0].leave()
        assert g.wait(lambda e: g.count("left") == 1), g.events
    read = keylog.KeyLog.read(tmp_path / "keylog")
    assert {k.spi for k in (g.group.kek, *g.group.old_keks.values())} == set(read.keks)
    assert len(read.phase1) == 3 and len([i for i in read.ivs if i[1]]) >= 3
    assert any(group_id == g.group.kek.spi for group_id, _, _ in read.lkh)


def test_unicast_rekeys_and_certificates(net):
    with Ground(net, 2, "ecdsa256", mode=phase1.AGGRESSIVE, unicast=True, sids=2, teks=(IpsecPolicy(transform=20),),
                kek=KekPolicy(ack=1)) as g:
        g.register()
        g.push(lambda ks, group: [ks.rekey_kek(group, time.time()), ks.rekey_teks(group, time.time())])
        assert g.wait(lambda e: g.count("acknowledged") == 4), g.events
        assert sorted(s for r in g.runners for s in r.member.sids) == [0, 1, 2, 3]
        g.push(lambda ks, group: [ks.delete_all(group)])
        assert g.wait(lambda e: g.count("deleted") == 2), g.events


def test_a_nat_that_is_seen_moves_the_exchange_to_4500(net):
    """The key server sees another address than the member has hashed: it is told so by a changed NAT-D."""
    with Ground(net, 1, nat_t=True) as g:
        member = g.runners[0].member
        start = member.register
        member.register = lambda ours: start(("192.168.77.7", 848))  # what it believes to be its own
        seen = []
        inner = g.server.receive
        g.server.receive = lambda octets, source, now, ours=None: (
            seen.append((check.header(octets).exchange, source[1], ours[1])), inner(octets, source, now, ours))[1]
        g.register()
        assert member.sa.nat
        assert [s for s in seen if s[0] == n.X_PULL] == [(n.X_PULL, 4500, 4500)] * 2
        main = [s for s in seen if s[0] == n.X_MAIN]  # one may come again
        assert main[:2] == [(n.X_MAIN, 848, 848)] * 2 and main == sorted(main) and main[-1] == (n.X_MAIN, 4500, 4500)
