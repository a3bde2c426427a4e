"""The services over HTTP, asked as an operator asks them.

Not by `service_common.http_client`: its import takes as long as the answers of all services together, and its circuit
breaker and retry budget protect services from services, not from a person.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from service_common.errors import PermanentError, UnavailableError

from .config import CommandConfig

__all__ = [
    "EVENTS",
    "EVENTS_OF_SAGAS",
    "NOTIFICATIONS",
    "ORDER",
    "ORDERS",
    "RETRY_SAGA",
    "SAGAS",
    "SAGAS_OF_ORDER",
    "STOCK_OPERATIONS",
    "AnswerRefusedError",
    "Request",
    "Services",
]

LIMIT_S = 4.0  # of one attempt, at one replica


class AnswerRefusedError(PermanentError):
    """A service refuses the request; *problem* is the last part of the ``type`` of its problem document."""

    slug = "answer-refused"

    def __init__(self, detail: str, problem: str) -> None:
        super().__init__(detail)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Request:
    """An operation of a service, which may be repeated; *path* is a template."""

    service: str
    method: str
    path: str


ORDERS = Request("order", "GET", "/orders")
ORDER = Request("order", "GET", "/orders/{order_id}")
EVENTS = Request("order", "GET", "/order/events")
SAGAS = Request("processing", "GET", "/sagas")
SAGAS_OF_ORDER = Request("processing", "GET", "/sagas/{order_id}")
EVENTS_OF_SAGAS = Request("processing", "GET", "/sagas/{order_id}/events")
RETRY_SAGA = Request("processing", "POST", "/sagas/{order_id}/retry")
STOCK_OPERATIONS = Request("inventory", "GET", "/stock-operations")
NOTIFICATIONS = Request("notification", "GET", "/notifications")


class Services:
    """All services; a replica that does not answer is passed over.

    Args:
        config: where they are.
        http: sends the requests, with the token.
    """

    def __init__(self, config: CommandConfig, http: aiohttp.ClientSession) -> None:
        self._urls = config.urls
        self._http = http

    @classmethod
    @asynccontextmanager
    async def open(cls, config: CommandConfig) -> AsyncIterator[Services]:
        """Open the connections."""
        headers = {"Authorization": f"Bearer {config.token}"} if config.token else {}
        timeout = aiohttp.ClientTimeout(total=LIMIT_S)
        async with aiohttp.ClientSession(headers=headers, timeout=timeout, trust_env=True) as http:
            yield cls(config, http)

    async def ask(
        self, request: Request, query: Sequence[tuple[str, str]] = (), *, order_id: int | None = None
    ) -> dict[str, Any]:
        """Return the JSON object that the service answers.

        Raises:
            AnswerRefusedError: the service refuses the request.
            UnavailableError: no replica can be reached, or each fails.
        """
        why = ""
        for url in self._urls[request.service]:
            try:
                async with self._http.request(
                    request.method, url + request.path.format(order_id=order_id), params=query, allow_redirects=False
                ) as answer:
                    status, document = answer.status, _object(await answer.read())
            except (aiohttp.ClientError, TimeoutError) as error:
                why = f"{url}: {str(error) or f'no answer within {LIMIT_S:g} s'}"
                continue
            if status == 200 and document is not None:
                return document
            detail = (document or {}).get("detail") or "no answer of the service"
            if document is not None and 400 <= status < 500:
                slug = str(document.get("type")).rpartition(":")[2]
                raise AnswerRefusedError(f"{request.service}-service answered {status}: {detail}", slug)
            why = f"{url} answered {status}: {detail}"
        raise UnavailableError(f"{request.service}-service is away: {why}")


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return document if isinstance(document, dict) else None
