"""A few bytes that a test shares with a service's process: what to do at which point, and which points it reached."""

from __future__ import annotations

import mmap
import os
import signal
import struct
from enum import IntEnum
from pathlib import Path

__all__ = ["Control", "Mode"]

_HEAD = struct.Struct("<BxxxII")  # mode, armed point, how many times more it may be reached


class Mode(IntEnum):
    """What the process does at a point."""

    RUN = 0
    RECORD = 1
    KILL = 2


class Control:
    """The shared bytes: a head, then one byte for each of the *points*, which is 1 once the point was reached."""

    def __init__(self, path: Path, points: int) -> None:
        with path.open("a+b") as file:
            file.truncate(_HEAD.size + points)
            self._bytes = mmap.mmap(file.fileno(), _HEAD.size + points)

    def record(self) -> None:
        """Have the process mark the points that it reaches from now on."""
        self._bytes[_HEAD.size :] = bytes(len(self._bytes) - _HEAD.size)
        _HEAD.pack_into(self._bytes, 0, Mode.RECORD, 0, 0)

    def kill_at(self, point: int, nth: int) -> None:
        """Have the process kill itself when it reaches *point* for the *nth* time from now on (1 is the first)."""
        self._bytes[_HEAD.size :] = bytes(len(self._bytes) - _HEAD.size)
        _HEAD.pack_into(self._bytes, 0, Mode.RUN, point, nth - 1)
        self._bytes[0] = Mode.KILL

    def leave(self) -> None:
        """Have the process run on as if there were no points."""
        self._bytes[0] = Mode.RUN

    def reached(self) -> set[int]:
        """Return the points that were reached since `record`, or the one that the process died at."""
        return {point for point, mark in enumerate(self._bytes[_HEAD.size :]) if mark}

    def report(self, point: int) -> None:
        """In the process: it is at *point*."""
        mode = self._bytes[0]
        if mode == Mode.RECORD:
            self._bytes[_HEAD.size + point] = 1
        elif mode == Mode.KILL:
            self._kill(point)

    def _kill(self, point: int) -> None:
        _, armed, left = _HEAD.unpack_from(self._bytes)
        if point != armed:
            return
        if left:
            _HEAD.pack_into(self._bytes, 0, Mode.KILL, armed, left - 1)
            return
        self._bytes[_HEAD.size + point] = 1
        os.kill(os.getpid(), signal.SIGKILL)
