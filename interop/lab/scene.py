# SPDX-License-Identifier: BSD-2-Clause
"""The network of the demo, and who is who on it.

              north 10.77.1.0/24                                south 10.77.2.0/24
    owner  keys  alice bob carol dave  mallory oscar eve  --router--  erin frank grace

alice is the source of the data; grace comes late; the policy does not admit mallory; oscar's certificate has expired;
eve only listens.
"""
from .net import Host, Net

NORTH = {"owner": 10, "keys": 11, "alice": 21, "bob": 22, "carol": 23, "dave": 24, "mallory": 31, "oscar": 32, "eve": 40}
SOUTH = {"erin": 25, "frank": 26, "grace": 27}
WHO = {
    "owner": "Group Owner", "keys": "key server", "alice": "member, the source of the data", "bob": "member",
    "carol": "member", "dave": "member", "erin": "member behind the router", "frank": "member behind the router",
    "grace": "will join late", "mallory": "not admitted by the policy", "oscar": "has an expired certificate",
    "eve": "eavesdropper", "router": "routes unicast and multicast",
}
MEMBERS = ["alice", "bob", "carol", "dave", "erin", "frank"]

GSAKMP_PORT = 3761
OWNER_PORT = 3764  # the Group Owner serves tokens to key servers here, over TLS
REKEY_PORT, DATA_PORT = 3761, 5000
REKEY = {4: "239.77.0.1", 6: "ff15::77:1"}
DATA = {4: "239.77.0.2", 6: "ff15::77:2"}


class Scene:
    """`only`: just these hosts (and the router), for a smaller play."""

    def __init__(self, prefix: str = "", only: list = ()):
        self.net = Net(prefix)
        north, south = self.net.segment("north", 1), self.net.segment("south", 2)
        for segment, hosts in ((north, NORTH), (south, SOUTH)):
            for name, number in hosts.items():
                if not only or name in only:
                    self.net.host(name, segment, number)
        self.net.router("router", [north, south])
        self.net.multicast(*REKEY.values(), *DATA.values())

    def __getitem__(self, name: str) -> Host:
        return self.net.hosts[name]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        self.net.close()
