# SPDX-License-Identifier: BSD-2-Clause
"""Two groups of one gdoi-gm whose SAs protect the same traffic: the kernel has one policy for it, and both need that."""
import pytest

from lab import gdoi_member as forms
from lab.gdoi_served import NUMBER, Served, places
from msec_scapy.gdoi import numbers as n
from msec_scapy.gdoi.policy import IpsecPolicy, KekPolicy, Selector
from msec_scapy.testing import gdoi as python

SHARED, OTHER = "239.5.5.5", "239.5.5.6"


def sa(dst):
    return IpsecPolicy(mode=n.MODE_TRANSPORT, dst=Selector.parse(dst))


@pytest.fixture
def member(net, tmp_path):
    """A gdoi-gm with <kernel/> in `plant`, and in `bay`, whose one SA is for the same address."""
    with Served(tmp_path, net, teks=[sa(SHARED)]) as w:
        kek = KekPolicy(**{**places(), "dst": Selector.parse("239.77.1.2:848")})
        bay = python.group(number=NUMBER + 1, kek=kek, teks=[sa(SHARED), sa(OTHER)])
        w.ground.server.groups[bay.identity] = bay
        alice = w.member(groups=[forms.group("plant", NUMBER), forms.group("bay", NUMBER + 1)], kernel={})
        for name in ("plant", "bay"):
            mark = alice.mark()
            alice.control("join", name)
            alice.wait("joined", since=mark)
        yield alice


def policies(member) -> dict:
    """The selectors of a host's outbound policies, and what becomes of what has them."""
    text = member.host.run(["ip", "xfrm", "policy", "list", "dir", "out"]).stdout
    rules = [r.replace("\n", " ") for r in text.replace("\nsrc ", "\0src ").split("\0")]
    return {r.split()[3]: "block" if "action block" in r else "tmpl" if "tmpl" in r else "pass" for r in rules if r.strip()}


def stop(member, name):
    mark = member.mark()
    member.control("leave", name)
    member.wait("left", since=mark)


@pytest.mark.req("RFC6407-5.5.1.1.2-02")
@pytest.mark.parametrize("first,second", [("plant", "bay"), ("bay", "plant")])
def test_one_group_is_left_and_the_policy_stays_for_the_other(member, first, second):
    """With or without ESP in this kernel: what has no SA is thrown away, which needs the same policy."""
    before = policies(member)
    assert set(before) == {f"{SHARED}/32", f"{OTHER}/32"} and "pass" not in before.values()
    stop(member, first)
    left = {f"{SHARED}/32"} if second == "plant" else {f"{SHARED}/32", f"{OTHER}/32"}
    after = policies(member)
    assert set(after) == left and "pass" not in after.values(), "it protects that traffic for the other group"
    assert member.control("status")["kernel"]["blocked_selectors"] == (len(left) if "tmpl" not in after.values() else 0)
    stop(member, second)
    assert policies(member) == {}, "nobody needs it any more"


def test_a_group_that_comes_again_shares_it_anew(member):
    """And it goes with the daemon."""
    stop(member, "bay")
    mark = member.mark()
    member.control("join", "bay")
    member.wait("joined", since=mark)
    assert set(policies(member)) == {f"{SHARED}/32", f"{OTHER}/32"}
    stop(member, "plant")
    assert set(policies(member)) == {f"{SHARED}/32", f"{OTHER}/32"}
    member.finish()
    assert policies(member) == {}
