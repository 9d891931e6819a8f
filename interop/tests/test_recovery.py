# SPDX-License-Identifier: BSD-2-Clause
"""A key server on other hardware, with its store, and without: what common/doc/operation.md says of it."""
import json
import re
import shutil
import socket

import pytest

from lab import TOP
from lab.by_hand import ByHand, commands, examples
from lab.process import PATIENCE

ADDRESS = {"gcks": "192.0.2.1", "alice": "192.0.2.2", "bob": "192.0.2.3"}


@pytest.fixture
def hand(net, ended):
    return ended(ByHand(net, ADDRESS))


class Group:
    """The group of the manual pages; `member` is one of it, that goes on while its key server changes hosts."""

    def __init__(self, hand, protocol):
        self.hand, self.protocol = hand, protocol
        keys, gm = f"{protocol}-gcks", f"{protocol}-gm"
        files, keys_xml, after, *_ = examples(f"{protocol}/man/{keys}.xml.5")
        gm_xml, then = examples(f"{protocol}/man/{gm}.xml.5")
        hand.typed("gcks", files)
        name = {"gdoi": "gm1", "gsakmp": "alice"}[protocol]
        (hand.path / "gcks.xml").write_text(keys_xml)
        (hand.path / f"{name}.xml").write_text(gm_xml)
        self.run = commands(after)[1]
        self.keys = hand.start("gcks", keys, self.run)
        hand.hosts[name], member_run = hand.hosts["alice"], commands(then)[1]
        self.member = hand.start(name, gm, member_run)
        self.member.wait("joined")
        if protocol == "gsakmp":
            self.keys.wait("member-active")

    def gone(self, with_store: bool) -> None:
        """The host has died, and another one has its address and its configuration."""
        self.keys.kill()
        spare = self.hand.path / "spare"
        spare.mkdir()
        for p in list(self.hand.path.glob("gcks.db*")):
            if with_store:
                shutil.copy(p, spare)
            p.unlink()
        for p in spare.iterdir():
            shutil.move(p, self.hand.path / p.name)
        self.keys = self.hand.start("gcks", f"{self.protocol}-gcks", self.run)

    def octets(self) -> set:
        """The keys that the member hands to applications: those in force, of which it tells who begins to listen."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(PATIENCE)
            s.connect(str(self.member.control.path))
            s.sendall(b'{"cmd":"subscribe","args":["keys"]}\n')
            lines, count = s.makefile(), len(self.member.control("keys"))
            next(lines)  # that it is subscribed
            return {str(json.loads(next(lines))) for _ in range(count)}


@pytest.fixture(params=["gdoi", "gsakmp"])
def group(hand, request):
    return Group(hand, request.param)


def test_a_key_server_moves_with_its_store_and_nobody_notices(group):
    mark = group.member.mark()
    group.gone(with_store=True)
    assert len(group.keys.control("members")) == 1
    group.keys.control("rekey")
    group.member.wait("rekeyed", since=mark)
    assert not group.member.find("joined", since=mark) and not group.member.find("stale", since=mark)


def test_without_its_store_it_begins_anew_and_members_have_to_come(group):
    """Its keys are others; what it multicasts says nothing to members of before, who keep theirs until they come again."""
    before, mark = group.octets(), group.member.mark()
    group.gone(with_store=False)
    assert group.keys.control("members") == []
    group.keys.control("rekey")
    assert group.octets() == before and not group.member.find("rekeyed", since=mark)
    again = {"gdoi": ["reregister"], "gsakmp": ["leave silently", "join"]}[group.protocol]
    for words in again:
        group.member.control(*words.split())
    group.member.wait("joined", since=mark)
    assert group.octets() - before
    mark = group.member.mark()
    group.keys.control("rekey")
    group.member.wait("rekeyed", since=mark)


# -- what operation.md has typed ----------------------------------------------------------------------------------------

def boxes(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```", (TOP / "common/doc/operation.md").read_text(), re.S | re.M)


def here(text):
    """Stores and sockets beside the configuration, and two members instead of fifty."""
    return text.replace("/var/lib/msec/", "").replace("/run/msec/", "").replace("members=50", "members=2")


def test_what_the_page_has_typed_makes_a_group_and_what_it_watches_is_there(hand):
    make, write, come = boxes("sh")
    gcks_xml, gm_xml = boxes("xml")
    hand.typed("gcks", here(make))
    (hand.path / "gcks.xml").write_text(here(gcks_xml))
    (hand.path / "gm.xml.in").write_text(here(gm_xml))
    said = hand.typed("gcks", "members=2\n" + write)
    assert said.count("good") == 3
    keys = hand.start("gcks", "gdoi-gcks", "gdoi-gcks -c gcks.xml &")
    keys.control.path = hand.path / "gdoi-gcks.sock"
    hand.hosts["gm1"] = hand.hosts["alice"]
    member = hand.start("gm1", "gdoi-gm", "gdoi-gm -c gm1.xml &")
    member.control.path = hand.path / "gdoi-gm.sock"
    member.wait("joined")
    status, (group,) = keys.control("status"), keys.control("status")["groups"]
    assert status["store_ok"] is True and {"queue", "phase1"} <= set(status) and "half_open" in status["phase1"]
    assert group["state"] == "open" and (group["members"], group["capacity"], group["full"]) == (1, 256, False)
    assert {"unresponsive", "senders", "sender_last"} <= set(group)
    mine = member.control("status")
    assert [g["state"] for g in mine["groups"]] == ["member"] and mine["groups"][0]["failure"] is None
    assert "blocked_selectors" in mine["kernel"] and mine["store_failing"] is False
    mark = member.mark()
    assert re.search(r"ssh gm\$n msec-ctl /run/msec/gdoi-gm.sock (\w+);", come)[1] == "reregister"
    member.control("reregister")
    member.wait("joined", since=mark)
