# SPDX-License-Identifier: BSD-2-Clause
"""verdicts.json: messages that have to be refused, each wrong in one way, and a few that have not.

Nothing here needs a key: a message is refused before its signature is looked at."""
from .. import crypto
from .. import registry as reg
from ..gsakmp import (GSAKMP, AckData, Certificate, Identification, KeyCreation, MechanismChoice,
                      Nonce, Notification, PolicyToken, Signature, UName)
from . import fixed
from .make_message import (ACK, CHOICES, DATE, DN, EXCHANGES, RED, UNSIGNED, creation, event,
                           member_id, nonce, notification, sealed_keys, sealed_token)
from .compute import OUTPUT, kex
from .make_crypto import private_value
from .recipe import Book
from .store import Vector, plain

SIGNED = {"sig_type": 0, "id_type": 31, "signer_id": DN.encode(), "timestamp": DATE,
          "signature": fixed.octets("no signature", 46)}


def packet(exchange, parts, sequence=0, signed=None, certificate=True, **head):
    """The octets of a message; the signature is not one."""
    layer = GSAKMP(**{"group_id_type": 2, "group_id": fixed.GROUP_ID, "exchange": exchange,
                      "sequence": sequence, **head})
    for part in parts:
        layer = layer / part.copy()
    if exchange not in UNSIGNED:
        layer = layer / Signature(**{**SIGNED, **(signed or {})})
        if certificate:
            layer = layer / Certificate(cert_type=4, data=b"\x30\x03\x02\x01\x05")
    return bytes(layer)


def good(name, **how):
    exchange, parts, sequence = EXCHANGES[name]
    return packet(exchange, parts(), sequence, **how)


def patched(octets, at, new):
    at = at % len(octets)
    return octets[:at] + new + octets[at + len(new):]


HEAD = 2 + len(fixed.GROUP_ID)  # Next Payload


def header_faults():
    rtj = good("rtj")
    yield "group-id-type", "GroupID Type 5", "7.1.2-01", patched(rtj, 0, b"\x05")
    yield "group-id-type-0", "GroupID Type 0", "7.1.2-01", patched(rtj, 0, b"\0")
    yield "next-payload", "Next Payload 5, which is reserved", "7.1.2-03", patched(rtj, HEAD, b"\x05")
    yield "next-payload-none", "no payload at all", "7-01", patched(rtj, HEAD, b"\0")
    yield "version-0", "Version 0", "7.1.2-04", patched(rtj, HEAD + 1, b"\0")
    yield "version-2", "Version 2, and no version 1 message inside", "7.1.2-04", patched(rtj, HEAD + 1, b"\x02")
    yield "exchange-0", "Exchange Type 0", "7.1.2-06", patched(rtj, HEAD + 2, b"\0")
    yield "exchange-7", "Exchange Type 7, which is reserved", "7.1.2-06", patched(rtj, HEAD + 2, b"\x07")
    yield "exchange-200", "a private Exchange Type", "7.1.2-06", patched(rtj, HEAD + 2, b"\xc8")
    yield "sequence", "Sequence ID 1 in an RTJ", "7.1.2-08", patched(rtj, HEAD + 3, b"\0\0\0\x01")
    for label, change in (("short", -1), ("long", 1)):
        size = (len(rtj) + change).to_bytes(4, "big")
        yield f"length-{label}", f"Length {change:+d}", "7.1.2-11", patched(rtj, HEAD + 7, size)
    yield "truncated", "a message cut off inside its last payload", "7.1.2-11", rtj[:-1]
    yield "truncated-header", "a message cut off inside its header", "7.1.2-11", rtj[:HEAD + 5]
    whole = patched(rtj + b"\0", HEAD + 7, (len(rtj) + 1).to_bytes(4, "big"))
    yield "trailing", "an octet behind the last payload, counted in Length", "7-05", whole
    for label, kind, value, req in (
            ("utf8-digits", 1, b"0011223344556-ffweather", "7.1.1.1.1-01"),
            ("utf8-name", 1, b"00112233445566ff\xff\xfe", "7.1.1.1.1-01"),
            ("ipv4-size", 3, bytes(13), "7.1.1.1.3-01"), ("ipv6-size", 4, bytes(23), "7.1.1.1.4-01"),
            ("octet-string-size", 2, bytes(8), "7.1.1.1.2-01")):
        yield (f"group-id/{label}", f"GroupID of type {kind}: {label}", req,
               good("rtj", group_id_type=kind, group_id=value))


