# SPDX-License-Identifier: BSD-2-Clause
"""The lab: real programs on a real (if small) network, for people and for the test suite.

Where what is:
    deps      what the machine must have, and how to get it
    build     configure, compile, install into build/prefix
    suite     every C and Python test, one sum
    sandbox   private user, network, mount and process namespaces that vanish with us
    net       hosts, segments, routers, loss
    mrouter   the multicast routing program that runs in a router host
    capture   frames to a pcapng file
    pki       test certificates, good and bad
    process   programs that report in JSON lines, and waiting for what they report
    daemons   configuration, start, events, control socket, end
    dataapp   the application whose data the group protects
    scene     the network of the demo, and who is who on it
    keeper    that network kept up for people to play on
    lock      one build or test run at a time in a build directory
    story     the steps of the demo, each checking what it says
    demo      the story told to a person
"""
import os
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
# Another build directory (MSEC_LAB_BUILD=build-asan, what --asan sets) is a whole second lab beside the first.
BUILD = TOP / os.environ.get("MSEC_LAB_BUILD", "build")
PREFIX = BUILD / "prefix"

# Programs of this package are started as `python3 -m lab.NAME` on hosts; they find it however we were started ourselves.
_here = str(Path(__file__).resolve().parents[1])
if _here not in os.environ.get("PYTHONPATH", "").split(":"):
    os.environ["PYTHONPATH"] = ":".join(filter(None, (_here, os.environ.get("PYTHONPATH"))))


class LabError(Exception):
    """Something a person has to read: the text says what is wrong and what to do.  `status` becomes the exit status."""

    def __init__(self, text: str, status: int = 1):
        super().__init__(text)
        self.status = status
