# SPDX-License-Identifier: BSD-2-Clause
"""strongSwan's charon as an IKEv1 peer on a host of the lab, and our own phase 1 alone on another.

    peer = Charon(host, directory)
    peer.configure([connection("it", host.ip4, other.ip4, auth="psk", ...)], secrets={...})
    us = Ike(other, "us", directory, role="initiator", ...)
    us.wait("established")

Each charon has its own configuration, control socket and /run.  It listens on 500 and 4500; on_848() lets it be seen on
848, without the marker that it would put in front of everything there if it listened on 848 itself.
"""
import os
import shutil
import subprocess
from pathlib import Path

from . import BUILD, LabError
from .daemons import Sockets
from .process import PATIENCE, App

CHARON = Path("/usr/lib/ipsec/charon")
PLUGINS = ("random nonce openssl pem pkcs1 pkcs8 x509 pubkey revocation constraints hmac md5 sha1 sha2 aes gcm kdf gmp"
           " kernel-netlink socket-default vici")

CONF = """charon {{
  port = 500
  port_nat_t = 4500
  load = {plugins}
  install_routes = no
  install_virtual_ip = no
  retransmit_tries = 5
  retransmit_timeout = 1
  keep_alive = {keep_alive}s
  i_dont_care_about_security_and_use_aggressive_mode_psk = yes
  plugins {{
    vici {{
      socket = unix://{vici}
    }}
  }}
  filelog {{
    stderr {{
      default = 1
      ike = 2
      enc = 1
      net = 1
      time_format = %H:%M:%S
      time_add_ms = yes
    }}
  }}
}}
"""

END_OF_CRL = "-----END X509 CRL-----\n"

# charon as others see it on 848: no marker there, unlike what it does when it is told to listen there.
ON_848 = """table inet gdoi848 {
  chain pre {
    type nat hook prerouting priority dstnat;
    udp dport 848 redirect to :500
  }
  chain post {
    type nat hook postrouting priority srcnat;
    udp sport 500 udp dport 848 masquerade to :848
  }
}
"""


def on_848(host) -> None:
    host.run(["nft", "-f", "-"], input=ON_848)


def connection(name: str, local: str, remote: str, auth: str, id: str, remote_id: str, proposals: str, remote_port: int = 500,
               aggressive: bool = False, dpd: int = 0, cert: Path = None, cacert: Path = None, rekey: int = 0,
               local_port: int = 0) -> str:
    """One connection of swanctl.conf."""
    lines = [f"{name} {{", "version = 1", f"local_addrs = {local}", f"remote_addrs = {remote}", f"remote_port = {remote_port}",
             f"proposals = {proposals}", "keyingtries = 1", f"reauth_time = {rekey}s", "rekey_time = 0",
             f"dpd_delay = {dpd}s", f"aggressive = {'yes' if aggressive else 'no'}"]
    if dpd:
        lines.append("dpd_timeout = 60s")
    if local_port:
        lines.append(f"local_port = {local_port}")
    lines += ["local {", f"auth = {auth}", f'id = "{id}"', *([f"certs = {cert}"] if cert else []), "}",
              "remote {", f"auth = {auth}", f'id = "{remote_id}"', *([f"cacerts = {cacert}"] if cacert else []), "}", "}"]
    return "\n".join(lines)


