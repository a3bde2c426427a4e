"""SQL in named files: ``sql/place_order.sql`` of a package is the statement ``place_order``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

__all__ = ["Statements", "load_statements"]

_COMMENT_LINES = re.compile(r"^\s*--.*\n?", re.MULTILINE)


class Statements(Mapping[str, str]):
    """The statements of *package*, read once; lines that are only a comment are left out."""

    def __init__(self, package: str) -> None:
        self._package = package
        folder = files(package) / "sql"
        self._statements = {
            file.name.removesuffix(".sql"): _COMMENT_LINES.sub("", file.read_text("utf-8")).strip()
            for file in folder.iterdir()
            if file.name.endswith(".sql")
        }

    def __getitem__(self, name: str) -> str:
        try:
            return self._statements[name]
        except KeyError:
            raise KeyError(f"{self._package} has no sql/{name}.sql") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._statements)

    def __len__(self) -> int:
        return len(self._statements)


@cache
def load_statements(package: str) -> Statements:
    """Return the statements of *package*; the files are read by the first call."""
    return Statements(package)
