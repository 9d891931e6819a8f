# SPDX-License-Identifier: BSD-2-Clause
"""Wrong GDOI messages, by name, against gdoi-gcks and gdoi-gm: for ./lab attack and for tests.

    with KeyServer(directory) as victim:      # or Member(directory)
        victim.attack(entry)                  # of msec_scapy.gdoi.misbehave
"""
import argparse
import json
import shutil
import sys
import time
from pathlib import Path

from msec_scapy.gdoi import isakmp, misbehave
from msec_scapy.gdoi.phase1 import Hooks
from msec_scapy.gdoi.policy import KekPolicy

from . import BUILD, LabError, sandbox
from .gdoi_peers import Ground
from .gdoi_served import Served, places
from .process import PATIENCE

ROLE = {"gcks": "member", "gm": "server"}  # who is attacked: the role of the attacker
WAIT = PATIENCE  # seconds that a refusal may take
LOST = PATIENCE / 4  # seconds after which a multicast datagram may have been lost
# Of a message of an exchange that is over.  A member that was told to leave may have asked just before: so it refuses what it
# gets for that, whatever is wrong with it.
OVER = "RFC6407-7.2.4-02"


class Recording(misbehave.Armed):
    """What was sent wrongly is kept, and `at` what time (in milliseconds, as in events) it was first."""

    def __init__(self, entry, told=lambda: None):
        super().__init__(entry)
        self.sent, self.told, self.at = [], told, None

    def datagram(self, where, octets):
        octets = super().datagram(where, octets)
        if where == self.entry.where:
            if not self.sent:
                self.at = time.monotonic_ns() // 1000000
            self.sent.append(octets)
            self.told()
        return octets

    def refused(self, event):
        """Whether this refusal can be that of what was sent: what was refused before, and is told now, is none."""
        return (event["event"] == "refused" and self.at is not None and event["mono_ms"] >= self.at
                and (event["req"] != OVER or OVER in self.entry.rows))


def _refusal(daemon, mark, hooks, taken, wait=WAIT):
    """The first refusal since then, or None: what was wrong is `taken`, which is an event, too, or nothing is said."""
    try:
        event = daemon.wait(since=mark, timeout=wait, where=lambda e: hooks.refused(e) or e["event"] == taken)
    except LabError:
        return None
    return event if event["event"] == "refused" else None


def _told(entry, hooks, daemon, mark, refused, harmless):
    seen = [e for e in daemon.events[mark:] if e["event"] not in ("message", "received", "sent")]
    return {**entry.as_dict(), "sent": hooks.sent, "refused": refused, "harmless": harmless, "seen": seen}


class KeyServer:
    """gdoi-gcks, attacked by a member that it knows."""

    def __init__(self, directory: Path, prefix: str = ""):
        self.ground = Ground(Path(directory), ["alice"], prefix=prefix, ack={"type": "kek-sha256", "missed": 100})
        self.daemon = self.ground.keys

    def __enter__(self):
        self.ground.start()
        return self

    def __exit__(self, *_):
        self.ground.close()

    def attack(self, entry) -> dict:
        g = self.ground
        peer = g.peer("alice")
        hooks = peer.member.config.hooks = Recording(entry)
        try:
            if entry.where == "ack":
                peer.follow()
            mark = self.daemon.mark()
            if entry.where == "ack":
                g.keys.control("rekey", "tek", "now")
                refused = _refusal(self.daemon, mark, hooks, "acked")
                harmless = not any(e["event"] == "acked" for e in self.daemon.events[mark:])
            else:
                before = set(g.registered())
                peer.runner.send(peer.member.register())
                peer.runner.run(WAIT, lambda: peer.count("registered") or any(map(hooks.refused, self.daemon.events[mark:])))
                refused = _refusal(self.daemon, mark, hooks, "joined", 0)
                harmless = set(g.registered()) == before and not peer.count("registered")
            return _told(entry, hooks, self.daemon, mark, refused, harmless)
        finally:
            peer.close()
            g.peers.remove(peer)


