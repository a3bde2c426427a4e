"""The command line: `orderstream` and its groups."""

from __future__ import annotations

import logging
import signal
from importlib import import_module
from typing import Any

import click

__all__ = ["orderstream"]

_COMMANDS = ("status", "dlq", "saga", "order", "logs")


class _Commands(click.Group):
    """Imports a command when it is asked for: their libraries take longer than their work."""

    def invoke(self, ctx: click.Context) -> Any:
        """Import the command and run it."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:  # during the import; click would end the process with 1
            raise SystemExit(128 + signal.SIGINT) from None

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the names in the order of the reference."""
        return list(_COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """Return the command *name*, None when there is none."""
        if name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(f".{name}", __package__), name)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="orderstream-command")
def orderstream() -> None:
    """See and mend a running Orderstream, on AWS and on this machine.

    It reads the same environment as the services.
    """
    logging.disable()  # what the toolkit logs is for services; failures are reported by the commands
