# SPDX-License-Identifier: BSD-2-Clause
"""The Python peers against each other: in memory, over loopback sockets, as programs."""
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as s

from lab.process import PATIENCE
from msec_scapy import member as members
from msec_scapy import message, misbehave, net, party
from msec_scapy import registry as reg
from msec_scapy.gsakmp import Certificate, MechanismChoice, Nonce, Notification, VendorID
from msec_scapy.testing.authority import NOW
from msec_scapy.testing.scene import KIND, Scene, digest
from msec_scapy.times import undate
from msec_scapy.wrong import change

INTEROP = Path(__file__).resolve().parents[2]


def events(scene, name):
    return [e for e in scene.events if e["event"] == name]


@pytest.mark.req("RFC4535-5.2-01", "RFC4535-5.2-03", "RFC4535-5.2.1-02", "RFC4535-5.2.1-03",
                 "RFC4535-5.2.1-07", "RFC4535-5.2.1-10", "RFC4535-5.2.1.1-04",
                 "RFC4535-5.2.1.1-19", "RFC4535-5.2.1.2-07", "RFC4535-5.2.1.2-19",
                 "RFC4535-5.2.1.4-02", "RFC4535-5.2.1.4-06", "RFC4535-6-01", "RFC4535-6.2-01")
@pytest.mark.parametrize("suite", KIND)
@pytest.mark.parametrize("timestamp", (False, True), ids=("nonces", "time"))
def test_life_of_a_group(suite, timestamp):
    scene = Scene(suite, members=4, timestamp=timestamp).join()
    assert all(m.state == "member" and scene.in_step(m) for m in scene.members)
    assert all(m.acknowledged for m in scene.server.members.values())
    exchanges = [message.parse(o).exchange for _, o in scene.wire if o]
    assert exchanges[:3] == [reg.X_RTJ, reg.X_KEYDL, reg.X_ACK]
    scene.evict(scene.members[1])
    assert not scene.in_step(scene.members[1])
    scene.tick()
    scene.to_server(scene.members[2].leave(scene.now), scene.members[2])
    assert scene.members[2].state == "left" and events(scene, "departed")
    assert scene.in_step(scene.members[0]) and scene.in_step(scene.members[3])
    scene.deliver(scene.server.destroy(scene.now))
    assert scene.members[0].state == scene.members[3].state == "left"
    assert not scene.server.refusals and not any(m.refusals for m in scene.members)


@pytest.mark.req("RFC4535-5.2.1.1-20", "RFC4535-5.2.1.2-19")
def test_who_is_rekeyed_while_joining_has_the_new_key():
    """The Key Download is lost, the group is rekeyed, the request comes again: the answer is one of now."""
    scene = Scene(members=3).join()
    late = scene.make_member("gm9")
    scene.members.append(late)
    scene.tick()
    request = late.join(scene.now)
    lost = scene.server.receive(request, late, scene.now)
    scene.deliver(a for a in lost if a.to is None)
    scene.evict(scene.members[0])
    scene.tick()
    nonces = [message.parse(next(a for a in lost if a.exchange == reg.X_KEYDL).octets).nonce(n) for n in (2, 3)]
    answers = scene.server.receive(request, late, scene.now)
    scene.deliver(a for a in answers if a.to is None)
    again = next(a for a in answers if a.exchange == reg.X_KEYDL)
    assert [message.parse(again.octets).nonce(n) for n in (2, 3)] == nonces, "an acknowledgement of either counts"
    assert again.octets != next(a for a in lost if a.exchange == reg.X_KEYDL).octets
    scene.to_server(request, late)
    assert late.state == "member" and scene.in_step(late) and scene.in_step(scene.members[1])
    assert not events(scene, "refused")


@pytest.mark.req("RFC4535-5.2.1-09", "RFC4535-5.2.1.2-12", "RFC4535-5.2.1.4-11")
@pytest.mark.parametrize("shift", (-3600, 3600))
def test_stale_key_download_without_nonces(shift):
    scene = Scene(members=1, timestamp=True)
    scene.server.clock_shift = shift
    scene.join()
    assert [r.req for r in scene.members[0].refusals] == ["RFC4535-5.2.1.2-12"]
    assert scene.members[0].state == "idle"


