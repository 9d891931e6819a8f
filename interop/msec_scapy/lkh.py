# SPDX-License-Identifier: BSD-2-Clause
"""Keys of a group: what a member holds, and the tree of the key server.

`Ring` follows RFC 4535 section 7.5.2 as a member does. `Tree` is a logical key
hierarchy of any degree (RFC 2627, RFC 4535 appendix A) whose nodes are numbered
breadth-first from one; the traffic key takes the place of the root.
"""
import os
from dataclasses import dataclass

from . import crypto
from . import protect
from . import registry as reg
from .dialect import STRICT
from .gsakmp import (KeyDatum, KeyDownloadData, KeyDownloadItem, KeyPackage, RekeyArray,
                     RekeyPackages)
from .refusal import Refusal
from .times import date, undate


@dataclass(frozen=True)
class Key:
    key_type: int
    key_id: bytes
    handle: bytes
    created: bytes
    expires: bytes
    key: bytes

    def datum(self):
        return KeyDatum(key_type=self.key_type, key_id=self.key_id, handle=self.handle,
                        created=self.created, expires=self.expires, key=self.key)

    @classmethod
    def of(cls, datum):
        return cls(datum.key_type, datum.key_id, datum.handle, datum.created, datum.expires,
                   datum.key)

    def __str__(self):
        return f"{self.key_id.hex()}/{self.handle.hex()}"


def _valid_datum(datum, private):
    from .message import is_date
    if not reg.KEY_TYPE.known(datum.key_type, private):
        raise Refusal(reg.N_KEY_INFO, "RFC4535-7.4.2-04", "Key Type", str(datum.key_type))
    for name, value in (("Key Creation Date", datum.created),
                        ("Key Expiration Date", datum.expires)):
        if not is_date(value):
            raise Refusal(reg.N_KEY_INFO, "RFC4535-7.4.1.1-05", name)
    return Key.of(datum)


def package_keys(package):
    """The Key Datums of a Key Package: one, or (keypkg_lkh_body=array) those of its array."""
    body = package.body
    return body.getfieldval("keys") if isinstance(body, RekeyArray) else [body]