class Charon(App):
    def __init__(self, host, directory: Path, keep_alive: int = 20):
        if not CHARON.exists():
            raise LabError(f"{CHARON} is missing: ./lab test installs it")
        self.home = d = Path(directory) / f"charon-{host.name}"
        d.mkdir(parents=True)
        self.sockets = Sockets()
        self.vici = self.sockets.path / "vici"
        (d / "strongswan.conf").write_text(CONF.format(plugins=PLUGINS, vici=self.vici, keep_alive=keep_alive))
        self.env = {"STRONGSWAN_CONF": str(d / "strongswan.conf"), "SWANCTL_DIR": str(d)}
        # What it says goes to standard error, which it does not buffer.
        super().__init__(host, f"charon-{host.name}", d,
                         ["unshare", "-m", "sh", "-c", f"mount -t tmpfs none /run; exec {CHARON} 2>&1"], env=self.env)
        self.said("spawning")

    def configure(self, connections: list, secrets: dict = None, pki=None, party=None, crl: Path = None) -> None:
        """From now on this and nothing else.  `secrets` maps the two identities of a pre-shared key to it; `pki` and
        `party` bring certificates, `crl` revocations."""
        d = self.home
        for sub in ("x509", "x509ca", "x509crl", "private"):
            shutil.rmtree(d / sub, ignore_errors=True)
            (d / sub).mkdir()
        text = "connections {\n" + "\n".join(connections) + "\n}\nsecrets {\n"
        for i, ((a, b), key) in enumerate((secrets or {}).items()):
            text += f'ike-{i} {{\nid-1 = "{a}"\nid-2 = "{b}"\nsecret = "{key}"\n}}\n'
        (d / "swanctl.conf").write_text(text + "}\n")
        if pki:
            shutil.copy(party.cert, d / "x509/own.pem")
            shutil.copy(party.key, d / "private/own.pem")
            shutil.copy(pki.root.cert, d / "x509ca/root.pem")
            shutil.copy(pki.intermediate.cert, d / "x509ca/intermediate.pem")
        if crl:
            # One list a file: two are in ours.
            for i, one in enumerate(crl.read_text().split(END_OF_CRL)[:-1]):
                (d / f"x509crl/{i}.pem").write_text(one + END_OF_CRL)
        self.swanctl("--load-all", "--clear", "--noprompt")

    def forget(self) -> None:
        """No SA is left; the peers are not told."""
        self.swanctl("--terminate", "--ike", "it", "--force", "--timeout", "1", check=False)

    def swanctl(self, *args: str, check: bool = True) -> str:
        r = subprocess.run(["swanctl", *args, "--uri", f"unix://{self.vici}"], env=dict(os.environ, **self.env),
                           capture_output=True, text=True, timeout=90)
        if check and r.returncode:
            raise LabError(f"swanctl {' '.join(args)}: {r.stdout}{r.stderr}")
        return r.stdout + r.stderr

    def initiate(self, name: str, wait: bool = True) -> None:
        """Begin; with `wait`, and be done."""
        args = ["--initiate", "--ike", name, "--timeout", "60" if wait else "-1"]  # -1: it says what it wants and goes
        said = self.swanctl(*args, check=False)
        if wait and "completed successfully" not in said:
            raise LabError(f"charon could not: {said}")

    def kill(self) -> None:
        super().kill()
        self.sockets.close()

    def said(self, words: str, since: int = 0, timeout: float = PATIENCE) -> str:
        """A line of its log with these words."""
        return self.wait("not-json", since=since, timeout=timeout, where=lambda e: words in e["text"])["text"]

    def has_said(self, words: str, since: int = 0) -> bool:
        return bool(self.find("not-json", since=since, where=lambda e: words in e["text"]))

    def sas(self) -> str:
        return self.swanctl("--list-sas")


class Ike(App):
    """gdoi/tests/ike_over_udp."""

    def __init__(self, host, name: str, directory: Path, **options):
        self.fifo = Path(directory) / f"{name}.stdin"
        Path(directory).mkdir(parents=True, exist_ok=True)
        os.mkfifo(self.fifo)
        argv = []
        for key, value in options.items():
            for v in value if isinstance(value, (list, tuple)) else [value]:
                argv.append(f"{key if key.startswith('p1_') or key.startswith('am3') else key.replace('_', '-')}={v}")
        super().__init__(host, name, directory,
                         ["sh", "-c", 'exec "$@" <>"$0"', self.fifo, BUILD / "gdoi/tests/ike_over_udp", *argv])
        self.wait("ready")

    def say(self, word: str) -> None:
        fd = os.open(self.fifo, os.O_WRONLY)
        os.write(fd, word.encode() + b"\n")
        os.close(fd)
