"""Versions, changelog and CI agree with each other."""

from __future__ import annotations

import configparser
import re
import tomllib

import yaml

from orderstream_local.layout import ROOT

PROJECTS = [path for folder in (".", "compose/local", "packages/*") for path in ROOT.glob(f"{folder}/pyproject.toml")]


def test_all_packages_have_one_version() -> None:
    assert len(PROJECTS) > 2
    assert len({tomllib.loads(path.read_text("utf-8"))["project"]["version"] for path in PROJECTS}) == 1


def test_changelog_begins_with_what_is_not_released() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", heading) for heading in headings[1:])


def test_ci_has_each_python_of_the_matrix() -> None:
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", "utf-8")
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
    [versions] = (
        step["with"]["python-version"] for step in workflow["jobs"]["test"]["steps"] if "python" in step.get("uses", "")
    )
    tested = re.findall(r"\bpy3(\d+)", tox["tox"]["envlist"])
    assert versions.split() == [f"3.{minor}" for minor in tested]
