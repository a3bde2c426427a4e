"""Starts the processes of one system and stops them in order of their levels, within a time limit."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence

from .layout import DataFolder
from .process import ProcessSpec, ServiceProcess, run_concurrently

__all__ = ["STOP_WITHIN_S", "Supervisor", "reserved_s"]

STOP_WITHIN_S = 9.0
# reserved for each level, however long those above take; the lowest has PostgreSQL and the emulator
_RESERVED_PER_LEVEL_S = 0.5
_RESERVED_FOR_LOWEST_S = 1.5


class Supervisor:
    """Starts processes in the data folder *data* and stops them; *report* is called with exits and restarts.

    Attributes:
        processes: by name.
    """

    def __init__(self, data: DataFolder, report: Callable[[str], None]) -> None:
        self._data = data
        self._report = report
        self.processes: dict[str, ServiceProcess] = {}

    async def start(self, specs: Sequence[ProcessSpec]) -> None:
        """Start the processes concurrently."""
        await run_concurrently(*(self._start(spec) for spec in specs))

    async def stop(self) -> None:
        """Stop the processes, the highest level first, within ten seconds; those that hang are killed."""
        deadline = time.monotonic() + STOP_WITHIN_S
        levels = _by_level(list(self.processes.values()))
        for below, level in zip(range(len(levels) - 1, -1, -1), levels, strict=True):
            within_s = max(deadline - time.monotonic() - reserved_s(below), _RESERVED_PER_LEVEL_S)
            await asyncio.gather(*(process.stop(within_s) for process in level))
        self.processes.clear()

    async def _start(self, spec: ProcessSpec) -> None:
        process = ServiceProcess(
            spec,
            pid_file=self._data.pid_file(spec.name),
            log=self._data.log_file(spec.name),
            report=self._report,
        )
        self.processes[spec.name] = process
        await process.start()


def reserved_s(levels: int) -> float:
    """Return the time reserved for the *levels* below, in seconds."""
    return _RESERVED_FOR_LOWEST_S + (levels - 1) * _RESERVED_PER_LEVEL_S if levels else 0.0


def _by_level(processes: Sequence[ServiceProcess]) -> list[list[ServiceProcess]]:
    ordered = sorted(processes, key=lambda process: -process.spec.level)
    return [list(level) for _, level in itertools.groupby(ordered, key=lambda process: process.spec.level)]
