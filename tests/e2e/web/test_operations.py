"""The state of the system at a glance: what is away is named, and the rest goes on being shown."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.support.processes import frozen
from tests.support.system import System

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAMES = ("Inventory", "Order")


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
