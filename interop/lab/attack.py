# SPDX-License-Identifier: BSD-2-Clause
"""./lab attack: one wrong message, by hand, and what it comes to.

Without a target the victim is a daemon of the suite, in a small network of its own; with one it is whatever listens
there, reached through the network as it is.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from . import BUILD, TOP, LabError, gsakmp_far, sandbox
from .gsakmp_far import in_words, recording
from .process import PATIENCE
from .tell import Teller

VICTIM = {"gcks": "member", "gm": "server"}  # who is attacked: the role of the attacker
REACTION = {"silence": "says nothing and changes nothing", "rtj-err": "answers with a Request to Join Error and changes nothing",
            "nack": "answers with a negative Key Download Ack/Failure, and installs no key"}


def options(p: argparse.ArgumentParser) -> argparse.ArgumentParser:
    p.add_argument("name", nargs="?", default="", help="of the misbehaviour; without one all are listed; far away also an exchange "
                   f"(RTJ, KeyDL, Rekey-Event, ...), or {gsakmp_far.ALL} for all that are known")
    p.add_argument("--list", action="store_true", help="list them, as without a name")
    p.add_argument("--against", choices=sorted(VICTIM), help="list or attack key servers, or members")
    p.add_argument("--verbose-mode", action="store_true", help="in a group of Verbose Mode")
    p.add_argument("--json", action="store_true")
    far = p.add_argument_group("against any implementation")
    gsakmp_far.arguments(far)
    return p


# ---------------------------------------------------------------------- telling

def rules(entry) -> list:
    """(row id, what it asks for) of all rows that an entry breaks."""
    from requirements import ledger
    rows = ledger.load()
    return [(r, rows[r].requirement) for r in entry.rows]


def dissected(octets: bytes, where: Path) -> str:
    """A message field by field: by tshark and the project's dissector, or by scapy where there is no tshark."""
    from scapy.layers.inet import IP, UDP
    from scapy.utils import wrpcap
    lua, pcap = TOP / "interop/wireshark/gsakmp.lua", where / "sent.pcap"
    wrpcap(str(pcap), [IP(src="192.0.2.1", dst="192.0.2.2") / UDP(sport=49152, dport=3761) / octets])
    if shutil.which("tshark"):
        r = subprocess.run(["tshark", "-X", f"lua_script:{lua}", "-r", str(pcap), "-V", "-O", "gsakmp"], capture_output=True, text=True)
        _, found, text = r.stdout.partition("Group Secure")
        if r.returncode == 0 and found:
            return "\n".join(_without_certificates((found + text).rstrip().splitlines()))
    from msec_scapy.gsakmp import GSAKMP
    return GSAKMP(octets).show(dump=True).rstrip()


def _without_certificates(lines: list):
    """What is inside a certificate is longer than everything else, and beside the point."""
    inside = None
    for line in lines:
        depth = len(line) - len(line.lstrip())
        if inside is not None and depth > inside:
            continue
        inside = depth if line.strip() == "PKIX CERT File Format" else None
        if inside is None:
            yield line


def show_list(against: str) -> None:
    from msec_scapy import misbehave
    from msec_scapy import registry as reg
    for victim, role in VICTIM.items():
        if against not in (None, victim):
            continue
        print(f"Against {victim}, by a {'member' if role == 'member' else 'key server'}:\n")
        last = None
        for e in misbehave.CATALOGUE:
            if e.role == role:
                if e.exchange != last:
                    print(f"  {reg.EXCHANGE.name(e.exchange)}")
                last = e.exchange
                print(f"    {e.name:28} {e.req:22} {e.text}")
        print()
    print("./lab attack NAME does one of them.")


def report(entry, told: dict, where: Path, as_json: bool) -> int:
    if entry.repeat:
        told["sent"] = 2 * told["sent"]
    told = {"name": entry.name, "text": entry.text, "rows": dict(rules(entry)), **told}
    if as_json:
        print(json.dumps({**told, "sent": [o.hex() for o in told["sent"]]}, indent=1))
        return _status(told)
    tell, tried = Teller(), told.get("tried", True)
    tell.title(f"{entry.name}: {entry.text}")
    for n, octets in enumerate(told["sent"], 1):
        print(f"\nSent{f' ({n})' if len(told['sent']) > 1 else ''}, {len(octets)} octets:\n")
        print("\n".join("    " + line for line in dissected(octets, where).splitlines()))
    if not told["sent"]:
        print("\nNothing was sent" + (": the exchange did not come so far." if tried else "."))
    print("\nWhat that breaks:")
    for row, text in told["rows"].items():
        print(f"  {row}: {text}")
    print(f"\nA conforming peer {REACTION[told['expected']]}.")
    print("\nWhat happened:")
    for line in told["seen"]:
        print(f"  {line}")
    print("\nIt was not tried." if not tried else
          {True: "\nRefused, as it has to be.", False: "\nTHE VICTIM DID NOT REFUSE IT.",
           None: "\nWhether it was refused cannot be seen from here."}[told["refused"]])
    if told.get("alive") is False:
        print("NOTHING RIGHT WORKS AFTERWARDS.")
    return _status(told)


def _status(told: dict) -> int:
    return 0 if told["refused"] is not False and told.get("alive") is not False else 1


# ------------------------------------------------------------- the suite's daemons

