"""Every page looks as it did; ``KEEP_PICTURES=1`` takes the kept pictures anew."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Browser, Page

from tests.e2e.web.looks import settled
from tests.e2e.web.pictures import KEEPING, TOLERANCE, Kept, difference, fonts, keep_fonts, kept_fonts, taken
from tests.e2e.web.recorded import ORDER, Recorded
from tests.e2e.web.scenes import PATHS, docs, shop

pytestmark = pytest.mark.asyncio(loop_scope="session")

HEIGHTS = {360: 740, 1280: 800}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SCENES = {"shop": shop, "docs": docs}
PATIENCE_S = 5.0
MOVED = "document.querySelector('main').style.translate = '0 12px'"


async def same_fonts(page: Page) -> None:
    """Skip the test where text is as wide as the pictures' is not; there they are taken, note how wide it is."""
    here = await fonts(page)
    if KEEPING:
        keep_fonts(here)
    elif (there := kept_fonts()) != here:
        pytest.skip(f"the kept pictures are of other fonts: texts are {there} pixels wide there, {here} here")


async def same(page: Page, kept: Kept, artifacts: Path) -> None:
    """Wait until the page looks as its kept picture does: what it asked for may come a little later."""
    deadline = time.monotonic() + PATIENCE_S
    while (share := difference(kept, picture := await taken(page))) > TOLERANCE:
        assert time.monotonic() < deadline, (share, kept.show(picture, artifacts))


@pytest.mark.parametrize("name", PATHS)
async def test_page_looks_as_its_kept_picture(
    name: str, recorded_pages: Recorded, browser: Browser, artifacts: Path
) -> None:
    async with recorded_pages.visited(browser) as page:
        await page.goto(PATHS[name].format(order=ORDER))
        await settled(page)
        await same_fonts(page)
        if name in SCENES:
            await SCENES[name](page)
        await page.evaluate("window.scrollTo(0, 0)")
        for width, height in HEIGHTS.items():
            await page.set_viewport_size({"width": width, "height": height})
            for scheme in SCHEMES:
                await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                kept = Kept(f"{name}-{width}-{scheme}")
                if KEEPING:
                    kept.keep(await taken(page))
                await same(page, kept, artifacts)
        await page.evaluate(MOVED)
        assert difference(kept, await taken(page)) > TOLERANCE, "a page that moved by 12 pixels looks the same"
