"""How many connections a process can hold: each is an open file, and the system counts those."""

from __future__ import annotations

import resource
import sys

__all__ = ["connections_allowed", "held_back", "raise_open_files"]

# for the database, the queues, calls to other services, the log
RESERVED_FILES = 256
# what "unlimited" is taken for: Linux gives no process more (fs.nr_open), macOS refuses to set more (OPEN_MAX)
_UNLIMITED = 10_240 if sys.platform == "darwin" else 1 << 20


def raise_open_files() -> None:
    """Let this process have as many open files as it is allowed at all: the usual soft limit is 1,024."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (_number(hard), hard))


def connections_allowed() -> int:
    """Return how many connections can be open at a time when the rest of the process is to have its files."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return held_back(_number(soft), RESERVED_FILES)


def held_back(limit: int, reserve: int) -> int:
    """Return *limit* without *reserve*, or without a quarter of it when that is less."""
    return limit - min(reserve, limit // 4)


def _number(limit: int) -> int:
    return _UNLIMITED if limit == resource.RLIM_INFINITY else limit
