# SPDX-License-Identifier: BSD-2-Clause
"""Bad configuration and a hostile world: a clear error that names the place, the right exit status, nothing changed."""
import os
import re
import signal
import socket
import sqlite3
import subprocess
import time

import pytest

from lab import LabError, forms
from lab.daemons import wait_all
from lab.process import PATIENCE
from lab.scene import GSAKMP_PORT, REKEY, REKEY_PORT
from lab.story import GROUP, Story

OK, CONFIG, STORE, NETWORK, POLICY = 0, 3, 4, 5, 6


@pytest.fixture(scope="module")
def parts(net_prefix, tmp_path_factory):
    """A place with certificates, a policy and an announcement, where nothing runs yet."""
    s = Story(tmp_path_factory.mktemp("trouble"), f"{net_prefix}t-", delivery="file",
              only=["keys", "alice", "bob", "carol", "erin"])
    s.policy()
    yield s
    s.finish()
    s.close()


@pytest.fixture
def keys(parts):
    """A fresh key server, not started."""
    (parts.dir / "daemons" / "keys.db").unlink(missing_ok=True)
    d = parts.keys = parts.daemon("keys", "gsakmp-gcks", forms.gcks(parts))
    yield d
    if d.running:
        d.finish()
    for f in (parts.dir / "daemons").glob("*.db*"):
        f.unlink()


def line_of(xml, text):
    return next(n for n, line in enumerate(xml.splitlines(), 1) if text in line)


SCHEMA_FAULTS = [
    ("<cookies mode", "<cokies mode", "cokies"),
    (f'port="{GSAKMP_PORT}"', 'port="0"', "port"),
    (f'port="{GSAKMP_PORT}"', 'port="65536"', "port"),
    ("<store path", "<store pahts", "pahts"),
    ('mode="auto"', 'mode="sometimes"', "sometimes"),
    ('resend-spacing="300ms"', 'resend-spacing="300"', "300"),
    ("<identity ", '<identity nonsense="1" ', "nonsense"),
    ('address="10.77.1.11"', 'address="keys.example"', "keys.example"),
]
OTHER_FAULTS = [
    ("/root.pem", "/toor.pem", "toor.pem"),
    ("keys.key", "keys.yek", "keys.yek"),
    (f'address="{REKEY[4]}"', 'address="10.1.2.3"', "multicast"),
    ("keys.key", "alice.key", "key"),
    ("keys.chain.pem", "alice.key", "alice.key"),
    ('<token file=', '<token port="3764" owner="10.77.1.10" file=', "token"),
]


@pytest.mark.parametrize("old,new,named", SCHEMA_FAULTS + OTHER_FAULTS, ids=[f[1] for f in SCHEMA_FAULTS + OTHER_FAULTS])
def test_a_fault_in_the_configuration_is_named_with_its_line(parts, keys, old, new, named):
    xml = forms.gcks(parts).replace(old, new, 1)
    assert new in xml
    keys.write(xml)
    status, text = keys.check_config()
    assert status == CONFIG
    assert re.search(rf"keys\.xml:{line_of(xml, new)}\b", text), text
    assert named in text


@pytest.mark.parametrize("xml,named", [
    ("", "keys.xml"),
    ("<gsakmp-gcks>", "keys.xml:1"),
    ("<other/>", "other"),
    ('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>\n<gsakmp-gcks>&e;</gsakmp-gcks>', "keys.xml"),
], ids=["empty", "not-closed", "another-root", "an-entity"])
def test_what_is_no_configuration_is_refused(keys, xml, named):
    keys.write(xml)
    status, text = keys.check_config()
    assert status == CONFIG and named in text and "root:" not in text, text


def test_a_good_configuration_passes_and_starts_nothing(keys, parts):
    status, text = keys.check_config()
    assert status == OK, text
    assert not (parts.dir / "daemons" / "keys.db").exists()
    status, text = keys.check_config("--set", "listen/udp@port=0")
    assert status == CONFIG and "0" in text


def refused(daemon, status, *words):
    """It ends by itself, with that status, and its last words name the cause."""
    daemon.launch()
    assert daemon.wait_end() == status, "\n".join(daemon.tail(20))
    text = "\n".join(daemon.tail(5))
    for w in words:
        assert w in text, text


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_port_in_use(parts, keys, kind):
    host = parts.scene["keys"]
    with host.inside():
        s = socket.socket(socket.AF_INET, kind)
    if kind == socket.SOCK_STREAM:  # connections of the tests before may be in TIME_WAIT
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((host.ip4, GSAKMP_PORT))
    if kind == socket.SOCK_STREAM:
        s.listen()
    refused(keys, NETWORK, host.ip4, str(GSAKMP_PORT))
    s.close()


def test_an_interface_that_is_not_there(parts, keys):
    xml = forms.gcks(parts).replace('interface="eth0"', 'interface="eth9"')
    keys.write(xml)
    refused(keys, NETWORK, f"keys.xml:{line_of(xml, 'eth9')}: <multicast>", "No such device")


