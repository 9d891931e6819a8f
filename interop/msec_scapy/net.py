# SPDX-License-Identifier: BSD-2-Clause
"""Sockets for the peers: UDP, TCP with framing by the header Length, multicast."""
import contextlib
import ipaddress
import selectors
import socket
import struct
import time

from . import bulletin, message
from . import member as members
from . import registry as reg
from .gsakmp import message_len

MAX_DATAGRAM = 65535
clock = time.time  # of the protocol; waiting uses the monotonic one


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def udp_socket(bind, port=0, reuse=False):
    s = socket.socket(family_of(bind), socket.SOCK_DGRAM)
    if reuse:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((bind, port))
    s.setblocking(False)
    return s


def multicast_receiver(group, port, interface=None):
    """A socket that has joined `group` on an interface (name, or None for the route's)."""
    address = ipaddress.ip_address(group)
    index = socket.if_nametoindex(interface) if interface else 0
    s = udp_socket(group, port, reuse=True)
    try:
        if address.version == 4:
            s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                         address.packed + struct.pack("=4si", bytes(4), index))
        else:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                         address.packed + struct.pack("=I", index))
    except OSError as e:
        s.close()
        where = f"on {interface}" if interface else "on the interface of the route there (--interface names one)"
        raise OSError(e.errno, f"{group} cannot be joined {where}: {e.strerror}") from None
    return s


def multicast_sender(group, interface=None, ttl=8, loop=True):
    s = socket.socket(family_of(group), socket.SOCK_DGRAM)
    index = socket.if_nametoindex(interface) if interface else 0
    if ":" in group:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, ttl)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, loop)
    else:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, ttl)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, loop)
        if index:
            s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                         struct.pack("=4s4si", bytes(4), bytes(4), index))
    return s


MIXED = "udpRTJtcpOther"


class Framer:
    """Messages out of a TCP byte stream (7.1.1: Length)."""

    def __init__(self, limit=1 << 20):
        self.data, self.limit = b"", limit

    def feed(self, octets):
        self.data += octets
        while True:
            need = message_len(self.data)
            if need is None or len(self.data) < need:
                if need is not None and need > self.limit:
                    raise ConnectionError(f"a message of {need} octets")
                return
            if need < 13:
                raise ConnectionError("a message without a header")
            yield self.data[:need]
            self.data = self.data[need:]


