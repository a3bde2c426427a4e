"""An administrator, and the event loops of the tests: uvloop, as in the services, and the standard one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping

import psycopg2
import pytest
import uvloop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run every test on both."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
def admin(postgres_dsn: str) -> Iterator[psycopg2.extensions.cursor]:
    connection = psycopg2.connect(postgres_dsn)
    connection.autocommit = True
    yield connection.cursor()
    connection.close()
