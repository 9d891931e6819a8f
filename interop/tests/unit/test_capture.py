# SPDX-License-Identifier: BSD-2-Clause
"""The capture checker: a whole group as frames, then the same with one thing changed."""
import pytest
from scapy.layers.inet import IP, TCP, UDP, fragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment, fragment6
from scapy.layers.l2 import Ether
from scapy.utils import wrpcap

from msec_scapy import capture, flows, keylog, message, pkix
from msec_scapy import registry as reg
from msec_scapy.dialect import Dialect
from msec_scapy.lkh import Key
from msec_scapy.testing.authority import NOW
from msec_scapy.testing.scene import GROUP_ID, Scene

SERVER, GROUP = "10.0.0.1", "239.1.2.3"


class Recorded:
    """A scene with its key log; `frames` turns its messages into packets."""

    def __init__(self, tmp_path, **how):
        self.path = tmp_path
        self.log = keylog.Writer(tmp_path / "keylog")
        self.scene = Scene(log=self.log, **how)

    def live(self):
        s = self.scene.join()
        s.evict(s.members[1], s.token(2, ["gm1"]))
        s.tick()
        s.to_server(s.members[2].leave(s.now), s.members[2])
        s.deliver(s.server.destroy(s.now))
        return self

    def addressed(self):
        """(time, source, destination, octets) of every message."""
        s = self.scene
        for number, (who, octets) in enumerate(s.wire):
            at = NOW.timestamp() + number
            if who is not s.server:
                yield at, f"10.0.0.{10 + s.members.index(who)}", SERVER, octets
            elif message.parse(octets, s.dialect).exchange == reg.X_REKEY:
                yield at, SERVER, GROUP, octets
            else:
                yield at, SERVER, "10.0.0.9", octets

    def pcap(self, frames=None):
        frames = udp_frames(self.addressed()) if frames is None else frames
        wrpcap(str(self.path / "c.pcap"), list(frames))
        return self.path / "c.pcap"

    def examine(self, pcap=None, log=None, **how):
        trust = how.pop("trust", pkix.Trust([self.scene.ca.cert]))
        read = log or keylog.KeyLog.read(self.path / "keylog")
        return capture.examine(pcap or self.pcap(), read, trust, self.scene.dialect, **how)


def udp_frames(messages, size=1400):
    for at, src, dst, octets in messages:
        packet = IP(src=src, dst=dst, id=int(at) & 0xFFFF) / UDP(sport=40000, dport=3761) / octets
        for part in fragment(packet, size):
            frame = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / part
            frame.time = at
            yield frame


def faults(reports):
    return [f for r in reports for f in r.faults]


@pytest.mark.parametrize("suite", ("suite1", "suite1-2048", "p256", "rsa", "x25519"))
@pytest.mark.parametrize("timestamp", (False, True), ids=("nonces", "time"))
def test_everything_verifies(tmp_path, suite, timestamp):
    recorded = Recorded(tmp_path, suite=suite, timestamp=timestamp).live()
    reports = recorded.examine()
    assert faults(reports) == []
    assert [r.exchange for r in reports] == [reg.EXCHANGE.name(message.parse(o).exchange)
                                             for _, o in recorded.scene.wire]
    by = {r.exchange: r.checks for r in reports}
    nonce = [] if timestamp else ["nonce"]
    assert by["KeyDL"] == ["form", "signature", "path", *nonce, "kek", "decryption", "token",
                           "keys"]
    assert by["DA"] == by["KeyDL-A/F"] == ["form", "signature", "path", *nonce]
    assert {"decryption", "token"} <= {c for r in reports if r.exchange == "Rekey-Event"
                                       for c in r.checks}
    assert "group destroyed" in reports[-1].notes
    assert all(capture.table(reports))


