# SPDX-License-Identifier: BSD-2-Clause
"""The application whose multicast data a group protects, until there is an ESP.

    python3 -m lab.dataapp send    --control SOCKET --to GROUP:PORT [--rate N] [--force]
    python3 -m lab.dataapp receive [--control SOCKET] --to GROUP:PORT [--record FILE] [--keep-keys]
    python3 -m lab.dataapp decrypt --control SOCKET FILE

It knows no more than any application could: the keys that a member's control socket streams.  A receiver without
--control is an eavesdropper; with --keep-keys it ignores the order to wipe, as a member that was thrown out would.

A frame (all numbers big-endian):

    magic "MSD1" | key id 4 | key handle 4 | sender 4 | sequence 8 | nonce 12 | AES-128-GCM of the text, tag included

The first 24 octets are authenticated.  The AES key is HKDF-SHA-256 of the group's traffic key, info "msec lab data", so
that any key type serves.  The sender uses the key that its member calls current; receivers try any key they hold with the
frame's id and handle, and keep what they cannot read yet for a moment, since a rekey reaches members one by one.

Who may speak is told with the keys (RFC 4535 section 4.1.5).  A listed speaker's `sender` is its number, and it sends with
its own key if it has one; where everybody speaks, `sender` is drawn.  Whoever may not send says "not-authorised" and is
silent; with --force it sends all the same, and receivers count what it sends as unauthorised.  That is no more than a mark:
all members hold the key.  Repeated frames are dropped, but where everybody speaks with one SA (no anti-replay, says the RFC).

Reports are JSON, one object per line: "sending"/"receiving" when ready, "switch" at a key change, "report" four times a
second and "end" at SIGTERM.  Sequence numbers come as ranges: [[0, 99], [102, 110]].
"""
import argparse
import collections
import contextlib
import json
import os
import selectors
import signal
import socket
import struct
import sys
import time
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .net import multicast_receiver, multicast_sender

HEAD = struct.Struct(">4sIIIQ")
MAGIC, NONCE = b"MSD1", 12
MARKER = b"MSEC-LAB-PLAINTEXT"
# Seconds and frames that unreadable data is kept: a rekey takes its time on a busy machine.
PATIENCE, HELD_MAX = 20.0, 4096


def say(**what) -> None:
    print(json.dumps(what), flush=True)


def seal(key, sender: int, sequence: int, text: bytes) -> bytes:
    head = HEAD.pack(MAGIC, key.id, key.handle, sender, sequence)
    nonce = os.urandom(NONCE)
    return head + nonce + key.aead.encrypt(nonce, text, head)


class Key:
    may_send, of = True, 0  # of: the speaker whose it is, 0: of all that may speak

    def __init__(self, ident: int, handle: int, octets: bytes):
        self.id, self.handle = ident, handle
        self.aead = AESGCM(HKDF(hashes.SHA256(), 16, None, b"msec lab data").derive(octets))


class Told:
    """What the member's control socket says of keys, as it says it: each object goes to take()."""

    def __init__(self, path: str, keep: bool = False, group: str = ""):
        self.held, self.keep, self._part = {}, keep, b""
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.sendall(json.dumps({"cmd": "subscribe", "args": ["keys"] + ([group] if group else [])}).encode() + b"\n")

    def fileno(self) -> int:
        return self.socket.fileno()

    def read(self) -> bool:
        """Take in what has come; False when the member is gone.  May block if nothing has."""
        data = self.socket.recv(65536)
        *lines, self._part = (self._part + data).split(b"\n")
        for o in map(json.loads, lines):
            if o.get("ok") is False:
                raise SystemExit(f"{Path(sys.argv[0]).stem}: {o.get('error')}")
            self.take(o)
        return bool(data)


class Keys(Told):
    """The keys of a GSAKMP group."""

    def __init__(self, path: str, keep: bool = False, group: str = ""):
        self.current = self.forbidden = None  # forbidden: a current key that is not for us to send with
        self.speakers, self.listed, self.speaker = "all", 0, 0
        super().__init__(path, keep, group)

    def take(self, o: dict) -> None:
        if o.get("event") == "key":
            at = (int(o["id"]), int(o["handle"]))
            if "octets" in o and at not in self.held:
                self.held[at] = Key(*at, bytes.fromhex(o["octets"]))
            self.speakers, self.listed = o.get("speakers", "all"), int(o.get("listed", 0))
            self.speaker = int(o.get("speaker", 0))
            if at in self.held:
                self._use(self.held[at], o)
        elif o.get("event") == "wipe" and not self.keep:
            at = (int(o["id"]), int(o["handle"]))
            if self.held.pop(at, None) is self.forbidden:
                self.forbidden = None
            if self.current and (self.current.id, self.current.handle) == at:
                self.current = None

    def _use(self, key: Key, o: dict) -> None:
        key.may_send, key.of = bool(o.get("may_send", True)), int(o.get("of", 0))
        if o.get("state") != "current":
            return
        if key.may_send:
            self.current = key
            if self.forbidden is key:
                self.forbidden = None
            return
        self.forbidden = key
        if self.current is key:
            self.current = None

    def authorised(self, key: Key, sender: int) -> bool:
        """Is that a frame of somebody whom the policy lets speak, with this key?"""
        if self.speakers == "all":
            return True
        return 1 <= sender <= self.listed and key.of in (0, sender)


