# SPDX-License-Identifier: BSD-2-Clause
"""What a change of an RFC touches: ./lab ledger --trace RFC4535-7.9 | RFC4535-7.9.2-03 | Invalid-Version ...

For a section or a row: its rules with their tests, where they are checked in C and looked at in Python, the attacks that
break them, the vectors about them, the choices that the text leaves there.  For words (a payload, a field, a notification):
the rules that have them, and where they stand, spelled as texts, C and Python do.
"""
import json
import re
from dataclasses import dataclass
from pathlib import Path

from . import collect, ledger

TOP = collect.TOP
SECTION = re.compile(r"RFC(\d{4})(?:-([0-9A-Z][0-9A-Z.]*?))?(-\d{2})?")
PLACES = (  # what it is, which files; the first that fits
    ("choices", ("common/doc/choices*.md",)),
    ("tests in C", ("*/tests/**/*.[ch]", "*/*/tests/**/*.[ch]")),
    ("fuzz targets", ("*/fuzz/**/*.[ch]", "*/*/fuzz/**/*.[ch]")),
    ("C", ("common/**/*.[ch]", "policy-tokens/**/*.[ch]", "gsakmp/**/*.[ch]", "gdoi/**/*.[ch]")),
    ("schemas", ("*/**/*.xsd",)),
    ("manual pages", ("*/man/*.[0-9]",)),
    ("tests in Python", ("interop/tests/**/*.py",)),
    ("attacks", ("interop/msec_scapy/wrong/*.py", "interop/msec_scapy/gdoi/wrong/*.py")),
    ("generator of vectors", ("interop/msec_scapy/vectors/*.py", "interop/msec_scapy/gdoi/vectors/*.py")),
    ("second implementation", ("interop/msec_scapy/**/*.py",)),
    ("dissectors", ("interop/wireshark/*.lua",)),
)


@dataclass(frozen=True)
class Found:
    kind: str
    where: str  # file:line, or file: id
    text: str


def _files():
    """(what it is, path), each file once; nothing that a build has made."""
    seen = set()
    for kind, patterns in PLACES:
        for pattern in patterns:
            for path in sorted(TOP.glob(pattern)):
                top = path.relative_to(TOP).parts[0]
                if path not in seen and not top.startswith((".", "build")):
                    seen.add(path)
                    yield kind, path


def _spellings(word: str):
    """Invalid-Version is INVALID_VERSION in C, and 'invalid version' in a sentence."""
    parts = [re.escape(p) for p in re.split(r"[-_ ]+", word) if p]
    return re.compile(r"(?<![A-Za-z0-9])" + r"[-_ ]?".join(parts) + r"(?![a-z0-9])", re.I)


def _lines(matches):
    for kind, path in _files():
        for number, text in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if matches(kind, text):
                yield Found(kind, f"{path.relative_to(TOP)}:{number}", text.strip())


def _vectors(matches):
    for path in sorted((TOP / "interop/vectors").rglob("*.json")):
        document = json.loads(path.read_text())
        for v in document.get("vectors", ()) if isinstance(document, dict) else ():
            if isinstance(v, dict) and "id" in v and matches(v):
                yield Found("vectors", f"{path.relative_to(TOP)}: {v['id']}", v.get("about", ""))


def _cited(text: str, doc: str, section: str) -> bool:
    """Whether a line of the register speaks of that section, as `4535 7.8.1, 5.3`."""
    for cited, rest in re.findall(r"\b(?:RFC )?(\d{4})((?:[ ,]+(?:and )?(?:section )?[0-9A-Z]+(?:\.[0-9]+)*)+)", text):
        if cited == doc and any(ledger.within(s, section) for s in re.findall(r"[0-9A-Z]+(?:\.[0-9]+)*", rest)):
            return True
    return False


def rows_of(query: str, rows: dict) -> list:
    m = SECTION.fullmatch(query)
    if m is None:
        word = _spellings(query)
        return [r for r in rows.values() if word.search(" ".join((r.requirement, r.positive, r.negative)))]
    if m[3]:
        return [rows[query]] if query in rows else []
    return [r for r in rows.values() if r.doc == f"RFC{m[1]}" and ledger.within(r.section, m[2] or "")]


def trace(query: str, rows: dict) -> tuple:
    """(rows with their tests, what else was found)"""
    mine, m = rows_of(query, rows), SECTION.fullmatch(query)
    if m is None:
        word = _spellings(query)
        return mine, [*_lines(lambda kind, text: word.search(text)),
                      *_vectors(lambda v: word.search(json.dumps([v["id"], v.get("about", ""), v.get("shows", "")])))]
    ids = {r.id for r in mine}
    section = m[2] or ""
    named = lambda text: any(i in ids for i in collect.ROW_ID.findall(text)) or any(
        f'"{i[8:]}"' in text for i in ids if i.startswith("RFC4535"))
    return mine, [*_lines(lambda kind, text: _cited(text, m[1], section) if kind == "choices" else
                          not kind.startswith("tests") and named(text)),
                  *_vectors(lambda v: ids & set(v.get("req", ())))]


def show(queries: list, as_json: bool) -> int:
    """Print it; 1 when there is nothing."""
    rows, lost = ledger.read()
    told, nothing = [], 0
    for query in queries:
        mine, found = trace(query, rows)
        told.append({"query": query, "rows": [ledger.as_dict(r) for r in mine], "found": [vars(f) for f in found]})
        nothing += not mine and not found
        if not as_json:
            _print(query, mine, found)
    if as_json:
        print(json.dumps(told, indent=1))
    return 1 if nothing else 0


def _print(query: str, mine: list, found: list) -> None:
    print(f"{query}: {len(mine)} rules, {len(found)} other places\n")
    for text in ledger.details(mine):
        print(text)
    for kind in ("vectors", *(k for k, _ in PLACES)):
        here = [f for f in found if f.kind == kind]
        if here:
            print(f"\n{kind} ({len(here)}):")
        for f in here:
            print(f"  {f.where}  {f.text[:100]}".rstrip())
    print()
