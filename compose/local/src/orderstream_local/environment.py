"""Turns what compose.yaml gives a container into the same for a process of this machine.

Commands and variables are compose.yaml's own; only what names a place is different without containers: addresses of
other containers, the addresses and ports to listen on, and the paths of volumes.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from .compose import Container
from .ports import LOOPBACK

__all__ = ["Places", "inherited", "local_command", "local_environment", "process_name"]

_EVERYWHERE = "0.0.0.0"  # noqa: S104 - what compose.yaml says, never listened on here
_PASSED_ON = re.compile(r"PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TZ|TMPDIR|LD_LIBRARY_PATH|SSL_CERT_(?:FILE|DIR)")
_NO_AWS_FILES = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}  # HOME may have such


@dataclass(frozen=True, slots=True)
class Places:
    """Where on this machine the containers' addresses and volumes are.

    Attributes:
        containers: compose.yaml, by name.
        ports: container to the ports of its replicas.
        sockets: container that is reached over a Unix socket to the folder of the socket.
        volumes: name of a volume to its folder.
        compose: the folder that relative paths of compose.yaml start from.
    """

    containers: Mapping[str, Container]
    ports: Mapping[str, tuple[int, ...]]
    sockets: Mapping[str, Path]
    volumes: Mapping[str, Path]
    compose: Path

    def addresses(self, container: str) -> tuple[str, ...]:
        """Return ``host:port`` of each replica; for a socket its folder as a host in a URL, which libpq understands."""
        if container in self.sockets:
            return (quote(str(self.sockets[container]), safe=""),)
        return tuple(f"{LOOPBACK}:{port}" for port in self.ports[container])


def process_name(container: Container) -> str:
    """Return the name of the process: that of the module it runs (``order_service`` is order-service)."""
    if container.command[:2] == ("python", "-m") and container.command[2].endswith("_service"):
        return container.command[2].replace("_", "-")
    return container.name


def local_command(container: Container, python: Path | str = sys.executable) -> tuple[str, ...]:
    """Return the command with *python* as its interpreter."""
    return tuple(
        str(python) if position == 0 and word == "python" else word for position, word in enumerate(container.command)
    )


def local_environment(container: Container, places: Places, replica: int = 0) -> dict[str, str]:
    """Return the environment of *replica* of *container* on this machine."""
    return {
        name: _local_value(name, value, container, places, replica) for name, value in container.environment.items()
    }


def inherited(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what of *environ* every process gets: what it needs of this machine, and no setting of its own."""
    return {name: value for name, value in environ.items() if _PASSED_ON.fullmatch(name)} | _NO_AWS_FILES


def _local_value(name: str, value: str, container: Container, places: Places, replica: int) -> str:
    if value == _EVERYWHERE:
        return LOOPBACK
    if name.endswith("PORT") and value == str(container.port):
        return str(places.ports[container.name][replica])
    for target, source in container.volumes.items():
        if value == target or value.startswith(f"{target}/"):
            return f"{_volume(source, places)}{value.removeprefix(target)}"
    return _published(_reached(value, places), places)


def _volume(source: str, places: Places) -> Path:
    return (places.compose / source).resolve() if source.startswith(".") else places.volumes[source]


def _reached(value: str, places: Places) -> str:
    """Replace ``[http://]container:port`` by the addresses of its replicas, separated by commas."""
    return _replaced(
        value,
        r"(https?://)?",
        {
            f"{each.name}:{each.port}": places.addresses(each.name)
            for each in places.containers.values()
            if each.name in places.ports or each.name in places.sockets
        },
    )


def _published(value: str, places: Places) -> str:
    """Replace published ports of ``localhost`` by those that the process has here."""
    known: dict[str, tuple[str, ...]] = {}
    for each in places.containers.values():
        if each.port in each.published and each.name in places.ports:
            port = places.ports[each.name][0]
            known |= {f"{host}:{each.port}": (f"{host}:{port}",) for host in ("localhost", LOOPBACK)}
    return _replaced(value, r"(https?://)?", known)


def _replaced(value: str, prefix: str, known: Mapping[str, Iterable[str]]) -> str:
    if not known:
        return value
    names = "|".join(re.escape(name) for name in known)
    return re.sub(
        rf"(?<![\w.-]){prefix}({names})(?!\d)",
        lambda match: ",".join(f"{match[1] or ''}{address}" for address in known[match[2]]),
        value,
    )
