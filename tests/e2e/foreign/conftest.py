"""A stack of its own, with a quick heartbeat, and the pages and programs that follow it."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.system import System, running

from .browser import BROWSERS, CLIENTS, Site, browsing
from .tap import Tap

HEARTBEAT_S = 0.5


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def foreign_site() -> AsyncIterator[Site]:
    """An origin that the service does not know."""
    site = Site()
    async with site.served():
        yield site


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sites(tmp_path_factory: pytest.TempPathFactory, foreign_site: Site) -> AsyncIterator[Mapping[str, Site]]:
    """By browser, an origin that the service knows, with its page open; in Chromium's, the foreign one in a frame."""
    async with AsyncExitStack() as open_sites:
        sites = {name: Site() for name in ("chromium", "firefox")}
        for name, site in sites.items():
            await open_sites.enter_async_context(site.served())
            if name in BROWSERS:
                framed = f"#{foreign_site.origin}/page.html" if name == "chromium" else ""
                page = browsing(name, f"{site.origin}/page.html{framed}", tmp_path_factory.mktemp(name))
                await open_sites.enter_async_context(page)
        yield sites


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(sites: Mapping[str, Site]) -> AsyncIterator[System]:
    """The running system, which lets the pages of these sites in."""
    origins = ",".join(site.origin for site in sites.values())
    environ = {"PUSH_HEARTBEAT_S": str(HEARTBEAT_S), "ALLOWED_ORIGINS": origins}
    async with running(environ=environ, web=False) as system:
        yield system


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tap(system: System) -> AsyncIterator[Tap]:
    """A wire to the notification service that can be cut."""
    async with Tap(system.stack.url("notification")) as tap:
        yield tap


@pytest.fixture(scope="session")
def without_packages() -> str | None:
    """Why the npm packages are not there; None when they are, as the lock file has them, and our library is built."""
    npm = shutil.which("npm")
    if npm is None:
        return "npm is not installed"
    with Path(tempfile.gettempdir(), "install-clients").open("w") as lock:  # workers share the folder
        fcntl.flock(lock, fcntl.LOCK_EX)
        if failure := _install(npm):
            return failure
        _build(npm)
    return None


def _install(npm: str) -> str | None:
    lock, installed = CLIENTS / "package-lock.json", CLIENTS / "node_modules" / "installed-from.json"
    if installed.is_file() and installed.read_bytes() == lock.read_bytes():
        return None
    options = ("--ignore-scripts", "--no-audit", "--no-fund")
    done = subprocess.run((npm, "ci", *options), cwd=CLIENTS, capture_output=True, text=True, check=False)
    if done.returncode:
        assert os.environ.get("CI") != "true", done.stderr
        return f"npm ci failed: {done.stderr.strip()}"
    shutil.copyfile(lock, installed)
    return None


def _build(npm: str) -> None:
    """Build our library, once for all workers of a run: another may be importing it."""
    run, built = os.environ.get("PYTEST_XDIST_TESTRUNUID"), CLIENTS / "node_modules" / "built-in-run"
    if run is not None and built.is_file() and built.read_text() == run:
        return
    done = subprocess.run((npm, "run", "--silent", "build"), cwd=CLIENTS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    if run is not None:
        built.write_text(run)
