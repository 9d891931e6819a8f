# SPDX-License-Identifier: BSD-2-Clause
"""The GDOI policies among the vectors of tokens: every field and name of the private protocols, and
policies that are well formed and cannot be run."""
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from . import fixed, xmlform_gdoi

CA = fixed.octets("a certification authority", 20).hex()
GROUP_ID = '<group-id type="octet-string" random="0102030405060708" name="vectors"/>'
LISTS = ('<gcks><entity type="ipv4" ca="">192.0.2.1</entity></gcks><senders><all/></senders><access-control>'
         '<rule type="ipv4" ca="">192.0.2.*</rule></access-control>')
PSK = '<phase1 authentication="psk" encryption="aes" key-length="128" hash="sha256" group="modp2048"/>'
PUSH, KEK = '<push destination="239.1.1.1"/>', '<kek algorithm="aes" key-length="128" lifetime="1d"/>'
LKH = '<kek algorithm="aes" key-length="128" lifetime="1d" lkh-degree="2"/>'
RSA = '<signature algorithm="rsa" hash="sha256"/>'
CBC = ('<sa transform="aes-cbc" key-length="128" authentication="hmac-sha2-256"><traffic destination="239.2.2.2"/>'
       '<lifetime time="1h"/></sa>')


def register(group='<group number="4660"/>', lists=LISTS, phase1=PSK):
    return (f"<registration><register><gdoi>{group}{lists}{phase1}</gdoi></register>"
            "<de-register><none/></de-register></registration>")


def rekey(push=PUSH, kek=LKH, signature=RSA, ack=""):
    return f"<rekey><gdoi>{push}{kek}{signature}{ack}</gdoi></rekey>"


def ipsec(*sas):
    return f"<data><ipsec>{''.join(sas)}</ipsec></data>"


def iec(**attributes):
    given = {"oid": "1.2.840.10070.61850.8.1.2", "authentication": "hmac-sha256-128", "encryption": "none",
             "lifetime": "1d", **attributes}
    order = ("oid", "payload", "authentication", "encryption", "lifetime", "activation", "delivery_assurance")
    text = " ".join(f'{name.replace("_", "-")}="{given[name]}"' for name in order if name in given)
    return f"<data><iec-61850><sa {text}/></iec-61850></data>"


def policy(registration=None, rekeys=None, data=None):
    return (f'<policy edition="1">{GROUP_ID}{registration or register()}{rekey() if rekeys is None else rekeys}'
            f"{data or ipsec(CBC)}</policy>")


def sa(transform, more="", traffic='<traffic destination="239.2.2.2"/>', rest='<lifetime time="1h"/>'):
    return f'<sa {transform}{more}>{traffic}{rest}</sa>'


def _public(kind):
    key = fixed.key(kind, "signatures").public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo).hex()


def signed(bits=2048, encoding="rsassa-pss", key=None, auth="sig-rsa", rest=""):
    """An SA whose source signs (RFC 4359)."""
    given = {"authentication-key-length": bits, "signature-encoding": encoding, "source-key": key or _public("rsa")}
    options = " ".join(f'{name}="{value}"' for name, value in given.items() if value != "")
    return sa(f'transform="aes-cbc" key-length="128" authentication="{auth}"', rest=f'<lifetime time="1h"/><options {rest}{options}/>')


