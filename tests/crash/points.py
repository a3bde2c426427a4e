"""Names the awaits of a module, and rewrites the module so that it reports before and after each of them.

The name of a point is that of the function, the number of the await in it and the side of the await, such as
``order_service.service.OrderService.place#2:before``. It stays the same when other functions change. ``async with``
has four points (``#3.enter:before`` to ``#3.exit:after``), ``async for`` two for each item (``#4.next:before``).
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, TypeVar

__all__ = ["Point", "instrument", "reporters"]

T_co = TypeVar("T_co", covariant=True)
Report = Callable[[int], None]

_AWAIT, _WITH, _FOR = "__await_point__", "__with_points__", "__for_points__"
# they wait for nothing: the points beside them are the same
_NEVER_SUSPEND = frozenset({"asyncio.timeout", "asyncio.timeout_at"})


@dataclass(frozen=True, slots=True)
class Point:
    """A moment before or after an await.

    Attributes:
        name: tells it from all others.
        place: file and line.
        source: the expression that is awaited.
    """

    name: str
    place: str
    source: str


def instrument(source: str, module: str, path: str, points: list[Point]) -> ast.Module:
    """Return *source* with calls of the reporters, and append its points to *points*: they report its positions."""
    tree = _Rewriting(module, path, points).visit(ast.parse(source, path))
    return ast.fix_missing_locations(tree)  # type: ignore[no-any-return]


def reporters(report: Report) -> dict[str, object]:
    """Return the names that a rewritten module needs, which call *report* with the position of each point."""
    return {
        _AWAIT: report,
        _WITH: lambda manager, point: _Context(manager, point, report),
        _FOR: lambda items, point: _Items(items, point, report),
    }


class _Rewriting(ast.NodeTransformer):
    def __init__(self, module: str, path: str, points: list[Point]) -> None:
        self._names = [module]
        self._path = path
        self._points = points
        self._numbers: Counter[str] = Counter()

    def _scope(self, node: ast.AST) -> ast.AST:
        assert isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        self._names.append(node.name)
        self.generic_visit(node)
        self._names.pop()
        return node

    visit_ClassDef = visit_FunctionDef = visit_AsyncFunctionDef = _scope  # noqa: N815 - names of the ast module

    def visit_Await(self, node: ast.Await) -> ast.expr:
        before, after = (_report(point) for point in self._add(node.value, ""))
        self.generic_visit(node)
        # (report(before), await …, report(after))[1]
        both = ast.Tuple([before, node, after], ast.Load())
        return ast.copy_location(ast.Subscript(both, ast.Constant(1), ast.Load()), node)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AsyncWith:
        firsts = [self._first(item.context_expr, ".enter", ".exit") for item in node.items]
        self.generic_visit(node)
        for item, first in zip(node.items, firsts, strict=True):
            if first is not None:
                item.context_expr = _wrapped(_WITH, item.context_expr, first)
        return node

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AsyncFor:
        first = self._first(node.iter, ".next")
        self.generic_visit(node)
        if first is not None:
            node.iter = _wrapped(_FOR, node.iter, first)
        return node

    def _first(self, node: ast.expr, *kinds: str) -> int | None:
        if isinstance(node, ast.Call) and ast.unparse(node.func) in _NEVER_SUSPEND:
            return None
        return self._add(node, *kinds)[0]

    def _add(self, node: ast.expr, *kinds: str) -> range:
        function = ".".join(self._names)
        self._numbers[function] += 1
        first = len(self._points)
        for kind in kinds:
            for side in ("before", "after"):
                name = f"{function}#{self._numbers[function]}{kind}:{side}"
                self._points.append(Point(name, f"{self._path}:{node.lineno}", ast.unparse(node)))
        return range(first, len(self._points))


def _report(point: int) -> ast.expr:
    return ast.Call(ast.Name(_AWAIT, ast.Load()), [ast.Constant(point)], [])


def _wrapped(name: str, node: ast.expr, point: int) -> ast.expr:
    return ast.copy_location(ast.Call(ast.Name(name, ast.Load()), [node, ast.Constant(point)], []), node)


class _Context(Generic[T_co]):
    """A context manager that reports the points *first* to *first* + 3."""

    def __init__(self, manager: AbstractAsyncContextManager[T_co], first: int, report: Report) -> None:
        self._manager = manager
        self._first = first
        self._report = report

    async def __aenter__(self) -> T_co:
        self._report(self._first)
        entered = await self._manager.__aenter__()
        self._report(self._first + 1)
        return entered

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        self._report(self._first + 2)
        suppressed = await self._manager.__aexit__(kind, error, trace)
        self._report(self._first + 3)
        return suppressed


class _Items(Generic[T_co]):
    """An iterator that reports the points *first* and *first* + 1 for each item."""

    def __init__(self, items: AsyncIterator[T_co], first: int, report: Report) -> None:
        self._items = aiter(items)
        self._first = first
        self._report = report

    def __aiter__(self) -> AsyncIterator[T_co]:
        return self

    async def __anext__(self) -> T_co:
        self._report(self._first)
        item = await anext(self._items)
        self._report(self._first + 1)
        return item
