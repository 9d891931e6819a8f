# SPDX-License-Identifier: BSD-2-Clause
"""What a policy token means for a peer: who may do what, with which mechanisms."""
from dataclasses import dataclass, field, replace

from asn1crypto import core

from . import crypto, identity
from . import registry as reg
from . import token as tokens
from .dialect import STRICT
from .identity import Identity
from .refusal import Refusal


@dataclass(frozen=True)
class Suite:
    """One set of mechanisms for registration."""
    sig_type: int = 0
    nonce_hash: int = 1
    create_type: int = 2
    enc_type: int = 12
    terse: bool = True
    timestamp: bool = False
    timeout: int = 30  # seconds that a set of a token has an answer awaited

    @property
    def private(self):
        return max(self.sig_type, self.nonce_hash, self.create_type, self.enc_type) >= 49153


SUITES = {"suite1": Suite(),
          "suite1-2048": Suite(create_type=14),
          "p256": Suite(*tokens.SUITES[tokens.OID_SUITE_P256]),
          "rsa": Suite(*tokens.SUITES[tokens.OID_SUITE_RSA]),
          "x25519": Suite(49156, 49153, 49154, 49155)}


@dataclass(frozen=True)
class Rule:
    """A UserCAPair."""
    who: Identity
    ca: bytes

    def admits(self, who, path, dialect=STRICT):
        """`path` is the verified path of the certificate, leaf first."""
        return (identity.matches_rule(who, self.who, dialect)
                and any(c.key_id == self.ca for c in path[1:]))

    def native(self):
        return {"groupEntity": {"typeValue": self.who.kind, "typeData": self.who.data},
                "cA": self.ca}


def rules(pairs):
    """Of a SEQUENCE OF UserCAPair."""
    return [Rule(Identity(p["groupEntity"]["typeValue"].native,
                          p["groupEntity"]["typeData"].native), p["cA"].native) for p in pairs]


def any_admits(rules, who, path, dialect=STRICT):
    return any(r.admits(who, path, dialect) for r in rules)


