"""500 good clients, alone and beside hostile ones: what those do to the latency of the good, and what becomes of them.

All processes share this machine's cores, so a part of the difference is the work of the hostile process itself.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from statistics import fmean

import orjson

from ..backends import Backends
from ..crowd import Group, Job, Question
from ..crowds import Crowd, Report, connected
from ..feeder import Feeder, feeder
from ..hostility import KINDS as ALL_KINDS
from ..hostility import Hostility
from ..ours import PATHS, number_after
from ..service import notification_service
from .outcome import Outcome, Row, broken

__all__ = ["KINDS", "hostile"]

KINDS = tuple(ALL_KINDS)
GOOD = 500
EACH = 50
RATE_PER_S = 20
ROUNDS = 2
# for those that never read to have something not to read
HISTORY = 10_000
ARRIVE_S = 1.0


async def hostile(backends: Backends, kinds: Sequence[str], seconds: float) -> Outcome:
    """Measure without and with *kinds*, in turn."""
    rows: list[Row] = []
    faults: list[str] = []
    async with notification_service(backends) as service, feeder(backends) as source:
        begun = await source.head()
        await source.created_long_ago(HISTORY)
        groups = [Group(protocol, path, GOOD // len(PATHS)) for protocol, path in PATHS.items()]
        job = Hostility(service.port, kinds, EACH, f"{(await source.feed.state()).epoch}-{begun}")
        after = (await number_after(source)).decode()
        async with connected(Job(service.port, after, groups, stamp_each=1)) as crowd:
            for number in range(2 * ROUNDS):
                phase = f"hostile {number // 2 + 1}" if number % 2 else f"quiet {number // 2 + 1}"
                before = await service.metrics()
                async with _beside(job if number % 2 else None) as came:
                    report = await _served(crowd, source, seconds)
                faults += broken(phase, report, service)
                rows.append(_row(phase, report, before, await service.metrics(), came))
    return Outcome(f"500 good clients, beside {EACH} of each: {', '.join(kinds)}", [*rows, _change(rows)], faults)


async def _served(crowd: Crowd, source: Feeder, seconds: float) -> Report:
    sent = await source.over_queue(source.created(round(seconds * RATE_PER_S)), RATE_PER_S)
    await crowd.settled(Question({str(number): at for number, at in sent.items()}))
    return await crowd.report()


@asynccontextmanager
async def _beside(job: Hostility | None) -> AsyncIterator[dict[str, int]]:
    """Have the hostile clients there for the block; how often each kind came is filled in when it ends."""
    came: dict[str, int] = {}
    if job is None:
        yield came
        return
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.push.hostility"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(orjson.dumps(asdict(job)) + b"\n")
    try:
        await asyncio.sleep(ARRIVE_S)
        yield came
    finally:
        output, _ = await process.communicate()
    came |= orjson.loads(output)


def _row(phase: str, report: Report, before: dict[str, float], after: dict[str, float], came: dict[str, int]) -> Row:
    sse, ws = report.groups
    counted = {name: round(value - before.get(name, 0)) for name, value in after.items() if "total" in name}
    return {
        "phase": phase,
        "SSE p50 ms": sse.p50_ms,
        "SSE p99 ms": sse.p99_ms,
        "SSE arrived p99 ms": sse.arrived_p99_ms,
        "WS p50 ms": ws.p50_ms,
        "WS p99 ms": ws.p99_ms,
        "WS arrived p99 ms": ws.arrived_p99_ms,
        "lost": sse.lost + ws.lost,
        "doubled": sse.doubled + ws.doubled,
        "what the service counted": _named(
            counted, "aborts_total", "closes_total", "refusals_total", "client_errors_total"
        ),
        "hostile connections": _named(came, ""),
    }


def _named(counted: dict[str, int], *prefixes: str) -> str:
    return ", ".join(
        f"{name.replace('_total', '')} {value}"
        for name, value in counted.items()
        if value and name.startswith(prefixes)
    )


def _change(rows: Sequence[Row]) -> Row:
    """Return by how many per cent each latency is different when hostile clients are there."""
    changes: Row = {}
    for name, value in rows[0].items():
        if not name.endswith("ms"):
            changes[name] = "change, %" if name == "phase" else "" if isinstance(value, str) else 0
            continue
        quiet, loud = (fmean(float(row[name]) for row in rows[offset::2]) for offset in (0, 1))
        changes[name] = round(100 * (loud / quiet - 1), 1) if quiet else 0.0
    return changes
