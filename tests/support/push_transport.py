"""Transports of push clients without a socket."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["NOWHERE", "WritesTo"]


class WritesTo:
    """Hands what is written to a function, which takes all of it at once."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take

    def write(self, data: bytes, /) -> None:
        """Take *data*."""
        self._take(data)

    def get_write_buffer_size(self) -> int:
        """Nothing is left."""
        return 0


NOWHERE = WritesTo(lambda _data: None)
