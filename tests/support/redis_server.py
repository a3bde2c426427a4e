"""A Redis server of the machine, or Valkey's, which a test starts, freezes, kills and starts again."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.ports import free_port

__all__ = ["RedisServer", "install", "redis_server"]

PROGRAMS = ("valkey-server", "redis-server")
INSTALL = (
    ("apt-get", "update", "-qq"),
    ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "redis-server"),
)
STARTS_WITHIN_S = 20.0


def install() -> str | None:
    """Return the path of a server, installed in CI where there is none; None when there is none."""
    may = os.environ.get("CI") == "true" and os.geteuid() == 0 and shutil.which("apt-get")
    if may:
        with Path(tempfile.gettempdir(), "install-redis").open("w") as lock:  # apt-get refuses to run twice
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not any(map(shutil.which, PROGRAMS)):
                for command in INSTALL:
                    subprocess.run(command, check=False, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


class RedisServer:
    """One server on the loopback address, always on the same port, which keeps nothing when it ends."""

    def __init__(self, program: str, folder: Path) -> None:
        self._port = free_port()
        options = ("--bind", "127.0.0.1", "--port", str(self._port), "--save", "", "--dir", str(folder))
        self._command = (program, *options)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        """Of its process, while it runs."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, and return when it listens."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + STARTS_WITHIN_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port), 1.0).close()
            except OSError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """End it as a crash does; idempotent."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Stop it from running; its connections stay open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it run on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@contextmanager
def redis_server(program: str, folder: Path) -> Iterator[RedisServer]:
    """Kill the server at the end of the block; it is not started yet."""
    server = RedisServer(program, folder)
    try:
        yield server
    finally:
        server.kill()