@dataclass
class Policy:
    """The readable parts of one verified token."""
    gcks: list = field(default_factory=list)
    access: list = field(default_factory=list)  # [(accessRule, exclusionsRule, permissions)]
    suites: list = field(default_factory=list)
    transport: str = "udp"
    rekey_signers: list = field(default_factory=list)
    rekey_interval: float = 0
    wrap_type: int | None = None  # None: no rekey method
    resend: int = 0
    post: str = ""  # where Rekey Events are posted
    deregister: bool = False
    leaving: list = field(default_factory=list)  # [(sigAlgorithm, hashAlgorithm, cA)] (RFC 4534 B.3)
    leave_transport: str = ""  # of B.3, "tcp" or "udp"
    unknown: list = field(default_factory=list)  # OIDs
    # What RFC 4534 has no field for, of the operation entry; None, 0: the token does not say (msec-policy(5))
    join_rekey: bool | None = None
    join_window: float | None = None  # seconds
    mtu: int = 0
    skew: float = 0  # seconds
    keys: list = field(default_factory=list)  # Key IDs that the data protocols go by (RFC 4534 C.1)
    beyond: list = field(default_factory=list)  # OIDs of data protocols that GSAKMP members here cannot do

    @classmethod
    def of(cls, signed, dialect=STRICT, way=""):
        """Of a tokens.Signed; Refusal when the token leaves nothing that can be done.
        `way`: the transport that a member registers over, as the token would name it."""
        out = cls()
        token = signed.token
        out._register(token, dialect, way)
        out._rekey(token, signed, dialect)
        out._data(token, dialect)
        return out

    def _register(self, token, dialect, wanted):
        """RFC 4534 section 3: the highest listed registration by GSAKMP that can be done here, and the
        way out that is paired with it. A member does one over its own transport, if there is any."""
        ways = []
        for first, second in tokens.registrations(token):
            kinds = [(None, None) if p is None else tokens.info(p, dialect) for p in (first, second)]
            self.unknown += [p["protocol"].dotted for p, (kind, _) in zip((first, second), kinds)
                             if kind == "unknown"]
            if kinds[0][0] == "registration":
                ways.append((kinds[0][1], kinds[1][1] if kinds[1][0] == "de-registration" else None))
        if not ways:
            raise Refusal(reg.N_MALFORMED, "RFC4534-3-13", "registration",
                          "no known registration protocol")
        able = [way for way in ways if _suites(way[0])]
        if not able:
            raise Refusal(reg.N_LOCAL_POLICY, "RFC4534-3-03", "registration",
                          "no set of mechanisms that can be done here")
        register, leave = next((way for way in able if way[0]["transport"].name == wanted), able[0])
        self._registration(register)
        if leave is not None:
            self.deregister, self.leave_transport = True, leave["transport"].name
            self.leaving = [(m["sigAlgorithm"].native, m["hashAlgorithm"].native, m["cA"].native)
                            for m in leave["leaveMechanisms"]]

    def leave_hash(self, suite, path):
        """The nonce hash of a departure that is signed as `suite` says, by the holder of the first
        certificate of `path`: that of the first way out with its signature and an authority above it."""
        above = {c.key_id for c in path[1:]}
        return next((h for kind, h, ca in self.leaving if kind == suite.sig_type and ca in above),
                    suite.nonce_hash)

    def _registration(self, register):
        join = register["joinAuthorization"]
        self.gcks = rules(join["gCKS"])
        if not isinstance(join["subGCKS"], core.Void):
            for name in join["subGCKS"]:
                self.gcks += rules(name)
        for entry in register["joinAccessControl"]:
            excluded = entry["exclusionsRule"]
            self.access.append((rules(entry["accessRule"]),
                                [] if isinstance(excluded, core.Void) else rules(excluded),
                                _levels(entry["permissions"])))
        self.suites = _suites(register)
        self.transport = register["transport"].name

    def _rekey(self, token, signed, dialect):
        """The highest listed rekey protocol that can be done here."""
        listed, entries = [], []
        for one in token["rekey"]:
            if one.name != "supported":
                continue
            kind, value = tokens.info(one.chosen, dialect)
            if kind == "rekey":
                listed.append(value)
            elif kind == "operation":
                entries.append(value.native)
            else:
                self.unknown.append(one.chosen["protocol"].dotted)
        if entries and dialect.operation == "token":
            self._operation(entries[0])
        value = next(filter(_can_rekey, listed), None)
        if value is None:
            if listed:
                raise Refusal(reg.N_LOCAL_POLICY, "RFC4534-3-07", "rekey", "no rekey that can be done here")
            return
        self.rekey_signers = rules(value["authorization"])
        self.rekey_interval = tokens.seconds(value["rekeyInterval"], signed.signing_time, dialect)
        self.wrap_type = _wrap_type(value)
        reliability = value["reliability"]
        mechanism, content = reliability["reliabilityMechanism"].dotted, reliability["reliabilityMechContent"].native
        if mechanism == tokens.OID_RELIABILITY_RESEND:
            self.resend = tokens.load(core.Integer, content).native
        elif mechanism == tokens.OID_RELIABILITY_POST:
            self.post = tokens.load(core.IA5String, content).native

    def _operation(self, says):
        for name, (first, last) in OPERATION.items():
            if says[name] is not None and not first <= says[name] <= last:
                raise Refusal(reg.N_LOCAL_POLICY, "RFC4534-2-11", "rekey", f"{name} {says[name]} means nothing")
        self.join_rekey = None if says["joinRekey"] is None else bool(says["joinRekey"])
        self.join_window, self.mtu, self.skew = says["joinWindow"], says["mtu"] or 0, says["clockSkew"] or 0

    def _data(self, token, dialect):
        for protocol in token["data"]:
            kind, value = tokens.info(protocol, dialect)
            if kind == "unknown":
                self.unknown.append(protocol["protocol"].dotted)
            if kind != "data":
                self.beyond.append(protocol["protocol"].dotted)
                continue
            for use in ("authentication", "encryption"):
                info = value[use].native
                if info is not None and info["kMKeyID"] not in self.keys:
                    self.keys.append(info["kMKeyID"])

    def check_data(self):
        """RFC 4534 section 3: a member can do all the data applications, or does not join."""
        if self.beyond:
            raise Refusal(reg.N_LOCAL_POLICY, "RFC4534-3-09", "data", f"{self.beyond[0]} is not done here")

    def admits(self, who, path, dialect=STRICT, permissions=None):
        """RFC 4534 B.1.2: the entries are alternatives, exclusions belong to their entry, and all
        permissions of an entry are needed. None: they are not known and do not count."""
        return any(any_admits(admitted, who, path, dialect)
                   and not any_admits(excluded, who, path, dialect)
                   and (permissions is None or needed <= permissions)
                   for admitted, excluded, needed in self.access)

    def may_name(self, who, dialect=STRICT):
        """Would some rule admit the name, if the certificate were right?"""
        return any(identity.matches_rule(who, r.who, dialect)
                   for admitted, _, _ in self.access for r in admitted)

    def suite_like(self, wanted):
        """The first listed set with the same algorithms as `wanted`, or None."""
        return next((s for s in self.suites if (s.sig_type, s.nonce_hash, s.create_type,
                                                s.enc_type)
                     == (wanted.sig_type, wanted.nonce_hash, wanted.create_type,
                         wanted.enc_type)), None)


