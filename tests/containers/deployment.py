"""The system of compose.yaml in containers of podman, started and stopped as `docker compose` does it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import boto3

from orderstream_local.compose import dependency_levels, read_compose, read_services
from orderstream_local.layout import COMPOSE
from orderstream_local.sign_in import SignIn
from tests.containers.images import OBSERVERS, SECRETS, SERVICES, VARIABLES, image, reference
from tests.containers.podman_options import health_check, podman_options

__all__ = ["Deployment", "deployed", "podman"]

NETWORK = "orderstream"
HEALTHY_WITHIN_S = 60.0
_POLL_S = 0.25


def podman(*arguments: str, check: bool = True, given: str | None = None) -> str:
    """Run podman with *given* as its input, and return its output.

    Raises:
        AssertionError: it failed, with what it wrote on stderr.
    """
    done = subprocess.run(["podman", *arguments], check=False, capture_output=True, text=True, input=given)
    assert done.returncode == 0 or not check, f"podman {' '.join(arguments)}: {done.stderr}"
    return done.stdout


@dataclass(slots=True)
class Deployment:
    """The running containers.

    Attributes:
        scale: service to the number of its replicas, where it is not one.
        services: those of compose.yaml, with the variables that they were started with.
        stopped: the names of containers that were stopped in the end, with exit status and seconds.
        sign_in: where people sign in; None when nobody has to.
    """

    scale: Mapping[str, int]
    services: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: SERVICES)
    stopped: dict[str, tuple[int, float]] = field(default_factory=dict)
    sign_in: SignIn | None = None
    aws_endpoint: str = "http://127.0.0.1:4566"

    @property
    def emulator_data(self) -> Path:
        """The folder with what the emulator keeps."""
        return Path(podman("volume", "inspect", "--format={{.Mountpoint}}", "emulator").strip())

    async def authorization(self, person: str) -> dict[str, str]:
        """Return the header of the requests of a person; none when nobody has to sign in."""
        return {"Authorization": f"Bearer {await self.sign_in.access_token(person)}"} if self.sign_in else {}

    def url(self, service: str) -> str:  # noqa: ARG002 - the same for each
        """Return the base URL of *service*: all are behind the page's nginx."""
        return "http://127.0.0.1:4200/api"

    def containers(self, service: str) -> list[str]:
        """Return the names of a service's containers."""
        return [f"{NETWORK}-{service}-{number}" for number in range(1, self.scale.get(service, 1) + 1)]

    def start(self) -> None:
        """Create the network and start all services, each after what it depends on."""
        podman("network", "create", NETWORK)
        self._start(self.services)

    async def require_sign_in(self, session: aiohttp.ClientSession) -> None:
        """Let people sign in at the emulator's user pool, and make those containers anew that have to know of it.

        It is what `docker compose up` does with the variables of docs/how-to/sign-in-with-cognito.md.
        """
        page_url = self.services["emulator"]["environment"]["PAGE_URLS"].split(",")[0]
        self.sign_in = SignIn(session, self.aws_endpoint, await asyncio.to_thread(self._outputs), page_url)
        await self.sign_in.create_people()
        # the containers reach the emulator by its name
        pool = f"http://emulator:4566/{self.sign_in.outputs['UserPoolId']}"
        variables = VARIABLES | self.sign_in.environment | {"AUTH_DISCOVERY_URL": pool}
        services = read_services(COMPOSE / "compose.yaml", variables)
        changed = [name for name in self._in_order_of_stop() if services[name] != self.services[name]]
        for name in changed:
            podman("rm", "--force", *self.containers(name))
        self.services = services
        self._start(changed)

    def observe(self, name: str) -> None:
        """Start a service of the profile observability."""
        for secret in OBSERVERS[name]["secrets"]:
            podman("secret", "create", secret, "-", given=SECRETS[secret])
        self._run(OBSERVERS[name], name, f"{NETWORK}-{name}-1")

    def wait_healthy(self, service: str) -> None:
        """Wait until the health check succeeds in each container of *service*."""
        deadline = time.monotonic() + HEALTHY_WITHIN_S
        for container in self.containers(service):
            while (done := self.check_health(service, container)).returncode:
                assert time.monotonic() < deadline, f"{container} is unhealthy: {done.stderr}\n{self.log(container)}"
                time.sleep(_POLL_S)

    def check_health(self, service: str, container: str) -> subprocess.CompletedProcess[str]:
        """Run the health check of *service* in one of its containers."""
        return _exec(container, *health_check(SERVICES[service], image(reference(service)).health_check))

    def restart(self, service: str) -> None:
        """Restart the containers of *service*, one after another, and wait until they are healthy."""
        for container in self.containers(service):
            podman("restart", container)
        self.wait_healthy(service)

    def stop(self) -> None:
        """Stop all services, each after those that depend on it."""
        for name in self._in_order_of_stop():
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

    def _start(self, names: Collection[str]) -> None:
        started = set(self.services) - set(names)
        while missing := [name for name in names if name not in started]:
            ready = [name for name in missing if started.issuperset(self.services[name].get("depends_on", ()))]
            for name in ready:
                for dependency, how in self.services[name].get("depends_on", {}).items():
                    if how["condition"] == "service_healthy":
                        self.wait_healthy(dependency)
                for container in self.containers(name):
                    self._run(self.services[name], name, container)
            started.update(ready)
        for name in names:
            self.wait_healthy(name)

    def _in_order_of_stop(self) -> list[str]:
        levels = dependency_levels(read_compose(COMPOSE / "compose.yaml", VARIABLES))
        return sorted(levels, key=lambda each: levels[each], reverse=True)

    def _outputs(self) -> dict[str, str]:
        client = boto3.client(
            "cloudformation",
            endpoint_url=self.aws_endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        [stack] = client.describe_stacks(StackName="orderstream")["Stacks"]
        return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}

    def _run(self, service: Mapping[str, Any], name: str, container: str) -> None:
        options, command = podman_options(service, COMPOSE), service.get("command", ())
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
