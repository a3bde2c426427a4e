"""Shrinks a failing run to few events by delta debugging, and tells it as a short story.

Source: Zeller, Hildebrandt: Simplifying and Isolating Failure-Inducing Input, 2002 (ddmin).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

from tests.simulation.run import Verdict

__all__ = ["shrink", "story"]

MAX_RUNS = 200
MAX_LINES = 40
_TOLD = re.compile(
    r"  (customer|world) |! |starts$|exits|: .*Error"
    r"|order (accepted|updated|cancelled|closed|failed|announced)|saga (ended|restarted|claim lost)"
    r"|stock (operation|released)|event consumed|notifications restored|dead-letter"
)


def shrink(verdict: Verdict, run: Callable[[Collection[str]], Verdict]) -> Verdict:
    """Return the verdict of a run in which as little as possible happens, but which fails as *verdict* does."""
    runs, parts = 0, 2
    while len(verdict.happened) > 1 and runs < MAX_RUNS:
        for part in _parts(verdict.happened, parts):
            runs += 1
            candidate = run([key for key in verdict.happened if key not in part])
            if _kinds(candidate) & _kinds(verdict):
                verdict, parts = candidate, max(2, parts - 1)
                break
        else:
            if parts >= len(verdict.happened):
                break
            parts = min(len(verdict.happened), parts * 2)
    return verdict


def story(verdict: Verdict) -> list[str]:
    """Return at most 40 lines of the trace of *verdict*: what customers did, what failed, what became of it."""
    lines = [line[:200] for line in verdict.trace if _TOLD.search(line)]
    if len(lines) > MAX_LINES:
        half = MAX_LINES // 2
        lines = [
            *lines[: half - 1],
            f"           … {len(lines) - MAX_LINES + 1} more lines: see --trace",
            *lines[-half:],
        ]
    return lines


def _parts(keys: Sequence[str], number: int) -> list[frozenset[str]]:
    size = -(-len(keys) // number)
    return [frozenset(keys[start : start + size]) for start in range(0, len(keys), size)]


def _kinds(verdict: Verdict) -> set[str]:
    """What kind of problems: the invariants, or the words before the facts."""
    return {re.split(r"[:\d]", problem)[0] + (problem[1] if problem[0] == "I" else "") for problem in verdict.problems}
