# SPDX-License-Identifier: BSD-2-Clause
"""The catalogue of wrong messages against the daemons: the reaction on the wire, the row in
the event, and nobody's state changed."""
import json
import os
import sys
import time
from pathlib import Path

import pytest

from lab.process import PATIENCE
from msec_scapy import misbehave
from msec_scapy import registry as reg
from msec_scapy.testing import forger
from msec_scapy.testing.ground import Ground, serving

MEMBER = [e for e in misbehave.CATALOGUE if e.role == "member"]
SERVER = [e for e in misbehave.CATALOGUE if e.role == "server"]
# Degenerate Diffie-Hellman values need a MODP group, hence Security Suite 1.
MODP = ("rtj-dh-", "keydl-dh-")
MODES = pytest.mark.parametrize("terse", (True, False), ids=("terse", "verbose"), scope="module")


def modp(entry):
    return entry.name.startswith(MODP)


def ids(entries):
    return pytest.mark.parametrize("entry", [pytest.param(e, id=e.name) for e in entries])


# ------------------------------------------------------------------ gsakmp-gcks

@pytest.fixture(scope="module")
def grounds(tmp_path_factory, net_prefix):
    """Grounds by (kind, terse, timestamp), each with one running key server daemon."""
    made = {}

    def get(kind, terse, timestamp=False):
        key = kind, terse, timestamp
        if key not in made:
            g = Ground(tmp_path_factory.mktemp("ground"), f"{net_prefix}m{len(made)}",
                       kind=kind, terse=terse, timestamp=timestamp)
            made[key] = g
            g.daemon = g.gcks()
        return made[key]
    try:
        yield get
        for g in made.values():
            g.daemon.finish()
    finally:
        for g in made.values():
            g.close()


def state(daemon):
    """Who is a member, in the daemon's own words; others that were here before us may still be left out."""
    return sorted(m["peer"] for m in daemon.control("members", "ground") if m["state"] == "active")


# A refusal that is not there, because its check is switched off, is not waited for as long as one on a busy machine.
SHORT = 2 if os.environ.get("MSEC_CHECK_OFF") else PATIENCE


def refusal_of(daemon, entry, mark):
    """The event that names the fault; LabError if it does not come."""
    return daemon.wait("refused", timeout=SHORT, since=mark, where=lambda e: e["req"] in entry.rows)


def send(ground, entry, runner, mark, silent, hold=lambda: None, credentials=None):
    """The wrong message, and the event that names the fault. Where no answer is due none has come by then."""
    daemon = ground.daemon
    result = misbehave.run(entry, runner, PATIENCE, hold, credentials, lambda: forger.done_with_it(daemon, mark))
    event = refusal_of(daemon, entry, mark)
    assert not silent or daemon.control("status") and runner.silent()
    return result, event


@MODES
@ids([e for e in MEMBER if e.exchange == reg.X_RTJ and not e.repeat])
def test_bad_request(grounds, entry, terse):
    ground = grounds("dsa" if modp(entry) else "ecdsa", terse)
    name = forger.fresh_name(ground)
    credentials = forger.of_candidate(ground, entry, name)
    runner = ground.member(name, "evil", rekeys=False, credentials=credentials)
    before, mark = state(ground.daemon), ground.daemon.mark()
    result, event = send(ground, entry, runner, mark, terse)
    assert state(ground.daemon) == before
    assert not any(name + "," in m["peer"] for m in ground.daemon.control("members", "ground"))
    assert result["refused"] is True
    assert "KeyDL" not in result["answers"]
    if terse:
        assert result["answers"] == []
    elif result["answers"]:
        assert result["errors"] == [reg.NOTIFY.name(event["notify"])]


@MODES
@ids([misbehave.find("rtj-replayed")])
def test_replayed_request(grounds, entry, terse):
    ground = grounds("ecdsa", terse)
    runner = ground.member(forger.fresh_name(ground), "evil", rekeys=False)
    mark = ground.daemon.mark()
    result, _ = send(ground, entry, runner, mark, terse, lambda: ground.daemon.wait("member-active", since=mark))
    assert result["refused"] is True and "KeyDL" not in result["answers"]


