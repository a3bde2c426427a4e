"""The AWS emulator of the embedded stack, alone."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from orderstream_local.compose import read_compose
from orderstream_local.emulator import Emulator, emulator_python
from orderstream_local.environment import HostMapping, inherited_environment, local_command, local_environment
from orderstream_local.layout import COMPOSE, DataFolder
from orderstream_local.supervisor import Supervisor
from tests.support.ports import free_port

__all__ = ["emulator"]


def _tell(what: str) -> None:
    sys.stderr.write(f"{what}\n")


@asynccontextmanager
async def emulator() -> AsyncIterator[str]:
    """Run it on a free port, with nothing in it but what the template makes, and yield its URL."""
    containers = read_compose(COMPOSE / "compose.yaml", {"SERVICE_TOKEN": "of nobody"})
    container = containers["emulator"]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        data = DataFolder(Path(folder))
        data.run.mkdir()
        data.logs.mkdir()
        places = HostMapping(
            containers=containers,
            ports={"emulator": (free_port(),)},
            sockets={},
            volumes={"emulator": data.volume("emulator")},
            compose=COMPOSE,
        )
        endpoint = f"http://{places.addresses('emulator')[0]}"
        alone = Emulator(
            command=local_command(container, await emulator_python()),
            environment=inherited_environment(os.environ) | {"TMPDIR": folder} | local_environment(container, places),
            endpoint=endpoint,
        )
        supervisor = Supervisor(data, _tell)
        try:
            await supervisor.start([alone.spec(level=0)])
            yield endpoint
        finally:
            await supervisor.stop()
