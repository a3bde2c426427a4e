"""`python -m scaffold NAME`: renders the template, registers the service, and locks the dependencies.

Everything is made in a temporary folder first, and then put in place: what fails leaves the checkout as it was.
"""

from __future__ import annotations

import keyword
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from functools import partial
from pathlib import Path

from copier import run_copy
from jinja2 import Environment

HERE = Path(__file__).parent
ROOT = HERE.parent
UV = os.environ.get("UV", "uv")
MANIFESTS = (
    "pyproject.toml",
    "uv.lock",
    "compose/deploy/pyproject.toml",
    "compose/local/pyproject.toml",
    "packages/*/pyproject.toml",
)
# the packages of the checkout are first-party in a folder that has the new one alone, too
SOURCES = [*(str(each) for each in (ROOT, *ROOT.glob("packages/*/src"))), ".", "packages/*/src"]
RUFF = (sys.executable, "-m", "ruff", "--config", f"src = {SOURCES}", "--quiet")
# of a path below /api, a database or role of PostgreSQL
RESERVED = {
    *("api", "connections", "docs", "health", "live", "metrics", "notifications", "openapi", "operations", "orders"),
    *("sagas", "stream", "tickets", "ws", "none", "public", "template0", "template1"),
}


class RefusedError(Exception):
    """The service is not made; the message says why."""


def main() -> int:
    """Make the service that the command line names."""
    try:
        [name] = sys.argv[1:]
    except ValueError:
        sys.stderr.write("usage: ./run new NAME\n")
        return 2
    try:
        changed = make(name)
    except RefusedError as error:
        sys.stderr.write(f"run: {error}\n")
        return 1
    sys.stdout.write("".join(f"{path}\n" for path in changed))
    sys.stdout.write(f"\nThe {name} service is there: ./run unit tests/unit/{name}, ./run demo, git diff\n")
    return 0


def make(name: str) -> list[Path]:
    """Make the service *name* and return the files that are new or changed.

    Raises:
        RefusedError: the name is not valid or taken, the checkout has changes, or something could not be made.
    """
    check_name(name)
    check_clean()
    facts = {"name": name, "port": next_port()}
    with tempfile.TemporaryDirectory(prefix="scaffold-") as folder:
        stage = Path(folder)
        for pattern in MANIFESTS:
            for path in ROOT.glob(pattern):
                copy(path.relative_to(ROOT), ROOT, stage)
        run_copy(str(HERE), stage, data=facts, defaults=True, quiet=True, skip_tasks=True)
        register(stage, facts)
        for verb in ("check --fix", "format"):  # imports are sorted by name
            run(*RUFF, *verb.split(), "--no-cache", cwd=stage)
        run(UV, "lock", "--quiet", "--python", sys.executable, cwd=stage)
        return put_in_place(stage)


def check_name(name: str) -> None:
    """Raise RefusedError when *name* can't be that of a new service."""
    if not re.fullmatch(r"[a-z][a-z0-9]{1,29}", name) or keyword.iskeyword(name):
        raise RefusedError(f"{name!r} is no name of a service: it has 2 to 30 of a-z and 0-9, a letter first")
    # a container, a distribution, or what these mean to others
    containers = re.findall(r"^  ([\w-]+):$", (ROOT / "compose/compose.yaml").read_text("utf-8"), re.MULTILINE)
    locked = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))["package"]
    distributions = {each["name"].removeprefix("orderstream-") for each in locked}
    if name in RESERVED | distributions or name in containers:
        raise RefusedError(f"the name {name} is taken")


def check_clean() -> None:
    """Raise RefusedError when the checkout has changes, which could not be told from those that are made here."""
    changes = run("git", "status", "--porcelain", cwd=ROOT)
    if changes:
        raise RefusedError(f"the checkout has changes; commit or remove them first:\n{changes.rstrip()}")


def next_port() -> int:
    """Return the port after the last one of a service."""
    compose = (ROOT / "compose/compose.yaml").read_text("utf-8")
    return 1 + max(int(port) for port in re.findall(r'^      PORT: "(\d+)"$', compose, re.MULTILINE))


def register(stage: Path, facts: dict[str, object]) -> None:
    """Put into *stage* the files in which the service is registered, with what registration.toml says.

    Raises:
        RefusedError: a file has no place for it, or several.
    """
    jinja = Environment(autoescape=False, keep_trailing_newline=True)  # noqa: S701 - no HTML
    registration = tomllib.loads((HERE / "registration.toml").read_text("utf-8"))
    for insertion in registration["insertion"]:
        path, text = staged(stage, insertion["file"])
        places = list(re.finditer(insertion["after"], text))
        if len(places) != 1:
            raise RefusedError(f"{path} has {len(places)} places that match {insertion['after']!r}, instead of one")
        new = jinja.from_string(insertion["text"]).render(facts, found=places[0][0])
        end = places[0].end()
        (stage / path).write_text(text[:end] + new + text[end:], "utf-8")
    for each in registration["copy"]:
        path, text = staged(stage, each["file"])
        pattern = each.get("each", registration["of_notification"])
        if not re.search(pattern, text):
            raise RefusedError(f"{path} has nothing that matches {pattern!r}")
        twice = partial(with_copy, facts=facts, without=each.get("without"))
        (stage / path).write_text(re.sub(pattern, twice, text), "utf-8")


def staged(stage: Path, file: str) -> tuple[Path, str]:
    """Return a file of the checkout, copied into *stage* if it is not there, and its text."""
    path = Path(file)
    if not (stage / path).exists():
        copy(path, ROOT, stage)
    return path, (stage / path).read_text("utf-8")


def with_copy(found: re.Match[str], *, facts: dict[str, object], without: str | None) -> str:
    """Return lines of the notification service, and the same, but for those with *without* in them, of the new one."""
    new = "".join(line for line in found[0].splitlines(keepends=True) if without is None or without not in line)
    for former in ("notifications", "notification"):  # its database has the plural
        for case in (str.lower, str.capitalize, str.upper):
            new = new.replace(case(former), case(str(facts["name"])))
    return found[0] + new.replace("8082", str(facts["port"]))


def put_in_place(stage: Path) -> list[Path]:
    """Copy what differs in *stage* into the checkout, or nothing, and return the paths."""
    found = sorted(path.relative_to(stage) for path in stage.rglob("*") if path.is_file())
    changed = [path for path in found if not same(stage / path, ROOT / path)]
    former = {path: (ROOT / path).read_bytes() for path in changed if (ROOT / path).exists()}
    try:
        for path in changed:
            copy(path, stage, ROOT)
    except BaseException as error:
        for each in changed:
            if each in former:
                (ROOT / each).write_bytes(former[each])
            else:
                remove(ROOT / each)
        if isinstance(error, OSError):
            raise RefusedError(f"{path} could not be written: {error}") from error
        raise
    return changed


def remove(path: Path) -> None:
    """Remove a file, if it is there, and the folders that are empty without it."""
    if path.is_file():
        path.unlink()
    for folder in path.parents:
        if not folder.is_dir() or any(folder.iterdir()):
            break
        folder.rmdir()


def same(one: Path, other: Path) -> bool:
    """Say whether *other* is there and is the same."""
    return other.exists() and one.read_bytes() == other.read_bytes()


def copy(path: Path, source: Path, target: Path) -> None:
    """Copy one file."""
    (target / path).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source / path, target / path)


def run(*command: str, cwd: Path) -> str:
    """Run a program and return what it prints.

    Raises:
        RefusedError: it fails.
    """
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if done.returncode:
        raise RefusedError(f"{' '.join(command)} failed:\n{(done.stderr or done.stdout).rstrip()}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
