# SPDX-License-Identifier: BSD-2-Clause
"""The Python peers of GDOI with each other, without a network: every kind of registration and rekey."""
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from msec_scapy.gdoi import ack, check, isakmp, phase1, push, recorded
from msec_scapy.gdoi import dialect as dialects
from msec_scapy.gdoi import numbers as n
from msec_scapy.gdoi.cli import group_identity
from msec_scapy.gdoi.group import KD, SEQ, KeyPacket
from msec_scapy.gdoi.policy import IecPolicy, IpsecPolicy, KekPolicy, Selector
from msec_scapy.testing.gdoi import SUITES, Scene, config

GCM, CBC = IpsecPolicy(transform=20), IpsecPolicy()


def teks(s):
    s.push(s.server.rekey_teks(s.group, s.now))


def kek(s):
    s.push(s.server.rekey_kek(s.group, s.now))


def life(s):
    """Rekeys of both kinds, and the end of the group."""
    assert s.agreed() and not s.refused(), s.events
    for step in (teks, kek, teks):
        step(s)
        assert s.agreed() and not s.refused(), s.events
    if s.group.kek_policy.ack:
        assert not s.server.unacknowledged(s.group)
    s.push(s.server.delete_all(s.group))
    assert not any(m.rekeys or m.teks for m in s.members) and not s.refused()


@pytest.mark.req("RFC2409-5.1-01", "RFC2409-5.4-01", "RFC2409-5.4-02", "RFC6407-3.2-03")
@pytest.mark.parametrize("mode", (phase1.MAIN, phase1.AGGRESSIVE))
@pytest.mark.parametrize("auth", SUITES)
def test_every_authentication_in_both_modes(auth, mode):
    s = Scene(1, auth, mode)
    assert s.agreed() and not s.refused()
    s.to_server(s.members[0], s.members[0].leave())
    assert not s.group.members and not s.server.sas.get((s.members[0].sa.icookie, s.members[0].sa.rcookie))


@pytest.mark.parametrize("suite", ("des-md5-psk-modp768", "3des-sha1-psk-modp1024", "aes192-sha384-psk-modp1536",
                                   "aes256-sha512-psk-modp2048", "aes128-sha256-psk-ecp521"))
def test_legacy_and_other_suites(suite):
    s = Scene(1, suite=suite)
    assert s.agreed() and not s.refused()


@pytest.mark.parametrize("sig", n.SIG, ids=n.SIG.get)
def test_every_signature(sig):
    life(Scene(1, kek=KekPolicy(sig=sig, sig_hash=2 if sig == 2 else 3)))


@pytest.mark.parametrize("algorithm, bits", ((1, 64), (2, 192), (3, 192), (3, 256)))
def test_every_kek_with_and_without_a_tree(algorithm, bits):
    for depth in (None, 2):
        life(Scene(2, kek=KekPolicy(algorithm=algorithm, key_bits=bits), depth=depth))


# Each reading has vectors of its own; here many others at once.
@pytest.mark.parametrize("dialect", ("gdoid", "second", "last"))
def test_dialects(dialect):
    if dialect != "gdoid":
        which = 1 if dialect == "second" else -1
        dialect = ";".join(f"{name}={values[which]}" for name, values in dialects.Dialect.choices().items()
                           if name not in ("p1_id_port_accept", "sat_address_order"))
    life(Scene(2, dialect=dialect, kek=KekPolicy(ack=1), teks=(GCM, IecPolicy(auth=4)), sids=2))
    life(Scene(2, dialect=dialect, kek=KekPolicy(ack=3, sig=2, sig_hash=2), depth=3))


@pytest.mark.req("RFC6407-4.4-06", "RFC6407-7.4.1-02", "RFC8263-2.2-02")
@pytest.mark.parametrize("kind", n.ACK, ids=n.ACK.get)
def test_eviction_and_acknowledgements(kind):
    s = Scene(3, kek=KekPolicy(ack=kind), depth=3)
    bob = s.members[1]
    before = dict(bob.rekeys), dict(bob.teks)
    s.push(*s.server.evict(s.group, ["10.0.0.11"], s.now))
    rest = [s.members[0], s.members[2]]
    assert s.agreed(*rest) and not s.server.unacknowledged(s.group)
    assert set(s.group.members) == {"10.0.0.10", "10.0.0.12"}
    assert (set(bob.rekeys), set(bob.teks)) == tuple(map(set, before))
    assert [e["req"] for who, e in s.refused() if who == "10.0.0.11"] == ["RFC6407-4.4-01"]
    s.join(bob)  # it comes back as somebody new
    assert s.agreed() and s.group.tree.leaves["10.0.0.11"] == 9
    kek(s)
    teks(s)
    assert s.agreed()


