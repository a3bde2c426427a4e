"""The processes of one system together: started, looked up, and stopped in the right order within a time limit."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence

from .layout import DataFolder
from .process import ProcessSpec, ServiceProcess, together

__all__ = ["STOP_WITHIN_S", "Supervisor", "kept_s"]

STOP_WITHIN_S = 9.0
# whatever is above it does, a level has so much; the lowest, which keeps what the others leave, has more
_KEPT_FOR_A_LEVEL_S = 0.5
_KEPT_FOR_THE_LOWEST_S = 1.5


class Supervisor:
    """Starts processes under *data* and stops them; *report* is told what becomes of them meanwhile.

    Attributes:
        processes: by name.
    """

    def __init__(self, data: DataFolder, report: Callable[[str], None]) -> None:
        self._data = data
        self._report = report
        self.processes: dict[str, ServiceProcess] = {}

    async def start(self, specs: Sequence[ProcessSpec]) -> None:
        """Start the processes, all at once."""
        await together(*(self._start(spec) for spec in specs))

    async def stop(self) -> None:
        """Stop the processes, the highest level first, within ten seconds whatever they do."""
        deadline = time.monotonic() + STOP_WITHIN_S
        waves = _waves(list(self.processes.values()))
        for below, wave in zip(range(len(waves) - 1, -1, -1), waves, strict=True):
            within_s = max(deadline - time.monotonic() - kept_s(below), _KEPT_FOR_A_LEVEL_S)
            await asyncio.gather(*(process.stop(within_s) for process in wave))
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


def kept_s(levels: int) -> float:
    """Return the time that is not to be taken from the *levels* below, in seconds."""
    return _KEPT_FOR_THE_LOWEST_S + (levels - 1) * _KEPT_FOR_A_LEVEL_S if levels else 0.0


def _waves(processes: Sequence[ServiceProcess]) -> list[list[ServiceProcess]]:
    by_level = sorted(processes, key=lambda process: -process.spec.level)
    return [list(wave) for _, wave in itertools.groupby(by_level, key=lambda process: process.spec.level)]
