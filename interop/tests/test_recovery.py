# SPDX-License-Identifier: BSD-2-Clause
"""A key server on other hardware, with its store, and without: what common/doc/operation.md says of it."""
import json
import shutil
import socket

import pytest

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
