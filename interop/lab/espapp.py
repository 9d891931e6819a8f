# SPDX-License-Identifier: BSD-2-Clause
"""An application whose multicast data a GDOI group protects by ESP, in Python: the kernels of most labs have none.

    python3 -m lab.espapp send    --control SOCKET --to GROUP:PORT [--rate N] [--first N]
    python3 -m lab.espapp receive [--control SOCKET] --to GROUP:PORT [--keep-keys]

It knows no more than any application could: the SAs that gdoi-gm streams on its control socket.  What it sends are IP
packets of protocol 50, transport mode, AES-GCM with an ICV of 16 octets (RFC 4303, RFC 4106), around a UDP datagram:

    SPI 4 | sequence number 4 | IV 8 | AES-GCM of (UDP header 8, text, padding, pad length, 17) | ICV 16

The nonce is the salt, the last 4 octets of the key material, and the IV; the IV begins with the sender's id in as many bits
as the group says, so that no two senders repeat one (RFC 6054).  The sender uses the SA whose state is "current"; receivers
open with any SA they hold.  A receiver without --control is an eavesdropper; with --keep-keys it ignores the order to wipe.

Reports are JSON, one object per line: "sending"/"receiving" when ready, "switch" at a new SA, "report" four times a second and
"end" at SIGTERM.  Numbers of datagrams, which the text carries, come as ranges: [[0, 99], [102, 110]]; several sources begin
to count at numbers far apart.
"""
import argparse
import collections
import socket
import struct
import time

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .dataapp import Ranges, Told, endpoint, listen, say, until_stopped
from .net import MCAST_JOIN_GROUP, _sockaddr

ESP, UDP, SALT, IV, ICV = 50, 17, 4, 8, 16
MARKER = b"MSEC-LAB-PLAINTEXT"
GCM_16 = 20  # of the registry of ESP transforms
PATIENCE, HELD_MAX = 6.0, 4096  # seconds and packets that unreadable data is kept


class Sa:
    """One Data-Security SA, as it was told."""

    def __init__(self, told: dict):
        octets = bytes.fromhex(told["keys"]["encryption"])
        if told["transform"] != GCM_16:
            raise SystemExit(f"espapp: ESP transform {told['transform']} is not known here")
        self.spi, self.state = told["spi"], told["state"]
        self.may_send, self.bits, self.sids = told["may_send"], told.get("sid_bits", 0), told.get("sids", [])
        self.aead, self.salt = AESGCM(octets[:-SALT]), octets[-SALT:]
        self.sequence = self.counter = 0

    def seal(self, port: int, text: bytes) -> bytes:
        self.sequence += 1
        self.counter += 1
        sid = self.sids[0] if self.sids else 0
        iv = (sid << 8 * IV - self.bits | self.counter).to_bytes(IV, "big")
        inner = struct.pack(">HHHH", port, port, 8 + len(text), 0) + text
        pad = -(len(inner) + 2) % 4
        inner += bytes(range(1, pad + 1)) + bytes([pad, UDP])
        head = bytes.fromhex(self.spi) + struct.pack(">I", self.sequence)
        return head + iv + self.aead.encrypt(self.salt + iv, inner, head)

    def open(self, packet: bytes) -> bytes:
        """The text; InvalidTag."""
        iv = packet[8:8 + IV]
        inner = self.aead.decrypt(self.salt + iv, packet[8 + IV:], packet[:8])
        return inner[8:len(inner) - 2 - inner[-2]]


class Sas(Told):
    """The SAs of a GDOI group."""

    def take(self, o: dict) -> None:
        if o.get("event") == "key":
            if o["spi"] not in self.held:
                self.held[o["spi"]] = Sa(o)
            sa = self.held[o["spi"]]
            sa.state, sa.may_send, sa.sids = o["state"], o["may_send"], o.get("sids", [])
        elif o.get("event") == "wipe" and not self.keep:
            self.held.pop(o["spi"], None)

    @property
    def current(self):
        return next((sa for sa in self.held.values() if sa.state == "current" and sa.may_send), None)


