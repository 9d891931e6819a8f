# SPDX-License-Identifier: BSD-2-Clause
"""Every algorithm that a configuration or a policy can name, between gdoi-gcks and gdoi-gm and with the second implementation:
groups, ciphers, hashes and authentication of phase 1; signatures, KEKs and acknowledgements of the Rekey SA.  What is legacy
is refused unless it is allowed."""
import re

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

from lab import gdoi_forms as forms
from lab.daemons import wait_all
from lab.gdoi import opened
from lab.gdoi_peers import Ground

QUICK = {"backoff": "300ms", "backoff_max": "1s"}


@pytest.fixture
def group(tmp_path, net_prefix):
    with opened(tmp_path, net_prefix, cls=Ground) as make:
        yield make


def one_proposal(xml, encryption, digest, group):
    """The configuration with this proposal and no other."""
    return re.sub("<proposal[^>]*/>", f'<proposal encryption="{encryption}" hash="{digest}" authentication="psk" group="{group}"/>', xml)


# ---- phase 1 ---------------------------------------------------------------------------------------------------------

LEGACY = [("des-cbc", "md5", "modp768"), ("3des-cbc", "sha1", "modp1024"), ("3des-cbc", "md5", "modp1536")]
CURRENT = [("aes128-cbc", "sha1", "modp2048"), ("aes192-cbc", "sha256", "modp3072"), ("aes256-cbc", "sha384", "modp4096"),
           ("aes128-cbc", "sha512", "modp6144"), ("aes256-cbc", "sha256", "modp8192"), ("aes128-cbc", "sha256", "ecp256"),
           ("aes192-cbc", "sha384", "ecp384"), ("aes256-cbc", "sha512", "ecp521")]
SLOW = ("modp6144", "modp8192")  # in Python; with charon they are in test_gdoi_strongswan.py


def suite(encryption, digest, group):
    """As the second implementation writes it."""
    return f"{encryption.removesuffix('-cbc')}-{digest}-psk-{group}"


@pytest.mark.req("RFC2409-4-08", "RFC2409-6.1-01", "RFC2409-6.2-01")
def test_members_register_under_every_cipher_hash_and_group_of_phase_1(group):
    g = group("alice", start=False)
    proposals = "".join(f'    <proposal encryption="{e}" hash="{h}" authentication="psk" group="{k}"/>\n' for e, h, k in LEGACY + CURRENT)
    xml = re.sub(" *<proposal[^>]*/>\n", proposals, g.config())
    g.write_config(xml.replace("<phase1", '<phase1 legacy="yes"'))
    g.start()
    alice = g.member("alice", membership=QUICK)
    plain = alice.config.read_text().replace("<phase1", '<phase1 legacy="yes"')
    for one in LEGACY + CURRENT:
        alice.write(one_proposal(plain, *one))
        mark = alice.start()
        alice.control("join")
        alice.wait("joined", since=mark)
        alice.finish()
        if one[2] not in SLOW:
            peer = g.peer("alice", suite=suite(*one))
            assert peer.register(), (one, peer.events)
            peer.close()


@pytest.mark.req("RFC2408-5.4-03")
@pytest.mark.refuses("RFC2408-5.4-03")
def test_what_is_legacy_in_phase_1_is_refused_unless_allowed(group):
    g = group("alice")
    member = g.member("alice", membership=QUICK)
    plain = member.config.read_text()
    for encryption, digest, dh in [*LEGACY, ("des-cbc", "sha256", "ecp256"), ("aes128-cbc", "md5", "ecp256")]:
        for daemon, xml, status in ((g.keys, g.config(), 3), (member, plain, 3)):
            daemon.write(one_proposal(xml, encryption, digest, dh))
            got, text = daemon.check_config()
            assert got == status and 'allowed with legacy="yes"' in text, (daemon.name, encryption, text)
        refused = g.turned_away(g.peer("alice", suite=suite(encryption, digest, dh)), where=lambda e: e["req"] == "RFC2408-5.4-03")
        assert refused["notify_text"] == "NO-PROPOSAL-CHOSEN"
    assert g.keys.control("status")["phase1"]["sas"] == 0 and g.status()["members"] == 0


