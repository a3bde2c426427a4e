"""The feed in shards, as decision 0059 plans it: a model that shows that clients resume, also while the number changes.

A generation of the feed has so many shards; a customer's notifications are in one of them. Each shard numbers its own.
The change to another number seals all shards of a generation at once, and opens the next generation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from zlib import crc32

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

CUSTOMERS = ("alice", "bob", "carol", "dave", "erin")
EPOCH = "e"

_ID = re.compile(r"(?P<epoch>[0-9a-z]+)(?:\.(?P<generation>[0-9]+))?-(?:(?P<shard>[0-9]+)-)?(?P<numbers>[0-9_]+)")


@dataclass(frozen=True)
class Position:
    """How far a client has seen: in one shard, or with *shard* None in all of a generation, one number each."""

    generation: int
    shard: int | None
    numbers: tuple[int, ...]

    def __str__(self) -> str:
        shard = "" if self.shard is None else f"{self.shard}-"
        return f"{EPOCH}.{self.generation}-{shard}{'_'.join(map(str, self.numbers))}"

    @classmethod
    def parse(cls, text: str) -> Position:
        """Read an id; one of today's, ``<epoch>-<seq>``, is of generation 0, which has one shard."""
        match = _ID.fullmatch(text)
        assert match is not None
        numbers = tuple(map(int, match["numbers"].split("_")))
        return cls(int(match["generation"] or 0), None if match["shard"] is None else int(match["shard"]), numbers)


@dataclass(frozen=True)
class Entry:
    """A notification; *commit* is its place among all, which nobody in the system knows."""

    generation: int
    shard: int
    number: int
    customer: str
    commit: int


class Table:
    """What is committed: the entries of each shard, by generation."""

    def __init__(self) -> None:
        self.generations: list[list[list[Entry]]] = [[[]]]
        self.commits: list[Entry] = []

    def shard_of(self, customer: str, generation: int) -> int:
        return crc32(customer.encode()) % len(self.generations[generation])

    def append(self, customer: str) -> None:
        """Lock the row of the shard, in the open generation."""
        generation = len(self.generations) - 1
        shard = self.shard_of(customer, generation)
        entries = self.generations[generation][shard]
        entries.append(Entry(generation, shard, len(entries) + 1, customer, len(self.commits)))
        self.commits.append(entries[-1])

    def change_number(self, shards: int) -> None:
        """Lock all rows of the open generation, seal them, and open the next: one transaction."""
        self.generations.append([[] for _ in range(shards)])

    def heads(self, generation: int) -> tuple[int, ...]:
        return tuple(map(len, self.generations[generation]))


def following(table: Table, at: Position, customer: str | None, replica: Position) -> tuple[Position, Entry | None]:
    """Return the next step of a stream that is *at* a position, on a *replica* that has read so far."""
    if replica.generation < at.generation:
        return at, None
    sealed = replica.generation > at.generation
    known = table.heads(at.generation) if sealed else replica.numbers
    for place, number in enumerate(at.numbers):
        shard = place if at.shard is None else at.shard
        if number < known[shard]:
            numbers = (*at.numbers[:place], number + 1, *at.numbers[place + 1 :])
            entry = table.generations[at.generation][shard][number]
            return replace(at, numbers=numbers), entry if customer in {None, entry.customer} else None
    return (beginning(table, at.generation + 1, customer), None) if sealed else (at, None)


def beginning(table: Table, generation: int, customer: str | None) -> Position:
    """Return the position of a customer, or of an operator, before everything in a generation."""
    if customer is None:
        return Position(generation, None, (0,) * len(table.generations[generation]))
    return Position(generation, table.shard_of(customer, generation), (0,))


def scoped(position: Position, table: Table, customer: str | None) -> Position:
    """Return the part of an operator's *position* that concerns a customer."""
    if customer is None:
        return position
    shard = table.shard_of(customer, position.generation)
    return Position(position.generation, shard, (position.numbers[shard],))


@dataclass
class Client:
    """A client: it knows what it received, and the last id; the stream dies with its connection."""

    customer: str | None
    first: Position
    last_id: str
    received: list[Entry] = field(default_factory=list)
    replica: int | None = None
    stream: Position | None = None
    in_flight: list[tuple[str, Entry]] = field(default_factory=list)


