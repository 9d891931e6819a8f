# SPDX-License-Identifier: BSD-2-Clause
"""What the daemons are to those who run them: control socket, signals, hooks, confinement, several groups, odd networks."""
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import threading

import pytest

from lab import forms
from lab.build import program
from lab.daemons import wait_all
from lab.process import PATIENCE
from lab.scene import GSAKMP_PORT, REKEY, REKEY_PORT
from lab.story import GROUP, Story


def rekey(s):
    """A rekey that every member applied; its Sequence ID."""
    marks = {d: d.mark() for d in s.members.values()}
    s.keys.control("rekey", GROUP)
    number = s.keys.control("status")["groups"][0]["sequence"]
    wait_all(list(s.members.values()), "rekeyed", marks=marks, sequence=number)
    return number


def static(s, name, address, transport="udp"):
    """A member's configuration that says by hand what else an announcement says."""
    xml = forms.gm(s, name)
    start = xml.index("<announcement")
    return xml[:start] + f"""<group>
    {forms.group_id(s)}
    <key-server address="{address}" transport="{transport}" name="{s.pki.parties["keys"].dn}"/>
    <mechanisms suite="p256-gcm"/>
    <rekey address="{REKEY[4]}" port="{REKEY_PORT}"/>
  </group>""" + xml[xml.index("/>", start) + 2:]


def ctl(daemon, *words):
    """msec-ctl itself."""
    return subprocess.run([program("msec-ctl"), *words[:-1], daemon.control.path, *words[-1]], capture_output=True, text=True)


class Stream:
    """A subscription, object by object."""

    def __init__(self, daemon, name):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(daemon.control.path))
        self.socket.sendall(json.dumps({"cmd": "subscribe", "args": [name]}).encode() + b"\n")
        self.lines = self.socket.makefile()
        assert self.next()["ok"]

    def next(self):
        return json.loads(self.lines.readline())


# -- control ------------------------------------------------------------------------------------------------------------

def test_an_application_follows_the_keys_of_its_member(group):
    s = group("alice")
    stream = Stream(s.members["alice"], "keys")
    first = stream.next()
    assert first["may_send"], "the policy names alice as a sender"
    assert first["event"] == "key" and first["state"] == "current" and len(bytes.fromhex(first["octets"])) == 16
    rekey(s)
    second, old = stream.next(), stream.next()
    assert second["state"] == "current" and second["id"] == first["id"] and second["handle"] > first["handle"]
    assert second["octets"] != first["octets"]
    assert (old["handle"], old["state"]) == (first["handle"], "old"), "still good for what is under way"
    wipe = stream.next()
    assert (wipe["event"], wipe["handle"]) == ("wipe", first["handle"]), "and then forgotten"
    s.members["alice"].control("leave")
    wipe = stream.next()
    assert (wipe["event"], wipe["handle"]) == ("wipe", second["handle"])


def test_nothing_but_the_stream_of_keys_shows_a_key(group):
    s = group("alice")
    octets = Stream(s.members["alice"], "keys").next()["octets"]
    for d in (s.keys, s.members["alice"]):
        shown = [d.control.request(c) for c in ("status", "keys", "counters", "refusals", "help")]
        assert octets not in json.dumps(shown)
        assert octets not in d.event_log.read_text() and octets not in d.log.read_text()
    assert octets in s.keylog.read_text(), "but a laboratory's key log has it"


