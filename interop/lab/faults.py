# SPDX-License-Identifier: BSD-2-Clause
"""Daemons that die at a durable write, and what must be true of them afterwards.

The programs know nothing of this: common/test/fault/fault.c is loaded into them, counts what they do to their store and to
token files, and kills them at the Nth such call: before it (""), in the middle of it ("/") or after it ("+").
"""
import contextlib
import os
import random
import re
import select
import struct
import threading
from pathlib import Path

from . import LabError, wire
from .build import BUILD
from .daemons import wait_all
from .process import PATIENCE
from .scene import REKEY, REKEY_PORT
from .story import GROUP, need

LIBRARY = BUILD / "common" / "test" / "fault" / "fault.so"
HOWS = ("", "/", "+")
KILLED = -9
CYCLES = 5  # a life that has not come to its call by then never will


class Dead(Exception):
    """The daemon under test is gone; that is what it was started for."""


def armed(n: int, how: str) -> dict:
    return {"LD_PRELOAD": str(LIBRARY), "MSEC_FAULT": f"{n}{how}"}


def sample(seed: int, count: int, last: int) -> list:
    """Some of the points, the same for the same seed: the first writes of all, and others anywhere."""
    rng = random.Random(seed)
    return [(n, rng.choice(HOWS)) for n in sorted(rng.sample(range(1, last + 1), count))]


def start(daemon, **env) -> bool:
    """Start it with a fault waiting; whether it lived to serve."""
    mark = daemon.launch(env=env)
    try:
        daemon.wait("ready", since=mark)
    except LabError:
        if alive(daemon):
            raise
        return False
    return True


def alive(daemon) -> bool:
    """Whether it answers; else it is on its way, however long the kernel takes to say that it is gone."""
    if daemon._open:
        with contextlib.suppress(OSError, LabError):
            daemon.control("status")
            return True
    daemon.wait_end()
    return False


def order(daemon, *words) -> dict:
    try:
        return daemon.control(*words)
    except (OSError, LabError):
        if alive(daemon):
            raise
        raise Dead from None


def await_event(server, reporter, event: str, timeout: float = PATIENCE, **fields) -> dict:
    """An event of `reporter`, for as long as the daemon that has to bring it about, `server`, lives."""
    for _ in range(int(timeout / 0.25)):
        with contextlib.suppress(LabError):
            return reporter.wait(event, 0.25, **fields)
        if not server.running or not server._open:  # its last words are here before the kernel says that it is gone
            server.wait_end()
            raise Dead
    return reporter.wait(event, 0.25, **fields)


