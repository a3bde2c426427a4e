"""The page on clients shows the programs that are tested, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.foreign.browser import CLIENTS

HOW_TO = Path(__file__).parents[3] / "docs" / "how-to" / "connect-a-client.md"
SHOWN = sorted(
    file
    for folder in (CLIENTS, CLIENTS / "proxies")
    for file in folder.iterdir()
    if file.suffix in {".mjs", ".py", ".sh", ".conf", ".cfg"}
)


@pytest.mark.parametrize("file", SHOWN, ids=lambda file: file.name)
def test_how_to_shows_the_client_that_is_tested(file: Path) -> None:
    assert f"\n{file.read_text(encoding='utf-8')}```\n" in HOW_TO.read_text(encoding="utf-8")
