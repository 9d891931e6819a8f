# SPDX-License-Identifier: BSD-2-Clause
"""One at a time in a build directory: whoever builds or tests there would pull the programs away from under another one.

The lock ends with the process that has it, however that ends.  What it starts may use the directory as well.
"""
import contextlib
import fcntl
import os
import shlex
import sys
from pathlib import Path

from . import BUILD, TOP

MINE = "MSEC_LAB_LOCK"  # in the environment of a holder's children: the lock that it holds


def _holder(file) -> str:
    """What the one who has it wrote down: its process id and command."""
    file.seek(0)
    return file.read().strip() or "that has just begun"


@contextlib.contextmanager
def held(directory: Path = BUILD, command: str = ""):
    """Inside, the directory is ours.  As long as it is somebody else's it is waited for, and said for whom."""
    path = directory / "lab.lock"
    if os.environ.get(MINE) == str(path):
        yield
        return
    directory.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            where = directory.relative_to(TOP) if directory.is_relative_to(TOP) else directory
            print(f"lab: waiting for process {_holder(file)}, which uses {where}; Ctrl-C gives up", file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(f"{os.getpid()} ({command or shlex.join(['./lab', *sys.argv[1:]])})\n")
        file.flush()
        before, os.environ[MINE] = os.environ.get(MINE), str(path)
        try:
            yield
        finally:
            file.truncate(0)
            del os.environ[MINE]
            if before:
                os.environ[MINE] = before
