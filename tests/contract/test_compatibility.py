"""What was released stays understood: the interface documents against those of the last release's tag."""

from __future__ import annotations

import copy
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orderstream_local.layout import ROOT
from tests.support.api_documents import APIS, document
from tests.support.async_api import async_api
from tests.support.compatibility import async_api_breaks, open_api_breaks, schema_breaks
from tests.support.event_schema import event_schema

Change = Callable[[dict[str, Any]], None]


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(ROOT), *arguments], check=True, capture_output=True).stdout  # noqa: S607


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the last release, with its OpenAPI documents in the folder openapi."""
    try:
        tag = git("describe", "--tags", "--abbrev=0", "--match", "v[0-9]*").decode().strip()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("there is no release to compare with: git has no tag v*")
    folder = tmp_path_factory.mktemp("released")
    with tarfile.open(fileobj=io.BytesIO(git("archive", tag))) as archive:
        archive.extractall(folder, filter="data")
    sources = os.pathsep.join(map(str, [folder, *folder.glob("packages/*/src")]))
    write = [sys.executable, "-m", "tests.support.api_documents", str(folder / "openapi")]
    subprocess.run(write, check=True, cwd=folder, env={**os.environ, "PYTHONPATH": sources})
    return folder


def read(path: Path) -> dict[str, Any]:
    if not path.exists():
        pytest.skip(f"the last release has no {path.name}")
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


@pytest.mark.parametrize("name", APIS)
def test_clients_of_the_last_release_can_call(name: str, released: Path) -> None:
    assert open_api_breaks(read(released / "openapi" / f"{name}.json"), document(name)) == []


def test_services_of_the_last_release_and_these_read_each_others_events(released: Path) -> None:
    old = read(released / "docs" / "reference" / "events.schema.json")
    assert schema_breaks(old, event_schema(), received=True, sent=True) == []


def test_listeners_of_the_last_release_understand(released: Path) -> None:
    assert async_api_breaks(read(released / "docs" / "reference" / "asyncapi.json"), async_api()) == []


@pytest.mark.parametrize("name", APIS)
def test_a_document_is_compatible_with_itself(name: str) -> None:
    assert open_api_breaks(document(name), document(name)) == []
    assert async_api_breaks(async_api(), async_api()) == []


def schemas(of: dict[str, Any]) -> Any:
    return of["components"]["schemas"]


BREAKING: list[tuple[str, Change]] = [
    ("DELETE /orders/{order_id}: is gone", lambda new: new["paths"]["/orders/{order_id}"].pop("delete")),
    ("parameter limit: is gone", lambda new: new["paths"]["/orders"]["get"]["parameters"].clear()),
    ("parameter limit: is required", lambda new: parameter(new, "limit").update(required=True)),
    ("maximum is 5", lambda new: parameter(new, "limit")["schema"].update(maximum=5)),
    ("/status: may be missing", lambda new: schemas(new)["Order"]["required"].remove("status")),
    ("/id: has the type string", lambda new: schemas(new)["Order"]["properties"]["id"].update(type="string")),
    ("/note: may be missing", lambda new: schemas(new)["NewOrder"].setdefault("required", []).append("note")),
    ("may be another value", lambda new: schemas(new)["Order"]["properties"]["status"]["enum"].append("LOST")),
    ("no longer answers 201", lambda new: new["paths"]["/orders"]["post"]["responses"].pop("201")),
]


def parameter(of: dict[str, Any], name: str) -> Any:
    return next(each for each in of["paths"]["/orders"]["get"]["parameters"] if each["name"] == name)


@pytest.mark.parametrize(("complaint", "change"), BREAKING, ids=[complaint for complaint, _ in BREAKING])
def test_a_breaking_change_of_http_is_noticed(complaint: str, change: Change) -> None:
    new = copy.deepcopy(document("order"))
    change(new)
    assert any(complaint in each for each in open_api_breaks(document("order"), new))


def test_what_is_added_is_no_breaking_change() -> None:
    new = copy.deepcopy(document("order"))
    new["paths"]["/more"] = new["paths"]["/orders"]
    schemas(new)["Order"]["properties"]["note"] = {"type": "string"}
    schemas(new)["Order"]["required"].append("note")
    new["paths"]["/orders"]["get"]["parameters"].append({"in": "query", "name": "more", "schema": {"type": "string"}})
    assert open_api_breaks(document("order"), new) == []


BREAKING_PUSH: list[tuple[str, Change]] = [
    ("channel stream: is gone", lambda new: new["channels"].pop("stream")),
    ("has another address", lambda new: new["channels"]["socket"].update(address="/socket")),
    ("/id: may be missing", lambda new: schemas(new)["WelcomeFrame"]["required"].remove("id")),
    ("/data/version: may be missing", lambda new: data(new)["required"].remove("version")),
    ("/data/version: maximum is 9", lambda new: data(new)["properties"]["version"].update(maximum=9)),
    ("/orderId: maxItems is 2", lambda new: schemas(new)["Subscribe"]["properties"]["orderId"].update(maxItems=2)),
]


def data(of: dict[str, Any]) -> Any:
    return schemas(of)["OrderEvent"]["properties"]["data"]


@pytest.mark.parametrize(("complaint", "change"), BREAKING_PUSH, ids=[complaint for complaint, _ in BREAKING_PUSH])
def test_a_breaking_change_of_queues_and_push_is_noticed(complaint: str, change: Change) -> None:
    new = copy.deepcopy(async_api())
    change(new)
    assert any(complaint in each for each in async_api_breaks(async_api(), new))
