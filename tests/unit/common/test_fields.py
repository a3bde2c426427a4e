"""A list that is too long is refused for its length, not for its elements."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from marshmallow import Schema, ValidationError, fields

from service_common.fields import BoundedList


class Looked(fields.Field[object]):
    """An element that may not be looked at."""

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
def test_list_of_the_wrong_length_is_refused_unseen(unseen: Sequence[object]) -> None:
    with pytest.raises(ValidationError) as raised:
        UnseenSchema().load({"unseen": unseen})

    assert raised.value.messages == {"unseen": ["Length must be between 1 and 3."]}


@pytest.mark.parametrize("numbers", ["123", {"0": 1}, 1])
def test_what_is_no_list_is_refused(numbers: object) -> None:
    with pytest.raises(ValidationError):
        NumbersSchema().load({"numbers": numbers})
