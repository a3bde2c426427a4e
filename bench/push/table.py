"""The fan-out table: what each server costs, beside what nchan costs for the same protocol, load and crowd."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich import box
from rich.markup import escape
from rich.table import Table

from .results import FanOut

__all__ = ["fan_out_table"]

BESIDE = "nchan"
NUMBERS = ("clients", "deliv-\neries", "lost", "CPU\nµs", f"x\n{BESIDE}", "p50\nms", "p99\nms", "RSS\nKB", "joined")
PROTOCOLS = {"sse": "SSE", "ws": "WS"}
LEGEND = (
    f"CPU µs: user and system time of the server, a delivery; x {BESIDE}: beside its own, same protocol and load; "
    "RSS KB: memory of the server, a client; joined: deliveries a read"
)
LATE = 1.2  # the last delivery may take a while, but not so long


def fan_out_table(results: Sequence[FanOut]) -> Table:
    """Return a row a result, a section for each load; those that could not run tell why; 80 columns suffice."""
    table = Table(
        title="Fan-out",
        caption=LEGEND,
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        padding=0,
    )
    table.add_column("server")
    for column in NUMBERS:
        table.add_column(column, justify="right", no_wrap=True)
    for _, section in groupby(results, _load):
        for result in section:
            table.add_row(_name(result), *_numbers(result, _beside(result, results)))
        table.add_section()
    return table


def _name(result: FanOut) -> str:
    notes = [f"[dim]{escape(note)}[/dim]" for note in _notes(result)]
    return "\n".join([f"{result.server} {PROTOCOLS[result.protocol]}", *notes])


def _numbers(result: FanOut, beside: FanOut | None) -> Iterator[str]:
    if result.unavailable:
        return
    yield f"{result.clients:,}"
    yield f"{result.deliveries:,}"
    yield f"[red]{result.lost:,}[/red]" if result.lost else "0"
    yield f"{result.cpu_us:.2f}"
    yield f"{result.cpu_us / beside.cpu_us:.2f}" if beside else ""
    yield from (f"{number:.1f}" for number in (result.p50_ms, result.p99_ms, result.rss_kb, result.joined))


def _notes(result: FanOut) -> Iterator[str]:
    if result.unavailable:
        yield result.unavailable
    if result.burst > 1:
        yield f"{result.burst} at once"
    if result.doubled:
        yield f"{result.doubled:,} doubled"
    if result.note:
        yield result.note
    asked_s = result.expected / (result.clients * result.rate_per_s)
    if result.seconds > LATE * asked_s:
        yield f"fell behind: {result.seconds:.0f} s for what came in {asked_s:.0f} s"


def _beside(result: FanOut, results: Sequence[FanOut]) -> FanOut | None:
    """Find nchan's answer to the same question, if it gave one."""
    answers = (each for each in results if each.server == BESIDE and each.cpu_us)
    return next((each for each in answers if each.protocol == result.protocol and _load(each) == _load(result)), None)


def _load(result: FanOut) -> tuple[int, float, int]:
    return result.clients, result.rate_per_s, result.burst
