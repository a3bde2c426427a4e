"""The reference of the command has each command with its options, each exit status and each variable, as they are."""

from __future__ import annotations

from orderstream_command.config import CommandConfig
from orderstream_command.shell import EXIT_STATUSES
from tests.support.command_reference import commands, options, queries, sentences
from tests.support.pages import REFERENCE, inline_code, rows, section

PAGE = (REFERENCE / "command.md").read_text("utf-8")


def test_reference_has_each_command_with_its_options() -> None:
    part = section(PAGE, "## Commands")
    assert inline_code("\n".join(line for line in part.splitlines() if line.startswith("### "))) == [
        words for words, _ in commands()
    ]
    for words, command in commands():
        described = section(part, f"### `{words}`")
        assert sentences(command) in described
        assert list(rows(described)) == options(command)


def test_reference_has_each_query_of_the_logs() -> None:
    assert queries() in section(PAGE, "## Logs") + "\n"


def test_every_command_answers_programs_too() -> None:
    assert [words for words, command in commands() if "`--json`" not in dict(options(command))] == []


def test_reference_has_each_exit_status() -> None:
    listed = {int(status): text for status, text in rows(section(PAGE, "## Exit status"))}
    assert listed == EXIT_STATUSES


class Recorder(dict[str, str]):
    """An environment without a variable, which remembers what is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, name: str, *_: object) -> None:  # type: ignore[override]
        self.names.add(name)


def test_reference_has_each_variable_that_is_read() -> None:
    environ = Recorder()
    CommandConfig.from_environ(environ)
    listed = {name for cell, *_ in rows(section(PAGE, "## Environment")) for name in inline_code(cell)}
    assert listed == environ.names
