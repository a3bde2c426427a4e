"""Fields that marshmallow lacks: lists whose length is checked first, and integers in one notation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from marshmallow import fields, validate

from .scope import MAX_CUSTOMER_ID

__all__ = ["BoundedList", "DecimalInteger", "PathString", "customer", "no_nul", "page_limit"]

T = TypeVar("T")

DEFAULT_PAGE = 50
MAX_PAGE = 200
# 19 digits hold every bigint of PostgreSQL
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


class BoundedList(fields.List[T]):
    """A list of *at_least* to *at_most* elements, whose length is validated before them.

    marshmallow's validators of a list run after each element was loaded: a body of 256 KiB full of ``{}`` would block
    the event loop for ten seconds.
    """

    def __init__(self, element: fields.Field[T], *, at_least: int, at_most: int, **options: Any) -> None:
        self.at_least, self.at_most = at_least, at_most
        self._length = validate.Length(at_least, at_most)
        super().__init__(element, **options)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any
    ) -> list[T | None]:
        if isinstance(value, list):
            self._length(value)
        return super()._deserialize(value, attr, data, **options)


class PathString(fields.String):
    """A string in a path, which is never missing: only its validators run, at a third of marshmallow's cost."""

    def deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        """Return *value*.

        Raises:
            ValidationError: a validator refuses it.
        """
        for validator in self.validators:
            validator(value)
        return value


class DecimalInteger(fields.Integer):
    """An integer from 0 in a query or a path: ASCII digits without a sign, padding or separators.

    marshmallow's ``Integer`` accepts what ``int`` does: ``+5``, ``1_0``, surrounding space, digits of any script.
    """

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
            raise self.make_error("invalid", input=value)
        return int(value)


def page_limit() -> DecimalInteger:
    """Return the field for the size of a page: 1 to 200, 50 by default."""
    return DecimalInteger(load_default=DEFAULT_PAGE, validate=validate.Range(1, MAX_PAGE))


def no_nul() -> validate.Validator:
    """Return the validator of texts for PostgreSQL, which has no NUL in them."""
    return validate.ContainsNoneOf("\0", error="Must not contain the character NUL.")


def customer() -> fields.String:
    """Return the field for a filter by customer."""
    return fields.String(load_default=None, validate=[validate.Length(1, MAX_CUSTOMER_ID), no_nul()])
