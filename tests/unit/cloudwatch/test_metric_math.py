"""Metric math, for one period."""

from __future__ import annotations

import pytest

from tests.support.cloudwatch.metric_math import evaluate


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("100 * errors / requests", 25.0),
        ("IF(errors >= 3, 100 * errors / requests, 0)", 25.0),
        ("IF(errors > 3, 1, 0)", 0.0),
        ("errors == 3", 1.0),
        ("FILL(silent, 0)", 0.0),
        ("FILL(errors, 0)", 3.0),
        ("silent + 1", None),
        ("IF(silent > 1, 1, 0)", None),
        ("errors / 0", None),
    ],
)
def test_expression(expression: str, value: float | None) -> None:
    assert evaluate(expression, {"errors": 3.0, "requests": 12.0, "silent": None}) == value


@pytest.mark.parametrize("expression", ["RATE(errors)", "errors ** 2", "[errors]"])
def test_what_is_not_known_is_refused(expression: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        evaluate(expression, {"errors": 3.0})
