"""Builds the page, once for each state of its sources, into a folder that can be served."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .layout import ROOT
from .node import Node, find_node
from .process import run_command

__all__ = ["PageBuilder", "Workspace"]

_LEFT_OUT = {"node_modules", "dist", "coverage"}
_TEST = ".spec.ts"  # the one kind of source that the page is not made of
_INSTALL = (
    *("npm", "ci", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"),
    # without a network it is to be told in seconds: npm's own pauses make it more than a minute
    *("--loglevel=error", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"),
)
_INSTALL_WITHIN_S = 900.0
_BUILD_WITHIN_S = 600.0
_POLL_S = 0.1
_KEPT_PAGES = 5
_KEPT_PACKAGES = 2
_ABANDONED_AFTER_S = 86_400.0
_NEW = "new-"
_WORK = "work-"


@dataclass(frozen=True, slots=True)
class Workspace:
    """A copy of the page's sources, with the packages that they need where Node.js looks for them.

    Attributes:
        folder: the copy.
        packages: the ``node_modules`` that it uses.
    """

    folder: Path
    packages: Path
    node: Node

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a command in it: this process's own, with the right Node.js first on PATH."""
        # NODE_ENV=production would leave out what builds
        given = {name: value for name, value in os.environ.items() if name != "NODE_ENV"}
        return given | {"PATH": self.node.path, "NG_CLI_ANALYTICS": "false", "NO_COLOR": "1"}

    async def run(self, *command: str, timeout_s: float = _BUILD_WITHIN_S) -> str:
        """Run a command in it and return what it wrote to stdout.

        Raises:
            CommandFailedError: it failed, with its output.
        """
        return await run_command(command, environment=self.environment, folder=self.folder, timeout_s=timeout_s)


class PageBuilder:
    """Builds the sources *source* and keeps what comes of it under *cache*; *progress* is told what takes time."""

    def __init__(
        self, progress: Callable[[str], None], source: Path = ROOT / "web", cache: Path = ROOT / ".cache" / "web"
    ) -> None:
        self._progress = progress
        self._source = source
        self._cache = cache

    async def page(self) -> Path:
        """Return the folder of the built page; it is built first when there is none of these very sources.

        Raises:
            CommandFailedError: it can't be built; what failed says why.
        """
        if built := self._built(_fingerprint(self._source)):
            return built
        started = time.monotonic()
        async with self._alone():
            if built := self._built(_fingerprint(self._source)):
                return built  # by who was here before
            self._progress("building the page, once; this takes a minute or so")
            target = await self._build()
            _forget(self._pages, _KEPT_PAGES)
        self._progress(f"the page is built, in {time.monotonic() - started:.0f} s")
        return target

    @asynccontextmanager
    async def workspace(self) -> AsyncIterator[Workspace]:
        """Lend a workspace for the block.

        Raises:
            CommandFailedError: there is no Node.js, or the packages can't be installed.
        """
        async with self._alone():
            node, packages = await self._packages()
        with self._copied(node, packages) as workspace:
            yield workspace

    async def _build(self) -> Path:
        node, packages = await self._packages()
        with self._copied(node, packages) as workspace:
            # named after the copy: the sources may have changed since
            target = self._pages / _fingerprint(workspace.folder)
            await workspace.run("npm", "run", "--silent", "build")
            _move(workspace.folder / "dist", target)
        return target

    @property
    def _pages(self) -> Path:
        return self._cache / "pages"

    def _built(self, fingerprint: str) -> Path | None:
        page = self._pages / fingerprint
        if not page.is_dir():
            return None
        os.utime(page)  # so that it is not the one to be forgotten
        return page

    @contextmanager
    def _copied(self, node: Node, packages: Path) -> Iterator[Workspace]:
        with tempfile.TemporaryDirectory(prefix=_WORK, dir=packages, ignore_cleanup_errors=True) as folder:
            shutil.copytree(self._source, folder, ignore=_left_out, dirs_exist_ok=True)
            yield Workspace(Path(folder), packages / "node_modules", node)

    async def _packages(self) -> tuple[Node, Path]:
        """Return a Node.js and the folder whose ``node_modules`` are as the lock file has them."""
        lock = self._source / "package-lock.json"
        manifest = self._source / "package.json"
        node = await find_node(json.loads(manifest.read_bytes())["engines"]["node"])
        wanted = hashlib.sha256(lock.read_bytes() + node.version.encode()).hexdigest()[:16]
        folder = self._cache / "packages" / wanted
        if folder.is_dir():
            os.utime(folder)
            return node, folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=_NEW, dir=folder.parent, ignore_cleanup_errors=True) as new:
            for each in (manifest, lock):
                shutil.copy(each, new)
            self._progress(f"installing the page's packages with Node.js {node.version}, once")
            await Workspace(Path(new), Path(new), node).run(*_INSTALL, timeout_s=_INSTALL_WITHIN_S)
            _move(Path(new), folder)
        _forget(folder.parent, _KEPT_PACKAGES)
        return node, folder

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Keep other processes, and other builders of this one, from building for the block."""
        self._cache.mkdir(parents=True, exist_ok=True)
        with (self._cache / "lock").open("ab") as lock:
            told = False
            while not _taken(lock):
                if not told:
                    self._progress("another start builds the page; waiting for it")
                    told = True
                await asyncio.sleep(_POLL_S)
            yield


def _taken(lock: IO[bytes]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _left_out(folder: str, names: list[str]) -> set[str]:
    """Return what of a folder's *names* is no source."""
    return {name for name in names if name in _LEFT_OUT or (name.startswith(".") and Path(folder, name).is_dir())}


def _sources(folder: Path) -> Iterator[Path]:
    for current, folders, files in os.walk(folder):
        left_out = _left_out(current, folders)
        folders[:] = sorted(name for name in folders if name not in left_out)
        yield from (Path(current, name) for name in sorted(files) if not name.endswith(_TEST))


def _fingerprint(folder: Path) -> str:
    """Return what is the same for the same sources, wherever they are."""
    digest = hashlib.sha256()
    for file in _sources(folder):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(folder)}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _move(made: Path, target: Path) -> None:
    """Put what was *made* in its place, as a whole; what is there already is as good."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.is_dir():
        made.rename(target)


def _forget(folder: Path, kept: int) -> None:
    """Remove all but the *kept* newest in *folder*, and what killed starts left there."""
    for unfinished in folder.glob(f"{_NEW}*"):  # nobody else installs meanwhile
        shutil.rmtree(unfinished, ignore_errors=True)
    for old in sorted(folder.iterdir(), key=_age_s)[kept:]:
        shutil.rmtree(old, ignore_errors=True)
    for work in folder.glob(f"*/{_WORK}*"):  # somebody may be working in a new one
        if _age_s(work) > _ABANDONED_AFTER_S:
            shutil.rmtree(work, ignore_errors=True)


def _age_s(path: Path) -> float:
    return time.time() - path.stat().st_mtime