@pytest.mark.req("RFC4535-5.2.2-02", "RFC4535-5.2.2-03", "RFC4535-5.2.2-04", "RFC4535-5.2.2-06",
                 "RFC4535-5.2.2-07", "RFC4535-5.2.2-08", "RFC4535-5.2.2-11",
                 "RFC4535-7.9.1.2-02")
def test_cookies():
    scene = Scene(members=1, cookies=True)
    gm = scene.members[0]
    before = digest(scene.server)
    answers = scene.server.receive(gm.join(scene.now), ("10.0.0.1", 1), scene.now)
    assert digest(scene.server) == before and not scene.server.seen
    asked = message.parse(answers[0].octets)
    assert asked.exchange == reg.X_COOKIE and asked.signature is None
    second = gm.receive(answers[0].octets, scene.now)[0]
    m = message.parse(second)
    assert m.nonce(1) == gm.nonce_i
    assert m.notify(reg.N_COOKIE).data == asked.notify(reg.N_COOKIE_REQUIRED).data
    other = scene.server.receive(second, ("10.0.0.2", 1), scene.now)
    assert message.parse(other[0].octets).exchange == reg.X_COOKIE, "bound to the address"
    good = scene.server.receive(second, ("10.0.0.1", 2), scene.now)
    assert message.parse(good[0].octets).exchange == reg.X_KEYDL
    for _ in range(3):
        gm.receive(answers[0].octets, scene.now)
    assert gm.refusals[-1].req == "RFC4535-5.2.2-04", "a forger cannot keep it busy for ever"


@pytest.mark.req("RFC4535-5.2.1.1-20", "RFC4535-5.2.1.1-21")
def test_repeated_request_gets_the_same_answer():
    scene = Scene(members=2)
    gm, other = scene.members
    request = gm.join(scene.now)
    first = scene.server.receive(request, gm, scene.now)
    before = digest(scene.server)
    again = scene.server.receive(request, gm, scene.now)
    assert [a.octets for a in again] == [first[0].octets] and digest(scene.server) == before
    assert scene.server.receive(gm.join(scene.now), gm, scene.now) == []
    assert scene.server.refusals[-1].req == "RFC4535-5.2.1.1-21"
    scene.join(other)
    assert other.state == "member"


@pytest.mark.req("RFC4535-5.2.1.4-16", "RFC4535-5.2.1.4-17", "RFC4535-5.2.1.5-02",
                 "RFC4535-5.2.1.5-03", "RFC4535-5.2.1.5-04", "RFC4535-5.2.1.5-14")
@pytest.mark.parametrize("terse", (True, False), ids=("terse", "verbose"))
def test_silent_members_are_evicted(terse):
    scene = Scene(members=2, terse=terse).join()
    silent = scene.make_member("gm7")
    answers = scene.server.receive(silent.join(scene.now), silent, scene.now)
    silent.receive(answers[0].octets, scene.now)  # its acknowledgement is lost
    scene.tick(60)
    warnings = scene.server.tick(scene.now)
    if terse:
        assert warnings == []
    else:
        loa = message.parse(warnings[0].octets)
        assert loa.exchange == reg.X_LOA
        assert loa.nonce(2) == message.parse(answers[0].octets).nonce(2)
        assert silent.receive(warnings[0].octets, scene.now) == [silent.last_ack]
    scene.members.append(silent)
    scene.deliver(scene.server.renew(scene.now))
    assert not scene.in_step(silent) and scene.in_step(scene.members[0])
    assert len(scene.server.members) == 2


@pytest.mark.req("RFC4535-5.2.1.5-14")
def test_acknowledgement_is_signed_anew_where_time_says_what_is_new():
    scene = Scene(members=0, terse=False, timestamp=True)
    slow = scene.make_member("gm0")
    keys = scene.server.receive(slow.join(scene.now), slow, scene.now)[0]
    [lost] = slow.receive(keys.octets, scene.now)
    scene.tick(60)
    [warning] = scene.server.tick(scene.now)
    [again] = slow.receive(warning.octets, scene.now)
    signed = [undate(message.parse(o).signature.timestamp) for o in (lost, again)]
    assert signed[1] - signed[0] == 60 and signed[1] == int(scene.now)


