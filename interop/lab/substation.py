# SPDX-License-Identifier: BSD-2-Clause
"""The life of a substation's keys: RFC 8052 on top of RFC 6407.

    north 10.77.1.0/24:  keys (key server)  alice (protection relay)  bob carol dave (breaker controllers)  eve

alice multicasts frames on Ethernet as relays do (lab/goose.py); the others act on them.  ./lab demo substation tells it to a
person, interop/tests/test_substation.py has the suite see the same checks.
"""
import sys
import time
from pathlib import Path

from . import gdoi_forms, gdoi_member
from .daemons import wait_all
from .gdoi import Group
from .process import App
from .story import need
from .tell import Silent

OID = "1.0.62351.9.1"  # the group: which stream of which substation it is, is the OID's to say
STREAM = "1.2.840.10070.61850.8.1.2"
RELAY, BREAKERS, LATE, THIEF = "alice", ["bob", "carol"], "dave", "carol"
GROUP = "bay-1"


def data(life: int, early: int) -> str:
    """One SA; the next one is made `early` seconds before it ends."""
    return f"""    <iec-61850>
      <sa oid="{STREAM}" authentication="hmac-sha256-128" encryption="aes-cbc-128" lifetime="{life}s" activation="{early}s"/>
    </iec-61850>
"""


