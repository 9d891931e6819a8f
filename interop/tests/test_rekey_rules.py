# SPDX-License-Identifier: BSD-2-Clause
"""Rekey Events line by line: RFC 4535 sections 5.3.1, 7.1.2, 7.5.2 and A.2 between the daemons and the Python peers."""
import time
from dataclasses import replace

import pytest

from lab.process import PATIENCE
from msec_scapy import flows, message
from msec_scapy import registry as reg
from msec_scapy.gsakmp import KeyPackage, RekeyEvent
from msec_scapy.testing.ground import PORT, REKEY_PORT, serving


def handles(gm):
    return {k["handle"] for k in gm.control("status")["keys"] if k["state"] == "current"}


def captured(ground, exchange):
    ground.recording.stop()
    return [m for m in (message.parse(c.octets, ground.dialect) for c in flows.messages(
        ground.dir / "capture.pcapng", (PORT, REKEY_PORT))) if m.exchange == exchange]


@pytest.mark.req("RFC4535-7.5.2-02", "RFC4535-7.5.2-03", "RFC4535-7.5.2-05", "RFC4535-7.5.2-06", "RFC4535-7.5.2-07",
                 "RFC4535-7.5.2-12", "RFC4535-7.5.2-13", "RFC4535-7.5.2-14", "RFC4535-7.5.2-15", "RFC4535-7.5.2-17",
                 "RFC4535-7.5.2-18", "RFC4535-5.3.1.1-06", "RFC4535-7.5.1-05")
def test_a_correct_rekey_event_is_taken_whole(ground):
    """Each field as the section wants it; then the member's key is the one that was sent, handle, dates and all."""
    plain = []
    with serving(ground.record().key_server()) as server:
        gm = ground.admitted(server)
        server.server.hooks.on_plain("packages", lambda p: plain.append(p) or p)
        mark = gm.mark()
        server.renew()
        gm.wait("rekeyed", since=mark)
        key, current = server.server.gtpks[0], gm.control("status")["keys"]
        gm.finish()
    assert not gm.find("refused")
    event = captured(ground, reg.X_REKEY)[-1]
    assert event.packet.exchange == 5
    part = event.one(RekeyEvent)
    assert part.event_type == part.rekey_type == 1 and part.alg_version == 1
    assert part.group_id == ground.group_id and part.count == len(part.datas) == len(plain)
    packages = [p for data in plain for p in data.packages]
    assert packages and all(p.package_type in (0, 1) and p.body.key_type in (key.key_type, ground.suite.enc_type)
                            and p.body.expires > p.body.created for p in packages)
    assert key.handle in {p.body.handle for p in packages}
    (mine,) = [k for k in current if k["handle"] == int.from_bytes(key.handle, "big")]
    assert mine["id"] == int.from_bytes(key.key_id, "big") and mine["type"] == key.key_type
    assert mine["state"] == "current"


@pytest.mark.req("RFC4535-7.1.2-10", "RFC4535-7.1.2-09")
@pytest.mark.refuses("RFC4535-7.1.2-10", "RFC4535-7.1.2-09")
def test_a_wrong_sequence_id_brings_no_answer(ground):
    """In Verbose Mode, too: after an old Rekey Event, one of before and one whose number stands still, nothing leaves the
    member."""
    with serving(ground.record().key_server()) as server:
        gm = ground.admitted(server)
        old = server.renew()
        gm.wait("rekeyed")
        server.renew()
        gm.wait("rekeyed", since=gm.mark() - 1)
        mark = gm.mark()
        server.send(old)
        server.do(lambda k: [k.rekey([], time.time(), sequence=k.sequence)])
        for _ in range(2):
            mark = gm.events.index(gm.wait("refused", since=mark, req="RFC4535-7.1.2-09")) + 1
        gm.finish()
    ground.recording.stop()
    sent = [c for c in flows.messages(ground.dir / "capture.pcapng", (PORT, REKEY_PORT)) if c.src == ground.address("gm")]
    assert [message.parse(c.octets, ground.dialect).exchange for c in sent] == [reg.X_RTJ, reg.X_ACK]


