# SPDX-License-Identifier: BSD-2-Clause
"""Wrong messages, by name, against gdoi-gcks and gdoi-gm: refused, reported with the rule, and nothing changes.

Lengths of attributes and of keys that lie, and payloads in other orders, always; the others with --long.
"""
import json
import subprocess
import sys

import pytest

from lab import gdoi_attack
from lab import TOP
from lab.gdoi_attack_rows import NAMED, named
from msec_scapy.gdoi import misbehave
from msec_scapy.gdoi.wrong import attributes, shape

FIRST = {e["name"] for module in (attributes, shape) for e in module.ENTRIES}


def entries(victim):
    for e in misbehave.CATALOGUE:
        if gdoi_attack.victim_of(e) == victim:
            often = e.name in FIRST or e.where in ("push", "ack", "pull-1", "pull-3")
            yield pytest.param(e, id=e.name, marks=() if often else (pytest.mark.long,))


@pytest.fixture(scope="module")
def key_server(tmp_path_factory, net_prefix):
    with gdoi_attack.KeyServer(tmp_path_factory.mktemp("gcks") / "group", net_prefix + "k-") as victim:
        yield victim


@pytest.fixture(scope="module")
def member(tmp_path_factory, net_prefix):
    with gdoi_attack.Member(tmp_path_factory.mktemp("gm"), net_prefix + "m-") as victim:
        yield victim


def refused(entry, told):
    assert told["sent"], "it was not sent"
    assert told["harmless"], told["seen"]
    assert told["refused"], told["seen"]
    assert told["refused"]["req"] in named(entry), told["refused"]


def test_every_name_has_one_row():
    """One row of a document for each entry; an exception is no copy of the catalogue, and of none that is gone."""
    for e in misbehave.CATALOGUE:
        assert len(named(e)) == 1 or e.name.endswith("-garbled")
    assert all(misbehave.find(name).req != row for name, row in NAMED.items())


@pytest.mark.parametrize("entry", entries("gcks"))
def test_a_key_server_refuses(key_server, entry):
    refused(entry, key_server.attack(entry))


@pytest.mark.parametrize("entry", entries("gm"))
def test_a_member_refuses(member, entry):
    refused(entry, member.attack(entry))


def test_one_by_hand():
    """./lab attack NAME, as somebody does it."""
    done = subprocess.run([sys.executable, "-m", "lab.gdoi_attack", "kek-key-4096", "--json"], cwd=TOP / "interop",
                          capture_output=True, text=True, check=False)
    told = json.loads(done.stdout)
    assert done.returncode == 0 and told["refused"]["req"] == "RFC6407-5.6.2.1-01" and told["harmless"], done.stderr
    done = subprocess.run([sys.executable, "-m", "lab.gdoi_attack", "no-such-thing"], cwd=TOP / "interop", capture_output=True,
                          text=True, check=False)
    assert done.returncode and "no misbehaviour" in done.stderr
