"""One service asked over HTTP, wherever it runs: in the test's process or in one of its own."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from tests.support.in_memory.services import ORIGIN, SECRET

__all__ = ["Answer", "HttpService", "serving"]


INTERNAL = re.compile(r"/order/|/inventory/(decrement|release|forget)")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back over HTTP; *json* is None when the body is no JSON."""

    status: int
    headers: Mapping[str, str]
    json: Any
    body: bytes


@dataclass(frozen=True, slots=True)
class HttpService:
    """A service that listens.

    Attributes:
        url: without a slash at the end.
        session: of the client.
        token: of the internal endpoints.
        origin: of pages that may read the answers.
        stored: what is stored, as a value that is another one after any change.
    """

    url: str
    session: aiohttp.ClientSession
    token: str
    origin: str
    stored: Callable[[], object]

    async def call(self, method: str, path: str, *, json: object = None, **options: Any) -> Answer:
        """Make a request of *path*, which is sent as it is, and read the answer, JSON or none."""
        if json is not None:
            options["json"] = json
        async with self.session.request(method, URL(self.url + path, encoded=True), **options) as response:
            body = await response.read()
            document = orjson.loads(body) if "json" in response.content_type else None
            return Answer(response.status, response.headers, document, body)

    async def internal(self, path: str, body: object) -> Answer:
        """Ask an internal endpoint as another service does."""
        return await self.call("POST", path, json=body, headers=self.credentials(path))

    def credentials(self, path: str) -> dict[str, str]:
        """Return the header that *path* needs: the token of the services if it is internal."""
        return {"Authorization": f"Bearer {self.token}"} if INTERNAL.match(path) else {}


@asynccontextmanager
async def serving(app: web.Application, stored: Callable[[], object]) -> AsyncIterator[HttpService]:
    """Serve *app*, one of :data:`tests.support.in_memory.services.SERVICES`, in this process for the block."""
    async with TestServer(app) as server, aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        yield HttpService(str(server.make_url("")).rstrip("/"), session, SECRET, ORIGIN, stored)
