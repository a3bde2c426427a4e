"""Each import contract of pyproject.toml is broken by imports that it forbids, and by none that another forbids."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = {
    contract["id"]: contract
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
}
# those whose layers have the names of a service
SERVICES = {name: each["containers"][0] for name, each in CONTRACTS.items() if "ports" in each.get("layers", ())}
# contract, module that imports (a new one where there is none), what it must not import
FORBIDDEN = [
    ("common-layers", "service_common.postgres.session", "service_common.http_server"),
    ("common-layers", "service_common.http_client.client", "service_common.auth"),
    ("common-layers", "service_common.errors", "service_common.timestamps"),
    ("common-layers", "service_common.of_no_layer", "service_common.errors"),
    ("contracts-layers", "order_contracts.limits", "order_contracts.decoder"),
    ("contracts-layers", "order_contracts.of_no_layer", "order_contracts.limits"),
    ("contracts-below", "order_contracts.decoder", "service_common.config"),
    *((name, f"{service}.ports", f"{service}.handlers") for name, service in SERVICES.items()),
    *((name, f"{service}.of_no_layer", f"{service}.ports") for name, service in SERVICES.items()),
    ("notification-layers", "notification_service.feed.ports", "notification_service.push"),
    ("notification-layers", "notification_service.of_no_layer", "notification_service.notification"),
    ("command-layers", "orderstream_command.config", "orderstream_command.shell"),
    ("command-layers", "orderstream_command.of_no_layer", "orderstream_command.config"),
    ("deploy-layers", "orderstream_deploy.page", "orderstream_deploy.deployment"),
    ("programs-apart", "orderstream_deploy.images", "order_service.domain"),
    ("programs-apart", "order_service.app", "inventory_service.domain"),
    ("programs-apart", "orderstream_command.dlq", "order_service.domain"),
    ("runner-apart", "service_common.openapi.planted", "orderstream_local.layout"),
    ("runner-apart", "order_service.app", "orderstream_local.layout"),
    ("programs-apart", "orderstream_local.layout", "order_service.domain"),
    ("common-below", "service_common.openapi.planted", "order_contracts.limits"),
    ("pure-core", "service_common.errors", "asyncio"),
    ("pure-core", "service_common.auth.claims", "aiohttp"),
    ("pure-core", "notification_service.push.hub", "socket"),
    ("drivers-in-one-room", "order_service.app", "psycopg2"),
    ("drivers-in-one-room", "service_common.outbox.table", "aiopg"),
    ("aws-in-two-rooms", "order_service.app", "botocore"),
    ("aws-in-two-rooms", "service_common.outbox.sender", "aiobotocore"),
    ("doors", "order_service.app", "service_common.sqs.poller"),
    ("doors", "order_service.handlers", "service_common.auth.principal"),
    ("doors", "notification_service.http.history", "notification_service.push.hub"),
]


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of all packages in one folder."""
    for package in [*ROOT.glob("packages/*/src/*"), *ROOT.glob("compose/*/src/*")]:
        if (package / "__init__.py").is_file():
            shutil.copytree(package, tmp_path / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def broken(sources: Path) -> set[str]:
    """Return the names of the contracts that lint-imports says the copy breaks."""
    done = subprocess.run(
        (Path(sys.executable).with_name("lint-imports"), "--no-cache", "--config", ROOT / "pyproject.toml"),
        env=os.environ | {"PYTHONPATH": f"{sources}{os.pathsep}{ROOT}", "COLUMNS": "500"},  # no name is broken in two
        cwd=sources,
        capture_output=True,
        text=True,
        check=False,
    )
    verdicts = dict(re.findall(r"^(.+) (KEPT|BROKEN)\b", done.stdout, re.MULTILINE))
    assert verdicts.keys() == {each["name"] for each in CONTRACTS.values()}, done.stdout + done.stderr
    found = {name for name, verdict in verdicts.items() if verdict == "BROKEN"}
    assert done.returncode == (1 if found else 0)
    return found


def test_an_import_is_planted_for_each_contract() -> None:
    assert {contract for contract, *_ in FORBIDDEN} == CONTRACTS.keys()


def test_copy_keeps_all_contracts(sources: Path) -> None:
    assert broken(sources) == set()


@pytest.mark.parametrize(("contract", "importer", "imported"), FORBIDDEN)
def test_forbidden_import_breaks_its_contract(sources: Path, contract: str, importer: str, imported: str) -> None:
    module = sources.joinpath(*importer.split(".")).with_suffix(".py")
    with module.open("a", encoding="utf-8") as file:
        file.write(f"\nimport {imported}\n")
    assert broken(sources) == {CONTRACTS[contract]["name"]}
