# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One virtual machine: its second disk with all that makes it this machine, its keys, and its process."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import io
import os
import socket
import subprocess
import tarfile
import time
import typing as t
from pathlib import Path

from images import USER

#: A kernel without a root file system panics and resets at once; a /dev/kvm that does not work never gets there.
KVM_PROBE_SECONDS = 5
BOOT_SECONDS = 600
#: An old processor: emulated, wide registers cost more than they save (a fifth of the time, measured).
EMULATION = ["-accel", "tcg,thread=multi,tb-size=512", "-cpu", "qemu64"]
KVM = ["-accel", "kvm", "-cpu", "host"]
KERNEL = "root=/dev/vda rw console=ttyS0 quiet panic=-1 mitigations=off apparmor=0 selinux=0 systemd.show_status=false"
#: Ansible's own way in, and where no route leads.
MANAGEMENT = "10.0.2.15/24"
UID = 1000


@dataclasses.dataclass(frozen=True)
class Machine:
    """A machine as it is wanted."""

    name: str
    image: Path
    #: 1 and up; addresses and MACs are made of it
    index: int
    #: on the nodes' network, with its prefix length
    address: str
    router: str
    mtu: int
    memory: int
    #: further words for the kernel
    kernel: str
    #: path on the machine to a file here; what is in /usr/local/bin can be run
    files: dict[str, Path]
    #: keys, disk, console and sockets
    directory: Path

    @property
    def tap(self) -> str:
        return f"tap-{self.index}"

    @property
    def console(self) -> Path:
        return self.directory / f"{self.name}.console"

    @property
    def known_hosts(self) -> Path:
        return self.directory / f"{self.name}.known_hosts"

    def mac(self, card: int) -> str:
        return f"52:54:00:12:{card:02x}:{self.index:02x}"


def free_port() -> int:
    """A port of the loopback interface that nobody has."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def make_key(path: Path) -> str:
    """Make a pair of keys; return the public one."""
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", path.name, "-f", str(path)]
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
    return path.with_name(f"{path.name}.pub").read_text(encoding="utf-8")


# ---- the second disk -------------------------------------------------------------------------------------------------


def write_disk(machine: Machine, authorized_key: str) -> Path:
    """Write the tar archive that the machine unpacks over its root directory at its first boot."""
    host_key = machine.directory / f"{machine.name}.host_key"
    public = make_key(host_key)
    machine.known_hosts.write_text(f"* {public}", encoding="utf-8")
    disk = machine.directory / f"{machine.name}.disk"
    home = f"home/{USER}/.ssh"
    texts = {
        "etc/hostname": f"{machine.name}\n",
        "etc/hosts": f"127.0.0.1 localhost\n127.0.1.1 {machine.name}\n",
        "etc/systemd/network/10-management.network": network(machine.mac(0), [f"Address={MANAGEMENT}"]),
        "etc/systemd/network/20-uplink.network": network(
            machine.mac(1), [f"Address={machine.address}", f"Gateway={machine.router}"]
        ),
        "etc/ssh/ssh_host_ed25519_key.pub": public,
    }
    with tarfile.open(disk, "w") as archive:
        for path, text in texts.items():
            add(archive, path, text.encode(), 0o644)
        add(archive, "etc/ssh/ssh_host_ed25519_key", host_key.read_bytes(), 0o600)
        add(archive, home, None, 0o700, UID)
        add(archive, f"{home}/authorized_keys", authorized_key.encode(), 0o600, UID)
        for target, source in machine.files.items():
            mode = 0o755 if target.startswith("/usr/local/bin/") else 0o644
            add(archive, target.lstrip("/"), source.read_bytes(), mode)
    return disk


def network(mac: str, lines: list[str]) -> str:
    """A file for systemd-networkd."""
    own = "\n".join(lines)
    return f"[Match]\nMACAddress={mac}\n[Network]\nIPv6AcceptRA=no\n{own}\n"


def add(archive: tarfile.TarFile, path: str, content: bytes | None, mode: int, owner: int = 0) -> None:
    """Add a file, or a directory, to an archive."""
    entry = tarfile.TarInfo(path)
    entry.mode, entry.uid, entry.gid, entry.mtime = mode, owner, owner, int(time.time())
    if content is None:
        entry.type = tarfile.DIRTYPE
        archive.addfile(entry)
    else:
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))


# ---- the process -----------------------------------------------------------------------------------------------------


@functools.cache
def acceleration(kernel: Path) -> list[str]:
    """KVM where a kernel truly runs with it, else emulation."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return EMULATION
    words = ["qemu-system-x86_64", "-M", "q35", *KVM, "-m", "256", "-display", "none", "-nodefaults", "-no-reboot"]
    words += ["-kernel", str(kernel), "-append", "panic=-1"]
    with contextlib.suppress(subprocess.TimeoutExpired):
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=KVM_PROBE_SECONDS, check=False
        )
        if done.returncode == 0:
            return KVM
    return EMULATION


def start(machine: Machine, authorized_key: str) -> tuple[subprocess.Popen[bytes], int]:
    """Start a machine; return its process and the port on which it will answer ssh."""
    port = free_port()
    kernel = machine.image / "vmlinuz"
    log = (machine.directory / f"{machine.name}.qemu").open("wb")
    words = [
        *("qemu-system-x86_64", "-M", "q35", *acceleration(kernel), "-smp", "2", "-m", str(machine.memory)),
        *("-nodefaults", "-display", "none", "-serial", f"file:{machine.console}"),
        *("-kernel", str(kernel), "-initrd", str(machine.image / "initrd.img")),
        *("-append", f"{KERNEL} systemd.hostname={machine.name} {machine.kernel}".strip()),
        # What the machine writes is in a file without a name, and gone with the process.
        *("-drive", f"file={machine.image / 'root.img'},format=raw,if=virtio,snapshot=on,cache=unsafe"),
        *("-drive", f"file={write_disk(machine, authorized_key)},format=raw,if=virtio,readonly=on"),
        *("-netdev", f"user,id=management,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22"),
        *("-device", f"virtio-net-pci,netdev=management,mac={machine.mac(0)}"),
        *("-netdev", f"tap,id=uplink,ifname={machine.tap},script=no,downscript=no"),
        *("-device", f"virtio-net-pci,netdev=uplink,mac={machine.mac(1)},host_mtu={machine.mtu}"),
        *("-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng"),
    ]
    environment = {**os.environ, "TMPDIR": str(machine.directory)}
    process = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
    )
    return process, port


def wait(machine: Machine, process: subprocess.Popen[bytes], ssh: t.Sequence[str]) -> None:
    """Wait until a machine lets us in; if it does not, say what its console said."""
    until = time.monotonic() + BOOT_SECONDS
    while subprocess.run([*ssh, "true"], stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode != 0:
        if process.poll() is not None or time.monotonic() > until:
            ended = "ended" if process.poll() is not None else f"does not answer ssh after {BOOT_SECONDS} s"
            said = [
                path.read_text(errors="replace")[-4000:]
                for path in (machine.directory / f"{machine.name}.qemu", machine.console)
                if path.exists()
            ]
            raise SystemExit(f"vm: {machine.name} {ended}; it said:\n" + "\n".join(said))
        time.sleep(1)
    # Ansible is not to compete with the rest of the boot; a unit that failed is for the tests to find.
    words = [*ssh, "systemctl is-system-running --wait"]
    subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False)
