# SPDX-License-Identifier: BSD-2-Clause
"""Every identification type of Table 19 and every certificate type of Table 20, as sent and as
received, by real daemons in both roles: RFC 4535 sections 7.6 and 7.7."""
import datetime
import http.server
import socket
import threading
import time

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from msec_scapy import flows, identity, material, message, party, pkix, policy
from msec_scapy import registry as reg
from msec_scapy.gsakmp import Certificate
from msec_scapy.testing.ground import PORT, REKEY_PORT, Ground, serving


def admitted(server):
    return server.until(lambda k: any(m.acknowledged for m in k.members.values()))


def captured(ground):
    """Every message that was sent since record(), all of them signed."""
    return [message.parse(c.octets, ground.dialect) for c in flows.messages(
        ground.dir / "capture.pcapng", (PORT, REKEY_PORT))]


def refusal(daemon, *reqs, since=0):
    return daemon.wait("refused", since=since, where=lambda e: e.get("req") in reqs)


def turned_away(server, runner, *reqs, since=None):
    """One request, which is refused for one of these reasons and is not answered."""
    mark = server.mark() if since is None else since
    runner.tries, runner.timeout = 1, 0.1
    assert not runner.join()
    return refusal(server, *reqs, since=mark)


# --------------------------------------------------------------- Table 19

# name-type of the configuration: identification type, and the name as certificates have it
KINDS = {"dn": reg.ID_DN, "der-dn": reg.ID_DER_DN, "u-name": reg.ID_U_NAME, "fqdn": reg.ID_FQDN,
         "rfc822": reg.ID_RFC822, "ipv4": reg.ID_IPV4, "ipv6": reg.ID_IPV6}


def everything(ground, name, n):
    """A certificate with a name of every kind."""
    return ground.pki.issue(name, dns=f"{name}.lab.example", email=f"{name}@lab.example",
                            ips=[f"10.77.0.{n}", f"fd77::{n}"])


def rule(ground, name, kind):
    who = identity.of_certificate(pkix.Certificate(ground.party(name).der), kind)
    return policy.Rule(who, ground.pki.intermediate.key_id)


@pytest.mark.req("RFC4535-7.6.1-03", "RFC4535-7.6.1-05", "RFC4535-7.6.1-06",
                 "RFC4535-7.6.1.1-01", "RFC4535-7.6.2-04", "RFC4535-7.8.1-07",
                 "RFC4535-7.6.2.1-01", "RFC4535-7.6.2.1-04")
def test_every_identification_type_of_gsakmp_gm(ground):
    """Members that call themselves by each, before a token that admits them by that and by
    nothing else; one whose name of that kind is another is refused."""
    for n, kind in enumerate(KINDS):
        everything(ground, f"gm{n}", n + 1)
        ground.name_types[f"gm{n}"] = kind
    ground.rule = lambda name, plain=ground.rule: plain("nobody" if name == "gm*" else name)
    ground.rules = [rule(ground, f"gm{n}", KINDS[k]) for n, k in enumerate(KINDS)][:-1]
    server = ground.record().gcks()
    gms = [ground.gm(f"gm{n}", ("gm", "other")[n % 2]) for n in range(len(KINDS))]
    for gm in gms:
        gm.control("join")
    for gm in gms[:-1]:
        gm.wait("joined")
    refusal(server, "RFC4535-5.2.1.1-15")
    ground.rules.append(rule(ground, f"gm{len(KINDS) - 1}", KINDS["ipv6"]))
    mark = gms[-1].mark()
    ground.token_file.write_bytes(ground.make_token())
    server.control("token")
    gms[-1].wait("joined", since=mark)  # it asks a second time
    for gm in gms:
        gm.control("leave")
    for gm in gms:
        gm.wait("left")
        gm.finish()
    server.finish()
    assert not [f for r in ground.examine() for f in r.faults]
    rtjs = [m for m in captured(ground) if m.exchange == reg.X_RTJ]
    assert {m.signature.id_type for m in rtjs} == set(KINDS.values())


@pytest.mark.req("RFC4535-7.6.1-03", "RFC4535-7.6.1-05", "RFC4535-7.6.1-06",
                 "RFC4535-7.6.1.1-01", "RFC4535-7.8.1-07")
