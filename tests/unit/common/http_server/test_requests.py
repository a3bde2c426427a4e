"""A request is parsed, or refused with a pointer to each violation."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request
from marshmallow import Schema, fields, validate, validates_schema
from marshmallow.exceptions import ValidationError

from service_common.errors import (
    InvalidError,
    MalformedError,
    PreconditionFailedError,
    PreconditionRequiredError,
    Violation,
)
from service_common.http_server import etag, if_match, load


class ItemSchema(Schema):
    product_id = fields.Str(data_key="productId", required=True)
    quantity = fields.Int(required=True, strict=True, validate=validate.Range(1))


class OrderSchema(Schema):
    items = fields.List(fields.Nested(ItemSchema), data_key="orderItems", required=True)

    @validates_schema
    def refuse_empty(self, data: dict[str, object], **_context: object) -> None:
        if not data["items"]:
            raise ValidationError("An order has at least one item.")


def test_valid_document_is_loaded() -> None:
    document = {"orderItems": [{"productId": "123", "quantity": 2}]}

    assert load(OrderSchema(), document) == {"items": [{"product_id": "123", "quantity": 2}]}


def test_every_violation_has_its_pointer() -> None:
    document = {"orderItems": [{"quantity": 0}, {"productId": "1", "quantity": "2"}], "a/b~c": 1}

    with pytest.raises(InvalidError) as raised:
        load(OrderSchema(), document)

    assert [violation.pointer for violation in raised.value.violations] == [
        "/orderItems/0/productId",
        "/orderItems/0/quantity",
        "/orderItems/1/quantity",
        "/a~1b~0c",
    ]
    assert raised.value.detail == "4 things are not valid."


def test_violation_of_the_document_has_an_empty_pointer() -> None:
    with pytest.raises(InvalidError) as raised:
        load(OrderSchema(), {"orderItems": []})

    assert raised.value.violations == (Violation("", "An order has at least one item."),)


def test_number_of_reported_violations_is_bounded() -> None:
    with pytest.raises(InvalidError) as raised:
        load(OrderSchema(), {f"field{number}": 1 for number in range(5000)})

    assert len(raised.value.violations) == 100
    assert raised.value.detail == "5001 things are not valid."


@pytest.mark.parametrize(("header", "version"), [('"7"', 7), (' "7" ', 7), ("*", None)])
def test_if_match_names_a_version(header: str, version: int | None) -> None:
    request = make_mocked_request("PUT", "/", headers={"If-Match": header})

    assert if_match(request, required=True) == version


def test_if_match_accepts_the_entity_tag_of_a_version() -> None:
    request = make_mocked_request("PUT", "/", headers={"If-Match": etag(12)})

    assert if_match(request) == 12


@pytest.mark.parametrize("headers", [{}, {"If-Match": ""}, {"If-Match": " "}])
def test_missing_if_match_means_any_version_unless_it_is_required(headers: dict[str, str]) -> None:
    request = make_mocked_request("PUT", "/", headers=headers)

    assert if_match(request) is None
    with pytest.raises(PreconditionRequiredError):
        if_match(request, required=True)


@pytest.mark.parametrize("header", ['W/"7"', '"abc"', "7", '""', '"-1"', '"99999999999999999999999"', '"\u0667"'])
def test_entity_tag_that_can_match_no_version_fails_the_precondition(header: str) -> None:
    with pytest.raises(PreconditionFailedError):
        if_match(make_mocked_request("PUT", "/", headers={"If-Match": header}))


def test_several_entity_tags_are_refused() -> None:
    with pytest.raises(MalformedError):
        if_match(make_mocked_request("PUT", "/", headers={"If-Match": '"1", "2"'}))
