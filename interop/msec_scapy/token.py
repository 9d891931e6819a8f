# SPDX-License-Identifier: BSD-2-Clause
"""RFC 4534: the policy token in DER, and the CMS object that the Group Owner signs.

The ASN.1 types are classes of asn1crypto, built once for each reading of the
context tags (`token_tags`). Protocol parameters with an unknown OID stay octets.
"""
import datetime
import hashlib
from functools import lru_cache
from types import SimpleNamespace

from asn1crypto import algos, cms, core, x509

from . import crypto, pkix
from .dialect import STRICT

OID_TOKEN = "1.3.6.1.5.5.12.1.1"
OID_SUITE_ONE = "1.3.6.1.5.5.12.2.1"
OID_REGISTRATION = {"iana": "1.3.6.1.5.5.12.3.1", "module": "1.3.6.1.5.5.12.7"}
OID_DEREGISTRATION = "1.3.6.1.5.5.12.3.2"
OID_REKEY = {"iana": "1.3.6.1.5.5.12.3.3", "module": "1.3.6.1.5.5.12.0.4"}
OID_REKEY_NONE = "1.3.6.1.5.5.12.4.1"
OID_REKEY_LKH = "1.3.6.1.5.5.12.4.2"
OID_RELIABILITY_NONE = "1.3.6.1.5.5.12.5.1"
OID_RELIABILITY_RESEND = "1.3.6.1.5.5.12.5.2"
OID_RELIABILITY_POST = "1.3.6.1.5.5.12.5.3"
OID_SUBGCKS_NONE = "1.3.6.1.5.5.12.6.1"
OID_SUBGCKS_AUTONOMOUS = "1.3.6.1.5.5.12.6.2"
OID_DATA_GENERIC = "1.3.6.1.5.5.12.7.1"
PRIVATE_ARC = "2.25.227007163891039140890553393414073698781"
OID_SUITE_P256 = PRIVATE_ARC + ".1.1"
OID_SUITE_RSA = PRIVATE_ARC + ".1.2"

# what a predefined suite stands for: signature, nonce hash, key creation, key wrap
SUITES = {OID_SUITE_ONE: (0, 1, 2, 12), OID_SUITE_P256: (49154, 49153, 49153, 49154),
          OID_SUITE_RSA: (49153, 49153, 49155, 49153)}


class TokenError(ValueError):
    """The octets are not the DER of a token, or not a signed one."""

    def __init__(self, text, req="RFC4534-4-01"):
        self.req = req
        super().__init__(f"{req}: {text}")


# --------------------------------------------------------------------- ASN.1

class LifeDate(core.Choice):
    _alternatives = [("gt", core.GeneralizedTime), ("utc", core.UTCTime),
                     ("interval", core.Integer)]


class Protocol(core.Sequence):
    _fields = [("protocol", core.ObjectIdentifier), ("protocolInfo", core.OctetString)]


class GroupMngmtProtocol(core.Choice):
    _alternatives = [("none", core.Null), ("supported", Protocol)]


class Registration(core.Sequence):
    _fields = [("register", GroupMngmtProtocol), ("de-register", GroupMngmtProtocol)]


class Registrations(core.SequenceOf):
    _child_spec = Registration


class RegistrationsOrNull(core.Choice):
    """token_no_reg=null: NULL where a SEQUENCE OF stands."""
    _alternatives = [("list", Registrations), ("null", core.Null)]


class GroupMngmtProtocols(core.SequenceOf):
    _child_spec = GroupMngmtProtocol


class DataProtocols(core.SequenceOf):
    _child_spec = Protocol


class TokenID(core.Sequence):
    _fields = [("tokenDefVersion", core.Integer), ("groupName", core.OctetString),
               ("edition", core.Integer, {"optional": True})]


class Token(core.Sequence):
    _fields = [("tokenInfo", TokenID), ("registration", Registrations),
               ("rekey", GroupMngmtProtocols), ("data", DataProtocols)]


