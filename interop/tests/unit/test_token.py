# SPDX-License-Identifier: BSD-2-Clause
"""The policy token: both tag readings octet for octet, DER only, CMS made wrong."""
import datetime

import pytest
from asn1crypto import cms, core
from hypothesis import given, settings
from hypothesis import strategies as st

from msec_scapy import policy, token
from msec_scapy.dialect import Dialect
from msec_scapy.refusal import Refusal
from msec_scapy.testing.authority import NOW, Authority
from msec_scapy.testing.scene import Scene, authority, issued

settings.register_profile("msec", derandomize=True, database=None, deadline=None)
settings.load_profile("msec")
X = bytes.fromhex
PAIR = {"groupEntity": {"typeValue": 31, "typeData": b"CN=a"}, "cA": b"KEY"}
PAIR_DER = "3010" "3009" "02011f" "0404434e3d61" "04034b4559"


def types(tags="implicit", terse=True):
    return token.specs(tags, terse)


def dump(name, value, **how):
    return token.build(getattr(types(**how), name), value).dump().hex()


@pytest.mark.req("RFC4534-3-01", "RFC4534-3.1-01", "RFC4534-3.1-04", "RFC4534-A-02",
                 "RFC4534-1-05", "RFC4534-3.2-03", "RFC4534-3.3-02")
def test_token_by_hand():
    made = token.build(token.Token, {
        "tokenInfo": {"tokenDefVersion": 1, "groupName": b"grp", "edition": 5},
        "registration": [{"register": ("none", None), "de-register": ("none", None)}],
        "rekey": [("supported", {"protocol": "1.2.3", "protocolInfo": b"x"})],
        "data": [{"protocol": "1.2.4", "protocolInfo": b""}]}).dump()
    assert made == X("302a" "300b" "020101" "0403677270" "020105" "3006" "3004" "0500" "0500"
                     "3009" "3007" "06022a03" "040178" "3008" "3006" "06022a04" "0400")
    again = token.parse(made)
    assert again["tokenInfo"]["edition"].native == 5
    assert token.registrations(again) == [(None, None)]


@pytest.mark.req("RFC4534-B.1.1-07", "RFC4534-B.1.4-02", "RFC4534-B.1.3-02", "RFC4534-B.1.2-03",
                 "RFC4534-B.1.2-05", "RFC4534-A-01")
@pytest.mark.parametrize("tags,all_,udp,suite,permission", [
    ("implicit", "8000", "8100", "8108" "2b060105050c0201", "a1053003" "810103"),
    ("explicit", "a0020500", "a1020500", "a10a" "06082b060105050c0201", "a107" "3005" "a103"
     "0a0103")])
def test_context_tags(tags, all_, udp, suite, permission):
    der = dump("RegistrationInfo", {
        "joinAuthorization": {"gCKS": [PAIR], "senders": ("all", None)},
        "joinAccessControl": [{"permissions": [("simplePermission", "three")],
                               "accessRule": [PAIR]}],
        "joinMechanisms": [("suite", token.OID_SUITE_ONE)], "transport": ("udp", None)}, tags=tags)
    senders = X(all_)
    auth = bytes([0x30, 20 + len(senders)]) + X("3012" + PAIR_DER) + senders
    access = X(permission) + X("a214" "3012" + PAIR_DER)
    mechanisms = X(suite)
    want = (auth + bytes([0x30, len(access) + 2, 0x30, len(access)]) + access
            + bytes([0x30, len(mechanisms)]) + mechanisms + X(udp))
    assert der == (bytes([0x30, len(want)]) + want).hex()


@pytest.mark.req("RFC4534-B.5.3-01", "RFC4534-B.5.3-05")
@pytest.mark.parametrize("tags,choice,der", [
    ("implicit", ("none", None), "8000"), ("explicit", ("none", None), "a0020500"),
    ("implicit", ("timeOnly", ("interval", 60)), "a10302013c"),
    ("explicit", ("timeOnly", ("interval", 60)), "a10302013c"),
    ("implicit", ("event", 2), "820102"), ("explicit", ("event", 2), "a203020102"),
    ("implicit", ("timeAndEvent", {"time": ("interval", 60), "event": 2}),
     "a306" "02013c" "020102"),
    ("explicit", ("timeAndEvent", {"time": ("interval", 60), "event": 2}),
     "a308" "3006" "02013c" "020102")])
