"""The commands on the pages of operations exist, with their options, and the table of costs is that of the program."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache

import botocore.session
import click
import pytest
from botocore import xform_name

from bench.capacity import table
from orderstream_command.cli import orderstream
from orderstream_deploy.cli import deploy
from orderstream_local.layout import ROOT

FOLDER = ROOT / "docs" / "operations"
PAGES = [*sorted(FOLDER.glob("*.md")), ROOT / "docs" / "how-to" / "run-on-aws.md"]
# of the AWS CLI itself
GLOBAL = {"query", "output"}
# high-level commands of the CLI, which are no operation of an API
CUSTOM = {("cloudformation", "deploy"): {"stack-name", "template-file", "capabilities", "parameter-overrides"}}


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each command in blocks of shell."""
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if words := shlex.split(line, comments=True):
                yield words


CALLS = [(page.name, words) for page in PAGES for words in commands(page.read_text("utf-8"))]


def of(program: str) -> list[tuple[str, list[str]]]:
    return [(name, words[1:]) for name, words in CALLS if words[0] == program]


@cache
def model(service: str) -> botocore.model.ServiceModel:
    return botocore.session.get_session().get_service_model(service)


@pytest.mark.parametrize(
    ("page", "words"), of("aws"), ids=lambda each: each if isinstance(each, str) else " ".join(each[:2])
)
def test_call_of_the_aws_cli_has_an_operation_with_these_options(page: str, words: list[str]) -> None:
    service, operation, *rest = words
    options = {each[2:].partition("=")[0] for each in rest if each.startswith("--")}
    assert options - GLOBAL <= (CUSTOM.get((service, operation)) or known_options(service, operation)), page


def known_options(service: str, operation: str) -> set[str]:
    """Return the options of an operation: its members, `--no-…` for each that is yes or no, and those of pages."""
    if operation == "wait":
        return {"cluster", "services", "db-instance-identifier"}
    names = {xform_name(each, "-"): each for each in model(service).operation_names}
    assert operation in names
    shape = model(service).operation_model(names[operation]).input_shape
    assert shape is not None
    members = {xform_name(name, "-"): each.type_name for name, each in shape.members.items()}
    return set(members) | {f"no-{name}" for name, kind in members.items() if kind == "boolean"} | {"max-items"}


@pytest.mark.parametrize(
    ("page", "words"), of("./run"), ids=lambda each: each if isinstance(each, str) else " ".join(each)
)
def test_call_of_run_has_options_that_there_are(page: str, words: list[str]) -> None:
    command, *arguments = words
    assert command == "deploy", page
    with deploy.make_context("deploy", arguments) as context:
        given = [each.partition("=")[0] for each in context.params["given"]]
    template = (ROOT / "compose" / "aws" / "stage.yaml").read_text("utf-8")
    assert [name for name in given if f"\n  {name}:\n" not in template] == []


@pytest.mark.parametrize(
    ("page", "words"), of("orderstream"), ids=lambda each: each if isinstance(each, str) else " ".join(each)
)
def test_call_of_the_command_has_options_that_there_are(page: str, words: list[str]) -> None:
    command: click.Command | None = orderstream
    arguments = list(words)
    context = click.Context(orderstream)
    while isinstance(command, click.Group):
        command = command.get_command(context, arguments.pop(0))
    assert command is not None, page
    command.make_context("orderstream", arguments).close()


def test_costs_are_those_of_the_program() -> None:
    assert table() in (FOLDER / "capacity.md").read_text("utf-8")
