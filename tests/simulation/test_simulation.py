"""The simulation finds nothing in the system as it is, and something as soon as a safeguard is missing."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.simulation.safeguards import SAFEGUARDS

LIMIT_S = 600.0  # on a machine that does much else
pytestmark = pytest.mark.timeout(LIMIT_S)
# among them are some that fail without a safeguard, whichever it is
SEEDS = "0-399"
RARE = {"reconciliation": "125-524"}  # the first that fails is not among the first hundred
WITHOUT_IDS = ("--seeds", SEEDS, "--without", "operation-id", "--first")


def simulate(*arguments: str, hash_seed: str = "0") -> tuple[int, str]:
    """Run simulations in a process of their own: they leave tasks behind, which only its end removes."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation", *arguments],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        check=False,
        text=True,
        timeout=LIMIT_S,
    )
    return done.returncode, done.stdout + done.stderr


def test_every_seed_ends_with_all_invariants() -> None:
    status, output = simulate("--seeds", "0-999")
    assert status == 0, output


@pytest.mark.parametrize("name", SAFEGUARDS)
def test_missing_safeguard_is_found(name: str) -> None:
    status, output = simulate("--seeds", RARE.get(name, SEEDS), "--without", name, "--first", "--no-shrink")
    assert status == 1, output


def test_same_seed_is_the_same_in_another_process() -> None:
    outputs = [simulate("--seed", "7", "--trace", hash_seed=str(number))[1] for number in (1, 2)]
    traces = [re.sub(r"in [0-9.]+ s \(.*?\)", "", output) for output in outputs]
    assert "customer" in traces[0]
    assert traces[0] == traces[1]


def test_failing_seed_is_shrunk_to_a_short_story_and_a_command() -> None:
    status, output = simulate("--seeds", SEEDS, "--without", "operation-id", "--first", "--report", "1")
    assert status == 1
    told = output.partition("it still fails:")[2].splitlines()
    assert 5 < len(told) < 60, output
    assert re.search(r"again: \./run simulate --seed \d+ --without operation-id --trace", output), output