@pytest.mark.parametrize("kind,method", [("p384", "ecdsa384"), ("p521", "ecdsa521")])
@pytest.mark.req("RFC2409-5.1-01")
def test_certificates_of_the_longer_curves(group, kind, method):
    """P-256 and RSA: test_gdoi_daemon.py, test_gdoi_member_gcks.py."""
    g = group("alice", "bob", auth=kind)
    digest = forms.METHODS[kind][1]
    alice = g.member("alice", membership=QUICK)
    alice.start()
    alice.control("join")
    alice.wait("joined")
    peer = g.peer("bob", suite=f"aes128-{digest}-{method}-ecp256")
    assert peer.register(), peer.events
    peer.close()
    # A certificate of another curve is no way in: the method says which one it has to be.
    stranger = g.peer("bob", suite=f"aes128-{digest}-ecdsa256-ecp256")
    g.turned_away(stranger, where=lambda e: e["req"] == "RFC2408-5.4-03")


# ---- the Rekey SA ----------------------------------------------------------------------------------------------------

P256, P384, P521 = ec.SECP256R1, ec.SECP384R1, ec.SECP521R1
# SIG_ALGORITHM and its attributes, its key, the KEK, the acknowledgement, whether that is legacy
KINDS = [
    ({"algorithm": "rsa", "hash": "sha256", "key-length": 2048}, lambda: rsa.generate_private_key(65537, 2048),
     {"algorithm": "aes", "key-length": 256}, "kek-sha256", False),
    ({"algorithm": "ecdsa-256", "hash": "sha256"}, lambda: ec.generate_private_key(P256()),
     {"algorithm": "aes", "key-length": 128}, "lkh-sha256", False),
    ({"algorithm": "ecdsa-384"}, lambda: ec.generate_private_key(P384()),
     {"algorithm": "aes", "key-length": 192}, "kek-sha512", False),
    ({"algorithm": "ecdsa-521"}, lambda: ec.generate_private_key(P521()),
     {"algorithm": "aes", "key-length": 256}, "lkh-sha512", False),
    ({"algorithm": "dss", "hash": "sha1", "key-length": 1024}, lambda: dsa.generate_private_key(1024),
     {"algorithm": "des", "key-length": None}, "kek-sha256", True),
    ({"algorithm": "ecdss", "hash": "sha256", "key-length": 256}, lambda: ec.generate_private_key(P256()),
     {"algorithm": "3des", "key-length": None}, "lkh-sha256", True),
]


@pytest.mark.parametrize("signature,make,kek,ack,legacy", KINDS, ids=[k[0]["algorithm"] for k in KINDS])
@pytest.mark.req("RFC6407-6.1-07", "RFC6407-4-09", "RFC8263-4-02", "RFC8263-5-06")
def test_rekeys_under_every_signature_kek_and_acknowledgement(group, signature, make, kek, ack, legacy):
    g = group("alice", "bob", "carol", start=False, signature=signature, kek=kek, ack={"type": ack, "missed": 3})
    g.push_key.write_bytes(make().private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                serialization.NoEncryption()))
    if legacy:
        status, text = g.keys.check_config()
        assert status == 6 and "is legacy" in text, (status, text)
        g.write_config(g.config().replace("<phase1", '<phase1 legacy="yes"'))
    assert g.keys.check_config()[0] == 0
    g.start()
    if legacy:
        carol = g.member("carol", membership=QUICK)
        carol.start()
        carol.control("join")
        assert carol.wait("refused", where=lambda e: e["req"].startswith("RFC6407-6.1"))["req"] in ("RFC6407-6.1-03", "RFC6407-6.1-06")
        assert carol.group()["keys"] == [] and not carol.find("joined")
        carol.finish()
    alice = g.member("alice", membership=QUICK)
    if legacy:
        alice.write(alice.config.read_text().replace("<group name", '<group legacy="yes" name'))
    alice.start()
    alice.control("join")
    alice.wait("joined")
    bob, = g.follow("bob")
    for what in ("tek", "kek", "tek"):
        at, mark = alice.mark(), g.keys.mark()
        g.keys.control("rekey", what, "now")
        wait_all([alice], "rekeyed", marks={alice: at})
        for name in ("alice", "bob"):
            g.keys.wait("acked", since=mark, where=lambda e, n=name: n in e["peer"])
        spi = g.status()["kek"]["spi"]
        assert alice.group()["rekey_sa"]["spi"] == spi and bytes.fromhex(spi) in bob.member.rekeys
    teks = {t["spi"] for t in g.keys.control("teks") if t["state"] != "old"}
    assert teks <= {k["spi"] for k in alice.control("keys")} and teks <= {t.tek.spi.hex() for t in bob.member.teks.values()}
