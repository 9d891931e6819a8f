# SPDX-License-Identifier: BSD-2-Clause
"""A catalogue of wrong messages, each with the rule it breaks and what must follow.

    python3 -m msec_scapy.misbehave --list
    python3 -m msec_scapy.misbehave --run NAME --server ADDRESS ... (as msec_scapy.member)

Entries of role `member` are sent to a key server, those of role `server` to a
member. In Terse Mode a key server says nothing to any of them; in Verbose Mode
it answers a bad RTJ with RTJ-Err and `notify`. A member answers a bad Key
Download with a KeyDL-A/F (NACK, or `notify` in Verbose Mode) and never answers
a bad Rekey Event. Nobody changes state.
"""
import argparse
import json
import sys

from . import message
from . import registry as reg
from .refusal import Refusal
from .wrong import CATALOGUE
from .wrong.entry import NACK, RTJ_ERR, SILENCE, Misbehaviour  # noqa: F401


def find(name, role=None):
    for entry in CATALOGUE:
        if entry.name == name and role in (None, entry.role):
            return entry
    raise KeyError(f"no misbehaviour {name!r} for a {role or 'peer'}")


# --------------------------------------------------------------------- runner

def run(entry, runner, listen=2.0, hold=lambda: None, credentials=None, over=lambda: False, tries=1):
    """Send one entry of role member through a net.MemberRunner. What came back, as a dict.

    `credentials` is what entries sign with that want other ones than the member's own.
    `hold` is called between the honest exchange and the replay of entries that repeat.
    `over`: who sees the victim may say that it has done with the message; so long, `listen` seconds at most, is waited for
    an answer. `tries`: how often the wrong message is sent within that time, where the network may lose one.

    What was refused is judged by what came, not by what we made of it: who answers a wrong request with keys that we cannot
    open, or with a departure that we do not believe, has taken it."""
    gm = entry.arm(runner.member, credentials)
    seen, came, since = [], [], [0, 0]
    honest, take = gm.on_event, gm.receive

    def receive(octets, now):
        came.append(octets)
        try:
            return take(octets, now)
        except (TypeError, ValueError, IndexError) as e:  # with a request like ours there may be nothing to compute a nonce from
            gm.event("unreadable", text=str(e))
            return []
    gm.receive = receive

    def on_event(event):
        seen.append(event)
        honest(event)
    gm.on_event = on_event
    before = runner.over

    def listen_only():
        runner.tries, runner.timeout = tries, listen / tries
    if entry.exchange == reg.X_RTJ and not entry.repeat:  # before others there is a join as it should be, which may take its time
        listen_only()
    # A Request to Join Error, which anybody can send, does not end a join; here nothing else is to come.
    runner.over = lambda: over() or any(e["event"] in ("rtj-error", "refused") for e in seen[since[1]:])
    joined = runner.join()
    listen_only()
    if joined and entry.exchange in (reg.X_RTD, reg.X_DA):
        since[:] = len(came), len(seen)
        runner.leave()
    if entry.repeat:
        hold()
        since[0] = len(came)
        del seen[:]
        runner.send(gm.rtj)
        gm.state = "joining"
        runner.run(listen, lambda: gm.state != "joining")
    runner.over, gm.receive = before, take
    answers = [e["exchange"] for e in seen if e["event"] == "received"]
    errors = [e["notify_name"] for e in seen if e["event"] == "rtj-error"]
    if entry.exchange == reg.X_RTJ:
        refused = _no_keys(came[since[0]:], came[:since[0]])
    elif entry.exchange == reg.X_RTD and joined:
        refused = _still_in(came[since[0]:], gm.dialect)
        errors += [e["event"] for e in seen if e["event"] == "depart-error"]
    else:
        refused = None  # only the key server can tell
    return {**entry.as_dict(), "answers": answers, "errors": errors, "refused": refused}


def _exchange_of(octets):
    try:
        return octets[message.frame(octets)[1] + 2]
    except Refusal:
        return None


def _no_keys(came, before):
    """Whether no Key Download is among what came; None: one that had come before, which may be sent again to who may have lost it."""
    downloads = [o for o in came if _exchange_of(o) == reg.X_KEYDL]
    return True if not downloads else None if all(o in before for o in downloads) else False


def _still_in(came, dialect):
    """Whether no departure was confirmed; None: a Departure Response came that cannot be read."""
    says = set()
    for octets in (o for o in came if _exchange_of(o) == reg.X_DR):
        try:
            says.add(message.parse(octets, dialect).notify().notify)
        except (Refusal, AttributeError):
            says.add(None)
    return False if reg.N_DEPARTED in says else None if says - {reg.N_DEPART_ERROR} else True


def main(argv=None):
    p = argparse.ArgumentParser(prog="msec_scapy.misbehave", add_help=False,
                                description="Wrong messages by name.")
    p.add_argument("--list", action="store_true")
    p.add_argument("--json", action="store_true", help="with --list: one object a line")
    p.add_argument("--role", choices=("member", "server"))
    p.add_argument("--run", metavar="NAME")
    p.add_argument("--listen", type=float, default=2.0, help="seconds to wait for an answer")
    a, rest = p.parse_known_args(argv)
    if a.run:
        from . import cli
        runner = cli.member_runner(rest)
        try:
            result = run(find(a.run, "member"), runner, a.listen)
        finally:
            runner.close()
        print(json.dumps(result))
        return 0 if result["refused"] is not False else 1
    for entry in CATALOGUE:
        if a.role in (None, entry.role):
            print(json.dumps(entry.as_dict()) if a.json else
                  f"{entry.name:26} {entry.role:7} {entry.req:24} {entry.text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
