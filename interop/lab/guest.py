# SPDX-License-Identifier: BSD-2-Clause
"""A virtual machine with Debian's kernel, for what the kernel of this machine may lack: ESP, AH, netem.

Its root file system is that of this machine, read-only, with a layer in memory on top; one directory is shared for
results.  The kernel is fetched and unpacked (never installed) into build/guest, once.  QEMU emulates: no KVM is needed.

    guest = Guest(directory)
    guest.run(["python3", "-m", "lab.esp", ...])     # what it printed; LabError when it failed
    Managed(directory).run([...])                    # as a service of systemd, which is the guest's first process then
"""
import os
import shlex
import shutil
import subprocess
import time
from pathlib import Path

from . import BUILD, TOP, LabError

PACKAGES = {
    "qemu-system-x86": "a machine whose kernel has ESP",
    "busybox-static": "its first process",
    "cpio": "its first file system",
    "kmod": "its kernel modules",
    "systemd": "its service manager, where units are tried",
}
PLACE = BUILD / "guest"
KERNEL = "linux-image-amd64"
FIRST_MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay")

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
echo 2 >/proc/sys/kernel/printk
while read m; do insmod /mod/$m || echo "insmod $m failed"; done </mod/order
o=trans=virtio,version=9p2000.L,msize=262144
mount -t 9p -o ro,cache=loose,$o hostroot /lower || poweroff -f
mount -t tmpfs -o size=60% rw /rw; mkdir /rw/u /rw/w
mount -t overlay -o lowerdir=/lower,upperdir=/rw/u,workdir=/rw/w ov /new || poweroff -f
mkdir -p /new/proc /new/sys /new/dev /new/run /new/lib/modules /new/guest
mount --move /proc /new/proc; mount --move /sys /new/sys; mount --move /dev /new/dev
mkdir -p /new/dev/pts /new/dev/shm; mount -t devpts devpts /new/dev/pts; mount -t tmpfs shm /new/dev/shm
mount -t tmpfs run /new/run # and /tmp is as it is: this tree may be there
mount -t 9p -o rw,cache=none,$o out /new/guest
exec switch_root /new /bin/bash /guest/run
"""


def _run(argv: list, **kw) -> subprocess.CompletedProcess:
    r = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, capture_output=True, text=True, **kw)
    if r.returncode:
        raise LabError(f"{shlex.join(map(str, argv))}: {r.stderr.strip() or r.stdout.strip()}")
    return r


def _fetch(place: Path) -> None:
    """Debian's kernel, unpacked into place/kernel."""
    names = [line.split(":", 1)[1].strip() for line in _run(["apt-cache", "depends", KERNEL]).stdout.splitlines() if "Depends:" in line]
    if not names:
        raise LabError(f"the package lists know no {KERNEL}: apt-get update")
    fresh = place / "fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    fresh.chmod(0o777)  # apt-get downloads as a user of its own
    print(f"lab: fetching {names[0]}, about 70 MB", flush=True)
    _run(["apt-get", "-qq", "download", names[0]], cwd=fresh)
    _run(["dpkg", "-x", next(fresh.glob("*.deb")), fresh / "root"])
    version = next((fresh / "root/lib/modules").iterdir()).name
    _run(["depmod", "-b", fresh / "root", version])
    (fresh / "root").rename(place / "kernel")
    shutil.rmtree(fresh)


def _initrd(place: Path, version: str) -> None:
    root = place / "initrd"
    shutil.rmtree(root, ignore_errors=True)
    for d in ("bin", "proc", "sys", "dev", "mod", "lower", "rw", "new"):
        (root / d).mkdir(parents=True)
    shutil.copy("/bin/busybox", root / "bin")
    order = []
    for module in FIRST_MODULES:
        said = _run(["modprobe", "-d", place / "kernel", "-S", version, "--show-depends", module]).stdout
        for line in said.splitlines():
            words = line.split()
            if words[0] == "insmod" and Path(words[1]).name not in order:
                shutil.copy(words[1], root / "mod")
                order.append(Path(words[1]).name)
    (root / "mod/order").write_text("\n".join(order) + "\n")
    (root / "init").write_text(INIT)
    (root / "init").chmod(0o755)
    new = place / "initrd.new"
    _run(["sh", "-c", f"cd {shlex.quote(str(root))} && find . | cpio -o -H newc --quiet | gzip -1 >{shlex.quote(str(new))}"])
    new.rename(place / "initrd.gz")


