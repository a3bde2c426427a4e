"""A wire between the pages and the notification service that garbles what it is told to, and can be cut."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Self
from urllib.parse import urlsplit

__all__ = ["Wire"]

QUIET = (OSError,)


class Wire:
    """Passes on all that comes, to *url* and back.

    Attributes:
        garbled: how many messages were.
    """

    def __init__(self, url: str) -> None:
        self._to = urlsplit(url)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._garble: tuple[bytes, bytes] | None = None
        self._is_cut = False
        self.garbled = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        """Where to connect to instead."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def garble_next(self, text: str, into: str) -> None:
        """Have *text* come out as another one, of the same length, the next time that the service says it."""
        assert len(text) == len(into)
        self._garble = (text.encode(), into.encode())

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Let nothing through while the block runs."""
        self._is_cut = True
        for task in self._tasks:
            task.cancel()
        try:
            yield
        finally:
            self._is_cut = False

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        wires = [writer]
        try:
            if self._is_cut:
                return
            with suppress(*QUIET):
                there, back = await asyncio.open_connection(self._to.hostname, self._to.port)
                wires.append(back)
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._pass_on(reader, back, lambda data: data))
                    both.create_task(self._pass_on(there, writer, self._changed))
        finally:
            for wire in wires:
                wire.transport.abort()

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, changed: Callable[[bytes], bytes]
    ) -> None:
        with suppress(*QUIET):
            while data := await reader.read(1 << 16):
                writer.write(changed(data))
                await writer.drain()
        writer.close()

    def _changed(self, data: bytes) -> bytes:
        if self._garble is None or self._garble[0] not in data:
            return data
        (text, into), self._garble = self._garble, None
        self.garbled += 1
        return data.replace(text, into, 1)
