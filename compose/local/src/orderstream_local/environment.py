"""Maps a container's command and environment in compose.yaml to those of a process on this machine.

Only addresses differ without containers: those of other containers, the addresses and ports to listen on, and the
paths of volumes.
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

__all__ = [
    "HostMapping",
    "inherited_environment",
    "local_command",
    "local_environment",
    "process_name",
    "trace_settings",
]

_ALL_INTERFACES = "0.0.0.0"  # noqa: S104 - the value in compose.yaml, replaced by loopback
_INHERITED = re.compile(r"PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TZ|TMPDIR|LD_LIBRARY_PATH|SSL_CERT_(?:FILE|DIR)")
# whose collector it is only the user knows; the other settings of the services are those of compose.yaml
_OF_TRACES = re.compile(r"OTEL_(?:EXPORTER_OTLP_(?:ENDPOINT|HEADERS)|RESOURCE_ATTRIBUTES|TRACES_SAMPLER(?:_ARG)?)")
_NO_AWS_FILES = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}  # HOME may contain them


@dataclass(frozen=True, slots=True)
class HostMapping:
    """Maps the containers' addresses and volumes to this machine.

    Attributes:
        containers: those of compose.yaml, by name.
        ports: container to the ports of its replicas.
        sockets: container with a Unix socket to the folder of the socket.
        volumes: name of a volume to its folder.
        compose: the base folder of relative paths in compose.yaml.
    """

    containers: Mapping[str, Container]
    ports: Mapping[str, tuple[int, ...]]
    sockets: Mapping[str, Path]
    volumes: Mapping[str, Path]
    compose: Path

    def addresses(self, container: str) -> tuple[str, ...]:
        """Return ``host:port`` of each replica; for a socket its folder, percent-encoded as a URL's host for libpq."""
        if container in self.sockets:
            return (quote(str(self.sockets[container]), safe=""),)
        return tuple(f"{LOOPBACK}:{port}" for port in self.ports[container])


def process_name(container: Container) -> str:
    """Return the process name: the module it runs (``order_service`` is order-service), else the container's."""
    if container.command[:2] == ("python", "-m") and container.command[2].endswith("_service"):
        return container.command[2].replace("_", "-")
    return container.name


def local_command(container: Container, python: Path | str = sys.executable) -> tuple[str, ...]:
    """Return the command with *python* as its interpreter."""
    return tuple(
        str(python) if position == 0 and argument == "python" else argument
        for position, argument in enumerate(container.command)
    )


def local_environment(container: Container, mapping: HostMapping, replica: int = 0) -> dict[str, str]:
    """Return the environment of *replica* of *container* on this machine."""
    return {
        name: _local_value(name, value, container, mapping, replica) for name, value in container.environment.items()
    }


def inherited_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of *environ* that all processes inherit: those of the machine, without settings."""
    return {name: value for name, value in environ.items() if _INHERITED.fullmatch(name)} | _NO_AWS_FILES


def trace_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of *environ* that say where the services send traces, and which."""
    return {name: value for name, value in environ.items() if _OF_TRACES.fullmatch(name)}


def _local_value(name: str, value: str, container: Container, mapping: HostMapping, replica: int) -> str:
    if value == _ALL_INTERFACES:
        return LOOPBACK
    if name.endswith("PORT") and value == str(container.port):
        return str(mapping.ports[container.name][replica])
    for target, source in container.volumes.items():
        if value == target or value.startswith(f"{target}/"):
            return f"{_volume(source, mapping)}{value.removeprefix(target)}"
    return _with_published_ports(_with_addresses(value, mapping), mapping)


def _volume(source: str, mapping: HostMapping) -> Path:
    return (mapping.compose / source).resolve() if source.startswith(".") else mapping.volumes[source]


def _with_addresses(value: str, mapping: HostMapping) -> str:
    """Replace ``[http://]container:port`` by the addresses of its replicas, separated by commas."""
    return _substituted(
        value,
        r"(https?://)?",
        {
            f"{each.name}:{each.port}": mapping.addresses(each.name)
            for each in mapping.containers.values()
            if each.name in mapping.ports or each.name in mapping.sockets
        },
    )


def _with_published_ports(value: str, mapping: HostMapping) -> str:
    """Replace published ports of ``localhost`` by the process's port on this machine."""
    addresses: dict[str, tuple[str, ...]] = {}
    for each in mapping.containers.values():
        if each.port in each.published and each.name in mapping.ports:
            port = mapping.ports[each.name][0]
            addresses |= {f"{host}:{each.port}": (f"{host}:{port}",) for host in ("localhost", LOOPBACK)}
    return _substituted(value, r"(https?://)?", addresses)


def _substituted(value: str, prefix: str, addresses: Mapping[str, Iterable[str]]) -> str:
    if not addresses:
        return value
    names = "|".join(re.escape(name) for name in addresses)
    return re.sub(
        rf"(?<![\w.-]){prefix}({names})(?!\d)",
        lambda match: ",".join(f"{match[1] or ''}{address}" for address in addresses[match[2]]),
        value,
    )
