"""One process of the system: started, kept alive with back-off, stopped in time; and commands that run to their end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["CommandFailedError", "ProcessSpec", "ServiceProcess", "run_command", "together"]

FIRST_DELAY_S = 0.25
LONGEST_DELAY_S = 10.0
SETTLED_AFTER_S = 10.0
_LAUNCH = Path(__file__).with_name("launch.py")


class CommandFailedError(Exception):
    """A command of the set-up ended with an error; its own words are in the message."""


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """What to run.

    Attributes:
        name: of the process, its pid file and its log.
        environment: all of it, nothing is inherited.
        level: processes of a higher level are stopped before those of a lower one.
        stop_signal: asks it to end in order.
        user: to run as, when not as this one.
        started: awaited after each start, for what has to be done anew then.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    level: int = 0
    stop_signal: signal.Signals = signal.SIGTERM
    user: str | None = None
    started: Callable[[], Awaitable[None]] | None = field(default=None, compare=False)


class ServiceProcess:
    """A process that is started again when it dies, later each time it dies young.

    Attributes:
        log: what it writes goes to the end of this file.
        restarts: how often it had to be started again.
    """

    def __init__(self, spec: ProcessSpec, *, pid_file: Path, log: Path, report: Callable[[str], None]) -> None:
        self.spec = spec
        self.log = log
        self.restarts = 0
        self._pid_file = pid_file
        self._report = report
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def name(self) -> str:
        """The name of the process."""
        return self.spec.name

    @property
    def pid(self) -> int | None:
        """Its pid; None while it waits to be started again."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self) -> None:
        """Start it and keep it alive from then on."""
        self._stopping = False
        await self._spawn()
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.name}")
        if self.spec.started:
            await self.spec.started()

    def send(self, sig: signal.Signals) -> None:
        """Send it a signal (SIGSTOP freezes it, SIGCONT wakes it); nothing when it is not there."""
        if (pid := self.pid) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sig)

    def kill(self) -> None:
        """Kill it without any warning; it will be started again."""
        self.send(signal.SIGKILL)

    async def stop(self, within_s: float) -> None:
        """Ask it to end, wait *within_s*, then kill what is left of it and its children."""
        self._stopping = True
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        process = self._process
        if process is not None:
            self.send(signal.SIGCONT)  # a frozen one would not even hear that it should end
            self.send(self.spec.stop_signal)
            try:
                await asyncio.wait_for(process.wait(), within_s)
            except TimeoutError:
                self._report(f"{self.name} did not end within {within_s:.1f} s and was killed")
            # it leads its own session: whatever it started and left behind goes with it
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        self._pid_file.unlink(missing_ok=True)

    async def _keep(self) -> None:
        young_deaths = 0
        while not self._stopping:
            process, started = self._process, time.monotonic()
            assert process is not None
            status = await process.wait()
            self._pid_file.unlink(missing_ok=True)
            young_deaths = 0 if time.monotonic() - started > SETTLED_AFTER_S else young_deaths + 1
            delay_s = min(FIRST_DELAY_S * 2 ** max(young_deaths - 1, 0), LONGEST_DELAY_S)
            self._report(f"{self.name} {_end(status)}; started again in {delay_s:g} s")
            await asyncio.sleep(delay_s)
            await self._spawn()
            self.restarts += 1
            await self._tell_started()

    async def _tell_started(self) -> None:
        if self.spec.started:
            try:
                await self.spec.started()
            except Exception as error:
                self._report(f"{self.name} started again, but: {error}")

    async def _spawn(self) -> None:
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *_launched(self.spec),
                env=dict(self.spec.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the runner: it stops the others in order
            )
        self._pid_file.write_text(f"{self._process.pid}\n", encoding="ascii")


async def run_command(
    command: tuple[str, ...],
    *,
    environment: Mapping[str, str],
    user: str | None = None,
    stdin: bytes | None = None,
    folder: Path | None = None,
    timeout_s: float = 60.0,
) -> str:
    """Run *command*, in *folder* if there is one, to its end and return what it wrote to stdout.

    When it has to be ended, what it started and still runs is ended too.

    Raises:
        CommandFailedError: it could not be run, ended with an error or not within *timeout_s*.
    """
    name = Path(command[0]).name
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL if stdin is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=folder,
            start_new_session=True,  # a group of its own, to be killed as one
            user=user,
            group=pwd.getpwnam(user).pw_gid if user else None,  # root's group may be shut out where others pass
            extra_groups=[] if user else None,
        )
    except OSError as error:
        raise CommandFailedError(f"{name} can't be run{f' as {user}' if user else ''}: {error}") from error
    try:
        output, errors = await asyncio.wait_for(process.communicate(stdin), timeout_s)
    except TimeoutError:
        raise CommandFailedError(f"{name} did not end within {timeout_s:g} s") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode:
        said = (errors.strip() or output.strip()).decode(errors="replace")
        raise CommandFailedError(f"{name}: {said or _end(process.returncode)}")
    return output.decode(errors="replace")


async def together(*works: Coroutine[Any, Any, None]) -> None:
    """Do all *works* at once; when one fails the others are cancelled and its error is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None


def _end(status: int) -> str:
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"


def _launched(spec: ProcessSpec) -> tuple[str, ...]:
    return (
        *(sys.executable, "-I", "-S", str(_LAUNCH)),
        *(str(int(spec.stop_signal)), str(os.getpid()), spec.user or ""),
        *spec.command,
    )
