# SPDX-License-Identifier: BSD-2-Clause
"""Decode a capture and check everything in it against the key log and the roots.

    python3 -m msec_scapy.capture FILE --keylog K --roots ROOT.pem

Each message gives one line. What is checked: its form, its signature, the path
of the signer's certificate, Nonce_C, the KEK against the shared secret, that
every encrypted part decrypts, that its keys are those of the key log, and the
Group Owner's signature on the token. The exit status is 1 if anything fails.

A request of a candidate whose certificate leads to no root is not a fault of
the capture (refusing it is the key server's duty): it is shown as untrusted,
and becomes a fault when a key server answers it with keys.
"""
import argparse
import json
import sys
from dataclasses import dataclass, field

from . import crypto, flows, identity, keylog, lkh, message, pkix, protect
from . import dialect as dialects
from . import registry as reg
from . import token as tokens
from .gsakmp import Identification, KeyCreation, KeyDownload, PolicyToken, RekeyEvent
from .refusal import Refusal
from .times import utc

FROM_MEMBER = (reg.X_RTJ, reg.X_ACK, reg.X_RTD, reg.X_DA)


@dataclass
class Report:
    """One line of the table."""
    captured: flows.Captured
    exchange: str = "?"
    sequence: int = 0
    group: str = ""
    signer: str = ""
    checks: list = field(default_factory=list)  # what was verified
    notes: list = field(default_factory=list)
    faults: list = field(default_factory=list)

    def as_dict(self):
        c = self.captured
        return {"time": c.time, "src": c.src, "dst": c.dst, "transport": c.transport,
                "octets": len(c.octets), "exchange": self.exchange, "sequence": self.sequence,
                "group": self.group, "signer": self.signer, "checks": self.checks,
                "notes": self.notes, "faults": self.faults}


