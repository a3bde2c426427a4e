"""What processes cost: CPU seconds and peak memory, read from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

__all__ = ["Meter"]


@dataclass(slots=True)
class _Account:
    processes: dict[int, psutil.Process]
    cpu_s: dict[int, float]
    peak_rss: int = 0


class Meter:
    """Reads the CPU and memory of process trees; children that come later are counted in from their start."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._roots = dict(pids)
        self._accounts = {name: _Account({}, {}) for name in pids}
        self._before: dict[str, float] = {}

    def start(self) -> None:
        """Begin to count from here."""
        self._before = {name: self._read(name) for name in self._roots}

    def cpu_s(self) -> dict[str, float]:
        """Return the CPU seconds of each tree since the start."""
        return {name: self._read(name) - self._before[name] for name in self._roots}

    def peak_rss_mb(self) -> dict[str, float]:
        """Return the most memory that each tree was seen with; shared pages of forked children count once each."""
        return {name: round(account.peak_rss / 2**20, 1) for name, account in self._accounts.items()}

    async def sample(self, every_s: float = 1.0) -> None:
        """Read again and again, so that a child that ends is not forgotten, until cancelled."""
        while True:
            for name in self._roots:
                self._read(name)
            await asyncio.sleep(every_s)

    def _read(self, name: str) -> float:
        account = self._accounts[name]
        root = psutil.Process(self._roots[name])
        memory = 0
        for process in [root, *root.children(recursive=True)]:
            try:
                times = process.cpu_times()
                memory += _memory(process)
            except psutil.NoSuchProcess:
                continue
            account.cpu_s[process.pid] = times.user + times.system
        account.peak_rss = max(account.peak_rss, memory)
        return sum(account.cpu_s.values())


def _memory(process: psutil.Process) -> int:
    """The proportional set size where the system tells it: PostgreSQL's shared buffers are not counted per backend."""
    try:
        return int(process.memory_full_info().pss)
    except (psutil.AccessDenied, AttributeError):
        return int(process.memory_info().rss)
