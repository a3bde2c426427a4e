"""A contract for import-linter: what is outside of a room imports from its door, never from a module behind it."""

from __future__ import annotations

from collections.abc import Iterator

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

__all__ = ["DoorsContract"]


class DoorsContract(Contract):
    """Each package directly below one of *packages* is a room; its door is its ``__init__``."""

    packages = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002  # as it is called
        """Find the imports that go past a door."""
        found = [
            f"{importer} -> {module}"
            for package in list[str](self.packages)  # type: ignore[call-overload]  # a descriptor without types
            for room in graph.find_children(package)
            for module in graph.find_descendants(room)
            for importer in _outside(graph, room, module)
        ]
        return ContractCheck(kept=not found, metadata={"found": sorted(found)})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Name them."""
        for line in check.metadata["found"]:
            output.print_error(line)


def _outside(graph: ImportGraph, room: str, module: str) -> Iterator[str]:
    for importer in graph.find_modules_that_directly_import(module):
        if importer != room and not importer.startswith(f"{room}."):
            yield importer
