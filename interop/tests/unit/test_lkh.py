# SPDX-License-Identifier: BSD-2-Clause
"""The tree against the rings of its members: everybody inside follows, nobody else does."""
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msec_scapy import lkh, protect
from msec_scapy import registry as reg
from msec_scapy.dialect import Dialect
from msec_scapy.gsakmp import KeyDownloadData, KeyPackage, RekeyEvent, RekeyPackages

settings.register_profile("msec", derandomize=True, database=None, deadline=None)
settings.load_profile("msec")
NOW = 1785585600


class Group:
    def __init__(self, degree=2, depth=4, kind=12, dialect=Dialect()):
        self.dialect, self.now = dialect, NOW
        self.maker = lkh.KeyMaker(kind, 3600, dialect)
        self.tree = lkh.Tree(self.maker, degree, depth)
        self.gtpk = self.maker.make(b"GTPK", NOW)
        self.rings, self.gone = {}, {}

    def rekey(self, plan):
        self.gtpk = self.maker.make(b"GTPK", self.now)
        datas = lkh.wrap(plan, [self.gtpk], self.dialect)
        random.Random(1).shuffle(datas)  # a receiver works to the fixed point
        for ring in [*self.rings.values(), *self.gone.values()]:
            ring.apply([RekeyEvent(datas=datas)], self.now)
        return datas

    def join(self, member):
        self.now += 1
        self.rekey(self.tree.join(member, self.now))
        ring = lkh.Ring(self.dialect, private=True)
        data = lkh.key_download([self.gtpk], self.tree, member)
        ring.install(protect.decode(KeyDownloadData, bytes(data), self.dialect), self.now)
        self.rings[member] = ring

    def evict(self, *members):
        self.now += 1
        for m in members:
            self.gone[m] = self.rings.pop(m)
        return self.rekey(self.tree.evict(members, self.now))

    def check(self):
        for m, ring in self.rings.items():
            assert ring.gtpk[b"GTPK"] == self.gtpk
            assert set(ring.kek.values()) == set(self.tree.keys_of(m))
        for ring in self.gone.values():
            assert ring.gtpk[b"GTPK"].key != self.gtpk.key


@pytest.mark.req("RFC4535-A.2-03", "RFC4535-A.2-04", "RFC4535-A.2-06", "RFC4535-A.2-07",
                 "RFC4535-A.2-08", "RFC4535-A.2-09", "RFC4535-5.3.2.1-03")
