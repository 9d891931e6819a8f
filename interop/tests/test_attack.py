# SPDX-License-Identifier: BSD-2-Clause
"""./lab attack: what a person gets who sends one wrong message by name."""
import json
import subprocess
import sys

import pytest

from lab import attack
from lab.__main__ import main
from lab.net import Net
from lab.process import PATIENCE
from msec_scapy import announcement, misbehave
from msec_scapy import registry as reg
from msec_scapy.policy import SUITES
from msec_scapy.testing.abroad import ANNOUNCEMENT
from msec_scapy.testing.abroad import attacking as abroad
from msec_scapy.testing.ground import Ground


def test_the_list_has_all_of_them(capsys):
    assert main(["attack"]) == 0
    text = capsys.readouterr().out
    assert main(["attack", "--list"]) == 0 and capsys.readouterr().out == text
    assert all(f" {e.name} " in text for e in misbehave.CATALOGUE)
    assert main(["attack", "--against", "gm", "--json"]) == 0
    assert {e["role"] for e in json.loads(capsys.readouterr().out)} == {"server"}


def test_what_cannot_be_done_is_said(capsys):
    assert main(["attack", "rtj-nothing"]) == 1 and "./lab attack lists them" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["attack", "--against", "both"])
    said = capsys.readouterr().err
    assert said.startswith("usage: ./lab attack [-h]") and "demo" not in said
    assert main(["attack", "rtj-truncated", "--against", "gm"]) == 1 and "done to a gcks" in capsys.readouterr().err
    assert main(["attack", "rtj-truncated", "--target", "192.0.2.1:3761"]) == 1
    assert "--announcement, --key, --cert" in capsys.readouterr().err


def at_home(name, *words):
    """In the sandbox that the tests are in already."""
    r = subprocess.run([sys.executable, "-m", "lab.attack", name, *words], capture_output=True, text=True, timeout=5 * PATIENCE)
    assert r.returncode == 0, r.stdout + r.stderr
    return r.stdout


@pytest.mark.parametrize("name", ["rtj-two-nonces", "rtj-replayed", "rtd-wrong-root", "keydl-nonce", "rekey-replayed",
                                  "dr-stale", "loa-rogue"])
def test_against_the_daemons(name):
    told, entry = json.loads(at_home(name, "--json")), misbehave.find(name)
    assert told["refused"] is True and list(told["rows"]) == list(entry.rows)
    assert len(told["sent"]) == (2 if entry.repeat else 1)
    assert any(row in line for line in told["seen"] for row in entry.rows)


def test_a_person_reads_what_was_sent_and_what_it_breaks():
    text = at_home("rtj-version-zero", "--verbose-mode")
    for words in ("Version: 0", "RFC4535-7.1.2-04: ", "answers with a Request to Join Error", "Invalid-Version",
                  "Refused, as it has to be."):
        assert words in text, text


def test_what_was_not_tried_did_not_come_to_its_end_either(capsys, tmp_path):
    entry = misbehave.find("rtj-dh-one")
    why = "not tried: the group's key exchange is another one"
    attack.report(entry, {"sent": [], "seen": [why], "refused": None, "expected": entry.reaction(True), "tried": False}, tmp_path, False)
    text = capsys.readouterr().out
    assert why in text and "It was not tried." in text and "come so far" not in text and "cannot be seen" not in text


def test_against_a_key_server_somewhere(tmp_path, net_prefix):
    with Ground(tmp_path, net_prefix) as ground:
        daemon = ground.gcks()
        out, err = abroad(ground, "evil", "rtj-no-nonce", "gm0", "--target", f"{ground.hosts['keys'].ip4}:3761").communicate()
        told = json.loads(out)
        assert told["refused"] is True and len(told["sent"]) == 1, err
        assert told["alive"] is True, "and it serves on"
        assert daemon.wait("refused")["req"] == "RFC4535-5.2.1.1-07"
        daemon.finish()


def test_silence_proves_nothing_where_nobody_is_served(tmp_path, net_prefix):
    """A key server that is not there, and one that refuses all that this party asks: neither is said to have refused what was
    wrong."""
    with Ground(tmp_path, net_prefix) as ground:
        daemon = ground.gcks()
        for who, address in (("gm0", "evil"), ("stranger", "keys")):
            p = abroad(ground, "evil", "rtj-no-nonce", who, "--target", f"{ground.hosts[address].ip4}:3761")
            out, err = p.communicate()
            assert p.returncode == 1 and not out, out
            assert "a right registration does not succeed, so there is nothing to attack: " in err, err
        daemon.finish()


def test_against_a_member_somewhere(tmp_path, net_prefix):
    with Ground(tmp_path, net_prefix) as ground:
        token = tmp_path / "token"
        token.write_bytes(ground.make_token())
        p = abroad(ground, "keys", "keydl-nonce", "keys", "--listen", f"{ground.hosts['keys'].ip4}:3761", "--token", token,
                   "--interface", "eth0")
        assert p.stderr.readline().startswith("lab: waiting")
        gm = ground.gm()
        gm.control("join")
        assert gm.wait("refused")["req"] == "RFC4535-5.2.1.2-11"
        told = json.loads(p.communicate()[0])
        assert told["refused"] is True and len(told["sent"]) == 1
        gm.finish()


def test_announcements_are_read(tmp_path, net_prefix):
    a = announcement.parse(ANNOUNCEMENT.format(random="0102030405060708", name="x", address="192.0.2.1", multicast="239.1.1.1",
                                               port=7))
    assert (a.group_type, a.group_id, a.servers, a.multicast) == (2, b"\1\2\3\4\5\6\7\x08x", (("192.0.2.1", reg.PORT),),
                                                                 ("239.1.1.1", 7))
    assert a.suite == SUITES["p256"] and a.transport == "udp"
    a = announcement.parse("""<announcement transport="tcp" freshness="timestamp" terse="false">
      <group-id type="utf-8" random="6d73" name="n"/><key-server address="::1" port="9"/>
      <mechanisms signature="dss-sha1" hash="1" key-exchange="modp1024" key-wrap="12"/></announcement>""")
    assert (a.group_id, a.multicast, a.transport) == (b"6d73n", None, "tcp")
    assert (a.suite.sig_type, a.suite.enc_type, a.suite.terse, a.suite.timestamp) == (0, 12, False, True)
    for bad in ("", "<a/>", "<announcement><group-id type='utf-8'/><mechanisms signature='rot13'/></announcement>"):
        with pytest.raises(ValueError):
            announcement.parse(bad)


def test_what_is_inside_a_certificate_is_left_out():
    lines = ["    a", "        PKIX CERT File Format", "            b", "    c"]
    assert list(attack._without_certificates(lines)) == ["    a", "    c"]


def test_networks_are_free_again(net_prefix):
    """Every attack takes its network away with it."""
    with Net("a-") as net:
        net.segment("lan", 1)
