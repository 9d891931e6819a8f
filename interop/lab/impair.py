# SPDX-License-Identifier: BSD-2-Clause
"""A wire between a host and its segment that loses, doubles, delays and thereby reorders frames, or is cut.

The kernel at hand may have no netem, and without root there is no TAP; so the host's port is taken off the bridge, and a
thread carries frames between the two with packet sockets.  One generator, seeded, decides about every IP frame; ARP and
neighbour discovery pass untouched.
"""
import heapq
import itertools
import os
import random
import select
import socket
import threading
import time

from .net import _inside, _ip

ETH_P_ALL, SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC, PACKET_OUTGOING = 3, 263, 1, 1, 4
ICMP6 = 58


def _is_ip(frame: bytes) -> bool:
    return frame[12:14] == b"\x08\x00" or (frame[12:14] == b"\x86\xdd" and len(frame) > 20 and frame[20] != ICMP6)


class Wire:
    """with Wire(host, seed=1, loss=0.1, duplicate=0.2, delay=0.3): ...   `delay`: the longest, in seconds.

    While `holding`, what is for this host alone waits in `held`; what is for the group passes."""

    def __init__(self, host, seed: int, loss: float = 0.0, duplicate: float = 0.0, delay: float = 0.0):
        self.host, self.net = host, host.net
        self.loss, self.duplicate, self.delay, self.cut = loss, duplicate, delay, False
        self.holding, self.held = False, []
        self.lost = self.doubled = self.overtaken = self.carried = 0
        self._rng, self._order, self._queue = random.Random(seed), itertools.count(), []
        self._port, self._far, self._near = host.name, f"x-{host.name}"[:15], f"y-{host.name}"[:15]

    def __enter__(self):
        _ip([f"link set dev {self._port} nomaster",
             f"link add name {self._far} type veth peer name {self._near}",
             f"link set dev {self._near} master {self.host.segments[0].name}",
             f"link set dev {self._near} up", f"link set dev {self._far} up"], self.net.switch)
        with _inside(self.net.switch):
            self._ends = [self._packet(self._port), self._packet(self._far)]
        self._stop_r, self._stop_w = os.pipe()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        os.write(self._stop_w, b"x")
        self._thread.join()
        for s in self._ends:
            s.close()
        os.close(self._stop_r)
        os.close(self._stop_w)
        _ip([f"link del dev {self._far}", f"link set dev {self._port} master {self.host.segments[0].name}"], self.net.switch)

    @staticmethod
    def _packet(interface: str) -> socket.socket:
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        s.bind((interface, ETH_P_ALL))
        index = socket.if_nametoindex(interface)
        s.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP,
                     index.to_bytes(4, "little") + PACKET_MR_PROMISC.to_bytes(2, "little") + bytes(10))
        s.setblocking(False)
        return s

    def _take(self, frame: bytes, to: int, now: float) -> None:
        if self.cut:
            self.lost += 1
            return
        if not _is_ip(frame):
            self._push(now, to, frame)
            return
        if self.holding and to == 0 and not frame[0] & 1:
            self.held.append(frame)
            return
        if self._rng.random() < self.loss:
            self.lost += 1
            return
        copies = 1 + (self._rng.random() < self.duplicate)
        self.doubled += copies - 1
        for _ in range(copies):
            self._push(now + self._rng.random() * self.delay, to, frame)

    def release(self) -> None:
        """What was held goes on, in its order."""
        self.holding = False
        while self.held:
            self._ends[0].send(self.held.pop(0))

    def _push(self, at: float, to: int, frame: bytes) -> None:
        number = next(self._order)
        self.overtaken += any(t > at and way == to for t, _, way, _ in self._queue)
        heapq.heappush(self._queue, (at, number, to, frame))

    def _run(self) -> None:
        while True:
            now = time.monotonic()
            while self._queue and self._queue[0][0] <= now:
                _, _, to, frame = heapq.heappop(self._queue)
                if not self.cut:
                    try:
                        self._ends[to].send(frame)
                        self.carried += 1
                    except OSError:  # too long for the interface, or it is down
                        self.lost += 1
            timeout = max(0.0, self._queue[0][0] - now) if self._queue else None
            ready, _, _ = select.select([self._stop_r, *self._ends], [], [], timeout)
            if self._stop_r in ready:
                return
            for i, s in enumerate(self._ends):
                if s in ready:
                    self._read(s, 1 - i)

    def _read(self, s: socket.socket, to: int) -> None:
        for _ in range(256):
            try:
                frame, address = s.recvfrom(65535)
            except (BlockingIOError, OSError):
                return
            if address[2] != PACKET_OUTGOING:
                self._take(frame, to, time.monotonic())