class MemberRunner:
    """A members.Member on the network."""

    def __init__(self, member, server, transport="udp", multicast=None, interface=None,
                 bind=None, timeout=2.0, tries=4, within=contextlib.nullcontext, opener="member"):
        """`server` and `multicast` are (address, port); `within()` is a context in which later
        sockets are made (a network namespace). With the transport "udpRTJtcpOther" the Request
        to Join is a datagram and the rest goes over TCP, opened by "member" or "key-server"."""
        self.mixed, self.opener, self.listener = transport == MIXED, opener, None
        self.within = within
        self.member, self.server, self.transport = member, server, transport
        member.way = transport
        self.leave_transport = ""  # while we leave: RFC 4534 B.3
        self.timeout, self.tries = timeout, tries
        self.over = lambda: False  # whether no answer is to be expected any more: what ends a wait besides the answer
        self.selector = selectors.DefaultSelector()
        self.multicast = self.stream = None
        self.framer = Framer()
        self.bind, self.unicast = bind or ("::" if ":" in server[0] else "0.0.0.0"), None
        if transport in ("udp", MIXED):
            self._datagrams()
        if self.mixed and opener == "key-server":
            self.listener = socket.create_server(self.unicast.getsockname()[:2],
                                                 family=family_of(server[0]))
            self.selector.register(self.listener, selectors.EVENT_READ, "accept")
        if multicast is not None:
            self.multicast = multicast_receiver(*multicast, interface)
            self.selector.register(self.multicast, selectors.EVENT_READ, "udp")

    def send(self, octets):
        rtj = octets == self.member.rtj
        if self.mixed and rtj and self.opener == "member":
            self._connect()
        if self.leave_transport == "udp" or (not self.leave_transport and (
                self.transport == "udp" or (self.mixed and rtj))):
            self._datagrams().sendto(octets, self.server)
            return
        self._connect()
        self.stream.sendall(octets)

    def _datagrams(self):
        if self.unicast is None:
            with self.within():
                self.unicast = udp_socket(self.bind)
            self.selector.register(self.unicast, selectors.EVENT_READ, "udp")
        return self.unicast

    def _connect(self):
        if self.stream is not None:
            return
        with self.within():
            s = socket.socket(family_of(self.server[0]), socket.SOCK_STREAM)
        s.settimeout(self.timeout)
        if self.mixed and self.opener == "member":  # from where the Request to Join comes from
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(self.unicast.getsockname()[:2])
        s.connect(self.server)
        self._take(s)

    def _take(self, stream):
        if self.stream is not None:
            self._close_stream()
        self.stream = stream
        self.selector.register(stream, selectors.EVENT_READ, "tcp")

    def _read(self, key):
        if key.data == "accept":
            self._take(key.fileobj.accept()[0])
            return
        if key.data == "udp":
            yield key.fileobj.recv(MAX_DATAGRAM)
            return
        octets = key.fileobj.recv(MAX_DATAGRAM)
        if not octets:
            self._close_stream()
            return
        yield from self.framer.feed(octets)

    def _close_stream(self):
        self.selector.unregister(self.stream)
        self.stream.close()
        self.stream, self.framer = None, Framer()

    def pump(self, until, deadline):
        """Handle input until `until()` holds, it is over, or the (monotonic) deadline has passed. What has come by then is read,
        which may take as long once more, but not longer: somebody may send without end."""
        last = deadline + max(deadline - time.monotonic(), 1.0)
        while not until():
            now = time.monotonic()
            ready = self.selector.select(min(max(deadline - now, 0), 0.05))
            if now >= last or not ready and (now >= deadline or self.over()):
                return False
            for key, _ in ready:
                try:
                    for octets in self._read(key):
                        for answer in self.member.receive(octets, clock()):
                            self.send(answer)
                except ConnectionError as e:
                    self.member.event("connection", text=str(e))
                    if key.data == "tcp" and self.stream is not None:
                        self._close_stream()
        return True

    def join(self):
        """Request to join, repeated as 5.2.1.1 allows. True once we are a member."""
        octets = self.member.join(clock())
        for attempt in range(self.tries):
            self.send(octets if attempt == 0 else self.member.rtj)
            if self.pump(lambda: self.member.state != members.JOINING,
                         time.monotonic() + self.timeout) or self.over():
                break
        return self.member.state == members.MEMBER

    def run(self, seconds, until=lambda: False):
        return self.pump(lambda: until() or self.member.state == members.LEFT,
                         time.monotonic() + seconds)

    def silent(self):
        """Has nothing come that was not read yet?"""
        return not self.selector.select(0)

    def catch_up(self):
        """Fetch what is missing, in order; False when a copy is not there or no good."""
        while self.member.missing():
            before = len(self.member.early), dict(self.member.followed)
            for address in self.member.missing():
                octets = bulletin.fetch(address, self.within)
                if octets is None:
                    return False
                self.member.fetched(octets, clock())
            if before == (len(self.member.early), self.member.followed):
                return False
        return True

    def leave(self):
        octets = self.member.leave(clock())
        self.leave_transport = self.member.policy.leave_transport
        for _ in range(self.tries):
            self.send(octets)
            if self.pump(lambda: self.member.state != members.LEAVING,
                         time.monotonic() + self.timeout) or self.over():
                break
        self.leave_transport = ""
        return self.member.state == members.LEFT

    def close(self):
        for s in (self.unicast, self.multicast, self.stream, self.listener):
            if s is not None:
                s.close()
        self.selector.close()


