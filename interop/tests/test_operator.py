# SPDX-License-Identifier: BSD-2-Clause
"""What whoever runs the daemons is told, in words: what is wrong, and that something is."""
import json
import socket
import subprocess
import threading

from lab import forms
from lab.build import program
from lab.story import GROUP


def shown(tmp_path, result, *options):
    """What msec-ctl prints of an answer."""
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen(1)

        def answer():
            connection, _ = listening.accept()
            with connection:
                connection.makefile().readline()
                connection.sendall(json.dumps({"ok": True, "result": result}).encode() + b"\n")

        thread = threading.Thread(target=answer)
        thread.start()
        r = subprocess.run([program("msec-ctl"), *options, path, "status"], capture_output=True, text=True)
        thread.join()
    assert r.returncode == 0, r.stderr
    return r.stdout


def test_rows_stand_below_each_other_and_what_has_parts_in_blocks(tmp_path):
    """Rows of a table with their columns; blocks where a row has parts or is too wide; lists with commas, nothing as a dash."""
    rows = [{"name": "a", "n": 1, "long": "x" * 60, "end": True}, {"name": "bb", "n": None, "long": "y", "end": "z"}]
    assert shown(tmp_path, rows).splitlines() == [
        "name  n  " + "long".ljust(50) + "end", "a     1  " + "x" * 60 + "  yes", "bb    -  " + "y".ljust(50) + "z"]
    (tmp_path / "s").unlink()
    nested = {"state": "open", "names": ["p", "q"], "none": [], "groups": [{"group": "g", "kek": {"spi": "00", "lkh": False}},
                                                                           {"group": "h", "kek": None}]}
    assert shown(tmp_path, nested).splitlines() == [
        "state   open", "names   p, q", "none    -", "groups", "  group  g", "  kek", "    spi  00", "    lkh  no", "",
        "  group  h", "  kek    -"]
    (tmp_path / "s").unlink()
    wide = [{f"column{i}": "v" * 30 for i in range(8)}]
    assert shown(tmp_path, wide).splitlines() == [f"column{i}  {'v' * 30}" for i in range(8)]
    (tmp_path / "s").unlink()
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
