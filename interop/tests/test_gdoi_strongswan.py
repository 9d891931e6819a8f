# SPDX-License-Identifier: BSD-2-Clause
"""Phase 1 against strongSwan's charon, in both roles: what other people's program takes, and what it refuses.

One charon serves all tests of this file; each test gives it its own configuration.
"""
import datetime
import itertools
import subprocess

import pytest

from lab import gdoi_member as forms
from lab.capture import Capture
from lab.charon import Charon, Ike, connection, on_848
from lab.daemons import Sockets
from lab.gdoi import Group
from lab.net import Net
from lab.pki import DAY, Pki

PROPOSAL = "aes128-sha256-modp2048"
SUITE = "aes128,sha256,modp2048"
KEY = "q7Zr-vC2mK9xPf4Lt6Wd"
IPSEC = {"p1_doi": 1, "p1_situation": 1}  # charon knows no other

MASQUERADE = """table inet nat {
  chain post {
    type nat hook postrouting priority srcnat;
    oifname "eth1" masquerade random
  }
}
"""


class Lab:
    """us and charon (them) on one segment, and home, which a router with NAT hides behind itself."""

    def __init__(self, net, directory):
        lan, site = net.segment("lan", 1), net.segment("site", 2)
        self.directory, self.number = directory, itertools.count()
        self.us, self.them = net.host("us", lan, 11), net.host("them", lan, 12)
        self.home = net.host("home", site, 11)
        self.nat = net.router("nat", [site, lan])
        self.nat.run(["nft", "-f", "-"], input=MASQUERADE)
        on_848(self.them)
        self.charon = Charon(self.them, directory)
        self.running = []

    def ike(self, host, **options):
        i = Ike(host, f"us{next(self.number)}", self.directory, **options)
        self.running.append(i)
        return i

    def start(self, role, auth="psk", port=500, ip=4, host=None, ours=None, theirs=None, us=None, them=None, wait=True,
              **creds):
        """Both programs with matching configurations; `us` and `them` change ours and charon's.  The SA comes up when
        `wait` is true; otherwise only its first message goes."""
        host = host or self.us
        a, b = (host.ip4, self.them.ip4) if ip == 4 else (host.ip6, self.them.ip6)
        seen = self.nat.segments[1].ip4(1) if host is self.home else a
        kind = "ipv4" if ip == 4 else "ipv6"
        our_id, their_id = ours or f"{kind}:{a}", theirs or f"{kind}:{b}"

        def name(i):
            return ("keyid:" if i.startswith("key-id:") else "") + i.split(":", 1)[1]
        self.mark = self.charon.mark()
        self.charon.configure(
            [connection("it", b, seen, **{"auth": "psk" if auth == "psk" else "pubkey", "proposals": PROPOSAL, "id": name(their_id),
                                          "remote_id": name(our_id), "remote_port": port, **(them or {})})],
            secrets={(name(our_id), name(their_id)): creds.pop("key", KEY)} if auth == "psk" else None, **creds)
        i = self.ike(host, **{
            "role": role, "local": a, "peer": b, "port": port, "peer_port": port, "suite": SUITE, "auth": auth,
            "id": our_id, "peers": their_id, **({"psk": KEY} if auth == "psk" else {}), **IPSEC, **(us or {})})
        if role == "responder":
            self.charon.initiate("it", wait)
        if wait:
            i.done = i.wait("established")
            self.charon.said("established between", since=self.mark)
        return i

    def certificates(self, role, kind, pkis, us=None, them=None, ours=None, cert=None, their_cert=None, **kw):
        """The same with certificates of a kind; `cert` and `their_cert` replace what there is."""
        pki, mine, other = pkis(kind)
        mine, other = cert or mine, their_cert or other
        method = {"rsa": "rsa", "ecdsa": "ecdsa256", "p384": "ecdsa384", "p521": "ecdsa521"}[kind]
        return self.start(role, auth=method, ours=ours or "fqdn:us.lab.example", theirs="fqdn:them.lab.example",
                          us={"cert": mine.chain, "key": mine.key, "ca": pki.root.cert, **(us or {})},
                          them=them, pki=pki, party=other, **kw)

    def clean(self):
        for i in self.running:
            if i.running:
                i.kill()
        self.running.clear()
        self.charon.forget()


