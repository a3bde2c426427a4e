"""Runs work in forked processes: each simulation leaves its tasks behind, which only the end of a process removes."""

from __future__ import annotations

import gc
import os
import pickle
import select
import signal
import sys
import traceback
from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

__all__ = ["in_children"]

T = TypeVar("T")


def in_children(works: Sequence[Callable[[], T]], jobs: int) -> Generator[T, None, None]:
    """Yield the result of each of *works* as it comes, *jobs* at a time.

    Raises:
        RuntimeError: a process ended without a result; it said why on stderr.
    """
    waiting = list(reversed(works))
    running: dict[int, int] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                reader, process_id = _fork(waiting.pop())
                running[reader] = process_id
            for reader in select.select(list(running), [], [])[0]:
                with os.fdopen(reader, "rb", closefd=False) as stream:
                    result = stream.read()
                _end(reader, running.pop(reader))
                if not result:
                    raise RuntimeError("a simulation ended without a result")
                yield pickle.loads(result)  # noqa: S301 - from our own child
    finally:
        for reader, process_id in running.items():
            os.kill(process_id, signal.SIGKILL)
            _end(reader, process_id)


def _end(reader: int, process_id: int) -> None:
    os.close(reader)
    os.waitpid(process_id, 0)


def _fork(work: Callable[[], T]) -> tuple[int, int]:
    reader, writer = os.pipe()
    sys.stdout.flush()
    process_id = os.fork()
    if process_id:
        os.close(writer)
        return reader, process_id
    try:
        gc.disable()  # the tasks of killed processes must not be collected, and the process is short
        with os.fdopen(writer, "wb") as stream:
            stream.write(pickle.dumps(work()))
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)  # without the finally blocks of the tasks
