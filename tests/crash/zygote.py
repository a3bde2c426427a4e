"""Starts processes of the services within milliseconds: imports them once, with their points, then forks.

``python -m tests.crash.zygote`` writes the list of points, then reads from each line of stdin which process to start,
or the number of one to kill, and writes the exit status of each process that has ended. Its processes end with it.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import runpy
import signal
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NoReturn

import orjson

from tests.crash.control import Control
from tests.crash.points import Point, instrument, reporters

__all__: list[str] = []

SERVICES = ("order", "inventory", "processing", "notification")
PACKAGES = frozenset({"service_common", *(f"{service}_service" for service in SERVICES)})
PR_SET_PDEATHSIG = 1

_points: list[Point] = []
_control: Control | None = None
_numbers: dict[int, int] = {}  # by pid, of processes that are not known to have ended


def _report(point: int) -> None:
    if _control is not None:
        _control.report(point)


class _Loader(SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        tree = instrument(self.get_data(path).decode(), fullname, path, _points)
        return compile(tree, path, "exec", dont_inherit=True)

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__.update(reporters(_report))
        super().exec_module(module)


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in PACKAGES:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(fullname, spec.origin)
        return spec


def _tell(**facts: object) -> None:
    os.write(1, orjson.dumps(facts) + b"\n")


def _reap(*_: object) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        _tell(number=_numbers.pop(pid), status=os.waitstatus_to_exitcode(status))


def _become(module: str, environ: dict[str, str], log: str, control: str) -> NoReturn:
    """Become a process as ``python -m`` *module* makes one."""
    global _control  # noqa: PLW0603 - each process has one
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    os.setsid()
    os.environ.clear()
    os.environ.update(environ)
    with Path(os.devnull).open() as nothing, Path(log).open("ab") as lines:
        os.dup2(nothing.fileno(), 0)
        os.dup2(lines.fileno(), 1)
        os.dup2(lines.fileno(), 2)
    _control = Control(Path(control), len(_points))
    status = 1
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        status = int(end.code or 0)
    finally:
        os._exit(status)


def main() -> None:
    """Import, then fork as told."""
    sys.meta_path.insert(0, _Finder())
    for service in SERVICES:
        importlib.import_module(f"{service}_service.app")
    gc.freeze()
    _tell(points=_points)
    signal.signal(signal.SIGCHLD, _reap)
    for line in sys.stdin:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # so that no pid is another's by now
        wanted: dict[str, Any] = orjson.loads(line)
        number = wanted.pop("number")
        if wanted:
            pid = os.fork()
            if not pid:
                _become(**wanted)
            _numbers[pid] = number
        else:
            for pid in [pid for pid, each in _numbers.items() if each == number]:
                os.kill(pid, signal.SIGKILL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})


if __name__ == "__main__":
    main()