@pytest.fixture(scope="module")
def the_lab(net_prefix, tmp_path_factory):
    with Net(net_prefix + "ss-") as net:
        lab = Lab(net, tmp_path_factory.mktemp("strongswan"))
        yield lab
        lab.charon.kill()


@pytest.fixture
def lab(the_lab):
    yield the_lab
    the_lab.clean()


@pytest.fixture(scope="module")
def pkis(tmp_path_factory):
    made = {}

    def get(kind):
        if kind not in made:
            p = Pki(tmp_path_factory.mktemp(kind), kind)
            made[kind] = p, p.issue("us", dns="us.lab.example"), p.issue("them", dns="them.lab.example")
        return made[kind]
    return get


LONG_AGO = datetime.datetime(2020, 1, 1)
ROLES = pytest.mark.parametrize("role", ["initiator", "responder"])


# ---- what comes up ---------------------------------------------------------------------------------------------------

@ROLES
@pytest.mark.parametrize("port", [500, 848])
@pytest.mark.req("RFC2408-2.5.1-01", "RFC2409-5-01", "RFC2409-5.4-01", "RFC2409-5-24")
def test_main_mode_with_a_pre_shared_key(lab, role, port):
    i = lab.start(role, port=port)
    assert i.done["remote"] == [lab.them.ip4, port]
    assert "ESTABLISHED" in lab.charon.sas()


@ROLES
def test_ipv6(lab, role):
    lab.start(role, ip=6)


@ROLES
@pytest.mark.parametrize("kind,port", [("rsa", 848), ("rsa", 500), ("ecdsa", 500), ("ecdsa", 848), ("p384", 848), ("p521", 500)])
@pytest.mark.req("RFC2409-5.1-01", "RFC2409-5.1-05", "RFC2409-5.1-07")
def test_main_mode_with_certificates(lab, pkis, role, kind, port):
    """Both sides ask for certificates, and both get a chain with an intermediate."""
    i = lab.certificates(role, kind, pkis, port=port)
    assert i.done["peer"] == "fqdn:them.lab.example"


@ROLES
@pytest.mark.req("RFC2409-5-02", "RFC2407-4.6.2.12-01")
def test_aggressive_mode_with_a_pre_shared_key(lab, role):
    i = lab.start(role, ours="key-id:gm-7", theirs="key-id:ks-1", us={"aggressive": "yes"}, them={"aggressive": True})
    assert i.done["peer"] == "key-id:ks-1"


@ROLES
@pytest.mark.req("RFC2409-5.1-02")
def test_aggressive_mode_with_certificates(lab, pkis, role):
    lab.certificates(role, "rsa", pkis, us={"aggressive": "yes"}, them={"aggressive": True})


@ROLES
@pytest.mark.parametrize("suite,proposal", [
    ("aes256,sha512,ecp521", "aes256-sha512-ecp521"), ("aes192,sha384,ecp384", "aes192-sha384-ecp384"),
    ("3des,sha1,modp1024", "3des-sha1-modp1024"), ("3des,md5,modp1536", "3des-md5-modp1536"),
    ("aes256,sha256,ecp256", "aes256-sha256-ecp256"), ("aes128,md5,modp768", "aes128-md5-modp768"),
    ("aes128,sha1,modp3072", "aes128-sha1-modp3072"), ("aes192,sha256,modp4096", "aes192-sha256-modp4096"),
    ("aes128,sha512,modp6144", "aes128-sha512-modp6144"), ("aes256,sha256,modp8192", "aes256-sha256-modp8192")])
def test_suites(lab, role, suite, proposal):
    lab.start(role, us={"suite": suite, "legacy": "yes"}, them={"proposals": proposal})


# ---- NAT traversal: RFC 3947 -----------------------------------------------------------------------------------------

