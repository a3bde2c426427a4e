"""The page on a new service shows files that work as they stand there."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

from orderstream_local.layout import ROOT

PAGE = ROOT / "docs" / "how-to" / "add-a-service.md"
_FILE = re.compile(r"^\*\*`(\S+)`\*\*\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


async def test_service_of_the_page_passes_the_tests_of_the_page(tmp_path: Path) -> None:
    for name, content in _FILE.findall(PAGE.read_text("utf-8")):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, "utf-8")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-q", "-c", ROOT / "pyproject.toml", "--rootdir", ROOT),
        *("-p", "tests.conftest", "-p", "no:cacheprovider", tmp_path / "tests"),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{tmp_path / 'packages' / 'review' / 'src'}{os.pathsep}{tmp_path}"},
        stdout=PIPE,
        stderr=STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    assert "5 passed" in output.decode()
