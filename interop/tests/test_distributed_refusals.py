# SPDX-License-Identifier: BSD-2-Clause
"""Subordinates that may not, messages that are not theirs, and configurations that cannot work."""
import contextlib
import datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from lab import LabError, forms, wire
from lab.distributed import SUBORDINATES, Distributed, announce, policy, sgcks
from lab.scene import REKEY, REKEY_PORT
from lab.story import GROUP


@pytest.fixture
def papers(net_prefix, tmp_path):
    """Names, a token and announcements; nobody runs yet.  The token comes from a file."""
    s = Distributed(tmp_path / "small", f"{net_prefix}small-", delivery="file", silence="1s",
                    only=["owner", "keys", *SUBORDINATES, "alice", "bob", "eve"])
    try:
        s.policy()
        yield s
    finally:
        s.close()


@pytest.fixture
def small(papers):
    """A primary, and nord and ost; alice and bob may join behind nord."""
    papers.primary()
    papers.subordinates("nord", "ost")
    yield papers
    papers.finish()


def publish(story, **kw) -> int:
    """A new edition. Signing times have whole seconds, and no two may be the same."""
    story.edition += 1
    when = datetime.datetime.utcnow() + datetime.timedelta(seconds=story.edition)
    forms.compile_and_sign(story, policy(story, edition=story.edition, **kw), when=when.strftime("%Y-%m-%dT%H:%M:%SZ"))
    return story.edition


def rekey_until_stale(story, name: str, since: int) -> None:
    """Creation dates have whole seconds, and after a burst of rekeys they are ahead of the clock: a member cannot tell
    that the primary has a newer key before the clock has caught up."""
    for _ in range(20):
        story.keys.control("rekey", GROUP)
        with contextlib.suppress(LabError):
            story.members[name].wait("stale", since=since, timeout=0.5)
            return
    story.members[name].wait("stale", since=since)


def last_rekey(story, host: str) -> bytes:
    return [d for d in wire.datagrams(story.capture.path)
            if d.source == story.scene[host].ip4 and d.dport == REKEY_PORT and d.destination == REKEY[4]][-1].payload


def numbered(octets: bytes, sequence: int) -> bytes:
    at = 2 + octets[1] + 3
    return octets[:at] + sequence.to_bytes(4, "big") + octets[at + 4:]


def send(story, octets: bytes) -> None:
    with story.scene["eve"].sender(REKEY[4]) as out:
        out.sendto(octets, (REKEY[4], REKEY_PORT))


@pytest.mark.req("RFC4535-4.4.6-02", "RFC4534-B.5.7.2-01", "RFC2627-5.2-03")
@pytest.mark.parametrize("lists", [{"named": ["ost"]}, {"authorised": ["ost"]}], ids=["not-in-subGCKS", "not-in-authSubs"])
def test_one_that_the_token_names_no_more_is_left_by_its_members(small, lists):
    small.join("alice", "bob")
    mark = small.subs["nord"].mark()
    marks = {n: small.members[n].mark() for n in ("alice", "bob")}
    publish(small, **lists)
    refusal = small.subs["nord"].wait("suspended", since=mark)
    assert refusal["req"] == "RFC4535-4.4.6-02"
    for name, m in marks.items():
        rekey_until_stale(small, name, m)
        assert "ost" in str(small.members[name].wait("joined", since=m)["peer"])
    assert small.state("nord")["state"] == "suspended"
    assert not small.subs["nord"].find("message", since=mark, direction="out", exchange="Key Download")
    # A key reaches them there; nord has no part in it.
    mark = small.subs["nord"].mark()
    marks = {n: small.members[n].mark() for n in ("alice", "bob")}
    small.keys.control("rekey", GROUP)
    for name, m in marks.items():
        small.members[name].wait("rekeyed", since=m)
    assert not small.subs["nord"].find("rekeyed", since=mark, group=GROUP)
    # The owner thinks better of it.
    publish(small)
    small.subs["nord"].wait("serving", since=mark)
    assert small.state("nord")["state"] == "open"


