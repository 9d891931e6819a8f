# SPDX-License-Identifier: BSD-2-Clause
"""A Group Owner governs a GDOI group: msec-go signs, gdoi-gcks obeys, members (in Python) live with it."""
import datetime
import time

import pytest

from lab import LabError
from lab import gdoi_forms as forms
from lab.build import program
from lab.daemons import Daemon
from lab.gdoi_peers import Ground
from lab.scene import OWNER_PORT

SUITE = "aes128-sha256-ecdsa256-ecp256"


class Owned(Ground):
    """The lab's GDOI group, its policy out of tokens: from msec-go on the host "owner", or from a file that it signs."""

    def __init__(self, directory, prefix, file=False, lapsed="", **how):
        super().__init__(directory, ["alice", "bob"], strangers=["owner", "mallory"], prefix=prefix, auth="ecdsa", **how)
        self.token = self.dir / "policy" / "token"
        p, scene = self.pki.parties["owner"], self.scene
        where = (f'file="{self.token}"' if file
                 else f'owner="{scene["owner"].ip4}" port="{OWNER_PORT}" group="{forms.RANDOM}{self.name}"')
        self.owner, self.source = f'  <group-owner certificate="{p.cert}"/>\n', f"<token {where}{forms.attributes({'lapsed': lapsed or None})}/>"
        self.write_config()
        self.go = Daemon(scene["owner"], "msec-go", "owner", self.dir / "daemons", self.sockets, self.keylog)
        self.go.write(f"""<?xml version="1.0" encoding="UTF-8"?>
<msec-go>
  <owner certificate="{p.chain}" key="{p.key}"/>
  <trust><root file="{self.pki.root.cert}"/><crl file="{self.pki.crl}"/></trust>
  <store path="owner.db"/>
  <control socket="{self.sockets.path / "owner"}"/>
  <listen address="{scene["owner"].ip4}" port="{OWNER_PORT}"/>
  <group name="{self.name}" policy="{self.policy_file}" deliver-to="{self.token}"/>
</msec-go>
""")

    def daemons(self):
        return [*super().daemons(), self.go]

    def member(self, name):
        return self.follow(name, suite=SUITE)[0]

    def edition(self):
        return self.status()["edition"]


@pytest.fixture
def owned(tmp_path, net_prefix):
    made = []

    def make(brief=False, **how):
        begun = time.monotonic()
        g = Owned(tmp_path / f"group{len(made)}", net_prefix, **how)
        made.append(g)
        if brief:  # it is to be good until a member is there; on a busy machine that takes longer
            short(g, max(6, round(4 * (time.monotonic() - begun))))
        g.go.start()
        return g
    yield make
    for g in made:
        g.close()


@pytest.mark.req("RFC4534-B.1.2-02", "RFC4534-3.1-03", "RFC4534-2-02")
def test_an_exclusion_by_the_owner_is_an_eviction(owned):
    """It reaches the key server at once; the excluded member gets nothing more and is let in again only by the owner."""
    g = owned()
    g.start()
    assert g.keys.wait("policy")["edition"] == 1
    alice, bob = g.member("alice"), g.member("bob")
    old = bytes.fromhex(g.status()["kek"]["spi"])
    mark = g.keys.mark()
    g.go.control("exclude", f"fqdn:{forms.fqdn('bob')}")
    assert g.keys.wait("policy", since=mark)["edition"] == 2
    g.keys.wait("evicted", since=mark, where=lambda e: "bob" in e["peer"])
    alice.wait("rekeyed", where=lambda f: f["new_kek"])
    alice.wait("rekeyed", where=lambda f: f["teks"])
    new = bytes.fromhex(g.status()["kek"]["spi"])
    assert new != old and new in alice.member.rekeys and new not in bob.member.rekeys
    assert sorted(g.registered()) == ["alice"] and g.edition() == 2
    assert not bob.register(), "the policy does not admit it"
    mark = g.keys.mark()
    g.go.control("readmit", f"fqdn:{forms.fqdn('bob')}")
    assert g.keys.wait("policy", since=mark)["edition"] == 3
    bob.follow()
    assert sorted(g.registered()) == ["alice", "bob"]
    assert list(g.go.control("status")["groups"][0]["taken_by"].values()) == [3]
    g.finish()


@pytest.mark.req("RFC4534-3.1-03", "RFC4534-2-09")
def test_either_may_be_away(owned):
    """A key server that was killed comes back with the edition that it had; one that missed an edition gets it."""
    g = owned()
    g.start()
    g.keys.wait("policy")
    alice = g.member("alice")
    g.go.kill()
    mark = g.keys.mark()
    g.keys.control("rekey", "tek")
    alice.wait("rekeyed")
    g.keys.kill()
    mark = g.start()
    assert g.keys.wait("policy", since=mark)["edition"] == 1
    assert sorted(g.registered()) == ["alice"], "without its owner it goes on"
    mark = g.keys.mark()
    g.go.start()
    g.go.control("exclude", f"fqdn:{forms.fqdn('bob')}")
    assert g.keys.wait("policy", since=mark)["edition"] == 2
    assert not g.peer("bob", suite=SUITE).register()


