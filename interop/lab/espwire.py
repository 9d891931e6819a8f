# SPDX-License-Identifier: BSD-2-Clause
"""What somebody who holds no key sees of ESP in counter modes on a wire: who uses which sender id, and that no two share one.

    who = senders(frames(path), bits=8)     # {SPI: {sender id: address}}

RFC 6054 section 3: the IV of a packet is the sender id, in as many bits as the group says, and a counter.  Two senders with
one sender id, or one sender with one counter twice, would encrypt two texts with one key stream: Shared.
"""
import ipaddress

ESP, IV = 50, 8


class Shared(ValueError):
    pass


def packets(frames):
    """(source, SPI, sequence number, IV) of every ESP packet; a packet that a router forwarded is seen on each segment."""
    for _, _, frame in frames:
        if frame[12:14] == b"\x08\0" and frame[23] == ESP:
            source, body = frame[26:30], frame[14 + 4 * (frame[14] & 15):]
        elif frame[12:14] == b"\x86\xdd" and frame[20] == ESP:
            source, body = frame[22:38], frame[54:]
        else:
            continue
        if len(body) >= 8 + IV:
            yield str(ipaddress.ip_address(source)), body[:4].hex(), int.from_bytes(body[4:8], "big"), body[8:8 + IV]


def senders(frames, bits: int) -> dict:
    found, used = {}, {}
    for source, spi, sequence, iv in packets(frames):
        sid = int.from_bytes(iv, "big") >> 8 * IV - bits
        other = found.setdefault(spi, {}).setdefault(sid, source)
        if other != source:
            raise Shared(f"{other} and {source} both send under {spi} with sender id {sid}")
        before = used.setdefault((spi, iv), sequence)
        if before != sequence:
            raise Shared(f"{source} has used IV {iv.hex()} under {spi} twice, in packets {before} and {sequence}")
    return found
