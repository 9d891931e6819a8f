# SPDX-License-Identifier: BSD-2-Clause
"""GDOI: a key server, and strongSwan's charon beside it, on the loopback interface; the figures made with them."""
import os
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lab import LabError
from lab.charon import CHARON, CONF, PLUGINS
from lab.pki import Pki

from . import plot
from .profile import Profile, text as profile_text
from .server import KeyServer

PORT, GROUP = 848, 7001
SECRET = "5f8d2c0b7a9e4413"
# How members prove who they are: kind of certificate, the reference's suite, proposal, name for people, aim.
AUTHS = {
    "rsa": ("rsa", "rsa2048-modp2048", ("rsa", "modp2048"), "Main Mode with RSA-2048 and MODP-2048", 0.85),
    "ecdsa": ("ecdsa", "p256", ("ecdsa-256", "ecp256"), "Main Mode with ECDSA P-256 and ECP-256", 0.75),
    "psk": ("", "rsa2048-modp2048", ("psk", "modp2048"), "Main Mode with a pre-shared key and MODP-2048", 0.75),
}
# Of a responder.  PULL itself needs none.
OPS = {
    "rsa": {"sign": 1, "verify": 2, "generate": 1, "derive": 1},
    "ecdsa": {"sign": 1, "verify": 2, "generate": 1, "derive": 1},
    "psk": {"generate": 1, "derive": 1},
}


def policy(pki, lkh: str) -> str:
    ca = pki.intermediate.key_id.hex() if pki else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<policy version="1">
  <group-id type="utf-8" random="6d736563626e6368" name="bench"/>
  <registration>
    <register>
      <gdoi>
        <group number="{GROUP}"/>
        <sender-ids bits="24"/>
        <gcks>
          <entity type="fqdn" ca="{ca}">keys.lab.example</entity>
        </gcks>
        <senders>
          <all/>
        </senders>
        <access-control>
          <rule type="fqdn" ca="{ca}">*.lab.example</rule>
        </access-control>
      </gdoi>
    </register>
    <de-register>
      <none/>
    </de-register>
  </registration>
  <rekey>
    <gdoi>
      <push destination="239.77.9.2" destination-port="{PORT}"/>
      <kek algorithm="aes" key-length="128" lifetime="1d"{lkh}/>
      <signature algorithm="ecdsa-256" hash="sha256"/>
    </gdoi>
  </rekey>
  <data>
    <ipsec>
      <sa transform="aes-gcm-16" key-length="128" mode="transport">
        <traffic protocol="udp" destination="239.77.9.3"/>
        <lifetime time="12h"/>
      </sa>
    </ipsec>
  </data>
</policy>
"""


class GdoiServer(KeyServer):
    """gdoi-gcks with one group; see KeyServer for what it can do."""
    binary = "gdoi-gcks"

    def __init__(self, directory: Path, auth: str):  # pylint: disable=super-init-not-called
        self.dir, self.auth, self.process = Path(directory), auth, None
        self.dir.mkdir(parents=True, exist_ok=True)
        kind, _, (method, group), _, _ = AUTHS[auth]
        self.pki = Pki(self.dir / "pki", kind) if kind else None
        self._tmp = tempfile.TemporaryDirectory(prefix="msec-")
        self.socket, self.log = Path(self._tmp.name) / "keys", self.dir / "keys.log"
        (self.dir / "policy.xml").write_text(policy(self.pki, ' lkh-degree="2"'))
        self._private(self.dir / "push.key", ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        self._private(self.dir / "psk", f"{SECRET}\n".encode())
        if self.pki:
            p = self.party = self.pki.issue("keys", dns="keys.lab.example")
            identity = (f'  <identity certificate="{p.chain}" key="{p.key}" name-type="fqdn"/>\n  <trust>\n    <root file="'
                        f'{self.pki.root.cert}"/>\n    <crl file="{self.pki.crl}"/>\n  </trust>\n')
            psk = ""
        else:
            identity = '  <identity name="keys.lab.example" name-type="fqdn"/>\n'
            # Main Mode knows a peer by its address: those of the load generator's sockets.
            psk = "".join(f'    <pre-shared-key file="{self.dir / "psk"}" address="127.1.{thread}.{1 + i}"/>\n'
                          for thread in range(os.cpu_count() or 1) for i in range(16))
        (self.dir / "keys.xml").write_text(f"""<?xml version="1.0" encoding="UTF-8"?>
