# SPDX-License-Identifier: BSD-2-Clause
"""Every mechanism of Tables 16, 21, 25 and 26, and every private one, in a real group: key server
and members of either implementation, in either role.  Mechanism choices, honoured and refused
(RFC 4535 sections 6, 7.8, 7.9.1.3, 7.10, 7.11)."""
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from lab.process import PATIENCE
from msec_scapy import party, policy
from msec_scapy import registry as reg
from msec_scapy.gsakmp import KeyCreation, MechanismChoice, VendorID
from msec_scapy.testing.ground import Ground, serving

# kind of certificates: signature type, nonce hash, key creation, encryption
SETS = {
    "dss-modp1024-3des": ("dsa", (0, 1, 2, 3)),
    "md5-modp2048-aes": ("rsa1024", (1, 1, 14, 12)),
    "p384-modp2048-ctr": ("p384", (2, 1, 14, 13)),
    "rsa-hkdf-aes256": ("rsa", (49153, 49153, 49155, 49153)),
    "p256-p256-gcm128": ("ecdsa", (49154, 49154, 49153, 49154)),
    "p384-x25519-gcm256": ("p384", (49155, 49153, 49154, 49155)),
    "ed25519-modp-gcm": ("ed25519", (49156, 49154, 49155, 49154)),
}


@pytest.fixture
def ground(tmp_path, net_prefix, request):
    kind, numbers = SETS[request.param]
    with Ground(tmp_path, net_prefix, kind=kind) as g:
        g.suite = policy.Suite(*numbers)
        g.legacy = min(numbers) < 49153
        if kind == "rsa1024":  # not fit to sign a policy, not even here
            g.pki.issue("owner", key=ec.generate_private_key(ec.SECP256R1()))
        yield g


def sets(*names):
    return pytest.mark.parametrize("ground", names or list(SETS), indirect=True)


def test_nothing_that_is_registered_is_left_out():
    for at, table in enumerate((reg.SIG_TYPE, reg.NONCE_HASH, reg.KEY_CREATION, reg.KEY_TYPE)):
        used = {numbers[at] for _, numbers in SETS.values()}
        assert used == set(table.all()), table


@sets()
@pytest.mark.req(
    "RFC4535-7.8.1-03", "RFC4535-7.8.1-04", "RFC4535-7.11.1-02", "RFC4535-7.11.1-03",
    "RFC4535-7.11.1-04", "RFC4535-6-01", "RFC4534-B.1.3.1-02", "RFC4535-7.11.2-03")
def test_every_mechanism_at_gsakmp_gcks(ground):
    """gsakmp-gcks, gsakmp-gm and a Python member; everybody follows a rekey; nothing on the wire
    is other than the Python reader of captures thinks it should be."""
    server = ground.record().gcks()
    gm, python = ground.gm("gm0"), ground.member("gm1", "other")
    gm.control("join")
    gm.wait("joined")
    assert python.join(), python.member.refusals
    server.wait("member-active", where=lambda e: "gm1" in e["peer"])
    mark = gm.mark()
    server.control("rekey")
    gm.wait("rekeyed", since=mark)
    last = server.control("status")["groups"][0]["sequence"]
    assert python.run(PATIENCE, lambda: max(python.member.sequences.values(), default=0) >= last)
    assert python.leave()
    gm.control("leave")
    gm.wait("left")
    gm.finish()
    server.finish()
    assert not [f for r in ground.examine() for f in r.faults]


@sets()
@pytest.mark.req("RFC4535-7.8.1-03", "RFC4535-7.8.1-04", "RFC4535-7.11.1-02",
                 "RFC4535-7.11.1-03")
def test_every_mechanism_at_gsakmp_gm(ground):
    """The same before a Python key server."""
    with serving(ground.key_server()) as server:
        gm = ground.admitted(server, "gm0")
        mark = gm.mark()
        server.renew()
        gm.wait("rekeyed", since=mark)
        gm.finish()


def choose(*pairs):
    return [MechanismChoice(mechanism=m, value=v) for m, v in pairs]


def refusal(daemon, mark, *reqs):
    return daemon.wait("refused", since=mark, where=lambda e: e.get("req") in reqs)


@sets("p256-p256-gcm128")
@pytest.mark.req("RFC4535-7.9.1.3-01", "RFC4535-5.2.1.1-10", "RFC4535-5.2.1.1-11",
                 "RFC4534-B.1.3-01")
