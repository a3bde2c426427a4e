"""Going from page to page by keyboard, screen reader and without colours: one always knows where one is."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, Page, Request, Route, expect

from tests.e2e.web.pages import go
from tests.e2e.web.tabs import Tabs

pytestmark = pytest.mark.asyncio(loop_scope="session")

BACKGROUND = "element => getComputedStyle(element).backgroundColor"


async def backgrounds(choices: Locator) -> list[str]:
    """Return the background of each."""
    return [await each.evaluate(BACKGROUND) for each in await choices.all()]


@pytest.mark.usefixtures("order_of_today")
async def test_focus_title_and_announcement_follow_the_page(page: Page) -> None:
    await page.goto("/")
    said = page.locator("app-root > [role=status]")
    await expect(said).to_have_text("")
    for name in ("Orders", "Live feed", "Operations", "Shop"):
        await go(page, name)
        await expect(page).to_have_title(f"{name} · Orderstream")
        await expect(said).to_have_text(f"{name} · Orderstream")
        await expect(page.locator("main")).to_be_focused()
    await go(page, "Orders")
    order = page.get_by_role("rowheader").get_by_role("link").first
    name = await order.inner_text()
    await order.click()
    await expect(page).to_have_title(f"{name} · Orderstream")
    await expect(said).to_have_text(f"{name} · Orderstream")
    await expect(page.locator("main")).to_be_focused()


async def test_filter_of_a_list_keeps_the_focus(page: Page) -> None:
    await page.goto("/orders")
    status = page.get_by_role("combobox", name="Status")
    await status.focus()
    await status.select_option("CLOSED")
    await expect(page).to_have_url("/orders?status=CLOSED")
    await expect(status).to_be_focused()


async def test_address_without_a_page_says_so(tabs: Tabs) -> None:
    page = await tabs.new("/nowhere")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Page not found")
    await expect(page).to_have_title("Page not found · Orderstream")
    await expect(page).to_have_url("/nowhere")
    await page.get_by_role("link", name="Go to the shop").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Shop")


async def test_current_page_and_view_are_told_apart_with_forced_colours(page: Page) -> None:
    await page.emulate_media(forced_colors="active")
    await page.goto("/live")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Live feed")
    links = page.get_by_role("navigation", name="Pages").get_by_role("link")
    await expect(links.nth(2)).to_have_attribute("aria-current", "page")
    _shop, _orders, live, operations, _interfaces = await backgrounds(links)
    assert live != operations
    feed, compare = await backgrounds(page.get_by_role("group", name="View").get_by_role("button"))
    assert feed != compare


@pytest.mark.parametrize("width", [320, 360])
async def test_current_page_is_seen_in_the_navigation_on_a_phone(page: Page, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 740})
    await page.goto("/docs")
    navigation = page.get_by_role("navigation", name="Pages")
    await expect(navigation.get_by_role("link", name="Interfaces")).to_be_in_viewport(ratio=0.99)
    await page.goto("/orders")
    await expect(navigation.get_by_role("link", name="Orders")).to_be_in_viewport(ratio=0.99)


@pytest.mark.parametrize("width", [768, 1024, 1280])
async def test_header_is_whole_where_it_is_tight(page: Page, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 800})
    await page.goto("/live")
    await expect(page.get_by_role("banner").get_by_role("status")).to_contain_text("Live, over")
    cut: list[str] = (
        await page.get_by_role("banner")
        .locator("a, span, summary")
        .evaluate_all(
            "all => all.filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflow !== 'visible')"
            ".filter(e => e.clientWidth > 1).map(e => e.textContent)"
        )
    )
    assert not cut


async def test_page_whose_code_is_gone_after_a_deploy_is_loaded_anew(tabs: Tabs) -> None:
    page = await tabs.new("/")
    await expect(page.get_by_role("heading", level=1, name="Shop")).to_be_visible()
    documents: list[str] = []

    def note(request: Request) -> None:
        if request.is_navigation_request():
            documents.append(request.url)

    async def answer(route: Route) -> None:
        await (route.continue_() if documents else route.fulfill(status=404))

    page.on("request", note)
    await page.route("**/*.js", answer)
    await go(page, "Live feed")
    await expect(page).to_have_url(re.compile("/live$"))
    assert [each.rsplit("/", 1)[1] for each in documents] == ["live"]
    # what the browser says of it, and nothing else
    assert all("dynamically imported module" in each for each in tabs.faults)
    tabs.faults.clear()
