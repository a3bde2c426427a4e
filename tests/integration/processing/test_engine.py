"""The engine on real PostgreSQL, with the real inventory and a stub of the order service over HTTP."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.pytest_plugin import AiohttpServer

from inventory_service.app import create_app
from inventory_service.app_keys import INVENTORY
from inventory_service.config import Config
from inventory_service.service import InventoryService
from order_contracts import Item
from processing_service.engine import Engine, EngineSettings
from processing_service.inventory_client import HttpStockGateway
from processing_service.order_client import HttpOrderGateway
from processing_service.ports import Claim, OrderGateway, SagaRepository, StockGateway
from processing_service.postgres import MIGRATIONS, SqlSagas
from processing_service.saga import FailureKind, Refused, Saga, SagaState, SagaStep, Succeeded
from processing_service.step_runner import Runner
from service_common.backoff import Backoff
from service_common.http_client import RetryingClient
from service_common.http_server import METRICS
from service_common.observability import Metrics
from service_common.postgres import Database, migrate
from service_common.scope import ALL_CUSTOMERS
from tests.support.in_memory.inventory import InMemoryStock
from tests.support.waiting import PATIENCE_S

TOKEN = "secret"
INVENTORY_CONFIG = Config.from_environ(
    {"SERVICE_TOKEN": TOKEN, "AUTH_MODE": "open", "DATABASE_URL": "postgresql://nowhere/inventory"}
)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LEASE_S = 0.3
STOCK = 10


def problem(status: int, slug: str) -> web.Response:
    document = {"type": f"urn:orderstream:problem:{slug}", "status": status}
    return web.json_response(document, status=status, content_type="application/problem+json")


@dataclass
class Orders:
    """A stub of the order service: each order is [version, status]; *answer*, when set, replaces its answers."""

    orders: dict[int, list[Any]] = field(default_factory=dict)
    reasons: dict[int, str] = field(default_factory=dict)
    answer: Callable[[web.Request], Awaitable[web.Response]] | None = None

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/orders/{id}", self._get),
                web.post("/order/close/{id}", self._end("CLOSED")),
                web.post("/order/fail/{id}", self._end("FAILED")),
            ]
        )
        return app

    async def _get(self, request: web.Request) -> web.Response:
        order_id = int(request.match_info["id"])
        if order_id not in self.orders:
            return problem(404, "order-not-found")
        version, status = self.orders[order_id]
        return web.json_response({"id": order_id, "version": version, "status": status})

    def _end(self, status: str) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handler(request: web.Request) -> web.Response:
            if self.answer is not None:
                return await self.answer(request)
            body = await request.json()
            order = self.orders.get(int(request.match_info["id"]))
            if order is None:
                return problem(404, "order-not-found")
            if order[0] != body["version"]:
                return problem(409, "order-version")
            if order[1] not in {"CREATED", status}:
                return problem(409, "order-state")
            order[1] = status
            if status == "FAILED":
                self.reasons[int(request.match_info["id"])] = body["reason"]
            return web.json_response({"id": int(request.match_info["id"]), "status": status})

        return handler


@dataclass
class Proxy:
    """What stands before both services: it answers in their place until *foreign_until_s* on the loop's clock."""

    foreign_until_s: float = 0.0
    foreign: Counter[str] = field(default_factory=Counter)

    def before(self, app: web.Application) -> web.Application:
        @web.middleware
        async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
            if asyncio.get_running_loop().time() >= self.foreign_until_s:
                return await handler(request)
            self.foreign[request.path] += 1
            return web.Response(status=404, text="<html>Not Found</html>", content_type="text/html")

        app.middlewares.insert(0, answer)
        return app


