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

from . import BUILD, TOP, LabError, sandbox
from .process import PATIENCE
from .tell import Teller

VICTIM = {"gcks": "member", "gm": "server"}  # who is attacked: the role of the attacker
REACTION = {"silence": "says nothing and changes nothing", "rtj-err": "answers with a Request to Join Error and changes nothing",
            "nack": "answers with a negative Key Download Ack/Failure, and installs no key"}
LISTEN = 2.0  # seconds that an answer of somebody else may take


def options(p: argparse.ArgumentParser) -> argparse.ArgumentParser:
    p.add_argument("name", nargs="?", default="", help="of the misbehaviour; without one all are listed")
    p.add_argument("--list", action="store_true", help="list them, as without a name")
    p.add_argument("--against", choices=sorted(VICTIM), help="list or attack key servers, or members")
    p.add_argument("--verbose-mode", action="store_true", help="in a group of Verbose Mode")
    p.add_argument("--json", action="store_true")
    far = p.add_argument_group("against any implementation")
    far.add_argument("--target", help="ADDRESS:PORT of the key server that is attacked")
    far.add_argument("--listen", help="ADDRESS:PORT where a member that is attacked will ask to join")
    far.add_argument("--announcement", type=Path, help="the group's announcement")
    far.add_argument("--key", type=Path, help="our private key, PEM")
    far.add_argument("--cert", type=Path, help="our certificate and what leads to the root, PEM")
    far.add_argument("--roots", type=Path, help="the root certificates, PEM")
    far.add_argument("--owner", type=Path, help="the Group Owner's certificate, PEM")
    far.add_argument("--token", type=Path, help="the signed policy token (with --listen)")
    far.add_argument("--interface", help="where multicast goes (with --listen)")
    far.add_argument("--seconds", type=float, default=60, help="how long to wait for the member (with --listen)")
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
        return 0 if told["refused"] is not False else 1
    tell = Teller()
    tell.title(f"{entry.name}: {entry.text}")
    for n, octets in enumerate(told["sent"], 1):
        print(f"\nSent{f' ({n})' if len(told['sent']) > 1 else ''}, {len(octets)} octets:\n")
        print("\n".join("    " + line for line in dissected(octets, where).splitlines()))
    if not told["sent"]:
        print("\nNothing was sent: the exchange did not come so far.")
    print("\nWhat that breaks:")
    for row, text in told["rows"].items():
        print(f"  {row}: {text}")
    print(f"\nA conforming peer {REACTION[told['expected']]}.")
    print("\nWhat happened:")
    for line in told["seen"]:
        print(f"  {line}")
    print({True: "\nRefused, as it has to be.", False: "\nTHE VICTIM DID NOT REFUSE IT.",
           None: "\nWhether it was refused cannot be seen from here."}[told["refused"]])
    return 0 if told["refused"] is not False else 1


def recording(peer, entry) -> list:
    """What a peer sends in the entry's exchange from now on."""
    sent, build = [], peer.build

    def listening(exchange, *args, **kw):
        octets = build(exchange, *args, **kw)
        if exchange == entry.exchange:
            sent.append(octets)
        return octets
    peer.build = listening
    return sent


def in_words(event: dict) -> str:
    from msec_scapy import registry as reg
    skip = ("t", "mono_ms", "event", "group", "peer", "role", "time", "address")
    text = f"at octet {event['offset']} of {event.get('field')}" if event["event"] == "refused" and "offset" in event else ""
    notify = f", {reg.NOTIFY.name(event['notify'])}" if isinstance(event.get("notify"), int) else ""
    if event["event"] == "refused":
        return f"refused: {event.get('req')} {text}{notify}"
    return event["event"] + " " + " ".join(f"{k}={v}" for k, v in event.items() if k not in skip and v not in ("", None))


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
        server.until(lambda k: any(e["event"] in ("nack", "departure-failed") for e in ground.events[seen:]), LISTEN / 4)
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


# ------------------------------------------------------------------- anybody else

def far(entry, a) -> int:
    from msec_scapy import announcement, cli
    need = ["announcement", "key", "cert", *(["token"] if a.listen else [])]
    missing = [n for n in need if getattr(a, n) is None]
    if missing:
        raise LabError("an attack on another implementation needs --" + ", --".join(missing))
    if (entry.role == "member") != bool(a.target):
        raise LabError(f"{entry.name} attacks a {'key server: --target' if entry.role == 'member' else 'member: --listen'}")
    try:
        said = announcement.parse(a.announcement.read_text())
    except ValueError as e:
        raise LabError(f"{a.announcement}: {e}") from e
    return (far_gcks if a.target else far_gm)(entry, a, said, cli)


def _peer(a, said):
    """Arguments and keywords of a Python peer."""
    from msec_scapy import dialect, party, pkix
    owner = pkix.load_certificates(a.owner)[0] if a.owner else None
    group = party.Group(said.group_id, said.group_type, said.suite, dialect.STRICT, owner)
    events = []
    return (group, party.Credentials.from_files(a.key, a.cert), pkix.Trust.from_files([a.roots] if a.roots else [])), events