class Reader:
    """Opens packets with the SAs at hand, now or within PATIENCE."""

    def __init__(self, sas):
        self.sas, self.read = sas, Ranges()
        self.by_spi, self.unreadable = collections.Counter(), collections.Counter()
        self.forged = self.repeated = 0
        self.held = collections.deque()

    def packet(self, octets: bytes, now: float) -> None:
        if len(octets) < 8 + IV + 10 + ICV:
            return
        if not self._open(octets):
            self.held.append((now, octets))
            if len(self.held) > HELD_MAX:
                self.unreadable[self.held.popleft()[1][:4].hex()] += 1

    def _open(self, octets: bytes) -> bool:
        sa = self.sas and self.sas.held.get(octets[:4].hex())
        if not sa:
            return False
        try:
            text = sa.open(octets)
        except InvalidTag:
            self.forged += 1
            return True
        marker, _, number = text.rpartition(b" ")
        if marker != MARKER:
            self.forged += 1
        elif self.read.add(int(number)):
            self.by_spi[sa.spi] += 1
        else:
            self.repeated += 1
        return True

    def retry(self, now: float, last: bool = False) -> None:
        waiting, self.held = self.held, collections.deque()
        for came, octets in waiting:
            if self._open(octets):
                continue
            if last or now - came > PATIENCE:
                self.unreadable[octets[:4].hex()] += 1
            else:
                self.held.append((came, octets))

    def report(self, event: str) -> None:
        say(event=event, received=sum(self.by_spi.values()), by_spi=self.by_spi, unreadable=self.unreadable,
            waiting=len(self.held), forged=self.forged, repeated=self.repeated, ranges=self.read.list(),
            keys=sorted(self.sas.held) if self.sas else [])


def raw(group: str) -> socket.socket:
    return socket.socket(socket.AF_INET6 if ":" in group else socket.AF_INET, socket.SOCK_RAW, ESP)


def sender(group: str, interface: str, ttl: int) -> socket.socket:
    s, index = raw(group), socket.if_nametoindex(interface)
    if ":" in group:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, ttl)
    else:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("=4s4si", b"", b"", index))
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, ttl)
    return s


def receiver(group: str, interface: str) -> socket.socket:
    s = raw(group)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.bind((group, 0))
    level = socket.IPPROTO_IPV6 if ":" in group else socket.IPPROTO_IP
    s.setsockopt(level, MCAST_JOIN_GROUP, struct.pack("=I4x", socket.if_nametoindex(interface)) + _sockaddr(group))
    s.setblocking(False)
    return s


def send(a) -> None:
    sas, out = Sas(a.control), sender(a.to[0], a.interface, a.ttl)
    sent, by_spi, using, last_report = a.first, collections.Counter(), None, 0.0

    def switch() -> bool:
        nonlocal using
        alive = sas.read()
        if sas.current is not using:
            using = sas.current
            say(event="switch", spi=using.spi if using else None, sequence=sent, sids=using.sids if using else [])
        return alive

    def tick() -> None:
        nonlocal sent, last_report
        if using:
            out.sendto(using.seal(a.to[1], MARKER + b" %d" % sent), (a.to[0], 0))
            by_spi[using.spi] += 1
            sent += 1
        if time.monotonic() - last_report > 0.25:
            last_report = time.monotonic()
            say(event="report", sent=sent, by_spi=by_spi, spi=using.spi if using else None)

    say(event="sending")
    until_stopped({sas: switch}, tick, 1 / a.rate)
    say(event="end", sent=sent, by_spi=by_spi)


def receive(a) -> None:
    sas = Sas(a.control, a.keep_keys) if a.control else None
    reader, s = Reader(sas), receiver(a.to[0], a.interface)

    def take(octets: bytes) -> None:
        # The IPv4 header comes along, that of IPv6 does not.
        reader.packet(octets if ":" in a.to[0] else octets[4 * (octets[0] & 15):], time.monotonic())

    listen(s, take, reader, sas)


def main(argv: list = None) -> None:
    p = argparse.ArgumentParser(prog="lab.espapp")
    sub = p.add_subparsers(dest="mode", required=True)
    for mode, run in (("send", send), ("receive", receive)):
        m = sub.add_parser(mode)
        m.set_defaults(run=run)
        m.add_argument("--control", required=mode == "send")
        m.add_argument("--to", type=endpoint, required=True)
        m.add_argument("--interface", default="eth0")
        if mode == "send":
            m.add_argument("--rate", type=float, default=50.0)
            m.add_argument("--ttl", type=int, default=8)
            m.add_argument("--first", type=int, default=0, help="number of the first datagram")
        else:
            m.add_argument("--keep-keys", action="store_true")
    a = p.parse_args(argv)
    a.run(a)


if __name__ == "__main__":
    main()