def test_rekey_event_definition(tags, choice, der):
    info = token.build(types(tags).RekeyInfo, {
        "authorization": [PAIR], "mechanism": {"sigAlgorithm": 0, "hashAlgorithm": 1},
        "rekeyEventDef": choice,
        "rekeyMethod": {"rekeyMethodType": token.OID_REKEY_NONE, "rekeyMethodInfo": b"\5\0"},
        "rekeyInterval": ("interval", 3600),
        "reliability": {"reliabilityMechanism": token.OID_RELIABILITY_NONE,
                        "reliabilityMechContent": b"\5\0"},
        "subGCKSInfo": {"subGCKSScheme": token.OID_SUBGCKS_NONE, "sGCKSContent": b"\5\0"}})
    assert der in info.dump().hex()
    again = token.load(types(tags).RekeyInfo, info.dump())
    assert again["rekeyEventDef"].name == choice[0]


@pytest.mark.req("RFC4534-B.3-01", "RFC4534-B.3-02", "RFC4534-B.4-01")
def test_deregistration_with_and_without_terse():
    value = {"leaveMechanisms": [{"sigAlgorithm": 0, "hashAlgorithm": 1, "cA": b"KEY"}],
             "transport": ("udp", None)}
    short = token.build(types(terse=False).DeRegistrationInfo, value).dump()
    long = token.build(types().DeRegistrationInfo, {**value, "terse": True}).dump()
    assert len(long) == len(short) + 3
    for octets in (short, long):
        protocol = token.build(token.Protocol, {"protocol": token.OID_DEREGISTRATION,
                                                "protocolInfo": octets})
        for reading in ("present", "absent"):
            assert token.info(protocol, Dialect(token_dereg_terse=reading))[
                0] == "de-registration"


@pytest.mark.req("RFC4534-3-12", "RFC4534-3-13")
def test_unknown_protocols_are_told_and_kept():
    scene = Scene(members=0)
    octets = scene.token(extra_data=[("2.999.1", b"mystery")])
    rules = policy.Policy.of(token.Signed(octets))
    assert rules.unknown == ["2.999.1"]
    assert "unknown (2.999.1)" in "\n".join(token.explain(token.Signed(octets).content))
    bare = token.build(token.Token, {
        "tokenInfo": {"tokenDefVersion": 1, "groupName": b"g", "edition": 1},
        "registration": [{"register": ("supported", {"protocol": "2.999.2", "protocolInfo": b""}),
                          "de-register": ("none", None)}], "rekey": [], "data": []}).dump()
    with pytest.raises(Refusal, match="RFC4534-3-13"):
        policy.Policy.of(token.Signed(scene.sign_token(bare)))


@pytest.mark.req("RFC4534-3-02")
def test_no_registration():
    empty = {"tokenInfo": {"tokenDefVersion": 1, "groupName": b"g"}, "rekey": [], "data": []}
    der = token.build(token.Token, {**empty, "registration": []}).dump()
    assert der == X("300e" "3006" "020101" "040167" "3000" "3000" "3000")
    assert token.registrations(token.parse(der)) == []
    null = token.build(token.TokenNullRegistration,
                       {**empty, "registration": ("null", None)}).dump()
    assert token.registrations(token.parse(null, Dialect(token_no_reg="null"))) == []
    with pytest.raises(token.TokenError):
        token.parse(null)


@pytest.mark.req("RFC4534-1-04")
@pytest.mark.parametrize("bad", [
    "3082000f", "30800000", "300e3006020101040167300030003000ff", "300e30060201010401673000",
    "300f3007020200010401673000300030 00"])
def test_only_der(bad):
    with pytest.raises(token.TokenError):
        token.parse(X(bad))


@pytest.mark.req("RFC4534-3.1-01")
def test_only_version_one():
    scene = Scene(members=0)
    with pytest.raises(token.TokenError, match="RFC4534-3.1-01"):
        token.Signed(scene.token(version=2))


@given(st.binary(max_size=120))
def test_garbage_is_no_token(octets):
    for read in (token.parse, token.Signed):
        with pytest.raises(token.TokenError):
            read(octets)


# ------------------------------------------------------------------------ CMS

