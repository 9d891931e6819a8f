# SPDX-License-Identifier: BSD-2-Clause
"""Members that only receive (RFC 4535 section 5.2.3): keys are pushed, nothing ever comes back."""
import contextlib
import subprocess
import time

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.utils import PcapReader

from lab import LabError
from lab.build import program
from lab.pki import dn
from lab.process import PATIENCE
from msec_scapy import flows, identity, listener, material, message, party, pkix
from msec_scapy import registry as reg
from msec_scapy.gsakmp import Nonce
from msec_scapy.testing.ground import PORT, REKEY_PORT, Ground, serving
from msec_scapy.wrong.change import insert

KEX = {"ecdsa": "p256", "rsa": "modp2048", "dsa": "modp1024", "ed25519": "x25519"}


@pytest.fixture
def ground(tmp_path, net_prefix, request):
    with Ground(tmp_path, net_prefix, timestamp=True, **getattr(request, "param", {})) as g:
        yield g


def static_key(ground, name="gm0"):
    """The two files of a member."""
    private, public = (ground.dir / f"{name}.{end}" for end in ("static", "public"))
    subprocess.run([program("msec-token"), "static-key", "--key-exchange", KEX[ground.kind],
                    "-o", private, "--public", public], check=True)
    return private, public


def receivers(ground, *names, host="gm", attributes="", address=True):
    at = f' address="{ground.address(host)}" port="{PORT}"' if address else ""
    return f"<receivers {attributes}>" + "".join(
        f'<receiver certificate="{ground.party(n).chain}" public-value="{ground.dir}/{n}.public"{at}/>'
        for n in names) + "</receivers>"


def said(ground, host):
    """What a host sent over UDP or TCP; IGMP and neighbour discovery are the kernel's."""
    ground.recording.stop()
    out = []
    with PcapReader(str(ground.dir / "capture.pcapng")) as frames:
        for f in frames:
            ip = f[IP] if IP in f else f[IPv6] if IPv6 in f else None
            if ip is not None and ip.src == ground.address(host) and (UDP in f or TCP in f):
                out.append(f.summary())
    return out


def pushes(ground):
    ground.recording.stop()
    return [message.parse(c.octets, ground.dialect)
            for c in flows.messages(ground.dir / "capture.pcapng", (PORT, REKEY_PORT))
            if message.parse(c.octets, ground.dialect).exchange == reg.X_KEYDL]


def who(ground, name):
    return identity.Identity(reg.ID_DN, ground.party(name).dn.encode())


def push(ground, s, name="gm0", host="gm", later=0):
    """The Python key server pushes; `later`: seconds that its clock is ahead."""
    certs = pkix.load_certificates(ground.party(name).chain)
    public = listener.load_public(ground.dir / f"{name}.public")
    s.do(lambda k: k.push(who(ground, name), certs, public, (ground.address(host), PORT),
                          time.time() + later))


@contextlib.contextmanager
def quiet_world(ground):
    """At the end, the member has said nothing, whatever it has heard."""
    ground.record()
    yield
    assert said(ground, "gm") == []


def listening(ground, name="gm0"):
    gm = ground.gm(name, static_key=static_key(ground, name)[0])
    gm.control("join")
    return gm


def current(daemon):
    return next(k["handle"] for k in daemon.control("keys") if k["state"] == "current")


# -- both daemons ---------------------------------------------------------------------------------

@pytest.mark.req("RFC4535-5.2.3-01", "RFC4535-5.2.3-02", "RFC4535-5.2.3-03", "RFC4535-5.2.3-04",
                 "RFC4535-5.2.3-05", "RFC4535-5.2.3-07", "RFC4535-5.3.1.1-01")
@pytest.mark.parametrize("ground", [{"kind": k} for k in KEX] + [{"ip": 6}], indirect=True,
                         ids=lambda p: p.get("kind", "ipv6"))
