"""The command `orderstream` as a process."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

__all__ = ["Done", "orderstream", "started"]


@dataclass(frozen=True, slots=True)
class Done:
    """How it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return orjson.loads(self.out)


async def started(environ: Mapping[str, str], *arguments: str) -> Process:
    """Start it with *environ* beside the environment of the tests."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "orderstream_command", *arguments),
        env={**os.environ, **environ},
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )


async def orderstream(environ: Mapping[str, str], *arguments: str, status: int | None = 0) -> Done:
    """Run it to its end, which is to have *status*."""
    process = await started(environ, *arguments)
    out, err = await process.communicate()
    done = Done(process.returncode or 0, out.decode(), err.decode())
    assert status in {None, done.status}, done
    return done