def chain_faults():
    rtj = good("rtj")
    first = HEAD + 11
    yield "next-payload-in-chain", "Next Payload 99 in a generic header", "7.2.2-01", patched(rtj, first, b"c")
    yield "reserved", "RESERVED is not zero", "7.2.2-02", patched(rtj, first + 1, b"\x80")
    yield "payload-length-3", "Payload Length 3", "7.2.2-03", patched(rtj, first + 2, b"\0\x03")
    yield "payload-length-beyond", "Payload Length beyond the message", "7.2.2-03", patched(rtj, first + 2, b"\xff\xff")


def _rtj(creation_part=None, nonce_part=None, *more, **how):
    return packet(reg.X_RTJ, [creation_part or creation("i"), nonce_part or nonce(1), *more], **how)


def _keydl(**parts):
    chosen = {"id": member_id(), "r": nonce(2), "c": nonce(3), "creation": creation("r"),
              "token": sealed_token(), "keys": sealed_keys(), **parts}
    return packet(reg.X_KEYDL, [p for p in chosen.values() if p is not None])


def _id(**fields):
    return _keydl(id=Identification(**{"id_class": 1, "id_type": 31, "data": DN.encode(), **fields}))


def payload_faults():
    yield "token-type", "Policy Token Type 0", "7.3.2-02", _keydl(token=PolicyToken(token_type=0, data=b"x" * 64))
    yield "token-type-2", "Policy Token Type 2", "7.3.2-02", _keydl(token=PolicyToken(token_type=2, data=b"x" * 64))
    yield "id-class", "ID Classification 3", "7.6.2-02", _id(id_class=3)
    yield "id-type", "ID Type 0", "7.6.2-03", _id(id_type=0)
    yield "id-type-8", "ID Type 8, reserved", "7.6.2-03", _id(id_type=8)
    yield "id-ipv4", "an IPv4 address of five octets", "7.6.2-04", _id(id_type=1, data=bytes(5))
    yield "id-ipv6", "an IPv6 address of four octets", "7.6.2-04", _id(id_type=5, data=bytes(4))
    yield "id-dn-utf8", "a name that is not UTF-8", "7.6.2-04", _id(data=b"CN=\xff\xfe")
    yield "id-empty", "an empty name", "7.6.2-04", _id(data=b"")
    yield "id-u-name-serial", "ID_U_NAME: serial number zero", "7.6.2.1-01", _id(
        id_type=30, data=UName(serial=bytes(20), dn=DN.encode()))
    yield "id-u-name-utf8", "ID_U_NAME: a name that is not UTF-8", "7.6.2.1-02", _id(
        id_type=30, data=UName(serial=(1).to_bytes(20, "big"), dn=b"/CN=\xff"))
    yield "id-u-name-length", "ID_U_NAME: Length counts too much", "7.6.1.1-01", _id(
        id_type=30, data=UName(serial=(1).to_bytes(20, "big"), length=40, dn=DN.encode()))
    yield "cert-type", "Certificate type 5", "7.7.2-02", _rtj(None, None, Certificate(cert_type=5, data=b"x"))
    yield "sig-type", "Signature type 3", "7.8.2-02", good("rtj", signed={"sig_type": 3})
    yield "sig-type-private", "a private Signature type without its Vendor ID", "7.8.2-02", good(
        "rtj", signed={"sig_type": 49156})
    yield "sig-id-type", "Signature ID Type 99", "7.8.2-03", good("rtj", signed={"id_type": 99})
    yield "sig-timestamp", "Signature Timestamp in month 13", "7.8.1-05", good(
        "rtj", signed={"timestamp": b"20261301000000Z"})
    yield "sig-timestamp-second", "Signature Timestamp in second 60", "7.8.1-05", good(
        "rtj", signed={"timestamp": b"20260601120060Z"})
    yield "sig-timestamp-z", "Signature Timestamp with a small z", "7.8.1-05", good("rtj", signed={"timestamp": DATE.lower()})
    yield "signer-id-length", "Signer ID Length beyond the payload", "7.8.2-08", good(
        "rtj", signed={"signer_id_len": 400})
    yield "signature-length", "Signature Length is one too small", "7.8.2-08", good("rtj", signed={"sig_len": 45})
    yield "behind-signature", "a Nonce behind the Signature", "7.8.1-01", _behind_signature()
    yield "notify-type", "Notification Type 2, which is reserved", "7.9.2-02", _rtj(None, None, notification(2))
    yield "ack-type", "Ack Type 1", "7.9.2-03", packet(reg.X_ACK, [nonce(3), Notification(
        notify=reg.N_ACK, data=AckData(ack_type=1))])
    yield "ack-data", "data behind a simple acknowledgement", "7.9.1.1-01", packet(reg.X_ACK, [
        nonce(3), Notification(notify=reg.N_ACK, data=AckData(data=b"x"))])
    for label, choice, req in (("mechanism-type", (3, 1), "7.9.1.3-02"), ("mechanism-value", (0, 99), "7.9.2-03"),
                               ("mechanism-private", (1, 49154), "7.9.2-03")):
        yield label, f"Mechanism Choice {choice}", req, _rtj(None, None, Notification(
            notify=reg.N_MECHANISMS, data=[MechanismChoice(mechanism=choice[0], value=choice[1])]))
    yield "ip-value", "an IPv4 value of five octets", "7.9.1.4-01", _rtj(None, None, notification(reg.N_IPV4, bytes(5)))
    yield "creation-type", "Key Creation Type 1", "7.11.2-02", _rtj(KeyCreation(create_type=1, data=bytes(96)))
    yield "creation-private", "a private Key Creation Type without its Vendor ID", "7.11.2-02", _rtj(
        KeyCreation(create_type=49154, data=bytes(32)))
    yield "creation-length", "a public value of 129 octets", "7.11.2-03", _rtj(
        KeyCreation(create_type=2, data=b"\x01" * 129))
    yield "nonce-short", "Nonce Data of three octets", "7.12.1-04", _rtj(None, Nonce(nonce_type=1, data=bytes(3)))
    yield "mechanism-twice", "two choices of one mechanism", "7.9.1.3-01", _rtj(None, None, Notification(
        notify=reg.N_MECHANISMS, data=[MechanismChoice(mechanism=1, value=v) for v in (12, 3)]))
    yield "mechanism-cut", "Mechanism Choices of eight octets", "7.9.1.3-01", _rtj(None, None, _cut_choices())
    yield "nonce-type", "Nonce Type 4", "7.12.2-02", _rtj(None, Nonce(nonce_type=4, data=bytes(20)))