<gdoi-gcks>
{identity}  <phase1 nat-traversal="no" certificate-request="no">
{psk}    <peer name="*.lab.example" name-type="fqdn"/>
    <proposal encryption="aes128-cbc" hash="sha256" authentication="{method}" group="{group}"/>
  </phase1>
  <store path="keys.db"/>
  <control socket="{self.socket}"/>
  <listen>
    <udp address="127.0.0.1" port="{PORT}"/>
  </listen>
  <registration half-open-max="100000" half-open-address-max="100000" sas-max="1000000"/>
  <group name="bench">
    <group-id number="{GROUP}"/>
    <policy file="policy.xml"/>
    <signer key="push.key"/>
    <multicast interface="lo"/>
  </group>
  <log level="warning"/>
</gdoi-gcks>
""")

    @staticmethod
    def _private(path: Path, octets: bytes) -> None:
        path.touch(mode=0o600)
        path.write_bytes(octets)

    def arguments(self) -> list:
        out = ["--auth", self.auth, "--group", str(GROUP), "--port", str(PORT), "--pid", str(self.process.pid),
               "--threads", str(os.cpu_count() or 1)]
        return out + credentials(self)


def credentials(server) -> list:
    if not server.pki:
        return ["--psk", SECRET]
    p = server.pki
    return ["--ca", p.intermediate.cert, "--ca-key", p.intermediate.key, "--root", p.root.cert]


class Charon:
    """The same phase 1 by strongSwan, on port 500, under the same authority."""

    def __init__(self, server: GdoiServer):
        self.server, self.home = server, server.dir / "charon"
        self.home.mkdir(exist_ok=True)
        self._tmp = tempfile.TemporaryDirectory(prefix="msec-")
        self.vici = Path(self._tmp.name) / "vici"
        conf = CONF.format(plugins=PLUGINS, vici=self.vici, keep_alive=20)
        # Without its brake on strangers, and without its log, which would be what is measured.
        conf = conf.replace("  port = 500\n", "  port = 500\n  dos_protection = no\n  cookie_threshold = 0\n  block_threshold = 0\n")
        for level in ("default = 1", "ike = 2", "enc = 1", "net = 1"):
            conf = conf.replace(level, level[:-1] + "-1")
        (self.home / "strongswan.conf").write_text(conf)
        self.env = dict(os.environ, STRONGSWAN_CONF=str(self.home / "strongswan.conf"), SWANCTL_DIR=str(self.home))

    def __enter__(self):
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(["unshare", "-m", "sh", "-c", f"mount -t tmpfs none /run; exec {CHARON}"], env=self.env,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + 30
        while not self.vici.exists():
            if time.monotonic() > end or self.process.poll() is not None:
                self.__exit__()
                raise LabError(f"charon does not start; its log is {self.home / 'log'}")
            time.sleep(0.02)  # charon tells nobody that its socket is there
        try:
            self._configure()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._tmp.cleanup()

    def _configure(self) -> None:
        d, pki = self.home, self.server.pki
        for sub in ("x509", "x509ca", "private"):
            (d / sub).mkdir(exist_ok=True)
        auth, certs, secrets = "psk", "", f'secrets {{\nike-1 {{\nsecret = "{SECRET}"\n}}\n}}\n'
        if pki:
            p = self.server.party
            for source, to in ((p.cert, "x509/own.pem"), (p.key, "private/own.pem"), (pki.root.cert, "x509ca/root.pem"),
                               (pki.intermediate.cert, "x509ca/intermediate.pem")):
                (d / to).write_bytes(Path(source).read_bytes())
            auth, certs, secrets = "pubkey", "certs = own.pem\n", ""
        group = AUTHS[self.server.auth][2][1]
        (d / "swanctl.conf").write_text(f"""connections {{
it {{
version = 1
local_addrs = 127.0.0.1
remote_addrs = %any
proposals = aes128-sha256-{group}
send_certreq = no
send_cert = always
local {{
auth = {auth}
id = "keys.lab.example"
{certs}}}
remote {{
auth = {auth}
id = "%any"
}}
}}
}}
{secrets}""")
        r = subprocess.run(["swanctl", "--load-all", "--clear", "--noprompt", "--uri", f"unix://{self.vici}"], env=self.env,
                           capture_output=True, text=True, timeout=30)
        if r.returncode:
            raise LabError(f"swanctl: {r.stdout}{r.stderr}")

    def arguments(self) -> list:
        # Its process is the one that `unshare` became.
        return ["--auth", self.server.auth, "--port", "500", "--phase1", "yes", "--plain", "yes", "--pid", str(self.process.pid),
                "--threads", str(os.cpu_count() or 1), *credentials(self.server)]


def others(auth: str, whole: dict, seconds: float, f) -> dict:
    """By OpenSSL alone: what a responder computes over the messages of a registration besides public-key operations."""
    if not whole["messages"]:
        raise LabError("there was no registration without a repetition to take the sizes of messages from")
    r = f.run_json([f.tool("bench_gdoi_reference"), "--auth", auth, "--messages", ",".join(map(str, whole["messages"])),
                    "--sa", whole["sa_octets"], "--seconds", seconds / 3, "--threads", f.CORES])
    r["phase1_ns"] = r["phase1_prf_ns"] + r["phase1_cipher_ns"] + r["nonce_ns"]
    r["all_ns"] = r["phase1_ns"] + r["pull_prf_ns"] + r["pull_cipher_ns"] + r["nonce_ns"]
    return r


def _all(r: dict, n: int, what: str) -> float:
    """Processor nanoseconds of the server for each."""
    if r["joined"] != n:
        raise LabError(f"only {r['joined']} of {n} {what}")
    return r["server_cpu_ns"] / n


def _by_usual_calls(auth: str) -> str:
    if auth == "psk":
        return "a key pair and a secret by OpenSSL's usual calls take"
    return "the certificate and its path (without signatures of authorities) and contexts by OpenSSL's usual calls take"


@contextmanager
def fresh(keys: GdoiServer):
    keys.forget()
    keys.start()
    try:
        yield
    finally:
        keys.stop()


def registration(out: Path, sizes, f) -> dict:
    """GDOI registrations and their price, against OpenSSL alone and against charon's phase 1."""
    result, text, groups = {}, [], {}
    n = sizes.register
    for auth, (_, suite, _, title, aim) in AUTHS.items():
        with GdoiServer(out / f"gdoi-{auth}", auth) as keys:
            base = ["--count", n, "--window", 16, "--limit", 600]

            def members(*more: str) -> dict:
                return f.run_json([f.tool("bench_gdoi"), *keys.arguments(), *base, *more])

            # Each with a key server that knows nobody yet; and the profiler takes a tenth of the time that it sees.
            with fresh(keys):
                whole = members()
                n_members = keys.status()["groups"][0]["members"]
            with fresh(keys):
                alone = members("--phase1", "yes")
            with fresh(keys), Profile(keys.process.pid, sizes.profile) as p:
                if p.wanted:
                    members()
            with Charon(keys) as c:
                other = f.run_json([f.tool("bench_gdoi"), *c.arguments(), *base])
        ref, u, other_ops = f.reference(suite, sizes.seconds), f.usual(suite, sizes.seconds), others(auth, whole, sizes.seconds, f)
        pure, extra = f.cost(ref, OPS[auth]), f.usual_extra(ref, u, OPS[auth])
        every, first = pure + other_ops["all_ns"], other_ops["phase1_ns"]
        cpu, ours, theirs = _all(whole, n, "registered"), _all(alone, n, "phase 1"), _all(other, n, "phase 1 with charon")
        result[auth] = {"title": title, "aim": aim, "registrations": n, "members": n_members, "server_cpu_ms": cpu / 1e6,
                        "phase1_cpu_ms": ours / 1e6, "charon_phase1_cpu_ms": theirs / 1e6, "openssl_ms": pure / 1e6,
                        "cpu_ratio": pure / cpu, "phase1_ratio": pure / ours, "charon_ratio": pure / theirs,
                        "per_second": n / whole["wall_s"], "per_second_by_cpu": 1e9 * f.CORES / cpu,
                        "latency_s": whole["latency_s"], "reference": ref, "profile": p.result,
                        "messages": whole["messages"], "sa_octets": whole["sa_octets"], "other_operations": other_ops,
                        "all_operations_ms": every / 1e6, "all_operations_ratio": every / cpu,
                        "usual": u, "usual_extra_ms": extra / 1e6, "usual_ratio": (every + extra) / cpu}
        groups[f"{auth}: registration"] = [pure / 1e6, (every - pure) / 1e6, max(cpu - every, 0) / 1e6]
        for name, ns in (("phase 1", ours), ("charon", theirs)):
            groups[f"{auth}: {name}"] = [pure / 1e6, first / 1e6, max(ns - pure - first, 0) / 1e6]
        text += [f"{title}: {pure / cpu:.2f} of OpenSSL alone (aim {aim})",
                 f"  the key server needs {cpu / 1e6:.2f} ms of processor time for a registration, {ours / 1e6:.2f} ms of it for phase 1;"
                 f" the public-key operations alone {pure / 1e6:.2f} ms",
                 f"  beside it, not in that ratio: PRFs, hashes, ciphers and nonces of its messages take OpenSSL alone "
                 f"{other_ops['all_ns'] / 1e3:.1f} us: {every / cpu:.2f} of all operations;",
                 f"  not in that one either: {_by_usual_calls(auth)} {extra / 1e6:.2f} ms more: {(every + extra) / cpu:.2f} of all that",
                 f"  strongSwan's charon needs {theirs / 1e6:.2f} ms for the same phase 1: {pure / theirs:.2f} of OpenSSL alone",
                 f"  {1e9 * f.CORES / cpu:.0f} registrations per second on {f.CORES} cores; with its members on the same cores "
                 f"{n / whole['wall_s']:.0f}, half of them within {whole['latency_s'].get('p50', 0):.2f} s", profile_text(p.result)]
    plot.bars(out / "gdoi-registration.svg", "One GDOI registration at the key server", "ms of processor time", groups,
              ["public-key operations", "PRFs, hashes, ciphers", "everything else"])
    return {"results": result, "text": text, "plots": ["gdoi-registration.svg"]}


