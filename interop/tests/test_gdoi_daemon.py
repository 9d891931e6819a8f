# SPDX-License-Identifier: BSD-2-Clause
"""gdoi-gcks as it is run: members in Python register, are rekeyed, evicted, refused; it is killed, its disk is full."""
import datetime
import json
import re
import subprocess

import pytest

from lab import PREFIX, LabError
from lab import gdoi_forms as forms
from lab.build import program
from lab.gdoi_peers import Ground
from lab.pki import DAY
from msec_scapy.gdoi import keylog, phase1


@pytest.fixture
def group(tmp_path, net_prefix):
    """Makes groups; all are gone at the end."""
    made = []

    def make(*members, run=True, **how):
        g = Ground(tmp_path / f"group{len(made)}", list(members) or ["alice", "bob"], prefix=net_prefix, **how)
        made.append(g)
        if run:
            g.start()
        return g

    yield make
    for g in made:
        g.close()


# -- configuration ------------------------------------------------------------------------------------------------------

WRONG = [
    ("phase1/pre-shared-key@file=none", "<pre-shared-key>: '@file': file '.*none': No such file"),
    ("phase1/pre-shared-key@address=10.0.0", "<pre-shared-key>"),
    ("phase1/proposal@group=modp1024", '<proposal>: .*allowed with legacy="yes"'),
    ("phase1/proposal@authentication=rsa", "<proposal>: '@authentication': there is no certificate with such a key"),
    ("phase1/proposal@hash=sha3", "<proposal>: .*hash"),
    ("group/signer@key=none", "<signer>: .*No such file"),
    ("group/policy@file=none", "<policy>: .*No such file"),
    ("group/group-id@number=plant", "<group-id>"),
    ("group/group-id@oid=1.2", "<group-id>: either 'number' or 'oid'"),
    ("group/multicast@ttl=0", "<multicast>: .*ttl"),
    ("listen/udp@port=4500", "<udp>: '@port' is that of NAT traversal"),
    ("listen@workers=1000", "<listen>: .*workers"),
]


def test_check_config_names_line_element_and_value(group):
    g = group(run=False)
    assert g.keys.check_config()[0] == 0, "the configuration as it is"
    g.lkh = False
    g.write_policy()
    status, text = g.keys.check_config()
    assert status == 0 and re.search(r"Z gdoi-gcks warning: \[cfg\] policy of group 'plant', line \d+: without LKH", text), text
    for setting, said in WRONG:
        status, text = g.keys.check_config("--set", setting)
        assert status == 3, (setting, text)
        assert re.search(rf"keys\.xml:\d+: {said}", text), (setting, text)
    psk = g.psk("keys", "alice")
    psk.chmod(0o640)
    status, text = g.keys.check_config()
    assert status == 3 and re.search(r"keys\.xml:\d+: <pre-shared-key>: .* has mode 0640", text), text


def test_a_policy_that_cannot_be_run_is_found_by_check_config(group):
    g = group(run=False)
    good = g.policy_file.read_text()
    for old, new, said in (("<gdoi>", "<gdio>", "line 6"), ('number="7001"', 'number="7002"', "for another group"),
                           ('<sender-ids bits="8"/>', "", "line 6: .*sender ids"), (forms.ipsec(g), "", "data"),
                           ('algorithm="ecdsa-256"', 'algorithm="rsa"', "signer's key is of the wrong kind .*5.3-13"),
                           ('hash="sha256"/>', 'hash="sha256" key-length="384"/>', "not that of the signer's key")):
        assert good.count(old) >= 1
        g.write_policy(good.replace(old, new, 1))
        status, text = g.keys.check_config()
        assert status == 6 and re.search(rf"keys\.xml:\d+: <policy>: .*{said}", text), (new, status, text)
    g.write_policy(good.replace("keys.lab.example", "other.lab.example"))
    status, text = g.keys.check_config()
    assert status == 6 and "does not name" in text, text
    g.close()

    g = group(run=False, auth="ecdsa")
    assert g.keys.check_config()[0] == 0
    now = datetime.datetime.utcnow().replace(microsecond=0)
    g.pki.issue("keys", dns=forms.fqdn("keys"), start=now - 20 * DAY, end=now - 10 * DAY)
    g.write_config()
    status, text = g.keys.check_config()
    assert status == 6 and "cannot be its key server: the certificate has expired" in text, text


