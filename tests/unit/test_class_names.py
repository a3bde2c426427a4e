"""A class name stands for one thing in all packages, so that whoever reads or searches for it finds one class."""

from __future__ import annotations

import ast
from collections import defaultdict

from orderstream_local.layout import ROOT

SOURCES = (*ROOT.glob("packages/*/src"), ROOT / "compose" / "local" / "src")
SHARED = {
    "Config": "what its service reads from the environment: each service has one, in config.py",
    "ShortStockError": "one meaning and one problem type, in two services that do not import each other",
}


def homes() -> dict[str, list[str]]:
    """Return the modules of each public class at the top level of a module."""
    found = defaultdict(list)
    for source in SOURCES:
        for path in sorted(source.rglob("*.py")):
            for node in ast.parse(path.read_text("utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    found[node.name].append(str(path.relative_to(ROOT)))
    return found


def test_class_name_stands_for_one_thing() -> None:
    found = homes()
    assert {"Saga", "Order", "Readiness"} <= found.keys()
    assert {name: modules for name, modules in found.items() if len(modules) > 1 and name not in SHARED} == {}
    assert all(len(found[name]) > 1 for name in SHARED)