def test_a_person_reads_tables_and_a_program_json(group):
    s = group("alice")
    text = ctl(s.keys, ["members", GROUP])
    assert text.returncode == 0
    head, row = text.stdout.splitlines()
    assert head.split()[:2] == ["peer", "state"] and "CN=alice" in row and "active" in row
    rows = json.loads(ctl(s.keys, "--json", ["members"]).stdout)["result"]
    assert [r["state"] for r in rows] == ["active"]
    for words, says in ((["evict", "nobody"], "'nobody' is no member"), (["evict"], "whom?"),
                        (["readmit", "alice"], "was not evicted here"), (["readmit"], "whom?"), (["destroy"], "which group?"),
                        (["members", "other"], "no group 'other'"), (["dance"], "no such command")):
        r = ctl(s.keys, words)
        assert r.returncode == 1 and says in r.stderr, r.stderr
    assert ctl(s.members["alice"], ["join"]).returncode == 1, "it is a member already"
    assert subprocess.run([program("msec-ctl"), s.dir / "none", "status"], capture_output=True).returncode == 5
    assert subprocess.run([program("msec-ctl")], capture_output=True).returncode == 2


@pytest.mark.parametrize("daemon", ["gsakmp-gcks", "gsakmp-gm", "gdoi-gcks", "gdoi-gm", "msec-go"])
def test_a_configuration_that_is_not_named_as_one_is_named_in_the_answer(daemon):
    r = subprocess.run([program(daemon), "--check-config", "keys.xml"], capture_output=True, text=True)
    assert r.returncode == 2
    assert r.stderr.startswith(f"{daemon}: unexpected argument 'keys.xml'; a configuration is named with --config\n")
    r = subprocess.run([program(daemon), "--check-config"], capture_output=True, text=True)
    assert r.returncode == 2 and "--config is missing" in r.stderr


def test_an_evicted_member_is_readmitted_by_a_value_in_its_name(group):
    s = group("alice", "bob")
    bob = s.members["bob"]
    mark, server = bob.mark(), s.keys.mark()
    s.keys.control("evict", "bob")
    bob.control("leave", "silently")
    bob.control("join")
    s.keys.wait("refused", since=server, req="RFC4535-5.3.2.1-01")
    s.keys.control("readmit", "bob")
    bob.wait("joined", since=mark)


@pytest.mark.req("RFC4535-5.3.2.2-01")
def test_a_silent_departure_tells_nobody(group):
    s = group("alice")
    alice = s.members["alice"]
    mark, server = alice.mark(), s.keys.mark()
    alice.control("leave", "silently")
    alice.wait("left", since=mark)
    assert alice.find("key-wipe", since=mark)
    assert not alice.find("message", since=mark, direction="out")
    alice.control("join")
    alice.wait("joined", since=mark)
    assert not s.keys.find("member-left", since=server)


def test_refusals_are_counted_by_requirement(group):
    s = group("alice", cast=["eve"])
    mark = s.keys.mark()
    with s.scene["eve"].udp() as u:
        for _ in range(3):
            u.sendto(b"\x02\x05short", (s.scene["keys"].ip4, GSAKMP_PORT))
    for _ in range(3):
        refusal = s.keys.wait("refused", since=mark)
        mark = s.keys.events.index(refusal, mark) + 1  # two of them may look the same
    assert refusal["req"] == "RFC4535-7.1.2-11" and s.keys.control("counters")["RFC4535-7.1.2-11"] == 3
    last = s.keys.control("refusals")[0]
    assert last["req"] == "RFC4535-7.1.2-11" and s.scene["eve"].ip4 in last["peer"]


# -- life ---------------------------------------------------------------------------------------------------------------

def test_the_command_stop_is_answered(group):
    s = group("alice")
    for d in (s.members["alice"], s.keys):
        r = ctl(d, ["stop"])
        assert (r.returncode, r.stdout) == (0, "done\n"), r.stderr
        assert d.wait_end() == 0


def test_signals(group):
    s = group("alice")
    for d in (s.keys, s.members["alice"]):
        mark = d.mark()
        d._p.send_signal(signal.SIGUSR1)
        assert d.wait("status", since=mark)["program"] == d.program
        d._p.send_signal(signal.SIGHUP)
        d.wait("reloaded", since=mark)
        assert d.control.path.exists()
        d._p.send_signal(signal.SIGINT)
        assert d.wait_end() == 0
        assert d.find("stopped", since=mark) and not d.control.path.exists()