def test_what_would_keep_members_out_is_found_by_check_config(group):
    g = group("alice", "bob", run=False)
    xml = g.config()
    nobodys = xml.replace(f'address="{g.address("alice")}"', f'name="{forms.fqdn("alice")}" name-type="fqdn"')
    g.write_config(nobodys)
    status, text = g.keys.check_config()
    assert status == 3 and re.search(r"<pre-shared-key>: is never used: Main Mode .*alice-keys", text), text
    g.write_config(nobodys.replace("<phase1", '<phase1 aggressive="yes"'))
    assert g.keys.check_config()[0] == 0, "Aggressive Mode goes by the name"
    g.write_config(xml)
    policy = g.policy_file.read_text()
    for bits, expected in ((256, 6), (128, 0)):
        g.write_policy(policy.replace("        </access-control>\n", f"""        </access-control>
        <phase1 authentication="psk" encryption="aes" key-length="{bits}" hash="sha256" group="p256"/>
"""))
        status, text = g.keys.check_config()
        assert status == expected and (status == 0 or "have nothing in common" in text), text


def test_the_log_says_why_somebody_is_refused(group):
    g = group("alice", run=False, strangers=["bob"])
    g.write_config(g.config().replace("    <proposal", """    <proposal encryption="aes256-cbc" hash="sha256" authentication="psk" group="ecp256"/>
    <proposal""", 1))
    g.write_policy(g.policy_file.read_text().replace("        </access-control>\n", """        </access-control>
        <phase1 authentication="psk" encryption="aes" key-length="256" hash="sha256" group="p256"/>
"""))
    g.start()
    refused = g.turned_away(g.peer("alice"), where=lambda e: e["req"] == "RFC2408-5.4-03")
    assert refused["notify_text"] == "NO-PROPOSAL-CHOSEN" and "no group's policy lists" in refused["field"]
    g.admitted = ["alice"]
    g.write_policy()
    g.keys.control("policy")
    refused = g.turned_away(g.peer("bob"), where=lambda e: "bob" in e["peer"])
    assert "no rule of the policy admits" in refused["reason"] and refused["group"] == "plant"


def test_the_examples_go_together(group):
    """Key server, policy and member of share/msec/examples make a group, as soon as files and addresses are real."""
    g = group("alice", run=False, auth="ecdsa")
    server, one = g.pki.issue("gcks", dns="gcks.example.org"), g.pki.issue("gm1", dns="gm1.example.org")
    examples = PREFIX / "share/msec/examples"
    member = g.member("alice")
    real = {"gcks.pem": server.chain, "gcks.key": server.key, "gm1.pem": one.chain, "gm1.key": one.key, "push.key": g.push_key,
            "root.pem": g.pki.root.cert, "root.crl": g.pki.crl, "gdoi-policy.xml": examples / "gdoi-policy.xml",
            "/var/lib/msec/gdoi-gcks.db": "keys.db", "/var/lib/msec/gdoi-gm.db": "gm.db", "192.0.2.1": g.address("keys"),
            "/run/msec/gdoi-gcks.sock": g.sockets.path / "keys", "/run/msec/gdoi-gm.sock": g.sockets.path / "alice"}
    for name, daemon in (("gdoi-gcks.xml", g.keys), ("gdoi-gm.xml", member)):
        text = (examples / name).read_text()
        for old, new in real.items():
            text = text.replace(f'"{old}"', f'"{new}"')
        daemon.write("".join(line for line in text.splitlines(True)
                             if not re.search("<run|<log|<kernel|2001:db8", line)))
    g.start()
    mark = member.start()
    member.wait("joined", since=mark, where=lambda e: e["group"] == "plant")
    member.finish()
    g.finish()


