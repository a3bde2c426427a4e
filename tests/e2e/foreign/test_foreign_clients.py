"""The clients of others miss nothing and see nothing twice, whatever befalls the notification service meanwhile."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from yarl import URL

from tests.e2e.foreign.browser import BROWSERS, Site
from tests.e2e.foreign.clients import KINDS, LIBRARY, absent, following, node_path, path_of
from tests.e2e.foreign.heard import Heard
from tests.e2e.foreign.tap import Tap
from tests.e2e.foreign.terminal import terminal
from tests.support.system import System
from tests.support.waiting import eventually
from tests.support.watch import as_pushed

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONNECTIONS = re.compile(r'^orderstream_push_connections\{.*state="(?:live|catching-up)"\} (\d+)', re.MULTILINE)
ORDERS_A_PHASE = 5
PHASES = 5
VISIBLE_AGAIN_AFTER_S = 10


@dataclass(frozen=True, slots=True)
class Story:
    """What was in the feed while the clients followed, and what they heard.

    Attributes:
        begun: the head of the feed when they came.
        quiet_since: the head of the feed when the wires of the quiet ones were cut.
        wanted: the orders that some follow.
        last_order: the order that the quiet ones wait for.
        feed: everything from *begun* on.
        all: told of everything; by kind of client.
        some: came with an id of another feed, and are told of the orders they want.
        quiet: want one order only, the last.
    """

    begun: str
    quiet_since: str
    wanted: frozenset[int]
    last_order: int
    feed: list[dict[str, Any]]
    all: dict[str, Heard]
    some: dict[str, Heard]
    quiet: dict[str, Heard]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(
    system: System, tap: Tap, sites: Mapping[str, Site], without_packages: str | None
) -> AsyncIterator[Story]:
    """Orders in a row, and a notification service that ends in order, and is killed, in the midst of them."""
    kinds = [kind for kind in KINDS if absent(kind, without_packages) is None]
    service, process = system.stack.url("notification"), system.stack.processes["notification-service"]
    product = await system.product("foreign", stock=1000)
    await shorten_visibility(system)
    first = await place(system, product)
    begun = (await told_of(system, "", [first]))[-1]["id"]
    last_order = first + PHASES * ORDERS_A_PHASE + 1
    wanted = frozenset(range(first + 1, last_order, 2))
    async with AsyncExitStack() as followers:

        async def follow(name: str, query: dict[str, Any], last: str = "", *, tapped: bool = False) -> dict[str, Heard]:
            heard = {}
            for kind in kinds:
                host = URL(tap.url) / kind if tapped else URL(service)
                url = host.joinpath(path_of(kind)[1:]).with_query(query)
                client = following(kind, f"{name} {kind}", url, last, sites)
                heard[kind] = await followers.enter_async_context(client)
            return heard

        every = await follow("all", {})
        some = await follow("some", {"orderId": sorted(wanted)}, last="another-1")
        quiet = await follow("quiet", {"orderId": last_order}, tapped=True)
        await connected(system, 3 * len(kinds))

        placed = await place_some(system, product)
        await told_of(system, begun, placed)
        # by now they have read the welcome
        tap.cut()
        for kind in kinds:
            await tap.asked(kind, times=2)
        placed += await place_some(system, product)
        stopping = asyncio.create_task(process.stop(within_s=8))
        placed += await place_some(system, product)
        await stopping
        await process.start()
        await connected(system, 3 * len(kinds))
        placed += await place_some(system, product)
        process.kill()
        await system.ready("notification")
        await connected(system, 3 * len(kinds))
        placed += await place_some(system, product)

        quiet_since = (await told_of(system, begun, placed))[-1]["id"]
        asked = {kind: len(tap.last_ids[kind]) for kind in kinds}
        for kind in kinds:
            # what went over the wire before the last heartbeat has been read
            await tap.answered(kind, quiet_since, times=2)
        tap.cut()
        placed.append(await place(system, product))
        feed = await told_of(system, begun, placed)
        for kind in kinds:
            await tap.asked(kind, times=asked[kind] + 1)
        yield Story(begun, quiet_since, wanted, last_order, feed, every, some, quiet)


async def place(system: System, product: str) -> int:
    answer = await system.place({product: 1})
    assert answer.status == 201, answer
    return int(answer.json["id"])


async def place_some(system: System, product: str) -> list[int]:
    return [await place(system, product) for _ in range(ORDERS_A_PHASE)]


async def told_of(system: System, after: str, orders: list[int]) -> list[dict[str, Any]]:
    """Wait until the end of each order is in the history, and return what is there after an id."""

    async def look() -> list[dict[str, Any]] | None:
        query = f"?limit=200&after={after}" if after else "?limit=200"
        page = (await system.call("notification", "GET", f"/notifications{query}")).json
        found: list[dict[str, Any]] = [as_pushed(each) for each in page["notifications"]]
        ended = {each["orderId"] for each in found if each["kind"] == "CLOSED"}
        return found if ended.issuperset(orders) else None

    return await eventually(look, f"the end of {orders} in the history", 60)


async def connected(system: System, clients: int) -> None:
    """Wait until so many clients are connected."""
    counted = 0

    async def look() -> bool | None:
        nonlocal counted
        async with system.session.get(f"{system.stack.url('notification')}/metrics") as response:
            counted = sum(map(int, CONNECTIONS.findall(await response.text())))
        return counted == clients or None

    await system.ready("notification")
    await eventually(look, lambda: f"{clients} clients connected, but {counted}")


async def shorten_visibility(system: System) -> None:
    """Have what a dead consumer held come back sooner."""
    client = system.sqs()
    try:
        url = client.get_queue_url(QueueName="notification-queue")["QueueUrl"]
        client.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(VISIBLE_AGAIN_AFTER_S)})
    finally:
        client.close()


def require(kind: str, without_packages: str | None) -> None:
    if reason := absent(kind, without_packages):
        pytest.skip(reason)


every_kind = pytest.mark.parametrize("kind", KINDS)


@every_kind
async def test_client_is_told_of_everything_once_and_in_order(
    story: Story, kind: str, without_packages: str | None
) -> None:
    require(kind, without_packages)
    assert await story.all[kind].until(len(story.feed)) == story.feed
    for order in {each["orderId"] for each in story.feed}:
        assert [each["kind"] for each in story.feed if each["orderId"] == order] == ["CREATED", "CLOSED"]


@every_kind
async def test_client_with_an_id_of_another_feed_is_reset_and_then_told_of_its_orders(
    story: Story, kind: str, without_packages: str | None
) -> None:
    require(kind, without_packages)
    mine = [each for each in story.feed if each["orderId"] in story.wanted]
    reset = {"type": "reset"} if kind in LIBRARY else {"type": "reset", "id": story.begun}
    expected = [reset, *mine]
    assert await story.some[kind].until(len(expected)) == expected


@every_kind
async def test_quiet_client_comes_back_with_the_place_of_the_last_heartbeat(
    story: Story, tap: Tap, kind: str, without_packages: str | None
) -> None:
    require(kind, without_packages)
    assert tap.last_ids[kind][-1] == story.quiet_since
    mine = [each for each in story.feed if each["orderId"] == story.last_order]
    assert [each["kind"] for each in mine] == ["CREATED", "CLOSED"]
    assert await story.quiet[kind].until(len(mine)) == mine


@every_kind
async def test_client_that_was_told_nothing_but_the_welcome_comes_back_with_its_place(
    story: Story, tap: Tap, kind: str, without_packages: str | None
) -> None:
    require(kind, without_packages)
    assert tap.last_ids[kind][:2] == ["", story.begun]


@pytest.mark.skipif("chromium" not in BROWSERS, reason="Chromium is not installed")
@pytest.mark.parametrize(("doing", "path"), [("tryStream", "/stream"), ("trySocket", "/ws")])
async def test_page_of_a_foreign_origin_is_refused(
    system: System, sites: Mapping[str, Site], foreign_site: Site, doing: str, path: str
) -> None:
    url = system.stack.url("notification") + path
    at_home = await sites["chromium"].do(doing, doing, url)
    abroad = await foreign_site.do(doing, doing, url)
    assert await at_home.until(1) == ["open"]
    assert await abroad.until(1) == ["refused"]


async def test_wscat_in_a_terminal_follows_the_order_that_is_typed(
    system: System, without_packages: str | None
) -> None:
    require("wscat", without_packages)
    product = await system.product("typed", stock=10)
    wanted = await place(system, product) + 2
    url = system.stack.url("notification").replace("http", "ws") + "/ws"
    async with terminal("wscat", "-c", url, environment=node_path()) as seat:
        await seat.shows("Connected", '"type":"welcome"')
        seat.type(f'{{"type":"subscribe","orderId":[{wanted}]}}')
        seat.type("{}")
        await seat.shows('"type":"error"')  # so the line before it holds by now
        unwanted = await place(system, product)
        assert await place(system, product) == wanted
        await seat.shows(f"CREATED for order {wanted}", f"CLOSED for order {wanted}")
    assert f"for order {unwanted}" not in seat.screen.partition('"type":"error"')[2]


async def test_wscat_with_a_foreign_origin_is_refused(
    system: System, sites: Mapping[str, Site], without_packages: str | None
) -> None:
    require("wscat", without_packages)
    url = system.stack.url("notification").replace("http", "ws") + "/ws"
    assert "Unexpected server response: 403" in await once("wscat", "-o", "http://foreign.example", "-c", url)
    assert '"type":"welcome"' in await once("wscat", "-o", sites["chromium"].origin, "-c", url, "-x", "{}", "-w", "0")


async def once(*command: str) -> str:
    """Run a program until it ends, and return all that it wrote."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=node_path(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    async with asyncio.timeout(20):
        output = await process.stdout.read()
        await process.wait()
    return output.decode()
