# SPDX-License-Identifier: BSD-2-Clause
"""The XML form of a policy to the DER of a Token, from the schema and msec-policy(5)."""
import datetime
import ipaddress
from dataclasses import replace
from xml.etree import ElementTree

from asn1crypto import core

from .. import token as tokens
from ..dialect import STRICT
from . import xmlform_gdoi

SIGNATURE = {"dss-sha1": 0, "rsa1024-md5": 1, "ecdsa-p384-sha3": 2, "rsa-sha256": 49153,
             "ecdsa-p256-sha256": 49154, "ecdsa-p384-sha384": 49155, "ed25519": 49156}
HASH = {"sha1": 1, "sha256": 49153, "sha384": 49154}
EXCHANGE = {"modp1024": 2, "modp2048": 14, "p256": 49153, "x25519": 49154, "modp2048-hkdf": 49155}
CIPHER = {"3des-cbc": 3, "aes128-cbc": 12, "aes-ctr": 13, "aes256-cbc": 49153, "aes128-gcm": 49154,
          "aes256-gcm": 49155}
IDENTITY = {"ipv4": 1, "fqdn": 2, "rfc822": 3, "ipv6": 5, "der-dn": 9, "key-id": 11, "u-name": 30,
            "dn": 31}
SUITE = {"suite-1": tokens.OID_SUITE_ONE, "p256-gcm": tokens.OID_SUITE_P256,
         "rsa2048-cbc": tokens.OID_SUITE_RSA}
UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
GROUP_TYPE = {"utf-8": 1, "octet-string": 2, "ipv4": 3, "ipv6": 4}


def code(table, text):
    return table[text] if text in table else int(text)


def life_date(text):
    for unit in ("min", "s", "h", "d"):
        if text.endswith(unit) and text[:-len(unit)].lstrip("-").isdigit():
            return "interval", int(text[:-len(unit)]) * UNITS[unit]
    utc = text.startswith("utc:")
    at = datetime.datetime.strptime(text.removeprefix("utc:"), "%Y-%m-%dT%H:%M:%SZ")
    return ("utc" if utc else "gt"), at.replace(tzinfo=datetime.timezone.utc)


def pair(element):
    kind, text = element.get("type", "dn"), element.text or ""
    number = code(IDENTITY, kind)
    if kind in ("ipv4", "ipv6") and "*" in text:
        data = text.encode()  # a pattern
    elif kind in ("ipv4", "ipv6"):
        data = ipaddress.ip_address(text).packed
    elif kind in ("dn", "fqdn", "rfc822", "key-id"):
        data = text.encode()
    else:
        data = bytes.fromhex(text)
    return {"groupEntity": {"typeValue": number, "typeData": data},
            "cA": bytes.fromhex(element.get("ca"))}


def pairs(element, name="entity"):
    return [pair(e) for e in element.findall(name)]


def number(value):
    return core.Integer(value).dump()


