"""The state of the system at a glance: what is away is named, and the rest goes on being shown."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.support.processes import frozen
from tests.support.system import System
from tests.support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAMES = ("Inventory", "Order")
IS_DRAWN = """figure => {
  const canvas = figure.querySelector('canvas');
  const pixels = canvas?.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
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