class TokenNullRegistration(core.Sequence):
    _fields = [("tokenInfo", TokenID), ("registration", RegistrationsOrNull),
               ("rekey", GroupMngmtProtocols), ("data", DataProtocols)]


class GSAKMPID(core.Sequence):
    _fields = [("typeValue", core.Integer), ("typeData", core.OctetString)]


class UserCAPair(core.Sequence):
    _fields = [("groupEntity", GSAKMPID), ("cA", core.OctetString)]


class UserCAPairs(core.SequenceOf):
    _child_spec = UserCAPair


class GCKSNames(core.SequenceOf):
    _child_spec = UserCAPairs


LEVELS = "one two three four five six seven eight nine".split()


class SimplePermission(core.Enumerated):
    _map = dict(enumerate(LEVELS, 1))

    @property
    def native(self):
        value = int.from_bytes(self.contents or b"", "big", signed=True)
        if value not in self._map:
            raise TokenError(f"permission {value}", "RFC4534-B.1.2-05")
        return super().native


class SigDef(core.Sequence):
    _fields = [("sigAlgorithmID", core.Integer), ("hashAlgorithmID", core.Integer)]


class KEAlg(core.Sequence):
    _fields = [("keyExchangeAlgorithmID", core.Integer),
               ("keyExchangeAlgorithmData", core.OctetString, {"optional": True})]


class OpInfo(core.Sequence):
    _fields = [("timeOut", LifeDate), ("terse", core.Boolean),
               ("timestamp", core.Boolean, {"optional": True})]


class LeaveMechanism(core.Sequence):
    _fields = [("sigAlgorithm", core.Integer), ("hashAlgorithm", core.Integer),
               ("cA", core.OctetString)]


class LeaveMechanisms(core.SequenceOf):
    _child_spec = LeaveMechanism


class RekeyMechanisms(core.Sequence):
    _fields = [("sigAlgorithm", core.Integer), ("hashAlgorithm", core.Integer)]


class TimeAndEvent(core.Sequence):
    _fields = [("time", LifeDate), ("event", core.Integer)]


class RekeyMethod(core.Sequence):
    _fields = [("rekeyMethodType", core.ObjectIdentifier), ("rekeyMethodInfo", core.OctetString)]


class Reliability(core.Sequence):
    _fields = [("reliabilityMechanism", core.ObjectIdentifier),
               ("reliabilityMechContent", core.OctetString)]


class SubGCKSInfo(core.Sequence):
    _fields = [("subGCKSScheme", core.ObjectIdentifier), ("sGCKSContent", core.OctetString)]


class SGCKSAutonomous(core.Sequence):
    _fields = [("authSubs", UserCAPairs), ("domain", core.OctetString, {"optional": True})]


class KeyInfo(core.Sequence):
    _fields = [("kMKeyID", core.OctetString),
               ("keyExpirationDate", LifeDate, {"optional": True})]


class GenericDataSAInfo(core.Sequence):
    _fields = [("authentication", KeyInfo, {"explicit": 0, "optional": True}),
               ("encryption", KeyInfo, {"explicit": 1, "optional": True})]


