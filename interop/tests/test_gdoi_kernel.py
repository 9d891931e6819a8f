# SPDX-License-Identifier: BSD-2-Clause
"""SAs of GDOI in a real kernel: one with ESP and AH, in a virtual machine (lab/guest.py, lab/esp.py)."""
import json

import pytest

from lab.guest import Guest

pytestmark = [pytest.mark.long, pytest.mark.guest]
MODULES = "modprobe -a veth bridge xfrm_user esp4 esp6 ah4 ah6"


def in_guest(directory, *words):
    said = Guest(directory).run(["sh", "-c", f"{MODULES}; exec /usr/bin/python3 -m lab.esp {' '.join(words)}"])
    return json.loads(said.splitlines()[-1])


@pytest.mark.req("RFC5374-4.2.1-01")
def test_the_kernel_takes_every_message_of_the_vectors(tmp_path):
    result = in_guest(tmp_path, "vectors")
    assert result["messages"] > 400 and result["failed"] == []


@pytest.mark.req("RFC6407-5.5.1.1.1-02", "RFC6407-5.5.1.1.2-02", "RFC6407-5.5.1.1.2-04",
                 "RFC5374-1.1-01", "RFC5374-3-01", "RFC5374-3.1-01", "RFC5374-4.1.1-03", "RFC5374-4.2.1-16")
def test_multicast_is_carried_by_sas_of_every_kind(tmp_path):
    result = in_guest(tmp_path, "traffic")
    rollover = result.pop("rollover")
    for name, seen in result.items():
        assert seen["received"] == {"alice": 5, "bob": 5, "carol": 10}, (name, seen)
        assert seen["outsider"] is None, f"{name}: who has no key reads nothing"
        assert seen["protocols"] == {"51" if name.startswith("AH") else "50": 10}, f"{name}: nothing is on the wire but ESP or AH"
    assert rollover["lost"] == {"bob": 0, "carol": 0} and rollover["sent"] == 100, "one SA follows another"
    assert rollover["blocked"] and rollover["protocols"] == {}, "and without one nothing leaves"


@pytest.mark.req("RFC6407-5.4.1-01", "RFC6407-5.4.1-02", "RFC5374-4.2.1-11", "RFC5374-4.2.1-15", "RFC5374-4.2.1-16")
def test_members_put_their_sas_into_the_kernel_and_one_follows_the_other_without_loss(tmp_path):
    result = in_guest(tmp_path, "members")
    assert result["kernel"] == {"alice": 2, "bob": 2, "carol": 2} and result["refused"] == []
    assert min(result["sent"].values()) > 20, "all the time that the rollover takes"
    assert result["lost"] == {name: {"239.1.2.1": 0, "239.1.2.2": 0} for name in ("bob", "carol")}
    assert result["outsider"] == 0 and result["protocols"] == {"239.1.2.1": [50], "239.1.2.2": [50]}, "nothing but ESP is on the wire"
    assert set(result["left behind"].values()) == {""}, "who leaves or ends takes its states and policies along"


def test_what_a_killed_member_left_is_taken_over_or_taken_out(tmp_path):
    result = in_guest(tmp_path, "killed")
    spis, foreign = set(result["spis"]), {"states": {"00009998": 0, "00009999": 0}, "policies": ["239.8.8.8/32", "239.8.8.9/32"]}
    assert len(spis) == 2 and [result[k] for k in ("before", "dead", "again", "rekeyed")] == [[5, 5]] * 4
    assert set(result["left"]["states"]) == spis | set(foreign["states"]), "nobody has taken them out"
    for when, packets in (("left", 10), ("taken over", 15)):
        assert {result[when]["states"][spi] for spi in spis} == {packets}, f"{when}: the counters go on"
    assert result["taken over"] == {**result["left"], "states": result["taken over"]["states"]} and result["still left"] == 0
    new = set(result["new spis"])
    assert len(new) == 2 and not new & spis and result["swept"] >= 2
    assert set(result["new"]["states"]) == new | set(foreign["states"]), "what was replaced meanwhile is gone"
    assert result["new"]["policies"] == result["left"]["policies"]
    assert result["end"] == result["after the end"] == foreign, "and nothing of somebody else's was touched"
