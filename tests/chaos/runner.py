"""A run: the system with proxies between its services, customers, watchers and faults, and then the evidence."""

from __future__ import annotations

import asyncio
import math
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil

from orderstream_local.ports import Ports
from orderstream_local.stack import Stack, StackOptions
from tests.chaos.deliveries import Deliveries
from tests.chaos.evidence import Evidence, Struck, gather, settled, stock
from tests.chaos.network import AWS, CALLS, Network
from tests.chaos.plan import Planned
from tests.chaos.stage import PROCESSES, REPLICAS, Stage, replica_name
from tests.support.folders import reachable_folder
from tests.support.load import Customers, Ledger
from tests.support.system import System
from tests.support.waiting import meanwhile
from tests.support.watcher import Protocol, Watcher, following, head_of_feed

__all__ = ["Run", "find_faketime", "run"]

# what was lost is announced after 20 s, what a dead consumer held comes back after 30 s, and each may wait for another
SETTLED_WITHIN_S = 100.0
# heartbeats show a watcher that its replica hangs
SETTINGS = {"RECONCILE_AFTER_S": "20", "PUSH_HEARTBEAT_S": "1"}
SILENCE_LIMIT_S = 4.0
# orders that filtering watchers want: every other of the first
WANTED = frozenset(range(1, 400, 2))
SAMPLE_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Run:
    """What to do.

    Attributes:
        rate_per_s: orders.
        seconds: of load and faults.
        seed: of the customers and of what faults choose.
        planned: the faults.
        faketime: the library that moves clocks, if it is there.
        data: where the system keeps its data and logs; None for a folder that is removed.
        say: is told of what happens.
    """

    rate_per_s: float
    seconds: float
    seed: int
    planned: Sequence[Planned]
    faketime: Path | None
    data: Path | None
    say: Callable[[str], None]


class WiredStack(Stack):
    """The system with proxies between its services, and clocks that can be moved.

    Args:
        network: the proxies.
        clocks: process to the file with the offset of its clock.
        faketime: the library that reads these files.
    """

    def __init__(
        self, options: StackOptions, network: Network, clocks: Mapping[str, Path], faketime: Path | None
    ) -> None:
        super().__init__(options)
        self._network = network
        self._clocks = clocks
        self._faketime = faketime

    def environment(self, service: str, replica: int = 0) -> dict[str, str]:
        """Return the environment of a service's process."""
        found = super().environment(service, replica) | self._network.environment(service, replica)
        if clock := self._clocks.get(replica_name(service, replica)):
            found |= {
                "LD_PRELOAD": str(self._faketime),
                "FAKETIME_TIMESTAMP_FILE": str(clock),
                "FAKETIME_CACHE_DURATION": "1",
                "DONT_FAKE_MONOTONIC": "1",
            }
        return found


def find_faketime() -> Path | None:
    """Return the library of Debian's package *faketime*."""
    return next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None) if sys.platform == "linux" else None


async def run(asked: Run) -> Evidence:
    """Start the system, strike it under load, wait until it has settled, and return the evidence."""
    evidence = Evidence(Ledger())
    deliveries = Deliveries()

    def report(text: str) -> None:
        evidence.exits.append((time.time(), text))

    async with AsyncExitStack() as entered:
        data = asked.data or entered.enter_context(reachable_folder("chaos-"))
        clocks = _clocks(data) if asked.faketime else {}
        network = await entered.enter_async_context(
            Network(REPLICAS, lambda name, replica: _upstream(stack, name, replica), deliveries.observe)
        )
        options = StackOptions(
            data=data / "stack",
            ports=Ports.free(),
            scale=dict.fromkeys(CALLS, REPLICAS),
            environ=SETTINGS,
            web=False,
            progress=report,
        )
        stack = WiredStack(options, network, clocks, asked.faketime)
        await entered.enter_async_context(stack)
        session = await entered.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        stage = Stage(System(stack, session), network, deliveries, clocks=clocks)
        await _under_load(asked, stage, evidence)
    return evidence


