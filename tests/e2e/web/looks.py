"""What can be measured of how a page looks: what axe objects to, what sticks out, what jumps."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page, expect

__all__ = ["NOTE_SHIFTS", "clipped", "objections", "settled", "shifts", "sticking_out"]

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

CLIPPED = """() => {
  const found = [];
  const hides = (overflow) => ['hidden', 'clip'].includes(overflow);
  const scrolls = (overflow) => ['auto', 'scroll'].includes(overflow);
  const outside = (box, frame, { overflowX, overflowY }) =>
    (hides(overflowX) && (box.left < frame.left - 1 || box.right > frame.right + 1)) ||
    (hides(overflowY) && (box.top < frame.top - 1 || box.bottom > frame.bottom + 1));
  const range = document.createRange();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text; (text = texts.nextNode()); ) {
    const parent = text.parentElement;
    if (!text.data.trim() || !parent.checkVisibility() || parent.closest('select')) continue;
    range.selectNodeContents(text);
    const box = range.getBoundingClientRect();
    for (let each = parent; each; each = each.parentElement) {
      const styles = getComputedStyle(each);
      if (scrolls(styles.overflowX) || scrolls(styles.overflowY)) break;
      if (each.clientWidth === 1) break; // for screen readers
      if (outside(box, each.getBoundingClientRect(), styles)) {
        found.push(`${each.tagName}.${each.className} clips: ${text.data.trim()}`);
        break;
      }
    }
  }
  const floats = (element) => ['fixed', 'sticky'].includes(getComputedStyle(element).position);
  const layer = (element) => element && (floats(element) ? element : layer(element.parentElement));
  const controls = [...document.querySelectorAll('button, select, input')].filter((each) => each.checkVisibility());
  const boxes = controls.map((each) => [each, layer(each), each.getBoundingClientRect()]);
  texts.currentNode = document.body;
  for (let text; (text = texts.nextNode()); ) {
    const parent = text.parentElement;
    if (!text.data.trim() || !parent.checkVisibility() || parent.closest('select')) continue;
    if (parent.clientWidth === 1) continue; // for screen readers
    range.selectNodeContents(text);
    const own = layer(parent);
    for (const box of range.getClientRects()) {
      const over = boxes.find(([control, its, frame]) =>
        its === own && !control.contains(parent) && box.width > 0 &&
        Math.min(box.right, frame.right) - Math.max(box.left, frame.left) > 1 &&
        Math.min(box.bottom, frame.bottom) - Math.max(box.top, frame.top) > 1);
      if (over) found.push(`${over[0].tagName}.${over[0].className} lies over: ${text.data.trim()}`);
    }
  }
  const pen = document.createElement('canvas').getContext('2d');
  for (const field of document.querySelectorAll('input, select')) {
    const text = field.selectedOptions?.[0]?.text ?? (field.value || field.placeholder);
    const { font, paddingInlineStart, paddingInlineEnd } = getComputedStyle(field);
    pen.font = font;
    const room = field.clientWidth - parseFloat(paddingInlineStart) - parseFloat(paddingInlineEnd);
    const isShown = field.checkVisibility() && field.clientWidth > 1 && !['checkbox', 'radio'].includes(field.type);
    if (isShown && pen.measureText(text).width > room + 1) found.push(`${field.tagName} is too narrow: ${text}`);
  }
  return found;
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


async def clipped(page: Page) -> list[str]:
    """Return the texts of which a part can't be seen, nor scrolled to, or lies below a control."""
    found: list[str] = await page.evaluate(CLIPPED)
    return found


async def shifts(page: Page) -> tuple[float, list[Any]]:
    """Return how much the page has moved under its reader since it was opened, as the layout shift score, and what."""
    found: list[dict[str, Any]] = await page.evaluate("window.shifts")
    return sum(each["value"] for each in found), found
