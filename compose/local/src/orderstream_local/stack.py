"""The whole system as processes of this machine: what the demo shows and what end-to-end tests and benchmarks drive."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

from .compose import Container, levels, read_compose
from .emulator import Emulator, emulator_python
from .environment import Places, inherited, local_command, local_environment, process_name
from .instance import OWNER_VARIABLE, short_folder, sole_instance
from .last_words import last_words
from .layout import COMPOSE, DataFolder
from .ports import LOOPBACK, Ports, require_free
from .postgres import Postgres
from .process import CommandFailedError, ProcessSpec, ServiceProcess, together
from .supervisor import Supervisor
from .web_build import PageBuilder

__all__ = ["SERVICES", "NotReadyError", "Stack", "StackOptions"]

SERVICES = ("order", "inventory", "notification", "processing")
_READY_WITHIN_S = 60.0
_POLL_S = 0.1
_TRIES = 4


class NotReadyError(Exception):
    """The system did not come up; the message names what is missing and ends with the log of what failed."""


def _silent(_: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class StackOptions:
    """How to run the system.

    Attributes:
        data: the folder for everything that is kept.
        ports: how they are given out.
        scale: service (``notification`` or ``notification-service``) to its number of replicas.
        token: that the services share; a random one when None.
        environ: more variables for the services, over those of compose.yaml.
        web: serve the page as well, which is built when its sources have changed.
        fresh: begin with nothing: forget what is kept under *data*.
        progress: told what is being started, and later which process was started again.
    """

    data: Path
    ports: Ports = field(default_factory=Ports.default)
    scale: Mapping[str, int] = field(default_factory=dict)
    token: str | None = None
    environ: Mapping[str, str] = field(default_factory=dict)
    web: bool = True
    fresh: bool = False
    progress: Callable[[str], None] = _silent


class Stack:
    """The system while it runs: everything is up when the block is entered and gone when it is left.

    Attributes:
        token: the secret of the internal endpoints.
        data: where it keeps things.
        page_missing: why the page could not be built, where the system runs without; None otherwise.
    """

    def __init__(self, options: StackOptions) -> None:
        self.options = options
        self.token = options.token or secrets.token_hex(16)
        self.data = DataFolder(options.data.resolve())
        self.containers = read_compose(COMPOSE / "compose.yaml", {"SERVICE_TOKEN": self.token})
        self._scale = {_container_name(name, self.containers): number for name, number in options.scale.items()}
        self._supervisor = Supervisor(self.data, options.progress)
        self._exit = AsyncExitStack()
        self._places: Places | None = None
        self._levels = levels(self.containers)
        self._page: Path | None = None
        self.page_missing: str | None = None

    async def __aenter__(self) -> Self:
        """Start everything and wait until it is ready.

        Raises:
            AlreadyRunningError: another instance runs on the data folder.
            PortInUseError: a port is taken; nothing was started.
            CommandFailedError: PostgreSQL or the emulator can't be set up.
            NotReadyError: a service did not become ready.
        """
        async with AsyncExitStack() as entering:
            entering.enter_context(sole_instance(self.data))
            places = self._places = self._assign(entering)
            require_free(port for ports in places.ports.values() for port in ports)
            if self.options.fresh:
                self.data.forget(places.volumes)
            self.data.rotate_logs()
            if self.options.web:
                await self._build_page()
            entering.push_async_callback(self._supervisor.stop)
            await self._start_backends(places)
            await self._start_services(places)
            self._exit = entering.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything, in order, within ten seconds."""
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
        """Return the whole environment of a service's process."""
        container = self.containers[_container_name(service, self.containers)]
        return self._base | local_environment(container, self._running, replica) | dict(self.options.environ)

    @property
    def _running(self) -> Places:
        if self._places is None:
            raise RuntimeError("the stack is not running")
        return self._places

    @property
    def _base(self) -> dict[str, str]:
        return {**inherited(os.environ), OWNER_VARIABLE: str(self.data.path)}

    def _assign(self, entering: AsyncExitStack) -> Places:
        kept = {"emulator", *SERVICES} | ({"web"} if self.options.web else set())
        wanted = {name: port for name in sorted(kept) if (port := self.containers[name].port)}
        sockets = entering.enter_context(short_folder(self.data))
        named = {source for each in self.containers.values() for source in each.volumes.values() if "." not in source}
        return Places(
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
            self.page_missing = str(error)
            self.options.progress(f"there will be no page, it can't be built: {error}")

    async def _start_backends(self, places: Places) -> None:
        self.options.progress("starting PostgreSQL and the AWS emulator")
        await together(self._start_postgres(places), self._start_emulator(places))

    async def _start_postgres(self, places: Places) -> None:
        postgres = Postgres(
            container=self.containers["postgres"],
            folder=places.volumes["postgres"],
            sockets=places.sockets["postgres"],
            databases=COMPOSE / "databases.sql",
            environment=self._base,
            report=self.options.progress,
        )
        await postgres.initialise()
        await self._supervisor.start([postgres.spec(self._levels["postgres"])])
        await postgres.create_databases()

    async def _start_emulator(self, places: Places) -> None:
        container = self.containers["emulator"]
        emulator = Emulator(
            command=local_command(container, await emulator_python()),
            environment=self._base
            | {"TMPDIR": str(places.sockets["postgres"])}  # its own pid file goes away with it
            | local_environment(container, places),
            endpoint=self.aws_endpoint,
        )
        await self._supervisor.start([emulator.spec(self._levels["emulator"])])

    async def _start_services(self, places: Places) -> None:
        self.options.progress("starting the services")
        specs = [self._spec(name, replica) for name in SERVICES for replica in range(len(places.ports[name]))]
        await self._supervisor.start([*specs, self._web_spec()] if self.options.web else specs)
        await self._wait_ready(places)

    def _spec(self, name: str, replica: int) -> ProcessSpec:
        container = self.containers[name]
        return ProcessSpec(
            name=_numbered(process_name(container), replica),
            command=local_command(container),
            environment=self.environment(name, replica),
            level=self._levels[name],
        )

    def _web_spec(self) -> ProcessSpec:
        port = self._running.ports["web"][0]
        urls = {f"{name.upper()}_URL": self.url(name) for name in SERVICES}
        replicas = {
            f"{name.upper()}_REPLICAS": ",".join(self.url(name, each) for each in range(self.replicas(name)))
            for name in SERVICES
        }
        return ProcessSpec(
            name="web",
            command=(sys.executable, "-m", "orderstream_local.web"),
            environment={**self._base, "HOST": LOOPBACK, "PORT": str(port), **urls, **replicas, **self._page_place()},
            level=self._levels["web"],
        )

    def _page_place(self) -> dict[str, str]:
        return {"WEB_ROOT": str(self._page)} if self._page else {"WEB_MISSING": self.page_missing or ""}

    async def _wait_ready(self, places: Places) -> None:
        waiting = {
            _numbered(process_name(self.containers[name]), replica): f"http://{LOOPBACK}:{port}/health/ready"
            for name in (*SERVICES, *(("web",) if self.options.web else ()))
            for replica, port in enumerate(places.ports[name])
        }
        deadline = time.monotonic() + _READY_WITHIN_S
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
            while waiting:
                for name, url in list(waiting.items()):
                    if await _is_ready(session, url):
                        self.options.progress(f"{name} is ready")
                        del waiting[name]
                if waiting and (time.monotonic() > deadline or self._hopeless(waiting)):
                    raise NotReadyError(self._why_not(waiting))
                await asyncio.sleep(_POLL_S if waiting else 0)

    def _hopeless(self, waiting: Iterable[str]) -> bool:
        return any(self.processes[name].restarts >= _TRIES for name in waiting)

    def _why_not(self, waiting: Iterable[str]) -> str:
        parts = [f"did not become ready: {', '.join(waiting)}"]
        for name in waiting:
            log = self.data.log_file(name)
            parts += [f"the end of {log}:", *(f"  {line}" for line in last_words(log))]
        return "\n".join(parts)


async def _is_ready(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


def _container_name(service: str, containers: Mapping[str, Container]) -> str:
    """Accept ``order`` as well as ``order-service``."""
    name = service.removesuffix("-service")
    if name not in containers:
        raise ValueError(f"there is no service {service}; there are {', '.join(SERVICES)}")
    return name


def _numbered(name: str, replica: int) -> str:
    return name if replica == 0 else f"{name}-{replica + 1}"
