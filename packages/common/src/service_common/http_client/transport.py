"""One attempt of a call over aiohttp: sent to the first replica that accepts a connection, its result a value."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote

import aiohttp
import orjson
from yarl import URL

from ..errors import BusyError
from ..http_server import CONTENT_TYPE, Problem
from .call import Call, Reply
from .retry_policy import AttemptOutcome, Failure, retry_after_s

__all__ = ["PreparedRequest", "Transport", "expand"]

# far more than any answer of a service; without a limit, a foreign one fills the memory until its time is over
MAX_ANSWER_BYTES = 8 << 20
_TRANSIENT = frozenset({408, 429})


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """A call ready to send; *path* is percent-encoded, *body* is JSON."""

    call: Call
    path: str
    query: Sequence[tuple[str, str]] | Mapping[str, str]
    body: bytes | None


def expand(template: str, values: Mapping[str, str | int]) -> str:
    """Fill a path template; characters of values that are not unreserved (RFC 3986, 2.3) are percent-encoded.

    Raises:
        KeyError: the template names a value that is missing.
    """
    return template.format_map({name: _encoded(str(value)) for name, value in values.items()})


class Transport:
    """The replicas of a service behind one pool of connections; an async context manager.

    One replica is preferred until it can't be reached or :meth:`fail_over` is called; then the next one is.

    Raises:
        ValueError: there is no base URL, or one is not an absolute http or https URL.
    """

    def __init__(self, base_urls: Sequence[str], *, headers: Mapping[str, str], connect_timeout_s: float) -> None:
        self._bases = tuple(_base(url) for url in base_urls)
        if not self._bases:
            raise ValueError("no base URL")
        self._preferred = 0
        self._headers = headers
        self._connect_timeout_s = connect_timeout_s

    async def __aenter__(self) -> Transport:
        # inflating would take the event loop's time, and memory without limit
        self._session = aiohttp.ClientSession(
            headers={**self._headers, "Accept-Encoding": "identity"},
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        # aiohttp itself repeats a request when a kept-alive connection turns out dead (aiohttp#10790): past retry
        # budget and circuit, and even when the call is not idempotent
        self._session._retry_connection = False  # noqa: SLF001 - there is no public switch
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    @property
    def preferred(self) -> int:
        """The replica that the next attempt tries first."""
        return self._preferred

    def url(self, replica: int, request: PreparedRequest) -> URL:
        """Return the URL of *request* at a replica, without the query."""
        return _url(self._bases[replica], request.path)

    def fail_over(self, replica: int) -> None:
        """Prefer the replica after *replica*, unless another call has done so already."""
        if replica == self._preferred:
            self._preferred = (replica + 1) % len(self._bases)

    async def attempt(self, request: PreparedRequest, headers: Mapping[str, str], limit_s: float) -> Reply | Failure:
        """Send *request* once and return its result within *limit_s* seconds."""
        try:
            async with asyncio.timeout(limit_s):
                return await self._send(request, headers)
        except TimeoutError:
            return Failure(AttemptOutcome.LOST, f"no answer within {limit_s:.3g} s")
        except aiohttp.ClientResponseError as error:
            return Failure(AttemptOutcome.GARBLED, f"answer is not HTTP: {error.message}")
        except (aiohttp.ClientError, OSError) as error:
            return Failure(AttemptOutcome.LOST, f"connection lost: {type(error).__name__}")

    async def _send(self, request: PreparedRequest, headers: Mapping[str, str]) -> Reply | Failure:
        first = self._preferred
        for turn in range(len(self._bases)):
            replica = (first + turn) % len(self._bases)
            try:
                return await self._send_to(self._bases[replica], request, headers)
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
                self.fail_over(replica)
        return Failure(AttemptOutcome.UNREACHED, "no connection")

    async def _send_to(self, base: URL, request: PreparedRequest, headers: Mapping[str, str]) -> Reply | Failure:
        url = _url(base, request.path)
        response = await self._session.request(
            request.call.method,
            url.with_query(request.query) if request.query else url,
            data=request.body,
            headers=headers,
            allow_redirects=False,
            timeout=_timeout(min(self._connect_timeout_s, request.call.attempt_timeout_s / 2)),
        )
        body = await _read(response)
        if body is None:
            reason = f"answered {response.status} with more than {MAX_ANSWER_BYTES} bytes"
            return Failure(AttemptOutcome.GARBLED, reason, response.status)
        if 200 <= response.status < 300:
            return _reply(request.call, response.status, body)
        return _failure(request.call, response, body)


async def _read(response: aiohttp.ClientResponse) -> bytes | None:
    """Return the body of *response*, None when it is too large.

    Read to its end, it gives the connection back to the pool; any failure closes it.
    """
    length = response.content_length
    if length is not None and length <= MAX_ANSWER_BYTES:
        return await response.read()
    try:
        if length is None:
            await response.content.readexactly(MAX_ANSWER_BYTES + 1)
    except asyncio.IncompleteReadError as end:
        return end.partial
    finally:
        response.close()
    return None


def _reply(call: Call, status: int, body: bytes) -> Reply | Failure:
    try:
        data = orjson.loads(body) if body else None
    except orjson.JSONDecodeError:
        return Failure(AttemptOutcome.GARBLED, f"answered {status} with a body that is not JSON", status)
    if not call.shape(data):
        return Failure(AttemptOutcome.GARBLED, f"answered {status} with another body than asked for", status)
    return Reply(status, data)


def _failure(call: Call, response: aiohttp.ClientResponse, body: bytes) -> Failure:
    status, reason = response.status, f"answered {response.status}"
    wait_s = retry_after_s(response.headers.get("Retry-After"), datetime.now(UTC))
    slug = Problem.parse(status, body).slug if response.content_type == CONTENT_TYPE else ""
    if status >= 500 or status in _TRANSIENT:
        outcome = AttemptOutcome.BUSY if slug == BusyError.slug else AttemptOutcome.FAILED
        return Failure(outcome, f"{reason}: {slug}" if slug else reason, status, wait_s)
    if status >= 400 and slug in call.refusals:
        return Failure(AttemptOutcome.REFUSED, reason, status, body=body)
    if status >= 400 and slug:
        return Failure(AttemptOutcome.FAILED, f"{reason}: {slug}", status, wait_s)
    return Failure(AttemptOutcome.GARBLED, f"{reason}, by no problem document of the service", status, wait_s)


def _base(url: str) -> URL:
    base = URL(url.rstrip("/"))
    if base.scheme not in {"http", "https"} or not base.host:
        raise ValueError(f"not an absolute http or https URL: {url!r}")
    return base


@lru_cache(1024)
def _encoded(value: str) -> str:
    return quote(value, safe="")


@lru_cache(1024)
def _url(base: URL, path: str) -> URL:
    return base.with_path(base.raw_path.rstrip("/") + path, encoded=True)


@lru_cache
def _timeout(connect_s: float) -> aiohttp.ClientTimeout:
    # the time limit of the attempt is set around it; this one tells "never sent" from "no answer"
    return aiohttp.ClientTimeout(total=None, connect=connect_s)