@dataclass
class World:
    """The surroundings of engines, and a factory of them."""

    database: Database
    sagas: SqlSagas
    stock: InMemoryStock
    orders: Orders
    http_stock: HttpStockGateway
    http_orders: HttpOrderGateway
    proxy: Proxy
    announced: int = 0

    def engine(
        self,
        *,
        sagas: SagaRepository | None = None,
        stock: StockGateway | None = None,
        orders: OrderGateway | None = None,
        settings: EngineSettings | None = None,
    ) -> Engine:
        sagas = sagas or self.sagas
        runner = Runner(sagas, stock or self.http_stock, orders or self.http_orders, self._announce, Metrics())
        return Engine(sagas, runner, settings or EngineSettings(poll_s=0.05, spacing_s=0.01))

    @property
    def lasting(self) -> SqlSagas:
        """Sagas whose leases do not expire on a busy machine."""
        return SqlSagas(self.database, "notification-queue", lease_s=3600)

    def _announce(self) -> None:
        self.announced += 1

    async def told(self) -> list[tuple[str, int, int, dict[str, Any]]]:
        rows = await self.database.fetch("SELECT type, data FROM outbox_event ORDER BY subject::bigint, event_key")
        return [(event, data["orderId"], data["version"], data) for event, data in rows]

    async def states(self, order_id: int) -> list[SagaState]:
        return [record.state for record in await self.sagas.of_order(order_id, ALL_CUSTOMERS)]

    async def wait_ended(self, *order_ids: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            waiting = list(order_ids)
            while waiting:
                states = await self.states(waiting[-1])
                if states and all(state.ended for state in states):
                    waiting.pop()
                else:
                    await asyncio.sleep(0.01)


@pytest.fixture
async def world(database_url: str, aiohttp_server: AiohttpServer) -> AsyncIterator[World]:
    await migrate(database_url, *MIGRATIONS)
    stock, orders, proxy = InMemoryStock(), Orders(), Proxy()

    async def in_memory(app: web.Application) -> AsyncIterator[None]:
        app[INVENTORY] = InventoryService(stock, app[METRICS])
        yield

    inventory_server = await aiohttp_server(proxy.before(create_app(INVENTORY_CONFIG, [in_memory])))
    order_server = await aiohttp_server(proxy.before(orders.app()))
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database.open(database_url))
        inventory = await stack.enter_async_context(
            RetryingClient([str(inventory_server.make_url(""))], name="inventory-service", token=TOKEN)
        )
        order = await stack.enter_async_context(
            RetryingClient([str(order_server.make_url(""))], name="order-service", token=TOKEN)
        )
        await stock.add("a", STOCK)
        sagas = SqlSagas(database, "notification-queue", lease_s=LEASE_S)
        yield World(database, sagas, stock, orders, HttpStockGateway(inventory), HttpOrderGateway(order), proxy)


def saga_of(order_id: int, quantity: int = 1, version: int = 1) -> Saga:
    return Saga(order_id, version, (Item("a", quantity),))


async def stock_of(world: World) -> int:
    return (await world.stock.get("a")).stock


async def kill(engine: Engine, *tasks: asyncio.Task[None]) -> None:
    """End an engine as kill -9 would: its claims are not released."""
    dying = [*tasks, *engine._running]
    for task in dying:
        task.cancel()
    await asyncio.gather(*dying, return_exceptions=True)


async def test_order_is_closed_and_its_end_announced(world: World) -> None:
    world.orders.orders[1] = [1, "CREATED"]
    engine = world.engine()
    assert await engine.start(saga_of(1, 3))
    await world.wait_ended(1)
    assert world.orders.orders[1] == [1, "CLOSED"]
    assert await stock_of(world) == STOCK - 3
    told = {"orderId": 1, "customerId": "anonymous", "version": 1}
    data = {**told, "message": "Notification CLOSED for order 1"}
    assert await world.told() == [("order-processed", 1, 1, data)]
    assert world.announced == 1


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        ((Item("a", STOCK + 1),), f"Not enough stock: a has {STOCK} of {STOCK + 1}."),
        ((Item("nothing", 1),), "Unknown product: nothing."),
        ((Item("a", 1), Item("a", 1)), "One thing is not valid."),
    ],
)
async def test_order_without_stock_is_failed_with_the_reason(
    world: World, items: tuple[Item, ...], reason: str
) -> None:
    world.orders.orders[1] = [1, "CREATED"]
    await world.engine().start(Saga(1, 1, items))
    await world.wait_ended(1)
    assert world.orders.orders[1] == [1, "FAILED"]
    assert world.orders.reasons[1] == reason
    told = {"orderId": 1, "customerId": "anonymous", "version": 1}
    data = {**told, "message": "Notification FAILED for order 1", "reason": reason}
    assert await world.told() == [("order-failed", 1, 1, data)]
    assert await stock_of(world) == STOCK


