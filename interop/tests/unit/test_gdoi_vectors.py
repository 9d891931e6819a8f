# SPDX-License-Identifier: BSD-2-Clause
"""interop/vectors/gdoi: right by both implementations and by the schema; the switches of GDOI are the same everywhere."""
import copy
import json
import random
import re
import subprocess

import jsonschema
import pytest

from lab import BUILD
from msec_scapy.gdoi import isakmp
from msec_scapy.gdoi.dialect import GDOID, PRESETS, Dialect
from msec_scapy.gdoi.refusal import Refusal
from msec_scapy.gdoi.vectors import compute, kinds, store
from msec_scapy.vectors.store import everything, files

VECTOR_CHECK = BUILD / "gdoi/tests/vector/gdoi_vector_check"
SCHEMA = json.loads((store.FOLDER / "schema.json").read_text())
CHOICES = {name: list(values) for name, values in Dialect.choices().items()}
# Rules of conduct, which no octets of one message show: they have tests of their own.
CONDUCT = {"atd_in_pull", "ack_replay", "pull_seq_required", "pad_accept"}


def test_c_and_python_have_the_same_switches_and_readings():
    done = subprocess.run([VECTOR_CHECK, "dialect"], capture_output=True, text=True, check=True)
    assert {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()} == CHOICES


def test_presets_and_texts_of_a_dialect():
    assert Dialect.parse("gdoid") == GDOID == PRESETS["gdoid"]
    assert Dialect.parse("gdoid;sak_reserved=4").sak_reserved == "4"
    assert Dialect.parse("p1_id_port_accept=0,500").p1_id_port_accept == "0,500"
    for text in ("nobody", "pad=other", "no_switch=1"):
        with pytest.raises(ValueError):
            Dialect.parse(text)


def test_every_reading_that_shows_in_octets_has_a_vector():
    shown = {}
    for _, raw in everything(store.FOLDER):
        for reading in raw.get("shows", ()):
            name, value = reading.split("=", 1)
            assert raw.get("dialect", {}).get(name, CHOICES[name][0]) == value, raw["id"]
            shown.setdefault(name, set()).add(value)
    for name, values in CHOICES.items():
        assert shown.get(name, set()) == (set() if name in CONDUCT else set(values)), name


@pytest.mark.parametrize("path", files(store.FOLDER), ids=lambda p: p.stem)
def test_every_file_fits_the_schema(path):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(path.read_text()))


def test_every_kind_occurs_and_no_id_twice():
    ids = [raw["id"] for _, raw in everything(store.FOLDER)]
    assert len(ids) == len(set(ids))
    assert {raw["kind"] for _, raw in everything(store.FOLDER)} == set(kinds.KINDS)


def test_c_finds_all_of_them_right():
    done = subprocess.run([VECTOR_CHECK, *files(store.FOLDER)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert len(re.findall("^ok ", done.stdout, re.M)) == len(files(store.FOLDER)) == 5


# ------------------------------------------------------------------ a wrong one is noticed, by both

def leaves(value, path=()):
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list) and value:
        for n, inner in enumerate(value):
            yield from leaves(inner, (*path, n))
    elif path and not (isinstance(value, str) and not value):
        yield path


def changed(value, dice):
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str) and re.fullmatch("[0-9a-f]+", value):
        at = dice.randrange(len(value))
        return value[:at] + "0123456789abcdef"[(int(value[at], 16) + 1) % 16] + value[at + 1:]
    return [1] if isinstance(value, list) else value + "-"


def mutated(raw, dice):
    """A copy with one output changed. (What a signature covers is no output of the C functions.)"""
    out = copy.deepcopy(raw)
    paths = [p for p in leaves(out["out"]) if p[0] not in ("covered", "field")]
    path = dice.choice(paths)
    place = out["out"]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = changed(place[path[-1]], dice)
    return out, "/".join(map(str, path))


@pytest.mark.parametrize("kind", sorted(kinds.KINDS))
def test_a_changed_output_is_noticed_by_both(tmp_path, kind):
    dice = random.Random(kind)
    of_kind = [raw for _, raw in everything(store.FOLDER) if raw["kind"] == kind]
    wrong = [mutated(raw, dice) for raw in dice.sample(of_kind, min(len(of_kind), 5))]
    for raw, path in wrong:
        with pytest.raises(Exception):
            store.check(raw)
            raise SystemExit(f"{raw['id']}: {path} is wrong and nobody noticed")
    (tmp_path / "wrong.json").write_text(json.dumps({"about": "", "vectors": [raw for raw, _ in wrong]}))
    done = subprocess.run([VECTOR_CHECK, tmp_path / "wrong.json"], capture_output=True, text=True, check=False)
    found = {line[2:].split(": ")[0] for line in done.stdout.splitlines() if line.startswith("# ")}
    unnoticed = {raw["id"] for raw, _ in wrong} - found
    assert not unnoticed, [(raw["id"], path) for raw, path in wrong if raw["id"] in unnoticed]


# ------------------------------------------------------------------------ octets that nobody has thought of

def spoiled(octets, dice):
    out = bytearray(octets)
    for _ in range(dice.randrange(1, 4)):
        at = dice.randrange(len(out) + 1)
        kind = dice.randrange(4)
        if kind == 0 and at < len(out):
            out[at] ^= 1 << dice.randrange(8)
        elif kind == 1 and at < len(out):
            out[at] = dice.choice((0, 1, 127, 128, 255))
        elif kind == 2:
            del out[at:at + dice.randrange(1, 9)]
        else:
            out[at:at] = dice.randbytes(dice.randrange(1, 9))
    return bytes(out)


def test_strict_reading_ends_in_a_verdict_whatever_comes():
    """No exception but a Refusal, and no layer that cannot be made."""
    dice, pool = random.Random("gdoi"), []
    for _, raw in everything(store.FOLDER):
        given = raw["in"]
        if raw["kind"] in ("sa", "kd"):
            first = given.get("pull", not given.get("push"))
            pool.append((f"{raw['kind']}-{'pull' if first else 'push'}", bytes.fromhex(given["body"])))
        elif raw["kind"] == "verdict":
            pool.append((given["what"], bytes.fromhex(given["octets"])))
    for _ in range(400):
        what, octets = dice.choice(pool)
        octets = spoiled(octets, dice)
        try:
            compute.JUDGES[what](octets, dice.choice((Dialect(), GDOID)))
        except Refusal as e:
            assert e.req.startswith("RFC") and e.field
        if what == "header" and len(octets) >= 28:
            isakmp.ISAKMP(octets)