def _levels(permissions):
    return (frozenset() if isinstance(permissions, core.Void)
            else frozenset(tokens.LEVELS.index(p.chosen.native) + 1 for p in permissions))


def _suite(mechanism):
    if mechanism.name == "suite":
        known = tokens.SUITES.get(mechanism.chosen.dotted)
        return Suite(*known) if known else None
    m = mechanism.chosen
    op = m["opInfo"]
    stamp = op["timestamp"]
    return Suite(m["signatureDef"]["sigAlgorithmID"].native,
                 m["signatureDef"]["hashAlgorithmID"].native,
                 m["kEAlg"]["keyExchangeAlgorithmID"].native, m["keyWrap"].native,
                 op["terse"].native, not isinstance(stamp, core.Void) and stamp.native)


def _suites(register):
    """The sets of mechanisms that can be done here, in the order of the token."""
    return [s for s in map(_suite, register["joinMechanisms"])
            if s is not None and crypto.supported(s.sig_type, s.nonce_hash, s.create_type, s.enc_type)]


# the least and the most that each field of an operation entry may say
OPERATION = {"joinRekey": (0, 1), "joinWindow": (0, 3600), "mtu": (576, 65535), "clockSkew": (1, 86400)}

RELIABILITIES = (tokens.OID_RELIABILITY_NONE, tokens.OID_RELIABILITY_RESEND, tokens.OID_RELIABILITY_POST)


def _wrap_type(value):
    """Key Type of the LKH of a rekey policy; None: it has no method."""
    method = value["rekeyMethod"]
    if method["rekeyMethodType"].dotted != tokens.OID_REKEY_LKH:
        return None
    return tokens.load(core.Integer, method["rekeyMethodInfo"].native).native


def _can_rekey(value):
    return (value["rekeyMethod"]["rekeyMethodType"].dotted in (tokens.OID_REKEY_NONE, tokens.OID_REKEY_LKH)
            and value["reliability"]["reliabilityMechanism"].dotted in RELIABILITIES
            and crypto.supported(sig_type=value["mechanism"]["sigAlgorithm"].native, enc_type=_wrap_type(value)))


def a_la_carte(suite):
    op = {"timeOut": ("interval", suite.timeout), "terse": suite.terse}
    if suite.timestamp:
        op["timestamp"] = True
    return ("alaCarte", {
        "signatureDef": {"sigAlgorithmID": suite.sig_type, "hashAlgorithmID": suite.nonce_hash},
        "kEAlg": {"keyExchangeAlgorithmID": suite.create_type}, "keyWrap": suite.enc_type,
        "ackData": ("none", None), "opInfo": op})


