# SPDX-License-Identifier: BSD-2-Clause
"""A private corner of the machine: own network, mount and process namespaces, and without root an own user namespace.

Everything the lab creates (hosts, bridges, daemons) lives in there.  The kernel removes it all when the last process of
it ends, and ends those processes when the first one does: Ctrl-C, a crash and kill -9 leave nothing behind.
"""
import contextlib
import ctypes
import errno
import os
import signal
import subprocess
import sys

from . import LabError

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x20000, 0x10000000, 0x20000000, 0x40000000
PR_SET_PDEATHSIG = 1
MARK = "MSEC_LAB_SANDBOX"

_libc = ctypes.CDLL(None, use_errno=True)


def _check(rc: int, what: str) -> None:
    if rc != 0:
        e = ctypes.get_errno()
        raise OSError(e, f"{what}: {os.strerror(e)}")


def unshare(flags: int) -> None:
    _check(_libc.unshare(flags), "unshare")


def setns(fd: int, kind: int) -> None:
    _check(_libc.setns(fd, kind), "setns")


def _identity() -> str:
    return os.readlink("/proc/self/ns/mnt")


def active() -> bool:
    """Whether this process is already inside (a variable alone could be inherited by an outsider)."""
    return os.environ.get(MARK) == _identity()


def why_not() -> str:
    """What keeps this machine from giving us namespaces, or ''."""
    pid = os.fork()
    if pid == 0:
        try:
            _unshare_all()
        except (OSError, LabError):
            os._exit(1)
        os._exit(0)
    if os.waitpid(pid, 0)[1] == 0:
        return ""
    if os.geteuid() == 0:
        return ("running as root, but without the capability CAP_SYS_ADMIN (an unprivileged container?): "
                "start the container with --privileged, or use a virtual machine")
    why = []
    for path, bad in (("/proc/sys/user/max_user_namespaces", "0"), ("/proc/sys/kernel/unprivileged_userns_clone", "0"),
                      ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1")):
        with contextlib.suppress(OSError), open(path) as f:
            if f.read().strip() == bad:
                why.append(f"{path} is {bad}")
    return ("not root, and the kernel refuses user namespaces" + (f" ({'; '.join(why)})" if why else "")
            + ": run as root, or have that setting changed")


def _unshare_all(pid: bool = False) -> None:
    uid, gid = os.geteuid(), os.getegid()
    flags = CLONE_NEWNS | CLONE_NEWNET | (CLONE_NEWPID if pid else 0)
    if uid == 0:
        unshare(flags)
        return
    unshare(flags | CLONE_NEWUSER)
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        with open(f"/proc/self/{name}", "w") as f:
            f.write(text)


def _furnish() -> None:
    """Own /run/netns, so that `ip netns` works and names cannot collide with anybody's; loopback up."""
    _check(_libc.mount(b"none", b"/", None, 0x4000 | 0x40000, None), "mount --make-rprivate /")
    if not os.path.isdir("/run/netns"):
        # Creating it on the real /run would leave something behind (and without root is not allowed).
        _check(_libc.mount(b"tmpfs", b"/run", b"tmpfs", 0, b"mode=755"), "mount a tmpfs on /run")
        os.mkdir("/run/netns")
    _check(_libc.mount(b"tmpfs", b"/run/netns", b"tmpfs", 0, b"mode=755"), "mount a tmpfs on /run/netns")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    os.environ[MARK] = _identity()


def enter() -> None:
    """Move this very process inside (single-threaded callers only).  Its children follow; nothing else changes for it."""
    if active():
        return
    reason = why_not()
    if reason:
        raise LabError("no network namespaces: " + reason, 3)
    _unshare_all()
    _furnish()


def run(argv: list, env: dict = None, on_start=None) -> int:
    """Run a command inside, as a child of a small init, and return its exit status.

    `on_start(pid)` is told the init's process id as seen from outside, for nsenter.  SIGTERM and SIGHUP are passed on;
    SIGINT reaches the command by itself, since it goes to the whole foreground process group.
    """
    reason = why_not()
    if reason:
        raise LabError("no network namespaces: " + reason, 3)
    sys.stdout.flush()
    sys.stderr.flush()
    launcher = os.fork()
    if launcher:
        return _wait(launcher)
    code = 1
    try:
        _die_with_parent()
        _unshare_all(pid=True)
        init = os.fork()
        if init:
            if on_start:
                on_start(init)
            code = _wait(init)
        else:
            code = _init(argv, env)
    except (OSError, subprocess.CalledProcessError) as e:
        print(f"lab: {e}", file=sys.stderr)
    except KeyboardInterrupt:
        code = 130
    finally:
        os._exit(code)


def _die_with_parent() -> None:
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _status(raw: int) -> int:
    return os.waitstatus_to_exitcode(raw) if os.WIFEXITED(raw) else 128 + os.WTERMSIG(raw)


def _wait(pid: int) -> int:
    def forward(number, _frame):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    old = {s: signal.signal(s, forward) for s in (signal.SIGTERM, signal.SIGHUP)}
    old[signal.SIGINT] = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return _status(os.waitpid(pid, 0)[1])
    finally:
        for s, h in old.items():
            signal.signal(s, h)


def _init(argv: list, env: dict) -> int:
    """Process 1 of the namespace: starts the command, reaps orphans, ends (and with it everything) when the command ends."""
    _die_with_parent()
    _furnish()
    if _libc.mount(b"proc", b"/proc", b"proc", 0, None) != 0 and ctypes.get_errno() not in (errno.EPERM, errno.EBUSY):
        _check(-1, "mount /proc")
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.execvpe(argv[0], argv, dict(os.environ, **(env or {})))
    for s in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(s, lambda n, _f: os.kill(child, n))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        pid, raw = os.wait()
        if pid == child:
            return _status(raw)
