"""A list that is too long is refused before its elements are loaded; a time is told how to be written."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from marshmallow import Schema, ValidationError, fields

from service_common.fields import BoundedList, UtcTime


class Looked(fields.Field[object]):
    """An element that must not be loaded."""

    def _deserialize(self, value: object, *_: object, **__: object) -> object:
        raise AssertionError(value)


class NumbersSchema(Schema):
    numbers = BoundedList(fields.Int(), at_least=1, at_most=3)


class UnseenSchema(Schema):
    unseen = BoundedList(Looked(), at_least=1, at_most=3)


@pytest.mark.parametrize("numbers", [[1], [1, 2, 3]])
def test_list_within_its_bounds_is_loaded(numbers: Sequence[int]) -> None:
    assert NumbersSchema().load({"numbers": numbers}) == {"numbers": numbers}


@pytest.mark.parametrize("unseen", [[], [{}] * 4, [None] * 100_000])
def test_list_of_the_wrong_length_is_refused_before_its_elements_are_loaded(unseen: Sequence[object]) -> None:
    with pytest.raises(ValidationError) as raised:
        UnseenSchema().load({"unseen": unseen})

    assert raised.value.messages == {"unseen": ["Length must be between 1 and 3."]}


@pytest.mark.parametrize("numbers", ["123", {"0": 1}, 1])
def test_other_value_than_a_list_is_refused(numbers: object) -> None:
    with pytest.raises(ValidationError):
        NumbersSchema().load({"numbers": numbers})


class SinceSchema(Schema):
    since = UtcTime()


@pytest.mark.parametrize("since", ["", "2026", "2026-11-22T10:13:18+01:00", "2026-02-30T00:00:00Z"])
def test_time_in_another_notation_is_refused_with_an_example(since: str) -> None:
    with pytest.raises(ValidationError) as raised:
        SinceSchema().load({"since": since})

    assert raised.value.messages == {"since": ["Has to be a time in UTC, as 2026-11-22T10:13:18.044363Z."]}