class Ranges:
    """A set of sequence numbers that is mostly contiguous."""

    def __init__(self):
        self.seen = set()

    def add(self, n: int) -> bool:
        new = n not in self.seen
        self.seen.add(n)
        return new

    def list(self) -> list:
        out = []
        for n in sorted(self.seen):
            if out and out[-1][1] == n - 1:
                out[-1][1] = n
            else:
                out.append([n, n])
        return out


class Reader:
    """Opens frames with the keys at hand, now or within PATIENCE."""

    def __init__(self, keys):
        self.keys = keys
        self.read = collections.defaultdict(Ranges)  # sender -> sequence numbers
        self.by_handle = collections.Counter()
        self.unreadable = collections.Counter()  # by handle
        self.foreign = self.forged = self.repeated = self.unauthorised = 0
        self.held = collections.deque()

    def frame(self, octets: bytes, now: float) -> None:
        if len(octets) < HEAD.size + NONCE + 16 or octets[:4] != MAGIC:
            self.foreign += 1
            return
        if not self._open(octets):
            self.held.append((now, octets))
            if len(self.held) > HELD_MAX:
                self._give_up(self.held.popleft()[1])

    def _open(self, octets: bytes) -> bool:
        _, ident, handle, sender, sequence = HEAD.unpack_from(octets)
        key = self.keys and self.keys.held.get((ident, handle))
        if not key:
            return False
        nonce = octets[HEAD.size:HEAD.size + NONCE]
        try:
            text = key.aead.decrypt(nonce, octets[HEAD.size + NONCE:], octets[:HEAD.size])
        except InvalidTag:
            self.forged += 1
            return True
        if not text.startswith(MARKER):
            self.forged += 1
        elif not self.keys.authorised(key, sender):
            self.unauthorised += 1
        else:
            new = self.read[sender].add(sequence)
            self.repeated += not new
            self.by_handle[handle] += new or self.keys.speakers == "all"
        return True

    def _give_up(self, octets: bytes) -> None:
        self.unreadable[HEAD.unpack_from(octets)[2]] += 1

    def retry(self, now: float, last: bool = False) -> None:
        """New keys, or time has passed."""
        waiting, self.held = self.held, collections.deque()
        for came, octets in waiting:
            if self._open(octets):
                continue
            if last or now - came > PATIENCE:
                self._give_up(octets)
            else:
                self.held.append((came, octets))

    def sealed(self) -> dict:
        """By handle: what could not be read so far, whether it is given up or waits for a key."""
        return self.unreadable + collections.Counter(HEAD.unpack_from(octets)[2] for _, octets in self.held)

    def report(self, event: str) -> None:
        say(event=event, received=sum(self.by_handle.values()), by_handle=self.by_handle, unreadable=self.unreadable,
            waiting=len(self.held), sealed=self.sealed(), forged=self.forged, repeated=self.repeated, foreign=self.foreign, unauthorised=self.unauthorised,
            ranges={s: r.list() for s, r in self.read.items()},
            keys=sorted(self.keys.held) if self.keys else [])


def until_stopped(sources: dict, tick, every: float) -> None:
    """Call sources[file]() when readable and tick() regularly, until SIGTERM or SIGINT."""
    wake, waker = socket.socketpair()
    waker.setblocking(False)
    signal.set_wakeup_fd(waker.fileno())
    for s in (signal.SIGTERM, signal.SIGINT):
        signal.signal(s, lambda *_: None)
    select = selectors.DefaultSelector()
    select.register(wake, selectors.EVENT_READ, None)
    for f, call in sources.items():
        select.register(f, selectors.EVENT_READ, call)
    due = time.monotonic() + every
    while True:
        for key, _ in select.select(max(0.0, due - time.monotonic())):
            if key.data is None:
                return
            if key.data() is False:
                select.unregister(key.fileobj)
        if time.monotonic() >= due:
            due += every
            tick()


