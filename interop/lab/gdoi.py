# SPDX-License-Identifier: BSD-2-Clause
"""A GDOI group in the lab: gdoi-gcks on one host, members on others; for tests, demos and whoever wants to look at one.

    with Group(directory, members=["alice", "bob"]) as g:
        g.start()                       # the key server, with a policy of its own
        g.keys.control("status")
"""
import contextlib
import secrets
import shutil
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from msec_scapy.gdoi import check, keylog, push, recorded
from msec_scapy.gdoi import numbers as n
from msec_scapy.gdoi.dialect import STRICT

from . import gdoi_forms as forms
from . import gdoi_member as member_forms
from . import wire
from .daemons import Daemon, Sockets
from .pki import Pki
from .scene import DATA, MEMBERS, REKEY, Scene
from .story import need

NUMBER = 7001
SIG_ECDSA_256, SIG_SHA256 = 4, 3  # SIG_ALGORITHM, SIG_HASH_ALGORITHM


class Group:
    """`members` are hosts of the scene with keys and a rule in the policy; `strangers` are hosts without.

    auth: psk, or the kind of all certificates (ecdsa, rsa, p384, p521).  The other keywords are parts of the policy (esp, push,
    kek, signature, ack, eviction, rollover: attributes by name; sas: the whole data protocol) and of the key server's configuration."""

    def __init__(self, directory: Path, members: list = ("alice", "bob"), strangers: list = (), prefix: str = "",
                 auth: str = "psk", ip: int = 4, workers: int = 2, rekey: bool = True, lkh: bool = True,
                 unicast: bool = False, kek_life: str = "2h", tek_life: str = "1h", sid_bits: int = 8, **parts):
        self.dir = Path(directory).resolve()
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir.mkdir(parents=True)
        self.members_of, self.strangers = list(members), list(strangers)
        self.admitted = list(MEMBERS) + ["grace"]
        self.auth, self.ip, self.workers = auth, ip, workers
        self.rekey, self.lkh, self.unicast = rekey, lkh, unicast
        self.kek_life, self.tek_life, self.sid_bits = kek_life, tek_life, sid_bits
        self.name, self.id = "plant", {"number": NUMBER}
        self.esp, self.push, self.kek, self.rollover = {}, {}, {}, {}
        self.signature = {"algorithm": "ecdsa-256", "hash": "sha256"}
        self.ack = {"type": "kek-sha256", "missed": 2}
        self.eviction = {}
        self.phase1, self.rekeying = {}, {}
        self.sas = self.source = self.dialect = self.owner = ""
        for name, value in parts.items():
            if not hasattr(self, name):
                raise TypeError(f"a group has no {name}")
            setattr(self, name, value)
        self.keylog = self.dir / "keylog.txt"
        self.policy_file = self.dir / "policy" / "policy.xml"
        self.policy_file.parent.mkdir()
        self.sockets, self.scene, self.capture = Sockets(), None, None
        self.members = {}  # daemons
        try:
            self._build(prefix)
        except BaseException:
            self.close()
            raise

    def _build(self, prefix: str) -> None:
        self.scene = self.make_scene(prefix, ["keys", *self.members_of, *self.strangers])
        self.capture = self.scene.net.capture(self.dir / "capture.pcapng")
        self.rekey_address, self.data = REKEY[self.ip], DATA[self.ip]
        self.listen = [self.address("keys")]
        self.pki = None
        if self.auth != "psk":
            self.pki = Pki(self.dir / "pki", self.auth)
            for name in ("keys", *self.members_of, *self.strangers):
                self.pki.issue(name, dns=forms.fqdn(name))
        self.push_key = self.dir / "push.key"
        self.push_key.touch(mode=0o600)
        self.push_private = ec.generate_private_key(ec.SECP256R1())
        self.push_key.write_bytes(self.push_private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        self.keys = Daemon(self.scene["keys"], "gdoi-gcks", "keys", self.dir / "daemons", self.sockets, self.keylog)
        self.write_policy()
        self.write_config()

    def make_scene(self, prefix: str, hosts: list) -> Scene:
        return Scene(prefix, hosts)

    def address(self, host: str) -> str:
        return self.scene[host].ip4 if self.ip == 4 else self.scene[host].ip6

    def psk(self, one: str, other: str) -> Path:
        """The file with the key that both share."""
        path = self.dir / "psk" / "-".join(sorted((one, other)))
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(16) + "\n")
        return path

    def secret(self, one: str, other: str) -> bytes:
        return self.psk(one, other).read_text().strip().encode()

    def write_policy(self, xml: str = "", **how) -> None:
        """Put in place as an editor does it: the key server never sees half of it."""
        fresh = self.policy_file.with_suffix(".new")
        fresh.write_text(xml or forms.policy(self, **how))
        fresh.rename(self.policy_file)

    def config(self) -> str:
        return forms.gcks(self, [*self.members_of, *self.strangers])

    def write_config(self, xml: str = "") -> None:
        self.keys.write(xml or self.config())

    def start(self, *extra: str) -> int:
        return self.keys.start(*extra)

    def member_config(self, name: str, **how) -> str:
        """What gdoi-gm on that host is told; the keywords are those of gdoi_member.config()."""
        return member_forms.config(forms.identity(self, name), forms.phase1(self, name, ["keys"]), [self.address("keys")],
                                   [member_forms.group(self.name, **self.id)], f"{name}.db", self.sockets.path / name, **how)

    def member(self, name: str, **how) -> member_forms.Member:
        """A gdoi-gm on that host, not started."""
        m = self.members[name] = member_forms.Member(self.scene[name], name, self.dir / "daemons", self.sockets, self.keylog)
        m.write(self.member_config(name, **how))
        return m

    def status(self) -> dict:
        """What the key server says of the group."""
        return self.keys.control("status")["groups"][0]

    def pushes(self):
        """(SPI, SEQ, message) of each PUSH on the wire, copies included, opened with the key log and verified by the second
        implementation; its Refusal for one that is not as RFC 6407 has it."""
        log = keylog.KeyLog.read(self.keylog)
        for d in wire.datagrams(self.capture.path):
            if d.destination != self.rekey_address:
                continue
            head = check.header(d.payload)
            need(head.exchange == n.X_PUSH and head.spi in log.keks, f"a PUSH of {head.spi.hex()}, which the key log does not have")
            algorithm, iv, key = log.keks[head.spi]
            kek = push.Kek(head.spi, algorithm, key, iv, SIG_ECDSA_256, SIG_SHA256, self.push_private.public_key())
            m, _, _ = recorded.open_push(kek, head, d.payload, STRICT)
            recorded.verify_push(kek, d.payload, m, STRICT)
            yield head.spi, m.one(n.P_SEQ).value, m

    def daemons(self) -> list:
        return [*self.members.values(), self.keys]

    def finish(self) -> None:
        """An orderly end: every program stops by itself and had nothing to complain about."""
        for d in self.daemons():
            if d.running:
                d.finish()
        if self.capture:
            self.capture.stop()

    def close(self) -> None:
        """Whatever state it is in: gone."""
        if self.scene:
            self.scene.close()
        self.sockets.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.finish()
        finally:
            self.close()


@contextlib.contextmanager
def opened(directory: Path, prefix: str = "", cls: type = Group):
    """make(*members, start=True, **how) opens a group with its key server running; at the end all of them stop in order, or
    are gone if that fails."""
    made = []

    def make(*members, start=True, cls=cls, **how):
        made.append(cls(Path(directory) / f"group{len(made)}", list(members), prefix=prefix, **how))
        if start:
            made[-1].start()
        return made[-1]

    try:
        yield make
        for g in made:
            g.finish()
    finally:
        for g in made:
            g.close()
