"""10,000 clients of one process, 10 messages a second for 10 s: nobody is cut, everybody gets everything.

One process reads for all the clients, which takes it as long as the service takes to write: how long a message takes to
arrive at a client's socket is told beside how long it takes until it is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from ..backends import Backends
from ..cost import cpu_s, rss_bytes
from ..crowd import Group, Job, Question
from ..crowds import connected
from ..fanout import FIRST
from ..feeder import feeder
from ..ours import PATHS, number_after
from ..service import notification_service
from .outcome import Outcome, Row, broken

__all__ = ["ten_thousand"]

CLIENTS = 10_000
RATE_PER_S = 10
MESSAGES = 100
SETTLE_S = 2.0
STAMP_EACH = 10


async def ten_thousand(backends: Backends, protocols: Sequence[str]) -> Outcome:
    """Share the clients among *protocols*."""
    async with notification_service(backends) as service, feeder(backends) as source:
        groups = [Group(each, PATHS[each], CLIENTS // len(protocols)) for each in protocols]
        after = (await number_after(source)).decode()
        job = Job(service.port, after, groups, stamp_each=STAMP_EACH)
        async with connected(replace(job, groups=[replace(each, clients=FIRST) for each in groups])):
            await asyncio.sleep(SETTLE_S)
        memory = rss_bytes([service.pid])
        async with connected(job) as crowd:
            await asyncio.sleep(SETTLE_S)
            memory = rss_bytes([service.pid]) - memory
            cpu = cpu_s([service.pid])
            sent = await source.over_queue(source.created(MESSAGES), RATE_PER_S)
            await crowd.settled(Question({str(number): at for number, at in sent.items()}))
            cpu = cpu_s([service.pid]) - cpu
            report = await crowd.report()
            metrics = await service.metrics()
        faults = list(broken("10,000", report, service))
    aborts = {name: value for name, value in metrics.items() if name.startswith("aborts_total") and value}
    deliveries = sum(seen.deliveries for seen in report.groups)
    rows: list[Row] = [
        {
            "protocol": group.protocol,
            "clients": group.clients,
            "deliveries": seen.deliveries,
            "lost": seen.lost,
            "doubled": seen.doubled,
            "aborts": sum(aborts.values()),
            "p50 ms": seen.p50_ms,
            "p99 ms": seen.p99_ms,
            "max ms": seen.max_ms,
            "arrived p50 ms": seen.arrived_p50_ms,
            "arrived p99 ms": seen.arrived_p99_ms,
            "CPU µs a delivery": round(cpu * 1e6 / max(1, deliveries), 2),
            "RSS KB a client": round(memory / 1024 / CLIENTS, 1),
        }
        for group, seen in zip(groups, report.groups, strict=True)
    ]
    return Outcome("10,000 clients", rows, [*faults, *(f"{name}: {value:g}" for name, value in aborts.items())])