def test_every_identification_type_of_gsakmp_gcks(ground):
    """A key server under each of its names, before gsakmp-gm and a Python member, whose token
    knows it by that name alone."""
    everything(ground, "keys", 1)
    gm = ground.gm("gm0")
    for kind, number in KINDS.items():
        ground.name_types["keys"] = kind
        ground.rule = lambda name, plain=Ground.rule: (
            rule(ground, "keys", number) if name == "keys" else plain(ground, name))
        server = ground.gcks()
        mark = gm.mark()
        gm.control("join")
        gm.wait("joined", since=mark)
        server.wait("member-active")
        python = ground.member("gm1", "other")
        assert python.join() and python.member.server.kind == number
        mark = gm.mark()
        server.control("rekey")
        gm.wait("rekeyed", since=mark)
        gm.control("leave", "silently")
        python.close()
        ground.open.remove(python)
        server.finish()
    gm.finish()


@pytest.mark.req("RFC4535-7.6.1-05", "RFC4535-7.6.1-06")
@pytest.mark.refuses("RFC4535-7.8.2-05")
def test_names_that_a_certificate_does_not_say(ground):
    """Python members under each name; then one that takes the name of another."""
    for n in range(2):
        everything(ground, f"gm{n}", n + 1)
    ground.rules = [rule(ground, n, k) for n in ("gm0", "gm1") for k in KINDS.values()]
    server = ground.gcks()
    p = ground.party("gm0")
    for kind in KINDS.values():
        good = party.Credentials.from_files(p.key, p.chain, id_kind=kind)
        mark = server.mark()
        assert ground.member("gm0", credentials=good, rekeys=False).join()
        server.wait("member-active", since=mark)
        liar = party.Credentials.from_files(p.key, p.chain, id_kind=kind)
        other = identity.of_certificate(pkix.Certificate(ground.party("gm1").der), kind)
        liar.identity = lambda dialect=None, other=other: other
        turned_away(server, ground.member("gm0", "other", credentials=liar, rekeys=False),
                    "RFC4535-7.8.2-05")
    server.finish()


# ------------------------------------------------------------ raw RSA keys

RSA = {"kind": "rsa"}


MADE = {}  # keys are made once


def raw_key(ground, name):
    """(private key, file of the private key, file of the public key)"""
    key = MADE.setdefault(name, None) or rsa.generate_private_key(65537, 2048)
    MADE[name] = key
    private, public = ground.dir / f"{name}.raw.key", ground.dir / f"{name}.raw.pub"
    private.write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    return key, private, public


RAW_NAMES = {"key-id": (reg.ID_KEY, b"the first member"), "dn": (reg.ID_DN, b"CN=gm0,O=MSEC Lab"),
             "fqdn": (reg.ID_FQDN, b"gm0.lab.example"), "ipv4": (reg.ID_IPV4, bytes((10, 9, 8, 7)))}


def raw_rule(key, name):
    return policy.Rule(identity.Identity(*RAW_NAMES[name]), material.RawKey.of(key).key_id)


def text_of(name):
    kind, octets = RAW_NAMES[name]
    return "10.9.8.7" if kind == reg.ID_IPV4 else octets.decode()


@pytest.mark.parametrize("ground", [RSA], indirect=True, ids=["rsa"])
@pytest.mark.req("RFC4535-7.7.1-07", "RFC4535-7.7.1-04", "RFC4535-7.6.1-05", "RFC4535-7.7.2-03")
def test_raw_rsa_keys_between_the_daemons(ground):
    """Members without a certificate, under names of several kinds, and a token that has the
    identifiers of their keys as authorities."""
    keys = {name: raw_key(ground, f"gm{n}") for n, name in enumerate(RAW_NAMES)}
    ground.rules = [raw_rule(key, name) for name, (key, _, _) in keys.items()]
    ground.believed = "".join(
        f'<raw-key file="{public}" name="{text_of(name)}" name-type="{name}"/>'
        for name, (_, _, public) in keys.items())
    server = ground.record().gcks()
    ground.believed, gms = "", []
    for n, (name, (_, private, _)) in enumerate(keys.items()):
        ground.identities[f"gm{n}"] = (f'<identity raw-key="yes" key="{private}" '
                                       f'name="{text_of(name)}" name-type="{name}"/>')
        gms.append(ground.gm(f"gm{n}"))
        gms[n].control("join")
    for gm in gms:
        gm.wait("joined")
    mark = gms[0].mark()
    server.control("rekey")
    gms[0].wait("rekeyed", since=mark)
    for gm in gms:
        gm.control("leave")
    for gm in gms:
        gm.wait("left")
        gm.finish()
    server.finish()
    ground.recording.stop()
    rtjs = [m for m in captured(ground) if m.exchange == reg.X_RTJ]
    assert all([c.cert_type for c in m.all(Certificate)] == [reg.CERT_RAW_RSA] for m in rtjs)