class Reader:
    """One document. The readings are those of the dialect, or, where it is the default, those
    that attributes of the document ask for."""

    def __init__(self, dialect):
        self.dialect, self.given = dialect, dialect != STRICT

    def _reading(self, element, attribute, switch, default):
        return switch if self.given else element.get(attribute, default)

    def tags(self, element):
        return self._reading(element, "tags", self.dialect.token_tags, "implicit")

    def none(self, element):
        form = self._reading(element, "form", self.dialect.token_none_info, "null")
        return b"\x05\x00" if form == "null" else b""

    @staticmethod
    def extension(element):
        return element.get("oid"), bytes.fromhex(element.findtext("octets") or "")

    def chosen(self, element, known):
        """A register, de-register or rekey element as GroupMngmtProtocol."""
        one = element[0]
        if one.tag == "none":
            return "none", None
        oid, octets = self.extension(one) if one.tag == "extension" else known(one)
        return "supported", {"protocol": oid, "protocolInfo": octets}

    # -- registration --

    def membership(self, e):
        join = {"gCKS": pairs(e.find("gcks"))}
        if e.find("sub-gcks") is not None:
            join["subGCKS"] = [pairs(g) for g in e.find("sub-gcks")]
        senders = e.find("senders")
        join["senders"] = (("all", None) if senders.find("all") is not None
                           else ("limited", pairs(senders)))
        return {"joinAuthorization": join, "joinAccessControl": [self.access(a) for a in e.findall("access-control")]}

    def register(self, e):
        if e.tag == "gdoi":
            return xmlform_gdoi.register(e, self.membership(e))
        types = tokens.specs(self.tags(e))
        form = self._reading(e, "oid", self.dialect.token_reg_oid, "iana")
        transport = {"tcp": "tcp", "udp": "udp", "udp-rtj-tcp-other": "udpRTJtcpOther"}
        return tokens.OID_REGISTRATION[form], tokens.build(types.RegistrationInfo, {
            **self.membership(e),
            "joinMechanisms": [self.mechanism(m) for m in e.find("mechanisms")],
            "transport": (transport[e.get("transport")], None)}).dump()

    @staticmethod
    def access(e):
        words = "one two three four five six seven eight nine".split()
        out = {"accessRule": pairs(e, "rule")}
        if e.find("permissions") is not None:
            out["permissions"] = [("simplePermission", words[int(p.text) - 1])
                                  for p in e.find("permissions")]
        if e.find("exclusions") is not None:
            out["exclusionsRule"] = pairs(e.find("exclusions"), "exclusion")
        return out

    @staticmethod
    def mechanism(e):
        if e.tag == "suite":
            return "suite", e.get("oid") or SUITE[e.get("name")]
        op = {"timeOut": life_date(e.get("timeout")), "terse": e.get("terse") in ("true", "1")}
        if e.get("timestamp") is not None:
            op["timestamp"] = e.get("timestamp") in ("true", "1")
        exchange = {"keyExchangeAlgorithmID": code(EXCHANGE, e.get("key-exchange"))}
        if e.get("key-exchange-data") is not None:
            exchange["keyExchangeAlgorithmData"] = bytes.fromhex(e.get("key-exchange-data"))
        return "alaCarte", {
            "signatureDef": {"sigAlgorithmID": code(SIGNATURE, e.get("signature")),
                             "hashAlgorithmID": code(HASH, e.get("hash"))},
            "kEAlg": exchange, "keyWrap": code(CIPHER, e.get("key-wrap")),
            "ackData": ("none", None), "opInfo": op}

    def deregister(self, e):
        if self.given:
            there = self.dialect.token_dereg_terse == "present"
        else:
            there = e.get("terse") != "absent"
        value = {"leaveMechanisms": [{"sigAlgorithm": code(SIGNATURE, x.get("signature")),
                                      "hashAlgorithm": code(HASH, x.get("hash")),
                                      "cA": bytes.fromhex(x.get("ca"))} for x in e.findall("leave")],
                 "transport": (e.get("transport"), None)}
        if there:
            value["terse"] = e.get("terse") != "false"
        types = tokens.specs(self.tags(e), there)
        return tokens.OID_DEREGISTRATION, tokens.build(types.DeRegistrationInfo, value).dump()

    # -- rekey --

    def rekey(self, e):
        if e.tag == "gdoi":
            return xmlform_gdoi.rekey(e)
        if e.tag == "operation":
            return xmlform_gdoi.operation(e)
        form = self._reading(e, "oid", self.dialect.token_rekey_oid, "iana")
        event, at = e.find("event"), None
        if event.get("time") is not None:
            at = life_date(event.get("time"))
        count = None if event.get("count") is None else int(event.get("count"))
        when = (("none", None) if at is None and count is None else ("timeOnly", at) if count is None
                else ("event", count) if at is None else ("timeAndEvent", {"time": at, "event": count}))
        method, reliability, scheme = (self.option(e.find(n)) for n in
                                       ("method", "reliability", "sub-gcks-info"))
        return tokens.OID_REKEY[form], tokens.build(tokens.specs(self.tags(e)).RekeyInfo, {
            "authorization": pairs(e.find("authorization")),
            "mechanism": {"sigAlgorithm": code(SIGNATURE, e.get("signature")),
                          "hashAlgorithm": code(HASH, e.get("hash"))},
            "rekeyEventDef": when,
            "rekeyMethod": {"rekeyMethodType": method[0], "rekeyMethodInfo": method[1]},
            "rekeyInterval": life_date(e.get("interval")),
            "reliability": {"reliabilityMechanism": reliability[0],
                            "reliabilityMechContent": reliability[1]},
            "subGCKSInfo": {"subGCKSScheme": scheme[0], "sGCKSContent": scheme[1]}}).dump()

    def option(self, outer):
        """(OID, octets) of a method, a reliability mechanism or a scheme."""
        e = outer[0]
        if e.tag == "extension":
            return self.extension(e)
        if e.tag == "none":
            return {"method": tokens.OID_REKEY_NONE, "reliability": tokens.OID_RELIABILITY_NONE,
                    "sub-gcks-info": tokens.OID_SUBGCKS_NONE}[outer.tag], self.none(e)
        if e.tag == "lkh":
            return tokens.OID_REKEY_LKH, number(code(CIPHER, e.get("key-type")))
        if e.tag == "resend":
            return tokens.OID_RELIABILITY_RESEND, number(int(e.get("times")))
        if e.tag == "post":
            return tokens.OID_RELIABILITY_POST, core.IA5String(e.text or "").dump()
        value = {"authSubs": pairs(e)}
        if e.get("domain") is not None:
            value["domain"] = bytes.fromhex(e.get("domain"))
        return tokens.OID_SUBGCKS_AUTONOMOUS, tokens.build(tokens.SGCKSAutonomous, value).dump()

    # -- data and the whole --

    def data(self, outer):
        e = outer[0]
        if e.tag == "extension":
            oid, octets = self.extension(e)
            return {"protocol": oid, "protocolInfo": octets}
        if e.tag in ("ipsec", "iec-61850"):
            oid, octets = xmlform_gdoi.data(e)
            return {"protocol": oid, "protocolInfo": octets}
        value = {}
        for one in e:
            value[one.tag] = {"kMKeyID": bytes.fromhex(one.get("key-id"))}
            if one.get("expires") is not None:
                value[one.tag]["keyExpirationDate"] = life_date(one.get("expires"))
        return {"protocol": tokens.OID_DATA_GENERIC,
                "protocolInfo": tokens.build(tokens.GenericDataSAInfo, value).dump()}

    def group_name(self, e):
        kind, random = e.get("type"), e.get("random", "")
        head = random.encode() if kind == "utf-8" else bytes.fromhex(random)
        if e.get("name") is not None:
            tail = e.get("name").encode()
        elif e.get("address") is not None:
            tail = ipaddress.ip_address(e.get("address")).packed
        else:
            tail = bytes.fromhex(e.get("octets"))
        if kind == "raw":
            return head + tail
        return tokens.group_name(GROUP_TYPE[kind], head + tail, self.dialect)

    def policy(self, e):
        listed = [{"register": self.chosen(r.find("register"), self.register),
                   "de-register": self.chosen(r.find("de-register"), self.deregister)}
                  for r in e.findall("registration")]
        null = e.find("no-registration") is not None
        nothing = {"register": ("none", None), "de-register": ("none", None)}
        if self.given and all(r == nothing for r in listed):
            null = self.dialect.token_no_reg == "null"
            listed = [nothing] if self.dialect.token_no_reg == "none" else []
        head = {"tokenDefVersion": int(e.get("version", "1")),
                "groupName": self.group_name(e.find("group-id"))}
        if e.get("edition") is not None:
            head["edition"] = int(e.get("edition"))
        return tokens.build(tokens.TokenNullRegistration, {
            "tokenInfo": head, "registration": ("null", None) if null else ("list", listed),
            "rekey": [self.chosen(r, self.rekey) for r in e.findall("rekey")],
            "data": [self.data(d) for d in e.findall("data")]}).dump()


def readings(text):
    """The dialect that encoding attributes of a document ask for, to read its DER with."""
    e = ElementTree.fromstring(text.encode())
    asked = {}
    for path, attribute, switch in (("registration/register/gsakmp", "oid", "token_reg_oid"),
                                    ("rekey/gsakmp", "oid", "token_rekey_oid"),
                                    ("registration/register/gsakmp", "tags", "token_tags")):
        found = e.find(path)
        if found is not None and found.get(attribute):
            asked[switch] = found.get(attribute)
    if e.find("no-registration") is not None:
        asked["token_no_reg"] = "null"
    return replace(STRICT, **asked)


def der(text, dialect=STRICT):
    return Reader(dialect).policy(ElementTree.fromstring(text.encode()))
