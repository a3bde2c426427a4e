"""Separate virtual environments, which uv creates from a lock file, for what conflicts with the runner's."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path

from .layout import ROOT
from .process import CommandFailedError, run_command

__all__ = ["is_up_to_date", "uv_environment"]

_INSTALL_TIMEOUT_S = 600.0
_LOCK_HASH = "orderstream-stamp"


async def uv_environment(project: Path, folder: Path) -> Path:
    """Return the interpreter of the environment *folder*; sync it first if *project*'s lock file has changed.

    Raises:
        CommandFailedError: uv failed; the message has its output.
    """
    python = folder / "bin" / "python"
    if python.exists() and is_up_to_date(project, folder):
        return python
    # VIRTUAL_ENV would make uv use the active environment
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    await run_command(
        (_uv(), "sync", "--project", str(project), "--frozen", "--compile-bytecode", "--python", sys.executable),
        environment={**environment, "UV_PROJECT_ENVIRONMENT": str(folder)},
        timeout_s=_INSTALL_TIMEOUT_S,
    )
    (folder / _LOCK_HASH).write_text(_lock_hash(project), encoding="ascii")
    return python


def is_up_to_date(project: Path, folder: Path) -> bool:
    """Whether the environment *folder* was synced from *project*'s current lock file."""
    stamp = folder / _LOCK_HASH
    return stamp.exists() and stamp.read_text(encoding="ascii") == _lock_hash(project)


def _lock_hash(project: Path) -> str:
    return hashlib.sha256((project / "uv.lock").read_bytes()).hexdigest()


def _uv() -> str:
    """Return uv of the active environment, of the entry script, or of PATH."""
    candidates = (os.environ.get("UV", ""), Path(sys.executable).parent / "uv", ROOT / ".cache" / "uv" / "bin" / "uv")
    for candidate in candidates:
        if candidate and Path(candidate).exists():
            return str(candidate)
    found = shutil.which("uv")
    if found is None:
        raise CommandFailedError("uv is needed to create a virtual environment: pip install uv")
    return found
