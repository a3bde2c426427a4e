"""Timestamps as text."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["rfc3339"]


def rfc3339(moment: datetime) -> str:
    """Return the aware *moment* in UTC with microseconds, of constant length, so that texts sort like times.

    Source: RFC 3339 section 5.6, with ``Z`` for UTC.
    """
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
