"""Brings a database to the schema that the code needs, when the service starts."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from time import monotonic

import psycopg2
from psycopg2.extensions import connection

from ..backoff import Backoff
from ..errors import PermanentError, TransientError
from .errors import DatabaseUnavailableError, translate

__all__ = ["ChangedMigrationError", "migrate"]

logger = logging.getLogger(__name__)

_BACKOFF = Backoff(base_s=0.05, cap_s=1.0)
_FILE_NAME = re.compile(r"\d{4}_[a-z0-9_]+\.sql")
_LOCK = 0x6F72646572  # any number, the same for all replicas and services: one at a time migrates a database
_CREATE_RECORD = """
CREATE TABLE IF NOT EXISTS schema_migration (
    package text NOT NULL,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (package, name)
)
"""


class ChangedMigrationError(PermanentError):
    """A migration that was applied has another text now; write a new one instead."""

    slug = "changed-migration"


@dataclass(frozen=True, slots=True)
class _Migration:
    package: str
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


async def migrate(url: str, *packages: str, timeout_s: float = 60.0) -> None:
    """Apply what is missing of the numbered files ``NNNN_name.sql`` of *packages*, in this order.

    Each file is one transaction. Replicas that start together take turns.

    Args:
        url: a libpq connection URI or string.
        packages: dotted names such as ``order_service.migrations``.
        timeout_s: how long to wait for PostgreSQL to come and for other replicas to finish, in seconds.

    Raises:
        DatabaseUnavailableError: PostgreSQL did not come in time.
        ChangedMigrationError: a file differs from what was applied.
        ServiceError: a file fails, with the error of PostgreSQL.
    """
    migrations = [migration for package in packages for migration in _read(package)]
    deadline, failures = monotonic() + timeout_s, 0
    while True:
        try:
            return await asyncio.to_thread(_apply, url, migrations)
        except psycopg2.Error as error:
            failure = translate(error)
            if not isinstance(failure, TransientError):
                raise failure from error
            failures += 1
            delay_s = _BACKOFF.delay_s(failures)
            if monotonic() + delay_s > deadline:
                raise DatabaseUnavailableError(f"no migration in {timeout_s} s: {failure.detail}") from error
            logger.info("migration delayed", extra={"reason": failure.detail})
        await asyncio.sleep(delay_s)


def _read(package: str) -> list[_Migration]:
    names = sorted(file.name for file in files(package).iterdir() if file.name.endswith(".sql"))
    for previous, name in pairwise(["", *names]):
        if not _FILE_NAME.fullmatch(name):
            raise ValueError(f"{package}: {name} is not named NNNN_name.sql")
        if previous[:4] == name[:4]:
            raise ValueError(f"{package}: {previous} and {name} have the same number")
    return [_Migration(package, name, (files(package) / name).read_text("utf-8")) for name in names]


def _apply(url: str, migrations: Sequence[_Migration]) -> None:
    with closing(psycopg2.connect(url, connect_timeout=2, application_name="migrate")) as session:
        session.autocommit = True
        with session.cursor() as cursor:
            # in slices, so that waiting for another replica can be cancelled
            cursor.execute("SET statement_timeout = 0; SET lock_timeout = '2s'")
            cursor.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))  # released with the session
            # statements of the services queue behind a migration that waits for a table: it gives way first
            cursor.execute("SET lock_timeout = '500ms'")
            cursor.execute(_CREATE_RECORD)
            cursor.execute("SELECT package, name, sha256 FROM schema_migration")
            applied = {(package, name): sha256 for package, name, sha256 in cursor}
        session.autocommit = False
        for migration in migrations:
            if sha256 := applied.get((migration.package, migration.name)):
                _check(migration, sha256)
            else:
                _apply_one(session, migration)


def _check(migration: _Migration, sha256: str) -> None:
    if migration.sha256 != sha256:
        raise ChangedMigrationError(f"{migration.package}: {migration.name} was changed after it was applied")


def _apply_one(session: connection, migration: _Migration) -> None:
    with session, session.cursor() as cursor:
        cursor.execute(migration.sql)
        cursor.execute(
            "INSERT INTO schema_migration (package, name, sha256) VALUES (%s, %s, %s)",
            (migration.package, migration.name, migration.sha256),
        )
    logger.info("migration applied", extra={"package": migration.package, "migration": migration.name})