def registrations():
    yield "plain", "a number, pre-shared keys, LKH, AES-CBC", policy()
    yield "group/largest", "the largest number of a group", policy(register('<group number="4294967295"/>'))
    yield "group/oid", "a group named by an OID with a payload", policy(register(
        '<group oid="1.2.840.10070.61850.8.1.2" payload="a0060404e9fc0001"/>'))
    yield "group/all", "GAP, sender ids, a bound for members", policy(register(
        '<group number="1"/><rollover activation="5s" deactivation="10s"/><sender-ids bits="12"/>'
        '<members max="30000"/>'), None, ipsec(sa('transform="aes-gcm-16" key-length="128"')))
    yield "members/authority", "names under an authority, an exclusion, listed senders", policy(register(lists=(
        f'<gcks><entity ca="{CA}">CN=gcks,O=MSEC vectors</entity></gcks><senders>'
        f'<entity type="fqdn" ca="{CA}">source.example.org</entity></senders><access-control>'
        f'<rule ca="{CA}">CN=*,O=MSEC vectors</rule><exclusions><exclusion ca="{CA}">CN=mallory,O=MSEC vectors'
        '</exclusion></exclusions></access-control>')))
    for attribute, table in (("authentication", xmlform_gdoi.P1_AUTH), ("hash", xmlform_gdoi.P1_HASH),
                             ("group", xmlform_gdoi.P1_GROUP)):
        for name in table:
            given = {"authentication": "psk", "hash": "sha256", "group": "modp2048", attribute: name}
            yield f"phase1/{attribute}-{name}", f"phase 1 with {attribute} {name}", policy(register(phase1=(
                f'<phase1 authentication="{given["authentication"]}" encryption="aes" key-length="256"'
                f' hash="{given["hash"]}" group="{given["group"]}" lifetime="1d"/>')))
    yield "phase1/legacy", "3DES, Aggressive Mode; and any", policy(register(phase1=(
        '<phase1 mode="aggressive" authentication="rsa" encryption="3des" hash="sha1" group="modp1024"/>'
        '<phase1 authentication="40000" encryption="40001" hash="40002" group="40003"/>')))
    yield "phase1/none", "phase 1 is local configuration", policy(register(phase1=""))


def rekeys():
    for name in xmlform_gdoi.KEK:
        bits = ' key-length="192"' if name == "aes" else ""
        yield f"kek/{name}", f"KEK {name}", policy(None, rekey(kek=f'<kek algorithm="{name}"{bits} lifetime="7d"/>'))
    for name in xmlform_gdoi.SIGNATURE:
        digest = "" if name.startswith("ecdsa") else ' hash="sha512"'
        yield f"signature/{name}", f"signed {name}", policy(None, rekey(
            signature=f'<signature algorithm="{name}"{digest}/>'))
    for name in xmlform_gdoi.HASH:
        yield f"signature/rsa-{name}", f"signed rsa with {name}", policy(None, rekey(
            signature=f'<signature algorithm="rsa" hash="{name}" key-length="3072"/>'))
    for name in xmlform_gdoi.ACK:
        yield f"ack/{name}", f"acknowledged {name}", policy(None, rekey(
            ack=f'<ack type="{name}" missed="3" evict="true"/>'))
    for name, attributes in (("at-once", 'at-once="true"'), ("hidden", 'hide-kek-policy="true"'),
                             ("both", 'at-once="true" hide-kek-policy="true"'), ("said", 'at-once="false"')):
        yield f"eviction/{name}", f"evictions: {name}", policy(None, rekey(
            kek='<kek algorithm="aes" key-length="128" lifetime="1d" lkh-degree="2"/>',
            ack='<ack type="kek-sha256"/>' + f"<eviction {attributes}/>"))
    yield "push/all", "every attribute of a push and of a KEK", policy(None, rekey(
        '<push source="192.0.2.1" source-port="0" destination="239.1.1.1" destination-port="8480" resend="3"'
        ' spacing-ms="250" backward-secrecy="true"/>',
        '<kek algorithm="aes" key-length="256" lifetime="1d" lkh-degree="4" margin="10min" interval="2h"/>'))
    yield "push/ipv6", "over IPv6", policy(None, rekey('<push source="2001:db8::1" destination="ff3e::1"/>'))
    yield "push/unicast", "one datagram for each member", policy(None, rekey('<push delivery="unicast"/>'))
    yield "rekey/none", "no rekey", policy(None, "")


