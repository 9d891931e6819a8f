# SPDX-License-Identifier: BSD-2-Clause
"""What the manual pages say is typed by hand is typed here as it stands: a group of GSAKMP with certificates by openssl."""
import time

import pytest

from lab.by_hand import ByHand, commands, examples
from lab.town import Town

ADDRESS = {"gcks": "192.0.2.1", "alice": "192.0.2.2", "bob": "192.0.2.3"}


@pytest.fixture
def hand(net, ended):
    return ended(ByHand(net, ADDRESS))


def test_the_examples_of_the_manual_make_a_group(hand):
    """Certificates, policy, token, announcement; key server, two members; a rekey, an eviction, another edition."""
    files, gcks_xml, after, edition = examples("gsakmp/man/gsakmp-gcks.xml.5")
    gm_xml, then = examples("gsakmp/man/gsakmp-gm.xml.5")
    explained = hand.typed("gcks", files)
    assert "alice.pem: dn:CN=alice,O=Lab: admitted as member, sender" in explained
    assert "bob.pem: dn:CN=bob,O=Lab: admitted as member\n" in explained
    for name, text in (("gcks", gcks_xml), ("alice", gm_xml), ("bob", gm_xml.replace("alice", "bob"))):
        (hand.path / f"{name}.xml").write_text(text)
    check, run, members, rekey, evict, refusals = commands(after)
    gm_check, gm_run, status, keys, leave = commands(then)
    assert "good" in hand.typed("gcks", check)
    server = hand.start("gcks", "gsakmp-gcks", run)
    for name in ("alice", "bob"):
        assert "good" in hand.typed(name, gm_check.replace("alice", name))
        hand.start(name, "gsakmp-gm", gm_run.replace("alice", name)).wait("joined")
        server.wait("member-active", peer=f"dn:CN={name},O=Lab")
    alice, bob = hand.daemons["alice"], hand.daemons["bob"]
    for command in (rekey, evict):
        mark = alice.mark()
        hand.typed("gcks", command)
        alice.wait("rekeyed", since=mark)
    assert "bob" not in hand.typed("gcks", members) and "alice" in hand.typed("gcks", members)
    assert "192.0.2.1:3761" in hand.typed("alice", status) and "current" in hand.typed("alice", keys)
    assert alice.control("status")["may_send"] and not bob.control("status")["may_send"]
    # RFC 4534 section 2: a later signing-time, in seconds.  Whoever types is slower than this.
    Town.outlive(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime((hand.path / "studio.tok").stat().st_mtime)))
    mark = alice.mark()
    hand.typed("gcks", edition)
    alice.wait("token", since=mark, edition=2)
    hand.typed("gcks", refusals)
    hand.typed("alice", leave)
    alice.wait("left", since=mark)
