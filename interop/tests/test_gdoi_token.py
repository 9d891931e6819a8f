# SPDX-License-Identifier: BSD-2-Clause
"""A GDOI group's policy: msec-token makes, signs and explains it, msec-go governs the group, and the second implementation
reads the same out of the token."""
import hashlib
import json
import re
import socket
import ssl
import subprocess
from xml.etree import ElementTree

import pytest

from lab import LabError
from lab.build import program
from lab.pki import Pki, dn
from lab.scene import OWNER_PORT
from lab.town import Town
from msec_scapy import announcement, gdoi_token, identity, pkix, token
from msec_scapy.vectors import make_token_gdoi, xmlform
from msec_scapy.vectors.make_token import pretty

TEMPLATES = {"gdoi-getvpn": "ipsec", "gdoi-simple": "ipsec", "gdoi-substation": "iec-61850", "gdoi-no-rekey": "ipsec"}
PSK = ("--type", "ipv4", "--gcks", "192.0.2.1", "--members", "192.0.2.*")


def msec_token(*words):
    return subprocess.run([program("msec-token"), *map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL)


def well(*words):
    done = msec_token(*words)
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout


def name(text):
    return identity.Identity(31, text.encode())


def address(text):
    return identity.Identity(1, socket.inet_aton(text))


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("suite", ("p256-gcm", "rsa2048-cbc"))
@pytest.mark.req("RFC4534-3-01", "RFC4534-3-12")
def test_every_template_is_a_policy_that_runs(tmp_path, template, suite):
    """No error in it, octet for octet the same by way of the DER, and the second implementation would run it."""
    xml, der = tmp_path / "p.xml", tmp_path / "p.der"
    well("new", "--template", template, "--suite", suite, "--group", "vpn", *PSK, "-o", xml)
    assert "error" not in well("lint", xml)
    well("compile", xml, "--edition", 1, "-o", der)
    assert well("decompile", der).replace(' edition="1"', "") == xml.read_text()
    rules = gdoi_token.GroupPolicy.of(token.check(der.read_bytes()))
    assert {kind for kind, _ in rules.sas} == {TEMPLATES[template]}
    assert (rules.rekey is None) == (template == "gdoi-no-rekey")
    assert rules.admits([address("192.0.2.7")]) and not rules.admits([address("198.51.100.7")])
    shown = json.loads(well("show", "--json", der))
    assert shown["policy"]["children"][1]["children"][0]["children"][0]["element"] == "gdoi", shown


@pytest.mark.req("RFC4534-B.1.2-01", "RFC4534-B.1.2-02")
def test_who_is_what_in_a_group_of_shared_keys(tmp_path):
    """An address that a rule names without an authority is admitted; one whose rule asks for one is not."""
    rule = '<rule type="ipv4" ca="">192.0.2.*</rule>'
    text = make_token_gdoi.policy().replace(rule, rule + f'<rule type="ipv4" ca="{make_token_gdoi.CA}">198.51.100.1</rule>'
                                            '<exclusions><exclusion type="ipv4" ca="">192.0.2.66</exclusion></exclusions>')
    (tmp_path / "p.xml").write_text(pretty(text))
    rules = gdoi_token.GroupPolicy.of(token.check(xmlform.der(text)))

    def explained(who, role="member"):
        done = msec_token("explain", tmp_path / "p.xml", "--as", role, "--type", "ipv4", "--identity", who)
        return done.returncode == 0, done.stdout
    for who, admitted, said in (("192.0.2.7", True, "rule 1"), ("192.0.2.66", False, "RFC4534-B.1.2-02"),
                                ("198.51.100.1", False, "another certification authority"), ("203.0.113.5", False, "no rule")):
        assert explained(who)[0] == rules.admits([address(who)]) == admitted, who
        assert said in explained(who)[1]
    assert explained("192.0.2.1", "gcks")[0] and explained("192.0.2.1", "rekey")[0]
    assert not explained("192.0.2.7", "gcks")[0]


def test_what_no_key_server_could_run_is_refused_by_both(tmp_path):
    """By msec-token with the line, by the second implementation with a reason: the same policies."""
    runs = 0
    for label, _, text, good in make_token_gdoi.forms():
        try:
            gdoi_token.GroupPolicy.of(token.check(xmlform.der(text)))
            assert good, label
            runs += 1
        except gdoi_token.PolicyError:
            assert not good, label
        if good:  # that msec-token writes these, and the same octets, test_token_vectors sees
            continue
        (tmp_path / "p.xml").write_text(pretty(text))
        done = msec_token("lint", tmp_path / "p.xml")
        assert done.returncode == 1 and "p.xml:" in done.stdout and "error" in done.stdout, (label, done)
        assert msec_token("compile", tmp_path / "p.xml", "-o", tmp_path / "p.der").returncode != 0, label
    assert runs > 80


@pytest.mark.parametrize("old,new,said", [
    ('lifetime="1d"', 'lifetime="2030-01-01T00:00:00Z"', "lifetime"),
    ('destination="239.1.1.1"', 'destination="239.1.1"', "neither an address nor a prefix nor a range"),
    ('algorithm="aes" ', "", "algorithm"),
    ('algorithm="rsa"', 'algorithm="rsb"', "neither a known name nor a number"),
    ("<signature", "<signed", "signature"),
    ('number="4660"', 'numero="4660"', "numero"),
], ids=("date", "address", "missing", "name", "element", "attribute"))
def test_a_document_that_is_none_is_refused_by_its_line(tmp_path, old, new, said):
    text = pretty(make_token_gdoi.policy())
    assert text.count(old) >= 1
    (tmp_path / "p.xml").write_text(text.replace(old, new, 1))
    done = msec_token("compile", tmp_path / "p.xml", "-o", tmp_path / "p.der")
    assert done.returncode == 3 and re.search(r"p\.xml:\d+: <", done.stderr) and said in done.stderr, done.stderr


def test_a_group_of_gdoi_is_announced(tmp_path):
    """Group, phase 1 and the address of PUSHes come out of the policy; nobody takes it for a group of GSAKMP."""
    (tmp_path / "p.xml").write_text(pretty(make_token_gdoi.policy()))
    pki = Pki(tmp_path / "pki")
    p = pki.issue("owner")
    plain, signed = tmp_path / "a.xml", tmp_path / "s.xml"
    common = ("announce", "--token", tmp_path / "p.xml", "--key-server", "192.0.2.1", "--key-server", "192.0.2.2:8848", "--serial", 7)
    well(*common, "-o", plain)
    root = ElementTree.fromstring(plain.read_text())
    assert [dict(e.attrib) for e in root.findall("key-server")] == [
        {"address": "192.0.2.1"}, {"address": "192.0.2.2", "port": "8848"}]
    gdoi = root.find("gdoi")
    assert dict(gdoi.attrib) == {"doi": "2", "situation": "0"} and gdoi.find("group").get("number") == "4660"
    assert gdoi.find("phase1").get("group") == "modp2048" and root.find("rekey").get("group") == "239.1.1.1"
    assert "transport" not in root.attrib and root.find("suite") is None
    well(*common, "--cert", p.chain, "--key", p.key, "-o", signed)
    assert "serial 7" in well("announce", "--verify", signed, "--owner", dn("owner"), "--root", pki.root.cert)
    assert root.find("flow") is None, "not unless it is asked for"
    well(*common, "--flows", "-o", plain)
    policy = ElementTree.fromstring((tmp_path / "p.xml").read_text())
    traffic = [{k: v for k, v in dict(t.attrib).items() if v not in ("0", "any")} for t in policy.iter("traffic")]
    assert traffic and [dict(e.attrib) for e in ElementTree.fromstring(plain.read_text()).findall("flow")] == traffic
    with pytest.raises(ValueError, match="GDOI"):
        announcement.parse(plain.read_text())
    broken = tmp_path / "b.xml"
    broken.write_text(signed.read_text().replace("4660", "4661"))
    assert msec_token("announce", "--verify", broken, "--owner", dn("owner"), "--root", pki.root.cert).returncode == 1


# ---------------------------------------------------------------- a Group Owner of a GDOI group

@pytest.fixture
def town(tmp_path, net_prefix):
    with Town(tmp_path, net_prefix, ["owner", "keys", "gm0"]) as t:
        yield t
        t.finish()


class KeyServer:
    """The key server's side of the connection to msec-go: subscribes, takes tokens, says what becomes of them."""

    def __init__(self, town, party, group):
        p, self.group = town.pki.parties[party], group
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.load_cert_chain(p.chain, p.key)
        with town.hosts[party].inside():
            plain = socket.create_connection((town.hosts["owner"].ip4, OWNER_PORT), timeout=60)
        self.tls = context.wrap_socket(plain)
        self.send(1, b"\x01" + self._group() + b"\0")

    def _group(self):
        return len(self.group).to_bytes(2, "big") + self.group

    def send(self, kind, body):
        frame = bytes([kind]) + body
        self.tls.sendall(len(frame).to_bytes(4, "big") + frame)

    def _read(self, count):
        out = b""
        while len(out) < count:
            part = self.tls.recv(count - len(out))
            assert part, "the owner hung up"
            out += part
        return out

    def receive(self):
        """(type, what follows the group)."""
        frame = self._read(int.from_bytes(self._read(4), "big"))
        assert frame[1:3 + len(self.group)] == self._group()
        return frame[0], frame[3 + len(self.group):]

    def token(self):
        kind, octets = self.receive()
        assert kind == 2, (kind, octets)
        self.send(3, self._group() + hashlib.sha256(octets).digest())
        return token.Signed(octets)

    def close(self):
        self.tls.close()


@pytest.mark.req("RFC4534-2-02", "RFC4534-B.1.1-02", "RFC4534-B.1.2-02", "RFC4534-3.1-03", "RFC4535-4.4.3-01")
def test_msec_go_governs_a_gdoi_group(town):
    """It delivers to the key server that the policy names and to nobody else; an exclusion is an edition; a contradiction none."""
    g = town.template("vpn", "gdoi-getvpn")
    owner = town.go("owner", g)
    server = KeyServer(town, "keys", bytes.fromhex(g.random) + b"vpn")
    first = server.token().verify(pkix.Certificate(town.pki.parties["owner"].der))
    rules = gdoi_token.GroupPolicy.of(first.token)
    path = [None, pkix.Certificate(town.pki.intermediate.der)]
    assert first.edition == 1 and rules.rekey["lkhDegree"] == 2
    assert rules.admits([name(dn("gm0"))], path) and not rules.admits([name("CN=gm0,O=Elsewhere")], path)
    assert not rules.admits([name(dn("gm0"))]), "these rules ask for an authority"
    stranger = KeyServer(town, "gm0", server.group)
    kind, text = stranger.receive()
    assert kind == 5 and text, "a member is no key server"
    stranger.close()

    mark = owner.mark()
    owner.control("exclude", dn("gm0"))
    second = server.token().verify(pkix.Certificate(town.pki.parties["owner"].der))
    rules = gdoi_token.GroupPolicy.of(second.token)
    assert second.edition == 2
    assert not rules.admits([name(dn("gm0"))], path) and rules.admits([name(dn("gm1"))], path)
    owner.wait("acknowledged", since=mark)
    assert any("gm0" in line["line"] for line in owner.control("diff", 1, 2))

    # A policy that no key server could run is not signed.
    good = g.policy.read_text()
    g.policy.write_text(good.replace('lkh-degree="2"', 'lkh-degree="2" margin="2d"'))
    with pytest.raises(LabError, match="margin|due before"):
        owner.control("publish", g.policy)
    assert owner.control("status")["groups"][0]["edition"] == 2
    g.policy.write_text(good.replace('lifetime="1d" lkh-degree', 'lifetime="12h" lkh-degree'))
    owner.control("publish", g.policy)
    third = gdoi_token.GroupPolicy.of(server.token().token)
    assert third.rekey["kekKeyLifetime"] == 43200
    server.close()
