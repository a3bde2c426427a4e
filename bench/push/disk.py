"""How long the database's disk takes to make a commit durable: our latencies include it, those of others don't."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from .ledger import percentiles_ms

__all__ = ["flushes_ms"]

FLUSHES, APART_S = 200, 0.025
WAL_PAGE = bytes(8192)


def flushes_ms(folder: Path) -> dict[str, float]:
    """Write a page of PostgreSQL's log and flush it, again and again; return the percentiles."""
    durations = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(FLUSHES):
            file.write(WAL_PAGE)
            began = time.perf_counter_ns()
            os.fdatasync(file.fileno())
            durations.append(time.perf_counter_ns() - began)
            time.sleep(APART_S)
    return percentiles_ms(durations)