@pytest.mark.parametrize("size", (200, 1400))
def test_ipv4_fragments_in_any_order(tmp_path, size):
    recorded = Recorded(tmp_path).live()
    frames = list(udp_frames(recorded.addressed(), size))
    assert len(frames) > len(recorded.scene.wire)
    turned, last = [], None
    for frame in frames:  # each datagram's fragments the other way round
        if frame[IP].frag == 0:
            last = len(turned)
        turned.insert(last, frame)
    assert faults(recorded.examine(recorded.pcap(turned))) == []


def test_ipv6_fragments(tmp_path):
    recorded = Recorded(tmp_path, members=3).live()

    def frames():
        for number, (at, _, _, octets) in enumerate(recorded.addressed()):
            packet = IPv6(src="fd00::1", dst="fd00::2") / IPv6ExtHdrFragment(id=number) / UDP(
                sport=3761, dport=40000) / octets
            for part in fragment6(packet, 1000):
                part.time = at
                yield Ether(dst="02:00:00:00:00:02") / part
    out = []
    for f in frames():
        f.time = f[IPv6].time
        out.append(f)
    reports = recorded.examine(recorded.pcap(out))
    assert len(reports) == len(recorded.scene.wire) and faults(reports) == []


def test_tcp_segments_out_of_order_and_repeated(tmp_path):
    recorded = Recorded(tmp_path).live()
    seq, frames = {}, []

    def segment(src, dst, flags, number):
        return Ether(dst="02:00:00:00:00:02") / IP(src=src, dst=dst) / TCP(
            sport=3761, dport=40000, flags=flags, seq=number % 2**32)
    for at, src, dst, octets in recorded.addressed():
        dst = SERVER if src != SERVER else "10.0.0.9"
        key = src
        if key not in seq:
            seq[key] = 2**32 - 500  # the sequence numbers wrap
            syn = segment(src, dst, "S", seq[key] - 1)
            syn.time = at
            frames.append(syn)
        parts = [octets[n:n + 300] for n in range(0, len(octets), 300)]
        made = []
        for part in parts:
            f = segment(src, dst, "PA", seq[key]) / part
            f.time = at
            seq[key] = (seq[key] + len(part)) % 2**32
            made.append(f)
        frames += made[1:] + made[:1] + made[-1:]
    reports = recorded.examine(recorded.pcap(frames))
    assert len(reports) == len(recorded.scene.wire) and faults(reports) == []


def test_frames_that_are_padded_and_foreign(tmp_path):
    recorded = Recorded(tmp_path, members=3).live()
    frames = []
    for f in udp_frames(recorded.addressed()):
        padded = Ether(bytes(f) + b"padding")
        padded.time = f.time
        frames += [padded, Ether(dst="02:00:00:00:00:02") / IP(src="1.2.3.4", dst="5.6.7.8")
                   / UDP(dport=53) / b"dns", Ether(dst="02:00:00:00:00:02") / b"\x08\x06arp"]
    assert faults(recorded.examine(recorded.pcap(frames))) == []


# ----------------------------------------------------- what must be noticed

@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    return Recorded(tmp_path_factory.mktemp("capture")).live()


def change(recorded, exchange, at):
    """One bit of the first message of an exchange, `at` octets from its end."""
    out, done = [], False
    for when, src, dst, octets in recorded.addressed():
        if not done and message.parse(octets).exchange == exchange:
            octets = octets[:-at] + bytes([octets[-at] ^ 1]) + octets[len(octets) - at + 1:]
            done = True
        out.append((when, src, dst, octets))
    return recorded.pcap(udp_frames(out))


def sign_end(recorded, exchange):
    """How far from the end the Signature Data ends (certificates follow)."""
    octets = next(o for _, o in recorded.scene.wire if message.parse(o).exchange == exchange)
    at, size = next((a, n) for k, a, n in message.walk(octets) if k == reg.P_SIG)
    return len(octets) - at - size


