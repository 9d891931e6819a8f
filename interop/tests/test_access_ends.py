# SPDX-License-Identifier: BSD-2-Clause
"""What a member was admitted with expires or is revoked later: RFC 4535 section 4.2, RFC 4534 B.1.2; and the
store that remembers it, of this version and of others."""
import datetime
import re
import signal
import sqlite3
import time

import pytest

from lab import LabError
from lab.process import PATIENCE
from msec_scapy import material, party, pkix
from msec_scapy.testing.ground import Ground

STORE = 4  # exit status


def utc():
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


def permission(ground, cert, ends):
    aa = ground.party("aa")
    return material.issue(pkix.Certificate(aa.der), aa.private, pkix.Certificate(cert.der), {3},
                          start=ends - datetime.timedelta(days=1), days=1)


def member(ground, name, cert_ends=None, grants_end=()):
    """A Python member that has joined; its certificate and its permissions, of a day each, end when it is said."""
    later = utc() + datetime.timedelta(hours=23)
    p = ground.pki.issue(name, end=(cert_ends or later).replace(tzinfo=None))
    credentials = party.Credentials.from_files(p.key, p.chain)
    credentials.attributes = [permission(ground, p, ends) for ends in grants_end or [later]]
    runner = ground.member(name, credentials=credentials, rekeys=False)
    assert runner.join()
    return runner


@pytest.mark.req("RFC4535-4.2-02", "RFC4534-B.1.2-01")
def test_access_ends_with_what_gave_it(ground):
    """One certificate and one permission expire while their holders are members; a third has neither, and two have the
    same permission by another certificate, in force already or when the first one ends: they are given a new key."""
    aa = ground.party("aa")
    ground.believed = f'<attribute-authority file="{aa.chain}"/>'
    server = ground.gcks(ground.make_token(permissions=(3,)))
    begun = time.monotonic()
    member(ground, "gm0")
    # All the others have to be in before: on a busy machine that takes longer.
    ends = utc() + datetime.timedelta(seconds=max(6, round(30 * (time.monotonic() - begun))))
    member(ground, "gm1", cert_ends=ends)
    member(ground, "gm2", grants_end=[ends])
    member(ground, "gm3", grants_end=[ends, ends + datetime.timedelta(hours=12)])
    member(ground, "gm4", grants_end=[ends, ends + datetime.timedelta(hours=24, seconds=-1)])
    group = server.control("status")["groups"][0]
    over = ends + datetime.timedelta(seconds=1)  # the last second of a validity counts (RFC 5280 4.1.2.5)
    assert group["next_recheck"].startswith(over.strftime("%Y-%m-%dT%H:%M:%S"))
    mark, gone = 0, {}
    while len(gone) < 2:
        e = server.wait("access-ended", since=mark, where=lambda e: e["peer"] not in gone)
        gone[e["peer"]] = e["reason"]
    assert {k.split(",")[0]: v for k, v in gone.items()} == {
        "dn:CN=gm1": "the certificate has expired",
        "dn:CN=gm2": "a permission that it was admitted with has ended"}
    server.wait("rekeyed", since=mark)
    assert sorted(m["peer"].split(",")[0] for m in server.control("members")) == ["dn:CN=gm0", "dn:CN=gm3", "dn:CN=gm4"]
    # What is left of theirs is put down: the next date is another.
    assert server.control("status")["groups"][0]["next_recheck"] > over.strftime("%Y-%m-%dT%H:%M:%S")
    server.finish()


@pytest.mark.req("RFC4535-4.2-02")
def test_revoked_while_the_key_server_was_away(ground):
    """A list that is read at the start is a list that is read."""
    for name in ("gm0", "gm1"):
        ground.party(name)
    server = ground.gcks()
    for name in ("gm0", "gm1"):
        assert ground.member(name, rekeys=False).join()
        server.wait("member-active", where=lambda e, n=name: f"CN={n}" in e["peer"])
    server.finish()
    ground.pki.revoke(ground.party("gm1"))
    ground.pki.write_crl(start=datetime.datetime.utcnow().replace(microsecond=0) - datetime.timedelta(minutes=1))
    mark = server.start()
    ended = server.wait("access-ended", since=mark)
    assert ended["peer"].startswith("dn:CN=gm1") and ended["reason"] == "the certificate is revoked"
    assert [m["peer"].split(",")[0] for m in server.control("members")] == ["dn:CN=gm0"]
    server.finish()


@pytest.mark.req("RFC4535-4.2-02")
def test_a_record_that_cannot_be_read(ground):
    """Whose certificate is damaged in the store cannot be judged: it is told, counted and left out, until it registers
    anew; all the others are judged, and one of them is revoked."""
    for name in ("gm0", "gm1", "gm2"):
        ground.party(name)
    server = ground.gcks()
    for name in ("gm0", "gm1", "gm2"):
        assert ground.member(name, rekeys=False).join()
        server.wait("member-active", where=lambda e, n=name: f"CN={n}" in e["peer"])
    server.finish()
    db = sqlite3.connect(store_of(server))
    rows = db.execute("SELECT key, value FROM row WHERE tab = 'gsakmp-cert' ORDER BY key").fetchall()
    (key, value), = [(k, v) for k, v in rows if b"dn:CN=gm1" in v]
    db.execute("UPDATE row SET value = ? WHERE tab = 'gsakmp-cert' AND key = ?",
               (value[:2 + int.from_bytes(value[:2], "big")] + b"\x30\x03\x02\x01", key))
    db.commit()
    db.close()
    ground.pki.revoke(ground.party("gm2"))
    ground.pki.write_crl(start=datetime.datetime.utcnow().replace(microsecond=0) - datetime.timedelta(minutes=1))
    mark = server.start()
    judged = server.wait("members-judged", since=mark)
    assert (judged["looked_at"], judged["ended"], judged["unreadable"]) == (3, 2, 1)
    gone = {e["peer"].split(",")[0]: e["reason"] for e in server.events[mark:] if e["event"] == "access-ended"}
    assert gone == {"dn:CN=gm1": "its record in the store cannot be read", "dn:CN=gm2": "the certificate is revoked"}
    assert server.control("status")["groups"][0]["judged"] == {"under_way": False, "looked_at": 3, "ended": 2,
                                                               "unreadable": 1}
    assert ground.member("gm1", rekeys=False).join()
    server.wait("member-active", since=mark, where=lambda e: "CN=gm1" in e["peer"])
    server.finish()