def test_a_service_manager_is_told_when_it_is_ready(parts_of, tmp_path):
    s = parts_of("keys")
    keys = s.keys = s.daemon("keys", "gsakmp-gcks", forms.gcks(s))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        path = s.sockets.path / "notify"
        notify.bind(str(path))
        notify.settimeout(PATIENCE)
        keys.launch(env={"NOTIFY_SOCKET": str(path)})
        assert notify.recv(100) == b"READY=1"
        keys.wait("ready")
        keys.stop()
        assert notify.recv(100) == b"STOPPING=1"


def test_the_daemons_lock_themselves_in(group):
    s = group("alice")
    for d in (s.keys, s.members["alice"]):
        if "sandbox=\"no\"" in d.config.read_text():
            pytest.skip("a sanitizer needs more system calls")
        for task in os.listdir(f"/proc/{d._p.pid}/task"):
            with open(f"/proc/{d._p.pid}/task/{task}/status") as f:
                status = dict(line.split(":\t", 1) for line in f.read().splitlines() if ":\t" in line)
            assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", status["Name"]
        with open(f"/proc/{d._p.pid}/limits") as f:
            assert any(line.split()[:6] == ["Max", "core", "file", "size", "0", "0"] for line in f)


def test_only_one_may_have_the_control_socket(group):
    s = group()
    second = s.daemon("keys", "gsakmp-gcks", s.keys.config.read_text().replace('path="keys.db"', 'path="second.db"').replace(
        f'port="{GSAKMP_PORT}"', 'port="4000"'))
    second.launch()
    assert second.wait_end() == 5
    assert "in use" in "\n".join(second.tail(3))
    assert s.keys.control("status")["pid"] == s.keys._p.pid


def test_a_hook_learns_of_keys_and_of_the_end(group):
    s = group(cast=["alice"])
    told = s.dir / "told"
    hook = s.dir / "hook"
    hook.write_text(f'#!/bin/sh\necho "$MSEC_EVENT $MSEC_GROUP $MSEC_KEY_HANDLE $MSEC_KEY_STATE" >>{told}\n')
    hook.chmod(0o755)
    alice = s._member("alice")
    alice.write(forms.gm(s, "alice").replace("  <run ", f'  <hook program="{hook}"/>\n  <run '))
    alice.start()
    alice.control("join")
    handle = alice.wait("key-install")["handle"]
    alice.wait("joined")
    alice.control("leave")
    alice.wait("left")
    pid = next(int(p) for p in open(f"/proc/{alice._p.pid}/task/{alice._p.pid}/children").read().split())
    fd = os.pidfd_open(pid)
    alice.stop()
    gone = select.select([fd], [], [], PATIENCE)[0]
    os.close(fd)
    assert gone, "the helper ends with the daemon"
    assert told.read_text().splitlines() == [f"key {GROUP} {handle} current", f"joined {GROUP}  ", f"wipe {GROUP} {handle} wiped",
                                             f"left {GROUP}  "]


def test_a_member_may_join_by_itself(group):
    s = group(cast=["alice"])
    alice = s._member("alice")
    alice.write(forms.gm(s, "alice").replace("<membership ", '<membership join="yes" '))
    alice.start()
    alice.wait("joined")


# -- network ------------------------------------------------------------------------------------------------------------

@pytest.fixture
def parts_of(net_prefix, tmp_path, ended):
    """A place where a policy is signed and nothing runs yet."""
    def make(*cast):
        s = ended(Story(tmp_path / "parts", f"{net_prefix}p-", delivery="file", only=list(cast)))
        s.policy()
        return s
    return make


