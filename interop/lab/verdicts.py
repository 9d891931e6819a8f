# SPDX-License-Identifier: BSD-2-Clause
"""What attacks on somebody else's implementation come to, rule by rule: for people, as JSON, as JUnit XML.

An attack has an outcome, and a rule the verdict that the outcomes of its attacks give it:

    answered   refused, and it said so: a notification, a negative acknowledgement, an end of the exchange
    silent     refused without a word: no answer in time, from a peer that answers what is right
    unproven   refused, and it was not seen that it serves who is right: it may refuse everything, or not be there
    taken      it went on as if nothing were wrong
    dead       after this one nothing right works any more
    unseen     it was sent, and what came of it cannot be seen from outside
    unsent     the exchange did not come so far
    untried    the words say why
    broken     of the peer's own messages: what it sent in a right exchange breaks the rule
"""
import argparse
import contextlib
import json
import math
import signal
import time
import xml.etree.ElementTree as xml
from pathlib import Path

from . import LabError

REFUSED = ("answered", "silent")
BROKEN = "broken"
SEEN = {"answered": "refused, with an answer", "silent": "refused, in silence", "unproven": "refused, as may be what is right",
        "taken": "NOT REFUSED",
        "dead": "NOTHING RIGHT WORKS AFTERWARDS", "unseen": "not seen", "unsent": "not sent", "untried": "not tried"}
WORDS = {**SEEN, BROKEN: "BROKEN BY WHAT IT SENT"}
LINES = 8  # of what was seen in an exchange
FORMS = (".json", ".xml")


def outcome(t: dict) -> str:
    """Of what a far attack told: the booleans that it has go into one word."""
    if not t.get("tried", True):
        return "untried"
    if t.get("alive") is False:
        return "dead"
    if t["refused"] is None:
        return "unseen" if t["sent"] else "unsent"
    if not t["refused"]:
        return "taken"
    if not t.get("proved", True):
        return "unproven"
    return "answered" if t.get("answered") else "silent"


def verdict(outcomes: list) -> str:
    if any(o in ("taken", "dead", BROKEN) for o in outcomes):
        return "fail"
    if any(o in REFUSED for o in outcomes):
        return "pass"
    return "untried" if all(o == "untried" for o in outcomes) else "inconclusive"


def brief(lines) -> list:
    """What was seen, each line once with how often it was; somebody who floods us is told of in a few."""
    times = {}
    for text in lines:
        times[text] = times.get(text, 0) + 1
    out = [text + (f" ({n} times)" if n > 1 else "") for text, n in times.items()]
    return out if len(out) <= LINES else [*out[:LINES], f"and {sum(list(times.values())[LINES:])} more of the kind"]


