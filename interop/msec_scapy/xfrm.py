# SPDX-License-Identifier: BSD-2-Clause
"""The messages of Linux's XFRM (include/uapi/linux/xfrm.h, netlink.h) for the IPsec SAs of RFC 6407, as octets.

Written from the kernel's header and the registries, with struct; the C builder of gdoi/install was not looked at.
`python3 -m msec_scapy.xfrm` writes interop/vectors/xfrm/messages.json again (--check: says whether it would change).
"""
import argparse
import ipaddress
import json
import pathlib
import struct
import sys

VECTORS = pathlib.Path(__file__).parents[1] / "vectors" / "xfrm" / "messages.json"

# enum nlmsg types of xfrm.h, and flags of netlink.h
NEWSA, DELSA, NEWPOLICY, DELPOLICY, UPDPOLICY, UPDSA = 0x10, 0x11, 0x13, 0x14, 0x19, 0x1A
REQUEST, ACK, EXCL, CREATE = 0x1, 0x4, 0x200, 0x400
# enum xfrm_attr_type_t
ALG_CRYPT, TMPL, ALG_AEAD, ALG_AUTH_TRUNC, REPLAY_ESN_VAL = 2, 5, 18, 20, 23
TRANSPORT, TUNNEL = 0, 1  # XFRM_MODE_*
NOECN, ESN = 1, 128  # XFRM_STATE_*
IN, OUT, FWD = 0, 1, 2
ALLOW, BLOCK = 0, 1
INF = 0xFFFFFFFFFFFFFFFF
AF = {4: 2, 16: 10}
ESP, AH, UDP = 50, 51, 17

# ESP transform: kernel's name, octets of salt behind the key, bits of ICV (0: no AEAD)
ESP_TRANSFORMS = {2: ("cbc(des)", 0, 0), 3: ("cbc(des3_ede)", 0, 0), 11: ("ecb(cipher_null)", 0, 0), 12: ("cbc(aes)", 0, 0),
                  13: ("rfc3686(ctr(aes))", 4, 0), 14: ("rfc4309(ccm(aes))", 3, 64), 15: ("rfc4309(ccm(aes))", 3, 96),
                  16: ("rfc4309(ccm(aes))", 3, 128), 18: ("rfc4106(gcm(aes))", 4, 64), 19: ("rfc4106(gcm(aes))", 4, 96),
                  20: ("rfc4106(gcm(aes))", 4, 128), 22: ("cbc(camellia)", 0, 0), 23: ("rfc4543(gcm(aes))", 4, 128)}
# Authentication Algorithm: kernel's name, octets of key, bits of ICV
AUTHS = {1: ("hmac(md5)", 16, 96), 2: ("hmac(sha1)", 20, 96), 5: ("hmac(sha256)", 32, 128), 6: ("hmac(sha384)", 48, 192),
         7: ("hmac(sha512)", 64, 256), 8: ("hmac(rmd160)", 20, 96), 9: ("xcbc(aes)", 16, 96)}
COUNTER = {13, 14, 15, 16, 18, 19, 20, 23}


