"""The examples of https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html."""

from __future__ import annotations

import json

import pytest

from tests.support.cloudwatch.filter_pattern import LogLine, PatternError, pattern, value_of

TRAIL = {
    "eventType": "UpdateTrail",
    "sourceIPAddress": "111.111.111.111",
    "arrayKey": ["value", "another value"],
    "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
    "SomeObject": None,
    "ThisFlag": True,
    "latency": 1001,
    "errorCode": 400,
    "numbers": [0.005],
    "processes": [{}, {}, {}, {}, {"averageRuntime": 55.5}],
    "path": "/orders/7",
}
USERS = {
    "user": {"id": 1, "email": "John.Stiles@example.com"},
    "users": [{"id": 2, "email": "John.Doe@example.com"}, {"id": 3, "email": "Jane.Doe@example.com"}],
    "actions": ["GET", "PUT", "DELETE"],
    "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]],
}


@pytest.mark.parametrize(
    "text",
    [
        '{ $.eventType = "UpdateTrail" }',
        "{ $.eventType = UpdateTrail }",
        "{ $.eventType = *Trail }",
        "{ $.eventType = %Trail% }",
        '{ $.eventType = "*" && $.sourceIPAddress != 123.123.* }',
        "{ $.sourceIPAddress != 123.123.* }",
        '{ $.arrayKey[0] = "value" }',
        "{ $.objectList[1].id = 2 }",
        "{ $.SomeObject IS NULL }",
        "{ $.SomeOtherObject NOT EXISTS }",
        "{ $.ThisFlag IS TRUE }",
        "{ $.latency >= 500 }",
        "{ $.latency = * }",
        "{ $.latency > +1000 }",
        "{ $.numbers[0] < 10e3 }",
        "{ $.numbers[0] < 10e-3 }",
        "{ $.processes[4].averageRuntime <= 55.5 }",
        "{ $.errorCode = 400 }",
        "{ $.errorCode != 500 }",
        '{ $.path = "/orders*" }',
    ],
)
def test_pattern_of_the_documentation_matches_its_line(text: str) -> None:
    assert pattern(text)(LogLine(json.dumps(TRAIL)))


@pytest.mark.parametrize(
    "text",
    [
        '{ $.eventType = "updatetrail" }',
        "{ $.eventType = Up*Trail }",  # an asterisk within stands for itself
        "{ $.sourceIPAddress = 123.123.* }",
        '{ $.eventType[0] = "UpdateTrail" }',
        "{ $.objectList[1].number = 2 }",
        "{ $.objectList[2].id = 2 }",
        "{ $.ThisFlag IS NULL }",
        "{ $.SomeOtherObject IS NULL }",
        "{ $.SomeObject NOT EXISTS }",
        "{ $.ThisFlag IS FALSE }",
        "{ $.objectList = 1 }",  # an array or an object has no value to compare
        "{ $.objectList != 1 }",
        "{ $.nothing = * }",
        "{ $.eventType > 3 }",
        "{ $.errorCode < 400 }",
    ],
)
def test_pattern_does_not_match(text: str) -> None:
    assert not pattern(text)(LogLine(json.dumps(TRAIL)))


@pytest.mark.parametrize(
    ("text", "matched"),
    [
        ('{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }', True),
        ('{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }', False),
        (
            '{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = nonmatch && $.actions[2] = nomatch }',
            True,
        ),
        (
            '{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = nonmatch)'
            " && $.actions[2] = nomatch }",
            False,
        ),
    ],
)
def test_parentheses_bind_before_and_before_or(text: str, matched: bool) -> None:
    assert pattern(text)(LogLine(json.dumps(USERS))) is matched


@pytest.mark.parametrize(
    ("text", "matched"),
    [
        ("ERROR", [True, True, False]),
        ("?ERROR ?WARN", [True, True, True]),
        ("ERROR WARN", [True, False, False]),
        ("ERROR -WARN", [False, True, False]),
        ('"ERROR message"', [False, True, False]),
        ("%WARN.*message%", [True, False, True]),
        ("", [True, True, True]),
    ],
)
def test_terms(text: str, matched: list[bool]) -> None:
    lines = ("ERROR WARN message", "ERROR message", "WARN message")
    assert [pattern(text)(LogLine(line)) for line in lines] == matched


def test_json_pattern_matches_no_line_that_is_not_an_object() -> None:
    never_there = pattern("{ $.a NOT EXISTS }")
    assert [never_there(LogLine(text)) for text in ("no JSON", "[1]", "{}")] == [False, False, True]


@pytest.mark.parametrize(
    "text",
    [
        "[ip, user, status = 4*]",
        "{ $.a = 1",
        "{ ($.a = 1 }",
        "{ $.a }",
        "{ $.a = }",
        "{ a = 1 }",
        "{ $.a = 1 $.b = 2 }",
        "{ $.a IS 7 }",
        "{ $.a NOT NULL }",
        "{ $.a > x }",
        "?ERROR WARN",
    ],
)
def test_invalid_pattern_is_refused(text: str) -> None:
    with pytest.raises(PatternError):
        pattern(text)


def test_value_is_read_from_the_line() -> None:
    line = LogLine(json.dumps(TRAIL))
    assert (value_of("$.latency", line), value_of("$.objectList[1].id", line), value_of("$.none", line)) == (
        1001,
        2,
        None,
    )
