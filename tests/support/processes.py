"""What can befall a process of the running system."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import psutil

from tests.support.system import System

__all__ = ["frozen", "stopped"]


@contextmanager
def frozen(system: System, *names: str) -> Iterator[None]:
    """Stop processes and their children dead for the block: they hold their connections and answer nothing."""
    roots = [psutil.Process(pid) for name in names if (pid := system.stack.processes[name].pid) is not None]
    tree = [process for root in roots for process in (root, *root.children(recursive=True))]
    for process in tree:
        process.suspend()
    try:
        yield
    finally:
        for process in tree:
            with suppress(psutil.NoSuchProcess):
                process.resume()


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
