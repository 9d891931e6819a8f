# SPDX-License-Identifier: BSD-2-Clause
"""msec-token against the Python codec: each reads, verifies and writes the other's tokens."""
import datetime
import json
import subprocess

import pytest

from lab.build import program
from lab.pki import Pki
from msec_scapy import identity, pkix, policy, token

TEMPLATES = ("one-to-many", "conference", "sensors")
GID = b"\x01\x02\x03\x04\x05\x06\x07\x08tokens"
KINDS = {"ecdsa": "p256", "rsa": "rsa", "dsa": "suite1"}


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    made = {}

    def get(kind):
        if kind not in made:
            made[kind] = Pki(tmp_path_factory.mktemp("pki"), kind)
            made[kind].issue("owner")
        return made[kind]
    return get


def tool(*words, check=True, **how):
    r = subprocess.run([program("msec-token"), *map(str, words)], capture_output=True,
                       stdin=subprocess.DEVNULL, **how)
    assert not check or r.returncode == 0, r.stderr.decode()
    return r


def python_token(pki, kind, **how):
    rule = policy.Rule(identity.Identity(31, b"CN=keys,O=MSEC Lab"), pki.intermediate.key_id)
    who = policy.Rule(identity.Identity(31, b"CN=gm*,O=MSEC Lab"), pki.intermediate.key_id)
    return policy.make_token(GID, [rule], [who], policy.SUITES[KINDS[kind]], **how)


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.req("RFC4535-5.2.1-04", "RFC4534-2-02", "RFC4534-2-03", "RFC4534-2-04",
                 "RFC4534-2-05", "RFC4534-2-06", "RFC4534-2-07", "RFC4534-1-04",
                 "RFC4534-B.1-02", "RFC4534-B.5-02")
def test_python_reads_what_msec_token_signs(tmp_path, pki, kind, template):
    made, p = pki(kind), pki(kind).parties["owner"]
    tool("new", "--template", template, "--group", "tokens", "--random", "0102030405060708",
         "--ca", made.intermediate.cert, "--gcks", "CN=keys,O=MSEC Lab", "--members",
         "CN=gm*,O=MSEC Lab", "-o", tmp_path / "p.xml")
    tool("compile", tmp_path / "p.xml", "--edition", 7, "-o", tmp_path / "p.der")
    tool("sign", "--cert", p.cert, "--key", p.key, tmp_path / "p.der", "-o", tmp_path / "p.token")
    signed = token.Signed((tmp_path / "p.token").read_bytes())
    signed.verify(pkix.Certificate(p.der))
    assert signed.content == (tmp_path / "p.der").read_bytes()
    assert signed.edition == 7 and signed.group_name.endswith(b"tokens")
    now = datetime.datetime.now(datetime.timezone.utc)
    assert abs(now - signed.signing_time) < datetime.timedelta(minutes=5)
    rules = policy.Policy.of(signed)
    assert rules.suites and rules.gcks and rules.access and not rules.unknown
    path = [None, pkix.Certificate(made.intermediate.der)]
    admitted = [rules.admits(identity.Identity(31, f"CN={n},O=MSEC Lab".encode()), path)
                for n in ("gm1", "stranger")]
    assert admitted == [True, False]
    text = "\n".join(token.explain(signed.content))
    assert "registration 1 register" in text and "rekey 1" in text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", [{}, {"resend": 3}, {"transport": "tcp"},
                                 {"extra_data": [("2.999.1", b"\x04\x02hi")]}],
                         ids=("plain", "resend", "tcp", "unknown"))
@pytest.mark.req("RFC4534-1-04", "RFC4534-2-08", "RFC4534-2-10", "RFC4534-3-12")
def test_msec_token_reads_what_python_signs(tmp_path, pki, kind, how):
    made, p = pki(kind), pki(kind).parties["owner"]
    content = python_token(made, kind, edition=3, **how)
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    (tmp_path / "t").write_bytes(token.sign(content, p.private, pkix.Certificate(p.der), now,
                                            [pkix.Certificate(made.intermediate.der)]))
    tool("verify", "--root", made.root.cert, "--owner-cert", p.cert, "--chain",
         made.intermediate.cert, *(["--allow-legacy"] if kind == "dsa" else []), tmp_path / "t")
    tool("decompile", tmp_path / "t", "-o", tmp_path / "t.xml")
    tool("compile", tmp_path / "t.xml", "-o", tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == content
    shown = json.loads(tool("show", "--json", tmp_path / "t").stdout)
    assert shown


@pytest.mark.parametrize("name", ("owner", "content", "signature"))
@pytest.mark.req("RFC4534-2-08", "RFC4534-2-10", "RFC4534-4-01")
def test_msec_token_refuses_what_python_forges(tmp_path, pki, name):
    made, p = pki("ecdsa"), pki("ecdsa").parties["owner"]
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    signer = made.issue(f"other-{name}") if name == "owner" else p
    octets = bytearray(token.sign(python_token(made, "ecdsa"), signer.private,
                                  pkix.Certificate(signer.der), now))
    if name == "content":
        octets[bytes(octets).index(b"CN=gm") + 3] ^= 1
    if name == "signature":
        octets[-1] ^= 1
    (tmp_path / "t").write_bytes(octets)
    r = tool("verify", "--root", made.root.cert, "--chain", made.intermediate.cert,
             "--owner-cert", p.cert, tmp_path / "t", check=False)
    assert r.returncode != 0 and r.stderr
    with pytest.raises(token.TokenError):
        token.Signed(bytes(octets)).verify(pkix.Certificate(p.der))
