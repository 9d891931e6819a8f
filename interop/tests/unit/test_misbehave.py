# SPDX-License-Identifier: BSD-2-Clause
"""Every wrong message of the catalogue, sent to the Python peers themselves."""
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from msec_scapy import misbehave, party, pkix
from msec_scapy import registry as reg
from msec_scapy.gsakmp import Nonce
from msec_scapy.testing.authority import Authority
from msec_scapy.testing.scene import Scene, authority, digest


def marked(entries):
    return [pytest.param(e, id=e.name, marks=pytest.mark.req(e.req)) for e in entries]


def of(role, *exchanges, credentials=None, repeat=False):
    return marked(e for e in misbehave.CATALOGUE if e.role == role and e.exchange in exchanges
                  and credentials in (None, bool(e.credentials)) and e.repeat == repeat)


def arm(entry, scene, peer):
    """Let a peer misbehave; somebody else may have to sign for it."""
    who = "CN=" in str(peer.me) and str(peer.me).split("CN=")[1].split(",")[0]
    made = {"": lambda: None, "rogue": lambda: scene.credentials("rogue"),
            "outsider": lambda: scene.credentials("gm-out"),
            "wrong-root": lambda: party.Credentials(*Authority(f"Root {scene.kind}", scene.kind).issue(who))}
    return entry.arm(peer, made[entry.credentials]())


def only_suite_one(entry):
    """Degenerate MODP values need a MODP group; so does a long public value."""
    return entry.name.startswith("rtj-dh-")


@pytest.mark.parametrize("entry", of("member", reg.X_RTJ, credentials=False))
@pytest.mark.parametrize("terse", (True, False), ids=("terse", "verbose"))
def test_bad_rtj(entry, terse):
    scene = Scene("suite1" if only_suite_one(entry) else "p256", members=1, terse=terse)
    gm = entry.arm(scene.members[0])
    before = digest(scene.server)
    answers = scene.server.receive(gm.join(scene.now), gm, scene.now)
    assert [r.req for r in scene.server.refusals] == [entry.req]
    assert scene.server.refusals[0].notify == entry.notify
    assert digest(scene.server) == before
    assert [a.exchange for a in answers] == ([] if terse or _unreadable(entry)
                                             else [reg.X_RTJ_ERR])


def _unreadable(entry):
    """Messages in which not even the Exchange Type says that this is an RTJ."""
    return entry.name in ("rtj-exchange-unknown", "rtj-exchange-unexpected", "rtj-header-only")


def bad_credentials(kind):
    ca = authority("ec")
    make = {
        "expired": lambda: ca.issue("gm-x", start=-20, end=-10),
        "not-yet-valid": lambda: ca.issue("gm-x", start=10),
        "revoked": lambda: ca.issue("gm-x"),
        "wrong-usage": lambda: ca.issue("gm-x", usage=False),
        "wrong-root": lambda: Authority("Root ec").issue("gm-x"),
        "not-a-ca": lambda: _by_a_clerk(ca),
        "self-signed": lambda: _by_itself(),
        "stranger": lambda: ca.issue("stranger"),
    }
    return make[kind]()


def _by_a_clerk(ca):
    """Issued by an end entity."""
    fake = Authority("clerk")
    fake.key, clerk = ca.issue("clerk")
    fake.name = x509.load_der_x509_certificate(clerk.der).subject
    return *fake.issue("gm-x"), [clerk]


def _by_itself():
    fake = Authority("gm-x")
    return fake.key, pkix.Certificate(fake._make(fake.name, fake.key).public_bytes(Encoding.DER))


@pytest.mark.parametrize("entry", of("member", reg.X_RTJ, credentials=True))
def test_bad_certificate(entry):
    made = bad_credentials(entry.credentials)
    crls = [authority("ec").crl(made[1])] if entry.credentials == "revoked" else []
    scene = Scene("p256", members=0, terse=False, crls=crls)
    gm = scene.make_member("gm-x", party.Credentials(*made))
    before = digest(scene.server)
    answers = scene.server.receive(gm.join(scene.now), gm, scene.now)
    assert [r.req for r in scene.server.refusals] == [entry.req]
    assert scene.server.refusals[0].notify == entry.notify
    assert [a.exchange for a in answers] == [reg.X_RTJ_ERR]
    assert digest(scene.server) == before


@pytest.mark.req("RFC4535-5.2.1.1-09", "RFC4535-5.2.1.1-21")
def test_replayed_rtj_gets_nothing():
    scene = Scene(members=1).join()
    before = digest(scene.server)
    assert scene.server.receive(scene.members[0].rtj, scene.members[0], scene.now) == []
    assert scene.server.refusals[-1].req == misbehave.find("rtj-replayed").req
    assert digest(scene.server) == before


@pytest.mark.parametrize("entry", of("member", reg.X_ACK))
def test_bad_acknowledgement(entry):
    scene = Scene(members=1, timestamp=entry.timestamp)
    gm = arm(entry, scene, scene.members[0])
    scene.join()
    assert [r.req for r in scene.server.refusals] == [entry.req]
    name = next(iter(scene.server.members))
    assert not scene.server.members[name].acknowledged
    # the genuine acknowledgement still counts
    gm.hooks = party.Hooks()
    good = gm.build(reg.X_ACK, [Nonce(
        nonce_type=reg.NONCE_C, data=scene.server.sessions[name].nonce_c), gm.ack()], scene.now)
    scene.to_server(good, gm)
    assert scene.server.members[name].acknowledged