class Shards(RuleBasedStateMachine):
    """Two replicas that read at their own pace; clients that lose their connections, and resume on either."""

    @initialize(before=st.integers(0, 3))
    def start(self, before: int) -> None:
        self.table = Table()
        for _ in range(before):
            self.table.append("alice")
        self.replicas = [Position(0, None, self.table.heads(0)) for _ in range(2)]
        self.clients: list[Client] = []
        today = f"{EPOCH}-{before}"
        for customer in (None, "alice", "bob"):
            first = scoped(Position.parse(today), self.table, customer)
            self.clients.append(Client(customer, first, str(first)))
        self.clients[0].last_id = today

    @rule(customers=st.lists(st.sampled_from(CUSTOMERS), min_size=3, max_size=12))
    def append(self, customers: list[str]) -> None:
        for customer in customers:
            self.table.append(customer)

    @precondition(lambda self: len(self.table.generations) < 5)
    @rule(shards=st.integers(1, 4))
    def number_changes(self, shards: int) -> None:
        self.table.change_number(shards)

    @rule(which=st.integers(0, 1), steps=st.integers(1, 6))
    def replica_reads(self, which: int, steps: int) -> None:
        newest = Position(len(self.table.generations) - 1, None, self.table.heads(-1))
        for _ in range(steps):
            self.replicas[which], _entry = following(self.table, self.replicas[which], None, newest)

    @precondition(lambda self: len(self.clients) < 5)
    @rule(which=st.integers(0, 1), customer=st.sampled_from((None, *CUSTOMERS)))
    def new_client(self, which: int, customer: str | None) -> None:
        first = scoped(self.replicas[which], self.table, customer)
        self.clients.append(Client(customer, first, str(first)))

    @rule(data=st.data(), which=st.integers(0, 1))
    def client_connects(self, data: st.DataObject, which: int) -> None:
        """From the last id that it has; what was on the way is lost."""
        self._connect(data.draw(st.sampled_from(self.clients)), which)

    @rule(data=st.data(), sent=st.integers(1, 8), come=st.integers(0, 8))
    def client_is_served(self, data: st.DataObject, sent: int, come: int) -> None:
        client = data.draw(st.sampled_from(self.clients))
        if client.stream is None:
            self._connect(client, 0)
        self._serve(client, sent, come)

    @invariant()
    def each_came_once_in_order(self) -> None:
        for client in getattr(self, "clients", ()):
            expected = [entry for entry in self.table.commits if self._is_due(client, entry)]
            places = {entry.commit: place for place, entry in enumerate(client.received)}
            assert len(places) == len(client.received), "came twice"
            shards: dict[tuple[int, int], list[Entry]] = {}
            for entry in expected:
                shards.setdefault((entry.generation, entry.shard), []).append(entry)
            for key, due in shards.items():
                came = [each for each in client.received if (each.generation, each.shard) == key]
                assert came == due[: len(came)], "missing, or out of order"
            customers = {each.customer for each in client.received}
            for customer in customers:
                commits = [each.commit for each in client.received if each.customer == customer]
                assert commits == sorted(commits)

    def teardown(self) -> None:
        if not hasattr(self, "table"):
            return
        for which in range(2):
            self.replica_reads(which, len(self.table.commits) + len(self.table.generations))
        for client in self.clients:
            self._connect(client, 0)
            everything = len(self.table.commits) + len(self.table.generations)
            self._serve(client, everything, everything)
            due = [entry for entry in self.table.commits if self._is_due(client, entry)]
            assert sorted(client.received, key=lambda entry: entry.commit) == due
        self.each_came_once_in_order()

    def _connect(self, client: Client, which: int) -> None:
        client.replica, client.stream, client.in_flight = which, Position.parse(client.last_id), []

    def _serve(self, client: Client, sent: int, come: int) -> None:
        if client.stream is None or client.replica is None:
            return
        for _ in range(sent):
            replica = self.replicas[client.replica]
            client.stream, entry = following(self.table, client.stream, client.customer, replica)
            if entry is not None:
                client.in_flight.append((str(client.stream), entry))
        for last_id, entry in client.in_flight[:come]:
            client.last_id = last_id
            client.received.append(entry)
        del client.in_flight[:come]

    def _is_due(self, client: Client, entry: Entry) -> bool:
        if client.customer not in {None, entry.customer}:
            return False
        if entry.generation != client.first.generation:
            return entry.generation > client.first.generation
        place = entry.shard if client.first.shard is None else 0
        return entry.number > client.first.numbers[place]


TestShards = Shards.TestCase


def test_ids_of_today_stay_valid() -> None:
    assert Position.parse("e-17") == Position(0, None, (17,))
    for position in (Position(2, 3, (17,)), Position(2, None, (4, 0, 9))):
        assert Position.parse(str(position)) == position
