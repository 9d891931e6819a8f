# SPDX-License-Identifier: BSD-2-Clause
"""The units under a real systemd, in a virtual machine (lab/guest.py, lab/units.py): a key server and a member of each protocol,
and the Group Owner, with the files of the manual pages and with nothing but what the units allow."""
import json

import pytest

from lab import units
from lab.guest import Managed

pytestmark = [pytest.mark.long, pytest.mark.guest]
CAPABILITIES = {"gdoi-gcks": 1 << 10, "gdoi-gm": 1 << 10 | 1 << 12}  # CAP_NET_BIND_SERVICE, CAP_NET_ADMIN


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    directory = tmp_path_factory.mktemp("services")
    units.write_files(directory / "etc")
    said = Managed(directory).run(["sh", "-c", "modprobe -a veth bridge; exec /usr/bin/python3 -m lab.units"], timeout=900)
    return json.loads(said.splitlines()[-1])


def test_all_of_them_start_and_their_groups_come_together(told):
    assert {name: s["ActiveState"] for name, s in told["started"]["is"].items()} == dict.fromkeys(units.WHERE, "active")
    assert told["started"]["joined"] == {"gdoi-gm": True, "gsakmp-gm": True}
    assert told["xfrm"] > 0, "SAs are in the kernel, whose modules nobody has loaded for the daemon"


def test_they_are_nobody_and_may_little(told):
    for name, rights in told["started"]["rights"].items():
        assert rights["Uid"] == "msec" and (rights["NoNewPrivs"], rights["Seccomp"]) == ("1", "2"), (name, rights)
        assert int(rights["CapEff"], 16) == int(rights["CapBnd"], 16) == CAPABILITIES.get(name, 0), (name, rights)


def test_reload_reads_files_again_in_the_same_process(told):
    assert told["reloaded"] == {name: {"event": "reloaded", "reason": None, "same": True} for name in units.WHERE}


def test_who_is_killed_comes_back_with_its_members(told):
    for name, seen in told["killed"].items():
        assert seen == {"another": True, "restarts": "1", "before": 1, "after": 1}, name


def test_a_wrong_configuration_is_not_tried_again(told):
    wrong = told["wrong"]
    assert (wrong["stopped"]["ActiveState"], wrong["stopped"]["Result"]) == ("inactive", "success")
    assert wrong["failed"] and wrong["is"]["ActiveState"] == "failed" and wrong["is"]["ExecMainStatus"] == "3"
    assert any("gdoi-gcks.xml" in line and "shop" in line for line in wrong["said"]), wrong["said"]
    assert wrong["is"]["NRestarts"] == "0" and wrong["again"] == "active"


def test_the_journal_has_levels_and_no_second_date(told):
    for name, lines in told["journal"].items():
        assert any(line.startswith("[io] ready: ") for line in lines), (name, lines)
    assert not [line for lines in told["warnings"].values() for line in lines if "ready" in line], "that is no warning"


def test_they_end_in_order(told):
    for name, seen in told["stopped"].items():
        assert (seen["ActiveState"], seen["Result"], seen["ExecMainStatus"]) == ("inactive", "success", "0"), (name, seen)
    left = told["left"]
    assert left["/var/lib/msec"] == "msec 700" and all(v.startswith("msec ") for v in left.values()), left
    assert all(v == "msec 600" for p, v in left.items() if p.endswith(".db")), left
