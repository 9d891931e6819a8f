# SPDX-License-Identifier: BSD-2-Clause
"""--check-config of every daemon looks at the places that the configuration names, and changes nothing."""
import grp
import os
import pwd
import subprocess

import pytest

from lab import gdoi_member as forms
from lab.build import program
from lab.gdoi_served import PROPOSAL

PLACES = [
    ("store", "path", "alice.db", "nowhere/alice.db", "'nowhere': No such file"),
    ("store", "path", "alice.db", "file/alice.db", "Not a directory"),
    ("store", "path", "alice.db", "folder", "is there, and is no file"),
    ("store", "path", "alice.db", "alice.psk", "is there, and is no store"),
    ("control", "socket", "alice.sock", "nowhere/alice.sock", "'nowhere': No such file"),
    ("control", "socket", "alice.sock", "file", "is there, and is no socket"),
    ("control", "socket", "alice.sock", 120 * "x", "too long"),
    ("run", "pid-file", "alice.pid", "nowhere/alice.pid", "'nowhere': No such file"),
]


@pytest.fixture
def member(tmp_path):
    """check(old, new, ...) of the configuration of a gdoi-gm: (status, text)."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    psk = forms.psk_file(tmp_path, "alice", "correct horse battery staple")
    inside = forms.phase1({"10.0.0.1": psk}, [("10.0.0.1", "ipv4")], PROPOSAL)
    text = forms.config('  <identity name="10.0.0.9" name-type="ipv4"/>\n', inside, ["10.0.0.1"], [forms.group("plant", 1)],
                        "alice.db", "alice.sock", network={"interface": "lo"})
    text = text.replace("<run ", '<run pid-file="alice.pid" ')

    def check(old="", new="", *words):
        assert old in text
        (tmp_path / "gm.xml").write_text(text.replace(old, new))
        before = sorted(os.listdir(tmp_path))
        r = subprocess.run([program("gdoi-gm"), "--config", "gm.xml", "--check-config", *words], cwd=tmp_path, capture_output=True,
                           text=True)
        assert sorted(os.listdir(tmp_path)) == before, "nothing is made"
        return r.returncode, r.stderr, text
    check.text = text
    return check


def test_places_that_are_right(member):
    assert member()[:2] == (0, "")


@pytest.mark.parametrize("element,attribute,right,wrong,says", PLACES)
def test_a_place_that_cannot_be_used_is_refused_with_its_line(member, element, attribute, right, wrong, says):
    status, said, text = member(f'{attribute}="{right}"', f'{attribute}="{wrong}"')
    line = text.split(f"<{element} ")[0].count("\n") + 1
    assert status == 3 and f"gm.xml:{line}: <{element}>: '@{attribute}': " in said and says.split("'")[-1] in said, said


def test_an_interface_of_another_host_is_a_warning(member):
    status, said, text = member('interface="lo"', 'interface="nosuch0"')
    line = text.split("<network ")[0].count("\n") + 1
    assert status == 0 and f"warning: [cfg] gm.xml:{line}: <network>: '@interface': there is no 'nosuch0' on this host" in said, said
    status, said, _ = member("<run ", '<run user="nosuchuser" ')
    assert status == 0 and "<run>: '@user': there is no 'nosuchuser' on this host" in said
    assert "'@group'" not in said
    status, said, _ = member("<run ", '<run user="root" group="nosuchgroup" ')
    assert status == 0 and "<run>: '@group': there is no 'nosuchgroup' on this host" in said
    status, said, _ = member("<run ", '<run group="root" ')
    assert status == 0 and "<run>: '@group': is nobody's without '@user'" in said and "there is no" not in said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can look as another user")
@pytest.mark.parametrize("groups", [[], [0], [0, 4321]], ids=["none", "roots", "more"])
def test_places_are_judged_as_the_user_that_the_daemon_will_be(member, tmp_path, groups):
    """Whatever supplementary groups whoever asks has: the daemon gives them up."""
    folder = tmp_path / "group"
    folder.mkdir()
    os.chmod(folder, 0o770)
    for directory in (tmp_path, *tmp_path.parents):  # up to where everybody gets by himself
        os.chmod(directory, os.stat(directory).st_mode | 0o711)
        if directory.name.startswith("pytest-of-"):
            break
    nobody = pwd.getpwnam("nobody")
    place = 'store path="group/alice.db"'

    def judged(run, owner):
        os.chown(folder, 0, owner)
        (tmp_path / "gm.xml").write_text(member.text.replace('store path="alice.db"', place)
                                         .replace('control socket="alice.sock"', 'control socket="group/alice.sock"')
                                         .replace('pid-file="alice.pid" ', run))
        r = subprocess.run([program("gdoi-gm"), "--config", "gm.xml", "--check-config"], cwd=tmp_path, capture_output=True, text=True,
                           extra_groups=groups)
        return r.returncode, r.stderr

    status, said = judged('user="nobody" ', 0)
    assert status == 3 and "Permission denied, to user 'nobody'" in said, said
    status, said = judged('user="nobody" ', 4321)
    assert status == 3 and "Permission denied, to user 'nobody'" in said, said
    assert judged('user="nobody" ', nobody.pw_gid) == (0, "")
    assert judged('user="nobody" group="daemon" ', grp.getgrnam("daemon").gr_gid) == (0, "")
    status, said = judged('user="nobody" group="daemon" ', nobody.pw_gid)
    assert status == 3 and "Permission denied, to user 'nobody'" in said, said
    assert judged("", 0)[0] == 0, "without a user, it is root that will run it"
