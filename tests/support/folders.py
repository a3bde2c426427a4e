"""Folders for servers that do not run as root."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["reachable_folder"]


@contextmanager
def reachable_folder(prefix: str) -> Iterator[Path]:
    """Make a folder that every user may enter, for the block.

    pytest's ``tmp_path`` is none: whenever a run of pytest starts, it takes the others' rights off the folder that it
    shares with the runs beside it, and a PostgreSQL below it stops with "Permission denied".
    """
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path
