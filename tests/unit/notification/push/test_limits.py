from __future__ import annotations

from notification_service.push import PushLimits, TokenBucket
from notification_service.push.limits import RETRY_FULL_MS, RETRY_MS, ConnectionQuota, retry_ms


def test_connections_are_limited_by_process_and_by_address() -> None:
    quota = ConnectionQuota(PushLimits(connections=3, connections_per_address=2))
    quota.acquire("a")
    quota.acquire("a")
    assert quota.refusal("a") == "address-full"
    assert quota.refusal("b") is None
    quota.acquire("b")
    assert quota.refusal("b") == "process-full"
    quota.release("a")
    assert quota.refusal("a") is None
    quota.draining = True
    assert quota.refusal("a") == "draining"


def test_limit_leaves_connections_for_requests() -> None:
    limits = PushLimits(connections=20_000)
    assert limits.within(30_000) is limits
    assert limits.within(19_744).connections == 19_488
    assert limits.within(100).connections == 75


def test_token_bucket_allows_its_burst_and_then_its_rate() -> None:
    bucket = TokenBucket(3, 2.0, now=0.0)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(1.0) for _ in range(3)] == [True, True, False]
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]


def test_reconnect_delay_is_random_and_longer_after_a_refusal() -> None:
    assert len({retry_ms() for _ in range(50)}) > 10
    assert all(RETRY_MS[0] <= retry_ms() <= RETRY_MS[1] for _ in range(50))
    assert all(RETRY_FULL_MS[0] <= retry_ms(full=True) <= RETRY_FULL_MS[1] for _ in range(50))