# -- members ------------------------------------------------------------------------------------------------------------

@pytest.mark.req("RFC6407-2.2-01", "RFC6407-3.2-01")
def test_members_register_and_follow_rekeys(group):
    g = group("alice", "bob")
    alice, bob = g.follow("alice", "bob")
    assert sorted(g.registered()) == ["alice", "bob"]
    status = g.status()
    assert (status["state"], status["members"], status["teks"]) == ("open", 2, 1)
    kek = status["kek"]
    assert kek["lkh"] and kek["dst"] == f"{g.rekey_address}:848" and kek["acknowledgement"]
    assert set(alice.member.rekeys) == set(bob.member.rekeys) == {bytes.fromhex(kek["spi"])}
    teks = {t["spi"] for t in g.keys.control("teks")}
    assert {t.spi.hex() for t in (i.tek for i in alice.member.teks.values())} == teks

    g.keys.control("rekey", "tek")
    for p in (alice, bob):
        p.wait("rekeyed")
    assert {t["spi"] for t in g.keys.control("teks") if t["state"] != "old"}.isdisjoint(teks)
    g.keys.wait("acked", where=lambda e: "alice" in e["peer"])
    g.keys.wait("acked", where=lambda e: "bob" in e["peer"])
    pushes = g.keys.control("history")
    assert pushes and pushes[0]["way"] == "multicast" and pushes[0]["to"] == f"{g.rekey_address}:848"
    # The key log opens what was on the wire: the keys in it are those of the members.
    log = keylog.KeyLog.read(g.keylog)
    assert len(log.phase1) == 2
    for held in alice.member.rekeys.values():
        assert log.keks[held.kek.spi] == (held.kek.algorithm, held.kek.iv, held.kek.key)
    for (protocol, spi), tek in alice.member.teks.items():
        assert log.teks[protocol, spi][0] == tek.cipher

    alice.leave()
    g.keys.wait("left", where=lambda e: "alice" in e["peer"])
    bob.wait("rekeyed", where=lambda f: f["new_kek"])
    assert sorted(g.registered()) == ["bob"]
    g.finish()


@pytest.mark.req("RFC6407-4-01", "RFC6407-7.4.1-01")
def test_who_is_evicted_gets_nothing_more_until_readmitted(group):
    g = group("alice", "bob", "carol")
    alice, bob, carol = g.follow("alice", "bob", "carol")
    old = bytes.fromhex(g.status()["kek"]["spi"])
    g.keys.control("evict", forms.fqdn("bob"))
    g.keys.wait("evicted", where=lambda e: "bob" in e["peer"])
    for p in (alice, carol):
        p.wait("rekeyed", where=lambda f: f["new_kek"])
        p.wait("rekeyed", where=lambda f: f["teks"])
    new = bytes.fromhex(g.status()["kek"]["spi"])
    assert new != old and new in alice.member.rekeys and new in carol.member.rekeys
    bob.wait("not-for-us")
    assert new not in bob.member.rekeys
    current = {t["spi"] for t in g.keys.control("teks") if t["state"] != "old"}
    assert current <= {t.tek.spi.hex() for t in carol.member.teks.values()}
    assert current.isdisjoint(t.tek.spi.hex() for t in bob.member.teks.values())

    mark = g.keys.mark()
    assert not bob.register(), "bob is barred"
    g.keys.wait("refused", since=mark, where=lambda e: "bob" in e["peer"])
    assert [b.partition(":")[2] for b in g.keys.control("barred")] == [forms.fqdn("bob")]
    g.keys.control("readmit", forms.fqdn("bob"))
    bob.follow()
    assert sorted(g.registered()) == ["alice", "bob", "carol"]


