"""Fields that marshmallow lacks: lists whose length is checked first, integers and times in one notation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from marshmallow import ValidationError, fields, validate

from .scope import MAX_CUSTOMER_ID

__all__ = ["BoundedList", "DecimalInteger", "PathString", "UtcTime", "customer", "no_nul", "page_limit"]

T = TypeVar("T")

DEFAULT_PAGE = 50
MAX_PAGE = 200
# 19 digits hold every bigint of PostgreSQL
_UTC_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z\Z"
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


class UtcTime(fields.String):
    """A time in a query, in the notation of our answers: ``2026-11-22T10:13:18Z``, with up to six decimals."""

    def __init__(self, **options: Any) -> None:
        super().__init__(validate=validate.Regexp(_UTC_TIME), **options)

    def deserialize(self, value: Any, *arguments: Any, **options: Any) -> Any:
        """Return the time.

        Raises:
            ValidationError: it has another notation, or there is no such time.
        """
        try:
            text = super().deserialize(value, *arguments, **options)
            return datetime.fromisoformat(text) if isinstance(text, str) else text
        except (ValidationError, ValueError) as error:
            raise ValidationError("Has to be a time in UTC, as 2026-11-22T10:13:18.044363Z.") from error


def page_limit() -> DecimalInteger:
    """Return the field for the size of a page: 1 to 200, 50 by default."""
    return DecimalInteger(load_default=DEFAULT_PAGE, validate=validate.Range(1, MAX_PAGE))


def no_nul() -> validate.Validator:
    """Return the validator of texts for PostgreSQL, which has no NUL in them."""
    return validate.ContainsNoneOf("\0", error="Must not contain the character NUL.")


def customer() -> fields.String:
    """Return the field for a filter by customer."""
    return fields.String(load_default=None, validate=[validate.Length(1, MAX_CUSTOMER_ID), no_nul()])
