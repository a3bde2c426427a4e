"""Environments of their own for what can't be in the runner's: made by uv as a lock file has them, once."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path

from .layout import ROOT
from .process import CommandFailedError, run_command

__all__ = ["locked_environment", "stamped"]

_INSTALL_WITHIN_S = 600.0
_STAMP = "orderstream-stamp"


async def locked_environment(project: Path, folder: Path) -> Path:
    """Return the interpreter of the environment *folder*, which is made first when *project*'s lock file has changed.

    Raises:
        CommandFailedError: it can't be made; uv says why.
    """
    python = folder / "bin" / "python"
    if python.exists() and stamped(project, folder):
        return python
    # an active environment's variables would lead uv to that one; PATH and HOME are what it needs
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    await run_command(
        (_uv(), "sync", "--project", str(project), "--frozen", "--compile-bytecode", "--python", sys.executable),
        environment={**environment, "UV_PROJECT_ENVIRONMENT": str(folder)},
        timeout_s=_INSTALL_WITHIN_S,
    )
    (folder / _STAMP).write_text(_wanted(project), encoding="ascii")
    return python


def stamped(project: Path, folder: Path) -> bool:
    """Whether the environment *folder* was made from *project*'s lock file as it is now."""
    stamp = folder / _STAMP
    return stamp.exists() and stamp.read_text(encoding="ascii") == _wanted(project)


def _wanted(project: Path) -> str:
    return hashlib.sha256((project / "uv.lock").read_bytes()).hexdigest()


def _uv() -> str:
    """Return uv: that of the environment in use, of the entry script, or of PATH."""
    candidates = (os.environ.get("UV", ""), Path(sys.executable).parent / "uv", ROOT / ".cache" / "uv" / "bin" / "uv")
    for candidate in candidates:
        if candidate and Path(candidate).exists():
            return str(candidate)
    found = shutil.which("uv")
    if found is None:
        raise CommandFailedError("uv is needed to make an environment: pip install uv")
    return found
