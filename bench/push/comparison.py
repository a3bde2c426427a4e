"""The fan-out of the notification service and of every peer, one after the other, under the same load."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial

from .backends import Backends
from .fanout import fan_out
from .ours import ours
from .peers import PEERS, UnavailableError
from .results import FanOut
from .servers import Target

__all__ = ["Load", "compare", "sweep_loads"]

BURST = 10
# of the sweep: what even the slowest of the peers can follow, so that latency is not the length of its queue
DELIVERIES_PER_S = 20_000


@dataclass(frozen=True, slots=True)
class Load:
    """What every server gets: *burst* messages are handed over at once."""

    clients: int
    rate_per_s: float
    seconds: float
    burst: int = 1

    def in_bursts(self) -> Load:
        """Return the same with messages that come ten at once, twice as many of them."""
        return Load(self.clients, self.rate_per_s * 2, self.seconds, BURST)


@dataclass(frozen=True, slots=True)
class Contestant:
    """A server that can be run."""

    name: str
    protocol: str
    open: Callable[[], AbstractAsyncContextManager[Target]]


def sweep_loads(clients: Sequence[int], rate_per_s: float, seconds: float) -> list[Load]:
    """Return a load for each number of *clients*; the rate falls where there would be too many deliveries."""
    return [Load(each, min(rate_per_s, DELIVERIES_PER_S / each), seconds) for each in clients]


async def compare(backends: Backends, load: Load) -> AsyncIterator[FanOut]:
    """Yield what each server did; bursts are between ours and nchan only."""
    bursts = load.burst > 1
    own = [
        Contestant("orderstream", protocol, partial(ours, backends, protocol, over_table=bursts))
        for protocol in ("sse", "ws")
    ]
    peers = [Contestant(peer.name, peer.protocol, peer.open) for peer in PEERS if not bursts or peer.name == "nchan"]
    for contestant in [*own, *peers]:
        yield await _measured(contestant, load)


async def _measured(contestant: Contestant, load: Load) -> FanOut:
    try:
        async with contestant.open() as target:
            return await fan_out(
                target, clients=load.clients, rate_per_s=load.rate_per_s, seconds=load.seconds, burst=load.burst
            )
    except UnavailableError as error:
        return FanOut(
            server=contestant.name,
            protocol=contestant.protocol,
            clients=load.clients,
            rate_per_s=load.rate_per_s,
            burst=load.burst,
            unavailable=str(error),
        )
