# SPDX-License-Identifier: BSD-2-Clause
"""Command lines of the two peers: python3 -m msec_scapy.gdoi.cli gm|gcks --help"""
import argparse
import json
import os
import sys
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from .. import pkix
from ..cli import _closed, endpoint
from . import dialect as dialects
from . import gcks, keylog, net, phase1, policy, values
from . import gm as members
from . import numbers as n
from .suite import Suite


def endpoint_of(text):
    """ADDRESS[:PORT], 848 without a port."""
    address, port = endpoint(text)
    return address, n.PORT if port == 3761 else port


def group_identity(text, dialect):
    """`1234` (ID_KEY_ID), `oid:1.2.840...[/HEX]` (ID_OID with its specific payload), `hex:TYPE:HEX`."""
    if text.startswith("oid:"):
        oid, _, specific = text[4:].partition("/")
        octets, payload = values.oid(values.oid_from_text(oid), dialect), bytes.fromhex(specific)
        return n.ID_OID, bytes([len(octets)]) + octets + len(payload).to_bytes(2, "big") + payload
    if text.startswith("hex:"):
        _, kind, octets = text.split(":")
        return int(kind), bytes.fromhex(octets)
    return n.ID_KEY, values.group_id(int(text, 0), dialect)


class Events:
    def __init__(self, where):
        self.out = sys.stdout if where == "-" else open(where, "a", buffering=1)

    def __call__(self, name, **fields):
        print(json.dumps({"time": round(time.time(), 6), "event": name, **fields}, default=str), file=self.out,
              flush=True)


def _common(name, text):
    p = argparse.ArgumentParser(prog=f"msec_scapy.gdoi.cli {name}", description=text)
    p.add_argument("--group", default="1", help="number of the group, oid:OID[/HEX] or hex:TYPE:HEX")
    p.add_argument("--identity", required=True, help="ours in phase 1: address, name, user@name, @hex:OCTETS; fqdn:NAME and so on are read, too")
    p.add_argument("--suite", action="append", default=[], metavar="CIPHER-HASH-AUTH-GROUP[-SECONDS]",
                   help="aes128-sha256-psk-modp2048; may be repeated, in order of preference")
    p.add_argument("--psk", action="append", default=[], metavar="PEER=KEY",
                   help="pre-shared key of an address or identity; * is everybody; hex:... for octets")
    p.add_argument("--key", help="private key, PEM")
    p.add_argument("--cert", help="certificate and chain, PEM")
    p.add_argument("--roots", action="append", default=[])
    p.add_argument("--crl", action="append", default=[])
    p.add_argument("--peer", action="append", default=[], help="identity that may be on the other side; may be repeated")
    p.add_argument("--nat-t", action="store_true", help="RFC 3947, with port 4500")
    p.add_argument("--dpd", type=float, default=0, help="ask a peer that is silent for so many seconds whether it lives (RFC 3706)")
    p.add_argument("--dpd-answers", action="store_true", help="say that we answer such questions, without asking any")
    p.add_argument("--dialect", default="", help="gdoid;name=reading;name=reading")
    p.add_argument("--bind", default="0.0.0.0")
    p.add_argument("--port", type=int, default=n.PORT)
    p.add_argument("--interface", help="interface for multicast")
    p.add_argument("--keylog", help="append secrets to this file (laboratory only)")
    p.add_argument("--events", default="-", help="JSON events: file, or - for standard output")
    p.add_argument("--seconds", type=float, default=60, help="how long to run at most")
    return p


def _secret(text):
    return bytes.fromhex(text[4:]) if text.startswith("hex:") else text.encode()


def config_of(a, log):
    psks = {peer: _secret(key) for peer, _, key in (p.partition("=") for p in a.psk)}
    return phase1.Config(
        phase1.Identity.parse(a.identity), [Suite.parse(s) for s in a.suite] or [Suite()], psks=psks,
        key=pkix.load_key(a.key) if a.key else None,
        certificates=[c.der for c in pkix.load_certificates(a.cert)] if a.cert else [],
        trust=pkix.Trust.from_files(a.roots, a.crl), peers=set(a.peer) or None, nat_t=a.nat_t, dpd=a.dpd, dpd_answers=a.dpd_answers,
        dialect=dialects.Dialect.parse(a.dialect), log=log)


def _log(a):
    return keylog.Writer(a.keylog) if a.keylog else keylog.Silent()


def gm_parser(name="gm", text="Register with a key server, follow its rekeys, acknowledge them."):
    p = _common(name, text)
    p.add_argument("--server", required=name == "gm", help="address and port of the key server")
    p.add_argument("--aggressive", action="store_true")
    p.add_argument("--initial-contact", action="store_true")
    p.add_argument("--receiver", action="store_true", help="we send nothing to the group: no SID is needed")
    p.add_argument("--sids", type=int, default=0, help="ask for so many SIDs")
    p.add_argument("--address", help="our own, for acknowledgements (default: --bind)")
    p.add_argument("--timeout", type=float, default=1.0, help="seconds before the first repetition")
    return p


