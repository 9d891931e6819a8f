#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The clause ledger: which rule of which RFC is shown by which test.

    interop/requirements/ledger.py [--doc RFC4535] [--section 7.5] [--rows] [--missing]

Rows are in rfcNNNN.csv beside this file. Tests are found in the sources:

- Python: `@pytest.mark.req("RFC4535-7.8.2-02")`, and the entries of the
  misbehaviour catalogue, each of which is a test of its own;
- C: `GK_TEST(rfc4535_7_8_2_02, what_is_seen)`, and quoted row ids inside a test
  (tables of refusals: negative tests).

The tests in interop/tests/unit look at the Python peers, which are no product:
they are counted (column `peer`) but meet no row. A catalogue entry counts for
the products as soon as a system test sends the catalogue to them.

Exit status: 0; 1 if a test names a row that does not exist, or a MUST row of
the sections under the ledger has neither a test nor a reason in the column
`untested`.
"""
import argparse
import ast
import csv
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
MUST = ("MUST", "MUST NOT")
# the part of each document that a release answers for; the rest is counted only
UNDER_LEDGER = {"RFC4535": ("5.2", "5.3", "6", "7"), "RFC4534": ("",), "RFC2627": ()}
ROW_ID = re.compile(r"RFC\d{4}-[0-9A-Z][0-9.]*-\d{2}")
C_TEST = re.compile(r"(?:GK_TEST|FIVE)\(\s*(\w+)\s*,\s*(\w+)\s*\)")
C_ROW = re.compile(r"rfc(\d{4})_(\w+?)_(\d{2})$")


@dataclass
class Row:
    id: str
    level: str
    role: str
    layer: str
    seen: str
    requirement: str
    positive: str
    negative: str
    note: str
    untested: str
    shown: list = field(default_factory=list)  # tests that name the row
    refused: list = field(default_factory=list)  # tests that break the rule
    peer: list = field(default_factory=list)  # tests of the Python peers

    @property
    def doc(self):
        return self.id[:7]

    @property
    def section(self):
        return self.id[8:].rsplit("-", 1)[0]

    @property
    def owed(self):
        """Has a release to answer for this row?"""
        return (self.level in MUST and self.seen != "not testable"
                and any(within(self.section, s) for s in UNDER_LEDGER.get(self.doc, ())))

    @property
    def met(self):
        return bool(self.shown or self.refused or self.untested)


def within(section, prefix):
    return not prefix or section == prefix or section.startswith(prefix + ".")


def load(directory=HERE):
    """{row id: Row} of every csv file; ValueError for a row that is malformed."""
    rows = {}
    for path in sorted(Path(directory).glob("rfc*.csv")):
        with path.open(newline="") as f:
            for number, record in enumerate(csv.DictReader(f), 2):
                row = Row(**record)
                if not ROW_ID.fullmatch(row.id) or row.id[3:7] != path.stem[3:]:
                    raise ValueError(f"{path}:{number}: {row.id} is no row id of this file")
                if row.id in rows:
                    raise ValueError(f"{path}:{number}: {row.id} occurs twice")
                rows[row.id] = row
    return rows


# ------------------------------------------------------------------ collecting

SHOWN, REFUSED, PEER = "shown", "refused", "peer"


def python_tests(top=TOP):
    """(row id, test, kind) of the marks in test files and of the catalogue."""
    catalogue = PEER
    for path in sorted((top / "interop" / "tests").rglob("test_*.py")):
        text = path.read_text()
        kind = PEER if "unit" in path.parts else SHOWN
        if kind == SHOWN and "misbehave.CATALOGUE" in text:
            catalogue = REFUSED
        tree = ast.parse(text, str(path))
        owner = {}
        for function in ast.walk(tree):
            if isinstance(function, (ast.FunctionDef, ast.ClassDef)):
                for inner in ast.walk(function):
                    owner.setdefault(inner, function.name)
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("mark.req"):
                name = f"{path.relative_to(top)}::{owner.get(call, 'module')}"
                for arg in call.args:
                    if isinstance(arg, ast.Constant) and isinstance(arg.value, str):
                        yield arg.value, name, kind
    sys.path.insert(0, str(top / "interop"))
    try:
        from msec_scapy import misbehave
    finally:
        sys.path.pop(0)
    for entry in misbehave.CATALOGUE:
        for row in entry.rows:
            yield row, f"misbehave::{entry.name}", catalogue


def c_row(name):
    """RFC4535-7.8.2-02 for rfc4535_7_8_2_02, None for names that are no row."""
    m = C_ROW.match(name)
    if m is None:
        return None
    return f"RFC{m[1]}-{m[2].replace('_', '.').upper()}-{m[3]}"


def c_tests(top=TOP):
    for path in sorted(top.glob("*/**/tests/**/*.c")):
        text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m[0].count("\n"), path.read_text(), flags=re.S)
        current = path.stem
        where = path.relative_to(top)
        for m in re.finditer(rf'{C_TEST.pattern}|"({ROW_ID.pattern})"', text):
            if m[1] is not None:
                current = f"{m[1]}__{m[2]}"
                row = c_row(m[1])
                if row is not None:
                    yield row, f"{where}::{current}", SHOWN
            else:
                yield m[3], f"{where}::{current}", REFUSED


def collect(rows, tests):
    """Put the tests into the rows; the tests that name no row."""
    lost, kept = [], {row.doc for row in rows.values()}
    for row_id, test, kind in tests:
        if row_id not in rows:
            if row_id[:7] in kept:  # tests may name rows of documents that have no ledger yet
                lost.append((row_id, test))
            continue
        into = getattr(rows[row_id], kind)
        if test not in into:
            into.append(test)
    return lost


# -------------------------------------------------------------------- printing

def by_section(rows):
    out = {}
    for row in rows:
        out.setdefault((row.doc, row.section), []).append(row)
    return out


def table(rows):
    yield (f"{'section':22} {'rows':>4} {'MUST':>4} {'shown':>5} {'refused':>7} {'peer':>5} "
           f"{'reason':>6} {'open':>4}")
    total = [0] * 7
    for (doc, section), group in by_section(rows).items():
        must = [r for r in group if r.level in MUST]
        numbers = [len(group), len(must), sum(bool(r.shown) for r in group),
                   sum(bool(r.refused) for r in group), sum(bool(r.peer) for r in group),
                   sum(bool(r.untested) for r in group), sum(r.owed and not r.met for r in group)]
        total = [a + b for a, b in zip(total, numbers)]
        yield line(f"{doc} {section}", numbers)
    yield line("all", total)


def line(name, n):
    return f"{name:22} {n[0]:4} {n[1]:4} {n[2]:5} {n[3]:7} {n[4]:5} {n[5]:6} {n[6]:4}"


def details(rows):
    for row in rows:
        state = "open" if row.owed and not row.met else "reason" if row.untested else \
            "tested" if row.met else "-"
        yield f"{row.id:22} {row.level:8} {state:7} {row.requirement}"
        for test in row.shown:
            yield f"{'':24}shows   {test}"
        for test in row.refused:
            yield f"{'':24}refuses {test}"
        for test in row.peer:
            yield f"{'':24}(peer)  {test}"
        if row.untested:
            yield f"{'':24}{row.untested}"


def main(argv=None):
    p = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    p.add_argument("--doc", help="only this document, e.g. RFC4535")
    p.add_argument("--section", help="only this section and those below it")
    p.add_argument("--rows", action="store_true", help="every row with its tests")
    p.add_argument("--missing", action="store_true", help="only the rows that are still open")
    a = p.parse_args(argv)
    rows = load()
    lost = collect(rows, [*python_tests(), *c_tests()])
    chosen = [r for r in rows.values() if a.doc in (None, r.doc)
              and (a.section is None or within(r.section, a.section))]
    still_open = [r for r in chosen if r.owed and not r.met]
    for text in (details(still_open) if a.missing else details(chosen) if a.rows
                 else table(chosen)):
        print(text)
    for row_id, test in lost:
        print(f"no such row: {row_id} in {test}", file=sys.stderr)
    return 1 if lost or still_open else 0


if __name__ == "__main__":
    sys.exit(main())
