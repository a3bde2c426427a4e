"""How the page is built, by programs in the place of npm that do at once what npm takes a minute for."""

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
# says what it is asked, installs an empty package and builds a page that has the sources in it
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


async def test_a_second_start_finds_the_build_and_runs_nothing(
    builder: PageBuilder, programs: Path, tmp_path: Path
) -> None:
    page = await builder.page()
    assert (page / "index.html").read_text() == "first"
    shutil.rmtree(programs)
    assert await builder.page() == page
    assert calls(tmp_path) == ["ci", "run"]


async def test_changed_sources_are_built_with_the_packages_that_are_there(
    builder: PageBuilder, source: Path, tmp_path: Path
) -> None:
    before = await builder.page()
    (source / "src" / "main.ts").write_text("second")
    after = await builder.page()
    assert [(each / "index.html").read_text() for each in (before, after)] == ["first", "second"]
    assert calls(tmp_path) == ["ci", "run", "run"]
    (source / "src" / "main.ts").write_text("first")
    assert await builder.page() == before


async def test_a_changed_lock_file_installs_the_packages_anew(
    builder: PageBuilder, source: Path, tmp_path: Path
) -> None:
    await builder.page()
    (source / "package-lock.json").write_text('{"packages": {}}')
    await builder.page()
    assert calls(tmp_path) == ["ci", "run", "ci", "run"]


@pytest.mark.parametrize(
    "name", ["src/main.spec.ts", "dist/index.html", "node_modules/rxjs/index.js", ".angular/cache"]
)
async def test_what_is_no_source_of_the_page_builds_nothing(
    builder: PageBuilder, source: Path, tmp_path: Path, name: str
) -> None:
    await builder.page()
    (source / name).parent.mkdir(parents=True, exist_ok=True)
    (source / name).write_text("changed")
    await builder.page()
    assert calls(tmp_path) == ["ci", "run"]


@pytest.mark.usefixtures("programs")
async def test_two_starts_at_the_same_time_build_once(source: Path, tmp_path: Path) -> None:
    told: list[str] = []
    builders = [PageBuilder(told.append, source, tmp_path / "cache") for _ in range(2)]
    pages = await asyncio.gather(*(each.page() for each in builders))
    assert pages[0] == pages[1]
    assert calls(tmp_path) == ["ci", "run"]
    assert "another start builds the page; waiting for it" in told


async def test_a_failed_build_says_why_and_leaves_nothing_to_be_served(
    builder: PageBuilder, source: Path, tmp_path: Path
) -> None:
    (source / "src" / "main.ts").write_text("BROKEN")
    with pytest.raises(CommandFailedError, match=r"main\.ts is broken"):
        await builder.page()
    assert not list((tmp_path / "cache").glob("pages/*"))
    assert not list((tmp_path / "cache").glob("packages/*/work-*"))
    (source / "src" / "main.ts").write_text("repaired")
    assert (await builder.page()).is_dir()


async def test_a_failed_installation_is_tried_again(builder: PageBuilder, programs: Path, tmp_path: Path) -> None:
    (programs / "npm").write_text("#!/bin/sh\nmkdir node_modules\necho no registry >&2\nexit 1\n")
    with pytest.raises(CommandFailedError, match="no registry"):
        await builder.page()
    assert not list((tmp_path / "cache" / "packages").iterdir())
    (programs / "npm").write_text(NPM)
    assert (await builder.page()).is_dir()


async def test_an_interrupted_build_is_begun_again(builder: PageBuilder, programs: Path, tmp_path: Path) -> None:
    (programs / "npm").write_text('#!/bin/sh\necho "$1" >>"$CALLS"\nsleep 60 &\nwait\n')
    task = asyncio.create_task(builder.page())

    async def begun() -> list[str] | None:
        return calls(tmp_path) or None

    await eventually(begun, "npm")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (programs / "npm").write_text(NPM)
    assert (await builder.page()).is_dir()


async def test_old_builds_are_forgotten(builder: PageBuilder, source: Path, tmp_path: Path) -> None:
    for number in range(7):
        (source / "src" / "main.ts").write_text(str(number))
        await builder.page()
    kept = {(page / "index.html").read_text() for page in (tmp_path / "cache" / "pages").iterdir()}
    assert kept == {"2", "3", "4", "5", "6"}


async def test_a_workspace_has_the_sources_and_the_packages(builder: PageBuilder) -> None:
    async with builder.workspace() as workspace:
        folder = workspace.folder
        assert (folder / "src" / "main.ts").read_text() == "first"
        assert workspace.packages.is_dir()
        assert await workspace.run("node", "--version") == "v24.19.0\n"
    assert not folder.exists()
