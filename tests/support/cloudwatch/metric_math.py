"""The part of CloudWatch's metric math that alarms here use, for one period at a time.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html: arithmetic, comparisons (1 or
0), ``IF`` and ``FILL``. A period that a metric has no value for has none of the expression either, unless it is filled.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["evaluate"]

_BINARY: Mapping[type[ast.AST], Callable[[Any, Any], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def evaluate(expression: str, values: Mapping[str, float | None]) -> float | None:
    """Return the value of *expression* in a period in which its metrics have these *values*; None for none.

    Raises:
        ValueError: the expression has something that is not known here.
    """
    return _value(ast.parse(expression, mode="eval").body, values)


def _value(node: ast.AST, values: Mapping[str, float | None]) -> float | None:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return values[name]
        case (
            ast.BinOp(left=left, op=operation, right=right)
            | ast.Compare(left=left, ops=[operation], comparators=[right])
        ):
            return _combined(operation, _value(left, values), _value(right, values))
        case ast.Call(func=ast.Name(id="IF"), args=[condition, then, otherwise]):
            chosen = _value(condition, values)
            return None if chosen is None else _value(then if chosen else otherwise, values)
        case ast.Call(func=ast.Name(id="FILL"), args=[metric, filler]):
            found = _value(metric, values)
            return _value(filler, values) if found is None else found
    raise ValueError(f"not known here: {ast.unparse(node)}")


def _combined(operation: ast.AST, left: float | None, right: float | None) -> float | None:
    if left is None or right is None or (isinstance(operation, ast.Div) and right == 0):
        return None  # a division by zero has no data point
    return float(_BINARY[type(operation)](left, right))
