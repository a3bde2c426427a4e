"""The command line of the embedded system."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from .demo import DemoOptions
from .layout import ROOT, SERVICES

__all__ = ["parse"]

_MAX_REPLICAS = 10


def parse(arguments: Sequence[str]) -> DemoOptions:
    """Parse the command line; an invalid one is reported on stderr and ends the process with status 2."""
    parser = argparse.ArgumentParser(prog="./run", description="Orderstream on this machine, without containers.")
    commands = parser.add_subparsers(required=True, metavar="demo")
    command = commands.add_parser("demo", help="run the whole system", description="Run the whole system.")
    command.add_argument("--once", action="store_true", help="run the use cases, check the results, and stop")
    command.add_argument("--data", type=Path, default=ROOT / "data", metavar="DIR", help="keep data here (%(default)s)")
    command.add_argument("--fresh", action="store_true", help="delete the data of earlier runs first")
    command.add_argument(
        "--scale", type=_scale, action="append", default=[], metavar="SERVICE=N", help="run N replicas of a service"
    )
    command.add_argument("--free-ports", action="store_true", help="use free ports instead of those of the README")
    command.add_argument(
        "--auth", action="store_true", help="with people who sign in: alice, bob and olivia, an operator"
    )
    given = parser.parse_args(arguments)
    return DemoOptions(
        data=given.data,
        once=given.once,
        auth=given.auth,
        fresh=given.fresh,
        scale=dict(given.scale),
        free_ports=given.free_ports,
    )


def _scale(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    service = name.removesuffix("-service")
    if service not in SERVICES or not number.isdecimal() or not 1 <= int(number) <= _MAX_REPLICAS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not SERVICE=N with one of {', '.join(SERVICES)} and 1 to {_MAX_REPLICAS}"
        )
    return service, int(number)
