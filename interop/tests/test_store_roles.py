# SPDX-License-Identifier: BSD-2-Clause
"""A daemon that is shown the store of another program does not begin beside its rows: it says whose it is, and ends."""
import re
import sqlite3

import pytest

from lab.gdoi import opened

STORE = 4
ROLE = "FROM row WHERE tab = 'store' AND key = CAST('role' AS BLOB)"


def path(daemon):
    return daemon.directory / re.search(r'<store path="([^"]+)"', daemon.config.read_text()).group(1)


def role(store):
    db = sqlite3.connect(store)
    rows = db.execute(f"SELECT CAST(value AS TEXT) {ROLE}").fetchall()
    db.close()
    return rows[0][0] if rows else None


def forget(store):
    """As a version has left it that did not put down whose it is."""
    db = sqlite3.connect(store)
    assert db.execute(f"DELETE {ROLE}").rowcount == 1
    db.commit()
    db.close()


def shown(daemon, store, *said):
    """It is shown this store, refuses it, and leaves it as it was."""
    own = path(daemon)
    text = daemon.config.read_text()
    daemon.write(text.replace(f'<store path="{own.name}"', f'<store path="{store.name}"'))
    daemon.launch()
    assert daemon.wait_end() == STORE
    log = "\n".join(daemon.tail(10))
    assert all(word in log for word in (store.name, *said)), log
    daemon.write(text)


def both(keys, member, names, unmarked="is the store of a {}"):
    """The server's store and the member's, each in the other's hands, with its mark and without; what is said of that of a
    server that has none."""
    stores = {keys: path(keys), member: path(member)}
    for (d, store), (other, mine), name in zip(stores.items(), reversed(stores.items()), names):
        assert store.parent == mine.parent and role(store) == name
        for there in (name, None):
            if there is None:
                forget(store)
            said = unmarked if there is None and d is keys else "is the store of a {}"
            shown(other, store, said.format(name))
            assert role(store) == there


def test_of_gsakmp(group):
    s = group("alice")
    alice = s.members["alice"]
    s.keys.control("rekey")
    alice.wait("rekeyed")
    alice.finish()
    s.keys.finish()
    both(s.keys, alice, ("gsakmp-gcks", "gsakmp-gm"))
    s.keys.start()
    assert s.keys.control("status")["groups"][0]["members"] == 1
    s.keys.control("rekey")
    s.keys.finish()
    assert role(path(s.keys)) == "gsakmp-gcks", "with the first change it says so again"


def test_of_gdoi(tmp_path, net_prefix):
    with opened(tmp_path, net_prefix) as make:
        g = make("alice")
        alice = g.member("alice")
        alice.start()
        alice.control("join")
        alice.wait("joined")
        g.keys.control("rekey", "tek")
        alice.wait("rekeyed")
        alice.finish()
        g.keys.finish()
        both(g.keys, alice, ("gdoi-gcks", "gdoi-gm"), "has format version 4")
        g.keys.start()
        assert g.status()["members"] == 1
        g.keys.control("rekey", "tek")
        g.keys.finish()
        assert role(path(g.keys)) == "gdoi-gcks", "with the first change it says so again"