@lru_cache(maxsize=None)
def specs(tags="implicit", dereg_terse=True):
    """The types whose tags depend on the reading, as attributes."""
    def tag(number):
        return {tags: number}

    class SenderAuthorization(core.Choice):
        _alternatives = [("all", core.Null, tag(0)), ("limited", UserCAPairs, {"explicit": 1})]

    class JoinAuthorization(core.Sequence):
        _fields = [("gCKS", UserCAPairs), ("subGCKS", GCKSNames, {"optional": True}),
                   ("senders", SenderAuthorization)]

    class Permission(core.Choice):
        _alternatives = [("simplePermission", SimplePermission, tag(1))]

    class Permissions(core.SequenceOf):
        _child_spec = Permission

    class AccessControl(core.Sequence):
        _fields = [("permissions", Permissions, {"explicit": 1, "optional": True}),
                   ("accessRule", UserCAPairs, {"explicit": 2}),
                   ("exclusionsRule", UserCAPairs, {"explicit": 3, "optional": True})]

    class AccessControls(core.SequenceOf):
        _child_spec = AccessControl

    class AckData(core.Choice):
        _alternatives = [("none", core.Null, tag(0))]

    class Mechanisms(core.Sequence):
        _fields = [("signatureDef", SigDef), ("kEAlg", KEAlg), ("keyWrap", core.Integer),
                   ("ackData", AckData), ("opInfo", OpInfo)]

    class JoinMechanism(core.Choice):
        _alternatives = [("alaCarte", Mechanisms, tag(0)),
                         ("suite", core.ObjectIdentifier, tag(1))]

    class JoinMechanisms(core.SequenceOf):
        _child_spec = JoinMechanism

    class Transport(core.Choice):
        _alternatives = [("tcp", core.Null, tag(0)), ("udp", core.Null, tag(1)),
                         ("udpRTJtcpOther", core.Null, tag(2))]

    class LeaveTransport(core.Choice):
        _alternatives = [("tcp", core.Null, tag(0)), ("udp", core.Null, tag(1))]

    class RegistrationInfo(core.Sequence):
        _fields = [("joinAuthorization", JoinAuthorization),
                   ("joinAccessControl", AccessControls), ("joinMechanisms", JoinMechanisms),
                   ("transport", Transport)]

    class DeRegistrationInfo(core.Sequence):
        _fields = ([("leaveMechanisms", LeaveMechanisms)]
                   + ([("terse", core.Boolean)] if dereg_terse else [])
                   + [("transport", LeaveTransport)])

    class RekeyEventDef(core.Choice):
        # A tagged CHOICE is explicit under every tag default (X.680 31.2.7).
        _alternatives = [("none", core.Null, tag(0)), ("timeOnly", LifeDate, {"explicit": 1}),
                         ("event", core.Integer, tag(2)),
                         ("timeAndEvent", TimeAndEvent, tag(3))]

    class RekeyInfo(core.Sequence):
        _fields = [("authorization", UserCAPairs), ("mechanism", RekeyMechanisms),
                   ("rekeyEventDef", RekeyEventDef), ("rekeyMethod", RekeyMethod),
                   ("rekeyInterval", LifeDate), ("reliability", Reliability),
                   ("subGCKSInfo", SubGCKSInfo)]

    return SimpleNamespace(RegistrationInfo=RegistrationInfo, DeRegistrationInfo=DeRegistrationInfo,
                           RekeyInfo=RekeyInfo, JoinAuthorization=JoinAuthorization, AccessControls=AccessControls)


def build(cls, value):
    """A value of an ASN.1 type from plain Python: dict, list, (alternative, value), scalar."""
    if isinstance(value, core.Asn1Value):
        return value
    if issubclass(cls, core.Choice):
        name, inner = value
        spec = next(a[1] for a in cls._alternatives if a[0] == name)
        return cls(name, build(spec, inner))
    if issubclass(cls, core.SequenceOf):
        return cls([build(cls._child_spec, v) for v in value])
    if issubclass(cls, core.Sequence):
        types = {f[0]: f[1] for f in cls._fields}
        return cls({k: build(types[k], v) for k, v in value.items() if v is not None})
    return core.Null() if issubclass(cls, core.Null) else cls(value)


def load(cls, octets):
    """A value of an ASN.1 type, only if `octets` is exactly its DER."""
    try:
        value = cls.load(octets, strict=True)
        value.native  # reads every part; asn1crypto is lazy
        again = cls.load(octets, strict=True)
        _read(again)
        same = again.dump(force=True) == octets
    except TokenError:
        raise
    except (ValueError, TypeError, KeyError, OverflowError, AttributeError) as e:  # asn1crypto's of tags that it has no class for
        raise TokenError(f"{cls.__name__}: {e}", "RFC4534-1-04") from e
    if not same:
        raise TokenError(f"{cls.__name__} is not DER", "RFC4534-1-04")
    return value


