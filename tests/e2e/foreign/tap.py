"""A wire that can be listened to and cut, between a client and a server."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from typing import Self
from urllib.parse import unquote, urlsplit

from tests.support.waiting import eventually

__all__ = ["Tap"]

# what a client is told first, whole: the service writes it at once
WELCOME = b'"type":"welcome"'
LAST_ID = re.compile(rb"(?:[?&]lastEventId=|^last-event-id: )([^\s&]+)", re.IGNORECASE | re.MULTILINE)
QUIET = (OSError, asyncio.IncompleteReadError)


class Tap:
    """Passes on whatever comes, to *url* and back, and notes the last id of each request for a stream.

    The first part of the path is the name of the client, which the service does not see. On the first connection of
    each nothing comes back after the welcome.

    Attributes:
        last_ids: by client, what it asked to resume from, the oldest first; empty when it did not.
        answers: by client, what came back, as it came.
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

    async def asked(self, client: str, times: int) -> str:
        """Wait until *client* has asked so often, and return the last id that came with the last of these."""

        async def look() -> str | None:
            ids = self.last_ids.get(client, [])
            return ids[times - 1] if len(ids) >= times else None

        return await eventually(look, f"request {times} of {client}")

    async def answered(self, client: str, text: str, times: int) -> None:
        """Wait until *text* came back so often."""

        async def look() -> bool | None:
            return sum(text.encode() in part for part in self.answers.get(client, [])) >= times or None

        await eventually(look, f"{text} as an answer to {client}, {times} times")

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._wires.add(writer)
        with suppress(*QUIET):
            method, path, rest = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)
            _, client, path = path.split(b"/", 2)
            is_stream = method == b"GET" and path.startswith((b"stream", b"ws"))
            answers = self.answers.setdefault(client.decode(), [])
            last_ids = self.last_ids.setdefault(client.decode(), [])
            until = WELCOME if is_stream and not last_ids else None
            if is_stream:
                ids = LAST_ID.findall(path + b"\r\n" + rest)
                # the header wins over the query, and comes after it
                last_ids.append(unquote(ids[-1].decode()) if ids else "")
            there, back = await asyncio.open_connection(self._to.hostname, self._to.port)
            self._wires.add(back)
            # one request a connection, so that each is seen
            rest = rest.replace(b"Connection: keep-alive", b"Connection: close")
            back.write(b"%s /%s %s" % (method, path, rest))
            await asyncio.gather(_pass_on(reader, back, []), _pass_on(there, writer, answers, until))
            self._wires.discard(back)
        self._wires.discard(writer)
        writer.transport.abort()


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passed: list[bytes], until: bytes | None = None
) -> None:
    with suppress(*QUIET):
        while data := await reader.read(1 << 16):
            passed.append(data)
            writer.write(data)
            await writer.drain()
            if until is not None and until in data:
                while await reader.read(1 << 16):  # and pass on nothing
                    pass
    if reader.exception():
        writer.transport.abort()
    else:
        writer.close()
