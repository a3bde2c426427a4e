"""Translates a service of compose.yaml into options of ``podman run``, as the Compose specification defines them.

https://github.com/compose-spec/compose-spec/blob/main/05-services.md
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["health_check", "podman_options", "seconds"]

_DURATION = re.compile(r"(?:(\d+)m)?(?:(\d+)s)?")
_NO_OPTIONS = {"build", "command", "depends_on", "healthcheck", "image", "profiles"}  # the caller's


def podman_options(service: Mapping[str, Any], folder: Path) -> list[str]:
    """Return the options for a container of *service*; relative paths are below *folder*.

    Raises:
        KeyError: the service has a key that is not translated.
    """
    options = ["--read-only-tmpfs=false"]  # a read-only container has the tmpfs that compose.yaml gives it, no others
    for key, value in service.items():
        if key not in _NO_OPTIONS:
            options += _TRANSLATIONS[key](value)
    return [option.replace("=./", f"={folder}/", 1) for option in options]


def health_check(service: Mapping[str, Any], of_image: Mapping[str, Any]) -> list[str]:
    """Return the command of a service's health check; that of its image unless compose.yaml has one."""
    kind, *command = service.get("healthcheck", {}).get("test") or of_image.get("Test") or ["NONE"]
    match kind:
        case "CMD":
            return [str(word) for word in command]
        case "CMD-SHELL":
            return ["/bin/sh", "-c", *command]
    raise ValueError(f"{kind} is not a health check")


def seconds(duration: str) -> int:
    """Convert a duration such as ``1m30s``."""
    match = _DURATION.fullmatch(duration)
    if not match:
        raise ValueError(f"{duration} is not a duration in minutes and seconds")
    minutes, rest = match.groups(default="0")
    return 60 * int(minutes) + int(rest)


def _each(option: str) -> Callable[[Iterable[Any]], list[str]]:
    return lambda values: [f"--{option}={value}" for value in values]


def _one(option: str) -> Callable[[Any], list[str]]:
    return lambda value: [f"--{option}={value}"]


def _flag(option: str) -> Callable[[bool], list[str]]:
    return lambda value: [f"--{option}"] if value else []


_TRANSLATIONS: Mapping[str, Callable[[Any], list[str]]] = {
    "cap_add": _each("cap-add"),
    "cap_drop": _each("cap-drop"),
    "environment": lambda values: [f"--env={name}={value}" for name, value in values.items()],
    "expose": _each("expose"),
    "init": _flag("init"),
    "ports": _each("publish"),
    "read_only": _flag("read-only"),
    "restart": _one("restart"),
    "security_opt": _each("security-opt"),
    "secrets": _each("secret"),
    "shm_size": _one("shm-size"),
    "stop_grace_period": lambda value: [f"--stop-timeout={seconds(value)}"],
    "tmpfs": _each("tmpfs"),
    "user": _one("user"),
    "volumes": _each("volume"),
}