@pytest.mark.parametrize("ground", [RSA], indirect=True, ids=["rsa"])
@pytest.mark.req("RFC4535-7.7.1-07")
@pytest.mark.refuses("RFC4535-7.7.2-02")
def test_raw_rsa_keys_that_are_not_believed(ground):
    """Nobody configured; another key than the configured one; another name; another authority in
    the token; then the right one, which is thrown out when it is no longer configured."""
    key, _, public = raw_key(ground, "gm0")
    other = raw_key(ground, "gm1")[0]
    who, name = identity.Identity(*RAW_NAMES["key-id"]), text_of("key-id")
    ground.rules = [raw_rule(key, "key-id"), raw_rule(other, "key-id")]
    believed = f'<raw-key file="{public}" name="{name}" name-type="key-id"/>'

    def attempt(server, key, who, *reqs):
        turned_away(server, ground.member(
            "gm0", credentials=party.Credentials.raw(key, who), rekeys=False), *reqs)
    server = ground.gcks()
    attempt(server, key, who, "RFC4535-7.7.2-02")
    server.finish()
    ground.believed = believed
    server = ground.gcks()
    attempt(server, other, who, "RFC4535-7.8.2-06")  # signed by a key that is not configured
    attempt(server, key, identity.Identity(reg.ID_KEY, b"somebody else"), "RFC4535-5.2.1.1-15")
    good = ground.member("gm0", credentials=party.Credentials.raw(key, who))
    assert good.join() and good.leave()
    mark = server.mark()
    assert good.join()
    server.wait("member-active", since=mark)
    # Another key is put where this one was: the member goes.
    public.write_bytes(raw_key(ground, "gm1")[2].read_bytes())
    mark = server.mark()
    server.control("reload")
    server.wait("evicted", since=mark, where=lambda e: "key-id" in e["peer"])
    server.finish()
    ground.rules = [policy.Rule(who, ground.pki.intermediate.key_id)]
    server = ground.gcks()
    attempt(server, key, who, "RFC4535-5.2.1.1-15")
    server.finish()


@pytest.mark.parametrize("ground", [RSA], indirect=True, ids=["rsa"])
@pytest.mark.req("RFC4535-7.7.1-07")
def test_key_server_with_a_raw_key(ground):
    """The other way round: the member believes the key of its key server, or does not."""
    key, private, public = raw_key(ground, "keys")
    name = identity.Identity(reg.ID_KEY, b"the first member")
    ground.server_rules = [raw_rule(key, "key-id")]
    ground.identities["keys"] = (f'<identity raw-key="yes" key="{private}" '
                                 f'name="{name.data.decode()}" name-type="key-id"/>')
    server = ground.gcks()
    doubter = ground.gm("gm1", "other")
    doubter.control("join")
    refusal(doubter, "RFC4535-7.7.2-02")
    ground.believed = f'<raw-key file="{public}" name="{name.data.decode()}" name-type="key-id"/>'
    gm = ground.gm("gm0")
    gm.control("join")
    gm.wait("joined")
    mark = gm.mark()
    server.control("rekey")
    gm.wait("rekeyed", since=mark)
    ground.raw_keys = [(name, material.RawKey.of(key))]
    assert ground.member("gm2", "evil").join()
    for d in (gm, doubter, server):
        d.finish()


# --------------------------------------------------------- hash and URL

class Files(http.server.ThreadingHTTPServer):
    """A web server on a host of the lab, whose files are a dictionary; counts what it is asked."""

    def __init__(self, host, port=8080):
        self.files, self.asked = {}, []
        with host.inside():
            super().__init__((host.ip4, port), _Handler)
        self.prefix = f"http://{host.ip4}:{port}/"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self):
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        octets = self.server.files.get(self.path)
        self.send_response(404 if octets is None else 200)
        self.end_headers()
        self.wfile.write(octets or b"")

    def log_message(self, *_):
        pass


@pytest.fixture
def files(ground):
    f = Files(ground.hosts["evil"])
    yield f
    f.close()


def serve_credentials(daemon, files):
    """Publish what the daemon says its URLs have to give."""
    for p in daemon.control("credentials")["payloads"]:
        if "url" in p:
            files.files["/" + p["url"].rpartition("/")[2]] = bytes.fromhex(p["octets"])


