# SPDX-License-Identifier: BSD-2-Clause
"""The life of one group, step by step.  Each step does something, waits for what must follow, checks it, and tells it.

./lab demo runs all of it for a person, interop/tests/test_story.py for the suite; both see the same checks.  A step that
does not come out as told raises LabError, with the logs to look at.
"""
import shutil
import subprocess
import sys
import time
from pathlib import Path

from . import LabError, forms, wire
from .build import program
from .daemons import Daemon, Sockets, wait_all
from .dataapp import MARKER
from .pki import Pki, dn
from .process import App
from .scene import DATA, DATA_PORT, GSAKMP_PORT, MEMBERS, REKEY, Scene
from .tell import Silent

GROUP = "studio"


def need(condition, text: str) -> None:
    """A check that a person can read when it fails."""
    if not condition:
        raise LabError("not as it must be: " + text)


def handles(report: dict) -> set:
    return {int(h) for h in report["by_handle"]}


def numbers(report: dict) -> set:
    """The sequence numbers read, of the one source."""
    return {n for ranges in report["ranges"].values() for a, b in ranges for n in range(a, b + 1)}


class Story:
    """`directory` receives everything that is written; `kind` is the kind of all keys (see pki)."""

    Stage = Scene

    def __init__(self, directory: Path, prefix: str = "", tell=None, kind: str = "ecdsa", delivery: str = "tls", ip: int = 4,
                 transport: str = "udp", terse: bool = True, resend: int = 2, cookies: str = "auto", only: list = (),
                 rekeying: dict = None, behaviour: str = ""):
        """`delivery`: the key server gets tokens from msec-go over TLS, or as a file that somebody puts there.
        `only`: a smaller cast.  `rekeying`: parts of the policy's rekey element, by name (event, interval, method,
        reliability); `behaviour`: further attributes of the members' <membership>."""
        self.dir = Path(directory).resolve()
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir.mkdir(parents=True)
        self.tell = tell or Silent()
        self.kind, self.group, self.delivery, self.edition = kind, GROUP, delivery, 1
        self.ip, self.transport, self.terse, self.resend, self.cookies = ip, transport, terse, resend, cookies
        self.rekeying, self.behaviour, self.signed = rekeying or {}, behaviour, 0
        self.keylog = self.dir / "keylog.txt"
        self.sockets = Sockets()
        self.scene = self.capture = None
        self.owner = self.keys = None
        self.members, self.apps = {}, {}
        try:
            self.scene = self.Stage(prefix, only)
            self.capture = self.scene.net.capture(self.dir / "capture.pcapng")
            self.pki = Pki(self.dir / "pki", kind)
        except BaseException:
            self.close()
            raise

    def address(self, host: str) -> str:
        return self.scene[host].ip4 if self.ip == 4 else self.scene[host].ip6

    # -- housekeeping ---------------------------------------------------------------------------------------------------

    def daemons(self) -> list:
        return [d for d in (self.owner, self.keys, *self.members.values()) if d]

    def daemon(self, host: str, name: str, xml: str) -> Daemon:
        d = Daemon(self.scene[host], name, host, self.dir / "daemons", self.sockets, self.keylog)
        d.write(xml)
        return d

    def app(self, host: str, mode: str, *args) -> App:
        who = [] if host == "eve" else ["--control", str(self.members[host].control.path)]
        to = [] if mode == "decrypt" else ["--to", f"{DATA[self.ip]}:{DATA_PORT}"]
        return App(self.scene[host], f"data-{mode}-{host}", self.dir / "data",
                   [sys.executable, "-m", "lab.dataapp", mode, *who, *to, *map(str, args)])

    def readers(self, *names: str) -> list:
        return [self.apps[n] for n in names]

    def finish(self) -> None:
        """An orderly end: every program stops by itself and had nothing to complain about."""
        for a in self.apps.values():
            if a.running:
                a.stop()
        for d in self.daemons():
            if d.running:
                d.finish()
        if self.capture:
            self.capture.stop()

    def close(self) -> None:
        """Whatever state it is in: gone."""
        if self.scene:
            self.scene.close()
        self.sockets.close()

    def token_tool(self, *args) -> str:
        """msec-token, on the Group Owner's machine."""
        r = subprocess.run([program("msec-token"), *map(str, args)], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                           cwd=self.dir / "policy")
        if r.returncode:
            raise LabError(f"msec-token {' '.join(map(str, args))}: status {r.returncode}\n{r.stdout}{r.stderr}")
        return r.stdout

    # -- the story --------------------------------------------------------------------------------------------------------

    def policy(self) -> dict:
        """Step 1.  The rules of the group become a signed token, and the Group Owner serves it."""
        self.tell.step(1, "A policy becomes a signed token")
        (self.dir / "policy").mkdir()
        for name in ("owner", "keys", *MEMBERS, "grace", "mallory"):
            self.pki.issue(name, dns=f"{name}.lab.example")
        self.pki.expired("oscar")
        start = time.monotonic()
        xml, signed = forms.compile_and_sign(self)
        self.tell.say(f"The Group Owner has written down who may do what in {GROUP}: keys is its key server, eight people may "
                      f"join, alice may send. msec-token turned the XML ({len(xml.read_text().splitlines())} lines) into a signed "
                      f"token of {signed.stat().st_size} octets in {(time.monotonic() - start) * 1000:.0f} ms.")
        forms.announce(self)
        if self.delivery == "tls":
            self.owner = self.daemon("owner", "msec-go", forms.owner(self))
            self.owner.start()
            self.tell.say("msec-go holds it now, and serves it to the key server over mutually authenticated TLS. A signed "
                          "announcement tells candidates where to knock.")
        return {"token": signed}

    def key_server(self) -> dict:
        """Step 2.  The GC/KS takes the token, checks that it may serve it, makes keys and listens."""
        self.tell.step(2, "The key server opens the group")
        self.keys = self.daemon("keys", "gsakmp-gcks", forms.gcks(self))
        start = time.monotonic()
        mark = self.keys.start()
        token = self.keys.wait("token", since=mark)
        self.tell.say(f"gsakmp-gcks fetched edition {token.get('edition')} from the Group Owner, verified the signature and that the "
                      f"token names it as key server, created the keys, and listens on UDP and TCP {GSAKMP_PORT}. "
                      f"({time.monotonic() - start:.1f} s)")
        return {"edition": token.get("edition")}

    def states(self) -> dict:
        """What each key server that is there says of the group."""
        servers = [d for d in self.key_servers() if d and d.running]
        return {d.name: (d.control("status")["groups"] or [{}])[0] for d in servers}

    def key_servers(self) -> list:
        return [self.keys]

    def open_group(self) -> None:
        self.policy()
        self.key_server()

    def _member(self, name: str) -> Daemon:
        d = self.members[name] = self.daemon(name, "gsakmp-gm", forms.gm(self, name))
        return d

    def asking(self, *names: str) -> tuple:
        """Members that have just been told to join: (daemons, their marks, when)."""
        new = [self._member(n) for n in names]
        marks = {d: d.launch() for d in new}
        with self.tell.waiting("starting " + ", ".join(names)) as progress:
            wait_all(new, "ready", marks=marks, progress=progress)
        start = time.monotonic()
        for d in new:
            d.control("join")
        return new, marks, start

    def join(self, *names: str) -> dict:
        """All at once; returns the seconds each took."""
        new, marks, start = self.asking(*names)
        took = {}
        with self.tell.waiting("waiting for " + ", ".join(names) + " to join") as progress:
            for d in new:
                wait_all([d], "joined", marks=marks, progress=progress)
                took[d.name] = time.monotonic() - start
        for n in names:
            self.keys.wait("member-active", where=lambda e, n=n: n in str(e.get("peer")))
        return took

    def everybody_joins(self) -> dict:
        """Step 3, the good part."""
        self.tell.step(3, "Six members join, others may not")
        took = self.join(*MEMBERS)
        self.tell.say(f"{', '.join(MEMBERS)} asked at the same time (Request to Join, Key Download, Ack); the last was in after "
                      f"{max(took.values()):.2f} s. erin and frank sit behind the multicast router.")
        return {"took": took}

    def refusals(self) -> dict:
        """Step 3, the rest: the unadmitted, the expired, the replayed."""
        out, whys = {}, {"mallory": "whom the policy does not name", "oscar": "whose certificate has expired"}
        mark = self.keys.mark()
        for name in whys:
            member = self._member(name)
            member.start()
            member.control("join")
        for name, why in whys.items():
            member, host = self.members[name], self.scene[name]
            known_as = (f"{host.ip4}:", f"[{host.ip6}]:", f"dn:{dn(name)}")
            with self.tell.waiting(f"{name} knocks, and knocks again") as progress:
                refusal = wait_all([self.keys], "refused", marks={self.keys: mark}, progress=progress,
                                   where=lambda e: str(e.get("peer")).startswith(known_as))[0]
                gave_up = wait_all([member], "left", progress=progress)[0]
            need(not member.find("joined"), f"{name} became a member")
            self.tell.refused(name, f"{why}. The key server's reason: {refusal.get('reason')} ({refusal.get('req')}).")
            out[name] = {"refusal": refusal, "gave_up": gave_up}
        out["replay"] = self.replay()
        return out

    def replay(self) -> dict:
        """eve sends alice's own Request to Join once more, octet for octet."""
        alice, eve, server = self.scene["alice"], self.scene["eve"], self.scene["keys"]
        rtj = next(d for d in wire.datagrams(self.capture.path) if d.source == alice.ip4 and d.dport == GSAKMP_PORT)
        mark = self.keys.mark()
        with eve.udp() as s:
            port = s.getsockname()[1]
            s.sendto(rtj.payload, (server.ip4, GSAKMP_PORT))
            refusal = self.keys.wait("refused", since=mark)
        answered = [d for d in wire.datagrams(self.capture.path) if d.destination == eve.ip4 and d.dport == port]
        need(not answered, "the replayed Request to Join was answered")
        self.tell.refused("eve", f"sent alice's Request to Join once more and got no answer. The key server's reason: "
                                 f"{refusal.get('reason')} ({refusal.get('req')}).")
        return refusal

    def data(self) -> dict:
        """Step 4.  alice multicasts; the members read it and nobody else."""
        self.tell.step(4, "The source speaks, and only members understand")
        for name in (*(m for m in MEMBERS if m != "alice"), "mallory", "oscar"):
            extra = ["--keep-keys"] if name in ("dave", "bob") else []
            self.apps[name] = self.app(name, "receive", *extra)
        self.tape = self.dir / "data" / "eve.recording"
        self.apps["eve"] = self.app("eve", "receive", "--record", self.tape)
        for a in self.apps.values():
            a.wait("receiving")
        self.source = self.apps["alice"] = self.app("alice", "send", "--rate", 100)
        listeners = [m for m in MEMBERS if m != "alice"]
        with self.tell.waiting("data flows") as progress:
            for a in self.readers(*listeners):
                wait_all([a], "report", where=lambda e: e["received"] >= 100, progress=progress)
            for a in self.readers("eve", "mallory", "oscar"):
                a.wait("report", where=lambda e: e["waiting"] + sum(e["unreadable"].values()) >= 100)
        for name in ("eve", "mallory", "oscar"):
            last = self.apps[name].find("report")[-1]
            need(last["received"] == 0 and not last["keys"], f"{name} read {last['received']} datagrams")
        self.tell.say(f"alice multicasts 100 datagrams a second to {DATA[self.ip]}. {', '.join(listeners)} read every one; eve, mallory "
                      f"and oscar received the same datagrams and could open none.")
        return {"listeners": listeners}

    def _handle(self) -> int:
        return self.source.find("switch")[-1]["handle"]

    def _switched(self, old: int, readers: list, what: str, mark: int) -> dict:
        """The source uses another key; all these readers read a hundred datagrams under it and miss none."""
        with self.tell.waiting(what) as progress:
            switch = wait_all([self.source], "switch", marks={self.source: mark}, progress=progress,
                              where=lambda e: e["handle"] not in (None, old))[0]
            new = switch["handle"]
            for a in self.readers(*readers):
                wait_all([a], "report", progress=progress, where=lambda e: e["by_handle"].get(str(new), 0) >= 100)
        for name in readers:
            last = self.apps[name].find("report")[-1]
            seen = numbers(last)
            need(len(seen) == max(seen) - min(seen) + 1, f"{name} missed {max(seen) - min(seen) + 1 - len(seen)} datagrams")
            need(not last["unreadable"], f"{name} could not read {last['unreadable']}")
        return switch

    def _deaf(self, name: str, handle: int) -> None:
        """That reader, keeping every key it ever had, hears a hundred datagrams under the new key and reads none."""
        last = self.apps[name].wait("report", where=lambda e: e["sealed"].get(str(handle), 0) >= 100)
        need(str(handle) not in last["by_handle"], f"{name} read {last['by_handle'].get(str(handle))} datagrams under the new key")

    def evict(self) -> dict:
        """Step 5.  dave is thrown out."""
        self.tell.step(5, "A member is evicted")
        old, mark = self._handle(), self.source.mark()
        stay = [m for m in MEMBERS if m not in ("alice", "dave")]
        begun, marks = time.monotonic(), {self.members[n]: self.members[n].mark() for n in MEMBERS}
        if self.delivery == "tls":
            self.owner.control("exclude", dn("dave"), GROUP)
        else:
            self.edition += 1
            forms.compile_and_sign(self, excluded=["dave"])
        evicted = self.keys.wait("evicted", where=lambda e: "dave" in str(e.get("peer")))
        wait_all([self.members[n] for n in ("alice", *stay)], "rekeyed", marks=marks)
        took = time.monotonic() - begun
        switch = self._switched(old, stay, "the others change keys", mark)
        self._deaf("dave", switch["handle"])
        self.tell.say(f"The Group Owner signed a new edition that excludes dave. The key server sent one Rekey Event with it over "
                      f"multicast ({REKEY[self.ip]}), and {took:.2f} s after the command everybody else had the new keys. From datagram "
                      f"{switch['sequence']} on alice used them: the others missed none, dave, still listening with every key he "
                      f"ever had, read nothing more.")
        return {"switch": switch, "took": took, "evicted": evicted}

    def newcomer(self) -> dict:
        """Step 6.  grace joins; what eve recorded before stays closed to her."""
        self.tell.step(6, "A newcomer cannot read the past")
        old, mark = self._handle(), self.source.mark()
        took = self.join("grace")["grace"]
        stay = [m for m in MEMBERS if m not in ("alice", "dave")]
        switch = self._switched(old, stay, "the group changes keys for grace", mark)
        size = self.apps["eve"].mark()
        self.apps["eve"].wait("report", since=size)
        tape = self.app("grace", "decrypt", self.tape)
        end = tape.wait("end")
        tape.wait_end()
        read = numbers(end)
        need(read, "grace reads nothing of what came after she joined")
        need(min(read) >= switch["sequence"], f"grace reads datagram {min(read)}, from before she was a member")
        need(end["unreadable"], "the recording has nothing from before")
        self.apps["grace"] = self.app("grace", "receive")
        self.tell.say(f"grace joined in {took:.2f} s, and the group changed keys for it. She was handed eve's recording of "
                      f"everything: of {len(read) + sum(end['unreadable'].values())} datagrams she can open the {len(read)} sent "
                      f"since datagram {switch['sequence']}, and not one from before.")
        return {"switch": switch, "end": end}

    def crash(self) -> dict:
        """Step 7.  kill -9 to the key server while it rekeys."""
        self.tell.step(7, "The key server is killed in the middle of a rekey")
        present = [m for m in (*MEMBERS, "grace") if m != "dave"]
        marks = {self.members[n]: self.members[n].mark() for n in present}
        mark = self.keys.mark()
        self.keys.control.order("rekey", GROUP)
        before = self.keys.wait("rekeyed", since=mark)["sequence"]
        self.keys.kill()
        begun = time.monotonic()
        mark = self.keys.start()
        back = time.monotonic() - begun
        old, at = self._handle(), self.source.mark()
        self.keys.control("rekey", GROUP)
        events = wait_all([self.members[n] for n in present], "rekeyed", marks=marks, where=lambda e: e["sequence"] > before)
        stay = [n for n in present if n != "alice" and n in self.apps]
        self._switched(old, [n for n in stay if n != "grace"], "the members follow the restarted key server", at)
        for d, m in marks.items():
            need(not d.find("joined", since=m), f"{d.name} had to join again")
        sequence = min(e["sequence"] for e in events)
        need(not self.keys.find("member-active", since=mark), "somebody registered again")
        self.tell.say(f"kill -9 hit it while the copies of its Rekey Event {before} were leaving. It was back {back:.2f} s later, with "
                      f"members and keys from its store. Nobody joined again, no datagram was lost, and the next Rekey Event has "
                      f"the Sequence ID {sequence}.")
        return {"before": before, "sequence": sequence}

    def leave(self) -> dict:
        """Step 8.  bob says good-bye."""
        self.tell.step(8, "A member leaves in good order")
        bob, mark, server = self.members["bob"], self.members["bob"].mark(), self.keys.mark()
        old, at = self._handle(), self.source.mark()
        bob.control("leave")
        left = bob.wait("left", since=mark)
        self.keys.wait("member-left", since=server, where=lambda e: "bob" in str(e.get("peer")))
        stay = [m for m in MEMBERS if m not in ("alice", "bob", "dave")]
        switch = self._switched(old, stay, "the others change keys", at)
        self._deaf("bob", switch["handle"])
        self.tell.say("bob sent a Request to Depart, got the Departure Response and acknowledged it. His member daemon wiped the "
                      "keys, and the others changed theirs: a copy that bob's application kept against the rules is worthless.")
        return {"left": left}

    def destroy(self) -> dict:
        """Step 9.  The end of the group."""
        self.tell.step(9, "The group is destroyed")
        present = [m for m in (*MEMBERS, "grace") if m not in ("dave", "bob")]
        marks = {self.members[n]: self.members[n].mark() for n in present}
        mark = self.source.mark()
        self.keys.control("destroy", GROUP)
        events = wait_all([self.members[n] for n in present], "destroyed", marks=marks)
        self.source.wait("switch", since=mark, handle=None)
        for n in present:
            if n != "alice":
                self.apps[n].wait("report", where=lambda e: e["keys"] == [], since=0)
        self.tell.say("The last Rekey Event has the Sequence ID 0xFFFFFFFF. Every member stopped and wiped its keys, and alice's "
                      "application fell silent.")
        return {"events": events}

    def aftermath(self) -> dict:
        """What is left is checked: the capture against the second implementation, and against plain sight."""
        self.tell.step(10, "What the wire saw")
        self.finish()
        octets = self.capture.path.read_bytes()
        need(MARKER not in octets, "plaintext on the wire")
        r = subprocess.run([sys.executable, "-m", "msec_scapy.capture", self.capture.path, "--keylog", self.keylog,
                            "--roots", self.pki.root.cert, "--owner", self.pki.parties["owner"].cert, "--certs", self.pki.intermediate.cert], capture_output=True, text=True)
        (self.dir / "capture.txt").write_text(r.stdout + r.stderr)
        need(r.returncode == 0, f"the second implementation does not agree with the capture; see {self.dir / 'capture.txt'}\n"
             + "\n".join((r.stdout + r.stderr).splitlines()[-15:]))
        self.tell.say(f"{self.capture.frames} frames were captured. The plaintext occurs in none. A second implementation, written "
                      f"in Python from the RFCs alone, decoded every GSAKMP message and verified every signature, hash and "
                      f"decryption from the key log.")
        return {"frames": self.capture.frames}

    STEPS = ("policy", "key_server", "everybody_joins", "refusals", "data", "evict", "newcomer", "crash", "leave", "destroy",
             "aftermath")

