"""The load of `./run bench orders` reads what the service pushes."""

from __future__ import annotations

from aiohttp import ClientSession, web
from aiohttp.pytest_plugin import AiohttpClient

from bench.driver import Watch, watch_sse

STREAM = b"""retry: 500

event: welcome
id: a-0
data: {"type":"welcome","id":"a-0","head":"a-0","resumed":false}

id: a-1
data: {"orderId":1,"kind":"CREATED"}

event: heartbeat
id: a-1
data: {"type":"heartbeat","id":"a-1"}

id: a-2
data: {"orderId":1,"kind":"CLOSED"}

"""


async def test_notifications_are_taken_and_named_events_are_not(aiohttp_client: AiohttpClient) -> None:
    async def stream(_: web.Request) -> web.Response:
        return web.Response(body=STREAM, content_type="text/event-stream")

    app = web.Application()
    app.router.add_get("/stream", stream)
    client, watch = await aiohttp_client(app), Watch()
    async with ClientSession() as session:
        await watch_sse(session, str(client.make_url("")).rstrip("/"), {}, watch)
    assert list(watch.seen) == [(1, "CREATED"), (1, "CLOSED")]
    assert watch.terminal == 1
