"""Builds the images of compose.yaml, starts the system in containers, and tests it: `./run test -e containers`.

Needs root on Debian or Ubuntu, and no container engine: buildah, podman and crun are unpacked into .cache/containers,
and everything runs in namespaces that end with this process. The cache keeps tools, base images and layers.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from orderstream_local.layout import ROOT
from tests.containers.bases import make_bases
from tests.containers.builds import BuildError
from tests.containers.images import base_tags, build_images
from tests.containers.sandbox import Folders, in_own_network, mount_tools, run_inside
from tests.containers.tools import SkippedError, require, unpack_tools

CACHE = ROOT / ".cache" / "containers"


def main() -> int:
    """Run the tests and return their status; when containers cannot run here, say so: a failure in CI, 0 elsewhere."""
    arguments = argparse.ArgumentParser(prog="python -m tests.containers", description=__doc__)
    arguments.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given, options = arguments.parse_known_args()
    if given.inside:
        return _inside(options)
    try:
        require()
        CACHE.mkdir(parents=True, exist_ok=True)
        with (CACHE / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with _timed("tools"):
                unpack_tools(CACHE)
            return run_inside(options)
    except SkippedError as missing:
        _say(f"skipped: {missing}")
        return 1 if os.environ.get("CI") else 0


def _inside(options: Sequence[str]) -> int:
    folders = Folders(CACHE)
    mount_tools(CACHE / "tools", folders)
    building = folders.build_environment()
    for residue in set(folders.downloads.iterdir()) - {folders.downloads / "buildah-cache"}:  # of a killed build
        shutil.rmtree(residue) if residue.is_dir() else residue.unlink()
    try:
        with _timed("base images"):
            made = asyncio.run(make_bases(base_tags(), building))
            _say(f"made {', '.join(made) or 'none, all are in the cache'}")
        with _timed("images"):
            build_images(building)
    except BuildError as failed:
        _say(str(failed))
        return 1
    pytest = [sys.executable, "-m", "pytest", "tests/containers", "-q", "-rP", *options]
    running = folders.run_environment() | {"ORDERSTREAM_CONTAINERS": "1"}
    with _timed("tests"):
        return subprocess.run(in_own_network(pytest), check=False, env=running).returncode


@contextmanager
def _timed(what: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    _say(f"{what}: {time.monotonic() - started:.0f} s")


def _say(line: str) -> None:
    sys.stderr.write(f"containers: {line}\n")


if __name__ == "__main__":
    sys.exit(main())
