# SPDX-License-Identifier: BSD-2-Clause
"""lkh.json: rekey plans."""
from .recipe import Book


def _tree(degree, capacity, members, leave=(), join=0, style="path", rooted=True, **more):
    return {**more, "degree": degree, "capacity": capacity, "rooted": rooted, "style": style,
            "members": list(members), "leave": list(leave), "join": join}


def books():
    book = Book("lkh", "Rekey plans of logical key hierarchies: RFC 4535 appendix A, RFC 2627 section 5.4.")
    for style, text in (("path", "(GTPK)2, (GTPK, 3', 6')12, (GTPK, 3')7"),
                        ("chain", "the keys of the NOTE, leaf to root: (6')12, (3')6', (3')7, (GTPK)2, (GTPK)3'")):
        book.add("lkh", f"a.3.2/{style}", f"Appendix A.3.2: MemberID 6 of Figure 30 is keyed out: {text}",
                 "RFC4535-A.3.2-01", _tree(2, 8, range(1, 9), [6], style=style, rooted=False))
    for style in ("path", "chain"):
        for degree, capacity in ((2, 8), (3, 9), (4, 16), (16, 256)):
            full = range(1, capacity + 1)
            label = f"degree-{degree}/{style}"
            some = [s for s in full if s % 3]
            book.add("lkh", f"join/{label}", f"One joins {len(some)} of {capacity}, degree {degree}",
                     "RFC4535-A.2-01", _tree(degree, capacity, some, join=1, style=style))
            book.add("lkh", f"leave/{label}", f"One of {capacity} leaves, degree {degree}", "RFC4535-A.2-01",
                     _tree(degree, capacity, full, [capacity // 2], style=style))
            batch = [s for s in full if s % 5 == 1]
            book.add("lkh", f"leaves/{label}", f"{len(batch)} of {capacity} leave at once, degree {degree}",
                     "RFC4535-A.2-01", _tree(degree, capacity, full, batch, style=style))
            book.add("lkh", f"batch/{label}",
                     f"{len(batch)} of {len(some)} leave and {len(batch) + 1} join, degree {degree}",
                     "RFC4535-A.2-01", _tree(degree, capacity, some, [s for s in batch if s in some],
                                             len([s for s in batch if s in some]) + 1, style))
        book.add("lkh", f"first/{style}", "The first member: nobody is to be told", "RFC4535-A.2-01",
                 _tree(2, 8, [], join=1, style=style))
        book.add("lkh", f"last/{style}", "The last member leaves: nobody is left to be told", "RFC4535-A.2-01",
                 _tree(2, 8, [3], [3], style=style))
        book.add("lkh", f"subtree/{style}", "A whole subtree leaves", "RFC4535-A.2-01",
                 _tree(2, 8, range(1, 9), [1, 2, 3, 4], style=style))
        book.add("lkh", f"figure-30/batch/{style}", "Figure 30, without a root key: 2 and 7 leave, one joins",
                 "RFC4535-A.2-01", _tree(2, 8, [1, 2, 3, 5, 6, 7, 8], [2, 7], 1, style, False))
        for degree, capacity, few in ((2, 64, (1, 2, 64)), (4, 256, (1, 2, 70, 256))):
            for rooted in (True, False):
                label = f"degree-{degree}/{'rooted' if rooted else 'figure-30'}/{style}"
                for name, text, leave, join in (
                        ("leave", "one leaves", few[1:2], 0),
                        ("apart", "one leaves who has a subtree of its own", few[-1:], 0),
                        ("join", "one joins below a bypassed node with another child: it comes back", (), capacity // 8),
                        ("batch", "two leave, some join", few[1:3], 2 + capacity // 16)):
                    book.add("lkh", f"shrunk/{name}/{label}",
                             f"{len(few)} are left of {capacity}, degree {degree}, and the tree has shrunk; {text}",
                             "RFC4535-A.2-01", _tree(degree, capacity, few, leave, join, style, rooted, shrunk=True))
    return [book]