def test_two_groups_on_one_key_server_do_not_mix(parts_of):
    s = parts_of("keys", "alice", "bob", "erin")
    one = forms.gcks(s)
    where = s.dir / "policy"
    for name in ("policy.token", "announcement.xml"):
        shutil.move(where / name, where / f"studio.{name}")
    s.group = "lounge"
    forms.compile_and_sign(s)
    forms.announce(s)
    two = forms.gcks(s).replace(REKEY[4], "239.77.0.9")
    second = two[two.index("  <group name"):two.index("</group>") + 9]
    xml = one.replace(f"{where}/policy.token", f"{where}/studio.policy.token").replace("</group>\n", "</group>\n" + second)
    s.keys = s.daemon("keys", "gsakmp-gcks", xml)
    s.keys.start()
    for name, a in (("alice", "announcement.xml"), ("bob", "studio.announcement.xml"), ("erin", "studio.announcement.xml")):
        d = s._member(name)
        d.write(forms.gm(s, name).replace(f"{where}/announcement.xml", f"{where}/{a}"))
        d.start()
        d.control("join")
        d.wait("joined")
    names = {g["group"]: g for g in s.keys.control("status")["groups"]}
    s.keys.wait("member-active", where=lambda e: "erin" in e["peer"])
    groups = {g["group"]: g["members"] for g in s.keys.control("status")["groups"]}
    assert groups == {"studio": 2, "lounge": 1}
    assert "which group?" in s.keys.control.request("rekey")["error"]
    marks = {n: d.mark() for n, d in s.members.items()}
    s.keys.control("destroy", "studio")
    for n in ("bob", "erin"):
        s.members[n].wait("destroyed", since=marks[n])
    s.keys.control("token", "lounge")
    assert {g["group"]: g["state"] for g in s.keys.control("status")["groups"]} == {"studio": "destroyed", "lounge": "open"}
    assert not s.members["alice"].find("destroyed") and names["lounge"]["edition"] == 1


def test_the_next_announced_key_server_is_asked_when_one_is_silent(parts_of):
    s = parts_of("keys", "alice")
    p, where = s.pki.parties["owner"], s.dir / "policy"
    real = f'  <key-server address="{s.scene["keys"].ip4}"'
    plain = forms.announcement(s)
    assert real in plain
    silent = next(line for line in plain.splitlines(True) if line.startswith(real)).replace(s.scene["keys"].ip4, "10.77.1.99")
    (where / "announcement.plain.xml").write_text(plain.replace(real, silent + real))
    s.token_tool("announce", "--cert", p.cert, "--key", p.key, "announcement.plain.xml", "-o", "announcement.xml")
    s.keys = s.daemon("keys", "gsakmp-gcks", forms.gcks(s))
    s.keys.start()
    alice = s._member("alice")
    alice.write(forms.gm(s, "alice").replace('retries="3"', 'retries="1"'))
    alice.start()
    alice.control("join")
    alice.wait("joined")
    assert len(alice.find("left")) == 1, "it gave the first one up"
    assert alice.control("status")["key_server_address"] == f"{s.scene['keys'].ip4}:{GSAKMP_PORT}"


def test_answers_leave_from_the_address_that_was_asked(group):
    s = group(cast=["alice"])
    s.keys.stop()
    s.scene["keys"].ip("addr add 10.77.1.111/24 dev eth0")
    s.keys.write(s.keys.config.read_text().replace(f'udp address="{s.scene["keys"].ip4}"', 'udp address="0.0.0.0"'))
    s.keys.start()
    alice = s._member("alice")
    alice.write(static(s, "alice", "10.77.1.111"))
    alice.start()
    alice.control("join")
    alice.wait("joined")
    assert alice.find("message", direction="in")[0]["address"] == f"10.77.1.111:{GSAKMP_PORT}"