def message(kind: int, flags: int, seq: int, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return struct.pack("=IHHII", 16 + len(data), kind, REQUEST | ACK | flags, seq, 0) + data


def attribute(kind: int, data: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def address(text: str) -> bytes:
    return (ipaddress.ip_address(text).packed if text else b"").ljust(16, b"\0")


class Sa:
    """One IPsec SA as a dictionary (see the vectors), and what becomes of it."""

    def __init__(self, sat: dict, options: dict):
        self.sat, self.options = sat, options
        self.dst = ipaddress.ip_address(sat["dst"])
        self.src = ipaddress.ip_network(sat["src"]) if sat["src"] else None
        self.family = AF[len(self.dst.packed)]
        self.one = self.src is not None and self.src.prefixlen == self.dst.max_prefixlen
        self.proto = {"esp": ESP, "ah": AH}[sat["protocol"]]
        self.spi = bytes.fromhex(sat["spi"])
        self.mode = TUNNEL if sat.get("tunnel") else TRANSPORT
        self.window = options.get("window", 0) if self.one else 0
        local = options.get("local", "")
        self.outer = str(self.src.network_address) if self.one else local if self.mode == TUNNEL else ""
        counts = self.proto == ESP and sat["transform"] in COUNTER
        direction = sat.get("direction", 3)
        self.receive = direction != 1
        self.send = (direction != 2 and sat.get("may_send", True) and not (counts and not self.one and not options.get("random_iv"))
                     and not (self.mode == TUNNEL and not self.outer))

    def selector(self) -> bytes:
        port = lambda n: struct.pack(">HH", n, 0xFFFF if n else 0)
        src = str(self.src.network_address) if self.src else ""
        s = address(str(self.dst)) + address(src) + port(self.sat.get("dst_port", 0)) + port(self.sat.get("src_port", 0))
        bits = self.src.prefixlen if self.src else 0
        s += struct.pack("=HBBB3x", self.family, self.dst.max_prefixlen, bits, self.sat.get("ip_protocol", 0))
        return s + struct.pack("=iI", 0, 0)  # ifindex, user

    @staticmethod
    def limits(octets: int = 0, seconds: int = 0) -> bytes:
        # a tenth before the end there is a word from the kernel
        return struct.pack("=8Q", octets - octets // 10 or INF, octets or INF, INF, INF, 0, seconds, 0, 0)

    def ident(self, spi: bytes) -> bytes:
        return address(str(self.dst)) + spi + bytes([self.proto]) + bytes(3)

    def big_window(self) -> bool:
        return bool(self.sat.get("esn")) or self.window > 32

    def state(self, update: bool = False, seq: int = 1) -> bytes:
        flags = (ESN if self.sat.get("esn") else 0) | (NOECN if self.mode == TUNNEL and self.sat.get("ecn_tunnel") == 2 else 0)
        info = bytes(56) + self.ident(self.spi) + address(self.outer)
        info += self.limits(self.sat.get("life_kb", 0) * 1024, self.sat.get("life_s", 0)) + bytes(32)  # and curlft
        info += bytes(12)  # stats
        info += struct.pack("=IIHBBB7x", 0, self.options["reqid"], self.family, self.mode, 0 if self.big_window() else self.window, flags)
        assert len(info) == 224
        out = [info, *self.algorithms()]
        if self.big_window():
            words = -(-self.window // 32)
            out.append(attribute(REPLAY_ESN_VAL, struct.pack("=6I", words, 0, 0, 0, 0, self.window) + bytes(4 * words)))
        return message(UPDSA, 0, seq, *out) if update else message(NEWSA, CREATE | EXCL, seq, *out)

    def algorithms(self) -> list:
        out = []
        key = bytes.fromhex(self.sat.get("key", ""))
        integrity = bytes.fromhex(self.sat.get("integrity", ""))
        if self.proto == ESP:
            name, _, icv = ESP_TRANSFORMS[self.sat["transform"]]
            name = name.encode().ljust(64, b"\0")
            if icv:
                out.append(attribute(ALG_AEAD, name + struct.pack("=II", 8 * len(key), icv) + key))
            else:
                out.append(attribute(ALG_CRYPT, name + struct.pack("=I", 8 * len(key)) + key))
        if self.sat.get("authentication"):
            name, octets, icv = AUTHS[self.sat["authentication"]]
            assert len(integrity) == octets
            out.append(attribute(ALG_AUTH_TRUNC, name.encode().ljust(64, b"\0") + struct.pack("=II", 8 * octets, icv) + integrity))
        return out

    def no_state(self, seq: int = 1) -> bytes:
        return message(DELSA, 0, seq, address(str(self.dst)) + self.spi + struct.pack("=HBx", self.family, self.proto))

    def template(self, way: int) -> bytes:
        outer = self.outer if way == OUT or self.one else ""
        t = self.ident(self.spi if way == OUT else bytes(4)) + struct.pack("=HH", self.family, 0) + address(outer)
        t += struct.pack("=IBBBxIII", self.options["reqid"], self.mode, 0, 0, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
        assert len(t) == 64
        return attribute(TMPL, t)

    def policy(self, way: int, block: bool = False, update: bool = False, seq: int = 1) -> bytes:
        p = self.selector() + self.limits() + bytes(32)
        p += struct.pack("=IIBBBB4x", self.options.get("priority", 0), index(self.options.get("mark", 0), way), way,
                         BLOCK if block else ALLOW, 0, 0)
        assert len(p) == 168
        parts = [p] if block else [p, self.template(way)]
        return message(UPDPOLICY, 0, seq, *parts) if update else message(NEWPOLICY, CREATE | EXCL, seq, *parts)

    def no_policy(self, way: int, seq: int = 1) -> bytes:
        return message(DELPOLICY, 0, seq, self.selector() + struct.pack("=IB3x", 0, way))

    def messages(self) -> dict:
        out = {"NEWSA": self.state(), "UPDSA": self.state(update=True), "DELSA": self.no_state()}
        for name, way in (("in", IN), ("out", OUT), ("fwd", FWD)):
            out[f"NEWPOLICY {name}"] = self.policy(way)
            out[f"UPDPOLICY {name}"] = self.policy(way, update=True)
            out[f"NEWPOLICY {name} block"] = self.policy(way, block=True)
            out[f"DELPOLICY {name}"] = self.no_policy(way)
        return {k: v.hex() for k, v in out.items()}


def index(mark: int, way: int) -> int:
    """The number of a policy: its low bits are the direction; 0 leaves it to the kernel."""
    return mark << 3 | way if mark else 0


def bypass(dst: str, port: int, priority: int, mark: int = 0, seq: int = 1) -> bytes:
    """GROUPKEY-PUSHes to `dst` are let in as they are."""
    sa = Sa({"protocol": "esp", "transform": 12, "dst": dst, "src": "", "spi": "00000000", "ip_protocol": UDP, "dst_port": port},
            {"reqid": 0, "priority": priority})
    p = sa.selector() + sa.limits() + bytes(32) + struct.pack("=IIBBBB4x", priority, index(mark, IN), IN, ALLOW, 0, 0)
    return message(UPDPOLICY, 0, seq, p)


# -- the vectors --------------------------------------------------------------------------------------------------------

def octets(start: int, n: int) -> str:
    return bytes((start + i) & 0xFF for i in range(n)).hex()


def everything() -> list:
    options = {"reqid": 0x8480001, "priority": 1000, "window": 32}
    one = {"src": "10.9.0.1/32", "dst": "239.1.1.1", "spi": "00001001"}
    many = {"src": "", "dst": "239.1.1.1", "spi": "00001002"}
    cbc = {"protocol": "esp", "transform": 12, "key": octets(0, 16), "authentication": 5, "integrity": octets(64, 32)}
    gcm = {"protocol": "esp", "transform": 20, "key": octets(0, 20)}
    out = []

    def add(name, about, sat, **more):
        out.append({"id": name, "about": about, "sat": sat, "options": {**options, **more}})

    add("transport-one", "one sender: a replay window, its address in state and template", {**cbc, **one, "ip_protocol": 17})
    add("transport-any", "any source: no address, no window", {**cbc, **many, "life_s": 3600})
    add("transport-subnet", "senders of a network", {**cbc, **many, "src": "10.9.0.0/16", "ip_protocol": 17, "dst_port": 5000, "src_port": 4000})
    add("tunnel-one", "tunnel with both addresses preserved", {**cbc, **one, "tunnel": True, "life_kb": 5000, "life_s": 100})
    add("tunnel-any", "tunnel of any source: what we send comes from our own address", {**cbc, **many, "tunnel": True, "ecn_tunnel": 2}, local="10.9.0.7")
    add("tunnel-any-no-address", "nothing to send from", {**cbc, **many, "tunnel": True, "ecn_tunnel": 1})
    add("esn", "extended sequence numbers and their window", {**cbc, **one, "esn": 1}, window=64)
    add("window-100", "more packets than the old field holds", {**cbc, **one}, window=100)
    add("window-4096", "as many as there can be", {**cbc, **one, "esn": 1, "authentication": 7, "integrity": octets(1, 64), "key": octets(0, 32)}, window=4096)
    add("window-off", "none wanted", {**cbc, **one}, window=0)
    add("receiver-only", "of a receiver", {**cbc, **one, "direction": 2})
    add("sender-only", "of the sender", {**cbc, **one, "direction": 1})
    add("silent", "this member is no sender", {**cbc, **many, "may_send": False})
    add("ipv6-transport", "IPv6, one sender", {**gcm, "src": "fd09::1/128", "dst": "ff15::1", "spi": "00001003"})
    add("ipv6-any", "IPv6, any source", {**cbc, "src": "", "dst": "ff15::2", "spi": "fedcba98", "ip_protocol": 17, "dst_port": 5000})
    add("ipv6-tunnel", "IPv6 tunnel of a network's senders", {**cbc, "src": "fd09::/64", "dst": "ff15::3", "spi": "00000100", "tunnel": True}, local="fd09::9")
    add("marked", "policies with an index by which they are found again", {**cbc, **one}, mark=848007)
    add("unicast", "a group of two hosts", {**cbc, "src": "10.9.0.1/32", "dst": "10.9.0.2", "spi": "00001004"})
    for transform, (name, salt, icv) in ESP_TRANSFORMS.items():
        for length in {2: (8,), 3: (24,), 11: (0,)}.get(transform, (16, 24, 32)):
            sat = {"protocol": "esp", "transform": transform, "key": octets(transform, length + salt), **one}
            if not icv:
                sat.update(authentication=2, integrity=octets(64, 20))
            add(f"esp/{transform}/{length * 8}", f"{name}, {length * 8} bits" + (f", ICV {icv}" if icv else ""), sat)
    add("esp/12/no-integrity", "encryption alone", {**one, "protocol": "esp", "transform": 12, "key": octets(0, 16)})
    for number, (name, length, icv) in AUTHS.items():
        add(f"esp/auth/{number}", name, {**cbc, **one, "authentication": number, "integrity": octets(number, length)})
        ah = {1: 2, 2: 3}.get(number, number)
        add(f"ah/{ah}", name, {**one, "protocol": "ah", "transform": ah, "authentication": number, "integrity": octets(number, length)})
    add("ah/tunnel-any", "AH in a tunnel", {**many, "protocol": "ah", "transform": 5, "authentication": 5, "integrity": octets(5, 32), "tunnel": True}, local="10.9.0.7")
    add("gcm-many", "several senders under a counter mode: we only listen", {**gcm, **many, "sid_bits": 8})
    add("gcm-many-random", "unless the kernel's own IVs are good enough", {**gcm, **many, "sid_bits": 8}, random_iv=True)
    add("ctr-many", "the same with CTR", {**many, "protocol": "esp", "transform": 13, "key": octets(0, 20), "authentication": 2, "integrity": octets(9, 20)})
    for v in out:
        sa = Sa(v["sat"], v["options"])
        all_of_them = sa.messages()
        if "/" in v["id"]:  # algorithms show in the state alone
            all_of_them = {"NEWSA": all_of_them["NEWSA"]}
        v["receive"], v["send"], v["messages"] = sa.receive, sa.send, all_of_them

    def refuse(name, about, sat, **more):
        out.append({"id": f"refused/{name}", "about": about, "sat": sat, "options": {**options, **more}, "refused": True})
    refuse("network", "a state has one destination", {**cbc, **one, "dst": "239.1.1.0/24"})
    refuse("families", "IPv4 to IPv6", {**cbc, **one, "dst": "ff15::1"})
    refuse("esn-many", "extended sequence numbers with several senders", {**cbc, **many, "esn": 1})
    refuse("esn-no-window", "or without a window", {**cbc, **one, "esn": 1}, window=0)
    refuse("preserve-none", "a tunnel that ends nowhere", {**cbc, **one, "tunnel": True, "address_preservation": 1})
    refuse("preserve-source", "or only begins", {**cbc, **one, "tunnel": True, "address_preservation": 2})
    refuse("null-null", "neither encryption nor integrity", {**one, "protocol": "esp", "transform": 11, "key": ""})
    refuse("ctr-alone", "CTR without integrity", {**one, "protocol": "esp", "transform": 13, "key": octets(0, 20)})
    refuse("transform", "RC5", {**cbc, **one, "transform": 4})
    refuse("authentication", "KPDK", {**cbc, **one, "authentication": 4})
    for protocol, transform in (("esp", 12), ("ah", 10)):
        refuse(f"signed-{protocol}", "signatures of a source (RFC 4359), which no kernel verifies",
               {**one, "protocol": protocol, "transform": transform, "authentication": 10,
                "key": octets(0, 16) if protocol == "esp" else ""})
    refuse("key-length", "an AES key of 15 octets", {**cbc, **one, "key": octets(0, 15)})
    refuse("no-salt", "GCM without its salt", {**gcm, **one, "key": octets(0, 16)})
    refuse("integrity-length", "a short HMAC key", {**cbc, **one, "integrity": octets(0, 31)})
    refuse("ah-gmac", "GMAC in AH", {**one, "protocol": "ah", "transform": 11, "authentication": 11, "integrity": octets(0, 20)})
    refuse("ah-mismatch", "AH transform and algorithm of two minds", {**one, "protocol": "ah", "transform": 3, "authentication": 5, "integrity": octets(0, 32)})
    refuse("iec", "no IPsec at all", {**cbc, **one, "protocol": "iec"})
    return out


def document() -> str:
    about = ("Messages of Linux's XFRM for IPsec SAs of RFC 6407: 64-bit, little-endian, netlink sequence number 1. Keys are printed "
             "here and must never protect anything.")
    passes = [{"dst": d, "port": 848, "priority": 999, "mark": m, "message": bypass(d, 848, 999, m).hex()}
              for d, m in (("239.9.9.9", 0), ("ff15::99", 0), ("239.9.9.9", 848640))]
    return json.dumps({"about": about, "vectors": everything(), "bypass": passes}, indent=1) + "\n"


def main(argv: list) -> int:
    p = argparse.ArgumentParser(prog="python3 -m msec_scapy.xfrm", description=__doc__.splitlines()[0])
    p.add_argument("--check", action="store_true")
    args = p.parse_args(argv)
    text = document()
    if args.check:
        return 0 if VECTORS.exists() and VECTORS.read_text() == text else 1
    VECTORS.parent.mkdir(exist_ok=True)
    VECTORS.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