@pytest.mark.parametrize("order", [[1, "CANCELLED"], [2, "CREATED"], None, [1, "FAILED"]])
@pytest.mark.parametrize("quantity", [1, STOCK + 1])
async def test_withdrawn_order_has_its_stock_released(world: World, order: list[Any] | None, quantity: int) -> None:
    if order is not None:
        world.orders.orders[1] = list(order)
    await world.engine().start(saga_of(1, quantity))
    await world.wait_ended(1)
    if order == [1, "FAILED"] and quantity > STOCK:  # failing what has failed is a repeat
        assert await world.states(1) == [SagaState.FAILED]
    else:
        assert await world.states(1) == [SagaState.RELEASED]
        assert await world.told() == []
    assert world.orders.orders.get(1) == order
    assert await stock_of(world) == STOCK


async def test_operation_released_before_leads_to_the_order_service(world: World) -> None:
    await world.stock.release("1:1")
    await world.stock.release("2:1")
    world.orders.orders[1] = [1, "CANCELLED"]
    world.orders.orders[2] = [1, "CREATED"]
    engine = world.engine()
    for order_id in (1, 2):
        await engine.start(saga_of(order_id))
    await world.wait_ended(1, 2)
    assert await world.states(1) == [SagaState.RELEASED]
    assert await world.states(2) == [SagaState.FAILED]
    assert world.orders.orders == {1: [1, "CANCELLED"], 2: [1, "FAILED"]}


def kind_of(status: int) -> FailureKind:
    """Return what is known after an answer that is none of the order service; to 429 it did nothing."""
    return FailureKind.UNAVAILABLE if status == 429 else FailureKind.OUTCOME_UNKNOWN