@pytest.mark.parametrize("exchange", (reg.X_RTJ, reg.X_KEYDL, reg.X_ACK, reg.X_REKEY, reg.X_RTD,
                                      reg.X_DR, reg.X_DA))
def test_a_changed_signature_is_a_fault(recorded, exchange):
    pcap = change(recorded, exchange, sign_end(recorded, exchange) + 1)
    assert any("7.8.2-06" in f for f in faults(recorded.examine(pcap)))


@pytest.mark.parametrize("exchange,payload", [(reg.X_KEYDL, reg.P_KEYDL),
                                              (reg.X_KEYDL, reg.P_TOKEN),
                                              (reg.X_REKEY, reg.P_REKEY)])
def test_a_changed_ciphertext_is_a_fault(recorded, exchange, payload):
    octets = next(o for _, o in recorded.scene.wire if message.parse(o).exchange == exchange)
    at, size = next((a, n) for k, a, n in message.walk(octets) if k == payload)
    pcap = change(recorded, exchange, len(octets) - at - size + 1)
    found = faults(recorded.examine(pcap))
    assert any("does not verify" in f for f in found)
    assert any("key download" in f or "rekey data" in f for f in found)


@pytest.mark.parametrize("word,said", [
    ("GSAKMP_DH_SECRET", "no secret"), ("GSAKMP_KEK", "no KEK"), ("GSAKMP_KEY", "not logged")])
def test_an_incomplete_key_log_is_a_fault(recorded, word, said):
    log = keylog.KeyLog()
    for line in (recorded.path / "keylog").read_text().splitlines():
        if line.split()[0] != word:
            log.add(line)
    assert any(said in f for f in faults(recorded.examine(recorded.pcap(), log)))


def test_a_kek_that_is_not_derived_is_a_fault(recorded):
    log = keylog.KeyLog.read(recorded.path / "keylog")
    log.keks = [keylog.Kek(k.group_id, k.nonce_i, k.nonce_r, k.enc_type, bytes(16))
                for k in log.keks]
    assert any("not derived" in f for f in faults(recorded.examine(recorded.pcap(), log)))


def test_a_key_that_differs_is_a_fault(recorded):
    log = keylog.KeyLog.read(recorded.path / "keylog")
    place, key = next((p, k) for p, k in log.keys.items() if k.key_id == b"GTPK")
    log.keys[place] = Key(key.key_type, key.key_id, key.handle, key.created, key.expires,
                          bytes(16))
    assert any("differs" in f for f in faults(recorded.examine(recorded.pcap(), log)))


def test_a_foreign_root_is_a_fault(recorded):
    found = recorded.examine(recorded.pcap(), trust=pkix.Trust([]))
    assert any("untrusted" in f for f in faults(found))
    assert any("leads to no root" in f for f in faults(found))
    assert all(not r.faults and r.notes for r in found if r.exchange == "RTJ")


def test_another_owner_is_a_fault(recorded):
    stranger = recorded.scene.credentials("gm0").cert
    assert any("2-08" in f for f in faults(recorded.examine(recorded.pcap(), owner=stranger)))


def test_sequence_ids_that_go_back_are_a_fault(recorded):
    rekeys = [m for m in recorded.addressed() if m[2] == GROUP]
    pcap = recorded.pcap(udp_frames([*recorded.addressed(), rekeys[0]]))
    assert any("Sequence ID" in f for f in faults(recorded.examine(pcap)))
    repeated = recorded.pcap(udp_frames([*recorded.addressed(), rekeys[-1]]))
    assert faults(recorded.examine(repeated)) == []


def test_a_broken_message_is_a_fault_unless_expected(recorded):
    bad = (NOW.timestamp() + 99, "10.0.0.66", SERVER, b"\x02\x09garbage")
    pcap = recorded.pcap(udp_frames([*recorded.addressed(), bad]))
    assert any("refused" in f for f in faults(recorded.examine(pcap)))
    assert faults(recorded.examine(pcap, tolerate=True)) == []


