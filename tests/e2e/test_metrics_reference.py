"""The reference of the metrics has each that the services expose, with its type, and no other."""

from __future__ import annotations

import re

import pytest

from orderstream_local.layout import SERVICES
from tests.support.pages import REFERENCE, inline_code, rows, section
from tests.support.system import System

pytestmark = pytest.mark.asyncio(loop_scope="session")

_EXPOSED = re.compile(r"^# TYPE (orderstream_\w+(?<!_created)) (\w+)$", re.MULTILINE)


async def test_reference_has_each_metric_with_its_type(system: System) -> None:
    exposed: set[tuple[str, str]] = set()
    for service in SERVICES:
        async with system.session.get(f"{system.stack.url(service)}/metrics") as response:
            exposed.update(_EXPOSED.findall(await response.text()))
    metrics = section((REFERENCE / "observability.md").read_text("utf-8"), "## Metrics")
    assert {(name, kind) for cell, kind, *_ in rows(metrics) for name in inline_code(cell)} == exposed