def member_runner(a, event, log):
    """A member as gm_parser() understood it, on its sockets."""
    config = config_of(a, log)
    config.mode = phase1.AGGRESSIVE if a.aggressive else phase1.MAIN
    config.initial_contact = a.initial_contact
    address = phase1.Identity.parse(a.address or a.bind).data
    member = members.Member(config, group_identity(a.group, config.dialect), not a.receiver, a.sids,
                            address if any(address) else None, endpoint_of(a.server), event)
    return net.MemberRunner(member, a.bind, a.port, n.NAT_PORT if a.nat_t else None, a.interface, a.timeout)


def gm_main(argv):
    p = gm_parser()
    p.add_argument("--rekeys", type=int, default=0, help="end after that many rekeys")
    p.add_argument("--leave", action="store_true", help="say so at the end")
    a = p.parse_args(argv)
    report, count = Events(a.events), [0]

    def event(name, **fields):
        count[0] += name == "rekeyed"
        report(name, **fields)
    runner = member_runner(a, event, _log(a))
    try:
        if not runner.register():
            event("not-registered", state=runner.member.state)
            return 1
        runner.run(a.seconds, lambda: (a.rekeys and count[0] >= a.rekeys))
        if a.leave:
            runner.leave()
        return 0 if count[0] >= a.rekeys else 1
    finally:
        runner.close()


def _signing_key(sig, path):
    if path:
        return pkix.load_key(path)
    if sig == 1:
        return rsa.generate_private_key(65537, 2048)
    if sig == 2:
        return dsa.generate_private_key(1024)
    return ec.generate_private_key({5: ec.SECP384R1, 6: ec.SECP521R1}.get(sig, ec.SECP256R1)())


def tek_policy(text, source=None):
    """`esp-aes-cbc-128-hmac-sha256`, `esp-aes-gcm-16-128`, `ah-sha256`, `iec-AUTH-ENC`, then @SRC>DST; `source`: the
    public key of who sends, for `+sig-rsa` and `ah-rsa`."""
    words, _, traffic = text.partition("@")
    src, _, dst = traffic.partition(">")
    selectors = {}
    if traffic:
        selectors = {"src": policy.Selector.parse(src), "dst": policy.Selector.parse(dst)}
    if words.startswith("iec-"):
        auth, enc = words[4:].split("+")
        return policy.IecPolicy(auth=n.IEC_AUTH.value(auth), enc=n.IEC_ENC.value(enc))
    if words.startswith("ah-"):
        kind = n.AH.value(words[3:])
        if kind == n.AH_RSA:
            selectors["source_key"] = _source(source)
        return policy.IpsecPolicy(protocol=n.T_AH, transform=kind, auth={2: 1, 3: 2, 9: 9}.get(kind, kind), **selectors)
    cipher, _, auth = words[4:].partition("+")
    name, _, bits = cipher.rpartition("-")
    if cipher in n.ESP.values() and not (bits.isdigit() and int(bits) > 31):
        name, bits = cipher, "128"
    if auth == "sig-rsa":
        selectors["source_key"] = _source(source)
    return policy.IpsecPolicy(transform=n.ESP.value(name), key_bits=int(bits),
                              auth=n.IPSEC_AUTH.value(auth) if auth else 0, **selectors)


def _source(path):
    """RFC 4359: the public key of the source of an SA, from PEM."""
    if path is None:
        raise SystemExit("an SA that its source signs needs --source-key")
    return load_pem_public_key(Path(path).read_bytes())


def gcks_parser(name="gcks", text="Run a group. Commands on standard input: teks, kek, evict IDENTITY, evict-hidden IDENTITY, delete, status."):
    p = _common(name, text)
    p.add_argument("--aggressive", action="store_true", help="take Aggressive Mode, too")
    p.add_argument("--tek", action="append", default=[], metavar="SA[@SRC>DST]",
                   help="esp-aes-cbc-128+hmac-sha256@any>239.1.1.1, esp-aes-gcm-16-128, ah-sha256, iec-hmac-sha256+none")
    p.add_argument("--source-key", metavar="PEM", help="RSA public key of the source, for SAs with sig-rsa (RFC 4359)")
    p.add_argument("--kek", default="aes-128", help="aes-BITS, 3des, des or none")
    p.add_argument("--sig", default="rsa", choices=sorted(n.SIG.values()))
    p.add_argument("--sig-hash", default="sha256", choices=sorted(n.SIG_HASH.values()))
    p.add_argument("--sig-key", help="private key, PEM (default: a new one)")
    p.add_argument("--push", default="239.1.1.1:848", help="where rekeys go")
    p.add_argument("--unicast", action="store_true", help="rekeys go to each member")
    p.add_argument("--ack", default="none", choices=("none", *n.ACK.values()))
    p.add_argument("--lkh", type=int, metavar="DEPTH", help="a key tree for 2^DEPTH members")
    p.add_argument("--atd", type=int)
    p.add_argument("--dtd", type=int)
    p.add_argument("--sid-bits", type=int, default=16)
    p.add_argument("--overlap", type=int, help="seconds that the next key of IEC 61850 overlaps the current one")
    p.add_argument("--member", action="append", default=[], help="identity that may join; may be repeated")
    p.add_argument("--members-max", type=int, metavar="NUMBER", help="who comes after them is told that the group is full")
    p.add_argument("--sids-max", type=int, default=256, metavar="NUMBER", help="sender ids that one request may get")
    p.add_argument("--sids-fewer", action="store_true", help="who asks for more gets so many, and is not refused")
    p.add_argument("--no-reasons", action="store_true", help="members that are not served are not told why in words")
    return p


