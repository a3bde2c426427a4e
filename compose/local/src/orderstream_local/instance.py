"""Locks a data folder for one instance, and cleans up after one that was killed."""

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

__all__ = ["OWNER_VARIABLE", "AlreadyRunningError", "DataFolderError", "single_instance", "socket_folder"]

# every process has its data folder in its environment: a pid that was reused by another program is left alone
OWNER_VARIABLE = "ORDERSTREAM_DATA"
_STOP_TIMEOUT_S = 5.0
_SOCKET_PATH_LIMIT = 107
_SHORT_TEMP_FOLDER = "/tmp"  # noqa: S108 - mkdtemp makes a private folder in it


class AlreadyRunningError(Exception):
    """Another instance runs on the data folder."""


class DataFolderError(Exception):
    """The data folder can't be created or written to."""


@contextmanager
def single_instance(data: DataFolder) -> Iterator[None]:
    """Lock the data folder for the block; first end processes and remove pid files of a killed instance.

    Raises:
        AlreadyRunningError: a running instance holds the lock.
        DataFolderError: the folder can't be created or written to.
    """
    lock = data.run / "lock"
    with _open_lock(lock, data) as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.seek(0)
            raise AlreadyRunningError(f"already running on {data.path}, as pid {held.read().strip() or '?'}") from None
        held.truncate(0)
        held.write(f"{os.getpid()}\n")
        held.flush()
        _clean_up(data)
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def _open_lock(lock: Path, data: DataFolder) -> IO[str]:
    try:
        for folder in (data.run, data.logs):
            folder.mkdir(parents=True, exist_ok=True)
        return lock.open("a+", encoding="ascii")
    except OSError as error:
        raise DataFolderError(f"can't keep data in {data.path}: {error.filename}: {error.strerror}") from error


def _clean_up(data: DataFolder) -> None:
    orphans = [process for path in sorted(data.run.glob("*.pid")) if (process := _orphan(path, data))]
    for process in orphans:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    for process in psutil.wait_procs(orphans, timeout=_STOP_TIMEOUT_S)[1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(orphans, timeout=_STOP_TIMEOUT_S)
    for path in data.run.glob("*.pid"):
        path.unlink(missing_ok=True)
    if data.sockets.is_symlink():
        shutil.rmtree(data.sockets.readlink(), ignore_errors=True)
        data.sockets.unlink()


@contextmanager
def socket_folder(data: DataFolder) -> Iterator[Path]:
    """Create a private folder for Unix sockets, with a short enough path, for the block."""
    parent = tempfile.gettempdir()
    if len(parent) + len("/orderstream-12345678/.s.PGSQL.5432") > _SOCKET_PATH_LIMIT:
        parent = _SHORT_TEMP_FOLDER
    folder = Path(tempfile.mkdtemp(prefix="orderstream-", dir=parent))
    data.sockets.symlink_to(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        data.sockets.unlink(missing_ok=True)


def _orphan(pid_file: Path, data: DataFolder) -> psutil.Process | None:
    try:
        process = psutil.Process(int(pid_file.read_text(encoding="ascii")))
        return process if process.environ().get(OWNER_VARIABLE) == str(data.path) else None
    except (psutil.Error, ValueError, OSError):
        return None
