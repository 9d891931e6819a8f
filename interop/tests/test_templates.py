# SPDX-License-Identifier: BSD-2-Clause
"""Every template of msec-token makes a group that runs, and a dry run foretells who is what in it."""
import json
import subprocess

import pytest

from lab.build import program
from lab.daemons import wait_all
from lab.town import PORT, Town


@pytest.fixture
def town(tmp_path, net_prefix):
    with Town(tmp_path, net_prefix, ["owner", "keys", "gm0", "gm1", "sub0"]) as t:
        yield t
        t.finish()


def foretold(town, g, *names):
    """What msec-token explain says: {name: [roles]}."""
    r = subprocess.run([program("msec-token"), "explain", g.policy, "--json", "--root", town.pki.root.cert,
                        *(town.pki.parties[n].chain for n in names)], capture_output=True, text=True)
    assert r.returncode in (0, 1), r.stderr
    return {n: row["as"] for n, row in zip(names, json.loads(r.stdout))}


def run(town, g, static=()):
    """The group opens, two members join or are joined, follow a rekey and hear the end."""
    town.tool("lint", g.policy)
    town.publish(g)
    receivers = "".join(
        f'<receiver certificate="{town.pki.parties[n].chain}" public-value="{town.dir}/{n}.pub"'
        f' address="{town.hosts[n].ip4}" port="{PORT}"/>' for n in static)
    gms = {}
    for n in static:  # who only receives has to listen before anything is sent
        town.tool("static-key", "-o", town.dir / f"{n}.key", "--public", town.dir / f"{n}.pub")
        gms[n] = town.gm(n, g, static_key=town.dir / f"{n}.key")
        gms[n].control("join")
    keys = town.gcks(g, receivers=f"<receivers>{receivers}</receivers>" if receivers else "")
    for n in {"gm0", "gm1"} - set(static):
        gms[n] = town.gm(n, g)
        gms[n].control("join")
    gms = list(gms.values())
    wait_all(gms, "joined")
    marks = {d: d.mark() for d in gms}
    keys.control("rekey", g.name)
    wait_all(gms, "rekeyed", marks=marks)
    status = {gm.name: gm.control("status") for gm in gms}
    keys.control("destroy", g.name)
    wait_all(gms, "destroyed", marks=marks)
    return {n: s["may_send"] for n, s in status.items()}


@pytest.mark.req("RFC4535-4.1.5-04", "RFC4534-B.1.1-06")
def test_one_to_many(town):
    g = town.template("news", "one-to-many", senders=["gm0"])
    assert foretold(town, g, "gm0", "gm1", "keys", "owner") == {
        "gm0": ["member", "sender"], "gm1": ["member"], "keys": ["member", "gcks", "rekey"], "owner": ["member"]}
    assert run(town, g) == {"gm0": True, "gm1": False}


@pytest.mark.req("RFC4535-4.1.5-05", "RFC4534-B.1.1-06")
def test_conference(town):
    g = town.template("chat", "conference")
    assert foretold(town, g, "gm0", "gm1") == {"gm0": ["member", "sender"], "gm1": ["member", "sender"]}
    assert run(town, g) == {"gm0": True, "gm1": True}


@pytest.mark.req("RFC4535-5.2.3-01", "RFC4534-B.1.3.1-09", "RFC4534-B.1.3.1-08")
def test_sensors(town):
    """gm0 asks as others do, and sends; gm1 only receives."""
    g = town.template("field", "sensors", senders=["gm0"])
    assert run(town, g, static=("gm1",)) == {"gm0": True, "gm1": False}


@pytest.mark.req("RFC4534-B.1.1-01", "RFC4534-B.5.7.2-01")
def test_distributed(town):
    g = town.template("sites", "distributed", subs=["sub*"])
    told = foretold(town, g, "gm0", "sub0", "keys")
    assert told == {"gm0": ["member", "sender"], "sub0": ["member", "sender", "sub-gcks", "rekey"],
                    "keys": ["member", "sender", "gcks", "rekey"]}
    assert run(town, g) == {"gm0": True, "gm1": True}
