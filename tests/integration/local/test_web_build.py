"""The build of the page and its cache, with fast stand-ins for node and npm."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from pathlib import Path

import pytest

from orderstream_local.process import CommandFailedError
from orderstream_local.web_build import PageBuilder
from tests.support.waiting import eventually

NODE = "#!/bin/sh\necho v24.19.0\n"
# records its calls, installs an empty folder and builds a page from the source
NPM = """#!/bin/sh
set -eu
echo "$1" >>"$CALLS"
case $1 in
ci)
    mkdir node_modules
    ;;
run)
    test -d ../node_modules
    mkdir dist
    cat src/main.ts >dist/index.html
    ! grep -q BROKEN src/main.ts || { echo "main.ts is broken" >&2; exit 1; }
    ;;
esac
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "programs"
    folder.mkdir()
    for name, text in {"node": NODE, "npm": NPM}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    (tmp_path / "calls").write_text("")
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "web"
    (folder / "src").mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"engines": {"node": "^24.15.0"}}))
    (folder / "package-lock.json").write_text("{}")
    (folder / "src" / "main.ts").write_text("first")
    return folder


@pytest.fixture
def builder(tmp_path: Path, source: Path, programs: Path) -> PageBuilder:  # noqa: ARG001 - on PATH
    return PageBuilder(lambda _: None, source, tmp_path / "cache")


def calls(tmp_path: Path) -> list[str]:
    return (tmp_path / "calls").read_text().split()


async def test_second_start_uses_cached_build(builder: PageBuilder, programs: Path, tmp_path: Path) -> None:
    page = await builder.page()
    assert (page / "index.html").read_text() == "first"
    shutil.rmtree(programs)
    assert await builder.page() == page
    assert calls(tmp_path) == ["ci", "run"]


async def test_changed_sources_are_built_with_cached_packages(
    builder: PageBuilder, source: Path, tmp_path: Path
) -> None:
    before = await builder.page()
    (source / "src" / "main.ts").write_text("second")
    after = await builder.page()
    assert [(each / "index.html").read_text() for each in (before, after)] == ["first", "second"]
    assert calls(tmp_path) == ["ci", "run", "run"]
    (source / "src" / "main.ts").write_text("first")
    assert await builder.page() == before


async def test_changed_lock_file_reinstalls_packages(builder: PageBuilder, source: Path, tmp_path: Path) -> None:
    await builder.page()
    (source / "package-lock.json").write_text('{"packages": {}}')
    await builder.page()
    assert calls(tmp_path) == ["ci", "run", "ci", "run"]


@pytest.mark.parametrize(
    "name", ["src/main.spec.ts", "dist/index.html", "node_modules/rxjs/index.js", ".angular/cache"]
)
async def test_other_files_do_not_trigger_a_build(
    builder: PageBuilder, source: Path, tmp_path: Path, name: str
) -> None:
    await builder.page()
    (source / name).parent.mkdir(parents=True, exist_ok=True)
    (source / name).write_text("changed")
    await builder.page()
    assert calls(tmp_path) == ["ci", "run"]


@pytest.mark.usefixtures("programs")
async def test_concurrent_starts_build_once(source: Path, tmp_path: Path) -> None:
    progress: list[str] = []
    builders = [PageBuilder(progress.append, source, tmp_path / "cache") for _ in range(2)]
    pages = await asyncio.gather(*(each.page() for each in builders))
    assert pages[0] == pages[1]
    assert calls(tmp_path) == ["ci", "run"]
    assert "waiting for another process that builds the page" in progress


async def test_failed_build_is_reported_and_not_cached(builder: PageBuilder, source: Path, tmp_path: Path) -> None:
    (source / "src" / "main.ts").write_text("BROKEN")
    with pytest.raises(CommandFailedError, match=r"main\.ts is broken"):
        await builder.page()
    assert not list((tmp_path / "cache").glob("pages/*"))
    assert not list((tmp_path / "cache").glob("packages/*/work-*"))
    (source / "src" / "main.ts").write_text("repaired")
    assert (await builder.page()).is_dir()


async def test_failed_installation_is_retried(builder: PageBuilder, programs: Path, tmp_path: Path) -> None:
    (programs / "npm").write_text("#!/bin/sh\nmkdir node_modules\necho no registry >&2\nexit 1\n")
    with pytest.raises(CommandFailedError, match="no registry"):
        await builder.page()
    assert not list((tmp_path / "cache" / "packages").iterdir())
    (programs / "npm").write_text(NPM)
    assert (await builder.page()).is_dir()


async def test_interrupted_build_is_restarted(builder: PageBuilder, programs: Path, tmp_path: Path) -> None:
    (programs / "npm").write_text('#!/bin/sh\necho "$1" >>"$CALLS"\nsleep 60 &\nwait\n')
    task = asyncio.create_task(builder.page())

    async def npm_called() -> list[str] | None:
        return calls(tmp_path) or None

    await eventually(npm_called, "npm")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (programs / "npm").write_text(NPM)
    assert (await builder.page()).is_dir()


async def test_old_builds_are_removed(builder: PageBuilder, source: Path, tmp_path: Path) -> None:
    for number in range(7):
        (source / "src" / "main.ts").write_text(str(number))
        await builder.page()
    kept = {(page / "index.html").read_text() for page in (tmp_path / "cache" / "pages").iterdir()}
    assert kept == {"2", "3", "4", "5", "6"}


async def test_workspace_has_sources_and_packages(builder: PageBuilder) -> None:
    async with builder.workspace() as workspace:
        folder = workspace.folder
        assert (folder / "src" / "main.ts").read_text() == "first"
        assert workspace.packages.is_dir()
        assert await workspace.run("node", "--version") == "v24.19.0\n"
    assert not folder.exists()
