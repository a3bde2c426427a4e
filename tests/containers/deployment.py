"""The system of compose.yaml in containers of podman, started and stopped as `docker compose` does it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from orderstream_local.compose import dependency_levels, read_compose
from orderstream_local.layout import COMPOSE
from tests.containers.images import SERVICES, VARIABLES, image, reference
from tests.containers.podman_options import health_check, podman_options

__all__ = ["Deployment", "deployed", "podman"]

NETWORK = "orderstream"
HEALTHY_WITHIN_S = 60.0
_POLL_S = 0.25


def podman(*arguments: str, check: bool = True) -> str:
    """Run podman and return its output.

    Raises:
        AssertionError: it failed, with what it wrote on stderr.
    """
    done = subprocess.run(["podman", *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 0 or not check, f"podman {' '.join(arguments)}: {done.stderr}"
    return done.stdout


@dataclass(slots=True)
class Deployment:
    """The running containers.

    Attributes:
        scale: service to the number of its replicas, where it is not one.
        stopped: the names of containers that were stopped, in order, with exit status and seconds.
    """

    scale: Mapping[str, int]
    stopped: dict[str, tuple[int, float]] = field(default_factory=dict)

    # what the walk-through asks of a stack, in which nobody signs in
    aws_endpoint: str = "http://127.0.0.1:4566"
    sign_in: None = None

    async def authorization(self, person: str) -> dict[str, str]:  # noqa: ARG002 - the same for each
        """Return the header of the requests of a person: none."""
        return {}

    def url(self, service: str) -> str:  # noqa: ARG002 - the same for each
        """Return the base URL of *service*: all are behind the page's nginx."""
        return "http://127.0.0.1:4200/api"

    def containers(self, service: str) -> list[str]:
        """Return the names of a service's containers."""
        return [f"{NETWORK}-{service}-{number}" for number in range(1, self.scale.get(service, 1) + 1)]

    def start(self) -> None:
        """Create the network and start all services, each after what it depends on."""
        podman("network", "create", NETWORK)
        started: set[str] = set()
        while missing := [name for name in SERVICES if name not in started]:
            ready = [name for name in missing if started.issuperset(SERVICES[name].get("depends_on", ()))]
            for name in ready:
                for dependency, how in SERVICES[name].get("depends_on", {}).items():
                    if how["condition"] == "service_healthy":
                        self.wait_healthy(dependency)
                for container in self.containers(name):
                    self._run(name, container)
            started.update(ready)
        for name in SERVICES:
            self.wait_healthy(name)

    def wait_healthy(self, service: str) -> None:
        """Wait until the health check succeeds in each container of *service*."""
        check = health_check(SERVICES[service], image(reference(service)).health_check)
        deadline = time.monotonic() + HEALTHY_WITHIN_S
        for container in self.containers(service):
            while (done := _exec(container, *check)).returncode:
                assert time.monotonic() < deadline, f"{container} is unhealthy: {done.stderr}\n{self.log(container)}"
                time.sleep(_POLL_S)

    def restart(self, service: str) -> None:
        """Restart the containers of *service*, one after another, and wait until they are healthy."""
        for container in self.containers(service):
            podman("restart", container)
        self.wait_healthy(service)

    def stop(self) -> None:
        """Stop all services, each after those that depend on it."""
        levels = dependency_levels(read_compose(COMPOSE / "compose.yaml", VARIABLES))
        for name in sorted(levels, key=lambda each: levels[each], reverse=True):
            for container in self.containers(name):
                started = time.monotonic()
                podman("stop", container)
                self.stopped[container] = (self.state(container)["ExitCode"], time.monotonic() - started)

    def state(self, container: str) -> Mapping[str, Any]:
        """Return the state of a container as podman has it."""
        state: Mapping[str, Any] = json.loads(podman("inspect", "--format={{json .State}}", container))
        return state

    def address(self, container: str) -> str:
        """Return the address of a container in the network."""
        return podman("inspect", f"--format={{{{.NetworkSettings.Networks.{NETWORK}.IPAddress}}}}", container).strip()

    def log(self, container: str) -> str:
        """Return the end of what a container wrote."""
        done = subprocess.run(["podman", "logs", "--tail=40", container], check=False, capture_output=True, text=True)
        return done.stdout + done.stderr

    def run_in(self, container: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in a container."""
        return _exec(container, *command)

    def processes(self, container: str) -> list[tuple[str, int, str]]:
        """Return the user, the permitted capabilities and no_new_privs of each process in a container."""
        done = _exec(container, "sh", "-c", "cat /proc/[0-9]*/status")
        assert done.returncode == 0, done.stderr
        found = []
        for status in done.stdout.split("Name:\t")[1:]:
            lines = dict(line.split(":\t", 1) for line in status.splitlines()[1:] if ":\t" in line)
            found.append((lines["Uid"].split()[0], int(lines["CapPrm"], 16), lines["NoNewPrivs"]))
        return found

    def _run(self, name: str, container: str) -> None:
        options = podman_options(SERVICES[name], COMPOSE)
        command = SERVICES[name].get("command", ())
        # podman has a timer of systemd make the health checks, which is not here: wait_healthy() makes them
        fixed = ["--detach", "--no-healthcheck", "--ulimit=host", f"--name={container}", f"--network={NETWORK}"]
        podman("run", *fixed, f"--network-alias={name}", "--pull=never", *options, reference(name), *command)


def _exec(container: str, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["podman", "exec", container, *command], check=False, capture_output=True, text=True)


@contextmanager
def deployed(**scale: int) -> Iterator[Deployment]:
    """Run the system during the block; its containers are gone with the namespaces of this run."""
    deployment = Deployment(scale)
    try:
        deployment.start()
        yield deployment
    finally:
        podman("rm", "--all", "--force", "--volumes", "--time=0")
        podman("network", "rm", "--force", NETWORK)
