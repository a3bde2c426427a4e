"""One instance at a time on a data folder, and what one that was killed left behind is cleared away first."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil

from .layout import DataFolder

__all__ = ["OWNER_VARIABLE", "AlreadyRunningError", "DataFolderError", "short_folder", "sole_instance"]

# every process carries the data folder it belongs to, so that a pid that is someone else's by now is never touched
OWNER_VARIABLE = "ORDERSTREAM_DATA"
_STOP_WITHIN_S = 5.0
_SOCKET_PATH_LIMIT = 107
_SHORT_TEMPORARY = "/tmp"  # noqa: S108 - mkdtemp makes a private folder in it


class AlreadyRunningError(Exception):
    """Another instance runs on the data folder."""


class DataFolderError(Exception):
    """The data folder can't be made or written to."""


@contextmanager
def sole_instance(data: DataFolder) -> Iterator[None]:
    """Hold the data folder for the block; end processes and remove pid files that a dead instance left there.

    Raises:
        AlreadyRunningError: a living instance holds it.
        DataFolderError: it can't be used.
    """
    lock = data.run / "lock"
    with _opened(lock, data) as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.seek(0)
            raise AlreadyRunningError(f"already running on {data.path}, as pid {held.read().strip() or '?'}") from None
        held.truncate(0)
        held.write(f"{os.getpid()}\n")
        held.flush()
        _clear(data)
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def _opened(lock: Path, data: DataFolder) -> IO[str]:
    try:
        for folder in (data.run, data.logs):
            folder.mkdir(parents=True, exist_ok=True)
        return lock.open("a+", encoding="ascii")
    except OSError as error:
        raise DataFolderError(f"can't keep data in {data.path}: {error.filename}: {error.strerror}") from error


def _clear(data: DataFolder) -> None:
    left = [process for path in sorted(data.run.glob("*.pid")) if (process := _ours(path, data))]
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    for process in psutil.wait_procs(left, timeout=_STOP_WITHIN_S)[1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=_STOP_WITHIN_S)
    for path in data.run.glob("*.pid"):
        path.unlink(missing_ok=True)
    if data.sockets.is_symlink():
        shutil.rmtree(data.sockets.readlink(), ignore_errors=True)
        data.sockets.unlink()


@contextmanager
def short_folder(data: DataFolder) -> Iterator[Path]:
    """Make a private folder whose sockets have short enough paths, for the block."""
    parent = tempfile.gettempdir()
    if len(parent) + len("/orderstream-12345678/.s.PGSQL.5432") > _SOCKET_PATH_LIMIT:
        parent = _SHORT_TEMPORARY
    folder = Path(tempfile.mkdtemp(prefix="orderstream-", dir=parent))
    data.sockets.symlink_to(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        data.sockets.unlink(missing_ok=True)


def _ours(pid_file: Path, data: DataFolder) -> psutil.Process | None:
    try:
        process = psutil.Process(int(pid_file.read_text(encoding="ascii")))
        return process if process.environ().get(OWNER_VARIABLE) == str(data.path) else None
    except (psutil.Error, ValueError, OSError):
        return None
