"""What can befall a process of the running system."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from tests.support.system import System

__all__ = ["frozen", "stopped"]


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


@asynccontextmanager
async def stopped(system: System, service: str) -> AsyncIterator[None]:
    """Have a service away for the block, ended in order; afterwards it is ready again."""
    process = system.stack.processes[f"{service}-service"]
    await process.stop(within_s=8)
    try:
        yield
    finally:
        await process.start()
        await system.ready(service)