def _cut_choices():
    whole = bytes(CHOICES)
    part = Notification(notify=reg.N_MECHANISMS, length=len(whole) - 1)
    part.trailing = whole[6:-1]
    return part


def _behind_signature():
    layer = GSAKMP(group_id_type=2, group_id=fixed.GROUP_ID, exchange=reg.X_RTJ)
    return bytes(layer / creation("i") / Signature(**SIGNED) / nonce(1))


def _rekey(part, sequence=7):
    return packet(reg.X_REKEY, [part], sequence)


def rekey_faults():
    yield "rekey-type", "Rekey Event Type 2", "7.5.2-02", _rekey(event(RED, 2))
    other = event(RED)
    other.group_id = fixed.GROUP_ID[:-1] + b"S"
    yield "rekey-group", "another GroupID inside", "7.5.2-03", _rekey(other)
    inner = event(RED)
    inner.rekey_type = 0
    yield "rekey-inner-type", "type LKH outside, None inside", "7.5.2-05", _rekey(inner)
    version = event(RED)
    version.alg_version = 2
    yield "rekey-version", "Algorithm Version 2", "7.5.2-06", _rekey(version)
    for label, count in (("more", 4), ("fewer", 2)):
        yield f"rekey-count-{label}", f"{count} announced, three there", "7.5.2-07", _rekey(event(RED, 1, count))
    long = event([{**RED[0], "packet_length": 33}, *RED[1:]])
    yield "rekey-packet-length", "Packet Length one too long", "7.5.2-07", _rekey(long)
    yield "rekey-none-data", "Rekey Event Data in an event of type None", "7.5.1-04", _rekey(event(RED, 0))
    date = event(RED)
    date.timestamp = b"20260230120000Z"
    yield "rekey-date", "30 February", "7.5.1.1-01", _rekey(date)


# What has a row of its own among the requirements of its message.
OWN_ROW = {("rtj", "nonce-1"): "5.2.1.1-07", ("rtj", "signature"): "5.2.1-02", ("rtd", "signature"): "5.3.2.3.1-06",
           **{(name, f"nonce-{n}"): req for n in (2, 3) for name, req in (
               ("keydl", "5.2.1.2-05"), ("loa", "5.2.1.5-04"), ("dr", "5.3.2.3.2-05"))}}


# What can stand alone in the place of the Notification that a message has; both of them cannot.
OTHER_NOTIFICATION = {"rtj-err": reg.N_MALFORMED, "keydl-ack": reg.N_NACK, "loa": reg.N_NONE, "dr": reg.N_DEPART_ERROR,
                      "da": reg.N_NACK}