@pytest.mark.refuses("RFC4534-2-08", "RFC4534-3.1-03")
def test_tokens_of_somebody_else_and_of_yesterday_are_refused(owned):
    """From a file: the owner's next edition is taken; a stranger's token and an old one change nothing."""
    g = owned(file=True)
    g.go.wait("edition")
    first = g.token.read_bytes()
    g.start()
    assert g.keys.wait("policy")["edition"] == 1
    g.member("alice")

    def put(octets):
        mark = g.keys.mark()
        fresh = g.token.with_suffix(".new")
        fresh.write_bytes(octets)
        fresh.rename(g.token)
        return mark
    mark = g.keys.mark()
    g.go.control("exclude", f"fqdn:{forms.fqdn('bob')}")
    assert g.keys.wait("policy", since=mark)["edition"] == 2
    mark = put(first)
    assert "edition 1 is not greater than 2" in g.keys.wait("policy-refused", since=mark)["reason"]
    p = g.pki.parties["mallory"]
    forged = g.token.with_name("forged")
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))
    run = g.scene["owner"].run([program("msec-token"), "sign", g.policy_file, "--edition", "9", "--signing-time", at, "--cert", p.chain,
                                "--key", p.key, "-o", forged])
    assert run.returncode == 0, run
    mark = put(forged.read_bytes())
    assert g.keys.wait("policy-refused", since=mark)["reason"]
    assert g.edition() == 2 and sorted(g.registered()) == ["alice"]


def test_a_token_that_no_gdoi_key_server_can_run(owned, tmp_path):
    """msec-go signs it, because somebody could live by it; gdoi-gcks cannot, says so, and stays with what it has."""
    g = owned()
    g.start()
    g.keys.wait("policy")
    text = g.policy_file.read_text()
    odd = tmp_path / "odd.xml"
    odd.write_text(text.replace("  </data>\n</policy>", '  </data>\n  <data>\n    <extension oid="1.2.3.4">\n'
                                "      <octets>0500</octets>\n    </extension>\n  </data>\n</policy>"))
    mark, at = g.keys.mark(), g.go.mark()
    g.go.control("publish", odd)
    assert g.keys.wait("refused", since=mark)["peer"] == "Group Owner"
    assert "data[1]" in g.go.wait("token-refused", since=at)["reason"], "the owner is told which part it is"
    assert g.edition() == 1 and g.member("alice")
    with pytest.raises(LabError, match="contradict|margin|due before"):
        odd.write_text(text.replace("lkh-degree=", 'margin="9h" lkh-degree='))
        g.go.control("publish", odd)


@pytest.mark.refuses("RFC6407-2-02")
def test_phase_1_has_to_be_one_that_the_policy_lists(owned, tmp_path):
    """The key server's configuration lets it come up; the Group Owner's policy decides whether that is enough."""
    g = owned()
    g.start()
    g.keys.wait("policy")
    text, wanted = g.policy_file.read_text(), tmp_path / "wanted.xml"

    def demand(bits):
        wanted.write_text(text.replace("      </gdoi>\n    </register>", '        <phase1 authentication="ecdsa-256" encryption="aes"'
                                       f' key-length="{bits}" hash="sha256" group="p256"/>\n      </gdoi>\n    </register>'))
        mark = g.keys.mark()
        g.go.control("publish", wanted)
        g.keys.wait("policy", since=mark)
    demand(256)
    mark = g.keys.mark()
    bob = g.peer("bob", suite=SUITE)
    refused = g.turned_away(bob, where=lambda e: e["req"] == "RFC2408-5.4-03")
    assert "no group's policy lists" in refused["field"] and not g.keys.find("phase1-up", since=mark), "not even phase 1"
    demand(128)
    bob.follow()
    assert sorted(g.registered()) == ["bob"]


# -- a token that would not be accepted any more --------------------------------------------------------------------------

def short(g, seconds):
    """The Group Owner's certificate ends so soon; a new one of the same file name can be made any time."""
    now = datetime.datetime.utcnow().replace(microsecond=0)
    g.pki.issue("owner", dns=forms.fqdn("owner"), end=now + datetime.timedelta(seconds=seconds))


@pytest.mark.refuses("RFC4534-2-08")
def test_when_the_owners_certificate_ends_nobody_new_comes_in(owned):
    """The group goes on for its members, over a restart too, until the Group Owner speaks again."""
    g = owned(brief=True, file=True)
    g.start()
    g.keys.wait("policy")
    alice = g.member("alice")
    assert "token_lapsed" not in g.status()
    said = g.keys.wait("token-lapsed")
    assert "expired" in said["reason"] and not said["admits"]
    mark = g.keys.mark()
    assert not g.peer("bob", suite=SUITE).register()
    refusal = g.keys.wait("refused", since=mark, where=lambda e: "bob" in e["peer"])
    assert refusal["req"] == "RFC4534-2-08" and refusal["notify_text"] == "INVALID-ID-INFORMATION"
    seen = alice.count("rekeyed")
    g.keys.control("rekey", "tek")
    alice.wait("rekeyed", times=seen + 1)
    assert g.peer("alice", suite=SUITE, port=1848).register(), "who is a member may register again"

    g.keys.kill()
    mark = g.start()
    assert "expired" in g.keys.wait("token-lapsed", since=mark)["reason"]
    assert "expired" in g.status()["token_lapsed"] and g.status()["state"] == "open"
    assert not g.peer("bob", suite=SUITE, port=1849).register()

    g.go.finish()
    short(g, 3600)
    mark = g.keys.mark()
    g.keys.control("reload")  # another certificate, and the token in force is not signed with it
    g.keys.wait("reloaded", since=mark)
    assert "token_lapsed" in g.status()
    g.go.start()
    g.go.control("exclude", f"fqdn:{forms.fqdn('dave')}")
    assert g.keys.wait("policy", since=mark)["edition"] == 2
    g.keys.wait("token-valid", since=mark)
    assert "token_lapsed" not in g.status() and g.peer("bob", suite=SUITE, port=1850).register()


def test_a_key_server_may_go_on_with_a_warning(owned):
    g = owned(brief=True, file=True, lapsed="serve")
    g.start()
    g.keys.wait("policy")
    assert g.keys.wait("token-lapsed")["admits"]
    assert g.member("bob") and "expired" in g.status()["token_lapsed"]
    assert "members are admitted all the same" in g.keys.log.read_text()
