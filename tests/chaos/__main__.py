"""`./run chaos`: break the system on purpose under load, and check what it promises.

The whole system runs with two replicas of each service. Customers place, change and cancel orders, push clients come
back again and again, and faults strike processes, PostgreSQL, SQS and the connections between them: which, when and
whom follows from the seed. When all has settled, each promise is checked from outside. A violation prints the history
of its order across the services.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console

from tests.chaos.faults import FAULTS, Fault
from tests.chaos.plan import plan
from tests.chaos.report import show, summary
from tests.chaos.runner import Run, find_faketime, run
from tests.chaos.verdict import violations

MAX_RATE_PER_S = 100.0


def main() -> None:
    """Run, print, and exit with 1 when a promise was broken."""
    options = _parse()
    if options.list:
        _list_faults()
        return
    faketime = find_faketime()
    faults: list[Fault] = options.faults
    if faketime is None and any(fault.name == "clock-step" for fault in faults):
        _say("clock-step is skipped: there is no libfaketime (on Debian: apt install faketime)")
        faults = [fault for fault in faults if fault.name != "clock-step"]
    planned = plan(options.seed, options.seconds, faults, options.overlap)
    _say(f"seed {options.seed}, {len(planned)} faults:")
    for each in planned:
        _say(f"  {each}")
    asked = Run(options.rate, options.seconds, options.seed, planned, faketime, options.data, _say)
    evidence = asyncio.run(run(asked))
    found = violations(evidence)
    show(Console(width=None if sys.stdout.isatty() else 140, highlight=False), evidence, found)
    if options.json:
        options.json.write_bytes(orjson.dumps(summary(asked, evidence, found), option=orjson.OPT_INDENT_2))
    if broken := [name for name, each in found.items() if each]:
        _say(f"violated: {', '.join(broken)}. Again: {_command(options)}")
        sys.exit(1)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./run chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Exit status: 0 when every promise held, 1 when one was broken, 2 for a wrong option.",
    )
    parser.add_argument(
        "--seconds", type=_number(5, 86_400), default=60.0, metavar="N", help="time of load and faults (60)"
    )
    parser.add_argument(
        "--rate", type=_number(0.1, MAX_RATE_PER_S), default=8.0, metavar="R", help="orders a second (8)"
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="S", help="of the schedule, and of what customers want (1)"
    )
    parser.add_argument(
        "--faults", type=_faults, default="all", metavar="LIST", help="all, none, or names with commas (all)"
    )
    parser.add_argument("--overlap", type=int, choices=range(1, 6), default=2, help="faults at a time, at most (2)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there too")
    parser.add_argument("--data", type=Path, metavar="DIR", help="keep data and logs there (a temporary folder)")
    parser.add_argument("--list", action="store_true", help="list the faults, and do nothing")
    return parser.parse_args()


def _number(least: float, most: float) -> Any:
    def number(text: str) -> float:
        value = float(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text} is not between {least:g} and {most:g}")
        return value

    return number


def _faults(text: str) -> list[Fault]:
    if text in {"all", "none"}:
        return list(FAULTS.values()) if text == "all" else []
    names = text.split(",")
    unknown = [name for name in names if name not in FAULTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no fault {', '.join(unknown)}; --list shows those there are")
    return [FAULTS[name] for name in names]


def _list_faults() -> None:
    for fault in FAULTS.values():
        sys.stdout.write(f"{fault.name:20} {fault.what}\n")


def _command(options: argparse.Namespace) -> str:
    faults = "all" if len(options.faults) == len(FAULTS) else ",".join(fault.name for fault in options.faults) or "none"
    return (
        f"./run chaos --seconds {options.seconds:g} --rate {options.rate:g} --seed {options.seed}"
        f" --faults {faults} --overlap {options.overlap}"
    )


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    main()