def test_a_token_file_that_is_not_there(parts, keys):
    keys.write(forms.gcks(parts).replace("policy.token", "policy.nekot"))
    refused(keys, CONFIG, "policy.nekot", "No such file")


def test_a_store_from_a_newer_version(parts, keys):
    keys.start()
    keys.finish()
    db = sqlite3.connect(parts.dir / "daemons" / "keys.db")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    db.execute(f"PRAGMA user_version={version + 7}")
    db.commit()
    db.close()
    refused(keys, STORE, str(version), str(version + 7), "keys.db")


def test_a_store_that_is_none(parts, keys):
    (parts.dir / "daemons" / "keys.db").write_text("these are my holiday notes\n" * 100)
    refused(keys, STORE, "keys.db")
    assert (parts.dir / "daemons" / "keys.db").read_text().startswith("these are my holiday notes")


def test_a_store_in_use(parts, keys):
    keys.start()
    second = parts.daemon("bob", "gsakmp-gcks", forms.gcks(parts).replace("10.77.1.11", "10.77.1.22").replace(
        f"{parts.sockets.path}/keys", f"{parts.sockets.path}/second"))
    refused(second, STORE, "keys.db")
    assert keys.running


@pytest.mark.req("RFC4535-4.4.3-02")
def test_a_token_that_does_not_name_this_key_server(parts, keys):
    token = parts.dir / "policy" / "policy.token"
    good = token.read_bytes()
    try:
        forms.compile_and_sign(parts, forms.policy(parts, server="bob", edition=1))
        keys.launch()
        refusal = keys.wait("refused")
        assert keys.wait_end() == POLICY
        assert (refusal["field"], refusal["req"]) == ("gCKS", "RFC4535-5.2.1-01")
    finally:
        token.write_bytes(good)


@pytest.mark.req("RFC4535-4.4.3-01", "RFC4534-2-10")
@pytest.mark.parametrize("where", [0.1, 0.5, 0.97])
def test_a_token_that_was_tampered_with(parts, keys, where):
    token = parts.dir / "policy" / "policy.token"
    good = token.read_bytes()
    bad = bytearray(good)
    bad[int(len(bad) * where)] ^= 1
    try:
        token.write_bytes(bad)
        keys.launch()
        refusal = keys.wait("refused")
        assert keys.wait_end() == POLICY
        assert refusal["req"] == "RFC4534-2-10" and not keys.find("token")
    finally:
        token.write_bytes(good)


@pytest.mark.req("RFC4534-2-09", "RFC4534-3.1-03", "RFC4535-4.4.3-05")
def test_an_older_token_changes_nothing(parts, keys):
    token = parts.dir / "policy" / "policy.token"
    old = token.read_bytes()
    keys.start()
    was = parts.edition
    assert keys.control("status")["groups"][0]["edition"] == was
    try:
        parts.edition += 1
        forms.compile_and_sign(parts)
        keys.control("token")
        assert keys.control("status")["groups"][0]["edition"] == was + 1
        mark = keys.mark()
        token.write_bytes(old)
        assert not keys.control.request("token")["ok"]
        assert keys.wait("refused", since=mark)["req"] == "RFC4534-3.1-03"
        assert keys.control("status")["groups"][0]["edition"] == was + 1
        keys.finish()
        mark = keys.start()
        assert [e["req"] for e in keys.find("refused", since=mark)] == ["RFC4534-3.1-03"]
        assert keys.control("status")["groups"][0]["edition"] == was + 1, "not even after a restart"
    finally:
        parts.edition = was
        token.write_bytes(old)


def test_a_revoked_member_is_refused_once_the_list_is_read(parts, keys):
    parts.keys.start()
    parts.join("alice")
    carol = parts.pki.parties["carol"]
    parts.pki.revoke(carol)
    parts.pki.write_crl()
    mark = keys.mark()
    keys._p.send_signal(signal.SIGHUP)
    keys.wait("reloaded", since=mark)
    member = parts._member("carol")
    begun = member.start()
    member.control("join")
    refusal = keys.wait("refused", since=mark)
    assert refusal["req"] == "RFC4535-7.8.2-07"
    assert refusal["reason"] == "Authentication-Failed, Certificate Data: the certificate is revoked (CN=carol,O=MSEC Lab)"
    member.wait("left", since=begun)
    member.finish()
    parts.members.pop("carol")
    parts.members.pop("alice").finish()


