"""The configuration of pytest and Hypothesis."""

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
def test_empty_selection_fails_outside_of_tox(environ: dict[str, str], status: int) -> None:
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


def test_examples_of_hypothesis_have_no_deadline() -> None:
    assert settings().deadline is None
