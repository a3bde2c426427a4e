"""Where things are: the files of the checkout that the runner reads, and what it keeps under its data folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["COMPOSE", "ROOT", "DataFolder"]

COMPOSE = Path(__file__).resolve().parents[3]
ROOT = COMPOSE.parent


@dataclass(frozen=True, slots=True)
class DataFolder:
    """What one embedded system keeps, all of it under *path*."""

    path: Path

    @property
    def run(self) -> Path:
        """The pid files, one a process, and the lock of the instance that runs."""
        return self.path / "run"

    @property
    def logs(self) -> Path:
        """What each process wrote to its stdout and stderr; of the run before as ``NAME.log.1``."""
        return self.path / "logs"

    def volume(self, name: str) -> Path:
        """What a container would keep in its volume *name*."""
        return self.path / name

    @property
    def sockets(self) -> Path:
        """A link to the folder of sockets, whose own path is short, while there is one."""
        return self.run / "sockets"

    def pid_file(self, process: str) -> Path:
        """The pid of *process* while it runs."""
        return self.run / f"{process}.pid"

    def log_file(self, process: str) -> Path:
        """The log of *process*."""
        return self.logs / f"{process}.log"

    def rotate_logs(self) -> None:
        """Keep the logs of the run before under another name."""
        for log in self.logs.glob("*.log"):
            log.replace(log.with_suffix(".log.1"))

    def forget(self, volumes: Iterable[str]) -> None:
        """Remove the logs and what is in the *volumes*; anything else under the path is not ours."""
        for name in volumes:
            shutil.rmtree(self.volume(name), ignore_errors=True)
        for log in [*self.logs.glob("*.log"), *self.logs.glob("*.log.1")]:
            log.unlink()
