"""One server, one crowd: what a delivery costs and how long it takes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from .cost import cpu_s, rss_bytes
from .crowd import Group, Job, Question
from .crowds import connected
from .results import FanOut
from .servers import Target

__all__ = ["FIRST", "fan_out"]

# after this, a server has done what connecting costs
SETTLE_S = 1.0
# clients before the first that count: what a server allocates once, however many come, is not theirs
FIRST = 10


async def fan_out(target: Target, *, clients: int, rate_per_s: float, seconds: float, burst: int = 1) -> FanOut:
    """Connect the clients, publish at the rate, and return what came of it."""
    count = round(rate_per_s * seconds)
    group = Group(target.protocol, target.path, clients)
    job = Job(target.port, target.number_after.decode(), [group])
    async with connected(replace(job, groups=[replace(group, clients=FIRST)])):
        await asyncio.sleep(SETTLE_S)
    before = rss_bytes(target.pids)
    async with connected(job) as crowd:
        await asyncio.sleep(SETTLE_S)
        memory = rss_bytes(target.pids) - before
        cpu = cpu_s(target.pids)
        sent = await target.publish(count, rate_per_s, burst)
        last_ns = await crowd.settled(Question({str(number): at for number, at in sent.items()}))
        cpu = cpu_s(target.pids) - cpu
        report = await crowd.report()
    (seen,) = report.groups
    return FanOut(
        server=target.name,
        protocol=target.protocol,
        clients=clients,
        rate_per_s=rate_per_s,
        burst=burst,
        expected=seen.expected,
        deliveries=seen.deliveries,
        lost=seen.lost,
        doubled=seen.doubled,
        seconds=round((last_ns - min(sent.values())) / 1e9, 2),
        cpu_us=round(cpu * 1e6 / max(1, seen.deliveries), 2),
        rss_kb=round(memory / 1024 / clients, 1),
        p50_ms=seen.p50_ms,
        p99_ms=seen.p99_ms,
        max_ms=seen.max_ms,
        joined=round(seen.deliveries / max(1, seen.reads), 2),
        note=target.note,
    )
