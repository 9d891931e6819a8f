# SPDX-License-Identifier: BSD-2-Clause
"""A GDOI group that its Group Owner announces, in editions; and a second key server of it, for those that say so."""
import subprocess

from . import gdoi_forms
from . import gdoi_member as forms
from .build import program
from .daemons import Daemon
from .gdoi import Group
from .scene import REKEY

SECOND = "dave"  # where another key server can be
PROPOSAL = 'authentication="ecdsa-256" encryption="aes" key-length="128" hash="sha256" group="p256"'


def document(group, server="", named=True, number="", phase1=PROPOSAL, rekey="", until="2100-01-01", doi=2, serial=1, name_of="plant", flows=""):
    name = f' type="fqdn">{named if isinstance(named, str) else gdoi_forms.fqdn("keys")}</key-server>' if named else "/>"
    return f"""<announcement serial="{serial}" not-after="{until}T00:00:00Z">
  <group-id type="utf-8" random="0011223344556677" name="{name_of}"/>
  <key-server address="{server or group.address("keys")}"{name}
  <gdoi doi="{doi}" situation="0">
    <group number="{number or group.id["number"]}"/>
    <phase1 {phase1}/>
  </gdoi>
  <rekey group="{rekey or REKEY[4]}" port="848"/>
{flows}</announcement>
"""


class Announced(Group):
    """Members are told of the Group Owner, and by its announcement of everything else."""

    def __init__(self, directory, prefix):
        super().__init__(directory, ["alice", "bob"], strangers=["owner", "mallory", SECOND], prefix=prefix, auth="ecdsa")

    def announce(self, name, text, signer="owner"):
        p, plain, file = self.pki.parties[signer], self.dir / f"{name}.plain.xml", self.dir / f"{name}.announced.xml"
        plain.write_text(text)
        fresh = file.with_suffix(".new")
        done = subprocess.run([program("msec-token"), "announce", "--cert", p.chain, "--key", p.key, plain, "-o", fresh],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return fresh.rename(file)

    def publish(self, serial, signer="owner", **what):
        """Another edition takes the place of the one that members read; `what` are keywords of document()."""
        return self.announce("plant", document(self, serial=serial, **what), signer)

    def told(self, name, *files, servers=(), proposal="", owner="", watch="1h", store="", **how):
        """A member of groups that these files announce."""
        phase1 = gdoi_forms.phase1(self, name, ["keys"])
        line = next(t for t in phase1.splitlines(True) if "<proposal" in t)
        who = (gdoi_forms.identity(self, name) + phase1.replace(line, proposal)
               + (owner or f'  <group-owner certificate="{self.pki.parties["owner"].cert}"/>\n'))
        groups = [f'  <group name="g{i or ""}"><announcement file="{f}" watch="{watch}"/></group>\n' for i, f in enumerate(files)]
        m = self.members[name] = forms.Member(self.scene[name], name, self.dir / "daemons", self.sockets, self.keylog)
        m.write(forms.config(who, "", list(servers), groups, store or f"{name}.db", self.sockets.path / name, **how))
        return m

    def second(self) -> Daemon:
        """Another key server, with the same policy, another name and keys of its own; not started."""
        policy = self.policy_file.with_name("second.xml")
        policy.write_text(self.policy_file.read_text().replace(gdoi_forms.fqdn("keys"), gdoi_forms.fqdn(SECOND)))
        text = self.config()
        for old, new in ((gdoi_forms.identity(self, "keys"), gdoi_forms.identity(self, SECOND)), ("keys.db", "second.db"),
                         (str(self.sockets.path / "keys"), str(self.sockets.path / "second")), (str(self.policy_file), str(policy)),
                         (f'address="{self.address("keys")}"', f'address="{self.address(SECOND)}"')):
            assert old in text, old
            text = text.replace(old, new)
        d = self.members["second"] = Daemon(self.scene[SECOND], "gdoi-gcks", "second", self.dir / "daemons", self.sockets, self.keylog)
        d.write(text)
        return d
