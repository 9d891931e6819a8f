# SPDX-License-Identifier: BSD-2-Clause
"""What whoever runs the daemons is told, in words: what is wrong, and that something is."""
import json
import os
import re
import subprocess

import pytest

from lab import LabError, forms
from lab.build import program
from lab.story import GROUP
from msec_scapy.testing.ctl import told


def shown(tmp_path, result, *options):
    """What msec-ctl prints of an answer."""
    r = told(tmp_path, [json.dumps({"ok": True, "result": result}).encode()], *options, "status")
    assert r.returncode == 0, r.stderr
    return r.stdout.decode()


def test_rows_stand_below_each_other_and_what_has_parts_in_blocks(tmp_path):
    """Rows of a table with their columns; blocks where a row has parts or is too wide; lists with commas, nothing as a dash."""
    rows = [{"name": "a", "n": 1, "long": "x" * 60, "end": True}, {"name": "bb", "n": None, "long": "y", "end": "z"}]
    assert shown(tmp_path, rows).splitlines() == [
        "name  n  " + "long".ljust(50) + "end", "a     1  " + "x" * 60 + "  yes", "bb    -  " + "y".ljust(50) + "z"]
    nested = {"state": "open", "names": ["p", "q"], "none": [], "groups": [{"group": "g", "kek": {"spi": "00", "lkh": False}},
                                                                           {"group": "h", "kek": None}]}
    assert shown(tmp_path, nested).splitlines() == [
        "state   open", "names   p, q", "none    -", "groups", "  group  g", "  kek", "    spi  00", "    lkh  no", "",
        "  group  h", "  kek    -"]
    assert shown(tmp_path, [{"a": 1}, {"b": 2, "o": {}}]).splitlines() == ["a  b  o", "1  -  -", "-  2  -"]
    wide = [{f"column{i}": "v" * 30 for i in range(8)}]
    assert shown(tmp_path, wide).splitlines() == [f"column{i}  {'v' * 30}" for i in range(8)]
    assert json.loads(shown(tmp_path, nested, "--json"))["result"] == nested


def test_the_status_of_a_running_group_has_no_braces(group):
    s = group("alice")
    for d in (s.keys, s.members["alice"]):
        r = subprocess.run([program("msec-ctl"), d.control.path, "status"], capture_output=True, text=True)
        assert r.returncode == 0 and not set("{}[]") & set(r.stdout), r.stdout


def test_a_reload_says_that_the_token_was_refused_and_why(group):
    """An edition of before is put back: the command that reads it fails, and so does the one that reads everything."""
    s = group("alice")
    token = s.dir / "policy" / "policy.token"
    old = token.read_bytes()
    s.edition += 1
    mark = s.keys.mark()
    forms.compile_and_sign(s)
    s.keys.wait("token", since=mark, edition=s.edition)
    token.write_bytes(old)
    for words in (["token", GROUP], ["reload"]):
        r = subprocess.run([program("msec-ctl"), s.keys.control.path, *words], capture_output=True, text=True)
        assert r.returncode == 1, r.stdout
        assert f"edition {s.edition - 1} is not greater than {s.edition}" in r.stderr and str(token) in r.stderr, r.stderr
    forms.compile_and_sign(s)


# -- before anything is wrong ---------------------------------------------------------------------------------------------

def test_an_own_certificate_and_a_private_key_that_will_not_do_are_warned_of(group):
    """The configuration is good all the same: other peers may have other roots, and it is the operator's own key."""
    s = group("alice")
    alice = s.members["alice"]
    code, text = alice.check_config()
    assert code == 0 and "warning" not in text, text
    s.pki.expired("alice")
    key = s.pki.parties["alice"].key
    os.chmod(key, 0o604)
    alice.write(forms.gm(s, "alice"))
    code, text = alice.check_config()
    assert code == 0 and f"{alice.config}: good" in text
    assert "'@certificate'" in text and "the certificate has expired (CN=alice" in text, text
    assert f"private key '{key}' has mode 0604: others may use it" in text, text
    os.chmod(key, 0o640)
    assert "mode" not in alice.check_config()[1], "its group is how a service gets it"


