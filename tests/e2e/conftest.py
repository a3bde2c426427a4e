"""What holds for every test that asks the whole running system."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

# the first of a run starts the system, whose first start builds the page
LIMIT_S = 300
# a file runs in one process: these take the longest and come first, so that none of them runs alone at the end
LONGEST = (
    "signed_in/test_tokens.py",
    "foreign/test_foreign_clients.py",
    "signed_in/test_people.py",
    "test_schemathesis.py",
    "test_walkthrough.py",
    "web/test_looks.py",
    "web/test_live.py",
    "e2e/test_events.py",
)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Select them by -m wire."""
    item.add_marker(pytest.mark.wire)
    item.add_marker(pytest.mark.timeout(LIMIT_S))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the files; xdist keeps the order with --no-loadscope-reorder."""
    items.sort(key=lambda item: _rank(item.path.as_posix(), LONGEST))


def _rank(path: str, order: Sequence[str]) -> int:
    return next((rank for rank, end in enumerate(order) if path.endswith(end)), len(order))