class Substation:
    STEPS = ("opening", "register", "frames", "prefetch", "alone", "back", "late", "revoke", "destroy")

    def __init__(self, directory: Path, prefix: str = "", tell=None, life: int = 16, early: int = 8):
        self.tell, self.life, self.early = tell or Silent(), life, early
        self.group = Group(directory, members=[RELAY, *BREAKERS, LATE], strangers=["eve"], prefix=prefix, name=GROUP,
                           id={"oid": OID}, sas=data(life, early), ack={"type": "kek-sha256", "missed": 3})
        self.dir, self.keys = self.group.dir, self.group.keys
        self.members, self.apps = self.group.members, {}

    # -- who is there ----------------------------------------------------------------------------------------------------

    def member(self, name: str):
        g = self.group
        m = gdoi_member.Member(g.scene[name], name, self.dir / "daemons", g.sockets, g.keylog)
        how = gdoi_forms.phase1(g, name, ["keys"])
        text = gdoi_member.config(gdoi_forms.identity(g, name), how, [g.address("keys")],
                                  [gdoi_member.group(GROUP, oid=OID, receive_only=None if name == RELAY else "yes")],
                                  f"{name}.db", g.sockets.path / name, membership={"margin": "2s", "backoff_max": "2s"})
        m.write(text)
        self.members[name] = m
        return m

    def app(self, name: str, role: str, *words: str) -> App:
        control = ["--control", self.members[name].control.path] if name in self.members and role != "forge" else []
        a = self.apps[name, role] = App(self.group.scene[name], f"{name}-{role}", self.dir / "data",
                                        [sys.executable, "-m", "lab.goose", role, *control, *words])
        return a

    def close(self) -> None:
        self.group.close()

    def finish(self) -> None:
        for a in self.apps.values():
            a.stop()
        self.group.finish()

    # -- looking ---------------------------------------------------------------------------------------------------------

    def present(self) -> list:
        return [m for n, m in self.members.items() if n not in getattr(self, "gone", ())]

    def joined(self, *members) -> dict:
        start, marks = time.monotonic(), {m: m.mark() for m in members}
        for m in members:
            m.control("join")
        with self.tell.waiting("registering " + ", ".join(m.name for m in members)) as progress:
            wait_all(list(members), "joined", marks=marks, progress=progress)
        return {"took": time.monotonic() - start}

    def everywhere(self, state: str, since: dict, spi: str = None, other: set = ()) -> str:
        """Every member has an SA in that state, and it is the same one, and none of the `other` ones; its SPI."""
        first = next(iter(since))
        if spi is None:
            spi = first.wait("tek", since=since[first], timeout=self.life + 60, state=state,
                             where=lambda e: e["spi"] not in other)["spi"]
        with self.tell.waiting(f"every device has the {state} key") as progress:
            # An SPI says which key it is, whenever the others came to have it.
            wait_all(list(since), "tek", timeout=self.life + 60, progress=progress, state=state, spi=spi)
        return spi

    def held(self, member, upto) -> list:
        """The states of the keys that a member had at the moment of an event, by what it had reported of them."""
        keys = {}
        for e in member.find(where=lambda e: e["event"] in ("tek", "tek-wipe", upto["event"])):
            if e["event"] == "tek":
                keys[e["spi"]] = e["state"]
            elif e["event"] == "tek-wipe":
                keys.pop(e["spi"], None)
            if e is upto:
                break
        return sorted(keys.values())

    def agreed(self, members: list) -> dict:
        """The current key of each, once it is one and the same: there may be a change under way."""
        end = time.monotonic() + 60
        while True:
            keys = {m.name: [k for k in m.control("keys") if k["state"] == "current"] for m in members}
            if all(len(k) == 1 for k in keys.values()) and len({k[0]["spi"] for k in keys.values()}) == 1:
                return keys
            need(time.monotonic() < end, f"the devices do not agree on a key: {keys}")

    def marks(self) -> dict:
        return {m: m.mark() for m in self.present()}

    def flowing(self, *names: str, since: int = 0) -> int:
        """Each of these has taken every frame from `since` on up to a later one; its number."""
        upto = self.apps[RELAY, "publish"].wait("report", since=self.apps[RELAY, "publish"].mark())["sent"] - 1
        for n in names:
            def whole(e):
                return any(a <= since and b >= upto for a, b in e["taken"])
            self.apps[n, "subscribe"].wait("report", since=self.apps[n, "subscribe"].mark(), where=whole)
        return upto

    def missing(self, name: str, before: int) -> int:
        """How many frames below that number it has not taken."""
        taken = self.apps[name, "subscribe"].find("report")[-1]["taken"]
        return before - sum(min(b, before - 1) - a + 1 for a, b in taken if a < before)

    # -- the story -------------------------------------------------------------------------------------------------------

    def opening(self) -> dict:
        self.tell.step(1, "A key server for the bay")
        self.group.start()
        status = self.group.status()
        self.tell.say(f"keys opens group {GROUP}, which messages know by the object identifier {OID}. Its policy: frames are "
                      f"encrypted by AES-CBC-128 and authenticated by HMAC-SHA256-128, a key lives {self.life} s, and the next one "
                      f"is handed out {self.early} s before it is needed. (A utility would say weeks and days.)")
        return {"status": status}

    def register(self) -> dict:
        self.tell.step(2, "Devices register")
        new = [self.member(n) for n in (RELAY, *BREAKERS)]
        for m in new:
            m.start()
        took = self.joined(*new)["took"]
        keys = self.agreed(new)
        self.tell.say(f"alice, the relay of the bay, and the breakers bob and carol registered in {took:.2f} s and have the same key, "
                      f"{keys[RELAY][0]['spi']}, and its Rekey SA.")
        return {"keys": keys}

    def frames(self) -> dict:
        self.tell.step(3, "Frames that nobody else can say")
        for n in BREAKERS:
            self.app(n, "subscribe", *(["--keep-keys"] if n == THIEF else []))
        self.app("eve", "subscribe")
        for a in self.apps.values():
            a.wait("subscribing")
        self.app(RELAY, "publish").wait("publishing")
        self.flowing(*BREAKERS)
        self.app("eve", "forge").wait("forging")
        refused = {}
        for n in BREAKERS:
            e = self.apps[n, "subscribe"].wait("report", where=lambda e: e["refused"].get("bad tag", 0) >= 20)
            need(e["trips"] == 0, f"{n} obeyed eve")
            refused[n] = e["refused"]
        self.apps["eve", "forge"].stop()
        eve = self.apps["eve", "subscribe"].wait("report", where=lambda e: e["refused"].get("no key", 0) >= 50)
        need(eve["count"] == 0 and eve["in_clear"] == 0, "eve reads")
        upto = self.flowing(*BREAKERS)
        self.tell.say(f"alice multicasts her state fifty times a second; bob and carol have taken every frame up to {upto}. eve sees "
                      f"the frames and reads none of them. She says \"trip\" with the key id that she saw on the wire: refused by both, "
                      f"{refused['bob']['bad tag']} times and more.")
        return {"refused": refused, "eve": eve, "upto": upto}

    def prefetch(self) -> dict:
        self.tell.step(4, "The next key is there before it is needed")
        since = self.marks()
        spi = self.everywhere("next", since)
        held = {m.name: self.held(m, m.wait("tek", state="next", spi=spi)) for m in since}
        need(all("next" in states and "current" in states for states in held.values()), f"not both keys: {held}")
        self.everywhere("current", since, spi)
        switch = self.apps[RELAY, "publish"].wait("switch", key=spi)
        upto = self.flowing(*BREAKERS)
        self.tell.say(f"A GROUPKEY-PUSH brought key {spi} with SA_ATD. For some seconds every device held both; then all of them changed "
                      f"by their own clocks, with frame {switch['sequence']}. Not one frame up to {upto} was lost.")
        return {"spi": spi, "held": held, "switch": switch, "upto": upto}

    def alone(self) -> dict:
        self.tell.step(5, "The key server is gone; protection is not")
        since = self.marks()
        spi = self.everywhere("next", since)
        self.keys.kill()
        self.everywhere("current", since, spi)
        marks = self.marks()
        wait_all(list(marks), "stale", marks=since, timeout=self.life + 60)
        # ... and past the end of its lifetime, in the words of the device itself
        publisher = self.apps[RELAY, "publish"]
        key = next(k for k in self.members[RELAY].control("keys") if k["spi"] == spi)
        with self.tell.waiting("the key's lifetime ends") as progress:
            publisher.progress = progress
            try:
                publisher.wait("report", since=publisher.mark(), timeout=self.life + 60,
                               where=lambda e: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 1)) > key["expires"])
            finally:
                publisher.progress = None
        since_expiry = publisher.mark()
        upto = self.flowing(*BREAKERS)
        need(not publisher.find("switch", since=since_expiry), "alice changed the key")
        kept = {m.name: [k["spi"] for k in m.control("keys") if k["state"] == "current"] for m in self.present()}
        need(all(k == [spi] for k in kept.values()), f"the current key was not kept: {kept}")
        self.tell.say(f"kill -9 hit keys. The devices went on to the key that they had fetched before, {spi}; and when its lifetime was "
                      f"over as well, and nobody had another one, they kept it: frames up to {upto} were sent and taken.")
        return {"spi": spi, "kept": kept, "upto": upto}

    def back(self) -> dict:
        self.tell.step(6, "The key server returns")
        marks = self.marks()
        old = {m.name: [k["spi"] for k in m.control("keys")] for m in marks}
        self.keys.start()
        with self.tell.waiting("the devices register again") as progress:
            wait_all(list(marks), "joined", marks=marks, timeout=90, progress=progress)
        spi = self.everywhere("current", marks, other={spi for spis in old.values() for spi in spis})
        publisher = self.apps[RELAY, "publish"]
        publisher.wait("switch", key=spi)
        # A key in force is used at once, and the devices did not come at once.
        start = publisher.wait("report", since=publisher.mark())["sent"]
        upto = self.flowing(*BREAKERS, since=start)
        lost = {n: self.missing(n, start) for n in BREAKERS}
        self.tell.say(f"The devices had not stopped asking, each at moments of its own. Now they have key {spi}, and frames from {start} "
                      f"to {upto} were taken. Before that, while some had the new key and others not yet, "
                      f"{' and '.join(f'{n} lost {k}' for n, k in lost.items())}.")
        return {"spi": spi, "upto": upto, "lost": lost}

    def late(self) -> dict:
        self.tell.step(7, "A new breaker gets both keys at once")
        m, relay = self.member(LATE), self.members[RELAY]
        m.start()
        spi = relay.wait("tek", since=relay.mark(), timeout=self.life + 60, state="next")["spi"]
        took = self.joined(m)["took"]
        states = self.held(m, m.find("joined")[0])
        self.app(LATE, "subscribe").wait("report", where=lambda e: e["count"] > 10)
        self.everywhere("current", {m: 0}, spi)
        self.tell.say(f"dave registered in {took:.2f} s, while a change was due, and was given the current and the next key in one "
                      f"download; he changed with the others.")
        return {"states": states, "took": took, "spi": spi}

    def revoke(self) -> dict:
        self.tell.step(8, "A stolen device is shut out at once")
        publisher, thief = self.apps[RELAY, "publish"], self.apps[THIEF, "subscribe"]
        self.gone = [THIEF]
        marks, mark, begun = self.marks(), publisher.mark(), time.monotonic()
        before = {k["spi"] for m in marks for k in m.control("keys")}
        self.keys.control("evict", gdoi_forms.fqdn(THIEF))
        spi = self.everywhere("current", marks, other=before)
        took = time.monotonic() - begun
        switch = publisher.wait("switch", since=mark, key=spi)
        e = thief.wait("report", since=thief.mark(), where=lambda e: e["refused"].get("no key", 0) >= 50)
        upto = self.flowing("bob", since=switch["sequence"])
        need(not any(b >= switch["sequence"] for _, b in e["taken"]), f"carol reads frames after {switch['sequence']}: {e['taken'][-1]}")
        need(not [k for k in self.members[RELAY].control("keys") if k["state"] in ("current", "old") and k["spi"] != spi],
             "an old key is still in use")
        self.tell.say(f"carol was carried off. {took:.2f} s after the command the others had another Rekey SA and another key, no delay "
                      f"this time, and the old one was deleted. With every key she ever had, carol reads nothing from frame "
                      f"{switch['sequence']} on; bob has them all, up to {upto}.")
        return {"switch": switch, "took": took, "thief": e}

    def destroy(self) -> dict:
        self.tell.step(9, "The bay is taken out of service")
        marks, mark = self.marks(), self.apps[RELAY, "publish"].mark()
        self.keys.control("destroy", GROUP)
        wait_all(list(marks), "destroyed", marks=marks)
        self.apps[RELAY, "publish"].wait("switch", since=mark, key=None)
        left = {m.name: m.control("keys") for m in marks}
        need(not any(left.values()), f"keys were not wiped: {left}")
        self.finish()
        self.tell.say("keys deleted all SAs in one message. Every device wiped its keys, and alice fell silent.")
        return {"left": left}
