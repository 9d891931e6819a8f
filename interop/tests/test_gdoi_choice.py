# SPDX-License-Identifier: BSD-2-Clause
"""A policy with several registrations and rekey protocols (RFC 4534 3): gdoi-gcks runs the highest that it can do, and may, and
says what it has passed over; when another configuration makes that another one, the members come along."""
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lab import gdoi_forms as forms
from lab.build import program
from lab.gdoi import opened
from lab.gdoi_peers import Ground
from msec_scapy.gdoi import numbers as n

QUICK = {"backoff": "200ms", "backoff_max": "1s"}
OLD = '        <phase1 authentication="psk" encryption="3des" hash="sha256" group="p256"/>\n'


def part(xml: str, name: str) -> str:
    """One element of a policy, to the end of its line."""
    return xml[xml.index(f"  <{name}>"):xml.index(f"</{name}>\n") + len(f"</{name}>\n")]


def old_things_first(xml: str) -> str:
    """In front of what the policy says: 3DES in phase 1, and a KEK of 3DES."""
    registration, rekey = part(xml, "registration"), part(xml, "rekey")
    assert rekey.count('algorithm="aes" key-length="128"') == 1
    old = registration.replace("        </access-control>\n", f"        </access-control>\n{OLD}")
    return xml.replace(registration, old + registration).replace(
        rekey, rekey.replace('algorithm="aes" key-length="128"', 'algorithm="3des"') + rekey)


def rekey_teks(g, *peers) -> None:
    """Everybody gets TEKs that were not there before, by that very PUSH."""
    mark = g.keys.mark()
    before = {spi for p in peers for event, fields in list(p.events) if event == "rekeyed" for spi in fields["teks"]}
    g.keys.control("rekey", "tek")
    number = g.keys.wait("rekeyed", since=mark)["sequence"]
    for p in peers:
        p.wait("rekeyed", where=lambda e: e["seq"] == number and set(e["teks"]) - before)


@pytest.fixture
def grounds(tmp_path, net_prefix):
    made = []

    def make(**how):
        made.append(Ground(tmp_path / f"group{len(made)}", ["alice", "bob"], prefix=net_prefix, **how))
        return made[-1]
    yield make
    for g in made:
        g.close()


@pytest.mark.req("RFC4534-3-05", "RFC4534-3-08", "RFC4534-3-06")
def test_the_highest_that_can_be_done_is_in_force(tmp_path, net_prefix):
    with opened(tmp_path, net_prefix) as make:
        g = make("alice", start=False)
        g.write_policy(old_things_first(forms.policy(g)))
        status, text = g.keys.check_config()
        assert status == 0 and "in force is what stands below registration[0]: each phase 1 that it lists is legacy" in text, text
        g.start()
        assert "registration[0]" in g.status()["passed_over"] and g.status()["kek"]["key_bits"] == 128
        alice = g.member("alice", membership=QUICK)
        alice.start()
        alice.control("join")
        alice.wait("joined")
        mark = alice.mark()
        g.keys.control("rekey")
        alice.wait("rekeyed", since=mark)
        assert not g.keys.find("refused") and not alice.find("refused")


@pytest.mark.req("RFC4534-3-05")
def test_a_registration_for_another_group_or_key_server_is_passed_over(grounds):
    """Local policy supports what is for the group of <group-id> and names this key server, and nothing else."""
    g = grounds()
    policy = forms.policy(g)
    ours = part(policy, "registration")
    other = ours.replace(f'number="{g.id["number"]}"', 'number="4711"')
    theirs = ours.replace(forms.fqdn("keys"), "elsewhere.lab.example")
    assert other != ours != theirs
    g.write_policy(policy.replace(ours, other + theirs + ours))
    status, text = g.keys.check_config()
    assert status == 0 and "below registration[0]: it is for another group (number 4711) than <group-id> says" in text, text
    g.start()
    assert "another group" in g.status()["passed_over"]
    alice, bob = g.follow("alice", "bob")
    rekey_teks(g, alice, bob)
    g.write_policy(policy.replace(ours, theirs + other))
    mark = g.keys.mark()
    answer = g.keys.control.request("policy")
    said = "registration[0]: it does not name fqdn:keys.lab.example as a key server"
    assert not answer["ok"] and said in answer["error"], answer
    assert said in g.keys.wait("refused", since=mark)["reason"] and said in g.keys.log.read_text()
    rekey_teks(g, alice, bob)  # what was in force is in force
    g.finish()