@pytest.mark.refuses("RFC4535-5.3.1.1-05")
@pytest.mark.req("RFC4535-5.3.1.1-05")
def test_a_token_under_the_new_traffic_key_stays_closed(ground):
    """A key server that encrypts the token in the key it delivers: the keys are taken, the token is not."""
    with serving(ground.key_server()) as server:
        gm = ground.admitted(server)
        strict = server.server.dialect
        for reading in ("new_gtpk", "old_gtpk"):
            token, before, mark = ground.make_token(), gm.control("status")["edition"], gm.mark()
            server.server.dialect = replace(strict, pt_rekey_key=reading)
            server.do(lambda k, token=token: (k._take_token(token), k._send_plan(k.tree.renew(), time.time(), token))[1])
            gm.wait("rekeyed", since=mark)
            gm.wait("key-install", since=mark)
            assert (gm.control("status")["edition"] == before) == (reading == "new_gtpk")
            assert bool(gm.find("token", since=mark)) == (reading == "old_gtpk")
        gm.finish()


@pytest.mark.refuses("RFC4535-5.3.1.2-02", "RFC4535-7.5.2-14")
@pytest.mark.req("RFC4535-5.3.1.2-02")
def test_a_token_beside_a_bad_package_is_not_processed(ground):
    """The token is good and newer; a Key Package of the same message is not."""
    def spoil(packages):
        stray = packages.packages[0].copy()
        stray.body.key_id = b"\x7f\x7f\x7f\x7f"
        packages.packages = [*packages.packages, KeyPackage(package_type=stray.package_type, body=stray.body)]
        packages.count = None
        return packages
    with serving(ground.key_server()) as server:
        gm = ground.admitted(server)
        before = gm.control("status")["edition"]
        server.server.hooks.on_plain("packages", spoil)
        token, mark = ground.make_token(), gm.mark()
        server.do(lambda k: (k._take_token(token), k._send_plan(k.tree.renew(), time.time(), token))[1])
        gm.wait("refused", since=mark, req="RFC4535-7.5.2-14")
        gm.wait("rekeyed", since=mark)
        assert gm.control("status")["edition"] == before and not gm.find("token", since=mark)
        server.server.hooks.plain.clear()
        mark = gm.mark()
        server.do(lambda k: [k.rekey([], time.time(), token)])
        gm.wait("token", since=mark)  # it was good, and now nothing is beside it
        gm.finish()


def _outer(ground, inner, tail=b"\0\0\0\x08next"):
    _, gid_end, _ = message.frame(inner)
    return (inner[:gid_end] + bytes([reg.P_VENDOR, 2, reg.X_REKEY]) + bytes(4)
            + (gid_end + 11 + len(inner) + len(tail)).to_bytes(4, "big") + inner + tail)


@pytest.mark.req("RFC4535-7.1.2-12", "RFC4535-7.1.2-13")
@pytest.mark.refuses("RFC4535-7.1.2-14", "RFC4535-7.1.2-02")
def test_inside_version_two_the_rules_of_version_one_hold(ground):
    """What is embedded gets no credit for its envelope: forged, of another group, cut, replayed, in a second envelope."""
    with serving(ground.key_server()) as server:
        gm = ground.admitted(server)
        (first,) = server.renew()
        gm.wait("rekeyed")
        good = server.server.renew(time.time())[0].octets
        forged = bytearray(good)
        forged[90] ^= 1  # of what is wrapped, which only the signature protects
        other = good[:2] + bytes(len(ground.group_id)) + good[2 + len(ground.group_id):]
        before, mark = handles(gm), gm.mark()
        wrong = [(_outer(ground, bytes(forged)), "RFC4535-7.8.2-06"), (_outer(ground, other), "RFC4535-7.1.2-02"),
                 (_outer(ground, good[:-40], b""), "RFC4535-7.1.2-11"),
                 (_outer(ground, first.octets), "RFC4535-7.1.2-09"),
                 (_outer(ground, _outer(ground, good)), "RFC4535-7.1.2-14"),
                 (_outer(ground, good).replace(good, b""), "RFC4535-7.1.2-14")]
        for octets, req in wrong:
            server.send([replace(first, octets=octets)])
            said = gm.wait("refused", since=mark)
            mark = gm.events.index(said, mark) + 1
            assert said["req"] == req, said
            assert handles(gm) == before
        server.send([replace(first, octets=_outer(ground, good))])
        gm.wait("rekeyed", since=mark)
        assert handles(gm) != before
        gm.finish()


