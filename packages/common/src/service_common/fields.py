"""Lists in payloads that cost no more than their bound, however long they come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from marshmallow import fields, validate

__all__ = ["BoundedList"]

T = TypeVar("T")


class BoundedList(fields.List[T]):
    """A list of *at_least* to *at_most* elements, whose length is checked before they are.

    marshmallow's own validators see a list when each of its elements has been loaded: for a body of 256 KiB that is
    nothing but ``{}`` ten seconds of a process that has other things to do.
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
