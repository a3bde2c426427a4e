"""Starts the emulator, in its own environment, with one mend, so that nested stacks can be updated.

ministack 1.5.33 forgets the attributes of those resources in a nested stack that an update leaves as they are, and then
finds no value for Fn::GetAtt.
"""

from __future__ import annotations

import runpy
from typing import Any

from ministack.services.cloudformation import provisioners  # type: ignore[import-not-found] # of another environment

_attributes: dict[tuple[str, str], dict[str, Any]] = {}
_provision, _update = provisioners._provision_resource, provisioners._update_resource


def _remembering(kind: str, *arguments: Any) -> tuple[str, dict[str, Any]]:
    physical_id, attributes = _provision(kind, *arguments)
    _attributes[kind, physical_id] = attributes
    return physical_id, attributes


def _recalling(kind: str, before: str, *arguments: Any, **options: Any) -> tuple[str, dict[str, Any]]:
    physical_id, attributes = _update(kind, before, *arguments, **options)
    known = _attributes[kind, physical_id] = {**_attributes.get((kind, physical_id), {}), **attributes}
    return physical_id, known


provisioners._provision_resource, provisioners._update_resource = _remembering, _recalling

if __name__ == "__main__":
    runpy.run_module("ministack", run_name="__main__")
