# SPDX-License-Identifier: BSD-2-Clause
"""msec-token writes the tokens of the vectors, in every reading of RFC 4534, and reads them back."""
import subprocess

import pytest

from lab import BUILD
from msec_scapy.vectors import store

MSEC_TOKEN = BUILD / "prefix/bin/msec-token"
TOKENS = [raw for _, raw in store.everything() if raw["kind"] == "token"]


def run(*words, **how):
    return subprocess.run([MSEC_TOKEN, *words], capture_output=True, check=False, **how)


def compiled(raw, folder):
    """The DER, or what the program says instead."""
    policy = folder / "policy.xml"
    policy.write_text(raw["in"]["xml"])
    readings = [w for name, value in raw.get("dialect", {}).items() for w in ("--dialect", f"{name}={value}")]
    done = run("compile", policy, "-o", folder / "token.der", *readings)
    return (folder / "token.der").read_bytes().hex() if done.returncode == 0 else done.stderr.decode()


@pytest.mark.req("RFC4534-B.1-01", "RFC4534-B.5-01", "RFC4534-B.3-02", "RFC4534-B.2-01", "RFC4534-3-02")
def test_every_reading_is_written(tmp_path):
    wrong = [raw["id"] for raw in TOKENS if raw.get("shows") and compiled(raw, tmp_path) != raw["out"]["der"]]
    assert not wrong
    assert len({name for raw in TOKENS for name in raw.get("dialect", {})}) == 7


@pytest.mark.req("RFC4534-1-04", "RFC4534-3-01")
def test_every_policy_is_written_and_read_back_or_refused_as_contradictory(tmp_path):
    refused = []
    for raw in TOKENS:
        if raw.get("shows"):
            continue
        der = compiled(raw, tmp_path)
        if "contradicts itself" in der:
            refused.append(raw["id"])  # well formed, and nothing that a group could live by
            continue
        assert der == raw["out"]["der"], (raw["id"], der)
        back = run("decompile", tmp_path / "token.der", text=True)
        assert back.stdout == raw["in"]["xml"], raw["id"]
    assert len(refused) < len(TOKENS) // 3


def test_a_reading_that_does_not_exist_is_a_usage_error(tmp_path):
    (tmp_path / "policy.xml").write_text(TOKENS[0]["in"]["xml"])
    for words, said in (("token_tags=module", b"no such value"), ("tags=explicit", b"no switch"),
                        ("token_tags", b"no switch"), ("pad=zero", b"no switch")):
        done = run("compile", tmp_path / "policy.xml", "--dialect", words)
        assert done.returncode == 2 and said in done.stderr, (words, done)