def dissection_faults():
    """Each message without each of its payloads, with a doubled one, with a foreign one."""
    names = {"Identification": "identification", "KeyCreation": "key-creation", "Nonce": "nonce",
             "PolicyToken": "token", "KeyDownload": "keys", "Notification": "notification",
             "RekeyEvent": "rekey-event"}
    section = {"rtj": "5.2.1.1-06", "keydl": "5.2.1.2-03", "rtj-err": "5.2.1.3-02", "keydl-ack": "5.2.1.4-02",
               "loa": "5.2.1.5-03", "cookie-download": "5.2.2-06", "rekey": "5.3.1.1-07",
               "rtd": "5.3.2.3.1-03", "dr": "5.3.2.3.2-03", "da": "5.3.2.3.3-03"}
    for name, req in section.items():
        exchange, parts, sequence = EXCHANGES[name]
        made = parts()
        for n, part in enumerate(made):
            label = names[type(part).__name__]
            label += f"-{part.nonce_type}" if label == "nonce" else ""
            rest = made[:n] + made[n + 1:]
            optional = name in ("rtj-err", "keydl-ack", "da", "rtd") and label.startswith("nonce")
            if (rest or exchange not in UNSIGNED) and not optional:
                why = OWN_ROW.get((name, label), req)
                yield f"{name}/without-{label}", f"{name} without {label}", why, packet(exchange, rest, sequence)
            if name != "rekey":
                yield f"{name}/twice-{label}", f"{name} with {label} twice", "7-04", packet(
                    exchange, [*made[:n + 1], part, *made[n + 1:]], sequence)
        if name in OTHER_NOTIFICATION:
            yield f"{name}/two-notifications", f"{name} with Notifications of two types, of which it has room for one", (
                "7-04"), packet(exchange, [*made, notification(OTHER_NOTIFICATION[name])], sequence)
        if exchange not in UNSIGNED:
            layer = GSAKMP(group_id_type=2, group_id=fixed.GROUP_ID, exchange=exchange, sequence=sequence)
            for part in made:
                layer = layer / part
            why = OWN_ROW.get((name, "signature"), req)
            yield f"{name}/unsigned", f"{name} without a Signature", why, bytes(layer)
        foreign = KeyCreation(create_type=2, data=bytes(127) + b"\x05") if name not in ("rtj", "keydl") else (
            event(RED))
        if name == "rekey":
            yield "rekey/twice-token", "rekey with two Policy Tokens", "7-04", packet(
                exchange, [sealed_token(), sealed_token(), *made], sequence)
        if name == "rtj":
            yield "rtj/two-ip-values", "rtj with an IPv4 Value and an IPv6 Value", "7-04", packet(exchange, [
                *made, notification(reg.N_IPV4, bytes([192, 0, 2, 1])), notification(reg.N_IPV6, bytes(15) + b"\x01")])
        yield f"{name}/foreign", f"{name} with a payload that its dissection does not have", "7-04", packet(
            exchange, [*made, foreign], sequence)


def _verdict(book, label, about, req, octets, dialect=None, shows=(), **how):
    raw = {"message": octets, **how}
    v = Vector({"id": "", "kind": "verdict", "in": plain(raw), "dialect": dialect or {}, "out": {}})
    out = OUTPUT["verdict"](v.given, v.dialect)
    if req is not None:
        assert out == {**out, "accepted": False, "req": f"RFC4535-{req}"}, (label, req, out)
    else:
        assert out["accepted"], (label, out)
        req = "7.1.2-11"
    if label in NO_FIELD:
        del out["field"]
    book.add("verdict", label, about, out.get("req", f"RFC4535-{req}"), raw, dialect, shows, out)


def public_values(book):
    p = crypto.MODP[2]
    for label, kind, value in (
            ("good", 2, (5).to_bytes(128, "big")), ("short", 2, b"\x05"), ("zero", 2, bytes(128)),
            ("one", 2, (1).to_bytes(128, "big")), ("p-1", 2, (p - 1).to_bytes(128, "big")),
            ("p", 2, p.to_bytes(128, "big")), ("p+1", 2, (p + 1).to_bytes(128, "big")),
            ("long", 2, b"\0" + (5).to_bytes(128, "big")), ("empty", 2, b""),
            ("modp2048/p-1", 14, (crypto.MODP[14] - 1).to_bytes(256, "big")),
            ("p256/good", 49153, kex(49153, private_value(49153, "p256 i", 32)).public()),
            ("p256/off-curve", 49153, b"\x01" * 64), ("p256/short", 49153, b"\x01" * 63),
            ("x25519/short", 49154, bytes(31))):
        book.add("public-value", label, f"Key creation type {kind}: {label}", "RFC4535-7.11.2-03",
                 {"key_creation": kind, "public": value})


