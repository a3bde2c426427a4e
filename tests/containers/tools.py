"""The programs that build and run containers, from the machine's own distribution, unpacked into the cache.

Nothing is installed: :mod:`tests.containers.sandbox` lays the folder over the root of a private mount namespace.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

__all__ = ["SkippedError", "require", "unpack_tools"]

# apt-get downloads what is not installed of these and of their dependencies
_PACKAGES = (
    "aardvark-dns",
    "buildah",
    "catatonit",
    "conmon",
    "crun",
    "debian-archive-keyring",
    "iptables",
    "mmdebstrap",
    "netavark",
    "podman",
)
_IPTABLES = "xtables-nft-multi"  # update-alternatives links iptables to it; packages that are unpacked run no scripts


class SkippedError(Exception):
    """Containers cannot be built or run here; the message says why."""


def require() -> None:
    """Check what the cache cannot provide.

    Raises:
        SkippedError: something is missing.
    """
    if os.geteuid() != 0:
        raise SkippedError('only root can mount and make namespaces; try sudo env HOME="$HOME" PATH="$PATH"')
    for program in ("apt-get", "dpkg", "setpriv", "unshare"):
        if shutil.which(program) is None:
            raise SkippedError(f"there is no {program}; this runs on Debian and Ubuntu")
    namespaces = ["unshare", "--mount", "--pid", "--net", "--fork", "true"]
    if subprocess.run(namespaces, check=False, capture_output=True).returncode:
        raise SkippedError("the kernel refuses new namespaces")


def unpack_tools(cache: Path) -> Path:
    """Return the folder with the tools, after filling it once.

    Raises:
        SkippedError: the packages cannot be downloaded.
    """
    tools, lists, archives = cache / "tools", cache / "apt" / "lists", cache / "apt" / "archives"
    if tools.exists():
        return tools
    for folder in (lists, archives):
        (folder / "partial").mkdir(parents=True, exist_ok=True)
    apt = ["apt-get", "-qq", "-y", "--no-install-recommends"]
    apt += ["-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache::archives={archives}"]
    apt += ["-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=", "-o", "Debug::NoLocking=1"]
    apt += ["-o", "APT::Sandbox::User=root"]
    for command in (["update"], ["install", "--download-only", *_PACKAGES]):
        done = subprocess.run([*apt, *command], check=False, capture_output=True, text=True)
        if done.returncode:
            raise SkippedError(f"apt-get {command[0]} failed: {done.stderr.strip()}")
    unfinished = cache / "tools.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    for package in sorted(archives.glob("*.deb")):
        subprocess.run(["dpkg", "-x", package, unfinished], check=True)
    sbin = unfinished / "usr" / "sbin"
    for name in ("iptables", "ip6tables"):
        if (sbin / _IPTABLES).exists():
            (sbin / name).symlink_to(_IPTABLES)
    unfinished.rename(tools)
    return tools
