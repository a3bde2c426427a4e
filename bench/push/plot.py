"""Draws how cost and latency grow with the number of clients, on a ground of its own for light and dark pages."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from .results import FanOut

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["curves", "draw"]

PROTOCOLS = {"sse": "SSE", "ws": "WebSocket"}
COARSE, FINE = (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)  # ticks of each decade
COLUMNS = {
    "cpu_us": ("CPU of the server", "µs a delivery", FINE),
    "p50_ms": ("latency p50", "ms", COARSE),
    "p99_ms": ("latency p99", "ms", COARSE),
}
GROUND, INK, FAINT = "#ffffff", "#1f2328", "#d0d7de"


@dataclass(frozen=True, slots=True)
class Pen:
    """How a server is drawn, in each panel alike."""

    colour: str
    width: float = 1.6
    marker: str = "o"


PENS = {"orderstream": Pen("#0b5fff", 2.8), "nchan": Pen(INK, 2.2, "D")}
# told apart with any kind of colour vision: Okabe and Ito
OTHERS = (
    Pen("#d55e00", marker="s"),
    Pen("#009e73", marker="^"),
    Pen("#cc79a7", marker="v"),
    Pen("#8a6d00", marker="P"),
)


def curves(results: Iterable[FanOut]) -> dict[tuple[str, str], list[FanOut]]:
    """Return by protocol and server what was measured, from few clients to many; bursts are curves of their own."""
    found: dict[tuple[str, str], list[FanOut]] = {}
    for result in sorted(results, key=attrgetter("clients")):
        if not result.unavailable:
            found.setdefault((result.protocol, _name(result)), []).append(result)
    return found


def _name(result: FanOut) -> str:
    bursts = f", {result.burst} at once" if result.burst > 1 else ""
    return f"{result.server}{bursts} ({result.note})" if result.note else result.server + bursts


def draw(results: Sequence[FanOut], file: Path) -> None:
    """Write a PNG: a row a protocol, with cost, p50 and p99 over the number of clients."""
    from matplotlib.figure import Figure

    found = curves(results)
    pens = _pens(dict.fromkeys(server for _, server in found))
    clients = sorted({result.clients for result in results})
    rows = [protocol for protocol in PROTOCOLS if any(drawn == protocol for drawn, _ in found)]
    figure = Figure(figsize=(13, 1.6 + 3.6 * len(rows)), facecolor=GROUND)
    figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.08)
    panels = figure.subplots(len(rows), len(COLUMNS), sharex=True, sharey="col", squeeze=False)
    for protocol, row in zip(rows, panels, strict=True):
        for (attribute, (what, unit, ticks)), axes in zip(COLUMNS.items(), row, strict=True):
            _dress(axes, f"{PROTOCOLS[protocol]}: {what}", unit, ticks)
            axes.set_xticks(clients, [f"{number:,}" for number in clients])
            for (drawn, server), points in found.items():
                if drawn == protocol:
                    _trace(axes, pens[server], server, points, attribute)
    figure.suptitle(f"Live push, from few clients to many\n{_circumstances(results)}", color=INK, fontsize=12)
    lines = {line.get_label(): line for axes in panels.flat for line in axes.get_lines()}
    figure.legend(lines.values(), lines.keys(), loc="outside lower center", ncols=4, frameon=False, labelcolor=INK)
    figure.savefig(file, format="png", dpi=120)


def _pens(servers: Iterable[str]) -> Mapping[str, Pen]:
    others = iter(OTHERS * 3)
    return {server: PENS.get(server.partition(" (")[0]) or next(others) for server in servers}


def _trace(axes: Axes, pen: Pen, server: str, points: Sequence[FanOut], attribute: str) -> None:
    axes.plot(
        [point.clients for point in points],
        [getattr(point, attribute) for point in points],
        color=pen.colour,
        linewidth=pen.width,
        marker=pen.marker,
        markersize=5,
        label=server,
    )


def _dress(axes: Axes, title: str, unit: str, ticks: Sequence[float]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator

    axes.set(xscale="log", yscale="log", facecolor=GROUND)
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    axes.set_xlabel("clients", color=INK)
    axes.set_ylabel(unit, color=INK)
    axes.minorticks_off()
    axes.yaxis.set_major_locator(LogLocator(subs=ticks))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.tick_params(colors=INK, labelbottom=True, labelleft=True)
    axes.grid(color=FAINT, linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)


def _circumstances(results: Sequence[FanOut]) -> str:
    rates = sorted({result.rate_per_s for result in results})
    rate = f"{rates[0]:g}" if len(rates) == 1 else f"{rates[0]:g} to {rates[-1]:g}"
    machine = f"{os.cpu_count()} CPUs ({platform.machine()}), loopback, CPython {platform.python_version()}"
    return f"{rate} messages/s of about 280 bytes to every client; one process a server; {machine}"
