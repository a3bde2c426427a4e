"""Whatever the driver raises, wherever it does, comes out of the database layer as a ServiceError."""

from __future__ import annotations

import asyncio
import json
import select
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from decimal import InvalidOperation
from typing import Any
from urllib.parse import urlsplit

import orjson
import psycopg2
import pytest
from psycopg2 import extensions

from service_common.errors import ServiceError, TransientError
from service_common.postgres import Database, DatabaseUnavailableError, DataError, StatementError
from service_common.postgres.session import Session
from tests.support.waiting import PATIENCE_S

LIMIT_S = 10.0
CALLS = ("connect", "cursor", "execute", "poll", "description", "fetchall", "rowcount", "notifies")
PLAIN: tuple[BaseException, ...] = (
    psycopg2.InterfaceError("cursor already closed"),
    ValueError("year 0 is out of range"),
    json.JSONDecodeError("Expecting value", "", 0),
    orjson.JSONDecodeError("unexpected character", "", 0),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    OverflowError("days=100000000"),
    InvalidOperation(),
    TypeError("not all arguments converted during string formatting"),
    KeyError("id"),
    IndexError("tuple index out of range"),
    AttributeError("description"),
    RuntimeError("cursor.execute() called while another coroutine is already waiting for incoming data"),
    AssertionError(),
    MemoryError(),
    OSError(9, "Bad file descriptor"),
    ConnectionResetError(104, "Connection reset by peer"),
    TimeoutError(),
)


def driver_errors() -> Iterator[BaseException]:
    """Yield an error of each class that psycopg2 raises by itself, and of others that came out of it."""
    classes = {
        each
        for module in (psycopg2, extensions)
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, psycopg2.Error | psycopg2.Warning)
    }
    yield from (each(each.__name__) for each in sorted(classes, key=lambda each: each.__name__))
    yield from PLAIN


class Faults:
    """What the driver raises next, and at which of `CALLS`."""

    def __init__(self) -> None:
        self.call: str | None = None
        self.error: BaseException = Exception()
        self.raised = 0
        self.connect: Any = None

    def at(self, call: str) -> None:
        if call == self.call:
            self.raised += 1
            raise self.error


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Faults:
    """The real driver, which raises what a test wants."""
    faults = Faults()

    class Cursor(extensions.cursor):
        def execute(self, *arguments: Any) -> None:
            faults.at("execute")
            super().execute(*arguments)

        def fetchall(self) -> list[Any]:
            faults.at("fetchall")
            return super().fetchall()

        @property
        def description(self) -> Any:
            faults.at("description")
            return super().description

        @property
        def rowcount(self) -> int:
            faults.at("rowcount")
            return super().rowcount

    class Connection(extensions.connection):
        def cursor(self, *arguments: Any, **options: Any) -> Any:
            faults.at("cursor")
            return super().cursor(*arguments, **options)

        def poll(self) -> int:
            faults.at("poll")
            return super().poll()

        @property
        def notifies(self) -> Any:  # type: ignore[override]  # read only, as aiopg does
            faults.at("notifies")
            return super().notifies

    faults.connect = psycopg2.connect

    def connect(*arguments: Any, **options: Any) -> Any:
        faults.at("connect")
        return faults.connect(*arguments, connection_factory=Connection, cursor_factory=Cursor, **options)

    monkeypatch.setattr(psycopg2, "connect", connect)
    return faults


@pytest.fixture
async def database(database_url: str, faults: Faults) -> AsyncIterator[Database]:  # noqa: ARG001  # before it opens
    async with Database.open(database_url, size=2, name="tested") as database:
        yield database


@pytest.mark.parametrize("call", CALLS)
async def test_only_service_errors_come_out_and_the_pool_recovers(database_url: str, faults: Faults, call: str) -> None:
    for faults.error in driver_errors():
        async with asyncio.timeout(PATIENCE_S), Database.open(database_url, size=2, name="tested") as database:
            if call in {"connect", "cursor"}:
                await discard_sessions(database)
            faults.call, faults.raised = call, 0
            outcome, *_ = await asyncio.gather(
                database.execute("SELECT 1") if call == "rowcount" else database.fetch("SELECT 1"),
                return_exceptions=True,
            )
            faults.call = None
            assert faults.raised, faults.error
            assert isinstance(outcome, ServiceError), (faults.error, outcome)
            await database.wait_available()
            assert await database.fetch("SELECT 1") == [(1,)], faults.error


