# SPDX-License-Identifier: BSD-2-Clause
"""What the manual pages say is typed by hand is typed here as it stands: a group of GDOI with pre-shared keys."""
import os
import re
import shutil
from pathlib import Path

import pytest

from lab import PREFIX, TOP
from lab.build import program
from lab.by_hand import ByHand, examples
from lab.daemons import Daemon

ADDRESS = {"gcks": "192.0.2.1", "gm1": "192.0.2.2", "gm2": "192.0.2.3"}


@pytest.fixture
def hand(net, ended):
    return ended(ByHand(net, ADDRESS))


@pytest.mark.req("RFC6407-3.4-03", "RFC6407-3.4-05")
def test_the_examples_of_the_manual_make_a_group(hand):
    """Files, key server, two members; they may send with what the kernel can do; one is evicted."""
    files, gcks_xml, after = examples("gdoi/man/gdoi-gcks.xml.5")
    gm_xml, then = examples("gdoi/man/gdoi-gm.xml.5")
    hand.typed("gcks", files)
    (hand.path / "gcks.xml").write_text(gcks_xml)
    (hand.path / "gm1.xml").write_text(gm_xml)
    (hand.path / "gm2.xml").write_text(gm_xml.replace("gm1", "gm2").replace(ADDRESS["gm1"], ADDRESS["gm2"]))
    check, run, members, evict, refusals = re.sub(r"\s+#.*", "", after).splitlines()
    assert "good" in hand.typed("gcks", check)
    hand.start("gcks", "gdoi-gcks", run)
    gm_check, gm_run, *asked = then.splitlines()
    for name in ("gm1", "gm2"):
        assert "good" in hand.typed(name, gm_check.replace("gm1", name))
        hand.start(name, "gdoi-gm", gm_run.replace("gm1", name)).wait("joined")
    status, keys, in_the_kernel = asked
    assert "192.0.2.1:848" in hand.typed("gm1", status) and "239.77.1.1" in hand.typed("gm1", keys)
    hand.typed("gm1", in_the_kernel)  # what is there depends on the kernel that the tests run on
    key, = hand.daemons["gm1"].control("keys")
    assert key["may_send"] and key["dst"] == "239.77.1.1" and "sid_bits" not in key, "the kernel makes the IVs of CBC itself"
    assert "fqdn:gm1.example" in hand.typed("gcks", members) and "fqdn:gm2.example" in hand.typed("gcks", members)
    mark = hand.daemons["gm1"].mark()
    hand.typed("gcks", evict)
    hand.daemons["gm1"].wait("rekeyed", since=mark)
    assert "gm2" not in hand.typed("gcks", members)
    hand.typed("gcks", refusals)


# -- as a service -------------------------------------------------------------------------------------------------------

NOBODY = 65534


class Service(Daemon):
    """As its unit has it: another user than root, with the capabilities that the unit names and no way to others."""

    def allowed(self):
        unit = (TOP / "gdoi/daemon" / f"{self.program}.service.in").read_text()
        ambient, bounding = (re.search(rf"^{key}=(.*)$", unit, re.M)[1].split() for key in ("AmbientCapabilities", "CapabilityBoundingSet"))
        assert ambient == bounding and "\nUser=msec\n" in unit and "\nNoNewPrivileges=yes\n" in unit
        return [c.removeprefix("CAP_").lower() for c in ambient]

    def command(self, *extra):
        caps = ",".join(["-all", *(f"+{c}" for c in self.allowed())])
        installed, *words = super().command(*extra)
        return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", f"--inh-caps={caps}", f"--ambient-caps={caps}",
                f"--bounding-set={caps}", "--no-new-privs", "env", f"MSEC_DATADIR={self.reachable / 'share'}",
                self.reachable / Path(installed).name, *words]

    def rights(self):
        """What the kernel says that it is and may."""
        text = Path(f"/proc/{self._p.pid}/status").read_text()
        return {key: re.search(rf"^{key}:\s*(.*)$", text, re.M)[1].split() for key in ("Uid", "CapEff", "CapBnd", "NoNewPrivs")}


@pytest.mark.skipif(not shutil.which("setpriv"), reason="needs setpriv")
def test_the_units_give_daemons_all_that_they_need(hand):
    """The group of the manual by daemons that are not root: port 848, the store, the control socket, policies in the kernel."""
    if str(NOBODY + 1) not in Path("/proc/self/uid_map").read_text() and "4294967295" not in Path("/proc/self/uid_map").read_text():
        pytest.skip("there is nobody else in this user namespace")
    files, gcks_xml, after = examples("gdoi/man/gdoi-gcks.xml.5")
    gm_xml, then = examples("gdoi/man/gdoi-gm.xml.5")
    hand.typed("gcks", files)
    Service.reachable = hand.path / "installed"  # the sources may be where nobody but root gets, as in /root
    shutil.copytree(PREFIX / "share/msec", Service.reachable / "share")
    for name in ("gdoi-gcks", "gdoi-gm"):
        shutil.copy(program(name), Service.reachable)
    locks = hand.path / "locks"
    locks.mkdir()
    (hand.path / "gcks.xml").write_text(gcks_xml)
    (hand.path / "gm1.xml").write_text(gm_xml.replace("<kernel/>", f'<kernel lock-directory="{locks}"/>'))
    for p in (hand.path, *hand.path.rglob("*")):
        os.chown(p, NOBODY, NOBODY)
    keys = hand.start("gcks", "gdoi-gcks", after.splitlines()[1], daemon=Service)
    member = hand.start("gm1", "gdoi-gm", then.splitlines()[1], daemon=Service)
    member.wait("joined")
    assert list(locks.iterdir()), "the numbers in the kernel are its own"
    assert "239.77.1.1" in member.host.run(["ip", "xfrm", "policy"]).stdout
    for d, caps in ((keys, 1 << 10), (member, 1 << 10 | 1 << 12)):  # CAP_NET_BIND_SERVICE, CAP_NET_ADMIN
        r = d.rights()
        assert r["Uid"] == [str(NOBODY)] * 4 and r["NoNewPrivs"] == ["1"]
        assert int(r["CapEff"][0], 16) == int(r["CapBnd"][0], 16) == caps, r
    mark = member.mark()
    keys.control("rekey", "tek")
    member.wait("rekeyed", since=mark)
