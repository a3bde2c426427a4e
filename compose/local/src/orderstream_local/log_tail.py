"""The last lines of a failed process's log, short enough for a terminal."""

from __future__ import annotations

import json
from pathlib import Path

__all__ = ["log_tail"]

_LINES = 3
_TAIL_BYTES = 64 * 1024


def log_tail(log: Path) -> list[str]:
    """Return the last lines of *log*, one sentence each; of JSON lines only warnings and errors, if any."""
    if not log.exists():
        return []
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = [_parse(line) for line in file.read().decode(errors="replace").splitlines() if line]
    problems = [text for text, is_problem in lines if is_problem]
    return list(dict.fromkeys(problems or [text for text, _ in lines]))[-_LINES:]


def _parse(line: str) -> tuple[str, bool]:
    try:
        facts = json.loads(line)
        level, message = facts["level"], facts["message"]
    except (ValueError, TypeError, KeyError):
        return line, True  # not from our logger: an interpreter that can't start writes plain text
    traceback = str(facts.get("exc_info") or "").strip().splitlines()
    return ": ".join([level, message, *traceback[-1:]]), level in {"WARNING", "ERROR", "CRITICAL"}
