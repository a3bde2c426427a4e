"""Keys of the application, for middlewares and common handlers."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from ..config import Networks
from ..lifecycle import Readiness
from ..observability import Metrics

__all__ = ["ALLOWED_ORIGINS", "METRICS", "NAME", "READINESS", "TRUSTED_PROXIES", "VERSION"]

METRICS = web.AppKey("metrics", Metrics)
NAME = web.AppKey("name", str)
VERSION = web.AppKey("version", str)
READINESS = web.AppKey("readiness", Readiness)
ALLOWED_ORIGINS: web.AppKey[Sequence[str]] = web.AppKey("allowed_origins", Sequence)
TRUSTED_PROXIES: web.AppKey[Networks] = web.AppKey("trusted_proxies", tuple)