def datas():
    for name in xmlform_gdoi.ESP:
        bits = ' key-length="128"' if name[:3] in ("aes", "cam") else ""
        auth = "" if name.startswith(("aes-ccm", "aes-gcm", "aes-gmac")) else ' authentication="hmac-sha2-256"'
        yield f"esp/{name}", f"ESP with {name}", policy(register('<group number="1"/><sender-ids bits="16"/>'), None,
                                                      ipsec(sa(f'transform="{name}"{bits}{auth}')))
    for name in xmlform_gdoi.SA_AUTH:
        yield f"esp/aes-cbc-{name}", f"ESP with AES-CBC and {name}", policy(
            register('<group number="1"/><sender-ids bits="8"/>'), None,
            ipsec(signed() if name == "sig-rsa" else sa(f'transform="aes-cbc" key-length="256" authentication="{name}"')))
    for name in xmlform_gdoi.AH:
        auth = {"md5": "hmac-md5", "sha1": "hmac-sha1", "rsa": "sig-rsa"}.get(name, name.replace("sha2", "hmac-sha2"))
        signs = signed(encoding="rsassa-pkcs1-v1-5").partition("<lifetime")
        yield f"ah/{name}", f"AH with {name}", policy(register('<group number="1"/><sender-ids bits="16"/>'), None, ipsec(
            sa(f'protocol="ah" transform="{name}" authentication="{auth}" mode="transport"',
               **({"rest": (signs[1] + signs[2]).removesuffix("</sa>")} if name == "rsa" else {}))))
    for label, traffic in (
            ("any", 'destination="239.2.2.2"'), ("prefix", 'source="10.0.0.0/8" destination="239.2.0.0/16"'),
            ("range", 'protocol="tcp" source="10.0.0.1-10.0.0.9" destination="239.2.2.2"'),
            ("ports", 'protocol="udp" source="10.0.0.1" source-port="5000" destination="239.2.2.2"'
                      ' destination-port="5001"'),
            ("ipv6", 'protocol="89" source="2001:db8::/32" destination="ff3e::1-ff3e::9"'),
            ("plain", 'source="4:0a000000ff00ff00" destination="2:6578616d706c652e6f7267"')):
        yield f"traffic/{label}", f"traffic: {label}", policy(None, None, ipsec(
            sa('transform="aes-cbc" key-length="128" authentication="hmac-sha2-256"', "", f"<traffic {traffic}/>")))
    yield "options", "every other attribute of an SA", policy(None, None, ipsec(
        sa('transform="aes-cbc" key-length="128" authentication="sig-rsa" mode="transport"',
           rest='<lifetime time="1h" kilobytes="4294967295"/><options address-preservation="source-only"'
                ' direction="sender-only" sequence-numbers="extended" ecn-tunnel="forbidden" key-rounds="3"'
                f' authentication-key-length="2048" signature-encoding="rsassa-pss" source-key="{_public("rsa")}"/>')))
    yield "source/legacy", "a source that signs with 1024 bits", policy(None, None, ipsec(signed(1024, key=_public("rsa1024"))))
    yield "several", "three SAs side by side, and one of IEC 61850 around them", policy(
        None, None, ipsec(CBC, CBC.replace("239.2.2.2", "239.2.2.3"), CBC.replace("239.2.2.2", "239.2.2.4")) + iec())
    for name in xmlform_gdoi.IEC_AUTH:
        yield f"iec/{name}", f"IEC 61850 with {name}", policy(None, None, iec(authentication=name, payload="0102"))
    for name in xmlform_gdoi.IEC_ENC:
        auth = "none" if "gcm" in name or name == "none" else "hmac-sha256"
        yield f"iec/enc-{name}", f"IEC 61850 encrypted {name}", policy(None, None, iec(
            authentication=auth, encryption=name, activation="5min", delivery_assurance="90"))


