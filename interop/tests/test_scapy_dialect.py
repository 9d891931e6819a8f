# SPDX-License-Identifier: BSD-2-Clause
"""Every reading of every switch, by two implementations that were written separately.

Group number n takes the n-th reading of each switch, so that all readings occur with few
groups: the life of each is played against the daemons in both roles, and the capture has
to verify under the same dialect (and under no other).
"""
import time

import pytest

from lab.process import PATIENCE
from msec_scapy.dialect import Dialect
from msec_scapy.testing.ground import Ground, serving

# The readings of tokens and names have tests of their own; the rest is behaviour, not octets.
SWITCHES = ("iv_keydl", "pad", "iv_rekey", "pkt_len", "kek_bits", "dh_secret_pad", "dh_pub_pad",
            "pt_form", "sig_cover", "sig_len_fields", "pt_rekey_key", "red_scope", "reh_groupid",
            "nonce_c", "mech_choice", "ack_data", "keypkg_lkh_body", "wrap_width", "dsa_enc",
            "id_class", "rekey_none_algver")
CHOICES = Dialect.choices()
# A plaintext that happens not to be aligned cannot be sent without padding, nor can a
# Packet Length count what the wrapping cipher does not tell.
IMPOSSIBLE = {"pad": ("none",)}


def readings(name):
    return [v for v in CHOICES[name] if v not in IMPOSSIBLE.get(name, ())]


def dialect(number):
    return Dialect(**{n: readings(n)[number % len(readings(n))] for n in SWITCHES})


GROUPS = [pytest.param(n, id=str(n)) for n in range(1, max(len(readings(n)) for n in SWITCHES))]


def faults(reports):
    return [f"{r.exchange}: {f}" for r in reports for f in r.faults]


@pytest.fixture
def ground(tmp_path, net_prefix, number):
    with Ground(tmp_path, net_prefix, kind="dsa", dialect=dialect(number)) as g:
        yield g.record()


def test_all_readings_occur():
    for name in SWITCHES:
        seen = {getattr(dialect(n), name) for n in range(max(len(readings(s)) for s in SWITCHES))}
        assert seen == set(readings(name))


@pytest.mark.parametrize("number", GROUPS)
def test_key_server(ground, number):
    server = ground.gcks()
    gms = [ground.member(f"gm{n}", h) for n, h in enumerate(("gm", "other"))]
    for runner in gms:
        assert runner.join(), runner.member.refusals
    assert gms[0].run(PATIENCE, lambda: gms[0].member.sequences), "the rekey for the second member"
    assert gms[0].member.ring.gtpk == gms[1].member.ring.gtpk
    assert gms[0].leave(), gms[0].member.refusals
    last = dict(gms[1].member.ring.gtpk)
    assert gms[1].run(PATIENCE, lambda: gms[1].member.ring.gtpk != last)
    server.finish()
    assert faults(ground.examine()) == []
    assert not [r for g in gms for r in g.member.refusals]


@pytest.mark.parametrize("number", GROUPS)
def test_member(ground, number):
    with serving(ground.key_server()) as s:
        gms = [ground.gm(f"gm{n}", h) for n, h in enumerate(("gm", "other"))]
        for n, gm in enumerate(gms):
            gm.control("join")
            gm.wait("joined")
            assert s.until(lambda k: sum(m.acknowledged for m in k.members.values()) == n + 1)
        gms[0].wait("rekeyed")
        signed = ground.make_token()
        marks = [gm.mark() for gm in gms]
        s.do(lambda k: k.new_token(signed, time.time()))
        for gm, mark in zip(gms, marks):
            gm.wait("token", since=mark)
        gms[1].control("leave")
        gms[1].wait("left")
        gms[0].wait("rekeyed", since=marks[0])
        for gm in gms:
            gm.finish()
            assert not gm.find("refused")
    assert faults(ground.examine()) == []
