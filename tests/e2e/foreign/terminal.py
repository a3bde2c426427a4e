"""A terminal with a program in it: what is typed, and what is on the screen."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

from tests.support.waiting import eventually

__all__ = ["Terminal", "terminal"]


class Terminal:
    """The end of the terminal at which somebody sits; *master* is its descriptor."""

    def __init__(self, master: int) -> None:
        self._master = master
        self.screen = ""

    def type(self, line: str) -> None:
        """Type a line."""
        os.write(self._master, f"{line}\r".encode())

    def look(self) -> None:
        """Take in what has been written; a program that has ended writes no more."""
        try:
            self.screen += os.read(self._master, 1 << 16).decode(errors="replace")
        except OSError:  # EIO: nobody is at the other end
            asyncio.get_running_loop().remove_reader(self._master)

    async def shows(self, *texts: str) -> None:
        """Wait until all of *texts* have been on the screen."""

        async def look() -> bool | None:
            return all(text in self.screen for text in texts) or None

        await eventually(look, f"{texts} on the screen")


@asynccontextmanager
async def terminal(*command: str, environment: Mapping[str, str]) -> AsyncIterator[Terminal]:
    """Run *command* in a terminal for the block."""
    master, slave = pty.openpty()
    seat = Terminal(master)
    asyncio.get_running_loop().add_reader(master, seat.look)
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
    )
    os.close(slave)
    try:
        yield seat
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        asyncio.get_running_loop().remove_reader(master)
        os.close(master)
