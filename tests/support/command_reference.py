"""The commands of `orderstream` as the reference has them; `python -m tests.support.command_reference` prints them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from inspect import cleandoc

import click

from orderstream_command.cli import orderstream
from orderstream_command.queries import QUERIES

__all__ = ["commands", "options", "queries", "sentences"]


def commands(group: click.Group = orderstream, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Yield each command that is no group, with its words."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def sentences(command: click.Command) -> str:
    """Return what it does, in one line."""
    return " ".join(cleandoc(command.help or "").split())


def options(command: click.Command) -> list[list[str]]:
    """Return the cells of a row for each argument and option."""
    context = click.Context(command)
    found: list[list[str]] = []
    for each in command.params:
        if isinstance(each, click.Argument):
            found.append([f"`{each.make_metavar(context)}`", ""])
        elif record := each.get_help_record(context):
            names, text = (part.replace("|", "\\|") for part in record)
            found.append([f"`{names}`", text])
    return found


def queries() -> str:
    """Return the shipped queries of the logs."""
    return "".join(f"**`{name}`**: {each.question}\n\n```\n{each.text()}\n```\n\n" for name, each in QUERIES.items())


if __name__ == "__main__":
    sys.stdout.write(queries())
    for words, each in commands():
        sys.stdout.write(f"### `{words}`\n\n{sentences(each)}\n\n| option | |\n|---|---|\n")
        sys.stdout.writelines(f"| {' | '.join(cells)} |\n" for cells in options(each))
        sys.stdout.write("\n")
