"""Registers a service: `registration.toml` says where, and what is put there."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from jinja2 import Environment

__all__ = ["HERE", "ROOT", "RefusedError", "copy", "register"]

HERE = Path(__file__).parent
ROOT = HERE.parent


class RefusedError(Exception):
    """The service is not made; the message says why."""


def register(stage: Path, facts: dict[str, object]) -> None:
    """Put into *stage* the files in which the service is registered, with what registration.toml says.

    Raises:
        RefusedError: a file has no place for it, or several.
    """
    jinja = Environment(autoescape=False, keep_trailing_newline=True)  # noqa: S701 - no HTML
    registration = tomllib.loads((HERE / "registration.toml").read_text("utf-8"))
    for insertion in registration["insertion"]:
        path, text = staged(stage, insertion["file"])
        places = list(re.finditer(insertion["after"], text))
        if len(places) != 1:
            raise RefusedError(f"{path} has {len(places)} places that match {insertion['after']!r}, instead of one")
        new = jinja.from_string(insertion["text"]).render(facts, found=places[0][0])
        end = places[0].end()
        (stage / path).write_text(text[:end] + new + text[end:], "utf-8")
    for each in registration["copy"]:
        path, text = staged(stage, each["file"])
        pattern = each.get("each", registration["of_notification"])
        if not re.search(pattern, text):
            raise RefusedError(f"{path} has nothing that matches {pattern!r}")
        twice = partial(with_copy, facts=facts, without=each.get("without", ()))
        (stage / path).write_text(re.sub(pattern, twice, text), "utf-8")


def staged(stage: Path, file: str) -> tuple[Path, str]:
    """Return a file of the checkout, copied into *stage* if it is not there, and its text."""
    path = Path(file)
    if not (stage / path).exists():
        copy(path, ROOT, stage)
    return path, (stage / path).read_text("utf-8")


def with_copy(found: re.Match[str], *, facts: dict[str, object], without: Sequence[str]) -> str:
    """Return lines of the notification service, and the same for the new one but lines that have one of *without*."""
    new = "".join(line for line in found[0].splitlines(keepends=True) if not any(each in line for each in without))
    for former in ("notifications", "notification"):  # its database has the plural
        for case in (str.lower, str.capitalize, str.upper):
            new = new.replace(case(former), case(str(facts["name"])))
    return found[0] + new.replace("8082", str(facts["port"]))


def copy(path: Path, source: Path, target: Path) -> None:
    """Copy one file."""
    (target / path).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source / path, target / path)
