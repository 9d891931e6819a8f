# SPDX-License-Identifier: BSD-2-Clause
"""./lab demo gdoi, step by step: what it tells is what is checked here."""
import pytest

from lab import espwire
from lab.gdoi_story import MEMBERS, GdoiStory


@pytest.fixture(scope="module")
def story(tmp_path_factory, net_prefix):
    s = GdoiStory(tmp_path_factory.mktemp("gdoi") / "story", prefix=net_prefix)
    yield s
    s.close()


# The last step looks at every IV that was sent.
@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.req("RFC6407-3.5-01", "RFC6054-3-01")) if n == "aftermath" else n
                                  for n in GdoiStory.STEPS])
def test_step(story, step, name):
    result = step(name)
    assert story.tell.said
    if name == "evict":
        assert len({p["sequence"] for p in result["pushes"]}) >= 1 and result["switch"]["spi"]
    if name == "second":
        assert result["alice"]["sids"] != result["erin"]["sids"]
    if name == "crash":
        assert result["sent"]["sequence"] > result["after"]["kek"]["sequence"] > result["before"]["sequence"]
    if name == "aftermath":
        assert all(len(set(who.values())) == len(who) for who in result["ids"].values())
        assert result["esp"] > 0 and sum(result["pushes"].values()) > len(MEMBERS)


def esp(source, sequence, iv, spi=b"\0\0\x10\1"):
    """A frame with an ESP packet of an IPv4 source."""
    head = bytes([0x45, 0]) + bytes(7) + bytes([espwire.ESP]) + bytes(2) + source + bytes(4)
    return 0.0, 0, bytes(12) + b"\x08\0" + head + spi + sequence.to_bytes(4, "big") + iv + bytes(32)


def test_the_observer_sees_two_senders_that_share_what_they_must_not():
    a, b = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
    iv = lambda sid, n: bytes([sid]) + n.to_bytes(7, "big")
    good = [esp(a, 1, iv(0, 1)), esp(b, 1, iv(1, 1)), esp(a, 2, iv(0, 2)), esp(a, 2, iv(0, 2))]  # the last one: forwarded
    assert espwire.senders(good, 8) == {"00001001": {0: "10.0.0.1", 1: "10.0.0.2"}}
    with pytest.raises(espwire.Shared, match="both send"):
        espwire.senders([*good, esp(b, 2, iv(0, 9))], 8)
    with pytest.raises(espwire.Shared, match="twice"):
        espwire.senders([*good, esp(a, 3, iv(0, 2))], 8)
    assert espwire.senders([*good, esp(b, 2, iv(0, 9), spi=b"\0\0\x10\2")], 8), "another key is another matter"
