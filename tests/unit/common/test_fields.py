"""A list that is too long is refused before its elements are loaded."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from marshmallow import Schema, ValidationError, fields

from service_common.fields import BoundedList


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
