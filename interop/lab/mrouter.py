# SPDX-License-Identifier: BSD-2-Clause
"""A multicast router in a page.

    python3 -m lab.mrouter IFACE IFACE...

Prints "ready".  A line "SOURCE GROUP IFACE" on its input makes the kernel forward from that source, arriving there, to
all other interfaces; it is answered "ok".  Anything else the kernel asks about is answered likewise when it comes, but
the kernel holds only three packets while it waits: a burst towards an unannounced group starts with losses.
Scoping is by TTL and by what hosts join.  Ends at the end of its input.
"""
import select
import socket
import struct
import sys

# <linux/mroute.h>, <linux/mroute6.h>: the option numbers are the same for both families.
MRT_INIT, MRT_ADD_VIF, MRT_ADD_MFC = 200, 202, 204
VIFF_USE_IFINDEX = 0x8
NOCACHE = 1


class V4:
    level, family = socket.IPPROTO_IP, socket.AF_INET

    def __init__(self, interfaces: list):
        self.count = len(interfaces)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP)
        self.socket.setsockopt(self.level, MRT_INIT, 1)
        for i, name in enumerate(interfaces):  # struct vifctl
            self.socket.setsockopt(self.level, MRT_ADD_VIF, struct.pack(
                "=HBBIi4x", i, VIFF_USE_IFINDEX, 1, 0, socket.if_nametoindex(name)))

    def forward(self, source: bytes, group: bytes, came: int) -> None:
        ttls = bytes(1 if i < self.count and i != came else 0 for i in range(32))
        self.socket.setsockopt(self.level, MRT_ADD_MFC, struct.pack(
            "=4s4sH32s2xIIIi", source, group, came, ttls, 0, 0, 0, 0))  # struct mfcctl

    def answer(self) -> None:
        m = self.socket.recv(65535)
        if len(m) >= 20 and m[9] == 0 and m[8] == NOCACHE:  # struct igmpmsg; octet 9 is the IP protocol of anything else
            self.forward(m[12:16], m[16:20], m[10])


class V6:
    level, family = socket.IPPROTO_IPV6, socket.AF_INET6

    def __init__(self, interfaces: list):
        self.count = len(interfaces)
        self.socket = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        self.socket.setsockopt(self.level, MRT_INIT, 1)
        for i, name in enumerate(interfaces):  # struct mif6ctl
            self.socket.setsockopt(self.level, MRT_ADD_VIF, struct.pack(
                "=HBBH2xI", i, 0, 1, socket.if_nametoindex(name), 0))

    def forward(self, source: bytes, group: bytes, came: int) -> None:
        ends = (struct.pack("=HHI16sI", socket.AF_INET6, 0, 0, a, 0) for a in (source, group))
        others = sum(1 << i for i in range(self.count) if i != came)
        self.socket.setsockopt(self.level, MRT_ADD_MFC, struct.pack("=28s28sH2xI28x", *ends, came, others))  # struct mf6cctl

    def answer(self) -> None:
        m = self.socket.recv(65535)
        if len(m) >= 40 and m[0] == 0 and m[1] == NOCACHE:  # struct mrt6msg; octet 0 is the ICMPv6 type of anything else
            self.forward(m[8:24], m[24:40], struct.unpack("=H", m[2:4])[0])


def main(interfaces: list) -> None:
    families = [V4(interfaces), V6(interfaces)]
    print("ready", flush=True)
    while True:
        for s in select.select([*(f.socket for f in families), sys.stdin], [], [])[0]:
            if s is not sys.stdin:
                next(f for f in families if f.socket is s).answer()
                continue
            words = sys.stdin.readline().split()
            if not words:
                return
            source, group, interface = words
            f = families[":" in group]
            f.forward(socket.inet_pton(f.family, source), socket.inet_pton(f.family, group), interfaces.index(interface))
            print("ok", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