def eviction(out: Path, sizes, f) -> dict:
    """Evictions from large GDOI groups by LKH: datagrams, octets, processor time."""
    results, text, octets, cpu = [], [], {}, {}
    for n, message in [(n, m) for n in sizes.gdoi_groups for m in (1400, 60000)]:
        r = f.run_json([f.tool("bench_gdoi_group"), n, "--seconds", sizes.seconds / 8, "--message", message])
        results.append({**r, "message": message})
        name = f"{n} members, {message} octets"
        text += [f"{n} members, degree 2, datagrams of {message} octets at most",
                 "  evicted   datagrams     octets   largest      wraps     CPU ms  / crypto  / with all signatures"]
        for o in r["operations"]:
            octets.setdefault(name, []).append((o["evicted"], o["octets"]))
            cpu.setdefault(name, []).append((o["evicted"], o["cpu_ns"] / 1e6))
            text.append(f"  {o['evicted']:7} {o['datagrams']:11} {o['octets']:10} {o['largest']:9} {o['wraps']:10} "
                        f"{o['cpu_ns'] / 1e6:10.2f} {o['cpu_ratio']:9.2f} {o['cpu_ratio_signatures']:9.2f}")
    plot.lines(out / "gdoi-octets.svg", "GDOI: an eviction on the wire", "members evicted at once", "octets", octets, log_x=True,
               log_y=True)
    plot.lines(out / "gdoi-cpu.svg", "GDOI: an eviction at the key server", "members evicted at once", "ms of processor time", cpu,
               log_x=True, log_y=True)
    return {"results": results, "text": text, "plots": ["gdoi-octets.svg", "gdoi-cpu.svg"]}


