"""Replicas of the feed by the thousand, in simulated time: the load of the servers between them, and the delay. Pure.

PostgreSQL and the bus are queues with so many cores, whose work takes what was measured of it. Each replica consumes
its share of the events, appends them, wakes or tells the others, and follows, with the waits of the services' own
policies. Its own CPU and the network take no time here.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count

from service_common.gathering import GatheringPolicy, RecentRate

__all__ = ["Costs", "Simulated", "simulate"]

POLL_S, READ_SPACING_S, NOTIFY_SPACING_S, WORTH = 1.0, 0.005, 0.02, 2.0
BATCH = 200
LATE_OF = 20  # replicas whose latencies are taken


@dataclass(frozen=True, slots=True)
class Costs:
    """CPU of a server in µs: of an append, a NOTIFY and a read, then of requests to the bus.

    Attributes:
        append, row: an append of nothing, and each row of it.
        notify, listener: a NOTIFY, and each replica that it wakes.
        read, read_row: a read of nothing, and each row of it.
        send, record: a send to the bus, and each record of it.
        receive, received: an answer of the bus to a replica, and each record of it.
    """

    append: float
    row: float
    notify: float
    listener: float
    read: float
    read_row: float
    send: float
    record: float
    receive: float
    received: float


@dataclass(frozen=True, slots=True)
class Simulated:
    """What so many replicas take: cores of each server, and reads of PostgreSQL.

    The times are from an event to its commit, and from there until a replica has it; what it has not yet counts too.
    """

    way: str
    rate: int
    batch: int
    replicas: int
    postgres_cores: float
    bus_cores: float
    reads_per_s: int
    commit_p99_ms: float
    p50_ms: float
    p99_ms: float


class _Clock:
    def __init__(self) -> None:
        self.now_s = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def at(self, when_s: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._due, (when_s, next(self._numbers), do))

    def run(self, until_s: float) -> None:
        while self._due and self._due[0][0] < until_s:
            self.now_s, _, do = heapq.heappop(self._due)
            do()


class _Server:
    """Cores behind one queue; *work* is called when one is free, and returns the time it takes, in µs."""

    def __init__(self, clock: _Clock, cores: int) -> None:
        self._clock = clock
        self._free = cores
        self._waiting: deque[tuple[Callable[[], float], Callable[[], None]]] = deque()
        self.busy_s = 0.0

    def do(self, work: Callable[[], float], done: Callable[[], None]) -> None:
        self._waiting.append((work, done))
        self._begin()

    def _begin(self) -> None:
        while self._free and self._waiting:
            self._free -= 1
            work, done = self._waiting.popleft()
            took_s = work() / 1e6
            self.busy_s += took_s
            self._clock.at(self._clock.now_s + took_s, partial(self._end, done))

    def _end(self, done: Callable[[], None]) -> None:
        self._free += 1
        done()
        self._begin()


@dataclass(slots=True, eq=False)
class _Replica:
    """A task that reads, and one that tells the others; each is idle, or under way and perhaps asked for again."""

    seq: int = 0
    end: int = 0  # of the read under way
    reading: bool = False
    wanted: bool = False
    telling: bool = False
    to_tell: int = 0
    rate: RecentRate = field(default_factory=RecentRate)
    told: RecentRate = field(default_factory=RecentRate)
    late_s: list[float] | None = None


class _World:
    def __init__(self, costs: Costs, replicas: int, cores: int, *, bus: bool) -> None:
        self.clock = _Clock()
        self.costs = costs
        self.postgres, self.redis = _Server(self.clock, cores), _Server(self.clock, 1)
        self.source = self.redis if bus else self.postgres
        self.bus = bus
        self.committed: list[float] = []
        self.commits_s: list[float] = []
        self.visible = 0  # where the replicas read
        self.reads = 0
        self.replicas = [_Replica() for _ in range(replicas)]
        for replica in self.replicas[:: max(1, replicas // LATE_OF)]:
            replica.late_s = []
        for place, replica in enumerate(self.replicas):
            self.clock.at(POLL_S * place / replicas, partial(self.poll, replica))

    def append(self, replica: _Replica, events: int) -> None:
        costs = self.costs
        self.postgres.do(
            lambda: costs.append + costs.row * events, partial(self.appended, replica, events, self.clock.now_s)
        )

    def appended(self, replica: _Replica, events: int, began_s: float) -> None:
        self.committed += [self.clock.now_s] * events
        self.commits_s.append(self.clock.now_s - began_s)
        replica.told.add(self.clock.now_s)
        replica.to_tell += events
        if not replica.telling:
            self.tell(replica)

    def tell(self, replica: _Replica) -> None:
        """Send what was appended to the bus, or a NOTIFY, then wait before the next."""
        replica.telling = bool(replica.to_tell)
        if not replica.telling:
            return
        events, replica.to_tell = replica.to_tell, 0
        costs, head = self.costs, len(self.committed)
        if self.bus:
            self.redis.do(lambda: costs.send + costs.record * events, partial(self.told, replica, head, 0.0))
        else:
            spacing_s = GatheringPolicy(NOTIFY_SPACING_S, WORTH).delay_s(replica.told.per_s(self.clock.now_s))
            work = costs.notify + costs.listener * len(self.replicas)
            self.postgres.do(lambda: work, partial(self.told, replica, head, spacing_s))

    def told(self, replica: _Replica, head: int, spacing_s: float) -> None:
        self.visible = max(self.visible, head)
        for each in self.replicas:
            each.wanted = True
            if not each.reading:
                self.read(each)
        self.clock.at(self.clock.now_s + spacing_s, partial(self.tell, replica))

    def read(self, replica: _Replica) -> None:
        replica.reading, replica.wanted = True, False
        self.source.do(partial(self.reading, replica), partial(self.read_ended, replica))

    def reading(self, replica: _Replica) -> float:
        """Take the snapshot, and return what the read costs."""
        head = self.visible if self.bus else len(self.committed)
        replica.end = min(head, replica.seq + BATCH)
        rows = replica.end - replica.seq
        if self.bus:
            return self.costs.receive + self.costs.received * rows
        self.reads += 1
        return self.costs.read + self.costs.read_row * rows

    def read_ended(self, replica: _Replica) -> None:
        now_s = self.clock.now_s
        if replica.late_s is not None:
            replica.late_s += [now_s - at_s for at_s in self.committed[replica.seq : replica.end]]
        replica.rate.add(now_s, replica.end - replica.seq)
        replica.seq = replica.end
        spacing_s = GatheringPolicy(READ_SPACING_S, WORTH).delay_s(replica.rate.per_s(now_s))
        self.clock.at(now_s + spacing_s, partial(self.again, replica))

    def again(self, replica: _Replica) -> None:
        replica.reading = False
        if replica.wanted or replica.seq < self.visible:
            self.read(replica)

    def poll(self, replica: _Replica) -> None:
        """Read the table whatever comes otherwise."""
        if self.bus:
            self.reads += 1
            self.postgres.do(lambda: self.costs.read, lambda: None)
        elif not replica.reading:
            self.read(replica)
        self.clock.at(self.clock.now_s + POLL_S, partial(self.poll, replica))


def simulate(
    costs: Costs, *, bus: bool, load: tuple[int, int], replicas: int, cores: int, seconds: float = 2.0
) -> Simulated:
    """Append for so many seconds at *load*, events a second and in a transaction, on so many cores of PostgreSQL."""
    rate, batch = load
    world = _World(costs, replicas, cores, bus=bus)
    for turn in range(int(rate * seconds / batch)):
        # evenly, beside the polls, by one replica after the other
        appender = world.replicas[turn % replicas]
        world.clock.at((turn + 0.37) * batch / rate, partial(world.append, appender, batch))
    world.clock.run(seconds)
    late_s = [
        late_s
        for each in world.replicas
        if each.late_s is not None
        for late_s in (*each.late_s, *(seconds - at_s for at_s in world.committed[each.seq :]))
    ]
    return Simulated(
        "bus" if bus else "table",
        rate,
        batch,
        replicas,
        round(world.postgres.busy_s / seconds, 2),
        round(world.redis.busy_s / seconds, 2),
        round(world.reads / seconds),
        _percentile_ms(world.commits_s, 0.99),
        _percentile_ms(late_s, 0.5),
        _percentile_ms(late_s, 0.99),
    )


def _percentile_ms(durations_s: Sequence[float], share: float) -> float:
    ordered = sorted(durations_s)
    return round(ordered[int(len(ordered) * share)] * 1000, 1)