def _read(value):
    """Parse the parts of a value, so that a forced dump encodes each of them anew."""
    if isinstance(value, core.Choice):
        _read(value.chosen)
    elif isinstance(value, core.Sequence):
        for name in value:
            _read(value[name])
    elif isinstance(value, (core.SequenceOf, core.SetOf)):
        for item in value:
            _read(item)


def parse(octets, dialect=STRICT):
    """A Token, DER checked and version 1, its known protocols decoded on demand."""
    cls = TokenNullRegistration if dialect.token_no_reg == "null" else Token
    token = load(cls, octets)
    if token["tokenInfo"]["tokenDefVersion"].native != 1:
        raise TokenError("tokenDefVersion is not 1", "RFC4534-3.1-01")
    return token


def info(protocol, dialect=STRICT):
    """(kind, decoded parameters) of a Protocol, or ("unknown", octets)."""
    oid, octets = protocol["protocol"].dotted, protocol["protocolInfo"].native
    if oid in OID_REGISTRATION.values() and oid != OID_REGISTRATION[dialect.token_reg_oid]:
        return "unknown", octets
    types = specs(dialect.token_tags)
    if oid == OID_REGISTRATION[dialect.token_reg_oid]:
        return "registration", load(types.RegistrationInfo, octets)
    if oid == OID_DEREGISTRATION:
        return "de-registration", _load_dereg(octets, dialect)
    if oid == OID_REKEY[dialect.token_rekey_oid]:
        return "rekey", load(types.RekeyInfo, octets)
    if oid == OID_DATA_GENERIC:
        return "data", load(GenericDataSAInfo, octets)
    from . import gdoi_token  # it is made of the types above
    return gdoi_token.info(oid, octets) or ("unknown", octets)


def check(octets, dialect=STRICT):
    """A Token with every protocol in it that is known, read to the last octet."""
    token = parse(octets, dialect)
    if not token["tokenInfo"]["groupName"].native:
        raise TokenError("the group has no name", "RFC4534-3.1-02")
    places = [(place, p) for pair in registrations(token) for place, p in zip(("registration", "de-registration"), pair) if p is not None]
    places += [("rekey", one.chosen) for one in token["rekey"] if one.name == "supported"]
    for place, protocol in [*places, *(("data", p) for p in token["data"])]:
        if place != _place_of(protocol["protocol"].dotted, dialect):
            continue  # unknown where it stands
        kind, value = info(protocol, dialect)
        if kind == "rekey":
            _check_mechanisms(value, dialect)
    return token


def _place_of(oid, dialect):
    """The list of a token in which a protocol is known, None: in none."""
    from . import gdoi_token
    here = {OID_REGISTRATION[dialect.token_reg_oid]: "registration", OID_DEREGISTRATION: "de-registration",
            OID_REKEY[dialect.token_rekey_oid]: "rekey", OID_DATA_GENERIC: "data"}
    return here.get(oid) or next((place for place, oids in gdoi_token.LISTS.items() if oid in oids), None)


def _check_mechanisms(value, dialect):
    """B.5: what the mechanisms of a rekey hold, in OCTET STRINGs, is their own DER; of NONE a NULL, or nothing."""
    types = specs(dialect.token_tags)
    known = {OID_REKEY_NONE: core.Null, OID_REKEY_LKH: core.Integer, OID_RELIABILITY_NONE: core.Null,
             OID_RELIABILITY_RESEND: core.Integer, OID_RELIABILITY_POST: core.IA5String, OID_SUBGCKS_NONE: core.Null,
             OID_SUBGCKS_AUTONOMOUS: types.SGCKSAutonomous if hasattr(types, "SGCKSAutonomous") else SGCKSAutonomous}
    for part, oid, content in (("rekeyMethod", "rekeyMethodType", "rekeyMethodInfo"),
                               ("reliability", "reliabilityMechanism", "reliabilityMechContent"),
                               ("subGCKSInfo", "subGCKSScheme", "sGCKSContent")):
        cls, octets = known.get(value[part][oid].dotted), value[part][content].native
        if cls is not None and (octets or cls is not core.Null):
            load(cls, octets)


