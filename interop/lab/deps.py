# SPDX-License-Identifier: BSD-2-Clause
"""What the machine must have.  Installed with apt-get, after saying what and why."""
import concurrent.futures
import contextlib
import os
import shutil
import subprocess
import time

from . import BUILD as BUILD_DIR
from . import LabError

LOG = BUILD_DIR / "lab-apt.log"

# Package, and the reason a person is told.
BUILD = {
    "gcc": "compiler",
    "libc6-dev": "C library headers",
    "make": "build",
    "autoconf": "build system",
    "automake": "build system",
    "pkg-config": "finds libraries",
    "libssl-dev": "OpenSSL 3, all cryptography",
    "libxml2-dev": "policies and configuration in XML",
    "libevent-dev": "event loop of the daemons",
    "libsqlite3-dev": "durable state",
    "libjansson-dev": "JSON on control sockets and in event logs",
    "libseccomp-dev": "system call filter of the daemons",
    "libtcmalloc-minimal4": "a quicker malloc for the key servers (configure --without-tcmalloc does without)",
    "libmnl-dev": "IPsec SAs of gdoi-gm in the kernel",
    "libcmocka-dev": "C tests",
}
RUN = {
    "iproute2": "network namespaces, bridges, routes",
    "nftables": "packet loss",
    "util-linux": "nsenter",
    "procps": "sysctl",
    "openssl": "DSA certificates of Security Suite 1",
    "python3-cryptography": "test certificates, the Python data application",
}
TEST = {
    "python3-pytest": "Python tests",
    "python3-pytest-xdist": "Python tests in parallel",
    "python3-hypothesis": "property tests",
    "python3-scapy": "the second implementation of the protocols",
    "python3-asn1crypto": "the second implementation of policy tokens",
    "python3-lxml": "tests of the XML forms",
    "python3-jsonschema": "the schema of the test vectors",
    "python3-junitparser": "a reader of verdicts in JUnit XML that other people wrote",
    "tshark": "tests of the Wireshark dissector",
    "strongswan-charon": "a peer of phase 1 that other people wrote",
    "strongswan-swanctl": "its control program",
    "libstrongswan-standard-plugins": "its elliptic curves",
}
DEMO = {**BUILD, **RUN, **{p: TEST[p] for p in ("python3-scapy", "python3-asn1crypto")}}
ALL = {**BUILD, **RUN, **TEST}


def missing(wanted: dict) -> list:
    """The packages of `wanted` that dpkg does not know as installed."""
    r = subprocess.run(["dpkg-query", "-W", "-f", "${binary:Package} ${db:Status-Status}\n", *wanted],
                       capture_output=True, text=True)
    have = {line.split()[0].split(":")[0] for line in r.stdout.splitlines() if line.endswith(" installed")}
    return [p for p in wanted if p not in have]


def _apt(*args: str) -> bool:
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive", APT_LISTCHANGES_FRONTEND="none")
    cmd = ["apt-get", "-qq", "-y", "-o", "DPkg::Lock::Timeout=120", "-o", "Dpkg::Use-Pty=0", "--no-install-recommends", *args]
    BUILD_DIR.mkdir(exist_ok=True)
    with LOG.open("ab") as log:
        log.write(f"$ {' '.join(cmd)}\n".encode())
        log.flush()
        return subprocess.run(cmd, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT).returncode == 0


def _needed(wanted: dict) -> list:
    """What has to be installed and may be; a person has read what for.  LabError (status 3) says what to type who may not."""
    if not shutil.which("dpkg-query"):
        print("lab: not a Debian system, so nothing is installed for you; needed are the equivalents of:\n     "
              + " ".join(wanted))
        return []
    need = missing(wanted)
    if not need:
        return []
    width = max(map(len, need))
    print("lab: this machine lacks:")
    for p in need:
        print(f"     {p:{width}}  {wanted[p]}")
    command = "apt-get install --no-install-recommends " + " ".join(need)
    if os.geteuid() != 0:
        raise LabError(f"not root, so nothing was installed.  Type this and try again:\n     sudo sh -c 'apt-get update && {command}'", 3)
    print(f"lab: installing with: {command}", flush=True)
    LOG.unlink(missing_ok=True)
    return need


def _install(need: list) -> float:
    """How long it took, in seconds."""
    start = time.monotonic()
    # The lists of a fresh machine are empty and those of an old one stale; both show as a failure, neither is the normal case.
    if not (_apt("-s", "install", *need) and _apt("install", *need)):
        print("lab: the package lists are missing or old: apt-get update", flush=True)
        if not (_apt("update") and _apt("install", *need)):
            tail = LOG.read_text(errors="replace").splitlines()[-15:]
            raise LabError("\n".join(tail) + f"\n\napt-get could not install what is needed; everything it said is in {LOG}", 3)
    still = missing(dict.fromkeys(need))
    if still:
        raise LabError(f"apt-get reported success, but these are still missing: {' '.join(still)}; its log is {LOG}", 3)
    return time.monotonic() - start


def ensure(wanted: dict) -> None:
    """Everything in `wanted` is installed when this returns; otherwise LabError (status 3) says what to type."""
    need = _needed(wanted)
    if need:
        print(f"lab: installed, {_install(need):.0f} s", flush=True)


@contextlib.contextmanager
def ensured_beside(wanted: dict, first: dict):
    """Inside, what `first` names is installed, and the rest of `wanted` is on its way; afterwards, everything is.  The rest
    is fetched for as long as the compiler computes.  Errors as those of ensure()."""
    need = _needed(wanted)
    now, later = [p for p in need if p in first], [p for p in need if p not in first]
    if now:
        print(f"lab: installed what compiling takes, {_install(now):.0f} s", flush=True)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        rest = pool.submit(_install, later) if later else None
        yield
        if rest:
            print(f"lab: installed the rest meanwhile, {rest.result():.0f} s", flush=True)
