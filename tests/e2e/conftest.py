"""What holds for every test that asks the whole running system."""

from __future__ import annotations

import pytest

# the first of a run starts the system, whose first start builds the page
LIMIT_S = 300


def pytest_itemcollected(item: pytest.Item) -> None:
    """Select them by -m wire."""
    item.add_marker(pytest.mark.wire)
    item.add_marker(pytest.mark.timeout(LIMIT_S))
