"""`python -m tests.support.event_schema` writes the JSON Schema of the events into the reference."""

from __future__ import annotations

from pathlib import Path

import orjson

from service_common.event_schema import event_schema

__all__ = ["REFERENCE", "text"]

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "events.schema.json"


def text() -> str:
    """Return what the file is to be."""
    return orjson.dumps(event_schema(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


if __name__ == "__main__":
    REFERENCE.write_text(text(), encoding="utf-8")
