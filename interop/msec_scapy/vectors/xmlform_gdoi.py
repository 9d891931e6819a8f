# SPDX-License-Identifier: BSD-2-Clause
"""The XML form of the GDOI protocols, from the schema and the tables of msec-policy(5)."""
import ipaddress

from .. import gdoi_token as gdoi
from .. import token as tokens

BOOLEAN = {"false": 0, "true": 1}
MODE = {"main": 2, "aggressive": 4}
P1_AUTH = {"psk": 1, "rsa": 3, "ecdsa-256": 9, "ecdsa-384": 10, "ecdsa-521": 11}
P1_CIPHER = {"des": 1, "3des": 5, "aes": 7}
P1_HASH = {"md5": 1, "sha1": 2, "sha256": 4, "sha384": 5, "sha512": 6}
P1_GROUP = {"modp768": 1, "modp1024": 2, "modp1536": 5, "modp2048": 14, "modp3072": 15, "modp4096": 16,
            "modp6144": 17, "modp8192": 18, "p256": 19, "p384": 20, "p521": 21}
DELIVERY = {"multicast": 0, "unicast": 1}
KEK = {"des": 1, "3des": 2, "aes": 3}
SIGNATURE = {"rsa": 1, "dss": 2, "ecdss": 3, "ecdsa-256": 4, "ecdsa-384": 5, "ecdsa-521": 6}
HASH = {"md5": 1, "sha1": 2, "sha256": 3, "sha384": 4, "sha512": 5}
ACK = {"kek-sha256": 1, "lkh-sha256": 2, "kek-sha512": 3, "lkh-sha512": 4}
PROTOCOL = {"esp": 1, "ah": 2}
ESP = {"des": 2, "3des": 3, "null": 11, "aes-cbc": 12, "aes-ctr": 13, "aes-ccm-8": 14, "aes-ccm-12": 15,
       "aes-ccm-16": 16, "aes-gcm-8": 18, "aes-gcm-12": 19, "aes-gcm-16": 20, "camellia-cbc": 22, "aes-gmac": 23}
AH = {"md5": 2, "sha1": 3, "sha2-256": 5, "sha2-384": 6, "sha2-512": 7, "aes-xcbc-mac": 9, "rsa": 10,
      "aes-128-gmac": 11, "aes-192-gmac": 12, "aes-256-gmac": 13}
SA_AUTH = {"hmac-md5": 1, "hmac-sha1": 2, "des-mac": 3, "kpdk": 4, "hmac-sha2-256": 5, "hmac-sha2-384": 6,
           "hmac-sha2-512": 7, "aes-xcbc-mac": 9, "sig-rsa": 10, "aes-128-gmac": 11, "aes-192-gmac": 12,
           "aes-256-gmac": 13}
