# SPDX-License-Identifier: BSD-2-Clause
"""The life of a GDOI group that is used like a GET VPN: one key server, two sites, one set of keys for all.

            north 10.77.1.0/24                              south 10.77.2.0/24
    keys  alice bob carol dave  mallory  eve   --router--   erin frank

alice is the source, erin at the other site a second one.  What they send is ESP with the group's keys (espapp.py), each with
a sender id of its own in the IVs; no member has a tunnel to any other.  mallory
has a certificate, and the policy does not admit her; eve only listens.  ./lab demo gdoi tells it to a person,
interop/tests/test_gdoi_story.py has the suite see the same checks.
"""
import sys
import time
from collections import Counter
from pathlib import Path

from . import espwire, wire
from .daemons import wait_all
from .espapp import ESP, MARKER
from .gdoi import Group
from .gdoi_forms import fqdn
from .process import App
from .scene import DATA_PORT
from .story import need
from .tell import Silent

NORTH, SOUTH = ["alice", "bob", "carol", "dave"], ["erin", "frank"]
MEMBERS = NORTH + SOUTH
ACTIVATION, DEACTIVATION = "1s", "3s"


SECOND = 10_000_000  # the second source counts from here


def numbers(report: dict, second: bool = False) -> set:
    """Of the packets of one source that were read."""
    return {i for a, b in report["ranges"] if (a >= SECOND) == second for i in range(a, b + 1)}