@pytest.mark.req("RFC4535-5.2.1.3-06", "RFC4535-5.2.1.3-08")
def test_rtj_error_is_heard_but_keys_may_still_come():
    scene = Scene(members=1, terse=False)
    gm = scene.members[0]
    request = gm.join(scene.now)
    stranger = Scene(members=1, terse=False).members[0]
    stranger.join(scene.now)
    forged = stranger.build(reg.X_RTJ_ERR, [Nonce(nonce_type=1, data=b"forged"),
                                            Notification(notify=7, data=b"")], scene.now,
                            signed=False)
    gm.receive(forged, scene.now)
    assert gm.refusals[-1].req == "RFC4535-5.2.1.3-06"
    honest = gm.build(reg.X_RTJ_ERR, [Nonce(nonce_type=1, data=gm.nonce_i),
                                      Notification(notify=7, data=b"")], scene.now, signed=False)
    assert gm.receive(honest, scene.now) == [] and events(scene, "rtj-error")
    scene.deliver(scene.server.receive(request, gm, scene.now))
    assert gm.state == "member"


@pytest.mark.req("RFC4535-5.2.1.1-10", "RFC4535-5.2.1.1-11", "RFC4535-7.9.1.3-01")
@pytest.mark.parametrize("values,joins", [((49153, 49154, 49153), True),
                                          ((2, 49154, 49153), False)])
def test_mechanism_choices(values, joins):
    scene = Scene(members=0)
    gm = scene.make_member("gm0", mechanisms=[MechanismChoice(mechanism=n, value=v)
                                              for n, v in enumerate(values)])
    scene.members.append(gm)
    scene.join(gm)
    assert (gm.state == "member") is joins


@pytest.mark.req("RFC4535-7.7.1-04")
def test_certificates_by_other_means():
    """The acknowledgement brings no Certificate payload; the one of the RTJ serves."""
    scene = Scene(members=1)
    scene.members[0].hooks.on_packet(reg.X_ACK, change.remove(Certificate))
    scene.join()
    assert all(m.acknowledged for m in scene.server.members.values())
    assert not message.parse(scene.wire[2][1]).certificates()


@pytest.mark.req("RFC4535-7.1.1-11", "RFC4535-7.1.1-12", "RFC4535-7.1.1-10")
def test_sequence_ids():
    scene = Scene(members=3).join()
    scene.deliver(scene.server.renew(scene.now))
    numbers = [(m.exchange, m.packet.sequence) for m in (message.parse(o) for _, o in scene.wire)]
    rekeys = [n for x, n in numbers if x == reg.X_REKEY]
    assert rekeys == list(range(1, len(rekeys) + 1)) and len(rekeys) == 3
    assert {n for x, n in numbers if x != reg.X_REKEY} == {0}


@pytest.mark.req("RFC4535-5.3.1.1-05", "RFC4535-5.3.1.2-01", "RFC4535-5.3.1.2-02")
def test_token_of_a_failed_rekey_is_not_processed():
    scene = Scene(members=2).join()
    misbehave.find("rekey-created").arm(scene.server)
    scene.evict(scene.members[1], scene.token(2))
    assert scene.members[0].token.edition == 1


@pytest.mark.req("RFC4534-2-09", "RFC4534-3.1-03")
def test_old_token_in_a_policy_update():
    scene = Scene(members=1).join()
    gm = scene.members[0]
    scene.server.signed = type(scene.server.signed)(scene.token(0))
    scene.tick()
    scene.deliver([scene.server.rekey([], scene.now, scene.token(0))])
    assert gm.refusals[-1].req == "RFC4534-3.1-03" and gm.token.edition == 1


@pytest.mark.req("RFC4534-2-09", "RFC4535-5.3.1.2-02")
def test_old_token_beside_new_keys():
    """A token that opens and is refused takes its message with it; then the keys come without it."""
    scene = Scene(members=1).join()
    gm, before = scene.members[0], digest(scene.members[0])
    scene.tick()
    scene.deliver(scene.server._send_plan(scene.server.tree.renew(), scene.now, scene.token(0)))
    assert gm.refusals[-1].req == "RFC4534-3.1-03" and gm.token.edition == 1
    assert digest(gm) == before and not scene.in_step(gm)
    scene.tick()
    scene.deliver(scene.server.renew(scene.now))
    assert scene.in_step(gm)


@pytest.mark.req("RFC4535-5.3.2.3.2-05", "RFC4535-5.3.2.3.2-11")
def test_a_departure_hashes_nonces_as_its_mechanism_says():
    scene = Scene(members=1).join()
    gm = scene.members[0]
    scene.tick()
    scene.deliver(scene.server.new_token(scene.token(2, leave_hash=1), scene.now))
    scene.to_server(gm.leave(scene.now), gm)
    assert gm.state == "left" and events(scene, "departed")
    answer = next(m for m in (message.parse(o) for _, o in scene.wire) if m.exchange == reg.X_DR)
    assert len(answer.nonce(reg.NONCE_C)) == 20, "SHA-1"