def named_by_url(ground, name, url, how):
    p = ground.party(name)
    ground.identities[name] = (f'<identity certificate="{p.chain}" key="{p.key}" '
                               f'{how}-url="{url}"/>')


@pytest.mark.parametrize("how,kind", [("certificate", reg.CERT_HASH_URL),
                                      ("bundle", reg.CERT_HASH_URL_BUNDLE)])
@pytest.mark.req("RFC4535-7.7.1-07", "RFC4535-7.7.2-03")
def test_hash_and_url_between_the_daemons(ground, files, how, kind):
    for name in ("keys", "gm0"):
        named_by_url(ground, name, f"{files.prefix}c/{name}", how)
    ground.fetch = f'<certificate-urls timeout="30s"><allow url="{files.prefix}c"/></certificate-urls>'
    server = ground.record().gcks()
    gm = ground.gm("gm0")
    for d in (server, gm):
        for p in d.control("credentials")["payloads"]:
            if "url" in p:
                files.files["/c/" + p["url"].rpartition("/")[2]] = bytes.fromhex(p["octets"])
    gm.control("join")
    gm.wait("joined")
    server.wait("member-active")
    assert sorted(files.asked) == ["/c/gm0", "/c/keys"]
    mark = gm.mark()
    server.control("rekey")
    gm.wait("rekeyed", since=mark)
    gm.control("leave")
    gm.wait("left")
    gm.control("join")
    gm.wait("joined", since=mark)
    assert sorted(files.asked) == ["/c/gm0", "/c/keys"], "the second time it is in the cache"
    gm.finish()
    server.finish()
    ground.recording.stop()
    types = {c.cert_type for m in captured(ground) for c in m.all(Certificate)}
    assert kind in types and (reg.CERT_X509 not in types or how == "certificate")


@pytest.mark.req("RFC4535-7.7.1-07")
def test_hash_and_url_of_python_peers(ground, files):
    ground.fetch = f'<certificate-urls timeout="30s"><allow url="{files.prefix}"/></certificate-urls>'
    server = ground.gcks()
    for name, attribute in (("gm0", "cert_url"), ("gm1", "bundle_url")):
        credentials = ground.credentials(name)
        setattr(credentials, attribute, files.prefix + name)
        files.files["/" + name] = (credentials.cert.der if attribute == "cert_url" else
                                   material.bundle([credentials.cert, *credentials.chain]))
        assert ground.member(name, credentials=credentials).join()
    server.finish()
    named_by_url(ground, "gm2", files.prefix + "gm2", "bundle")
    with serving(ground.key_server(host="other")) as k:
        ground.address = lambda host, plain=ground.address: plain(
            "other" if host == "keys" else host)
        gm = ground.gm("gm2")
        serve_credentials(gm, files)
        k.server.fetch = lambda url: files.files.get("/" + url.rpartition("/")[2])
        gm.control("join")
        gm.wait("joined")
        assert admitted(k)
        gm.finish()


@pytest.mark.refuses("RFC4535-7.7.2-02", "RFC4535-7.8.2-05")
def test_what_is_not_fetched(ground, files):
    """Off; not below an allowed prefix; not there; octets of another hash; too many; no answer.
    Each is refused, and the key server serves the next one as if nothing was."""
    credentials = ground.credentials("gm0")
    credentials.chain = []
    der, host = credentials.cert.der, ground.hosts["evil"]
    with host.inside():
        mute = socket.create_server((host.ip4, 8081))
    cases = [("off", "RFC4535-7.7.2-02", None, der, 0),
             ("forbidden", "RFC4535-7.8.2-05", files.prefix + "allowed", der, 0),
             ("missing", "RFC4535-7.8.2-05", files.prefix, None, 1),
             ("other", "RFC4535-7.8.2-05", files.prefix, b"something else", 1),
             ("too-long", "RFC4535-7.8.2-05", files.prefix, bytes(5000), 1),
             ("silent", "RFC4535-7.8.2-05", f"http://{host.ip4}:8081/", der, 0)]
    for case, req, allow, octets, asked in cases:
        ground.fetch = allow and (f'<certificate-urls timeout="{"300ms" if case == "silent" else "30s"}" size-max="4096" waiting-max="2">'
                                  f'<allow url="{allow}"/></certificate-urls>') or ""
        server = ground.gcks()
        credentials.cert_url = (allow if case == "silent" else files.prefix) + "gm0"
        files.files["/gm0"] = octets
        files.asked.clear()
        turned_away(server, ground.member("gm0", credentials=credentials, rekeys=False), req)
        assert len(files.asked) == asked, case
        honest = ground.member("gm1", "other", rekeys=False)
        assert honest.join() and honest.leave()
        server.finish()
    mute.close()


