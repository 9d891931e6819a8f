# SPDX-License-Identifier: BSD-2-Clause
"""payloads.json and messages.json: every payload, every exchange."""
from .. import crypto
from .. import dialect as dialects
from .. import registry as reg
from ..gsakmp import (AckData, Identification, KeyCreation, KeyDownload,
                      MechanismChoice, Nonce, Notification, PolicyToken, RekeyEvent,
                      RekeyEventData, UName, VendorID)
from . import fixed
from .make_crypto import kex, key, plaintext, private_value
from .recipe import Book

DATE = b"20260601120000Z"
DN, SERVER = (f"CN={who},O=MSEC vectors" for who in ("gm1", "gcks"))
RED = [{"packet_length": 32, "wrapping_key_id": n.to_bytes(4, "big"),
        "wrapping_key_handle": bytes([10, 11, 12, n]), "data": fixed.octets(f"ciphertext {n}", 32)}
       for n in (2, 12, 7)]


def _fields(**f):
    return f


def payloads(book):
    def one(label, about, req, kind, fields, next_payload=0, **how):
        given = {"type": kind, "next_payload": next_payload, "fields": fields}
        if kind == reg.P_REKEY:
            given["group_id"] = how.pop("group_id", fixed.GROUP_ID)
        return book.add("payload", label, about, req, given, **how)

    one("policy-token", "Policy Token, before encryption or after it", "RFC4535-7.3.1-01", reg.P_TOKEN,
        _fields(policy_token_type=1, policy_token_data=fixed.octets("token data", 48)), 2)
    one("key-download", "Key Download: all of it is ciphertext", "RFC4535-7.4.1-08", reg.P_KEYDL,
        _fields(encrypted=fixed.octets("keydl data", 64)), 8)
    rekey = _fields(rekey_event_type=1, time_date_stamp=DATE.decode(), algorithm_version=1,
                    number_of_rekey_event_data=3, rekey_event_data=RED)
    none = _fields(rekey_event_type=0, time_date_stamp=DATE.decode(), algorithm_version=1,
                   number_of_rekey_event_data=0, rekey_event_data=[])
    one("rekey-event/lkh", "Three Rekey Event Datas", "RFC4535-7.5.1-01", reg.P_REKEY, rekey, 8)
    one("rekey-event/none", "An event of type None", "RFC4535-7.5.1-04", reg.P_REKEY, none, 8)
    book.readings("reh_groupid", "payload", "The GroupID inside a Rekey Event Header", "RFC4535-7.5.1.1-01",
                  {"type": reg.P_REKEY, "next_payload": 8, "group_id": fixed.GROUP_ID, "fields": rekey})
    _figure(one)
    _identifications(one)
    for number, text in reg.CERT_TYPE.values.items():
        one(f"certificate/{number}", f"Certificate type {text}", "RFC4535-7.7.1-02", reg.P_CERT,
            _fields(certificate_type=number, certificate_data=fixed.octets(f"certificate {number}", 24)), 6)
    for number, text in {**reg.SIG_TYPE.values, **reg.SIG_TYPE.private}.items():
        one(f"signature/{number}", f"Signature type {text}", "RFC4535-7.8.1-03", reg.P_SIG,
            _fields(signature_type=number, signature_id_type=reg.ID_DN,
                    signature_timestamp=DATE.decode(), signer_id_data=DN.encode(),
                    signature_data=fixed.octets(f"signature {number}", 40)), 6)
    _notifications(book, one)
    one("vendor-id", "The Vendor ID of this suite", "RFC4535-7.10.1-01", reg.P_VENDOR,
        _fields(vendor_id=reg.VENDOR_ID), 8)
    one("vendor-id/other", "Somebody else's Vendor ID", "RFC4535-7.10.2-02", reg.P_VENDOR,
        _fields(vendor_id=b"some vendor"), 8)
    for number, label, size in ((2, "modp1024", 40), (14, "modp2048", 40), (49153, "p256", 32),
                                (49154, "x25519", 32), (49155, "modp2048-hkdf", 40)):
        value = kex(number, private_value(number, f"{label} i", size)).public()
        one(f"key-creation/{label}", f"Key creation type {number}", "RFC4535-7.11.1-02", reg.P_CREATE,
            _fields(key_creation_type=number, key_creation_data=value), 12)
    for number, text in reg.NONCE_TYPE.values.items():
        if number:
            one(f"nonce/{number}", f"Nonce type {text}", "RFC4535-7.12.1-02", reg.P_NONCE,
                _fields(nonce_type=number, nonce_data=fixed.octets(f"nonce {number}", 20)), 12)


