"""The cases of the Autobahn WebSocket test suite against the code behind ``GET /ws``.

They are run by kosoku, which has the suite's own case files on a Python of today. With --wstest it is the suite
itself that runs, where someone has its Python 2.7.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import shutil
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import uvloop
from aiohttp import web
from rich.console import Console
from rich.table import Table

from tests.autobahn.echo import echo_app
from tests.autobahn.verdict import EXCLUDED, Case, by_section, objections, reason

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WITHIN_S = 300.0


class _Complaints(logging.Handler):
    """Keeps what the server logs from WARNING on: a handler that breaks is no answer to a broken client."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@asynccontextmanager
async def _served() -> AsyncIterator[str]:
    with echo_app() as app:
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"ws://{host}:{port}/ws"
        await runner.cleanup()


async def _kosoku(url: str, folder: Path) -> list[str]:
    places = (Path(sys.executable).parent, os.environ.get("PATH", ""), ROOT / ".cache" / "uv" / "bin")
    uv = shutil.which("uv", path=os.pathsep.join(map(str, places)))
    if uv is None:
        raise SystemExit("uv is needed to make the suite's environment: pip install uv")
    sync = [uv, "sync", "--quiet", "--frozen", "--project", str(HERE), "--python", sys.executable]
    output, program = await _run(sync, folder), HERE / ".venv" / "bin" / "kosoku"
    if not program.exists():
        raise SystemExit(f"no environment could be made for the suite:\n{output}")
    excluded = (word for pattern in EXCLUDED for word in ("-x", pattern))
    return [str(program), url, *excluded, "-o", str(folder)]


def _wstest(program: str, url: str, folder: Path) -> list[str]:
    servers = [{"agent": "orderstream", "url": url}]
    spec = {"outdir": str(folder), "servers": servers, "cases": ["*"], "exclude-cases": list(EXCLUDED)}
    (folder / "spec.json").write_text(json.dumps(spec))
    return [program, "-m", "fuzzingclient", "-s", str(folder / "spec.json")]


async def _run(command: Sequence[str], folder: Path) -> str:
    # an active environment's variables would lead uv to that one
    own = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT"}}
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, env=own, stdout=PIPE, stderr=STDOUT)
    try:
        async with asyncio.timeout(WITHIN_S):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return output.decode(errors="replace")


async def _test(wstest: str | None, folder: Path) -> list[Case]:
    index = folder / "index.json"
    index.unlink(missing_ok=True)
    async with _served() as url:
        command = await _kosoku(url, folder) if wstest is None else _wstest(wstest, url, folder)
        output = await _run(command, folder)
    if not index.exists():
        raise SystemExit(f"{command[0]} left no report:\n{output}")
    (report,) = json.loads(index.read_text()).values()
    cases = [Case(name, found["behavior"], found["behaviorClose"]) for name, found in report.items()]
    return sorted(cases, key=lambda case: [int(number) for number in case.id.split(".")])


def _tables(cases: Sequence[Case]) -> list[Table]:
    sections = Table("section", "cases", "behaviour")
    for name, counts in by_section(cases).items():
        sections.add_row(name, str(counts.total()), ", ".join(f"{count} {what}" for what, count in counts.items()))
    others = Table("case", "behaviour", "closing", "why")
    for case in cases:
        if (case.behaviour, case.closing) != ("OK", "OK"):
            others.add_row(case.id, case.behaviour, case.closing, reason(case) or "nobody knows")
    return [sections, others]


def main() -> None:
    """Run the cases, print a table, and exit with 1 when one of them is a surprise."""
    arguments = argparse.ArgumentParser(prog="python -m tests.autobahn", description=__doc__)
    arguments.add_argument("--wstest", help="this program of the suite itself, instead of kosoku")
    arguments.add_argument("--report", type=Path, help="keep the report, a page for each case, in this folder")
    given = arguments.parse_args()
    complaints = _Complaints()
    logging.basicConfig(level=logging.WARNING, handlers=[complaints])
    logging.getLogger("service_common.auth").setLevel(logging.ERROR)  # it warns that nobody signs in here
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="autobahn-") as temporary:
        folder = (given.report or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        cases = uvloop.run(_test(given.wstest, folder))
    console = Console()
    for table in _tables(cases):
        console.print(table)
    console.print("left out:", *(f"{pattern}: {why}" for pattern, why in EXCLUDED.items()), sep="\n", markup=False)
    found = objections(cases) + [f"the server logged: {line}" for line in dict.fromkeys(complaints.lines)]
    console.print(f"{len(cases)} cases in {time.monotonic() - started:.0f} s", *found, sep="\n", markup=False)
    raise SystemExit(1 if found else 0)


if __name__ == "__main__":
    main()