def against_gcks(ground, entry, verbose: bool) -> dict:
    from msec_scapy import misbehave
    from msec_scapy.testing import forger
    daemon = ground.daemon = ground.gcks()
    name = forger.fresh_name(ground)
    runner = ground.member(name, "evil", rekeys=False, credentials=forger.of_candidate(ground, entry, name))
    sent, mark = recording(runner.member, entry), daemon.mark()
    result = misbehave.run(entry, runner, PATIENCE, lambda: daemon.wait("member-active", since=mark),
                           forger.of_forger(ground, entry, name), lambda: forger.done_with_it(daemon, mark))
    refused = wait_refusal(daemon, mark)
    seen = [f"gsakmp-gcks: {in_words(e)}" for e in daemon.events[mark:] if e["event"] != "message"]
    seen += [f"it answered with {a}" for a in result["answers"]] or ["it answered nothing"]
    return {"sent": sent, "seen": seen, "refused": bool(refused), "expected": entry.reaction(not verbose)}


def wait_refusal(daemon, mark: int):
    try:
        return daemon.wait("refused", since=mark)
    except LabError:
        return None


def against_gm(ground, entry, verbose: bool) -> dict:
    from msec_scapy import registry as reg
    from msec_scapy.testing import forger
    from msec_scapy.testing.ground import serving
    with serving(ground.key_server(timeout=3600)) as server:
        name = forger.fresh_name(ground)
        gm = ground.gm(name)
        if entry.exchange != reg.X_KEYDL:
            gm.control("join")
            gm.wait("joined")
            server.until(lambda k: all(m.acknowledged for m in k.members.values()))
        server.arm(entry, forger.of_forger(ground, entry, "keys"))
        sent, mark, seen = recording(server.server, entry), gm.mark(), len(ground.events)
        provoke(server, gm, entry)
        refused = wait_refusal(gm, mark)
        server.until(lambda k: any(e["event"] in ("nack", "departure-failed") for e in ground.events[seen:]), gsakmp_far.LISTEN / 4)
        lines = [f"gsakmp-gm: {in_words(e)}" for e in gm.events[mark:] if e["event"] != "message"]
        lines += [f"the key server: {in_words(e)}" for e in ground.events[seen:] if e["event"] != "sent"] or ["it answered nothing"]
        return {"sent": sent, "seen": lines, "refused": bool(refused), "expected": entry.reaction(not verbose)}


def provoke(server, gm, entry) -> None:
    """Make the key server send what the entry makes wrong."""
    from msec_scapy import registry as reg
    if entry.exchange == reg.X_KEYDL:
        gm.control("join")
    elif entry.exchange == reg.X_DR:
        gm.control("leave")
    elif entry.exchange == reg.X_LOA:
        server.do(lambda k: [k.lack_of_ack(k.concluded[n], time.time()) for n in k.members])
    elif entry.repeat:
        again = server.renew()
        gm.wait("rekeyed")
        server.send(again)
    else:
        server.renew()


def near(entry, a) -> int:
    """Inside the sandbox, in a network of its own."""
    from msec_scapy.testing.ground import Ground
    where = BUILD / "attack"
    shutil.rmtree(where, ignore_errors=True)
    where.mkdir(parents=True)
    kind = "dsa" if "-dh-" in entry.name else "ecdsa"  # degenerate Diffie-Hellman values need a MODP group
    with Ground(where, "a-", kind=kind, terse=not a.verbose_mode, timestamp=entry.timestamp) as ground:
        told = (against_gcks if entry.role == "member" else against_gm)(ground, entry, a.verbose_mode)
        for d in ground.daemons:
            d.finish()
    if not a.json:
        print(f"Configuration, logs and events of the victim are in {os.path.relpath(where)}.")
    return report(entry, told, where, a.json)


# --------------------------------------------------------------------------- main

def run(a, argv: list, build) -> int:
    """`build` makes the daemons, should they be needed."""
    from msec_scapy import misbehave
    from msec_scapy.gdoi import misbehave as gdoi
    if a.list and a.name:
        raise LabError("--list goes without a name")
    if a.name in {e.name for e in gdoi.CATALOGUE}:
        build()
        return sandbox.run([sys.executable, "-m", "lab.gdoi_attack", a.name, *(["--json"] if a.json else [])])
    if not a.name:
        if a.json:
            print(json.dumps([{**e.as_dict(), "protocol": p} for p, c in (("gsakmp", misbehave.CATALOGUE), ("gdoi", gdoi.CATALOGUE))
                              for e in c if a.against in (None, _victim(e))], indent=1))
        else:
            show_list(a.against)
            from .gdoi_attack import show_list as show_gdoi
            print()
            show_gdoi(a.against)
        return 0
    if a.target or a.listen:
        return gsakmp_far.run(a, report)
    if a.name == gsakmp_far.ALL or a.name in gsakmp_far.kinds():
        raise LabError(f"{a.name} is many attacks, and they are for --target or --listen; the suite's own daemons get them in ./lab test")
    try:
        entry = misbehave.find(a.name)
    except KeyError:
        raise LabError(f"no misbehaviour {a.name!r}; ./lab attack lists them") from None
    if a.against not in (None, _victim(entry)):
        raise LabError(f"{a.name} is done to a {_victim(entry)}, not to a {a.against}")
    build()
    return sandbox.run([sys.executable, "-m", "lab.attack", *argv])


def _victim(entry) -> str:
    return next(v for v, role in VICTIM.items() if role == entry.role)


if __name__ == "__main__":
    from msec_scapy import misbehave as _catalogue
    _args = options(argparse.ArgumentParser()).parse_args()
    try:
        sys.exit(near(_catalogue.find(_args.name), _args))
    except LabError as e:
        print(f"lab: {e}", file=sys.stderr)
        sys.exit(e.status)
