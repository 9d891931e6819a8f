# SPDX-License-Identifier: BSD-2-Clause
"""Rekey Events of a size (RFC 4535 7.5.1): several payloads in a message, several messages without an IP fragment."""
import pytest
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment
from scapy.utils import PcapNgReader

from lab.process import PATIENCE
from msec_scapy import flows, message
from msec_scapy import registry as reg
from msec_scapy.dialect import Dialect
from msec_scapy.gsakmp import RekeyEvent
from msec_scapy.testing.ground import PORT, REKEY_PORT

MEMBERS = 7


def grounds(**names):
    return pytest.mark.parametrize("ground", list(names.values()), indirect=True, ids=list(names))


def group_of(ground, rekey):
    """gsakmp-gcks with Python members, all of them in step."""
    server = ground.record().gcks(rekey=rekey)
    runners = [ground.member(f"gm{n}", ("gm", "other")[n % 2]) for n in range(MEMBERS)]
    for r in runners:
        assert r.join(), r.member.refusals
    mark = server.mark()
    server.control("rekey", "ground")
    follow(runners, server.wait("rekeyed", since=mark)["sequence"])
    return server, runners


def follow(runners, sequence):
    for r in runners:
        assert r.run(PATIENCE, lambda r=r: max(r.member.followed.values(), default=0) >= sequence), r.member.refusals


def evict(server, runners):
    """One of them goes, the others follow; the Sequence IDs of that."""
    mark = server.mark()
    out = runners.pop()
    server.control("evict", f"CN=gm{MEMBERS - 1},O=MSEC Lab")
    server.wait("rekeyed", since=mark)
    last = server.control("status", "ground")["groups"][0]["sequence"]
    follow(runners, last)
    newest = {r.member.ring.gtpk[b"GTPK"].handle for r in runners}
    assert len(newest) == 1 and out.member.ring.gtpk[b"GTPK"].handle not in newest
    return last


def rekeys(ground):
    ground.recording.stop()
    return [m for m in (message.parse(c.octets, ground.dialect) for c in flows.messages(
        ground.dir / "capture.pcapng", (PORT, REKEY_PORT))) if m.exchange == reg.X_REKEY]


def fragments(ground):
    """IP packets to the multicast group: [(octets, is a fragment)]."""
    out = []
    with PcapNgReader(str(ground.dir / "capture.pcapng")) as reader:
        for p in reader:
            ip = p.getlayer(IP) or p.getlayer(IPv6)
            if ip is None or ip.dst != ground.multicast:
                continue
            if ip.version == 4:
                if ip.proto == 17:
                    out.append((ip.len, bool(ip.flags.MF or ip.frag)))
            elif ip.nh in (17, 44):
                out.append((ip.plen + 40, IPv6ExtHdrFragment in p))
    return out


@pytest.mark.parametrize("limited", [True, False], ids=["mtu", "no-mtu"])
@grounds(ipv4={}, ipv6={"ip": 6})
@pytest.mark.req("RFC4535-7.5.1-01", "RFC4535-7.5.1-02", "RFC4535-7.1.1-12")
def test_no_rekey_is_fragmented_when_the_mtu_is_told(ground, limited):
    """On a network with that MTU; without being told, the key server's datagrams are fragmented."""
    mtu, certificates = (1300, "yes") if ground.ip == 6 else (576, "no")
    server, runners = group_of(ground, f'<rekey mtu="{mtu}" certificates="{certificates}"/>' if limited else "")
    ground.hosts["keys"].ip(f"link set eth0 mtu {mtu}")
    before = max(runners[0].member.followed.values())
    last = evict(server, runners)
    oversize = server.control("status", "ground")["groups"][0]["oversize"]
    server.finish()
    events = [m for m in rekeys(ground) if m.packet.sequence > before]
    assert {m.packet.sequence for m in events} == set(range(before + 1, last + 1))
    found = fragments(ground)[-len(events):] if limited else fragments(ground)
    assert any(fragment for _, fragment in found) is not limited
    if limited:
        assert len(events) > 1 and oversize == 0
        assert all(octets <= mtu for octets, _ in found)


@grounds(payload={}, total={"dialect": Dialect(rekey_counts="total")})
@pytest.mark.req("RFC4535-7.5.1-02", "RFC4535-7.5.2-08", "RFC4535-7.5.1.1-01")
def test_one_message_with_several_payloads(ground):
    """Each payload has a header of its own, Datas are never cut, members of the other implementation read them all."""
    server, runners = group_of(ground, '<rekey payload-max="300"/>')
    before = max(runners[0].member.followed.values())
    last = evict(server, runners)
    assert last == before + 1
    server.finish()
    (event,) = [m for m in rekeys(ground) if m.packet.sequence == last]
    parts = event.all(RekeyEvent)
    assert len(parts) > 1
    counts = [len(p.datas) for p in parts]
    assert [p.count for p in parts] == ([sum(counts)] * len(parts) if ground.dialect.rekey_counts == "total" else counts)
    assert all(len(bytes(p)) - len(bytes(p.payload)) <= 300 or len(p.datas) == 1 for p in parts)