class Checker:
    def __init__(self, log, trust, dialect=dialects.STRICT, owner=None, tolerate=False):
        self.log, self.trust, self.dialect = log, trust, dialect
        self.owner, self.tolerate = owner, tolerate
        self.known = list(trust.extra)  # every certificate seen so far
        self.initiated = {}  # (group, Nonce_I) -> (message, was its signer trusted)
        self.combined = {}  # (group, Nonce_C) -> exchange that brought it
        self.sequences = {}  # (group, signer) -> {sequence: (octets, token and rekey payloads)}

    def check(self, captured):
        report = Report(captured)
        try:
            m = message.parse(captured.octets, self.dialect)
        except Refusal as e:
            self._describe(report, captured.octets)
            (report.notes if self.tolerate else report.faults).append(f"refused: {e}")
            return report
        report.exchange = reg.EXCHANGE.name(m.exchange)
        report.group, report.sequence = m.group_id.hex(), m.packet.sequence
        report.checks.append("form")
        trusted = True
        if m.signature is not None:
            trusted = self._signature(m, report)
        step = {reg.X_RTJ: self._initiation, reg.X_RTD: self._initiation,
                reg.X_KEYDL: self._key_download, reg.X_LOA: self._response,
                reg.X_DR: self._response, reg.X_ACK: self._confirmation,
                reg.X_DA: self._confirmation, reg.X_REKEY: self._rekey}.get(m.exchange)
        if step is not None:
            step(m, report, trusted)
        return report

    @staticmethod
    def _describe(report, octets):
        try:
            _, gid_end, _ = message.frame(octets)
            report.group = octets[2:gid_end].hex()
            report.exchange = reg.EXCHANGE.name(octets[gid_end + 2])
        except Refusal:
            pass

    # -- signatures -----------------------------------------------------------

    def _signature(self, m, report):
        report.signer = str(m.signer)
        received = []
        for der in m.certificates():
            try:
                received.append(pkix.Certificate(der))
            except (ValueError, TypeError) as e:
                report.faults.append(f"certificate: {e}")
        self.known += [c for c in received if c not in self.known]
        candidates = [c for c in received + self.known if c not in self.trust.roots
                      and identity.matches_certificate(m.signer, c, self.dialect)]
        if not candidates:
            report.faults.append(f"no certificate of {m.signer}")
            return False
        fault = None
        for cert in dict.fromkeys(candidates):
            try:
                message.verify(m, cert.key, self.dialect)
                report.checks.append("signature")
                return self._path(m, cert, received, report)
            except Refusal as e:
                fault = e
        report.faults.append(str(fault))
        return False

    def _path(self, m, cert, received, report):
        try:
            self.trust.path(cert, received + self.known, utc(report.captured.time))
            report.checks.append("path")
            return True
        except pkix.PathFault as e:
            member = m.exchange in FROM_MEMBER
            (report.notes if member else report.faults).append(f"untrusted: {e}")
            return False

    # -- nonces ---------------------------------------------------------------

    def _initiation(self, m, report, trusted):
        nonce = m.nonce(reg.NONCE_I)
        if nonce is not None:
            first = (m.group_id, m.exchange, nonce)
            if first in self.initiated and self.initiated[first][0].octets == m.octets:
                report.notes.append("repeated")
            self.initiated[first] = (m, trusted)
        if m.exchange == reg.X_RTD and m.notify().notify == reg.N_EXPULSION:
            report.notes.append(f"for {message.expulsion(m.notify().octets())[1]}, expelled")

    def _combination(self, m, report, exchange):
        """Find the initiator's message that Nonce_C answers: (message, trusted) or None."""
        nonce_r, nonce_c = m.nonce(reg.NONCE_R), m.nonce(reg.NONCE_C)
        if nonce_c is None:
            report.notes.append("no nonces")
            return None
        for (gid, kind, nonce_i), found in self.initiated.items():
            if gid == m.group_id and kind == exchange and any(
                    crypto.nonce_c(h, nonce_i, nonce_r, self.dialect, (
                        message.loose_nonce_payload(found[0].octets, reg.NONCE_I),
                        message.loose_nonce_payload(m.octets, reg.NONCE_R))) == nonce_c
                    for h in crypto.NONCE_HASH):
                report.checks.append("nonce")
                self.combined[(gid, nonce_c)] = m
                return found
        report.faults.append("Nonce_C belongs to no request")
        return None

    def _response(self, m, report, _trusted):
        self._combination(m, report, reg.X_RTD if m.exchange == reg.X_DR else reg.X_RTJ)

    def _confirmation(self, m, report, _trusted):
        nonce_c = m.nonce(reg.NONCE_C)
        if nonce_c is None:
            report.notes.append("no nonces")
        elif (m.group_id, nonce_c) in self.combined:
            report.checks.append("nonce")
        else:
            report.faults.append("Nonce_C was never sent")
        report.notes.append(reg.NOTIFY.name(m.notify().notify))

    # -- registration -----------------------------------------------------------

    def _key_download(self, m, report, _trusted):
        request = self._combination(m, report, reg.X_RTJ)
        nonce_i = nonce_r = b""
        if request is not None:
            nonce_i, nonce_r = request[0].nonce(reg.NONCE_I), m.nonce(reg.NONCE_R)
            if not request[1]:
                report.faults.append("keys for a candidate whose certificate leads to no root")
            member = m.one(Identification)
            if not identity.same(identity.Identity(member.id_type, bytes(member.data)),
                                 request[0].signer, self.dialect):
                report.faults.append("Member ID is not the signer of the request")
        secrets = [s for s in self.log.secrets
                   if (s.group_id, s.nonce_i, s.nonce_r) == (m.group_id, nonce_i, nonce_r)]
        if not secrets:
            report.faults.append("no secret in the key log")
            return
        faults = []
        for secret in secrets:
            try:
                self._open_download(m, secret, nonce_i, nonce_r, report)
                return
            except (crypto.CryptoError, tokens.TokenError, Refusal) as e:
                faults.append(f"key download: {e}")
        report.faults += faults

    def _open_download(self, m, secret, nonce_i, nonce_r, report):
        creation = m.one(KeyCreation)
        if creation.create_type != secret.create_type:
            raise crypto.CryptoError("key creation type is not that of the key log")
        keks = [k for k in self.log.keks
                if (k.group_id, k.nonce_i, k.nonce_r) == (m.group_id, nonce_i, nonce_r)]
        if not keks:
            raise crypto.CryptoError("no KEK in the key log")
        kek = next((k for k in keks if k.key == crypto.kek(
            secret.create_type, secret.secret, k.enc_type, m.group_id, nonce_i, nonce_r,
            self.dialect)), None)
        if kek is None:
            raise crypto.CryptoError("the KEK is not derived from the shared secret")
        guard = protect.Registration(kek.enc_type, kek.key, self.dialect, secret.secret, nonce_i,
                                     nonce_r, m.nonce(reg.NONCE_C) or b"")
        token = guard.open_token(m.one(PolicyToken))
        data = guard.open_keys(m.one(KeyDownload))
        report.checks += ["kek", "decryption"]
        self._token(token, report)
        for item in data.items:
            datums = ([item.body] if item.item_type == reg.KDD_GTPK
                      else item.body.getfieldval("keys"))
            for datum in datums:
                self._logged(m.group_id, datum, report)
        report.checks.append("keys")

    def _logged(self, group_id, datum, report):
        held = self.log.named(group_id, datum.key_id, datum.handle)
        if not held:
            report.faults.append(f"key {datum.key_id.hex()}/{datum.handle.hex()} is not logged")
        elif datum.key not in [k.key for k in held]:
            report.faults.append(f"key {held[0]} differs from the key log")

    def _token(self, octets, report):
        signed = tokens.Signed(octets, self.dialect)
        owners = [self.owner] if self.owner else [c for c in signed.certificates + self.known
                                                  if signed.is_by(c)]
        if not owners:
            raise tokens.TokenError("no certificate of the Group Owner", "RFC4534-2-08")
        signed.verify(owners[0])
        try:
            self.trust.path(owners[0], signed.certificates + self.known, utc(report.captured.time))
        except pkix.PathFault as e:
            raise tokens.TokenError(f"Group Owner: {e}", "RFC4534-2-08") from e
        report.checks.append("token")
        report.notes.append(f"edition {signed.edition}")

    # -- rekey ------------------------------------------------------------------

    def _rekey(self, m, report, _trusted):
        seen = self.sequences.setdefault((m.group_id, m.signer), {})
        sequence = m.packet.sequence
        content = [m.octets[at:at + size] for kind, at, size in m.offsets
                   if kind in (reg.P_TOKEN, reg.P_REKEY)]
        octets, before = seen.get(sequence, (None, None))
        if reg.SEQUENCE_DESTROY in seen and sequence != reg.SEQUENCE_DESTROY:
            report.faults.append(f"Sequence ID {sequence} after the group was destroyed")
        elif octets == m.octets:
            report.notes.append("repeated")
        elif before == content:  # by a key server that was restarted in between
            report.notes.append("repeated, signed anew")
        elif octets is not None:
            report.faults.append(f"Sequence ID {sequence} twice, with different contents")
        elif seen and sequence < max(seen):
            report.faults.append(f"Sequence ID {sequence} after {max(seen)}")
        seen.setdefault(sequence, (m.octets, content))
        if sequence == reg.SEQUENCE_DESTROY:
            report.notes.append("group destroyed")
        opened = 0
        for event in m.all(RekeyEvent):
            for red in event.datas:
                opened += self._open_red(m, red, report)
        if opened:
            report.checks.append("decryption")
            report.notes.append(f"{opened} keys")
        payload = m.one(PolicyToken)
        if payload is not None:
            self._rekey_token(m, payload, report)

    def _open_red(self, m, red, report):
        faults, packages = [], None
        for key in self.log.of_group(m.group_id):
            if key.handle != red.wrap_handle or not key.key_id.endswith(red.wrap_id):
                continue
            try:
                packages = protect.open_rekey_data(red, key.key_type, key.key, self.dialect).packages
                break
            except (crypto.CryptoError, Refusal) as e:
                faults.append(f"rekey data under {key}: {e}")
        if packages is None:
            report.faults += faults or [f"wrapping key {red.wrap_id.hex()}/{red.wrap_handle.hex()} "
                                        "is not logged"]
            return 0
        datums = [d for package in packages for d in lkh.package_keys(package)]
        for datum in datums:
            self._logged(m.group_id, datum, report)
        return len(datums)

    def _rekey_token(self, m, payload, report):
        """The wire does not name the traffic key: the one that fits is the one."""
        for key in self.log.of_group(m.group_id):
            try:
                token = protect.token_key(key.key_type, key.key, key.key_id, key.handle,
                                          self.dialect).open_token(payload)
                tokens.Signed(token, self.dialect)
            except (crypto.CryptoError, tokens.TokenError):
                continue
            try:
                self._token(token, report)
                report.notes.append(f"token under {key}")
            except tokens.TokenError as e:
                report.faults.append(str(e))
            return
        report.faults.append("no logged key opens the policy token")