@pytest.mark.parametrize("entry", of("member", reg.X_RTD))
def test_bad_departure(entry):
    scene = Scene(members=2, timestamp=entry.timestamp).join()
    gm = arm(entry, scene, scene.members[0])
    before = digest(scene.server)
    scene.to_server(gm.leave(scene.now), gm)
    assert [r.req for r in scene.server.refusals] == [entry.req]
    assert digest(scene.server) == before


@pytest.mark.parametrize("entry", of("member", reg.X_DA))
def test_bad_departure_acknowledgement(entry):
    scene = Scene(members=2, timestamp=entry.timestamp).join()
    gm = arm(entry, scene, scene.members[0])
    scene.to_server(gm.leave(scene.now), gm)
    assert [r.req for r in scene.server.refusals] == [entry.req]
    assert len(scene.server.members) == 2


@pytest.mark.parametrize("entry", of("server", reg.X_LOA))
def test_bad_lack_of_ack(entry):
    scene = Scene(members=1, terse=False, timestamp=entry.timestamp).join()
    gm = scene.members[0]
    arm(entry, scene, scene.server)
    before, session = digest(gm), next(iter(scene.server.concluded.values()))
    assert gm.receive(scene.server.lack_of_ack(session, scene.now).octets, scene.now) == []
    assert [r.req for r in gm.refusals] == [entry.req] and digest(gm) == before


@pytest.mark.parametrize("entry", of("server", reg.X_KEYDL))
@pytest.mark.parametrize("terse", (True, False), ids=("terse", "verbose"))
def test_bad_key_download(entry, terse):
    scene = Scene("suite1" if entry.name == "keydl-dh-one" else "p256", members=1, terse=terse,
                  timestamp=entry.timestamp)
    arm(entry, scene, scene.server)
    gm = scene.members[0]
    gm.terse = terse
    scene.join()
    assert [r.req for r in gm.refusals] == [entry.req]
    assert gm.state == "idle" and not gm.ring.gtpk
    nack = [e for e in scene.events if e["event"] == "nack"]
    if entry.name in ("keydl-no-nonces", "keydl-nonceless"):  # nothing to compute Nonce_C from
        assert [r.req for r in scene.server.refusals] == ["RFC4535-5.2.1.4-10"]
    else:
        assert [n["notify"] for n in nack] == [reg.N_NACK if terse else entry.notify]


@pytest.mark.req("RFC4535-5.2.1.2-17", "RFC4535-1.1-02")
def test_unauthorised_key_server():
    scene = Scene(members=1)
    scene.server = scene.make_server("rogue")
    scene.join()
    assert [r.req for r in scene.members[0].refusals] == [misbehave.find("keydl-rogue").req]
    assert scene.members[0].state == "idle"


@pytest.mark.parametrize("entry", of("server", reg.X_REKEY))
def test_bad_rekey(entry):
    scene = Scene(members=3).join()
    gm = scene.members[0]
    arm(entry, scene, scene.server)
    before, sent = digest(gm), len(scene.wire)
    scene.tick()
    scene.deliver(scene.server.renew(scene.now))
    assert [r.req for r in gm.refusals] == [entry.req]
    after = digest(gm)
    if entry.plain or entry.name == "rekey-cipher":
        # authentic, so its Sequence ID counts; the bad keys do not
        after["sequences"] = before["sequences"]
    assert after == before
    assert len(scene.wire) == sent + 1, "a Rekey Event is never answered"


@pytest.mark.req("RFC4535-7.1.2-09", "RFC4535-7.1.1-13", "RFC4535-7.1.2-10")
def test_replayed_rekey():
    scene = Scene(members=2).join()
    scene.tick()
    answers = scene.server.renew(scene.now)
    scene.deliver(answers)
    gm = scene.members[0]
    before = digest(gm)
    assert gm.receive(answers[0].octets, scene.now) == []
    assert gm.refusals[-1].req == misbehave.find("rekey-replayed").req
    assert digest(gm) == before


@pytest.mark.parametrize("entry", of("server", reg.X_DR))
def test_bad_departure_response(entry):
    scene = Scene(members=2, timestamp=entry.timestamp).join()
    arm(entry, scene, scene.server)
    gm = scene.members[0]
    scene.to_server(gm.leave(scene.now), gm)
    assert [r.req for r in gm.refusals] == [entry.req]
    assert gm.state == "member" and scene.in_step(gm)
    failed = [e for e in scene.events if e["event"] == "departure-failed"]
    if entry.name in ("dr-no-nonces", "dr-nonceless"):  # nothing to compute Nonce_C from
        assert [r.req for r in scene.server.refusals] == ["RFC4535-5.3.2.3.3-09"]
    else:
        assert len(failed) == 1, "the key server is told by a Departure Ack"


def test_catalogue_is_whole():
    names = [e.name for e in misbehave.CATALOGUE]
    assert len(names) == len(set(names))
    for e in misbehave.CATALOGUE:
        assert e.packet or e.octets or e.plain or e.credentials or e.repeat, e.name
