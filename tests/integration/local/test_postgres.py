"""How PostgreSQL's own user gets at what root installed for root alone."""

from __future__ import annotations

import stat
from pathlib import Path

from orderstream_local.postgres import make_passable, make_readable


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_a_strict_umask_left_is_made_readable_and_its_programs_run(tmp_path: Path) -> None:
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


def test_only_what_is_closed_on_the_way_is_opened_and_told(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "open").mkdir(parents=True)
    make_passable(tmp_path)
    closed.chmod(0o700)
    assert make_passable(closed / "open", closed) == [closed]
    assert mode(closed) == 0o701
    assert make_passable(closed / "open", closed) == []
