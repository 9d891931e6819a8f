# SPDX-License-Identifier: BSD-2-Clause
"""gdoi-gm against a key server written from the RFCs in Python: configuration, registration, rekeys, where keys go to."""
import json
import os
import pwd
import select
import signal
import subprocess
from pathlib import Path

import pytest

from lab import gdoi_member as forms
from lab.build import program
from lab.gdoi_served import NUMBER, PROPOSAL, PSK, PUSHES, Served, places
from msec_scapy.gdoi.policy import KekPolicy


@pytest.fixture
def world(net, tmp_path, stack):
    return lambda **how: stack.enter_context(Served(tmp_path, net, **how))


def spi(tek):
    return tek.spi.hex()


# -- configuration -------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A configuration that is right, and the file it is in."""
    directory = tmp_path_factory.mktemp("plain")
    psk = forms.psk_file(directory, "alice", "correct horse battery staple")
    inside = forms.phase1({"10.0.0.1": psk}, [("10.0.0.1", "ipv4")], PROPOSAL)
    return directory, forms.config('  <identity name="10.0.0.9" name-type="ipv4"/>\n', inside, ["10.0.0.1"],
                                   [forms.group("plant", 1), forms.group("bay", oid="1.0.62351.9.1")], "alice.db",
                                   directory / "alice", kernel={}, hook={"program": "/bin/true"})


def check(directory, text, *extra):
    path = directory / "gm.xml"
    path.write_text(text)
    return subprocess.run([program("gdoi-gm"), "--config", path, "--check-config", *extra], capture_output=True, text=True)


def test_a_configuration_that_is_right_is_accepted(plain):
    r = check(*plain, "--set", "group[1]@receive-only=yes", "--set", "group[2]@receive-only=yes", "--set", "network@interface=lo")
    assert (r.returncode, r.stderr) == (0, ""), r.stderr


@pytest.mark.req("RFC6054-3-01")
def test_what_the_kernel_cannot_do_is_said_before_there_is_a_policy(plain):
    """It draws its IVs itself, without our sender id."""
    r = check(*plain)
    assert r.returncode == 0 and "note:" in r.stderr, r.stderr
    for alternative in ("CBC", "one source", "random-iv", "only received"):
        assert alternative in r.stderr
    r = check(*plain, "--set", "kernel@random-iv=yes")
    assert r.returncode == 0 and "may come to the same IV" in r.stderr


@pytest.mark.parametrize("old,new,says", [
    ('number="1"', 'number="x"', "'number'"),
    ('number="1"', 'number="1" oid="1.2.3"', "either 'number' or 'oid'"),
    ('oid="1.0.62351.9.1"', 'number="1"', "the group identifier is that of 'plant'"),
    ('name="bay"', 'name="plant"', "there is a group 'plant' already"),
    ('name="bay"', 'name="bay" sender-ids="2" receive-only="yes"', "does not go with"),
    ('name="bay"', 'name="bay" kda-min="101"', "kda-min"),
    ('<key-server address="10.0.0.1"/>', '<key-server address="239.1.1.1"/>', "is a multicast address"),
    ('<key-server address="10.0.0.1"/>', '<key-server address="10.0.0.1"/>\n  <key-server address="10.0.0.1"/>', "is listed twice"),
    ('<network interface="eth0"/>', '<network address="fd00::1"/>', "not of the family"),
    ('<network interface="eth0"/>', '<network port="4500"/>', "'@nat-port' is the port of registration"),
    ("<kernel ", '<kernel source="fd00::1" ', "of the other family"),
    ("<kernel ", '<kernel replay-window="5000" ', "replay-window"),
    ('backoff="500ms"', 'backoff="500"', "backoff"),
    ('<pre-shared-key file="', '<pre-shared-key file="/no', "/no"),
    ('<hook program="/bin/true"', '<hook program="/bin/no"', r"<hook>: '@program': file '/bin/no': No such file"),
])
def test_what_is_wrong_is_refused_with_its_line(plain, old, new, says):
    directory, text = plain
    assert old in text
    r = check(directory, text.replace(old, new))
    assert r.returncode == 3, r.stderr
    assert says in r.stderr and "gm.xml:" in r.stderr, r.stderr
    assert int(r.stderr.split("gm.xml:")[1].split(":")[0]) > 1


