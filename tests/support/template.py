"""The CloudFormation templates as plain dictionaries."""

from __future__ import annotations

from typing import Any

import yaml

from orderstream_local.layout import COMPOSE

__all__ = ["read_template"]


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms (``!Ref x``) as their long ones."""


def _intrinsic(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {suffix: value}


_Loader.add_multi_constructor("!", _intrinsic)


def read_template(name: str = "template.yaml") -> dict[str, Any]:
    """Return a file of compose/aws; ``!Ref x`` is ``{"Ref": "x"}``."""
    text = (COMPOSE / "aws" / name).read_text(encoding="utf-8")
    template: dict[str, Any] = yaml.load(text, _Loader)  # noqa: S506 - a safe one
    return template
