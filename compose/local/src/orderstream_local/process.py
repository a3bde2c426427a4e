"""A supervised process with restarts and back-off, and commands that run to completion."""

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

__all__ = ["CommandFailedError", "ProcessSpec", "ServiceProcess", "run_command", "run_concurrently"]

FIRST_DELAY_S = 0.25
MAX_DELAY_S = 10.0
STABLE_AFTER_S = 10.0
_LAUNCH = Path(__file__).with_name("launch.py")


class CommandFailedError(Exception):
    """A command failed; the message has its output."""


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """How to run a process.

    Attributes:
        name: the name of the process, its pid file and its log.
        environment: the whole environment; the runner's own is not inherited.
        level: processes of a higher level are stopped before those of a lower one.
        stop_signal: requests a graceful stop.
        user: the user to run as; None is the current one.
        post_start: awaited after each start and restart.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    level: int = 0
    stop_signal: signal.Signals = signal.SIGTERM
    user: str | None = None
    post_start: Callable[[], Awaitable[None]] | None = field(default=None, compare=False)


class ServiceProcess:
    """A process that is restarted when it exits, with exponential back-off while it exits early.

    Attributes:
        log: the file that its stdout and stderr are appended to.
        restarts: the number of restarts.
    """

    def __init__(self, spec: ProcessSpec, *, pid_file: Path, log: Path, report: Callable[[str], None]) -> None:
        self.spec = spec
        self.log = log
        self.restarts = 0
        self._pid_file = pid_file
        self._report = report
        self._process: asyncio.subprocess.Process | None = None
        self._supervision: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def name(self) -> str:
        """The name of the process."""
        return self.spec.name

    @property
    def pid(self) -> int | None:
        """The pid; None before a start and during back-off."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self) -> None:
        """Start the process and supervise it from then on."""
        self._stopping = False
        await self._spawn()
        self._supervision = asyncio.create_task(self._supervise(), name=f"supervise {self.name}")
        if self.spec.post_start:
            await self.spec.post_start()

    def send(self, sig: signal.Signals) -> None:
        """Send a signal (SIGSTOP suspends the process, SIGCONT resumes it); ignored when it does not run."""
        if (pid := self.pid) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sig)

    def kill(self) -> None:
        """Send SIGKILL; the process is restarted."""
        self.send(signal.SIGKILL)

    async def stop(self, within_s: float) -> None:
        """Send the stop signal, wait up to *within_s*, then kill the process and its children."""
        self._stopping = True
        if self._supervision is not None:
            self._supervision.cancel()
            await asyncio.wait([self._supervision])
        process = self._process
        if process is not None:
            self.send(signal.SIGCONT)  # a suspended process can't handle the stop signal
            self.send(self.spec.stop_signal)
            try:
                await asyncio.wait_for(process.wait(), within_s)
            except TimeoutError:
                self._report(f"{self.name} did not exit within {within_s:.1f} s and was killed")
            # it leads its own session: this ends the children that it left behind
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        self._pid_file.unlink(missing_ok=True)

    async def _supervise(self) -> None:
        early_exits = 0
        while not self._stopping:
            process, started = self._process, time.monotonic()
            assert process is not None
            status = await process.wait()
            self._pid_file.unlink(missing_ok=True)
            early_exits = 0 if time.monotonic() - started > STABLE_AFTER_S else early_exits + 1
            delay_s = min(FIRST_DELAY_S * 2 ** max(early_exits - 1, 0), MAX_DELAY_S)
            self._report(f"{self.name} {_exit_reason(status)}; restarting in {delay_s:g} s")
            await asyncio.sleep(delay_s)
            try:
                await self._spawn()
            except OSError as error:  # no memory or descriptors left for now
                self._report(f"{self.name} can't be started: {error}")
                continue
            self.restarts += 1
            await self._run_post_start()

    async def _run_post_start(self) -> None:
        """Repeat it until it succeeds, as the process is of no use without it, or until the process exits."""
        while self.spec.post_start and self.pid is not None:
            try:
                await self.spec.post_start()
                break
            except Exception as error:
                self._report(f"{self.name} restarted, but: {error}")
            await asyncio.sleep(FIRST_DELAY_S)

    async def _spawn(self) -> None:
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *_launch_command(self.spec),
                env=dict(self.spec.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches only the runner, which stops the others in order
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
    """Run *command*, in *folder* if given, to completion and return its stdout.

    On a timeout or cancellation its children are killed too.

    Raises:
        CommandFailedError: it could not be started, failed, or exceeded *timeout_s*.
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
            start_new_session=True,  # its own process group, to be killed as one
            user=user,
            group=pwd.getpwnam(user).pw_gid if user else None,  # root's group may lack a permission that others have
            extra_groups=[] if user else None,
        )
    except OSError as error:
        raise CommandFailedError(f"{name} can't be run{f' as {user}' if user else ''}: {error}") from error
    try:
        output, errors = await asyncio.wait_for(process.communicate(stdin), timeout_s)
    except TimeoutError:
        raise CommandFailedError(f"{name} did not exit within {timeout_s:g} s") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode:
        message = (errors.strip() or output.strip()).decode(errors="replace")
        raise CommandFailedError(f"{name}: {message or _exit_reason(process.returncode)}")
    return output.decode(errors="replace")


async def run_concurrently(*works: Coroutine[Any, Any, None]) -> None:
    """Await all *works* concurrently; when one fails the others are cancelled and its error is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None


def _exit_reason(status: int) -> str:
    return f"was terminated by {signal.Signals(-status).name}" if status < 0 else f"exited with status {status}"


def _launch_command(spec: ProcessSpec) -> tuple[str, ...]:
    return (
        *(sys.executable, "-I", "-S", str(_LAUNCH)),
        *(str(int(spec.stop_signal)), str(os.getpid()), spec.user or ""),
        *spec.command,
    )
