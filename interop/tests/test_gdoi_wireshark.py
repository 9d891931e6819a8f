# SPDX-License-Identifier: BSD-2-Clause
"""The GDOI dissector opens and reads recorded sessions of another implementation, what the Python layers build, and what our
daemons say to each other.

Its Lua shares nothing with the layers. Every octet of a plaintext has to lie in a field, in order.
"""
import collections
import json
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import wrpcap

from lab import gdoi_forms as forms
from lab import wire
from lab.daemons import wait_all
from lab.gdoi import opened
from msec_scapy.gdoi import ack, lkh, push, sign
from msec_scapy.gdoi import numbers as n
from msec_scapy.gdoi.group import GdoiSA, IecTek, IpsecTek, KD, KeyPacket, SAK, SAT, SEQ
from msec_scapy.gdoi.isakmp import Delete, octets_of, tlv, tv
from msec_scapy.gdoi.policy import IpsecPolicy
from cryptography.hazmat.primitives.asymmetric import rsa

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "interop/wireshark/gdoi.lua"
SESSIONS = ROOT / "interop/vectors/gdoid"


def tshark(pcap, *args, log="", gdoid=False):
    command = ["tshark", "-n", "-r", str(pcap), "-X", f"lua_script:{SCRIPT}", "-o", f"gdoi.keylog:{log}",
               "-o", f"gdoi.gdoid:{str(gdoid).upper()}", *args]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for word in ("Lua Error", "Lua:", "Dissector bug"):
        assert word not in done.stdout + done.stderr
    return done.stdout


class Frame:
    def __init__(self, packet):
        self.fields, self.experts = [], []
        for proto in packet.iter("proto"):
            if proto.get("name") == "gdoi":
                self._walk(proto)

    def _walk(self, element):
        for f in element.findall("field"):
            name = f.get("name", "")
            if name == "_ws.expert.message":
                self.experts.append(f.get("show"))
            if name.startswith("gdoi.") and not name.startswith("gdoi.expert."):
                inner = any(s.get("name", "").startswith("gdoi.") and s.get("size") != "0" for s in f.findall("field"))
                self.fields.append((name[5:], f, not inner))
            self._walk(f)

    def octets(self):
        """What the innermost fields hold, in the order in which they are shown."""
        return b"".join(bytes.fromhex(f.get("value")) for name, f, leaf in self.fields
                        if leaf and f.get("value") and f.get("size") != "0"
                        and name not in ("exchange", "spi", "decrypted", "oid.text", "lkh.opened"))

    def shown(self, name):
        return [f.get("show") for found, f, _ in self.fields if found == name]


def frames(pcap, **how):
    return [Frame(p) for p in ElementTree.fromstring(tshark(pcap, "-T", "pdml", **how)).findall("packet")]


def info(pcap, **how):
    return tshark(pcap, "-T", "fields", "-e", "_ws.col.Info", **how).splitlines()


def capture(path, messages, port=848):
    wrpcap(str(path), [Ether(bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src=src, dst=dst)
                                   / UDP(sport=port, dport=port, chksum=0) / octets)) for src, dst, octets in messages])
    return path


# ------------------------------------------------------------------- recorded sessions

class Session:
    def __init__(self, name, tmp_path):
        self.of = json.loads((SESSIONS / f"{name}.json").read_text())
        self.messages = self.of["messages"]
        self.pcap = capture(tmp_path / "session.pcap", [
            ("10.0.0.1", "10.0.0.2", bytes.fromhex(m["message"])) for m in self.messages])
        lines = []
        for p in self.of["phase1"]:
            lines.append(f"IKEV1_KEY {p['icookie']} {p['rcookie']} {p['key']}")
            lines.append(f"IKEV1_IV {p['icookie']} {p['rcookie']} 00000000 {p['iv0']}")
        seen = set()
        for m in self.messages:
            head = m["message"]
            if "iv" in m and head[36:38] in ("20", "05") and head[40:48] not in seen:
                seen.add(head[40:48])
                lines.append(f"IKEV1_IV {head[:16]} {head[16:32]} {head[40:48]} {m['iv']}")
        self.log = tmp_path / "keylog"
        self.log.write_text("\n".join(lines) + "\n")


