# SPDX-License-Identifier: BSD-2-Clause
"""Programs that report in JSON lines, and waiting for what they report.  Nothing here ever sleeps.

One thread reads what all programs say (a program never stalls because nobody listens), keeps it in memory and in a log
file, and wakes whoever waits.
"""
import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from . import LabError

# Seconds for what has to come.  It bounds how long a failure takes and nothing else: on a machine that has other things to do
# all may last long, and a test that passes does not wait.  What is not there because its check is switched off comes never.
PATIENCE = 5.0 if os.environ.get("MSEC_CHECK_OFF") else 60.0


class Pump:
    """The reading thread.  One per process is enough: PUMP."""

    def __init__(self):
        self.changed = threading.Condition()
        self._select = selectors.DefaultSelector()
        self._wake, self._waker = socket.socketpair()
        self._select.register(self._wake, selectors.EVENT_READ)
        self._new, self._thread = [], None
        self._asked = self._answered = 0

    def add(self, fd: int, line, end) -> None:
        """`line(text)` for every line, `end()` when the last writer is gone; both with `changed` held."""
        os.set_blocking(fd, False)
        with self.changed:
            self._new.append((fd, line, end))
            if not self._thread:
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()
        self._waker.send(b"x")

    def catch_up(self) -> None:
        """Returns when everything that the programs have written by now has been read."""
        with self.changed:
            if not self._thread:
                return
            self._asked += 1
            mine = self._asked
            self._waker.send(b"x")
            self.changed.wait_for(lambda: self._answered >= mine)

    def _run(self) -> None:
        while True:
            asked = self._round(None)
            if not asked:
                continue
            for _ in range(1000):  # somebody may write faster than we read
                more = self._round(0)
                if more is None:
                    break
                asked = max(asked, more)
            with self.changed:
                self._answered = asked
                self.changed.notify_all()

    def _round(self, timeout):
        """Reads once from all who have written: None, nobody has; or what catch_up() asked for before."""
        ready = self._select.select(timeout)
        asked = 0
        for key, _ in ready:
            if key.data is not None:
                self._read(key.fd, key.data)
                continue
            self._wake.recv(100)
            with self.changed:
                asked = self._asked
                for fd, line, end in self._new:
                    self._select.register(fd, selectors.EVENT_READ, [b"", line, end])
                self._new.clear()
        return asked if ready else None

    def _read(self, fd: int, state: list) -> None:
        part, line, end = state
        try:
            data = os.read(fd, 1 << 16)
        except BlockingIOError:
            return
        *lines, state[0] = (part + data).split(b"\n")
        with self.changed:
            for text in lines:
                line(text.decode(errors="replace"))
            if not data:
                self._select.unregister(fd)
                os.close(fd)
                end()
            self.changed.notify_all()


PUMP = Pump()


