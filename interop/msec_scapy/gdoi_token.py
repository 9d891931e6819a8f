# SPDX-License-Identifier: BSD-2-Clause
"""GDOI in a policy token: the private protocols of msec-policy(5), and what they say about a group.

The ASN.1 is that of the manual page. `GroupPolicy.of` reads a token as a key server does and
refuses one that cannot be run, for the same reasons.
"""
from dataclasses import dataclass, replace

from asn1crypto import core
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from . import identity, policy
from . import token as tokens
from .token import GSAKMPID, TokenError

ARC = tokens.PRIVATE_ARC + ".2"
OID_REGISTRATION, OID_REKEY, OID_IPSEC, OID_IEC, OID_OPERATION = (f"{ARC}.{n}" for n in (1, 2, 3, 4, 5))

OPT = {"optional": True}


def _opt(number):
    return {"implicit": number, "optional": True}


class GroupInfo(core.Sequence):
    _fields = [("keyId", core.Integer, _opt(0)), ("oid", core.ObjectIdentifier, _opt(1)),
               ("oidPayload", core.OctetString), ("activationTimeDelay", core.Integer, _opt(2)),
               ("deactivationTimeDelay", core.Integer, _opt(3)), ("senderIdBits", core.Integer, _opt(4)),
               ("membersMax", core.Integer, _opt(5))]


class Phase1Proposal(core.Sequence):
    _fields = [("mode", core.Integer), ("authenticationMethod", core.Integer), ("encryptionAlgorithm", core.Integer),
               ("keyLength", core.Integer, _opt(0)), ("hashAlgorithm", core.Integer),
               ("groupDescription", core.Integer), ("lifeSeconds", core.Integer, _opt(1))]


class Phase1Proposals(core.SequenceOf):
    _child_spec = Phase1Proposal


class GDOIRekeyInfo(core.Sequence):
    _fields = [("delivery", core.Integer), ("source", GSAKMPID, _opt(0)), ("sourcePort", core.Integer),
               ("destination", GSAKMPID, _opt(1)), ("destinationPort", core.Integer), ("resendTimes", core.Integer),
               ("resendSpacing", core.Integer), ("backwardSecrecy", core.Integer), ("kekAlgorithm", core.Integer),
               ("kekKeyLength", core.Integer, _opt(2)), ("kekKeyLifetime", core.Integer),
               ("lkhDegree", core.Integer, _opt(3)), ("rekeyMargin", core.Integer, _opt(4)),
               ("rekeyInterval", core.Integer, _opt(5)), ("sigAlgorithm", core.Integer),
               ("sigHashAlgorithm", core.Integer, _opt(6)), ("sigKeyLength", core.Integer, _opt(7)),
               ("ackRequested", core.Integer, _opt(8)), ("silentMax", core.Integer, _opt(9)),
               ("silentEvicted", core.Integer), ("evictionAtOnce", core.Integer, _opt(10)),
               ("kekPolicyHidden", core.Integer, _opt(11))]


class GSAKMPOperationInfo(core.Sequence):
    """Not of GDOI, but of the same arc: how a group of GSAKMP is run."""
    _fields = [("joinRekey", core.Integer, _opt(0)), ("joinWindow", core.Integer, _opt(1)), ("mtu", core.Integer, _opt(2)),
               ("clockSkew", core.Integer, _opt(3))]


class IPsecSA(core.Sequence):
    _fields = [("protocolId", core.Integer), ("transformId", core.Integer), ("keyLength", core.Integer, _opt(0)),
               ("authenticationAlgorithm", core.Integer, _opt(1)), ("encapsulationMode", core.Integer),
               ("ipProtocol", core.Integer), ("source", GSAKMPID, _opt(2)), ("sourcePort", core.Integer),
               ("destination", GSAKMPID, _opt(3)), ("destinationPort", core.Integer),
               ("lifeSeconds", core.Integer, _opt(4)), ("lifeKilobytes", core.Integer, _opt(5)),
               ("addressPreservation", core.Integer, _opt(6)), ("saDirection", core.Integer, _opt(7)),
               ("extendedSequenceNumber", core.Integer, _opt(8)), ("ecnTunnel", core.Integer, _opt(9)),
               ("keyRounds", core.Integer, _opt(10)), ("authenticationKeyLength", core.Integer, _opt(11)),
               ("signatureEncoding", core.Integer, _opt(12)), ("sourceKey", core.OctetString, _opt(13))]


