# SPDX-License-Identifier: BSD-2-Clause
"""gdoi-gcks with two groups: a member of both has them under one phase 1 SA, and is evicted from one of them by update arrays
that need several datagrams."""
import pytest

from lab import gdoi_forms as forms
from lab import gdoi_member
from lab.daemons import wait_all
from lab.gdoi import NUMBER, opened

QUICK = {"backoff": "300ms", "backoff_max": "1s"}
NAMES = ["alice", "bob", "carol", "dave"]


@pytest.fixture
def group(tmp_path, net_prefix):
    """plant and tower, for the same members."""
    with opened(tmp_path, net_prefix) as make:
        g = make(*NAMES, start=False, rekeying={"message-max": 576})
        plant = g.config()
        g.name, g.id, g.rekey_address = "tower", {"number": NUMBER + 1}, "239.77.0.2"
        other = g.policy_file.with_name("tower.xml")
        other.write_text(forms.policy(g).replace(g.data, "239.1.1.9"))
        second = forms.gcks(g, NAMES).replace(str(g.policy_file), str(other))
        second = second[second.index("  <group name"):second.index("  </group>\n") + len("  </group>\n")]
        g.name, g.id = "plant", {"number": NUMBER}
        g.write_config(plant.replace("  </group>\n", "  </group>\n" + second))
        g.start()
        for name in NAMES:
            m = g.member(name, membership=QUICK)
            text = m.config.read_text()
            m.write(text.replace("  </group>\n", "  </group>\n" + gdoi_member.group("tower", NUMBER + 1)))
            m.start()
            for which in ("plant", "tower"):
                m.control("join", which)
        for name in ("plant", "tower"):
            wait_all(list(g.members.values()), "joined", group=name)
        yield g


def keys(m, name):
    return {k["spi"] for k in m.group(name)["keys"]}


@pytest.mark.req("RFC6407-3-01", "RFC6407-4-10", "RFC6407-4-11", "RFC6407-4.3-05")
def test_two_groups_under_one_phase_1_and_an_eviction_in_several_datagrams(group):
    g = group
    up = g.keys.find("phase1-up")
    assert len(up) == len(NAMES), "one phase 1 for both groups of each member"
    of = {s["group"]: s for s in g.keys.control("status")["groups"]}
    assert {name: s["members"] for name, s in of.items()} == {"plant": 4, "tower": 4}
    before = {name: keys(g.members["alice"], name) for name in of}
    assert not before["plant"] & before["tower"]
    marks = {m: m.mark() for m in g.members.values()}
    g.keys.control("evict", forms.fqdn("bob"), "now", "plant")
    rest = [m for n, m in g.members.items() if n != "bob"]
    for m in rest:
        for spi in before["plant"]:
            m.wait("tek-wipe", since=marks[m], spi=spi)
    pushes = g.keys.control("history", "plant")[::-1]
    arrays = len(pushes) - 1
    # Under the old KEK the arrays, in several datagrams; under the new one what they lead to.
    assert arrays >= 2 and [p["sequence"] for p in pushes] == [*range(1, arrays + 1), 1], pushes
    assert all(p["octets"] <= 1400 for p in pushes), "an array of this tree is longer than message-max, and never divided"
    now = {frozenset(keys(m, "plant")) for m in rest}
    assert len(now) == 1 and not next(iter(now)) & before["plant"], "all of them have the same new ones"
    g.members["bob"].wait("evicted", since=marks[g.members["bob"]], group="plant")
    assert not keys(g.members["bob"], "plant") & next(iter(now))
    assert {frozenset(keys(m, "tower")) for m in g.members.values()} == {frozenset(before["tower"])}, "the other one is as it was"
