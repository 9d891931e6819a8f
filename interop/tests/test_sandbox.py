# SPDX-License-Identifier: BSD-2-Clause
"""The sandbox keeps its promises: it is private, and it leaves nothing behind."""
import subprocess

from lab import sandbox


def test_the_suite_runs_inside():
    assert sandbox.active()
    links = subprocess.run(["ip", "-br", "link"], capture_output=True, text=True, check=True).stdout
    assert "eth0" not in links and "lo" in links
