# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures for every test: the sandbox first, then networks, certificates and daemons in it."""
import contextlib
import itertools

import pytest

from lab import sandbox
from lab.net import Net
from lab.story import Story


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="run the tests that take minutes as well")


    parser.addoption("--breaks", metavar="ROWS", help="only the tests that break one of these rows (all: any row)")


def _breaks(item):
    """The rows that a test breaks: by its mark, or by the entry of the catalogue that it sends."""
    rows = {i for m in item.iter_markers("refuses") for i in m.args}
    entry = item.callspec.params.get("entry") if hasattr(item, "callspec") else None
    return rows | set(getattr(entry, "rows", ()))


def _chosen(item, wanted):
    if "/unit/" in item.nodeid:
        return False  # of the Python peers, which have no switches
    if hasattr(item, "callspec") and item.callspec.params.get("terse") is False:
        return False  # Terse Mode and Verbose Mode have the same checks
    return bool(_breaks(item) and wanted == {"all"} or _breaks(item) & wanted)


def pytest_configure(config):
    # `./lab test` starts pytest inside already; a bare pytest moves in by itself, before it has threads or workers.
    sandbox.enter()


def _together(item):
    """Which tests share a worker, and with it what their fixtures set up: a file, one telling of the story, or nothing."""
    path = item.nodeid.split("::")[0]
    if "/unit/" in path:
        return None
    told = item.callspec.params.get("story", ()) if hasattr(item, "callspec") else ()
    return "-".join((path, *told))  # no brackets: xdist would take the name for a part of the test's own


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    for i in items:
        if _together(i):
            i.add_marker(pytest.mark.xdist_group(_together(i)))
    if config.getoption("--breaks"):
        wanted = set(config.getoption("--breaks").split(","))
        config.hook.pytest_deselected(items=[i for i in items if not _chosen(i, wanted)])
        items[:] = [i for i in items if _chosen(i, wanted)]
    if config.getoption("--long"):
        return
    long = [i for i in items if i.get_closest_marker("long")]
    config.hook.pytest_deselected(items=long)
    items[:] = [i for i in items if i not in long]


@pytest.fixture
def req(request):
    """The requirement ids of the running test."""
    return [i for m in request.node.iter_markers("req") for i in m.args]


@pytest.fixture(scope="session")
def net_prefix(request):
    """Networks of parallel workers live side by side in one sandbox."""
    return getattr(request.config, "workerinput", {}).get("workerid", "w") + "-"


@pytest.fixture
def net(net_prefix):
    with Net(net_prefix) as n:
        yield n


@pytest.fixture
def stack():
    """What is entered in it is left at the end of the test, the last one first."""
    with contextlib.ExitStack() as s:
        yield s


@pytest.fixture
def ended():
    """ended(group) is that group, which comes to an orderly end after the test, and is gone in any case."""
    made = []

    def keep(group):
        made.append(group)
        return group
    yield keep
    try:
        for g in made:
            g.finish()
    finally:
        for g in made:
            g.close()


@pytest.fixture
def ground(tmp_path, net_prefix, request):
    """The Python peers and the real daemons of GSAKMP; options by `indirect` parameters."""
    from msec_scapy.testing.ground import Ground
    with Ground(tmp_path, net_prefix, **getattr(request, "param", {})) as g:
        yield g


@pytest.fixture
def group(net_prefix, tmp_path, ended):
    """A factory of open groups with members: s = group("alice", "erin", ip=6).

    s.keys and s.members["alice"] are daemons (see lab.process, lab.daemons), s.scene["alice"] is a host, s.pki has the
    certificates, s.join("bob") adds a member, further hosts come with the option cast=["eve"].  Options: see lab.story.Story.
    """
    number = itertools.count()

    def make(*members, cast=(), **options):
        n = next(number)
        s = ended(Story(tmp_path / f"group{n}", f"{net_prefix}g{n}-",
                        **{"delivery": "file", "only": ["keys", *members, *cast], **options}))
        s.open_group()
        if members:
            s.took = s.join(*members)
        return s
    return make


class Steps:
    """The steps of a story, in its order: who asks for one has those before it told first, each once.  `states`: what the
    key servers said of the group after each, for tests that may come when the story is further on."""

    def __init__(self, story):
        self.story, self.results, self.states, self.broken = story, {}, {}, ""

    def __call__(self, name):
        for step in self.story.STEPS[:self.story.STEPS.index(name) + 1]:
            if step in self.results:
                continue
            if self.broken:
                pytest.fail(f"the step {self.broken} before this one failed; logs are in {self.story.dir}")
            self.broken = step
            self.results[step] = getattr(self.story, step)()
            self.states[step] = self.story.states() if hasattr(self.story, "states") else {}
            self.broken = ""
        return self.results[name]


@pytest.fixture
def step(story):
    """A step of the module's `story`; any test of one can run alone."""
    if not hasattr(story, "told_so_far"):
        story.told_so_far = Steps(story)
    return story.told_so_far
