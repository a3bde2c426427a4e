"""Durations, times and texts of the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click
import pytest
from click.testing import CliRunner

from orderstream_command import cli
from orderstream_command.shell import INTERRUPTED, Duration, PointInTime, age, printable


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("15m", 900), ("2h", 7200), ("3d", 259_200)]
)
def test_duration_is_read_in_its_unit(text: str, seconds: float) -> None:
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "m", "-1s", "1w", "1h30m", "\u0661s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Duration().convert(text, None, None)


def test_time_is_how_long_ago_or_a_time_of_day_that_was_last_or_a_timestamp() -> None:
    now = datetime.now(UTC)
    assert abs(PointInTime().convert("15m", None, None) - (now - timedelta(minutes=15))) < timedelta(seconds=5)
    for text in ("0:00", "23:59", "3:10:30"):
        last = PointInTime().convert(text, None, None)
        assert timedelta(seconds=-5) < now - last <= timedelta(days=1, hours=1)
    assert PointInTime().convert("2026-11-27T03:10:00+01:00", None, None) == datetime(2026, 11, 27, 2, 10, tzinfo=UTC)


@pytest.mark.parametrize("text", ["25:00", "3:60", "yesterday", "2026-13-01T00:00:00Z", "9" * 30 + "d"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        PointInTime().convert(text, None, None)


def test_text_of_a_message_can_not_steer_the_terminal() -> None:
    assert (
        printable("a\tb\x1b[2J\n\N{RIGHT-TO-LEFT OVERRIDE}\N{PARTY POPPER}")
        == "a\\tb\\x1b[2J\\n\\u202e\N{PARTY POPPER}"
    )


def test_command_that_is_interrupted_while_it_is_imported_ends_as_shells_report_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_name: str | None) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "import_module", interrupted)
    assert CliRunner().invoke(cli.orderstream, ["status"]).exit_code == INTERRUPTED


@pytest.mark.parametrize(("seconds", "text"), [(None, "-"), (0.4, "0s"), (119, "119s"), (120, "2m"), (7200, "2h")])
def test_age_is_in_its_largest_unit(seconds: float | None, text: str) -> None:
    assert age(seconds) == text
