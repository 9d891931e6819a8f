# SPDX-License-Identifier: BSD-2-Clause
"""The files of interop/vectors/gdoi."""
from ...vectors import recipe, store
from ..dialect import Dialect
from . import compute, kinds

FOLDER = store.FOLDER / "gdoi"


class Vector(store.Vector):
    KINDS, DIALECT = kinds.KINDS, Dialect


class Book(recipe.Book):
    VECTOR, OUTPUT, DIALECT = Vector, compute.OUTPUT, Dialect


def check(raw):
    """Nothing, or AssertionError: every output is computed again from the inputs."""
    v = Vector(raw)
    computed = store.plain(compute.OUTPUT[v.kind](v.given, v.dialect))
    if raw["kind"] == "verdict":  # a vector may leave out which rule, and which field
        computed = {k: c for k, c in computed.items() if k in raw["out"]}
    assert computed == raw["out"], f"{raw['id']}: {_first(computed, raw['out'])}"


def _first(got, want):
    names = sorted(set(got) | set(want))
    return next(f"{k}: {got.get(k)!r:.200} is not {want.get(k)!r:.200}" for k in names if got.get(k) != want.get(k))
