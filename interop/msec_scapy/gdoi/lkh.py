# SPDX-License-Identifier: BSD-2-Clause
"""Logical Key Hierarchies (RFC 2627 5.4) in the arrays of RFC 6407 5.6.3.

Nodes are numbered as in a heap: the root, whose key is the KEK, is 1, the children of n are 2n and
2n + 1. That is our way to choose LKH IDs; a member takes whatever IDs it is given.
"""
import os
from dataclasses import dataclass

from . import numbers as n
from . import suite as suites
from .dialect import STRICT
from .group import LKHDownload, LKHKey, LKHUpdate

MAX_DEPTH = 15  # an LKH ID has 16 bits


class LkhError(ValueError):
    pass


@dataclass(frozen=True)
class Key:
    lkh_id: int
    handle: int
    key_type: int
    iv: bytes
    key: bytes
    created: int = 0
    expires: int = 0

    @property
    def cipher(self):
        return n.KEK[self.key_type]

    def layer(self, data):
        return LKHKey(lkh_id=self.lkh_id, key_type=self.key_type, created=self.created, expires=self.expires,
                      handle=self.handle, data=data, room=len(data))


# -------------------------------------------------------------------- Key Data, 5.6.3.2

def wrap(under, new, dialect=STRICT):
    """Key Data of `new` as an update array carries it."""
    block = suites.BLOCK[under.cipher]
    key = suites.pad(new.key, block)
    if dialect.lkh_wrap == "iv+key":
        return suites.cbc_encrypt(under.cipher, under.key, under.iv, suites.pad(new.iv + new.key, block))
    if dialect.lkh_wrap == "key-own-iv":
        return new.iv + suites.cbc_encrypt(under.cipher, under.key, new.iv, key)
    return new.iv + suites.ecb_encrypt(under.cipher, under.key, key)


def unwrap(under, data, key_len, dialect=STRICT):
    """(IV, key)."""
    block = suites.BLOCK[under.cipher]
    if len(data) % block or len(data) < block + key_len:
        raise LkhError(f"{len(data)} octets of Key Data")
    if dialect.lkh_wrap == "iv+key":
        data = suites.cbc_decrypt(under.cipher, under.key, under.iv, data)
    elif dialect.lkh_wrap == "key-own-iv":
        data = data[:block] + suites.cbc_decrypt(under.cipher, under.key, data[:block], data[block:])
    else:
        data = data[:block] + suites.ecb_decrypt(under.cipher, under.key, data[block:])
    if any(data[block + key_len:]):
        raise LkhError("padding that is not zero")
    return data[:block], data[block:block + key_len]


def wrapped_len(key_type, key_len):
    """Octets of Key Data in an update array; the same in all readings."""
    block = suites.BLOCK[n.KEK[key_type]]
    return block + -(-key_len // block) * block


# ------------------------------------------------------------------------------- arrays

def download(keys):
    """The octets of an LKH_DOWNLOAD_ARRAY: the member's leaf first, the KEK last."""
    return bytes(LKHDownload(keys=[k.layer(k.iv + k.key) for k in keys]))


def update(under, keys, dialect=STRICT):
    """The octets of an LKH_UPDATE_ARRAY: `keys` upward, each under the one before it."""
    layers, before = [], under
    for key in keys:
        layers.append(key.layer(wrap(before, key, dialect)))
        before = key
    return bytes(LKHUpdate(lkh_id=under.lkh_id, handle=under.handle, keys=layers))


class Ring:
    """The keys of a member: its path, leaf first."""

    def __init__(self, keys=()):
        self.keys = {k.lkh_id: k for k in keys}
        self.path = [k.lkh_id for k in keys]

    @property
    def leaf(self):
        return self.keys[self.path[0]]

    @property
    def kek(self):
        return self.keys[self.path[-1]]

    def matching(self, arrays):
        """The first update array (a checked LKHUpdate) that starts under a key we hold."""
        return next((a for a in arrays if a.lkh_id in self.keys
                     and self.keys[a.lkh_id].handle == a.handle), None)

    def apply(self, arrays, dialect=STRICT):
        """The new KEK, or None when no array is for us. Nothing changes before all of it is read."""
        array = self.matching(arrays)
        if array is None:
            return None
        before, new = self.keys[array.lkh_id], []
        for layer in array.keys:
            iv, key = unwrap(before, layer.data, len(before.key), dialect)
            before = Key(layer.lkh_id, layer.handle, layer.key_type, iv, key, layer.created, layer.expires)
            new.append(before)
        if not new:
            raise LkhError("an update array without keys")
        at = self.path.index(array.lkh_id)
        ours = self.path[at + (new[0].lkh_id != array.lkh_id):]
        if new[-1].lkh_id != self.path[-1] and new[-1].lkh_id in self.keys:
            raise LkhError("the array does not end with the KEK")
        # nodes that we did not know may have come in between: the tree has grown
        if [k.lkh_id for k in new if k.lkh_id in self.keys] != [i for i in ours if i in {k.lkh_id for k in new}]:
            raise LkhError("the keys are not in the order of our path")
        self.path = self.path[:at + 1] + [k.lkh_id for k in new if k.lkh_id != array.lkh_id]
        self.keys.update({k.lkh_id: k for k in new})
        return self.kek


class Tree:
    """The hierarchy of a key server. Members are whatever hashable the caller likes."""

    def __init__(self, key_type, key_len, depth=4, random=os.urandom):
        if not 1 <= depth <= MAX_DEPTH:
            raise LkhError(f"{1 << depth} members: an LKH ID has 16 bits")
        self.key_type, self.key_len, self.depth, self.random = key_type, key_len, depth, random
        self.block = suites.BLOCK[n.KEK[key_type]]
        self.leaves, self.keys, self.handle = {}, {}, 0
        self.fresh(1)

    def fresh(self, node):
        self.handle += 1
        key = self.random(self.key_len)
        if self.key_type != 3:
            key = suites.odd_parity(key)
        self.keys[node] = Key(node, self.handle, self.key_type, self.random(self.block), key)
        return self.keys[node]

    def path(self, node):
        while node:
            yield node
            node //= 2

    @property
    def kek(self):
        return self.keys[1]

    def join(self, member):
        """The member's keys, leaf first."""
        if member not in self.leaves:
            taken = set(self.leaves.values())
            free = next((leaf for leaf in range(1 << self.depth, 2 << self.depth) if leaf not in taken), None)
            if free is None:
                raise LkhError("the tree is full")
            self.leaves[member] = free
        leaf = self.leaves[member]
        self.fresh(leaf)  # nobody else has it
        for node in self.path(leaf):
            if node not in self.keys:
                self.fresh(node)
        return [self.keys[node] for node in self.path(leaf)]

    def evict(self, members):
        """[(key it is under, [new keys upward])]: one update array each."""
        dirty = {1}
        for member in members:
            leaf = self.leaves.pop(member)
            dirty.update(self.path(leaf))
        used = {node for leaf in self.leaves.values() for node in self.path(leaf)}
        for node in sorted(dirty, reverse=True):
            self.keys.pop(node, None)
            if node in used or node == 1:
                self.fresh(node)
        return [(self.keys[node], [self.keys[up] for up in self.path(node // 2)])
                for node in sorted(used) if node not in dirty and node // 2 in dirty]

    def renew(self):
        """A new KEK for everybody."""
        return self.evict(())