@pytest.mark.req("RFC4534-B.1.4-01")
@pytest.mark.parametrize("policy,asked", [("udp", "tcp"), ("tcp", "udp")])
def test_a_request_over_the_other_transport_is_not_processed(group, policy, asked):
    s = group(cast=["alice"], transport=policy)
    alice = s._member("alice")
    alice.write(static(s, "alice", s.scene["keys"].ip4, asked).replace('timeout="2s" retries="3"', 'timeout="200ms" retries="1"'))
    mark = alice.start()
    alice.control("join")
    assert s.keys.wait("refused")["req"] == "RFC4534-B.1.4-01"
    alice.wait("left", since=mark)
    assert not alice.find("message", direction="in"), "nobody answered"
    alice.write(static(s, "alice", s.scene["keys"].ip4, policy))
    alice.stop()
    alice.start()
    alice.control("join")
    alice.wait("joined")


@pytest.mark.req("RFC4535-4.4.1-04")
def test_a_rekey_event_that_could_not_leave_is_owed(group):
    """The key server's interface is away while it rekeys; the members hear of it when the interface is back."""
    s = group("alice", "erin")
    marks = {d: d.mark() for d in s.members.values()}
    mark = s.keys.mark()
    s.scene["keys"].unplug()
    s.keys.wait("interface-gone", since=mark)
    s.keys.control("rekey", GROUP)
    s.keys.wait("send-failed", since=mark)
    number = s.keys.control("status")["groups"][0]["sequence"]
    assert not any(d.find("rekeyed", sequence=number) for d in s.members.values())
    s.scene["keys"].plug()
    s.keys.wait("interface-up", since=mark)
    wait_all(list(s.members.values()), "rekeyed", marks=marks, sequence=number)
    assert not any(d.find("joined", since=m) for d, m in marks.items())


@pytest.mark.req("RFC4535-9.1-01")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_the_port_is_3761_when_nothing_else_is_said(group, transport):
    s = group(cast=["alice"], transport=transport)
    s.keys.stop()
    s.keys.write(re.sub(r'(<(udp|tcp) address="[^"]*") port="[0-9]*"', r"\1", s.keys.config.read_text()))
    s.keys.start()
    assert {x["address"] for x in s.keys.control("status")["listen"]} == {f"{s.scene['keys'].ip4}:3761"}
    s.join("alice")
    assert s.members["alice"].find("message", direction="in")[0]["address"].endswith(":3761")


def test_idle_connections_make_room_for_members(group):
    """Somebody opens connections, says an octet on each, and keeps them."""
    s = group(transport="tcp", cast=["alice", "eve"])
    s.keys.stop()
    s.keys.write(s.keys.config.read_text().replace("<listen ", '<listen connections-max="8" '))
    s.keys.start()
    held = []
    for _ in range(20):
        with s.scene["eve"].inside():
            t = socket.create_connection((s.scene["keys"].ip4, GSAKMP_PORT), timeout=PATIENCE)
        t.sendall(b"\x02")
        held.append(t)
    s.join("alice")
    for t in held:
        t.close()


def test_more_members_than_workers_register_at_once(group):
    """Every session ends on the worker where it began, whichever that is."""
    names = ["alice", "bob", "carol", "dave", "erin", "frank"]
    s = group(cast=names)
    s.keys.stop()
    s.keys.write(s.keys.config.read_text().replace('workers="2"', 'workers="4"'))
    s.keys.start()
    s.join(*names)
    assert s.keys.control("status")["groups"][0]["members"] == len(names)
    rekey(s)


def test_reloads_in_a_row_disturb_no_registration(group):
    """Certificates are read again and again while workers sign with them."""
    names = ["alice", "bob", "carol", "dave", "erin", "frank"]
    s = group(cast=names)
    s.keys.stop()
    s.keys.write(s.keys.config.read_text().replace('workers="2"', 'workers="4"'))
    s.keys.start()
    stop = threading.Event()

    def keep_reloading():
        while not stop.is_set():
            s.keys.control("reload")

    reloading = threading.Thread(target=keep_reloading)
    reloading.start()
    try:
        s.join(*names)
    finally:
        stop.set()
        reloading.join()
    assert s.keys.control("status")["groups"][0]["members"] == len(names)
    rekey(s)
