"""What decides whether the page is good: its rules, its format, its types, its tests, and the size of what is built.

They need nothing of each other, so as many run side by side as the machine has cores; the longest begin.

Exit status 1 when one of them says no, 2 when there is no Node.js or the packages can't be installed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import Sequence

from rich.console import Console

from orderstream_local.layout import ROOT
from orderstream_local.process import CommandFailedError
from orderstream_local.web_build import PageBuilder, Workspace

CONSOLE = Console(highlight=False, soft_wrap=True)
SIZE = "size"
# scripts of web/package.json, the longest first
CHECKS = (SIZE, "test", "test:client", "lint", "types:check", "format")


def say(what: str, style: str = "dim") -> None:
    CONSOLE.print(what, style=style, markup=False)


async def passes(workspace: Workspace, script: str, *arguments: str) -> bool:
    """Run a script of package.json, then write its output in one piece, and say how it went."""
    started = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *("npm", "run", "--silent", script, "--", *arguments),
        cwd=workspace.folder,
        env={**workspace.environment, "PROJECT": str(ROOT), "PYTHON": sys.executable},
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
    )
    output, _ = await process.communicate()
    CONSOLE.out(output.decode(errors="replace"), end="", highlight=False)
    passed = process.returncode == 0
    took = f"{script}: {'passed' if passed else 'FAILED'} in {time.monotonic() - started:.1f} s"
    say(took, "green" if passed else "bold red")
    return passed


async def built(workspace: Workspace) -> bool:
    """Build as `./run demo` does, which will find it then, and hold the size of it against the budget."""
    try:
        page = await PageBuilder(say).page()
    except CommandFailedError as error:
        say(f"build: FAILED\n{error}", "bold red")
        return False
    return await passes(workspace, SIZE, str(page))


async def check(wanted: Sequence[str]) -> int:
    try:
        async with PageBuilder(say).workspace() as workspace:
            cores = asyncio.Semaphore(os.cpu_count() or 1)

            async def limited(script: str) -> bool:
                async with cores:
                    return await (built(workspace) if script == SIZE else passes(workspace, script))

            results = await asyncio.gather(*(limited(script) for script in CHECKS if script in wanted))
    except CommandFailedError as error:
        say(f"the page can't be checked here: {error}", "bold red")
        return 2
    return 0 if all(results) else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.web", description=__doc__)
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=f"only these of {', '.join(CHECKS)}")
    given = parser.parse_args().checks
    if unknown := set(given) - set(CHECKS):
        parser.error(f"there is no check {', '.join(sorted(unknown))}")
    os.environ.setdefault("CI", "true")  # a test runner that sees it neither waits for changes nor asks
    return asyncio.run(check(given or CHECKS))


if __name__ == "__main__":
    sys.exit(main())
