"""The whole system as processes on this machine, for the demo, end-to-end tests and benchmarks."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

from .compose import Container, dependency_levels, read_compose
from .emulator import Emulator, emulator_python
from .environment import HostMapping, inherited_environment, local_command, local_environment, process_name
from .instance import OWNER_VARIABLE, single_instance, socket_folder
from .layout import COMPOSE, SERVICES, DataFolder
from .log_tail import log_tail
from .ports import LOOPBACK, Ports, require_free
from .postgres import Postgres
from .process import CommandFailedError, ProcessSpec, ServiceProcess, run_concurrently
from .sign_in import SignIn
from .supervisor import Supervisor
from .web_build import PageBuilder

__all__ = ["NotReadyError", "Stack", "StackOptions"]

# on the loopback everybody has one address; all processes are of one version, so that each consumer reads batches
_SETTINGS = {"AUTH_MODE": "open", "REQUEST_LIMIT_ADDRESS_RATE": "0", "EVENTS_PER_MESSAGE": "50"}
_READY_TIMEOUT_S = 60.0
_POLL_S = 0.1
_MAX_RESTARTS = 4


class NotReadyError(Exception):
    """The system did not become ready; the message names the processes and has the end of their logs."""


def _ignore(_: str) -> None:
    """Discard a progress message."""


@dataclass(frozen=True, slots=True)
class StackOptions:
    """How to run the system.

    Attributes:
        data: the data folder.
        ports: how ports are assigned.
        scale: service (``notification`` or ``notification-service``) to its number of replicas.
        token: the services' shared secret; None generates one.
        environ: additional variables for the services, which override those of compose.yaml.
        web: also serve the page, which is built when its sources have changed.
        auth: people sign in; otherwise every caller is an operator.
        fresh: first delete what is below *data*.
        progress: called with each step of the start, and later with each restart of a process.
    """

    data: Path
    ports: Ports = field(default_factory=Ports.default)
    scale: Mapping[str, int] = field(default_factory=dict)
    token: str | None = None
    environ: Mapping[str, str] = field(default_factory=dict)
    web: bool = True
    auth: bool = False
    fresh: bool = False
    progress: Callable[[str], None] = _ignore


class Stack:
    """The running system: entering the block starts it, leaving the block stops it.

    Attributes:
        token: the secret of the internal endpoints.
        data: its data folder.
        page_error: why the build of the page failed; None when the page is served.
        sign_in: where people sign in; None when nobody has to.
    """

    def __init__(self, options: StackOptions) -> None:
        self.options = options
        self.token = options.token or secrets.token_hex(16)
        self.data = DataFolder(options.data.resolve())
        self.containers = read_compose(COMPOSE / "compose.yaml", {"SERVICE_TOKEN": self.token, **_SETTINGS})
        self._scale = {_container_name(name, self.containers): number for name, number in options.scale.items()}
        self._supervisor = Supervisor(self.data, options.progress)
        self._exit = AsyncExitStack()
        self._mapping: HostMapping | None = None
        self._levels = dependency_levels(self.containers)
        self._page: Path | None = None
        self.page_error: str | None = None
        self.sign_in: SignIn | None = None

    async def __aenter__(self) -> Self:
        """Start all processes and wait until they are ready.

        Raises:
            AlreadyRunningError: another instance runs on the data folder.
            PortInUseError: a port is in use; no process was started.
            CommandFailedError: the set-up of PostgreSQL or the emulator failed.
            NotReadyError: a service did not become ready.
        """
        async with AsyncExitStack() as entering:
            entering.enter_context(single_instance(self.data))
            mapping = self._mapping = self._allocate(entering)
            require_free(port for ports in mapping.ports.values() for port in ports)
            if self.options.fresh:
                self.data.clear(mapping.volumes)
            self.data.rotate_logs()
            if self.options.web:
                await self._build_page()
            entering.push_async_callback(self._supervisor.stop)
            emulator = await self._start_backends(mapping)
            if self.options.auth:
                self.options.progress("creating people who can sign in")
                session = await entering.enter_async_context(aiohttp.ClientSession())
                page_url = emulator.environment["PAGE_URLS"].split(",")[0]
                self.sign_in = SignIn(session, emulator.endpoint, emulator.outputs, page_url)
                await self.sign_in.create_people()
            await self._start_services(mapping)
            entering.enter_context(self._command_environment())
            self._exit = entering.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all processes, in order, within ten seconds."""
        await self._exit.aclose()

    @property
    def processes(self) -> Mapping[str, ServiceProcess]:
        """The processes by name: ``order-service``, ``notification-service-2``, ``postgres``, ``emulator``, ``web``."""
        return self._supervisor.processes

    @property
    def aws_endpoint(self) -> str:
        """The URL of the emulator."""
        return f"http://{self._running.addresses('emulator')[0]}"

    @property
    def emulator_data(self) -> Path:
        """The folder with what the emulator keeps."""
        return self.data.volume("emulator")

    @property
    def sockets(self) -> Path:
        """The folder of PostgreSQL's socket."""
        return self._running.sockets["postgres"]

    def url(self, service: str, replica: int = 0) -> str:
        """Return the base URL of a service, or of the page (``web``)."""
        return f"http://{self._running.addresses(_container_name(service, self.containers))[replica]}"

    def replicas(self, service: str) -> int:
        """Return how many replicas of a service run."""
        return len(self._running.ports[_container_name(service, self.containers)])

    def database_url(self, database: str) -> str:
        """Return the URL of a database, as PostgreSQL's superuser."""
        return f"postgresql://postgres@{self._running.addresses('postgres')[0]}/{database}"

    def environment(self, service: str, replica: int = 0) -> dict[str, str]:
        """Return the environment of a service's process."""
        container = self.containers[_container_name(service, self.containers)]
        auth = self.sign_in.environment if self.sign_in else {}
        settings = local_environment(container, self._running, replica) | auth | dict(self.options.environ)
        return self._base_environment | settings

    async def authorization(self, person: str) -> dict[str, str]:
        """Return the header of the requests of a person, who signs in anew; none when nobody has to.

        Raises:
            SignInError: the person can't sign in.
        """
        return {"Authorization": f"Bearer {await self.sign_in.access_token(person)}"} if self.sign_in else {}

    def command_environment(self) -> dict[str, str]:
        """Return the environment of the command `orderstream`."""
        shared = self.environment("order")
        queues = {
            name: value
            for service in SERVICES
            for name, value in self.environment(service).items()
            if name.endswith("_QUEUE")
        }
        addresses = {
            f"{name.upper()}_URL": ",".join(self.url(name, replica) for replica in range(self.replicas(name)))
            for name in SERVICES
        }
        return {
            **{name: shared[name] for name in ("AUTH_MODE", "no_proxy", "NO_PROXY") if name in shared},
            **{name: value for name, value in shared.items() if name.startswith("AWS_")},
            **queues,
            **addresses,
            "SERVICE_TOKEN": self.token,
        }

    @contextmanager
    def _command_environment(self) -> Iterator[None]:
        file = self.data.command_environment
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in self.command_environment().items()]
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)  # it has the token
        file.write_text("".join(lines), encoding="utf-8")
        try:
            yield
        finally:
            file.unlink(missing_ok=True)

    @property
    def _running(self) -> HostMapping:
        if self._mapping is None:
            raise RuntimeError("the stack is not running")
        return self._mapping

    @property
    def _base_environment(self) -> dict[str, str]:
        return {**inherited_environment(os.environ), OWNER_VARIABLE: str(self.data.path)}

    def _allocate(self, entering: AsyncExitStack) -> HostMapping:
        names = {"emulator", *SERVICES} | ({"web"} if self.options.web else set())
        wanted = {name: port for name in sorted(names) if (port := self.containers[name].port)}
        sockets = entering.enter_context(socket_folder(self.data))
        named = {source for each in self.containers.values() for source in each.volumes.values() if "." not in source}
        return HostMapping(
            containers=self.containers,
            ports=self.options.ports.assign(wanted, self._scale),
            sockets={"postgres": sockets},
            volumes={name: self.data.volume(name) for name in named},
            compose=COMPOSE,
        )

    async def _build_page(self) -> None:
        try:
            self._page = await PageBuilder(self.options.progress).page()
        except (CommandFailedError, OSError) as error:
            self.page_error = str(error)
            self.options.progress(f"the page is unavailable, its build failed: {error}")

    async def _start_backends(self, mapping: HostMapping) -> Emulator:
        self.options.progress("starting PostgreSQL and the AWS emulator")
        container = self.containers["emulator"]
        emulator = Emulator(
            command=local_command(container, await emulator_python()),
            environment=self._base_environment
            | {"TMPDIR": str(mapping.sockets["postgres"])}  # its pid file is removed with the folder
            | local_environment(container, mapping),
            endpoint=self.aws_endpoint,
        )
        starting = self._supervisor.start([emulator.spec(self._levels["emulator"])])
        await run_concurrently(self._start_postgres(mapping), starting)
        return emulator

    async def _start_postgres(self, mapping: HostMapping) -> None:
        postgres = Postgres(
            container=self.containers["postgres"],
            folder=mapping.volumes["postgres"],
            sockets=mapping.sockets["postgres"],
            databases=COMPOSE / "databases.sql",
            environment=self._base_environment,
            report=self.options.progress,
        )
        await postgres.initialise()
        await self._supervisor.start([postgres.spec(self._levels["postgres"])])
        await postgres.create_databases()

    async def _start_services(self, mapping: HostMapping) -> None:
        self.options.progress("starting the services")
        specs = [self._service_spec(name, replica) for name in SERVICES for replica in range(len(mapping.ports[name]))]
        await self._supervisor.start([*specs, await self._web_spec()] if self.options.web else specs)
        await self._wait_ready(mapping)

    def _service_spec(self, name: str, replica: int) -> ProcessSpec:
        container = self.containers[name]
        return ProcessSpec(
            name=_replica_name(process_name(container), replica),
            command=local_command(container),
            environment=self.environment(name, replica),
            level=self._levels[name],
        )

    async def _web_spec(self) -> ProcessSpec:
        auth = {"AUTH": json.dumps(await self.sign_in.page_settings())} if self.sign_in else {}
        port = self._running.ports["web"][0]
        urls = {f"{name.upper()}_URL": self.url(name) for name in SERVICES}
        replicas = {
            f"{name.upper()}_REPLICAS": ",".join(self.url(name, each) for each in range(self.replicas(name)))
            for name in SERVICES
        }
        return ProcessSpec(
            name="web",
            command=(sys.executable, "-m", "orderstream_local.web"),
            environment={
                **self._base_environment,
                "HOST": LOOPBACK,
                "PORT": str(port),
                "DEMO_PIDS": str(self.data.run),
                "LOGS": str(self.data.logs),
                **urls,
                **replicas,
                **self._page_settings(),
                **auth,
                **{name: value for name, value in self.options.environ.items() if name == "TRACES"},
            },
            level=self._levels["web"],
        )

    def _page_settings(self) -> dict[str, str]:
        return {"WEB_ROOT": str(self._page)} if self._page else {"WEB_MISSING": self.page_error or ""}

    async def _wait_ready(self, mapping: HostMapping) -> None:
        waiting = {
            _replica_name(process_name(self.containers[name]), replica): f"http://{LOOPBACK}:{port}/health/ready"
            for name in (*SERVICES, *(("web",) if self.options.web else ()))
            for replica, port in enumerate(mapping.ports[name])
        }
        deadline = time.monotonic() + _READY_TIMEOUT_S
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
            while waiting:
                for name, url in list(waiting.items()):
                    if await _is_ready(session, url):
                        self.options.progress(f"{name} is ready")
                        del waiting[name]
                if waiting and (time.monotonic() > deadline or self._crash_looping(waiting)):
                    raise NotReadyError(self._not_ready_message(waiting))
                await asyncio.sleep(_POLL_S if waiting else 0)

    def _crash_looping(self, waiting: Iterable[str]) -> bool:
        return any(self.processes[name].restarts >= _MAX_RESTARTS for name in waiting)

    def _not_ready_message(self, waiting: Iterable[str]) -> str:
        parts = [f"did not become ready: {', '.join(waiting)}"]
        for name in waiting:
            log = self.data.log_file(name)
            parts += [f"last lines of {log}:", *(f"  {line}" for line in log_tail(log))]
        return "\n".join(parts)


async def _is_ready(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


def _container_name(service: str, containers: Mapping[str, Container]) -> str:
    """Return the container of ``order`` or ``order-service``."""
    name = service.removesuffix("-service")
    if name not in containers:
        raise ValueError(f"there is no service {service}; there are {', '.join(SERVICES)}")
    return name


def _replica_name(name: str, replica: int) -> str:
    return name if replica == 0 else f"{name}-{replica + 1}"