@pytest.fixture(params=["psk-3des-two-members", "tek-only-gap", "aes-gcm-sid"])
def session(request, tmp_path):
    return Session(request.param, tmp_path)


def test_recorded_sessions_are_opened_to_the_last_octet(session):
    """Only phase 1 keys are given: those of the Rekey SAs have to be found in what was opened."""
    read = frames(session.pcap, log=session.log, gdoid=True)
    assert len(read) == len(session.messages)
    opened = 0
    for m, frame in zip(session.messages, read):
        if "plaintext" in m:
            opened += 1
            assert frame.octets().hex() == m["plaintext"], m["kind"]
            assert frame.experts == [], m["kind"]
    assert opened >= 6


def test_strict_reading_says_what_the_other_implementation_does_otherwise(tmp_path):
    session = Session("psk-3des-two-members", tmp_path)
    said = [e for f in frames(session.pcap, log=session.log) for e in f.experts]
    assert any("attribute 0 with a length" in e for e in said)  # two octets more behind the SPI of a SAK
    assert any("Address Preservation" in e for e in said)


def test_without_keys_nothing_is_claimed(session):
    lines = info(session.pcap)
    closed = [m for m in session.messages if "plaintext" in m and m["message"][36:38] in ("20", "21")]
    assert sum("[no key" in line for line in lines) == len(closed)


def test_a_wrong_key_opens_nothing(session):
    text = session.log.read_text()
    session.log.write_text("".join(
        line[:-2] + ("00" if line[-2:] != "00" else "01") + "\n" if line.startswith("IKEV1_KEY") else line + "\n"
        for line in text.splitlines()))
    assert any("does not fit" in line for line in info(session.pcap, log=session.log, gdoid=True))


# -------------------------------------------------------------------- what the layers build

SPI, NEXT_SPI = bytes(range(16)), bytes(range(100, 116))
ADDRESS, GROUP = bytes([10, 0, 0, 1]), bytes([239, 1, 1, 1])
PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def kek(spi=SPI, size=16):
    return push.Kek(spi, 3, bytes(range(size)), bytes(range(50, 66)), public_key=PRIVATE.public_key())


def rekey_sa(size=16, more=()):
    return SAK(protocol=17, src=ADDRESS, src_port=848, dst=GROUP, dst_port=848, spi=NEXT_SPI, attributes=[
        tv(1, 1), tv(2, 3), tv(3, 8 * size), tlv(4, (3600).to_bytes(4, "big")), tv(5, 3), tv(6, 1), tv(7, 2048), *more])


def keylog(tmp_path, *lines):
    path = tmp_path / "keylog"
    path.write_text("".join(line + "\n" for line in lines))
    return path


def line_of(k):
    return f"GDOI_KEK {k.spi.hex()} {k.algorithm} {k.iv.hex()} {k.key.hex()}"


def push_of(k, sa, *packets, before=(), sequence=7):
    payloads = octets_of(SEQ(sequence=sequence), *before, sa, KD(packets=list(packets)))
    # The last of them says that SIG follows.
    return push.seal(k, PRIVATE, chained_to_sig(payloads)), payloads


def chained_to_sig(payloads):
    out, at = bytearray(payloads), 0
    while out[at]:
        at += int.from_bytes(out[at + 2:at + 4], "big")
    out[at] = n.P_SIG
    return bytes(out)


def lkh_key(lkh_id, handle, size):
    return lkh.Key(lkh_id, handle, 3, bytes([lkh_id] * 16), bytes([lkh_id + 100] * size))


