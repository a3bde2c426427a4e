"""aiohttp's server with connection limits: alone it waits an hour for the start of a request, and for ever for its end.

Bodies are not inflated: aiohttp does that in the event loop, also to bodies that no handler reads. A connection whose
body is not complete when its request is answered is closed (`_Connection.close`) instead of read to the end.

It depends on these internals of aiohttp 3.14; tests/integration/common/http_server/limited_server fails when they
change:

- ``RequestHandler._waiter`` is pending while a connection waits for the head of a request, ``_request_count`` counts
  the complete heads, ``_current_request`` is the request being handled, ``_messages`` holds those that wait for their
  turn: head, or ``_ErrInfo`` for malformed bytes, and body.
- It calls ``close`` when a body is incomplete after the answer, with ``lingering_time=0`` at once, and then closes the
  transport unless ``_force_close`` is set.
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

from aiohttp import EMPTY_PAYLOAD, StreamReader, web
from aiohttp.web_protocol import _ErrInfo

from ..errors import MalformedError, UnavailableError
from ..observability import tracing
from .connection_limits import ConnectionLimiter, ConnectionLimits
from .problem_details import CONTENT_TYPE, Problem

__all__ = ["LimitedRunner"]

logger = logging.getLogger(__name__)

# after an answer to an incomplete request, time for the client to read it: closing with unread data resets the
# connection, which can overtake the answer (RFC 9112, 9.6)
LINGER_S = 1.0


class LimitedRunner(web.AppRunner):
    """Serves *app* with the limits of *limiter*, which the caller runs; *options* are those of `web.AppRunner`."""

    __slots__ = ("_limiter",)

    def __init__(self, app: web.Application, limiter: ConnectionLimiter, **options: Any) -> None:
        super().__init__(
            app, keepalive_timeout=limiter.limits.keepalive_s, auto_decompress=False, lingering_time=0, **options
        )
        self._limiter = limiter

    async def _make_server(self) -> web.Server:
        return _Server(self._limiter, await super()._make_server())


class _Server(web.Server):
    def __init__(self, limiter: ConnectionLimiter, plain: web.Server) -> None:
        super().__init__(
            plain.request_handler,
            request_factory=plain.request_factory,
            handler_cancellation=plain.handler_cancellation,
            **plain._kwargs,  # noqa: SLF001 - they are public nowhere
        )
        self._limiter = limiter

    def __call__(self) -> web.RequestHandler:
        return _Connection(self._limiter, self, loop=self._loop, **self._kwargs)


class _Connection(web.RequestHandler):
    """aiohttp's protocol of a connection, which records when it starts to wait for each part of a request."""

    __slots__ = ("_admitted", "_head_since", "_limiter", "_phase", "_phase_since", "_received", "_socket_transport")

    def __init__(self, limiter: ConnectionLimiter, manager: web.Server, **options: Any) -> None:
        super().__init__(manager, **options)
        self._limiter = limiter
        self._admitted = False
        self._head_since: float | None = None
        self._received = False
        self._phase: Hashable = None
        self._phase_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # aiohttp drops its own reference when it starts to close the connection, not when it is closed
        self._socket_transport = cast("asyncio.Transport", transport)
        self._admitted = self._limiter.admit(self, self._socket_transport.get_extra_info("socket").fileno())
        if self._admitted:
            self._head_since = self._loop.time()
            super().connection_made(transport)
        else:
            self._socket_transport.abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._admitted:
            self._limiter.remove(self)
            # raised in a handler that reads the body
            gone = exc if exc is None or isinstance(exc, ConnectionError) else ConnectionResetError(str(exc))
            super().connection_lost(gone)

    def data_received(self, data: bytes) -> None:
        heads = self._request_count
        super().data_received(data)
        if self._request_count != heads:
            self._head_since = None
            self._fail_malformed_body()
        elif data and self._awaits_head():
            self._received = True
            if self._head_since is None:
                self._head_since = self._loop.time()
        body = self._last_body()
        if body is None or body.is_eof():
            self._limiter.release(self)
        else:
            self._limiter.hold(self, len(data))

    def close(self) -> None:
        """Close when the current request is answered; if that has an incomplete body, half-close and discard it."""
        super().close()
        transport = self.transport
        if self._request_in_progress or self._waiter is not None or transport is None or transport.is_closing():
            return
        self._limiter.release(self)
        self._force_close = True  # what arrives from now on is dropped
        transport.write_eof()
        transport.resume_reading()
        self._loop.call_later(LINGER_S, self.force_close)

    def is_stream(self) -> bool:
        return self._socket_transport.get_protocol() is not self  # its handler has set another

    def overdue(self, now: float, limits: ConnectionLimits) -> str | None:
        if self._socket_transport.is_closing() or self.writing_paused:
            # the same as long as the client reads nothing
            phase = ("unread", self._request_count, self._socket_transport.get_write_buffer_size())
            return "unread" if self._phase_s(phase, now) > limits.unread_s else None
        if self._awaits_head():
            return "head" if self._head_since is not None and now - self._head_since > limits.head_s else None
        request = self._current_request
        if request is None or request.content.is_eof() or request.content.exception() is not None:
            return None
        return "body" if self._phase_s(("body", self._request_count), now) > limits.body_s else None

    def cut(self, reason: str) -> None:
        current = self._current_request
        if reason == "unread" or (reason == "bodies" and (current is None or self._messages)):
            self._socket_transport.abort()
        elif reason == "body" and current is not None:
            # raised in the handler that reads the body, which answers 408
            current.content.set_exception(TimeoutError("The body did not arrive in time."))
        elif reason == "bodies" and current is not None:
            self._socket_transport.pause_reading()
            current.content.set_exception(UnavailableError("Too many requests are incomplete."))  # 503
        else:
            if self._received:  # without a byte of a request, a client would take the answer for that to its next one
                self._socket_transport.write(_head_too_slow())
            self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer malformed requests, and errors outside the middlewares, with problem documents.

        Raises:
            ConnectionError: the client disconnected.
        """
        if isinstance(exc, ConnectionError) and self._socket_transport.is_closing():
            raise exc
        if status < 500:
            return self._refusal(request, MalformedError(_first_line(message or "")))
        with tracing(None) as context:
            super().handle_error(request, status, exc, message)  # logs it; raises when the answer has started
            problem = Problem("about:blank", HTTPStatus(status).phrase, status, trace_id=context.trace_id)
        response = problem.to_response()
        response.force_close()
        return response

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send *resp*; as a problem document if it is an error raised outside the middlewares (417)."""
        if isinstance(resp, web.HTTPException) and resp.status >= 400:
            resp = self._refusal(request, resp)
        return await super().finish_response(request, resp, start_time)

    def _refusal(self, request: web.BaseRequest, error: Exception) -> web.Response:
        with tracing(None):
            problem = Problem.of(error, "")
            self._limiter.count_malformed()
            logger.info("request malformed", extra={"detail": problem.detail, "client": request.remote})
        response = problem.to_response()
        response.force_close()
        return response

    def _last_body(self) -> StreamReader | None:
        """Return the body of the last request whose head is complete; None when it was answered."""
        if self._messages:
            return self._messages[-1][1]
        return None if self._current_request is None else self._current_request.content

    def _fail_malformed_body(self) -> None:
        """Fail the body in which malformed bytes came: their answer is queued behind the handler that waits for it."""
        head, _ = self._messages[-1]
        if isinstance(head, _ErrInfo):
            head.exc.__traceback__ = None  # it refers to the frame that has it: only the garbage collector frees both
            self._messages.pop()
            body = self._last_body()
            if body is None or body.is_eof():
                self._messages.append((head, EMPTY_PAYLOAD))
            else:
                body.set_exception(web.RequestPayloadError(head.message))

    def _awaits_head(self) -> bool:
        return self._waiter is not None and not self._waiter.done()

    def _phase_s(self, phase: Hashable, now: float) -> float:
        if phase != self._phase:
            self._phase, self._phase_since = phase, now
        return now - self._phase_since


@cache
def _head_too_slow() -> bytes:
    # cached, without a trace id: such connections come in large numbers
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
    # the other lines show the bytes, and so does the end of a line that says what was too long
    return text.partition("\n")[0].partition(" when reading")[0].rstrip(":. ") + "."