def test_a_value_is_set_from_outside_and_help_is_given(plain):
    directory, text = plain
    r = check(directory, text, "--set", "group[2]@name=plant")
    assert r.returncode == 3 and "already" in r.stderr
    r = subprocess.run([program("gdoi-gm"), "--help"], capture_output=True, text=True)
    assert r.returncode == 0 and "gdoi-gm.xsd" in r.stdout


# -- registration and rekeys ---------------------------------------------------------------------------------------------

@pytest.mark.req("RFC6407-3.3-01", "RFC6407-3.2-01")
def test_a_member_registers_and_an_application_has_the_keys(world):
    w = world()
    alice = w.join()
    tek = w.ground.group.teks[0]
    with_keys = alice.keys()
    first = with_keys.next()
    assert (first["event"], first["group"], first["state"]) == ("key", "plant", "current")
    assert first["spi"] == spi(tek) and first["protocol"] == "GDOI_PROTO_IPSEC_ESP"
    assert bytes.fromhex(first["keys"]["encryption"]) == tek.cipher and bytes.fromhex(first["keys"]["integrity"]) == tek.integrity
    status = alice.group()
    assert status["state"] == "member" and status["keys"][0]["spi"] == spi(tek)
    assert status["rekey_sa"]["spi"] == w.ground.group.kek.spi.hex()
    assert [r["address"] for r in alice.control("status")["receivers"]] == [PUSHES[4]]
    shown = json.dumps([alice.control.request(c) for c in ("status", "keys", "counters", "refusals", "help")])
    assert tek.cipher.hex() not in shown and tek.cipher.hex() not in alice.event_log.read_text() + alice.log.read_text()
    assert tek.cipher.hex() in (w.dir / "keylog").read_text(), "but a laboratory's key log has it"


@pytest.mark.req("RFC6407-4.4-03", "RFC6407-3.3-09")
def test_pushes_are_obeyed_and_their_numbers_survive_a_restart(world):
    w = world()
    alice = w.join()
    keys = alice.keys()
    old = keys.next()["spi"]
    w.push(lambda ks, g, now: [ks.rekey_teks(g, now)])
    alice.wait("rekeyed", sequence=1)
    fresh = keys.until(event="key", state="current")
    assert fresh["spi"] != old and fresh["spi"] in [spi(t) for t in w.ground.group.teks]
    alice.finish()
    mark = alice.mark()
    alice.start()
    alice.control("join")
    alice.wait("joined", since=mark)
    assert alice.group()["rekey_sa"]["sequence"] >= 1
    again = alice.mark()
    w.push(lambda ks, g, now: [ks.rekey_teks(g, now)])
    assert alice.wait("rekeyed", since=again)["sequence"] == 2


def test_a_group_with_the_habits_of_one_peer(world):
    """The preset of a group: identifiers, addresses, lifetimes, signatures as the reference implementation has them."""
    w = world(dialect="gdoid")
    preset = '    <dialect preset="gdoid"/>\n'
    alice = w.join(groups=[forms.group("plant", NUMBER, inside=preset)])
    assert alice.control("keys")[0]["spi"] == spi(w.ground.group.teks[0])
    w.push(lambda ks, g, now: [ks.rekey_teks(g, now)])
    alice.wait("rekeyed", sequence=1)


def test_a_group_is_left_and_its_multicast_too(world):
    w = world()
    alice = w.join(phase1={}, membership={"keep_phase1": "yes"})
    keys = alice.keys()
    key = keys.next()
    alice.control("leave")
    assert keys.until(event="wipe")["spi"] == key["spi"]
    assert w.ground.wait(lambda e: w.ground.count("left") == 1), w.ground.events
    status = alice.control("status")
    assert status["receivers"] == [] and status["groups"][0]["keys"] == [] and status["groups"][0]["state"] == "idle"
    r = alice.control.request("leave", "nowhere")
    assert not r["ok"] and "no group 'nowhere'" in r["error"]


def test_a_member_registers_again_on_command_and_keeps_its_keys(world):
    w = world()
    alice = w.join()
    keys = alice.keys()
    key = keys.next()
    mark = alice.mark()
    alice.control("reregister", "plant")
    alice.wait("joined", since=mark)
    assert not alice.find("tek-wipe", since=mark)
    assert [k["spi"] for k in alice.control("keys")] == [key["spi"]]


