# SPDX-License-Identifier: BSD-2-Clause
"""Tokens that are genuine and ask for what nobody here can do: a member does not join under them."""
from dataclasses import replace

import pytest
from asn1crypto import core

from lab.process import PATIENCE
from msec_scapy import policy
from msec_scapy import registry as reg
from msec_scapy import token as tokens
from msec_scapy.testing.ground import Ground, serving


def sign_again(ground, content):
    """The Group Owner's signature over other content."""
    make, policy.make_token = policy.make_token, lambda *_args, **_how: content
    try:
        return ground.make_token()
    finally:
        policy.make_token = make


def content(ground, suite=None, **how):
    return policy.make_token(ground.group_id, [ground.rule("keys")], [ground.rule("gm*")], suite or ground.suite, 2, **how)


def codes(suite):
    """Of nobody."""
    return replace(suite, sig_type=40000, nonce_hash=40000, create_type=40000, enc_type=40000)


def unknown_registration(ground):
    return content(ground, codes(ground.suite))


def unknown_rekey_method(ground):
    known = core.ObjectIdentifier(tokens.OID_REKEY_LKH).dump()
    octets = content(ground)
    assert octets.count(known) == 1
    return octets.replace(known, known[:-1] + b"\x7f")


def unknown_data_application(ground):
    return content(ground, extra_data=[("1.2.3.4", b"\x05\x00")])


@pytest.mark.parametrize("make,row", [
    pytest.param(unknown_registration, "RFC4534-3-03", marks=pytest.mark.refuses("RFC4534-3-03", "RFC4535-2-08")),
    pytest.param(unknown_rekey_method, "RFC4534-3-07", marks=pytest.mark.refuses("RFC4534-3-07")),
    pytest.param(unknown_data_application, "RFC4534-3-09", marks=pytest.mark.refuses("RFC4534-3-09"))],
    ids=lambda p: getattr(p, "__name__", None))
def test_a_member_does_not_join_under_what_it_cannot_do(tmp_path, net_prefix, make, row):
    with Ground(tmp_path, net_prefix) as ground, serving(ground.key_server()) as server:
        signed = sign_again(ground, make(ground))
        server.do(lambda k: k.hooks.on_plain("token", lambda _octets: signed) and [])
        gm = ground.gm()
        gm.control("join")
        assert gm.wait("refused")["req"] == row
        assert server.until(lambda k: any(e["event"] == "nack" for e in ground.events)), "the key server is told"
        assert [e["notify"] for e in ground.events if e["event"] == "nack"] == [reg.N_NACK]
        assert not gm.find("joined") and not gm.find("key-install")
        gm.finish()


def unknown_protocols(ground):
    """Beside what is known: a rekey protocol that comes first, and a way to register that comes last."""
    build = tokens.build

    def more(spec, value):
        if spec is tokens.Token:
            ways = [("supported", {"protocol": oid, "protocolInfo": b"\x05\x00"}) for oid in ("1.2.3.4", "1.2.3.5")]
            value = {**value, "rekey": [ways[1], *value["rekey"]],
                     "registration": [*value["registration"], {"register": ways[0], "de-register": ("none", None)}]}
        return build(spec, value)
    tokens.build = more
    try:
        return content(ground)
    finally:
        tokens.build = build


@pytest.mark.req("RFC4534-3-12", "RFC4534-3-14", "RFC4534-3-08")
@pytest.mark.refuses("RFC4534-3-14")
def test_protocols_that_nobody_knows_are_named_and_local_policy_decides(tmp_path, net_prefix):
    """A group of the daemons: who takes it works in it, and says what it did not know; who does not stays out."""
    with Ground(tmp_path, net_prefix) as ground:
        server = ground.gcks(sign_again(ground, unknown_protocols(ground)))
        said = "registration 1.2.3.4, rekey 1.2.3.5"
        assert server.wait("token")["unknown_protocols"] == said
        gm, strict = ground.gm(), ground.gm("gm1", "other", behaviour='unknown-protocols="no"')
        gm.control("join")
        gm.wait("joined")
        assert gm.find("token")[0]["unknown_protocols"] == said
        assert any(said in line for line in gm.tail(50))
        mark = gm.mark()
        server.control("rekey")
        gm.wait("rekeyed", since=mark)
        strict.control("join")
        assert strict.wait("refused")["req"] == "RFC4534-3-14"
        strict.wait("left")
        assert not strict.find("joined") and not strict.find("key-install")
        for d in (strict, gm, server):
            d.finish()


def beyond_everybody_first(ground):
    """Registration and rekey by GSAKMP with mechanisms that nobody has, and behind each one that all can do."""
    odd, good = (tokens.parse(content(ground, suite)) for suite in (codes(ground.suite), ground.suite))
    return tokens.Token({"tokenInfo": good["tokenInfo"], "data": good["data"],
                         **{part: [*odd[part], *good[part]] for part in ("registration", "rekey")}}).dump(force=True)


@pytest.mark.req("RFC4534-3-03", "RFC4534-3-05", "RFC4534-3-07", "RFC4534-3-08")
def test_the_highest_protocols_that_can_be_done_are_taken(tmp_path, net_prefix):
    """Key server, member and Python member agree, and the group is rekeyed by the second of its protocols."""
    with Ground(tmp_path, net_prefix) as ground:
        server = ground.gcks(sign_again(ground, beyond_everybody_first(ground)))
        gm, other = ground.gm(), ground.member("gm1", "other")
        gm.control("join")
        gm.wait("joined")
        assert other.join()
        mark = gm.mark()
        server.control("rekey")
        gm.wait("rekeyed", since=mark)
        assert other.run(PATIENCE, lambda: any(e["event"] == "rekeyed" for e in ground.events))
        gm.control("leave")
        gm.wait("left")
        server.wait("member-left")
        assert not server.find("refused") and not gm.find("refused")
        for d in (gm, server):
            d.finish()
