# SPDX-License-Identifier: BSD-2-Clause
"""Lifetimes in kilobytes, which each host counts by itself: a member asks for other keys before an SA is used up, and its key
server, which sees no traffic, gives them to everybody."""
import pytest

from lab import LabError
from lab.daemons import wait_all
from lab.gdoi import opened

QUICK = {"backoff": "200ms", "backoff_max": "1s"}
SAS = """    <ipsec>
      <sa transform="aes-cbc" key-length="128" authentication="hmac-sha2-256" mode="transport">
        <traffic protocol="udp" destination="239.77.9.9"/>
        <lifetime time="1h"{kilobytes}/>
      </sa>
    </ipsec>
"""


@pytest.fixture
def members(tmp_path, net_prefix):
    """make(kilobytes): a group and two members of it."""
    with opened(tmp_path, net_prefix) as make:
        def both(kilobytes=' kilobytes="100"', **how):
            g = make("alice", "bob", sas=SAS.format(kilobytes=kilobytes),
                     **{"rekeying": {"kilobytes-interval": "1s"}, **how})
            found = [g.member(n, membership=QUICK) for n in ("alice", "bob")]
            for m in found:
                m.start()
                m.control("join")
            wait_all(found, "joined")
            return g, *found
        yield both


def held(member):
    return {k["spi"]: k for k in member.control("keys")}


def current(member):
    return next(spi for spi, k in held(member).items() if k["state"] == "current")


def test_an_sa_that_is_nearly_used_up_is_replaced_for_everybody(members):
    g, alice, bob = members()
    first = current(alice)
    assert held(alice)[first]["life_kb"] == 100
    marks = {m: m.mark() for m in (alice, bob)}
    alice.control("used", first, "nearly")
    alice.wait("stale", since=marks[alice], where=lambda e: "nearly used up" in e["reason"])
    assert held(alice)[first]["nearly_used"] and first in held(bob)
    wait_all([alice, bob], "rekeyed", marks=marks)
    assert current(alice) == current(bob) != first


def test_an_sa_that_is_used_up_is_forgotten_and_not_taken_again(members):
    g, alice, bob = members()
    first, mark = current(alice), alice.mark()
    keys = alice.keys()
    assert keys.next()["spi"] == first
    alice.control("used", first, "up")
    wiped = keys.next()
    assert (wiped["event"], wiped["spi"]) == ("wipe", first)
    alice.wait("joined", since=mark)
    alice.wait("rekeyed", since=mark)
    assert first not in held(alice) and current(alice) == current(bob)


def test_what_cannot_be_used_up_is_refused(members):
    g, alice, bob = members(kilobytes="")
    spi = current(alice)
    for words, says in (((spi, "up"), "no lifetime in kilobytes"), (("00000000", "up"), "no SA"), ((spi,), "'nearly' or 'up'"),
                        ((spi, "half"), "'nearly' or 'up'"), (("0102", "up"), "8 hexadecimal digits"),
                        ((spi, "up", "nowhere"), "no group")):
        with pytest.raises(LabError, match=says):
            alice.control("used", *words)
    assert list(held(alice)) == [spi] and alice.group()["state"] == "member"


def test_one_member_does_not_have_the_others_change_keys_all_the_time(members):
    """Its share is spent, also for a key server that was killed meanwhile, and the log says so; it is served, and the SA
    stays."""
    g, alice, bob = members(rekeying={"kilobytes-interval": "1s", "kilobytes-budget": 1})
    mark = g.keys.mark()
    alice.control("reregister")
    assert g.keys.wait("kilobytes", since=mark)["replaced"]
    bob.wait("rekeyed")
    spi, at = current(bob), alice.mark()
    g.keys.kill()
    mark = g.keys.start()
    alice.control("reregister")
    said = g.keys.wait("kilobytes", since=mark)
    assert not said["replaced"] and "alice" in said["peer"] and "share" in said["reason"]
    alice.wait("joined", since=at)
    assert current(alice) == spi
    mark, at = g.keys.mark(), bob.mark()
    bob.control("reregister")
    assert g.keys.wait("kilobytes", since=mark)["replaced"], "others have a share of their own"
    bob.wait("rekeyed", since=at)
    assert current(bob) != spi and len(g.keys.find("kilobytes", since=mark)) == 1
    assert "share of replaced SAs" in g.keys.log.read_text()
