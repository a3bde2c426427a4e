"""The pages without the services: their requests have recorded answers, and their clock stands at the time of these.

``python -m tests.e2e.web.recorded`` records them anew, from a system that it starts.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page

from orderstream_local.layout import SERVICES
from orderstream_local.web import create_web
from orderstream_local.web_build import PageBuilder
from tests.e2e.web.days import busy_day
from tests.e2e.web.tabs import visiting
from tests.support.api_documents import document
from tests.support.system import running

__all__ = ["ORDER", "Recorded", "recorded"]

ANSWERS = Path(__file__).parent / "kept" / "answers.json"
BASE = "/api"
ORDER = 1
HISTORY = "/notifications?order=desc&limit=100"
ASKED = {
    "order": ("/orders?limit=50", f"/orders/{ORDER}", f"/order/events?orderId={ORDER}"),
    "inventory": ("/inventory?limit=200", "/products?limit=200", f"/stock-operations?prefix={ORDER}%3A&limit=200"),
    "processing": (f"/sagas?orderId={ORDER}&limit=200", f"/sagas/{ORDER}/events", "/sagas?late=true&limit=20"),
    "notification": (f"/notifications?orderId={ORDER}&limit=200", HISTORY),
}
HEARTBEAT_S = 1.0
# what is shown of them needs a second scrape
RATES = ("#", "_bucket{", "_created")


@dataclass(frozen=True, slots=True)
class Recorded:
    """Pages that are the same each time.

    Attributes:
        url: of the page.
        at: when the answers were recorded, in seconds since 1970.
        unknown: what was asked and is not recorded.
        delay: the member of each frame of the feed that says that it can't be read, if it says so.
    """

    url: str
    at: float
    unknown: set[str] = field(default_factory=set)
    delay: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def delayed(self, since_ms: int) -> Iterator[None]:
        """Have the feed say for the block that it was not read for so long."""
        self.delay["delayedMs"] = since_ms
        yield
        self.delay.clear()

    @asynccontextmanager
    async def visited(self, browser: Browser, **options: Any) -> AsyncIterator[Page]:
        """Open a tab for the block; what goes wrong in it, or is not recorded, fails the block."""
        async with visiting(browser, self.url, timezone_id="UTC", **options) as tabs:
            page = await tabs.new()
            await page.clock.set_fixed_time(self.at)
            yield page
        assert not self.unknown, f"record them: {self.unknown}"


@asynccontextmanager
async def recorded() -> AsyncIterator[Recorded]:
    """Serve the page, and the recorded answers to it, for the block."""
    kept: dict[str, Any] = json.loads(ANSWERS.read_text(encoding="utf-8"))
    answers: dict[str, Any] = kept["answers"] | {f"/openapi/{name}": document(name) for name in ASKED}
    head = answers[HISTORY]["notifications"][0]["id"]
    epoch, number = head.split("-")
    answers[f"{HISTORY}&before={epoch}-{int(number) + 1}"] = answers.pop(HISTORY)  # the page reads up to its feed
    unknown: set[str] = set()
    delay: dict[str, int] = {}

    async def answer(request: web.Request) -> web.Response:
        wanted = request.path_qs.removeprefix(BASE)
        if wanted not in answers:
            unknown.add(wanted)
            raise web.HTTPNotFound
        found = answers[wanted]
        return web.Response(text=found) if isinstance(found, str) else web.json_response(found)

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        with suppress(ConnectionError):
            for frame in _frames(head, delay):
                await response.write(frame)
                await asyncio.sleep(HEARTBEAT_S)
        return response

    app = create_web(await PageBuilder(lambda _: None).page(), dict.fromkeys(SERVICES, BASE))
    app.router.add_get(f"{BASE}/stream", stream)
    app.router.add_get(f"{BASE}/{{path:.*}}", answer)
    async with TestServer(app) as server:
        yield Recorded(str(server.make_url("/")), kept["at"], unknown, delay)


def _frames(head: str, delay: dict[str, int]) -> Iterator[bytes]:
    """Yield what a feed says in which nothing happens."""
    said: dict[str, Any] = {"type": "welcome", "id": head, "head": head, "resumed": False, "heartbeatMs": 5000}
    while True:
        yield f"event: {said['type']}\nid: {head}\ndata: {json.dumps(said | delay)}\n\n".encode()
        said = {"type": "heartbeat", "id": head}


async def record() -> None:
    """Keep what a system on which this and that happened answers to the pages."""
    answers: dict[str, Any] = {}
    async with running(web=False) as system:
        assert await busy_day(system) == ORDER
        for service, paths in ASKED.items():
            service_at = system.service(service)
            for path in paths:
                answers[path] = (await service_at.call("GET", path)).json
            answers[f"/health/{service}"] = (await service_at.call("GET", "/health/ready")).json
            async with system.session.get(f"{service_at.url}/metrics") as response:
                lines = (await response.text()).splitlines(keepends=True)
            answers[f"/metrics/{service}"] = "".join(each for each in lines if not any(part in each for part in RATES))
    kept = ",\n".join(f"{json.dumps(path)}: {json.dumps(answer)}" for path, answer in answers.items())
    ANSWERS.write_text(f'{{"at": {time.time()}, "answers": {{\n{kept}\n}}}}\n', encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(record())
