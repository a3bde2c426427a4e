"""A wire that can be listened to and cut, between a client and a server."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from typing import Self
from urllib.parse import unquote, urlsplit

from tests.support.waiting import eventually

__all__ = ["Tap"]

LAST_ID = re.compile(rb"(?:[?&]lastEventId=|^last-event-id: )([^\s&]+)", re.IGNORECASE | re.MULTILINE)
QUIET = (OSError, asyncio.IncompleteReadError)


class Tap:
    """Passes on whatever comes, to *url* and back, and notes the last id of each request by its path.

    Attributes:
        last_ids: what the clients asked to resume from, the oldest first; empty for one that did not.
        answers: what came back, as it came.
    """

    def __init__(self, url: str) -> None:
        self._to = urlsplit(url)
        self._server: asyncio.Server | None = None
        self._wires: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.last_ids: dict[str, list[str]] = {}
        self.answers: dict[str, list[bytes]] = {}

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks)

    @property
    def url(self) -> str:
        """Where to connect to instead."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def cut(self) -> None:
        """Break every connection."""
        for wire in self._wires:
            wire.transport.abort()

    async def asked(self, path: str, times: int) -> str:
        """Wait until *path* was asked for so often, and return the last id that came with the last of these."""

        async def look() -> str | None:
            ids = self.last_ids.get(path, [])
            return ids[times - 1] if len(ids) >= times else None

        return await eventually(look, f"request {times} for {path}")

    async def answered(self, path: str, text: str, times: int) -> None:
        """Wait until *text* came back so often."""

        async def look() -> bool | None:
            return sum(text.encode() in part for part in self.answers.get(path, [])) >= times or None

        await eventually(look, f"{text} as an answer to {path}, {times} times")

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._wires.add(writer)
        with suppress(*QUIET):
            head = await reader.readuntil(b"\r\n\r\n")
            path, _, _ = head.split(b" ", 2)[1].partition(b"&lastEventId=")
            ids = LAST_ID.findall(head)
            # the header wins over the query, and comes after it
            self.last_ids.setdefault(path.decode(), []).append(unquote(ids[-1].decode()) if ids else "")
            answers = self.answers.setdefault(path.decode(), [])
            there, back = await asyncio.open_connection(self._to.hostname, self._to.port)
            self._wires.add(back)
            back.write(head)
            await asyncio.gather(_pass_on(reader, back, []), _pass_on(there, writer, answers))
            self._wires.discard(back)
        self._wires.discard(writer)
        writer.transport.abort()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passed: list[bytes]) -> None:
    with suppress(*QUIET):
        while data := await reader.read(1 << 16):
            passed.append(data)
            writer.write(data)
            await writer.drain()
    if reader.exception():
        writer.transport.abort()
    else:
        writer.close()
