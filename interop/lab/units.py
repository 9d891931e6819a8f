# SPDX-License-Identifier: BSD-2-Clause
"""Run in a guest whose first process is systemd (guest.py, Managed): our units, as an administrator meets them.

    python3 -m lab.units          # prints what was seen as JSON; where it is, etc/ has what write_files() makes

Two hosts: one has the Group Owner and both key servers, the other a member of each group.  What the manual pages say is
typed by hand is in /etc/msec; the programs are those of the prefix, which is no place that a system would have them at.
"""
import contextlib
import json
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from . import PREFIX, LabError, sandbox
from .by_hand import examples
from .net import NETNS, Net
from .process import PATIENCE, Control

ETC, STATE, RUN = Path("/etc/msec"), Path("/var/lib/msec"), Path("/run/msec")
WHERE = {"msec-go": "gcks", "gsakmp-gcks": "gcks", "gdoi-gcks": "gcks", "gsakmp-gm": "gm1", "gdoi-gm": "gm1"}
ADDRESS = {"gcks": "192.0.2.1", "gm1": "192.0.2.2"}

# On one machine with the others, and from a prefix that may lie in somebody's home or in /tmp: nothing else is changed.
DROP_IN = """[Service]
NetworkNamespacePath={netns}
ProtectHome=tmpfs
BindReadOnlyPaths={prefix}
"""

OWNER = """<msec-go>
  <owner certificate="owner.pem" key="owner.key"/>
  <trust><root file="ca.pem"/></trust>
  <store path="/var/lib/msec/msec-go.db"/>
  <control socket="/run/msec/msec-go.sock"/>
  <listen address="192.0.2.1" port="3763"/>
  <group name="studio" policy="studio-policy.xml" deliver-to="/var/lib/msec/studio.tok"/>
</msec-go>
"""


def run(*argv, check=True, **kw) -> str:
    r = subprocess.run([str(a) for a in argv], capture_output=True, text=True, stdin=subprocess.DEVNULL, **kw)
    if check and r.returncode:
        raise LabError(f"{' '.join(map(str, argv))}: status {r.returncode}: {(r.stderr or r.stdout).strip()}")
    return r.stdout