# Where lengths contradict each other, or octets are missing or too many, it is a matter of taste
# which field is wrong: these vectors name none.
NO_FIELD = {"truncated-header", "trailing", "id-u-name-length", "signer-id-length", "signature-length",
            "behind-signature", "ack-data", "ip-value", "mechanism-cut", "rekey-count-more",
            "rekey-count-fewer", "rekey-packet-length", "rekey-none-data", "rekey_counts/total-in-payload"}


def switches(book):
    """Switches that decide whether a message is accepted."""
    for value in crypto.STRICT.choices()["gid_utf8_random"]:
        raw = value == "raw16"
        gid = (bytes(range(0xF0, 0x100)) if raw else b"00112233445566ff") + b"weather"
        octets = good("rtj", group_id_type=1, group_id=gid)
        dialect = {"gid_utf8_random": value} if raw else {}
        _verdict(book, f"gid_utf8_random/{value}", f"a UTF-8 GroupID: Random Value as {value}", None, octets,
                 dialect, [f"gid_utf8_random={value}"])
        if raw:
            _verdict(book, "gid_utf8_random/raw16-in-hex16", "the same where hexadecimal digits are wanted",
                     "7.1.1.1.1-01", octets)
    parts = {"payload": [event(RED[:2]), event(RED[2:])], "total": [event(RED[:2], count=3), event(RED[2:], count=3)]}
    for value, other in (("payload", "total"), ("total", "payload")):
        octets = packet(reg.X_REKEY, parts[value], 7)
        dialects_of = {v: ({} if v == "payload" else {"rekey_counts": v}) for v in parts}
        _verdict(book, f"rekey_counts/{value}", f"three Rekey Event Datas in two payloads: rekey_counts {value}",
                 None, octets, dialects_of[value], [f"rekey_counts={value}"])
        _verdict(book, f"rekey_counts/{value}-in-{other}", f"the same, read as {other}", "7.5.2-07", octets,
                 dialects_of[other])
    foreign = packet(reg.X_ACK, [nonce(3), ACK, KeyCreation(create_type=2, data=bytes(127) + b"\x05")])
    _verdict(book, "unexpected_payload/reject", "a Key Creation payload in a KeyDL-A/F", "7-04", foreign, {},
             ["unexpected_payload=reject"])
    _verdict(book, "unexpected_payload/ignore", "the same, skipped", None, foreign,
             {"unexpected_payload": "ignore"}, ["unexpected_payload=ignore"])


def embedded(book):
    """Version 2 messages (7.1.2): a version 1 message right behind the header."""
    inner = good("rtj")
    gid = bytes([2, len(fixed.GROUP_ID)]) + fixed.GROUP_ID

    def outer(inside, version=2):
        head = gid + bytes([12, version, 8]) + bytes(4)
        return head + (len(head) + 4 + len(inside)).to_bytes(4, "big") + inside
    _verdict(book, "embedded/rtj", "an RTJ of version 1 inside a message of version 2", None, outer(inner),
             accept_embedded=True)
    _verdict(book, "embedded/tail", "the same, and what version 2 has behind it", None, outer(inner + b"\xAA" * 40),
             accept_embedded=True)
    _verdict(book, "embedded/not-looked-for", "the same, where nobody looks inside", "7.1.2-04",
             outer(inner), accept_embedded=False)
    _verdict(book, "embedded/broken", "a message of version 2 whose inside is a message cut off", "7.1.2-11",
             outer(inner[:-1]), accept_embedded=True)
    _verdict(book, "embedded/none", "a message of version 2 whose inside is no version 1 header", "7.1.2-14",
             outer(bytes(40)), accept_embedded=True)
    _verdict(book, "embedded/version-0", "version 0 carries nothing", "7.1.2-04", outer(inner, 0),
             accept_embedded=True)


def books():
    book = Book("verdicts", "Negative vectors: what has to be refused before any signature is verified, and why.")
    for name in EXCHANGES:
        _verdict(book, f"good/{name}", f"nothing is wrong with this: {name}", None, good(name))
    for faults in (header_faults, chain_faults, payload_faults, rekey_faults, dissection_faults):
        for label, about, req, octets in faults():
            _verdict(book, label, about, req, octets)
    public_values(book)
    switches(book)
    embedded(book)
    return [book]

