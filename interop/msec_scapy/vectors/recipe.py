# SPDX-License-Identifier: BSD-2-Clause
"""How the makers of vectors write one down."""
from ..dialect import Dialect
from . import store
from .compute import OUTPUT


class Book:
    """The vectors of one file."""
    VECTOR, OUTPUT, DIALECT = store.Vector, OUTPUT, Dialect  # of another protocol: a subclass

    def __init__(self, name, about):
        self.name, self.about, self.vectors = name, about, []

    def add(self, kind, label, about, req, given, dialect=None, shows=(), out=None):
        """One vector; its outputs are computed unless they come along."""
        raw = {"id": f"{kind}/{label}", "kind": kind, "about": about,
               "req": [req] if isinstance(req, str) else list(req)}
        if shows:
            raw["shows"] = list(shows)
        if dialect:
            raw["dialect"] = dict(dialect)
        raw["in"] = store.plain(given)
        if out is None:
            v = self.VECTOR({**raw, "out": {}})
            out = self.OUTPUT[kind](v.given, v.dialect)
        raw["out"] = store.plain(out)
        self.vectors.append(raw)
        return raw

    def readings(self, switch, kind, about, req, given, label=None, also=None):
        """One vector for each reading of a switch. `given` may be a function of the reading."""
        for value in self.DIALECT.choices()[switch]:
            inputs = given(value) if callable(given) else given
            dialect = {**(also or {}), switch: value}
            default = self.DIALECT.choices()[switch][0]
            self.add(kind, f"{label or switch}/{value}", f"{about}: {switch} {value}", req, inputs,
                     {k: v for k, v in dialect.items() if k != switch or v != default},
                     [f"{switch}={value}"])

    def text(self):
        return store.text(self.about, self.vectors)
