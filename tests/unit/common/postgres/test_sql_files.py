from __future__ import annotations

from pathlib import Path

import pytest

from service_common.postgres import load_statements


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "package_with_sql" / "sql"
    folder.mkdir(parents=True)
    (folder / "find.sql").write_text("-- why: 100 % needed\nSELECT 1 -- kept: 1\n  -- left out\nFROM t\n")
    (folder / "notes.txt").write_text("no statement")
    monkeypatch.syspath_prepend(tmp_path)
    return "package_with_sql"


def test_statement_is_its_file_without_comment_lines(package: str) -> None:
    statements = load_statements(package)
    assert dict(statements) == {"find": "SELECT 1 -- kept: 1\nFROM t"}
    assert len(statements) == 1


def test_error_names_the_missing_statement(package: str) -> None:
    with pytest.raises(KeyError, match=r"there is no sql/lose\.sql"):
        load_statements(package)["lose"]


def test_files_are_read_once() -> None:
    assert load_statements("service_common.outbox") is load_statements("service_common.outbox")
