"""Supervised processes: restarts, stops and their time limits."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from orderstream_local.layout import DataFolder
from orderstream_local.process import CommandFailedError, ProcessSpec, run_command
from orderstream_local.supervisor import Supervisor
from tests.support.waiting import PATIENCE_S

ENVIRONMENT = {"PATH": os.environ["PATH"]}
SLEEP = "import time; time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"
)
PARENT = "import subprocess, sys, time; print(subprocess.Popen(['sleep', '600']).pid, flush=True); time.sleep(600)"


def spec(name: str, code: str, level: int = 0) -> ProcessSpec:
    return ProcessSpec(name=name, command=(sys.executable, "-c", code), environment=ENVIRONMENT, level=level)


async def eventually(check: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not check():  # noqa: ASYNC110 - another process can't set an event here
            await asyncio.sleep(0.02)


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path)
    folder.run.mkdir()
    folder.logs.mkdir()
    return folder


@pytest.fixture
def reports() -> list[str]:
    return []


@pytest.fixture
async def supervisor(data: DataFolder, reports: list[str]) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(data, reports.append)
    yield supervisor
    await supervisor.stop()


async def test_running_process_has_pid_file(supervisor: Supervisor, data: DataFolder) -> None:
    await supervisor.start([spec("order-service", SLEEP)])
    pid = supervisor.processes["order-service"].pid
    assert data.pid_file("order-service").read_text() == f"{pid}\n"
    await supervisor.stop()
    assert not data.pid_file("order-service").exists()
    assert pid is not None
    assert not psutil.pid_exists(pid)


async def test_killed_process_is_restarted(supervisor: Supervisor, reports: list[str]) -> None:
    await supervisor.start([spec("order-service", SLEEP)])
    process = supervisor.processes["order-service"]
    first = process.pid
    process.kill()
    await eventually(lambda: process.restarts == 1)
    assert process.pid not in {None, first}
    assert reports == ["order-service was terminated by SIGKILL; restarting in 0.25 s"]


async def test_process_that_exits_with_a_status_is_restarted_also_when_a_start_fails(
    supervisor: Supervisor, reports: list[str], tmp_path: Path
) -> None:
    end = tmp_path / "end"
    waiting = f"while not os.path.exists({str(end)!r}): time.sleep(0.02)"
    code = f"import os, time\n{waiting}\nos.remove({str(end)!r}); os._exit(1)"
    await supervisor.start([spec("order-service", code)])
    process = supervisor.processes["order-service"]
    log, process.log = process.log, tmp_path / "missing" / "log"
    end.touch()
    await eventually(lambda: len(reports) > 1)
    process.log = log
    await eventually(lambda: process.restarts == 1 and process.pid is not None)
    assert reports[0] == "order-service exited with status 1; restarting in 0.25 s"
    assert reports[1].startswith("order-service can't be started: ")


async def test_what_follows_a_restart_is_repeated_until_it_succeeds(supervisor: Supervisor, reports: list[str]) -> None:
    outcomes: list[Exception | None] = [None, CommandFailedError("no answer"), ValueError("no JSON"), None]

    async def post_start() -> None:
        if (outcome := outcomes.pop(0)) is not None:
            raise outcome

    await supervisor.start([replace(spec("emulator", SLEEP), post_start=post_start)])
    supervisor.processes["emulator"].kill()
    await eventually(lambda: not outcomes)
    assert reports[1:] == ["emulator restarted, but: no answer", "emulator restarted, but: no JSON"]


async def test_process_is_supervised_after_stop_and_start(supervisor: Supervisor) -> None:
    await supervisor.start([spec("order-service", SLEEP)])
    process = supervisor.processes["order-service"]
    await process.stop(within_s=5)
    await process.start()
    process.kill()
    await eventually(lambda: process.restarts == 1)


async def test_crash_loop_has_exponential_back_off(supervisor: Supervisor, reports: list[str]) -> None:
    await supervisor.start([spec("order-service", "raise SystemExit(3)")])
    await eventually(lambda: len(reports) == 3)
    assert [line.rsplit(" ", 2)[1] for line in reports] == ["0.25", "0.5", "1"]


async def test_output_is_written_to_log(supervisor: Supervisor, data: DataFolder) -> None:
    await supervisor.start([spec("order-service", "print('hello', flush=True); import time; time.sleep(600)")])
    await eventually(lambda: data.log_file("order-service").read_text() == "hello\n")


async def test_process_that_ignores_stop_signal_is_killed(
    supervisor: Supervisor, data: DataFolder, reports: list[str]
) -> None:
    await supervisor.start([spec("order-service", STUBBORN, level=1), spec("postgres", STUBBORN)])
    for name in ("order-service", "postgres"):
        await eventually(lambda name=name: data.log_file(name).read_text() == "ready\n")  # type: ignore[misc]
    async with asyncio.timeout(10):
        await supervisor.stop()
    assert len(reports) == 2


async def test_suspended_process_is_stopped(supervisor: Supervisor) -> None:
    await supervisor.start([spec("order-service", SLEEP)])
    process = supervisor.processes["order-service"]
    process.send(signal.SIGSTOP)
    async with asyncio.timeout(3):
        await supervisor.stop()


async def test_children_are_killed_with_process(supervisor: Supervisor, data: DataFolder) -> None:
    await supervisor.start([spec("order-service", PARENT)])
    log = data.log_file("order-service")
    await eventually(lambda: log.read_text().endswith("\n"))
    child = int(log.read_text())
    await supervisor.stop()
    await eventually(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE)


async def test_higher_level_is_stopped_first(supervisor: Supervisor, data: DataFolder) -> None:
    note = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (open({path!r}, 'a').write({name!r}), sys.exit()))\n"
        "print('up', flush=True)\n"
        "time.sleep(600)"
    )
    path = str(data.path / "order")
    specs = [
        spec(name, note.format(path=path, name=name), level=level) for name, level in (("a", 0), ("b", 2), ("c", 1))
    ]
    await supervisor.start(specs)
    for name in "abc":
        await eventually(lambda name=name: data.log_file(name).read_text() == "up\n")  # type: ignore[misc]
    await supervisor.stop()
    assert (data.path / "order").read_text() == "bca"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
async def test_processes_end_when_runner_is_killed(data: DataFolder) -> None:
    code = f"""