class IPsecDataSAInfo(core.SequenceOf):
    _child_spec = IPsecSA


class IEC61850SA(core.Sequence):
    _fields = [("oid", core.ObjectIdentifier), ("oidPayload", core.OctetString), ("authAlg", core.Integer),
               ("encAlg", core.Integer), ("lifetime", core.Integer), ("saAtd", core.Integer, _opt(0)),
               ("saKda", core.Integer, _opt(1))]


class IEC61850DataSAInfo(core.SequenceOf):
    _child_spec = IEC61850SA


def registration_info():
    """GDOIRegistrationInfo; what it shares with GSAKMP's has the tags of the RFC's modules."""
    types = tokens.specs("implicit")

    class GDOIRegistrationInfo(core.Sequence):
        _fields = [("joinAuthorization", types.JoinAuthorization), ("joinAccessControl", types.AccessControls),
                   ("groupInfo", GroupInfo), ("phase1", Phase1Proposals)]
    return GDOIRegistrationInfo


KINDS = {OID_REGISTRATION: ("gdoi-registration", registration_info()), OID_REKEY: ("gdoi-rekey", GDOIRekeyInfo),
         OID_OPERATION: ("operation", GSAKMPOperationInfo),
         OID_IPSEC: ("ipsec", IPsecDataSAInfo), OID_IEC: ("iec-61850", IEC61850DataSAInfo)}
LISTS = {"registration": (OID_REGISTRATION,), "rekey": (OID_REKEY, OID_OPERATION), "data": (OID_IPSEC, OID_IEC)}


def info(oid, octets):
    """(kind, decoded parameters), or None when the OID is none of these."""
    if oid not in KINDS:
        return None
    kind, cls = KINDS[oid]
    value = tokens.load(cls, octets)
    _narrow(value)
    return kind, value


def _narrow(value):
    """INTEGERs have 64 bits, an address has a type."""
    if isinstance(value, core.Integer):
        if not -2**63 <= value.native < 2**63:
            raise TokenError("INTEGER of more than 64 bits", "RFC4534-1-04")
    elif isinstance(value, GSAKMPID) and not value["typeValue"].native:
        raise TokenError("Identification Type 0 is reserved", "RFC4534-1-04")
    elif isinstance(value, core.Sequence) and not _is_pair(value):
        for name in value:
            _narrow(value[name])
    elif isinstance(value, core.SequenceOf):
        for item in value:
            _narrow(item)


def _is_pair(value):
    """A name of RFC 4534 may be of any type, also of a reserved one."""
    return isinstance(value, tokens.UserCAPair)


# ------------------------------------------------------------------- meaning

P1_MODES, AES = (2, 4), 3
SIG_RSA = 10
ESP_COUNTER, ESP_COMBINED = {13, 14, 15, 16, 18, 19, 20, 23}, {14, 15, 16, 18, 19, 20, 23}
AH_COUNTER = SA_COUNTER = {11, 12, 13}
ECDSA_HASH = {4: 3, 5: 4, 6: 5}
IEC_GCM = {4, 5}


class PolicyError(ValueError):
    """A policy that no key server can run."""


def _native(value):
    """A record as a dict, without the fields that are absent; an address as (type, octets)."""
    out = {}
    for name in value:
        part = value[name]
        if isinstance(part, core.Void):
            continue
        if isinstance(part, GSAKMPID):
            out[name] = part["typeValue"].native, part["typeData"].native
        elif isinstance(part, core.ObjectIdentifier):
            out[name] = part.dotted
        else:
            out[name] = part.native
    return out


def _demand(true, text):
    if not true:
        raise PolicyError(text)


def _within(record, **limits):
    for name, (low, high) in limits.items():
        _demand(low <= record.get(name, low) <= high, f"{name} {record.get(name)} is not between {low} and {high}")


def _check_source(sa):
    """RFC 4359: who signs has its public key in the policy."""
    if sa.get("authenticationAlgorithm") != SIG_RSA:
        _demand("sourceKey" not in sa, "a source's key, and it does not sign")
        return
    _demand(sa.get("signatureEncoding") in (1, 2), "how is a signature encoded?")
    try:
        key = load_der_public_key(sa.get("sourceKey", b""))
    except ValueError:
        key = None
    _demand(isinstance(key, rsa.RSAPublicKey), "no RSA key of a source")
    _demand(sa.get("authenticationKeyLength") == key.key_size, "another length than the key's")


