"""Log messages are an operator's interface: the reference lists each that a service can log, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from orderstream_local.layout import ROOT
from tests.support.pages import PAGES, REFERENCE, inline_code, rows, section

LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}


def test_every_log_message_is_listed_in_the_reference() -> None:
    listed = set(_listed())
    missing = [
        f"{pattern.replace(chr(92), '')} ({path})"
        for pattern, path in _logged()
        if not any(re.fullmatch(pattern, message) for message in listed)
    ]
    assert missing == []


def test_every_message_in_the_reference_is_logged() -> None:
    patterns = [pattern for pattern, _ in _logged()]
    assert [message for message in _listed() if not any(re.fullmatch(pattern, message) for pattern in patterns)] == []


def test_message_that_a_query_filters_by_is_listed() -> None:
    listed = set(_listed())
    pages = "\n".join(page.read_text("utf-8") for page in PAGES)
    conditions = " ".join(re.findall(r'message (?:= "[^"]+"|in \[.+?\])', pages))
    filtered = set(re.findall(r'"([^"]+)"', conditions))
    assert {"saga ended", "dependency unavailable"} <= filtered
    assert filtered - listed == set()


def _listed() -> Iterator[str]:
    """The messages in the first column of the tables of messages."""
    lines = section((REFERENCE / "observability.md").read_text("utf-8"), "## Log lines")
    for heading in re.findall(r"^### .+$", lines, re.MULTILINE):
        for cell, *_ in rows(section(lines, heading)):
            yield from inline_code(cell)


def _logged() -> Iterator[tuple[str, Path]]:
    """Each message that a service logs as a pattern, and the file that it stands in."""
    for path in sorted(ROOT.glob("packages/*/src/**/*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
            for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
                if _is_log_call(call):
                    message = call.args[1 if ast.unparse(call.func).endswith(".log") else 0]
                    yield from ((pattern, path.relative_to(ROOT)) for pattern in _patterns(message, function, tree))


def _is_log_call(call: ast.Call) -> bool:
    target, _, method = ast.unparse(call.func).rpartition(".")
    return target in {"logger", "_log"} and method in LEVELS


def _patterns(message: ast.expr, function: ast.FunctionDef | ast.AsyncFunctionDef, tree: ast.AST) -> Iterator[str]:
    """Yield the messages that the expression can be; ``.+`` stands for what is only known when it runs."""
    match message:
        case ast.Constant(value=str(text)):
            yield re.escape(text).replace("%s", ".+")
        case ast.JoinedStr(values=parts):
            yield "".join(re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+" for part in parts)
        case ast.IfExp(body=one, orelse=other):
            yield from _patterns(one, function, tree)
            yield from _patterns(other, function, tree)
        case ast.Name(id=name):  # a parameter: what the callers pass
            for argument in _arguments(function, name, tree):
                yield from _patterns(argument, function, tree)
        case _:
            raise AssertionError(f"no message can be read from {ast.unparse(message)}")


def _arguments(function: ast.FunctionDef | ast.AsyncFunctionDef, parameter: str, tree: ast.AST) -> Iterator[ast.expr]:
    names = [each.arg for each in function.args.args if each.arg != "self"]
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if ast.unparse(call.func).removeprefix("self.") == function.name:
            yield call.args[names.index(parameter)]
