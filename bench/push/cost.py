"""What a server costs, read from outside: CPU time and memory of its processes and their children."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

__all__ = ["cpu_s", "peak_rss_bytes", "rss_bytes"]


def cpu_s(pids: Sequence[int]) -> float:
    """Return the user and system time so far, in seconds."""
    return sum(times.user + times.system for times in (each.cpu_times() for each in _trees(pids)))


def rss_bytes(pids: Sequence[int]) -> int:
    """Return the memory that is resident now; pages that processes share count for each."""
    return sum(int(each.memory_info().rss) for each in _trees(pids))


def peak_rss_bytes(pid: int) -> int:
    """Return the most memory that one process ever had resident (``VmHWM`` of proc(5))."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def _trees(pids: Sequence[int]) -> Iterator[psutil.Process]:
    for pid in pids:
        root = psutil.Process(pid)
        yield root
        yield from root.children(recursive=True)
