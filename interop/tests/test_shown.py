# SPDX-License-Identifier: BSD-2-Clause
"""What a peer wrote is shown to an operator, and does not act on the operator's terminal."""
import json
import re
import subprocess

import pytest

from lab.build import program
from msec_scapy.testing.ctl import told
from msec_scapy.testing.ground import Ground

# C0 but the end of a line, DEL, C1, and what changes the direction of its surroundings.
ACTS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
ODD = "gm\u009b2J\u202eecila\u2069"


def harmless(octets: bytes) -> str:
    text = octets.decode()  # what is no UTF-8 is not harmless
    found = ACTS.search(text)
    assert not found, text[max(0, found.start() - 40):found.end() + 20]
    return text


def printed(*of) -> bytes:
    r = told(*of)
    return r.stdout + r.stderr


def raw(value) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@pytest.mark.parametrize("odd, shown", [
    ("a\x1b[2J\n", "a\\u001b[2J\\u000a"), ("\u009b2J\x7f", "\\u009b2J\\u007f"), ("\u202eecila\u202c", "\\u202eecila\\u202c"),
    ("\u2066x\u2069\u061c", "\\u2066x\\u2069\\u061c"), ("Zoë 日本 שלום", "Zoë 日本 שלום")])
def test_what_a_daemon_passes_on(tmp_path, odd, shown):
    """Whichever daemon it was, and whether or not it took care itself."""
    rows = [{"name": odd, "list": [odd, "b"], "n": 1}, {"name": "x", "list": [], "n": 2}]
    text = harmless(printed(tmp_path, [raw({"ok": True, "result": rows})], "members")).splitlines()
    assert text[1].startswith(shown + "  ") and shown + ", b  " in text[1]
    octets = [len(line.encode().rpartition(b"  ")[0]) for line in text]
    assert len(set(octets)) == 1, "the columns of what is shown stand below each other"
    refused = printed(tmp_path, [raw({"ok": False, "error": odd})], "evict")
    assert harmless(refused) == f"msec-ctl: {shown}\n"
    document = harmless(printed(tmp_path, [raw({"ok": True, "result": rows})], "--json", "members"))
    assert json.loads(document)["result"] == rows and len(document.splitlines()) > 5
    event = {"event": "refused", "peer": odd}
    lines = harmless(printed(tmp_path, [raw({"ok": True, "result": {}}), raw(event)], "events")).splitlines()
    assert json.loads(lines[-1]) == event


@pytest.mark.req("RFC4535-7.6.1-05")
def test_the_name_of_a_member(tmp_path, net_prefix):
    """In the log, the events and the tables; and what is shown is a name that can be given back."""
    with Ground(tmp_path, net_prefix) as g:
        g.pki.parties["odd"] = g.pki.issue(ODD, file="odd")
        server = g.gcks()
        runner = g.member("odd")
        assert runner.join(), runner.member.refusals
        members = server.control("members", "ground")
        shown = [value for m in members for value in m.values() if "ecila" in str(value)][0]
        assert "gm\\c2\\9b2J\\e2\\80\\aeecila\\e2\\81\\a9" in shown  # as RFC 4514 has it
        for words in (["members", "ground"], ["--json", "members", "ground"]):
            r = subprocess.run([program("msec-ctl"), *words[:-2], server.control.path, *words[-2:]], capture_output=True)
            assert "ecila" in harmless(r.stdout)
        server.control("evict", shown.removeprefix("dn:"), "ground")
        assert not [m for m in server.control("members", "ground") if m["state"] == "active"]
        server.finish()
        assert "ecila" in harmless(server.log.read_bytes()) and "ecila" in harmless(server.event_log.read_bytes())
