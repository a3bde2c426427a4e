from __future__ import annotations

import pytest

from notification_service.push.replay_buffer import ENTRY_OVERHEAD_BYTES, Entry, Ring

SIZE = ENTRY_OVERHEAD_BYTES + 20


def entry(seq: int, order: int = 1) -> Entry:
    return Entry(seq, order, b"s" * 10, b"w" * 10)


def seqs(found: object) -> list[int]:
    assert isinstance(found, list)
    return [each.seq for each in found]


def test_begins_empty_after_the_head() -> None:
    ring = Ring(5, max_bytes=10 * SIZE, max_age_s=10)
    assert (len(ring), ring.first, ring.head, ring.size_bytes) == (0, 6, 5, 0)


def test_oldest_go_when_there_are_too_many_bytes() -> None:
    ring = Ring(0, max_bytes=3 * SIZE, max_age_s=10)
    ring.extend([entry(seq) for seq in range(1, 6)], 0.0)
    assert (ring.first, ring.head, ring.size_bytes) == (3, 5, 3 * SIZE)


def test_old_entries_go_when_it_is_trimmed() -> None:
    ring = Ring(0, max_bytes=100 * SIZE, max_age_s=10)
    ring.extend([entry(1)], 0.0)
    ring.extend([entry(2)], 5.0)
    ring.trim(12.0)
    assert (ring.first, len(ring)) == (2, 1)
    ring.trim(20.0)
    assert (ring.first, len(ring), ring.size_bytes) == (3, 0, 0)


def test_entry_larger_than_the_ring_leaves_it_empty_and_moves_the_head() -> None:
    ring = Ring(0, max_bytes=SIZE - 1, max_age_s=10)
    ring.extend([entry(1)], 0.0)
    assert (ring.first, ring.head) == (2, 1)


def test_gap_is_refused() -> None:
    ring = Ring(0, max_bytes=10 * SIZE, max_age_s=10)
    with pytest.raises(ValueError, match="2 does not follow 0"):
        ring.extend([entry(2)], 0.0)


def test_after_gives_what_follows_up_to_the_limit() -> None:
    ring = Ring(0, max_bytes=5 * SIZE, max_age_s=10)
    ring.extend([entry(seq, order=seq % 2) for seq in range(1, 8)], 0.0)
    assert seqs(ring.after(4, None, 2)) == [5, 6]
    assert seqs(ring.after(0, None, 10)) == [3, 4, 5, 6, 7]
    assert seqs(ring.after(7, None, 10)) == []
    assert seqs(ring.after(3, frozenset({1}), 10)) == [5, 7]
    assert seqs(ring.after(0, frozenset({0, 1, 9}), 3)) == [3, 4, 5]


def test_cleared_ring_goes_on_from_another_head() -> None:
    ring = Ring(0, max_bytes=5 * SIZE, max_age_s=10)
    ring.extend([entry(1)], 0.0)
    ring.clear(70)
    assert (ring.first, ring.size_bytes) == (71, 0)
    ring.extend([entry(71)], 0.0)
    assert seqs(ring.after(70, frozenset({1}), 5)) == [71]
