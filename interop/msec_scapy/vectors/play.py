# SPDX-License-Identifier: BSD-2-Clause
"""A member that lives through a transcript."""
from .. import crypto, keylog, member, party, pkix, policy
from . import deterministic, fixed

STATES = {member.IDLE: "idle", member.JOINING: "joining", member.MEMBER: "member",
          member.LEAVING: "leaving", member.LEFT: "idle"}


class Draws:
    """The random generator of a member: a private value, then nonces, as a step gives them."""

    def __init__(self, create_type):
        self.create_type, self.left = create_type, []

    def load(self, random):
        self.left = [bytes.fromhex(random[n]) for n in ("private", "nonce_i") if n in random]
        self.private = "private" in random

    def __call__(self, size):
        octets = self.left.pop(0)
        if self.private:
            self.private = False
            if self.create_type == crypto.C_P256:  # the draw that gives this private value
                return (int.from_bytes(octets, "big") - 1).to_bytes(size, "big")
        return octets


class Log(keylog.Writer):
    """The lines of a key log, kept."""

    def __init__(self):
        self.lines = []

    def _line(self, *words):
        self.lines.append(" ".join(words))


class Player:
    def __init__(self, v, dialect):
        suite = policy.Suite(v.suite["signature"], v.suite["nonce_hash"], v.suite["key_creation"],
                             v.suite["encryption"], v.suite["terse"], v.suite["timestamp"])
        self.draws, self.log = Draws(suite.create_type), Log()
        group = party.Group(v.group_id, v.group_id_type, suite, dialect, pkix.Certificate(v.owner))
        self.member = member.Member(
            group, party.Credentials(fixed.private_key(v.key), pkix.Certificate(v.certificate)),
            pkix.Trust([pkix.Certificate(v.root)]), self.log, random=self.draws)

    def step(self, given):
        """What a step of the inputs leads to."""
        m, at = self.member, given["at"]
        self.draws.load(given.get("random", {}))
        refusals = len(m.refusals)
        with deterministic.signatures():
            if given.get("do") == "join":
                send = [m.join(at)]
            elif given.get("do") == "again":
                send = [m.rtj]
            elif given.get("do") == "leave":
                send = [m.leave(at)]
            else:
                send = m.receive(bytes.fromhex(given["receive"]), at)
        assert not self.draws.left, "not all randomness was drawn"
        return {"send": [o.hex() for o in send], "refused": len(m.refusals) > refusals,
                "state": STATES[m.state], "gtpk": keys(m.ring.gtpk), "kek": keys(m.ring.kek)}


def keys(table):
    return [{"key_id": k.key_id.hex(), "handle": k.handle.hex(), "key": k.key.hex()}
            for _, k in sorted(table.items())]
