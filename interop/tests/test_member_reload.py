# SPDX-License-Identifier: BSD-2-Clause
"""A member that is shown new credentials while it runs; and keys with which nobody can be a member, or serve one."""
import datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from msec_scapy import material, pkix

CONFIG, POLICY = 3, 6


def attribute(ground, levels):
    aa = ground.party("aa")
    return material.issue(pkix.Certificate(aa.der), aa.private, pkix.Certificate(ground.party("gm0").der), levels)


@pytest.mark.req("RFC4535-7.7.1-07", "RFC4534-B.1.2-01")
def test_another_attribute_certificate_without_a_restart(ground):
    """It is refused with the one that it has; the file is replaced, and what `reload` reads is sent along."""
    p, file = ground.party("gm0"), ground.dir / "gm0.ac"
    file.write_bytes(attribute(ground, {2}))
    ground.identities["gm0"] = (f'<identity certificate="{p.chain}" key="{p.key}">'
                                f'<attribute-certificate file="{file}"/></identity>')
    ground.believed = f'<attribute-authority file="{ground.party("aa").chain}"/>'
    server = ground.gcks(ground.make_token(permissions=(5,)))
    ground.believed = ""
    gm = ground.gm("gm0")
    gm.control("join")
    server.wait("refused", where=lambda e: e.get("req") == "RFC4535-5.2.1.1-15")
    gm.control("leave", "silently")  # or it would go on for as long as it is told to wait for an answer
    gm.wait("left")
    file.write_bytes(attribute(ground, {5}))
    gm.reload()
    gm.control("join")
    gm.wait("joined")
    server.wait("member-active")
    gm.finish()
    server.finish()


@pytest.mark.req("RFC4535-4.2-02")
def test_a_member_goes_on_with_a_renewed_certificate(ground):
    """Another certificate of the same name, with another key, is read by a member that goes on, and comes back with it: that the
    one before is revoked then concerns it no more.  One of another name is not taken, nor one that is gone, nor of another
    kind of key."""
    p = first = ground.pki.issue("gm0")
    server, gm = ground.gcks(), ground.gm("gm0")
    gm.control("join")
    gm.wait("joined")
    old = p.chain.read_bytes(), p.key.read_bytes()
    p.take_files_of(ground.pki.issue("gm1"))
    gm.reload(refused="another name")
    p.chain.write_bytes(b"")
    p.key.write_bytes(old[1])
    gm.reload(refused="certificate")
    p.take_files_of(ground.pki.issue("gm0", key=rsa.generate_private_key(65537, 2048)))
    gm.reload(refused="want signatures which the key of <identity> cannot make")
    ground.pki.issue("gm0")
    assert p.chain.read_bytes() != old[0]
    gm.reload()
    mark, there = gm.mark(), server.mark()
    server.control("rekey")
    gm.wait("rekeyed", since=mark)
    gm.control("leave")
    gm.wait("left", since=mark)
    gm.control("join")
    gm.wait("joined", since=mark)
    server.wait("member-active", since=there)
    ground.pki.revoke(first)
    ground.pki.write_crl()
    mark, there = server.mark(), gm.mark()
    server.control("reload")
    server.wait("members-judged", since=mark, where=lambda e: e["looked_at"] >= 1)
    server.control("rekey")
    gm.wait("rekeyed", since=there)
    assert not server.find("access-ended")
    gm.finish()
    server.finish()


@pytest.mark.req("RFC4535-5.2.1-01", "RFC4534-2-11")
def test_a_key_server_keeps_the_credentials_that_its_token_names(ground):
    """A certificate of another name, or another kind of key, is read again and not taken: its members are not lost.  One of
    the same name with a new key is."""
    p = ground.party("keys")
    server, gm = ground.gcks(), ground.gm("gm0")
    gm.control("join")
    gm.wait("joined")
    for new, words in ((lambda: ground.pki.issue("rogue"), "does not list us as key server"),
                       (lambda: ground.pki.issue("keys", key=rsa.generate_private_key(65537, 2048)), "our key cannot make one"),
                       (lambda: ground.pki.issue("keys"), "")):
        p.take_files_of(new())
        there = gm.mark()
        server.reload(refused=words)
        server.control("rekey")
        gm.wait("rekeyed", since=there)
    gm.finish()
    server.finish()


@pytest.mark.req("RFC4535-4.2-02")
def test_who_is_revoked_is_out_though_our_own_key_is_not_taken(ground):
    """A key server that cannot read its own key any more, or may not use what it finds, reads the revocation lists all the same."""
    p = ground.party("keys")
    server, members = ground.gcks(), {n: ground.gm(n) for n in ("gm0", "gm1", "gm2")}
    for gm in members.values():
        gm.control("join")
        gm.wait("joined")
    rogue = ground.pki.issue("rogue")
    for name, minutes, chain, key in (("gm0", 30, p.chain.read_bytes(), b"no key"),
                                      ("gm1", 1, rogue.chain.read_bytes(), rogue.key.read_bytes())):
        p.chain.write_bytes(chain)
        p.key.write_bytes(key)
        ground.pki.revoke(ground.party(name))
        # Lists of one second would be equally good.
        ground.pki.write_crl(start=datetime.datetime.utcnow().replace(microsecond=0) - datetime.timedelta(minutes=minutes))
        mark, there = server.mark(), members["gm2"].mark()
        assert not server.control.request("reload")["ok"]
        assert name in server.wait("access-ended", since=mark)["peer"]
        members["gm2"].wait("rekeyed", since=there)
    assert ["gm2" in m["peer"] for m in server.control("members")] == [True]
    members["gm2"].finish()
    server.finish()


@pytest.mark.req("RFC4534-2-11")
@pytest.mark.refuses("RFC4534-2-11")
def test_a_key_that_makes_no_signature_of_the_group(ground):
    """A key server that could answer nobody does not take the token; a member that could not even ask does not start."""
    server, gm = ground.gcks(), ground.gm("gm0")
    for daemon, name, status, words in ((server, "keys", POLICY, ("our key cannot make one", "RFC4534-2-11")),
                                        (gm, "gm0", CONFIG, ("<group>: the group has mechanisms that want signatures",))):
        daemon.finish()
        code, text = daemon.check_config()
        assert code == 0, text
        ground.pki.issue(name, key=rsa.generate_private_key(65537, 2048))
        code, text = daemon.check_config()
        assert code == status, text
        assert all(w in text for w in words), text


@pytest.mark.req("RFC4534-2-11")
def test_weak_mechanisms_that_are_not_allowed_are_said_at_the_start(ground):
    gm = ground.gm("gm0")
    gm.finish()
    good = gm.config.read_text()
    for number, words in (("1", "are weak, which '@legacy' of <trust> does not allow"), ("77", "are not known here")):
        gm.write(good.replace(f'nonce-hash="{ground.suite.nonce_hash}"', f'nonce-hash="{number}"'))
        code, text = gm.check_config()
        assert code == CONFIG and words in text, text
