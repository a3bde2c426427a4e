"""How the tests run on a busy machine, and in one of several environments."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import settings

from orderstream_local.layout import ROOT


@pytest.mark.parametrize(
    ("environ", "status"), [({"TOX_ENV_NAME": "py313"}, 0), ({}, pytest.ExitCode.NO_TESTS_COLLECTED)]
)
def test_no_match_is_a_failure_unless_other_environments_of_tox_may_have_one(
    environ: dict[str, str], status: int
) -> None:
    command = (
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/unit/local/test_sse.py",
        "-k",
        "absent",
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TOX_", "PYTEST_"))}
    done = subprocess.run(command, cwd=ROOT, env=clean | environ, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout
    assert "5 deselected" in done.stdout


def test_an_example_has_the_time_that_a_busy_machine_takes() -> None:
    assert settings().deadline is None
