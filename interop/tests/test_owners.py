# SPDX-License-Identifier: BSD-2-Clause
"""Several groups and several Group Owners at one key server, and what an owner remembers of its editions."""
import json
import shutil
import socket

import pytest

from lab import LabError
from lab.daemons import wait_all
from lab.pki import dn
from lab.town import Town


@pytest.fixture
def town(tmp_path, net_prefix):
    with Town(tmp_path, net_prefix, ["owner", "other", "keys", "gm0", "gm1"]) as t:
        yield t
        t.finish()


def join(*daemons):
    for d in daemons:
        d.control("join")
    wait_all(daemons, "joined")


def handles(daemon, *group):
    return {k["handle"] for k in daemon.control("keys", *group) if k["state"] == "current"}


def group_of(keys, name):
    return next(g for g in keys.control("status")["groups"] if g["group"] == name)


@pytest.mark.req("RFC4535-3.5-01", "RFC4535-4.1.2-01", "RFC4535-4.4.3-01", "RFC4535-4.1.5-01")
def test_one_key_server_for_the_groups_of_two_owners(town):
    """A member is in both; each owner rules its own group and nothing else."""
    news, chat = town.template("news"), town.template("chat", "conference", owner="other")
    for g in (news, chat):
        town.publish(g)
    keys = town.gcks(news, chat)
    assert [group_of(keys, n)["owner"] for n in ("news", "chat")] == [f"dn:{dn(o)}" for o in ("owner", "other")]
    gms = [town.gm("gm0", news, "gm0-news"), town.gm("gm0", chat, "gm0-chat"), town.gm("gm1", chat, "gm1-chat")]
    join(*gms)
    assert {m["peer"] for m in keys.control("members", "chat")} == {f"dn:{dn('gm0')}", f"dn:{dn('gm1')}"}
    # An eviction in one group is none in the other.
    marks = {d: d.mark() for d in gms}
    keys.control("evict", "gm0", "chat")
    gms[2].wait("rekeyed", since=marks[gms[2]])
    assert [m["peer"] for m in keys.control("members", "news")] == [f"dn:{dn('gm0')}"]
    keys.control("rekey", "news")
    gms[0].wait("rekeyed", since=marks[gms[0]])
    assert handles(gms[0]) == handles(keys, "news") and handles(gms[1]) != handles(keys, "chat")
    # The end of one is not the end of the other.
    keys.control("destroy", "chat")
    gms[2].wait("destroyed")
    assert group_of(keys, "news")["state"] == "open"
    with pytest.raises(LabError):
        keys.control("members")  # which group?


@pytest.mark.req("RFC4534-2-08", "RFC4535-4.2.2-01", "RFC4535-4.4.6-01")
def test_an_owner_cannot_touch_the_group_of_another(town):
    """The other owner's signature on the right GroupID: refused by key server and member, with nothing changed."""
    news, chat = town.template("news"), town.template("chat", owner="other")
    for g in (news, chat):
        town.publish(g)
    keys = town.gcks(news, chat)
    gm = town.gm("gm0", news)
    join(gm)
    forged = town.template("news", owner="other", number=news.number)
    forged.edition = 5
    town.publish(forged)
    mark = keys.mark()
    shutil.copy(forged.token, news.token.with_suffix(".new"))
    news.token.with_suffix(".new").rename(news.token)
    with pytest.raises(LabError, match="RFC4534-2-08"):
        keys.control("token", "news")
    assert keys.wait("refused", since=mark)["req"] == "RFC4534-2-08"
    assert group_of(keys, "news")["edition"] == 1 and len(keys.control("members", "news")) == 1
    # A member that believes the other owner is not taken in by the true one either.
    astray = town.gm("gm1", forged)
    mark = astray.mark()
    astray.control("join")
    assert astray.wait("refused", since=mark)["req"] == "RFC4534-2-08"
    assert not astray.find("joined")


@pytest.mark.req("RFC4535-4.4.3-08", "RFC4535-4.4.3-06", "RFC4535-4.4.3-07", "RFC4534-3.1-03")
def test_what_an_owner_remembers(town):
    """Who made an edition and why, and which key server has taken it: also after a crash."""
    news = town.template("news")
    owner = town.go("owner", news)
    town.publish(news)  # for the announcement only
    keys = town.gcks(news, tls=True)
    keys.wait("token")
    owner.wait("acknowledged")
    gm = town.gm("gm0", news)
    join(gm)
    mark, at = owner.mark(), gm.mark()
    owner.control("exclude", dn("gm9"), message="left the company", operator="anna", uid=4711)
    owner.wait("acknowledged", since=mark)
    assert gm.wait("token", since=at)["edition"] == 2
    owner.kill()
    owner.start()
    first, second = owner.control("history", "news")
    assert first["what"] == "first edition" and second["what"] == f"exclude {dn('gm9')}"
    assert (second["reason"], second["operator"]) == ("left the company", "anna")
    assert second["uid"] != 4711, "the kernel says who it was"
    answers = owner.control("answers", "news")
    assert [(a["edition"], a["answer"]) for a in answers] == [(1, "taken"), (2, "taken")]
    assert all("keys" in a["key_server"] for a in answers)
    taken = owner.control("status")["groups"][0]["taken_by"]
    assert list(taken.values()) == [2]
    lines = owner.control("diff", 1, 2, "news")
    assert any(line["change"] == "added" and "gm9" in line["line"] for line in lines)
    mark = owner.mark()
    owner.wait("subscribed", since=mark - 1)
    owner.control("readmit", dn("gm9"))
    owner.wait("acknowledged", since=mark)
    assert owner.control("groups")[0]["edition"] == 3
    assert gm.wait("token", since=at, where=lambda e: e["edition"] == 3)