def test_refused_peers(group):
    g = group("alice", "bob", strangers=["mallory"])
    wrong = g.peer("alice", psk=b"not the key that we share")
    refusal = g.turned_away(wrong, where=lambda e: g.address("alice") in e["peer"])
    assert refusal["req"] in ("RFC2408-3.2-01", "RFC2408-5.3-02", "RFC2408-3.4-01"), "what another key decrypts to is no payload"
    wrong.close()
    mark = g.keys.mark()
    mallory = g.peer("mallory")
    assert not mallory.register(), "phase 1 is fine with mallory, the policy is not"
    refusal = g.keys.wait("refused", since=mark, where=lambda e: "mallory" in e["peer"])
    assert refusal["req"] == "RFC6407-3.4-03" and refusal["reason"]
    mark = g.keys.mark()
    assert not g.peer("bob", group=7002).register(), "there is no such group"
    unknown = g.keys.wait("refused", since=mark, where=lambda e: "bob" in e["peer"])
    assert unknown["req"] == "RFC6407-3.2-11" and "no group has number 7002" in json.dumps(unknown), unknown
    assert g.registered() == {} and g.status()["members"] == 0
    assert g.keys.control("counters") and len(g.keys.control("refusals")) >= 3


def test_a_new_policy_evicts_whom_it_excludes(group):
    g = group("alice", "bob")
    alice, bob = g.follow("alice", "bob")
    mark = g.keys.mark()
    g.write_policy(excluded=["bob"])
    assert g.keys.wait("policy", since=mark)["edition"] == -1
    g.keys.wait("evicted", since=mark, where=lambda e: "bob" in e["peer"])
    alice.wait("rekeyed")
    assert sorted(g.registered()) == ["alice"]
    assert not bob.register()
    g.write_policy("<policy/>")
    assert "policy.xml" in g.keys.wait("policy-refused", since=mark)["reason"]
    assert g.status()["state"] == "open" and sorted(g.registered()) == ["alice"], "the old one is in force"


@pytest.mark.parametrize("auth", ["ecdsa", "rsa"])
def test_certificates(group, auth):
    g = group("alice", auth=auth, strangers=["mallory"])
    suite = {"ecdsa": "aes128-sha256-ecdsa256-ecp256", "rsa": "aes128-sha256-rsa-ecp256"}[auth]
    g.follow("alice", suite=suite)
    assert g.registered()["alice"]["peer"] == "fqdn:alice.lab.example"
    refused = g.turned_away(g.peer("mallory", as_name=forms.fqdn("bob"), suite=suite))
    assert "another name than the peer says" in refused["reason"], "a certificate of another name"
    assert sorted(g.registered()) == ["alice"]
    g.pki.revoke(g.pki.parties["alice"])
    g.pki.write_crl()
    mark = g.keys.mark()
    g.keys.control("reload")
    g.keys.wait("reloaded", since=mark)
    g.peers[0].close()
    refused = g.turned_away(g.peer("alice", suite=suite), req="RFC2408-5.9-02")
    assert g.address("alice") in refused["peer"] and refused["reason"].startswith("the certificate is revoked: ")


@pytest.mark.parametrize("ip,unicast", [(4, True), (6, False), (6, True)])
def test_unicast_and_ipv6(group, ip, unicast):
    g = group("alice", "erin", ip=ip, unicast=unicast)
    alice, erin = g.follow("alice", "erin")
    g.keys.control("rekey", "kek")
    for p in (alice, erin):
        p.wait("rekeyed", where=lambda f: f["new_kek"])
    ways = {p["way"] for p in g.keys.control("history")}
    assert ways == ({"unicast"} if unicast else {"multicast"})
    for name in ("alice", "erin"):
        g.keys.wait("acked", where=lambda e, n=name: n in e["peer"])


