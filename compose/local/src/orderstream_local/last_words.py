"""What a process that failed said last, short enough for a screen."""

from __future__ import annotations

import json
from pathlib import Path

__all__ = ["last_words"]

_LINES = 3
_TAIL_BYTES = 64 * 1024


def last_words(log: Path) -> list[str]:
    """Return the end of *log*: of JSON lines those that tell of trouble if any do, each as one sentence."""
    if not log.exists():
        return []
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = [_read(line) for line in file.read().decode(errors="replace").splitlines() if line]
    troubles = [text for text, trouble in lines if trouble]
    return list(dict.fromkeys(troubles or [text for text, _ in lines]))[-_LINES:]


def _read(line: str) -> tuple[str, bool]:
    try:
        facts = json.loads(line)
        level, message = facts["level"], facts["message"]
    except (ValueError, TypeError, KeyError):
        return line, True  # not of our logger: what an interpreter says when it can't even start
    traceback = str(facts.get("exc_info") or "").strip().splitlines()
    return ": ".join([level, message, *traceback[-1:]]), level in {"WARNING", "ERROR", "CRITICAL"}