@pytest.mark.req("RFC4534-2-08")
def test_a_restart_under_a_token_that_would_be_refused_today(parts, keys):
    """The Group Owner's certificate is no longer good: the group goes on for its members, and nobody joins until the next
    edition."""
    keys.start()
    parts.join("alice")
    alice, owner, bob = parts.members["alice"], parts.pki.parties["owner"], parts._member("bob")
    begun = bob.start()
    keys.finish()
    parts.pki.revoke(owner)
    parts.pki.write_crl()
    try:
        mark = keys.start()
        assert "Group Owner's certificate" in keys.find("token-lapsed", since=mark)[0]["reason"]
        status = keys.control("status")["groups"][0]
        assert status["state"] == "open" and status["members"] == 1 and "revoked" in status["token_lapsed"]
        was = alice.mark()
        keys.control("rekey", GROUP)
        alice.wait("rekeyed", since=was)
        bob.control("join")
        refusal = keys.wait("refused", since=mark, where=lambda e: e["peer"] != "Group Owner")
        assert refusal["req"] == "RFC4534-2-08"
        bob.wait("left", since=begun)
    finally:
        parts.pki._revoked.remove(owner.certificate.serial_number)
        parts.pki.write_crl()
    mark = keys.mark()
    keys._p.send_signal(signal.SIGHUP)
    keys.wait("reloaded", since=mark)
    parts.edition += 1
    forms.compile_and_sign(parts)
    keys.wait("token", since=mark)
    assert "token_lapsed" not in keys.control("status")["groups"][0]
    bob.control("join")
    bob.wait("joined", since=begun)
    for name in ("alice", "bob"):
        parts.members.pop(name).finish()


def fill(where):
    with open(where / "filler", "wb", buffering=0) as f:
        try:
            while True:
                f.write(b"x" * 4096)
        except OSError:
            pass


def what_is_owed_to_a_full_disk(keys, where):
    """What was commanded meanwhile is made durable when there is room, without anybody asking again; and a disk that is
    full for long does not fill the log."""
    peer = keys.control("members")[0]["peer"]
    keys.control("evict", peer)
    fill(where)
    mark, begun = keys.mark(), time.monotonic()
    for command in [("readmit", peer)] + 12 * [("rekey",)]:
        with pytest.raises(LabError, match="store failed"):
            keys.control(*command)
    assert not keys.control("status")["store_ok"]
    assert len(keys.find("store-failed", since=mark)) <= 2 + time.monotonic() - begun
    os.unlink(where / "filler")
    keys.wait("store-recovered", since=mark)
    keys.kill()
    keys.start()
    with pytest.raises(LabError, match="was not evicted"):
        keys.control("readmit", peer)


def test_a_full_disk_refuses_and_recovers(parts, keys):
    """No state changes that could not be made durable; when there is room again, service goes on."""
    where = parts.dir / "daemons" / "small"
    where.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=768k", "none", where], check=True)
    try:
        keys.write(forms.gcks(parts).replace('path="keys.db"', 'path="small/keys.db"'))
        keys.start()
        fill(where)
        before = keys.control("status")["groups"][0]
        mark = keys.mark()
        member = parts._member("bob")
        member.start()
        member.control("join")
        keys.wait("store-failed", since=mark)
        assert not member.find("joined")
        assert keys.control("status")["groups"][0]["members"] == before["members"]
        os.unlink(where / "filler")
        wait_all([member], "joined")
        keys.wait("member-active", since=mark)
        assert keys.control("status")["groups"][0]["members"] == 1
        what_is_owed_to_a_full_disk(keys, where)
        member.finish()
        keys.finish()
    finally:
        parts.members.pop("bob", None)
        subprocess.run(["umount", "-l", where], check=True)


def test_an_interface_that_disappears_and_returns(parts, keys):
    keys.start()
    parts.join("erin")
    erin, host = parts.members["erin"], parts.scene["erin"]
    mark = erin.mark()
    host.unplug()
    erin.wait("interface-gone", since=mark)
    host.plug()
    erin.wait("interface-up", since=mark)
    mark = erin.mark()
    keys.control("rekey", GROUP)
    erin.wait("rekeyed", since=mark)
    erin.finish()
    parts.members.pop("erin")


def test_rubbish_on_every_port_changes_nothing(parts, keys):
    keys.start()
    parts.join("alice")
    alice, host = parts.members["alice"], parts.scene["bob"]
    before = keys.control("status")["groups"][0]
    joined = alice.mark()
    rubbish = [b"", b"\0", os.urandom(20), os.urandom(1400), b"\xff" * 200, b"GET / HTTP/1.0\r\n\r\n"]
    with host.udp() as s, host.sender(REKEY[4]) as m:
        for r in rubbish:
            s.sendto(r, (parts.scene["keys"].ip4, GSAKMP_PORT))
            m.sendto(r, (REKEY[4], REKEY_PORT))
    for r in rubbish:
        with host.inside():
            t = socket.create_connection((parts.scene["keys"].ip4, GSAKMP_PORT), timeout=PATIENCE)
        t.sendall(r)
        t.close()
    keys.control("rekey", GROUP)
    alice.wait("rekeyed", since=joined)
    after = keys.control("status")["groups"][0]
    assert (after["members"], after["sequence"]) == (before["members"], before["sequence"] + 1)
    assert not alice.find("joined", since=joined)
    alice.finish()
    parts.members.pop("alice")