def _figure(one):
    """Appendix A.3.2 to the letter; its GroupID is one octet too short for any type of Table 11."""
    sealed = plaintext("key-packages", {"packages": [
        {"type": 0, "key": key("3des gtpk 2", b"KEY1", 0x22222220, reg.K_3DES)},
        {"type": 1, "key": key("3des node 3", 3, 0x22222223, reg.K_3DES)},
        {"type": 1, "key": key("3des node 6", 6, 0x22222226, reg.K_3DES)}]})
    datas = []
    for wrapping, keys in ((2, 1), (12, 3), (7, 2)):
        count = 67 * keys + 2
        plain = keys.to_bytes(2, "big") + sealed[2:count]
        body = crypto.encrypt(reg.K_3DES, fixed.octets(f"key 3des node {wrapping}", 24),
                              fixed.octets(f"iv a.3.2 {wrapping}", 8), plain)
        body = fixed.octets(f"iv a.3.2 {wrapping}", 8) + body
        datas.append({"packet_length": len(body), "wrapping_key_id": wrapping.to_bytes(4, "big"),
                      "wrapping_key_handle": (0x11111110 + wrapping).to_bytes(4, "big"), "data": body})
    one("rekey-event/a.3.2", "The example of appendix A.3.2: { (GTPK)2, (GTPK, 3', 6')12, (GTPK, 3')7 }, "
        "Wrapping KeyIDs of four octets as in Figure 16, under the 3DES keys 'key 3des node N'",
        ("RFC4535-A.3.2-01", "RFC4535-7.5.1.2-01"), reg.P_REKEY,
        _fields(rekey_event_type=1, time_date_stamp=DATE.decode(), algorithm_version=1,
                number_of_rekey_event_data=3, rekey_event_data=datas), 8,
        group_id=bytes.fromhex("aabbccdd12345678"))


def _identifications(one):
    who = {1: bytes([192, 0, 2, 1]), 2: b"gm1.example.org", 3: b"gm1@example.org",
           5: bytes.fromhex("20010db8000000000000000000000001"),
           9: fixed.root().subject, 11: fixed.octets("key id", 20),
           30: bytes(UName(serial=(0x1234).to_bytes(20, "big"), dn=DN.encode())), 31: DN.encode()}
    for number, text in reg.ID_TYPE.values.items():
        one(f"identification/{number}", f"ID type {text}", "RFC4535-7.6.1-03", reg.P_ID,
            _fields(id_classification=1, id_type=number, identification_data=who[number]), 12)
    for number, text in reg.ID_CLASS.values.items():
        one(f"identification/class-{number}", f"ID classification {text}", "RFC4535-7.6.1-02", reg.P_ID,
            _fields(id_classification=number, id_type=31, identification_data=DN.encode()), 12)


def _notifications(book, one):
    choices = [{"mechanism_type": 0, "mechanism_choice_data": 2},
               {"mechanism_type": 1, "mechanism_choice_data": 12},
               {"mechanism_type": 2, "mechanism_choice_data": 1}]
    data = {reg.N_COOKIE_REQUIRED: fixed.octets("cookie", 32), reg.N_COOKIE: fixed.octets("cookie", 32),
            reg.N_IPV4: bytes([192, 0, 2, 1]), reg.N_IPV6: bytes.fromhex("20010db8" + "00" * 11 + "01")}
    for number, text in reg.NOTIFY.values.items():
        fields = {"notification_type": number}
        if number == reg.N_ACK:
            fields["ack_type"] = 0
        elif number == reg.N_MECHANISMS:
            fields["mechanism_choices"] = choices
        else:
            fields["notification_data"] = data.get(number, b"")
        one(f"notification/{number}", f"Notification {text}", "RFC4535-7.9.1-02", reg.P_NOTIFY, fields, 8)
    book.readings("ack_data", "payload", "A simple acknowledgement", "RFC4535-7.9.1.1-01", {
        "type": reg.P_NOTIFY, "next_payload": 8, "fields": {"notification_type": reg.N_ACK, "ack_type": 0}})
    book.readings("mech_choice", "payload", "Mechanism Choices", "RFC4535-7.9.1.3-01", {
        "type": reg.P_NOTIFY, "next_payload": 8,
        "fields": {"notification_type": reg.N_MECHANISMS, "mechanism_choices": choices}})


# ------------------------------------------------------------------- messages

def body(layer):
    layer = layer.copy()
    layer.next_payload = 0
    return {"type": layer.payload_type, "body": bytes(layer)[4:]}


def nonce(kind):
    return Nonce(nonce_type=kind, data=fixed.octets(f"nonce {kind}", 20))