@pytest.mark.req("RFC6407-2.2-03", "RFC6407-4-02", "RFC8263-3.4-03")
def test_unicast_through_a_nat_also_after_a_restart(group):
    """A PUSH finds its way back through the NAT only from the port that phase 1 has moved to, with the marker; and the
    address that such a member acknowledges with is one that never came here."""
    g = group("alice", "bob", unicast=True)
    alice, bob = g.peer("alice", nat_t=True, believes="192.168.77.7"), g.peer("bob")
    alice.member.address = bytes((192, 168, 77, 7))
    for p in (alice, bob):
        p.follow()
    mark = 0
    for times in (1, 2):
        g.keys.control("rekey", "tek")
        for p, name in ((alice, "alice"), (bob, "bob")):
            p.wait("rekeyed", times=times)
            g.keys.wait("acked", since=mark, where=lambda e, n=name: n in e["peer"])
        if times == 1:
            g.keys.kill()
            mark = g.keys.start()


@pytest.mark.req("RFC6407-2.2-03")
def test_nat_traversal_and_many_workers(group):
    """The move to port 4500 may bring datagrams to another worker: it hands them over."""
    g = group("alice", "bob", "carol", "dave", "erin", "frank", workers=8)
    peers = [g.peer(n, nat_t=True, believes="192.168.77.7").follow()
             for n in ("alice", "bob", "carol", "dave", "erin", "frank")]
    status = g.keys.control("status")
    assert status["workers"] == 8 and status["phase1"]["sas"] == 6 == sum(status["phase1"]["sas_by_worker"])
    assert sum(at["received"] for at in status["listen"] if at["nat"]) >= 12
    assert g.keys.control("counters")["datagrams handed to another worker"] > 0
    g.keys.control("rekey")
    for p in peers:
        p.wait("rekeyed")


@pytest.mark.req("RFC2407-4.6.3.3-03")
def test_who_begins_anew_has_no_older_sas_in_any_worker(group):
    """INITIAL-CONTACT reaches the worker that has the older SA, and one that has not is not asked."""
    g = group("alice", "bob", workers=8)
    assert g.peer("bob").register()
    for port in range(20001, 20009):  # the kernel chooses a worker by the port, too
        alice, mark = g.peer("alice", port=port), g.keys.mark()
        alice.member.config.initial_contact = True
        assert alice.register()
        if port > 20001:
            g.keys.wait("phase1-down", since=mark, where=lambda e: "alice" in e["peer"])
        alice.close()
    sas = g.keys.control("status")["phase1"]["sas_by_worker"]
    assert sum(sas) == 2, "bob's, and the last one of alice"


def test_aggressive_mode_is_off_by_default(group):
    g = group("alice", phase1={"aggressive": "yes"})
    assert g.peer("alice", mode=phase1.AGGRESSIVE).register()
    g.finish()
    g.close()
    g = group("alice")
    assert g.turned_away(g.peer("alice", mode=phase1.AGGRESSIVE))["req"] == "RFC2409-5-02"
    assert g.keys.control("status")["phase1"]["sas"] == 0


def test_a_group_in_the_dialect_of_one_implementation(group):
    """What is said in the group's <dialect> holds for it alone; a member that reads the RFC strictly is not understood."""
    g = group("alice", "bob", dialect='    <dialect preset="gdoid"/>\n')
    alice, = g.follow("alice", dialect="gdoid")
    g.keys.control("rekey", "tek")
    alice.wait("rekeyed")
    assert not g.peer("bob").register(), "the octets of its group number are the other way round"
    assert sorted(g.registered()) == ["alice"]


# -- those who do not answer --------------------------------------------------------------------------------------------