def store_of(daemon):
    return daemon.directory / re.search(r'<store path="([^"]+)"', daemon.config.read_text()).group(1)


def change(store, *sql):
    db = sqlite3.connect(store)
    for statement in sql:
        db.execute(statement)
    db.commit()
    version = db.execute("PRAGMA user_version").fetchone()[0]
    db.close()
    return version


@pytest.mark.req("RFC4535-7.1.1-09")
def test_a_store_of_an_older_version(ground):
    """What can be read is taken over and marked with its first change; what cannot be is refused, and says why."""
    ground.party("gm0")
    server = ground.gcks()
    runner = ground.member("gm0", rekeys=False)
    assert runner.join()
    server.wait("member-active")
    server.finish()
    store = store_of(server)
    assert change(store, "PRAGMA user_version=1", "DROP TABLE log") == 1
    server.start()
    assert server.control("status")["groups"][0]["members"] == 1
    server.control("rekey")
    server.finish()
    assert change(store) == 4
    # A record of layout 1: an identity follows, so only the layout tells.
    db = sqlite3.connect(store)
    (key, value), = db.execute("SELECT key, value FROM row WHERE tab = 'grp_member'").fetchall()
    name = value.index(b"dn:CN=gm0")
    at = value.index(b"\x02\x1f", name)  # layout 2, ID_DN_STRING
    db.execute("UPDATE row SET value = ? WHERE tab = 'grp_member' AND key = ?",
               (value[:at] + b"\x01" + value[at + 1:], key))
    db.commit()
    db.close()
    server.launch()
    assert server.wait_end() == STORE
    text = "\n".join(server.tail(5))
    assert str(store.name) in text and "layout 1" in text and "layout 2" in text


@pytest.mark.req("RFC4534-2-08", "RFC4535-5.2.1-01")
def test_a_group_owner_whose_certificate_ends_while_the_group_runs(tmp_path, net_prefix):
    """Nobody has to tell the key server: it admits nobody under a token that nobody would take, and goes on for its
    members."""
    # Time for a member to join, more of it on a machine that is slower than it should be.  The key server looks at everything
    # a minute after its start, which is 25 seconds after the end at least, unless the first two were not enough.
    for seconds in (8, 35, 95):
        with Ground(tmp_path / str(seconds), net_prefix) as ground:
            if owner_ends(ground, seconds):
                return
    pytest.fail("no member joins within a minute and a half")


def date(event):
    return datetime.datetime.fromisoformat(event["t"].replace("Z", "+00:00"))


def owner_ends(ground, seconds):
    """False: it was over before there was a member."""
    ends = utc() + datetime.timedelta(seconds=seconds)
    ground.pki.issue("owner", end=ends.replace(tzinfo=None))
    try:
        server, late, gm = ground.gcks(), ground.member("gm1", "other", rekeys=False), ground.gm()
        gm.control("join")
        if date(gm.wait("joined", timeout=2 * seconds)) > ends:
            return False
    except LabError:  # it did not start any more, or not join
        if utc() < ends:
            raise
        return False
    lapsed = server.wait("token-lapsed")
    assert "expired" in lapsed["reason"]
    # in the second in which it is over, give or take what a busy machine takes: not with the look of each minute
    assert ends < date(lapsed) < ends + datetime.timedelta(seconds=12)
    mark = server.mark()
    late.tries, late.timeout, late.over = 1, PATIENCE, lambda: server.find("refused", since=mark)
    assert not late.join()
    assert server.wait("refused", since=mark)["req"] == "RFC4534-2-08"
    mark = gm.mark()
    server.control("rekey")
    gm.wait("rekeyed", since=mark)
    gm.finish()
    server.finish()
    return True


@pytest.mark.req("RFC4535-3.1-06", "RFC4535-5.2.1-01")
def test_a_revoked_group_owner(ground):
    """Members end their membership; the key server admits nobody, not even who has not heard of it yet."""
    server, gm, late = ground.gcks(), ground.gm(), ground.member("gm1", "other", rekeys=False)
    gm.control("join")
    gm.wait("joined")
    ground.pki.revoke(ground.pki.parties["owner"])
    ground.pki.write_crl(start=utc().replace(tzinfo=None))  # later than the first one, to the second
    mark = server.mark()
    for d in (server, gm):
        d._p.send_signal(signal.SIGHUP)
    assert "revoked" in server.wait("token-lapsed", since=mark)["reason"]
    server.wait("reloaded", since=mark)
    assert "revoked" in gm.wait("left")["reason"]
    assert "revoked" in server.control("status")["groups"][0]["token_lapsed"]
    mark = server.mark()
    late.tries, late.timeout, late.over = 1, PATIENCE, lambda: server.find("refused", since=mark)
    assert not late.join()
    assert server.wait("refused", since=mark)["req"] == "RFC4534-2-08"
    gm.finish()
    server.finish()