class Ring:
    """The keys of one member in one group."""

    def __init__(self, dialect=STRICT, private=False):
        self.dialect, self.private = dialect, private
        self.gtpk, self.kek = {}, {}  # Key ID -> Key
        self.member_id = None

    def install(self, data, now):
        """All keys of a Key Download, or none of them and a Refusal (7.4.2)."""
        gtpk, kek, member_id = {}, {}, None
        for item in data.items:
            if not reg.KDD_ITEM.known(item.item_type):
                raise Refusal(reg.N_MALFORMED, "RFC4535-7.4.2-03", "KDD Item Type",
                              str(item.item_type))
            if item.item_type == reg.KDD_GTPK:
                datums, into = [item.body], gtpk
            else:
                if item.body.rekey_version != 1:
                    raise Refusal(reg.N_MALFORMED, "RFC4535-A.2-01", "Rekey Version")
                datums, into, member_id = item.body.getfieldval(
                    "keys"), kek, item.body.member_id
            for datum in datums:
                key = _valid_datum(datum, self.private)
                if undate(key.expires) <= now:
                    raise Refusal(reg.N_KEY_INFO, "RFC4535-7.4.2-05", "Key Expiration Date")
                into[key.key_id] = key
        if not gtpk:
            raise Refusal(reg.N_KEY_INFO, "RFC4535-7.4.1-03", "Key Download", "no GTPK")
        self.gtpk, self.kek, self.member_id = gtpk, kek, member_id
        return list(gtpk.values()) + list(kek.values())

    def apply(self, payloads, now):
        """Work through Rekey Event payloads: (keys that changed, refusals)."""
        pending = [red for p in payloads for red in p.datas]
        changed, faults = [], []
        progress = True
        while progress and pending:
            progress, later = False, []
            for red in pending:
                held = next((k for k in self.kek.values() if k.handle == red.wrap_handle
                             and k.key_id.endswith(red.wrap_id)), None)
                if held is None:
                    later.append(red)
                    continue
                progress = True
                self._apply_one(red, held, now, changed, faults)
            pending = later
            if self.dialect.rekey_order == "single":
                break
        return changed, faults

    def _apply_one(self, red, held, now, changed, faults):
        try:
            opened = protect.open_rekey_data(red, held.key_type, held.key, self.dialect)
        except protect.FormError as e:
            faults.append(Refusal(reg.N_MALFORMED, "RFC4535-7.5.2-07", "Rekey Event Data", str(e)))
            return
        except crypto.CryptoError as e:
            faults.append(Refusal(reg.N_MALFORMED, "RFC4535-7.5.2-11", "Rekey Event Data", str(e)))
            return
        try:
            self._well_formed(opened.packages)
        except Refusal as e:  # nothing of it is taken; other Rekey Event Datas may be
            faults.append(e)
            return
        for package in opened.packages:
            for datum in package_keys(package):
                try:
                    key = self._update(package, datum, now)
                    if key is not None:
                        changed.append(key)
                except Refusal as e:
                    faults.append(e)

    def _well_formed(self, packages):
        """What a Rekey Event Data has to be as a whole, whatever keys the member holds."""
        seen = set()
        for package in packages:
            if not reg.KDD_ITEM.known(package.package_type):
                raise Refusal(reg.N_MALFORMED, "RFC4535-7.5.2-12", "Key Package Type")
            if isinstance(package.body, RekeyArray) and package.body.rekey_version != 1:
                raise Refusal(reg.N_MALFORMED, "RFC4535-A.2-01", "Rekey Version")
            for datum in package_keys(package):
                if not reg.KEY_TYPE.known(datum.key_type, self.private):
                    raise Refusal(reg.N_KEY_INFO, "RFC4535-7.5.2-13", "Key Type",
                                  str(datum.key_type))
                key = _valid_datum(datum, self.private)
                if (key.key_id, key.handle) in seen:
                    raise Refusal(reg.N_KEY_INFO, "RFC4535-7.4.1.1-06", "Key Handle", str(key))
                seen.add((key.key_id, key.handle))

    def _update(self, package, datum, _now):
        key = Key.of(datum)
        table = self.gtpk if package.package_type == reg.KDD_GTPK else self.kek
        held = table.get(key.key_id)
        if held is None or held.key_type != key.key_type:
            raise Refusal(reg.N_KEY_INFO, "RFC4535-7.5.2-14", "Key ID", key.key_id.hex())
        if key == held:
            return None  # the event of our own join, or one sent again
        if key.handle == held.handle:  # one name, one key
            raise Refusal(reg.N_KEY_INFO, "RFC4535-7.4.1.1-06", "Key Handle", str(key))
        if key.created < held.created or (key.created == held.created
                                          and self.dialect.date_equal == "reject"):
            raise Refusal(reg.N_KEY_INFO, "RFC4535-7.5.2-16", "Key Creation Date", str(key))
        if key.expires <= key.created:
            raise Refusal(reg.N_KEY_INFO, "RFC4535-7.5.2-17", "Key Expiration Date", str(key))
        table[key.key_id] = key
        return key


class KeyMaker:
    """Fresh keys with handles that never repeat and creation dates that always advance."""

    def __init__(self, key_type, lifetime=86400, dialect=STRICT, random=os.urandom):
        self.key_type, self.lifetime, self.dialect, self.random = (key_type, lifetime, dialect,
                                                                   random)
        self.handle = 0
        self.last = {}  # Key ID -> creation date as a number of seconds

    def make(self, key_id, now):
        at = max(int(now), self.last.get(key_id, -1) + 1)
        self.last[key_id] = at
        self.handle += 1
        return Key(self.key_type, key_id, self.handle.to_bytes(4, "big"), date(at),
                   date(at + self.lifetime),
                   self.random(crypto.key_len(self.key_type, self.dialect)))


@dataclass(frozen=True)
class Wrap:
    """One Rekey Event Data to be: the key it is wrapped in and what it carries."""
    wrapping: Key
    keys: list
    with_gtpk: bool


def node_id(number):
    return number.to_bytes(4, "big")


