"""What is missing on this machine for a peer to run."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

__all__ = ["UnavailableError", "require_packages"]


class UnavailableError(Exception):
    """The peer can't run here.

    Attributes:
        reason: what is missing, and how to get it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def require_packages(names: Iterable[str]) -> None:
    """Check that the packages can be imported.

    Raises:
        UnavailableError: one can't.
    """
    missing = [name for name in names if find_spec(name) is None]
    if missing:
        raise UnavailableError(f"{', '.join(missing)} not installed: it is in the dependency group bench")
