# SPDX-License-Identifier: BSD-2-Clause
"""Rekey plans of both implementations, of trees and events drawn by chance: most of the trees have shrunk (RFC 2627 5.4)."""
import json
import os
import random
import subprocess

import pytest

from lab import BUILD, TOP
from msec_scapy.vectors import plans

SHAPES = (2, 64), (2, 128), (3, 81), (4, 64), (4, 256), (8, 512)
PLANS = 300


def draw(r):
    """The input of a vector, or None where nothing happens."""
    degree, capacity = r.choice(SHAPES)
    rooted = r.random() < .5
    members = set(r.sample(range(1, capacity + 1), r.randint(1, max(1, capacity // 20))))
    members = sorted(members | ({capacity} if r.random() < .7 else set()))
    leave = sorted(r.sample(members, r.randint(0, len(members)))) if r.random() < .7 else []
    join = r.choice((0, 1, 2, 3, r.randint(0, capacity // 3)))
    if not leave and not join:
        return None
    tree = plans.Tree(degree, capacity, rooted, members)

    def nodes(seats):
        return len({n for leaf in map(tree.leaf, seats) for n in (leaf, *tree.above(leaf))})

    # Everybody up to the last of them had come, and the others have left.
    return {"degree": degree, "capacity": capacity, "rooted": rooted, "style": r.choice(("path", "chain")), "members": members,
            "leave": leave, "join": min(join, capacity - len(members) + len(leave)),
            "shrunk": nodes(range(1, members[-1] + 1)) > 4 * nodes(members) + 1}


def plan(v):
    tree = plans.Tree(v["degree"], v["capacity"], v["rooted"], v["members"], v["shrunk"])
    return tree.event(v["leave"], v["join"], v["style"])


@pytest.mark.req("RFC4535-A.2-01")
@pytest.mark.parametrize("seed", range(2))
def test_they_plan_the_same(seed, tmp_path):
    r = random.Random(seed)
    document = json.loads((TOP / "interop/vectors/lkh.json").read_text())
    drawn = [v for v in (draw(r) for _ in range(PLANS)) if v]
    assert sum(v["shrunk"] for v in drawn) > PLANS // 2
    document["vectors"] = [{**document["vectors"][0], "id": f"lkh/drawn/{seed}/{n}", "in": v, "out": plan(v)}
                           for n, v in enumerate(drawn)]
    place = tmp_path / "interop" / "vectors"
    place.mkdir(parents=True)
    (place / "lkh.json").write_text(json.dumps(document))
    done = subprocess.run([BUILD / "gsakmp/tests/vector/vector_check"], capture_output=True, text=True,
                          env={**os.environ, "top_srcdir": str(tmp_path), "top_builddir": str(BUILD)})
    assert done.returncode == 0 and f"lkh_{len(drawn)}_are_right" in done.stdout, done.stdout
