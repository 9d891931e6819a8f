# SPDX-License-Identifier: BSD-2-Clause
"""Every test there is, C and Python, and one sum."""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from pathlib import Path

from . import BUILD, TOP, sandbox

LOGS = BUILD / "test"


class Count:
    """What a run came to.  An error (a crash, a missing plan) counts as failed: nothing is lost between the chairs."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.where = []  # (name of a failed test, its log)

    def __str__(self):
        text = f"{self.passed} passed, {self.failed} failed"
        return text + (f", {self.skipped} skipped" if self.skipped else "")

    def __iadd__(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.where += other.where
        return self


def _trs(directory: Path) -> list:
    """Automake's per-test result files.  Where the logs are, the Python tests have files of their own, which come and go."""
    found = []
    for place, folders, names in os.walk(directory):
        folders[:] = [f for f in folders if Path(place, f) != LOGS]
        found += [Path(place, n) for n in names if n.endswith(".trs")]
    return sorted(found)


def read_trs(directory: Path) -> Count:
    """Sum of automake's per-test result files."""
    c = Count()
    for trs in _trs(directory):
        for line in trs.read_text(errors="replace").splitlines():
            if not line.startswith(":test-result: "):
                continue
            result, _, name = line[len(":test-result: "):].partition(" ")
            if result in ("PASS", "XFAIL"):
                c.passed += 1
            elif result == "SKIP":
                c.skipped += 1
            else:
                c.failed += 1
                c.where.append((f"{trs.stem} {name}".strip(), trs.with_suffix(".log")))
    return c


def _tell(what: str, c: Count, start: float) -> None:
    """A line at once: others may be telling theirs."""
    print(f"lab: {what} ... {c} ({time.monotonic() - start:.0f} s)\n", end="", flush=True)


def c_tests(directory: Path = BUILD) -> Count:
    for old in _trs(directory):
        old.unlink()
    log = LOGS / "make-check.log"
    cmd = ["make", "-C", str(directory), f"-j{os.cpu_count() or 1}", "check"]
    start = time.monotonic()
    # As root in a sandbox: ports are free, interfaces may be made, nothing outside is touched.
    prefix = [sys.executable, "-m", "lab", "sandbox", "--"] if os.geteuid() == 0 and not sandbox.why_not() else []
    with log.open("wb") as f, tempfile.TemporaryDirectory(prefix="msec-") as folder:
        r = subprocess.run(prefix + cmd, stdin=subprocess.DEVNULL, stdout=f, stderr=subprocess.STDOUT,
                           env=dict(os.environ, TMPDIR=folder))
    c = read_trs(directory)
    if r.returncode and not c.failed:
        c.failed += 1
        c.where.append(("make check", log))
    _tell("C tests", c, start)
    return c


def _sanitizing_compiler() -> str:
    """clang where it is whole, for a second opinion on the warnings; else the compiler of the ordinary build."""
    from .build import compiler
    probe = ["clang", "-fsanitize=address,undefined", "-x", "c", "-", "-o", os.devnull]
    if shutil.which("clang") and not subprocess.run(probe, input=b"int main(void) { return 0; }", capture_output=True).returncode:
        return "ccache clang" if shutil.which("ccache") else "clang"
    return compiler()


