"""`python -m scaffold NAME`: renders the template, registers the service, and locks the dependencies.

Everything is made in a temporary folder first, and then put in place: what fails leaves the checkout as it was.
"""

from __future__ import annotations

import keyword
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from copier import run_copy

from .registration import HERE, ROOT, RefusedError, copy, register

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
