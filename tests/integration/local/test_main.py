"""The demo as a process, before any other process runs."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

from tests.support.waiting import PATIENCE_S


async def test_ctrl_c_during_imports_exits_without_traceback(tmp_path: Path) -> None:
    options = ("demo", "--data", str(tmp_path), "--free-ports")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-X", "importtime", "-m", "orderstream_local", *options), stdout=PIPE, stderr=PIPE
    )
    assert process.stderr is not None
    async with asyncio.timeout(PATIENCE_S):
        while not (await process.stderr.readline()).rstrip().endswith(b" argparse"):
            assert process.returncode is None
        process.send_signal(signal.SIGINT)
        output, errors = await process.communicate()
    assert process.returncode == 130
    assert output == b""
    assert [line for line in errors.splitlines() if not line.startswith(b"import time:")] == []


async def test_failed_start_is_reported_in_one_ascii_sentence(tmp_path: Path) -> None:
    file = tmp_path / "file…"
    file.touch()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "orderstream_local", "demo", "--free-ports", "--data", str(file)),
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        stdout=PIPE,
        stderr=PIPE,
    )
    output, errors = await process.communicate()
    assert (process.returncode, errors) == (2, b"")
    [sentence] = output.decode("ascii").splitlines()
    assert sentence.startswith(f"demo: can't keep data in {tmp_path}/file?: ")