@pytest.mark.req("RFC4535-4.4.7-13", "RFC4535-4.4.7-14", "RFC4535-4.4.7-07")
@pytest.mark.refuses("RFC4535-4.4.7-15")
def test_a_member_that_the_token_excludes_is_put_out_where_it_is(small):
    """The Group Owner's word about a member of a subordinate, which nobody had expelled: it looks through its members."""
    small.join("alice", "bob")
    nord, alice, bob = small.subs["nord"], small.members["alice"], small.members["bob"]
    mark, marks = nord.mark(), {d: d.mark() for d in (alice, bob)}
    edition = publish(small, excluded=["bob"])
    nord.wait("evicted", since=mark, where=lambda e: "bob" in e["peer"])
    bob.wait("evicted", since=marks[bob])
    alice.wait("token", since=marks[alice], edition=edition)
    at = alice.mark()
    small.keys.control("rekey", GROUP)
    handle = small.keys.control("status")["groups"][0]["gtpk_handle"]
    while not any(k["handle"] == handle for k in alice.control("status")["keys"]):
        at = alice.events.index(alice.wait("rekeyed", since=at), at) + 1
    assert not any(k["handle"] == handle for k in bob.control("status")["keys"])
    assert ["alice" in m["peer"] for m in nord.control("members", GROUP)] == [True]
    # Nor is it let in again, behind whom it asks.
    mark = nord.mark()
    bob.control("join")
    assert nord.wait("refused", since=mark, where=lambda e: "bob" in str(e.get("peer")))["req"] == "RFC4535-5.2.1.1-15"
    assert not bob.find("joined", since=marks[bob]) and not alice.find("joined", since=marks[alice])


@pytest.mark.req("RFC4535-4.4.7-03", "RFC4535-5.3.1.1-02", "RFC4535-7.1.2-09", "RFC4535-4.4.7-02")
def test_a_relayed_rekey_that_is_forged_changes_nothing(small):
    small.join("alice", "bob")
    alice, nord = small.members["alice"], small.subs["nord"]
    mark = alice.mark()
    small.keys.control("rekey", GROUP)
    alice.wait("rekeyed", since=mark)
    handle = alice.control("keys")
    octets = last_rekey(small, "nord")
    mark = alice.mark()
    send(small, numbered(octets, 1000))  # the signature is of another number
    refusal = alice.wait("refused", since=mark, where=lambda e: "nord" in str(e.get("peer")))
    assert refusal["req"] == "RFC4535-7.8.2-06"
    mark = alice.mark()
    send(small, octets)
    assert alice.wait("refused", since=mark, where=lambda e: "nord" in str(e.get("peer")))["req"] == "RFC4535-7.1.2-09"
    assert alice.control("keys") == handle
    # The same to the subordinate, in the primary's name: nothing is passed on.
    mark = nord.mark()
    send(small, numbered(last_rekey(small, "keys"), 1000))
    nord.wait("refused", since=mark, req="RFC4535-7.8.2-06")
    mark = nord.mark()
    small.keys.control("rekey", GROUP)
    assert nord.wait("rekeyed", since=mark, group=GROUP)["sequence"] == int.from_bytes(octets[2 + octets[1] + 3:][:4], "big") + 1
    # What the primary sends is heard, and no more than that.
    assert alice.wait("refused", req="RFC4535-4.4.7-02", where=lambda e: "keys" in str(e.get("peer")))


@pytest.mark.req("RFC4534-2-11", "RFC4535-4.4.6-02")
def test_a_subordinate_keeps_the_credentials_that_it_is_a_member_with(small):
    """What its primary would not know it by, or what cannot sign for its members, is read again and not taken."""
    small.join("alice")
    nord, alice, p = small.subs["nord"], small.members["alice"], small.pki.parties["nord"]
    for new, words in ((lambda: small.pki.issue("west"), "another name"),
                       (lambda: small.pki.issue("nord", key=rsa.generate_private_key(65537, 2048)), "cannot make"),
                       (lambda: small.pki.issue("nord"), "")):
        p.take_files_of(new())
        there = alice.mark()
        nord.reload(refused=words)
        small.keys.control("rekey", GROUP)
        alice.wait("rekeyed", since=there)
    assert small.state("nord")["upstream"]["in_step"]


