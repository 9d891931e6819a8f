# SPDX-License-Identifier: BSD-2-Clause
"""./lab attack NAME --target ADDRESS:PORT | --listen ADDRESS:PORT: wrong GSAKMP messages against anybody's key server or member,
reached through the network as it is.

A right registration comes first: silence proves nothing where nobody, or somebody else, is at home; and another one
afterwards, which finds a victim that did not survive.  NAME may be gsakmp for all of them, or an exchange (RTJ, KeyDL, ...).
"""
import json
import math
import subprocess
import sys
import time
from pathlib import Path

from . import BUILD, LabError, verdicts

ALL = "gsakmp"
LISTEN = 2.0  # seconds that an answer of somebody else may take
COMING = 60.0  # that a member may take to come
TRIES = 2  # of a wrong datagram, within the time of its answer: the network may lose one
FAULTS = {"expired": ("expired",), "not-yet-valid": ("not-yet-valid",), "revoked": ("", "revoked"), "wrong-usage": ("usage",),
          "wrong-root": ("unknown-root", "bad-signature"), "not-a-ca": ("not-a-ca",), "self-signed": ("unknown-root",),
          "stranger": ("",), "outsider": ("",), "rogue": ("",)}  # what is wrong with the path of a certificate of each kind


def kinds() -> set:
    from msec_scapy import misbehave
    from msec_scapy import registry as reg
    return {reg.EXCHANGE.name(e.exchange) for e in misbehave.CATALOGUE}


def chosen(name: str, role: str) -> list:
    """The entries of a name, or of an exchange; those that need a membership last."""
    from msec_scapy import misbehave
    from msec_scapy import registry as reg
    found = [e for e in misbehave.CATALOGUE if name in (e.name, reg.EXCHANGE.name(e.exchange), ALL)]
    if not found:
        raise LabError(f"no misbehaviour {name!r}; ./lab attack lists them")
    mine = [e for e in found if e.role == role]
    if not mine:
        raise LabError(f"{name} attacks a {'key server: --target' if found[0].role == 'member' else 'member: --listen'}")
    return sorted(mine, key=lambda e: (e.exchange not in (reg.X_RTJ, reg.X_KEYDL), reg.EXCHANGE.name(e.exchange)))


def arguments(far) -> None:
    far.add_argument("--target", help="ADDRESS:PORT of the key server that is attacked")
    far.add_argument("--listen", help="ADDRESS:PORT where a member that is attacked will ask to join")
    far.add_argument("--announcement", type=Path, help="the group's announcement")
    far.add_argument("--key", type=Path, help="our private key, PEM")
    far.add_argument("--cert", type=Path, help="our certificate and what leads to the root, PEM")
    far.add_argument("--roots", type=Path, help="the root certificates, PEM")
    far.add_argument("--owner", type=Path, help="the Group Owner's certificate, PEM")
    far.add_argument("--as", dest="others", action="append", default=[], metavar="KIND=KEY,CERT",
                     help="what attacks are signed with that are about a certificate of this kind: expired, not-yet-valid, revoked, "
                     "wrong-usage, wrong-root, not-a-ca, self-signed, stranger (not admitted by the policy), outsider (admitted, "
                     "too, and no member while this runs), rogue (not a key server of the policy); PEM files")
    far.add_argument("--dialect", default="", help="readings of the RFC, name=reading,name=reading (common/doc/choices.md)")
    far.add_argument("--token", type=Path, help="the signed policy token (with --listen)")
    far.add_argument("--interface", help="where multicast goes (with --listen)")
    far.add_argument("--seconds", type=verdicts.seconds, help="how long to wait for the member (with --listen: "
                     f"{COMING:.0f}), or for the answer to what is right (with --target: four times --patience, and after something wrong {COMING:.0f})")
    far.add_argument("--patience", type=verdicts.seconds, default=LISTEN, help="seconds that an answer may take")
    far.add_argument("--provoke", metavar="COMMAND", help="a shell command that makes the member join, whether it is one or not (with "
                     f"--listen; needed for {ALL})")
    far.add_argument("--provoke-leave", metavar="COMMAND", help="one that makes it leave")
    verdicts.option(far)


def in_words(event: dict) -> str:
    from msec_scapy import registry as reg
    skip = ("t", "mono_ms", "event", "group", "peer", "role", "time", "address")
    text = f" at octet {event['offset']} of {event.get('field')}" if event["event"] == "refused" and "offset" in event else ""
    notify = f", {reg.NOTIFY.name(event['notify'])}" if isinstance(event.get("notify"), int) else ""
    if event["event"] == "refused":
        return f"refused: {event.get('req')}{text}{notify}"
    return event["event"] + " " + " ".join(f"{k}={v}" for k, v in event.items() if k not in skip and v not in ("", None))


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


