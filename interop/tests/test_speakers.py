# SPDX-License-Identifier: BSD-2-Clause
"""The three speaker configurations of RFC 4535 section 4.1.5, with the data application that obeys them."""
import struct

import pytest

from lab import LabError
from lab.daemons import wait_all
from lab.dataapp import HEAD
from lab.pki import dn
from lab.process import PATIENCE
from lab.town import DATA, Town

EACH = '<switch name="speaker_sa" value="each"/>'


@pytest.fixture
def town(tmp_path, net_prefix):
    with Town(tmp_path, net_prefix, ["owner", "keys", "gm0", "gm1", "gm2"]) as t:
        yield t
        t.finish()


def opened(town, g, n=3):
    town.publish(g)
    keys = town.gcks(g)
    gms = [town.gm(f"gm{i}", g) for i in range(n)]
    for gm in gms:
        gm.control("join")
    wait_all(gms, "joined")
    newest = {}  # who joined first gets the last keys by a rekey
    for k in (k for gm in gms for k in gm.control("keys")):
        newest[k["id"]] = max(k["handle"], newest.get(k["id"], 0))
    for gm in gms:
        for i in {k["id"] for k in gm.control("keys")}:
            gm.wait("key-install", id=i, where=lambda e: e["handle"] >= newest[e["id"]])
    return keys, gms


def read(reader, where, timeout=PATIENCE):
    return reader.wait("report", where=where, timeout=timeout, since=reader.mark())


def replay(town, frame):
    """A frame once more, octet for octet, from somebody else's host."""
    host, port = DATA.split(":")
    with town.hosts["owner"].sender(host) as s:
        s.sendto(frame, (host, int(port)))


def record(path):
    octets, out = path.read_bytes(), []
    while octets:
        n, = struct.unpack_from(">I", octets)
        out.append(octets[4:4 + n])
        octets = octets[4 + n:]
    return out


@pytest.mark.req("RFC4535-4.1.5-04", "RFC4534-B.1.1-06")
def test_one_speaker(town):
    """The default: one SA, one speaker, anti-replay; who is not it is silent, and found out when it is not."""
    keys, gms = opened(town, town.template("news", "one-to-many", senders=["gm0"]))
    status = [gm.control("status")["speakers"] for gm in gms]
    assert [s["who"] for s in status] == ["one"] * 3 and [s["we"] for s in status] == [1, 0, 0]
    assert status[1]["names"] == [f"dn:{dn('gm0')}"]
    reader = town.app(gms[2], "receive", "--record", town.dir / "frames")
    honest = town.app(gms[1], "send")
    honest.wait("not-authorised")
    source = town.app(gms[0], "send")
    got = read(reader, lambda e: e["received"] > 3)
    assert list(got["ranges"]) == ["1"], "the speaker's number"
    assert not honest.find("report", where=lambda e: e["sent"])
    source.stop()
    replay(town, record(town.dir / "frames")[-1])
    got = read(reader, lambda e: e["repeated"])
    assert got["repeated"] == 1 and got["unauthorised"] == 0
    town.app(gms[1], "send", "--force")
    got = read(reader, lambda e: e["unauthorised"] > 3)
    assert list(got["ranges"]) == ["1"], "none of it was taken"


@pytest.mark.req("RFC4535-4.1.5-05")
def test_everybody_speaks(town):
    """One SA for all, and no anti-replay, because nobody keeps state for a sender that nobody listed."""
    keys, gms = opened(town, town.template("chat", "conference"))
    assert gms[0].control("status")["speakers"] == {"who": "all", "own_keys": False, "we": 0, "names": []}
    reader = town.app(gms[2], "receive", "--record", town.dir / "frames")
    senders = [town.app(gms[i], "send") for i in (0, 1)]
    read(reader, lambda e: len(e["ranges"]) == 2)
    for s in senders:
        s.stop()
    sent = sum(s.find("end")[0]["sent"] for s in senders)
    before = read(reader, lambda e: e["received"] == sent)
    replay(town, record(town.dir / "frames")[-1])
    after = read(reader, lambda e: e["repeated"])
    assert after["received"] == before["received"] + 1 and after["unauthorised"] == 0


