"""Paths: the files of the checkout that the runner reads, and those of its data folder."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["COMPOSE", "ROOT", "SERVICES", "DataFolder"]

COMPOSE = Path(__file__).resolve().parents[3]
ROOT = COMPOSE.parent
# compose.yaml is the list of the services: the containers that run one
_SERVICE = re.compile(r"^    command: \[python, -m, (\w+)_service\]$", re.MULTILINE)
SERVICES = tuple(_SERVICE.findall((COMPOSE / "compose.yaml").read_text(encoding="utf-8")))


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The files of one embedded system, all below *path*."""

    path: Path

    @property
    def run(self) -> Path:
        """The pid files, one a process, and the lock of the running instance."""
        return self.path / "run"

    @property
    def logs(self) -> Path:
        """The stdout and stderr of each process; those of the previous run are ``NAME.log.1``."""
        return self.path / "logs"

    @property
    def command_environment(self) -> Path:
        """The variables of the command `orderstream`, as a shell script; present while the system runs."""
        return self.run / "orderstream.env"

    def volume(self, name: str) -> Path:
        """The folder of the container volume *name*."""
        return self.path / name

    @property
    def sockets(self) -> Path:
        """A link to the folder of sockets, whose own path is short; present while the system runs."""
        return self.run / "sockets"

    def pid_file(self, process: str) -> Path:
        """The file with the pid of *process* while it runs."""
        return self.run / f"{process}.pid"

    def log_file(self, process: str) -> Path:
        """The log of *process*."""
        return self.logs / f"{process}.log"

    def rotate_logs(self) -> None:
        """Rename the logs of the previous run."""
        for log in self.logs.glob("*.log"):
            log.replace(log.with_suffix(".log.1"))

    def clear(self, volumes: Iterable[str]) -> None:
        """Remove the logs and the *volumes*; other files below the path stay."""
        for name in volumes:
            shutil.rmtree(self.volume(name), ignore_errors=True)
        for log in [*self.logs.glob("*.log"), *self.logs.glob("*.log.1")]:
            log.unlink()