def _said(events: list) -> list:
    """What our peer has to tell; what is refused is what the victim sent."""
    said = {"refused": "what it sent is "}
    return verdicts.brief(said.get(e["event"], "") + in_words(e) for e in events if e["event"] != "sent")


def _spki(key) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


class Victim:
    """Somebody else's; what is common to both roles.  `said` is the announcement."""

    def __init__(self, a, said):
        self.a, self.said, self.seen, self.broken = a, said, [], ""
        self.member = True  # that of the key server: a registration ends in a membership
        self.others = {}
        for text in a.others:
            kind, _, files = text.partition("=")
            key, _, cert = files.partition(",")
            if not cert or kind not in FAULTS:
                raise LabError(f"--as {text}: KIND=KEY,CERT, where KIND is one of {', '.join(FAULTS)}")
            self.others[kind] = self._credentials(key, cert)
            self._is(kind, self.others[kind], text)

    def _credentials(self, key, cert):
        from msec_scapy import party
        try:
            found = party.Credentials.from_files(key, cert)
        except ValueError as e:
            raise LabError(f"{key}, {cert}: {e}") from e
        if _spki(found.key.public_key()) != _spki(found.cert.key):
            raise LabError(f"{key}, {cert}: the key is not that of the certificate")
        return found

    def _is(self, kind: str, credentials, text: str) -> None:
        """What is refused for another reason, or has none to be refused, gives a wrong verdict."""
        from msec_scapy import pkix
        if not any(FAULTS[kind]) and credentials.cert.der == self._credentials(self.a.key, self.a.cert).cert.der:
            raise LabError(f"--as {text}: that is the certificate of --cert, with which we are served")
        if self.a.roots is None:
            return
        try:
            pkix.Trust.from_files([self.a.roots]).path(credentials.cert, credentials.chain)
            fault, why = "", f"a path leads to {self.a.roots}, and nothing is wrong with it"
        except pkix.PathFault as e:
            fault, why = e.kind, f"{e.kind}, {e}"
        if fault not in FAULTS[kind]:
            raise LabError(f"--as {text}: that certificate is none of this kind: {why}")

    def _peer(self, credentials=None):
        """Arguments of a Python peer, and where its events go."""
        from msec_scapy import dialect, party, pkix
        a, said = self.a, self.said
        owner = pkix.load_certificates(a.owner)[0] if a.owner else None
        group = party.Group(said.group_id, said.group_type, said.suite, dialect.Dialect.parse(a.dialect), owner)
        return (group, credentials or self._credentials(a.key, a.cert), pkix.Trust.from_files([a.roots] if a.roots else [])), []

    def why_not(self, entry, many: bool) -> str:
        """What keeps this entry from being tried here; of one that was asked for by name only what cannot be."""
        from msec_scapy import registry as reg
        if entry.timestamp and not self.said.suite.timestamp:
            return "the group goes by nonces, and this is about synchronised time"
        if "-dh-" in entry.name and self.said.suite.create_type >= 49153:
            return "the group's key exchange is none of Diffie-Hellman in a MODP group"
        if not self.member and entry.exchange != reg.X_RTJ:
            return "nobody becomes a member here who does not know whose token is right: --owner"
        if many and entry.credentials and entry.credentials not in self.others:
            return f"it is signed with a certificate of kind {entry.credentials}: --as {entry.credentials}=KEY,CERT"
        return ""

    def told(self, entry, **what) -> dict:
        from requirements import ledger
        rows = ledger.load()
        return {**entry.as_dict(), "rows": {r: rows[r].requirement for r in entry.rows}, "alive": None, "answered": False,
                "expected": entry.reaction(self.said.suite.terse), "tried": True, **what}

    def _notes(self, events: list, otherwise: str) -> None:
        """What a right exchange came to that did not succeed."""
        refused = [e["req"] for e in events if e["event"] == "refused" and e.get("req")]
        self.broken = refused[0] if refused else ""
        self.seen = _said(events) or [otherwise]