class Unit:
    def __init__(self, name: str):
        self.name, self.control = name, Control(RUN / f"{name}.sock")

    def do(self, verb: str) -> None:
        try:
            run("systemctl", verb, self.name)
        except LabError as e:
            raise LabError(f"{e}\n" + "\n".join(self.journal())) from e

    def is_(self) -> dict:
        """How systemd sees it."""
        keys = ("ActiveState", "SubState", "MainPID", "NRestarts", "Result", "ExecMainStatus", "StatusText")
        text = run("systemctl", "show", self.name, "--property=" + ",".join(keys))
        return dict(line.split("=", 1) for line in text.splitlines())

    def journal(self, *words) -> list:
        run("journalctl", "--sync")
        return run("journalctl", "--unit", self.name, "--output=cat", *words).splitlines()

    def rights(self) -> dict:
        """What the kernel says that it is and may."""
        text = Path(f"/proc/{self.is_()['MainPID']}/status").read_text()
        found = {key: re.search(rf"^{key}:\s*(\S+)", text, re.M)[1] for key in ("Uid", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp")}
        return {**found, "Uid": pwd.getpwuid(int(found["Uid"])).pw_name}

    def until(self, holds, what: str):
        """What `holds` returns as soon as that is something; asked again with each event of the daemon."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(5 * PATIENCE)
            s.connect(str(self.control.path))
            s.sendall(b'{"cmd":"subscribe","args":["events"]}\n')
            for _ in s.makefile():
                found = holds()
                if found:
                    return found
        raise LabError(f"{self.name} ended before {what}")

    def until_active(self, but: str) -> None:
        """As another process than `but`: systemd says so on its bus, which a container of ours need not have."""
        watch = subprocess.Popen(["journalctl", "--unit", self.name, "--follow", "--lines=all", "--output=cat"], text=True,
                                 stdout=subprocess.PIPE)
        try:
            for _ in watch.stdout:
                now = self.is_()
                if now["ActiveState"] == "active" and now["MainPID"] not in ("0", but):
                    return
        finally:
            watch.terminate()
            watch.wait()


def write_files(directory: Path) -> None:
    """What is typed on both hosts, in one folder; outside the guest, which takes ten times as long for it."""
    directory.mkdir()
    env = {**os.environ, "PATH": f"{PREFIX}/bin:{PREFIX}/sbin:{os.environ['PATH']}"}
    typed = lambda text: run("bash", "-ec", text, cwd=directory, env=env)

    def config(name: str, text: str) -> None:
        text = re.sub(r'<store path="[^"]*"', f'<store path="{STATE}/{name}.db"', text)
        text = re.sub(r'<control socket="[^"]*"', f'<control socket="{RUN}/{name}.sock"', text)
        (directory / f"{name}.xml").write_text(text)
    files, gcks_xml, *_ = examples("gsakmp/man/gsakmp-gcks.xml.5")
    typed(files + "mv policy.xml studio-policy.xml\nrm studio.tok\n")  # the Group Owner's daemon makes its own
    config("gsakmp-gcks", gcks_xml.replace('file="studio.tok"', f'file="{STATE}/studio.tok"'))
    config("gsakmp-gm", examples("gsakmp/man/gsakmp-gm.xml.5")[0])
    files, gcks_xml, *_ = examples("gdoi/man/gdoi-gcks.xml.5")
    typed(files)
    config("gdoi-gcks", gcks_xml)
    config("gdoi-gm", examples("gdoi/man/gdoi-gm.xml.5")[0])
    (directory / "msec-go.xml").write_text(OWNER)


def take(directory: Path) -> None:
    """With the rights that msec-ctl(1) asks for."""
    shutil.copytree(directory, ETC)
    for p in (ETC, *ETC.iterdir()):
        shutil.chown(p, "msec" if p.suffix == ".psk" else "root", "msec")
        p.chmod(0o750 if p == ETC else 0o600 if p.suffix == ".psk" else 0o640)


def install(net: Net) -> dict:
    """As the manual says for a prefix that systemd does not look into."""
    run("systemd-sysusers", PREFIX / "lib/sysusers.d/msec.conf")
    run("systemctl", "link", *(PREFIX / f"lib/systemd/system/{name}.service" for name in WHERE))
    for name, host in WHERE.items():
        where = Path(f"/etc/systemd/system/{name}.service.d")
        where.mkdir()
        (where / "here.conf").write_text(DROP_IN.format(netns=NETNS / net.hosts[host].netns, prefix=PREFIX))
    run("systemctl", "daemon-reload")
    return {name: Unit(name) for name in WHERE}


def started(units: dict) -> dict:
    for u in units.values():
        u.do("start")
    member, peer = units["gdoi-gm"], units["gsakmp-gm"]
    joined = {"gdoi-gm": member.until(lambda: [g["state"] for g in member.control("status")["groups"]] == ["member"], "it was one"),
              "gsakmp-gm": peer.until(lambda: bool(peer.control("keys")), "it was one")}
    return {"joined": joined, "is": {name: u.is_() for name, u in units.items()},
            "rights": {name: u.rights() for name, u in units.items()}}


def killed(unit: Unit, members) -> dict:
    before = unit.is_()["MainPID"], len(members())
    os.kill(int(before[0]), 9)
    unit.until_active(but=before[0])
    return {"another": unit.is_()["MainPID"] != before[0], "restarts": unit.is_()["NRestarts"], "before": before[1],
            "after": len(members())}


def reloaded(unit: Unit) -> dict:
    pid = unit.is_()["MainPID"]
    with contextlib.closing(_events(unit)) as events:
        next(events)  # from here on
        unit.do("reload")
        event = next(e for e in events if e["event"] in ("reloaded", "reload-failed"))
    return {"event": event["event"], "reason": event.get("reason"), "same": unit.is_()["MainPID"] == pid}


def _events(unit: Unit):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(5 * PATIENCE)
        s.connect(str(unit.control.path))
        s.sendall(b'{"cmd":"subscribe","args":["events"]}\n')
        lines = s.makefile()
        next(lines)  # that it is subscribed
        yield {"event": "subscribed"}
        for line in lines:
            yield json.loads(line)


def wrong(unit: Unit) -> dict:
    """A configuration that cannot be is not tried again."""
    unit.do("stop")
    stopped = unit.is_()
    path = ETC / f"{unit.name}.xml"
    right = path.read_text()
    path.write_text(right.replace("<store ", "<shop "))
    failed = subprocess.run(["systemctl", "start", unit.name], capture_output=True).returncode
    result = {"stopped": stopped, "failed": failed, "is": unit.is_(), "said": unit.journal()[-8:]}
    path.write_text(right)
    run("systemctl", "reset-failed", unit.name)
    unit.do("start")
    return {**result, "again": unit.is_()["ActiveState"]}


def main() -> int:
    told = {}
    os.environ[sandbox.MARK] = os.readlink("/proc/self/ns/mnt")  # the whole guest is one
    with Net("u-") as net:
        lan = net.segment("lan", 1)
        for i, (name, address) in enumerate(ADDRESS.items(), 10):
            net.host(name, lan, i).ip(f"addr add {address}/24 dev eth0")
        units = install(net)
        take(Path("etc"))
        told["started"] = started(units)
        told["xfrm"] = net.hosts["gm1"].run(["ip", "xfrm", "state"]).stdout.count("proto esp")
        told["reloaded"] = {name: reloaded(u) for name, u in units.items()}
        gdoi, gsakmp = units["gdoi-gcks"], units["gsakmp-gcks"]
        told["killed"] = {u.name: killed(u, lambda: u.control("members")) for u in (gdoi, gsakmp)}
        told["wrong"] = wrong(gdoi)
        told["warnings"] = {name: u.journal("--priority=warning") for name, u in units.items()}
        told["journal"] = {name: u.journal() for name, u in units.items()}
        for u in reversed(units.values()):
            u.do("stop")
        told["stopped"] = {name: u.is_() for name, u in units.items()}
        told["left"] = {str(p): f"{p.owner()} {p.stat().st_mode & 0o777:o}" for d in (STATE, RUN) for p in (d, *d.iterdir())}
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