def examine(pcap, log, trust, dialect=dialects.STRICT, owner=None, tolerate=False,
            ports=(reg.PORT,)):
    """[Report] of a capture file."""
    return examine_messages(flows.messages(pcap, ports), log, trust, dialect, owner, tolerate)


def examine_messages(captured, log, trust, dialect=dialects.STRICT, owner=None, tolerate=False):
    checker = Checker(log, trust, dialect, owner, tolerate)
    return [checker.check(c) for c in captured]


def table(reports):
    start = reports[0].captured.time if reports else 0
    for r in reports:
        c = r.captured
        verdict = "FAULT" if r.faults else "ok"
        yield (f"{c.time - start:9.3f} {c.src:>15} > {c.dst:<15} {c.transport} "
               f"{len(c.octets):5d} {r.exchange:<16} seq {r.sequence:<10} {verdict:<5} "
               f"{','.join(r.checks)}{'  (' + '; '.join(r.notes) + ')' if r.notes else ''}")
        for fault in r.faults:
            yield f"{'':10}! {fault}"


def main(argv=None):
    p = argparse.ArgumentParser(prog="msec_scapy.capture", description=__doc__.split("\n", 1)[0])
    p.add_argument("file", help="capture in pcap or pcapng form")
    p.add_argument("--keylog", action="append", default=[], help="key log (repeatable)")
    p.add_argument("--roots", action="append", default=[], help="PEM file of roots (repeatable)")
    p.add_argument("--crl", action="append", default=[], help="PEM or DER file of CRLs")
    p.add_argument("--certs", action="append", default=[],
                   help="certificates that are not in the messages")
    p.add_argument("--owner", help="certificate that must have signed the tokens")
    p.add_argument("--dialect", default="", help="name=reading,name=reading")
    p.add_argument("--tolerate", action="store_true",
                   help="messages that no reader would accept are notes, not faults")
    p.add_argument("--port", type=int, action="append", default=[],
                   help="of registration or rekey (repeatable; default: 3761)")
    p.add_argument("--json", action="store_true", help="one JSON object a message")
    a = p.parse_args(argv)
    trust = pkix.Trust.from_files(a.roots, a.crl)
    trust.extra = [c for f in a.certs for c in pkix.load_certificates(f)]
    owner = pkix.load_certificates(a.owner)[0] if a.owner else None
    reports = examine(a.file, keylog.KeyLog.read(*a.keylog), trust,
                      dialects.Dialect.parse(a.dialect), owner, a.tolerate,
                      a.port or (reg.PORT,))
    for line in ([json.dumps(r.as_dict()) for r in reports] if a.json else table(reports)):
        print(line)
    faults = sum(len(r.faults) for r in reports)
    if not reports:
        print("no GSAKMP message in the capture", file=sys.stderr)
        return 1
    if not a.json:
        print(f"{len(reports)} messages, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
