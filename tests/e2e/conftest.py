"""The whole embedded stack, once for all tests of a run."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from orderstream_local.ports import Ports
from orderstream_local.stack import Stack, StackOptions
from tests.support.system import System


@pytest.fixture(scope="session")
def data_folder() -> Iterator[Path]:
    """A folder for everything that the stack keeps."""
    with tempfile.TemporaryDirectory(prefix="e2e-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL does not run as root, so it has to get in as somebody else
        yield Path(folder)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def system(data_folder: Path) -> AsyncIterator[System]:
    """The running system, with a page's connections to it."""
    async with (
        Stack(StackOptions(data=data_folder, ports=Ports.free())) as stack,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        yield System(stack, session)
