"""What can be measured of how a page looks: what axe objects to, what sticks out, what jumps."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page, expect

__all__ = ["NOTE_SHIFTS", "objections", "settled", "shifts", "sticking_out"]

# to run before the scripts of the page
NOTE_SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    const name = (node) => node && `${name(node.parentElement)} ${node.nodeName}.${node.className}`;
    const moved = entry.sources.map(({ node }) => name(node));
    window.shifts.push({ value: entry.value, moved });
  }
}).observe({ type: 'layout-shift', buffered: true });
"""
STICKING_OUT = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const end = (element) => element.getBoundingClientRect().right;
  const kept = ({ parentElement: box }) =>
    box && (getComputedStyle(box).overflowX !== 'visible' || kept(box));
  return [...document.body.querySelectorAll('*')]
    .filter((each) => end(each) > width + 0.5 && !kept(each))
    .map((each) => `${each.tagName}.${each.className} ends at ${end(each)}`)
    .concat(`the page is ${document.documentElement.scrollWidth} wide, its window ${width}`);
}"""


async def settled(page: Page) -> None:
    """Wait until the page shows what it has."""
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await expect(page.locator("app-skeleton")).to_have_count(0)


async def objections(page: Page, axe: str) -> list[str]:
    """Return what axe, given as its script, finds wrong with the page, whatever its impact."""
    await page.evaluate(axe)
    found: dict[str, Any] = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['impact']}: {each['id']}: {node['target']}: {node['failureSummary']}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


async def sticking_out(page: Page) -> list[str]:
    """Return what makes the page wider than its window; empty when nothing does."""
    found: list[str] = await page.evaluate(STICKING_OUT)
    return found


async def shifts(page: Page) -> tuple[float, list[Any]]:
    """Return how much the page has moved under its reader since it was opened, as the layout shift score, and what."""
    found: list[dict[str, Any]] = await page.evaluate("window.shifts")
    return sum(each["value"] for each in found), found