@pytest.mark.req("RFC4535-5.3.2.3-02", "RFC4535-5.3.2.3.3-14")
def test_a_subordinate_leaves_on_command_and_comes_back(small):
    nord, mark = small.subs["nord"], small.keys.mark()
    nord.control("leave")
    small.keys.wait("member-left", since=mark, where=lambda e: "nord" in str(e.get("peer")))
    assert nord.wait("suspended")["reason"] == "left on command"
    assert small.state("nord")["upstream"]["state"] == "Idle"
    assert not nord.control.request("rekey")["ok"]
    mark = nord.mark()
    nord.control("join")
    nord.wait("serving", since=mark)
    assert nord.find("joined", since=mark), "it served as if it had not left"
    small.join("alice")
    mark = nord.mark()
    small.keys.control("rekey", GROUP)
    nord.wait("rekeyed", since=mark, group=f"{GROUP}/upstream")
    assert small.state("nord")["upstream"]["in_step"]
    reply = small.keys.control.request("leave")
    assert not reply["ok"] and "no primary" in reply["error"]


@pytest.mark.parametrize("edit, says", [
    (lambda t: t.replace("<upstream ", '<token file="x"/><upstream '), "upstream"),
    (lambda t: t.replace('interface="eth0" timeout', 'interface="eth0" transport="smoke" timeout'), "transport"),
    (lambda t: t.replace("616231", "616232"), "the announcement is of another group"),
    (lambda t: t.replace("announcement-primary.xml", "none.xml"), "none.xml"),
], ids=["token-too", "transport", "another-group", "no-file"])
def test_what_cannot_work_is_said_before_the_start(papers, edit, says):
    text = sgcks(papers, "ost")
    changed = edit(text)
    assert changed != text
    d = papers.daemon("bob", "gsakmp-gcks", changed)
    status, out = d.check_config()
    assert status == 3 and says in out, out


def test_an_announcement_without_rekey_events_is_no_way_up(papers):
    plain = papers.dir / "policy" / "announcement-primary.plain.xml"
    announce(papers, "primary", "keys")
    kept = [line for line in plain.read_text().splitlines() if "<rekey " not in line]
    plain.write_text("\n".join(kept))
    p = papers.pki.parties["owner"]
    papers.token_tool("announce", "--cert", p.cert, "--key", p.key, plain.name, "-o", "announcement-mute.xml")
    d = papers.daemon("bob", "gsakmp-gcks", sgcks(papers, "ost", "mute"))
    status, out = d.check_config()
    assert status == 3 and "no multicast group" in out, out


def test_a_store_does_not_change_sides(small):
    nord = small.subs["nord"]
    nord.stop()
    text = nord.config.read_text()
    start, end = text.index("<upstream"), text.index("/>", text.index("<upstream")) + 2
    nord.write(text[:start] + f'<token file="{small.dir / "policy" / "policy.token"}"/>' + text[end:])
    nord.launch()
    assert nord.wait_end() == 4
    assert "do not fit together" in "\n".join(nord.tail(5))
    nord.write(text)
    nord.start()


def test_a_subordinate_takes_the_next_announcement_of_its_primary(small):
    """When it is told to read again; it goes on serving, and an older one does not count."""
    nord, p = small.subs["nord"], small.pki.parties["owner"]

    def edition(serial):
        announce(small, "primary", "keys")
        plain = small.dir / "policy" / "announcement-primary.plain.xml"
        plain.write_text(plain.read_text().replace('serial="1"', f'serial="{serial}"'))
        small.token_tool("announce", "--cert", p.cert, "--key", p.key, plain.name, "-o", "announcement-primary.xml")
    mark = nord.mark()
    edition(5)
    nord.control("reload")
    nord.wait("announcement", since=mark, serial=5)
    edition(4)
    assert not nord.control.request("reload")["ok"]
    assert "older" in nord.wait("announcement-refused", since=mark)["reason"]
    assert not nord.find("suspended", since=mark)
    small.join("alice")
    # and over a restart: what its store has is not only the group's
    nord.kill()
    nord.launch()
    assert nord.wait_end() == 6
    assert "has serial 4, and serial 5 was accepted earlier" in "\n".join(nord.tail(5))
    edition(6)
    nord.start()
    assert nord.control("status")["groups"][0]["upstream"]["announcement"]["serial"] == 6