async def discard_sessions(database: Database) -> None:
    """Have the next statement open a connection."""
    while (session := database._pool._reuse()) is not None:
        database._pool._discard(session)


async def test_listener_raises_only_service_errors(database: Database, database_url: str, faults: Faults) -> None:
    notifier = faults.connect(database_url)
    notifier.autocommit = True
    for faults.error in driver_errors():
        async with asyncio.timeout(PATIENCE_S), aclosing(database.listen("feed")) as payloads:
            assert await anext(payloads) == ""
            faults.call, faults.raised = "notifies", 0
            waiting = asyncio.ensure_future(anext(payloads))
            notifier.cursor().execute("NOTIFY feed")
            while not faults.raised:  # noqa: ASYNC110  # the driver sends no event
                await asyncio.sleep(0.001)
            faults.call = None
            [outcome] = await asyncio.gather(waiting, return_exceptions=True)
            assert outcome == "" or isinstance(outcome, ServiceError), (faults.error, outcome)
            await database.wait_available()
    notifier.close()


@pytest.mark.parametrize("call", ["execute", "fetchall"])
async def test_cancellation_stays_one(database: Database, faults: Faults, call: str) -> None:
    faults.error, faults.call = asyncio.CancelledError(), call
    with pytest.raises(asyncio.CancelledError):
        await database.fetch("SELECT 1")
    faults.call = None
    assert await database.fetch("SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("SELECT '0001-01-01 BC'::date", DataError),
        ("SELECT '{\"a\": 1e999}'::json", DataError),
        ("SELECT %s", DataError),
        ("SELECT %(missing)s", StatementError),
    ],
)
async def test_value_or_parameter_that_python_cannot_take_is_an_error_of_the_services(
    database: Database, statement: str, error: type[ServiceError]
) -> None:
    parameters: Any = {"other": 1} if "missing" in statement else (1, 2)
    with pytest.raises(error):
        await database.fetch(statement, parameters if "%" in statement else ())
    assert await database.fetch("SELECT 1") == [(1,)]
    assert database.available


@pytest.mark.parametrize("statement", ["SELECT 42", "SELECT repeat('x', 5000)"])
async def test_answer_that_came_before_the_time_limit_was_noticed_is_an_answer(
    database_url: str, statement: str
) -> None:
    async with Database.open(database_url, size=1, statement_timeout_s=0.1) as database:
        session = await database._pool.acquire()
        running = asyncio.create_task(session.run(statement, (), lambda answer: answer.fetchall()))
        await asyncio.sleep(0)  # it is sent
        await answer_in_the_socket(session)
        session._give_up()  # as after a pause of the process, before the event loop has read the socket
        [(value,)] = await running
        assert value in {42, "x" * 5_000}
        assert session.usable
        database._pool.release(session)


async def test_session_that_is_closed_before_its_answer_is_read_is_unavailability(database: Database) -> None:
    session = await database._pool.acquire()

    def read(answer: Any) -> Any:
        session.close()
        return answer.fetchall()

    with pytest.raises(DatabaseUnavailableError):
        await session.run("SELECT 1", (), read)
    database._pool.release(session)
    await database.wait_available()
    assert await database.fetch("SELECT 1") == [(1,)]


async def test_read_only_database_is_unavailable_until_it_is_writable(
    database_url: str, database: Database, admin: psycopg2.extensions.cursor
) -> None:
    await database.execute("CREATE TABLE thing (id int)")
    name = urlsplit(database_url).path[1:]
    await database.execute("SET default_transaction_read_only = on")  # the session, as one open over a failover
    admin.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    with pytest.raises(TransientError):
        await database.execute("INSERT INTO thing VALUES (1)")
    with pytest.raises(DatabaseUnavailableError):
        await database.execute("INSERT INTO thing VALUES (1)")
    assert not database.available
    admin.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = off')
    async with asyncio.timeout(PATIENCE_S):
        await database.wait_available()
    assert await database.execute("INSERT INTO thing VALUES (1)") == 1


async def answer_in_the_socket(session: Session) -> None:
    """Return when the server has answered, without a turn of the event loop that would read it."""
    select.select([session._connection.raw.fileno()], [], [], LIMIT_S)
