"""The command line: `orderstream` and its groups."""

from __future__ import annotations

import logging

import click

from .dlq import dlq
from .saga import saga
from .status import status

__all__ = ["orderstream"]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="orderstream-command")
def orderstream() -> None:
    """See and mend a running Orderstream, on AWS and on this machine.

    It reads the same environment as the services.
    """
    logging.disable()  # what the toolkit logs is for services; failures are reported by the commands


for command in (status, dlq, saga):
    orderstream.add_command(command)
