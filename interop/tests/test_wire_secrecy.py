# SPDX-License-Identifier: BSD-2-Clause
"""Who can read what, computed from a capture and a key log alone.

The reader below follows the figures of RFC 4535 and shares no code with the daemons or with msec_scapy. For every
member it collects all keys that member could ever have learned: those of its Key Downloads, and whatever the captured
Rekey Events unwrap to with keys it has, even long after it left.
"""
import struct
from collections import namedtuple

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lab import wire
from lab.daemons import wait_all
from lab.scene import GSAKMP_PORT
from lab.story import GROUP, Story

KEYDL, REKEY = 9, 5  # Table 13
TOKEN, KEYS, EVENT, IDENTITY, NONCE = 1, 2, 3, 4, 12  # Table 12
NONCE_R = 2  # Table 27
GTPK, LKH = 0, 1  # Table 15
KEY_OCTETS = {12: 16, 49153: 32, 49154: 16, 49155: 32}
DESTRUCTION = 0xFFFFFFFF

# Payload types in the order of the dissections, Tables 1, 2, 4 and 7 to 10.  The order is free, but whoever reads
# strictly finds it kept.
DISSECTION = {8: (11, 12, 10, 9, 8, 6), KEYDL: (4, 12, 11, 1, 2, 10, 8, 6), 4: (12, 9, 10, 8), REKEY: (1, 3, 10, 8, 6),
              13: (4, 12, 9, 10, 8, 6), 14: (4, 12, 9, 10, 8, 6), 15: (12, 9, 10, 8)}

Name = namedtuple("Name", "key_id handle")  # of one version of one key, section 7.4.1.1
Key = namedtuple("Key", "name type created")
Wrap = namedtuple("Wrap", "under keys")  # one Rekey Event Data: the wrapping key, [(key package type, Key)]
Message = namedtuple("Message", "exchange sequence payloads group")


def payloads(octets: bytes) -> Message:
    """Header (Figure 3) and chain of generic headers (Figure 8)."""
    at = 2 + octets[1]
    group = octets[2:at]
    kind, version, exchange, sequence, length = struct.unpack_from(">BBBII", octets, at)
    assert version == 1 and length == len(octets)
    at, chain = at + 11, []
    while kind:
        following, reserved, size = struct.unpack_from(">BBH", octets, at)
        assert reserved == 0 and size >= 4
        chain.append((kind, octets[at + 4:at + size]))
        kind, at = following, at + size
    assert at == length
    return Message(exchange, sequence, chain, group)


def decrypted(kind: int, key: bytes, octets: bytes, clear: bytes) -> bytes:
    """The cipher's own octets come first: an IV of 16 in CBC, of 12 in GCM."""
    if kind in (49154, 49155):
        return AESGCM(key).decrypt(octets[:12], octets[12:], clear)
    d = Cipher(algorithms.AES(key), modes.CBC(octets[:16])).decryptor()
    plain = d.update(octets[16:]) + d.finalize()
    pad = plain[-1]
    assert 1 <= pad <= 16 and plain.endswith(bytes([pad]) * pad)
    return plain[:-pad]


