"""What the documentation points to is there."""

from __future__ import annotations

import pkgutil
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from orderstream_local.layout import ROOT
from tests.support.pages import PAGES, anchors, files, inline_code, prose

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_PACKAGES = {folder.name for folder in ROOT.glob("packages/*/src/*") if (folder / "__init__.py").exists()}
_TOP = {path.relative_to(ROOT).parts[0] for path in files()}
_FILE = re.compile(r"[\w-]+\.(?:conf|mjs|py|sh|sql|ya?ml)")
_NAMED = [page for page in PAGES if page.name != "CHANGELOG.md"]  # which tells of the past


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_link_leads_to_a_file_and_to_a_heading_of_it(page: Path) -> None:
    broken = [link for link in _LINK.findall(prose(page.read_text("utf-8"))) if not _leads_somewhere(page, link)]
    assert broken == []


@pytest.mark.parametrize("page", _NAMED, ids=lambda page: str(page.relative_to(ROOT)))
def test_file_or_module_in_backticks_exists(page: Path) -> None:
    named = inline_code(page.read_text("utf-8"))
    if page.name == "add-a-service.md":  # its reader is about to make those of the audit service
        named = [name for name in named if "audit" not in name]
    missing = [name for name in named if not _exists(name.removesuffix("/"))]
    assert missing == []


def _leads_somewhere(page: Path, link: str) -> bool:
    if re.match(r"[a-z]+:", link):
        return True
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and (not anchor or anchor in anchors(target))


def _exists(name: str) -> bool:
    """Whether *name*, when it is one of a file or module of ours, is there; ``<name>`` and ``*`` stand for anything."""
    pattern = re.sub(r"<\w+>|NNNN_\w+", "*", name)
    if re.fullmatch(r"[\w.*/-]+", pattern) is None:
        return True
    first, slash, _ = pattern.partition("/")
    if slash and first in _PACKAGES:
        return any(ROOT.glob(f"packages/*/src/{pattern}"))
    if slash and first in _TOP:
        return any(ROOT.glob(pattern))
    if not slash and first.split(".")[0] in _PACKAGES:
        return _is_importable(name)
    return _FILE.fullmatch(name) is None or any(fnmatch(path.name, pattern) for path in files())


def _is_importable(name: str) -> bool:
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError):
        return False
    return True