def make_token(group_name, gcks, members, suite, edition=1, excluded=(), extra_data=(),
               transport="udp", resend=0, dialect=STRICT, version=1, rekey_interval=3600,
               post="", rekey_event=("event", 1), rekey_method="lkh", permissions=(),
               leave_cas=(), more_mechanisms=(), leave_hash=None,
               leave_first=(), leave_transport="", operation=None, behind=None, rather="",
               key_ids=(b"GTPK",)):
    """DER of a token for an LKH group; `gcks`, `members`, `excluded` are lists of Rule;
    `operation`: fields of a GSAKMPOperationInfo; `behind`: {"resend": n} of a second rekey protocol;
    `rather`: the transport, both ways, of a registration in front that has all else in common;
    `key_ids`: what data is encrypted with and, if there are two, authenticated with."""
    types = tokens.specs(dialect.token_tags, dialect.token_dereg_terse == "present")
    pairs = [r.native() for r in gcks]
    access = {"accessRule": [r.native() for r in members]}
    if permissions:
        access["permissions"] = [("simplePermission", tokens.LEVELS[p - 1])
                                 for p in permissions]
    if excluded:
        access["exclusionsRule"] = [r.native() for r in excluded]
    none = b"\x05\x00" if dialect.token_none_info == "null" else b""
    registration = tokens.build(types.RegistrationInfo, {
        "joinAuthorization": {"gCKS": pairs, "senders": ("all", None)},
        "joinAccessControl": [access],
        "joinMechanisms": [a_la_carte(suite), *more_mechanisms],
        "transport": (transport, None)})
    ways = [*leave_first, *((leave_hash or suite.nonce_hash, ca) for ca in (gcks[0].ca, *leave_cas))]
    leave = {"leaveMechanisms": [{"sigAlgorithm": suite.sig_type, "hashAlgorithm": digest, "cA": ca}
                                 for digest, ca in ways],
             "transport": (leave_transport or ("udp" if transport == "udp" else "tcp"), None)}
    if dialect.token_dereg_terse == "present":
        leave["terse"] = suite.terse
    reliability = ((tokens.OID_RELIABILITY_RESEND, core.Integer(resend).dump()) if resend
                   else (tokens.OID_RELIABILITY_POST, core.IA5String(post).dump()) if post
                   else (tokens.OID_RELIABILITY_NONE, none))
    method = ((tokens.OID_REKEY_LKH, core.Integer(suite.enc_type).dump())
              if rekey_method == "lkh" else (tokens.OID_REKEY_NONE, none))
    rekey = tokens.build(types.RekeyInfo, {
        "authorization": pairs,
        "mechanism": {"sigAlgorithm": suite.sig_type, "hashAlgorithm": suite.nonce_hash},
        "rekeyEventDef": rekey_event,
        "rekeyMethod": {"rekeyMethodType": method[0], "rekeyMethodInfo": method[1]},
        "rekeyInterval": ("interval", rekey_interval),
        "reliability": {"reliabilityMechanism": reliability[0],
                        "reliabilityMechContent": reliability[1]},
        "subGCKSInfo": {"subGCKSScheme": tokens.OID_SUBGCKS_NONE, "sGCKSContent": none}})
    data = tokens.build(tokens.GenericDataSAInfo, {use: {"kMKeyID": i} for use, i in zip(("encryption", "authentication"), key_ids)})
    protocols = [(tokens.OID_DATA_GENERIC, data.dump()), *extra_data]
    pairs_of_ways = [(registration, leave)]
    if rather:
        first = registration.copy()
        first["transport"] = (rather, None)
        pairs_of_ways.insert(0, (first, {**leave, "transport": (rather, None)}))
    return tokens.build(tokens.Token, {
        "tokenInfo": {"tokenDefVersion": version, "groupName": group_name, "edition": edition},
        "registration": [{
            "register": ("supported", _protocol(tokens.OID_REGISTRATION[dialect.token_reg_oid], way_in.dump())),
            "de-register": ("supported", _protocol(
                tokens.OID_DEREGISTRATION, tokens.build(types.DeRegistrationInfo, way_out).dump()))}
            for way_in, way_out in pairs_of_ways],
        "rekey": [("supported", _protocol(tokens.OID_REKEY[dialect.token_rekey_oid], rekey.dump())),
                  *([("supported", _second(rekey, behind, dialect))] if behind else []),
                  *([("supported", _operation(operation))] if operation else [])],
        "data": [_protocol(oid, octets) for oid, octets in protocols]}).dump()


def _second(rekey, how, dialect):
    """The same rekey policy with another reliability."""
    value = rekey.copy()
    value["reliability"] = {"reliabilityMechanism": tokens.OID_RELIABILITY_RESEND,
                            "reliabilityMechContent": core.Integer(how["resend"]).dump()}
    return _protocol(tokens.OID_REKEY[dialect.token_rekey_oid], value.dump())


def _operation(fields):
    from . import gdoi_token
    return _protocol(gdoi_token.OID_OPERATION, tokens.build(gdoi_token.GSAKMPOperationInfo, fields).dump())


def _protocol(oid, octets):
    return {"protocol": oid, "protocolInfo": octets}


def verbose(suite):
    return replace(suite, terse=False)