@pytest.mark.req("RFC6407-3.5-08", "RFC6407-3.5-10", "RFC6407-3.5-11", "RFC6407-5.6.4.1-01")
def test_sender_ids():
    s = Scene(3, teks=(GCM, CBC), sids=3, sid_bits=4)
    assert [m.sids for m in s.members] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    s.join(s.members[0])
    assert s.members[0].sids == [9, 10, 11]
    s.join(s.members[1])
    s.join(s.members[2])  # sixteen is the end of four bits
    assert s.members[2].sids == [6, 7, 8]
    assert [e["req"] for _, e in s.refused()] == ["RFC6407-3.5-11"]
    s.push(*(datagram for _, _, datagram in s.server.take_pushes()))
    assert not any(m.teks or m.sids for m in s.members)
    for m in s.members:
        m.pull = None
        s.join(m)
    assert s.agreed() and [m.sids for m in s.members] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


@pytest.mark.req("RFC6407-4.4-08")
def test_a_sender_without_a_sid_does_not_install_a_counter_mode():
    s = Scene(1, teks=(CBC,))
    s.group.tek_policies.append(GCM)
    teks(s)
    m = s.members[0]
    assert [p for p, spi in m.teks if m.teks[p, spi].tek.counter] == [] and s.named("no-sid")
    s.members[0].sender = False
    teks(s)
    assert s.agreed()


@pytest.mark.req("RFC8052-2.1-01", "RFC8052-2.2-02", "RFC8052-2.2.4.1-01", "RFC8052-2.3-03")
def test_groups_of_iec_61850():
    who = group_identity("oid:1.2.840.10070.61850.8.1.2/8504e9fc0001", dialects.STRICT)
    s = Scene(2, identity=who, teks=(IecPolicy(specific=bytes.fromhex("8504e9fc0001")),
                                     IecPolicy(oid="1.2.840.10070.61850.8.1.3", auth=1, enc=4, kda=80)), overlap=300)
    assert s.agreed() and len(s.members[0].teks) == 4
    held = sorted(s.members[0].teks.values(), key=lambda t: t.active_from)
    assert [t.usable(s.now) for t in held] == [True, True, False, False]
    assert [t.usable(s.now + 3400) for t in held] == [True] * 4
    assert [t.usable(s.now + 3700) for t in held] == [False, False, True, True]
    life(s)


@pytest.mark.req("RFC6407-5.4.1-01", "RFC6407-5.4.1-02")
def test_a_rollover_keeps_the_old_keys_for_a_while():
    s = Scene(1, atd=5, dtd=20)
    m, old = s.members[0], s.group.teks[0]
    assert not m.teks[1, old.spi].usable(s.now + 4) and m.teks[1, old.spi].usable(s.now + 5)
    s.now += 100
    teks(s)
    new = m.teks[1, s.group.teks[0].spi]
    old = m.teks[1, old.spi]
    assert [(old.usable(s.now + t), new.usable(s.now + t)) for t in (4, 6, 21)] == [
        (True, False), (True, True), (False, True)]


@pytest.mark.req("RFC6407-5.4.1-02", "RFC8052-2.2.4.1-01")
def test_a_next_key_ends_nothing_before_its_time():
    who = group_identity("oid:1.2.840.10070.61850.8.1.2", dialects.STRICT)
    s = Scene(1, identity=who, teks=(IecPolicy(specific=b""),), dtd=20)
    m, make = s.members[0], s.server._make_tek
    used, = m.teks.values()
    s.server._deletes = lambda which: []
    s.server._new_teks = lambda group, now: setattr(group, "teks", [make(group, group.tek_policies[0], now, now + 300)])
    teks(s)
    coming = m.teks[n.T_IEC, s.group.teks[0].spi]
    assert [(used.usable(s.now + t), coming.usable(s.now + t)) for t in (21, 299, 301, 321)] == [
        (True, False), (True, False), (True, True), (False, True)]


@pytest.mark.req("RFC6407-5.9-08")
def test_an_spi_of_zero_leaves_what_the_same_message_brings():
    s = Scene(1)
    m, old = s.members[0], s.group.teks[0]
    s.server._deletes = lambda which: [isakmp.Delete(doi=n.DOI_GDOI, protocol=n.T_ESP, spi_size=4, count=1, spis=bytes(4))]
    teks(s)
    assert s.agreed() and list(m.teks) == [(n.T_ESP, s.group.teks[0].spi)] and s.group.teks[0].spi != old.spi


