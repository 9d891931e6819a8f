# SPDX-License-Identifier: BSD-2-Clause
"""The story of ./lab demo substation: the keys of an IEC 61850 group (RFC 8052), with gdoi-gcks and gdoi-gm.

The steps of one story share one group; a test has those before its own told first, and when one fails, the rest of that
story fails with it.
"""
import pytest

from lab.substation import BREAKERS, RELAY, Substation


@pytest.fixture(scope="module")
def story(net_prefix, tmp_path_factory):
    s = Substation(tmp_path_factory.mktemp("substation"), f"{net_prefix}s-", life=8, early=4)
    yield s
    s.close()


@pytest.mark.req("RFC8052-2.1-01")
def test_1_a_group_has_an_object_identifier(step):
    # ID_OID, then the OID in DER with its length, and no payload
    assert step("opening")["status"]["id"] == "0d000000" + "08" + "0606" + "2883e70f0901" + "0000"


@pytest.mark.req("RFC8052-2.2-01", "RFC8052-2.3-01")
def test_2_devices_register_and_have_one_key(step):
    keys = step("register")["keys"]
    assert sorted(keys) == sorted([RELAY, *BREAKERS])
    assert all(k[0]["authentication"] == "HMAC-SHA256-128" and k[0]["encryption"] == "AES-CBC-128" for k in keys.values())


def test_3_frames_are_taken_and_forged_ones_refused(step):
    result = step("frames")
    assert all(r["bad tag"] >= 20 for r in result["refused"].values()) and result["upto"] > 50
    assert result["eve"]["taken"] == [] and result["eve"]["refused"]["no key"] >= 50


@pytest.mark.req("RFC8052-2.2.4.1-01")
def test_4_the_next_key_is_fetched_before_it_is_needed_and_no_frame_is_lost(step):
    result = step("prefetch")
    assert all(states == ["current", "next"] for states in result["held"].values()), result
    assert result["switch"]["key"] == result["spi"] and result["upto"] >= result["switch"]["sequence"] - 1


def test_5_without_a_key_server_the_current_key_stays(step):
    result = step("alone")
    assert all(kept == [result["spi"]] for kept in result["kept"].values())


def test_6_a_key_server_that_returns_is_found(step):
    assert step("back")["spi"]


def test_7_who_comes_late_gets_the_current_and_the_next_key(step):
    assert step("late")["states"] == ["current", "next"]


def test_8_a_revocation_replaces_the_key_at_once(step):
    result = step("revoke")
    assert result["thief"]["taken"][-1][1] < result["switch"]["sequence"]


def test_9_at_the_end_all_keys_are_wiped(step):
    assert not any(step("destroy")["left"].values())
