# SPDX-License-Identifier: BSD-2-Clause
"""Where the time goes, by perf, where the kernel lets it look; else nothing is said."""
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

ROOMS = (("libcrypto", "OpenSSL"), ("libsqlite3", "SQLite"), ("[kernel", "kernel"), ("libc.", "C library"), ("libtcmalloc", "malloc"),
         ("libjansson", "JSON"), ("libevent", "event loop"), ("gsakmp-", "the suite"), ("gdoi-", "the suite"), ("bench_", "the suite"))


def available() -> bool:
    if not shutil.which("perf"):
        return False
    with tempfile.TemporaryDirectory() as d:
        return subprocess.run(["perf", "record", "-q", "-o", f"{d}/p", "true"], capture_output=True).returncode == 0


def room(dso: str) -> str:
    return next((name for prefix, name in ROOMS if dso.startswith(prefix)), "other")


class Profile:
    """with Profile(pid) as p: ...; p.result.  With pid 0 it wraps nothing: use command()."""

    def __init__(self, pid: int = 0, wanted: bool = True):
        self.pid, self.result, self._p = pid, None, None
        self._dir = tempfile.TemporaryDirectory(prefix="msec-perf-")
        self.file = Path(self._dir.name) / "perf.data"
        self.wanted = wanted and available()

    def command(self, argv: list) -> list:
        if not self.wanted:
            return argv
        return ["perf", "record", "-q", "-F", "499", "-o", self.file, "--", *argv]

    def __enter__(self):
        if self.wanted and self.pid:
            self._p = subprocess.Popen(["perf", "record", "-q", "-F", "499", "-o", self.file, "-p", str(self.pid)],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        if self._p:
            self._p.send_signal(signal.SIGINT)
            self._p.wait()
        if self.file.exists():
            self.result = self.read()
        self._dir.cleanup()

    def read(self) -> dict:
        r = subprocess.run(["perf", "report", "-i", self.file, "--stdio", "--no-children", "--sort", "dso,symbol", "-g", "none"],
                           capture_output=True, text=True)
        shares, symbols = {}, []
        for line in r.stdout.splitlines():
            m = re.match(r"\s*([0-9.]+)%\s+(\S+)\s+\[.\]\s+(\S+)", line)
            if not m:
                continue
            share, dso, symbol = float(m[1]), m[2], m[3]
            shares[room(dso)] = round(shares.get(room(dso), 0) + share, 2)
            if not symbol.startswith("0x"):
                symbols.append([symbol, room(dso), share])
        return {"by_room_percent": dict(sorted(shares.items(), key=lambda kv: -kv[1])), "symbols": symbols[:12]}


def text(profile) -> str:
    if not profile:
        return "  (no profile: perf is not there, or the kernel does not let it look)"
    where = ", ".join(f"{name} {share:.0f} %" for name, share in profile["by_room_percent"].items() if share >= 1)
    top = ", ".join(f"{s} {share:.1f} %" for s, _, share in profile["symbols"][:6])
    return f"  where the time goes: {where}\n    most of it in: {top}"