def test_a_group_of_ipv6_and_any_source():
    dst = Selector.parse("[ff02::1:5]:5000")
    s = Scene(1, teks=(IpsecPolicy(dst=dst, src=Selector.parse("2001:db8::/32")), IpsecPolicy(protocol=2, transform=5),
                       IpsecPolicy(transform=3, auth=2), IpsecPolicy(transform=11, auth=7), IpsecPolicy(transform=13)))
    assert s.agreed() and s.members[0].sids == [0]
    values = next(t.tek for t in s.members[0].teks.values() if t.tek.values["dst"].port).values
    assert (values["src"].id_type, values["dst"].data) == (n.ID_IPV6_SUBNET, dst.data)


# --------------------------------------------------------------------------- what must not work

def refusals(s):
    return [(who, e["req"]) for who, e in s.refused()]


@pytest.mark.refuses("RFC2408-5.11-02")
def test_another_pre_shared_key():
    s = Scene(1, start=False)
    s.members[0].config.psks = {"*": b"another"}
    s.join(s.members[0])
    assert not s.group.members and refusals(s)[0][0] == "gcks"


@pytest.mark.refuses("RFC2408-5.12-02", "RFC2407-4.6.2.1-02")
def test_anothers_certificate_and_anothers_key():
    s = Scene(2, "ecdsa256", start=False)
    a, b = s.members
    a.config.certificates = b.config.certificates  # says 10.0.0.11, and 10.0.0.10 is the identity
    s.join(a)
    b.config.key = config("10.0.0.77", "ecdsa256").key
    s.join(b)
    assert not s.group.members
    assert refusals(s) == [("gcks", "RFC2407-4.6.2.1-02"), ("gcks", "RFC2408-5.12-02")]


@pytest.mark.refuses("RFC6407-3.1-02", "RFC6407-3.4-03")
def test_who_is_not_on_the_list():
    s = Scene(2, start=False, authorized={"10.0.0.11"})
    s.members[1].config.peers = {"10.0.0.99"}
    for m in s.members:
        s.join(m)
    assert not s.group.members
    assert refusals(s) == [("gcks", "RFC6407-3.4-03"), ("10.0.0.11", "RFC6407-3.1-02")]


@pytest.mark.refuses("RFC6407-3.4-03")
def test_a_group_that_does_not_exist():
    s = Scene(1, start=False)
    s.members[0].group = (n.ID_KEY, bytes(4))
    s.join(s.members[0])
    assert refusals(s) == [("gcks", "RFC6407-3.4-03")]


@pytest.mark.req("RFC6407-3.2-02")
def test_nothing_changes_before_message_3():
    s = Scene(1, start=False, teks=(GCM,), depth=2)
    heard = s.server.receive
    s.server.receive = lambda octets, source, now: (
        [] if s.group.teks and check.header(octets).exchange == n.X_PULL and s.server.pulls else
        heard(octets, source, now))
    s.join(s.members[0])
    assert s.members[0].pull.number == 3 and not s.group.members
    assert s.group.sid_counter == 0 and s.group.tree.leaves == {}
    s.server.receive = heard
    s.to_server(s.members[0], s.members[0].again())  # the retransmission of message 3
    assert s.agreed() and s.group.sid_counter == 1
    sends = s.server.receive(s.server.pulls[next(iter(s.server.pulls))].last_seen, s.at(s.members[0]), s.now)
    assert len(sends) == 1 and s.group.sid_counter == 1  # answered again, and no more than that


def tampered(octets, at=-1):
    return octets[:at % len(octets)] + bytes([octets[at] ^ 1]) + octets[at % len(octets) + 1:]


@pytest.mark.refuses("RFC6407-4.4-01", "RFC6407-4.4-03", "RFC6407-4.4-04", "RFC6407-7.3.4-02")
def test_pushes_that_are_none():
    s = Scene(1)
    m = s.members[0]
    one, two = s.server.rekey_teks(s.group, s.now), s.server.rekey_teks(s.group, s.now)
    held = dict(m.teks)
    m.receive(tampered(one), (), s.now)
    m.receive(tampered(one, 40), (), s.now)
    m.receive(tampered(one, 3), (), s.now)
    assert m.teks == held and m.rekeys[s.group.kek.spi].seq == 0
    forged = replace(s.group.kek)
    plain, _ = push.unseal(forged, one)
    parts = check.message(one, plaintext=plain, block=16)
    before = parts.before(parts.one(n.P_SIG))
    m.receive(push.seal(forged, rsa.generate_private_key(65537, 2048), before), (), s.now)
    assert m.teks == held
    m.receive(two, (), s.now)
    m.receive(two, (), s.now)
    m.receive(one, (), s.now)
    assert refusals(s)[-3:] == [("10.0.0.10", r) for r in (
        "RFC6407-4.4-04", "RFC6407-7.3.4-02", "RFC6407-4.4-03")]
    assert ("10.0.0.10", "RFC6407-4.4-01") in refusals(s) and len(s.named("rekeyed")) == 1


