"""The whole embedded stack, once for all tests of a run."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.system import System, running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def system() -> AsyncIterator[System]:
    """The running system, with a page's connections to it."""
    async with running() as system:
        yield system
