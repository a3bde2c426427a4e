"""The reference of the configuration names every variable that a service reads, with its default, and no other."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest

import inventory_service.config
import notification_service.config
import order_service.config
import processing_service.config
import service_common.config
from service_common.config import ConfigError, Environment
from tests.support.pages import REFERENCE, inline_code, rows, section

CONFIGS = {
    "Order service": order_service.config,
    "Inventory service": inventory_service.config,
    "Notification service": notification_service.config,
    "Processing service": processing_service.config,
}


@pytest.mark.parametrize("title", CONFIGS)
def test_reference_has_each_variable_with_its_default(title: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = CONFIGS[title]
    documented = _documented("All services") | _documented(title)
    defaults = _read_by(module.Config.from_environ, monkeypatch)
    assert documented.keys() == defaults.keys()
    wrong = {name: cell for name, cell in documented.items() if not _says(cell, defaults[name], module.NAME)}
    assert wrong == {}


def _documented(title: str) -> dict[str, str]:
    """Name to default, as the reference has them under *title*."""
    page = (REFERENCE / "configuration.md").read_text("utf-8")
    return {name: default for cell, default, *_ in rows(section(page, f"## {title}")) for name in inline_code(cell)}


def _read_by(config: Callable[[Mapping[str, str]], object], patch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return each variable that *config* reads, with its default; ``...`` is that of one that is required."""
    made: list[Environment] = []

    def environment(environ: Mapping[str, str]) -> Environment:
        made.append(Environment(environ))
        return made[0]

    patch.setattr(service_common.config, "Environment", environment)
    with suppress(ConfigError):
        config({})
    [env] = made
    return dict.fromkeys(env.problems, ...) | dict(env._values)


def _says(cell: str, default: Any, service: str) -> bool:
    match default:
        case None | "":
            return cell == "none"
        case _ if default is ...:
            return cell == "**required**"
        case bool():
            return cell == f"`{str(default).lower()}`"
        case int() | float():
            return f"{default:.15g}" in re.findall(r"[\d.]+", cell.replace(",", ""))
        case _:
            return f"`{default}`" in cell or f"`{default.replace(service, '<service>')}`" in cell
