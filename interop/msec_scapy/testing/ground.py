# SPDX-License-Identifier: BSD-2-Clause
"""The Python peers and the real daemons on one network of the lab.

Tokens come from the Python encoder, so that the daemons' DER reader is judged
too. Everything that was sent is captured and has to stand up to the capture
checker, with the key log of the daemons alone.
"""
import contextlib
import datetime
import threading
import time
from dataclasses import replace
from pathlib import Path

from lab.daemons import Daemon, Sockets
from lab.net import Net
from lab.pki import Pki
from lab.process import PATIENCE

from .. import capture, identity, keylog, keyserver, member, net, party, pkix, policy, token
from .. import dialect as dialects

GROUPS = {4: "239.9.1.1", 6: "ff15::9:1"}
REKEY_PORT = 3762
PORT = 3761
SUITE = {"ecdsa": "p256", "rsa": "rsa", "dsa": "suite1", "ed25519": "x25519", "p384": "p256",
         "rsa1024": "rsa"}
LEGACY = ("dsa", "rsa1024")


class Serving:
    """A key server that runs in a thread; `do()` works on it between two datagrams."""

    def __init__(self, runner):
        self.runner, self.server = runner, runner.server
        self._stop, self._lock = threading.Event(), threading.Lock()
        runner.guard = self._lock
        self._thread = threading.Thread(target=lambda: runner.run(3600, self._stop.is_set))
        self._thread.start()

    def do(self, action):
        with self._lock:
            self.runner.send(action(self.server) or [])

    def until(self, what, seconds=PATIENCE):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with self._lock:
                if what(self.server):
                    return True
            self._stop.wait(0.02)
        return False

    def arm(self, entry, credentials=None):
        """From now on misbehave as an entry of the catalogue says (None: be good)."""
        with self._lock:
            self.server.hooks = party.Hooks()
            if entry is not None:
                entry.arm(self.server, credentials)

    def send(self, answers):
        with self._lock:
            self.runner.send(answers)

    def renew(self):
        """New traffic keys; what was sent. Creation dates have whole seconds, so they advance."""
        with self._lock:
            answers = self.server.renew(time.time())
            self.runner.send(answers)
        return answers

    def forget(self):
        """Drop every member without a word."""
        with self._lock:
            for name in list(self.server.members):
                del self.server.members[name]
                self.server.tree.evict([name], time.time())
            self.server.sessions.clear()
            self.server.doomed.clear()

    def stop(self):
        self._stop.set()
        self._thread.join()


@contextlib.contextmanager
def serving(runner):
    s = Serving(runner)
    try:
        yield s
    finally:
        s.stop()