def creation(who):
    return KeyCreation(create_type=2, data=kex(2, private_value(2, f"modp1024 {who}", 40)).public())


def notification(kind, data=b""):
    return Notification(notify=kind, data=data)


def identification(who):
    return Identification(id_class=1, id_type=31, data=who.encode())


def member_id():
    return identification(DN)


def event(datas, kind=1, count=None):
    return RekeyEvent(event_type=kind, group_id=fixed.GROUP_ID, timestamp=DATE, rekey_type=kind,
                      alg_version=1, count=count, datas=[
                          RekeyEventData(packet_len=d["packet_length"], wrap_id=d["wrapping_key_id"],
                                         wrap_handle=d["wrapping_key_handle"], data=d["data"])
                          for d in datas])


def sealed_token():
    return PolicyToken(token_type=1, data=fixed.octets("sealed token", 64))


def sealed_keys():
    return KeyDownload(data=fixed.octets("sealed keys", 96))


ACK = Notification(notify=reg.N_ACK, data=AckData())
CHOICES = Notification(notify=reg.N_MECHANISMS, data=[
    MechanismChoice(mechanism=0, value=2), MechanismChoice(mechanism=1, value=12),
    MechanismChoice(mechanism=2, value=1)])
# name: exchange, payloads before the signature, Sequence ID
EXCHANGES = {
    "rtj": (reg.X_RTJ, lambda: [creation("i"), nonce(1)], 0),
    "rtj/choices": (reg.X_RTJ, lambda: [creation("i"), nonce(1), CHOICES], 0),
    "rtj/cookie": (reg.X_RTJ, lambda: [creation("i"), nonce(1),
                                       notification(reg.N_COOKIE, fixed.octets("cookie", 32))], 0),
    "rtj/ipv4": (reg.X_RTJ, lambda: [creation("i"), nonce(1),
                                     notification(reg.N_IPV4, bytes([192, 0, 2, 1]))], 0),
    "rtj/ipv6": (reg.X_RTJ, lambda: [creation("i"), nonce(1), notification(
        reg.N_IPV6, bytes.fromhex("20010db8" + "00" * 11 + "01"))], 0),
    "rtj-err": (reg.X_RTJ_ERR, lambda: [nonce(1), notification(reg.N_UNAUTHORIZED)], 0),
    "cookie-download": (reg.X_COOKIE, lambda: [notification(reg.N_COOKIE_REQUIRED,
                                                            fixed.octets("cookie", 32))], 0),
    "keydl": (reg.X_KEYDL, lambda: [member_id(), nonce(2), nonce(3), creation("r"), sealed_token(),
                                    sealed_keys()], 0),
    "keydl/timestamp": (reg.X_KEYDL, lambda: [member_id(), creation("r"), sealed_token(),
                                              sealed_keys()], 0),
    "keydl-ack": (reg.X_ACK, lambda: [nonce(3), ACK], 0),
    "keydl-failure": (reg.X_ACK, lambda: [nonce(3), notification(reg.N_NACK)], 0),
    "loa": (reg.X_LOA, lambda: [member_id(), nonce(2), nonce(3), notification(reg.N_NACK)], 0),
    "rekey": (reg.X_REKEY, lambda: [event(RED)], 7),
    "rekey/token": (reg.X_REKEY, lambda: [sealed_token(), event(RED)], 8),
    "rekey/none": (reg.X_REKEY, lambda: [sealed_token(), event([], 0)], 9),
    "rekey/several": (reg.X_REKEY, lambda: [event(RED[:2]), event(RED[2:]), event(RED[:1])], 10),
    "rekey/destroy": (reg.X_REKEY, lambda: [event([], 0)], reg.SEQUENCE_DESTROY),
    "rtd": (reg.X_RTD, lambda: [identification(SERVER), nonce(1), notification(reg.N_LEAVE)], 0),
    "dr": (reg.X_DR, lambda: [member_id(), nonce(2), nonce(3), notification(reg.N_DEPARTED)], 0),
    "dr/error": (reg.X_DR, lambda: [member_id(), nonce(2), nonce(3),
                                    notification(reg.N_DEPART_ERROR)], 0),
    "da": (reg.X_DA, lambda: [nonce(3), ACK], 0),
}
UNSIGNED = (reg.X_RTJ_ERR, reg.X_COOKIE)
BY_SERVER = (reg.X_KEYDL, reg.X_LOA, reg.X_REKEY, reg.X_DR)  # SigC, section 5
SIGNER = {0: "dsa", 1: "rsa1024", 2: "p384", 49153: "rsa", 49154: "p256", 49155: "p384", 49156: "ed25519"}