def sanitized_tests() -> Count:
    """The C tests once more, in a build of their own with AddressSanitizer and UBSan."""
    cc = _sanitizing_compiler()
    log = LOGS / "sanitized.log"
    start = time.monotonic()
    with log.open("wb") as f:
        r = subprocess.run([sys.executable, "-m", "lab", "test", "--no-python"], stdin=subprocess.DEVNULL, stdout=f,
                           stderr=subprocess.STDOUT, env=dict(os.environ, MSEC_LAB_BUILD="build-asan", CC=cc))
    c, lines = Count(), log.read_text(errors="replace").splitlines()
    m = re.match(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", lines[-1] if lines else "")
    if m:
        c.passed, c.failed, c.skipped = (int(n or 0) for n in m.groups())
    if c.failed or r.returncode:
        c.failed = c.failed or 1
        c.where.append(("C tests with sanitizers", log))
    _tell(f"C tests with ASan and UBSan ({cc.split()[-1]})", c, start)
    return c


def proof() -> Count:
    """What the negative tests are worth: the sweep of the ledger; a row counts as a test."""
    log = LOGS / "prove.log"
    start = time.monotonic()
    with log.open("wb") as f:
        r = subprocess.run([sys.executable, "-m", "lab", "ledger", "--prove"], stdin=subprocess.DEVNULL, stdout=f,
                           stderr=subprocess.STDOUT, env={k: v for k, v in os.environ.items() if k != "MSEC_LAB_BUILD"})
    c, lines = Count(), log.read_text(errors="replace").splitlines()
    m = re.match(r"(\d+) rows proved, (\d+) not, (\d+) tested without a switch$", lines[-1] if lines else "")
    if m:
        c.passed, c.failed = int(m[1]), int(m[2])
    if c.failed or r.returncode:
        c.failed = c.failed or 1
        c.where.append(("rows whose negative tests prove nothing", log))
    _tell("negative tests without their checks", c, start)
    return c


def read_junit(report: Path) -> Count:
    c = Count()
    for case in ET.parse(report).iter("testcase"):
        kinds = {e.tag for e in case}
        name = f"{case.get('classname')}.{case.get('name')}"
        if kinds & {"failure", "error"}:
            c.failed += 1
            c.where.append((name, LOGS / "pytest.log"))
        elif "skipped" in kinds:
            c.skipped += 1
        else:
            c.passed += 1
    return c


def pytest(*words) -> list:
    """The command, whose configuration is the suite's wherever it is started."""
    return [sys.executable, "-m", "pytest", "-c", str(TOP / "interop/pytest.ini"), "--rootdir", str(TOP / "interop"), "-q",
            "-o", f"cache_dir={BUILD / 'pytest-cache'}", *words]


def wants_guest(only: str = "") -> bool:
    """Is there one among the long tests of that name that needs the virtual machine of guest.py?"""
    if not only:
        return True
    files = [p for p in (TOP / "interop/tests").rglob("test_*.py") if "pytest.mark.guest" in p.read_text()]
    r = subprocess.run(pytest("--collect-only", "--long", "-m", "guest", "-k", only, *map(str, files)),
                       stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return r.returncode != 5  # no tests collected; what else went wrong is told by the run itself


def python_tests(extra: list, long: bool = False) -> Count:
    report, log = LOGS / "pytest.xml", LOGS / "pytest.log"
    report.unlink(missing_ok=True)
    # Most tests wait for daemons and their timers most of the time.
    workers = os.environ.get("LAB_WORKERS") or str(2 * max(2, os.cpu_count() or 1))
    cmd = pytest("-n", workers, "--dist", "loadgroup", f"--basetemp={LOGS / 'tmp'}", f"--junitxml={report}", "--durations=5",
                 *(["--long"] if long else []), *extra, str(TOP / "interop/tests"))
    start = time.monotonic()
    with log.open("wb") as f:
        r = subprocess.run([sys.executable, "-m", "lab", "sandbox", "--", *cmd], stdin=subprocess.DEVNULL,
                           stdout=f, stderr=subprocess.STDOUT)
    c = read_junit(report) if report.exists() else Count()
    if r.returncode not in (0, 5) and not c.failed:
        c.failed += 1
        c.where.append(("pytest itself", log))
    _tell("Python tests", c, start)
    return c


def excerpt(lines: list, most: int = 80) -> list:
    """What a person wants to see of a log: the surroundings of what went wrong, or its end."""
    bad = [i for i, text in enumerate(lines) if re.search(r"^not ok|^worthless|^no check|^broken|^FAIL|^ERROR|^E  |\bERROR: |runtime error|Assertion|\[  ERROR", text)]
    keep = sorted({j for i in bad for j in range(max(0, i - 4), min(len(lines), i + 12))})
    return [lines[i] for i in keep[:most]] or lines[-most:]


def all_c_tests() -> Count:
    c = c_tests()
    if BUILD.name != "build-asan":
        c += sanitized_tests()
    return c


def beside(first, *others) -> list:
    """What each of these comes to.  They run at the same time, for some wait where others compute; the first has precedence,
    so that what is timed in it sees a quiet machine."""
    def modestly(part):
        os.nice(10)  # of this thread, and of what it starts
        return part()
    with concurrent.futures.ThreadPoolExecutor(1 + len(others)) as pool:
        return [f.result() for f in [pool.submit(first), *(pool.submit(modestly, p) for p in others)]]


def run(only: str = "", long: bool = False, c: bool = True, python: bool = True) -> int:
    """Everything, or with `only` the Python tests whose name matches.  Prints the sum as the very last line."""
    shutil.rmtree(LOGS, ignore_errors=True)
    LOGS.mkdir(parents=True)
    if long:
        os.environ["MSEC_LONG"] = "1"  # C tests read it
    total = Count()
    parts = [lambda: python_tests(["-k", only] if only else [], long)] if python else []
    if c and not only:
        parts.append(all_c_tests)
    if len(parts) > 1:
        print("lab: Python tests; beside them C tests, then those with ASan and UBSan", flush=True)
    for count in beside(*parts) if parts else []:
        total += count
    if long and not only and BUILD.name == "build":
        total += proof()
    for name, log in total.where:
        print(f"lab: FAILED {name}\n            log: {log}")
    if total.failed:
        for log in dict.fromkeys(log for _, log in total.where):
            print(f"\n---- from {log}")
            print("\n".join(excerpt(Path(log).read_text(errors="replace").splitlines())))
    print(f"lab: all logs are in {LOGS}")
    print(total, flush=True)
    return 1 if total.failed or not total.passed else 0