class Ground:
    def __init__(self, directory, prefix="", kind="ecdsa", terse=True, timestamp=False,
                 dialect=dialects.STRICT, group_id=b"\x01\x02\x03\x04\x05\x06\x07\x08ground",
                 group_type=2, suite="", ip=4):
        self.dir, self.ip, self.multicast = Path(directory), ip, GROUPS[ip]
        self.kind, self.dialect = kind, dialect
        self.group_id, self.group_type = group_id, group_type
        self.suite = replace(policy.SUITES[suite or SUITE[kind]], terse=terse,
                             timestamp=timestamp)
        self.stack = contextlib.ExitStack()
        self.sockets = Sockets()
        self.stack.callback(self.sockets.close)
        self.net = self.stack.enter_context(Net(prefix))
        lan = self.net.segment("lan", 1)
        self.hosts = {n: self.net.host(n, lan, 10 + i)
                      for i, n in enumerate(("keys", "gm", "other", "evil"))}
        self.keylog = self.dir / "keylog"
        self.recording = None
        self.pki = Pki(self.dir / "pki", kind)
        for name in ("owner", "keys", "rogue", "stranger"):
            self.pki.issue(name)
        self.events, self.daemons, self.open = [], [], []
        self.edition, self.excluded = 0, []
        self.opener = "member"  # of TCP, with the transport udpRTJtcpOther
        self.listening = ""  # further attributes of <listen>
        self.transports = ("udp", "tcp")  # that the key server listens for
        self.legacy = False  # SHA-1, MD5 and 1024 bits, whatever the certificates are made of
        self.raw_keys, self.authorities = [], []  # what the Python peers believe
        self.rules, self.server_rules = [], []  # of tokens, beside those by DN
        self.identities = {}  # by name: what replaces or follows the usual <identity>
        self.believed = ""  # more of <trust>, in all daemons
        self.fetch = ""  # <certificate-urls> of all daemons
        self.more_mechanisms = []  # further sets of the token, beside the suite
        self.name_types = {}  # by name: name-type of <identity>

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for runner in self.open:
            runner.close()
        self.stack.close()

    def address(self, host):
        return self.hosts[host].ip4 if self.ip == 4 else self.hosts[host].ip6

    # -- what everybody believes ---------------------------------------------------

    def party(self, name):
        if name not in self.pki.parties:
            self.pki.issue(name)
        return self.pki.parties[name]

    def rule(self, name):
        forward = self.dialect.dn_string == "forward"
        text = f"O=MSEC Lab,CN={name}" if forward else f"CN={name},O=MSEC Lab"
        return policy.Rule(identity.Identity(31, text.encode()), self.pki.intermediate.key_id)

    def make_token(self, **how):
        """The next edition; `excluded` accumulates."""
        self.edition += 1
        owner = self.party("owner")
        content = policy.make_token(
            how.pop("group_name", token.group_name(self.group_type, self.group_id, self.dialect)),
            [self.rule(how.pop("server", "keys")), *self.server_rules],
            [self.rule("gm*"), *self.rules], self.suite,
            how.pop("edition", self.edition), [self.rule(n) for n in self.excluded],
            dialect=self.dialect, leave_cas=[r.ca for r in self.rules],
            more_mechanisms=self.more_mechanisms, **how)
        # signing-time has whole seconds and must advance
        at = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        at += datetime.timedelta(seconds=self.edition - 60)
        return token.sign(content, owner.private, pkix.Certificate(owner.der), at,
                          dialect=self.dialect)

    def group(self):
        return party.Group(self.group_id, self.group_type, self.suite, self.dialect,
                           pkix.Certificate(self.party("owner").der))

    def trust(self):
        trust = pkix.Trust.from_files([self.pki.root.cert], [self.pki.crl])
        trust.raw, trust.authorities = list(self.raw_keys), list(self.authorities)
        trust.extra = [pkix.Certificate(self.pki.intermediate.der)] if self.authorities else []
        return trust

    def credentials(self, name):
        p = self.party(name)
        return party.Credentials.from_files(p.key, p.chain)

    # -- Python peers -----------------------------------------------------------------

    def member(self, name="gm0", host="gm", transport="udp", rekeys=True, credentials=None,
               server="keys", **kw):
        """A net.MemberRunner whose sockets are on a host."""
        gm = member.Member(self.group(), credentials or self.credentials(name), self.trust(),
                           log=keylog.Writer(self.keylog), on_event=self.events.append, **kw)
        with self.hosts[host].inside():
            runner = net.MemberRunner(gm, (self.address(server), PORT), transport,
                                      (self.multicast, REKEY_PORT) if rekeys else None, "eth0",
                                      timeout=5.0, tries=12, within=self.hosts[host].inside,
                                      opener=self.opener)
        self.open.append(runner)
        return runner

    def key_server(self, name="keys", host="keys", signed=None, **options):
        """A net.KeyServerRunner on a host; the caller lets it run."""
        server = keyserver.KeyServer(
            self.group(), self.credentials(name), self.trust(), token=signed or self.make_token(),
            log=keylog.Writer(self.keylog), on_event=self.events.append, now=time.time(),
            options=keyserver.Options(**options))
        with self.hosts[host].inside():
            runner = net.KeyServerRunner(server, self.address(host), PORT,
                                         (self.multicast, REKEY_PORT), "eth0",
                                         opener=self.opener)
        runner.within = self.hosts[host].inside
        self.open.append(runner)
        return runner

    # -- the daemons -----------------------------------------------------------------

    def _daemon(self, program, name, host, xml):
        d = Daemon(self.hosts[host], program, name, self.dir / "daemons", self.sockets,
                   self.keylog)
        d.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<{program}>\n{xml}</{program}>\n')
        self.daemons.append(d)
        return d

    def _who(self, name):
        p, legacy = self.party(name), ' legacy="yes"' if self.kind in LEGACY or self.legacy else ""
        kind = f' name-type="{self.name_types[name]}"' if name in self.name_types else ""
        who = self.identities.get(name, f'<identity certificate="{p.chain}" key="{p.key}"{kind}/>')
        # Whoever has no certificate has no chain that leads to the Group Owner's either.
        lent = f'<intermediate file="{self.pki.intermediate.cert}"/>' if "raw-key" in who else ""
        return f"""  {who}
  <trust{legacy}><root file="{self.pki.root.cert}"/>{lent}<crl file="{self.pki.crl}"/>{self.believed}</trust>
  {self.fetch}
  <group-owner certificate="{self.party("owner").cert}"/>
  <store path="{name}.db"/>
  <control socket="{self.sockets.path / name}"/>
"""

    def _opener(self):
        return f' tcp-opener="{self.opener}"' if self.opener != "member" else ""

    def _group(self):
        kind = {1: "utf8", 2: "octet-string", 3: "ipv4", 4: "ipv6"}[self.group_type]
        return f'<group-id type="{kind}" octets="{self.group_id.hex()}"/>'

    def _dialect(self):
        changed = [(n, getattr(self.dialect, n)) for n, v in dialects.Dialect.choices().items()
                   if getattr(self.dialect, n) != v[0]]
        return "<dialect>" + "".join(f'<switch name="{n}" value="{v}"/>' for n, v in changed
                                     ) + "</dialect>" if changed else ""

    def gcks(self, signed=None, cookies="never", rekey="", timeout="5s", receivers="", bulletin="", errors="", **cookie):
        """gsakmp-gcks on the host keys, serving; the token is a file. `receivers`, `errors`: the elements of
        those names; `cookie`: further attributes of <cookies>."""
        more = "".join(f' {k.replace("_", "-")}="{v}"' for k, v in cookie.items())
        self.token_file = self.dir / "group.token"
        self.token_file.write_bytes(signed or self.make_token())
        ip = self.address("keys")
        d = self._daemon("gsakmp-gcks", "keys", "keys", self._who("keys") + f"""\
  <listen workers="2"{self._opener()}{self.listening}>{"".join(f'<{t} address="{ip}"/>' for t in self.transports)}</listen>
  {bulletin}
  <cookies mode="{cookies}"{more}/>
  {errors}
  <group name="ground">
    {self._group()}
    <token file="{self.token_file}"/>
    <multicast address="{self.multicast}" port="{REKEY_PORT}" interface="eth0" ttl="8"/>
    {rekey}
    <registration timeout="{timeout}"/>
    {receivers}
    {self._dialect()}
  </group>
""")
        d.start()
        return d

    def gm(self, name="gm0", host="gm", transport="udp", static_key="", recovery="no", bulletin="", behaviour="",
           timeout="2s"):
        """gsakmp-gm on a host, not yet joining; with a static key it only receives, on PORT.
        `behaviour`: further attributes of <membership>, beside its timeout."""
        s = self.suite
        named = f' name="{self.party("keys").dn}"' if static_key else ""
        port = f' port="{PORT}"' if static_key else ""
        only = f'<receive-only static-key="{static_key}"/>' if static_key else ""
        missed = 'missed="300ms"' if static_key else f'recovery="{recovery}"'
        d = self._daemon("gsakmp-gm", name, host, self._who(name) + f"""\
  <group>
    {self._group()}
    <key-server address="{self.address("keys")}" transport="{transport}"{named}{self._opener()}/>
    <mechanisms signature="{s.sig_type}" nonce-hash="{s.nonce_hash}"
     key-creation="{s.create_type}" encryption="{s.enc_type}"
     freshness="{"time" if s.timestamp else "nonce"}" terse="{"yes" if s.terse else "no"}"/>
    <rekey address="{self.multicast}" port="{REKEY_PORT}"/>
  </group>
  <network interface="eth0"{port}/>
  {only}
  <membership timeout="{timeout}" grace="3s" {missed} {behaviour}/>
  {bulletin}
  {self._dialect()}
""")
        d.start()
        return d

    # -- the record ---------------------------------------------------------------------

    def admitted(self, server, name="gm0", **how):
        """gsakmp-gm, a member of a group of that Serving, which has its acknowledgement."""
        d = self.gm(name, **how)
        d.control("join")
        d.wait("joined")
        assert server.until(lambda k: any(m.acknowledged for m in k.members.values()))
        return d

    def record(self):
        self.recording = self.net.capture(self.dir / "capture.pcapng")
        return self

    def examine(self, **how):
        """[capture.Report] of everything since record()."""
        self.recording.stop()
        return capture.examine(self.dir / "capture.pcapng", keylog.KeyLog.read(self.keylog),
                               self.trust(), self.dialect, ports=(PORT, REKEY_PORT), **how)