def test_a_member_that_does_not_acknowledge_is_seen(group):
    g = group("alice", "bob", ack={"type": "kek-sha256", "missed": 1}, rekeying={"ack-wait": "300ms"})
    alice, bob = g.follow("alice", "bob")
    g.keys.control("rekey", "tek")
    for name in ("alice", "bob"):
        g.keys.wait("acked", where=lambda e, n=name: n in e["peer"])
    bob.close()
    mark = g.keys.mark()
    g.keys.control("rekey", "tek")
    g.keys.wait("unresponsive", since=mark, where=lambda e: "bob" in e["peer"])
    g.keys.wait("acked", since=mark, where=lambda e: "alice" in e["peer"])
    assert g.status()["unresponsive"] == 1
    assert {n: m["state"] for n, m in g.registered().items()} == {"alice": "member", "bob": "unresponsive"}


@pytest.mark.req("RFC8263-6-01")
def test_a_member_that_does_not_acknowledge_is_evicted_if_policy_says_so(group):
    g = group("alice", "bob", ack={"type": "kek-sha256", "missed": 1, "evict": "true"},
              rekeying={"ack-wait": "3s"})  # for alice, who does, it is to be enough
    alice, bob = g.follow("alice", "bob")
    g.keys.control("rekey", "tek")
    for name in ("alice", "bob"):
        g.keys.wait("acked", where=lambda e, n=name: n in e["peer"])
    before, mark = bytes.fromhex(g.status()["kek"]["spi"]), g.keys.mark()
    bob.close()
    g.keys.control("rekey", "tek")
    g.keys.wait("evicted", since=mark, where=lambda e: "bob" in e["peer"])
    alice.wait("rekeyed", where=lambda f: f["new_kek"])
    assert sorted(g.registered()) == ["alice"] and bytes.fromhex(g.status()["kek"]["spi"]) != before


def test_a_dead_peer_is_found_out(group):
    g = group("alice", phase1={"dpd": "1s", "dpd-retry": "100ms", "dpd-tries": 2})
    alice = g.member("alice", membership={"keep_phase1": "yes"})
    alice.start()
    alice.control("join")
    alice.wait("joined")
    alice.kill()
    assert g.keys.wait("phase1-down", where=lambda e: "alice" in e["peer"])["reason"]
    assert g.keys.control("status")["phase1"]["sas"] == 0
    assert sorted(g.registered()) == ["alice"], "it is a member until it misses too many rekeys"
    del g.members["alice"]


# -- commands -----------------------------------------------------------------------------------------------------------

def test_commands(group):
    g = group("alice")
    alice, = g.follow("alice")
    for words, said in ((["evict", "nobody"], "'nobody' is no member"), (["evict", "alic"], "a fragment of a name"), (["evict", ""], "whom"),
                        (["readmit", "alice"], "was not evicted"), (["rekey", "tek", "plant", "soon"], "what is 'soon'"),
                        (["members", "other"], "there is no group 'other'"), (["delete-all"], "which group"),
                        (["destroy"], "which group")):
        with pytest.raises(LabError, match=said):
            g.keys.control(*words)
    spi = g.status()["kek"]["spi"]
    g.keys.control("rekey", "kek", "now", "plant")
    alice.wait("rekeyed", where=lambda f: f["new_kek"])
    assert g.status()["kek"]["spi"] != spi
    assert g.keys.control("policy") == {"edition": -1}
    done = subprocess.run([program("msec-ctl"), "--json", g.keys.control.path, "status"], capture_output=True, text=True)
    assert done.returncode == 0 and '"plant"' in done.stdout
    done = subprocess.run([program("msec-ctl"), g.keys.control.path, "help"], capture_output=True, text=True)
    assert re.search(r"delete-all +GROUP ", done.stdout)

    g.keys.control("delete-all", "plant")
    alice.wait("deleted")
    alice.follow()
    assert sorted(g.registered()) == ["alice"]
    g.keys.control("destroy", "plant")
    alice.wait("deleted", times=2)
    g.keys.wait("destroyed")
    assert g.status()["state"] == "destroyed"
    assert not alice.register()
    with pytest.raises(LabError, match="not open"):
        g.keys.control("rekey")