import asyncio, pathlib, sys
from orderstream_local.layout import DataFolder
from orderstream_local.process import ProcessSpec
from orderstream_local.supervisor import Supervisor
async def main():
    command = (sys.executable, "-c", {SLEEP!r})
    supervisor = Supervisor(DataFolder(pathlib.Path({str(data.path)!r})), print)
    await supervisor.start([ProcessSpec(name="order-service", command=command, environment={ENVIRONMENT!r})])
    await asyncio.sleep(600)
asyncio.run(main())
"""
    runner = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    pid_file = data.pid_file("order-service")
    await eventually(lambda: pid_file.exists() and pid_file.read_text().endswith("\n"))
    child = psutil.Process(int(pid_file.read_text()))
    await eventually(lambda: child.cmdline()[1:2] == ["-c"])
    runner.kill()
    await runner.wait()
    await eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


async def test_failed_command_is_reported_with_output() -> None:
    with pytest.raises(CommandFailedError, match="it is broken"):
        await run_command((sys.executable, "-c", "raise SystemExit('it is broken')"), environment=ENVIRONMENT)
    with pytest.raises(CommandFailedError, match="did not exit within"):
        await run_command((sys.executable, "-c", SLEEP), environment=ENVIRONMENT, timeout_s=0.2)
    with pytest.raises(CommandFailedError, match="nowhere"):
        await run_command(("/nowhere",), environment=ENVIRONMENT)


async def test_children_are_killed_with_command(tmp_path: Path) -> None:
    script = "sleep 60 & echo $! >child; wait"
    with pytest.raises(CommandFailedError, match="did not exit within"):
        await run_command(("sh", "-c", script), environment=ENVIRONMENT, folder=tmp_path, timeout_s=0.5)
    child = int((tmp_path / "child").read_text())

    def gone() -> bool:
        try:
            return psutil.Process(child).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    await eventually(gone)
