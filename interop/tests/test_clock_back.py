# SPDX-License-Identifier: BSD-2-Clause
"""A key server whose clock was put back while it was down: it knows what time it was, says so, and no key lives longer for it."""
import re
import sqlite3
import time

import pytest

from lab import forms
from lab.gdoi_peers import Ground
from lab.story import Story
from msec_scapy.testing import ground

DAY = 86400


def store_of(daemon):
    return daemon.directory / re.search(r'<store path="([^"]+)"', daemon.config.read_text()).group(1)


def seen(daemon, value=None) -> int:
    """The time that a stopped daemon's store has seen; another one is put in its place."""
    db = sqlite3.connect(store_of(daemon))
    (octets,), = db.execute("SELECT value FROM row WHERE tab = 'clock'").fetchall()
    if value is not None:
        db.execute("UPDATE row SET value = ? WHERE tab = 'clock'", (int(value).to_bytes(8, "big"),))
        db.commit()
    db.close()
    return int.from_bytes(octets, "big")


def refused_at_the_start(daemon):
    """With clock-back="refuse"; the line of <store> is named."""
    text = daemon.config.read_text()
    daemon.write(text.replace("<store path=", '<store clock-back="refuse" path='))
    daemon.launch()
    assert daemon.wait_end() == 4
    line = text.split("<store ")[0].count("\n") + 1
    said = "\n".join(daemon.tail(5))
    assert f":{line}: <store>: the clock shows a time that is " in said, said
    daemon.write(text)


def stamp(text):
    return time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def in_vain(daemon):
    """A start that comes to nothing after the store was read: there is no such address here."""
    text = daemon.config.read_text()
    daemon.write(re.sub(r'(<udp [^>]*address=")[^"]*', r"\g<1>192.0.2.99", text))
    daemon.launch()
    assert daemon.wait_end() not in (0, 4), daemon.tail(5)
    daemon.write(text)


def ends(g):
    return {t["spi"]: t["expires"] for t in g.keys.control("teks") if t["state"] != "old"}


@pytest.mark.req("RFC6407-5.3.4-01")
def test_keys_of_gdoi_live_no_longer(tmp_path, net_prefix):
    with Ground(tmp_path / "group", ["alice", "bob"], prefix=net_prefix) as g:
        g.start()
        g.follow("alice")
        before = ends(g)
        g.keys.finish()
        now = time.time()
        assert abs(seen(g.keys, now + 600) - now) < 60, "it was written at the end"
        refused_at_the_start(g.keys)
        in_vain(g.keys)
        mark = g.keys.start()
        assert 590 < g.keys.wait("clock-back", since=mark)["seconds"] < 610
        after = ends(g)
        assert after.keys() == before.keys() and all(590 < stamp(before[s]) - stamp(after[s]) < 610 for s in before)
        bob, = g.follow("bob")
        assert {t.tek.spi.hex() for t in bob.member.teks.values()} == set(before)
        assert all(t.tek.lifetime <= 3000 for t in bob.member.teks.values())
        g.keys.finish()
        assert abs(seen(g.keys) - time.time()) < 60
        mark = g.keys.start()
        assert ends(g) == after and not [e for e in g.keys.events[mark:] if e["event"] == "clock-back"], "once"


def test_a_key_server_of_gsakmp_says_so_and_refuses_if_told_to(tmp_path, net_prefix):
    s = Story(tmp_path, f"{net_prefix}t-", delivery="file", only=["keys", "alice"])
    try:
        s.policy()
        keys = s.keys = s.daemon("keys", "gsakmp-gcks", forms.gcks(s))
        keys.start()
        keys.finish()
        assert abs(seen(keys, time.time() + DAY) - time.time()) < 60
        refused_at_the_start(keys)
        mark = keys.start()
        assert DAY - 60 < keys.wait("clock-back", since=mark)["seconds"] <= DAY
        keys.finish()
        assert abs(seen(keys) - time.time()) < 60
        mark = keys.start()
        assert not [e for e in keys.events[mark:] if e["event"] == "clock-back"]
        keys.finish()
        s.finish()
    finally:
        s.close()


@pytest.mark.req("RFC4534-B.5.3-02")
def test_the_next_rekey_of_gsakmp_comes_no_later(tmp_path, net_prefix):
    with ground.Ground(tmp_path, net_prefix) as g:
        keys = g.gcks(signed=g.make_token(rekey_event=("timeOnly", ("interval", 36000))))
        assert g.member("gm0", rekeys=False).join()
        keys.wait("member-active")
        due, = (stamp(x["next_rekey"]) for x in keys.control("status")["groups"])
        keys.finish()
        seen(keys, time.time() + 600)
        for _ in range(2):  # the second start finds nothing new, and has not forgotten
            keys.start()
            after, = (stamp(x["next_rekey"]) for x in keys.control("status")["groups"])
            assert 590 < due - after < 610
            keys.finish()


def scopes(daemon, table):
    db = sqlite3.connect(store_of(daemon))
    found = {bytes(scope): bytes(value) for scope, value in db.execute("SELECT scope, value FROM row WHERE tab = ?", (table,))}
    db.close()
    return found


@pytest.mark.req("RFC4535-5.3.1.3-01")
def test_what_is_the_daemons_own_does_not_go_with_a_group(tmp_path, net_prefix):
    """A version of before kept it in scopes that groups could have, this one too: it is found there, and is in none since."""
    with ground.Ground(tmp_path, net_prefix, group_id=b"announcements") as g:
        keys = g.gcks()
        assert g.member("gm0", rekeys=False).join()
        keys.finish()
        assert list(scopes(keys, "clock")) == [b""]
        later = int(time.time()) + 600
        db = sqlite3.connect(store_of(keys))
        db.execute("UPDATE row SET scope = CAST('clock' AS BLOB), value = ? WHERE tab = 'clock'", (later.to_bytes(8, "big"),))
        # what a subordinate's upstream would have left, now and then
        for scope in (b"", b"announcements"):
            db.execute("INSERT INTO row(scope, tab, key, value) VALUES(?, 'announcement', x'01', ?)", (scope, scope or b"own"))
        db.commit()
        db.close()
        mark = keys.start()
        assert 590 < keys.wait("clock-back", since=mark)["seconds"] <= 600
        keys.control("destroy", "ground")
        keys.wait("destroyed", since=mark)
        keys.finish()
        assert scopes(keys, "announcement") == {b"": b"own"}
        assert abs(int.from_bytes(scopes(keys, "clock")[b""], "big") - time.time()) < 60
