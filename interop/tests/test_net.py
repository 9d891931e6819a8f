# SPDX-License-Identifier: BSD-2-Clause
"""The lab's networks do what later tests take for granted."""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from scapy.all import IP, UDP, IPv6, Raw, rdpcap

from lab import TOP
from lab.net import NETNS, Net
from lab.process import PATIENCE

GROUPS = [("239.77.1.1", socket.AF_INET), ("ff15::77:1", socket.AF_INET6)]


@pytest.fixture
def two_lans(net):
    near, far = net.segment("near", 1), net.segment("far", 2)
    hosts = {name: net.host(name, near, n) for name, n in (("alice", 11), ("bob", 12))}
    hosts |= {name: net.host(name, far, n) for name, n in (("carol", 13), ("dave", 14))}
    net.router("router", [near, far])
    net.multicast("239.77.1.1", "239.77.1.2", "232.77.1.1", "ff15::77:1", "ff15::77:2", "ff35::77:1")
    return hosts


def send(host, group, port, count, ttl=8):
    with host.sender(group, ttl) as s:
        for i in range(count):
            s.sendto(b"%d" % i, (group, port))


def received(s, count):
    """`count` numbers (fewer when no more come), and whatever else is there already."""
    got = []
    try:
        while len(got) < count:
            got.append(int(s.recv(100)))
        s.setblocking(False)
        while True:
            got.append(int(s.recv(100)))
    except (socket.timeout, BlockingIOError):
        s.settimeout(PATIENCE)
        return got


@pytest.mark.parametrize("group,family", GROUPS)
def test_unicast_crosses_the_router(two_lans, group, family):
    a, c = two_lans["alice"], two_lans["carol"]
    with c.udp(5000, family) as server, a.udp(0, family) as client:
        client.sendto(b"hello", (c.ip6 if family == socket.AF_INET6 else c.ip4, 5000))
        assert server.recvfrom(100)[1][0] == (a.ip6 if family == socket.AF_INET6 else a.ip4)


@pytest.mark.parametrize("group,family", GROUPS)
def test_multicast_reaches_exactly_the_hosts_that_joined(two_lans, group, family):
    h = two_lans
    other = {"239.77.1.1": "239.77.1.2", "ff15::77:1": "ff15::77:2"}[group]
    with h["bob"].listen(group, 5001) as bob, h["carol"].listen(group, 5001) as carol, \
            h["dave"].listen(other, 5001) as dave:
        send(h["alice"], group, 5001, 20)
        assert received(bob, 20) == list(range(20))
        assert received(carol, 20) == list(range(20))
        send(h["alice"], other, 5001, 1)
        assert received(dave, 1) == [0], "dave joined another group and got that one only"


@pytest.mark.parametrize("group,family", [("239.99.9.9", 4), ("ff15::99", 6)])
def test_an_unannounced_group_is_routed_too(two_lans, group, family):
    h = two_lans
    with h["carol"].listen(group, 5001) as carol:
        for i in range(4):
            send(h["alice"], group, 5001, 1)
            assert received(carol, 1) == [0]


@pytest.mark.parametrize("group,family", [("232.77.1.1", 4), ("ff35::77:1", 6)])
def test_a_source_filter_admits_only_its_source(two_lans, group, family):
    h = two_lans
    source = h["alice"].ip4 if family == 4 else h["alice"].ip6
    with h["carol"].listen(group, 5002, source) as carol:
        send(h["bob"], group, 5002, 3)
        send(h["alice"], group, 5002, 1)
        assert received(carol, 1) == [0]


def test_ttl_one_stays_on_its_segment(two_lans):
    h = two_lans
    with h["bob"].listen("239.77.1.1", 5003) as bob, h["carol"].listen("239.77.1.1", 5003) as carol:
        send(h["alice"], "239.77.1.1", 5003, 3, ttl=1)
        send(h["alice"], "239.77.1.1", 5003, 1, ttl=2)
        assert received(bob, 4) == [0, 1, 2, 0]
        assert received(carol, 1) == [0]


def test_loss_takes_each_fifth_from_one_host_only(two_lans, net):
    h = two_lans
    loss = net.lose(h["bob"], every=5, match="udp dport 5004")
    with h["bob"].listen("239.77.1.1", 5004) as bob, h["carol"].listen("239.77.1.1", 5004) as carol:
        send(h["alice"], "239.77.1.1", 5004, 50)
        assert len(received(carol, 50)) == 50
        assert len(received(bob, 40)) == 40
        assert loss.taken() == 10
        loss.stop()
        send(h["alice"], "239.77.1.1", 5004, 10)
        assert len(received(bob, 10)) == 10