def contradictions():
    """Well formed, and nothing that a key server could do."""
    yield "group", "neither a number nor an OID", policy(register("<group/>".replace("<group/>", "")))
    yield "group-both", "a number and an OID", policy(register('<group number="1" oid="1.2.3"/>'))
    yield "group-number", "a number of more than 32 bits", policy(register('<group number="4294967296"/>'))
    yield "sender-ids", "AES-GCM without sender ids", policy(None, None, ipsec(sa('transform="aes-gcm-16" key-length="128"')))
    yield "tree", "more members than LKH IDs", policy(register('<group number="1"/><members max="32769"/>'))
    yield "destination", "a multicast rekey to nowhere", policy(None, rekey('<push source="192.0.2.1"/>'))
    yield "destination-unicast-address", "multicast to an address that is none", policy(None, rekey(
        '<push destination="192.0.2.9"/>'))
    yield "unicast-destination", "unicast with a destination", policy(None, rekey(
        '<push delivery="unicast" destination="239.1.1.1"/>'))
    yield "ack-lkh", "an acknowledgement by LKH, without LKH", policy(None, rekey(kek=KEK, ack='<ack type="lkh-sha256"/>'))
    yield "ack-missed", "who does not acknowledge is silent, and nobody acknowledges", policy(None, rekey(
        ack='<ack missed="3"/>'))
    yield "hide-kek", "a KEK hidden from the evicted, without LKH", policy(None, rekey(
        kek='<kek algorithm="aes" key-length="128" lifetime="1d"/>',
        ack='<ack type="kek-sha256"/><eviction hide-kek-policy="true"/>'))
    yield "ack-evict", "the silent are evicted, whoever they are", policy(None, rekey(
        ack='<ack type="kek-sha256" evict="true"/>'))
    yield "margin", "a margin longer than the lifetime", policy(None, rekey(
        kek='<kek algorithm="aes" key-length="128" lifetime="1h" margin="1h"/>'))
    yield "kek-length", "AES with 100 bits", policy(None, rekey(
        kek='<kek algorithm="aes" key-length="100" lifetime="1h"/>'))
    yield "signature-hash", "RSA without a hash", policy(None, rekey(signature='<signature algorithm="rsa"/>'))
    yield "ecdsa-hash", "ECDSA-256 with SHA-384", policy(None, rekey(
        signature='<signature algorithm="ecdsa-256" hash="sha384"/>'))
    yield "no-sa", "a list of SAs with nothing in it", policy(None, None, "<data><ipsec/></data>")
    yield "sa-destination", "an SA for no traffic", policy(None, None, ipsec(sa(
        'transform="aes-cbc" key-length="128" authentication="hmac-sha2-256"', "", "")))
    yield "sa-key-length", "AES-CBC without a key length", policy(None, None, ipsec(sa(
        'transform="aes-cbc" authentication="hmac-sha2-256"')))
    yield "sa-twice", "AES-GCM with an authentication algorithm", policy(
        register('<group number="1"/><sender-ids bits="16"/>'), None,
        ipsec(sa('transform="aes-gcm-16" key-length="128" authentication="hmac-sha2-256"')))
    yield "ah", "AH without an authentication algorithm", policy(None, None, ipsec(sa(
        'protocol="ah" transform="sha2-256"')))
    for label, about, how in (
            ("missing", "signatures, and nobody's key", {"key": " "}), ("not-wanted", "a source's key and HMAC", {"auth": "hmac-sha2-256"}),
            ("length-missing", "of a length that is not said", {"bits": ""}), ("encoding-missing", "encoded somehow", {"encoding": ""}),
            ("length", "a key of another length", {"bits": 3072}), ("curve", "a key on P-256", {"bits": 256, "key": _public("p256")}),
            ("rubbish", "a key that is none", {"key": "0102"}), ("cut", "a key without its end", {"key": _public("rsa")[:-2]})):
        text = signed(**how).replace(' source-key=" "', "")
        yield f"source-{label}", f"a source that signs: {about}", policy(None, None, ipsec(text))
    yield "iec-gcm", "AES-GCM beside HMAC", policy(None, None, iec(encryption="aes-gcm-128"))
    yield "iec-cbc", "AES-CBC without authentication", policy(None, None, iec(
        authentication="none", encryption="aes-cbc-128"))
    yield "iec-percent", "101 percent", policy(None, None, iec(delivery_assurance="101"))
    yield "generic", "a generic data SA", policy(None, None, '<data><generic><encryption key-id="4b455931"/></generic></data>')


def forms():
    """(label, about, XML, can it be run?)"""
    for part in (registrations, rekeys, datas):
        for label, about, text in part():
            yield f"gdoi/{label}", f"GDOI: {about}", text, True
    for label, about, text in contradictions():
        yield f"gdoi/contradiction/{label}", f"GDOI: {about}", text, False


def broken(der):
    """(label, about, requirement or None, octets): the DER of `plain` with something wrong."""
    def changed(old, new):
        assert der.count(old) == 1 and len(old) == len(new), old.hex()
        return der.replace(old, new)
    push = bytes.fromhex("020100" "02020350" "a109" "020101" "0404ef010101" "02020350")
    yield "good", "nothing is wrong with this", None, der
    yield "address-type", "an address of the reserved type 0", "1-04", changed(push, push.replace(b"\x02\x01\x01", b"\x02\x01\x00"))
    yield "unknown-tag", "a tag that no field has", "1-04", changed(push, push.replace(b"\xa1", b"\xae"))
    yield "field-missing", "a port is an OCTET STRING", "1-04", changed(push, push[:-4] + b"\x04" + push[-3:])
    yield "long-integer", "an INTEGER with an octet too many", "1-04", changed(push, push[:-4] + b"\x02\x02\x00\x50")
