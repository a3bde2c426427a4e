"""The lock of a data folder, and the clean-up after a killed instance."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from orderstream_local.instance import (
    OWNER_VARIABLE,
    AlreadyRunningError,
    DataFolderError,
    single_instance,
    socket_folder,
)
from orderstream_local.layout import DataFolder


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path)
    folder.run.mkdir()
    return folder


@pytest.fixture
def sleeper(data: DataFolder, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    owner = request.param or str(data.path)
    command = [sys.executable, "-c", "import time; print(flush=True); time.sleep(600)"]
    with subprocess.Popen(command, env={OWNER_VARIABLE: owner}, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # the process has executed the new program
        data.pid_file("order-service").write_text(f"{process.pid}\n")
        yield process
        process.kill()


def test_second_instance_is_refused_with_pid_of_first(data: DataFolder) -> None:
    with single_instance(data), pytest.raises(AlreadyRunningError, match="as pid"), single_instance(data):
        pytest.fail("two instances")
    with single_instance(data):
        pass
    assert list(data.run.iterdir()) == []


@pytest.mark.parametrize("below", ["", "data"])
def test_unusable_data_folder_is_reported_with_reason(tmp_path: Path, below: str) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(DataFolderError, match=rf"can't keep data in {file / below}: .*: Not a directory"):
        single_instance(DataFolder(file / below)).__enter__()


def test_stale_pid_file_is_removed(data: DataFolder) -> None:
    data.pid_file("order-service").write_text("4194304\n")
    data.pid_file("web").write_text("garbage")
    with single_instance(data):
        assert [path.name for path in data.run.iterdir()] == ["lock"]


def test_socket_folder_of_killed_instance_is_removed(data: DataFolder, tmp_path: Path) -> None:
    left = tmp_path / "orderstream-left"
    left.mkdir()
    data.sockets.symlink_to(left)
    with single_instance(data), socket_folder(data) as folder:
        assert not left.exists()
        assert len(f"{folder}/.s.PGSQL.5432") <= 107
    assert not folder.exists()
    assert list(data.run.iterdir()) == []


@pytest.mark.parametrize("sleeper", [""], indirect=True)
def test_orphan_of_killed_instance_is_terminated(data: DataFolder, sleeper: subprocess.Popen[bytes]) -> None:
    with single_instance(data):
        assert not psutil.pid_exists(sleeper.pid)


@pytest.mark.parametrize("sleeper", ["/somewhere/else"], indirect=True)
def test_process_with_reused_pid_is_left_alone(data: DataFolder, sleeper: subprocess.Popen[bytes]) -> None:
    with single_instance(data):
        assert sleeper.poll() is None
        assert psutil.Process(sleeper.pid).is_running()
        assert not data.pid_file("order-service").exists()
