"""Every page, empty and full, in light and dark, on a phone and on a desk: whole, readable and at rest."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from tests.e2e.web.looks import NOTE_SHIFTS, objections, settled, shifts, sticking_out
from tests.e2e.web.tabs import Tabs

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGES = {"shop": "/", "orders": "/orders", "order": "/orders/{order}", "live": "/live", "operations": "/operations"}
WIDTHS = {360: 740, 1280: 800}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
GOOD_SHIFT = 0.05


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
async def test_page_is_whole_and_readable(
    name: str, width: int, tabs: Tabs, order_of_today: int, artifacts: Path
) -> None:
    await tabs.context.add_init_script(NOTE_SHIFTS)
    page = await tabs.new()
    await page.set_viewport_size({"width": width, "height": WIDTHS[width]})
    await page.goto(PAGES[name].format(order=order_of_today))
    await settled(page)
    moved, what = await shifts(page)
    assert moved < GOOD_SHIFT, what
    assert not (found := await sticking_out(page)), "\n".join(found)
    for scheme in SCHEMES:
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        await page.screenshot(path=artifacts / f"{name}-{width}-{scheme}.png", full_page=True)
        assert not (found := await objections(page)), f"{scheme}:\n" + "\n".join(found)