@pytest.mark.parametrize("size", [16, 24, 32])
@pytest.mark.req("RFC6407-5.6.3.2-01")
def test_an_update_array_gives_the_next_rekey_sa(tmp_path, size):
    """From one node key of the key log through the array to the KEK, and with it the next message."""
    held, above, root = lkh_key(5, 9, size), lkh_key(2, 10, size), lkh_key(1, 11, size)
    now, coming = kek(size=size), push.Kek(NEXT_SPI, 3, root.key, root.iv, public_key=PRIVATE.public_key())
    array = lkh.update(held, [above, root])
    first, _ = push_of(now, GdoiSA(attributes=[rekey_sa(size)]),
                       KeyPacket(kd_type=n.KD_LKH, spi=NEXT_SPI, attributes=[tlv(2, array)]))
    tek = SAT(protocol_id=n.T_ESP, tek=IpsecTek(protocol=0, src=b"", dst=GROUP, spi=b"\0\0\1\2", attributes=[
        tv(4, 1), tv(6, 128)]))
    second, _ = push_of(coming, GdoiSA(attributes=[tek]), KeyPacket(kd_type=n.KD_TEK, spi=b"\0\0\1\2", attributes=[
        tlv(1, bytes(16))]), sequence=1)
    pcap = capture(tmp_path / "x.pcap", [("10.0.0.1", "239.1.1.1", first), ("10.0.0.1", "239.1.1.1", second)])
    log = keylog(tmp_path, line_of(now), f"GDOI_LKH {SPI.hex()} 5 9 {(held.iv + held.key).hex()}")
    read = frames(pcap, log=log)
    assert [bytes.fromhex(v.replace(":", "")) for v in read[0].shown("lkh.opened")] == [
        above.iv + above.key, root.iv + root.key]
    assert read[1].shown("decrypted") == ["KEK from an update array"]
    assert read[1].shown("seq") == ["1"]
    assert info(pcap, log=log)[1] == "GROUPKEY-PUSH, SEQ 1, 1 SAT, keys: TEK"
    # Who holds no key of the path stays outside, with the same first message in clear.
    outside = frames(pcap, log=keylog(tmp_path, line_of(now), f"GDOI_LKH {SPI.hex()} 6 9 {(held.iv + held.key).hex()}"))
    assert outside[0].shown("seq") == ["7"] and outside[0].shown("lkh.opened") == []
    assert "no key for this Rekey SA" in outside[1].experts


@pytest.mark.req("RFC6407-5.6.1.3-01")
def test_a_source_that_signs_and_its_public_key(tmp_path):
    public = rsa.generate_private_key(65537, 2048).public_key()
    tek = IpsecPolicy(auth=10, source_key=public).sat(b"\0\0\1\3", 3600)
    key = sign.encode_public(public)
    octets, _ = push_of(kek(), GdoiSA(attributes=[tek]), KeyPacket(kd_type=n.KD_TEK, spi=b"\0\0\1\3", attributes=[
        tlv(1, bytes(16)), tlv(3, key)]))
    pcap = capture(tmp_path / "x.pcap", [("10.0.0.1", "239.1.1.1", octets)])
    frame, = frames(pcap, log=keylog(tmp_path, line_of(kek())))
    assert frame.experts == []
    assert key.hex() in [v.replace(":", "") for v in frame.shown("attribute.octets")]
    told = tshark(pcap, "-V", log=keylog(tmp_path, line_of(kek())))
    for words in ("SIG-RSA", "Authentication Key Length", "Signature Encoding Algorithm", "TEK_SOURCE_AUTH_KEY"):
        assert words in told, words