def given(name, sig_type=49156, dialect=None, certificates=1):
    """The inputs of a message vector."""
    exchange, parts, sequence = EXCHANGES[name]
    dialect = dialects.Dialect(**(dialect or {}))
    with dialects.use(dialect):
        made = [body(p) for p in parts()]
    if sig_type >= 49153:
        made.append(body(VendorID()))
    out = {"group_id_type": 2, "group_id": fixed.GROUP_ID, "exchange": exchange, "sequence": sequence,
           "payloads": made}
    if exchange in UNSIGNED:
        return out
    kind = SIGNER[sig_type]
    name, common = (SERVER, "gcks") if exchange in BY_SERVER else (DN, "gm1")
    signer, cert = fixed.party(kind, common)
    deterministic = (kind in ("rsa", "ed25519") or kind == "rsa1024" and dialect.rsa_scheme != "pss")
    out["signature"] = {"sig_type": sig_type, "id_type": 31, "signer": name, "timestamp": DATE.decode(),
                        "key": fixed.private(signer), "deterministic": deterministic}
    out["certificates"] = [cert.der, fixed.root().der][:certificates]
    return out


def messages(book):
    for name, (exchange, _, _) in EXCHANGES.items():
        about = f"{reg.EXCHANGE.name(exchange)}: {name}"
        for sig_type in (49156, 1, 0):
            if exchange in UNSIGNED and sig_type != 1:
                continue
            label = name if exchange in UNSIGNED else f"{name}/{reg.SIG_TYPE.name(sig_type).lower()}"
            book.add("message", label, about, ("RFC4535-7.8.1-01", "RFC4535-7.1.1-01"), given(name, sig_type))
    for sig_type in (2, 49153, 49154, 49155):
        book.add("message", f"rtj/{reg.SIG_TYPE.name(sig_type).lower()}", f"RTJ, signature type {sig_type}",
                 "RFC4535-7.8.1-04", given("rtj", sig_type))
    book.add("message", "rtj/certificates", "RTJ with a certificate and its root behind the signature",
             "RFC4535-7.7.1-01", given("rtj", certificates=2))
    book.add("message", "rtj/utf8-group", "RTJ to a group with a UTF-8 GroupID", "RFC4535-7.1.1.1.1-01",
             {**given("rtj"), "group_id_type": 1, "group_id": fixed.GROUP_ID_UTF8})
    for number, value, text in ((3, fixed.GROUP_ID[:8] + bytes([239, 1, 2, 3]), "IPv4"),
                                (4, fixed.GROUP_ID[:8] + bytes.fromhex("ff15" + "00" * 13 + "77"), "IPv6")):
        book.add("message", f"rtj/{text.lower()}-group", f"RTJ to a group with an {text} GroupID",
                 "RFC4535-7.1.1.1.3-01", {**given("rtj"), "group_id_type": number, "group_id": value})
    for cover in crypto.STRICT.choices()["sig_cover"]:
        book.readings("sig_len_fields", "message", f"Length fields under the signature, sig_cover {cover}",
                      "RFC4535-7.8.1-01", given("rtj", certificates=2), f"sig_len_fields-{cover}",
                      {} if cover == "to_siglen" else {"sig_cover": cover})
    book.readings("sig_cover", "message", "What the signature covers", "RFC4535-7.8.1-01",
                  given("rtj", certificates=2))
    book.readings("expulsion", "expulsion", "A subordinate tells of a member that it has expelled", "RFC4535-4.4.7-09",
                  {"reason": 1, "id_type": 31, "identification_data": DN.encode()})
    event_none = bytes(event([], 0))
    for of, switch, before, after in (
            ("loa", "loa_notify", b"\x08\0\0\x06", b""), ("freshness", "freshness_code", b"\x08\0\0\x06", b""),
            ("invalid-certificate", "invalid_cert_code", b"\x08\0\0\x06", b""),
            ("classification", "id_class", bytes(body_octets(member_id(), 12))[:4],
             bytes(body_octets(member_id(), 12))[5:]),
            ("none-version", "rekey_none_algver", b"\x08" + event_none[1:-3], event_none[-2:])):
        book.readings(switch, "choice", f"A number that is a choice: {of}", "RFC4535-7.9.1-02",
                      {"of": of, "before": before, "after": after})


def body_octets(layer, following):
    layer = layer.copy()
    layer.next_payload = following
    return bytes(layer)


def books():
    payload_book = Book("payloads", "Every payload of RFC 4535 section 7, every type of its registries.")
    payloads(payload_book)
    message_book = Book("messages", "Every message of RFC 4535 section 5, signed with fixed keys.")
    messages(message_book)
    return [payload_book, message_book]