def _check_addresses(record):
    for name in ("source", "destination"):
        if name in record:
            kind, octets = record[name]
            _demand(1 <= kind <= 255 and len(octets) <= 255, f"{name} fits no payload")


def is_multicast(address):
    kind, octets = address
    if kind == 4 and len(octets) == 8:
        return octets[0] >> 4 == 14 and int.from_bytes(octets[4:], "big") >> 28 == 15
    if kind == 6 and len(octets) == 32:
        return octets[0] == 0xFF and octets[16] == 0xFF
    size = {1: 4, 5: 16, 7: 4, 8: 16}.get(kind, 0)
    heads = [octets[at] for at in range(0, len(octets), size)] if size else []
    return bool(heads) and all(h >> 4 == 14 if size == 4 else h == 0xFF for h in heads)


LEGACY_P1_CIPHERS, LEGACY_P1_HASHES, LEGACY_P1_GROUPS = {1, 5}, {1}, {1, 2, 5}  # DES and 3DES; MD5; less than 2048 bits
KEKS, LEGACY_KEKS, SIGNATURES, LEGACY_SIG_HASHES = {1, 2, 3}, {1, 2}, {1, 2, 3, 4, 5, 6}, {1, 2}  # MD5, SHA-1
CURVES = {4: "secp256r1", 5: "secp384r1", 6: "secp521r1"}


@dataclass(frozen=True)
class Able:
    """What a key server can do, and may: RFC 4534 section 3 has it take the highest listed of that. By default everything."""
    group: bytes = None  # body of the ID payload of its group
    names: tuple = ()  # Identity: who it is
    path: tuple = ()  # the verified path of its certificate; none with a pre-shared key
    phase1: tuple = None  # proposals: (exchange type, method, cipher, bits or None, hash, group)
    legacy: bool = True
    signer: object = None  # public key

    def against_registration(self, register):
        """Why not this one; empty: nothing is against it. Whom and what it is for comes first."""
        group = _native(register["groupInfo"])
        if self.group is not None and _group_body(group) != self.group:
            return "it is for another group"
        if self.names and not _listed(register["joinAuthorization"]["gCKS"], self.names, self.path):
            return "it does not name this key server"
        proposals = [_proposal(p.native) for p in register["phase1"]]
        allowed = [p for p in proposals if self.legacy or not _is_legacy(p)]
        if proposals and not allowed:
            return "each phase 1 of it is legacy"
        if proposals and self.phase1 is not None and not set(allowed) & set(self.phase1):
            return "no phase 1 of it is proposed here"
        return ""

    def against_rekey(self, rekey):
        kind = rekey["sigAlgorithm"]
        if rekey["kekAlgorithm"] not in KEKS or kind not in SIGNATURES or rekey.get("ackRequested", 1) not in (1, 2, 3, 4):
            return "an algorithm that is not known here"
        if not self.legacy and (rekey["kekAlgorithm"] in LEGACY_KEKS or rekey.get("sigHashAlgorithm") in LEGACY_SIG_HASHES):
            return "legacy"
        if self.signer is None:
            return ""
        if kind != 1 and getattr(getattr(self.signer, "curve", None), "name", "") != CURVES.get(kind):
            return "the signer has no key for it"
        if kind == 1 and not isinstance(self.signer, rsa.RSAPublicKey):
            return "the signer has no key for it"
        return "" if rekey.get("sigKeyLength", self.signer.key_size) == self.signer.key_size else "the signer's key has another length"


ANYTHING = Able()


def _proposal(p):
    return tuple(p[k] for k in ("mode", "authenticationMethod", "encryptionAlgorithm", "keyLength", "hashAlgorithm", "groupDescription"))


def _is_legacy(proposal):
    _, _, cipher, _, digest, group = proposal
    return cipher in LEGACY_P1_CIPHERS or digest in LEGACY_P1_HASHES or group in LEGACY_P1_GROUPS


def _group_body(group):
    """RFC 6407 5.1 and RFC 8052 2.1, in the default readings."""
    if "oid" not in group:
        return bytes([11, 0, 0, 0]) + group["keyId"].to_bytes(4, "big")
    name = core.ObjectIdentifier(group["oid"]).dump()
    return bytes([13, 0, 0, 0, len(name)]) + name + len(group["oidPayload"]).to_bytes(2, "big") + group["oidPayload"]