SA_MODE = {"tunnel": 1, "transport": 2}
PRESERVE = {"none": 1, "source-only": 2, "destination-only": 3, "source-and-destination": 4}
DIRECTION = {"sender-only": 1, "receiver-only": 2, "symmetric": 3}
IP = {"any": 0, "icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "gre": 47, "icmpv6": 58, "sctp": 132}
IEC_AUTH = {"none": 1, "hmac-sha256-128": 2, "hmac-sha256": 3, "aes-gmac-128": 4, "aes-gmac-256": 5}
IEC_ENC = {"none": 1, "aes-cbc-128": 2, "aes-cbc-256": 3, "aes-gcm-128": 4, "aes-gcm-256": 5}
UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


def seconds(text):
    unit = text.lstrip("-0123456789")
    return int(text[:-len(unit)]) * UNITS[unit]


def named(table):
    return lambda text: table[text] if text in table else int(text)


def octets(text):
    return bytes.fromhex(text)


def address(text):
    """GSAKMPID of an address, a prefix, a range, or a number and octets."""
    def value(kind, data):
        return {"typeValue": kind, "typeData": data}
    if "/" in text:
        net = ipaddress.ip_network(text, strict=False)
        host = ipaddress.ip_address(text.split("/")[0])
        return value(4 if net.version == 4 else 6, host.packed + net.netmask.packed)
    if "-" in text[1:]:
        first, last = map(ipaddress.ip_address, text.split("-"))
        return value(7 if first.version == 4 else 8, first.packed + last.packed)
    try:
        host = ipaddress.ip_address(text)
        return value(1 if host.version == 4 else 5, host.packed)
    except ValueError:
        kind, data = text.split(":")
        return value(int(kind), bytes.fromhex(data))


# field: (path of the attribute, how to read it, what is meant when it is not there)
GROUP = {"keyId": ("group/number", int), "oid": ("group/oid", str), "oidPayload": ("group/payload", octets, ""),
         "activationTimeDelay": ("rollover/activation", seconds),
         "deactivationTimeDelay": ("rollover/deactivation", seconds), "senderIdBits": ("sender-ids/bits", int),
         "membersMax": ("members/max", int)}
PHASE1 = {"mode": ("mode", named(MODE), "main"), "authenticationMethod": ("authentication", named(P1_AUTH)),
          "encryptionAlgorithm": ("encryption", named(P1_CIPHER)), "keyLength": ("key-length", int),
          "hashAlgorithm": ("hash", named(P1_HASH)), "groupDescription": ("group", named(P1_GROUP)),
          "lifeSeconds": ("lifetime", seconds)}
REKEY = {"delivery": ("push/delivery", named(DELIVERY), "multicast"), "source": ("push/source", address),
         "sourcePort": ("push/source-port", int, "848"), "destination": ("push/destination", address),
         "destinationPort": ("push/destination-port", int, "848"), "resendTimes": ("push/resend", int, "0"),
         "resendSpacing": ("push/spacing-ms", int, "1000"),
         "backwardSecrecy": ("push/backward-secrecy", named(BOOLEAN), "false"),
         "kekAlgorithm": ("kek/algorithm", named(KEK)), "kekKeyLength": ("kek/key-length", int),
         "kekKeyLifetime": ("kek/lifetime", seconds), "lkhDegree": ("kek/lkh-degree", int),
         "rekeyMargin": ("kek/margin", seconds), "rekeyInterval": ("kek/interval", seconds),
         "sigAlgorithm": ("signature/algorithm", named(SIGNATURE)), "sigHashAlgorithm": ("signature/hash", named(HASH)),
         "sigKeyLength": ("signature/key-length", int), "ackRequested": ("ack/type", named(ACK)),
         "silentMax": ("ack/missed", int), "silentEvicted": ("ack/evict", named(BOOLEAN), "false"),
         "evictionAtOnce": ("eviction/at-once", named(BOOLEAN)),
         "kekPolicyHidden": ("eviction/hide-kek-policy", named(BOOLEAN))}
IPSEC = {"protocolId": ("protocol", named(PROTOCOL), "esp"), "transformId": ("transform", None),
         "keyLength": ("key-length", int), "authenticationAlgorithm": ("authentication", named(SA_AUTH)),
         "encapsulationMode": ("mode", named(SA_MODE), "tunnel"), "ipProtocol": ("traffic/protocol", named(IP), "any"),
         "source": ("traffic/source", address), "sourcePort": ("traffic/source-port", int, "0"),
         "destination": ("traffic/destination", address), "destinationPort": ("traffic/destination-port", int, "0"),
         "lifeSeconds": ("lifetime/time", seconds), "lifeKilobytes": ("lifetime/kilobytes", int),
         "addressPreservation": ("options/address-preservation", named(PRESERVE)),
         "saDirection": ("options/direction", named(DIRECTION)),
         "extendedSequenceNumber": ("options/sequence-numbers", named({"extended": 1})),
         "ecnTunnel": ("options/ecn-tunnel", named({"allowed": 1, "forbidden": 2})),
         "keyRounds": ("options/key-rounds", int),
         "authenticationKeyLength": ("options/authentication-key-length", int),
         "signatureEncoding": ("options/signature-encoding", named({"rsassa-pkcs1-v1-5": 1, "rsassa-pss": 2})),
         "sourceKey": ("options/source-key", octets)}
IEC = {"oid": ("oid", str), "oidPayload": ("payload", octets, ""), "authAlg": ("authentication", named(IEC_AUTH)),
       "encAlg": ("encryption", named(IEC_ENC)), "lifetime": ("lifetime", seconds), "saAtd": ("activation", seconds),
       "saKda": ("delivery-assurance", int)}


OPERATION = {"joinRekey": ("join/rekey", named(BOOLEAN)), "joinWindow": ("join/window", seconds), "mtu": ("message/mtu", int),
             "clockSkew": ("clock/skew", seconds)}


def record(table, e):
    out = {}
    for name, (path, read, *missing) in table.items():
        element, _, attribute = path.rpartition("/")
        at = e.find(element) if element else e
        text = at.get(attribute) if at is not None else None
        if text is None:
            text = missing[0] if missing else None
        if text is not None:
            out[name] = (read or (lambda t: named(AH if e.get("protocol") == "ah" else ESP)(t)))(text)
    return out


def register(e, membership):
    return gdoi.OID_REGISTRATION, tokens.build(gdoi.KINDS[gdoi.OID_REGISTRATION][1], {
        **membership, "groupInfo": record(GROUP, e),
        "phase1": [record(PHASE1, p) for p in e.findall("phase1")]}).dump()


def rekey(e):
    return gdoi.OID_REKEY, tokens.build(gdoi.GDOIRekeyInfo, record(REKEY, e)).dump()


def operation(e):
    fields = record(OPERATION, e)
    return gdoi.OID_OPERATION, tokens.build(gdoi.GSAKMPOperationInfo, fields).dump() if fields else b"\x30\x00"


def data(e):
    """(OID, octets) of <ipsec> or <iec-61850>."""
    oid, cls, table = ((gdoi.OID_IPSEC, gdoi.IPsecDataSAInfo, IPSEC) if e.tag == "ipsec"
                       else (gdoi.OID_IEC, gdoi.IEC61850DataSAInfo, IEC))
    return oid, tokens.build(cls, [record(table, sa) for sa in e.findall("sa")]).dump()
