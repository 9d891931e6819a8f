# SPDX-License-Identifier: BSD-2-Clause
"""Another edition of a Group Owner's announcement, while members run: read again by SIGHUP, by the command, and before each
registration; and those that do not count."""
import datetime
import signal
import sqlite3

import pytest

from lab import forms

DEAD = "192.0.2.1"  # nobody there
POLICY = 6  # exit status, msec-ctl(1)


class Papers:
    """The announcement that a story's members read, as the Group Owner writes it."""

    def __init__(self, town):
        self.town, self.dir, self.text = town, town.dir / "policy", forms.announcement(town)

    def publish(self, serial, by="owner", **changed):
        p, text = self.town.pki.parties[by], self.text.replace('serial="1"', f'serial="{serial}"')
        for old, new in changed.values():
            assert text.count(old) == 1
            text = text.replace(old, new)
        (self.dir / "next.plain.xml").write_text(text)
        self.town.token_tool("announce", "--cert", p.cert, "--key", p.key, "next.plain.xml", "-o", "next.xml")
        (self.dir / "next.xml").rename(self.dir / "announcement.xml")

    def server(self, address):
        return f'address="{self.town.address("keys")}"', f'address="{address}"'


def shown(gm):
    return gm.control("status")["announcement"]


@pytest.fixture
def town(group):
    return group("alice", cast=["bob", "mallory"])


@pytest.fixture
def papers(town):
    return Papers(town)


def out(town):
    """alice, who is no member any more and is told a place where nobody is."""
    alice, papers = town.members["alice"], Papers(town)
    alice.control("leave")
    alice.wait("left")
    mark = alice.mark()
    papers.publish(2, server=papers.server(DEAD))
    alice.signal(signal.SIGHUP)
    alice.wait("announcement", since=mark, serial=2)
    return alice


def test_members_go_where_the_next_edition_says(town, papers):
    """It reaches a member in the middle of its requests to the wrong place."""
    alice = out(town)
    assert DEAD in alice.control("status")["key_server_address"]
    mark = alice.mark()
    alice.control("join")
    alice.wait("message", since=mark, direction="out", exchange="Request to Join")
    papers.publish(3)
    alice.control("reload")
    alice.wait("announcement", since=mark, serial=3)
    alice.wait("joined", since=mark)
    assert shown(alice)["serial"] == 3 and not shown(alice)["refused"]
    assert town.address("keys") in alice.control("status")["key_server_address"]


def test_a_registration_looks_for_another_edition(town, papers):
    """Without a signal: the file is read again first."""
    alice = out(town)
    papers.publish(3)
    mark = alice.mark()
    alice.control("join")
    alice.wait("announcement", since=mark, serial=3)
    alice.wait("joined", since=mark)


def test_a_membership_goes_on_and_hears_the_new_multicast_group(town, papers):
    alice = town.members["alice"]
    before = alice.control("status")
    mark = alice.mark()
    papers.publish(2, rekey=(f'<rekey group="{forms.REKEY[town.ip]}"', '<rekey group="239.77.77.77"'))
    alice.control("reload")
    alice.wait("announcement", since=mark, serial=2)
    after = alice.control("status")
    assert after["keys"] == before["keys"] and after["state"] == before["state"]
    assert "239.77.77.77" in after["multicast"]["group"] and after["multicast"]["joined"]
    joined = alice.host.run(["cat", "/proc/net/igmp"]).stdout
    assert "4D4D4DEF" in joined, "239.77.77.77"
    # and back, where the key server is heard again
    papers.publish(3)
    alice.control("reload")
    alice.wait("announcement", since=mark, serial=3)
    assert "4D4D4DEF" not in alice.host.run(["cat", "/proc/net/igmp"]).stdout
    town.keys.control("rekey")
    alice.wait("rekeyed", since=mark)


@pytest.mark.parametrize("name, serial, reason", (
    ("older", 1, "older than the one in use"), ("words", 2, "other words"), ("forged", 9, "not believed"), ("expired", 9, "not believed"),
    ("group", 9, "another group"), ("transport", 9, "needs a restart"), ("gone", 9, "file")))
def test_editions_that_do_not_count(town, papers, name, serial, reason):
    """What was announced before stays; so does the membership, and it can be entered again."""
    alice = town.members["alice"]
    mark = alice.mark()
    papers.publish(2)
    alice.control("reload")
    alice.wait("announcement", since=mark, serial=2)
    before = alice.control("status")["keys"]
    changed = {"words": {"server": papers.server(DEAD)},
               "expired": {"end": ('not-after="2100-', 'not-after="2001-')},
               "group": {"group": (f'name="{town.group}"', 'name="another"')},
               "transport": {"transport": ('transport="udp"', 'transport="tcp"')}}.get(name, {})
    if name == "gone":
        (papers.dir / "announcement.xml").unlink()
    else:
        papers.publish(serial, by="mallory" if name == "forged" else "owner", **changed)
    answer = alice.control.request("reload")
    assert not answer["ok"] and "<announcement>: " in answer["error"], "who asked is told"
    assert reason in alice.wait("announcement-refused", since=mark)["reason"]
    assert shown(alice) | {"not_after": 0, "reason": ""} == {"serial": 2, "not_after": 0, "refused": True, "refusals": 1, "reason": ""}
    assert reason in shown(alice)["reason"] and alice.control("counters")["announcement"] == 1
    assert alice.control("status")["keys"] == before
    alice.control("leave")
    alice.wait("left", since=mark)
    alice.control("join")
    alice.wait("joined", since=mark)
    assert len(alice.find("announcement-refused", since=mark)) == 1, "said once, not with each registration"


