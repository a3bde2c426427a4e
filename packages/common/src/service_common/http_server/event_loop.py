"""The event loop of a service: uvloop's, but a look-up of a name does not delay the end of the process."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress
from typing import Any, TypeAlias

import uvloop

__all__ = ["EventLoop"]

_Question: TypeAlias = tuple[Any, ...]
_Answer: TypeAlias = list[tuple[Any, ...]]


class EventLoop(uvloop.Loop):
    """An event loop that looks names up in threads for which nobody waits.

    getaddrinfo(3) cannot be interrupted, and takes 10 s and more when the name server does not answer. uvloop's runs in
    libuv's threads: the end of the loop and that of the process wait for them, as they do for those of an executor.

    Callers who ask the same at the same time share one thread.
    """

    def __init__(self) -> None:
        super().__init__()
        self._asking: dict[_Question, list[asyncio.Future[_Answer]]] = {}

    async def getaddrinfo(
        self,
        host: str | bytes | None,
        port: str | bytes | int | None,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002 - the name of the overridden method's
        proto: int = 0,
        flags: int = 0,
    ) -> _Answer:
        """Return what socket.getaddrinfo() does."""
        question = (host, port, family, type, proto, flags)
        asking = self._asking.setdefault(question, [])
        answer: asyncio.Future[_Answer] = self.create_future()
        asking.append(answer)
        if len(asking) == 1:
            threading.Thread(target=self._look_up, args=(question,), name="look-up", daemon=True).start()
        return await answer

    def _look_up(self, question: _Question) -> None:
        answer: _Answer | Exception
        try:
            answer = socket.getaddrinfo(*question)
        except Exception as error:
            answer = error
        with suppress(RuntimeError):  # the loop is closed
            self.call_soon_threadsafe(self._tell, question, answer)

    def _tell(self, question: _Question, answer: _Answer | Exception) -> None:
        for asking in self._asking.pop(question):
            if asking.done():
                continue
            if isinstance(answer, Exception):
                asking.set_exception(answer)
            else:
                asking.set_result(answer)
