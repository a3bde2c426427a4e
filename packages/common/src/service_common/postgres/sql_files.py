"""SQL in named files: ``sql/place_order.sql`` of a package is the statement ``place_order``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

__all__ = ["load_statements"]

_COMMENT_LINES = re.compile(r"^\s*--.*\n?", re.MULTILINE)


class _Statements(dict[str, str]):
    def __missing__(self, name: str) -> str:
        raise KeyError(f"there is no sql/{name}.sql")


@cache
def load_statements(package: str) -> Mapping[str, str]:
    """Return the statements of *package* without comment lines; the files are read by the first call."""
    return _Statements(
        {
            file.name.removesuffix(".sql"): _COMMENT_LINES.sub("", file.read_text("utf-8")).strip()
            for file in (files(package) / "sql").iterdir()
            if file.name.endswith(".sql")
        }
    )
