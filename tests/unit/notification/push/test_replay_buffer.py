from __future__ import annotations

import pytest

from notification_service.notification import EVERYTHING, NotificationFilter, Selection
from notification_service.push.replay_buffer import ENTRY_OVERHEAD_BYTES, Entry, ReplayBuffer
from service_common.scope import ALL_CUSTOMERS

SIZE = ENTRY_OVERHEAD_BYTES + 20


def entry(seq: int, order: int = 1) -> Entry:
    return Entry(seq, order, "alice", "CREATED", b"s" * 10, b"w" * 10)


def of_orders(*orders: int) -> Selection:
    return Selection(ALL_CUSTOMERS, NotificationFilter(frozenset(orders)))


def seqs(found: object) -> list[int]:
    assert isinstance(found, list)
    return [each.seq for each in found]


def test_new_buffer_is_empty_after_the_head() -> None:
    buffer = ReplayBuffer(5, max_bytes=10 * SIZE, max_age_s=10)
    assert (len(buffer), buffer.first, buffer.head, buffer.size_bytes) == (0, 6, 5, 0)


def test_oldest_entries_are_evicted_by_size() -> None:
    buffer = ReplayBuffer(0, max_bytes=3 * SIZE, max_age_s=10)
    buffer.extend([entry(seq) for seq in range(1, 6)], 0.0)
    assert (buffer.first, buffer.head, buffer.size_bytes) == (3, 5, 3 * SIZE)


def test_trim_evicts_by_age() -> None:
    buffer = ReplayBuffer(0, max_bytes=100 * SIZE, max_age_s=10)
    buffer.extend([entry(1)], 0.0)
    buffer.extend([entry(2)], 5.0)
    buffer.trim(12.0)
    assert (buffer.first, len(buffer)) == (2, 1)
    buffer.trim(20.0)
    assert (buffer.first, len(buffer), buffer.size_bytes) == (3, 0, 0)


def test_entry_larger_than_the_buffer_is_evicted_and_moves_the_head() -> None:
    buffer = ReplayBuffer(0, max_bytes=SIZE - 1, max_age_s=10)
    buffer.extend([entry(1)], 0.0)
    assert (buffer.first, buffer.head) == (2, 1)


def test_gap_is_refused() -> None:
    buffer = ReplayBuffer(0, max_bytes=10 * SIZE, max_age_s=10)
    with pytest.raises(ValueError, match="2 does not follow 0"):
        buffer.extend([entry(2)], 0.0)


def test_after_returns_the_following_entries_up_to_the_limit() -> None:
    buffer = ReplayBuffer(0, max_bytes=5 * SIZE, max_age_s=10)
    buffer.extend([entry(seq, order=seq % 2) for seq in range(1, 8)], 0.0)
    assert seqs(buffer.after(4, EVERYTHING, 2)) == [5, 6]
    assert seqs(buffer.after(0, EVERYTHING, 10)) == [3, 4, 5, 6, 7]
    assert seqs(buffer.after(7, EVERYTHING, 10)) == []
    assert seqs(buffer.after(3, of_orders(1), 10)) == [5, 7]
    assert seqs(buffer.after(0, of_orders(0, 1, 9), 3)) == [3, 4, 5]


def test_cleared_buffer_continues_after_the_new_head() -> None:
    buffer = ReplayBuffer(0, max_bytes=5 * SIZE, max_age_s=10)
    buffer.extend([entry(1)], 0.0)
    buffer.clear(70)
    assert (buffer.first, buffer.size_bytes) == (71, 0)
    buffer.extend([entry(71)], 0.0)
    assert seqs(buffer.after(70, of_orders(1), 5)) == [71]
