"""A push server under test, as the crowd and the meter see it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["Publish", "Target"]

# (count, rate a second, messages handed over at once) to the number of each message and when it was handed over, as
# nanoseconds since 1970
Publish: TypeAlias = Callable[[int, float, int], Awaitable[dict[int, int]]]


@dataclass(frozen=True, slots=True)
class Target:
    """One server that runs.

    Attributes:
        name: for the table, such as "nchan".
        protocol: "sse" or "ws".
        port: on 127.0.0.1.
        path: what a client asks for.
        pids: the processes whose CPU and memory count, their children too.
        number_after: the decimal number of the message follows this; it stands once in each delivery.
        publish: hands messages over at a rate.
        note: what has to be known to read its figures.
    """

    name: str
    protocol: str
    port: int
    path: str
    pids: tuple[int, ...]
    number_after: bytes
    publish: Publish
    note: str = ""
