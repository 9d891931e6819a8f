# SPDX-License-Identifier: BSD-2-Clause
"""./lab demo gdoi, step by step: what it tells is what is checked here."""
import pytest

from lab.gdoi_story import MEMBERS, GdoiStory


@pytest.fixture(scope="module")
def story(tmp_path_factory, net_prefix):
    s = GdoiStory(tmp_path_factory.mktemp("gdoi") / "story", prefix=net_prefix)
    yield s
    s.close()


@pytest.mark.parametrize("step", GdoiStory.STEPS)
def test_step(story, step):
    done = GdoiStory.STEPS.index(step)
    assert getattr(story, "done", 0) == done, "a step before this one failed"
    result = getattr(story, step)()
    story.done = done + 1
    assert story.tell.said
    if step == "evict":
        assert len({p["sequence"] for p in result["pushes"]}) >= 1 and result["switch"]["spi"]
    if step == "crash":
        assert result["sent"]["sequence"] > result["after"]["kek"]["sequence"] > result["before"]["sequence"]
    if step == "aftermath":
        assert result["esp"] > 0 and sum(result["pushes"].values()) > len(MEMBERS)