class KeyServer(Victim):
    """One that we register with.  It may be slow: what is wrong has twice the time that the slowest right registration took."""
    took = 0.0

    @property
    def patience(self) -> float:
        return max(self.a.patience, 2 * self.took)

    def _runner(self, gm):
        """What is right is said until it is answered."""
        from msec_scapy import cli, net
        tries = max(4, math.ceil((self.a.seconds or 0) / max(self.a.patience, 0.1)))
        return net.MemberRunner(gm, cli.endpoint(self.a.target), self.said.transport, timeout=self.a.patience, tries=tries)

    def right(self, after=None) -> bool:
        """`after` the entry that something wrong was of: a key server that still waits for an answer to it begins no other
        registration with us (RFC4535-5.2.1.1-21), and how long it waits is its own affair."""
        until = time.monotonic() + (COMING if self.a.seconds is None else self.a.seconds)
        while True:
            began = time.monotonic()
            good = self._registers(after)
            if good or good is None or after is None or time.monotonic() >= until:
                return bool(good)
            time.sleep(max(0.0, began + self.a.patience - time.monotonic()))

    def _registers(self, after):
        """Whether a right registration succeeds; None: it cannot even be asked for."""
        from msec_scapy import member
        from msec_scapy import registry as reg
        args, events = self._peer()
        gm = member.Member(*args, on_event=events.append)
        try:
            runner = self._runner(gm)
            began = time.monotonic()
            try:
                joined = runner.join()
            finally:
                runner.close()
        except OSError as e:
            self.seen = [str(e)]
            return None
        # It serves us; whose token that is cannot be said without its Group Owner.
        served = self.a.owner is None and any(e["event"] == "received" and e["exchange"] == "KeyDL" for e in events)
        self._notes(events, f"no answer from {self.a.target}")
        self.member = joined or not served
        if (joined or served) and (after is None or after.exchange != reg.X_ACK):  # behind that it has waited for itself
            self.took = max(self.took, time.monotonic() - began)
        return joined or served

    def wrong(self, entry) -> dict:
        from msec_scapy import member, misbehave
        from msec_scapy import registry as reg
        other = self.others.get(entry.credentials)
        args, events = self._peer(other if entry.exchange == reg.X_RTJ else None)
        gm = member.Member(*args, on_event=events.append)
        runner = self._runner(gm)
        sent = recording(gm, entry)
        try:
            result = misbehave.run(entry, runner, self.patience, credentials=other if entry.exchange != reg.X_RTJ else None,
                                   tries=1 if self.said.transport == "tcp" else TRIES)
        finally:
            runner.close()
        return self.told(entry, sent=sent, seen=_said(events) or ["nothing came back"], refused=result["refused"] if sent else None,
                         answered=bool(result["errors"]))


class Member(Victim):
    """One that is told, or happens, to join here."""

    def __init__(self, *args):
        super().__init__(*args)
        self.seconds = COMING if self.a.seconds is None else self.a.seconds

    def _provoke(self, command: str, text: str) -> None:
        if command:
            done = subprocess.run(command, shell=True, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)
            if done.returncode:
                raise LabError(f"{command!r} failed with {done.returncode}")
        else:
            print(f"lab: {text}", file=sys.stderr, flush=True)

    def _serve(self):
        """A key server of ours there, its runner, and where its events go."""
        from msec_scapy import cli, keyserver, net
        args, events = self._peer()
        server = keyserver.KeyServer(*args, token=self.a.token.read_bytes(), now=time.time(), on_event=events.append,
                                     options=keyserver.Options(timeout=3600))
        address, port = cli.endpoint(self.a.listen)
        return server, net.KeyServerRunner(server, address, port, self.said.multicast, self.a.interface), events

    def _come(self) -> None:
        self._provoke(self.a.provoke, f"waiting up to {self.seconds:.0f} s for a member at {self.a.listen}")

    def right(self, after=None) -> bool:
        server, runner, events = self._serve()
        there = lambda: any(m.acknowledged for m in server.members.values())
        try:
            self._come()
            runner.run(self.seconds, there)
        finally:
            runner.close()
        self._notes(events, f"nobody came to {self.a.listen} within {self.seconds:.0f} s")
        return there()

    def wrong(self, entry) -> dict:
        from msec_scapy import registry as reg
        a = self.a
        server, runner, events = self._serve()
        forger = self.others.get(entry.credentials)
        if entry.exchange == reg.X_KEYDL:
            entry.arm(server, forger)
        sent = recording(server, entry)
        acknowledged = lambda: any(m.acknowledged for m in server.members.values())
        try:
            self._come()
            runner.run(self.seconds, lambda: sent or acknowledged())
            if not sent and acknowledged():
                entry.arm(server, forger)
                if entry.exchange == reg.X_REKEY:
                    again = server.renew(time.time())
                    runner.send([*again, *again] if entry.repeat else again)
                elif entry.exchange == reg.X_LOA:
                    runner.send([server.lack_of_ack(server.concluded[n], time.time()) for n in server.members])
                else:
                    self._provoke(a.provoke_leave, "now let the member leave")
                    runner.run(self.seconds, lambda: bool(sent))
            answers = {reg.X_KEYDL: ("nack", "acknowledged"), reg.X_DR: ("departure-failed", "departed")}.get(entry.exchange)
            runner.run(self.seconds if answers and not a.provoke else a.patience,
                       lambda: answers and any(e["event"] in answers for e in events))
        finally:
            runner.close()
        no = [e for e in events if e["event"] in ("nack", "departure-failed")]
        good = [e for e in events if e["event"] in ("acknowledged", "departed")]
        refused = True if no else False if good and sent and entry.exchange in (reg.X_KEYDL, reg.X_DR) else None
        return self.told(entry, sent=sent, seen=_said(events) or ["nobody came"], refused=refused, answered=bool(no))