@pytest.mark.req("RFC4535-4.1.5-06", "RFC4535-4.1.5-07")
def test_listed_speakers_share_a_key(town):
    """What the RFC describes: one TPK, and state for each speaker at every receiver."""
    keys, gms = opened(town, town.template("panel", senders=["gm0", "gm1"]))
    assert [gm.control("status")["speakers"]["we"] for gm in gms] == [1, 2, 0]
    assert {k["id"] for gm in gms for k in gm.control("keys")} == {1}
    reader = town.app(gms[2], "receive", "--record", town.dir / "frames")
    sources = [town.app(gms[i], "send") for i in (0, 1)]
    read(reader, lambda e: set(e["ranges"]) == {"1", "2"})
    for s in sources:
        s.stop()
    frames = record(town.dir / "frames")
    replay(town, [f for f in frames if HEAD.unpack_from(f)[3] == 1][-1])
    got = read(reader, lambda e: e["repeated"])
    assert got["repeated"] == 1, "speaker 1's window; speaker 2's is another"
    third = town.app(gms[2], "send", "--force")
    third.wait("not-authorised")
    read(reader, lambda e: e["unauthorised"] > 3)


@pytest.mark.req("RFC4535-4.1.5-06")
def test_listed_speakers_with_a_key_each(town):
    town.dialect = EACH
    g = town.template("panel", senders=["gm0", "gm1"], extra=["--own-keys"])
    keys, gms = opened(town, g)
    assert {k["id"] for k in keys.control("keys") if k["state"] == "current"} == {1, 2}
    rows = {gm.name: {k["id"]: (k["may_send"], k["of"]) for k in gm.control("keys") if k["state"] == "current"} for gm in gms}
    assert rows == {"gm0": {1: (True, 1), 2: (False, 2)}, "gm1": {1: (False, 1), 2: (True, 2)}, "gm2": {1: (False, 1), 2: (False, 2)}}
    assert all(gm.control("status")["speakers"]["own_keys"] for gm in gms)
    reader = town.app(gms[2], "receive", "--record", town.dir / "frames")
    sources = [town.app(gms[i], "send") for i in (0, 1)]
    read(reader, lambda e: set(e["ranges"]) == {"1", "2"})
    # Both keys change in one rekey, and nobody loses the thread.
    marks = {d: d.mark() for d in gms}
    keys.control("rekey")
    wait_all(gms, "rekeyed", marks=marks)
    read(reader, lambda e: len(e["by_handle"]) >= 4)
    assert {HEAD.unpack_from(f)[1:4:2] for f in record(town.dir / "frames")} == {(1, 1), (2, 2)}
    for s in sources:
        s.stop()
    forced = town.app(gms[2], "send", "--force")
    forced.wait("not-authorised")
    read(reader, lambda e: e["unauthorised"] > 3)


@pytest.mark.req("RFC4535-4.1.5-06")
def test_a_token_with_too_few_keys_for_its_speakers_is_refused(town):
    town.dialect = EACH
    g = town.template("panel", senders=["gm0", "gm1", "gm2"])
    town.publish(g)
    keys = town.gcks(g, start=False)
    with pytest.raises(LabError):
        keys.start()
    assert keys.find("refused")[0]["req"] == "RFC4535-4.1.5-06"
    assert keys.wait_end() == 6, "the policy forbids it"
    town.daemons.remove(keys)


@pytest.mark.req("RFC4534-B.1.1-06", "RFC4535-4.1.5-02")
def test_the_floor_changes_hands(town):
    """A new edition names another speaker: both applications are told, without new keys by another way."""
    g = town.template("news", "one-to-many", senders=["gm0"])
    keys, gms = opened(town, g)
    sources = [town.app(gms[i], "send") for i in (0, 1)]
    sources[1].wait("not-authorised")
    sources[0].wait("report", where=lambda e: e["sent"] > 3)
    g.policy.write_text(g.policy.read_text().replace(f">{dn('gm0')}<", f">{dn('gm1')}<"))
    town.publish(g)
    keys.control("token")
    sources[0].wait("not-authorised")
    sources[1].wait("authorised")
    sources[1].wait("report", where=lambda e: e["sent"] > 3)
    assert [gm.control("status")["may_send"] for gm in gms] == [False, True, False]
