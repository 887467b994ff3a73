# Copyright (c) 2026, the mink8s.podnet developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images of virtual machines: Debian's packages in a file system, built once for each recipe.

    images.py NAME…      build those that are not in .cache/images yet, all at the same time

An image is a directory: root.img (ext4), vmlinuz, initrd.img, busybox, which the pods are made of, and
cni-plugins.tgz, like a release's archive.  It knows no host name, no address and no key: all that comes from a second
disk, see machine.py.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
import subprocess
import sys
import time
import typing as t
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache/images"
#: The size of the file system; the file has holes.
SIZE = "4G"
USER = "admin"

PACKAGES = (
    # a machine that Ansible reaches
    *("linux-image-cloud-amd64", "systemd-sysv", "udev", "dbus", "kmod", "openssh-server", "sudo", "python3"),
    # what the collection needs of a node, and the tests look with
    *("python3-pyroute2", "nftables", "iptables", "iproute2", "iputils-ping", "procps", "containernetworking-plugins"),
    # what pods are made of
    "busybox-static",
)

#: What makes a directory a machine of ours: the user, the network, and nothing that only costs time at boot.
#: $1 is the directory, $2 where the image goes.
CUSTOMIZE = r"""
set -eu
root=$1 image=$2
chroot "$root" useradd --create-home --shell /bin/bash USER
echo 'USER ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/USER"
rm -f "$root"/etc/ssh/ssh_host_*
: >"$root/etc/machine-id"
cat >"$root/etc/systemd/system/second-disk.service" <<'UNIT'
[Unit]
Description=Files of this machine, from its second disk, at the first boot
DefaultDependencies=no
ConditionPathExists=!/var/lib/second-disk
After=systemd-remount-fs.service
Before=sysinit.target systemd-networkd.service systemd-tmpfiles-setup.service
[Service]
Type=oneshot
ExecStart=/bin/tar --extract --file=/dev/vdb --directory=/ --no-overwrite-dir
ExecStart=/usr/bin/touch /var/lib/second-disk
[Install]
WantedBy=sysinit.target
UNIT
mkdir -p "$root/etc/systemd/system.conf.d"
cat >"$root/etc/systemd/system.conf.d/slow.conf" <<'CONF'
[Manager]
DefaultTimeoutStartSec=15min
DefaultDeviceTimeoutSec=15min
CONF
chroot "$root" systemctl --quiet enable second-disk.service systemd-networkd.service
chroot "$root" systemctl --quiet mask \
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
    getty@tty1.service serial-getty@ttyS0.service systemd-networkd-wait-online.service systemd-timesyncd.service \
    systemd-pstore.service ldconfig.service
rm -rf "$root"/usr/share/doc "$root"/usr/share/man "$root"/usr/share/locale
cp "$root"/boot/vmlinuz-* "$image/vmlinuz"
cp "$root"/boot/initrd.img-* "$image/initrd.img"
cp "$root"/bin/busybox "$image/busybox"
tar -czf "$image/cni-plugins.tgz" -C "$root/usr/lib/cni" .
# Without what is mounted in the directory: /proc and the like.
mkdir "$image/root"
unshare --mount sh -euc 'mount --bind "$1" "$2/root"; mkfs.ext4 -q -L root -d "$2/root" "$2/root.img" SIZE' \
    sh "$root" "$image"
rmdir "$image/root"
"""


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What an image is made of."""

    name: str
    suite: str
    packages: tuple[str, ...]

    @property
    def script(self) -> str:
        return CUSTOMIZE.replace("USER", USER).replace("SIZE", SIZE)

    @property
    def directory(self) -> Path:
        """Where the image is, or will be."""
        recipe = repr((self, self.script, self.command("SCRIPT", "IMAGE")))
        return CACHE / f"{self.name}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"

    def command(self, script: str, image: str) -> list[str]:
        return [
            "mmdebstrap",
            "--variant=apt",
            f"--mode={'root' if os.geteuid() == 0 else 'unshare'}",
            "--format=null",
            "--dpkgopt=path-exclude=/usr/share/doc/*",
            "--dpkgopt=path-exclude=/usr/share/man/*",
            "--dpkgopt=path-exclude=/usr/share/locale/*",
            f"--include={','.join(self.packages)}",
            f'--customize-hook=sh "{script}" "$1" "{image}"',
            self.suite,
            "/dev/null",
        ]


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("debian12", "bookworm", (*PACKAGES, "docker.io", "apparmor")),
        Recipe("debian13", "trixie", (*PACKAGES, "containerd")),
    )
}


def start(recipe: Recipe) -> tuple[subprocess.Popen[bytes], Path]:
    """Start to build an image, beside the place where it will be."""
    unfinished = recipe.directory.with_suffix(f".{os.getpid()}")
    unfinished.mkdir(parents=True)
    script = unfinished / "customize.sh"
    script.write_text(recipe.script, encoding="utf-8")
    log = (unfinished / "log").open("wb")
    print(f"-- building the image {recipe.name}", flush=True)
    command = recipe.command(str(script), str(unfinished))
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log), unfinished


def finish(recipe: Recipe, unfinished: Path) -> None:
    """Give a whole image its name, and remove those of older recipes."""
    for path in unfinished.iterdir():
        path.chmod(0o755 if path.name == "busybox" else 0o644)
    for older in CACHE.glob(f"{recipe.name}-*"):
        builder = older.suffix[1:]
        if not (builder and Path("/proc", builder).exists()):
            shutil.rmtree(older)
    unfinished.rename(recipe.directory)


def build(names: t.Iterable[str]) -> None:
    """Have these images in the cache."""
    missing = [recipe for recipe in map(RECIPES.__getitem__, names) if not recipe.directory.exists()]
    began = time.monotonic()
    started = [(recipe, *start(recipe)) for recipe in missing]
    try:
        for recipe, process, unfinished in started:
            if process.wait() != 0:
                sys.exit(f"The image {recipe.name} was not built:\n{(unfinished / 'log').read_text(errors='replace')}")
            finish(recipe, unfinished)
            print(f"-- the image {recipe.name} is built ({time.monotonic() - began:.0f} s)", flush=True)
    finally:
        for _recipe, process, unfinished in started:
            if process.poll() is None:
                process.terminate()
                process.wait()
            shutil.rmtree(unfinished, ignore_errors=True)


if __name__ == "__main__":
    build(sys.argv[1:] or RECIPES)
