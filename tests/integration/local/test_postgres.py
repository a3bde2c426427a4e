"""The permissions that PostgreSQL's user needs on files that root installed."""

from __future__ import annotations

import stat
from pathlib import Path

from orderstream_local.postgres import make_readable, make_traversable


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_files_of_strict_umask_are_made_readable_and_programs_executable(tmp_path: Path) -> None:
    package = tmp_path / "package"
    (package / "bin").mkdir(parents=True)
    program, settings = package / "bin" / "postgres", package / "settings"
    outside = tmp_path / "outside"
    for path, given in ((program, 0o700), (settings, 0o640), (outside, 0o600)):
        path.touch()
        path.chmod(given)
    (package / "link").symlink_to(outside)
    for folder in (package / "bin", package):
        folder.chmod(0o700)
    make_readable(package)
    assert [mode(each) for each in (package, package / "bin", program, settings)] == [0o755, 0o755, 0o755, 0o644]
    assert mode(outside) == 0o600


def test_only_closed_folders_are_changed_and_reported(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "open").mkdir(parents=True)
    make_traversable(tmp_path)
    closed.chmod(0o700)
    assert make_traversable(closed / "open", closed) == [closed]
    assert mode(closed) == 0o701
    assert make_traversable(closed / "open", closed) == []
