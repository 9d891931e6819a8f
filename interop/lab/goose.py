# SPDX-License-Identifier: BSD-2-Clause
"""Frames as protection relays exchange them in a substation, protected with the group key of RFC 8052.

    python3 -m lab.goose publish   --control SOCKET [--rate N]
    python3 -m lab.goose subscribe [--control SOCKET] [--keep-keys]
    python3 -m lab.goose forge

A publisher multicasts its state, on Ethernet itself, many times a second, and each change of it at once; a subscriber acts on
it (opens a breaker), so what matters is that nobody else can say "trip".  A subscriber without --control has no key; with
--keep-keys it ignores the order to wipe, as a device would that was stolen.  forge says "trip" without a key.

A frame, behind the Ethernet header (ethertype 0x88b8, all numbers big-endian):

    APPID 2 | length 2 | reserved 4 | key id 4 | sequence 8 | IV 16 | AES-128-CBC of the state | HMAC-SHA-256-128

HMAC covers everything from APPID on; both keys are those of the SA, as the member's control socket streams them, the key id
is its SPI.  The publisher uses the SA whose state is current.  A subscriber takes frames of every SA it has in use.  One
whose key it knows as "next" waits until its own clock says so, and one whose key it does not know waits for a second, since
a new key reaches devices one by one.

Reports are JSON: "publishing"/"subscribing" when ready, "switch" at a key change, "report" four times a second and "end" at
SIGTERM.
"""
import argparse
import collections
import hmac
import json
import os
import selectors
import signal
import socket
import struct
import sys
import time

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

GROUP, ETHERTYPE, APPID = bytes.fromhex("010ccd010001"), 0x88B8, 1
HEAD, SECURITY = struct.Struct(">HHI"), struct.Struct(">4sQ")
IV, TAG = 16, 16
MARKER = b"SUBSTATION-IN-CLEAR"
HELD_MAX, PATIENCE = 1024, 5.0  # frames; seconds


def say(**what) -> None:
    print(json.dumps(what), flush=True)


def wire() -> socket.socket:
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE))
    s.bind(("eth0", ETHERTYPE))
    return s


class Key:
    """One SA.  A forger has one of his own."""

    def __init__(self, spi: bytes, encryption: bytes, integrity: bytes):
        self.spi, self.encryption, self.integrity, self.state = spi, encryption, integrity, ""

    def tag(self, octets: bytes) -> bytes:
        return hmac.digest(self.integrity, octets, "sha256")[:TAG]

    def seal(self, sequence: int, text: bytes) -> bytes:
        iv, pad = os.urandom(IV), padding.PKCS7(128).padder()
        cipher = Cipher(algorithms.AES(self.encryption), modes.CBC(iv)).encryptor()
        body = cipher.update(pad.update(text) + pad.finalize()) + cipher.finalize()
        length = HEAD.size + SECURITY.size + IV + len(body) + TAG
        octets = HEAD.pack(APPID, length, 0) + SECURITY.pack(self.spi, sequence) + iv + body
        return octets + self.tag(octets)

    def open(self, octets: bytes) -> bytes:
        """ValueError if it is not of this key."""
        if not hmac.compare_digest(self.tag(octets[:-TAG]), octets[-TAG:]):
            raise ValueError("bad tag")
        at = HEAD.size + SECURITY.size
        cipher = Cipher(algorithms.AES(self.encryption), modes.CBC(octets[at:at + IV])).decryptor()
        plain, pad = cipher.update(octets[at + IV:-TAG]) + cipher.finalize(), padding.PKCS7(128).unpadder()
        return pad.update(plain) + pad.finalize()


class Keys:
    """What the member's control socket says."""

    def __init__(self, path: str, keep: bool = False):
        self.held, self.keep, self._part = {}, keep, b""
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.sendall(json.dumps({"cmd": "subscribe", "args": ["keys"]}).encode() + b"\n")

    def read(self) -> bool:
        data = self.socket.recv(65536)
        *lines, self._part = (self._part + data).split(b"\n")
        for line in lines:
            o = json.loads(line)
            if o.get("event") == "key" and "keys" in o:
                spi, k = bytes.fromhex(o["spi"]), o["keys"]
                key = self.held.setdefault(spi, Key(spi, bytes.fromhex(k["encryption"]), bytes.fromhex(k["integrity"])))
                key.state, key.may_send = o["state"], o["may_send"]
            elif o.get("event") == "wipe" and not self.keep:
                self.held.pop(bytes.fromhex(o["spi"]), None)
        return bool(data)

    def current(self):
        return next((k for k in reversed(self.held.values()) if k.state == "current" and k.may_send), None)


class Ranges:
    """Sequence numbers that were taken, as [[first, last], ...]."""

    def __init__(self):
        self.all = []

    def add(self, n: int) -> None:
        if self.all and n == self.all[-1][1] + 1:
            self.all[-1][1] = n
        elif not any(a <= n <= b for a, b in self.all):
            self.all = sorted(self.all + [[n, n]])