@ROLES
def test_nat_traversal_without_a_nat_stays_where_it_is(lab, role):
    i = lab.start(role, us={"natt": 4500})
    assert i.done["remote"] == [lab.them.ip4, 500] and not i.done["nat_here"] and not i.done["nat_there"]


@ROLES
@pytest.mark.parametrize("aggressive", [False, True])
def test_a_translated_port_moves_both_to_4500(lab, role, aggressive):
    """charon's port 500 is seen as 848: to both of them that is a NAT in front of charon."""
    i = lab.start(role, port=848, us={"natt": 4500, **({"aggressive": "yes"} if aggressive else {})},
                  them={"aggressive": aggressive})
    done = i.done
    assert done["local"][1] == done["remote"][1] == 4500
    # In Aggressive Mode the hashes that reach a responder are of the message that has moved already.
    assert done["nat_here"] or done["nat_there"] or (role == "responder" and aggressive)


@pytest.mark.parametrize("aggressive", [False, True])
@pytest.mark.parametrize("auth", ["psk", "ecdsa"])
def test_from_behind_a_nat(lab, pkis, auth, aggressive):
    """Another address, and another port each time: Main Mode message 5, or Aggressive Mode message 3, finds the way back,
    so do a Delete and a question whether we are alive."""
    us = {"natt": 4500, **({"aggressive": "yes"} if aggressive else {}), **({"keepalive": 1} if aggressive else {"dpd": 1})}
    them = {"aggressive": aggressive}
    if auth == "psk":
        i = lab.start("initiator", host=lab.home, ours="fqdn:us.lab.example", us=us, them=them)
    else:
        i = lab.certificates("initiator", auth, pkis, host=lab.home, us=us, them=them)
    assert i.done["nat_here"] and not i.done["nat_there"] and i.done["remote"] == [lab.them.ip4, 4500]
    lab.charon.said("remote host is behind NAT", since=lab.mark)
    if aggressive:
        assert i.wait("keepalive")
    else:
        lab.charon.said("N(DPD_ACK)", since=lab.mark)
    assert "10.77.1.1[4500]" not in lab.charon.sas() and "10.77.1.1[" in lab.charon.sas()
    lab.charon.swanctl("--terminate", "--ike", "it", "--timeout", "60")
    i.wait("deleted", text="by the peer")


# ---- under the SA ----------------------------------------------------------------------------------------------------

@ROLES
@pytest.mark.req("RFC2408-5.15-01", "RFC2409-5.7-01")
def test_a_delete_of_theirs(lab, role):
    i = lab.start(role)
    lab.charon.swanctl("--terminate", "--ike", "it", "--timeout", "60")
    assert i.wait("deleted")["text"] == "by the peer"


@ROLES
@pytest.mark.req("RFC2409-5.7-02")
def test_a_delete_of_ours(lab, role):
    i = lab.start(role, us={"p1_delete_doi": 1})
    i.say("delete")
    lab.charon.said("received DELETE for IKE_SA", since=lab.mark)
    i.wait("deleted")


@ROLES
def test_both_ask_whether_the_other_is_alive_and_are_told(lab, role):
    i = lab.start(role, us={"dpd": 1}, them={"dpd": 1})
    lab.charon.said("N(DPD_ACK)", since=lab.mark)  # in either direction
    at = lab.charon.mark()
    lab.charon.said("parsed INFORMATIONAL_V1 request", since=at)
    lab.charon.said("generating INFORMATIONAL_V1 request", since=at)
    assert not i.find("peer dead") and not i.find("refused") and "ESTABLISHED" in lab.charon.sas()


def test_a_dead_peer_is_found_dead(lab):
    i = lab.start("initiator", us={"dpd": 1, "dpd_retry": 200, "dpd_tries": 3})
    lab.us.ip("route add blackhole 10.77.1.12/32")
    try:
        i.wait("peer dead")
    finally:
        lab.us.ip("route del blackhole 10.77.1.12/32")


