"""Reads compose.yaml: the command, environment and dependencies of each container."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

__all__ = ["Container", "MissingVariableError", "dependency_levels", "interpolate", "read_compose", "read_services"]

# https://docs.docker.com/reference/compose-file/interpolation/
_VARIABLE = re.compile(
    r"\$(?:(?P<escaped>\$)|\{(?P<name>\w+)(?:(?P<operator>:?[-?])(?P<operand>[^}]*))?\}|(?P<bare>\w+))"
)


class MissingVariableError(Exception):
    """compose.yaml requires a variable that is not set."""


@dataclass(frozen=True, slots=True)
class Container:
    """One service of compose.yaml.

    Attributes:
        command: the program and its arguments.
        environment: with variables interpolated.
        port: the first exposed port, if any.
        published: host ports that are mapped to the same port of this container.
        volumes: mount path to its source: a host file (starts with a dot) or a volume's name.
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
    """Return the containers of *path* by name, with ``${VARIABLES}`` interpolated from *variables*.

    Raises:
        MissingVariableError: a required variable is not set.
    """
    return {name: _container(name, service) for name, service in read_services(path, variables).items()}


def read_services(
    path: Path, variables: Mapping[str, str], profiles: Collection[str] = ()
) -> dict[str, dict[str, Any]]:
    """Return the services of *path*, with ``${VARIABLES}`` interpolated from *variables*.

    Those that have profiles are left out, unless one of them is in *profiles*.

    Raises:
        MissingVariableError: a required variable is not set.
    """
    services = yaml.safe_load(path.read_text(encoding="utf-8"))["services"]
    return {name: _interpolated(each, variables) for name, each in services.items() if _runs(each, profiles)}


def interpolate(text: str, variables: Mapping[str, str]) -> str:
    """Interpolate ``$NAME``, ``${NAME}``, ``${NAME-word}``, ``${NAME:-word}``, ``${NAME?word}`` and ``${NAME:?word}``.

    Raises:
        MissingVariableError: a variable with a question mark is not set (or, with a colon, empty).
    """
    return _VARIABLE.sub(lambda match: _value(match, variables), text)


def dependency_levels(containers: Mapping[str, Container]) -> dict[str, int]:
    """Return each container's level in the dependency graph; stopping begins with the highest level.

    A container is one level below its lowest dependent, so that as many as possible stop at the same time.
    """
    depths: dict[str, int] = {}

    def depth(name: str) -> int:
        if name not in depths:
            dependents = (each.name for each in containers.values() if name in each.depends_on)
            depths[name] = 1 + max(map(depth, dependents), default=-1)
        return depths[name]

    deepest = max(map(depth, containers))
    return {name: deepest - depth(name) for name in containers}


def _runs(service: Mapping[str, Any], profiles: Collection[str]) -> bool:
    return "profiles" not in service or not set(profiles).isdisjoint(service["profiles"])


def _value(match: re.Match[str], variables: Mapping[str, str]) -> str:
    if match["escaped"]:
        return "$"
    name, operator = match["name"] or match["bare"], match["operator"] or ""
    value = variables.get(name)
    if value is None or (operator.startswith(":") and not value):
        if operator.endswith("?"):
            raise MissingVariableError(f"{name} is not set: {match['operand']}")
        return match["operand"] or ""
    return value


def _interpolated(node: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(node, str):
        return interpolate(node, variables)
    if isinstance(node, dict):
        return {key: _interpolated(value, variables) for key, value in node.items()}
    if isinstance(node, list):
        return [_interpolated(value, variables) for value in node]
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
    """Yield the ports of ``address:host:container`` where host and container port are equal."""
    for port in ports:
        *_, host, container = port.split(":")
        if host == container:
            yield int(host)


def _volume(volume: str) -> tuple[str, str]:
    source, target, *_ = volume.split(":")
    return target, source