class Reader:
    """A capture, read with its key log.

    joins: [(Member ID of the Identification payload, [Key of the Key Download])], events: {Sequence ID: [Wrap]},
    chains: [(Exchange Type, [payload types])], order: the Sequence IDs of all Rekey Events, copies too."""

    def __init__(self, capture, keylog):
        self.keks, self.keys = {}, {}
        for line in keylog.read_text("ascii").splitlines():
            word = line.split()
            if line.startswith("GSAKMP_KEK "):
                self.keks[bytes.fromhex(word[3])] = int(word[4]), bytes.fromhex(word[5])
            elif line.startswith("GSAKMP_KEY "):
                name = Name(bytes.fromhex(word[2]), bytes.fromhex(word[3]))
                value = int(word[4]), bytes.fromhex(word[7])
                assert self.keys.setdefault(name, value) == value, f"{name} names two keys"
        self.joins, self.events, self.chains, self.order, seen = [], {}, [], [], set()
        for d in wire.datagrams(capture):
            if GSAKMP_PORT not in (d.sport, d.dport):
                continue
            m = payloads(d.payload)
            if m.exchange == REKEY:
                self.order.append(m.sequence)
            if d.payload in seen:
                continue
            seen.add(d.payload)
            self.chains.append((m.exchange, [kind for kind, _ in m.payloads]))
            if m.exchange == KEYDL:
                self.joins.append(self.key_download(m))
            elif m.exchange == REKEY:
                wraps = [w for kind, body in m.payloads if kind == EVENT for w in self.rekey_event(m, body)]
                assert self.events.setdefault(m.sequence, wraps) == wraps, "one Sequence ID, two contents"

    def key(self, octets: bytes, at: int) -> tuple:
        """A Key Datum (Figure 12); the end of it."""
        kind, key_id, handle = struct.unpack_from(">H4s4s", octets, at)
        created, expires = octets[at + 10:at + 25], octets[at + 25:at + 40]
        assert created < expires
        end = at + 40 + KEY_OCTETS[kind]
        name = Name(key_id, handle)
        assert self.keys[name] == (kind, octets[at + 40:end]), f"{name} is another key in the key log"
        return Key(name, kind, created), end

    def key_download(self, m: Message) -> tuple:
        """Figures 10, 11 and 13."""
        member = next(body[2:] for kind, body in m.payloads if kind == IDENTITY)
        nonce_r = next(body[1:] for kind, body in m.payloads if kind == NONCE and body[0] == NONCE_R)
        body = next(body for kind, body in m.payloads if kind == KEYS)
        plain, keys, at = decrypted(*self.keks[nonce_r], body, b""), [], 2
        for _ in range(*struct.unpack_from(">H", plain)):
            kind, size = struct.unpack_from(">BH", plain, at)
            at, end = at + 3, at + 3 + size
            if kind == LKH:
                version, _, count = struct.unpack_from(">B4sH", plain, at)
                assert version == 1
                at += 7
            else:
                assert kind == GTPK
                count = 1
            for _ in range(count):
                key, at = self.key(plain, at)
                keys.append((kind, key))
            assert at == end
        assert at == len(plain)
        return member, keys

    def rekey_event(self, m: Message, body: bytes) -> list:
        """Figures 14 to 17."""
        kind, at = body[0], 1 + len(m.group)
        assert body[1:at] == m.group
        stamp = body[at:at + 15]
        again, version, count = struct.unpack_from(">BBH", body, at + 15)
        assert len(stamp) == 15 and again == kind and version == 1
        at, wraps = at + 19, []
        for _ in range(count):
            size, *under = struct.unpack_from(">H4s4s", body, at)
            under, clear = Name(*under), body[at + 2:at + 10]
            plain = decrypted(*self.keys[under], body[at + 10:at + 10 + size], clear)
            at += 10 + size
            keys, inner = [], 2
            for _ in range(*struct.unpack_from(">H", plain)):
                package, size = struct.unpack_from(">BH", plain, inner)
                key, end = self.key(plain, inner + 3)
                assert end == inner + 3 + size
                keys.append((package, key))
                inner = end
            assert inner == len(plain)
            wraps.append(Wrap(under, keys))
        assert at == len(body)
        return wraps

    def downloads(self, who: bytes) -> list:
        return [keys for member, keys in self.joins if member == who]

    def learned(self, keys: list) -> set:
        """Names of all keys that somebody has who starts with these and keeps everything on the wire."""
        known, before = {key.name for _, key in keys}, -1
        while len(known) != before:
            before = len(known)
            for wraps in self.events.values():
                for w in wraps:
                    if w.under in known:
                        known.update(key.name for _, key in w.keys)
        return known

    def traffic_keys(self, sequence: int) -> set:
        return {key.name for w in self.events[sequence] for package, key in w.keys if package == GTPK}


@pytest.fixture(scope="module", params=["ecdsa", "dsa"], ids=["aes-gcm", "suite-1"])
def life(request, net_prefix, tmp_path_factory):
    """A group that six people join, which evicts dave, loses bob and gets grace; (Reader, story, Sequence IDs)."""
    s = Story(tmp_path_factory.mktemp("secrecy"), f"{net_prefix}ws-", kind=request.param, delivery="file",
              only=["keys", "alice", "bob", "carol", "dave", "erin", "frank", "grace"])
    at = {}

    def sequence():
        return s.keys.control("status")["groups"][0]["sequence"]

    def rekeyed(mark, *names):
        """The rekey for what was just done is through, everywhere; its Sequence ID."""
        number = sequence()
        s.keys.wait("rekeyed", since=mark, sequence=number)
        wait_all([s.members[n] for n in names], "rekeyed", sequence=number)
        return number

    try:
        s.open_group()
        s.join("alice", "bob", "carol", "dave", "erin", "frank")
        mark = s.keys.mark()
        s.keys.control("rekey", GROUP)
        at["together"] = rekeyed(mark, "alice", "bob", "carol", "dave", "erin", "frank")
        s.members["dave"].finish()  # it would only ask for membership again
        mark = s.keys.mark()
        s.keys.control("evict", s.pki.parties["dave"].dn)
        at["dave"] = rekeyed(mark, "alice", "bob", "carol", "erin", "frank")
        mark = s.keys.mark()
        s.members["bob"].control("leave")
        s.keys.wait("member-left", since=mark)
        s.keys.wait("rekeyed", since=mark)
        at["bob"] = rekeyed(mark, "alice", "carol", "erin", "frank")
        at["grace"] = sequence()
        s.join("grace")
        for name in ("more", "still more"):
            mark = s.keys.mark()
            s.keys.control("rekey", GROUP)
            at[name] = rekeyed(mark, "alice", "carol", "erin", "frank", "grace")
        s.keys.control("destroy", GROUP)
        wait_all([s.members[n] for n in ("alice", "carol", "erin", "frank", "grace")], "destroyed")
        s.finish()
        yield Reader(s.capture.path, s.keylog), s, at
    finally:
        s.close()