def test_all_sas_are_deleted_by_the_key_server(world):
    w = world()
    alice = w.join()
    keys = alice.keys()
    key = keys.next()
    w.push(lambda ks, g, now: [ks.delete_all(g)])
    assert keys.until(event="wipe")["spi"] == key["spi"]
    alice.wait("destroyed")


@pytest.mark.req("RFC8263-4-03")
def test_an_acknowledgement_that_we_cannot_give_keeps_nobody_out(world):
    """Type 200 is assigned to nothing: the member joins, follows, and says nothing."""
    w = world(kek=KekPolicy(ack=200, **places()))
    alice = w.join()
    mark = alice.mark()
    w.push(lambda ks, g, now: [ks.rekey_kek(g, now), ks.rekey_teks(g, now)])
    alice.wait("tek", since=mark, spi=spi(w.group.teks[0]))
    assert not alice.find("refused") and not [e for e in alice.events[mark:] if e.get("direction") == "out"]


# -- refusals -------------------------------------------------------------------------------------------------------------

def test_another_key_is_no_way_in(world):
    w = world()
    alice = w.member()
    wrong = forms.psk_file(w.dir, "wrong", "what nobody else has said")
    alice.finish()
    alice.write(w.config("alice", alice.host.ip4, keys={w.server: wrong}, phase1={"tries": 2, "timeout": "200ms", "negotiate": "1s"}))
    alice.start()
    alice.control("join")
    alice.wait("phase1-down")
    assert alice.group()["keys"] == [] and not alice.find("joined")


@pytest.mark.req("RFC6407-3.1-02")
def test_a_key_server_that_may_not_serve_the_group_is_not_obeyed(world):
    w = world()
    only = '    <key-server name="10.99.99.99" name-type="ipv4"/>\n'
    alice = w.member(groups=[forms.group("plant", NUMBER, inside=only)])
    alice.control("join")
    alice.wait("phase1-down", req="RFC6407-3.1-02")
    assert not alice.find("joined")


def test_a_weak_key_is_warned_of_and_one_that_others_can_read_refused(world):
    w = world()
    alice = w.member(start=False)
    weak = forms.psk_file(w.dir, "weak", "secret")
    alice.write(w.config("alice", alice.host.ip4, keys={w.server: weak}))
    code, said = alice.check_config()
    assert code == 0 and "can be guessed" in said, said
    alice.start()
    alice.finish()
    assert "pre-shared key" in alice.log.read_text()
    weak.chmod(0o644)
    code, said = alice.check_config()
    assert code == 3 and "weak.psk" in said, said


def test_keys_are_read_again_on_sighup(world):
    w = world()
    alice = w.member(start=False, phase1={"tries": 4, "timeout": "200ms", "negotiate": "10s"})
    file = forms.psk_file(w.dir, "alice", "not what the key server knows")
    alice.start()
    mark = alice.mark()
    alice.control("join")
    alice.wait("phase1-down", since=mark)
    file.chmod(0o644)
    alice._p.send_signal(signal.SIGHUP)
    alice.wait("reload-failed", since=mark)
    file.chmod(0o600)
    file.write_text(PSK + "\n")
    alice.control("reload")
    alice.wait("reloaded", since=mark)
    alice.wait("joined", since=mark)
    assert not alice.control.request("keys", "nowhere")["ok"]


# -- several of them ------------------------------------------------------------------------------------------------------

def test_the_second_key_server_is_asked_when_the_first_is_silent(world):
    w = world()
    nobody = w.ground.segment.ip4(99)
    alice = w.member(servers=[nobody, w.server], phase1={"tries": 3, "timeout": "200ms", "negotiate": "10s"})
    alice.control("join")
    alice.wait("next-server")
    alice.wait("joined")
    assert alice.group()["key_server_address"] == f"{w.server}:848"


def test_a_member_behind_a_router_hears_pushes(world):
    w = world()
    far = w.net.segment("far", 8)
    erin_host = w.net.host("erin", far, 30)
    w.net.router("router", [w.ground.segment, far])
    w.net.multicast("239.77.1.1")
    erin = w.join("erin", host=erin_host)
    w.push(lambda ks, g, now: [ks.rekey_teks(g, now)])
    erin.wait("rekeyed", sequence=1)


# -- where keys go to -----------------------------------------------------------------------------------------------------

