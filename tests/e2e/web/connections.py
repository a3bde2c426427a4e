"""How many push connections the notification service has, as it says itself."""

from __future__ import annotations

import re

from tests.support.system import System
from tests.support.waiting import eventually

__all__ = ["connected"]

CONNECTIONS = re.compile(
    r'^orderstream_push_connections\{protocol="(\w+)",state="(?:live|catching-up)"\} (\d+)', re.MULTILINE
)


async def connected(system: System, **wanted: int) -> None:
    """Wait until there are exactly so many connections, by protocol: ``sse=1, ws=0``."""

    async def look() -> bool | None:
        async with system.session.get(f"{system.stack.url('notification')}/metrics") as response:
            found = CONNECTIONS.findall(await response.text())
        return (
            all(
                sum(int(float(number)) for protocol, number in found if protocol == name) == count
                for name, count in wanted.items()
            )
            or None
        )

    await eventually(look, f"connections: {wanted}")
