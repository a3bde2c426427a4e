"""Which traces are recorded: the samplers of OpenTelemetry, by their names in ``OTEL_TRACES_SAMPLER``. Pure."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Sampler", "sampler"]

Sampler = Callable[[str, str | None], bool]

_PARENT_BASED = "parentbased_"


def sampler(name: str, ratio: float) -> Sampler:
    """Return the sampler *name*: whether to record a trace, by its id and the flags of its caller, None without one.

    *ratio*, 0 to 1, is the share of traces that those by ratio record. They decide by the trace id, as all services do,
    so that a trace is recorded whole.
    """
    if name.startswith(_PARENT_BASED):
        root = sampler(name.removeprefix(_PARENT_BASED), ratio)
        return lambda trace_id, flags: root(trace_id, None) if flags is None else bool(int(flags, 16) & 1)
    below = {"always_on": 1 << 56, "always_off": 0, "traceidratio": round(ratio * (1 << 56))}[name]
    # https://www.w3.org/TR/trace-context-2/#random-trace-id-flag: the last seven bytes are random
    return lambda trace_id, _: int(trace_id[-14:], 16) < below
