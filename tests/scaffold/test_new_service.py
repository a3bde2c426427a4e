"""`./run new`: a service is made in a copy of the checkout, is checked and tested there, and runs with the others."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orderstream_local.layout import ROOT
from tests.support.folders import reachable_folder

pytestmark = pytest.mark.timeout(600)

NAME = "audit"
OWN = (
    f"packages/{NAME}",
    f"tests/unit/{NAME}",
    f"tests/contract/test_{NAME}_repository.py",
    f"tests/integration/{NAME}",
    f"tests/support/in_memory/{NAME}.py",
)
# what is said of all services, wherever they are listed
OF_ALL = (
    "tests/unit/docs/test_command.py",
    "tests/unit/docs/test_log_messages.py",
    "tests/unit/command/test_config.py",
    "tests/contract/test_alarms.py",
    "tests/contract/test_async_api.py",
    "tests/contract/test_cloudformation.py",
    "tests/contract/test_compose_file.py",
    "tests/contract/test_page_headers.py",
    "tests/contract/test_stage.py",
    "tests/contract/test_prometheus.py",
    "tests/imports/test_contracts.py::test_an_import_is_planted_for_each_contract",
)


class Copy:
    """A clean checkout of what is here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._environ = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
        for path in self._here("git", "ls-files", "--cached", "--others", "--exclude-standard"):
            if (ROOT / path).exists():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / path, folder / path)
        self.run("git", "init", "--quiet")
        self.commit()

    def commit(self) -> None:
        self.run("git", "add", "--all")
        self.run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "--message=all")

    def new(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Do as `./run new` does, with the packages of this environment."""
        return self._call(sys.executable, "-m", "scaffold", *arguments, **environ)

    def status(self) -> str:
        return self.run("git", "status", "--porcelain")

    def run(self, program: str, *arguments: str, **environ: str) -> str:
        """Run a program, one of the copy's own environment where it has it, and return what it prints."""
        own = self.folder / ".venv" / "bin" / program
        done = self._call(str(own) if own.exists() else program, *arguments, **environ)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _call(self, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
        environment = self._environ | environ
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)

    def _here(self, *command: str) -> list[str]:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.fixture
def checkout(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy in which nothing is ever made."""
    return Copy(tmp_path_factory.mktemp("untouched"))


@pytest.fixture(scope="module")
def made() -> Iterator[Copy]:
    """A copy with the service, and an environment of its own, from which PostgreSQL runs as another user."""
    with reachable_folder("made-", for_programs=True) as folder:
        yield with_service(Copy(folder))


def with_service(copy: Copy) -> Copy:
    done = copy.new(NAME)
    assert done.returncode == 0, done.stderr
    changed = copy.run("git", "ls-files", "--modified", "--others", "--exclude-standard")
    assert done.stdout.partition("\n\n")[0].splitlines() == sorted(changed.splitlines())
    install(copy)
    return copy


def install(copy: Copy) -> None:
    copy.run("uv", "sync", "--frozen", "--quiet", "--python", sys.executable)


def test_it_is_as_the_rules_want_it(made: Copy) -> None:
    made.run("ruff", "check")
    made.run("ruff", "format", "--check")
    made.run("lint-imports", "--no-cache", PYTHONPATH=".")
    made.run("cfn-lint", "compose/aws/*.yaml")
    made.run("mypy", *OWN, "packages/command/src")


def test_its_tests_pass_and_those_that_know_all_services(made: Copy) -> None:
    output = made.run("pytest", "-q", "-p", "no:cacheprovider", *OWN[1:4], *OF_ALL)
    assert "failed" not in output


def test_it_runs_with_the_others_and_knows_what_happened_to_an_order(made: Copy) -> None:
    made.run("python", "-m", "tests.scaffold.walk", NAME)


def test_second_one_gets_places_of_its_own(made: Copy) -> None:
    made.commit()
    done = made.new("second")
    assert done.returncode == 0, done.stderr
    compose = (made.folder / "compose" / "compose.yaml").read_text("utf-8")
    assert f'SUBSCRIBER_QUEUES: "{NAME}-queue,second-queue"' in compose
    assert '"127.0.0.1:8085:8085"' in compose
    install(made)
    made.run(
        "pytest", "-q", "-p", "no:cacheprovider", "tests/contract/test_compose_file.py", "tests/contract/test_stage.py"
    )


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("order", "the name order is taken"),
        ("postgres", "the name postgres is taken"),
        ("health", "the name health is taken"),
        ("aiohttp", "the name aiohttp is taken"),
        ("Audit", "'Audit' is no name of a service: it has 2 to 30 of a-z and 0-9, a letter first"),
        ("class", "'class' is no name of a service"),
        ("../etc", "'../etc' is no name of a service"),
    ],
)
def test_name_that_cannot_be_is_refused(untouched: Copy, name: str, why: str) -> None:
    done = untouched.new(name)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"run: {why}")
    assert untouched.status() == ""


def test_checkout_with_changes_is_refused(checkout: Copy) -> None:
    (checkout.folder / "notes.txt").write_text("mine")
    done = checkout.new(NAME)
    assert done.returncode == 1
    assert done.stderr == "run: the checkout has changes; commit or remove them first:\n?? notes.txt\n"
    assert checkout.status() == "?? notes.txt\n"


def test_without_a_lock_nothing_is_registered(checkout: Copy) -> None:
    done = checkout.new(NAME, UV="false")
    assert done.returncode == 1
    assert "false lock" in done.stderr
    assert checkout.status() == ""


def test_without_a_place_nothing_is_registered(checkout: Copy) -> None:
    (checkout.folder / "compose" / "databases.sql").write_text("-- none\n")
    checkout.commit()
    done = checkout.new(NAME)
    assert done.returncode == 1
    assert done.stderr.startswith("run: compose/databases.sql has 0 places that match ")
    assert checkout.status() == ""


def test_file_that_cannot_be_written_leaves_nothing_half_registered(checkout: Copy) -> None:
    (checkout.folder / "tests" / "unit" / NAME).write_text("in the way of a folder\n")
    checkout.commit()
    done = checkout.new(NAME)
    assert done.returncode == 1
    assert "could not be written" in done.stderr
    assert checkout.status() == ""
