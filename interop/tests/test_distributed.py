# SPDX-License-Identifier: BSD-2-Clause
"""The story of ./lab demo distributed: a primary, three subordinates on subnets of their own, members behind each.

The steps of one story share one group; a test has those before its own told first, and when one fails, the rest of that
story fails with it.
"""
import pytest

from lab.distributed import MEMBERS, SUBORDINATES, Distributed
from lab.story import GROUP


@pytest.fixture(scope="module", params=[("ecdsa", "tls"), pytest.param(("rsa", "file"), marks=pytest.mark.long),
                                        pytest.param(("dsa", "file"), marks=pytest.mark.long)],
                ids=["p256-from-the-owner", "rsa-from-a-file", "suite-1-from-a-file"])
def story(request, net_prefix, tmp_path_factory):
    kind, delivery = request.param
    s = Distributed(tmp_path_factory.mktemp(f"distributed-{kind}"), f"{net_prefix}d{kind}-", kind=kind, delivery=delivery)
    yield s
    s.close()


@pytest.mark.req("RFC4535-4.4.2-01", "RFC4534-B.5.7-01")
def test_1_a_policy_names_subordinates(step):
    text = step("policy")["xml"].read_text()
    assert "<sub-gcks>" in text and "<autonomous>" in text


def test_2_the_primary_opens_the_group(story, step):
    # The Group Owner's program counts its tokens; a file that somebody signed has no number.
    assert step("primary")["edition"] == (1 if story.delivery == "tls" else -1)


@pytest.mark.req("RFC4535-4.1.4-02", "RFC4535-4.4.6-02", "RFC4535-4.4.7-05", "RFC4534-B.5.7.2-01")
def test_3_members_that_the_token_names_become_key_servers(story, step):
    step("subordinates")
    for name in SUBORDINATES:
        state = step.states["subordinates"][name]
        assert state["role"] == "subordinate" and state["state"] == "open"
        assert state["upstream"]["member_id"] > 0 and state["upstream"]["in_step"]
        # the Request to Join to the primary came before anything it served
        kinds = [e["exchange"] for e in story.subs[name].find("message", direction="out")]
        assert kinds[0].startswith("Request to Join")


@pytest.mark.req("RFC4535-4.4.7-01", "RFC4535-4.4.7-06", "RFC4535-4.4.7-07", "RFC4535-4.4.7-08")
def test_4_members_join_behind_them_and_the_primary_is_not_asked(step):
    found = step("everybody_joins")
    assert len(found["took"]) == len(MEMBERS)
    assert found["refusal"]["req"] == "RFC4535-4.4.6-02"
    states = step.states["everybody_joins"]
    assert states["keys"]["members"] == len(SUBORDINATES) + 1  # and the pretender
    assert {states[n]["members"] for n in SUBORDINATES} == {2}


def test_5_one_source_is_read_behind_every_subordinate(step):
    assert len(step("data")["listeners"]) == len(MEMBERS) - 1


@pytest.mark.req("RFC4535-4.1.4-01", "RFC4535-4.4.7-03", "RFC4535-4.4.7-04", "RFC4535-4.4.7-09", "RFC4535-4.4.7-10", "RFC4535-4.4.7-11",
                 "RFC4535-4.4.7-13", "RFC4535-4.4.7-14", "RFC4535-4.4.7-15")
def test_6_who_is_expelled_behind_one_is_out_everywhere(step):
    step("evict")
    states = [step.states["evict"][n] for n in SUBORDINATES]
    assert {s["edition"] for s in states} == {2} and not any(s["expelled"] for s in states)
    assert {s["gtpk_handle"] for s in states} == {step.states["evict"]["keys"]["gtpk_handle"]}
    assert all(s["upstream"]["in_step"] for s in states)


@pytest.mark.req("RFC4535-4.4.7-01", "RFC4535-7.1.1-09")
def test_7_the_primary_dies_and_returns_and_nobody_joins_again(step):
    step("primary_away")


@pytest.mark.req("RFC4535-7.1.1-09", "RFC4535-7.1.1-11")
def test_8_a_subordinate_dies_and_returns_and_nobody_joins_again(step):
    found = step("subordinate_killed")
    assert found["after"] > found["before"]


@pytest.mark.req("RFC4535-5.3.1.3-01", "RFC4535-5.3.1.3-02", "RFC4535-7.1.1-14")
def test_9_the_end_reaches_everybody(step):
    step("destroy")
    assert step.states["destroy"]["keys"]["group"] == GROUP


def test_10_the_second_implementation_verifies_the_whole_capture(step):
    assert step("aftermath")["frames"] > 100
