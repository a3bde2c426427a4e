"""The map shows the layers that import-linter holds."""

from __future__ import annotations

import tomllib

from orderstream_local.layout import ROOT
from tests.support.pages import inline_code, rows, section


def test_map_of_the_toolkit_has_its_layers() -> None:
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    [layers] = (each["layers"] for each in linter["contracts"] if each.get("containers") == ["service_common"])
    toolkit = section((ROOT / "docs" / "architecture.md").read_text("utf-8"), "## The toolkit")
    shown = [inline_code(cell) for number, cell in rows(toolkit) if number.isdecimal()]
    assert shown == [layer.split(" | ") for layer in layers]
