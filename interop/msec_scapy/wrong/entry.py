# SPDX-License-Identifier: BSD-2-Clause
"""One wrong thing that a peer can do, and what has to follow."""
from dataclasses import dataclass

from .. import registry as reg

SILENCE, RTJ_ERR, NACK = "silence", "rtj-err", "nack"


@dataclass(frozen=True)
class Misbehaviour:
    name: str
    role: str
    exchange: int
    req: str
    notify: int
    text: str
    packet: object = None  # change of the packet before it is signed
    octets: object = None  # change of the finished octets
    plain: tuple = ()  # (what, change) of something that will be encrypted
    credentials: str = ""  # kind of certificate the caller has to bring, for this exchange alone
    timestamp: bool = False  # only in groups that go by synchronised time
    repeat: bool = False  # send the whole message once more when the exchange is over
    also: tuple = ()  # other rows that the same octets break

    @property
    def rows(self):
        return (self.req, *("RFC4535-" + r if not r.startswith("RFC") else r for r in self.also))

    def arm(self, party, credentials=None):
        if credentials:
            party.hooks.sign_as(self.exchange, credentials)
        if self.packet:
            party.hooks.on_packet(self.exchange, self.packet)
        if self.octets:
            party.hooks.on_octets(self.exchange, self.octets)
        if self.plain:
            party.hooks.on_plain(*self.plain)
        return party

    def reaction(self, terse=True):
        """What the receiver of the message does, seen on the wire."""
        if self.role == "server" and self.exchange == reg.X_KEYDL:
            return NACK
        if self.exchange == reg.X_RTJ and not terse:
            return RTJ_ERR
        return SILENCE

    def as_dict(self):
        return {"name": self.name, "role": self.role, "exchange": reg.EXCHANGE.name(self.exchange),
                "req": self.req, "notify": reg.NOTIFY.name(self.notify), "text": self.text,
                "credentials": self.credentials, "terse": self.reaction(True),
                "verbose": self.reaction(False)}


def member(name, exchange, req, notify, text, **how):
    """An entry that a member sends to a key server; rows of RFC 4535 go without its name."""
    return Misbehaviour(name, "member", exchange, _full(req), notify, text, **how)


def server(name, exchange, req, notify, text, **how):
    return Misbehaviour(name, "server", exchange, _full(req), notify, text, **how)


def _full(req):
    return req if req.startswith("RFC") else "RFC4535-" + req
