# SPDX-License-Identifier: BSD-2-Clause
"""SAs of GDOI that their source signs (RFC 4359): its public key comes with the keys of the SA (RFC 6407 5.6.1.3)."""
import os
import select
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lab import gdoi_peers
from lab.gdoi_served import Served
from msec_scapy.gdoi import cli, sign
from msec_scapy.gdoi import numbers as n
from msec_scapy.gdoi.policy import IpsecPolicy, Selector
from msec_scapy.testing.gdoi import signing_key


def selectors(last):
    return {"src": Selector.parse("10.9.0.1"), "dst": Selector.parse(f"239.9.9.{last}")}


def source():
    """(the public key of a source, what a KD has of it)."""
    key = signing_key(1)
    return key.public_key(), sign.encode_key(key)


# -- gdoi-gm, and a key server in Python -----------------------------------------------------------------------------------

@pytest.fixture
def join(net, tmp_path, stack):
    """Has a gdoi-gm join a group with these SAs: join(policies, ...) is (Ground, member)."""
    def make(teks, **how):
        served = stack.enter_context(Served(tmp_path, net, teks=teks))
        return served.ground, served.join(**how)
    return make


def told(alice, *spis):
    """What the stream of keys says of these SAs."""
    keys, found = alice.keys(), {}
    while set(found) != set(spis):
        o = keys.next()
        if o["event"] == "key" and o["spi"] in spis:
            found[o["spi"]] = o
    keys.close()
    return [found[s] for s in spis]


@pytest.mark.req("RFC6407-5.6.1.3-01", "RFC6407-5.6.1-02", "RFC6407-5.5.1-13", "RFC4359-5-06", "RFC5374-4.3-01")
def test_a_member_has_the_key_of_the_source_by_pull_and_by_push(join):
    public, octets = source()
    ground, alice = join([IpsecPolicy(auth=n.AUTH_SIG_RSA, source_key=public, encoding=2, **selectors(1)),
                          IpsecPolicy(protocol=n.T_AH, transform=n.AH_RSA, auth=n.AUTH_SIG_RSA, source_key=public, encoding=1,
                                      **selectors(2))])

    def check():
        esp, ah = told(alice, *(t.spi.hex() for t in ground.group.teks))
        for o, encoding in ((esp, 2), (ah, 1)):
            assert (o["authentication"], o["authentication_key_length"], o["signature_encoding"]) == (10, 2048, encoding)
            assert o["keys"]["source_auth"] == octets.hex() and "integrity" not in o["keys"]
        assert esp["keys"]["encryption"] == ground.group.teks[0].cipher.hex() and "encryption" not in ah["keys"]
    check()
    mark = alice.mark()
    ground.push(lambda server, group: [server.rekey_teks(group, time.time())])
    alice.wait("rekeyed", since=mark)
    check()


def test_a_hook_is_given_the_key_of_the_source(join, tmp_path):
    public, octets = source()
    heard, hook = tmp_path / "heard", tmp_path / "hook"
    os.mkfifo(heard)
    pipe = os.open(heard, os.O_RDWR)  # for writing, too: it has no end as long as it is open
    hook.write_text(f'#!/bin/sh\ntest -z "$MSEC_SPI" || {{ cat; echo; }} >>{heard}\n')
    hook.chmod(0o755)
    _, alice = join([IpsecPolicy(auth=n.AUTH_SIG_RSA, source_key=public, **selectors(1))], hook={"program": hook, "keys": "yes"})
    alice.finish()
    wanted, said = f'"source_auth":"{octets.hex()}"', ""
    while wanted not in said and select.select([pipe], [], [], 60)[0]:
        said += os.read(pipe, 65536).decode().replace(" ", "")
    os.close(pipe)
    assert wanted in said


def test_the_kernel_verifies_no_signatures_and_the_rest_of_the_group_is_not_lost(join):
    public, octets = source()
    ground, alice = join([IpsecPolicy(auth=n.AUTH_SIG_RSA, source_key=public, **selectors(1)), IpsecPolicy(mode=2, **selectors(2))],
                         kernel={})
    signed, other = (t.spi.hex() for t in ground.group.teks)
    refused = alice.wait("kernel-refused", where=lambda e: e["spi"] == signed)
    assert refused["what"] == "the kernel verifies no signatures of sources: authentication algorithm 10"
    first, second = told(alice, signed, other)
    assert first["keys"]["source_auth"] == octets.hex() and second["keys"]["integrity"]
    assert alice.group()["state"] == "member" and other in {t["spi"] for t in alice.control("keys")}
    held = {s["spi"] for s in alice.control("status")["kernel"]["sas"]}
    assert signed not in held
    if other not in held:  # a kernel without ESP: it was asked
        assert alice.wait("kernel-refused", where=lambda e: e["spi"] == other)["reason"] == "Protocol not supported"


# -- gdoi-gcks, members of ours and in Python --------------------------------------------------------------------------------

def signed(key, last, transform='transform="aes-cbc" key-length="128"', encoding="rsassa-pss", bits=2048):
    return f"""      <sa {transform} authentication="sig-rsa" mode="transport">
        <traffic protocol="udp" source="10.9.0.1" destination="239.9.9.{last}"/>
        <lifetime time="1h"/>
        <options authentication-key-length="{bits}" signature-encoding="{encoding}" source-key="{key.hex()}"/>
      </sa>
"""