def test_a_hook_is_given_sas_and_their_keys(world):
    w = world()
    told = w.dir / "told"
    os.mkfifo(told)
    pipe = os.open(told, os.O_RDWR)  # for writing, too: it has no end as long as it is open
    hook = w.dir / "hook"
    hook.write_text(f'#!/bin/sh\n{{ echo "$MSEC_EVENT $MSEC_GROUP $MSEC_SPI $MSEC_KEY_STATE"; test -z "$MSEC_SPI" || {{ cat; echo; }}; }} >>{told}\n')
    hook.chmod(0o755)
    alice = w.join(hook={"program": hook, "keys": "yes"})
    tek = w.ground.group.teks[0]
    alice.finish()  # the SA is wiped at the end, too
    said = b""
    while f"wipe plant {spi(tek)} wiped\n".encode() not in said and select.select([pipe], [], [], 60)[0]:
        said += os.read(pipe, 65536)
    os.close(pipe)
    lines = said.decode().splitlines()
    assert f"key plant {spi(tek)} current" in lines and "joined plant  " in lines and f"wipe plant {spi(tek)} wiped" in lines, lines
    sa = next(json.loads(t) for t in lines if t.startswith("{") and '"event":"key"' in t)
    assert bytes.fromhex(sa["keys"]["encryption"]) == tek.cipher and sa["state"] == "current"


def has_esp(host):
    """Asked of the kernel itself, with an SA that nobody uses."""
    sa = ["src", "10.9.9.1", "dst", "10.9.9.2", "proto", "esp", "spi", "0x99"]
    made = host.run(["ip", "xfrm", "state", "add", *sa, "mode", "transport", "aead", "rfc4106(gcm(aes))", "0x" + 20 * "11", "128"],
                    check=False).returncode == 0
    if made:
        host.run(["ip", "xfrm", "state", "delete", *sa])
    return made


def test_a_kernel_without_esp_says_so_and_the_stream_has_the_key_all_the_same(world):
    w = world()
    alice = w.join(kernel={})
    if has_esp(alice.host):
        pytest.skip("this kernel has ESP: lab/esp.py shows it")
    alice.wait("kernel-refused")
    assert alice.keys().next()["spi"] == spi(w.ground.group.teks[0])
    assert alice.control("status")["kernel"]["sas"] == []
    policies = alice.host.run(["ip", "xfrm", "policy"]).stdout
    assert "dport 848" in policies, "pushes pass in clear"
    alice.finish()
    assert "dport 848" not in alice.host.run(["ip", "xfrm", "policy"]).stdout


# -- rights ---------------------------------------------------------------------------------------------------------------

def uids(pid):
    line = next(t for t in open(f"/proc/{pid}/status") if t.startswith("Uid:"))
    return {int(n) for n in line.split()[1:]}


def test_a_daemon_that_gave_up_its_rights_still_joins_low_ports_and_speaks_to_the_kernel(world):
    """Its broker keeps two capabilities, and nothing else, for that."""
    try:
        nobody = pwd.getpwnam("nobody").pw_uid
        os.setresuid(nobody, nobody, 0)
        os.setresuid(0, 0, 0)
    except OSError:
        pytest.skip("no other user in this user namespace")
    w = world()
    alice = w.member(start=False, kernel={})
    own = w.sockets.path / "own"
    own.mkdir()
    os.chown(own, nobody, -1)
    w.sockets.path.chmod(0o711)
    text = alice.config.read_text().replace('path="alice.db"', f'path="{own / "alice.db"}"')
    alice.write(text.replace(f'socket="{w.sockets.path / "alice"}"', f'socket="{own / "alice"}"').replace("<run ", '<run user="nobody" '))
    alice.control.path, alice.keylog = own / "alice", None
    alice.start()
    pid = alice.control("status")["pid"]
    assert uids(pid) == {nobody}
    mark = alice.mark()
    alice.control("join")
    alice.wait("joined", since=mark)
    assert alice.control("status")["receivers"][0]["joined"]
    assert "dport 848" in alice.host.run(["ip", "xfrm", "policy"]).stdout, "the kernel took the policy for pushes"
    w.push(lambda ks, g, now: [ks.rekey_teks(g, now)])
    alice.wait("rekeyed", sequence=1)
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    capabilities = {next(t.split()[1] for t in open(f"/proc/{c}/status") if t.startswith("CapEff:")) for c in children}
    assert capabilities == {f"{1 << 12 | 1 << 10:016x}"}