def test_nothing_is_fetched_for_whom_is_not_known(ground, files):
    """Before the cookie, and for names that the policy does not know, no URL is followed."""
    ground.fetch = f'<certificate-urls><allow url="{files.prefix}"/></certificate-urls>'
    server = ground.gcks(cookies="always")
    for name in ("gm0", "stranger"):
        credentials = ground.credentials(name)
        credentials.cert_url = files.prefix + name
        files.files["/" + name] = credentials.cert.der
        runner = ground.member(name, credentials=credentials, rekeys=False)
        mark = server.mark()
        runner.unicast.sendto(runner.member.join(time.time()), runner.server)
        refusal(server, "RFC4535-5.2.2-02", since=mark)
        assert not files.asked
        if name == "stranger":
            turned_away(server, runner, "RFC4535-5.2.1.1-15")
        else:
            assert runner.join() and files.asked == ["/gm0"]
            files.asked.clear()
    assert not files.asked
    server.finish()


# ---------------------------------------------- attribute certificates, CRLs

def authority(ground, name="aa"):
    aa = ground.party(name)
    return aa, pkix.Certificate(aa.der)


def attribute(ground, holder, levels, by="aa", **how):
    aa, cert = authority(ground, by)
    return material.issue(cert, aa.private, pkix.Certificate(ground.party(holder).der), levels,
                          **how)


def with_attributes(ground, name, *attributes):
    c = ground.credentials(name)
    c.attributes = list(attributes)
    return c


@pytest.mark.req("RFC4535-7.7.1-07", "RFC4534-B.1.2-01")
@pytest.mark.refuses("RFC4534-B.1.2-01")
def test_permissions_by_attribute_certificates(ground):
    """The token asks for permissions 2 and 5: who shows both, and who does not."""
    aa, _ = authority(ground)
    ground.believed = f'<attribute-authority file="{aa.chain}"/>'
    for n in range(10):
        ground.party(f"gm{n}")
    server = ground.gcks(ground.make_token(permissions=(2, 5)))

    def attempt(name, *attributes):
        mark = server.mark()
        runner = ground.member(name, credentials=with_attributes(ground, name, *attributes),
                               rekeys=False)
        if name == "gm3":
            turned_away(server, runner, "RFC4535-5.2.1.1-15", since=mark)
            return False
        assert runner.join()
        return bool(server.wait("member-active", since=mark))
    assert attempt("gm0", attribute(ground, "gm0", {2, 5}))
    assert attempt("gm1", attribute(ground, "gm1", {1, 2, 5, 9}, entity=True))
    assert attempt("gm2", attribute(ground, "gm2", {2}), attribute(ground, "gm2", {5}, serial=2))
    assert not attempt("gm3")
    assert not attempt("gm3", attribute(ground, "gm3", {2}))
    assert not attempt("gm3", attribute(ground, "gm4", {2, 5})), "of somebody else"
    assert not attempt("gm3", attribute(ground, "gm3", {2, 5}, by="rogue")), "not an authority"
    assert not attempt("gm3", attribute(ground, "gm3", {2, 5}, days=-1)), "out of date"
    assert not attempt("gm3", attribute(ground, "gm3", {2, 5}, critical=True))
    forged = bytearray(attribute(ground, "gm3", {2, 5}))
    forged[-1] ^= 1
    assert not attempt("gm3", bytes(forged))
    server.finish()


@pytest.mark.req("RFC4535-7.7.1-07", "RFC4534-B.1.2-01")
def test_permissions_of_the_daemon_gsakmp_gm(ground):
    """A member with an attribute certificate in its configuration: before gsakmp-gcks and before
    a Python key server."""
    aa, cert = authority(ground)
    file = ground.dir / "gm0.ac"
    file.write_bytes(attribute(ground, "gm0", {3}))
    p = ground.party("gm0")
    ground.identities["gm0"] = (f'<identity certificate="{p.chain}" key="{p.key}">'
                                f'<attribute-certificate file="{file}"/></identity>')
    ground.believed = f'<attribute-authority file="{aa.chain}"/>'
    token = ground.make_token(permissions=(3,))
    server = ground.gcks(token)
    gm, poor = ground.gm("gm0"), ground.gm("gm1", "other")
    gm.control("join")
    gm.wait("joined")
    poor.control("join")
    refusal(server, "RFC4535-5.2.1.1-15")
    mark = gm.mark()
    # A new edition of the policy: the permissions are remembered.
    ground.token_file.write_bytes(ground.make_token(permissions=(3,)))
    server.control("token")
    gm.wait("token", since=mark)
    assert server.control("status")["groups"][0]["members"] == 1
    server.finish()
    gm.control("leave", "silently")
    ground.authorities = [cert]
    with serving(ground.key_server(signed=ground.make_token(permissions=(3,)))) as k:
        mark = gm.mark()
        gm.control("join")
        gm.wait("joined", since=mark)
        assert admitted(k)
    gm.finish()
    poor.finish()


