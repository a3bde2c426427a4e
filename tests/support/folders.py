"""Folders for servers that do not run as root."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["reachable_folder"]

# a file system in memory: what PostgreSQL flushes to disk in tests would be most of what they wait for
MEMORY = Path("/dev/shm")  # noqa: S108 - TemporaryDirectory makes a folder of its own there
ENOUGH_BYTES = 4 << 30


@contextmanager
def reachable_folder(prefix: str, *, for_programs: bool = False) -> Iterator[Path]:
    """Make a folder that every user may enter, for the block; in memory programs often may not run.

    pytest's ``tmp_path`` is none: whenever a run of pytest starts, it takes the others' rights off the folder that it
    shares with the runs beside it, and a PostgreSQL below it stops with "Permission denied".
    """
    where = None if for_programs else _memory()
    with tempfile.TemporaryDirectory(prefix=prefix, dir=where, ignore_cleanup_errors=True) as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path


def _memory() -> Path | None:
    has_room = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH_BYTES
    return MEMORY if has_room else None
