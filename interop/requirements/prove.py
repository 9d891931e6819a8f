# SPDX-License-Identifier: BSD-2-Clause
"""Is a negative test worth anything?  It is when it fails as soon as the check it guards is gone.

`./lab ledger --prove` builds everything once more with `--enable-check-switches`, runs the negative tests as they are
(they have to pass), and then, row by row, with the row's check switched off (they have to fail):

    proved      every negative test of the row fails without the check
    worthless   a test passes without the check: it is refused by another one first, or names the wrong row
    no check    no check of the products names the row
    broken      a test fails, or is not found, with every check in place
    fixed       its tests pass, and the ledger says why their check cannot be switched off
"""
import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path

from . import collect, ledger

PROVED, WORTHLESS, NO_CHECK, BROKEN, FIXED = "proved", "worthless", "no check", "broken", "fixed"


@dataclass
class Verdict:
    row: str
    state: str
    tests: list = field(default_factory=list)  # those that the state is about


# ------------------------------------------------------------- running the tests

def _run(cmd, off, build, timeout=600, **env):
    """Completed process of a command in a sandbox of its own, with the checks of the rows `off` switched off."""
    full = [sys.executable, "-m", "lab", "sandbox", "--", *map(str, cmd)]
    return subprocess.run(full, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=timeout,
                          env=dict(os.environ, MSEC_CHECK_OFF=off, MSEC_LAB_BUILD=build.name, **env))


def read_tap(text):
    """{name of a C test: did it pass?}"""
    found = re.findall(r"^(not )?ok \d+ - (\S+)", text, re.M)
    return {name: not bad for bad, name in found}


C_LOOP = """for pair in {pairs}; do
	GK_TEST_ONLY="${{pair##*:}}" timeout 120 "./${{pair%%:*}}" 2>&1 </dev/null
	echo "end $pair $?"
done"""


def run_c(tests, off, build):
    """{test: did it pass?} of C tests; one that crashes has failed."""
    program = {t: Path(t.where).with_suffix("") for t in tests}
    there = [t for t in tests if (build / program[t]).exists()]
    script = C_LOOP.format(pairs=" ".join(shlex.quote(f"{program[t]}:{t.name}") for t in there))
    r = _run(["sh", "-c", f"cd {shlex.quote(str(build))} && {script}"], off, build, 3000, CMOCKA_MESSAGE_OUTPUT="TAP",
             top_srcdir=str(collect.TOP), top_builddir=str(build))
    out = dict.fromkeys(tests, None)
    for t, said in zip(there, re.split(r"^end .*\n", r.stdout, flags=re.M)):
        out[t] = read_tap(said).get(t.name, False)
    return out


C_ALL = """for program in {programs}; do
	timeout 600 "./$program" 2>&1 </dev/null
	echo "end $program $?"
done"""


def run_c_programs(tests, build):
    """As run_c(), with every check in place: each program once, and again for what a crash may have kept from being seen."""
    program = {t: str(Path(t.where).with_suffix("")) for t in tests}
    there = sorted({p for p in program.values() if (build / p).exists()})
    script = C_ALL.format(programs=" ".join(map(shlex.quote, there)))
    r = _run(["sh", "-c", f"cd {shlex.quote(str(build))} && {script}"], "", build, 3000, CMOCKA_MESSAGE_OUTPUT="TAP",
             top_srcdir=str(collect.TOP), top_builddir=str(build))
    said = {p: read_tap(text) for p, text in zip(there, re.split(r"^end .*\n", r.stdout, flags=re.M))}
    out = {t: said.get(program[t], {}).get(t.name) for t in tests}
    missing = [t for t in tests if out[t] is None]
    return {**out, **(run_c(missing, "", build) if missing else {})}


def files_of(tests):
    """The test files that hold some tests of the ledger; the catalogue is sent by those that name it."""
    files = {collect.TOP / t.where for t in tests if t.where != "misbehave"}
    if any(t.where == "misbehave" for t in tests):
        files.update(p for p in (collect.TOP / "interop" / "tests").glob("test_*.py") if "misbehave.CATALOGUE" in p.read_text())
    return sorted(files)


def run_python(tests, row, off, build, workers=0):
    """{name of a pytest case: did it pass?} of everything beside these tests that claims to break the row ("all": any)."""
    report = build / "prove" / f"{row}-{'off' if off else 'on'}.xml"
    report.parent.mkdir(exist_ok=True)
    report.unlink(missing_ok=True)
    interop = collect.TOP / "interop"
    r = _run([sys.executable, "-m", "pytest", "-c", interop / "pytest.ini", "--rootdir", interop, "-q",
              "-o", f"cache_dir={build / 'pytest-cache'}", f"--basetemp={build / 'prove' / f'{row}.tmp'}",
              f"--junitxml={report}", *([f"-n{workers}", "--dist=loadgroup"] if workers else []),
              "--long", f"--breaks={row}", *files_of(tests)], off, build, 3000)
    if not report.exists():
        raise RuntimeError(f"pytest for {row} says nothing:\n{r.stdout[-2000:]}{r.stderr[-2000:]}")
    return read_junit(report)


def read_junit(report):
    out = {}
    for case in ET.parse(report).iter("testcase"):
        kinds = {e.tag for e in case}
        name = re.sub(r"@[^\[\]]*$", "", case.get("name"))  # the group of loadgroup, which is no part of it
        out[name] = None if "skipped" in kinds else not kinds & {"failure", "error"}
    return out