@ROLES
def test_a_new_sa_before_the_old_one_ends(lab, role):
    """Re-authentication: IKEv1 has no other way to new keys.  Both ends have both SAs, then the old one is deleted."""
    i = lab.start(role, us={"p1_delete_doi": 1, "contact": "yes"})
    at = i.mark()
    if role == "initiator":
        i.say("begin")
        new = i.wait("established", since=at)
        i.say("delete")
        i.wait("deleted", since=at)
    else:
        lab.charon.swanctl("--rekey", "--ike", "it", "--reauth")
        new = i.wait("established", since=at)
    assert new["sa"] != i.done["sa"]


@pytest.mark.req("RFC2407-4.6.3.3-03", "RFC2407-4.6.3-01")
def test_who_begins_anew_is_believed(lab):
    """INITIAL-CONTACT of ours: charon forgets the SA that we have lost.  And of theirs: so do we."""
    i = lab.start("initiator", us={"contact": "yes"})
    i.kill()
    lab.running.clear()
    again = lab.ike(lab.us, role="initiator", local=lab.us.ip4, peer=lab.them.ip4, port=500, peer_port=500, suite=SUITE,
                    auth="psk", psk=KEY, id=f"ipv4:{lab.us.ip4}", peers=f"ipv4:{lab.them.ip4}", contact="yes", **IPSEC)
    again.wait("established")
    lab.charon.said("N(INITIAL_CONTACT)", since=lab.mark)
    lab.charon.said("destroying duplicate IKE_SA", since=lab.mark)


# ---- captures --------------------------------------------------------------------------------------------------------

@ROLES
def test_wireshark_opens_it_with_our_key_log(lab, role, tmp_path):
    """Its own dissector, which knows SAs of DOI 1: the encrypted messages of phase 1, and a Delete."""
    log = tmp_path / "keys"
    with Capture(lab.us.net, tmp_path / "out.pcapng") as capture:
        i = lab.start(role, us={"keylog": log})
        i.say("delete")
        lab.charon.said("DELETE for IKE_SA", since=lab.mark)
    lines = [line.split() for line in log.read_text().splitlines()]
    cookie, key = next((w[1], w[3]) for w in lines if w[0] == "IKEV1_KEY")
    assert i.done["sa"].startswith(cookie)
    r = subprocess.run(["tshark", "-n", "-r", capture.path, "-o", f"uat:ikev1_decryption_table:{cookie},{key}", "-Y",
                        "isakmp.flag_e == 1", "-T", "fields", "-e", "isakmp.typepayload", "-e", "isakmp.id.data.ipv4_addr"],
                       capture_output=True, text=True, check=True)
    opened = [line.split("\t") for line in r.stdout.splitlines()]
    assert {o[1] for o in opened[:2]} == {lab.us.ip4, lab.them.ip4}
    assert opened[0][0].startswith("5,8") and opened[1][0].startswith("5,8")  # ID, HASH
    assert opened[-1][0] == "8,12"  # HASH, D
    # The IVs: one for phase 1, one for the Informational.
    assert [w[3] == "00000000" for w in lines if w[0] == "IKEV1_IV"] == [True, False]


# ---- what is refused -------------------------------------------------------------------------------------------------

def never(lab, i):
    assert not i.find("established") and "ESTABLISHED" not in lab.charon.sas()


@pytest.mark.req("RFC2409-5-22")
def test_another_key_is_refused_by_them(lab):
    i = lab.start("initiator", us={"psk": "somebody else's", "tries": 3}, wait=False)
    lab.charon.said("could not decrypt payloads", since=lab.mark)
    i.wait("failed")
    never(lab, i)


@pytest.mark.req("RFC2409-5-22")
def test_another_key_is_refused_by_us(lab):
    i = lab.start("responder", us={"psk": "somebody else's"}, wait=False)
    assert i.wait("refused")["req"]
    never(lab, i)


