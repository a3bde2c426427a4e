"""The AWS emulator in its own virtual environment, with the resources of the CloudFormation template."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from .layout import COMPOSE
from .process import CommandFailedError, ProcessSpec, run_command
from .uv_environment import uv_environment

__all__ = ["Emulator", "emulator_python"]

_PROJECT = COMPOSE / "emulator"
_RESOURCES = _PROJECT / "resources.py"
_READY_TIMEOUT_S = 60.0
_POLL_S = 0.05


@dataclass(slots=True)
class Emulator:
    """The emulator of compose.yaml: its command and *environment* on this machine, and its URL *endpoint*.

    Attributes:
        outputs: those of the template, once it was applied.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str]
    endpoint: str
    outputs: Mapping[str, str] = field(default_factory=dict)

    def spec(self, level: int) -> ProcessSpec:
        """Return the process; after each start the template is applied, which creates missing resources."""
        return ProcessSpec(
            name="emulator",
            command=self.command,
            environment=self.environment,
            level=level,
            post_start=self.apply_resources,
        )

    async def apply_resources(self) -> None:
        """Wait until the emulator answers, then apply the template.

        Raises:
            CommandFailedError: the emulator did not answer in time, or the stack failed.
        """
        await self._wait_until_healthy()
        credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        region = {"AWS_DEFAULT_REGION": self.environment["MINISTACK_REGION"]}
        printed = await run_command(
            (self.command[0], str(_RESOURCES)),
            environment={**self.environment, **credentials, **region, "AWS_ENDPOINT_URL": self.endpoint},
        )
        self.outputs = json.loads(printed)

    async def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + _READY_TIMEOUT_S
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
        raise CommandFailedError(f"the emulator did not answer within {_READY_TIMEOUT_S:g} s")


async def emulator_python() -> Path:
    """Return the interpreter of the emulator's environment; create or update the environment first if needed.

    Raises:
        CommandFailedError: uv failed; the message has its output.
    """
    return await uv_environment(_PROJECT, _PROJECT / ".venv")
