# SPDX-License-Identifier: BSD-2-Clause
"""The life of a distributed group: a primary key server, three subordinates, members behind each (RFC 4535 section 4.4.7).

           hq 10.77.1.0/24                north 10.77.2.0/24        east 10.77.3.0/24        south 10.77.4.0/24
    owner  keys  west  eve  --router--    nord  alice bob           ost  carol dave          sued  erin frank grace

keys is the primary; nord, ost and sued are subordinates that the policy token names; west would like to be one, and is not
named.  All key servers send their Rekey Events to one multicast group.  ./lab demo distributed tells it to a person,
interop/tests/test_distributed.py has the suite see the same checks.
"""
import time
from pathlib import Path

from . import forms
from .daemons import Daemon, wait_all
from .net import Host, Net
from .pki import dn
from .scene import DATA, DATA_PORT, GSAKMP_PORT, REKEY, REKEY_PORT
from .story import GROUP, Story, need

SUBNETS = {"north": ("nord", ("alice", "bob")), "east": ("ost", ("carol", "dave")), "south": ("sued", ("erin", "frank"))}
SUBORDINATES = [server for server, _ in SUBNETS.values()]
PRETENDER, LATE = "west", "grace"
BEHIND = {member: server for server, members in SUBNETS.values() for member in members} | {LATE: "sued"}
MEMBERS = [m for m in BEHIND if m != LATE]


class Stage:
    """Four segments, one router that forwards unicast and multicast between all of them."""

    def __init__(self, prefix: str = "", only: list = ()):
        self.net = Net(prefix)
        hq = self.net.segment("hq", 1)
        for name, number in (("owner", 10), ("keys", 11), (PRETENDER, 12), ("eve", 40)):
            self._host(name, hq, number, only)
        segments = [hq]
        for i, (subnet, (server, members)) in enumerate(SUBNETS.items(), 2):
            segments.append(self.net.segment(subnet, i))
            late = (LATE,) if BEHIND[LATE] == server else ()
            for number, name in enumerate((server, *members, *late), 11):
                self._host(name, segments[-1], number, only)
        self.net.router("router", segments)
        self.net.multicast(*REKEY.values(), *DATA.values())

    def _host(self, name: str, segment, number: int, only: list) -> None:
        if not only or name in only:
            self.net.host(name, segment, number)

    def __getitem__(self, name: str) -> Host:
        return self.net.hosts[name]

    def close(self) -> None:
        self.net.close()


# -- forms ----------------------------------------------------------------------------------------------------------------

def policy(story, named: list = SUBORDINATES, excluded: list = (), edition: int = 0, authorised: list = None) -> str:
    """The usual policy, with subordinates.  `named` are in subGCKS, `authorised` (the same, if not given) in authSubs."""
    text = forms.policy(story, excluded, edition)
    entities = [forms.entity(story.pki, "entity", n, 12) for n in named]
    authorised = [forms.entity(story.pki, "entity", n, 10) for n in (named if authorised is None else authorised)]
    rules = [forms.entity(story.pki, "rule", n, 10) for n in (*SUBORDINATES, PRETENDER)]
    sub = "        <sub-gcks>\n          <gcks>\n" + "".join(entities) + "          </gcks>\n        </sub-gcks>\n"
    for old, new in (("        </gcks>\n        <senders>", "        </gcks>\n" + sub + "        <senders>"),
                     ("        <access-control>\n", "        <access-control>\n" + "".join(rules)),
                     ("        <none/>\n      </sub-gcks-info>",
                      "        <autonomous>\n" + "".join(authorised) + "        </autonomous>\n      </sub-gcks-info>")):
        need(text.count(old) == 1, f"the usual policy has one {old.strip()}")
        text = text.replace(old, new)
    return text


def announce(story, name: str, *servers: str) -> None:
    """announcement-NAME.xml: the group, reached at these key servers, in this order."""
    p, plain = story.pki.parties["owner"], f"announcement-{name}.plain.xml"
    lines = "".join(f'  <key-server address="{story.address(s)}" port="{GSAKMP_PORT}">{dn(s)}</key-server>\n' for s in servers)
    text = forms.announcement(story)
    old = f'  <key-server address="{story.address("keys")}" port="{GSAKMP_PORT}">{dn("keys")}</key-server>\n'
    need(text.count(old) == 1, "the usual announcement names keys")
    (story.dir / "policy" / plain).write_text(text.replace(old, lines))
    story.token_tool("announce", "--cert", p.cert, "--key", p.key, plain, "-o", f"announcement-{name}.xml")


