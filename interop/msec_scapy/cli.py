# SPDX-License-Identifier: BSD-2-Clause
"""Command lines of the two peers. Every option can come from a JSON file instead."""
import argparse
import json
import os
import sys
import time
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from . import identity, keylog, material, net, party, pkix
from . import dialect as dialects
from . import registry as reg
from .keyserver import KeyServer, Options
from .member import LEFT, Member
from .policy import SUITES


def endpoint(text):
    """ADDRESS:PORT, [ADDRESS]:PORT or ADDRESS."""
    if text.startswith("["):
        address, _, rest = text[1:].partition("]")
        return address, int(rest[1:] or reg.PORT)
    address, sep, port = text.rpartition(":")
    if not sep or ":" in address:
        return text, reg.PORT
    return address, int(port)


def _common(name, text):
    p = argparse.ArgumentParser(prog=f"msec_scapy.{name}", description=text)
    p.add_argument("--config", help="JSON object with long option names as keys")
    p.add_argument("--group-id", default="", help="GroupID Value in hexadecimal")
    p.add_argument("--group-type", type=int, default=2, help="GroupID Type (2: octet string)")
    p.add_argument("--suite", default="p256", choices=sorted(SUITES))
    p.add_argument("--timestamp", action="store_true", help="freshness by time, not by nonces")
    p.add_argument("--verbose-mode", action="store_true", help="Verbose instead of Terse Mode")
    p.add_argument("--key", help="own private key, PEM")
    p.add_argument("--cert", help="own certificate and chain, PEM")
    p.add_argument("--id-type", type=int, default=reg.ID_DN, help="Table 19, 31: DN string")
    p.add_argument("--roots", action="append", default=[])
    p.add_argument("--crl", action="append", default=[])
    p.add_argument("--raw-name", help="no certificate: the RSA key alone, of TYPE:NAME (Table 19)")
    p.add_argument("--believe", action="append", default=[], metavar="TYPE:NAME=FILE",
                   help="an RSA public key, PEM, that is believed without a certificate")
    p.add_argument("--cert-url", default="", help="send hash and URL instead of the certificate")
    p.add_argument("--bundle-url", default="", help="the same for certificate and chain")
    p.add_argument("--fetch", action="store_true", help="follow the URLs of peers (laboratory only)")
    p.add_argument("--attribute", action="append", default=[],
                   help="attribute certificate to send, DER")
    p.add_argument("--authority", action="append", default=[],
                   help="certificate, PEM, whose attribute certificates give permissions")
    p.add_argument("--send-crl", action="append", default=[], help="revocation list to send")
    p.add_argument("--opener", choices=("member", "key-server"), default="member",
                   help="who opens TCP in a group with " + net.MIXED)
    p.add_argument("--owner", help="certificate of the Group Owner, PEM")
    p.add_argument("--multicast", help="address and port of the Rekey Events")
    p.add_argument("--interface", help="interface for multicast")
    p.add_argument("--dialect", default="", help="name=reading,name=reading")
    p.add_argument("--keylog", help="append secrets to this file (laboratory only)")
    p.add_argument("--events", default="-", help="JSON events: file, or - for standard output")
    p.add_argument("--seconds", type=float, default=60, help="how long to run at most")
    return p


def _parse(p, argv):
    a = p.parse_args(argv)
    if a.config:
        with open(a.config) as f:
            given = json.load(f)
        unknown = [k for k in given if k.replace("-", "_") not in vars(a)]
        if unknown:
            p.error(f"{a.config}: unknown key {', '.join(unknown)}")
        p.set_defaults(**{k.replace("-", "_"): v for k, v in given.items()})
        a = p.parse_args(argv)
    for need in ("group_id", "key", *(() if a.raw_name else ("cert",))):
        if not getattr(a, need):
            p.error(f"--{need.replace('_', '-')} is needed")
    return a


class Events:
    def __init__(self, where):
        self.out = sys.stdout if where == "-" else open(where, "a", buffering=1)

    def __call__(self, event):
        print(json.dumps({"time": round(time.time(), 6), **event}), file=self.out, flush=True)


def _named(text):
    """TYPE:NAME, with octets of the type as they are or as hex:..."""
    kind, _, name = text.partition(":")
    octets = bytes.fromhex(name[4:]) if name.startswith("hex:") else name.encode()
    return identity.Identity(int(kind), octets)


def _believed(text):
    name, _, file = text.rpartition("=")
    key = serialization.load_pem_public_key(Path(file).read_bytes())
    return _named(name), material.RawKey.of(key)


def _party(a):
    """Positional and keyword arguments of a peer."""
    from dataclasses import replace
    suite = replace(SUITES[a.suite], timestamp=a.timestamp, terse=not a.verbose_mode)
    owner = pkix.load_certificates(a.owner)[0] if a.owner else None
    group = party.Group(bytes.fromhex(a.group_id), a.group_type, suite,
                        dialects.Dialect.parse(a.dialect), owner)
    if a.raw_name:
        credentials = party.Credentials.raw(pkix.load_key(a.key), _named(a.raw_name))
    else:
        credentials = party.Credentials.from_files(a.key, a.cert, id_kind=a.id_type)
    credentials.cert_url, credentials.bundle_url = a.cert_url, a.bundle_url
    credentials.attributes = [Path(f).read_bytes() for f in a.attribute]
    credentials.crls = [c.x.dump() for f in a.send_crl for c in pkix.load_crls(f)]
    trust = pkix.Trust.from_files(a.roots, a.crl)
    trust.raw = [_believed(text) for text in a.believe]
    trust.authorities = [c for f in a.authority for c in pkix.load_certificates(f)]
    log = keylog.Writer(a.keylog) if a.keylog else keylog.Silent()
    return (group, credentials, trust), {"log": log, "on_event": Events(a.events)}


