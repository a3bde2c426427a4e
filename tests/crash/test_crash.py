"""Every process of the system, killed before and after each await on the way of an order."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.crash.crashes import Crashes, Target
from tests.crash.history import report, story_of_failure
from tests.crash.stages import STAGES
from tests.support.invariants import Books
from tests.support.system import System
from tests.support.watcher import watching

pytestmark = pytest.mark.asyncio(loop_scope="module")

# visibility timeout, outbox lease of 30 s and the longest pause of a saga after failures
SETTLED_WITHIN_S = 75.0
LIMIT_S = 600.0


@pytest.mark.timeout(LIMIT_S)
async def test_every_stage_of_an_order_has_points(targets: list[Target]) -> None:
    found = {service: {target.function for target in targets if target.service == service} for service in STAGES}
    missing = {service: set(functions) - found[service] for service, functions in STAGES.items()}
    assert not any(missing.values()), missing


@pytest.mark.timeout(LIMIT_S)
async def test_nothing_is_lost_or_doubled_wherever_a_process_dies(
    system: System, crashes: Crashes, targets: list[Target], books: Books, pytestconfig: pytest.Config
) -> None:
    chosen = _chosen(targets, pytestconfig)
    async with watching(system) as watchers:
        await crashes.at_each(chosen)
        try:
            settled_s = await books.settle(SETTLED_WITHIN_S)
            await books.check()
            for watcher in watchers:
                await watcher.caught_up(system)
        except AssertionError as violation:
            pytest.fail(story_of_failure(system, crashes.done, violation), pytrace=False)
    print(report(crashes, targets, settled_s))  # noqa: T201 - for those who ask with -rP
    assert not crashes.unreached, "points not reached:\n" + "\n".join(map(str, crashes.unreached))


def _chosen(targets: Sequence[Target], config: pytest.Config) -> list[Target]:
    """Return the points of --at, with --all each, otherwise those in the functions of the stages."""
    names = config.getoption("--at")
    if names:
        chosen = [target for target in targets if target.name in names]
        assert len(chosen) == len(names), f"of {names} only {chosen} are on the way of an order"
        return chosen
    every = config.getoption("--all")
    return [target for target in targets if every or target.function in STAGES[target.service]]
