# SPDX-License-Identifier: BSD-2-Clause
"""A member in Python on a host of the lab, against any key server."""
import ipaddress
import math
import threading

from .. import pkix
from ..gdoi import dialect as dialects
from ..gdoi import gm, keylog, net, phase1, values
from ..gdoi import numbers as n
from ..gdoi.suite import Suite
from .gdoi import PATIENCE


class Peer:
    """`name` and `address` are its own; `psk` or `party` (a lab.pki.Party, with `roots`) is what it authenticates with.

    It lives in a thread; `wait` waits for one of its events."""

    def __init__(self, host, name, address, server, group, psk=None, party=None, roots=(), suite=None, mode=phase1.MAIN,
                 nat_t=False, believes=None, sids=0, dialect="", logs=None, port=n.PORT):
        self.dialect = dialects.Dialect.parse(dialect)
        suite = suite or ("aes128-sha256-psk-ecp256" if psk is not None else "aes128-sha256-ecdsa256-ecp256")
        config = phase1.Config(
            phase1.Identity.parse(name), [Suite.parse(suite)], mode=mode, psks={"*": psk} if psk is not None else {},
            key=pkix.load_key(party.key) if party else None,
            certificates=[c.der for c in pkix.load_certificates(party.chain)] if party else [],
            trust=pkix.Trust.from_files([str(r) for r in roots], []), nat_t=nat_t, dialect=self.dialect,
            log=keylog.Writer(logs) if logs else keylog.Silent())
        self.log = config.log
        self.events, self.changed, self.stop, self.thread = [], threading.Condition(), False, None
        identity = group if isinstance(group, tuple) else (n.ID_KEY, values.group_id(group, self.dialect))
        self.member = gm.Member(config, identity, True, sids, ipaddress.ip_address(address).packed, (server, n.PORT),
                                self._event)
        with host.inside():
            self.runner = net.MemberRunner(self.member, address, port, n.NAT_PORT if nat_t else None, "eth0", 0.5,
                                           3, host.inside)
        if believes:  # what it takes for its own address: there seems to be a NAT
            start = self.member.register
            self.member.register = lambda ours: start((believes, n.PORT))

    def _event(self, name, **fields):
        with self.changed:
            self.events.append((name, fields))
            self.changed.notify_all()

    def count(self, name):
        return sum(event == name for event, _ in self.events)

    def last(self, name):
        return next(fields for event, fields in reversed(self.events) if event == name)

    def wait(self, name, times=1, timeout=PATIENCE, where=lambda fields: True):
        """Until there were so many such events; the last one."""
        def there():
            return [f for e, f in self.events if e == name and where(f)][times - 1:]
        with self.changed:
            assert self.changed.wait_for(there, timeout), (name, times, self.events)
            return there()[0]

    def register(self, until=None, tries=7, overtaken=3):
        """Whether it worked.  Who is told no knows it; for a refusal in silence `until` says what shows it.  `tries` times it
        asks for an answer, `overtaken` times anew when the key server has other keys by then."""
        self._rest()
        self.runner.tries, self.runner.overtaken = tries, overtaken
        before = self.count("registered")
        self.runner.register(until)
        return self.count("registered") > before

    def follow(self):
        """Register, and then obey and acknowledge what comes."""
        assert self.register(), self.events
        self.stop = False
        self.thread = threading.Thread(target=lambda: self.runner.run(math.inf, lambda: self.stop), daemon=True)
        self.thread.start()
        return self

    def _rest(self):
        self.stop = True
        if self.thread is not None:
            self.thread.join()
        self.thread = None

    def leave(self):
        self._rest()
        self.runner.leave()

    def close(self):
        self._rest()
        self.runner.close()
        self.log.close()
