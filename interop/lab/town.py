# SPDX-License-Identifier: BSD-2-Clause
"""Groups as people make them: policies from templates, signed by one of several Group Owners, served by one key server.

    t = Town(directory, prefix, ["owner", "keys", "gm0", "gm1"])
    g = t.template("news", "one-to-many", senders=["gm0"])
    t.publish(g)
    keys = t.gcks(g)
    gm0 = t.gm("gm0", g)

Every name is a host, a party with a certificate, and the daemon that runs there.
"""
import calendar
import contextlib
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from . import LabError
from .build import program
from .daemons import Daemon, Sockets
from .net import Net
from .pki import Pki, dn
from .process import App

PORT, REKEY_PORT, OWNER_PORT = 3761, 3762, 3764
DATA = "239.78.1.1:5000"


@dataclass
class TownGroup:
    name: str
    owner: str
    number: int
    policy: Path
    token: Path
    announcement: Path
    edition: int = 0
    signed: int = 0  # seconds since 1970: the signing time of that edition

    @property
    def random(self) -> str:
        return f"{self.number:016x}"

    @property
    def rekey(self) -> str:
        return f"239.78.0.{self.number}"

    @property
    def group_id(self) -> str:
        return f'<group-id type="octet-string" random="{self.random}" name="{self.name}"/>'


