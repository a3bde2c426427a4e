from __future__ import annotations

import itertools

import orjson
import pytest
from marshmallow import ValidationError

from notification_service.http import schemas
from notification_service.notification import NotificationFilter
from service_common.errors import InvalidError
from tests.support.hostile import VALUES

LISTS = [[], [1], [1, 1], [2**63 - 1], [2**63], list(range(1, 258)), *([1, value] for value in VALUES)]


def through_schema(message: dict[str, object]) -> NotificationFilter | None:
    try:
        loaded = schemas._SUBSCRIBE.load(message)
    except ValidationError:
        return None
    return schemas.filter_of(loaded["orders"], loaded["kinds"])


@pytest.mark.parametrize("kind", ["subscribe", "Subscribe", None, 1])
def test_fast_path_for_subscribe_agrees_with_the_schema(kind: object) -> None:
    for orders in itertools.chain(LISTS, VALUES):
        message = {"type": kind, "orderId": orders}
        try:
            text = orjson.dumps(message).decode()
        except TypeError:  # orjson writes no integer that large
            continue
        try:
            said: NotificationFilter | None = schemas.subscribe(text)
        except InvalidError:
            said = None
        assert said == through_schema(message), message


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ('{"type":"subscribe"}', "Names no filter; there are: orderId, kind."),
        ('{"type":"subscribe","orderId":["1"]}', "/orderId/0: Not a valid integer."),
    ],
)
def test_refusal_of_a_message_begins_with_the_pointer_where_there_is_one(text: str, detail: str) -> None:
    with pytest.raises(InvalidError) as raised:
        schemas.subscribe(text)

    assert raised.value.detail == detail
