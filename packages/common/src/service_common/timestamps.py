"""How a moment is written on every wire of the system."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["rfc3339"]


def rfc3339(moment: datetime) -> str:
    """Write an aware *moment* in UTC with microseconds, always of the same length, so that texts sort as times do.

    Source: RFC 3339 section 5.6, with ``Z`` for UTC.
    """
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
