# SPDX-License-Identifier: BSD-2-Clause
"""A catalogue of wrong GDOI messages, each with the rule it breaks: CATALOGUE, find(name), Misbehaviour.arm(config).

    python3 -m msec_scapy.gdoi.misbehave [--role member|server] [--json]

Entries of role `member` are sent to a key server, those of role `server` to a member. None of them may change
anything at its receiver: no member is registered by it, no key installed, no sequence number taken.
"""
import argparse
import json
import sys
from dataclasses import dataclass

from . import numbers as n
from .phase1 import Hooks
from .wrong import attributes, identity, rekey, shape


@dataclass(frozen=True)
class Misbehaviour:
    name: str
    role: str
    where: str  # the message: phase1-N, pull-N, push, ack
    req: str
    text: str
    payloads: object = None  # change of the layers
    plain: object = None  # change of the octets under HASH or SIG
    proof: object = None  # change of HASH or SIG
    datagram: object = None  # change of what is sent
    first: tuple = ()  # (message, change of its layers): sent before, and right
    also: tuple = ()  # another row that the same octets break, and a receiver may come to first; of garbled octets several

    @property
    def rows(self):
        return (self.req, *self.also)

    def arm(self, config):
        """From now on a peer with this phase1.Config does it."""
        config.hooks = Armed(self)
        return config

    def as_dict(self):
        return {"name": self.name, "role": self.role, "message": self.where, "req": self.req, "text": self.text}


class Armed(Hooks):
    """`done` counts the messages that were made wrong."""

    def __init__(self, entry):
        self.entry, self.done = entry, 0

    def _apply(self, what, where, value):
        change = getattr(self.entry, what)
        if change is None or where != self.entry.where:
            return value
        self.done += 1
        return change(value)

    def payloads(self, where, layers):
        if self.entry.first and where == self.entry.first[0]:
            layers = self.entry.first[1](layers)
        return self._apply("payloads", where, layers)

    def plain(self, where, octets):
        return self._apply("plain", where, octets)

    def proof(self, where, value):
        return self._apply("proof", where, value)

    def datagram(self, where, octets):
        return self._apply("datagram", where, octets)


CATALOGUE = [Misbehaviour(**entry) for module in (attributes, shape, identity, rekey) for entry in module.ENTRIES]


def find(name):
    for entry in CATALOGUE:
        if entry.name == name:
            return entry
    raise KeyError(f"no misbehaviour {name!r}")


def main(argv=None):
    p = argparse.ArgumentParser(prog="msec_scapy.gdoi.misbehave", description="Wrong messages by name.")
    p.add_argument("--role", choices=("member", "server"))
    p.add_argument("--json", action="store_true")
    a = p.parse_args(argv)
    for e in CATALOGUE:
        if a.role in (None, e.role):
            print(json.dumps(e.as_dict()) if a.json else f"{e.name:30} {e.role:7} {e.where:9} {e.req:22} {e.text}")
    return 0


__all__ = ["CATALOGUE", "Armed", "Misbehaviour", "find", "n"]
if __name__ == "__main__":
    sys.exit(main())