@pytest.mark.req("RFC4535-4.4.3-08")
@pytest.mark.refuses("RFC4534-3.1-03")
def test_an_owner_that_lost_its_store(town):
    """It begins at edition 1 again, and nobody believes that; a policy with a greater edition mends it."""
    news = town.template("news")
    owner = town.go("owner", news)
    town.publish(news)  # for the announcement only
    keys = town.gcks(news, tls=True)
    owner.wait("acknowledged")
    gm = town.gm("gm0", news)
    join(gm)
    mark = owner.mark()
    owner.control("exclude", dn("gm9"))
    owner.wait("acknowledged", since=mark)
    gm.wait("token", where=lambda e: e["edition"] == 2)
    newest = owner.control("groups")[0]["signing_time"]
    owner.kill()
    for f in (town.dir / "daemons").glob("owner.db*"):
        f.unlink()
    town.outlive(newest)
    mark, at, told = keys.mark(), gm.mark(), owner.mark()
    owner.start()
    assert keys.wait("refused", since=mark)["req"] == "RFC4534-3.1-03"
    owner.wait("token-refused", since=told)
    assert owner.control("groups")[0]["edition"] == 1 and owner.control("answers")[-1]["answer"] == "refused"
    assert group_of(keys, "news")["edition"] == 2 and not gm.find("token", since=at)
    mended = town.dir / "mended.xml"
    mended.write_text(news.policy.read_text().replace("<policy>", '<policy edition="10">', 1))
    mark = owner.mark()
    owner.control("publish", mended, message="the store was lost")
    owner.wait("acknowledged", since=mark)
    assert gm.wait("token", since=at)["edition"] == 10


@pytest.mark.req("RFC4535-5.3.2.1-01", "RFC4535-5.3.2.1-02", "RFC4534-B.1.2-04", "RFC4535-4.4.6-01")
@pytest.mark.refuses("RFC4535-5.2.1.1-15")
def test_whom_the_owner_excludes_is_out_and_stays_out(town):
    """One command at the Group Owner: the key server rekeys without that member, which cannot come back until it is readmitted,
    whoever of them is started again meanwhile."""
    news = town.template("news")
    owner = town.go("owner", news)
    town.publish(news)  # for the announcement only
    keys = town.gcks(news, tls=True)
    owner.wait("acknowledged")
    gms = [town.gm("gm0", news), town.gm("gm1", news)]
    join(*gms)
    old, marks = handles(gms[1]), [d.mark() for d in gms]
    owner.control("exclude", dn("gm1"), message="found in the wrong hands")
    assert gms[0].wait("token", since=marks[0])["edition"] == 2
    gms[0].wait("rekeyed", since=marks[0])
    gms[1].wait("left", since=marks[1])
    assert [m["peer"] for m in keys.control("members")] == [f"dn:{dn('gm0')}"]
    assert handles(gms[0]) == handles(keys) and not handles(keys) & old and not gms[1].control("keys")
    for again in (False, True):
        if again:
            keys.kill()
            keys.start()
        mark, at = keys.mark(), gms[1].mark()
        gms[1].control("join")
        assert keys.wait("refused", since=mark)["req"] == "RFC4535-5.2.1.1-15"
        gms[1].wait("left", since=at)
        assert not gms[1].find("joined", since=at)
    mark = keys.mark()
    owner.control("readmit", dn("gm1"))
    keys.wait("token", since=mark)
    at, of = gms[1].mark(), gms[0].mark()
    gms[1].control("join")
    gms[1].wait("joined", since=at)
    new, = handles(gms[1])
    gms[0].wait("key-install", since=of, where=lambda e: e["handle"] == new)


def test_a_refused_edition_is_remembered_too(town):
    """A key server that the policy is of no use to says why; the owner finds it in its records."""
    news = town.template("news")
    owner = town.go("owner", news)
    keys = town.gcks(news, tls=True)
    owner.wait("acknowledged")
    text = news.policy.read_text()
    bad = town.dir / "bad.xml"
    bad.write_text(text.replace('key-id="00000001"', 'key-id="00000002"'))  # members hold the other
    mark = owner.mark()
    owner.control("publish", bad, message="a mistake")
    owner.wait("token-refused", since=mark)
    assert [(a["edition"], a["answer"]) for a in owner.control("answers")] == [(1, "taken"), (2, "refused")]
    assert owner.control("answers")[1]["reason"]
    assert list(owner.control("status")["groups"][0]["taken_by"].values()) == [1]
    keys.control("status")


def test_the_message_is_data(town):
    """Whatever an operator writes comes back as it was, and cannot pose as something else."""
    news = town.template("news")
    owner = town.go("owner", news)
    evil = 'x","uid":0,"operator":"root\x1b[2J\n'
    owner.control("exclude", dn("gm9"), message=evil)
    assert owner.control("history")[1]["reason"] == evil
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(owner.control.path))
        s.sendall(json.dumps({"cmd": "readmit", "args": [dn("gm9")], "message": 7, "operator": ["x"]}).encode() + b"\n")
        assert json.loads(s.makefile().readline())["ok"]
    assert owner.control("history")[2]["reason"] == owner.control("history")[2]["operator"] == ""