def _load_dereg(octets, dialect):
    """B.3 and B.4 differ by a BOOLEAN; both are accepted, the dialect's first."""
    first = dialect.token_dereg_terse == "present"
    try:
        return load(specs(dialect.token_tags, first).DeRegistrationInfo, octets)
    except TokenError:
        return load(specs(dialect.token_tags, not first).DeRegistrationInfo, octets)


def registrations(token):
    """[(register, de-register)] as Protocol or None."""
    found = token["registration"]
    found = found.chosen if isinstance(found, core.Choice) else found
    if isinstance(found, core.Null):
        return []
    return [tuple(r[k].chosen if r[k].name == "supported" else None
                  for k in ("register", "de-register")) for r in found]


def group_name(group_id_type, group_id, dialect=STRICT):
    if dialect.token_groupname == "tlv":
        return bytes([group_id_type, len(group_id)]) + group_id
    if dialect.token_groupname == "text":
        return group_id[16 if group_id_type == 1 else 8:]
    return group_id


# ----------------------------------------------------------------------- CMS

_DIGESTS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha384": hashlib.sha384,
            "sha512": hashlib.sha512}
# signature type of crypto, digest, signature algorithm of the SignerInfo
_SIGNERS = {0: ("sha1", "sha1_dsa"), 49153: ("sha256", "rsassa_pkcs1v15"),
            49154: ("sha256", "sha256_ecdsa"), 49155: ("sha384", "sha384_ecdsa"),
            49156: ("sha512", "ed25519")}


def _digest_algorithm(digest):
    """Without parameters, as RFC 3370 and RFC 5754 want them generated."""
    oid = algos.DigestAlgorithmId(digest).dump()
    return algos.DigestAlgorithm.load(b"\x30" + bytes([len(oid)]) + oid)


def sign(token, key, cert, at, extra=(), dialect=STRICT, content_type=OID_TOKEN):
    """DER of the signed token; `token` is octets, `cert` a pkix.Certificate."""
    sig_type = crypto.sig_type_for(key)
    digest, algorithm = _SIGNERS[sig_type]
    attrs = cms.CMSAttributes([
        cms.CMSAttribute({"type": "content_type", "values": [content_type]}),
        cms.CMSAttribute({"type": "signing_time", "values": [cms.Time({"utc_time": at})]}),
        cms.CMSAttribute({"type": "message_digest",
                          "values": [_DIGESTS[digest](token).digest()]})])
    signer = cms.SignerInfo({
        "version": "v1",
        "sid": {"issuer_and_serial_number": {"issuer": x509.Name.load(cert.issuer),
                                             "serial_number": cert.serial}},
        "digest_algorithm": _digest_algorithm(digest),
        "signed_attrs": attrs,
        "signature_algorithm": {"algorithm": algorithm},
        "signature": crypto.sign(key, sig_type, attrs.untag().dump())})
    signed = cms.SignedData({
        "version": "v3",
        "digest_algorithms": [_digest_algorithm(digest)],
        "encap_content_info": {"content_type": content_type, "content": token},
        "certificates": [cms.CertificateChoices("certificate", c.x) for c in [cert, *extra]],
        "signer_infos": [signer]})
    if dialect.pt_form == "signeddata":
        return signed.dump(force=True)
    return cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump(force=True)


