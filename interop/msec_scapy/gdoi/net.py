# SPDX-License-Identifier: BSD-2-Clause
"""Sockets for the GDOI peers: UDP 848, 4500 with the non-ESP marker of RFC 3948, multicast."""
import contextlib
import ipaddress
import selectors
import socket
import time

from ..net import MAX_DATAGRAM, family_of, multicast_receiver, multicast_sender
from . import gm as members
from . import numbers as n

MARKER = bytes(4)
MULTICAST_ALL = {socket.AF_INET: (socket.IPPROTO_IP, 49), socket.AF_INET6: (socket.IPPROTO_IPV6, 29)}  # of Linux
OVERTAKEN = ("not-registered", n.NOTIFY.name(n.N_INVALID_MESSAGE_ID))
clock = time.time


def udp(bind, port):
    s = socket.socket(family_of(bind), socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with contextlib.suppress(OSError):  # what another socket has joined comes there
        s.setsockopt(*MULTICAST_ALL[s.family], 0)
    s.bind((bind, port))
    s.setblocking(False)
    return s


class _Runner:
    """Sockets by role: `main`, `nat` (whose datagrams carry the marker), and what was joined."""

    def __init__(self, bind, port, nat_port):
        self.bind = bind
        self.selector = selectors.DefaultSelector()
        self.main = self._watch(udp(bind, port), "main")
        self.port = self.main.getsockname()[1]
        self.nat = None if nat_port is None else self._watch(udp(bind, nat_port), "nat")
        self.joined = {}

    def _watch(self, s, role):
        self.selector.register(s, selectors.EVENT_READ, role)
        return s

    def _read(self, key):
        """(octets, source) or None: keepalives and what is no IKE are dropped."""
        try:
            octets, source = key.fileobj.recvfrom(MAX_DATAGRAM)
        except OSError:
            return None
        if key.data == "nat":
            if octets[:4] != MARKER:
                return None
            octets = octets[4:]
        return octets, source[:2]

    def close(self):
        for s in (self.main, self.nat, *self.joined.values()):
            if s is not None:
                s.close()
        self.selector.close()


class MemberRunner(_Runner):
    """A gm.Member on the network."""

    def __init__(self, member, bind="0.0.0.0", port=n.PORT, nat_port=None, interface=None, timeout=1.0, tries=4,
                 within=contextlib.nullcontext):
        super().__init__(bind, port, nat_port)
        self.member, self.interface, self.timeout, self.tries, self.within = member, interface, timeout, tries, within
        self.replies = {}  # sockets that acknowledgements leave from
        self.overtaken = 3  # times that one asks anew

    def send(self, sends):
        for s in sends:
            if s.to is not None and s.to[1] == n.NAT_PORT and self.nat is not None:
                self.nat.sendto(MARKER + s.octets, s.to)
            elif s.to is not None:
                self._reply_socket(s.reply_from).sendto(s.octets, s.to)
            elif self.nat is not None and self.member.sa.nat and self.member.sa.keys is not None:
                self.nat.sendto(MARKER + s.octets, (self.member.server[0], n.NAT_PORT))
            else:
                self.main.sendto(s.octets, self.member.server)

    def _reply_socket(self, port):
        """RFC8263-3-04: from the port that the PUSH came to."""
        if port in (None, 0, self.port):
            return self.main
        if port not in self.replies:
            with self.within():
                self.replies[port] = udp(self.bind, port)
        return self.replies[port]

    def _listen(self):
        """Sockets for the destinations of our Rekey SAs."""
        for held in self.member.rekeys.values():
            place = held.sak.dst.data, held.sak.dst.port
            if place in self.joined or len(place[0]) not in (4, 16):
                continue
            address = ipaddress.ip_address(place[0])
            if address.is_multicast:
                with self.within():
                    self.joined[place] = self._watch(multicast_receiver(str(address), place[1] or n.PORT,
                                                                        self.interface), "push")

    def pump(self, until, deadline):
        while not until():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            for key, _ in self.selector.select(min(left, 0.1)):
                got = self._read(key)
                if got is None:
                    continue
                self.send(self.member.receive(*got, clock()))
                self._listen()
            self.send(self.member.tick(clock()))
        return True

    def register(self, until=None):
        """True once we are registered.  When the keys that message 2 offered are others by message 3 (RFC 6407 3.4) the key
        server says so, and we ask anew; not where `until` says what is waited for."""
        over, hook = [], self.member.event

        def event(name, **fields):
            if name in ("registered", "not-registered"):
                over.append((name, fields.get("notify")))
            hook(name, **fields)
        self.member.event = event
        try:
            for _ in range(1 + self.overtaken):
                over.clear()
                self._insist(until or (lambda: over))
                if until or over != [OVERTAKEN]:
                    break
        finally:
            self.member.event = hook
        return any(name == "registered" for name, _ in over)

    def _insist(self, until):
        """Requests are repeated with growing gaps."""
        wait = self.timeout
        self.send(self.member.register((self.main.getsockname()[0], self.port)))
        for _ in range(self.tries):
            if self.pump(until, time.monotonic() + wait):
                break
            self.send(self.member.again())
            wait *= 2

    def run(self, seconds, until=lambda: False):
        return self.pump(until, time.monotonic() + seconds)

    def leave(self):
        self.send(self.member.leave())

    def close(self):
        for s in self.replies.values():
            s.close()
        super().close()


class KeyServerRunner(_Runner):
    """A gcks.KeyServer on the network. Rekeys go to the group's destination, or to each member (`unicast`)."""

    def __init__(self, server, bind="0.0.0.0", port=n.PORT, nat_port=None, interface=None, ttl=8, unicast=False):
        super().__init__(bind, port, nat_port)
        self.server, self.unicast = server, unicast
        kek = next((g.kek_policy for g in server.groups.values() if g.kek_policy is not None), None)
        address = None if kek is None else ipaddress.ip_address(kek.dst.data)
        self.out = self.main
        if address is not None and address.is_multicast and not unicast:
            self.out = multicast_sender(str(address), interface, ttl)
            self.out.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.out.bind((bind, self.port))  # acknowledgements come back to it, or to main
            self.joined["out"] = self._watch(self.out, "main")

    def push(self, group, *datagrams, members=None):
        """Rekeys leave from our own port; `members` is who gets them by unicast."""
        dst = group.kek_policy.dst
        place = str(ipaddress.ip_address(dst.data)), dst.port or n.PORT
        for octets in datagrams:
            if self.unicast:
                for r in (group.members.values() if members is None else members):
                    self.main.sendto(octets, r.address)
            else:
                self.out.sendto(octets, place)

    def _input(self, key):
        got = self._read(key)
        if got is None:
            return
        octets, source = got
        answers = self.server.receive(octets, source, clock(), key.fileobj.getsockname()[:2])
        for group, members, datagram in self.server.take_pushes():
            self.push(group, datagram, members=members)
        for s in answers:
            key.fileobj.sendto(MARKER + s.octets if key.data == "nat" else s.octets, s.to)

    def run(self, seconds, until=lambda: False, extra=None):
        deadline = time.monotonic() + seconds
        for f, handle in (extra or {}).items():
            self.selector.register(f, selectors.EVENT_READ, handle)
        while not until():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            for key, _ in self.selector.select(min(left, 0.2)):
                if callable(key.data):
                    key.data()
                else:
                    self._input(key)
            for s in self.server.tick(clock()):
                self._tell(s)
        return True

    def _tell(self, s):
        """Unasked, to where a phase 1 came from."""
        if self.nat is not None and s.to[1] != n.PORT and any(sa.nat and sa.theirs == s.to for sa in self.server.sas.values()):
            self.nat.sendto(MARKER + s.octets, s.to)
        else:
            self.main.sendto(s.octets, s.to)


__all__ = ["KeyServerRunner", "MemberRunner", "udp"]
