# SPDX-License-Identifier: BSD-2-Clause
"""Which tests name which rows, from the sources alone.

A test shows that a rule is followed, or that a breach of it is refused:

- Python: `@pytest.mark.req("RFC4535-7.8.2-02")` shows, `@pytest.mark.refuses(...)` refuses, and so does every entry of
  the misbehaviour catalogue;
- C: `GK_TEST(rfc4535_7_8_2_02, what_is_seen)` shows, and so does `GK_SHOWS("RFC4535-7-01", ...)` in it; other row ids in quotes in a test, or in a table or helper of the same
  file that the test uses, are refused; and a test whose name says that something is refused refuses its own row.

A file is read once in a process, as long as it stays as it is: several questions in a row cost little more than one.

The tests in interop/tests/unit look at the Python peers, which are no product: kind PEER.  A catalogue entry counts
for the products as soon as a system test sends the catalogue to them.
"""
import ast
import functools
import re
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
SHOWN, REFUSED, PEER = "shown", "refused", "peer"
ROW_ID = re.compile(r"RFC\d{4}-[0-9A-Z][0-9A-Z.]*-\d{2}")
C_TEST = re.compile(r"(GK_TEST|FIVE)\(\s*(\w+)\s*,\s*(\w+)\s*\)")
C_SHOWS = re.compile(r"\bGK_SHOWS\(([^)]*)\)")
C_ROW = re.compile(r"rfc(\d{4})_(\w+?)_(\d{2})$")
SAYS_REFUSED = re.compile(r"refus|reject")


@dataclass(frozen=True)
class Test:
    row: str
    kind: str  # SHOWN, REFUSED or PEER
    where: str  # the file, or "misbehave"
    name: str

    def __str__(self):
        return f"{self.where}::{self.name}"


# ---------------------------------------------------------------------- Python

def _names(func, marks):
    """Which of the marks that is: `pytest.mark.req`, or None."""
    last = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else None
    return last if last in marks and ast.unparse(func).rpartition("mark.")[2] == last else None


@functools.lru_cache(maxsize=None)
def _marks(text, where):
    """(mark, row id, name of the test): the outermost function or class that has it."""
    found = []

    def visit(node, owner):
        if owner is None and isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            owner = node.name
        mark = _names(node.func, ("req", "refuses")) if isinstance(node, ast.Call) else None
        for arg in node.args if mark else ():
            if isinstance(arg, ast.Constant) and isinstance(arg.value, str):
                found.append((mark, arg.value, owner or "module"))
        for inner in ast.iter_child_nodes(node):
            visit(inner, owner)
    visit(ast.parse(text, where), None)
    return found


def python_tests(top=TOP):
    """The marks in test files, and the catalogue."""
    catalogue = PEER
    for path in sorted((top / "interop" / "tests").rglob("test_*.py")):
        text, where = path.read_text(), str(path.relative_to(top))
        unit = "unit" in path.parts
        if not unit and "misbehave.CATALOGUE" in text:
            catalogue = REFUSED
        for mark, row, name in _marks(text, where):
            kind = PEER if unit else REFUSED if mark == "refuses" else SHOWN
            yield Test(row, kind, where, name)
    from msec_scapy import misbehave
    for entry in misbehave.CATALOGUE:
        for row in entry.rows:
            yield Test(row, catalogue, "misbehave", entry.name)


# --------------------------------------------------------------------------- C

def c_row(name):
    """RFC4535-7.8.2-02 for rfc4535_7_8_2_02, None for names that are no row."""
    m = C_ROW.match(name)
    if m is None:
        return None
    return f"RFC{m[1]}-{m[2].replace('_', '.').upper()}-{m[3]}"


def _plain(text):
    """Without comments, and with every #define as a thing of its own."""
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    text = re.sub(r"^#\s*define\s+(\w+)((?:.*\\\n)*.*)$",
                  lambda m: f"{m[1]} = {{ {m[2]} }};" if m[2].count("{") == m[2].count("}") else "", text, flags=re.M)
    text = re.sub(r"^#.*$", "", text, flags=re.M)
    return re.sub(r"^(FIVE\([^)]*\))", r"\1;", text, flags=re.M)


C_TOKEN = re.compile(r'''"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])'|[{};]''')


def _things(text):
    """The definitions at the top level of a C file, as text."""
    depth = start = 0
    for token in C_TOKEN.finditer(text):
        depth += token[0] == "{"
        depth -= token[0] == "}"
        end = token.end()
        if depth == 0 and (token[0] == ";" or token[0] == "}" and not re.match(r"\s*(;|=|\w+\s*[\[;=])", text[end:end + 80])):
            yield text[start:end]
            start = end


@dataclass
class _Thing:
    ids: list
    shows: list
    uses: set


def c_tests(top=TOP):
    for path in sorted(top.glob("*/**/tests/**/*.c")):
        where = str(path.relative_to(top))
        if not where.startswith("build"):
            yield from _c_tests(where, path.read_text())


@functools.lru_cache(maxsize=None)
def _c_tests(where, text):
    things, tests = {}, []
    for body in _things(_plain(text)):
        test = C_TEST.search(body)
        name = re.search(r"(\w+)\s*[(\[=]", body)
        shows = [row for call in C_SHOWS.findall(body) for row in ROW_ID.findall(call)]
        thing = _Thing(re.findall(f'"({ROW_ID.pattern})"', C_SHOWS.sub("", body)), shows, set(re.findall(r"\w+", body)))
        if test is not None:
            tests.append((*test.groups(), thing))
        elif name is not None:
            things[name[1]] = thing
    return [found for macro, row, what, thing in tests for found in _one_test(where, macro, row, what, thing, things)]


def _one_test(where, macro, named, what, thing, things):
    row, name = c_row(named), f"{named}__{what}"
    own = REFUSED if SAYS_REFUSED.search(what) and macro == "GK_TEST" else SHOWN
    if row is not None and (own != REFUSED or _is_checked_there(where, row)):
        yield Test(row, own, where, name)
    for i in thing.shows:
        yield Test(i, SHOWN, where, name)
    seen, todo, ids = set(), [thing], []
    while todo:
        t = todo.pop()
        ids += t.ids
        for use in sorted(t.uses & things.keys() - seen):
            seen.add(use)
            todo.append(things[use])
    if not named.startswith("rfc"):
        return
    if macro == "FIVE":
        return  # five tests of a codec, of no refusal in particular
    for i in dict.fromkeys(ids):
        if (i, REFUSED) != (row, own) and _is_checked_there(where, i):
            yield Test(i, REFUSED, where, name)


def _is_checked_there(where, row):
    """The room common/ refuses as a library does; which rule of a protocol that breaks is said, and checked, by those who
    call it.  Certificates are its own business."""
    return not where.startswith("common/") or row.startswith("RFC5280")


def checked(top=TOP):
    """The rows that some check of the products names."""
    ids = set()
    for room in ("common", "policy-tokens", "gsakmp", "gdoi"):
        for path in (top / room).rglob("*.[ch]"):
            if "tests" not in path.parts and "test" not in path.parts:
                ids.update(re.findall(f'"({ROW_ID.pattern})"', path.read_text()))
    return ids