def test_dialect_is_needed_and_used(tmp_path):
    d = Dialect(pad="iso7816", iv_keydl="nonce_c", sig_cover="whole", pkt_len="cipher+8")
    recorded = Recorded(tmp_path, suite="suite1", dialect=d).live()
    assert faults(recorded.examine()) == []
    recorded.scene.dialect = Dialect()
    with_strict = capture.examine(tmp_path / "c.pcap", keylog.KeyLog.read(tmp_path / "keylog"),
                                  pkix.Trust([recorded.scene.ca.cert]))
    assert faults(with_strict)


# --------------------------------------------------------- program, key log

def test_command_line(recorded, tmp_path, capsys):
    from asn1crypto import pem
    root = tmp_path / "root.pem"
    root.write_bytes(pem.armor("CERTIFICATE", recorded.scene.ca.cert.der))
    words = [str(recorded.pcap()), "--roots", str(root)]
    good = ["--keylog", str(recorded.path / "keylog")]
    assert capture.main(words + good) == 0
    out = capsys.readouterr().out
    assert out.endswith("messages, 0 faults\n") and "kek,decryption,token,keys" in out
    assert capture.main(words) == 1
    assert capture.main(words + good + ["--json"]) == 0
    empty = tmp_path / "empty.pcap"
    wrpcap(str(empty), [Ether(dst="02:00:00:00:00:02") / IP() / UDP(dport=53)])
    assert capture.main([str(empty)]) == 1


@pytest.mark.parametrize("line", ["GSAKMP_KEK 00 11", "GSAKMP_KEY a b c d e f g",
                                  "GSAKMP_DH_SECRET zz - - 2 00"])
def test_bad_key_log_lines_name_their_place(tmp_path, line):
    (tmp_path / "k").write_text(f"# fine\n\nOTHER words\n{line}\n")
    with pytest.raises(keylog.KeyLogError, match="k:4: "):
        keylog.KeyLog.read(tmp_path / "k")


def test_two_keys_of_one_name_are_those_of_two_trees(tmp_path):
    w = keylog.Writer(tmp_path / "k")
    for octets in (b"a" * 16, b"b" * 16, b"a" * 16):
        w.key(GROUP_ID, Key(12, b"GTPK", b"hndl", b"20260801120000Z", b"", octets))
    w.close()
    log = keylog.KeyLog.read(tmp_path / "k")
    assert [k.key for k in log.named(GROUP_ID, b"GTPK", b"hndl")] == [b"a" * 16, b"b" * 16]
    assert log.of_group(GROUP_ID) == log.named(GROUP_ID, b"GTPK", b"hndl")
    assert not log.named(GROUP_ID, b"GTPK", b"else")


def test_example_of_the_format_description():
    """The lines of KEYLOG.md are read as it says."""
    log = keylog.KeyLog()
    log.add("GSAKMP_DH_SECRET 6c61622f6f6e65 0001 a0a1 49153 5c1e77")
    log.add("GSAKMP_KEK 6c61622f6f6e65 - - 12 00112233445566778899aabbccddeeff")
    log.add("GSAKMP_KEY 6c61622f6f6e65 00000001 00000007 12 20260801120000Z - 0f1e")
    assert log.secrets[0] == keylog.Secret(b"lab/one", b"\0\1", b"\xa0\xa1", 49153, b"\x5c\x1e\x77")
    assert (log.keks[0].nonce_i, log.keks[0].enc_type) == (b"", 12)
    assert log.key(b"lab/one", b"\0\0\0\1", b"\0\0\0\7").expires == b""


def test_overlapping_fragments_keep_the_first():
    f = flows.Fragments()
    assert f.add("k", 0, True, b"abcd") is None
    assert f.add("k", 2, True, b"XXXX") is None
    assert f.add("k", 6, False, b"gh") == b"abcdXXgh"
