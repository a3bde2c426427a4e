"""nginx with the nchan module, the fan-out in C that all others are held against; published to by HTTP."""

from __future__ import annotations

import asyncio
import re
import resource
import shutil
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from string import Template

from tests.support.ports import free_port
from tests.support.waiting import eventually

from ..servers import Publish, Target
from . import message
from .handover import publishing
from .unavailable import UnavailableError

__all__ = ["module_of", "nchan"]

_CONFIGURATION = Template(Path(__file__).with_name("nchan.conf").read_text())
_INSTALL = "apt-get install nginx libnginx-mod-nchan"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"  # a user's own PATH often leaves sbin out
_MOST_FILES = 65_536
_STOP_S = 10.0


@asynccontextmanager
async def nchan(protocol: str) -> AsyncIterator[Target]:
    """Run nginx with a configuration of its own.

    Raises:
        UnavailableError: nginx or its module is not installed, or does not start.
    """
    program, module = await _installed()
    with tempfile.TemporaryDirectory(prefix="bench-nchan-") as folder:
        port = free_port()
        configuration = _configured(Path(folder), module, port)
        arguments = ("-p", folder, "-e", "stderr", "-c", str(configuration))
        nginx = await asyncio.create_subprocess_exec(program, *arguments, stderr=PIPE)
        try:
            reader, writer = await _connected(nginx, port)
            with closing(writer):
                yield Target(
                    name="nchan",
                    protocol=protocol,
                    port=port,
                    path=f"/{protocol}",
                    pids=(nginx.pid,),
                    number_after=message.NUMBER_AFTER,
                    publish=_publishing(reader, writer, protocol),
                )
        finally:
            await _stop(nginx)


async def _installed() -> tuple[str, Path]:
    program = shutil.which("nginx") or shutil.which("nginx", path=_PATH)
    if program is None:
        raise UnavailableError(f"nginx not found: {_INSTALL}")
    asked = await asyncio.create_subprocess_exec(program, "-V", stderr=PIPE)
    _, answer = await asked.communicate()
    return program, module_of(answer)


def module_of(build: bytes) -> Path:
    """Return the nchan module of an nginx that tells this of its build.

    Raises:
        UnavailableError: it is not installed.
    """
    folder = re.search(rb"--modules-path=(\S+)", build)
    module = Path(folder[1].decode() if folder else "modules", "ngx_nchan_module.so")
    if not module.exists():
        raise UnavailableError(f"{module.name} of nginx not found: {_INSTALL}")
    return module


def _configured(folder: Path, module: Path, port: int) -> Path:
    configuration = folder / "nginx.conf"
    text = _CONFIGURATION.substitute(module=module, folder=folder, port=port, files=_open_files())
    configuration.write_text(text, encoding="utf-8")
    return configuration


def _open_files() -> int:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)


async def _connected(nginx: Process, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async def look() -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        if nginx.returncode is not None:
            assert nginx.stderr is not None
            raise UnavailableError(f"nginx did not start: {(await nginx.stderr.read()).decode().strip()}")
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            return None

    return await eventually(look, "nginx accepts connections")


async def _stop(nginx: Process) -> None:
    if nginx.returncode is None:
        nginx.terminate()  # the master ends its worker
    async with asyncio.timeout(_STOP_S):
        await nginx.communicate()


def _publishing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, protocol: str) -> Publish:
    # nchan puts an id of its own before the data of an SSE event
    body = message.data if protocol == "sse" else message.ws_text

    def send(numbers: Sequence[int]) -> None:
        writer.write(b"".join([_request(body(number).encode()) for number in numbers]))

    hand_over = publishing(send)

    async def publish(count: int, rate_per_s: float, burst: int) -> dict[int, int]:
        async with asyncio.TaskGroup() as group:  # an answer that is late holds nothing up
            group.create_task(_accepted(reader, count))
            return await hand_over(count, rate_per_s, burst)

    return publish


def _request(body: bytes) -> bytes:
    return b"POST /publish HTTP/1.1\r\nHost: nchan\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


async def _accepted(reader: asyncio.StreamReader, count: int) -> None:
    for _ in range(count):
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if length is None or not head.startswith((b"HTTP/1.1 201", b"HTTP/1.1 202")):
            raise RuntimeError(f"nchan did not take a message: {head!r}")
        await reader.readexactly(int(length[1]))
