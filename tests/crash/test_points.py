"""The names of points, and that a rewritten module does what it did."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.crash.control import Control
from tests.crash.points import Point, instrument, reporters

SOURCE = """
from __future__ import annotations

import asyncio


class Shop:
    async def sell(self, thing, log):
        async with asyncio.timeout(5), thing as opened:
            async for item in opened:
                log.append(await self.pack(await self.find(item)))
        return await self.find("end")

    async def find(self, item):
        await asyncio.sleep(0)
        return item

    async def pack(self, item):
        if item == "broken":
            raise ValueError(item)
        return f"<{item}>"
"""


def loaded(source: str) -> tuple[dict[str, Any], list[Point], list[str]]:
    """Run a rewritten module; return its names, its points and where the reports of those that are reached go."""
    points: list[Point] = []
    reached: list[str] = []
    names: dict[str, Any] = reporters(lambda point: reached.append(points[point].name))
    exec(compile(instrument(source, "shop", "shop.py", points), "shop.py", "exec"), names)  # noqa: S102
    return names, points, reached


@asynccontextmanager
async def box(*items: str) -> AsyncIterator[AsyncIterator[str]]:
    async def each() -> AsyncIterator[str]:
        for item in items:
            yield item

    yield each()


def names_of(points: list[Point], function: str) -> list[str]:
    return [point.name for point in points if point.name.startswith(f"{function}#")]


async def test_rewritten_module_does_what_it_did() -> None:
    names, _, _ = loaded(SOURCE)
    log: list[str] = []
    assert await names["Shop"]().sell(box("tea", "cup"), log) == "end"
    assert log == ["<tea>", "<cup>"]
    with pytest.raises(ValueError, match="broken"):
        await names["Shop"]().sell(box("broken"), log)


async def test_every_await_is_reported_before_and_after() -> None:
    names, points, reached = loaded(SOURCE)
    await names["Shop"]().sell(box("tea"), [])
    assert reached[0] == "shop.Shop.sell#1.enter:before"
    assert reached[-2:] == ["shop.Shop.find#1:after", "shop.Shop.sell#5:after"]
    assert set(reached) == {point.name for point in points}


async def test_point_after_an_await_that_failed_is_not_reached() -> None:
    names, _, reached = loaded(SOURCE)
    with pytest.raises(ValueError, match="broken"):
        await names["Shop"]().sell(box("broken"), [])
    assert "shop.Shop.sell#3:before" in reached
    assert "shop.Shop.sell#3:after" not in reached


def test_name_does_not_depend_on_other_functions() -> None:
    _, before, _ = loaded(SOURCE)
    _, after, _ = loaded(SOURCE.replace("class Shop:", "async def other():\n    await asyncio.sleep(0)\n\nclass Shop:"))
    assert names_of(before, "shop.Shop.sell") == names_of(after, "shop.Shop.sell")
    assert [each.place for each in before] != [each.place for each in after if ".other#" not in each.name]


def test_point_tells_its_place_and_what_is_awaited() -> None:
    _, points, _ = loaded(SOURCE)
    assert points[-1] == Point("shop.Shop.find#1:after", "shop.py:15", "asyncio.sleep(0)")


def test_time_limit_that_never_suspends_is_no_point() -> None:
    _, points, _ = loaded(SOURCE)
    assert not any("timeout" in point.source for point in points)


async def test_process_dies_at_the_nth_arrival_at_its_point(tmp_path: Path) -> None:
    control = Control(tmp_path / "control", 3)
    control.kill_at(1, nth=2)
    program = (
        "import sys; from pathlib import Path; from tests.crash.control import Control;"
        "control = Control(Path(sys.argv[1]), 3);"
        "[(print(point, flush=True), control.report(point)) for point in (0, 1, 2, 1, 2)]"
    )
    process = await asyncio.create_subprocess_exec(
        *("python", "-c", program, str(tmp_path / "control")), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert (output.decode().split(), process.returncode) == (["0", "1", "2", "1"], -9)
    assert control.reached() == {1}


def test_recorded_points_are_those_since_the_recording_began(tmp_path: Path) -> None:
    here, there = Control(tmp_path / "control", 3), Control(tmp_path / "control", 3)
    there.report(0)
    here.record()
    there.report(2)
    assert here.reached() == {2}
    here.record()
    assert here.reached() == set()
    here.leave()
    there.report(1)
    assert here.reached() == set()
