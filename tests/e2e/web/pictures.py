"""Kept pictures of the pages, and how much a page differs from its own.

A kept picture is reduced, so that a digit of the time does not count and a block that moved does. It holds for the
fonts of the machine that took it: text of other fonts is as long as it likes.
"""

from __future__ import annotations

import io
import json
import os
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops
from playwright.async_api import Page

__all__ = ["KEEPING", "TOLERANCE", "Kept", "difference", "fonts", "keep_fonts", "kept_fonts", "taken"]

KEEPING = os.environ.get("KEEP_PICTURES", "") not in ("", "0")
FOLDER = Path(__file__).parent / "kept"
REDUCED = 4
# of 255, in a channel of a reduced pixel; a changed digit makes less
FAR = 48
# the share of pixels that are far from the kept ones
TOLERANCE = 0.02
FONTS = """() => {
  const styles = getComputedStyle(document.body);
  const pen = document.createElement('canvas').getContext('2d');
  const wide = (font) => ((pen.font = font), pen.measureText('Orderstream: 0123456789 €').width.toFixed(2));
  const code = styles.getPropertyValue('--font-code');
  return [`16px ${styles.fontFamily}`, `700 26px ${styles.fontFamily}`, `13px ${code}`].map(wide);
}"""


@dataclass(frozen=True, slots=True)
class Kept:
    """The kept picture of a page in a window of some width, in a colour scheme."""

    name: str

    @property
    def path(self) -> Path:
        """Where it is."""
        return FOLDER / f"{self.name}.png"

    def keep(self, picture: Image.Image) -> None:
        """Have this picture be the one from now on."""
        FOLDER.mkdir(exist_ok=True)
        picture.save(self.path, optimize=True)

    def show(self, picture: Image.Image, folder: Path) -> Path:
        """Write the kept picture, the other and where they differ, side by side."""
        kept = Image.open(self.path).convert("RGB")
        height = max(kept.height, picture.height)
        sheet = Image.new("RGB", (kept.width * 2 + picture.width, height))
        for left, each in ((0, kept), (kept.width, picture), (kept.width + picture.width, _far(kept, picture))):
            sheet.paste(each, (left, 0))
        sheet.save(path := folder / f"differs-{self.name}.png")
        return path


async def fonts(page: Page) -> list[str]:
    """Return how wide texts are here; the fonts decide."""
    found: list[str] = await page.evaluate(FONTS)
    return found


def kept_fonts() -> list[str]:
    """Return how wide they were where the pictures were taken."""
    found: list[str] = json.loads((FOLDER / "fonts.json").read_text(encoding="utf-8"))
    return found


def keep_fonts(found: list[str]) -> None:
    """Note how wide texts are where the pictures are taken."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "fonts.json").write_text(json.dumps(found) + "\n", encoding="utf-8")


async def taken(page: Page) -> Image.Image:
    """Return the reduced picture of what the window shows."""
    picture = Image.open(io.BytesIO(await page.screenshot(animations="disabled", caret="hide"))).convert("RGB")
    return picture.reduce(REDUCED)


def difference(kept: Kept, picture: Image.Image) -> float:
    """Return the share of pixels that are far from the kept ones."""
    far = _far(Image.open(kept.path).convert("RGB"), picture)
    return float(far.convert("L").histogram()[255]) / (far.width * far.height)


def _far(one: Image.Image, other: Image.Image) -> Image.Image:
    """Return a picture that is white where the two are far from each other."""
    if one.size != other.size:
        return Image.new("RGB", one.size, "white")
    red, green, blue = ImageChops.difference(one, other).split()
    most = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    return most.point([255 if value > FAR else 0 for value in range(256)]).convert("RGB")
