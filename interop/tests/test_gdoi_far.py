# SPDX-License-Identifier: BSD-2-Clause
"""./lab attack --target | --listen with GDOI: processes that know nothing of each other but an address and a key.

The victims are gdoi-gcks, gdoi-gm and, for phase 1, strongSwan's charon.
"""
import io
import json
import subprocess
import sys

import pytest

from lab import BUILD, TOP, gdoi_far
from lab import gdoi_member as forms
from lab.__main__ import main
from lab.charon import Charon, connection, on_848
from lab.daemons import Sockets
from lab.gdoi import NUMBER
from lab.gdoi_forms import fqdn
from lab.gdoi_peers import Ground
from lab.net import Net

PSK = "nine and a half weeks"
SUITE = ("--suite", "aes128-sha256-psk-ecp256")


def attacking(host, *words):
    return host.popen([sys.executable, "-m", "lab", "attack", "--json", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                      text=True, cwd=TOP / "interop")


def told(process, timeout=300, good=True):
    out, err = process.communicate(timeout=timeout)
    assert out, err
    assert (process.returncode == 0) == good, out + err
    return json.loads(out)


# ------------------------------------------------------------------ a key server

@pytest.fixture(scope="module")
def key_server(tmp_path_factory, net_prefix):
    with Ground(tmp_path_factory.mktemp("far") / "group", ["alice"], prefix=net_prefix + "f-",
                ack={"type": "kek-sha256", "missed": 100}) as ground:
        ground.start()
        yield ground


def words(ground, name, *more):
    return [name, "--target", ground.address("keys"), "--bind", ground.address("alice"), "--interface", "eth0",
            "--group", str(NUMBER), "--identity", fqdn("alice"), "--psk", "*=" + ground.secret("keys", "alice").decode(),
            "--patience", "1", *SUITE, *more]


def at(ground, name, *more):
    return attacking(ground.scene["alice"], *words(ground, name, *more))


def refusal(ground, mark):
    """That of what was wrong. A right exchange that a rekey overtakes is refused as well, and begins anew."""
    return ground.keys.wait("refused", since=mark, where=lambda e: e["req"] != "RFC6407-3.4-07")


# A second ID is one payload too many, or a group that is not named: the key server sees the latter.
@pytest.mark.parametrize("name, rule, said", [("member-ke-zero", "RFC2409-5-09", "RFC2409-5-09"),
                                              ("two-ids", "RFC6407-3.2-03", "RFC6407-3.2-11")])
def test_a_key_server_by_its_address(key_server, name, rule, said):
    mark = key_server.keys.mark()
    t = told(at(key_server, name))
    assert t["refused"] is True and t["alive"] is True and rule in t["rows"] and len(t["sent"]) >= 1 and t["payloads"]
    assert refusal(key_server, mark)["req"] == said


def test_an_acknowledgement_when_the_key_server_is_made_to_rekey(key_server):
    mark = key_server.keys.mark()
    ctl = f"{BUILD}/prefix/bin/msec-ctl {key_server.keys.control.path} rekey tek now"
    t = told(at(key_server, "ack-hash", "--provoke", ctl))
    assert t["sent"] and t["refused"] is None and t["alive"] is True
    refused = refusal(key_server, mark)
    assert refused["req"] == "RFC8263-5-05" and refused["group"] == "plant"


def test_an_acknowledgement_says_where_we_are_without_being_told(key_server):
    """Who is bound to no address has one on the way to the key server."""
    given = words(key_server, "ack-hash", "--provoke", f"{BUILD}/prefix/bin/msec-ctl {key_server.keys.control.path} rekey tek now")
    bind = given.index("--bind")
    del given[bind:bind + 2]
    mark = key_server.keys.mark()
    assert told(attacking(key_server.scene["alice"], *given))["sent"]
    assert refusal(key_server, mark)["req"] == "RFC8263-5-05"


def test_a_group_without_acknowledgements_is_not_waited_for(tmp_path, net_prefix):
    with Ground(tmp_path / "group", ["alice"], prefix=net_prefix + "n-", ack={}) as ground:
        ground.start()
        t = told(at(ground, "ack-hash", "--provoke", f"{BUILD}/prefix/bin/msec-ctl {ground.keys.control.path} rekey tek now"))
        assert not t["sent"] and t["alive"] is True and "its group wants none" in t["seen"][-1], t["seen"]


def test_what_needs_a_rekey_is_not_waited_for(key_server, monkeypatch):
    """Of everything, that is left out with a word; by its own name, it says at once what is missing, and one wait is enough."""
    ask = [e for e in gdoi_far.misbehave.CATALOGUE if e.where == "ack"][:3]
    others = [gdoi_far.misbehave.find("two-ids")]
    monkeypatch.setattr(gdoi_far, "chosen", lambda *_: others + ask)
    tried = []

    def attack(self, entry):
        tried.append(entry)
        return gdoi_far.told(entry, gdoi_far.Recording(entry), [], None if entry in ask else True, True)

    monkeypatch.setattr(gdoi_far.KeyServer, "attack", attack)

    def says(name, *more):
        tried.clear()
        monkeypatch.setattr(gdoi_far.sys, "stdout", out := io.StringIO())
        monkeypatch.setattr(gdoi_far.sys, "stderr", err := io.StringIO())
        try:
            assert gdoi_far.run(words(key_server, name, *more)) == 0
        finally:
            monkeypatch.setattr(gdoi_far.sys, "stdout", sys.__stdout__)
            monkeypatch.setattr(gdoi_far.sys, "stderr", sys.__stderr__)
        return out.getvalue(), err.getvalue()

    out, err = says("gdoi")
    assert tried == others and "3 of 4 need a rekey" in err and "--provoke" in err
    assert out.count("not tried\n") == 3 and "; 3 not tried: it needs a rekey" in out
    out, err = says("ack")
    assert tried == others + ask[:1] and "--provoke COMMAND makes it send one" in err, "one wait is enough"
    assert "; 2 not tried: no rekey came within 60 s" in out
    out, err = says("gdoi", "--provoke", "true")
    assert tried == others + ask and "not tried" not in out and not err
    told = json.loads(says("gdoi", "--json")[0])
    assert [t["tried"] for t in told] == [True, False, False, False]


def test_many_at_once_and_what_is_sent_in_full(key_server):
    """A kind of messages; and for people."""
    mark = key_server.keys.mark()
    every = told(at(key_server, "pull-3", "--patience", "0.3"))
    assert len(every) == len(gdoi_far.chosen("pull-3", "member")) and all(t["refused"] is True for t in every)
    wrong = lambda: key_server.keys.find("refused", since=mark, where=lambda e: e["req"] != "RFC6407-3.4-07")
    assert key_server.keys.wait("refused", since=mark, where=lambda _: len(wrong()) >= len(every)), "that it was silent is not all"
    text = "\n".join(gdoi_far.in_full(every[0]))
    assert every[0]["text"] in text and "Refused, as it has to be." in text and "A right exchange works afterwards" in text
    assert "ISAKMP" in text


def test_nothing_is_proved_by_who_is_refused_anyway(key_server):
    process = at(key_server, "two-ids", "--psk", "*=wrong", "--patience", "0.1")
    out, err = process.communicate(timeout=300)
    assert process.returncode and "a right exchange does not succeed" in err and not out


@pytest.mark.parametrize("always", [False, True])
def test_a_rekey_in_the_middle_of_a_right_exchange(key_server, monkeypatch, always):
    """The key server has moved on and says so: one asks again, and then it works; if it never does, what was said is told."""
    class Meanwhile(gdoi_far.Hooks):
        rekeys = 0

        def datagram(self, where, octets):
            if where == "pull-3" and (always or not Meanwhile.rekeys):
                Meanwhile.rekeys += 1
                key_server.keys.control("rekey", "tek", "now")
            return octets

    monkeypatch.setattr(gdoi_far, "Hooks", Meanwhile)
    mark = key_server.keys.mark()
    with key_server.scene["alice"].inside():
        victim = gdoi_far.KeyServer(gdoi_far.parser(True).parse_args(words(key_server, "two-ids")))
        assert victim.right(gdoi_far.misbehave.find("two-ids")) is not always, victim.said
    assert Meanwhile.rekeys == (gdoi_far.TRIES if always else 1)
    assert key_server.keys.wait("refused", since=mark)["req"] == "RFC6407-3.4-07"
    assert any("not-registered notify=INVALID-MESSAGE-ID" in line for line in victim.said) is always, victim.said


def test_with_certificates(tmp_path, net_prefix):
    with Ground(tmp_path / "group", ["alice"], prefix=net_prefix + "c-", auth="ecdsa") as ground:
        ground.start()
        p = ground.pki.parties["alice"]
        t = told(attacking(ground.scene["alice"], "member-p1-no-id", "--target",
                           ground.address("keys") + ":848", "--bind", ground.address("alice"), "--group", str(NUMBER),
                           "--identity", fqdn("alice"), "--key", str(p.key), "--cert", str(p.chain),
                           "--roots", str(ground.pki.root.cert), "--suite", "aes128-sha256-ecdsa256-ecp256", "--patience", "1"))
        assert t["refused"] is True and t["alive"] is True


# ----------------------------------------------------------------------- a member

class Home:
    """gdoi-gm on one host, nobody on the other."""

    def __init__(self, directory, prefix):
        self.net, self.sockets = Net(prefix), Sockets()
        lan = self.net.segment("a", 7)
        self.us, self.them = self.net.host("us", lan, 10), self.net.host("them", lan, 20)
        self.net.multicast("239.1.1.1")
        self.daemon = forms.Member(self.them, "victim", directory / "daemons", self.sockets)
        psk = forms.psk_file(directory, "victim", PSK)
        self.daemon.write(forms.config(
            f'  <identity name="{self.them.ip4}" name-type="ipv4"/>\n',
            forms.phase1({self.us.ip4: psk}, [("*.*.*.*", "ipv4")],
                         {"encryption": "aes128-cbc", "hash": "sha256", "authentication": "psk", "group": "ecp256"}),
            [self.us.ip4], [forms.group("plant", 77, join="yes")], "victim.db", self.sockets.path / "victim"))

    def attack(self, name, *words):
        p = attacking(self.us, name, "--listen", self.us.ip4, "--interface", "eth0", "--group", "77", "--identity", self.us.ip4,
                      "--psk", "*=" + PSK, "--seconds", "120", *SUITE, *words)
        line = p.stderr.readline()
        assert line.startswith("lab: waiting"), line
        return p

    def close(self):
        self.net.close()
        self.sockets.close()


@pytest.fixture
def home(tmp_path, net_prefix):
    h = Home(tmp_path, net_prefix + "h-")
    yield h
    h.close()


@pytest.mark.parametrize("name", ["ke-off", "kek-key-4096"])
def test_a_member_that_registers_here(home, name):
    p = home.attack(name, "--patience", "3")
    home.daemon.start()
    t = told(p)
    assert t["sent"] and t["refused"] is not False, t["seen"]
    assert t["outcome"] in gdoi_far.verdicts.REFUSED and t["alive"] is True, "it came back, and was served"
    assert home.daemon.wait("refused")["req"] in t["rows"]
    home.daemon.finish()


def test_a_member_that_follows_rekeys(home):
    """Who acknowledges shows what it takes, and that it goes on."""
    p = home.attack("push-signature", "--patience", "2")
    home.daemon.start()
    t = told(p)
    assert t["refused"] is True and t["alive"] is True, t["seen"]
    assert [e["req"] for e in home.daemon.find("refused")] == 2 * list(t["rows"]), "that one, which is sent twice, and none else"
    home.daemon.finish()


def test_who_takes_what_is_right_did_not_refuse(home):
    """The judge can say no: an entry that changes nothing is taken by everybody."""
    from msec_scapy.gdoi import misbehave
    harmless = misbehave.Misbehaviour("harmless", "server", "pull-2", "RFC6407-3.2-03", "Nothing is wrong", payloads=lambda x: x)
    home.daemon.start()
    with home.us.inside():
        a = gdoi_far.parser(False).parse_args(["harmless", "--listen", home.us.ip4, "--group", "77", "--identity", home.us.ip4,
                                               "--psk", "*=" + PSK, "--interface", "eth0", "--seconds", "120", "--patience", "30", *SUITE])
        victim = gdoi_far.Member(a)
        try:
            t = victim.attack(harmless)
            assert t["sent"] and t["refused"] is False and not gdoi_far.good(t)
            push = misbehave.Misbehaviour("harmless", "server", "push", "RFC6407-4-01", "Nothing is wrong", payloads=lambda x: x)
            t = victim.attack(push)
            assert t["refused"] is False, t["seen"]
        finally:
            victim.close()
    home.daemon.finish()


# ------------------------------------------------------------------ somebody else's

@pytest.fixture(scope="module")
def charon(tmp_path_factory, net_prefix):
    with Net(net_prefix + "x-") as net:
        lan = net.segment("lan", 1)
        us, them = net.host("us", lan, 11), net.host("them", lan, 12)
        on_848(them)
        c = Charon(them, tmp_path_factory.mktemp("charon"))
        c.configure([connection("it", them.ip4, us.ip4, auth="psk", id=them.ip4, remote_id=us.ip4, remote_port=848,
                                proposals="aes128-sha256-ecp256")], secrets={(us.ip4, them.ip4): PSK})
        c.us, c.them = us, them
        yield c
        c.kill()


IPSEC = ("--dialect", "p1_doi=1;p1_situation=1")  # charon knows no other


@pytest.mark.parametrize("name", ["member-ke-short", "member-p1-hash"])
def test_phase_1_of_charon_as_responder(charon, name):
    t = told(attacking(charon.us, name, "--target", charon.them.ip4, "--bind", charon.us.ip4, "--identity", charon.us.ip4,
                       "--psk", "*=" + PSK, "--patience", "1", *SUITE, *IPSEC))
    assert t["sent"] and t["refused"] is True and t["alive"] is True, t["seen"]


def test_phase_1_of_charon_as_initiator(charon):
    p = attacking(charon.us, "ke-short", "--listen", charon.us.ip4, "--identity", charon.us.ip4, "--psk", "*=" + PSK,
                  "--patience", "3", "--kek", "none", *SUITE, *IPSEC)
    assert p.stderr.readline().startswith("lab: waiting")
    charon.initiate("it", wait=False)
    assert p.stderr.readline().startswith("lab: waiting"), "a right one proves that it was this that was refused"
    charon.forget()
    charon.initiate("it", wait=False)
    t = told(p)
    assert t["sent"] and t["refused"] is True and t["alive"] is True and t["outcome"] in gdoi_far.verdicts.REFUSED, t["seen"]
    charon.forget()


# ------------------------------------------------------------------------- words

def test_what_cannot_be_done_is_said(capsys):
    common = ["--identity", "192.0.2.9", "--psk", "*=x"]
    assert main(["attack", "ke-off", "--target", "127.0.0.1", *common]) == 1 and "--listen" in capsys.readouterr().err
    assert main(["attack", "ack-hash", "--listen", "127.0.0.1", *common]) == 1 and "--target" in capsys.readouterr().err
    assert main(["attack", "two-ids", "--target", "127.0.0.1", "--suite", "rot13", *common]) == 1
    assert "no such suite" in capsys.readouterr().err
    assert len(gdoi_far.chosen("gdoi", "member")) + len(gdoi_far.chosen("gdoi", "server")) == len(gdoi_far.misbehave.CATALOGUE)
    assert gdoi_far.chosen("gdoi", "server")[-1].where == "push"