def _member_parser(name, text):
    p = _common(name, text)
    p.add_argument("--server", help="address and port of the key server")
    p.add_argument("--transport", choices=("udp", "tcp", net.MIXED), default="udp")
    p.add_argument("--timeout", type=float, default=2.0, help="seconds before a repetition")
    return p


def _runner(p, a, on_event=None):
    if not a.server:
        p.error("--server is needed")
    args, kw = _party(a)
    if on_event is not None:
        kw["on_event"] = on_event(kw["on_event"])
    gm = Member(*args, **kw)
    gm.fetch = material.get if a.fetch else None
    return net.MemberRunner(gm, endpoint(a.server), a.transport,
                            endpoint(a.multicast) if a.multicast else None, a.interface,
                            timeout=a.timeout, opener=a.opener)


def member_runner(argv):
    """A MemberRunner from command line words, for tools that drive it themselves."""
    p = _member_parser("misbehave --run NAME", "Send one wrong message and see what happens.")
    return _runner(p, _parse(p, argv))


def member_main(argv=None):
    p = _member_parser("member", "Join a group, follow its rekeys, leave it.")
    p.add_argument("--leave", action="store_true", help="de-register at the end")
    p.add_argument("--rekeys", type=int, default=0, help="end after that many Rekey Events")
    p.add_argument("--misbehave", help="name of an entry of msec_scapy.misbehave")
    a = _parse(p, argv)
    count = [0]

    def counting(report):
        def on_event(event):
            count[0] += event["event"] == "rekeyed"
            report(event)
        return on_event
    runner = _runner(p, a, counting)
    gm = runner.member
    if a.misbehave:
        from . import misbehave
        misbehave.find(a.misbehave, "member").arm(gm)
    try:
        if not runner.join():
            gm.event("not-joined", state=gm.state)
            return 1
        runner.run(a.seconds, lambda: a.rekeys and count[0] >= a.rekeys)
        if a.leave and gm.state != LEFT:
            return 0 if runner.leave() else 1
        return 0
    finally:
        runner.close()
        gm.log.close()


def keyserver_main(argv=None):
    p = _common("keyserver", "Run a group. Commands on standard input: renew, evict DN, "
                             "token FILE, evict-token FILE DN, destroy, status.")
    p.add_argument("--token", help="signed policy token, DER")
    p.add_argument("--bind", default="0.0.0.0")
    p.add_argument("--port", type=int, default=reg.PORT)
    p.add_argument("--session-timeout", type=float, default=10)
    p.add_argument("--cookies", action="store_true")
    p.add_argument("--no-join-rekey", action="store_true")
    p.add_argument("--ttl", type=int, default=8)
    p.add_argument("--misbehave", help="name of an entry of the catalogue")
    a = _parse(p, argv)
    if not a.token:
        p.error("--token is needed")
    args, kw = _party(a)
    with open(a.token, "rb") as f:
        token = f.read()
    server = KeyServer(*args, token=token, now=time.time(), options=Options(
        a.session_timeout, a.cookies, not a.no_join_rekey), **kw)
    server.fetch = material.get if a.fetch else None
    if a.misbehave:
        from . import misbehave
        misbehave.find(a.misbehave, "server").arm(server)
    runner = net.KeyServerRunner(server, a.bind, a.port,
                                 endpoint(a.multicast) if a.multicast else None, a.interface,
                                 a.ttl, a.opener)
    server.event("listening", port=runner.port)
    commands = Commands(server, runner)
    extra = {} if _closed(sys.stdin) else {sys.stdin: commands.read}
    try:
        runner.run(a.seconds, extra=extra)
        return 0
    finally:
        runner.close()
        kw["log"].close()


def _closed(f):
    """Standard input that gives no commands: absent, or not pollable."""
    try:
        mode = os.fstat(f.fileno()).st_mode
    except (AttributeError, OSError, ValueError):
        return True
    import stat
    return not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(f.fileno()))


class Commands:
    """The command lines that a running key server obeys."""

    def __init__(self, server, runner):
        self.server, self.runner, self.pending = server, runner, b""

    def read(self):
        octets = os.read(sys.stdin.fileno(), 4096)
        if not octets:
            self.runner.selector.unregister(sys.stdin)
        self.pending += octets
        *lines, self.pending = self.pending.split(b"\n")
        for line in lines:
            self.do(line.decode().strip())

    def do(self, line):
        word, _, rest = line.partition(" ")
        try:
            answers = getattr(self, "do_" + word.replace("-", "_"), self._unknown)(rest)
        except (ValueError, OSError, KeyError) as e:
            self.server.event("command-failed", command=line, text=str(e))
            return
        self.runner.send(answers or [])

    def _unknown(self, _rest):
        raise ValueError("no such command")

    def do_renew(self, _rest):
        return self.server.renew(time.time())

    def do_evict(self, dn):
        return self.server.evict([identity.Identity(reg.ID_DN, dn.encode())], time.time())

    def do_token(self, path):
        with open(path, "rb") as f:
            return self.server.new_token(f.read(), time.time())

    def do_evict_token(self, rest):
        path, _, dn = rest.partition(" ")
        with open(path, "rb") as f:
            return self.server.evict([identity.Identity(reg.ID_DN, dn.encode())], time.time(),
                                     f.read())

    def do_destroy(self, _rest):
        return self.server.destroy(time.time())

    def do_status(self, _rest):
        self.server.event("status", members=[str(m.who) for m in self.server.members.values()],
                          sequence=self.server.sequence)