class KeyServerRunner:
    """A keyserver.KeyServer on the network: UDP and TCP on one port, rekeys to a group."""

    def __init__(self, server, bind="0.0.0.0", port=reg.PORT, multicast=None, interface=None,
                 ttl=8, opener="member"):
        self.server, self.multicast = server, multicast
        self.within = contextlib.nullcontext
        self.opener, self.waiting = opener, {}  # of groups with udpRTJtcpOther
        self.selector = selectors.DefaultSelector()
        self.udp = udp_socket(bind, port, reuse=True)
        self.port = self.udp.getsockname()[1]
        self.tcp = socket.create_server((bind, self.port), family=family_of(bind))
        self.tcp.setblocking(False)
        self.selector.register(self.udp, selectors.EVENT_READ, "udp")
        self.selector.register(self.tcp, selectors.EVENT_READ, "accept")
        self.framers = {}
        self.guard = contextlib.nullcontext()  # held while the server works
        self.sender = multicast_sender(multicast[0], interface, ttl) if multicast else None
        self.board = None  # a bulletin.Board: Rekey Events are posted there, too
        self.mute = False  # and sent to nobody

    def send(self, answers):
        for a in answers:
            if a.to is None:
                self._post(a.octets)
                if self.sender is not None and not self.mute:
                    for _ in range(1 + self.server.policy.resend):
                        self.sender.sendto(a.octets, self.multicast)
            elif isinstance(a.to, socket.socket):
                a.to.sendall(a.octets)
            elif self.server.policy.transport == MIXED and a.exchange not in (
                    reg.X_COOKIE, reg.X_RTJ_ERR, reg.X_DR):
                self._over_tcp(a)
            else:
                self.udp.sendto(a.octets, a.to)

    def _post(self, octets):
        if self.board is None:
            return
        me = self.server.me
        self.board.post(bulletin.place(self.server.group.group_id, me.kind, me.data,
                                       message.parse(octets, self.server.dialect).packet.sequence), octets)

    def _over_tcp(self, answer):
        """To the address and port that the datagram came from: B.1.4 of RFC 4534."""
        for connection in self.framers:
            if connection.getpeername()[:2] == answer.to[:2]:
                connection.sendall(answer.octets)
                return
        if self.opener == "member":  # it will
            self.waiting[answer.to[:2]] = answer.octets
            return
        with self.within():
            connection = socket.create_connection(answer.to[:2], 2)
        self._take(connection)
        connection.sendall(answer.octets)

    def _take(self, connection):
        self.framers[connection] = Framer()
        self.selector.register(connection, selectors.EVENT_READ, "tcp")
        octets = self.waiting.pop(connection.getpeername()[:2], None)
        if octets is not None:
            connection.sendall(octets)

    def _input(self, key):
        if key.data == "accept":
            self._take(self.tcp.accept()[0])
        elif key.data == "udp":
            octets, source = self.udp.recvfrom(MAX_DATAGRAM)
            self.send(self.server.receive(octets, source, clock()))
        else:
            self._stream(key.fileobj)

    def _stream(self, connection):
        try:
            octets = connection.recv(MAX_DATAGRAM)
            if not octets:
                raise ConnectionError("closed")
            for m in self.framers[connection].feed(octets):
                self.send(self.server.receive(m, connection, clock()))
        except ConnectionError:
            self.selector.unregister(connection)
            del self.framers[connection]
            connection.close()

    def run(self, seconds, until=lambda: False, extra=None):
        """Serve; `extra` maps more file objects to functions that read them."""
        deadline = time.monotonic() + seconds
        for f, handle in (extra or {}).items():
            self.selector.register(f, selectors.EVENT_READ, handle)
        while not until() and not self.server.destroyed:
            left = min(deadline - time.monotonic(), 0.2)
            if left <= 0:
                return False
            ready = self.selector.select(left)
            with self.guard:
                for key, _ in ready:
                    if callable(key.data):
                        key.data()
                    else:
                        self._input(key)
                self.send(self.server.tick(clock()))
        return True

    def close(self):
        for connection in self.framers:
            connection.close()
        for s in (self.udp, self.tcp, self.sender):
            if s is not None:
                s.close()
        self.selector.close()