def storm(out: Path, sizes, f) -> dict:
    """Everybody registers at once with a GDOI key server that has just been killed; forged messages."""
    auth, n = "ecdsa", sizes.storm
    with GdoiServer(out / "gdoi-storm", auth) as keys:
        keys.forget()
        keys.start()
        first = f.run_json([f.tool("bench_gdoi"), *keys.arguments(), "--count", n, "--window", 32, "--limit", 900])
        _all(first, n, "registered")
        keys.kill()
        keys.start()
        again = f.run_json([f.tool("bench_gdoi"), *keys.arguments(), "--count", n, "--window", n, "--limit", 900])
        dropped = keys.status()["queue"]
        # Forged: fifty for each honest one, at a quarter of the capacity.
        rate = max(2.0, n / first["wall_s"] / 4)
        honest = max(f.CORES * 2, int(rate * sizes.flood))
        flood = f.run_json([f.tool("bench_gdoi"), *keys.arguments(), "--count", honest, "--window", 4, "--rate", rate, "--forge", 50,
                            "--limit", sizes.flood * 4 + 30])
    ref = f.reference("p256", sizes.seconds)
    both = 2 * f.cost(ref, OPS[auth])
    pure = n * both / f.CORES / 1e9
    share = flood["joined"] / flood["members"]
    result = {"members": n, "joined": again["joined"], "failures": again["failures"], "to_all_s": again["wall_s"],
              "pure_crypto_s": pure, "ratio": pure / again["wall_s"], "server_cpu_ms": again["server_cpu_ns"] / n / 1e6,
              "members_cpu_ms": again["members_cpu_ns"] / n / 1e6, "dropped": dropped, "latency_s": again["latency_s"], "timeline": again["timeline"],
              "flood": {"honest": flood["members"], "joined": flood["joined"], "forged": flood["forged"], "share": share, "aim": 0.99,
                        "latency_s": flood["latency_s"]}, "reference": ref}
    text = [f"{n} members ask a key server that was killed at the same moment: {again['joined']} are keyed after {again['wall_s']:.1f} s; "
            f"the public-key operations of both sides need {pure:.1f} s on these {f.CORES} cores: {pure / again['wall_s']:.2f}",
            f"  for each the key server took {again['server_cpu_ns'] / n / 1e6:.2f} ms of processor time, the member "
            f"{again['members_cpu_ns'] / n / 1e6:.2f} ms; messages dropped from the queue: {dropped}",
            f"{flood['forged']} forged first messages against {flood['members']} honest members, 50 for one: {100 * share:.1f} % of the "
            f"honest registered (aim 99 %), half of them within {flood['latency_s'].get('p50', 0):.2f} s"]
    plot.lines(out / "gdoi-storm.svg", f"{n} members register at once", "seconds", "members with keys",
               {"seen": again["timeline"], "public-key operations alone": [(0.0, 0), (pure, n)]})
    return {"results": result, "text": text, "plots": ["gdoi-storm.svg"]}