@pytest.mark.parametrize("role", ["initiator", pytest.param("responder", marks=pytest.mark.refuses("RFC2408-5.4-03"))])
@pytest.mark.req("RFC2408-5.4-03")
def test_no_common_proposal(lab, role):
    i = lab.start(role, them={"proposals": "aes256-sha512-ecp384"}, wait=False)
    if role == "initiator":
        lab.charon.said("N(NO_PROP)", since=lab.mark)
        i.wait("notified", type=14)
    else:
        assert i.wait("refused")["req"] == "RFC2408-5.4-03"
    never(lab, i)


@pytest.mark.req("RFC2409-5-02")
@pytest.mark.refuses("RFC2409-5-02")
def test_aggressive_mode_is_refused_unless_configured(lab):
    i = lab.start("responder", them={"aggressive": True}, wait=False)
    assert i.wait("refused")["req"] == "RFC2409-5-02"


@pytest.mark.req("RFC6407-2.1-01")
@pytest.mark.refuses("RFC6407-2.1-01")
def test_the_ipsec_doi_is_refused_unless_configured(lab):
    i = lab.start("responder", us={"p1_doi": 2, "p1_situation": 0}, wait=False)
    assert i.wait("refused")["req"] == "RFC6407-2.1-01"


@ROLES
@pytest.mark.req("RFC6407-3.1-02")
@pytest.mark.refuses("RFC6407-3.1-02")
def test_a_peer_that_is_not_listed(lab, role):
    i = lab.start(role, us={"peers": "ipv4:10.9.9.9"}, wait=False)
    assert i.wait("refused")["req"] == "RFC6407-3.1-02"
    assert not i.find("established")


@ROLES
@pytest.mark.req("RFC6407-3.1-02")
@pytest.mark.refuses("RFC6407-3.1-02")
def test_a_certificate_of_somebody_else(lab, pkis, role):
    other = pkis("ecdsa")[0].issue("other", dns="other.lab.example")
    i = lab.certificates(role, "ecdsa", pkis, them={"id": "other.lab.example"}, their_cert=other, wait=False)
    assert i.wait("refused")["req"] == "RFC6407-3.1-02"
    assert not i.find("established")


def test_another_identity_of_ours_is_refused_by_them(lab):
    i = lab.start("initiator", us={"id": "ipv4:10.77.1.99", "tries": 3}, wait=False)
    assert i.wait("notified", type=24)  # AUTHENTICATION-FAILED
    i.wait("failed")
    never(lab, i)


@ROLES
@pytest.mark.req("RFC2408-5.9-02")
@pytest.mark.refuses("RFC2408-5.9-02")
@pytest.mark.parametrize("what", ["expired", "revoked", "wrong_root"])
def test_a_certificate_of_theirs_that_is_not_good(lab, pkis, tmp_path, role, what):
    pki = Pki(tmp_path, "ecdsa")
    end = {"start": LONG_AGO, "end": LONG_AGO + DAY} if what == "expired" else {}
    bad = pki.issue("them", dns="them.lab.example", **end)
    if what == "revoked":
        pki.revoke(bad)
        pki.write_crl()
    if what == "wrong_root":
        bad = Pki(tmp_path / "impostor", "ecdsa").issue("them", dns="them.lab.example")
    i = lab.certificates(role, "ecdsa", lambda _: (pki, pki.issue("us", dns="us.lab.example"), bad),
                         us={"crl": pki.crl}, wait=False)
    assert i.wait("refused")["req"] == "RFC2408-5.9-02"
    assert not i.find("established")


@ROLES
@pytest.mark.req("RFC2408-5.12-02")
@pytest.mark.parametrize("what", ["revoked", "wrong_root", "wrong_name"])
def test_a_certificate_of_ours_that_they_refuse(lab, pkis, tmp_path, role, what):
    """The other way round: what we send reaches charon's checks."""
    pki = Pki(tmp_path, "ecdsa")
    bad = pki.issue("us", dns="else.lab.example" if what == "wrong_name" else "us.lab.example")
    if what == "revoked":
        pki.revoke(bad)
        pki.write_crl()
    if what == "wrong_root":
        bad = Pki(tmp_path / "impostor", "ecdsa").issue("us", dns="us.lab.example")
    i = lab.certificates(role, "ecdsa", lambda _: (pki, bad, pki.issue("them", dns="them.lab.example")),
                         crl=pki.crl if what == "revoked" else None, wait=False)
    lab.charon.said({"revoked": "certificate was revoked"}.get(what, "no trusted"), since=lab.mark)
    if role == "initiator":
        assert i.wait("notified", type=24)  # AUTHENTICATION-FAILED
    else:
        assert i.wait("deleted", text="by the peer")  # it was up here before its last message arrived there
    assert "ESTABLISHED" not in lab.charon.sas()