# --------------------------------------------------------------------------- main

def _victim(a, role: str):
    from msec_scapy import announcement, dialect
    if a.target and a.listen:
        raise LabError("--target is for a key server, --listen for a member: one of them")
    need = ["announcement", "key", "cert", *(["token"] if a.listen else [])]
    missing = [n for n in need if getattr(a, n) is None]
    if missing:
        raise LabError("an attack on another implementation needs --" + ", --".join(missing))
    verdicts.place(a.target or a.listen)
    try:
        said = announcement.parse(a.announcement.read_text())
        dialect.Dialect.parse(a.dialect)
    except ValueError as e:
        raise LabError(f"{a.announcement}: {e}") from e
    return (KeyServer if role == "member" else Member)(a, said)


def scratch() -> Path:
    where = BUILD / "attack"
    where.mkdir(parents=True, exist_ok=True)
    return where


def run(a, show) -> int:
    """`show(entry, told, where, as_json)` is for one entry that was asked for by its name."""
    role = "member" if a.target else "server"
    found = chosen(a.name, role)
    files = verdicts.paths(a.report)
    victim = _victim(a, role)
    many = len(found) > 1
    if many and a.listen and not a.provoke:
        raise LabError("many attacks on a member need --provoke COMMAND, which makes it join again for each of them")
    report = verdicts.Report(f"{'key server' if a.target else 'member'} at {a.target or a.listen}, GSAKMP")
    checked = bool(a.target or a.provoke)  # without that, one attack on a member is what its one visit is for
    with report.written(files):
        if checked and not (not many and found[0].credentials and found[0].credentials not in victim.others):
            good = victim.right()
            report.rights(good, victim.seen, "" if good else victim.broken)
            if not good:
                raise LabError(f"a right registration does not succeed, so there is nothing to attack: {'; '.join(victim.seen)}")
        elif checked:
            print(f"lab: {found[0].name} is about a certificate of kind {found[0].credentials!r}; the one of --cert is taken for that, and "
                  f"whether anybody is served there has not been tried", file=sys.stderr)
            checked = False
        for entry in found:
            t = _one(victim, entry, a, many, checked)
            report.add(t)
            if many and not a.json:
                print(verdicts.line(t) + (f": {t['seen'][0].removeprefix('not tried: ')}" if not t["tried"] else ""), flush=True)
            if t["alive"] is False:
                break
    if many:
        print(json.dumps(report.told, indent=1) if a.json else "\n".join(report.summary()))
        return 0 if report.good else 1
    return show(found[0], t, scratch(), a.json)


def _one(victim, entry, a, many: bool, checked: bool) -> dict:
    why = victim.why_not(entry, many)
    leave = "" if a.target or not many or a.provoke_leave or victim.told(entry)["exchange"] != "DR" else \
        "it wants a member that leaves: --provoke-leave COMMAND"
    if why or leave:
        return victim.told(entry, sent=[], seen=[f"not tried: {why or leave}"], refused=None, tried=False)
    t = victim.wrong(entry)
    t["proved"] = checked or not a.target and t["exchange"] != "KeyDL"  # who leaves us has joined before
    if t["refused"] and not t["proved"]:
        t["seen"].append("which proves little: whether it serves who is right has not been tried")
    if checked:
        t["alive"] = victim.right(entry)
        t["seen"].append("a right registration succeeds afterwards" if t["alive"] else
                         f"no right registration succeeds afterwards: {'; '.join(victim.seen)}")
    return t