@pytest.mark.req("RFC8052-2.2-01")
def test_iec_61850_sat_and_delete(tmp_path):
    oid = bytes.fromhex("06052801000001")
    tek = SAT(protocol_id=n.T_IEC, tek=IecTek(oid=oid, specific=b"\x04\x01\x00", spi=b"\0\0\0\7", auth=3, enc=2, lifetime=600,
                                              attributes=[tlv(1, (30).to_bytes(4, "big")), tv(2, 95)]))
    gone = Delete(protocol=3, spi_size=4, spis=b"\0\0\0\6")
    octets, payloads = push_of(kek(), GdoiSA(attributes=[tek]), KeyPacket(kd_type=n.KD_TEK, spi=b"\0\0\0\7", attributes=[
        tlv(1, bytes(16)), tlv(2, bytes(32))]), before=[gone])
    pcap = capture(tmp_path / "x.pcap", [("10.0.0.1", "239.1.1.1", octets)])
    frame, = frames(pcap, log=keylog(tmp_path, line_of(kek())))
    assert frame.experts == []
    assert frame.octets()[:len(payloads)] == chained_to_sig(payloads)
    assert frame.shown("sat.auth") == ["3"] and frame.shown("sat.enc") == ["2"]
    assert frame.shown("oid.text") == ["1.0.1.0.0.1"]


@pytest.mark.req("RFC8263-3-01")
def test_an_acknowledgement_is_shown(tmp_path):
    octets = ack.build(1, bytes(16), SPI, 7, n.ID_IPV4, ADDRESS)
    pcap = capture(tmp_path / "x.pcap", [("10.0.0.1", "10.0.0.2", octets)])
    assert info(pcap) == ["GROUPKEY-PUSH-ACK, SEQ 7, from 10.0.0.1"]
    frame, = frames(pcap)
    assert frame.octets() == octets[28:]


