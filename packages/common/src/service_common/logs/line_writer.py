"""Writes log lines from a thread: buffered without blocking, bounded, counted when dropped."""

from __future__ import annotations

import io
import os
import select
import threading
from collections.abc import Callable, Iterator
from time import monotonic
from typing import NamedTuple, TextIO

__all__ = ["Line", "LineBuffer", "LineWriter"]

MAX_LINES = 20_000
MAX_CHARACTERS = 16 * 1024 * 1024
LINGER_S = 0.1
# maximum batching delay of a write; a kill -9 may lose the lines of that time
INTERVAL_S = 1.0
# more lines a second than these are a load: waking a thread, and what it sends, costs as much as dozens of lines
FEW_LINES_PER_S = 20


class Line(NamedTuple):
    """One formatted line without its newline; *time_s* is Unix time."""

    time_s: float
    text: str


class LineBuffer:
    """A bounded queue between threads; `put` never blocks, and lines that do not fit are counted.

    Args:
        linger_s: batching delay while there are few lines, in seconds.
        interval_s: batching delay under load, in seconds, unless the buffer is half full.
        refill: called before each batch, to put what is not put yet.

    Attributes:
        accepted: lines that fitted.
        dropped: lines that did not.
        closing: set by `close`.
    """

    def __init__(
        self,
        *,
        linger_s: float = LINGER_S,
        interval_s: float = INTERVAL_S,
        max_lines: int = MAX_LINES,
        max_characters: int = MAX_CHARACTERS,
        refill: Callable[[], None] = lambda: None,
    ) -> None:
        self.accepted = 0
        self.dropped = 0
        self.closing = threading.Event()
        self._linger_s = linger_s
        self._interval_s = interval_s
        self._max_lines = max_lines
        self._max_characters = max_characters
        self._refill = refill
        self._lines: list[Line] = []
        self._characters = 0
        self._lock = threading.Lock()
        self._filled = threading.Event()
        self._urgent = threading.Event()

    def __len__(self) -> int:
        return len(self._lines)

    def put(self, *lines: Line) -> None:
        """Add *lines*, or count those that do not fit as dropped."""
        with self._lock:
            for line in lines:
                characters = self._characters + len(line.text)
                if characters > self._max_characters or len(self._lines) == self._max_lines:
                    self.dropped += 1
                else:
                    self.accepted += 1
                    self._characters = characters
                    self._lines.append(line)
            if 2 * self._characters > self._max_characters or 2 * len(self._lines) > self._max_lines:
                self._urgent.set()
        if lines:
            self.wake()

    def wake(self) -> None:
        """Let `batches` look for lines: after `put`, or when it can refill the buffer."""
        if not self._filled.is_set():
            self._filled.set()

    def hurry(self) -> None:
        """Let `batches` look for lines at once."""
        self._filled.set()
        self._urgent.set()

    def close(self) -> None:
        """End `batches` as soon as no line is left."""
        with self._lock:
            self.closing.set()
        self.hurry()

    def batches(self) -> Iterator[list[Line]]:
        """Yield what was put, waiting for it, until `close`."""
        due = 0.0
        while not self.closing.is_set() or self._lines:
            self._urgent.wait(due - monotonic())
            if not self._filled.is_set():  # under load it is, and no line has to wake this thread
                self._filled.wait()
                self._urgent.wait(self._linger_s)
            if lines := self._take():
                due = monotonic() + max(self._linger_s, min(self._interval_s, len(lines) / FEW_LINES_PER_S))
                yield lines

    def _take(self) -> list[Line]:
        with self._lock:
            if not self.closing.is_set():
                self._filled.clear()  # before what is put meanwhile
                self._urgent.clear()
        self._refill()
        with self._lock:
            lines, self._lines = self._lines, []
            self._characters = 0
        return lines


class LineWriter:
    """Writes lines to a stream from a thread, so that a stalled reader does not block the process.

    Attributes:
        written: lines that were written.
    """

    def __init__(self, stream: TextIO, buffer: LineBuffer | None = None) -> None:
        self.written = 0
        self._lost = 0
        self._buffer = LineBuffer() if buffer is None else buffer
        self.put = self._buffer.put
        self.wake = self._buffer.wake
        self.hurry = self._buffer.hurry
        self._write = _writer(stream)
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Lines that did not fit into the buffer, or found the stream closed."""
        return self._buffer.dropped + self._lost

    def close(self, timeout_s: float) -> None:
        """Write the buffered lines; give up after *timeout_s*."""
        self._buffer.close()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        for lines in self._buffer.batches():
            try:
                self._write("".join([f"{line.text}\n" for line in lines]))
                self.written += len(lines)
            except Exception:  # the reader has gone, the stream is closed; without this thread no line is written
                self._lost += len(lines)


def _writer(stream: TextIO) -> Callable[[str], None]:
    try:
        stream.fileno()
    except io.UnsupportedOperation:
        return lambda text: _write_text(stream, text)
    # past the stream: its lock, held by a stalled thread, would block the interpreter's exit. Its descriptor is asked
    # for each time: the number of a stream that is closed, or collected, may be another's
    return lambda text: _write_bytes(stream.fileno(), text.encode())


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
