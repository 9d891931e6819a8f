# SPDX-License-Identifier: BSD-2-Clause
"""A GDOI group that its Group Owner announces: gdoi-gm needs nothing else to find it, and believes nobody else."""
import signal
import subprocess

import pytest

from lab import gdoi_forms
from lab.build import program
from lab.gdoi_announced import PROPOSAL, Announced, document

GSAKMP = """<announcement serial="1" not-after="2100-01-01T00:00:00Z" transport="udp" freshness="nonce" terse="true">
  <group-id type="utf-8" random="0011223344556677" name="vpn"/>
  <key-server address="192.0.2.1"/>
  <suite name="p256-gcm"/>
</announcement>
"""


@pytest.fixture
def group(tmp_path, net_prefix):
    with Announced(tmp_path / "group", net_prefix) as g:
        yield g


@pytest.mark.req("RFC4534-2-11", "RFC6407-3.1-02")
def test_an_announcement_is_all_that_a_member_needs(group):
    """Which group, where its key server is and who, and what phase 1 is like: no <key-server>, no <proposal>, no <group-id>."""
    group.start()
    alice = group.told("alice", group.announce("plant", document(group)))
    assert alice.check_config()[0] == 0, alice.check_config()
    alice.start()
    status = alice.control("status")
    assert status["key_servers"] == [f'{group.address("keys")}:848']
    assert [(p["encryption"], p["authentication"]) for p in alice.control("proposals")] == [("aes128-cbc", "ecdsa-256")]
    alice.control("join")
    alice.wait("joined")
    assert alice.group()["group"] == "g" and [m["peer"] for m in group.keys.control("members")] == ["fqdn:" + gdoi_forms.fqdn("alice")]
    alice._p.send_signal(signal.SIGHUP)
    alice.wait("reloaded")
    assert len(alice.control("proposals")) == 1, "what is announced holds also for settings that are read again"


def test_the_owners_tool_announces_the_policy_that_the_key_server_runs(group):
    group.start()
    p, file = group.pki.parties["owner"], group.dir / "made.xml"
    done = subprocess.run([program("msec-token"), "announce", "--token", group.policy_file, "--key-server", group.address("keys"),
                           "--cert", p.chain, "--key", p.key, "-o", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    mine = '    <proposal encryption="aes128-cbc" hash="sha256" authentication="ecdsa-256" group="ecp256"/>\n'
    alice = group.told("alice", file, proposal=mine)
    alice.start()
    alice.control("join")
    alice.wait("joined")
    bob = group.told("bob", group.announce("plant", document(group)), proposal=mine + mine.replace("aes128", "aes256"))
    bob.start()
    assert [p["encryption"] for p in bob.control("proposals")] == ["aes128-cbc"], "what is not announced is not proposed"


def announced(group, *more):
    done = subprocess.run([program("msec-token"), "announce", "--token", group.policy_file, "--key-server", group.address("keys"), *more],
                          capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.req("RFC4534-3-05")
def test_of_several_groups_the_owner_says_which_is_announced(group):
    """The key server passes over a registration for another group: what is announced is not the first one unasked."""
    policy, number = group.policy_file.read_text(), group.id["number"]
    ours = policy[policy.index("  <registration>"):policy.index("</registration>\n") + len("</registration>\n")]
    named = ours.replace(f'number="{number}"', 'oid="1.2.3" payload="0403616263"')
    other = ours.replace(f'number="{number}"', 'number="4711"').replace("        </access-control>\n", f"        </access-control>\n        <phase1 {PROPOSAL}/>\n")
    assert "<phase1" in other and "<phase1" not in ours and len({ours, named, other}) == 3
    group.write_policy(policy.replace(ours, other + named + named.replace("616263", "616264") + ours))
    linted = subprocess.run([program("msec-token"), "lint", group.policy_file], capture_output=True, text=True)
    assert linted.returncode == 0 and linted.stderr.count("several-groups") + linted.stdout.count("several-groups") == 3, linted
    for how, status, said in (
            ((), 3, "for several groups (number 4711, oid 1.2.3 with payload 0403616263): which one is announced is said by --num"),
            (("--number", "4712"), 3, "no GDOI registration of it is for a group with number 4712"),
            (("--oid", "1.2.3"), 3, "(oid 1.2.3 with payload 0403616263, oid 1.2.3 with payload 0403616264): an announcement"),
            (("--oid", "1.2.4"), 3, "no GDOI registration of it is for a group with oid 1.2.4"),
            (("--oid", "1.2.3", "--number", "1"), 2, "either --number or --oid"), (("--number", "x"), 2, "has no 32 bits")):
        code, text = announced(group, *how)
        assert code == status and said in text and "<announcement" not in text, (how, text)
    code, text = announced(group, "--number", "4711")
    assert code == 0 and '<group number="4711"/>' in text and "<phase1" in text, text
    file = group.dir / "ours.xml"
    p = group.pki.parties["owner"]
    assert announced(group, "--number", str(number), "--cert", p.chain, "--key", p.key, "-o", file) == (0, "")
    assert "<phase1" not in file.read_text()
    group.start()
    mine = '    <proposal encryption="aes128-cbc" hash="sha256" authentication="ecdsa-256" group="ecp256"/>\n'
    alice = group.told("alice", file, proposal=mine)
    alice.start()
    alice.control("join")
    alice.wait("joined")


CONFIG, POLICY = 3, 6  # exit statuses, msec-ctl(1)
REFUSED = {
    "another signer": (POLICY, "is not believed", {}, {"signer": "mallory"}),
    "over": (POLICY, "is not believed", {"until": "2020-01-01"}, {}),
    "no proposal of ours": (CONFIG, "proposals of phase 1 of which this member has none",
                            {"phase1": PROPOSAL.replace("ecdsa-256", "psk")}, {}),
    "an unknown DOI": (CONFIG, "announced with DOI 7", {"doi": 7}, {}),
    "a multicast address": (CONFIG, "address of a key server cannot be used", {"server": "239.1.1.1"}, {}),
}


def test_what_is_not_believed_or_cannot_be_is_refused_before_the_start(group):
    for label, (code, said, what, how) in REFUSED.items():
        alice = group.told("alice", group.announce("bad", document(group, **what), **how))
        status, text = alice.check_config()
        assert status == code and said in text, (label, status, text)
    file = group.announce("good", document(group))
    spoilt = group.dir / "spoilt.xml"
    spoilt.write_text(file.read_text().replace('number="', 'number="9'))
    for files, owner, said in (([spoilt], "", "is not believed"), ([group.dir / "none.xml"], "", "No such file"),
                               ([file, file], "", "the group identifier is that of 'g'"),
                               ([group.announce("gsakmp", GSAKMP)], "", "come by GSAKMP"),
                               ([file], " ", "needs a <group-owner>")):
        status, text = group.told("alice", *files, owner=owner).check_config()
        assert status != 0 and said in text, (said, text)


@pytest.mark.req("RFC6407-3.1-02", "RFC6407-3.3-05")
def test_a_registration_that_is_not_as_announced_is_refused(group):
    """By another key server than announced, or with PUSHes to another place."""
    group.start()
    for serial, what, why in ((1, {"named": gdoi_forms.fqdn("mallory")}, "not a key server of this group"),
                              (2, {"rekey": "239.77.99.99"}, "not acceptable")):
        bob = group.told("bob", group.announce("other", document(group, serial=serial, **what)))
        bob.start()
        bob.control("join")
        assert why in str(bob.wait("phase1-down")), what
        assert not bob.find("joined") and bob.group()["keys"] == []
        bob.finish()
