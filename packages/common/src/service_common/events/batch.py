"""Many events in one message: the JSON batch format of CloudEvents, an array of events.

Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md#4-json-batch-format
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

__all__ = ["join_batch", "split_batch"]


def join_batch(bodies: Sequence[str]) -> str:
    """Return encoded events as one body in the batch format."""
    return f"[{','.join(bodies)}]"


def split_batch(body: str) -> list[str] | None:
    """Return each event of a batch as a body of its own, whatever it is; None when the body is no batch."""
    if not body.lstrip().startswith("["):
        return None
    try:
        events = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return [orjson.dumps(event).decode() for event in events]