def test_life_of_a_member_that_says_nothing(ground):
    with quiet_world(ground):
        gm = listening(ground)
        keys = ground.gcks(receivers=receivers(ground, "gm0"), timeout="1s")
        gm.wait("joined")
        keys.wait("pushed")
        assert not keys.find("member-pending")
        row, = keys.control("members")
        assert row["state"] == "active" and row["receive_only"]
        mark = gm.mark()
        keys.control("rekey")
        gm.wait("rekeyed", since=mark)
        assert current(gm) == current(keys)
        status = gm.control("status")
        assert status["receive_only"] and not status["may_send"] and status["mode"] == "terse"
        assert not keys.find("member-overdue"), "although it never acknowledged"
        mark = gm.mark()
        keys.control("destroy", "ground")
        gm.wait("destroyed", since=mark)
    found, = pushes(ground)
    assert all(found.nonce(k) is None for k in (reg.NONCE_I, reg.NONCE_R, reg.NONCE_C))
    assert [f"{r.exchange}: {f}" for r in ground.examine() for f in r.faults] == []


@pytest.mark.req("RFC4535-5.2.3-04", "RFC4535-5.3.2.1-01", "RFC4535-5.3.2.1-03")
def test_eviction_and_return(ground):
    with quiet_world(ground):
        gm = listening(ground)
        static_key(ground, "gm1")
        other = ground.member("gm1", "other")
        keys = ground.gcks(receivers=receivers(ground, "gm0"))
        gm.wait("joined")
        mark = gm.mark()
        assert other.join(), "others join as ever"
        gm.wait("rekeyed", since=mark)  # what a join brings to those who are members
        held, mark, since = current(gm), gm.mark(), keys.mark()
        keys.control("evict", "gm0")
        sequence = keys.wait("rekeyed", since=since)["sequence"]
        assert other.run(PATIENCE, lambda: sequence in other.member.sequences.values())
        gm.wait("rekeyed", since=mark, sequence=sequence)  # it hears that one, and no key in it is for it
        with pytest.raises(Exception, match="5.3.2.1-01"):
            keys.control("push", "gm0")
        assert current(gm) == held and held != current(keys)
        keys.control("readmit", "gm0")
        mark = gm.mark()
        keys.control("push", "gm0")
        gm.wait("key-install", since=mark)
        row, = (r for r in keys.control("receivers"))
        assert row["pushes"] == 2 and row["key"] == "ECDH P-256"


@pytest.mark.req("RFC4535-5.2.3-06")
def test_restarts_and_recordings(ground):
    """Both may be killed: the key server pushes again, and a recording brings nothing back."""
    with quiet_world(ground):
        gm = listening(ground)
        keys = ground.gcks(receivers=receivers(ground, "gm0"))
        gm.wait("joined")
        first = recorded(ground)[0].octets
        keys.control("rekey")
        gm.wait("rekeyed")
        gm.kill()
        gm.start()
        gm.control("join")
        mark = gm.mark()
        with ground.hosts["evil"].udp() as u:
            u.sendto(first, (ground.address("gm"), PORT))
        gm.wait("refused", since=mark, req="RFC4535-5.2.3-06")
        assert gm.control("status")["state"] == "Wait for Group Membership"
        keys.kill()
        keys.start()
        gm.wait("joined", since=mark)
        assert current(gm) == current(keys)


