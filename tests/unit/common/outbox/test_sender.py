"""The order in which events are sent to a queue, whichever of them it accepts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import takewhile

from hypothesis import given
from hypothesis import strategies as st

from service_common.errors import UnavailableError
from service_common.observability import Metrics
from service_common.outbox.sender import Sender, ordered_groups
from service_common.outbox.table import OutboxRow
from service_common.sqs import Outgoing, SendOutcome

SUBJECTS = st.lists(st.sampled_from([None, "a", "b", "c"]), max_size=12)
NUMBERS = st.sets(st.integers(0, 11))


@dataclass
class Queue:
    """Refuses the messages in *refused* and gives no answer to the batches in *broken*, by number."""

    refused: set[int]
    broken: set[int]
    batches: list[list[int]] = field(default_factory=list)

    async def send(self, _queue: str, messages: Sequence[Outgoing]) -> SendOutcome:
        keys = [int(each.key) for each in messages]
        self.batches.append(keys)
        if len(self.batches) - 1 in self.broken:
            raise UnavailableError("away")
        failed = {str(key): "Throttled" for key in keys if key in self.refused}
        return SendOutcome(frozenset(map(str, keys)).difference(failed), failed)


def rows_of(subjects: Sequence[str | None]) -> list[OutboxRow]:
    when = datetime(2026, 1, 1, tzinfo=UTC)
    return [OutboxRow(n, "q", "t", subject, f"t:{n}", {}, None, when) for n, subject in enumerate(subjects)]


@given(SUBJECTS)
def test_group_has_at_most_one_event_of_a_subject_and_groups_keep_their_order(subjects: list[str | None]) -> None:
    rows = rows_of(subjects)
    grouped = ordered_groups(rows)
    assert sorted(row.id for wave in grouped for row in wave) == [row.id for row in rows]
    for wave in grouped:
        named = [row.subject for row in wave if row.subject]
        assert len(named) == len(set(named))
    for subject in filter(None, set(subjects)):
        places = [row.id for wave in grouped for row in wave if row.subject == subject]
        assert places == sorted(places)


@given(SUBJECTS, NUMBERS, NUMBERS)
def test_subject_stops_at_its_first_failure_without_stopping_others(
    subjects: list[str | None], refused: set[int], broken: set[int]
) -> None:
    rows, queue = rows_of(subjects), Queue(refused, broken)
    sent, _ = asyncio.run(Sender(queue, "/billing", Metrics(), timeout_s=5.0).send("q", rows))
    lost = {key for number, batch in enumerate(queue.batches) if number in broken for key in batch} | refused
    tried = [key for batch in queue.batches for key in batch]
    assert len(tried) == len(set(tried))
    for subject in filter(None, set(subjects)):
        own = [row.id for row in rows if row.subject == subject]
        taken = list(takewhile(lambda key: key not in lost, own))
        assert [key for key in tried if key in own] == own[: len(taken) + 1]
        assert [key for key in own if key in sent] == taken
    assert {row.id for row in rows if row.subject is None} <= set(tried)
    assert sent == set(tried) - lost
