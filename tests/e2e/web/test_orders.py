"""One order and its way: every hop as it happens, with its time, however the order ends."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack, ExitStack

import orjson
import pytest
from playwright.async_api import Page, expect

from tests.e2e.web.days import fail_one
from tests.e2e.web.pages import Live, Order, Shop, go
from tests.support.events import event
from tests.support.processes import frozen, stopped
from tests.support.system import System

pytestmark = pytest.mark.asyncio(loop_scope="session")

WAY = (
    *("v1-place", "v1-check", "v1-save", "CREATED-v1-announce", "CREATED-v1-record", "CREATED-v1-push"),
    *("v1-start", "v1-take", "v1-close", "CLOSED-v1-tell", "CLOSED-v1-record", "CLOSED-v1-push"),
)
# what the outbox hands over is seen when somebody has it
UNTIMED = "CREATED-v1-announce"
SMALLEST_BAR_PX = 3
MARKUP = "<img src=x onerror=\"document.title='taken over'\"><b>bold</b>"


@pytest.fixture
def view(page: Page) -> Order:
    """The page of an order."""
    return Order(page)


async def placed(system: System, page: Page, product: str, quantity: int = 1) -> int:
    """Buy something new in the shop, and return the order, whose page is open then."""
    await system.product(product, stock=10)
    shop = Shop(page)
    await shop.open()
    await shop.take(product, quantity)
    return await shop.order()


async def test_every_hop_of_an_order_is_shown_with_its_time(system: System, view: Order) -> None:
    await placed(system, view.page, "travelling")
    await view.is_told("Closed")
    for name in WAY:
        await expect(view.hop(name)).to_contain_class("done")
        if name != UNTIMED:
            await expect(view.hop(name)).to_contain_text("after the commit" if name not in WAY[:2] else "took")
    await expect(view.hops).to_have_count(len(WAY))


async def test_way_lights_up_while_the_order_travels(system: System, view: Order) -> None:
    with ExitStack() as order_away:
        with frozen(system, "processing-service"):
            await placed(system, view.page, "held-up")
            await view.is_told("Created")
            await expect(view.hop("CREATED-v1-push")).to_contain_class("done")
            order_away.enter_context(frozen(system, "order-service"))
        await expect(view.hop("v1-take")).to_contain_class("done")
        await expect(view.hop("v1-close")).to_contain_class("active")
    await view.is_told("Closed")
    await expect(view.hop("v1-close")).to_contain_class("done")


async def test_order_that_fails_says_why_and_where(system: System, view: Order) -> None:
    _, failed = await fail_one(system, "sold-twice")
    await view.open(failed)
    await view.is_told("Failed")
    await expect(view.hop("v1-take")).to_contain_class("failed")
    await expect(view.hop("v1-fail")).to_contain_class("done")
    await expect(view.page.get_by_text("Why it failed:")).to_contain_text("sold-twice")


async def test_order_is_cancelled_and_its_stock_stays(system: System, view: Order) -> None:
    with frozen(system, "processing-service"):
        order = await placed(system, view.page, "regretted", 3)
        await view.edit()
        await view.page.get_by_role("button", name="Cancel the order").click()
        await view.page.get_by_role("button", name="Yes, cancel it").click()
        await view.is_told("Cancelled")
    await expect(view.hop("cancel-save")).to_contain_class("done")
    await expect(view.page.get_by_role("button", name="Cancel the order")).to_have_count(0)
    assert (await system.ended(order))["status"] == "CANCELLED"
    await expect(view.page.locator("li.active")).to_have_count(0)
    await expect(view.page.get_by_text("can no longer be changed")).to_be_visible()
    assert await system.sagas_ended(order) == ["RELEASED"]
    assert await system.stock("regretted") == 10


async def test_order_is_changed_while_it_can_be(system: System, view: Order) -> None:
    with frozen(system, "processing-service"):
        order = await placed(system, view.page, "reconsidered")
        await view.edit()
        await view.page.get_by_label("Quantity of reconsidered").fill("4")
        await view.page.get_by_role("button", name="Save quantities").click()
        await expect(view.page.get_by_text("version 2").first).to_be_visible()
    await view.is_told("Closed")
    assert (await system.ended(order))["version"] == 2
    assert await system.sagas_ended(order, versions=2) == ["RELEASED", "DONE"]
    assert await system.stock("reconsidered") == 6


async def test_timeline_is_to_scale_and_shows_what_the_services_have(system: System, view: Order) -> None:
    with ExitStack() as order_away:
        with frozen(system, "processing-service"):
            order = await placed(system, view.page, "timed")
            await expect(view.step("CREATED-v1-record")).to_contain_class("done")
            order_away.enter_context(frozen(system, "order-service"))
        await expect(view.step("v1-close")).to_contain_class("active")
        await expect(view.step("v1-close")).to_contain_text(re.compile(r"for (?:[2-9]|\d\d+)\.\d+ s so far"))
    await view.is_told("Closed")
    await expect(view.step("v1-close")).to_contain_class("done")
    # what took longer is longer, and what followed begins at its end
    names = ("v1-start", "v1-take", "v1-close")
    bars = await view.bars(*names)
    waited, took, closed = (bars[name] for name in names)
    assert closed.took_s >= 2
    assert abs(took.width - closed.width * took.took_s / closed.took_s) <= SMALLEST_BAR_PX
    assert took.x >= waited.end - 1
    assert closed.x >= took.end - SMALLEST_BAR_PX
    axis = view.page.locator("app-waterfall-view .axis")
    whole = "axis => axis.scrollWidth <= axis.clientWidth"
    assert await axis.evaluate(whole)
    await expect(view.step(f"v1-take-{order}:1")).to_contain_text("Stock operation: taken")
    outbox = view.step("CREATED-v1-announce-processing-queue")
    await outbox.get_by_role("button", name="Data").press("Enter")
    await expect(outbox.locator("pre")).to_contain_text(f'"key": "order-created:{order}:1"')
    await expect(outbox.locator("pre")).to_contain_text('"productId": "timed"')


async def test_attempts_that_failed_stay_in_the_timeline_with_their_errors(system: System, view: Order) -> None:
    async with AsyncExitStack() as inventory_away:
        with frozen(system, "processing-service"):
            await placed(system, view.page, "unavailable")
            await inventory_away.enter_async_context(stopped(system, "inventory"))
        await expect(view.attempts.nth(1)).to_contain_text("Failed attempt: take stock")
        await expect(view.step("v1-take")).to_contain_class("active")
    await view.is_told("Closed")
    await expect(view.step("v1-take")).to_contain_class("done")
    await expect(view.attempts.first).to_contain_text("Unavailable: the attempt had no effect.")
    await expect(view.attempts.first).to_contain_text("inventory-service: POST /inventory/decrement")
    # each lies within the step, one after the other
    bars = await view.bars("v1-take")
    taking, attempts = bars["v1-take"], [bar for name, bar in bars.items() if "-attempt-" in name]
    ends = [taking.x, *(bar.end for bar in attempts)]
    assert all(bar.x >= end - SMALLEST_BAR_PX for bar, end in zip(attempts, ends, strict=False))
    assert attempts[-1].end <= taking.end + SMALLEST_BAR_PX


async def test_version_that_was_replaced_is_folded(system: System, view: Order) -> None:
    with frozen(system, "processing-service"):
        await placed(system, view.page, "folded")
        await view.edit()
        await view.page.get_by_label("Quantity of folded").fill("4")
        await view.page.get_by_role("button", name="Save quantities").click()
        await expect(view.page.get_by_text("version 2").first).to_be_visible()
    await view.is_told("Closed")
    await expect(view.step("v2-close")).to_be_visible()
    await expect(view.step("v1-save")).to_be_hidden()
    await view.page.get_by_text("superseded by a newer version").click()
    await expect(view.step("v1-save")).to_be_visible()


async def test_processing_away_is_named_and_the_rest_is_shown(system: System, view: Order, order_of_today: int) -> None:
    async with stopped(system, "processing"):
        await view.open(order_of_today)
        await view.is_told("Closed")
        await expect(view.page.get_by_role("alert")).to_contain_text("processing service")
        await expect(view.hop("CLOSED-v1-record")).to_contain_class("done")
    await expect(view.page.get_by_role("alert")).to_have_count(0)


async def test_new_order_comes_to_the_top_of_the_list_by_itself(system: System, page: Page) -> None:
    product = await system.product("newest", stock=10)
    await page.goto("/orders")
    await expect(page.get_by_role("row")).not_to_have_count(0)
    order = (await system.place({product: 2})).json["id"]
    row = page.get_by_role("row").nth(1)
    await expect(row).to_contain_text(f"Order {order}")
    await expect(row).to_contain_text("Closed")


async def test_reason_with_markup_is_shown_as_text(system: System, page: Page) -> None:
    product = await system.product("marked-up", stock=10)
    live, view = Live(page), Order(page)
    await live.open()
    with frozen(system, "processing-service"):
        order = (await system.place({product: 1})).json["id"]
        authorization = {"Authorization": f"Bearer {system.stack.token}"}
        body = {"version": 1, "reason": MARKUP}
        await system.call("order", "POST", f"/order/fail/{order}", json=body, headers=authorization)
    await asyncio.to_thread(tell_of_failure, system, order)
    await expect(live.row(order, "Failed")).to_contain_text(MARKUP)
    await go(page, "Orders")
    await page.get_by_role("link", name=f"Order {order}", exact=True).click()
    await view.is_told("Failed")
    await expect(page.get_by_text("Why it failed:")).to_contain_text(MARKUP)
    await expect(page.locator("main img, main b")).to_have_count(0)
    assert await page.title() != "taken over"


def tell_of_failure(system: System, order: int) -> None:
    """Say over the queue that an order failed, for a reason with markup."""
    client = system.sqs()
    try:
        url = client.get_queue_url(QueueName="notification-queue")["QueueUrl"]
        failed = event("order-failed", order)
        failed["data"]["reason"] = MARKUP
        client.send_message(QueueUrl=url, MessageBody=orjson.dumps(failed).decode())
    finally:
        client.close()
