"""The JSON Schema of the events says what is written to the queues, and what is read from them."""

from __future__ import annotations

import copy
import itertools
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import orjson
import pytest

from order_contracts import EventType, decode
from service_common.events import UnreadableEventError
from tests.support.event_schema import REFERENCE, event_schema, text

SAMPLES = {each.stem: orjson.loads(each.read_bytes()) for each in (Path(__file__).parent / "samples/events").iterdir()}
# written, and read by nobody here
UNREAD = {"datacontenttype", "message"}
VALUES: list[object] = [None, True, 0, 1, -1, 1.5, 2**31, 2**63, "", "x", "order-failed", [], [{}], [[]], {}, "1" * 65]
VALIDATOR = jsonschema.Draft202012Validator(
    event_schema(), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)


def valid(document: object) -> bool:
    return bool(VALIDATOR.is_valid(document))


def readable(document: object) -> bool:
    try:
        decode(orjson.dumps(document).decode())
    except UnreadableEventError:
        return False
    return True


def strict(schema: dict[str, Any]) -> dict[str, Any]:
    members = {name: strict(member) for name, member in schema.get("properties", {}).items()}
    return {**schema, **({"properties": members, "additionalProperties": False} if members else {})}


def test_file_in_the_reference_is_what_the_code_says() -> None:
    assert REFERENCE.read_text(encoding="utf-8") == text(), "run python -m tests.support.event_schema"


def test_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(event_schema())


@pytest.mark.parametrize("event_type", EventType)
def test_what_is_written_has_no_member_that_is_not_described(event_type: EventType) -> None:
    schema = {name: value for name, value in event_schema().items() if name != "allOf"}
    jsonschema.Draft202012Validator(strict(schema)).validate(SAMPLES[event_type])
    assert valid(SAMPLES[event_type])


@pytest.mark.parametrize("event_type", EventType)
def test_what_is_valid_is_read_and_nothing_else(event_type: EventType) -> None:
    sample = SAMPLES[event_type]
    data, items = sample["data"], sample["data"].get("orderItems", [])
    places = [((), sample), (("data",), data), *((("data", "orderItems", 0), item) for item in items[:1])]
    for path, members in places:
        for name, value in itertools.product(members, [*VALUES, "nothing"]):
            document = copy.deepcopy(sample)
            place: Any = document
            for step in path:
                place = place[step]
            if value == "nothing":
                del place[name]
            else:
                place[name] = value
            if name not in UNREAD:
                assert valid(document) == readable(document), (path, name, value)
