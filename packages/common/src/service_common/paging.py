"""Pages of a list: how one is asked for, and what it has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["ListPage", "PageRequest"]

T = TypeVar("T")
K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class PageRequest(Generic[K]):
    """Ask for at most *limit* items that follow the one with the key *after*; None begins with the first."""

    after: K | None
    limit: int


@dataclass(frozen=True, slots=True)
class ListPage(Generic[T, K]):
    """*items* in order; *next* is the key to go on after, None on the last page."""

    items: Sequence[T]
    next: K | None = None

    @classmethod
    def cut(cls, items: Sequence[T], limit: int, key: Callable[[T], K]) -> ListPage[T, K]:
        """Make a page of up to *limit* + 1 *items*: one more than the limit shows that another page follows."""
        return cls(items[:limit], key(items[limit - 1]) if len(items) > limit else None)