async def _under_load(asked: Run, stage: Stage, evidence: Evidence) -> None:
    system, ledger = stage.system, evidence.ledger
    customers = Customers(system, ledger, asked.seed)
    await customers.stock_up()
    stage.locked = next(iter(ledger.stocked))
    head = await head_of_feed(system)
    begun = int(head.rpartition("-")[2])
    protocols: tuple[Protocol, ...] = ("sse", "ws")
    evidence.watchers = watchers = [
        Watcher(head, begun, protocol, orders, replica % REPLICAS, SILENCE_LIMIT_S, cut_every_s)
        for protocol in protocols
        for replica, (orders, cut_every_s) in enumerate(((None, math.inf), (None, 5.0), (WANTED, 5.0)))
    ]
    async with following(system, watchers), meanwhile(_sample(stage, evidence)):
        asked.say(f"{asked.rate_per_s:g} orders a second for {asked.seconds:g} s")
        began = time.time()
        async with asyncio.TaskGroup() as group:
            group.create_task(customers.order(asked.rate_per_s, asked.seconds))
            group.create_task(_strike(asked, stage, evidence, began))
        over = time.time()
        asked.say(f"{over - began:6.1f} s  settling")
        left = await settled(stage, ledger, watchers, SETTLED_WITHIN_S)
        outcome = f"not settled: {left}" if left else "settled"
        asked.say(f"{time.time() - began:6.1f} s  {outcome}, {time.time() - over:.1f} s later")
        await gather(stage, customers, evidence)
        await settled(stage, ledger, watchers, SETTLED_WITHIN_S / 5)


async def _strike(asked: Run, stage: Stage, evidence: Evidence, began: float) -> None:
    """Let each fault begin at its time; one that outlasts its own holds up those of the same target."""
    struck: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def strike(planned: Planned) -> None:
        await asyncio.sleep(began + planned.at_s - time.time())
        async with struck[planned.target]:
            at = time.time()
            asked.say(f"{at - began:6.1f} s  {planned.fault.name} of {planned.target}")
            chance = random.Random(f"{asked.seed}/{planned.number}")
            try:
                async with planned.fault.strike(stage, planned.target, chance):
                    await asyncio.sleep(planned.for_s)
            except AssertionError as error:
                evidence.unrecovered.append(f"{planned.fault.name} of {planned.target}: {error}")
            evidence.struck.append(Struck(planned, at, time.time()))

    async with asyncio.TaskGroup() as group:
        for planned in asked.planned:
            group.create_task(strike(planned))


async def _sample(stage: Stage, evidence: Evidence) -> None:
    """Watch what must not be exceeded at any time: the memory of the services, and the lowest stock."""
    products = evidence.ledger.stocked
    while True:
        for process in PROCESSES:
            if pid := stage.system.stack.processes[process].pid:
                with suppress(psutil.NoSuchProcess):
                    mb = psutil.Process(pid).memory_info().rss / 2**20
                    evidence.peak_rss_mb[process] = max(evidence.peak_rss_mb.get(process, 0.0), mb)
        with suppress(aiohttp.ClientError, TimeoutError):
            evidence.lowest = min([evidence.lowest, *(await stock(stage, products)).values()])
        await asyncio.sleep(SAMPLE_EVERY_S)


def _clocks(folder: Path) -> dict[str, Path]:
    """Make the files that move the clocks of each service's second replica."""
    folder.mkdir(parents=True, exist_ok=True)
    clocks = {name: folder / f"{name}.clock" for name in PROCESSES[1::REPLICAS]}
    for clock in clocks.values():
        clock.write_text("+0\n", encoding="ascii")
    return clocks


def _upstream(stack: Stack, name: str, replica: int) -> str:
    return stack.aws_endpoint if name == AWS else stack.url(name, replica)
