# SPDX-License-Identifier: BSD-2-Clause
"""./lab attack NAME --target ADDRESS[:PORT] | --listen ADDRESS[:PORT]: wrong GDOI messages against anybody's key server or
member, reached through the network as it is.

A right exchange is tried first, or a refusal would prove nothing; and another one afterwards, which finds a victim that
did not survive.  NAME may be a kind of messages: phase1, pull, push, ack, pull-2 and so on, or gdoi for all of them.
"""
import argparse
import contextlib
import ipaddress
import json
import socket
import subprocess
import sys
import time

from msec_scapy.gdoi import check, cli, isakmp, keylog, misbehave, net
from msec_scapy.gdoi import gm as members
from msec_scapy.gdoi import numbers as n
from msec_scapy.gdoi.phase1 import Hooks
from msec_scapy.gdoi.refusal import Refusal

from . import LabError, verdicts

ALL = "gdoi"
KINDS = ("phase1", "pull", "push", "ack")
ASKED = {"phase1": ("phase1", "registered"), "pull": ("registered",), "ack": ("registered",)}
TRIES = 4  # of a message that is not answered


def meant(argv: list) -> bool:
    """Whether these words of ./lab attack are for this file."""
    far = any(w.partition("=")[0] in ("--target", "--listen") for w in argv)
    return far and any(w in KINDS or w == ALL or w in {e.name for e in misbehave.CATALOGUE} or
                       w in {e.where for e in misbehave.CATALOGUE} for w in argv)


def parser(target: bool) -> argparse.ArgumentParser:
    p = (cli.gm_parser if target else cli.gcks_parser)("attack", "One wrong GDOI message, or all of a kind, and what it comes to.")
    p.prog = "./lab attack"
    p.add_argument("name", help=f"of the misbehaviour; {', '.join(KINDS)} or {ALL} for many of them")
    p.add_argument("--json", action="store_true")
    next(o for o in p._actions if o.dest == "seconds").type = verdicts.seconds
    p.add_argument("--provoke", metavar="COMMAND", help="a shell command that makes the victim do its part: the key server send a "
                   f"rekey (ack-...), the member register; without it they are waited for, but with {ALL} the rekeys, which may "
                   "never come: what needs one is left out then")
    p.add_argument("--patience", type=verdicts.seconds, default=2 if target else 5, help="seconds that an answer may take")
    verdicts.option(p)
    if target:
        p.add_argument("--target", required=True, help="ADDRESS[:PORT] of the key server that is attacked")
    else:
        p.add_argument("--listen", required=True, help="ADDRESS[:PORT] where a member that is attacked will register")
        p.set_defaults(ack="kek-sha256")  # a member that acknowledges says what it takes
    return p


def chosen(name: str, role: str) -> list:
    """The entries of a name."""
    found = [e for e in misbehave.CATALOGUE if name in (e.name, e.where, e.where.partition("-")[0], ALL)]
    if found and all(e.role != role for e in found):
        raise LabError(f"{name} attacks a {'key server: --target' if role == 'server' else 'member: --listen'}")
    order = {"phase1": 0, "pull": 1, "push": 2, "ack": 2}  # the last ones want a member that is in the group
    return sorted((e for e in found if e.role == role), key=lambda e: order[kind(e)])


def kind(entry) -> str:
    return entry.where.partition("-")[0]


class Recording(misbehave.Armed):
    """What was sent wrongly is kept: the datagrams, and the payloads as layers."""

    def __init__(self, entry, sending=lambda: None):
        super().__init__(entry)
        self.sent, self.layers, self.sending = [], [], sending

    def payloads(self, where, layers):
        layers = super().payloads(where, layers)
        if where == self.entry.where:
            self.layers = layers
        return layers

    def datagram(self, where, octets):
        octets = super().datagram(where, octets)
        if where == self.entry.where:
            if not self.sent:
                self.sending()
            self.sent.append(octets)
        return octets


def provoke(a) -> None:
    if a.provoke:
        done = subprocess.run(a.provoke, shell=True, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)
        if done.returncode:
            raise LabError(f"{a.provoke!r} failed with {done.returncode}")


def wanted(a, text: str) -> None:
    if not a.provoke:
        print(f"lab: waiting up to {a.seconds:.0f} s for {text}", file=sys.stderr, flush=True)


def words(event: str, fields: dict) -> str:
    """What our peer has to tell; what is refused is what the victim sent."""
    return " ".join(["what it sent is refused:" if event == "refused" else event, *(f"{k}={v}" for k, v in fields.items() if v not in (None, "", []))])


