# SPDX-License-Identifier: BSD-2-Clause
"""What the manual pages say is typed by hand is typed here as it stands: a group of GDOI with pre-shared keys."""
import re

import pytest

from lab.by_hand import ByHand, examples

ADDRESS = {"gcks": "192.0.2.1", "gm1": "192.0.2.2", "gm2": "192.0.2.3"}


@pytest.fixture
def hand(net):
    h = ByHand(net, ADDRESS)
    try:
        yield h
        h.finish()
    finally:
        h.close()


@pytest.mark.req("RFC6407-3.4-03", "RFC6407-3.4-05")
def test_the_examples_of_the_manual_make_a_group(hand):
    """Files, key server, two members; they may send with what the kernel can do; one is evicted."""
    files, gcks_xml, after = examples("gdoi/man/gdoi-gcks.xml.5")
    gm_xml, then = examples("gdoi/man/gdoi-gm.xml.5")
    hand.typed("gcks", files)
    (hand.path / "gcks.xml").write_text(gcks_xml)
    (hand.path / "gm1.xml").write_text(gm_xml)
    (hand.path / "gm2.xml").write_text(gm_xml.replace("gm1", "gm2"))
    check, run, members, evict, refusals = re.sub(r"\s+#.*", "", after).splitlines()
    assert "good" in hand.typed("gcks", check)
    hand.start("gcks", "gdoi-gcks", run)
    gm_check, gm_run, *asked = then.splitlines()
    for name in ("gm1", "gm2"):
        assert "good" in hand.typed(name, gm_check.replace("gm1", name))
        hand.start(name, "gdoi-gm", gm_run.replace("gm1", name)).wait("joined")
    status, keys, in_the_kernel = asked
    assert "192.0.2.1:848" in hand.typed("gm1", status) and "239.77.1.1" in hand.typed("gm1", keys)
    hand.typed("gm1", in_the_kernel)  # what is there depends on the kernel that the tests run on
    key, = hand.daemons["gm1"].control("keys")
    assert key["may_send"] and key["dst"] == "239.77.1.1" and "sid_bits" not in key, "the kernel makes the IVs of CBC itself"
    assert "fqdn:gm1.example" in hand.typed("gcks", members) and "fqdn:gm2.example" in hand.typed("gcks", members)
    mark = hand.daemons["gm1"].mark()
    hand.typed("gcks", evict)
    hand.daemons["gm1"].wait("rekeyed", since=mark)
    assert "gm2" not in hand.typed("gcks", members)
    hand.typed("gcks", refusals)
