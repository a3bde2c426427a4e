from __future__ import annotations

from notification_service.push import PushLimits, TokenBucket, retry_ms
from notification_service.push.limits import RETRY_FULL_MS, RETRY_MS, Admission


def test_room_is_counted_by_process_and_by_address() -> None:
    admission = Admission(PushLimits(connections=3, connections_per_address=2))
    admission.enter("a")
    admission.enter("a")
    assert admission.refusal("a") == "address-full"
    assert admission.refusal("b") is None
    admission.enter("b")
    assert admission.refusal("b") == "process-full"
    admission.leave("a")
    assert admission.refusal("a") is None
    admission.closed = True
    assert admission.refusal("a") == "draining"


def test_push_leaves_room_for_requests_within_what_the_process_can_hold() -> None:
    limits = PushLimits(connections=20_000)
    assert limits.within(30_000) is limits
    assert limits.within(19_744).connections == 19_488
    assert limits.within(100).connections == 75


def test_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket = TokenBucket(3, 2.0, now=0.0)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(1.0) for _ in range(3)] == [True, True, False]
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]


def test_clients_are_spread_over_time_and_longer_when_there_is_no_room() -> None:
    assert len({retry_ms() for _ in range(50)}) > 10
    assert all(RETRY_MS[0] <= retry_ms() <= RETRY_MS[1] for _ in range(50))
    assert all(RETRY_FULL_MS[0] <= retry_ms(full=True) <= RETRY_FULL_MS[1] for _ in range(50))
