# SPDX-License-Identifier: BSD-2-Clause
"""The clause ledger: which rule of which RFC is shown by which test.

    ./lab ledger [--doc RFC4535] [--section 7.5] [--rows] [--missing] [--json]

Rows are in rfcNNNN.csv beside this file; collect.py says how tests name them.

Every MUST and MUST NOT owes two tests: one that shows it followed, and one that
shows a breach refused.  Where one of them cannot exist the column `untested`
says why: `positive: ...`, `negative: ...` (both with a semicolon in between),
or a text without such a word, which speaks for both.

A third word there, `proof: tested, cannot be switched off: FILE: FUNCTION: ...`,
is for a row that has its negative test while the check that refuses is one
that no build can do without, because memory safety hangs on it: prove.py then
runs the test, counts the row on its own, and does not try.  Nothing else may
use it, and the text names the function that holds the check.

Exit status: 0; 1 if a test names a row that does not exist, or a row owes.
"""
import argparse
import csv
import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from . import collect

HERE = Path(__file__).resolve().parent
MUST = ("MUST", "MUST NOT")
SIDES = {"positive": "shown", "negative": "refused"}
PROOF = "proof"
FIXED = re.compile(r"tested, cannot be switched off: ([\w/.-]+\.[ch]): (\w+): (.{30,})")


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
    def reasons(self):
        """{side: why there is no test of it}, and perhaps {PROOF: why its check stays}"""
        parts = re.split(r"(?:^|;\s*)(positive|negative|proof):\s*", self.untested)
        if len(parts) == 1:
            return dict.fromkeys(SIDES, self.untested) if self.untested else {}
        return dict(zip(parts[1::2], parts[2::2]))

    @property
    def fixed(self):
        """Why the check of its negative tests cannot be switched off; None for a row where it can."""
        return self.reasons.get(PROOF)

    @property
    def owes(self):
        """The sides that have neither a test nor a reason."""
        if self.level not in MUST:
            return []
        return [side for side, tests in SIDES.items()
                if not getattr(self, tests) and side not in self.reasons]


def within(section, prefix):
    return not prefix or section == prefix or section.startswith(prefix + ".")


def load(directory=HERE):
    """{row id: Row} of every csv file; ValueError for a row that is malformed."""
    rows = {}
    for path in sorted(Path(directory).glob("rfc*.csv")):
        with path.open(newline="") as f:
            for number, record in enumerate(csv.DictReader(f), 2):
                row = Row(**record)
                where = f"{path}:{number}: {row.id}"
                if not collect.ROW_ID.fullmatch(row.id) or row.id[3:7] != path.stem[3:]:
                    raise ValueError(f"{where} is no row id of this file")
                if row.id in rows:
                    raise ValueError(f"{where} occurs twice")
                if not all(row.reasons.values()):
                    raise ValueError(f"{where} gives an empty reason")
                if row.fixed and not FIXED.fullmatch(row.fixed):
                    raise ValueError(f"{where} does not say which check cannot be switched off, and why")
                rows[row.id] = row
    return rows


def enter(rows, tests):
    """Put the tests into the rows; the tests that name no row."""
    lost, kept = [], {row.doc for row in rows.values()}
    for test in tests:
        if test.row not in rows:
            if test.row[:7] in kept:  # tests may name rows of documents that have no ledger yet
                lost.append(test)
            continue
        into = getattr(rows[test.row], test.kind)
        if test not in into:
            into.append(test)
    return lost


def without_rows(rows, tests, named):
    """{document: ids that stand for something of it in a refusal or at a test, and are in no ledger}"""
    kept, out = {row.doc for row in rows.values()}, {}
    for i in sorted({t.row for t in tests} | set(named)):
        if i[:7] not in kept:
            out.setdefault(i[:7], set()).add(i)
    return out