@given(st.integers(2, 5), st.lists(st.tuples(st.booleans(), st.integers(0, 7)), max_size=14))
@settings(max_examples=25)
def test_any_history(degree, steps):
    group, count = Group(degree, 2 if degree > 2 else 4), 0
    for joins, pick in steps:
        if joins or not group.rings:
            if len(group.rings) < degree**2:
                group.join(f"m{count}")
                count += 1
        else:
            names = sorted(group.rings)
            group.evict(*{names[pick % len(names)], names[pick // 2 % len(names)]})
        group.check()
    held = [(k.key_id, k.handle) for k in group.tree.keys.values()]
    assert len(held) == len(set(held))


@pytest.mark.req("RFC4535-A.3.2-01", "RFC4535-A.2-05")
def test_eviction_example():
    """A.3.2: member 6 leaves; (GTPK)2, (GTPK, 3', 6')12, (GTPK, 3')7."""
    group = Group(depth=3)
    for n in range(1, 9):
        group.join(n)
    assert {n: group.tree.leaves[n] for n in (1, 6, 8)} == {1: 8, 6: 13, 8: 15}
    assert group.tree.member_id(6) == b"\0\0\0\x06"
    old = {n: k for n, k in group.tree.keys.items()}
    datas = group.evict(6)
    seen = {}
    for red in datas:
        key = old[int.from_bytes(red.wrap_id, "big")]
        packages = protect.open_rekey_data(red, 12, key.key).packages
        seen[int.from_bytes(red.wrap_id, "big")] = {
            p.body.key_id if p.package_type == 0 else p.body.key_id[-1] for p in packages}
    assert seen == {2: {b"GTPK"}, 12: {b"GTPK", 3, 6}, 7: {b"GTPK", 3}}
    group.check()


@pytest.mark.req("RFC4535-A.3.2-02", "RFC4535-7.5.2-08")
def test_alternative_pairing_needs_the_fixed_point():
    """(GTPK)2, (GTPK)3', (3')6', (3')7', (6')12: wrapped in keys that come later in the list."""
    group = Group(depth=3)
    for n in range(1, 9):
        group.join(n)
    tree, rings = group.tree, group.rings
    before = dict(tree.keys)
    new = {n: group.maker.make(lkh.node_id(n), group.now + 5) for n in (3, 6)}
    gtpk = group.maker.make(b"GTPK", group.now + 5)

    def red(wrapping, key, kind=1):
        return protect.seal_rekey_data(12, wrapping.key, wrapping.key_id, wrapping.handle,
                                       RekeyPackages(packages=[KeyPackage(package_type=kind,
                                                                          body=key.datum())]))
    datas = [red(before[2], gtpk, 0), red(new[3], gtpk, 0), red(new[6], new[3]),
             red(before[7], new[3]), red(before[12], new[6])]
    for member, follows in ((1, True), (5, True), (7, True), (6, False)):
        ring = rings[member]
        if member == 6:  # leaf 13: no data are for it
            ring.apply([RekeyEvent(datas=datas)], group.now + 5)
            assert ring.gtpk[b"GTPK"] != gtpk
            continue
        ring.dialect = Dialect(rekey_order="single")
        ring.apply([RekeyEvent(datas=datas)], group.now + 5)
        assert (ring.gtpk[b"GTPK"] == gtpk) is (member == 1), "one pass is not enough"
        ring.dialect = Dialect()
        ring.apply([RekeyEvent(datas=datas)], group.now + 5)
        assert (ring.gtpk[b"GTPK"] == gtpk) is follows


@pytest.mark.req("RFC4535-7.5.2-16")
@pytest.mark.parametrize("reading,taken", [("reject", False), ("accept", True)])
def test_equal_creation_dates(reading, taken):
    d = Dialect(date_equal=reading)
    group = Group(depth=1, dialect=d)
    group.join("a")
    group.maker.last.clear()  # a careless key server
    ring, old = group.rings["a"], group.gtpk
    group.maker.last = {}
    twin = group.maker.make(b"GTPK", NOW)
    twin = lkh.Key(twin.key_type, twin.key_id, twin.handle, old.created, twin.expires, twin.key)
    changed, faults = ring.apply([RekeyEvent(datas=lkh.wrap(group.tree.renew(), [twin], d))], NOW)
    assert (changed == [twin]) is taken and bool(faults) is not taken


def test_creation_dates_always_advance():
    maker = lkh.KeyMaker(12)
    dates = [maker.make(b"GTPK", NOW).created for _ in range(3)]
    assert dates == sorted(set(dates))


@pytest.mark.req("RFC4535-7.5.2-09", "RFC4535-7.5.2-10")
def test_data_for_others_are_skipped():
    group = Group()
    group.join("a")
    ring = group.rings["a"]
    key = next(iter(ring.kek.values()))
    for stranger in (lkh.Key(12, b"\xff" * 4, key.handle, key.created, key.expires, key.key),
                     lkh.Key(12, key.key_id, b"\xff" * 4, key.created, key.expires, key.key)):
        datas = lkh.wrap([lkh.Wrap(stranger, [], True)], [group.maker.make(b"GTPK", NOW + 9)])
        assert ring.apply([RekeyEvent(datas=datas)], NOW + 9) == ([], [])


@pytest.mark.parametrize("kind", (reg.K_3DES, reg.K_AES_CTR, reg.K_GCM_128, reg.K_AES_CBC_256))
def test_every_wrapping_cipher(kind):
    group = Group(kind=kind)
    for n in range(4):
        group.join(n)
    group.evict(1)
    group.check()


@pytest.mark.req("RFC4535-7.5.2-12", "RFC4535-7.5.2-13", "RFC4535-7.5.2-14", "RFC4535-7.5.2-16", "RFC4535-7.5.2-18",
                 "RFC4535-7.4.1.1-06")
@pytest.mark.parametrize("bad,req,good_ones_taken", [
    ("unknown-id", "RFC4535-7.5.2-14", True), ("older", "RFC4535-7.5.2-16", True),
    ("same-handle", "RFC4535-7.4.1.1-06", True),
    ("package-type", "RFC4535-7.5.2-12", False), ("key-type", "RFC4535-7.5.2-13", False),
    ("date", "RFC4535-7.4.1.1-05", False), ("twice", "RFC4535-7.4.1.1-06", False)])
def test_one_bad_package_among_good_ones(bad, req, good_ones_taken):
    """What is decoded is refused with its Rekey Event Data, what is judged for itself; another Data never suffers."""
    group = Group(depth=2)
    group.join("a")
    ring, at = group.rings["a"], group.now + 5
    before = {k.key_id: k for k in ring.kek.values()}
    leaf, root = max(before.values(), key=lambda k: k.key_id), min(before.values(), key=lambda k: k.key_id)
    gtpk, other = group.maker.make(b"GTPK", at), group.maker.make(root.key_id, at)
    fault = {
        "unknown-id": group.maker.make(b"\x7f\x7f\x7f\x7f", at), "package-type": group.maker.make(leaf.key_id, at),
        "older": replace(group.maker.make(leaf.key_id, at), created=b"20000101000000Z"),
        "same-handle": replace(group.maker.make(leaf.key_id, at), handle=leaf.handle),
        "key-type": replace(group.maker.make(leaf.key_id, at), key_type=4),
        "date": replace(group.maker.make(leaf.key_id, at), expires=b"20001301000000Z"), "twice": gtpk}[bad]

    def red(*packages):
        return protect.seal_rekey_data(12, leaf.key, leaf.key_id, leaf.handle, RekeyPackages(
            packages=[KeyPackage(package_type=kind, body=key.datum()) for kind, key in packages]))
    kind = {"package-type": 2, "twice": 0}.get(bad, 1)
    changed, faults = ring.apply([RekeyEvent(datas=[red((0, gtpk), (kind, fault)), red((1, other))])], at)
    assert [f.req for f in faults] == [req]
    assert changed == ([gtpk] if good_ones_taken else []) + [other]
    assert (ring.gtpk[b"GTPK"] == gtpk) is good_ones_taken and ring.kek[root.key_id] == other
    assert ring.kek[leaf.key_id] == leaf