@pytest.mark.refuses("RFC4535-A.2-04", "RFC4535-7.4.1.1-06")
def test_keys_that_share_id_and_handle_are_refused(ground):
    """In a Key Download: the join fails; in a Rekey Event: nothing of the Data is taken."""
    def in_download(data):
        array = data.items[-1].body
        array.keys = [*array.keys, array.keys[0].copy()]
        array.count = None
        return data

    def in_rekey(data):
        data.packages = [*data.packages, data.packages[0].copy()]
        data.count = None
        return data
    with serving(ground.key_server()) as server:
        gm = ground.gm()
        server.server.hooks.on_plain("keys", in_download)
        gm.control("join")
        gm.wait("refused", req="RFC4535-7.4.1.1-06")
        gm.wait("left")
        assert not gm.find("joined")
        server.server.hooks.plain.clear()
        server.forget()
        gm.control("join")
        gm.wait("joined")
        before, mark = handles(gm), gm.mark()
        server.server.hooks.on_plain("packages", in_rekey)
        server.renew()
        gm.wait("refused", since=mark, req="RFC4535-7.4.1.1-06")
        assert handles(gm) == before
        gm.finish()


# ------------------------------------------------------------------ gsakmp-gcks

@pytest.mark.req("RFC4535-A.2-01", "RFC4535-A.2-02", "RFC4535-A.2-04", "RFC4535-A.2-05",
                 "RFC4535-A.2-07", "RFC4535-A.2-08", "RFC4535-7.5.1.1-02", "RFC4535-7.5.1.2-01")
def test_the_tree_of_the_key_server(ground):
    """Versions, Key IDs, Member IDs, handles, wrapping keys: what five members hold, before and after an eviction, and
    what a newcomer in the freed place gets."""
    plain = []
    server = ground.record().gcks()
    runners = [ground.member(f"gm{n}") for n in range(5)]
    for r in runners:
        install = r.member.ring.install
        r.member.ring.install = lambda data, now, install=install: plain.append(data) or install(data, now)
    assert all(r.join() for r in runners)
    rings = lambda: [r.member.ring for r in runners]

    def renewed(cmd, *args):
        mark = server.mark()
        server.control(cmd, *args)
        sequence = server.wait("rekeyed", since=mark)["sequence"]
        for r in runners:
            assert r.run(PATIENCE, lambda r=r: max(r.member.followed.values(), default=0) >= sequence)
    renewed("rekey", "ground")
    arrays = [i.body for d in plain for i in d.items if i.item_type == reg.KDD_LKH]
    assert len(arrays) == 5 and {a.rekey_version for a in arrays} == {1}
    ids = [r.member_id for r in rings()]
    assert len(set(ids)) == 5 and bytes(4) not in ids
    nodes = {}
    for ring in rings():
        for k in ring.kek.values():
            assert nodes.setdefault((k.key_id, k.handle), k.key) == k.key  # one key, one name
    assert len({k for k, _ in nodes}) == len(nodes)  # and one handle at a time
    before = {k: h for k, h in nodes}
    out = runners.pop(2)
    renewed("evict", "CN=gm2,O=MSEC Lab")
    theirs = {k.key_id: k.handle for k in out.member.ring.kek.values()}
    after = {k.key_id: k.handle for ring in rings() for k in ring.kek.values()}
    assert set(after) <= set(before)  # nobody's place has another name
    changed = {k for k in after if after[k] != before[k]}
    assert changed == set(theirs) & set(after)
    fresh = ground.member("gm9")
    runners.append(fresh)
    assert fresh.join()
    renewed("rekey", "ground")
    assert len({r.member_id for r in rings()}) == 5
    assert not {(k.key_id, k.handle) for k in fresh.member.ring.kek.values()} & {
        (k.key_id, k.handle) for k in out.member.ring.kek.values()}
    server.finish()
    for event in captured(ground, reg.X_REKEY):
        for part in event.all(RekeyEvent):
            assert part.alg_version == 1
            assert part.timestamp <= event.signature.timestamp
            assert len({(d.wrap_id, d.wrap_handle) for d in part.datas}) == len(part.datas)  # one Data per wrapping key
