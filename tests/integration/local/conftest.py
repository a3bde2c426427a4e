"""Where the system under test keeps its data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.folders import reachable_folder


@pytest.fixture
def data_folder() -> Iterator[Path]:
    """A folder of this test alone, which PostgreSQL's user can enter."""
    with reachable_folder("data-") as folder:
        yield folder


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give the first one that starts the system the time to build the page."""
    item.add_marker(pytest.mark.timeout(300))
