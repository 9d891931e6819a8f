# SPDX-License-Identifier: BSD-2-Clause
"""The demo's network kept up, for people to play on: ./lab up, down, status, shell, capture.

`up` leaves one process behind, the keeper, in a sandbox of its own.  build/lab/state.json says where; when the keeper
ends, for whatever reason, the network and everything running on it is gone.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from . import BUILD, PREFIX, LabError, sandbox

HOME = Path(os.environ.get("MSEC_LAB_HOME") or BUILD / "lab")
STATE = HOME / "state.json"


def _started(pid: int) -> str:
    """When the process started; tells it from a later one with the same number."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def state() -> dict:
    """The keeper's own words, or {} when none is up."""
    try:
        s = json.loads(STATE.read_text())
    except (OSError, ValueError):
        return {}
    return s if s.get("started") == _started(s["init"]) else {}


def _write(**what) -> None:
    part = STATE.with_suffix(".part")
    part.write_text(json.dumps(what, indent=2) + "\n")
    part.rename(STATE)


def up() -> int:
    if state():
        print("lab: it is up already; ./lab status shows it, ./lab down ends it")
        return 0
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(parents=True)
    reason = sandbox.why_not()
    if reason:
        raise LabError("no network namespaces: " + reason, 3)
    ready, told = os.pipe()
    if os.fork() == 0:
        os.setsid()
        os.close(ready)
        with (HOME / "keeper.log").open("wb") as log, open(os.devnull) as nothing:
            os.dup2(nothing.fileno(), 0)
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        os.set_inheritable(told, True)
        code = sandbox.run([sys.executable, "-m", "lab.keeper", str(told)],
                           on_start=lambda pid: _write(init=pid, started=_started(pid)))
        STATE.unlink(missing_ok=True)
        os._exit(code)
    os.close(told)
    with os.fdopen(ready) as f:
        said = f.readline()
    if said.strip() != "ready":
        raise LabError("the network did not come up; the end of " + str(HOME / "keeper.log") + ":\n"
                       + "\n".join((HOME / "keeper.log").read_text(errors="replace").splitlines()[-25:]))
    return status()


def main(told: int) -> None:
    """The keeper itself, inside the sandbox."""
    from .story import Story
    story = Story(HOME / "group")
    try:
        story.open_group()
        story.everybody_joins()
        s = json.loads(STATE.read_text())
        hosts = {h.name: {"ip4": h.ip4, "ip6": h.ip6} for h in story.scene.net.hosts.values()}
        _write(**s, hosts=hosts, segments=list(story.scene.net.segments),
               sockets={d.name: str(d.control.path) for d in story.daemons()})
        os.write(told, b"ready\n")
        os.close(told)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        while True:
            signal.pause()
    finally:
        story.close()


def down() -> int:
    s = state()
    if not s:
        print("lab: nothing is up")
        return 0
    os.kill(s["init"], signal.SIGTERM)
    deadline = time.monotonic() + 10
    fd = os.pidfd_open(s["init"])
    try:
        import select
        if not select.select([fd], [], [], max(0.0, deadline - time.monotonic()))[0]:
            os.kill(s["init"], signal.SIGKILL)
    finally:
        os.close(fd)
    print("lab: down; logs stay in " + str(HOME))
    return 0


def _need() -> dict:
    s = state()
    if "hosts" not in s:
        raise LabError("nothing is up; start it with ./lab up")
    return s


def _enter(s: dict, argv: list, processes: bool = True) -> list:
    """argv inside the keeper's sandbox; without `processes` nsenter becomes argv and can be signalled."""
    user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
    return ["nsenter", "--target", str(s["init"]), *user, "--mount", "--net", *(["--pid"] if processes else []),
            "--wd=" + os.getcwd(), *argv]


def status() -> int:
    from .scene import WHO
    from .process import Control
    s = state()
    if "hosts" not in s:
        print("lab: nothing is up; ./lab up starts the network of the demo")
        return 0
    width = max(map(len, s["hosts"]))
    for name, h in s["hosts"].items():
        line = f"  {name:{width}}  {h['ip4']:<12}  {h['ip6']:<13}  {WHO.get(name, '')}"
        if name in s["sockets"]:
            try:
                text = Control(s["sockets"][name])("status")
                line += f": {text.get('state', 'running')}" if isinstance(text, dict) else ""
            except (OSError, LabError) as e:
                line += f": not answering ({e})"
        print(line)
    print(f"""
  ./lab shell alice            a shell on a host
  ./lab capture                everything on the wire, into build/lab/capture.pcapng, until Ctrl-C
  msec-ctl SOCKET help         sockets: {Path(next(iter(s['sockets'].values()), HOME)).parent}/*
  logs, policies, key log:     {HOME / 'group'}""")
    return 0


def shell(host: str, argv: list) -> int:
    s = _need()
    if host not in s["hosts"]:
        raise LabError(f"no host {host}; there are: {' '.join(s['hosts'])}")
    env = dict(os.environ, PATH=f"{PREFIX}/bin:{PREFIX}/sbin:{os.environ.get('PATH', '')}:/usr/sbin:/sbin", PS1=f"{host}$ ",
               LAB_HOST=host)
    if host in s["sockets"]:
        env["SOCKET"] = s["sockets"][host]
    there = sys.stdin is not None and sys.stdin.isatty()
    bare = ["/bin/sh", *(["-i"] if there else [])]  # without a terminal: commands from a file or a pipe
    return subprocess.run(_enter(s, ["nsenter", f"--net=/run/netns/{host}", *(argv or bare)]), env=env).returncode


def capture(file: str) -> int:
    s = _need()
    target = Path(file).resolve() if file else HOME / "capture.pcapng"
    target.open("wb").close()  # what is wrong with the name is told here, in one line
    print(f"lab: capturing {' and '.join(s['segments'])} into {target}; Ctrl-C ends it", flush=True)
    p = subprocess.Popen(_enter(s, ["nsenter", "--net=/run/netns/switch", sys.executable, "-m", "lab.capture", str(target),
                                    *s["segments"]], processes=False), stdout=subprocess.PIPE, text=True)
    # Ctrl-C reaches the capture as well, which then writes what it has and says how much that is.
    signal.signal(signal.SIGINT, lambda *_: p.send_signal(signal.SIGINT))
    if p.stdout.readline().strip() != "ready":
        raise LabError("the capture did not start")
    frames, lost = p.stdout.readline().split()
    p.wait()
    print(f"\nlab: {frames} frames, {lost} lost, in {target}")
    return 0


if __name__ == "__main__":
    main(int(sys.argv[1]))
