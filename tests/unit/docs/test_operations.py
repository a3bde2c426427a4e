"""The commands on the pages of operations exist, with their options, and the table of costs is that of the program."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import botocore.session
import click
import pytest
from botocore import xform_name

from bench.capacity import table
from orderstream_command.cli import orderstream
from orderstream_deploy.cli import deploy
from orderstream_local.layout import ROOT
from tests.support.stage import read_stage
from tests.support.template import read_template

FOLDER = ROOT / "docs" / "operations"
PAGES = [*sorted(FOLDER.glob("*.md")), ROOT / "docs" / "how-to" / "run-on-aws.md"]
# of the AWS CLI itself
GLOBAL = {"query", "output"}
# high-level commands of the CLI, which are no operation of an API
CUSTOM = {
    ("cloudformation", "deploy"): {"stack-name", "template-file", "capabilities", "parameter-overrides"},
    ("logs", "tail"): {"since"},
}
# made by the commands on the pages themselves
MADE = {"orderstream-prod-restored", "orderstream-prod-before", "orderstream-prod-before-restore"}
MADE |= {"orderstream-prod/feed-bus-url", "orderstream-prod/feed-bus-url-AbCdEf"}


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


def substituted(node: object, values: Mapping[str, str]) -> Iterator[str]:
    """Yield all names in a template that are put together, with *values* for parameters."""
    if isinstance(node, dict) and isinstance(text := node.get("Sub"), str):
        yield re.sub(r"\$\{(\w+)\}", lambda found: values.get(found[1], found[0]), text)
    elif isinstance(node, dict | list):
        for each in node.values() if isinstance(node, dict) else node:
            yield from substituted(each, values)


@cache
def names_of_prod() -> set[str]:
    """Return the names that the templates give in the stage prod."""
    found = set(MADE)
    for template in read_stage().values():
        defaults = {name: str(each["Default"]) for name, each in template["Parameters"].items() if "Default" in each}
        found |= set(substituted(template, defaults | {"Stage": "prod", "Prefix": "orderstream-prod-"}))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_names_of_a_stage_are_those_of_the_templates(page: Path) -> None:
    for name, is_variable in re.findall(r"(orderstream-prod(?:[-/][\w/-]*\w)?)([-/:]\$)?", page.read_text("utf-8")):
        if is_variable:
            assert any(each.startswith(name) for each in names_of_prod()), name
        else:
            assert name in names_of_prod()


@pytest.mark.parametrize(
    ("page", "words"), of("aws"), ids=lambda each: each if isinstance(each, str) else " ".join(each[:2])
)
def test_overridden_parameters_are_those_of_the_template(page: str, words: list[str]) -> None:
    if "--parameter-overrides" in words:
        template = read_template(Path(words[words.index("--template-file") + 1]).name)
        given = {each.partition("=")[0] for each in words[words.index("--parameter-overrides") + 1 :]}
        assert given <= set(template["Parameters"]), page


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
