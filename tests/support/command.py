"""The command `orderstream` as a process: started as a person does, or forked from one that has imported it."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

__all__ = ["Done", "Forked", "orderstream", "started"]

_COMMANDS = ("dlq", "logs", "order", "saga", "status")
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(
    [f"orderstream_command.{name}" for name in ("cli", "dlq", "saga", "order", "logs", "status")]
)


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


class Forked:
    """The same within milliseconds: where what it does is tested, not how it starts.

    Args:
        environ: beside the environment of the tests.
        arguments: of the command line.
    """

    def __init__(self, environ: Mapping[str, str], *arguments: str) -> None:
        self._output = tempfile.TemporaryDirectory(prefix="orderstream-")
        self._process = _forks.Process(
            target=_become, args=({**os.environ, **environ}, arguments, self._output.name), daemon=True
        )
        self._process.start()

    def send(self, number: int) -> None:
        """Send it a signal."""
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    async def end(self, status: int) -> Done:
        """Wait for its end, which is to have *status*: negative of a signal that killed it."""
        done = await asyncio.to_thread(self._done)
        assert status == done.status, done
        return done

    def _done(self) -> Done:
        self._process.join()
        with self._output as folder:
            out, err = (Path(folder, name).read_text(encoding="utf-8") for name in ("out", "err"))
        return Done(self._process.exitcode or 0, out, err)


def _become(environ: Mapping[str, str], arguments: tuple[str, ...], folder: str) -> None:
    from orderstream_command.cli import orderstream

    os.environ.clear()
    os.environ.update(environ)
    for number, name in ((1, "out"), (2, "err")):
        with Path(folder, name).open("wb") as file:
            os.dup2(file.fileno(), number)
    orderstream(arguments, prog_name="orderstream")