def key_server_runner(a, event, log):
    """A key server and its group as gcks_parser() understood them, on their sockets."""
    config = config_of(a, log)
    config.aggressive = a.aggressive
    kek = None
    if a.kek != "none":
        name, _, bits = a.kek.partition("-")
        sig = n.SIG.value(a.sig)
        host, port = endpoint_of(a.push)
        kek = policy.KekPolicy(n.KEK.value(name), int(bits or 0), sig, n.SIG_HASH.value(a.sig_hash),
                               ack=0 if a.ack == "none" else n.ACK.value(a.ack),
                               src=policy.Selector(*_selector(a.bind), a.port), dst=policy.Selector(*_selector(host), port))
    group = gcks.Group(group_identity(a.group, config.dialect), kek,
                       [tek_policy(t, a.source_key) for t in a.tek] or [policy.IpsecPolicy()],
                       _signing_key(kek.sig, a.sig_key) if kek else None, a.atd, a.dtd, a.lkh, a.sid_bits,
                       set(a.member) or None, a.overlap, members_max=a.members_max, sids_max=a.sids_max,
                       sids_fewer=a.sids_fewer)
    server = gcks.KeyServer(config, [group], event, not a.no_reasons)
    return net.KeyServerRunner(server, a.bind, a.port, n.NAT_PORT if a.nat_t else None, a.interface,
                               unicast=a.unicast)


def gcks_main(argv):
    a = gcks_parser().parse_args(argv)
    event = Events(a.events)
    runner = key_server_runner(a, event, _log(a))
    group = next(iter(runner.server.groups.values()))
    event("listening", port=runner.port)
    commands = Commands(runner.server, group, runner)
    try:
        runner.run(a.seconds, lambda: commands.quit, {} if _closed(sys.stdin) else {sys.stdin: commands.read})
        return 0
    finally:
        runner.close()


def _selector(address):
    identity = phase1.Identity.parse(address)
    return identity.type, identity.data


class Commands:
    """The command lines that a running key server obeys."""

    def __init__(self, server, group, runner):
        self.server, self.group, self.runner = server, group, runner
        self.pending, self.quit = b"", False

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
        told = list(self.group.members.values())  # who is evicted or deleted hears of it, too
        try:
            datagrams = getattr(self, "do_" + word.replace("-", "_"), self._unknown)(rest)
        except (ValueError, KeyError, AttributeError) as e:
            self.server.event("command-failed", command=line, text=str(e))
            return
        self.runner.push(self.group, *datagrams, members=told if self.runner.unicast else None)

    def _unknown(self, _rest):
        raise ValueError("no such command")

    def do_teks(self, _rest):
        return [self.server.rekey_teks(self.group, time.time())]

    def do_kek(self, _rest):
        return [self.server.rekey_kek(self.group, time.time())]

    def do_evict(self, name):
        return self.server.evict(self.group, [name], time.time())

    def do_evict_hidden(self, name):
        return self.server.evict(self.group, [name], time.time(), self.group.kek_policy)

    def do_delete(self, _rest):
        return [self.server.delete_all(self.group)]

    def do_quit(self, _rest):
        self.quit = True
        return []

    def do_status(self, _rest):
        self.server.event("status", members=sorted(self.group.members), seq=self.group.seq,
                          unacknowledged=sorted(self.server.unacknowledged(self.group)))
        return []


def main(argv=None):
    argv = sys.argv[1:] if argv is None else argv
    roles = {"gm": gm_main, "gcks": gcks_main}
    if not argv or argv[0] not in roles:
        print(f"usage: python3 -m msec_scapy.gdoi.cli {'|'.join(roles)} --help", file=sys.stderr)
        return 2
    return roles[argv[0]](argv[1:])


if __name__ == "__main__":
    sys.exit(main())
