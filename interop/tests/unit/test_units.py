# SPDX-License-Identifier: BSD-2-Clause
"""The systemd units: what they may, and that systemd reads them as they are meant."""
import shutil
import subprocess

import pytest

from lab import TOP
from lab.build import program

CAPABILITIES = {"gdoi-gcks": {"CAP_NET_BIND_SERVICE"}, "gdoi-gm": {"CAP_NET_BIND_SERVICE", "CAP_NET_ADMIN"}}
ROOM = {"gsakmp-gcks": "gsakmp/daemon", "gsakmp-gm": "gsakmp/daemon", "gdoi-gcks": "gdoi/daemon", "gdoi-gm": "gdoi/daemon",
        "msec-go": "policy-tokens/owner"}


def unit(name):
    return (TOP / ROOM[name] / f"{name}.service.in").read_text()


def value(text, key):
    line, = [x for x in text.splitlines() if x.startswith(f"{key}=")]
    return line.split("=", 1)[1]


@pytest.mark.parametrize("name", ROOM)
def test_a_unit_gives_the_rights_that_its_daemon_needs_and_no_others(name):
    text = unit(name)
    assert value(text, "User") == value(text, "Group") == "msec"
    for key in ("AmbientCapabilities", "CapabilityBoundingSet"):
        assert set(value(text, key).split()) == CAPABILITIES.get(name, set())
    assert value(text, "NoNewPrivileges") == "yes" and value(text, "ProtectSystem") == "strict"
    assert value(text, "ExecStart") == f"@sbindir@/{name} --config /etc/msec/{name}.xml"
    assert value(text, "Documentation") == f"man:{name}(8)"
    never = {int(n) for n in value(text, "RestartPreventExitStatus").split()}
    assert {2, 3} <= never and not {0, 1, 5} & never, "a wrong command line or configuration stays wrong; a port comes free"


def test_the_user_of_the_units_is_the_one_that_sysusers_makes():
    kind, user, *_ = (TOP / "common/daemon/msec.sysusers").read_text().splitlines()[1].split()
    assert (kind, user) == ("u", "msec")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd")
@pytest.mark.parametrize("name", ROOM)
def test_systemd_has_nothing_to_say_about_a_unit(name, tmp_path):
    path = tmp_path / f"{name}.service"
    path.write_text(unit(name).replace("@sbindir@", str(program(name).parent)))
    r = subprocess.run(["systemd-analyze", "verify", "--man=no", path], capture_output=True, text=True)
    said = [line for line in (r.stdout + r.stderr).splitlines() if path.name in line]
    assert not said, said