def test_reload(group):
    g = group("alice")
    g.psk("keys", "alice").write_text("another secret of the two 93b7\n")
    g.turned_away(g.peer("alice", psk=b"another secret of the two 93b7"))
    g.peers[-1].close()
    g.keys.reload()
    g.peer("alice", psk=b"another secret of the two 93b7").follow()
    g.psk("keys", "alice").chmod(0o644)
    g.keys.reload(refused="mode 0644")


def test_warnings_at_the_start(group):
    g = group("alice", run=False)
    g.psk("keys", "alice").write_text("password1\n")
    g.start()
    log = g.keys.log.read_text()
    assert "can be guessed" in log and "keys-alice" not in log.partition("can be guessed")[2].partition("\n")[0]
    g.finish()
    g.close()

    g = group("alice", auth="ecdsa", run=False)
    g.push_key = g.pki.parties["keys"].key
    g.write_config()
    g.start("--set", "phase1@aggressive=yes")
    assert "RFC6407-4.1-01" in g.keys.log.read_text()


# -- trouble ------------------------------------------------------------------------------------------------------------

@pytest.mark.req("RFC6407-5.7-02")
def test_killed_in_a_rekey_it_goes_on_with_higher_sequence_numbers(group):
    g = group("alice", "bob")
    alice, bob = g.follow("alice", "bob")
    g.keys.control("rekey", "tek")
    for p in (alice, bob):
        p.wait("rekeyed")
    before = g.status()
    g.keys.control.order("rekey", "tek")
    g.keys.kill()
    mark = g.keys.start()
    g.keys.wait("sent-again", since=mark)
    after = g.status()
    assert not g.keys.find("rekeyed", since=mark) and after["pushes"] == 0, "that is no rekey"
    assert all(p["again"] for p in g.keys.control("history"))
    assert after["members"] == 2 and after["kek"]["spi"] == before["kek"]["spi"]
    assert after["kek"]["sequence"] >= before["kek"]["sequence"]
    g.keys.control("rekey", "tek")
    g.keys.wait("rekeyed", since=mark, where=lambda e: e["sequence"] > before["kek"]["sequence"])
    current = {t["spi"] for t in g.keys.control("teks") if t["state"] != "old"}
    for p in (alice, bob):
        p.wait("rekeyed", where=lambda f: current <= set(f["teks"]) and f["seq"] > before["kek"]["sequence"])
        assert current <= {t.tek.spi.hex() for t in p.member.teks.values()}
    for _ in range(2):
        g.keys.kill()
        g.policy_file.unlink(missing_ok=True)
        g.start()
        assert g.status()["members"] == 2 and g.status()["state"] == "open", "under the policy that it remembers"


def test_a_full_disk_changes_nothing(group, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    g = group("alice", "bob", run=False)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "none", small], check=True)
    try:
        g.keys.write(g.config().replace('path="keys.db"', f'path="{small}/keys.db"'))
        g.start()
        alice, = g.follow("alice")
        with open(small / "filler", "wb", buffering=0) as f:
            with pytest.raises(OSError):
                while True:
                    f.write(b"x" * 4096)
        with pytest.raises(LabError, match="store failed"):
            g.keys.control("rekey", "tek")
        g.keys.wait("store-failed")
        assert not g.peer("bob").register(tries=1)
        status = g.keys.control("status")
        assert not status["store_ok"] and not g.keys.find("joined", where=lambda e: "bob" in e["peer"])
        assert not alice.count("rekeyed"), "nothing left that is not on the disk"
        (small / "filler").unlink()
        g.keys.control("rekey", "tek")
        g.keys.wait("store-recovered")
        alice.wait("rekeyed")
        assert g.peers[-1].register(), "bob gets in"
        g.keys.finish()
    finally:
        g.close()
        subprocess.run(["umount", "-l", small], check=True)