class GdoiStory(Group):
    STEPS = ("key_server", "everybody_joins", "refusals", "speak", "second", "evict", "roll_over", "crash", "acknowledged", "destroy",
             "aftermath")

    def __init__(self, directory: Path, prefix: str = "", tell=None, auth: str = "ecdsa", **parts):
        self.tell, self.apps, self.speaker, self.other = tell or Silent(), {}, None, None
        super().__init__(directory, MEMBERS, ["mallory", "eve"], prefix=prefix, auth=auth,
                         **{"rollover": {"activation": ACTIVATION, "deactivation": DEACTIVATION}, "push": {"resend": 2},
                            "ack": {"type": "lkh-sha256", "missed": 1}, "workers": 2, **parts})

    # -- pieces -------------------------------------------------------------------------------------------------------------

    def app(self, host: str, mode: str, *args) -> App:
        who = [] if host == "eve" else ["--control", str(self.members[host].control.path)]
        a = self.apps[host if mode == "receive" else f"{host}, sending"] = App(self.scene[host], f"esp-{mode}-{host}", self.dir / "data",
                                  [sys.executable, "-m", "lab.espapp", mode, *who, "--to", f"{self.data}:{DATA_PORT}", *map(str, args)])
        return a

    def spi(self) -> str:
        return self.speaker.find("switch")[-1]["spi"]

    def rekey_sa(self) -> dict:
        return self.status()["kek"]

    def teks(self) -> set:
        return {t["spi"] for t in self.keys.control("teks", self.name)}

    def switched(self, old: str, readers: list, what: str, mark: int, new: set = ()) -> dict:
        """The source sends under another SA (one of `new`); all these readers read fifty packets of it, and of all there were
        missed none."""
        with self.tell.waiting(what) as progress:
            switch = wait_all([self.speaker], "switch", marks={self.speaker: mark}, progress=progress,
                              where=lambda e: e["spi"] not in (None, old) and (not new or e["spi"] in new))[0]
            for name in readers:
                wait_all([self.apps[name]], "report", progress=progress,
                         where=lambda e: e["by_spi"].get(switch["spi"], 0) >= 50)
        for name in readers:
            last = self.apps[name].find("report")[-1]
            for seen in (numbers(last), numbers(last, second=True)):
                need(not seen or len(seen) == max(seen) - min(seen) + 1, f"{name} missed packets of {sorted(seen)[:1]} and on")
            need(not last["unreadable"] and not last["forged"], f"{name} could not read {last['unreadable']}")
        return switch

    def deaf(self, name: str, spi: str) -> None:
        """That reader, keeping every key it ever had, hears fifty packets under the new SA and reads none."""
        last = self.apps[name].wait("report", where=lambda e: e["unreadable"].get(spi, 0) >= 50)
        need(spi not in last["by_spi"], f"{name} read {last['by_spi'].get(spi)} packets under the new SA")

    # -- the story ----------------------------------------------------------------------------------------------------------

    def key_server(self) -> dict:
        self.tell.step(1, "The key server opens the group")
        start = time.monotonic()
        mark = self.start()
        self.keys.wait("policy", since=mark)
        kek = self.rekey_sa()
        self.tell.say(f"gdoi-gcks read the policy of group {self.name}, number {self.id['number']}: {len(self.admitted)} names may be "
                      f"members, traffic to {self.data} is protected by ESP with AES-GCM, rekeys go to {kek['dst']} and are "
                      f"acknowledged, eviction is by LKH. It made the keys and listens on UDP 848 and 4500. "
                      f"({time.monotonic() - start:.1f} s)")
        return {"kek": kek}

    def everybody_joins(self) -> dict:
        self.tell.step(2, "Members of both sites register")
        start = time.monotonic()
        new = [self.member(m) for m in MEMBERS]
        marks = {d: d.launch() for d in new}
        with self.tell.waiting("starting " + ", ".join(MEMBERS)) as progress:
            wait_all(new, "ready", marks=marks, progress=progress)
        for d in new:
            d.control("join")
        with self.tell.waiting("waiting for them to register") as progress:
            wait_all(new, "joined", marks=marks, progress=progress)
        for m in MEMBERS:
            self.keys.wait("joined", where=lambda e, m=m: m in str(e.get("peer")))
        status = self.status()
        need(status["members"] == len(MEMBERS), f"{status['members']} members are registered")
        held = {tuple(k["spi"] for k in d.group()["keys"]) for d in new}
        need(len(held) == 1, "they hold different SAs")
        self.tell.say(f"{', '.join(MEMBERS)}: an IKEv1 phase 1 with certificates each, then a GROUPKEY-PULL of four messages. All hold "
                      f"the same SA, {next(iter(held))[0]}, a path of the key tree and a sender id of their own. erin and frank sit "
                      f"behind the multicast router. ({time.monotonic() - start:.1f} s)")
        return {"spis": held}

    def refusals(self) -> dict:
        mark = self.keys.mark()
        mallory = self.member("mallory")
        mallory.start()
        mallory.control("join")
        refusal = self.keys.wait("refused", since=mark, where=lambda e: "mallory" in str(e.get("peer")))
        need(not mallory.find("joined"), "mallory became a member")
        self.tell.refused("mallory", f"phase 1 is hers, the group is not. The key server's reason: {refusal.get('reason')} "
                                     f"({refusal.get('req')}).")
        mallory.control("leave")
        return {"refusal": refusal}

    def speak(self) -> dict:
        self.tell.step(3, "The source speaks to both sites")
        listeners = [m for m in MEMBERS if m != "alice"]
        for name in (*listeners, "mallory", "eve"):
            self.app(name, "receive", *(["--keep-keys"] if name == "bob" else []))
        for a in self.apps.values():
            a.wait("receiving")
        self.speaker = self.app("alice", "send", "--rate", 100)
        with self.tell.waiting("data flows") as progress:
            for name in listeners:
                wait_all([self.apps[name]], "report", where=lambda e: e["received"] >= 50, progress=progress)
            for name in ("eve", "mallory"):
                wait_all([self.apps[name]], "report", progress=progress,
                         where=lambda e: e["waiting"] + sum(e["unreadable"].values()) >= 50)
        for name in ("eve", "mallory"):
            last = self.apps[name].find("report")[-1]
            need(last["received"] == 0 and not last["keys"], f"{name} read {last['received']} packets")
        self.tell.say(f"alice multicasts 100 ESP packets a second to {self.data}. {', '.join(listeners)} read every one, each with the same "
                      f"SA; eve and mallory receive them and can open none.")
        return {"listeners": listeners}

    def second(self) -> dict:
        """Two senders under one key: what keeps their IVs apart is the sender id that each was given."""
        self.tell.step(4, "A second source, at the other site")
        listeners = [m for m in MEMBERS if m != "alice"]
        self.other = self.app("erin", "send", "--rate", 50, "--first", SECOND)
        one, two = self.speaker.find("switch")[-1], self.other.wait("switch", where=lambda e: e["spi"])
        need(one["spi"] == two["spi"], "they send under different SAs")
        need(len(one["sids"]) == len(two["sids"]) == 1 and one["sids"] != two["sids"], f"sender ids {one['sids']} and {two['sids']}")
        with self.tell.waiting("both are heard") as progress:
            for name in listeners:
                wait_all([self.apps[name]], "report", progress=progress, where=lambda e: len(numbers(e, second=True)) >= 25)
        self.tell.say(f"erin speaks, too, under the same SA and the same key, {one['spi']}. With AES-GCM no two packets may have one IV: the "
                      f"key server gave alice sender id {one['sids'][0]} and erin {two['sids'][0]}, and their IVs begin with that (RFC 6054).")
        return {"alice": one, "erin": two}

    def evict(self) -> dict:
        self.tell.step(5, "A member is evicted by LKH")
        old, mark, kek = self.spi(), self.speaker.mark(), self.rekey_sa()["spi"]
        stay = [m for m in MEMBERS if m not in ("alice", "bob")]
        marks = {self.members[m]: self.members[m].mark() for m in MEMBERS}
        at, begun = self.keys.mark(), time.monotonic()
        self.keys.control("evict", fqdn("bob"))
        self.keys.wait("evicted", since=at, where=lambda e: "bob" in str(e.get("peer")))
        wait_all([self.members[m] for m in ("alice", *stay)], "rekeyed", marks=marks)
        switch = self.switched(old, stay, "the others change keys", mark)
        took = time.monotonic() - begun
        self.deaf("bob", switch["spi"])
        pushes = self.keys.find("rekeyed", since=at)
        need(len(pushes) >= 2, "an eviction under LKH takes two PUSHes")
        need(self.rekey_sa()["spi"] != kek, "the KEK is the old one")
        at = self.keys.mark()
        self.members["bob"].control("reregister", self.name)
        self.keys.wait("refused", since=at, where=lambda e: "bob" in str(e.get("peer")))
        arrays = len(pushes) - 1
        self.tell.say(f"{arrays} PUSH{'es' * (arrays != 1)} under the old key brought update arrays, from which all but bob could make the "
                      f"new one; one more, under the new one, the new SA. {took:.1f} s later alice had changed to it, at packet {switch['sequence']}: nobody missed "
                      f"one, and bob, who listens on with every key he ever had, reads nothing. He asks again and is refused.")
        return {"switch": switch, "pushes": pushes}

    def roll_over(self) -> dict:
        self.tell.step(6, "Keys roll over without loss")
        old, mark = self.spi(), self.speaker.mark()
        stay = [m for m in MEMBERS if m not in ("alice", "bob")]
        began = {m: self.apps[m].mark() for m in stay}
        self.keys.control("rekey", "tek")
        switch = self.switched(old, stay, "the group rolls over", mark)
        for m in stay:
            self.apps[m].wait("report", since=began[m], where=lambda e: old not in e["keys"] and switch["spi"] in e["keys"])
        self.tell.say(f"A new SA, {switch['spi']}. Receivers took it at once; alice sent with it after {ACTIVATION}, as the policy has it (packet "
                      f"{switch['sequence']}), and the old one is forgotten {DEACTIVATION} after the PUSH. Not one packet was lost.")
        return {"switch": switch}

    def crash(self) -> dict:
        self.tell.step(7, "The key server is killed in the middle of a rekey")
        stay = [m for m in MEMBERS if m != "bob"]
        marks = {self.members[m]: self.members[m].mark() for m in stay}
        before, old, at, mark = self.rekey_sa(), self.spi(), self.speaker.mark(), self.keys.mark()
        self.keys.control.order("rekey", "tek")
        self.keys.wait("rekeyed", since=mark)
        self.keys.kill()
        begun = time.monotonic()
        mark = self.start()
        back, after = time.monotonic() - begun, self.status()
        need(after["members"] == len(stay), f"{after['members']} members are remembered")
        need(after["kek"]["spi"] == before["spi"] and after["kek"]["sequence"] > before["sequence"], "SEQ went back")
        known = self.teks()
        self.keys.control("rekey", "tek")
        new = self.teks() - known
        sent = self.keys.wait("rekeyed", since=mark, where=lambda e: e["sequence"] > after["kek"]["sequence"])
        wait_all([self.members[m] for m in stay], "rekeyed", marks=marks, where=lambda e: e["sequence"] == sent["sequence"])
        self.switched(old, [m for m in stay if m != "alice"], "the members follow the restarted key server", at,
                      new)
        for d, m in marks.items():
            need(not d.find("joined", since=m), f"{d.name} had to register again")
        self.tell.say(f"kill -9 hit it while the copies of PUSH {after['kek']['sequence']} were leaving. {back:.2f} s later it was back with "
                      f"members, keys and counters from its store; the next PUSH had the number {sent['sequence']}. Nobody registered "
                      f"again, no packet was lost.")
        return {"before": before, "after": after, "sent": sent}

    def acknowledged(self) -> dict:
        self.tell.step(8, "A rekey is acknowledged, but for one")
        stay = [m for m in MEMBERS if m not in ("bob", "dave")]
        self.members["dave"].kill()
        mark = self.keys.mark()
        self.keys.control("rekey", "tek")
        sequence = self.keys.wait("rekeyed", since=mark)["sequence"]
        with self.tell.waiting("acknowledgements come in") as progress:
            for m in stay:
                wait_all([self.keys], "acked", marks={self.keys: mark}, progress=progress, sequence=sequence,
                         where=lambda e, m=m: m in str(e.get("peer")))
            gone = wait_all([self.keys], "unresponsive", marks={self.keys: mark}, progress=progress,
                            where=lambda e: "dave" in str(e.get("peer")))[0]
        need(not self.keys.find("acked", since=mark, sequence=sequence, where=lambda e: "dave" in str(e.get("peer"))), "dave answered")
        status = self.status()
        need(status["unresponsive"] == 1, "status does not show it")
        self.tell.say(f"Somebody cut dave's power. {', '.join(stay)} acknowledged PUSH {sequence} (RFC 8263), each with a key that only its "
                      f"own leaf of the tree gives; dave did not, and status says so.")
        return {"sequence": sequence, "gone": gone}

    def destroy(self) -> dict:
        self.tell.step(9, "All SAs are deleted")
        stay = [m for m in MEMBERS if m not in ("bob", "dave")]
        marks, mark = {self.members[m]: self.members[m].mark() for m in stay}, self.speaker.mark()
        self.keys.control("destroy", self.name)
        wait_all([self.members[m] for m in stay], "destroyed", marks=marks)
        for a in (self.speaker, self.other):
            a.wait("switch", since=mark if a is self.speaker else 0, spi=None)
        for m in stay:
            if m != "alice":
                self.apps[m].wait("report", where=lambda e: e["keys"] == [])
        self.tell.say("The last PUSH deletes every SA. The members wiped their keys, and both applications that send fell silent.")
        return {}

    def aftermath(self) -> dict:
        """The capture, against the second implementation and against plain sight."""
        self.tell.step(10, "What the wire saw")
        for a in self.apps.values():
            if a.running:
                a.stop()
        self.members.pop("dave")
        self.finish()
        octets = self.capture.path.read_bytes()
        need(MARKER not in octets, "plaintext on the wire")
        esp = sum(f[12:14] == b"\x08\0" and f[23] == ESP for _, _, f in wire.frames(self.capture.path))
        need(esp > 0, "there is no ESP on the wire")
        ids = espwire.senders(wire.frames(self.capture.path), self.sid_bits)
        both = {spi: who for spi, who in ids.items() if len(who) > 1}
        need(len(both) >= 3, f"two sources sent under {len(both)} SAs only")
        need({a for who in ids.values() for a in who.values()} == {self.address("alice"), self.address("erin")}, f"who sent: {ids}")
        opened = Counter(spi.hex() for spi, _, _ in self.pushes())
        self.tell.say(f"{self.capture.frames} frames were captured, {esp} of them ESP. The plaintext occurs in none. A second "
                      f"implementation, written in Python from the RFCs alone, opened {sum(opened.values())} PUSHes of "
                      f"{len(opened)} Rekey SAs with the key log and verified each signature. It looked at every IV, too: under {len(both)} SAs "
                      f"alice and erin both sent, never with the same sender id, and no IV came twice.")
        return {"frames": self.capture.frames, "esp": esp, "pushes": opened, "ids": ids}