def sgcks(story, name: str, up: str = "primary") -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<gsakmp-gcks>
{forms.who(story, name)}  <listen workers="1">
    <udp address="{story.address(name)}" port="{GSAKMP_PORT}"/>
    <tcp address="{story.address(name)}" port="{GSAKMP_PORT}"/>
  </listen>
  <group name="{story.group}">
    {forms.group_id(story)}
    <upstream file="{story.dir / "policy" / f"announcement-{up}.xml"}" interface="eth0" timeout="1s" retries="3" retry="1s"
              backoff="500ms" missed="1s"/>
    <multicast address="{REKEY[story.ip]}" port="{REKEY_PORT}" interface="eth0" ttl="8"/>
    <rekey resend-spacing="300ms"/>
    <registration timeout="5s"/>
  </group>
{forms.run(story)}</gsakmp-gcks>
"""


def gm(story, name: str) -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<gsakmp-gm>
{forms.who(story, name)}  <announcement file="{story.dir / "policy" / f"announcement-{BEHIND[name]}.xml"}"/>
  <network interface="eth0"/>
  <membership timeout="1s" retries="3" grace="3s" backoff="500ms" silence="{story.silence}"/>
{forms.run(story)}</gsakmp-gm>
"""


# -- the story ------------------------------------------------------------------------------------------------------------