class Reporter:
    """A program on a host.  `events` are the JSON objects it reported, in order, over all its runs."""

    def __init__(self, host, name: str, directory: Path):
        self.host, self.name, self.directory = host, name, Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.events, self._p, self._open = [], None, 0
        self.event_log = self.directory / f"{name}.events.jsonl"
        self.log = self.directory / f"{name}.log"
        self.progress = None  # called while waiting, with the seconds waited so far

    def __repr__(self):
        return f"<{self.name} on {self.host.name}>"

    def spawn(self, argv: list, read_fd: int, write_fd: int, stdout=None, env: dict = None) -> None:
        """Start argv, whose reports come out of read_fd; write_fd is the program's end, closed here."""
        record = self.event_log.open("a")

        def line(text):
            record.write(text + "\n")
            record.flush()
            try:
                self.events.append(json.loads(text))
            except ValueError:
                self.events.append({"event": "not-json", "text": text})

        def end():
            record.close()
            self._open -= 1

        self._open += 1
        with self.log.open("ab") as log:
            log.write(f"$ {' '.join(map(str, argv))}\n".encode())
            log.flush()
            self._p = self.host.popen(argv, pass_fds=[write_fd] if write_fd > 2 else [], stdout=stdout or log, stderr=log,
                                      env=dict(os.environ, **(env or {})))
        PUMP.add(read_fd, line, end)

    @property
    def running(self) -> bool:
        return self._p is not None and self._p.poll() is None

    @property
    def returncode(self):
        return self._p.poll() if self._p else None

    def mark(self) -> int:
        """A place in the event list, for wait(since=...)."""
        PUMP.catch_up()
        with PUMP.changed:
            return len(self.events)

    def find(self, event: str = "", since: int = 0, where=None, **fields) -> list:
        PUMP.catch_up()
        with PUMP.changed:
            return [e for e in self.events[since:] if self._matches(e, event, where, fields)]

    @staticmethod
    def _matches(e: dict, event: str, where, fields: dict) -> bool:
        return ((not event or e.get("event") == event) and all(e.get(k) == v for k, v in fields.items())
                and (where is None or where(e)))

    def wait(self, event: str = "", timeout: float = PATIENCE, since: int = 0, where=None, **fields) -> dict:
        """The first such event at or after `since`; LabError with the last things seen when it does not come."""
        start = time.monotonic()
        at = since
        with PUMP.changed:
            while True:
                for at in range(at, len(self.events)):
                    if self._matches(self.events[at], event, where, fields):
                        return self.events[at]
                at = len(self.events)
                left = start + timeout - time.monotonic()
                if left <= 0 or not self._open:
                    break
                PUMP.changed.wait(min(left, 0.5))
                if self.progress:
                    self.progress(time.monotonic() - start)
        what = " ".join([event, *(f"{k}={v}" for k, v in fields.items())]).strip() or "a certain event"
        why = "no more events can come, the program has ended" if not self._open else f"{timeout:.0f} s were not enough"
        last = "\n".join("    " + json.dumps(e)[:300] for e in self.events[-8:]) or "    (nothing)"
        raise LabError(f"{self.name}: waited for {what}: {why}.\n  It last reported\n{last}\n  Its log ends\n"
                       + "\n".join("    " + t for t in self.tail(8)) + f"\n  All of it: {self.log} and {self.event_log}")

    def tail(self, lines: int) -> list:
        try:
            return self.log.read_text(errors="replace").splitlines()[-lines:]
        except OSError:
            return []

    def wait_end(self, timeout: float = PATIENCE) -> int:
        """The exit status, once the program has ended and everything it reported has been read."""
        try:
            code = self._p.wait(timeout)
        except subprocess.TimeoutExpired:
            raise LabError(f"{self.name} did not end within {timeout:.0f} s; its log is {self.log}") from None
        with PUMP.changed:
            PUMP.changed.wait_for(lambda: not self._open, timeout)
        return code

    def stop(self, timeout: float = PATIENCE) -> int:
        """SIGTERM, and the exit status."""
        if self.running:
            self._p.terminate()
        return self.wait_end(timeout)

    def signal(self, number: int) -> None:
        self._p.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, as a power failure would."""
        with contextlib.suppress(ProcessLookupError):
            self._p.send_signal(signal.SIGKILL)
        self.wait_end()


class App(Reporter):
    """A Python program of the lab that reports on its standard output."""

    def __init__(self, host, name: str, directory: Path, argv: list, env: dict = None):
        super().__init__(host, name, directory)
        r, w = os.pipe()
        try:
            self.spawn(argv, r, w, stdout=w, env=env)
        finally:
            os.close(w)


class Control:
    """A daemon's control socket."""

    def __init__(self, path: Path):
        self.path = Path(path)

    def request(self, cmd: str, *args: str, timeout: float = PATIENCE, **members) -> dict:
        """The whole reply: {"ok": ..., "result" or "error": ...}."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(timeout)
            s.connect(str(self.path))
            s.sendall(json.dumps({"cmd": cmd, "args": list(map(str, args)), **members}).encode() + b"\n")
            data = b""
            while not data.endswith(b"\n"):
                more = s.recv(1 << 16)
                if not more:
                    raise LabError(f"{self.path}: the daemon closed the connection in the middle of a reply")
                data += more
        return json.loads(data)

    def order(self, cmd: str, *args: str) -> None:
        """Say it and do not wait for the answer."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(self.path))
            s.sendall(json.dumps({"cmd": cmd, "args": list(map(str, args))}).encode() + b"\n")

    def __call__(self, cmd: str, *args: str, **members):
        """The result; LabError with the daemon's words when it says no."""
        reply = self.request(cmd, *args, **members)
        if not reply.get("ok"):
            raise LabError(f"{cmd} {' '.join(map(str, args))}: {reply.get('error')}")
        return reply.get("result")
