"""Lines are written in order by another thread; a stalled reader drops lines and does not block."""

from __future__ import annotations

import io
import os
import threading
import time
import weakref
from pathlib import Path

from service_common.logs.line_writer import LINGER_S, Line, LineBuffer, LineWriter


def line(text: str) -> Line:
    return Line(time.time(), text)


def test_lines_are_written_in_order() -> None:
    stream = io.StringIO()
    writer = LineWriter(stream)

    for number in range(1000):
        writer.put(line(str(number)))
    writer.close(5)

    assert stream.getvalue().split() == [str(number) for number in range(1000)]
    assert (writer.written, writer.dropped) == (1000, 0)


def test_lines_are_written_in_batches() -> None:
    class Counting(io.StringIO):
        writes = 0

        def write(self, text: str, /) -> int:
            self.writes += 1
            return super().write(text)

    stream = Counting()
    writer = LineWriter(stream)
    pause = threading.Event()
    started = time.monotonic()
    for number in range(20):
        writer.put(line(str(number)))
        pause.wait(0.02)
    writer.close(5)

    assert stream.getvalue().split() == [str(number) for number in range(20)]
    assert stream.writes <= 1 + (time.monotonic() - started) / LINGER_S


def test_write_that_crashes_costs_its_lines_alone_which_are_counted() -> None:
    class Crashing(io.StringIO):
        def write(self, text: str, /) -> int:
            if "lost" in text:
                raise LookupError("a defect")
            return super().write(text)

    stream = Crashing()
    writer = LineWriter(stream, LineBuffer(linger_s=0, interval_s=0))
    writer.put(line("lost"))
    deadline = time.monotonic() + 5
    while not writer.dropped and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    writer.put(line("written"))
    writer.close(5)

    assert stream.getvalue() == "written\n"
    assert (writer.written, writer.dropped) == (1, 1)


def test_close_does_not_wait_for_the_batching_delay() -> None:
    stream = io.StringIO()
    writer = LineWriter(stream, LineBuffer(linger_s=60))

    writer.put(line("last"))
    writer.close(5)

    assert stream.getvalue() == "last\n"


def test_lines_of_many_threads_stay_whole() -> None:
    stream = io.StringIO()
    writer = LineWriter(stream)

    def put(text: str) -> None:
        for _ in range(200):
            writer.put(line(text * 50))

    threads = [threading.Thread(target=put, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close(5)

    written = stream.getvalue().splitlines()
    assert len(written) == 800
    assert set(written) == {name * 50 for name in "abcd"}


def test_stalled_reader_drops_lines_and_does_not_block() -> None:
    read_end, write_end = os.pipe()
    with os.fdopen(read_end) as reader, os.fdopen(write_end, "w") as stream:
        writer = LineWriter(stream, LineBuffer(max_lines=100))
        started = time.perf_counter()
        for _ in range(5000):
            writer.put(line("x" * 1000))
        took_s = time.perf_counter() - started

        assert took_s < 10
        assert writer.dropped >= 4500
        started = time.perf_counter()
        writer.close(0.05)
        assert time.perf_counter() - started < 10
        received = 0
        while received + writer.dropped < 5000:
            received += len(reader.readline()) > 0
    assert received + writer.dropped == 5000


def test_stalled_reader_of_a_non_blocking_pipe_costs_no_cpu() -> None:
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    with os.fdopen(read_end) as reader, os.fdopen(write_end, "w") as stream:
        writer = LineWriter(stream, LineBuffer(linger_s=0, interval_s=0))
        for _ in range(10):
            writer.put(line("x" * 100_000))
        pause = threading.Event()
        pause.wait(0.2)  # the pipe is full
        before_s = time.process_time()
        pause.wait(0.5)
        assert time.process_time() - before_s < 0.1
        assert [len(reader.readline()) for _ in range(10)] == [100_001] * 10
        writer.close(5)
    assert (writer.written, writer.dropped) == (10, 0)


def test_closed_reader_is_counted_as_dropped_lines() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "w") as stream:
        writer = LineWriter(stream)
        writer.put(line("to nobody"))
        writer.close(5)

    assert (writer.written, writer.dropped) == (0, 1)


def test_buffer_is_bounded_by_lines_and_by_characters() -> None:
    few, short = LineBuffer(max_lines=2), LineBuffer(max_characters=10)

    for _ in range(5):
        few.put(line("x"))
        short.put(line("1234"))

    assert (len(few), few.accepted, few.dropped) == (2, 2, 3)
    assert (len(short), short.accepted, short.dropped) == (2, 2, 3)
    assert [each.text for each in next(short.batches())] == ["1234", "1234"]
    short.put(line("1234567890"))
    assert len(short) == 1


def test_batches_under_load_are_an_interval_apart() -> None:
    buffer = LineBuffer(linger_s=0, interval_s=0.3)
    batches = buffer.batches()
    for text in "abcdefghi":
        buffer.put(line(text))
    next(batches)
    started = time.monotonic()

    buffer.put(line("next"))

    assert [each.text for each in next(batches)] == ["next"]
    assert time.monotonic() - started >= 0.29


def test_few_lines_wait_for_the_linger_alone() -> None:
    buffer = LineBuffer(linger_s=0, interval_s=60)
    batches = buffer.batches()
    started = time.monotonic()

    for text in "abc":
        buffer.put(line(text))
        assert [each.text for each in next(batches)] == [text]

    assert time.monotonic() - started < 30


def test_half_full_buffer_and_a_closed_one_wait_for_nothing() -> None:
    buffer = LineBuffer(linger_s=60, interval_s=60, max_lines=4)
    batches = buffer.batches()
    started = time.monotonic()
    for text in "abc":
        buffer.put(line(text))
    assert [each.text for each in next(batches)] == ["a", "b", "c"]

    buffer.put(line("last"))
    buffer.close()

    assert [[each.text for each in batch] for batch in batches] == [["last"]]
    assert time.monotonic() - started < 30


def test_descriptor_of_a_closed_stream_is_not_written_to(tmp_path: Path) -> None:
    stream = (tmp_path / "log").open("w")
    writer = LineWriter(stream, LineBuffer(linger_s=60))
    descriptor = stream.fileno()
    stream.close()
    with (tmp_path / "another").open("w") as another:
        assert another.fileno() == descriptor
        writer.put(line("for the log"))
        writer.close(5)

    assert (tmp_path / "another").read_text() == ""
    assert (writer.written, writer.dropped) == (0, 1)


def test_stream_that_nobody_else_holds_stays_open(tmp_path: Path) -> None:
    stream = (tmp_path / "log").open("w")
    held = weakref.ref(stream)
    writer = LineWriter(stream, LineBuffer(linger_s=60))
    del stream
    writer.put(line("kept"))
    writer.close(5)

    assert (tmp_path / "log").read_text() == "kept\n"
    if (stream_left := held()) is not None:
        stream_left.close()