class Distributed(Story):
    Stage = Stage
    STEPS = ("policy", "primary", "subordinates", "everybody_joins", "data", "evict", "primary_away", "subordinate_killed",
             "destroy", "aftermath")

    def __init__(self, directory: Path, *args, silence: str = "10s", **kw):
        """`silence`: how long members wait for a subordinate that does not pass on what the primary sent."""
        self.subs, self.silence = {}, silence
        super().__init__(directory, *args, **kw)

    def daemons(self) -> list:
        return [d for d in (self.owner, *self.members.values(), *self.subs.values(), self.keys) if d]

    def key_servers(self) -> list:
        return [self.keys, *self.subs.values()]

    def state(self, name: str) -> dict:
        """What the subordinate's status says of the group."""
        return self.subs[name].control("status")["groups"][0]

    def policy(self) -> dict:
        self.tell.step(1, "A policy that names subordinates")
        (self.dir / "policy").mkdir()
        for name in ("owner", "keys", *SUBORDINATES, PRETENDER, *MEMBERS, LATE):
            self.pki.issue(name, dns=f"{name}.lab.example")
        xml, signed = forms.compile_and_sign(self, policy(self))
        announce(self, "primary", "keys")
        for i, name in enumerate(SUBORDINATES):
            announce(self, name, name, SUBORDINATES[(i + 1) % len(SUBORDINATES)])
        if self.delivery == "tls":
            self.owner = self.daemon("owner", "msec-go", forms.owner(self))
            self.owner.start()
        self.tell.say(f"keys is the key server of {GROUP}; {', '.join(SUBORDINATES)} may be its subordinates, each on a subnet of its "
                      f"own, in autonomous mode. Signed announcements tell members which key server is theirs, and which comes next.")
        return {"token": signed, "xml": xml}

    def primary(self) -> dict:
        return self.key_server()

    def subordinate(self, name: str, up: str = "primary") -> Daemon:
        d = self.subs[name] = self.daemon(name, "gsakmp-gcks", sgcks(self, name, up))
        return d

    def subordinates(self, *names: str) -> dict:
        """They register as members, find themselves in the token, and serve.  west does not."""
        self.tell.step(3, "Members that become key servers")
        new = [self.subordinate(n) for n in names or SUBORDINATES]
        marks = {d: d.launch() for d in new}
        with self.tell.waiting("starting the subordinates") as progress:
            wait_all(new, "serving", marks=marks, progress=progress)
        for d in new:
            joined = d.find("joined")
            need(joined and "keys" in str(joined[0].get("peer")), f"{d.name} serves without having registered at the primary")
        self.tell.say(f"{', '.join(d.name for d in new)} registered with keys as members, found themselves in subGCKS and authSubs of the "
                      f"token, planted key trees of their own and listen on port {GSAKMP_PORT}.")
        return {"served_by": [d.name for d in new]}

    def pretender(self) -> dict:
        """Configured as a subordinate, admitted as a member, not named by the token."""
        west = self.subordinate(PRETENDER)
        west.start()
        self.keys.wait("member-active", where=lambda e: PRETENDER in str(e.get("peer")))
        # Any join at the primary brings a new key; let that be over before the next step.
        mark = self.keys.mark()
        self.keys.control("rekey", GROUP)
        sequence = self.keys.wait("rekeyed", since=mark)["sequence"]
        wait_all([self.subs[n] for n in SUBORDINATES if n in self.subs], "rekeyed", group=f"{GROUP}/upstream",
                 where=lambda e: e["sequence"] >= sequence)
        refusal = west.wait("suspended")
        need(not west.find("serving"), "west serves without the token's word")
        state = self.state(PRETENDER)
        need(state["upstream"]["state"] == "Wait for Group Membership Event" and not state["upstream"]["serving"],
             f"west is {state['upstream']}")
        self.tell.refused(PRETENDER, f"is a member, and no more: {refusal.get('reason')} ({refusal.get('req')}).")
        return refusal

    def _member(self, name: str) -> Daemon:
        d = self.members[name] = self.daemon(name, "gsakmp-gm", gm(self, name))
        return d

    def join(self, *names: str) -> dict:
        new, marks, start = self.asking(*names)
        took = {}
        for d in new:
            event = wait_all([d], "joined", marks=marks)[0]
            took[d.name] = time.monotonic() - start
            need(BEHIND[d.name] in str(event.get("peer")), f"{d.name} is registered at {event.get('peer')}")
            self.subs[BEHIND[d.name]].wait("member-active", where=lambda e, n=d.name: n in str(e.get("peer")))
        return took

    def everybody_joins(self) -> dict:
        self.tell.step(4, "Members join behind the subordinates")
        refusal = self.pretender()
        mark = self.keys.mark()
        took = self.join(*MEMBERS)
        need(not self.keys.find("message", since=mark, direction="in"), "a join concerned the primary")
        self.tell.say(f"{', '.join(MEMBERS)} asked the key server on their own subnet; the last was in after {max(took.values()):.2f} s. "
                      f"The primary was not asked, and knows of three members: its subordinates.")
        return {"took": took, "refusal": refusal}

    def data(self) -> dict:
        self.tell.step(5, "One source, read behind every subordinate")
        listeners = [m for m in MEMBERS if m != "alice"]
        for name in listeners:
            self.apps[name] = self.app(name, "receive", *(["--keep-keys"] if name == "carol" else []))
        self.apps["eve"] = self.app("eve", "receive")
        for a in self.apps.values():
            a.wait("receiving")
        self.source = self.apps["alice"] = self.app("alice", "send", "--rate", 100)
        with self.tell.waiting("data flows") as progress:
            for a in self.readers(*listeners):
                wait_all([a], "report", where=lambda e: e["received"] >= 100, progress=progress)
            self.apps["eve"].wait("report", where=lambda e: e["waiting"] + sum(e["unreadable"].values()) >= 100)
        need(self.apps["eve"].find("report")[-1]["received"] == 0, "eve reads")
        self.tell.say(f"alice, behind nord, multicasts to {DATA[self.ip]}:{DATA_PORT}. {', '.join(listeners)} read every datagram across the "
                      f"router: the traffic key is the primary's, whoever handed it out. eve reads nothing.")
        return {"listeners": listeners}

    def evict(self) -> dict:
        """carol is expelled by ost; the primary makes a new key; the owner keeps her out everywhere."""
        self.tell.step(6, "Expelled behind one subordinate, out everywhere")
        old, mark = self._handle(), self.source.mark()
        stay = [m for m in MEMBERS if m not in ("alice", "carol")]
        marks = {self.members[n]: self.members[n].mark() for n in ("alice", *stay)}
        begun = time.monotonic()
        self.subs["ost"].control("evict", "carol")
        expelled = self.keys.wait("expelled", where=lambda e: "carol" in str(e.get("peer")))
        self.subs["ost"].wait("expulsion-accepted")
        wait_all(list(marks), "rekeyed", marks=marks)
        took = time.monotonic() - begun
        switch = self._switched(old, stay, "everybody changes keys", mark)
        self._deaf("carol", switch["handle"])
        at, mark = {d: d.mark() for d in self.subs.values()}, self.source.mark()
        self.exclude("carol")
        wait_all(list(at), "token", marks=at)
        # keys cannot know whether she is behind somebody: the token comes with a new key.
        self._switched(switch["handle"], stay, "the exclusion brings a new key", mark)
        self.tell.say(f"ost took carol out of its tree and told keys in a Request to Depart. keys made a new key, the subordinates "
                      f"passed it on, and {took:.2f} s after the command all others had it. carol, with every key she ever had, read "
                      f"nothing from datagram {switch['sequence']} on. Then the Group Owner excluded her: no key server takes her in.")
        return {"switch": switch, "expelled": expelled, "took": took}

    def exclude(self, name: str) -> None:
        self.gone = [*getattr(self, "gone", ()), name]
        if self.delivery == "tls":
            self.owner.control("exclude", dn(name), GROUP)
        else:
            self.edition += 1
            forms.compile_and_sign(self, policy(self, excluded=self.gone, edition=self.edition))

    def present(self, *without: str) -> list:
        return [n for n in (*MEMBERS, LATE) if n in self.members and n not in ("carol", *without)]

    def nobody_rejoined(self, marks: dict) -> None:
        for d, m in marks.items():
            need(not d.find("joined", since=m), f"{d.name} had to join again")

    def primary_away(self) -> dict:
        """kill -9 to the primary; behind the subordinates life goes on; it comes back and rekeys."""
        self.tell.step(7, "The primary dies, and returns")
        marks = {self.members[n]: self.members[n].mark() for n in self.present()}
        self.keys.kill()
        took = self.join(LATE)[LATE]
        self.apps[LATE] = self.app(LATE, "receive")
        self.apps[LATE].wait("report", where=lambda e: e["received"] >= 50)
        back = self.keys.start()
        old, at = self._handle(), self.source.mark()
        self.keys.control("rekey", GROUP)
        wait_all([self.members[n] for n in self.present()], "rekeyed", marks={**marks, self.members[LATE]: 0})
        stay = [n for n in self.present("alice")]
        switch = self._switched(old, stay, "the members follow the returned primary", at)
        self.nobody_rejoined(marks)
        need(not self.keys.find("member-active", since=back), "a subordinate registered again")
        self.tell.say(f"While keys was dead, grace joined behind sued in {took:.2f} s and read alice's data. Back from its store, keys "
                      f"rekeyed: all members have the new key since datagram {switch['sequence']}, and nobody had to join again.")
        return {"switch": switch, "took": took}

    def subordinate_killed(self, name: str = "nord") -> dict:
        """kill -9 to a subordinate in the middle of passing on a rekey."""
        self.tell.step(8, "A subordinate dies, and returns")
        sub = self.subs[name]
        marks = {self.members[n]: self.members[n].mark() for n in self.present()}
        mark = sub.mark()
        old, at = self._handle(), self.source.mark()
        self.keys.control("rekey", GROUP)
        before = sub.wait("rekeyed", since=mark, group=GROUP)["sequence"]
        sub.kill()
        mark = sub.start()
        sub.wait("serving", since=mark)
        sub.wait("joined", since=mark)
        self.source.wait("switch", since=at, where=lambda e: e["handle"] not in (None, old))
        old, at = self._handle(), self.source.mark()
        self.keys.control("rekey", GROUP)
        after = sub.wait("rekeyed", since=mark, group=GROUP, where=lambda e: e["sequence"] > before)["sequence"]
        self._switched(old, self.present("alice"), "everybody follows", at)
        self.nobody_rejoined(marks)
        need(not sub.find("member-active", since=mark), f"somebody registered again at {name}")
        self.tell.say(f"kill -9 hit {name} while its Rekey Event {before} was leaving. It came back with its tree and its members, "
                      f"registered with keys again, and passed the next key on under Sequence ID {after}.")
        return {"before": before, "after": after}

    def destroy(self) -> dict:
        self.tell.step(9, "The group is destroyed")
        present = self.present()
        marks = {self.members[n]: self.members[n].mark() for n in present}
        mark = self.source.mark()
        self.keys.control("destroy", GROUP)
        events = wait_all([self.members[n] for n in present], "destroyed", marks=marks)
        self.source.wait("switch", since=mark, handle=None)
        for name in SUBORDINATES:
            self.subs[name].wait("destroyed", group=GROUP)
            need(self.state(name)["state"] == "destroyed", f"{name} still has a group")
        self.tell.say("The end came from keys, and each subordinate said so to its own. Everybody wiped the keys, and alice fell silent.")
        return {"events": events}