def prepare(place: Path = PLACE) -> None:
    """Kernel and first file system, outside the sandbox, which has no network.  PACKAGES have to be installed."""
    place.mkdir(parents=True, exist_ok=True)
    if not (place / "kernel/lib/modules").is_dir():
        _fetch(place)
    init = place / "initrd/init"
    if not (place / "initrd.gz").exists() or not init.exists() or init.read_text() != INIT:
        _initrd(place, next((place / "kernel/lib/modules").iterdir()).name)


class Guest:
    def __init__(self, directory: Path, memory: int = 1024, cpus: int = 2, place: Path = PLACE):
        self.directory, self.memory, self.cpus, self.place = Path(directory), memory, cpus, place
        self.directory.mkdir(parents=True, exist_ok=True)
        if not (place / "initrd.gz").exists():
            raise LabError("there is no guest: ./lab test --long prepares one")
        self.version = next((place / "kernel/lib/modules").iterdir()).name

    def script(self, argv: list) -> str:
        """What the guest's first process becomes."""
        return self._begin() + self._command(argv)

    def _begin(self) -> str:
        return f"""export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
export PYTHONPATH={shlex.quote(str(TOP / "interop"))} PYTHONDONTWRITEBYTECODE=1 MSEC_LAB_BUILD={shlex.quote(BUILD.name)}
mkdir -p /lib/modules; mount --bind {shlex.quote(str(self.place / "kernel/lib/modules"))} /lib/modules
[ -c /dev/net/tun ] || modprobe tun
ip link set lo up; mkdir -p /run/netns
cd /guest
"""

    def _command(self, argv: list) -> str:
        return f"""{shlex.join(map(str, argv))} >/guest/output 2>&1
echo $? >/guest/status
sync; echo o >/proc/sysrq-trigger; sleep 10
"""

    def run(self, argv: list, timeout: float = 900.0) -> str:
        """argv in the guest, whose /guest is our directory; what it printed."""
        for name in ("status", "output"):
            (self.directory / name).unlink(missing_ok=True)
        (self.directory / "run").write_text(self.script(argv))
        share = lambda name, path, tag, more: ["-fsdev", f"local,id={name},path={path},security_model=none{more}",
                                               "-device", f"virtio-9p-pci,fsdev={name},mount_tag={tag}"]
        cmd = ["qemu-system-x86_64", "-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", self.cpus, "-m", self.memory,
               "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-serial", f"file:{self.directory / 'console'}",
               *share("r", "/", "hostroot", ",readonly=on,multidevs=remap"), *share("o", self.directory, "out", ""),
               "-kernel", self.place / f"kernel/boot/vmlinuz-{self.version}", "-initrd", self.place / "initrd.gz",
               "-append", "console=ttyS0 quiet panic=-1 mitigations=off nokaslr tsc=reliable"]
        start = time.monotonic()
        try:
            subprocess.run([str(c) for c in cmd], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           timeout=timeout)
        except subprocess.TimeoutExpired:
            pass
        said = self._text("output")
        if self._text("status").strip() == "0":
            return said
        tail = "\n".join((said or self._text("console")).splitlines()[-40:])
        raise LabError(f"{shlex.join(map(str, argv))} failed in the guest (status {self._text('status').strip() or 'none'}, "
                       f"{time.monotonic() - start:.0f} s):\n{tail}")

    def _text(self, name: str) -> str:
        path = self.directory / name
        return path.read_text(errors="replace") if path.exists() else ""


UNIT = """[Unit]
Description=What is tried in this guest
AllowIsolate=yes
After=basic.target
Wants=basic.target

[Service]
Type=oneshot
ExecStart=/bin/bash /guest/command
"""


class Managed(Guest):
    """One whose first process is systemd; nothing is started but what it needs itself."""

    def script(self, argv: list) -> str:
        (self.directory / "guest.service").write_text(UNIT)
        (self.directory / "command").write_text(self._begin() + self._command(argv))
        return """mount -t proc proc /proc 2>/dev/null
mkdir -p /run/systemd/system /run/tmpfiles.d; cp /guest/guest.service /run/systemd/system/
ln -s /dev/null /run/tmpfiles.d/tmp.conf # it would empty /tmp, where the tree may be
exec /lib/systemd/systemd --unit=guest.service --log-target=kmsg --show-status=no
"""