@MODES
@ids([e for e in MEMBER if e.exchange == reg.X_ACK])
def test_bad_acknowledgement(grounds, entry, terse):
    ground = grounds("ecdsa", terse, entry.timestamp)
    name = forger.fresh_name(ground)
    runner = ground.member(name, "evil", rekeys=False)
    mark = ground.daemon.mark()
    send(ground, entry, runner, mark, terse, credentials=forger.of_forger(ground, entry, name))
    assert not ground.daemon.find("member-active", since=mark)


@MODES
@ids([e for e in MEMBER if e.exchange == reg.X_RTD])
def test_bad_departure(grounds, entry, terse):
    ground = grounds("ecdsa", terse, entry.timestamp)
    name = forger.fresh_name(ground)
    runner = ground.member(name, "evil", rekeys=False)
    mark = ground.daemon.mark()
    send(ground, entry, runner, mark, terse, credentials=forger.of_forger(ground, entry, name))
    assert runner.member.state != "left"
    assert not ground.daemon.find("member-left", since=mark)


@MODES
@ids([e for e in MEMBER if e.exchange == reg.X_DA])
def test_bad_departure_acknowledgement(grounds, entry, terse):
    ground = grounds("ecdsa", terse, entry.timestamp)
    name = forger.fresh_name(ground)
    runner = ground.member(name, "evil", rekeys=False)
    mark = ground.daemon.mark()
    send(ground, entry, runner, mark, terse, credentials=forger.of_forger(ground, entry, name))
    assert not ground.daemon.find("member-left", since=mark)


# -------------------------------------------------------------------- gsakmp-gm

@pytest.fixture(scope="module")
def served(tmp_path_factory, net_prefix):
    """Grounds by (kind, terse, timestamp), each with one Python key server that runs in a thread."""
    made = {}

    def get(kind, terse, timestamp=False):
        key = kind, terse, timestamp
        if key not in made:
            g = Ground(tmp_path_factory.mktemp("ground"), f"{net_prefix}s{len(made)}",
                       kind=kind, terse=terse, timestamp=timestamp)
            made[key] = g
            g.serving = serving(g.key_server(timeout=3600))
            g.server = g.serving.__enter__()
        return made[key]
    try:
        yield get
    finally:
        for g in made.values():
            if hasattr(g, "server"):
                g.serving.__exit__(None, None, None)
            g.close()


def joined(ground):
    gm = ground.gm(forger.fresh_name(ground))
    gm.control("join")
    gm.wait("joined")
    assert ground.server.until(lambda k: all(m.acknowledged for m in k.members.values()))
    return gm


def keys(gm):
    status = gm.control("status")
    return {k: status[k] for k in ("state", "keys", "edition", "sequence") if k in status}


def end(ground, gm):
    gm.finish()
    ground.server.arm(None)
    ground.server.forget()


@MODES
@ids([e for e in SERVER if e.exchange == reg.X_KEYDL])
def test_bad_key_download(served, entry, terse):
    ground = served("dsa" if modp(entry) else "ecdsa", terse, entry.timestamp)
    gm = ground.gm(forger.fresh_name(ground))
    ground.server.arm(entry, forger.of_forger(ground, entry, "keys"))
    seen, mark = len(ground.events), gm.mark()
    gm.control("join")
    event = refusal_of(gm, entry, mark)
    assert ground.server.until(lambda k: any(
        e["event"] == "nack" or e.get("req") == "RFC4535-5.2.1.4-10"
        for e in ground.events[seen:])), "a failed Key Download is reported"
    nacks = [e["notify"] for e in ground.events[seen:] if e["event"] == "nack"]
    assert nacks in ([reg.N_NACK if terse else event["notify"]], [])
    assert not gm.find("joined") and not gm.find("key-install")
    end(ground, gm)


