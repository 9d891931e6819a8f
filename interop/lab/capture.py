# SPDX-License-Identifier: BSD-2-Clause
"""Everything that crosses the switch, to a pcapng file with one interface per segment.

As a program (run in the switch by class Capture): python3 -m lab.capture FILE SEGMENT...
Ends at SIGTERM, after everything already received is written; a lost frame is an error, not a detail.
"""
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

from . import LabError

ETH_P_ALL, SOL_PACKET, PACKET_STATISTICS = 3, 263, 6
PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC = 1, 1
SO_TIMESTAMPNS = 35


def _block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    return struct.pack("=II", kind, len(body) + 12) + body + struct.pack("=I", len(body) + 12)


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("=HH", code, len(value)) + value + bytes(-len(value) % 4)


def write(path: str, interfaces: list) -> None:
    stopping = []
    wake, waker = socket.socketpair()
    waker.setblocking(False)
    signal.set_wakeup_fd(waker.fileno())
    for s in (signal.SIGTERM, signal.SIGINT):
        signal.signal(s, lambda *_: stopping.append(1))
    out = open(path, "wb", buffering=0)
    out.write(_block(0x0A0D0D0A, struct.pack("=IHHq", 0x1A2B3C4D, 1, 0, -1)))
    sockets = {}
    for number, name in enumerate(interfaces):
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 << 20)
        s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        s.bind((name, ETH_P_ALL))
        # A bridge hands up what it forwards between its ports only when it listens promiscuously.
        s.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP,
                     struct.pack("=iHH8x", socket.if_nametoindex(name), PACKET_MR_PROMISC, 0))
        s.setblocking(False)
        sockets[s] = number
        # Linktype Ethernet, names for the reader, timestamps in nanoseconds.
        out.write(_block(1, struct.pack("=HHI", 1, 0, 0) + _option(2, name.encode()) + _option(9, b"\x09") + _option(0, b"")))
    print("ready", flush=True)
    frames = 0
    while True:
        last = bool(stopping)
        if not last:
            select.select([*sockets, wake], [], [])
        for s, number in sockets.items():
            while True:
                try:
                    data, aux, _, _ = s.recvmsg(65536, 64)
                except BlockingIOError:
                    break
                now = struct.unpack("=qq", aux[0][2]) if aux else divmod(time.time_ns(), 10 ** 9)
                t = now[0] * 10 ** 9 + now[1]
                out.write(_block(6, struct.pack("=IIIII", number, t >> 32, t & 0xFFFFFFFF, len(data), len(data)) + data))
                frames += 1
        if last:
            break
    lost = sum(struct.unpack("=II", s.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1] for s in sockets)
    out.close()
    print(f"{frames} {lost}", flush=True)


class Capture:
    """A running capture of all segments of a network."""

    def __init__(self, net, path: Path):
        self.path, self.frames = Path(path), None
        from .net import NETNS
        self._p = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "nsenter", f"--net={NETNS / net.switch}", sys.executable,
                                    "-m", "lab.capture", str(path), *net.segments], stdout=subprocess.PIPE, text=True,
                                   start_new_session=True)
        net.children.append(self._p)
        if self._p.stdout.readline().strip() != "ready":
            raise LabError("the capture did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self) -> int:
        """The number of frames in the file, complete from here on."""
        if self.frames is None:
            self._p.terminate()
            frames, lost = map(int, self._p.stdout.readline().split())
            self._p.wait()
            self.frames = frames
            if lost:
                raise LabError(f"the capture {self.path} lost {lost} frames")
        return self.frames


if __name__ == "__main__":
    write(sys.argv[1], sys.argv[2:])
