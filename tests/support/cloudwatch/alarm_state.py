"""The state of a CloudWatch alarm, from its last data points, and of a composite alarm, from the states of others.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Literal

__all__ = ["State", "Treatment", "evaluation_range", "rings", "state"]

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
Treatment = Literal["missing", "ignore", "breaching", "notBreaching"]

_WORDS = {"AND": "and", "OR": "or", "NOT": "not"}


def evaluation_range(periods: int) -> int:
    """Return how many of the last periods CloudWatch looks at; the documentation has 5 for 3, and no formula."""
    return periods + 2


def state(
    points: Sequence[bool | None], *, periods: int, to_alarm: int, missing: Treatment, before: State = "OK"
) -> State:
    """Return the state of an alarm.

    Args:
        points: whether each data point of the evaluation range breaches the threshold, the newest last; None for a
            missing one.
        periods: the alarm's evaluation periods (N).
        to_alarm: its data points to alarm (M).
        missing: how it treats missing data.
        before: the state until now.
    """
    real = [point for point in points if point is not None]
    filled = max(0, periods - len(real))
    breaching = sum(real[-periods:])
    if breaching >= to_alarm or (missing == "breaching" and breaching + filled >= to_alarm):
        return "ALARM"
    if not filled or missing in {"breaching", "notBreaching"} or not all(real):
        return "OK"
    if not real:
        return "INSUFFICIENT_DATA" if missing == "missing" else before
    # only breaching ones, fewer than it takes: an alarm when the oldest is old enough ("premature alarm state")
    oldest = len(points) - next(number for number, point in enumerate(points) if point is not None)
    return "ALARM" if missing == "missing" and oldest >= to_alarm else before


def rings(rule: str, states: Mapping[str, State]) -> bool:
    """Return whether a composite alarm with this *rule* is in ALARM: ``ALARM("name")``, AND, OR, NOT, parentheses.

    Raises:
        KeyError: the rule names an alarm that does not exist.
        ValueError: the rule has something that is not known here.
    """
    text = re.sub(r'"[^"]*"|\b(?:AND|OR|NOT)\b', lambda match: _WORDS.get(match[0], match[0]), " ".join(rule.split()))
    return _holds(ast.parse(text, mode="eval").body, states)


def _holds(node: ast.AST, states: Mapping[str, State]) -> bool:
    match node:
        case ast.BoolOp(op=operation, values=parts):
            return (any if isinstance(operation, ast.Or) else all)([_holds(part, states) for part in parts])
        case ast.UnaryOp(op=ast.Not(), operand=part):
            return not _holds(part, states)
        case ast.Call(func=ast.Name(id="ALARM" | "OK" | "INSUFFICIENT_DATA" as wanted), args=[ast.Constant(str(name))]):
            return states[name] == wanted
    raise ValueError(f"not known here: {ast.unparse(node)}")
