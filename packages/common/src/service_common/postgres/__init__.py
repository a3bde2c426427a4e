"""PostgreSQL for the services: pooled single statements, notifications, and errors that say whether to try again.

Nothing else knows aiopg; psycopg2 is known beside it to :mod:`service_common.migrate` alone.
"""

from __future__ import annotations

from service_common.postgres.database import Database, Params, Row
from service_common.postgres.errors import (
    DatabaseUnavailableError,
    DataError,
    IntegrityError,
    StatementError,
    StatementTimeoutError,
)
from service_common.postgres.values import Json

__all__ = [
    "DataError",
    "Database",
    "DatabaseUnavailableError",
    "IntegrityError",
    "Json",
    "Params",
    "Row",
    "StatementError",
    "StatementTimeoutError",
]
