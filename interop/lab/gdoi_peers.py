# SPDX-License-Identifier: BSD-2-Clause
"""A GDOI group in the lab whose members are the second implementation, in Python: for tests of gdoi-gcks."""
from msec_scapy.testing.gdoi_peer import Peer

from . import gdoi_forms as forms
from .gdoi import NUMBER, Group


class Ground(Group):
    """A lab.gdoi.Group whose members are Python peers."""

    def __init__(self, *args, **kw):
        self.peers = []
        super().__init__(*args, **kw)

    def peer(self, name, **how):
        if self.auth == "psk":
            how.setdefault("psk", self.secret("keys", name))
        else:
            how = {"party": self.pki.parties[name], "roots": [self.pki.root.cert], **how}
        as_name = how.pop("as_name", None) or forms.fqdn(name)
        p = Peer(self.scene[name], as_name, self.address(name), self.address("keys"), how.pop("group", NUMBER), **how)
        self.peers.append(p)
        return p

    def follow(self, *names, **how):
        """They register one after the other; each follows the group from then on."""
        return [self.peer(n, **how).follow() for n in names]

    def turned_away(self, peer, **where):
        """The refusal of the key server that a member runs into, with or without an answer; it is not registered."""
        mark, before = self.keys.mark(), peer.count("registered")
        over = lambda: peer.count("registered") > before or self.keys.find("refused", since=mark, **where)
        assert not peer.register(until=over), peer.events
        return self.keys.wait("refused", since=mark, **where)

    def registered(self):
        return {m["peer"].removeprefix("fqdn:").partition(".")[0]: m for m in self.keys.control("members")}

    def close(self):
        for p in self.peers:
            p.close()
        super().close()
