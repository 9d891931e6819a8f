# SPDX-License-Identifier: BSD-2-Clause
"""Hosts on one link on which is typed what the manual pages say is typed by hand, as it stands."""
import os
import re
from pathlib import Path

from . import TOP
from .build import program
from .daemons import Daemon, Sockets
from .process import Control


def examples(page: str) -> list:
    """The literal displays of a page's EXAMPLES, in their order."""
    text = (TOP / page).read_text().split(".Sh EXAMPLES")[1].split(".Sh ")[0]
    return [t.replace("\\e", "\\") for t in re.findall(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed", text, re.S | re.M)]


def commands(display: str) -> list:
    """The lines of a display without its comments; those that go on in the next line in one."""
    return re.sub(r"\s+#.*", "", display.replace("\\\n", " ")).splitlines()


class ByHand:
    """`address`: of each host; all work in one short folder, as the examples' sockets are beside their configurations."""

    def __init__(self, net, address: dict):
        self.sockets = Sockets()
        self.path = Path(self.sockets.path)
        lan = net.segment("lan", 1)
        self.hosts = {name: net.host(name, lan, 10 + i) for i, name in enumerate(address)}
        for name, host in self.hosts.items():
            host.ip(f"addr add {address[name]}/24 dev eth0")
        self.daemons = {}

    def typed(self, name: str, line: str) -> str:
        path = ":".join([str(program(p).parent) for p in ("msec-ctl", "gdoi-gm")] + [os.environ["PATH"]])
        return self.hosts[name].run(["sh", "-ec", line], cwd=self.path, env={**os.environ, "PATH": path}).stdout

    def start(self, name: str, kind: str, line: str, daemon=Daemon) -> Daemon:
        assert line == f"{kind} -c {name}.xml &", line
        d = self.daemons[name] = daemon(self.hosts[name], kind, name, self.path, self.sockets)
        d.control = Control(self.path / f"{name}.sock")
        d.start()
        return d

    def finish(self) -> None:
        for d in self.daemons.values():
            d.finish()

    def close(self) -> None:
        self.sockets.close()