@pytest.mark.parametrize("status", [400, 401, 403, 405, 422, 429, 500, 503])
async def test_unanswered_step_is_retried(world: World, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processing_service.step_runner.RETRY_BACKOFF", Backoff(0.05, 0.5))
    world.orders.orders[1] = [1, "CREATED"]
    asked = 0

    async def answer(_request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        if asked > 3:
            world.orders.answer = None
        return web.json_response({"detail": "not now"}, status=status)

    world.orders.answer = answer
    engine = world.engine(sagas=world.lasting)
    task = asyncio.create_task(engine.run())
    await engine.start(saga_of(1))
    await world.wait_ended(1)
    await engine.stop(1)
    await task
    (record,) = await world.sagas.of_order(1, ALL_CUSTOMERS)
    assert record.state is SagaState.DONE
    assert record.attempts >= 3
    assert record.last_error is not None
    assert "close order" in record.last_error
    assert record.failed_attempts is not None
    assert len(record.failed_attempts) == record.attempts - 2
    assert {(each.step, each.kind) for each in record.failed_attempts} == {(SagaStep.CLOSE_ORDER, kind_of(status))}
    assert record.last_error == f"close order: {record.failed_attempts[-1].error}"
    times = [each.at for each in record.failed_attempts]
    assert times == sorted(times)
    assert record.entered[SagaState.STARTED] < times[0] <= times[-1] < record.entered[SagaState.DONE]
    assert all(0 < each.seconds < 10 for each in record.failed_attempts)
    assert await stock_of(world) == STOCK - 1
    assert len(await world.told()) == 1


async def test_no_saga_ends_by_the_answers_of_a_proxy(world: World) -> None:
    world.orders.orders = {order_id: [1, "CREATED"] for order_id in range(1, 5)} | {5: [1, "CANCELLED"]}
    engine = world.engine(sagas=world.lasting)
    task = asyncio.create_task(engine.run())
    loop = asyncio.get_running_loop()
    taken, world.proxy.foreign_until_s = await world.http_stock.take("4:1", (Item("a", 1),)), loop.time() + 3.0
    assert taken == Succeeded()
    for order_id, quantity in ((1, 2), (2, STOCK + 1), (3, 1), (4, 1), (5, 1)):
        await engine.start(saga_of(order_id, quantity))
    while loop.time() < world.proxy.foreign_until_s:
        states = [await world.states(order_id) for order_id in world.orders.orders]
        assert loop.time() >= world.proxy.foreign_until_s or states == [[SagaState.STARTED]] * 5
        await asyncio.sleep(0.1)
    assert world.proxy.foreign
    await world.wait_ended(*world.orders.orders)
    await engine.stop(1)
    await task
    done, failed, released = SagaState.DONE, SagaState.FAILED, SagaState.RELEASED
    states = [await world.states(order_id) for order_id in world.orders.orders]
    assert states == [[done], [failed], [done], [done], [released]]
    assert await stock_of(world) == STOCK - 4


@pytest.mark.parametrize("status", [200, 302, 403, 404, 409, 422])
@pytest.mark.parametrize("order", ["CREATED", "CANCELLED"])
async def test_foreign_answer_of_the_order_service_ends_no_saga(
    world: World, status: int, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processing_service.step_runner.RETRY_BACKOFF", Backoff(0.05, 0.5))
    world.orders.orders[1] = [1, order]
    asked = 0

    async def answer(_request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        if asked == 4:
            world.orders.answer = None
        return web.json_response({"id": 1}, status=status)

    world.orders.answer = answer
    engine = world.engine(sagas=world.lasting)
    task = asyncio.create_task(engine.run())
    await engine.start(saga_of(1))
    await world.wait_ended(1)
    await engine.stop(1)
    await task
    assert asked >= 4
    assert await world.states(1) == [SagaState.DONE if order == "CREATED" else SagaState.RELEASED]


async def test_released_saga_of_an_order_that_is_announced_again_is_completed(world: World) -> None:
    world.orders.orders[1] = [2, "CREATED"]
    engine = world.engine()
    await engine.start(saga_of(1, 3))
    await world.wait_ended(1)
    assert await world.states(1) == [SagaState.RELEASED]
    world.orders.orders[1] = [1, "CREATED"]  # its last answer was wrong
    assert await engine.start(saga_of(1, 3))
    await world.wait_ended(1)
    assert await world.states(1) == [SagaState.DONE]
    assert world.orders.orders[1] == [1, "CLOSED"]
    assert await stock_of(world) == STOCK - 3
    assert [event for event, *_ in await world.told()] == ["order-processed"]
    assert await world.http_stock.take("1:1", saga_of(1, 3).items) == Refused("Operation 1:1 was released before.")


@pytest.mark.parametrize("order", [[1, "CANCELLED"], [2, "CREATED"], None, [1, "FAILED"]])
async def test_late_duplicate_takes_no_stock_for_an_order_that_was_withdrawn(
    world: World, order: list[Any] | None
) -> None:
    if order is not None:
        world.orders.orders[1] = order
    watched = Watched(world)
    engine = world.engine(stock=watched)
    for _ in range(3):
        assert await engine.start(saga_of(1))
        await world.wait_ended(1)
        assert await world.states(1) == [SagaState.RELEASED]
    assert watched.most == {"1:1": 1}
    assert await stock_of(world) == STOCK


async def test_redelivered_event_has_no_second_effect(world: World) -> None:
    world.orders.orders[1] = [1, "CREATED"]
    engine = world.engine()
    started = await asyncio.gather(*(engine.start(saga_of(1)) for _ in range(5)))
    await world.wait_ended(1)
    assert sum(started) == 1
    assert not await world.engine().start(saga_of(1))
    assert await stock_of(world) == STOCK - 1
    assert len(await world.told()) == 1


async def test_released_stock_of_the_older_version_serves_the_newer(world: World) -> None:
    world.orders.orders[1] = [2, "CREATED"]
    engine = world.engine()
    task = asyncio.create_task(engine.run())
    await asyncio.gather(engine.start(saga_of(1, STOCK)), engine.start(saga_of(1, STOCK - 1, version=2)))
    await world.wait_ended(1)
    await engine.stop(1)
    await task
    assert await world.states(1) == [SagaState.RELEASED, SagaState.DONE]
    assert await stock_of(world) == 1


class Tripwire:
    """Adapters whose n-th call crashes, before or after its effect."""

    def __init__(self, world: World, number: int, *, after: bool) -> None:
        self._world = world
        self._number = number
        self._after = after
        self._calls = 0
        self.tripped = asyncio.Event()

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        owners = (self._world.http_orders, self._world.http_stock, self._world.sagas)
        method = next(getattr(owner, name) for owner in owners if hasattr(owner, name))

        async def wired(*args: Any, **kwargs: Any) -> Any:
            self._calls += 1
            tripped = self._calls == self._number
            if tripped and not self._after:
                await self._hang()
            result = await method(*args, **kwargs)
            if tripped:
                await self._hang()
            return result

        return wired

    async def _hang(self) -> None:
        self.tripped.set()
        await asyncio.Event().wait()


# start, take, close, save; start, take, save, fail, save; start, take, close, save, release, save
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("status", "quantity", "call"),
    [
        *(("CREATED", 3, call) for call in range(1, 5)),
        *(("CREATED", STOCK + 1, call) for call in range(1, 6)),
        *(("CANCELLED", 3, call) for call in range(1, 7)),
    ],
)
async def test_crash_at_any_point_changes_no_result(
    world: World, status: str, quantity: int, call: int, after: bool
) -> None:
    world.orders.orders[1] = [1, status]
    wire: Any = Tripwire(world, call, after=after)
    dying = world.engine(sagas=wire, stock=wire, orders=wire)
    starting = asyncio.create_task(dying.start(saga_of(1, quantity)))
    async with asyncio.timeout(PATIENCE_S):
        await wire.tripped.wait()
    await kill(dying, starting)  # type: ignore[arg-type]

    heir = world.engine()
    task = asyncio.create_task(heir.run())
    await heir.start(saga_of(1, quantity))  # its message was never acknowledged, so it comes again
    await world.wait_ended(1)
    await heir.stop(1)
    await task

    told = [(event, order_id) for event, order_id, _, _ in await world.told()]
    if status == "CANCELLED":
        assert (await world.states(1), told, await stock_of(world)) == ([SagaState.RELEASED], [], STOCK)
    elif quantity > STOCK:
        assert (await world.states(1), told, await stock_of(world)) == (
            [SagaState.FAILED],
            [("order-failed", 1)],
            STOCK,
        )
        assert world.orders.orders[1] == [1, "FAILED"]
    else:
        assert (await world.states(1), told) == ([SagaState.DONE], [("order-processed", 1)])
        assert world.orders.orders[1] == [1, "CLOSED"]
        assert await stock_of(world) == STOCK - 3


class Watched:
    """Slow stock that records how many steps of each saga run at the same time."""

    def __init__(self, world: World, gate: asyncio.Event | None = None) -> None:
        self._stock = world.http_stock
        self._gate = gate
        self._now = Counter[str]()
        self.most = Counter[str]()
        self.entered = asyncio.Event()

    async def take(self, operation_id: str, items: Any) -> Any:
        self._now[operation_id] += 1
        self.most[operation_id] = max(self.most[operation_id], self._now[operation_id])
        self.entered.set()
        if self._gate is not None:
            await self._gate.wait()
        outcome = await self._stock.take(operation_id, items)
        self._now[operation_id] -= 1
        return outcome

    async def release(self, operation_id: str) -> Any:
        return await self._stock.release(operation_id)


async def test_two_engines_never_run_a_saga_at_the_same_time(world: World) -> None:
    await world.stock.add("b", 1000)
    for order_id in range(1, 101):
        world.orders.orders[order_id] = [1, "CREATED"]
        await world.sagas.start(Saga(order_id, 1, (Item("b", 1),)), claimed=False)
    watched = Watched(world)
    engines = [world.engine(sagas=world.lasting, stock=watched) for _ in range(2)]
    tasks = [asyncio.create_task(engine.run()) for engine in engines]
    await world.wait_ended(*range(1, 101))
    for engine in engines:
        await engine.stop(1)
    await asyncio.gather(*tasks)
    assert set(watched.most.values()) == {1}
    assert len(watched.most) == 100
    assert (await world.stock.get("b")).stock == 900
    assert len(await world.told()) == 100


async def test_engine_that_lost_its_lease_changes_nothing(world: World) -> None:
    world.orders.orders[1] = [1, "CREATED"]
    gate = asyncio.Event()
    slow_stock = Watched(world, gate)
    slow = world.engine(stock=slow_stock)
    await slow.start(saga_of(1))
    await slow_stock.entered.wait()
    heir = world.engine()
    task = asyncio.create_task(heir.run())
    await world.wait_ended(1)
    (before,) = await world.sagas.of_order(1, ALL_CUSTOMERS)
    gate.set()
    await slow.stop(5)
    await heir.stop(1)
    await task
    assert await world.sagas.of_order(1, ALL_CUSTOMERS) == [before]
    assert before.state is SagaState.DONE
    assert await stock_of(world) == STOCK - 1
    assert len(await world.told()) == 1
    assert world.announced == 1


async def test_stop_releases_the_claims_of_open_sagas(world: World) -> None:
    world.orders.orders[1] = [1, "CREATED"]
    sagas = SqlSagas(world.database, "notification-queue", lease_s=3600)
    stuck = Watched(world, asyncio.Event())
    engine = world.engine(sagas=sagas, stock=stuck)
    task = asyncio.create_task(engine.run())
    await engine.start(saga_of(1))
    await stuck.entered.wait()
    await engine.stop(0.05)
    await task
    claims = await sagas.claim(1)
    assert [claim.saga for claim in claims] == [saga_of(1)]


async def test_full_engine_stores_new_sagas_and_runs_them_later(world: World) -> None:
    await world.stock.add("b", 1000)
    gate = asyncio.Event()
    settings = EngineSettings(concurrency=2, poll_s=60, spacing_s=0.001)
    engine = world.engine(
        sagas=SqlSagas(world.database, "events", lease_s=60), stock=Watched(world, gate), settings=settings
    )
    task = asyncio.create_task(engine.run())
    for order_id in range(1, 21):
        world.orders.orders[order_id] = [1, "CREATED"]
        await engine.start(Saga(order_id, 1, (Item("b", 1),)))
    slot = asyncio.create_task(engine.wait_for_slot())
    await asyncio.sleep(0)
    assert not slot.done()
    gate.set()
    await slot
    await world.wait_ended(*range(1, 21))
    await engine.stop(1)
    await task
    assert (await world.stock.get("b")).stock == 980


async def test_late_sagas_are_found(world: World) -> None:
    for order_id in (1, 2):
        await world.sagas.start(saga_of(order_id), claimed=False)
    await world.database.execute("UPDATE saga SET started_at = now() - interval '31 s' WHERE order_id = 1")
    for late, order_id in ((True, 1), (False, 2)):
        (record,) = await world.sagas.search(ALL_CUSTOMERS, state=None, late=late, limit=9)
        assert record.order_id == order_id
    assert (await world.sagas.count_open()).late == 1
    (claim, _) = sorted(await world.sagas.claim(2), key=lambda each: each.saga.order_id)
    assert isinstance(claim, Claim)
    assert claim.age_s > 30
