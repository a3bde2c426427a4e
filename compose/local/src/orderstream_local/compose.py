"""Reads compose.yaml: what each container runs, with which environment, and what it needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

__all__ = ["Container", "MissingVariableError", "interpolate", "levels", "read_compose"]

# https://docs.docker.com/reference/compose-file/interpolation/
_VARIABLE = re.compile(r"\$(?:(?P<escaped>\$)|\{(?P<name>\w+)(?:(?P<how>:?[-?])(?P<word>[^}]*))?\}|(?P<bare>\w+))")


class MissingVariableError(Exception):
    """compose.yaml asks for a variable that nobody set."""


@dataclass(frozen=True, slots=True)
class Container:
    """One service of compose.yaml.

    Attributes:
        command: what it runs.
        environment: with variables filled in.
        port: that it listens on, if any.
        published: ports of the host that lead to the same port of this container.
        volumes: path in the container to what is there: a file of the host (starts with a dot) or a volume's name.
        depends_on: the containers that are started before and stopped after it.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    port: int | None
    published: frozenset[int]
    volumes: Mapping[str, str]
    depends_on: frozenset[str]


def read_compose(path: Path, variables: Mapping[str, str]) -> dict[str, Container]:
    """Return the containers of *path* by name, its ``${VARIABLES}`` filled in from *variables*.

    Raises:
        MissingVariableError: it needs one that is not there.
    """
    document = _filled(yaml.safe_load(path.read_text(encoding="utf-8"))["services"], variables)
    return {name: _container(name, service) for name, service in document.items()}


def interpolate(text: str, variables: Mapping[str, str]) -> str:
    """Fill in ``$NAME``, ``${NAME}``, ``${NAME-word}``, ``${NAME:-word}``, ``${NAME?word}`` and ``${NAME:?word}``.

    Raises:
        MissingVariableError: one with a question mark is not there (or, with a colon, empty).
    """
    return _VARIABLE.sub(lambda match: _value(match, variables), text)


def levels(containers: Mapping[str, Container]) -> dict[str, int]:
    """Return in which order containers can be stopped: those of the highest level first, then the next.

    Each stands as high as it can, right below the lowest that needs it, so that as many as possible stop together.
    """
    known: dict[str, int] = {}

    def below_the_top(name: str) -> int:
        if name not in known:
            needing = (each.name for each in containers.values() if name in each.depends_on)
            known[name] = 1 + max(map(below_the_top, needing), default=-1)
        return known[name]

    deepest = max(map(below_the_top, containers))
    return {name: deepest - below_the_top(name) for name in containers}


def _value(match: re.Match[str], variables: Mapping[str, str]) -> str:
    if match["escaped"]:
        return "$"
    name, how = match["name"] or match["bare"], match["how"] or ""
    value = variables.get(name)
    if value is None or (how.startswith(":") and not value):
        if how.endswith("?"):
            raise MissingVariableError(f"{name} is not set: {match['word']}")
        return match["word"] or ""
    return value


def _filled(node: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(node, str):
        return interpolate(node, variables)
    if isinstance(node, dict):
        return {key: _filled(value, variables) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(value, variables) for value in node]
    return node


def _container(name: str, service: Mapping[str, Any]) -> Container:
    exposed = [int(port) for port in service.get("expose", ())]
    return Container(
        name=name,
        command=tuple(service.get("command", ())),
        environment={key: str(value) for key, value in service.get("environment", {}).items()},
        port=exposed[0] if exposed else None,
        published=frozenset(_published(service.get("ports", ()))),
        volumes=dict(_volume(volume) for volume in service.get("volumes", ())),
        depends_on=frozenset(service.get("depends_on", ())),
    )


def _published(ports: Iterable[str]) -> Iterable[int]:
    """Read ``address:host:container``, those where both ports are the same."""
    for port in ports:
        *_, host, container = port.split(":")
        if host == container:
            yield int(host)


def _volume(volume: str) -> tuple[str, str]:
    source, target, *_ = volume.split(":")
    return target, source
