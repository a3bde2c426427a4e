"""`./run bench push`: what a pushed message costs and how long it takes, beside other servers; and harder scenarios.

Without options: 1,000 clients of the notification service and of each peer get 40 messages a second for 5 s, then
bursts of ten. Server, clients, queue and database are processes of their own. Prints a table, then one JSON line;
exits 1 when the notification service lost or doubled anything, never for a time.
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console

from .backends import Backends, backends
from .comparison import Load, compare, sweep_loads
from .disk import flushes_ms
from .results import FanOut
from .scenarios.customers import customers
from .scenarios.filtered import filtered
from .scenarios.hostile import KINDS, hostile
from .scenarios.outcome import outcome_table
from .scenarios.storm import storm
from .scenarios.ten_thousand import ten_thousand
from .table import fan_out_table

SCENARIOS = ("ten-thousand", "filtered", "customers", "storm", "hostile")
# of the comparison, and of a phase of the hostile scenario, in which those that take nothing are to be cut
COMPARE_S, HOSTILE_S = 5.0, 14.0

console = Console()


async def compare_all(running: Backends, options: argparse.Namespace) -> list[FanOut]:
    """Measure under every load that was asked for."""
    seconds = options.seconds or COMPARE_S
    if options.sweep:
        loads = sweep_loads(options.sweep, options.rate, seconds)
    else:
        usual = Load(options.clients, options.rate, seconds)
        loads = [usual, usual.in_bursts()]
    results = []
    for load in loads:
        async for result in compare(running, load):
            console.print(f"[dim]{result.server} {result.protocol}, {result.clients:,} clients: measured[/dim]")
            results.append(result)
    return results


async def play(options: argparse.Namespace) -> tuple[dict[str, Any], bool]:
    """Run a scenario; return the figures, and whether everything held."""
    protocols = ("sse", "ws") if options.protocol is None else (options.protocol,)
    async with backends() as running:
        if options.scenario == "ten-thousand":
            outcome = await ten_thousand(running, protocols)
        elif options.scenario == "filtered":
            outcome = await filtered(running)
        elif options.scenario == "customers":
            outcome = await customers(running)
        elif options.scenario == "storm":
            outcome = await storm(running)
        else:
            outcome = await hostile(running, options.kinds or KINDS, options.seconds or HOSTILE_S)
    console.print(outcome_table(outcome))
    for what in outcome.broken:
        console.print(f"[red]{what}[/red]")
    return {options.scenario: asdict(outcome)}, not outcome.broken


async def measure(options: argparse.Namespace) -> tuple[dict[str, Any], bool]:
    """Compare; return the figures, and whether everything came once."""
    async with backends() as running:
        results = await compare_all(running, options)
        flush = await asyncio.to_thread(flushes_ms, running.data.run)
    console.print(fan_out_table(results))
    console.print(
        "A flush of the database's disk, which our latencies include: "
        f"p50 {flush['p50_ms']:.1f}, p99 {flush['p99_ms']:.1f}, at most {flush['max_ms']:.0f} ms"
    )
    if options.plot:
        from .plot import draw

        draw(results, options.plot)
    sound = not any(each.lost or each.doubled for each in results if each.server == "orderstream")
    return {"fan_out": [asdict(each) for each in results], "flush": flush}, sound


def numbers(text: str) -> list[int]:
    """Read ``100,1000``."""
    return [int(each) for each in text.split(",")]


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(
        prog="./run bench push", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=1_000, help="that are connected (1000)")
    parser.add_argument("--rate", type=float, default=40, help="messages a second (40)")
    parser.add_argument("--seconds", type=float, help="how long (5; each phase of hostile: 14)")
    parser.add_argument("--sweep", type=numbers, metavar="N,N,…", help="so many clients after each other")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="draw the sweep")
    parser.add_argument("--scenario", choices=SCENARIOS, help="play this instead")
    parser.add_argument("--protocol", choices=("sse", "ws"), help="ten-thousand: of all clients (half of them each)")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, help="hostile: of the clients (all)")
    options = parser.parse_args()
    figures, sound = asyncio.run(play(options) if options.scenario else measure(options))
    document = {**figures, "python": platform.python_version()}
    sys.stdout.write(orjson.dumps(document).decode() + "\n")
    sys.exit(0 if sound else 1)


if __name__ == "__main__":
    main()