class Member:
    """gdoi-gm, attacked by a key server that it trusts."""

    def __init__(self, directory: Path, prefix: str = ""):
        self.served = Served(directory, prefix=prefix, kek=KekPolicy(ack=1, **places()))
        self.ground = self.served.ground
        self.daemon = self.served.member("victim", start=False)
        self._answer_once()

    def _answer_once(self) -> None:
        """A member repeats what is not answered soon; a second answer would be refused, too, and not for what was wrong."""
        answer, heard = self.ground.server.receive, set()

        def receive(octets, *rest):
            if octets in heard:
                return []
            heard.add(octets)
            return answer(octets, *rest)
        self.ground.server.receive = receive

    def __enter__(self):
        self.served.__enter__()
        self.daemon.start()
        return self

    def __exit__(self, *_):
        self.served.__exit__(None, None, None)

    @property
    def config(self):
        return self.ground.server.config

    def state(self) -> str:
        return self.daemon.group()["state"]

    def rest(self) -> None:
        """Out of the group, whatever it is doing."""
        if self.state() != "idle":
            self.daemon.control("leave")

    def teks(self) -> set:
        return {t["spi"] for t in self.daemon.control("keys")}

    def attack(self, entry) -> dict:
        hooks = Recording(entry, lambda: self.ground._event("attack")("sent"))
        if entry.where == "push":
            if self.state() != "member":
                self.rest()
                mark = self.daemon.mark()
                self.daemon.control("join")
                self.daemon.wait("joined", since=mark, timeout=WAIT)
            before, mark = self.teks(), self.daemon.mark()
            self.config.hooks = hooks
            try:
                for _ in range(4):  # the network may lose one that comes on the heels of IGMP
                    self.ground.push(lambda server, group: [server.rekey_teks(group, time.time())])
                    refused = _refusal(self.daemon, mark, hooks, "rekeyed", LOST)
                    if refused or self.daemon.find("rekeyed", since=mark):
                        break
            finally:
                self.config.hooks = Hooks()
            harmless = before <= self.teks() and not any(e["event"] == "rekeyed" for e in self.daemon.events[mark:])
            return _told(entry, hooks, self.daemon, mark, refused, harmless)
        mark = self.daemon.mark()
        self.config.hooks = hooks
        try:
            if entry.where.startswith("phase1"):
                self.daemon.finish()  # it keeps its phase 1, and asks again for one that failed
                self.ground.server.sas.clear()
                self.daemon.start()
            else:
                self.rest()
            mark = self.daemon.mark()
            self.daemon.control("join")
            self.ground.wait(lambda _: hooks.sent, WAIT)
            refused = _refusal(self.daemon, mark, hooks, "joined") if hooks.sent else None
            harmless = not self.teks() and not any(e["event"] == "joined" for e in self.daemon.events[mark:])
            self.rest()
        finally:
            self.config.hooks = Hooks()
        return _told(entry, hooks, self.daemon, mark, refused, harmless)


VICTIM = {"gcks": KeyServer, "gm": Member}


def victim_of(entry) -> str:
    return next(v for v, role in ROLE.items() if role == entry.role)


def in_words(told: dict) -> list:
    """What ./lab attack says."""
    yield f"{told['name']}: {told['text']}"
    yield f"  message {told['message']}, breaks {told['req']}"
    for octets in told["sent"][:1]:
        yield f"  sent, {len(octets)} octets: {isakmp.ISAKMP(octets).mysummary()}"
    for e in told["seen"]:
        yield "  " + e["event"] + " " + " ".join(f"{k}={v}" for k, v in e.items() if k in ("req", "field", "offset", "reason", "peer", "text"))
    yield "  REFUSED, and nothing changed" if told["refused"] and told["harmless"] else (
        "  nothing changed; no refusal was reported" if told["harmless"] else "  IT WAS NOT REFUSED")


def show_list(against: str = None) -> None:
    for victim, role in ROLE.items():
        if against not in (None, victim):
            continue
        print(f"GDOI, against {victim}, by a {'member' if role == 'member' else 'key server'}:\n")
        last = None
        for e in misbehave.CATALOGUE:
            if e.role == role:
                if e.where != last:
                    print(f"  {e.where}")
                last = e.where
                print(f"    {e.name:30} {e.req:22} {e.text}")
        print()


def run(name: str, where: Path, as_json: bool) -> int:
    try:
        entry = misbehave.find(name)
    except KeyError as e:
        print(f"lab: {e.args[0]}", file=sys.stderr)
        return 1
    shutil.rmtree(where, ignore_errors=True)
    with VICTIM[victim_of(entry)](where, "a-") as victim:
        told = victim.attack(entry)
    if as_json:
        print(json.dumps({**told, "sent": [o.hex() for o in told["sent"]]}, indent=1))
    else:
        print("\n".join(in_words(told)))
    return 0 if told["harmless"] else 1


if __name__ == "__main__":
    p = argparse.ArgumentParser(prog="lab.gdoi_attack", description="One wrong GDOI message against a daemon of the suite.")
    p.add_argument("name")
    p.add_argument("--json", action="store_true")
    _a = p.parse_args()
    sandbox.enter()
    sys.exit(run(_a.name, BUILD / "attack-gdoi", _a.json))