def of_python(test, results):
    """The results of a row's pytest cases that belong to one test of the ledger."""
    if test.where == "misbehave":
        return {k: v for k, v in results.items() if re.search(rf"[\[-]{re.escape(test.name)}[\]-]", k)}
    return {k: v for k, v in results.items() if k.split("[")[0] == test.name}


# ------------------------------------------------------------------- one row

def is_c(test):
    return test.where.endswith(".c")


def passes(tests, row, off, build):
    """{test of the ledger: True, False, or None when it cannot be found or was skipped}"""
    out = {}
    in_c = [t for t in tests if is_c(t)]
    if in_c:
        out.update(run_c(in_c, off, build))
    others = [t for t in tests if not is_c(t)]
    if others:
        results = run_python(others, row, off, build)
        for t in others:
            mine = [v for v in of_python(t, results).values() if v is not None]
            out[t] = any(mine) if mine else None  # one case that still passes is one too many
    return out


def prove_row(row, baseline, build, checked):
    tests = row.refused
    broken = [t for t in tests if not baseline.get(t)]
    if broken:
        return Verdict(row.id, BROKEN, broken)
    if row.fixed:
        return Verdict(row.id, FIXED, tests)
    if row.id not in checked:
        return Verdict(row.id, NO_CHECK, tests)
    without = passes(tests, row.id, row.id, build)
    still = [t for t in tests if without[t]]
    return Verdict(row.id, WORTHLESS, still) if still else Verdict(row.id, PROVED, tests)


def run_baseline(rows, build):
    """Every negative test with every check in place."""
    tests = list(dict.fromkeys(t for r in rows for t in r.refused))
    in_c = {(t.where, t.name): t for t in tests if is_c(t)}
    others = [t for t in tests if not is_c(t)]
    with concurrent.futures.ThreadPoolExecutor() as pool:  # both at once: those in Python mostly wait
        c = pool.submit(run_c_programs, list(in_c.values()), build)
        python = pool.submit(run_python, others, ",".join(sorted({t.row for t in others})) if len(rows) < 20 else "all",
                             "", build, 2 * (os.cpu_count() or 1)) if others else None
        out = {t: c.result()[in_c[t.where, t.name]] for t in tests if is_c(t)}
        results = python.result() if others else {}
    for t in others:
        mine = [v for v in of_python(t, results).values() if v is not None]
        out[t] = all(mine) if mine else None
    return out


def sweep(rows, build, say=print):
    """[Verdict] of rows, at the same time on all cores."""
    start, verdicts = time.monotonic(), []
    say(f"lab: {sum(len(r.refused) for r in rows)} negative tests of {len(rows)} rows, all checks in place ...")
    baseline, checked = run_baseline(rows, build), collect.checked()
    say(f"lab: that took {time.monotonic() - start:.0f} s; now without their checks")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        jobs = [pool.submit(prove_row, row, baseline, build, checked) for row in rows]
        for n, job in enumerate(concurrent.futures.as_completed(jobs), 1):
            v = job.result()
            verdicts.append(v)
            say(f"[{n:3}/{len(rows)}] {v.row:22} {v.state:9} " + (f"{len(v.tests)} tests fail without it" if v.state == PROVED
                                                                   else " ".join(map(str, v.tests))))
    return sorted(verdicts, key=lambda v: v.row)


def choose(names, rows):
    """(rows that the names stand for, names of nothing): a row, a document with all of its rows, or nothing for all."""
    swept = [r for r in rows.values() if r.refused]
    docs = {r.doc for r in rows.values()}
    if not names:
        return swept, []
    chosen = [r for n in names for r in ([r for r in swept if r.doc == n] if n in docs else [rows[n]] if n in rows else [])]
    return list({r.id: r for r in chosen}.values()), [n for n in names if n not in docs and n not in rows]


def totals(verdicts):
    """What a sweep says of each document."""
    for doc in sorted({v.row[:7] for v in verdicts}):
        states = [v.state for v in verdicts if v.row[:7] == doc]
        fixed = f", {states.count(FIXED)} whose check cannot be switched off" if FIXED in states else ""
        yield f"{doc}: {states.count(PROVED)} of {len(states)} proved{fixed}"


def main(names, build, as_json=False):
    """Prove rows (see choose()); the exit status."""
    rows, _ = ledger.read()
    chosen, unknown = choose(names, rows)
    if unknown:
        print(f"lab: no such row: {' '.join(unknown)}", file=sys.stderr)
        return 1
    bare = [r.id for r in chosen if not r.refused]
    for name in bare:
        print(f"lab: {name} has no negative test", file=sys.stderr)
    verdicts = sweep([r for r in chosen if r.refused], build,
                     (lambda text: print(text, file=sys.stderr, flush=True)) if as_json else lambda text: print(text, flush=True))
    bad = [v for v in verdicts if v.state not in (PROVED, FIXED)]
    if as_json:
        print(json.dumps([{"row": v.row, "state": v.state, "tests": [str(t) for t in v.tests]} for v in verdicts], indent=1))
    else:
        for state in (WORTHLESS, NO_CHECK, BROKEN):
            for v in bad:
                if v.state == state:
                    print(f"{state}: {v.row}: " + ", ".join(map(str, v.tests)))
        for v in verdicts:
            if v.state == FIXED:
                print(f"{v.row}: {rows[v.row].fixed}")
        print("\n".join(totals(verdicts)))
        proved = sum(v.state == PROVED for v in verdicts)
        print(f"{proved} rows proved, {len(bad)} not, {len(verdicts) - len(bad) - proved} tested without a switch")
    return 1 if bad or bare else 0