class Signed:
    """A signed token that has been read; `verified` tells whether it was believed."""

    def __init__(self, octets, dialect=STRICT):
        self.octets = octets
        cls = cms.SignedData if dialect.pt_form == "signeddata" else cms.ContentInfo
        try:
            outer = cls.load(octets, strict=True)
            outer.native
            data = outer if dialect.pt_form == "signeddata" else outer["content"]
            if dialect.pt_form != "signeddata" and outer["content_type"].native != "signed_data":
                raise TokenError("CMS object is not SignedData", "RFC4534-2-03")
            self._read(data)
        except TokenError:
            raise
        except (ValueError, TypeError, KeyError, OverflowError, AttributeError) as e:
            raise TokenError(f"CMS: {e}", "RFC4534-2-03") from e
        if not _is_der(octets):
            raise TokenError("CMS object is not DER", "RFC4534-1-04")
        self.token = parse(self.content, dialect)
        self.verified = False

    def _read(self, data):
        encap = data["encap_content_info"]
        if encap["content_type"].dotted != OID_TOKEN:
            raise TokenError(f"content type {encap['content_type'].dotted}", "RFC4534-2-04")
        if encap["content"].native is None:
            raise TokenError("no content", "RFC4534-2-03")
        self.content = encap["content"].contents
        if len(data["signer_infos"]) != 1:
            raise TokenError(f"{len(data['signer_infos'])} signers",
                             "RFC4534-2-05" if len(data["signer_infos"]) else "RFC4534-2-02")
        self.signer = data["signer_infos"][0]
        self.certificates = [pkix.Certificate(c.chosen.dump()) for c in data["certificates"] or ()
                             if c.name == "certificate"]
        self.attrs = {}
        if not self.signer["signed_attrs"]:
            raise TokenError("no signedAttrs", "RFC4534-2-06")
        for attr in self.signer["signed_attrs"]:
            if attr["type"].native in self.attrs or len(attr["values"]) != 1:
                raise TokenError(f"attribute {attr['type'].native} is not single", "RFC4534-2-06")
            self.attrs[attr["type"].native] = attr["values"][0]
        for need, req in (("content_type", "2-06"), ("message_digest", "2-06"),
                          ("signing_time", "2-07")):
            if need not in self.attrs:
                raise TokenError(f"no {need}", "RFC4534-" + req)
        self.signing_time = self.attrs["signing_time"].native

    @property
    def edition(self):
        return self.token["tokenInfo"]["edition"].native

    @property
    def group_name(self):
        return self.token["tokenInfo"]["groupName"].native

    def is_by(self, cert):
        """Does the sid name this certificate?"""
        sid = self.signer["sid"]
        if sid.name == "issuer_and_serial_number":
            return (sid.chosen["issuer"].dump() == cert.issuer
                    and sid.chosen["serial_number"].native == cert.serial)
        return sid.chosen.native == cert.key_id

    def verify(self, owner):
        """Check the signature with the Group Owner's certificate (RFC 4534 section 2)."""
        if not self.is_by(owner):
            raise TokenError("the sid is not the Group Owner's", "RFC4534-2-08")
        digest = self.signer["digest_algorithm"]["algorithm"].native
        if digest not in _DIGESTS:
            raise TokenError(f"digest {digest} is not supported", "RFC4534-2-10")
        if self.attrs["content_type"].dotted != OID_TOKEN:
            raise TokenError("content-type attribute", "RFC4534-2-04")
        if self.attrs["message_digest"].native != _DIGESTS[digest](self.content).digest():
            raise TokenError("message-digest does not match", "RFC4534-2-10")
        sig_type = crypto.sig_type_for(owner.key)
        if digest != _SIGNERS[sig_type][0]:
            raise TokenError(f"digest {digest} with this key", "RFC4534-2-10")
        try:
            crypto.verify(owner.key, sig_type, self.signer["signed_attrs"].untag().dump(),
                          self.signer["signature"].native)
        except crypto.CryptoError as e:
            raise TokenError(str(e), "RFC4534-2-10") from e
        self.verified = True
        return self


def _is_der(octets):
    """Definite, minimal lengths all the way down; the values are judged by their types."""
    at = 0
    while at < len(octets):
        if at + 2 > len(octets) or octets[at] & 0x1F == 0x1F:
            return False
        size, head = octets[at + 1], at + 2
        if size & 0x80:
            count = size & 0x7F
            size = int.from_bytes(octets[head:head + count], "big")
            if not count or size < 0x80 or octets[head] == 0:
                return False
            head += count
        if head + size > len(octets) or (octets[at] & 0x20
                                         and not _is_der(octets[head:head + size])):
            return False
        at = head + size
    return True


