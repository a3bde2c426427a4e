"""Runs the programs that build images."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence

__all__ = ["BuildError", "on_the_hub", "run"]

_SHOWN = 4000


class BuildError(Exception):
    """An image could not be made; the message has the end of the program's output."""


def on_the_hub(tag: str) -> str:
    """Return the full name of an image of the Docker Hub."""
    return f"docker.io/{tag}" if "/" in tag else f"docker.io/library/{tag}"


def run(what: str, command: Sequence[str], environment: Mapping[str, str]) -> str:
    """Run *command* and return its output.

    Raises:
        BuildError: it failed to make *what*.
    """

    done = subprocess.run(
        command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )
    if done.returncode:
        raise BuildError(
            f"{what} could not be made: {command[0]} ended with {done.returncode}\n{done.stdout[-_SHOWN:]}"
        )
    return done.stdout