class Town:
    def __init__(self, directory, prefix: str, names: list):
        self.dir = Path(directory)
        self.stack = contextlib.ExitStack()
        self.sockets = Sockets()
        self.stack.callback(self.sockets.close)
        self.net = self.stack.enter_context(Net(prefix))
        lan = self.net.segment("lan", 1)
        self.hosts = {n: self.net.host(n, lan, 10 + i) for i, n in enumerate(names)}
        self.pki = Pki(self.dir / "pki")
        for n in names:
            self.pki.issue(n)
        self.keylog, self.daemons, self.groups, self.apps = self.dir / "keylog", [], [], []
        self.dialect = ""  # of every daemon: <switch .../> elements

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stack.close()

    def finish(self) -> None:
        """An orderly end of everything that still runs."""
        for a in self.apps:
            if a.running:
                a.stop()
        for d in self.daemons:
            d.finish()

    def tool(self, *args) -> str:
        r = subprocess.run([program("msec-token"), *map(str, args)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if r.returncode:
            raise LabError(f"msec-token {' '.join(map(str, args))}: status {r.returncode}\n{r.stdout}{r.stderr}")
        return r.stdout

    # -- groups ---------------------------------------------------------------------------------------------------------

    def template(self, name: str, template: str = "", owner: str = "owner", senders: list = (), subs: list = (), extra: list = (),
                 number: int = 0) -> TownGroup:
        """A policy; nobody has signed it yet.  `number`: of the GroupID, where two groups are to have the same."""
        n = number or len(self.groups) + 1
        file = self.dir / f"{name}-{owner}"
        g = TownGroup(name, owner, n, *(file.with_suffix(s) for s in (".xml", ".token", ".announcement.xml")))
        self.groups.append(g)
        self.tool("new", *(["--template", template] if template else []), "--group", name, "--random", g.random,
                  "--ca", self.pki.intermediate.cert, "--gcks", dn("keys"), "--members", dn("*"),
                  *(x for s in senders for x in ("--sender", dn(s))), *(x for s in subs for x in ("--sub-gcks", dn(s))),
                  *extra, "-o", g.policy)
        return g

    @staticmethod
    def outlive(signing_time: str) -> None:
        """Until the clock has passed that second: an owner that has forgotten it signs at the time that it is, which then is later."""
        end = calendar.timegm(time.strptime(signing_time, "%Y-%m-%dT%H:%M:%SZ")) + 1
        while (left := end - time.time()) > 0:
            time.sleep(left)

    def publish(self, g: TownGroup, by: str = "") -> None:
        """Sign the next edition into the token file, and announce the group."""
        p = self.pki.parties[by or g.owner]
        g.edition += 1
        g.signed = max(int(time.time()), g.signed + 1)  # RFC 4534 section 2: later than the last one
        new = g.token.with_suffix(".new")
        self.tool("sign", g.policy, "--edition", g.edition,
                  "--signing-time", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(g.signed)), "--cert", p.chain, "--key", p.key, "-o", new)
        new.rename(g.token)
        self.tool("announce", "--token", g.token, "--key-server", f"{self.hosts['keys'].ip4}:{PORT}={dn('keys')}",
                  "--rekey", f"{g.rekey}:{REKEY_PORT}", "--cert", p.chain, "--key", p.key, "-o", g.announcement)

    # -- daemons --------------------------------------------------------------------------------------------------------

    def daemon(self, program_name: str, host: str, xml: str, name: str = "") -> Daemon:
        d = Daemon(self.hosts[host], program_name, name or host, self.dir / "daemons", self.sockets, self.keylog)
        d.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<{program_name}>\n{xml}</{program_name}>\n')
        self.daemons.append(d)
        return d

    def app(self, d: Daemon, mode: str, *args) -> App:
        """The data application of the member `d`; all groups of a test share one data address."""
        a = App(d.host, f"data-{mode}-{d.name}", self.dir / "data",
                [sys.executable, "-m", "lab.dataapp", mode, "--control", str(d.control.path), "--to", DATA, *map(str, args)])
        self.apps.append(a)
        a.wait("sending" if mode == "send" else "receiving")
        return a

    def _dialect(self) -> str:
        return f"<dialect>{self.dialect}</dialect>\n" if self.dialect else ""

    def _trust(self) -> str:
        return f'  <trust><root file="{self.pki.root.cert}"/><crl file="{self.pki.crl}"/></trust>\n'

    def _who(self, party: str, owner: str, name: str) -> str:
        p = self.pki.parties[party]
        return (f'  <identity certificate="{p.chain}" key="{p.key}"/>\n{self._trust()}'
                f'  <group-owner certificate="{self.pki.parties[owner].cert}"/>\n'
                f'  <store path="{name}.db"/>\n  <control socket="{self.sockets.path / name}"/>\n')

    def go(self, owner: str, *groups: TownGroup, start: bool = True) -> Daemon:
        """msec-go of one owner, on its host."""
        p = self.pki.parties[owner]
        rows = "".join(f'  <group name="{g.name}" policy="{g.policy}" deliver-to="{g.token}"/>\n' for g in groups)
        d = self.daemon("msec-go", owner, f'  <owner certificate="{p.chain}" key="{p.key}"/>\n{self._trust()}'
                        f'  <store path="{owner}.db"/>\n  <control socket="{self.sockets.path / owner}"/>\n'
                        f'  <listen address="{self.hosts[owner].ip4}" port="{OWNER_PORT}"/>\n{rows}')
        if start:
            d.start()
        return d

    def gcks(self, *groups: TownGroup, tls: bool = False, receivers: str = "", start: bool = True) -> Daemon:
        """The key server, for groups of any owners; tokens come from files, or from the owners' daemons."""
        ip = self.hosts["keys"].ip4
        rows = ""
        for g in groups:
            own = "" if g.owner == groups[0].owner else f'<group-owner certificate="{self.pki.parties[g.owner].cert}"/>'
            source = f'owner="{self.hosts[g.owner].ip4}" port="{OWNER_PORT}"' if tls else f'file="{g.token}"'
            rows += (f'  <group name="{g.name}">{g.group_id}{own}<token {source}/>\n'
                     f'    <multicast address="{g.rekey}" port="{REKEY_PORT}" interface="eth0"/>\n'
                     f'    <rekey resend-spacing="100ms"/>{receivers}{self._dialect()}</group>\n')
        d = self.daemon("gsakmp-gcks", "keys", self._who("keys", groups[0].owner, "keys")
                        + f'  <listen workers="1"><udp address="{ip}" port="{PORT}"/></listen>\n{rows}')
        if start:
            d.start()
        return d

    def gm(self, party: str, g: TownGroup, name: str = "", static_key: str = "", start: bool = True) -> Daemon:
        """A member, started and not yet joining; `name`: of the daemon, where a party is in two groups."""
        name = name or party
        only = f'  <receive-only static-key="{static_key}"/>\n' if static_key else ""
        port = f' port="{PORT}"' if static_key else ""
        d = self.daemon("gsakmp-gm", party, self._who(party, g.owner, name)
                        + f'  <announcement file="{g.announcement}"/>\n  <network interface="eth0"{port}/>\n{only}'
                        '  <membership timeout="2s" grace="2s"/>\n' + self._dialect(), name)
        if start:
            d.start()
        return d
