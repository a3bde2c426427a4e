"""The proxies between processes: transparent by default, and for one caller at a time what a fault makes of them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.chaos.meddlers import foreign_answers, resets
from tests.chaos.network import AWS, Forward, Network, Request, Response, Wire
from tests.support.waiting import eventually

Observed = list[tuple[str, str, int]]


class Setting:
    """An inventory service of two replicas, the second of which is away, and a network in front of it."""

    def __init__(self) -> None:
        self.urls: list[str] = []
        self.observed: Observed = []
        self.network = Network(2, lambda _, replica: self.urls[replica], self._observe)

    def _observe(self, wire: Wire, request: Request, response: Response) -> None:
        self.observed.append((wire.caller, request.path, response.status))


@pytest.fixture
async def setting() -> AsyncIterator[Setting]:
    async def echo(request: web.Request) -> web.Response:
        body = await request.text()
        return web.json_response({"path": request.raw_path, "body": body, "token": request.headers["Authorization"]})

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", echo)
    setting = Setting()
    async with TestServer(app) as server, setting.network:
        setting.urls = [str(server.make_url("")).rstrip("/"), "http://127.0.0.1:1"]
        yield setting


async def post(url: str) -> tuple[int, object]:
    headers = {"Authorization": "Bearer x"}
    async with aiohttp.ClientSession() as session, session.post(url, data=b"{}", headers=headers) as response:
        return response.status, await response.json() if response.content_type == "application/json" else None


async def test_each_process_has_its_own_way_to_each_server(setting: Setting) -> None:
    first, second = (setting.network.environment("order", replica) for replica in (0, 1))
    assert first.keys() == {"INVENTORY_URL", "AWS_ENDPOINT_URL"}
    urls = [*first["INVENTORY_URL"].split(","), *second["INVENTORY_URL"].split(",")]
    assert len({*urls, first["AWS_ENDPOINT_URL"], second["AWS_ENDPOINT_URL"]}) == 6
    preferred = {wire.url: wire.replica for wire in setting.network.between("order", "inventory")}
    assert [preferred[url] for url in urls] == [0, 1, 1, 0]
    assert len(setting.network.between("", AWS)) == 8


async def test_requests_pass_unchanged_and_are_observed(setting: Setting) -> None:
    wire = setting.network.between("order-service", "inventory")[0]
    answer = await post(f"{wire.url}/inventory/a%2Fb?limit=1")
    assert answer == (200, {"path": "/inventory/a%2Fb?limit=1", "body": "{}", "token": "Bearer x"})
    assert setting.observed == [("order-service", "/inventory/a%2Fb?limit=1", 200)]


async def test_a_server_that_is_away_is_answered_for_as_by_a_load_balancer(setting: Setting) -> None:
    wire = setting.network.between("order-service", "inventory")[1]
    assert await post(f"{wire.url}/") == (502, None)


async def test_a_fault_strikes_its_wire_alone_and_ends(setting: Setting) -> None:
    wire, other = setting.network.between("processing-service", "inventory")[::2]
    chance = random.Random(3)  # the first draw of which resets
    with wire.meddling(resets(chance)), pytest.raises(aiohttp.ClientConnectionError):
        await post(f"{wire.url}/")
    with wire.meddling(foreign_answers(chance)):
        assert (await post(f"{wire.url}/"))[1] is None
        assert (await post(f"{other.url}/"))[0] == 200
    assert (await post(f"{wire.url}/"))[0] == 200


@pytest.mark.parametrize(("operation", "seen"), [("DeleteMessageBatch", True), ("ReceiveMessage", False)])
async def test_what_is_done_for_a_caller_that_dies_is_observed_and_its_receive_ends(
    setting: Setting, operation: str, *, seen: bool
) -> None:
    arrived, go_on, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def hold(request: Request, forward: Forward) -> Response:
        arrived.set()
        try:
            await go_on.wait()
            return await forward(request)
        finally:
            ended.set()

    wire = setting.network.between("processing-service", "inventory")[0]
    headers = {"X-Amz-Target": f"AmazonSQS.{operation}", "Authorization": "Bearer x"}
    async with aiohttp.ClientSession(headers=headers) as session:
        with wire.meddling(hold):
            calling = asyncio.create_task(session.post(f"{wire.url}/"))
            await arrived.wait()
            calling.cancel()
            if not seen:
                await ended.wait()
            go_on.set()
            await ended.wait()

    async def observed() -> bool | None:
        return bool(setting.observed) is seen or None

    await eventually(observed, "what is observed")