PLAIN = """      <sa transform="aes-cbc" key-length="128" authentication="hmac-sha2-256" mode="transport">
        <traffic protocol="udp" source="10.9.0.2" destination="239.9.9.3"/>
        <lifetime time="1h"/>
      </sa>
"""


def three(key):
    ah = signed(key, 2, 'protocol="ah" transform="rsa"', "rsassa-pkcs1-v1-5")
    return f"    <ipsec>\n{signed(key, 1)}{ah}{PLAIN}    </ipsec>\n"


@pytest.fixture
def group(tmp_path, net_prefix, ended):
    return lambda key, **how: ended(
        gdoi_peers.Ground(tmp_path / "group", ["alice", "bob"], prefix=net_prefix, sas=three(key), **how))


def sources(daemon):
    """{SPI: public key} of the SAs of a key server, or a member."""
    return {t["spi"]: t.get("source_key") for t in daemon.control("teks" if daemon.name == "keys" else "keys")}


@pytest.mark.req("RFC6407-5.6.1.3-01", "RFC6407-5.6.1-01", "RFC4359-5-01", "RFC4359-5-02", "RFC4359-5-04")
def test_a_key_server_gives_out_the_key_of_the_source(group):
    """By PULL and PUSH, to members of both implementations, also after a restart; another key makes the SAs new."""
    _, octets = source()
    g = group(octets)
    g.start()
    alice, bob = g.member("alice"), g.peer("bob")
    alice.start()
    alice.control("join")
    alice.wait("joined")
    bob.follow()

    def agreed(key):
        given = sources(g.keys)
        assert [v for v in given.values() if v] == [key.hex()] * 2, given
        assert sources(alice) == given
        assert {t.tek.spi.hex(): t.source.hex() or None for t in bob.member.teks.values()} == given
        return set(given)
    before = agreed(octets)
    said = {(t.tek.values.get(n.I_AUTH_LEN), t.tek.values.get(n.I_ENCODING)) for t in bob.member.teks.values() if t.source}
    assert said == {(2048, 1), (2048, 2)}, "by attributes of their SATs"
    esp, ah = told(alice, *(s for s, key in sources(g.keys).items() if key))
    assert (esp["protocol"], esp["signature_encoding"], esp["keys"]["source_auth"]) == ("GDOI_PROTO_IPSEC_ESP", 2, octets.hex())
    assert (ah["transform"], ah["signature_encoding"], ah["keys"]) == (10, 1, {"source_auth": octets.hex()})

    g.keys.kill()
    g.start()
    assert agreed(octets) == before, "the store has the key of the source"
    rekeyed(g, alice, bob, lambda: g.keys.control("rekey", "tek", "now"))
    renewed = agreed(octets)
    assert not before & renewed

    other = sign.encode_key(rsa.generate_private_key(65537, 2048))
    g.sas = three(other)
    g.write_policy()
    rekeyed(g, alice, bob, lambda: g.keys.control("reload"))
    now = agreed(other)
    assert len(renewed & now) == 1, "the SA that nobody signs has stayed"


def rekeyed(g, alice, bob, cause):
    mark, times = alice.mark(), bob.count("rekeyed")
    cause()
    alice.wait("rekeyed", since=mark)
    bob.wait("rekeyed", times + 1)


def test_check_config_says_what_is_wrong_with_the_key_of_a_source(group):
    _, octets = source()
    curve = sign.encode_key(ec.generate_private_key(ec.SECP256R1()))
    g = group(octets)
    right = g.policy_file.read_text()
    assert g.keys.check_config()[0] == 0
    options, sa = (right[:right.index(e)].count("\n") + 1 for e in ("<options", "<sa "))
    for line, old, new, says in (
            (options, octets.hex(), octets[:-1].hex(), "source-key is no SubjectPublicKeyInfo"),
            (options, octets.hex(), curve.hex(), "source-key is no RSA key"),
            (options, 'key-length="2048"', 'key-length="3072"', "source-key has 2048 bits, and authentication-key-length says 3072"),
            (sa, ' authentication-key-length="2048"', "", "sig-rsa needs authentication-key-length said"),
            (sa, ' signature-encoding="rsassa-pss"', "", "sig-rsa needs signature-encoding said"),
            (sa, f' source-key="{octets.hex()}"', "", "source-key is missing"),
            (options, '"sig-rsa"', '"hmac-sha2-512"', "a source-key, and the SA is not sig-rsa")):
        g.write_policy(right.replace(old, new, 1))
        status, text = g.keys.check_config()
        assert status == 6 and f"line {line}: " in text and says in text, (old, line, status, text)


def test_the_key_server_in_python_is_told_the_key_by_a_file(tmp_path):
    public, _ = source()
    pem = tmp_path / "source.pem"
    pem.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    for words, protocol in (("ah-rsa@10.9.0.1>239.9.9.1", n.T_AH), ("esp-aes-cbc-256+sig-rsa@10.9.0.1>239.9.9.1", n.T_ESP)):
        made = cli.tek_policy(words, pem)
        assert (made.protocol, made.auth, made.source_key.public_numbers()) == (protocol, n.AUTH_SIG_RSA, public.public_numbers())
        with pytest.raises(SystemExit):
            cli.tek_policy(words)