def told_of(events: list) -> list:
    return verdicts.brief(words(*e) for e in events)


def ends(event: str, fields: dict) -> bool:
    """Whether this says that an exchange comes to nothing.  A notification may also tell of what is in order."""
    return event in ("not-registered", "phase1-deleted") or event == "notified" and fields["error"]


def moved_on(events: list) -> bool:
    """The key server has other keys by now than those that it offered in this very registration: one asks again."""
    return any((e, f.get("notify")) == net.OVERTAKEN for e, f in events)


def told(entry, hooks, seen: list, refused, alive, afterwards=(), answered=False) -> dict:
    """`afterwards` is what the victim made of the right exchange that tells whether it is `alive`; `answered`: it did not
    refuse in silence."""
    from requirements import ledger
    rows = ledger.load()
    return {**entry.as_dict(), "rows": {r: rows[r].requirement for r in entry.rows}, "sent": [o.hex() for o in hooks.sent],
            "payloads": [p.show(dump=True) for p in hooks.layers] if hooks.sent else [], "seen": seen, "refused": refused,
            "alive": alive, "afterwards": list(afterwards), "answered": answered, "tried": True}


def needs_rekey(entry, a) -> bool:
    """Whether this cannot be tried before the key server sends a rekey, and nothing says when that will be."""
    return kind(entry) == "ack" and not a.provoke