class Disk:
    """A disk that hangs when told to; a daemon that is started with `env` has it."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(mode=0o777)
        os.mkfifo(folder / "told")
        self._told = os.open(folder / "told", os.O_RDWR | os.O_NONBLOCK)
        self._hold = None
        self.env = {"LD_PRELOAD": str(LIBRARY), "MSEC_FAULT_HANG": str(folder)}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.release()
        os.close(self._told)

    def hang(self) -> None:
        """From now on whoever wants to have something on the disk waits."""
        os.mkfifo(self.folder / "hold")
        self._hold = os.open(self.folder / "hold", os.O_RDWR)

    def wait(self, timeout: float = PATIENCE) -> None:
        """Until somebody does."""
        need(select.select([self._told], [], [], timeout)[0], f"nobody wrote to the disk within {timeout:.0f} s")
        os.read(self._told, 100)

    def release(self) -> None:
        if self._hold is None:
            return
        (self.folder / "hold").unlink()
        os.close(self._hold)
        self._hold = None


# -- the wire ------------------------------------------------------------------------------------------------------------


def _payloads(octets: bytes):
    """Header and chain of RFC 4535 sections 7.1 and 7.2: (Sequence ID, payloads that say something)."""
    at = 2 + octets[1]
    kind, _, exchange, sequence, _ = struct.unpack_from(">BBBII", octets, at)
    at, chain = at + 11, []
    while kind:
        following, _, size = struct.unpack_from(">BBH", octets, at)
        if kind not in (6, 8):  # Certificate, Signature: a message may be signed again
            chain.append((kind, octets[at + 4:at + size]))
        kind, at = following, at + size
    return sequence, tuple(chain)


def one_message_for_each_sequence_id(capture, ip: int = 4) -> int:
    """No Sequence ID was used for two messages; how many there were."""
    said = {}
    for d in wire.datagrams(capture):
        if d.destination == REKEY[ip] and d.dport == REKEY_PORT:
            sequence, chain = _payloads(d.payload)
            need(said.setdefault(sequence, chain) == chain, f"Sequence ID {sequence} stands for two different messages")
    return len(said)


def one_key_for_each_handle(keylog, kind: str = "GSAKMP_KEY") -> int:
    """What members were given: no (Key ID, handle), nor (LKH ID, handle), names two keys.  How many names there are."""
    keys, at = {}, {"GSAKMP_KEY": 7, "GDOI_LKH": 4}[kind]
    for line in keylog.read_text().splitlines():
        word = line.split()
        if word[:1] == [kind]:
            name = tuple(word[2:4])
            need(keys.setdefault(name, word[at]) == word[at], f"key {name[0]}, handle {name[1]} is two different keys")
    return len(keys)


def kind(line: str) -> str:
    """Of a call in the library's log: what was done to which of the files."""
    _, what, path = line.split(" ", 2)
    return f"{what} {re.sub('[0-9].*', '', Path(path).name)}"


# -- lives ---------------------------------------------------------------------------------------------------------------


