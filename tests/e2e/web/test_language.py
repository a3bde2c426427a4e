"""The page in another language: all of it, as readable, and remembered."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.web.looks import objections, settled
from tests.e2e.web.scenes import PATHS
from tests.e2e.web.tabs import visiting
from tests.support.system import System

pytestmark = pytest.mark.asyncio(loop_scope="session")

TITLES = {
    "shop": "Shop",
    "orders": "Bestellungen",
    "order": "Bestellung {order}",
    "live": "Live-Feed",
    "operations": "Betrieb",
    "docs": "Schnittstellen",
}


@pytest.mark.parametrize("name", PATHS)
async def test_page_speaks_the_language_of_the_browser(
    name: str, browser: Browser, system: System, order_of_today: int, axe: str
) -> None:
    async with visiting(browser, system.stack.url("web"), locale="de-DE") as tabs:
        page = await tabs.new(PATHS[name].format(order=order_of_today))
        await settled(page)
        await expect(page.locator("html")).to_have_attribute("lang", "de")
        await expect(page.get_by_role("heading", level=1)).to_have_text(TITLES[name].format(order=order_of_today))
        await expect(page.get_by_role("main")).not_to_contain_text(re.compile(r"\d\.\d+ m?s\b"))
        assert not (found := await objections(page, axe)), "\n".join(found)


async def test_chosen_language_is_kept(page: Page) -> None:
    await page.goto("/")
    await expect(page.get_by_role("region", name="Products")).to_contain_text("€12.90")
    await page.get_by_label("Language").select_option("Deutsch")
    products = page.get_by_role("region", name="Produkte")
    await expect(products).to_contain_text("12,90 €")
    await page.reload()
    await expect(products).to_be_visible()
    await page.get_by_label("Sprache").select_option("English")
    await expect(page.get_by_role("region", name="Products")).to_be_visible()


async def test_chosen_language_is_shown_without_storage(page: Page) -> None:
    await page.add_init_script("Storage.prototype.setItem = () => { throw new DOMException('', 'SecurityError'); }")
    await page.goto("/")
    await expect(page.get_by_role("region", name="Products")).to_be_visible()  # a navigation replaces the state
    await page.get_by_label("Language").select_option("Deutsch")
    await expect(page.get_by_role("region", name="Produkte")).to_be_visible()
    await page.get_by_label("Sprache").select_option("English")
    await expect(page.get_by_role("region", name="Products")).to_be_visible()
