# SPDX-License-Identifier: BSD-2-Clause
"""The dissector reads the vectors: every message, every membership with its key log, every fault, any damage.

The vectors were made without it. What they say of a message is what it has to show.
"""
import random

import pytest

from lab import BUILD
from msec_scapy import registry as reg
from msec_scapy.testing.tsharks import accounted, dissect, saved, tshark, udp
from msec_scapy.vectors import store

INSTALLED = BUILD / "prefix/share/msec/wireshark/gsakmp.lua"
ALL = [raw for _, raw in store.everything()]


def of(kind, dialects=False):
    return [raw for raw in ALL if raw["kind"] == kind and (dialects or not raw.get("dialect"))]


def capture(path, octets):
    return saved(path, map(udp, octets))


def faults(frame):
    """Expert infos that are not what a whole message has: notifications, and what nobody has a key for."""
    said = {text.lower().replace("-", " ") for text in reg.NOTIFY.values.values()}
    return [e for e in frame.experts if e.lower().replace("-", " ") not in said and "no key is known for" not in e]


MESSAGES = of("message")


def check_messages(frames):
    assert len(frames) == len(MESSAGES)
    for raw, frame in zip(MESSAGES, frames):
        given = raw["in"]
        assert frame.shown("exchange") == [str(given["exchange"])], raw["id"]
        assert frame.shown("seq") == [str(given["sequence"])], raw["id"]
        assert [o.hex() for _, o in frame.octets("groupid")] == [given["group_id"]]
        assert not {"undissected", "trailing"} & set(frame.names), raw["id"]
        assert not faults(frame), (raw["id"], frame.experts)
        signed = given.get("signature")
        assert frame.shown("sig.type") == ([str(signed["sig_type"])] if signed else [])
        if signed:
            # what is under the signature, as the vector has it
            assert [o.hex() for _, o in frame.octets("sig.covered")] in ([raw["out"]["covered"]], [])
        assert accounted(frame, bytes.fromhex(raw["out"]["message"]))


def test_every_message_of_the_vectors(tmp_path):
    pcap = capture(tmp_path / "m.pcap", [bytes.fromhex(r["out"]["message"]) for r in MESSAGES])
    check_messages(dissect(pcap))


def test_the_installed_dissector_does_the_same(tmp_path):
    """`make install` puts all of it where the manual says."""
    pcap = capture(tmp_path / "m.pcap", [bytes.fromhex(r["out"]["message"]) for r in MESSAGES])
    assert tshark(pcap, "-T", "pdml", script=INSTALLED).count('name="gsakmp.exchange"') == len(MESSAGES)


def every_message(raw):
    """What travels in a transcript, both ways, in order."""
    for given, out in zip(raw["in"]["steps"], raw["out"]["steps"]):
        yield from ([given["receive"]] if "receive" in given else [])
        yield from out["send"]


@pytest.mark.parametrize("raw", [pytest.param(r, id=r["id"]) for r in of("transcript") if "life/" in r["id"]])
def test_a_membership_with_its_key_log(tmp_path, raw):
    """Every key that the member ends up with is seen in a decrypted message."""
    log = tmp_path / "keys"
    log.write_text("\n".join(raw["out"]["keylog"]) + "\n")
    octets = [bytes.fromhex(o) for o in every_message(raw)]
    frames = dissect(capture(tmp_path / "t.pcap", octets), log=log)
    assert len(frames) == len(octets)
    seen = {(o.hex()) for f in frames for _, o in f.octets("key.data")}
    held = {k["key"] for step in raw["out"]["steps"] for k in step["gtpk"] + step["kek"]}
    assert held and held <= seen
    exchanges = [int(f.shown("exchange")[0]) for f in frames]
    assert set(exchanges) == {reg.X_RTJ, reg.X_KEYDL, reg.X_ACK, reg.X_REKEY, reg.X_RTD, reg.X_DR, reg.X_DA}
    for frame, o in zip(frames, octets):
        assert accounted(frame, o)
        # Keys wrapped for others stay closed; nothing else does.
        assert not faults(frame), frame.experts


# What can be told from one message, without the state of a peer. Which payloads an exchange has to have is
# left to the receiver.
def shows_fault(raw):
    label = raw["id"].removeprefix("verdict/")
    return not any(w in label for w in ("/without-", "/foreign", "/unsigned", "unexpected_payload",
                                        "behind-signature", "mechanism-twice", "gid_utf8_random", "embedded"))


def test_refused_messages_have_an_expert_info(tmp_path):
    vectors = [r for r in of("verdict") if shows_fault(r)]
    frames = dissect(capture(tmp_path / "v.pcap", [bytes.fromhex(r["in"]["message"]) for r in vectors]))
    quiet = []
    for raw, frame in zip(vectors, frames):
        if bool(faults(frame)) == raw["out"]["accepted"]:
            quiet.append((raw["id"], frame.experts))
        assert accounted(frame, bytes.fromhex(raw["in"]["message"])), raw["id"]
    assert not quiet


@pytest.mark.parametrize("seed", range(2))
def test_no_damage_to_any_message_makes_it_stumble(tmp_path, seed):
    """Octets of every message changed, cut out, put in, with a key log: never a Lua error, no octet unseen."""
    dice = random.Random(seed)
    life = of("transcript")[seed * 2]
    log = tmp_path / "keys"
    log.write_text("\n".join(life["out"]["keylog"]) + "\n")
    sources = [bytes.fromhex(r["out"]["message"]) for r in MESSAGES] + [bytes.fromhex(o) for o in every_message(life)]
    damaged = []
    for octets in sources:
        b = bytearray(octets)
        for _ in range(dice.choice((1, 1, 2, 4))):
            at = dice.randrange(min(len(b), dice.choice((40, 100, 5000))))
            if dice.random() < 0.7:
                b[at] ^= 1 << dice.randrange(8)
            elif dice.random() < 0.5:
                del b[at:at + dice.randrange(1, 9)]
            else:
                b[at:at] = dice.randbytes(dice.randrange(1, 9))
        damaged.append(bytes(b) or b"\0")
    frames = dissect(capture(tmp_path / "d.pcap", damaged), log=log)
    for frame, octets in zip(frames, damaged):
        assert accounted(frame, octets), octets.hex()