class Tree:
    """The hierarchy of a key server. Members are whatever hashable the caller likes."""

    def __init__(self, maker, degree=2, depth=4):
        self.maker, self.degree, self.depth = maker, degree, depth
        self.first_leaf = sum(degree**level for level in range(depth)) + 1
        self.leaves = {}  # member -> leaf node
        self.keys = {}  # node -> Key

    def parent(self, node):
        return (node - 2) // self.degree + 1

    def children(self, node):
        first = self.degree * (node - 1) + 2
        return range(first, first + self.degree)

    def path(self, node):
        """The node and its ancestors below the root, bottom up."""
        while node > 1:
            yield node
            node = self.parent(node)

    def member_id(self, member):
        return node_id(self.leaves[member] - self.first_leaf + 1)

    def keys_of(self, member):
        return [self.keys[n] for n in self.path(self.leaves[member])]

    def _fresh(self, node, now):
        self.keys[node] = self.maker.make(node_id(node), now)
        return self.keys[node]

    def join(self, member, now):
        """Seat a member. The plan for those inside already, bottom up: [Wrap]."""
        if member in self.leaves:
            raise ValueError("already in the tree")
        taken = set(self.leaves.values())
        leaf = next((n for n in range(self.first_leaf, self.first_leaf + self.degree**self.depth)
                     if n not in taken), None)
        if leaf is None:
            raise ValueError("the tree is full")
        plan = []
        for node in self.path(leaf):
            old = self.keys.get(node)
            new = self._fresh(node, now)
            if old is not None and node != leaf:
                plan.append(Wrap(old, [new], self.parent(node) == 1))
        self.leaves[member] = leaf
        touched = set(self.path(leaf))
        return plan + [Wrap(self.keys[n], [], True) for n in self.children(1)
                       if n in self.keys and n not in touched]

    def evict(self, members, now):
        """Remove members. [Wrap], each in an unchanged key, with all new keys above it."""
        dirty = set()
        for member in members:
            leaf = self.leaves.pop(member)
            del self.keys[leaf]
            dirty.update(n for n in self.path(leaf) if n != leaf)
        used = {n for leaf in self.leaves.values() for n in self.path(leaf)}
        for node in sorted(dirty, reverse=True):
            if node in used:
                self._fresh(node, now)
            else:
                self.keys.pop(node, None)
        plan = []
        for node in sorted(used, reverse=True):
            parent = self.parent(node)
            if node not in dirty and (parent in dirty or parent == 1):
                plan.append(Wrap(self.keys[node],
                                 [self.keys[n] for n in self.path(parent) if n in dirty], True))
        return plan

    def renew(self):
        """Replace the traffic key only: the keys right below the root reach everybody."""
        return [Wrap(self.keys[n], [], True) for n in self.children(1) if n in self.keys]


def wrap(plan, gtpks, dialect=STRICT, random=os.urandom, change=lambda packages: packages):
    """The Rekey Event Datas of a plan; `gtpks` are the new traffic keys. `change` may alter
    the plaintext of each (tests)."""
    out = []
    for entry in plan:
        wrapping = entry.wrapping
        packages = [KeyPackage(package_type=reg.KDD_GTPK, body=k.datum())
                    for k in (gtpks if entry.with_gtpk else ())]
        packages += [KeyPackage(package_type=reg.KDD_LKH, body=_lkh_body(k, dialect))
                     for k in entry.keys]
        out.append(protect.seal_rekey_data(wrapping.key_type, wrapping.key, wrapping.key_id,
                                           wrapping.handle,
                                           change(RekeyPackages(packages=packages)), dialect,
                                           random))
    return out


def _lkh_body(key, dialect):
    if dialect.keypkg_lkh_body == "array":
        return RekeyArray(keys=[key.datum()])
    return key.datum()


def key_download(gtpks, tree=None, member=None):
    """The plaintext of a Key Download: traffic keys, then the member's Rekey Array."""
    items = [KeyDownloadItem(item_type=reg.KDD_GTPK, body=k.datum()) for k in gtpks]
    if tree is not None:
        keys = [k.datum() for k in reversed(tree.keys_of(member))]
        items.append(KeyDownloadItem(item_type=reg.KDD_LKH, body=RekeyArray(
            member_id=tree.member_id(member), keys=keys)))
    return KeyDownloadData(items=items)