def test_an_edition_of_an_owner_that_is_revoked(town, papers):
    """By the CRL that is read with it."""
    alice = town.members["alice"]
    mark = alice.mark()
    papers.publish(2)
    town.pki.revoke(town.pki.parties["owner"])
    town.pki.write_crl(start=datetime.datetime.utcnow().replace(microsecond=0))
    alice.signal(signal.SIGHUP)
    assert "not believed" in alice.wait("announcement-refused", since=mark)["reason"]
    assert "revoked" in alice.wait("left", since=mark)["reason"]
    assert not alice.find("announcement", since=mark)


# -- without being told, and over a restart ------------------------------------------------------------------------------------

def again(m, old, new):
    """With another text in its configuration."""
    m.finish()
    text = m.config.read_text()
    assert old in text
    m.write(text.replace(old, new))
    m.start()


def test_the_file_is_looked_at_without_being_told(town, papers):
    alice = town.members["alice"]
    again(alice, 'announcement.xml"', 'announcement.xml" watch="200ms"')
    mark = alice.mark()
    papers.publish(2)
    alice.wait("announcement", since=mark, serial=2)
    papers.publish(1)
    alice.wait("announcement-refused", since=mark)
    papers.publish(3)
    alice.wait("announcement", since=mark, serial=3)
    assert len(alice.find("announcement-refused", since=mark)) == 1 and not alice.find("reload", since=mark)


def refused_at_start(m, *says):
    m.launch()
    assert m.wait_end() == POLICY
    tail = "\n".join(m.tail(5))
    assert all(s in tail for s in says), tail


@pytest.mark.req("RFC4534-2-11")
def test_an_old_edition_is_refused_after_a_restart_too(town, papers):
    """Whoever puts one back, after kill -9 as well; the way out is a higher serial, or the end of what is remembered."""
    alice = town.members["alice"]
    mark = alice.mark()
    papers.publish(3)
    alice.control("reload")
    alice.wait("announcement", since=mark, serial=3)
    alice.kill()
    papers.publish(2)
    refused_at_start(alice, "has serial 2, and serial 3 was accepted earlier", "alice.db", "higher serial", "removes the store")
    papers.publish(3, server=papers.server(DEAD))
    refused_at_start(alice, "has serial 3, and serial 3 with other words was accepted earlier")
    papers.publish(3)
    alice.start()  # signed anew, but the same
    alice.finish()
    papers.publish(4)
    alice.start()
    assert shown(alice)["serial"] == 4
    alice.finish()
    papers.publish(3)
    refused_at_start(alice, "serial 4 was accepted earlier")
    for file in alice.config.parent.glob("alice.db*"):
        file.unlink()
    mark = alice.start()
    alice.control("join")
    alice.wait("joined", since=mark)


@pytest.mark.req("RFC4534-2-11")
def test_a_serial_that_a_version_of_before_has_stored(town, papers):
    """It kept it in a scope that a group could have, and so end with that group."""
    alice = town.members["alice"]
    mark = alice.mark()
    papers.publish(3)
    alice.control("reload")
    alice.wait("announcement", since=mark, serial=3)
    alice.finish()
    store = alice.directory / "alice.db"
    db = sqlite3.connect(store)
    assert db.execute("SELECT scope FROM row WHERE tab = 'announcement'").fetchall() == [(b"",)]
    db.execute("UPDATE row SET scope = CAST('announcements' AS BLOB) WHERE tab = 'announcement'")
    (version,), = db.execute("PRAGMA user_version")
    db.execute(f"PRAGMA user_version={version - 1}")
    db.commit()
    db.close()
    papers.publish(2)
    refused_at_start(alice, "has serial 2, and serial 3 was accepted earlier")
    # and from then on it is where no group is, and where that version, which would take 2, does not get to
    db = sqlite3.connect(store)
    assert db.execute("PRAGMA user_version").fetchall() == [(version,)]
    db.execute("DELETE FROM row WHERE scope = CAST('announcements' AS BLOB)")
    db.commit()
    db.close()
    refused_at_start(alice, "has serial 2, and serial 3 was accepted earlier")
    papers.publish(4)
    alice.start()
    assert shown(alice)["serial"] == 4
