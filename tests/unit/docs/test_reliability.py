"""The pages on reliability and threats name tests that exist; the first has the safeguards as they are tried."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.safeguards.table import ROOT, SAFEGUARDS, Safeguard, markdown

PAGE = (ROOT / "docs/reliability.md").read_text("utf-8")
# a path of tests, and perhaps the name of one in it
TEST = re.compile(r"tests/[\w/]+(?:\.py)?(?:::\w+)?")
DEFINED = re.compile(r"^CREATE (?:OR REPLACE )?FUNCTION (\w+)", re.MULTILINE)


def missing(test: str) -> bool:
    """Return whether there is no such folder, file or test function."""
    path, _, function = test.partition("[")[0].partition("::")
    file = ROOT / path
    return not file.exists() or (bool(function) and f"def {function}(" not in file.read_text("utf-8"))


@pytest.mark.parametrize("safeguard", SAFEGUARDS, ids=lambda safeguard: safeguard.name)
def test_safeguard_can_be_taken_out_and_its_tests_exist(safeguard: Safeguard) -> None:
    assert safeguard.edited()
    assert [test for test in safeguard.tests if missing(test)] == []


@pytest.mark.parametrize(
    "safeguard", [each for each in SAFEGUARDS if "/migrations/" in each.file], ids=lambda safeguard: safeguard.name
)
def test_safeguard_is_taken_out_of_the_last_definition_of_its_function(safeguard: Safeguard) -> None:
    """In an earlier one it would be an edit of text that no longer has an effect."""
    file = ROOT / safeguard.file
    before, edited, _ = file.read_text("utf-8").partition(safeguard.old)
    function = DEFINED.findall(before + edited)[-1]
    later = [each for each in file.parent.glob("*.sql") if each.name > file.name]
    assert [each.name for each in later if function in DEFINED.findall(each.read_text("utf-8"))] == []


def test_names_of_safeguards_differ() -> None:
    assert len({each.name for each in SAFEGUARDS}) == len(SAFEGUARDS)


def test_page_has_the_table_of_the_safeguards() -> None:
    assert markdown() in PAGE


@pytest.mark.parametrize(("page", "at_least"), [("reliability.md", len(SAFEGUARDS)), ("threat-model.md", 20)])
def test_page_names_tests_that_exist(page: str, at_least: int) -> None:
    named = set(TEST.findall((ROOT / "docs" / page).read_text("utf-8")))
    assert len(named) > at_least
    assert {test for test in named if missing(test)} == set()


def test_commands_of_the_page_run_what_there_is() -> None:
    commands = [shlex.split(each) for each in re.findall(r"`((?:\./run|pytest) [^`]+)`", PAGE)]
    environments = set(re.findall(r"^\[testenv:([\w-]+)", Path(ROOT / "tox.ini").read_text("utf-8"), re.MULTILINE))
    verbs = set(re.findall(r"^(\w+)\)$", (ROOT / "run").read_text("utf-8"), re.MULTILINE))
    for program, verb, *rest in commands:
        if program == "./run":
            assert verb in verbs, verb
            assert set(rest[1:2]) <= environments or "-e" not in rest, rest
