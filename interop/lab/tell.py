# SPDX-License-Identifier: BSD-2-Clause
"""How the story is told: to a person on a terminal, to a log, or to nobody."""
import contextlib
import shutil
import sys
import textwrap
import time

WIDTH = 96


class Teller:
    """Prints paragraphs; while something takes long, says what for and how long already."""

    def __init__(self, out=None, color: bool = None):
        self.out = out or sys.stdout
        self.tty = self.out.isatty()
        self.width = min(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns - 1) if self.tty else WIDTH
        self.color = self.tty if color is None else color
        self.begun = time.monotonic()

    def _print(self, text: str = "") -> None:
        print(text, file=self.out, flush=True)

    def _style(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self.color else text

    def title(self, text: str) -> None:
        self._print("\n" + self._style("1", text))

    def step(self, number: int, text: str) -> None:
        self._print("\n" + self._style("1;36", f"{number:2}  {text}"))

    def say(self, text: str) -> None:
        self._print(textwrap.fill(" ".join(text.split()), self.width, initial_indent="    ", subsequent_indent="    "))

    def fact(self, name: str, text: str) -> None:
        """One line about somebody."""
        self._print(textwrap.fill(" ".join(text.split()), self.width, initial_indent=f"      {name:<9}",
                                  subsequent_indent=" " * 15))

    def item(self, name: str, text: str) -> None:
        """One line of a list of things; what they are stands in a column."""
        self._print(f"    {name:<26}  {text}")

    def refused(self, name: str, text: str) -> None:
        self.fact(name, self._style("31", "refused: ") + text)

    @contextlib.contextmanager
    def waiting(self, what: str):
        """While inside: progress(seconds) may be called often.  A terminal shows a running clock, a log one line each ten
        seconds."""
        start, shown = time.monotonic(), [0.0]

        def progress(_seconds: float = 0.0) -> None:
            waited = time.monotonic() - start
            if waited - shown[0] < (0.5 if self.tty else 10.0):
                return
            shown[0] = waited
            if self.tty:
                print(f"\r    ... {what} ({waited:.0f} s)\033[K", end="", file=self.out, flush=True)
            else:
                self._print(f"    ... {what} ({waited:.0f} s)")
        try:
            yield progress
        finally:
            if self.tty and shown[0]:
                print("\r\033[K", end="", file=self.out, flush=True)

    def elapsed(self) -> float:
        return time.monotonic() - self.begun


class Silent(Teller):
    """For tests: keeps what was said."""

    def __init__(self):
        super().__init__(sys.stderr, False)
        self.tty, self.said = False, []

    def _print(self, text: str = "") -> None:
        self.said.append(text)
