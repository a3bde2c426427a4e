"""One simulation: what it does, how long it may take to settle, and its verdict."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from service_common.scope import ALL_CUSTOMERS, OneCustomer
from tests.simulation.clock import simulated_time
from tests.simulation.customers import NAMES, PRODUCTS, Customers
from tests.simulation.database import UnforeseenError
from tests.simulation.decisions import Decisions
from tests.simulation.deployment import Deployment
from tests.simulation.invariants import unfinished, violations
from tests.simulation.loop import DeadlockError, Process
from tests.simulation.watchers import Watcher
from tests.simulation.world import World

__all__ = ["Verdict", "simulate"]

FAULTY_S = 12.0
SETTLE_S = 60.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one seed.

    Attributes:
        seed: of the run.
        problems: the violations; none when all is well.
        happened: the keys of what happened by chance.
        checksum: of the trace.
        settled_s: time from the last fault until nothing was left to do, in simulated seconds.
        trace: when it was asked for.
    """

    seed: int
    problems: tuple[str, ...]
    happened: tuple[str, ...]
    checksum: int
    settled_s: float
    trace: tuple[str, ...] = field(repr=False, default=())


# Worlds of former runs: a task that is dropped runs its finally blocks. So a process runs a bounded number of seeds.
_kept: list[World] = []


class _Errors(logging.Handler):
    """Notes what is logged; a record of a defect is a problem."""

    def __init__(self, world: World) -> None:
        super().__init__(logging.INFO if world.verbose else logging.ERROR)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        facts = {name: getattr(record, name) for name in _FACTS if hasattr(record, name)}
        text = f"{record.getMessage()} {' '.join(f'{name}={value}' for name, value in facts.items())}"
        if error is not None:
            text += f" {type(error).__name__}: {error}"
        self._world.say(text)
        if record.levelno >= logging.ERROR and error is not None and not _is_simulated(error):
            self._world.problems.append(f"logged: {text}")


_FACTS = ("orderId", "version", "state", "kind", "operationId", "outcome", "type", "queue", "reason", "error", "task")


def _is_simulated(error: BaseException) -> bool:
    """Whether *error* is one that the world raised in order that something dies of it."""
    inner = (*getattr(error, "exceptions", ()), error.__cause__)
    return isinstance(error, UnforeseenError) or any(each is not None and _is_simulated(each) for each in inner)


def simulate(seed: int, *, only: Collection[str] | None = None, verbose: bool = False) -> Verdict:
    """Run the simulation of *seed*, with only those chance events whose keys are in *only*."""
    decisions = Decisions(seed, only)
    world = World(decisions, verbose=verbose)
    random.seed(seed)
    _kept.append(world)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers[:] = [_Errors(world)]
    root.setLevel(logging.INFO if verbose else logging.ERROR)
    try:
        with simulated_time(world.loop.time):
            deployment = Deployment(world)
            customers = Customers(deployment)
            watchers = [Watcher(deployment, scope) for scope in (ALL_CUSTOMERS, OneCustomer(NAMES[0]))]
            with deployment.installed():
                try:
                    settled_s = world.loop.run_until_complete(_story(deployment, customers, watchers))
                except DeadlockError:
                    settled_s = SETTLE_S
                    world.problems.append("deadlock")
        heard = [problem for watcher in watchers for problem in watcher.problems]
        problems = [*world.problems, *customers.problems, *heard, *violations(deployment, customers)]
        problems += [
            f"not handled: {context.get('message')} {context.get('exception')}" for context in world.loop.errors
        ]
        if settled_s >= SETTLE_S:
            problems = [*(f"open after {SETTLE_S:g} s: {what}" for what in _left(deployment, watchers)), *problems]
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    return Verdict(seed, tuple(problems), tuple(decisions.happened), world.checksum, settled_s, tuple(world.trace))


def _left(deployment: Deployment, watchers: Sequence[Watcher]) -> Iterator[str]:
    yield from unfinished(deployment)
    for watcher in watchers:
        yield from watcher.unfinished()


async def _story(deployment: Deployment, customers: Customers, watchers: Sequence[Watcher]) -> float:
    world = deployment.world
    for product_id, stock in PRODUCTS.items():
        await deployment.stock.add(product_id, stock)
    deployment.start()
    acting = world.loop.start(Process("customer"), customers.act(FAULTY_S))
    for watcher in watchers:
        world.loop.start(Process("watcher"), watcher.watch())
    await asyncio.sleep(FAULTY_S)
    world.end_faults()
    for server in deployment.servers.values():
        server.end_faults()
    quiet_since = world.loop.time()
    while world.loop.time() - quiet_since < SETTLE_S:
        await asyncio.sleep(0.5)
        if acting.done():
            acting.result()
            if next(_left(deployment, watchers), None) is None:
                break
    return world.loop.time() - quiet_since