@ids([e for e in SERVER if e.exchange == reg.X_REKEY and not e.repeat])
def test_bad_rekey(served, entry):
    ground = served("ecdsa", True)
    gm = joined(ground)
    ground.server.arm(entry, forger.of_forger(ground, entry, "keys"))
    before, seen, mark = keys(gm), len(ground.events), gm.mark()
    ground.server.renew()
    refusal_of(gm, entry, mark)
    after = keys(gm)
    assert after.get("keys") == before.get("keys") and after.get("state") == before.get("state")
    assert not gm.find("key-install", since=mark)
    assert not [e for e in ground.events[seen:] if e["event"] == "received"], "never answered"
    end(ground, gm)


@pytest.mark.req("RFC4535-7.1.2-10")
@ids([misbehave.find("rekey-replayed")])
def test_replayed_rekey(served, entry):
    ground = served("ecdsa", True)
    gm = joined(ground)
    mark = gm.mark()
    sent = ground.server.renew()
    gm.wait("rekeyed", since=mark)
    before, seen, mark = keys(gm), len(ground.events), gm.mark()
    ground.server.send(sent)
    refusal_of(gm, entry, mark)
    assert keys(gm) == before
    assert not [e for e in ground.events[seen:] if e["event"] == "received"], "never answered"
    end(ground, gm)


@MODES
@ids([e for e in SERVER if e.exchange == reg.X_DR])
def test_bad_departure_response(served, entry, terse):
    ground = served("ecdsa", terse, entry.timestamp)
    gm = joined(ground)
    ground.server.arm(entry, forger.of_forger(ground, entry, "keys"))
    mark = gm.mark()
    gm.control("leave")
    refusal_of(gm, entry, mark)
    assert not gm.find("left", since=mark)
    end(ground, gm)


@ids([e for e in SERVER if e.exchange == reg.X_LOA])
def test_bad_lack_of_ack(served, entry):
    ground = served("ecdsa", False, entry.timestamp)
    gm = joined(ground)
    ground.server.arm(entry, forger.of_forger(ground, entry, "keys"))
    before, seen, mark = keys(gm), len(ground.events), gm.mark()
    ground.server.do(lambda k: [k.lack_of_ack(s, time.time()) for s in [
        k.concluded[n] for n in k.members]])
    refusal_of(gm, entry, mark)
    assert keys(gm) == before
    assert not [e for e in ground.events[seen:] if e["event"] == "received"]
    end(ground, gm)


@ids([misbehave.find("keydl-rogue")])
def test_unauthorised_key_server(tmp_path, net_prefix, entry):
    """Good certificate, good token, but the token names another key server, and this one is honest about it."""
    with Ground(tmp_path, net_prefix) as ground:
        with serving(ground.key_server("rogue")) as server:
            gm = ground.gm()
            gm.control("join")
            refusal_of(gm, entry, 0)
            assert server.until(lambda k: k.doomed)
        gm.finish()


def test_the_catalogue_as_a_program(tmp_path, net_prefix):
    """What `./lab attack` and a person at a shell use."""
    with Ground(tmp_path, net_prefix) as ground:
        daemon = ground.gcks()
        p, root = ground.party("gm0"), Path(__file__).resolve().parents[1]
        words = [sys.executable, "-m", "msec_scapy.misbehave", "--run", "rtj-truncated", "--listen",
                 "0.3", "--group-id", ground.group_id.hex(), "--key", p.key, "--cert", p.chain,
                 "--roots", ground.pki.root.cert, "--owner", ground.party("owner").cert,
                 "--server", ground.hosts["keys"].ip4, "--events", tmp_path / "events"]
        r = ground.hosts["evil"].run(words, cwd=root)
        said = json.loads(r.stdout)
        assert said["refused"] is True and said["answers"] == []
        refusal_of(daemon, misbehave.find("rtj-truncated"), 0)
        daemon.finish()
