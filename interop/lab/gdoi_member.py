# SPDX-License-Identifier: BSD-2-Clause
"""gdoi-gm in the lab: its configuration, piece by piece, and the stream of its keys."""
import json
import secrets
import socket
import time
from pathlib import Path
from xml.sax.saxutils import quoteattr

from .daemons import Daemon, Sockets
from .forms import run
from .process import PATIENCE


def attributes(values: dict) -> str:
    """keep_phase1="yes" is keep-phase1="yes"."""
    return "".join(f" {k.replace('_', '-')}={quoteattr(str(v))}" for k, v in values.items() if v is not None)


def element(name: str, values: dict) -> str:
    return f"  <{name}{attributes(values)}/>\n"


def group(name: str, number: int = None, oid: str = None, payload: str = None, inside: str = "", **how) -> str:
    return f"""  <group{attributes({"name": name, **how})}>
    <group-id{attributes({"number": number, "oid": oid, "payload": payload})}/>
{inside}  </group>
"""


def psk_file(directory: Path, name: str, key: str = "") -> Path:
    path = Path(directory) / f"{name}.psk"
    path.touch(mode=0o600)
    path.write_text((key or secrets.token_hex(16)) + "\n")
    return path


def phase1(keys: dict, peers: list, proposal: dict, inside: str = "", **how) -> str:
    """`keys`: file of the pre-shared key by address of the key server; `peers`: (name, type)."""
    text = "".join(f"    <pre-shared-key{attributes({'file': f, 'address': a})}/>\n" for a, f in keys.items())
    text += "".join(f"    <peer{attributes({'name': n, 'name_type': t})}/>\n" for n, t in peers)
    return f"  <phase1{attributes({'timeout': '500ms', **how})}>\n{text}    <proposal{attributes(proposal)}/>\n{inside}  </phase1>\n"


def config(who: str, phase1_text: str, servers: list, groups: list, store: str, control, network: dict = None,
           membership: dict = None, kernel: dict = None, hook: dict = None) -> str:
    """`who`: <identity> and <trust>; `servers`: addresses, or (address, port); `groups`: texts of group()."""
    listed = "".join(element("key-server", {"address": s} if isinstance(s, str) else {"address": s[0], "port": s[1]}) for s in servers)
    if kernel is not None:  # the lab leaves nothing in /run
        kernel = {"lock_directory": Path(control).parent / "locks", **kernel}
    some = lambda name, values: element(name, values) if values is not None else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<gdoi-gm>
{who}{phase1_text}  <store path="{store}"/>
  <control socket="{control}"/>
{listed}{some("network", {"interface": "eth0", **(network or {})})}{"".join(groups)}{some("membership", {"backoff": "500ms", "ack_jitter": "10ms", "timeout": "1s", **(membership or {})})}{some("kernel", kernel)}{some("hook", hook)}{run(None)}</gdoi-gm>
"""



class Member(Daemon):
    """A gdoi-gm on a host; write() it, start() it."""

    def __init__(self, host, name: str, directory: Path, sockets: Sockets, keylog: Path = None):
        super().__init__(host, "gdoi-gm", name, directory, sockets, keylog)

    def group(self, name: str = "") -> dict:
        """What status says of a group; of the first one without a name."""
        return next(g for g in self.control("status")["groups"] if name in ("", g["group"]))

    def until(self, holds, timeout: float = PATIENCE) -> dict:
        """What status says of the first group, once it is so: for what comes and goes and has no event."""
        end = time.monotonic() + timeout
        while not holds(status := self.group()) and time.monotonic() < end:
            pass
        return status

    def keys(self, *words: str) -> "Keys":
        return Keys(self, *words)


class Keys:
    """The stream of keys, object by object."""

    def __init__(self, daemon: Daemon, *words: str):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(daemon.control.path))
        self.socket.sendall(json.dumps({"cmd": "subscribe", "args": ["keys", *words]}).encode() + b"\n")
        self.lines = self.socket.makefile()
        answer = self.next()
        assert answer["ok"], answer

    def next(self) -> dict:
        return json.loads(self.lines.readline())

    def until(self, **fields) -> dict:
        """The next object with these members."""
        while True:
            o = self.next()
            if all(o.get(k) == v for k, v in fields.items()):
                return o

    def close(self) -> None:
        self.lines.close()
        self.socket.close()