# ---- the daemons -----------------------------------------------------------------------------------------------------

DIALECT = '<dialect><switch name="p1_doi" value="1"/><switch name="p1_situation" value="1"/></dialect></phase1>'


@pytest.fixture
def group(tmp_path, net_prefix):
    made = []

    def make(**how):
        g = Group(tmp_path / "group", ["alice"], prefix=net_prefix + "d-", **how)
        made.append(g)
        return g
    yield make
    for g in made:
        g.close()


@pytest.mark.parametrize("auth,natt", [("psk", "no"), ("psk", "yes"), ("ecdsa", "yes")])
def test_gdoi_gcks_takes_charon(group, tmp_path, auth, natt):
    """On 848, and on 4500 where both look for NATs; charon asks whether we are alive, and says good-bye."""
    g = group(auth=auth, phase1={"nat-traversal": natt})
    g.write_config(g.config().replace("</phase1>", DIALECT))
    g.start()
    host, keys = g.scene["alice"], g.scene["keys"]
    on_848(host)
    charon = Charon(host, tmp_path)
    charon.configure(
        [connection("it", host.ip4, keys.ip4, "psk" if auth == "psk" else "pubkey", "alice.lab.example", "keys.lab.example",
                    "aes128-sha256-ecp256", remote_port=848, dpd=1)],
        secrets={("alice.lab.example", "keys.lab.example"): g.secret("keys", "alice").decode()} if auth == "psk" else None,
        pki=g.pki, party=g.pki and g.pki.parties["alice"])
    charon.initiate("it")
    port = 4500 if natt == "yes" else 848
    assert f"{keys.ip4}[{port}]" in charon.sas()
    charon.said("[ HASH N(DPD_ACK) ]")
    charon.swanctl("--terminate", "--ike", "it", "--timeout", "60")
    charon.kill()
    g.finish()


def test_gdoi_gm_goes_to_charon(net, tmp_path):
    """Which knows no GROUPKEY-PULL: phase 1 is there, and what comes after it is refused in words that the member reports."""
    lan = net.segment("lan", 1)
    alice, server = net.host("alice", lan, 11), net.host("server", lan, 12)
    on_848(server)
    charon = Charon(server, tmp_path)
    charon.configure([connection("it", server.ip4, alice.ip4, "psk", server.ip4, alice.ip4, "aes128-sha256-ecp256", remote_port=848)],
                     secrets={(server.ip4, alice.ip4): KEY})
    sockets = Sockets()
    inside = forms.phase1({server.ip4: forms.psk_file(tmp_path, "alice", KEY)}, [(server.ip4, "ipv4")],
                          {"encryption": "aes128-cbc", "hash": "sha256", "authentication": "psk", "group": "ecp256"}, DIALECT[:-9])
    member = forms.Member(alice, "alice", tmp_path / "daemons", sockets)
    member.write(forms.config(f'  <identity name="{alice.ip4}" name-type="ipv4"/>\n', inside, [server.ip4],
                              [forms.group("plant", 7)], "alice.db", sockets.path / "alice"))
    try:
        member.start()
        member.control("join")
        member.wait("phase1-up")
        member.wait("notified", notify_text="INVALID-PAYLOAD-TYPE")
        assert f"{server.ip4}[4500]" in charon.sas()  # 848 is 500 there: a NAT
        member.stop()
    finally:
        member.kill() if member.running else None
        charon.kill()
        sockets.close()
