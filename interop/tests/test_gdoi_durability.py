# SPDX-License-Identifier: BSD-2-Clause
"""gdoi-gcks is killed at its durable writes: no SEQ repeats or goes back, and nobody has to register again."""
import re
import sqlite3

import pytest

from lab import faults
from lab import gdoi_forms as forms
from lab.gdoi_peers import Ground
from msec_scapy.gdoi import numbers as n

SEED = 6407


@pytest.fixture
def group(tmp_path, net_prefix):
    with Ground(tmp_path / "group", ["alice", "bob", "carol"], prefix=net_prefix) as g:
        g.start()
        yield g


def live(g, n, how):
    """It is started with a fault waiting, and told to do things until it is dead."""
    g.keys.kill()
    if not faults.start(g.keys, **faults.armed(n, how)):
        return
    try:
        for _ in range(12):
            for words in (("rekey", "tek"), ("rekey", "kek"), ("evict", forms.fqdn("carol")), ("readmit", forms.fqdn("carol"))):
                reply = faults.order(g.keys, *words)
                assert reply is not None
    except faults.Dead:
        return
    raise AssertionError(f"{n}{how}: it lived on")


def follow_on(g, *peers):
    """A rekey after the restart reaches them all, without a registration."""
    start = g.keys.start()
    status = g.status()
    assert status["state"] == "open" and status["members"] >= len(peers)
    mark = g.keys.mark()
    g.keys.control("rekey", "tek")
    g.keys.wait("rekeyed", since=mark)
    current = {t["spi"] for t in g.keys.control("teks") if t["state"] != "old"}
    out = lambda seq: g.keys.find("rekeyed", since=start, sequence=seq) or g.keys.find("sent-again", since=start, sequence=seq)
    for p in peers:  # what was under way when it died goes out again, too
        p.wait("rekeyed", where=lambda f: set(f["teks"]) & current and out(f["seq"]))


def one_message_for_each_number(g):
    """No SEQ of a Rekey SA was used for two messages; which there were.  A message may be signed again."""
    said = {}
    for spi, number, m in g.pushes():
        content = tuple((p.type, p.body) for p in m.parts if p.type != n.P_SIG)
        assert said.setdefault((spi, number), content) == content, f"SEQ {number} of {spi.hex()} stands for two messages"
    return {(spi.hex(), number) for spi, number in said}


@pytest.mark.parametrize("points", [
    pytest.param(faults.sample(SEED, 4, 24), id="some"),
    pytest.param([(number, how) for number in range(1, 31) for how in faults.HOWS], id="all", marks=pytest.mark.long)])
@pytest.mark.req("RFC6407-5.7-02")
def test_killed_at_durable_writes(group, points):
    g = group
    alice, bob = g.follow("alice", "bob")
    g.follow("carol")
    for number, how in points:
        live(g, number, how)
        follow_on(g, alice, bob)
    assert alice.count("registered") == bob.count("registered") == 1
    g.finish()
    there = one_message_for_each_number(g)
    told = {e["sequence"] for e in g.keys.find("rekeyed")}
    assert told <= {number for _, number in there}, "what it said to be sent was there to be seen"
    assert len(there) >= len(points), "after each death there was a rekey"


def change(store, *sql):
    db = sqlite3.connect(store)
    changed = [db.execute(statement).rowcount for statement in sql]
    db.commit()
    version = db.execute("PRAGMA user_version").fetchone()[0]
    db.close()
    return version, changed


@pytest.mark.req("RFC6407-5.7-02")
def test_a_store_of_an_older_version(group):
    """Rows as they were before what is sent again, and who is behind a NAT, was put down: the group goes on."""
    g = group
    alice, = g.follow("alice")
    g.keys.control("rekey", "tek")
    g.keys.wait("rekeyed")
    g.keys.finish()
    store = g.keys.directory / re.search(r'<store path="([^"]+)"', g.keys.config.read_text()).group(1)
    assert change(store)[0] == 4
    version, changed = change(store, "PRAGMA user_version=1",
                              "DROP TABLE log",
                              "UPDATE row SET value = substr(value, 1, length(value) - 4) WHERE tab = 'gdoi-group'")
    assert version == 1 and changed[2] == 1
    g.keys.start()
    assert g.status()["members"] == 1
    mark = g.keys.mark()
    g.keys.control("rekey", "tek")
    number = g.keys.wait("rekeyed", since=mark)["sequence"]
    alice.wait("rekeyed", where=lambda f: f["seq"] == number)
    assert alice.count("registered") == 1
    g.finish()
    assert change(store)[0] == 4, "from the first change on, only this version reads it"
    one_message_for_each_number(g)
