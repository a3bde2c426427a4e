"""Keyset pagination: the request for a page, and the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["ListPage", "PageRequest"]

T = TypeVar("T")
K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class PageRequest(Generic[K]):
    """At most *limit* items that follow the key *after*; None starts with the first item."""

    after: K | None
    limit: int


@dataclass(frozen=True, slots=True)
class ListPage(Generic[T, K]):
    """*items* in order; *next* is the key that the next page follows, None on the last page."""

    items: Sequence[T]
    next: K | None = None

    @classmethod
    def cut(cls, items: Sequence[T], limit: int, key: Callable[[T], K]) -> ListPage[T, K]:
        """Return a page of up to *limit* of *items*, of which one more than *limit* shows that another page follows."""
        return cls(items[:limit], key(items[limit - 1]) if len(items) > limit else None)
