# SPDX-License-Identifier: BSD-2-Clause
"""What a group's keys are for: the policy of its KEK and of its TEKs, as SAK and SAT say it."""
import ipaddress
from dataclasses import dataclass

from . import numbers as n
from . import values
from .dialect import STRICT
from .group import SAK, SAT, IecTek, IpsecTek
from .isakmp import duration, tlv, tv


@dataclass(frozen=True)
class Selector:
    """An address, a subnet or a range; no data: any."""
    id_type: int = n.ID_IPV4
    data: bytes = b""
    port: int = 0

    @staticmethod
    def parse(text):
        """`any`, `10.0.0.1`, `10.0.0.0/8`, `239.1.1.1:5000`, `[ff02::1]:5000`."""
        if text == "any":
            return Selector()
        port = 0
        if text.startswith("["):
            text, _, tail = text[1:].partition("]")
            port = int(tail.lstrip(":") or 0)
        elif text.count(":") == 1:
            text, port = text.split(":")
            port = int(port)
        if "/" in text:
            net = ipaddress.ip_network(text)
            kind = n.ID_IPV4_SUBNET if net.version == 4 else n.ID_IPV6_SUBNET
            return Selector(kind, net.network_address.packed + net.netmask.packed, port)
        address = ipaddress.ip_address(text)
        return Selector(n.ID_IPV4 if address.version == 4 else n.ID_IPV6, address.packed, port)


@dataclass(frozen=True)
class IpsecPolicy:
    """5.5.1: an SA of ESP or AH."""
    protocol: int = n.T_ESP
    transform: int = 12
    key_bits: int = 128
    auth: int = 5
    mode: int = n.MODE_TUNNEL
    lifetime: int = 3600
    src: Selector = Selector()
    dst: Selector = Selector(n.ID_IPV4, bytes([239, 1, 1, 1]))
    ip_protocol: int = 0
    preserve: int = 0
    direction: int = 0
    source_key: object = None  # RFC 4359: the RSA public key of the source, with auth SIG-RSA
    encoding: int = 2  # 1 RSASSA-PKCS1-v1_5, 2 RSASSA-PSS

    @property
    def counter(self):
        return self.transform in (n.ESP_COUNTER if self.protocol == n.T_ESP else n.AH_COUNTER)

    def sizes(self):
        """(octets of TEK_ALGORITHM_KEY, of TEK_INTEGRITY_KEY)."""
        if self.protocol == n.T_AH:
            return 0, n.AH_KEY.get(self.transform, 0)
        fixed = n.ESP_FIXED.get(self.transform)
        cipher = self.key_bits // 8 + n.ESP_SALT.get(self.transform, 0) if fixed is None else fixed
        return cipher, 0 if self.transform in n.ESP_COMBINED else n.IPSEC_AUTH_KEY.get(self.auth, 0)

    def sat(self, spi, remaining, dialect=STRICT, atd=None):
        del atd  # a GAP has it
        swap = lambda s: values.sat_address(s.data, dialect)
        src = swap(self.src) or values.any_source(dialect)
        return SAT(protocol_id=self.protocol, tek=IpsecTek(
            protocol=self.ip_protocol, src_type=self.src.id_type, src_port=self.src.port, src=src,
            dst_type=self.dst.id_type, dst_port=self.dst.port, dst=swap(self.dst), transform=self.transform,
            spi=spi, attributes=self._attributes(remaining, dialect)))

    def _attributes(self, remaining, dialect):
        out = [tv(n.I_LIFE_TYPE, 1), duration(n.I_LIFE, remaining), tv(n.I_MODE, self.mode)]
        implied = self.protocol == n.T_AH and dialect.ah_authentication == "implied"
        if self.auth and not implied and (self.protocol == n.T_AH or self.transform not in n.ESP_COMBINED):
            out.append(tv(n.I_AUTH, self.auth))
        if self.protocol == n.T_ESP and self.transform not in n.ESP_FIXED:
            out.append(tv(n.I_KEY_LEN, values.sat_key_bits(self.transform, self.key_bits, dialect)))
        if self.auth == n.AUTH_SIG_RSA:
            out += [tv(n.I_AUTH_LEN, self.source_key.key_size), tv(n.I_ENCODING, self.encoding)]
        for kind, value in ((n.I_PRESERVE, self.preserve), (n.I_DIRECTION, self.direction)):
            if value:
                out.append(tv(kind, value))
        return out


@dataclass(frozen=True)
class IecPolicy:
    """RFC 8052 2.2."""
    oid: str = "1.2.840.10070.61850.8.1.2"
    specific: bytes = b""
    auth: int = 2
    enc: int = 1
    lifetime: int = 3600
    kda: int = None
    protocol = n.T_IEC

    @property
    def counter(self):
        return self.auth in n.IEC_COUNTER_AUTH or self.enc in n.IEC_COUNTER_ENC

    def sizes(self):
        return n.IEC_ENC_KEY[self.enc], n.IEC_AUTH_KEY[self.auth]

    def sat(self, spi, remaining, dialect=STRICT, atd=None):
        found = []
        if atd:
            found.append(tlv(1, atd.to_bytes(4, "big")) if dialect.iec_atd == "v4" else tv(1, atd))
        if self.kda is not None:
            found.append(tv(2, self.kda))
        return SAT(protocol_id=n.T_IEC, tek=IecTek(
            oid=values.oid(values.oid_from_text(self.oid), dialect), specific=self.specific, spi=spi,
            auth=values.iec_auth(self.auth, dialect), enc=self.enc, lifetime=remaining, attributes=found))


@dataclass(frozen=True)
class KekPolicy:
    """5.3."""
    algorithm: int = 3
    key_bits: int = 128
    sig: int = 1
    sig_hash: int = 3
    lifetime: int = 86400
    ack: int = 0
    src: Selector = Selector(n.ID_IPV4, bytes([127, 0, 0, 1]), n.PORT)
    dst: Selector = Selector(n.ID_IPV4, bytes([239, 1, 1, 1]), n.PORT)

    @property
    def key_len(self):
        return {1: 8, 2: 24}.get(self.algorithm, self.key_bits // 8)

    def sak(self, spi, signing_key, dialect=STRICT, lkh=False, pull=False):
        found = []
        if lkh and (not pull or dialect.kek_mgmt_in_pull == "include"):
            found.append(tv(n.K_MANAGEMENT, n.MANAGEMENT_LKH))
        found.append(tv(n.K_ALGORITHM, self.algorithm))
        if self.algorithm == 3:
            found.append(tv(n.K_KEY_LENGTH, self.key_bits))
        found.append(tv(n.K_LIFETIME, min(self.lifetime, 65535)) if dialect.kek_lifetime_form == "b"
                     else tlv(n.K_LIFETIME, self.lifetime.to_bytes(4, "big")))
        if self.sig in (1, 2, 3):
            found.append(tv(n.K_SIG_HASH, self.sig_hash))
        found += [tv(n.K_SIG, self.sig), tv(n.K_SIG_LENGTH, signing_key.key_size)]
        if self.ack:
            found.append(tv(n.K_ACK, self.ack))
        return SAK(protocol=17, src_type=self.src.id_type, src_port=self.src.port, src=self.src.data,
                   dst_type=self.dst.id_type, dst_port=self.dst.port, dst=self.dst.data, spi=spi, attributes=found,
                   **({"dst_protocol": 17} if dialect.id_prot_octet == "text" else {}))
