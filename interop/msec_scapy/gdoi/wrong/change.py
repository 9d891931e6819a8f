# SPDX-License-Identifier: BSD-2-Clause
"""Changes that entries are made of."""
from .. import isakmp
from ..group import KD, GAPAttributes, GdoiSA


def of(cls, change):
    """`change` is done to a copy of each payload of a class."""
    def payloads(layers):
        out = []
        for layer in layers:
            if isinstance(layer, cls):
                layer = layer.copy()
                layer = change(layer) or layer
            out.append(layer)
        return out
    return payloads


def setting(cls, **fields):
    """Fields of a payload get other values."""
    def change(layer):
        for name, value in fields.items():
            setattr(layer, name, value(getattr(layer, name)) if callable(value) else value)
    return of(cls, change)


def in_sa(kind, change):
    """`change` is done to the SA attribute payloads of a class (SAK, SAT, GAPAttributes)."""
    def sa(layer):
        links = []
        for link in layer.attributes:
            link = link.copy()
            links += _list(change(link), link) if isinstance(link, kind) else [link]
        for link in links:
            link.next_payload = None
        layer.attribute_np = None
        layer.attributes = links
    return of(GdoiSA, sa)


def _list(made, link):
    return made if isinstance(made, list) else [made or link]


def order(arrange):
    """The list of SA attribute payloads, rearranged."""
    def sa(layer):
        links = arrange([link.copy() for link in layer.attributes])
        for link in links:
            link.next_payload = None
        layer.attribute_np = None
        layer.attributes = links
    return of(GdoiSA, sa)


def in_kd(kind, change):
    """`change` is done to the key packets of a type; a list may take the place of one."""
    def kd(layer):
        packets = []
        for packet in layer.packets:
            packet = packet.copy()
            packets += _list(change(packet), packet) if packet.kd_type == kind else [packet]
        layer.packets = packets
        layer.count = None
    return of(KD, kd)


def attribute(kind, **fields):
    """For in_sa and in_kd: an attribute gets other fields (of a SAT: of its protocol-specific part)."""
    def change(holder):
        inside = getattr(holder, "tek", holder).copy() if hasattr(holder, "tek") else holder
        found = []
        for a in inside.attributes:
            a = a.copy()
            if a.type == kind:
                for name, value in fields.items():
                    setattr(a, name, value(getattr(a, name)) if callable(value) else value)
            found.append(a)
        inside.attributes = found
        if inside is not holder:
            holder.tek = inside
    return change


def more(*extra, first=False):
    """For in_sa and in_kd: attributes are added."""
    def change(holder):
        inside = holder.tek.copy() if hasattr(holder, "tek") else holder
        kept = [a.copy() for a in inside.attributes]
        inside.attributes = [*extra, *kept] if first else [*kept, *extra]
        if inside is not holder:
            holder.tek = inside
    return change


def without(kind):
    def change(holder):
        inside = holder.tek.copy() if hasattr(holder, "tek") else holder
        inside.attributes = [a.copy() for a in inside.attributes if a.type != kind]
        if inside is not holder:
            holder.tek = inside
    return change


def flip(at):
    """One bit of one octet."""
    def change(octets):
        at_ = at % len(octets)
        return octets[:at_] + bytes([octets[at_] ^ 1]) + octets[at_ + 1:]
    return change


def lie(kind, length):
    """A Variable attribute that says another length than it has."""
    return isakmp.Attribute(basic=0, type=kind, length=length, data=b"")


__all__ = ["GAPAttributes", "attribute", "flip", "in_kd", "in_sa", "lie", "more", "of", "order", "setting", "without"]
