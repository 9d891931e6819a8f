# SPDX-License-Identifier: BSD-2-Clause
"""A key server on the loopback interface, with a policy that admits every member of the load generator."""
import json
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from lab import LabError
from lab.build import program
from lab.forms import entity
from lab.pki import Pki, dn

PORT = 3761
RANDOM, NAME = "6d736563626e6368", "bench"
# Name of the suite in bench.c: kind of keys, and the mechanisms as a policy spells them.
SUITES = {
    "rsa2048-modp2048": ("rsa", "rsa-sha256", "sha256", "modp2048", "aes128-cbc"),
    "p256": ("ecdsa", "ecdsa-p256-sha256", "sha256", "p256", "aes128-gcm"),
}


def policy(pki: Pki, suite: str) -> str:
    _, signature, digest, exchange, cipher = SUITES[suite]
    ca = pki.intermediate.key_id.hex()
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<policy version="1" edition="1">
  <group-id type="utf-8" random="{RANDOM}" name="{NAME}"/>
  <registration>
    <register>
      <gsakmp transport="udp">
        <gcks>
{entity(pki, "entity", "keys", 10)}        </gcks>
        <senders>
          <all/>
        </senders>
        <access-control>
          <rule ca="{ca}">{dn("*")}</rule>
        </access-control>
        <mechanisms>
          <a-la-carte signature="{signature}" hash="{digest}" key-exchange="{exchange}" key-wrap="{cipher}" timeout="10s" terse="true"/>
        </mechanisms>
      </gsakmp>
    </register>
    <de-register>
      <none/>
    </de-register>
  </registration>
  <rekey>
    <gsakmp signature="{signature}" hash="{digest}" interval="2d">
      <authorization>
{entity(pki, "entity", "keys", 8)}      </authorization>
      <event time="1d"/>
      <method>
        <lkh key-type="{cipher}"/>
      </method>
      <reliability>
        <none/>
      </reliability>
      <sub-gcks-info>
        <none/>
      </sub-gcks-info>
    </gsakmp>
  </rekey>
  <data>
    <generic>
      <encryption key-id="00000001"/>
    </generic>
  </data>
</policy>
"""


class KeyServer:
    """gsakmp-gcks with one group.  Its store stays in `directory` between start() and start()."""
    binary = "gsakmp-gcks"
    nice = 0  # as of nice(1)

    def __init__(self, directory: Path, suite: str, workers: int, cookies: str = "never"):
        self.dir, self.suite, self.process = Path(directory), suite, None
        self.dir.mkdir(parents=True, exist_ok=True)
        self.pki = Pki(self.dir / "pki", SUITES[suite][0])
        for name in ("owner", "keys"):
            self.pki.issue(name)
        self._tmp = tempfile.TemporaryDirectory(prefix="msec-")
        self.socket = Path(self._tmp.name) / "keys"
        self.log = self.dir / "keys.log"
        owner = self.pki.parties["owner"]
        (self.dir / "policy.xml").write_text(policy(self.pki, suite))
        for argv in (["compile", "policy.xml", "-o", "policy.der"],
                     ["sign", "--cert", owner.cert, "--key", owner.key, "policy.der", "-o", "policy.token"]):
            subprocess.run([program("msec-token"), *argv], cwd=self.dir, check=True, stdout=subprocess.DEVNULL)
        keys = self.pki.parties["keys"]
        (self.dir / "keys.xml").write_text(f"""<?xml version="1.0" encoding="UTF-8"?>
<gsakmp-gcks>
  <identity certificate="{keys.chain}" key="{keys.key}"/>
  <trust>
    <root file="{self.pki.root.cert}"/>
    <crl file="{self.pki.crl}"/>
  </trust>
  <group-owner certificate="{owner.cert}"/>
  <store path="keys.db"/>
  <control socket="{self.socket}"/>
  <listen workers="{workers}">
    <udp address="127.0.0.1" port="{PORT}"/>
  </listen>
  <cookies mode="{cookies}"/>
  <group name="{NAME}">
    <group-id type="utf8" random="{RANDOM}" name="{NAME}"/>
    <token file="{self.dir / "policy.token"}"/>
    <multicast address="239.77.9.1" port="{PORT}" interface="lo"/>
    <rekey join-window="1s"/>
    <registration timeout="10s" sessions-max="100000"/>
  </group>
  <run sandbox="yes"/>
  <log level="warning"/>
</gsakmp-gcks>
""")

    @property
    def group_id(self) -> str:
        return self.status()["groups"][0]["group_id"]

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(["nice", "-n", str(self.nice), program(self.binary), "--config", self.dir / "keys.xml"],
                                            cwd=self.dir, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + 120
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            status = self.status()
            if status and status["groups"][0]["state"] == "open":
                return
            time.sleep(0.02)  # its control socket says nothing before it is there
        raise LabError(f"the key server does not serve; its log {self.log} ends\n" + self.log.read_text()[-2000:])

    def status(self):
        r = subprocess.run([program("msec-ctl"), "--json", self.socket, "status"], capture_output=True, text=True)
        if r.returncode:
            return None
        answer = json.loads(r.stdout)
        return answer.get("result", answer)

    def members(self) -> int:
        """Acknowledged ones."""
        return self.status()["groups"][0]["members"]

    def members_of(self, want: int, seconds: float = 60) -> int:
        """As many, once the last acknowledgements have been read: whoever has sent one is a member and does not wait."""
        end = time.monotonic() + seconds
        while (n := self.members()) < want and time.monotonic() < end:
            time.sleep(0.02)  # between two looks
        return n

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def kill(self) -> None:
        """As a crash would."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def forget(self) -> None:
        """A new, empty group next time."""
        for p in self.dir.glob("keys.db*"):
            p.unlink()

    def arguments(self) -> list:
        """Of the load generator."""
        p = self.pki
        return ["--ca", p.intermediate.cert, "--ca-key", p.intermediate.key, "--root", p.root.cert,
                "--owner", p.parties["owner"].cert, "--group", self.group_id, "--suite", self.suite, "--port", str(PORT),
                "--pid", str(self.process.pid), "--threads", str(os.cpu_count() or 1)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self._tmp.cleanup()