def recorded(ground):
    """Key Downloads on the wire so far, while the capture goes on."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = [c for c in flows.messages(ground.dir / "capture.pcapng", (PORT, REKEY_PORT))
                 if message.parse(c.octets, ground.dialect).exchange == reg.X_KEYDL]
        if found:
            return found
    raise AssertionError("no Key Download was captured")


@pytest.mark.req("RFC4535-5.2.3-03")
def test_missed_rekey_is_mended_by_the_next_push(ground):
    with quiet_world(ground):
        gm = listening(ground)
        static_key(ground, "gm1")
        with serving(ground.key_server()) as s:
            push(ground, s)
            gm.wait("joined")
            push(ground, s, "gm1", "other")  # who is not there
            gm.wait("rekeyed")
            s.do(lambda k: k.evict([who(ground, "gm1")], time.time()) and [])  # nobody hears of it
            mark = gm.mark()
            # An event of the same second could be the other half of one that it has.
            s.do(lambda k: k.renew(time.time() + 5))
            gm.wait("stale", since=mark)
            assert "rejoin" in gm.control("status")["state"]
            push(ground, s)
            gm.wait("refused", since=mark, req="RFC4535-5.2.3-06")  # older than the rekey
            push(ground, s, later=6)
            gm.wait("joined", since=mark)
            gm.wait("key-install", since=mark)


@pytest.mark.req("RFC4535-5.2.3-01")
def test_keys_are_pushed_again_and_again(ground):
    """For those who were switched off; several copies for a bad network, of which one counts."""
    with quiet_world(ground):
        static_key(ground)
        keys = ground.gcks(receivers=receivers(
            ground, "gm0", attributes='every="1s" copies="2" spacing="20ms"'))
        keys.wait("pushed")
        gm = ground.gm(static_key=ground.dir / "gm0.static")
        gm.control("join")
        gm.wait("joined")
        gm.wait("refused", req="RFC4535-5.2.3-06")
        gm.wait("pushed")
        assert len(gm.find("key-install")) == 1, "the application is told once"


@pytest.mark.req("RFC4535-5.2.3-03")
def test_keys_by_multicast(ground):
    """One address for all: the Member ID says whose it is."""
    with quiet_world(ground):
        gms = [listening(ground, "gm0"), ground.gm("gm1", "other", static_key=static_key(ground, "gm1")[0])]
        gms[1].control("join")
        keys = ground.gcks(receivers=receivers(ground, "gm0", "gm1", address=False))
        for gm in gms:
            gm.wait("joined")
        marks = [gm.mark() for gm in gms]
        keys.control("rekey")
        for gm, mark in zip(gms, marks):
            gm.wait("rekeyed", since=mark)
            assert current(gm) == current(keys)


# -- each against the other implementation ------------------------------------------------------------

@pytest.mark.req("RFC4535-5.2.3-06", "RFC4535-5.2.3-07")
def test_daemon_listens_to_a_python_key_server(ground):
    with quiet_world(ground):
        gm = listening(ground)
        with serving(ground.key_server()) as s:
            push(ground, s)
            gm.wait("joined")
            mark = gm.mark()
            s.renew()
            gm.wait("rekeyed", since=mark)
            assert not gm.find("refused")


@pytest.mark.req("RFC4535-5.2.3-05", "RFC4535-5.2.3-06", "RFC4535-5.2.3-07")
def test_daemon_pushes_to_a_python_member(ground):
    private, _ = static_key(ground)
    gm = listener.Listener(ground.group(), ground.credentials("gm0"), ground.trust(),
                           static=listener.load_static(ground.suite.create_type, private))
    gm.listen()
    with ground.hosts["gm"].udp(port=PORT) as u:
        u.settimeout(PATIENCE)
        keys = ground.gcks(receivers=receivers(ground, "gm0"))
        assert gm.receive(u.recv(65535), time.time()) == []
        assert gm.state == "member" and not gm.refusals
        keys.control("push")
        assert gm.receive(u.recv(65535), time.time()) == [] and not gm.refusals


def with_nonces(packet, peer):
    """Put the nonces in that a requested Key Download would have."""
    for kind in (reg.NONCE_R, reg.NONCE_C):
        insert(Nonce(nonce_type=kind, data=bytes(32)))(packet, peer)


WRONG = {
    "id": ("RFC4535-5.2.3-06", "gm1", {}),
    "old": ("RFC4535-5.2.3-06", "gm0", {"clock_shift": -3600}),
    "new": ("RFC4535-5.2.3-06", "gm0", {"clock_shift": 3600}),
    "nonces": ("RFC4535-5.2.3-05", "gm0", {"packet": with_nonces}),
    "signature": ("RFC4535-7.8.2-06", "gm0", {"key": "stranger"}),
    "signer": ("RFC4535-1.1-02", "gm0", {"name": "rogue"}),
}


@pytest.mark.req("RFC4535-5.2.3-05", "RFC4535-5.2.3-06")
def test_what_a_listening_daemon_refuses(ground):
    """One after the other, then a good one: nothing of it has changed anything."""
    with quiet_world(ground):
        gm = listening(ground)
        static_key(ground, "gm1")
        runner = ground.key_server()
        good, shift = runner.server.credentials, runner.server.clock_shift
        with serving(runner) as s:
            for what, (req, name, how) in WRONG.items():
                server = s.server
                server.clock_shift = how.get("clock_shift", shift)
                server.hooks = party.Hooks()
                if "packet" in how:
                    server.hooks.on_packet(reg.X_KEYDL, how["packet"])
                if "key" in how:
                    server.credentials = party.Credentials(
                        ground.credentials(how["key"]).key, good.cert, good.chain)
                if "name" in how:
                    server.credentials = ground.credentials(how["name"])
                    server.me = server.credentials.identity(ground.dialect)
                mark = gm.mark()
                push(ground, s, name)
                refusal = gm.wait("refused", since=mark)
                assert refusal["req"] == req, (what, refusal)
                assert gm.control("status")["state"] == "Wait for Group Membership", what
                server.clock_shift, server.credentials = shift, good
                server.hooks, server.me = party.Hooks(), good.identity(ground.dialect)
            push(ground, s)
            gm.wait("joined")


# -- configuration ----------------------------------------------------------------------------------

def test_configurations_that_cannot_work(ground):
    private, public = static_key(ground)
    gm = ground.gm(static_key=private)
    gm.stop()
    xml = gm.config.read_text()
    for change, says in (((f"{private}", f"{public}"), "holds no static key"),
                         ((f' name="{ground.party("keys").dn}"', ""), "name of the key server"),
                         (('transport="udp"', 'transport="tcp"'), "TCP"),
                         ((f'static-key="{private}"', 'static-key="nowhere"'), "nowhere")):
        assert change[0] in xml
        gm.config.write_text(xml.replace(*change))
        code, text = gm.check_config()
        assert code == 3 and says in text, text
    keys = ground.gcks(receivers=receivers(ground, "gm0"))
    keys.stop()
    xml = keys.config.read_text()
    for change, says in (((f"{public}", f"{private}"), "holds no static public value"),
                         ((f'address="{ground.address("gm")}" port', 'address="::1" port'), "family"),
                         (("</receivers>", xml[xml.index("<receiver "):xml.index("</receivers>")] + "</receivers>"),
                          "listed twice")):
        keys.config.write_text(xml.replace(*change))
        code, text = keys.check_config()
        assert code == 3 and says in text, text


@pytest.mark.req("RFC4534-B.1.2-01", "RFC4535-5.2.3-01")
@pytest.mark.refuses("RFC4534-B.1.2-01", "RFC4535-4.1.3-03")
def test_permissions_of_a_member_that_says_nothing(ground):
    """It cannot send its attribute certificate along; the key server has it beside the other files, and asks it again at a new
    edition, which needs a permission more."""
    aa = ground.party("aa")
    authority = pkix.Certificate(aa.der)
    for n, (holder, levels) in enumerate((("gm0", {2, 5}), ("gm1", {2}))):
        static_key(ground, holder)
        (ground.dir / f"{holder}.ac").write_bytes(
            material.issue(authority, aa.private, pkix.Certificate(ground.party(holder).der), levels, serial=n + 1))
    static_key(ground, "gm2")
    ground.believed = f'<attribute-authority file="{aa.chain}"/>'
    listed = receivers(ground, "gm0", "gm1", "gm2")
    for n in ("gm0", "gm1"):
        listed = listed.replace(f'{n}.public" address="{ground.address("gm")}" port="{PORT}"/>',
                                f'{n}.public" address="{ground.address("gm")}" port="{PORT}">'
                                f'<attribute-certificate file="{ground.dir}/{n}.ac"/></receiver>')
    keys = ground.gcks(ground.make_token(permissions=(2,)), receivers=listed)
    assert "gm2" in keys.wait("refused", req="RFC4535-4.1.3-03")["peer"]
    assert {m["peer"] for m in keys.control("members")} == {f"dn:{dn(n)}" for n in ("gm0", "gm1")}
    mark = keys.mark()
    ground.token_file.write_bytes(ground.make_token(permissions=(2, 5)))
    keys.control("token")
    keys.wait("token", since=mark)
    assert [m["peer"] for m in keys.control("members")] == [f"dn:{dn('gm0')}"]
    with pytest.raises(LabError, match="RFC4535-4.1.3-03"):
        keys.control("push", "gm1")
    keys.finish()
    text = keys.config.read_text()
    keys.config.write_text(text.replace("gm1.ac", "gm0.ac"))
    code, says = keys.check_config()
    assert code == 3 and "somebody else" in says
    keys.config.write_text(text.replace("gm1.ac", "gm1.public"))
    code, says = keys.check_config()
    assert code == 3 and "no attribute certificate" in says


@pytest.mark.req("RFC4535-5.2.3-01")
@pytest.mark.parametrize("ground", [{"terse": False}], indirect=True, ids=["verbose"])
def test_nothing_is_pushed_in_verbose_mode(ground):
    static_key(ground)
    keys = ground.gcks(receivers=receivers(ground, "gm0"))
    keys.wait("refused", req="RFC4535-5.2.3-01")
    assert keys.control("members") == []