@pytest.mark.refuses("RFC8263-3.4-03", "RFC8263-5-03", "RFC8263-5-04", "RFC8263-5-05")
def test_acknowledgements_that_are_none():
    s = Scene(2, kek=KekPolicy(ack=2), depth=2)
    octets = s.server.rekey_teks(s.group, s.now)
    a, b = s.members
    good = a.receive(octets, ("10.0.0.1", 848), s.now)[0]
    assert good.to == ("10.0.0.1", 848) and good.reply_from == 848
    mine = lambda base, seq, who: ack.build(2, base, s.group.kek.spi, seq, n.ID_IPV4, who)
    bad = [tampered(good.octets, 29 + 5), mine(a.ring.leaf.key, 1, b.address), mine(a.ring.leaf.key, 9, a.address),
           mine(a.ring.leaf.key, 1, bytes(4)), good.octets, good.octets]
    for one in bad:
        s.server.receive(one, s.at(a), s.now)
    assert [r for _, r in refusals(s)] == ["RFC8263-5-05", "RFC8263-5-05", "RFC8263-5-05", "RFC8263-3.4-03",
                                            "RFC8263-5-04"]
    assert s.server.unacknowledged(s.group) == {"10.0.0.11"}
    quiet = Scene(1)
    teks(quiet)
    quiet.server.receive(ack.build(1, quiet.group.kek.key, quiet.group.kek.spi, 1, n.ID_IPV4, bytes([10, 0, 0, 10])),
                         ("10.0.0.10", 848), 0)
    assert refusals(quiet) == [("gcks", "RFC8263-5-03")]


@pytest.mark.req("RFC6407-4-10", "RFC6407-4-11")
def test_arrays_of_one_rekey_sa_in_two_datagrams():
    """Who finds no array of its own waits for the next datagram under the old KEK."""
    s = Scene(3, depth=2)
    old = s.group.kek
    whole = s.server.rekey_kek(s.group, s.now)
    kek_after = s.group.kek
    reader = recorded.Reader(b"", [])
    reader.keks[old.spi] = old
    m = reader.read(whole).message
    sa = isakmp.opened(isakmp.ISAKMP(whole), m.clear[28:])
    kd = sa.payloads()[2]
    arrays = [a for a in kd.packets[0].attributes if a.type == 2]
    assert len(arrays) == 2
    for number, array in enumerate(arrays):
        packet = KeyPacket(kd_type=3, spi=kek_after.spi, attributes=[array])
        layers = isakmp.stacked(SEQ(sequence=1 + number), s.server.sa_payload(s.group, [], s.now), KD(packets=[packet]),
                                isakmp.Signature(data=b"x"))
        s.push(push.seal(old, s.group.signing_key, bytes(layers)[:-5]))
    assert s.agreed() and not s.refused()
    # two members in one half of the tree, one in the other
    assert len(s.named("not-for-us")) == 1
    assert sum(e["new_kek"] == kek_after.spi.hex() for _, e in s.named("rekeyed")) == 3


def test_the_answer_to_a_repeated_message_is_the_same():
    s = Scene(1, start=False)
    lost = []
    heard = s.server.receive

    def twice(octets, source, now):
        first, second = heard(octets, source, now), heard(octets, source, now)
        assert [x.octets for x in first] == [x.octets for x in second]
        lost.append(len(first))
        return first
    s.server.receive = twice
    s.join(s.members[0])
    assert s.agreed() and lost == [1] * 5 and len(s.group.members) == 1


def test_names_are_read_as_the_daemons_write_them_too():
    """In a list of members and in a log it is fqdn:gm1.example, which is not the name of a host."""
    parse = phase1.Identity.parse
    for plain, written in (("gm1.example", "fqdn:gm1.example"), ("me@example", "rfc822:me@example"), ("192.0.2.9", "ipv4:192.0.2.9"),
                           ("2001:db8::9", "ipv6:2001:db8::9")):
        assert parse(written) == parse(plain) and str(parse(written)) == plain
    with pytest.raises(ValueError):
        parse("ipv4:gm1.example")
