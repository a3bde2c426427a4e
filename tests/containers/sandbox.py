"""Namespaces in which images are built and containers run: when their first process ends, nothing is left.

Mounts, container processes, networks and firewall rules belong to namespaces of this run. Containers, volumes and
temporary files are on a tmpfs in the mount namespace. Only the images and downloads in the cache outlive the run.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["Folders", "in_own_network", "mount_tools", "run_inside"]

_STORAGE = """\
[storage]
driver = "overlay"
graphroot = "{graphroot}"
runroot = "{runroot}"
[storage.options]
additionalimagestores = [{stores}]
"""
# Without cgroups, of which the kernel would keep the empty ones, and systemd, which may not be there. And without a
# profile of AppArmor, which would outlive the run, and keeps podman on Ubuntu 24.04 from sending most signals:
# https://github.com/containers/common/issues/2321
_CONTAINERS = """\
[containers]
apparmor_profile = "unconfined"
cgroups = "disabled"
default_ulimits = []
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
runtime = "crun"
static_dir = "{temporary}/static-{name}"
tmp_dir = "{temporary}/libpod"
volume_path = "{temporary}/volumes"
[network]
network_backend = "netavark"
network_config_dir = "{temporary}/networks"
"""


class Folders:
    """The folders of the cache.

    Attributes:
        images: the storage of images, kept.
        downloads: what builds download, kept; builds have their temporary files there too.
        temporary: a tmpfs of this run.
    """

    def __init__(self, cache: Path) -> None:
        self.images = cache / "images"
        self.downloads = cache / "downloads"
        self.temporary = cache / "run"

    def build_environment(self) -> dict[str, str]:
        """Return the environment in which images are built into the cache."""
        return self._environment("build", str(self.images), "", self.downloads)

    def run_environment(self) -> dict[str, str]:
        """Return the environment in which containers of those images run."""
        return self._environment("run", f"{self.temporary}/storage", f'"{self.images}"', self.temporary)

    def _environment(self, name: str, graphroot: str, stores: str, temporary: Path) -> dict[str, str]:
        storage, containers = (self.temporary / f"{each}-{name}.conf" for each in ("storage", "containers"))
        runroot = f"{self.temporary}/runroot-{name}"
        storage.write_text(_STORAGE.format(graphroot=graphroot, runroot=runroot, stores=stores))
        containers.write_text(_CONTAINERS.format(temporary=self.temporary, name=name))
        files = {"CONTAINERS_STORAGE_CONF": str(storage), "CONTAINERS_CONF": str(containers)}
        return os.environ | files | {"TMPDIR": str(temporary)}


def run_inside(arguments: Sequence[str]) -> int:
    """Run this module's program in namespaces that end with the calling process, and return its status."""
    namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    program = [sys.executable, "-W", "error", "-m", "tests.containers", "--inside", *arguments]
    return subprocess.run(["setpriv", "--pdeathsig", "KILL", *namespaces, *program], check=False).returncode


def mount_tools(tools: Path, folders: Folders) -> None:
    """Lay the tools over this namespace's root, and make its temporary folder."""
    for folder in (folders.images, folders.downloads, folders.temporary):
        folder.mkdir(parents=True, exist_ok=True)
    _mount("tmpfs", "size=4g", folders.temporary)
    for name in ("etc", "usr"):
        if (tools / name).is_dir():
            _mount("overlay", f"lowerdir={tools / name}:/{name}", Path(f"/{name}"))
    _mount("cgroup2", "ro", Path("/sys/fs/cgroup"))  # crun refuses to run on both versions, though it uses neither here
    for root in (Path("/run"), Path("/var/lib")):  # what the programs write there is gone with the namespace, too
        if not folders.images.is_relative_to(root):
            upper, work = (folders.temporary / f"{kind}-{root.name}" for kind in ("upper", "work"))
            upper.mkdir()
            work.mkdir()
            _mount("overlay", f"lowerdir={root},upperdir={upper},workdir={work}", root)


def in_own_network(command: Sequence[str]) -> list[str]:
    """Return *command* so that it runs in a network namespace of its own, with loopback."""
    return ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *command]


def _mount(kind: str, options: str, target: Path) -> None:
    subprocess.run(["mount", "-t", kind, "-o", options, kind, target], check=True)