def own_address(a):
    """What acknowledgements say where they come from: who is bound to any address has the one on the way there."""
    if ipaddress.ip_address(a.bind) not in (ipaddress.ip_address("0.0.0.0"), ipaddress.ip_address("::")):
        return None
    place = cli.endpoint_of(a.target)
    try:
        with socket.socket(socket.AF_INET6 if ":" in place[0] else socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect(place)
            return s.getsockname()[0]
    except OSError:
        return None  # which the first right exchange says


def left_out(entry, why: str) -> dict:
    return {**told(entry, Recording(entry), [f"not tried: {why}"], None, None), "tried": False}


# -------------------------------------------------------------------- a key server

class KeyServer:
    """One that we register with.  It may be slow: what is wrong has twice the time that the slowest right exchange took."""

    def __init__(self, a):
        self.a, self.said, self.broken, self.took, self.came, self.good = a, [], "", 0.0, [], None
        a.server, a.address = a.target, a.address or own_address(a)
        cli.config_of(a, keylog.Silent())  # what is wrong with it is said now

    def _exchange(self, asked: tuple, hooks=None, then=lambda runner, over: None) -> list:
        """Phase 1 and a registration, as far as one of these events, an end that the key server puts to it, or the wrong
        message; `then` goes on from there. All of its events: what belongs to an earlier exchange ends none."""
        events, self.came = [], []
        runner = cli.member_runner(self.a, lambda name, **f: events.append((name, f)), keylog.Silent())
        take = runner.member.receive

        def receive(octets, *rest):
            self.came.append((octets, bool(hooks and hooks.sent)))
            return take(octets, *rest)
        runner.member.receive = receive
        over = lambda: any(e in asked or ends(e, f) for e, f in events)
        try:
            runner.member.config.hooks = hooks or Hooks()
            runner.timeout, runner.tries = self.a.patience, TRIES
            runner.register(lambda: over() or bool(hooks and hooks.sent))
            then(runner, over)
            runner.leave()
        finally:
            runner.close()
        return events

    def _settled(self, exchange) -> list:
        """The events of an exchange that a rekey did not come in between of: whoever was here before has left, and the
        key server may tell the others at any time."""
        for _ in range(TRIES):
            events = exchange()
            if not moved_on(events):
                break
        return events

    def right(self, entry) -> bool:
        """Whether an exchange without a fault comes as far as the wrong one may not."""
        asked = ASKED[kind(entry)]
        began = time.monotonic()
        events = self._settled(lambda: self._exchange(asked))
        if any(e in asked for e, _ in events):
            self.took = max(self.took, time.monotonic() - began)
        hint = "" if self.a.suite else "; it may want another --suite than the default"
        self.said = told_of(events) or [f"no answer from {self.a.target}{hint}"]
        self.broken = next((f["req"] for e, f in events if e == "refused" and f.get("req")), "")
        return any(e in asked for e, _ in events)

    def attack(self, entry) -> dict:
        self.good = self.right(entry)
        if not self.good:
            raise LabError("a right exchange does not succeed, so there is nothing to attack: " + "; ".join(self.said))
        events, hooks = self._wrong(entry)
        seen = told_of(events) or ["it answered nothing"]
        refused = self._refused(entry, hooks, events)
        answered = any(ends(e, f) for e, f in events)
        alive = self.right(entry)
        return told(entry, hooks, seen, refused, alive, self.said, answered)

    def _refused(self, entry, hooks, events: list):
        """By what came: who answers a wrong message with the next one has taken it, whatever we can make of that. Not in Main Mode
        before it is authenticated: one may look at a public value when the keys are needed."""
        if kind(entry) == "ack" or not hooks.sent:
            return None
        if any(e in ASKED[kind(entry)] for e, _ in events):
            return False
        wrong, before = hooks.sent[0], {o for o, after in self.came if not after}
        next_ones = [o for o, after in self.came if after and o not in before and len(o) >= 28 and o[:8] == wrong[:8] and
                     o[18] == (n.X_PULL if kind(entry) == "pull" else wrong[18]) and (kind(entry) != "pull" or o[20:24] == wrong[20:24])]
        return True if not next_ones else None if entry.where in ("phase1-1", "phase1-3") else False

    def _wrong(self, entry) -> tuple:
        """What happened, and what was sent."""
        then = self._acknowledge if kind(entry) == "ack" else self._answer
        made = []

        def exchange():
            made.append(Recording(entry))
            return self._exchange(ASKED[kind(entry)], made[-1], then)
        # A message 3 that comes too late for its offer is refused for that.
        return (self._settled(exchange) if entry.where in ("pull-3", "ack") else exchange()), made[-1]

    def _answer(self, runner, over) -> None:
        """Patience begins with the wrong message, which the network may lose."""
        patience = max(self.a.patience, 2 * self.took)
        if not runner.run(patience / 2, over):
            runner.send(runner.member.again())
            runner.run(patience / 2, over)

    def _acknowledge(self, runner, over) -> None:
        if runner.member.state != members.MEMBER:
            return
        wanted(self.a, "a rekey")
        hooks, said, came = runner.member.config.hooks, runner.member.event, []

        def event(name, **fields):
            came.append(name)
            said(name, **fields)
        runner.member.event = event
        provoke(self.a)
        # It is acknowledged when it is taken, or never.
        runner.run(self.a.seconds, lambda: hooks.sent or "rekeyed" in came)
        if not hooks.sent and "rekeyed" in came:
            event("no-acknowledgement", text="a rekey came, and its group wants none")
        runner.run(self.a.patience / 4)

    def close(self) -> None:
        pass


# ------------------------------------------------------------------------ a member

class Member:
    """One that registers with us."""

    def __init__(self, a):
        self.a, self.events, self.tap, self.rekeys, self.said, self.broken, self.good = a, [], [], set(), [], "", None
        a.bind, a.port = cli.endpoint_of(a.listen)
        self.runner = cli.key_server_runner(a, lambda name, **f: self.events.append((name, f)), keylog.Silent())
        self.server = self.runner.server
        self.group = next(iter(self.server.groups.values()))
        take = self.server.receive

        def receive(octets, *rest):
            self.tap.append(octets)
            return take(octets, *rest)
        self.server.receive = receive

    def _until(self, holds, seconds: float) -> bool:
        return self.runner.run(seconds, holds)

    def _push(self) -> None:
        members = list(self.group.members.values())
        self.runner.push(self.group, self.server.rekey_teks(self.group, time.time()), members=members)

    def _acknowledges(self) -> bool:
        """Whether a right rekey is acknowledged. Who has just joined the multicast group may not hear the first one, so there
        are several, each a new one: nobody has to obey a copy."""
        mark, first = len(self.events), self.group.seq + 1
        there = lambda: any(e == "acknowledged" and f["seq"] >= first for e, f in self.events[mark:])
        for part in (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2):
            self._push()
            self.rekeys.add(self.group.seq)
            if self._until(there, part * self.a.patience):
                return True
        return False

    def _acknowledged(self, at: int, late: set) -> bool:
        """Whether something was since, besides right rekeys whose acknowledgements have taken their time."""
        late = set(late)
        for octets in (o for o in self.tap[at:] if len(o) >= 28 and o[18] == n.X_ACK):
            try:
                seq = check.message(octets, self.server.dialect).one(n.P_SEQ).value
            except (Refusal, AttributeError):
                return True
            if seq not in late:
                return True
            late.remove(seq)
        return False

    def right(self, entry) -> bool:
        """Whether it comes, or comes back, and goes as far as the right exchange does."""
        mark, asked = len(self.events), ASKED["phase1" if kind(entry) == "phase1" else "pull"]
        if kind(entry) == "phase1":
            self._end_phase1()
        provoke(self.a)
        wanted(self.a, f"a right exchange with the member at {self.a.listen}")
        there = self._until(lambda: any(e in asked for e, _ in self.events[mark:]), self.a.seconds)
        self.said = told_of(self.events[mark:]) or [f"nobody came to {self.a.listen} within {self.a.seconds:.0f} s"]
        self.broken = next((f["req"] for e, f in self.events[mark:] if e == "refused" and f.get("req")), "")
        return there

    def attack(self, entry) -> dict:
        if entry.where == "push":
            return self._rekey(entry)
        if not self.a.provoke:
            return self._answer(entry)  # its one visit is for that; whether it does what is right is seen at the end
        if self.good is None:
            self.good = self.right(entry)
        if not self.good:
            raise LabError("a right exchange does not succeed, so there is nothing to attack: " + "; ".join(self.said))
        t = self._answer(entry)
        t["alive"] = self.right(entry) if t["sent"] else None
        t["afterwards"] = self.said if t["sent"] else []
        return t

    def _arm(self, hooks) -> None:
        self.server.config.hooks = hooks

    def _answer(self, entry) -> dict:
        """A wrong message of phase 1 or of a registration."""
        at = [0]
        hooks = Recording(entry, lambda: at.__setitem__(0, len(self.tap)))
        mark = len(self.events)
        if kind(entry) == "phase1":
            self._end_phase1()
        self._arm(hooks)
        try:
            provoke(self.a)
            wanted(self.a, f"a member at {self.a.listen}")
            if not self._until(lambda: bool(hooks.sent), self.a.seconds):
                return told(entry, hooks, self._seen(mark, len(self.tap)) or ["nobody came"], None, None)
            self._until(lambda: self._progress(entry, at[0]) or self._sign(entry, at[0]), self.a.patience)
        finally:
            self._arm(Hooks())
        refused = False if self._progress(entry, at[0]) else True
        if refused and entry.where in ("phase1-6", "pull-4") and not self._sign(entry, at[0]):
            refused = None
            if entry.where == "pull-4" and self.group.kek is not None and self.group.members and self._acknowledges():
                refused = False  # a rekey under keys that it ought not to have
        answered = any(len(o) >= 28 and o[18] == n.X_INFO for o in self.tap[at[0]:])
        return told(entry, hooks, self._seen(mark, at[0]), refused, None, answered=answered)

    def _after(self, entry, at: int) -> list:
        """What came after the wrong message: (octets, whether they had come before, whether they go on)."""
        ask = self.tap[at - 1]
        same = lambda o: o[:8] == ask[:8] and (kind(entry) == "phase1" or o[20:24] == ask[20:24])
        return [(o, o in self.tap[:at], same(o) and o[18] not in (n.X_INFO, n.X_ACK)) for o in self.tap[at:] if len(o) >= 28]

    def _progress(self, entry, at: int) -> bool:
        """It went on as if nothing were wrong."""
        return any(goes_on and not again for _, again, goes_on in self._after(entry, at))

    def _sign(self, entry, at: int) -> bool:
        """It says so, asks the same again, or begins anew."""
        return any(again or not goes_on for o, again, goes_on in self._after(entry, at) if o[18] != n.X_ACK)

    def _seen(self, mark: int, at: int) -> list:
        names = {n.X_INFO: "an Informational", n.X_PULL: "GROUPKEY-PULL", n.X_MAIN: "Main Mode", n.X_AGGRESSIVE: "Aggressive Mode",
                 n.X_ACK: "an acknowledgement"}
        raw = [f"{names.get(o[18], f'exchange {o[18]}')} came, {len(o)} octets" + (", once more" if o in self.tap[:at] else "")
               for o in self.tap[at:] if len(o) >= 28]
        return verdicts.brief(raw) + told_of(self.events[mark:])

    def _end_phase1(self) -> None:
        """The next phase 1 is a new one."""
        for sa in {id(s): s for s in self.server.sas.values()}.values():
            if sa.done and not sa.dead and sa.theirs:
                self.runner.main.sendto(sa.delete(), sa.theirs)
        self.server.sas.clear()

    def _rekey(self, entry) -> dict:
        if self.group.kek_policy is None:
            raise LabError("a group without a Rekey SA has no rekeys: --kek")
        if not self.group.members:
            provoke(self.a)
            wanted(self.a, f"a member at {self.a.listen}")
            if not self._until(lambda: bool(self.group.members), self.a.seconds):
                raise LabError(f"no member has registered at {self.a.listen}: "
                               + ("; ".join(told_of(self.events)) or "nobody came"))
        could = self._acknowledges()
        hooks, mark, at = Recording(entry), len(self.events), len(self.tap)
        late = self.rekeys - {f["seq"] for e, f in self.events if e == "acknowledged"}
        self._arm(hooks)
        try:
            taken = False
            for _ in range(2):  # the network may lose one
                self._push()
                taken = taken or self._until(lambda: self._acknowledged(at, late), self.a.patience / 2)
        finally:
            self._arm(Hooks())
        seen = self._seen(mark, at) or ["nothing came back"]
        if not could:
            seen.append("rekeys are not acknowledged by it, so what it made of this one cannot be seen")
        return told(entry, hooks, seen, False if taken else True if could else None, self._acknowledges() if could else None)

    def close(self) -> None:
        self.runner.close()


# --------------------------------------------------------------------------- main

VERDICT = {True: "Refused, as it has to be.", False: "THE VICTIM DID NOT REFUSE IT.",
           None: "Whether it was refused cannot be seen from here."}


def in_full(t: dict):
    yield f"{t['name']}: {t['text']}"
    if t["sent"]:
        yield f"\nSent, {len(t['sent'][0]) // 2} octets: {isakmp.ISAKMP(bytes.fromhex(t['sent'][0])).mysummary()}\n"
        for p in t["payloads"]:
            yield "\n".join("    " + line for line in p.rstrip().splitlines())
    else:
        yield "\nNothing was sent: the exchange did not come so far."
    yield "\nWhat that breaks:"
    for row, text in t["rows"].items():
        yield f"  {row}: {text}"
    yield "\nWhat happened:"
    for line in t["seen"]:
        yield "  " + line
    yield "\n" + VERDICT[t["refused"]]
    if t["alive"] is not None:
        yield "A right exchange works afterwards." if t["alive"] else "AFTERWARDS A RIGHT EXCHANGE DOES NOT WORK ANY MORE:"
        for line in () if t["alive"] else t["afterwards"]:
            yield "  " + line


def good(t: dict) -> bool:
    return t["refused"] is not False and t["alive"] is not False


def run(argv: list) -> int:
    target = any(w.partition("=")[0] == "--target" for w in argv)
    a = parser(target).parse_args(argv)
    verdicts.place(a.target if target else a.listen)
    found = chosen(a.name, "member" if target else "server")
    files = verdicts.paths(a.report)
    try:
        victim = (KeyServer if target else Member)(a)
    except ValueError as e:  # a suite, a group, a key
        raise LabError(str(e)) from e
    why, report = "", verdicts.Report(f"{'key server' if target else 'member'} at {a.target if target else a.listen}, GDOI")
    waiting = [e for e in found if target and needs_rekey(e, a)]
    if waiting and a.name == ALL:
        why = "it needs a rekey of the key server, which --provoke brings about"
        print(f"lab: {len(waiting)} of {len(found)} need a rekey of the key server and are left out: --provoke COMMAND makes it send one",
              file=sys.stderr, flush=True)
    elif waiting:
        print("lab: this needs a rekey of the key server; --provoke COMMAND makes it send one", file=sys.stderr, flush=True)
    with contextlib.closing(victim), report.written(files):
        for entry in found:
            t = left_out(entry, why) if why and entry in waiting else _attacked(victim, entry, report, target)
            if entry in waiting and not why and not t["sent"]:
                why = f"no rekey came within {a.seconds:.0f} s, and --provoke was not given"  # nor will one for the next
            report.add(t)
            if len(found) > 1 and not a.json:
                print(verdicts.line(t), flush=True)
            if t["alive"] is False:
                break
        unproven = [t for t in report.told if t["refused"] and t["alive"] is None]
        if unproven and not target:
            report.prove(victim.right(next(e for e in found if e.name == unproven[-1]["name"])))
    if a.json:
        print(json.dumps(report.told if len(found) > 1 else report.told[0], indent=1))
    elif len(found) == 1:
        print("\n".join(in_full(report.told[0])))
    else:
        print("\n".join(report.summary(why)))
    return 0 if all(good(t) for t in report.told) else 1


def _attacked(victim, entry, report, target: bool) -> dict:
    """A key server gets a right exchange first, each time."""
    try:
        t = victim.attack(entry)
    except LabError:
        if report.right is None and victim.good is not None:  # it may have been told to stop, or --provoke have failed
            report.rights(victim.good, victim.said, "" if victim.good else victim.broken)
        raise
    if target and report.right is None:
        report.rights(True, t["afterwards"] if t["alive"] else [])
    return t