def accept_after(new, last, dialect=STRICT):
    """2 and 3.1: may `new` follow `last` (both Signed, or last None)? TokenError if not."""
    if last is None or (new.octets == last.octets and dialect.edition_equal != "reject"):
        return
    if new.edition is not None and last.edition is not None and new.edition <= last.edition:
        raise TokenError(f"edition {new.edition} after {last.edition}", "RFC4534-3.1-03")
    if new.signing_time <= last.signing_time:
        raise TokenError("signing-time is not later than the last token's", "RFC4534-2-09")


def seconds(life_date, now, dialect=STRICT):
    """A LifeDate as seconds from now."""
    if life_date.name == "interval":
        return life_date.native * {"s": 1, "min": 60, "ms": 0.001}[dialect.interval_unit]
    return (life_date.native - now).total_seconds()


# ----------------------------------------------------------- for human readers

def explain(octets, dialect=STRICT, indent=""):
    """The lines that tell what a token (octets of the Token itself) says."""
    token = parse(octets, dialect)
    head = token["tokenInfo"]
    out = [f"{indent}policy token version {head['tokenDefVersion'].native}, group "
           f"{head['groupName'].native.hex()}, edition {head['edition'].native}"]
    for number, pair in enumerate(registrations(token), 1):
        for label, protocol in zip(("register", "de-register"), pair):
            out += _explain_protocol(f"registration {number} {label}", protocol, dialect, indent)
    for number, one in enumerate(token["rekey"], 1):
        protocol = one.chosen if one.name == "supported" else None
        out += _explain_protocol(f"rekey {number}", protocol, dialect, indent)
    for number, protocol in enumerate(token["data"], 1):
        out += _explain_protocol(f"data {number}", protocol, dialect, indent)
    return out


def _explain_protocol(label, protocol, dialect, indent):
    if protocol is None:
        return [f"{indent}{label}: none"]
    kind, value = info(protocol, dialect)
    out = [f"{indent}{label}: {kind} ({protocol['protocol'].dotted})"]
    if kind == "unknown":
        return out + [f"{indent}  {value.hex()}"]
    if isinstance(value, core.SequenceOf):
        return out + [line for item in value
                      for line in [f"{indent}  -"] + _explain_value(item, indent + "    ")]
    return out + _explain_value(value, indent + "  ")


def _explain_value(value, indent):
    out = []
    for name in value:
        part = value[name]
        if isinstance(part, core.Void):
            continue
        chosen = part.chosen if isinstance(part, core.Choice) else part
        choice = f" {part.name}" if isinstance(part, core.Choice) else ""
        if isinstance(chosen, core.Sequence):
            out += [f"{indent}{name}{choice}:"] + _explain_value(chosen, indent + "  ")
        elif isinstance(chosen, core.SequenceOf):
            out.append(f"{indent}{name}{choice}:")
            for item in chosen:
                item = item.chosen if isinstance(item, core.Choice) else item
                if isinstance(item, core.Sequence):
                    out += [f"{indent}  -"] + _explain_value(item, indent + "    ")
                elif isinstance(item, core.SequenceOf):
                    out += [f"{indent}  - list of {len(item)}"]
                else:
                    out.append(f"{indent}  - {_plain(item)}")
        else:
            out.append(f"{indent}{name}{choice}: {_plain(chosen)}")
    return out


def _plain(value):
    native = value.dotted if isinstance(value, core.ObjectIdentifier) else value.native
    if isinstance(native, bytes):
        text = native.decode("ascii", "replace")
        return repr(text) if text.isprintable() and text else native.hex() or "(empty)"
    if isinstance(native, datetime.datetime):
        return native.isoformat()
    return str(native)
