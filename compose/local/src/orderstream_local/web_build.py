"""Builds the page, and caches the build and its packages by a hash of their sources."""

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
from .process import CommandFailedError, run_command

__all__ = ["PageBuilder", "Workspace"]

_EXCLUDED = {"node_modules", "dist", "coverage"}
_TEST_SUFFIX = ".spec.ts"
_INSTALL = (
    *("npm", "ci", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund"),
    # fail within seconds without a network: npm's default retries take more than a minute
    *("--loglevel=error", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"),
)
_UNKNOWN_VERSION = "ETARGET"
_INSTALL_TIMEOUT_S = 900.0
_BUILD_TIMEOUT_S = 600.0
_POLL_S = 0.1
_MAX_PAGES = 5
_MAX_PACKAGES = 2
_ABANDONED_AFTER_S = 86_400.0
_INSTALL_PREFIX = "new-"
_COPY_PREFIX = "work-"


@dataclass(frozen=True, slots=True)
class Workspace:
    """A copy of the page's sources, with their packages where Node.js finds them.

    Attributes:
        folder: the copy.
        packages: the ``node_modules`` that it uses.
    """

    folder: Path
    packages: Path
    node: Node

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a command: this process's own, with *node* first on PATH."""
        # NODE_ENV=production would omit the build tools
        environment = {name: value for name, value in os.environ.items() if name != "NODE_ENV"}
        return environment | {"PATH": self.node.path, "NG_CLI_ANALYTICS": "false", "NO_COLOR": "1"}

    async def run(self, *command: str, timeout_s: float = _BUILD_TIMEOUT_S) -> str:
        """Run a command in the copy and return its stdout.

        Raises:
            CommandFailedError: the command failed; the message has its output.
        """
        return await run_command(command, environment=self.environment, folder=self.folder, timeout_s=timeout_s)


class PageBuilder:
    """Builds *source* and caches the result in *cache*; *progress* is called with each slow step."""

    def __init__(
        self, progress: Callable[[str], None], source: Path = ROOT / "web", cache: Path = ROOT / ".cache" / "web"
    ) -> None:
        self._progress = progress
        self._source = source
        self._cache = cache

    async def page(self) -> Path:
        """Return the folder of the built page; build it first if the cache has no build of these sources.

        Raises:
            CommandFailedError: the build failed; the message has its output.
        """
        if built := self._cached_page(_fingerprint(self._source)):
            return built
        started = time.monotonic()
        async with self._locked():
            if built := self._cached_page(_fingerprint(self._source)):
                return built  # by another process meanwhile
            self._progress("building the page, once; this takes about a minute")
            target = await self._build()
            _prune(self._pages, _MAX_PAGES)
        self._progress(f"page built in {time.monotonic() - started:.0f} s")
        return target

    @asynccontextmanager
    async def workspace(self) -> AsyncIterator[Workspace]:
        """Provide a workspace for the block.

        Raises:
            CommandFailedError: Node.js is missing, or the packages can't be installed.
        """
        async with self._locked():
            node, packages = await self._install_packages()
        with self._workspace_of(node, packages) as workspace:
            yield workspace

    async def _build(self) -> Path:
        node, packages = await self._install_packages()
        with self._workspace_of(node, packages) as workspace:
            # the hash of the copy: the sources may have changed since
            target = self._pages / _fingerprint(workspace.folder)
            await workspace.run("npm", "run", "--silent", "build")
            _move_into_place(workspace.folder / "dist", target)
        return target

    @property
    def _pages(self) -> Path:
        return self._cache / "pages"

    def _cached_page(self, fingerprint: str) -> Path | None:
        page = self._pages / fingerprint
        if not page.is_dir():
            return None
        os.utime(page)  # the newest stay in the cache
        return page

    @contextmanager
    def _workspace_of(self, node: Node, packages: Path) -> Iterator[Workspace]:
        with tempfile.TemporaryDirectory(prefix=_COPY_PREFIX, dir=packages, ignore_cleanup_errors=True) as folder:
            shutil.copytree(self._source, folder, ignore=_excluded, dirs_exist_ok=True)
            yield Workspace(Path(folder), packages / "node_modules", node)

    async def _install_packages(self) -> tuple[Node, Path]:
        """Return a Node.js and the folder whose ``node_modules`` match the lock file."""
        lock = self._source / "package-lock.json"
        manifest = self._source / "package.json"
        node = await find_node(json.loads(manifest.read_bytes())["engines"]["node"])
        wanted = hashlib.sha256(lock.read_bytes() + node.version.encode()).hexdigest()[:16]
        folder = self._cache / "packages" / wanted
        if folder.is_dir():
            os.utime(folder)
            return node, folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=_INSTALL_PREFIX, dir=folder.parent, ignore_cleanup_errors=True) as new:
            for each in (manifest, lock):
                shutil.copy(each, new)
            self._progress(f"installing the page's packages with Node.js {node.version}, once")
            await _install(Workspace(Path(new), Path(new), node))
            _move_into_place(Path(new), folder)
        _prune(folder.parent, _MAX_PACKAGES)
        return node, folder

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[None]:
        """Hold the build lock for the block, against other processes and other builders of this one."""
        self._cache.mkdir(parents=True, exist_ok=True)
        with (self._cache / "lock").open("ab") as lock:
            waiting = False
            while not _try_lock(lock):
                if not waiting:
                    self._progress("waiting for another process that builds the page")
                    waiting = True
                await asyncio.sleep(_POLL_S)
            yield


async def _install(workspace: Workspace) -> None:
    """Install from npm's cache, or with what the registry has now where the cache knows only older versions."""
    try:
        await workspace.run(*_INSTALL, "--prefer-offline", timeout_s=_INSTALL_TIMEOUT_S)
    except CommandFailedError as error:
        if _UNKNOWN_VERSION not in str(error):
            raise
        await workspace.run(*_INSTALL, "--prefer-online", timeout_s=_INSTALL_TIMEOUT_S)


def _try_lock(lock: IO[bytes]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _excluded(folder: str, names: list[str]) -> set[str]:
    """Return the *names* in a folder that are not sources."""
    return {name for name in names if name in _EXCLUDED or (name.startswith(".") and Path(folder, name).is_dir())}


def _sources(folder: Path) -> Iterator[Path]:
    for current, folders, files in os.walk(folder):
        excluded = _excluded(current, folders)
        folders[:] = sorted(name for name in folders if name not in excluded)
        yield from (Path(current, name) for name in sorted(files) if not name.endswith(_TEST_SUFFIX))


def _fingerprint(folder: Path) -> str:
    """Return a hash of the sources, independent of their folder."""
    digest = hashlib.sha256()
    for file in _sources(folder):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(folder)}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _move_into_place(made: Path, target: Path) -> None:
    """Move *made* to *target* atomically; an existing *target* has the same content and stays."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.is_dir():
        made.rename(target)


def _prune(folder: Path, kept: int) -> None:
    """Remove all but the *kept* newest in *folder*, and the leftovers of killed processes."""
    for unfinished in folder.glob(f"{_INSTALL_PREFIX}*"):  # the lock excludes other installations
        shutil.rmtree(unfinished, ignore_errors=True)
    for old in sorted(folder.iterdir(), key=_age_s)[kept:]:
        shutil.rmtree(old, ignore_errors=True)
    for work in folder.glob(f"*/{_COPY_PREFIX}*"):  # a recent one may be in use
        if _age_s(work) > _ABANDONED_AFTER_S:
            shutil.rmtree(work, ignore_errors=True)


def _age_s(path: Path) -> float:
    return time.time() - path.stat().st_mtime
