# SPDX-License-Identifier: BSD-2-Clause
"""The story of ./lab demo, step by step, with the real programs over real multicast.

The steps of one story share one group; a test has those before its own told first, and when one fails, the rest of that
story fails with it.
"""
import pytest

from lab.story import GROUP, Story, need


@pytest.fixture(scope="module", params=[("ecdsa", "tls"), ("rsa", "tls"), ("dsa", "file")],
                ids=["p256-from-the-owner", "rsa-from-the-owner", "suite-1-from-a-file"])
def story(request, net_prefix, tmp_path_factory):
    kind, delivery = request.param
    s = Story(tmp_path_factory.mktemp(f"story-{kind}"), f"{net_prefix}{kind}-", kind=kind, delivery=delivery)
    yield s
    s.close()


@pytest.mark.req("RFC4535-5.1-01", "RFC4535-3.5-01")
def test_1_a_policy_becomes_a_signed_token(step):
    assert step("policy")["token"].stat().st_size > 500


@pytest.mark.req("RFC4535-4.4.3-01", "RFC4535-4.4.3-02", "RFC4535-4.4.3-03", "RFC4535-4.4.3-04", "RFC4535-5.2.1-01")
def test_2_the_key_server_verifies_the_token_and_opens_the_group(step):
    assert step("key_server")["edition"] == 1
    state = step.states["key_server"]["keys"]
    assert state["group"] == GROUP and state["members"] == 0


@pytest.mark.req("RFC4535-5.2-01", "RFC4535-5.2-03", "RFC4535-5.2.1.1-04", "RFC4535-5.2.1.1-19", "RFC4535-5.2.1.2-19",
                 "RFC4535-5.2.1.4-15")
def test_3_six_members_join_in_parallel(step):
    assert len(step("everybody_joins")["took"]) == 6
    assert step.states["everybody_joins"]["keys"]["members"] == 6


@pytest.mark.req("RFC4535-5.2.1.1-15", "RFC4535-5.2.1.1-17", "RFC4535-5.2.1.1-20", "RFC4535-5.2.1.1-22", "RFC4535-4.1.6-02")
def test_3_the_unadmitted_the_expired_and_the_replayed_are_refused(step):
    refused = step("refusals")
    for r in (refused["mallory"]["refusal"], refused["oscar"]["refusal"], refused["replay"]):
        assert r["req"].startswith("RFC453") and r["reason"]
    assert "the certificate has expired (CN=oscar" in refused["oscar"]["refusal"]["reason"]


def test_4_members_read_the_data_and_nobody_else(step):
    assert len(step("data")["listeners"]) == 5


@pytest.mark.req("RFC4535-5.3.2.1-01", "RFC4535-5.3.2.1-02", "RFC4535-5.3.2.1-03", "RFC4535-5.3.1.1-01", "RFC4535-5.3.1.2-01")
def test_5_an_evicted_member_reads_nothing_more(step):
    step("evict")
    assert step.states["evict"]["keys"]["members"] == 5


def test_6_a_newcomer_cannot_read_what_was_recorded_before(step):
    assert step("newcomer")["end"]["unreadable"]


@pytest.mark.req("RFC4535-7.1.1-09")
def test_7_a_killed_key_server_comes_back_and_nobody_notices(step):
    r = step("crash")
    assert r["sequence"] > r["before"]


@pytest.mark.req("RFC4535-5.3.2.3-02", "RFC4535-5.3.2.3-03", "RFC4535-5.3.2.3.1-02", "RFC4535-5.3.2.3.2-02",
                 "RFC4535-5.3.2.3.3-02", "RFC4535-5.3.2.3.3-14")
def test_8_a_member_leaves_in_good_order(step):
    step("leave")
    assert step.states["leave"]["keys"]["members"] == 5


@pytest.mark.req("RFC4535-5.3.1.3-01", "RFC4535-5.3.1.3-02")
def test_9_the_group_is_destroyed(step):
    step("destroy")


def test_10_the_second_implementation_verifies_the_whole_capture(step):
    assert step("aftermath")["frames"] > 100


def test_a_check_that_fails_says_so():
    with pytest.raises(Exception, match="not as it must be: two is three"):
        need(2 == 3, "two is three")
