"""Adapter: the bus is a stream of Redis or Valkey."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from service_common.errors import UnavailableError

if TYPE_CHECKING:
    from redis.asyncio import Redis

__all__ = ["RedisStream"]

# the number is that of the format: replicas of another one neither read nor disturb it
STREAM = "notification-feed:1"
# stream entries that are kept, roughly; a replica that is further behind reads the table
KEPT = 5_000
# of one stream entry, so that all that are kept are at most some hundred megabytes
RECORDS_PER_ENTRY = 100
ENTRIES_PER_READ = 100

SEND_WITHIN_S = 0.25
BLOCK_S = 1.0
RECEIVE_WITHIN_S = BLOCK_S + 0.5

BEGINNING = b"0-0"
FIELDS = {b"epoch", b"records"}


class RedisStream:
    """Bus on one stream: each entry of it has an epoch and records, one a line.

    The stream is trimmed by its length, and may be lost: readers notice by the positions of what comes next.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._position: bytes | None = None
        self._in_doubt = True

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator[RedisStream]:
        """Connect with the first request, and disconnect at the end of the block.

        Raises:
            ImportError: redis-py is not installed; it is the extra ``bus`` of this package.
        """
        from redis.asyncio import Redis  # noqa: PLC0415 - 100 ms and 10 MB that nobody else needs
        from redis.asyncio.retry import Retry  # noqa: PLC0415
        from redis.backoff import NoBackoff  # noqa: PLC0415

        redis = Redis.from_url(url, protocol=2, retry=Retry(NoBackoff(), 0), socket_timeout=RECEIVE_WITHIN_S)
        try:
            yield cls(redis)
        finally:
            await redis.aclose()

    async def send(self, epoch: str, records: Sequence[bytes]) -> None:
        """Add *records*; see :class:`~notification_service.feed.ports.Bus`."""
        with _unavailable():
            async with asyncio.timeout(SEND_WITHIN_S), self._redis.pipeline(transaction=False) as pipeline:
                for first in range(0, len(records), RECORDS_PER_ENTRY):
                    lines = b"\n".join(records[first : first + RECORDS_PER_ENTRY])
                    pipeline.xadd(STREAM, {"epoch": epoch, "records": lines}, maxlen=KEPT, approximate=True)
                await pipeline.execute()

    async def receive(self) -> Sequence[tuple[str, Sequence[bytes]]]:
        """Return what was added since the last call; see :class:`~notification_service.feed.ports.Bus`."""
        in_doubt, self._in_doubt = self._in_doubt, True
        with _unavailable():
            async with asyncio.timeout(RECEIVE_WITHIN_S):
                position = await self._checked() if in_doubt or self._position is None else self._position
                read = self._redis.xread({STREAM: position}, count=ENTRIES_PER_READ, block=int(BLOCK_S * 1000))
                answer: Any = await read
        if not answer:
            return ()
        ((_stream, entries),) = answer
        self._position = entries[-1][0]
        self._in_doubt = False
        return [
            (fields[b"epoch"].decode("ascii", "replace"), fields[b"records"].split(b"\n"))
            for _id, fields in entries
            if fields.keys() >= FIELDS
        ]

    async def _checked(self) -> bytes:
        """Return the position to read from, after a silence: the stream may be another one, with lower ids."""
        newest: Any = await self._redis.xrevrange(STREAM, count=1)
        last: bytes = newest[0][0] if newest else BEGINNING
        if self._position is None:
            self._position = last
        elif _number(last) < _number(self._position):
            self._position = BEGINNING
        return self._position


def _number(entry_id: bytes) -> tuple[int, ...]:
    return tuple(map(int, entry_id.split(b"-")))


@contextmanager
def _unavailable() -> Iterator[None]:
    from redis.exceptions import RedisError  # noqa: PLC0415 - imported by then

    try:
        yield
    except (RedisError, OSError) as error:  # a TimeoutError is an OSError
        raise UnavailableError(f"feed bus: {type(error).__name__}: {error}") from error
