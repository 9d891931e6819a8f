# SPDX-License-Identifier: BSD-2-Clause
"""The decoders of both implementations, asked the same: octets that one of them has made and chance has changed.

Both accept, or both refuse; where they do not, the difference is one of a few that are known and said here. What the
daemons judge later than their decoders do is asked of `judge`, too, which is built from the product's own sources.
"""
import itertools
import json
import random
import subprocess

import pytest

from lab import BUILD, TOP
from lab.process import PATIENCE
from msec_scapy import message, refusal, token
from msec_scapy import dialect as dialects
from msec_scapy.gdoi import check_kd, check_sa
from msec_scapy.gdoi import dialect as gdoi_dialects
from msec_scapy.gdoi.refusal import Reader, Refusal

VECTORS = TOP / "interop" / "vectors"
BOTH = "yes", "no"
# gpt_token_decode takes every reading of a token, whatever a dialect says; ours takes one at a time.
READINGS = [dialects.Dialect(**dict(zip(("token_tags", "token_no_reg", "token_reg_oid", "token_rekey_oid"), values)))
            for values in itertools.product(*(dialects.Dialect.choices()[n] for n in (
                "token_tags", "token_no_reg", "token_reg_oid", "token_rekey_oid")))]
# (kinds, what the C decoder says, why the one that refuses does): why nothing is wrong with that
KNOWN = {
    ("sa", "yes", "RFC6407-5.3-07"): "the type of a source of no octets, which stands for any source, says nothing",
    ("sa", "yes", "RFC5374-4.1.1-05"): "a source that is a multicast address is refused by our member, behind the parser",
    ("me", "no", "RFC4535-7-04, Notification"): "which notification an exchange may have is asked by our peers, behind the parser",
    ("me", "no", "RFC4535-7.1.2-09, Sequence ID"): "that zero exceeds nothing is seen by our member, which knows the last one",
    ("kd", "yes", "RFC6407-5.6.4.1-01"): "a sender id may have zeros in front: the switch sid_len is about sending",
}


def vectors(name):
    return json.loads((VECTORS / f"{name}.json").read_text())["vectors"]


def strict(v):
    return not v.get("dialect") and not v["in"].get("dialect")


def seeds():
    found = {}
    for v in filter(strict, vectors("messages")):
        if v["out"].get("message"):
            found.setdefault("message", []).append(v["out"]["message"])
    for v in filter(strict, vectors("tokens")):
        if v["kind"] == "token":
            found.setdefault("token", []).append(v["out"]["der"])
    for v in filter(strict, vectors("gdoi/payloads")):
        if v["kind"] in ("sa", "kd"):
            pull = v["in"]["pull"] if v["kind"] == "sa" else not v["in"]["push"]
            found.setdefault(f"{v['kind']}-{'pull' if pull else 'push'}", []).append(v["in"]["body"])
    return {kind: [bytes.fromhex(o) for o in list_] for kind, list_ in found.items()}


SEEDS = seeds()


class Judge:
    """The C decoders: ("yes" or "no", why not)."""

    def __init__(self):
        self.p = subprocess.Popen([BUILD / "interop/differential/judge"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, kind, octets):
        self.p.stdin.write(f"{kind} {octets.hex()}\n")
        self.p.stdin.flush()
        said = self.p.stdout.readline().strip()
        assert said.partition(" ")[0] in BOTH, f"it ended over {kind} {octets.hex()}"
        return said.partition(" ")[::2]

    def close(self):
        self.p.stdin.close()
        assert self.p.wait(PATIENCE) == 0


@pytest.fixture(scope="module")
def judge():
    j = Judge()
    yield j
    j.close()


def _read(kind, octets):
    r = Reader(octets)
    if kind.startswith("sa"):
        check_sa.sa(r, gdoi_dialects.STRICT, kind == "sa-pull")
    else:
        check_kd.kd(r, gdoi_dialects.STRICT, kind == "kd-push")
    r.end("RFC2408-3.2-01", kind)


def ours(kind, octets, wanted):
    """{"yes": "", "no": why not} of what the Python decoders say; of tokens in one reading after the other until one says
    what is `wanted`."""
    said = {}
    for dialect in READINGS if kind == "token" else [None]:
        try:
            if kind == "message":
                message.parse(octets)
            elif kind == "token":
                token.check(octets, dialect)
            else:
                _read(kind, octets)
            said["yes"] = ""
        except (Refusal, refusal.Refusal, token.TokenError) as e:
            said["no"] = e.req
        if wanted in said:
            break
    return said


def changed(rng, octets):
    """One to three small things are done to it."""
    o = bytearray(octets)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if not o:
            break
        at, what = rng.randrange(len(o)), rng.randrange(7)
        if what == 0:
            o[at] ^= 1 << rng.randrange(8)
        elif what == 1:
            o[at] = rng.choice((0, 1, 2, 3, 4, 0x7f, 0x80, 0xff, rng.randrange(256)))
        elif what == 2:
            del o[at:at + rng.choice((1, 2, 4, 8))]
        elif what == 3:
            o[at:at] = rng.randbytes(rng.choice((1, 2, 4)))
        elif what == 4:
            del o[at:]
        elif what == 5:
            other, size = rng.randrange(len(o)), rng.choice((1, 2, 4, 8))
            o[at:at + size] = o[other:other + size]
        else:
            o[at] = (o[at] + rng.choice((1, 255))) & 0xff
    return bytes(o)


def compare(judge, kind, octets):
    """What C says, having seen that ours says the same, or that the difference is known."""
    theirs, why = judge(kind, octets)
    mine = ours(kind, octets, theirs)
    if theirs not in mine:
        assert (kind[:2], theirs, mine.get("no", why)) in KNOWN, f"{kind} {octets.hex()}: C says {theirs} {why}, Python {mine}"
    return theirs


@pytest.mark.parametrize("kind", SEEDS)
def test_both_take_what_either_made(judge, kind):
    assert {compare(judge, kind, o) for o in SEEDS[kind]} == {"yes"}


def run(judge, kind, seed, times):
    rng, said = random.Random(f"{kind} {seed}"), {"yes": 0, "no": 0}
    for _ in range(times):
        said[compare(judge, kind, changed(rng, rng.choice(SEEDS[kind])))] += 1
    assert min(said.values()) > times / 20, "either would be right all the time by saying one word"


@pytest.mark.parametrize("kind", SEEDS)
def test_both_refuse_what_either_refuses(judge, kind):
    run(judge, kind, 1, 800 if kind == "token" else 2000)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 6))
@pytest.mark.parametrize("kind", SEEDS)
def test_many_more(judge, kind, seed):
    run(judge, kind, seed, 10000 if kind == "token" else 40000)