@pytest.mark.req("RFC4534-B.3-06", "RFC4535-5.3.2.3.2-11")
def test_of_several_ways_out_that_of_ones_own_authority_counts():
    scene = Scene(members=1).join()
    gm = scene.members[0]
    scene.tick()
    first = [(1, bytes(20)), (1, bytes(range(20)))]
    scene.deliver(scene.server.new_token(scene.token(2, leave_first=first), scene.now))
    scene.to_server(gm.leave(scene.now), gm)
    assert gm.state == "left" and events(scene, "departed")
    answer = next(m for m in (message.parse(o) for _, o in scene.wire) if m.exchange == reg.X_DR)
    assert len(answer.nonce(reg.NONCE_C)) == 32, "SHA-256, which is that of the last"


@pytest.mark.req("RFC4535-4.4.1-01")
def test_no_group_owner_no_membership():
    scene = Scene(members=1)
    scene.members[0].group = party.Group(scene.group.group_id, suite=scene.suite)
    scene.join()
    assert scene.members[0].refusals[0].req == "RFC4534-2-08"


@pytest.mark.req("RFC4535-7.10.1-01", "RFC4535-7.10.1-03", "RFC4535-7.10.1-04")
def test_strange_vendor_ids_do_no_harm():
    scene = Scene("suite1", members=1)
    scene.members[0].hooks.on_packet(reg.X_RTJ, change.insert(VendorID(data=b"someone")))
    scene.join()
    assert scene.members[0].state == "member"


# ----------------------------------------------------------------- loopback

@pytest.fixture
def served():
    """A scene whose server listens on loopback in a thread; its clock is the real one."""
    scene = Scene(members=0)
    scene.server.group.skew = 10**9
    runner = net.KeyServerRunner(scene.server, "127.0.0.1", 0, ("127.0.0.1", free_port()))
    scene.runner, stop = runner, threading.Event()
    thread = threading.Thread(target=lambda: runner.run(3600, stop.is_set))
    thread.start()
    yield scene
    stop.set()
    thread.join()
    runner.close()


def free_port():
    with net.udp_socket("127.0.0.1") as sock:
        return sock.getsockname()[1]


@pytest.fixture
def steady_clock(monkeypatch):
    """The certificates of the tests are of August 2026."""
    shift = NOW.timestamp() - time.time()
    real = time.time
    monkeypatch.setattr(net, "clock", lambda: real() + shift)


@pytest.mark.req("RFC4535-9.1-01")
@pytest.mark.parametrize("transport", ("udp", "tcp"))
def test_over_loopback(steady_clock, served, transport):
    gms = [served.make_member(f"gm{n}") for n in range(2)]
    runners = [net.MemberRunner(gm, ("127.0.0.1", served.runner.port), transport) for gm in gms]
    try:
        assert all(r.join() for r in runners)
        assert served.in_step(gms[1])
        assert runners[0].leave() and gms[0].state == members.LEFT
    finally:
        for r in runners:
            r.close()
    assert len(served.events) > 5 and not served.server.refusals


@pytest.mark.parametrize("name", ("rtj-version-zero", "rtj-sig-bad", "rtj-truncated",
                                  "rtj-replayed", "rtd-notify"))
def test_misbehaviour_over_loopback(steady_clock, served, name):
    entry = misbehave.find(name)
    runner = net.MemberRunner(served.make_member("gm0"), ("127.0.0.1", served.runner.port))
    try:
        result = misbehave.run(entry, runner, 60, over=lambda: served.server.refusals)
    finally:
        runner.close()
    assert result["refused"] is True and result["errors"] == []
    assert [r.req for r in served.server.refusals][:1] == [entry.req]


def test_framing_over_tcp():
    f = net.Framer(limit=1000)
    scene = Scene(members=1)
    one = scene.members[0].join(scene.now)
    stream = one + one
    out = [m for n in range(0, len(stream), 7) for m in f.feed(stream[n:n + 7])]
    assert out == [one, one] and f.data == b""
    huge = bytearray(one)
    huge[2 + one[1] + 7:2 + one[1] + 11] = b"\xff\xff\xff\xff"
    with pytest.raises(ConnectionError):
        list(f.feed(bytes(huge)))