def test_every_cut_and_every_changed_length_is_survived(tmp_path):
    """What decrypts to nonsense is shown as malformed or not opened: never a script error, never a silence."""
    held = lkh_key(5, 9, 16)
    octets, payloads = push_of(kek(), GdoiSA(attributes=[rekey_sa()]), KeyPacket(
        kd_type=n.KD_LKH, spi=NEXT_SPI, attributes=[tlv(2, lkh.update(held, [lkh_key(2, 10, 16)]))]))
    clear = chained_to_sig(payloads)
    wrong = [("10.0.0.1", "239.1.1.1", octets[:28 + 16 * k]) for k in range(1, (len(octets) - 28) // 16)]
    for at in range(0, len(clear), 3):
        for value in (0, 255):
            spoilt = bytearray(clear)
            spoilt[at] = value
            wrong.append(("10.0.0.1", "239.1.1.1", push.seal(kek(), PRIVATE, bytes(spoilt), signature=bytes(256))))
    pcap = capture(tmp_path / "x.pcap", wrong)
    lines = info(pcap, log=keylog(tmp_path, line_of(kek()), f"GDOI_LKH {SPI.hex()} 5 9 {(held.iv + held.key).hex()}"))
    assert len(lines) == len(wrong)
    assert sum("[malformed]" in x for x in lines) > 5 and sum("does not fit" in x for x in lines) > 3


def test_a_key_log_with_errors_is_named(tmp_path):
    octets, _ = push_of(kek(), GdoiSA(attributes=[rekey_sa()]))
    pcap = capture(tmp_path / "x.pcap", [("10.0.0.1", "239.1.1.1", octets)])
    frame, = frames(pcap, log=keylog(tmp_path, "GDOI_KEK 00", line_of(kek()), "IKEV1_IV x", "# a comment"))
    assert "2 lines of the key log file cannot be read" in frame.experts
    assert frame.shown("seq") == ["7"]
    frame, = frames(pcap, log=tmp_path / "missing")
    assert "the key log file cannot be read" in frame.experts


# ------------------------------------------------------------------- what the daemons say to each other

@pytest.fixture
def spoken(tmp_path, net_prefix):
    """A group of gdoi-gcks and two gdoi-gm that have registered, been rekeyed and acknowledged; one was evicted, one has left."""
    with opened(tmp_path, net_prefix) as make:
        def speak(inside="", **how):
            g = make("alice", "bob", start=False, ack={"type": "lkh-sha256", "missed": 3}, **how)
            put = lambda xml: xml.replace("  </phase1>", f"{inside}  </phase1>")
            g.write_config(put(g.config()))
            g.start()
            members = [g.member(name) for name in ("alice", "bob")]
            for m in members:
                m.write(put(m.config.read_text()))
                m.start()
                m.control("join")
            wait_all(members, "joined")
            for words in (("rekey", "tek"), ("rekey", "kek")):
                mark = g.keys.mark()
                g.keys.control(*words)
                for name in ("alice", "bob"):
                    g.keys.wait("acked", since=mark, where=lambda e, n=name: n in e["peer"])
            mark = members[0].mark()
            g.keys.control("evict", forms.fqdn("bob"))
            members[0].wait("rekeyed", since=mark)
            members[0].control("leave")
            members[0].wait("told")
            g.finish()
            return g
        yield speak


def test_our_own_sessions_are_opened_to_the_last_octet(spoken):
    """Phase 1, GROUPKEY-PULL, GROUPKEY-PUSH with update arrays, acknowledgements and Informational exchanges off the wire, with
    nothing but the key log of the daemons."""
    g = spoken()
    # Who has waited for an answer says it again, as octets: that is the same message once more.
    read = list({f.octets(): f for f in frames(g.capture.path, log=g.keylog) if f.fields}.values())
    lines = info(g.capture.path, log=g.keylog)
    assert not any("[no key" in line or "does not fit" in line for line in lines), lines
    assert [f.experts for f in read if f.experts] == []
    exchanges = collections.Counter(int(e) for f in read for e in f.shown("exchange")[:1])
    assert {n.X_MAIN, n.X_PULL, n.X_PUSH, n.X_ACK, 5} <= set(exchanges), exchanges
    assert exchanges[n.X_MAIN] == 4 and exchanges[n.X_PULL] == 8 and exchanges[n.X_PUSH] >= 3, exchanges
    assert any(f.shown("lkh.opened") for f in read), "an update array"


def test_wireshark_itself_opens_phase_1_and_pull(spoken, tmp_path):
    """Without a script of ours: its own dissector, which knows phase 1 of DOI 1, and one line of the key log for each SA."""
    g = spoken('    <dialect><switch name="p1_doi" value="1"/><switch name="p1_situation" value="1"/></dialect>\n')
    # It takes the last block that it has seen for the IV, so that what was said again has to go.
    once = {(d.source, d.destination, d.payload): None for d in wire.datagrams(g.capture.path)}
    pcap = capture(tmp_path / "once.pcap", once)
    keys = [line.split() for line in g.keylog.read_text().splitlines() if line.startswith("IKEV1_KEY")]
    tables = [word for k in keys for word in ("-o", f"uat:ikev1_decryption_table:{k[1]},{k[3]}")]
    done = subprocess.run(["tshark", "-n", "-r", pcap, *tables, "-d", "udp.port==848,isakmp", "-Y", "isakmp.flag_e == 1",
                           "-T", "fields", "-e", "isakmp.exchangetype", "-e", "isakmp.typepayload"],
                          capture_output=True, text=True, check=True)
    told = [line.split("\t") for line in done.stdout.splitlines()]
    of = lambda x: {payloads for exchange, payloads in told if int(exchange) == x}
    assert of(n.X_MAIN) and all(p.startswith("5,8") for p in of(n.X_MAIN)), "ID and HASH"
    assert {p.split(",")[0] for p in of(n.X_PULL)} == {"8"}, told
    shapes = {tuple(p.split(",")[:3]) for p in of(n.X_PULL)}
    assert any(s[1:] == ("10", "5") for s in shapes) and any(s[1:] == ("10", "1") for s in shapes), "Ni and ID, Nr and SA"
