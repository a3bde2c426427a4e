"""The data folder of the system under test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.folders import reachable_folder


@pytest.fixture
def data_folder() -> Iterator[Path]:
    """A folder for one test, which PostgreSQL's user can traverse."""
    with reachable_folder("data-") as folder:
        yield folder


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give the first one that starts the system the time to build the page."""
    item.add_marker(pytest.mark.timeout(300))