def test_the_capture_has_every_frame_with_right_checksums(two_lans, net, tmp_path):
    h = two_lans
    with net.capture(tmp_path / "x.pcapng") as capture:
        with h["carol"].listen("239.77.1.1", 5005) as carol, h["dave"].listen("ff15::77:1", 5005) as dave:
            send(h["alice"], "239.77.1.1", 5005, 100)
            send(h["alice"], "ff15::77:1", 5005, 100)
            assert len(received(carol, 100)) == 100 and len(received(dave, 100)) == 100
    packets = [p for p in rdpcap(str(tmp_path / "x.pcapng")) if UDP in p and p[UDP].dport == 5005]
    assert capture.frames >= len(packets) == 400, "each packet once on each of two segments"
    for p in packets:
        seen, layer = p[UDP].chksum, IPv6 if IPv6 in p else IP
        del p[UDP].chksum
        assert layer(bytes(p[layer]))[UDP].chksum == seen
        assert p[Raw].load.isdigit()


def test_closing_leaves_nothing(net_prefix):
    prefix = net_prefix + "gone-"
    net = Net(prefix)
    lan = net.segment("lan", 1)
    host = net.host("alice", lan, 1)
    program = host.popen(["sleep", "1000"])
    net.close()
    assert program.returncode == -signal.SIGKILL
    assert not [n for n in os.listdir(NETNS) if n.startswith(prefix)]


BUILDER = """
import os, sys, time
from lab.net import Net
net = Net()
host = net.host("alice", net.segment("lan", 1), 1)
host.popen(["sleep", "1000"])
print(os.stat("/run/netns/alice").st_ino, flush=True)
sys.stdin.read()
"""


def in_use(inode):
    """Whether any process is in that network namespace."""
    for ns in Path("/proc").glob("[0-9]*/ns/net"):
        try:
            if ns.stat().st_ino == inode:
                return True
        except OSError:
            continue
    return False


def becomes(wanted, inode):
    deadline = time.monotonic() + PATIENCE
    while in_use(inode) != wanted and time.monotonic() < deadline:
        os.sched_yield()
    return in_use(inode) == wanted


def undisturbed():
    """The signals as a terminal hands them on, whatever started us (nohup, a shell's background) ignores."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_killed_lab_leaves_nothing(number):
    p = subprocess.Popen([sys.executable, "-m", "lab", "sandbox", "--", sys.executable, "-c", BUILDER],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         env=dict(os.environ, PYTHONPATH=str(TOP / "interop")), start_new_session=True,
                         preexec_fn=undisturbed)
    inode = int(p.stdout.readline())
    assert becomes(True, inode)
    if number == signal.SIGINT:
        os.killpg(p.pid, number)  # as a terminal does
    else:
        p.send_signal(number)
    p.wait(PATIENCE)
    assert becomes(False, inode)
    p.stdin.close()
    p.stdout.close()


ROOTLESS = """
import os, tempfile
from lab.net import Net
assert open("/proc/self/uid_map").read().split()[2] == "1", "one user is known here, ourselves"
with Net() as net:
    a, b = net.segment("a", 1), net.segment("b", 2)
    alice, bob = net.host("alice", a, 1 + 10), net.host("bob", b, 12)
    net.router("router", [a, b])
    net.lose(alice, every=2)
    file = tempfile.mktemp()
    with net.capture(file) as capture, bob.listen("239.1.1.1", 5000) as s, bob.listen("ff15::1", 5000) as s6:
        with alice.sender("239.1.1.1") as out:
            out.sendto(b"4", ("239.1.1.1", 5000))
        with alice.sender("ff15::1") as out:
            out.sendto(b"6", ("ff15::1", 5000))
        print((s.recv(10) + s6.recv(10)).decode())
    os.unlink(file)
    assert capture.frames >= 4
"""


def test_it_all_works_without_root():
    """A copy that everybody may read, run as nobody.  Where the kernel does not let nobody make namespaces, it says so."""
    rootless = Path("/proc/self/uid_map").read_text().split()[2] == "1"  # the whole suite is
    nobody = [] if rootless else ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    possible = subprocess.run([*nobody, "unshare", "-Urnm", "true"], capture_output=True).returncode == 0
    if subprocess.run([*nobody, "test", "-x", tempfile.gettempdir()]).returncode:
        pytest.skip(f"the folder for temporary files, {tempfile.gettempdir()}, is closed to others")
    with tempfile.TemporaryDirectory() as d:
        shutil.copytree(TOP / "interop/lab", Path(d) / "lab", ignore=shutil.ignore_patterns("__pycache__"))
        os.chmod(d, 0o755)
        r = subprocess.run([*nobody, sys.executable, "-m", "lab", "sandbox", "--", sys.executable, "-c", ROOTLESS], cwd=d,
                           env={"PATH": os.environ["PATH"], "PYTHONPATH": d, "PYTHONDONTWRITEBYTECODE": "1",
                                "TMPDIR": tempfile.gettempdir()},
                           capture_output=True, text=True)
    if possible:
        assert (r.stderr, r.stdout, r.returncode) == ("", "46\n", 0)
    else:
        assert "the kernel refuses user namespaces" in r.stderr and r.returncode == 3