class Report:
    """`add` what each attack told; `right` is how a right exchange went, before anything wrong: (it succeeded, what was seen,
    the rule that we found broken in it, or ''). `ended`: why the run came to an end before its time, or ''."""

    def __init__(self, peer: str):
        self.peer, self.told, self.began = peer, [], time.time()
        self.right, self.seen, self.broken, self.ended = None, [], "", ""

    @contextlib.contextmanager
    def written(self, files: list):
        """However the run ends, its report is written; who reads only that is told when it is not the whole. A build server that
        has waited long enough sends SIGTERM."""
        def stop(*_):
            raise LabError("it was told to stop")
        before = signal.signal(signal.SIGTERM, stop)
        try:
            yield
        except (Exception, KeyboardInterrupt) as e:
            if self.right is not False:  # which says enough
                self.ended = str(e) or "it was interrupted"
            raise
        finally:
            signal.signal(signal.SIGTERM, before)
            self.write(files)

    def add(self, t: dict) -> None:
        sent = [o.hex() if isinstance(o, bytes) else o for o in t["sent"]]
        self.told.append({**t, "sent": sent, "outcome": outcome(t)})

    def prove(self, good: bool) -> None:
        """Of a right exchange behind all that had none of its own: what was refused before it was, or was not, refused by
        somebody who takes what is right."""
        for t in self.told:
            if t["refused"] and t["alive"] is None:
                t["proved"], t["alive"] = good, good or None
                t["outcome"] = outcome(t)

    def rights(self, good: bool, seen: list, broken: str = "") -> None:
        self.right, self.seen, self.broken = good, list(seen), broken

    def rows(self) -> dict:
        from requirements import ledger
        known, out = ledger.load(), {}
        for t in self.told:
            for row in t["rows"]:
                out.setdefault(row, []).append({"name": t["name"], "outcome": t["outcome"], "text": t["text"], "seen": list(t["seen"])})
        if self.broken:
            out.setdefault(self.broken, []).append({"name": "right exchange", "outcome": BROKEN, "seen": self.seen,
                                                    "text": "what it sent in a right exchange breaks this"})
        return {row: {"level": known[row].level if row in known else "", "requirement": known[row].requirement if row in known else "",
                      "verdict": verdict([a["outcome"] for a in attacks]), "attacks": attacks} for row, attacks in sorted(out.items())}

    def as_dict(self) -> dict:
        rows = self.rows()
        count = lambda words, values: {w: sum(v == w for v in values) for w in words}
        return {"peer": self.peer, "began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.began)),
                "right": {"succeeded": self.right, "seen": self.seen, "breaks": self.broken}, "ended": self.ended,
                "verdicts": count(("pass", "fail", "inconclusive", "untried"), [r["verdict"] for r in rows.values()]),
                "outcomes": count(SEEN, [t["outcome"] for t in self.told]), "rows": rows, "attacks": self.told}

    def as_junit(self) -> bytes:
        """A suite for each document, a case for each rule; what could not be judged is skipped, and says why."""
        rows, root = self.rows(), xml.Element("testsuites", name=_clean(self.peer))
        self._right(root)
        for doc in sorted({row[:7] for row in rows}):
            suite = xml.SubElement(root, "testsuite", name=doc)
            for row, r in ((row, r) for row, r in rows.items() if row.startswith(doc)):
                case = xml.SubElement(suite, "testcase", classname=f"{doc}.{row[8:].rpartition('-')[0]}", name=f"{row} {r['requirement']}")
                text = "\n".join(f"{a['name']}: {WORDS[a['outcome']]}: {a['text']}" + "".join(f"\n    {s}" for s in a["seen"])
                                 for a in r["attacks"])
                if r["verdict"] == "pass":
                    xml.SubElement(case, "system-out").text = _clean(text)
                else:
                    said = ", ".join(f"{a['name']}: {WORDS[a['outcome']]}" for a in r["attacks"])
                    _said(case, "failure" if r["verdict"] == "fail" else "skipped", r["verdict"], f"{r['verdict']}: {said}", text)
        for suite in root:
            suite.set("timestamp", time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self.began)))
            for case in suite:
                case.set("time", "0")  # of a rule, which several attacks may break, there is none
            _count(suite, [suite])
        _count(root, list(root))
        root.set("time", f"{time.time() - self.began:.3f}")
        xml.indent(root)
        return xml.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"

    def _right(self, root) -> None:
        """What a build server has to see before any rule: whether there was somebody to ask, and whether all was asked."""
        suite = xml.SubElement(root, "testsuite", name="right exchange")
        case = xml.SubElement(suite, "testcase", classname="right exchange", name="a right exchange succeeds")
        if self.right is False:
            _said(case, "failure", "right exchange", "a right exchange does not succeed: " + "; ".join(self.seen), "\n".join(self.seen))
        elif self.right is None:
            _said(case, "skipped", "untried", "none was tried by itself")
        if self.ended:
            case = xml.SubElement(suite, "testcase", classname="right exchange", name="the run comes to its end")
            _said(case, "error", "ended", f"it ended before its time: {self.ended}")

    def write(self, paths) -> None:
        for path in paths:
            path.write_bytes(self.as_junit() if path.suffix == ".xml" else json.dumps(self.as_dict(), indent=1).encode() + b"\n")

    def summary(self, why: str = "each says why"):
        """For people, after the lines of the attacks; `why` some were not tried."""
        d = self.as_dict()
        parts = [f"{n} {SEEN[w]}" for w, n in d["outcomes"].items() if n and w != "untried"]
        left = d["outcomes"]["untried"]
        yield f"\n{len(self.told)} attacks: {', '.join(parts) or 'none'}" + (f"; {left} not tried: {why}." if left else ".")
        yield f"{len(d['rows'])} rules: {', '.join(f'{n} {w}' for w, n in d['verdicts'].items() if n)}."
        for row, r in d["rows"].items():
            if r["verdict"] == "fail":
                yield f"  fail {row} {r['level']}: {r['requirement']}"
        if self.right and d["outcomes"]["silent"]:
            yield "Silence counts as a refusal because what is right was answered before it and after it."

    @property
    def good(self) -> bool:
        return self.right is not False and all(t["outcome"] not in ("taken", "dead") for t in self.told)


def line(t: dict) -> str:
    return f"{t['name']:32} {t['req']:22} {SEEN[outcome(t)]}"


def paths(given: list) -> list:
    """Those of --report; LabError before an hour of attacks ends in a file that cannot be."""
    for p in given:
        if p.suffix not in FORMS:
            raise LabError(f"--report {p}: the name ends in .json, or in .xml for JUnit")
        if not p.parent.is_dir():
            raise LabError(f"--report {p}: there is no directory {p.parent}")
    return given


def seconds(text: str) -> float:
    """Of an option: with no time at all, or without an end, everybody is silent, or dead."""
    value = float(text)
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text} is no time: more than 0 seconds")
    return value


def option(p) -> None:
    p.add_argument("--report", metavar="FILE", type=Path, action="append", default=[],
                   help="write the verdict on each rule: FILE.json, FILE.xml (JUnit); may be repeated")


def place(text: str) -> None:
    """LabError for an ADDRESS:PORT that can be none."""
    port = text.rpartition("]")[2].rpartition(":")[2] if text.count(":") == 1 or "]:" in text else "1"
    if not (port.isdecimal() and 0 < int(port) < 65536):
        raise LabError(f"{text}: a port is a number from 1 to 65535")


def _clean(text: str) -> str:
    """What XML can carry: a peer's words may have anything in them."""
    return "".join(c if c in "\n\t" or 0x20 <= ord(c) < 0xd800 or 0xe000 <= ord(c) < 0xfffe else "?" for c in text)


def _said(case, kind: str, word: str, message: str, text: str = "") -> None:
    xml.SubElement(case, kind, type=word, message=_clean(message)).text = _clean(text) or None


def _count(element, suites: list) -> None:
    """The numbers of a suite, or of all of them."""
    of = lambda path: str(sum(len(s.findall(path)) for s in suites))
    for name, path in (("tests", "testcase"), ("failures", "testcase/failure"), ("errors", "testcase/error"),
                       ("skipped", "testcase/skipped")):
        element.set(name, of(path))
