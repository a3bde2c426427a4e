"""One attempt of a call on aiohttp: sends it to the first replica that takes it and says what came of it as a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote

import aiohttp
import orjson
from yarl import URL

from .call import Call, Reply
from .retry_policy import Failure, Outcome, retry_after_s
from .time_limits import TimeLimits

__all__ = ["Request", "Transport", "expand"]

_REFUSALS = frozenset(range(400, 500)) - {408, 429}


@dataclass(frozen=True, slots=True)
class Request:
    """A call with everything filled in; *path* is percent-encoded, *body* is JSON."""

    call: Call
    path: str
    query: Sequence[tuple[str, str]] | Mapping[str, str]
    body: bytes | None


def expand(template: str, values: Mapping[str, str | int]) -> str:
    """Fill a path template; what is not unreserved in a value (RFC 3986, 2.3) is percent-encoded.

    Raises:
        KeyError: the template names a value that is not there.
    """
    return template.format_map({name: _encoded(str(value)) for name, value in values.items()})


class Transport:
    """The replicas of a service behind one pool of connections; an async context manager.

    One replica is preferred until it can't be reached or :meth:`leave` is called; then the next one is.

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
        self._limits = TimeLimits()

    async def __aenter__(self) -> Transport:
        self._session = aiohttp.ClientSession(headers=self._headers, cookie_jar=aiohttp.DummyCookieJar())
        # aiohttp repeats a request by itself when a kept-alive connection turns out dead (aiohttp#10790):
        # unseen by budget and circuit, and whatever the call says about being idempotent
        self._session._retry_connection = False  # noqa: SLF001 - there is no public switch
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    @property
    def preferred(self) -> int:
        """The replica that the next attempt tries first."""
        return self._preferred

    def leave(self, replica: int) -> None:
        """Prefer the next replica, unless another call has already left this one."""
        if replica == self._preferred:
            self._preferred = (replica + 1) % len(self._bases)

    async def attempt(self, request: Request, headers: Mapping[str, str], limit_s: float) -> Reply | Failure:
        """Send *request* once and return what came of it within *limit_s* seconds."""
        try:
            return await self._limits.run(self._to_any(request, headers), limit_s)
        except TimeoutError:
            return Failure(Outcome.LOST, f"no answer within {limit_s:.3g} s")
        except aiohttp.ClientResponseError as error:
            return Failure(Outcome.GARBLED, f"answered no HTTP: {error.message}")
        except (aiohttp.ClientError, OSError) as error:
            return Failure(Outcome.LOST, f"connection lost: {type(error).__name__}")

    async def _to_any(self, request: Request, headers: Mapping[str, str]) -> Reply | Failure:
        first = self._preferred
        for turn in range(len(self._bases)):
            replica = (first + turn) % len(self._bases)
            try:
                return await self._to(self._bases[replica], request, headers)
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
                self.leave(replica)
        return Failure(Outcome.UNREACHED, "no connection")

    async def _to(self, base: URL, request: Request, headers: Mapping[str, str]) -> Reply | Failure:
        url = _url(base, request.path)
        response = await self._session.request(
            request.call.method,
            url.with_query(request.query) if request.query else url,
            data=request.body,
            headers=headers,
            allow_redirects=False,
            timeout=_timeout(min(self._connect_timeout_s, request.call.attempt_timeout_s / 2)),
        )
        body = await response.read()  # to its end gives the connection back, any failure closes it
        return _result(response.status, response.headers.get("Retry-After"), body)


def _result(status: int, retry_after: str | None, body: bytes) -> Reply | Failure:
    if 200 <= status < 300:
        try:
            return Reply(status, orjson.loads(body) if body else None)
        except orjson.JSONDecodeError:
            return Failure(Outcome.GARBLED, f"answered {status} with a body that is no JSON", status)
    return Failure(
        Outcome.REFUSED if status in _REFUSALS else Outcome.FAILED,
        f"answered {status}",
        status,
        retry_after_s(retry_after, datetime.now(UTC)),
        body,
    )


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
    # the whole attempt is bounded around it; this only tells "never sent" from "no answer"
    return aiohttp.ClientTimeout(total=None, connect=connect_s)
