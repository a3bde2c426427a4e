"""The documentation as tests read it: pages, sections, and the tables in them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from orderstream_local.layout import ROOT

__all__ = ["PAGES", "REFERENCE", "anchors", "files", "inline_code", "prose", "rows", "section"]

REFERENCE = ROOT / "docs" / "reference"
_FENCE = re.compile(r"^( *)(```+).*?^\1\2 *$", re.MULTILINE | re.DOTALL)
_NOT_OURS = {
    *(".cache", ".git", ".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox", ".venv"),
    *("__pycache__", "data", "dist", "node_modules"),
}
_HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+)`")


@cache
def files() -> frozenset[Path]:
    """Return the files of the checkout, without what is built, cached or kept there."""
    found: set[Path] = set()
    for folder, inside, names in os.walk(ROOT):
        inside[:] = [name for name in inside if name not in _NOT_OURS]
        found.update(Path(folder, name) for name in names)
    return frozenset(found)


PAGES = sorted(path for path in files() if path.suffix == ".md")


def prose(text: str) -> str:
    """Return *text* without its fenced blocks of code."""
    return _FENCE.sub("", text)


def inline_code(text: str) -> list[str]:
    """Return what stands in backticks, outside of fenced blocks."""
    return _CODE.findall(prose(text))


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of *page*."""
    titles = _HEADING.findall(prose(page.read_text("utf-8")))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def section(text: str, heading: str) -> str:
    """Return what stands under the line *heading*, with the sections below it."""
    level = len(heading) - len(heading.lstrip("#"))
    match = re.search(rf"^{re.escape(heading)}$(.*?)(?=^#{{1,{level}}} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert match, f"there is no {heading!r}"
    return match[1]


def rows(text: str) -> Iterator[list[str]]:
    """Yield the cells of each row of the tables in *text*, without their heads."""
    body = False
    for line in text.splitlines():
        if not line.startswith("|"):
            body = False
        elif re.fullmatch(r"[|: -]+", line):
            body = True
        elif body:
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