@pytest.fixture(scope="module")
def scene():
    return Scene(members=0)


def remade(octets, change):
    """A signed token whose SignedData went through `change`; the signature is not renewed."""
    outer = cms.ContentInfo.load(octets)
    change(outer["content"])
    return outer.dump(force=True)


@pytest.mark.req("RFC4534-2-02", "RFC4534-2-03", "RFC4534-2-04", "RFC4534-2-05", "RFC4534-2-06",
                 "RFC4534-2-07", "RFC4534-2-10", "RFC4534-1-01")
@pytest.mark.parametrize("kind", ("dsa", "rsa", "ec", "p384", "ed25519"))
def test_signed_and_verified(kind):
    key, cert = issued(kind, "Group Owner") if kind != "p384" else Authority("x", kind).issue("GO")
    octets = token.sign(Scene(members=0).signed_content(), key, cert, NOW)
    signed = token.Signed(octets)
    assert signed.signing_time == NOW and not signed.verified
    assert signed.verify(cert).verified
    assert set(signed.attrs) == {"content_type", "signing_time", "message_digest"}


@pytest.mark.req("RFC4534-2-08")
def test_another_signer_is_refused(scene):
    signed = token.Signed(scene.token())
    with pytest.raises(token.TokenError, match="RFC4534-2-08"):
        signed.verify(issued("ec", "gm0")[1])


@pytest.mark.req("RFC4534-2-10", "RFC4534-4-01")
def test_changed_content_is_refused(scene):
    octets = bytearray(scene.token())
    at = bytes(octets).index(b"CN=gm")
    octets[at + 3] ^= 1
    with pytest.raises(token.TokenError, match="RFC4534-2-10"):
        token.Signed(bytes(octets)).verify(scene.owner)


def _without(name):
    def change(data):
        info = data["signer_infos"][0]
        info["signed_attrs"] = [a for a in info["signed_attrs"] if a["type"].native != name]
    return change


def _two_signers(data):
    data["signer_infos"] = [data["signer_infos"][0], data["signer_infos"][0]]


def _other_type(data):
    data["encap_content_info"]["content_type"] = "data"


@pytest.mark.parametrize("change,req", [
    pytest.param(_without("signing_time"), "2-07", marks=pytest.mark.req("RFC4534-2-07")),
    pytest.param(_without("message_digest"), "2-06", marks=pytest.mark.req("RFC4534-2-06")),
    pytest.param(_without("content_type"), "2-06", marks=pytest.mark.req("RFC4534-2-06")),
    pytest.param(_two_signers, "2-05", marks=pytest.mark.req("RFC4534-2-05")),
    pytest.param(_other_type, "2-04", marks=pytest.mark.req("RFC4534-2-04"))],
    ids=("no-time", "no-digest", "no-type", "two-signers", "other-type"))
def test_cms_made_wrong(scene, change, req):
    with pytest.raises(token.TokenError, match="RFC4534-" + req):
        token.Signed(remade(scene.token(), change))


@pytest.mark.req("RFC4534-1-04", "RFC4534-2-03")
def test_indefinite_lengths_are_refused(scene):
    octets = scene.token()
    size = len(octets) - 4
    assert octets[1] == 0x82
    with pytest.raises(token.TokenError):
        token.Signed(b"\x30\x80" + octets[4:] + b"\0\0")
    with pytest.raises(token.TokenError):
        token.Signed(b"\x30\x83\x00" + size.to_bytes(2, "big") + octets[4:])


@pytest.mark.req("RFC4534-2-09", "RFC4534-3.1-03")
def test_tokens_only_go_forward(scene):
    one, two = token.Signed(scene.token(1)), token.Signed(scene.token(2))
    token.accept_after(one, None)
    token.accept_after(two, one)
    token.accept_after(token.Signed(one.octets), one)  # the same token again
    with pytest.raises(token.TokenError, match="RFC4534-3.1-03"):
        token.accept_after(one, two)
    with pytest.raises(token.TokenError, match="RFC4534-3.1-03"):
        token.accept_after(token.Signed(one.octets), one, Dialect(edition_equal="reject"))
    three = scene.signed_content(3)
    earlier = token.sign(three, scene.owner_key, scene.owner, NOW - datetime.timedelta(hours=3))
    with pytest.raises(token.TokenError, match="RFC4534-2-09"):
        token.accept_after(token.Signed(earlier), two)
    later = token.sign(one.content, scene.owner_key, scene.owner, NOW)
    with pytest.raises(token.TokenError, match="RFC4534-3.1-03"):
        token.accept_after(token.Signed(later), two)


