"""The benchmarks start the processes that they measure."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE

from orderstream_local.layout import ROOT


async def test_poller_benchmark_starts_what_it_needs() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.poller", "--only", "poller", "--messages", "20"), cwd=ROOT, stdout=PIPE
    )
    async with asyncio.timeout(120):
        output, _ = await process.communicate()
    assert process.returncode == 0
    [result] = json.loads(output.splitlines()[-1])
    assert (result["consumer"], result["messages"], result["left"]) == ("poller", 20, 0)
