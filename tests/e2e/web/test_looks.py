"""Every page, empty and full, in light and dark, on a phone and on a desk: whole, readable and at rest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Page

from tests.e2e.web.looks import NOTE_SHIFTS, objections, settled, shifts, sticking_out
from tests.e2e.web.scenes import PATHS, SCENES
from tests.e2e.web.tabs import Tabs
from tests.support.system import System

pytestmark = pytest.mark.asyncio(loop_scope="session")

HEIGHTS = {360: 740, 1280: 800}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
GOOD_SHIFT = 0.05


@dataclass(frozen=True, slots=True)
class Album:
    """What it takes to have a picture of every page.

    Attributes:
        folder: where they are put.
        order: one that there is a page of.
        axe: its script.
    """

    folder: Path
    order: int
    axe: str


@pytest.fixture
def album(artifacts: Path, order_of_today: int, axe: str) -> Album:
    """The pictures of a day on which this and that happened."""
    return Album(artifacts, order_of_today, axe)


@pytest.mark.parametrize("width", HEIGHTS)
@pytest.mark.parametrize("name", PATHS)
async def test_page_is_at_rest_while_it_is_loaded(
    name: str, width: int, tabs: Tabs, order_of_today: int, axe: str
) -> None:
    await tabs.context.add_init_script(NOTE_SHIFTS)
    page = await tabs.new()
    await page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
    await page.goto(PATHS[name].format(order=order_of_today))
    await settled(page)
    moved, what = await shifts(page)
    assert moved < GOOD_SHIFT, what
    assert not (found := await sticking_out(page)), "\n".join(found)
    assert not (found := await objections(page, axe)), "\n".join(found)


@pytest.mark.parametrize("name", PATHS)
async def test_page_with_something_in_it_is_whole_and_readable(
    name: str, system: System, page: Page, album: Album
) -> None:
    await page.goto(PATHS[name].format(order=album.order))
    await settled(page)
    await SCENES[name](page, system)
    for width, height in HEIGHTS.items():
        await page.set_viewport_size({"width": width, "height": height})
        assert not (found := await sticking_out(page)), "\n".join(found)
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            await page.screenshot(path=album.folder / f"{name}-{width}-{scheme}.png", full_page=True)
            assert not (found := await objections(page, album.axe)), f"{width} {scheme}:\n" + "\n".join(found)
