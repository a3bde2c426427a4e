"""Every process of the system, killed before and after each await on the way of an order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from tests.crash.crashes import Crashes, Target
from tests.crash.history import report, story_of_failure
from tests.crash.stages import STAGES
from tests.support.invariants import Books
from tests.support.system import System
from tests.support.watcher import Watcher, watching

pytestmark = pytest.mark.asyncio(loop_scope="module")

# beside the time that customers had to come to their end
SETTLED_WITHIN_S = 30.0
LIMIT_S = 900.0


@pytest.mark.timeout(LIMIT_S)
async def test_every_stage_of_an_order_has_points(targets: list[Target]) -> None:
    found = {service: {target.function for target in targets if target.service == service} for service in STAGES}
    missing = {service: set(functions) - found[service] for service, functions in STAGES.items()}
    assert not any(missing.values()), missing


@pytest.mark.timeout(LIMIT_S)
async def test_nothing_is_lost_or_doubled_wherever_a_process_dies(
    system: System, crashes: Crashes, targets: list[Target], books: Books, pytestconfig: pytest.Config
) -> None:
    async with watching(system) as watchers:
        await crashes.at_each(_chosen(targets, pytestconfig))
        settled_s, violation = await _judged(books, watchers, system)
    if violation is not None:
        pytest.fail(story_of_failure(system, crashes.done, violation), pytrace=False)
    print(report(crashes, targets, settled_s))  # noqa: T201 - for those who ask with -rP
    missed = [f"{target}\n  {target.command}" for target in crashes.unreached if not target.chance]
    assert not missed, "points not reached:\n" + "\n".join(missed)


async def _judged(books: Books, watchers: Iterable[Watcher], system: System) -> tuple[float, AssertionError | None]:
    """Return how long it took until nothing was under way, and what is wrong then."""
    settled_s = SETTLED_WITHIN_S
    try:
        settled_s = await books.settle(SETTLED_WITHIN_S)
        await books.check()
        for watcher in watchers:
            await watcher.caught_up(system)
    except AssertionError as violation:
        return settled_s, violation
    return settled_s, None


def _chosen(targets: Sequence[Target], config: pytest.Config) -> list[Target]:
    """Return the points of --at, with --all each, otherwise those in the functions of the stages."""
    names = config.getoption("--at", [])
    if names:
        chosen = [target for target in targets if target.name in names]
        assert len(chosen) == len(names), f"of {names} only {chosen} are on the way of an order"
        return chosen
    every = config.getoption("--all", default=False)
    return [target for target in targets if every or target.function in STAGES[target.service]]
