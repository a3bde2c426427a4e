"""The event loop of a service: uvloop's, but a look-up of a name does not delay the end of the process."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeAlias

import uvloop

__all__ = ["EventLoop"]

_Answer: TypeAlias = list[tuple[Any, ...]]


class EventLoop(uvloop.Loop):
    """An event loop that looks names up in threads for which nobody waits.

    getaddrinfo(3) cannot be interrupted, and takes 10 s and more when the name server does not answer. uvloop's runs in
    libuv's threads: the end of the loop and that of the process wait for them, as they do for those of an executor. And
    there are four of them, so that four look-ups without an answer delay all others.

    Each look-up has its own thread: a caller who gives up and asks again sends a new question.
    """

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
        answer: asyncio.Future[_Answer] = self.create_future()
        arguments = (answer, host, port, family, type, proto, flags)
        threading.Thread(target=self._look_up, args=arguments, name="look-up", daemon=True).start()
        return await answer

    def _look_up(self, answer: asyncio.Future[_Answer], *question: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed
            try:
                found = socket.getaddrinfo(*question)
            except Exception as error:
                self.call_soon_threadsafe(_settle, answer, answer.set_exception, error)
            else:
                self.call_soon_threadsafe(_settle, answer, answer.set_result, found)


def _settle(answer: asyncio.Future[_Answer], settle: Callable[[Any], None], outcome: Any) -> None:
    if not answer.done():
        settle(outcome)
