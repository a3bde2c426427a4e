"""Completion of the command line, as the shells ask for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from orderstream_command.cli import orderstream

VARIABLE = "_ORDERSTREAM_COMPLETE"
TRIAL = f"""
eval "$({VARIABLE}=bash_source orderstream)"
complete -p orderstream
COMP_WORDS=(orderstream dlq re) COMP_CWORD=2
_orderstream_completion orderstream
echo "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize(
    ("words", "begun", "offered"),
    [
        ([], "", {"status", "dlq", "saga", "order", "logs"}),
        ([], "s", {"status", "saga"}),
        (["dlq"], "re", {"redrive"}),
        (["dlq", "redrive"], "--dry", {"--dry-run"}),
        (["logs", "tail", "--service"], "no", {"notification"}),
        (["logs", "query"], "order", {"order", "orders"}),
        (["nonsense"], "", {"status", "dlq", "saga", "order", "logs"}),
    ],
)
def test_commands_options_and_their_values_are_offered(words: list[str], begun: str, offered: set[str]) -> None:
    completion = ShellComplete(orderstream, {}, "orderstream", VARIABLE)
    assert {each.value for each in completion.get_completions(words, begun)} == offered


def test_bash_completes_the_command() -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/bash", "-c", TRIAL], env={**os.environ, "PATH": path}, check=True, capture_output=True, text=True
    )
    registered, completed = done.stdout.splitlines()
    assert registered.endswith("-F _orderstream_completion orderstream")
    assert completed == "redrive"
