"""The single replicas of a service of the running system."""

from __future__ import annotations

from orderstream_local.process import ServiceProcess
from tests.support.system import System

__all__ = ["process_of", "restarted"]


def process_of(system: System, service: str, replica: int) -> ServiceProcess:
    """Return the process of a replica, counted from 0."""
    name = f"{service}-service"
    return system.stack.processes[name if replica == 0 else f"{name}-{replica + 1}"]


async def restarted(system: System, service: str, replica: int) -> None:
    """End a replica in order, start it and wait until it is ready."""
    process = process_of(system, service, replica)
    await process.stop(within_s=8)
    await process.start()
    await system.ready(service, replica)
