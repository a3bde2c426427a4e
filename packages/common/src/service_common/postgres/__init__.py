"""PostgreSQL over aiopg: pooled single statements, LISTEN, migrations, and errors that say whether to try again.

`Database` is the door; one statement is one transaction. Only this room knows aiopg and psycopg2.
"""

from __future__ import annotations

from .database import STATEMENT_SPAN, Database, Params, Row
from .errors import (
    DatabaseUnavailableError,
    DatabaseUnwritableError,
    DataError,
    IntegrityError,
    StatementError,
    StatementTimeoutError,
)
from .migrations import ChangedMigrationError, migrate
from .session import Json
from .sql_files import load_statements

__all__ = [
    "STATEMENT_SPAN",
    "ChangedMigrationError",
    "DataError",
    "Database",
    "DatabaseUnavailableError",
    "DatabaseUnwritableError",
    "IntegrityError",
    "Json",
    "Params",
    "Row",
    "StatementError",
    "StatementTimeoutError",
    "load_statements",
    "migrate",
]
