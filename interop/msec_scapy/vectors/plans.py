# SPDX-License-Identifier: BSD-2-Clause
"""Rekey plans of a complete tree: RFC 4535 appendix A, RFC 2627 section 5.4.

Nodes are numbered breadth first from 1, seats are the leaves from left to right. The rule
that a plan follows is in the page of the vectors; this is that rule and nothing else.
"""
GTPK = 0


class Tree:
    def __init__(self, degree, capacity, rooted, members, shrunk=False):
        self.degree, self.rooted = degree, rooted
        self.leaves, first = 1, 1
        while self.leaves < capacity:
            first, self.leaves = first + self.leaves, self.leaves * degree
        self.first_leaf = first
        self.old = {self.leaf(s) for s in members}  # members before the event
        below = self.count(self.old)
        self.bypassed = {n for n in below if shrunk and n < self.first_leaf and (n != 1 or rooted)
                         and self.branches(n, below) == 1}

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

    def count(self, leaves):
        """{node: members below it}"""
        out = {}
        for leaf in leaves:
            for node in [leaf, *self.above(leaf), 1]:
                out.setdefault(node, set()).add(leaf)
        return out

    def branches(self, node, below):
        return sum(child in below for child in self.children(node))

    def reach(self, nodes):
        """Those of the nodes that have a key in use; in place of a bypassed one, its children."""
        for node in nodes:
            if node in self.bypassed:
                yield from self.reach(self.children(node))
            else:
                yield node

    def tops(self):
        return list(self.reach([1] if self.rooted else self.children(1)))

    def event(self, leave, join, style):
        gone = {self.leaf(s) for s in leave}
        stay = self.old - gone
        free = sorted(set(range(1, self.leaves + 1)) - {n - self.first_leaf + 1 for n in stay})
        seats = free[:join]
        new = {self.leaf(s) for s in seats}
        nobody = {n: set() for n in range(1, self.first_leaf + self.leaves)}
        self.stay = nobody | self.count(stay)  # members that stay, below each node
        self.now = {n for leaf in stay | new for n in [leaf, *self.above(leaf)]}
        joined = {n for leaf in new for n in [leaf, *self.above(leaf)]}
        self.seated = {self.leaf(s): number for number, s in enumerate(seats)}
        self.first = {n: min(self.seated[leaf] for leaf in below) for n, below in self.count(new).items()}
        # taken into use again, by which joiner: it sits below another child than those who stay
        self.back = {n: number for n in self.bypassed & joined if self.stay[n]
                     for number in [self.came_back(n, stay)] if number is not None}
        self.bypassed = {n for n in self.bypassed - set(self.back) if self.stay[n]}
        self.lost = ({n for leaf in gone for n in self.above(leaf)} & self.now) - self.bypassed
        self.made = ((joined | self.lost) & self.now) - self.bypassed
        self.wraps, self.done = [], set()
        (self.path if style == "path" else self.chain)()
        return {"seats": seats, "wraps": self.wraps}

    def came_back(self, node, stay):
        for leaf, number in self.seated.items():
            inside = self.count(stay | {n for n, k in self.seated.items() if k <= number})
            if node in self.above(leaf) and self.branches(node, inside) > 1:
                return number
        return None

    def waits(self, node, key):
        """Somebody below the node lacks the new key: those who stay, and who was seated before it was made."""
        return bool(self.stay[node]) or self.first.get(node, len(self.seated)) < self.back.get(key, -1)

    def wrap(self, node, old, keys):
        self.wraps.append({"under": node, "old": old, "keys": keys})

    def renewed(self, node):
        """New only because of joins: those who stay hold the old key, and it is still good."""
        return node in self.made - self.lost - set(self.back) and bool(self.stay[node])

    def under_children(self, node):
        for child in self.reach(self.children(node)):
            if self.waits(child, node):
                self.wrap(child, False, [node])

    # path: one wrap for everybody who lost the same keys

    def path(self):
        for top in self.tops():
            self.down(top)
        for node in sorted(self.made - self.done, reverse=True):
            if self.renewed(node):
                self.wrap(node, True, [node])
            elif node in self.back:
                self.under_children(node)

    def down(self, node):
        if node not in self.now:
            return
        if node in self.lost | set(self.back):
            self.done.add(node)
            for child in self.reach(self.children(node)):
                self.down(child)
            return
        above = [n for n in reversed(self.above(node)) if n not in self.bypassed]
        late = [n for n in above if self.first.get(node, len(self.seated)) < self.back.get(n, -1)]
        keys = [GTPK, *above] if self.stay[node] else late
        if self.renewed(node):
            self.done.add(node)
            if late:  # who joined in this event does not hold the old key
                self.wrap(node, True, [node])
                self.wrap(node, False, keys)
            else:
                self.wrap(node, True, keys + [node])
        elif keys:
            self.wrap(node, False, keys)

    # chain: each new key once under each child

    def chain(self):
        for node in sorted(self.made, reverse=True):
            if self.renewed(node):
                self.wrap(node, True, [node])
            elif node in self.lost or node in self.back:
                self.under_children(node)
        for top in self.tops():
            if self.stay[top]:
                self.wrap(top, False, [GTPK])