def send(a) -> None:
    keys = Keys(a.control, group=a.group_id)
    out = multicast_sender(a.to[0], a.interface, a.ttl)
    drawn = int.from_bytes(os.urandom(4), "big") | 1 << 31
    silent = False
    sent, by_handle, using = 0, collections.Counter(), None
    last_report = 0.0

    def switch() -> bool:
        nonlocal using, silent
        alive = keys.read()
        now = keys.current or (keys.forbidden if a.force else None)
        if now is not using:
            using = now
            say(event="switch", handle=using.handle if using else None, sequence=sent, key=using.id if using else None)
        if (keys.forbidden is not None and keys.current is None) != silent:
            silent = not silent
            say(event="not-authorised" if silent else "authorised", speakers=keys.speakers)
        return alive

    def tick() -> None:
        nonlocal sent, last_report
        if using:
            out.sendto(seal(using, keys.speaker or drawn, sent, MARKER + b" %d" % sent), a.to)
            by_handle[using.handle] += 1
            sent += 1
        if time.monotonic() - last_report > 0.25:
            last_report = time.monotonic()
            say(event="report", sent=sent, by_handle=by_handle, handle=using.handle if using else None)

    say(event="sending", sender=keys.speaker or drawn)
    until_stopped({keys: switch}, tick, 1 / a.rate)
    say(event="end", sent=sent, by_handle=by_handle)


def listen(s, take, reader, told) -> None:
    """Until SIGTERM: what comes on `s` goes to `take`, and what `told` says (None: it says nothing) is used on what `reader`
    could not read before."""
    def data() -> None:
        while True:
            try:
                octets = s.recv(65536)
            except BlockingIOError:
                return
            take(octets)

    def news() -> bool:
        alive = told.read()
        reader.retry(time.monotonic())
        return alive

    def tick() -> None:
        reader.retry(time.monotonic())
        reader.report("report")

    say(event="receiving")
    until_stopped({s: data, **({told: news} if told else {})}, tick, 0.25)
    data()
    reader.retry(time.monotonic(), last=True)
    reader.report("end")


def receive(a) -> None:
    keys = Keys(a.control, a.keep_keys, a.group_id) if a.control else None
    reader = Reader(keys)
    s = multicast_receiver(a.to[0], a.to[1], a.interface)
    s.setblocking(False)
    record = open(a.record, "ab", buffering=0) if a.record else None

    def take(octets: bytes) -> None:
        if record:
            record.write(struct.pack(">I", len(octets)) + octets)
        reader.frame(octets, time.monotonic())

    listen(s, take, reader, keys)


def decrypt(a) -> None:
    """Try every key the member has now on a recording."""
    keys = Keys(a.control, group=a.group_id)
    keys.socket.settimeout(a.wait)
    with contextlib.suppress(socket.timeout):
        while not (keys.current or keys.forbidden) and keys.read():
            pass
        keys.socket.settimeout(1.0)  # the others came in the same breath
        while keys.read():
            pass
    reader = Reader(keys)
    with open(a.file, "rb") as f:
        while head := f.read(4):
            reader.frame(f.read(struct.unpack(">I", head)[0]), 0.0)
    reader.retry(0.0, last=True)
    reader.report("end")


def endpoint(text: str) -> tuple:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def main(argv: list) -> None:
    p = argparse.ArgumentParser(prog="lab.dataapp")
    sub = p.add_subparsers(dest="mode", required=True)
    for mode, run in (("send", send), ("receive", receive), ("decrypt", decrypt)):
        m = sub.add_parser(mode)
        m.set_defaults(run=run)
        m.add_argument("--control", required=mode != "receive")
        m.add_argument("--group-id", default="", help="of which group, when the member is in several")
        if mode == "decrypt":
            m.add_argument("--wait", type=float, default=60.0, help="seconds, for a key in force")
            m.add_argument("file")
            continue
        m.add_argument("--to", type=endpoint, required=True)
        m.add_argument("--interface", default="eth0")
        if mode == "send":
            m.add_argument("--rate", type=float, default=50.0)
            m.add_argument("--ttl", type=int, default=8)
            m.add_argument("--force", action="store_true", help="send although the policy forbids it")
        else:
            m.add_argument("--record", default="")
            m.add_argument("--keep-keys", action="store_true")
    a = p.parse_args(argv)
    a.run(a)


if __name__ == "__main__":
    main(sys.argv[1:])
