# SPDX-License-Identifier: BSD-2-Clause
"""Rekey plans of a complete tree: RFC 4535 appendix A, RFC 2627 section 5.4.

Nodes are numbered breadth first from 1, seats are the leaves from left to right. The rule
that a plan follows is in the page of the vectors; this is that rule and nothing else.
"""
GTPK = 0


class Tree:
    def __init__(self, degree, capacity, rooted, members):
        self.degree, self.rooted = degree, rooted
        self.leaves, first = 1, 1
        while self.leaves < capacity:
            first, self.leaves = first + self.leaves, self.leaves * degree
        self.first_leaf = first
        self.old = {self.leaf(s) for s in members}  # members before the event

    def leaf(self, seat):
        return self.first_leaf + seat - 1

    def parent(self, node):
        return (node - 2) // self.degree + 1

    def children(self, node):
        first = self.degree * (node - 1) + 2
        return range(first, first + self.degree) if node < self.first_leaf else ()

    def above(self, node):
        """The nodes with keys above a node, the one next to it first."""
        out = []
        while node != 1:
            node = self.parent(node)
            if node != 1 or self.rooted:
                out.append(node)
        return out

    def tops(self):
        return [1] if self.rooted else list(self.children(1))

    def event(self, leave, join, style):
        gone = {self.leaf(s) for s in leave}
        stay = self.old - gone
        free = sorted(set(range(1, self.leaves + 1)) - {n - self.first_leaf + 1 for n in stay})
        seats = free[:join]
        new = {self.leaf(s) for s in seats}
        under = {n: set() for n in range(1, self.first_leaf + self.leaves)}
        for leaf in stay:
            for node in [leaf, *self.above(leaf), 1]:
                under[node].add(leaf)
        self.stay = under  # members that stay, below each node
        self.now = {n for leaf in stay | new for n in [leaf, *self.above(leaf)]}
        self.lost = {n for leaf in gone for n in self.above(leaf)} & self.now
        self.made = ({n for leaf in new for n in [leaf, *self.above(leaf)]} | self.lost) & self.now
        self.wraps, self.done = [], set()
        (self.path if style == "path" else self.chain)()
        return {"seats": seats, "wraps": self.wraps}

    def wrap(self, node, old, keys):
        self.wraps.append({"under": node, "old": old, "keys": keys})

    def renewed(self, node):
        """New only because of joins: those who stay hold the old key, and it is still good."""
        return node in self.made and node not in self.lost and bool(self.stay[node])

    # path: one wrap for everybody who lost the same keys

    def path(self):
        for top in self.tops():
            self.down(top)
        for node in sorted(self.made, reverse=True):
            if self.renewed(node) and node not in self.done:
                self.wrap(node, True, [node])

    def down(self, node):
        if node not in self.now:
            return
        if node in self.lost:
            for child in self.children(node):
                self.down(child)
            return
        if not self.stay[node]:
            return
        keys = [GTPK, *reversed(self.above(node))]
        if self.renewed(node):
            self.done.add(node)
            self.wrap(node, True, keys + [node])
        else:
            self.wrap(node, False, keys)

    # chain: each new key once under each child

    def chain(self):
        for node in sorted(self.made, reverse=True):
            if self.renewed(node):
                self.wrap(node, True, [node])
            elif node in self.lost:
                for child in self.children(node):
                    if self.stay[child]:
                        self.wrap(child, False, [node])
        for top in self.tops():
            if self.stay[top]:
                self.wrap(top, False, [GTPK])