def _registers(a, said, cli) -> str:
    """Whether a right registration succeeds there: empty, or why not."""
    from msec_scapy import member, net
    args, events = _peer(a, said)
    gm = member.Member(*args, on_event=events.append)
    try:
        runner = net.MemberRunner(gm, cli.endpoint(a.target), said.transport, timeout=LISTEN)
    except OSError as e:
        return str(e)
    try:
        if runner.join():
            return ""
    except OSError as e:
        return str(e)
    finally:
        runner.close()
    if a.owner is None and any(e["event"] == "received" and e["exchange"] == "KeyDL" for e in events):
        return ""  # it serves us; whose token that is cannot be said without its Group Owner
    seen = [in_words(e) for e in events if e["event"] != "sent"]
    return "; ".join(seen) or f"no answer from {a.target}"


def far_gcks(entry, a, said, cli) -> int:
    """A right registration comes first: silence proves nothing where nobody, or somebody else, is at home; and another one
    afterwards."""
    from msec_scapy import member, misbehave, net
    if entry.credentials:
        print(f"lab: {entry.name} is about a certificate of kind {entry.credentials!r}; the one of --cert is taken for that, and "
              f"whether anybody is served there has not been tried", file=sys.stderr)
    else:
        why = _registers(a, said, cli)
        if why:
            raise LabError(f"a right registration does not succeed, so there is nothing to attack: {why}")
    args, events = _peer(a, said)
    gm = member.Member(*args, on_event=events.append)
    runner = net.MemberRunner(gm, cli.endpoint(a.target), said.transport, timeout=LISTEN)
    sent = recording(gm, entry)
    try:
        result = misbehave.run(entry, runner, LISTEN)
    finally:
        runner.close()
    seen = [in_words(e) for e in events if e["event"] != "sent"] or ["nothing came back"]
    told = {"sent": sent, "seen": seen, "refused": result["refused"], "expected": entry.reaction(said.suite.terse)}
    if not entry.credentials:
        why = _registers(a, said, cli)
        told["afterwards"] = not why
        seen.append("a right registration succeeds afterwards" if not why else
                    f"no right registration succeeds afterwards: {why}")
        if why:
            told["refused"] = False
    return report(entry, told, _scratch(), a.json)


def _scratch() -> Path:
    where = BUILD / "attack"
    where.mkdir(parents=True, exist_ok=True)
    return where


def far_gm(entry, a, said, cli) -> int:
    """Serve the group, wrongly, until the member has had its chance."""
    from msec_scapy import keyserver, net
    from msec_scapy import registry as reg
    args, events = _peer(a, said)
    server = keyserver.KeyServer(*args, token=a.token.read_bytes(), now=time.time(), on_event=events.append,
                                 options=keyserver.Options(timeout=3600))
    address, port = cli.endpoint(a.listen)
    runner = net.KeyServerRunner(server, address, port, said.multicast, a.interface)
    if entry.exchange == reg.X_KEYDL:
        entry.arm(server)
    sent = recording(server, entry)
    print(f"lab: waiting up to {a.seconds:.0f} s for a member at {a.listen}", file=sys.stderr, flush=True)

    def acknowledged():
        return any(m.acknowledged for m in server.members.values())
    try:
        runner.run(a.seconds, lambda: sent or acknowledged())
        if not sent and acknowledged():
            entry.arm(server)
            if entry.exchange == reg.X_REKEY:
                again = server.renew(time.time())
                runner.send([*again, *again] if entry.repeat else again)
            elif entry.exchange == reg.X_LOA:
                runner.send([server.lack_of_ack(server.concluded[n], time.time()) for n in server.members])
            else:
                print("lab: now let the member leave", file=sys.stderr, flush=True)
                runner.run(a.seconds, lambda: bool(sent))
        answers = {reg.X_KEYDL: ("nack", "acknowledged"), reg.X_DR: ("departure-failed", "departed")}.get(entry.exchange)
        runner.run(a.seconds if answers else LISTEN, lambda: answers and any(e["event"] in answers for e in events))
    finally:
        runner.close()
    nack = [e for e in events if e["event"] in ("nack", "departure-failed")]
    good = [e for e in events if e["event"] in ("acknowledged", "departed")]
    refused = True if nack else False if good and entry.exchange in (reg.X_KEYDL, reg.X_DR) else None
    seen = [in_words(e) for e in events if e["event"] != "sent"] or ["nobody came"]
    return report(entry, {"sent": sent, "seen": seen, "refused": refused, "expected": entry.reaction(said.suite.terse)},
                  _scratch(), a.json)


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
            print(json.dumps([e.as_dict() for e in misbehave.CATALOGUE if a.against in (None, _victim(e))], indent=1))
        else:
            show_list(a.against)
            from .gdoi_attack import show_list as show_gdoi
            print()
            show_gdoi(a.against)
        return 0
    try:
        entry = misbehave.find(a.name)
    except KeyError:
        raise LabError(f"no misbehaviour {a.name!r}; ./lab attack lists them") from None
    if a.against not in (None, _victim(entry)):
        raise LabError(f"{a.name} is done to a {_victim(entry)}, not to a {a.against}")
    if a.target or a.listen:
        return far(entry, a)
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
