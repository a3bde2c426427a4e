"""Writes log lines from a thread: buffered without blocking, bounded, counted when dropped."""

from __future__ import annotations

import io
import os
import select
import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, TextIO

__all__ = ["Line", "LineBuffer", "LineWriter"]

MAX_LINES = 20_000
MAX_CHARACTERS = 16 * 1024 * 1024
# maximum batching delay of a write; a kill -9 may lose the lines of that time
LINGER_S = 0.1


class Line(NamedTuple):
    """One formatted line without its newline; *time_s* is Unix time."""

    time_s: float
    text: str


class LineBuffer:
    """A bounded queue between threads; `put` never blocks, and lines that do not fit are counted.

    Attributes:
        accepted: lines that fitted.
        dropped: lines that did not.
    """

    def __init__(self, *, max_lines: int = MAX_LINES, max_characters: int = MAX_CHARACTERS) -> None:
        self.accepted = 0
        self.dropped = 0
        self._max_lines = max_lines
        self._max_characters = max_characters
        self._lines: deque[Line] = deque()
        self._characters = 0
        self._lock = threading.Lock()
        self._filled = threading.Event()

    def __len__(self) -> int:
        return len(self._lines)

    def put(self, line: Line) -> None:
        """Add *line*, or count it as dropped."""
        with self._lock:
            characters = self._characters + len(line.text)
            if characters > self._max_characters or len(self._lines) >= self._max_lines:
                self.dropped += 1
                return
            self.accepted += 1
            self._characters = characters
            self._lines.append(line)
            first = len(self._lines) == 1
        if first:
            self._filled.set()

    def wait(self) -> None:
        """Wait until there is a line, or `wake` is called."""
        self._filled.wait()

    def wake(self) -> None:
        """End the present `wait`."""
        self._filled.set()

    def take(self) -> list[Line]:
        """Remove and return all lines."""
        with self._lock:
            lines = list(self._lines)
            self._lines.clear()
            self._characters = 0
            self._filled.clear()
        return lines


class LineWriter:
    """Writes lines to a stream from a thread, so that a stalled reader does not block the process.

    Attributes:
        written: lines that were written.
    """

    def __init__(self, stream: TextIO, *, buffer: LineBuffer | None = None, linger_s: float = LINGER_S) -> None:
        self.written = 0
        self._lost = 0
        self._buffer = LineBuffer() if buffer is None else buffer
        self._linger_s = linger_s
        self._write = _writer(stream)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Lines that did not fit into the buffer, or found the stream closed."""
        return self._buffer.dropped + self._lost

    def put(self, line: Line) -> None:
        """Buffer *line* for the next write."""
        self._buffer.put(line)

    def close(self, timeout_s: float) -> None:
        """Write the buffered lines; give up after *timeout_s*."""
        self._closing.set()
        self._buffer.wake()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._closing.is_set() or self._buffer:
            self._buffer.wait()
            self._closing.wait(self._linger_s)
            lines = self._buffer.take()
            if not lines:
                continue
            try:
                self._write("".join([f"{line.text}\n" for line in lines]))
                self.written += len(lines)
            except Exception:  # the reader has gone, the stream is closed; without this thread no line is written
                self._lost += len(lines)


def _writer(stream: TextIO) -> Callable[[str], None]:
    try:
        descriptor = stream.fileno()
    except io.UnsupportedOperation:
        return lambda text: _write_text(stream, text)
    # past the stream: its lock, held by a stalled thread, would block the interpreter's exit
    return lambda text: _write_bytes(descriptor, text.encode())


def _write_text(stream: TextIO, text: str) -> None:
    stream.write(text)
    stream.flush()


def _write_bytes(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:  # non-blocking, as whoever shares the pipe may have set it
            writable = select.poll()
            writable.register(descriptor, select.POLLOUT)
            writable.poll()