@pytest.mark.req("RFC4534-3.1-06")
@pytest.mark.parametrize("value,unit,want", [
    (("interval", 5), "s", 5), (("interval", 5), "min", 300), (("interval", 5), "ms", 0.005),
    (("gt", NOW + datetime.timedelta(hours=1)), "s", 3600),
    (("utc", NOW + datetime.timedelta(hours=1)), "s", 3600)])
def test_life_dates(value, unit, want):
    made = token.build(token.LifeDate, value)
    assert token.seconds(token.load(token.LifeDate, made.dump()), NOW,
                         Dialect(interval_unit=unit)) == want


@pytest.mark.req("RFC4534-B.1.3.1-01", "RFC4534-B.1.3.1-02", "RFC4534-B.1.3.1-03",
                 "RFC4534-B.1.3.1-04", "RFC4534-B.1.3.1-05", "RFC4534-B.1.3.1-08",
                 "RFC4534-B.1.3.1-09", "RFC4534-B.5.4.2-01", "RFC4534-B.5.6.2-01")
def test_policy_says_what_was_written():
    scene = Scene("suite1", members=0, terse=False, timestamp=True)
    rules = policy.Policy.of(token.Signed(scene.token(resend=3)))
    assert rules.suites == [scene.suite]
    assert (rules.wrap_type, rules.resend, rules.transport, rules.deregister) == (
        12, 3, "udp", True)
    assert rules.rekey_signers == rules.gcks == [scene.rule("CN=gcks,O=MSEC Lab")]


@pytest.mark.req("RFC4534-B.1.3.2-01")
def test_predefined_suites():
    assert token.OID_SUITE_ONE == "1.3.6.1.5.5.12.2.1"
    assert token.SUITES[token.OID_SUITE_ONE] == (0, 1, 2, 12)
    made = token.build(types().RegistrationInfo, {
        "joinAuthorization": {"gCKS": [PAIR], "senders": ("all", None)}, "joinAccessControl": [],
        "joinMechanisms": [("suite", token.OID_SUITE_P256), ("suite", "2.999")],
        "transport": ("tcp", None)})
    assert core.ObjectIdentifier("2.999").dotted == "2.999"
    out = policy.Policy()
    out._registration(made)
    assert out.suites == [policy.SUITES["p256"]]


@pytest.mark.req("RFC4534-B.1.1-02", "RFC4534-B.1.2-01", "RFC4534-B.1.2-02", "RFC4534-B.1.1-05")
def test_access_rules():
    scene = Scene(members=0)
    rules = policy.Policy.of(token.Signed(scene.token(excluded=["gm1"])))
    ca = scene.ca.cert

    def admitted(common, by=ca):
        who = policy.Identity(31, f"CN={common},O=MSEC Lab".encode())
        return rules.admits(who, [None, by])
    assert admitted("gm0") and admitted("gm27")
    assert not admitted("gm1") and not admitted("xgm0")
    assert not admitted("gm0", authority("dsa").cert)


@pytest.mark.req("RFC4534-5-01", "RFC4534-B.1-01", "RFC4534-B.2-02", "RFC4534-B.5-01",
                 "RFC4534-B.6-01")
def test_disputed_object_identifiers():
    assert token.OID_REGISTRATION == {"iana": "1.3.6.1.5.5.12.3.1", "module": "1.3.6.1.5.5.12.7"}
    assert token.OID_REKEY == {"iana": "1.3.6.1.5.5.12.3.3", "module": "1.3.6.1.5.5.12.0.4"}
    for name, oids in (("token_reg_oid", token.OID_REGISTRATION),
                       ("token_rekey_oid", token.OID_REKEY)):
        for mine, other in (("iana", "module"), ("module", "iana")):
            d = Dialect(**{name: mine})
            p = token.build(token.Protocol, {"protocol": oids[other], "protocolInfo": b""})
            assert token.info(p, d)[0] == "unknown"
