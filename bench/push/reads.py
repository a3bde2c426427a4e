"""Reads from many sockets with one system call, as the service writes to many."""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Iterator, Sequence

from notification_service.push.linux_aio import PREAD, AioContext

__all__ = ["READ_BYTES", "TOGETHER", "Reads"]

READ_BYTES = 65_536
# sockets of one call
TOGETHER = 64


class Reads:
    """Room for what is read from sockets together."""

    def __init__(self) -> None:
        self._context = AioContext(PREAD)
        room = (ctypes.c_char * (TOGETHER * READ_BYTES))()
        first = ctypes.addressof(room)
        self._room = memoryview(room)
        self._context.buffers[:TOGETHER] = array("Q", range(first, first + len(room), READ_BYTES))
        self._context.lengths[:TOGETHER] = array("Q", [READ_BYTES]) * TOGETHER

    def read(self, fds: Sequence[int]) -> Iterator[bytes]:
        """Yield what is there in each of up to `TOGETHER` non-blocking sockets, `READ_BYTES` at most.

        Nothing is there, too, when the connection has ended or failed.
        """
        for place, size_bytes in enumerate(self._context.submit(fds)):
            start = place * READ_BYTES
            yield self._room[start : start + max(0, size_bytes)].tobytes()