def name(story, who: str) -> bytes:
    return story.pki.parties[who].dn.encode()


@pytest.mark.req("RFC4535-7.1.1-11", "RFC4535-7.1.1-12", "RFC4535-5.3.1.3-01")
def test_sequence_ids_count_from_one_to_the_destruction(life):
    reader, _, _ = life
    *numbers, last = reader.events
    assert numbers == list(range(1, len(numbers) + 1)) and last == DESTRUCTION
    assert reader.events[DESTRUCTION] == []
    end = reader.order.index(DESTRUCTION)
    assert set(reader.order[end:]) == {DESTRUCTION}, "copies of older events follow the destruction"


@pytest.mark.req("RFC4535-5.3.2.1-03", "RFC4535-A.3.2-01")
@pytest.mark.parametrize("gone", ["dave", "bob"], ids=["evicted", "departed"])
def test_nothing_is_wrapped_in_a_key_that_somebody_gone_ever_had(life, gone):
    reader, s, at = life
    [keys] = reader.downloads(name(s, gone))
    known = reader.learned(keys)
    assert reader.traffic_keys(at["together"]) <= known, "it was a member, and read what members read"
    after = [n for n in reader.events if n >= at[gone]]
    assert len(after) >= 4
    for number in after:
        assert not [w.under for w in reader.events[number] if w.under in known], f"Rekey Event {number}"
        assert not reader.traffic_keys(number) & known


@pytest.mark.req("RFC4535-5.3.1.1-01", "RFC4535-5.3.1.1-04")
@pytest.mark.parametrize("who", ["alice", "carol", "erin", "frank"])
def test_who_stays_reads_every_traffic_key_since_it_joined(life, who):
    reader, s, at = life
    [keys] = reader.downloads(name(s, who))
    known = reader.learned(keys)
    for number in (n for n in reader.events if at["together"] <= n < DESTRUCTION):
        assert len(reader.traffic_keys(number)) == 1 and reader.traffic_keys(number) <= known


def test_a_newcomer_reads_no_traffic_key_of_before(life):
    reader, s, at = life
    [keys] = reader.downloads(name(s, "grace"))
    known = reader.learned(keys)
    for number in reader.events:
        if number <= at["grace"]:
            assert not reader.traffic_keys(number) & known, f"Rekey Event {number}"
    assert reader.traffic_keys(at["more"]) | reader.traffic_keys(at["still more"]) <= known


@pytest.mark.req("RFC4535-A.2-04", "RFC4535-A.2-09", "RFC4535-7.5.2-16")
def test_a_key_is_renewed_under_a_new_handle_and_a_later_date(life):
    reader, _, _ = life
    newest = {}
    for number, wraps in reader.events.items():
        fresh = {key.name: key for w in wraps for _, key in w.keys}
        assert len({n.key_id for n in fresh}) == len(fresh), f"Rekey Event {number} renews a key twice"
        for key in fresh.values():
            held = newest.get(key.name.key_id)
            assert held is None or (held.name != key.name and held.created < key.created)
            newest[key.name.key_id] = key


@pytest.mark.req("RFC4535-A.3.2-01")
def test_one_pass_over_a_rekey_event_is_enough(life):
    """A key is wrapped in a new key only after the Rekey Event Data that brings the new one."""
    reader, _, _ = life
    for number, wraps in reader.events.items():
        fresh, brought = {key.name for w in wraps for _, key in w.keys}, set()
        for w in wraps:
            assert w.under not in fresh or w.under in brought, f"Rekey Event {number}"
            brought |= {key.name for _, key in w.keys}


@pytest.mark.req("RFC4535-7-02", "RFC4535-7-05")
def test_payloads_are_sent_in_the_order_of_the_dissections(life):
    reader, _, _ = life
    assert {exchange for exchange, _ in reader.chains} == set(DISSECTION)
    for exchange, chain in reader.chains:
        assert chain == sorted(chain, key=DISSECTION[exchange].index), f"Exchange Type {exchange}"