def test_the_store_of_somebody_else_is_found_before_the_start(group):
    s = group()
    if "4294967295" not in open("/proc/self/uid_map").read():
        pytest.skip("there is nobody else in this user namespace")
    s.keys.finish()
    text = s.keys.config.read_text()
    s.keys.write(text.replace("<run ", '<run user="nobody" '))
    code, text = s.keys.check_config()
    assert code == 3 and "'@path'" in text and "Permission denied, to user 'nobody'" in text, text


def test_who_is_evicted_or_readmitted_by_a_value_in_its_name_is_said(group):
    s = group("alice")
    name = s.keys.control("members")[0]["peer"]
    for fragment in ("CN", "alic", "CN=", "lice,O"):
        with pytest.raises(LabError, match="is no member"):
            s.keys.control("evict", fragment)
    assert s.keys.control("members")[0]["peer"] == name and "CN=alice," in name
    assert s.keys.control("evict", "alice") == {"evicted": name}
    with pytest.raises(LabError, match="a fragment of a name"):
        s.keys.control("readmit", "alic")
    assert s.keys.control("readmit", "CN=alice") == {"readmitted": name}


# -- a member that comes before its key server ----------------------------------------------------------------------------

def test_a_member_that_is_to_join_goes_on_asking(group):
    """Nobody answers, and it says so and when it asks again; a key server that starts later has it as a member.  Whoever is
    told to leave stays out."""
    s = group("alice")
    alice = s.members["alice"]
    s.keys.kill()
    alice.finish()
    text = alice.config.read_text()
    patient = re.sub(r"<membership [^/]*/>", '<membership join="yes" timeout="200ms" spread="1ms" retries="1" retry="400ms"/>', text)
    assert patient != text, text
    alice.write(patient)
    mark = alice.mark()
    alice.start()
    alice.wait("left", since=mark, reason="no answer")
    again = alice.mark()
    alice.wait("left", since=again, reason="no answer")
    assert "asking the key server at" in alice.log.read_text() and "asking again in" in alice.log.read_text()
    s.keys.start()
    alice.wait("joined", since=again)
    assert alice.control("status")["retry_due"] is None
    s.keys.kill()
    mark = alice.mark()
    alice.control("leave", "silently")
    alice.wait("left", since=mark)
    assert alice.control("status")["retry_due"] is None


@pytest.mark.req("RFC4535-5.3.1.3-02", "RFC4534-B.5.4.1-01")
def test_who_was_excluded_and_whose_group_is_no_more_asks_no_longer(group):
    """Also where it is to join: it was told, by whoever may say so."""
    s = group("alice", "bob", rekeying={"method": "<none/>", "event": "<event/>"})
    for daemon in s.members.values():
        daemon.finish()
        text = daemon.config.read_text()
        daemon.write(re.sub(r"<membership [^/]*/>", '<membership join="yes" retry="200ms"/>', text))
        mark = daemon.start()
        daemon.wait("joined", since=mark)
    s.edition = 2
    forms.compile_and_sign(s, excluded=["alice"])
    s.keys.control("token", GROUP)
    for name, event in (("alice", "evicted"), ("bob", "destroyed")):
        daemon = s.members[name]
        daemon.wait(event)
        daemon.wait("left")
        status = daemon.control("status")
        assert status["retry_due"] is None and status["state"] == "Idle", status
        assert "asking again in" not in daemon.log.read_text()
        if name == "alice":
            s.keys.control("destroy", GROUP)
    # Its operator is told the same, also by a daemon that was started since.
    bob = s.members["bob"]
    for _ in range(2):
        with pytest.raises(LabError, match="the group was destroyed"):
            bob.control("join")
        bob.finish()
        bob.start()
    assert "no Request to Join: the group was destroyed" in bob.log.read_text()


@pytest.mark.req("RFC4534-3.1-03")
@pytest.mark.parametrize("edition", (None, 7))
def test_a_token_without_a_number_is_told_from_one_with(ground, edition):
    server, gm = ground.gcks(ground.make_token(edition=edition)), ground.gm("gm0")
    gm.control("join")
    number = -1 if edition is None else edition
    assert gm.wait("token")["edition"] == server.wait("token")["edition"] == number
    assert gm.control("status")["edition"] == server.control("status")["groups"][0]["edition"] == number
    gm.finish()
    server.finish()
