"""What can befall a process of the running system."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.system import System

__all__ = ["frozen"]


@contextmanager
def frozen(system: System, *names: str) -> Iterator[None]:
    """Stop processes dead for the block: they hold their connections and answer nothing."""
    for name in names:
        system.stack.processes[name].send(signal.SIGSTOP)
    try:
        yield
    finally:
        for name in names:
            system.stack.processes[name].send(signal.SIGCONT)