# ------------------------------------------------------------------ programs

def write_credentials(directory, name, credentials):
    (directory / f"{name}.key").write_bytes(credentials.key.private_bytes(
        s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()))
    write_pem(directory / f"{name}.pem", credentials.cert.der)


def write_pem(path, der):
    from asn1crypto import pem
    path.write_bytes(pem.armor("CERTIFICATE", der))


def test_programs_refuse_bad_command_lines(tmp_path):
    config = tmp_path / "c.json"
    config.write_text('{"colour": "red"}')
    for words, said in ((["--config", str(config)], "unknown key colour"),
                        (["--group-id", "00", "--key", "k", "--cert", "c"], "--server is needed"),
                        (["--key", "k"], "--group-id is needed")):
        run = subprocess.run([sys.executable, "-m", "msec_scapy.member", *words], cwd=INTEROP,
                             capture_output=True, text=True)
        assert run.returncode == 2 and said in run.stderr


def test_programs_talk(tmp_path):
    """keyserver and member as processes, with credentials that are valid today."""
    import datetime

    from msec_scapy import identity, policy, token
    from msec_scapy.testing import authority as a
    old, a.NOW = a.NOW, datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    try:
        ca = a.Authority("Root")
        made = {n: party.Credentials(*ca.issue(n)) for n in ("gcks", "gm0", "owner")}
    finally:
        a.NOW = old
    for n, c in made.items():
        write_credentials(tmp_path, n, c)
    write_pem(tmp_path / "root.pem", ca.cert.der)
    gid, suite = bytes(range(12)), policy.SUITES["p256"]

    def rule(text):
        return policy.Rule(identity.Identity(31, text), ca.cert.key_id)
    content = policy.make_token(gid, [rule(b"CN=gcks,O=MSEC Lab")], [rule(b"CN=gm*,O=MSEC Lab")],
                                suite)
    (tmp_path / "token").write_bytes(token.sign(
        content, made["owner"].key, made["owner"].cert,
        datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)))

    def words(program, name, *more):
        return [sys.executable, "-m", f"msec_scapy.{program}", "--group-id", gid.hex(), "--key",
                f"{tmp_path}/{name}.key", "--cert", f"{tmp_path}/{name}.pem", "--roots",
                f"{tmp_path}/root.pem", "--owner", f"{tmp_path}/owner.pem", "--keylog",
                f"{tmp_path}/keylog", "--seconds", str(PATIENCE), *more]
    server = subprocess.Popen(words("keyserver", "gcks", "--token", f"{tmp_path}/token", "--bind",
                                    "127.0.0.1", "--port", "0"), cwd=INTEROP, text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        port = json.loads(server.stdout.readline())["port"]
        gm = subprocess.run(words("member", "gm0", "--server", f"127.0.0.1:{port}", "--timeout",
                                  str(PATIENCE / 4), "--seconds", "0", "--leave"), cwd=INTEROP, capture_output=True, text=True)
        server.stdin.write("destroy\n")
        server.stdin.flush()
        said = [json.loads(line) for line in server.stdout]
        assert server.wait(PATIENCE) == 0
    finally:
        server.kill()
        server.stdin.close()
        server.stdout.close()
    assert gm.returncode == 0, gm.stderr
    assert {"joined", "left"} <= {json.loads(x)["event"] for x in gm.stdout.splitlines()}
    assert {"member", "departed"} <= {e["event"] for e in said}
    log = (tmp_path / "keylog").read_text()
    assert all(word in log for word in ("GSAKMP_DH_SECRET", "GSAKMP_KEK", "GSAKMP_KEY"))


@pytest.mark.parametrize("ids", [(b"\0\0\0\1",), (b"\0\0\0\1", b"DATA"), (b"SAME", b"SAME")])
def test_the_traffic_keys_are_those_that_the_token_names(ids):
    s = Scene(members=0)
    s.server = s.make_server(signed=s.token(key_ids=ids))
    s.members = [s.make_member("gm0")]
    s.join(s.members[0])
    assert {key.key_id for key in s.server.gtpks} == set(ids) and len(s.server.gtpks) == len(set(ids))
    assert {key.key_id for key in s.members[0].ring.gtpk.values()} == set(ids)