@pytest.mark.refuses("RFC4535-5.2.1.1-18")
def test_mechanism_choices(ground):
    """The set of the policy is honoured; of each mechanism another one that is registered, too, is
    refused; one that is nowhere is malformed."""
    server = ground.gcks()
    s = ground.suite
    good = ((0, s.create_type), (1, s.enc_type), (2, s.nonce_hash))
    for pairs in (good, good[:1], good[1:2], good[2:], good[::-1]):
        runner = ground.member("gm0", rekeys=False, mechanisms=choose(*pairs))
        mark = server.mark()
        assert runner.join(), runner.member.refusals
        server.wait("member-active", since=mark)
    for pairs, req in (
            (((0, 49154),), "RFC4535-5.2.1.1-18"), (((1, 49155),), "RFC4535-5.2.1.1-18"),
            (((2, 49153),), "RFC4535-5.2.1.1-18"), (((1, 12), (2, s.nonce_hash)),
                                                    "RFC4535-5.2.1.1-18"),
            (((1, 4711),), "RFC4535-7.9.2-03"), (((9, 1),), "RFC4535-7.9.1.3-02")):
        runner = ground.member("gm1", rekeys=False, mechanisms=choose(*pairs))
        runner.tries, runner.timeout = 1, 0.1
        mark = server.mark()
        assert not runner.join()
        e = server.wait("refused", since=mark)
        assert e["req"] == req, (pairs, e)
    server.finish()


@sets("p256-p256-gcm128")
@pytest.mark.req("RFC4534-B.1.3-01", "RFC4534-B.1.3.2-01", "RFC4534-3-05")
def test_a_policy_with_several_sets(ground):
    """alaCarte sets and a suite in one token: each is taken, by whoever comes with it; what no set
    has as a whole is not, although each part of it is in some set."""
    other = replace(ground.suite, create_type=49154, enc_type=49155, nonce_hash=49153)
    ground.more_mechanisms = [policy.a_la_carte(other), ("suite", policy.tokens.OID_SUITE_P256)]
    server = ground.gcks()
    first, third = ground.suite, policy.SUITES["p256"]
    for n, suite in enumerate((first, other, third)):
        ground.suite = suite
        runner = ground.member(f"gm{n}", rekeys=False, mechanisms=choose(
            (0, suite.create_type), (1, suite.enc_type), (2, suite.nonce_hash)))
        assert runner.join(), runner.member.refusals
    ground.suite = replace(first, create_type=49154)
    runner = ground.member("gm4", rekeys=False, mechanisms=choose((0, 49154), (1, first.enc_type)))
    runner.tries, runner.timeout = 1, 0.1
    mark = server.mark()
    assert not runner.join()
    refusal(server, mark, "RFC4535-5.2.1.1-18")
    server.finish()


@sets("p256-p256-gcm128")
@pytest.mark.req("RFC4535-7.10.1-04", "RFC4535-7.10.1-02", "RFC4535-7.10.2-02",
                 "RFC4535-7.10.2-03", "RFC4535-7.10.1-03")
@pytest.mark.refuses("RFC4535-7.10.1-04", "RFC4535-7.10.1-02", "RFC4535-7.11.2-02")
def test_vendor_ids(ground):
    """Unknown ones beside ours do no harm; with unknown ones alone the private code points are
    unknown, in that message and in no other; and ours gives no meaning to what is reserved."""
    server = ground.gcks()

    def strangers(packet, _peer):
        ours = packet.find(VendorID)
        rest = ours.payload
        ours.remove_payload()
        ours.add_payload(VendorID(data=b"somebody else entirely") / VendorID(data=b"and again")
                         / rest)

    def alone(packet, _peer):
        packet.find(VendorID).data = b"somebody else entirely"

    def reserved(packet, _peer):
        packet.find(KeyCreation).create_type = 4
    runner = ground.member("gm0", rekeys=False)
    for change in (alone, reserved):
        runner.member.hooks.on_packet(reg.X_RTJ, change)
        runner.tries, runner.timeout = 1, 0.1
        mark = server.mark()
        assert not runner.join()
        refusal(server, mark, "RFC4535-7.11.2-02")
    runner.member.hooks = party.Hooks().on_packet(reg.X_RTJ, strangers)
    runner.tries, runner.timeout = 3, 1
    mark = server.mark()
    assert runner.join(), runner.member.refusals
    server.wait("message", since=mark, reason="an unfamiliar Vendor ID")
    server.finish()