def read():
    """(rows with their tests, tests that name no row)"""
    rows = load()
    return rows, enter(rows, [*collect.python_tests(), *collect.c_tests()])


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
        numbers = [len(group), sum(r.level in MUST for r in group), sum(bool(r.shown) for r in group),
                   sum(bool(r.refused) for r in group), sum(bool(r.peer) for r in group),
                   sum(bool(r.untested) for r in group), sum(bool(r.owes) for r in group)]
        total = [a + b for a, b in zip(total, numbers)]
        yield line(f"{doc} {section}", numbers)
    yield line("all", total)


def line(name, n):
    return f"{name:22} {n[0]:4} {n[1]:4} {n[2]:5} {n[3]:7} {n[4]:5} {n[5]:6} {n[6]:4}"


def state(row):
    if row.owes:
        return "open"
    return "tested" if row.shown or row.refused else "reason" if row.untested else "-"


def details(rows):
    for row in rows:
        yield f"{row.id:22} {row.level:8} {state(row):7} {row.requirement}"
        for word, tests in (("shows", row.shown), ("refuses", row.refused), ("(peer)", row.peer)):
            for test in tests:
                yield f"{'':24}{word:7} {test}"
        for side, why in row.reasons.items():
            yield f"{'':24}{why}" if side == PROOF else f"{'':24}no {side} test: {why}"
        for side in row.owes:
            yield f"{'':24}owes a {side} test: {getattr(row, side) or 'the table suggests none'}"


def as_dict(row):
    return {"id": row.id, "level": row.level, "role": row.role, "layer": row.layer, "seen": row.seen,
            "requirement": row.requirement, "state": state(row), "owes": row.owes, "reasons": row.reasons,
            "shown": [str(t) for t in row.shown], "refused": [str(t) for t in row.refused],
            "peer": [str(t) for t in row.peer]}


def arguments(p):
    p.add_argument("--doc", help="only this document, e.g. RFC4535")
    p.add_argument("--section", help="only this section and those below it")
    p.add_argument("--rows", action="store_true", help="every row with its tests")
    p.add_argument("--missing", action="store_true", help="only the rows that owe a test")
    p.add_argument("--json", action="store_true", help="the rows as a JSON list")
    p.add_argument("--trace", nargs="+", metavar="WHAT", help="everything that a change of this touches: a row, a section "
                   "(RFC4535-7.9), or a word of the document (Invalid-Version)")
    return p


def show(a):
    """Print what the options ask for; the exit status."""
    if a.trace:
        from . import trace
        return trace.show(a.trace, a.json)
    tests = [*collect.python_tests(), *collect.c_tests()]
    rows = load()
    lost = enter(rows, tests)
    chosen = [r for r in rows.values() if a.doc in (None, r.doc)
              and (a.section is None or within(r.section, a.section))]
    if not chosen:  # a typing error would be a table in which nothing is open
        where = f" in {a.doc}" if a.doc and a.section is not None else ""
        print(f"lab: no rows in {f'section {a.section}{where}' if a.section is not None else a.doc}; there are: "
              + " ".join(sorted({r.doc for r in rows.values()})), file=sys.stderr)
        return 1
    owing = [r for r in chosen if r.owes]
    listed = owing if a.missing else chosen
    if a.json:
        print(json.dumps([as_dict(r) for r in listed], indent=1))
    else:
        for text in details(listed) if a.missing or a.rows else table(listed):
            print(text)
    if not a.json and a.doc is None:
        for doc, ids in without_rows(rows, tests, collect.checked()).items():
            print(f"{doc} has no rows here, and is no part of the table: refusals and tests call parts of it {', '.join(sorted(ids))}")
    for test in lost:
        print(f"no such row: {test.row} in {test}", file=sys.stderr)
    return 1 if lost or owing else 0


def main(argv=None):
    return show(arguments(argparse.ArgumentParser(prog="./lab ledger", description=__doc__.split("\n", 1)[0]))
                .parse_args(argv))
