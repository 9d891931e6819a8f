# SPDX-License-Identifier: BSD-2-Clause
"""SA_KDA (RFC 8052 2.2.4.2) over real sockets: the key server says which share of the members has a key, and a publisher that
wants a certain share of them to have it sends with the old one until then, and asks again."""
import pytest

from lab.daemons import wait_all
from lab.gdoi import opened
from lab.gdoi_peers import Ground

QUICK = {"backoff": "300ms", "backoff_max": "1s"}
SAS = """    <iec-61850>
      <sa oid="1.2.840.10070.61850.8.1.2" authentication="hmac-sha256-128" encryption="aes-cbc-128" lifetime="3600s"
          delivery-assurance="0"/>
    </iec-61850>
"""


@pytest.fixture
def group(tmp_path, net_prefix):
    with opened(tmp_path, net_prefix, cls=Ground) as make:
        yield make


def states(m):
    return {k["spi"]: k["state"] for k in m.control("keys")}


def begin(g, name, inside=""):
    m = g.member(name, membership=QUICK)
    m.write(m.config.read_text().replace("<group name", f"<group {inside} name"))
    m.start()
    m.control("join")
    m.wait("joined")
    return m


@pytest.mark.req("RFC8052-2.2.4.2-01", "RFC8052-2.2.4.2-02")
def test_a_publisher_sends_when_enough_subscribers_have_the_key(group):
    g = group("alice", "bob", "carol", "dave", sas=SAS, ack={"type": "kek-sha256", "missed": 3})
    subscribers = [begin(g, name) for name in ("bob", "carol")]
    assert [m.keys().next()["kda"] for m in subscribers] == [0, 100], "of who is there already"
    alice = begin(g, "alice", 'kda-min="100"')
    g.follow("dave")
    old, = states(alice)
    marks = {m: m.mark() for m in (alice, *subscribers)}
    g.keys.control("rekey", "tek")
    wait_all(list(marks), "rekeyed", marks=marks)
    # Nobody had the new key when it was sent: its first state here is not to send with it.
    new = alice.wait("tek", since=marks[alice], where=lambda e: e["spi"] != old)
    assert new["state"] == "receive"
    for name in ("alice", "bob", "carol", "dave"):
        g.keys.wait("acked", where=lambda e, n=name: n in e["peer"])
    alice.wait("tek", since=marks[alice], spi=new["spi"], state="current")
    alice.wait("joined", since=marks[alice])  # by asking
    assert len(g.registered()) == 4


@pytest.mark.req("RFC8052-2.2.4.2-02")
def test_a_publisher_does_not_send_while_too_few_have_it(group):
    """dave follows, and acknowledges nothing any more: three of four are not enough, four of four are."""
    g = group("alice", "bob", "carol", "dave", sas=SAS, ack={"type": "kek-sha256", "missed": 100})
    subscribers = [begin(g, name) for name in ("bob", "carol")]
    alice = begin(g, "alice", 'kda-min="100"')
    dave, = g.follow("dave")
    dave._rest()
    old, = states(alice)
    mark = alice.mark()
    g.keys.control("rekey", "tek")
    for m in (alice, *subscribers):
        m.wait("rekeyed")
    new = alice.wait("tek", since=mark, where=lambda e: e["spi"] != old)["spi"]
    for _ in range(2):  # it has asked twice, and heard of three
        at = alice.mark()
        alice.wait("joined", since=at)
    assert states(alice).get(new) == "receive" and not alice.find("tek", since=mark, spi=new, state="current")
    dave.follow()
    alice.wait("tek", since=mark, spi=new, state="current")
