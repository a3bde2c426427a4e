"""The AWS emulator, in an environment of its own, with the resources of the CloudFormation template in it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from .layout import COMPOSE
from .locked import locked_environment
from .process import CommandFailedError, ProcessSpec, run_command

__all__ = ["Emulator", "emulator_python"]

_PROJECT = COMPOSE / "emulator"
_RESOURCES = _PROJECT / "resources.py"
_READY_WITHIN_S = 60.0
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Emulator:
    """The emulator as compose.yaml has it, at *endpoint*, with its *environment* of this machine."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    endpoint: str

    def spec(self, level: int) -> ProcessSpec:
        """Return how it is run; whenever it comes (back) up, its resources are made anew where they are missing."""
        return ProcessSpec(
            name="emulator",
            command=self.command,
            environment=self.environment,
            level=level,
            started=self.apply_resources,
        )

    async def apply_resources(self) -> None:
        """Wait until it answers, then apply the template.

        Raises:
            CommandFailedError: it did not answer in time, or the stack failed.
        """
        await self._answers()
        credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        region = {"AWS_DEFAULT_REGION": self.environment["MINISTACK_REGION"]}
        await run_command(
            (self.command[0], str(_RESOURCES)),
            environment={**self.environment, **credentials, **region, "AWS_ENDPOINT_URL": self.endpoint},
        )

    async def _answers(self) -> None:
        deadline = time.monotonic() + _READY_WITHIN_S
        timeout = aiohttp.ClientTimeout(total=2)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while time.monotonic() < deadline:
                try:
                    async with session.get(f"{self.endpoint}/_ministack/health") as response:
                        if response.status == 200:
                            return
                except (aiohttp.ClientError, TimeoutError):
                    pass
                await asyncio.sleep(_POLL_S)
        raise CommandFailedError(f"the emulator did not answer within {_READY_WITHIN_S:g} s")


async def emulator_python() -> Path:
    """Return the interpreter of the emulator's environment, which is made first when it is missing or out of date.

    Raises:
        CommandFailedError: it can't be made; uv says why.
    """
    return await locked_environment(_PROJECT, _PROJECT / ".venv")
