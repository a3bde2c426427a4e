"""Records the runs that the test of the alarms evaluates: real faults, in real time, some twelve minutes each.

python -m tests.alarms [NAME ...] [--at-a-time N]
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from tests.alarms.evaluation import RECORDINGS
from tests.alarms.record import record
from tests.alarms.scenarios import SCENARIOS

STAGGER_S = 6.0


async def main() -> None:
    """Record the named scenarios, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.alarms", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *SCENARIOS], help=", ".join(SCENARIOS))
    parser.add_argument("--at-a-time", type=int, default=2, metavar="N", help="systems that run at a time (2)")
    options = parser.parse_args()
    limit = asyncio.Semaphore(options.at_a_time)

    async def one(number: int, name: str) -> None:
        async with limit:
            await asyncio.sleep(number % options.at_a_time * STAGGER_S)
            sys.stderr.write(f"{name}: {SCENARIOS[name].what}\n")
            recording = await record(SCENARIOS[name])
            await asyncio.to_thread((RECORDINGS / f"{name}.jsonl.xz").write_bytes, recording)
            sys.stderr.write(f"{name}: recorded\n")

    async with asyncio.TaskGroup() as group:
        for number, name in enumerate(options.names or SCENARIOS):
            group.create_task(one(number, name))


if __name__ == "__main__":
    asyncio.run(main())
