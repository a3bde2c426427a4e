"""Every page looks as it did, on request: ``PICTURES=1`` compares, ``KEEP_PICTURES=1`` takes the kept pictures anew.

What other tests leave in the system they share is on the pages: it runs alone.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Page

from tests.e2e.web.looks import settled
from tests.e2e.web.pictures import KEEPING, TOLERANCE, Kept, difference, fonts, keep_fonts, kept_fonts, taken
from tests.e2e.web.scenes import PATHS, SCENES
from tests.support.system import System

REQUESTED = KEEPING or os.environ.get("PICTURES", "") not in ("", "0")
pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(not REQUESTED, reason="needs a system of its own: PICTURES=1 asks for it"),
]

HEIGHTS = {360: 740, 1280: 800}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
MOVED = "document.querySelector('main').style.translate = '0 12px'"


async def same_fonts(page: Page) -> None:
    """Skip the test where text is as wide as the pictures' is not; there they are taken, note how wide it is."""
    here = await fonts(page)
    if KEEPING:
        keep_fonts(here)
    elif (there := kept_fonts()) != here:
        pytest.skip(f"the kept pictures are of other fonts: texts are {there} pixels wide there, {here} here")


@pytest.mark.parametrize("name", PATHS)
async def test_page_looks_as_its_kept_picture(
    name: str, system: System, page: Page, order_of_today: int, artifacts: Path
) -> None:
    await page.goto(PATHS[name].format(order=order_of_today))
    await settled(page)
    await same_fonts(page)
    await SCENES[name](page, system)
    await page.evaluate("window.scrollTo(0, 0)")
    for width, height in HEIGHTS.items():
        await page.set_viewport_size({"width": width, "height": height})
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            kept, picture = Kept(f"{name}-{width}-{scheme}"), await taken(page)
            if KEEPING:
                kept.keep(picture)
            assert (share := difference(kept, picture)) <= TOLERANCE, (share, kept.show(picture, artifacts))
    await page.evaluate(MOVED)
    assert difference(kept, await taken(page)) > TOLERANCE, "a page that moved by 12 pixels looks the same"
