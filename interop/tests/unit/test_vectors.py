# SPDX-License-Identifier: BSD-2-Clause
"""interop/vectors: right by this implementation, by the C implementation, by the schema; and made again."""
import copy
import json
import random
import subprocess
from pathlib import Path

import jsonschema
import pytest

from lab import BUILD
from msec_scapy.vectors import check, kinds, make, make_transcript, seeds, store

ROOT = Path(__file__).resolve().parents[3]
VECTOR_CHECK = BUILD / "gsakmp/tests/vector/vector_check"
SCHEMA = json.loads((store.FOLDER / "schema.json").read_text())
FILES = store.files()


def by_file(path):
    return pytest.param(path, id=path.stem)


@pytest.mark.req("RFC4535-7.11.1-04", "RFC4535-7.12.1-03", "RFC4535-7.4.1-08", "RFC4535-7.3.1-03",
                 "RFC4535-6.2-03", "RFC4535-7.5.1.2-02", "RFC4535-7.5.1.2-03", "RFC4535-7.8.1-01",
                 "RFC4535-7.8.2-06", "RFC4535-7.1.2-11", "RFC4535-7.2.2-01", "RFC4535-A.3.1-01",
                 "RFC4535-A.3.2-01", "RFC4534-2-10", "RFC4534-3-01")
@pytest.mark.parametrize("path", map(by_file, FILES))
def test_every_vector_is_what_is_computed_here(path):
    for raw in store.load(path):
        try:
            check.check(raw)
        except Exception as e:
            raise AssertionError(f"{raw['id']}: {e}") from e


@pytest.mark.parametrize("path", map(by_file, FILES))
def test_every_file_fits_the_schema(path):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(path.read_text()))


def test_every_kind_and_requirement_occurs():
    everything = [raw for _, raw in store.everything()]
    assert {raw["kind"] for raw in everything} == set(kinds.KINDS)
    ids = [raw["id"] for raw in everything]
    assert len(ids) == len(set(ids))
    known = {line.split(",")[0] for name in ("rfc4535", "rfc4534", "rfc2627")
             for line in (ROOT / f"interop/requirements/{name}.csv").read_text().splitlines()}
    assert not {r for raw in everything for r in raw["req"]} - known
    assert not {raw["out"]["req"] for raw in everything if "req" in raw["out"]} - known


def test_the_files_come_out_the_same_again():
    for name, text in make.everything():
        assert (store.FOLDER / name).read_text() == text, f"{name}: ./lab vectors"


def test_a_recording_comes_out_the_same_again():
    def record():
        stage = make_transcript.Stage("twice", "x25519-gcm").join().guest("gm2").command("destroy")
        return stage.steps, stage.outs
    assert record() == record()


# ----------------------------------------------------------- a wrong one is noticed, by both

def leaves(value, path=()):
    """Paths to everything in a vector's outputs that can be changed."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list) and value:
        for n, inner in enumerate(value):
            yield from leaves(inner, (*path, n))
    else:
        yield path


def changed(value, dice):
    """The same value, wrong."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str) and value and all(c in "0123456789abcdef" for c in value):
        at = dice.randrange(len(value))
        return value[:at] + "0123456789abcdef"[(int(value[at], 16) + 1) % 16] + value[at + 1:]
    return value + "00" if isinstance(value, str) else [*value, 1]


def mutated(raw, dice):
    """A copy with one output changed."""
    out = copy.deepcopy(raw)
    path = dice.choice(list(leaves(out["out"])))
    place = out["out"]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = changed(place[path[-1]], dice)
    return out, "/".join(map(str, path))


def by_c(path, vectors):
    """The ids that the C implementation finds wrong."""
    path.write_text(json.dumps({"about": "", "vectors": vectors}))
    done = subprocess.run([VECTOR_CHECK, path], capture_output=True, text=True, check=False)
    assert "1..1" in done.stdout, done.stdout + done.stderr
    return {line[2:].split(": ")[0] for line in done.stdout.splitlines() if line.startswith("# ")}


# Where a vector is verified and not computed, a signature of other octets may still be one.
@pytest.mark.parametrize("kind", sorted(kinds.KINDS))
def test_a_changed_output_is_noticed_by_both(tmp_path, kind):
    dice = random.Random(kind)
    of_kind = [raw for _, raw in store.everything() if raw["kind"] == kind]
    wrong = [mutated(raw, dice) for raw in dice.sample(of_kind, min(len(of_kind), 12))]
    for raw, path in wrong:
        with pytest.raises((check.Wrong, Exception)):
            check.check(raw)
            raise SystemExit(f"{raw['id']}: {path} is wrong and nobody noticed")
    unnoticed = {raw["id"] for raw, _ in wrong} - by_c(tmp_path / "wrong.json", [raw for raw, _ in wrong])
    assert not unnoticed, [(raw["id"], path) for raw, path in wrong if raw["id"] in unnoticed]


def test_c_finds_all_of_them_right():
    done = subprocess.run([VECTOR_CHECK, *FILES], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("\nok ") + done.stdout.startswith("ok ") == len(FILES)


# ------------------------------------------------------------------------ food for the fuzzers

def test_the_fuzz_targets_survive_the_vectors(tmp_path):
    seeds.write(tmp_path)
    targets = {p.name: p for room in ("gsakmp", "policy-tokens") for p in (BUILD / room / "fuzz").glob("fuzz_*")
               if p.suffix == ""}
    fed = sorted(p.name for p in tmp_path.iterdir())
    assert {"fuzz_message", "fuzz_token", "fuzz_policy", "fuzz_verify", "fuzz_nonce"} <= set(fed) <= set(targets)
    for name in fed:
        done = subprocess.run([targets[name], *(tmp_path / name).iterdir()], capture_output=True, check=False)
        assert done.returncode == 0, (name, done.stderr[-500:])