@pytest.mark.req("RFC4534-3-03")
def test_when_none_is_left_the_first_says_why(grounds):
    g = grounds()
    policy = forms.policy(g)
    g.write_policy(policy.replace("        </access-control>\n", f"        </access-control>\n{OLD}"))
    status, text = g.keys.check_config()
    assert status == 6 and "registration[0]: each phase 1 that it lists is legacy" in text, text


@pytest.mark.req("RFC4534-3-08", "RFC6407-4-06", "RFC6407-5.9-07")
@pytest.mark.parametrize("lkh", [True, False], ids=["tree", "no tree"])
def test_another_configuration_takes_the_members_along(grounds, lkh):
    """A restart with what allows 3DES: without a tree the KEK before brings the new one; keys of a tree are of one cipher, so
    there everything is deleted, and everybody registers again."""
    g = grounds(lkh=lkh, eviction={})
    registration = part(forms.policy(g), "registration")
    g.write_policy(old_things_first(forms.policy(g)).replace(registration.replace(
        "        </access-control>\n", f"        </access-control>\n{OLD}"), "", 1))
    g.start()
    before = g.status()["kek"]
    assert before["key_bits"] == 128 and "rekey[0]" in g.status()["passed_over"]
    alice, bob = g.follow("alice", "bob")
    g.keys.kill()
    g.write_config(g.config().replace("<phase1 ", '<phase1 legacy="yes" '))
    g.start()
    for p in (alice, bob):
        p.wait("deleted") if lkh else p.wait("rekeyed", where=lambda e: e["new_kek"])
    if lkh:  # phase 1 went with the key server
        alice.close(), bob.close()
        alice, bob = g.follow("alice", "bob")
    assert "passed_over" not in g.status()
    now = bytes.fromhex(g.status()["kek"]["spi"])
    assert now != bytes.fromhex(before["spi"]) and now in alice.member.rekeys and now in bob.member.rekeys
    assert alice.member.rekeys[now].sak.get(n.K_ALGORITHM) == 2, "3DES"
    rekey_teks(g, alice, bob)
    g.finish()


@pytest.mark.req("RFC4534-3-05")
def test_an_announcement_says_what_any_of_them_lists(grounds):
    """The Group Owner does not know what a key server can do; where PUSHes go is announced when all of them go there."""
    g = grounds()
    xml = old_things_first(forms.policy(g))
    words = [program("msec-token"), "announce", "--token", g.policy_file, "--key-server", g.address("keys")]
    say = lambda: subprocess.run([*map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    g.write_policy(xml)
    said = say()
    assert said.returncode == 0 and "<phase1" not in said.stdout, "the second registration lists none, and takes anything"
    assert said.stdout.count(g.rekey_address) == 1, said.stdout
    new = OLD.replace('"3des"', '"aes" key-length="128"')
    registration = part(forms.policy(g), "registration")
    g.write_policy(xml.replace(registration, registration.replace("        </access-control>\n", f"        </access-control>\n{new}")))
    assert say().stdout.count("<phase1") == 2
    g.write_policy(xml.replace(f'destination="{g.rekey_address}"', 'destination="239.1.1.99"', 1))
    said = say()
    assert "several places" in said.stderr and g.rekey_address not in said.stdout and "239.1.1.99" not in said.stdout


@pytest.mark.req("RFC6407-5.6.2.2-01", "RFC6407-4-04")
@pytest.mark.refuses("RFC6407-5.6.2.2-01")
def test_another_signer_comes_under_the_one_before(grounds):
    """Members have the public half of the key before: a key server that cannot sign with it does not start, and says why; one
    that can brings the new one with a new Rekey SA, and needs the old one no more."""
    g = grounds()
    g.start()
    alice, bob = g.follow("alice", "bob")
    before = g.status()["kek"]["spi"]
    g.keys.kill()
    old = g.push_key.rename(g.push_key.with_name("before.key"))
    g.push_key.touch(mode=0o600)
    g.push_key.write_bytes(ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    g.keys.launch()
    assert g.keys.wait_end() == 6 and "members have that of another signer" in g.keys.log.read_text()
    config = g.config()
    g.write_config(config.replace("<signer ", f'<signer previous-key="{old}" '))
    g.start()
    for p in (alice, bob):
        p.wait("rekeyed", where=lambda e: e["new_kek"])
        assert p.count("registered") == 1 and not p.count("refused")
    assert g.status()["kek"]["spi"] != before
    g.keys.kill()
    g.write_config(config)
    g.start()
    rekey_teks(g, alice, bob)
    assert alice.count("registered") == bob.count("registered") == 1
    g.finish()