class Actor:
    """A loop over the wire, the keys and the clock, until SIGTERM."""

    def __init__(self, args):
        self.args, self.going = args, True
        self.wire = wire()
        self.keys = Keys(args.control, getattr(args, "keep_keys", False)) if args.control else None
        self.select = selectors.DefaultSelector()
        if self.keys:
            self.select.register(self.keys.socket, selectors.EVENT_READ, self.on_keys)
        signal.signal(signal.SIGTERM, self.stop)
        self.due = {}  # name: (when, every, what)

    def stop(self, *_):
        self.going = False

    def every(self, seconds: float, what) -> None:
        self.due[what] = [time.monotonic(), seconds]

    def on_keys(self) -> None:
        if not self.keys.read():
            self.keys.held.clear()
            self.select.unregister(self.keys.socket)
        self.changed()

    def changed(self) -> None:
        pass

    def run(self) -> None:
        while self.going:
            now = time.monotonic()
            for what, at in self.due.items():
                if at[0] <= now:
                    what()
                    at[0] = max(at[0] + at[1], now)
            wait = min(at[0] for at in self.due.values()) - time.monotonic()
            for key, _ in self.select.select(max(0.0, wait)):
                key.data()
        say(event="end", **self.report())

    def put(self, octets: bytes) -> None:
        self.wire.send(GROUP + self.wire.getsockname()[4] + struct.pack(">H", ETHERTYPE) + octets)


class Publisher(Actor):
    def __init__(self, args):
        super().__init__(args)
        self.sequence, self.using, self.trip = 0, None, False
        self.every(1 / args.rate, self.publish)
        self.every(0.25, lambda: say(event="report", **self.report()))
        say(event="publishing")

    def report(self) -> dict:
        return {"sent": self.sequence, "key": self.using.spi.hex() if self.using else None}

    def changed(self) -> None:
        key = self.keys.current()
        if key is not self.using:
            self.using = key
            say(event="switch", key=key.spi.hex() if key else None, sequence=self.sequence)

    def publish(self) -> None:
        if self.using:
            text = json.dumps({"breaker": "closed", "trip": False, "note": MARKER.decode()}).encode()
            self.put(self.using.seal(self.sequence, text))
            self.sequence += 1


class Subscriber(Actor):
    def __init__(self, args):
        super().__init__(args)
        self.taken, self.refused, self.read, self.trips, self.held = Ranges(), collections.Counter(), 0, 0, []
        self.select.register(self.wire, selectors.EVENT_READ, self.on_frame)
        self.every(0.25, self.tell)
        say(event="subscribing")

    def tell(self) -> None:
        if self.keys:
            self.changed()
        say(event="report", **self.report())

    def report(self) -> dict:
        return {"taken": self.taken.all, "count": sum(b - a + 1 for a, b in self.taken.all), "refused": dict(self.refused),
                "trips": self.trips, "in_clear": self.read}

    def on_frame(self) -> None:
        frame, about = self.wire.recvfrom(2048)
        if about[2] != socket.PACKET_OUTGOING and frame[:6] == GROUP:
            self.read += MARKER in frame
            self.take(frame[14:], time.monotonic())

    def take(self, octets: bytes, came: float) -> None:
        if len(octets) < HEAD.size + SECURITY.size + IV + TAG:
            self.refused["short"] += 1
            return
        length = HEAD.unpack_from(octets)[1]
        spi, sequence = SECURITY.unpack_from(octets, HEAD.size)
        key = self.keys.held.get(spi) if self.keys else None
        unknown = key is None and (not self.keys or time.monotonic() - came > PATIENCE)
        if unknown:
            self.refused["no key"] += 1
        elif key is None or key.state == "next":
            self.held = (self.held + [(octets, came)])[-HELD_MAX:]
        else:
            try:
                state = json.loads(key.open(octets[:length]))
            except ValueError:
                self.refused["bad tag"] += 1
                return
            self.trips += state["trip"]
            self.taken.add(sequence)

    def changed(self) -> None:
        waiting, self.held = self.held, []
        for octets, came in waiting:
            self.take(octets, came)


class Forger(Actor):
    """Has seen the key id on the wire, and no key."""

    def __init__(self, args):
        super().__init__(args)
        self.sequence, self.key = 1 << 32, None
        self.select.register(self.wire, selectors.EVENT_READ, self.on_frame)
        self.every(0.05, self.forge)
        say(event="forging")

    def report(self) -> dict:
        return {"sent": self.sequence - (1 << 32)}

    def on_frame(self) -> None:
        frame = self.wire.recv(2048)
        self.key = Key(SECURITY.unpack_from(frame, 14 + HEAD.size)[0], os.urandom(16), os.urandom(32))

    def forge(self) -> None:
        if self.key:
            self.put(self.key.seal(self.sequence, json.dumps({"breaker": "closed", "trip": True}).encode()))
            self.sequence += 1


def main(argv: list) -> int:
    p = argparse.ArgumentParser(prog="python3 -m lab.goose", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = p.add_subparsers(dest="role", required=True)
    s = sub.add_parser("publish")
    s.add_argument("--control", required=True)
    s.add_argument("--rate", type=float, default=50)
    s.set_defaults(actor=Publisher)
    s = sub.add_parser("subscribe")
    s.add_argument("--control")
    s.add_argument("--keep-keys", action="store_true")
    s.set_defaults(actor=Subscriber)
    s = sub.add_parser("forge")
    s.set_defaults(actor=Forger, control=None)
    args = p.parse_args(argv)
    args.actor(args).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