@pytest.mark.req("RFC4535-7.7.1-07")
@pytest.mark.refuses("RFC4535-7.8.2-07")
def test_crls_in_certificate_payloads(ground):
    """A key server without a list of its own learns from the member's that the member is revoked;
    a forged list changes nothing."""
    for n in ("gm0", "gm1"):
        ground.party(n)
    forged = pkix.load_crls(ground.pki.wrong_root("gm9").cert.parent / "crl.pem")[0].x.dump()
    empty = ground.pki.crl.read_bytes()
    server = ground.gcks()
    credentials = ground.credentials("gm0")
    credentials.crls = [forged]
    runner = ground.member("gm0", credentials=credentials, rekeys=False)
    assert runner.join() and runner.leave()
    ground.pki.revoke(ground.party("gm0"))
    now = datetime.datetime.utcnow().replace(microsecond=0)
    ground.pki.write_crl(start=now - datetime.timedelta(minutes=1))  # newer than the other
    lists = [c.x.dump() for c in pkix.load_crls(ground.pki.crl)]
    ground.pki.crl.write_bytes(empty)
    credentials = ground.credentials("gm0")
    credentials.crls = lists
    turned_away(server, ground.member("gm0", "other", credentials=credentials, rekeys=False),
                "RFC4535-7.8.2-07")
    # gsakmp-gm sends lists that it was configured to send.
    file = ground.dir / "send.crl"
    file.write_bytes(empty)
    p = ground.party("gm1")
    ground.identities["gm1"] = (f'<identity certificate="{p.chain}" key="{p.key}">'
                                f'<send-crl file="{file}"/></identity>')
    gm = ground.gm("gm1")
    gm.control("join")
    gm.wait("joined")
    sent = [x["type"] for x in gm.control("credentials")["payloads"]]
    assert sent == [reg.CERT_X509, reg.CERT_X509, reg.CERT_CRL, reg.CERT_CRL]
    gm.finish()
    server.finish()


@pytest.mark.refuses("RFC4535-7.7.2-02")
def test_certificate_types_that_are_refused(ground):
    """Everything that Table 20 reserves (among it PGP, PKCS #7, DNS keys, Kerberos and SPKI of the
    registry that it comes from): refused, counted, nothing kept.  None is no certificate."""
    server = ground.gcks()
    for kind in (0, 1, 2, 3, 5, 6, 8, 9, 14, 200, 49152, 49153, 65535):
        def only(packet, peer, kind=kind):
            while packet.find(Certificate) is not None:
                packet.find(Certificate).underlayer.remove_payload()
            return packet / Certificate(cert_type=kind, data=b"0")
        runner = ground.member("gm0", rekeys=False)
        runner.member.hooks.on_packet(reg.X_RTJ, only)
        assert turned_away(server, runner, "RFC4535-7.7.2-02")["notify"] == reg.N_CERT_TYPE
    assert server.control("status")["groups"][0]["members"] == 0
    server.finish()


@pytest.mark.refuses("RFC4535-7.7.2-05")
def test_an_authority_that_comes_along_proves_nothing(ground):
    """A member of another root sends that root along; one of ours sends our root and is let in,
    because the key server has it by other means."""
    server = ground.gcks()
    stranger = ground.pki.wrong_root("gm0")
    root = pkix.load_certificates(stranger.cert.parent / "root.pem")[0]
    credentials = party.Credentials.from_files(stranger.key, stranger.chain)
    credentials.chain.append(root)
    e = turned_away(server, ground.member("gm0", credentials=credentials, rekeys=False),
                    "RFC4535-7.8.2-07")
    assert e["notify"] in (reg.N_CERT_CA, reg.N_AUTH)
    credentials = ground.credentials("gm1")
    credentials.chain.append(pkix.Certificate(ground.pki.root.der))
    assert ground.member("gm1", credentials=credentials, rekeys=False).join()
    server.finish()
