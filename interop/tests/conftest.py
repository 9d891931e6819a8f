# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures for every test: the sandbox first, then networks, certificates and daemons in it."""
import pytest

from lab import sandbox
from lab.net import Net


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="run the tests that take minutes as well")


def pytest_configure(config):
    # `./lab test` starts pytest inside already; a bare pytest moves in by itself, before it has threads or workers.
    sandbox.enter()


def pytest_collection_modifyitems(config, items):
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
