"""5,000 clients come back at once, 500 notifications behind: served from memory, then from the table."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from ..backends import Backends
from ..cost import cpu_s, peak_rss_bytes, rss_bytes
from ..crowd import Group, Job, Question
from ..crowds import connected
from ..feeder import Feeder, feeder
from ..ours import PATHS, number_after
from ..service import Service, notification_service
from .outcome import Outcome, Row, broken

__all__ = ["storm"]

CLIENTS = 5_000
BEHIND = 500
LIVE = 10
POLL_S = 0.05
PATIENCE_S = 10.0
RINGS: dict[str, dict[str, str]] = {"in the ring": {}, "beyond the ring": {"PUSH_RING_BYTES": "20000"}}


@dataclass(slots=True)
class Readiness:
    """What ``GET /health/ready`` answered while it was asked again and again: statuses, 0 for none at all."""

    statuses: Counter[int] = field(default_factory=Counter)
    slowest_s: float = 0.0


async def storm(backends: Backends) -> Outcome:
    """Let them come, once for each length of the ring."""
    rows, faults = [], []
    for name, environ in RINGS.items():
        row, wrong = await _come_back(backends, name, environ)
        rows.append(row)
        faults += wrong
    return Outcome("5,000 clients come back, 500 notifications behind", rows, faults)


async def _come_back(backends: Backends, name: str, environ: Mapping[str, str]) -> tuple[Row, list[str]]:
    async with (
        notification_service(backends, environ) as service,
        feeder(backends) as source,
        _polled(service) as readiness,
    ):
        before = await source.head()
        await source.created_long_ago(BEHIND)
        sent = {str(number): 0 for number in range(before + 1, before + BEHIND + 1)}
        memory, cpu, metrics = rss_bytes([service.pid]), cpu_s([service.pid]), await service.metrics()
        async with connected(await _job(service, source, before)) as crowd:
            last_ns = await crowd.settled(Question(sent, quiet_s=PATIENCE_S))
            cpu = cpu_s([service.pid]) - cpu
            report = await crowd.report()
            faults = list(broken(name, report, service))
            live = await source.over_queue(source.created(LIVE), rate_per_s=LIVE)
            await crowd.settled(Question({str(number): at for number, at in live.items()}))
            faults += broken(f"{name}, then live", await crowd.report(), service)
            reads = (await service.metrics())["catch_up_reads_total"] - metrics["catch_up_reads_total"]
            peak = peak_rss_bytes(service.pid)
    faults += [f"{name}: ready answered {status}" for status in readiness.statuses if status != 200]
    row: Row = {
        "500 behind": name,
        "lost": sum(seen.lost for seen in report.groups),
        "doubled": sum(seen.doubled for seen in report.groups),
        "all connected s": round((crowd.connected_ns - crowd.began_ns) / 1e9, 2),
        "all caught up s": round((last_ns - crowd.began_ns) / 1e9, 2),
        "reads of the table": reads,
        "CPU s": round(cpu, 2),
        "RSS before MB": round(memory / 2**20, 1),
        "peak RSS MB": round(peak / 2**20, 1),
        "ready polled": readiness.statuses.total(),
        "slowest ready ms": round(readiness.slowest_s * 1000, 1),
    }
    return row, faults


async def _job(service: Service, source: Feeder, seen: int) -> Job:
    epoch = (await source.feed.state()).epoch
    groups = [
        Group(protocol, f"{path}?lastEventId={epoch}-{seen}", CLIENTS // len(PATHS)) for protocol, path in PATHS.items()
    ]
    return Job(service.port, (await number_after(source)).decode(), groups, at_once=CLIENTS)


@asynccontextmanager
async def _polled(service: Service) -> AsyncIterator[Readiness]:
    """Ask for readiness again and again while the block runs."""
    readiness = Readiness()
    polling = asyncio.create_task(_poll(f"{service.url}/health/ready", readiness))
    try:
        yield readiness
    finally:
        polling.cancel()
        await asyncio.wait([polling])


async def _poll(url: str, readiness: Readiness) -> None:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE_S)) as session:
        while True:
            began = time.perf_counter()
            try:
                async with session.get(url) as response:
                    status = response.status
            except (aiohttp.ClientError, TimeoutError):
                status = 0
            readiness.statuses[status] += 1
            readiness.slowest_s = max(readiness.slowest_s, time.perf_counter() - began)
            await asyncio.sleep(POLL_S)