class Life:
    """A daemon that is killed again and again: cycle() is what it does between two deaths, check() what must be true after
    each."""

    def __init__(self, daemon):
        self.daemon, self.deaths, self.died_at = daemon, 0, set()
        self.log, self.ending = daemon.directory / "calls.log", daemon.directory / "ending"

    def live(self, cycles: int = 1, **env) -> int:
        """One life to its orderly end, or to the fault in it; the exit status."""
        d = self.daemon
        if d.running:
            d.kill()
        self.rest()
        for file in (self.log, self.ending):
            file.unlink(missing_ok=True)
        with contextlib.suppress(Dead):
            if start(d, LD_PRELOAD=str(LIBRARY), MSEC_FAULT_LOG=str(self.log), **env):
                for _ in range(cycles):
                    self.cycle()
                self.ending.touch()
                d._p.terminate()
        status = d.wait_end()
        need(status in (0, KILLED), f"{d.name} ended with status {status} ({env.get('MSEC_FAULT')})")
        return status

    def said(self) -> dict:
        """The durable calls of the last life that counted: their kinds, by number."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return {int(line.split()[0]): kind(line) for line in lines}

    def calls(self) -> list:
        """The durable calls of one whole life."""
        need(self.live() == 0, "it died by itself")
        found = self.said()
        self.revive()
        return list(found.values())

    def revive(self) -> None:
        self.daemon.start()
        self.check()

    def die(self, n: int, how: str, **env) -> bool:
        """Whether it came to the fault at call n.  It goes on with its cycle for that: how many calls there are in one depends
        on what is committed together."""
        died = self.live(CYCLES, MSEC_FAULT=f"{n}{how}", **env) == KILLED
        self.deaths += died
        if died:
            self.died_at.add(self.said()[n])
        self.revive()
        return died

    def die_ending(self, how: str) -> None:
        """At every call of an orderly end: lives that die at one more each time, until one has had no more than that."""
        for n in range(1, 1000):
            if self.live(MSEC_FAULT=f"{n}{how}", MSEC_FAULT_FROM=str(self.ending)) != KILLED:
                need(n not in self.said(), f"it came to call {n} of its end and lived on")
                self.revive()
                return
            self.deaths += 1
            self.died_at.add(self.said()[n])
            self.revive()

    def die_everywhere(self, how: str) -> list:
        """At as many calls as one life has, each in a life that comes to it; at all those of the end; and at each kind of call.
        The calls of that one life."""
        calls = self.calls()
        for n in range(1, len(calls) + 1):
            need(self.die(n, how), f"it did not come to call {n} in {CYCLES} cycles")
        self.die_ending(how)
        for missing in sorted(set(calls) - self.died_at):
            need(self.die(1, how, MSEC_FAULT_ONLY=missing), f"it did not come to {missing}")
        need(set(calls) <= self.died_at, f"it died at {self.died_at} only")
        return calls

    def die_sometime(self, after: float) -> None:
        """The same with a plain kill -9, so many seconds into the life that goes on."""
        timer = threading.Timer(after, self.daemon._p.kill)
        timer.start()
        with contextlib.suppress(Dead):
            while True:
                self.cycle()
        timer.join()
        self.daemon.wait_end()
        self.rest()
        self.deaths += 1
        self.revive()

    def rest(self) -> None:
        """What others need between two lives."""


# -- the key server ------------------------------------------------------------------------------------------------------


class KeyServerLife(Life):
    """A group whose key server is killed again and again.  `residents` stay members throughout; `guest` comes and goes."""

    def __init__(self, story, residents: list, guest: str, new_edition):
        super().__init__(story.keys)
        self.s, self.residents, self.guest, self.new_edition = story, residents, story.members[guest], new_edition
        self.name = story.pki.parties[guest].dn
        self.sequence, self.edition, self.barred = 0, 1, False
        self.marks = {d: d.mark() for d in residents}

    # what is done, over and over

    def cycle(self) -> None:
        k, guest = self.s.keys, self.guest
        order(k, "rekey", GROUP)
        self._guest("join", "joined")
        order(k, "rekey", GROUP)
        self._guest("leave", "left")
        self._guest("join", "joined")
        order(k, "evict", self.name, GROUP)
        self.barred = True
        with contextlib.suppress(LabError):
            guest.control("leave", "silently")
        self.barred = None  # until the answer is here, either is right
        order(k, "readmit", self.name, GROUP)
        self.barred = False
        edition = self.new_edition()
        order(k, "token", GROUP)
        self.edition = edition

    def _guest(self, command: str, event: str) -> None:
        mark = self.guest.mark()
        self.guest.control(command)
        await_event(self.daemon, self.guest, event, since=mark)

    # what must be true whenever it is back

    def check(self) -> None:
        k = self.s.keys
        status = k.control("status")["groups"][0]
        heard = max([self.sequence] + [e["sequence"] for d in self.residents for e in d.find("rekeyed")])
        need(status["sequence"] >= heard, f"the Sequence ID went back from {heard} to {status['sequence']}")
        need(status["edition"] >= self.edition, f"the edition went back from {self.edition} to {status['edition']}")
        self.edition = status["edition"]
        members = k.control("members", GROUP)
        ids = [m["member_id"] for m in members["members"] if m["state"] != "overdue"] if isinstance(members, dict) else \
            [m["member_id"] for m in members]
        need(len(ids) == len(set(ids)), f"two members have one Member ID: {ids}")
        with contextlib.ExitStack() as unsure:
            if not self.barred:
                unsure.enter_context(contextlib.suppress(LabError))
            k.control("readmit", self.name, GROUP)  # refuses when it knows of no eviction
        self.barred = False
        marks = {d: d.mark() for d in self.residents}
        k.control("rekey", GROUP)
        now = k.control("status")["groups"][0]
        wait_all(self.residents, "rekeyed", marks=marks, where=lambda e: e["sequence"] == now["sequence"])
        for d in self.residents:
            held = d.control("status")["keys"]
            need(any(key["handle"] == now["gtpk_handle"] for key in held), f"{d.name} has not the key of the group")
            again = d.find("joined", since=self.marks[d]) + d.find("stale", since=self.marks[d])
            need(not again, f"{d.name} had to do something: {again}")
        self.sequence = now["sequence"]

    def rest(self) -> None:
        with contextlib.suppress(LabError):
            self.guest.control("leave", "silently")


# -- the Group Owner ----------------------------------------------------------------------------------------------------


class OwnerLife(Life):
    """A Group Owner that is killed again and again; its key server stays."""

    def __init__(self, story, name: str):
        super().__init__(story.owner)
        self.s, self.name, self.history, self.edition = story, story.pki.parties[name].dn, {}, 1

    def cycle(self) -> None:
        o, policy = self.s.owner, self.s.dir / "policy" / "policy.xml"
        for words in (("exclude", self.name, GROUP), ("readmit", self.name, GROUP), ("publish", str(policy))):
            with contextlib.suppress(LabError):  # it was done before the daemon died
                self.edition = max(self.edition, order(o, *words)["edition"])

    def check(self) -> None:
        """No edition went back, and none became another one."""
        rows = self.s.owner.control("history", GROUP)
        rows = rows["editions"] if isinstance(rows, dict) else rows
        now = {r["edition"]: (r["octets"], r["signing_time"]) for r in rows}
        for edition, row in self.history.items():
            need(now.get(edition) == row, f"edition {edition} was {row} and is {now.get(edition)}")
        times = [now[e][1] for e in sorted(now)]
        need(times == sorted(set(times)), f"signing times that do not advance: {times}")
        need(max(now) >= self.edition, f"edition {self.edition} was confirmed, {max(now)} is the newest")
        self.history, self.edition = now, max(now)

    def end(self) -> None:
        """The key server has the last edition, and nobody ever offered it one that it had to refuse."""
        k = self.s.keys
        for _ in range(300):
            mark = k.mark()
            if k.control("status")["groups"][0]["edition"] == self.edition:
                break
            with contextlib.suppress(LabError):
                k.wait("token", 0.3, since=mark)
        need(k.control("status")["groups"][0]["edition"] == self.edition, "the key server never got the last edition")
        need(not k.find("refused", peer="Group Owner"), "the key server had to refuse a token")


# -- a subordinate key server ------------------------------------------------------------------------------------------


class SubordinateLife(KeyServerLife):
    """A subordinate that is killed again and again, behind a primary that stays; its first member stays, its second comes
    and goes."""

    def __init__(self, story, name: str, resident: str, guest: str):
        super().__init__(story, [story.members[resident]], guest, None)
        self.daemon = story.subs[name]

    def _serving(self) -> None:
        """It has registered with its primary again."""
        sub = self.daemon
        born = max(i for i, e in enumerate(sub.events) if e.get("event") == "ready")
        await_event(sub, sub, "joined", since=born)

    def cycle(self) -> None:
        sub = self.daemon
        self._serving()
        for _ in range(2):
            mark = sub.mark()
            self.s.keys.control("rekey", GROUP)
            await_event(sub, sub, "rekeyed", since=mark)
        self._guest("join", "joined")
        self._guest("leave", "left")

    def check(self) -> None:
        self._serving()
        heard = max([self.sequence] + [e["sequence"] for d in self.residents for e in d.find("rekeyed")])
        status = self.daemon.control("status")["groups"][0]
        need(status["sequence"] >= heard, f"the Sequence ID went back from {heard} to {status['sequence']}")
        for _ in range(40):
            marks = {d: d.mark() for d in self.residents}
            self.s.keys.control("rekey", GROUP)
            handle = self.s.keys.control("status")["groups"][0]["gtpk_handle"]
            wait_all(self.residents, "rekeyed", marks=marks)
            if all(k["handle"] == handle for d in self.residents for k in d.control("status")["keys"] if k["state"] == "current"):
                break
        for d in self.residents:
            need(any(k["handle"] == handle for k in d.control("status")["keys"]), f"{d.name} has not the key of the group")
            again = d.find("joined", since=self.marks[d]) + d.find("stale", since=self.marks[d])
            need(not again, f"{d.name} had to do something: {again}")
        self.sequence = self.daemon.control("status")["groups"][0]["sequence"]
