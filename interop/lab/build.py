# SPDX-License-Identifier: BSD-2-Clause
"""Configure and build out of tree in build/, install into build/prefix."""
import os
import shlex
import shutil
import subprocess
import time
from pathlib import Path

from . import BUILD, PREFIX, TOP, LabError, lock


def _run(title: str, cmd: list, cwd: Path, log: Path, env: dict = None, show: bool = False) -> None:
    """Run quietly; the output goes to `log`, and its end is shown when the command fails."""
    start = time.monotonic()
    print(f"lab: {title} ... ", end="", flush=True)
    with log.open("ab") as f:
        f.write(f"$ {shlex.join(cmd)}\n".encode())
        f.flush()
        r = subprocess.run(cmd, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=f, stderr=subprocess.STDOUT)
    print(f"{time.monotonic() - start:.0f} s", flush=True)
    if r.returncode:
        tail = log.read_text(errors="replace").splitlines()[-40:]
        raise LabError("\n".join(tail) + f"\n\n{title} failed (status {r.returncode}); everything it said is in {log}")


# Build directories that are configured in their own way.  Sanitizers see most where nothing is optimized away, and their
# objects are there in a third of the time; line numbers are all that their reports need of the debugger's information.
SPECIAL = {"build-asan": ["--with-sanitizers", "CFLAGS=-O0 -g1"], "build-prove": ["--enable-check-switches"]}


def compiler() -> str:
    """$CC if the caller chose one; gcc, through ccache where that is installed."""
    return os.environ.get("CC") or ("ccache gcc" if shutil.which("ccache") else "gcc")


def build() -> None:
    with lock.held():
        _build()


def _build() -> None:
    directory, prefix, log = BUILD, PREFIX, BUILD / "lab-build.log"
    directory.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"")
    if not (TOP / "configure").exists():
        _run("autoreconf", ["autoreconf", "-fi"], TOP, log)
    args = [f"--prefix={prefix}", "--enable-werror", *SPECIAL.get(directory.name, [])]
    status = directory / "config.status"
    done = status.exists() and subprocess.run([str(status), "--config"], capture_output=True, text=True).stdout
    if not done or any(a not in shlex.split(done) for a in args) or not (directory / "Makefile").exists():
        env = dict(os.environ, CC=compiler())
        if directory.name == "build-bench":
            env["CFLAGS"] = "-O2 -g -fno-omit-frame-pointer"  # frames, for the profiles
        _run("configure", [str(TOP / "configure"), "-q", *args], directory, log, env)
        # Objects do not depend on the configured paths; those of another prefix would keep the old ones.
        _run("clean", ["make", "-s", "clean"], directory, log)
    jobs = f"-j{os.cpu_count() or 1}"
    _run("compile (gcc, warnings are errors)", ["make", jobs], directory, log)
    if directory.name == "build-prove":
        _lay_out(directory, prefix, log)
        return
    _run(f"install into {prefix.relative_to(TOP) if prefix.is_relative_to(TOP) else prefix}",
         ["make", "-s", "install"], directory, log)


def _lay_out(directory: Path, prefix: Path, log: Path) -> None:
    """What must not be installed is linked to where the lab looks for it, and the test programs are built."""
    jobs = f"-j{os.cpu_count() or 1}"
    _run("compile the tests", ["make", jobs, "check", "TESTS="], directory, log)
    _run("install the data", ["make", "-s", "install-data"], directory, log)
    if subprocess.run(["make", "-s", "install-exec"], cwd=directory, capture_output=True).returncode == 0:
        raise LabError("a build with --enable-check-switches let itself be installed")
    said = subprocess.run(["make", "-s", "print-programs"], cwd=directory, capture_output=True, text=True, check=True).stdout
    for text in said.splitlines():
        where, *names = text.split()
        (prefix / where).mkdir(parents=True, exist_ok=True)
        for name in names:
            link = prefix / where / Path(name).name
            link.unlink(missing_ok=True)
            link.symlink_to(directory / name)
    for link in sorted([*(prefix / "sbin").iterdir(), *(prefix / "bin").iterdir()]):
        said = subprocess.run([link, "--version"], capture_output=True, text=True).stderr
        if "NOT FOR USE" not in said:
            raise LabError(f"a build with --enable-check-switches does not say so when it starts: {link.name} says {said!r}")


def program(name: str) -> Path:
    """The installed program, or LabError that says how to get it."""
    for d in ("bin", "sbin"):
        p = PREFIX / d / name
        if p.exists():
            return p
    raise LabError(f"{name} is not in {PREFIX}: run ./lab build")
