"""Database errors of the services, translated from SQLSTATE and psycopg2."""

from __future__ import annotations

import psycopg2
from psycopg2 import errorcodes

from ..errors import BusyError, PermanentError, ServiceError, UnavailableError

__all__ = [
    "DataError",
    "DatabaseUnavailableError",
    "DatabaseUnwritableError",
    "IntegrityError",
    "StatementError",
    "StatementTimeoutError",
    "is_connection_failure",
    "translate",
]

# https://www.postgresql.org/docs/current/errcodes-appendix.html: the server ends the session or does not take one, or
# the session is read-only, as one that was open over a failover
_SESSION_ENDING = frozenset(
    {
        errorcodes.ADMIN_SHUTDOWN,
        errorcodes.CRASH_SHUTDOWN,
        errorcodes.CANNOT_CONNECT_NOW,
        errorcodes.DATABASE_DROPPED,
        errorcodes.IDLE_SESSION_TIMEOUT,
        errorcodes.IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        "25P04",  # transaction_timeout, since PostgreSQL 17
        errorcodes.READ_ONLY_SQL_TRANSACTION,
    }
)
# the server answers, and takes no write; reads may go on
_WRITE_FAILURES = frozenset({errorcodes.DISK_FULL, errorcodes.IO_ERROR})
# raised by psycopg2 itself, without SQLSTATE: the statement never left, or its answer is complete
_ABOUT_VALUES = (psycopg2.ProgrammingError, psycopg2.NotSupportedError, psycopg2.DataError, psycopg2.IntegrityError)
# the statement had no effect because of another transaction
_CONFLICTS = frozenset({errorcodes.LOCK_NOT_AVAILABLE, errorcodes.DEADLOCK_DETECTED, errorcodes.SERIALIZATION_FAILURE})
_BUSY = "Another transaction holds what this operation needs; try again later."


class DatabaseUnavailableError(UnavailableError):
    """PostgreSQL is unreachable, starting, full or busy; whether the statement took effect is unknown."""

    slug = "database-unavailable"
    dependency = "database"


class DatabaseUnwritableError(DatabaseUnavailableError):
    """PostgreSQL answers and can't write: its disk is full, or fails. The statement had no effect; others may read."""

    slug = "database-unwritable"


class StatementTimeoutError(UnavailableError):
    """The statement exceeded its time limit; it had no effect when the server says so, otherwise that is unknown."""

    slug = "statement-timeout"
    dependency = "database"


class IntegrityError(PermanentError):
    """The rows violate a constraint of the schema.

    Attributes:
        constraint: the name of the constraint, or None when the server gives none (NOT NULL).
    """

    slug = "integrity"

    def __init__(self, detail: str, constraint: str | None) -> None:
        super().__init__(detail)
        self.constraint = constraint


class DataError(PermanentError):
    """A value does not fit its type: out of range, not valid text, a NUL character."""

    slug = "data"


class StatementError(ServiceError):
    """The server refuses the statement itself: a defect, so neither transient nor the caller's fault.

    Attributes:
        sqlstate: the five-character code of the server, if it gave one.
    """

    slug = "statement"

    def __init__(self, detail: str, sqlstate: str | None) -> None:
        super().__init__(detail)
        self.sqlstate = sqlstate


def is_connection_failure(error: Exception) -> bool:
    """Return whether *error* ends the session, not only the statement."""
    if not isinstance(error, psycopg2.Error):
        return isinstance(error, OSError)
    code = error.pgcode
    if code is None:
        return not isinstance(error, _ABOUT_VALUES)
    return code.startswith("08") or code in _SESSION_ENDING


def translate(error: Exception) -> ServiceError:
    """Return the error of the services for whatever the driver raised."""
    detail = str(error).strip() or type(error).__name__
    match error:
        case psycopg2.extensions.QueryCanceledError():
            return StatementTimeoutError(detail)
        case psycopg2.IntegrityError():
            return IntegrityError(detail, error.diag.constraint_name)
        # PostgreSQL cannot hold it (NUL, lone surrogates), Python cannot (year 0), it is no JSON
        case psycopg2.DataError() | ValueError() | ArithmeticError() | TypeError():
            return DataError(detail)
        case psycopg2.OperationalError() | psycopg2.InterfaceError():
            # without the statement, which an operator can't help and which makes one outage look like many
            reason = detail.partition("\nCONTEXT:")[0]
            outage = DatabaseUnwritableError if error.pgcode in _WRITE_FAILURES else DatabaseUnavailableError
            return BusyError(_BUSY) if error.pgcode in _CONFLICTS else outage(reason)
        case _ if is_connection_failure(error):
            return DatabaseUnavailableError(detail)
        case _:
            return StatementError(f"{type(error).__name__}: {detail}", getattr(error, "pgcode", None))
