"""The tables of https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html."""

from __future__ import annotations

import pytest

from tests.support.cloudwatch.alarm_state import State, Treatment, evaluation_range, rings, state

POINTS = {"0": False, "X": True, "-": None}
TREATMENTS: tuple[Treatment, ...] = ("missing", "ignore", "breaching", "notBreaching")


@pytest.mark.parametrize("before", ["OK", "ALARM"])
@pytest.mark.parametrize(
    ("to_alarm", "points", "states"),
    [
        (3, "0 - X - X", ("OK", "OK", "OK", "OK")),
        (3, "0 - - - -", ("OK", "OK", "OK", "OK")),
        (3, "- - - - -", ("INSUFFICIENT_DATA", "retain", "ALARM", "OK")),
        (3, "0 X X - X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        (3, "- - X - -", ("ALARM", "retain", "ALARM", "OK")),
        (2, "0 - X - X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        (2, "0 0 X 0 X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        (2, "0 - X - -", ("OK", "OK", "ALARM", "OK")),
        (2, "- - - - 0", ("OK", "OK", "ALARM", "OK")),
        (2, "- - - X -", ("ALARM", "retain", "ALARM", "OK")),
    ],
)
def test_state_is_that_of_the_documentation(
    to_alarm: int, points: str, states: tuple[str, str, str, str], before: State
) -> None:
    shown = [POINTS[point] for point in points.split()]
    assert len(shown) == evaluation_range(3)
    for missing, expected in zip(TREATMENTS, states, strict=True):
        found = state(shown, periods=3, to_alarm=to_alarm, missing=missing, before=before)
        assert found == (before if expected == "retain" else expected), missing


def test_one_breaching_point_after_missing_ones_is_no_alarm_yet() -> None:
    assert state([None, None, None, None, True], periods=3, to_alarm=3, missing="missing", before="OK") == "OK"


def test_older_points_than_the_evaluation_periods_count_only_when_some_are_missing() -> None:
    assert state([True, True, False, False, True], periods=3, to_alarm=2, missing="missing") == "OK"


@pytest.mark.parametrize(
    ("rule", "ringing"),
    [
        ('ALARM("a")', True),
        ('ALARM("b")', False),
        ('ALARM("b") OR ALARM("a")', True),
        ('ALARM("a") AND NOT (ALARM("b") OR OK("a"))', True),
        ('ALARM("a") AND INSUFFICIENT_DATA("c")', True),
    ],
)
def test_composite_alarm_follows_its_rule(rule: str, ringing: bool) -> None:
    assert rings(rule, {"a": "ALARM", "b": "OK", "c": "INSUFFICIENT_DATA"}) is ringing


def test_rule_that_names_no_alarm_or_is_none_is_refused() -> None:
    with pytest.raises(KeyError):
        rings('ALARM("none")', {})
    with pytest.raises(ValueError, match="not known here"):
        rings("a + b", {})
