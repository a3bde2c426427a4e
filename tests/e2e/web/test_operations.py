"""The state of the system at a glance: what is away is named, and the rest goes on being shown."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.e2e.web.pages import incidents
from tests.support.processes import frozen, stopped
from tests.support.replicas import restarted
from tests.support.system import System
from tests.support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

SPAN = re.compile(r"[\d:]{8}–[\d:]{8}, .*: Processing service could not be reached")  # noqa: RUF001 - as it is shown
NAMES = ("Inventory", "Order")
IS_DRAWN = """figure => {
  const canvas = figure.querySelector('canvas');
  if (!canvas?.width || !canvas.height) return false;
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const pixels = copy.getImageData(0, 0, canvas.width, canvas.height).data;
  return pixels?.some(each => each > 0) ?? false;
}"""


async def test_service_that_answers_nothing_is_named_until_it_does(system: System, page: Page) -> None:
    await page.goto("/operations")
    state = page.get_by_role("region", name="State of the system")
    board = page.get_by_role("region", name="Services").get_by_role("listitem")
    inventory, order = (board.filter(has=page.get_by_role("heading", name=f"{name} service")) for name in NAMES)
    await expect(state).to_contain_text("Healthy")
    with frozen(system, "inventory-service"):
        await expect(state).to_contain_text("Inventory service can’t be reached.")  # noqa: RUF001 - as it is shown
        await expect(inventory).not_to_contain_text("Ready")
        await expect(order).to_contain_text("Ready")
    await expect(state).to_contain_text("Healthy")


async def test_service_that_was_killed_is_remembered_across_a_reload(system: System, page: Page) -> None:
    await page.goto("/operations")
    state = page.get_by_role("region", name="State of the system")
    await expect(state).to_contain_text("Healthy, watched since")
    async with stopped(system, "processing"):
        await expect(state).to_contain_text("Processing service can’t be reached. Since ")  # noqa: RUF001 - as it is shown
    await expect(incidents(page, SPAN)).not_to_have_count(0)
    await expect(incidents(page, "Processing service was restarted at ")).to_have_count(1)
    await expect(state).to_contain_text("Healthy since ")
    remembered = await incidents(page).all_inner_texts()
    await page.reload()
    await expect(state).to_contain_text("Healthy since ")
    assert (await incidents(page).all_inner_texts())[-len(remembered) :] == remembered


async def test_process_that_is_up_again_before_the_next_poll_is_noticed(system: System, page: Page) -> None:
    await page.goto("/operations")
    state = page.get_by_role("region", name="State of the system")
    await expect(state).to_contain_text("Healthy")
    await restarted(system, "notification", replica=0)
    await expect(incidents(page, "Notification service was restarted at ")).to_have_count(1)


async def test_refused_orders_are_counted_and_blamed_on_the_service_that_is_away(system: System, page: Page) -> None:
    product = await system.product("refused", stock=10)
    await page.goto("/operations")
    state = page.get_by_role("region", name="State of the system")
    await expect(state).to_contain_text("Healthy")
    async with stopped(system, "inventory"):
        answers = [await system.place({product: 1}) for _ in range(4)]
        assert {answer.status for answer in answers} == {503}
        alarms = state.get_by_role("list").first.locator("> li")
        await expect(alarms).to_have_count(1)
        await expect(alarms).to_contain_text("Inventory service can’t be reached.")  # noqa: RUF001 - as it is shown
        await expect(alarms).to_contain_text("Affected: order service.")
        refusals = page.get_by_role("region", name="Requests of the last minute")
        await expect(refusals).to_contain_text("Order not placed: a dependency is away (503)")
    await expect(incidents(page, "Inventory service could not be reached")).not_to_have_count(0)


@pytest.mark.parametrize(
    ("process", "name", "affected"),
    [
        ("emulator", "SQS", "order service, processing service"),
        ("postgres", "PostgreSQL", "order service, inventory service, processing service and notification service"),
    ],
)
async def test_dependency_that_is_away_is_the_one_alarm(
    process: str, name: str, affected: str, system: System, page: Page
) -> None:
    await page.goto("/operations")
    state = page.get_by_role("region", name="State of the system")
    card = (
        page.get_by_role("region", name="Services")
        .locator(".card")
        .filter(has=page.get_by_role("heading", name=name, exact=True))
    )
    await expect(card).to_contain_text("Ready")
    with frozen(system, process):
        alarms = state.get_by_role("list").first.locator("> li")
        await expect(alarms).to_have_count(1)
        await expect(alarms).to_contain_text(f"{name} is unavailable to all services.")
        await expect(alarms).to_contain_text(f"Affected: {affected}")
        await expect(card).to_contain_text("Unavailable")
    await expect(incidents(page, f"{name} was unavailable.")).not_to_have_count(0)


async def test_trace_of_an_order_becomes_a_command_that_finds_it(system: System, page: Page) -> None:
    product = await system.product("traced", stock=10)
    placed = await system.place({product: 1})
    trace = placed.headers["traceparent"].split("-")[1]
    await page.goto("/operations")
    await page.get_by_role("textbox", name="Trace id").fill(placed.headers["traceparent"])
    await expect(page.get_by_text(f"grep -h {trace}")).to_be_visible()


async def test_chart_comes_back_after_15_quiet_minutes(system: System, page: Page) -> None:
    product = await system.product("after-a-pause", stock=10_000)
    await page.clock.install()
    await page.goto("/operations")
    figure = page.get_by_role("figure").filter(has=page.get_by_role("heading", name="Latency of placing an order"))

    async def is_drawn() -> bool | None:
        await system.place({product: 1})
        await page.clock.run_for(5_000)
        return await figure.evaluate(IS_DRAWN) or None

    for _ in range(2):
        await eventually(is_drawn, "the drawing of the latency")
        await page.clock.fast_forward("16:00")
        await expect(figure.get_by_text("Not enough data")).to_be_visible()
