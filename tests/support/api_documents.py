"""The interface documents of all services; `python -m tests.support.api_documents DIR` writes one file for each."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

import inventory_service.api
import notification_service.http
import order_service.api
import processing_service.api
from service_common.openapi import Api
from service_common.openapi.document import build_document

__all__ = ["APIS", "api_of", "document"]

APIS: Mapping[str, Api] = {
    "inventory": inventory_service.api.API,
    "notification": notification_service.http.API,
    "order": order_service.api.API,
    "processing": processing_service.api.API,
}


def api_of(service: str) -> Api:
    """Return the interface of a service, also of one that is not described here."""
    found: Api = APIS.get(service) or importlib.import_module(f"{service}_service.api").API
    return found


def document(name: str) -> dict[str, Any]:
    """Return the document of a service; its version does not matter here."""
    return build_document(APIS[name], "0")


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in APIS:
        (folder / f"{name}.json").write_bytes(orjson.dumps(document(name), option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
