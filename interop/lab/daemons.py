# SPDX-License-Identifier: BSD-2-Clause
"""The suite's daemons on hosts of the lab: configuration, start, events, control socket, end, restart."""
import os
import shutil
import tempfile
from pathlib import Path

from . import LabError
from .build import program
from .process import PATIENCE, Control, Reporter

SANITIZERS = {
    "ASAN_OPTIONS": "abort_on_error=0:exitcode=99:detect_leaks=1:handle_abort=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99",
}


class Sockets:
    """A short directory for control sockets: their names have room for 107 octets only, and clones live anywhere."""

    def __init__(self):
        self.path = Path(tempfile.mkdtemp(prefix="msec-"))

    def close(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


class Daemon(Reporter):
    """One daemon.  Its configuration NAME.xml must be in `directory` (write()) before start()."""

    def __init__(self, host, program_name: str, name: str, directory: Path, sockets: Sockets, keylog: Path = None,
                 env: dict = None):
        super().__init__(host, name, directory)
        self.program = program_name
        self.config = self.directory / f"{name}.xml"
        self.keylog = keylog
        self.env = {**SANITIZERS, **(env or {})}
        self.control = Control(sockets.path / name)

    def write(self, xml: str) -> None:
        self.config.write_text(xml)

    def command(self, *extra: str) -> list:
        return [program(self.program), "--config", self.config, *(["--keylog", self.keylog] if self.keylog else []), *extra]

    def launch(self, *extra: str, env: dict = None) -> int:
        """Start it and return the mark from which its events count, without waiting for anything."""
        mark = self.mark()
        r, w = os.pipe()
        try:
            self.spawn(self.command("--events", str(w), *extra), r, w, env={**self.env, **(env or {})})
        finally:
            os.close(w)
        return mark

    def start(self, *extra: str, timeout: float = PATIENCE, env: dict = None) -> int:
        """Start it and wait until it serves."""
        mark = self.launch(*extra, env=env)
        self.wait("ready", since=mark, timeout=timeout)
        return mark

    def reload(self, refused: str = "") -> None:
        """`reload`, which is done; or `refused` for a reason that has these words, and nothing is taken."""
        mark = self.mark()
        answer = self.control.request("reload")
        if answer["ok"] != (not refused):
            raise LabError(f"{self.name}: reload: {answer}")
        said = self.wait("reload-failed" if refused else "reloaded", since=mark)
        if refused not in said.get("reason", ""):
            raise LabError(f"{self.name}: reload: {refused!r} is not in {said}")

    def check_config(self, *extra: str):
        """What --check-config says: (exit status, text)."""
        r = self.host.run(self.command("--check-config", *extra), check=False, env=dict(os.environ, **self.env))
        return r.returncode, r.stdout + r.stderr

    def finish(self, timeout: float = PATIENCE) -> None:
        """Stop, and insist on a clean end: no crash, nothing that a sanitizer has to say."""
        if self._p is None:
            return
        code = self.stop(timeout)
        if code != 0:
            raise LabError(f"{self.name} ended with status {code}; its log {self.log} ends\n"
                           + "\n".join("    " + t for t in self.tail(30)))


def wait_all(daemons: list, event: str, timeout: float = PATIENCE, marks: dict = None, progress=None, **fields) -> list:
    """The event from every one of them, however they are ordered in time."""
    out = []
    for d in daemons:
        d.progress = progress
        try:
            out.append(d.wait(event, timeout, since=(marks or {}).get(d, 0), **fields))
        finally:
            d.progress = None
    return out

