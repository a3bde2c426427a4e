from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from service_common.timestamps import rfc3339


def test_whole_second_keeps_its_microseconds() -> None:
    assert rfc3339(datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)) == "2026-03-01T12:30:15.000000Z"


def test_other_zone_is_written_in_utc() -> None:
    berlin = timezone(timedelta(hours=1))
    assert rfc3339(datetime(2026, 3, 1, 0, 30, tzinfo=berlin)) == "2026-02-28T23:30:00.000000Z"


@given(st.datetimes(min_value=datetime(1970, 1, 2), timezones=st.just(UTC)))
def test_reading_back_gives_the_same_moment(moment: datetime) -> None:
    assert datetime.fromisoformat(rfc3339(moment)) == moment
