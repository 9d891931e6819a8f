# SPDX-License-Identifier: BSD-2-Clause
"""./lab demo gdoi, step by step: what it tells is what is checked here."""
import pytest

from lab.gdoi_story import MEMBERS, GdoiStory


@pytest.fixture(scope="module")
def story(tmp_path_factory, net_prefix):
    s = GdoiStory(tmp_path_factory.mktemp("gdoi") / "story", prefix=net_prefix)
    yield s
    s.close()


@pytest.mark.parametrize("name", GdoiStory.STEPS)
def test_step(story, step, name):
    result = step(name)
    assert story.tell.said
    if name == "evict":
        assert len({p["sequence"] for p in result["pushes"]}) >= 1 and result["switch"]["spi"]
    if name == "crash":
        assert result["sent"]["sequence"] > result["after"]["kek"]["sequence"] > result["before"]["sequence"]
    if name == "aftermath":
        assert result["esp"] > 0 and sum(result["pushes"].values()) > len(MEMBERS)
