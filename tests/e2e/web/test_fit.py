"""What the pages say fits where it stands, in each language, on a phone and on a desk; bars do without colours."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.web.looks import clipped, settled, sticking_out
from tests.e2e.web.pages import Order
from tests.e2e.web.recorded import ORDER, Recorded
from tests.e2e.web.scenes import PATHS

pytestmark = pytest.mark.asyncio(loop_scope="session")

WIDTHS = (320, 360, 412, 768, 1440)
DAY_MS = 86_400_000
# on a background of one colour, which is what remains where colours are forced
BORDERED = """bars => bars.map(bar => {
  const { borderTopColor, borderTopStyle, borderTopWidth } = getComputedStyle(bar);
  return [borderTopStyle, borderTopWidth, bar.getBoundingClientRect().width >= 3, borderTopColor];
})"""


@pytest.mark.parametrize("locale", ["en-GB", "de-DE"])
async def test_no_page_is_clipped_or_wider_than_its_window(
    locale: str, recorded_pages: Recorded, browser: Browser
) -> None:
    async with recorded_pages.visited(browser, locale=locale) as page:
        for name, path in PATHS.items():
            await page.goto(path.format(order=ORDER))
            await settled(page)
            await page.locator("main details:not(app-docs-page *)").evaluate_all(
                "all => all.forEach((each) => (each.open = true))"
            )
            for width in WIDTHS:
                await page.set_viewport_size({"width": width, "height": 800})
                found = [*await sticking_out(page), *await clipped(page)]
                assert not found, f"{name}, {width}:\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("locale", "delayed", "said"),
    [("en-GB", "Delayedfor 1440 min", "last heard 3"), ("de-DE", "Verzögertseit 1440 min", "zuletzt gehört vor 3")],
)
async def test_header_stays_whole_while_nothing_comes(
    locale: str, delayed: str, said: str, recorded_pages: Recorded, browser: Browser
) -> None:
    async with recorded_pages.visited(browser, locale=locale) as page:
        await page.goto("/live")
        header = page.get_by_role("banner")
        await expect(header.get_by_role("status")).to_contain_text("Live")
        with recorded_pages.delayed(DAY_MS):
            await expect(header.locator("app-feed-status")).to_have_text(delayed)
            await stays_whole(page)
        await page.context.set_offline(True)
        await expect(header.get_by_role("status")).to_contain_text("Offline")
        for age_s in (0, 35):
            await page.clock.set_fixed_time(recorded_pages.at + age_s)
            await expect(header).to_contain_text(re.compile(said if age_s else "Offline"))
            await stays_whole(page)


@pytest.mark.parametrize(("locale", "said"), [("en-GB", "Connecting"), ("de-DE", "Verbindet")])
async def test_header_is_whole_while_it_connects(
    locale: str, said: str, recorded_pages: Recorded, browser: Browser
) -> None:
    async with recorded_pages.visited(browser, locale=locale) as page:
        await page.route("**/stream*", lambda _: None)  # it is not answered
        await page.goto("/live")
        await expect(page.get_by_role("banner").get_by_role("status")).to_contain_text(said)
        await stays_whole(page)


async def stays_whole(page: Page) -> None:
    said = await page.get_by_role("banner").inner_text()
    for width in (*WIDTHS, 1280, 1366):
        await page.set_viewport_size({"width": width, "height": 800})
        found = [*await sticking_out(page), *await clipped(page)]
        assert not found, f"{said}, {width}:\n" + "\n".join(found)
        await page.get_by_role("banner").locator("nav a").first.click(trial=True)  # nothing lies over it


async def test_bars_of_the_timeline_are_seen_with_forced_colours(recorded_pages: Recorded, browser: Browser) -> None:
    async with recorded_pages.visited(browser, forced_colors="active") as page:
        await Order(page).open(ORDER)
        bars = page.locator("app-waterfall-view .bar")
        await expect(bars).not_to_have_count(0)
        canvas = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        for style, width, is_wide, colour in await bars.evaluate_all(BORDERED):
            assert (style, width, is_wide) == ("solid", "1px", True)
            assert colour != canvas


@pytest.mark.parametrize(("width", "wide"), [(360, 328), (768, 368)])
async def test_button_to_the_basket_is_no_wider_than_the_basket(
    width: int, wide: int, recorded_pages: Recorded, browser: Browser
) -> None:
    async with recorded_pages.visited(browser) as page:
        await page.set_viewport_size({"width": width, "height": 800})
        await page.goto("/")
        button = page.get_by_role("button", name="Basket is empty")
        await expect(button).to_be_visible()
        assert await button.evaluate("button => button.offsetWidth") == wide
