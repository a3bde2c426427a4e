"""Filter patterns of CloudWatch Logs: which log lines they match.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html, without the patterns of
space-delimited lines (``[ip, user, …]``), which are refused here.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import orjson

__all__ = ["LogLine", "Matches", "PatternError", "pattern", "value_of"]

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<selector>\$(?:\.[\w-]+|\[\d+\])+)
      | (?P<operator>&&|\|\||<=|>=|!=|[()<>=])
      | (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<regex>%[^%]+%)
      | (?P<word>[^\s()"&|=<>!]+)
    )""",
    re.VERBOSE,
)
_STEP = re.compile(r"\.([\w-]+)|\[(\d+)\]")
_TERM = re.compile(r'([-?]?)(?:"((?:[^"\\]|\\.)*)"|%([^%]+)%|([^\s"]+))')
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?", re.IGNORECASE)
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_CONSTANTS = {"NULL": None, "TRUE": True, "FALSE": False}
_MISSING = object()


class PatternError(ValueError):
    """The pattern is not valid."""


class LogLine:
    """A log line; what it is as JSON is read once."""

    def __init__(self, text: str | bytes) -> None:
        self.text = text if isinstance(text, str) else text.decode()

    @cached_property
    def fields(self) -> Any:
        """The line as JSON, `None` when it is none."""
        try:
            return orjson.loads(self.text)
        except orjson.JSONDecodeError:
            return None


Matches = Callable[[LogLine], bool]


def pattern(text: str) -> Matches:
    """Return what tells whether a line matches the pattern *text*.

    Raises:
        PatternError: it is not valid.
    """
    text = text.strip()
    if text.startswith("["):
        raise PatternError("patterns of space-delimited lines are not known here")
    return _json_pattern(text) if text.startswith("{") else _terms(text)


def value_of(selector: str, line: LogLine) -> Any:
    """Return the value that ``$.a.b[0]`` selects in a line, or None."""
    found = _select(selector, line)
    return None if found is _MISSING else found


def _terms(text: str) -> Matches:
    """All plain terms have to be there, and none with a minus; or one of those with a question mark."""
    kinds: dict[str, list[Callable[[str], object]]] = {"": [], "-": [], "?": []}
    for sign, quoted, expression, word in _TERM.findall(text):
        literal = quoted or word
        kinds[sign].append(re.compile(expression or re.escape(literal)).search)
    if kinds["?"] and (kinds[""] or kinds["-"]):
        raise PatternError("CloudWatch Logs ignores a ? beside other terms")

    def matches(line: LogLine) -> bool:
        if kinds["?"]:
            return any(term(line.text) for term in kinds["?"])
        return all(term(line.text) for term in kinds[""]) and not any(term(line.text) for term in kinds["-"])

    return matches


def _json_pattern(text: str) -> Matches:
    if not text.endswith("}"):
        raise PatternError(f"{text} has no end")
    parser = _Parser(text[1:-1])
    found = parser.disjunction()
    parser.end()
    return lambda line: isinstance(line.fields, dict) and found(line)


class _Parser:
    """Recursive descent: parentheses, then comparisons, then ``&&``, then ``||``."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        position, text = 0, text.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None or match.lastgroup is None:
                raise PatternError(f"not understood: {text[position:]}")
            self._tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()

    def disjunction(self) -> Matches:
        parts = [self._conjunction()]
        while self._accept("||"):
            parts.append(self._conjunction())
        return lambda line: any(part(line) for part in parts)

    def end(self) -> None:
        if self._tokens:
            raise PatternError(f"not understood: {self._tokens[0][1]}")

    def _conjunction(self) -> Matches:
        parts = [self._condition()]
        while self._accept("&&"):
            parts.append(self._condition())
        return lambda line: all(part(line) for part in parts)

    def _condition(self) -> Matches:
        if self._accept("("):
            inner = self.disjunction()
            if not self._accept(")"):
                raise PatternError("a parenthesis is not closed")
            return inner
        selector = self._take("selector")
        if self._accept("IS"):
            constant = self._take("word")
            if constant not in _CONSTANTS:
                raise PatternError(f"IS {constant}")
            return lambda line: _select(selector, line) is _CONSTANTS[constant]
        if self._accept("NOT"):
            if not self._accept("EXISTS"):
                raise PatternError("NOT without EXISTS")
            return lambda line: _select(selector, line) is _MISSING
        comparison = self._take("operator")
        if comparison not in _COMPARISONS or not self._tokens:
            raise PatternError(f"{selector} {comparison}")
        return _comparison(selector, comparison, *self._tokens.pop(0))

    def _accept(self, token: str) -> bool:
        if self._tokens and self._tokens[0] in {("operator", token), ("word", token)}:
            self._tokens.pop(0)
            return True
        return False

    def _take(self, kind: str) -> str:
        if not self._tokens or self._tokens[0][0] != kind:
            raise PatternError(f"a {kind} is missing")
        return self._tokens.pop(0)[1]


def _comparison(selector: str, comparison: str, kind: str, wanted: str) -> Matches:
    compare = _COMPARISONS[comparison]
    if kind == "word" and _NUMBER.fullmatch(wanted):
        number = float(wanted)
        return lambda line: isinstance(found := _number(selector, line), float) and compare(found, number)
    if comparison not in {"=", "!="} or kind not in {"word", "string", "regex"}:
        raise PatternError(f"{selector} {comparison} {wanted}")
    search = _text_search(kind, wanted)

    def matches(line: LogLine) -> bool:
        found = _select(selector, line)
        # an array, an object, or nothing: the line does not have the form that the pattern is for
        if found is _MISSING or isinstance(found, dict | list):
            return False
        text = found if isinstance(found, str) else orjson.dumps(found).decode()
        return search(text) if comparison == "=" else not search(text)

    return matches


def _text_search(kind: str, wanted: str) -> Callable[[str], bool]:
    """An asterisk at the begin or the end stands for any text, and one within for itself."""
    if kind == "regex":
        expression = re.compile(wanted[1:-1])
        return lambda text: expression.search(text) is not None
    literal = re.sub(r"\\(.)", r"\1", wanted[1:-1]) if kind == "string" else wanted
    begin, end = literal.startswith("*"), literal.endswith("*")
    core = re.escape(literal.strip("*"))
    whole = re.compile(f"{'.*' if begin else ''}{core}{'.*' if end else ''}", re.DOTALL)
    return lambda text: whole.fullmatch(text) is not None


def _number(selector: str, line: LogLine) -> float | None:
    found = _select(selector, line)
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


def _select(selector: str, line: LogLine) -> Any:
    found = line.fields
    for name, index in _STEP.findall(selector):
        if name:
            found = found.get(name, _MISSING) if isinstance(found, dict) else _MISSING
        else:
            found = found[int(index)] if isinstance(found, list) and int(index) < len(found) else _MISSING
    return found
