# SPDX-License-Identifier: BSD-2-Clause
"""SAs of GDOI that their source signs (RFC 4359): its public key comes with the keys of the SA (RFC 6407 5.6.1.3)."""
import time

import pytest

from lab import gdoi_member as forms
from lab.daemons import Sockets
from msec_scapy.gdoi import numbers as n
from msec_scapy.gdoi import sign
from msec_scapy.gdoi.policy import IpsecPolicy, KekPolicy, Selector
from msec_scapy.testing.gdoi import Ground, signing_key

PROPOSAL = {"encryption": "aes128-cbc", "hash": "sha256", "authentication": "psk", "group": "ecp256"}


def selectors(last):
    return {"src": Selector.parse("10.9.0.1"), "dst": Selector.parse(f"239.9.9.{last}")}


def source():
    """(the public key of a source, what a KD has of it)."""
    key = signing_key(1)
    return key.public_key(), sign.encode_key(key)


# -- gdoi-gm, and a key server in Python -----------------------------------------------------------------------------------

@pytest.fixture
def join(net, tmp_path):
    """Has a gdoi-gm join a group with these SAs: join(policies, ...) is (Ground, member)."""
    sockets, made = Sockets(), []

    def make(teks, **how):
        ground = Ground(net, 0, teks=teks, kek=KekPolicy(src=Selector.parse("10.77.7.10:848"), dst=Selector.parse("239.77.1.1:848")))
        ground.__enter__()
        host = net.host("alice", ground.segment, 30)
        alice = forms.Member(host, "alice", tmp_path / "daemons", sockets)
        made.append((ground, alice))
        psk = forms.psk_file(tmp_path, "alice", "a secret for all of them")
        inside = forms.phase1({ground.addresses[0]: psk}, [("*.*.*.*", "ipv4")], PROPOSAL)
        alice.write(forms.config(f'  <identity name="{host.ip4}" name-type="ipv4"/>\n', inside, [ground.addresses[0]],
                                 [forms.group("plant", 1234)], "alice.db", sockets.path / "alice", **how))
        alice.start()
        alice.control("join")
        alice.wait("joined", timeout=30)
        return ground, alice
    yield make
    for ground, alice in made:
        if alice.running:
            alice.finish()
        ground.__exit__(None, None, None)
    sockets.close()


def told(alice, *spis):
    """What the stream of keys says of these SAs."""
    keys, found = alice.keys(), {}
    while set(found) != set(spis):
        o = keys.next()
        if o["event"] == "key" and o["spi"] in spis:
            found[o["spi"]] = o
    keys.close()
    return [found[s] for s in spis]


@pytest.mark.req("RFC6407-5.6.1.3-01", "RFC6407-5.6.1-02", "RFC6407-5.5.1-13")
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
    hook.write_text(f'#!/bin/sh\ntest -z "$MSEC_SPI" || {{ cat; echo; }} >>{heard}\n')
    hook.chmod(0o755)
    _, alice = join([IpsecPolicy(auth=n.AUTH_SIG_RSA, source_key=public, **selectors(1))], hook={"program": hook, "keys": "yes"})
    alice.finish()
    assert f'"source_auth":"{octets.hex()}"' in heard.read_text().replace(" ", "")


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