def _listed(pairs, names, path):
    """Is one of `names` among them, under an authority of `path` where one is asked for?"""
    return any(identity.matches_rule(who, rule.who) and (not rule.ca or any(c.key_id == rule.ca for c in path[1:]))
               for rule in policy.rules(pairs) for who in names)


def _highest(entries, against):
    """(place, value) of the first that nothing is against, and what was passed over: [(place, why)]."""
    passed = []
    for place, value in entries:
        why = against(value)
        if not why:
            return (place, value), passed
        passed.append((place, why))
    return None, passed


class GroupPolicy:
    """What a key server takes from a token, or PolicyError."""

    def __init__(self, group, phase1, rekey, sas, register):
        self.group, self.phase1, self.rekey, self.sas, self.register = group, phase1, rekey, sas, register
        self.chosen = self.rekey_chosen = None  # places in the token's lists, from 0

    @staticmethod
    def _choose_registration(token, able):
        """The highest that can be done. Where it is but phase 1 that is not proposed, the highest is in force all the same."""
        entries = [(i, v) for i, (p, _) in enumerate(tokens.registrations(token)) if p is not None
                   for k, v in [tokens.info(p)] if k == "gdoi-registration"]
        _demand(entries, "no registration by GDOI")
        found, passed = _highest(entries, able.against_registration)
        if found is None:
            found, passed = _highest(entries, replace(able, phase1=None).against_registration)
        _demand(found is not None, found or f"registration[{passed[0][0]}]: {passed[0][1]}")
        return found

    @staticmethod
    def _choose_rekey(token, able):
        """(None, None) when there is none; where it is but the signer's key, the group has to say so of the highest."""
        listed = [(i, *tokens.info(one.chosen)) for i, one in enumerate(token["rekey"]) if one.name == "supported"]
        entries = [(i, _native(v)) for i, k, v in listed if k == "gdoi-rekey"]
        if not entries:
            _demand(all(k == "operation" for _, k, _ in listed), "no rekey by GDOI, but by others")
            return None, None
        found, passed = _highest(entries, able.against_rekey)
        if found is None:
            found, passed = _highest(entries, replace(able, signer=None).against_rekey)
        _demand(found is not None, found or f"rekey[{passed[0][0]}]: {passed[0][1]}")
        return found

    @classmethod
    def of(cls, token, able=ANYTHING):
        """From the Token that tokens.parse() gives."""
        place, register = cls._choose_registration(token, able)
        rekey_place, rekey = cls._choose_rekey(token, able)
        sas = []
        for protocol in token["data"]:
            kind, value = tokens.info(protocol)
            _demand(kind in ("ipsec", "iec-61850"), "GDOI has no such data protocol")
            _demand(0 < len(value) <= 64, "none, or too many SAs")
            sas += [(kind, _native(sa)) for sa in value]
        _demand(sas, "there is no data SA")
        made = cls(_native(register["groupInfo"]), [_native(p) for p in register["phase1"]], rekey, sas, register)
        made.chosen, made.rekey_chosen = place, rekey_place
        made.check()
        return made

    def check(self):
        self._check_group()
        for proposal in self.phase1:
            _within(proposal, mode=(2, 4), keyLength=(64, 65535), lifeSeconds=(1, 2**32 - 1))
            aes = proposal["encryptionAlgorithm"] == 7
            _demand(aes == ("keyLength" in proposal), "a key length where it does not belong, or none")
        if self.rekey is not None:
            self._check_rekey()
        for kind, sa in self.sas:
            self._check_ipsec(sa) if kind == "ipsec" else self._check_iec(sa)

    def _check_group(self):
        _within(self.group, keyId=(0, 2**32 - 1), activationTimeDelay=(0, 65535), deactivationTimeDelay=(0, 65535),
                senderIdBits=(1, 32), membersMax=(1, 2**32 - 1))
        _demand(("keyId" in self.group) != ("oid" in self.group), "a group has either a number or an OID")
        _demand("oid" in self.group or not self.group["oidPayload"], "a payload belongs to an OID")
        _demand(not any(self.counts(*sa) for sa in self.sas) or "senderIdBits" in self.group, "no sender ids")
        degree = (self.rekey or {}).get("lkhDegree")
        if degree and "membersMax" in self.group:
            _demand(self.group["membersMax"] <= (65535 * (degree - 1) + 1) // degree, "the LKH tree is too small")

    def admits(self, names, path=()):
        """May whoever phase 1 proved to be each of `names` (Identity) be a member? `path` is the verified path of
        its certificate, leaf first; empty for a pre-shared key. RFC 4534 B.1.2; an empty cA is no condition."""
        def hit(pairs):
            return _listed(pairs, names, path)
        return any(hit(entry["accessRule"])
                   and (isinstance(entry["exclusionsRule"], core.Void) or not hit(entry["exclusionsRule"]))
                   for entry in self.register["joinAccessControl"])

    @staticmethod
    def counts(kind, sa):
        """A counter mode of IPsec, for which senders need ids (RFC 6054)."""
        if kind != "ipsec":
            return False
        if sa["protocolId"] == 2:
            return sa["transformId"] in AH_COUNTER
        return sa["transformId"] in ESP_COUNTER or sa.get("authenticationAlgorithm") in SA_COUNTER

    def _check_rekey(self):
        r = self.rekey
        _within(r, delivery=(0, 1), sourcePort=(0, 65535), destinationPort=(1, 65535), resendTimes=(0, 20),
                resendSpacing=(0, 600000), backwardSecrecy=(0, 1), kekKeyLifetime=(1, 2**32 - 1), lkhDegree=(2, 256),
                rekeyMargin=(1, r["kekKeyLifetime"] - 1), rekeyInterval=(1, 2**32 - 1), silentMax=(1, 1000),
                silentEvicted=(0, 1), evictionAtOnce=(0, 1), kekPolicyHidden=(0, 1))
        _check_addresses(r)
        if r["delivery"]:
            _demand("destination" not in r, "unicast has no destination")
        else:
            _demand("destination" in r and is_multicast(r["destination"]), "multicast to no multicast address")
        if r["kekAlgorithm"] == AES:
            _demand(r.get("kekKeyLength") in (128, 192, 256), "AES has keys of 128, 192 or 256 bits")
        if r["sigAlgorithm"] in ECDSA_HASH:
            _demand(r.get("sigHashAlgorithm") in (None, ECDSA_HASH[r["sigAlgorithm"]]), "not the hash of that curve")
        else:
            _demand("sigHashAlgorithm" in r, "a signature without a hash")
        _demand(r.get("ackRequested") not in (2, 4) or "lkhDegree" in r, "an LKH acknowledgement without LKH")
        _demand("silentMax" not in r or "ackRequested" in r, "nobody acknowledges, so nobody is silent")
        _demand(not r["silentEvicted"] or "silentMax" in r, "who is silent?")
        _demand(not r.get("kekPolicyHidden") or "lkhDegree" in r, "without LKH the evicted see no next KEK at all")

    def _margin(self, life):
        margin = (self.rekey or {}).get("rekeyMargin", 0)
        _demand(not life or margin < life, "new keys are due before the SA exists")

    def _check_ipsec(self, sa):
        _within(sa, protocolId=(1, 2), transformId=(1, 255), encapsulationMode=(1, 2), ipProtocol=(0, 255),
                sourcePort=(0, 65535), destinationPort=(0, 65535), lifeSeconds=(1, 2**32 - 1),
                lifeKilobytes=(1, 2**32 - 1), addressPreservation=(1, 4), saDirection=(1, 3))
        _demand("destination" in sa, "an SA without destination")
        _check_addresses(sa)
        _check_source(sa)
        self._margin(sa.get("lifeSeconds", 0))
        if sa["protocolId"] == 2:
            _demand("authenticationAlgorithm" in sa, "AH without authentication")
            return
        transform = sa["transformId"]
        _demand(transform not in ESP_COMBINED or "authenticationAlgorithm" not in sa, "authenticated twice")
        _demand("keyLength" in sa or transform < 12 or transform in (17, 21), "no key length")

    def _check_iec(self, sa):
        _within(sa, authAlg=(1, 65535), encAlg=(1, 65535), lifetime=(0, 2**32 - 1), saAtd=(0, 2**32 - 1),
                saKda=(0, 100))
        self._margin(sa["lifetime"])
        if sa["encAlg"] in IEC_GCM:
            _demand(sa["authAlg"] == 1, "GCM brings its own authentication")
        elif sa["encAlg"] != 1:
            _demand(sa["authAlg"] != 1, "CBC without authentication")
