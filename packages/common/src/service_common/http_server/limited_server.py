"""aiohttp's server with an edge: it waits an hour for the first byte of a request by itself, and for ever for the last.

It leans on these parts of aiohttp 3.14; tests/integration/common/http_server/limited_server fails when they mean
something else:

- ``RequestHandler._waiter`` is pending while a connection waits for the head of a request, ``_request_count`` counts
  the heads that came to their end, ``_current_request`` is the one that a handler has.
- ``AppRunner._make_server`` makes the server of an application, ``Server.__call__`` the protocol of a connection with
  the options in ``_kwargs``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Hashable
from functools import cache
from http import HTTPStatus
from typing import Any, cast

from aiohttp import web

from ..errors import MalformedError
from ..observability import tracing
from .connection_limits import Edge, EdgeLimits
from .problem_details import CONTENT_TYPE, Problem

__all__ = ["EdgeRunner"]

logger = logging.getLogger(__name__)


class EdgeRunner(web.AppRunner):
    """Runs *app* behind *edge*, whose sweep its owner runs; *options* are those of `web.AppRunner`."""

    __slots__ = ("_edge",)

    def __init__(self, app: web.Application, edge: Edge, **options: Any) -> None:
        super().__init__(app, keepalive_timeout=edge.limits.keepalive_s, **options)
        self._edge = edge

    async def _make_server(self) -> web.Server:
        return _Server(self._edge, await super()._make_server())


class _Server(web.Server):
    def __init__(self, edge: Edge, plain: web.Server) -> None:
        super().__init__(
            plain.request_handler,
            request_factory=plain.request_factory,
            handler_cancellation=plain.handler_cancellation,
            **plain._kwargs,  # noqa: SLF001 - nothing else knows them
        )
        self._edge = edge

    def __call__(self) -> web.RequestHandler:
        return _Connection(self._edge, self, loop=self._loop, **self._kwargs)


class _Connection(web.RequestHandler):
    """aiohttp's protocol of a connection; notes when it begins to wait for the rest of a head."""

    __slots__ = ("_edge", "_head_since", "_heard", "_inside", "_phase", "_phase_since", "_wire")

    def __init__(self, edge: Edge, manager: web.Server, **options: Any) -> None:
        super().__init__(manager, **options)
        self._edge = edge
        self._inside = False
        self._head_since: float | None = None
        self._heard = False
        self._phase: Hashable = None
        self._phase_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._wire = cast("asyncio.Transport", transport)  # aiohttp lets go of it when it closes, not when it is closed
        self._inside = self._edge.enter(self, self._wire.get_extra_info("socket").fileno())
        if self._inside:
            self._head_since = self._loop.time()
            super().connection_made(transport)
        else:
            self._wire.abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._inside:
            self._edge.leave(self)
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        heads = self._request_count
        super().data_received(data)
        if self._request_count != heads:
            self._head_since = None
        elif data and self._awaits_head():
            self._heard = True
            if self._head_since is None:
                self._head_since = self._loop.time()

    def is_stream(self) -> bool:
        return self._wire.get_protocol() is not self  # its handler has put one of its own there

    def overdue(self, now: float, limits: EdgeLimits) -> str | None:
        if self._wire.is_closing() or self.writing_paused:
            phase = (
                "unread",
                self._request_count,
                self._wire.get_write_buffer_size(),
            )  # the same as long as nothing goes
            return "unread" if self._lasts(phase, now) > limits.unread_s else None
        if self._awaits_head():
            return "head" if self._head_since is not None and now - self._head_since > limits.head_s else None
        request = self._current_request
        if request is None or request.content.is_eof() or request.content.exception() is not None:
            return None
        return "body" if self._lasts(("body", self._request_count), now) > limits.body_s else None

    def cut(self, reason: str) -> None:
        if reason == "unread":
            self._wire.abort()
        elif reason == "body" and self._current_request is not None:
            # who reads the body answers
            self._current_request.content.set_exception(TimeoutError("The body did not arrive in time."))
        else:
            if self._heard:  # an answer to nothing would be taken for that to the next request
                self._wire.write(_head_too_slow())
            self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no HTTP, and what went wrong outside the middlewares, as everything else is answered."""
        with tracing(None) as context:
            if status < 500:
                problem = Problem.of(MalformedError(_first_line(message or "")), "")
                self._edge.malformed()
                logger.info("no HTTP", extra={"detail": problem.detail, "client": request.remote})
            else:
                super().handle_error(request, status, exc, message)  # logs it; raises when an answer has begun
                problem = Problem("about:blank", HTTPStatus(status).phrase, status, trace_id=context.trace_id)
            response = problem.to_response()
        response.force_close()
        return response

    def _awaits_head(self) -> bool:
        return self._waiter is not None and not self._waiter.done()

    def _lasts(self, phase: Hashable, now: float) -> float:
        if phase != self._phase:
            self._phase, self._phase_since = phase, now
        return now - self._phase_since


@cache
def _head_too_slow() -> bytes:
    # the same for all, without a trace: there are many at once or none
    problem = Problem.of(web.HTTPRequestTimeout(text="The head of the request did not arrive in time."), "")
    body = problem.to_response().body
    assert isinstance(body, bytes)
    head = (
        "HTTP/1.1 408 Request Timeout",
        f"Content-Type: {CONTENT_TYPE}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    )
    return "\r\n".join((*head, "", "")).encode() + body


def _first_line(text: str) -> str:
    # the rest shows the bytes that are wrong
    return text.partition("\n")[0].rstrip(": ") + "."
